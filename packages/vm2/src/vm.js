'use strict';
const fs = require('fs');
const path = require('path');
const { helper } = require('./helper.js');
const { Cell } = require('./cell.js');
const { Link } = require('./link.js');
const driver = require('./driver.js');
const { VMError } = require('./errors.js');

class VM {
  constructor(options = {}) {
    this.options = options;
    this.timeout = options.timeout;
    this.link = null;
  }

  enter() {
    if (this.link !== null && this.link.dead === null) return this.link;
    const h = helper();
    const form = h.form(['program ' + process.execPath, 'argument --jitless', 'argument --no-expose-wasm', 'argument --disallow-code-generation-from-strings', 'argument --v8-pool-size=0', 'argument --no-addons', 'argument -e', 'argument ' + driver('vm'), 'limit memory=512M'], 2);
    const cell = new Cell(h, form, 64 << 20);
    this.link = new Link(cell, { bytes: 32 << 20, nodes: 4 << 20 }, this.options.sandbox ?? {}, { node: false, timeout: () => this.timeout ?? 0, told: () => {} });
    return this.link;
  }

  run(source, options) {
    return this.enter().run(String(source), options?.filename ?? 'vm.js');
  }
}
module.exports = { VM, VMError };
