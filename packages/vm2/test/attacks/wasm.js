// WebAssembly: what is run beside the code, what it asks of the host, and the memory that it takes.
'use strict';

const START = '0,97,115,109,1,0,0,0,1,4,1,96,0,0,3,2,1,0,8,1,0,10,9,1,7,0,3,64,12,0,11,11'; // its start is an endless loop

module.exports = [
  {
    name: 'shown-while-it-is-refused', advisory: 'CVE-2023-37903', kind: 'VM', against: '3.9.19', options: { ambit: { jit: true } },
    code: ({ take }) => `let result;
      const it = { [Symbol.for('nodejs.util.inspect.custom')]: (depth, options, inspect) => { result = ${take('inspect.constructor')}; }, constructor: undefined, valueOf: undefined };
      WebAssembly.instantiateStreaming(it, {}).catch(() => {});
      (async () => { for (let i = 0; i < 20 && result === undefined; i++) await null; return result; })()`,
  },
  {
    name: 'what-it-refuses-with', advisory: 'before 3.11.0: an error of the host, to a promise of the code', kind: 'VM', against: '3.9.19', options: { ambit: { jit: true } },
    code: ({ take }) => `let result;
      const p = WebAssembly.compileStreaming();
      p.constructor = { [Symbol.species]: class { constructor(make) { make(() => {}, (e) => { result = ${take('e.constructor.constructor')}; }); } } };
      p.then();
      (async () => { for (let i = 0; i < 20 && result === undefined; i++) await null; return result; })()`,
  },
  {
    name: 'severed-prototype-of-what-it-refuses-with', advisory: 'GHSA-v6mx-mf47-r5wg', kind: 'VM', against: '3.11.2', options: { ambit: { jit: true } },
    code: ({ take }) => `const read = Buffer.call.call({}.__lookupGetter__, Buffer, '__proto__'), write = Buffer.call.call({}.__lookupSetter__, Buffer, '__proto__');
      (async () => {
        try { await WebAssembly.instantiateStreaming(); } catch (e) { Reflect.apply(write, read.call(e), [null]); }
        try { await WebAssembly.instantiateStreaming(); } catch (e) { return ${take('e.constructor.constructor')}; }
      })()`,
  },
  {
    name: 'start-that-does-not-end', advisory: 'by design: what runs later is not in the time that is given', kind: 'VM', against: '3.12.2', reaches: 'hung', deadline: 4000,
    options: { ambit: { jit: true }, timeout: 200 },
    code: `WebAssembly.instantiate(Uint8Array.of(${START})).then(() => {}); 1`,
  },
  {
    name: 'memory-beyond-the-limit', advisory: 'GHSA-v836-6xw4-9cx3', kind: 'VM', against: '3.11.2', reaches: 'memory',
    options: { ambit: { jit: true }, bufferAllocLimit: 1 << 20, timeout: 2000 },
    code: `const memory = new WebAssembly.Memory({ initial: 8192 }), bytes = new Uint8Array(memory.buffer); bytes.fill(1); bytes.length`,
    wins: (host, { rss }) => rss > 400 << 20 && 'memory',
  },
  {
    name: 'memory-that-grows', advisory: 'by design: no limit for all of it together', kind: 'VM', against: '3.12.2', reaches: 'memory',
    options: { ambit: { jit: true }, timeout: 4000 },
    code: `const kept = []; for (let i = 0; i < 10; i++) { const memory = new WebAssembly.Memory({ initial: 1, maximum: 1024 }); memory.grow(1000); new Uint8Array(memory.buffer).fill(1); kept.push(memory); } kept.length`,
    wins: (host, { rss }) => rss > 400 << 20 && 'memory',
  },
];
