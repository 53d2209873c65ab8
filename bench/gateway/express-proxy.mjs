/** Express, helmet, cors, express-rate-limit and http-proxy-middleware, put together with care. */
import { Agent } from 'node:http'
import cors from 'cors'
import express from 'express'
import { rateLimit } from 'express-rate-limit'
import helmet from 'helmet'
import { createProxyMiddleware } from 'http-proxy-middleware'
import { check, PORT, UPSTREAM } from './check.mjs'

const app = express()
app.use(helmet(), cors(), (req, _res, next) => {
  req.claims = check(req.headers.authorization)
  next()
})
app.use(
  rateLimit({
    windowMs: 60_000,
    limit: 1_000_000_000,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: (req) => req.claims.sub,
  }),
)
app.use(createProxyMiddleware({ target: UPSTREAM, agent: new Agent({ keepAlive: true }) }))
app.listen(Number(PORT), '127.0.0.1')
