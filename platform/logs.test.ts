import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { fieldNames } from '@caregate/common/request-context'
import { ROOT } from './state.ts'

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')
const always = ['@timestamp', 'log.level', 'message', 'ecs.version', 'service.name']

test('the page on logs has every field that a line may have, and no other', () => {
  const [, table = ''] = /## Fields([^]+?)\n## /.exec(read('docs/logs.md')) ?? []
  const rows = table.split('\n').filter((line) => line.startsWith('| `'))
  const told = rows.flatMap((row) => [...row.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name))
  expect(told.sort()).toEqual([...always, ...fieldNames].sort())
})

test('Filebeat takes lines as they are, and what it goes by is in each of ours', () => {
  const {
    'filebeat.inputs': inputs,
    processors,
    ...rest
  } = parse(read('ops/logs/filebeat.yml')) as {
    'filebeat.inputs': { type: string; paths: string[]; parsers: Record<string, object>[] }[]
    processors: { drop_event?: { when: { not: { has_fields: string[] } } } }[]
  }
  expect(inputs.map(({ type }) => type)).toEqual(['filestream'])
  expect(inputs[0]!.parsers.map((parser) => Object.keys(parser)[0])).toEqual(['container', 'ndjson'])
  expect(inputs[0]!.parsers[1]).toMatchObject({ ndjson: { target: '', expand_keys: true, overwrite_keys: true } })
  expect(always).toEqual(expect.arrayContaining(processors[0]!.drop_event!.when.not.has_fields))
  expect(Object.keys(rest)).toEqual(['output.elasticsearch', 'setup.template.enabled', 'setup.ilm.enabled'])
})
