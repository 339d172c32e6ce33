#!/usr/bin/env python3
"""The Node client with a daemon that lies, is silent, or is another's, with connections that are cut at the worst moment, and with code whose result is a lie.

usage: node_hostile.py AMBIT PACKAGE    (TAP on standard output; as root some run a second time as an ordinary user; AMBIT_TEST_NODE names another node)
"""

import base64
import contextlib
import json
import os
import signal
import socket
import time

import python_hostile
from harness import ORDINARY, PATIENCE, SLOW, always, main, rooted
from node_client import runs
from python_hostile import LIES, ROW, Cut, Lying, S, always_says, answer, note, silenced, told_of
from sessions import Served

EVENT = ROW["event"]

# What python_hostile does with its client, for ours.
DO = {python_hostile.run: "(s) => s.run(['true'])", python_hostile.wait: "async (s) => (await s.start(['true'])).wait()"}
BY_METHOD = {"event.follow": "async (s) => (await s.event(1)).wait()", "event.read": "(s) => s.record(1)", "event.list": "(s) => collect(s.events())", "freeze": "(s) => s.freeze()"}

WAIT, STREAM = DO[python_hostile.wait], "async (s) => { const e = await s.start(['true']); await Promise.all([text(e.stdout), text(e.stderr)]); }"


def deep(levels):
    return b"[" * levels + b"]" * levels


def begun(number, *notes):
    return answer(number, {"n": 1, "event": EVENT, "replayed": False, "row": None}) + b"".join(notes)


def ended(**more):
    return note("event.ended", session=S, **{**ROW, **more})


MORE = [  # the same, of ours: what it is, of which request, what is said, and what is done then
    ("nothing, and the end", "event.run", lambda n, _: None, WAIT),
    ("a line of 5 MiB that is no message", "event.run", always_says(b'"' + b"x" * (5 << 20) + b'"\n'), WAIT),
    ("depth in a result", "session.new", lambda n, _: b'{"id":%d,"result":{"session":"%s","x":%s}}\n' % (n, S.encode(), deep(100000)), WAIT),
    ("depth without an end", "session.new", lambda n, _: b'{"id":%d,"result":' % n + b'{"a":' * 1000000 + b"\n", WAIT),
    ("a million of nothing", "session.new", lambda n, _: b'{"id":%d,"result":{"x":[%s1]}}\n' % (n, b"[]," * 1000000), WAIT),
    ("an inherited result", "session.new", lambda n, _: b'{"id":%d,"__proto__":{"result":{"session":"s"}}}\n' % n, WAIT),
    ("an inherited session", "session.new", lambda n, _: b'{"id":%d,"result":{"__proto__":{"session":"s"}}}\n' % n, WAIT),
    ("a number that is none", "event.run", lambda n, _: answer(n, {"n": 1.5, "event": EVENT}), WAIT),
    ("a number that is too large", "event.run", lambda n, _: answer(n, {"n": 1 << 60, "event": EVENT}), WAIT),
    ("an answer to nothing", "event.run", lambda n, _: answer(n + 1, {}) + answer(n, {"n": 1, "event": EVENT}), WAIT),
    ("a gap", "event.run", lambda n, _: begun(n, note("event.output", session=S, n=1, stream="stdout", offset=0, data="x"),
                                              note("event.output", session=S, n=1, stream="stdout", offset=2, data="x")), WAIT),
    ("a gap in a stream", "event.run", lambda n, _: begun(n, note("event.output", session=S, n=1, stream="stderr", offset=3, data="x")), STREAM),
    ("the same twice", "event.run", lambda n, _: begun(n, *[note("event.output", session=S, n=1, stream="stdout", offset=0, data="x")] * 2), STREAM),
    ("a stream of Object's", "event.run", told_of(stream="constructor"), WAIT),
    ("nothing, as output", "event.run", told_of(data=""), WAIT),
    ("output of no UTF-8", "event.run", lambda n, _: begun(n) +
     b'{"method":"event.output","params":{"session":"%s","n":1,"stream":"stdout","offset":0,"data":"\xc3\x28"}}\n' % S.encode(), STREAM),
    ("an end of a text", "event.run", lambda n, _: begun(n, ended(exit_status="0")), WAIT),
    ("an end of a text, in a stream", "event.run", lambda n, _: begun(n, ended(stdout_bytes="0")), STREAM),
    ("less than it is", "event.run", lambda n, _: begun(n, ended(stdout_bytes=7)), WAIT),
    ("less than it is, in a stream", "event.run", lambda n, _: begun(n, ended(stderr_bytes=7)), STREAM),
    ("a size that is none", "event.run", lambda n, _: answer(n, {"row": {**ROW, "stdout_bytes": -1}}), DO[python_hostile.run]),
    ("sizes without an end", "event.run", lambda n, _: answer(n, {"row": {**ROW, "stdout_bytes": 1 << 50}}), DO[python_hostile.run]),
    ("a record that is none", "event.read", lambda n, r: answer(n, {"offset": r["params"]["offset"], "data": "[" if r["params"]["offset"] == 0 else "", "size": 1}),
        "(s) => s.changes(1)"),
    ("it is lost again and again, in a stream", "event.follow", lambda n, _: answer(n, {}) + note("event.lost", session=S, n=1, error={}),
     "async (s) => text((await s.event(1)).stderr)"),
]

REFUSED = """
let client;
let result;
const before = Date.now();
process.on('unhandledRejection', (problem) => { console.log('unhandled', problem); process.exit(2); });
try {
  client = await ambit.connect({ patience: %d });
  result = await (%s)(await client.session());
} catch (problem) {
  assert.ok(problem instanceof ambit.AmbitError && problem.code && problem.what && problem.message, String(problem.stack));
  console.log('refused', problem.name);
}
client?.close();
if (result !== undefined) console.log('believed', JSON.stringify(result).slice(0, 300));
assert.equal({}.session, undefined);
assert.ok(Date.now() - before < %d, 'it took too long');
"""


@always
def who_lies_is_not_believed(place):
    with Lying(place) as daemon:
        for done in (*DO.values(), STREAM.replace("text(e.stderr)]);", "text(e.stderr)]); return e.wait();")):  # the twin: who does not lie is
            daemon.answers = {"event.run": lambda n, _: answer(n, {"n": 1, "event": EVENT, "replayed": False, "row": ROW}) + ended()}
            assert runs(place, daemon, REFUSED % (SLOW * 20000, done, SLOW * 20000)).startswith("believed"), done
        rows = [(name, method, lie, DO.get(do) or BY_METHOD[method]) for name, method, lie, do in LIES] + MORE
        for name, method, lie, done in rows:
            daemon.answers = {method: lie}
            what = runs(place, daemon, REFUSED % (SLOW * 20000, done, SLOW * 20000))
            assert what.startswith("refused"), f"{name}: {what}"


class Breaking(Lying):
    """Ends in the middle of what it says to one method."""

    breaks = None

    def serve(self, conn):
        with conn, contextlib.suppress(OSError), conn.makefile("rb") as file:
            for line in file:
                request = json.loads(line)
                self.asked.append(request["method"])
                says = self.answers.get(request["method"], self.honest)(request["id"], request)
                conn.sendall(says[:len(says) // 2] if request["method"] == self.breaks else says)
                if request["method"] == self.breaks:
                    conn.shutdown(socket.SHUT_RDWR)
                    return


def who_ends_in_the_middle_of_a_line_is_given_up(place):
    """After some times. A line that is long and whole is heard."""
    with Breaking(place) as daemon:
        daemon.answers = {"daemon.status": lambda n, _: answer(n, {"filler": "x" * (9 << 20)})}
        runs(place, daemon, "assert.equal((await (await ambit.connect()).status()).filler.length, 9 << 20);")
        for method, does in (("hello", "async () => client.status()"), ("session.new", "async () => client.session()"), ("daemon.status", "async () => client.status()"),
                             ("event.run", "async () => (await client.session()).start(['true'])"), ("event.run", "async () => (await client.session()).run(['true'])")):
            daemon.breaks, daemon.asked = method, []
            runs(place, daemon, "const client = new ambit.Client();\nawait assert.rejects(%s, (problem) => problem.constructor === ambit.Lost);" % does)
            assert daemon.asked.count(method) == 5, daemon.asked


def pages_without_an_end_are_not_asked_for(place):
    """An empty page that has more behind it is the last."""
    with Lying(place) as daemon:
        daemon.answers = {"session.list": lambda n, _: answer(n, {"sessions": [], "more": True}), "event.list": lambda n, _: answer(n, {"events": [], "more": True})}
        runs(place, daemon, """
const client = await ambit.connect();
assert.deepEqual(await collect(client.sessions()), []);
assert.deepEqual(await collect((await client.session()).events()), []);
""")
        assert daemon.asked.count("session.list") == 1 == daemon.asked.count("event.list"), daemon.asked


def what_is_answered_twice_is_no_answer_to_another(place):
    with Lying(place) as daemon:
        daemon.answers = {"daemon.status": lambda n, _: answer(n, {"first": n}) + answer(n, {"second": n}) + answer(n, {"third": n})}
        assert int(runs(place, daemon, """
const client = await ambit.connect();
let refused = 0;
for (let i = 0; i < 20; i++) {
  try { assert.deepEqual(Object.keys(await client.status()), ['first']); } catch (problem) { if (!(problem instanceof ambit.Untrue)) throw problem; refused++; }
  await sleep(2);
}
console.log(refused);
""")) >= 0
        assert daemon.asked.count("hello") > 5, "who answers twice was listened to"


def who_is_silent_is_not_waited_for(place):
    """But an event is: its answer takes as long as it takes."""
    with Lying(place) as daemon:
        for method in ("hello", "daemon.status"):
            daemon.answers, daemon.asked = {method: always_says(b"")}, []
            runs(place, daemon, """
const asks = async () => (await ambit.connect({ patience: 500 })).status();
await assert.rejects(asks, (problem) => problem instanceof ambit.Silent && problem.code === 'GONE');
""")
            assert daemon.asked.count(method) == 1, "asked again, though nobody answered"

        def late(number, _):
            time.sleep(1.5)
            return answer(number, {"n": 1, "event": "e", "replayed": False, "row": ROW})

        daemon.answers = {"event.run": late}
        runs(place, daemon, "const c = await ambit.connect({ patience: 500 });\nassert.ok((await (await c.session()).run(['true'])).ok);")
        daemon.answers = {"event.run": lambda n, r: b"" if r["params"].get("wait") else None}  # and who gives up does not wait for long
        runs(place, daemon, """
const session = await (await ambit.connect()).session();
const before = Date.now();
await assert.rejects(session.run(['true'], { signal: AbortSignal.timeout(200) }), { name: 'TimeoutError' });
assert.ok(Date.now() - before < 9000);
""")


def what_was_begun_without_an_answer_is_cancelled(place):
    """The daemon begins it and does not say so: who aborts asks for it by its key, and cancels what that says."""
    for more in ("{}", "{ input: true }", "{ terminal: true }"):
        with Lying(place) as daemon:
            begins, cancelled = [], []

            def begin(number, request):
                begins.append(request["params"])
                return b"" if len(begins) == 1 else begun(number)

            def cancel(number, request):
                cancelled.append(request["params"])
                return answer(number, {})

            daemon.answers = {"event.run": begin, "event.cancel": cancel}
            runs(place, daemon, """
const session = await (await ambit.connect()).session();
await assert.rejects(session.start(['sleep', '60'], { signal: AbortSignal.timeout(300), ...%s }), { name: 'TimeoutError' });
""" % more)
            first, second = ({k: v for k, v in params.items() if k != "follow"} for params in begins)
            assert first == second and first["key"], (first, second)
            assert cancelled == [{"session": S, "n": 1}], cancelled
            begins.clear()
            cancelled.clear()
            runs(place, daemon, """
const session = await (await ambit.connect()).session();
await assert.rejects(session.start(['sleep', '60'], { key: 'mine', signal: AbortSignal.timeout(300), ...%s }), { name: 'TimeoutError' });
""" % more)
            assert len(begins) == 1 and not cancelled, "it has a key, and is found by that"


def a_promise_is_kept_or_broken(place):
    """Whatever is awaited when the connection ends, or is closed here, is told."""
    with Lying(place) as daemon:
        dead = []

        def silent_and_gone(number, _):
            time.sleep(0.3)
            dead.append(number)

        daemon.answers = {"daemon.status": silent_and_gone, "event.run": lambda n, r: begun(n) if not r["params"].get("wait") else silent_and_gone(n, r),
            "event.follow": silent_and_gone,
                          "event.input": silent_and_gone, "event.signal": silent_and_gone, "event.list": silent_and_gone}
        runs(place, daemon, """
const client = await ambit.connect();
const session = await client.session();
const event = await session.start(['cat'], { input: true });
const streamed = await session.start(['cat'], { input: true });
const errors = [];
streamed.stdin.on('error', (problem) => errors.push(problem.name));
streamed.stdin.write('x');
const all = await Promise.allSettled([client.status(), client.status(), session.run(['true']), session.run(['true'], { input: 'x' }), event.write('x'), event.kill(), event.wait(),
  text(streamed.stdout), text(streamed.stderr), streamed.wait(), collect(session.watch()), collect(session.events())]);
assert.deepEqual(all.map((one) => [one.status, one.reason?.name]), all.map(() => ['rejected', 'Lost']));
assert.deepEqual(errors, ['Lost']);
""", patience=2 * PATIENCE)
        daemon.answers = {method: always_says(b"") for method in daemon.answers} | {"event.run": lambda n, r: b"" if r["params"].get("wait") else begun(n)}
        runs(place, daemon, """
const client = await ambit.connect();
const session = await client.session();
const event = await session.start(['cat'], { input: true });
const pending = [client.status(), session.run(['true']), collect(session.events())];
const late = [event.write('x'), event.kill(), text(event.stdout), event.wait()];
await sleep(200);
client.close();
event.close();
const all = await Promise.allSettled([...pending, ...late]);
assert.deepEqual(all.map((one) => [one.status, one.reason?.name]), all.map(() => ['rejected', 'Closed']));
const other = await ambit.connect();
const opening = new ambit.Client();
const asked = opening.status();
opening.close();
await assert.rejects(asked, ambit.Closed);
other.close();
""")


def floods_are_not_kept(place):
    """Notes that nobody asked for, without end, of whatever form: of each connection no more than 4 MiB are held."""
    with Lying(place) as daemon:
        pieces = [note("event.output", session=S, n=7, stream="stdout", offset=0, data="x" * 4000) * 2500,
                  note("event.changed", session=S, filler=["y" * 60] * 10000) * 40]
        for piece in pieces:
            daemon.answers = {"event.show": lambda n, _, piece=piece: piece * 3 + answer(n, ROW), "daemon.status": lambda n, _, piece=piece: piece * 3 + answer(n, {})}
            runs(place, daemon, """
const client = await ambit.connect();
const session = await client.session();
const event = await session.start(['true']);
await event.show();
const before = process.memoryUsage();
for (let i = 0; i < 3; i++) { await event.show(); await client.status(); }
globalThis.gc();
const after = process.memoryUsage();
const grown = after.heapUsed + after.external - before.heapUsed - before.external;
assert.ok(grown < 24 << 20, `${grown} bytes more`);
""", "--expose-gc", patience=2 * PATIENCE)


def who_does_not_take_is_not_sent_more(place):
    """Behind what is held for it, no more is read of what a program writes, by iterating and by streams."""
    class Counted(Cut):
        sent = 0

        def back(self, source, to, gone):
            with contextlib.suppress(OSError):
                while piece := source.recv(65536):
                    to.sendall(piece)
                    Counted.sent += len(piece)
                to.shutdown(socket.SHUT_RDWR)

    with Served(place) as s:
        s.ambit("session", "list")
        with Counted(place, s, "nothing") as counted:
            for first in ("for await (const chunk of event) { seen += chunk.data.length; if (seen === chunk.data.length) await sleep(1500); }",
                          "for await (const piece of event.stdout) { seen += piece.length; if (seen === piece.length) await sleep(1500); }"):
                Counted.sent = 0
                held = []
                signal.signal(signal.SIGUSR1, lambda *_, held=held: held.append(Counted.sent))
                runs(place, counted, """
const session = await ambit.session();
const event = await session.start(['sh', '-c', 'head -c 20000000 /dev/zero | tr "\\\\0" x']);
let seen = 0;
setTimeout(() => process.kill(%d, 'SIGUSR1'), 1200);
%s
assert.equal(seen, 20000000);
await session.end();
""" % (os.getpid(), first))
                assert len(held) == 1 and 0 < held[0] < 2 << 20 and Counted.sent >= 20000000, (held, Counted.sent)


@rooted
def another_users_socket_is_not_spoken_to(place):
    """Nor one that another user could have put there, nor a link."""
    denied = "await assert.rejects(ambit.connect(), (problem) => (console.log(problem.message), problem instanceof ambit.Denied && problem.hint !== null));"
    with Lying(place) as daemon:
        path, directory = f"{daemon.top}/ambit/rpc.sock", f"{daemon.top}/ambit"
        runs(place, daemon, "await (await ambit.connect()).status();")  # the twin
        assert daemon.asked == ["hello", "daemon.status"]
        for mode in (0o770, 0o702, 0o777, 0o1777):
            os.chmod(directory, mode)
            assert "other users can put" in runs(place, daemon, denied), oct(mode)
        os.chmod(directory, 0o700)
        for mode, good in ((0o777, False), (0o1777, True), (0o770, False)):
            os.chmod(daemon.top, mode)
            runs(place, daemon, "await ambit.connect();" if good else denied)
        os.chmod(daemon.top, 0o700)
        for of in (path, directory):
            os.chown(of, ORDINARY, ORDINARY)
            assert "another user's" in runs(place, daemon, denied), of
            os.chown(of, 0, 0)
        os.rename(path, f"{directory}/real")
        os.symlink("real", path)
        assert "a link" in runs(place, daemon, denied)
        os.unlink(path)
        os.rename(f"{directory}/real", path)
        os.rename(directory, f"{directory}.real")
        os.symlink("ambit.real", directory)
        assert "a link" in runs(place, daemon, denied)
        os.unlink(directory)
        os.rename(f"{directory}.real", directory)
        asked = len(daemon.asked)
        runs(place, daemon, "await (await ambit.connect()).status();")
        assert len(daemon.asked) == asked + 2
        silenced(daemon.listener)
        os.unlink(path)
        os.chmod(daemon.top, 0o755)
        os.chmod(directory, 0o777)
        above = os.path.dirname(daemon.top)
        mode = os.stat(above).st_mode
        os.chmod(above, 0o755)
        child = os.fork()
        if child == 0:
            signal.alarm(SLOW * 10)
            with contextlib.suppress(BaseException):
                os.chdir(directory)
                os.setgid(ORDINARY)
                os.setuid(ORDINARY)
                listener = socket.socket(socket.AF_UNIX)
                listener.bind("rpc.sock")
                listener.listen(8)
                listener.settimeout(SLOW * 3)
                listener.accept()
                os._exit(1)  # it was come to
            os._exit(0)
        try:
            end = time.monotonic() + SLOW * 10
            while not os.path.exists(path):
                assert time.monotonic() < end
                time.sleep(0.02)
            time.sleep(0.2)
            assert "another user's" in runs(place, daemon, denied)
        finally:
            _, status = os.waitpid(child, 0)
            os.chmod(above, mode)
        assert os.waitstatus_to_exitcode(status) == 0, "it was connected to"


# ---- connections that are cut ----


@always
def what_was_begun_is_not_begun_again(place):
    with Served(place) as s:
        s.ambit("session", "list")
        for number, key in enumerate(("undefined", "'mine'")):
            with Cut(place, s, "event.run") as cut:
                cut.tree = s.tree
                runs(place, cut, """
const session = await ambit.session({ work: '.' });
const result = await session.run(['sh', '-c', 'echo once >> log; cat log'], { key: %s });
assert.deepEqual([result.text, result.replayed], ['once\\n'.repeat(%d), true]);
assert.deepEqual((await collect(session.events())).map((row) => row.n), [1]);
await session.end();
""" % (key, number + 1))
                assert cut.left == 0
        with Cut(place, s, "event.run") as cut:
            runs(place, cut, """
const session = await ambit.session();
const event = await session.start(['sh', '-c', 'echo once; cat'], { input: true });
event.stdin.end('x');
assert.deepEqual([event.replayed, await text(event.stdout), (await collect(session.events())).length], [true, 'once\\nx', 1]);
await session.end();
""")
        with Cut(place, s, "session.new") as cut:
            runs(place, cut, """
const session = await ambit.session({ agent: 'cut' });
assert.deepEqual((await collect(session.client.sessions())).filter((row) => row.agent === 'cut').map((row) => row.session), [session.id]);
await session.end();
""")


def what_may_have_arrived_is_not_sent_twice(place):
    with Served(place) as s:
        s.ambit("session", "list")
        with Cut(place, s, "event.input") as cut:
            runs(place, cut, """
const session = await ambit.session();
const event = await session.start(['cat'], { input: true });
await assert.rejects(event.write('one\\n'), (problem) => problem instanceof ambit.Lost && /not known/.test(problem.message) && problem.hint !== null);
await event.write('two\\n', { end: true });
assert.equal((await event.wait()).text, 'one\\ntwo\\n');
await session.end();
""")
        with Cut(place, s, "event.signal") as cut:
            runs(place, cut, """
const session = await ambit.session();
const event = await session.start(['sh', '-c', 'trap "echo heard" USR1; echo ready; read x; read x'], { input: true });
const lines = event.lines();
await lines.next();
await assert.rejects(event.kill('USR1'), ambit.Lost);
await event.write('\\n\\n', { end: true });
assert.deepEqual((await collect(lines)).map((line) => line.data.toString()), ['heard\\n']);
await session.end();
""")


def what_is_followed_goes_on_at_its_byte(place):
    """Cut again and again while it comes, each byte comes once; also where one stream waits for the other."""
    with Served(place) as s:
        s.ambit("session", "list")
        with Cut(place, s, "event.show") as cut:
            cut.left, times = 0, [0]

            def once_more(*_):
                cut.left, times[0] = 1, times[0] + 1

            signal.signal(signal.SIGUSR1, once_more)
            runs(place, cut, """
const session = await ambit.session();
const wanted = Array.from({ length: 300000 }, (_, i) => `${i + 1}\\n`).join('');
const event = await session.start(['sh', '-c', 'seq 1 300000']);
const cut = async () => { process.kill(%d, 'SIGUSR1'); await sleep(50); };
let found = '', times = 0;
for await (const chunk of event) {
  assert.equal(chunk.offset, found.length);
  found += chunk.data;
  if (times < 3 && found.length > times * 300000) { times++; await cut(); await event.show(); }
}
assert.ok(times === 3 && found === wanted && (await event.wait()).ok);
const both = await session.start(['sh', '-c', 'seq 1 300000 & seq 1 300000 >&2; wait']);
const slowly = async (stream) => { let all = '', n = 0; for await (const piece of stream) { all += piece; if (++n %% 8 === 0) await sleep(10); } return all; };
const shows = (async () => { for (let i = 0; i < 3; i++) { await sleep(50); await cut(); await both.show(); } })();
const [out, err] = await Promise.all([slowly(both.stdout), text(both.stderr), shows]);
assert.ok(out === wanted && err === wanted, 'a piece is missing, or there twice');
await session.end();
""" % os.getpid(), patience=2 * PATIENCE)
            assert cut.left == 0 and times == [6], (cut.left, times)


# ---- code: a daemon is played that has event.code, since what is tried is what a program wrote and not how it is run ----


class Coding(Lying):
    """Answers event.code with this document, by pages of a few bytes."""

    def __init__(self, place, document=b"", **row):
        super().__init__(place)
        self.says(document, **row)

    def says(self, document, out=b"out\xff", record=b'{"effects":[]}', **row):
        self.kept = {"result": document, "stdout": out, "stderr": b"", "record": record}
        self.row = {**ROW, "kind": "python", "stdout_bytes": len(out), "result_bytes": len(document), **row}
        self.answers = {"event.code": self.code, "event.read": self.read}
        self.asked_for = []

    def code(self, number, request):
        self.asked_for.append(request["params"])
        if request["params"].get("wait"):
            return answer(number, {"n": 1, "event": EVENT, "replayed": False, "row": self.row})
        return begun(number, note("event.output", session=S, n=1, stream="stdout", offset=0, data={"b64": base64.b64encode(self.kept["stdout"]).decode()}),
                     note("event.ended", session=S, **self.row))

    def read(self, number, request):
        params = request["params"]
        at = params.get("offset", 0)
        piece = self.kept[params["stream"]][at:at + min(params["bytes"], 100000)]
        return answer(number, {"offset": at, "data": {"b64": base64.b64encode(piece).decode()}, "size": len(self.kept[params["stream"]])})


DOCUMENT = {"v": 1, "value": {"text": "42", "type": "int", "json": 42},
            "displays": [{"mime": "text/html", "data": "<b>"}, {"mime": "image/png", "data": "iVBORw0KGgo="}, {"mime": "image/svg+xml", "data": "<svg"}],
            "error": {"type": "E", "message": "m", "line": 3, "column": 5, "source": "1/0", "frames": [{"file": "<code>", "line": 3, "function": "f", "source": "1/0"}],
                "traceback": "t"}}


def what_code_leaves_is_told(place):
    """Its value, what it displayed, its error, its output, what it changed; and it is asked for as doc/PROTOCOL.md has it."""
    changes = {"effects": [{"kind": "read", "path": "/a", "source": "requested"}, {"kind": "connect", "address": "x", "source": "proved"},
                           {"kind": "added", "path": "/w/a", "source": "proved", "verdict": "allowed", "type": "file", "size": 3},
                           {"kind": "renamed", "path": {"b64": "/w=="}, "from": "/w/c", "source": "proved", "verdict": "allowed"}]}
    with Coding(place) as daemon:
        daemon.says(json.dumps(DOCUMENT).encode(), record=json.dumps(changes).encode(), exit_status=1)
        runs(place, daemon, """
const session = await ambit.session();
for (const options of [{ timeout: 1500, env: { A: 'b' }, key: 'k' }, { input: 'x' }]) {
  const result = await session.python('1/0', options);
  assert.ok(result instanceof ambit.CodeResult && result instanceof ambit.Result);
  assert.deepEqual([result.value, result.text, result.type, result.cut, result.exitStatus, result.stdout.toString('hex'), result.stdoutText], [42, '42', 'int', false, 1,
      '6f7574ff', 'out\\ufffd']);
  assert.deepEqual(result.displays.map((d) => [d.mime, String(d.data.toString('latin1'))]), [['text/html', '<b>'], ['image/png', '\\x89PNG\\r\\n\\x1a\\n'], ['image/svg+xml',
      '<svg']]);
  assert.deepEqual([result.error.line, result.error.column, result.error.frames.length, result.error.frames[0].function], [3, 5, 1, 'f']);
  assert.deepEqual((await result.files()).map((file) => [file.kind, file.path, file.from]), [['added', '/w/a', undefined], ['renamed', Buffer.from([255]), '/w/c']]);
}
await assert.rejects(session.node(Buffer.from([255]), { check: true }),
    (problem) => problem instanceof ambit.EventFailed && /E: m \\(line 3\\)/.test(problem.message) && problem.result.value === 42);
""")
        first, fed, third = daemon.asked_for
        assert {k: first[k] for k in ("language", "source", "limits", "env", "key", "wait", "follow")} == {
            "language": "python", "source": "1/0", "limits": {"wall": "1500ms"}, "env": {"A": "b"}, "key": "k", "wait": True, "follow": False} and "argv" not in first, first
        assert fed["input"] is True and "wait" not in fed and third["source"] == {"b64": "/w=="} and third["language"] == "node"
        daemon.says(b"", kind="shell")
        runs(place, daemon, """
const result = await (await ambit.session()).shell('true', { check: true });
assert.deepEqual([result.value, result.text, result.error, result.displays, result.ok], [undefined, '', null, [], true]);
""")
        daemon.says(json.dumps({"v": 1, "value": {"text": "x", "type": "list", "json": ["\u20ac" * 100000] * 20}, "displays": [], "error": None, "cut": True},
            ensure_ascii=False).encode())
        runs(place, daemon, """
const result = await (await ambit.session()).python('x');
assert.deepEqual([result.value.length, result.value[19].length, result.cut], [20, 100000, true]);
""")


def code_that_lies_is_not_believed(place):
    """What is of another form is told, with what is known of the event; nothing of it gets where it should not."""
    rows = [b"x", b"{", b"[]", b"null", b"{}", b'{"v":2}', b'{"v":1,"value":7}', b'{"v":1,"value":{"text":7}}', b'{"v":1,"displays":7}',
        b'{"v":1,"displays":[{"mime":"image/png","data":{"b64":"AA=="}}]}',
            b'{"v":1,"error":{"line":"3"}}', b'{"v":1,"error":{"frames":[7]}}', b'\xff', b'{"v":1,"x":"\xff"}', b'{"v":1,"value":{"text":"","json":' + deep(100000) + b"}}",
            b'{"v":1,"value":{"text":"","json":[' + b"[]," * 2000000 + b"1]}}", b'{"__proto__":{"v":1}}', b'{"v":1,"cut":"no"}', b"\xef\xbb\xbf{\"v\":1}", b" " * (16 << 20)]
    bad = """
const session = await ambit.session();
await assert.rejects(session.python('x'), (problem) => problem instanceof ambit.BadResult && problem.result instanceof ambit.CodeResult && problem.result.stdout.length === 4 &&
  problem.result.value === undefined && problem.result.exitStatus === 0);
assert.equal(({}).polluted, undefined);
"""
    with Coding(place) as daemon:
        for document in rows:
            daemon.says(document)
            runs(place, daemon, bad, patience=2 * PATIENCE)
        daemon.says(b"{}", result_bytes=(16 << 20) + 1)
        runs(place, daemon, bad)
        daemon.says(b'{"v":1}', result_bytes=8)
        runs(place, daemon, "await assert.rejects((await ambit.session()).python('x'), ambit.NotKept);")
        for size in (None, -1, "1", 1.5):
            daemon.says(b'{"v":1}', result_bytes=size)
            runs(place, daemon, "await assert.rejects((await ambit.session()).python('x'), ambit.Untrue);")
        daemon.says(b'{"v":1,"value":{"text":"","json":{"__proto__":{"polluted":1},"a":{"\\u005f_proto__":{"polluted":1}}}}}')
        runs(place, daemon, """
const { value } = await (await ambit.session()).python('x');
assert.deepEqual([Object.keys(value), Object.keys(value.a), Object.assign({}, value).polluted, ({}).polluted], [['a'], [], undefined, undefined]);
""")
        for record in (b"", b"x", b"[]", b'{"effects":7}', b'{"effects":[{"kind":"added","path":7,"source":"proved"}]}', b'{"effects":[{"kind":"added","source":"proved"}]}'):
            daemon.says(b'{"v":1}', record=record)
            runs(place, daemon, "await assert.rejects((await (await ambit.session()).python('x')).files(), ambit.Untrue);")


SCENARIOS = [who_lies_is_not_believed, what_was_begun_without_an_answer_is_cancelled, who_ends_in_the_middle_of_a_line_is_given_up, pages_without_an_end_are_not_asked_for,
             what_is_answered_twice_is_no_answer_to_another, who_is_silent_is_not_waited_for,
             a_promise_is_kept_or_broken, floods_are_not_kept, who_does_not_take_is_not_sent_more, another_users_socket_is_not_spoken_to,
             what_was_begun_is_not_begun_again, what_may_have_arrived_is_not_sent_twice, what_is_followed_goes_on_at_its_byte, what_code_leaves_is_told,
             code_that_lies_is_not_believed]

if __name__ == "__main__":
    main(SCENARIOS)
