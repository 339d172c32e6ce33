// The console of NodeVM.
'use strict';
const { event, program } = require('./support.js');

const CONSOLE = 'README: NodeVM (console)', TYPES = 'types: NodeVMOptions.console';
const METHODS = ['log', 'info', 'warn', 'error', 'dir', 'trace', 'debug'];
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What it tells while it runs that code: a list of [event, arguments]. */
async function told(vm2, code, options = {}) {
  const list = [], vm = new vm2.NodeVM({ console: 'redirect', ...options });
  for (const method of METHODS) vm.on(`console.${method}`, (...args) => list.push([method, args]));
  vm.run(code);
  await later(20);
  return list;
}

// Arguments, and what the listener is given.
const args = [
  ['a text', '"a"', ['a']], ['several', '"a", 1, true', ['a', 1, true]], ['nothing', '', []], ['null and undefined', 'null, undefined', [null, undefined]], ['a format, as it is', '"%s is %d", "x", 5', ['%s is %d', 'x', 5]], ['an object', '{ a: { b: 1 } }', [{ a: { b: 1 } }]],
  ['an array', '[1, [2]]', [[1, [2]]]],
];

module.exports = [
  ...['log', 'info', 'warn', 'error'].map((method) => ({
    name: `redirect tells of console.${method}`, source: CONSOLE,
    run: async (vm2, assert) => assert.deepStrictEqual(await told(vm2, `console.${method}("x", 1)`), [[method, ['x', 1]]]),
  })),
  ...args.map(([name, code, gives]) => ({
    name: `redirect gives ${name}`, source: CONSOLE,
    run: async (vm2, assert) => assert.deepStrictEqual((await told(vm2, `console.log(${code})`)).map(([, it]) => Array.from(it)), [gives]),
  })),
  { name: 'redirect tells of console.dir', source: CONSOLE, async run(vm2, assert) {
    const [[method, [it]]] = await told(vm2, 'console.dir({ a: 1 })');
    assert.strictEqual(method, 'dir');
    assert.strictEqual(it.a, 1);
  } },
  { name: 'redirect tells of console.trace', source: CONSOLE, async run(vm2, assert) {
    const vm = new vm2.NodeVM({ console: 'redirect' }), trace = event(vm, 'console.trace');
    vm.run('console.trace("here")');
    assert.match(String((await trace)[0]), /here/);
  } },
  { name: 'redirect gives an error', source: CONSOLE, async run(vm2, assert) {
    const [[, [it]]] = await told(vm2, 'console.error(new TypeError("no"))');
    assert.strictEqual(it.message, 'no');
    assert.ok(it instanceof Error);
  } },
  { name: 'redirect gives a function', source: CONSOLE, async run(vm2, assert) {
    const [[, [it]]] = await told(vm2, 'console.log((a) => a + 1)');
    assert.strictEqual(it(1), 2);
  } },
  { name: 'redirect tells in order', source: CONSOLE, async run(vm2, assert) {
    assert.deepStrictEqual((await told(vm2, 'console.log(1); console.error(2); console.log(3)')).map(([, [n]]) => n), [1, 2, 3]);
  } },
  { name: 'redirect tells before run returns', source: CONSOLE, run(vm2, assert) {
    const got = [], vm = new vm2.NodeVM({ console: 'redirect' });
    vm.on('console.log', (text) => got.push(text));
    vm.run('console.log("a")');
    assert.deepStrictEqual(got, ['a']);
  } },
  { name: 'redirect without a listener is quiet', source: CONSOLE, run(vm2, assert, place) {
    assert.deepStrictEqual(program(place, "new vm2.NodeVM({ console: 'redirect' }).run('console.log(1); console.error(2)')"), { out: '', err: '', status: 0 });
  } },
  { name: 'redirect tells from a timer', source: CONSOLE, async run(vm2, assert) {
    const vm = new vm2.NodeVM({ console: 'redirect' }), log = event(vm, 'console.log');
    vm.run('setTimeout(() => console.log("late"), 2)');
    assert.deepStrictEqual(await log, ['late']);
  } },
  { name: 'redirect tells from a function that the host calls', source: CONSOLE, async run(vm2, assert) {
    const vm = new vm2.NodeVM({ console: 'redirect' }), log = event(vm, 'console.log');
    vm.run('module.exports = (who) => console.log("hello " + who)')('world');
    assert.deepStrictEqual(await log, ['hello world']);
  } },
  { name: 'redirect tells each listener', source: CONSOLE, async run(vm2, assert) {
    const got = [], vm = new vm2.NodeVM({ console: 'redirect' });
    vm.on('console.log', (text) => got.push(`1${text}`)).on('console.log', (text) => got.push(`2${text}`));
    vm.run('console.log("a")');
    await later(20);
    assert.deepStrictEqual(got, ['1a', '2a']);
  } },
  { name: 'two VMs tell their own listeners', source: CONSOLE, async run(vm2, assert) {
    const got = [];
    for (const name of ['a', 'b']) new vm2.NodeVM({ console: 'redirect', sandbox: { name } }).on('console.log', (text) => got.push(name + text)).run('console.log(name)');
    await later(30);
    assert.deepStrictEqual(got.sort(), ['aa', 'bb']);
  } },
  { name: 'inherit writes to the standard output', source: CONSOLE, run: (vm2, assert, place) => assert.strictEqual(program(place, "new vm2.NodeVM({ console: 'inherit' }).run('console.log(\"hello\", 5)')").out, 'hello 5\n') },
  { name: 'inherit is the default', source: TYPES, run: (vm2, assert, place) => assert.strictEqual(program(place, "new vm2.NodeVM().run('console.log(\"hello\")')").out, 'hello\n') },
  { name: 'inherit writes errors to the standard error', source: CONSOLE, run(vm2, assert, place) {
    const { out, err } = program(place, "new vm2.NodeVM().run('console.error(\"bad\"); console.warn(\"odd\")')");
    assert.deepStrictEqual([out, err], ['', 'bad\nodd\n']);
  } },
  { name: 'inherit formats', source: CONSOLE, run: (vm2, assert, place) => assert.strictEqual(program(place, "new vm2.NodeVM().run('console.log(\"%s has %d\", \"a\", 3)')").out, 'a has 3\n') },
  { name: 'inherit shows an object', source: CONSOLE, run: (vm2, assert, place) => assert.match(program(place, "new vm2.NodeVM().run('console.log({ a: 1 })')").out, /\{ a: 1 \}/) },
  { name: 'inherit keeps the order with what the host writes', source: CONSOLE, run: (vm2, assert, place) => assert.strictEqual(program(place, "console.log('1'); new vm2.NodeVM().run('console.log(\"2\")'); console.log('3');").out, '1\n2\n3\n') },
  { name: 'off is quiet', source: CONSOLE, run: (vm2, assert, place) => assert.deepStrictEqual(program(place, "new vm2.NodeVM({ console: 'off' }).run('console.log(1); console.error(2)')"), { out: '', err: '', status: 0 }) },
  { name: 'off tells of nothing', source: CONSOLE, run: async (vm2, assert) => assert.deepStrictEqual(await told(vm2, 'console.log(1)', { console: 'off' }), []) },
  { name: 'a console in the sandbox is used', source: CONSOLE, run(vm2, assert) {
    const got = [];
    new vm2.NodeVM({ sandbox: { console: { log: (text) => got.push(text) } } }).run('console.log("mine")');
    assert.deepStrictEqual(got, ['mine']);
  } },
];
