import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, statSync } from 'node:fs'
import type { Progress } from '../progress.ts'
import type { Secrets } from '../state.ts'
import type { Supervisor } from '../supervisor.ts'

/** What every backing service is opened with. */
export interface BackingContext {
  /** The data folder. */
  folder: string
  env: NodeJS.ProcessEnv
  kind: 'docker' | 'native'
  secrets: Pick<Secrets, 'postgres' | 'rabbitmq' | 'rabbitmq_stream'>
  supervisor: Supervisor
  progress: Progress
  /** Who native services run as when we are root. */
  user: { uid: number; gid: number } | undefined
  /** Further virtual hosts of the broker, beside `/`. */
  vhosts: string[]
  /** Native services are asked by TLS alone then. PEM files that `user` can read, and nobody else may read the key. */
  tls?: { cert: string; key: string }
  /** Data that nobody will miss: durability is traded for speed. */
  disposable: boolean
}

/** A service's own folder in the data folder, readable by the service alone. */
export function serviceFolder({ folder, user }: Pick<BackingContext, 'folder' | 'user'>, name: string): string {
  const path = `${folder}/${name}`
  mkdirSync(path, { recursive: true })
  chmodSync(path, 0o700)
  if (user && statSync(path).uid !== user.uid) execFileSync('chown', ['-R', `${user.uid}:${user.gid}`, path])
  return path
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.')
}
