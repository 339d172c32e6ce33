// What has the classes of vm2 and no wall at all: the code has the program's own `process` and `require`. Each probe of own.js must be noticed here.
'use strict';
const vm = require('vm');

class VM {
  constructor(options = {}) {
    this.sandbox = options.sandbox ?? {};
  }

  run(code) {
    const names = Object.keys(this.sandbox);
    return vm.compileFunction(`return eval(${JSON.stringify(code)})`, ['require', ...names])(require, ...names.map((name) => this.sandbox[name]));
  }
}

class NodeVM extends VM {
  run(code) {
    const module = { exports: {} };
    vm.compileFunction(code, ['require', 'module', 'exports', ...Object.keys(this.sandbox)])(require, module, module.exports, ...Object.values(this.sandbox));
    return module.exports;
  }
}

module.exports = { VM, NodeVM };
