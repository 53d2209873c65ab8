import { join } from 'node:path'
import { readRows, toPatient } from '../../platform/synthea.ts'
import { ROOT } from '../../platform/state.ts'

export type NewChart = Record<string, unknown>
/** As the service answers it. */
export type Chart = NewChart & { id: string; version: number }

/** The thousand people of the samples as they would be taken in at a desk, where nobody has another system's id for them. */
export async function readCharts(): Promise<NewChart[]> {
  const charts: NewChart[] = []
  for await (const { row } of readRows(join(ROOT, 'samples/patients.csv'))) charts.push(toPatient({ ...row, Id: '' }))
  return charts
}
