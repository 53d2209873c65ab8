import type { FhirResource } from 'fhir/r4.js'
import type { IncomingHttpHeaders } from 'node:http'
import { etagHeader, etagOf, isKnown } from '@caregate/common/etag'
import { fhirJson } from '@caregate/common/fhir'
import { resourceAnswer } from '@caregate/common/fhir-api'
import type { Answer } from '@caregate/common/route'

/** What of a read is the same for every resource. */
export const readAnswer = (resourceType: string) =>
  ({
    status: 200,
    description: 'The resource',
    schema: resourceAnswer(resourceType),
    type: fhirJson,
    headers: { ...etagHeader, 'Last-Modified': 'When that version was made' },
    others: { 304: 'It is the version that `If-None-Match` names' },
  }) as const

/** A resource in a version; nothing where the client has it. */
export function answerVersion(
  version: { version: number; updatedAt: Date | string },
  headers: IncomingHttpHeaders,
  build: () => FhirResource,
): Answer {
  const told = { ETag: `W/${etagOf(version)}`, 'Last-Modified': new Date(version.updatedAt).toUTCString() }
  return isKnown(version, headers) ? { status: 304, headers: told } : { body: build(), headers: told }
}
