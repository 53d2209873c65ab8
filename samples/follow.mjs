// Prints the audit log's events as they are stored. When the token expires it goes on with a new one, where it was.
// node samples/follow.mjs http://127.0.0.1:8000/api/v1 '{"clientId":"…","clientSecret":"…"}' [AFTER_SEQUENCE]
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
const [api, body, sequence = '0'] = process.argv.slice(2)
const login = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body }
for (let last = { sequence }; ; await new Promise((resolve) => setTimeout(resolve, 1000))) {
  const { accessToken } = await (await fetch(`${api}/auth/token`, login)).json()
  const headers = { Authorization: `Bearer ${accessToken}`, 'Last-Event-ID': String(last.sequence) }
  for await (const line of createInterface(Readable.fromWeb((await fetch(`${api}/audit/stream`, { headers })).body)))
    if (line.startsWith('data: {"')) console.log(JSON.stringify((last = JSON.parse(line.slice(6)))))
}
