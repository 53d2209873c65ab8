#!/usr/bin/env node
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { deadLetters } from './dead-letters.ts'
import {
  formatVerifier,
  isKeyName,
  isSignedBy,
  parseCheckpoint,
  parseVerifier,
  splitNote,
  verifierOf,
  type Checkpoint,
  type Verifier,
} from './log/note.ts'
import { formatRanges } from './log/ranges.ts'
import { UnreadableExport, verifyExport } from './verify.ts'
import { openWitness } from './witness.ts'

const usage = `Usage: caregate-audit verify FILE --log-key VKEY [--witness-key VKEY --checkpoints FILE]
       caregate-audit witness --key FILE --name NAME --log-key VKEY… --store FILE [--port 8010] [--address 127.0.0.1]
       caregate-audit key FILE --name NAME [--witness]
       caregate-audit new-log
       caregate-audit dead-letters list | show ID | replay [ID…]

Checks an export of the audit log (GET /audit/export), without a server. FILE is - for standard input. A key is one as
GET /audit/key shows it, or the name of a file with it. --checkpoints has what a witness signed, a line each: {"checkpoint":"…"}

witness co-signs the checkpoints of a log that only grows (C2SP tlog-witness). Its key is an Ed25519 one in PEM, it shows the
public half at /key, and keeps what it has signed in --store, which /checkpoints shows.

key shows the public half of an Ed25519 key in PEM, as others are given it: of a log, or of a witness.

new-log goes on with a log that has lost events, by a restore say, under the new name that AUDIT_LOG_ORIGIN has. It reads DATABASE_URL
and AUDIT_SIGNING_KEY_FILE as the service does, which is to be started with the new name afterwards.

dead-letters shows the messages that the log refused, at the broker that AMQP_URL names, and publishes again those that are
events now. Killed in between it may publish one twice: the log drops the second by its id.

Exit code 0: everything is proved, or replayed. 1: something is not. 2: a file, a key or the broker can't be read.`

/** A key, or the name of a file that has one. */
function readKey(given: string): Verifier {
  return parseVerifier(given.includes('+') ? given : readFileSync(given, 'utf8'))
}

/** What the witness has seen of a log. @throws when it did not sign one */
function readWitnessed(file: string, key: Verifier, origin: string): Checkpoint[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  const checkpoints = lines.map((line, n) => {
    const { checkpoint } = JSON.parse(line) as { checkpoint: string }
    if (!isSignedBy(checkpoint, key)) throw new Error(`${file}, line ${n + 1}: the witness did not sign it`)
    return parseCheckpoint(splitNote(checkpoint).text)
  })
  return checkpoints.filter((checkpoint) => checkpoint.origin === origin)
}

async function verify(args: string[]): Promise<number> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { 'log-key': { type: 'string' }, 'witness-key': { type: 'string' }, checkpoints: { type: 'string' } },
  })
  const [file] = positionals
  const { 'log-key': logKey, 'witness-key': witnessKey, checkpoints } = values
  if (!file || !logKey || positionals.length > 1 || !witnessKey !== !checkpoints) throw new Error(usage)
  const key = readKey(logKey)
  const witnessed = checkpoints ? readWitnessed(checkpoints, readKey(witnessKey!), key.name) : []
  const input = file === '-' ? process.stdin : createReadStream(file)
  // a file that can't be opened ends the lines without a word
  const failed = new Promise<never>((_resolve, reject) => input.once('error', reject))
  const report = await Promise.race([verifyExport(createInterface({ input }), key, witnessed), failed])
  const { events, omitted, retained, verified, problems } = report
  for (const problem of problems) console.log(problem)
  if (retained.length) console.log(`dropped after their retention, as the log says: events ${formatRanges(retained)}`)
  console.log(`${events} events and the hashes of ${omitted} more, ${report.checkpoints} checkpoints`)
  if (problems.length)
    console.log(verified ? `NOT VERIFIED; the checkpoint of ${verified.size} events holds` : 'NOT VERIFIED')
  else console.log(`verified: ${verified!.origin}, ${verified!.size} events, root ${verified!.root.toString('base64')}`)
  return problems.length ? 1 : 0
}

async function witness(args: string[]): Promise<number> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args,
    options: { key: text, name: text, 'log-key': { ...text, multiple: true }, store: text, port: text, address: text },
  })
  const { key, name, 'log-key': logKeys, store, port = '8010', address = '127.0.0.1' } = values
  if (!key || !name || !isKeyName(name) || !logKeys || !store) throw new Error(usage)
  const signer = { name, privateKey: createPrivateKey(readFileSync(key)) }
  const server = openWitness(signer, logKeys.map(readKey), store).listen(Number(port), address)
  await once(server, 'listening')
  console.log(`witness ${formatVerifier(verifierOf(signer, 'witness'))} on http://${address}:${port}`)
  process.once('SIGTERM', () => server.close()).once('SIGINT', () => server.close())
  await once(server, 'close')
  return 0
}

function key(args: string[]): number {
  const options = { name: { type: 'string' }, witness: { type: 'boolean' } } as const
  const { positionals, values } = parseArgs({ args, allowPositionals: true, options })
  const [file] = positionals
  const { name, witness } = values
  if (!file || !name || !isKeyName(name) || positionals.length > 1) throw new Error(usage)
  const signer = { name, privateKey: createPrivateKey(readFileSync(file)) }
  console.log(formatVerifier(verifierOf(signer, witness ? 'witness' : 'log')))
  return 0
}

async function newLog(): Promise<number> {
  // what only reads files needs no database
  const { runNewLog } = await import('./new-log.ts')
  console.log(await runNewLog())
  return 0
}

const commands = { verify, witness, key, 'new-log': newLog, 'dead-letters': deadLetters }
const [command, ...args] = process.argv.slice(2)
try {
  const run = commands[command as keyof typeof commands] as ((args: string[]) => number | Promise<number>) | undefined
  if (!run) throw new Error(usage)
  process.exitCode = await run(args)
} catch (error) {
  console.error(error instanceof UnreadableExport ? `not an export: ${error.message}` : (error as Error).message)
  process.exitCode = 2
}
