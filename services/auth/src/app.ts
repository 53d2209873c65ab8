import { buildApp, type AppOptions, type ServiceApp } from '@caregate/common/app'
import type { Broker } from '@caregate/common/broker'
import type { Database } from '@caregate/common/database'
import { measureService, type ServiceParts } from '@caregate/common/measure'
import { buildAttempts } from './attempts.ts'
import type { AuthConfig } from './config.ts'
import { buildCounters, type Parts } from './metrics.ts'
import { accountRoutes } from './routes/accounts.ts'
import { keyRoutes, type KeyDeps } from './routes/keys.ts'
import { passwordRoutes, type PasswordDeps } from './routes/passwords.ts'
import { accountAnswer, serviceAccountRoutes, type ServiceAccountDeps } from './routes/service-accounts.ts'
import { sessionAnswer, sessionRoutes } from './routes/sessions.ts'
import { loginAnswer, signInRoutes, type SignInDeps } from './routes/sign-in.ts'
import { totpRoutes } from './routes/totp.ts'
import { userRoutes } from './routes/users.ts'
import { userAnswer } from './schemas.ts'
import { buildSessionChange } from './session-change.ts'
import { buildTokens, type TokenConfig } from './tokens.ts'

type Deps = Pick<SignInDeps, 'passwords' | 'totp'> &
  Pick<KeyDeps, 'keys'> &
  Parts &
  ServiceParts &
  Pick<PasswordDeps, 'mails'> &
  Pick<ServiceAccountDeps, 'cursors'> &
  Pick<AppOptions, 'log' | 'metrics' | 'outbox' | 'verify' | 'trustedProxies'> & {
    db: Pick<Database, 'query' | 'manager' | 'transaction'>
    broker: Pick<Broker, 'broadcast'>
    config: SignInDeps['config'] & TokenConfig & Pick<AuthConfig, 'SIGN_IN_ATTEMPTS' | 'SIGN_IN_ATTEMPTS_PER_ADDRESS'>
  }

export function buildAuthApp(given: Deps): ServiceApp {
  const { db, broker, config, keys, metrics } = given
  measureService(metrics, given)
  const counters = buildCounters(metrics, given)
  const deps = {
    ...given,
    counters,
    tokens: buildTokens(config, keys.signing, counters.issued),
    attempts: buildAttempts(db, config),
    change: buildSessionChange(db, broker, config.ACCESS_TOKEN_EXPIRE_MINUTES * 60_000),
  }
  return buildApp({
    ...deps,
    service: 'auth',
    refused: 'auth.request.refused',
    routes: [
      ...signInRoutes(deps),
      ...sessionRoutes(deps),
      ...accountRoutes(deps),
      ...passwordRoutes(deps),
      ...totpRoutes(deps),
      ...userRoutes(deps),
      ...serviceAccountRoutes(deps),
      ...keyRoutes(deps),
    ],
    vocabulary: { User: userAnswer, Tokens: loginAnswer, ServiceAccount: accountAnswer, Session: sessionAnswer },
    ready: () => db.query('SELECT 1 FROM outbox LIMIT 1'),
  })
}
