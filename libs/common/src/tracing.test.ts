import { spawnSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { until } from './testing/until.ts'
import { openCollector } from './testing/collector.ts'
import { loadConfig, processKeys } from './config.ts'
import { quietLog } from './testing/service.ts'
import { startTracing, tracer } from './tracing.ts'

const collectorAt = (url: string, more: NodeJS.ProcessEnv = {}) =>
  loadConfig(processKeys, {
    AMQP_URL: 'amqp://mq',
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_BSP_SCHEDULE_DELAY: '50',
    ...more,
  })

/** What of OpenTelemetry a process loads that has everything of ours that traces, besides the interfaces, which prom-client has. */
function loaded(env: NodeJS.ProcessEnv): string[] {
  const url = (file: string) => pathToFileURL(join(import.meta.dirname, file)).href
  const program = `
    import { registerHooks } from 'node:module'
    registerHooks({ load(url, context, next) {
      if (url.includes('/@opentelemetry/')) console.log(url.split('/@opentelemetry/')[1].split('/')[0])
      return next(url, context)
    } })
    for (const file of ['app', 'broker', 'outbox', 'run']) await import('${url('')}/' + file + '.ts')
    const { startTracing } = await import('${url('tracing.ts')}')
    const { loadConfig, processKeys } = await import('${url('config.ts')}')
    const end = await startTracing('a-service', loadConfig(processKeys, process.env), { info() {} })
    await end?.()`
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program]
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    env: { PATH: process.env.PATH, AMQP_URL: 'amqp://mq', ...env },
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  return [...new Set(stdout.split('\n').filter((name) => name && name !== 'api'))]
}

test('without a collector nothing of OpenTelemetry is loaded', () => {
  expect(loaded({})).toEqual([])
  const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://127.0.0.1:1'
  expect(loaded({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED: 'true' })).toEqual([])
  expect(loaded({ OTEL_EXPORTER_OTLP_ENDPOINT })).toContain('sdk-trace')
})

test('the sampler is OTEL_TRACES_SAMPLER’s, and the resource OTEL_RESOURCE_ATTRIBUTES’', async () => {
  const collector = await openCollector()
  const parent = (flags: string) => `00-${'a'.repeat(32)}-${'b'.repeat(16)}-${flags}`
  const sampled = async (OTEL_TRACES_SAMPLER: string, OTEL_TRACES_SAMPLER_ARG = '1') => {
    const config = collectorAt(collector.url, { OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG })
    const end = await startTracing('a-service', config, quietLog)
    const spans = [undefined, parent('01'), parent('00')].map((from) => tracer!.start('server', 'x', {}, from))
    await end!()
    return spans.map((span) => span.sampled)
  }
  expect(await sampled('always_on')).toEqual([true, true, true])
  expect(await sampled('always_off')).toEqual([false, false, false])
  expect(await sampled('traceidratio', '0')).toEqual([false, false, false])
  expect(await sampled('parentbased_always_on')).toEqual([true, true, false])
  expect(await sampled('parentbased_always_off')).toEqual([false, true, false])
  expect(await sampled('parentbased_traceidratio', '0')).toEqual([false, true, false])
  await collector.close()
})

test('a collector that is away is told of once, and at the end nothing is waited for in vain', async () => {
  const warnings: string[] = []
  const log = { ...quietLog, info() {}, warning: (message: string) => void warnings.push(message) }
  const end = await startTracing('a-service', collectorAt('http://127.0.0.1:1', { OTEL_BSP_SCHEDULE_DELAY: '1' }), log)
  for (let n = 0; n < 3; n++) tracer!.start('server', 'x', {}, undefined).end()
  await until(() => warnings.length === 1, 20)
  tracer!.start('server', 'x', {}, undefined).end({}, new Error('of a value'))
  await end!()
  expect(warnings).toEqual(['traces could not be sent, and are lost'])
  expect(tracer).toBeUndefined()
}, 60_000)
