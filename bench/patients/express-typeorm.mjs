/** Express, joi and TypeORM the way tutorials put them together: the key is a text, the token is checked at each request. */
import express from 'express'
import jwt from 'jsonwebtoken'
import { DataSource, EntitySchema } from 'typeorm'
import { answerError, chartPatch, newChart, refusal, validate } from './chart.mjs'

const { PORT, DATABASE_URL, SECRET_KEY } = process.env
const text = { type: 'text', nullable: true }
const json = { type: 'json' }

const Patient = new EntitySchema({
  name: 'patients',
  columns: {
    id: { type: 'uuid', primary: true, generated: 'uuid' },
    mrn: { type: 'text', default: () => `nextval('mrn')` },
    version: { type: 'int', default: 1 },
    status: { type: 'text', default: 'active' },
    restricted: { type: 'boolean', default: false },
    name: json,
    otherNames: json,
    birthDate: { type: 'date' },
    deathDate: { type: 'date', nullable: true },
    sex: { type: 'text' },
    identifiers: json,
    telecom: json,
    addresses: json,
    contacts: json,
    language: text,
    maritalStatus: text,
    race: text,
    ethnicity: text,
    createdAt: { type: 'timestamptz', createDate: true },
    updatedAt: { type: 'timestamptz', updateDate: true },
  },
})
const source = new DataSource({
  type: 'postgres',
  url: DATABASE_URL,
  entities: [Patient],
  uuidExtension: 'pgcrypto',
  installExtensions: false,
})
await source.initialize()
const patients = source.getRepository(Patient)

function authenticate(req, res, next) {
  try {
    req.user = jwt.verify(req.headers.authorization?.split(' ')[1] ?? '', SECRET_KEY)
  } catch {
    throw refusal(401, 'Unauthorized')
  }
  if (!req.user.roles.includes('clinician')) throw refusal(403, 'Forbidden')
  next()
}

async function getPatient(id) {
  const patient = await patients.findOneBy({ id })
  if (!patient) throw refusal(404, 'Patient not found')
  return patient
}

const app = express()
app.use(express.json(), authenticate)
app.get('/api/v1/patients/:id', async (req, res) => void res.json(await getPatient(req.params.id)))
app.post('/api/v1/patients', async (req, res) => {
  const patient = patients.create(validate(newChart, req.body))
  res.status(201).json(await patients.save(patient))
})
app.patch('/api/v1/patients/:id', async (req, res) => {
  const change = validate(chartPatch, req.body)
  const patient = await getPatient(req.params.id)
  Object.assign(patient, change, { version: patient.version + 1 })
  res.json(await patients.save(patient))
})
app.use(answerError)
app.listen(Number(PORT), '127.0.0.1')
