// Promises, async functions, generators and timers, in both directions.
'use strict';
const { differs, event, thrown } = require('./support.js');

const BOTH = 'README: Features (exchange data and callbacks)', ALLOW = 'types: VMOptions.allowAsync', NODEVM = 'README: NodeVM';
const rejected = (promise) => promise.then(() => Promise.reject(new Error('it is not rejected')), (problem) => problem);

// Code that gives a promise, and what it comes to.
const promises = [
  ['a promise', 'Promise.resolve(5)', 5], ['an async function', '(async () => 6)()', 6], ['an async function that awaits', '(async () => { await null; return 7 })()', 7], ['an async function that awaits in a loop', '(async () => { let n = 0; for (let i = 0; i < 5; i++) n += await i; return n })()', 10],
  ['then', 'Promise.resolve(1).then((n) => n + 1).then((n) => n * 10)', 20], ['Promise.all', 'Promise.all([1, Promise.resolve(2), (async () => 3)()])', [1, 2, 3]], ['Promise.race', 'Promise.race([new Promise(() => {}), Promise.resolve("first")])', 'first'],
  ['Promise.any', 'Promise.any([Promise.reject(1), Promise.resolve(2)])', 2], ['Promise.allSettled', 'Promise.allSettled([Promise.reject(1), 2]).then((list) => list.map((it) => it.status))', ['rejected', 'fulfilled']], ['catch', 'Promise.reject(new Error("x")).catch((e) => e.message)', 'x'],
  ['finally', 'Promise.resolve(1).finally(() => 2)', 1], ['a promise of an object', 'Promise.resolve({ a: [1, { b: 2 }] })', { a: [1, { b: 2 }] }], ['a promise of a promise', 'new Promise((r) => r(Promise.resolve(3)))', 3], ['a thenable that is awaited', '(async () => await { then: (f) => f(4) })()', 4],
  ['an async generator', '(async () => { const l = []; for await (const n of (async function* () { yield 1; yield 2 })()) l.push(n); return l })()', [1, 2]], ['an async method', '({ async m() { return this.n }, n: 5 }).m()', 5], ['a promise of nothing', 'Promise.resolve()', undefined],
  ['a new Promise', 'new Promise((resolve) => resolve("a"))', 'a'],
];

module.exports = [
  ...promises.map(([name, code, gives]) => ({ name: `${name} is awaited by the host`, source: BOTH, run: async (vm2, assert) => assert.deepStrictEqual(await new vm2.VM().run(code), gives) })),
  { name: 'a promise of the code is instanceof Promise', source: BOTH, run: (vm2, assert) => assert.ok(new vm2.VM().run('Promise.resolve(1)') instanceof Promise) },
  { name: 'a promise of the code has then and catch', source: BOTH, run: async (vm2, assert) => assert.strictEqual(await new vm2.VM().run('Promise.reject(3)').then(() => 0).catch((n) => n + 1), 4) },
  { name: 'a promise of the code that is rejected', source: BOTH, async run(vm2, assert) {
    const problem = await rejected(new vm2.VM().run('Promise.reject(new TypeError("no"))'));
    assert.ok(problem instanceof TypeError);
    assert.strictEqual(problem.message, 'no');
  } },
  { name: 'an async function of the code that throws', source: BOTH, async run(vm2, assert) {
    const problem = await rejected(new vm2.VM().run('(async () => { await null; throw new RangeError("late") })()'));
    assert.ok(problem instanceof RangeError);
    assert.strictEqual(problem.message, 'late');
  } },
  { name: 'a promise of the code that is rejected with a text', source: BOTH, run: async (vm2, assert) => assert.strictEqual(await rejected(new vm2.VM().run('Promise.reject("why")')), 'why') },
  { name: 'an async function is called by the host', source: BOTH, run: async (vm2, assert) => assert.strictEqual(await new vm2.VM().run('(async (a) => a + 1)')(1), 2) },
  { name: 'an async function is called many times', source: BOTH, async run(vm2, assert) {
    const f = new vm2.VM().run('async (n) => { await null; return n * 2 }');
    assert.deepStrictEqual(await Promise.all([1, 2, 3, 4].map((n) => f(n))), [2, 4, 6, 8]);
  } },
  { name: 'a promise of the host is awaited by the code', source: BOTH, run: async (vm2, assert) => assert.strictEqual(await new vm2.VM({ sandbox: { p: Promise.resolve(5) } }).run('(async () => await p + 1)()'), 6) },
  { name: 'a promise that the host settles later is awaited by the code', source: BOTH, async run(vm2, assert) {
    const vm = new vm2.VM({ sandbox: { later: () => new Promise((resolve) => setTimeout(resolve, 20, 'late')) } });
    assert.strictEqual(await vm.run('(async () => (await later()) + "!")()'), 'late!');
  } },
  { name: 'an async function of the host is awaited by the code', source: BOTH, run: async (vm2, assert) => assert.strictEqual(await new vm2.VM({ sandbox: { f: async (n) => n * 3 } }).run('f(2).then((n) => n + 1)'), 7) },
  { name: 'several promises of the host are awaited by the code', source: BOTH, async run(vm2, assert) {
    const vm = new vm2.VM({ sandbox: { get: (n) => new Promise((resolve) => setTimeout(resolve, 30 - 10 * n, n)) } });
    assert.deepStrictEqual(Array.from(await vm.run('Promise.all([get(0), get(1), get(2)])')), [0, 1, 2]);
  } },
  { name: 'a promise of the host that is rejected is caught by the code', source: BOTH, async run(vm2, assert) {
    const vm = new vm2.VM({ sandbox: { f: async () => { throw new TypeError('of the host'); } } });
    assert.strictEqual(await vm.run('(async () => { try { await f() } catch (e) { return [e instanceof TypeError, e.message].join() } })()'), 'true,of the host');
  } },
  { name: 'a promise of the host that is rejected passes through the code', source: BOTH, async run(vm2, assert) {
    const vm = new vm2.VM({ sandbox: { f: async () => { throw new RangeError('of the host'); } } });
    const problem = await rejected(vm.run('(async () => { await f() })()'));
    assert.ok(problem instanceof RangeError);
    assert.strictEqual(problem.message, 'of the host');
  } },
  { name: 'a promise of the host is instanceof Promise in the code', source: BOTH, run: (vm2, assert) => assert.strictEqual(new vm2.VM({ sandbox: { p: Promise.resolve() } }).run('p instanceof Promise'), true) },
  { name: 'promises of the host in a loop of the code', source: BOTH, async run(vm2, assert) {
    const vm = new vm2.VM({ sandbox: { get: async (n) => n } });
    assert.strictEqual(await vm.run('(async () => { let sum = 0; for (let i = 0; i < 20; i++) sum += await get(i); return sum })()'), 190);
  } },
  { name: 'a callback is called after an await', source: BOTH, async run(vm2, assert) {
    const got = [], vm = new vm2.VM({ sandbox: { tell: (text) => got.push(text) } });
    await vm.run('(async () => { tell("a"); await null; tell("b") })()');
    assert.deepStrictEqual(got, ['a', 'b']);
  } },
  { name: 'an async callback of the host', source: BOTH, run: async (vm2, assert) => assert.strictEqual(await new vm2.VM().run('async (f) => (await f(1)) + (await f(2))')(async (n) => n * 10), 30) },
  { name: 'functions in the result of a promise are called', source: BOTH, async run(vm2, assert) {
    const api = await new vm2.VM().run('(async () => ({ add: (a, b) => a + b }))()');
    assert.strictEqual(api.add(1, 2), 3);
  } },
  { name: 'reactions of the code run before run returns', source: BOTH, lacks: 'it depends on the release', run(vm2, assert) {
    const got = [], vm = new vm2.VM({ sandbox: { tell: (text) => got.push(text) } });
    vm.run('Promise.resolve().then(() => tell("b")); tell("a")');
    return new Promise((resolve) => setTimeout(resolve, 5)).then(() => assert.deepStrictEqual(got, ['a', 'b']));
  } },
  { name: 'reactions of both sides have a common order', source: BOTH, differs: differs.order, async run(vm2, assert) {
    const got = [], vm = new vm2.VM({ sandbox: { tell: (text) => got.push(text) } });
    Promise.resolve().then(() => got.push('host 1'));
    vm.run('Promise.resolve().then(() => tell("code"))');
    Promise.resolve().then(() => got.push('host 2'));
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepStrictEqual(got, ['host 1', 'code', 'host 2']);
  } },
  { name: 'a VM with a timeout runs async functions', source: 'types: VMOptions.timeout', run: async (vm2, assert) => assert.strictEqual(await new vm2.VM({ timeout: 1000 }).run('(async () => { await null; return 1 })()'), 1) },
  { name: 'a timeout leaves a promise that waits for the host alone', source: 'types: VMOptions.timeout', async run(vm2, assert) {
    const vm = new vm2.VM({ timeout: 50, sandbox: { later: () => new Promise((resolve) => setTimeout(resolve, 150, 'late')) } });
    assert.strictEqual(await vm.run('(async () => await later())()'), 'late');
  } },
  { name: 'an async generator is iterated by the host', source: BOTH, differs: differs.generator, async run(vm2, assert) {
    const list = [];
    for await (const n of new vm2.VM().run('(async function* () { yield 1; yield 2 })()')) list.push(n);
    assert.deepStrictEqual(list, [1, 2]);
  } },

  // Without async.
  ...['allowAsync: false', 'fixAsync: true'].flatMap((option) => {
    const options = option === 'allowAsync: false' ? { allowAsync: false } : { fixAsync: true };
    return [
      ['an async function', 'async function f() {}'], ['an async arrow function', 'async () => {}'], ['an async method', '({ async m() {} })'], ['an async generator', 'async function* g() {}'], ['await in an async function', '(async () => { await 1 })()'],
    ].map(([name, code]) => ({ name: `option ${option} refuses ${name}`, source: option.startsWith('allow') ? ALLOW : 'types: VMOptions.fixAsync', run: (vm2, assert) => assert.throws(() => new vm2.VM(options).run(code), (e) => e instanceof vm2.VMError && /Async not available/.test(e.message)) }));
  }),
  { name: 'option allowAsync: false refuses then', source: ALLOW, run: (vm2, assert) => assert.throws(() => new vm2.VM({ allowAsync: false }).run('Promise.resolve().then(() => 1)'), /Async not available/) },
  { name: 'option allowAsync: false runs other code', source: ALLOW, run: (vm2, assert) => assert.strictEqual(new vm2.VM({ allowAsync: false }).run('const async = 1; async + 1'), 2) },
  { name: 'option allowAsync: false leaves generators alone', source: ALLOW, run: (vm2, assert) => assert.strictEqual(new vm2.VM({ allowAsync: false }).run('[...(function* () { yield 1 })()].length'), 1) },
  { name: 'option allowAsync: false refuses a script', source: ALLOW, run: (vm2, assert) => assert.throws(() => new vm2.VM({ allowAsync: false }).run(new vm2.VMScript('async () => 1')), /Async not available/) },
  { name: 'option allowAsync: false refuses what eval makes', source: ALLOW, differs: 'Asynchronous code that other code makes of a text is refused when its promise is used, and not when it is made.', run: (vm2, assert) => assert.throws(() => new vm2.VM({ allowAsync: false }).run('new Function("return async () => 1")()'), /Async not available/) },
  { name: 'option allowAsync: true is the default', source: ALLOW, run: async (vm2, assert) => assert.strictEqual(await new vm2.VM({ allowAsync: true }).run('(async () => 1)()'), 1) },
  { name: 'option fixAsync: false changes nothing', source: 'types: VMOptions.fixAsync', run: async (vm2, assert) => assert.strictEqual(await new vm2.VM({ fixAsync: false }).run('(async () => 1)()'), 1) },
  { name: 'option fixAsync with allowAsync: the old name alone is enough', source: 'types: VMOptions.fixAsync', run: (vm2, assert) => assert.match(thrown(() => new vm2.VM({ fixAsync: true, allowAsync: true }).run('async () => 1')).message, /Async not available/) },

  // Timers of NodeVM.
  ...[['setTimeout', 'setTimeout(done, 5, "a")'], ['setImmediate', 'setImmediate(done, "a")'], ['setInterval', 'const t = setInterval(() => { clearInterval(t); done("a") }, 2)']].map(([name, code]) => ({
    name: `NodeVM has ${name}`, source: NODEVM,
    run: (vm2, assert) => new Promise((resolve) => new vm2.NodeVM({ sandbox: { done: resolve } }).run(code)).then((got) => assert.strictEqual(got, 'a')),
  })),
  ...[['clearTimeout', 'clearTimeout(setTimeout(bad, 5))'], ['clearInterval', 'clearInterval(setInterval(bad, 5))'], ['clearImmediate', 'clearImmediate(setImmediate(bad))']].map(([name, code]) => ({
    name: `NodeVM has ${name}`, source: NODEVM,
    run: (vm2) => new Promise((resolve, reject) => new vm2.NodeVM({ sandbox: { bad: () => reject(new Error('it ran')), done: resolve } }).run(`${code}; setTimeout(done, 25)`)),
  })),
  { name: 'a timer of NodeVM after which it is of use', source: NODEVM, async run(vm2, assert) {
    const got = [], vm = new vm2.NodeVM({ sandbox: { tell: (text) => got.push(text) } });
    vm.run('setTimeout(() => tell("late"), 5); tell("now")');
    await new Promise((resolve) => setTimeout(resolve, 60));
    vm.run('tell("again")');
    assert.deepStrictEqual(got, ['now', 'late', 'again']);
  } },
  { name: 'timers of NodeVM come in their order', source: NODEVM, async run(vm2, assert) {
    const got = [];
    await new Promise((resolve) => new vm2.NodeVM({ sandbox: { tell: (text) => got.push(text), done: resolve } }).run('setTimeout(() => tell("c"), 30); setTimeout(() => tell("b"), 15); tell("a"); setTimeout(done, 50)'));
    assert.deepStrictEqual(got, ['a', 'b', 'c']);
  } },
  { name: 'a promise of a timer of NodeVM is awaited by the host', source: NODEVM, run: async (vm2, assert) => assert.strictEqual(await new vm2.NodeVM().run('module.exports = new Promise((r) => setTimeout(r, 10, "x"))'), 'x') },
  { name: 'NodeVM has process.nextTick', source: NODEVM, run: (vm2, assert) => new Promise((resolve) => new vm2.NodeVM({ sandbox: { done: resolve } }).run('process.nextTick(done, 3)')).then((n) => assert.strictEqual(n, 3)) },
  { name: 'an async function that NodeVM exports', source: NODEVM, run: async (vm2, assert) => assert.strictEqual(await new vm2.NodeVM().run('module.exports = async (a) => { await null; return a + 1 }')(4), 5) },
  ...[['at once', 'async (n) => n'], ['later', '(n) => new Promise((resolve) => setTimeout(resolve, 5, n))']].flatMap(([when, load]) => [['one after the other', 'for (let i = 0; i < 5; i++) sum += await load(i)'], ['with a timer between', 'sum += await load(4); await new Promise((r) => setTimeout(r, 2)); sum += await load(6)']].map(([name, code]) => ({
    name: `NodeVM awaits promises of the host that are settled ${when}, ${name}`, source: BOTH,
    async run(vm2, assert) {
      const f = new vm2.NodeVM({ sandbox: { load: new Function(`return ${load}`)() } }).run(`module.exports = async () => { let sum = 0; ${code}; return sum }`);
      for (let i = 0; i < 3; i++) assert.strictEqual(await f(), 10);
    },
  }))),
  { name: 'an event of NodeVM by a function of the host', source: NODEVM, async run(vm2, assert) {
    const { EventEmitter } = require('events'), bus = new EventEmitter(), vm = new vm2.NodeVM({ sandbox: { emit: (name, value) => bus.emit(name, value) } }), told = event(bus, 'ready');
    vm.run('setTimeout(() => emit("ready", 5), 2)');
    assert.deepStrictEqual(await told, [5]);
  } },
];
