// How the module comes into a file.
'use strict';
const NEW = ['2 vm', '2 no-timeout'];

module.exports = [
  { name: 'required, destructured', source: "const { VM } = require('vm2');\nnew VM();", says: NEW },
  { name: 'required, destructured with another name', source: "const { VM: Box } = require('vm2');\nnew Box();", says: NEW },
  { name: 'required as a whole', source: "const vm2 = require('vm2');\nnew vm2.VM();", says: NEW },
  { name: 'required as a whole, a name by text', source: "const vm2 = require('vm2');\nnew vm2['VM']();", says: NEW },
  { name: 'required for one class', source: "const VM = require('vm2').VM;\nnew VM();", says: NEW },
  { name: 'required where it is used', source: "\nnew (require('vm2').VM)();", says: NEW },
  { name: 'assigned later', source: "let VM; ({ VM } = require('vm2'));\nnew VM();", says: NEW },
  { name: 'assigned to a member', source: "this.lib = require('vm2');\nnew this.lib.NodeVM();", says: NEW },
  { name: 'an alias of an alias', source: "const a = require('vm2'), b = a, C = b.VM;\nconst D = C; new D();", says: NEW },
  { name: 'an alias before what it is of', source: "let B; const make = () =>\nnew B(); const a = require('vm2'); B = a.VM;", says: NEW },
  { name: 'imported', source: "import { VM } from 'vm2';\nnew VM();", says: NEW },
  { name: 'imported with another name', source: "import { NodeVM as Box } from 'vm2';\nnew Box();", says: NEW },
  { name: 'imported as a namespace', source: "import * as vm2 from 'vm2';\nnew vm2.VM();", says: NEW },
  { name: 'imported as default', source: "import vm2 from 'vm2';\nnew vm2.VM();", says: NEW },
  { name: 'imported, awaited', source: "const { VM } = await import('vm2');\nnew VM();", says: NEW },
  { name: 'imported, with then', source: "import('vm2').then(({ VM }) =>\nnew VM());", says: NEW },
  { name: 'as a compiler writes it', source: "const vm2_1 = require('vm2');\nnew vm2_1.VM();", says: NEW },
  { name: 'as a compiler writes default', source: "var vm2_1 = __importDefault(require('vm2'));\nnew vm2_1.default.VM();", says: NEW },
  { name: 'an alias of npm', source: "const { VM } = require('old');\nnew VM();", modules: ['old'], says: NEW },
  { name: 'another VM', source: "const { VM } = require('other');\nnew VM();", says: [] },
  { name: 'handed on', source: "module.exports = { lib: 1 };\nconst x = require('vm2'); give(x);", says: ['1 elsewhere'] },
  { name: 'a file of the package', source: "require('vm2/lib/main');", says: ['1 deep'] },
  { name: 'its package.json', source: "require('vm2/package.json');", says: [] },
  { name: 'a class that extends it', source: "const { NodeVM } = require('vm2');\nclass Mine extends NodeVM { constructor() { super({ nesting: true }); } }", says: ['2 vm', '2 no-timeout', '2 nesting'] },
  { name: 'types', typescript: true, source: "import { VM, VMOptions } from 'vm2';\nconst options: VMOptions = { wasm: false };\nconst vm: VM = new VM(options as VMOptions);\nfunction run(code: string, more?: number): any { return vm.run(code); }", says: ['2 wasm'] },
  { name: 'types that are required', typescript: true, source: "import vm2 = require('vm2');\nnew vm2.VM();", says: NEW },
  { name: 'what is no JavaScript', source: 'const = vm2', fails: true },
];
