import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { findConsole } from './console.ts'
import { openAudit } from './testing.ts'

let audit: Awaited<ReturnType<typeof openAudit>>
beforeAll(async () => {
  audit = await openAudit()
})
afterAll(() => audit?.close())

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

test('anybody gets the page, under a policy of its own, and nothing is recorded', async () => {
  for (const path of ['/console', '/console/']) {
    const { status, headers, body } = await audit.call('GET', path)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(headers.get('content-security-policy')).toBe(policy)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(body).toMatch(/^<!doctype html>/)
    // what the policy would stop
    expect(body).not.toMatch(/<style|style=|<script(?![^>]*\ssrc=)|https?:(?!\/\/www\.w3\.org)/)
  }
  expect(await audit.events()).toEqual([])
})

test('what the page loads is kept for good, and there is nothing else', async () => {
  const { body: page } = await audit.call('GET', '/console')
  const assets = [...page.matchAll(/(?:src|href)="(\/console\/[^"]+)"/g)].map(([, path]) => path as string)
  expect(assets.map((path) => path.split('.').at(-1)).sort()).toEqual(['css', 'js'])
  for (const path of assets) {
    const { status, headers } = await audit.call('GET', path)
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(headers.get('content-type')).toMatch(path.endsWith('.js') ? /^text\/javascript/ : /^text\/css/)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  }
  for (const path of [
    '/console/assets/other.js',
    '/console/assets/..%2findex.html.js',
    '/console/assets/..%2f..%2f..%2fsrc%2fmain.js',
    '/console/assets/__proto__.js',
    '/console/assets/constructor.css',
  ])
    expect((await audit.call('GET', path)).status).toBe(404)
  expect((await audit.call('GET', '/console/index.html')).status).toBe(401)
})

test('it is as small as a page should be that is opened in a hurry', () => {
  const { files } = findConsole()!
  const bytes = Object.values(files).reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  expect(bytes).toBeLessThan(140_000)
})
