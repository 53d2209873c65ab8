import Joi from 'joi'
import { AppError, invalid } from '@caregate/common/errors'
import { route, type Route } from '@caregate/common/route'
import { nothing, type Schema } from '@caregate/common/validate'
import { rolesFor } from '../access.ts'
import { statuses } from '../schemas.ts'
import { readEntry, readSynthea } from './entry.ts'
import { exportCsv, exportNdjson } from './export.ts'
import { buildImport, type TransferDeps } from './import.ts'
import type { ExportFilter } from './repository.ts'
import { readCsv, readNdjson } from './rows.ts'
import { files, type File } from './synthea.ts'

export const importPath = '/patients/import'
const ndjsonType = 'application/x-ndjson'
const csvType = 'text/csv'

const importQuery: Schema<{ source?: string; file?: File }> = Joi.object({
  source: Joi.string()
    .pattern(/^[a-z0-9][a-z0-9-]{0,39}$/, 'the name of a source, as in source:<name>')
    .description('Where the ids of the rows come from; else `synthea` for CSV, `fhir` for FHIR, `caregate` for charts'),
  file: Joi.string()
    .valid(...files)
    .description(
      'Which of Synthea’s files it is, where the header doesn’t say: allergies and conditions have the same',
    ),
})
const exportQuery: Schema<ExportFilter & { format: 'ndjson' | 'csv'; file: File }> = Joi.object({
  format: Joi.string().valid('ndjson', 'csv').default('ndjson'),
  file: Joi.string()
    .valid(...files)
    .default('patients')
    .description('Of CSV: which of Synthea’s files'),
  status: Joi.string()
    .valid(...statuses.filter((status) => status !== 'merged'))
    .description('Voided charts leave only where this says so'),
  // what Postgres has a date for
  updatedSince: Joi.date()
    .iso()
    .min('1900-01-01')
    .max('9999-12-31')
    .description('Changed at or after; where allergies and conditions are exported, so are changes of those'),
})

export function transferRoutes(deps: TransferDeps): Route[] {
  const importRows = buildImport(deps)
  return [
    route({
      method: 'post',
      path: importPath,
      summary: 'Import charts, allergies and conditions: NDJSON (charts, or FHIR R4 resources) or Synthea’s CSV',
      policy: rolesFor('chart.import'),
      event: { type: 'patients.import.started', action: 'E' },
      params: nothing,
      query: importQuery,
      body: nothing,
      uploads: [ndjsonType, 'application/fhir+ndjson', csvType],
      answer: {
        status: 200,
        description:
          'NDJSON, as rows are committed: `{line, outcome: created|present|refused, id?, errors?}` each, and at the end `{done, created, present, refused}`, with `code` and `detail` where it was stopped',
        type: ndjsonType,
      },
      errors: [],
      async handle(context) {
        const { query, claims, upload } = context
        const by = { userId: claims.sub, name: claims.name, everything: true }
        if (upload.type !== csvType)
          return { body: importRows(context, by, readNdjson(upload.chunks), (row) => readEntry(row, query.source)) }
        const { file, batches } = await readCsv(upload.chunks, query.file)
        return { body: importRows(context, by, batches, (row) => readSynthea(row, file, query.source)) }
      },
    }),
    route({
      method: 'get',
      path: '/patients/export',
      summary: 'Export charts: those of the own care teams with allergies and conditions, or the demographics of all',
      policy: rolesFor('demographics.export'),
      event: { type: 'patients.export.started', action: 'E' },
      params: nothing,
      query: exportQuery,
      body: nothing,
      answer: {
        status: 200,
        description: 'NDJSON, a chart a line, as imports take it; or CSV (RFC 4180) in the columns of Synthea',
        type: [ndjsonType, `${csvType}; charset=utf-8`],
        headers: { 'Content-Disposition': 'Of CSV: the name of the file' },
      },
      errors: [],
      async handle(context) {
        const { format, file, ...filter } = context.query
        if (file !== 'patients' && format !== 'csv')
          throw invalid({ path: 'file', message: 'file is of CSV: NDJSON has everything of a chart in its line' })
        if (file !== 'patients' && !context.claims.roles.some((role) => rolesFor('clinical.export').includes(role)))
          throw new AppError('forbidden', 'None of your roles exports allergies and conditions.')
        if (format === 'ndjson') return { body: exportNdjson(deps, context, filter) }
        return {
          type: `${csvType}; charset=utf-8`,
          headers: { 'Content-Disposition': `attachment; filename="${file}.csv"` },
          body: exportCsv(deps, context, filter, file),
        }
      },
    }),
  ]
}
