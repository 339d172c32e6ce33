// VMFileSystem, and file systems that are given.
'use strict';
const fs = require('fs');
const path = require('path');
const { write } = require('./support.js');

const TYPES = 'types: VMFileSystem', FS = 'types: VMRequire.fs';

module.exports = [
  ...['statSync', 'readFileSync', 'resolve', 'isAbsolute', 'join', 'basename', 'dirname', 'isSeparator'].map((method) => ({ name: `it has ${method}`, source: TYPES, run: (vm2, assert) => assert.strictEqual(typeof new vm2.VMFileSystem()[method], 'function') })),
  { name: 'resolve', source: TYPES, run: (vm2, assert) => assert.strictEqual(new vm2.VMFileSystem().resolve('/a/../b'), '/b') },
  { name: 'isAbsolute', source: TYPES, run: (vm2, assert) => assert.deepStrictEqual([new vm2.VMFileSystem().isAbsolute('/a'), new vm2.VMFileSystem().isAbsolute('a')], [true, false]) },
  { name: 'join', source: TYPES, run: (vm2, assert) => assert.strictEqual(new vm2.VMFileSystem().join('a', '..', 'b'), 'b') },
  { name: 'basename', source: TYPES, run: (vm2, assert) => assert.strictEqual(new vm2.VMFileSystem().basename('/a/b.js'), 'b.js') },
  { name: 'dirname', source: TYPES, run: (vm2, assert) => assert.strictEqual(new vm2.VMFileSystem().dirname('/a/b.js'), '/a') },
  { name: 'isSeparator', source: TYPES, run: (vm2, assert) => assert.deepStrictEqual([new vm2.VMFileSystem().isSeparator(path.sep), new vm2.VMFileSystem().isSeparator('x')], [true, false]) },
  { name: 'statSync', source: TYPES, run: (vm2, assert, place) => assert.ok(new vm2.VMFileSystem().statSync(place).isDirectory()) },
  { name: 'readFileSync', source: TYPES, run: (vm2, assert, place) => assert.strictEqual(new vm2.VMFileSystem().readFileSync(path.join(write(place, { a: 'text' }), 'a'), 'utf8'), 'text') },
  { name: 'a module fs that is given is used', source: TYPES, run(vm2, assert) {
    const asked = [], it = new vm2.VMFileSystem({ fs: { statSync: (name) => (asked.push(name), 'stat'), readFileSync: (name) => (asked.push(name), 'text') } });
    assert.deepStrictEqual([it.statSync('/a'), it.readFileSync('/b'), asked], ['stat', 'text', ['/a', '/b']]);
  } },
  { name: 'a module path that is given is used', source: TYPES, run: (vm2, assert) => assert.strictEqual(new vm2.VMFileSystem({ path: { ...path, join: () => 'mine' } }).join('a'), 'mine') },
  { name: 'the default as require.fs', source: FS, run(vm2, assert, place) {
    write(place, { 'a.js': 'module.exports = "a"' });
    assert.strictEqual(new vm2.NodeVM({ require: { external: true, root: place, context: 'sandbox', fs: new vm2.VMFileSystem() } }).run('module.exports = require("./a")', path.join(place, 'x.js')), 'a');
  } },
  { name: 'a VMFileSystem of the real modules as require.fs', source: FS, run(vm2, assert, place) {
    write(place, { 'a.js': 'module.exports = "a"' });
    assert.strictEqual(new vm2.NodeVM({ require: { external: true, root: place, context: 'sandbox', fs: new vm2.VMFileSystem({ fs, path }) } }).run('module.exports = require("./a")', path.join(place, 'x.js')), 'a');
  } },
  { name: 'files of memory as require.fs', source: FS, run(vm2, assert) {
    const files = { '/mem/a.js': 'module.exports = "of memory " + require("./b")', '/mem/b.js': 'module.exports = "too"' };
    const missing = () => Object.assign(new Error('not there'), { code: 'ENOENT' });
    const memory = {
      statSync(name) {
        if (name === '/mem') return { isFile: () => false, isDirectory: () => true };
        if (!(name in files)) throw missing();
        return { isFile: () => true, isDirectory: () => false };
      },
      readFileSync(name) {
        if (!(name in files)) throw missing();
        return files[name];
      },
      realpathSync: (name) => name,
    };
    const vm = new vm2.NodeVM({ require: { external: true, context: 'sandbox', fs: new vm2.VMFileSystem({ fs: memory }) } });
    assert.strictEqual(vm.run('module.exports = require("./a")', '/mem/x.js'), 'of memory too');
  } },
];
