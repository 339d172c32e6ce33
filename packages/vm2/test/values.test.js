// Values that cross, without a cell: what is written is read again as it was, and what was made to harm is refused. usage: node values.test.js [ROUNDS [SEED]]   (TAP)
'use strict';
const assert = require('assert');
const util = require('util');
const makeValues = require('../src/values.js');
const makeReferences = require('../src/references.js');
const { VMError } = require('../src/errors.js');

const ROUNDS = +(process.argv[2] ?? 300);
let seed = +(process.argv[3] ?? 1);
const random = (n) => {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
  return ((seed >>> 8) % 65536) % n;
};

const isPlain = (prototype) => prototype === Object.prototype;
const describe = (it) => ({ kind: it instanceof VMError ? 'VMError' : it.constructor.name, name: it.name, message: it.message, stack: `${it.name}: ${it.message}`, more: { ...it }, ...(it.errors === undefined ? {} : { errors: it.errors }), ...('cause' in it ? { cause: { of: it.cause } } : {}) });
const values = makeValues({ realm: globalThis, VMError, types: util.types, Buffer, isPlain, describe, copies: false, refuse: (message) => new VMError(message, 'ECLONE'), instance: () => ({ name: 'Thing' }), prototypeOf: () => Object.prototype });

// One side that knows its own things, as both do.
function side(bounds = {}) {
  const references = makeReferences({ collect() {}, refuse: (message) => new VMError(message, 'EREF'), stand: (kind, number, about) => (kind === 'symbol' ? Symbol(about) : kind === 'function' ? Object.defineProperty(() => number, 'name', { value: about.name }) : { kind, number }) });
  return {
    references, bytes: 1 << 20, nodes: 1 << 16, live: false, ...bounds, mark: () => '', marked: (mark, it) => it, member: (name, it) => it, intrinsic: () => undefined, builtIn: () => { throw new VMError('no'); }, buffer: (it) => it, adopt() {},
    name: (...all) => references.name(...all), own: (...all) => references.own(...all), theirs: (...all) => references.theirs(...all), stands: (it) => references.stands(it),
  };
}
const round = (list, from = side(), to = side()) => values.decode(Buffer.from(values.encode(list, from)), to);

let number = 0, failed = 0;
function check(name, work) {
  number++;
  try {
    work();
    console.log(`ok ${number} - ${name}`);
  } catch (problem) {
    failed++;
    console.log(`not ok ${number} - ${name}\n${String(problem.stack).replace(/^/gm, '# ')}`);
  }
}

const same = [
  ['nothing', []], ['primitives', [1, -1.5, true, false, null, undefined, 'text', '', 5n, -(2n ** 70n)]], ['numbers of their own kind', [NaN, Infinity, -Infinity, -0, Number.MIN_VALUE, 2 ** 53]],
  ['texts of tags and brackets', ['[', '{', '[{"a":1}]', "'", 'u', 'o2', '\u0000', '\ud800', 'é𝄞', '\\u005b']], ['objects', [{ a: 1, b: { c: [] } }, {}]], ['a name that all have', [{ constructor: 2, toString: 1 }]],
  ['without a prototype', [Object.assign(Object.create(null), { a: 1 })]], ['lists', [[], [1, [2, [3]]], ['x']]], ['lists with holes', [[, 1, , 2, ,]]], ['lists with names', [Object.assign([1, 2], { index: 0 })]],
  ['maps and sets', [new Map([[1, { a: 1 }], ['x', new Map()]]), new Set([1, 'a', NaN])]], ['dates', [new Date(0), new Date(8.64e15)]], ['regular expressions', [/a[b{2}]+/giu, /\//]],
  ['bytes', [Buffer.from('hello'), new Uint8Array([1, 2, 255]), new Float64Array([1.5, NaN]), new BigInt64Array([-1n]), new DataView(new ArrayBuffer(3)), new ArrayBuffer(5), new Uint8ClampedArray(2)]],
  ['boxed', [Object(1), Object('x'), Object(false), Object(5n)]], ['symbols that all know', [Symbol.iterator, Symbol.for('a b')]],
];
for (const [name, list] of same) check(`it comes as it went: ${name}`, () => assert.deepStrictEqual(round(list), list));
check('errors keep kind, name, message and members', () => {
  const [it] = round([Object.assign(new TypeError('bad', { cause: new RangeError('why') }), { code: 'E1', n: 1 })]);
  assert.ok(it instanceof TypeError && it.message === 'bad' && it.cause instanceof RangeError && it.code === 'E1' && Object.keys(it).join() === 'code,n');
});
check('a date that is none', () => assert.ok(Number.isNaN(round([new Date(NaN)])[0].getTime())));
check('a member __proto__ is left out', () => assert.deepStrictEqual(round([JSON.parse('{"__proto__": {"a": 1}, "b": 2}')]), [{ b: 2 }]));
for (const [name, token] of [['maps', '"m0"'], ['functions', '"f1","\'",0,"0"'], ['errors', '"e1","Error,0"'], ['bytes', '"t","\'"'], ['promises', '"p1"'], ['objects', '"o0"'], ['numbers', '1']]) {
  check(`a text of nothing but ${name} is refused before it fills memory`, () => {
    const before = process.memoryUsage().rss, data = Buffer.from(`[${Array(2_000_000).fill(token).join()}]`);
    assert.throws(() => values.decode(data, side()), /malformed|more functions/);
    assert.ok(process.memoryUsage().rss - before < 400e6);
  });
}
check('identity within one text, and cycles', () => {
  const a = { list: [1] };
  a.self = a;
  a.list.push(a, a.list);
  const [x, y] = round([a, a.list]);
  assert.ok(x.self === x && x.list[1] === x && x.list[2] === x.list && y === x.list);
});
check('depth costs no stack', () => {
  let a = [];
  for (let i = 0; i < 50_000; i++) a = i % 2 ? [a] : { a };
  const large = { bytes: 1 << 24, nodes: 1 << 20 };
  round([a], side(large), side(large));
});
check('what does not cross comes back as itself', () => {
  const here = side(), there = side(), f = () => 1, s = Symbol('mine'), thing = new (class Thing {})();
  const [g, t, o] = round([f, s, thing], here, there);
  const [f2, s2, thing2] = round([g, t, o], there, here);
  assert.ok(f2 === f && s2 === s && thing2 === thing && g !== f && t.description === 'mine');
});
check('what was let go can be named no more', () => {
  const here = side(), there = side(), f = () => 1;
  const [g] = round([f], here, there), text = values.encode([g], there);
  assert.strictEqual(round([f], here, there)[0], g);
  here.references.release([1, 1]); // of two that were sent
  assert.strictEqual(values.decode(Buffer.from(text), here)[0], f);
  here.references.release([1, 1]);
  assert.throws(() => values.decode(Buffer.from(text), here), /not there/);
});
check('too much is refused where it is made', () => {
  assert.throws(() => values.encode(['x'.repeat(2000)], side({ bytes: 1000 })), /larger/);
  assert.throws(() => values.encode([new Array(2000).fill(0)], side({ nodes: 1000 })), /larger/);
  values.encode(['x'.repeat(998)], side({ bytes: 1000 }));
});
check('shared memory is refused', () => assert.throws(() => values.encode([new SharedArrayBuffer(1)], side()), /SharedArrayBuffer/));

const hostile = ['', '[', '{}', '[[]]', '[{}]', '["a"', 'null', '1', '["o1"]', '["o1","\'a"]', '["a5",1]', '["a99999999999"]', '["o-1"]', '["r0"]', '["r1","o0"]', '["e1"]', '["e1","Nothing,0"]', '["e1","__proto__,0"]', '["f1"]', '["f1","\'x"]', '["F1"]',
  '["Q7"]', '["P1"]', '["Y1"]', '["k@nothing"]', '["kx"]', '["x","\'(","\'",0]', '["x","\'a","\'zz",0]', '["tInt32Array","\'AAA="]', '["tObject","\'AAA="]', '["t__proto__","\'AAA="]', '["tArray","\'AAA="]', '["w"]', '["w","o0"]', '["w",null]', '["w","u"]', '["bx"]', `["b${'9'.repeat(30000)}"]`, '["A4294967296,0"]', '["A1"]',
  '["A1,5"]', '["c"]', '["c","\'x","\'y","x"]', '["Isomething"]', '["m1",1]', '["Z"]', '["?"]', '[1,2', '["o1",5,5]', '["d"]', '["v"]', '["v1"]', '["p1","p1"]', '["q1"]', '["q0"]'];
for (const text of hostile) {
  check(`what was made up harms nothing: ${text.slice(0, 40)}`, () => {
    const before = Object.getOwnPropertyNames(Object.prototype).length;
    let made;
    try {
      made = values.decode(Buffer.from(text), side());
    } catch (problem) {
      assert.ok(problem instanceof VMError, problem.stack);
    }
    assert.ok(made === undefined || Array.isArray(made));
    assert.strictEqual(Object.getOwnPropertyNames(Object.prototype).length, before);
  });
}

// ---- made by chance ----

const TAGS = `[]{}"',0129urofFqQpPyYkwcAamstedxbIvV`;

const leaves = [() => random(1000) - 500, () => 'text'.slice(0, random(5)), () => null, () => undefined, () => random(2) === 1, () => BigInt(random(9)), () => new Date(random(1000)), () => -0, () => Buffer.from([random(256)]), () => /x/g, () => Object.assign(new TypeError('t'), { stack: 'TypeError: t' }), () => '[{]}'[random(4)]];
function some(depth, known) {
  if (known.length > 0 && random(8) === 0) return known[random(known.length)];
  if (depth === 0 || random(3) === 0) return leaves[random(leaves.length)]();
  const it = [{}, [], new Map(), new Set(), Object.create(null)][random(5)];
  known.push(it);
  for (let i = random(5); i > 0; i--) {
    const part = some(depth - 1, known);
    if (Array.isArray(it)) it.push(part);
    else if (it instanceof Map) it.set(some(0, []), part);
    else if (it instanceof Set) it.add(part);
    else it['abc'[random(3)] + random(3)] = part;
  }
  return it;
}
check(`${ROUNDS} values made by chance come as they went`, () => {
  for (let i = 0; i < ROUNDS; i++) {
    const list = [some(5, []), some(3, [])], was = seed;
    const shown = (it) => util.inspect(it, { depth: 9, breakLength: Infinity });
    assert.strictEqual(shown(round(list)), shown(list), `seed ${was}`);
  }
});
check(`${ROUNDS * 10} texts that were damaged harm nothing`, () => {
  const names = Object.getOwnPropertyNames(Object.prototype).join();
  for (let i = 0; i < ROUNDS * 10; i++) {
    const data = Buffer.from(values.encode([some(5, [])], side())), was = seed;
    for (let n = 1 + random(4); n > 0; n--) data[random(data.length)] = random(2) === 0 ? random(256) : TAGS.charCodeAt(random(TAGS.length));
    try {
      values.decode(data.subarray(0, random(4) === 0 ? random(data.length) : data.length), side());
    } catch (problem) {
      assert.ok(problem instanceof VMError, `seed ${was}: ${problem.stack}`);
    }
  }
  assert.strictEqual(Object.getOwnPropertyNames(Object.prototype).join(), names);
});
console.log(`1..${number}`);
process.exitCode = Math.min(failed, 100);
