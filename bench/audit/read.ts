import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../platform/processes.ts'
import { processEnvironment, processSpec, type Ports } from '../../platform/services.ts'
import { ROOT } from '../../platform/state.ts'
import { cpuOf, median, spread } from '../figures.ts'
import { openClients } from './http.ts'
import type { Stage } from './stage.ts'

const targets = { cpu: 1.3, added: 3 }
const connections = 16
const blocks = 5
/** So few reads at a time that what disturbs the machine disturbs both alike. */
const turns = 60
const reads = 400
/** Until what was recorded has been passed on, too. */
const relayMs = 500

const variants = {
  audited: join(ROOT, 'services/patients/src/main.ts'),
  unaudited: join(import.meta.dirname, 'unaudited.ts'),
}
type Variant = keyof typeof variants
const names = Object.keys(variants) as Variant[]

/** Charts read from the patients service; beside the same service that records nothing. */
export async function read(stage: Stage): Promise<Record<string, boolean>> {
  const token = await stage.token(['clinician'])
  const client = openClients(stage.portOf('patients'), token, connections)
  const paths: string[] = []
  for (let n = 0; n < 200; n++) {
    const body = { name: { given: ['Ada'], family: `Bench ${n}` }, birthDate: '1975-12-10', sex: 'female' }
    paths.push(
      `/patients/${(JSON.parse((await client.send('POST', '/patients?force=true', body)).body) as { id: string }).id}`,
    )
  }
  client.close()
  const asked = Array.from({ length: reads }, (_none, n) => paths[n % paths.length]!)
  const cpu: Record<Variant, number[]> = { audited: [], unaudited: [] }
  const p50: Record<Variant, number[]> = { audited: [], unaudited: [] }

  // each in a fresh process: how its code was compiled is luck that lasts as long as the process
  for (let block = 0; block < blocks; block++) {
    const running = await Promise.all(names.map((name) => start(stage, name, block, token)))
    const times: Record<Variant, number[]> = { audited: [], unaudited: [] }
    const take = async (count: number) => {
      for (let turn = 0; turn < count; turn++)
        for (const { name, clients } of turn % 2 ? running : running.toReversed())
          times[name].push(...(await clients.getMany(asked)))
      await sleep(relayMs)
    }
    await take(10)
    for (const name of names) times[name] = []
    const used = running.map(({ pid }) => cpuOf(pid))
    await take(turns)
    for (const [n, { name, id, pid, clients }] of running.entries()) {
      cpu[name].push(((cpuOf(pid) - used[n]!) / (turns * reads)) * 1e6)
      p50[name].push(median(times[name]))
      clients.close()
      await stage.supervisor.stop(id)
    }
  }

  const ratios = cpu.audited.map((one, n) => one / cpu.unaudited[n]!)
  const added = p50.audited.map((one, n) => one - p50.unaudited[n]!)
  console.log(
    `\n${blocks} pairs of processes, ${turns} times ${reads} reads of each in turn, by ${connections} connections\n`,
  )
  for (const name of names)
    console.log(`${name.padEnd(10)} CPU ${spread(cpu[name], 0)} µs   p50 ${spread(p50[name], 1)} ms`)
  return {
    [`an audited read costs ${spread(ratios)} × the CPU of one that isn’t (median; at most ${targets.cpu})`]:
      median(ratios) <= targets.cpu,
    [`and takes ${spread(added)} ms more at the median (at most ${targets.added})`]: median(added) <= targets.added,
  }
}

/** A further process of the service. */
async function start({ info, env, secrets, supervisor, portOf }: Stage, name: Variant, block: number, token: string) {
  const port = await freePort()
  const ports = { ...Object.fromEntries(Object.keys(info.services).map((one) => [one, portOf(one)])), patients: port }
  const environment = processEnvironment('patients', { env, secrets, ports: ports as Ports, backing: info.backing })
  const id = `${name}-${block}`
  const spec = { ...processSpec('patients', environment, false), name: id, command: [process.execPath, variants[name]] }
  await supervisor.start(spec)
  const isReady = async () => (await fetch(`http://127.0.0.1:${port}/health/ready`)).ok
  await supervisor.waitUntil(id, isReady, 30)
  return { name, id, pid: supervisor.pid(id)!, clients: openClients(port, token, connections) }
}
