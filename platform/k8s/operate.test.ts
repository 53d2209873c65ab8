import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { plainSettings } from '@caregate/common/config'
import { SERVICES } from '@caregate/common/services'
import { quietProgress } from '../progress.ts'
import { ROOT } from '../state.ts'
import { parseManifests } from './check.ts'
import { openKustomize } from './kustomize.ts'
import { containersOf, titleOf, workloadsOf } from './resources.ts'

/** Instead of a cluster's: answers every Secret, and writes down each member of each Secret that it is told to make. */
const kubectl = `
kubectl() {
  [ "$3 $4" = "get secret" ] && { printf stub | base64; return; }
  [ "$3 $4" = "create secret" ] || return 0
  local name=$6 argument
  for argument in "\${@:7}"; do
    case $argument in
      --from-env-file=/dev/stdin) sed "s/^/$name /" >&3 ;;
      --from-literal=*) argument=\${argument#*=}; echo "$name $argument" >&3 ;;
      --from-file=*=*) argument=\${argument#*=}; [ -s "\${argument#*=}" ] && echo "$name \${argument%%=*}" >&3 ;;
    esac
  done
}
exec 3>&1 >/dev/null
`

const page = readFileSync(join(ROOT, 'docs/operate.md'), 'utf8')
const all = (pattern: RegExp) => [...new Set([...page.matchAll(pattern)].map(([, found]) => found!))]

test('what the commands name is there: folders, resources of production, scripts and checks', async () => {
  const render = await openKustomize(quietProgress)
  const folders = all(/-k (k8s\/[\w/-]+)/g)
  expect(folders.length).toBeGreaterThan(5)
  await Promise.all(folders.map(render))

  const kinds: Record<string, string> = { deploy: 'Deployment', sts: 'StatefulSet', statefulset: 'StatefulSet' }
  Object.assign(kinds, { cronjob: 'CronJob', svc: 'Service', rabbitmqcluster: 'RabbitmqCluster' })
  const named = all(/\b((?:deploy|sts|statefulset|cronjob|svc|rabbitmqcluster)\/[a-z][\w-]*)/g)
  expect(named.length).toBeGreaterThan(8)
  const resources = parseManifests(await render('k8s/overlays/prod')).map(titleOf)
  for (const [kind = '', name] of named.map((one) => one.split('/')))
    expect(resources).toContain(`${kinds[kind]} ${name}`)

  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object }
  for (const script of all(/npm run ([\w:-]+)/g)) expect(scripts).toHaveProperty([script])
}, 60_000)

test('the commands of the first deploy make each Secret that production reads, and no other', async () => {
  const blocks = [...page.matchAll(/^ *```bash\n( *# secrets: [^]*?)^ *```$/gm)].map(([, block]) => block)
  expect(blocks).toHaveLength(2)
  const script = `set -euo pipefail\n${kubectl}${blocks.join('\n')}\nrm -r "$keep"`
  const lines = execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n')
  const made = lines.map((line) => /^(\S+ \w+)=?(.*)$/.exec(line)!.slice(1) as [secretAndKey: string, value: string])

  const render = await openKustomize(quietProgress)
  const resources = parseManifests(await render('k8s/overlays/prod'))
  const read = workloadsOf(resources)
    .flatMap(containersOf)
    .flatMap(({ env = [] }) => env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []))
  const required = read.filter(({ optional }) => !optional).map(({ name, key }) => `${name} ${key}`)
  const ofClusters = SERVICES.flatMap((service) =>
    ['owner', 'app'].flatMap((role) => ['username', 'password'].map((key) => `postgres-${service}-${role} ${key}`)),
  )
  // what may be missing, and is given all the same: the counters that gateways share
  expect(new Set(made.map(([name]) => name))).toEqual(new Set([...required, ...ofClusters, 'gateway REDIS_URL']))

  // everybody is asked by TLS, by a name that a certificate has
  const urls = made.filter(([name]) => name.endsWith('_URL'))
  const dnsNames = resources.flatMap(({ kind, spec }) => (kind === 'Certificate' ? (spec?.dnsNames as string[]) : []))
  for (const [name, value] of urls) {
    const key = name.split(' ')[1]!
    expect([name, plainSettings({ [key]: value })]).toEqual([name, expect.not.arrayContaining([key])])
    expect(dnsNames).toContain(new URL(value).hostname)
  }
  // of each service the broker and its database, as two; of the gateway the broker and the counters
  expect(urls).toHaveLength(3 * SERVICES.length + 2)
}, 60_000)
