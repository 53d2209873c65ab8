import Joi from 'joi'
import { route, type Route } from '@caregate/common/route'
import type { Directory } from '@caregate/common/registry'
import { SERVICES } from '@caregate/common/services'
import { nothing } from '@caregate/common/validate'

const status = Joi.string().valid('healthy', 'degraded', 'unhealthy').required()

/** The state of the whole platform: healthy with every service there, unhealthy when the edge can serve none. */
export function healthRoute(directory: Directory, version: string): Route {
  return route({
    method: 'get',
    path: '/health',
    root: true,
    summary: 'State of the platform',
    policy: 'public',
    event: null,
    params: nothing,
    query: nothing,
    body: nothing,
    answer: {
      status: 200,
      description: 'The state; 503 with the same body when no service can be reached',
      schema: Joi.object({
        status,
        version: Joi.string().required(),
        services: Joi.object()
          .pattern(Joi.string(), Joi.object({ status, instances: Joi.number().integer().required() }))
          .required(),
      }),
    },
    errors: [],
    async handle() {
      const counts = SERVICES.map((service) => [service, directory.instances(service).length] as const)
      const up = counts.filter(([, instances]) => instances > 0).length
      const overall = up === counts.length ? 'healthy' : up > 0 ? 'degraded' : 'unhealthy'
      return {
        status: up > 0 ? 200 : 503,
        body: {
          status: overall,
          version,
          services: Object.fromEntries(
            counts.map(([service, instances]) => [service, { status: instances ? 'healthy' : 'unhealthy', instances }]),
          ),
        },
      }
    },
  })
}
