// The inside of a NodeVM's cell: code runs in the one context that Node itself made, with the modules that may be required. Which may be is a courtesy to the code, as vm2 has it; what they reach is the
// cell's wall.
'use strict';

// given: main (inside.js), idle() is called when nothing goes on any more, feed(data) takes what came
module.exports = function makeNode({ main, idle, feed }) {
  const { process, global, require } = main, { setImmediate } = global;
  const Module = require('module'), fs = require('fs'), path = require('path'), { Script } = require('vm'), { Socket } = require('net'), { Writable } = require('stream'), { inspect, format } = require('util');
  const { apply } = Reflect, runInThisContext = Script.prototype.runInThisContext, { O_RDONLY, O_NONBLOCK } = fs.constants;
  const TOLD = ['debug', 'log', 'info', 'warn', 'error', 'dir', 'trace'];
  const load = Module._load, resolveFilename = Module._resolveFilename, nodeModulePaths = Module._nodeModulePaths, compile = Module.prototype._compile, { builtinModules } = Module;
  const soon = setImmediate;
  let guest, options, beside, VMError, socket;

  // Programs and code that write to 0, 1 and 2 do not write among frames.
  const anew = (fd, flags) => fs.openSync(`/proc/self/fd/${fd}`, flags);
  const fds = { in: anew(0, 'r'), beside: anew(0, O_RDONLY | O_NONBLOCK), out: anew(1, 'w'), bell: anew(2, 'w') };
  for (const fd of [0, 1, 2]) {
    fs.closeSync(fd);
    fs.openSync('/dev/null', 'r+');
  }

  const notFound = (name) => new VMError(`Cannot find module '${name}'`, 'ENOTFOUND');
  const isBuiltin = (name) => builtinModules.includes(name);
  const isPath = (name) => name.startsWith('./') || name.startsWith('../') || name === '.' || name === '..' || path.isAbsolute(name);

  function isAllowed(name) {
    const { builtin } = options;
    return builtin.includes(name) || (builtin.includes('*') && !builtin.includes(`-${name}`));
  }

  const pattern = (text) => new RegExp(`^${text.replace(/[\\^$.|+(){}[\]]/g, '\\$&').replace(/\*/g, '[^/]*').replace(/\?/g, '[^/]')}$`);
  const nameOf = (request) => request.split('/').slice(0, request.startsWith('@') ? 2 : 1).join('/');
  const within = (root, file) => file === root || file.startsWith(root.endsWith('/') ? root : `${root}/`);

  // Which package a file belongs to; undefined: none.
  function packageOf(file) {
    const at = file.lastIndexOf('/node_modules/');
    return at < 0 ? undefined : nameOf(file.slice(at + 14));
  }

  let patterns = [];
  const isNamed = (name) => patterns.some((it) => it.test(name));

  function mayRequire(request, parent) {
    const { external } = options;
    if (external === null) return false;
    if (external === true || isPath(request)) return true;
    const from = parent?.filename === undefined || parent.filename === null ? undefined : packageOf(parent.filename);
    return isNamed(nameOf(request)) || (external.transitive && from !== undefined);
  }

  // ---- where a module lies ----

  function find(request, parent) {
    const directory = parent?.filename && path.isAbsolute(parent.filename) ? path.dirname(parent.filename) : undefined;
    const tries = [() => (options.ownFiles ? findOwn(request, directory) : resolveFilename.call(Module, request, parent, false))];
    if (beside.resolve !== undefined) {
      tries.push(() => {
        const found = beside.resolve(request, directory ?? '.');
        if (typeof found === 'string') return options.ownFiles ? findOwn(found, directory) : resolveFilename.call(Module, found, parent, false);
        if (found !== null && typeof found === 'object' && typeof found.path === 'string') {
          const from = path.resolve(found.path), name = typeof found.module === 'string' ? found.module : request;
          return options.ownFiles ? findOwn(name, from) : resolveFilename.call(Module, name, { ...parent, filename: path.join(from, 'x'), paths: [from, ...nodeModulePaths(from)] }, false);
        }
        throw notFound(request);
      });
    }
    for (const attempt of tries) {
      try {
        const file = attempt();
        if (file !== undefined) return file;
      } catch (problem) {
        if (problem?.code !== 'MODULE_NOT_FOUND' && problem?.code !== 'ENOTFOUND' && problem?.code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED' && problem?.code !== 'EACCES') throw problem;
      }
    }
    throw notFound(request);
  }

  // With a file system of the program's: what it lists by statSync and gives by readFileSync.
  function findOwn(request, directory) {
    const asFile = (file) => [file, ...options.extensions.map((it) => `${file}.${it}`), `${file}.json`].find((it) => beside.files.kind(it) === 'file');
    const asAny = (file) => {
      const found = asFile(file);
      if (found !== undefined || beside.files.kind(file) !== 'directory') return found;
      const about = path.join(file, 'package.json');
      const entry = beside.files.kind(about) === 'file' ? JSON.parse(beside.files.read(about)).main : undefined;
      return (typeof entry === 'string' ? asFile(path.join(file, entry)) ?? asFile(path.join(file, entry, 'index')) : undefined) ?? asFile(path.join(file, 'index'));
    };
    if (isPath(request)) return directory === undefined && !path.isAbsolute(request) ? undefined : asAny(path.resolve(directory ?? '/', request));
    for (const modules of nodeModulePaths(directory ?? '/')) {
      const found = asAny(path.join(modules, request));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  // ---- require ----

  const ownCache = new Map();

  function loadOwn(file, parent) {
    const known = ownCache.get(file);
    if (known !== undefined) return known.exports;
    const module = newModule(file, parent), text = beside.files.read(file);
    ownCache.set(file, module);
    try {
      if (file.endsWith('.json')) module.exports = JSON.parse(text);
      else module._compile(beside.compile === undefined ? text : beside.compile(text, file), file);
    } catch (problem) {
      ownCache.delete(file);
      throw problem;
    }
    return module.exports;
  }

  function requireFrom(given, parent, isMain) {
    const request = String(given), name = request.startsWith('node:') ? request.slice(5) : request;
    for (const it of [request, name]) if (options.mocks.includes(it)) return beside.mock[it];
    if (options.nesting && request === 'vm2') return nested();
    if (isBuiltin(name) || request.startsWith('node:')) {
      if (!isAllowed(name)) throw notFound(request);
      return beside.customRequire === undefined ? apply(load, Module, [request, parent, false]) : beside.customRequire(request);
    }
    if (!mayRequire(request, parent)) throw notFound(request);
    const file = find(request, parent);
    const belongs = packageOf(file);
    if (options.roots !== null && !options.roots.some((root) => within(root, file))) throw new VMError(`Module '${request}' is not allowed to be required. The path is outside the border!`, 'EDENIED');
    if (belongs !== undefined && options.external !== true && !isNamed(belongs) && !options.external.transitive) throw new VMError(`Access denied to require '${request}'`, 'EDENIED');
    if (beside.context !== undefined) beside.context(file, path.extname(file).slice(1));
    return options.ownFiles ? loadOwn(file, parent) : apply(load, Module, [file, parent, isMain]);
  }

  function prepareModules() {
    patterns = options.external === null || options.external === true ? [] : options.external.modules.map(pattern);
    Module._load = requireFrom;
    Module._resolveFilename = function (request, parent, isMain, more) {
      return isBuiltin(request) || request.startsWith('node:') ? request : apply(resolveFilename, Module, [request, parent, isMain, more]);
    };
    Module._extensions['.node'] = () => {
      throw new VMError('a module of machine code cannot be loaded here', 'EDENIED');
    };
    const { '.js': js } = Module._extensions;
    for (const extension of options.extensions) {
      Module._extensions[`.${extension}`] = beside.compile === undefined ? Module._extensions[`.${extension}`] ?? js
        : (module, file) => module._compile(beside.compile(fs.readFileSync(file, 'utf8'), file), file);
    }
    Module.prototype._compile = function (text, file, ...more) {
      return apply(compile, this, [options.modulesAreStrict && !file.endsWith('.json') ? `"use strict";${text.startsWith('#!') ? `//${text.slice(2)}` : text}` : text, file, ...more]);
    };
  }

  function newModule(file, parent) {
    const module = new Module(file, parent), directory = path.isAbsolute(file) ? path.dirname(file) : options.cwd;
    module.filename = file;
    module.paths = directory === undefined ? [] : nodeModulePaths(directory);
    return module;
  }

  // ---- sandboxes beside this one ----

  let api;
  function nested() {
    if (api !== undefined) return api;
    class VMScript {
      constructor(code, first, second) {
        Object.assign(this, { code: String(code), ...(typeof first === 'string' ? { ...second, filename: first } : first) });
      }

      compile() {
        return this;
      }
    }
    const kindOf = (kind) => class {
      #it;

      constructor(wanted = {}) {
        this.#it = beside.nest(kind, { ...wanted });
      }

      run(code, where) {
        return code instanceof VMScript ? this.#it.run(code.code, code.filename ?? where) : this.#it.run(String(code), where);
      }

      getGlobal(name) { return this.#it.getGlobal(name); }
      setGlobal(name, value) { return this.#it.setGlobal(name, value), this; }
      setGlobals(values) { return Object.keys(values).forEach((name) => this.#it.setGlobal(name, values[name])), this; }
      freeze(value, name) { return this.#it.freeze(value, name), value; }
      readonly(value) { return value; }
      protect(value, name) { return this.#it.setGlobal(name, value), value; }
      require(name) { return this.#it.require(name); }
      dispose() { this.#it.dispose(); }
      static code(script, file, wanted) { return new this(wanted).run(script, file); }
    };
    api = { VM: kindOf('VM'), NodeVM: kindOf('NodeVM'), VMScript, VMError };
    return api;
  }

  // ---- what the code finds ----

  function makeConsole() {
    const it = {}, times = new Map(), counts = new Map();
    const shown = (method, args) => (method === 'dir' ? inspect(args[0], { customInspect: false, ...args[1] }) : format(...args)); // here, where it costs nobody else
    const say = options.console === 'off' ? () => {} : (method, args) => guest.tell(`console.${method}`, options.console === 'inherit' ? [shown(method, args)] : args);
    for (const method of TOLD) it[method] = (...args) => say(method, args);
    it.assert = (holds, ...args) => void (holds || say('error', ['Assertion failed', ...args]));
    it.time = (label = 'default') => void times.set(`${label}`, process.hrtime.bigint());
    it.timeLog = (label = 'default', ...args) => void (times.has(`${label}`) && say('log', [`${label}: ${Number(process.hrtime.bigint() - times.get(`${label}`)) / 1e6}ms`, ...args]));
    it.timeEnd = (label = 'default') => void (it.timeLog(label), times.delete(`${label}`));
    it.count = (label = 'default') => void (counts.set(`${label}`, (counts.get(`${label}`) ?? 0) + 1), say('log', [`${label}: ${counts.get(`${label}`)}`]));
    it.countReset = (label = 'default') => void counts.delete(`${label}`);
    it.table = (...args) => say('log', [inspect(args[0])]);
    it.group = it.groupCollapsed = (...args) => void (args.length > 0 && say('log', [format(...args)]));
    it.groupEnd = it.clear = it.dirxml = () => {};
    return it;
  }

  const stream = (name) => Object.assign(new Writable({ decodeStrings: false, write(chunk, encoding, done) {
    if (options.console !== 'off') guest.tell(name, [String(chunk)]);
    done();
  } }), { fd: name === 'stdout' ? 1 : 2, isTTY: false });

  function begin(of, wanted, also, helpers, hide) {
    guest = of;
    options = wanted;
    beside = also ?? {};
    VMError = helpers.VMError;
    process.env = Object.assign(Object.create(Object.prototype), beside.env);
    process.argv = Array.isArray(beside.argv) ? beside.argv : [];
    process.execArgv = [];
    process.title = 'node';
    hide(process, '_eval', undefined);
    for (const name of ['stdout', 'stderr']) Object.defineProperty(process, name, { value: stream(name), configurable: true, enumerable: true });
    hide(global, 'console', makeConsole());
    for (const name of ['GLOBAL', 'root']) hide(global, name, global);
    prepareModules();
  }

  function requireOf(module) {
    const it = (name) => requireFrom(name, module, false);
    it.resolve = (name) => (isBuiltin(name) && isAllowed(name) ? name : mayRequire(name, module) ? find(String(name), module) : (() => { throw notFound(name); })());
    it.resolve.paths = (name) => (isBuiltin(name) ? null : module.paths);
    it.cache = Module._cache;
    it.extensions = Module._extensions;
    it.main = undefined;
    return it;
  }

  const imports = () => {
    for (const name of options.imports.splice(0)) requireFrom(name, newModule('vm.js'), false);
  };

  function run(source, filename, line, column, how) {
    const module = newModule(filename), directory = how.named ? path.dirname(filename) : undefined;
    const before = `(function (exports, require, module, __filename, __dirname) { ${how.strict ? '"use strict";' : ''}`;
    const wrapped = apply(runInThisContext, new Script(`${before}${source}\n})`, { filename, lineOffset: line, columnOffset: column - before.length }), [{ displayErrors: false }]);
    const result = apply(wrapped, global, [module.exports, requireOf(module), module, filename, directory]);
    return how.wrapper === 'none' ? result : module.exports;
  }

  process.on('uncaughtException', (problem) => guest?.tell('uncaughtException', [problem]));
  process.on('beforeExit', () => {
    socket.ref();
    idle();
  });

  return {
    fds, begin, run, imports, soon,
    require: (name) => requireFrom(name, newModule('vm.js'), false),
    // When it is known that nothing goes on any more, that is told.
    isBusy() {
      socket.unref();
      return true;
    },
    serve() {
      socket = new Socket({ fd: fds.beside, readable: true, writable: false });
      socket.on('data', feed);
      socket.on('end', () => process.reallyExit(0));
    },
  };
};
