import {
  isProcess,
  matches,
  titleOf,
  workloadsOf,
  type Judge,
  type Labels,
  type Resource,
  type Selector,
} from './resources.ts'

/** What belongs to a workload: a Service, an autoscaler, a budget of disruptions. */
export const company: Judge = (workload, resources) => {
  const { metadata, pod, spec } = workload
  const inNamespace = resources.filter((other) => other.metadata.namespace === metadata.namespace)
  const selector = spec?.selector as Selector | undefined
  const of = (kind: string): Resource[] => inNamespace.filter((resource) => resource.kind === kind)
  const scaler = of('HorizontalPodAutoscaler').find(({ spec }) => {
    const target = spec?.scaleTargetRef as { kind: string; name: string }
    return target.kind === workload.kind && target.name === metadata.name
  })
  const budget = of('PodDisruptionBudget').find(({ spec }) => matches(spec?.selector as Selector, pod.labels))
  const { minReplicas, maxReplicas } = (scaler?.spec ?? {}) as { minReplicas?: number; maxReplicas?: number }
  const { maxUnavailable } = (budget?.spec ?? {}) as { maxUnavailable?: number }
  const served = of('Service').filter(({ spec }) => matches({ matchLabels: spec?.selector as Labels }, pod.labels))
  return [
    selector && !matches(selector, pod.labels) && 'does not select its own pods',
    selector && JSON.stringify(selector).includes('version') && 'selects by a version, which an update would change',
    workload.kind === 'Job' && 'is a Job: its template can’t be changed by a second apply',
    ...(isProcess(workload)
      ? [
          !scaler && 'has no autoscaler',
          scaler && !(maxReplicas! >= (minReplicas ?? 1)) && 'has an autoscaler that can’t scale',
          !budget && 'has no budget of disruptions',
          budget && !(maxUnavailable! >= 1) && 'has a budget that lets nothing go',
          !served.some((service) => service.metadata.name === metadata.name) && 'has no Service of its name',
        ]
      : [workload.kind === 'CronJob' && served.length > 0 && `is behind Service ${served[0]!.metadata.name}`]),
  ]
}

/** What refers to something that isn't there. */
export function checkReferences(resources: readonly Resource[]): string[] {
  const has = (kind: string, name: string): boolean =>
    resources.some((resource) => resource.kind === kind && resource.metadata.name === name)
  const workloads = workloadsOf(resources)
  return resources.flatMap((resource) => {
    const { kind, spec, metadata } = resource
    const problems: string[] = []
    if (kind === 'HorizontalPodAutoscaler') {
      const target = spec?.scaleTargetRef as { kind: string; name: string }
      if (!has(target.kind, target.name)) problems.push(`scales ${target.kind} ${target.name}, which isn't there`)
    }
    if (kind === 'Service') {
      const behind = workloads.filter(
        ({ pod, metadata: other }) =>
          other.namespace === metadata.namespace && matches({ matchLabels: spec?.selector as Labels }, pod.labels),
      )
      const ports = behind.flatMap(({ pod }) =>
        pod.spec.containers.flatMap((one) => one.ports?.map(({ name }) => name)),
      )
      if (behind.length !== 1) problems.push(`selects the pods of ${behind.length} workloads`)
      for (const { targetPort } of spec?.ports as { targetPort?: string }[])
        if (targetPort !== undefined && !ports.includes(targetPort)) problems.push(`leads to no port ${targetPort}`)
    }
    if (kind === 'Ingress') {
      const { tls = [], rules = [] } = spec as {
        tls?: { hosts: string[] }[]
        rules?: { host: string; http: { paths: { backend: { service: { name: string } } }[] } }[]
      }
      for (const { host, http } of rules) {
        if (!tls.some(({ hosts }) => hosts.includes(host))) problems.push(`serves ${host} without TLS`)
        for (const { backend } of http.paths)
          if (!has('Service', backend.service.name)) problems.push(`leads to Service ${backend.service.name}`)
      }
    }
    return problems.map((problem) => `${titleOf(resource)} ${problem}`)
  })
}
