// The uses of vm2 in one file: places with the id of a row of MIGRATING.md.
'use strict';
const { builtinModules } = require('module');
const walk = require('acorn-walk');
const { FUNCTION, Names, nameOf, requiredBy, stringOf, textOf } = require('./names.js');
const { parse } = require('./parse.js');
const { rows } = require('./table.js');

const DATA = /^(Map|Set|Date|RegExp|Array|Object|(Range|Type|Syntax|Reference|Eval|URI)?Error|ArrayBuffer|DataView|(Big)?(Uint|Int|Float)\d+(Clamped)?Array|Boolean|Number|String)$/;
const REACHES = { fs: 'builtin-fs', 'fs/promises': 'builtin-fs', child_process: 'builtin-run', cluster: 'builtin-run', '*': 'builtin-all' };
for (const name of ['http', 'https', 'http2', 'net', 'tls', 'dns', 'dns/promises', 'dgram']) REACHES[name] = 'builtin-net';
for (const name of ['os', 'process', 'v8', 'vm', 'worker_threads', 'inspector', 'inspector/promises', 'perf_hooks', 'async_hooks', 'module', 'repl', 'trace_events', 'diagnostics_channel']) REACHES[name] = 'builtin-system';
const HOST = ['process', 'global', 'globalThis', 'require', 'module'];
const OF_DATA = new Set([Array, String, Number, Promise, Map, Set, Date, RegExp, Buffer, Uint8Array, Object, Function].flatMap((it) => Object.getOwnPropertyNames(it.prototype)));
const SIMPLE = { compiler: 'compiler', eval: 'eval', wasm: 'wasm', bufferAllocLimit: 'bufferAllocLimit', console: 'console', wrapper: 'import', argv: 'import', env: 'import', strict: 'import', sourceExtensions: 'import' };
const OF_REQUIRE = { resolve: 'resolve', mock: 'mock', customRequire: 'customRequire', fs: 'require-fs', import: 'import', strict: 'import' };
const METHODS = { runFile: 'vm', getGlobal: 'get-global', sandbox: 'get-global', freeze: 'freeze', readonly: 'freeze', protect: 'freeze' };

const isFalse = (node) => node?.type === 'Literal' && node.value === false, isTrue = (node) => node?.type === 'Literal' && node.value === true;
const isFunction = (node) => FUNCTION.includes(node?.type);
const isNothing = (node) => node === undefined || (node.type === 'Identifier' && node.name === 'undefined') || (node.type === 'Literal' && node.value === null);

class Scan {
  constructor(tree, modules) {
    this.names = new Names(tree, modules);
    this.tree = tree;
    this.uses = [];
    this.runs = new Map(); // text of what has a result -> where
    this.boxes = []; // { name, end }: variables that are passed as sandbox
  }

  say(node, id, what) {
    if (!rows.has(id)) throw new Error(`MIGRATING.md has no row ${id}`);
    const { line, column } = node.loc.start;
    if (!this.uses.some((it) => it.line === line && it.column === column + 1 && it.id === id && it.what === what)) this.uses.push({ line, column: column + 1, id, what });
  }

  /** name -> [its node, its value], of an object that is seen; says what is not. */
  members(given, what) {
    const node = this.names.literal(given), found = new Map();
    if (node?.type !== 'ObjectExpression') {
      if (!isNothing(node) || node !== given) this.say(given, 'elsewhere', what);
      return found;
    }
    for (const it of node.properties) {
      if (it.type === 'SpreadElement') for (const [name, pair] of this.members(it.argument, what)) found.set(name, pair);
      else if (nameOf(it) === undefined) this.say(it, 'elsewhere', what);
      else found.set(nameOf(it), [it, it.value]);
    }
    return found;
  }

  list(given, what) {
    const node = this.names.literal(given);
    if (node === undefined || node.type !== 'ArrayExpression') return this.say(given, 'elsewhere', what), [];
    const found = [];
    for (const it of node.elements) {
      if (it?.type === 'SpreadElement') found.push(...this.list(it.argument, what));
      else if (it && stringOf(this.names.literal(it)) !== undefined) found.push([it, stringOf(this.names.literal(it))]);
      else if (it) this.say(it, 'elsewhere', what);
    }
    return found;
  }

  /** A value that is passed in. */
  passed(node, name) {
    const value = this.names.literal(node) ?? node, text = textOf(node), from = requiredBy(value) ?? this.names.required.get(text);
    if (text !== undefined && HOST.includes(text)) this.say(node, 'sandbox-process', name);
    else if (from !== undefined && builtinModules.includes(from.replace(/^node:/, ''))) this.say(node, 'sandbox-module', `${name}: ${from}`);
    else if (value.type === 'NewExpression' && !DATA.test(textOf(value.callee) ?? '')) this.say(node, 'sandbox-instance', `${name}: new ${textOf(value.callee) ?? ''}`);
    else if (value.type === 'ThisExpression') this.say(node, 'sandbox-instance', `${name}: this`);
    else this.say(node, 'sandbox', name);
  }

  globals(node, what) {
    if (node.type === 'Identifier') this.boxes.push({ name: node.name, end: node.end });
    for (const [name, [, value]] of this.members(node, what)) this.passed(value, name);
  }

  options(kind, at, given, timed) {
    if (isNothing(given)) return void (timed || this.say(at, 'no-timeout', kind));
    const all = this.members(given, `options of ${kind}`), known = this.names.literal(given)?.type === 'ObjectExpression';
    const jit = all.has('ambit') && this.members(all.get('ambit')[1], 'ambit').get('jit')?.[1];
    for (const [name, [at2, value]] of all) {
      if (name === 'timeout') this.say(at2, 'timeout', name);
      else if (name === 'sandbox') this.globals(value, name);
      else if (name === 'wasm' && isTrue(jit)) continue;
      else if (name === 'allowAsync' || name === 'fixAsync') this.say(at2, 'allowAsync', name);
      else if (name === 'require') this.requires(at2, value);
      else if (name === 'nesting') isFalse(value) || this.say(at2, 'nesting', name);
      else if (Object.hasOwn(SIMPLE, name)) this.say(at2, SIMPLE[name], name);
    }
    if (known && !all.has('timeout') && !timed) this.say(at, 'no-timeout', kind);
  }

  requires(at, given) {
    const node = this.names.literal(given);
    if (node?.type === 'Literal') return this.say(at, node.value ? 'require-true' : 'require-false', `require: ${node.value}`);
    if (node?.type === 'CallExpression' && this.names.exportOf(node.callee) === 'makeResolverFromLegacyOptions') return undefined; // said where it is made
    const all = this.members(given, 'require');
    for (const [name, [at2, value]] of all) {
      if (name === 'builtin') for (const [at3, word] of this.list(value, 'require.builtin')) word.startsWith('-') || this.say(at3, REACHES[word.replace(/^node:/, '')] ?? 'builtin', word);
      else if (name === 'context') this.context(at2, value);
      else if (name === 'external') isFalse(this.names.literal(value)) || this.say(at2, all.has('root') ? 'external' : 'external-no-root', 'require.external');
      else if (name === 'root') all.has('external') || this.say(at2, 'external', 'require.root');
      else if (Object.hasOwn(OF_REQUIRE, name)) this.say(at2, OF_REQUIRE[name], `require.${name}`);
    }
    return undefined;
  }

  context(at, given) {
    const node = this.names.literal(given), text = stringOf(node);
    if (text === 'host') this.say(at, 'context-host', "require.context: 'host'");
    else if (text === 'sandbox' || isFunction(node)) this.say(at, 'context', 'require.context');
    else this.say(at, 'elsewhere', 'require.context');
  }

  code(node) {
    const text = stringOf(this.names.literal(node));
    if (text === undefined) return;
    if (/\bprocess\.exit\b/.test(text)) this.say(node, 'process-exit', 'process.exit');
    if (/\bWebAssembly\b/.test(text)) this.say(node, 'wasm', 'WebAssembly');
  }

  /** A call on something that is a VM. */
  method(node, name) {
    const [first, second] = node.arguments;
    if (name === 'run') {
      this.say(node, 'vm', 'run');
      if (first) this.code(first);
      this.runs.set(node, node);
    } else if (name === 'setGlobal' && second) this.passed(second, stringOf(first) ?? 'setGlobal');
    else if (name === 'setGlobals' && first) this.globals(first, 'setGlobals');
    else if (Object.hasOwn(METHODS, name)) this.say(node, METHODS[name], name);
  }

  visit(node, ancestors) {
    const { names } = this;
    if (node.type === 'NewExpression') {
      const kind = names.exportOf(node.callee);
      if (kind === 'VM' || kind === 'NodeVM') this.say(node, 'vm', `new ${kind}`), this.options(kind, node, node.arguments[0], this.timed.has(node));
      else if (kind === 'VMScript') this.say(node, 'script', 'new VMScript'), node.arguments[0] && this.code(node.arguments[0]);
      else if (kind === 'VMFileSystem') this.say(node, 'require-fs', 'new VMFileSystem');
    } else if (node.type === 'CallExpression') {
      const { callee } = node;
      if (callee.type === 'Super') {
        const owner = ancestors.findLast((it) => it.type.startsWith('Class') && it.type !== 'ClassBody'), kind = owner && names.exportOf(owner.superClass);
        if (kind === 'VM' || kind === 'NodeVM') this.say(node, 'vm', `extends ${kind}`), this.options(kind, node, node.arguments[0], false);
      } else if (names.exportOf(callee) === 'makeResolverFromLegacyOptions') {
        this.say(node, 'resolver', 'makeResolverFromLegacyOptions');
        if (node.arguments[0]) this.requires(node, node.arguments[0]);
      } else if (callee.type === 'MemberExpression') {
        const name = nameOf(callee);
        if (names.made(callee.object)) this.method(node, name);
        else if (names.exportOf(callee.object) === 'NodeVM' && (name === 'code' || name === 'file')) {
          this.say(node, 'vm', `NodeVM.${name}`);
          this.options('NodeVM', node, node.arguments[name === 'code' ? 2 : 1], false);
        }
      }
      const from = requiredBy(node);
      if (typeof from === 'string' && /^vm2\/(?!package\.json)/.test(from)) this.say(node, 'deep', from);
    } else if (node.type === 'ImportDeclaration' || node.type === 'ImportExpression') {
      const from = String(node.source.value);
      if (/^vm2\/(?!package\.json)/.test(from)) this.say(node, 'deep', from);
    } else if (node.type === 'MemberExpression' && nameOf(node) === 'sandbox' && names.made(node.object)) this.say(node, 'get-global', 'sandbox');
  }

  /** What is done with results, and with what was passed in. */
  after() {
    const results = new Set(), ran = [...this.runs.keys()];
    for (const [name, value] of this.names.values) if (value !== null && this.runs.has(value.type === 'AwaitExpression' ? value.argument : value)) results.add(name);
    walk.fullAncestor(this.tree, (node, state, ancestors) => {
      if (node.type !== 'MemberExpression') return;
      const parent = ancestors[ancestors.length - 2], called = parent?.type === 'CallExpression' && parent.callee === node, of = node.object;
      if (called && (this.runs.has(of) || (of.type === 'Identifier' && results.has(of.name))) && !OF_DATA.has(nameOf(node))) this.say(node, 'result-method', nameOf(node) ?? '[...]');
      const written = parent?.type === 'AssignmentExpression' && parent.left === node && parent.operator === '=';
      if (of.type === 'Identifier' && !written && this.boxes.some((box) => box.name === of.name && ran.some((run) => run.end <= node.start && run.end > box.end))) this.say(node, 'write-back', textOf(node) ?? of.name);
    });
  }

  all() {
    this.timed = new Set();
    walk.full(this.tree, (node) => {
      if (node.type !== 'AssignmentExpression' || node.left.type !== 'MemberExpression' || nameOf(node.left) !== 'timeout') return;
      const made = this.names.made(node.left.object);
      if (made) this.timed.add(made);
    });
    walk.fullAncestor(this.tree, (node, state, ancestors) => this.visit(node, ancestors));
    this.after();
    if (this.uses.length === 0 && this.names.module.size + this.names.exports.size > 0) this.say(this.tree, 'elsewhere', 'the module');
    return this.uses.sort((a, b) => a.line - b.line || a.column - b.column);
  }
}

/** -> [{ line, column, id, what }]; throws where it cannot be read. */
function scan(source, { typescript = false, modules = new Set(['vm2']) } = {}) {
  return new Scan(parse(source, typescript), modules).all();
}

module.exports = { scan };
