'use strict';
const fs = require('fs');
const path = require('path');
const { EventEmitter } = require('events');
const { Box } = require('./box.js');
const { VMError } = require('./errors.js');
const { frozen } = require('./marks.js');
const { authority } = require('./options.js');
const { Resolver, resolverOf } = require('./resolver.js');
const { VMScript } = require('./script.js');
const { checked, compilerOf, give, guestOptions, hidden, inside, isAsync, taken } = require('./sandbox.js');
const { timeOf } = require('./vm.js');

const CONSOLES = ['inherit', 'redirect', 'off'];
const SAID = ['debug', 'log', 'info', 'warn', 'error', 'dir', 'trace'], ERRORS = ['warn', 'error', 'trace'];
const WRAPPERS = ['commonjs', 'none'];

class NodeVM extends EventEmitter {
  constructor(options = {}) {
    super();
    const { sandbox, timeout, compiler, compilerOptions, require: wanted = false, nesting = false, wrapper = 'commonjs', strict = false, argv, env, sourceExtensions = ['js'], console: says = 'inherit', ambit } = checked(options);
    if (!CONSOLES.includes(says)) throw new VMError(`\`console\` is one of ${CONSOLES.join(', ')}`, 'EOPTION');
    if (!WRAPPERS.includes(wrapper)) throw new VMError(`\`wrapper\` is one of ${WRAPPERS.join(', ')}`, 'EOPTION');
    if (!Array.isArray(sourceExtensions)) throw new VMError('`sourceExtensions` is a list of texts', 'EOPTION');
    const resolver = resolverOf(wanted, compilerOf(compiler, compilerOptions)), own = options[inside], has = own?.has ?? authority(ambit);
    if (has.reuse !== null) throw new VMError('a NodeVM shares its cell with nobody', 'EOPTION', 'leave `reuse` out, or use VM');
    if (own === undefined) {
      const places = resolver.places();
      if (has.grants.length === 0) has.places = places;
      has.grants = [...has.grants, ...places.map((directory) => `read ${directory}`)];
    }
    const guest = { ...guestOptions(options, has), special: true, wrapper, strict: strict === true, console: own?.console ?? says, extensions: sourceExtensions.map(String), ...resolver.told(), nesting: nesting === true };
    if (resolver.external !== null) guest.cwd = process.cwd();
    const globals = {}, beside = { argv, env: env === undefined || env === null ? undefined : copied(env), ...resolver.beside() };
    for (const key of Object.keys(sandbox ?? {})) globals[key] = sandbox[key];
    if (nesting === true) beside.nest = require('./nested.js').nest(has, () => this._box, own?.depth ?? 0, resolver, own?.family ?? new Set());
    this.timeout = timeout;
    hidden(this, {
      _compile: compilerOf(compiler, compilerOptions), _async: guest.async !== false, _resolver: resolver, _options: { wrapper, strict },
      _box: new Box('node', has, guest, () => [globals, beside], { timeout: timeOf(this, own?.outer), family: own?.family, told: (event, args) => told(this, says, event, args) }),
    });
    if (resolver.imports.length > 0) this._box.with((link) => link.request('imports', []));
  }

  static [Symbol.hasInstance](it) {
    return it !== null && typeof it === 'object' && Object.prototype.isPrototypeOf.call(this.prototype, it);
  }

  get resolver() {
    return this._resolver;
  }

  run(code, options) {
    const { source, filename: asked, line, column, given } = taken(code, options, this._compile);
    const how = { wrapper: given.wrapper ?? this._options.wrapper, strict: given.strict ?? this._options.strict, named: code instanceof VMScript ? code.filename !== 'vm.js' : given.filename !== undefined };
    const filename = how.named ? path.resolve(asked) : asked;
    if (!this._async && isAsync(source)) throw new VMError('Async not available');
    return this._box.with((link) => link.request('run', [source, filename, line, column, how]));
  }

  require(name) {
    return this._box.with((link) => link.request('require', [String(name)]));
  }

  static code(script, filename, options) {
    let given = { filename, options };
    if (filename !== null && typeof filename === 'object') given = { filename: undefined, options: filename };
    else if (filename !== undefined && filename !== null && typeof filename !== 'string') throw new VMError(`Invalid filename: ${typeof filename}`);
    if (typeof given.filename === 'string') given.filename = path.resolve(String(given.filename));
    return new NodeVM(given.options).run(script, given.filename);
  }

  static file(filename, options) {
    const file = path.resolve(String(filename));
    if (!fs.existsSync(file)) throw new VMError(`Script '${filename}' not found.`);
    if (fs.statSync(file).isDirectory()) throw new VMError('Script must be file, got directory.');
    const compiler = /\.(ts|cs|coffee)$/.exec(file)?.[1].replace('coffee', 'coffeescript');
    return new NodeVM(compiler === undefined || options?.compiler ? options : { ...options, compiler }).run(fs.readFileSync(file, 'utf8'), file);
  }
}

give(NodeVM);

/** A terminal obeys what is written to it: colours pass, and no other of its commands. */
function shown(stream, text) {
  return process[stream].isTTY ? text.replace(/(?![\n\t])\p{Cc}(\[[0-9;]*m)?/gu, (all, colour = '') => (colour !== '' && all[0] === '\u001b' ? all : colour)) : text;
}

let hasWarned = false;

/** A copy in the cell, with `live` too. */
function copied(env) {
  const it = { ...env };
  frozen.add(it);
  return it;
}

/** What the sandbox says beside what is asked of it. */
function told(it, says, event, args) {
  if (event.startsWith('console.')) {
    const method = event.slice(8);
    if (!SAID.includes(method)) return;
    if (says === 'redirect') it.emit(event, ...args);
    else if (says === 'inherit' && typeof args[0] === 'string') console[method === 'dir' ? 'log' : method]('%s', shown(ERRORS.includes(method) ? 'stderr' : 'stdout', args[0])); // it is a text already: what shows an object may call it, or never end
  } else if ((event === 'stdout' || event === 'stderr') && typeof args[0] === 'string') {
    if (says === 'inherit') process[event].write(shown(event, args[0]));
    else it.emit(event, args[0]);
  } else if (event === 'uncaughtException' && it.listenerCount('error') > 0) {
    it.emit('error', args[0]); // one that nobody listens for ends nothing of the program
  } else if (event === 'uncaughtException' && !hasWarned) {
    hasWarned = true;
    const message = typeof args[0]?.message === 'string' ? args[0].message : typeof args[0];
    process.emitWarning(`an error in a NodeVM that nobody catches: ${shown('stderr', message.slice(0, 200))}`, { type: 'VMWarning', detail: "listen for it: vm.on('error', ...); this is said once" });
  }
}

module.exports = { NodeVM, Resolver, SAID };
