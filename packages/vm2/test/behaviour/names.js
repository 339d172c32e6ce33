// What the module exports, and of which kind it is; what the program `vm2` does.
'use strict';
const fs = require('fs');
const path = require('path');
const { spawnSync } = require('child_process');
const { write } = require('./support.js');

const TYPES = 'types', CLI = 'README: CLI';
const classes = ['VM', 'NodeVM', 'VMScript', 'VMError', 'VMFileSystem', 'Resolver'];
const methods = { VM: ['run', 'runFile', 'setGlobals', 'setGlobal', 'getGlobal', 'freeze', 'readonly', 'protect'], NodeVM: ['run', 'runFile', 'setGlobals', 'setGlobal', 'getGlobal', 'freeze', 'readonly', 'protect', 'require', 'on', 'emit'], VMScript: ['wrap', 'compile'] };
const make = { VM: (vm2) => new vm2.VM(), NodeVM: (vm2) => new vm2.NodeVM(), VMScript: (vm2) => new vm2.VMScript('1') };

/** The program of the package, and a script that it runs. */
function command(place, script) {
  let at = path.dirname(process.env.AMBIT_TEST_MODULE);
  while (!fs.existsSync(path.join(at, 'package.json'))) at = path.dirname(at);
  const { bin } = JSON.parse(fs.readFileSync(path.join(at, 'package.json'), 'utf8')), file = path.join(at, typeof bin === 'string' ? bin : Object.values(bin)[0]);
  write(place, { 'script.js': script, 'beside.js': 'module.exports = "beside"' });
  return spawnSync(process.execPath, [file, ...(bin.vm2 ? [] : ['run']), path.join(place, 'script.js')], { cwd: place, encoding: 'utf8', timeout: 9000 });
}

module.exports = [
  ...classes.map((name) => ({ name: `${name} is a class`, source: TYPES, run(vm2, assert) {
    assert.strictEqual(typeof vm2[name], 'function');
    assert.strictEqual(vm2[name].name, name);
    assert.throws(() => vm2[name](), TypeError);
  } })),
  { name: 'makeResolverFromLegacyOptions is a function', source: TYPES, run: (vm2, assert) => assert.strictEqual(typeof vm2.makeResolverFromLegacyOptions, 'function') },
  { name: 'nothing else is exported that its users would miss', source: TYPES, run: (vm2, assert) => assert.deepStrictEqual([...classes, 'makeResolverFromLegacyOptions'].filter((name) => !(name in vm2)), []) },
  ...Object.keys(methods).flatMap((name) => methods[name].map((method) => ({ name: `${name} has ${method}`, source: `types: ${name}.${method}`, run: (vm2, assert) => assert.strictEqual(typeof make[name](vm2)[method], 'function') }))),
  ...['code', 'file'].map((method) => ({ name: `NodeVM.${method} is a function`, source: `types: NodeVM.${method}`, run: (vm2, assert) => assert.strictEqual(typeof vm2.NodeVM[method], 'function') })),
  { name: 'a VM is made without options, with none, and with an empty object', source: 'types: VM', run(vm2, assert) {
    for (const args of [[], [undefined], [{}]]) assert.strictEqual(new vm2.VM(...args).run('1'), 1);
  } },
  { name: 'names are taken out of the module', source: 'README: VM', run(vm2, assert) {
    const { VM, NodeVM, VMScript } = vm2;
    assert.deepStrictEqual([new VM().run('1'), new NodeVM().run('module.exports = 2'), new VM().run(new VMScript('3'))], [1, 2, 3]);
  } },
  { name: 'names are taken out of the module by import', source: 'README: Quick Examples', run(vm2, assert, place) {
    write(place, { 'a.mjs': `import { VM, NodeVM, VMScript, VMError, VMFileSystem, makeResolverFromLegacyOptions } from ${JSON.stringify(process.env.AMBIT_TEST_MODULE)};\nconsole.log(new VM().run('1 + 1'), [NodeVM, VMScript, VMError, VMFileSystem, makeResolverFromLegacyOptions].map((it) => typeof it).join());` });
    assert.strictEqual(spawnSync(process.execPath, [path.join(place, 'a.mjs')], { encoding: 'utf8', timeout: 9000 }).stdout, '2 function,function,function,function,function\n');
  } },
  { name: 'a program ends by itself after a VM', source: 'README: VM', run(vm2, assert, place) {
    write(place, { 'a.js': `const { VM, NodeVM } = require(${JSON.stringify(process.env.AMBIT_TEST_MODULE)}); new VM().run('1'); new NodeVM().run('1'); console.log('end');` });
    const done = spawnSync(process.execPath, [path.join(place, 'a.js')], { encoding: 'utf8', timeout: 9000 });
    assert.deepStrictEqual([done.stdout, done.stderr, done.status], ['end\n', '', 0]);
  } },
  { name: 'a program stays while a timer of a NodeVM is under way', source: 'README: NodeVM', run(vm2, assert, place) {
    write(place, { 'a.js': `const { NodeVM } = require(${JSON.stringify(process.env.AMBIT_TEST_MODULE)}); new NodeVM({ sandbox: { tell: (text) => console.log(text) } }).run('setTimeout(() => tell("late"), 60)');` });
    assert.strictEqual(spawnSync(process.execPath, [path.join(place, 'a.js')], { encoding: 'utf8', timeout: 9000 }).stdout, 'late\n');
  } },
  { name: 'a VM in a worker thread', source: 'README: VM', run(vm2, assert, place) {
    write(place, { 'a.js': `const { Worker, isMainThread, parentPort } = require('worker_threads'); const { VM } = require(${JSON.stringify(process.env.AMBIT_TEST_MODULE)}); if (isMainThread) new Worker(__filename).on('message', (n) => console.log(n)); else parentPort.postMessage(new VM().run('20 + 1'));` });
    assert.strictEqual(spawnSync(process.execPath, [path.join(place, 'a.js')], { encoding: 'utf8', timeout: 9000 }).stdout, '21\n');
  } },
  { name: 'the program runs a script', source: CLI, differs: 'The program of the package is `ambit-vm2`, which looks over a project.', run: (vm2, assert, place) => assert.match(command(place, 'console.log("hello " + 5)').stdout, /hello 5/) },
  { name: 'the program runs a script that requires what lies beside it', source: CLI, differs: 'The program of the package is `ambit-vm2`, which looks over a project.', run: (vm2, assert, place) => assert.match(command(place, 'console.log(require("./beside"))').stdout, /beside/) },
  { name: 'the program tells of an error', source: CLI, differs: 'The program of the package is `ambit-vm2`, which looks over a project.', run: (vm2, assert, place) => assert.match(command(place, 'throw new Error("broken")').stderr, /broken/) },
];
