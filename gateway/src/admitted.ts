import type { Socket } from 'node:net'
import type { Answer, Locals } from '@caregate/common/http'
import type { GatewayRoute } from './routes.ts'
import type { Instance } from './upstreams.ts'

/** The connection of a client that wants to speak WebSocket, and what it has said already. */
export interface Upgrade {
  socket: Socket
  head: Buffer
}

/** What the gateway knows and has decided about a request before it is passed on: `res.locals`. */
export interface Admitted extends Locals {
  route: GatewayRoute
  /** Where a streamed request went. */
  instance?: Instance
  /** Present where the client wants to leave HTTP for WebSocket. */
  upgrade?: Upgrade
}

export const admittedOf = (res: Answer): Admitted => res.locals as Admitted
