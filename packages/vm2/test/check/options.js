// What options say.
'use strict';
const of = (options, kind = 'NodeVM') => `const { VM, NodeVM, makeResolverFromLegacyOptions, VMFileSystem } = require('vm2');\nnew ${kind}(${options});`;
const builtin = (name) => of(`{ require: { builtin: ['${name}'] } }`);

module.exports = [
  ...Object.entries({ fs: 'builtin-fs', 'node:fs': 'builtin-fs', 'fs/promises': 'builtin-fs', http: 'builtin-net', https: 'builtin-net', net: 'builtin-net', child_process: 'builtin-run', '*': 'builtin-all', os: 'builtin-system', path: 'builtin' })
    .map(([name, id]) => ({ name: `builtin ${name}`, source: builtin(name), says: [`2 ${id}`] })),
  { name: 'a builtin that is taken away', source: builtin('-fs'), says: [] },
  { name: 'builtins of a variable', source: "const { NodeVM } = require('vm2'), names = ['fs'];\nnew NodeVM({ require: { builtin: [...names, 'net'] } });", says: ['1 builtin-fs', '2 builtin-net'] },
  { name: 'builtins made elsewhere', source: of('{ require: { builtin: names() } }'), says: ['2 elsewhere require.builtin'] },
  { name: 'context host', source: of("{ require: { context: 'host' } }"), says: ['2 context-host'] },
  { name: 'context sandbox', source: of("{ require: { context: 'sandbox' } }"), says: ['2 context'] },
  { name: 'context by a function', source: of("{ require: { context: (file) => 'sandbox' } }"), says: ['2 context'] },
  { name: 'context by a variable', source: "const where = 'host', { NodeVM } = require('vm2');\nnew NodeVM({ require: { context: where } });", says: ['2 context-host'] },
  { name: 'external without root', source: of('{ require: { external: true } }'), says: ['2 external-no-root'] },
  { name: 'external with root', source: of("{ require: { external: ['a'], root: './a' } }"), says: ['2 external'] },
  { name: 'external: false', source: of('{ require: { external: false } }'), says: [] },
  { name: 'require: true', source: of('{ require: true }'), says: ['2 require-true'] },
  { name: 'require: false', source: of('{ require: false }'), says: ['2 require-false'] },
  { name: 'mock, customRequire, resolve, fs', source: of('{ require: { mock: {}, customRequire: (id) => id, resolve: (a) => a, fs: new VMFileSystem() } }'), says: ['2 mock', '2 customRequire', '2 resolve', '2 require-fs', '2 require-fs'] },
  { name: 'a resolver', source: "const { NodeVM, makeResolverFromLegacyOptions } = require('vm2');\nconst r = makeResolverFromLegacyOptions({ builtin: ['net'] });\nnew NodeVM({ require: r });", says: ['2 resolver', '2 builtin-net'] },
  { name: 'nesting', source: of('{ nesting: true }'), says: ['2 nesting'] },
  { name: 'nesting: false', source: of('{ nesting: false }'), says: [] },
  { name: 'options of a variable', source: "const { VM } = require('vm2'), o = { eval: false };\nnew VM(o);", says: ['1 eval'] },
  { name: 'options that are spread', source: "const { VM } = require('vm2'), o = { eval: false };\nnew VM({ ...o, wasm: false });", says: ['1 eval', '2 wasm'] },
  { name: 'options of a parameter', source: "const { VM } = require('vm2');\nexports.make = (o) => new VM(o);", says: ['2 elsewhere'] },
  { name: 'no timeout', source: of('{ eval: false }', 'VM'), says: ['2 no-timeout', '2 eval'] },
  { name: 'a timeout', source: of('{ timeout: 5 }', 'VM'), says: ['2 timeout'] },
  { name: 'a timeout that is set later', source: "const { VM } = require('vm2');\nconst vm = new VM(); vm.timeout = 5;", loud: true, says: ['2 vm'] },
  { name: 'wasm with jit', source: of('{ wasm: true, ambit: { jit: true } }', 'VM'), says: [] },
  { name: 'allowAsync and fixAsync', source: of('{ allowAsync: false, fixAsync: true }', 'VM'), says: ['2 allowAsync', '2 allowAsync'] },
  { name: 'NodeVM.code', source: "const { NodeVM } = require('vm2');\nNodeVM.code('1', 'a.js', { require: { context: 'host' } });", says: ['2 context-host'] },
  { name: 'NodeVM.file', source: "const { NodeVM } = require('vm2');\nNodeVM.file('a.js', { nesting: true });", says: ['2 nesting'] },
];
