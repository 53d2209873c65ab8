import type { IncomingHttpHeaders } from 'node:http'
import type { Request, Response } from 'express'
import { single } from './hygiene.ts'
import type { Admitted } from './admitted.ts'

/** For one hop only (RFC 9110, 7.6.1). */
const hopByHop = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'proxy-authorization',
  'proxy-authenticate',
  // the gateway's own server has answered it with 100 Continue
  'expect',
])
const spoofable = /^(x-user-|x-forwarded-|x-real-ip$|forwarded$)/

/**
 * What a service is told: the client's headers without what is for one hop, what `Connection` names, and what a client
 * must not say, which is who it is and where it comes from; the gateway says that.
 */
export function upstreamHeaders(req: Request, res: Response): IncomingHttpHeaders {
  const { requestId, ip, claims } = res.locals as Admitted
  const { headers } = req
  // nobody takes away what the gateway decides by
  const named = (headers.connection?.toLowerCase().split(/[ \t]*,[ \t]*/) ?? []).filter(
    (name) => !single.includes(name),
  )
  const told: IncomingHttpHeaders = {}
  for (const name in headers) {
    if (!hopByHop.has(name) && !spoofable.test(name) && !named.includes(name)) told[name] = headers[name]
  }
  told['x-request-id'] = requestId
  told['x-forwarded-for'] = ip
  told['x-forwarded-proto'] = req.protocol
  if (headers.host) told['x-forwarded-host'] = headers.host
  if (claims) {
    told['x-user-id'] = claims.sub
    told['x-user-roles'] = claims.roles.join(',')
  }
  return told
}

/** Whether a header of a service's answer is the client's business. */
export const isForClient = (name: string): boolean => !hopByHop.has(name)
