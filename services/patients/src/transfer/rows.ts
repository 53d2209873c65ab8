import { isUtf8 } from 'node:buffer'
import { parse, type CsvError, type Info } from 'csv-parse'
import { plainCell } from '@caregate/common/csv'
import { AppError, invalid } from '@caregate/common/errors'
import type { FieldError } from '@caregate/common/errors'
import { fileOf, type File, type Row } from './synthea.ts'

/** One row of what is imported: what it says, or why it can't be read. Lines count from 1. */
export type Line<T> = { line: number } & ({ row: T } | { errors: FieldError[] })
type Bytes = AsyncIterable<Buffer>

const maxRowBytes = 1_048_576
/** So many are written at once, fewer than an event may name; whoever sends few at a time is answered at once all the same. */
const batchSize = 100

function* inBatches<T>(rows: T[]): Generator<T[]> {
  for (let from = 0; from < rows.length; from += batchSize) yield rows.slice(from, from + batchSize)
}

const refused = (line: number, message: string): { line: number; errors: FieldError[] } => ({
  line,
  errors: [{ path: 'row', message: `row ${message}` }],
})

function readJson(line: number, bytes: Buffer): Line<Record<string, unknown>> | undefined {
  if (!isUtf8(bytes)) return refused(line, 'is no UTF-8')
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '')
  if (!text.trim()) return undefined
  try {
    const row: unknown = JSON.parse(text)
    if (typeof row === 'object' && row !== null && !Array.isArray(row))
      return { line, row: row as Record<string, unknown> }
  } catch {
    // what is said of it would say what is in it
  }
  return refused(line, 'is no JSON object')
}

/** NDJSON (https://github.com/ndjson/ndjson-spec), as many rows at once as have come. Empty lines are none. */
export async function* readNdjson(chunks: Bytes): AsyncGenerator<Line<Record<string, unknown>>[]> {
  let parts: Buffer[] = []
  let size = 0
  let line = 0
  const keep = (part: Buffer) => {
    size += part.length
    // the rest of a line that is too long is only counted
    if (size <= maxRowBytes) parts.push(part)
  }
  function take() {
    line += 1
    const row =
      size > maxRowBytes ? refused(line, `has more than ${maxRowBytes} bytes`) : readJson(line, Buffer.concat(parts))
    parts = []
    size = 0
    return row ? [row] : []
  }
  for await (const chunk of chunks) {
    const rows = []
    let from = 0
    for (let end; (end = chunk.indexOf('\n', from)) !== -1; from = end + 1) {
      keep(chunk.subarray(from, end))
      rows.push(...take())
    }
    keep(chunk.subarray(from))
    yield* inBatches(rows)
  }
  if (size) yield take()
}

interface Found {
  record: string[]
  info: Info
}

/** Records of CSV (RFC 4180), as many at once as have come. */
async function* readRecords(chunks: Bytes): AsyncGenerator<Line<string[]>[]> {
  const parser = parse({
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
  })
  let broken: Error | undefined
  let rows: Line<string[]>[] = []
  let unread = 0
  parser.on('error', (error) => (broken = error))
  // in its place among the others
  parser.on(
    'skip',
    ({ lines = 0 }: CsvError & { lines?: number }) => (
      drain(),
      rows.push(refused(lines, 'has a quote where none may be'))
    ),
  )
  function drain(): void {
    for (let found; (found = parser.read() as Found | null);) rows.push({ line: found.info.lines, row: found.record })
  }
  function take(): Line<string[]>[] {
    drain()
    if (broken) throw broken
    const taken = rows
    rows = []
    return taken
  }
  for await (const chunk of chunks) {
    parser.write(chunk)
    const taken = take()
    unread = taken.length ? 0 : unread + chunk.length
    if (unread > maxRowBytes)
      throw new AppError(
        'bad_request',
        `After line ${parser.info.lines} there is a row of more than ${maxRowBytes} bytes, or a quote that never closes.`,
      )
    yield* inBatches(taken)
  }
  await new Promise<void>((resolve) =>
    parser
      .once('finish', resolve)
      .once('error', () => resolve())
      .end(),
  )
  yield* inBatches(take())
}

/**
 * Rows of one of Synthea's files.
 * @throws {AppError} 422 before the first one when its header is of none
 */
export async function readCsv(
  chunks: Bytes,
  named: File | undefined,
): Promise<{ file: File; batches: AsyncIterable<Line<Row>[]> }> {
  const records = readRecords(chunks)
  const first = await records.next()
  const [head, ...others] = first.done ? [] : first.value
  try {
    if (!head || !('row' in head))
      throw invalid({ path: 'header', message: 'header is missing: the body is empty, or begins with no CSV' })
    const header = head.row
    const file = fileOf(header, named)
    const id = file === 'patients' ? 'Id' : 'PATIENT'
    const toRow = (line: Line<string[]>): Line<Row> => {
      if (!('row' in line)) return line
      const { line: at, row } = line
      if (row.length !== header.length) return refused(at, `has ${row.length} fields, not ${header.length}`)
      const cells = Object.fromEntries(header.map((column, n) => [column, plainCell(row[n]!)]))
      return cells[id]
        ? { line: at, row: cells }
        : { line: at, errors: [{ path: id, message: `${id} must not be empty` }] }
    }
    async function* batches() {
      yield others.map(toRow)
      for await (const batch of records) yield batch.map(toRow)
    }
    return { file, batches: batches() }
  } catch (error) {
    await records.return(undefined)
    throw error
  }
}
