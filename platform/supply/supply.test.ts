import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { generateKeyPairSync } from 'node:crypto'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { ROOT } from '../state.ts'
import { checkLicences } from './licences.ts'
import { checkLockfile, isPackage, readLockfile, type Locked } from './lockfile.ts'
import { checkSecrets } from './secrets.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caregate-supply-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const lock = readLockfile(ROOT)

/** The lockfile, with another entry for one package. */
const withEntry = (name: string, change: Partial<Locked>) => ({
  ...lock,
  [`node_modules/${name}`]: { ...lock[`node_modules/${name}`], ...change },
})

describe('the lockfile', () => {
  test('is as it should be', () => expect(checkLockfile(ROOT)).toEqual([]))

  test.each([
    ['a host that is named', { resolved: 'https://packages.example/express.tgz' }, 'names a host'],
    ['no hash', { integrity: undefined }, 'no sha512'],
    ['a weak hash', { integrity: 'sha1-XvX48E0BIqIWBZ5BV1BLbFGmbVM=' }, 'no sha512'],
    ['an install script that nobody has allowed', { hasInstallScript: true }, 'allowScripts says nothing'],
  ])('%s is found', (_what, change, said) => {
    expect(checkLockfile(ROOT, withEntry('express', change as Partial<Locked>))).toEqual([
      expect.stringMatching(`^node_modules/express: .*${said}`),
    ])
  })

  test('a package that has been hung in below another is looked at too', () => {
    const nested = { ...lock, 'node_modules/express/node_modules/evil': { version: '1.0.0', hasInstallScript: true } }
    expect(checkLockfile(ROOT, nested)).toHaveLength(2)
  })

  test('what package.json asks for and the lockfile doesn’t have is found, in each workspace', () => {
    for (const path of Object.keys(lock).filter((path) => !isPackage(path))) {
      mkdirSync(join(folder, path), { recursive: true })
      cpSync(join(ROOT, path, 'package.json'), join(folder, path, 'package.json'))
    }
    expect(checkLockfile(folder, lock)).toEqual([])
    for (const path of ['package.json', 'services/auth/package.json']) {
      const manifest = JSON.parse(readFileSync(join(folder, path), 'utf8')) as { dependencies: object }
      manifest.dependencies = { ...manifest.dependencies, joi: '^1.0.0' }
      writeFileSync(join(folder, path), JSON.stringify(manifest))
    }
    expect(checkLockfile(folder, lock)).toEqual([
      'package.json: the lockfile has other dependencies: npm run lock',
      'services/auth/package.json: the lockfile has other dependencies: npm run lock',
    ])
  })

  test('a permission for a package that is gone is found', () => {
    const without = Object.fromEntries(Object.entries(lock).filter(([path]) => path !== 'node_modules/bcrypt'))
    expect(checkLockfile(ROOT, without)).toEqual(["allowScripts: bcrypt has no install script, or isn't installed"])
  })
})

describe('licences', () => {
  test('are those allowed', () => expect(checkLicences(ROOT)).toEqual([]))

  test.each(['AGPL-3.0-only', 'MPL-2.0', 'BSD', undefined])(
    '%s is not, of a package that nobody has looked at',
    (license) => {
      expect(checkLicences(ROOT, withEntry('express', { license: license }))).toEqual([
        `node_modules/express: its licence, ${license ?? 'none'}, is not among those allowed`,
      ])
    },
  )
})

describe('secrets', () => {
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', '-c', 'init.defaultBranch=main', ...args], {
      cwd: folder,
      stdio: 'pipe',
    })
  function write(path: string, text: string) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const pem = () => generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }) as string

  beforeEach(() => {
    git('init', '-q')
    write('README.md', 'postgresql is a database\n')
    git('add', '.')
    git('commit', '-qm', 'first')
  })

  test('of a clean repository nothing is said', async () => expect(await checkSecrets(folder)).toEqual([]))

  // put together here: this file is looked through as well
  test.each([
    ['a private key', 'src/a.ts', () => pem(), 'a private key'],
    ['one in JSON', 'a.json', () => JSON.stringify({ key: pem() }), 'a private key'],
    ['one that a comment excuses', 'src/a.ts', () => `// secretlint-disable\n${pem()}`, 'a private key'],
    ['a database’s password', 'a.yaml', () => `url: postgresql://care:${'Tr0ub4dor'}@db.example:5432/x`, 'database'],
    ['an identity of backups', 'a.txt', () => `AGE-SECRET-KEY-1${'Q'.repeat(58)}`, 'opens backups'],
    ['a key of the platform', 'k8s/secret.yaml', () => `FIELD_KEY: ${'aB3/'.repeat(16)}`, 'key of the platform'],
    ['a file of settings', 'deploy/.env', () => 'LOG_LEVEL=INFO', 'file for secrets'],
  ])('%s is found before it is committed, and after it was taken away again', async (_what, path, content, rule) => {
    const text = content()
    write(path, text)
    const [found, ...more] = await checkSecrets(folder)
    expect(found).toMatch(new RegExp(`^${path}:\\d+: .*${rule}`))
    expect(more).toEqual([])
    expect(found).not.toContain(text.slice(-20))

    git('add', '--force', '.')
    git('commit', '-qm', 'oops')
    git('rm', '-q', path)
    git('commit', '-qm', 'gone')
    expect(await checkSecrets(folder)).toEqual([expect.stringMatching(new RegExp(`^${path} in \\w{9}:`))])
  })

  test('what git ignores is not what is committed', async () => {
    write('.gitignore', '.env\n')
    write('.env', `SECRET_KEY=${'aB3/'.repeat(16)}`)
    expect(await checkSecrets(folder)).toEqual([])
  })

  test('a shallow clone is searched as far as its history goes, which is said', async () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => {})
    const shallow = join(folder, 'shallow')
    git('commit', '-qm', 'second', '--allow-empty')
    git('clone', '-q', '--depth', '1', `file://${folder}`, shallow)
    expect(await checkSecrets(shallow)).toEqual([])
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('shallow'))
    writeFileSync(join(shallow, 'key.pem'), pem())
    expect((await checkSecrets(shallow))[0]).toMatch(/^key.pem:1/)
    warn.mockRestore()
  })
})
