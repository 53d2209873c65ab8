import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { expect, test } from '@jest/globals'
import { assertPortFree, freePort, memoryOf } from './processes.ts'

test('a taken port names its holder', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await expect(assertPortFree(port)).rejects.toThrow(
    new RegExp(`^Port ${port} is taken by pid ${process.pid} \\(.*node.*\\)`),
  )
  server.close()
  await once(server, 'close')
  await assertPortFree(port)
})

test('free ports are given out once and lie below those that the system gives to clients', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()))
  expect(new Set(ports).size).toBe(20)
  expect(Math.max(...ports)).toBeLessThan(30_000)
})

test('memory is summed over a process and its children', () => {
  expect(memoryOf([process.pid])).toBeGreaterThan(20 * 2 ** 20)
})
