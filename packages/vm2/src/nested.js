// Sandboxes that a sandbox makes: cells beside its own, never with more than it has, whatever it asks for.
'use strict';
const { VMError } = require('./errors.js');
const { inside } = require('./sandbox.js');

const DEPTH_MAX = 4, FAMILY_MAX = 16;
const OPTIONS = ['timeout', 'sandbox', 'eval', 'wasm', 'allowAsync', 'fixAsync', 'bufferAllocLimit', 'wrapper', 'argv', 'env', 'strict', 'console'];

/** What the inner one may: of the outer one's grants those that it names by the same text, or all of them if it names none. */
function derived(outer, asked) {
  const { authority } = require('./options.js');
  const wanted = asked === undefined ? null : authority(asked);
  return {
    ...outer, reuse: null, ready: 0,
    grants: wanted === null ? outer.grants : outer.grants.filter((text) => wanted.grants.includes(text)),
    memory: Math.min(outer.memory, wanted?.memory ?? outer.memory), message: Math.min(outer.message, wanted?.message ?? outer.message),
    jit: outer.jit && (wanted?.jit ?? true), live: false,
  };
}

function requireOf(asked, outer) {
  if (asked === null || typeof asked !== 'object') return asked === true && outer.external !== null;
  const kept = { builtin: Array.isArray(asked.builtin) ? asked.builtin.map(String) : [], mock: asked.mock ?? {} }; // as with vm2; what they reach is what is granted
  if (asked.external !== undefined && outer.external !== null) kept.external = asked.external;
  if (outer.roots !== null) kept.root = outer.roots;
  return kept;
}

/** family: WeakRefs of the boxes of all that are within the outermost. -> the function by which the sandbox of that box makes one. */
function nest(has, boxOf, depth, resolver, family) {
  return (kind, asked) => {
    const { VM } = require('./vm.js'), { NodeVM, SAID } = require('./nodevm.js');
    if (depth >= DEPTH_MAX) throw new VMError(`sandboxes are nested ${DEPTH_MAX} deep at most`, 'ELIMIT');
    const admit = (it) => {
      for (const ref of family) if (ref.deref() === undefined || (ref.deref().link !== null && ref.deref().link.dead !== null)) family.delete(ref);
      if (family.size >= FAMILY_MAX) throw new VMError(`a sandbox has ${FAMILY_MAX} sandboxes at most within it and within those`, 'ELIMIT', 'dispose() of those that are not needed');
      if (it !== undefined) family.add(it);
    };
    admit();
    const options = {}, outer = boxOf(), given = asked ?? {};
    for (const key of OPTIONS) if (given[key] !== undefined) options[key] = given[key];
    const inner = { has: derived(has, given.ambit), depth: depth + 1, outer, family, console: given.console === 'off' ? 'off' : outer.guest.console }; // what it logs comes in the outer one's form
    const vm = kind === 'NodeVM' ? new NodeVM({ ...options, console: options.console === 'off' ? 'off' : 'redirect', require: requireOf(given.require, resolver), nesting: given.nesting === true, [inside]: inner }) : new VM({ ...options, [inside]: inner });
    if (kind === 'NodeVM') for (const event of [...SAID.map((method) => `console.${method}`), 'stdout', 'stderr']) vm.on(event, (...args) => outer.host.told(event, args));
    family.add(vm._box.ref);
    for (const ref of outer.inner) if (!family.has(ref)) outer.inner.delete(ref); // it has ended
    outer.inner.add(vm._box.ref);
    const use = () => { // one that ended is counted again when it comes back
      if (!family.has(vm._box.ref)) admit(vm._box.ref), outer.inner.add(vm._box.ref);
      return vm;
    };
    return {
      run: (code, where) => use().run(String(code), typeof where === 'string' ? where : undefined), getGlobal: (name) => use().getGlobal(String(name)), setGlobal: (name, value) => void use().setGlobal(String(name), value),
      freeze: (value, name) => void use().freeze(value, name), require: (name) => use().require?.(name), dispose: () => vm.dispose(),
    };
  };
}

module.exports = { nest };
