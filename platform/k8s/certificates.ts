import { containersOf, titleOf, type Container, type Judge, type Resource } from './resources.ts'
import { environmentOf, keysOf } from './settings.ts'

interface Certificate {
  secretName: string
  dnsNames?: string[]
  issuerRef: { name: string }
}

const certificatesOf = (resources: readonly Resource[]): Certificate[] =>
  resources.filter(({ kind }) => kind === 'Certificate').map(({ spec }) => spec as unknown as Certificate)

/** Hosts of a platform's own that settings name, by what is asked with TLS. */
const hostsOf = (environment: Record<string, string>): string[] =>
  ['CONSUL_HTTP_ADDR', 'JWKS_URL'].flatMap((key) => URL.parse(environment[key] ?? '')?.hostname ?? [])

/** Where a container has what Certificates make, each file as `<folder>/<name>`. */
function filesOf({ volumeMounts = [] }: Container, volumes: Parameters<Judge>[0]['pod']['spec']['volumes'] = []) {
  return volumeMounts.flatMap(({ name, mountPath }) => {
    const secret = volumes.find((volume) => volume.name === name)?.secret
    const files = secret?.items?.map(({ path }) => path) ?? ['ca.crt', 'tls.crt', 'tls.key']
    return secret ? files.map((file) => ({ path: `${mountPath}/${file}`, secretName: secret.secretName })) : []
  })
}

/** A process of ours that has a certificate: its files are there, it is its own, and so have those whom it asks. */
export const certified: Judge = (workload, resources) => {
  const certificates = certificatesOf(resources)
  const own = workload.pod.labels['app.kubernetes.io/name'] ?? ''
  return containersOf(workload).flatMap((container) => {
    const { environment } = environmentOf(container, resources)
    if (!keysOf(container) || !environment.TLS_REQUIRED) return []
    const files = filesOf(container, workload.pod.spec.volumes)
    const settings = Object.entries(environment).filter(([key]) => /^TLS_.*_FILE$/.test(key))
    const certificateOf = (path: string) =>
      certificates.find(({ secretName }) => files.some((one) => one.path === path && one.secretName === secretName))
    return [
      !('TLS_CA_FILE' in environment) && `${container.name} is told no authority`,
      ...settings.map(
        ([key, path]) =>
          !certificateOf(path)?.dnsNames?.includes(own) && `${container.name} has no certificate of ${own} at ${key}`,
      ),
      ...hostsOf(environment).map(
        (host) =>
          !certificates.some(({ dnsNames }) => dnsNames?.includes(host)) && `asks ${host}, which has no certificate`,
      ),
    ]
  })
}

/** Secrets of certificates that nobody makes, and certificates that nobody issues. */
export function checkCertificates(resources: readonly Resource[]): string[] {
  const made = certificatesOf(resources).map(({ secretName }) => secretName)
  const issuers = resources.filter(({ kind }) => kind === 'Issuer').map(({ metadata }) => metadata.name)
  return resources.flatMap((resource) => {
    const { kind, spec } = resource
    const wanted = JSON.stringify(spec ?? {}).matchAll(/"(?:secretName|server(?:TLS|CA)Secret)":"(tls-[^"]+)"/g)
    const missing = [...wanted].map(([, name]) => name!).filter((name) => !made.includes(name))
    const issuer = kind === 'Certificate' ? (spec as unknown as Certificate).issuerRef.name : undefined
    return [
      ...missing.map((name) => `${titleOf(resource)} reads Secret ${name}, which no Certificate makes`),
      ...(issuer && !issuers.includes(issuer) ? [`${titleOf(resource)} is issued by nobody: ${issuer}`] : []),
    ]
  })
}
