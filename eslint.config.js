import tseslint from 'typescript-eslint'

const reExport = {
  selector: 'ExportAllDeclaration, ExportNamedDeclaration[source]',
  message: 'Import from the file that has it: no file only passes things on.',
}

export default tseslint.config(
  { ignores: ['.caregate/', 'coverage/', '**/dist/', 'clients/typescript/src/api.ts'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/prefer-nullish-coalescing': 'error',
      '@typescript-eslint/return-await': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      'array-callback-return': 'error',
      eqeqeq: 'error',
      'no-cond-assign': 'error',
      'no-constant-binary-expression': 'error',
      'no-loss-of-precision': 'error',
      'no-misleading-character-class': 'error',
      'no-self-compare': 'error',
      'no-template-curly-in-string': 'error',
      'no-unreachable-loop': 'error',
      'no-unsafe-finally': 'error',
      'no-unsafe-optional-chaining': 'error',
      'no-useless-escape': 'error',
      'no-restricted-syntax': ['error', reExport],
      // Numbers and booleans in a text are what the author means.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // What a callback calls its error is passed on as it is; a cast would only please the rule.
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      // An async function without await still promises that it rejects rather than throws.
      '@typescript-eslint/require-await': 'off',
      // Objects here are literals over closures: their functions need no `this`.
      '@typescript-eslint/unbound-method': 'off',
      // The compiler reports these.
      '@typescript-eslint/no-unused-vars': 'off',
    },
  },
  {
    // What serves requests speaks through the logger; a command, and a start that fails before there is one, may print.
    files: ['{gateway,services,libs}/**/*.{ts,tsx}'],
    ignores: ['**/*.test.ts', '**/testing/**', '**/{migrate,retain,rotate,user,run,cli,dead-letters}.ts'],
    rules: { 'no-console': 'error' },
  },
  {
    // What a response or a row holds is for the assertions to say.
    files: ['**/*.test.ts', 'e2e/**', '**/testing/**'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
)
