// The program that is attacked: it makes a sandbox as products do, runs the code, uses what comes of it, and looks whether anything of its own was reached. run.js starts it.
'use strict';
const fs = require('fs');
const path = require('path');
const events = require('events');
const { inspect } = require('util');
const { attacks, MARK, SETTLE_MS } = require('./run.js');
const words = require('./words.js');

const TICK_MS = 20, DEPTH = 6;

const [name, modulePath, directory] = process.argv.slice(2), attack = attacks().get(name);
const secrets = JSON.parse(fs.readFileSync(0, 'utf8')), pooled = Buffer.from(`pooled:${secrets.memory}`); // of the pool that small buffers share
const reached = new Set();
const host = {
  directory, app: path.join(directory, 'app'), canary: path.join(directory, 'canary'), secretFile: path.join(directory, 'secret.txt'), secrets, pooled,
  config: { role: 'user', list: [1, 2, 3], nested: { limit: 10 } },
  heard: [], // what it was told by the code
  state: {},
  touch: (how = 'touched') => void reached.add(String(how)),
  require,
};

// ---- what must not change ----

const iterator = Object.getPrototypeOf([][Symbol.iterator]());
const watched = { Object, Function, Array, Error, TypeError, RangeError, Promise, String, Number, Map, Set, WeakMap, RegExp, Date, Symbol, Buffer, Uint8Array, ArrayBuffer, JSON, Reflect, Math, events, globalThis, process,
  typed: Object.getPrototypeOf(Uint8Array), iterator, iterators: Object.getPrototypeOf(iterator), env: process.env, pooled, touch: host.touch };
const QUIET = new Set(['_exiting', 'exitCode', 'chdir', 'domain', '_events', '_eventsCount', 'stdout', 'stderr', 'stdin', 'timeOrigin', 'navigator', 'crypto']); // of process and globalThis: Node changes them itself

const LAZY = new Set(['globalThis', 'process']), lazy = new Set(Reflect.ownKeys(globalThis).filter((key) => Object.getOwnPropertyDescriptor(globalThis, key).get !== undefined));

function picture() {
  const made = new Map();
  const take = (at, object) => {
    made.set(`${at} has a prototype`, Object.getPrototypeOf(object));
    made.set(`${at} is extensible`, Object.isExtensible(object));
    for (const key of Reflect.ownKeys(object)) {
      if (QUIET.has(key) || ArrayBuffer.isView(object)) continue;
      const { value, get, set } = Object.getOwnPropertyDescriptor(object, key);
      if (get !== undefined && LAZY.has(at)) continue; // what Node loads when it is first asked for becomes a value then
      if (LAZY.has(at) && lazy.has(key)) continue;
      made.set(`${at}.${String(key)}`, value ?? get);
      if (set !== undefined) made.set(`${at}.${String(key)} (set)`, set);
    }
  };
  for (const [at, object] of Object.entries(watched)) {
    take(at, object);
    if (typeof object === 'function' && object.prototype) take(`${at}.prototype`, object.prototype);
  }
  made.set('what it configured', JSON.stringify(host.config));
  made.set('bytes of its pool', pooled.toString('latin1'));
  return made;
}

function compare(before, after) {
  for (const key of new Set([...before.keys(), ...after.keys()])) if (!Object.is(before.get(key), after.get(key))) return key;
  return undefined;
}

// ---- what it found ----

let done = false, skipped, came = 'nothing', before = null;

const shown = (it) => {
  try {
    return typeof it === 'string' ? it : inspect(it, { depth: DEPTH, showHidden: true, maxStringLength: 1 << 20, maxArrayLength: 1 << 16, breakLength: Infinity });
  } catch (problem) {
    return `it does not show: ${problem?.message}`;
  }
};

function look(it) {
  const texts = [shown(it)];
  if (it !== null && typeof it === 'object') for (const key of ['message', 'stack']) try { texts.push(String(it[key])); } catch {}
  for (const text of texts) for (const [kind, secret] of Object.entries(secrets)) if (text.includes(secret)) reached.add(`secret of its ${kind}`);
  return texts[0];
}

process.on('exit', () => {
  if (before !== null) {
    const changed = compare(before, picture());
    if (changed !== undefined) reached.add(`changed: ${changed}`);
  }
  for (const it of host.heard) look(it);
  const { maxRSS } = process.resourceUsage();
  fs.writeSync(1, `\n${MARK}${JSON.stringify({ done, skipped, reached: [...reached], came: came.slice(0, 300), host: { rss: maxRSS >> 10, gap: Math.round(gap) } })}\n`);
});

// How long it could not do anything else.
let gap = 0, last = performance.now();
const ticks = setInterval(() => {
  gap = Math.max(gap, performance.now() - last);
  last = performance.now();
}, TICK_MS);

const note = (more) => Object.assign(host, more);
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

// Much code of products is not strict.
const asked = Function('vm', 'words', 'return vm.run(...words)');

async function main() {
  const implementation = require(modulePath), Kind = implementation[attack.kind];
  if (Kind === undefined) {
    skipped = `there is no ${attack.kind} in ${modulePath}`;
    return;
  }
  await attack.prepare?.(host);
  const options = typeof attack.options === 'function' ? attack.options(host, implementation) : attack.options ?? {};
  const code = typeof attack.code === 'function' ? attack.code(words(host)) : attack.code;
  let vm;
  try {
    vm = new Kind(options);
    attack.made?.(vm, host, implementation);
    before = picture();
    last = performance.now();
    note({ base: process.memoryUsage().rss, given: options.timeout ?? 0 });
    const found = asked(vm, attack.kind === 'NodeVM' ? [code, path.join(host.app, 'main.js')] : [code]);
    note({ returned: true });
    came = look(found);
    if (attack.use !== undefined) came = look(await attack.use(found, host, vm));
    else if (found !== null && typeof found === 'object' && typeof found.then === 'function') came = look(await Promise.race([found, sleep(attack.settle ?? SETTLE_MS)]));
  } catch (problem) {
    before ??= picture();
    came = `threw ${look(problem)}`;
  }
  await sleep(attack.settle ?? SETTLE_MS);
  const word = attack.wins?.(host, { came, gap: Math.max(gap, performance.now() - last), rss: (process.resourceUsage().maxRSS << 10) - (host.base ?? 0), vm });
  if (word) reached.add(String(word));
}

main().then(() => {
  done = true;
  clearInterval(ticks);
  if (!attack.lives) process.exit(0);
});
