// Uses as with vm2, and uses of what is ours. It is compiled, and not run.
import { EventEmitter } from 'events';
import { VM, NodeVM, VMScript, VMFileSystem, VMError, makeResolverFromLegacyOptions, defaults } from '@ambit/vm2';
import type { AmbitOptions, NodeVMOptions, Resolver, VMFileSystemInterface, VMOptions, VMRequire } from '@ambit/vm2';

const options: VMOptions = { timeout: 100, sandbox: { a: 1 }, compiler: (code: string, filename: string) => code + filename, eval: false, wasm: false, allowAsync: false, fixAsync: true, bufferAllocLimit: 1000 };
const vm: VM = new VM(options);
const result: number = vm.run('1 + 1', 'file.js');
vm.run(new VMScript('1', 'x.js', { lineOffset: 1 }).compile(), { filename: 'y.js' });
vm.setGlobal('a', 1).setGlobals({ b: 2 });
vm.freeze({}, 'o');
vm.protect(vm.readonly({}), 'p');
vm.timeout = vm.getGlobal('t') ?? result;

const files: VMFileSystemInterface = new VMFileSystem();
const wanted: VMRequire = { builtin: ['fs'], external: { modules: ['a'], transitive: true }, root: ['./a'], mock: {}, context: 'sandbox', resolve: (name, from) => ({ path: name + from }), customRequire: (id) => id, import: ['a'], strict: true, fs: files };
const resolver: Resolver = makeResolverFromLegacyOptions(wanted, { a: () => 1, b: { init() {}, load: (it: NodeVM) => it.sandbox } }, (code) => code);
const given: NodeVMOptions = { console: 'redirect', require: resolver, nesting: true, wrapper: 'none', sourceExtensions: ['js'], argv: [], env: {}, strict: true };
const node: VM = new NodeVM(given);
const emitter: EventEmitter = new NodeVM({ require: true }).on('console.log', (...words) => void words);
emitter.emit(NodeVM.code('return "a"', 'f.js', { wrapper: 'none' }));
NodeVM.file('f.js');
const used: Resolver = new NodeVM().resolver;

const ambit: AmbitOptions = { read: './data', write: ['a'], work: '.', run: ['/usr/bin/git'], connect: 'a.example:443', listen: [], grants: ['read x'], env: { TZ: 'UTC' }, limits: { files: 10 }, memory: '1G', cpu: 1, tasks: 3, jit: true, live: true,
  message: 1e6, ledger: false, agent: 'a', reuse: 'tenant', ready: 0, workspace: '.', node: '/usr/bin/node' };
const granted = new VM({ ambit });
granted.dispose();
granted[Symbol.dispose]();
new NodeVM({ ambit: { env: ['TZ'] } })[Symbol.dispose]();
defaults.ambit = { live: true };
try {
  granted.run('1');
} catch (problem) {
  if (problem instanceof VMError) console.log(problem.code?.length, problem.hint?.length, problem.message);
}
void [node, used];
