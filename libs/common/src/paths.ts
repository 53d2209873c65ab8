/** Every word that stands in a path of the API. A test compares them with the document that is served. */
const words = new Set(
  `api v1 internal fhir R4 metadata .well-known jwks.json health live ready metrics docs redoc openapi.json errors console
   auth login logout register refresh me password forgot reset reset-password totp confirm sessions token users
   service-accounts rotate keys patient revocations
   patients search match merge unmerge import export void restore history diff allergies conditions care-team break-glass
   audit events accesses activity checkpoint key tile entries proof inclusion consistency stream status reviews holds
   Patient AllergyIntolerance Condition AuditEvent _search _history`.split(/\s+/),
)

/** An id, or a small number; what is longer could be somebody's. */
const anId = /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{1,6})$/i

/**
 * What an event keeps of a path: its words and ids; the rest is `*`. Where an id belongs, and where there is no path at all,
 * a client may have put a name.
 * @param pattern of the route, whose own words are kept as well
 */
export function withoutNames(path: string, pattern: string): string {
  const own = pattern.split('/')
  return path
    .slice(0, 1000)
    .split('/')
    .map((part) => (!part || words.has(part) || own.includes(part) || anId.test(part) ? part : '*'))
    .join('/')
}
