#!/usr/bin/env python3
"""Nothing grows: not over a hundred thousand events, and not by ten gigabytes that one of them writes. A sample of that in each run; with AMBIT_SOAK=20 all of it, by the
ordinary user, and a tenth by root.

usage: session_soak.py AMBIT PACKAGE    (TAP on standard output; as root everything runs a second time as an ordinary user)
"""

import asyncio
import base64
import contextlib
import os
import random
import selectors
import struct
import subprocess
import threading
import time

import left
from harness import PATIENCE, SLOW, always, expect_ok, lock_holders, main, once, sanitized
from python_client import client_of
from rpc_served import Client
from sessions import FILES, FOLLOW, GREW, OVER, RUN, S_PART, SEEN, TAKEN, Served, channel_to, number, of_event, run_bytes

SOAK = int(os.environ.get("AMBIT_SOAK", "0"))
ROOT = os.geteuid() == 0
EVENTS = max(300, (500 if ROOT else 5000) * SOAK)
OUTPUT = (10 << 30) // (10 if ROOT else 1) if SOAK else 64 << 20
SESSIONS = 20      # beside the one that gets half of all events
AT_ONCE = 4        # of these that have events at one time
KEEP_SPACE = 64 << 10  # of a session: two dozen records
KEPT_MOST = 100    # files of a session, with as many kept
STAGES_KEPT_S = 2
SLACK_KIB = 1024   # of a process, over all of it
KEY_BYTES = 16     # of the process of a session, for each event: a digest of its key, and the room that a growing list has
ROLE_KIB = 6 << 10  # of any process of the daemon, whatever is written; of a sanitizer's build nothing is said
OVERSHOOT = 16 << 20  # it is killed for it, and writes on meanwhile


# ---- events ----


class Stream:
    """Events of one session on one channel, one after the other: the next is asked for when the last is over."""

    def __init__(self, served, session, chance, stops):
        self.client, self.channel = channel_to(served, session)
        self.chance, self.done, self.stops = chance, 0, stops
        self.ask()

    def ask(self):
        kind = self.chance.randrange(20)
        argv = ["sh", "-c", f"echo {self.done} > made-{kind}"] if kind < 2 else ["sh", "-c", "echo out; echo err >&2; exit 3"] if kind == 2 else ["true"]
        self.channel.send(S_PART, run_bytes(*argv, key=f"{self.chance.random()}"))
        self.channel.send(RUN, number(1))

    def hear(self):
        what, body, fds = self.channel.receive()
        for fd in fds:
            os.close(fd)
        assert what in (TAKEN, FILES, GREW, OVER), (what, body)
        if what == TAKEN:
            self.channel.send(FOLLOW, of_event(2, struct.unpack_from("<Q", body, 8)[0]))
        elif what == GREW:
            self.channel.send(SEEN, of_event(0, struct.unpack_from("<Q", body)[0]))
        elif what == OVER:
            self.done += 1
            if self.done < self.stops:
                self.ask()

    def is_done(self):
        return self.done >= self.stops

    def close(self):
        self.channel.close()
        self.client.close()


def run_all(streams):
    end = time.monotonic() + SLOW * (PATIENCE + sum(s.stops for s in streams))
    with selectors.DefaultSelector() as waits:
        for stream in streams:
            waits.register(stream.channel.sock, selectors.EVENT_READ, stream)
        while waits.get_map():
            assert time.monotonic() < end, f"stuck: {[(s.done, s.stops) for s in streams]}"
            for key, _ in waits.select(1):
                key.data.hear()
                if key.data.is_done():
                    waits.unregister(key.fileobj)
                    key.data.close()


def many_events(served, one, others, count, chance):
    """Half of them in one session, the rest over the others, some of those at a time."""
    for _ in range(max(1, count // 1000)):
        part = min(count, 1000)
        streams = [Stream(served, one, chance, part // 2)] + [Stream(served, session, chance, part // 2 // AT_ONCE) for session in chance.sample(others, AT_ONCE)]
        run_all(streams)
        left.reap()


# ---- what there is ----


class Count:
    """Of all that could grow."""

    def __init__(self, served, daemon, session_role, reader):
        ledger = lock_holders(os.path.join(served.place.home, "ledger", "lock"))
        named = {"daemon": daemon, "session": session_role, "reader": reader, **({"ledger": ledger[0]} if ledger else {})}
        self.resident = {name: left.resident_kib(pid) for name, pid in named.items()}
        self.descriptors = {name: left.descriptors(pid) for name, pid in (("daemon", daemon), ("session", session_role))}
        self.mounts = {name: len(left.mounts(pid) or ()) for name, pid in (("here", "self"), ("daemon", daemon), ("session", session_role))}
        self.processes = sorted(left.others().values())
        self.runtime = sorted(os.listdir(os.path.join(served.run_dir, "ambit")))
        self.strays = left.strays()

    def __str__(self):
        return f"resident {self.resident} KiB, descriptors {self.descriptors}, mounts {self.mounts}, {len(self.processes)} processes"


def settled(served, daemon, session_role, reader, before=None):
    """When nothing runs. With `before` it waits for what is on its way out; without, until cells that are to wait do: until it looks the same a second later."""
    def look():
        left.reap()
        count = Count(served, daemon, session_role, reader)
        as_it_was = before
        if before is None:
            time.sleep(1)
            as_it_was, count = count, Count(served, daemon, session_role, reader)
        return count if count.descriptors == as_it_was.descriptors and count.processes == as_it_was.processes else None
    with contextlib.suppress(AssertionError):
        return served.until(look, "as many processes and descriptors as before")
    return Count(served, daemon, session_role, reader)


def the_role(name, but=()):
    found = [pid for pid, called in left.descendants().items() if called == name and pid not in but]
    assert len(found) == 1, (name, found)
    return found[0]


def stages(served):
    return len(expect_ok(served.ambit("stage", "list")).stdout.splitlines())


def nothing_grows_over_many_events(place):
    seed = int(os.environ.get("AMBIT_SEED", str(random.randrange(1 << 30))))
    chance = random.Random(seed)
    print(f"# {EVENTS} events, seed {seed}", flush=True)
    left.become_parent()
    groups_before = left.groups()
    with Served(place) as s:
        s.environment["AMBIT_KEEP"] = f"{STAGES_KEPT_S}s"
        words = ("--work", ".", "--keep-space", str(KEEP_SPACE))
        one = s.session(*words)
        others = [s.session(*words) for _ in range(SESSIONS)]
        s.until(lambda: s.status()["sessions_now"] == 0, "those that were made rest")
        keeper, held = channel_to(s, one)  # its process stays
        session_role, daemon = the_role("ambit-session"), s.status()["pid"]
        reader_client = Client(s)
        reader_client.call("session.open", session=one)
        reader_client.call("event.list", session=one, follow=True, **{"from": 1})
        reader = s.until(lambda: one_reader(), "the reader of JSON is there")
        listening = threading.Thread(target=listen, args=(reader_client,), daemon=True)
        listening.start()
        many_events(s, one, others, max(100, EVENTS // 10), chance)  # warm
        s.until(lambda: s.status()["sessions_now"] == 1, "only that one is in use")
        before, first = settled(s, daemon, session_role, reader), left.files_beneath(f"{s.home}/.local/state/ambit")
        begun = time.monotonic()
        many_events(s, one, others, EVENTS, chance)
        took = time.monotonic() - begun
        s.until(lambda: s.status()["sessions_now"] == 1, "only that one is in use")
        after = settled(s, daemon, session_role, reader, before)
        print(f"# {took:.0f} s, {1000 * took / EVENTS:.1f} ms each\n# before: {before}\n# after: {after}", flush=True)
        check_growth(before, after, sanitized(place.ambit))
        check_files(s, one, others, first)
        assert left.strays(before.strays) == [], left.strays(before.strays)
        s.until(lambda: not left.groups_of_nobody(groups_before), "all control groups go")
        held.close()
        keeper.close()
        reader_client.close()
    left.reap()
    s.until(lambda: not left.others(), "all processes go")


def one_reader():
    """The one that somebody uses: the next client's is there, too, and has fewer descriptors. Root sees that; else it is the older."""
    found = sorted(pid for pid, name in left.descendants().items() if name == "ambit-rpc")
    return found[0] if found else None


def listen(client):
    with contextlib.suppress(Exception):  # until it is closed
        while client.hear() is not None:
            pass


def check_growth(before, after, is_sanitized):
    for name, kib in after.resident.items():
        grown = kib - before.resident.get(name, kib)  # the ledger's own may be another by now
        allowed = SLACK_KIB + (EVENTS * KEY_BYTES >> 10 if name == "session" else 0)
        assert is_sanitized or grown <= allowed, f"{name} grew by {grown} KiB, {allowed} allowed; before {before}, after {after}"
    assert after.descriptors == before.descriptors, f"before {before}, after {after}"
    assert after.mounts == before.mounts, f"before {before}, after {after}"
    assert after.processes == before.processes, f"before {before.processes}, after {after.processes}"
    assert after.runtime == before.runtime, (before.runtime, after.runtime)


def check_files(s, one, others, first):
    sessions = f"{s.home}/.local/state/ambit/sessions"
    for session in [one, *others]:
        count = left.files_beneath(f"{sessions}/{session}")
        assert count <= KEPT_MOST, f"{count} files of session {session}"
    time.sleep(STAGES_KEPT_S + 1)
    expect_ok(s.ambit("run", "--session", one, "--", "sh", "-c", "echo last > last"))  # who makes a stage takes away what is too old
    assert stages(s) <= 10, f"{stages(s)} lines of stages, all but the last ones too old"
    print(f"# files beneath the state: {first}, then {left.files_beneath(f'{s.home}/.local/state/ambit')}", flush=True)


# ---- output ----


class Peaks:
    """The most memory of each of our processes, looked at all the time."""

    def __init__(self):
        self.most, self.ends = {}, threading.Event()
        self.thread = threading.Thread(target=self.go_on, daemon=True)

    def look(self):
        for pid, name in left.descendants().items():
            if name.startswith("ambit"):
                self.most[name] = max(self.most.get(name, 0), left.resident_kib(pid))

    def go_on(self):
        while not self.ends.wait(0.05):
            self.look()

    def __enter__(self):
        left.become_parent()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.thread.join()
        left.reap()

    def check(self, place, *names):
        self.look()
        print("# KiB at most: " + ", ".join(f"{name} {kib}" for name, kib in sorted(self.most.items())), flush=True)
        for name in names:
            assert self.most.get(name, 0) > 0, f"{name} was not seen: {self.most}"
        assert sanitized(place.ambit) or all(kib <= ROLE_KIB for kib in self.most.values()), self.most


def writer(size):
    return ["head", "-c", str(size), "/dev/zero"]


WIDE = ("--limit", f"output={2 * OUTPUT}", "--limit", f"disk={4 * OUTPUT}", "--limit", "wall=30m", "--keep-space", str(8 * OUTPUT))


def length_of(data):
    return len(data) if isinstance(data, str) else len(base64.b64decode(data["b64"]))


@once
def much_output_is_streamed_whole(place):
    """To the command line, and by JSON-RPC, at one time."""
    with Served(place) as s, Peaks() as peaks:
        session = s.session(*WIDE)
        c = Client(s)
        c.call("session.open", session=session)
        command = subprocess.Popen([place.ambit, "run", "--session", session, "--", *writer(OUTPUT)], cwd=s.tree, env=s.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        s.until(lambda: s.status()["events_taken"] == 1, "it is taken")
        c.call("event.follow", session=session, n=1)
        got = [0]

        def count():
            while data := os.read(command.stdout.fileno(), 1 << 20):
                got[0] += len(data)
        reads = threading.Thread(target=count)
        reads.start()
        told_bytes, ended = 0, None
        while ended is None:
            note = c.notes.pop(0) if c.notes else c.hear()
            if note.get("method") == "event.output":
                assert note["params"]["offset"] == told_bytes, (note["params"]["offset"], told_bytes)
                told_bytes += length_of(note["params"]["data"])
            elif note.get("method") == "event.ended":
                ended = note["params"]
        reads.join()
        assert (command.wait(), got[0], told_bytes, ended["stdout_bytes"], ended["exit_status"]) == (0, OUTPUT, OUTPUT, OUTPUT, 0), (got, told_bytes, ended)
        command.stdout.close()
        c.close()
        peaks.check(place, "ambit-serve", "ambit-session", "ambit-rpc")


@once
def much_output_that_nobody_reads_is_kept(place):
    """By either protocol somebody follows it, and never reads. It ends all the same, and others have their events meanwhile."""
    with Served(place) as s, Peaks() as peaks:
        session, other = s.session(*WIDE), s.session()
        c, (client, channel) = Client(s), channel_to(s, session)
        c.call("session.open", session=session)
        channel.send(S_PART, run_bytes(*writer(OUTPUT)))
        assert channel.ask(RUN, number(1))[0] == TAKEN
        channel.send(FOLLOW, of_event(2, 1))
        c.send("event.follow", session=session, n=1)
        for _ in range(5):
            expect_ok(s.ambit("run", "--session", other, "--", "echo", "meanwhile"), "meanwhile")
        end = time.monotonic() + SLOW * (PATIENCE + OUTPUT / (20 << 20))
        while (row := s.events(session)[0])["state"] != "over":
            assert time.monotonic() < end, row
            time.sleep(0.2)
        assert (row["stdout"], row["exit"], row["kept"]) == (OUTPUT, 0, True), row
        assert os.stat(f"{s.home}/.local/state/ambit/sessions/{session}/1.out").st_size == OUTPUT
        for closes in (c, client, channel):
            closes.close()
        peaks.check(place, "ambit-serve", "ambit-session", "ambit-rpc")


@once
def output_over_its_limit_ends_the_event(place):
    limit = OUTPUT // 4
    with Served(place) as s, Peaks() as peaks:
        session = s.session("--limit", f"output={limit}", "--limit", f"disk={4 * OUTPUT}", "--keep-space", str(8 * OUTPUT))
        result = subprocess.run([place.ambit, "run", "--session", session, "--", *writer(OUTPUT)], cwd=s.tree, env=s.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True, check=False)
        row = s.events(session)[0]
        assert result.returncode == 125 and "limit output" in result.stderr, (result.returncode, result.stderr)
        assert row["cause"] == "limit" and limit <= row["stdout"] <= limit + OVERSHOOT, (limit, row)
        peaks.check(place, "ambit-serve", "ambit-session")


def output_that_is_not_kept_is_not_lost_in_silence(place):
    """A client that waits for all of it gets it, or is told: also whoever comes when the event is long over."""
    with Served(place) as s, client_of(s, place) as ambit:
        with ambit.Client() as client, client.new(workspace=s.tree, keep_bytes="100K") as session:
            assert len(session.run(writer(300000)).stdout) == 300000, "the last is not kept"
            session.start(writer(300000)).wait()
        with ambit.Client() as client, client.new(workspace=s.tree, keep_bytes="100K") as session:
            for late, size in ((lambda: session.run(writer(300000)), 300000), (lambda: session.follow(1).wait(), 300000),
                               (lambda: session.start(writer(300000)).wait(), 300000), (lambda: session.follow(1).wait(), 300000),
                               (lambda: session.follow(2, stdout=5).wait(), 299995)):
                whole_or_told(ambit, late, size)

        async def same():
            client = ambit.aio.Client()
            session = await client.new(workspace=s.tree, keep_bytes="100K")
            for late in (lambda: session.run(writer(300000)), lambda: session.start(writer(300000))):
                try:
                    result = await late()
                    result = await result.wait() if isinstance(result, ambit.aio.Event) else result
                except ambit.NotKept as problem:
                    assert problem.result.exit_status == 0, problem.result
                else:
                    assert len(result.stdout) == 300000, result.row
            client.close()
        asyncio.run(same())


def whole_or_told(ambit, what, size):
    try:
        result = what()
    except ambit.NotKept as problem:
        assert problem.result.exit_status == 0 and "keep_bytes" in problem.hint, problem.result
    else:
        assert len(result.stdout) == size, f"{len(result.stdout)} bytes of {size}, and no word; {result.row}"


SCENARIOS = [nothing_grows_over_many_events, much_output_is_streamed_whole, much_output_that_nobody_reads_is_kept, output_over_its_limit_ends_the_event,
             output_that_is_not_kept_is_not_lost_in_silence]

if __name__ == "__main__":
    main(SCENARIOS)
