import Joi from 'joi'
import { AppError, notFound } from '@caregate/common/errors'
import { route, type Answer, type Route } from '@caregate/common/route'
import { nothing, type Schema } from '@caregate/common/validate'
import type { BuiltConsole } from '../console.ts'

export interface ConsoleDeps {
  /** Undefined when it isn't built. */
  console: Pick<BuiltConsole, 'files'> | undefined
}

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const assetParams: Schema<{ name: string }> = Joi.object({ name: Joi.string().required() })

/** Only what was built is there to be asked for: no path leads to a file. */
export function consoleRoutes({ console }: ConsoleDeps): Route[] {
  /** @throws {AppError} 404, 503 */
  function answerFile(path: string, headers: Record<string, string>): Answer {
    if (!console) throw new AppError('unavailable', 'The console is not built here: npm run build:console')
    if (!Object.hasOwn(console.files, path)) throw notFound('file')
    return { body: console.files[path], headers: { 'Content-Security-Policy': policy, ...headers } }
  }
  const page = route({
    method: 'get',
    path: '/console',
    root: true,
    summary: 'The audit console: a page to sign in to as an auditor',
    policy: 'public',
    event: null,
    params: nothing,
    query: nothing,
    body: nothing,
    answer: { status: 200, description: 'The page', type: 'text/html; charset=utf-8' },
    errors: ['unavailable'],
    handle: async () => answerFile('index.html', {}),
  })
  const asset = (extension: string, type: string): Route =>
    route({
      method: 'get',
      path: `/console/assets/{name}.${extension}`,
      root: true,
      summary: `What the console’s page loads: ${extension}`,
      policy: 'public',
      event: null,
      params: assetParams,
      query: nothing,
      body: nothing,
      answer: { status: 200, description: 'The file, which never changes under its name', type },
      errors: ['not_found', 'unavailable'],
      handle: async ({ params: { name } }) =>
        answerFile(`assets/${name}.${extension}`, { 'Cache-Control': 'public, max-age=31536000, immutable' }),
    })
  return [
    page,
    // as it is typed; one description of it will do
    { ...page, path: '/console/', internal: true },
    asset('js', 'text/javascript; charset=utf-8'),
    asset('css', 'text/css; charset=utf-8'),
  ]
}
