// Runs in a container of the platform: who answers there by TLS, with a certificate for their name, and to no plain word.
import { readFileSync } from 'node:fs'
import { connect as connectPlain } from 'node:net'
import { connect as connectByTls } from 'node:tls'

const ca = readFileSync('/secrets/ca.crt')
/** @returns what came of it: `secure`, `open`, an answer's first line, or why there was none */
const outcomeOf = (socket, word) =>
  new Promise((resolve) => {
    socket.setTimeout(2000, () => resolve('silent'))
    socket.on('secureConnect', () => resolve('secure'))
    socket.on('connect', () => word && socket.write(word))
    socket.on('data', (data) => resolve(JSON.stringify(data.toString('latin1').split('\r\n')[0])))
    socket.on('error', ({ code }) => resolve(code))
    socket.on('close', () => resolve('closed'))
  }).finally(() => socket.destroy())

const outcomes = {}
for (const place of process.argv.slice(1)) {
  const [host, port] = place.split(':')
  outcomes[place] = {
    verified: await outcomeOf(connectByTls({ host, port, servername: host, ca })),
    another: await outcomeOf(connectByTls({ host, port, servername: 'another', ca })),
    unknown: await outcomeOf(connectByTls({ host, port, servername: host })),
    plain: await outcomeOf(connectPlain({ host, port }), 'GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  }
}
console.log(JSON.stringify(outcomes))
