/** Express and joi put together with care: a key object, tokens known until they expire, prepared statements of pg. */
import { createSecretKey } from 'node:crypto'
import express from 'express'
import jwt from 'jsonwebtoken'
import pg from 'pg'
import { answerError, chartPatch, columns, newChart, refusal, validate } from './chart.mjs'

const { PORT, DATABASE_URL, SECRET_KEY } = process.env
const key = createSecretKey(Buffer.from(SECRET_KEY))
pg.types.setTypeParser(pg.types.builtins.DATE, String)
const pool = new pg.Pool({ connectionString: DATABASE_URL })
const known = new Map()

function check(header) {
  const seen = known.get(header)
  if (seen && seen.exp * 1000 > Date.now()) return seen
  const claims = jwt.verify(header?.slice(7) ?? '', key, { algorithms: ['HS256'] })
  known.set(header, claims)
  return claims
}

function authenticate(req, res, next) {
  let claims
  try {
    claims = check(req.headers.authorization)
  } catch {
    throw refusal(401, 'Unauthorized')
  }
  if (!claims.roles.includes('clinician')) throw refusal(403, 'Forbidden')
  next()
}

const select = { name: 'get', text: 'SELECT * FROM patients WHERE id = $1' }
const insert = {
  name: 'insert',
  text: `INSERT INTO patients (${columns.map((name) => `"${name}"`)}) VALUES (${columns.map((_, n) => `$${n + 1}`)}) RETURNING *`,
}
const update = {
  name: 'update',
  text: `UPDATE patients SET ${columns.map((name, n) => `"${name}" = $${n + 2}`)}, version = version + 1, "updatedAt" = now()
    WHERE id = $1 RETURNING *`,
}
const valuesOf = (chart) =>
  columns.map((name) => (typeof chart[name] === 'object' && chart[name] ? JSON.stringify(chart[name]) : chart[name]))

async function one(query, values) {
  const { rows } = await pool.query({ ...query, values })
  if (!rows[0]) throw refusal(404, 'Patient not found')
  return rows[0]
}

const app = express()
app.disable('etag').disable('x-powered-by')
app.use(express.json(), authenticate)
app.get('/api/v1/patients/:id', async (req, res) => void res.json(await one(select, [req.params.id])))
app.post('/api/v1/patients', async (req, res) => {
  res.status(201).json(await one(insert, valuesOf(validate(newChart, req.body))))
})
app.patch('/api/v1/patients/:id', async (req, res) => {
  const change = validate(chartPatch, req.body)
  const { id } = req.params
  res.json(await one(update, [id, ...valuesOf({ ...(await one(select, [id])), ...change })]))
})
app.use(answerError)
app.listen(Number(PORT), '127.0.0.1')
