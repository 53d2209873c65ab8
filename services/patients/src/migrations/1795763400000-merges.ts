import type { MigrationInterface, QueryRunner } from 'typeorm'

/** @param changes what a version is called, besides created and updated; the first that holds @param more columns that it has */
const keepVersions = (changes: string, more: readonly string[]) => `
  CREATE OR REPLACE FUNCTION keep_patient_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  DECLARE
    change text := CASE WHEN TG_OP = 'INSERT' THEN 'created' ${changes} ELSE 'updated' END;
  BEGIN
    INSERT INTO patient_versions (${['patient_id', 'version', 'at', 'by_id', 'by_name', 'change', 'reason', 'status', 'voided', 'restricted', 'demographics', ...more].join(', ')})
    VALUES (NEW.id, NEW.version, NEW.updated_at, NEW.changed_by_id, NEW.changed_by_name, change,
      CASE WHEN change IN ('voided', 'restored') THEN NEW.void_reason END, NEW.status, NEW.voided, NEW.restricted, NEW.demographics
      ${more.map((column) => `, NEW.${column}`).join('')});
    RETURN NULL;
  END $$`
const voiding = `WHEN NEW.voided AND NOT OLD.voided THEN 'voided' WHEN OLD.voided AND NOT NEW.voided THEN 'restored'`
const merging = `
  WHEN NEW.merges > OLD.merges OR (OLD.merged_into IS NULL AND NEW.merged_into IS NOT NULL) THEN 'merged'
  WHEN NEW.merges < OLD.merges OR (OLD.merged_into IS NOT NULL AND NEW.merged_into IS NULL) THEN 'unmerged'`

export class Merges1795763400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "patients" ADD "merged_into" uuid, ADD "merges" integer NOT NULL DEFAULT 0`)
    await runner.query(
      `CREATE INDEX "patients_merged_into" ON "patients" ("merged_into") WHERE merged_into IS NOT NULL`,
    )
    await runner.query(`ALTER TABLE "patient_versions" ADD "merged_into" uuid`)
    await runner.query(keepVersions(voiding + merging, ['merged_into']))
    await runner.query(
      `CREATE TABLE "patient_merges" ("source_id" uuid NOT NULL, "source_version" integer NOT NULL, "target_id" uuid NOT NULL, "target_version" integer NOT NULL, "recorded" integer NOT NULL, "items" uuid array NOT NULL, "members" uuid array NOT NULL, "grants" uuid array NOT NULL, CONSTRAINT "PK_1dc149f4ef0ee91b983b8d47489" PRIMARY KEY ("source_id", "source_version"))`,
    )
    await runner.query(`CREATE INDEX "patient_merges_target" ON "patient_merges" ("target_id", "target_version")`)
    await runner.query(
      `CREATE TABLE "creation_turns" ("key" text NOT NULL, "turn" integer NOT NULL, CONSTRAINT "PK_3acca6fcf0fe8d8c5adee18e0d1" PRIMARY KEY ("key"))`,
    )
    await runner.query(`CREATE INDEX "break_glass_grants_patient" ON "break_glass_grants" ("patient_id")`)
  }

  /** Undo the merges first: to the release before, charts that were merged are charts like any other. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX "break_glass_grants_patient"')
    await runner.query('DROP TABLE "creation_turns"')
    await runner.query('DROP TABLE "patient_merges"')
    await runner.query(keepVersions(voiding, []))
    await runner.query('ALTER TABLE "patient_versions" DROP "merged_into"')
    await runner.query('ALTER TABLE "patients" DROP "merged_into", DROP "merges"')
  }
}
