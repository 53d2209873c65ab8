import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Reviews of what is stored from now on. Activity is counted from the index alone, without the rows. */
export class Reviews1795561000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "reviews" ("id" uuid NOT NULL, "key" text NOT NULL, "kind" text NOT NULL, "state" text NOT NULL, "event_id" uuid NOT NULL, "last_event_id" uuid NOT NULL, "sequence" bigint NOT NULL, "last_sequence" bigint NOT NULL, "count" bigint NOT NULL, "actor_id" text, "actor_name" text, "actor_roles" text array NOT NULL, "code" text, "route" text NOT NULL, "patient_ids" uuid array NOT NULL, "note" text, "reviewed_by_id" text, "reviewed_by_name" text, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL, "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL, "version" integer NOT NULL, CONSTRAINT "PK_231ae565c273ee700b283f15c1d" PRIMARY KEY ("id"))`,
    )
    await runner.query(`CREATE UNIQUE INDEX "reviews_event" ON "reviews" ("event_id")`)
    await runner.query(`CREATE UNIQUE INDEX "reviews_open" ON "reviews" ("key") WHERE state = 'open'`)
    await runner.query(`CREATE INDEX "reviews_state" ON "reviews" ("state", "id")`)
    await runner.query(`DROP INDEX "events_occurred"`)
    await runner.query(`CREATE INDEX "events_occurred" ON "events" ("occurred_at", "outcome")`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX "events_occurred"`)
    await runner.query(`CREATE INDEX "events_occurred" ON "events" ("occurred_at")`)
    await runner.query(`DROP TABLE "reviews"`)
  }
}
