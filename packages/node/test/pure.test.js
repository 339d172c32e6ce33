// What needs no daemon.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodeResult, documentOf } from '../src/code.js';
import * as errors from '../src/errors.js';
import { Notes } from '../src/link.js';
import { Cutter, Watched } from '../src/take.js';
import * as wire from '../src/wire.js';

const line = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const { Untrue, BadResult, Malformed } = errors;

test('lines are cut wherever they come apart', () => {
  const said = Buffer.from('one\n\ntwo three\nfour\n');
  for (let size = 1; size <= said.length; size++) {
    const lines = new wire.Lines();
    const found = [];
    for (let at = 0; at < said.length; at += size) for (const got of lines.feed(said.subarray(at, at + size))) found.push(got.toString());
    assert.deepEqual(found, ['one', 'two three', 'four']);
  }
});

test('a line that is too long is none', () => {
  const lines = new wire.Lines();
  const piece = Buffer.alloc(1 << 20, 'x');
  assert.throws(() => { for (let i = 0; i < 20; i++) [...lines.feed(piece)]; }, Untrue);
  assert.throws(() => [...new wire.Lines().feed(Buffer.concat([Buffer.alloc(17 << 20, 'x'), line('\n')]))], Untrue);
  assert.equal([...new wire.Lines().feed(Buffer.concat([Buffer.alloc(16 << 20, 'x'), line('\n')]))].length, 1);
});

test('messages have a form', () => {
  for (const good of [{ id: 1, result: {} }, { id: 1, error: {} }, { id: null, error: {} }, { method: 'x', params: {} }, { id: 0, result: {},
    more: [] }]) wire.takeLine(line(good));
  for (const bad of ['', '{', '[]', 'null', '1', '{}', '\ufeff{"id":1,"result":{}}', { id: 1 }, { id: '1', result: {} }, { id: true, result: {} }, { id: 1.5, result: {} },
    { id: -1, result: {} },
    { id: 1, result: [] }, { id: 1, result: 's' }, { id: 1, error: [] }, { id: 1, error: 'x', result: {} }, { method: 'x' }, { method: 1, params: {} }, { method: 'x', params: [] },
    { error: [] }, '{"id":1e999,"result":{}}', `{"id":${'9'.repeat(100000)},"result":{}}`, '{"__proto__":{"id":1,"result":{}}}', Buffer.from('7b22fe22', 'hex')]) {
    assert.throws(() => wire.takeLine(Buffer.isBuffer(bad) ? bad : line(bad)), Untrue, String(bad).slice(0, 60));
  }
});

test('depth and number of values are bounded, and texts are not counted', () => {
  const deep = (n) => '['.repeat(n) + ']'.repeat(n);
  assert.ok(wire.bounded(deep(64), 64, 1000) && !wire.bounded(deep(65), 64, 1000) && !wire.bounded('['.repeat(1e6), 64, 1e9));
  assert.ok(wire.bounded(`[${'[],'.repeat(8)}[]]`, 64, 10) && !wire.bounded(`[${'[],'.repeat(10)}[]]`, 64, 10));
  for (const text of ['"[[[["', '"\\"[[["', '"\\\\"', '"[[\\\\\\"[["', '{"[":"{"}', '"[[[', '"\\']) assert.ok(wire.bounded(text, 1, 1), text);
  assert.ok(!wire.bounded('"\\\\"[[', 1, 9));
  assert.throws(() => wire.takeLine(line(`{"id":1,"result":{"x":${deep(5000)}}}`)), Untrue);
});

test('a member __proto__ is left out, however it is written', () => {
  for (const name of ['__proto__', '\\u005f_proto__', '__prot\\u006f__']) {
    const { result } = wire.takeLine(line(`{"id":1,"result":{"${name}":{"polluted":1},"a":{"${name}":2}}}`));
    assert.deepEqual([Object.keys(result), Object.assign({}, result).polluted, Object.keys(result.a)], [['a'], undefined, []]);
  }
  assert.equal({}.polluted, undefined);
});

test('what an object inherits is not its own', () => {
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) assert.throws(() => wire.part({}, name, 'object'), Untrue);
  assert.throws(() => wire.part({ n: -1 }, 'n', 'count'), Untrue);
  for (const bad of [true, '1', 1.5, 2 ** 53, NaN, null]) assert.throws(() => wire.part({ n: bad }, 'n', 'count'), Untrue);
});

test('data is text or base64', () => {
  for (const data of ['', 'x', 'a\u20ac\ud83d\ude00', 'nul\0', Buffer.from([0, 255]), Buffer.from('text'), new Uint8Array([254])]) {
    const back = wire.takeData(JSON.parse(JSON.stringify(wire.putData(data))));
    assert.ok(back.equals(Buffer.from(data)), String(data));
  }
  assert.equal(wire.putData(Buffer.from('text')), 'text');
  for (const bad of [1, null, undefined, [], {}, { b64: 1 }, { b64: '!' }, { b64: 'QQ' }, { b64: 'QQ==\n' }, { b64: 'QR==' }, '\ud800',
    'x\udc00y']) assert.throws(() => wire.takeData(bad), Untrue);
  for (const bad of ['\ud800', 1, null, {}]) assert.throws(() => wire.putData(bad), Malformed);
});

test('what is asked is one line', () => {
  assert.equal(wire.putLine(1, 'm', { a: undefined, b: null, c: '\n', d: false }), '{"jsonrpc":"2.0","id":1,"method":"m","params":{"c":"\\n","d":false}}\n');
  const round = {};
  round.round = round;
  for (const bad of [round, { x: NaN }, 1n]) assert.throws(() => wire.putLine(1, 'm', { bad }), Malformed);
  assert.throws(() => wire.putLine(1, 'm', { x: '\u20ac'.repeat(1500000) }), errors.Limit);
});

test('input goes in pieces, and ends once', () => {
  const size = (data, end) => [...wire.pieces(data, end)].map((piece) => [piece.data === undefined ? 0 : wire.takeData(piece.data).length, piece.end]);
  assert.deepEqual(size('', true), [[0, true]]);
  assert.deepEqual(size(Buffer.alloc(wire.PAGE + 1), true), [[wire.PAGE, undefined], [1, true]]);
  assert.deepEqual(size('x', false), [[1, undefined]]);
  const text = '\u20ac'.repeat(200000); // cut in the middle of a character
  assert.equal(Buffer.concat([...wire.pieces(text, false)].map((piece) => wire.takeData(piece.data))).toString(), text);
});

test('each state is told once', () => {
  const watched = new Watched(1);
  const told = [];
  for (const [n, state] of [[1, 'taken'], [2, 'taken'], [1, 'taken'], [1, 'runs'], [2, 'runs'], [1, 'over'], [1, 'runs'], [2, 'runs'], [2, 'interrupted'], [2, 'over'], [1,
    'over'], [3, 'over']]) {
    if (watched.news({ n, state })) told.push([n, state]);
  }
  assert.deepEqual(told, [[1, 'taken'], [2, 'taken'], [1, 'runs'], [2, 'runs'], [1, 'over'], [2, 'interrupted'], [3, 'over']]);
  assert.deepEqual([watched.first, watched.size], [4, 0]);
});

test('lines of output keep their places', () => {
  const cutter = new Cutter();
  const cut = (stream, offset, text) => [...cutter.cut({ stream, offset, data: Buffer.from(text) })].map((c) => [c.stream, c.offset, c.data.toString()]);
  assert.deepEqual(cut('stdout', 0, 'a\nb'), [['stdout', 0, 'a\n']]);
  assert.deepEqual(cut('stderr', 7, 'x'), []);
  assert.deepEqual(cut('stdout', 3, 'c\n\nd'), [['stdout', 2, 'bc\n'], ['stdout', 5, '\n']]);
  assert.deepEqual([...cutter.rest()].map((c) => [c.stream, c.offset, c.data.toString()]), [['stdout', 6, 'd'], ['stderr', 7, 'x']]);
  assert.deepEqual([...cutter.rest()], []);
  const long = new Cutter();
  const found = [];
  for (let i = 0; i < 50; i++) found.push(...long.cut({ stream: 'stdout', offset: i * 65536, data: Buffer.alloc(65536) }));
  found.push(...long.rest());
  assert.deepEqual(found.map((c) => [c.offset, c.data.length]), [[0, 1 << 20], [1 << 20, 1 << 20], [2 << 20, 1 << 20], [3 << 20, 131072]]);
});

test('notes are held up to a bound, and behind the first that is dropped all are', () => {
  const notes = new Notes();
  for (let i = 0; i < 5000; i++) notes.add(i, 1000);
  assert.ok(notes.dropped && notes.held <= wire.HELD_MAX && notes.length === Math.floor(wire.HELD_MAX / 1000));
  for (let i = 0; notes.length > 0; i++) assert.equal(notes.take(), i);
  assert.equal(notes.held, 0);
  notes.add(1, 1);
  assert.equal(notes.length, 0);
  notes.clear();
  notes.add(1, 1);
  assert.equal(notes.length, 1);
});

test('errors say why, whatever stands there', () => {
  const said = errors.errorOf({ message: 'no', data: { code: 'DENIED', hint: 'h', why: 'w' } });
  assert.ok(said instanceof errors.Denied && said.message === 'no: w (hint: h)' && said.what === 'no' && said.hint === 'h' && said.name === 'Denied');
  for (const bad of [null, [], 'x', {}, { message: 7, data: [1] }, { data: { code: 'constructor' } },
    { data: { code: '__proto__' } }]) assert.equal(errors.errorOf(bad).constructor, errors.AmbitError);
  assert.equal(errors.errorOf({ code: 'GONE' }).constructor, errors.Gone);
});

test('options are known by their names', () => {
  assert.throws(() => wire.known({ on_conflict: 1 }, ['onConflict'], 'run'), /did you mean 'onConflict'/);
  assert.throws(() => wire.known([], [], 'run'), Malformed);
  assert.deepEqual(wire.runParams('s', { timeout: 1500, limits: { memory: '1G' }, key: 'k' }).limits, { memory: '1G', wall: '1500ms' });
  for (const timeout of [0, -1, NaN, Infinity, null, true]) assert.throws(() => wire.runParams('s', { timeout }), Malformed);
});

// ---- what code leaves ----

const session = { id: 's' };
const row = { n: 1, event: 'e', state: 'over', exit_status: 0, stdout_bytes: 0, stderr_bytes: 0, outcome: null };
const resultOf = (document) => new CodeResult(session, row, {}, documentOf(line(document)));

test('a document is what was left', () => {
  const result = resultOf({ v: 1, value: { text: '42', type: 'int', json: 42 }, displays: [{ mime: 'text/html', data: '<b>' }, { mime: 'image/png', data: 'AAE=' },
    { mime: 'image/svg+xml', data: '<svg' }],
    error: { type: 'E', message: 'm', line: 3, column: null, source: 's', frames: [{ file: '<code>', line: 3, function: 'f', source: 's' }], traceback: 't' }, later: 1 });
  assert.deepEqual([result.value, result.text, result.type, result.cut], [42, '42', 'int', false]);
  assert.deepEqual(result.displays, [{ mime: 'text/html', data: '<b>' }, { mime: 'image/png', data: Buffer.from([0, 1]) }, { mime: 'image/svg+xml', data: '<svg' }]);
  assert.deepEqual(result.error, { type: 'E', message: 'm', line: 3, column: null, source: 's', frames: [{ file: '<code>', line: 3, function: 'f', source: 's' }],
    traceback: 't' });
  assert.equal(resultOf({ v: 1, value: { text: 'x', type: 'y' } }).value, 'x');
  assert.equal(resultOf({ v: 1, value: { text: 'null', type: 'y', json: null } }).value, null);
  const none = resultOf('');
  assert.deepEqual([none.value, none.text, none.error, none.displays], [undefined, '', null, []]);
  assert.equal(resultOf({ v: 1, cut: true }).cut, true);
  const pictures = ['AAE=', 'AA\nE=\n', '', 'no base64'].map((data) => resultOf({ v: 1, displays: [{ mime: 'image/png', data }] }).displays[0].data);
  assert.deepEqual(pictures, [Buffer.from([0, 1]), Buffer.from([0, 1]), Buffer.alloc(0), 'no base64']);
});

test('a document of another form is none', () => {
  for (const bad of ['x', '[]', 'null', '{', {}, { v: 2 }, { v: '1' }, { v: 1, value: 1 }, { v: 1, value: [] }, { v: 1, value: { text: 1 } }, { v: 1, value: { text: '',
    type: [] } }, { v: 1, displays: {} },
    { v: 1, displays: [1] }, { v: 1, displays: [{}] }, { v: 1, displays: [{ mime: 'image/png', data: 7 }] }, { v: 1, displays: [{ mime: 1, data: '' }] }, { v: 1,
      error: 'x' }, { v: 1, error: { line: -1 } },
    { v: 1, error: { line: 1.5 } }, { v: 1, error: { frames: {} } }, { v: 1, error: { frames: [null] } }, { v: 1, error: { frames: [{ line: 'x' }] } }, { v: 1,
      error: { traceback: 1 } }, { v: 1, cut: 1 },
    '{"__proto__":{"v":1}}', `{"v":1,"value":{"text":"","json":${'['.repeat(2000)}${']'.repeat(2000)}}}`, `{"v":1,"value":{"text":"","json":[${'[],'.repeat(1100000)}1]}}`]) {
    assert.throws(() => documentOf(line(bad)), BadResult, JSON.stringify(bad)?.slice(0, 80));
  }
  assert.throws(() => documentOf(Buffer.from([0x7b, 0xff, 0x7d])), BadResult);
});

test('a value pollutes nothing', () => {
  const result = resultOf('{"v":1,"value":{"text":"","json":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"\\u005f_proto__":1}}}');
  assert.deepEqual(Object.keys(result.value), ['constructor']);
  assert.equal({}.polluted, undefined);
});

test('failed code says how', () => {
  const failed = new CodeResult(session, { ...row, exit_status: 1 }, {}, documentOf(line({ v: 1, error: { type: 'ZeroDivisionError', message: 'division by zero', line: 2 } })));
  assert.throws(() => failed.check(), (problem) => problem instanceof errors.EventFailed && problem.result === failed &&
    /ZeroDivisionError: division by zero \(line 2\)/.test(problem.message));
});
