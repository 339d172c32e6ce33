// Runs the cases against a module that has the surface of vm2: real vm2, or this package.
//
//   node run.js MODULE-PATH [WORD] [--json]       WORD: only cases whose file or name has it
//
// AMBIT_TEST_PLACE: a directory for what the cases write, instead of this one. AMBIT_TEST_OPTIONS: what each VM gets as its option `ambit`, as JSON ('{"live":true}').
//
// It prints TAP, or a JSON list. A case has ten seconds, or its own `limit` in milliseconds: the cases run in a process of their own, which is ended when one does not return, and begun anew behind it. Real vm2 is the measure, and passes
// all but those that say what its last release lacks of what it documents (`lacks`). Where a process of its own must behave otherwise a case says why (`differs`). With the module that such a word is
// about a failure is a TODO, and not counted. The status is 1 if another case failed.
'use strict';
const assert = require('assert');
const fs = require('fs');
const path = require('path');
const { spawn } = require('child_process');

const LIMIT_MS = 10_000 * (Number(process.env.AMBIT_TEST_SLOW) || 3);
const TOGETHER = 40; // cases of one process, so that what one leaves behind spoils few others

function load() {
  const cases = [];
  for (const file of fs.readdirSync(__dirname).sort()) {
    if (!file.endsWith('.js') || file === 'run.js' || file === 'support.js') continue;
    for (const it of require(`./${file}`)) cases.push({ ...it, file: file.slice(0, -3) });
  }
  return cases;
}

const selected = (cases, word) => cases.filter((it) => word === undefined || `${it.file}: ${it.name}`.includes(word));

// ---- the process that runs the cases ----

function say(number, what) {
  fs.writeSync(3, `${JSON.stringify({ number, ...what })}\n`);
}

function isThere(name) {
  try {
    require.resolve(name, { paths: [path.dirname(process.env.AMBIT_TEST_MODULE), process.cwd()] });
    return true;
  } catch {
    return false;
  }
}

/** The module, whose VMs have these options of ours besides. */
function withOptions(vm2, text) {
  if (!text) return vm2;
  const ambit = JSON.parse(text), more = (options) => ({ ambit, ...options });
  class VM extends vm2.VM { constructor(options) { super(more(options)); } }
  class NodeVM extends vm2.NodeVM { constructor(options) { super(more(options)); } }
  return { ...vm2, VM, NodeVM };
}

const told = (problem) => {
  try {
    return String(problem?.stack ?? problem);
  } catch {
    return 'something that cannot be shown';
  }
};

async function perform(vm2, it, place) {
  let fail;
  const failed = new Promise((resolve, reject) => (fail = reject));
  failed.catch(() => {});
  const starve = () => fail(new Error('it waits for what never comes: nothing is left to do')); // Node would end here, without a word
  process.on('uncaughtException', fail).on('unhandledRejection', fail).on('beforeExit', starve);
  fs.mkdirSync(place, { recursive: true });
  try {
    await Promise.race([it.run(vm2, assert, place), failed]);
  } finally {
    process.off('uncaughtException', fail).off('unhandledRejection', fail).off('beforeExit', starve);
    fs.rmSync(place, { recursive: true, force: true });
  }
}

async function serve(word, from, root) {
  const vm2 = withOptions(require(process.env.AMBIT_TEST_MODULE), process.env.AMBIT_TEST_OPTIONS), cases = selected(load(), word);
  process.on('unhandledRejection', () => {}); // of a case that is over
  assert.strictEqual(new vm2.VM().run('1 + 1'), 2); // so that nothing passes since all is refused
  for (let number = from; number < Math.min(cases.length, from + TOGETHER); number++) {
    const it = cases[number], missing = (it.needs ?? []).filter((name) => !isThere(name));
    say(number, { state: 'begins' });
    const before = performance.now();
    let result = { state: 'ok' };
    if (missing.length > 0) result = { state: 'skip', why: `${missing.join(', ')} is not installed` };
    else await perform(vm2, it, path.join(root, String(number))).catch((problem) => (result = { state: 'failed', why: told(problem) }));
    say(number, { ...result, ms: Math.round(performance.now() - before) });
  }
  process.exit(0);
}

// ---- the process that watches it ----

/** Runs from that case on, until the process ends; resolves to the number of the first case that is left. */
function stretch(args, from, cases, report) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [__filename, '--serve', String(from), ...args], { stdio: ['ignore', 2, 2, 'pipe'] });
    let text = '', at = from, timer, why = 'the process ended';
    const watch = (ms = LIMIT_MS) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        why = `it did not return within ${ms / 1000} s`;
        child.kill('SIGKILL');
      }, ms);
    };
    watch();
    child.stdio[3].setEncoding('utf8').on('data', (more) => {
      const lines = (text + more).split('\n');
      text = lines.pop();
      for (const line of lines) {
        const it = JSON.parse(line);
        watch(it.state === 'begins' ? cases[it.number].limit : LIMIT_MS);
        if (it.state === 'begins') continue;
        report(it.number, it);
        at = it.number + 1;
      }
    });
    child.on('close', () => {
      clearTimeout(timer);
      if (at === Math.min(cases.length, from + TOGETHER)) return resolve(at);
      report(at, { state: 'failed', why, ms: LIMIT_MS });
      return resolve(at + 1);
    });
  });
}

/** Whether it is real vm2, by the nearest package.json. */
function isReal(file) {
  for (let at = path.dirname(file); at !== path.dirname(at); at = path.dirname(at)) {
    const about = path.join(at, 'package.json');
    if (fs.existsSync(about)) return JSON.parse(fs.readFileSync(about, 'utf8')).name === 'vm2';
  }
  return false;
}

const indented = (text) => text.split('\n').slice(0, 12).map((line) => `#   ${line}`).join('\n');

async function main(args) {
  if (args.includes('--reasons')) {
    for (const reason of new Set(load().map((it) => it.differs).filter((it) => it !== undefined))) process.stdout.write(`${reason}\n`);
    return 0;
  }
  const json = args.includes('--json'), [module, word] = args.filter((arg) => !arg.startsWith('--'));
  if (module === undefined) {
    process.stderr.write('usage: run.js MODULE-PATH [WORD] [--json]\n');
    return 2;
  }
  process.env.AMBIT_TEST_MODULE = require.resolve(/^[./]/.test(module) ? path.resolve(module) : module, { paths: [process.cwd()] });
  const cases = selected(load(), word), results = [], root = fs.mkdtempSync(path.join(process.env.AMBIT_TEST_PLACE || __dirname, 'place-'));
  const excuse = isReal(process.env.AMBIT_TEST_MODULE) ? 'lacks' : 'differs';
  const report = (number, { state, why, ms }) => {
    const { file, name, source, [excuse]: differs } = cases[number], todo = state === 'failed' && differs !== undefined;
    results.push({ file, name, source, state: todo ? excuse : state, why, [excuse]: differs, ms });
    if (json) return;
    process.stdout.write(`${state === 'failed' ? 'not ok' : 'ok'} ${number + 1} - ${file}: ${name}${todo ? ` # TODO ${differs}` : state === 'skip' ? ` # SKIP ${why}` : ''}\n`);
    if (state === 'failed' && !todo) process.stdout.write(`${indented(why)}\n`);
  };
  if (!json) process.stdout.write(`TAP version 13\n1..${cases.length}\n`);
  try {
    for (let from = 0; from < cases.length; ) from = await stretch([root, ...(word === undefined ? [] : [word])], from, cases, report);
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
  const count = (state) => results.filter((it) => it.state === state).length;
  if (json) process.stdout.write(`${JSON.stringify(results, null, 1)}\n`);
  else process.stdout.write(`# ${count('ok')} pass, ${count(excuse)} ${excuse === 'lacks' ? 'lack what is documented' : 'differ'}, ${count('failed')} fail, ${count('skip')} skipped\n`);
  return count('failed') > 0 ? 1 : 0;
}

if (process.argv[2] === '--serve') {
  const [, , , from, root, word] = process.argv;
  serve(word, +from, root);
} else {
  main(process.argv.slice(2)).then((status) => (process.exitCode = status));
}
