import { expect, test } from '@jest/globals'
import { checkMigration, checkMigrations } from './migrations.ts'
import { ROOT } from './state.ts'

const migration = (sql: string, comment = '') => `export class A1 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    ${comment}
    await runner.query(\`${sql}\`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(\`DROP TABLE "a"\`)
  }
}`

test.each([
  ['ALTER TABLE "a" DROP COLUMN "b"', 'takes a table, a column or a sequence away'],
  ['DROP TABLE "a"', 'takes a table, a column or a sequence away'],
  ['ALTER TABLE "a" RENAME COLUMN "b" TO "c"', 'renames something'],
  ['ALTER TABLE "a" ALTER COLUMN "b" TYPE text', 'changes a type'],
  ['ALTER TABLE "a" ALTER COLUMN "b" SET NOT NULL', 'requires what older code doesn’t write'],
  ['ALTER TABLE "a" ADD "b" text NOT NULL', 'adds a column that older code doesn’t write'],
  [
    'ALTER TABLE "a" ADD "b" int DEFAULT 1, ADD COLUMN "c" text NOT NULL',
    'adds a column that older code doesn’t write',
  ],
])('%s %s', (sql, what) => {
  expect(checkMigration(migration(sql))).toEqual([what])
  expect(checkMigration(migration(sql, '// contract: unused since 1.1.0'))).toEqual([])
})

test.each([
  'CREATE TABLE "a" ("b" text NOT NULL)',
  'ALTER TABLE "a" ADD "b" text, ADD "c" boolean NOT NULL DEFAULT false',
  'ALTER TABLE "a" ADD CONSTRAINT "c" CHECK ("b" IS NOT NULL) NOT VALID',
  'DROP INDEX "a_b"',
])('%s is good for older code', (sql) => {
  expect(checkMigration(migration(sql))).toEqual([])
})

test('the services’ own migrations keep to it', () => {
  expect(checkMigrations(ROOT)).toEqual([])
})
