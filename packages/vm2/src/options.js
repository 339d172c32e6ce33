// What options mean for a cell: of which form it is, with which grants.
'use strict';
const fs = require('fs');
const path = require('path');
const driver = require('./driver.js');
const { VMError } = require('./errors.js');

const GRANTS = ['read', 'write', 'work', 'run', 'connect', 'listen'];
const KNOWN = [...GRANTS, 'grants', 'env', 'limits', 'memory', 'cpu', 'tasks', 'jit', 'live', 'message', 'ledger', 'observe', 'agent', 'reuse', 'ready', 'workspace', 'node'];
const OBSERVES = ['off', 'effects', 'full', 'ebpf', 'auto'];
const MESSAGE = 32 << 20, MESSAGE_MAX = 1 << 30, NODES = 4 << 20;
const MEMORY = 512 << 20, MEMORY_JIT = 1 << 30; // from Node 24 on a compiler takes 512 MB at once, which it never uses, and which count where no control group does
const NODE = +process.versions.node.split('.')[0];
const UNITS = { K: 1 << 10, M: 1 << 20, G: 1 << 30 };

const wrong = (what, hint) => new VMError(`ambit: ${what}`, 'EOPTION', hint);

function textsOf(value, name) {
  const list = Array.isArray(value) ? value : [value];
  if (!list.every((it) => typeof it === 'string' && it !== '' && !it.includes('\0'))) throw wrong(`\`${name}\` is a text or a list of texts`, 'as behind the word on the command line of `ambit run`');
  return list;
}

/** "512M", or a number of bytes. */
function bytesOf(value, name) {
  const found = typeof value === 'string' ? /^([0-9]{1,12})([KMG]?)$/.exec(value) : null;
  const bytes = found === null ? value : +found[1] * (UNITS[found[2]] ?? 1);
  if (!Number.isSafeInteger(bytes) || bytes <= 0) throw wrong(`\`${name}\` is a number of bytes, or a text as '512M'`);
  return bytes;
}

/** How many letters have to be changed, left out or put in. */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= b.length; j++) row[j] = Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
  }
  return row[b.length];
}

/** What was most likely meant. */
function meant(word) {
  const letters = (it) => [...it].sort().join('');
  const near = KNOWN.filter((it) => distance(word.slice(0, 32), it) <= Math.max(1, it.length >> 2) || letters(word) === letters(it) || (word.length > 2 && it.startsWith(word)));
  return near.length > 0 ? `did you mean ${near.join(' or ')}?` : `there are ${KNOWN.join(', ')}`;
}

/** What holds where the options do not say otherwise: for programs whose code is somebody else's. The variable AMBIT_VM2 has it as JSON. */
const defaults = { ambit: {} };
if (process.env.AMBIT_VM2) {
  try {
    defaults.ambit = JSON.parse(process.env.AMBIT_VM2);
  } catch {
    throw wrong('the variable AMBIT_VM2 is no JSON', 'for example AMBIT_VM2=\'{"live": true}\'');
  }
}

/** `ambit:` of the options, checked whole. */
function authority(asked = {}) {
  const given = asked === null || typeof asked !== 'object' || Array.isArray(asked) ? asked : { ...defaults.ambit, ...asked };
  if (given === null || typeof given !== 'object' || Array.isArray(given)) throw wrong('it is an object', "for example { read: ['./data'], connect: ['api.example.com:443'] }");
  for (const key of Object.keys(given)) if (!KNOWN.includes(key)) throw wrong(`there is no \`${key}\``, meant(key));
  for (const key of ['jit', 'live']) if (given[key] !== undefined && typeof given[key] !== 'boolean') throw wrong(`\`${key}\` is true or false`);
  const grants = [];
  for (const verb of GRANTS) if (given[verb] !== undefined) for (const text of textsOf(given[verb], verb)) grants.push(`${verb} ${text}`);
  if (given.grants !== undefined) grants.push(...textsOf(given.grants, 'grants'));
  if (given.env !== undefined) {
    const variables = Array.isArray(given.env) ? textsOf(given.env, 'env').filter((name) => process.env[name] !== undefined).map((name) => [name, process.env[name]]) : Object.entries(given.env); // as they are now
    grants.push(...variables.map(([name, value]) => `env ${name}=${value}`));
  }
  const limits = Object.entries(given.limits ?? {}).map(([name, value]) => `${name}=${value}`);
  if (given.cpu !== undefined) limits.push(`cpu=${given.cpu}`);
  if (given.tasks !== undefined) limits.push(`tasks=${given.tasks}`);
  const message = given.message === undefined ? MESSAGE : bytesOf(given.message, 'message');
  if (message > MESSAGE_MAX) throw wrong('`message` is 1G at most');
  if (given.observe !== undefined && !OBSERVES.includes(given.observe)) throw wrong(`\`observe\` is one of ${OBSERVES.join(', ')}`);
  if (given.ready !== undefined && !(Number.isInteger(given.ready) && given.ready >= 0 && given.ready <= 32)) throw wrong('`ready` is a number of cells, 32 at most');
  return {
    grants, limits, message, nodes: Math.max(NODES, message >> 3), memory: given.memory === undefined ? (given.jit === true ? MEMORY_JIT : MEMORY) : bytesOf(given.memory, 'memory'), jit: given.jit === true, live: given.live === true,
    ledger: given.ledger ?? (grants.length > 0), observe: given.observe, agent: given.agent, reuse: given.reuse === undefined || given.reuse === false ? null : String(given.reuse), ready: given.ready,
    workspace: path.resolve(given.workspace ?? '.'), node: given.node,
  };
}

/** Node, of which the cell's is one: that which runs us, unless it is something else that has Node in it. */
function nodeProgram(given) {
  if (given !== undefined) return given;
  if (/^node(js)?$/.test(path.basename(process.execPath))) return process.execPath;
  const found = (process.env.PATH ?? '').split(':').map((directory) => path.join(directory, 'node')).find((file) => path.isAbsolute(file) && fs.existsSync(file));
  if (found === undefined) throw wrong('there is no program `node` for cells', 'name one: `ambit: { node: "/usr/bin/node" }`');
  return found;
}

const drivers = new Map();
function driverOf(kind) {
  if (!drivers.has(kind)) drivers.set(kind, driver(kind));
  return drivers.get(kind);
}

const AGAIN_MS = 60_000, KNOWN_MAX = 32;
const lately = new Map(); // what has directories of modules and nothing else -> when it was wanted last

/** Which directories these are now: a cell that waits has those that were there when it was made. */
function identityOf(place) {
  try {
    const { dev, ino } = fs.statSync(place, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return '';
  }
}

/** How many of these wait: where modules alone are granted one, from the second on that is wanted. */
function readyOf(kind, has, identity) {
  if (has.ready !== undefined) return has.ready;
  if (has.grants.length === 0) return 2;
  if (has.places === undefined) return 0;
  const key = JSON.stringify([kind, has, identity]), before = lately.get(key) ?? -Infinity, now = performance.now();
  lately.delete(key);
  lately.set(key, now);
  if (lately.size > KNOWN_MAX) lately.delete(lately.keys().next().value);
  return now - before < AGAIN_MS ? 1 : 0;
}

/** The messages by which cells of that kind ('vm' or 'node') are made, which directories they name, and how many of them wait. */
function form(kind, has, evaluates) {
  const heap = Math.max(32, Math.floor((has.memory / (1 << 20)) * 0.7));
  const flags = [...(has.jit ? [] : ['--jitless', ...(has.node === undefined && NODE < 23 ? ['--no-expose-wasm'] : [])]), '--no-addons', '--no-warnings', `--max-old-space-size=${heap}`];
  if (!has.jit) flags.push('--v8-pool-size=0');
  if (has.node === undefined && NODE >= 20) flags.push('--no-verify-snapshot-checksum', '--no-rehash-snapshot'); // a tenth of its start; Node is ours, and a seed of hashes is within the cell alone
  if (kind === 'vm' || !evaluates) flags.push('--disallow-code-generation-from-strings');
  const messages = [`program ${nodeProgram(has.node)}`, ...flags.map((flag) => `argument ${flag}`), 'argument -e', `argument ${driverOf(kind)}`, `limit memory=${has.memory}`];
  if (has.grants.length === 0) messages.push('limit tasks=64', 'limit files=256', 'limit disk=256M');
  for (const limit of has.limits) messages.push(`limit ${limit}`);
  if (has.jit) messages.push('grant jit');
  if (has.grants.length > 0) messages.push(`workspace ${has.workspace}`, ...has.grants.map((text) => `grant ${text}`));
  if (has.agent !== undefined) messages.push(`agent ${has.agent}`);
  if (has.observe !== undefined) messages.push(`observe ${has.observe}`);
  if (has.ledger !== false) messages.push(`ledger ${has.ledger === true ? 'own' : has.ledger}`);
  const identity = (has.places ?? []).map(identityOf).join();
  return { messages, identity, ready: readyOf(kind, has, identity) };
}

module.exports = { authority, defaults, form, MESSAGE, NODES };
