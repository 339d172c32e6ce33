// Mistakes, and nothing of taste. The client's language is that of Node 18; a driver looks what its Node has.
import js from '@eslint/js';

const node = Object.fromEntries(['AbortController', 'AbortSignal', 'Blob', 'Buffer', 'ReadableStream', 'TextDecoder', 'URL', 'clearTimeout', 'console', 'fetch', 'process', 'performance', 'setImmediate', 'setTimeout']
  .map((name) => [name, 'readonly']));
const common = { __dirname: 'readonly', module: 'writable', require: 'readonly' };
const mistakes = { 'array-callback-return': 'error', eqeqeq: 'error', 'no-constructor-return': 'error', 'no-promise-executor-return': 'error', 'no-self-compare': 'error',
  'no-template-curly-in-string': 'error', 'no-unmodified-loop-condition': 'error', 'no-unreachable-loop': 'error', 'no-empty': ['error', { allowEmptyCatch: true }],
  'no-use-before-define': ['error', { functions: false, classes: false, variables: false }], 'no-var': 'error',
  'prefer-const': 'error', 'require-atomic-updates': 'error', 'no-implied-eval': 'error', 'no-throw-literal': 'error' };

export default [
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  { languageOptions: { ecmaVersion: 2022, sourceType: 'module', globals: node }, rules: mistakes },
  { files: ['packages/vm2/**/*.js'], languageOptions: { ecmaVersion: 2022, sourceType: 'commonjs', globals: { ...node, ...common, Atomics: 'readonly', TextEncoder: 'readonly', URLSearchParams: 'readonly', __filename: 'readonly', FinalizationRegistry: 'readonly', SharedArrayBuffer: 'readonly', WeakRef: 'readonly', performance: 'readonly', queueMicrotask: 'readonly', structuredClone: 'readonly', clearInterval: 'readonly', setInterval: 'readonly' } } },
  { files: ['src/**/*.js', 'examples/demo/**/*.js'], languageOptions: { ecmaVersion: 'latest', sourceType: 'commonjs', globals: { ...node, ...common } } },
  // Code of sandboxes stands in texts there, and short promises.
  { files: ['packages/vm2/test/**/*.js', 'tests/peers/vm2-users/*.mjs'], rules: { 'no-promise-executor-return': 'off', 'no-template-curly-in-string': 'off', 'no-self-compare': 'off', 'no-sparse-arrays': 'off' } },
];
