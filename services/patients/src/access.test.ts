import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import type { Role } from '@caregate/common/auth'
import type { Basis } from '@caregate/common/events'
import { findBasis, isOpenByGrant, isOwnOnly, policy, type ChartAction, type Standing } from './access.ts'

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

describe('by what right', () => {
  const open = { restricted: false, member: false, grantId: null, self: false }
  const restricted = { ...open, restricted: true }
  const member = { member: true }
  const broken = { grantId: 'a grant' }
  const own = { self: true }

  test.each<[ChartAction, Role[], Standing, Basis | undefined]>([
    ['demographics.read', ['clinician'], open, 'role'],
    ['demographics.read', ['clinician'], restricted, undefined],
    ['demographics.read', ['clinician'], { ...restricted, ...member }, 'care-team'],
    ['demographics.read', ['clinician'], { ...restricted, ...broken }, 'break-glass'],
    ['demographics.read', ['nurse'], { ...restricted, ...broken }, undefined],
    ['demographics.read', ['registrar'], restricted, 'role'],
    ['demographics.read', ['patient'], { ...restricted, ...own }, 'self'],
    ['demographics.read', ['patient'], { ...open, ...member, ...broken }, undefined],
    ['clinical.read', ['registrar'], open, undefined],
    ['demographics.read', [], { restricted: false, ...member, ...broken, ...own }, undefined],
    // the closest
    ['demographics.read', ['clinician'], { ...open, ...member, ...broken }, 'care-team'],
    ['demographics.read', ['clinician'], { ...open, ...broken }, 'role'],
    ['demographics.read', ['registrar', 'clinician'], { ...restricted, ...member }, 'care-team'],
    ['demographics.read', ['registrar', 'clinician'], { ...restricted, ...broken }, 'role'],
    ['demographics.read', ['clinician', 'patient'], { ...open, ...member, ...own }, 'self'],
  ])('%s, as %j, who is %j to it: %s', (action, roles, standing, basis) => {
    expect(findBasis(action, roles, standing)).toBe(basis)
  })

  test('whoever may do it as the patient alone may do it to no other chart', () => {
    expect(isOwnOnly('demographics.read', ['patient'])).toBe(true)
    expect(isOwnOnly('demographics.read', ['patient', 'nurse'])).toBe(false)
    expect(isOwnOnly('clinical.read', ['patient', 'registrar'])).toBe(true)
  })

  test('a grant opens what is read and treated, and nothing else', () => {
    const opened = Object.keys(policy).filter((action) => isOpenByGrant(action as ChartAction))
    expect(opened).toEqual([
      'demographics.read',
      'demographics.change',
      'clinical.read',
      'clinical.change',
      'care-team.read',
    ])
  })
})
