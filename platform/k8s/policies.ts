import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '@caregate/common/config'
import { closingMs } from '@caregate/common/run'
import { ROOT } from '../state.ts'
import { certified, checkCertificates } from './certificates.ts'
import { checkReferences, company } from './company.ts'
import {
  containersOf,
  isProcess,
  matches,
  titleOf,
  workloadsOf,
  type Container,
  type Judge,
  type Probe,
  type Resource,
} from './resources.ts'
import { checkSecrets, checkSettings, environmentOf, keysOf } from './settings.ts'

const isOurs = ({ image }: Container): boolean => image.startsWith('caregate/')

/** Pod Security `restricted`, and no token of the cluster's API. */
const confined: Judge = (workload) => {
  const { spec } = workload.pod
  const { securityContext: pod = {}, volumes = [] } = spec
  const volumeTypes = ['name', 'configMap', 'secret', 'emptyDir', 'persistentVolumeClaim', 'projected', 'downwardAPI']
  return [
    spec.automountServiceAccountToken !== false && 'has a service-account token',
    spec.enableServiceLinks !== false && 'has addresses of Services in its environment',
    pod.runAsNonRoot !== true && 'may run as root',
    !(pod.runAsUser! > 0) && 'does not say as which user it runs',
    pod.seccompProfile?.type !== 'RuntimeDefault' && 'has no seccomp profile',
    [spec.hostNetwork, spec.hostPID, spec.hostIPC].some(Boolean) && 'shares something with its node',
    volumes.some((volume) => Object.keys(volume).some((key) => !volumeTypes.includes(key))) && 'mounts what it may not',
    ...containersOf(workload).flatMap((container) => {
      const { allowPrivilegeEscalation, privileged, capabilities, readOnlyRootFilesystem } =
        container.securityContext ?? {}
      const { requests, limits } = container.resources ?? {}
      return [
        allowPrivilegeEscalation !== false && `${container.name} may gain privileges`,
        privileged && `${container.name} is privileged`,
        ['runAsUser', 'runAsNonRoot', 'seccompProfile'].some((key) => key in (container.securityContext ?? {})) &&
          `${container.name} overrides what its pod says`,
        (capabilities?.add ?? !capabilities?.drop?.includes('ALL')) && `${container.name} has capabilities`,
        isOurs(container) && !readOnlyRootFilesystem && `${container.name} may write to its image`,
        !(requests?.cpu && requests.memory) && `${container.name} requests no cpu or memory`,
        !(limits?.cpu && limits.memory) && `${container.name} has no limit of cpu or memory`,
      ]
    }),
  ]
}

/** Of images of ours the version is that of the package. */
const images: Judge = (workload) =>
  containersOf(workload).flatMap(({ image }) => {
    const [name = '', tag] = image.split(/:(?=[^/]*$)/)
    if (!tag || tag === 'latest') return [`${image} is no version`]
    const [, own] = /^caregate\/(\w+)$/.exec(name) ?? []
    if (!own) return []
    const [file] = globSync(`{gateway,services/*,ops/*}/package.json`, { cwd: ROOT }).filter((path) =>
      path.endsWith(`${own}/package.json`),
    )
    if (!file) return []
    const { version } = JSON.parse(readFileSync(join(ROOT, file), 'utf8')) as { version: string }
    return [version !== tag && `${image} is not version ${version} of ${file}`]
  })

/** Which paths a process answers at its own port, by its source. */
const answers = (path: string): boolean =>
  ['gateway/src/pages.ts', 'libs/common/src/app.ts'].every((file) =>
    readFileSync(join(ROOT, file), 'utf8').includes(`'${path}'`),
  )

/** A process of ours: replaced without a gap, asked where it answers, drained before it goes. */
const rolled: Judge = (workload, resources) => {
  if (!isProcess(workload)) return []
  const { spec, pod } = workload
  const [container] = pod.spec.containers
  const keys = container && keysOf(container)
  if (!keys || workload.kind !== 'Deployment') return ['is no Deployment of a process that is known']
  const { environment } = environmentOf(container, resources)
  const { DRAIN_GRACE_MS } = loadConfig({ DRAIN_GRACE_MS: keys.DRAIN_GRACE_MS! }, environment) as Record<string, number>
  const listening = Object.entries(loadConfig(portKeys(keys), environment)).map(([, port]) => port)
  const opened = (container.ports ?? []).map(({ containerPort }) => containerPort)
  const preStopMs = (container.lifecycle?.preStop?.sleep?.seconds ?? 0) * 1000
  const needed = preStopMs + DRAIN_GRACE_MS! + closingMs
  const { rollingUpdate } = (spec?.strategy ?? {}) as { rollingUpdate?: { maxUnavailable?: number } }
  const spread = (pod.spec.topologySpreadConstraints ?? []).filter(({ labelSelector = {} }) =>
    matches(labelSelector, pod.labels),
  )
  const probes: [string, Probe | undefined, string][] = [
    ['startup', container.startupProbe, '/health/live'],
    ['liveness', container.livenessProbe, '/health/live'],
    ['readiness', container.readinessProbe, '/health/ready'],
  ]
  return [
    rollingUpdate?.maxUnavailable !== 0 && 'takes instances away while it is rolled',
    spec?.replicas !== undefined && 'says how many there are, which is the autoscaler’s to say',
    listening.join() !== opened.join() && `listens on ${listening.join()} and opens ${opened.join() || 'nothing'}`,
    ...probes.map(([what, probe, path]) => {
      const { httpGet } = probe ?? {}
      if (!httpGet) return `has no ${what} probe`
      if (httpGet.path !== path || !answers(path)) return `has a ${what} probe that asks ${httpGet.path}`
      if ((httpGet.scheme === 'HTTPS') !== 'TLS_CERT_FILE' in environment)
        return `has a ${what} probe by ${httpGet.scheme ?? 'HTTP'}, which it doesn’t speak`
      return httpGet.port !== container.ports?.[0]?.name && `has a ${what} probe at another port than its own`
    }),
    preStopMs < DRAIN_GRACE_MS! && `waits ${preStopMs} ms before it is stopped, and drains for ${DRAIN_GRACE_MS} ms`,
    (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000 <= needed && `is killed before it has closed (${needed} ms)`,
    !['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].every((key) =>
      spread.some(({ topologyKey }) => topologyKey === key),
    ) && 'is not spread over nodes and zones',
  ]
}

/** Every setting that is a port has to be opened, so that a new one can't be forgotten. */
const portKeys = (keys: NonNullable<ReturnType<typeof keysOf>>) =>
  Object.fromEntries(Object.entries(keys).filter(([name]) => /^(METRICS_)?PORT$/.test(name)))

/** Everything but shapes and networks: what a set of manifests must keep to. */
export function checkPolicies(resources: readonly Resource[], isDev: boolean): string[] {
  const rules = { confined, images, rolled, company, certified }
  const found = workloadsOf(resources).flatMap((workload) => [
    ...Object.values(rules).flatMap((rule) =>
      rule(workload, resources).flatMap((problem) => (problem ? `${titleOf(workload)} ${problem}` : [])),
    ),
    ...containersOf(workload).flatMap((container) => [
      ...checkSettings(workload, container, resources),
      ...checkSecrets(workload, container),
    ]),
  ])
  const secrets = isDev ? [] : resources.filter(({ kind }) => kind === 'Secret')
  const namespaces = resources.filter(
    ({ kind, metadata }) =>
      kind === 'Namespace' && metadata.labels?.['pod-security.kubernetes.io/enforce'] !== 'restricted',
  )
  return [
    ...found,
    ...checkReferences(resources),
    ...checkCertificates(resources),
    ...secrets.map((secret) => `${titleOf(secret)} is in the manifests`),
    ...namespaces.map((namespace) => `${titleOf(namespace)} does not enforce Pod Security restricted`),
  ]
}
