import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { isConsistent } from './log/merkle.ts'
import {
  cosign,
  formatVerifier,
  isSignedBy,
  parseCheckpoint,
  splitNote,
  verifierOf,
  type Checkpoint,
  type Signer,
  type Verifier,
} from './log/note.ts'

const maxBytes = 65_536
const maxProof = 63

/** An answer to the log: a status, and what C2SP tlog-witness says comes with it. */
interface Verdict {
  status: 200 | 400 | 403 | 404 | 409 | 422
  body: string
  type?: string
}
const verdict = (status: Verdict['status'], body: string, type?: string): Verdict => ({
  status,
  body: `${body}\n`,
  type,
})

/** What a log asks: the size that the witness should have seen last, the proof from there, and the new checkpoint. */
function parseRequest(body: string): { old: number; proof: Buffer[]; note: string } {
  const end = body.indexOf('\n\n')
  const [first, ...proof] = body.slice(0, end).split('\n')
  const [, old] = /^old (0|[1-9]\d{0,14})$/.exec(first ?? '') ?? []
  if (end < 0 || old === undefined || proof.length > maxProof)
    throw new Error('expected: old SIZE, proof lines, an empty line, a checkpoint')
  const hashes = proof.map((line) => Buffer.from(line, 'base64'))
  if (hashes.some((hash, n) => hash.length !== 32 || hash.toString('base64') !== proof[n]))
    throw new Error('a proof line is not a hash in base64')
  return { old: Number(old), proof: hashes, note: body.slice(end + 2) }
}

/**
 * Co-signs what grows consistently (C2SP tlog-witness), and remembers the last it signed of each log. Meant to run where
 * the operator of the log has no say: then nobody can take back or rewrite what it has seen.
 * @param file keeps every checkpoint that was signed, a line each, for `caregate-audit verify --checkpoints`
 */
export function openWitness(signer: Signer, logs: readonly Verifier[], file: string): Server {
  const seen = new Map<string, Checkpoint>()
  const kept = existsSync(file) ? readFileSync(file, 'utf8') : ''
  for (const line of kept.split('\n')) {
    // one that was cut off was never answered
    if (!line.endsWith('}')) continue
    const checkpoint = parseCheckpoint(splitNote((JSON.parse(line) as { checkpoint: string }).checkpoint).text)
    seen.set(checkpoint.origin, checkpoint)
  }
  const out = openSync(file, 'a', 0o600)
  if (kept && !kept.endsWith('\n')) writeSync(out, '\n')

  /** Between reading what was seen and writing what is seen now nothing else happens. */
  function judge(body: string): Verdict {
    let request: ReturnType<typeof parseRequest>
    let next: Checkpoint
    let log: Verifier | undefined
    try {
      request = parseRequest(body)
      next = parseCheckpoint(splitNote(request.note).text)
      log = logs.find(({ name }) => name === next.origin)
      if (!log) return verdict(404, 'unknown log')
      if (!isSignedBy(request.note, log)) return verdict(403, 'not signed by the log')
    } catch (error) {
      return verdict(400, (error as Error).message)
    }
    const { old, proof, note } = request
    if (old > next.size) return verdict(400, 'the old size is larger than the checkpoint')
    const last = seen.get(next.origin)
    if (old !== (last?.size ?? 0)) return verdict(409, String(last?.size ?? 0), 'text/x.tlog.size')
    if (last && old === next.size && !last.root.equals(next.root)) return verdict(409, String(old), 'text/x.tlog.size')
    if (!isConsistent(old, next.size, last?.root ?? next.root, next.root, proof))
      return verdict(422, 'the proof does not hold')
    const { text: signed } = splitNote(note)
    const line = cosign(signed, signer, new Date())
    writeSync(out, `${JSON.stringify({ checkpoint: `${signed}\n${line}` })}\n`)
    fsyncSync(out)
    seen.set(next.origin, next)
    return { status: 200, body: line }
  }

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const send = ({ status, body, type = 'text/plain; charset=utf-8' }: Omit<Verdict, 'status'> & { status: number }) =>
      void res.writeHead(status, { 'Content-Type': type }).end(body)
    if (req.method === 'GET' && req.url === '/key')
      return send({ status: 200, body: `${formatVerifier(verifierOf(signer, 'witness'))}\n` })
    if (req.method === 'GET' && req.url === '/checkpoints')
      return send({ status: 200, body: readFileSync(file, 'utf8'), type: 'application/x-ndjson' })
    if (req.method !== 'POST' || req.url !== '/add-checkpoint') return send({ status: 404, body: 'not found\n' })
    if (!(Number(req.headers['content-length']) <= maxBytes))
      return send({ status: 413, body: 'too large, or of no given length\n' })
    send(judge(await text(req)))
  }

  const server = createServer(
    { requestTimeout: 10_000 },
    (req, res) => void answer(req, res).catch(() => res.destroy()),
  )
  return server.on('close', () => closeSync(out))
}
