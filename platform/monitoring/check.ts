import { execFile } from 'node:child_process'
import { existsSync, readFileSync, globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { ROOT } from '../state.ts'
import {
  dashboardQueries,
  metricsOf,
  readDashboards,
  readRules,
  rulesFile,
  type Dashboard,
  type Rules,
} from './rules.ts'

const run = promisify(execFile)

/** Prometheus's own. */
const builtIn = ['up', 'ALERTS']

/** The metrics that docs/metrics.md has, which a test compares with what the processes tell. */
function documented(): Set<string> {
  const page = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8')
  return new Set([...page.matchAll(/^\| `([a-z0-9_]+)`/gm)].map(([, name]) => name!))
}

/** Rules and dashboards ask for metrics that there are, in PromQL. */
function checkQueries({ groups }: Rules): string[] {
  const rules = groups.flatMap((group) => group.rules)
  const known = new Set([...documented(), ...builtIn, ...rules.flatMap(({ record }) => record ?? [])])
  const isKnown = (name: string) => known.has(name) || known.has(name.replace(/_(bucket|count|sum)$/, ''))
  const queries = [
    ...rules.map(({ alert, record, expr }) => ({ where: (alert ?? record)!, expr })),
    ...dashboardQueries('5m'),
  ]
  return queries.flatMap(({ where, expr }) => {
    try {
      return [...metricsOf(expr)].filter((name) => !isKnown(name)).map((name) => `${where}: there is no metric ${name}`)
    } catch (error) {
      return [`${where}: ${(error as Error).message}`]
    }
  })
}

/** Every alert says how much it matters, and has a page; every page has its alert. */
function checkAlerts({ groups }: Rules): string[] {
  const alerts = groups.flatMap(({ rules }) => rules).filter(({ alert }) => alert)
  const names = alerts.map(({ alert }) => alert)
  const pages = globSync('docs/runbooks/Caregate*.md', { cwd: ROOT }).map((file) => basename(file, '.md'))
  const index = readFileSync(join(ROOT, 'docs/runbooks/README.md'), 'utf8')
  return [
    ...alerts.flatMap(({ alert, labels, annotations }) => [
      ...(/^(page|ticket)$/.test(labels?.severity ?? '') ? [] : [`${alert} has no severity`]),
      ...(/\{\{/.test(annotations?.summary ?? '') ? [] : [`the summary of ${alert} has no value`]),
      ...(annotations?.runbook_url === `{{ $externalURL }}/user/runbooks/${alert}.md`
        ? []
        : [`${alert} leads to no page`]),
      ...(pages.includes(alert!) ? [] : [`${alert} has no page`]),
      ...(index.includes(`(${alert}.md)`) ? [] : [`${alert} is not in docs/runbooks/README.md`]),
    ]),
    ...pages.filter((page) => !names.includes(page)).map((page) => `docs/runbooks/${page}.md is of no alert`),
  ]
}

/** What Grafana would show wrongly or not at all. */
function checkDashboard(name: string, { uid, panels }: Dashboard): string[] {
  const overlap = panels.flatMap((one, at) =>
    panels.slice(at + 1).filter((other) => {
      const [a, b] = [one.gridPos, other.gridPos]
      return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
    }),
  )
  return [
    ...(uid === `caregate-${name}` ? [] : ['has another uid than its file says']),
    ...(new Set(panels.map(({ id }) => id)).size === panels.length ? [] : ['has two panels of one id']),
    ...overlap.map(({ title }) => `has “${title}” over another panel`),
    ...panels.filter(({ gridPos: { x, w } }) => x + w > 24).map(({ title }) => `has “${title}” beyond its right edge`),
    ...panels
      .filter(({ type, targets = [] }) => type !== 'row' && !targets.length)
      .map(({ title }) => `asks nothing for “${title}”`),
  ].map((problem) => `${name} ${problem}`)
}

/** The rules and their tests, by Prometheus's own tool, where there is one. */
export async function checkByPromtool(): Promise<string[]> {
  if (!existsSync('/usr/bin/promtool')) return []
  const tests = rulesFile.replace('.yml', '.test.yml')
  const runs = [
    ['check', 'rules', rulesFile],
    ['test', 'rules', tests],
  ].map((args) =>
    run('promtool', args).then(
      () => [],
      ({ stdout, stderr }: { stdout: string; stderr: string }) => [`${stdout}${stderr}`.trim()],
    ),
  )
  return (await Promise.all(runs)).flat()
}

/** An alert of which no test says that it fires has none. */
function checkTests({ groups }: Rules): string[] {
  const { tests } = parse(readFileSync(rulesFile.replace('.yml', '.test.yml'), 'utf8')) as {
    tests: { alert_rule_test: { alertname: string; exp_alerts?: { exp_labels: { severity: string } }[] }[] }[]
  }
  const fired = tests
    .flatMap(({ alert_rule_test: all }) => all)
    .flatMap(({ alertname, exp_alerts: alerts = [] }) =>
      alerts.map(({ exp_labels: { severity } }) => `${alertname} ${severity}`),
    )
  return groups
    .flatMap(({ rules }) => rules)
    .filter(({ alert, labels }) => alert && !fired.includes(`${alert} ${labels?.severity}`))
    .map(({ alert, labels }) => `no test has ${alert} (${labels?.severity}) fire`)
}

/** Rules, their tests and pages, and dashboards. @returns what is wrong, in words */
export const checkMonitoring = (rules = readRules(), dashboards = readDashboards()): string[] => [
  ...checkQueries(rules),
  ...checkAlerts(rules),
  ...checkTests(rules),
  ...[...dashboards].flatMap(([name, dashboard]) => checkDashboard(name, dashboard)),
]
