/** Requests of every kind, good and bad, with a canary wherever a client can put something. */
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { JsonSchema, Operation } from '../operations.ts'
import type { Canaries, Kind } from './canaries.ts'

export interface Asked {
  method: string
  path: string
  token?: string
  body?: unknown
  headers?: Record<string, string>
}
export interface Answered {
  asked: Asked
  status: number
  text: string
}
export type Send = (asked: Asked) => Promise<Answered>

/** Not by fetch, which would repair what is sent. */
export function buildSend(base: string, answers: Answered[]): Send {
  return async (asked) => {
    const { method, path, token, body, headers = {} } = asked
    const sent = typeof body === 'string' || body === undefined ? body : JSON.stringify(body)
    const options = {
      method,
      path,
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(sent !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(sent) }),
        ...headers,
      },
    }
    const answer = await new Promise<Answered>((resolve, reject) => {
      const req = request(base, options, (res) => {
        text(res).then((got) => resolve({ asked, status: res.statusCode!, text: got }), reject)
      })
      req.on('error', reject).end(sent)
    })
    answers.push(answer)
    return answer
  }
}

/** A body that is right by its schema, as far as that says, with a canary in every text. */
export function fill(canaries: Canaries, schema: JsonSchema, what: string, kind: Kind = 'chart'): unknown {
  const [first] = schema.enum ?? schema.anyOf ?? []
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return first
  if (first) return fill(canaries, first, what, kind)
  const type = [schema.type].flat().find((one) => one !== 'null')
  if (type === 'object')
    return Object.fromEntries(
      Object.entries(schema.properties ?? {})
        // beside the others it would be refused, or is for the lists alone
        .filter(([name]) => !['limit', 'cursor', '_cursor', 'restricted'].includes(name))
        .map(([name, member]) => [name, fill(canaries, member, `${what} ${name}`, kind)]),
    )
  if (type === 'array') return [fill(canaries, schema.items ?? {}, what, kind)]
  if (type === 'boolean') return false
  if (type === 'integer' || type === 'number') return schema.minimum ?? 1
  if (schema.format === 'uuid' || / \w*(Id|id)$/.test(what)) return '0190a000-0000-7000-8000-000000000000'
  if (schema.pattern?.includes('\\d{4}')) return canaries.plantDay(kind, what)
  return canaries.plant(kind, what, (core) => `${core} é`)
}

export const formType = 'application/x-www-form-urlencoded'

/** Bad input of an operation: each is refused, or its query and headers ignored, before anything is done. */
export function* badInput(
  { plant }: Canaries,
  { method, path, parameters, bodies }: Operation,
  chartId: string,
): Generator<Omit<Asked, 'token'>> {
  const where = `${method} ${path}`
  const params = parameters.filter((one) => one.in === 'path').map(({ name }) => name)
  const [[bodyType] = []] = bodies
  const at = (values: Record<string, string> = {}) =>
    path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => values[name] ?? chartId)
  const refused = (what: string) => plant('refused', `${what}, ${where}`)
  yield { method, path: `${at()}?q=${refused('query')}&${plant('member', `name in the query, ${where}`)}=1` }
  for (const name of params) yield { method, path: at({ [name]: refused('path') }) }
  for (const name of params) yield { method, path: at({ [name]: `${refused('path')}%00` }) }
  yield { method, path: `${at()}/${refused('end of the path')}` }
  const headers = Object.fromEntries(
    ['If-Match', 'If-None-Match', 'Referer', 'Cookie', 'Accept-Language', 'X-Break-Glass', 'X-Note', 'Range'].map(
      (name) => [name, refused(`header ${name}`)],
    ),
  )
  yield { method, path: `${at()}?unknown=1`, headers }
  yield { method, path: at(), headers: { authorization: `Bearer ${refused('token')}` } }
  if (!bodyType) return
  const type = { 'content-type': bodyType }
  // a form it would be the name of a field, by which a refusal may call it
  const broken = bodyType === formType ? `q=${refused('broken form')}%` : `{"name": ${refused('broken JSON')}`
  yield { method, path: at(), body: broken, headers: type }
  yield { method, path: at(), body: refused('text'), headers: { 'content-type': 'text/plain' } }
  const strange = { [plant('member', `member, ${where}`)]: refused('value of an unknown member') }
  yield { method, path: at(), body: strange, headers: type }
  yield { method, path: at(), body: `"${refused('too much')}${'x'.repeat(2 ** 20 + 1)}"`, headers: type }
}
