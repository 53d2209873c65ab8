import { buildApp, type AppOptions, type ServiceApp } from '@caregate/common/app'
import type { Database } from '@caregate/common/database'
import { sessionRoutes, type SessionDeps } from './routes/sessions.ts'
import { userRoutes, type UserDeps } from './routes/users.ts'

type Deps = SessionDeps &
  UserDeps &
  Pick<AppOptions, 'log' | 'outbox' | 'verify' | 'trustedProxies'> & { db: Pick<Database, 'query'> }

export function buildAuthApp(deps: Deps): ServiceApp {
  return buildApp({
    ...deps,
    service: 'auth',
    refused: 'auth.request.refused',
    routes: [...sessionRoutes(deps), ...userRoutes(deps)],
    ready: () => deps.db.query('SELECT 1 FROM outbox LIMIT 1'),
  })
}
