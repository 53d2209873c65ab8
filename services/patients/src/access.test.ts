import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import type { Role } from '@caregate/common/auth'
import { policy } from './access.ts'

test('the page about access shows the policy as it is', () => {
  const page = readFileSync(new URL('../../../docs/access.md', import.meta.url), 'utf8').split('\n')
  const head = page.findIndex((line) => line.includes('| clinician |'))
  const [, ...roles] = cellsOf(page[head]!)
  const table = page.slice(head + 2, page.indexOf('', head)).map(cellsOf)
  const relationsOf = (cells: Partial<Record<Role, readonly string[]>>) =>
    roles.map((role) => (cells[role as Role] ?? []).join(', '))
  expect(table).toEqual(Object.entries(policy).map(([action, cells]) => [`\`${action}\``, ...relationsOf(cells)]))
  const named = new Set(Object.values(policy).flatMap((cells) => Object.keys(cells)))
  expect(new Set(roles)).toEqual(named)
})

const cellsOf = (line: string): string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
