import { globSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import { quietProgress } from '../progress.ts'
import { ROOT } from '../state.ts'
import { openKustomize } from './kustomize.ts'
import { checkNetwork } from './network.ts'
import { checkPolicies } from './policies.ts'
import type { Resource } from './resources.ts'
import { checkSchema } from './schema.ts'

export function parseManifests(text: string): Resource[] {
  const resources = parseAllDocuments(text).map((document) => document.toJS() as Resource)
  for (const { kind, data = {} } of resources)
    // base64 is wrapped by kustomize, which a cluster allows and the schema doesn't
    if (kind === 'Secret') for (const key in data) data[key] = data[key]!.replaceAll(/\s/g, '')
  return resources
}

/** Judges what would be sent to a cluster. @returns what is wrong, in words */
export async function checkManifests(folder: string, resources: readonly Resource[]): Promise<string[]> {
  const isDev = folder === 'k8s/overlays/dev'
  const shapes = (await Promise.all(resources.map(checkSchema))).flat()
  // what has another shape can't be read by the rest
  if (shapes.length > 0) return shapes
  return [
    ...checkPolicies(resources, isDev),
    ...(folder.startsWith('k8s/overlays/') ? checkNetwork(resources, isDev) : []),
  ]
}

/** Everything that can be applied by itself. */
export async function checkAll(): Promise<string[]> {
  const render = await openKustomize(quietProgress)
  const folders = globSync('k8s/{base,services/*,overlays/*}', { cwd: ROOT }).sort()
  const found = folders.map(async (folder) => {
    const problems = await checkManifests(folder, parseManifests(await render(folder)))
    return problems.map((problem) => `${folder}: ${problem}`)
  })
  return (await Promise.all(found)).flat()
}
