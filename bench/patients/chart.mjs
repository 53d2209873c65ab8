/** What the Express peers share: the fields of a chart by joi, and how an error is answered. */
import Joi from 'joi'

const text = Joi.string().max(254)
const optional = text.allow(null)
const list = (item) => Joi.array().items(item).default([])
const name = Joi.object({
  given: Joi.array().items(text).min(1).required(),
  family: text.required(),
  prefix: optional,
  suffix: optional,
})
const telecom = Joi.object({
  system: Joi.string().valid('phone', 'email').required(),
  value: text.required(),
  use: Joi.string().valid('home', 'work', 'mobile').allow(null),
})
const date = Joi.string().isoDate()

const fields = {
  name,
  otherNames: list(Joi.object({ use: text.required(), given: list(text), family: optional })),
  birthDate: date,
  deathDate: date.allow(null),
  sex: Joi.string().valid('male', 'female', 'other', 'unknown'),
  identifiers: list(Joi.object({ system: text.required(), value: text.required() })),
  telecom: list(telecom),
  addresses: list(
    Joi.object({ line: list(text), city: optional, state: optional, postalCode: optional, country: optional }),
  ),
  contacts: list(Joi.object({ name: name.required(), relationship: optional, telecom: list(telecom) })),
  language: optional,
  maritalStatus: optional,
  race: optional,
  ethnicity: optional,
}
export const columns = Object.keys(fields)
export const newChart = Joi.object(fields).fork(['name', 'birthDate', 'sex'], (field) => field.required())
export const chartPatch = Joi.object(fields).prefs({ noDefaults: true })

export function validate(schema, body) {
  const { value, error } = schema.validate(body, { abortEarly: false })
  if (error) throw Object.assign(error, { status: 422 })
  return value
}

export const refusal = (status, message) => Object.assign(new Error(message), { status })

/** Express knows it by its four parameters. */
export const answerError = (error, _req, res, _next) =>
  void res.status(error.status ?? 500).json({ message: error.status ? error.message : 'Internal server error' })
