import { stringify, type Options } from 'csv-stringify/sync'

const options: Options = {
  // RFC 4180
  record_delimiter: 'windows',
  // what a client chose, a name say, must not be run by whoever opens the file
  escape_formulas: true,
}

/** Rows as a spreadsheet takes them; a cell that it would take for a formula begins with `'`. */
export const csvLines = (rows: readonly (readonly (string | number | null | undefined)[])[]): string =>
  stringify([...rows], options)

/** The cell that `csvLines` was given. */
export const plainCell = (cell: string): string => cell.replace(/^'(?=[=+\-@\t\r\uFF0B\uFF0D\uFF1D\uFF20])/, '')
