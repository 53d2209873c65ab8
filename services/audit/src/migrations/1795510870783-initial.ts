import type { MigrationInterface, QueryRunner } from 'typeorm'

export class Initial1795510870783 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "events" ("sequence" bigint NOT NULL, "id" uuid NOT NULL, "stored_at" TIMESTAMP WITH TIME ZONE NOT NULL, "occurred_at" TIMESTAMP WITH TIME ZONE NOT NULL, "type" text NOT NULL, "action" text NOT NULL, "outcome" text NOT NULL, "actor_id" text, "patient_ids" uuid array NOT NULL, "method" text NOT NULL, "path" text NOT NULL, "ip" text NOT NULL, "request_id" text NOT NULL, "body" text NOT NULL, CONSTRAINT "PK_f76b4ba9e52adc10a9b8be4dc76" PRIMARY KEY ("sequence"))`,
    )
    await runner.query(`CREATE INDEX "events_occurred" ON "events" ("occurred_at")`)
    await runner.query(`CREATE INDEX "events_actor" ON "events" ("actor_id", "sequence")`)
    await runner.query(`CREATE INDEX "events_type" ON "events" ("type", "sequence")`)
    await runner.query(`CREATE INDEX "events_outcome" ON "events" ("outcome", "sequence")`)
    await runner.query(`CREATE INDEX "events_request" ON "events" ("request_id")`)
    await runner.query('CREATE INDEX events_patients ON events USING gin (patient_ids)')
    await runner.query(
      `CREATE TABLE "event_ids" ("id" uuid NOT NULL, "sequence" bigint NOT NULL, CONSTRAINT "PK_969e183817c05e9225ac2413876" PRIMARY KEY ("id"))`,
    )
    await runner.query(
      `CREATE TABLE "outbox" ("position" BIGSERIAL NOT NULL, "id" uuid NOT NULL, "type" text NOT NULL, "body" text NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "PK_eaeb48f0dd30890d452d108804b" PRIMARY KEY ("position"))`,
    )
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "outbox"`)
    await runner.query(`DROP TABLE "event_ids"`)
    await runner.query('DROP INDEX events_patients')
    await runner.query(`DROP INDEX "public"."events_request"`)
    await runner.query(`DROP INDEX "public"."events_outcome"`)
    await runner.query(`DROP INDEX "public"."events_type"`)
    await runner.query(`DROP INDEX "public"."events_actor"`)
    await runner.query(`DROP INDEX "public"."events_occurred"`)
    await runner.query(`DROP TABLE "events"`)
  }
}
