import { isIP } from 'node:net'
import Joi from 'joi'
import { integer, list, processKeys, tokenKeys, type Config, type Key } from '@caregate/common/config'

/** `*` is for development: in production the names must be given. */
const openList = (): Key<string[]> =>
  (list('*') as Joi.Schema).when('NODE_ENV', {
    is: 'production',
    then: Joi.string().required().invalid('*').messages({ 'any.invalid': '{{#label}} must not be * in production' }),
  })

const networkList = (): Key<string[]> =>
  (list('') as Joi.Schema).custom((entries: string[], helpers) => {
    const wrong = entries.find((entry) => {
      const [, address = '', bits] = /^(.+)\/(\d{1,3})=\d{1,7}$/.exec(entry) ?? []
      return !isIP(address) || Number(bits) > (isIP(address) === 4 ? 32 : 128)
    })
    return wrong ? helpers.message({ custom: `{{#label}} has to look like 10.1.0.0/16=6000` }) : entries
  })

export const keys = {
  ...processKeys,
  ...tokenKeys,
  PORT: integer(8000, 0, 65_535),
  /** For Prometheus; never the port that clients reach. */
  METRICS_PORT: integer(9464, 0, 65_535),
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
  /** Tries a minute of an address to sign in, register or refresh: passwords and tokens are guessed there. */
  RATE_LIMIT_CREDENTIALS_PER_MINUTE: integer(30, 1, 1_000_000),
  /** Known networks' own allowance for each address, e.g. `10.1.0.0/16=6000`: many people may be behind one. */
  RATE_LIMIT_NETWORKS: networkList(),
  /** Counters and public answers that several gateways share; without it each has its own. */
  REDIS_URL: Joi.string().uri({ scheme: ['redis', 'rediss'] }) as Key<string | undefined>,
  /** Requests a minute of a signed-in user. */
  RATE_LIMIT_PER_MINUTE_SIGNED_IN: integer(1200, 1, 1_000_000),
  /** With DISCOVERY=static: `auth=http://…,patients=http://…,audit=http://…`. */
  SERVICES: list(''),
}
export type GatewayConfig = Config<typeof keys>
