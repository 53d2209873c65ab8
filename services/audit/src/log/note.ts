import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'

/** A key that verifies, by the name that it signs under. */
export interface Verifier {
  name: string
  type: SignatureType
  publicKey: KeyObject
}
/** A key that signs. */
export interface Signer {
  name: string
  privateKey: KeyObject
}

/** C2SP signed-note: Ed25519, and timestamped Ed25519 of a witness (C2SP tlog-cosignature). */
const signatureTypes = { log: 1, witness: 4 } as const
type SignatureType = keyof typeof signatureTypes

/** The head of a log (C2SP tlog-checkpoint). */
export interface Checkpoint {
  origin: string
  size: number
  root: Buffer
}

/** Names stand in lines with spaces between, and in keys with plus signs. */
export const isKeyName = (name: string): boolean => /^[^\s+]+$/.test(name)

const rawKey = (key: KeyObject): Buffer => Buffer.from(key.export({ format: 'jwk' }).x!, 'base64url')
const keyId = (name: string, type: SignatureType, key: Buffer): Buffer =>
  createHash('sha256').update(`${name}\n`).update(Buffer.of(signatureTypes[type])).update(key).digest().subarray(0, 4)

/** `name+id+key` (C2SP signed-note, verifier keys). */
export function formatVerifier({ name, type, publicKey }: Verifier): string {
  const key = rawKey(publicKey)
  const material = Buffer.concat([Buffer.of(signatureTypes[type]), key]).toString('base64')
  return `${name}+${keyId(name, type, key).toString('hex')}+${material}`
}

/** @throws {Error} that says what is wrong with it */
export function parseVerifier(text: string): Verifier {
  const [, name, id, material] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(text.trim()) ?? []
  const bytes = Buffer.from(material ?? '', 'base64')
  const type = (Object.keys(signatureTypes) as SignatureType[]).find((known) => signatureTypes[known] === bytes[0])
  if (!name || !type || bytes.length !== 33) throw new Error('not an Ed25519 verifier key: name+id+key')
  const key = bytes.subarray(1)
  if (keyId(name, type, key).toString('hex') !== id)
    throw new Error('the id of the verifier key is not that of its key')
  const publicKey = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: key.toString('base64url') },
    format: 'jwk',
  })
  return { name, type, publicKey }
}

export const verifierOf = ({ name, privateKey }: Signer, type: SignatureType): Verifier => ({
  name,
  type,
  publicKey: createPublicKey(privateKey),
})

function signatureLine({ name, privateKey }: Signer, type: SignatureType, signature: Buffer): string {
  const id = keyId(name, type, rawKey(createPublicKey(privateKey)))
  return `— ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`
}

/** @param text of whole lines @returns the text, an empty line, and the signature */
export const signNote = (text: string, signer: Signer): string =>
  `${text}\n${signatureLine(signer, 'log', sign(null, Buffer.from(text), signer.privateKey))}`

const cosigned = (text: string, seconds: bigint): Buffer => Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`)

/** A witness's line below a checkpoint: that it saw the log grow consistently to this size, and when. */
export function cosign(text: string, signer: Signer, now: Date): string {
  const seconds = BigInt(Math.floor(now.getTime() / 1000))
  const time = Buffer.alloc(8)
  time.writeBigUInt64BE(seconds)
  return signatureLine(signer, 'witness', Buffer.concat([time, sign(null, cosigned(text, seconds), signer.privateKey)]))
}

/** A note taken apart; what it says is not verified. @throws {Error} when it is none */
export function splitNote(note: string): { text: string; signatures: { name: string; bytes: Buffer }[] } {
  const end = note.lastIndexOf('\n\n') + 1
  const [text, lines] = [
    note.slice(0, end),
    note
      .slice(end + 1)
      .split('\n')
      .slice(0, -1),
  ]
  if (!end || !lines.length || !note.endsWith('\n')) throw new Error('not a signed note')
  const signatures = lines.map((line) => {
    const [, name, signature] = /^— ([^\s+]+) ([A-Za-z0-9+/]+=*)$/.exec(line) ?? []
    if (!name) throw new Error('not a signature line')
    return { name, bytes: Buffer.from(signature!, 'base64') }
  })
  return { text, signatures }
}

/** Whether the key signed the note: one signature of it at least, and none that is wrong. @throws {Error} when it is none */
export function isSignedBy(note: string, { name, type, publicKey }: Verifier): boolean {
  const { text, signatures } = splitNote(note)
  const id = keyId(name, type, rawKey(publicKey))
  const own = signatures.filter((one) => one.name === name && one.bytes.subarray(0, 4).equals(id))
  return own.length > 0 && own.every(({ bytes }) => isRight(text, bytes.subarray(4), type, publicKey))
}

function isRight(text: string, signature: Buffer, type: SignatureType, publicKey: KeyObject): boolean {
  if (type === 'log') return verify(null, Buffer.from(text), publicKey, signature)
  if (signature.length !== 72) return false
  return verify(null, cosigned(text, signature.readBigUInt64BE()), publicKey, signature.subarray(8))
}

export const formatCheckpoint = ({ origin, size, root }: Checkpoint): string =>
  `${origin}\n${size}\n${root.toString('base64')}\n`

/** @throws {Error} when it is none */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin, size, root] = text.split('\n')
  const hash = Buffer.from(root ?? '', 'base64')
  if (!origin || !/^(0|[1-9]\d{0,14})$/.test(size ?? '') || hash.toString('base64') !== root || hash.length !== 32)
    throw new Error('not a checkpoint: origin, size and root, each on a line')
  return { origin, size: Number(size), root: hash }
}
