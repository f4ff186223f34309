import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import importX, { createNodeResolver } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** Globals and modules that may only be touched by the one adapter file that wraps them. */
const timers = ['setTimeout', 'setInterval', 'setImmediate'];
const adapters = {
  clock: ['src/lib/clock.ts'],
  process: ['src/bin/*.ts', 'src/runtime/process.ts'],
  childProcess: [
    'src/kube/exec-credential.ts',
    'src/clusterlink/agent/nftables/nft.ts',
    'src/kosmosctl/image/credential-helper.ts',
  ],
};

export default defineConfig(
  { ignores: ['dist/**', 'coverage/**', 'node_modules/**', '.lab/**'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
      'import-x/resolver-next': [createNodeResolver({ extensionAlias: { '.js': ['.ts', '.js'] } })],
    },
    rules: {
      'max-lines': ['error', { max: 500 }],
      complexity: ['error', 12],
      'max-depth': ['error', 3],
      'max-params': ['error', 4],
      'max-statements': ['error', 30],
      eqeqeq: 'error',
      'no-console': 'error',
      'import-x/no-cycle': 'error',
      'import-x/no-default-export': 'error',
      'import-x/no-duplicates': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: adapters.clock,
    rules: {
      'no-restricted-globals': [
        'error',
        'fetch',
        ...timers.map((name) => ({ name, message: 'Use the injected Clock.' })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Use the injected Clock.' },
        { object: 'Math', property: 'random', message: 'Use the injected Random.' },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: adapters.process,
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "MemberExpression[object.name='process'][property.name=/^(env|exit|on|once)$/]",
          message: 'Only src/bin and src/runtime/process.ts touch the process.',
        },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: adapters.childProcess,
    rules: { 'no-restricted-imports': ['error', { paths: ['child_process', 'node:child_process'] }] },
  },
  {
    files: ['test/**/*.ts', 'hack/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      'max-statements': 'off',
    },
  },
  { files: ['hack/**/*.ts', 'src/kosmosctl/output/**/*.ts'], rules: { 'no-console': 'off' } },
);
