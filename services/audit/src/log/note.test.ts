import { generateKeyPairSync, hash } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import {
  cosign,
  formatCheckpoint,
  formatVerifier,
  isKeyName,
  isSignedBy,
  parseCheckpoint,
  parseVerifier,
  signNote,
  splitNote,
  verifierOf,
} from './note.ts'

/** From the documentation of Go's golang.org/x/mod/sumdb/note. */
const known = {
  key: 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  note:
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n" +
    '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n',
}
const signer = { name: 'care.example.org/audit', privateKey: generateKeyPairSync('ed25519').privateKey }
const verifier = verifierOf(signer, 'log')
const text = formatCheckpoint({ origin: signer.name, size: 3, root: Buffer.alloc(32, 7) })

describe('a signed note', () => {
  test('of another implementation is verified, and its key read and written', () => {
    const key = parseVerifier(known.key)
    expect(isSignedBy(known.note, key)).toBe(true)
    expect(formatVerifier(key)).toBe(known.key)
    expect(isSignedBy(known.note.replace('answer', 'Answer'), key)).toBe(false)
  })

  test('is signed by its key and by no other, also of the same name', () => {
    const note = signNote(text, signer)
    expect(splitNote(note).text).toBe(text)
    expect(() => splitNote(note.slice(0, -1))).toThrow('not a signed note')
    expect(isSignedBy(note, verifier)).toBe(true)
    const other = verifierOf({ ...signer, privateKey: generateKeyPairSync('ed25519').privateKey }, 'log')
    expect(isSignedBy(note, other)).toBe(false)
    expect(isSignedBy(note, verifierOf({ ...signer, name: 'another' }, 'log'))).toBe(false)
  })

  test('with a wrong signature of the key beside a right one is not taken', () => {
    const note = signNote(text, signer)
    const wrong = splitNote(signNote('else\n', signer)).signatures[0]!.bytes.toString('base64')
    expect(isSignedBy(`${note}— ${signer.name} ${wrong}\n`, verifier)).toBe(false)
  })

  test('is signed whatever others say below it, under its name or with its number', () => {
    const note = signNote(text, signer)
    const [own] = splitNote(note).signatures
    const wrong = Buffer.concat([own!.bytes.subarray(0, 4), Buffer.alloc(64)]).toString('base64')
    const anotherKey = Buffer.alloc(68, 1).toString('base64')
    expect(isSignedBy(`${note}— another ${wrong}\n— ${signer.name} ${anotherKey}\n`, verifier)).toBe(true)
    expect(isSignedBy(`${text}\n— another ${own!.bytes.toString('base64')}\n`, verifier)).toBe(false)
  })

  test.each([
    '',
    'x',
    'x\n',
    'x\n\n',
    'x\n\ny\n',
    'x\n\n— name\n',
    `x\n\n— name AAAA`,
    'x\n\n— na+me AAAA\n',
    'x\n\n— name AAAA!\n',
  ])('%j is none', (note) => {
    expect(() => splitNote(note)).toThrow(/^not a sign/)
  })
})

describe('a cosignature', () => {
  const witness = { name: 'witness.example.org', privateKey: generateKeyPairSync('ed25519').privateKey }

  test('stands below the log’s own and says when', () => {
    const line = cosign(text, witness, new Date('2026-01-02T03:04:05.678Z'))
    const note = signNote(text, signer) + line
    expect(isSignedBy(note, verifierOf(witness, 'witness'))).toBe(true)
    expect(isSignedBy(note, verifier)).toBe(true)
    expect(splitNote(note).signatures[1]!.bytes.readBigUInt64BE(4)).toBe(
      BigInt(Date.parse('2026-01-02T03:04:05Z') / 1000),
    )
  })

  test('at another time, or as a signature of the other kind, is not one', () => {
    const line = cosign(text, witness, new Date())
    const later = splitNote(`x\n\n${line}`).signatures[0]!.bytes
    later.writeUInt8(later.readUInt8(11) ^ 1, 11)
    const moved = `${text}\n— ${witness.name} ${later.toString('base64')}\n`
    expect(isSignedBy(moved, verifierOf(witness, 'witness'))).toBe(false)
    expect(isSignedBy(`${text}\n${line}`, verifierOf(witness, 'log'))).toBe(false)
    const { bytes } = splitNote(`x\n\n${line}`).signatures[0]!
    for (const short of [bytes.subarray(0, -1), bytes.subarray(0, 8), bytes.subarray(0, 4)])
      expect(
        isSignedBy(`${text}\n— ${witness.name} ${short.toString('base64')}\n`, verifierOf(witness, 'witness')),
      ).toBe(false)
  })
})

test('a checkpoint is read as it was written', () => {
  expect(parseCheckpoint(text)).toEqual({ origin: signer.name, size: 3, root: Buffer.alloc(32, 7) })
  for (const bad of [
    '',
    'x\n',
    text.replace(signer.name, ''),
    text.replace('3', '3x'),
    'x\n01\nAAAA\n',
    `x\n1\n${Buffer.alloc(31).toString('base64')}\n`,
    `x\n-1\n${Buffer.alloc(32).toString('base64')}\n`,
  ])
    expect(() => parseCheckpoint(bad)).toThrow('not a checkpoint')
})

describe('a verifier key', () => {
  const written = (name: string, bytes: Buffer) =>
    `${name}+${hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), bytes]), 'hex').slice(0, 8)}+${bytes.toString('base64')}`
  const raw = (type: number, length = 32) => Buffer.concat([Buffer.of(type), Buffer.alloc(length, 9)])

  test('is read as it was written, of a log (type 1) and of a witness (type 4, C2SP tlog-cosignature)', () => {
    for (let n = 0; n < 20; n++) {
      const own = { name: `log-${n}`, privateKey: generateKeyPairSync('ed25519').privateKey }
      for (const type of ['log', 'witness'] as const) {
        const key = formatVerifier(verifierOf(own, type))
        expect(Buffer.from(key.split('+').slice(2).join('+'), 'base64')[0]).toBe(type === 'log' ? 1 : 4)
        expect(formatVerifier(parseVerifier(`${key}\n`))).toBe(key)
      }
    }
  })

  test('with another id, type, length or name is none', () => {
    const [name, id, material] = known.key.split('+') as [string, string, string]
    expect(parseVerifier(written('a', raw(1)))).toMatchObject({ name: 'a', type: 'log' })
    for (const bad of [
      `${name}+00000000+${material}`,
      `${name}+${id}+AA${material.slice(2)}`,
      `${name}+${id}`,
      `+${id}+${material}`,
      written('a', raw(2)),
      written('a', raw(1, 31)),
      written('a', raw(1, 33)),
      written('a+b', raw(1)),
    ])
      expect(() => parseVerifier(bad)).toThrow(/verifier key/)
  })

  test('has a name without spaces and plus signs', () => {
    expect(['care.example.org/audit', 'a b', 'a+b', ''].map(isKeyName)).toEqual([true, false, false, false])
  })
})
