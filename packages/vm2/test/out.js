// How code that runs in a cell gets hold of its process, though no name leads there: what attacks/own.js and hostile.js begin with.
'use strict';

/** Code that makes `p` the `process` of the cell. Node asks it for a member that everything inherits. */
const PROCESS = `const p = (() => {
    if (typeof process === 'object' && process !== null && process.getBuiltinModule) return process;
    let root = Buffer, found;
    while (Object.getPrototypeOf(root) !== null) root = Object.getPrototypeOf(root);
    Object.defineProperty(root, 'noDeprecation', { configurable: true, set() {}, get() { if (this.getBuiltinModule) found = this; return true; } });
    Buffer(1);
    delete root.noDeprecation;
    return found;
  })()`;

module.exports = { PROCESS };
