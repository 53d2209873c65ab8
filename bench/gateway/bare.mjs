/** The least that could be called a gateway: node:http, undici's dispatch, the token check and the same headers. */
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { Agent } from 'undici'
import { check, PORT, UPSTREAM } from './check.mjs'

const agent = new Agent({ connections: 256 })
const counts = new Map()
const constant = Object.entries({
  'Content-Security-Policy': "default-src 'none';frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Origin-Agent-Cluster': '?1',
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'SAMEORIGIN',
  'Access-Control-Allow-Origin': '*',
})

createServer((req, res) => {
  const started = process.hrtime.bigint()
  let claims
  try {
    claims = check(req.headers.authorization)
  } catch {
    return res.writeHead(401).end()
  }
  const count = (counts.get(claims.sub) ?? 0) + 1
  counts.set(claims.sub, count)
  const id = randomUUID()
  const { connection: _hop, ...headers } = req.headers
  headers['x-request-id'] = id
  headers['x-forwarded-for'] = req.socket.remoteAddress
  headers['x-user-id'] = claims.sub
  agent.dispatch(
    { origin: UPSTREAM, path: req.url, method: req.method, headers },
    {
      onRequestStart() {},
      onResponseStart(_controller, status, answer) {
        res.statusCode = status
        for (const [name, value] of constant) res.setHeader(name, value)
        for (const name in answer) if (name !== 'connection' && name !== 'keep-alive') res.setHeader(name, answer[name])
        res.setHeader('RateLimit', `"user"; r=${1e9 - count}; t=60`)
        res.setHeader('X-Request-Id', id)
        res.setHeader('X-Process-Time', (Number(process.hrtime.bigint() - started) / 1e9).toFixed(4))
      },
      onResponseData: (_controller, chunk) => void res.write(chunk),
      onResponseEnd: () => void res.end(),
      onResponseError: () => void res.destroy(),
    },
  )
}).listen(Number(PORT), '127.0.0.1')
