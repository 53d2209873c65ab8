/** What holds each rule: files, and the tests that are to notice a change of them, the quickest first. */
const folders: Record<string, Record<string, string[]>> = {
  'services/patients/src': {
    'access.ts': [
      'access.test.ts',
      'care-team/care-team.test.ts',
      'restricted.test.ts',
      'break-glass/break-glass.test.ts',
    ],
    'patient.ts': ['patient.test.ts', 'input.test.ts', 'patients.test.ts', 'identifiers.test.ts'],
    'identifiers.ts': ['identifiers.test.ts'],
    'match/compare.ts': ['match/compare.test.ts', 'match/match.test.ts'],
    'merge/merged.ts': ['merge/merged.test.ts', 'merge/merge.test.ts'],
    'search/names.ts': ['search/names.test.ts', 'search/search.test.ts'],
    'clinical/sctid.ts': ['clinical/sctid.test.ts'],
  },
  'gateway/src': {
    'routes.ts': ['routes.test.ts', 'gateway.test.ts'],
    'hygiene.ts': ['hygiene.test.ts', 'gateway.test.ts'],
    'headers.ts': ['headers.test.ts', 'proxy.test.ts'],
    'upstreams.ts': ['upstreams.test.ts'],
  },
  'libs/common/src': {
    'events.ts': ['events.test.ts'],
    'cursor.ts': ['cursor.test.ts'],
    'etag.ts': ['etag.test.ts'],
    'seal.ts': ['seal.test.ts'],
    'validate.ts': ['validate.test.ts', '../../../services/patients/src/input.test.ts'],
    'outbox.ts': ['outbox.test.ts'],
    'worker.ts': ['worker.test.ts'],
  },
  'services/auth/src': {
    'attempts.ts': ['attempts.test.ts'],
    'repository/attempts.ts': ['attempts.test.ts'],
    'passwords.ts': ['passwords.test.ts', 'accounts.test.ts', 'signing-in.test.ts'],
    'totp.ts': ['totp.test.ts'],
  },
  'services/audit/src': {
    'disclosed.ts': ['disclosed.test.ts'],
    'ingest.ts': ['ingest.test.ts'],
    'received.ts': ['ingest.test.ts'],
    'sequencer.ts': ['tree.test.ts', 'witnessing.test.ts', 'ingest.test.ts'],
    'tree.ts': ['tree.test.ts', 'verify.test.ts'],
    'log/entry.ts': ['log/entry.test.ts', 'tree.test.ts'],
    'log/merkle.ts': ['log/merkle.test.ts', 'tree.test.ts'],
    'log/note.ts': ['log/note.test.ts', 'tree.test.ts'],
    'log/ranges.ts': ['log/ranges.test.ts'],
  },
}

/** By path from the root. */
export const targets: Record<string, string[]> = Object.fromEntries(
  Object.entries(folders).flatMap(([folder, files]) =>
    Object.entries(files).map(([file, tests]) => [`${folder}/${file}`, tests.map((test) => `${folder}/${test}`)]),
  ),
)
