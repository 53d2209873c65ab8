import { execFile, execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { until } from '@caregate/common/testing/until'
import { ROOT } from '../platform/state.ts'
import { freshFolder, type openTestPlatform } from './platform.ts'

const run = promisify(execFile)
const copy = freshFolder()

const page = readFileSync(join(ROOT, 'docs/add-a-service.md'), 'utf8')
/** The files of the page, and the changes to those that are there. */
const blocks = [...page.matchAll(/^(New|In) `([^`]+)`:\n\n```\w+\n([^]*?)^```$/gm)].map(([, what, file, text]) => ({
  isNew: what === 'New',
  file: file!,
  text: text!,
}))

/** The lines of a hunk that begin so, without what they begin with. */
const lines = (hunk: string, ...signs: string[]): string =>
  hunk
    .split('\n')
    .filter((line) => signs.includes(line.slice(0, 1)))
    .map((line) => `${line.slice(1)}\n`)
    .join('')

/** A change has to fit one place of its file and no other. */
function change(file: string, text: string): void {
  let content = readFileSync(file, 'utf8')
  for (const hunk of text.split(/^@@\n/m)) {
    const [before, after] = [lines(hunk, ' ', '-'), lines(hunk, ' ', '+')]
    expect([file, hunk, content.split(before).length - 1]).toEqual([file, hunk, 1])
    content = content.replace(before, () => after)
  }
  writeFileSync(file, content)
}

/** Packages are those of the checkout, workspaces are the copy's. */
function link(folder: string): void {
  const [from, to] = [join(ROOT, folder, 'node_modules'), join(copy, folder, 'node_modules')]
  if (!existsSync(from)) return
  mkdirSync(join(to, '@caregate'), { recursive: true })
  for (const name of readdirSync(from)) if (name !== '@caregate') symlinkSync(join(from, name), join(to, name))
}

let platform: Awaited<ReturnType<typeof openTestPlatform>>
beforeAll(async () => {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT })
  const files = listed.toString().split('\0').filter(Boolean)
  for (const file of files) if (existsSync(join(ROOT, file))) cpSync(join(ROOT, file), join(copy, file))
  // none is passed over, but for commands
  expect(blocks).toHaveLength([...page.matchAll(/^```(?!sh$)\w+$/gm)].length)
  for (const { isNew, file, text } of blocks) {
    const path = join(copy, file)
    expect([file, existsSync(path)]).toEqual([file, !isNew])
    mkdirSync(dirname(path), { recursive: true })
    if (isNew) writeFileSync(path, text)
    else change(path, text)
  }
  const manifests = [...files, ...blocks.map(({ file }) => file)].filter((file) => /.\/package\.json$/.test(file))
  for (const folder of ['.', ...manifests.map(dirname)]) link(folder)
  for (const manifest of manifests) {
    const { name } = JSON.parse(readFileSync(join(copy, manifest), 'utf8')) as { name: string }
    if (name.startsWith('@caregate/')) symlinkSync(join(copy, dirname(manifest)), join(copy, 'node_modules', name))
  }
  const own = (await import(join(copy, 'e2e/platform.ts'))) as { openTestPlatform: typeof openTestPlatform }
  platform = await own.openTestPlatform()
}, 240_000)
afterAll(async () => {
  await platform?.close()
  rmSync(copy, { recursive: true })
})

const body = {
  patientId: '0190a000-0000-7000-8000-000000000000',
  startsAt: '2027-03-01T08:30:00.000Z',
  minutes: 20,
  place: 'Room 4',
}

test('it is registered, ready, measured, and part of the platform’s health and document', async () => {
  const { info, call } = platform
  const { url } = info.services.appointments!
  const found = await fetch(`${info.backing.consul}/v1/health/service/appointments?passing=true`)
  expect(((await found.json()) as { Service: { Port: number } }[]).map(({ Service }) => Service.Port)).toEqual([
    Number(new URL(url).port),
  ])
  expect((await fetch(`${url}/health/ready`)).status).toBe(200)
  expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^caregate_build_info\{.*service="appointments"/m)
  const health = await call('GET', '/health')
  expect(health.body).toMatchObject({
    status: 'healthy',
    services: { appointments: { status: 'healthy', instances: 1 } },
  })
  const { body: api } = await call('GET', '/openapi.json')
  expect(Object.keys(api.paths)).toEqual(expect.arrayContaining(['/api/v1/appointments', '/api/v1/appointments/{id}']))
  expect(api.components.schemas).toMatchObject({ NewAppointment: { required: Object.keys(body).sort() } })
  expect(api.tags).toContainEqual({ name: 'appointments', description: 'Appointments of patients' })
  expect((await call('GET', '/docs')).status).toBe(200)
})

test('who may makes an appointment and reads it, who may not is refused, and each is one event of the log', async () => {
  const { call, addStaff, administrator } = platform
  const nurse = await addStaff('nurse')
  const made = await call('POST', '/api/v1/appointments', { token: nurse.token, body })
  expect([made.status, made.body]).toMatchObject([201, body])
  const path = made.headers.get('location')!
  const asked = platform.sent.length
  expect((await call('GET', path, { token: nurse.token })).body).toEqual(made.body)
  expect((await call('GET', path, { token: administrator.token })).status).toBe(403)
  expect((await call('GET', path)).status).toBe(401)
  expect((await call('POST', '/api/v1/appointments', { token: administrator.token, body })).status).toBe(403)
  expect((await call('POST', '/api/v1/appointments', { token: nurse.token, body: {} })).status).toBe(422)

  const requests = platform.sent.slice(asked - 1).map(({ id }) => id)
  const find = () => Promise.all(requests.map((requestId) => platform.events({ requestId })))
  await until(async () => (await find()).every(({ length }) => length > 0))
  const events = await find()
  const [created, read] = ['appointments.appointment.created', 'appointments.appointment.read']
  expect(events.map((of) => of.map(({ type, outcome }) => `${type} ${outcome}`))).toEqual([
    [`${created} success`],
    [`${read} success`],
    [`${read} denied`],
    ['gateway.request.denied denied'],
    [`${created} denied`],
    [`${created} failure`],
  ])
  expect(events.slice(0, 2).flat()).toMatchObject(
    [0, 1].map(() => ({ patientIds: [body.patientId], resource: { type: 'appointment', id: made.body.id } })),
  )
  // not a letter of an appointment
  expect(JSON.stringify(events)).not.toContain(body.place)
})

/** In the copy. @throws with what it printed, when it fails */
const inCopy = (...args: string[]) =>
  run(process.execPath, args, { cwd: copy }).catch(({ stdout, stderr }: { stdout: string; stderr: string }) => {
    throw new Error(`${args.join(' ')}\n${stdout}${stderr}`)
  })

test('what can be said of the code without running it is said of the copy', async () => {
  const checks = ['types', 'migrations', 'packages', 'k8s', 'monitoring']
  const { stdout } = await inCopy('platform/verify.ts', ...checks)
  expect(stdout).toContain('all clean')
}, 240_000)

test('its own test passes, and those of what names all services', async () => {
  const jest = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js']
  const tests = ['services/appointments', 'libs/common/src/migrate', 'e2e/compose', 'platform/k8s']
  const { stderr } = await inCopy(...jest, ...tests)
  expect(stderr).toContain('Test Suites: 5 passed, 5 total')
}, 240_000)
