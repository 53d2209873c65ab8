/** Under which licences packages may come in. */
import { isForLinux, isPackage, nameOf, readLockfile, type Lockfile } from './lockfile.ts'

/** They ask for their notice to be kept, or for nothing. */
const permissive = ['0BSD', 'Apache-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'MIT-0']

/** One by one, and why. */
const others: Record<string, string[]> = {
  'Python-2.0': ['argparse'], // permissive
  'PSF-2.0': ['argparse'], // the same, by its new name
  Unlicense: ['tweetnacl'], // the public domain
  'CC0-1.0': ['railroad-diagrams'], // the public domain
  '(MIT OR CC0-1.0)': ['type-fest'], // MIT
  '(MPL-2.0 OR Apache-2.0)': ['dompurify'], // Apache-2.0
  // files under it stay under it when they are changed: we change none, and ship none
  'MPL-2.0': ['axe-core', 'lightningcss', 'lightningcss-linux-x64-gnu', 'lightningcss-linux-x64-musl'],
  'CC-BY-4.0': ['caniuse-lite'], // data that the build of the console reads
}

/** What the package's licence file says where its package.json doesn't, or not in the words of SPDX; read for that version. */
const readByHand: Record<string, string> = {
  'buildcheck@0.0.7': 'MIT',
  'cpu-features@0.0.10': 'MIT',
  'decko@1.2.0': 'MIT',
  'ssh2@1.17.0': 'MIT',
  'stickyfill@1.1.1': 'MIT',
  'url-template@2.0.8': 'BSD-3-Clause',
}

/** @returns a line for each package whose licence is unknown or not allowed */
export function checkLicences(root: string, lock: Lockfile = readLockfile(root)): string[] {
  return Object.entries(lock).flatMap(([path, locked]) => {
    if (!isPackage(path) || locked.link || !isForLinux(locked)) return []
    const name = nameOf(path)
    const licence = readByHand[`${name}@${locked.version}`] ?? locked.license ?? 'none'
    const allowed = permissive.includes(licence) || others[licence]?.includes(name)
    return allowed ? [] : [`${path}: its licence, ${licence}, is not among those allowed`]
  })
}
