import { createServer } from 'node:http'

const body = JSON.stringify({ items: Array.from({ length: 12 }, (_none, n) => ({ id: n, name: 'x'.repeat(58) })) })
const headers = {
  'Content-Type': 'application/json',
  'Content-Length': Buffer.byteLength(body),
  'Cache-Control': 'no-store',
}
createServer((_req, res) => res.writeHead(200, headers).end(body)).listen(Number(process.env.PORT), '127.0.0.1')
