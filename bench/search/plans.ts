import type { EventEmitter } from 'node:events'
import type { Database } from '@caregate/common/database'
import type { FieldKeys } from '../../services/patients/src/field-keys.ts'
import { findPatients, type PatientFilter } from '../../services/patients/src/search/repository.ts'

/** Filters stand in them, so what they say is of people who don't exist. */
const settings = `
  LOAD 'auto_explain';
  SET LOCAL auto_explain.log_min_duration = 0;
  SET LOCAL auto_explain.log_level = 'notice';
  SET LOCAL auto_explain.log_analyze = on;
  SET LOCAL auto_explain.log_timing = off;
  SET LOCAL auto_explain.log_parameter_max_length = 0`

/** Has Postgres say how it ran each statement of a search. @param db of a superuser */
export async function showPlans(db: Database, keys: FieldKeys, filters: Record<string, PatientFilter>): Promise<void> {
  const nobody = { userId: '00000000-0000-0000-0000-000000000000', everything: false }
  function tell({ message = '' }: { message?: string }): void {
    // the service itself asks how many rows there would be
    if (message.includes('Query Text: EXPLAIN')) return
    const plan = message
      .replace(/^duration: .*\n/, '')
      .replace(/Query Text:[^]*?\n(?=[A-Z][\w ]+ {2}\()/, '')
      .replaceAll(/ {2}\(cost=[^)]*\)/g, '')
    console.log(`${plan}\n`)
  }
  for (const [title, filter] of Object.entries(filters)) {
    console.log(`\n### ${title}\n`)
    const heard = await db.transaction(async (tx) => {
      const client = (await tx.queryRunner!.connect()) as EventEmitter
      await tx.query(settings)
      client.on('notice', tell)
      await findPatients(tx, keys, nobody, filter, undefined, 21)
      return client
    })
    // the last statement is told of when it is closed
    heard.off('notice', tell)
  }
}
