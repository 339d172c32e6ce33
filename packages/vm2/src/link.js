// One guest of a cell, from the program's side: what is asked of it, what it asks, and what stands here for what is there.
//
// It may call what it was given, settle promises of its own, and have things told. Anything else ends its cell.
'use strict';
const os = require('os');
const path = require('path');
const { types } = require('util');
const makeValues = require('./values.js');
const makeReferences = require('./references.js');
const collect = require('./collect.js')(require);
const { letters } = require('./frames.js');
const { VMError, timedOut } = require('./errors.js');
const { frozen, kept } = require('./marks.js');
const { MESSAGE, NODES } = require('./options.js');

const ERRORS = ['EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError', 'AggregateError', 'Error'];

// ---- what is told of the host's own ----

const intrinsics = new Map();
for (const name of ['Object', 'Function', 'Array', 'Number', 'parseFloat', 'parseInt', 'Boolean', 'String', 'Symbol', 'Date', 'Promise', 'RegExp', ...ERRORS, 'JSON', 'Math', 'Intl', 'ArrayBuffer', 'Uint8Array', 'Int8Array',
  'Uint16Array', 'Int16Array', 'Uint32Array', 'Int32Array', 'Float32Array', 'Float64Array', 'Uint8ClampedArray', 'BigUint64Array', 'BigInt64Array', 'DataView', 'Map', 'BigInt', 'Set', 'WeakMap', 'WeakSet',
  'WeakRef', 'FinalizationRegistry', 'Proxy', 'Reflect', 'decodeURI', 'decodeURIComponent', 'encodeURI', 'encodeURIComponent', 'escape', 'unescape', 'eval', 'isFinite', 'isNaN', 'SharedArrayBuffer', 'Atomics',
  'WebAssembly', 'Buffer']) if (globalThis[name] !== undefined) intrinsics.set(globalThis[name], name);
const OF_NODE = ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate', 'queueMicrotask', 'structuredClone', 'URL', 'URLSearchParams', 'TextEncoder', 'TextDecoder',
  'AbortController', 'AbortSignal', 'Event', 'EventTarget', 'performance', 'atob', 'btoa'];
const intrinsicsOfNode = new Map(intrinsics);
for (const name of OF_NODE) if (globalThis[name] !== undefined) intrinsicsOfNode.set(globalThis[name], name);

const isRoot = (prototype) => prototype === Object.prototype || (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf') && Object.hasOwn(prototype, 'hasOwnProperty'));
// A namespace as console has nothing but a prototype with nothing in it between.
const OF_ENV = Object.getPrototypeOf(process.env); // it is an object with texts, of a class of its own
const isPlain = (prototype) => prototype === OF_ENV || isRoot(prototype) || (Reflect.ownKeys(prototype).length === 0 && Object.getPrototypeOf(prototype) !== null && isRoot(Object.getPrototypeOf(prototype)));

// Where things lie on this host is nobody's business in a cell.
function withoutPaths(text) {
  for (const placeOf of [process.cwd, os.homedir, () => path.dirname(process.execPath)]) {
    try {
      const place = placeOf();
      if (place.length > 1) text = text.split(place).join('<host>');
    } catch {} // a directory that is gone, or a person without one: nothing lies there
  }
  return text;
}

/** Of what was thrown when a value was looked at, which may be anything: a live object of another sandbox's throws what that likes. */
function saying(problem) {
  return problem instanceof VMError ? new VMError(problem.message, problem.code) : new VMError(problem instanceof Error && typeof problem.message === 'string' ? problem.message : 'a value cannot be looked at', 'ECLONE');
}

function describe(it) {
  const kind = it instanceof VMError ? 'VMError' : ERRORS.find((name) => it instanceof globalThis[name]) ?? 'Error', more = {};
  const name = typeof it.name === 'string' ? it.name : kind, message = withoutPaths(String(it.message));
  for (const key of Object.keys(it)) {
    const value = it[key];
    if (['message', 'stack', 'name', 'cause', 'errors', 'path', 'dest', 'filename', 'requireStack'].includes(key)) continue;
    if (value === null || ['string', 'number', 'boolean', 'bigint', 'undefined'].includes(typeof value)) more[key] = typeof value === 'string' ? withoutPaths(value) : value;
  }
  return { kind, name, message, more, stack: `${name}: ${message}` };
}

// An instance of a class of the sandbox's: its data came, and its methods stayed there.
const shapes = new Map();
function prototypeOf(name, methods) {
  const key = `${name}\n${methods.join('\n')}`;
  let made = shapes.get(key);
  if (made !== undefined) return made;
  made = Object.create(Object.prototype, { [Symbol.toStringTag]: { value: name, configurable: true } });
  for (const method of methods) {
    if (method === '__proto__' || method in Object.prototype) continue;
    Object.defineProperty(made, method, { configurable: true, enumerable: false, set: undefined, get() {
      throw new VMError(`'${method}' of ${name} stayed in the sandbox: a copy of its data is here`, 'ENOTLIVE', 'return functions, or give `ambit: { live: true }`, which gives objects by handle');
    } });
  }
  if (methods.includes('next')) Object.defineProperty(made, Symbol.iterator, { ...Object.getOwnPropertyDescriptor(made, 'next') }); // a generator, most likely
  if (shapes.size > 200) shapes.clear();
  shapes.set(key, made);
  return made;
}

function handlerOf(link, number) {
  const key = (it) => typeof it === 'string';
  const known = (target, it) => key(it) && link.request('liveHas', [link.handle(number), it]);
  return {
    get: (target, it, self) => (it === Symbol.iterator ? iteratorOf(self) : !key(it) || it === 'toJSON' ? target[it] : link.member(it, link.request('liveGet', [link.handle(number), it]))),
    set: (target, it, value) => (key(it) ? (link.request('liveSet', [link.handle(number), it, value]), true) : false),
    has: known,
    ownKeys: () => link.keys('liveKeys', [link.handle(number)]),
    getOwnPropertyDescriptor: (target, it) => (known(target, it) ? { value: link.request('liveGet', [link.handle(number), it]), writable: true, enumerable: true, configurable: true } : undefined),
    deleteProperty: (target, it) => (key(it) ? link.request('liveDelete', [link.handle(number), it]) : false),
    defineProperty: () => false, setPrototypeOf: () => false, preventExtensions: () => false,
  };
}

// A generator of theirs is one here, as long as it has `next`.
function iteratorOf(it) {
  if (typeof it.next !== 'function') return undefined;
  return () => ({ next: (...args) => it.next(...args), return: (value) => (typeof it.return === 'function' ? it.return(value) : { done: true, value }) });
}

// A member that the object has itself, or by a class of its own: none that all objects have, which lead to what makes code.
function isOwnMember(it, key) {
  if (typeof key !== 'string' || ['__proto__', 'constructor', 'prototype', 'caller', 'arguments'].includes(key)) return false;
  for (let at = it; at !== null && !isRoot(at) && at !== Function.prototype; at = Object.getPrototypeOf(at)) if (Object.hasOwn(at, key)) return true;
  return false;
}

const values = makeValues({
  realm: globalThis, VMError, types, Buffer, isPlain, describe, prototypeOf, copies: false, now: () => performance.now(),
  refuse: (message, hint) => new VMError(message, 'ECLONE', hint),
  instance: (it) => ({ name: typeof it.constructor?.name === 'string' ? it.constructor.name : 'Object' }),
});

const IMPLIED = ['toJSON', 'toString', 'valueOf'];
const EARLY_MAX = 4096, ARGUMENTS_MAX = 1000;

function isThenable(it) {
  try {
    return it !== null && (typeof it === 'object' || typeof it === 'function') && typeof it.then === 'function';
  } catch {
    return true; // one that throws when it is looked at
  }
}

// Whoever has it is told; it ends no process if nobody has.
function quietly(promise) {
  promise.catch(() => {});
  return promise;
}

class Link {
  /**
   * One more guest of that cell.
   * @param options  for the guest: { live, bytes, nodes, ... } (inside-guest.js)
   * @param start    globals, and what else it begins with
   * @param host     { node: whether it is of that kind, timeout() -> milliseconds or 0, told(event, args) }
   */
  constructor(cell, options, start, host) {
    this.cell = cell;
    this.host = host;
    this.live = options.live === true;
    this.dead = cell.dead;
    this.settlers = new Map();
    this.followed = new WeakMap(); // pending promises of the host's -> { number }
    this.thens = new WeakSet(); // functions of theirs that are called by who awaits what they are members of
    this.implied = new WeakSet(); // and those that are called by who makes a text of that
    this.spent = 0; // milliseconds of such in this turn of the loop
    this.turn = 0; // until when they may take in this turn of the loop
    this.earlyBytes = this.earlyWeight = 0;
    this.weighed = 0; // of what was decoded last (values.js)
    this.early = new Map(); // promises that were settled before they came
    this.references = makeReferences({ refuse: (message) => this.cell.broken(message), stand: (kind, number, about) => this.stand(kind, number, about), collect });
    this.bytes = options.bytes;
    this.nodes = options.nodes;
    this.number = cell.enter(this);
    const isPlainest = Object.keys(options).length === 2 && options.bytes === MESSAGE && options.nodes === NODES && start.length === 1 && Object.keys(start[0]).length === 0;
    const about = isPlainest ? '' : JSON.stringify(options);
    cell.queue(letters.B, this.number, isPlainest ? '' : about + this.encode(start), [Buffer.byteLength(about)]);
  }

  // ---- what is asked of it ----

  request(op, args, ms = this.host.timeout()) {
    return this.ask(letters.Q, this.encode([op, ...args]), [], ms);
  }

  /** Names of members. What only looks like a list of them is not: who asks makes room for as many as it says. */
  keys(op, args) {
    const list = this.inAll((ms) => this.request(op, args, ms));
    if (!Array.isArray(list) || !list.every((it) => typeof it === 'string')) throw this.cell.broken('names of members');
    return list;
  }

  /** The quick way of what is done most. */
  run(source, filename, ms = this.host.timeout()) {
    return this.ask(letters.R, filename + source, [Buffer.byteLength(filename)], ms);
  }

  ask(type, text, before, ms) {
    if (this.dead !== null) throw this.dead;
    this.letGo(0);
    const frame = this.cell.request(type, this.number, text, before, ms), [value] = this.decode(frame.data);
    if (this.cell.waiting === 0 && this.earlyBytes > 0) this.early.clear(), (this.earlyBytes = this.earlyWeight = 0);
    if (frame.type === letters.x) throw value;
    return value;
  }

  /** Tells of what is of no more use here, if it is so many numbers at least. */
  letGo(least) {
    const gone = this.references.takeGone(least);
    if (gone.length > 0) this.cell.send(letters.F, 0, this.number, this.encode(gone));
  }

  /** owner: what the values are members of. */
  encode(list, owner) {
    const text = values.encode(list, this, owner);
    if (3 * text.length > this.cell.most && Buffer.byteLength(text) > this.cell.most - 64) throw new VMError('the value is larger than what may cross', 'ECLONE', 'pass less of it, or allow more: `ambit: { message: bytes }`');
    return text;
  }

  decode(data) {
    try {
      return values.decode(data, this);
    } catch (problem) {
      throw problem === this.cell.dead ? problem : this.cell.broken(problem.message);
    }
  }

  // ---- what comes from it ----

  hear(frame) {
    this.take(frame);
    if (this.dead === null) this.letGo(this.references.GONE); // behind it: what is written may read over its data
  }

  take(frame) {
    switch (frame.type) {
      case letters.c: return this.serve(frame);
      case letters.n: {
        const [event, ...args] = this.decode(frame.data);
        if (typeof event !== 'string') throw this.cell.broken('what it tells');
        if (args.length > ARGUMENTS_MAX) args.length = ARGUMENTS_MAX; // more would not fit on a stack
        return this.host.told(event, args);
      }
      case letters.s: {
        const [number, how, given] = this.decode(frame.data), it = this.settlers.get(number), value = how === true ? this.settled(given) : given;
        if (it === undefined && this.cell.waiting > 0 && ((this.earlyBytes += frame.data.length) > this.cell.most || (this.earlyWeight += this.weighed) > this.nodes)) throw this.cell.broken('what promises were settled with before they came');
        if (it === undefined) return void (this.cell.waiting > 0 && this.early.size < EARLY_MAX && this.early.set(number, { how, value })); // it comes with the answer; or nobody has it any more
        this.settlers.delete(number);
        if (this.settlers.size === 0) this.cell.hold(this, false);
        return (how === true ? it.resolve : it.reject)(value);
      }
      case letters.t: return this.rejectAll(timedOut(frame.id));
      case letters.f: return this.references.release(this.decode(frame.data));
      default: throw this.cell.broken('an unknown message');
    }
  }

  /** No promise is fulfilled with what has a `then`: who resolves ours with it would be called, and called again, while the program waits for nothing. */
  settled(value) {
    if (this.live || !isThenable(value)) return value; // a live one is asked when it is used, see `inTurn`
    return quietly(Promise.reject(new VMError('a promise of the sandbox was fulfilled with what has a `then`', 'ECLONE')));
  }

  serve({ id, data }) {
    const [number, how, self, ...args] = this.decode(data);
    let type = letters.A, text;
    try {
      text = this.encode([this.perform(number, how, self, args)], how === 'get' ? this.references.own('object', number) : undefined);
    } catch (problem) {
      if (this.cell.dead !== null) throw this.cell.dead;
      type = letters.X;
      text = this.thrown(problem);
    }
    if (this.cell.dead === null) this.cell.send(type, id, this.number, text);
  }

  thrown(problem) {
    try {
      return this.encode([problem]);
    } catch (worse) {
      return this.encode([saying(worse)]);
    }
  }

  perform(number, how, self, args) {
    if (how === 'call' || how === 'new') {
      const it = this.references.own('function', number);
      return how === 'new' ? Reflect.construct(it, args) : Reflect.apply(it, self ?? this.references.owner(number) ?? {}, args); // else a function that is not strict has the global object
    }
    if (!this.live) throw this.cell.broken('an object by handle');
    const it = this.references.own('object', number), [key, value] = args;
    switch (how) {
      case 'get': return isOwnMember(it, key) ? it[key] : undefined;
      case 'set':
        if (typeof key !== 'string' || key in Object.prototype) throw new VMError(`'${String(key)}' of an object of the host is not to be set`, 'EDENIED');
        it[key] = this.member(key, value);
        return undefined;
      case 'keys': return Object.keys(it);
      default: throw this.cell.broken('a call');
    }
  }

  // ---- what stands for what (values.js calls these) ----

  own(kind, number) {
    return this.references.own(kind, number);
  }

  theirs(kind, number, about) {
    return this.references.theirs(kind, number, about);
  }

  stands(thing) {
    return this.references.stands(thing);
  }

  /** Also looked at here: what leads to everything is passed by nobody, and if a function of the program's gives it away. */
  intrinsic(thing) {
    if (thing === globalThis || (this.live && thing === process)) throw new VMError(`${thing === process ? '`process`' : 'the global object'} does not cross`, 'EDENIED', 'pass what of it is needed');
    return (this.host.node ? intrinsicsOfNode : intrinsics).get(thing);
  }

  builtIn() {
    throw this.cell.broken('a built-in');
  }

  buffer(bytes) {
    return bytes;
  }

  /** An error of theirs: who throws it back throws that very one. */
  adopt(number, error) {
    this.references.adoptOnce('error', number, error);
  }

  mark(thing) {
    return frozen.has(thing) ? 'v' : kept.has(thing) ? 'V' : '';
  }

  marked() {
    throw this.cell.broken('a mark');
  }

  name(kind, thing, owner) {
    const name = this.references.name(kind, thing, owner);
    if (kind === 'promise' && name[0] !== '~') this.follow(+name, thing); // each time, since it may have been settled, and what stood for it may be gone
    return name;
  }

  /** A promise of the host's: the guest is told how it is settled. */
  follow(number, promise) {
    const known = this.followed.get(promise);
    if (known !== undefined) return void (known.number = number); // as it is called now: a pending one keeps whoever waits for it
    const it = { number };
    this.followed.set(promise, it);
    const tell = (how) => (value) => {
      const { number } = it;
      this.followed.delete(promise);
      if (this.dead !== null) return;
      let text;
      try {
        text = this.encode([number, how, value]);
      } catch (problem) {
        text = this.encode([number, false, saying(problem)]);
      }
      try {
        this.cell.post(letters.S, this.number, text, this.host.timeout());
      } catch (problem) {
        if (this.dead === null) throw problem;
      }
    };
    Reflect.apply(Promise.prototype.then, promise, [tell(true), tell(false)]);
  }

  stand(kind, number, about) {
    const link = this;
    switch (kind) {
      case 'function': {
        const it = function (...args) {
          if (link.thens.has(it)) link.inTurn();
          const call = (ms) => link.request('call', [it, this !== undefined && link.references.stands(this) ? this : undefined, new.target !== undefined, ...args], ms);
          return link.implied.has(it) ? link.inAll(call) : call();
        };
        Object.defineProperty(it, 'name', { value: about.name, configurable: true });
        Object.defineProperty(it, 'length', { value: about.length, configurable: true });
        return Object.defineProperty(it, 'toString', { value: () => link.sourceOf(it), writable: true, configurable: true });
      }
      case 'symbol': return Symbol(about);
      case 'promise': {
        const early = this.early.get(number);
        if (early !== undefined) {
          this.early.delete(number);
          return early.how === true ? Promise.resolve(early.value) : quietly(Promise.reject(early.value));
        }
        const it = new Promise((resolve, reject) => {
          this.settlers.set(number, { resolve, reject });
        });
        this.cell.hold(this, true);
        return quietly(it);
      }
      default:
        if (!this.live) throw this.cell.broken('an object by handle');
        return new Proxy(Object.create(null, { [Symbol.toStringTag]: { value: about, configurable: true } }), handlerOf(this, number));
    }
  }

  /** A member of what came: one that is called `then` is called by who awaits it. */
  member(name, value) {
    if (name === 'then' && typeof value === 'function' && this.references.stands(value)) this.thens.add(value);
    if (IMPLIED.includes(name) && typeof value === 'function' && this.references.stands(value)) this.implied.add(value);
    return value;
  }

  /** Who makes one text of many values calls many, and asked for none: all of that in one turn of the loop has the time of one run, too. work(milliseconds). */
  inAll(work) {
    const ms = this.host.timeout(), began = performance.now();
    if (!(ms > 0)) return work(ms);
    if (this.spent >= ms) throw timedOut(ms);
    if (this.spent === 0) setImmediate(() => (this.spent = 0)); // not unref(): such a one would come behind the next event
    try {
      return work(Math.ceil(ms - this.spent));
    } finally {
      this.spent += performance.now() - began;
    }
  }

  /** A `then` that gives what has a `then` is called again and again while the loop of the program stands still: all of that in one turn of the loop has the time of one run. */
  inTurn() {
    const ms = this.host.timeout();
    if (!(ms > 0)) return;
    if (this.turn === 0) {
      this.turn = performance.now() + ms;
      setImmediate(() => (this.turn = 0)); // likewise
    }
    if (performance.now() > this.turn) throw timedOut(ms);
  }

  sourceOf(it) {
    if (this.dead !== null) return `function ${it.name}() { [native code] }`;
    const text = this.inAll((ms) => this.request('source', [it], ms));
    if (typeof text !== 'string') throw this.cell.broken('the text of a function'); // one that is another function would be asked for its text
    return text;
  }

  /** What stands for that object of the guest's. */
  handle(number) {
    return this.references.theirs('object', number, '');
  }

  // ---- its end ----

  /** Promises of the guest's that it will not settle any more. */
  rejectAll(problem) {
    for (const { reject } of this.settlers.values()) reject(problem);
    this.settlers.clear();
    this.cell.hold(this, false);
  }

  /** The cell has ended. */
  over(problem) {
    this.dead ??= problem;
    this.rejectAll(problem);
    this.host.told('ended', [problem]);
  }

  close(problem) {
    if (this.dead !== null) return;
    this.cell.leave(this.number);
    this.over(problem);
    this.cell.hold(this, false);
  }
}

module.exports = { Link };
