#!/usr/bin/env node
// packages/vm2 beside vm2, isolated-vm and quickjs-emscripten, in one run.
//
//     AMBIT_PROGRAM=AMBIT vm2.mjs PACKAGE PEERS [ROUNDS]
//
// PACKAGE is packages/vm2 (with its dependencies), PEERS a directory with node_modules in which `npm install vm2@3.12.2 isolated-vm@5.0.4 quickjs-emscripten` was done (the second is compiled; 5.0.4 is for
// Node 20); a peer that is not there is said. Each contestant has a process of its own, since isolated-vm wants --no-node-snapshot, which would slow down the others; one works at a time, in turns that
// begin with another one each round. A ratio is the median of the ratios of the rounds. After each turn of `fresh` all wait for REST_MS, so that what one does afterwards (cells made in advance, garbage)
// is done before the next: what it costs is in `sustained`, where nobody rests.
import { fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const REST_MS = 150, RUNS = 200, CALLS = 200, SUSTAINED_MS = 2000, PAUSE_MS = 700;
const FIB = '(function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); })(32)';
const SIEVE = '(function () { var n = 3000000, all = new Uint8Array(n), found = 0; for (var i = 2; i < n; i++) { if (all[i]) continue; found++; for (var j = 2 * i; j < n; j += i) all[j] = 1; } return found; })()';
const WORK = { recursion: [FIB, 2178309], arrays: [SIEVE, 216816] };
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

// ---- the contestants: fresh() -> what runs code; close() lets go of it ----

function likeVm2({ VM }, options = {}) {
  const make = (sandbox) => new VM({ ...options, sandbox });
  return { make, run: (it, code) => it.run(code), close: (it) => it.dispose?.() };
}

const CONTESTANTS = {
  'ambit': { from: 'package', begin: (load) => likeVm2(load) },
  'ambit, reuse': { from: 'package', begin: (load) => likeVm2(load, { ambit: { reuse: 'bench' } }) },
  'ambit, jit': { from: 'package', begin: (load) => likeVm2(load, { ambit: { jit: true } }) },
  'vm2': { from: 'vm2', begin: (load) => likeVm2(load) },
  'isolated-vm': {
    from: 'isolated-vm', flags: ['--no-node-snapshot'],
    begin: (ivm) => ({
      make(sandbox) {
        const isolate = new ivm.Isolate({ memoryLimit: 128 }), context = isolate.createContextSync();
        for (const [name, it] of Object.entries(sandbox)) context.global.setSync(name, new ivm.Callback(it));
        return { isolate, context };
      },
      run: (it, code) => it.context.evalSync(code),
      close: (it) => it.isolate.dispose(),
    }),
  },
  'quickjs': {
    from: 'quickjs-emscripten',
    async begin({ getQuickJS }) {
      const engine = await getQuickJS();
      return {
        make(sandbox) {
          const context = engine.newContext();
          for (const [name, it] of Object.entries(sandbox)) context.newFunction(name, (value) => context.newNumber(it(context.getNumber(value)))).consume((handle) => context.setProp(context.global, name, handle));
          return context;
        },
        run: (it, code) => it.unwrapResult(it.evalCode(code)).consume((handle) => it.dump(handle)),
        close: (it) => it.dispose(),
      };
    },
  },
  'node': { from: 'node:vm', begin: (vm) => ({ make: () => null, run: (it, code) => vm.runInThisContext(code), close() {} }) },
};

// ---- a contestant's process ----

async function contest(name, file) {
  const { begin } = CONTESTANTS[name], of = await begin(createRequire(import.meta.url)(file));
  const expect = (found, wanted) => { if (found !== wanted) throw new Error(`${found} in place of ${wanted}`); };
  const timed = (work) => {
    const from = performance.now();
    work();
    return (performance.now() - from) * 1000;
  };
  let held = null; // what stays from round to round
  const kept = () => (held ??= of.make({ plus: (n) => n + 1 }));
  const tasks = {
    fresh() {
      let it;
      const took = timed(() => {
        it = of.make({});
        expect(of.run(it, '1+1'), 2);
      });
      of.close(it);
      return [took];
    },
    next: () => Array.from({ length: RUNS }, () => timed(() => expect(of.run(kept(), '1+1'), 2))),
    nested() {
      const empty = timed(() => expect(of.run(kept(), `var n = 0; for (var i = 0; i < ${CALLS}; i++) n = n + 1; n`), CALLS));
      return [(timed(() => expect(of.run(kept(), `var n = 0; for (var i = 0; i < ${CALLS}; i++) n = plus(n); n`), CALLS)) - empty) / CALLS];
    },
    async sustained() {
      const from = performance.now();
      let made = 0;
      for (; performance.now() - from < SUSTAINED_MS; made++) {
        const it = of.make({});
        expect(of.run(it, '1+1'), 2);
        of.close(it);
        if (made % 8 === 7) await new Promise(setImmediate); // as a server would, between two requests
      }
      return [(made * 1000) / (performance.now() - from)];
    },
    ...Object.fromEntries(Object.entries(WORK).map(([work, [code, wanted]]) => [work, () => [timed(() => expect(of.run(kept(), code), wanted))]])),
  };
  process.on('message', async (task) => {
    try {
      process.send({ found: await tasks[task]() });
    } catch (problem) {
      process.send({ problem: String(problem.stack ?? problem) });
    }
  });
  process.on('disconnect', () => process.exit());
  process.send({ found: [] });
}

// ---- the rounds ----

class Contestant {
  constructor(name, file) {
    const { flags = [] } = CONTESTANTS[name];
    this.name = name;
    this.process = fork(fileURLToPath(import.meta.url), ['--contest', name, file], { execArgv: flags });
  }

  async heard() {
    const { found, problem } = await new Promise((resolve) => {
      this.process.once('message', resolve);
      this.process.once('exit', (status, signal) => resolve({ problem: `it ended (${signal ?? status})` }));
    });
    this.process.removeAllListeners('exit');
    if (problem !== undefined) throw new Error(`${this.name}: ${problem}`);
    return found;
  }

  do(task) {
    this.process.send(task);
    return this.heard();
  }
}

const sorted = (list) => [...list].sort((a, b) => a - b);
const at = (list, part) => sorted(list)[Math.min(list.length - 1, Math.floor(list.length * part))];
const median = (list) => (list.length % 2 === 1 ? at(list, 0.5) : (at(list, 0.5) + sorted(list)[list.length / 2 - 1]) / 2);

/** name -> one list for each round. */
async function rounds(all, task, n, rest) {
  const found = new Map(all.map((it) => [it.name, []]));
  for (const it of all) await it.do(task); // warm, and not counted
  await sleep(PAUSE_MS);
  for (let round = 0; round < n; round++) {
    for (let i = 0; i < all.length; i++) {
      const it = all[(i + round) % all.length];
      found.get(it.name).push(await it.do(task));
      await sleep(rest);
    }
  }
  return found;
}

function tell(title, found, against, unit, digits = 0) {
  console.log(`${title}`);
  for (const [name, lists] of found) {
    const all = lists.flat(), base = found.get(against);
    const ratio = base === undefined || name === against ? '' : `  ${median(lists.map((list, i) => median(list) / median(base[i]))).toFixed(3)} of ${against}`;
    console.log(`  ${name.padEnd(13)} median ${median(all).toFixed(digits).padStart(9)} ${unit}  p90 ${at(all, 0.9).toFixed(digits).padStart(9)}${ratio}`);
  }
}

const load = () => readFileSync('/proc/loadavg', 'latin1').split(' ').slice(0, 3).join(' ');

async function main(directory, peers, n = 40) {
  delete process.env.NODE_EXTRA_CA_CERTS; // each start of Node reads it, for tens of milliseconds
  const from = createRequire(path.resolve(peers, 'x')), all = new Map();
  for (const [name, { from: what }] of Object.entries(CONTESTANTS)) {
    let file = what;
    try {
      if (what === 'package') file = path.resolve(directory, 'src/index.js');
      else if (!what.startsWith('node:')) file = from.resolve(what);
    } catch {
      console.log(`${name} is not in ${peers}, and is not measured`);
      continue;
    }
    const it = new Contestant(name, file);
    try {
      await it.heard();
      all.set(name, it);
    } catch (problem) {
      console.log(`${name} does not begin, and is not measured: ${problem.message.split('\n')[0]}`);
    }
  }
  const those = (...names) => names.filter((name) => all.has(name)).map((name) => all.get(name));
  const peersOf = ['vm2', 'isolated-vm', 'quickjs'];
  console.log(`Node ${process.version}, ${os.availableParallelism()} processors, ${n} rounds; load ${load()} at the start`);
  tell('a fresh VM and 1+1', await rounds(those('ambit', 'ambit, reuse', ...peersOf), 'fresh', n, REST_MS), 'vm2', 'us');
  tell(`the same VM's next run, ${RUNS} a round`, await rounds(those('ambit', ...peersOf), 'next', n, 10), 'vm2', 'us', 1);
  tell(`a nested call of the host, ${CALLS} a round`, await rounds(those('ambit', ...peersOf), 'nested', n, 10), 'vm2', 'us', 1);
  tell('fresh VMs, one after the other', await rounds(those('ambit', 'ambit, reuse', ...peersOf), 'sustained', Math.max(3, Math.floor(n / 10)), PAUSE_MS), 'vm2', 'a second');
  for (const work of Object.keys(WORK)) tell(`${work}, as code that computes`, await rounds(those('node', 'ambit, jit', 'ambit', ...peersOf), work, Math.max(5, Math.floor(n / 3)), 10), 'node', 'us');
  console.log(`load ${load()} at the end`);
  for (const it of all.values()) it.process.disconnect();
}

const [word, ...more] = process.argv.slice(2);
if (word === '--contest') await contest(...more);
else if (more.length === 0) {
  console.error('usage: AMBIT_PROGRAM=AMBIT vm2.mjs PACKAGE PEERS [ROUNDS]');
  process.exitCode = 2;
} else await main(word, more[0], more[1] === undefined ? undefined : Math.max(2, Number(more[1]) || 0));
