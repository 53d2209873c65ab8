import type { MigrationInterface, QueryRunner } from 'typeorm'

export class Mrns1795575500000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // The last digit checks the others, by Luhn (ISO/IEC 7812-1 annex B): every single wrong digit is found, and most swaps of
    // neighbours. Made where the chart is, so that it costs no turn of its own.
    await runner.query(
      `CREATE FUNCTION new_mrn() RETURNS text LANGUAGE sql AS $$
         SELECT digits || (10 - sum(CASE WHEN place % 2 = 1 THEN digit * 2 / 10 + digit * 2 % 10 ELSE digit END) % 10) % 10
         FROM (SELECT (1000000 + nextval('patients_mrn'))::text AS digits) AS number,
           LATERAL (SELECT place, substr(reverse(digits), place, 1)::int AS digit FROM generate_series(1, length(digits)) AS place) AS each
         GROUP BY digits
       $$`,
    )
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION new_mrn')
  }
}
