// What programs that use vm2 usually do.
'use strict';
const path = require('path');
const { EventEmitter } = require('events');
const { write, thrown, program, event, differs } = require('./support.js');

const EXAMPLES = 'README: Quick Examples', VM = 'README: VM', CROSS = 'README: Cross-sandbox relationships', NODEVM = 'README: NodeVM';

// Things of the host that a sandbox is often given, and what the code does with them.
const given = [
  ['console', () => console, 'typeof console.log + typeof console.error', 'functionfunction'], ['console, and calls it', () => ({ log() {}, error() {}, warn() {} }), 'given.log("x"); given.warn("y"); 1', 1],
  ['Math', () => Math, 'given.max(1, 2)', 2], ['JSON', () => JSON, 'given.stringify({ a: 1 })', '{"a":1}'], ['Date', () => Date, 'typeof given.now()', 'number'], ['Date, and makes one', () => Date, 'new given(5).getTime()', 5],
  ['Buffer', () => Buffer, 'given.from("a").toString("hex")', '61'], ['setTimeout', () => setTimeout, 'typeof given', 'function'], ['Promise', () => Promise, 'given.resolve(1) instanceof Promise', true], ['RegExp', () => RegExp, 'new given("a").test("a")', true],
  ['Array', () => Array, 'given.isArray([])', true], ['Object', () => Object, 'given.keys({ a: 1 }).join()', 'a'], ['URL', () => URL, 'new given("http://a.b/c").pathname', '/c', 'hostInstance'], ['URLSearchParams', () => URLSearchParams, 'new given("a=1").get("a")', '1', 'hostInstance'],
  ['TextEncoder', () => TextEncoder, 'new given().encode("a")[0]', 97, 'hostInstance'], ['require("path")', () => path, 'given.join("a", "b")', 'a/b'], ['require("url")', () => require('url'), 'given.parse("http://a.b/c").pathname', '/c', 'hostInstance'], ['require("util")', () => require('util'), 'given.format("%s", 1)', '1'],
  ['require("crypto")', () => require('crypto'), 'typeof given.randomUUID()', 'string'], ['require("querystring")', () => require('querystring'), 'given.parse("a=1").a', '1'], ['an emitter', () => new EventEmitter(), 'typeof given.on', 'function', 'hostInstance'],
  ['process.env', () => ({ ...process.env, MINE: 'x' }), 'given.MINE', 'x'], ['an array of objects', () => [{ n: 1 }, { n: 2 }], 'given.reduce((sum, it) => sum + it.n, 0)', 3], ['a request', () => ({ method: 'GET', headers: { a: '1' }, query: new Map([['q', 'x']]) }), 'given.method + given.headers.a + given.query.get("q")', 'GET1x'],
  ['an object with a getter', () => ({ get now() { return 5; } }), 'given.now', 5], ['an object of Object.create', () => Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true } }), 'given.own', 2, 'prototype'], ['a library that is a function with members', () => Object.assign((n) => n * 2, { VERSION: '1', map: (list, f) => list.map(f) }), 'given(2) + given.map([1, 2], (n) => n + 1).join() + given.VERSION', '42,31'],
  ['an object with async functions', () => ({ get: async () => 1 }), 'given.get() instanceof Promise', true], ['a bound method', () => 'abc'.toUpperCase.bind('abc'), 'given()', 'ABC'], ['a class with a static member', () => class A { static get one() { return 1; } }, 'given.one', 1],
  ['null', () => null, 'given === null', true], ['a symbol in an object', () => ({ s: Symbol.for('x') }), 'given.s === Symbol.for("x")', true], ['an error in an object', () => ({ e: new Error('x') }), 'given.e.message', 'x'], ['a number in a box', () => Object(5), 'given + 1', 6], ['a typed array', () => new Float32Array([1.5]), 'given[0]', 1.5],
];

module.exports = [
  ...given.map(([name, make, code, gives, why]) => ({
    name: `the code is given ${name}`, source: CROSS, differs: differs[why],
    run(vm2, assert) {
      const it = make();
      assert.deepStrictEqual(new vm2.VM({ sandbox: name === 'console' ? { console: it } : { given: it } }).run(code), gives);
    },
  })),
  { name: 'the console of the host writes what the code says', source: CROSS, run: (vm2, assert, place) => assert.strictEqual(program(place, "new vm2.VM({ sandbox: { console } }).run('console.log(\"hello\", 5)')").out, 'hello 5\n') },
  { name: 'the console of the host, frozen', source: 'README: Read-only objects', run: (vm2, assert, place) => assert.strictEqual(program(place, "const vm = new vm2.VM(); vm.freeze(console, 'console'); vm.run('console.log(\"hello\")')").out, 'hello\n') },
  { name: 'timers of the host', source: VM, run: (vm2, assert) => new Promise((resolve) => new vm2.VM({ sandbox: { setTimeout, done: resolve } }).run('setTimeout(() => done("late"), 2)')).then((got) => assert.strictEqual(got, 'late')) },
  { name: 'a timer of the host that the code clears', source: VM, run: async (vm2, assert) => {
    let ran = false;
    new vm2.VM({ sandbox: { setTimeout, clearTimeout, bad: () => (ran = true) } }).run('clearTimeout(setTimeout(() => bad(), 2))');
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.strictEqual(ran, false);
  } },
  { name: 'an expression with variables', source: VM, run: (vm2, assert) => assert.strictEqual(new vm2.VM({ timeout: 1000, sandbox: { price: 10, n: 3 } }).run('price * n > 20 ? "large" : "small"'), 'large') },
  { name: 'an expression in brackets', source: VM, run: (vm2, assert) => assert.deepStrictEqual(new vm2.VM().run('({ a: 1 })'), { a: 1 }) },
  { name: 'a function as text that is called with data', source: VM, run: (vm2, assert) => assert.strictEqual(new vm2.VM({ sandbox: { data: { list: [1, 2, 3] } } }).run('(function (it) { return it.list.length })(data)'), 3) },
  { name: 'a function of the host as text', source: VM, run(vm2, assert) {
    const twice = (n) => n * 2;
    assert.strictEqual(new vm2.VM().run(`(${twice})(4)`), 8);
  } },
  { name: 'a result that is assigned to a global', source: 'types: VM.sandbox', run(vm2, assert) {
    const vm = new vm2.VM({ sandbox: { result: null } });
    vm.run('result = { ok: true }');
    assert.strictEqual(vm.sandbox.result.ok, true);
  } },
  { name: 'a member of an object of the sandbox that the code sets, by `sandbox`', source: 'types: VM.sandbox', run(vm2, assert) {
    const vm = new vm2.VM({ sandbox: { window: {} } });
    vm.run('window.data = { list: [1, 2] }');
    assert.strictEqual(vm.sandbox.window.data.list[1], 2);
  } },
  { name: 'a member of an object of the sandbox that the code sets, by the object', source: 'README: Read-only objects (without freeze)', differs: differs.writeBack, run(vm2, assert) {
    const window = {};
    new vm2.VM({ sandbox: { window } }).run('window.data = 5');
    assert.strictEqual(window.data, 5);
  } },
  { name: 'exports that the code fills', source: 'README: Read-only objects (without freeze)', differs: differs.writeBack, run(vm2, assert) {
    const module = { exports: {} };
    new vm2.VM({ sandbox: { module, exports: module.exports } }).run('module.exports = function () { return 1 }');
    assert.strictEqual(module.exports(), 1);
  } },
  { name: 'a plugin with functions', source: NODEVM, run(vm2, assert) {
    const plugin = new vm2.NodeVM({ console: 'off' }).run('module.exports = { name: "p", setup(api) { api.on("start", () => api.say("started")); }, version: 2 }');
    const said = [], bus = new EventEmitter();
    plugin.setup({ on: (name, f) => bus.on(name, () => f()), say: (text) => said.push(text) });
    bus.emit('start');
    assert.deepStrictEqual([plugin.name, plugin.version, said], ['p', 2, ['started']]);
  } },
  { name: 'a plugin that uses `this`', source: NODEVM, run: (vm2, assert) => assert.strictEqual(new vm2.NodeVM().run('module.exports = { prefix: ">", format(text) { return this.prefix + text } }').format('a'), '>a') },
  { name: 'a plugin that is a class', source: NODEVM, differs: differs.sandboxClass, run(vm2, assert) {
    const Plugin = new vm2.NodeVM().run('module.exports = class Plugin { constructor(o) { this.o = o } go() { return this.o.n + 1 } }');
    assert.strictEqual(new Plugin({ n: 1 }).go(), 2);
  } },
  { name: 'a plugin of async functions', source: NODEVM, run: async (vm2, assert) => assert.deepStrictEqual(await new vm2.NodeVM().run('exports.handle = async (request, api) => ({ status: 200, body: await api.load(request.id) })').handle({ id: 3 }, { load: async (id) => `item ${id}` }), { status: 200, body: 'item 3' }) },
  { name: 'a class as a compiled library', source: NODEVM, run: (vm2, assert) => assert.strictEqual(new vm2.NodeVM().run('"use strict";\nObject.defineProperty(exports, "__esModule", { value: true });\nexports.default = void 0;\nvar _default = exports.default = (a) => a + 1;').default(1), 2) },
  { name: 'a function that calls a compiled library of exports with getters', source: NODEVM, run: (vm2, assert) => assert.strictEqual(new vm2.NodeVM().run('Object.defineProperty(exports, "twice", { enumerable: true, get: function () { return (n) => n * 2 } });').twice(2), 4) },
  { name: 'code of a wrapper with a self-calling function', source: NODEVM, run: (vm2, assert) => assert.strictEqual(new vm2.NodeVM().run('(function (root, make) { module.exports = make() })(this, function () { return { v: 1 } })').v, 1) },
  { name: 'the output of the console is collected', source: 'README: NodeVM (console)', async run(vm2, assert) {
    const lines = [], vm = new vm2.NodeVM({ console: 'redirect' });
    for (const name of ['log', 'error']) vm.on(`console.${name}`, (...args) => lines.push(`${name}: ${args.join(' ')}`));
    vm.run('console.log("a", 1); console.error("b")');
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepStrictEqual(lines, ['log: a 1', 'error: b']);
  } },
  { name: 'a template of a page', source: VM, run: (vm2, assert) => assert.strictEqual(new vm2.VM({ sandbox: { items: ['a', 'b'], escape: (text) => `<${text}>` } }).run('items.map((it) => `<li>${escape(it)}</li>`).join("")'), '<li><a></li><li><b></li>') },
  { name: 'a script for many rows', source: 'README: VMScript', run(vm2, assert) {
    const script = new vm2.VMScript('row.a + row.b'), vm = new vm2.VM();
    assert.deepStrictEqual([{ a: 1, b: 2 }, { a: 3, b: 4 }].map((row) => vm.setGlobal('row', row).run(script)), [3, 7]);
  } },
  { name: 'a new VM for each of thirty pieces of code', source: VM, run(vm2, assert) {
    const got = [];
    for (let i = 0; i < 30; i++) got.push(new vm2.VM({ timeout: 1000, sandbox: { i } }).run('i * i'));
    assert.strictEqual(got[29], 841);
  } },
  { name: 'a new NodeVM for each of twenty pieces of code', source: NODEVM, run(vm2, assert) {
    const got = [];
    for (let i = 0; i < 20; i++) got.push(new vm2.NodeVM({ sandbox: { i } }).run('module.exports = i * i'));
    assert.strictEqual(got[19], 361);
  } },
  { name: 'proxy configuration: a function of text with helpers', source: VM, run(vm2, assert) {
    const asked = [], vm = new vm2.VM({ sandbox: { isPlainHostName: (host) => !host.includes('.'), dnsDomainIs: (host, domain) => (asked.push(host), host.endsWith(domain)) } });
    const find = vm.run('function FindProxyForURL(url, host) { if (isPlainHostName(host)) return "DIRECT"; if (dnsDomainIs(host, ".a.b")) return "PROXY p:1"; return "DIRECT" } FindProxyForURL');
    assert.deepStrictEqual([find('http://x/', 'x'), find('http://c.a.b/', 'c.a.b'), asked], ['DIRECT', 'PROXY p:1', ['c.a.b']]);
  } },
  { name: 'a test of code: assertions of the host', source: VM, run(vm2, assert) {
    const vm = new vm2.VM({ sandbox: { assert } });
    vm.run('assert.strictEqual(1, 1); assert(true)');
    const problem = thrown(() => vm.run('assert.strictEqual(1, 2)'));
    assert.strictEqual(problem.name, 'AssertionError');
    assert.strictEqual(problem.code, 'ERR_ASSERTION');
  } },
  { name: 'deep equality of a result, by the assertions of the host', source: VM, run: (vm2, assert) => assert.deepEqual(new vm2.VM().run('[{ a: 1 }, [2]]'), [{ a: 1 }, [2]]) },
  { name: 'an instance of an emitter, given to the code', source: CROSS, differs: differs.hostInstance, async run(vm2, assert) {
    const bus = new EventEmitter(), told = event(bus, 'pong');
    new vm2.VM({ sandbox: { bus } }).run('bus.on("ping", (n) => bus.emit("pong", n + 1))');
    bus.emit('ping', 1);
    assert.deepStrictEqual(await told, [2]);
  } },
  { name: 'a connection: an instance with async methods', source: CROSS, differs: differs.hostInstance, run: async (vm2, assert) => {
    class Db { constructor() { this.rows = [1, 2]; } async all() { return this.rows; } }
    assert.strictEqual((await new vm2.VM({ sandbox: { db: new Db() } }).run('(async () => (await db.all()).length)()')), 2);
  } },
  { name: 'packages in a directory, with mocks and a console', source: NODEVM, async run(vm2, assert, place) {
    write(place, { 'node_modules/lib/index.js': 'const fs = require("fs"); module.exports = (n) => fs.readFileSync("x") + n;' });
    const vm = new vm2.NodeVM({ console: 'redirect', sandbox: { seed: 4 }, require: { external: ['lib'], builtin: ['path'], root: place, context: 'sandbox', mock: { fs: { readFileSync: () => 'mock' } } } }), log = event(vm, 'console.log');
    vm.run('console.log(require("lib")(seed), require("path").basename("/a/b"))', path.join(place, 'x.js'));
    assert.deepStrictEqual(await log, ['mock4', 'b']);
  } },
  { name: 'process.exit in a VM', source: EXAMPLES, run: (vm2, assert) => assert.throws(() => new vm2.VM().run('process.exit()'), (e) => /ReferenceError|TypeError/.test(e.name)) },
];
