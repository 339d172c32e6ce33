// Functions both ways: callbacks, `this`, arguments, results.
'use strict';
const { differs } = require('./support.js');

const BOTH = 'README: Features (call methods and exchange data and callbacks)', NODEVM = 'README: NodeVM (functions in the sandbox)';

// A function of the host with these arguments and that result, each as the other side sees it.
const args = [
  ['a number', '1', (it) => it === 1], ['a text', '"a"', (it) => it === 'a'], ['undefined', 'undefined', (it) => it === undefined], ['null', 'null', (it) => it === null], ['an object', '({ a: [1] })', (it) => it.a[0] === 1], ['an array', '[1, 2]', Array.isArray],
  ['a date', 'new Date(5)', (it) => it instanceof Date && it.getTime() === 5], ['a buffer', 'Buffer.from("x")', (it) => Buffer.isBuffer(it) && it.toString() === 'x'], ['a function', '() => 3', (it) => it() === 3], ['a map', 'new Map([[1, 2]])', (it) => it.get(1) === 2],
  ['an error', 'new TypeError("t")', (it) => it instanceof TypeError && it.message === 't'], ['a regular expression', '/x/g', (it) => it.test('x')], ['a big integer', '5n', (it) => it === 5n], ['a registered symbol', 'Symbol.for("s")', (it) => it === Symbol.for('s')],
  ['a promise', 'Promise.resolve(1)', (it) => it instanceof Promise],
];

module.exports = [
  ...args.map(([name, code, check]) => ({
    name: `the code passes ${name} to the host`, source: BOTH,
    run(vm2, assert) {
      let right = false;
      new vm2.VM({ sandbox: { take(it) { right = check(it); } } }).run(`take(${code})`);
      assert.ok(right);
    },
  })),
  ...args.filter(([name]) => name !== 'a promise').map(([name, code, check]) => ({
    name: `the host returns ${name} to the code, which gives it back`, source: BOTH,
    run(vm2, assert) {
      const value = new Function(`return ${code}`)();
      assert.ok(check(new vm2.VM({ sandbox: { give: () => value } }).run('give()')));
    },
  })),
  ...args.filter(([name]) => name !== 'a promise').map(([name, code, check]) => ({
    name: `the host passes ${name} to a function of the code`, source: BOTH,
    run: (vm2, assert) => assert.ok(check(new vm2.VM().run('(it) => it')(new Function(`return ${code}`)()))),
  })),
  {
    name: 'a function that run returns is called', source: BOTH,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM().run('(a, b) => a + b')(1, 2), 3),
  },
  {
    name: 'a function that run returns keeps its state', source: BOTH,
    run(vm2, assert) {
      const next = new vm2.VM().run('let n = 0; () => ++n');
      assert.deepStrictEqual([next(), next(), next()], [1, 2, 3]);
    },
  },
  {
    name: 'functions in an object are called', source: BOTH,
    run(vm2, assert) {
      const got = new vm2.VM().run('({ add: (a, b) => a + b, deep: { neg: (a) => -a } })');
      assert.deepStrictEqual([got.add(1, 2), got.deep.neg(3)], [3, -3]);
    },
  },
  {
    name: 'functions in an array are called', source: BOTH,
    run: (vm2, assert) => assert.deepStrictEqual(Array.from(new vm2.VM().run('[(a) => a + 1, (a) => a * 2]'), (f) => f(5)), [6, 10]),
  },
  {
    name: 'a function that a function returns is called', source: BOTH,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM().run('(a) => (b) => a + b')(1)(2), 3),
  },
  {
    name: 'a function has its name', source: BOTH,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM().run('function mine() {} mine').name, 'mine'),
  },
  {
    name: 'a function has its length', source: BOTH,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM().run('(function (a, b, c) {})').length, 3),
  },
  {
    name: 'a function has members', source: BOTH,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM().run('function f() {} f.version = 2; f').version, 2),
  },
  {
    name: 'a callback of the host is called by the code', source: NODEVM,
    run(vm2, assert) {
      let got;
      new vm2.VM().run('(who, callback) => callback("hello " + who)')('world', (text) => (got = text));
      assert.strictEqual(got, 'hello world');
    },
  },
  {
    name: 'the result of a callback is seen by the code', source: NODEVM,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM().run('(f) => f(2) + 1')((n) => n * 10), 21),
  },
  {
    name: 'a callback calls back', source: BOTH,
    run(vm2, assert) {
      const count = new vm2.VM().run('function down(n, f) { return n === 0 ? "end" : f(n - 1, down) } down');
      assert.strictEqual(count(6, (n, down) => down(n, (m, again) => again(m, () => 'never'))), 'never');
    },
  },
  {
    name: 'a recursion through both sides', source: BOTH,
    run(vm2, assert) {
      let f = null;
      const sandbox = { host: (n) => (n === 0 ? 0 : 1 + f(n - 1)) };
      f = new vm2.VM({ sandbox }).run('(n) => n === 0 ? 0 : 1 + host(n - 1)');
      assert.strictEqual(f(20), 20);
    },
  },
  {
    name: 'a function of the host that is given back is the same one', source: BOTH,
    run(vm2, assert) {
      const f = () => 1, same = new vm2.VM().run('(it) => it')(f);
      assert.ok(same === f);
    },
  },
  {
    name: 'a function of the code that is given back is the same one', source: BOTH,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM({ sandbox: { echo: (it) => it } }).run('const f = () => 1; echo(f) === f'), true),
  },
  {
    name: 'a promise of the code that is given back is the same one', source: BOTH,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM({ sandbox: { echo: (it) => it } }).run('const p = Promise.resolve(1); echo(p) === p'), true),
  },
  {
    name: 'an object of the code that is given back is the same one', source: BOTH, differs: differs.identity,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM({ sandbox: { echo: (it) => it } }).run('const o = {}; echo(o) === o'), true),
  },
  {
    name: 'the host changes an object that the code passed', source: BOTH, differs: differs.lateResult,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM({ sandbox: { fill(it) { it.a = 1; } } }).run('const o = {}; fill(o); o.a'), 1),
  },
  {
    name: 'the code changes an object that the host passed', source: BOTH, differs: differs.writeBack,
    run(vm2, assert) {
      const it = {};
      new vm2.VM().run('(it) => { it.a = 1 }')(it);
      assert.strictEqual(it.a, 1);
    },
  },
  {
    name: '`this` of a method of the code is its object', source: BOTH,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM().run('({ n: 4, get() { return this.n } })').get(), 4),
  },
  {
    name: '`this` of a method of the code that changes its object', source: BOTH,
    run(vm2, assert) {
      const counter = new vm2.VM().run('({ n: 1, next() { return ++this.n } })');
      counter.next();
      assert.strictEqual(counter.next(), 3);
    },
  },
  {
    name: 'what a method of the code changed is seen by the host', source: BOTH, differs: differs.late,
    run(vm2, assert) {
      const counter = new vm2.VM().run('({ n: 1, next() { return ++this.n } })');
      counter.next();
      assert.strictEqual(counter.n, 2);
    },
  },
  {
    name: '`this` of a method of a global of the sandbox', source: BOTH,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM({ sandbox: { api: { base: 10, add(n) { return this.base + n; } } } }).run('api.add(5)'), 15),
  },
  {
    name: '`this` by call is passed to a function of the host', source: BOTH, differs: 'Of a call of the host by the code `this` is passed when it is something of the host.',
    run: (vm2, assert) => assert.strictEqual(new vm2.VM({ sandbox: { f() { return this.n; } } }).run('f.call({ n: 8 })'), 8),
  },
  {
    name: '`this` by call is passed to a function of the code', source: BOTH, differs: 'Of a call of the code by the host `this` is passed when it is something of the code.',
    run: (vm2, assert) => assert.strictEqual(new vm2.VM().run('(function () { return this.n })').call({ n: 8 }), 8),
  },
  {
    name: 'a function of the code is called with apply', source: BOTH,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM().run('(a, b) => a - b').apply(null, [5, 3]), 2),
  },
  {
    name: 'a function of the code is bound by the host', source: BOTH,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM().run('(a, b) => a - b').bind(null, 10)(4), 6),
  },
  {
    name: 'arguments beyond the parameters arrive', source: BOTH,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM().run('(function () { return arguments.length })')(1, 2, 3), 3),
  },
  {
    name: 'default and rest parameters', source: BOTH,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM().run('(a = 5, ...rest) => a + rest.length')(undefined, 1, 2), 7),
  },
  {
    name: 'a class of the code is made by the host', source: BOTH,
    run(vm2, assert) {
      const A = new vm2.VM().run('class A { constructor(x) { this.x = x } } A');
      assert.strictEqual(new A(4).x, 4);
    },
  },
  {
    name: 'an instance of a class of the code, made by the host, is instanceof it', source: BOTH, differs: differs.sandboxClass,
    run(vm2, assert) {
      const A = new vm2.VM().run('class A {} A');
      assert.ok(new A() instanceof A);
    },
  },
  {
    name: 'an instance of a class of the code, made by the host, has its methods', source: BOTH, differs: differs.sandboxClass,
    run(vm2, assert) {
      const A = new vm2.VM().run('class A { constructor(x) { this.x = x } get() { return this.x } } A');
      assert.strictEqual(new A(4).get(), 4);
    },
  },
  {
    name: 'a class of the code without new throws', source: BOTH,
    run: (vm2, assert) => assert.throws(() => new vm2.VM().run('class A {} A')(), TypeError),
  },
  {
    name: 'a static method of a class of the code is called', source: BOTH,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM().run('class A {} A.make = (n) => n + 1; A').make(1), 2),
  },
  {
    name: 'a static method of a class of the host is called', source: BOTH,
    run(vm2, assert) {
      class A {}
      A.make = (n) => n + 1;
      assert.strictEqual(new vm2.VM({ sandbox: { A } }).run('A.make(1)'), 2);
    },
  },
  {
    name: 'a static method in the body of a class of the host is called', source: BOTH,
    run(vm2, assert) {
      class A { static make(n) { return n + 1; } }
      assert.strictEqual(new vm2.VM({ sandbox: { A } }).run('A.make(1)'), 2);
    },
  },
  {
    name: 'a function of the host has members', source: BOTH,
    run(vm2, assert) {
      const f = Object.assign((n) => n, { version: '1.2', helper: (n) => n * 2 });
      assert.strictEqual(new vm2.VM({ sandbox: { f } }).run('f.version + f.helper(2)'), '1.24');
    },
  },
  {
    name: 'a module of the host as a member of the sandbox', source: BOTH,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM({ sandbox: { path: require('path') } }).run('path.join("a", "..", "b") + path.sep'), 'b/'),
  },
  {
    name: 'an object of functions as a member of the sandbox', source: BOTH,
    run(vm2, assert) {
      const lines = [], vm = new vm2.VM({ sandbox: { console: { log: (...parts) => lines.push(parts.join(' ')) } } });
      vm.run('console.log("a", 1); console.log({}.x)');
      assert.deepStrictEqual(lines, ['a 1', '']);
    },
  },
  {
    name: 'a callback for each element of an array of the host', source: BOTH,
    run(vm2, assert) {
      const seen = [];
      new vm2.VM({ sandbox: { list: [1, 2, 3], see: (n) => seen.push(n) } }).run('list.forEach((n) => see(n))');
      assert.deepStrictEqual(seen, [1, 2, 3]);
    },
  },
  {
    name: 'a function of the code sorts an array of the host', source: BOTH,
    run(vm2, assert) {
      const compare = new vm2.VM().run('(a, b) => b - a');
      assert.deepStrictEqual([1, 3, 2].sort(compare), [3, 2, 1]);
    },
  },
  {
    name: 'a function of the code filters in the host', source: BOTH,
    run(vm2, assert) {
      const isEven = new vm2.VM().run('(n) => n % 2 === 0');
      assert.deepStrictEqual([1, 2, 3, 4].filter((n) => isEven(n)), [2, 4]);
    },
  },
  {
    name: 'a function of the host in a sort of the code', source: BOTH,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM({ sandbox: { compare: (a, b) => a - b } }).run('[3, 1, 2].sort(compare).join()'), '1,2,3'),
  },
  {
    name: 'a function of the host in a replacement of the code', source: BOTH,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM({ sandbox: { upper: (text) => text.toUpperCase() } }).run('"abc".replace(/b/, upper)'), 'aBc'),
  },
  {
    name: 'a thousand calls of the host', source: BOTH,
    run(vm2, assert) {
      let n = 0;
      new vm2.VM({ sandbox: { tick: () => ++n } }).run('for (let i = 0; i < 1000; i++) tick()');
      assert.strictEqual(n, 1000);
    },
  },
  {
    name: 'a thousand calls of the code', source: BOTH,
    run(vm2, assert) {
      const next = new vm2.VM().run('let n = 0; () => ++n');
      for (let i = 0; i < 999; i++) next();
      assert.strictEqual(next(), 1000);
    },
  },
  {
    name: 'a function is used after other runs', source: BOTH,
    run(vm2, assert) {
      const vm = new vm2.VM(), f = vm.run('var n = 1; () => n');
      vm.run('n = 2');
      assert.strictEqual(f(), 2);
    },
  },
  {
    name: 'the prototype of a class of the code is extended by the host', source: 'README: Known Issues (no class that extends a proxied class)', differs: differs.sandboxClass,
    run(vm2, assert) {
      const A = new vm2.VM().run('class A { hi() { return "hi" } } A');
      A.prototype.extra = 1;
      assert.strictEqual(new A().extra, 1);
    },
  },
];
