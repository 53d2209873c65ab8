import type { MigrationInterface, QueryRunner } from 'typeorm'

export class Identity1795549347496 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "password_resets" ("id" uuid NOT NULL, "user_id" uuid NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL, "expires_at" TIMESTAMP WITH TIME ZONE NOT NULL, "token_hash" text, "taken_at" TIMESTAMP WITH TIME ZONE, "sent_at" TIMESTAMP WITH TIME ZONE, CONSTRAINT "PK_4816377aa98211c1de34469e742" PRIMARY KEY ("id"))`,
    )
    await runner.query(`CREATE INDEX "password_resets_user" ON "password_resets"  ("user_id") `)
    await runner.query(`CREATE UNIQUE INDEX "password_resets_token" ON "password_resets"  ("token_hash") `)
    await runner.query(
      `CREATE TABLE "attempts" ("key" text NOT NULL, "failures" double precision NOT NULL, "blocked_until" TIMESTAMP WITH TIME ZONE NOT NULL, "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL, "succeeded_at" TIMESTAMP WITH TIME ZONE, CONSTRAINT "PK_7097cf60b47ffd88ae70e2b227a" PRIMARY KEY ("key"))`,
    )
    await runner.query(`CREATE INDEX "attempts_updated" ON "attempts"  ("updated_at") `)
    await runner.query(
      `CREATE TABLE "service_accounts" ("id" uuid NOT NULL, "name" text NOT NULL, "roles" text array NOT NULL, "secret_hash" text NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL, "rotated_at" TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT "PK_e2fb216fdc1db94c5e4da7d88fa" PRIMARY KEY ("id"))`,
    )
    await runner.query(`CREATE UNIQUE INDEX "service_accounts_name" ON "service_accounts"  ("name") `)
    await runner.query(`ALTER TABLE "users" ADD "totp_sealed" text`)
    await runner.query(`ALTER TABLE "users" ADD "totp_enabled" boolean NOT NULL DEFAULT false`)
    await runner.query(`ALTER TABLE "users" ADD "totp_step" integer NOT NULL DEFAULT '0'`)
    await runner.query(`ALTER TABLE "users" ADD "recovery_hashes" text array NOT NULL DEFAULT '{}'`)
    await runner.query(`ALTER TABLE "sessions" ADD "ip" text`)
    await runner.query(`ALTER TABLE "sessions" ADD "user_agent" text`)
    await runner.query(`ALTER TABLE "signing_keys" ADD "active_from" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now()`)
    await runner.query(`UPDATE "signing_keys" SET "active_from" = "created_at"`)
    await runner.query(`CREATE UNIQUE INDEX "users_patient" ON "users"  ("patient_id") `)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX "public"."users_patient"`)
    await runner.query(`ALTER TABLE "signing_keys" DROP COLUMN "active_from"`)
    await runner.query(`ALTER TABLE "sessions" DROP COLUMN "user_agent"`)
    await runner.query(`ALTER TABLE "sessions" DROP COLUMN "ip"`)
    await runner.query(`ALTER TABLE "users" DROP COLUMN "recovery_hashes"`)
    await runner.query(`ALTER TABLE "users" DROP COLUMN "totp_step"`)
    await runner.query(`ALTER TABLE "users" DROP COLUMN "totp_enabled"`)
    await runner.query(`ALTER TABLE "users" DROP COLUMN "totp_sealed"`)
    await runner.query(`DROP INDEX "public"."service_accounts_name"`)
    await runner.query(`DROP TABLE "service_accounts"`)
    await runner.query(`DROP INDEX "public"."attempts_updated"`)
    await runner.query(`DROP TABLE "attempts"`)
    await runner.query(`DROP INDEX "public"."password_resets_token"`)
    await runner.query(`DROP INDEX "public"."password_resets_user"`)
    await runner.query(`DROP TABLE "password_resets"`)
  }
}
