// A VM within a VM.
'use strict';
const { thrown, differs } = require('./support.js');

const NESTING = 'types: NodeVMOptions.nesting', HARD = 'README: Hardening recommendations (nesting)';
const make = (vm2, more = {}) => new vm2.NodeVM({ nesting: true, require: { builtin: [] }, ...more });

module.exports = [
  { name: 'vm2 is required in a NodeVM', source: NESTING, run: (vm2, assert) => assert.strictEqual(make(vm2).run('const { VM } = require("vm2"); module.exports = new VM().run("1 + 2")'), 3) },
  { name: 'NodeVM is there', source: NESTING, run: (vm2, assert) => assert.strictEqual(make(vm2).run('const { NodeVM } = require("vm2"); module.exports = new NodeVM().run("module.exports = 4")'), 4) },
  { name: 'an inner VM has a sandbox', source: NESTING, run: (vm2, assert) => assert.strictEqual(make(vm2).run('const { VM } = require("vm2"); module.exports = new VM({ sandbox: { a: 5 } }).run("a + 1")'), 6) },
  { name: 'an inner VM calls functions of the outer one', source: NESTING, run: (vm2, assert) => assert.strictEqual(make(vm2).run('const { VM } = require("vm2"); let n = 0; const vm = new VM({ sandbox: { add: (m) => { n += m; return n } } }); vm.run("add(2); add(3)"); module.exports = n'), 5) },
  { name: 'an inner function is called by the outer code', source: NESTING, run: (vm2, assert) => assert.strictEqual(make(vm2).run('const { VM } = require("vm2"); const f = new VM().run("(a) => a * 2"); module.exports = f(4)'), 8) },
  { name: 'an inner function is called by the host', source: NESTING, run: (vm2, assert) => assert.strictEqual(make(vm2).run('const { VM } = require("vm2"); module.exports = new VM().run("(a) => a * 2")')(4), 8) },
  { name: 'an inner error is caught by the outer code', source: NESTING, run: (vm2, assert) => assert.strictEqual(make(vm2).run('const { VM } = require("vm2"); try { new VM().run("throw new TypeError(\'in\')") } catch (e) { module.exports = [e.name, e.message, e instanceof TypeError].join() }'), 'TypeError,in,true') },
  { name: 'an inner VM has its timeout', source: NESTING, run: (vm2, assert) => assert.match(make(vm2).run('const { VM } = require("vm2"); try { new VM({ timeout: 50 }).run("for (;;);") } catch (e) { module.exports = e.message }'), /timed out after 50ms/) },
  { name: 'an inner VM keeps its state', source: NESTING, run: (vm2, assert) => assert.strictEqual(make(vm2).run('const { VM } = require("vm2"); const vm = new VM(); vm.run("var n = 1"); vm.run("n++"); module.exports = vm.run("n")'), 2) },
  { name: 'inner objects come out', source: NESTING, run: (vm2, assert) => assert.deepStrictEqual(make(vm2).run('const { VM } = require("vm2"); module.exports = new VM().run("({ a: [1, { b: 2 }] })")'), { a: [1, { b: 2 }] }) },
  { name: 'two inner VMs share no globals', source: NESTING, run: (vm2, assert) => assert.strictEqual(make(vm2).run('const { VM } = require("vm2"); new VM().run("mine = 1"); module.exports = new VM().run("typeof mine")'), 'undefined') },
  { name: 'an inner VM does not see the globals of the outer one', source: NESTING, run: (vm2, assert) => assert.strictEqual(make(vm2, { sandbox: { mine: 1 } }).run('const { VM } = require("vm2"); module.exports = new VM().run("typeof mine")'), 'undefined') },
  { name: 'setGlobal of an inner VM', source: NESTING, run: (vm2, assert) => assert.strictEqual(make(vm2).run('const { VM } = require("vm2"); const vm = new VM(); vm.setGlobal("a", 3); module.exports = vm.run("a")'), 3) },
  { name: 'an inner promise is awaited', source: NESTING, run: async (vm2, assert) => assert.strictEqual(await make(vm2).run('const { VM } = require("vm2"); module.exports = (async () => await new VM().run("Promise.resolve(7)"))()'), 7) },
  { name: 'a NodeVM in a NodeVM in a NodeVM', source: NESTING, run: (vm2, assert) => assert.strictEqual(make(vm2).run('const { NodeVM } = require("vm2"); module.exports = new NodeVM({ nesting: true, require: { builtin: [] } }).run("const { VM } = require(\'vm2\'); module.exports = new VM().run(\'2 + 3\')")'), 5) },
  { name: 'an inner NodeVM has the builtins that it names', source: HARD, run: (vm2, assert) => assert.strictEqual(make(vm2).run('const { NodeVM } = require("vm2"); module.exports = new NodeVM({ require: { builtin: ["path"] } }).run("module.exports = require(\'path\').basename(\'/a/b\')")'), 'b') },
  { name: 'an inner NodeVM has builtins of the outer one', source: HARD, run: (vm2, assert) => assert.strictEqual(make(vm2, { require: { builtin: ['path'] } }).run('const { NodeVM } = require("vm2"); module.exports = new NodeVM({ require: { builtin: ["path"] } }).run("module.exports = require(\'path\').basename(\'/a/b\')")'), 'b') },
  { name: 'an object of the outer VM in the inner one is the same', source: NESTING, differs: differs.nesting, run: (vm2, assert) => assert.strictEqual(make(vm2).run('const { VM } = require("vm2"); const o = {}; module.exports = new VM({ sandbox: { o } }).run("o") === o'), true) },
  { name: 'without nesting vm2 is not there', source: NESTING, run: (vm2, assert) => assert.strictEqual(thrown(() => new vm2.NodeVM({ require: { builtin: [] } }).run('require("vm2")')).code, 'ENOTFOUND') },
  ...[['no require', {}], ['require: false', { require: false }], ['require: true', { require: true }], ['require: null', { require: null }], ['require: []', { require: [] }]].map(([name, options]) => ({
    name: `nesting with ${name} is refused`, source: HARD, differs: name === 'require: []' ? undefined : differs.attenuated,
    run: (vm2, assert) => assert.throws(() => new vm2.NodeVM({ nesting: true, ...options }), (e) => e instanceof vm2.VMError),
  })),
  { name: 'nesting with a resolver', source: HARD, run: (vm2, assert) => assert.ok(new vm2.NodeVM({ nesting: true, require: vm2.makeResolverFromLegacyOptions({ builtin: ['path'] }) })) },
  { name: 'nesting with require: {}', source: HARD, run: (vm2, assert) => assert.strictEqual(make(vm2, { require: {} }).run('module.exports = new (require("vm2").VM)().run("1")'), 1) },
];
