import type { MigrationInterface, QueryRunner } from 'typeorm'

export class Initial1795510869873 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "users" ("id" uuid NOT NULL, "email" text NOT NULL, "full_name" text NOT NULL, "roles" text array NOT NULL, "password_hash" text NOT NULL, "one_time_until" TIMESTAMP WITH TIME ZONE, "patient_id" uuid, "disabled" boolean NOT NULL DEFAULT false, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT "PK_a3ffb1c0c8416b9fc6f907b7433" PRIMARY KEY ("id"))`,
    )
    await runner.query(`CREATE UNIQUE INDEX "users_email" ON "users" ("email")`)
    await runner.query(
      `CREATE TABLE "sessions" ("id" uuid NOT NULL, "user_id" uuid NOT NULL, "generation" integer NOT NULL, "rotated_at" TIMESTAMP WITH TIME ZONE NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL, "expires_at" TIMESTAMP WITH TIME ZONE NOT NULL, "ended_at" TIMESTAMP WITH TIME ZONE, CONSTRAINT "PK_3238ef96f18b355b671619111bc" PRIMARY KEY ("id"))`,
    )
    await runner.query(`CREATE INDEX "sessions_user" ON "sessions" ("user_id")`)
    await runner.query(`CREATE INDEX "sessions_ended" ON "sessions" ("ended_at")`)
    await runner.query(
      `CREATE TABLE "signing_keys" ("kid" text NOT NULL, "algorithm" text NOT NULL, "public_jwk" jsonb NOT NULL, "private_sealed" text NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT "PK_13362ac3e792c69417e1a53d355" PRIMARY KEY ("kid"))`,
    )
    await runner.query(
      `CREATE TABLE "outbox" ("position" BIGSERIAL NOT NULL, "id" uuid NOT NULL, "type" text NOT NULL, "body" text NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "PK_eaeb48f0dd30890d452d108804b" PRIMARY KEY ("position"))`,
    )
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "outbox"`)
    await runner.query(`DROP TABLE "signing_keys"`)
    await runner.query(`DROP INDEX "public"."sessions_ended"`)
    await runner.query(`DROP INDEX "public"."sessions_user"`)
    await runner.query(`DROP TABLE "sessions"`)
    await runner.query(`DROP INDEX "public"."users_email"`)
    await runner.query(`DROP TABLE "users"`)
  }
}
