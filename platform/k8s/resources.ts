/** What the checks read of a manifest; its whole shape is `schema.ts`'s to judge. */
export interface Resource {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string; labels?: Labels }
  data?: Record<string, string>
  spec?: Record<string, unknown>
}
export type Labels = Record<string, string>
export interface Selector {
  matchLabels?: Labels
  matchExpressions?: { key: string; operator: 'In' | 'Exists'; values?: string[] }[]
}
export interface Probe {
  httpGet?: { path: string; port: string | number; scheme?: string }
}
interface Reference {
  name: string
  key: string
  optional?: boolean
}
export interface EnvEntry {
  name: string
  value?: string
  valueFrom?: { secretKeyRef?: Reference; configMapKeyRef?: Reference; fieldRef?: { fieldPath: string } }
}
export interface Container {
  name: string
  image: string
  command?: string[]
  args?: string[]
  env?: EnvEntry[]
  envFrom?: { configMapRef?: { name: string }; secretRef?: { name: string } }[]
  ports?: { name: string; containerPort: number; protocol?: string }[]
  startupProbe?: Probe
  livenessProbe?: Probe
  readinessProbe?: Probe
  lifecycle?: { preStop?: { sleep?: { seconds: number } } }
  resources?: Partial<Record<'requests' | 'limits', Record<string, string>>>
  volumeMounts?: { name: string; mountPath: string }[]
  securityContext?: {
    allowPrivilegeEscalation?: boolean
    privileged?: boolean
    readOnlyRootFilesystem?: boolean
    capabilities?: { add?: string[]; drop?: string[] }
  }
}
interface PodSpec {
  containers: Container[]
  initContainers?: Container[]
  automountServiceAccountToken?: boolean
  enableServiceLinks?: boolean
  hostNetwork?: boolean
  hostPID?: boolean
  hostIPC?: boolean
  terminationGracePeriodSeconds?: number
  securityContext?: { runAsNonRoot?: boolean; runAsUser?: number; seccompProfile?: { type: string } }
  topologySpreadConstraints?: { topologyKey: string; labelSelector?: Selector }[]
  volumes?: { name: string; secret?: { secretName: string; items?: { path: string }[] } }[]
}
/** Whatever runs pods. */
export interface Workload extends Resource {
  pod: { labels: Labels; spec: PodSpec }
}

/** Answers a problem in words for each thing that isn't as it must be. */
export type Judge = (workload: Workload, resources: readonly Resource[]) => (string | false | undefined)[]

/** Whether it is one of the four that serve, and not what is beside them. */
export const isProcess = ({ pod }: Workload): boolean => pod.labels['app.kubernetes.io/component'] === 'process'

/** Of what kinds there may be pods that a manifest describes itself. */
const runsPods = ['Deployment', 'StatefulSet', 'CronJob', 'Job', 'DaemonSet', 'ReplicaSet', 'Pod']

export function workloadsOf(resources: readonly Resource[]): Workload[] {
  return resources
    .filter(({ kind }) => runsPods.includes(kind))
    .map((resource) => {
      const { jobTemplate, template } = resource.spec as Record<string, { spec: Record<string, unknown> } | undefined>
      const pod = (jobTemplate?.spec.template ?? template ?? resource) as {
        metadata?: { labels?: Labels }
        spec: PodSpec
      }
      return { ...resource, pod: { labels: pod.metadata?.labels ?? {}, spec: pod.spec } }
    })
}

export const containersOf = ({ pod }: Workload): Container[] => [
  ...(pod.spec.initContainers ?? []),
  ...pod.spec.containers,
]

export function matches(selector: Selector, labels: Labels): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) =>
      operator === 'Exists' ? key in labels : values.includes(labels[key] ?? ''),
    )
  )
}

/** Without the hash that kustomize appends to what it generates. */
export const withoutHash = (name: string): string => name.replace(/-[2456789bcdfghkmt]{10}$/, '')

export const titleOf = ({ kind, metadata }: Resource): string => `${kind} ${metadata.name}`
