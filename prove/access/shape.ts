/** What the matrix of who may do what is made of: callers, the charts that they ask for, and valid requests. */
import type { Role, Scope } from '@caregate/common/auth'
import type { ChartAction } from '../../services/patients/src/access.ts'

/** What nothing but a chart contains. */
export const marker = 'Quillfeather'
export const unknownId = '0190a000-0000-7000-8000-000000000000'

export interface Answer {
  status: number
  headers: Headers
  text: string
}
export type Send = (
  method: string,
  path: string,
  asked?: { token?: string | undefined; body?: object | string | undefined; headers?: Record<string, string> },
) => Promise<Answer>

export interface Chart {
  id: string
  mrn: string
}

/** Somebody who asks, and by what kind of token. */
export interface Caller {
  name: string
  userId: string | null
  roles: readonly Role[]
  kind: 'whole' | 'none' | Scope
  /** The chart that the token says to be their own. */
  own?: Chart
  token: string | undefined
  /** A token of a session that may be ended. */
  spare?(): Promise<string>
}

/** A chart, by what it is and what the caller is to it. */
export interface Place {
  name: string
  restricted?: true
  voided?: true
  missing?: true
  own?: true
  /** `formerly`: was of the care team, will be, and had a grant; nothing of it holds now. */
  close?: 'care-team' | 'break-glass' | 'formerly'
}
export const places: Place[] = [
  { name: 'open' },
  { name: 'open, care team', close: 'care-team' },
  { name: 'voided', voided: true },
  { name: 'missing', missing: true },
  { name: 'restricted', restricted: true },
  { name: 'restricted, care team', restricted: true, close: 'care-team' },
  { name: 'restricted, break-glass', restricted: true, close: 'break-glass' },
  { name: 'restricted, formerly', restricted: true, close: 'formerly' },
  { name: 'restricted, voided', restricted: true, voided: true },
  { name: 'own', own: true },
  { name: 'own, restricted', own: true, restricted: true },
  { name: 'own, voided', own: true, voided: true },
]
/** For what is no chart's. */
export const nowhere: Place = { name: 'no chart' }

export type Relation = 'any' | 'open' | 'care-team' | 'break-glass' | 'self'
export type Rights = Partial<Record<Role, readonly Relation[]>>

/** A valid request of an operation, and what somebody who may is answered: a status, with its code where it is an error. */
export interface Plan {
  answers: string | ((place: Place) => string) | string[]
  params?: Record<string, string>
  query?: string
  body?: Record<string, unknown> | ((place: Place) => object)
  /** In place of a body: an HTML form's. */
  form?: string
  headers?: Record<string, string>
  /** Of the chart that is to be changed. */
  ifMatch?: true
  /** What of the chart the last id in the path is. */
  item?: 'allergies' | 'conditions' | 'care-team'
  /** A voided chart is opened too. */
  alsoVoided?: true
  /** What this request does besides what the operation says. */
  also?: ChartAction
  /** Whose chart decides, where the service does not tell by `x-access`; a chart that isn't there is like any other. */
  rights?: Rights
  /** The token that is good for little else and will do here. */
  scope?: Scope
  /** Ends the session. */
  ends?: true
  /** How many events an answer leaves, where that isn't one. */
  events?: number
  /** An answer leaves no event. */
  untold?: true
}
/** By method and path; behind a space the name of a further request of the same operation. */
export type Plans = Record<string, Plan>
