import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What code of the release before can't go on with. */
const breaking: Record<string, RegExp> = {
  'takes a table, a column or a sequence away': /\bDROP\s+(TABLE|COLUMN|SEQUENCE|VIEW|TYPE)\b/i,
  'renames something': /\bRENAME\b/i,
  'changes a type': /\bALTER\s+(COLUMN\s+)?\S+\s+(SET\s+DATA\s+)?TYPE\b/i,
  'requires what older code doesn’t write': /\bSET\s+NOT\s+NULL\b|\bDROP\s+DEFAULT\b/i,
  'adds a column that older code doesn’t write':
    /\bADD\s+(COLUMN\s+)?(?!CONSTRAINT\b)[^`',]*\bNOT\s+NULL\b(?![^`',]*\b(DEFAULT|GENERATED)\b)/i,
}

/** @param source of a migration; one whose `up` says `// contract: why` takes away what no release in use needs any more */
export function checkMigration(source: string): string[] {
  const up = source.slice(0, source.indexOf('async down('))
  if (/^\s*\/\/ contract: \S/m.test(up)) return []
  return Object.keys(breaking).filter((what) => breaking[what]!.test(up))
}

/** Migrations add: while a release is rolled, and after it was rolled back, older code runs on the newer tables. */
export const checkMigrations = (root: string): string[] =>
  globSync('services/*/src/migrations/*.ts', { cwd: root }).flatMap((file) =>
    checkMigration(readFileSync(join(root, file), 'utf8')).map((what) => `${file} ${what}`),
  )
