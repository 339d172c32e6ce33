// Attacks on this package itself: code that has left its context and has all of its cell's process. What it sees of the host; and what it says to the host, byte by byte.
//
// `sees`: the twin is open.js, which has no wall, and where the probe must be noticed. The others say what no cell of ours says; that such bytes arrive is what `says-answers-that-are-forged` shows.
'use strict';
const fs = require('fs');
const net = require('net');
const path = require('path');
const { PROCESS } = require('../out.js');

// `p`: the `process` of the cell.
const OUT = `${PROCESS}, fs = p.getBuiltinModule('fs'), text = (it) => JSON.stringify(it);`;

// `say(bytes)`, `frame(letter, number, list or text, guest)`: what the host reads. The number of what is under way is one of the first.
const SAY = `${OUT}
  const say = (bytes) => { for (let at = 0; at < bytes.length; ) at += fs.writeSync(1, bytes, at); };
  const frame = (letter, number, it, guest = 1) => {
    const data = Buffer.from(typeof it === 'string' ? it : JSON.stringify(it)), head = Buffer.alloc(13);
    head.writeUInt32LE(data.length, 0);
    head[4] = letter.charCodeAt(0);
    head.writeUInt32LE(number, 5);
    head.writeUInt32LE(guest, 9);
    return Buffer.concat([head, data]);
  };
  const answer = (it) => { const all = []; for (let number = 1; number < 4; number++) all.push(frame('a', number, it)); say(Buffer.concat(all)); };
  const many = (token, n) => '[' + Array(n).fill(token).join(',') + ']';
  const rest = () => { for (;;); };`;

const RSS_MOST = 1 << 30, GAP_MOST = 5000 * (+process.env.AMBIT_TEST_SLOW || 1);
const whole = (host, { gap, rss }) => (rss > RSS_MOST ? 'memory' : gap > GAP_MOST + (host.given ?? 0) ? 'blocked' : host.state.word);

/** A probe that must not see anything, and does in open.js. */
const sees = (name, reaches, code, more = {}) => ({ name: `sees-${name}`, advisory: 'ours: what is seen of the host', kind: 'VM', against: 'open', reaches, options: { timeout: 4000 }, code, ...more });
/** What the cell says. */
const says = (name, code, more = {}) => ({ name: `says-${name}`, advisory: 'ours: what a cell says', kind: 'VM', against: null, options: { timeout: 1500 }, code: `${SAY}\n${code}`, wins: whole, deadline: 30_000, ...more });
/** One answer, of the text of a value. */
const answers = (name, tokens, more) => says(name, `answer(${tokens}); rest()`, more);
/** One message of some megabytes, of what costs more than its bytes where it is read. */
const costs = (name, code) => ({ ...says(name, code, { options: { timeout: 4000 } }), name: `costs-${name}` });

const inner = (code) => ({ canary, secretFile, host }) => `${OUT}\n${code.replaceAll('CANARY', () => canary).replaceAll('SECRET', () => secretFile).replaceAll('HOST', () => String(process.pid)).replaceAll('DIRECTORY', () => JSON.stringify(host.directory))}`;

module.exports = [
  // ---- what it sees ----
  sees('environment', 'secret of its env', inner('text(p.env)')),
  sees('environment-as-it-began', 'secret of its env', inner(`let found = ''; for (const pid of fs.readdirSync('/proc')) if (+pid) try { found += fs.readFileSync('/proc/' + pid + '/environ', 'utf8'); } catch {} found`)),
  sees('files', 'secret of its file', inner(`fs.readFileSync(SECRET, 'utf8')`)),
  sees('files-of-other-names', 'secret of its file', inner(`let found = ''; for (const at of ['', '/proc/self/root', '/proc/1/root', '/proc/HOST/root', '/proc/HOST/cwd/..']) try { found += fs.readFileSync(at + SECRET, 'utf8'); } catch {} found`)),
  sees('canary', 'canary', inner(`fs.writeFileSync(CANARY, 'x')`)),
  sees('other-processes', 'a process of the host', inner(`let found = ''; for (const pid of fs.readdirSync('/proc')) if (+pid) try { found += fs.readFileSync('/proc/' + pid + '/cmdline', 'latin1'); } catch {} found`), {
    wins: (host, { came }) => came.includes('host.js') && 'a process of the host',
  }),
  sees('arguments', 'a process of the host', inner(`text([p.argv, p.execArgv, p.title, p.argv0, p.cwd()])`), {
    wins: (host, { came }) => (came.includes('host.js') || came.includes(host.directory)) && 'a process of the host',
  }),
  sees('kill', 'ended', inner(`p.kill(HOST, 'SIGKILL')`)),
  sees('descriptors-of-others', 'a file of the host', inner(`let n = 0; for (const pid of fs.readdirSync('/proc')) if (+pid && +pid !== p.pid || +pid === HOST) { let list = []; try { list = fs.readdirSync('/proc/' + pid + '/fd'); } catch {}
    for (const fd of list) try { if (!/robbed/.test(fs.readlinkSync('/proc/' + pid + '/fd/' + fd))) continue; const it = fs.openSync('/proc/' + pid + '/fd/' + fd, 'r+'); fs.writeSync(it, 'mine'); n++; } catch {} } n`), {
    prepare(host) {
      const at = path.join(host.directory, 'to-be-robbed');
      host.state.file = fs.openSync(at, 'w+');
      fs.unlinkSync(at);
    },
    wins: (host) => fs.fstatSync(host.state.file).size > 0 && 'a file of the host',
  }),
  sees('descriptors-of-its-own', 'a place of the host', inner(`let found = []; for (const fd of fs.readdirSync('/proc/self/fd')) try { found.push(fs.readlinkSync('/proc/self/fd/' + fd)); } catch {} text([found, fs.readFileSync('/proc/self/mountinfo', 'utf8')])`), {
    prepare: (host) => { host.state.file = fs.openSync(path.join(host.directory, 'opened'), 'w+'); },
    wins: (host, { came }) => came.includes(host.directory) && 'a place of the host',
  }),
  sees('memory', 'memory of the host', inner(`let found = ''; try { fs.closeSync(fs.openSync('/proc/HOST/mem', 'r')); const maps = fs.readFileSync('/proc/HOST/maps', 'utf8'); found = 'opened ' + maps.includes('node'); } catch {} found`), {
    wins: (host, { came }) => came.includes('opened') && 'memory of the host',
  }),
  // In the memory of all processes that it finds, the newest first, what another sandbox of the same host keeps, or the host itself.
  sees('what-another-keeps', 'secret of its memory', inner(`let found = ''; const room = Buffer.alloc(1 << 20), until = Date.now() + 4000;
    for (const pid of fs.readdirSync('/proc').reverse()) if (+pid) try {
      const mem = fs.openSync('/proc/' + pid + '/mem', 'r');
      for (const line of fs.readFileSync('/proc/' + pid + '/maps', 'latin1').split('\\n')) {
        const range = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
        if (range === null) continue;
        for (let at = parseInt(range[1], 16), end = parseInt(range[2], 16); at < end && !found && Date.now() < until; at += room.length) try {
          const n = fs.readSync(mem, room, 0, Math.min(room.length, end - at), at);
          found = (/(?:pooled|kept by another):[0-9a-f]{24}/.exec(room.latin1Slice(0, n)) ?? [''])[0];
        } catch { break; }
      }
    } catch {}
    found`), {
    made(vm, host, implementation) {
      host.state.other = new implementation.VM({ sandbox: { secret: host.secrets.memory } });
      host.state.other.run(`globalThis.kept = Buffer.from('kept by another:' + secret); 1`);
    },
    wins: (host) => void host.state.other.run('1'),
  }),
  sees('what-another-left', 'state of another', `String(Buffer.left) + String({}.left)`, {
    made: (vm, host, implementation) => { host.state.other = new implementation.VM({ timeout: 2000 }); host.state.other.run(`Buffer.left = 'left by another'; 1`); },
    wins: (host, { came }) => came.includes('left by another') && 'state of another',
  }),
  sees('programs', 'canary', inner(`const { spawnSync } = p.getBuiltinModule('child_process'); let found = ''; for (const words of [['/bin/sh', ['-c', 'echo x >' + CANARY]], [p.execPath, ['-e', 'require("fs").writeFileSync(' + JSON.stringify(CANARY) + ', "x")']]]) try { found += spawnSync(...words, { timeout: 3000 }).status; } catch {} found`)),
  sees('threads', 'secret of its file', `const { Worker, receiveMessageOnPort, MessageChannel } = require('worker_threads'); const { port1, port2 } = new MessageChannel();
    new Worker('require("worker_threads").workerData.port.postMessage(require("fs").readFileSync(' + JSON.stringify(place) + ', "utf8"))', { eval: true, workerData: { port: port2 }, transferList: [port2] });
    module.exports = new Promise((done) => port1.on('message', (it) => { port1.close(); done(it); }));`, {
    kind: 'NodeVM', settle: 1200, options: (host) => ({ sandbox: { place: host.secretFile }, require: { builtin: ['*', 'worker_threads'] } }),
  }),
  ...[['network', { port: true }], ['sockets', { path: 'socket' }], ['sockets-without-a-place', { abstract: true }]].map(([name, how]) => sees(name, 'a connection', `const net = require('net'); const it = net.connect(where); it.on('error', () => {});`, {
    kind: 'NodeVM', settle: 800,
    async prepare(host) {
      const server = net.createServer((it) => (host.touch('a connection'), it.destroy())), where = how.port ? { port: 0, host: '127.0.0.1' } : { path: how.path ? path.join(host.directory, how.path) : `\0${path.basename(host.directory)}` };
      await new Promise((done) => { server.listen(where, done); });
      Object.assign(host.state, { where: how.port ? { port: server.address().port, host: '127.0.0.1' } : where });
    },
    options: (host) => ({ sandbox: { where: host.state.where }, require: { builtin: ['net'] } }),
  })),

  // ---- what objects by handle lead to ----
  ...[['this-of-a-method', 'thing.self.call(undefined).process'], ['this-of-a-method-alone', '(0, thing.self)().process'], ['this-of-a-function', 'self.call(null).process'], ['constructor-of-a-method', "thing.self.constructor('return process')()"],
    ['constructor-of-a-handle', "thing.constructor.constructor('return process')()"], ['descriptor-of-a-handle', "Object.getOwnPropertyDescriptor(thing, 'self').value.constructor('return process')()"],
    ['what-a-method-keeps', '(() => { const it = {}; thing.keep.call(undefined, it); return (it.kept ?? thing.keep.call(undefined, {}).kept).process; })()'], ['what-a-method-calls-with', '(() => { let found; thing.give.call(undefined, (it) => { found = it; }); return found.process; })()']]
    .map(([name, code]) => ({ name: `live-${name}`, advisory: 'ours: what a handle leads to', kind: 'VM', against: 'open', reaches: 'canary', code: ({ use }) => use(code),
      options: () => ({ timeout: 3000, ambit: { live: true }, sandbox: { self: Function('return this'), thing: new (class Thing { self = Function('return this'); keep = Function('it', 'it.kept = this; return it'); give = Function('work', 'work(this)'); })() } }) })),
  { name: 'live-writes-to-a-prototype', advisory: 'ours: what a handle leads to', kind: 'VM', against: 'open', reaches: 'changed: Object.prototype.polluted', options: () => ({ timeout: 3000, ambit: { live: true }, sandbox: { thing: { inner: {} } } }),
    code: `for (const way of [() => { thing.__proto__.polluted = 1; }, () => { thing.inner['__proto__'].polluted = 1; }, () => { thing.constructor.prototype.polluted = 1; }, () => { Object.getPrototypeOf(thing).polluted = 1; }]) try { way(); } catch {} 1` },

  // ---- what it says ----
  { ...answers('answers-that-are-forged', `["'forged"]`), against: 'ours', reaches: 'forged', wins: (host, { came }) => came === 'forged' && 'forged' },
  says('length-of-four-gigabytes', `const head = Buffer.alloc(13, 255); head[4] = 97; say(head); rest()`),
  says('length-of-one-gigabyte', `const head = Buffer.alloc(13); head.writeUInt32LE(1 << 30, 0); head[4] = 97; head[5] = 1; say(head); const part = Buffer.alloc(1 << 20, 91); for (let i = 0; i < 1024; i++) say(part); rest()`),
  says('length-that-never-comes', `const head = Buffer.alloc(13); head.writeUInt32LE(60 << 20, 0); head[4] = 97; head[5] = 1; say(head); say(Buffer.alloc(1000, 91)); rest()`),
  says('half-a-head', `say(Buffer.from([1, 0, 0])); rest()`),
  says('noise', `say(p.getBuiltinModule('crypto').randomBytes(1 << 20)); rest()`),
  says('unknown-letters', `for (let letter = 0; letter < 256; letter++) say(frame(String.fromCharCode(letter), 1, [], 1)); rest()`),
  says('letters-of-the-program', `for (const letter of 'BRQAXSFPE') say(frame(letter, 1, [1, 2, 3])); rest()`),
  says('answers-to-nothing', `const it = frame('a', 4e9, [1]), all = Buffer.concat(Array(1000).fill(it)); for (let i = 0; i < 300; i++) say(all); rest()`),
  says('guests-that-are-not-there', `const it = frame('n', 1, ["'x"], 77), all = Buffer.concat(Array(3000).fill(it)); for (;;) say(all)`),
  says('answered-and-nothing-awaited', `const it = frame('d', 1, ''), all = Buffer.concat(Array(3000).fill(it)); for (;;) say(all)`),
  answers('text-that-is-deep', `'['.repeat(4e6)`),
  answers('text-that-is-deep-and-whole', `'['.repeat(1e5) + ']'.repeat(1e5)`),
  answers('text-with-objects', `'[{"__proto__":{"polluted":1},"then":1}]'`),
  answers('text-of-another-kind', `'{"length":1}'`),
  answers('text-that-is-a-number', `'1'`),
  answers('text-that-is-empty', `''`),
  answers('text-that-is-no-unicode', `Buffer.from([0x5b, 0x22, 0x27, 0xff, 0xfe, 0xc0, 0x22, 0x5d]).toString('latin1')`),
  ...['F99', 'P99', 'Q99', 'Y99', 'r5', 'r-1', 'Iprocess', 'IFunction', 'k@constructor', 'k@', "c", 'w', 'e0', 'x', 'A1', 'o99', 'm1', 'tFunction', 't__proto__', 'f', 'p', 'q1', 'y', 'bx', 'b0x10', 'd', 'zz', '', 'ofoo', 'o1e3', 'a-1', 'A99999999999,0', 'F1', 'F0', 'P1', 'Y1']
    .map((token) => answers(`token-${token || 'empty'}`.replace(/[^A-Za-z0-9-]/g, '_'), JSON.stringify([token]))),
  answers('live-where-nothing-is-live', `['q1', "'Object"]`),
  says('calls-of-what-was-not-given', `for (let n = 0; n < 50; n++) say(frame('c', n, [n, "'call", 'u'])); rest()`),
  ...['get', 'set', 'keys', 'constructor', '__proto__', 'eval', 'delete'].map((how) => says(`asks-to-${how}`, `for (let n = 0; n < 5; n++) say(frame('c', n, [n, "'${how}", 'u', "'constructor", 1])); rest()`, { options: (host) => ({ timeout: 1500, sandbox: { work: () => 1, config: host.config } }) })),
  says('calls-with-another-self', `for (const self of ['F1', 'u', 'Q1', 'o0', 'P1']) say(frame('c', 9, [1, "'call", self])); rest()`, { options: (host) => ({ timeout: 1500, sandbox: { work: function work() { if (this !== undefined && this !== globalThis && typeof this.process === 'object') host.touch(); return 1; } } }) }),
  says('constructs-what-is-given', `for (let n = 0; n < 1000; n++) say(frame('c', n, [1, "'new", 'u', 1e9])); rest()`, { options: () => ({ timeout: 1500, sandbox: { make: Array } }) }),
  says('settles-what-is-not-there', `for (let n = 0; n < 50; n++) say(frame('s', 0, [n, true, 1])); rest()`),
  says('releases-what-is-not-there', `say(frame('f', 0, '[' + Array(1e5).fill('1,1e308').join(',') + ']')); say(frame('f', 0, ["'__proto__", 1, 1, -5, 2, 'n'])); answer([1]); rest()`, { options: () => ({ timeout: 1500, sandbox: { work: () => 1 } }) }),
  ...['error', 'ended', '__proto__', 'newListener', 'console.log', 'constructor', 'x'].map((event) => says(`tells-${event.replace(/[^a-z]/gi, '')}`, `say(frame('n', 0, ["'${event}", "'x", 1])); answer([1]); rest()`)),
  ...['error', 'ended', '__proto__', 'newListener', 'console.error', 'constructor'].map((event) => says(`tells-a-nodevm-${event.replace(/[^a-z]/gi, '')}`, '', { kind: 'NodeVM', options: { timeout: 1500, require: { builtin: ['fs'] }, console: 'redirect' },
    code: `const fs = require('fs'); const data = Buffer.from(JSON.stringify(["'${event}", "'x", 1])), head = Buffer.alloc(13); head.writeUInt32LE(data.length, 0); head[4] = 110; head.writeUInt32LE(1, 9); fs.writeSync(1, Buffer.concat([head, data]));` })),
  answers('members-called-proto', `['o3', "'__proto__", 'o1', "'polluted", true, "'constructor", 'o1', "'prototype", 'o1', "'polluted", true, "'toString", 1]`, { use: (found, host) => { for (const key in found) host.state[`own ${key}`] = found[key]; if ({}.polluted !== undefined) host.touch('polluted'); } }),
  answers('errors-with-anything', `['e0', 'Error,7', "'message", 'o0', "'stack", 'o0', "'name", 'o0', "'cause", 'r0', "'__proto__", 'o0', "'toString", 1, "'constructor", 1]`),
  answers('errors-of-unknown-kinds', `['e0', 'constructor,0']`),
  answers('errors-within-themselves', `['e0', 'AggregateError,2', "'errors", 'a2', 'r0', 'r1', "'cause", 'r1']`),
  says('thrown-with-anything', `for (let n = 1; n < 4; n++) say(frame('x', n, ['e0', 'RangeError,3', "'message", "'m", "'stack", "'" + 'at x\\n'.repeat(1e5), "'code", 'o1', "'toString", 1])); rest()`),
  answers('class-with-many-methods', `['c', "'X", "'" + Array(2e5).fill(0).map((_, i) => 'm' + i).join('\\n'), 0]`),
  answers('class-with-methods-of-objects', `['c', "'__proto__", "'__proto__\\nconstructor\\ntoString\\nthen\\nvalueOf", 0]`),
  answers('list-of-four-thousand-million', `['A4294967295,1', "'4294967294", 1]`, { use: (found) => found.length }),
  answers('bigint-of-many-digits', `['b' + '9'.repeat(1e5)]`),
  costs('bigints', `answer('[' + Array(1500).fill('"b' + '9'.repeat(20000) + '"').join(',') + ']'); rest()`),
  answers('expressions', `['x', "'(a+)+$", "'gim", 1e308]`),
  answers('expressions-that-are-wrong', `['x', "'(", "'g", 0]`),
  costs('expressions', `answer('[' + Array(3e5).fill('"x","\\'(?:a|b)*' + 'c'.repeat(40) + '","\\'g",0').join(',') + ']'); rest()`),
  answers('bytes', `['t', "'" + 'AAAA'.repeat(7e6)]`, { options: { timeout: 4000 } }),
  answers('bytes-that-do-not-fit', `['tFloat64Array', "'AAAA"]`),
  costs('depth', `answer('["a1",' + '"a1",'.repeat(2e6) + '1]'); rest()`),
  answers('many-values-within', `['a3', 'o1', "'x", 'r0', 'm1', 'r1', 'r1', 's1', 'r0']`),
  ...[['objects', '"o0"'], ['lists', '"a0"'], ['maps', '"m0"'], ['sets', '"s0"'], ['dates', '"d0"'], ['buffers', '"t","\'"'], ['views', '"tUint8Array","\'"'], ['errors', '"e0","Error,0"'], ['boxes', '"w",1'], ['classes', '"c","\'X","\'","0"']]
    .map(([name, token]) => costs(name, `answer(many(${JSON.stringify(token)}, Math.floor((30 << 20) / ${token.length + 1}))); rest()`)),
  ...[['functions', 'f', `,"'x",0,0`], ['promises', 'p', ''], ['symbols', 'y', `,"'x"`]]
    .map(([name, tag, after]) => costs(name, `const n = 1.2e6; let it = '['; for (let i = 1; i <= n; i++) it += (i > 1 ? ',"' : '"') + '${tag}' + i + '"' + ${JSON.stringify(after)}; answer(it + ']'); rest()`)),
  says('bells', `const all = Buffer.alloc(65536, 46); for (;;) fs.writeSync(2, all)`),
  says('bells-while-nobody-waits', `const { Worker } = p.getBuiltinModule('worker_threads'); new Worker('const fs = require("fs"), all = Buffer.alloc(65536, 46); for (;;) fs.writeSync(2, all)', { eval: true }); 1`, { settle: 1500 }),
  says('frames-while-nobody-waits', `const { Worker } = p.getBuiltinModule('worker_threads'); new Worker('const fs = require("fs"), one = Buffer.from([0,0,0,0,100,1,0,0,0,1,0,0,0]), all = Buffer.concat(Array(5000).fill(one)), dot = Buffer.from("."); for (let at = 0; ; ) { at += fs.writeSync(1, all, at); if (at === all.length) at = 0; fs.writeSync(2, dot); }', { eval: true }); 1`, { settle: 1500 }),
  says('floods-while-it-is-written-to', `const { Worker } = p.getBuiltinModule('worker_threads'); new Worker('const fs = require("fs"), all = Buffer.alloc(1 << 20); for (;;) fs.writeSync(1, all)', { eval: true });
    say(frame('a', 1, [1])); rest()`, { options: { timeout: 3000 }, settle: 500, use: (found, host, vm) => { try { vm.setGlobal('large', 'x'.repeat(20 << 20)); return vm.run('1'); } catch (e) { return e; } } }),
  says('sandboxes-without-an-end', '', { kind: 'NodeVM', options: { timeout: 8000, nesting: true, require: { builtin: [] } }, code: `const { NodeVM } = require('vm2'); const kept = []; let why = ''; try { for (;;) { const it = new NodeVM({ nesting: true }); it.run('1'); kept.push(it); } } catch (e) { why = e.message; } module.exports = kept.length + why` }),
  says('calls-without-an-end', `for (let n = 0; ; n++) say(frame('c', n, [1, "'call", 'u']))`, { options: () => ({ timeout: 1500, sandbox: { work: () => 'x'.repeat(1e5) } }) }),
];
