/** Whether each part of a running platform is there and found by the others: for what takes them away. */
import { byService, SERVICES, type Service } from '@caregate/common/services'
import { checkConsul } from './backing/consul.ts'
import { checkPostgres } from './backing/postgres.ts'
import { checkRabbitmq } from './backing/rabbitmq.ts'
import type { Platform } from './platform.ts'

export const PARTS = ['gateway', ...SERVICES, 'rabbitmq', 'postgres', 'consul'] as const
export type Part = (typeof PARTS)[number]

const orFalse = (check: Promise<boolean>): Promise<boolean> => check.catch(() => false)
const fetched = (url: string) => fetch(url, { signal: AbortSignal.timeout(2000) })

export function buildVitals({ gateway, backing }: Pick<Platform['info'], 'gateway' | 'backing'>) {
  /** How many instances of a service Consul says pass. */
  async function passing(service: Service): Promise<number> {
    const answer = await fetched(`${backing.consul}/v1/health/service/${service}?passing=true`)
    return ((await answer.json()) as unknown[]).length
  }

  /** Whether the gateway sends requests to one instance. */
  async function isRouted(service: Service): Promise<boolean> {
    const answer = await fetched(`${gateway}/health`)
    const { services } = (await answer.json()) as { services: Record<string, { instances: number }> }
    return services[service]!.instances === 1
  }

  const isThere: Record<Part, () => Promise<boolean>> = {
    gateway: async () => (await fetched(`${gateway}/health/ready`)).ok,
    ...byService((service) => () => isRouted(service)),
    rabbitmq: () => checkRabbitmq(backing.amqp),
    postgres: () => checkPostgres(backing.postgres),
    consul: () => checkConsul(backing.consul!),
  }
  return {
    isThere: (part: Part) => orFalse(isThere[part]()),
    /** All parts are there, and Consul says of every service that it passes. */
    async isWhole(): Promise<boolean> {
      const there = await Promise.all(PARTS.map((part) => orFalse(isThere[part]())))
      const counts = await Promise.all(SERVICES.map(passing)).catch(() => [])
      return there.every(Boolean) && counts.length > 0 && counts.every((count) => count === 1)
    },
  }
}
