// Looks through a project for uses of vm2, and says what will differ: MIGRATING.md has the same table for people. It reads code, and runs none.
'use strict';
const fs = require('fs');
const path = require('path');
const acorn = require('acorn');
const walk = require('acorn-walk');

const FILE_MAX = 4 << 20, FILES_MAX = 100_000;
const EXTENSIONS = ['.js', '.cjs', '.mjs', '.jsx', '.ts', '.cts', '.mts'];
const MODULES = ['vm2', '@ambit/vm2'];
const CLASSES = ['VM', 'NodeVM', 'VMScript', 'VMFileSystem', 'makeResolverFromLegacyOptions'];
const GRANT_OF = {
  fs: "`ambit: { read: [...], write: [...] }`", 'fs/promises': "`ambit: { read: [...], write: [...] }`", http: "`ambit: { connect: ['HOST:PORT'] }`", https: "`ambit: { connect: ['HOST:443'] }`", http2: "`ambit: { connect: ['HOST:PORT'] }`",
  net: "`ambit: { connect: ['HOST:PORT'], listen: ['PORT'] }`", tls: "`ambit: { connect: ['HOST:PORT'] }`", dns: "`ambit: { connect: ['HOST:PORT'] }`", dgram: "`ambit: { connect: [...] }`", child_process: "`ambit: { run: ['PROGRAM'] }`", '*': '`ambit: { read, write, connect, run }`',
};

const DATA = /^(Map|Set|Date|RegExp|Array|Object|Boolean|Number|String|ArrayBuffer|DataView|Buffer|[A-Za-z0-9]*Error|[A-Za-z0-9]+Array)$/; // what is copied as it is
const same = () => null; // nothing to be said
// Of each option: what will be otherwise. A text for people, and what to do.
const OPTIONS = {
  timeout: same, sandbox: same, compiler: same, compilerOptions: same, eval: same, wrapper: same, strict: same, sourceExtensions: same, console: same, ambit: same,
  wasm: same, bufferAllocLimit: () => ['stronger', 'bufferAllocLimit bounds one buffer; all memory together is bounded, too', '`ambit: { memory }` is 512 MB'],
  allowAsync: () => ['different', 'allowAsync: asynchronous code is refused before it runs; what `eval` makes, when its promise is used', 'the package acorn has to be installed'],
  fixAsync: () => ['different', 'fixAsync: asynchronous code is refused before it runs', 'the package acorn has to be installed'],
  nesting: (value) => (isLiteral(value, false) ? null : ['stronger', 'nesting: a sandbox within is a cell beside it, with its grants at most', 'nothing']),
  argv: () => ['different', 'argv is copied: what the code changes in it stays there', 'nothing'],
  env: () => ['different', 'env is copied; nothing of the environment of the program is there', 'nothing'],
};
const REQUIRE = {
  root: () => ['stronger', 'require.root is a grant to read there, which no link leaves', 'nothing'], import: same, strict: same, mock: (value) => (isFunctionOrLiteral(value) ? null : ['different', 'require.mock is copied, with functions as calls', 'live objects need `ambit: { live: true }`']),
  context: (value) => (isLiteral(value, 'sandbox') ? null : isLiteral(value, 'host') ? ['refused', "require.context: 'host' cannot be had: no module of a sandbox runs in the program", 'leave it out, and grant what the modules need; or give them as require.mock'] : ['different', "require.context: a function that says 'host' makes the module refused", 'grant what the modules need']),
  resolve: () => ['different', 'require.resolve: what it names has to lie in require.root, or where `ambit: { read }` is', 'add `ambit: { read: [...] }`'],
  customRequire: () => ['different', 'require.customRequire is called here; functions and data of what it gives cross, live objects do not', '`ambit: { live: true }` if they are needed'],
  fs: () => ['different', 'require.fs is asked from the cell, file by file', 'nothing'],
};

const isLiteral = (node, value) => node?.type === 'Literal' && node.value === value;
const isFunctionOrLiteral = (node) => ['ObjectExpression', 'Literal', 'ArrowFunctionExpression', 'FunctionExpression'].includes(node?.type);
const keyOf = (property) => (property.key?.type === 'Identifier' && !property.computed ? property.key.name : property.key?.type === 'Literal' ? String(property.key.value) : undefined);
const nameOf = (node) => (node?.type === 'Identifier' ? node.name : undefined);

/** The module that `require('...')`, `await import('...')` name, or undefined. */
function required(node) {
  if (node?.type === 'AwaitExpression') return required(node.argument);
  if (node?.type === 'ImportExpression') return node.source.type === 'Literal' ? node.source.value : undefined;
  const isRequire = node?.type === 'CallExpression' && (nameOf(node.callee) === 'require' || (node.callee.type === 'MemberExpression' && nameOf(node.callee.object) === 'require'));
  return isRequire && node.arguments[0]?.type === 'Literal' ? node.arguments[0].value : undefined;
}

/** What names of a file stand for: classes of vm2, vm2 itself, other modules, and literals. */
function namesOf(tree) {
  const names = { classes: new Map(), whole: new Set(), modules: new Map(), values: new Map(), vms: new Set(), uses: false };
  const bind = (pattern, module) => {
    if (pattern.type === 'Identifier') (MODULES.includes(module) ? names.whole.add(pattern.name) : names.modules.set(pattern.name, module));
    else if (pattern.type === 'ObjectPattern' && MODULES.includes(module)) for (const it of pattern.properties) if (it.type === 'Property' && nameOf(it.value) !== undefined) names.classes.set(it.value.name, keyOf(it));
  };
  walk.simple(tree, {
    ImportDeclaration(node) {
      if (MODULES.includes(node.source.value)) names.uses = true;
      for (const it of node.specifiers) {
        if (it.type === 'ImportSpecifier' && MODULES.includes(node.source.value)) names.classes.set(it.local.name, it.imported.name ?? it.imported.value);
        else if (it.type !== 'ImportSpecifier') bind(it.local, node.source.value);
      }
    },
    VariableDeclarator(node) {
      const module = required(node.init), member = node.init?.type === 'MemberExpression' ? required(node.init.object) : undefined;
      if (module !== undefined) bind(node.id, module);
      else if (MODULES.includes(member) && nameOf(node.id) !== undefined) names.classes.set(node.id.name, node.init.property.name);
      else if (node.init?.type === 'MemberExpression' && names.whole.has(nameOf(node.init.object)) && nameOf(node.id) !== undefined) names.classes.set(node.id.name, node.init.property.name);
      else if (node.id.type === 'ObjectPattern' && names.whole.has(nameOf(node.init))) bind(node.id, MODULES[0]);
      else if (nameOf(node.id) !== undefined && node.init !== null) names.values.set(node.id.name, node.init);
    },
    CallExpression(node) {
      if (MODULES.includes(required(node))) names.uses = true;
    },
    ImportExpression(node) {
      if (MODULES.includes(required(node))) names.uses = true;
    },
  });
  return names;
}

/** Of one file: [{ line, column, kind, what, todo }]. */
function checkTree(tree) {
  const names = namesOf(tree), found = [];
  if (!names.uses) return found;
  const say = (node, answer) => answer && found.push({ line: node.loc.start.line, column: node.loc.start.column + 1, kind: answer[0], what: answer[1], todo: answer[2] });
  const literal = (node) => (node?.type === 'Identifier' && names.values.has(node.name) ? names.values.get(node.name) : node);
  const classOf = (node) => {
    if (node.type === 'Identifier') return names.classes.get(node.name);
    if (node.type !== 'MemberExpression') return undefined;
    return names.whole.has(nameOf(node.object)) || MODULES.includes(required(node.object)) ? node.property.name : undefined;
  };

  function requireOf(node, given) {
    const value = literal(given);
    if (value?.type === 'Literal') {
      if (value.value === true) say(node, ['different', 'require: true reads the directories node_modules above the program, and nothing else', '`root`, or `ambit: { read }`, for other files']);
      return;
    }
    if (value?.type !== 'ObjectExpression') return void (value && say(node, ['different', 'what may be required is made elsewhere, and was not looked at', 'look at it by MIGRATING.md']));
    const keys = new Set(value.properties.map(keyOf));
    for (const it of value.properties) {
      const key = keyOf(it);
      if (it.type !== 'Property' || key === undefined) continue;
      if (key === 'builtin') builtins(it, literal(it.value));
      else if (key === 'external') say(it, keys.has('root') || isLiteral(it.value, false) ? null : ['different', 'require.external without root reads the directories node_modules above the program, and nothing else', '`root`, or `ambit: { read }`, for other files']);
      else say(it, REQUIRE[key]?.(literal(it.value)));
    }
  }

  function builtins(node, value) {
    for (const it of value?.type === 'ArrayExpression' ? value.elements : []) {
      const grant = it?.type === 'Literal' ? GRANT_OF[String(it.value).replace(/^node:/, '')] : undefined;
      if (grant !== undefined) say(it, ['stronger', `the module ${it.value} is the cell's own, and reaches what is granted: nothing, if you grant nothing`, grant]);
    }
    if (value?.type !== 'ArrayExpression') say(node, ['different', 'the list of builtin modules is made elsewhere; they reach what is granted', '`ambit: { read, write, connect, run }`']);
  }

  function sandboxOf(node, given, after) {
    const value = literal(given);
    for (const it of value?.type === 'ObjectExpression' ? value.properties : []) {
      const part = it.type === 'Property' ? literal(it.value) : undefined, module = it.type === 'Property' ? names.modules.get(nameOf(it.value)) ?? required(it.value) : undefined;
      if (part?.type === 'NewExpression' && !DATA.test(nameOf(part.callee) ?? '')) say(it, ['different', `${keyOf(it) ?? 'a member'} of the sandbox is an instance of a class: it is opaque there`, 'pass functions and data, or `ambit: { live: true }`']);
      else if (module !== undefined) say(it, ['different', `${keyOf(it) ?? 'a member'} of the sandbox is the module ${module}: its functions are calls to the program, and instances that they give are opaque`, 'pass the functions that are needed, or `ambit: { live: true }`']);
      else if (['process', 'global', 'globalThis', 'require'].includes(nameOf(it.value))) say(it, ['different', `${it.value.name} in the sandbox gives the code the program's own`, 'pass what of it is needed']);
    }
    const name = nameOf(given);
    if (name === undefined) return;
    let told = false;
    walk.simple(tree, { MemberExpression(member) {
      if (told || nameOf(member.object) !== name || member.start < after) return;
      told = true;
      say(member, ['different', `what the code changes in ${name} is not written back`, 'vm.getGlobal(NAME), or `ambit: { live: true }`']);
    } });
  }

  function made(node, kind, given) {
    const value = literal(given);
    if (kind === 'VMScript') return;
    if (value !== undefined && value.type !== 'ObjectExpression') say(node, ['different', `the options of ${kind} are made elsewhere, and were not looked at`, 'look at them by MIGRATING.md']);
    const properties = value?.type === 'ObjectExpression' ? value.properties : [];
    for (const it of properties) {
      const key = keyOf(it);
      if (it.type !== 'Property' || key === undefined) continue;
      if (key === 'require') requireOf(it, it.value);
      else if (key === 'sandbox') sandboxOf(it, it.value, node.end);
      else say(it, OPTIONS[key]?.(literal(it.value)));
    }
    if (!properties.some((it) => keyOf(it) === 'timeout') && (value === undefined || value.type === 'ObjectExpression')) say(node, ['same', `${kind} without \`timeout\` waits for ever for code that never ends`, 'give it one, which bounds all that runs here']);
  }

  walk.ancestor(tree, {
    NewExpression(node, state, ancestors) {
      const kind = classOf(node.callee), parent = ancestors[ancestors.length - 2];
      if (kind === 'VM' || kind === 'NodeVM') {
        made(node, kind, node.arguments[0]);
        if (parent?.type === 'VariableDeclarator' && nameOf(parent.id) !== undefined) names.vms.add(parent.id.name);
      }
    },
    CallExpression(node) {
      const { callee } = node;
      if (callee.type !== 'MemberExpression' && classOf(callee) === 'makeResolverFromLegacyOptions') return requireOf(node, node.arguments[0]);
      if (callee.type !== 'MemberExpression') return undefined;
      if (classOf(callee.object) === 'NodeVM' && ['code', 'file'].includes(callee.property.name)) return made(node, 'NodeVM', node.arguments[node.arguments.length - 1]?.type === 'ObjectExpression' ? node.arguments[node.arguments.length - 1] : undefined);
      const inner = callee.object;
      if (inner.type === 'CallExpression' && inner.callee.type === 'MemberExpression' && inner.callee.property.name === 'run' && names.vms.has(nameOf(inner.callee.object))) say(node, ['different', 'a method of a result is called: of an instance of a class of the sandbox it stayed there', 'return functions and data, or `ambit: { live: true }`']);
      return undefined;
    },
  });
  for (const name of names.classes.values()) if (name !== undefined && !CLASSES.includes(name) && name !== 'VMError') found.push({ line: 1, column: 1, kind: 'refused', what: `${name} is not there`, todo: 'MIGRATING.md says what is' });
  return found.sort((a, b) => a.line - b.line || a.column - b.column);
}

/** Throws a SyntaxError if it cannot be read. */
function checkText(text, file = 'x.js') {
  let source = text;
  if (/\.[cm]?ts$/.test(file)) source = require('module').stripTypeScriptTypes?.(text) ?? text; // Node 22.13
  const options = { ecmaVersion: 'latest', locations: true, allowHashBang: true, allowReturnOutsideFunction: true, allowAwaitOutsideFunction: true, allowImportExportEverywhere: true };
  let tree;
  try {
    tree = acorn.parse(source, { ...options, sourceType: 'module' });
  } catch {
    tree = acorn.parse(source, { ...options, sourceType: 'script' });
  }
  return checkTree(tree);
}

/** Files of code beneath; links and node_modules are left out. */
function* files(at) {
  const about = fs.lstatSync(at);
  if (about.isFile()) yield at;
  if (!about.isDirectory()) return;
  for (const entry of fs.readdirSync(at, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name === 'node_modules' || entry.name.startsWith('.')) continue;
    if (entry.isDirectory()) yield* files(path.join(at, entry.name));
    else if (entry.isFile() && EXTENSIONS.includes(path.extname(entry.name))) yield path.join(at, entry.name);
  }
}

/** Packages that depend on vm2, by the lock file of npm. */
function dependents(at) {
  const lock = path.join(at, 'package-lock.json');
  if (!fs.existsSync(lock) || fs.lstatSync(lock).size > 64 << 20) return [];
  try {
    const { packages = {} } = JSON.parse(fs.readFileSync(lock, 'utf8'));
    return Object.entries(packages).filter(([name, it]) => name !== '' && it.dependencies?.vm2 !== undefined).map(([name]) => name.replace(/^.*node_modules\//, ''));
  } catch {
    return [];
  }
}

/** { found: [{ file, line, column, kind, what, todo }], unread: [{ file, why }], dependents: [names], files } */
function check(places) {
  const result = { files: 0, found: [], unread: [], dependents: [] };
  for (const place of places) {
    if (fs.lstatSync(place).isDirectory()) result.dependents.push(...dependents(place));
    for (const file of files(place)) {
      if (++result.files > FILES_MAX) return result;
      try {
        if (fs.lstatSync(file).size > FILE_MAX) throw new Error(`it has more than ${FILE_MAX >> 20} MB`);
        const text = fs.readFileSync(file, 'utf8');
        if (text.includes('vm2')) result.found.push(...checkText(text, file).map((it) => ({ file, ...it })));
      } catch (problem) {
        result.unread.push({ file, why: /\.[cm]?tsx?$/.test(file) && problem instanceof SyntaxError ? `its types are not understood here (Node 22.13 and later take them off): ${problem.message}` : problem.message });
      }
    }
  }
  return result;
}

module.exports = { check, checkText };
