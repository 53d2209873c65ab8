/** `npm run demo`: an account a role, a hundred charts, and some traffic to look at in the audit log. */
import { readFile } from 'node:fs/promises'
import { buildSender, findGateway, keptAccount, newPassword, openClient, reasonOf, staffAccount } from './client.ts'
import type { Account, Client } from './client.ts'
import { PlatformError, runTool } from './errors.ts'
import { SAMPLES, sendRows } from './import.ts'
import { openDataFolder, readInfo } from './state.ts'

const CHARTS = 100

/** With the header above. */
async function* firstRows(): AsyncGenerator<string> {
  const lines = (await readFile(SAMPLES, 'utf8')).split('\n')
  yield lines.slice(0, CHARTS + 1).join('\n')
}

async function registerPatient(gateway: string): Promise<Account> {
  const account = { email: 'demo-patient@caregate.local', password: newPassword() }
  const answer = await buildSender(gateway)('POST', '/api/v1/auth/register', { ...account, fullName: 'Demo Patient' })
  if (answer.status !== 201) throw new PlatformError(`${account.email} can't be registered: ${reasonOf(answer)}`)
  return account
}

/** Something of each kind: reads, searches, changes, a change that comes too late, and what is refused. */
async function makeTraffic(
  clients: { clinician: Client; nurse: Client; registrar: Client; auditor: Client },
  gateway: string,
  ids: string[],
) {
  const { clinician, nurse, registrar, auditor } = clients
  const answers = [
    await clinician.get('/api/v1/patients?limit=20'),
    await clinician.request('POST', '/api/v1/patients/search', { q: "O'Con" }),
    await nurse.request('POST', '/api/v1/patients/search', { birthDate: '1976-04-26' }),
    await auditor.get(`/api/v1/patients/${ids[0]}`),
    await buildSender(gateway)('GET', '/api/v1/patients'),
    await buildSender(gateway)('POST', '/api/v1/auth/login', {
      email: 'demo-nurse@caregate.local',
      password: 'Not-the-1',
    }),
  ]
  for (const id of ids.slice(0, 20)) {
    const path = `/api/v1/patients/${id}`
    const chart = await clinician.get(path)
    const ifMatch = { 'if-match': chart.headers.get('etag') ?? '' }
    const phone = { telecom: [{ system: 'phone', value: `555-01${id.replace(/\D/g, '').slice(-2)}`, use: 'home' }] }
    answers.push(chart, await nurse.get(path), await nurse.request('PATCH', path, phone, ifMatch))
  }
  answers.push(await nurse.request('PATCH', `/api/v1/patients/${ids[0]}`, { language: 'en' }, { 'if-match': '"0"' }))
  const code = { code: '300916003', display: 'Latex allergy' }
  answers.push(await nurse.request('POST', `/api/v1/patients/${ids[0]}/allergies`, { code, onset: '2019-04-01' }))
  answers.push(...(await breakGlass(clinician, registrar, `/api/v1/patients/${ids[1]}`)))
  return Object.entries(Object.groupBy(answers, ({ status }) => status)).map(
    ([status, group]) => `${group?.length} × ${status}`,
  )
}

/** A chart is restricted, refused, opened all the same, and opened again for everybody. */
async function breakGlass(clinician: Client, registrar: Client, path: string) {
  const restrict = async (restricted: boolean) => {
    const { headers } = await registrar.get(path)
    return registrar.request('PATCH', path, { restricted }, { 'if-match': headers.get('etag') ?? '' })
  }
  return [
    await restrict(true),
    await clinician.get(path),
    await clinician.request('POST', `${path}/break-glass`, { reason: 'Unconscious in the emergency room' }),
    await clinician.get(path),
    await clinician.get(`${path}/allergies`),
    await restrict(false),
  ]
}

function curlTour(gateway: string, { email, password }: Account, auditor: Account) {
  const logIn = (account: Account) =>
    `curl -s ${gateway}/api/v1/auth/login -H 'Content-Type: application/json' -d '${JSON.stringify({ email: account.email, password: account.password })}' | grep -o '"accessToken":"[^"]*' | cut -d'"' -f4`
  return [
    `TOKEN=$(${logIn({ email, password })})`,
    `curl -s '${gateway}/api/v1/patients?limit=3' -H "Authorization: Bearer $TOKEN"`,
    `curl -s ${gateway}/api/v1/patients/search -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"q":"Ng"}'`,
    `AUDITOR=$(${logIn(auditor)})`,
    `curl -s '${gateway}/api/v1/audit/events?outcome=denied&limit=5' -H "Authorization: Bearer $AUDITOR"`,
  ]
}

await runTool(async () => {
  const gateway = await findGateway()
  const accounts = {
    clinician: await staffAccount(gateway, 'demo-clinician', ['clinician']),
    nurse: await staffAccount(gateway, 'demo-nurse', ['nurse']),
    registrar: await staffAccount(gateway, 'demo-registrar', ['registrar']),
    auditor: await staffAccount(gateway, 'demo-auditor', ['auditor']),
    patient: await keptAccount('demo-patient', () => registerPatient(gateway)),
  }
  const clients = {
    clinician: await openClient(gateway, accounts.clinician),
    nurse: await openClient(gateway, accounts.nurse),
    registrar: await openClient(gateway, accounts.registrar),
    auditor: await openClient(gateway, accounts.auditor),
  }
  const source = { type: 'text/csv', open: firstRows }
  const { made, refused } = await sendRows(clients.registrar, source, new AbortController().signal, () => {})
  const traffic = await makeTraffic(
    clients,
    gateway,
    made.map(({ id }) => id),
  )

  const admin = readInfo(openDataFolder())?.admin
  const listed = [...(admin ? [['admin', admin] as const] : []), ...Object.entries(accounts)]
  console.log(
    [
      `${made.length} charts (${made.filter(({ outcome }) => outcome === 'created').length} of them new), ${refused.length} refused; traffic: ${traffic.join(', ')}`,
      '',
      ...listed.map(([role, { email, password }]) => `${role.padEnd(10)} ${email.padEnd(32)} ${password}`),
      ...(admin ? ['(the admin with its one-time password, as long as nobody has changed it)'] : []),
      '',
      ...curlTour(gateway, accounts.clinician, accounts.auditor),
    ].join('\n'),
  )
})
