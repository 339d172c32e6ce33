// What code does to end, hang or fill the program that runs it: the program goes on. usage: node survive.js MODULE [WORD]   (TAP)
'use strict';
const assert = require('assert');
const path = require('path');
const { VM, NodeVM, VMError } = require(path.resolve(process.argv[2]));

const only = process.argv[3] ?? '';
const MEGABYTE = 1 << 20, HOST_MAX = 700 * MEGABYTE, LATE_MS = 1500;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const OVER = { timeout: /^Script execution timed out after \d+ms$/, memory: /memory|allocation failed/, large: /larger than what may cross|Invalid string length/, stack: /Maximum call stack/, ended: /has ended|memory/, protocol: /not as it should be/ };
let number = 0, failed = 0, worst = 0;

// The loop of the program is never held up but while it waits for the sandbox itself.
async function check(name, work) {
  if (!name.includes(only)) return;
  const began = Date.now();
  try {
    await work();
    assert.ok(process.memoryUsage().rss < HOST_MAX, `the program has ${process.memoryUsage().rss >> 20} MB`);
    console.log(`ok ${++number} - ${name}`);
  } catch (problem) {
    failed++;
    console.log(`not ok ${++number} - ${name}\n${String(problem.stack).replace(/^/gm, '# ')}`);
  }
  worst = Math.max(worst, Date.now() - began);
}

function ends(work, how, ms) {
  const began = Date.now();
  try {
    work();
  } catch (problem) {
    const message = String(problem?.message);
    assert.ok(how.some((it) => OVER[it]?.test(message)), `it ended with: ${message}`);
    assert.ok(Date.now() - began < ms + LATE_MS, `it took ${Date.now() - began} ms`);
    return;
  }
  assert.ok(how.includes('value'), 'it did not end with an error');
}

const LOOPS = {
  'a loop': 'for (;;);', 'jobs of promises': '(function again() { Promise.resolve().then(again) })()', 'asynchronous code': '(async () => { for (;;) await 0 })()', 'a regular expression': '/^(a+)+$/.test("a".repeat(50) + "b")',
  'a getter of the result': '({ get a() { for (;;); } })', 'a proxy as the result': 'new Proxy({}, { ownKeys() { for (;;); } })', 'the prototype of the result': 'new Proxy({}, { getPrototypeOf() { for (;;); } })',
  'a getter of an error': 'throw { get message() { for (;;); } }', 'the name of an error': 'const e = new Error(); Object.defineProperty(e, "name", { get() { for (;;); } }); throw e', 'the stack of an error': 'const f = new Error(); Object.defineProperty(f, "stack", { get() { for (;;); } }); throw f',
  'a comparison': '[1, 2, 3].sort(() => { for (;;); })', 'a callback of the host': 'call(() => { for (;;); })', 'calls of the host without end': 'for (;;) same(1)', 'the species of a promise': 'class P extends Promise { static get [Symbol.species]() { for (;;); } } new P(() => {})',
  'an argument of the host': 'same({ get a() { for (;;); } })', 'waiting for memory': 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)', 'a generator': 'function* g() { for (;;) yield 1 } [...g()]', 'a symbol of conversion': '`${{ [Symbol.toPrimitive]() { for (;;); } }}`',
  'what eval makes': 'eval("for (;;);")', 'what Function makes': 'new Function("for (;;);")()', 'a big number': '(() => { let n = 3n; for (;;) n **= 2n; })()', 'a sorted list': 'const l = Array.from({ length: 1e7 }, Math.random); for (;;) l.sort()', 'a text': 'const t = "a".repeat(1 << 28); for (;;) t.split("").join("")',
};
const BOMBS = {
  'typed arrays': 'const l = []; for (;;) l.push(new Uint8Array(1e7).fill(1))', 'buffers': 'const l = []; for (;;) l.push(Buffer.alloc(1e7, 1))', 'lists': 'const l = []; for (;;) l.push(new Array(1e6).fill(Math.random()))',
  'a large list': 'new Array(3e7).fill({})', 'a text that doubles': 'let x = "ab"; for (;;) x += x', 'texts': 'const l = [], t = "x".repeat(1e6); for (;;) l.push((t + Math.random()).split("").join(""))', 'a list of 4e9': 'const l = []; l.length = 4e9; l.fill(1)', 'closures': 'const l = []; for (;;) { const big = new Array(1e5).fill(1); l.push(() => big) }',
  'array buffers that grow': 'const l = []; for (;;) l.push(new Uint8Array(new ArrayBuffer(1e7)).fill(2))', 'shared memory': 'const l = []; for (;;) l.push(new Uint8Array(new SharedArrayBuffer(1e7)).fill(2))',
};
const RESULTS = { 'a text of 500 MB': ['"x".repeat(5e8)', 'large'], 'bytes of 100 MB': ['Buffer.alloc(1e8)', 'large'], 'a list of 5 million': ['new Array(5e6).fill(0)', 'large'], 'a list of 4e9 holes': ['const l = []; l.length = 4e9; l', 'large'], 'a chain of 200,000': ['let c = {}; for (let i = 0; i < 2e5; i++) c = { c }; c', 'value'],
  'a cycle': ['const o = {}; o.o = [o, new Map([[o, o]])]; o', 'value'], 'recursion without end': ['(function f() { f() })()', 'stack'], 'a getter that calls itself': ['const o = { get a() { return this.a } }; o', 'stack'], 'a proxy of a proxy, deep': ['let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.a', 'stack'] };

async function main() {
  for (const [name, code] of Object.entries(LOOPS)) {
    await check(`a loop in ${name}`, () => {
      const vm = new VM({ timeout: 200, sandbox: { same: (it) => it, call: (it) => it() } });
      ends(() => vm.run(code), ['timeout', 'memory', 'stack'], 200);
      assert.strictEqual(vm.run('6 * 7'), 42);
      vm.dispose();
    });
  }
  await check('a loop in what was returned', () => {
    const vm = new VM({ timeout: 200 }), loops = vm.run('() => { for (;;); }');
    ends(() => loops(), ['timeout'], 200);
    assert.strictEqual(vm.run('6 * 7'), 42);
  });
  await check('a loop behind a promise of the host', async () => {
    const vm = new VM({ timeout: 200, sandbox: { later: () => sleep(10) } }), began = Date.now();
    await assert.rejects(vm.run('(async () => { await later(); for (;;); })()'), { message: OVER.timeout });
    assert.ok(Date.now() - began < 200 + LATE_MS);
  });
  for (const [name, code] of Object.entries(BOMBS)) {
    await check(`a bomb of ${name}`, () => {
      const vm = new VM({ timeout: 6000 });
      ends(() => vm.run(code), ['memory', 'timeout', 'large', 'ended'], 6000);
      assert.strictEqual(vm.run('6 * 7'), 42);
      vm.dispose();
    });
  }
  await check('a bomb of wasm memory', () => {
    const vm = new VM({ timeout: 6000, ambit: { jit: true } });
    ends(() => vm.run('const l = []; for (;;) l.push(new Uint8Array(new WebAssembly.Memory({ initial: 1000 }).buffer).fill(1))'), ['memory', 'ended'], 6000);
  });
  for (const [name, [code, how]] of Object.entries(RESULTS)) {
    await check(`a result: ${name}`, () => {
      const vm = new VM({ timeout: 5000 });
      ends(() => vm.run(code), [how, 'timeout'], 5000);
      assert.strictEqual(vm.run('6 * 7'), 42);
      vm.dispose();
    });
  }
  await check('an argument that is too large is refused, and nothing is lost', () => {
    const vm = new VM();
    vm.run('var kept = 1');
    assert.throws(() => vm.setGlobal('large', 'x'.repeat(40 * MEGABYTE)), OVER.large);
    assert.strictEqual(vm.run('kept'), 1);
  });
  await check('an argument of 10 MB', () => assert.strictEqual(new VM().run('(it) => it.length')('x'.repeat(10 * MEGABYTE)), 10 * MEGABYTE));
  await check('a million timers', async () => {
    const vm = new NodeVM({ timeout: 4000 });
    ends(() => vm.run('for (let i = 0; i < 1e6; i++) setTimeout(() => {}, 1)'), ['timeout', 'value'], 4000);
    await sleep(50);
    vm.dispose();
  });
  await check('rejections and errors that nobody handles', async () => {
    const vm = new NodeVM();
    vm.run('Promise.reject(new Error("a")); setTimeout(() => { throw new Error("b") }, 1); setImmediate(() => { null.x }); process.nextTick(() => { throw 1 }); queueMicrotask(() => { throw new Error("c") })');
    new VM().run('Promise.reject(new Error("d")); 1');
    await sleep(100);
    assert.strictEqual(vm.run('module.exports = 5'), 5);
  });
  await check('a loop in a timer ends with its time, and there is a fresh sandbox', async () => {
    const vm = new NodeVM({ timeout: 300 });
    vm.run('setTimeout(() => { for (;;); }, 5)');
    const began = Date.now();
    await sleep(50);
    assert.ok(Date.now() - began < 500, 'the loop of the program was held up');
    ends(() => vm.run('module.exports = 1'), ['timeout'], 300);
    assert.strictEqual(vm.run('module.exports = 2'), 2);
  });
  await check('a flood of output while the program waits', () => {
    const vm = new NodeVM({ console: 'redirect', timeout: 300 });
    let lines = 0;
    vm.on('console.log', () => lines++);
    ends(() => vm.run('for (;;) console.log("x".repeat(1000))'), ['timeout'], 300);
    assert.ok(lines > 10);
  });
  await check('a flood of output while it does something else', async () => {
    const vm = new NodeVM({ console: 'redirect' });
    let lines = 0, turns = 0;
    vm.on('console.log', () => lines++);
    vm.run('setImmediate(function again() { for (let i = 0; i < 1000; i++) console.log(i); setImmediate(again) })');
    for (const began = Date.now(); Date.now() - began < 500; turns++) await sleep(5);
    assert.ok(turns > 10 && lines > 100, `${turns} turns, ${lines} lines`);
    vm.dispose();
  });
  for (const [name, code, how] of [['exits', 'process.exit(3)', 'ended'], ['kills itself', 'process.kill(process.pid, "SIGKILL")', 'ended'], ['aborts', 'process.abort()', 'memory'], ['kills all that it can', 'try { process.kill(-1, "SIGKILL") } catch {} for (;;);', 'ended']]) {
    await check(`the sandbox ${name}`, () => {
      const vm = new NodeVM({ timeout: 2000 });
      ends(() => vm.run(code), [how, 'timeout'], 2000);
      assert.strictEqual(vm.run('module.exports = 2'), 2);
    });
  }
  await check('the sandbox writes to the descriptors of the process', () => {
    const vm = new NodeVM({ require: { builtin: ['fs'] }, timeout: 2000 });
    assert.strictEqual(vm.run('const fs = require("fs"); for (const fd of [0, 1, 2]) try { fs.writeSync(fd, "x".repeat(1000)) } catch {} module.exports = 1'), 1);
    ends(() => vm.run('const fs = require("fs"); for (let fd = 3; fd < 64; fd++) try { fs.writeSync(fd, "x".repeat(1000)) } catch {} module.exports = 1'), ['value', 'timeout', 'protocol', 'ended'], 2000);
    vm.dispose();
  });
  await check('the sandbox closes its descriptors', () => {
    const vm = new NodeVM({ require: { builtin: ['fs'] }, timeout: 2000 });
    ends(() => vm.run('const fs = require("fs"); for (let fd = 0; fd < 64; fd++) try { fs.closeSync(fd) } catch {} for (;;);'), ['ended', 'timeout'], 2000);
  });
  await check('what a sandbox is to begin with does not cross', () => {
    const odd = { get a() { throw new RangeError('odd'); } };
    for (const more of [{}, { reuse: 'tenant' }]) {
      const vm = new VM({ sandbox: { odd }, ambit: more });
      for (let i = 0; i < 2; i++) assert.throws(() => vm.run('1'), RangeError);
      assert.throws(() => new VM({ sandbox: { it: new SharedArrayBuffer(1) }, ambit: more }).run('1'), VMError);
      assert.strictEqual(new VM({ ambit: more }).run('6 * 7'), 42);
    }
  });
  await check('a function of the host disposes of its own sandbox', () => {
    const vm = new VM({ sandbox: { end: () => vm.dispose() } });
    const before = require('fs').openSync('/dev/null');
    assert.throws(() => vm.run('end(); 1'), { code: 'EDISPOSED' });
    require('fs').closeSync(before);
    assert.strictEqual(vm.run('6 * 7'), 42);
  });
  await check('the helper is killed: sandboxes are gone, and there are others', async () => {
    const { helper } = require(path.resolve(process.argv[2], 'src/helper.js'));
    const vm = new VM({ sandbox: { never: () => new Promise(() => {}) } }), late = vm.run('never()');
    process.kill(helper().pid, 'SIGKILL');
    await sleep(200);
    assert.throws(() => vm.run('1'), VMError);
    await assert.rejects(Promise.race([late, sleep(500).then(() => { throw new VMError('it waits for ever'); })]), VMError);
    assert.strictEqual(new VM().run('6 * 7'), 42);
    assert.strictEqual(vm.run('6 * 7'), 42);
  });
  await check('a process ends though a sandbox never says that it is done', () => {
    const code = `const { VM } = require(${JSON.stringify(path.resolve(process.argv[2]))}); new VM({ sandbox: { later: () => new Promise((resolve) => setTimeout(resolve, 20)) } }).run('later().then(() => { for (;;); })'); setTimeout(() => process.stdout.write('end'), 50)`;
    const done = require('child_process').spawnSync(process.execPath, ['-e', code], { encoding: 'utf8', timeout: 30_000 });
    assert.deepStrictEqual([done.status, done.stdout, done.stderr], [0, 'end', '']);
  });
  await check('two hundred sandboxes one after the other', async () => {
    for (let i = 0; i < 200; i++) {
      const vm = new VM();
      assert.strictEqual(vm.run(`${i} + 1`), i + 1);
      if (i % 3 === 0) vm.dispose();
      if (i % 20 === 0) await sleep(0);
    }
  });
  await check('what is given up says so once, and begins afresh', () => {
    const first = new VM();
    first.run('var kept = 1');
    const others = Array.from({ length: 60 }, () => {
      const vm = new VM();
      vm.run('1');
      return vm;
    });
    assert.throws(() => first.run('kept'), (problem) => problem instanceof VMError && problem.code === 'EGIVENUP');
    assert.strictEqual(first.run('typeof kept'), 'undefined');
    others.forEach((vm) => vm.dispose());
  });
  console.log(`1..${number}`);
  process.exitCode = Math.min(failed, 100);
}

main();
