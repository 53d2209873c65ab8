import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { openTestPlatform } from './platform.ts'

let platform: Awaited<ReturnType<typeof openTestPlatform>>
beforeAll(async () => {
  platform = await openTestPlatform()
}, 60_000)
afterAll(() => platform.close())

const page = new URL('../docs/first-chart.md', import.meta.url)
const fence = /^```(sh|ts|)\n([^]*?)^```$/gm

interface Block {
  language: string
  code: string
  /** What the page says it prints. */
  output: string
}
async function readBlocks(): Promise<Block[]> {
  const blocks: Block[] = []
  for (const [, language = '', text = ''] of (await readFile(page, 'utf8')).matchAll(fence)) {
    if (language) blocks.push({ language, code: text, output: '' })
    else blocks.at(-1)!.output = text
  }
  return blocks
}

/** What of an output is the same each time. */
const same = /HTTP\/1\.1 \d+|etag: "\d+"|"(code|path|type|message|display)":"[^"]*"|^\w+(\.\w+){2} \d{3}.*$/gm
const lasting = (output: string): string[] => output.match(same) ?? []

function run(command: string, args: string[], input: string, env: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { PATH: process.env.PATH, ...env }, stdio: ['pipe', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', reject).on('close', () => resolve(output))
    child.stdin.end(input)
  })
}

test('the commands of docs/first-chart.md do what the page says', async () => {
  const blocks = await readBlocks()
  const admin = platform.administrator.token
  const account = async (role: string) => {
    const body = { email: `first-${role}@example.org`, fullName: 'Ada', roles: [role] }
    const answer = await platform.call('POST', '/api/v1/auth/users', { token: admin, body })
    return { email: body.email, password: answer.body.oneTimePassword as string }
  }
  const [nurse, auditor] = [await account('nurse'), await account('auditor')]
  const env = {
    G: `${platform.gateway}/api/v1`,
    NURSE_EMAIL: nurse.email,
    NURSE_FIRST: nurse.password,
    AUDITOR_EMAIL: auditor.email,
    AUDITOR_FIRST: auditor.password,
  }
  const mark = '--- the end of a block ---'
  const shell = blocks.filter(({ language }) => language === 'sh')
  // one shell for all: a block goes on with what those before have set
  const script = shell.map(({ code }) => `${code}\necho; echo '${mark}'\n`).join('')
  const outputs = (await run('bash', ['-s'], `${script}echo $NURSE`, env)).split(mark)
  const token = outputs.pop()!.trim()
  expect(outputs).toHaveLength(shell.length)
  for (const [n, { code, output }] of shell.entries())
    expect({ code, said: lasting(outputs[n]!) }).toEqual({ code, said: lasting(output) })

  const { code, output } = blocks.find(({ language }) => language === 'ts')!
  const printed = await run(process.execPath, ['--input-type=module-typescript', '-'], code, { ...env, NURSE: token })
  expect(lasting(printed)).toEqual(lasting(output))
}, 60_000)
