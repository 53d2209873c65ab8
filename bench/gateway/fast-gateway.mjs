import gateway from 'fast-gateway'
import { check, PORT, UPSTREAM } from './check.mjs'

const authenticate = (req, _res, next) => {
  req.claims = check(req.headers.authorization)
  return next()
}
gateway({ middlewares: [authenticate], routes: [{ prefix: '/api', prefixRewrite: '/api', target: UPSTREAM }] }).start(
  Number(PORT),
  '127.0.0.1',
)
