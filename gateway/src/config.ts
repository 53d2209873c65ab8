import Joi from 'joi'
import { integer, list, processKeys, tokenKeys, type Config, type Key } from '@caregate/common/config'

/** `*` is for development: in production the names must be given. */
const openList = (): Key<string[]> =>
  (list('*') as Joi.Schema).when('NODE_ENV', {
    is: 'production',
    then: Joi.string().required().invalid('*').messages({ 'any.invalid': '{{#label}} must not be * in production' }),
  })

export const keys = {
  ...processKeys,
  ...tokenKeys,
  PORT: integer(8000, 0, 65_535),
  /** Host names that are answered; `*.example.org` is every name below. */
  ALLOWED_HOSTS: openList(),
  /** Origins whose pages may read answers. */
  CORS_ORIGINS: openList(),
  /** CIDRs of proxies in front, whose forwarding headers set the client's address. */
  TRUSTED_PROXIES: list(''),
  /** CIDRs and names of services' instances: what the registry names beyond them is not asked. */
  UPSTREAM_NETWORKS: list('127.0.0.0/8,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7'),
  /** Requests a minute of an address that isn't signed in. */
  RATE_LIMIT_PER_MINUTE: integer(60, 1, 1_000_000),
  /** Requests a minute of a signed-in user. */
  RATE_LIMIT_PER_MINUTE_SIGNED_IN: integer(1200, 1, 1_000_000),
  /** With DISCOVERY=static: `auth=http://…,patients=http://…,audit=http://…`. */
  SERVICES: list(''),
}
export type GatewayConfig = Config<typeof keys>
