import type { MigrationInterface, QueryRunner } from 'typeorm'

export class Identifiers1795571000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "patient_identifiers" ("patient_id" uuid NOT NULL, "system" text NOT NULL, "index" bytea NOT NULL, "key" text NOT NULL, CONSTRAINT "PK_2902f46f1efec54ba2c65b75da7" PRIMARY KEY ("patient_id", "system", "index"))`,
    )
    await runner.query(`CREATE INDEX "patient_identifiers_index" ON "patient_identifiers" ("index")`)
    await runner.query(`CREATE INDEX "patient_sources_value" ON "patient_sources" ("value")`)
  }

  /** What was sealed stays so: the release before can't read it. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX "patient_sources_value"')
    await runner.query('DROP TABLE "patient_identifiers"')
  }
}
