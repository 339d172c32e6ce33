// Values that cross: results of the code, and members of the sandbox.
'use strict';
const { evaluates, differs } = require('./support.js');

const CROSS = 'README: Cross-sandbox relationships', RESULT = 'README: VM (retrieve values from VM)';
const isOf = (check) => (got, assert) => assert.ok(check(got));

// What a piece of code gives.
const results = [
  ['a number', '1337', 1337], ['a fraction', '0.1 + 0.2', 0.1 + 0.2], ['NaN', 'NaN', NaN], ['Infinity', '-Infinity', -Infinity], ['minus zero', '-0', -0], ['a large number', 'Number.MAX_VALUE', Number.MAX_VALUE],
  ['a text', '"a" + "b"', 'ab'], ['an empty text', '""', ''], ['a text beyond ASCII', '"\u00e4\u4e2d\u{1f600}\\n\\u0000"', '\u00e4\u4e2d\u{1f600}\n\0'], ['half of a pair of surrogates', '"\\ud83d"', '\ud83d'],
  ['true', '1 < 2', true], ['null', 'null', null], ['undefined', 'undefined', undefined], ['nothing, of a declaration', 'var a = 1', undefined], ['a big integer', '2n ** 70n', 2n ** 70n],
  ['an object', '({a: 1, b: "x"})', { a: 1, b: 'x' }], ['an object of objects', '({a: {b: {c: [1, {d: 2}]}}})', { a: { b: { c: [1, { d: 2 }] } } }], ['an empty object', '({})', {}],
  ['an array', '[1, "a", null, undefined]', [1, 'a', null, undefined]], ['an empty array', '[]', []], ['arrays in an array', '[[1], [2, [3]]]', [[1], [2, [3]]]],
  ['the value of the last statement', '1; 2; 3', 3], ['the value of a block', 'if (true) { 7 }', 7], ['a template', '`${1 + 1}!`', '2!'], ['a member with undefined', '({a: undefined})', { a: undefined }],
].map(([name, code, gives]) => ({ name: `gives ${name}`, code, gives }));

const special = [
  { name: 'gives an array with holes', code: '[1, , 3]', gives: (got, assert) => (assert.strictEqual(got.length, 3), assert.strictEqual(1 in got, false)) },
  { name: 'gives a date', code: 'new Date(86400000)', gives: (got, assert) => (assert.strictEqual(got.getTime(), 86400000), assert.strictEqual(got.toISOString(), '1970-01-02T00:00:00.000Z')) },
  { name: 'gives a date that is invalid', code: 'new Date(NaN)', gives: (got, assert) => assert.ok(Number.isNaN(got.getTime())) },
  { name: 'gives a regular expression that works', code: '/a(b+)/gi', gives: (got, assert) => (assert.strictEqual(got.source, 'a(b+)'), assert.strictEqual(got.flags, 'gi'), assert.ok(got.test('xABBB'))) },
  { name: 'gives a map', code: 'new Map([["a", 1], [2, "b"]])', gives: (got, assert) => (assert.strictEqual(got.size, 2), assert.strictEqual(got.get('a'), 1), assert.strictEqual(got.get(2), 'b')) },
  { name: 'gives a set', code: 'new Set([1, 2, 2, "x"])', gives: (got, assert) => (assert.strictEqual(got.size, 3), assert.ok(got.has('x'))) },
  { name: 'gives a map with an object for a value', code: 'new Map([["a", {b: 1}]])', gives: (got, assert) => assert.strictEqual(got.get('a').b, 1) },
  { name: 'gives a map that can be iterated', code: 'new Map([["a", 1], ["b", 2]])', gives: (got, assert) => assert.deepStrictEqual([...got].map(([key, value]) => key + value), ['a1', 'b2']) },
  { name: 'gives a set that can be iterated', code: 'new Set([3, 1])', gives: (got, assert) => assert.deepStrictEqual([...got], [3, 1]) },
  { name: 'gives a buffer', code: 'Buffer.from("hallo")', gives: (got, assert) => (assert.ok(Buffer.isBuffer(got)), assert.strictEqual(got.toString(), 'hallo')) },
  { name: 'gives an empty buffer', code: 'Buffer.alloc(0)', gives: (got, assert) => assert.strictEqual(got.length, 0) },
  { name: 'gives a typed array', code: 'new Uint8Array([1, 2, 255])', gives: (got, assert) => (assert.strictEqual(got.length, 3), assert.strictEqual(got[2], 255)) },
  { name: 'gives an array of floats', code: 'new Float64Array([0.5, -1])', gives: (got, assert) => (assert.strictEqual(got[0], 0.5), assert.strictEqual(got[1], -1)) },
  { name: 'gives an array buffer', code: 'new Uint8Array([7, 8]).buffer', gives: (got, assert) => assert.strictEqual(got.byteLength, 2) },
  { name: 'gives an object of a prototype that is null', code: 'Object.assign(Object.create(null), {a: 1})', gives: (got, assert) => assert.strictEqual(got.a, 1) },
  { name: 'gives a boxed number', code: 'new Number(5)', gives: (got, assert) => assert.strictEqual(got.valueOf(), 5) },
  { name: 'gives a boxed text', code: 'new String("ab")', gives: (got, assert) => assert.strictEqual(String(got), 'ab') },
  { name: 'gives a registered symbol', code: 'Symbol.for("some.name")', gives: (got, assert) => assert.strictEqual(got, Symbol.for('some.name')) },
  { name: 'gives a well-known symbol', code: 'Symbol.iterator', gives: (got, assert) => assert.strictEqual(got, Symbol.iterator) },
  { name: 'gives a symbol of its own', code: 'Symbol("mine")', gives: (got, assert) => (assert.strictEqual(typeof got, 'symbol'), assert.strictEqual(got.description, 'mine')) },
  { name: 'gives an object with a cycle', code: 'const a = {n: 1}; a.self = a; a', gives: (got, assert) => (assert.strictEqual(got.self, got), assert.strictEqual(got.self.self.n, 1)) },
  { name: 'gives one object in two places', code: 'const b = {}; [b, b]', gives: (got, assert) => assert.strictEqual(got[0], got[1]) },
  { name: 'gives a class', code: 'class A { m() { return 4 } }; A', gives: (got, assert) => (assert.strictEqual(typeof got, 'function'), assert.strictEqual(got.name, 'A')) },
  { name: 'gives an error as a value', code: 'new TypeError("no")', gives: (got, assert) => (assert.strictEqual(got.message, 'no'), assert.strictEqual(got.name, 'TypeError')) },
  { name: 'gives a WeakMap', code: 'new WeakMap()', differs: differs.weak, gives: (got, assert) => assert.strictEqual(typeof got.get, 'function') },
  { name: 'gives a generator that can be iterated', code: '(function* () { yield 1; yield 2 })()', differs: differs.generator, gives: (got, assert) => assert.deepStrictEqual([got.next().value, got.next().value, got.next().done], [1, 2, true]) },
  { name: 'gives a generator for a loop', code: '(function* () { yield 1; yield 2 })()', differs: differs.generator, gives: (got, assert) => assert.deepStrictEqual([...got], [1, 2]) },
  { name: 'gives an iterator of an array', code: '[5].values()', differs: differs.generator, gives: (got, assert) => assert.strictEqual(got.next().value, 5) },
  { name: 'gives an object that can be iterated', code: '({ *[Symbol.iterator]() { yield 9 } })', differs: differs.hidden, gives: (got, assert) => assert.deepStrictEqual([...got], [9]) },
  { name: 'gives a member with a getter', code: '({ get a() { return 6 } })', gives: (got, assert) => assert.strictEqual(got.a, 6) },
  { name: 'gives a getter that runs each time', code: 'let n = 0; ({ get a() { return ++n } })', differs: differs.accessor, gives: (got, assert) => assert.deepStrictEqual([got.a, got.a], [1, 2]) },
  { name: 'gives a setter that runs', code: 'let kept; ({ set a(v) { kept = v }, kept: () => kept })', differs: differs.accessor, gives: (got, assert) => ((got.a = 5), assert.strictEqual(got.kept(), 5)) },
  { name: 'gives a member that is not enumerable', code: 'Object.defineProperty({}, "a", { value: 1 })', differs: differs.hidden, gives: (got, assert) => assert.strictEqual(got.a, 1) },
  { name: 'gives a member whose name is a symbol', code: '({ [Symbol.for("k")]: 1 })', differs: differs.hidden, gives: (got, assert) => assert.strictEqual(got[Symbol.for('k')], 1) },
  { name: 'gives an array with a member of a name', code: 'Object.assign([1], { extra: 2 })', gives: (got, assert) => assert.strictEqual(got.extra, 2) },
  { name: 'gives an instance with its data', code: 'class P { constructor() { this.x = 1 } }; new P()', gives: (got, assert) => assert.strictEqual(got.x, 1) },
  { name: 'gives an instance with its methods', code: 'class P { constructor() { this.x = 1 } twice() { return this.x * 2 } }; new P()', differs: differs.sandboxClass, gives: (got, assert) => assert.strictEqual(got.twice(), 2) },
  { name: 'gives an inherited member', code: 'Object.create({ a: 1 })', differs: differs.prototype, gives: (got, assert) => assert.strictEqual(got.a, 1) },
  { name: 'gives the arguments of a call', code: '(function () { return arguments })(1, 2)', gives: (got, assert) => assert.strictEqual(got[1], 2) },
  { name: 'gives a result that can be written as JSON', code: '({ a: [1, { b: null }], d: new Date(0) })', gives: (got, assert) => assert.strictEqual(JSON.stringify(got), '{"a":[1,{"b":null}],"d":"1970-01-01T00:00:00.000Z"}') },
  { name: 'gives an object whose toJSON is used', code: '({ toJSON: () => "mine" })', gives: (got, assert) => assert.strictEqual(JSON.stringify(got), '"mine"') },
  { name: 'gives an object whose keys are in order', code: '({ b: 1, a: 2, 1: 3 })', gives: (got, assert) => assert.deepStrictEqual(Object.keys(got), ['1', 'b', 'a']) },
  { name: 'gives an object that can be compared deeply', code: '({ a: { b: [1] } })', gives: { a: { b: [1] } } },
  { name: 'gives an object with a member __proto__ of its own', code: 'JSON.parse(\'{"__proto__": 1, "a": 2}\')', gives: (got, assert) => assert.strictEqual(got.a, 2) },
  { name: 'gives many members', code: 'Object.fromEntries(Array.from({ length: 5000 }, (_, i) => ["k" + i, i]))', gives: (got, assert) => (assert.strictEqual(Object.keys(got).length, 5000), assert.strictEqual(got.k4999, 4999)) },
  { name: 'gives a long text', code: '"x".repeat(1 << 20)', gives: (got, assert) => assert.strictEqual(got.length, 1 << 20) },
  { name: 'gives a deep object', code: 'let top = {}; let at = top; for (let i = 0; i < 500; i++) at = at.next = {}; at.end = 1; top', gives: (got, assert) => {
    let at = got, n = 0;
    while (at.next) (at = at.next), n++;
    assert.deepStrictEqual([n, at.end], [500, 1]);
  } },
];

// What holds of a result in the host.
const instances = [
  ['an object', '({})', Object], ['an array', '[]', Array], ['a date', 'new Date()', Date], ['a regular expression', '/x/', RegExp], ['a function', '(() => 1)', Function], ['a map', 'new Map()', Map], ['a set', 'new Set()', Set],
  ['a promise', 'Promise.resolve()', Promise], ['an error', 'new Error("x")', Error], ['a TypeError', 'new TypeError("x")', TypeError], ['a RangeError', 'new RangeError("x")', RangeError], ['a buffer', 'Buffer.from("a")', Buffer],
  ['a typed array', 'new Uint16Array(2)', Uint16Array], ['an array buffer', 'new ArrayBuffer(2)', ArrayBuffer], ['a DataView', 'new DataView(new ArrayBuffer(2))', DataView],
].map(([name, code, type]) => ({ name: `${name} of the sandbox is instanceof ${type.name} in the host`, code, gives: isOf((got) => got instanceof type), source: CROSS }));

const arrays = [
  { name: 'an array of the sandbox is an array in the host', code: '[1]', gives: isOf(Array.isArray), source: CROSS },
  { name: 'an array of the sandbox has the methods of arrays', code: '[1, 2, 3]', gives: (got, assert) => assert.deepStrictEqual(Array.from(got.map((n) => n * 2)), [2, 4, 6]) },
  { name: 'the prototype of an object of the sandbox is that of the host', code: '({})', gives: isOf((got) => Object.getPrototypeOf(got) === Object.prototype), source: CROSS },
  { name: 'the prototype of a function of the sandbox is that of the host', code: '(function () {})', gives: isOf((got) => Object.getPrototypeOf(got) === Function.prototype), source: CROSS },
  { name: 'the prototype of a buffer of the sandbox is that of the host', code: 'Buffer.from("a")', gives: isOf((got) => Object.getPrototypeOf(got) === Buffer.prototype), source: CROSS },
  { name: 'the constructor of an object of the sandbox is that of the host', code: '({})', gives: isOf((got) => got.constructor === Object), source: CROSS },
];

// What the code sees of members of the sandbox.
const host = () => ({
  number: 5, text: 'hallo', nothing: null, undef: undefined, yes: true, big: 7n, object: { a: { b: 2 } }, array: [1, 2, [3]], date: new Date(1000), regexp: /a+/gi, map: new Map([['k', 1]]), set: new Set([4]),
  buffer: Buffer.from([1, 5]), bytes: new Uint8Array([9, 8]), func: function named(a, b) { return a + b; }, error: new RangeError('far'), symbol: Symbol.for('shared'), bare: Object.assign(Object.create(null), { x: 1 }),
  promise: Promise.resolve(1), klass: class Klass { constructor(x) { this.x = x; } }, buf2: new ArrayBuffer(3), bound: function () { return this.v; }.bind({ v: 3 }),
});
const given = [
  ['number', 'number', 'number === 5'], ['text', 'text', 'text === "hallo"'], ['null', 'null', 'nothing === null'], ['undefined', 'undefined', 'undef === undefined'], ['boolean', 'boolean', 'yes === true'], ['bigint', 'big integer', 'big === 7n'],
  ['object', 'nested object', 'object.a.b === 2'], ['object', 'object that is instanceof Object', 'object instanceof Object'], ['object', 'object whose prototype is that of the sandbox', 'Object.getPrototypeOf(object) === Object.prototype'],
  ['object', 'object by __proto__', 'object.__proto__ === Object.prototype'], ['object', 'keys of an object', 'Object.keys(object).join() === "a"'], ['object', 'object as JSON', 'JSON.stringify(object) === \'{"a":{"b":2}}\''],
  ['object', 'member by `in`', '"a" in object && !("z" in object)'], ['object', 'own member', 'Object.prototype.hasOwnProperty.call(object, "a") && object.hasOwnProperty("a")'], ['object', 'object spread', '({ ...object }).a.b === 2'],
  ['object', 'object as text', 'String(object) === "[object Object]"'], ['object', 'constructor of an object', 'object.constructor === Object'],
  ['array', 'array', 'Array.isArray(array) && array.length === 3 && array[2][0] === 3'], ['array', 'array that is instanceof Array', 'array instanceof Array'], ['array', 'array in a loop', '[...array].length === 3'],
  ['array', 'methods of an array', 'array.slice(0, 2).map((n) => n + 1).join() === "2,3"'], ['array', 'array as text', 'array.join("-") === "1-2-3"'], ['array', 'array tagged', 'Object.prototype.toString.call(array) === "[object Array]"'],
  ['array', 'array joined to another', '[0].concat(array).length === 4'], ['array', 'array destructured', '(([a, b]) => a + b)(array) === 3'],
  ['date', 'date', 'date.getTime() === 1000 && date.toISOString() === "1970-01-01T00:00:01.000Z"'], ['date', 'date that is instanceof Date', 'date instanceof Date'],
  ['regexp', 'regular expression', 'regexp.source === "a+" && regexp.flags === "gi"'], ['regexp', 'regular expression that is instanceof RegExp', 'regexp instanceof RegExp'],
  ['map', 'map', 'map.get("k") === 1 && map.size === 1'], ['map', 'map that is instanceof Map', 'map instanceof Map'], ['set', 'set', 'set.has(4) && set.size === 1'],
  ['buffer', 'buffer', 'buffer.length === 2 && buffer[1] === 5'], ['buffer', 'buffer that is instanceof Buffer', 'buffer instanceof Buffer'], ['buffer', 'prototype of a buffer', 'buffer.__proto__ === Buffer.prototype'],
  ['buffer', 'slice of a buffer', 'buffer.slice(0, 1) instanceof Buffer'], ['buffer', 'Buffer.isBuffer', 'Buffer.isBuffer(buffer)'], ['buffer', 'buffer as text', 'buffer.toString("hex") === "0105"'],
  ['bytes', 'typed array', 'bytes.length === 2 && bytes[0] === 9 && bytes instanceof Uint8Array'], ['buf2', 'array buffer', 'buf2.byteLength === 3 && buf2 instanceof ArrayBuffer'],
  ['func', 'function', 'typeof func === "function" && func(2, 3) === 5'], ['func', 'function that is instanceof Function', 'func instanceof Function'], ['func', 'prototype of a function', 'func.__proto__ === Function.prototype'],
  ['func', 'name of a function', 'func.name === "named"'], ['func', 'function by call', 'func.call(null, 1, 2) === 3'], ['func', 'function by apply', 'func.apply(null, [1, 2]) === 3'],
  ['func', 'function by bind', 'func.bind(null, 1)(4) === 5'], ['bound', 'bound function', 'bound() === 3'], ['error', 'error', 'error.message === "far" && error.name === "RangeError"'], ['error', 'error that is instanceof RangeError', 'error instanceof RangeError && error instanceof Error'],
  ['symbol', 'registered symbol', 'symbol === Symbol.for("shared")'], ['bare', 'object without a prototype', 'bare.x === 1'], ['promise', 'promise', 'promise instanceof Promise && typeof promise.then === "function"'],
].map(([, what, code]) => ({ name: `the code sees ${/^[aeiou]/.test(what) ? 'an' : 'a'} ${what}`, code, gives: true, sandbox: host, source: CROSS }));

const classes = [
  { name: 'the code sees the length of a function', code: 'func.length', gives: 2, sandbox: host, source: CROSS },
  { name: 'the code makes an instance of a class of the host', code: 'new klass(4).x', gives: 4, sandbox: host, source: CROSS, differs: differs.hostInstance },
  { name: 'an instance that the code made is instanceof the class of the host', code: 'new klass(4) instanceof klass', gives: true, sandbox: host, source: CROSS, differs: differs.hostClass },
  { name: 'an instance that the code made has the prototype of the function of the host', code: 'new func().__proto__ === func.prototype', gives: true, sandbox: host, source: CROSS, differs: differs.hostClass, lacks: 'the prototype of an instance is not that which the code sees' },
  { name: 'the code makes an instance of a function of the host', code: 'new func() instanceof func', gives: true, sandbox: host, source: CROSS, differs: differs.hostClass },
];

module.exports = [...evaluates(RESULT, [...results, ...special, ...instances, ...arrays]), ...evaluates(CROSS, [...given, ...classes]),
  ...['object', 'array', 'func', 'buffer', 'date', 'map', 'klass'].map((name) => ({
    name: `a ${name} of the host comes back as the same one`, source: CROSS, differs: name === 'func' || name === 'klass' ? undefined : differs.identity,
    run(vm2, assert) {
      const sandbox = host(), vm = new vm2.VM({ sandbox });
      assert.ok(vm.run(name) === sandbox[name]);
    },
  })),
  {
    name: 'an instance of a class of the host, made by the code, is one in the host', source: CROSS,
    run(vm2, assert) {
      const sandbox = host(), made = new vm2.VM({ sandbox }).run('new klass(3)');
      assert.ok(made instanceof sandbox.klass);
      assert.ok(Object.getPrototypeOf(made) === sandbox.klass.prototype);
    },
  },
  {
    name: 'a result that is asked for twice is the same object', source: CROSS, differs: differs.identity,
    run(vm2, assert) {
      const vm = new vm2.VM();
      vm.run('var kept = {}');
      assert.ok(vm.run('kept') === vm.run('kept'));
    },
  },
  {
    name: 'a function that is asked for twice is the same function', source: CROSS,
    run(vm2, assert) {
      const vm = new vm2.VM();
      vm.run('function f() {}');
      assert.ok(vm.run('f') === vm.run('f'));
    },
  },
  {
    name: 'the host writes into a result, and the code sees it', source: 'README: Features (exchange data between sandboxes)', differs: differs.lateResult,
    run(vm2, assert) {
      const vm = new vm2.VM(), got = vm.run('var o = {a: 1}; o');
      got.a = 2;
      assert.strictEqual(vm.run('o.a'), 2);
    },
  },
  {
    name: 'the code writes into an object of the host', source: 'README: Read-only objects (without freeze)', differs: differs.writeBack,
    run(vm2, assert) {
      const util = { add: (a, b) => a + b }, vm = new vm2.VM({ sandbox: { util } });
      vm.run('util.add = (a, b) => a - b');
      assert.strictEqual(util.add(1, 1), 0);
    },
  },
  {
    name: 'the code pushes onto an array of the host', source: 'README: Read-only objects (without freeze)', differs: differs.writeBack,
    run(vm2, assert) {
      const list = [1], vm = new vm2.VM({ sandbox: { list } });
      vm.run('list.push(2)');
      assert.deepStrictEqual(list, [1, 2]);
    },
  },
  {
    name: 'the code changes what it was given, and sees that itself', source: 'types: VMOptions.sandbox',
    run(vm2, assert) {
      const vm = new vm2.VM({ sandbox: { state: { n: 1 }, list: [] } });
      vm.run('state.n++; list.push("x"); state.more = true');
      assert.deepStrictEqual([vm.run('state.n'), vm.run('list.length'), vm.run('state.more')], [2, 1, true]);
    },
  },
  {
    name: 'the host changes an object after it was given', source: 'README: Cross-sandbox relationships', differs: differs.late,
    run(vm2, assert) {
      const state = { n: 1 }, vm = new vm2.VM({ sandbox: { state } });
      vm.run('1');
      state.n = 2;
      assert.strictEqual(vm.run('state.n'), 2);
    },
  },
  {
    name: 'a getter of an object of the host is seen', source: CROSS,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM({ sandbox: { o: { get a() { return 3; } } } }).run('o.a'), 3),
  },
  {
    name: 'a getter of an object of the host runs each time', source: CROSS, differs: differs.accessor,
    run(vm2, assert) {
      let n = 0;
      assert.strictEqual(new vm2.VM({ sandbox: { o: { get a() { return ++n; } } } }).run('o.a; o.a; o.a'), 3);
    },
  },
  {
    name: 'a setter of an object of the host runs', source: CROSS, differs: differs.accessor,
    run(vm2, assert) {
      let kept = 0;
      new vm2.VM({ sandbox: { o: { set a(value) { kept = value; } } } }).run('o.a = 7');
      assert.strictEqual(kept, 7);
    },
  },
  {
    name: 'an instance of a class of the host has its data', source: CROSS, differs: differs.hostInstance,
    run(vm2, assert) {
      class Account { constructor() { this.sum = 10; } }
      assert.strictEqual(new vm2.VM({ sandbox: { account: new Account() } }).run('account.sum'), 10);
    },
  },
  {
    name: 'an instance of a class of the host has its methods', source: CROSS, differs: differs.hostInstance,
    run(vm2, assert) {
      class Account { constructor() { this.sum = 10; } twice() { return this.sum * 2; } }
      assert.strictEqual(new vm2.VM({ sandbox: { account: new Account() } }).run('account.twice()'), 20);
    },
  },
  {
    name: 'a method that the code calls changes an instance of the host', source: CROSS, differs: differs.hostInstance,
    run(vm2, assert) {
      class Account { constructor() { this.sum = 10; } pay(n) { this.sum -= n; return this.sum; } }
      const account = new Account(), vm = new vm2.VM({ sandbox: { account } });
      assert.strictEqual(vm.run('account.pay(3)'), 7);
      assert.strictEqual(account.sum, 7);
    },
  },
  {
    name: 'the code sees what a method changed in an instance of the host', source: CROSS, differs: differs.late,
    run(vm2, assert) {
      class Account { constructor() { this.sum = 10; } pay(n) { this.sum -= n; } }
      assert.strictEqual(new vm2.VM({ sandbox: { account: new Account() } }).run('account.pay(3); account.sum'), 7);
    },
  },
  {
    name: 'an inherited method of an instance of the host is called', source: CROSS, differs: differs.hostInstance,
    run(vm2, assert) {
      class A { who() { return `I am ${this.name}`; } }
      class B extends A { constructor() { super(); this.name = 'b'; } }
      assert.strictEqual(new vm2.VM({ sandbox: { b: new B() } }).run('b.who()'), 'I am b');
    },
  },
  {
    name: 'an object of the host with a cycle is seen', source: CROSS,
    run(vm2, assert) {
      const a = { n: 1 };
      a.self = a;
      assert.strictEqual(new vm2.VM({ sandbox: { a } }).run('a.self.self === a && a.self.n === 1'), true);
    },
  },
  {
    name: 'one object in two members of the sandbox is one object', source: CROSS,
    run(vm2, assert) {
      const shared = {};
      assert.strictEqual(new vm2.VM({ sandbox: { a: shared, b: shared } }).run('a === b'), true);
    },
  },
  {
    name: 'a symbol of the host is the same one each time', source: CROSS,
    run(vm2, assert) {
      const mine = Symbol('mine'), vm = new vm2.VM({ sandbox: { mine } });
      assert.strictEqual(vm.run('mine'), mine);
      assert.strictEqual(vm.run('mine.description'), 'mine');
    },
  },
  {
    name: 'a frozen object of the host is seen', source: CROSS,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM({ sandbox: { o: Object.freeze({ a: 1 }) } }).run('o.a'), 1),
  },
  {
    name: 'a Proxy of the host gives what its traps give', source: CROSS, differs: differs.proxyTrap,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM({ sandbox: { o: new Proxy({}, { get: (target, key) => `<${String(key)}>` }) } }).run('o.any'), '<any>'),
  },
  {
    name: 'a generator of the host is iterated by the code', source: CROSS, differs: differs.generator,
    run(vm2, assert) {
      const vm = new vm2.VM({ sandbox: { make: function* make() { yield 1; yield 2; } } });
      assert.strictEqual(vm.run('const g = make(); g.next().value + g.next().value'), 3);
    },
  },
  {
    name: 'methods of an object of the host know their object', source: CROSS,
    run(vm2, assert) {
      const counter = { n: 1, next() { return ++this.n; } };
      assert.strictEqual(new vm2.VM({ sandbox: { counter } }).run('counter.next(); counter.next()'), 3);
      assert.strictEqual(counter.n, 3);
    },
  },
];
