import { generateKeyPairSync } from 'node:crypto'
import Joi from 'joi'
import { databaseKeys, loadConfig, trustKeys, type Keys } from '@caregate/common/config'
import { SERVICES } from '@caregate/common/services'
import { keys as backup } from '../../ops/backup/src/config.ts'
import { retainKeys } from '../../services/audit/src/config.ts'
import { rotateKeys } from '../../services/patients/src/config.ts'
import { PROCESSES, settingsOf } from '../services.ts'
import { titleOf, withoutHash, type Container, type Resource, type Workload } from './resources.ts'

const ownerKeys = { DATABASE_URL: databaseKeys.DATABASE_URL, DATABASE_OWNER_URL: retainKeys.DATABASE_OWNER_URL }
/** What runs in a container, by its image and its command, and the settings that it takes. */
const programs: Record<string, Keys> = {
  ...Object.fromEntries(
    await Promise.all(PROCESSES.map(async (name) => [`caregate/${name}`, await settingsOf(name)] as const)),
  ),
  ...Object.fromEntries(SERVICES.map((service) => [`caregate/${service} src/migrate.ts`, ownerKeys])),
  'caregate/audit src/retain.ts': retainKeys,
  'caregate/patients src/rotate.ts': rotateKeys,
  'caregate/audit src/cli.ts': {},
  // the argument that names the service stands in the environment too
  'caregate/backup': {
    ...backup.backup,
    SERVICE: Joi.string()
      .valid(...SERVICES)
      .required(),
  },
}

const programOf = ({ image, command = [] }: Container): string =>
  [image.replace(/:[^:/]+$/, ''), ...command.slice(1, 2)].join(' ')

/** The settings of a container of ours; undefined for others' images, and for what is not started as a service is. */
export function keysOf(container: Container): Keys | undefined {
  const keys = programs[programOf(container)]
  return keys && { ...trustKeys, ...keys }
}

/** A secret in production is somebody else's: one that is like it stands in. */
const { privateKey } = generateKeyPairSync('ed25519')
const standIns: Record<string, string> = {
  AUDIT_SIGNING_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  AMQP_URL: 'amqps://caregate:stand-in@rabbitmq',
  REDIS_URL: 'rediss://redis',
  SMTP_URL: 'smtp://mail',
  BACKUP_RECIPIENTS: `age1${'q'.repeat(58)}`,
  DATABASE_URL: 'postgresql://postgres/caregate?sslmode=verify-full',
  DATABASE_OWNER_URL: 'postgresql://postgres/caregate?sslmode=verify-full',
}
/** What a pod says of itself. */
const fields: Record<string, string> = {
  'status.podIP': '10.244.0.1',
  "metadata.labels['app.kubernetes.io/name']": 'patients',
}
const standIn = (key: string): string => standIns[key] ?? 'a stand-in for what is kept in a Secret'

/** The environment of a container as far as the manifests say it; what may be missing and isn't there is left out. */
export function environmentOf(
  container: Container,
  resources: readonly Resource[],
): { environment: Record<string, string>; problems: string[] } {
  const problems: string[] = []
  const find = (kind: string, name: string): Resource | undefined =>
    resources.find((resource) => resource.kind === kind && resource.metadata.name === name)
  const environment: Record<string, string> = {}
  for (const { configMapRef } of container.envFrom ?? []) {
    const map = configMapRef && find('ConfigMap', configMapRef.name)
    if (configMapRef && !map) problems.push(`there is no ConfigMap ${configMapRef.name}`)
    Object.assign(environment, map?.data)
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const { secretKeyRef, configMapKeyRef } = valueFrom ?? {}
    if (value !== undefined) environment[name] = value
    else if (valueFrom?.fieldRef) environment[name] = fields[valueFrom.fieldRef.fieldPath] ?? ''
    else if (configMapKeyRef) {
      const map = find('ConfigMap', configMapKeyRef.name)
      // what isn't among the manifests is made by whoever deploys
      const elsewhere = configMapKeyRef.optional ? undefined : standIn(name)
      const given = map ? map.data?.[configMapKeyRef.key] : elsewhere
      if (given !== undefined) environment[name] = given
    } else if (secretKeyRef) {
      if (secretKeyRef.key !== name) problems.push(`${name} is read from ${secretKeyRef.key}`)
      const secret = find('Secret', secretKeyRef.name)
      const given = secret?.data?.[secretKeyRef.key]
      if (given !== undefined) environment[name] = Buffer.from(given, 'base64').toString()
      else if (secret && !secretKeyRef.optional) problems.push(`Secret ${secretKeyRef.name} has no ${secretKeyRef.key}`)
      else if (!secretKeyRef.optional) environment[name] = standIn(name)
    }
  }
  return { environment, problems }
}

/** A process of ours has to accept what it is given, and to know each name of it. */
export function checkSettings(workload: Workload, container: Container, resources: readonly Resource[]): string[] {
  const title = `${titleOf(workload)}, ${container.name}`
  const keys = keysOf(container)
  if (!keys) return []
  const { environment, problems } = environmentOf(container, resources)
  const unknown = Object.keys(environment).filter((name) => !(name in keys) && !(name.replace(/_FILE$/, '') in keys))
  problems.push(...unknown.map((name) => `${name} is no setting of it`))
  try {
    loadConfig(keys, environment)
  } catch (error) {
    problems.push(
      ...(error as Error).message
        .split('\n')
        .slice(1)
        .map((line) => line.trim()),
    )
  }
  return problems.map((problem) => `${title}: ${problem}`)
}

/** A Secret is for one service: its processes have the one of its name, and its owner's commands `<name>-owner`. */
export function checkSecrets(workload: Workload, container: Container): string[] {
  const own = workload.pod.labels['app.kubernetes.io/name'] ?? ''
  const isProcess = keysOf(container) !== undefined && !container.command && !container.args
  const allowed = isProcess ? [own] : [own, `${own}-owner`]
  const refs = (container.env ?? []).flatMap(({ valueFrom }) => valueFrom?.secretKeyRef?.name ?? [])
  const all = [...refs, ...(container.envFrom ?? []).flatMap(({ secretRef }) => secretRef?.name ?? [])]
  const literals = (container.env ?? []).filter(
    ({ name, value }) => value !== undefined && /PASSWORD|(^|_)KEY$|(DATABASE|OWNER|AMQP|REDIS|SMTP)_URL$/.test(name),
  )
  return [
    ...all
      .filter((name) => !allowed.includes(withoutHash(name)))
      .map((name) => `${titleOf(workload)}, ${container.name}: Secret ${name} is not for it`),
    ...literals.map(({ name }) => `${titleOf(workload)}, ${container.name}: ${name} belongs in a Secret`),
  ]
}
