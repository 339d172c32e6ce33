#!/usr/bin/env python3
"""A ledger that goes on in another log under another key: how it is done, what a death leaves, what is believed of it, and what is not.

usage: ledger_rotate.py AMBIT    (TAP on standard output; as root once more as an ordinary user)
"""

import glob
import json
import os
import shutil
import signal
import subprocess
import time

from harness import PATIENCE, SLOW, Skip, main, sanitized, told
from ledger import ACCEPTED, FAILED, Ledger, Wire, an_event_at_work, entry, kill, types, until
from peer import the_verifier_is_there, tlog_verify

ROTATE = 98


class Rotated(Ledger):
    def ambit(self, *words, **more):
        return self.place.run(self.place.ambit, "ledger", *words, "--ledger", self.dir, cwd=self.place.top, **more)

    def key(self, log="log"):
        with open(f"{self.dir}/{log}/key.pub", encoding="utf-8") as file:
            return file.read().strip()

    def begin(self):
        done = self.run("--work", ".", "--", "true")
        assert done.returncode == 0, told(done)
        return self

    def rotate(self, *words):
        done = self.ambit("rotate", "--json", *words)
        assert done.returncode == 0, told(done)
        return json.loads(done.stdout)

    def secret(self):
        with open(f"{self.dir}/ledger.key", encoding="utf-8") as file:
            return file.read().strip().split("+", 4)[4]  # PRIVATE+KEY+name+id+base64, in which there may be a +

    def event(self):
        done = self.run("--json", "--", "true")
        assert done.returncode == 0, told(done)
        return json.loads(done.stdout)["event"]

    def verified(self, *words):
        until(self.is_published, "a checkpoint of everything")
        done = self.ambit("verify", "--json", *words)
        found = json.loads(done.stdout)
        assert done.returncode == 0 and found["verified"], told(done)
        return found

    def faulty(self, *texts, words=()):
        done = self.ambit("verify", *words)
        assert done.returncode == 1, told(done)
        for text in texts:
            assert text in done.stdout, f"no {text!r} in {told(done)}"

    def ended(self):
        """Nobody writes: by a kill, since it would stay for ten seconds."""
        if self.holder():
            kill(self)
        until(lambda: self.holder() is None, "the end of the ledger's process")

    def nowhere(self, secret):
        for where, _, names in os.walk(self.dir):
            for name in names:
                path = f"{where}/{name}"
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        assert secret.encode() not in file.read(), path

    def past(self):
        return sorted(os.listdir(f"{self.dir}/past")) if os.path.exists(f"{self.dir}/past") else []


def the_log_goes_on_in_another(place):
    ledger = Rotated(place).begin()
    old, secret = ledger.key(), ledger.secret()
    before = types(ledger.entries())
    told_of = ledger.rotate()
    assert told_of["key_before"] == old and told_of["key"] == ledger.key() != old, told_of
    assert told_of["closed"] == f"{ledger.dir}/past/1" and told_of["entries"] == len(before) + 2, told_of
    assert ledger.key("past/1/log") == old and old.split("+")[0] != ledger.key().split("+")[0]
    assert os.stat(f"{ledger.dir}/past").st_mode & 0o7777 == os.stat(f"{ledger.dir}/past/1").st_mode & 0o7777 == 0o700
    assert sorted(os.listdir(f"{ledger.dir}/past/1")) == ["log"]
    assert os.stat(f"{ledger.dir}/ledger.key").st_mode & 0o7777 == 0o600
    ledger.nowhere(secret)
    try:
        ledger.nowhere(ledger.secret())
        raise RuntimeError("the key that signs now was not found, so the look is none")
    except AssertionError:
        pass
    first = ledger.entries()[0]
    assert first["type"] == "key" and first["body"]["previous"]["key"] == old, first
    past = Rotated(place)
    past.dir, past.log = f"{ledger.dir}/past/1", f"{ledger.dir}/past/1/log"
    last = past.entries()[-1]
    assert last["type"] == "key" and last["body"] == {"next": ledger.key()}, last
    assert types(past.entries())[:-2] == before
    assert first["body"]["previous"]["size"] == len(before) + 2
    with open(f"{past.log}/checkpoint", encoding="utf-8") as file:
        assert file.read().splitlines()[2] == first["body"]["previous"]["root"]
    for log in (ledger.log, past.log):
        with open(f"{log}/key.pub", encoding="utf-8") as file:
            done = place.run(tlog_verify(place), "check", log, file.read().strip(), cwd=place.top)
        assert done.returncode == 0, told(done)


def who_runs_next_is_told_once(place):
    ledger = Rotated(place).begin()
    ledger.rotate()
    done = ledger.run("--", "true")
    assert done.returncode == 0 and ledger.key() in done.stderr and "which the one before named" in done.stderr, told(done)
    done = ledger.run("--", "true")
    assert done.returncode == 0 and done.stderr == "", told(done)


def the_chain_is_followed(place):
    """From whichever key was pinned; and twice."""
    ledger = Rotated(place).begin()
    keys = [ledger.key()]
    for _ in range(3):
        ledger.rotate()
        ledger.event()
        keys.append(ledger.key())
    for words in [()] + [("--key", key) for key in keys]:
        found = ledger.verified(*words)
        assert [log["vkey"] for log in found["past"]] == keys[:3], found
        assert [log["given"] for log in found["past"]] == [("--key", key) == words for key in keys[:3]], found
        assert found["key"]["vkey"] == keys[3] and found["key"]["given"] == (words != ()), found
    done = ledger.ambit("verify", "--key", keys[0])
    assert done.returncode == 0 and "past/1: " in done.stdout and "whose key was given" in done.stdout, told(done)
    other = Rotated(place).begin()
    ledger.faulty("is not signed by", words=("--key", other.key()))


def it_waits_for_events(place):
    ledger = Rotated(place).begin()
    old = ledger.key()
    with an_event_at_work(ledger):
        done = ledger.ambit("rotate")
        assert done.returncode == 125 and "1 event is being recorded" in done.stderr and "--wait" in done.stderr, told(done)
        done = ledger.ambit("rotate", "--json")
        assert json.loads(done.stdout)["error"]["code"] == "CONFLICT", told(done)
        assert ledger.key() == old and ledger.past() == [] and not os.path.exists(f"{ledger.dir}/ledger-next.key")
        waiting = subprocess.Popen([place.ambit, "ledger", "rotate", "--wait", "--ledger", ledger.dir], cwd=place.top, text=True,
                                   env=place.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        stopped = subprocess.Popen([place.ambit, "ledger", "rotate", "--wait", "--ledger", ledger.dir], cwd=place.top, text=True,
                                   env=place.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert "being recorded" in stopped.stderr.readline()  # by the event and, at times, by who waits as well
        stopped.send_signal(signal.SIGINT)
        assert stopped.wait(PATIENCE) == -signal.SIGINT
        assert waiting.poll() is None and ledger.key() == old
    out, err = waiting.communicate(timeout=SLOW * PATIENCE)
    assert waiting.returncode == 0 and ledger.key() in out, (out, err)
    assert ledger.key() != old and ledger.past() == ["1"]
    ledger.verified("--key", old)


def an_event_does_not_rotate(place):
    """By its own connection, which a program that has the socket might try; nobody else is held up."""
    ledger = Rotated(place).begin()
    wire = Wire(ledger)
    assert wire.append(entry("request", "{}"))[0] == ACCEPTED
    wire.say(ROTATE, b"")
    number, body = wire.hear()
    assert number == FAILED and b"does not rotate" in body, (number, body)
    assert wire.hear()[0] is None and ledger.past() == []
    wire = Wire(ledger)
    wire.say(ROTATE, b"x")
    assert wire.hear()[0] is None and ledger.past() == []
    ledger.event()
    ledger.verified()


def what_was_cosigned_goes_with_its_log(place):
    """It says nothing of the one that goes on, in which it would be a fault."""
    ledger = Rotated(place).begin()
    os.mkdir(f"{ledger.dir}/witness", 0o700)
    name = "0" * 64
    shutil.copy(f"{ledger.log}/checkpoint", f"{ledger.dir}/witness/{name}")
    ledger.rotate()
    assert os.listdir(f"{ledger.dir}/past/1/witness") == [name] and not os.path.exists(f"{ledger.dir}/witness")
    ledger.event()
    ledger.rotate()
    assert sorted(os.listdir(f"{ledger.dir}/past/2")) == ["log"]
    ledger.verified()


def two_at_once(place):
    ledger = Rotated(place).begin()
    old = ledger.key()
    both = [subprocess.Popen([place.ambit, "ledger", "rotate", "--wait", "--ledger", ledger.dir], cwd=place.top, env=place.environment(),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    assert [one.wait(SLOW * PATIENCE) for one in both] == [0, 0], [one.stderr.read() for one in both]
    assert ledger.past() == ["1", "2"]
    found = ledger.verified("--key", old)
    assert [log["given"] for log in found["past"]] == [True, False]


# ---- deaths ----


class Steps:
    """What is in the directory after each step, put together out of a rotation that was carried out."""

    def __init__(self, place):
        self.ledger = ledger = Rotated(place).begin()
        ledger.entries()
        ledger.ended()
        self.top = place.fresh()
        self.old_key, self.secret = f"{self.top}/old.key", ledger.secret()
        shutil.copy(f"{ledger.dir}/ledger.key", self.old_key)
        shutil.copytree(ledger.log, f"{self.top}/before")
        self.old = ledger.key()
        with subprocess.Popen([place.ambit, "ledger", "rotate", "--ledger", ledger.dir], env=place.environment(), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as rotation:
            until(lambda: ledger.past() and not os.path.exists(f"{ledger.dir}/ledger-next.key"), "the last step")
            ledger.ended()  # at once: what comes behind its first entry is published a tenth of a second later
            rotation.wait()
        self.new_key = f"{self.top}/new.key"
        shutil.copy(f"{ledger.dir}/ledger.key", self.new_key)
        shutil.copytree(f"{ledger.dir}/past/1/log", f"{self.top}/closed")
        shutil.copytree(ledger.log, f"{self.top}/next")
        with open(f"{self.top}/next/journal", "wb"):
            pass  # what came behind the first entry
        with open(f"{self.top}/next/checkpoint", encoding="utf-8") as file:
            assert file.read().splitlines()[1] == "1", "the log that follows has more under its checkpoint already"

    def put(self, log, next_log, past, key, next_key):
        """Each the name of a directory or a file of ours, or None."""
        ledger = self.ledger
        for name in ("log", "log.next", "past"):
            shutil.rmtree(f"{ledger.dir}/{name}", ignore_errors=True)
        for name in ("ledger.key", "ledger-next.key"):
            if os.path.lexists(f"{ledger.dir}/{name}"):
                os.remove(f"{ledger.dir}/{name}")
        for what, name in ((log, "log"), (next_log, "log.next"), (past, "past/1/log")):
            if what is not None:
                shutil.copytree(f"{self.top}/{what}", f"{ledger.dir}/{name}")
        for what, name in ((key, "ledger.key"), (next_key, "ledger-next.key")):
            if what is not None:
                shutil.copy(what, f"{ledger.dir}/{name}")
        if os.path.exists(f"{ledger.dir}/past"):
            os.chmod(f"{ledger.dir}/past", 0o700)
            os.chmod(f"{ledger.dir}/past/1", 0o700)

    def went_on(self):
        ledger = self.ledger
        ledger.event()
        assert ledger.past() == ["1"] and sorted(glob.glob(f"{ledger.dir}/*next*")) == [], os.listdir(ledger.dir)
        found = ledger.verified("--key", self.old)
        assert [log["given"] for log in found["past"]] == [True], found
        ledger.nowhere(self.secret)
        ledger.ended()

    def taken_back(self):
        ledger = self.ledger
        ledger.event()
        assert ledger.past() == [] and ledger.key() == self.old and glob.glob(f"{ledger.dir}/*next*") == []
        ledger.verified("--key", self.old)
        ledger.ended()


def a_death_after_each_step(place):
    steps = Steps(place)
    old, new = steps.old_key, steps.new_key
    os.makedirs(f"{steps.top}/empty")
    os.makedirs(f"{steps.top}/key-only")
    shutil.copy(f"{steps.top}/next/key.pub", f"{steps.top}/key-only")
    steps.put("before", None, None, old, new)
    steps.taken_back()
    for row in (("closed", None, None, old, new), ("closed", "empty", None, old, new), ("closed", "key-only", None, old, new),
                ("closed", "next", None, old, new), (None, "next", "closed", old, new), ("next", None, "closed", old, new)):
        steps.put(*row)
        steps.went_on()
    steps.put("closed", "next", None, old, new)
    os.makedirs(f"{steps.ledger.dir}/past/1", 0o700)
    steps.went_on()
    for row in (("closed", "next", None, old, new), (None, "next", "closed", old, new)):
        steps.put(*row)
        os.makedirs(f"{steps.ledger.dir}/witness", 0o700)  # what was cosigned goes behind its log
        steps.went_on()
        assert sorted(os.listdir(f"{steps.ledger.dir}/past/1")) == ["log", "witness"]
        assert not os.path.exists(f"{steps.ledger.dir}/witness")
    steps.put("next", None, "closed", old, new)
    os.makedirs(f"{steps.ledger.dir}/witness", 0o700)  # of the log that follows
    steps.went_on()
    assert os.path.exists(f"{steps.ledger.dir}/witness")
    os.rmdir(f"{steps.ledger.dir}/witness")


def a_full_disk_rotates_or_does_not(place):
    """With room for each number of blocks, until it is enough; and where nothing can be written at all. What was broken off goes on with room again."""
    ledger = Rotated(place)
    with ledger.on_a_small_disk():
        first = ledger.begin().key()
        rotated = None
        for blocks in range(40):
            ledger.entries()
            ledger.ended()
            logs, before = len(ledger.past()), ledger.verified("--key", first)
            events = before["size"] + sum(log["size"] for log in before["past"])
            with ledger.full(left=blocks):
                done = ledger.ambit("rotate")
            assert done.returncode in (0, 125) and (done.returncode == 0 or done.stderr.startswith("ambit: ")), told(done)
            rotated = blocks if done.returncode == 0 and rotated is None else rotated
            ledger.ended()  # a process of the ledger that could not write something does not try again
            ledger.event()
            ledger.entries()
            found, more = ledger.verified("--key", first), len(ledger.past()) - logs
            assert more == 1 if done.returncode == 0 else more in (0, 1), told(done)
            assert glob.glob(f"{ledger.dir}/*next*") == [] and found["size"] + sum(log["size"] for log in found["past"]) > events, found
            if rotated is not None and blocks > rotated + 2:
                break
        assert rotated is not None and rotated > 0
        ledger.ended()
        subprocess.run(["mount", "-o", "remount,ro", ledger.dir], check=True)
        done = ledger.ambit("rotate")
        assert done.returncode == 125 and "Read-only file system" in done.stderr, told(done)
        subprocess.run(["mount", "-o", "remount,rw", ledger.dir], check=True)
        ledger.event()
        ledger.verified("--key", first)
        ledger.ended()


def what_was_planted_in_between_is_refused(place):
    """And nothing of it is removed or written over: what was there can be put in order by a person."""
    steps = Steps(place)
    ledger, old, new = steps.ledger, steps.old_key, steps.new_key
    other = Rotated(place).begin()
    other.ended()
    shutil.copytree(other.log, f"{steps.top}/other")
    theirs = f"{other.dir}/ledger.key"

    def refused(text, *row):
        steps.put(*row)
        secrets = sorted(glob.glob(f"{ledger.dir}/*.key"))
        done = ledger.run("--", "true")
        assert done.returncode == 125 and text in done.stderr, told(done)
        assert sorted(glob.glob(f"{ledger.dir}/*.key")) == secrets
        if row[0] is not None:
            assert ledger.key() == Rotated.key(type("at", (), {"dir": steps.top})(), row[0]), "another log is there"
        until(lambda: ledger.holder() is None, "the end of the ledger's process")

    refused("is not the key that it names", "closed", None, None, old, theirs)
    refused("that comes next ('ledger-next.key') is gone", "closed", None, None, old, None)
    refused("not signed by", "closed", "other", None, old, new)
    refused("it is not in 'past'", None, "next", None, old, new)
    refused("not signed by", None, "next", "other", old, new)
    refused("what is in 'past' is another", None, "next", "before", old, new)
    refused("it is not in 'past'", "other", None, None, old, theirs)
    refused("is not the key that it names", "other", None, "closed", old, theirs)
    os.makedirs(f"{steps.top}/nothing")
    shutil.copy(f"{steps.top}/before/key.pub", f"{steps.top}/nothing")
    for row in (("nothing", None, None, old, new), ("nothing", None, None, old, theirs), ("nothing", "next", "closed", old, new)):
        refused("the ledger's log is gone, and its key is there", *row)
        assert os.listdir(ledger.log) == ["key.pub"], "a log was begun under a key that has signed another"


def what_is_in_the_way_is_refused(place):
    ledger = Rotated(place).begin()
    old, elsewhere = ledger.key(), place.fresh()
    plants = {"past": lambda path: os.symlink(elsewhere, path), "log.next": os.mkdir, "past/1": lambda path: os.symlink(elsewhere, path),
              "ledger-next.key": lambda path: os.symlink(f"{elsewhere}/nothing", path),
              "past/1/witness": lambda path: (os.mkdir(os.path.dirname(path)), os.symlink(elsewhere, path))}
    for name, plant in plants.items():
        if name.startswith("past/"):
            os.mkdir(f"{ledger.dir}/past")
        plant(f"{ledger.dir}/{name}")
        done = ledger.ambit("rotate")
        assert done.returncode == 125 and f"'{name}" in done.stderr and "in the way" in done.stderr, told(done)
        assert os.path.lexists(f"{ledger.dir}/{name}") and os.listdir(elsewhere) == []
        (os.rmdir if name == "log.next" else os.remove)(f"{ledger.dir}/{name}")
        if name.startswith("past/"):
            shutil.rmtree(f"{ledger.dir}/past")
        ledger.event()
        assert ledger.key() == old
    ledger.rotate()
    ledger.verified("--key", old)


def is_traced(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return "TracerPid:\t0\n" not in file.read()


def killed_at(ledger, key, call, n):
    """Whether a rotation during which the process was killed at the nth such call needed no more of them."""
    ledger.event()
    ledger.entries()
    count, before, pid = len(ledger.past()), ledger.key(), ledger.holder()
    trace = subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={n}",
                              "-p", str(pid)], stderr=subprocess.PIPE)
    until(lambda: is_traced(pid), "strace at work")
    done = ledger.ambit("rotate")
    trace.terminate()
    trace.wait()
    ledger.event()
    ledger.verified("--key", key)
    assert len(ledger.past()) in (count, count + 1) and glob.glob(f"{ledger.dir}/*next*") == [], os.listdir(ledger.dir)
    assert (ledger.key() == before) == (len(ledger.past()) == count)
    return done.returncode == 0


def a_death_at_each_call(place):
    """The process is killed at its nth system call of each that changes something, until a rotation needs no more of them."""
    if os.geteuid() != 0 or sanitized(place.ambit):
        raise Skip("somebody else's process is stopped at a system call by root, in a build without sanitizers")
    if shutil.which("strace") is None:
        raise Skip("strace is not installed")
    ledger = Rotated(place).begin()
    key, died = ledger.key(), {}
    for call in ("mkdirat", "renameat", "unlinkat", "write", "fsync", "fdatasync"):
        n = 1
        while not killed_at(ledger, key, call, n):
            died[call] = died.get(call, 0) + 1
            n += 1 if call in ("mkdirat", "renameat") or "AMBIT_SOAK" in os.environ else 3
    print(f"# deaths: {died}", flush=True)
    assert died["renameat"] > 4 and died["mkdirat"] > 2, died


# ---- what is not believed ----


def broken_links(place):
    ledger = Rotated(place).begin()
    first = ledger.key()
    for _ in range(2):
        ledger.rotate()
        ledger.event()
    ledger.verified()
    ledger.ended()
    other = Rotated(place).begin()
    other.rotate()
    other.ended()
    saved = f"{place.fresh()}/saved"
    shutil.copytree(ledger.dir, saved, ignore=shutil.ignore_patterns("socket"))

    def again():
        for name in ("log", "past"):
            shutil.rmtree(f"{ledger.dir}/{name}")
            shutil.copytree(f"{saved}/{name}", f"{ledger.dir}/{name}")

    shutil.rmtree(f"{ledger.dir}/past/1")
    ledger.faulty("past/1/log: it is missing")
    again()
    shutil.rmtree(f"{ledger.dir}/past/2")
    ledger.faulty("past/1/log/checkpoint")  # the present log names another one
    again()
    shutil.rmtree(f"{ledger.dir}/past")
    ledger.faulty("it goes on from another log, which is missing")
    os.mkdir(f"{ledger.dir}/past")
    again()
    shutil.rmtree(f"{ledger.dir}/past/2/log")
    shutil.copytree(other.log, f"{ledger.dir}/past/2/log")
    ledger.faulty("past/2/log/checkpoint")
    ledger.faulty("past/2/log", words=("--key", first))
    again()
    path = max(glob.glob(f"{ledger.dir}/past/1/log/tile/entries/000.p/*"), key=lambda name: int(os.path.basename(name)))
    with open(path, "r+b") as file:
        file.seek(20)
        byte = file.read(1)
        file.seek(20)
        file.write(bytes([byte[0] ^ 1]))
    ledger.faulty("past/1/log/tile/entries")
    again()
    ledger.verified()
    assert ledger.verified("--key", first)["past"][0]["given"]


def a_copy_of_one_log_is_no_fault(place):
    """What was closed can be looked at alone, and it is said that others come before it."""
    ledger = Rotated(place).begin()
    ledger.rotate()
    ledger.event()
    ledger.rotate()
    done = ledger.place.run(place.ambit, "ledger", "verify", "--ledger", f"{ledger.dir}/past/2", cwd=place.top)
    assert done.returncode == 0 and "which is not here" in done.stdout, told(done)


# ---- what lies beside, and is looked for ----


def old_events_are_found(place):
    ledger = Rotated(place).begin()
    old, event = ledger.key(), ledger.event()
    ledger.rotate()
    newer = ledger.event()
    ledger.entries()
    done = place.run(place.ambit, "explain", event, "--ledger", ledger.dir, cwd=place.top)
    assert done.returncode == 0 and "Asked" in done.stdout, told(done)
    for word, key in ((event, old), (newer, ledger.key())):
        proof = ledger.ambit("prove", word)
        assert proof.returncode == 0, told(proof)
        checked = place.run(place.ambit, "ledger", "check", "-", "--key", key, cwd=place.top, input=proof.stdout)
        assert checked.returncode == 0 and word[:14] in checked.stdout, told(checked)
    done = ledger.ambit("prove", "e_01M8DNE24ECCTG32HASREWXH6C")
    assert done.returncode != 0 and "there is no entry of" in done.stderr, told(done)


def earlier_entries_are_shown(place):
    """One log behind the other, as if it were one; of an event those of the log that has it."""
    ledger = Rotated(place).begin()
    event = ledger.event()
    ledger.rotate()
    ledger.rotate()
    newer = ledger.event()
    ledger.entries()
    ledger.ended()  # or its own stop comes in between

    def shown(*words):
        done = ledger.ambit("show", "--json", *words)
        assert done.returncode == 0 and done.stderr == "", told(done)
        return [json.loads(line) for line in done.stdout.splitlines()]

    logs = [f"{ledger.dir}/past/1", f"{ledger.dir}/past/2", ledger.dir]
    each = []
    for log in logs:
        done = place.run(place.ambit, "ledger", "show", "--json", "--ledger", log, "--no-index", cwd=place.top)
        each.append([json.loads(line) for line in done.stdout.splitlines()] if "past" in log else None)
    both = shown()
    assert both[:len(each[0]) + len(each[1])] == each[0] + each[1] and [e["type"] for e in both].count("key") == 4
    assert {e["event"] for e in both} >= {event, newer} and both == shown("--no-index") and both[-7:] == shown("--limit", "7")
    for word in (event, newer):
        assert shown("--event", word) == [e for e in both if e["event"] == word] != []
    assert {e["event"] for e in shown("--event", "last")} == {newer}
    assert shown("--event", "e_01M8DNE24ECCTG32HASREWXH6C") == []
    absent = ledger.ambit("show", "--event", "e_01M8DNE24ECC")
    assert absent.returncode == 125 and absent.stdout == "" and absent.stderr.count("no event in the log begins with") == 1, told(absent)
    text = ledger.ambit("show", "--no-pager")
    assert text.returncode == 0 and event[:14] in text.stdout and "past/" not in text.stdout, told(text)
    os.mkdir(f"{ledger.dir}/past/3")  # as a death may leave it: no log was closed there yet
    assert shown() == both
    os.rmdir(f"{ledger.dir}/past/3")
    other = Rotated(place).begin()
    done = place.run(place.ambit, "ledger", "show", "--json", "--ledger", ledger.dir, "--ledger", other.dir, cwd=place.top)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["entry"] for line in lines if line["ledger"] == ledger.dir] == both, told(done)


class Three(Rotated):
    """Two logs that were closed, and the present one; `events` has one of each."""

    def __init__(self, place):
        super().__init__(place)
        self.begin()
        self.events, self.keys = [], []
        for i in range(3):
            self.events.append(self.event())
            self.keys.append(self.key())
            if i < 2:
                self.rotate()
        self.entries()
        self.ended()

    def of(self, number, *words):
        """Asked of one log."""
        return self.place.run(self.place.ambit, "ledger", *words, "--ledger", f"{self.dir}/past/{number}", cwd=self.place.top)


def all_logs_are_read(place):
    """Decisions, exports and the report are of all logs together, each verified by the key that its neighbour names."""
    ledger = Three(place)
    done = ledger.ambit("replay", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0 and done.stderr == "" and [log["number"] for log in found["log"]["past"]] == [1, 2], told(done)
    each = [json.loads(ledger.of(n, "replay", "--json").stdout) for n in (1, 2)]
    assert found["seen"] == 4 and [one["seen"] for one in each] == [2, 1] and found["agree"] > each[0]["agree"] > 0, (found, each)
    for form in ("--ocsf", "--otlp"):
        done = ledger.ambit("export", form)
        assert done.returncode == 0 and done.stderr == "", told(done)
        parts = "".join(ledger.of(n, "export", form).stdout for n in (1, 2))
        assert parts.count("\n") >= 2 and done.stdout.startswith(parts) and ledger.events[2] in done.stdout[len(parts):], told(done)
    for words in (("--text",), ("--html",)):
        done = ledger.ambit("report", *words, "--key", ledger.keys[0])
        assert done.returncode == 0 and done.stderr == "" and all(event in done.stdout for event in ledger.events), told(done)
        assert "3 logs" in done.stdout and "past/2" in done.stdout and "That of an earlier log was given" in done.stdout, told(done)
    only = ledger.of(1, "report", "--text")
    assert only.returncode == 0 and ledger.events[0] in only.stdout and ledger.events[1] not in only.stdout, told(only)
    text = ledger.ambit("report", "--text").stdout
    number = next(int(word[2:]) for word in text.split() if word.startswith("2:") and word[2:].isdigit() and word != "2:17")  # that is the example
    proof = ledger.of(2, "prove", str(number))
    checked = place.run(place.ambit, "ledger", "check", "-", "--key", ledger.keys[1], cwd=place.top, input=proof.stdout)
    assert checked.returncode == 0 and ledger.events[1][:14] in checked.stdout, told(checked)


def another_policy_is_tried_on_all_logs(place):
    ledger = Rotated(place).begin()
    assert ledger.run("--read", ".", "--", "cat", "x").returncode == 1  # there is none: it may be looked for
    with open(f"{ledger.tree}/x", "w", encoding="utf-8") as file:
        file.write("x\n")
    assert ledger.run("--read", ".", "--", "cat", "x").returncode == 0
    ledger.rotate()
    assert ledger.run("--read", ".", "--", "cat", "x").returncode == 0
    ledger.entries()
    with open(f"{place.top}/none.yaml", "w", encoding="utf-8") as file:
        file.write("version: 1\n")
    done = ledger.ambit("replay", "--policy", f"{place.top}/none.yaml", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 1 and found["policy"]["events"]["denied"] == 3, told(done)
    assert [event["past"] for event in found["events"]] == [1, 1, None], told(done)
    text = ledger.ambit("replay", "--policy", f"{place.top}/none.yaml").stdout
    assert text.count(", in past/1\n") == 2, text


def of_one_event_its_log_is_read(place):
    ledger = Three(place)
    ledger.rotate()  # the present log has none
    for event in ledger.events:
        for words in (("replay", "--json"), ("export", "--otlp"), ("report", "--text")):
            for word in (event, event[:24]):
                done = ledger.ambit(*words, "--event", word)
                assert done.returncode == 0 and (words[0] == "replay" or event in done.stdout), told(done)
                others = [other for other in ledger.events if other != event]
                assert not any(other in done.stdout for other in others), told(done)
                assert words[0] != "replay" or json.loads(done.stdout)["seen"] == 1, told(done)
    done = ledger.ambit("export", "--otlp", "--event", "last")
    assert done.returncode == 0 and ledger.events[2] in done.stdout, told(done)
    for words in (("replay",), ("export", "--ocsf"), ("report", "--html")):
        for word in ("e_01M8DNE24ECCTG32HASREWXH6C", "e_01M8DNE24ECC"):
            done = ledger.ambit(*words, "--event", word)
            assert done.returncode == 125 and done.stdout == "" and word in done.stderr, told(done)


def what_is_wrong_with_one_is_told_of_all(place):
    """A log that is not what was signed, is gone, or is another, fails what is said of all of them; the page says it on top."""

    def refuses(ledger, text, words=()):
        for asked in (("replay",), ("export", "--ocsf"), ("report", "--text")):
            done = ledger.ambit(*asked, *words)
            assert done.returncode == 1 and text in done.stdout + done.stderr, told(done)
            assert asked[0] != "report" or "*** This ledger is not what was signed ***" in done.stdout or not os.path.exists(f"{ledger.dir}/past"), told(done)
        return done.stdout

    ledger = Three(place)
    with open(f"{ledger.dir}/past/1/log/checkpoint", encoding="utf-8") as file:
        tile = f"{ledger.dir}/past/1/log/tile/entries/000.p/{file.read().splitlines()[1]}"  # shorter ones of before may be there
    with open(tile, "r+b") as file:
        whole = file.read()
        file.seek(len(whole) // 2)
        file.write(bytes([whole[len(whole) // 2] ^ 1]))
    page = refuses(ledger, "past/1/log")
    assert ledger.events[0] not in page and ledger.events[1] in page and ledger.events[2] in page, page
    with open(tile, "wb") as file:
        file.write(whole)
    assert ledger.ambit("replay").returncode == 0

    shutil.move(f"{ledger.dir}/past/1", f"{ledger.dir}/elsewhere")
    refuses(ledger, "missing")
    shutil.move(f"{ledger.dir}/past", f"{ledger.dir}/gone")
    refuses(ledger, "missing")
    shutil.move(f"{ledger.dir}/gone", f"{ledger.dir}/past")

    shutil.move(f"{ledger.dir}/past/2", f"{ledger.dir}/past/1")
    shutil.move(f"{ledger.dir}/elsewhere", f"{ledger.dir}/past/2")
    refuses(ledger, "past/2/log")
    other = Three(place)
    shutil.rmtree(f"{ledger.dir}/past")
    shutil.copytree(f"{other.dir}/past", f"{ledger.dir}/past")
    page = refuses(ledger, "past/2/log")
    assert not any(event in page for event in other.events), page


def pruning_counts_the_logs_before(place):
    ledger = Rotated(place).begin()
    old = ledger.event()
    ledger.rotate()
    ledger.event()
    ledger.entries()
    payloads = lambda: len(os.listdir(f"{ledger.dir}/payload"))
    assert payloads() == 3
    done = json.loads(ledger.ambit("prune", "--payloads", "--older-than", "1h", "--json").stdout)
    assert (done["pruned"], done["kept"], done["unnamed"]) == (0, 3, 0) and payloads() == 3, done
    assert ledger.verified("--payloads")["payloads"] == {"intact": 3, "lost": 0, "pruned": 0}
    time.sleep(0.1)
    shutil.move(f"{ledger.dir}/past", f"{ledger.dir}/elsewhere")
    refused = ledger.ambit("prune", "--payloads", "--older-than", "1ms")
    assert refused.returncode == 125 or refused.returncode == 1, told(refused)
    assert "which is missing" in refused.stderr and payloads() == 3, told(refused)
    shutil.move(f"{ledger.dir}/elsewhere", f"{ledger.dir}/past")
    done = json.loads(ledger.ambit("prune", "--payloads", "--older-than", "1ms", "--json").stdout)
    assert (done["pruned"], done["unnamed"]) == (3, 0) and payloads() == 0, done
    assert ledger.verified("--payloads")["payloads"] == {"intact": 0, "lost": 0, "pruned": 3}
    done = place.run(place.ambit, "explain", old, "--ledger", ledger.dir, cwd=place.top)
    assert done.returncode == 125 and "the record of" in done.stderr, told(done)


if __name__ == "__main__":
    main([the_verifier_is_there, the_log_goes_on_in_another, who_runs_next_is_told_once, the_chain_is_followed, it_waits_for_events, an_event_does_not_rotate,
          what_was_cosigned_goes_with_its_log, two_at_once, a_death_after_each_step, a_full_disk_rotates_or_does_not, what_was_planted_in_between_is_refused, what_is_in_the_way_is_refused,
          a_death_at_each_call, broken_links, a_copy_of_one_log_is_no_fault, old_events_are_found, earlier_entries_are_shown, all_logs_are_read,
          another_policy_is_tried_on_all_logs, of_one_event_its_log_is_read, what_is_wrong_with_one_is_told_of_all, pruning_counts_the_logs_before])
