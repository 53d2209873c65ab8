import { SERVICES, type Service } from '@caregate/common/services'
import { DEFAULT_PORTS, PROCESSES } from '../services.ts'
import { matches, workloadsOf, type Labels, type Resource, type Selector } from './resources.ts'

interface Peer {
  podSelector?: Selector
  namespaceSelector?: Selector
}
interface Rule {
  from?: Peer[]
  to?: Peer[]
  ports?: { port: string | number; protocol?: string }[]
}
interface Policy {
  podSelector: Selector
  policyTypes: ('Ingress' | 'Egress')[]
  ingress?: Rule[]
  egress?: Rule[]
}
interface Pod {
  name: string
  namespace: string
  labels: Labels
  ports: Record<string, number>
}

const portOf = DEFAULT_PORTS
const metricsPortOf = { ...portOf, gateway: portOf.metrics }
const serf = ['consul → consul:8300', 'consul → consul:8301', 'consul → consul:8301/UDP']
const toApi = (name: string): string[] => [`${name} → anywhere:443`, `${name} → anywhere:6443`]

/** Who may ask whom: docs/operate.md shows it. Everything else is cut. */
function designedPaths(isDev: boolean): string[] {
  const database = (service: string): string => (isDev ? 'postgres' : `postgres-${service}`)
  const [consul, amqp] = isDev ? [8500, 5672] : [8501, 5671]
  const jobs: Partial<Record<Service, string[]>> = { patients: ['patients-reseal'], audit: ['audit-retain'] }
  return [
    'ingress controller → gateway:8000',
    ...SERVICES.map((service) => `gateway → ${service}:${portOf[service]}`),
    ...SERVICES.filter((service) => service !== 'auth').map((service) => `${service} → auth:${portOf.auth}`),
    'gateway → redis:6379',
    ...PROCESSES.flatMap((process) => [
      `${process} → consul:${consul}`,
      `${process} → rabbitmq:${amqp}`,
      `consul → ${process}:${portOf[process]}`,
      `prometheus → ${process}:${metricsPortOf[process]}`,
    ]),
    ...serf,
    ...SERVICES.flatMap((service) =>
      [service, `${service}-backup`, ...(jobs[service] ?? [])].map((asking) => `${asking} → ${database(service)}:5432`),
    ),
    'audit → witness:8010',
    ...(isDev
      ? []
      : [
          ...['rabbitmq → rabbitmq:4369', 'rabbitmq → rabbitmq:25672', ...toApi('rabbitmq')],
          ...SERVICES.map(database).flatMap((name) => {
            const among = [5432, 8000].map((port) => `${name} → ${name}:${port}`)
            return [...among, `operator of Postgres → ${name}:8000`, ...toApi(name)]
          }),
        ]),
  ]
}

/** Those outside of what is rendered, by what their namespace is chosen by. */
const outsiders: Record<string, string> = {
  'caregate/ingress': 'ingress controller',
  'caregate/monitoring': 'prometheus',
  'cnpg-system': 'operator of Postgres',
  'kube-system': 'DNS',
}

/** The pods there will be: those described, and those that operators make. */
function podsOf(resources: readonly Resource[]): Pod[] {
  const described = workloadsOf(resources).map(({ metadata, pod }) => ({
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    labels: pod.labels,
    ports: Object.fromEntries(
      pod.spec.containers.flatMap(({ ports = [] }) => ports.map(({ name, containerPort }) => [name, containerPort])),
    ),
  }))
  const made = resources.flatMap(({ kind, metadata, spec }): Pod[] => {
    const { name, namespace = '' } = metadata
    if (kind === 'RabbitmqCluster') return [{ name, namespace, labels: { 'app.kubernetes.io/name': name }, ports: {} }]
    if (kind !== 'Cluster') return []
    const { labels = {} } = (spec?.inheritedMetadata ?? {}) as { labels?: Labels }
    return [{ name, namespace, labels: { ...labels, 'cnpg.io/cluster': name }, ports: {} }]
  })
  return [...described, ...made]
}

/** What the policies allow to go out, and to come in, each as `from → to:port`. */
function allowedPaths(resources: readonly Resource[]): { out: Set<string>; in: Set<string> } {
  const pods = podsOf(resources)
  const allowed = { out: new Set<string>(), in: new Set<string>() }

  function peersOf(peer: Peer, namespace: string): (Pod | string)[] {
    const { namespaceSelector, podSelector = {} } = peer
    const { matchLabels = {}, matchExpressions = [] } = namespaceSelector ?? {}
    const chosen = matchLabels['kubernetes.io/metadata.name'] ?? matchExpressions[0]?.key
    const inside = pods.filter((pod) => pod.namespace === (chosen ?? namespace) && matches(podSelector, pod.labels))
    if (inside.length > 0 || !namespaceSelector) return inside
    return [outsiders[chosen ?? ''] ?? 'anybody']
  }

  for (const { kind, metadata, spec } of resources) {
    if (kind !== 'NetworkPolicy') continue
    const policy = spec as unknown as Policy
    const { namespace = '' } = metadata
    const nameOf = (pod: Pod | string): string => (typeof pod === 'string' ? pod : pod.name)
    const add = (set: Set<string>, from: Pod | string, to: Pod | string, rule: Rule): void => {
      for (const { port, protocol = 'TCP' } of rule.ports ?? [{ port: 'any' }]) {
        const number = typeof to === 'string' ? port : (to.ports[port] ?? port)
        set.add(`${nameOf(from)} → ${nameOf(to)}:${number}${protocol === 'TCP' ? '' : `/${protocol}`}`)
      }
    }
    for (const pod of pods.filter((one) => one.namespace === namespace && matches(policy.podSelector, one.labels))) {
      for (const rule of policy.ingress ?? []) {
        for (const from of rule.from?.flatMap((peer) => peersOf(peer, namespace)) ?? ['anywhere'])
          add(allowed.in, from, pod, rule)
      }
      for (const rule of policy.egress ?? []) {
        for (const to of rule.to?.flatMap((peer) => peersOf(peer, namespace)) ?? ['anywhere'])
          add(allowed.out, pod, to, rule)
      }
    }
  }
  return allowed
}

const isDns = (path: string): boolean => path.includes(' → DNS:53')
const fromOutside = (path: string): boolean => Object.values(outsiders).some((name) => path.startsWith(`${name} → `))
const toOutside = (path: string): boolean => path.includes(' → anywhere:')

/** Compares what is allowed with what was designed, at both ends of each path; and nothing else may be open. */
export function checkNetwork(resources: readonly Resource[], isDev: boolean): string[] {
  const designed = designedPaths(isDev)
  const allowed = allowedPaths(resources)
  const ends = [
    {
      what: 'to go out',
      are: [...allowed.out].filter((path) => !isDns(path)),
      must: designed.filter((path) => !fromOutside(path)),
    },
    { what: 'to come in', are: [...allowed.in], must: designed.filter((path) => !toOutside(path)) },
  ]
  const differing = ends.flatMap(({ what, are, must }) => [
    ...are.filter((path) => !must.includes(path)).map((path) => `${path} is allowed ${what}, and isn't designed`),
    ...must.filter((path) => !are.includes(path)).map((path) => `${path} is designed, and isn't allowed ${what}`),
  ])
  const closed = (namespace: string): boolean =>
    ['Ingress', 'Egress'].every((type) =>
      resources.some(({ kind, metadata, spec }) => {
        const { podSelector, policyTypes } = (spec ?? {}) as unknown as Policy
        return (
          kind === 'NetworkPolicy' &&
          metadata.namespace === namespace &&
          Object.keys(podSelector).length === 0 &&
          policyTypes.includes(type as 'Ingress')
        )
      }),
    )
  const open = [...new Set(podsOf(resources).map(({ namespace }) => namespace))].filter((name) => !closed(name))
  return [...differing, ...open.map((name) => `namespace ${name} has no policy that denies by default`)]
}
