import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { currentUrl } from './current-url.ts'

test('a URL that came from a file is what the file says now, as long as there is one in it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'caregate-url-'))
  const file = join(folder, 'database')
  const current = currentUrl('postgres://a:old@db/x', file)
  expect(current()).toBe('postgres://a:old@db/x')
  writeFileSync(file, 'postgres://a:new@db/x\n')
  expect(current()).toBe('postgres://a:new@db/x')
  for (const text of ['', 'mysql://a:other@db/x', 'postgres://a:other@db/x?sslmode=disable']) {
    writeFileSync(file, text)
    expect(current()).toBe('postgres://a:new@db/x')
  }
  rmSync(folder, { recursive: true })
  expect(current()).toBe('postgres://a:new@db/x')
})
