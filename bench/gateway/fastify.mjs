import proxy from '@fastify/http-proxy'
import limit from '@fastify/rate-limit'
import fastify from 'fastify'
import { check, PORT, UPSTREAM } from './check.mjs'

const app = fastify()
app.addHook('onRequest', async (req) => {
  req.claims = check(req.headers.authorization)
})
await app.register(limit, { max: 1_000_000_000, timeWindow: 60_000, keyGenerator: (req) => req.claims.sub })
await app.register(proxy, { upstream: UPSTREAM })
await app.listen({ port: Number(PORT), host: '127.0.0.1' })
