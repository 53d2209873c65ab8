import type { MigrationInterface, QueryRunner } from 'typeorm'
import { searchName, type Demographics } from '../patient.ts'
import { indexChart } from '../search/indexes.ts'

const batch = 1000

export class Names1795575000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "patient_names" ("word" text COLLATE "C" NOT NULL, "line" text COLLATE "C" NOT NULL, "patient_id" uuid NOT NULL, CONSTRAINT "PK_212f416915d18f2a17723c6a0f3" PRIMARY KEY ("word", "line", "patient_id"))`,
    )
    await runner.query(`CREATE INDEX "patient_names_patient" ON "patient_names" ("patient_id")`)
    await runner.query(
      `CREATE TABLE "name_variants" ("variant" text COLLATE "C" NOT NULL, "word" text COLLATE "C" NOT NULL, CONSTRAINT "PK_291aa29c02596d6faf9f0b168b0" PRIMARY KEY ("variant", "word"))`,
    )
    await runner.query(
      `CREATE TABLE "patient_keys" ("key" text NOT NULL, "patient_id" uuid NOT NULL, CONSTRAINT "PK_b3df14f88bd83645c42c7567feb" PRIMARY KEY ("key", "patient_id"))`,
    )
    await runner.query(`CREATE INDEX "patient_keys_patient" ON "patient_keys" ("patient_id")`)
    for (let after = '00000000-0000-0000-0000-000000000000'; ;) {
      const rows = (await runner.query('SELECT id, demographics FROM patients WHERE id > $1 ORDER BY id LIMIT $2', [
        after,
        batch,
      ])) as { id: string; demographics: Demographics }[]
      for (const { id, demographics } of rows) {
        await indexChart(runner.manager, id, demographics)
        await runner.query('UPDATE patients SET search_name = $2 WHERE id = $1', [id, searchName(demographics.name)])
      }
      if (rows.length < batch) return
      after = rows.at(-1)!.id
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "patient_keys"')
    await runner.query('DROP TABLE "name_variants"')
    await runner.query('DROP TABLE "patient_names"')
  }
}
