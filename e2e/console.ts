import type { Page } from 'playwright-core'
import { openBrowser, openPage } from './browser.ts'
import { openTestPlatform } from './platform.ts'

/** A platform with a browser, an auditor, and a clinician who has a chart. */
export async function openConsolePlatform() {
  // the shortest that there is: one test outlives its token
  const platform = await openTestPlatform({
    env: { ACCESS_TOKEN_EXPIRE_MINUTES: '1', RATE_LIMIT_CREDENTIALS_PER_MINUTE: '1000' },
  })
  const auditor = await platform.addStaff('auditor')
  const clinician = await platform.addStaff('clinician')
  const browser = await openBrowser()

  /** Signs in again: tokens are short-lived here. */
  async function fresh(who: typeof auditor): Promise<string> {
    const { email, password } = who
    const { body } = await platform.call('POST', '/api/v1/auth/login', { body: { email, password } })
    return (who.token = body.accessToken)
  }
  async function newChart(): Promise<string> {
    const body = { name: { given: ['Ola'], family: 'Nordmann' }, birthDate: '1970-01-01', sex: 'female' }
    const created = await platform.call('POST', '/api/v1/patients?force=true', { token: clinician.token, body })
    if (created.status !== 201) throw new Error(`POST /patients: ${created.status}`)
    return created.body.id
  }
  const chart = await newChart()

  return {
    ...platform,
    auditor,
    clinician,
    chart,
    fresh,
    newChart,
    openChart: (id = chart) => platform.call('GET', `/api/v1/patients/${id}`, { token: clinician.token }),
    async openConsole(options: Parameters<typeof openPage>[1] = {}) {
      const opened = await openPage(browser, options)
      await opened.page.goto(`${platform.gateway}/console`)
      return opened
    },
    async close() {
      await browser.close()
      await platform.close()
    },
  }
}

/** Of what a page complains about, what isn't the browser's own note of a refusal or of the end of a stream. */
export const unforeseen = (complaints: string[]): string[] =>
  complaints.filter(
    (text) =>
      !/^Failed to load resource: the server responded|net::ERR_(ABORTED|INCOMPLETE_CHUNKED_ENCODING)$/.test(text),
  )

export async function enter(page: Page, { email, password }: { email: string; password: string }): Promise<void> {
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}
export const live = (page: Page): Promise<void> => page.getByText('Live', { exact: true }).waitFor()
export const rows = (page: Page) => page.getByRole('table', { name: 'Events, newest first' }).locator('tbody tr')
export const goTo = (page: Page, view: string): Promise<void> =>
  page.getByRole('link', { name: view, exact: true }).click()
