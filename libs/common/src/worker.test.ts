import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from '@jest/globals'
import { until } from './testing/until.ts'
import { openWorker, type Worker } from './worker.ts'

const failed = (error: unknown): never => {
  throw error
}
const opened: Worker[] = []
function open(...args: Parameters<typeof openWorker>): Worker {
  const worker = openWorker(...args)
  opened.push(worker)
  return worker
}
afterEach(async () => {
  for (const worker of opened.splice(0)) await worker.close()
})

test('a worker that is closed finishes what there is to do, and does nothing more', async () => {
  let left = 20
  const worker = open(60_000, async () => (await sleep(10), --left > 0), failed)
  worker.wake()
  await worker.close()
  expect(left).toBe(0)
  worker.wake()
  await sleep(30)
  expect(left).toBe(0)
})

test('it ends although there is always more, after five seconds', async () => {
  const worker = open(60_000, async () => (await sleep(10), true), failed)
  worker.wake()
  const began = performance.now()
  await worker.close()
  expect(performance.now() - began).toBeLessThan(7000)
  expect(performance.now() - began).toBeGreaterThan(4000)
})

test('it works every so often though nobody wakes it, and not once it is closed', async () => {
  let steps = 0
  const worker = open(20, async () => (steps++, false), failed)
  await until(() => steps >= 3)
  await worker.close()
  const done = steps
  await sleep(100)
  expect(steps).toBe(done)
})

test('what a step throws is told, and the next wake tries again', async () => {
  const told: unknown[] = []
  const error = new Error('the first')
  let steps = 0
  const worker = open(
    60_000,
    async () => {
      if (++steps === 1) throw error
      return false
    },
    (one) => told.push(one),
  )
  worker.wake()
  await until(() => told.length > 0)
  expect(told).toEqual([error])
  worker.wake()
  await until(() => steps === 2)
  expect(told).toHaveLength(1)
})

test('a wake while it works is not lost, and never makes it work twice at once', async () => {
  let [steps, atOnce, most] = [0, 0, 0]
  let goOn = (): void => {}
  const worker = open(
    60_000,
    async () => {
      steps++
      most = Math.max(most, ++atOnce)
      await new Promise<void>((resolve) => (goOn = resolve))
      atOnce--
      return false
    },
    failed,
  )
  worker.wake()
  await until(() => steps === 1)
  worker.wake()
  worker.wake()
  goOn()
  await until(() => steps === 2)
  goOn()
  await worker.close()
  expect([steps, most]).toEqual([2, 1])
})
