// What `ambit:` of the options does, option by option. usage: node ambit.js MODULE [WORD]   (TAP)
'use strict';
const assert = require('assert');
const fs = require('fs');
const net = require('net');
const os = require('os');
const path = require('path');
const { execFileSync } = require('child_process');

const place = path.resolve(process.argv[2]), only = process.argv[3] ?? '';
const { VM, NodeVM, VMError, defaults } = require(place);
const top = fs.mkdtempSync(path.join(fs.realpathSync(process.env.AMBIT_TEST_PLACE ?? '/var/tmp'), 'ambit-options-')); // what lies beneath /tmp no cell sees
const ledger = path.join(top, 'kept'), INSTANCE = { live: true };

/** What the code gives as module.exports, in a NodeVM with those builtins and grants. */
function node(code, ambit, more = {}) {
  const vm = new NodeVM({ timeout: 10_000, console: 'off', require: { builtin: ['*'] }, ambit: { ledger: false, ...ambit }, ...more });
  try {
    return vm.run(code);
  } finally {
    vm.dispose();
  }
}

const reads = (file) => `try { module.exports = require('fs').readFileSync(${JSON.stringify(file)}, 'utf8') } catch (e) { module.exports = e.code }`;
const writes = (file) => `try { require('fs').writeFileSync(${JSON.stringify(file)}, 'new'); module.exports = 'written' } catch (e) { module.exports = e.code }`;
const refused = (ambit, message) => assert.throws(() => new VM({ ambit }), (problem) => problem instanceof VMError && problem.code === 'EOPTION' && message.test(problem.message), JSON.stringify(ambit));
const denied = (code) => assert.ok(['ENOENT', 'EACCES', 'EROFS', 'EPERM'].includes(code), String(code));

function tree(name) {
  const at = path.join(top, name);
  fs.mkdirSync(path.join(at, 'in'), { recursive: true });
  fs.writeFileSync(path.join(at, 'in', 'file'), 'inside');
  fs.writeFileSync(path.join(at, 'beside'), 'outside');
  return at;
}

/** A server that answers `hello`, until the work is done. */
async function served(work) {
  const server = net.createServer((socket) => socket.on('error', () => {}).end('hello'));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await work(server.address().port);
  } finally {
    server.close();
  }
}

const connects = (port) => `module.exports = new Promise((resolve) => {
  let text = '';
  require('net').connect(${port}, '127.0.0.1').on('data', (it) => { text += it; }).on('end', () => resolve(text)).on('error', (e) => resolve(e.code));
})`;

class Counter {
  constructor() { this.count = 1; this.parts = { a: 1 }; }
  add(n) { return (this.count += n); }
  get double() { return 2 * this.count; }
}

const cases = {
  'nothing is granted by default'() {
    const at = tree('none');
    denied(node(reads(`${at}/beside`)));
    denied(node(reads(path.join(os.homedir(), '.profile'))));
    assert.deepStrictEqual(node('module.exports = Object.keys(process.env)'), []);
  },
  'read: what is granted is read, what lies beside is not, and nothing is written'() {
    const at = tree('read'), ambit = { read: `${at}/in` };
    assert.strictEqual(node(reads(`${at}/in/file`), ambit), 'inside');
    denied(node(reads(`${at}/beside`), ambit));
    denied(node(writes(`${at}/in/file`), ambit));
    assert.strictEqual(fs.readFileSync(`${at}/in/file`, 'utf8'), 'inside');
  },
  'read: no link leads out of what is granted'() {
    const at = tree('links');
    fs.symlinkSync(`${at}/beside`, `${at}/in/link`);
    denied(node(reads(`${at}/in/link`), { read: `${at}/in` }));
  },
  'write: what is granted is written, and nothing beside'() {
    const at = tree('write');
    fs.mkdirSync(`${at}/out`);
    assert.strictEqual(node(writes(`${at}/out/file`), { write: `${at}/out` }), 'written');
    assert.strictEqual(fs.readFileSync(`${at}/out/file`, 'utf8'), 'new');
    denied(node(writes(`${at}/in/file`), { write: `${at}/out` }));
    assert.strictEqual(fs.readFileSync(`${at}/in/file`, 'utf8'), 'inside');
  },
  'work: a tree is read and written'() {
    const at = tree('work');
    assert.strictEqual(node(`${reads(`${at}/in/file`)}; require('fs').writeFileSync('${at}/in/file', module.exports + '!')`, { work: at }), 'inside');
    assert.strictEqual(fs.readFileSync(`${at}/in/file`, 'utf8'), 'inside!');
  },
  'grants: in the words of the command line'() {
    const at = tree('grants');
    assert.strictEqual(node(reads(`${at}/in/file`), { grants: [`read ${at}/in`] }), 'inside');
  },
  'workspace: what a dot means'() {
    const at = tree('workspace');
    assert.strictEqual(node(reads(`${at}/in/file`), { workspace: at, read: ['./in'] }), 'inside');
  },
  'run: a program that is granted is started, and no other'() {
    const starts = (file) => `try { module.exports = require('child_process').execFileSync('${file}', ['word'], { encoding: 'utf8' }) } catch (e) { module.exports = e.code }`;
    assert.strictEqual(node(starts('/usr/bin/echo'), { run: '/usr/bin/echo' }), 'word\n');
    denied(node(starts('/usr/bin/id'), { run: '/usr/bin/echo' }));
    denied(node(starts('/usr/bin/echo'), {}));
  },
  async 'connect: what is granted is reached, and nothing else'() {
    await served(async (port) => {
      const get = async (ambit) => {
        const vm = new NodeVM({ timeout: 10_000, require: { builtin: ['net'] }, ambit: { ledger: false, ...ambit } });
        try {
          return await vm.run(connects(port));
        } finally {
          vm.dispose();
        }
      };
      assert.strictEqual(await get({ connect: `127.0.0.1:${port}` }), 'hello');
      assert.ok(/^E/.test(await get({ connect: `127.0.0.1:${port === 65535 ? 1 : port + 1}` })));
      assert.ok(/^E/.test(await get({})));
    });
  },
  'env: variables of the cell'() {
    const shows = 'module.exports = require("fs").readFileSync("/proc/self/environ", "utf8")';
    assert.ok(node(shows, { env: { OURS: 'a=b' } }).split('\0').includes('OURS=a=b'));
    assert.ok(!node(shows, {}).includes('OURS'));
    process.env.AMBIT_TEST_NAME = 'from the program';
    assert.ok(node(shows, { env: ['AMBIT_TEST_NAME'] }).split('\0').includes('AMBIT_TEST_NAME=from the program'));
    assert.ok(!node(shows, {}).includes('AMBIT_TEST_NAME'));
  },
  'memory: of the whole cell'() {
    const takes = 'const l = []; for (let i = 0; i < 20; i++) l.push(Buffer.alloc(10e6, 1)); l.length';
    const vm = new VM({ timeout: 10_000, ambit: { memory: '128M' } });
    assert.throws(() => vm.run(takes), /memory|allocation failed/);
    assert.strictEqual(vm.run('6 * 7'), 42);
    assert.strictEqual(new VM({ timeout: 10_000, ambit: { memory: 1 << 30 } }).run(takes), 20);
  },
  'tasks: so many threads and processes'() {
    const starts = `const { spawn } = require('child_process'); let n = 0; for (let i = 0; i < 40; i++) if (spawn('/usr/bin/sleep', ['100']).on('error', () => {}).pid !== undefined) n++; module.exports = n`;
    const few = node(starts, { run: '/usr/bin/sleep', tasks: 16 }), many = node(starts, { run: '/usr/bin/sleep' });
    assert.ok(few < 16 && many === 40, `${few} and ${many} were started`);
  },
  'limits: as behind --limit'() {
    assert.throws(() => node('require("fs"); for (;;);', { limits: { wall: '1s' } }), (problem) => problem instanceof VMError && problem.code === 'ELIMIT');
    assert.throws(() => new VM({ ambit: { limits: { nothing: 1 } } }).run('1'), VMError);
  },
  'jit: WebAssembly, and none without'() {
    const code = 'typeof WebAssembly === "undefined" ? false : new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) instanceof WebAssembly.Module';
    assert.strictEqual(new VM({ ambit: { jit: true } }).run(code), true);
    let without;
    try {
      without = new VM().run(code);
    } catch {
      without = false;
    }
    assert.strictEqual(without, false);
    assert.throws(() => new VM({ wasm: false, ambit: { jit: true } }).run(code));
  },
  'live: an instance of the host is read, written and called'() {
    const counter = new Counter(), vm = new VM({ sandbox: { counter }, ambit: INSTANCE });
    assert.strictEqual(vm.run('counter.add(4) + counter.double'), 15);
    vm.run('counter.count = 7');
    assert.strictEqual(counter.count, 7);
    assert.deepStrictEqual(vm.run('Object.keys(counter)'), ['count', 'parts']);
    assert.strictEqual(vm.run('counter.hasOwnProperty("count") && "count" in counter && !("nothing" in counter)'), true);
    assert.strictEqual(vm.run('String(counter)'), '[object Counter]');
  },
  'live: what a plain object gets is there'() {
    const given = { a: 1, deep: { b: 2 } }, vm = new VM({ sandbox: { given }, ambit: INSTANCE });
    vm.run('given.a = 5; given.deep.b = 6; given.c = 7');
    assert.deepStrictEqual(given, { a: 5, deep: { b: 6 }, c: 7 });
    given.self = given;
    assert.strictEqual(vm.run('given.self === given && given.self.deep === given.deep'), true);
    assert.strictEqual(vm.run('given.self'), given);
    assert.strictEqual(node(`module.exports = require('m') === require('m') && require('m').f === require('m').f`, INSTANCE, { require: { mock: { m: { f() {} } } } }), true);
  },
  'live: an instance of the sandbox is read, written and called'() {
    const it = new VM({ ambit: INSTANCE }).run('class A { constructor() { this.n = 1; } add(k) { return this.n += k; } } new A()');
    assert.strictEqual(it.add(2), 3);
    it.n = 10;
    assert.strictEqual(it.add(1), 11);
    assert.deepStrictEqual(Object.keys(it), ['n']);
    assert.ok('add' in it && !('sub' in it));
    delete it.n;
    assert.strictEqual(it.n, undefined);
  },
  'live: nothing that all objects have leads out'() {
    const vm = new VM({ sandbox: { counter: new Counter(), work() {} }, ambit: INSTANCE });
    for (const code of ['counter.constructor.constructor("return process")()', 'counter.__proto__.constructor.constructor("return process")()', 'counter.add.constructor("return process")()', 'work.constructor("return process")()']) {
      assert.throws(() => vm.run(`${code}.pid`), code);
    }
    vm.run('try { counter.__proto__ = { bad: 1 }; counter.toString = () => "bad"; counter.constructor = 1 } catch {}');
    assert.ok(!('bad' in new Counter()) && String(new Counter()) === '[object Object]');
  },
  'the environment of the program crosses as data, if it is passed'() {
    process.env.AMBIT_TEST_NAME = 'passed';
    assert.strictEqual(new VM({ sandbox: { env: process.env } }).run('env.AMBIT_TEST_NAME'), 'passed');
    assert.strictEqual(new VM().run('typeof env'), 'undefined');
  },
  'live: the environment and the arguments of a NodeVM are copies'() {
    const env = { A: '1' };
    assert.deepStrictEqual(node('process.env.A += 2; module.exports = [process.env.A, process.argv.length]', INSTANCE, { env, argv: ['x'] }), ['12', 1]);
    assert.deepStrictEqual(env, { A: '1' });
  },
  'without live an instance says what to do'() {
    assert.throws(() => new VM({ sandbox: { counter: new Counter() } }).run('counter.count'), (problem) => problem.code === 'ECLONE' && /live: true/.test(problem.message));
    assert.throws(() => new VM().run('new (class A { f() {} })()').f(), (problem) => problem.code === 'ENOTLIVE' && /live: true/.test(problem.message));
  },
  'message: so many bytes cross at once'() {
    assert.throws(() => new VM({ ambit: { message: '1M' } }).run('"x".repeat(2 << 20)'), VMError);
    assert.strictEqual(new VM({ ambit: { message: '64M' } }).run('"x".repeat(40 << 20)').length, 40 << 20);
    assert.throws(() => new VM({ sandbox: { x: 'x'.repeat(2 << 20) }, ambit: { message: '1M' } }).run('1'), (problem) => problem.code === 'ECLONE');
  },
  'reuse: VMs of a name share a process, and no variables'() {
    const counts = 'Buffer.shared = (Buffer.shared ?? 0) + 1'; // which contexts of a process have in common
    const one = new VM({ ambit: { reuse: 'ann' } }), two = new VM({ ambit: { reuse: 'ann' } }), other = new VM({ ambit: { reuse: 'bob' } });
    one.run('var kept = 1');
    assert.strictEqual(two.run('typeof kept'), 'undefined');
    assert.deepStrictEqual([one.run(counts), two.run(counts), other.run(counts)], [1, 2, 1]);
    one.dispose();
    assert.strictEqual(two.run('6 * 7'), 42);
  },
  'reuse: not for a NodeVM'() {
    assert.throws(() => new NodeVM({ ambit: { reuse: 'ann' } }), (problem) => problem.code === 'EOPTION');
  },
  'ready: cells wait'() {
    const vm = new VM({ ambit: { ready: 1, memory: '300M' } });
    assert.strictEqual(vm.run('6 * 7'), 42);
    assert.strictEqual(new VM({ ambit: { ready: 0, memory: '300M' } }).run('6 * 7'), 42);
    const { forms } = require(path.join(place, 'src', 'helper.js')).helper();
    assert.deepStrictEqual([...forms.keys()].filter((key) => key.includes('memory=314572800')).map((key) => key[0]), ['1', '0']);
  },
  'ready: from the second on one waits, where modules alone are granted, and sees what is there by then'() {
    const root = path.join(top, 'plugins'), old = path.join(top, 'plugins.old'), put = (text) => (fs.mkdirSync(root), fs.writeFileSync(path.join(root, 'x.js'), `module.exports = '${text}'`));
    const run = () => { const vm = new NodeVM({ timeout: 10_000, require: { external: true, root } }); try { return vm.run('module.exports = require("./x")', path.join(root, 'y.js')); } finally { vm.dispose(); } };
    const { forms } = require(path.join(place, 'src', 'helper.js')).helper(), waiting = () => [...forms.keys()].filter((key) => key.includes(`grant read ${root}`)).map((key) => key[0]);
    put('first');
    assert.strictEqual(run(), 'first');
    assert.deepStrictEqual(waiting(), ['0']);
    for (let i = 0; i < 3; i++) assert.strictEqual(run(), 'first');
    assert.deepStrictEqual(waiting().sort(), ['0', '1']);
    fs.renameSync(root, old);
    put('second');
    assert.strictEqual(run(), 'second');
    fs.writeFileSync(path.join(root, 'x.js'), 'module.exports = "third"');
    for (let i = 0; i < 3; i++) assert.strictEqual(run(), 'third');
  },
  'ledger and agent: what was granted is recorded, or nowhere'() {
    node(reads('/nowhere'), { read: tree('ledger'), ledger, agent: 'vm2-test' });
    const events = () => execFileSync(process.env.AMBIT_PROGRAM ?? 'ambit', ['ledger', 'show', '--json'], { encoding: 'utf8', env: { ...process.env, AMBIT_LEDGER: ledger } });
    let said = '';
    for (const until = Date.now() + 20_000; Date.now() < until && !said.includes('"type":"result"'); ) {
      try {
        said = events();
      } catch {} // it is not there yet
    }
    assert.ok(said.includes('vm2-test'), said);
    const before = said.length;
    node(reads('/nowhere'), { read: tree('ledger'), ledger: false, agent: 'vm2-test' });
    assert.strictEqual(events().length, before);
  },
  'node: the program of cells'() {
    assert.strictEqual(new VM({ ambit: { node: process.execPath } }).run('6 * 7'), 42);
    assert.throws(() => new VM({ ambit: { node: '/nowhere/node' } }).run('1'), (problem) => problem instanceof VMError && /nowhere/.test(problem.message));
  },
  'defaults hold where the options do not say otherwise'() {
    const counter = new Counter();
    defaults.ambit = INSTANCE;
    try {
      assert.strictEqual(new VM({ sandbox: { counter } }).run('counter.add(1)'), 2);
      assert.throws(() => new VM({ sandbox: { counter }, ambit: { live: false } }).run('counter.add(1)'), VMError);
    } finally {
      defaults.ambit = {};
    }
  },
  'AMBIT_VM2 is what the defaults begin with'() {
    const code = `const { VM, VMError } = require(${JSON.stringify(place)}); class A { f() { return 3; } } let said; try { said = new VM({ sandbox: { a: new A() } }).run('a.f()'); } catch (e) { said = e.code; } console.log(said); process.exit()`;
    const run = (more) => execFileSync(process.execPath, ['-e', code], { env: { ...process.env, ...more }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    assert.strictEqual(run({ AMBIT_VM2: '{"live": true}' }), '3');
    assert.strictEqual(run({ AMBIT_VM2: '' }), 'ECLONE');
    assert.throws(() => run({ AMBIT_VM2: 'live' }));
  },
  'what is misspelt or of another kind is refused, and the place is told'() {
    refused({ raed: './x' }, /raed.*did you mean read/);
    refused({ limit: {} }, /did you mean limits/);
    refused({ nonsense: 1 }, /there are read, write/);
    refused({ live: 1 }, /live/);
    refused({ read: 5 }, /read/);
    refused({ read: '' }, /read/);
    refused({ read: 'a\0b' }, /read/);
    refused({ memory: '5X' }, /memory/);
    refused({ memory: -1 }, /memory/);
    refused({ message: '2G' }, /message/);
    refused({ ready: 99 }, /ready/);
    refused('x', /object/);
    refused([], /object/);
  },
  'a grant that cannot be is refused when the cell is wanted, in the words of the program'() {
    assert.throws(() => new VM({ ambit: { grants: ['fly ./x'] } }).run('1'), (problem) => problem instanceof VMError && typeof problem.code === 'string' && problem.message.length > 10);
    assert.throws(() => new VM({ ambit: { connect: ['no port'] } }).run('1'), VMError);
  },
  'dispose: its process ends, and it is told'() {
    const vm = new VM();
    vm.run('var a = 1');
    vm.dispose();
    vm.dispose();
    assert.throws(() => vm.run('a'), (problem) => problem.code === 'EDISPOSED');
    assert.strictEqual(vm.run('typeof a'), 'undefined');
    if (Symbol.dispose !== undefined) assert.strictEqual(typeof vm[Symbol.dispose], 'function');
    vm.dispose();
  },
  'a nested sandbox has the grants that both have, and its console is the outer one'() {
    const at = tree('nested'), other = tree('other'), said = [];
    const vm = new NodeVM({ timeout: 20_000, console: 'redirect', nesting: true, require: { builtin: ['fs'] }, ambit: { ledger: false, read: [`${at}/in`, `${other}/in`] } });
    vm.on('console.log', (...args) => said.push(args));
    const inner = (ambit, file) => vm.run(`const { NodeVM } = require('vm2'), it = new NodeVM({ require: { builtin: ['fs'] }, ambit: ${JSON.stringify(ambit)} });
      try { module.exports = it.run(${JSON.stringify(`console.log('inner', { n: 1 }); ${reads(file)}`)}) } finally { it.dispose() }`);
    assert.strictEqual(inner(undefined, `${at}/in/file`), 'inside');
    assert.strictEqual(inner({ read: `${at}/in` }, `${at}/in/file`), 'inside');
    denied(inner({ read: `${at}/in` }, `${other}/in/file`));
    denied(inner({ read: at }, `${at}/beside`));
    denied(inner({ read: '/' }, '/etc/debian_version'));
    assert.deepStrictEqual(said[0], ['inner', { n: 1 }]);
    vm.dispose();
  },
  'a console that is inherited says the same from a nested sandbox'() {
    const code = `const { NodeVM } = require(${JSON.stringify(place)}), vm = new NodeVM({ nesting: true });
      vm.run("console.log('outer', { n: 1 }); console.error('%d', 5); const { NodeVM } = require('vm2'); new NodeVM().run('console.log(1, [2]); process.stdout.write(\\\\'x\\\\')')"); process.exit()`;
    assert.strictEqual(execFileSync(process.execPath, ['-e', code], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }), 'outer { n: 1 }\n1 [ 2 ]\nx');
  },
  'what is of no more use is let go of, also without a pause'() {
    const vm = new VM({ sandbox: { make: () => Array.from({ length: 500 }, () => () => 1), fail() { throw new Error('no'); } } });
    for (let i = 0; i < 150; i++) assert.strictEqual(vm.run('Array.from({ length: 500 }, () => () => 1)').length, 500); // more than 65,536
    assert.strictEqual(vm.run('let n = 0; for (let i = 0; i < 150; i++) n += make().length; n'), 75_000);
    for (let i = 0; i < 150; i++) assert.strictEqual(vm.run('Array.from({ length: 500 }, () => new Error("yes"))').length, 500);
    assert.strictEqual(vm.run('6 * 7'), 42);
    const kept = [];
    assert.throws(() => { for (let i = 0; i < 150; i++) kept.push(vm.run('Array.from({ length: 500 }, () => () => 1)')); }, /than may be/); // the twin: of what is of use there are so many
  },
  'what is there many times crosses once, if it is no more than a message where it is written out'() {
    const it = new VM().run('const shared = { text: "x".repeat(10000) }; Array.from({ length: 3000 }, () => ({ shared }))');
    assert.ok(it[0].shared === it[2999].shared);
    assert.throws(() => new VM().run('let it = [1]; for (let i = 0; i < 40; i++) it = [it, it]; it'), { code: 'ECLONE' });
    const given = [[1]];
    for (let i = 0; i < 40; i++) given.unshift([given[0], given[0]]);
    assert.strictEqual(new VM({ sandbox: { it: given[0] } }).run('let n = 0; while (Array.isArray(it)) n++, it = it[0]; n'), 41); // into a sandbox, whose matter it is
  },
  'what a listener of the program throws is thrown by run, and the sandbox goes on'() {
    const vm = new NodeVM({ timeout: 5000, console: 'redirect' });
    vm.on('console.log', () => { throw new Error('mine'); });
    assert.throws(() => vm.run('globalThis.kept = 1; console.log(1); console.log(2)'), /^Error: mine$/);
    assert.strictEqual(vm.run('module.exports = kept'), 1);
  },
  'customRequire is asked for each builtin module of the list, by both of its names'() {
    const vm = new NodeVM({ require: { builtin: ['node:test', 'fs'], customRequire: (id) => ({ id }) } });
    for (const id of ['node:test', 'fs', 'node:fs']) assert.strictEqual(vm.run(`module.exports = require('${id}').id`), id);
    for (const id of ['path', 'node:path', 'test', 'node:nothing']) assert.throws(() => vm.run(`require('${id}')`), id);
  },
  'a short time counts from when the cell has begun'() {
    const at = tree('begins'); // none waits
    assert.strictEqual(new NodeVM({ timeout: 40, require: { builtin: ['fs'] }, ambit: { ledger: false, read: at } }).run('module.exports = 6 * 7'), 42);
  },
};

async function main() {
  const names = Object.keys(cases).filter((it) => it.includes(only));
  let number = 0, failed = 0;
  for (const name of names) {
    try {
      await cases[name]();
      console.log(`ok ${++number} - ${name}`);
    } catch (problem) {
      failed++;
      console.log(`not ok ${++number} - ${name}\n${String(problem?.stack ?? problem).replace(/^/gm, '# ')}`);
    }
  }
  console.log(`1..${names.length}`);
  fs.rmSync(top, { recursive: true, force: true });
  process.exit(Math.min(failed, 100));
}

main();
