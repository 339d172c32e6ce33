#!/usr/bin/env python3
"""Records beside the ledger's log: what is kept of an event, how it is read again, what removes it, and what nobody can plant there.

usage: ledger_payload.py AMBIT    (TAP on standard output; as root once more as an ordinary user)
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess

from harness import PATIENCE, SLOW, main, once, told
from ledger import Ledger, an_event_at_work, kill, of_events, types, until


class Kept(Ledger):
    """One whose records are looked at."""

    def __init__(self, place):
        super().__init__(place)
        self.payload = f"{self.dir}/payload"

    def names(self):
        return sorted(os.listdir(self.payload)) if os.path.exists(self.payload) else []

    def results(self):
        return [entry for entry in self.entries() if entry["type"] == "result"]

    def kept(self, entry):
        """The record that an entry names, as it lies there."""
        with open(f"{self.payload}/{entry['body']['digest']}", "rb") as file:
            data = file.read()
        assert hashlib.sha256(data).hexdigest() == entry["body"]["digest"] and len(data) == 32 + entry["body"]["size"]
        return json.loads(data[32:])

    def explain(self, word="last"):
        return self.place.run(self.place.ambit, "explain", word, "--ledger", self.dir, cwd=self.place.top)

    def ambit(self, *words):
        return self.place.run(self.place.ambit, "ledger", *words, "--ledger", self.dir, cwd=self.place.top)

    @contextlib.contextmanager
    def held(self):
        """Whoever wants to write there, or looks for what was left behind, waits for us."""
        fd = os.open(self.payload, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)


def refused(done, *texts):
    assert done.returncode == 125 and done.stdout == "", told(done)
    for text in texts:
        assert text in done.stderr, f"no {text!r} in {told(done)}"


# ---- what is kept ----


def the_record_is_kept(place):
    ledger = Kept(place)
    done = ledger.run("--work", ".", "--json", "--", "sh", "-c", "echo spoken; echo 1 > made; cat /etc/shadow; exit 3")
    assert done.returncode == 3, told(done)
    record = json.loads(done.stdout)
    (entry,) = ledger.results()
    assert sorted(entry["body"]) == ["digest", "media_type", "of", "size", "version"] and entry["event"] == record["event"], entry
    assert (entry["body"]["media_type"], entry["body"]["of"], entry["body"]["version"]) == ("application/json", "record", 1), entry
    assert "spoken" in record["output"]["stdout"]["data"]
    assert ledger.kept(entry) == record | {"output": None}
    assert ledger.names() == [entry["body"]["digest"]]
    assert os.stat(ledger.payload).st_mode & 0o7777 == 0o700
    assert os.stat(f"{ledger.payload}/{entry['body']['digest']}").st_mode & 0o7777 == 0o600
    again = ledger.run("--", "true")
    assert again.returncode == 0 and again.stderr == "", told(again)
    with open(f"{ledger.payload}/{ledger.names()[0]}", "rb") as a, open(f"{ledger.payload}/{ledger.names()[1]}", "rb") as b:
        assert a.read(32) != b.read(32), "two have the same salt"
    ledger.believed()


def no_secret_is_kept(place):
    """Neither values of variables nor what the command wrote; the record that is asked for has the second."""
    ledger = Kept(place)
    words = ("--env", "TOKEN=a-value-that-nobody-knows", "--json", "--", "sh", "-c", "echo ${TOKEN}${TOKEN}")
    done = ledger.run(*words)
    assert done.returncode == 0 and "nobody-knowsa-value" in done.stdout, told(done)
    assert json.loads(done.stdout)["grants"][0]["object"] == "TOKEN", told(done)
    ledger.entries()
    for where, _, names in os.walk(ledger.dir):
        for name in names:
            if name not in ("socket",):
                with open(f"{where}/{name}", "rb") as file:
                    assert b"nobody-knows" not in file.read(), f"{where}/{name}"
    (entry,) = ledger.results()
    assert ledger.kept(entry)["grants"][0]["object"] == "TOKEN"


def every_end_is_kept(place):
    """Refused, by a limit, by a signal, and lost; the last before the mark that it was."""
    ledger = Kept(place)
    os.mkdir(f"{ledger.tree}/.direnv")
    os.symlink("..", f"{ledger.tree}/.direnv/root")
    for words, cause in ((["--work", ".", "--direct", "--", "true"], "refused"), (["--limit", "wall=100ms", "--", "sleep", "60"], "limit"),
                         (["--", "sh", "-c", "kill -9 $$"], "exited")):
        before = len(ledger.names())
        done = ledger.run(*words)
        assert done.returncode != 0 and "its record" not in done.stderr, told(done)
        assert len(ledger.names()) == before + 1
        assert ledger.kept(ledger.results()[-1])["outcome"]["cause"] == cause
        assert ledger.explain().returncode == 0
    ledger.believed()


def who_cannot_keep_it_says_so(place):
    """The event has ended, and its changes are what they are; the status is that of a failure."""
    ledger = Kept(place)
    assert ledger.run("--", "true").returncode == 0
    elsewhere = place.fresh()
    shutil.rmtree(ledger.payload)
    plants = [lambda: os.symlink(elsewhere, ledger.payload), lambda: os.symlink("nowhere", ledger.payload),
              lambda: os.mkfifo(ledger.payload), lambda: open(ledger.payload, "wb").close(), lambda: os.mkdir(ledger.payload, 0o755)]
    for number, plant in enumerate(plants):
        plant()
        done = ledger.run("--work", ".", "--json", "--", "touch", f"made{number}")
        error = json.loads(done.stdout)["outcome"]["error"]
        assert done.returncode == 125 and error["code"] == "HOST" and "its record is not in the ledger" in error["message"], told(done)
        assert "its record is not in the ledger" in done.stderr and "move it away" in done.stderr, told(done)
        assert os.path.exists(f"{ledger.tree}/made{number}")
        assert "result" not in types(ledger.of(json.loads(done.stdout)["event"]))
        done = ledger.run("--", "sh", "-c", "exit 7")
        assert done.returncode == 125, told(done)
        if os.path.isdir(ledger.payload) and not os.path.islink(ledger.payload):
            assert os.listdir(ledger.payload) == []
            os.rmdir(ledger.payload)
        else:
            os.unlink(ledger.payload)
    assert os.listdir(elsewhere) == []
    assert ledger.run("--", "sh", "-c", "exit 7").returncode == 7  # the twin
    ledger.believed()


# ---- death ----


def is_told(ledger, kind):
    return kind in types(e for e in ledger.entries() if e["event"])


def a_ledger_that_dies_before_the_result(place):
    """Had accepted all the rest: it is started again for that, and no change is told to be lost."""
    ledger = Kept(place)
    os.makedirs(ledger.payload, 0o700)
    os.chmod(ledger.dir, 0o700)
    with an_event_at_work(ledger, "--work", ".") as event:
        with ledger.held():
            event.stdin.write("go\n")
            event.stdin.flush()
            until(lambda: [e["body"]["state"] for e in ledger.entries() if e["type"] == "commit"] == ["begins", "done"], "the commit")
            kill(ledger)
        _, stderr = event.communicate(timeout=SLOW * PATIENCE)
    assert event.returncode == 0 and "not in the ledger" not in stderr, stderr
    assert ledger.kept(ledger.results()[0])["outcome"]["workspace"] == "committed"
    ledger.believed()


def who_dies_before_the_result(place):
    """Leaves no entry that names what is not there: none, or, where the record was written already, that and no entry."""
    ledger = Kept(place)
    os.makedirs(ledger.payload, 0o700)
    os.chmod(ledger.dir, 0o700)
    with an_event_at_work(ledger) as event:
        with ledger.held():
            event.stdin.write("go\n")
            event.stdin.flush()
            until(lambda: is_told(ledger, "stop"), "its end")
            event.kill()
            event.wait()
    assert ledger.names() == [] and not is_told(ledger, "result")
    refused(ledger.explain(), "there is no record of e_", "was killed before it was recorded", "ambit ledger show")
    with an_event_at_work(ledger) as event:
        with ledger.held():
            event.stdin.write("go\n")
            event.stdin.flush()
            until(lambda: types(e for e in ledger.entries() if e["event"]).count("stop") == 2, "its end")
            os.kill(ledger.holder(), signal.SIGSTOP)
        until(lambda: [len(name) for name in ledger.names()] == [64], "its record")
        event.kill()
        event.wait()
        os.kill(ledger.holder(), signal.SIGKILL)
    until(lambda: ledger.holder() is None, "the ledger dies")
    assert ledger.run("--", "true").returncode == 0
    assert len(ledger.names()) == 2 and len(ledger.results()) == 1
    ledger.believed()


def nobody_is_waited_for_without_end(place):
    """Who has the records to himself, and never lets go."""
    ledger = Kept(place)
    assert ledger.run("--", "true").returncode == 0
    with ledger.held():
        done = ledger.run("--", "true", timeout=40)
    assert done.returncode == 125 and "cannot lock" in done.stderr and "lslocks" in done.stderr, told(done)


# ---- read again ----


def an_event_is_explained(place):
    ledger = Kept(place)
    done = ledger.run("--read", ".", "--json", "--", "cat", "/etc/shadow")
    event = json.loads(done.stdout)["event"]
    for word in ("last", event, event[:20]):
        done = ledger.explain(word)
        assert done.returncode == 0 and "Denied (1)" in done.stdout and "read /etc/shadow" in done.stdout, told(done)
    with open(f"{ledger.payload}/{ledger.names()[0]}", "rb") as file:
        as_file = place.run(place.ambit, "explain", "-", cwd=place.top, input=file.read()[32:].decode())
    assert as_file.stdout == done.stdout
    refused(ledger.explain("e_0000"), "no event in the log begins with e_0000")
    refused(ledger.explain(event[:-1] + ("0" if event[-1] != "0" else "1")), "there is no entry of")
    refused(place.run(place.ambit, "explain", "last", "--ledger", place.fresh(), cwd=place.top), "there is no ledger in")
    refused(place.run(place.ambit, "explain", "some.json", "--ledger", ledger.dir, cwd=place.top), "--ledger is for events")
    state = place.fresh()
    os.mkdir(f"{state}/ambit")
    until(ledger.is_published, "a checkpoint")
    shutil.copytree(ledger.dir, f"{state}/ambit/ledger", ignore=shutil.ignore_patterns("socket"))
    own = subprocess.run([place.ambit, "explain", "last"], cwd=place.top, env=place.environment() | {"XDG_STATE_HOME": state},
                         capture_output=True, text=True, timeout=SLOW * PATIENCE, check=False)
    assert own.returncode == 0 and own.stdout == done.stdout, told(own)


def an_event_that_runs_is_told_as_that(place):
    ledger = Kept(place)
    with an_event_at_work(ledger) as event:
        refused(ledger.explain(), "there is no record of e_", "it has not ended", "wait for its end")
        event.communicate("go\n", timeout=SLOW * PATIENCE)
    assert ledger.explain().returncode == 0


def a_record_that_was_changed_is_not_explained(place):
    """Also by what is no file, or would hold up or fill whoever reads it."""
    ledger = Kept(place)
    assert ledger.run("--", "true").returncode == 0
    (name,) = ledger.names()
    path = f"{ledger.payload}/{name}"
    with open(path, "rb") as file:
        data = file.read()

    def flip(at):
        with open(path, "wb") as file:
            file.write(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])

    def huge():
        with open(path, "wb") as file:
            file.truncate(1 << 40)

    def link():
        os.unlink(path)
        os.symlink(f"{ledger.payload}/../copy", path)

    def pipe():
        os.unlink(path)
        os.mkfifo(path)

    def directory():
        os.unlink(path)
        os.mkdir(path)

    shutil.copy(path, f"{ledger.dir}/copy")
    for how in (lambda: flip(0), lambda: flip(31), lambda: flip(32), lambda: flip(len(data) - 1), lambda: os.truncate(path, 31),
                lambda: os.truncate(path, 0), huge, link, pipe, directory):
        how()
        refused(ledger.explain(), "was changed: ", f"payload/{name}", "restore it from a backup")
        os.rmdir(path) if os.path.isdir(path) else os.unlink(path)
        shutil.copy(f"{ledger.dir}/copy", path)
        assert ledger.explain().returncode == 0
    os.unlink(path)
    refused(ledger.explain(), "is missing, and nothing says that it was pruned", "has its digest")
    shutil.rmtree(ledger.payload)
    refused(ledger.explain(), "is missing, and nothing says that it was pruned")


def a_log_that_was_changed_explains_nothing(place):
    """The digest is that of an entry that was signed."""
    ledger = Kept(place)
    assert ledger.run("--", "true").returncode == 0
    (entry,) = ledger.results()
    other = hashlib.sha256(b"x" * 32 + b"{}").hexdigest()
    with open(f"{ledger.payload}/{other}", "wb") as file:
        file.write(b"x" * 32 + b"{}")
    name = next(f"{where}/{name}" for where, _, names in os.walk(f"{ledger.log}/tile/entries") for name in names
                if name == str(ledger.size()))
    with open(name, "rb") as file:
        data = file.read()
    with open(name, "wb") as file:
        file.write(data.replace(entry["body"]["digest"].encode(), other.encode()))
    refused(ledger.explain(), "is not what was signed")


if __name__ == "__main__":
    main([the_record_is_kept, no_secret_is_kept, every_end_is_kept, who_cannot_keep_it_says_so, a_ledger_that_dies_before_the_result,
          who_dies_before_the_result, once(nobody_is_waited_for_without_end), an_event_is_explained, an_event_that_runs_is_told_as_that,
          a_record_that_was_changed_is_not_explained, a_log_that_was_changed_explains_nothing])
