/** Compares a password with its hash, as many times at once as there are cores: how often a second, and with how many cores. */
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

interface Bcrypt {
  hash(password: string, cost: number): Promise<string>
  compare(password: string, hash: string): Promise<boolean>
}

const [costGiven, secondsGiven] = process.argv.slice(2)
const services = join(import.meta.dirname, '../../services/auth/package.json')
const bcrypt = createRequire(services)('bcrypt') as Bcrypt
const hash = await bcrypt.hash('a password', Number(costGiven))
const until = performance.now() + Number(secondsGiven) * 1000
let done = 0
let last = performance.now()
const from = last
const used = process.cpuUsage()

async function work(): Promise<void> {
  while (performance.now() < until) {
    await bcrypt.compare('a password', hash)
    done += 1
    last = performance.now()
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, work))
const { user, system } = process.cpuUsage(used)
const rate = (done / (last - from)) * 1000
console.log(JSON.stringify({ rate, cores: (user + system) / 1000 / (last - from) }))
