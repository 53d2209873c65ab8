import { execFile } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { exportFormat } from '../../services/audit/src/log/entry.ts'
import { append, hashLeaf, rootOf, type Frontier } from '../../services/audit/src/log/merkle.ts'
import { formatCheckpoint, formatVerifier, signNote, verifierOf } from '../../services/audit/src/log/note.ts'
import { ROOT } from '../../platform/state.ts'
import { median, spread } from '../figures.ts'
import { arrive, rowsOf } from './events.ts'
import type { Stage } from './stage.ts'

const target = 30
const million = 1_000_000
const checkpointEvery = 1000
const rounds = 3

/** `caregate-audit verify` of an export, as a process; beside one that does no more than parse its lines and hash them. */
export async function verify(stage: Stage, full: boolean): Promise<Record<string, boolean>> {
  const count = full ? million : 200_000
  const file = join(stage.folder, 'export.ndjson')
  await writeExport(file, stage, count)
  const key = formatVerifier(verifierOf(stage.signer, 'log'))
  const commands = {
    bare: [join(import.meta.dirname, 'parse.ts'), file],
    verify: [join(ROOT, 'services/audit/src/cli.ts'), 'verify', file, '--log-key', key],
  }
  const times = { bare: [] as number[], verify: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 ? (['bare', 'verify'] as const) : (['verify', 'bare'] as const)) {
      const from = performance.now()
      // an exit code other than 0 throws
      await promisify(execFile)(process.execPath, commands[name])
      times[name].push((((performance.now() - from) / 1000) * million) / count)
    }
  }
  const ratios = times.verify.map((time, round) => time / times.bare[round]!)
  console.log(`\n${count} events, ${rounds} rounds; seconds for a million\n`)
  console.log(`parse and hash each line   ${spread(times.bare, 1)}`)
  console.log(`caregate-audit verify      ${spread(times.verify, 1)}   ${spread(ratios)} × that`)
  return {
    [`a million events are verified in ${spread(times.verify, 1)} s (median; at most ${target})`]:
      median(times.verify) <= target,
  }
}

/** As the service writes it. */
async function writeExport(file: string, { signer }: Stage, count: number): Promise<void> {
  const out = createWriteStream(file)
  out.write(`${JSON.stringify({ format: exportFormat, filter: {} })}\n`)
  let tree: Frontier = { size: 0, roots: [] }
  while (tree.size < count) {
    const lines = rowsOf(arrive(checkpointEvery), tree.size + 1).map(({ entry }) => {
      const leaf = hashLeaf(Buffer.from(entry))
      tree = append(tree, leaf)
      return `${entry.slice(0, -1)},"leafHash":"${leaf.toString('base64')}"}\n`
    })
    const text = formatCheckpoint({ origin: signer.name, size: tree.size, root: rootOf(tree) })
    lines.push(`${JSON.stringify({ checkpoint: signNote(text, signer) })}\n`)
    if (!out.write(lines.join(''))) await once(out, 'drain')
  }
  out.end()
  await once(out, 'finish')
}
