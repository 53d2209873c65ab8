/** Lists and searches never show what reading refuses. They show what is open to somebody, and of the rest a number at most. */
import type { Charts } from './charts.ts'
import { expectedOf, type Operation } from './expected.ts'
import { marker, places, type Answer, type Caller, type Place, type Send } from './shape.ts'

interface Item {
  id: string
  name?: object
}
interface Page {
  items: Item[]
  nextCursor: string | null
}

/**
 * What the lists show each of the staff, against what reading (`read`) would answer them.
 * @returns what is wrong, and by the ids of the requests which charts their answers showed
 */
export async function tryLists(
  send: Send,
  charts: Charts,
  read: Operation,
  callers: readonly Caller[],
): Promise<{ shown: Map<string, string[]>; problems: string[] }> {
  const problems: string[] = []
  const shown = new Map<string, string[]>()

  async function ask(sent: Promise<Answer>): Promise<Page> {
    const { status, text, headers } = await sent
    if (status !== 200) throw new Error(`a list is answered with ${status} ${text}`)
    const page = JSON.parse(text) as Page
    shown.set(
      headers.get('x-request-id')!,
      page.items.map(({ id }) => id),
    )
    return page
  }
  async function all(next: (cursor: string | null) => Promise<Answer>): Promise<Set<string>> {
    const ids = new Set<string>()
    let cursor: string | null = null
    do {
      const page: Page = await ask(next(cursor))
      for (const { id } of page.items) ids.add(id)
      cursor = page.nextCursor
    } while (cursor)
    return ids
  }

  for (const caller of callers) {
    const { token } = caller
    const search = (body: object) => send('POST', '/api/v1/patients/search', { token, body })
    const more = (cursor: string | null): Record<string, string> => (cursor ? { cursor } : {})
    const listed = (status = '') =>
      all((cursor) => {
        const query = new URLSearchParams({ limit: '200', ...(status ? { status } : {}), ...more(cursor) })
        return send('GET', `/api/v1/patients?${query.toString()}`, { token })
      })
    const there = places.filter(({ own, missing }) => !missing && (!own || caller.own))
    // of one's own chart there is one
    const seen = there.filter(({ name, own }) => !own || name === 'own, restricted')
    for (const place of seen) await charts.put(place, charts.chartAt(place, caller).id, caller)
    const [ofAll, ofVoided, found] = [
      await listed(),
      await listed('voided'),
      await all((cursor) => search({ q: marker, limit: 200, ...more(cursor) })),
    ]
    for (const place of seen) {
      const { id, mrn } = charts.chartAt(place, caller)
      const may = expectedOf(read, caller, asListed(place)).answers.includes('200')
      const note = (list: string, isShown: boolean, must: boolean) => {
        if (isShown !== must)
          problems.push(`${caller.name}: ${list} ${isShown ? 'shows' : 'lacks'} the chart that is ${place.name}`)
      }
      note('GET /patients', ofAll.has(id), may && !place.voided)
      note('GET /patients?status=voided', ofVoided.has(id), may && place.voided === true)
      note('POST /patients/search', found.has(id), may && !place.voided)
      note('the MRN with a name', (await ask(search({ mrn, q: marker }))).items.length > 0, may && !place.voided)
      const [byMrn] = (await ask(search({ mrn }))).items
      note('the MRN', byMrn?.name !== undefined, may && !place.voided)
      const names = Object.keys(byMrn ?? {}).join()
      if (!may && names !== (place.voided ? '' : 'id,mrn,restricted'))
        problems.push(`${caller.name}: the MRN of the chart that is ${place.name} tells ${names || 'nothing'}`)
    }
  }
  return { shown, problems }
}

/** Whoever broke the glass knows where they did, and patients what is theirs: neither is looked for. */
const asListed = ({ restricted, close }: Place): Place => ({
  name: 'listed',
  ...(restricted ? { restricted } : {}),
  ...(close === 'care-team' ? { close } : {}),
})

export const isStaff = ({ kind, roles }: Caller): boolean =>
  kind === 'whole' && roles.some((role) => ['clinician', 'nurse', 'registrar'].includes(role))
