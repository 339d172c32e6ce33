// freeze, readonly and protect.
'use strict';
const { differs, lacks, thrown } = require('./support.js');

const READ = 'README: Read-only objects', PROTECT = 'README: Protected objects';
const util = () => ({ add: (a, b) => a + b, deep: { list: [1], x: { y: 1 } }, n: 1 });
const frozen = (vm2, it) => {
  const vm = new vm2.VM();
  vm.freeze(it, 'util');
  return vm;
};
const protectedVm = (vm2, it) => {
  const vm = new vm2.VM();
  vm.protect(it, 'util');
  return vm;
};

// What the code tries on a frozen object, which stays as it was.
const tries = [
  ['a member that is replaced', 'util.n = 2', (it) => it.n === 1], ['a function that is replaced', 'util.add = (a, b) => a - b', (it) => it.add(1, 1) === 2], ['a member that is added', 'util.more = 1', (it) => !('more' in it)], ['a member that is deleted', 'delete util.n', (it) => it.n === 1],
  ['a member deep in it', 'util.deep.x.y = 2', (it) => it.deep.x.y === 1], ['an array in it', 'try { util.deep.list.push(2) } catch (e) {}', (it) => it.deep.list.length === 1], ['an element of an array in it', 'util.deep.list[0] = 5', (it) => it.deep.list[0] === 1],
  ['a member that is defined', 'try { Object.defineProperty(util, "n", { value: 5 }) } catch (e) {}', (it) => it.n === 1], ['Object.assign', 'try { Object.assign(util, { n: 3 }) } catch (e) {}', (it) => it.n === 1], ['a prototype', 'try { Object.setPrototypeOf(util, { z: 1 }) } catch (e) {}', (it) => it.z === undefined],
  ['a member of a function', 'util.add.extra = 1', (it) => it.add.extra === undefined],
];

module.exports = [
  ...tries.map(([name, code, check]) => ({
    name: `freeze holds against ${name}`, source: READ, lacks: /an array in it/.test(name) ? lacks.push : undefined,
    run(vm2, assert) {
      const it = util();
      frozen(vm2, it).run(code);
      assert.ok(check(it));
    },
  })),
  ...tries.filter(([name]) => !/member of a function/.test(name)).map(([name, code]) => ({
    name: `the code does not see ${name} of a frozen object`, source: READ, lacks: /an array in it/.test(name) ? lacks.push : undefined,
    run(vm2, assert) {
      const vm = frozen(vm2, util());
      vm.run(code);
      assert.strictEqual(vm.run('[util.n, util.add(1, 1), typeof util.more, util.deep.x.y, util.deep.list.length, util.deep.list[0], typeof util.z].join()'), '1,2,undefined,1,1,1,undefined');
    },
  })),
  { name: 'a frozen object is silent', source: READ, run: (vm2, assert) => assert.strictEqual(frozen(vm2, util()).run('util.n = 2; "silent"'), 'silent') },
  { name: 'a frozen object throws in strict mode', source: READ, run: (vm2, assert) => assert.throws(() => frozen(vm2, util()).run('"use strict"; util.n = 2'), TypeError) },
  { name: 'a frozen object is read', source: READ, run: (vm2, assert) => assert.strictEqual(frozen(vm2, util()).run('util.n + util.deep.list[0]'), 2) },
  { name: 'functions of a frozen object are called', source: READ, run: (vm2, assert) => assert.strictEqual(frozen(vm2, util()).run('util.add(2, 3)'), 5) },
  { name: 'a frozen function is called', source: READ, run: (vm2, assert) => assert.strictEqual(frozen(vm2, (n) => n + 1).run('util(1)'), 2) },
  { name: 'a frozen array is read', source: READ, run: (vm2, assert) => assert.strictEqual(frozen(vm2, [1, 2, 3]).run('util.map((n) => n * 2).join()'), '2,4,6') },
  { name: 'freeze gives what stands for the object', source: 'types: VM.freeze', run: (vm2, assert) => assert.ok(new vm2.VM().freeze({ a: 1 }, 'x')) },
  { name: 'freeze without a name makes no global', source: 'types: VM.freeze', run(vm2, assert) {
    const vm = new vm2.VM();
    vm.freeze({ a: 1 });
    assert.strictEqual(vm.run('typeof util'), 'undefined');
  } },
  { name: 'what was frozen without a name is frozen when it comes', source: 'types: VM.freeze', run(vm2, assert) {
    const vm = new vm2.VM(), it = { a: 1 };
    vm.freeze(it);
    vm.setGlobal('it', it);
    assert.strictEqual(vm.run('it.a = 2; it.a'), 1);
  } },
  { name: 'readonly holds for a later global', source: 'types: VM.readonly', run(vm2, assert) {
    const vm = new vm2.VM(), it = { a: { b: 1 } };
    vm.readonly(it);
    vm.setGlobal('it', it);
    assert.strictEqual(vm.run('it.a.b = 2; it.a.b'), 1);
    assert.strictEqual(it.a.b, 1);
  } },
  { name: 'readonly holds for an argument', source: 'types: VM.readonly', run(vm2, assert) {
    const vm = new vm2.VM(), it = { a: 1 };
    vm.readonly(it);
    assert.strictEqual(vm.run('(it) => { it.a = 2; return it.a }')(it), 1);
  } },
  { name: 'what readonly gives is passed', source: 'types: VM.readonly', run(vm2, assert) {
    const vm = new vm2.VM();
    vm.setGlobal('it', vm.readonly({ a: 1 }));
    assert.strictEqual(vm.run('it.a = 2; it.a'), 1);
  } },
  { name: 'the host may still write into what it froze', source: READ, run(vm2, assert) {
    const it = util();
    frozen(vm2, it);
    it.n = 5;
    assert.strictEqual(it.n, 5);
  } },
  { name: 'the code sees what the host wrote into what it froze', source: READ, differs: differs.late, run(vm2, assert) {
    const it = util(), vm = frozen(vm2, it);
    vm.run('util.n');
    it.n = 5;
    assert.strictEqual(vm.run('util.n'), 5);
  } },
  { name: 'methods of a frozen object change it in the host', source: READ, run(vm2, assert) {
    const counter = { n: 0, next() { return ++this.n; } };
    assert.strictEqual(frozen(vm2, counter).run('util.next(); util.next()'), 2);
    assert.strictEqual(counter.n, 2);
  } },
  { name: 'a copy of a frozen object is free', source: READ, run: (vm2, assert) => assert.strictEqual(frozen(vm2, util()).run('const mine = { ...util }; mine.n = 9; mine.n'), 9) },
  { name: 'freeze of an object that is not frozen leaves others alone', source: READ, run(vm2, assert) {
    const vm = new vm2.VM({ sandbox: { other: { a: 1 } } });
    vm.freeze({ a: 1 }, 'it');
    assert.strictEqual(vm.run('other.a = 2; other.a'), 2);
  } },
  { name: 'freeze in NodeVM', source: READ, run(vm2, assert) {
    const vm = new vm2.NodeVM();
    vm.freeze({ a: 1 }, 'it');
    assert.strictEqual(vm.run('it.a = 2; module.exports = it.a'), 1);
  } },
  { name: 'protect takes data', source: PROTECT, run: (vm2, assert) => assert.strictEqual(protectedVm(vm2, util()).run('util.n = 5; util.more = "x"; util.n + util.more'), '5x') },
  { name: 'protect takes a member away', source: PROTECT, run: (vm2, assert) => assert.strictEqual(protectedVm(vm2, util()).run('delete util.n; typeof util.n'), 'undefined') },
  { name: 'protect refuses a function', source: PROTECT, run(vm2, assert) {
    const it = util(), vm = protectedVm(vm2, it);
    try {
      vm.run('util.toString = () => "mine"');
    } catch {} // it may be silent, or not
    assert.ok(!Object.hasOwn(it, 'toString'));
    assert.strictEqual(vm.run('Object.prototype.hasOwnProperty.call(util, "toString")'), false);
  } },
  { name: 'protect refuses a getter', source: PROTECT, run(vm2, assert) {
    const it = util(), vm = protectedVm(vm2, it);
    try {
      vm.run('Object.defineProperty(util, "n", { get: () => 7 })');
    } catch {} // it may be silent, or not
    assert.strictEqual(it.n, 1);
  } },
  { name: 'protect refuses to replace a function', source: PROTECT, run(vm2, assert) {
    const it = util(), vm = protectedVm(vm2, it);
    try {
      vm.run('util.add = () => 0');
    } catch {} // it may be silent, or not
    assert.strictEqual(vm.run('util.add(1, 1)'), 2);
    assert.strictEqual(it.add(1, 1), 2);
  } },
  { name: 'protect writes data into the object of the host', source: PROTECT, differs: differs.writeBack, run(vm2, assert) {
    const it = util();
    protectedVm(vm2, it).run('util.n = 5');
    assert.strictEqual(it.n, 5);
  } },
  { name: 'functions of a protected object are called', source: PROTECT, run: (vm2, assert) => assert.strictEqual(protectedVm(vm2, util()).run('util.add(2, 2)'), 4) },
  { name: 'protect gives what stands for the object', source: 'types: VM.protect', run: (vm2, assert) => assert.ok(new vm2.VM().protect({ a: 1 }, 'x')) },
  { name: 'protect in NodeVM', source: PROTECT, run(vm2, assert) {
    const vm = new vm2.NodeVM();
    vm.protect({ a: 1 }, 'it');
    assert.strictEqual(vm.run('it.a = 2; module.exports = it.a'), 2);
  } },
  { name: 'without freeze the code writes', source: READ, run(vm2, assert) {
    const vm = new vm2.VM({ sandbox: { util: util() } });
    assert.strictEqual(vm.run('util.add = (a, b) => a - b; util.add(1, 1)'), 0);
  } },
  ...[['freeze', '5'], ['freeze', '"text"'], ['protect', '5']].map(([method, code]) => ({
    name: `${method} of ${code} changes nothing`, source: 'types: VM.freeze (not for primitive values)',
    run(vm2, assert) {
      const vm = new vm2.VM();
      try {
        vm[method](new Function(`return ${code}`)(), 'it');
      } catch {
        return void thrown(() => vm.run('it'));
      }
      assert.strictEqual(vm.run('it'), new Function(`return ${code}`)());
    },
  })),
];
