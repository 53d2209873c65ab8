import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { openWorker } from './worker.ts'

const failed = (error: unknown): never => {
  throw error
}

test('a worker that is closed finishes what there is to do', async () => {
  let left = 20
  const worker = openWorker(60_000, async () => (await sleep(10), --left > 0), failed)
  worker.wake()
  await worker.close()
  expect(left).toBe(0)
  worker.wake()
  await sleep(30)
  expect(left).toBe(0)
})

test('it ends although there is always more', async () => {
  const worker = openWorker(60_000, async () => (await sleep(10), true), failed)
  worker.wake()
  const began = performance.now()
  await worker.close()
  expect(performance.now() - began).toBeLessThan(7000)
})
