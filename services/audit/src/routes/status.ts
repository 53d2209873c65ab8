import Joi from 'joi'
import { attempt } from '@caregate/common/metrics'
import type { Outbox } from '@caregate/common/outbox'
import { route, type Route } from '@caregate/common/route'
import { nothing, type Schema } from '@caregate/common/validate'
import { readQueues, type HealthDeps } from '../health.ts'
import { findPartitionsUntil } from '../partitions.ts'
import { readLogState } from '../repository.ts'

export interface StatusDeps extends HealthDeps {
  outbox: Pick<Outbox, 'backlog'>
}

const count = (): Joi.NumberSchema => Joi.number().integer().min(0).allow(null).required()
const moment = (): Joi.StringSchema => Joi.string().isoDate().allow(null).required()
export const statusAnswer: Schema<unknown> = Joi.object({
  size: count().description('Events in the log'),
  storedAt: moment().description('Of the last event'),
  perMinute: count().description('Events that were stored within the last minute'),
  ingestLagMs: Joi.number()
    .min(0)
    .allow(null)
    .required()
    .description('From occurring to being stored: the median of the last hundred events'),
  queued: count().description('Messages that wait to be stored'),
  deadLetters: count().description('Messages that are no events'),
  outbox: Joi.object({
    rows: count().description('Events of this service that wait to be published, counted up to 100000'),
    oldestSeconds: Joi.number().min(0).allow(null).required(),
  }).required(),
  checkpoint: Joi.object({ size: count(), storedAt: moment() }).required(),
  witness: Joi.object({ size: count() }).allow(null).required().description('The newest checkpoint that it signed'),
  verification: Joi.object({
    state: Joi.string().valid('verifying', 'verified', 'failed').required(),
    size: count(),
    completedAt: moment(),
    problems: Joi.array().items(Joi.string()).required(),
  }).required(),
  partitionsUntil: moment().description('When events can be stored no more unless further partitions are made'),
})

export function statusRoutes({ db, broker, outbox, verification }: StatusDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/audit/status',
      summary: 'How the log gets on; null for what can’t be had at the moment',
      policy: ['auditor'],
      event: null,
      params: nothing,
      query: nothing,
      body: nothing,
      answer: { status: 200, description: 'Its health', schema: statusAnswer },
      errors: [],
      async handle() {
        const [log, queues, backlog, partitionsUntil = null] = await Promise.all([
          attempt(() => readLogState(db.manager)),
          attempt(() => readQueues(broker)),
          attempt(() => outbox.backlog()),
          attempt(async () => (await findPartitionsUntil(db.manager, new Date())) ?? new Date()),
        ])
        const { size = null, storedAt = null, perMinute = null, ingestLagMs = null, witnessed = null } = log ?? {}
        const { queued = null, deadLetters = null } = queues ?? {}
        const { rows = null, oldestSeconds = null } = backlog ?? {}
        return {
          body: {
            size,
            storedAt,
            perMinute,
            ingestLagMs: ingestLagMs && Math.max(0, ingestLagMs),
            queued,
            deadLetters,
            outbox: { rows, oldestSeconds },
            checkpoint: { size, storedAt },
            witness: witnessed === null ? null : { size: witnessed },
            verification: verification.status,
            partitionsUntil,
          },
        }
      },
    }),
  ]
}
