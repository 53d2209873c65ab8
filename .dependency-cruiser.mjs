const test = String.raw`\.test\.ts$|^e2e/|^platform/test-setup\.ts$`

/** Who may import whom. Tests may import anything that is declared. */
const own = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: test },
  to: { path: '^(gateway|services|libs|platform|ops|e2e|samples|bench|prove|clients)/', pathNot: allowed },
})

export default {
  forbidden: [
    own(
      'service-alone',
      '^services/([^/]+)/',
      ['^services/$1/', '^libs/common/'],
      'A service knows itself and libs/common.',
    ),
    own('gateway-alone', '^gateway/', ['^gateway/', '^libs/common/'], 'The gateway knows itself and libs/common.'),
    own('common-below-all', '^libs/', '^libs/', 'libs/common is below everything and knows nobody.'),
    own(
      'platform-runs-them',
      '^platform/',
      ['^platform/', '^libs/common/', '^samples/', '^(gateway|services/[^/]+|ops/backup)/src/config\\.ts$'],
      'The platform starts services and the gateway as processes; it reads what settings they take, and no other file.',
    ),
    own('backup-alone', '^ops/', ['^ops/', '^libs/common/'], 'A backup is made without the platform’s code around.'),
    {
      name: 'test-code-in-tests',
      comment: 'What only tests need stays out of what runs.',
      severity: 'error',
      from: { pathNot: [test, '(^|/)testing(/|\\.ts$)', '^jest\\.config'] },
      to: { path: ['\\.test\\.ts$', '(^|/)testing(/|\\.ts$)', '^e2e/'] },
    },
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'declared',
      comment: 'Every npm package is in the package.json of the workspace that imports it, or at the root for tests.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-dev-package-at-run-time',
      severity: 'error',
      from: {
        path: '^(gateway|services|libs|platform|ops)/',
        pathNot: [
          test,
          '(^|/)testing(/|\\.ts$)',
          '^platform/(verify\\.ts$|backing/containers\\.ts$|(k8s|monitoring|supply)/)',
          '^services/audit/console/',
        ],
      },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only', 'npm'], pathNot: '/@types/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // the bench's peers have a package.json and an installation of their own
    exclude: { path: '(^|/)dist/|^((\\.caregate|coverage)/|bench/(gateway|patients)/.*\\.mjs$)' },
    combinedDependencies: true,
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['caregate-source', 'import', 'node', 'types', 'default'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json', '.d.ts'],
    },
  },
}
