export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/libs/common/src/testing/strip-types.mjs' },
  modulePathIgnorePatterns: ['<rootDir>/.caregate'],
  watchPathIgnorePatterns: ['<rootDir>/.caregate'],
  globalSetup: '<rootDir>/platform/test-setup.ts',
  globalTeardown: '<rootDir>/platform/test-teardown.ts',
  maxWorkers: 2,
  testTimeout: 30_000,
}
