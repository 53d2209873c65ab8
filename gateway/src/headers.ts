import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { localsOf, type Answer } from '@caregate/common/http'
import { single } from './hygiene.ts'

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
const spoofable = /^(x-user-|x-forwarded-|(x-real-ip|forwarded|set-cookie)$)/

/**
 * What a service is told: the client's headers without what is for one hop, what `Connection` names, and what a client
 * must not say, which is who it is and where it comes from; the gateway says that. `Set-Cookie` asks for nothing.
 */
export function upstreamHeaders(req: IncomingMessage, res: Answer): IncomingHttpHeaders {
  const { requestId, ip, protocol, claims, context } = localsOf(res)
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
  told['x-forwarded-proto'] = protocol
  if (context.span) {
    told.traceparent = context.span.traceparent
    // anybody's text: of what a client says of its trace the ids are kept
    delete told.tracestate
    delete told.baggage
  }
  if (headers.host) told['x-forwarded-host'] = headers.host
  if (claims) {
    told['x-user-id'] = claims.sub
    told['x-user-roles'] = claims.roles.join(',')
  }
  return told
}

/** Of id and time the gateway has the last word. */
const ownWord = /^x-(request-id|process-time)$/

/** What of a service's headers is the client's business. */
export function clientHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const told: IncomingHttpHeaders = {}
  for (const name in headers) if (!hopByHop.has(name) && !ownWord.test(name)) told[name] = headers[name]
  return told
}
