import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { parseManifests } from '../k8s/check.ts'
import { openKustomize } from '../k8s/kustomize.ts'
import type { Resource } from '../k8s/resources.ts'
import { quietProgress } from '../progress.ts'
import { ROOT } from '../state.ts'
import { checkByPromtool, checkMonitoring } from './check.ts'
import { dashboardQueries, hurry, readDashboards, readRules, type Dashboard, type Rule } from './rules.ts'

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')

test('rules, their tests and pages, and dashboards are as they must be', async () => {
  expect([...checkMonitoring(), ...(await checkByPromtool())]).toEqual([])
  expect(dashboardQueries('5m').length).toBeGreaterThan(60)
})

describe('it is said that', () => {
  const brokenRule = (change: (rule: Rule) => void) => {
    const rules = readRules()
    change(rules.groups.flatMap((group) => group.rules).find(({ alert }) => alert === 'CaregateBrokerAway')!)
    return checkMonitoring(rules)
  }
  test.each<[string, (rule: Rule) => void, string]>([
    ['a metric isn’t there', (rule) => (rule.expr = 'caregate_brocker == 0'), 'there is no metric caregate_brocker'],
    ['a query is none', (rule) => (rule.expr = 'caregate_broker_connected =='), 'no PromQL at'],
    ['an alert has no severity', (rule) => delete rule.labels, 'CaregateBrokerAway has no severity'],
    ['a text says nothing', (rule) => (rule.annotations!.summary = 'Away'), 'the summary of CaregateBrokerAway has no'],
    [
      'a link leads elsewhere',
      (rule) => (rule.annotations!.runbook_url = '/x.md'),
      'CaregateBrokerAway leads to no page',
    ],
    ['an alert has no page', (rule) => (rule.alert = 'CaregateAway'), 'CaregateAway has no page'],
    ['a page has no alert', (rule) => (rule.alert = 'CaregateAway'), 'CaregateBrokerAway.md is of no alert'],
    ['no test has it fire', (rule) => (rule.labels!.severity = 'page'), 'no test has CaregateBrokerAway (page) fire'],
  ])('%s', (_what, change, said) => {
    expect(brokenRule(change).join('\n')).toContain(said)
  })

  test.each<[string, (dashboard: Dashboard) => void, string]>([
    ['panels overlap', ({ panels }) => (panels[1]!.gridPos = panels[0]!.gridPos), 'over another panel'],
    ['a panel is too wide', ({ panels }) => (panels[0]!.gridPos.w = 25), 'beyond its right edge'],
    ['a panel asks nothing', ({ panels }) => delete panels[0]!.targets, 'edge asks nothing for'],
    ['two panels have an id', ({ panels }) => (panels[1]!.id = panels[0]!.id), 'edge has two panels of one id'],
    ['a dashboard is another', (dashboard) => (dashboard.uid = 'x'), 'edge has another uid'],
  ])('%s', (_what, change, said) => {
    const dashboards = readDashboards()
    change(dashboards.get('edge')!)
    expect(checkMonitoring(readRules(), dashboards).join('\n')).toContain(said)
  })
})

test('in a hurry every duration is shorter, and nothing else is another', () => {
  const rule = { alert: 'A', expr: 'rate(a{b="5m"}[5m]) > 60 and c offset 1h', for: '90s' }
  expect(hurry({ groups: [{ name: 'x', interval: '30s', rules: [rule] }] }, 60)).toEqual({
    groups: [
      {
        name: 'x',
        interval: '1s',
        rules: [{ alert: 'A', expr: 'rate(a{b="5m"}[5s]) > 60 and c offset 60s', for: '2s' }],
      },
    ],
  })
})

test('the PrometheusRule that docs/observability.md makes has the rules', () => {
  const block = /^```sh\n(\{ printf [^]*?) \| kubectl/m.exec(read('docs/observability.md'))![1]!
  const made = parse(execFileSync('bash', ['-c', block], { cwd: ROOT, encoding: 'utf8' })) as Resource
  expect(made).toMatchObject({ apiVersion: 'monitoring.coreos.com/v1', kind: 'PrometheusRule', spec: readRules() })
})

describe('what a runbook tells to type is there:', () => {
  let resources: string[]
  beforeAll(async () => {
    const render = await openKustomize(quietProgress)
    const manifests = parseManifests(await render('k8s/overlays/prod'))
    resources = manifests.map(({ kind, metadata: { name } }) => `${kind.toLowerCase()}/${name}`)
  }, 60_000)
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const { services } = parse(read('docker-compose.yml'), { merge: true }) as { services: Record<string, unknown> }

  test.each(globSync('docs/runbooks/Caregate*.md', { cwd: ROOT }))('%s', (file) => {
    const page = read(file)
    const all = (pattern: RegExp) => [...page.matchAll(pattern)].map(([, found]) => found!)
    const script = all(/npm run ([\w:-]+)/g)
    const ofCompose = all(
      /docker compose (?:restart|stop|exec|up -d|run --rm|logs(?: --\w+ \w+)*|ps(?: --all)?) ((?:[a-z][\w-]*)(?: [a-z][\w-]*)*)(?=$|\n| [#&|]| -| `|`)/g,
    )
    const inCluster = all(/\b((?:deploy|statefulset|cronjob)\/[\w-]+)/g).map((name) =>
      name.replace(/^deploy\//, 'deployment/'),
    )
    expect(script.filter((name) => !(name in scripts))).toEqual([])
    expect(ofCompose.map((names) => names.split(' ')[0]!).filter((name) => !(name in services))).toEqual([])
    expect(inCluster.filter((name) => !resources.includes(name))).toEqual([])
    expect([...script, ...ofCompose, ...inCluster, ...all(/(curl|kubectl)/g)].length).toBeGreaterThan(0)
    for (const heading of ['Confirm', 'Do', 'It worked when']) expect(page).toContain(`\n## ${heading}\n`)
    for (const link of all(/\]\(([^)#:]+)(?:#[^)]*)?\)/g))
      expect(globSync(join('docs/runbooks', link), { cwd: ROOT })).toHaveLength(1)
  })
})
