/**
 * `npm run prove -- NAME [ARGUMENTS]`: shows a claim on a running platform of its own, and prints the figures.
 * `npm run prove [-- SEED]`: all claims, and docs/proofs.md. `npm run prove -- short [SEED]`: less of each.
 */
import { randomInt } from 'node:crypto'
import { proofs } from './proofs.ts'

const [name] = process.argv.splice(2, 1)
if (name !== undefined && Object.hasOwn(proofs, name)) {
  await import(`./${name}.ts`)
} else {
  const short = name === 'short'
  const seed = Number((short ? process.argv[2] : name) ?? randomInt(2 ** 31))
  if (Number.isNaN(seed)) {
    console.error(`Usage: npm run prove [-- [short] [SEED]], or npm run prove -- ${Object.keys(proofs).join('|')}`)
    process.exit(1)
  }
  const { proveAll } = await import('./all.ts')
  await proveAll(seed, short)
}
