/** `npm run advisories`: asks the registry what is known against the packages that are installed. */
import { execFile } from 'node:child_process'
import { runTool, PlatformError } from './errors.ts'
import { ROOT } from './state.ts'

interface Audit {
  vulnerabilities?: Record<string, { name: string; severity: string; range: string; fixAvailable: unknown }>
  error?: { summary?: string; detail?: string }
  message?: string
}

/** Whatever npm's exit code says, it tells in JSON what there is. */
const audit = (): Promise<Audit> =>
  new Promise((resolve, reject) => {
    execFile('npm', ['audit', '--json'], { cwd: ROOT, maxBuffer: 2 ** 26 }, (error, stdout) => {
      try {
        resolve(JSON.parse(stdout) as Audit)
      } catch {
        reject(error ?? new PlatformError(`npm audit says nothing that can be read: ${stdout.slice(0, 200)}`))
      }
    })
  })

await runTool(async () => {
  const { vulnerabilities, error, message } = await audit()
  if (!vulnerabilities) {
    console.error(
      `Not checked: the registry doesn't answer this question (${message ?? error?.summary ?? 'no reason given'}).`,
    )
    process.exitCode = 2
    return
  }
  const found = Object.values(vulnerabilities)
  for (const { name, severity, range, fixAvailable } of found)
    console.log(`${severity.padEnd(8)} ${name} ${range}${fixAvailable ? ', mended in a later one' : ''}`)
  console.log(found.length ? `${found.length} packages are concerned` : 'nothing is known against any package')
  process.exitCode = found.length ? 1 : 0
})
