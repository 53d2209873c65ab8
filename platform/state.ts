import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SERVICES } from '@caregate/common/services'
import { PlatformError } from './errors.ts'
import { notedProcess, noteProcess } from './processes.ts'

export const ROOT = resolve(import.meta.dirname, '..')

export interface PlatformInfo {
  gateway: string
  services: Record<string, { url: string; pid: number | null }>
  /** The gateway's metrics, which have a port of their own; a service's are at its own. */
  metrics: string
  /** `stream`: who may only read what was stored. Null where the broker is somebody else's. */
  backing: { postgres: string; amqp: string; stream: string | null; consul: string | null; redis: string | null }
  admin: { email: string; password: string } | null
}

/** The user that backing services run as: Postgres refuses root, and none of them needs it. Undefined when not root. */
export function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const nobody = readFileSync('/etc/passwd', 'utf8').match(/^nobody:[^:]*:(\d+):(\d+):/m)
  if (!nobody) throw new PlatformError('The user nobody is missing: run as another user than root.')
  return { uid: Number(nobody[1]), gid: Number(nobody[2]) }
}

/** Whether every user may pass through all folders on the way to `path`. */
export function isTraversable(path: string): boolean {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    if (existsSync(folder) && (statSync(folder).mode & 0o001) === 0) return false
    if (folder === dirname(folder)) return true
  }
}

/**
 * The checkout's data folder `.caregate`. As root under a folder that the backing services' user can't pass,
 * it stands in /var/lib and `.caregate` links to it.
 */
export function openDataFolder(checkout = ROOT): string {
  const link = join(checkout, '.caregate')
  const linked = lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
  let folder = link
  if (linked) folder = readlinkSync(link)
  else if (!existsSync(link) && unprivilegedUser() && !isTraversable(checkout)) {
    const hash = createHash('sha256').update(realpathSync(checkout)).digest('hex').slice(0, 12)
    folder = join('/var/lib/caregate', hash)
    symlinkSync(folder, link)
  }
  return makeFolder(folder)
}

/** Programs that were fetched once; they outlive the data and serve every instance of this checkout. */
export const openToolsFolder = () => makeFolder(join(openDataFolder(), 'tools'))

/** Makes a folder that only its owner can list, but that the unprivileged user can pass to reach its own. */
export function makeFolder(folder: string): string {
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, unprivilegedUser() ? 0o711 : 0o700)
  return folder
}

/** Settings that the launcher decides about: a process gets what it may know, never the launcher's own. */
export const LAUNCHER_KEYS = [
  'DATABASE_URL',
  'DATABASE_OWNER_URL',
  'SECRET_KEY',
  'SECRET_KEY_PREVIOUS',
  'SMTP_URL',
  'CURSOR_KEY',
  'FIELD_KEY',
  'FIELD_KEY_PREVIOUS',
  'AUDIT_SIGNING_KEY',
  'AMQP_URL',
  'PORT',
]

/**
 * The checkout's `.env` under the process's own environment; what is empty in the file counts as unset. What the
 * launcher decides about is read here from the file that `<KEY>_FILE` names.
 */
export function readEnv(checkout = ROOT, own: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const file = join(checkout, '.env')
  const env = existsSync(file) ? { ...parseEnvFile(readFileSync(file, 'utf8')), ...own } : { ...own }
  for (const key of LAUNCHER_KEYS) {
    const { [`${key}_FILE`]: path } = env
    delete env[`${key}_FILE`]
    if (!path || env[key]) continue
    try {
      env[key] = readFileSync(path, 'utf8').trim()
    } catch (error) {
      throw new PlatformError(`${key}_FILE can't be read: ${(error as NodeJS.ErrnoException).code}.`)
    }
  }
  return env
}

/** Unlike Node's own parser, a `#` begins a comment only after a space: keys and passwords may hold one. */
function parseEnvFile(text: string): Record<string, string> {
  const values: Record<string, string> = {}
  for (const line of text.split(/\r?\n/)) {
    const found = /^\s*(?:export\s+)?(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)'|(.*?))(?:\s+#.*)?\s*$/.exec(line)
    const [, name, ...alternatives] = found ?? []
    const value = alternatives.find((candidate) => candidate !== undefined)
    if (name && value && !value.startsWith('#')) values[name] = value
  }
  return values
}

export function writePrivately(file: string, value: unknown): void {
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 })
  renameSync(draft, file)
}

function readJson<T>(file: string): T | undefined {
  if (!existsSync(file)) return undefined
  return JSON.parse(readFileSync(file, 'utf8')) as T
}

export type Secrets = ReturnType<typeof openSecrets>

const KEYS = ['SECRET_KEY', 'CURSOR_KEY', 'FIELD_KEY'] as const
const PASSWORDS = [
  'postgres',
  'rabbitmq',
  'rabbitmq_stream',
  ...(['gateway', ...SERVICES] as const).map((name) => `rabbitmq_${name}` as const),
  'redis',
  ...SERVICES.flatMap((service) => [`caregate_${service}`, `caregate_${service}_owner`] as const),
] as const

const newSigningKey = () => generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }) as string

/** Keys and passwords, made at first use and kept beside the data that they protect. */
export function openSecrets(folder: string) {
  const file = join(folder, 'secrets.json')
  const kept = readJson<Record<string, string>>(file) ?? {}
  const made = {
    ...(Object.fromEntries(KEYS.map((name) => [name, randomBytes(48).toString('base64')])) as Values<typeof KEYS>),
    AUDIT_SIGNING_KEY: newSigningKey(),
    WITNESS_SIGNING_KEY: newSigningKey(),
    ...(Object.fromEntries(PASSWORDS.map((name) => [name, randomBytes(24).toString('base64url')])) as Values<
      typeof PASSWORDS
    >),
  }
  const secrets = { ...made, ...kept }
  if (Object.keys(secrets).length > Object.keys(kept).length) writePrivately(file, secrets)
  return secrets
}
type Values<Names extends readonly string[]> = Record<Names[number], string>

const infoFile = (folder: string) => join(folder, 'platform.json')
const lockFile = (folder: string) => join(folder, 'launcher.json')

/** The launcher that holds this data folder, if one lives. */
export const launcherPid = (folder: string) => notedProcess(lockFile(folder))

/** Takes the data folder for this process; says who has it otherwise. */
export async function lockDataFolder(folder: string): Promise<{ release(): void }> {
  const holder = launcherPid(folder)
  if (holder !== undefined) {
    const where = readInfo(folder)?.gateway ?? 'still starting'
    throw new PlatformError(`Caregate runs already: pid ${holder}, ${where}. \`npm run stop\` ends it.`)
  }
  const release = () => {
    rmSync(infoFile(folder), { force: true })
    rmSync(lockFile(folder), { force: true })
  }
  release()
  noteProcess(lockFile(folder), process.pid)
  // After a launcher that was killed, its guard may still be ending what it left.
  while (notedProcess(join(folder, 'guard.json')) !== undefined) await sleep(100)
  return { release }
}

/** What the running platform wrote about itself; undefined while none is up. */
export function readInfo(folder: string): PlatformInfo | undefined {
  return launcherPid(folder) === undefined ? undefined : readJson<PlatformInfo>(infoFile(folder))
}

export function writeInfo(folder: string, info: PlatformInfo): void {
  writePrivately(infoFile(folder), info)
}

const adminFile = (folder: string) => join(folder, 'admin.json')

/** The first admin as once issued: there is no other place to read the one-time password again. */
export const readAdmin = (folder: string) => readJson<NonNullable<PlatformInfo['admin']>>(adminFile(folder))
export const writeAdmin = (folder: string, admin: PlatformInfo['admin']) => writePrivately(adminFile(folder), admin)
