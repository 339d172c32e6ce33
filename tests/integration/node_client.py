#!/usr/bin/env python3
"""The Node client with a real daemon: its README's examples, its types, its packages, and what it does when somebody dies or lies.

usage: node_client.py AMBIT PACKAGE    (TAP on standard output; as root everything runs a second time as an ordinary user; AMBIT_TEST_NODE names another node)
"""

import os
import re
import shutil
import subprocess
import tarfile

from harness import PATIENCE, SLOW, Skip, always, main, need, once, sanitized, told, write
from sessions import Served

WANTED = 18  # Node's major version

# What scripts begin with. `killed` ends the daemon as a machine that is out of memory would.
HEAD = """import * as ambit from '%s/src/index.js';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { text, buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
const killed = async () => {
  const client = await ambit.connect();
  const { pid } = await client.status();
  client.close();
  process.kill(pid, 'SIGKILL');
  const lives = () => {
    try {
      return !/\\) Z /.test(fs.readFileSync(`/proc/${pid}/stat`, 'latin1')); // it keeps its descriptors until then
    } catch {
      return false;
    }
  };
  while (lives()) await sleep(20);
};
const collect = async (all) => {
  const found = [];
  for await (const one of all) found.push(one);
  return found;
};
const ended = async (session, n) => {
  for (;;) {
    const event = await session.event(n);
    const result = await event.show();
    event.close();
    if (result.over) return result;
    await sleep(50);
  }
};
"""


def node():
    """The program, where it is and is new enough."""
    named = os.environ.get("AMBIT_TEST_NODE")
    if not named:
        need("node")
    found = named or shutil.which("node", path="/usr/local/bin:/usr/bin:/bin")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False, timeout=SLOW * PATIENCE).stdout
    if not (match := re.match(r"v(\d+)\.", version)) or int(match.group(1)) < WANTED:
        raise Skip(f"node is {version.strip() or 'broken'}, and {WANTED} or later is wanted")
    return found


def runs(place, served, script, *flags, patience=PATIENCE, **environment):
    """A script as a client of that daemon: what it says. It must not say anything on standard error, where Node warns."""
    path = os.path.join(place.fresh(), "script.mjs")
    write(path, HEAD % place.given(1) + script)
    given = {**{k: v for k, v in served.environment.items() if k != "AMBIT_PROGRAM"}, "AMBIT_PROGRAM": place.ambit, **environment}
    done = subprocess.run([node(), *flags, path], cwd=getattr(served, "tree", None), env=given, capture_output=True, text=True, timeout=SLOW * patience, check=False)
    assert done.returncode == 0 and done.stderr == "", told(done)
    return done.stdout


def says(example):
    """What an example says that it prints, in words."""
    return " ".join(re.findall(r"console\.log\(.*; // (.*)$", example, re.M)).split()


@always
def the_examples_of_its_readme_run(place):
    with open(os.path.join(place.given(1), "README.md"), encoding="utf-8") as file:
        examples = re.findall(r"```js\n(.*?)```", file.read(), re.S)
    assert len(examples) >= 6
    with Served(place) as s:
        os.makedirs(f"{s.home}/node_modules")
        os.symlink(place.given(1), f"{s.home}/node_modules/ambit")
        for number, example in enumerate(examples):
            write(f"{s.home}/example.mjs", example)
            done = subprocess.run([node(), f"{s.home}/example.mjs"], cwd=s.tree, capture_output=True, text=True, timeout=SLOW * PATIENCE, check=False,
                                  env={**s.environment, "AMBIT_PROGRAM": place.ambit})
            assert done.returncode == 0 and done.stderr == "" and done.stdout.split() == says(example), \
                f"example {number + 1} says {done.stdout.split()}, not {says(example)}; {told(done)}"


# What is said and met beside the README's example.
ASKS = """
import { delegate } from 'ambit';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
const data = Buffer.alloc(1 << 20, Buffer.from([...Array(256).keys()]));
let found = await delegate(['sh', '-c', 'cat; echo too >&2; exit 3'], { input: data });
console.log(found.exitStatus, found.stdout.equals(data), found.stderr.toString().trim(), found.cause, found.ok, found.cut);
found = await delegate(['sleep', '60'], { limits: { wall: '200ms' } });
console.log(found.exitStatus, found.cause, found.limit, found.event.slice(0, 2));
const refused = async (...words) => {
  try {
    await delegate(...words);
  } catch (problem) {
    console.log(problem.name, problem.code);
  }
};
await refused('ls');
await refused(['true'], { grants: [{ read: '.', label: 'x' }] });
await refused(['true'], { grants: [{ connect: 'a.test:1' }] });
await refused(['/no/such']);
await refused(['true'], { env: {} });
await refused(['true'], { background: 1 });
await refused(['true'], { background: true });
const stop = new AbortController();
const loop = refused(['sh', '-c', 'while :; do echo x >>loop; sleep 0.01; done'], { signal: stop.signal });
while (!fs.existsSync('loop')) await sleep(10);
stop.abort();
await loop;
for (let same = 0, size = 0; same < 50; await sleep(10)) {
  const now = fs.statSync('loop').size;
  same = now === size ? same + 1 : 0;
  size = now;
}
process.env.AMBIT_PROGRAM = '/no/such/ambit';
await refused(['true']);
"""
ASKED = """3 true too exited false false
124 limit wall e_
Malformed USAGE
Malformed USAGE
Denied DENIED
AmbitError NO_PROGRAM
Malformed USAGE
Malformed USAGE
AmbitError UNAVAILABLE
AbortError 20
NotFound NOT_FOUND
"""


def in_a_cell(place, script, *flags):
    """A script that has the package, and is granted what sub-agents take."""
    top = place.fresh()
    shutil.copytree(place.given(1), f"{top}/node_modules/ambit")
    write(f"{top}/ask.mjs", script)
    given = ("--run", place.ambit, "--env", f"AMBIT_PROGRAM={place.ambit}", *(("--limit", "memory=32T") if sanitized(place.ambit) else ()), *flags)
    return place.cell("--work", ".", *given, "--", node(), "ask.mjs", cwd=top)


def in_a_cell_it_starts_sub_agents(place):
    with open(os.path.join(place.given(1), "README.md"), encoding="utf-8") as file:
        (example,) = re.findall(r"```javascript\n(.*?)```", file.read(), re.S)
    done = in_a_cell(place, example, "--delegate", "*")
    assert done.returncode == 0 and done.stdout.split() == says(example), told(done)
    done = in_a_cell(place, ASKS, "--delegate", "*")
    assert done.returncode == 0 and done.stdout == ASKED, told(done)
    alone = "import { delegate } from 'ambit';\nawait delegate(['true']).catch((problem) => console.log(problem.code, problem.message));"
    done = in_a_cell(place, alone)
    assert done.returncode == 0 and "UNAVAILABLE" in done.stdout and "not granted delegate" in done.stdout, told(done)
    top = place.fresh()
    shutil.copytree(place.given(1), f"{top}/node_modules/ambit")
    write(f"{top}/ask.mjs", alone)
    done = subprocess.run([node(), "ask.mjs"], cwd=top, env=place.environment(), capture_output=True, text=True, check=False, timeout=SLOW * PATIENCE)
    assert "this is in no cell" in done.stdout, told(done)


def its_units_hold(place):
    done = subprocess.run([node(), "--test", f"{place.given(1)}/test/"], cwd=place.fresh(), env={**place.environment(), "NODE_OPTIONS": ""}, capture_output=True, text=True,
                          timeout=SLOW * 120, check=False)
    assert done.returncode == 0 and "# fail 0" in done.stdout and "# pass 0" not in done.stdout, told(done)


@once
def its_types_hold(place):
    """With the compiler and Node's own types, from npm, where its registry can be reached."""
    need("npm")
    top = place.fresh()
    shutil.copy(f"{place.given(1)}/test/types.ts", f"{top}/sample.ts")
    write(f"{top}/package.json", '{"type": "module"}')
    done = subprocess.run(["npm", "install", "--silent", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "typescript@5.9", "@types/node@18"], cwd=top,
        capture_output=True,
                          env={**place.environment(), "npm_config_cache": f"{top}/.npm"}, timeout=SLOW * 4 * PATIENCE, check=False)
    if done.returncode != 0:
        raise Skip("npm cannot fetch typescript and @types/node (no network?)")
    shutil.copytree(place.given(1), f"{top}/node_modules/ambit")
    done = subprocess.run([node(), "node_modules/typescript/bin/tsc", "--strict", "--noEmit", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes",
                           "--noPropertyAccessFromIndexSignature", "--target", "es2022", "--module", "nodenext", "--moduleResolution", "nodenext", "--types", "node", "sample.ts"],
                          cwd=top, env=place.environment(), capture_output=True, text=True, timeout=SLOW * 120, check=False)
    assert done.returncode == 0, told(done)


@always
def its_packages_are_installed_without_a_network(place):
    """Packed by itself, into an empty project; there the program is the one that the second package carries."""
    need("npm")
    top = place.fresh()
    os.mkdir(f"{top}/project")
    write(f"{top}/project/package.json", "{}")
    offline = {**place.environment(), "AMBIT_BUILD": os.path.dirname(place.ambit), "HOME": top}
    made = []
    for to, environment, count in (("both", offline, 2), ("again", offline, 2), ("alone", place.environment(), 1)):
        done = subprocess.run([node(), f"{place.given(1)}/pack.mjs", f"{top}/{to}"], cwd=top, env=environment, capture_output=True, text=True, timeout=SLOW * 60, check=False)
        made.append(done.stdout.split())
        assert done.returncode == 0 and len(made[-1]) == count, told(done)
    for one, two in zip(*made[:2]):
        with open(one, "rb") as first, open(two, "rb") as second:
            assert first.read() == second.read(), f"{one} has other bytes the second time"
    with tarfile.open(made[2][0]) as alone:
        assert b"optionalDependencies" not in alone.extractfile("package/package.json").read(), "programs are asked for that nobody made here"
    done = subprocess.run(["npm", "install", "--offline", "--no-audit", *made[0]], cwd=f"{top}/project", env=offline, capture_output=True, text=True, timeout=SLOW * 120,
        check=False)
    assert done.returncode == 0, told(done)
    write(f"{top}/project/run.mjs", "import * as ambit from 'ambit';\nconst s = await ambit.session();\nconsole.log((await s.run(['echo', 'carried'])).text);\nawait s.end();\n")
    with Served(place) as s:
        loads = "import('ambit').then(async (a) => { const c = await a.connect(); console.log('carried', (await c.status()).pid); c.close(); })"
        for words in ([f"{top}/project/run.mjs"], ["-e", loads]):
            done = subprocess.run([node(), *words], cwd=f"{top}/project", env={**s.environment, "PATH": "/nowhere"}, capture_output=True, text=True, timeout=SLOW * PATIENCE,
                check=False)
            assert done.returncode == 0 and done.stdout.startswith("carried"), told(done)
        program = os.readlink(f"/proc/{done.stdout.split()[1]}/exe")
        assert program.startswith(f"{top}/project/node_modules/ambit-linux-"), program


def output_and_input_are_whole(place):
    with Served(place) as s:
        runs(place, s, """
const session = await ambit.session();
const data = Buffer.alloc(1 << 20, Buffer.from(Array.from({ length: 256 }, (_, i) => i)));
let result = await session.run(['cat'], { input: data });
assert.equal(result.exitStatus, 0);
assert.ok(result.stdout.equals(data));
result = await session.run(['sh', '-c', 'seq 1 100000; seq 1 50000 >&2; exit 9']);
assert.deepEqual([result.exitStatus, result.stdout.length, result.stderr.length, result.text.slice(-7)], [9, 588895, 288894, '100000\\n']);
assert.equal((await session.run(['head', '-c1'], { input: data })).stdout[0], 0);
assert.equal((await session.run(['printf', '%s|', Buffer.from([255, 254]), 'a\\u20acb'])).stdout.toString('hex'), 'fffe7c61e282ac627c');
const event = await session.start(['cat'], { input: true });
for (let i = 0; i < 40; i++) await event.write(data); // nobody takes what it writes meanwhile
await event.write('', { end: true });
let size = 0;
for await (const chunk of event) size += chunk.data.length;
assert.equal(size, 40 * data.length);
const copy = await session.start(['sh', '-c', 'cat; echo end >&2'], { input: true });
copy.stdin.write(data);
copy.stdin.end('last');
const [out, err, last] = await Promise.all([buffer(copy.stdout), text(copy.stderr), copy.wait()]);
assert.ok(out.equals(Buffer.concat([data, Buffer.from('last')])));
assert.deepEqual([err, last.exitStatus, last.stdout.length], ['end\\n', 0, 0]);
assert.equal((await session.run(['true'])).stdout.length, 0);
await session.end();
""", patience=2 * PATIENCE)


def mistakes_are_exceptions(place):
    with Served(place) as s:
        runs(place, s, """
const client = await ambit.connect();
const session = await client.session({ key: 'k' });
for (const [wrong, kind, says] of [
  [() => client.open('s_' + '0'.repeat(26)), ambit.NotFound, /./], [() => client.session({ grants: ['raed .'] }), ambit.AmbitError, /raed/],
  [() => client.session({ work: '/nosuch' }), ambit.Malformed, /nosuch/], [() => client.session({ grants: ['read /nosuch'] }), ambit.NotFound, /nosuch/],
  [() => session.run('ls'), ambit.Malformed, /list/], [() => client.session({ grants: [{ work: '.' }], policy: 'x' }), ambit.Malformed, /policy/],
  [() => client.session({ grants: 'work .' }), ambit.Malformed, /list/], [() => client.session({ max_events: 1 }), ambit.Malformed, /maxEvents/],
  [() => session.run(['ls'], { on_conflict: 'ours' }), ambit.Malformed, /onConflict/], [() => session.run(['ls'], { timeout: 0 }), ambit.Malformed, /milliseconds/],
  [() => session.run(['ls', '\\ud800']), ambit.Malformed, /surrogate/], [() => session.run(['ls', 1]), ambit.Malformed, /argv/], [() => session.run(['ls'], { input: 7 }),
      ambit.Malformed, /input/],
  [() => session.run([]), ambit.AmbitError, /./], [() => session.run(['true', 'x'.repeat(5 << 20)]), ambit.Limit, /4 MiB/], [() => client.session({ work: '.', workspace: '.' }),
      ambit.Malformed, /./],
  [() => client.session({ policy: { version: NaN } }), ambit.Malformed, /JSON/], [() => session.event(99), ambit.NotFound, /./], [() => ambit.connect({ patience: -1 }),
      ambit.Malformed, /patience/],
  [async () => (await session.start(['true'])).write('x'), ambit.Malformed, /input/], [() => session.code('perl', '1'), ambit.Malformed, /perl/],
  [() => session.start(['true'], { input: 'x' }), ambit.Malformed, /stdin/], [() => session.run(['false'], { check: true }), ambit.EventFailed, /ended with 1/],
]) {
  const problem = await wrong().then((found) => assert.fail(`nothing was said: ${wrong}: ${found}`), (problem) => problem);
  assert.ok(problem instanceof kind && problem.code && says.test(problem.message) && problem.name === problem.constructor.name, `${wrong}: ${problem}`);
}
assert.equal((await client.session({ key: 'k' })).id, session.id);
const result = await session.run(['no-such-program']);
assert.equal(result.exitStatus, 127);
assert.match(result.message, /command not found/);
assert.equal((await session.run(['sleep', '60'], { timeout: 300 })).exitStatus, 124);
assert.equal((await session.run(['sleep', '60'], { timeout: '300ms' })).exitStatus, 124);
assert.ok((await client.status()).sessions_made >= 1);
assert.ok((await collect(client.sessions())).some((row) => row.session === session.id));
assert.equal((await session.show()).session, session.id);
const other = await client.session({ grants: ['env A'], env: { A: 'a' } });
assert.equal((await other.run(['sh', '-c', 'echo $A $B'])).text, 'a\\n');
assert.equal((await other.run(['sh', '-c', 'echo $A $B'], { env: { A: 'b', B: undefined } })).text, 'b\\n');
""")


def why_an_event_ended_is_told(place):
    """Of commands and code: the cause, and the limit that was met."""
    with Served(place) as s:
        runs(place, s, """
const session = await ambit.session();
const event = await session.start(['sleep', '60']);
const before = await event.show();
assert.deepEqual([before.cause, before.limit], [null, null]);
await event.cancel();
const cancelled = await event.wait();
const little = { limits: { output: '10' } };
const says = ['sh', '-c', 'echo more than ten bytes; exec sleep 60']; // one that is over at once may be quicker than who looks
const prints = "import time; print('x' * 100, flush=True); time.sleep(60)";
const ends = [['limit', 'output', 125], ['limit', 'wall', 124], ['exited', null, 3], ['killed', null, 137]];
const toldOf = (...results) => assert.deepEqual(results.map(({ cause, limit, exitStatus }) => [cause, limit, exitStatus]), ends);
toldOf(await session.run(says, little), await session.run(['sleep', '60'], { timeout: 300 }), await session.run(['sh', '-c', 'exit 3']), cancelled);
toldOf(await session.python(prints, little), await session.python('import time; time.sleep(60)', { timeout: 300 }), await session.python('exit(3)'), cancelled);
for (const [fails, code, why] of [
  [() => session.python(prints, { ...little, check: true }), 'LIMIT', /^ended by its limit: output=10 \\(hint: /],
  [() => session.run(['sleep', '60'], { timeout: 300, check: true }), 'LIMIT', /^ended by its limit: wall=300ms \\(hint: /],
  [async () => cancelled.check(), 'GONE', /ended with 137: it was killed$/],
]) {
  await assert.rejects(fails, (problem) => problem instanceof ambit.EventFailed && problem.code === code && why.test(problem.message));
}
await session.end();
""")


@always
def a_daemon_that_is_killed_is_found_again(place):
    with Served(place) as s:
        runs(place, s, """
const client = await ambit.connect();
const session = await client.session({ work: '.' });
assert.equal((await session.run(['sh', '-c', 'echo 1 >> log; cat log'])).text, '1\\n');
await killed();
assert.equal((await session.run(['sh', '-c', 'echo 2 >> log; cat log'])).text, '1\\n2\\n');
const [result] = await Promise.all([session.run(['sh', '-c', 'echo 3 >> log; sleep 1.5; cat log']), sleep(700).then(killed)]);
assert.deepEqual([result.state, result.ok, result.over], ['interrupted', false, true]);
assert.equal(fs.readFileSync('log', 'utf8'), '1\\n2\\n', 'it ran, or half of it is there');
assert.deepEqual((await collect(session.events())).map((row) => row.n), [1, 2, 3]);
const event = await session.start(['sh', '-c', 'echo a; sleep 60']);
assert.equal((await event[Symbol.asyncIterator]().next()).value.data.toString(), 'a\\n');
await killed();
assert.equal((await event.wait()).state, 'interrupted');
const streamed = await session.start(['sh', '-c', 'seq 1 200000; sleep 60']);
let out = '';
await Promise.all([(async () => { for await (const piece of streamed.stdout) { if (out === '') await sleep(300); out += piece; } })(), sleep(700).then(killed)]);
assert.equal((await streamed.wait()).state, 'interrupted');
assert.ok(out.startsWith('1\\n2\\n') && [...out.matchAll(/.*\\n/g)].every((line, i) => line[0] === `${i + 1}\\n`), 'a piece is missing, or there twice');
""", patience=2 * PATIENCE)


def kernels_keep_what_was_declared(place):
    with Served(place) as s:
        runs(place, s, """
const s = await ambit.session({ work: '.' });
const k = await s.kernel('python', { name: 'mine' });
await k.run('x = 1');
assert.equal((await k.run('x + 1')).value, 2);
const step = await k.run("print('said')\\nimport sys\\nsys.stderr.write('oops')\\n{'a': x}");
assert.deepEqual([step.value, step.stdoutText, step.stderrText, step.ok, step.end, step.step], [{ a: 1 }, 'said\\n', 'oops', true, 'ok', 3]);
const failed = await k.run('\\n1/0');
assert.deepEqual([failed.end, failed.error.type, failed.error.line], ['error', 'ZeroDivisionError', 2]);
const long = await k.run("print('x' * 100000)\\ndisplay('d' * 100000)");
assert.deepEqual([long.stdout.length, long.displays[0].data.length], [100001, 100002]);
assert.equal((await k.run('import time\\ntime.sleep(100)', { timeout: 300 })).timedOut, true);
await assert.rejects(k.run('import time\\ntime.sleep(100)', { signal: AbortSignal.timeout(500) }), { name: 'TimeoutError' });
const beside = await ambit.connect();
const lives = (await (await beside.open(s.id)).kernel('python', { name: 'mine' })).run("import time\\ntime.sleep(3)\\n'lived'");
await sleep(500);
await assert.rejects(k.run("'never'", { signal: AbortSignal.timeout(500) }), { name: 'TimeoutError' });
assert.deepEqual([(await lives).value, (await k.wait(9)).end, (await k.wait(9)).stopped], ['lived', 'never', true]);
beside.close();
assert.deepEqual((await Promise.all([k.run('x'), k.run('x + 1')])).map((one) => one.value), [1, 2]);
assert.equal((await k.wait(4)).error.type, 'ZeroDivisionError');
await assert.rejects(k.run("raise ValueError('no')", { check: true }), (problem) => problem instanceof ambit.StepFailed && problem.result.error.message === 'no');
const again = await s.kernel('python', { name: 'mine' });
assert.deepEqual([again.n, again.replayed, (await again.run('x')).value], [k.n, true, 1]);
await k.run("open('made', 'w').write('x')");
const last = await k.end();
assert.deepEqual([last.ok, last.workspace, fs.existsSync('made')], [true, 'committed', true]);
await assert.rejects(k.run('1'), ambit.Gone);
for (const wrong of [() => s.kernel('shell'), () => s.kernel('python', { nope: 1 }), () => again.run(5)]) await assert.rejects(wrong(), ambit.Malformed);
const n = await s.kernel('node');
await n.run('const y = 20; async function f() { return y + 1 }');
assert.equal((await n.run('await f()')).value, 21);
assert.equal((await n.run('for (;;) {}', { timeout: 300 })).end, 'ended');
assert.equal((await ended_of(n)).code, 'LIMIT');
await s.end();
async function ended_of(kernel) {
  for (;;) {
    const result = await kernel.show();
    if (result.over) return result;
    await sleep(50);
  }
}
""")


def many_at_once_run_at_once(place):
    """Twenty that all wait for the last of them; on one connection, and those that start the daemon at once."""
    with Served(place) as s:
        runs(place, s, """
const several = await Promise.all(Array.from({ length: 5 }, () => ambit.session()));
assert.equal(new Set(several.map((one) => one.id)).size, 5);
assert.equal((await several[0].client.status()).sessions_made, 5);
await Promise.all(several.map((one) => one.end()));
const session = await ambit.session({ work: '.', changes: 'direct' });
const code = 'touch at.$1; until [ $(ls at.* | wc -l) -eq 20 ]; do sleep 0.05; done; echo $1';
const done = await Promise.all(Array.from({ length: 20 }, (_, i) => session.run(['sh', '-c', code, 'sh', String(i)], { background: true })));
assert.deepEqual(done.map((result) => result.text), Array.from({ length: 20 }, (_, i) => `${i}\\n`));
const large = ['true', ...Array(4).fill('x'.repeat(100000))]; // more than a socket takes at once, of each
assert.ok((await Promise.all(Array.from({ length: 4 }, () => session.run(large, { background: true })))).every((result) => result.ok));
await session.end();
""", patience=2 * PATIENCE)


@always
def sending_and_hearing_much_at_once_goes_on(place):
    """Who writes while much waits to be read does not wait for ever: the daemon reads nothing then."""
    with Served(place) as s:
        runs(place, s, """
const session = await ambit.session();
const event = await session.start(['sh', '-c', 'head -c 30000000 /dev/zero & cat > /dev/null; wait; echo taken >&2'], { input: true });
for (let i = 0; i < 6; i++) await event.write('x'.repeat(1 << 20));
await event.write('', { end: true });
let errors = '', size = 0;
for await (const chunk of event) if (chunk.stream === 'stderr') errors += chunk.data; else size += chunk.data.length;
assert.deepEqual([errors, size, (await event.wait()).state], ['taken\\n', 30000000, 'over']);
await session.end();
""", patience=2 * PATIENCE)


def streams_wait_for_who_reads_them_and_not_for_each_other(place):
    with Served(place) as s:
        runs(place, s, """
const session = await ambit.session();
const much = ['sh', '-c', 'head -c 20000000 /dev/zero; seq 1 1000000 >&2; echo end; exit 3'];
let event = await session.start(much); // one after the other, in either order
assert.equal((await buffer(event.stdout)).length, 20000004);
assert.equal((await text(event.stderr)).length, 6888896);
assert.equal((await event.wait()).exitStatus, 3);
event = await session.start(much);
const { stdout, stderr } = event;
assert.equal((await text(stderr)).length, 6888896);
assert.ok(stdout.readableLength < 3 << 20, 'too much is held of what nobody reads');
assert.equal((await buffer(stdout)).length, 20000004);
event = await session.start(much); // at once, one slowly
let slow = 0;
const [errors] = await Promise.all([text(event.stderr), (async () => { for await (const piece of event.stdout) if ((slow += piece.length) < 300000) await sleep(100); })()]);
assert.deepEqual([errors.length, slow], [6888896, 20000004]);
event = await session.start(much); // one of them alone, and the other with the end
assert.equal((await buffer(event.stdout)).length, 20000004);
let result = await event.wait();
assert.deepEqual([result.stdout.length, result.stderr.length, await event.wait()], [0, 6888896, result]);
event = await session.start(much); // the end comes, whoever does not read
const unread = event.stdout;
result = await event.wait();
assert.deepEqual([result.exitStatus, result.stderr.length], [3, 6888896]);
assert.equal((await buffer(unread)).length, 20000004);
event = await session.start(['sh', '-c', 'echo one; sleep 0.5; echo two; echo err >&2']); // taken for who waits, and then by a stream
const waited = event.wait();
await sleep(300);
assert.deepEqual([await text(event.stdout), (await waited).stderrText, (await waited).text], ['one\\ntwo\\n', 'err\\n', '']);
event = await session.start(much); // left in the middle
for await (const piece of event.stdout) { assert.ok(piece.length > 0); break; }
assert.equal((await event.wait()).stderr.length, 6888896);
assert.equal((await (await session.event(event.n)).wait()).stdout.length, 20000004);
await assert.rejects(async () => { for await (const _ of event) break; }, ambit.Malformed);
event = await session.start(['sh', '-c', 'while :; do echo x; done']); // closed while somebody waits for more
await Promise.all([assert.rejects(text(event.stdout), ambit.Closed), assert.rejects(event.wait(), ambit.Closed), sleep(300).then(() => event.close())]);
await event.cancel();
event.close();
for (let i = 0; i < 4; i++) { // what was taken to its end has no connection any more
  const over = await session.start(['echo']);
  await over.wait();
  await over.cancel();
  await collect(await session.start(['echo']));
  await text((await session.start(['echo'])).stdout);
}
for (const end = Date.now() + 20000; (await session.client.status()).clients_now > 1; await sleep(50)) {
  if (Date.now() > end) assert.fail(`connections are left: ${(await session.client.status()).clients_now}`);
}
await event.cancel();
await session.end();
""", patience=3 * PATIENCE)


@always
def who_aborts_can_go_on(place):
    """What nobody would find is cancelled, what has a key goes on, and the client is as good as before."""
    with Served(place) as s:
        runs(place, s, """
const session = await ambit.session();
for (const [i, [key, more]] of [[undefined, {}], ['mine', {}], [undefined, { input: 'x' }], [undefined, { background: true }], ['fed', { input: 'x' }]].entries()) {
  const reason = new Error('enough');
  const control = new AbortController();
  setTimeout(() => control.abort(reason), 500);
  await assert.rejects(session.run(['sh', '-c', key ? 'sleep 2; echo went on' : 'exec sleep 60'], { key, signal: control.signal, ...more }), (problem) => problem === reason);
  assert.equal((await ended(session, i + 1)).exitStatus, key ? 0 : 137, key);
}
for (const ms of [0, 1, 2, 4, 8, 16, 32]) {
  for (const more of [{}, { input: 'x' }]) {
    await assert.rejects(session.run(['sleep', '60'], { signal: AbortSignal.timeout(ms), background: true, ...more }), { name: 'TimeoutError' });
  }
}
const before = await collect(session.events());
for (const row of before) assert.ok((await ended(session, row.n)).over);
const made = (await collect(session.events())).length;
await assert.rejects(session.run(['true'], { signal: AbortSignal.abort() }), { name: 'AbortError' });
assert.equal((await collect(session.events())).length, made, 'what was aborted before was begun');
const again = await session.run(['sh', '-c', 'sleep 2; echo went on'], { key: 'mine' });
assert.deepEqual([again.text, again.replayed], ['went on\\n', true]);
const other = new AbortController(); // one for many: Node does not warn
const many = await Promise.all(Array.from({ length: 20 }, (_, i) => session.run(['true'], { background: true, signal: other.signal, input: i % 2 ? '' : undefined })));
assert.ok(many.every((result) => result.ok));
const last = Array.from({ length: 12 }, () => assert.rejects(session.run(['sleep', '60'], { background: true, signal: other.signal }), { name: 'AbortError' }));
await sleep(300);
other.abort();
await Promise.all(last);
const event = await session.start(['sleep', '60']);
await event.cancel();
assert.equal((await event.wait()).exitStatus, 137);
await event.cancel(); // once more is no mistake
assert.equal((await session.run(['echo', 'on'])).text, 'on\\n');
await session.end();
""", patience=2 * PATIENCE)


def what_was_taken_is_not_taken_again(place):
    """An event by its number, from a byte on; two clients of one event; lines; a terminal; what changes."""
    with Served(place) as s:
        runs(place, s, """
const session = await ambit.session({ grants: [{ work: '.' }] });
const event = await session.start(['sh', '-c', "echo one; echo err >&2; read x; printf 'two\\nthree'"], { input: true, key: 'k' });
let first;
for await (const chunk of event) if (chunk.stream === 'stdout') { first = chunk; break; }
const client = await ambit.connect();
const other = await client.open(session.id);
const again = await other.event(1);
assert.deepEqual([again.id, (await again.show()).state], [event.id, 'runs']);
await again.write('\\n', { end: true }); // whoever knows it may write to it
const outOf = (chunks) => Buffer.concat(chunks.filter((c) => c.stream === 'stdout').map((c) => c.data)).toString();
assert.equal(outOf(await collect(await other.follow(1, { stdout: first.data.length }))), 'two\\nthree');
const lines = (await collect((await other.event(1)).lines())).filter((c) => c.stream === 'stdout').map((c) => [c.offset, c.data.toString()]);
assert.deepEqual(lines, [[0, 'one\\n'], [4, 'two\\n'], [8, 'three']]);
const followed = await (await other.follow(1, { stdout: 9, stderr: 1 })).wait();
assert.deepEqual([followed.text, followed.stderrText], ['hree', 'rr\\n']);
const rest = await event.wait({ check: true });
assert.deepEqual([rest.text, rest.outcome.workspace, JSON.parse(await event.record()).event], ['two\\nthree', 'untouched', event.id]);
assert.deepEqual([(await session.read(1, 'stdout')).toString(), (await session.read(1, 'stdout', { offset: 4, size: 3 })).toString()], ['one\\ntwo\\nthree', 'two']);
const shown = await session.start(['sh', '-c', 'stty size; read x; stty size'], { terminal: { rows: 10, columns: 20 } });
const screen = shown.lines();
assert.equal((await screen.next()).value.data.toString(), '10 20\\r\\n');
await shown.resize(30, 40);
await shown.write('x\\n');
assert.equal((await collect(screen)).at(-1).data.toString(), '30 40\\r\\n');
const long = (await collect((await session.start(['head', '-c', '2500000', '/dev/zero'])).lines())).map((c) => c.data.length);
assert.deepEqual(long, [1 << 20, 1 << 20, 2500000 - (2 << 20)]);
const waits = await session.start(['sh', '-c', 'read x'], { input: true });
const watched = session.watch({ first: waits.n });
const until = async () => { const found = []; do found.push((await watched.next()).value); while (!found.at(-1).over); return found; };
const seen = (await watched.next()).value;
assert.deepEqual([seen.n, seen.over], [waits.n, false]);
waits.stdin.write('\\n');
let told = await until();
assert.ok(told.every((r) => r.n === waits.n) && told.length <= 2);
await killed();
const last = await session.run(['true']);
told = await until(); // goes on with another daemon, and what was told is not told again
assert.ok(last.ok && told.every((r) => r.n === last.n), told.map((r) => r.n));
await watched.return();
const control = new AbortController();
setTimeout(() => control.abort(), 200);
await assert.rejects(collect(session.watch({ signal: control.signal })), { name: 'AbortError' });
const changes = await session.run(['sh', '-c', "echo x > a; mkdir d; printf y > \\"$(printf 'd/\\\\377')\\"; mv a b"]);
assert.deepEqual((await changes.files()).map((c) => [c.kind, String(c.path).split('/').slice(-1)[0], Buffer.isBuffer(c.path)]).sort(),
  [['added', 'b', false], ['added', 'd', false], ['added', '\\ufffd', true]]);
assert.deepEqual(await (await session.run(['true'])).files(), []);
""", patience=2 * PATIENCE)


def whoever_starts_the_daemon_is_not_its_parent(place):
    """Started by a program that is gone, it is there for the next, in a session of its own."""
    with Served(place) as s:
        code = "const c = await ambit.connect(); console.log((await c.status()).pid, process.pid);"
        pids = [runs(place, s, code).split() for _ in range(2)]
        daemon = int(pids[0][0])
        assert pids[0][0] == pids[1][0] and os.getsid(daemon) != os.getsid(0), pids
        for name in ("AMBIT_PROGRAM", "PATH"):  # the first that is named, else what there is; else it is said
            told_of = runs(place, s, "await assert.rejects(ambit.connect(), (problem) => (console.log(problem.name, problem.message), true));", XDG_RUNTIME_DIR=place.fresh(),
                           AMBIT_PROGRAM="/nowhere/ambit" if name == "AMBIT_PROGRAM" else "", PATH="/nowhere")
            assert told_of.startswith("Gone the daemon cannot be started" if name == "AMBIT_PROGRAM" else "NotFound there is no program"), told_of


@always
def it_ends_when_nothing_is_awaited(place):
    """With whatever is open; and it stays while something is, though nothing but the daemon's answer keeps it."""
    with Served(place) as s:
        runs(place, s, """
const session = await ambit.session();
const event = await session.start(['sleep', '60']);
event.stdout.once('readable', () => {}); event.stdout.pause();
for await (const row of session.watch()) { assert.equal(row.n, 1); break; }
const left = await session.start(['sh', '-c', 'seq 1 1000000'], { background: true });
for await (const chunk of left) { assert.equal(chunk.offset, 0); break; }
(await session.event(1)).close();
await event.cancel();
""")
        begins = "const s = await ambit.session();\n"
        assert runs(place, s, begins + "const e = await s.start(['sh', '-c', 'sleep 1; echo x']);\ne.stdout.on('data', (d) => process.stdout.write(d));") == "x\n"
        assert runs(place, s, begins + "ambit.connect();\ns.run(['sh', '-c', 'sleep 1; echo y']).then((r) => process.stdout.write(r.text));") == "y\n"


def programs_that_are_no_modules_have_it_too(place):
    """By import() of a program that is no module, and by two copies at once."""
    with Served(place) as s:
        top = place.fresh()
        for copy in ("a", "b"):
            shutil.copytree(place.given(1), f"{top}/{copy}/node_modules/ambit")
            write(f"{top}/{copy}/main.cjs", "module.exports = import('ambit');\n")
        runs(place, s, f"""
import {{ createRequire }} from 'node:module';
const require = createRequire('{top}/x.cjs');
for (const copy of ['a', 'b']) {{
  const ambit = await require(`./${{copy}}/main.cjs`);
  const session = await ambit.session();
  assert.ok((await session.run(['true'])).ok);
  await session.end();
}}
""")


def input_comes_from_streams(place):
    """Whole, no faster than it is read, and no longer: of each kind, and whoever ends first."""
    with Served(place) as s:
        runs(place, s, """
import { Readable } from 'node:stream';
const session = await ambit.session();
const all = Buffer.from(Array.from({ length: 400000 }, (_, i) => i * 7 % 251));
const cut = () => Array.from({ length: 9 }, (_, i) => all.subarray(i * 50000, (i + 1) * 50000));
async function* generated(chunks) { yield* chunks; }
const kinds = {
  readable: (chunks) => Readable.from(chunks, { objectMode: true }),
  web: (chunks) => new ReadableStream({ start(control) { for (const chunk of chunks) control.enqueue(chunk); control.close(); } }),
  generator: generated,
};
for (const [kind, make] of Object.entries(kinds)) {
  assert.deepEqual((await session.run(['cat'], { input: make(cut()) })).stdout, all, kind);
  assert.equal((await session.run(['cat'], { input: make(['a', '', new Uint8Array([98])]) })).text, 'ab', kind);
  assert.equal((await session.run(['cat'], { input: make([]) })).text, '', kind);
}
assert.equal((await session.shell('read a; echo $a', { input: generated(['code\\n']) })).stdoutText, 'code\\n');

// no faster: what is asked for before it reads is what its pipe holds, and a chunk more; and no longer than it reads
for (const [script, most] of [['sleep 1; head -c 200000 | wc -c', 64], ['exec <&-; sleep 1; echo 200000', 8], ['echo 200000', 8]]) {
  const pulled = [], begun = Date.now();
  let left = 0;
  async function* endless() {
    try { for (;;) { pulled.push(Date.now() - begun); yield Buffer.alloc(16384); } } finally { left++; }
  }
  assert.equal((await session.run(['sh', '-c', script], { input: endless() })).text.trim(), '200000');
  await sleep(50);
  assert.ok(pulled.length <= most && left === 1, `${script}: ${pulled.length} chunks, left ${left} times`);
}
let asked = 0;
const counted = new Readable({ highWaterMark: 16384, read() { asked++; this.push(Buffer.alloc(16384)); } });
const slow = await session.run(['sh', '-c', 'sleep 1; head -c 1 | wc -c'], { input: counted });
assert.ok(slow.text.trim() === '1' && counted.destroyed && asked <= 16, `asked ${asked} times`);

// who makes it waits for ever, and the program does not
const silent = new Readable({ read() {} });
let cancelled = 0;
const mute = new ReadableStream({ cancel() { cancelled++; } });
async function* never() { await new Promise(() => {}); yield 'x'; }
for (const input of [silent, mute, never()]) assert.equal((await session.run(['sh', '-c', 'sleep 0.2; echo over'], { input })).text, 'over\\n');
assert.ok(silent.destroyed && cancelled === 1);

// it fails: what would be its end is none, so the event is cancelled, whoever has its key
const broken = () => Object.assign(new Error('broken'), { mine: true });
async function* fails() { yield 'half'; throw broken(); }
const failing = { generator: fails, readable: () => new Readable({ read() { this.destroy(broken()); } }), web: () => new ReadableStream({ pull(control) { control.error(broken()); } }) };
let n = (await collect(session.events())).length;
for (const [kind, make] of Object.entries(failing)) {
  for (const key of [undefined, kind]) {
    await assert.rejects(session.run(['sh', '-c', 'cat; sleep 60'], { input: make(), key }), (problem) => problem.mine);
    assert.equal((await ended(session, ++n)).exitStatus, 137, kind);
  }
}
for (const wrong of [7, null, 'half \\ud800', ['x']]) {
  await assert.rejects(session.run(['cat'], { input: generated([wrong]) }), ambit.Malformed);
  assert.equal((await ended(session, ++n)).exitStatus, 137);
}
await assert.rejects(session.run(['cat'], { input: ['x'] }), ambit.Malformed);
mute.locked || mute.getReader();
await assert.rejects(session.run(['cat'], { input: mute }), ambit.Malformed);

// it is aborted under way, or refused before
for (const key of [undefined, 'aborted']) {
  const open = new Readable({ read() {} });
  open.push('x');
  await assert.rejects(session.run(['sh', '-c', 'cat; sleep 60'], { input: open, key, signal: AbortSignal.timeout(400) }), { name: 'TimeoutError' });
  assert.equal((await ended(session, ++n)).exitStatus, 137);
  assert.ok(open.destroyed);
}
const unread = Readable.from(['x']);
await assert.rejects(session.run(['cat'], { input: unread, signal: AbortSignal.abort() }), { name: 'AbortError' });
assert.ok(unread.destroyed);

// what another has begun has what that one gives it
const first = await session.start(['cat'], { input: true, key: 'once' });
const second = session.run(['cat'], { input: generated(['second']), key: 'once' });
await sleep(300);
await first.write('first', { end: true });
const again = await second;
assert.deepEqual([again.text, again.replayed], ['first', true]);
await session.end();
""", patience=4 * PATIENCE)


@always
def a_start_that_is_aborted_leaves_nothing(place):
    """Before it has begun, while it does, and afterwards; what has a key of the caller's goes on, as does what was closed."""
    with Served(place) as s:
        runs(place, s, """
const session = await ambit.session();
const slow = ['sleep', '60'];
await assert.rejects(session.start(slow, { signal: AbortSignal.abort() }), { name: 'AbortError' });
assert.equal((await collect(session.events())).length, 0, 'what was aborted before was begun');
let began = 0;
for (const ms of [0, 1, 2, 3, 4, 6, 8, 12, 16, 32]) {
  for (const more of [{}, { input: true }, { terminal: true }]) {
    const signal = AbortSignal.timeout(ms);
    try {
      const event = await session.start(slow, { signal, background: true, ...more });
      began++;
      assert.equal((await event.wait()).exitStatus, 137);
    } catch (problem) {
      assert.equal(problem, signal.reason);
    }
  }
}
for (const row of await collect(session.events())) assert.ok((await ended(session, row.n)).over);
const control = new AbortController();
const event = await session.start(['sh', '-c', 'echo begun; sleep 60'], { signal: control.signal });
for await (const line of event.lines()) {
  assert.equal(line.data.toString(), 'begun\\n');
  control.abort();
}
assert.equal((await event.wait()).exitStatus, 137);
for (const [how, key] of [['key', 'mine'], ['close', undefined], ['over', undefined]]) {
  const kept = new AbortController();
  const one = await session.start(['sh', '-c', 'sleep 0.5; echo went on'], { signal: kept.signal, key });
  if (how === 'close') one.close();
  if (how === 'over') await one.wait();
  kept.abort();
  const result = await ended(session, one.n);
  assert.deepEqual([result.exitStatus, (await session.read(one.n, 'stdout')).toString()], [0, 'went on\\n'], how);
}
const shared = new AbortController(); // one for many: Node does not warn
const many = await Promise.all(Array.from({ length: 12 }, () => session.start(slow, { background: true, signal: shared.signal })));
shared.abort();
assert.deepEqual((await Promise.all(many.map((one) => one.wait()))).map((result) => result.exitStatus), many.map(() => 137));
await session.end();
""", patience=3 * PATIENCE)


@always
def what_is_not_usual_is_a_field(place):
    """Flagged, and held; why stands in the record. The twin: what is usual."""
    with Served(place) as s:
        runs(place, s, """
const client = await ambit.connect();
const session = await client.session({ policy: { version: 1, profile: 'ask', agent: 'field', grants: [{ work: '.' }] } });
for (let i = 0; i < 6; i++) {
  const one = await session.run(['sh', '-c', 'true']);
  assert.deepEqual([one.unusual, one.held], [false, false]);
}
const odd = await session.run(['sh', '-c', '/usr/bin/env true; echo x > made']).catch((problem) => problem.result);
assert.deepEqual([odd.unusual, odd.held, odd.exitStatus], [true, true, 123]);
await client.close();
""")


@always
def labels_go_in_and_come_out(place):
    """Of a command, code, a kernel and what is followed; what nobody knows is not taken for none."""
    with Served(place) as s:
        runs(place, s, """
const client = await ambit.connect();
const fresh = () => client.session();
const plain = await fresh();
assert.deepEqual([(await plain.run(['true'])).labels, (await plain.python('1')).labels], [[], []]);
const first = await fresh();
const given = await first.run(['echo', 'one'], { labels: ['untrusted', 'private'] });
assert.deepEqual(given.labels, ['private', 'untrusted']);
assert.deepEqual((await first.run(['true'])).labels, given.labels); // of its stream
assert.deepEqual((await (await fresh()).python('1', { labels: given.labels })).labels, given.labels);
const event = await (await fresh()).start(['cat'], { input: true, labels: ['mail'] });
assert.equal((await event.show()).labels, null);
await event.write('', { end: true });
assert.deepEqual((await event.wait()).labels, ['mail']);
const session = await fresh();
const kernel = await session.kernel('python', { labels: ['private'] });
assert.equal((await kernel.run('1')).value, 1);
assert.deepEqual((await kernel.end()).labels, ['private']);
for (const [labels, says] of [[['Private'], /not the name of a label/], [['none'], /not the name of a label/], ['private', /list of names/], [null, /not known/], [['a,b'], /not the name/],
  [Array.from({ length: 9 }, (_, i) => `l${i}`), /8/]])
  await assert.rejects(plain.run(['true'], { labels }), (problem) => problem instanceof ambit.AmbitError && says.test(problem.message), `${labels}`);
""")


COUNTS = """
const COUNTS = ['sh', '-c', 'while :; do echo x; sleep 0.01; done'];
const written = async (event) => (await event.show()).row.stdout_bytes;
const stands = async (...events) => {
  const before = await Promise.all(events.map(written));
  await sleep(%d);
  assert.deepEqual(await Promise.all(events.map(written)), before, 'it goes on');
};
const goesOn = async (...events) => {
  for (const event of events) {
    const before = await written(event);
    while ((await written(event)) === before) await sleep(20);
  }
};
""" % (SLOW * 300)


def what_is_frozen_stands_until_it_is_thawed_or_killed(place):
    """By a session, an event and a client."""
    with Served(place) as s:
        runs(place, s, COUNTS + """
const client = await ambit.connect();
const [session, other] = [await client.session(), await client.session()];
const [mine, beside, far] = [await session.start(COUNTS), await session.start(COUNTS, { background: true }), await other.start(COUNTS)];
const halted = (before, events, cancelled = 0) => ({ before, events, cancelled });
const refused = (where, why) => assert.rejects(where.run(['true']), (problem) => problem instanceof ambit.Frozen && problem instanceof ambit.AmbitError && problem.code === 'FROZEN' &&
  problem.why.includes(why));
await goesOn(mine, beside, far);
assert.deepEqual([await session.freeze({ reason: 'have a look' }), await session.freeze()], [halted(false, 2), halted(true, 2)]);
await stands(mine, beside);
await refused(session, 'have a look');
await goesOn(far);
assert.deepEqual([await session.thaw(), await session.thaw()], [halted(true, 2), halted(false, 2)]);
await goesOn(mine, beside);
assert.deepEqual(await mine.freeze({ reason: 'one' }), halted(false, 1));
await stands(mine);
await goesOn(beside, far);
assert.deepEqual(await mine.thaw(), halted(true, 1));
assert.deepEqual(await client.freezeAll({ reason: 'night' }), halted(false, 3));
await stands(mine, beside, far);
await refused(other, 'night');
assert.deepEqual(await client.thawAll(), halted(true, 3));
await goesOn(mine, beside, far);
await assert.rejects(session.freeze({ why: 'x' }), ambit.Malformed);
await assert.rejects(session.freeze({ keepFrozen: true }), ambit.Malformed);
await assert.rejects(session.freeze({ reason: 'x'.repeat(201) }), ambit.Limit);
const waits = await session.start(['true']);
assert.deepEqual(await session.kill({ keepFrozen: true, reason: 'enough' }), halted(false, 2, 1));
assert.deepEqual([(await mine.wait()).exitStatus, (await beside.wait()).exitStatus, (await waits.wait()).ok], [137, 137, false]);
await goesOn(far);
await refused(session, 'enough');
assert.deepEqual(await session.thaw(), halted(true, 0));
assert.ok((await session.run(['true'])).ok);
assert.deepEqual(await client.killAll(), halted(false, 1));
assert.equal((await far.wait()).exitStatus, 137);
assert.ok((await other.run(['true'])).ok);
""")


def a_narrowed_connection_freezes_its_session_alone(place):
    with Served(place) as s:
        runs(place, s, COUNTS + """
const client = await ambit.connect();
const [session, other] = [await client.session(), await client.session()];
const [mine, far] = [await session.start(COUNTS), await other.start(COUNTS)];
await goesOn(mine, far);
const { Connection } = await import(new URL('link.js', %r));
const narrowed = new Connection(20000, false);
const ask = async (method, params) => {
  await narrowed.ensure();
  return narrowed.ask(method, params);
};
for (const one of [session, other]) await ask('session.open', { session: one.id });
await ask('session.narrow', { session: session.id });
for (const method of ['freeze', 'kill', 'thaw']) {
  await assert.rejects(ask(method, { everything: true }), ambit.Denied);
  await assert.rejects(ask(method, { session: other.id }), ambit.NotFound);
}
await goesOn(mine, far);
assert.equal((await ask('freeze', { session: session.id })).events, 1);
await stands(mine);
await goesOn(far);
assert.equal((await ask('kill', { session: session.id })).events, 1);
assert.equal((await mine.wait()).exitStatus, 137);
await goesOn(far);
narrowed.close();
""" % f"file://{place.given(1)}/src/")


SCENARIOS = [the_examples_of_its_readme_run, in_a_cell_it_starts_sub_agents, its_units_hold, its_types_hold, its_packages_are_installed_without_a_network, output_and_input_are_whole, kernels_keep_what_was_declared, mistakes_are_exceptions, what_is_not_usual_is_a_field, labels_go_in_and_come_out, why_an_event_ended_is_told, a_narrowed_connection_freezes_its_session_alone, what_is_frozen_stands_until_it_is_thawed_or_killed,
             a_daemon_that_is_killed_is_found_again, many_at_once_run_at_once, sending_and_hearing_much_at_once_goes_on,
             streams_wait_for_who_reads_them_and_not_for_each_other, who_aborts_can_go_on, input_comes_from_streams,
             a_start_that_is_aborted_leaves_nothing, what_was_taken_is_not_taken_again, whoever_starts_the_daemon_is_not_its_parent,
             it_ends_when_nothing_is_awaited, programs_that_are_no_modules_have_it_too]

if __name__ == "__main__":
    main(SCENARIOS)
