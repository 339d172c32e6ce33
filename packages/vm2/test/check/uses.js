// What is passed in, and what is done with a VM.
'use strict';
const given = (value, before = '') => `const { VM } = require('vm2'); ${before}\nnew VM({ sandbox: { given: ${value} } });`;
const after = (text) => `const { VM, NodeVM } = require('vm2'); const vm = new NodeVM();\n${text}`;

module.exports = [
  { name: 'data', source: given('{ a: [1] }'), says: ['2 sandbox given'] },
  { name: 'an instance', source: given('new Thing()'), says: ['2 sandbox-instance'] },
  { name: 'an instance of a variable', source: given('thing', 'const thing = new Thing();'), says: ['2 sandbox-instance'] },
  { name: 'what can be copied', source: given('new Map()'), says: [] },
  { name: 'a module of Node', source: given("require('fs')"), says: ['2 sandbox-module'] },
  { name: 'a module of Node by a name', source: given('fs', "const fs = require('node:fs');"), says: ['2 sandbox-module'] },
  { name: 'a module of Node that is imported', source: "import { VM } from 'vm2'; import fs from 'fs';\nnew VM({ sandbox: { fs } });", says: ['2 sandbox-module'] },
  { name: 'process', source: given('process'), says: ['2 sandbox-process'] },
  { name: 'setGlobal with an instance', source: after("vm.setGlobal('a', new Thing());"), says: ['2 sandbox-instance'] },
  { name: 'setGlobals with require', source: after('vm.setGlobals({ require });'), says: ['2 sandbox-process'] },
  { name: 'an object that is read again', source: "const { VM } = require('vm2'); const box = { a: 1 };\nconst vm = new VM({ sandbox: box }); vm.run('a = 2');\nconsole.log(box.a);", says: ['3 write-back'] },
  { name: 'an object that is read before', source: "const { VM } = require('vm2'); const box = { a: 1 };\nconst vm = new VM({ sandbox: box }); console.log(box.a);\nvm.run('a = 2');", says: [] },
  { name: 'a result that is called', source: after("const it = vm.run('1');\nit.handle();"), says: ['3 result-method handle'] },
  { name: 'a result that is called at once', source: after("vm.run('1').handle();"), says: ['2 result-method'] },
  { name: 'a result that is a list', source: after("vm.run('[1]').map((it) => it);"), says: [] },
  { name: 'process.exit', source: after("vm.run('process.exit(1)');"), says: ['2 process-exit'] },
  { name: 'WebAssembly', source: after("vm.run('new WebAssembly.Module(x)');"), says: ['2 wasm'] },
  { name: 'getGlobal, sandbox', source: after("vm.getGlobal('a');\nvm.sandbox.b;"), says: ['2 get-global', '3 get-global'] },
  { name: 'freeze, readonly, protect', source: after("vm.freeze({}, 'a');\nvm.readonly({});\nvm.protect({}, 'b');"), says: ['2 freeze', '3 freeze', '4 freeze'] },
  { name: 'a script', source: "const { VMScript } = require('vm2');\nnew VMScript('1');", says: ['2 script'] },
  { name: 'a VM of a member', source: "const { VM } = require('vm2'); class A { constructor() { this.vm = new VM(); }\nrun() { return this.vm.run('process.exit()'); } }", says: ['2 process-exit'] },
];
