import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { ROOT } from './state.ts'

const page = readFileSync(join(ROOT, 'docs/hipaa.md'), 'utf8')
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')

test('every command that docs/hipaa.md shows something by is there', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const tests = globSync('{gateway,services,libs,platform,ops,e2e}/**/*.test.ts', { cwd: ROOT })
  const commands = [...page.matchAll(/`(npm run|npm test --|npx) ([^`]+)`/g)].map(([, kind, rest]) => [kind!, rest!])
  expect(commands.length).toBeGreaterThan(20)
  for (const [kind, rest] of commands) {
    if (kind === 'npm test --')
      for (const pattern of rest!.split(' '))
        expect([pattern, tests.some((file) => file.includes(pattern))]).toEqual([pattern, true])
    else if (kind === 'npm run') {
      const [script, , name] = rest!.split(' ')
      expect(Object.keys(scripts)).toContain(script)
      expect([name, existsSync(join(ROOT, 'prove', `${name}.ts`))]).toEqual([name, true])
    } else expect(read('services/audit/src/cli.ts')).toContain(`${rest!} `)
  }
})

test('it has every clause of 164.312', () => {
  const clauses = '(a)(1) (a)(2)(i) (a)(2)(ii) (a)(2)(iii) (a)(2)(iv) (b) (c)(1) (c)(2) (d) (e)(1) (e)(2)(i) (e)(2)(ii)'
  for (const clause of clauses.split(' ')) expect(page).toContain(`\n| ${clause} `)
})
