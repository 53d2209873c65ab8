import Joi from 'joi'
import { titleOf, type Resource } from './resources.ts'

const name = Joi.string().required()
const reference = Joi.object({ name }).required()
const quantities = Joi.object({ cpu: Joi.string().required(), memory: Joi.string().required() })
const resources = Joi.object({ requests: quantities.required(), limits: quantities.required() }).required()
const metadata = Joi.object({ name, namespace: name, labels: Joi.object() }).required()
const statements = Joi.array().items(Joi.string()).required()

const certificate = Joi.object({
  secretName: Joi.string().required(),
  secretTemplate: Joi.object({ labels: Joi.object().pattern(Joi.string(), Joi.string()) }),
  isCA: Joi.boolean(),
  commonName: Joi.string(),
  dnsNames: Joi.array().items(Joi.string().hostname()).min(1),
  usages: Joi.array().items(Joi.string().valid('digital signature', 'server auth', 'client auth')),
  duration: Joi.string().pattern(/^\d+h$/),
  renewBefore: Joi.string().pattern(/^\d+h$/),
  privateKey: Joi.object({
    algorithm: Joi.string().valid('ECDSA'),
    size: Joi.number().valid(256),
    rotationPolicy: Joi.string().valid('Always', 'Never'),
  }),
  issuerRef: Joi.object({ kind: Joi.string().valid('Issuer', 'ClusterIssuer'), name }).required(),
}).or('dnsNames', 'commonName')

/**
 * What operators define is in no package: of those kinds only the members that are used here are known, as their
 * published definitions have them.
 */
const operators: Record<string, Joi.ObjectSchema> = {
  // https://cert-manager.io/docs/reference/api-docs/#cert-manager.io/v1
  'cert-manager.io/v1 Certificate': certificate,
  'cert-manager.io/v1 Issuer': Joi.object({
    selfSigned: Joi.object({}),
    ca: Joi.object({ secretName: Joi.string().required() }),
  }).xor('selfSigned', 'ca'),
  // https://cloudnative-pg.io/docs/1.29/cloudnative-pg.v1
  'postgresql.cnpg.io/v1 Cluster': Joi.object({
    instances: Joi.number().integer().min(1).required(),
    imageName: Joi.string().required(),
    enablePDB: Joi.boolean(),
    primaryUpdateStrategy: Joi.string().valid('unsupervised', 'supervised'),
    inheritedMetadata: Joi.object({ labels: Joi.object().pattern(Joi.string(), Joi.string()) }),
    bootstrap: Joi.object({
      initdb: Joi.object({
        database: name,
        owner: name,
        secret: reference,
        postInitSQL: statements,
        postInitApplicationSQL: statements,
      }),
    }),
    managed: Joi.object({
      roles: Joi.array().items(
        Joi.object({
          name,
          ensure: Joi.string().valid('present', 'absent'),
          login: Joi.boolean(),
          passwordSecret: reference,
        }),
      ),
    }),
    certificates: Joi.object({ serverTLSSecret: Joi.string().required(), serverCASecret: Joi.string().required() }),
    postgresql: Joi.object({
      pg_hba: Joi.array().items(Joi.string()),
      synchronous: Joi.object({
        method: Joi.string().valid('any', 'first').required(),
        number: Joi.number().required(),
      }),
      parameters: Joi.object().pattern(Joi.string(), Joi.string()),
    }),
    affinity: Joi.object({
      topologyKey: Joi.string(),
      podAntiAffinityType: Joi.string().valid('required', 'preferred'),
    }),
    storage: Joi.object({ size: Joi.string().required() }).required(),
    resources,
  }),
  // https://github.com/rabbitmq/cluster-operator, docs/api/rabbitmq.com.ref.asciidoc
  'rabbitmq.com/v1beta1 RabbitmqCluster': Joi.object({
    replicas: Joi.number().integer().min(1).required(),
    image: Joi.string().required(),
    tls: Joi.object({ secretName: Joi.string().required(), disableNonTLSListeners: Joi.boolean() }),
    persistence: Joi.object({ storage: Joi.string().required() }).required(),
    resources,
    affinity: Joi.object({ podAntiAffinity: Joi.object() }),
    rabbitmq: Joi.object({ additionalConfig: Joi.string() }),
    override: Joi.object({ statefulSet: Joi.object({ spec: Joi.object({ template: Joi.object() }) }) }),
  }),
  // https://prometheus-operator.dev/docs/api-reference/api
  'monitoring.coreos.com/v1 PodMonitor': Joi.object({
    jobLabel: Joi.string(),
    selector: Joi.object({ matchLabels: Joi.object(), matchExpressions: Joi.array() }).required(),
    podMetricsEndpoints: Joi.array()
      .items(Joi.object({ port: Joi.string().required() }))
      .required(),
  }),
}

/**
 * Refuses what the API of Kubernetes would refuse under strict validation: values of the wrong type, missing members,
 * and members that it doesn't know.
 */
export async function checkSchema(resource: Resource): Promise<string[]> {
  const { apiVersion, kind } = resource
  const spec = operators[`${apiVersion} ${kind}`]
  if (spec) {
    const known = Joi.object({ apiVersion: Joi.string(), kind: Joi.string(), metadata, spec: spec.required() })
    const { error } = known.validate(resource, { abortEarly: false, convert: false })
    return (error?.details ?? []).map(({ message }) => `${titleOf(resource)}: ${message}`)
  }
  let validate: (this: object) => void
  try {
    const module = (await import(`kubernetes-models/${apiVersion}/${kind}`)) as Record<string, typeof Validated>
    validate = module[kind]!.prototype.validate
  } catch {
    return [`${titleOf(resource)}: there is no ${kind} in ${apiVersion}`]
  }
  const watched = watch(resource)
  try {
    validate.call(watched.object)
  } catch (error) {
    return [`${titleOf(resource)}: ${(error as Error).message}`]
  }
  return watched.unread().map((path) => `${titleOf(resource)}: ${path} is unknown`)
}
declare class Validated {
  validate(): void
}

/**
 * The models pass over members that they don't know, and read every one that they do: what is left unread after a
 * validation is unknown.
 */
function watch(resource: object): { object: object; unread: () => string[] } {
  const visited: { path: string; target: object; read: Set<string> }[] = []
  function wrap(target: object, path: string): object {
    const read = new Set<string>()
    const children = new Map<string, object>()
    visited.push({ path, target, read })
    return new Proxy(target, {
      get(object, key) {
        const value: unknown = Reflect.get(object, key)
        if (typeof key !== 'string' || !Object.hasOwn(object, key)) return value
        read.add(key)
        if (typeof value !== 'object' || value === null) return value
        const child = children.get(key) ?? wrap(value, path ? `${path}.${key}` : key)
        children.set(key, child)
        return child
      },
    })
  }
  return {
    object: wrap(resource, ''),
    unread: () =>
      visited.flatMap(({ path, target, read }) =>
        Object.keys(target)
          .filter((key) => !read.has(key))
          .map((key) => (path ? `${path}.${key}` : key)),
      ),
  }
}
