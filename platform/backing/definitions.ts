import { createHash, randomBytes } from 'node:crypto'
import {
  auditExchange,
  auditQueue,
  deadLetterQueue,
  revocationExchange,
  streamExchange,
  topology,
} from '@caregate/common/broker'
import { byService } from '@caregate/common/services'

const exactly = (...names: string[]) => `^(${names.map((name) => name.replaceAll('.', '\\.')).join('|')})$`
/** Queues that the stream's readers make: of these names alone, and emptied or removed before they fill the broker. */
const STREAM_QUEUES = '^stream\\.'
/** What the broker calls queues that are one connection's own. */
const OWN_QUEUES = '^amq\\.gen-'

/**
 * The broker's users, and what each may make, write to and read. Where processes have users of their own, none of them
 * can read another's events, speak in auth's name or remove what all depend on.
 */
const rights = {
  /** All processes in one, where they trust each other. */
  caregate: { configure: '.*', write: '.*', read: '.*' },
  gateway: {
    configure: OWN_QUEUES,
    write: `${OWN_QUEUES}|${exactly(auditExchange)}`,
    read: `${OWN_QUEUES}|${exactly(revocationExchange)}`,
  },
  ...byService(() => ({ configure: '', write: exactly(auditExchange), read: '' })),
  auth: { configure: '', write: exactly(auditExchange, revocationExchange), read: '' },
  audit: {
    configure: '',
    write: exactly(auditExchange, streamExchange),
    read: exactly(auditQueue, deadLetterQueue),
  },
  stream: { configure: STREAM_QUEUES, write: STREAM_QUEUES, read: `${STREAM_QUEUES}|${exactly(streamExchange)}` },
}

/**
 * What the broker is to hold from its start on, in the format that all its versions load without a plugin.
 * @param passwords of the users that there are to be
 */
export function definitions(
  passwords: Partial<Record<keyof typeof rights, string>>,
  furtherVhosts: string[] = [],
): string {
  const vhosts = ['/', ...furtherVhosts]
  const users = Object.keys(passwords) as (keyof typeof rights)[]
  const inEach = <T extends object>(things: T[]) =>
    vhosts.flatMap((vhost) => things.map((thing) => ({ vhost, ...thing })))
  return JSON.stringify({
    users: users.map((name) => user(name, passwords[name]!)),
    vhosts: vhosts.map((name) => ({ name })),
    permissions: inEach(users.map((name) => ({ user: name, ...rights[name] }))),
    policies: inEach([
      {
        name: 'stream',
        pattern: STREAM_QUEUES,
        'apply-to': 'queues',
        priority: 0,
        definition: { 'max-length-bytes': 256 * 2 ** 20, expires: 7 * 24 * 3_600_000 },
      },
    ]),
    exchanges: inEach(Object.entries(topology.exchanges).map(([name, type]) => ({ name, type, ...lasting }))),
    queues: inEach(
      Object.entries(topology.queues).map(([name, settings]) => ({ name, ...lasting, arguments: settings })),
    ),
    bindings: inEach(
      topology.bindings.map(({ exchange, queue, key }) => ({
        source: exchange,
        destination: queue,
        destination_type: 'queue',
        routing_key: key,
        arguments: {},
      })),
    ),
  })
}
const lasting = { durable: true, auto_delete: false, internal: false, arguments: {} }

function user(name: keyof typeof rights, password: string): object {
  const salt = randomBytes(4)
  const hash = Buffer.concat([salt, createHash('sha256').update(salt).update(password).digest()])
  return {
    name,
    password_hash: hash.toString('base64'),
    hashing_algorithm: 'rabbit_password_hashing_sha256',
    // without tags it can't so much as look at the management interface
    tags: name === 'caregate' ? 'administrator' : '',
    ...(name === 'stream' && { limits: { 'max-connections': 50, 'max-channels': 100 } }),
  }
}
