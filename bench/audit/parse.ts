/** The least that could be called looking at an export: each line parsed, and hashed. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'

let events = 0
for await (const line of createInterface({ input: createReadStream(process.argv[2]!) })) {
  if ('sequence' in (JSON.parse(line) as object)) events++
  createHash('sha256').update(line).digest()
}
console.log(events)
