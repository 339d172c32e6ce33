// Errors that the host made, or that a function of the host threw, and what formats stacks.
'use strict';

module.exports = [
  {
    name: 'end-of-the-stack', advisory: 'CVE-2019-10761', kind: 'VM', against: '3.6.4',
    code: ({ take }) => `let found;
      const fill = (depth) => { if (depth > 0) fill(depth - 1); else Buffer.from('x').toString(); };
      const tried = (depth) => { try { fill(depth); return true; } catch (e) { if (e.constructor.constructor !== Function) found ??= e; return false; } };
      for (let round = 0; round < 10 && !found; round++) {
        let low = 0, high = 60000;
        while (low < high) { const middle = (low + high) >> 1; if (tried(middle)) low = middle + 1; else high = middle; }
        for (let depth = low + 20; depth > low - 200 && depth > 0 && !found; depth--) tried(depth);
      }
      ${take('found.constructor.constructor')}`,
  },
  {
    name: 'sites-of-calls', advisory: 'CVE-2022-36067', kind: 'VM', against: '3.9.9',
    code: ({ take }) => `globalThis.Error = { prepareStackTrace(e, all) { ${take('all[0].constructor.constructor')}; } };
      (async () => { null.anything; })();
      1`,
  },
  {
    name: 'stack-prepared-later', advisory: 'CVE-2023-29017', kind: 'VM', against: '3.9.14',
    code: ({ take }) => `Error.prepareStackTrace = (e, all) => { ${take('all.constructor.constructor')}; };
      (async () => { missing; })();
      1`,
  },
  {
    name: 'prototype-trap-of-a-thrown-proxy', advisory: 'CVE-2023-30547', kind: 'VM', against: '3.9.14',
    code: ({ take }) => `const proxied = new Proxy({}, { getPrototypeOf() { (function deep() { new Error().stack; deep(); })(); } });
      let found;
      try { throw proxied; } catch ({ constructor: it }) { found = it; }
      ${take('found.constructor')}`,
  },
  {
    name: 'cause-of-an-error', advisory: 'GHSA-m283-3h24-438v', kind: 'VM', against: '3.11.2',
    options: () => ({ sandbox: { ask() { throw new Error('no', { cause: process }); } } }),
    code: ({ use }) => `let found; try { ask(); } catch (e) { found = e.cause; } ${use('found')}`,
  },
  {
    name: 'member-of-an-error', advisory: 'GHSA-m283-3h24-438v', kind: 'VM', against: '3.11.2',
    options: () => ({ sandbox: { ask() { throw Object.assign(new Error('no'), { detail: { of: process } }); } } }),
    code: ({ use }) => `let found; try { ask(); } catch (e) { found = e.detail.of; } ${use('found')}`,
  },
  {
    name: 'prototype-of-an-error', advisory: 'GHSA-m283-3h24-438v, what came after it', kind: 'VM', against: '3.11.2',
    options: () => ({ sandbox: { ask() { throw Object.setPrototypeOf(new Error('no'), { leak: process }); } } }),
    code: ({ use }) => `let found; try { ask(); } catch (e) { found = e.leak; } ${use('found')}`,
  },
  {
    name: 'errors-within-an-error', advisory: 'GHSA-55hx-c926-fr95', kind: 'VM', against: '3.10.5',
    options: () => ({ sandbox: { ask: async () => { throw new AggregateError([Object.assign(new Error('x'), { of: process })]); } } }),
    code: ({ use }) => `ask().then(undefined, (e) => ${use('e.errors[0].of')})`,
  },
  {
    name: 'places-of-the-host', advisory: 'GHSA-v27g-jcqj-v8rw', kind: 'VM', against: '3.10.5',
    code: `const keep = Error.prepareStackTrace; let places;
      Error.prepareStackTrace = (e, all) => all.map((site) => site.getFileName() + ' ' + (site.getEvalOrigin ? site.getEvalOrigin() : '')).join(' ');
      places = new Error().stack;
      Error.prepareStackTrace = keep;
      tell(String(places) + ' ' + new Error('x').stack)`,
    options: (host) => ({ sandbox: { tell: (it) => void host.heard.push(it) } }),
    reaches: 'places of the host', wins: (host) => host.heard.join(' ').includes(__dirname) && 'places of the host',
  },
  {
    name: 'stack-of-an-error-of-the-host', advisory: 'before 3.12: where the host lies', kind: 'VM', against: '3.11.2',
    options: (host) => ({ sandbox: { tell: (it) => void host.heard.push(it), ask() { throw new Error('no'); } } }),
    code: `try { ask(); } catch (e) { tell(String(e.stack)); }`,
    reaches: 'places of the host', wins: (host) => host.heard.join(' ').includes(__dirname) && 'places of the host',
  },
];
