export type Service = 'auth' | 'patients' | 'audit'
export const services: readonly Service[] = ['auth', 'patients', 'audit']

export interface GatewayRoute {
  /** A whole path, or with `/*` at the end everything at and below it. */
  pattern: string
  service: Service
  /** A public route ignores `Authorization`. */
  public: boolean
}

const open = (pattern: string, service: Service): GatewayRoute => ({ pattern, service, public: true })
const signedIn = (pattern: string, service: Service): GatewayRoute => ({ pattern, service, public: false })

/** What is let in, and where to. The first that matches decides; there is no other way to a service. */
const routes: readonly GatewayRoute[] = [
  open('/api/v1/auth/register', 'auth'),
  open('/api/v1/auth/login', 'auth'),
  open('/api/v1/auth/refresh', 'auth'),
  open('/.well-known/jwks.json', 'auth'),
  signedIn('/api/v1/auth/*', 'auth'),
  signedIn('/api/v1/patients/*', 'patients'),
  signedIn('/api/v1/audit/*', 'audit'),
]

/** @param path raw, without the query string */
export function findRoute(path: string): GatewayRoute | undefined {
  return routes.find(({ pattern }) => {
    if (!pattern.endsWith('/*')) return path === pattern
    const prefix = pattern.slice(0, -2)
    return path === prefix || path.startsWith(`${prefix}/`)
  })
}
