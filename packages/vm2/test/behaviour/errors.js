// Errors: what the code throws, what it catches, and what the host throws into it.
'use strict';
const { thrown, lacks, program, differs } = require('./support.js');

const ERRORS = 'README: Error handling', CROSS = 'README: Cross-sandbox relationships', TYPES = 'types: VMError';
const types = { Error, TypeError, RangeError, ReferenceError, SyntaxError, EvalError, URIError };

// What the code throws of its own.
const own = Object.keys(types).flatMap((name) => [
  {
    name: `${name} that the code throws is one in the host`, source: CROSS,
    run(vm2, assert) {
      const problem = thrown(() => new vm2.VM().run(`throw new ${name}('of the code')`));
      assert.ok(problem instanceof types[name]);
      assert.ok(problem instanceof Error);
      assert.strictEqual(problem.name, name);
      assert.strictEqual(problem.message, 'of the code');
    },
  },
  {
    name: `${name} that the host throws is one in the code`, source: CROSS,
    run(vm2, assert) {
      const vm = new vm2.VM({ sandbox: { fail() { throw new types[name]('of the host'); } } });
      assert.strictEqual(vm.run(`try { fail() } catch (e) { [e instanceof ${name}, e instanceof Error, e.name, e.message].join() }`), `true,true,${name},of the host`);
    },
  },
]);

// What the engine throws.
const ofTheEngine = [
  ['a name that is not there', 'nowhere', ReferenceError, /nowhere is not defined/], ['a member of null', 'null.x', TypeError, /Cannot read properties of null/], ['a call of what is no function', '(5)()', TypeError, /is not a function/],
  ['a constant that is assigned', 'const a = 1; a = 2', TypeError, /Assignment to constant/], ['a length that cannot be', 'new Array(-1)', RangeError, /Invalid array length/], ['too deep a recursion', '(function f() { f() })()', RangeError, /Maximum call stack/],
  ['a text that is no URI', 'decodeURIComponent("%")', URIError, /URI malformed/], ['JSON that is none', 'JSON.parse("{")', SyntaxError, /JSON/], ['a regular expression that is none', 'new RegExp("(")', SyntaxError, /Invalid regular expression/],
  ['a name before it is declared', 'a; let a', ReferenceError, /before initialization/], ['a big integer and a number', '1n + 1', TypeError, /BigInt/], ['an iteration of what has none', '[...5]', TypeError, /iterable/],
].map(([name, code, type, text]) => ({
  name: `the engine throws of ${name}`, source: ERRORS,
  run(vm2, assert) {
    const problem = thrown(() => new vm2.VM().run(code));
    assert.ok(problem instanceof type, String(problem?.name));
    assert.match(problem.message, text);
  },
}));

// What cannot be compiled.
const syntax = [
  ['two names', 'a b'], ['a bracket too many', 'f())'], ['an end too soon', 'function f() {'], ['a word that is reserved', 'var class = 1'], ['a text without end', '"abc'], ['return outside of a function', 'return 1'], ['a name twice', 'let a; let a'],
  ['await outside of a function', 'await 1'], ['an import', 'import fs from "fs"'],
].map(([name, code]) => ({
  name: `code that cannot be compiled: ${name}`, source: ERRORS,
  run: (vm2, assert) => assert.ok(thrown(() => new vm2.VM().run(code)) instanceof SyntaxError),
}));

// What else may be thrown.
const values = [
  ['a text', '"text"', 'text'], ['a number', '5', 5], ['null', 'null', null], ['undefined', 'undefined', undefined], ['false', 'false', false], ['an object', '({ code: 3, list: [1] })', { code: 3, list: [1] }], ['an array', '[1, 2]', [1, 2]],
].flatMap(([name, code, value]) => [
  { name: `the code throws ${name}`, source: ERRORS, run: (vm2, assert) => assert.deepStrictEqual(thrown(() => new vm2.VM().run(`throw ${code}`)), value) },
  ...(value !== null && typeof value === 'object' ? [] : [{ name: `the host throws ${name}`, source: ERRORS, run(vm2, assert) {
    const vm = new vm2.VM({ sandbox: { fail() { throw value; } } });
    assert.deepStrictEqual(vm.run('var got; try { fail() } catch (e) { got = e } got'), value);
  } }]),
]);

module.exports = [...own, ...ofTheEngine, ...syntax, ...values,
  {
    name: 'an error that the code throws keeps members', source: ERRORS,
    run(vm2, assert) {
      const problem = thrown(() => new vm2.VM().run('const e = new Error("x"); e.code = "EMINE"; e.status = 404; e.detail = { a: [1] }; throw e'));
      assert.deepStrictEqual([problem.code, problem.status, problem.detail.a[0]], ['EMINE', 404, 1]);
    },
  },
  {
    name: 'an error that the host throws keeps members', source: ERRORS,
    run(vm2, assert) {
      const vm = new vm2.VM({ sandbox: { fail() { throw Object.assign(new Error('x'), { code: 'EMINE', status: 404 }); } } });
      assert.strictEqual(vm.run('try { fail() } catch (e) { e.code + e.status }'), 'EMINE404');
    },
  },
  {
    name: 'an error of the host that the code does not catch is thrown by run', source: ERRORS,
    run(vm2, assert) {
      const problem = new RangeError('mine'), vm = new vm2.VM({ sandbox: { fail() { throw problem; } } });
      const got = thrown(() => vm.run('fail()'));
      assert.ok(got instanceof RangeError);
      assert.strictEqual(got.message, 'mine');
    },
  },
  {
    name: 'an error of the host that passes through the code is the same one', source: CROSS,
    run(vm2, assert) {
      const problem = new Error('mine'), vm = new vm2.VM({ sandbox: { fail() { throw problem; } } });
      assert.ok(thrown(() => vm.run('fail()')) === problem);
    },
  },
  {
    name: 'an error of the code that passes through the host is the same one', source: CROSS,
    run(vm2, assert) {
      const vm = new vm2.VM({ sandbox: { run: (f) => f() } });
      assert.strictEqual(vm.run('const mine = new Error("x"); let same; try { run(() => { throw mine }) } catch (e) { same = e === mine } same'), true);
    },
  },
  {
    name: 'an error of a function that the host calls is thrown there', source: ERRORS,
    run: (vm2, assert) => assert.throws(() => new vm2.VM().run('(function () { throw new TypeError("late") })')(), (e) => e instanceof TypeError && e.message === 'late'),
  },
  {
    name: 'an error of a class of the code has its name', source: ERRORS,
    run(vm2, assert) {
      const problem = thrown(() => new vm2.VM().run('class Mine extends Error { constructor(m) { super(m); this.name = "Mine" } } throw new Mine("x")'));
      assert.ok(problem instanceof Error);
      assert.deepStrictEqual([problem.name, problem.message], ['Mine', 'x']);
    },
  },
  {
    name: 'an error of a class of the host has its name and members', source: ERRORS,
    run(vm2, assert) {
      class Mine extends Error { constructor(text) { super(text); this.name = 'Mine'; this.code = 7; } }
      const vm = new vm2.VM({ sandbox: { fail() { throw new Mine('x'); } } });
      assert.strictEqual(vm.run('try { fail() } catch (e) { [e.name, e.message, e.code, e instanceof Error].join() }'), 'Mine,x,7,true');
    },
  },
  {
    name: 'an error keeps its cause', source: ERRORS,
    run(vm2, assert) {
      const problem = thrown(() => new vm2.VM().run('throw new Error("outer", { cause: new TypeError("inner") })'));
      assert.ok(problem.cause instanceof TypeError);
      assert.strictEqual(problem.cause.message, 'inner');
    },
  },
  {
    name: 'an AggregateError keeps its errors', source: ERRORS,
    run(vm2, assert) {
      const problem = thrown(() => new vm2.VM().run('throw new AggregateError([new Error("a"), new TypeError("b")], "all")'));
      assert.strictEqual(problem.message, 'all');
      assert.deepStrictEqual(Array.from(problem.errors, (e) => e.message), ['a', 'b']);
    },
  },
  {
    name: 'an error as text', source: ERRORS,
    run: (vm2, assert) => assert.strictEqual(String(thrown(() => new vm2.VM().run('throw new RangeError("far")'))), 'RangeError: far'),
  },
  {
    name: 'an error has a stack that begins with its name', source: ERRORS,
    run: (vm2, assert) => assert.match(thrown(() => new vm2.VM().run('throw new RangeError("far")')).stack, /^RangeError: far/),
  },
  {
    name: 'an error has a stack within the code', source: ERRORS,
    run: (vm2, assert) => assert.match(new vm2.VM().run('try { null.x } catch (e) { e.stack }'), /^TypeError: Cannot read/),
  },
  {
    name: 'the stack of what the code throws names file and line', source: 'README: Loading modules by relative path', lacks: lacks.stack,
    run: (vm2, assert) => assert.match(thrown(() => new vm2.VM().run('\n\nthrow new Error("x")', 'mine.js')).stack, /mine\.js:3/),
  },
  {
    name: 'the stack of what NodeVM throws names file and line', source: 'README: Loading modules by relative path', lacks: lacks.stack,
    run: (vm2, assert) => assert.match(thrown(() => new vm2.NodeVM().run('\n\nthrow new Error("x")', '/data/mine.js')).stack, /\/data\/mine\.js:3/),
  },
  {
    name: 'the stack of what cannot be compiled names file and line', source: ERRORS,
    run: (vm2, assert) => assert.match(thrown(() => new vm2.VM().run('\n\na b', 'mine.js')).stack, /mine\.js:3/),
  },
  {
    name: 'the stack of what NodeVM cannot compile names file and line', source: ERRORS,
    run: (vm2, assert) => assert.match(thrown(() => new vm2.NodeVM().run('\n\na b', '/data/mine.js')).stack, /\/data\/mine\.js:3/),
  },
  {
    name: 'the stack names the function', source: ERRORS, lacks: lacks.stack,
    run: (vm2, assert) => assert.match(thrown(() => new vm2.VM().run('function outer() { inner() } function inner() { throw new Error("x") } outer()')).stack, /at inner [\s\S]*at outer /),
  },
  {
    name: 'Error.captureStackTrace gives a stack', source: ERRORS,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM().run('const o = {}; Error.captureStackTrace(o); typeof o.stack'), 'string'),
  },
  {
    name: 'Error.prepareStackTrace of the code is used', source: ERRORS,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM().run('Error.prepareStackTrace = (e, sites) => Array.isArray(sites) && sites.length > 0; new Error("x").stack'), true),
  },
  {
    name: 'Error.prepareStackTrace of the code is told file and line', source: ERRORS,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM().run('Error.prepareStackTrace = (e, sites) => sites[0].getFileName() + ":" + sites[0].getLineNumber();\nnew Error("x").stack', 'mine.js'), 'mine.js:2'),
  },
  {
    name: 'a program goes on after an error of the code', source: ERRORS,
    run(vm2, assert) {
      const vm = new vm2.VM();
      thrown(() => vm.run('var a = 1; null.x'));
      assert.strictEqual(vm.run('a'), 1);
    },
  },
  {
    name: 'a VMError is an Error', source: TYPES,
    run(vm2, assert) {
      const problem = new vm2.VMError('text', 'ECODE');
      assert.ok(problem instanceof Error);
      assert.deepStrictEqual([problem.name, problem.message, problem.code], ['VMError', 'text', 'ECODE']);
    },
  },
  {
    name: 'a VMError has a stack', source: TYPES,
    run: (vm2, assert) => assert.match(new vm2.VMError('text').stack, /VMError: text/),
  },
  {
    name: 'an error in a timer of NodeVM reaches uncaughtException', source: ERRORS, differs: differs.lateError,
    run(vm2, assert, place) {
      const done = program(place, "process.on('uncaughtException', (e) => console.log('caught', e.message)); new vm2.NodeVM().run('setTimeout(() => { throw new Error(\"late\") }, 1)');");
      assert.strictEqual(done.out.trim(), 'caught late');
      assert.strictEqual(done.status, 0);
    },
  },
];
