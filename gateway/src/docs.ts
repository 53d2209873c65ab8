import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import express, { Router } from 'express'
import helmet from 'helmet'
import { problems } from '@caregate/common/errors'
import type { OpenApi } from '@caregate/common/openapi'

const resolve = createRequire(import.meta.url).resolve
const swaggerFolder = dirname(resolve('swagger-ui-dist/package.json'))
const redocFolder = join(dirname(resolve('redoc/package.json')), 'bundles')

const page = (title: string, body: string, head = ''): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title>${head}</head>
<body>${body}</body>
</html>
`

const swaggerPage = page(
  'Caregate API',
  '<div id="swagger-ui"></div><script src="/docs/assets/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script>',
  '<link rel="stylesheet" href="/docs/assets/swagger-ui.css">',
)
const swaggerStart = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null, persistAuthorization: false })\n`
const redocPage = page(
  'Caregate API reference',
  '<div id="redoc"></div><script src="/redoc/assets/redoc.standalone.js"></script><script src="/redoc/start.js"></script>',
)
const redocStart = `Redoc.init('/openapi.json', { hideDownloadButton: false, disableSearch: true }, document.getElementById('redoc'))\n`

const problemRows = Object.entries(problems)
  .map(
    ([code, [status, title, meaning]]) =>
      `<dt id="${code}"><code>${code}</code> (${status}) ${title}</dt><dd>${meaning}</dd>`,
  )
  .join('\n')
const errorsPage = page(
  'Caregate error codes',
  `<main><h1>Error codes</h1><p>Every refusal is <code>application/problem+json</code> (RFC 9457) with one of these as its <code>code</code>; below <code>/fhir/R4</code> it is an OperationOutcome, which has it in <code>details.coding</code>.</p><dl>${problemRows}</dl></main>`,
  '<style>main{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}dt{font-weight:600;margin-top:1rem}dt:target{background:#fff3c4}</style>',
)

/** Redoc as it is, but for the one thing that it wants from elsewhere: a logo of its maker's, which it leaves out then. */
const readRedoc = (): string =>
  readFileSync(join(redocFolder, 'redoc.standalone.js'), 'utf8').replaceAll(
    'https://cdn.redoc.ly/redoc/logo-mini.svg',
    'data:,',
  )

/** Swagger UI, Redoc and the list of error codes, all from this host. */
export function docsRouter(openApi: () => Promise<OpenApi>): Router {
  const router = Router()
  const redoc = readRedoc()
  router.use(
    ['/docs', '/redoc'],
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          scriptSrc: ["'self'"],
          styleSrc: ["'self'", "'unsafe-inline'"],
          imgSrc: ["'self'", 'data:'],
          fontSrc: ["'self'", 'data:'],
          connectSrc: ["'self'"],
          workerSrc: ["'self'", 'blob:'],
          baseUri: ["'none'"],
          formAction: ["'none'"],
          frameAncestors: ["'none'"],
        },
      },
    }),
  )
  router.get('/', (_req, res) => res.redirect('/docs'))
  router.get('/docs', (_req, res) => void res.type('html').send(swaggerPage))
  router.get('/docs/start.js', (_req, res) => void res.type('js').send(swaggerStart))
  router.get('/docs/errors', (_req, res) => void res.type('html').send(errorsPage))
  router.use('/docs/assets', express.static(swaggerFolder, { index: false, maxAge: '1d' }))
  router.get('/redoc', (_req, res) => void res.type('html').send(redocPage))
  router.get('/redoc/start.js', (_req, res) => void res.type('js').send(redocStart))
  router.get('/redoc/assets/redoc.standalone.js', (_req, res) => {
    res.set('Cache-Control', 'public, max-age=86400').type('js').send(redoc)
  })
  router.use('/redoc/assets', express.static(redocFolder, { index: false, maxAge: '1d' }))
  // a browser asks for it of its own accord: no refusal to be counted and recorded
  router.get('/favicon.ico', (_req, res) => void res.set('Cache-Control', 'public, max-age=86400').status(204).end())
  router.get('/openapi.json', async (_req, res) => {
    res.json(await openApi())
  })
  return router
}
