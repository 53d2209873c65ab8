import { auditQueue, deadLetterQueue, type Broker } from '@caregate/common/broker'
import type { Database } from '@caregate/common/database'
import type { Metrics } from '@caregate/common/metrics'
import type { IngestListener } from './ingest.ts'
import { findPartitionsUntil } from './partitions.ts'
import { readLogState } from './repository.ts'
import type { Verification } from './verification.ts'

/** What the log's health is read from. */
export interface HealthDeps {
  db: Pick<Database, 'manager'>
  broker: Pick<Broker, 'depth'>
  verification: Pick<Verification, 'status'>
}

const lagBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600]

/** Numbers of what this process takes from the queue. */
export function buildIngestMetrics(metrics: Metrics): IngestListener {
  const stored = metrics.counter('caregate_audit_events_stored_total', 'Events that this process stored in the log')
  const rejected = metrics.counter(
    'caregate_audit_rejected_total',
    'Messages that this process found to be no events: they are dead letters',
  )
  const lag = metrics.histogram(
    'caregate_audit_ingest_lag_seconds',
    'From when an event occurred to when this process stored it, by the clocks of both: of the oldest event of each batch',
    lagBuckets,
  )
  return {
    stored(batch, added) {
      stored(added.length)
      // texts compare like the moments that they are, to the second; parsing each would cost more than all the rest here
      const oldest = batch.reduce((least, { occurredAt }) => (occurredAt < least ? occurredAt : least), '~')
      // clocks may differ
      lag(Math.max(0, Date.now() - Date.parse(oldest)) / 1000)
    },
    rejected: () => rejected(1),
  }
}

/** Messages that wait, by what is wrong with them: nothing, or that they are no events. */
export async function readQueues(broker: HealthDeps['broker']): Promise<{ queued: number; deadLetters: number }> {
  const [queued, deadLetters] = await Promise.all([broker.depth(auditQueue), broker.depth(deadLetterQueue)])
  return { queued, deadLetters }
}

/** What any audit process sees of the log, whoever stores. */
export function measureLog(metrics: Metrics, { db, broker, verification }: HealthDeps): void {
  metrics.gauges(
    {
      caregate_audit_log_size: 'Events in the log',
      caregate_audit_witnessed_size: 'Events in the newest checkpoint that a witness has signed',
    },
    async () => {
      const { size, witnessed } = await readLogState(db.manager)
      return { caregate_audit_log_size: size, caregate_audit_witnessed_size: witnessed }
    },
  )
  metrics.gauges(
    {
      caregate_audit_partitions_until_timestamp_seconds:
        'When events can be stored no more unless further partitions are made',
    },
    async () => {
      const until = (await findPartitionsUntil(db.manager, new Date())) ?? new Date()
      return { caregate_audit_partitions_until_timestamp_seconds: until.getTime() / 1000 }
    },
  )
  metrics.gauges(
    {
      caregate_audit_queue_messages: 'Messages in the queue audit.store that nobody has taken yet',
      caregate_audit_dead_letters: 'Messages in the queue audit.dead-letters',
    },
    async () => {
      const { queued, deadLetters } = await readQueues(broker)
      return { caregate_audit_queue_messages: queued, caregate_audit_dead_letters: deadLetters }
    },
  )
  metrics.gauges(
    {
      caregate_audit_verification_problems: 'What the last verification of the log found',
      caregate_audit_verified_size: 'Events that were verified',
      caregate_audit_verification_completed_timestamp_seconds: 'When the last verification of the log was complete',
    },
    async () => {
      const { problems, size, completedAt } = verification.status
      return {
        caregate_audit_verification_problems: problems.length,
        caregate_audit_verified_size: size,
        caregate_audit_verification_completed_timestamp_seconds: completedAt && completedAt.getTime() / 1000,
      }
    },
  )
}
