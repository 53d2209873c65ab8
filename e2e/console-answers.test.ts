import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Page, Route } from 'playwright-core'
import { until } from '@caregate/common/testing/until'
import { enter, goTo, live, openConsolePlatform, rows, unforeseen } from './console.ts'

let platform: Awaited<ReturnType<typeof openConsolePlatform>>
beforeAll(async () => {
  platform = await openConsolePlatform()
}, 300_000)
afterAll(() => platform?.close())

/** Holds the requests for a URL back, once, until they are let go. */
async function hold(page: Page, url: RegExp | string) {
  const { promise: asked, resolve: note } = Promise.withResolvers<void>()
  const { promise: free, resolve: letGo } = Promise.withResolvers<void>()
  const take = async (route: Route): Promise<void> => {
    note()
    await free
    // it may be wanted by nobody any more
    await route.continue().catch(() => {})
  }
  await page.route(url, take, { times: 1 })
  return { asked, letGo }
}
const reads = async (): Promise<number> => (await platform.events({ type: 'patients.patient.read' })).length
const successes = async (page: Page): Promise<number> =>
  Number(await page.locator('.legend .is-success dd').innerText())
const newestOf = async (page: Page): Promise<number> => Number(await rows(page).first().locator('.c-no').innerText())

test('older reviews that come too late are not put among others', async () => {
  const token = await platform.fresh(platform.auditor)
  await platform.fresh(platform.clinician)
  for (let n = 0; n < 60; n++) await platform.openChart()
  await until(async () => (await reads()) >= 60)
  for (const { id } of (await platform.events({ type: 'patients.patient.read' })).slice(0, 60))
    await platform.call('POST', '/api/v1/audit/reviews', { token, body: { eventId: id } })

  const { page, complaints, close } = await platform.openConsole()
  await enter(page, platform.auditor)
  await goTo(page, 'Reviews')
  const items = page.getByRole('listitem')
  await until(async () => (await items.count()) === 50)
  const older = await hold(page, /reviews\?.*cursor=/)
  await page.getByRole('button', { name: 'Load older' }).click()
  await older.asked
  const calledOff = page.waitForEvent('requestfailed', (request) => request.url().includes('cursor='))
  await page.getByRole('button', { name: 'Justified' }).click()
  await page.getByText('No justified reviews').waitFor()
  older.letGo()
  await calledOff
  await page.getByRole('button', { name: 'Open', exact: true }).click()
  await until(async () => (await items.count()) === 50)
  await page.getByRole('button', { name: 'Load older' }).click()
  await until(async () => (await items.count()) >= 60)
  expect(unforeseen(complaints)).toEqual([])
  await close()
}, 60_000)

test('a report names what it shows, not what is asked for meanwhile', async () => {
  await platform.fresh(platform.clinician)
  const other = await platform.newChart()
  const { page, complaints, close } = await platform.openConsole()
  await enter(page, platform.auditor)
  await goTo(page, 'Accesses')
  const report = page.getByRole('region', { name: 'Access report' })
  const show = async (id: string, from: string): Promise<void> => {
    await page.getByRole('textbox', { name: 'Patient' }).fill(id)
    await page.getByLabel('From').fill(from)
    await page.getByRole('button', { name: 'Show' }).click()
  }
  await show(platform.chart, '')
  await report.getByText(`Patient ${platform.chart}`, { exact: true }).waitFor()
  const next = await hold(page, `**/patients/${other}/accesses*`)
  await show(other, '2026-01-02')
  await next.asked
  expect(await report.innerText()).toContain(`Patient ${platform.chart}\n`)
  expect(await report.getAttribute('aria-busy')).toBe('true')
  next.letGo()
  await report.getByText(`Patient ${other}, from 2026-01-02`, { exact: true }).waitFor()
  await page.goBack()
  await report.getByText(`Patient ${platform.chart}`, { exact: true }).waitFor()
  expect(await page.getByLabel('From').inputValue()).toBe('')
  expect(unforeseen(complaints)).toEqual([])
  await close()
}, 60_000)

test('the chart counts each event once, whether the answer or the stream has it first', async () => {
  await platform.fresh(platform.clinician)
  const { page, close } = await platform.openConsole()
  await enter(page, platform.auditor)
  await live(page)
  await page.getByLabel('Type').selectOption('patients.patient.read')
  await live(page)
  const before = await reads()
  await until(async () => (await successes(page)) === before)

  // the answer is on its way when the stream has what it doesn't know
  let newest = await newestOf(page)
  const { promise: answered, resolve: noteAnswer } = Promise.withResolvers<void>()
  await page.route(
    '**/audit/activity*',
    async (route) => {
      const response = await route.fetch()
      await platform.openChart()
      await until(async () => (await newestOf(page)) > newest)
      await route.fulfill({ response })
      noteAnswer()
    },
    { times: 1 },
  )
  await page.getByRole('button', { name: '24 h' }).click()
  await answered
  await platform.openChart()
  await until(async () => (await successes(page)) === before + 2)

  // the stream is late with what the answer has
  const stream = await hold(page, '**/audit/stream*')
  await page.getByLabel('Action').selectOption('R')
  await stream.asked
  await platform.openChart()
  await until(async () => (await reads()) === before + 3)
  await page.getByRole('button', { name: '7 d' }).click()
  await until(async () => (await successes(page)) === before + 3)
  newest = await newestOf(page)
  stream.letGo()
  await platform.openChart()
  await until(async () => (await newestOf(page)) > newest)
  await until(async () => (await successes(page)) > before + 3)
  expect(await successes(page)).toBe(before + 4)
  await close()
}, 60_000)

test('a day of 25 hours is told from its first to its last, and an hour that comes twice by its zone', async () => {
  const { page, close } = await platform.openConsole({ timezoneId: 'Europe/Berlin', locale: 'en-GB' })
  await page.clock.setFixedTime('2026-10-25T01:30:00Z')
  // no platform can be of that day
  const buckets = ['00', '01'].map((hour) => `2026-10-25T${hour}:00:00.000Z`)
  await page.route('**/audit/activity*', (route) =>
    route.fulfill({
      json: { bucketSeconds: 3600, buckets: buckets.map((start) => ({ start, success: 1, denied: 0, failure: 0 })) },
    }),
  )
  await enter(page, platform.auditor)
  await page.getByText('Figures as a table').click()
  const figures = page.getByRole('region', { name: 'Figures' }).getByRole('button')
  await figures.first().waitFor()
  expect(await figures.allInnerTexts()).toEqual(['25 Oct 02:00:00 CET', '25 Oct 02:00:00 CEST'])
  await figures.last().click()
  await page.getByRole('button', { name: '25 Oct 02:00:00 CEST – 02:00:00 CET' }).waitFor()

  await goTo(page, 'Accesses')
  await page.getByRole('textbox', { name: 'Patient' }).fill(platform.chart)
  for (const label of ['From', 'To and with']) await page.getByLabel(label).fill('2026-10-25')
  const asked = page.waitForRequest('**/accesses?*')
  await page.getByRole('button', { name: 'Show' }).click()
  const { searchParams } = new URL((await asked).url())
  const [from, to] = ['from', 'to'].map((name) => searchParams.get(name))
  expect([from, to]).toEqual(['2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z'])
  await close()
}, 60_000)

test('a review of a broken glass has who, which chart and, when it is asked for, why', async () => {
  const registrar = await platform.addStaff('registrar')
  const person = { name: { given: ['Kari'], family: 'Nordmann' }, birthDate: '1970-01-01', sex: 'female' }
  const restricted = { token: registrar.token, body: { ...person, restricted: true } }
  const chart = (await platform.call('POST', '/api/v1/patients', restricted)).body.id as string
  const reason = 'Unconscious, no one of her team to be reached.'
  const breaking = { token: await platform.fresh(platform.clinician), body: { reason } }
  const { grantId } = (await platform.call('POST', `/api/v1/patients/${chart}/break-glass`, breaking)).body
  const asked = { token: await platform.fresh(platform.auditor) }
  const queue = async () => (await platform.call('GET', '/api/v1/audit/reviews?kind=break-glass', asked)).body.items
  await until(async () => (await queue()).length === 1)
  const [{ actor }] = await queue()

  const { page, complaints, close } = await platform.openConsole()
  await enter(page, platform.auditor)
  await goTo(page, 'Reviews')
  await page.getByLabel('Kind').selectOption('break-glass')
  const review = page.getByRole('listitem').filter({ hasText: 'The clinician' })
  await review
    .getByRole('link', { name: chart.slice(-8) })
    .first()
    .waitFor()
  const show = review.getByRole('button', { name: 'Show the reason' })
  const grant = `**/api/v1/patients/break-glass/${grantId}`
  await page.route(grant, (route) => route.fulfill({ status: 404, json: {} }))
  await show.click()
  await review.getByText('Reason not available').waitFor()
  await page.unroute(grant)
  await show.click()
  await review.getByText(reason).waitFor()
  await review.getByRole('button', { name: /^Event \d+$/ }).click()
  const detail = page.getByRole('dialog')
  await detail.getByText(grantId).first().waitFor()
  await detail
    .getByRole('button', { name: 'Events of this actor' })
    .or(detail.getByTitle('Events of this actor'))
    .first()
    .click()
  await live(page)
  expect(await page.getByRole('textbox', { name: 'Actor' }).inputValue()).toBe(actor.id)
  expect(unforeseen(complaints)).toEqual([])
  await close()
}, 60_000)
