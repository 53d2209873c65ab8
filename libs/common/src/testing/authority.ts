import { execFileSync } from 'node:child_process'
import { renameSync } from 'node:fs'
import { join } from 'node:path'

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' })

/** A private certificate authority of a test, as docs/tls.md makes one: its files are in `folder`, by the names of whom they are for. */
export function makeAuthority(folder: string, name = 'ca') {
  const at = (file: string) => join(folder, file)
  const [ca, caKey] = [at(`${name}.crt`), at(`${name}.key`)]
  openssl('req', '-x509', ...newKey, '-keyout', caKey, '-out', ca, '-days', '30', '-subj', `/CN=${name}`)

  return {
    ca,
    /**
     * Issues a certificate and puts it and its key where those of before were.
     * @param names e.g. `DNS:patients,IP:127.0.0.1`
     * @param days how long it is good; one that has expired was good until so long ago
     */
    issue(file: string, names: string, days = 30): { cert: string; key: string } {
      const [cert, key, request] = [at(`${file}.crt`), at(`${file}.key`), at(`${file}.csr`)]
      const subject = ['-subj', `/CN=${file}`, '-addext', `subjectAltName=${names}`]
      openssl('req', ...newKey, ...subject, '-keyout', `${key}.new`, '-out', request)
      const signing = ['-CA', ca, '-CAkey', caKey, '-copy_extensions', 'copy', '-days', String(days)]
      openssl('x509', '-req', '-in', request, ...signing, '-out', `${cert}.new`)
      for (const made of [key, cert]) renameSync(`${made}.new`, made)
      return { cert, key }
    },
  }
}
