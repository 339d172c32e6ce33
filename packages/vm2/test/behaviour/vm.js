// VM: its options, its methods, and what the code in it has.
'use strict';
const fs = require('fs');
const path = require('path');
const { write, thrown, evaluates, differs, lacks } = require('./support.js');

const VM = 'README: VM', TYPES = 'types: VM';

// What is there, and what is not.
const globals = ['Object', 'Function', 'Array', 'String', 'Number', 'Boolean', 'Symbol', 'BigInt', 'Date', 'RegExp', 'Math', 'JSON', 'Map', 'Set', 'WeakMap', 'WeakSet', 'Promise', 'Reflect', 'Error', 'TypeError', 'RangeError',
  'SyntaxError', 'ReferenceError', 'EvalError', 'URIError', 'ArrayBuffer', 'DataView', 'Uint8Array', 'Int32Array', 'Float64Array', 'BigInt64Array', 'Intl', 'parseInt', 'parseFloat', 'isNaN', 'isFinite', 'encodeURIComponent',
  'decodeURIComponent', 'escape', 'unescape', 'eval', 'globalThis', 'NaN', 'Infinity', 'undefined', 'Buffer'];
const absent = ['require', 'module', 'exports', 'process', '__filename', '__dirname', 'setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate', 'fetch'];
const inside = [
  ...globals.map((name) => ({ name: `${name} is there`, code: `'${name}' in globalThis`, gives: true })),
  ...absent.map((name) => ({ name: `${name} is not there`, code: `typeof ${name}`, gives: 'undefined' })),
  { name: '`this` is the global object', code: 'this === globalThis', gives: true },
  { name: 'a global variable is a member of the global object', code: 'var a = 1; globalThis.a', gives: 1 },
  { name: 'a name that is assigned is a global', code: 'free = 3; globalThis.free', gives: 3 },
  { name: 'code is not strict by itself', code: '(function () { return this === globalThis })()', gives: true },
  { name: 'code can be strict', code: '"use strict"; (function () { return this === undefined })()', gives: true },
  { name: 'Object.prototype is the end', code: 'Object.getPrototypeOf(Object.prototype)', gives: null },
  { name: 'indirect eval runs', code: '(0, eval)("1 + 2")', gives: 3 },
  { name: 'a Function is made of a text', code: 'new Function("a", "b", "return a * b")(3, 4)', gives: 12 },
  { name: 'the constructor of a function makes functions', code: '(() => {}).constructor("return 5")()', gives: 5 },
  { name: 'a buffer is written and read', code: 'const b = Buffer.alloc(4); b.writeUInt16BE(258, 1); b.toString("hex")', gives: '00010200' },
  { name: 'buffers are joined', code: 'Buffer.concat([Buffer.from("a"), Buffer.from("b")]).toString()', gives: 'ab' },
  { name: 'a buffer of base64', code: 'Buffer.from("aGk=", "base64").toString()', gives: 'hi' },
  { name: 'buffers are compared', code: 'Buffer.from("a").equals(Buffer.from("a"))', gives: true },
  { name: 'Buffer.byteLength', code: 'Buffer.byteLength("\u00e4")', gives: 2 },
  { name: 'a class with a private member', code: 'class A { #x = 1; get x() { return this.#x } }; new A().x', gives: 1 },
  { name: 'a class that extends a built-in', code: 'class L extends Array {}; const l = new L(); l.push(1); l.length', gives: 1 },
  { name: 'a class that extends Error', code: 'class E extends Error {}; try { throw new E("m") } catch (e) { e instanceof E && e.message }', gives: 'm' },
  { name: 'a generator in the code', code: 'function* g() { yield* [1, 2] }; [...g()].join()', gives: '1,2' },
  { name: 'destructuring and spread', code: 'const { a, ...rest } = { a: 1, b: 2 }; JSON.stringify(rest)', gives: '{"b":2}' },
  { name: 'optional chaining', code: 'null?.a ?? 5', gives: 5 },
  { name: 'a labelled loop', code: 'let n = 0; out: for (;;) { for (;;) { if (++n > 3) break out } } n', gives: 4 },
  { name: 'a tagged template', code: '((s, v) => s.raw[0] + v)`x\\n${1}`', gives: 'x\\n1' },
  { name: 'a member of a Map by spread', code: '[...new Map([[1, 2]])][0][1]', gives: 2 },
  { name: 'try, catch and finally', code: 'let s = ""; try { throw "a" } catch (e) { s += e } finally { s += "b" } s', gives: 'ab' },
  { name: 'a catch without a name', code: 'try { throw 1 } catch { "c" }', gives: 'c' },
  { name: 'Reflect.ownKeys', code: 'Reflect.ownKeys({ a: 1, [Symbol.iterator]: 2 }).length', gives: 2 },
  { name: 'a date as text', code: 'new Date(Date.UTC(2020, 0, 2)).toISOString()', gives: '2020-01-02T00:00:00.000Z' },
  { name: 'numbers as text', code: '(1234.5).toFixed(2) + (255).toString(16)', gives: '1234.50ff' },
  { name: 'a sort by a function', code: '[3, 1, 2].sort((a, b) => b - a).join()', gives: '3,2,1' },
  { name: 'a replacement by a function', code: '"a-b".replace(/-(.)/, (m, c) => c.toUpperCase())', gives: 'aB' },
  { name: 'JSON of an object with a function', code: 'JSON.stringify({ a: () => 1, b: 2 })', gives: '{"b":2}' },
  { name: 'unicode names', code: 'const \u00e4\u00f6 = 4; \u00e4\u00f6', gives: 4 },
  { name: 'a comment at the end', code: '5 // five', gives: 5 },
  { name: 'a text of several lines', code: 'const a = 1\nconst b = 2\na + b', gives: 3 },
  { name: 'a line of a shell at the beginning', code: '#!/usr/bin/env node\n6', gives: 6 },
  { name: 'an empty text', code: '', gives: undefined },
];

module.exports = [...evaluates(VM, inside),
  {
    name: 'a VM without options', source: TYPES,
    run: (vm2, assert) => assert.strictEqual(new vm2.VM().run('1 + 1'), 2),
  },
  {
    name: 'a VM keeps its state from run to run', source: VM,
    run(vm2, assert) {
      const vm = new vm2.VM();
      vm.run('var n = 1; function next() { return ++n }');
      vm.run('next()');
      assert.strictEqual(vm.run('next()'), 3);
    },
  },
  {
    name: 'let and const stay from run to run', source: VM,
    run(vm2, assert) {
      const vm = new vm2.VM();
      vm.run('let a = 1; const b = 2; class C {}');
      assert.strictEqual(vm.run('a = a + b; typeof C + a'), 'function3');
    },
  },
  {
    name: 'two VMs share no globals', source: VM,
    run(vm2, assert) {
      const one = new vm2.VM(), two = new vm2.VM();
      one.run('var mine = 1; Array.prototype.mine = 1');
      assert.strictEqual(two.run('typeof mine + typeof [].mine'), 'undefinedundefined');
    },
  },
  {
    name: 'a VM leaves the globals of the host alone', source: VM,
    run(vm2, assert) {
      new vm2.VM().run('var leaked = 1; Object.prototype.leaked = 1; Array.prototype.leaked = 1');
      assert.strictEqual(globalThis.leaked, undefined);
      assert.strictEqual([].leaked, undefined);
    },
  },
  {
    name: 'many VMs live side by side', source: VM,
    run(vm2, assert) {
      const vms = Array.from({ length: 5 }, (_, i) => new vm2.VM({ sandbox: { i } }));
      assert.deepStrictEqual(vms.map((vm) => vm.run('i * 2')), [0, 2, 4, 6, 8]);
    },
  },
  {
    name: 'option sandbox: members are globals', source: 'types: VMOptions.sandbox',
    run: (vm2, assert) => assert.strictEqual(new vm2.VM({ sandbox: { a: 1, f: (x) => x + 1 } }).run('f(a)'), 2),
  },
  {
    name: 'option sandbox: what is no object is refused', source: 'types: VMOptions.sandbox',
    run: (vm2, assert) => assert.throws(() => new vm2.VM({ sandbox: 'text' }), (e) => e instanceof vm2.VMError && /Sandbox must be/.test(e.message)),
  },
  {
    name: 'option timeout ends a loop', source: 'types: VMOptions.timeout',
    run: (vm2, assert) => assert.throws(() => new vm2.VM({ timeout: 50 }).run('while (true) {}'), /Script execution timed out after 50ms/),
  },
  {
    name: 'what a timeout throws has the code of Node', source: 'types: VMOptions.timeout',
    run: (vm2, assert) => assert.strictEqual(thrown(() => new vm2.VM({ timeout: 20 }).run('for (;;);')).code, 'ERR_SCRIPT_EXECUTION_TIMEOUT'),
  },
  {
    name: 'what a timeout throws is an Error', source: 'types: VMOptions.timeout', lacks: 'it is an error of another context',
    run: (vm2, assert) => assert.ok(thrown(() => new vm2.VM({ timeout: 20 }).run('for (;;);')) instanceof Error),
  },
  {
    name: 'a VM is of use after a timeout', source: 'types: VMOptions.timeout',
    run(vm2, assert) {
      const vm = new vm2.VM({ timeout: 50 });
      vm.run('var kept = 4');
      thrown(() => vm.run('for (;;);'));
      assert.strictEqual(vm.run('kept + 1'), 5);
    },
  },
  {
    name: 'a timeout that is not reached changes nothing', source: 'types: VMOptions.timeout',
    run: (vm2, assert) => assert.strictEqual(new vm2.VM({ timeout: 5000 }).run('let n = 0; for (let i = 0; i < 1000; i++) n += i; n'), 499500),
  },
  {
    name: 'the code cannot catch its timeout', source: 'types: VMOptions.timeout',
    run: (vm2, assert) => assert.throws(() => new vm2.VM({ timeout: 50 }).run('try { for (;;); } catch (e) { "caught" } finally { }'), /timed out/),
  },
  {
    name: 'the member timeout can be read', source: 'types: VM.timeout',
    run: (vm2, assert) => assert.strictEqual(new vm2.VM({ timeout: 70 }).timeout, 70),
  },
  {
    name: 'the member timeout can be set', source: 'types: VM.timeout',
    run(vm2, assert) {
      const vm = new vm2.VM();
      vm.timeout = 30;
      assert.throws(() => vm.run('for (;;);'), /timed out after 30ms/);
    },
  },
  {
    name: 'option eval: false refuses eval', source: 'types: VMOptions.eval',
    run: (vm2, assert) => assert.strictEqual(thrown(() => new vm2.VM({ eval: false }).run('eval("1")')).name, 'EvalError'),
  },
  {
    name: 'option eval: false refuses indirect eval', source: 'types: VMOptions.eval',
    run: (vm2, assert) => assert.strictEqual(thrown(() => new vm2.VM({ eval: false }).run('(0, eval)("1")')).name, 'EvalError'),
  },
  ...['Function', '(function* () {}).constructor', '(async function () {}).constructor', '(async function* () {}).constructor'].map((type) => ({
    name: `option eval: false refuses ${type}`, source: 'types: VMOptions.eval',
    run: (vm2, assert) => assert.strictEqual(thrown(() => new vm2.VM({ eval: false }).run(`${type}("return 1")`)).name, 'EvalError'),
  })),
  {
    name: 'what option eval: false throws is caught by the code', source: 'types: VMOptions.eval',
    run: (vm2, assert) => assert.strictEqual(new vm2.VM({ eval: false }).run('try { Function("1") } catch (e) { e instanceof EvalError }'), true),
  },
  {
    name: 'option eval: true is the default', source: 'types: VMOptions.eval',
    run: (vm2, assert) => assert.strictEqual(new vm2.VM({ eval: true }).run('new Function("return 3")()'), 3),
  },
  {
    name: 'option eval: false runs other code', source: 'types: VMOptions.eval',
    run: (vm2, assert) => assert.strictEqual(new vm2.VM({ eval: false }).run('[1, 2].map((n) => n * 2).join()'), '2,4'),
  },
  {
    name: 'option wasm: true gives WebAssembly', source: 'types: VMOptions.wasm', differs: 'Without `jit` a cell has no WebAssembly: there is no memory in it that can be written and executed.',
    run: (vm2, assert) => assert.strictEqual(new vm2.VM().run('new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) instanceof WebAssembly.Module'), true),
  },
  {
    name: 'option wasm: false refuses a module', source: 'types: VMOptions.wasm', differs: 'Without `jit` a cell has no WebAssembly: there is no memory in it that can be written and executed.',
    run: (vm2, assert) => assert.strictEqual(new vm2.VM({ wasm: false }).run('try { new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])); "made" } catch (e) { e.name }'), 'CompileError'),
  },
  {
    name: 'option bufferAllocLimit refuses what is larger', source: 'README: Hardening recommendations', 
    run: (vm2, assert) => assert.strictEqual(thrown(() => new vm2.VM({ bufferAllocLimit: 1000 }).run('Buffer.alloc(1001)')).name, 'RangeError'),
  },
  ...['Buffer.alloc(N)', 'Buffer.allocUnsafe(N)', 'Buffer.allocUnsafeSlow(N)', 'Buffer(N)', 'new Buffer(N)'].map((code) => ({
    name: `option bufferAllocLimit holds for ${code}`, source: 'README: VM (bufferAllocLimit)',
    run(vm2, assert) {
      const vm = new vm2.VM({ bufferAllocLimit: 1000 });
      assert.strictEqual(vm.run(`${code.replace('N', '1000')}.length`), 1000);
      assert.strictEqual(vm.run(`try { ${code.replace('N', '1001')}; "made" } catch (e) { e instanceof RangeError }`), true);
    },
  })),
  {
    name: 'option bufferAllocLimit has no default', source: 'README: VM (bufferAllocLimit)',
    run: (vm2, assert) => assert.strictEqual(new vm2.VM().run('Buffer.alloc(1 << 20).length'), 1 << 20),
  },
  ...[['a text', '"1000"'], ['a negative number', '-1'], ['NaN', 'NaN']].map(([what, value]) => ({
    name: `option bufferAllocLimit as ${what} is refused`, source: 'README: VM (bufferAllocLimit)',
    run: (vm2, assert) => assert.throws(() => new vm2.VM({ bufferAllocLimit: new Function(`return ${value}`)() })),
  })),
  {
    name: 'run takes a file name as text', source: 'types: VM.run', lacks: lacks.stack,
    run: (vm2, assert) => assert.match(new vm2.VM().run('new Error("x").stack', 'named.js'), /named\.js:1/),
  },
  {
    name: 'run takes a file name as an option', source: 'types: VM.run', lacks: lacks.stack,
    run: (vm2, assert) => assert.match(new vm2.VM().run('new Error("x").stack', { filename: 'named.js' }), /named\.js:1/),
  },
  {
    name: 'without a file name it is vm.js', source: 'README: VM (vm.js)', lacks: lacks.stack,
    run: (vm2, assert) => assert.match(new vm2.VM().run('new Error("x").stack'), /vm\.js:1/),
  },
  {
    name: 'run takes a VMScript', source: 'types: VM.run',
    run: (vm2, assert) => assert.strictEqual(new vm2.VM({ sandbox: { a: 3 } }).run(new vm2.VMScript('a + 1')), 4),
  },
  {
    name: 'runFile runs a file', source: 'types: VM.runFile',
    run: (vm2, assert, place) => assert.strictEqual(new vm2.VM({ sandbox: { a: 2 } }).runFile(path.join(write(place, { 'script.js': 'a * 21' }), 'script.js')), 42),
  },
  {
    name: 'runFile names the file in stacks', source: 'types: VM.runFile', lacks: lacks.stack,
    run: (vm2, assert, place) => assert.match(String(new vm2.VM().runFile(path.join(write(place, { 'script.js': '\nnew Error("x").stack' }), 'script.js'))), /script\.js:2/),
  },
  {
    name: 'runFile refuses a file that is not there', source: 'types: VM.runFile',
    run: (vm2, assert, place) => assert.throws(() => new vm2.VM().runFile(path.join(place, 'none.js')), (e) => e instanceof vm2.VMError && /not found/.test(e.message)),
  },
  {
    name: 'runFile refuses a directory', source: 'types: VM.runFile',
    run: (vm2, assert, place) => assert.throws(() => new vm2.VM().runFile(place), (e) => e instanceof vm2.VMError && /must be file/.test(e.message)),
  },
  {
    name: 'setGlobal gives a global', source: 'types: VM.setGlobal',
    run(vm2, assert) {
      const vm = new vm2.VM();
      vm.setGlobal('a', { b: 1 });
      assert.strictEqual(vm.run('a.b'), 1);
    },
  },
  {
    name: 'setGlobal replaces a global', source: 'types: VM.setGlobal',
    run(vm2, assert) {
      const vm = new vm2.VM({ sandbox: { a: 1 } });
      vm.setGlobal('a', 2);
      assert.strictEqual(vm.run('a'), 2);
    },
  },
  {
    name: 'setGlobal gives a function', source: 'types: VM.setGlobal',
    run(vm2, assert) {
      const vm = new vm2.VM();
      vm.setGlobal('twice', (n) => n * 2);
      assert.strictEqual(vm.run('twice(4)'), 8);
    },
  },
  {
    name: 'setGlobal gives the VM', source: 'types: VM.setGlobal',
    run(vm2, assert) {
      const vm = new vm2.VM();
      assert.strictEqual(vm.setGlobal('a', 1), vm);
    },
  },
  {
    name: 'setGlobals gives globals', source: 'types: VM.setGlobals',
    run(vm2, assert) {
      const vm = new vm2.VM();
      vm.setGlobals({ a: 1, b: (x) => x + 1 });
      assert.strictEqual(vm.run('b(a)'), 2);
    },
  },
  {
    name: 'setGlobals gives the VM', source: 'types: VM.setGlobals',
    run(vm2, assert) {
      const vm = new vm2.VM();
      assert.strictEqual(vm.setGlobals({}), vm);
    },
  },
  {
    name: 'setGlobals takes own members alone', source: 'types: VM.setGlobals',
    run(vm2, assert) {
      const vm = new vm2.VM();
      vm.setGlobals(Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true } }));
      assert.strictEqual(vm.run('typeof inherited + own'), 'undefined2');
    },
  },
  {
    name: 'getGlobal gives a global of the code', source: 'types: VM.getGlobal',
    run(vm2, assert) {
      const vm = new vm2.VM();
      vm.run('var a = 5; b = { c: 1 }');
      assert.strictEqual(vm.getGlobal('a'), 5);
      assert.strictEqual(vm.getGlobal('b').c, 1);
    },
  },
  {
    name: 'getGlobal of what is not there is undefined', source: 'types: VM.getGlobal',
    run: (vm2, assert) => assert.strictEqual(new vm2.VM().getGlobal('nothing'), undefined),
  },
  {
    name: 'getGlobal gives a function that can be called', source: 'types: VM.getGlobal',
    run(vm2, assert) {
      const vm = new vm2.VM();
      vm.run('function f(a) { return a + 1 }');
      assert.strictEqual(vm.getGlobal('f')(1), 2);
    },
  },
  {
    name: 'getGlobal gives what setGlobal gave', source: 'types: VM.getGlobal',
    run(vm2, assert) {
      const vm = new vm2.VM();
      vm.setGlobal('a', { x: [1] });
      assert.deepStrictEqual(vm.getGlobal('a'), { x: [1] });
    },
  },
  {
    name: 'getGlobal gives the very object that setGlobal gave', source: 'types: VM.getGlobal', differs: differs.identity,
    run(vm2, assert) {
      const vm = new vm2.VM(), it = {};
      vm.setGlobal('a', it);
      assert.ok(vm.getGlobal('a') === it);
    },
  },
  {
    name: 'sandbox: a member of the global object is read', source: 'types: VM.sandbox',
    run(vm2, assert) {
      const vm = new vm2.VM();
      vm.run('var a = 7');
      assert.strictEqual(vm.sandbox.a, 7);
    },
  },
  {
    name: 'sandbox: a member that the code changes is seen', source: 'types: VM.sandbox',
    run(vm2, assert) {
      const vm = new vm2.VM({ sandbox: { n: 1 } });
      vm.run('n++');
      assert.strictEqual(vm.sandbox.n, 2);
    },
  },
  {
    name: 'sandbox: a member is written', source: 'types: VM.sandbox',
    run(vm2, assert) {
      const vm = new vm2.VM();
      vm.sandbox.a = 9;
      assert.strictEqual(vm.run('a'), 9);
    },
  },
  {
    name: 'sandbox: a member is deleted', source: 'types: VM.sandbox',
    run(vm2, assert) {
      const vm = new vm2.VM();
      vm.run('a = 1');
      delete vm.sandbox.a;
      assert.strictEqual(vm.run('typeof a'), 'undefined');
    },
  },
  {
    name: 'sandbox: `in` knows members', source: 'types: VM.sandbox',
    run(vm2, assert) {
      const vm = new vm2.VM({ sandbox: { a: 1 } });
      assert.ok('a' in vm.sandbox);
      assert.ok(!('b' in vm.sandbox));
    },
  },
  {
    name: 'sandbox: a function in it can be called', source: 'types: VM.sandbox',
    run(vm2, assert) {
      const vm = new vm2.VM();
      vm.run('function f(a) { return a * 3 }');
      assert.strictEqual(vm.sandbox.f(2), 6);
    },
  },
  {
    name: 'sandbox: its keys have what the code made', source: 'types: VM.sandbox',
    run(vm2, assert) {
      const vm = new vm2.VM({ sandbox: { a: 1 } });
      vm.run('b = 2');
      assert.ok(Object.keys(vm.sandbox).includes('a'));
      assert.ok(Object.keys(vm.sandbox).includes('b'));
    },
  },
  {
    name: 'sandbox: an object deep in it is written by the code, and seen', source: 'types: VM.sandbox',
    run(vm2, assert) {
      const vm = new vm2.VM({ sandbox: { state: { list: [] } } });
      vm.run('state.list.push(1, 2)');
      assert.strictEqual(vm.sandbox.state.list.length, 2);
    },
  },
  {
    name: 'sandbox: an object deep in it is written by the host, and seen', source: 'types: VM.sandbox', differs: differs.lateResult,
    run(vm2, assert) {
      const vm = new vm2.VM();
      vm.run('var state = { n: 1 }');
      vm.sandbox.state.n = 2;
      assert.strictEqual(vm.run('state.n'), 2);
    },
  },
  {
    name: 'an object of the options is left as it was', source: 'types: VMOptions',
    run(vm2, assert) {
      const options = Object.freeze({ timeout: 100, sandbox: Object.freeze({ a: 1 }) });
      assert.strictEqual(new vm2.VM(options).run('a'), 1);
    },
  },
  {
    name: 'a global that the code makes is not in the object of the option', source: 'types: VMOptions.sandbox',
    run(vm2, assert) {
      const sandbox = { a: 1 }, vm = new vm2.VM({ sandbox });
      vm.run('b = 2; a = 3');
      assert.deepStrictEqual(sandbox, { a: 1 });
    },
  },
  {
    name: 'code that is a Buffer is read as text', source: 'README: Debugging a sandboxed code',
    run(vm2, assert, place) {
      const file = path.join(write(place, { 'a.js': '"from a file"' }), 'a.js');
      assert.strictEqual(new vm2.VM().run(new vm2.VMScript(fs.readFileSync(file), file)), 'from a file');
    },
  },
  {
    name: 'a statement `debugger` does nothing', source: 'README: Debugging a sandboxed code',
    run: (vm2, assert) => assert.strictEqual(new vm2.VM().run('debugger; 1'), 1),
  },
  {
    name: 'vm.run of a program that ends the process throws', source: 'README: Quick Examples',
    run: (vm2, assert) => assert.throws(() => new vm2.VM().run('process.exit()')),
  },
  {
    name: 'the constructor of the global object gives no process', source: "README: What is the difference between Node's vm and vm2?",
    run: (vm2, assert) => assert.throws(() => new vm2.VM().run('this.constructor.constructor("return process")().exit()'), (e) => e.name === 'ReferenceError' && /process is not defined/.test(e.message)),
  },
  {
    name: 'a VM can be extended by a class', source: TYPES,
    run(vm2, assert) {
      class Mine extends vm2.VM {
        twice(code) { return this.run(code) * 2; }
      }
      assert.strictEqual(new Mine().twice('4'), 8);
    },
  },
  {
    name: 'a VM run within a function that the code calls', source: 'README: Features (callbacks between sandboxes)',
    run(vm2, assert) {
      const inner = new vm2.VM(), outer = new vm2.VM({ sandbox: { evaluate: (code) => inner.run(code) } });
      assert.strictEqual(outer.run('evaluate("2 + 3") + 1'), 6);
    },
  },
  {
    name: 'a VM is run again while its code calls the host', source: 'README: Features (callbacks between sandboxes)',
    run(vm2, assert) {
      const vm = new vm2.VM({ sandbox: { again: (code) => vm.run(code) } });
      assert.strictEqual(vm.run('var x = 1; again("x + 1") + x'), 3);
    },
  },
  {
    name: 'a function of one VM is given to another', source: 'README: Features (callbacks between sandboxes)',
    run(vm2, assert) {
      const f = new vm2.VM().run('(n) => n + 1'), other = new vm2.VM({ sandbox: { f } });
      assert.strictEqual(other.run('f(1)'), 2);
    },
  },
  {
    name: 'an object of one VM is given to another', source: 'README: Features (exchange data between sandboxes)',
    run(vm2, assert) {
      const o = new vm2.VM().run('({ a: [1, { b: 2 }] })'), other = new vm2.VM({ sandbox: { o } });
      assert.strictEqual(other.run('o.a[1].b'), 2);
    },
  },
];
