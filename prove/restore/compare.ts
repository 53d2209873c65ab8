/** What there is after a restore, beside what was answered before. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../platform/state.ts'
import { hashOf, type Write } from './writers.ts'

export const as = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

/** Of each chart that was written to the version that is there now, 0 where there is none, and whether it is as it was answered. */
export async function readCharts(gateway: string, token: string, writes: readonly Write[]) {
  const versions = new Map<string, number>()
  let same = 0
  const different: string[] = []
  const hashes = new Map(writes.map(({ chartId, version, hash }) => [`${chartId} ${version}`, hash]))
  for (const id of new Set(writes.map(({ chartId }) => chartId))) {
    const answer = await fetch(`${gateway}/api/v1/patients/${id}`, as(token))
    const chart = (await answer.json()) as { version: number }
    versions.set(id, answer.ok ? chart.version : 0)
    // none: asked for when the backup was made, done, and never answered
    const hash = hashes.get(`${id} ${chart.version}`)
    if (!answer.ok || !hash) continue
    if (hash === hashOf(chart)) same += 1
    else different.push(id)
  }
  return { versions, same, different }
}

interface Verified {
  code: number
  said: string
  /** Of the requests that the log has events of. */
  requestIds: Set<string>
}

/** Exports all of the log to a file, and has `caregate-audit verify` look at it. */
export async function verifyExport(gateway: string, token: string, file: string, keys: string[]): Promise<Verified> {
  const answer = await fetch(`${gateway}/api/v1/audit/export`, as(token))
  if (!answer.ok) throw new Error(`the export was answered with ${answer.status}`)
  const exported = await answer.text()
  writeFileSync(file, exported)
  const requestIds = new Set([...exported.matchAll(/"request":\{[^}]*?"id":"([^"]+)"/g)].map(([, id]) => id!))
  const args = [join(ROOT, 'services/audit/src/cli.ts'), 'verify', file, ...keys]
  return new Promise((resolve) =>
    execFile(process.execPath, args, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, said: (stdout + stderr).trim(), requestIds }),
    ),
  )
}
