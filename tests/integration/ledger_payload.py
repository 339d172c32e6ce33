#!/usr/bin/env python3
"""Records beside the ledger's log: what is kept of an event, how it is read again, what removes it, and what nobody can plant there.

usage: ledger_payload.py AMBIT WRITE_LOG    (TAP on standard output; as root once more as an ordinary user)
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import struct
import subprocess
import time

from harness import PATIENCE, SLOW, Skip, main, once, told
from ledger import ACCEPTED, DURABLE, EVENT, FAILED, Ledger, Wire, an_event_at_work, entry, kill, types, until
from peer import the_verifier_is_there

PRUNE = 97


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
    (one,) = ledger.results()
    assert sorted(one["body"]) == ["digest", "media_type", "of", "size", "version"] and one["event"] == record["event"], one
    assert (one["body"]["media_type"], one["body"]["of"], one["body"]["version"]) == ("application/json", "record", 1), one
    assert "spoken" in record["output"]["stdout"]["data"]
    assert ledger.kept(one) == record | {"output": None}
    assert ledger.names() == [one["body"]["digest"]]
    assert os.stat(ledger.payload).st_mode & 0o7777 == 0o700
    assert os.stat(f"{ledger.payload}/{one['body']['digest']}").st_mode & 0o7777 == 0o600
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
    (one,) = ledger.results()
    assert ledger.kept(one)["grants"][0]["object"] == "TOKEN"


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


def more_denials_are_explained_where_they_are_recorded(place):
    """The summary has four; the words that it gives for the rest are run as they stand."""
    ledger, quoted, state = Kept(place), f"{place.fresh()}/a b", place.fresh()

    def hint(*words, **settings):
        done = subprocess.run([place.ambit, "run", *words, "--", "bash", "-c", "for i in 1 2 3 4 5 6; do (echo >/dev/tcp/192.0.2.$i/80); done; true"], cwd=place.top, env=place.environment() | settings, capture_output=True, text=True,
                              timeout=SLOW * PATIENCE, check=False)
        rest = done.stderr[done.stderr.index(" more\n  hint: "):].splitlines()[1]
        return rest.removeprefix("  hint: ")
    own = {"XDG_STATE_HOME": state, "AMBIT_LEDGER": ""}
    for words, settings in (((), own), (("--ledger", ledger.dir), {})):
        said = hint(*words, **settings).split()
        assert said[:2] == ["ambit", "explain"] and said[2].startswith("e_") and said[3:] == list(words), said
        done = subprocess.run([place.ambit, *said[1:]], cwd=place.top, env=place.environment() | settings, capture_output=True, text=True, timeout=SLOW * PATIENCE, check=False)
        assert done.returncode == 0 and "Denied (" in done.stdout and "192.0.2.6:80" in done.stdout, told(done)
    record = f"{place.fresh()}/r.json"
    assert hint("--ledger", ledger.dir, "--record", record) == f"ambit explain {record}"
    for words in (("--no-ledger",), ("--ledger", quoted)):  # nowhere, and where its name would have to be quoted
        assert hint(*words) == "run it with --record FILE, then ambit explain FILE", words


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
    (one,) = ledger.results()
    other = hashlib.sha256(b"x" * 32 + b"{}").hexdigest()
    with open(f"{ledger.payload}/{other}", "wb") as file:
        file.write(b"x" * 32 + b"{}")
    name = next(f"{where}/{name}" for where, _, names in os.walk(f"{ledger.log}/tile/entries") for name in names
                if name == str(ledger.size()))
    with open(name, "rb") as file:
        data = file.read()
    with open(name, "wb") as file:
        file.write(data.replace(one["body"]["digest"].encode(), other.encode()))
    refused(ledger.explain(), "is not what was signed")


# ---- verified, and shown ----


def records_are_verified(place):
    """Each that was changed or taken away is named; and nothing of them without --payloads."""
    ledger = Kept(place)
    for _ in range(6):
        assert ledger.run("--", "true").returncode == 0
    results = ledger.results()
    done = ledger.ambit("verify", "--payloads")
    assert done.returncode == 0 and "6 records beside the log are what was recorded; 0 were pruned" in done.stdout, told(done)
    paths = [f"{ledger.payload}/{entry['body']['digest']}" for entry in results]
    with open(paths[0], "r+b") as file:
        file.seek(40)
        file.write(b"!")
    os.unlink(paths[1])
    os.truncate(paths[2], 40)
    with open(paths[3], "ab") as file:
        file.truncate(1 << 40)
    os.unlink(paths[4])
    os.mkfifo(paths[4])
    done = ledger.ambit("verify", "--payloads", "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == 1 and answer["payloads"] == {"intact": 1, "lost": 0, "pruned": 0} and answer["intact"] == answer["size"], told(done)
    assert [(f["entry"], f["file"]) for f in answer["faults"]] == [(e["seq"], f"payload/{e['body']['digest']}") for e in results[:5]], answer
    for fault, words in zip(answer["faults"], ("not what was recorded", "is missing, and nothing says", "another length", "another length", "not a regular file")):
        assert words in fault["why"], fault
    done = ledger.ambit("verify", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["payloads"] is None, told(done)
    shown = ledger.ambit("show", "--type", "result").stdout.splitlines()
    for line, words in zip(shown, ("is there", "is missing", "is there", "is there", "cannot be read", "is there")):
        assert line.endswith(f"(its record {words})"), shown
    shutil.rmtree(ledger.payload)
    done = ledger.ambit("verify", "--payloads", "--json")
    assert done.returncode == 1 and len(json.loads(done.stdout)["faults"]) == 6, told(done)
    assert ledger.ambit("show", "--type", "result").stdout.count("(its record is missing)") == 6


def what_went_with_the_power(place):
    """A record that was accepted and not durable yet may be gone after a loss of power; only then, and only such a one."""
    ledger = Kept(place)
    for _ in range(4):
        assert ledger.run("--", "true").returncode == 0
    ledger.entries()
    entries, results = ledger.entries(), ledger.results()
    writer = place.given(1)
    first = results[1]["seq"] + 1
    body = {"replayed": len(entries) - first, "signed": first, "torn_bytes": 7}
    crash = {**entries[-1], "body": body, "event": None, "grant": None, "seq": len(entries), "type": "crash"}
    paths = [f"{ledger.payload}/{one['body']['digest']}" for one in results]

    def write(last):
        shutil.rmtree(f"{ledger.dir}/log")
        with open(f"{ledger.dir}/lines", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(one, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n" for one in [*entries, last])
        done = place.run(writer, f"{ledger.dir}/log", "ambit.test/power", str(len(entries) + 1), "50", "1000", f"from={ledger.dir}/lines", cwd=place.top)
        assert done.returncode == 0, told(done)
        with open(f"{ledger.dir}/log/key.pub", "w", encoding="ascii") as file:
            file.write(done.stdout.splitlines()[0] + "\n")
        return json.loads(ledger.ambit("verify", "--payloads", "--json").stdout)

    anew = {**crash, "boot": "00000000-0000-4000-8000-000000000000"}
    assert write(anew)["payloads"] == {"intact": 4, "lost": 0, "pruned": 0}
    os.unlink(paths[2])
    with open(paths[3], "r+b") as file:
        file.write(bytes(32))
    answer = write(anew)
    assert answer["payloads"] == {"intact": 2, "lost": 2, "pruned": 0} and answer["faults"] == [], answer
    assert "2 went with the machine's power" in ledger.ambit("verify", "--payloads").stdout
    assert "(its record went with the power)" in ledger.ambit("show", "--type", "result").stdout
    answer = write(crash)  # a process died, and the machine went on: nothing is lost by that
    assert [f["entry"] for f in answer["faults"]] == [results[2]["seq"], results[3]["seq"]], answer
    answer = write({**anew, "event": entries[-1]["event"] or results[0]["event"]})  # nor by that of an event
    assert len(answer["faults"]) == 2, answer
    answer = write({**anew, "body": {**body, "replayed": len(entries)}})  # which tells of more than there was
    assert len(answer["faults"]) == 2, answer
    os.unlink(paths[1])  # it was signed, so it was on disk
    answer = write(anew)
    assert [f["entry"] for f in answer["faults"]] == [results[1]["seq"]] and answer["payloads"]["lost"] == 2, answer


def a_record_is_on_disk_before_its_entry_is_signed(place):
    """As the ledger's process asks the kernel for it: each file that was named, their directory, then the journal."""
    if os.geteuid() != 0:
        raise Skip("only root may look at the system calls of a process in a cell")
    ledger = Kept(place)
    assert ledger.run("--", "true").returncode == 0
    holder = ledger.holder()
    with subprocess.Popen(["strace", "-f", "-y", "-e", "trace=fsync,fdatasync,rename,renameat,renameat2", "-p", str(holder)], stderr=subprocess.PIPE, text=True) as trace:
        assert "attached" in trace.stderr.readline()
        assert ledger.run("--", "true").returncode == 0
        digest = ledger.results()[-1]["body"]["digest"]
        ledger.entries()
        trace.send_signal(signal.SIGINT)
        lines = trace.stderr.read().splitlines()
    # the last of each: what came before the result may have been made durable on its own
    place_of = [max((i for i, line in enumerate(lines) if word in line), default=None)
                for word in (f"/payload/{digest}", "/payload>", "/journal>", '"checkpoint"')]
    assert None not in place_of and place_of == sorted(place_of), lines


# ---- pruned ----


def prune(ledger, *words, age="0s"):
    done = ledger.ambit("prune", "--payloads", "--older-than", age, "--json", *words)
    assert done.returncode == 0 and done.stderr == "", told(done)
    return json.loads(done.stdout)


def pruning_leaves_all_proofs(place):
    ledger = Kept(place)
    events = [json.loads(ledger.run("--json", "--", "true").stdout)["event"] for _ in range(3)]
    sizes = sum(32 + entry["body"]["size"] for entry in ledger.results())
    proof = ledger.ambit("prove", events[0])
    size = ledger.size()
    assert prune(ledger, age="1h")["pruned"] == 0 and ledger.size() == size and len(ledger.names()) == 3
    would = prune(ledger, "--dry-run")
    assert (would["pruned"], would["bytes"], would["dry_run"]) == (3, sizes, True) and ledger.size() == size and len(ledger.names()) == 3
    did = prune(ledger)
    assert did | {"dry_run": True, "before": would["before"]} == would, (did, would)
    assert ledger.names() == []
    (one,) = [e for e in ledger.entries() if e["type"] == "prune"]
    assert one["body"] == {"before": did["before"], "bytes": sizes, "payloads": 3} and one["event"] is None, one
    refused(ledger.explain(events[1]), f"the record of {events[1]} was pruned", "--type prune")
    done = ledger.ambit("verify", "--payloads", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["payloads"] == {"intact": 0, "lost": 0, "pruned": 3}, told(done)
    assert ledger.ambit("show", "--type", "result").stdout.count("(its record was pruned)") == 3
    assert json.loads(done.stdout)["notes"] == []
    with open(f"{ledger.log}/key.pub", encoding="ascii") as file:
        key = file.read().strip()
    check = place.run(place.ambit, "ledger", "check", "-", "--key", key, cwd=place.top, input=proof.stdout)
    assert check.returncode == 0 and "proved: this is entry" in check.stdout, told(check)
    assert ledger.run("--", "true").returncode == 0 and ledger.explain().returncode == 0
    os.unlink(f"{ledger.payload}/{ledger.names()[0]}")  # what is younger was not pruned
    done = ledger.ambit("verify", "--payloads", "--json")
    assert done.returncode == 1 and len(json.loads(done.stdout)["faults"]) == 1, told(done)
    ledger.believed()


def a_pruning_that_is_not_signed_is_noted(place):
    """A killed ledger signs it when it is started again; until then anybody who writes the directory may have put it there."""
    ledger = Kept(place)
    assert ledger.run("--", "true").returncode == 0
    ledger.entries()
    pid = ledger.holder()
    assert prune(ledger)["pruned"] == 1
    os.kill(pid, signal.SIGKILL)
    until(lambda: ledger.holder() is None, "the ledger dies")
    if ledger.is_published():
        raise Skip("it was signed faster than it was killed")
    done = ledger.ambit("verify", "--payloads", "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == 0 and answer["payloads"] == {"intact": 0, "lost": 0, "pruned": 1}, told(done)
    assert [note["why"] for note in answer["notes"]] == ["that 1 of the records were pruned says an entry that is not signed yet"], answer
    assert ledger.run("--", "true").returncode == 0
    ledger.entries()
    assert json.loads(ledger.ambit("verify", "--payloads", "--json").stdout)["notes"] == []


def the_age_is_that_of_the_entry(place):
    """And not of the file, whose time anybody can set."""
    ledger = Kept(place)
    assert ledger.run("--", "true").returncode == 0
    ledger.entries()
    path = f"{ledger.payload}/{ledger.names()[0]}"
    os.utime(path, (0, 0))
    assert prune(ledger, age="1h")["kept"] == 1 and os.path.exists(path)
    os.utime(path, (4102444800, 4102444800))
    assert prune(ledger)["pruned"] == 1 and not os.path.exists(path)
    for _ in range(2):
        assert ledger.run("--", "true").returncode == 0
        time.sleep(0.01)
    older, younger = ledger.results()[1:]
    answer = prune(ledger, age=younger["t_wall"])
    assert (answer["pruned"], answer["kept"], answer["before"]) == (1, 1, younger["t_wall"]), answer
    assert ledger.names() == [younger["body"]["digest"]] and older["t_wall"] < younger["t_wall"]
    os.unlink(f"{ledger.payload}/{ledger.names()[0]}")  # which is of before that entry, and not of before the time that it says
    done = ledger.ambit("verify", "--payloads", "--json")
    assert done.returncode == 1 and [f["entry"] for f in json.loads(done.stdout)["faults"]] == [younger["seq"]], told(done)


def pruning_wants_to_know_what_and_how_old(place):
    ledger = Kept(place)
    assert ledger.run("--", "true").returncode == 0
    ledger.entries()
    for words, said in (([], "--payloads are the records"), (["--payloads"], "--older-than 180d"), (["--older-than", "0s"], "--payloads are"),
                        (["--payloads", "--older-than", "soon"], "--older-than takes"), (["--payloads", "--older-than", "2999-01-01"], "still to come"),
                        (["--payloads", "--older-than", "0s", "e_0"], "takes no 'e_0'")):
        refused(ledger.ambit("prune", *words), said)
    assert len(ledger.names()) == 1


def what_cannot_be_told_is_not_pruned(place):
    """Nor is anything of a ledger that is not what was signed, or by another key."""
    ledger = Kept(place)
    assert ledger.run("--", "true").returncode == 0
    ledger.entries()
    kill(ledger)
    words = ("prune", "--payloads", "--older-than", "0s")
    os.chmod(f"{ledger.dir}/ledger.key", 0o644)
    refused(ledger.ambit(*words), "can be read or changed by others")
    os.chmod(f"{ledger.dir}/ledger.key", 0o600)
    other = Kept(place)
    assert other.run("--", "true").returncode == 0
    other.entries()
    with open(f"{other.log}/key.pub", encoding="ascii") as file:
        refused(ledger.ambit(*words, "--key", file.read().strip()), "is not what was signed")
    name = f"{ledger.log}/tile/entries/000.p/{ledger.size()}"
    with open(name, "r+b") as file:
        data = file.read()
        file.seek(data.index(b'"stop"') - 50)
        file.write(b"!")
    refused(ledger.ambit(*words), "the ledger is not what was signed", "ambit ledger verify")
    assert len(ledger.names()) == 1
    with open(name, "wb") as file:
        file.write(data)
    assert prune(ledger)["pruned"] == 1
    ledger.believed()


def fill(ledger, n):
    """So many records of an event, with entries that name them."""
    wire, name = Wire(ledger), EVENT
    digests = []
    for at in range(0, n, 200):
        entries = []
        for i in range(at, min(at + 200, n)):
            data = hashlib.sha256(str(i).encode()).digest() + b"{}"
            digests.append(hashlib.sha256(data).hexdigest())
            with open(f"{ledger.payload}/{digests[-1]}", "wb") as file:
                file.write(data)
            entries.append(entry("result", json.dumps({"digest": digests[-1], "size": 2, "version": 1}, separators=(",", ":")), event=name))
        assert wire.append(*entries)[0] == ACCEPTED
    wire.sock.close()
    return digests


def a_pruning_that_is_killed_goes_on(place):
    """At any time: what is gone the ledger said would go, and the next one takes the rest."""
    ledger = Kept(place)
    assert ledger.run("--", "true").returncode == 0
    count = 6000
    fill(ledger, count)
    ledger.entries()
    broken_off = 0
    for turn in range(12):
        left = len(ledger.names())
        if left == 0:
            break
        process = subprocess.Popen([place.ambit, "ledger", "prune", "--payloads", "--older-than", "0s", "--ledger", ledger.dir],
                                   env=place.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and (len(ledger.names()) == left) != (turn % 4 == 3):
            pass
        process.kill()
        process.wait()
        now = len(ledger.names())
        broken_off += 0 < now < left
        assert now == left or any(e["type"] == "prune" for e in ledger.entries())
        done = ledger.ambit("verify", "--payloads", "--json")
        answer = json.loads(done.stdout)
        assert done.returncode == 0 and answer["payloads"] == {"intact": now, "lost": 0, "pruned": count + 1 - now}, told(done)
    assert broken_off > 0, "never in the middle"
    prune(ledger)
    assert ledger.names() == []
    ledger.believed()


def what_no_entry_names_goes_when_it_is_old(place):
    """By a time that nobody can set; and not while somebody is about to name it."""
    ledger = Kept(place)
    assert ledger.run("--", "true").returncode == 0
    ledger.entries()
    whole, half = "a" * 64, "b" * 64
    for name in (whole, half):
        with open(f"{ledger.payload}/{name}", "wb") as file:
            file.write(b"left")
        os.utime(f"{ledger.payload}/{name}", (0, 0))
    assert prune(ledger, age="1h")["unnamed"] == 0 and len(ledger.names()) == 3
    fd = os.open(ledger.payload, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_SH)  # as who writes has it
    done = ledger.ambit("prune", "--payloads", "--older-than", "0s")
    assert done.returncode == 0 and "were not looked at, since events are being recorded" in done.stdout, told(done)
    assert sorted(ledger.names()) == [whole, half]
    os.close(fd)
    assert prune(ledger)["unnamed"] == 2 and ledger.names() == []
    assert len([e for e in ledger.entries() if e["type"] == "prune"]) == 1  # of those that are named


def what_a_cell_planted_is_harmless(place):
    """It was granted the ledger's directory, by an event that is recorded elsewhere, or nowhere."""
    ledger = Kept(place)
    target = place.fresh()
    with open(f"{target}/precious", "w", encoding="ascii") as file:
        file.write("precious")
    for _ in range(3):
        assert ledger.run("--", "true").returncode == 0
    ledger.entries()
    first, second, third = [e["body"]["digest"] for e in ledger.results()]
    plant = f"""
import os
os.chdir({ledger.payload!r})
os.unlink({first!r}); os.symlink({target!r} + "/precious", {first!r})
os.unlink({second!r}); os.mkfifo({second!r})
os.truncate({third!r}, 1 << 30)
os.symlink({target!r}, "c" * 64)
os.mkfifo("d" * 64)
os.symlink("/", "e" * 64)
os.link({third!r}, "f" * 64)
for i in range(3000):
    open(f"{{i:064x}}", "w").close()
os.mkdir("../nowhere"); os.symlink("../nowhere", "not a digest"); open("A" * 64, "w").close(); open("x" * 255, "w").close()
"""
    done = place.cell("--work", ledger.dir, "--direct", "--", "/usr/bin/python3", "-c", plant, cwd=place.top)
    assert done.returncode == 0, told(done)
    answer = json.loads(ledger.ambit("verify", "--payloads", "--json").stdout)
    assert len(answer["faults"]) == 3 and answer["intact"] == answer["size"], answer
    refused(ledger.explain(), "was changed")
    assert ledger.run("--", "true").returncode == 0  # who writes is held up by nothing
    ledger.entries()
    os.mkdir(f"{ledger.payload}/{'9' * 64}")
    os.utime(f"{ledger.payload}/{'9' * 64}", (0, 0))  # older than now, whatever the clock of files says
    done = ledger.ambit("prune", "--payloads", "--older-than", "0s", "--json")
    told_json = json.loads(done.stdout)
    assert done.returncode == 125 and "1 of them could not be removed" in done.stderr and told_json["failed"] == 1, told(done)
    assert (told_json["pruned"], told_json["strange"]) == (4, 3), told_json
    assert sorted(ledger.names()) == sorted(["9" * 64, "not a digest", "A" * 64, "x" * 255])
    with open(f"{target}/precious", encoding="ascii") as file:
        assert file.read() == "precious" and os.listdir(target) == ["precious"]
    os.rename(ledger.payload, f"{ledger.dir}/away")
    os.symlink(target, ledger.payload)
    refused(ledger.ambit("prune", "--payloads", "--older-than", "0s"), "not to be used", "it is no directory")
    assert os.listdir(target) == ["precious"]
    os.unlink(ledger.payload)
    refused(ledger.ambit("prune", "--payloads", "--older-than", "0s"), "has no 'payload'")


def nobody_says_for_the_ledger_what_was_pruned(place):
    """An event cannot, and nobody can of what is to come: a message of another form ends the connection."""
    ledger = Kept(place)
    assert ledger.run("--", "true").returncode == 0
    before = len(ledger.entries())
    now = int(time.time() * 1000)

    def ask(wire, *numbers):
        wire.say(PRUNE, struct.pack(f"<{len(numbers)}Q", *numbers))
        return wire.hear()

    for numbers in ((), (now,), (now, 1), (now, 1, 1, 1)):
        assert ask(Wire(ledger), *numbers)[0] in (None, FAILED), numbers
    for when in (now + 3600000, 1 << 63, 253402300800000):
        wire = Wire(ledger)
        assert ask(wire, when, 1, 1)[0] == FAILED and wire.hear()[0] is None, when
    wire = Wire(ledger)
    assert wire.append(entry("request", "{}"))[0] == ACCEPTED
    assert ask(wire, now, 1, 1)[0] == FAILED and wire.hear()[0] is None
    wire = Wire(ledger)
    assert ask(wire, now, 1 << 63, 7)[0] == ACCEPTED and wire.hear()[0] == DURABLE  # the twin
    assert types(ledger.entries())[before:] == ["request", "prune"]
    ledger.believed()


if __name__ == "__main__":
    main([the_verifier_is_there,
          the_record_is_kept, no_secret_is_kept, every_end_is_kept, who_cannot_keep_it_says_so, a_ledger_that_dies_before_the_result,
          who_dies_before_the_result, once(nobody_is_waited_for_without_end), an_event_is_explained, more_denials_are_explained_where_they_are_recorded, an_event_that_runs_is_told_as_that,
          a_record_that_was_changed_is_not_explained, a_log_that_was_changed_explains_nothing, records_are_verified, what_went_with_the_power, a_record_is_on_disk_before_its_entry_is_signed,
          pruning_leaves_all_proofs, a_pruning_that_is_not_signed_is_noted, the_age_is_that_of_the_entry, pruning_wants_to_know_what_and_how_old,
          what_cannot_be_told_is_not_pruned, a_pruning_that_is_killed_goes_on, what_no_entry_names_goes_when_it_is_old,
          what_a_cell_planted_is_harmless, nobody_says_for_the_ledger_what_was_pruned])
