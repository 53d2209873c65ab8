/** A nurse makes a chart, reads it and changes it; another change, of the version before, is refused. */
import { createClient, dataOf, type Schemas } from '@caregate/client'

const { CAREGATE_URL: baseUrl = 'http://127.0.0.1:8000', CAREGATE_EMAIL, CAREGATE_PASSWORD } = process.env
const caregate = createClient({ baseUrl })
await caregate.signIn({ email: CAREGATE_EMAIL!, password: CAREGATE_PASSWORD! })

const body: Schemas['NewPatient'] = {
  name: { given: ['José'], family: `Gómez ${Date.now()}` },
  birthDate: '1989-05-25',
  sex: 'male',
}
const { id } = dataOf(await caregate.POST('/api/v1/patients', { body }))

const chart = { params: { path: { id } } }
const read = await caregate.GET('/api/v1/patients/{id}', chart)
console.log(dataOf(read).name.family, dataOf(read).mrn)

const ofVersion = { ...chart.params, header: { 'If-Match': read.response.headers.get('etag')! } }
const change = (use: 'home' | 'work') =>
  caregate.PATCH('/api/v1/patients/{id}', {
    params: ofVersion,
    headers: { 'Content-Type': 'application/merge-patch+json' },
    body: { telecom: [{ system: 'phone', value: '555-0199', use }] },
  })
console.log('version', dataOf(await change('home')).version)
const late = await change('work')
console.log(late.response.status, late.error?.code)

await caregate.signOut()
