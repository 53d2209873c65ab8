import Joi from 'joi'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '@caregate/common/database'
import { AppError, invalid } from '@caregate/common/errors'
import { route, type Route } from '@caregate/common/route'
import { nothing, type Schema } from '@caregate/common/validate'
import type { Feed } from '../feed.ts'
import { getHead, readEvents, type EventFilter } from '../repository.ts'
import { filterFields } from '../schemas.ts'
import { searchEvents } from '../search.ts'

export interface StreamDeps {
  db: Pick<Database, 'manager'>
  feed: Pick<Feed, 'grownFrom'>
  /** Aborts when the process is told to stop. */
  signal: AbortSignal
}

type StreamQuery = EventFilter & { afterSequence?: number }
const streamQuery: Schema<StreamQuery> = Joi.object({
  ...filterFields,
  afterSequence: Joi.number()
    .integer()
    .min(0)
    .description('Events after this one; in place of a Last-Event-ID. Without either, those from now on'),
})

const heartbeatMs = 10_000
/** Under load a follower gets the events of so many milliseconds at once. */
const pauseMs = 50
const atOnce = 200

export function streamRoutes({ db, feed, signal }: StreamDeps): Route[] {
  async function* follow(filter: EventFilter, from: number, size: number, expires: number): AsyncGenerator<string> {
    // the head of the answer leaves with it; a client comes back after a second, to where it began if nothing came
    yield `retry: 1000\nid: ${from}\n\n`
    let after = from
    let saidAt = Date.now()
    /** With its id, so that what a filter has passed over isn't searched again. */
    function* stillHere(): Generator<string> {
      if (Date.now() - saidAt < heartbeatMs) return
      yield `: still here\nid: ${after}\n\n`
      saidAt = Date.now()
    }
    for (;;) {
      for await (const { rows, left } of searchEvents(
        db.manager,
        filter,
        { after, upTo: size, order: 'ASC' },
        atOnce,
      )) {
        for (const event of await readEvents(db.manager, rows))
          yield `id: ${event.sequence}\ndata: ${JSON.stringify(event)}\n\n`
        after = left.after
        if (rows.length) saidAt = Date.now()
        else yield* stillHere()
        if (Date.now() >= expires || signal.aborted) break
      }
      const left = expires - Date.now()
      if (left <= 0) {
        yield 'event: expired\ndata: {}\n\n'
        return
      }
      if (signal.aborted) return
      await sleep(pauseMs)
      yield* stillHere()
      const silent = Date.now() - saidAt
      size = await feed.grownFrom(size, Math.min(heartbeatMs - silent, left))
    }
  }

  return [
    route({
      method: 'get',
      path: '/audit/stream',
      summary: 'Events as they are stored (Server-Sent Events), on from a Last-Event-ID',
      policy: ['auditor'],
      event: { type: 'audit.stream.read', action: 'R' },
      params: nothing,
      query: streamQuery,
      body: nothing,
      answer: {
        status: 200,
        description:
          'Events with their sequence as id; a comment at least every 15 s; `event: expired` when the access token is, and then the end',
        type: 'text/event-stream; charset=utf-8',
      },
      errors: ['unavailable'],
      async handle({ query: { afterSequence, ...filter }, headers, claims, about }) {
        if (signal.aborted) throw new AppError('unavailable', 'This instance is being stopped: come again.')
        const { size } = await getHead(db.manager)
        const from = positionOf(headers['last-event-id'], afterSequence) ?? size
        if (from > size)
          throw invalid({
            path: 'afterSequence',
            message: `afterSequence must be at most ${size}, the size of the log`,
          })
        if (filter.patientId) about({ patientIds: [filter.patientId] })
        return { body: follow(filter, from, size, claims.exp * 1000), headers: { 'X-Accel-Buffering': 'no' } }
      },
    }),
  ]
}

/** A client that comes again says where it was, whatever its URL says. @throws {AppError} 422 */
function positionOf(lastEventId: string | string[] | undefined, afterSequence: number | undefined): number | undefined {
  if (!lastEventId) return afterSequence
  if (typeof lastEventId !== 'string' || !/^\d{1,15}$/.test(lastEventId))
    throw invalid({ path: 'Last-Event-ID', message: 'Last-Event-ID must be a sequence number' })
  return Number(lastEventId)
}
