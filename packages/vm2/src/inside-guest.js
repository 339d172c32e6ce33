// One guest of a cell: what code of one VM has, and what crosses between it and the program.
'use strict';

// given: main (inside.js), number, options, ask(text) -> the frame that answers, send(type, id, text)
module.exports = function makeGuest(given) {
  const { main, ask, send } = given, { letters } = main.frames, { Buffer, kind } = main;
  const vm = main.require('vm'), { types, inspect } = main.require('util'), { createContext, Script } = vm;
  const { apply, ownKeys, getPrototypeOf, getOwnPropertyDescriptor } = Reflect, hasOwn = Object.hasOwn, keysOf = Object.keys;
  const runInContext = Script.prototype.runInContext, runInThisContext = Script.prototype.runInThisContext;
  const ERRORS = ['EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError', 'AggregateError', 'Error'];
  const NAMES_MAX = 256, SHOWN = { displayErrors: false };
  let { options } = given, node = null, context = null, globals, global, wrong = null;

  const hide = (object, name, value) => Object.defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });

  // ---- the realm that code runs in ----

  // Evaluated in that realm, so that what the code sees of it is of its own.
  const HELPERS = `(function (call, live, refuse) {
    'use strict';
    const { defineProperty } = Object, { apply } = Reflect, then = Promise.prototype.then;
    const quiet = (key) => typeof key === 'symbol' || key === 'then' || key === 'toJSON' || key === 'constructor';
    function handler(number, name, isLive) {
      if (isLive) return {
        __proto__: null,
        get: (target, key) => (typeof key === 'symbol' ? target[key] : live('get', number, [key]) ?? target[key]), set: (target, key, value) => (typeof key === 'symbol' ? false : (live('set', number, [key, value]), true)),
        has: (target, key) => typeof key !== 'symbol' && live('keys', number, []).includes(key), ownKeys: () => live('keys', number, []),
        getOwnPropertyDescriptor: (target, key) => (typeof key !== 'symbol' && live('keys', number, []).includes(key) ? { value: live('get', number, [key]), writable: true, enumerable: true, configurable: true } : undefined),
        deleteProperty: () => false, defineProperty: () => false, setPrototypeOf: () => false, preventExtensions: () => false,
      };
      const stop = (key) => { throw refuse(name, String(key)); };
      return {
        __proto__: null,
        get: (target, key) => (quiet(key) ? target[key] : stop(key)), set: (target, key) => stop(key), has: (target, key) => (quiet(key) ? false : stop(key)),
        deleteProperty: (target, key) => stop(key), defineProperty: (target, key) => stop(key), setPrototypeOf: () => false, preventExtensions: () => false,
      };
    }
    return {
      stub(number, { name, length }) {
        const it = function (...args) { return call(number, this, args, new.target !== undefined); };
        defineProperty(it, 'toString', { value: () => 'function ' + name + '() { [native code] }', writable: true, configurable: true });
        defineProperty(it, 'length', { value: length, configurable: true });
        return defineProperty(it, 'name', { value: name, configurable: true });
      },
      handle: (number, name, isLive) => new Proxy(defineProperty({}, Symbol.toStringTag, { value: name, configurable: true }), handler(number, name, isLive)),
      deferred() {
        const it = {};
        it.promise = new Promise((resolve, reject) => { it.resolve = resolve; it.reject = reject; });
        apply(then, it.promise, [undefined, () => {}]);
        return it;
      },
      subscribe: (promise, yes, no) => { apply(then, promise, [(value) => yes(value), (reason) => no(reason)]); },
      kept: (it) => new Proxy(it, {
        __proto__: null,
        set: (target, key, value) => (typeof value === 'function' || typeof target[key] === 'function' ? false : ((target[key] = value), true)),
        defineProperty: (target, key, how) => ('get' in how || 'set' in how || typeof how.value === 'function' || typeof target[key] === 'function' ? false : Reflect.defineProperty(target, key, how)),
      }),
      VMError: class VMError extends Error {
        constructor(message, code) { super(message); this.name = 'VMError'; if (code !== undefined) this.code = code; }
      },
    };
  })`;

  if (kind === 'node') {
    global = globals = main.global;
  } else {
    globals = Object.create(null);
    context = createContext(globals, { codeGeneration: { strings: options.eval !== false, wasm: options.wasm !== false }, microtaskMode: 'afterEvaluate' });
    global = apply(runInContext, new Script('this'), [context]);
  }
  const evaluate = (source) => {
    const script = new Script(source, { filename: 'ambit:realm' });
    return context === null ? apply(runInThisContext, script, []) : apply(runInContext, script, [context]);
  };
  const errorPrototypes = new Map();
  for (const of of [global, main.global]) for (const name of ERRORS) errorPrototypes.set(of[name].prototype, name);
  const guest = evaluate(HELPERS)(callHost, askLive, refuseHandle);
  errorPrototypes.set(guest.VMError.prototype, 'VMError');
  if (kind === 'vm') {
    for (const name of ['global', 'GLOBAL', 'root']) hide(globals, name, global);
  }
  hide(globals, 'Buffer', bufferFor(options.bufferAllocLimit));
  hide(globals, 'VMError', guest.VMError);
  if (options.async === false) withoutAsync();

  // A size of which more is asked for than the option allows is refused at once, as it says; what all of it together may be is the cell's limit.
  function bufferFor(limit) {
    if (typeof limit !== 'number') return Buffer;
    const check = (size) => {
      if (typeof size === 'number' && size > limit) throw new global.RangeError(`Buffer allocation size ${size} exceeds bufferAllocLimit ${limit}`);
    };
    const checked = (it) => new Proxy(it, { __proto__: null, apply: (target, that, args) => (check(args[0]), apply(target, that, args)), construct: (target, args) => (check(args[0]), Reflect.construct(target, args)),
      get: (target, key) => alloc[key] ?? target[key] });
    const alloc = { __proto__: null };
    for (const name of ['alloc', 'allocUnsafe', 'allocUnsafeSlow']) alloc[name] = checked(Buffer[name]);
    return checked(Buffer);
  }

  function withoutAsync() {
    evaluate(`(function (VMError) {
      const stop = function () { throw new VMError('Async not available'); };
      for (const name of ['then', 'catch', 'finally']) Object.defineProperty(Promise.prototype, name, { value: stop, writable: false, configurable: false });
    })`)(guest.VMError);
  }

  // ---- what crosses ----

  const refuse = (message, hint) => new guest.VMError(hint === undefined ? message : `${message}; ${hint}`, 'ECLONE');

  function refuseHandle(name, key) {
    return refuse(`'${key}' of a live ${name || 'object'} of the host is not to be had here`, 'what is passed into the sandbox is data and functions; `ambit: { live: true }` gives objects by handle');
  }

  const safe = (it, key) => {
    try {
      const found = it[key];
      return typeof found === 'string' ? found : undefined;
    } catch {
      return undefined;
    }
  };

  function className(it) {
    try {
      for (let at = it, i = 0; at !== null && i < 100; at = getPrototypeOf(at), i++) {
        const made = getOwnPropertyDescriptor(at, 'constructor')?.value, name = typeof made === 'function' ? getOwnPropertyDescriptor(made, 'name')?.value : undefined;
        if (typeof name === 'string' && name !== '') return name.slice(0, NAMES_MAX);
      }
    } catch {} // it is a proxy that does not want to be looked at
    return 'Object';
  }

  function isPlain(prototype) {
    try {
      return prototype === global.Object.prototype || (getPrototypeOf(prototype) === null && hasOwn(prototype, 'isPrototypeOf') && hasOwn(prototype, 'hasOwnProperty'));
    } catch {
      return false;
    }
  }

  function methodsOf(it) {
    const found = [];
    try {
      for (let at = getPrototypeOf(it), i = 0; at !== null && !isPlain(at) && i < 20; at = getPrototypeOf(at), i++) {
        for (const key of ownKeys(at)) {
          if (typeof key !== 'string' || key === 'constructor' || key.length > NAMES_MAX || found.length >= NAMES_MAX || key.includes('\n')) continue;
          const how = getOwnPropertyDescriptor(at, key);
          if (typeof how?.value === 'function' || how?.get !== undefined) found.push(key);
        }
      }
    } catch {} // likewise
    return found;
  }

  // Frames of ours, and what is below them, are nobody's.
  function cleaned(stack) {
    const kept = [];
    for (const line of stack.split('\n')) {
      if (/^\s+at .*(ambit:cell|node:internal\/(process|main))/.test(line)) break;
      if (!/^\s+at .*(ambit:realm|node:vm:|node:internal\/vm)/.test(line)) kept.push(line);
    }
    return kept.join('\n');
  }

  function describe(it) {
    let kindOf = 'Error';
    try {
      for (let at = getPrototypeOf(it), i = 0; at !== null && i < 100; at = getPrototypeOf(at), i++) {
        if (errorPrototypes.has(at)) {
          kindOf = errorPrototypes.get(at);
          break;
        }
      }
    } catch {} // likewise
    const name = safe(it, 'name') ?? kindOf, message = safe(it, 'message') ?? '', about = { kind: kindOf, name, message, more: { __proto__: null } };
    about.stack = cleaned(safe(it, 'stack') ?? `${name}: ${message}`);
    try {
      for (const key of keysOf(it)) about.more[key] = it[key];
      if (hasOwn(it, 'cause')) about.cause = { of: it.cause };
      if (kindOf === 'AggregateError' && Array.isArray(it.errors)) about.errors = it.errors;
    } catch {} // a getter of its own
    return about;
  }

  const references = main.makeReferences({ refuse, stand, collect: main.makeCollect(main.require) });
  const settlers = new Map();
  const kit = {
    realm: global, VMError: guest.VMError, types, Buffer, copies: true, isPlain, describe, refuse,
    instance: (it) => ({ name: className(it), methods: methodsOf(it) }),
    prototypeOf: () => global.Object.prototype,
  };
  const port = {
    live: false, bytes: 32 << 20, nodes: 4 << 20, // as options.js has them
    name(what, thing, owner) {
      const name = references.name(what, thing, owner);
      if (what === 'promise' && name[0] !== '~') follow(+name, thing); // each time, since it may have been settled, and what stood for it may be gone
      return name;
    },
    own: (what, number) => references.own(what, number),
    theirs: (what, number, about) => references.theirs(what, number, about),
    adopt: (number, thing) => references.adoptOnce('error', number, thing),
    stands: (thing) => references.stands(thing),
    member: (name, thing) => thing,
    mark: () => '',
    marked: (mark, thing) => (mark === 'v' ? deepFreeze(thing) : thing !== null && (typeof thing === 'object' || typeof thing === 'function') ? guest.kept(thing) : thing),
    intrinsic: () => undefined,
    builtIn: (name) => (/^[A-Za-z]+[0-9]*[A-Za-z]*$/.test(name) ? global[name] : undefined),
    buffer: (bytes) => bytes,
  };
  const values = main.makeValues(kit), encode = (list) => values.encode(list, port), decode = (data) => values.decode(data, port);

  function stand(what, number, about) {
    switch (what) {
      case 'function': return guest.stub(number, about);
      case 'symbol': return Symbol(about);
      case 'object': return guest.handle(number, about, port.live);
      default: {
        const it = guest.deferred();
        settlers.set(number, it);
        return it.promise;
      }
    }
  }

  // A promise of the code's: the program is told how it is settled.
  let followed = false;
  function follow(number, promise) {
    followed = true;
    const tell = (how) => (value) => {
      let text;
      try {
        text = encode([number, how, value]);
      } catch (problem) {
        text = thrown(problem, [number, false]);
      }
      send(letters.s, 0, text);
    };
    guest.subscribe(promise, tell(true), tell(false));
  }

  // What was thrown, or that it cannot be told.
  function thrown(problem, before = []) {
    const isObject = problem !== null && typeof problem === 'object';
    for (const it of [problem, isObject ? refuse(safe(problem, 'message') ?? 'what was thrown cannot be told') : undefined]) {
      try {
        return encode([...before, it]);
      } catch {} // the next one can
    }
    return encode([...before, undefined]);
  }

  function answered(it) {
    const [value] = decode(it.data);
    if (it.type === letters.X) throw value;
    return value;
  }

  function callHost(number, that, args, constructs) {
    const gone = references.takeGone(references.GONE);
    if (gone.length > 0) send(letters.f, 0, encode(gone));
    const self = that !== null && typeof that === 'object' && references.stands(that) ? that : undefined;
    return answered(ask(encode([number, constructs ? 'new' : 'call', self, ...args])));
  }

  function askLive(how, number, args) {
    return answered(ask(encode([number, how, undefined, ...args])));
  }

  // ---- what the program asks ----

  const empty = new Script('0');
  const drain = () => {
    if (context !== null) apply(runInContext, empty, [context]); // the jobs of promises run at the end of that
  };
  const drained = (value) => {
    drain();
    return value;
  };

  function deepFreeze(root) {
    const list = [root], seen = new Set();
    while (list.length > 0) {
      const it = list.pop();
      if (it === null || (typeof it !== 'object' && typeof it !== 'function') || seen.has(it)) continue;
      seen.add(it);
      if (!types.isArrayBufferView(it) && !types.isProxy(it)) Object.freeze(it);
      for (const key of types.isProxy(it) ? [] : ownKeys(it)) {
        const how = getOwnPropertyDescriptor(it, key);
        if (how !== undefined && 'value' in how) list.push(how.value);
      }
    }
    return root;
  }

  const set = (members) => {
    for (const key of keysOf(members)) globals[key] = members[key];
  };

  const operations = {
    __proto__: null,
    run: (source, filename, line, column, more) => run(source, filename, line, column, more),
    compile: (source, filename, line, column) => void new Script(source, { filename, lineOffset: line, columnOffset: column }),
    get: (name) => global[name],
    set,
    has: (name) => name in global,
    keys: () => keysOf(global),
    remove: (name) => delete global[name],
    imports: () => node.imports(),
    call: (it, that, constructs, ...args) => drained(constructs ? Reflect.construct(it, args) : apply(it, that ?? references.ownerOf(it), args)),
    require: (name) => node.require(name),
    source: (it) => apply(Function.prototype.toString, it, []),
    liveGet: (it, key) => it[key],
    liveSet: (it, key, value) => void (it[key] = value),
    liveHas: (it, key) => key in it,
    liveKeys: (it) => keysOf(it),
    liveDelete: (it, key) => delete it[key],
  };

  function run(source, filename, lineOffset, columnOffset, more) {
    if (node !== null) return node.run(source, filename, lineOffset, columnOffset, more);
    return apply(runInContext, new Script(source, { filename, lineOffset, columnOffset }), [context, SHOWN]);
  }

  // What was wrong when it began is told to who asks first.
  function check() {
    if (wrong === null) return;
    const problem = wrong;
    wrong = null;
    throw problem;
  }

  return {
    decode, thrown,
    // A promise in it that is settled already is told before the answer.
    answer(value) {
      const text = encode([value]);
      if (followed) followed = false, drain();
      return text;
    },
    run: (...args) => (check(), run(...args)),
    perform([op, ...args]) {
      check();
      return operations[op](...args);
    },
    becomes(number, wanted) {
      given.number = number;
      options = wanted;
    },
    begin(data, of) {
      node = of;
      if (data.length === 0 && node === null) return;
      Object.assign(port, { live: options.live === true, bytes: options.bytes ?? port.bytes, nodes: options.nodes ?? port.nodes });
      try {
        const [sandbox, beside] = decode(data);
        if (node !== null) hide(globals, 'Buffer', bufferFor(options.bufferAllocLimit)), node.begin(this, options, beside, guest, hide);
        set(sandbox);
      } catch (problem) {
        wrong = problem;
      }
    },
    settle(data) {
      const [number, how, value] = decode(data), it = settlers.get(number);
      if (it === undefined) return;
      settlers.delete(number);
      (how ? it.resolve : it.reject)(value);
      drain();
    },
    release: (data) => references.release(decode(data)),
    takeGone() {
      const gone = references.takeGone();
      return gone.length > 0 ? encode(gone) : null;
    },
    tell(event, args) {
      let text;
      try {
        text = encode([event, ...args]);
      } catch {
        text = encode([event, ...args.map((it) => inspect(it))]);
      }
      send(letters.n, 0, text);
    },
  };
};
