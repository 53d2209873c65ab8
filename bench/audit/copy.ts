/** The peer: rows by Postgres's own bulk loading, which neither knows an event again nor counts, hashes and signs. */
import type { EventRow } from '../../services/audit/src/database.ts'

interface Connection {
  query(text: string): void
  sendCopyFromChunk(bytes: Buffer): void
  endCopyFrom(): void
}
/** What of pg is used: its type of a query that does its own part of the protocol. */
export interface PgClient {
  connect(): Promise<void>
  query(submittable: object): void
  end(): Promise<void>
}

export const batchSize = 500
const columns =
  'sequence, id, stored_at, occurred_at, type, action, outcome, actor_id, patient_ids, method, path, ip, request_id, entry'

/** COPY's text format has an escape for these alone. */
const escapes: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }
const field = (text: string | null): string =>
  text === null ? '\\N' : text.replaceAll(/[\\\t\n\r]/g, (character) => escapes[character]!)
const lineOf = (row: EventRow): string =>
  `${row.sequence}\t${row.id}\t${row.storedAt.toISOString()}\t${row.occurredAt.toISOString()}\t${row.type}\t${row.action}\t${
    row.outcome
  }\t${field(row.actorId)}\t{${row.patientIds.join(',')}}\t${row.method}\t${field(row.path)}\t${row.ip}\t${field(
    row.requestId,
  )}\t${field(row.entry)}\n`

/** What a table takes by `COPY … FROM STDIN`, in a transaction. */
export function copyText(client: PgClient, statement: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query({
      submit: (connection: Connection) => connection.query(statement),
      handleCopyInResponse(connection: Connection) {
        connection.sendCopyFromChunk(Buffer.from(text))
        connection.endCopyFrom()
      },
      handleCommandComplete() {},
      handleReadyForQuery: () => resolve(),
      handleError: reject,
    })
  })
}

export async function copyRows(client: PgClient, rows: readonly EventRow[]): Promise<void> {
  for (let from = 0; from < rows.length; from += batchSize)
    await copyText(
      client,
      `COPY events (${columns}) FROM STDIN`,
      rows
        .slice(from, from + batchSize)
        .map(lineOf)
        .join(''),
    )
}
