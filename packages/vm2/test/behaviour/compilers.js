// Compilers: functions, and those that are packages of their own.
'use strict';
const path = require('path');
const { write, thrown } = require('./support.js');

const COMPILERS = 'README: Compilers', OPTION = 'types: VMOptions.compiler', SCRIPT = 'types: VMScript.compiler';
const replace = (code) => String(code).replace(/MARK/g, '"compiled"');

module.exports = [
  ...['javascript', 'java-script', 'js', 'text/javascript'].map((compiler) => ({ name: `compiler ${compiler}`, source: OPTION, run: (vm2, assert) => assert.strictEqual(new vm2.VM({ compiler }).run('1 + 1'), 2) })),
  { name: 'a compiler that is a function', source: COMPILERS, run: (vm2, assert) => assert.strictEqual(new vm2.VM({ compiler: replace }).run('MARK'), 'compiled') },
  { name: 'a compiler is given code and file name', source: 'types: CompilerFunction', run(vm2, assert) {
    const asked = [];
    new vm2.VM({ compiler: (...args) => (asked.push(args), args[0]) }).run('1 + 1', 'mine.js');
    assert.deepStrictEqual(asked, [['1 + 1', 'mine.js']]);
  } },
  { name: 'a compiler is given vm.js without a file name', source: 'types: CompilerFunction', run(vm2, assert) {
    const asked = [];
    new vm2.VM({ compiler: (code, filename) => (asked.push(filename), code) }).run('1');
    assert.deepStrictEqual(asked, ['vm.js']);
  } },
  { name: 'a compiler of NodeVM', source: COMPILERS, run: (vm2, assert) => assert.strictEqual(new vm2.NodeVM({ compiler: replace }).run('module.exports = MARK'), 'compiled') },
  { name: 'a compiler of NodeVM compiles modules', source: 'types: NodeVMOptions.compiler', run(vm2, assert, place) {
    write(place, { 'a.js': 'module.exports = MARK' });
    assert.strictEqual(new vm2.NodeVM({ compiler: replace, require: { external: true, root: place, context: 'sandbox' } }).run('module.exports = require("./a")', path.join(place, 'x.js')), 'compiled');
  } },
  { name: 'a compiler of NodeVM compiles files with its extension', source: 'types: NodeVMOptions.sourceExtensions', run(vm2, assert, place) {
    write(place, { 'a.mine': 'module.exports = MARK' });
    assert.strictEqual(new vm2.NodeVM({ compiler: replace, sourceExtensions: ['js', 'mine'], require: { external: true, root: place, context: 'sandbox' } }).run('module.exports = require("./a.mine")', path.join(place, 'x.js')), 'compiled');
  } },
  { name: 'a compiler is given the file name of a module', source: 'types: CompilerFunction', run(vm2, assert, place) {
    write(place, { 'a.js': 'module.exports = 1' });
    const asked = [];
    new vm2.NodeVM({ compiler: (code, filename) => (asked.push(filename), code), require: { external: true, root: place, context: 'sandbox' } }).run('require("./a")', path.join(place, 'x.js'));
    assert.ok(asked.includes(path.join(place, 'a.js')), asked.join());
  } },
  { name: 'a compiler that throws', source: COMPILERS, run: (vm2, assert) => assert.throws(() => new vm2.VM({ compiler() { throw new RangeError('mine'); } }).run('1'), /mine/) },
  { name: 'a compiler of runFile', source: OPTION, run: (vm2, assert, place) => assert.strictEqual(new vm2.VM({ compiler: replace }).runFile(path.join(write(place, { 'a.x': 'MARK' }), 'a.x')), 'compiled') },
  { name: 'a compiler of a script', source: SCRIPT, run: (vm2, assert) => assert.strictEqual(new vm2.VM().run(new vm2.VMScript('MARK', { compiler: replace })), 'compiled') },
  { name: 'a compiler of a script is used, and not that of the VM', source: SCRIPT, run: (vm2, assert) => assert.strictEqual(new vm2.VM({ compiler: () => '"of the VM"' }).run(new vm2.VMScript('MARK', { compiler: replace })), 'compiled') },
  { name: 'a script without a compiler is not compiled by that of the VM', source: SCRIPT, run: (vm2, assert) => assert.strictEqual(new vm2.VM({ compiler: () => '"of the VM"' }).run(new vm2.VMScript('"plain"')), 'plain') },
  { name: 'a compiler of a script is given the file name', source: SCRIPT, run(vm2, assert) {
    const asked = [];
    new vm2.VMScript('1', { filename: 'mine.js', compiler: (code, filename) => (asked.push(filename), code) }).compile();
    assert.deepStrictEqual(asked, ['mine.js']);
  } },
  { name: 'a compiler that is not known is refused by a VM', source: OPTION, run: (vm2, assert) => assert.throws(() => new vm2.VM({ compiler: 'fortran' }).run('1'), (e) => e instanceof vm2.VMError && /Unsupported compiler/.test(e.message)) },
  { name: 'a compiler that is not known is refused by a script', source: SCRIPT, run: (vm2, assert) => assert.throws(() => new vm2.VMScript('1', { compiler: 'fortran' }).compile(), (e) => e instanceof vm2.VMError && /Unsupported compiler/.test(e.message)) },
  ...['coffeescript', 'coffee-script', 'cs', 'text/coffeescript'].map((compiler) => ({ name: `compiler ${compiler} is that package, or its lack is said`, source: COMPILERS, run(vm2, assert) {
    try {
      assert.strictEqual(new vm2.VM({ compiler }).run('square = (x) -> x * x\nsquare 3'), 9);
    } catch (problem) {
      assert.ok(problem instanceof vm2.VMError, String(problem));
      assert.match(problem.message, /not installed/);
    }
  } })),
  ...['typescript', 'type-script', 'ts', 'text/typescript'].map((compiler) => ({ name: `compiler ${compiler}`, source: COMPILERS, needs: ['typescript'], run: (vm2, assert) => assert.strictEqual(new vm2.VM({ compiler }).run('const x: number = 41; x + 1'), 42) })),
  { name: 'compiler typescript in NodeVM', source: COMPILERS, needs: ['typescript'], run: (vm2, assert) => assert.strictEqual(new vm2.NodeVM({ compiler: 'typescript' }).run('interface A { n: number }\nconst a: A = { n: 2 };\nexport const twice = (): number => a.n * 2').twice(), 4) },
  { name: 'compiler typescript of a script', source: SCRIPT, needs: ['typescript'], run: (vm2, assert) => assert.strictEqual(new vm2.VM().run(new vm2.VMScript('(5 as number) + 1', { compiler: 'typescript' })), 6) },
  { name: 'option compilerOptions of a script', source: 'types: VMScript.compilerOptions', needs: ['typescript'], run: (vm2, assert) => assert.strictEqual(new vm2.VM().run(new vm2.VMScript('enum E { A = 3 } E.A', { compiler: 'typescript', compilerOptions: { removeComments: true } })), 3) },
  { name: 'NodeVM.file takes the compiler of its extension', source: 'types: NodeVM.file', needs: ['typescript'], run: (vm2, assert, place) => assert.strictEqual(vm2.NodeVM.file(path.join(write(place, { 'a.ts': 'const n: number = 4;\nmodule.exports = n' }), 'a.ts')), 4) },
  { name: 'compiler typescript without that package says so', source: COMPILERS, run(vm2, assert) {
    try {
      new vm2.VM({ compiler: 'typescript' }).run('1');
    } catch (problem) {
      assert.ok(problem instanceof vm2.VMError);
      assert.match(problem.message, /not installed|transpileModule/);
    }
  } },
  { name: 'what a compiler made and cannot be compiled throws', source: 'README: Error handling', run: (vm2, assert) => assert.ok(thrown(() => new vm2.VM({ compiler: () => 'a b' }).run('1')) instanceof SyntaxError) },
];
