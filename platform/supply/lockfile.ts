/** What may be installed: package-lock.json, held to what the package.json files ask for and to what may run at installation. */
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { join } from 'node:path'

const dependencyFields = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const

type Dependencies = Partial<Record<(typeof dependencyFields)[number], Record<string, string>>>
interface Manifest extends Dependencies {
  allowScripts?: Record<string, boolean>
}
export interface Locked extends Dependencies {
  version?: string
  license?: string
  integrity?: string
  resolved?: string
  link?: boolean
  /** It comes in the package that it is below, and has no hash but that one's. */
  inBundle?: boolean
  dev?: boolean
  optional?: boolean
  hasInstallScript?: boolean
  os?: string[]
  cpu?: string[]
}
/** By the folder each is installed to; what is not below a `node_modules` is the project's own. */
export type Lockfile = Record<string, Locked>

export const readLockfile = (root: string): Lockfile =>
  (JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Lockfile }).packages

export const isPackage = (path: string): boolean => path.includes('node_modules/')
export const nameOf = (path: string): string => path.replace(/^.*node_modules\//, '')

/** Whether it is installed where images are built and checks run. Npm's registries may lack what is for other systems. */
export const isForLinux = ({ os = [], cpu = [] }: Locked): boolean => names(os, 'linux') && names(cpu, 'x64')
const names = (list: string[], wanted: string) =>
  list.includes(wanted) || (list.every((name) => name.startsWith('!')) && !list.includes(`!${wanted}`))

/** @returns a line for each thing that is wrong */
export function checkLockfile(root: string, lock: Lockfile = readLockfile(root)): string[] {
  const read = (folder: string) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest
  const { allowScripts = {} } = read('.')
  const own = Object.entries(lock).filter(([path]) => !isPackage(path))
  const packages = Object.entries(lock).filter(([path, { link }]) => isPackage(path) && !link)
  const scripted = new Set(
    packages.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => nameOf(path)),
  )
  return [
    ...own.flatMap(([folder, locked]) => {
      const asked = read(folder)
      return dependencyFields
        .filter((field) => !isDeepStrictEqual(asked[field] ?? {}, locked[field] ?? {}))
        .map((field) => `${join(folder, 'package.json')}: the lockfile has other ${field}: npm run lock`)
    }),
    ...packages.flatMap(([path, locked]) => [
      ...(locked.resolved ? [`${path}: names a host, ${locked.resolved}`] : []),
      ...(isForLinux(locked) && !locked.inBundle && !isSha512(locked.integrity)
        ? [`${path}: no sha512 of what is installed`]
        : []),
      ...(locked.hasInstallScript && isForLinux(locked) && !(nameOf(path) in allowScripts)
        ? [`${path}: has an install script, about which allowScripts says nothing`]
        : []),
    ]),
    ...Object.keys(allowScripts)
      .filter((name) => !scripted.has(name))
      .map((name) => `allowScripts: ${name} has no install script, or isn't installed`),
  ]
}

const isSha512 = (integrity = '') => /^sha512-[\w+/]{86}==$/.test(integrity)
