import type { Service } from '@caregate/common/services'

export interface GatewayRoute {
  /** A whole path, or with `/*` at the end everything at and below it. */
  pattern: string
  service: Service
  /** A public route ignores `Authorization`. */
  public: boolean
  /** Bodies and answers pass through as they come, however large they are and however long they take. */
  streaming: boolean
  /** Largest body in bytes, where it isn't streamed. */
  bodyLimit: number
  /** Passwords and tokens are guessed here: counted by a second, stricter limit. */
  guarded?: boolean
}

const route = (
  pattern: string,
  service: Service,
  { public: open = false, streaming = false, bodyLimit = 1_048_576, ...rest }: Partial<GatewayRoute> = {},
): GatewayRoute => ({ pattern, service, public: open, streaming, bodyLimit, ...rest })

const credentials = { public: true, guarded: true, bodyLimit: 16_384 }

/** What is let in, and where to. The first that matches decides; there is no other way to a service. */
const routes: readonly GatewayRoute[] = [
  route('/api/v1/auth/register', 'auth', credentials),
  route('/api/v1/auth/login', 'auth', credentials),
  route('/api/v1/auth/refresh', 'auth', credentials),
  route('/api/v1/auth/token', 'auth', credentials),
  route('/api/v1/auth/password/forgot', 'auth', credentials),
  route('/api/v1/auth/password/reset', 'auth', credentials),
  route('/api/v1/auth/password', 'auth', { guarded: true, bodyLimit: 16_384 }),
  route('/.well-known/jwks.json', 'auth', { public: true }),
  route('/api/v1/auth/*', 'auth'),
  route('/api/v1/patients/import', 'patients', { streaming: true }),
  route('/api/v1/patients/export', 'patients', { streaming: true }),
  route('/api/v1/patients/*', 'patients'),
  route('/api/v1/audit/checkpoint', 'audit', { public: true }),
  route('/api/v1/audit/key', 'audit', { public: true }),
  route('/api/v1/audit/export', 'audit', { streaming: true }),
  route('/api/v1/audit/stream', 'audit', { streaming: true }),
  route('/api/v1/audit/*', 'audit'),
  route('/fhir/R4/metadata', 'patients', { public: true }),
  route('/fhir/R4/AuditEvent/*', 'audit'),
  route('/fhir/R4/*', 'patients'),
  route('/console/*', 'audit', { public: true }),
]

/** @param path raw, without the query string */
export function findRoute(path: string): GatewayRoute | undefined {
  return routes.find(({ pattern }) => {
    if (!pattern.endsWith('/*')) return path === pattern
    const prefix = pattern.slice(0, -2)
    return path === prefix || path.startsWith(`${prefix}/`)
  })
}
