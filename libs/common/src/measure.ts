import type { Broker } from './broker.ts'
import { poolOf, type Database } from './database.ts'
import { localsOf, type Meter } from './http.ts'
import type { Metrics } from './metrics.ts'
import type { Outbox } from './outbox.ts'

export interface ServiceParts {
  db: Pick<Database, 'manager'>
  broker: Pick<Broker, 'connected'>
  outbox: Pick<Outbox, 'backlog'>
}

/** What every service has: a database, whose outbox it empties to the broker. */
export function measureService(metrics: Metrics, { db, broker, outbox }: ServiceParts): void {
  measureBroker(metrics, broker)
  // before anything is read from the database, which takes a connection
  metrics.gauges(
    {
      caregate_db_pool_max: 'Database connections that the pool of requests may have',
      caregate_db_pool_waiting: 'Those who wait for a database connection',
    },
    () => {
      const { options, waitingCount } = poolOf(db.manager)
      return { caregate_db_pool_max: options.max, caregate_db_pool_waiting: waitingCount }
    },
  )
  metrics.gauges(
    { caregate_db_pool_connections: 'Database connections of the pool of requests' },
    () => {
      const { idleCount, totalCount } = poolOf(db.manager)
      const states = { idle: idleCount, busy: totalCount - idleCount }
      return { caregate_db_pool_connections: Object.entries(states).map(([state, count]) => [{ state }, count]) }
    },
    'state',
  )
  metrics.gauges(
    {
      caregate_outbox_rows: 'Events that wait in the outbox to be published, counted up to 100000',
      caregate_outbox_oldest_seconds: 'For how long the oldest of them has been waiting, 0 when there is none',
    },
    async () => {
      const { rows, oldestSeconds } = await outbox.backlog()
      return { caregate_outbox_rows: rows, caregate_outbox_oldest_seconds: oldestSeconds }
    },
  )
}

export function measureBroker(metrics: Metrics, broker: Pick<Broker, 'connected'>): void {
  metrics.gauges({ caregate_broker_connected: '1 while events can be published, 0 while the broker is away' }, () => ({
    caregate_broker_connected: Number(broker.connected),
  }))
}

/** In seconds, as OpenTelemetry advises. */
const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE'])
/** What proxies write in their logs of a client that went away before it was answered. */
const nobodyThere = '499'

/**
 * Rate, errors and duration of requests, by OpenTelemetry's names. A request lasts until its answer begins, as
 * `X-Process-Time` says it: what a client takes to read it, or a stream to end, is not the process's doing.
 */
export function measureRequests(metrics: Metrics): Meter {
  const observe = metrics.histogram(
    'http_server_request_duration_seconds',
    'From when a request was read to when its answer began',
    durationBuckets,
    'http_request_method',
    'http_route',
    'http_response_status_code',
  )
  let open = 0
  let streams = 0
  metrics.gauges(
    {
      http_server_active_requests: 'Requests whose answer has not ended yet, but for streams',
      http_server_active_streams: 'Streams that have not ended yet: imports, exports, server-sent events, WebSockets',
    },
    () => ({ http_server_active_requests: open - streams, http_server_active_streams: streams }),
  )
  // counted, not kept: a set of those that are open would cost the garbage collection of each a tenth of its request
  return {
    began: () => void open++,
    streams(res) {
      localsOf(res).streaming = true
      streams++
    },
    ended(res) {
      const { startedAt, answeredAt, measuredAs, streaming } = localsOf(res)
      open--
      if (streaming) streams--
      const method = res.req.method!
      observe(((answeredAt ?? performance.now()) - startedAt) / 1000, {
        http_request_method: knownMethods.has(method) ? method : '_OTHER',
        http_route: measuredAs,
        http_response_status_code: answeredAt === undefined ? nobodyThere : String(res.statusCode),
      })
    },
  }
}
