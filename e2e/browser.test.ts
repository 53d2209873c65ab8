import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { freePort } from '../platform/processes.ts'
import { keepShot, openBrowser, openPage } from './browser.ts'
import { openTestPlatform } from './platform.ts'

/** Where the pages of two other origins come from; the gateway allows the first alone. */
const origins: { url: string; server: Server }[] = []
let platform: Awaited<ReturnType<typeof openTestPlatform>>
let browser: Browser
let clinician: { email: string; token: string }

beforeAll(async () => {
  for (const port of [await freePort(), await freePort()]) {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><link rel="icon" href="data:,">')
    })
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    origins.push({ url: `http://127.0.0.1:${port}`, server })
  }
  platform = await openTestPlatform({ env: { CORS_ORIGINS: origins[0]!.url } })
  clinician = await platform.addStaff('clinician', 'registrar')
  browser = await openBrowser()
}, 300_000)
afterAll(async () => {
  await browser?.close()
  await platform?.close()
  for (const { server } of origins) server.close()
})

test('/docs: whoever signs in there can try a request, under the policy that is shipped', async () => {
  const { page, complaints, hosts, close } = await openPage(browser)
  const response = await page.goto(`${platform.gateway}/docs`)
  const policy = response!.headers()['content-security-policy']
  expect(policy).toMatch("default-src 'none'")
  expect(policy).toMatch(/script-src 'self'(;|$)/)

  await page.getByRole('button', { name: 'Authorize' }).first().click()
  const dialog = page.locator('.modal-ux')
  await dialog.locator('input').fill(clinician.token)
  await dialog.getByRole('button', { name: 'Apply credentials' }).click()
  await dialog.getByRole('button', { name: 'Close' }).click()

  const operation = page.locator('.opblock').filter({ hasText: 'Read the own account' })
  await operation.locator('.opblock-summary-control').click()
  await operation.getByRole('button', { name: 'Try it out' }).click()
  await operation.getByRole('button', { name: 'Execute' }).click()
  const answer = operation.locator('.live-responses-table')
  await answer.waitFor()
  expect(await answer.locator('.response-col_status').last().innerText()).toMatch(/^200/)
  expect(await answer.locator('.response-col_description').last().innerText()).toContain(clinician.email)
  await answer.scrollIntoViewIfNeeded()
  await keepShot(page, 'docs')

  expect(complaints).toEqual([])
  expect(hosts()).toEqual(['127.0.0.1'])
  await close()
}, 60_000)

test('/redoc shows every operation', async () => {
  const { page, complaints, hosts, close } = await openPage(browser)
  await page.goto(`${platform.gateway}/redoc`)
  const headings = page.getByRole('heading', { level: 2 })
  await headings.filter({ hasText: 'Read the own account' }).waitFor()
  const { paths } = (await platform.call('GET', '/openapi.json')).body
  const summaries = Object.values<Record<string, { summary: string }>>(paths).flatMap((path) =>
    Object.values(path).map(({ summary }) => summary),
  )
  expect(summaries.length).toBeGreaterThan(20)
  const shown = (await headings.allInnerTexts()).map((text) => text.trim())
  expect(shown).toEqual(expect.arrayContaining(summaries))
  await headings.filter({ hasText: 'Read the own account' }).scrollIntoViewIfNeeded()
  await keepShot(page, 'redoc')

  expect(complaints).toEqual([])
  expect(hosts()).toEqual(['127.0.0.1'])
  await close()
}, 60_000)

test('/docs/errors, which every problem links to, explains its code', async () => {
  const { page, complaints, hosts, close } = await openPage(browser)
  const refused = await platform.call('GET', '/api/v1/auth/me')
  await page.goto(new URL(refused.body.type, platform.gateway).href)
  expect(await page.locator('dt:target').innerText()).toMatch('unauthorized')
  expect(complaints).toEqual([])
  expect(hosts()).toEqual(['127.0.0.1'])
  await close()
}, 60_000)

/** What a script in a page of this origin gets to read of a chart, made and then opened there. */
async function openChartFrom(origin: string) {
  const { page, hosts, close } = await openPage(browser)
  await page.goto(origin)
  const chart = { name: { given: ['Ola'], family: 'Nordmann' }, birthDate: '1970-01-01', sex: 'female' }
  const seen = await page.evaluate(
    async ({ url, token, body }) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const read = (answer: Response) => ({
        status: answer.status,
        headers: Object.fromEntries(
          ['etag', 'location', 'x-request-id'].map((name) => [name, answer.headers.get(name)]),
        ),
      })
      try {
        const created = await fetch(`${url}/api/v1/patients`, { method: 'POST', headers, body })
        const opened = await fetch(url + created.headers.get('location'), { headers })
        return { created: read(created), opened: { ...read(opened), chart: await opened.json() } }
      } catch (error) {
        return (error as Error).name
      }
    },
    { url: platform.gateway, token: clinician.token, body: JSON.stringify(chart) },
  )
  expect(hosts()).toEqual(['127.0.0.1'])
  await close()
  return seen
}

test('a page of an allowed origin opens a chart and reads its version, its place and the id of the request', async () => {
  expect(await openChartFrom(origins[0]!.url)).toMatchObject({
    created: {
      status: 201,
      headers: { etag: '"1"', location: expect.stringMatching(/^\/api\/v1\/patients\/[0-9a-f-]{36}$/) },
    },
    opened: {
      status: 200,
      headers: { etag: '"1"', 'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/) },
      chart: { name: { family: 'Nordmann' } },
    },
  })
}, 60_000)

test('a page of any other origin can not read an answer', async () => {
  const { token } = clinician
  const count = async () => (await platform.call('GET', '/api/v1/patients', { token })).body.items.length
  const before = await count()
  expect(await openChartFrom(origins[1]!.url)).toBe('TypeError')
  // the browser asked first, and made nothing
  expect(await count()).toBe(before)
}, 60_000)
