import { setTimeout as sleep } from 'node:timers/promises'
import { newPassword } from '../../platform/client.ts'
import type { Bed } from '../edge/bed.ts'
import { buildAsk } from '../people.ts'
import type { World } from '../edge/shot.ts'

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString('utf8')) as { sub: string; sid: string }

/** Tokens that were good until their session ended, in each way that there is; and what else auth and charts hand out. */
export async function makeDead({ platform, url }: Bed, { tokens, endedToken, refreshToken, chartId }: World) {
  const ask = buildAsk(platform.info.gateway)
  const { admin } = tokens

  interface Client {
    clientId: string
    clientSecret: string
  }
  const addClient = (name: string, role: string) =>
    ask<Client>(201, 'POST', '/api/v1/auth/service-accounts', { name, roles: [role] }, admin)
  async function clientToken({ clientId, clientSecret }: Client): Promise<string> {
    const body = { clientId, clientSecret }
    return (await ask<{ accessToken: string }>(200, 'POST', '/api/v1/auth/token', body)).accessToken
  }
  async function addPatient(name: string) {
    const account = { email: `${name}@edge.test`, password: newPassword() }
    await ask(201, 'POST', '/api/v1/auth/register', { ...account, fullName: 'Somebody' })
    return { ...account, ...(await ask<{ accessToken: string }>(200, 'POST', '/api/v1/auth/login', account)) }
  }

  const living = await addClient('living', 'auditor')
  const rotated = await addClient('rotated', 'nurse')
  const deleted = await addClient('deleted', 'auditor')
  const [ofRotated, ofDeleted] = [await clientToken(rotated), await clientToken(deleted)]
  await ask(200, 'POST', `/api/v1/auth/service-accounts/${rotated.clientId}/rotate`, undefined, admin)
  await ask(204, 'DELETE', `/api/v1/auth/service-accounts/${deleted.clientId}`, undefined, admin)

  const [one, other, third] = [
    await addPatient('disabled'),
    await addPatient('elsewhere'),
    await addPatient('thrown-out'),
  ]
  await ask(200, 'PATCH', `/api/v1/auth/users/${claimsOf(one.accessToken).sub}`, { disabled: true }, admin)
  const second = await ask<{ accessToken: string }>(200, 'POST', '/api/v1/auth/login', {
    email: other.email,
    password: other.password,
  })
  const { sid } = claimsOf(other.accessToken)
  await ask(204, 'DELETE', `/api/v1/auth/sessions/${sid}`, undefined, second.accessToken)
  await ask(204, 'DELETE', `/api/v1/auth/users/${claimsOf(third.accessToken).sub}/sessions`, undefined, admin)

  const ended = [endedToken, ofRotated, ofDeleted, one.accessToken, other.accessToken, third.accessToken]
  // the gateway is told by the broker
  for (const token of ended) {
    for (let tries = 0; ; tries++) {
      const answer = await fetch(`${url}/api/v1/auth/me`, { headers: { authorization: `Bearer ${token}` } })
      if (answer.status === 401) break
      if (tries === 100) throw new Error(`a token of an ended session is good still: ${answer.status}`)
      await sleep(50)
    }
  }
  const page = await ask<{ nextCursor: string }>(200, 'GET', '/api/v1/patients?limit=1', undefined, tokens.nurse)
  return {
    ended,
    ofClient: await clientToken(living),
    /** Secrets, but no access tokens. */
    others: [refreshToken, living.clientSecret, page.nextCursor, chartId, claimsOf(tokens.admin).sid, newPassword()],
  }
}
