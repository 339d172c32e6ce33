// What may be required in a NodeVM, and from where.
'use strict';
const fs = require('fs');
const path = require('path');
const { builtinModules, isBuiltin = (id) => builtinModules.includes(id.replace(/^node:/, '')) } = require('module'); // the second from Node 18.6 on; some have no name but with `node:`
const { VMError } = require('./errors.js');

const plain = (it) => it !== null && typeof it === 'object' && !Array.isArray(it);

const isBeneath = (file, root) => file === root || file.startsWith(root.endsWith('/') ? root : `${root}/`);

/** Where its links lead; the same, if there is no such file here but in a file system of the program's. */
function led(file) {
  try {
    return fs.realpathSync(file);
  } catch {
    return file;
  }
}

/** What `require` of a NodeVM says, checked. */
class Resolver {
  constructor(options, override, compiler) {
    const { builtin = [], external = false, root, mock = {}, context, import: imports = [], resolve, customRequire, strict = true, fs: files } = options;
    if (context === 'host') throw new VMError("require.context: 'host' cannot be had: no module of the sandbox runs in this process", 'ECONTEXT', 'leave it out, and grant what the modules need (`ambit: { read, connect }`); or give them as `require.mock`, whose functions run here');
    if (context !== undefined && context !== 'sandbox' && typeof context !== 'function') throw new VMError("`require.context` is 'sandbox'", 'EOPTION');
    if (!Array.isArray(builtin)) throw new VMError('`require.builtin` is a list of names', 'EOPTION');
    this.builtin = builtin.map((name) => String(name).replace(/^(-?)node:/, '$1'));
    this.roots = root === undefined ? null : (Array.isArray(root) ? root : [root]).map((it) => path.resolve(String(it)));
    this.external = Array.isArray(external) ? { modules: external.map(String), transitive: false } : plain(external) ? { modules: [...(external.modules ?? [])].map(String), transitive: external.transitive === true } : external === true ? true : null;
    this.strict = strict !== false;
    this.imports = (Array.isArray(imports) ? imports : [imports]).map(String);
    this.functions = { resolve, customRequire, context: typeof context === 'function' ? context : undefined };
    for (const name of ['resolve', 'customRequire']) if (this.functions[name] !== undefined && typeof this.functions[name] !== 'function') throw new VMError(`\`require.${name}\` is a function`, 'EOPTION');
    this.files = files;
    this.mock = { ...mock };
    this.overrides = override ?? {};
    this.compiler = compiler;
  }

  /** Directories of modules, which it may read. */
  places() {
    if (this.files !== undefined) return [];
    if (this.roots !== null) return this.roots;
    if (this.external === null) return [];
    const found = new Set();
    for (const from of [process.cwd(), require.main === undefined ? undefined : path.dirname(require.main.filename)]) {
      for (let at = from; at !== undefined; at = path.dirname(at)) {
        const modules = path.join(at, 'node_modules');
        if (fs.existsSync(modules)) found.add(modules);
        if (at === path.dirname(at)) break;
      }
    }
    return [...found];
  }

  /** Whether that is a builtin module that the list has. The cell asks the same (inside-node.js), and may say that it did. */
  allows(id) {
    if (typeof id !== 'string' || !isBuiltin(id)) return false;
    const name = id.replace(/^node:/, '');
    return this.builtin.includes(name) || (this.builtin.includes('*') && !this.builtin.includes(`-${name}`));
  }

  /** Whether a file lies in a root, where it is named and where its links lead. */
  within(file) {
    if (typeof file !== 'string' || file.includes('\0')) return false;
    const at = path.resolve(file);
    return this.roots === null || [at, led(at)].every((it, i) => this.roots.some((root) => isBeneath(it, i === 0 ? root : led(root))));
  }

  told() {
    const { builtin, roots, external, strict, imports } = this;
    return { builtin, roots, external, modulesAreStrict: strict, imports, mocks: [...Object.keys(this.mock), ...Object.keys(this.overrides)], ownFiles: this.files !== undefined, compiles: this.compiler !== undefined };
  }

  beside() {
    const { resolve, customRequire, context } = this.functions, beside = { mock: this.mock };
    if (resolve !== undefined) beside.resolve = (name, from) => resolve(name, from);
    if (customRequire !== undefined) {
      beside.customRequire = (id) => {
        if (!this.allows(id)) throw new VMError(`Cannot find module '${typeof id === 'string' ? id : ''}'`, 'ENOTFOUND');
        return customRequire(id);
      };
    }
    if (context !== undefined) {
      beside.context = (file, extension) => {
        if (context(file, extension) === 'host') throw new VMError(`require.context wants '${file}' in the host, where no module of the sandbox runs`, 'ECONTEXT', 'grant what it needs, or give it as `require.mock`');
      };
    }
    for (const name of Object.keys(this.overrides)) {
      const it = this.overrides[name];
      beside.mock = { ...beside.mock, [name]: typeof it === 'function' ? it() : it?.load?.() };
    }
    if (this.files !== undefined) {
      const { files } = this;
      beside.files = {
        kind: (file) => {
          if (!this.within(file)) return 'none';
          try {
            const found = files.statSync(path.resolve(file)); // what was looked at: a link before '..' leads elsewhere
            return found.isDirectory() ? 'directory' : found.isFile() ? 'file' : 'other';
          } catch {
            return 'none';
          }
        },
        read: (file) => {
          if (!this.within(file)) throw new VMError(`'${file}' lies outside of the root`, 'EDENIED');
          return String(files.readFileSync(path.resolve(file), { encoding: 'utf8' }));
        },
      };
    }
    if (this.compiler !== undefined) beside.compile = (code, file) => this.compiler(code, file);
    return beside;
  }
}

const NONE = () => new Resolver({ builtin: [] });

function resolverOf(wanted, compiler) {
  if (wanted instanceof Resolver) return wanted;
  if (wanted === false || wanted === undefined || wanted === null) return NONE();
  if (wanted === true) return new Resolver({ builtin: [], external: true });
  if (!plain(wanted)) throw new VMError('`require` is true, an object, or what makeResolverFromLegacyOptions gave', 'EOPTION');
  return new Resolver(wanted, undefined, compiler.isIdentity ? undefined : compiler);
}

/** One for several NodeVMs. */
function makeResolverFromLegacyOptions(options, override, compiler) {
  if (!options) return new Resolver({ builtin: [] }, override, compiler);
  return new Resolver(options, override, compiler);
}

module.exports = { Resolver, resolverOf, makeResolverFromLegacyOptions };
