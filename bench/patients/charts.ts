import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../../platform/state.ts'
import { readCsv } from '../../services/patients/src/transfer/rows.ts'
import { fromPatientRow } from '../../services/patients/src/transfer/synthea.ts'

export type NewChart = Record<string, unknown>
/** As the service answers it. */
export type Chart = NewChart & { id: string; version: number }

async function* fileOf(path: string): AsyncGenerator<Buffer> {
  yield await readFile(path)
}

/** The thousand people of the samples as they would be taken in at a desk, where nobody has another system's id for them. */
export async function readCharts(): Promise<NewChart[]> {
  const charts: NewChart[] = []
  const { batches } = await readCsv(fileOf(join(ROOT, 'samples/patients.csv')), undefined)
  for await (const lines of batches)
    for (const line of lines)
      if ('row' in line) {
        const { identifiers, ...chart } = fromPatientRow(line.row, 'synthea')
        const numbers = (identifiers as { system: string }[]).filter(({ system }) => !system.startsWith('source:'))
        charts.push({ ...chart, identifiers: numbers })
      }
  return charts
}
