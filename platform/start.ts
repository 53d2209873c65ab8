import { containerPids } from './backing/docker.ts'
import { runTool } from './errors.ts'
import { startPlatform, type Platform } from './platform.ts'
import { memoryOf } from './processes.ts'
import { openProgress } from './progress.ts'
import { openDataFolder, readEnv } from './state.ts'

await runTool(async () => {
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // The guard ends what is left when this process is gone.
      if (stopping.signal.aborted) process.exit(1)
      stopping.abort()
    })
  }
  const progress = openProgress(process.stdout)
  const began = performance.now()
  const platform = await startPlatform({
    folder: openDataFolder(),
    env: readEnv(),
    ports: 'default',
    watch: process.argv.includes('--watch'),
    progress,
    signal: stopping.signal,
  }).finally(() => progress.close())
  const seconds = (performance.now() - began) / 1000
  console.log(report(platform, seconds, await memoryOfAll(platform)))

  await new Promise((resolve) => stopping.signal.addEventListener('abort', resolve, { once: true }))
  console.log('Stopping. Once more ends it at once.')
  await platform.close()
})

async function memoryOfAll({ supervisor }: Platform): Promise<number | undefined> {
  const containers = supervisor.list().flatMap(({ container }) => container ?? [])
  return memoryOf([process.pid, ...(await containerPids(containers))])
}

function report({ folder, info }: Platform, seconds: number, memory: number | undefined): string {
  const { gateway, services, metrics, backing, admin } = info
  const rows = {
    ...Object.fromEntries(Object.entries(services).map(([name, { url, pid }]) => [name, `${url}  pid ${pid}`])),
    ...Object.fromEntries(['console', 'docs', 'redoc', 'health'].map((page) => [page, `${gateway}/${page}`])),
    metrics: `${metrics}/metrics`,
    ...Object.fromEntries(Object.entries(backing).map(([name, url]) => [name, url && withoutPassword(url)])),
    'first admin': admin
      ? `${admin.email}  one-time password ${admin.password}`
      : 'is in the database from before; another one: npm run user -- add EMAIL --roles admin',
    data: folder,
    memory: memory && `${Math.round(memory / 2 ** 20)} MB in all, backing services included`,
  }
  const shown = Object.entries(rows).filter(([, value]) => value)
  const lines = shown.map(([name, value]) => `  ${name.padEnd(12)} ${value}`)
  return [`Caregate is up after ${seconds.toFixed(1)} s. Ctrl-C stops it.`, '', ...lines, ''].join('\n')
}

function withoutPassword(text: string): string {
  const url = new URL(text)
  url.password = ''
  return url.href
}
