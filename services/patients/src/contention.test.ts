import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { testToken } from '@caregate/common/testing/service'
import { openPatients } from './testing.ts'

let service: Awaited<ReturnType<typeof openPatients>>
const token = testToken(['clinician'])
beforeAll(async () => {
  service = await openPatients()
})
afterAll(() => service.close())

const editors = 8
const changesEach = 6
const changes = editors * changesEach

/** One more than was read, until it is taken. @returns the version that it made, and how often it was told to read again */
async function insist(path: string, mark: string): Promise<{ mark: string; version: number; refused: number }> {
  for (let refused = 0; ; refused++) {
    const { headers, body } = await service.call('GET', path, { token })
    const answer = await service.call('PATCH', path, {
      token,
      body: { race: String(Number(body.race) + 1), ethnicity: mark },
      headers: { 'if-match': headers.get('etag')! },
    })
    if (answer.status === 200) return { mark, version: answer.body.version, refused }
    expect(answer.status).toBe(412)
  }
}

test('eight editors of one chart lose no change of each other, and each is a version and an event', async () => {
  const chart = { name: { given: ['José'], family: 'Gómez' }, birthDate: '1989-05-25', sex: 'male', race: '0' }
  const { id } = (await service.call('POST', '/api/v1/patients', { token, body: chart })).body
  const path = `/api/v1/patients/${id}`
  await service.events()

  const edit = async (editor: number) => {
    const done = []
    for (let n = 0; n < changesEach; n++) done.push(await insist(path, `${editor}.${n}`))
    return done
  }
  const done = (await Promise.all(Array.from({ length: editors }, (_, editor) => edit(editor)))).flat()

  // what each was answered is what that version holds, and the counter missed none of them
  const kept = await service.db.query<object[]>(
    `SELECT version, demographics->>'race' AS count, demographics->>'ethnicity' AS mark
     FROM patient_versions WHERE patient_id = $1 AND version > 1 ORDER BY version`,
    [id],
  )
  expect(kept).toHaveLength(changes)
  const answered = done.toSorted((a, b) => a.version - b.version)
  expect(kept).toEqual(
    answered.map(({ version, mark }, n) => {
      expect(version).toBe(n + 2)
      return { version, count: String(n + 1), mark }
    }),
  )
  expect((await service.call('GET', path, { token })).body).toMatchObject({
    version: changes + 1,
    race: String(changes),
  })

  const events = (await service.events()).filter(({ type }) => type === 'patients.patient.updated')
  const refused = done.reduce((sum, one) => sum + one.refused, 0)
  expect(events.filter(({ outcome }) => outcome === 'success')).toHaveLength(changes)
  expect(events.filter(({ code }) => code === 'stale')).toHaveLength(refused)
  // else nobody was in anybody's way
  expect(refused).toBeGreaterThan(0)
})

test('charts that bring the same new names, each in another order, can be made at the same time', async () => {
  for (let round = 0; round < 10; round++) {
    const names = Array.from(
      { length: 10 },
      (_, n) => `Neu${'abcdefghij'[n]!.repeat(3)}${'klmnopqrst'[round]!.repeat(3)}`,
    )
    const rotated = (by: number) => [...names.slice(by), ...names.slice(0, by)]
    const made = await Promise.all(
      names.map((family, n) => {
        const body = { name: { given: rotated(n), family }, birthDate: '1989-05-25', sex: 'female' }
        return service.call('POST', '/api/v1/patients?force=true', { token, body })
      }),
    )
    expect(made.map(({ status }) => status)).toEqual(names.map(() => 201))
  }
})
