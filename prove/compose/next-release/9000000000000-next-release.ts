interface Runner {
  query(sql: string): Promise<unknown>
}

export class NextRelease9000000000000 {
  async up(runner: Runner): Promise<void> {
    await runner.query(`ALTER TABLE "patients" ADD "pharmacy" text, ADD "reminded" boolean NOT NULL DEFAULT false`)
    await runner.query(`CREATE INDEX "patients_pharmacy" ON "patients" ("pharmacy")`)
    await runner.query(`CREATE TABLE "reminders" ("patient_id" uuid NOT NULL, "due" date NOT NULL)`)
  }

  async down(runner: Runner): Promise<void> {
    await runner.query(`DROP TABLE "reminders"`)
    await runner.query(`ALTER TABLE "patients" DROP COLUMN "pharmacy", DROP COLUMN "reminded"`)
  }
}
