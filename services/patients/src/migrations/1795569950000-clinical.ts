import type { MigrationInterface, QueryRunner } from 'typeorm'

export class Clinical1795569950000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "clinical_items" ("id" uuid NOT NULL, "version" integer NOT NULL, "kind" text NOT NULL, "patient_id" uuid NOT NULL, "system" text NOT NULL, "code" text NOT NULL, "display" text NOT NULL, "onset" date, "resolved" date, "recorded_by" uuid NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL, "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT "PK_fbfd59a60527f4945a25cb02908" PRIMARY KEY ("id", "version"))`,
    )
    await runner.query(`CREATE INDEX "clinical_items_patient" ON "clinical_items" ("patient_id", "kind", "id")`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "clinical_items"')
  }
}
