import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parser } from '@prometheus-io/lezer-promql'
import { parse } from 'yaml'
import { PROCESSES } from '../services.ts'
import { ROOT } from '../state.ts'

export interface Rule {
  record?: string
  alert?: string
  expr: string
  for?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
}
export interface Rules {
  groups: { name: string; interval?: string; rules: Rule[] }[]
}
export interface Panel {
  id: number
  title: string
  type: string
  gridPos: { x: number; y: number; w: number; h: number }
  targets?: { refId: string; expr: string; legendFormat: string }[]
}
export interface Dashboard {
  uid: string
  panels: Panel[]
}
/** A query, and where it stands. */
interface Query {
  where: string
  expr: string
}

export const rulesFile = join(ROOT, 'ops/prometheus/rules.yml')
export const readRules = (): Rules => parse(readFileSync(rulesFile, 'utf8')) as Rules

/** By the name of the file. */
export const readDashboards = (): Map<string, Dashboard> =>
  new Map(
    globSync('ops/grafana/dashboards/*.json', { cwd: ROOT })
      .sort()
      .map((file) => [basename(file, '.json'), JSON.parse(readFileSync(join(ROOT, file), 'utf8')) as Dashboard]),
  )

/** Of the dashboards, with what Grafana puts in for its variables. @param window of rates, as Prometheus writes durations */
export const dashboardQueries = (window: string): Query[] =>
  [...readDashboards()].flatMap(([name, { panels }]) =>
    panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ refId, expr }) => ({
        where: `${name}, “${title}” ${refId}`,
        expr: expr.replaceAll('$__rate_interval', window).replaceAll('$job', PROCESSES.join('|')),
      })),
    ),
  )

interface Part {
  text: string
  from: number
  to: number
}

/** The parts of a query that have this name in the grammar. @throws where it isn't PromQL */
function partsOf(expr: string, wanted: string): Part[] {
  const parts: Part[] = []
  parser.parse(expr).iterate({
    enter({ type, name, from, to, node }) {
      if (type.isError) throw new Error(`no PromQL at ${from}: ${expr.slice(from, from + 20)}`)
      const isWanted =
        wanted === 'metric' ? name === 'Identifier' && node.parent?.name === 'VectorSelector' : name === wanted
      if (isWanted) parts.push({ text: expr.slice(from, to), from, to })
    },
  })
  return parts
}

/** The names of the metrics that a query asks for. @throws where it isn't PromQL */
export const metricsOf = (expr: string): Set<string> => new Set(partsOf(expr, 'metric').map(({ text }) => text))

const unitSeconds: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 }
function shorter(duration: string, factor: number): string {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(duration) ?? []
  return `${Math.ceil((Number(amount) * unitSeconds[unit!]!) / factor)}s`
}

/** The same rules in a hurry: every duration is so many times shorter, and nothing else differs. */
export function hurry({ groups }: Rules, factor: number): Rules {
  const hurryExpr = (expr: string): string =>
    partsOf(expr, 'NumberDurationLiteralInDurationContext').reduceRight(
      (done, { text, from, to }) => done.slice(0, from) + shorter(text, factor) + done.slice(to),
      expr,
    )
  return {
    groups: groups.map((group) => ({
      ...group,
      ...(group.interval && { interval: shorter(group.interval, factor) }),
      rules: group.rules.map((rule) => ({
        ...rule,
        expr: hurryExpr(rule.expr),
        ...(rule.for && { for: shorter(rule.for, factor) }),
      })),
    })),
  }
}
