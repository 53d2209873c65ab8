import { existsSync, mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { installPackages } from '../platform/backing/packages.ts'
import { quietProgress } from '../platform/progress.ts'

export const openBrowser = async (): Promise<Browser> =>
  chromium.launch({
    executablePath: findChromium() ?? (await installChromium()),
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })

function findChromium(): string | undefined {
  const names = ['chromium', 'chromium-browser', 'google-chrome']
  const folders = (process.env.PATH ?? '').split(delimiter)
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((file) => existsSync(file))
}

async function installChromium(): Promise<string> {
  if (process.getuid?.() !== 0)
    throw new Error(
      'This test needs a browser: install it with `sudo apt-get install --no-install-recommends chromium`.',
    )
  await installPackages(quietProgress, 'Chromium', ['chromium'], 'PATH')
  return findChromium()!
}

/** A page that notes what it complains about, and every host that it speaks to. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 1400 }, ...options })
  const complaints: string[] = []
  const hosts = new Set<string>()
  context.on('request', (request) => {
    const url = new URL(request.url())
    if (!['data:', 'blob:'].includes(url.protocol)) hosts.add(url.hostname)
  })
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  context.on('weberror', (error) => complaints.push(error.error().message))
  context.on('requestfailed', (request) => complaints.push(`${request.url()} ${request.failure()?.errorText}`))
  const page = await context.newPage()
  await page.exposeFunction('noteViolation', (text: string) => complaints.push(text))
  await page.addInitScript(`document.addEventListener('securitypolicyviolation',
    ({ violatedDirective, blockedURI }) => noteViolation('CSP: ' + violatedDirective + ' ' + blockedURI))`)
  return { page, complaints, hosts: () => [...hosts], close: () => context.close() }
}

/** Pictures for people, when somebody asks for them. */
export async function keepShot(page: Page, name: string): Promise<void> {
  const folder = process.env.CAREGATE_SHOTS
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`) })
}
