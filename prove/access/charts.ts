/** The charts of the matrix: one for each place, with everybody placed as it says, and put back before every cell. */
import { randomUUID } from 'node:crypto'
import {
  marker,
  places,
  unknownId,
  type Answer,
  type Caller,
  type Chart,
  type Place,
  type Plan,
  type Send,
} from './shape.ts'

/** As the administrator of the patients' database: what the API takes days for, and never takes back. */
export type Query = <Row>(sql: string, values?: unknown[]) => Promise<Row[]>
/** Tokens of people who don't stand in the matrix. */
export interface House {
  clinician: string
  registrar: string
}
type Kind = NonNullable<Plan['item']>
export type Charts = Awaited<ReturnType<typeof openCharts>>

export const person = {
  name: { given: ['Ada'], family: marker },
  birthDate: '1975-12-10',
  sex: 'female',
  race: marker,
  addresses: [{ city: marker }],
}
export const coded = { code: { code: '91935009', display: `${marker} allergy` } }
export const member = () => ({ userId: randomUUID(), role: `${marker} nurse` })

/** @throws when the answer is another one */
async function must<T>(status: number, sent: Promise<Answer>): Promise<T> {
  const answer = await sent
  if (answer.status !== status) throw new Error(`${answer.status} ${answer.text}`)
  return JSON.parse(answer.text) as T
}

export const makeChart = (send: Send, { registrar }: Pick<House, 'registrar'>): Promise<Chart> =>
  must<Chart>(201, send('POST', '/api/v1/patients?force=true', { token: registrar, body: person }))

const today = `(now() AT TIME ZONE 'UTC')::date`
const addMember = (from: string, to: string, removed: string) =>
  `INSERT INTO care_team (id, patient_id, user_id, role, "from", "to", added_by, added_at, removed_by, removed_at)
   VALUES ($1, $2, $3, '${marker}', ${from}, ${to}, $2, now(), NULL, ${removed})`
const addGrant = (expires: string) =>
  `INSERT INTO break_glass_grants (id, patient_id, clinician_id, clinician_name, reason, created_at, expires_at)
   VALUES ($1, $2, $3, '${marker}', 'placed for the matrix', now() - interval '2 days', ${expires})`

/** Statements that make somebody what a place says. */
const placings = {
  'care-team': [addMember(today, today, 'NULL')],
  'break-glass': [addGrant(`now() + interval '1 day'`)],
  formerly: [
    addMember(`${today} - 9`, `${today} - 1`, 'NULL'),
    addMember(`${today} + 1`, 'NULL', 'NULL'),
    addMember(today, 'NULL', 'now()'),
    addGrant(`now() - interval '1 second'`),
  ],
}

export async function openCharts(send: Send, query: Query, house: House, callers: readonly Caller[]) {
  const charts = new Map<Place, Chart>()
  const items = new Map<string, { id: string; etag: string }>()
  const none: Chart = { id: unknownId, mrn: 'none at all' }
  for (const place of places.filter(({ own, missing }) => !own && !missing)) {
    const chart = await makeChart(send, house)
    charts.set(place, chart)
    for (const { userId } of callers)
      if (place.close && userId)
        for (const statement of placings[place.close]) await query(statement, [randomUUID(), chart.id, userId])
    // whom somebody else's grant must not help
    if (place.close === 'formerly') await query(placings['break-glass'][0]!, [randomUUID(), chart.id, randomUUID()])
  }

  const setState = (id: string, { restricted, voided }: Omit<Place, 'name'>) =>
    query<{ version: number }>(
      `WITH chart AS (UPDATE patients SET restricted = $2, voided = $3 WHERE id = $1 RETURNING version) SELECT version FROM chart`,
      [id, restricted === true, voided === true],
    ).then(([row]) => row?.version)

  return {
    chartAt: (place: Place, { own }: Caller): Chart => (place.own ? own! : (charts.get(place) ?? none)),

    /** Makes of a chart what the place says, whatever was done to it. @returns its version */
    async put(place: Place, id: string, { userId }: Pick<Caller, 'userId'>): Promise<number | undefined> {
      await query(
        `DELETE FROM break_glass_grants WHERE patient_id = $1 AND clinician_id = $2 AND reason NOT LIKE 'placed %'`,
        [id, userId],
      )
      return setState(id, place)
    },

    /** Something of the chart that is there to be changed. */
    async itemOf(id: string, kind: Kind): Promise<{ id: string; etag: string }> {
      const known = items.get(`${id} ${kind}`)
      if (known) return known
      await setState(id, {})
      const token = kind === 'care-team' ? house.registrar : house.clinician
      const body = kind === 'care-team' ? member() : coded
      const made = await must<{ id: string }>(201, send('POST', `/api/v1/patients/${id}/${kind}`, { token, body }))
      const item = { id: made.id, etag: '"1"' }
      items.set(`${id} ${kind}`, item)
      return item
    },
    /** To be told what came of changing it. */
    changed(id: string, kind: Kind, { status, headers }: Answer): void {
      if (status === 200) items.get(`${id} ${kind}`)!.etag = headers.get('etag')!
      if (status === 204) items.delete(`${id} ${kind}`)
    },
    async aGrant(): Promise<string> {
      const [grant] = await query<{ id: string }>('SELECT id FROM break_glass_grants LIMIT 1')
      return grant!.id
    },
  }
}
