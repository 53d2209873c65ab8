import type { MigrationInterface, QueryRunner } from 'typeorm'

export class Traces1795777000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE "outbox" ADD "traceparent" text')
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE "outbox" DROP "traceparent"')
  }
}
