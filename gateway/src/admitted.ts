import type { Claims } from '@caregate/common/auth'
import type { GatewayRoute } from './routes.ts'
import type { Instance } from './upstreams.ts'

/** What the gateway has decided about a request before it is passed on: `res.locals`. */
export interface Admitted {
  requestId: string
  route: GatewayRoute
  /** The client's address. */
  ip: string
  claims?: Claims
  /** Where a streamed request went. */
  instance?: Instance
}
