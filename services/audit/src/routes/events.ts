import Joi from 'joi'
import { route, type Context, type Route } from '@caregate/common/route'
import type { Cursors } from '@caregate/common/cursor'
import type { Database, Tx } from '@caregate/common/database'
import { invalid } from '@caregate/common/errors'
import { maxPatientIds } from '@caregate/common/events'
import { idParams, nothing, pageAnswer, pageFields, type Page, type Schema } from '@caregate/common/validate'
import { exportCsv } from '../csv.ts'
import { withinEvent } from '../disclosed.ts'
import { exportLines } from '../export.ts'
import { eventAnswer, filterFields } from '../schemas.ts'
import { getEvent, getHead, readEvents, type EventFilter, type ReadEvent } from '../repository.ts'
import { behind, findPage, type Position } from '../search.ts'

export interface EventDeps {
  db: Pick<Database, 'query' | 'manager'>
  cursors: Cursors
}

type EventQuery = EventFilter & Page & { afterSequence?: number }
type ExportQuery = EventFilter & { format: 'ndjson' | 'csv' }
const eventQuery: Schema<EventQuery> = Joi.object({
  ...filterFields,
  afterSequence: Joi.number().integer().min(0).description('Events after this one, oldest first'),
  ...pageFields,
})

const exportQuery: Schema<ExportQuery> = Joi.object({
  ...filterFields,
  format: Joi.string()
    .valid('ndjson', 'csv')
    .default('ndjson')
    .description('What can be verified, or what people read'),
})

const csvType = 'text/csv; charset=utf-8'
const listName = 'GET /audit/events'

/** A page of events, whose charts the event of the request names. */
export async function readPage(
  tx: Tx,
  { about }: Pick<Context<unknown, unknown, unknown>, 'about'>,
  filter: EventFilter,
  position: Position,
  limit: number,
): Promise<{ shown: readonly ReadEvent[]; next: Position | undefined }> {
  if (filter.patientId) about({ patientIds: [filter.patientId] })
  const { rows, next } = await findPage(tx, filter, position, limit)
  const { shown, patientIds } = withinEvent(await readEvents(tx, rows), chartsOf)
  if (patientIds.length) about({ patientIds })
  return { shown, next: shown.length < rows.length ? behind(position, shown.at(-1)!) : next }
}

export function eventRoutes({ db, cursors }: EventDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/audit/events',
      summary: 'Search the audit log, newest first; with afterSequence, oldest first',
      policy: ['auditor'],
      event: { type: 'audit.event.read', action: 'R' },
      params: nothing,
      query: eventQuery,
      body: nothing,
      answer: {
        status: 200,
        description: `A page of events; of fewer than \`limit\`, of none even, where they name more than ${maxPatientIds} charts, or take long to find`,
        schema: pageAnswer(eventAnswer),
      },
      errors: [],
      async handle(context) {
        const { limit, cursor, afterSequence, ...filter } = context.query
        if (cursor !== undefined && afterSequence !== undefined) {
          throw invalid({
            path: 'cursor',
            message: 'cursor and afterSequence exclude each other: a cursor knows which way it goes',
          })
        }
        const first: Position = afterSequence === undefined ? {} : { after: afterSequence }
        const position = cursor === undefined ? first : cursors.decode<Position>(listName, cursor)
        const { shown, next } = await readPage(db.manager, context, filter, position, limit)
        return { body: { items: shown, nextCursor: next ? cursors.encode(listName, next) : null } }
      },
    }),
    route({
      method: 'get',
      path: '/audit/events/{id}',
      summary: 'Read an event',
      policy: ['auditor'],
      event: { type: 'audit.event.read', action: 'R', subject: 'event' },
      params: idParams,
      query: nothing,
      body: nothing,
      answer: { status: 200, description: 'The event', schema: eventAnswer },
      errors: ['not_found', 'gone'],
      async handle(context) {
        const [body] = await readEvents(db.manager, [await getEvent(db.manager, context.params.id)])
        context.about({ patientIds: body!.patientIds })
        return { body }
      },
    }),
    route({
      method: 'get',
      path: '/audit/export',
      summary: 'All events of a filter, oldest first, with what it takes to verify them offline; or as CSV',
      policy: ['auditor'],
      event: { type: 'audit.export.read', action: 'R' },
      params: nothing,
      query: exportQuery,
      body: nothing,
      answer: {
        status: 200,
        description:
          'NDJSON, a line each: the format, events, gaps between them, checkpoints; the last one covers it all. CSV (RFC 4180), a row each: the names of the columns, events; lists are joined by spaces',
        type: ['application/x-ndjson', csvType],
        headers: { 'Content-Disposition': 'Of CSV: the name of the file' },
      },
      errors: [],
      async handle(context) {
        const { format, ...filter } = context.query
        if (filter.patientId) context.about({ patientIds: [filter.patientId] })
        const head = await getHead(db.manager)
        if (format === 'ndjson') return { body: ndjson(exportLines(db.manager, filter, head)) }
        const name = `caregate-audit-${new Date().toISOString().slice(0, 10)}.csv`
        return {
          type: csvType,
          headers: { 'Content-Disposition': `attachment; filename="${name}"` },
          body: exportCsv(db.manager, filter, head.size),
        }
      },
    }),
  ]
}

/** What a reading of the log has named it has told of: named once more, it would be for ever by whoever follows the log. */
const chartsOf = ({ type, patientIds }: ReadEvent): readonly string[] => (type === 'audit.event.read' ? [] : patientIds)

async function* ndjson(lines: AsyncIterable<object>): AsyncGenerator<string> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`
}
