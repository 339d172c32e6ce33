'use strict';
const { compilerOf } = require('./compilers.js');
const { VMError } = require('./errors.js');

/** Code with the place that it has in stack traces. It belongs to no sandbox. */
class VMScript {
  #code;
  #compiled;
  #prefix = '';
  #suffix = '';
  #compiler;

  constructor(code, first, second) {
    const options = typeof first === 'string' ? { ...second, filename: first } : { ...first };
    if (first !== undefined && typeof first !== 'string' && (first === null || typeof first !== 'object')) throw new VMError('the second argument is a file name or options');
    this.#code = String(code);
    this.filename = options.filename ?? 'vm.js';
    this.lineOffset = options.lineOffset ?? 0;
    this.columnOffset = options.columnOffset ?? 0;
    this.compiler = options.compiler ?? 'javascript';
    this.compilerOptions = options.compilerOptions;
    for (const key of ['filename', 'lineOffset', 'columnOffset', 'compiler', 'compilerOptions']) Object.defineProperty(this, key, { writable: false, enumerable: true });
    this.#compiler = compilerOf(this.compiler, this.compilerOptions);
  }

  get code() {
    return this.#prefix + this.#code + this.#suffix;
  }

  set code(text) {
    this.#code = String(text);
    this.#prefix = this.#suffix = '';
    this.#compiled = undefined;
  }

  /** JavaScript, without the line that a shell would read. */
  get source() {
    this.#compiled ??= this.#prefix + this.#compiler(this.#code, this.filename) + this.#suffix;
    return this.#compiled;
  }

  wrap(prefix, suffix) {
    this.#prefix = String(prefix) + this.#prefix;
    this.#suffix += String(suffix);
    this.#compiled = undefined;
    return this;
  }

  /** Throws a SyntaxError if it is none. Nothing of it is executed. */
  compile() {
    const { Script } = require('vm');
    new Script(this.source, { filename: this.filename, lineOffset: this.lineOffset, columnOffset: this.columnOffset });
    return this;
  }
}

module.exports = { VMScript };
