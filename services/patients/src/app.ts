import { buildApp, type AppOptions, type ServiceApp } from '@caregate/common/app'
import { patientRoutes, type Deps } from './routes.ts'

export function buildPatientsApp(
  deps: Deps & Pick<AppOptions, 'log' | 'outbox' | 'verify' | 'trustedProxies'>,
): ServiceApp {
  return buildApp({
    ...deps,
    service: 'patients',
    refused: 'patients.request.refused',
    routes: patientRoutes(deps),
    ready: () => deps.db.query('SELECT 1 FROM outbox LIMIT 1'),
    notAllowed: { '/patients/{id}': 'A chart is never erased: POST /patients/{id}/void takes it out of use.' },
  })
}
