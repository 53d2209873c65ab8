import { buildOpenApi, type Description, type OpenApi } from '@caregate/common/openapi'
import { askInstance, type Directory } from '@caregate/common/registry'
import { SERVICES } from '@caregate/common/services'

const freshMs = 10_000

/**
 * What the services say of themselves, in one document. One that is away is described as it last was; those who ask at
 * the same time share one reading.
 */
export function openApiReader(directory: Directory, version: string, own: Description): () => Promise<OpenApi> {
  const known = new Map<string, Description>()
  let freshUntil = 0
  let reading: Promise<void> | undefined

  async function read(service: string): Promise<void> {
    const [instance] = directory.instances(service)
    if (!instance) throw new Error(`${service} is away`)
    const { status, body } = await askInstance(service, `${instance}/internal/description`, 2000)
    if (status === 200) known.set(service, JSON.parse(body) as Description)
  }
  async function readAll(): Promise<void> {
    const outcomes = await Promise.allSettled(SERVICES.map(read))
    if (outcomes.every(({ status }) => status === 'fulfilled')) freshUntil = Date.now() + freshMs
    reading = undefined
  }
  return async () => {
    if (Date.now() >= freshUntil) await (reading ??= readAll())
    return buildOpenApi(version, [...SERVICES.flatMap((service) => known.get(service) ?? []), own])
  }
}
