/** `npm run bench -- audit [PART…] [--full]`: what it costs to record, store and prove, beside peers in the same run. */
import { availableParallelism } from 'node:os'
import { conclude } from '../prove/load.ts'
import { insert } from './audit/insert.ts'
import { latency } from './audit/latency.ts'
import { openStage } from './audit/stage.ts'
import { proof } from './audit/proof.ts'
import { read } from './audit/read.ts'
import { throughput } from './audit/throughput.ts'
import { verify } from './audit/verify.ts'

const parts = { insert, throughput, latency, verify, proof, read }
type Part = keyof typeof parts

const given = process.argv.slice(2)
const full = given.includes('--full')
const named = given.filter((name) => name !== '--full')
if (named.some((name) => !Object.hasOwn(parts, name))) {
  console.error(`Usage: npm run bench -- audit [${Object.keys(parts).join('|')}]… [--full]`)
  process.exit(1)
}
const stage = await openStage()
const claims: Record<string, boolean> = {}
try {
  console.log(`\n${availableParallelism()} cores, shared by everything that is measured`)
  for (const name of (named.length ? named : Object.keys(parts)) as Part[]) {
    console.log(`\n## ${name}`)
    Object.assign(claims, await parts[name](stage, full))
  }
  conclude(claims, [])
} finally {
  await stage.close()
}
