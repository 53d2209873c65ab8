import Joi from 'joi'
import type { Database } from '@caregate/common/database'
import { invalid, notFound } from '@caregate/common/errors'
import { route, type Route } from '@caregate/common/route'
import { nothing, type Schema } from '@caregate/common/validate'
import type { Hash } from '../log/merkle.ts'
import { formatVerifier, verifierOf, type Signer } from '../log/note.ts'
import { consistencyProof, inclusionProof, tileWidth } from '../tree.ts'
import { findWitnessed, getHead, readHashes } from '../repository.ts'

export interface ProofDeps {
  db: Pick<Database, 'manager'>
  signer: Signer
}

const largest = 2 ** 52
const sizeField = (): Joi.NumberSchema => Joi.number().integer().min(1).max(largest)
const inclusionQuery: Schema<{ sequence: number; size?: number }> = Joi.object({
  sequence: sizeField().required().description('Of the event'),
  size: sizeField().description('Of the tree; of the newest checkpoint if absent'),
})
const consistencyQuery: Schema<{ from: number; to?: number }> = Joi.object({
  from: sizeField().required().description('Size of the older tree'),
  to: sizeField().description('Size of the newer tree; of the newest checkpoint if absent'),
})
const checkpointQuery: Schema<{ witnessed: boolean }> = Joi.object({ witnessed: Joi.boolean().default(false) })
export const proofAnswer: Schema<unknown> = Joi.object({
  treeSize: sizeField().required(),
  hashes: Joi.array().items(Joi.string().base64()).required(),
})
const tileParams: Schema<{ level: number; tile: string[] }> = Joi.object({
  level: Joi.number().integer().min(0).max(6).required(),
  tile: Joi.array().items(Joi.string()).required().description('x001/x234/067, or 067.p/112'),
})
const proofEvent = { type: 'audit.proof.read', action: 'R' } as const

export function proofRoutes({ db, signer }: ProofDeps): Route[] {
  const key = formatVerifier(verifierOf(signer, 'log'))

  /** @throws {AppError} 422 when the log is not that long */
  async function checkSize(path: string, size: number | undefined): Promise<number> {
    const head = await getHead(db.manager)
    if (size !== undefined && size > head.size)
      throw invalid({ path, message: `${path} must be at most ${head.size}, the size of the log` })
    return size ?? head.size
  }
  const answerProof = (treeSize: number, hashes: readonly Hash[]) => ({
    body: { treeSize, hashes: hashes.map((hash) => hash.toString('base64')) },
  })

  return [
    route({
      method: 'get',
      path: '/audit/checkpoint',
      summary: 'The signed head of the log (C2SP tlog-checkpoint), or the newest that a witness has signed too',
      policy: 'public',
      event: null,
      params: nothing,
      query: checkpointQuery,
      body: nothing,
      answer: { status: 200, description: 'A signed note', type: 'text/plain; charset=utf-8' },
      errors: ['not_found'],
      async handle({ query: { witnessed } }) {
        const body = witnessed ? await findWitnessed(db.manager) : (await getHead(db.manager)).note
        if (body === undefined) throw notFound('checkpoint with a witness’s signature')
        return { body }
      },
    }),
    route({
      method: 'get',
      path: '/audit/key',
      summary: 'The key that the log’s checkpoints are verified with (C2SP signed-note)',
      policy: 'public',
      event: null,
      params: nothing,
      query: nothing,
      body: nothing,
      answer: { status: 200, description: 'name+id+key', type: 'text/plain; charset=utf-8' },
      errors: [],
      handle: async () => ({ body: `${key}\n` }),
    }),
    route({
      method: 'get',
      path: '/audit/proof/inclusion',
      summary: 'That an event is in the log (RFC 6962, 2.1.1)',
      policy: ['auditor'],
      event: proofEvent,
      params: nothing,
      query: inclusionQuery,
      body: nothing,
      answer: { status: 200, description: 'Hashes from the leaf to the root', schema: proofAnswer },
      errors: [],
      async handle({ query: { sequence, size: asked } }) {
        const size = await checkSize('size', asked)
        if (sequence > size) throw invalid({ path: 'sequence', message: `sequence must be at most ${size}` })
        return answerProof(size, await inclusionProof(db.manager, sequence, size))
      },
    }),
    route({
      method: 'get',
      path: '/audit/proof/consistency',
      summary: 'That the log only grew (RFC 6962, 2.1.2)',
      policy: ['auditor'],
      event: proofEvent,
      params: nothing,
      query: consistencyQuery,
      body: nothing,
      answer: { status: 200, description: 'The proof', schema: proofAnswer },
      errors: [],
      async handle({ query: { from, to: asked } }) {
        const to = await checkSize('to', asked)
        if (from > to) throw invalid({ path: 'from', message: `from must be at most ${to}` })
        return answerProof(to, await consistencyProof(db.manager, from, to))
      },
    }),
    route({
      method: 'get',
      path: '/audit/tile/{level}/{tile*}',
      summary: 'A tile of the tree (C2SP tlog-tiles): up to 256 hashes of 32 bytes',
      policy: ['auditor'],
      event: proofEvent,
      params: tileParams,
      query: nothing,
      body: nothing,
      answer: { status: 200, description: 'The hashes', type: 'application/octet-stream' },
      errors: ['not_found'],
      async handle({ params: { level, tile } }) {
        const [index, width] = parseTile(tile.join('/'))
        const { size } = await getHead(db.manager)
        const start = index * tileWidth
        // only what a checkpoint covers
        if (start + width > Math.floor(size / tileWidth ** level)) throw notFound('tile')
        const [hashes] = await readHashes(db.manager, [{ tier: level, from: start, to: start + width }])
        return { body: Buffer.concat(hashes!) }
      },
    }),
  ]
}

/** `x001/x234/067` is number 1234067, `.p/112` says that 112 hashes are asked for. @throws {AppError} 404 */
function parseTile(path: string): [index: number, width: number] {
  const [, index, width = String(tileWidth)] = /^((?:x\d{3}\/){0,4}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path) ?? []
  if (!index || Number(width) > tileWidth || /^x000\//.test(index)) throw notFound('tile')
  return [Number(index.replaceAll(/[x/]/g, '')), Number(width)]
}
