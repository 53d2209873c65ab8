import type { Service } from '@caregate/common/services'

/** What a backup knows of each service; all else of its database is carried as it is. */
export interface ServiceFacts {
  /** A table that only this service has: its database can't be taken for another's, or for an empty one. */
  table: string
  /** SQL that answers what to find again after a restore, as text. */
  mark?: string
  /** SQL that is run in what was restored. */
  afterRestore?: string
}

const facts: Record<Service, ServiceFacts> = {
  auth: {
    table: 'users',
    // those that were ended since would live again
    afterRestore: 'UPDATE sessions SET ended_at = now() WHERE ended_at IS NULL',
  },
  patients: { table: 'patients' },
  // the signed head of the log: its name, size and root
  audit: { table: 'event_ids', mark: 'SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1' },
}

export const factsOf = (service: Service): ServiceFacts => facts[service]
