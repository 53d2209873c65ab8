import type { MigrationInterface, QueryRunner } from 'typeorm'

export class Access1795568700000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE "patients" ADD "restricted" boolean NOT NULL DEFAULT false, ADD "changed_by_id" uuid, ADD "changed_by_name" text`,
    )
    await runner.query(
      `CREATE TABLE "patient_versions" ("patient_id" uuid NOT NULL, "version" integer NOT NULL, "at" TIMESTAMP WITH TIME ZONE NOT NULL, "by_id" uuid, "by_name" text, "change" text NOT NULL, "reason" text, "status" text NOT NULL, "voided" boolean NOT NULL, "restricted" boolean NOT NULL, "demographics" json NOT NULL, CONSTRAINT "PK_d9138f22a05a590db48180f08f7" PRIMARY KEY ("patient_id", "version"))`,
    )
    // the versions before were not kept
    await runner.query(
      `INSERT INTO patient_versions
       SELECT id, version, updated_at, NULL, NULL, CASE WHEN voided THEN 'voided' WHEN version = 1 THEN 'created' ELSE 'updated' END,
         CASE WHEN voided THEN void_reason END, status, voided, restricted, demographics FROM patients`,
    )
    // by the database itself, whoever changes a chart: the app role can neither write nor change them
    await runner.query(
      `CREATE FUNCTION keep_patient_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
       DECLARE
         change text := CASE
           WHEN TG_OP = 'INSERT' THEN 'created'
           WHEN NEW.voided AND NOT OLD.voided THEN 'voided'
           WHEN OLD.voided AND NOT NEW.voided THEN 'restored'
           ELSE 'updated' END;
       BEGIN
         INSERT INTO patient_versions (patient_id, version, at, by_id, by_name, change, reason, status, voided, restricted, demographics)
         VALUES (NEW.id, NEW.version, NEW.updated_at, NEW.changed_by_id, NEW.changed_by_name, change,
           CASE WHEN change IN ('voided', 'restored') THEN NEW.void_reason END, NEW.status, NEW.voided, NEW.restricted, NEW.demographics);
         RETURN NULL;
       END $$`,
    )
    await runner.query(
      'CREATE TRIGGER keep_patient_version AFTER INSERT OR UPDATE OF version ON patients FOR EACH ROW EXECUTE FUNCTION keep_patient_version()',
    )
    await runner.query(
      `CREATE TABLE "care_team" ("id" uuid NOT NULL, "patient_id" uuid NOT NULL, "user_id" uuid NOT NULL, "role" text NOT NULL, "from" date NOT NULL, "to" date, "added_by" uuid NOT NULL, "added_at" TIMESTAMP WITH TIME ZONE NOT NULL, "removed_by" uuid, "removed_at" TIMESTAMP WITH TIME ZONE, CONSTRAINT "PK_60ed05831007b27a68106f5127a" PRIMARY KEY ("id"))`,
    )
    await runner.query(`CREATE INDEX "care_team_patient" ON "care_team" ("patient_id", "user_id")`)
    await runner.query(`CREATE INDEX "care_team_user" ON "care_team" ("user_id")`)
    await runner.query(
      `CREATE TABLE "break_glass_grants" ("id" uuid NOT NULL, "patient_id" uuid NOT NULL, "clinician_id" uuid NOT NULL, "clinician_name" text NOT NULL, "reason" text NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL, "expires_at" TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT "PK_b02d16f7854de523ef0f7ba9799" PRIMARY KEY ("id"))`,
    )
    await runner.query(
      `CREATE INDEX "break_glass_grants_clinician" ON "break_glass_grants" ("clinician_id", "patient_id", "expires_at")`,
    )
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "break_glass_grants"')
    await runner.query('DROP TABLE "care_team"')
    await runner.query('DROP TRIGGER keep_patient_version ON patients')
    await runner.query('DROP FUNCTION keep_patient_version')
    await runner.query('DROP TABLE "patient_versions"')
    await runner.query('ALTER TABLE "patients" DROP "restricted", DROP "changed_by_id", DROP "changed_by_name"')
  }
}
