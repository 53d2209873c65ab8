import { beforeAll, describe, expect, test } from '@jest/globals'
import { SERVICES } from '@caregate/common/services'
import { quietProgress } from '../progress.ts'
import { checkManifests, parseManifests } from './check.ts'
import { openKustomize } from './kustomize.ts'
import type { Resource } from './resources.ts'

/** Of a manifest anything may be changed here. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a test breaks has no type
type Broken = any

const overlays: Record<string, Resource[]> = {}
let render: (folder: string) => Promise<string>
beforeAll(async () => {
  render = await openKustomize(quietProgress)
  for (const overlay of ['dev', 'prod']) overlays[overlay] = parseManifests(await render(`k8s/overlays/${overlay}`))
}, 120_000)

/** What is said of an overlay in which one thing was changed. */
async function breaking(overlay: 'dev' | 'prod', title: string, change: (resource: Broken) => void): Promise<string> {
  const resources = structuredClone(overlays[overlay]!)
  const [kind, name] = title.split(' ')
  const found = resources.filter((one) => one.kind === kind && one.metadata.name.replace(/-[a-z0-9]{10}$/, '') === name)
  expect(found).toHaveLength(1)
  change(found[0])
  return (await checkManifests(`k8s/overlays/${overlay}`, resources)).join('\n')
}
const patients = (change: (pod: Broken, resource: Broken) => void) =>
  breaking('prod', 'Deployment patients', (resource) => change(resource.spec.template.spec, resource))

describe('the manifests', () => {
  test.each(['dev', 'prod'])('of %s are as they must be', async (overlay) => {
    expect(await checkManifests(`k8s/overlays/${overlay}`, overlays[overlay]!)).toEqual([])
  })

  test('of dev make no backups: nobody has given a key for them', () => {
    const jobs = overlays.dev!.filter(({ kind }) => kind === 'CronJob')
    const suspended = jobs.filter(({ spec }) => spec?.suspend).map(({ metadata }) => metadata.name)
    expect(suspended.sort()).toEqual(SERVICES.map((service) => `${service}-backup`).sort())
  })

  test.each(['gateway', ...SERVICES])('of %s alone are complete', async (service) => {
    const resources = parseManifests(await render(`k8s/services/${service}`))
    expect(await checkManifests(`k8s/services/${service}`, resources)).toEqual([])
    expect([...new Set(resources.map(({ kind }) => kind))]).toEqual(
      expect.arrayContaining([
        ...['ServiceAccount', 'ConfigMap', 'Service', 'Deployment'],
        ...['HorizontalPodAutoscaler', 'PodDisruptionBudget', 'NetworkPolicy'],
      ]),
    )
  })

  test('of another version differ in the image and in nothing else, so that they can be applied over these', async () => {
    const text = await render('k8s/services/patients')
    const next = structuredClone(parseManifests(text.replaceAll('caregate/patients:1.0.0', 'caregate/patients:1.1.0')))
    const images = text.match(/image: caregate\/patients:1\.0\.0/g)
    expect(images).toHaveLength(3)
    // what can't be changed once it is there: selectors, and templates of Jobs
    const fixed = ({ kind, metadata, spec }: Broken) => [kind, metadata.name, spec?.selector, kind === 'Job' && spec]
    expect(next.map(fixed)).toEqual(parseManifests(text).map(fixed))
    expect(next.some(({ kind }) => kind === 'Job')).toBe(false)
  })
})

describe('a shape that the API doesn’t have is refused:', () => {
  test.each<[string, (pod: Broken, resource: Broken) => void, string]>([
    [
      'a member that is unknown',
      (pod) => (pod.containers[0].readynessProbe = {}),
      'containers.0.readynessProbe is unknown',
    ],
    ['one deep within', (pod) => (pod.containers[0].livenessProbe.httpGet.prot = 'x'), 'httpGet.prot is unknown'],
    ['one at the top', (_pod, resource) => (resource.specs = {}), 'specs is unknown'],
    ['a number that is text', (pod) => (pod.containers[0].ports[0].containerPort = '8002'), 'must be integer'],
    ['a required member that is missing', (pod) => delete pod.containers[0].name, 'must have required property name'],
    [
      'a kind that there isn’t',
      (_pod, resource) => (resource.kind = 'Deploymint'),
      'there is no Deploymint in apps/v1',
    ],
  ])('%s', async (_what, change, said) => {
    expect(await patients(change)).toContain(said)
  })

  test('a member of an operator’s resource that is not known here', async () => {
    const said = await breaking('prod', 'Cluster postgres-auth', ({ spec }) => (spec.instance = 3))
    expect(said).toContain('"spec.instance" is not allowed')
    const certificate = await breaking('prod', 'Certificate tls-auth', ({ spec }) => (spec.dnsName = 'auth'))
    expect(certificate).toContain('"spec.dnsName" is not allowed')
  })
})

describe('what must not be is refused:', () => {
  test.each<[string, (pod: Broken, resource: Broken) => void, string]>([
    [
      'an instance missing while it is rolled',
      (_pod, { spec }) => (spec.strategy.rollingUpdate.maxUnavailable = 1),
      'takes instances away',
    ],
    ['a number of instances', (_pod, { spec }) => (spec.replicas = 2), 'the autoscaler’s to say'],
    ['no readiness probe', (pod) => delete pod.containers[0].readinessProbe, 'has no readiness probe'],
    [
      'a probe of nothing',
      (pod) => (pod.containers[0].livenessProbe.httpGet.path = '/healthz'),
      'liveness probe that asks /healthz',
    ],
    [
      'a probe elsewhere',
      (pod) => (pod.containers[0].startupProbe.httpGet.port = 9000),
      'startup probe at another port',
    ],
    [
      'no drain',
      (pod) => delete pod.containers[0].lifecycle,
      'waits 0 ms before it is stopped, and drains for 5000 ms',
    ],
    [
      'too short an end',
      (pod) => (pod.terminationGracePeriodSeconds = 30),
      'is killed before it has closed (30000 ms)',
    ],
    [
      'a probe by another protocol',
      (pod) => delete pod.containers[0].readinessProbe.httpGet.scheme,
      'readiness probe by HTTP, which it doesn’t speak',
    ],
    [
      'no certificate',
      (pod) => pod.containers[0].volumeMounts.pop(),
      'service has no certificate of patients at TLS_CERT_FILE',
    ],
    [
      'another’s certificate',
      (pod) => (pod.volumes.at(-1).secret.secretName = 'tls-auth'),
      'service has no certificate of patients at TLS_KEY_FILE',
    ],
    [
      'a certificate that nobody makes',
      (pod) => (pod.volumes.at(-1).secret.secretName = 'tls-patience'),
      'reads Secret tls-patience, which no Certificate makes',
    ],
    [
      'migrations that know no authority',
      (pod) =>
        (pod.initContainers[0].env = pod.initContainers[0].env.filter((one: Broken) => one.name !== 'TLS_CA_FILE')),
      'migrate is told no authority',
    ],
    ['another port', (pod) => (pod.containers[0].ports[0].containerPort = 8080), 'listens on 8002 and opens 8080'],
    ['all on one node', (pod) => delete pod.topologySpreadConstraints, 'is not spread over nodes and zones'],
    ['no requests', (pod) => delete pod.containers[0].resources.requests, 'service requests no cpu or memory'],
    ['no limits', (pod) => delete pod.initContainers[0].resources.limits, 'migrate has no limit of cpu or memory'],
    ['a token', (pod) => delete pod.automountServiceAccountToken, 'has a service-account token'],
    [
      'addresses in the environment',
      (pod) => delete pod.enableServiceLinks,
      'addresses of Services in its environment',
    ],
    ['root', (pod) => delete pod.securityContext.runAsNonRoot, 'may run as root'],
    ['no seccomp', (pod) => delete pod.securityContext.seccompProfile, 'has no seccomp profile'],
    ['the node’s network', (pod) => (pod.hostNetwork = true), 'shares something with its node'],
    [
      'the node’s files',
      (pod) => pod.volumes.push({ name: 'host', hostPath: { path: '/' } }),
      'mounts what it may not',
    ],
    ['privileges', (pod) => (pod.containers[0].securityContext.privileged = true), 'service is privileged'],
    [
      'a container that is root',
      (pod) => (pod.containers[0].securityContext.runAsUser = 0),
      'service overrides what its pod says',
    ],
    ['the node’s processes', (pod) => Object.assign(pod, { hostPID: true }), 'shares something with its node'],
    [
      'more privileges',
      (pod) => delete pod.containers[0].securityContext.allowPrivilegeEscalation,
      'may gain privileges',
    ],
    ['capabilities', (pod) => delete pod.initContainers[0].securityContext.capabilities, 'migrate has capabilities'],
    [
      'a writable image',
      (pod) => delete pod.containers[0].securityContext.readOnlyRootFilesystem,
      'may write to its image',
    ],
    [
      'latest',
      (pod) => (pod.containers[0].image = 'caregate/patients:latest'),
      'caregate/patients:latest is no version',
    ],
    ['no tag', (pod) => (pod.containers[0].image = 'caregate/patients'), 'caregate/patients is no version'],
    ['another version', (pod) => (pod.initContainers[0].image = 'caregate/patients:0.9.0'), 'is not version 1.0.0 of'],
    [
      'a setting that it doesn’t take',
      (pod) => pod.containers[0].env.push({ name: 'FEILD_KEY', value: 'x' }),
      'FEILD_KEY is no setting of it',
    ],
    [
      'a setting that it needs, not given',
      (pod) => (pod.containers[0].env = pod.containers[0].env.filter((one: Broken) => one.name !== 'FIELD_KEY')),
      'FIELD_KEY is required',
    ],
    [
      'the owner’s URL in the process',
      (pod) => pod.containers[0].env.push(pod.initContainers[0].env[1]),
      'DATABASE_OWNER_URL is no setting of it',
    ],
    [
      'a secret of another service',
      (pod) => (pod.containers[0].env[0].valueFrom.secretKeyRef.name = 'auth'),
      'Secret auth is not for it',
    ],
    [
      'a secret by another’s key',
      (pod) => (pod.containers[0].env[0].valueFrom.secretKeyRef.key = 'KEY'),
      'is read from KEY',
    ],
    [
      'a secret in the open',
      (pod) => (pod.containers[0].env[0] = { name: 'FIELD_KEY', value: 'in the open, thirty-two bytes long' }),
      'FIELD_KEY belongs in a Secret',
    ],
    [
      'a selector that misses',
      (_pod, { spec }) => (spec.template.metadata.labels['app.kubernetes.io/name'] = 'patient'),
      'does not select its own pods',
    ],
    [
      'a selector by version',
      (_pod, { spec }) => (spec.selector.matchLabels['app.kubernetes.io/version'] = '1.0.0'),
      'selects by a version',
    ],
  ])('%s', async (_what, change, said) => {
    expect(await patients(change)).toContain(said)
  })

  test.each<[string, string, (resource: Broken) => void, string]>([
    [
      'a setting that is wrong',
      'ConfigMap gateway',
      ({ data }) => (data.ALLOWED_HOSTS = '*'),
      'ALLOWED_HOSTS must not be * in production',
    ],
    [
      'a setting misspelt',
      'ConfigMap audit',
      ({ data }) => (data.JWKS_URI = 'http://auth'),
      'JWKS_URI is no setting of it',
    ],
    [
      'a connection without TLS',
      'ConfigMap gateway',
      ({ data }) => (data.CONSUL_HTTP_ADDR = 'http://consul:8500'),
      'CONSUL_HTTP_ADDR is without TLS',
    ],
    [
      'a certificate without a name that is asked',
      'Certificate tls-consul',
      ({ spec }) => spec.dnsNames.shift(),
      'asks consul, which has no certificate',
    ],
    [
      'a certificate by nobody',
      'Certificate tls-redis',
      ({ spec }) => (spec.issuerRef.name = 'x'),
      'is issued by nobody: x',
    ],
    [
      'a setting missing',
      'ConfigMap patients',
      ({ data }) => delete data.TRUSTED_PROXIES,
      'TRUSTED_PROXIES is required',
    ],
    [
      'an autoscaler of nothing',
      'HorizontalPodAutoscaler auth',
      ({ spec }) => (spec.scaleTargetRef.name = 'oauth'),
      'scales Deployment oauth',
    ],
    ['an autoscaler that can’t', 'HorizontalPodAutoscaler auth', ({ spec }) => (spec.maxReplicas = 1), 'can’t scale'],
    [
      'a budget that lets nothing go',
      'PodDisruptionBudget audit',
      ({ spec }) => (spec.maxUnavailable = 0),
      'lets nothing go',
    ],
    [
      'a budget of nothing',
      'PodDisruptionBudget audit',
      ({ spec }) => (spec.selector.matchLabels = { a: 'b' }),
      'has no budget',
    ],
    [
      'a Service before jobs',
      'Service patients',
      ({ spec }) => delete spec.selector['app.kubernetes.io/component'],
      'Service patients selects the pods of 3 workloads',
    ],
    [
      'a Service to no port',
      'Service audit',
      ({ spec }) => (spec.ports[0].targetPort = 'https'),
      'leads to no port https',
    ],
    ['an entrance without TLS', 'Ingress gateway', ({ spec }) => delete spec.tls, 'without TLS'],
    [
      'a namespace that allows more',
      'Namespace caregate',
      ({ metadata }) => delete metadata.labels,
      'does not enforce Pod Security',
    ],
    [
      'no policy by default',
      'NetworkPolicy default-deny',
      ({ spec }) => (spec.podSelector = { matchLabels: { a: 'b' } }),
      'namespace caregate has no policy that denies',
    ],
    [
      'a path too many',
      'NetworkPolicy patients-peers',
      ({ spec }) => (spec.ingress[0].from[0] = { podSelector: {} }),
      'redis → patients:8002 is allowed to come in',
    ],
    [
      'a path from anywhere',
      'NetworkPolicy redis',
      ({ spec }) => delete spec.ingress[0].from,
      'anywhere → redis:6379 is allowed to come in',
    ],
    [
      'every port',
      'NetworkPolicy redis',
      ({ spec }) => delete spec.ingress[0].ports,
      'gateway → redis:any is allowed to come in',
    ],
    [
      'a path missing',
      'NetworkPolicy audit-peers',
      ({ spec }) => spec.egress.pop(),
      'audit → witness:8010 is designed, and isn’t allowed',
    ],
    [
      'a way out',
      'NetworkPolicy gateway-peers',
      ({ spec }) => spec.egress.push({}),
      'gateway → anywhere:any is allowed to go out',
    ],
  ])('%s', async (_what, title, change, said) => {
    expect((await breaking('prod', title, change)).replaceAll("isn't", 'isn’t')).toContain(said)
  })

  test('a Job, which a second apply could not change', async () => {
    const resources = structuredClone(overlays.prod!)
    const cron: Broken = resources.find(({ kind }) => kind === 'CronJob')
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: cron.metadata, spec: cron.spec.jobTemplate.spec }
    const said = await checkManifests('k8s/overlays/prod', [...resources, job])
    expect(said.join('\n')).toContain('can’t be changed by a second apply')
  })

  test('a Secret outside of dev', async () => {
    const secret = overlays.dev!.find(({ kind }) => kind === 'Secret')!
    const said = await checkManifests('k8s/overlays/prod', [...overlays.prod!, secret])
    expect(said).toContain(`Secret ${secret.metadata.name} is in the manifests`)
  })

  test('a Secret of dev without what is read of it', async () => {
    const said = await breaking('dev', 'Secret patients', ({ data }) => delete data.CURSOR_KEY)
    expect(said).toContain('has no CURSOR_KEY')
  })
})
