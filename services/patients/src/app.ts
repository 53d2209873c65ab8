import { buildApp, type AppOptions, type ServiceApp } from '@caregate/common/app'
import { measureService, type ServiceParts } from '@caregate/common/measure'
import { breakGlassRoutes, type BreakGlassDeps } from './break-glass/routes.ts'
import { careTeamRoutes } from './care-team/routes.ts'
import { buildChartRoutes, checkChartRoutes } from './chart.ts'
import { fhirRoutes } from './fhir/routes.ts'
import { historyRoutes } from './history/routes.ts'
import { clinicalRoutes } from './clinical/routes.ts'
import { matchRoutes } from './match/routes.ts'
import { mergeRoutes } from './merge/routes.ts'
import { patientRoutes, type Deps } from './routes.ts'
import { transferRoutes } from './transfer/routes.ts'
import { vocabulary } from './vocabulary.ts'

export function buildPatientsApp(
  deps: Deps &
    BreakGlassDeps &
    ServiceParts &
    Pick<AppOptions, 'log' | 'metrics' | 'outbox' | 'verify' | 'trustedProxies'>,
): ServiceApp {
  measureService(deps.metrics, deps)
  const charts = buildChartRoutes(deps.db)
  const routes = [
    ...patientRoutes(deps, charts),
    ...matchRoutes(deps),
    ...mergeRoutes(deps, charts),
    ...historyRoutes(deps, charts),
    ...clinicalRoutes(deps, charts),
    ...careTeamRoutes(deps, charts),
    ...breakGlassRoutes(deps, charts),
    ...transferRoutes(deps),
    ...fhirRoutes(deps, charts),
  ]
  checkChartRoutes(routes)
  return buildApp({
    ...deps,
    service: 'patients',
    refused: 'patients.request.refused',
    routes,
    vocabulary,
    ready: () => deps.db.query('SELECT 1 FROM outbox LIMIT 1'),
    notAllowed: { '/patients/{id}': 'A chart is never erased: POST /patients/{id}/void takes it out of use.' },
  })
}
