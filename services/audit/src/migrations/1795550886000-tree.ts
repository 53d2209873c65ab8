import type { MigrationInterface, QueryRunner } from 'typeorm'
import { canonicalJson } from '@caregate/common/events'

const rowsAtOnce = 2000

/** The tree over the log. The service brings the events that there are into it, when it first starts with this. */
export class Tree1795550886000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "leaves" ("start" bigint NOT NULL, "hashes" bytea NOT NULL, CONSTRAINT "PK_8d1dc47ad14a3d8c21a14f3f456" PRIMARY KEY ("start"))`,
    )
    await runner.query(
      `CREATE TABLE "nodes" ("tier" smallint NOT NULL, "position" bigint NOT NULL, "hash" bytea NOT NULL, CONSTRAINT "PK_5fee7732e28be6dc2651d8fc767" PRIMARY KEY ("tier", "position"))`,
    )
    await runner.query(
      `CREATE TABLE "checkpoints" ("size" bigint NOT NULL, "stored_at" TIMESTAMP WITH TIME ZONE NOT NULL, "roots" bytea NOT NULL, "note" text NOT NULL, CONSTRAINT "PK_7990a008df7b6cbb2e43d7f616b" PRIMARY KEY ("size"))`,
    )
    await runner.query(
      `CREATE TABLE "cosignatures" ("size" bigint NOT NULL, "line" text NOT NULL, CONSTRAINT "PK_0a254885ba88d8b5d50dccbe27b" PRIMARY KEY ("size"))`,
    )
    // an instance from before, which knows no tree, fails to insert from here on, and its events wait in the queue
    // contract: no release had the name of before
    await runner.query(`ALTER TABLE "events" RENAME COLUMN "body" TO "entry"`)
    for (let after = 0; ; after += rowsAtOnce) {
      const rows = (await runner.query(
        'SELECT sequence::int, stored_at AS "storedAt", entry FROM events WHERE sequence > $1 AND sequence <= $2',
        [after, after + rowsAtOnce],
      )) as { sequence: number; storedAt: Date; entry: string }[]
      if (!rows.length) return
      const entries = rows.map(({ sequence, storedAt, entry }) =>
        canonicalJson({ ...(JSON.parse(entry) as object), sequence, storedAt: storedAt.toISOString() }),
      )
      await runner.query(
        'UPDATE events SET entry = new.entry FROM unnest($1::bigint[], $2::text[]) AS new(sequence, entry) WHERE events.sequence = new.sequence',
        [rows.map(({ sequence }) => sequence), entries],
      )
    }
  }

  /** Of an empty log only: one with events refuses. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "events" RENAME COLUMN "entry" TO "body"`)
    await runner.query(`DROP TABLE "cosignatures"`)
    await runner.query(`DROP TABLE "checkpoints"`)
    await runner.query(`DROP TABLE "nodes"`)
    await runner.query(`DROP TABLE "leaves"`)
  }
}
