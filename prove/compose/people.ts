import { person } from '../load.ts'
import { settle, type Ask } from '../people.ts'
import type { openCompose } from './project.ts'

export interface Chart {
  id: string
  version: number
}

/** The first admin, made in the container of auth, makes somebody who treats and audits. */
export async function bringPeople(project: Pick<Awaited<ReturnType<typeof openCompose>>, 'addUser'>, ask: Ask) {
  const added = await project.addUser('admin@caregate.local', ['admin'])
  const { accessToken } = (await settle(ask, added.email, added.oneTimePassword)).tokens
  const body = { email: 'clinician@caregate.local', fullName: 'A Clinician', roles: ['clinician', 'auditor'] }
  const made = await ask<{ oneTimePassword: string }>(201, 'POST', '/api/v1/auth/users', body, accessToken)
  return settle(ask, body.email, made.oneTimePassword)
}

/** Makes a chart and reads it. @returns the chart, and how to ask whether the log has both */
export async function bringChart(ask: Ask, token: string) {
  const chart = await ask<Chart>(201, 'POST', '/api/v1/patients?force=true', person(0), token)
  const read = await ask<Chart>(200, 'GET', `/api/v1/patients/${chart.id}`, undefined, token)
  const events = async (as: string, type: string) => {
    const path = `/api/v1/audit/events?patientId=${chart.id}&type=patients.patient.${type}`
    return (await ask<{ items: unknown[] }>(200, 'GET', path, undefined, as)).items.length
  }
  const isRecorded = async (as: string) => (await events(as, 'created')) === 1 && (await events(as, 'read')) > 0
  return { chart, same: read.id === chart.id, isRecorded }
}

/** @returns whether it came to be so within ten seconds */
export async function soon(isSo: () => Promise<boolean>): Promise<boolean> {
  for (const until = Date.now() + 10_000; Date.now() < until;) if (await isSo()) return true
  return false
}
