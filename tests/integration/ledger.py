#!/usr/bin/env python3
"""Events in the ledger: what is recorded, by whom it is believed, and what happens where it cannot be.

usage: ledger.py AMBIT    (TAP on standard output; as root once more as an ordinary user)
"""

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from harness import PATIENCE, SLOW, Skip, expect_ok, lock_holders, main, once, sanitized, told
from peer import the_verifier_is_there, tlog_verify

HEAD = 4
APPEND, HELLO, ACCEPTED, DURABLE, FAILED = 96, 112, 113, 114, 115
TYPES = ["start", "stop", "crash", "policy", "grant", "derive", "revoke", "expire", "request", "decision", "intent", "effect", "result",
         "commit", "discard", "ask", "approve", "freeze", "thaw", "label", "declassify", "verdict", "prune", "key", "step"]
EVENT = "e_01M8DNE24ECCTG32HASREWXH6C"


# ---- looking at one ----


def until(holds, what):
    end = time.monotonic() + SLOW * PATIENCE
    while not holds():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.02)


def bundle(data):
    found = []
    while data:
        n = struct.unpack(">H", data[:2])[0]
        found.append(json.loads(data[2:2 + n]))
        data = data[2 + n:]
    return found


class Ledger:
    def __init__(self, place):
        self.place = place
        self.dir = os.path.join(place.fresh(), "ledger")
        self.log = os.path.join(self.dir, "log")
        self.tree = place.fresh()

    def run(self, *words, **more):
        return self.place.cell("--ledger", self.dir, *words, cwd=more.pop("cwd", self.tree), **more)

    def size(self):
        with open(f"{self.log}/checkpoint", encoding="utf-8") as file:
            return int(file.read().splitlines()[1])

    def is_published(self):
        return os.path.exists(f"{self.log}/checkpoint") and os.path.getsize(f"{self.log}/journal") == 0

    def entries(self):
        """All of them, once they are beneath the checkpoint; each with the number of its place."""
        until(self.is_published, "a checkpoint of everything")
        found = []
        while len(found) < self.size():
            n = len(found) // 256
            width = min(self.size() - len(found), 256)
            name = f"{self.log}/tile/entries/{n:03}" + ("" if width == 256 else f".p/{width}")
            with open(name, "rb") as file:
                found += bundle(file.read())
        assert [entry["seq"] for entry in found] == list(range(self.size()))
        return found

    @contextlib.contextmanager
    def on_a_small_disk(self):
        """In a file system of its own, of four megabytes."""
        if os.geteuid() != 0:
            raise Skip("only root can mount one")
        os.mkdir(self.dir, 0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=0700", "ambit-test", self.dir], check=True)
        try:
            yield
        finally:
            subprocess.run(["umount", "-l", self.dir], check=True)

    @contextlib.contextmanager
    def full(self, left=0):
        """To the last block, or to so many before it."""
        path = f"{self.dir}/filler"
        with open(path, "wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)) == 4096:
                    pass
            except OSError:
                pass
            os.ftruncate(file.fileno(), max(0, os.path.getsize(path) - 4096 * left))
        yield
        os.unlink(path)

    def of(self, event):
        return [entry for entry in self.entries() if entry["event"] == event]

    def believed(self):
        until(self.is_published, "a checkpoint of everything")
        with open(f"{self.log}/key.pub", encoding="utf-8") as file:
            key = file.read().strip()
        done = self.place.run(tlog_verify(self.place), "check", self.log, key, cwd=self.place.top)
        assert done.returncode == 0, told(done)

    def holder(self):
        """Who has the lock; None: nobody."""
        path = f"{self.dir}/lock"
        holders = lock_holders(path) if os.path.exists(path) else []
        return holders[0] if holders else None


def types(entries):
    return [entry["type"] for entry in entries]


def of_events(entries):
    return sorted({entry["event"] for entry in entries if entry["event"]})


# ---- what is recorded ----


def an_event_is_recorded(place):
    ledger = Ledger(place)
    done = ledger.run("--work", ".", "--json", "--", "sh", "-c", "echo 1 > made; cat /etc/shadow; exit 3")
    record = json.loads(done.stdout)
    told_entries = ledger.of(record["event"])
    assert types(ledger.entries())[0] == "start" and ledger.entries()[0]["event"] is None
    assert types(told_entries)[:len(record["grants"]) + 2] == ["grant"] * len(record["grants"]) + ["request", "start"]
    assert types(told_entries)[-2:] == ["stop", "result"] and set(types(told_entries)[len(record["grants"]) + 2:-2]) == {"effect"}
    assert [entry["grant"] for entry in told_entries if entry["type"] == "grant"] == [grant["id"] for grant in record["grants"]]
    request = next(entry["body"] for entry in told_entries if entry["type"] == "request")
    assert request["argv"] == ["sh", "-c", "echo 1 > made; cat /etc/shadow; exit 3"] and request["workdir"] == ledger.tree
    wall = next(entry["body"]["wall"] for entry in told_entries if entry["type"] == "start")
    assert wall == record["wall"], (wall, record["wall"])
    effects = [(entry["body"]["kind"], entry["body"]["object"], entry["body"]["verdict"], entry["grant"])
               for entry in told_entries if entry["type"] == "effect"]
    assert ("read", "/etc/shadow", "denied", None) in effects, effects
    assert ("write", f"{ledger.tree}/made", "allowed", record["grants"][0]["id"]) in effects, effects
    stop = told_entries[-2]["body"]
    assert stop["exit"] == 3 and stop["cause"] == "exited" and stop["workspace"] == "staged", stop
    ledger.believed()


def a_session_is_shown(place):
    """All entries of its events, those before the request as well, and of no other event."""
    ledger = Ledger(place)
    records = [json.loads(ledger.run("--work", ".", "--json", "--", "sh", "-c", "cat /etc/shadow").stdout) for _ in range(3)]
    session, event = records[1]["session"], records[1]["event"]

    def show(*words):
        return place.run(place.ambit, "ledger", "show", "--ledger", ledger.dir, "--json", *words, cwd=place.top)
    assert len({record["session"] for record in records}) == 3
    until(ledger.is_published, "a checkpoint of everything")
    shown = [json.loads(line) for line in expect_ok(show("--session", session)).stdout.splitlines()]
    assert shown == ledger.of(event) and types(shown)[0] == "grant", shown
    assert [entry["event"] for entry in shown] == [event] * len(shown)
    denied = [json.loads(line) for line in expect_ok(show("--session", session, "--denied")).stdout.splitlines()]
    assert denied == [entry for entry in shown if entry["body"].get("verdict") == "denied"] != [], denied
    assert len(expect_ok(show("--session", session, "--limit", "2")).stdout.splitlines()) == 2
    every = expect_ok(show("--session", "s_0")).stdout.splitlines()
    assert len(every) == sum(len(ledger.of(record["event"])) for record in records)
    assert expect_ok(show("--session", "s_" + "0" * 26)).stdout == ""
    nothing = show("--session", "s_ZZ")
    assert nothing.returncode == 125 and "no session in the log begins with s_ZZ" in nothing.stderr + nothing.stdout, told(nothing)
    for word in ("e_0", "s_", "last", ""):
        assert "is no session" in show("--session", word).stderr, word


def policies_are_recorded(place):
    """What was read, by its digest, in the order in which it was read; before what they grant."""
    ledger = Ledger(place)
    policy = "version: 1\nagent: reviewer\ngrants:\n  - read: .\n"
    with open(f"{ledger.tree}/p.yaml", "w", encoding="utf-8") as file:
        file.write(policy)
    done = ledger.run("--policy", "p.yaml", "--preset", "shell", "--read", ".", "--json", "--", "true")
    assert done.returncode == 0, told(done)
    entries = ledger.of(json.loads(done.stdout)["event"])
    named = [entry["body"] for entry in entries if entry["type"] == "policy"]
    assert named[0] == {"name": "p.yaml", "sha256": hashlib.sha256(policy.encode()).hexdigest(), "size": len(policy)}, named
    assert [body["name"] for body in named] == ["p.yaml", "shell"] and types(entries)[:3] == ["policy", "policy", "grant"]
    request = next(entry["body"] for entry in entries if entry["type"] == "request")
    assert request["agent"] == "reviewer", request
    ledger.believed()


def the_key_is_told_once(place):
    ledger = Ledger(place)
    first = ledger.run("--", "true")
    with open(f"{ledger.log}/key.pub", encoding="utf-8") as file:
        key = file.read().strip()
    assert first.returncode == 0 and key in first.stderr and ledger.dir in first.stderr, told(first)
    again = ledger.run("--", "true")
    assert again.returncode == 0 and again.stderr == "", told(again)
    assert os.stat(f"{ledger.dir}/ledger.key").st_mode & 0o777 == 0o600
    assert os.stat(ledger.dir).st_mode & 0o777 == 0o700


def the_key_is_told_until_somebody_heard(place):
    """Whoever was told it first may be gone before it said a word, and so may the ledger be."""
    ledger = Ledger(place)
    assert ledger.run("--", "true", *["x"] * 70000).returncode == 125  # the event does not start, and nothing is told
    again = ledger.run("--", "true")
    assert again.returncode == 0 and "signed by" in again.stderr, told(again)
    assert ledger.run("--", "true").stderr == ""


def every_event_is_recorded(place):
    """In the person's own ledger, without a flag; learning, too. Where it is not to be, that is said."""
    home, top = place.fresh(), place.fresh()
    state = os.path.join(place.fresh(), "state")
    own, other = os.path.join(state, "ambit", "ledger"), os.path.join(top, "other")
    peace = {**place.environment(), "HOME": home}

    def run(*words, **more):
        return subprocess.run([place.ambit, *words], cwd=top, env={**peace, **more}, capture_output=True, text=True, timeout=60 * SLOW)

    def count(directory, **more):
        done = run("ledger", "show", "--json", "--type", "request", *(["--ledger", directory] if directory else []), **more)
        assert done.returncode == 0, told(done)
        return len(done.stdout.splitlines())

    first = run("run", "--", "true", XDG_STATE_HOME=state)
    assert first.returncode == 0 and f"a new ledger in {own}, signed by" in first.stderr, told(first)
    assert run("run", "--", "true", XDG_STATE_HOME=state).stderr == "" and count(None, XDG_STATE_HOME=state) == 2
    assert run("learn", "--", "true", XDG_STATE_HOME=state).returncode == 0 and count(None, XDG_STATE_HOME=state) == 3
    for words, more in ((("--no-ledger",), {}), ((), {"AMBIT_LEDGER": "none"})):
        silent = run("run", *words, "--", "true", XDG_STATE_HOME=state, **more)
        assert silent.returncode == 0 and silent.stderr == "", told(silent)
    assert count(None, XDG_STATE_HOME=state) == 3
    assert run("run", "--", "true", AMBIT_LEDGER=other).returncode == 0 and count(None, AMBIT_LEDGER=other) == 1
    assert run("run", "--ledger", own, "--", "true", AMBIT_LEDGER="none").returncode == 0 and count(own) == 4
    assert run("run", "--", "true").returncode == 0 and count(os.path.join(home, ".local", "state", "ambit", "ledger")) == 1

    for words, more, said in ((("--no-ledger", "--ledger", other), {}, "leave one of them out"),
                              ((), {"AMBIT_LEDGER": "relative"}, "AMBIT_LEDGER is 'relative'"),
                              ((), {"XDG_STATE_HOME": "/proc/nowhere"}, "--no-ledger records nothing")):
        refused = run("run", *words, "--", "touch", f"{top}/ran", **more)
        assert refused.returncode == 125 and said in refused.stderr, told(refused)
    assert "there is no ledger" in run("ledger", "show", AMBIT_LEDGER="none").stderr
    nobody = run("ledger", "show", HOME=f"{home}/nobody")  # somebody else may have made one there
    assert nobody.returncode == 0 or f"/var/tmp/.ambit-{os.geteuid()}/ledger" in nobody.stderr, told(nobody)
    assert not os.path.exists(f"{home}/nobody")


def odd_words_are_recorded(place):
    """Names that are not UTF-8, control characters, more arguments than there is room for."""
    ledger = Ledger(place)
    done = ledger.run("--json", "--", "true", b"\xff\xfe", "\x01" * 20000, *["x" * 1000] * 200, *[""] * 3000)
    assert done.returncode == 0, told(done)
    request = next(entry["body"] for entry in ledger.of(json.loads(done.stdout)["event"]) if entry["type"] == "request")
    assert request["argc"] == 3203 and request["argv"][1] == {"b64": "//4="} and len(request["argv"]) < 100, request["argc"]
    ledger.believed()


def a_refused_event_is_told_as_that(place):
    """Before its program could start, and when it could not be executed: no crash."""
    ledger = Ledger(place)
    with open(f"{ledger.tree}/script", "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o755)) as file:
        file.write("#!/nonexistent\n")
    done = ledger.run("--work", ".", "--json", "--", "./script")
    assert done.returncode in (126, 127), told(done)
    entries = ledger.of(json.loads(done.stdout)["event"])
    assert types(entries)[-3:] == ["start", "stop", "result"] and entries[-2]["body"]["cause"] == "refused", entries
    os.mkdir(f"{ledger.tree}/.direnv")
    os.symlink("..", f"{ledger.tree}/.direnv/root")
    done = ledger.run("--work", ".", "--direct", "--json", "--", "true")
    assert done.returncode == 125, told(done)
    entries = ledger.of(json.loads(done.stdout)["event"])
    assert types(entries) == ["grant", "request", "decision", "result"] and entries[-2]["body"]["verdict"] == "refused", entries
    ledger.believed()


def a_ledger_behind_a_link(place):
    """Is the one that the link leads to: for those who use it, and for what cells may not see."""
    ledger = Ledger(place)
    assert ledger.run("--", "true").returncode == 0
    link = os.path.join(ledger.tree, "link")
    os.symlink(os.path.dirname(ledger.dir), link)
    by_link = f"{link}/ledger"
    done = place.cell("--ledger", by_link, "--", "true", cwd=ledger.tree)
    assert done.returncode == 0 and done.stderr == "", told(done)
    for what in (ledger.dir, ledger.log):
        done = place.cell("--ledger", by_link, "--read", what, "--", "true", cwd=ledger.tree)
        assert done.returncode == 125 and "lies in the ledger" in done.stderr, told(done)
    above = os.path.dirname(ledger.dir)
    done = place.cell("--ledger", by_link, "--read", above, "--", "sh", "-c", f"ls {above}; ls {ledger.log}", cwd=ledger.tree)
    assert done.returncode != 0 and done.stdout == "ledger\n", told(done)
    ledger.believed()


def many_at_once_share_it(place):
    ledger = Ledger(place)
    done = []
    threads = [threading.Thread(target=lambda: done.append(ledger.run("--json", "--", "true"))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [d.returncode for d in done] == [0] * 12, [told(d) for d in done if d.returncode]
    entries = ledger.entries()
    assert types(e for e in entries if e["event"] is None) == ["start"], "more than one process wrote"
    for event in (json.loads(d.stdout)["event"] for d in done):
        seen = types(e for e in entries if e["event"] == event)
        assert seen.count("start") == seen.count("stop") == seen.count("request") == 1, seen
    assert sum("signed by" in d.stderr for d in done) == 1
    ledger.believed()


def it_ends_when_nobody_needs_it(place):
    ledger = Ledger(place)
    assert ledger.run("--", "true").returncode == 0
    assert ledger.holder() is not None
    until(lambda: ledger.holder() is None, "the ledger ends")
    assert types(e for e in ledger.entries() if e["event"] is None) == ["start", "stop"]
    assert ledger.run("--", "true").returncode == 0
    assert types(e for e in ledger.entries() if e["event"] is None) == ["start", "stop", "start"]
    ledger.believed()


# ---- what becomes of changes ----


def about(entries):
    """(type, what, state) of those that are about staged changes."""
    return [(e["type"], e["body"]["what"], e["body"]["state"]) for e in entries if e["type"] in ("commit", "discard")]


def changes_are_recorded(place):
    ledger = Ledger(place)
    with open(f"{ledger.tree}/old", "w", encoding="ascii") as file:
        file.write("before\n")
    done = ledger.run("--work", ".", "--", "sh", "-c", "echo new > made; echo after > old; echo > plain; mkdir d")
    assert done.returncode == 0, told(done)
    event = of_events(ledger.entries())[0]
    entries = ledger.of(event)
    assert about(entries) == [("commit", "commit", "begins"), ("commit", "commit", "done")]
    first = types(entries).index("commit")
    assert types(entries)[first - 1] == "stop" and set(types(entries)[first + 1:-2]) == {"effect"} and types(entries)[-1] == "result"
    proved = {os.path.basename(e["body"]["object"]): e["body"] for e in entries[first + 1:-2]}
    assert proved["made"] == {"count": 1, "kind": "added", "mode": "0644", "object": f"{ledger.tree}/made", "size": 4, "source": "proved",
                              "sha256": hashlib.sha256(b"new\n").hexdigest(), "type": "file", "verdict": "allowed"}, proved["made"]
    assert proved["old"]["kind"] == "modified" and proved["old"]["size_before"] == 7 and proved["d"]["type"] == "directory"
    assert entries[first]["body"]["changes"] == entries[-2]["body"]["changes"] == 4
    assert place.run(place.ambit, "undo", event, cwd=ledger.tree).returncode == 0
    assert about(ledger.of(event))[2:] == [("commit", "undo", "begins"), ("commit", "undo", "done")]
    assert place.run(place.ambit, "discard", event, cwd=ledger.tree).returncode == 0
    assert about(ledger.of(event))[4:] == [("discard", "discard", "begins"), ("discard", "discard", "done")]
    ledger.believed()


def what_is_not_committed_is_told_as_that(place):
    ledger = Ledger(place)
    done = ledger.run("--work", ".", "--", "sh", "-c", "mkdir -p .git/hooks; echo 'echo bad' > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit")
    assert done.returncode == 123, told(done)
    event = of_events(ledger.entries())[0]
    entries = ledger.of(event)
    assert about(entries) == [("commit", "commit", "begins"), ("commit", "commit", "refused")]
    held = [e["body"] for e in entries if e["type"] == "effect" and e["body"]["verdict"] == "held"]
    assert [body["object"] for body in held] == [f"{ledger.tree}/.git/hooks/pre-commit"] and held[0]["held"] == "protected", held
    assert place.run(place.ambit, "discard", "--all", cwd=ledger.tree).returncode == 0
    assert about(ledger.of(event))[2:] == [("discard", "discard", "begins"), ("discard", "discard", "done")]
    done = ledger.run("--work", ".", "--discard", "--", "sh", "-c", "echo > x; exit 1")
    assert done.returncode == 1, told(done)
    assert about(ledger.of(of_events(ledger.entries())[1])) == [("discard", "discard", "begins"), ("discard", "discard", "done")]
    ledger.believed()


def what_cannot_be_told_is_not_done(place):
    """Commit, undo and discard of a recorded event want its ledger; only --force goes without."""
    ledger = Ledger(place)
    assert ledger.run("--work", ".", "--", "sh", "-c", "echo > committed").returncode == 0
    first = of_events(ledger.entries())[0]
    assert ledger.run("--work", ".", "--stage", "--", "sh", "-c", "echo > staged").returncode == 0
    second = next(e for e in of_events(ledger.entries()) if e != first)
    kill(ledger)
    os.chmod(f"{ledger.dir}/ledger.key", 0o644)
    for words in (["commit", second], ["undo", first], ["discard", second]):
        done = place.run(place.ambit, *words, cwd=ledger.tree)
        assert done.returncode in (123, 125) and "to be in the ledger" in done.stderr, (words, told(done))
        assert os.listdir(ledger.tree) == ["committed"], (words, os.listdir(ledger.tree))
    os.chmod(f"{ledger.dir}/ledger.key", 0o600)
    assert place.run(place.ambit, "commit", second, cwd=ledger.tree).returncode == 0  # the twin: it was that
    assert sorted(os.listdir(ledger.tree)) == ["committed", "staged"]
    kill(ledger)
    shutil.rmtree(ledger.dir)
    done = place.run(place.ambit, "undo", first, cwd=ledger.tree)
    assert done.returncode == 125 and "no ledger" in done.stderr and not os.path.exists(ledger.dir), told(done)
    assert place.run(place.ambit, "discard", "--force", first, cwd=ledger.tree).returncode == 0


# ---- death ----


def kill(ledger):
    pid = ledger.holder()
    os.kill(pid, signal.SIGKILL)
    until(lambda: ledger.holder() != pid, "the ledger dies")


def a_killed_ledger_goes_on(place):
    ledger = Ledger(place)
    for turn in range(3):
        done = ledger.run("--json", "--", "true")
        assert done.returncode == 0, told(done)
        kill(ledger)
        assert ledger.run("--", "true").returncode == 0
        entries = ledger.entries()
        assert types(e for e in entries if e["event"] is None) == ["start"] + ["crash", "start"] * (turn * 2 + 1), turn
        assert "stop" in types(ledger.of(json.loads(done.stdout)["event"]))  # accepted is kept
        kill(ledger)
        assert ledger.run("--", "true").returncode == 0
    ledger.believed()


def kills_at_any_time_lose_nothing(place):
    """Of what was told as done."""
    ledger = Ledger(place)
    over = threading.Event()

    def killer():
        while not over.wait(0.03):
            pid = ledger.holder()
            if pid:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass

    thread = threading.Thread(target=killer)
    thread.start()
    done = []
    try:
        for turn in range(25 * int(os.environ.get("AMBIT_SOAK", "1"))):
            done.append(ledger.run("--work", ".", "--json", "--", "sh", "-c", f"echo > f{turn}"))
            assert done[-1].returncode in (0, 123, 125), told(done[-1])
            if done[-1].returncode != 0 and os.path.exists(f"{ledger.tree}/f{turn}") and "its record is not in the ledger" not in done[-1].stderr:
                raise AssertionError(f"without a record, and yet committed: {told(done[-1])}")
    finally:
        over.set()
        thread.join()
    assert ledger.run("--", "true").returncode == 0
    entries = ledger.entries()
    for d in done:
        record = json.loads(d.stdout)
        if d.returncode in (0, 123):
            assert "stop" in types(e for e in entries if e["event"] == record["event"]), record["event"]
    ledger.believed()


@contextlib.contextmanager
def an_event_at_work(ledger, *how):
    """It wrote something, and ends on a word."""
    with subprocess.Popen([ledger.place.ambit, "run", "--ledger", ledger.dir, *how, "--", "sh", "-c", "echo > made; echo ready; read x"],
                          cwd=ledger.tree, env=ledger.place.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as event:
        assert event.stdout.readline() == "ready\n"
        yield event


def a_ledger_that_dies_keeps_the_changes(place):
    """The event ends as Ambit's failure, and what it wrote is not committed."""
    ledger = Ledger(place)
    with an_event_at_work(ledger, "--work", ".") as event:
        kill(ledger)
        _, stderr = event.communicate("go\n", timeout=SLOW * PATIENCE)
    assert event.returncode == 125 and "not in the ledger" in stderr and "kept" in stderr, stderr
    assert not os.path.exists(f"{ledger.tree}/made")
    listed = place.run(place.ambit, "stage", "list", ledger.tree, cwd=ledger.tree)
    assert "1 change" in listed.stdout or "e_" in listed.stdout, told(listed)
    assert ledger.run("--", "true").returncode == 0
    ledger.believed()


def a_ledger_that_is_taken_away_keeps_the_changes(place):
    """Its process is alive, and writes where nobody looks: that is not accepted."""
    for away in lambda ledger: shutil.rmtree(ledger.dir), lambda ledger: os.rename(f"{ledger.log}/journal", f"{ledger.log}/away"):
        ledger = Ledger(place)
        with an_event_at_work(ledger, "--work", ".") as event:
            until(ledger.is_published, "a checkpoint")
            away(ledger)
            _, stderr = event.communicate("go\n", timeout=SLOW * PATIENCE)
        assert event.returncode == 125 and "taken away" in stderr and "kept" in stderr, stderr
        assert not os.path.exists(f"{ledger.tree}/made")
    ledger = Ledger(place)  # moved as a whole it is the same
    with an_event_at_work(ledger, "--work", ".", "--direct") as event:
        os.rename(ledger.dir, f"{ledger.dir}-2")
        _, stderr = event.communicate("go\n", timeout=SLOW * PATIENCE)
    assert event.returncode == 0 and os.path.exists(f"{ledger.tree}/made"), stderr
    ledger.dir += "-2"
    ledger.log = f"{ledger.dir}/log"
    assert ledger.run("--", "true").returncode == 0
    assert types(e for e in ledger.entries() if e["event"] is None) == ["start"]
    ledger.believed()


def two_processes_never_write_one_log(place):
    """Also where somebody removes what keeps them apart: the first accepts nothing from then on."""
    ledger = Ledger(place)
    with an_event_at_work(ledger, "--work", ".") as event:
        until(ledger.is_published, "a checkpoint")
        os.unlink(f"{ledger.dir}/socket")
        os.unlink(f"{ledger.dir}/lock")
        done = ledger.run("--json", "--", "true")
        assert done.returncode == 0, told(done)
        _, stderr = event.communicate("go\n", timeout=SLOW * PATIENCE)
    assert event.returncode == 125 and not os.path.exists(f"{ledger.tree}/made"), stderr
    assert types(ledger.of(json.loads(done.stdout)["event"]))[-2:] == ["stop", "result"]
    ledger.believed()


def an_event_that_is_lost_is_a_crash(place):
    ledger = Ledger(place)
    with subprocess.Popen([place.ambit, "run", "--ledger", ledger.dir, "--", "sh", "-c", "echo ready; sleep 1000"], cwd=ledger.tree,
                          env=place.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as event:
        assert event.stdout.readline() == "ready\n"
        name = next(e["event"] for e in ledger.entries() if e["event"])
        supervisors = [pid for pid in os.listdir("/proc") if pid.isdigit() and is_supervisor_of(pid, event.pid)]
        assert len(supervisors) == 1, supervisors
        os.kill(int(supervisors[0]), signal.SIGKILL)
        assert event.wait(timeout=SLOW * PATIENCE) == 125
    until(lambda: types(ledger.of(name))[-1] == "crash", "a mark of the crash")
    ledger.believed()


def is_supervisor_of(pid, command):
    """By the socket that connects them: it is nobody's child. The cell's own supervisor of the ledger has closed that."""
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            if file.read() != "ambit-supervisor"[:15] + "\n":
                return False
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            started = int(file.read().rsplit(")", 1)[1].split()[19])
        with open(f"/proc/{command}/stat", encoding="ascii") as file:
            since = int(file.read().rsplit(")", 1)[1].split()[19])
        children = [open(f"/proc/{child}/cmdline", "rb").read() for child in descendants(pid)]
    except (OSError, ValueError, IndexError):
        return False
    return started >= since and any(b"sleep\x001000" in line for line in children)


def descendants(pid):
    found = []
    for child in os.listdir("/proc"):
        if not child.isdigit():
            continue
        try:
            with open(f"/proc/{child}/stat", encoding="ascii", errors="replace") as file:
                if file.read().rsplit(")", 1)[1].split()[1] == str(pid):
                    found += [child, *descendants(child)]
        except OSError:
            continue
    return found


# ---- no log, no effect ----


def expect_nothing_ran(ledger, *said):
    done = ledger.run("--work", ".", "--direct", "--", "touch", "ran")
    assert done.returncode == 125, told(done)
    for words in said:
        assert words in done.stderr, told(done)
    assert not os.path.exists(f"{ledger.tree}/ran"), "it ran without a ledger"


def what_cannot_be_recorded_does_not_run(place):
    ledger = Ledger(place)
    os.mkdir(ledger.dir, 0o755)
    expect_nothing_ran(ledger, "chmod 700")
    os.chmod(ledger.dir, 0o700)
    os.mkdir(ledger.log)
    os.mkdir(f"{ledger.log}/checkpoint")
    expect_nothing_ran(ledger, "the ledger")
    os.rmdir(f"{ledger.log}/checkpoint")
    assert ledger.run("--", "true").returncode == 0  # the twin: it was that
    kill(ledger)
    os.chmod(f"{ledger.dir}/ledger.key", 0o640)
    expect_nothing_ran(ledger, "can be read or changed by others", "chmod 600")
    os.chmod(f"{ledger.dir}/ledger.key", 0o600)
    os.rename(f"{ledger.dir}/ledger.key", f"{ledger.dir}/away")
    expect_nothing_ran(ledger, "key is gone")
    with open(f"{ledger.dir}/ledger.key", "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as file:
        file.write("PRIVATE+KEY+ambit/x+00000000+AXdsZ/Bp3lHoI5TDMZ8C0s5qTpPpk+b3wTT+y7xwpSy9\n")
    expect_nothing_ran(ledger, "the ledger's key is not one")
    os.rename(f"{ledger.dir}/away", f"{ledger.dir}/ledger.key")
    os.rename(ledger.log, f"{ledger.dir}/away")
    expect_nothing_ran(ledger, "log is gone")  # nothing else of the same sizes is signed by its key
    os.rmdir(ledger.log)
    os.rename(f"{ledger.dir}/away", ledger.log)
    with open(f"{ledger.log}/checkpoint", "r+b") as file:
        data = bytearray(file.read())
        data[-10] ^= 1
        file.seek(0)
        file.write(data)
    expect_nothing_ran(ledger)
    data[-10] ^= 1
    with open(f"{ledger.log}/checkpoint", "wb") as file:
        file.write(data)
    done = ledger.run("--work", ".", "--direct", "--", "touch", "ran")
    assert done.returncode == 0 and os.path.exists(f"{ledger.tree}/ran"), told(done)
    ledger.believed()


def what_lies_there_already_is_not_trusted(place):
    """A file that somebody else made, and has by another name, never holds the key; a pipe holds up nobody."""
    ledger = Ledger(place)
    os.mkdir(ledger.dir, 0o700)
    os.close(os.open(f"{ledger.dir}/ledger.key.new", os.O_CREAT | os.O_WRONLY, 0o600))
    os.link(f"{ledger.dir}/ledger.key.new", f"{ledger.dir}/leak")
    assert ledger.run("--", "true").returncode == 0
    assert os.path.getsize(f"{ledger.dir}/ledger.key") > 0 and os.path.getsize(f"{ledger.dir}/leak") == 0
    until(ledger.is_published, "a checkpoint")
    pid = ledger.holder()
    pipes = [f"{ledger.log}/tile/entries/000.p/{ledger.size() + more}" for more in range(1, 20)]
    for name in pipes:
        os.mkfifo(name)
    assert ledger.run("--", "true").returncode == 0  # accepted; and then it is to be published
    until(lambda: ledger.holder() != pid, "the ledger ends")
    expect_nothing_ran(ledger, "a tile")
    for name in pipes:
        os.unlink(name)
    assert ledger.run("--", "true").returncode == 0
    ledger.believed()


def a_death_while_it_is_made(place):
    """After any step it is made anew, and its key is told: not the one that is there, which another may know."""
    made = Ledger(place)
    done = made.run("--", "true")
    assert done.returncode == 0, told(done)
    until(made.is_published, "a checkpoint")
    with open(f"{made.log}/key.pub", encoding="utf-8") as file:
        key = file.read()
    for steps in (["log/key.pub.new"], ["log/key.pub"], ["log/key.pub", "ledger.key.new"], ["log/key.pub", "ledger.key"],
                  ["log/key.pub", "ledger.key", "log/checkpoint.new"]):
        ledger = Ledger(place)
        os.makedirs(ledger.log, 0o700)
        os.chmod(ledger.dir, 0o700)
        for step in steps:
            shutil.copy(f"{made.dir}/{step.removesuffix('.new')}", f"{ledger.dir}/{step}")
        done = ledger.run("--", "true")
        assert done.returncode == 0 and "signed by" in done.stderr, (steps, told(done))
        with open(f"{ledger.log}/key.pub", encoding="utf-8") as file:
            assert file.read() != key, steps
        ledger.believed()
    os.unlink(f"{made.log}/key.pub")  # of one that was made long ago
    kill(made)
    done = made.run("--", "true")
    assert done.returncode == 0 and done.stderr == "", told(done)
    made.believed()


def a_directory_that_cannot_be_written(place):
    if os.geteuid() == 0:
        raise Skip("root can")
    ledger = Ledger(place)
    os.mkdir(ledger.dir, 0o500)
    expect_nothing_ran(ledger, "the ledger")
    os.chmod(ledger.dir, 0o700)


def a_full_disk_is_told(place):
    """A small file system, filled to the last block: nothing runs; room again, and it goes on."""
    ledger = Ledger(place)
    with ledger.on_a_small_disk():
        assert ledger.run("--", "true").returncode == 0
        until(ledger.is_published, "a checkpoint")
        with ledger.full():
            for _ in range(3):
                expect_nothing_ran(ledger, "No space left on device")
        done = ledger.run("--work", ".", "--direct", "--", "touch", "ran")
        assert done.returncode == 0 and os.path.exists(f"{ledger.tree}/ran"), told(done)
        ledger.believed()
        until(lambda: ledger.holder() is None, "the ledger ends")


# ---- from inside ----


def no_cell_sees_the_ledger(place):
    """Not even with all around it granted; and the same probe outside finds everything."""
    ledger = Ledger(place)
    assert ledger.run("--", "true").returncode == 0
    above = os.path.dirname(ledger.dir)
    probe = f"""
import os, socket
found = []
for name in ("ledger.key", "log/checkpoint", "lock", "socket"):
    try:
        os.stat({ledger.dir!r} + "/" + name)
        found.append(name)
    except OSError:
        pass
try:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect({ledger.dir!r} + "/socket")
    found.append("connected")
except OSError:
    pass
print(*found)
"""
    outside = place.run("/usr/bin/python3", "-c", probe, cwd=above)
    assert outside.stdout.split() == ["ledger.key", "log/checkpoint", "lock", "socket", "connected"], told(outside)
    for how in (["--work", above], ["--read", above], ["--work", above, "--direct"]):
        done = ledger.run(*how, "--", "/usr/bin/python3", "-c", probe, cwd=above)
        assert done.returncode == 0 and done.stdout.split() == [], (how, told(done))
    for what in (ledger.dir, ledger.log):
        done = ledger.run("--read", what, "--", "true")
        assert done.returncode == 125 and "lies in the ledger" in done.stderr, told(done)


def the_way_to_the_ledger_stays(place):
    """Where an event writes in place, it could be moved aside with a directory above it, and another put there."""
    ledger = Ledger(place)
    above = os.path.dirname(ledger.dir)
    ledger.dir = f"{above}/one/two/ledger"
    os.makedirs(f"{above}/one/two/other")
    probe = "import os, sys; os.rename(sys.argv[1], sys.argv[2])"
    for what, to in (("one", "moved"), ("one/two", "one/moved"), ("one/two/ledger", "one/two/moved")):
        done = ledger.run("--work", above, "--direct", "--", "/usr/bin/python3", "-c", probe, what, to, cwd=above)
        assert done.returncode == 1 and "Device or resource busy" in done.stderr, (what, told(done))
    done = ledger.run("--work", above, "--direct", "--", "/usr/bin/python3", "-c", probe, "one/two/other", "one/two/moved", cwd=above)
    assert done.returncode == 0 and os.path.exists(f"{above}/one/two/moved"), told(done)  # the twin: what is beside it
    assert os.path.exists(f"{ledger.dir}/ledger.key")


# ---- who wrote the journal ----

# Groups of entries behind the checkpoint, whole and in their place: written by who has this seed, or thinks that it has. Everything that is
# needed but the seed lies in the log.
FORGE = """
import hashlib, json, struct, sys
log, seed, groups, each, pad = sys.argv[1], bytes.fromhex(sys.argv[2]), *map(int, sys.argv[3:6])
try:
    print("the key:", open(log + "/../ledger.key").read())
except OSError:
    pass

def root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\\1" + root(leaves[:k]) + root(leaves[k:])).digest()

def mac(text):
    key = hashlib.blake2b(digest_size=32, key=seed, salt=struct.pack("<QQ", 1, 0), person=b"journal").digest()
    return hashlib.blake2b(text, digest_size=32, key=key).digest()

size = int(open(log + "/checkpoint").read().splitlines()[1])
bundle, leaves = open(f"{log}/tile/entries/000.p/{size}", "rb").read(), []
while bundle:
    n, = struct.unpack(">H", bundle[:2])
    last, bundle = bundle[2:2 + n], bundle[2 + n:]
    leaves.append(hashlib.sha256(b"\\0" + last).digest())
with open(log + "/journal", "ab") as file:
    for _ in range(groups):
        body, first = b"", len(leaves)
        for _ in range(each):
            entry = json.dumps({**json.loads(last), "seq": len(leaves), "type": "decision", "body": {"forged": "x" * pad}},
                               sort_keys=True, separators=(",", ":")).encode()
            body += struct.pack(">H", len(entry)) + entry
            leaves.append(hashlib.sha256(b"\\0" + entry).digest())
        head, top = b"ALG2" + struct.pack("<IQI", each, first, len(body)), root(leaves)
        own = mac(head + top)
        file.write(head + body + own + hashlib.sha256(b"\\1" + top + own).digest())
"""


def state(ledger):
    """What a process that starts may not change if it is to go on with nothing."""
    found = {}
    for where, _, names in os.walk(ledger.dir):
        for name in set(names) - {"socket", "lock", "starting"}:
            with open(f"{where}/{name}", "rb") as file:
                found[f"{where}/{name}"] = file.read()
    return found


def a_ledger_at_rest(place):
    ledger = Ledger(place)
    assert ledger.run("--", "true").returncode == 0
    until(ledger.is_published, "a checkpoint")
    kill(ledger)
    assert not any("forged" in entry["body"] for entry in ledger.entries())
    return ledger


def seed_of(ledger):
    with open(f"{ledger.dir}/ledger.key", encoding="ascii") as file:
        return base64.b64decode(file.read().strip().split("+", 4)[4])[1:]


def what_somebody_else_wrote_is_not_signed(place):
    """By a cell that has the ledger's directory for writing, and is not recorded: it can stop the ledger, as it could by removing it, and no
    more. The same program with the ledger's key is believed, so it was that alone that it lacked."""
    another = bytes(range(32)).hex()
    for how in ([], ["--direct"]):
        ledger = a_ledger_at_rest(place)
        size, command = ledger.size(), ("/usr/bin/python3", "-c", FORGE, ledger.log)
        done = place.cell("--work", ledger.dir, *how, "--", *command, another, "1", "3", "0", cwd=ledger.tree)
        assert done.returncode == 0 and done.stdout == "" and os.path.getsize(f"{ledger.log}/journal") > 0, told(done)
        before = state(ledger)
        for _ in range(2):
            expect_nothing_ran(ledger, "entries that the ledger did not write, from byte 0 on", f"(entry {size})", "truncate -s")
        assert state(ledger) == before and ledger.size() == size
        shown = place.run(place.ambit, "ledger", "show", "--ledger", ledger.dir, cwd=ledger.tree)
        assert shown.returncode == 0 and "forged" in shown.stdout, told(shown)
        os.truncate(f"{ledger.log}/journal", 0)
        assert ledger.run("--", "true").returncode == 0
        assert not any("forged" in entry["body"] for entry in ledger.entries())
        ledger.believed()
    ledger = a_ledger_at_rest(place)
    size, command = ledger.size(), ("/usr/bin/python3", "-c", FORGE, ledger.log)
    done = place.run(*command, seed_of(ledger).hex(), "1", "3", "0", cwd=ledger.tree)
    assert done.returncode == 0 and "the key: PRIVATE" in done.stdout, told(done)
    good = os.path.getsize(f"{ledger.log}/journal")
    kept = state(ledger)[f"{ledger.log}/journal"]
    done = place.run(*command, another, "1", "3", "0", cwd=ledger.tree)  # in the same place as the first, which is taken
    assert done.returncode == 0 and os.path.getsize(f"{ledger.log}/journal") > good, told(done)
    assert ledger.run("--", "true").returncode == 0  # it does not follow: torn, and told as that
    entries = ledger.entries()
    assert ["forged" in entry["body"] for entry in entries[size:size + 4]] == [True, True, True, False]
    assert entries[size + 3]["type"] == "crash" and entries[size + 3]["body"]["replayed"] == 3
    assert entries[size + 3]["body"]["torn_bytes"] == good, entries[size + 3]
    ledger.believed()
    kill(ledger)
    with open(f"{ledger.log}/journal", "wb") as file:  # under the checkpoint now: passed over
        file.write(kept)
    assert ledger.run("--", "true").returncode == 0
    assert sum("forged" in entry["body"] for entry in ledger.entries()) == 3
    ledger.believed()


def a_journal_of_an_older_form_is_refused(place):
    ledger = a_ledger_at_rest(place)
    with open(f"{ledger.log}/journal", "wb") as file:
        file.write(b"ALG1" + bytes(48))
    before = state(ledger)
    expect_nothing_ran(ledger, "journal is of an older form", "the version of Ambit that wrote it")
    assert state(ledger) == before
    os.truncate(f"{ledger.log}/journal", 0)
    assert ledger.run("--", "true").returncode == 0


# ---- what its process can do ----


def the_ledger_gave_up_what_it_does_not_need(place):
    """A filter of its own beside those of its cell, no process, and so much memory: enough for the longest journal."""
    def status(text):
        return dict(line.split(":\t", 1) for line in text.splitlines())

    ledger = a_ledger_at_rest(place)
    done = place.run("/usr/bin/python3", "-c", FORGE, ledger.log, seed_of(ledger).hex(), "3", "63", "65000", cwd=ledger.tree)
    size = os.path.getsize(f"{ledger.log}/journal")
    assert done.returncode == 0 and 11 << 20 < size < 12 << 20, told(done)
    done = ledger.run("--", "true")
    assert done.returncode == 0, told(done)
    with open(f"/proc/{ledger.holder()}/status", encoding="ascii") as file:
        ours = status(file.read())
    with open(f"/proc/{ledger.holder()}/limits", encoding="ascii") as file:
        limits = {line[:26].strip(): line[26:].split()[:2] for line in file}
    done = place.cell("--observe", "off", "--direct", "--write", ledger.tree, "--", "cat", "/proc/self/status", "/proc/self/limits", cwd=ledger.tree)
    cells = status(done.stdout.partition("Limit  ")[0])
    assert int(ours["Seccomp_filters"]) == int(cells["Seccomp_filters"]) + 1 and ours["NoNewPrivs"] == "1", (ours, cells)
    assert limits["Max processes"] == ["0", "0"], limits
    assert sanitized(place.ambit) or limits["Max address space"] == [str(192 << 20)] * 2, limits
    assert sum("forged" in entry["body"] for entry in ledger.entries()) == 3 * 63
    ledger.believed()


# ---- on the wire ----


class Wire:
    def __init__(self, ledger):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(SLOW * PATIENCE)
        self.sock.connect(f"{ledger.dir}/socket")
        number, body = self.hear()
        assert number == HELLO and body[0] == 0 and body[1:].startswith(b"ambit/"), (number, body)

    def hear(self):
        data = self.sock.recv(1 << 17)
        return (struct.unpack("<HH", data[:HEAD])[0], data[HEAD:]) if data else (None, b"")

    def say(self, number, body):
        self.sock.send(struct.pack("<HH", number, 0) + body)

    def append(self, *entries, durable=0):
        self.say(APPEND, bytes([durable]) + b"".join(entries))
        return self.hear()


def text(value):
    value = value.encode() if isinstance(value, str) else value
    return struct.pack("<I", len(value)) + value


def entry(kind, body, event=EVENT, grant=""):
    return bytes([TYPES.index(kind) if isinstance(kind, str) else kind]) + text(event) + text(grant) + text(body)


def a_hostile_client_harms_nobody(place):
    ledger = Ledger(place)
    assert ledger.run("--", "true").returncode == 0
    before = len(ledger.entries())
    good = entry("request", "{}")
    bad = [
        [], [b"\x00"], [good[:-1]], [good + b"\x00"], [entry(len(TYPES), "{}")], [entry(255, "{}")],  # not of the form
        [entry("request", "[]")], [entry("request", "{")], [entry("request", "{} ")], [entry("request", '{"b":1,"a":1}')],  # not canonical
        [entry("request", '{"a":1.5}')], [entry("request", b'{"a":"\xff"}')], [entry("request", '{"a":' + "[" * 40 + "]" * 40 + "}")],
        [entry("effect", "{}", event="")], [entry("start", "{}", event="")], [entry("stop", "{}", event="")],  # of an event, and the ledger's own
        [good, entry("ask", "{}", event="")], [entry("ask", "{}", event=""), good],  # of an event and of what the person's authority did
        [entry("crash", "{}")], [entry("prune", "{}", event="")], [entry("key", "{}", event="")], [entry("crash", "{}", event="")],
        [entry("request", "{}", event="e_short")], [entry("request", "{}", event="s" + EVENT[1:])],  # no event
        [entry("grant", "{}")], [entry("request", "{}", grant="e" + EVENT[1:])], [entry("stop", "{}", grant="g" + EVENT[1:])],
        [good, entry("request", "{}", event=EVENT[:-1] + "0")],  # of two events
        [good, entry("start", "{}"), entry("result", "{}"), entry("request", "{}", event=EVENT[:-1] + "0")],  # of another while the one runs
        [good, entry("result", "{}"), entry("request", "{}", event=EVENT[:-1] + "0"), good],  # back to one that is over, in the middle of another
        [good, good, entry("request", "[]")],  # nothing of it is taken
    ]
    for message in bad:
        wire = Wire(ledger)
        number, body = wire.append(*message)
        assert number == FAILED, (message, number, body)
        assert wire.hear()[0] is None, message
    for number, body in ((APPEND, b"\0" * 65500), (HELLO, b""), (ACCEPTED, b"\0" * 16), (7, b""), (APPEND ^ 0x8000, b"")):
        wire = Wire(ledger)
        wire.say(number, body)
        assert wire.hear()[0] in (None, FAILED), number
    silent = [Wire(ledger) for _ in range(100)]  # who says nothing holds nobody up
    wire = Wire(ledger)
    number, body = wire.append(good, good, durable=1)
    assert number == ACCEPTED and struct.unpack("<QQ", body) == (before, 2), (number, body, before)
    number, body = wire.hear()
    assert number == DURABLE and struct.unpack("<Q", body) == (before,), (number, body)
    assert ledger.run("--", "true").returncode == 0
    number, _ = wire.append(entry("request", "{}", event=EVENT[:-1] + "0"))
    assert number == FAILED  # the connection is of one event
    del silent
    assert types(ledger.of(EVENT)) == ["request", "request"]
    ledger.believed()


def one_connection_tells_of_one_event_after_the_other(place):
    ledger = Ledger(place)
    assert ledger.run("--", "true").returncode == 0
    other = EVENT[:-1] + "0"
    wire = Wire(ledger)
    number, _ = wire.append(entry("request", "{}"), entry("stop", "{}"), entry("result", "{}"), entry("request", "{}", event=other), entry("result", "{}", event=other))
    assert number == ACCEPTED
    number, _ = wire.append(entry("request", "{}"), entry("start", "{}"))
    assert number == ACCEPTED
    wire.sock.close()  # of the one that ran it is told
    assert ledger.run("--", "true").returncode == 0
    assert types(ledger.of(EVENT)) == ["request", "stop", "result", "request", "start", "crash"] and types(ledger.of(other)) == ["request", "result"], ledger.of(EVENT)
    ledger.believed()


def what_wants_no_answer_is_taken(place):
    """The next answer is of the message that wanted one; what cannot be taken is told in any case."""
    ledger = Ledger(place)
    assert ledger.run("--", "true").returncode == 0
    wire = Wire(ledger)
    for i in range(40):
        wire.say(APPEND, bytes([2]) + entry("request", f'{{"n":{i}}}'))
    number, body = wire.append(entry("stop", "{}"), durable=1)
    assert number == ACCEPTED and struct.unpack("<QQ", body)[1] == 1, (number, body)
    assert wire.hear()[0] == DURABLE
    assert [e["body"] for e in ledger.of(EVENT)] == [*({"n": i} for i in range(40)), {}]
    wire.say(APPEND, bytes([2]) + entry("request", "{ }"))
    assert wire.hear()[0] == FAILED and wire.hear()[0] is None
    wire = Wire(ledger)
    assert wire.append(entry("request", "{}"), durable=3)[0] == FAILED  # there are three
    ledger.believed()


def a_client_that_goes_without_a_stop(place):
    """Is a crash of its event, told once; with a stop, or without a start, it is none."""
    ledger = Ledger(place)
    assert ledger.run("--", "true").returncode == 0
    for kinds, told_kinds in ((["start"], ["start", "crash"]), (["start", "stop"], ["start", "stop"]), (["request"], ["request"])):
        event = EVENT[:-1] + str(len(told_kinds) + len(kinds))
        wire = Wire(ledger)
        assert wire.append(*[entry(kind, "{}", event=event) for kind in kinds])[0] == ACCEPTED
        wire.sock.close()
        until(lambda: len(ledger.of(event)) == len(told_kinds), told_kinds)
        assert types(ledger.of(event)) == told_kinds
    ledger.believed()


def a_client_that_fills_a_group(place):
    """To the last entry, so that the crash of another has no room in it."""
    ledger = Ledger(place)
    assert ledger.run("--", "true").returncode == 0
    events = [EVENT[:-2] + f"{i:02}" for i in range(12)]
    wires = [Wire(ledger) for _ in events]
    assert wires[-1].append(entry("start", "{}", event=events[-1]))[0] == ACCEPTED
    pid, left = ledger.holder(), 16384  # LOG_JOURNAL_ENTRIES
    os.kill(pid, signal.SIGSTOP)  # so that it finds all of them at once
    for wire, event in zip(wires[:-1], events):
        one = entry("request", "{}", event=event)
        fits = min(left, 64999 // len(one))
        wire.say(APPEND, b"\0" + one * fits)
        left -= fits
    assert left == 0
    wires[-1].sock.close()
    os.kill(pid, signal.SIGCONT)
    assert [wire.hear()[0] for wire in wires[:-1]] == [ACCEPTED] * 11
    assert ledger.run("--", "true").returncode == 0 and ledger.holder() == pid
    assert types(ledger.of(events[-1])) == ["start", "crash"]
    ledger.believed()


def a_descriptor_that_holds_who_closes_it(place):
    """Of a connection that nobody reads from, and which waits for that: it cannot be passed at all."""
    if [int(part) for part in os.uname().release.split("-")[0].split(".")[:2]] < [6, 16]:
        raise Skip("before Linux 6.16 who receives cannot refuse")
    ledger = Ledger(place)
    assert ledger.run("--", "true").returncode == 0
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as ours:
        with server.accept()[0]:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3600))
            ours.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while ours.send(bytes(65536)):
                    pass
            wire = Wire(ledger)
            try:
                socket.send_fds(wire.sock, [struct.pack("<HH", APPEND, 0) + b"\0" + entry("request", "{}")], [ours.fileno()])
            except PermissionError:
                ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))  # or we would wait ourselves
            ours.close()
            assert ledger.run("--", "true").returncode == 0
    ledger.believed()


@once
def a_crowd_is_told(place):
    ledger = Ledger(place)
    assert ledger.run("--", "true").returncode == 0
    crowd = [Wire(ledger) for _ in range(256)]
    done = ledger.run("--", "true")
    assert done.returncode == 125 and "256 events" in done.stderr, told(done)
    crowd.pop().sock.close()
    assert ledger.run("--", "true").returncode == 0


@once
def nobody_is_waited_for_without_end(place):
    """Neither a ledger that was stopped, with many waiting before us or with none, nor one that is being started."""
    stopped, crowded, starting = ledgers = [Ledger(place) for _ in range(3)]
    waiting = []
    with contextlib.ExitStack() as stack:
        for ledger in stopped, crowded:
            assert ledger.run("--", "true").returncode == 0
            os.kill(ledger.holder(), signal.SIGSTOP)
            stack.callback(os.kill, ledger.holder(), signal.SIGKILL)
        with contextlib.suppress(BlockingIOError):
            while True:
                waiting.append(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK))
                waiting[-1].connect(f"{crowded.dir}/socket")
        os.mkdir(starting.dir, 0o700)
        lock = stack.enter_context(open(f"{starting.dir}/starting", "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)))
        fcntl.flock(lock, fcntl.LOCK_EX)
        events = [subprocess.Popen([place.ambit, "run", "--ledger", ledger.dir, "--work", ".", "--direct", "--", "touch", "ran"],
                                   cwd=ledger.tree, env=place.environment(), stderr=subprocess.PIPE, text=True) for ledger in ledgers]
        for ledger, event, words in zip(ledgers, events, ("does not answer", "does not answer", "being started by another")):
            _, stderr = event.communicate(timeout=40 * SLOW)
            assert event.returncode == 125 and words in stderr, (words, stderr)
            assert not os.path.exists(f"{ledger.tree}/ran")


@once
def a_client_that_does_not_read(place):
    """Loses its answers, and holds up nobody."""
    ledger = Ledger(place)
    assert ledger.run("--", "true").returncode == 0
    wire = Wire(ledger)
    wire.sock.settimeout(0.2)
    try:
        for _ in range(3000):
            wire.say(APPEND, b"\0" + entry("request", "{}"))
    except (TimeoutError, BlockingIOError):
        pass
    assert ledger.run("--", "true").returncode == 0
    ledger.believed()


if __name__ == "__main__":
    main([the_verifier_is_there, an_event_is_recorded, a_session_is_shown, policies_are_recorded, the_key_is_told_once, the_key_is_told_until_somebody_heard, every_event_is_recorded, odd_words_are_recorded,
          a_refused_event_is_told_as_that, a_ledger_behind_a_link, many_at_once_share_it, it_ends_when_nobody_needs_it, changes_are_recorded,
          what_is_not_committed_is_told_as_that, what_cannot_be_told_is_not_done, a_killed_ledger_goes_on, kills_at_any_time_lose_nothing,
          a_ledger_that_dies_keeps_the_changes, a_ledger_that_is_taken_away_keeps_the_changes, two_processes_never_write_one_log,
          an_event_that_is_lost_is_a_crash, what_cannot_be_recorded_does_not_run, what_lies_there_already_is_not_trusted,
          a_death_while_it_is_made, a_directory_that_cannot_be_written, a_full_disk_is_told, no_cell_sees_the_ledger,
          the_way_to_the_ledger_stays, what_somebody_else_wrote_is_not_signed, a_journal_of_an_older_form_is_refused,
          the_ledger_gave_up_what_it_does_not_need, a_hostile_client_harms_nobody, one_connection_tells_of_one_event_after_the_other, what_wants_no_answer_is_taken, a_client_that_goes_without_a_stop, a_client_that_fills_a_group,
          a_descriptor_that_holds_who_closes_it, a_crowd_is_told, nobody_is_waited_for_without_end, a_client_that_does_not_read])
