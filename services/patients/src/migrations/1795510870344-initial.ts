import type { MigrationInterface, QueryRunner } from 'typeorm'

export class Initial1795510870344 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "patients" ("id" uuid NOT NULL, "mrn" text NOT NULL, "version" integer NOT NULL, "status" text NOT NULL, "voided" boolean NOT NULL DEFAULT false, "void_reason" text, "demographics" json NOT NULL, "search_name" text NOT NULL, "birth_date" date NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL, "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT "PK_a7f0b9fcbb3469d5ec0b0aceaa7" PRIMARY KEY ("id"))`,
    )
    await runner.query('CREATE SEQUENCE patients_mrn')
    await runner.query(`CREATE UNIQUE INDEX "patients_mrn_unique" ON "patients" ("mrn")`)
    await runner.query(`CREATE INDEX "patients_name" ON "patients" ("search_name", "id")`)
    await runner.query(`CREATE INDEX "patients_birth_date" ON "patients" ("birth_date")`)
    await runner.query(
      `CREATE TABLE "patient_sources" ("system" text NOT NULL, "value" text NOT NULL, "patient_id" uuid NOT NULL, CONSTRAINT "PK_90000c43baf0c9fa784a8699f3f" PRIMARY KEY ("system", "value"))`,
    )
    await runner.query(`CREATE INDEX "patient_sources_patient" ON "patient_sources" ("patient_id")`)
    await runner.query(
      `CREATE TABLE "outbox" ("position" BIGSERIAL NOT NULL, "id" uuid NOT NULL, "type" text NOT NULL, "body" text NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "PK_eaeb48f0dd30890d452d108804b" PRIMARY KEY ("position"))`,
    )
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "outbox"`)
    await runner.query(`DROP INDEX "public"."patient_sources_patient"`)
    await runner.query(`DROP TABLE "patient_sources"`)
    await runner.query(`DROP INDEX "public"."patients_birth_date"`)
    await runner.query(`DROP INDEX "public"."patients_name"`)
    await runner.query(`DROP INDEX "public"."patients_mrn_unique"`)
    await runner.query(`DROP TABLE "patients"`)
    await runner.query('DROP SEQUENCE patients_mrn')
  }
}
