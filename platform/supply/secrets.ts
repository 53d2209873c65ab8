/** Looks for keys and passwords in what is to be committed, and in everything that ever was. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { lintSource } from '@secretlint/core'
import { creator as recommended } from '@secretlint/secretlint-rule-preset-recommend'

/** Found, looked at, and no secret of anybody. By the hash that a finding is printed with. */
const known: Record<string, string> = {
  '7f4aaf9572474c9f': 'the placeholder in .env.example',
  '473fe83086a89ed9': 'an address in the test of the configuration',
  '343d438ec528b74c': 'another',
  fa399765c896f04c: 'and one more',
  '69bb97073665cff9': 'an address in docs/operate.md',
  '38d0394304dddb79': 'the same, by TLS',
  b7d2764d70a24625: 'the password of a role that a test makes',
  '4e7c414b7cb9f14c': 'the key of the first certificate of the tests',
  '74cf1dd439119010': 'the key of the second',
  '84ed247d3afced31': 'an address in docs/add-a-service.md',
  da12b251ae99ca9b: 'and its owner’s',
  '8addcde88a79e271': 'a key for development there',
}

/** All that is in there is meant to be read: a platform on one node, for trying it out. */
const published = /^k8s\/overlays\/dev\/secrets\//

const config = {
  rules: [
    {
      id: '@secretlint/secretlint-rule-preset-recommend',
      rule: recommended,
      // a comment beside a secret doesn't make it none
      rules: [{ id: '@secretlint/secretlint-rule-filter-comments', disabled: true }],
    },
  ],
}

/** What only Caregate has, and keys as short as those of Ed25519, which the rules above pass over. */
const own = {
  'a private key': /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----[\w+/=\s\\]+-----END (?:[A-Z]+ )?PRIVATE KEY-----/g,
  'an identity that opens backups': /AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{50,}/g,
  'a key of the platform': /\b(?:SECRET|FIELD|CURSOR)_KEY(?:_PREVIOUS)?["']?\s*[:=]\s*["']?[\w+/-]{32,}/g,
}
const secretFiles = /(^|\/)(\.env|secrets\.json|[^/]+\.(pem|key))$/

interface Text {
  path: string
  /** Which version of it. */
  name?: string
  content: string
}

const run = promisify(execFile)
const git = async (root: string, ...args: string[]): Promise<string> =>
  (await run('git', args, { cwd: root, maxBuffer: 2 ** 30 })).stdout

/** What git would commit: what it knows, and what is new and not ignored. */
async function readTree(root: string): Promise<Text[]> {
  const paths = (await git(root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard')).split('\0')
  return paths
    .filter((path) => path && existsSync(join(root, path)) && lstatSync(join(root, path)).isFile())
    .map((path) => ({ path, content: readFileSync(join(root, path), 'utf8') }))
}

/** Every version of every file, on any branch. */
async function readHistory(root: string): Promise<Text[]> {
  const objects = (await git(root, 'rev-list', '--objects', '--all')).split('\n').filter((line) => line.includes(' '))
  const reading = run('git', ['cat-file', '--batch'], { cwd: root, maxBuffer: 2 ** 30, encoding: 'buffer' })
  reading.child.stdin!.end(objects.map((line) => `${line.slice(0, line.indexOf(' '))}\n`).join(''))
  const { stdout } = await reading
  let at = 0
  return objects.flatMap((line) => {
    const head = stdout.indexOf('\n', at)
    const [id, type, size] = stdout.toString('utf8', at, head).split(' ')
    const content = stdout.toString('utf8', head + 1, head + 1 + Number(size))
    at = head + 1 + Number(size) + 1
    const path = line.slice(id!.length + 1)
    return type === 'blob' ? [{ path, name: `${path} in ${id!.slice(0, 9)}`, content }] : []
  })
}

async function scan({ path, name = path, content }: Text): Promise<string[]> {
  if (published.test(path)) return []
  const source = { filePath: `/${path}`, content, contentType: 'text' } as const
  const { messages } = await lintSource({ source, options: { config, noPhysicFilePath: true } })
  const found = [
    ...messages.map(({ ruleId, range }) => ({
      what: ruleId.replace(/^.*secretlint-rule-/, ''),
      at: range[0],
      text: content.slice(...range),
    })),
    ...Object.entries(own).flatMap(([what, looks]) =>
      [...content.matchAll(looks)].map(({ 0: text, index }) => ({ what, at: index, text })),
    ),
    ...(secretFiles.test(path) ? [{ what: 'a file for secrets', at: 0, text: content }] : []),
  ]
  const lines = found.map(({ what, at, text }) => {
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 16)
    const line = content.slice(0, at).split('\n').length
    return [hash, `${name}:${line}: ${what} (${hash})`] as const
  })
  // the same text once, whoever has found it
  return [...new Map(lines)].flatMap(([hash, line]) => (known[hash] ? [] : [line]))
}

/** @returns a line for each secret, without it. Of a shallow clone it says that its history was searched in part. @throws where there is no git to ask */
export async function checkSecrets(root: string): Promise<string[]> {
  if ((await git(root, 'rev-parse', '--is-shallow-repository')).trim() === 'true')
    console.warn('The clone is shallow: only the history that is there was searched for secrets. git fetch --unshallow')
  const found: string[] = []
  for (const text of [...(await readTree(root)), ...(await readHistory(root))]) found.push(...(await scan(text)))
  return [...new Set(found)]
}
