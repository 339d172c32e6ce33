// The host must live, and have its time and its memory, whatever the code does.
'use strict';

const OFF = 'by design: what runs later is not in the time that is given';
const much = (host, { rss }) => rss > 400 << 20 && 'memory';

module.exports = [
  {
    name: 'loop-in-a-job', advisory: OFF, kind: 'VM', against: '3.12.2', reaches: 'hung', deadline: 4000,
    options: { timeout: 200 },
    code: `Promise.resolve().then(() => { for (;;); }); 1`,
  },
  {
    name: 'jobs-without-an-end', advisory: OFF, kind: 'VM', against: '3.12.2', reaches: 'hung', deadline: 4000,
    options: { timeout: 200 },
    code: `const again = () => Promise.resolve().then(again); again(); 1`,
  },
  {
    name: 'loop-in-a-function-that-is-given-back', advisory: OFF, kind: 'VM', against: '3.12.2', reaches: 'hung', deadline: 4000,
    options: { timeout: 200 },
    code: `() => { for (;;); }`,
    use: (found) => { try { return found(); } catch (e) { return e; } },
  },
  {
    name: 'loop-in-a-getter-that-is-given-back', advisory: OFF, kind: 'VM', against: '3.12.2', reaches: 'hung', deadline: 4000,
    options: { timeout: 200 },
    code: `({ get name() { for (;;); } })`,
    use: (found) => { try { return found.name; } catch (e) { return e; } },
  },
  {
    name: 'loop-in-what-makes-a-text', advisory: OFF, kind: 'VM', against: '3.12.2', reaches: 'hung', deadline: 4000,
    options: { timeout: 200 },
    code: `({ toString() { for (;;); }, [Symbol.toPrimitive]() { for (;;); } })`,
    use: (found) => { try { return `${found}`; } catch (e) { return e; } },
  },
  {
    name: 'loop-in-a-callback', advisory: OFF, kind: 'VM', against: '3.12.2', reaches: 'hung', deadline: 4000,
    options: () => ({ timeout: 200, sandbox: { later: (work) => setTimeout(() => { try { work(); } catch {} }, 10) } }),
    code: `later(() => { for (;;); }); 1`,
  },
  {
    name: 'loop-in-a-timer', advisory: OFF, kind: 'NodeVM', against: '3.12.2', reaches: 'hung', deadline: 4000,
    options: { timeout: 200 },
    code: `setTimeout(() => { for (;;); }, 10)`,
  },
  {
    name: 'loop-in-a-module', advisory: 'by design: a NodeVM has no time that is given', kind: 'NodeVM', against: '3.12.2', reaches: 'hung', deadline: 4000,
    options: { timeout: 200 },
    code: `for (;;);`,
  },
  {
    name: 'thenable-that-loops', advisory: 'GHSA-f8gf-w286-fmq2', kind: 'VM', against: '3.11.2', reaches: 'hung', deadline: 4000,
    options: { timeout: 200, allowAsync: false },
    code: `Promise.resolve({ then() { for (;;); } }); 1`,
  },
  {
    name: 'rejection-that-nobody-hears', advisory: 'GHSA-hw58-p9xv-2mjh, what is left of it', kind: 'VM', against: '3.12.2', reaches: 'ended',
    code: `(async () => { throw new Error('x'); })(); 1`,
  },
  {
    name: 'error-in-what-makes-a-promise', advisory: 'GHSA-hw58-p9xv-2mjh', kind: 'VM', against: '3.10.5', reaches: 'ended',
    options: { allowAsync: false },
    code: `new Promise(() => { const e = new Error(); e.name = Symbol('x'); e.stack; throw e; }); 1`,
  },
  {
    name: 'rejection-of-the-host-that-nobody-hears', advisory: 'GHSA-gjq8-xm47-88rc', kind: 'VM', against: '3.11.2', reaches: 'ended',
    options: () => ({ sandbox: { load: () => Promise.reject(new Error('no')) } }),
    code: `load(); 1`,
  },
  {
    name: 'rejection-of-what-was-constructed', advisory: 'GHSA-2v2p-6j97-cjg9', kind: 'VM', against: '3.11.2', reaches: 'ended',
    options: () => ({ sandbox: { Load: function Load() { return Promise.reject(new Error('no')); } } }),
    code: `new Load(); 1`,
  },
  {
    name: 'error-in-a-timer', advisory: 'by design: what a timer throws ends the process', kind: 'NodeVM', against: '3.12.2', reaches: 'ended',
    code: `setTimeout(() => { throw new Error('x'); }, 10)`,
  },
  {
    name: 'many-bytes', advisory: 'GHSA-6785-pvv7-mvg7', kind: 'VM', against: '3.10.5', reaches: 'memory',
    options: { timeout: 2000, bufferAllocLimit: 1 << 20 },
    code: `Buffer.alloc(600 << 20, 1).length`, wins: much,
  },
  {
    name: 'many-bytes-of-a-list', advisory: 'GHSA-v836-6xw4-9cx3', kind: 'VM', against: '3.11.2', reaches: 'memory',
    options: { timeout: 2000, bufferAllocLimit: 1 << 20 },
    code: `new Uint8Array(600 << 20).fill(1).length`, wins: much,
  },
  {
    name: 'one-heap-for-all', advisory: 'by design: no limit of memory', kind: 'VM', against: '3.12.2', reaches: 'ended', flags: ['--max-old-space-size=128'],
    options: { timeout: 5000 },
    code: `const kept = []; for (;;) kept.push(new Array(1000).fill(kept.length))`,
  },
  {
    name: 'a-text-without-an-end', advisory: 'by design: no limit of memory', kind: 'VM', against: '3.12.2', reaches: 'ended', flags: ['--max-old-space-size=128'],
    options: { timeout: 5000 },
    code: `const kept = []; for (let i = 0; ; i++) kept.push((String(i) + 'x').repeat(1 << 16).split(''))`,
  },
  {
    name: 'expression-that-goes-back', advisory: OFF, kind: 'VM', against: '3.12.2', reaches: 'hung', deadline: 4000,
    options: { timeout: 200 },
    code: `Promise.resolve().then(() => /^(a+)+$/.test('a'.repeat(40) + '!')); 1`,
  },
  {
    name: 'when-it-is-collected', advisory: 'GHSA: callbacks of a registry run outside of the time', kind: 'VM', against: '3.11.2', reaches: 'hung', deadline: 8000, flags: ['--expose-gc'],
    options: { timeout: 300 },
    code: `globalThis.registry = new FinalizationRegistry(() => { for (;;); }); (() => { registry.register({}, 1); })(); 1`,
    use: async () => { for (let i = 0; i < 10; i++) { globalThis.gc(); await new Promise((done) => { setTimeout(done, 50); }); } },
  },
];
