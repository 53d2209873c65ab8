import type { MigrationInterface, QueryRunner } from 'typeorm'
import { monthOf } from '../partitions.ts'

const indexes = {
  occurred: '("occurred_at")',
  actor: '("actor_id", "sequence")',
  type: '("type", "sequence")',
  outcome: '("outcome", "sequence")',
  request: '("request_id")',
  patients: 'USING gin (patient_ids)',
}

/** Events by the month in which they were stored, so that those whose retention has ended go at once. */
export class Partitions1795560000000 implements MigrationInterface {
  /** The table that there is becomes the first partition: nothing is copied. */
  async up(runner: QueryRunner): Promise<void> {
    const [last] = (await runner.query(
      'SELECT stored_at AS "storedAt" FROM events ORDER BY sequence DESC LIMIT 1',
    )) as { storedAt: Date }[]
    const { name, until } = monthOf(new Date(Math.max(Date.now(), last?.storedAt.getTime() ?? 0)))
    // contract: the table of before goes on as the first partition, and no release knew it by itself
    await runner.query(`ALTER TABLE "events" RENAME TO ${name}`)
    await runner.query(`ALTER TABLE ${name} DROP CONSTRAINT "PK_f76b4ba9e52adc10a9b8be4dc76"`)
    await runner.query(`ALTER TABLE ${name} ADD CONSTRAINT ${name}_pkey PRIMARY KEY ("sequence", "stored_at")`)
    await runner.query(`CREATE TABLE "events" (LIKE ${name}) PARTITION BY RANGE ("stored_at")`)
    await runner.query(
      `ALTER TABLE "events" ADD CONSTRAINT "PK_494b3c41debea36fcae8f9c1bee" PRIMARY KEY ("sequence", "stored_at")`,
    )
    for (const [index, columns] of Object.entries(indexes)) {
      await runner.query(`ALTER INDEX "events_${index}" RENAME TO ${name}_${index}`)
      await runner.query(`CREATE INDEX "events_${index}" ON "events" ${columns}`)
    }
    await runner.query(
      `ALTER TABLE "events" ATTACH PARTITION ${name} FOR VALUES FROM (MINVALUE) TO ('${until.toISOString()}')`,
    )
    await runner.query(
      `CREATE TABLE "retained" ("first" bigint NOT NULL, "last" bigint NOT NULL, CONSTRAINT "PK_735fc25dfb89a5a1d7d3cd9aacb" PRIMARY KEY ("first"))`,
    )
    await runner.query(
      `CREATE TABLE "legal_holds" ("patient_id" uuid NOT NULL, "reason" text NOT NULL, "held_by" text NOT NULL, "held_by_name" text, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT "PK_b60fc57600d4926322026d3416a" PRIMARY KEY ("patient_id"))`,
    )
  }

  /** Of an empty log only: one with events refuses. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "legal_holds"`)
    await runner.query(`DROP TABLE "retained"`)
    await runner.query(`CREATE TABLE unpartitioned (LIKE "events")`)
    await runner.query(`DROP TABLE "events"`)
    await runner.query(`ALTER TABLE unpartitioned RENAME TO "events"`)
    await runner.query(`ALTER TABLE "events" ADD CONSTRAINT "PK_f76b4ba9e52adc10a9b8be4dc76" PRIMARY KEY ("sequence")`)
    for (const [index, columns] of Object.entries(indexes))
      await runner.query(`CREATE INDEX "events_${index}" ON "events" ${columns}`)
  }
}
