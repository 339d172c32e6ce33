// What the types let pass, and what they do not. Compiled, and never run (.ci/lint).
import { VM, NodeVM, VMScript, VMError, VMFileSystem, makeResolverFromLegacyOptions, defaults } from '..';

defaults.ambit = { live: true };
const vm = new VM({ timeout: 100, sandbox: { add: (a: number, b: number) => a + b }, eval: false, wasm: false, allowAsync: false, bufferAllocLimit: 1024, ambit: { memory: '64M', jit: true, reuse: 'tenant', connect: ['example.com:443'] } });
vm.timeout = 200;
const script = new VMScript('1 + 1', 'a.js', { lineOffset: 2 }).compile();
const more = new VMScript('1 + 1', { filename: 'b.js', compiler: (code) => code });
vm.setGlobal('a', 1).setGlobals({ b: 2 }).freeze({}, 'c');
vm.run(script), vm.run(more, { filename: 'c.js' }), vm.runFile('d.js'), vm.getGlobal('a'), vm.readonly({}), vm.protect({}), vm.dispose();
const resolver = makeResolverFromLegacyOptions({ builtin: ['fs', '*', '-os'], external: { modules: ['a'], transitive: true }, root: ['a'], mock: {}, fs: new VMFileSystem() });
const node = new NodeVM({ console: 'redirect', require: resolver, nesting: true, wrapper: 'none', sourceExtensions: ['js'], argv: [], env: {}, strict: true, timeout: 5 });
node.on('console.log', (text: string) => text);
node.run('return 1', { wrapper: 'none' }), node.require('fs'), NodeVM.code('1'), NodeVM.file('a.js', { require: true });
const asVm: VM = node;
try {
  asVm.run('1');
} catch (problem) {
  if (problem instanceof VMError) problem.code?.length;
}

// @ts-expect-error there is no such console
new NodeVM({ console: 'loud' });
// @ts-expect-error a timeout is a number
new VM({ timeout: '5' });
// @ts-expect-error there is no such authority
new VM({ ambit: { reads: './data' } });
// @ts-expect-error the name is read only
script.filename = 'x.js';
