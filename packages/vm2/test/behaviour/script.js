// VMScript: code that is compiled once, and run in any VM.
'use strict';
const { thrown, lacks } = require('./support.js');

const SCRIPT = 'README: VMScript', TYPES = 'types: VMScript', ERRORS = 'README: Error handling';
const where = 'Error.prepareStackTrace = (e, sites) => sites[0].getFileName() + ":" + sites[0].getLineNumber() + ":" + sites[0].getColumnNumber();';

module.exports = [
  { name: 'a script runs in a VM', source: SCRIPT, run: (vm2, assert) => assert.strictEqual(new vm2.VM().run(new vm2.VMScript('1 + 2')), 3) },
  {
    name: 'a script runs several times', source: SCRIPT,
    run(vm2, assert) {
      const vm = new vm2.VM({ sandbox: { n: 0 } }), script = new vm2.VMScript('++n');
      assert.deepStrictEqual([vm.run(script), vm.run(script), vm.run(script)], [1, 2, 3]);
    },
  },
  {
    name: 'a script runs in several VMs', source: SCRIPT,
    run(vm2, assert) {
      const script = new vm2.VMScript('a * 2');
      assert.deepStrictEqual([1, 2].map((a) => new vm2.VM({ sandbox: { a } }).run(script)), [2, 4]);
    },
  },
  { name: 'a script gives new values each time', source: SCRIPT, run(vm2, assert) {
    const vm = new vm2.VM(), script = new vm2.VMScript('Math.random()');
    assert.notStrictEqual(vm.run(script), vm.run(script));
  } },
  { name: 'a script runs in NodeVM', source: SCRIPT, run: (vm2, assert) => assert.strictEqual(new vm2.NodeVM().run(new vm2.VMScript('module.exports = 4')), 4) },
  { name: 'a script runs in NodeVM several times', source: SCRIPT, run(vm2, assert) {
    const vm = new vm2.NodeVM(), script = new vm2.VMScript('module.exports = Math.random()');
    assert.notStrictEqual(vm.run(script), vm.run(script));
  } },
  { name: 'one script runs in VM and NodeVM', source: SCRIPT, run(vm2, assert) {
    const script = new vm2.VMScript('typeof module === "object" ? module.exports = "node" : "vm"');
    assert.deepStrictEqual([new vm2.VM().run(script), new vm2.NodeVM().run(script)], ['vm', 'node']);
  } },
  { name: 'a script runs in strict NodeVM', source: SCRIPT, run: (vm2, assert) => assert.strictEqual(new vm2.NodeVM({ strict: true }).run(new vm2.VMScript('module.exports = (function () { return this === undefined })()')), true) },
  { name: 'compile gives the script', source: SCRIPT, run(vm2, assert) {
    const script = new vm2.VMScript('1');
    assert.strictEqual(script.compile(), script);
  } },
  { name: 'compile may be called twice', source: SCRIPT, run: (vm2, assert) => assert.strictEqual(new vm2.VM().run(new vm2.VMScript('5').compile().compile()), 5) },
  { name: 'compile throws of code that cannot be compiled', source: ERRORS, run: (vm2, assert) => assert.ok(thrown(() => new vm2.VMScript('a b').compile()) instanceof SyntaxError) },
  { name: 'what compile throws names the file', source: ERRORS, run: (vm2, assert) => assert.match(thrown(() => new vm2.VMScript('\na b', 'mine.js').compile()).stack, /mine\.js:2/) },
  { name: 'a script that is not compiled throws when it runs', source: ERRORS, run(vm2, assert) {
    const script = new vm2.VMScript('a b');
    assert.throws(() => new vm2.VM().run(script), SyntaxError);
  } },
  { name: 'compile runs nothing', source: SCRIPT, run(vm2, assert) {
    const script = new vm2.VMScript('throw new Error("ran")').compile();
    assert.throws(() => new vm2.VM().run(script), /ran/);
  } },
  { name: 'compile accepts return, for NodeVM', source: SCRIPT, run: (vm2, assert) => assert.strictEqual(new vm2.NodeVM({ wrapper: 'none' }).run(new vm2.VMScript('return 5')), 5) },
  { name: 'member code', source: TYPES, run: (vm2, assert) => assert.strictEqual(new vm2.VMScript('1 + 1').code, '1 + 1') },
  { name: 'member filename of a text', source: TYPES, run: (vm2, assert) => assert.strictEqual(new vm2.VMScript('1', 'mine.js').filename, 'mine.js') },
  { name: 'member filename of an option', source: TYPES, run: (vm2, assert) => assert.strictEqual(new vm2.VMScript('1', { filename: 'mine.js' }).filename, 'mine.js') },
  { name: 'member filename by default', source: TYPES, run: (vm2, assert) => assert.strictEqual(new vm2.VMScript('1').filename, 'vm.js') },
  { name: 'member lineOffset', source: TYPES, run: (vm2, assert) => assert.deepStrictEqual([new vm2.VMScript('1').lineOffset, new vm2.VMScript('1', { lineOffset: 4 }).lineOffset], [0, 4]) },
  { name: 'member columnOffset', source: TYPES, run: (vm2, assert) => assert.deepStrictEqual([new vm2.VMScript('1').columnOffset, new vm2.VMScript('1', { columnOffset: 4 }).columnOffset], [0, 4]) },
  { name: 'member compiler by default', source: TYPES, run: (vm2, assert) => assert.strictEqual(new vm2.VMScript('1').compiler, 'javascript') },
  { name: 'member compiler of a function', source: TYPES, run(vm2, assert) {
    const compiler = (code) => code;
    assert.strictEqual(new vm2.VMScript('1', { compiler }).compiler, compiler);
  } },
  { name: 'member compilerOptions', source: TYPES, run: (vm2, assert) => assert.strictEqual(new vm2.VMScript('1').compilerOptions, undefined) },
  { name: 'members are read only', source: TYPES, run(vm2, assert) {
    const script = new vm2.VMScript('1', 'a.js');
    try {
      script.filename = 'b.js';
    } catch {} // in strict mode
    assert.strictEqual(script.filename, 'a.js');
  } },
  { name: 'a path and options', source: TYPES, run(vm2, assert) {
    const script = new vm2.VMScript('1', 'mine.js', { lineOffset: 2 });
    assert.deepStrictEqual([script.filename, script.lineOffset], ['mine.js', 2]);
  } },
  { name: 'the file name is seen by the code', source: TYPES, run: (vm2, assert) => assert.match(new vm2.VM().run(new vm2.VMScript(`${where}\nnew Error().stack`, 'mine.js')), /^mine\.js:2:/) },
  { name: 'lineOffset is seen by the code', source: TYPES, run: (vm2, assert) => assert.match(new vm2.VM().run(new vm2.VMScript(`${where}\nnew Error().stack`, { filename: 'mine.js', lineOffset: 10 })), /^mine\.js:12:/) },
  { name: 'columnOffset is seen by the code', source: TYPES, run(vm2, assert) {
    const at = (columnOffset) => +new vm2.VM().run(new vm2.VMScript('Error.prepareStackTrace = (e, sites) => sites[0].getColumnNumber(); new Error().stack', { columnOffset }));
    assert.strictEqual(at(20) - at(0), 20);
  } },
  { name: 'lineOffset is seen by the code in NodeVM', source: TYPES, lacks: lacks.site, run: (vm2, assert) => assert.match(new vm2.NodeVM().run(new vm2.VMScript(`${where}\nmodule.exports = new Error().stack`, { filename: '/data/mine.js', lineOffset: 10 })), /^\/data\/mine\.js:12:/) },
  { name: 'the file name is in the stack of what is thrown', source: TYPES, lacks: lacks.stack, run: (vm2, assert) => assert.match(thrown(() => new vm2.VM().run(new vm2.VMScript('\nthrow new Error("x")', 'mine.js'))).stack, /mine\.js:2/) },
  { name: 'wrap puts text around the code', source: 'types: VMScript.wrap', run(vm2, assert) {
    const script = new vm2.VMScript('1 + 1').wrap('(', ') * 10');
    assert.strictEqual(script.code, '(1 + 1) * 10');
    assert.strictEqual(new vm2.VM().run(script), 20);
  } },
  { name: 'wrap gives the script', source: 'types: VMScript.wrap', run(vm2, assert) {
    const script = new vm2.VMScript('1');
    assert.strictEqual(script.wrap('', ''), script);
  } },
  { name: 'a script of a Buffer', source: 'README: Debugging a sandboxed code', run: (vm2, assert) => assert.strictEqual(new vm2.VM().run(new vm2.VMScript(Buffer.from('2 + 2'))), 4) },
  { name: 'a line of a shell at the beginning', source: SCRIPT, run: (vm2, assert) => assert.strictEqual(new vm2.VM().run(new vm2.VMScript('#!/usr/bin/env node\n7')), 7) },
  { name: 'a script with a time limit', source: SCRIPT, run: (vm2, assert) => assert.throws(() => new vm2.VM({ timeout: 30 }).run(new vm2.VMScript('for (;;);')), /timed out/) },
  { name: 'a script in a NodeVM knows its file', source: 'README: Loading modules by relative path', lacks: 'the file name that the script was made with is not that of its module', run: (vm2, assert) => assert.strictEqual(new vm2.NodeVM().run(new vm2.VMScript('module.exports = __filename', '/data/mine.js')), '/data/mine.js') },
  { name: 'a script in a NodeVM knows its directory', source: 'README: Loading modules by relative path', run: (vm2, assert) => assert.strictEqual(new vm2.NodeVM().run(new vm2.VMScript('module.exports = __dirname', { filename: '/data/mine.js' })), '/data') },
];
