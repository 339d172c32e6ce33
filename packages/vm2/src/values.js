// Values as texts: what crosses between a program and its cell, in both directions. The same file is used on both sides.
//
// A text is one JSON array of numbers, booleans, null and strings, and of nothing that is nested, so that what a hostile cell sends cannot be deep, and costs no more memory than a small multiple of
// its length. The first letter of a string says what it is ('hello is the text "hello", o2 an object of two members, whose names and values follow). A tag selects from what is here and no more:
// nothing of a text is ever executed, and no class is named by it but built-in ones. Objects are numbered as they come, and named by that where they come again, so identity within one text and
// cycles are kept. All of it is done without recursion.
'use strict';

// kit, what each side has of its own, and what the other cannot change there:
//   realm       the global object whose constructors make what is decoded
//   types       util.types, Buffer
//   now()       milliseconds, of who believes nothing that comes
//   VMError; isPlain(prototype), describe(error), instance(object), prototypeOf(name, methods), refuse(message, hint)
//   copies      true: of an instance of a class its own data is sent, and which methods it has; false: it stays, and a handle is sent
// port, what stands for what does not cross, and what holds for one guest:
//   live        true: handles are sent in any case
//   bytes, nodes   what a text may have at most
//   name(kind, thing, owner) -> its number here, or `~number` of one of theirs;  own(kind, number) -> that thing;  theirs(kind, number, about) -> what stands for one of theirs
//   mark(thing) -> 'v' if nobody changes its copy, 'V' if nobody puts functions into it, or '';  marked(mark, thing) does that to a copy, and gives what is to be had
//   member(name, thing) -> what the member of that name has then
//   weighed     is told what was decoded last: 2 for each plain object, as keep() has it
//   stands(thing) -> whether it stands for one of theirs;  intrinsic(thing) -> name of a built-in that the other side has, too;  builtIn(name);  adopt(number, thing);  buffer(bytes)
module.exports = function makeValues(kit) {
  const { realm, types, Buffer } = kit;
  const { apply, ownKeys, getOwnPropertyDescriptor, getPrototypeOf, defineProperty, setPrototypeOf } = Reflect;
  const keysOf = Object.keys, isArray = Array.isArray, { parse, stringify } = JSON;
  const tagOf = getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get;
  const made = { __proto__: null }, errors = { __proto__: null };
  const VIEWS = ['DataView', 'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'];
  const HEAVY = 16; // times what a plain object takes
  const BATCH = 1024, BATCH_MS = 5, BATCH_MAX_MS = 50, SLOW_MS = 400; // so many entries of maps and sets take a tenth of that; more of one batch is a machine that has other work, and of all of them is not
  const LINES_MAX = 201, STACK_MAX = 64 << 10; // of a stack
  const PART = 1 << 16; // of a text at once: what is put into it is kept until all of that is there
  const TOKEN = 16, WHOLE = 64; // bytes of one, beside its text, where a value is written out; of all of that for each value that may cross: half of what one text of V8's can be
  const NAME_MAX = 1024, METHODS_MAX = 256, REGISTERED_MAX = 4096; // what is kept longer than a value is
  const HIDDEN = new Set(['message', 'stack', 'name', 'cause', 'errors']), NOTHING = Symbol('nothing'), OF_FUNCTIONS = new Set(['length', 'name', 'prototype', 'arguments', 'caller']);
  for (const name of ['Object', 'Array', 'Map', 'Set', 'Date', 'RegExp', 'ArrayBuffer', ...VIEWS]) made[name] = realm[name];
  for (const name of ['Error', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError', 'AggregateError']) errors[name] = realm[name];
  errors.VMError = kit.VMError;
  const mapSet = realm.Map.prototype.set, setAdd = realm.Set.prototype.add;
  const mapEach = Map.prototype.forEach, setEach = Set.prototype.forEach, dateValue = Date.prototype.getTime;
  const UNBOX = [[types.isNumberObject, Number.prototype.valueOf], [types.isStringObject, String.prototype.valueOf], [types.isBooleanObject, Boolean.prototype.valueOf], [types.isBigIntObject, BigInt.prototype.valueOf],
    [types.isSymbolObject, Symbol.prototype.valueOf]];
  const wellKnown = new Map(), byName = new Map();
  for (const name of ownKeys(Symbol)) {
    if (typeof Symbol[name] === 'symbol') wellKnown.set(Symbol[name], name), byName.set(name, Symbol[name]);
  }
  const descriptor = (value, enumerable) => ({ __proto__: null, value, writable: true, enumerable, configurable: true });
  const malformed = (what) => kit.refuse(`what came is malformed: ${what}`);
  const tooLarge = () => kit.refuse('the value is larger than what may cross', 'pass less of it, or allow more: `ambit: { message: bytes }`');

  // ---- values to a text ----

  class Writer {
    constructor(port) {
      this.port = port;
      this.out = [];
      this.seen = null;
      this.open = [];
      this.bytes = 0;
      this.sizes = []; // of objects that are said whole
      this.again = 0;
    }

    /** What it is where each object is written out as often as it is there. */
    size() {
      return TOKEN * this.out.length + this.bytes + this.again;
    }

    say(token) {
      if (typeof token === 'string' && (this.bytes += token.length) > this.port.bytes) throw tooLarge();
      if (this.out.push(token) > this.port.nodes) throw tooLarge();
    }

    put(it, owner) {
      switch (typeof it) {
        case 'string': return this.say(`'${it}`);
        case 'boolean': return this.say(it);
        case 'number': return this.say(Number.isNaN(it) ? 'n' : it === Infinity ? 'i' : it === -Infinity ? 'j' : it === 0 && 1 / it < 0 ? 'z' : it);
        case 'undefined': return this.say('u');
        case 'bigint': return this.say(`b${it}`);
        case 'symbol': return this.symbol(it);
        default: return it === null ? this.say(null) : this.object(it, owner);
      }
    }

    all(list, owner) {
      for (let i = 0; i < list.length; i++) {
        this.put(list[i], owner);
        if (this.open.length > 0) this.fill();
      }
      const text = stringify(this.out);
      if (text.indexOf('[', 1) < 0 && text.indexOf('{') < 0) return text;
      const parts = ['['];
      for (let at = 1; at < text.length; at += PART) parts.push(text.slice(at, at + PART).replaceAll('[', '\\u005b').replaceAll('{', '\\u007b'));
      return parts.join('');
    }

    fill() {
      const { open } = this;
      while (open.length > 0) {
        const top = open[open.length - 1];
        if (top.at === top.keys.length) {
          open.pop();
          if (top.number !== undefined) this.sizes[top.number] = this.size() - top.before;
        } else if (top.object === null) {
          this.put(top.keys[top.at++]);
        } else {
          const key = top.keys[top.at++];
          this.say(`'${key}`);
          this.put(top.object[key], top.object);
        }
      }
    }

    members(object, tag, keys) {
      this.say(tag + keys.length);
      if (keys.length > 0) this.open.push({ object, keys, at: 0 });
    }

    sequence(tag, list, n = list.length) {
      this.say(tag + n);
      if (list.length > 0) this.open.push({ object: null, keys: list, at: 0 });
    }

    symbol(it) {
      const known = wellKnown.get(it), registered = Symbol.keyFor(it);
      if (known !== undefined) return this.say(`k@${known}`);
      if (registered !== undefined && registered.length <= NAME_MAX) return this.say(`k#${registered}`);
      if (this.reference('symbol', it) === 'y') this.say(`'${(it.description ?? '').slice(0, NAME_MAX)}`);
      return undefined;
    }

    /** Says it, and gives its letter. */
    reference(kind, it, owner) {
      const name = this.port.name(kind, it, owner), letters = { function: 'fF', promise: 'pP', object: 'qQ', symbol: 'yY' }[kind], letter = letters[name[0] === '~' ? 1 : 0];
      this.say(letter + (name[0] === '~' ? name.slice(1) : name));
      return letter;
    }

    object(it, owner) {
      this.seen ??= new Map();
      const known = this.seen.get(it);
      if (known !== undefined) {
        this.again += this.sizes[known] ?? 0; // none yet: a cycle
        if (kit.copies && this.again > WHOLE * this.port.nodes) throw tooLarge();
        return this.say(`r${known}`);
      }
      const builtIn = this.port.intrinsic(it);
      if (builtIn !== undefined) return this.say(`I${builtIn}`);
      const number = this.seen.size, before = this.size(), depth = this.open.length;
      this.seen.set(it, number);
      this.fresh(it, owner);
      if (this.open.length === depth) this.sizes[number] = this.size() - before;
      else Object.assign(this.open[depth], { number, before });
      return undefined;
    }

    fresh(it, owner) {
      const mark = this.port.mark(it);
      if (mark !== '') this.say(mark);
      if (typeof it === 'function') return this.function(it, owner);
      if (this.port.stands(it)) return void this.reference(types.isPromise(it) ? 'promise' : 'object', it);
      if (isArray(it)) return this.array(it);
      if (types.isProxy(it)) return this.other(it, owner);
      if (types.isPromise(it)) return void this.reference('promise', it);
      if (types.isNativeError(it)) return this.error(it);
      if (types.isDate(it)) return this.say(`d${apply(dateValue, it, [])}`);
      if (types.isRegExp(it)) return this.say('x'), this.say(`'${it.source}`), this.say(`'${it.flags}`), this.say(+it.lastIndex || 0);
      if (types.isMap(it)) {
        const list = [];
        apply(mapEach, it, [(value, key) => list.push(key, value)]);
        return this.sequence('m', list, list.length / 2);
      }
      if (types.isSet(it)) {
        const list = [];
        apply(setEach, it, [(value) => list.push(value)]);
        return this.sequence('s', list);
      }
      if (types.isArrayBufferView(it) || types.isAnyArrayBuffer(it)) return this.bytesOf(it);
      if (types.isBoxedPrimitive(it)) {
        this.say('w');
        return this.put(apply(UNBOX.find(([is]) => is(it))[1], it, []));
      }
      return this.other(it, owner);
    }

    other(it, owner) {
      const prototype = getPrototypeOf(it);
      if (prototype === null) return this.members(it, 'O', keysOf(it));
      if (kit.isPlain(prototype) && !(this.port.live && !kit.copies && owner !== undefined && this.port.mark(it) === '')) return this.members(it, 'o', keysOf(it));
      const about = kit.instance(it);
      if (this.port.live || !kit.copies) {
        if (this.reference('object', it) === 'q') this.say(`'${about.name}`);
        return undefined;
      }
      this.say('c');
      this.say(`'${about.name}`);
      this.say(`'${about.methods.join('\n')}`);
      return this.members(it, '', keysOf(it));
    }

    function(it, owner) {
      if (this.reference('function', it, owner) === 'F') return;
      let name = '';
      try {
        if (typeof it.name === 'string') name = it.name.slice(0, 256);
      } catch {} // a getter of theirs
      this.say(`'${name}`);
      this.say(+it.length || 0);
      this.members(it, '', ownKeys(it).filter((key) => typeof key === 'string' && !OF_FUNCTIONS.has(key)));
    }

    array(it) {
      const keys = keysOf(it), { length } = it;
      if (keys.length === length && (length === 0 || keys[length - 1] === String(length - 1))) return this.sequence('a', it);
      if (length > this.port.nodes) throw tooLarge(); // the other side would not take it
      return this.members(it, `A${length},`, keys);
    }

    error(it) {
      const about = kit.describe(it), object = { __proto__: null, message: about.message, stack: about.stack };
      if (about.name !== about.kind) object.name = about.name;
      if (about.cause !== undefined) object.cause = about.cause.of;
      if (about.errors !== undefined) object.errors = about.errors;
      for (const key of keysOf(about.more)) if (!HIDDEN.has(key) && key !== '__proto__') object[key] = about.more[key];
      this.say(`e${this.port.name('error', it)}`); // who throws it back gets this very one
      this.members(object, `${about.kind},`, keysOf(object));
    }

    bytesOf(it) {
      const whole = types.isAnyArrayBuffer(it);
      if (types.isSharedArrayBuffer(whole ? it : it.buffer)) throw kit.refuse('a SharedArrayBuffer does not cross: no memory is shared with the sandbox', 'pass a copy of what is in it');
      const data = whole ? Buffer.from(it) : Buffer.from(it.buffer, it.byteOffset, it.byteLength);
      if (data.length > this.port.bytes) throw tooLarge();
      this.say(whole ? 't' : types.isDataView(it) ? 'tDataView' : Buffer.isBuffer(it) ? 'tBuffer' : `t${apply(tagOf, it, [])}`);
      this.say(`'${data.toString('base64')}`);
    }
  }

  // ---- a text to values ----

  // Before it is parsed it is known to be flat, so that parsing costs what its length says.
  function tokens(data, most) {
    if (data[0] !== 0x5b || data.indexOf(0x5b, 1) !== -1 || data.indexOf(0x7b) !== -1) throw malformed('it is not flat');
    if (!kit.copies && data.length > 2 * most && commasOf(data) >= most) throw malformed('it is too much'); // a cell believes its program
    let list;
    try {
      list = parse(data.toString('utf8'));
    } catch {
      throw malformed('it is no JSON');
    }
    if (list.length > most) throw malformed('it is too much');
    return list;
  }

  // Its stack is theirs: to take down ours takes long, and what makes a text of it may be the program's.
  function withoutStack(work) {
    const { stackTraceLimit } = realm.Error, set = (most) => Reflect.set(realm.Error, 'stackTraceLimit', most);
    set(undefined); // none is taken down then, and with 0 one of no lines
    try {
      return work();
    } finally {
      set(stackTraceLimit);
    }
  }

  // Whoever shows an error compares each line of its stack with each of its cause's.
  function shortStack(text) {
    const from = text.search(/\n[ \t]*at /);
    if (from < 0) return text;
    const lines = text.slice(from, from + STACK_MAX).split('\n');
    return lines.length <= LINES_MAX && text.length <= from + STACK_MAX ? text : text.slice(0, from) + lines.slice(0, LINES_MAX).join('\n');
  }

  // Registered symbols stay as long as the process does: those of others are so many at most, and further ones are no registered ones.
  const registered = new Set();
  function registeredAs(name) {
    if (name.length > NAME_MAX) throw malformed('a name is too long');
    if (registered.size >= REGISTERED_MAX && !registered.has(name)) return Symbol(name);
    registered.add(name);
    return Symbol.for(name);
  }

  // Those between its tokens: a parser takes eight times the bytes of a list of digits.
  function commasOf(data) {
    let n = 0, isText = false;
    for (let at = 0; at < data.length; at++) {
      const it = data[at];
      if (it === 0x22) isText = !isText;
      else if (it === 0x5c) at++;
      else if (it === 0x2c && !isText) n++;
    }
    return n;
  }

  class Reader {
    constructor(list, port) {
      this.port = port;
      this.list = list;
      this.at = 0;
      this.objects = [];
      this.open = [];
      this.marks = [];
      this.weight = list.length >> 2;
      this.classes = new Set();
      this.sizes = []; // of objects that are there whole
      this.chars = this.again = 0;
      this.entries = this.slow = this.since = 0;
    }

    next() {
      if (this.at >= this.list.length) throw malformed('it ends too soon');
      const it = this.list[this.at++];
      if (typeof it === 'string') this.chars += it.length;
      return it;
    }

    /** What it is where each object is written out as often as it is there. */
    size() {
      return TOKEN * this.at + this.chars + this.again;
    }

    text() {
      const it = this.next();
      if (typeof it !== 'string' || it[0] !== "'") throw malformed('a text is missing');
      return it.slice(1);
    }

    /** A text that what is made of it keeps. */
    name() {
      const it = this.text();
      if (it.length > NAME_MAX) throw malformed('a name is too long');
      return it;
    }

    number(text, most) {
      const n = /^[0-9]{1,10}$/.test(text) ? +text : NaN;
      if (!(n <= most)) throw malformed('a number');
      return n;
    }

    /** weight: of a plain object 2. What a text makes costs a bounded amount of memory, whatever it is made of. */
    keep(it, weight = 2) {
      if ((this.weight += weight) > this.port.nodes) throw malformed('it is too much');
      this.objects.push(it);
      return it;
    }

    /** n entries of it follow, of so many tokens each at least. */
    fill(it, how, count, tokensEach) {
      const n = this.number(count, (this.list.length - this.at) / tokensEach);
      if (n > 0) this.open.push({ it, how, left: n, at: 0, key: NOTHING, number: -1, before: 0 });
      return it;
    }

    all() {
      const result = [];
      while (this.at < this.list.length) {
        result.push(this.value());
        if (this.open.length > 0) this.rest();
      }
      for (const { mark, it } of this.marks) this.port.marked(mark, it);
      this.port.weighed = this.weight;
      return result;
    }

    rest() {
      const { open } = this;
      while (open.length > 0) {
        const top = open[open.length - 1];
        if (top.left === 0) open.pop(), (this.sizes[top.number] = this.size() - top.before);
        else if (top.how === 'members' || top.how === 'error') (top.left--, this.member(top, this.text()));
        else this.entry(top, this.value());
      }
    }

    // One that is called __proto__ is left out: who copies it on would change a prototype.
    member({ it, how }, key) {
      const value = this.port.member(key, this.value());
      if (typeof it === 'function' && OF_FUNCTIONS.has(key)) throw malformed('a function'); // whoever shows it would ask what stands in its place for a text
      if (how === 'error' && (key === 'message' || key === 'name' || key === 'stack') && typeof value !== 'string') throw malformed('an error'); // whoever shows it would call it
      if (key !== '__proto__') defineProperty(it, key, descriptor(how === 'error' && key === 'stack' ? shortStack(value) : value, how === 'members' || !HIDDEN.has(key)));
    }

    entry(top, value) {
      if (top.how === 'pairs' && top.key === NOTHING) return void (top.key = value);
      top.left--;
      if (top.how === 'items') top.it[top.at++] = value; // millions of them, and nobody else has the list
      else if (top.how === 'values') apply(setAdd, top.it, [value]), this.enters();
      else this.enters(), apply(mapSet, top.it, [top.key, value]), (top.key = NOTHING);
      return undefined;
    }

    /** Numbers have places in a table that can be reckoned, and of which each takes long when all are the same: what goes on too slowly is no accident. */
    enters() {
      if (kit.now === undefined || ++this.entries % BATCH !== 1) return;
      const now = kit.now();
      if (this.entries > 1) this.slow += Math.min(BATCH_MAX_MS, Math.max(0, now - this.since - BATCH_MS));
      this.since = now;
      if (this.slow > SLOW_MS + this.entries / 1000) throw malformed('it takes too long');
    }

    value() {
      const before = this.size(), token = this.next();
      if (typeof token !== 'string') return token; // flat: no object
      if (token[0] === "'") return token.slice(1);
      const number = this.objects.length, depth = this.open.length, it = this.tagged(token[0], token.slice(1));
      if (this.open.length > depth) (this.open[depth].number = number), (this.open[depth].before = before);
      else if (this.objects.length > number) this.sizes[number] = this.size() - before;
      return it;
    }

    /** One that is there already. Whoever makes a text of all goes through it as often as it is there, of lists of lists of one thing for ever. */
    known(number) {
      this.again += this.sizes[number] ?? 0; // none yet: a cycle
      if (!kit.copies && this.again > WHOLE * this.port.nodes) throw malformed('it is too much');
      return this.objects[number];
    }

    tagged(tag, rest) {
      switch (tag) {
        case 'u': return undefined;
        case 'n': return NaN;
        case 'z': return -0;
        case 'i': return Infinity;
        case 'j': return -Infinity;
        case 'b': return this.bigint(rest);
        case 'd': return this.keep(new made.Date(rest === 'NaN' ? NaN : +rest), HEAVY);
        case 'x': return this.regularExpression();
        case 'r': return this.known(this.number(rest, this.objects.length - 1));
        case 'o': return this.fill(this.keep(new made.Object()), 'members', rest, 2);
        case 'O': return this.fill(this.keep(this.bare(null)), 'members', rest, 2);
        case 'a': return this.fill(this.keep(new made.Array()), 'items', rest, 1);
        case 'A': return this.sparse(rest);
        case 'm': return this.fill(this.keep(new made.Map(), HEAVY), 'pairs', rest, 2);
        case 's': return this.fill(this.keep(new made.Set(), HEAVY), 'values', rest, 1);
        case 't': return this.binary(rest);
        case 'e': return this.error(this.number(rest, 2 ** 32));
        case 'f': return this.function(this.number(rest, 2 ** 32));
        case 'p': return this.keep(this.port.theirs('promise', this.number(rest, 2 ** 32)), HEAVY);
        case 'q': return this.keep(this.port.theirs('object', this.number(rest, 2 ** 32), this.name()), HEAVY);
        case 'y': return this.port.theirs('symbol', this.number(rest, 2 ** 32), this.name());
        case 'F': return this.keep(this.port.own('function', this.number(rest, 2 ** 32)));
        case 'P': return this.keep(this.port.own('promise', this.number(rest, 2 ** 32)));
        case 'Q': return this.keep(this.port.own('thing', this.number(rest, 2 ** 32)));
        case 'Y': return this.port.own('symbol', this.number(rest, 2 ** 32));
        case 'k': return this.knownSymbol(rest);
        case 'w': return this.boxed(this.next());
        case 'c': return this.copied();
        case 'v': case 'V': return this.marked(tag);
        case 'I': return this.port.builtIn(rest);
        default: throw malformed('an unknown tag');
      }
    }

    marked(mark) {
      const it = this.value();
      if (mark === 'v') this.marks.push({ mark, it });
      return mark === 'v' ? it : this.keepAs(it, this.port.marked(mark, it));
    }

    /** Another stands for the object from here on. */
    keepAs(it, other) {
      const at = this.objects.lastIndexOf(it);
      if (at >= 0) this.objects[at] = other;
      return other;
    }

    bigint(text) {
      if (!/^-?[0-9]{1,20000}$/.test(text)) throw malformed('a bigint');
      if ((this.weight += text.length >> 2) > this.port.nodes) throw malformed('it is too much'); // reading it costs that
      return BigInt(text);
    }

    bare(prototype) {
      const it = new made.Object();
      setPrototypeOf(it, prototype);
      return it;
    }

    sparse(rest) {
      const [length, n] = rest.split(','), it = new made.Array();
      const room = this.number(length, 2 ** 32 - 1);
      this.weight += room >> 2; // whoever goes through it goes through all of that, and up to some length it is memory at once
      if (room >= 2 ** 31 || this.weight > this.port.nodes) throw malformed('it is too much');
      it.length = room;
      return this.fill(this.keep(it), 'members', n, 2);
    }

    binary(kind) {
      const bytes = Buffer.from(this.text(), 'base64');
      if (kind === 'Buffer') return this.keep(this.port.buffer(bytes), HEAVY);
      const whole = new made.ArrayBuffer(bytes.length);
      new Uint8Array(whole).set(bytes);
      if (kind === '') return this.keep(whole, HEAVY);
      const view = VIEWS.includes(kind) ? made[kind] : undefined;
      if (view === undefined || bytes.length % (view.BYTES_PER_ELEMENT ?? 1) !== 0) throw malformed('bytes');
      return this.keep(new view(whole), HEAVY);
    }

    error(number) {
      const [kind, n] = String(this.next()).split(',');
      if (errors[kind] === undefined) throw malformed('an error');
      const it = withoutStack(() => (kind === 'AggregateError' ? new errors.AggregateError([]) : new errors[kind]()));
      defineProperty(it, 'stack', descriptor('', false));
      this.port.adopt(number, it);
      return this.fill(this.keep(it, HEAVY), 'error', n, 2);
    }

    function(number) {
      const about = { name: this.name(), length: +this.next() || 0 }, it = this.port.theirs('function', number, about);
      return this.fill(this.keep(it, HEAVY), 'members', this.next(), 2);
    }

    regularExpression() {
      const source = this.text(), flags = this.text(), last = this.next();
      this.weight += source.length * (/v/.test(flags) ? 1024 : /u/.test(flags) ? 64 : 4); // reading it costs that, at once, and nobody can break it off
      if (this.weight > this.port.nodes) throw malformed('it is too much');
      try {
        const it = new made.RegExp(source, flags);
        it.lastIndex = last;
        return this.keep(it, HEAVY);
      } catch {
        throw malformed('a regular expression');
      }
    }

    knownSymbol(rest) {
      const it = rest[0] === '#' ? registeredAs(rest.slice(1)) : byName.get(rest.slice(1));
      if (it === undefined) throw malformed('a symbol');
      return it;
    }

    boxed(token) {
      const it = typeof token !== 'string' ? token : token[0] === "'" ? token.slice(1) : 'nzijbkyY'.includes(token[0]) ? this.tagged(token[0], token.slice(1)) : null;
      if (it === null) throw malformed('a boxed value');
      return this.keep(new made.Object(it));
    }

    copied() {
      const name = this.name(), text = this.text(), methods = text === '' ? [] : text.length > METHODS_MAX * (NAME_MAX + 1) ? null : text.split('\n');
      if (methods === null || methods.length > METHODS_MAX) throw malformed('a class has too many methods');
      const shape = `${name}\n${text}`;
      if (!this.classes.has(shape)) this.classes.add(shape), (this.weight += HEAVY * (methods.length + 1)); // each has a prototype
      if (this.weight > this.port.nodes) throw malformed('it is too much');
      const it = this.keep(this.bare(kit.prototypeOf(name, methods)));
      return this.fill(it, 'members', this.next(), 2);
    }
  }

  return {
    /** Several values as one text; owner: what they are members of, if something. */
    encode: (list, port, owner) => new Writer(port).all(list, owner),
    /** The list of values again; `data` is a Buffer. */
    decode: (data, port) => new Reader(tokens(data, port.nodes), port).all(),
  };
};
