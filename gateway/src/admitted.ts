import type { Answer, Locals } from '@caregate/common/http'
import type { GatewayRoute } from './routes.ts'
import type { Instance } from './upstreams.ts'

/** What the gateway knows and has decided about a request before it is passed on: `res.locals`. */
export interface Admitted extends Locals {
  route: GatewayRoute
  /** Where a streamed request went. */
  instance?: Instance
  /** Where the client wants to leave HTTP for WebSocket: what it has said already. */
  upgrade?: Buffer
}

export const admittedOf = (res: Answer): Admitted => res.locals as Admitted
