// NodeVM: its options, what its code has, wrapper, argv, env, strict, code and file.
'use strict';
const path = require('path');
const { EventEmitter } = require('events');
const { write, thrown, differs } = require('./support.js');

const NODEVM = 'README: NodeVM', TYPES = 'types: NodeVM', RELATIVE = 'README: Loading modules by relative path';
const gives = (source, rows) => rows.map(([name, code, want, options, filename, more]) => ({
  name, source, ...more,
  run: (vm2, assert) => assert.deepStrictEqual(new vm2.NodeVM(options).run(code, filename), want),
}));

// What is there in NodeVM.
const there = ['require', 'module', 'exports', 'console', 'setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate', 'Buffer', 'global', 'process'];
const absent = ['fetch', 'WebSocket', 'navigator', 'crypto'];

module.exports = [
  ...there.map((name) => ({ name: `${name} is there`, source: NODEVM, run: (vm2, assert) => assert.notStrictEqual(new vm2.NodeVM({ wrapper: 'none' }).run(`return typeof ${name}`), 'undefined') })),
  ...absent.map((name) => ({ name: `${name} is not there`, source: NODEVM, differs: differs.ofTheCell, run: (vm2, assert) => assert.strictEqual(new vm2.NodeVM({ wrapper: 'none' }).run(`return typeof ${name}`), 'undefined') })),
  ...gives(NODEVM, [
    ['module.exports is the result', 'module.exports = 5', 5],
    ['members of exports are the result', 'exports.a = 1; exports.b = "x"', { a: 1, b: 'x' }],
    ['without exports the result is an empty object', '1 + 1', {}],
    ['exports is module.exports', 'module.exports = exports === module.exports', true],
    ['`this` of the code is the global object', 'module.exports = this === global', true],
    ['global is globalThis', 'module.exports = global === globalThis', true],
    ['a variable is not global', 'var a = 1; module.exports = typeof global.a', 'undefined'],
    ['a name that is assigned is global', 'free = 1; module.exports = global.free', 1],
    ['return ends the code', 'exports.a = 1; return; exports.a = 2', { a: 1 }],
    ['wrapper none gives what is returned', 'return 1 + 1', 2, { wrapper: 'none' }],
    ['wrapper none gives undefined without return', '5', undefined, { wrapper: 'none' }],
    ['wrapper none gives true', 'return true', true, { wrapper: 'none' }],
    ['wrapper none gives an object', 'return { a: [1] }', { a: [1] }, { wrapper: 'none' }],
    ['wrapper commonjs gives exports and not what is returned', 'exports.a = 1; return 5', { a: 1 }, { wrapper: 'commonjs' }],
    ['option sandbox', 'module.exports = a + f(2)', 13, { sandbox: { a: 10, f: (n) => n + 1 } }],
    ['option argv', 'module.exports = process.argv.slice()', ['node', 'script', 'x'], { argv: ['node', 'script', 'x'] }],
    ['option env', 'module.exports = process.env.MINE', 'yes', { env: { MINE: 'yes' } }],
    ['env is empty by default', 'module.exports = Object.keys(process.env)', []],
    ['argv is empty by default', 'module.exports = process.argv.length', 0],
    ['a variable of the environment of the host is not seen', 'module.exports = typeof process.env.PATH', 'undefined'],
    ['option strict', 'module.exports = (function () { return this === undefined })()', true, { strict: true }],
    ['not strict by default', 'module.exports = (function () { return this === undefined })()', false],
    ['option eval: false', 'try { eval("1") } catch (e) { module.exports = e.name }', 'EvalError', { eval: false }],
    ['option eval: false with Function', 'try { new Function("1") } catch (e) { module.exports = e.name }', 'EvalError', { eval: false }],
    ['option wasm: false', 'try { new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) } catch (e) { module.exports = e.name }', 'CompileError', { wasm: false }, undefined, { differs: 'Without `jit` a cell has no WebAssembly: there is no memory in it that can be written and executed.' }],
    ['option bufferAllocLimit', 'try { Buffer.alloc(2000) } catch (e) { module.exports = e.name }', 'RangeError', { bufferAllocLimit: 1000 }],
    ['process.version is that of Node', 'module.exports = process.version', process.version],
    ['process.versions.node', 'module.exports = process.versions.node', process.versions.node],
    ['process.cwd is a text', 'module.exports = typeof process.cwd()', 'string'],
    ['process.hrtime gives two numbers', 'module.exports = process.hrtime().length', 2],
    ['process.exit is not there', 'module.exports = typeof process.exit', 'undefined', undefined, undefined, { differs: differs.ofTheCell }],
    ['process.umask is there', 'module.exports = typeof process.umask', 'function'],
    ['events of process can be listened to', 'process.on("exit", () => {}); module.exports = 1', 1],
    ['module.id without a file name', 'module.exports = module.id', 'vm.js'],
    ['module.children is an array', 'module.exports = Array.isArray(module.children)', true],
    ['module.loaded while it runs', 'module.exports = module.loaded', false],
    ['require.cache is an object', 'module.exports = typeof require.cache', 'object', { require: true }],
    ['require.resolve is a function', 'module.exports = typeof require.resolve', 'function', { require: true }],
    ['require.extensions has .js', 'module.exports = Object.keys(require.extensions).includes(".js")', true, { require: true }],
    ['a line of a shell at the beginning', '#!/usr/bin/env node\nmodule.exports = 3', 3],
    ['a comment at the end', 'module.exports = 3 // three', 3],
    ['await is a name', 'var await = 2; module.exports = await', 2],
    ['new.target is undefined', 'module.exports = new.target === undefined', true],
    ['arguments are five', 'module.exports = arguments.length', 5],
    ['an option of old, that is not known, is no error', 'module.exports = 1', 1, { verbose: true }],
  ]),
  ...gives(RELATIVE, [
    ['__filename is the name of the file', 'module.exports = __filename', '/data/script.js', {}, '/data/script.js'],
    ['__dirname is its directory', 'module.exports = __dirname', '/data', {}, '/data/script.js'],
    ['module.filename', 'module.exports = module.filename', '/data/script.js', {}, '/data/script.js'],
    ['module.id', 'module.exports = module.id', '/data/script.js', {}, '/data/script.js'],
    ['a file name by an option of run', 'module.exports = __filename', '/data/script.js', {}, { filename: '/data/script.js' }],
  ]),
  ...gives('types: NodeVM.run', [
    ['wrapper by an option of run', 'return 5', 5, {}, { wrapper: 'none' }],
    ['strict by an option of run', 'module.exports = (function () { return this === undefined })()', true, {}, { strict: true }],
    ['not strict by an option of run', 'module.exports = (function () { return this === undefined })()', false, { strict: true }, { strict: false }],
  ]),
  { name: 'NodeVM is an EventEmitter', source: TYPES, run: (vm2, assert) => assert.ok(new vm2.NodeVM() instanceof EventEmitter) },
  { name: 'NodeVM is a VM', source: TYPES, run(vm2, assert) {
    const vm = new vm2.NodeVM();
    for (const method of ['run', 'runFile', 'setGlobal', 'setGlobals', 'getGlobal', 'freeze', 'readonly', 'protect', 'require', 'on', 'once', 'emit', 'off']) assert.strictEqual(typeof vm[method], 'function', method);
  } },
  { name: 'NodeVM is instanceof VM', source: TYPES, run: (vm2, assert) => assert.ok(new vm2.NodeVM() instanceof vm2.VM) },
  { name: 'an event that the host emits is heard', source: TYPES, run(vm2, assert) {
    const vm = new vm2.NodeVM();
    let got = 0;
    vm.once('mine', (n) => (got = n));
    assert.strictEqual(vm.emit('mine', 4), true);
    assert.strictEqual(got, 4);
  } },
  { name: 'a function that is exported is called', source: NODEVM, run: (vm2, assert) => assert.strictEqual(new vm2.NodeVM().run('module.exports = function (who) { return "hello " + who }')('world'), 'hello world') },
  { name: 'a function that is exported calls back', source: NODEVM, run(vm2, assert) {
    let got;
    new vm2.NodeVM().run('module.exports = function (who, callback) { callback("hello " + who) }')('world', (text) => (got = text));
    assert.strictEqual(got, 'hello world');
  } },
  { name: 'functions that are exported share their state', source: NODEVM, run(vm2, assert) {
    const api = new vm2.NodeVM().run('let n = 0; exports.add = (m) => { n += m }; exports.get = () => n');
    api.add(2);
    api.add(3);
    assert.strictEqual(api.get(), 5);
  } },
  { name: 'each run has a module of its own', source: NODEVM, run(vm2, assert) {
    const vm = new vm2.NodeVM();
    vm.run('exports.a = 1; var mine = 1');
    assert.deepStrictEqual(vm.run('exports.b = typeof mine'), { b: 'undefined' });
  } },
  { name: 'globals stay from run to run', source: NODEVM, run(vm2, assert) {
    const vm = new vm2.NodeVM();
    vm.run('global.kept = 4');
    assert.strictEqual(vm.run('module.exports = kept'), 4);
  } },
  { name: 'setGlobal', source: 'types: NodeVM.setGlobal', run: (vm2, assert) => assert.strictEqual(new vm2.NodeVM().setGlobal('a', 3).run('module.exports = a'), 3) },
  { name: 'setGlobals', source: 'types: NodeVM.setGlobals', run: (vm2, assert) => assert.strictEqual(new vm2.NodeVM().setGlobals({ a: 3, b: 4 }).run('module.exports = a + b'), 7) },
  { name: 'getGlobal', source: 'types: NodeVM.getGlobal', run(vm2, assert) {
    const vm = new vm2.NodeVM();
    vm.run('global.a = { b: 1 }');
    assert.strictEqual(vm.getGlobal('a').b, 1);
  } },
  { name: 'sandbox is the global object', source: 'types: NodeVM.sandbox', run(vm2, assert) {
    const vm = new vm2.NodeVM();
    vm.run('global.a = 6');
    assert.strictEqual(vm.sandbox.a, 6);
    vm.sandbox.b = 7;
    assert.strictEqual(vm.run('module.exports = b'), 7);
  } },
  { name: 'resolver is there', source: 'types: NodeVM.resolver', run: (vm2, assert) => assert.strictEqual(typeof new vm2.NodeVM().resolver, 'object') },
  { name: 'a sandbox that is no object is refused', source: 'types: NodeVMOptions.sandbox', run: (vm2, assert) => assert.throws(() => new vm2.NodeVM({ sandbox: 'text' }), (e) => e instanceof vm2.VMError && /Sandbox must be/.test(e.message)) },
  { name: 'argv is the very array', source: 'types: NodeVMOptions.argv', differs: differs.shared, run(vm2, assert) {
    const argv = ['a'];
    new vm2.NodeVM({ argv }).run('process.argv.push("b")');
    assert.deepStrictEqual(argv, ['a', 'b']);
  } },
  { name: 'env is the very object', source: 'types: NodeVMOptions.env', differs: differs.shared, run(vm2, assert) {
    const env = {};
    new vm2.NodeVM({ env }).run('process.env.MINE = "x"');
    assert.deepStrictEqual(env, { MINE: 'x' });
  } },
  { name: 'the code writes into its environment', source: 'types: NodeVMOptions.env', run: (vm2, assert) => assert.strictEqual(new vm2.NodeVM({ env: { A: '1' } }).run('process.env.A = "2"; module.exports = process.env.A'), '2') },
  { name: 'the environment of the host stays as it was', source: NODEVM, run(vm2, assert) {
    new vm2.NodeVM().run('process.env.OF_THE_CODE = "x"');
    assert.strictEqual(process.env.OF_THE_CODE, undefined);
  } },
  { name: 'runFile runs a file', source: 'types: NodeVM.runFile', run: (vm2, assert, place) => assert.strictEqual(new vm2.NodeVM().runFile(path.join(write(place, { 'a.js': 'module.exports = 4' }), 'a.js')), 4) },
  { name: 'runFile knows its directory', source: 'types: NodeVM.runFile', run: (vm2, assert, place) => assert.strictEqual(new vm2.NodeVM().runFile(path.join(write(place, { 'a.js': 'module.exports = __dirname' }), 'a.js')), place) },
  { name: 'NodeVM.code runs code', source: 'types: NodeVM.code', run: (vm2, assert) => assert.strictEqual(vm2.NodeVM.code('module.exports = 5'), 5) },
  { name: 'NodeVM.code with a file name', source: 'types: NodeVM.code', run: (vm2, assert) => assert.strictEqual(vm2.NodeVM.code('module.exports = __filename', '/data/a.js'), '/data/a.js') },
  { name: 'NodeVM.code with a file name and options', source: 'types: NodeVM.code', run: (vm2, assert) => assert.strictEqual(vm2.NodeVM.code('return a', '/data/a.js', { wrapper: 'none', sandbox: { a: 3 } }), 3) },
  { name: 'NodeVM.code with options alone', source: 'types: NodeVM.code', run: (vm2, assert) => assert.strictEqual(vm2.NodeVM.code('return a', { wrapper: 'none', sandbox: { a: 3 } }), 3) },
  { name: 'NodeVM.code refuses a number for a file name', source: 'types: NodeVM.code', run: (vm2, assert) => assert.throws(() => vm2.NodeVM.code('1', 5), vm2.VMError) },
  { name: 'NodeVM.file runs a file', source: 'types: NodeVM.file', run: (vm2, assert, place) => assert.strictEqual(vm2.NodeVM.file(path.join(write(place, { 'a.js': 'module.exports = 4' }), 'a.js')), 4) },
  { name: 'NodeVM.file knows its file', source: 'types: NodeVM.file', run: (vm2, assert, place) => assert.strictEqual(vm2.NodeVM.file(path.join(write(place, { 'a.js': 'module.exports = __filename' }), 'a.js')), path.join(place, 'a.js')) },
  { name: 'NodeVM.file with options', source: 'types: NodeVM.file', run: (vm2, assert, place) => assert.strictEqual(vm2.NodeVM.file(path.join(write(place, { 'a.js': 'return a' }), 'a.js'), { wrapper: 'none', sandbox: { a: 3 } }), 3) },
  { name: 'NodeVM.file refuses what is not there', source: 'types: NodeVM.file', run: (vm2, assert, place) => assert.throws(() => vm2.NodeVM.file(path.join(place, 'none.js')), (e) => e instanceof vm2.VMError && /not found/.test(e.message)) },
  { name: 'NodeVM.file refuses a directory', source: 'types: NodeVM.file', run: (vm2, assert, place) => assert.throws(() => vm2.NodeVM.file(place), (e) => e instanceof vm2.VMError && /must be file/.test(e.message)) },
  { name: 'an error of the code is thrown', source: NODEVM, run: (vm2, assert) => assert.throws(() => new vm2.NodeVM().run('null.x'), TypeError) },
  { name: 'a NodeVM is of use after an error', source: NODEVM, run(vm2, assert) {
    const vm = new vm2.NodeVM();
    thrown(() => vm.run('throw new Error("x")'));
    assert.strictEqual(vm.run('module.exports = 1'), 1);
  } },
  { name: 'many NodeVMs live side by side', source: NODEVM, run(vm2, assert) {
    const vms = [1, 2, 3].map((n) => new vm2.NodeVM({ sandbox: { n } }));
    assert.deepStrictEqual(vms.map((vm) => vm.run('module.exports = n * 2')), [2, 4, 6]);
  } },
  { name: 'the host is given a class that was exported', source: NODEVM, run(vm2, assert) {
    const A = new vm2.NodeVM().run('module.exports = class A { constructor(x) { this.x = x } }');
    assert.strictEqual(new A(5).x, 5);
  } },
  { name: 'events of an emitter of the code reach the host', source: NODEVM, run(vm2, assert) {
    const got = [], api = new vm2.NodeVM({ require: { builtin: ['events'] } }).run('const E = require("events"); const e = new E(); exports.on = (f) => e.on("x", f); exports.go = () => e.emit("x", 5)');
    api.on((n) => got.push(n));
    api.go();
    assert.deepStrictEqual(got, [5]);
  } },
];
