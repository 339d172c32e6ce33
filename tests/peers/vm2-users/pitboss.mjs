// pitboss-ng 2: code that nobody knows, each piece in a process of its own, with limits of time and memory.
//
// In a child process with an empty environment: `new VM({ sandbox, timeout }).run(TEXT)`. In: data from a message, and whole modules of the host (`libraries`). Out: data for a message; what was thrown is
// told as its text.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Pitboss, Runner } from 'pitboss-ng';
import { cases } from './cases.mjs';

const LONG = 20_000;

function run(code, given = {}, options = { timeout: LONG, memoryLimit: 4 << 20 }) {
  const boss = new Pitboss(code, options);
  return new Promise((resolve, reject) => {
    boss.run(given, (problem, result) => (problem ? reject(new Error(problem)) : resolve(result)));
  }).finally(() => boss.kill());
}

const failing = (code, pattern, given) => assert.rejects(run(code, given), { message: pattern });

await cases({
  async 'a result'() {
    assert.equal(await run('1 + 1'), 2);
    assert.equal(await run('undefined'), null);
    assert.equal(await run("var b = Buffer.from('abc'); b.toString('hex')"), '616263');
    assert.equal(await run('JSON.stringify({ a: [1, null] })'), '{"a":[1,null]}');
  },
  async 'data in and out'() {
    assert.deepEqual(await run('data.list.map(function (it) { return { it: it, twice: it * data.by }; })', { context: { data: { list: [1, 2, 3], by: 2 } } }), [{ it: 1, twice: 2 }, { it: 2, twice: 4 }, { it: 3, twice: 6 }]);
    assert.deepEqual(await run('({ text, nothing, deep: { deep: { deep: [text] } } })', { context: { text: 'a', nothing: null } }), { text: 'a', nothing: null, deep: { deep: { deep: ['a'] } } });
  },
  async 'what the code does to its data is its own'() {
    const context = { love: 'tender', list: [1] };
    assert.equal(await run("love = 'me'; list.push(2); love + list.length", { context }), 'me2');
    assert.deepEqual(context, { love: 'tender', list: [1] });
  },
  async 'modules of the host'() {
    assert.equal(await run('os.platform() + util.format("%s=%d", data, 7)', { context: { data: 'x' }, libraries: ['os', 'util'] }), 'linuxx=7');
    assert.equal(await run('p.join("a", "..", "b") + p.sep', { libraries: { p: 'path' } }), 'b/');
    assert.equal(await run('c.createHash("sha256").update(data).digest("hex").slice(0, 8)', { context: { data: 'abc' }, libraries: { c: 'crypto' } }), 'ba7816bf');
    await failing('os.platform()', /VM Runtime Error: ReferenceError: os is not defined/);
  },
  async 'what is thrown'() {
    await failing("This isn't JavaScript", /VM Runtime Error: SyntaxError: /);
    await failing('var list = []; list[data][123]', /VM Runtime Error: TypeError: Cannot read properties of undefined \(reading '123'\)/, { context: { data: 'x' } });
    await failing("require('http'); 1", /VM Runtime Error: ReferenceError: require is not defined/);
    await failing("throw 'a text'", /VM Runtime Error: a text/);
    await failing('this.constructor.constructor("return process")()', /VM Runtime Error: ReferenceError: process is not defined/);
    assert.equal(await run('this.constructor.constructor("return 1e9")()'), 1e9);
  },
  async 'one after the other'() {
    const boss = new Pitboss('data * 2', { timeout: LONG, memoryLimit: 4 << 20 });
    try {
      for (const data of [1, 2, 3]) {
        assert.equal(await new Promise((resolve, reject) => { boss.run({ context: { data } }, (problem, result) => (problem ? reject(new Error(problem)) : resolve(result))); }), 2 * data);
      }
    } finally {
      boss.kill();
    }
  },
  async 'a loop without end is timed out, and the next one runs'() {
    const runner = new Runner('while (endless) {} "over"', { timeout: 1000, memoryLimit: 4 << 20 });
    const told = [];
    try {
      await new Promise((resolve) => {
        runner.run({ context: { endless: true } }, (problem) => { // by itself it would try that again, so the next one is asked for at once
          told.push(problem);
          runner.options.timeout = LONG;
          runner.run({ context: { endless: false } }, (...came) => resolve(told.push(...came)));
        });
      });
      assert.match(told[0], /^Timedout$|^VM Runtime Error: Error: Script execution timed out after 1100ms$/);
      assert.deepEqual(told.slice(1), [null, 'over']);
    } finally {
      runner.kill(1);
    }
  },
  async 'code that takes all memory ends, and its caller lives'() {
    const runner = new Runner('var all = []; for (;;) all.push(new Array(1e6).fill(all.length))', { timeout: LONG, memoryLimit: 300 << 10 });
    try {
      const problem = await new Promise((resolve) => { runner.run({}, resolve); });
      assert.match(String(problem), /MemoryExceeded|Process Failed|VM Runtime Error: /);
    } finally {
      runner.kill(1);
      if (runner.proc.exitCode === null && runner.proc.signalCode === null) await once(runner.proc, 'exit');
    }
  },
});
process.exit();
