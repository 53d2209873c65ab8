import { randomUUID } from 'node:crypto'
import { DataSource } from 'typeorm'
import type { Claims, Role } from '@caregate/common/auth'
import { openTestService, testToken } from '@caregate/common/testing/service'
import { buildPatientsApp } from './app.ts'
import { spec } from './database.ts'
import { buildFieldKeys } from './field-keys.ts'
import type { Patient } from './patient.ts'

export interface Person {
  id: string
  token: string
}

/** Somebody new, signed in. */
export function someone(roles: Role[], claims: Partial<Claims> = {}): Person {
  const id = randomUUID()
  return { id, token: testToken(roles, { sub: id, ...claims }) }
}
export const registrar = someone(['registrar'])

export const aPatient = { name: { given: ['José'], family: 'Gómez' }, birthDate: '1989-05-25', sex: 'male' }

/** A day from today, in UTC. */
export const day = (offset: number): string => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10)

export const FIELD_KEY = 'a key for the identifiers of the tests'

/** The service, and what a registrar does in it. */
export async function openPatients(fieldKeys = buildFieldKeys({ FIELD_KEY, FIELD_KEY_PREVIOUS: undefined })) {
  const config = { BREAK_GLASS_MINUTES: 60 }
  const service = await openTestService(spec, (deps) => buildPatientsApp({ ...deps, config, fieldKeys }))
  const owner = await new DataSource({ type: 'postgres', url: service.urls.owner }).initialize()

  /** Below /api/v1/patients. */
  const as = (person: Person, method: string, path: string, body?: object, headers: Record<string, string> = {}) =>
    service.call(method, `/api/v1/patients${path}`, { token: person.token, body, headers })

  async function ok<T>(path: string, body: object): Promise<T> {
    const answer = await as(registrar, 'POST', path, body)
    if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body as T
  }

  return {
    ...service,
    as,
    /** What the app role may not do. */
    asOwner: <T>(query: string, parameters: unknown[] = []) => owner.query<T>(query, parameters),
    create: (more: object = {}) => ok<Patient>('?force=true', { ...aPatient, ...more }),
    assign: ({ id }: Patient, { id: userId }: Person, more: object = {}) =>
      ok<{ id: string }>(`/${id}/care-team`, { userId, role: 'treats', ...more }),
    async close() {
      await owner.destroy()
      await service.close()
    },
  }
}
