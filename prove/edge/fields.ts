import { json, login, patients, type Aim, type RoleName } from './shot.ts'

/** A route that takes JSON, and who may send it. */
export interface Bodied {
  target: string
  role?: RoleName
}

/** What an honest client would send there. */
export function goodBody(aim: Aim, { target }: Bodied): string {
  if (target === login) return json({ email: `nobody-${aim.text(5)}@edge.test`, password: aim.text(10) })
  if (target === '/api/v1/auth/register')
    return json({ email: `${aim.id}@edge.test`, password: `Aa1${aim.text(12)}`, fullName: 'Somebody New' })
  if (target === '/api/v1/auth/refresh') return json({ refreshToken: `${aim.uuid()}.1.${aim.text(43)}` })
  if (target === patients)
    return json({ name: { given: ['Edge'], family: aim.text(8) }, birthDate: '1980-02-29', sex: 'other' })
  return json({ q: aim.text(4), limit: 5 })
}

const noTexts: readonly unknown[] = [
  null,
  true,
  false,
  0,
  1.5,
  -1,
  '@huge',
  [],
  {},
  [''],
  ['a'],
  { $ne: null },
  { $gt: '' },
  { toString: 'x' },
  [[[[]]]],
  '',
]
const wrongEmails = [
  ...noTexts,
  'a',
  'a@',
  '@b.cd',
  'a@b',
  'a b@c.de',
  'a@b..cd',
  'a@b.cd\n',
  'a@b.cd, e@f.gh',
  `${'a'.repeat(250)}@b.cd`,
  '<a@b.cd>',
  'a@@b.cd',
  'a\u0000@b.cd',
  'a@b.c d',
  'mailto:a@b.cd',
  '../../a@b.cd\t',
]
const wrongPasswords = [...noTexts, 'x'.repeat(1001)]
const weakPasswords = [
  ...wrongPasswords,
  'Short1',
  'alllowercase1',
  'ALLUPPERCASE1',
  'NoDigitsHere',
  'Password1',
  'Aa1'.repeat(25),
  '12345678',
]
const wrongDates = [
  ...noTexts,
  '2026-02-30',
  '1849-12-31',
  '9999-01-01',
  '01-01-2000',
  '2000-1-1',
  '2000-01-01T00:00:00Z',
  '20000101',
  '0000-00-00',
  '-2000-01-01',
  '２０００-01-01',
  'today',
]
const tooMany = (item: unknown, count: number): unknown[] => Array.from({ length: count }, () => item)
const someName = { given: ['a'], family: 'b' }
/** Lists may be left out but not be anything else. */
const noLists = [null, true, 1, '', 'x', {}, '@huge', [null], [1], ['x'], [[]], [{}]]

export const loginFields = [
  ['email', wrongEmails],
  ['password', wrongPasswords],
  ['totpp', ['1']],
] as const
export const registerFields = [
  ['email', wrongEmails],
  ['password', weakPasswords],
  ['fullName', [...noTexts, 'x'.repeat(201), ' ', '\u200b\u200b', '\u0001']],
] as const
export const createFields = [
  [
    'name',
    [
      null,
      'x',
      1,
      [],
      {},
      { given: ['a'] },
      { family: 'b' },
      { ...someName, given: 'a' },
      { ...someName, given: [] },
      { ...someName, given: [''] },
      { ...someName, given: [1] },
      { ...someName, given: tooMany('a', 11) },
      { ...someName, family: 'a'.repeat(101) },
      { ...someName, family: ' ' },
      { ...someName, family: null },
      { ...someName, prefix: 'a'.repeat(31) },
      { ...someName, suffix: 1 },
      { ...someName, middle: 'x' },
    ],
  ],
  ['birthDate', wrongDates],
  ['deathDate', [...wrongDates.filter((value) => value !== null), '1979-12-31']],
  ['sex', [...noTexts, 'Male', 'm', 'x']],
  ['status', [...noTexts, 'voided', 'merged', 'ACTIVE']],
  ['otherNames', [...noLists, tooMany({ use: 'old' }, 11), [{ use: 'x' }]]],
  [
    'identifiers',
    [
      ...noLists,
      [{ system: 'x', value: 'y' }],
      [{ system: 'ssn', value: '' }],
      [{ system: 'source:', value: 'y' }],
      [{ system: 'source:A b', value: 'y' }],
      tooMany({ system: 'ssn', value: '1' }, 21),
    ],
  ],
  [
    'telecom',
    [
      ...noLists,
      [{ system: 'fax', value: '1' }],
      [{ system: 'phone', value: 'x'.repeat(255) }],
      [{ system: 'phone', value: 1 }],
      [{ system: 'phone', value: '1', use: 'x' }],
    ],
  ],
  [
    'addresses',
    [
      ...noLists.filter((value) => JSON.stringify(value) !== '[{}]'),
      [{ country: 'usa' }],
      [{ country: 'us' }],
      [{ line: 'x' }],
      [{ line: tooMany('x', 5) }],
      [{ city: 1 }],
      [{ postalCode: 'x'.repeat(21) }],
    ],
  ],
  ['contacts', [...noLists, [{ name: {} }], [{ name: someName, telecom: {} }], tooMany({ name: someName }, 11)]],
  ['language', [true, 1, [], {}, '', 'english!', 'e', 'x'.repeat(36), 'en_US', '@huge']],
  ['maritalStatus', [true, 1, [], {}, '', 'x'.repeat(31)]],
  ['race', [true, 1, [], {}, '', 'x'.repeat(61)]],
] as const
export const searchFields = [
  ['q', [...noTexts, 'x'.repeat(101), ' ']],
  ['mrn', [...noTexts, 'x'.repeat(21)]],
  ['birthDate', wrongDates],
  ['status', [...noTexts, 'x', 'ACTIVE']],
  ['limit', [null, true, '5', '', 0, -1, 1.5, 201, '@huge', [], {}, [5]]],
  ['cursor', [...noTexts, 'x', 'x'.repeat(2001), Buffer.alloc(40).toString('base64url'), '../..']],
  ['limitt', [1]],
] as const

/** Text that no honest client sends, of each sort that the services look for. */
export const threats = [
  '<script>alert(1)</script>',
  '<SCRIPT SRC=//x>',
  '< script',
  '<img src=x onerror=alert(1)>',
  '<svg/onload=alert(1)>',
  '<iframe src=x>',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'data:text/html,x',
  "'; DROP TABLE patients; --",
  "' OR '1'='1",
  "' OR 1=1--",
  "x' UNION SELECT 1",
  'union all select 1',
  '1; DELETE FROM users',
  "admin'--",
  "admin' /*",
  'pg_sleep(10)',
  "'; exec xp_cmdshell('x')",
  "1' WAITFOR DELAY '0:0:5'",
  '../../etc/passwd',
  '..\\..\\windows',
  '%2e%2e/',
  '$' + '{7*7}',
  '{{7*7}}',
  '<%= 7*7 %>',
  'a%00b',
  'a\u0000b',
  '<scr\u200bipt>',
  '<\u0001script>',
]
