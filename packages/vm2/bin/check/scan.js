// The uses of vm2 in one file: places with the id of a row of MIGRATING.md.
'use strict';
const { Names, WRAPS, isCallOf } = require('./names.js');
const { parse } = require('./parse.js');
const { BYTES, COPIED, OF_KIND, PASSED, isBytes, isClass, isNew, isNothing, isSeen } = require('./passed.js');
const { rows } = require('./table.js');
const { FUNCTION, nameOf, shown, stringOf, textOf, walk } = require('./tree.js');

const REACHES = { fs: 'builtin-fs', 'fs/promises': 'builtin-fs', child_process: 'builtin-run', cluster: 'builtin-run', '*': 'builtin-all' };
for (const name of ['http', 'https', 'http2', 'net', 'tls', 'dns', 'dns/promises', 'dgram']) REACHES[name] = 'builtin-net';
for (const name of ['os', 'process', 'v8', 'vm', 'worker_threads', 'inspector', 'inspector/promises', 'perf_hooks', 'async_hooks', 'module', 'repl', 'trace_events', 'diagnostics_channel']) REACHES[name] = 'builtin-system';
const OF_DATA = new Set([Array, String, Number, Promise, Map, Set, Date, RegExp, Buffer, Uint8Array, Object].flatMap((it) => Object.getOwnPropertyNames(it.prototype)));
const CHANGES = ['push', 'pop', 'shift', 'unshift', 'splice', 'sort', 'reverse', 'set', 'add', 'delete', 'clear', 'fill', 'write'];
const SIMPLE = { compiler: 'compiler', eval: 'eval', bufferAllocLimit: 'bufferAllocLimit', console: 'console', wrapper: 'import', argv: 'import', env: 'import', strict: 'import', sourceExtensions: 'import', timeout: 'timeout' };
const OF_REQUIRE = { resolve: 'resolve', customRequire: 'customRequire', fs: 'require-fs', import: 'import', strict: 'import' };
const MEMBERS = { sandbox: 'get-global', _context: 'deep', _internal: 'deep', _runScript: 'deep', _prepareRequire: 'deep' };
const METHODS = { runFile: 'vm', getGlobal: 'get-global', freeze: 'freeze', readonly: 'freeze', protect: 'freeze' };

const isFalse = (node) => node?.type === 'Literal' && node.value === false, isTrue = (node) => node?.type === 'Literal' && node.value === true;
const isFunction = (node) => FUNCTION.includes(node?.type);

class Scan {
  constructor(tree, modules) {
    this.names = new Names(tree, modules);
    this.tree = tree;
    this.uses = [];
    this.runs = new Set(); // calls that have a result
    this.shared = new Map(); // text of an object that vm2 shares with the code -> { end, reads }: since where, and which reads of it tell
    this.given = new Set(); // nodes that are passed in
  }

  say(node, id, what) {
    if (!rows.has(id)) throw new Error(`MIGRATING.md has no row ${id}`);
    const { line, column } = node.loc.start;
    if (!this.uses.some((it) => it.line === line && it.column === column + 1 && it.id === id && it.what === what)) this.uses.push({ line, column: column + 1, id, what });
  }

  /** -> { whole, all: name -> [{ at, value, path, kind }] }, of an object that is seen, and of what it gets later. What is not seen is said, unless `what` is undefined. */
  members(given, what, path = textOf(given)) {
    const found = { whole: true, all: new Map() };
    const unseen = (node) => (found.whole = false, what !== undefined && this.say(node, 'elsewhere', what));
    const add = (name, them, instead) => found.all.set(name, instead ? them : [...(found.all.get(name) ?? []), ...them]);
    const property = (it, instead) => {
      if (it.type === 'SpreadElement') {
        const inner = this.members(it.argument, what);
        found.whole &&= inner.whole;
        for (const [name, them] of inner.all) add(name, them, instead && this.names.meanings(it.argument).length === 1);
        return;
      }
      const name = nameOf(it) ?? this.names.strings(it.key)[0], hidden = /^Symbol\b/.test(shown(it.key) ?? '') || isCallOf(it.key, 'Symbol');
      if (name === undefined && !hidden) unseen(it);
      add(name ?? `[${shown(it.key) ?? '...'}]`, [{ at: it, value: it.value, path: path && `${path}.${name}`, kind: hidden && name === undefined ? 'hidden' : it.kind }], instead);
    };
    const several = this.names.meanings(given);
    for (const node of several) {
      if (node.type === 'ObjectExpression') node.properties.forEach((it) => property(it, several.length === 1));
      else if (!isNothing(node) && textOf(node) !== 'process.env') unseen(given); // of that there are texts
    }
    for (const it of this.names.added.get(path) ?? []) property(it, false);
    return found;
  }

  /** [[node, text]] of a list of texts. */
  list({ value, path }, what) {
    const found = [];
    const element = (it) => {
      if (it.type === 'SpreadElement') return found.push(...this.list({ value: it.argument, path: textOf(it.argument) }, what));
      const texts = this.names.strings(it);
      return texts.length > 0 ? texts.forEach((text) => found.push([it, text])) : this.say(it, 'elsewhere', what);
    };
    for (const node of this.names.meanings(value)) {
      if (node.type === 'ArrayExpression') node.elements.forEach((it) => it && element(it));
      else if (!isNothing(node)) this.say(value, 'elsewhere', what);
    }
    (this.names.pushed.get(path) ?? []).forEach(element);
    return found;
  }

  share(texts, reads) {
    for (const text of texts) if (text !== undefined && !this.shared.has(text)) this.shared.set(text, { end: this.end, reads });
  }

  /** A value that is passed in, and what is in it. */
  passed({ at, value, path, kind = 'init' }, name, depth = 0) {
    if (Object.hasOwn(OF_KIND, kind)) return this.say(at, OF_KIND[kind], name);
    this.given.add(value);
    const several = this.names.meanings(value), told = this.tell(value, several, name), texts = new Set([path, textOf(value)]);
    if (several.some((it) => ['ObjectExpression', 'ArrayExpression'].includes(it.type) || isNew(it, /^(Map|Set)$/) || isBytes(it))) this.share(texts, 'any');
    else if (several.some((it) => ['Unknown', 'CallExpression'].includes(it.type))) this.share(texts, 'member');
    if (several.some((it) => shown(value)?.startsWith('this.') && ['ObjectExpression', 'ArrayExpression'].includes(it.type))) this.say(value, 'write-back', shown(value)); // it is there for more than this
    for (const [key, them] of depth < 8 ? this.members(value, several.every((it) => it.type === 'ObjectExpression') ? name : undefined, path ?? textOf(value)).all : []) for (const it of them) this.passed(it, `${name}.${key}`, depth + 1);
    if (!several.every((it) => isSeen(it, this.names) || PASSED.some(([, fits]) => fits(it, this.names, value)))) return this.say(value, 'elsewhere', name);
    return told || depth > 0 ? undefined : this.say(value, 'sandbox', name);
  }

  /** Says which of PASSED the meanings are; whether one is. */
  tell(node, several, name) {
    const found = several.flatMap((it) => PASSED.filter(([, fits]) => fits(it, this.names, node)).slice(0, 1).map(([id]) => [id, it]));
    for (const [id, it] of found) this.say(node, id, `${name}${this.names.required(it).map((from) => `: ${from}`)[0] ?? (it.type === 'NewExpression' ? `: new ${shown(it.callee) ?? ''}` : '')}`);
    return found.length > 0;
  }

  /** An object whose members are passed in. */
  globals(node, what) {
    this.given.add(node);
    if (this.tell(node, this.names.meanings(node), what)) return;
    const { all, whole } = this.members(node, what), before = this.shared.size;
    for (const [name, them] of all) for (const it of them) this.passed(it, name);
    if (!whole) this.share([textOf(node)], 'member');
    else if (this.shared.size > before) this.share([textOf(node)], 'whole');
  }

  options(kind, at, given, timed) {
    this.end = at.end;
    const { all, whole } = this.members(given, `options of ${kind}`), of = (name) => all.get(name) ?? [];
    const jit = of('ambit').some((it) => this.members(it.value, 'ambit').all.get('jit')?.some(({ value }) => this.names.meanings(value).some(isTrue)));
    const off = (it) => { const values = this.names.meanings(it.value); return values.length > 0 && values.every(isFalse); };
    const known = {
      sandbox: (it) => this.globals(it.value, 'sandbox'),
      wasm: (it) => jit || this.say(it.at, off(it) ? 'wasm-off' : 'wasm', 'wasm'),
      require: (it) => this.requires(it),
      nesting: (it) => off(it) || this.say(it.at, 'nesting', 'nesting'),
    };
    for (const name of ['allowAsync', 'fixAsync']) known[name] = (it) => (this.say(it.at, 'allowAsync', name), off(it) === (name === 'allowAsync') && !of('eval').some(off) && this.say(it.at, 'async-of-text', name));
    for (const [name, them] of all) {
      if (Object.hasOwn(known, name)) them.forEach(known[name]);
      else if (Object.hasOwn(SIMPLE, name)) them.forEach((it) => this.say(it.at, SIMPLE[name], name));
    }
    if (whole && !all.has('timeout') && !timed) this.say(at, 'no-timeout', kind);
  }

  requires({ at, value, path }) {
    const several = this.names.meanings(value);
    for (const it of several) if (it.type === 'Literal') this.say(at, it.value ? 'require-true' : 'require-false', `require: ${it.value}`);
    const isResolver = (it) => it.type === 'CallExpression' && this.names.exportOf(it.callee) === 'makeResolverFromLegacyOptions'; // said where it is made
    if (several.length > 0 && several.every((it) => it.type === 'Literal' || isResolver(it))) return;
    const { all } = this.members(value, 'require', path);
    const known = {
      builtin: (it) => this.list(it, 'require.builtin').forEach(([node, word]) => word.startsWith('-') || this.say(node, REACHES[word.replace(/^node:/, '')] ?? 'builtin', word)),
      context: (it) => this.context(it),
      mock: (it) => {
        this.say(it.at, 'mock', 'require.mock');
        for (const [name, them] of this.members(it.value, 'require.mock', it.path).all) for (const one of them) this.passed(one, `require.mock.${name}`, 1);
      },
      external: (it) => isNothing(this.names.meanings(it.value)[0]) || this.say(it.at, all.has('root') ? 'external' : 'external-no-root', 'require.external'),
      root: (it) => all.has('external') || this.say(it.at, 'external', 'require.root'),
    };
    for (const [name, them] of all) {
      if (Object.hasOwn(known, name)) them.forEach(known[name]);
      else if (Object.hasOwn(OF_REQUIRE, name)) them.forEach((it) => this.say(it.at, OF_REQUIRE[name], `require.${name}`));
    }
  }

  context({ at, value }) {
    for (const it of this.names.meanings(value)) {
      if (stringOf(it) === 'host') this.say(at, 'context-host', "require.context: 'host'");
      else if (stringOf(it) === 'sandbox' || isFunction(it)) this.say(at, 'context', 'require.context');
      else this.say(at, 'elsewhere', 'require.context');
    }
  }

  code(node) {
    for (const it of this.names.meanings(node)) {
      const text = stringOf(it) ?? it.quasis?.map(({ value }) => value.cooked).join(' ') ?? '';
      if (/\bprocess\.exit\b/.test(text)) this.say(node, 'process-exit', 'process.exit');
      if (/\bWebAssembly\b/.test(text)) this.say(node, 'wasm', 'WebAssembly');
    }
  }

  /** A call on something that is a VM. */
  method(node, name) {
    const [first, second] = node.arguments;
    this.end = node.end;
    if (name === 'run' || name === 'runFile') this.runs.add(node);
    if (name === 'run') this.say(node, 'vm', 'run'), first && this.code(first);
    else if (name === 'setGlobal' && second) this.passed({ at: second, value: second, path: textOf(second) }, stringOf(first) ?? 'setGlobal');
    else if (name === 'setGlobals' && first) this.globals(first, 'setGlobals');
    else if (Object.hasOwn(METHODS, name)) this.say(node, METHODS[name], name);
  }

  called(node, ancestors) {
    const { names } = this, { callee } = node, which = names.exportOf(callee);
    if (node.type === 'NewExpression') {
      if (which === 'VM' || which === 'NodeVM') this.say(node, 'vm', `new ${which}`), this.options(which, node, node.arguments[0], this.timed.has(node));
      else if (which === 'VMScript') this.say(node, 'script', 'new VMScript'), node.arguments[0] && this.code(node.arguments[0]);
      else if (which === 'VMFileSystem') this.say(node, 'require-fs', 'new VMFileSystem');
    } else if (callee.type === 'Super') {
      const kind = names.exportOf(ancestors.findLast((it) => isClass(it))?.superClass);
      if (kind === 'VM' || kind === 'NodeVM') this.say(node, 'vm', `extends ${kind}`), this.options(kind, node, node.arguments[0], false);
    } else if (which === 'makeResolverFromLegacyOptions') {
      this.say(node, 'resolver', which);
      if (node.arguments[0]) this.requires({ at: node, value: node.arguments[0], path: textOf(node.arguments[0]) });
      if (node.arguments[1]) this.say(node.arguments[1], 'override', which);
    } else if (callee.type === 'MemberExpression') {
      const name = nameOf(callee);
      if (names.made(callee.object).length > 0) this.method(node, name);
      else if ((name === 'code' || name === 'file') && names.exportOf(callee.object) === 'NodeVM') {
        this.say(node, 'vm', `NodeVM.${name}`);
        this.options('NodeVM', node, node.arguments[name === 'code' ? 2 : 1], false);
      }
    }
  }

  visit(node, ancestors) {
    if (node.type === 'NewExpression' || node.type === 'CallExpression') this.called(node, ancestors);
    else if (node.type === 'MemberExpression' && Object.hasOwn(MEMBERS, nameOf(node) ?? '') && this.names.made(node.object).length > 0) this.say(node, MEMBERS[nameOf(node)], nameOf(node));
    const from = ['ImportDeclaration', 'ExportNamedDeclaration', 'ExportAllDeclaration'].includes(node.type) ? [stringOf(node.source)] : this.names.required(node);
    for (const name of from) {
      if (/^vm2\/(?!package\.json)/.test(name)) this.say(node, 'deep', name);
      if (node.type.startsWith('Export') && this.names.modules.has(name)) this.say(node, 'elsewhere', 'the module');
    }
  }

  isResult(node) {
    return this.names.meanings(node).some((it) => this.runs.has(it));
  }

  /** What is done with a result. */
  result(node, parent) {
    if (node.type === 'BinaryExpression') {
      const { operator, left, right } = node, made = (it) => this.names.meanings(it).some(({ type }) => ['ObjectExpression', 'ArrayExpression', 'NewExpression'].includes(type));
      if (/^[!=]==?$/.test(operator) && ((this.isResult(left) && made(right)) || (this.isResult(right) && made(left)))) this.say(node, 'identity', operator);
      if (operator === 'instanceof' && this.isResult(left) && !COPIED.test(shown(right) ?? '') && !BYTES.test(shown(right) ?? '')) this.say(node, 'hostClass', 'instanceof');
    } else if (node.type === 'MemberExpression') {
      const name = nameOf(node), called = parent.type === 'CallExpression' && parent.callee === node;
      if (called && ['call', 'apply', 'bind'].includes(name)) parent.arguments[0] && !isNothing(parent.arguments[0]) && this.isResult(node.object) && this.say(node, 'this-of-code', name);
      else if (called && !OF_DATA.has(name) && this.isResult(node.object)) this.say(node, 'result-method', name ?? '[...]');
      else if (parent.type === 'AssignmentExpression' && parent.left === node && this.isResult(node.object)) this.say(node, 'lateResult', shown(node) ?? name ?? '[...]');
    }
  }

  /** What is done with an object that vm2 shares with the code, after it was passed in. */
  read(node, ancestors) {
    const text = textOf(node), it = this.shared.get(text), [grand, parent] = ancestors.slice(-3, -1);
    if (it === undefined || node.start < it.end || this.given.has(node) || parent.left === node || parent.id === node) return;
    const before = [...this.runs].some((run) => run.end <= node.start && run.end > it.end), next = [...this.runs].some((run) => run.start > node.end);
    const whole = parent.object !== node, pattern = (parent.id ?? parent.left)?.type === 'ObjectPattern' ? (parent.id ?? parent.left).properties : undefined;
    const changes = !whole && ((grand.type === 'AssignmentExpression' && grand.left === parent) || (grand.type === 'CallExpression' && grand.callee === parent && CHANGES.includes(nameOf(parent))));
    if (changes && it.reads !== 'whole') return void (next && this.say(parent, 'late', shown(parent) ?? shown(node)));
    if (pattern && it.reads === 'whole' && !pattern.some((one) => one.type !== 'Property' || this.shared.has(`${text}.${nameOf(one)}`))) return;
    if (before && (it.reads === 'any' || (it.reads === 'member' && (!whole || pattern)) || (it.reads === 'whole' && whole))) this.say(node, 'write-back', shown(whole ? node : parent) ?? shown(node));
  }

  /** Where the module, a class of it, or a result goes to code that is not seen here. */
  handed(node, ancestors) {
    let at = ancestors.length - 2, child = node;
    while (['Property', 'ObjectExpression', 'ArrayExpression', 'ConditionalExpression', 'LogicalExpression', 'AwaitExpression'].includes(ancestors[at]?.type)) child = ancestors[at--];
    const parent = ancestors[at], { type } = parent;
    const exported = /^Export(Specifier|DefaultDeclaration|NamedDeclaration)$/.test(type) || (type === 'AssignmentExpression' && parent.right === child && /^(module\.)?exports\b/.test(shown(parent.left) ?? ''))
      || (type === 'VariableDeclarator' && parent.init === child && ancestors[at - 2].type === 'ExportNamedDeclaration');
    const given = (type === 'CallExpression' && parent.arguments.includes(child) && !isFunction(parent.callee) && !WRAPS.test(shown(parent.callee) ?? '') && this.names.required(parent).length === 0) || (type === 'NewExpression' && parent.callee !== child)
      || ((type === 'ReturnStatement' || parent.body === child) && this.alone);
    const gives = () => this.isResult(node) || (!isClass(node) && this.isResult({ type: 'CallExpression', callee: node, arguments: [] }));
    if (exported && gives()) this.say(node, 'result-method', 'exported');
    else if ((exported || given) && (this.names.isModule(node) || !['VMError', undefined].includes(this.names.exportOf(node)))) this.say(node, 'elsewhere', shown(node) ?? 'the module');
  }

  all() {
    this.timed = new Set();
    walk(this.tree, (node) => {
      if (node.type === 'AssignmentExpression' && node.left.type === 'MemberExpression' && nameOf(node.left) === 'timeout') for (const it of this.names.made(node.left.object)) this.timed.add(it);
    });
    walk(this.tree, (node, ancestors) => this.visit(node, ancestors));
    walk(this.tree, (node, ancestors) => {
      this.result(node, ancestors[ancestors.length - 2]);
      if (node.type === 'Identifier' || node.type === 'MemberExpression') this.read(node, ancestors);
    });
    this.alone = this.uses.length === 0; // then what a function gives is used elsewhere
    walk(this.tree, (node, ancestors) => {
      if (['Identifier', 'MemberExpression', 'CallExpression', 'ImportExpression', ...FUNCTION].includes(node.type)) this.handed(node, ancestors);
    });
    return this.uses.sort((a, b) => a.line - b.line || a.column - b.column);
  }
}

/** -> [{ line, column, id, what }]; throws where it cannot be read. `kind` as parse() has it. */
function scan(source, { kind = 'js', modules = new Set(['vm2']) } = {}) {
  const tree = parse(source, kind);
  let named = false;
  walk(tree, (node) => void (named ||= modules.has(stringOf(node)) || stringOf(node)?.startsWith('vm2/')));
  return named ? new Scan(tree, modules).all() : [];
}

module.exports = { scan };
