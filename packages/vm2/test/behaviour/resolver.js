// makeResolverFromLegacyOptions, and a resolver that several NodeVMs have.
'use strict';
const path = require('path');
const { write, thrown } = require('./support.js');

const RESOLVER = 'README: Resolver', TYPES = 'types: makeResolverFromLegacyOptions';

module.exports = [
  { name: 'a resolver with mocks and builtins', source: RESOLVER, run(vm2, assert) {
    const resolver = vm2.makeResolverFromLegacyOptions({ builtin: ['path'], mock: { fs: { readFileSync: () => 'Nice try!' } } });
    const vm = new vm2.NodeVM({ require: resolver });
    assert.strictEqual(vm.run('module.exports = require("fs").readFileSync() + require("path").basename("/a/b")'), 'Nice try!b');
  } },
  { name: 'a resolver of several NodeVMs', source: RESOLVER, run(vm2, assert) {
    const resolver = vm2.makeResolverFromLegacyOptions({ builtin: ['path'] });
    assert.deepStrictEqual([1, 2, 3].map((n) => new vm2.NodeVM({ require: resolver, sandbox: { n } }).run('module.exports = require("path").join("a", String(n))')), ['a/1', 'a/2', 'a/3']);
  } },
  { name: 'a resolver is instanceof Resolver', source: 'types: Resolver', run: (vm2, assert) => assert.ok(vm2.makeResolverFromLegacyOptions({ builtin: ['path'] }) instanceof vm2.Resolver) },
  { name: 'the member resolver is the one that was given', source: 'types: NodeVM.resolver', run(vm2, assert) {
    const resolver = vm2.makeResolverFromLegacyOptions({ builtin: ['path'] });
    assert.strictEqual(new vm2.NodeVM({ require: resolver }).resolver, resolver);
  } },
  { name: 'the member resolver of one that was made of options', source: 'types: NodeVM.resolver', run: (vm2, assert) => assert.ok(new vm2.NodeVM({ require: { builtin: ['path'] } }).resolver instanceof vm2.Resolver) },
  { name: 'the resolver of one NodeVM is given to another', source: 'types: NodeVM.resolver', run(vm2, assert) {
    const first = new vm2.NodeVM({ require: { builtin: ['path'] } });
    assert.strictEqual(new vm2.NodeVM({ require: first.resolver }).run('module.exports = require("path").basename("/a/b")'), 'b');
  } },
  { name: 'a resolver refuses what it does not allow', source: TYPES, run: (vm2, assert) => assert.strictEqual(thrown(() => new vm2.NodeVM({ require: vm2.makeResolverFromLegacyOptions({ builtin: ['path'] }) }).run('require("fs")')).code, 'ENOTFOUND') },
  { name: 'a resolver of nothing refuses all', source: TYPES, run: (vm2, assert) => assert.strictEqual(thrown(() => new vm2.NodeVM({ require: vm2.makeResolverFromLegacyOptions({}) }).run('require("path")')).code, 'ENOTFOUND') },
  { name: 'a resolver of files', source: TYPES, run(vm2, assert, place) {
    write(place, { 'a.js': 'module.exports = "a"' });
    const resolver = vm2.makeResolverFromLegacyOptions({ external: true, root: place, context: 'sandbox' });
    for (let i = 0; i < 2; i++) assert.strictEqual(new vm2.NodeVM({ require: resolver }).run('module.exports = require("./a")', path.join(place, 'x.js')), 'a');
  } },
  { name: 'a resolver of packages', source: TYPES, run(vm2, assert, place) {
    write(place, { 'node_modules/plain/index.js': 'module.exports = "plain"', 'node_modules/other/index.js': 'module.exports = "other"' });
    const vm = new vm2.NodeVM({ require: vm2.makeResolverFromLegacyOptions({ external: ['plain'], root: place, context: 'sandbox' }) });
    assert.strictEqual(vm.run('module.exports = require("plain")', path.join(place, 'x.js')), 'plain');
    assert.strictEqual(thrown(() => vm.run('require("other")', path.join(place, 'x.js'))).code, 'ENOTFOUND');
  } },
  { name: 'modules of two NodeVMs with one resolver have their own state', source: RESOLVER, run(vm2, assert, place) {
    write(place, { 'count.js': 'let n = 0; module.exports = () => ++n' });
    const resolver = vm2.makeResolverFromLegacyOptions({ external: true, root: place, context: 'sandbox' });
    assert.deepStrictEqual([1, 2].map(() => new vm2.NodeVM({ require: resolver }).run('module.exports = require("./count")()', path.join(place, 'x.js'))), [1, 1]);
  } },
  { name: 'the compiler of a resolver compiles modules', source: TYPES, run(vm2, assert, place) {
    write(place, { 'a.js': 'module.exports = MARK' });
    const resolver = vm2.makeResolverFromLegacyOptions({ external: true, root: place, context: 'sandbox' }, undefined, (code) => code.replace('MARK', '"compiled"'));
    assert.strictEqual(new vm2.NodeVM({ require: resolver }).run('module.exports = require("./a")', path.join(place, 'x.js')), 'compiled');
  } },
  { name: 'an override is a function', source: 'types: BuiltinLoad', differs: 'An override is given to the cell by copy, with functions as calls back; it is made once for each NodeVM.', run(vm2, assert) {
    const resolver = vm2.makeResolverFromLegacyOptions({ builtin: [] }, { mine: (vm) => vm.readonly({ a: 5 }) });
    assert.strictEqual(new vm2.NodeVM({ require: resolver }).run('module.exports = require("mine").a'), 5);
  } },
  { name: 'an override with init and load', source: 'types: Builtin', differs: 'An override is given to the cell by copy, with functions as calls back; it is made once for each NodeVM.', run(vm2, assert) {
    let begun = 0;
    const resolver = vm2.makeResolverFromLegacyOptions({ builtin: [] }, { mine: { init: () => void begun++, load: (vm) => vm.readonly({ a: 6 }) } });
    assert.strictEqual(new vm2.NodeVM({ require: resolver }).run('module.exports = require("mine").a'), 6);
    assert.strictEqual(begun, 1);
  } },
];
