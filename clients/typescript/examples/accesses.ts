/** A service account with the role auditor lists who has opened charts, page by page. */
import { createClient, dataOf } from '@caregate/client'

const { CAREGATE_URL: baseUrl = 'http://127.0.0.1:8000', CAREGATE_CLIENT_ID, CAREGATE_CLIENT_SECRET } = process.env
const caregate = createClient({ baseUrl })
await caregate.signInAsService({ clientId: CAREGATE_CLIENT_ID!, clientSecret: CAREGATE_CLIENT_SECRET! })

for (let cursor: string | null | undefined; cursor !== null;) {
  const query = { type: 'patients.patient.read', limit: 100, ...(cursor ? { cursor } : {}) } as const
  const page = dataOf(await caregate.GET('/api/v1/audit/events', { params: { query } }))
  for (const { sequence, occurredAt, actor, outcome } of page.items)
    console.log(sequence, occurredAt, actor.name, outcome)
  cursor = page.nextCursor
}
