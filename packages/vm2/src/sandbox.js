// What VM and NodeVM share.
'use strict';
const fs = require('fs');
const { runInNewContext } = require('vm');
const { compilerOf } = require('./compilers.js');
const { VMError } = require('./errors.js');
const { frozen, kept } = require('./marks.js');
const { VMScript } = require('./script.js');

/** The option by which one that belongs to another is made (nested.js). Nothing outside of this package has it. */
const inside = Symbol('inside');

function checked(options) {
  if (options === null || typeof options !== 'object') throw new VMError('options are an object', 'EOPTION');
  const { sandbox, timeout, bufferAllocLimit } = options;
  if (sandbox !== undefined && sandbox !== null && typeof sandbox !== 'object' && typeof sandbox !== 'function') throw new VMError('Sandbox must be object.');
  if (timeout !== undefined && timeout !== null && !(typeof timeout === 'number' && timeout >= 0)) throw new VMError('`timeout` is a number of milliseconds', 'EOPTION');
  if (bufferAllocLimit !== undefined && !(typeof bufferAllocLimit === 'number' && bufferAllocLimit >= 0)) throw new VMError('`bufferAllocLimit` is a number of bytes', 'EOPTION');
  return options;
}

/** Options of the guest that both kinds have. Those that need a context of their own say so. */
function guestOptions({ eval: evaluates, wasm, allowAsync, fixAsync, bufferAllocLimit }, has) {
  const guest = {};
  if (evaluates === false) guest.eval = false;
  if (wasm === false) guest.wasm = false;
  if (allowAsync === false || fixAsync === true) guest.async = false;
  if (bufferAllocLimit !== undefined && bufferAllocLimit !== Infinity) guest.bufferAllocLimit = bufferAllocLimit;
  if (Object.keys(guest).length > 0) guest.special = true;
  if (has.live) guest.live = true;
  return guest;
}

const PARSED_MAX = 1 << 20, PARSED_MS = 1000;

/** Whether there is asynchronous code in it. */
function isAsync(source) {
  if (!/\b(async|await)\b/.test(source)) return false;
  if (source.length > PARSED_MAX) return true; // to find out would take longer than what is wanted
  let acorn;
  try {
    acorn = require('acorn');
  } catch {
    throw new VMError('allowAsync: false needs the package acorn', 'EOPTION', 'npm install acorn');
  }
  try {
    let found;
    const work = () => void (found = uses(acorn.parse(source, { ecmaVersion: 'latest', allowReturnOutsideFunction: true, allowAwaitOutsideFunction: true, allowHashBang: true })));
    runInNewContext('work()', { work }, { timeout: PARSED_MS, contextCodeGeneration: { strings: false } }); // many names, or groups, take it as long as their square
    return found;
  } catch (problem) {
    return !(problem instanceof SyntaxError) || problem.message.includes('stack'); // the sandbox says what is wrong with it; what is too deep to be read may be anything
  }
}

/** Whether the tree has an asynchronous function, `await` or `for await`. */
function uses(tree) {
  const list = [tree];
  while (list.length > 0) {
    const node = list.pop();
    if (node.async === true || node.await === true || node.type === 'AwaitExpression') return true;
    for (const key of Object.keys(node)) {
      const value = node[key];
      for (const it of Array.isArray(value) ? value : [value]) if (it !== null && typeof it === 'object' && typeof it.type === 'string') list.push(it);
    }
  }
  return false;
}

/** Code, and where it is said to stand. */
function taken(code, options, compiler) {
  const given = typeof options === 'string' ? { filename: options } : options ?? {};
  if (code instanceof VMScript) return { source: code.source, filename: code.filename, line: code.lineOffset, column: code.columnOffset, given };
  const filename = given.filename ?? 'vm.js';
  return { source: compiler(String(code), filename), filename: String(filename), line: 0, column: 0, given };
}

/** The globals of a sandbox, read and written where they are. */
function view(box) {
  const name = (key) => typeof key === 'string';
  return new Proxy({}, {
    get: (target, key) => (name(key) ? box.with((link) => link.request('get', [key])) : target[key]),
    set: (target, key, value) => (name(key) ? (box.with((link) => link.request('set', [{ [key]: value }])), true) : false),
    has: (target, key) => name(key) && box.with((link) => link.request('has', [key])),
    ownKeys: () => box.with((link) => link.keys('keys', [])),
    getOwnPropertyDescriptor: (target, key) => (name(key) && box.with((link) => link.request('has', [key])) ? { value: box.with((link) => link.request('get', [key])), writable: true, enumerable: true, configurable: true } : undefined),
    deleteProperty: (target, key) => name(key) && box.with((link) => link.request('remove', [key])),
    defineProperty: (target, key, how) => (name(key) && 'value' in how ? (box.with((link) => link.request('set', [{ [key]: how.value }])), true) : false),
  });
}

const isObject = (it) => it !== null && (typeof it === 'object' || typeof it === 'function');

/** The methods of both, for a class that has `box` and `compile`. */
const methods = {
  setGlobals(values) {
    if (values === null || typeof values !== 'object') throw new VMError('globals are an object', 'EOPTION');
    const members = {};
    for (const key of Object.keys(values)) members[key] = values[key];
    this._box.with((link) => link.request('set', [members]));
    return this;
  },
  setGlobal(name, value) {
    this._box.with((link) => link.request('set', [{ [name]: value }]));
    return this;
  },
  getGlobal(name) {
    return this._box.with((link) => link.request('get', [String(name)]));
  },
  freeze(value, name) {
    this.readonly(value);
    if (name) this.setGlobal(String(name), value);
    return value;
  },
  readonly(value) {
    if (isObject(value)) frozen.add(value);
    return value;
  },
  protect(value, name) {
    if (isObject(value)) kept.add(value);
    if (name) this.setGlobal(String(name), value);
    return value;
  },
  runFile(filename) {
    const path = require('path').resolve(String(filename));
    if (!fs.existsSync(path)) throw new VMError(`Script '${filename}' not found.`);
    if (fs.statSync(path).isDirectory()) throw new VMError('Script must be file, got directory.');
    return this.run(fs.readFileSync(path, 'utf8'), path);
  },
  /** Ends the process of this sandbox at once, which else is done when the garbage collector finds that nobody has it. */
  dispose() {
    this._box.close();
  },
};

function give(target) {
  for (const name of Object.keys(methods)) Object.defineProperty(target.prototype, name, { value: methods[name], writable: true, configurable: true, enumerable: false });
  Object.defineProperty(target.prototype, 'sandbox', { get() { return (this._view ??= view(this._box)); }, configurable: true, enumerable: false });
  if (Symbol.dispose !== undefined) Object.defineProperty(target.prototype, Symbol.dispose, { value: methods.dispose, writable: true, configurable: true, enumerable: false });
}

const hidden = (target, members) => {
  for (const key of Object.keys(members)) Object.defineProperty(target, key, { value: members[key], writable: true, configurable: true, enumerable: false });
};

module.exports = { checked, guestOptions, isAsync, taken, give, hidden, compilerOf, inside };
