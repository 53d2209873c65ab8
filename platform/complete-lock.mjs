/**
 * `npm run lock`: `npm install`, and then entries for the optional packages of other systems that npm left out of the
 * lockfile because this machine's registry has not got them: `npm ci` elsewhere refuses a lockfile without them.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const file = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(file, 'utf8'))
const installed = new Set(Object.keys(lock.packages).map((path) => path.replace(/^.*node_modules\//, '')))
const system = /-(android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)(?:-([a-z0-9]+))?/

for (const { dev, optionalDependencies = {} } of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (installed.has(name) || !/^\d/.test(version)) continue
    const [, os, cpu] = system.exec(name) ?? []
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(dev && { dev }),
      cpu: [cpu ?? 'wasm32'],
      optional: true,
      ...(os && { os: [os] }),
    }
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
