#!/usr/bin/env python3
"""What is usual: events teach it, what is not is told, held and frozen, and what a person says of it counts.

usage: profile.py AMBIT    (TAP on standard output; as root once more as an ordinary user)"""

import contextlib
import glob
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import time

from harness import PATIENCE, SLOW, expect_ok, main, room_of, told, write
from mcp_client import data_of, serving, text_of
from sessions import Served

WORK = "echo x > made; cat made > /dev/null"
ODD = "/usr/bin/env true; echo odd > made"


class Usual:
    """A home of its own, with profiles of its own, and a tree."""

    def __init__(self, place):
        self.place, top = place, place.fresh()
        os.chmod(top, 0o755)
        self.home, self.tree = f"{top}/home", f"{top}/tree"
        os.mkdir(self.home)
        os.mkdir(self.tree)
        self.dir = f"{self.home}/.local/state/ambit/profiles"
        self.settings = place.settings

    def ambit(self, *words, **more):
        env = {**self.place.environment(), "HOME": self.home, "XDG_STATE_HOME": f"{self.home}/.local/state"}
        return subprocess.run([self.place.ambit, *words], cwd=self.tree, env=env, capture_output=True, text=True, errors="replace", timeout=PATIENCE * SLOW, **more)

    def run(self, source, *words, profile="log", agent="coder"):
        return self.ambit("run", "--work", ".", "--profile", profile, "--agent", agent, *words, "--", "sh", "-c", source)

    def usual(self, source, **more):
        """What the record says of it."""
        return json.loads(self.run(source, "--json", **more).stdout)["usual"]

    def grow(self, n, source=WORK, *words, **more):
        for _ in range(n):
            expect_ok(self.run(source, *words, **more))

    def rows(self):
        return json.loads(expect_ok(self.ambit("profile", "show", "--json")).stdout)

    def of(self, program="sh", agent="coder"):
        return next(row for row in self.rows() if row["program"] == program and row["agent"] == agent)

    def keeper(self):
        """Its process."""
        for cmdline in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(cmdline, "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"ambit-usual") and words[1] == self.dir.encode():
                return int(cmdline.split("/")[2])
        return None

    def until_it_ends(self):
        end = time.monotonic() + PATIENCE * SLOW
        while self.keeper() is not None:
            assert time.monotonic() < end, "the keeper stays"
            time.sleep(0.1)

    def made(self):
        with open(f"{self.tree}/made", encoding="utf-8") as file:
            return file.read().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pid = self.keeper()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)


def events_teach_and_a_young_profile_says_so(place):
    with Usual(place) as u:
        said = u.usual(WORK)
        assert said["young"] and said["events"] == 0 and said["p"] == 1 and not said["asks"] and not said["held"] and said["error"] is None, said
        assert said["key"]["agent"] == "coder" and said["key"]["program"] == "sh" and re.fullmatch("[0-9a-f]{16}", said["key"]["shape"]), said
        u.grow(5)
        row = u.of()
        assert row["learned"] == 6 and row["events"] == 5 and row["epoch"] == 1, row
        assert {r["agent"] for r in u.rows()} == {"coder", None}, u.rows()


def nothing_is_kept_where_nobody_asks(place):
    with Usual(place) as u:
        for words in ((), ("--profile", "off")):
            record = json.loads(expect_ok(u.ambit("run", "--work", ".", *words, "--json", "--", "true")).stdout)
            assert record["usual"] is None and not os.path.exists(u.dir), record["usual"]


def what_is_new_is_told_with_its_reasons(place):
    with Usual(place) as u:
        u.grow(6)
        result = u.run(ODD)
        assert result.returncode == 0 and u.made() == "odd", told(result)
        assert "ambit: unusual: first " in result.stderr and "/usr/bin/env" in result.stderr and "it is only told" in result.stderr, told(result)
        near = re.search(r"  nearest: (e_\w+) of \d{4}-\d\d-\d\d: the same but for program /usr/bin/env, and \d more", result.stderr)
        assert near, told(result)
        expect_ok(u.ambit("explain", "last"), f"nearest: {near[1]}")
        quiet = u.run(WORK)
        assert "unusual" not in quiet.stderr and "nearest" not in quiet.stderr, told(quiet)


def what_is_unusual_is_held(place):
    """With ask its changes wait: what was in the tree is there still. The twin: what is usual is committed by the same policy."""
    with Usual(place) as u:
        u.grow(6, profile="ask")
        assert u.made() == "x"
        result = u.run(ODD, profile="ask")
        assert result.returncode == 123 and u.made() == "x" and "it is not like what is usual" in result.stderr, told(result)
        event = re.search(r"ambit commit (e_\w+)", result.stderr).group(1)
        assert os.path.exists(f"{u.dir}/h_{event}"), os.listdir(u.dir)
        kept = json.loads(expect_ok(u.ambit("stage", "list", "--json")).stdout)
        assert "unusual" in json.dumps(kept), kept
        expect_ok(u.ambit("commit", event))
        assert u.made() == "odd" and not os.path.exists(f"{u.dir}/h_{event}"), os.listdir(u.dir)
        again = u.run(ODD, profile="ask")  # a person said that it was right
        assert again.returncode == 0, told(again)


def output_counts(place):
    """How much it wrote is known when it is scored: 11 bytes, six times."""
    with Usual(place) as u:
        u.grow(6, "echo 0123456789")
        text = expect_ok(u.ambit("profile", "export", u.of()["id"], "--shadow")).stdout
        assert "\namount output_bytes 11:6\n" in text, [line for line in text.splitlines() if "output" in line]


def who_is_not_seen_to_act_is_not_believed(place):
    """What saw untrusted data and changed something teaches nothing, also where nobody looks."""
    with Usual(place) as u:
        for label, says in (((), None), (("--label", "untrusted"), "untrusted")):
            for observe in ("full", "off"):
                result = json.loads(u.run(WORK, *label, "--observe", observe, "--json").stdout)
                assert (says or "") in (result["usual"]["not_taught"] or "no reason") and (result["usual"]["not_taught"] is None) == (says is None), (label, observe, result["usual"])


def what_is_held_is_not_thrown_away(place):
    """--discard is for what fails. The twin: with it, what fails is thrown away, unusual or not."""
    with Usual(place) as u:
        u.grow(6, profile="ask")
        result = u.run(ODD, "--discard", profile="ask")
        event = re.search(r"ambit commit (e_\w+)", result.stderr)
        assert result.returncode == 123 and event, told(result)
        expect_ok(u.ambit("commit", event.group(1)))
        assert u.made() == "odd"
        result = u.run("/usr/bin/env -i true; echo more > made; exit 3", "--discard", profile="ask")
        assert result.returncode == 3 and "ambit commit" not in result.stderr and u.made() == "odd", told(result)


def what_has_no_room_hides_nothing(place):
    """More changes than a record takes, or than a profile tells apart, before what a person would be asked about."""
    each = "i=0; while [ $i -lt %d ]; do %s; i=$((i+1)); done"
    pads = {"names": each % (4200, ": > n$i"), "directories": f"mkdir $({each % (1100, 'echo d$i')}); {each % (1100, ': > d$i/a')}"}
    with Usual(place) as u:
        u.grow(6, f"mkdir d; rm -r d; {WORK}", profile="ask")
        for what, pad in pads.items():
            result = u.run(f"{pad}; {ODD}", profile="ask")
            assert result.returncode == 123 and u.made() == "x", (what, told(result)[-500:])


def what_is_discarded_teaches_nothing(place):
    with Usual(place) as u:
        u.grow(6, profile="ask")
        before = u.of()["learned"]
        for _ in range(2):
            result = u.run(ODD, profile="ask")
            assert result.returncode == 123, told(result)
            event = re.search(r"ambit commit (e_\w+)", result.stderr).group(1)
            expect_ok(u.ambit("discard", event))
            assert not os.path.exists(f"{u.dir}/h_{event}"), os.listdir(u.dir)
        assert u.of()["learned"] == before, u.of()


def a_person_releases_by_name(place):
    with Usual(place) as u:
        u.grow(6, profile="ask")
        for verb, learned in (("refuse", 0), ("release", 1)):
            before = u.of()["learned"]
            event = re.search(r"ambit commit (e_\w+)", u.run(ODD, profile="ask").stderr).group(1)
            expect_ok(u.ambit("profile", verb, event))
            assert u.of()["learned"] == before + learned, (verb, u.of())
            again = u.ambit("profile", verb, event)
            assert again.returncode != 0 and "no profile waits" in again.stderr, told(again)


def hold_freezes_the_session(place):
    with Usual(place) as u:
        u.grow(6, profile="hold")
        result = u.run(ODD, profile="hold")
        assert result.returncode == 123 and u.made() == "x", told(result)
    for profile, frozen in (("hold", True), ("ask", False)):
        with Served(place) as s:
            write(f"{s.tree}/../coder.yaml", f"version: 1\nagent: coder\nprofile: {profile}\ngrants:\n- work: .\n")
            session = re.search(r"s_\w+", expect_ok(s.ambit("session", "new", "--policy", "../coder.yaml")).stdout)[0]
            run = lambda source: s.ambit("run", "--session", session, "--json", "--", "sh", "-c", source)
            for _ in range(6):
                expect_ok(run(WORK))
            said = json.loads(run(ODD).stdout)["usual"]
            assert said["held"] and said["frozen"] is (True if frozen else None), said
            after = s.ambit("run", "--session", session, "--", "true")
            assert (after.returncode != 0 and "froz" in after.stderr) == frozen, told(after)
            if frozen:
                expect_ok(s.ambit("thaw", session))
                expect_ok(s.ambit("run", "--session", session, "--", "true"))


def a_second_hold_ends_the_session(place):
    """What is held once freezes. Thawed and not released, the second one ends the session, and takes what it was granted over time. The twins: hold freezes again; released, the next one is a first one; another session goes on."""
    policy = "version: 1\nagent: coder\nprofile: %s\ngrants:\n- work: .\n- {connect: 'none.test:443', ask: true}\n"
    with Served(place) as s:
        def begin(profile):
            write(f"{s.tree}/../coder.yaml", policy % profile)
            return re.search(r"s_\w+", expect_ok(s.ambit("session", "new", "--policy", "../coder.yaml")).stdout)[0]
        run = lambda session, source: s.ambit("run", "--session", session, "--json", "--", "sh", "-c", source)
        standing = lambda: [g["revoked"] for g in json.loads(expect_ok(s.ambit("grant", "list", "--standing", "--json")).stdout)["grants"]]
        first = begin("kill")
        for _ in range(6):
            expect_ok(run(first, WORK))
        for profile, released, ends in (("kill", False, True), ("hold", False, False), ("kill", True, False)):
            session = begin(profile)
            revoked = sum(standing())
            for n, program in enumerate(("/usr/bin/env true", "/usr/bin/id")):
                record = json.loads(run(session, f"{program}; echo odd > made").stdout)
                said = record["usual"]
                assert said["held"] and said["frozen"] and said["ended"] is (ends and n == 1) and said["others"] == (1 if n == 1 and not released else 0), (profile, said)
                if ends and n == 1:
                    assert record["outcome"]["revoked"] == 1, record["outcome"]
                    assert sum(standing()) == revoked + 1, standing()
                    break
                assert "revoked" not in record["outcome"], record["outcome"]
                expect_ok(s.ambit("thaw", session))
                if released:
                    expect_ok(s.ambit("profile", "release", record["event"]))
            after = s.ambit("run", "--session", session, "--", "true")
            assert (after.returncode != 0 and "froz" in after.stderr) == ends, told(after)
        expect_ok(run(first, WORK))


def loud(u):
    """A profile of 120 events that each deleted one file, made of six."""
    u.grow(6, "echo x > made; : > gone; rm gone")
    identity = u.of()["id"]
    expect_ok(u.ambit("profile", "promote", identity))
    lines = []
    for line in expect_ok(u.ambit("profile", "export", identity)).stdout.splitlines():
        word = line.split()
        if word[0] == "events":
            line = "events 120"
        elif word[0] == "ring":
            line = f"ring {word[1]}" + " 0" * 120
        elif word[:2] == ["amount", "deletes"]:
            line = "amount deletes 1:120"
        lines.append(line)
    write(f"{u.tree}/loud", "\n".join(lines) + "\n")
    expect_ok(u.ambit("profile", "import", "loud"))
    os.remove(f"{u.tree}/loud")


MANY = "echo x > made; for i in 1 2 3 4 5 6 7 8; do for j in 1 2 3 4 5 6 7 8; do : > g$i$j; done; done; rm g*"


def is_pending(pid, number):
    """For the process, which has it blocked."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        pending = int(re.search(r"^ShdPnd:\s+(\w+)$", file.read(), re.M)[1], 16)
    return pending >> number - 1 & 1 == 1


def what_does_much_is_throttled(place):
    """What its agent begins next in that workspace begins later, and each time twice as late; a person ends that. The twins: with log nothing is slowed, nor what is usual, nor another agent."""
    slowed = lambda: [n for n in json.loads(u.ambit("doctor", "--json").stdout) if "throttled" in json.dumps(n)]
    with Usual(place) as u:
        loud(u)
        for source, profile, ms in (("echo x > made; : > gone; rm gone", "throttle", 0), (MANY, "throttle", 1000), (MANY, "throttle", 2000), (MANY, "ask", 4000)):
            record = json.loads(u.run(source, "--json", profile=profile).stdout)
            assert record["usual"]["throttled_ms"] == ms, (profile, record["usual"])
            assert record["usual"]["held"] == (profile == "ask" and record["usual"]["asks"]), record["usual"]
            assert len(slowed()) == (ms > 0), slowed()
        for _ in range(4):
            assert u.ambit("run", "--agent", "other", "--", "true").stderr.count("throttled") == 0
        env = {**place.environment(), "HOME": u.home, "XDG_STATE_HOME": f"{u.home}/.local/state"}
        frozen = f"{u.home}/.local/state/ambit/frozen"
        name, = (n for n in os.listdir(frozen) if n.startswith("b_"))
        with open(f"{frozen}/{name}", "r+b") as file:  # as if it had gone on
            head = file.read(28)
            file.seek(16)
            file.write(struct.pack("<QI", struct.unpack("<Q", head[8:16])[0] + 600000, 64000))
        with subprocess.Popen([place.ambit, "run", "--work", ".", "--agent", "coder", "--", "true"], cwd=u.tree, env=env, stderr=subprocess.PIPE, text=True) as waiting:
            assert "throttled: it begins in" in waiting.stderr.readline()
            waiting.send_signal(signal.SIGWINCH)  # a terminal that became larger ends nothing
            end = time.monotonic() + PATIENCE * SLOW
            while waiting.poll() is None and is_pending(waiting.pid, signal.SIGWINCH):
                assert time.monotonic() < end, "nobody heard it"
                time.sleep(0.05)
            assert waiting.poll() is None
            waiting.send_signal(signal.SIGINT)
            assert waiting.wait() != 0
        waits = lambda: [name for name in os.listdir(u.dir) if name.startswith(("t_", "h_")) and name.endswith(record["event"])]
        assert len(waits()) == 1  # it is no lesson until then
        expect_ok(u.ambit("profile", "release", record["event"]))
        assert waits() == [] and slowed() == [] and "throttled" not in u.run(WORK).stderr
        assert json.loads(u.run(MANY, "--json").stdout)["usual"]["throttled_ms"] == 0 and slowed() == []
        with open(f"{frozen}/{name}", "wb") as file:  # which is none, and counts as one
            file.write(b"x")
        assert len(slowed()) == 1
        expect_ok(u.ambit("thaw", "--all"))
        assert slowed() == []


def a_throttled_session_waits(place):
    """What comes waits in its queue, and begins when a person thaws the session. The twin: another session."""
    with Served(place) as s:
        session, other = s.session("--work", "."), s.session("--work", ".")
        expect_ok(s.ambit("run", "--session", session, "--", "true"))
        expect_ok(s.ambit("freeze", session))  # makes the directory
        expect_ok(s.ambit("thaw", session))
        name = re.search(r'"stream": ?"(b_\w+)"', s.ambit("run", "--session", session, "--label", "x", "--json", "--", "true").stdout)[1]
        now = int(time.time() * 1000)
        frozen = f"{s.home}/.local/state/ambit/frozen"
        with open(f"{frozen}/{name}", "wb") as file:
            file.write(struct.pack("<QQQI", int.from_bytes(b"throttl1", "little"), now + 600000, now + 900000, 64000).ljust(80, b"\0"))
        with s.start("run", "--session", session, "--", "true") as waiting:
            s.until(lambda: [e for e in s.events(session) if e["state"] == "waits"] or waiting.poll() is not None, "it waits")
            assert waiting.poll() is None, s.events(session)
            expect_ok(s.ambit("run", "--session", other, "--", "true"))
            assert waiting.poll() is None, s.events(session)
            expect_ok(s.ambit("thaw", session))
            assert waiting.wait(PATIENCE * SLOW) == 0
        assert name not in os.listdir(frozen), os.listdir(frozen)


def what_nobody_could_hold_is_refused(place):
    """A person is to be asked, and nobody would see, or it would be done by then. The twin: where it is only told."""
    with Usual(place) as u:
        for profile in ("ask", "hold"):
            for flags, says in ((("--observe", "off"), "nobody sees that"), (("--direct",), "nothing can be held")):
                result = u.run("echo odd > made", *flags, profile=profile)
                assert result.returncode == 125 and says in result.stderr and not os.path.exists(f"{u.tree}/made"), told(result)
        for flags in (("--observe", "off"), ("--direct",)):
            expect_ok(u.run("echo x > made", *flags))
            os.remove(f"{u.tree}/made")


def the_directory_of_profiles_is_not_granted(place):
    with Usual(place) as u:
        u.grow(1)
        for verb in ("--read", "--write", "--work"):
            for path in (u.dir, f"{u.dir}/secret"):
                result = u.ambit("run", verb, path, "--", "true")
                assert result.returncode == 125 and "says what is usual" in result.stderr, told(result)


def a_program_of_a_new_name_is_held(place):
    """It has a profile of its own, which knows nothing: the agent's says that it never ran such a one. The twin: an agent for whom that is usual, and one that did."""
    with Usual(place) as u:
        run = lambda name, agent="coder": u.ambit("run", "--work", ".", "--profile", "ask", "--agent", agent, "--json", "--", name, "-c", "echo x > made")
        for name in ("sh7", "git"):
            shutil.copy("/bin/dash", f"{u.tree}/{name}")
        u.grow(30, profile="ask")
        for name in ("./sh7", "./git"):
            said = json.loads(run(name).stdout)["usual"]
            assert said["held"] and said["reasons"][0]["text"].startswith(f"first program {name}"), said
            assert said["key"] == {"agent": "coder", "tool": "run", "program": None, "shape": None}, said
        result = json.loads(run("sh").stdout)
        assert not result["usual"]["held"], result
        expect_ok(u.ambit("commit", json.loads(run("./sh7").stdout)["event"]))
        assert not json.loads(run("./sh7").stdout)["usual"]["held"]
        for i in range(20):
            shutil.copy("/bin/dash", f"{u.tree}/p{i}")
            assert not json.loads(run(f"./p{i}", agent="other").stdout)["usual"]["held"], i


def what_a_sub_agent_does_is_its_callers(place):
    inner = f"{place.ambit} run --work . -- sh -c '%s'"
    flags = ("--run", place.ambit, "--delegate", "*", *room_of(place))
    with Usual(place) as u:
        u.grow(6, inner % WORK, *flags, profile="ask")
        result = u.run(inner % ODD, *flags, "--json", profile="ask")
        said = json.loads(result.stdout)["usual"]
        assert said["held"] and "first program" in said["reasons"][0]["text"] and "env" in said["reasons"][0]["text"], said
        assert u.made() == "x"
        assert not json.loads(u.run(inner % WORK, *flags, "--json", profile="ask").stdout)["usual"]["held"]


def an_agent_does_not_release_itself(place):
    """Neither what was held, nor what failed and would have been, nor what runs and nobody has judged. The twin: what is usual, and failed, it may take over."""
    with serving(place, "--work", ".", "--profile", "ask", "--agent", "coder") as (s, c):
        for _ in range(6):
            c.good("run", argv=["sh", "-c", WORK])
        for source in (ODD, f"{ODD}; exit 3"):
            got = c.call("run", argv=["sh", "-c", source])
            assert "it is not like what is usual: first" in text_of(got), text_of(got)
            n = data_of(got)["n"]
            for tool in ("commit", "discard"):
                said = text_of(c.bad(tool, n=n))
                assert "not like what is usual" in said and "a person" in said, said
            with open(f"{s.tree}/made", encoding="utf-8") as file:
                assert file.read() == "x\n"
        n = data_of(c.bad("run", argv=["sh", "-c", f"{WORK}; exit 3"]))["n"]
        c.good("commit", n=n)
        kept = expect_ok(s.ambit("stage", "list", "--kept", "--json")).stdout
        assert kept.count('"unusual"') == 2, kept


def what_nobody_heard_the_end_of_is_not_released(place):
    """Who was to judge it was killed: then nobody did. A person commits it all the same. The twin: what failed, and was judged."""
    with Usual(place) as u:
        env = {**place.environment(), "HOME": u.home, "XDG_STATE_HOME": f"{u.home}/.local/state"}
        assert u.run(f"{WORK}; exit 3", profile="ask").returncode == 3
        expect_ok(u.ambit("commit", "last", "--usual"))
        with subprocess.Popen([place.ambit, "run", "--work", ".", "--profile", "ask", *room_of(place), "--", "sh", "-c", "echo odd > made; echo there; sleep 60"], cwd=u.tree, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
            assert run.stdout.readline() == b"there\n"
            run.kill()
        end = time.monotonic() + PATIENCE * SLOW
        while [s["state"] for s in json.loads(expect_ok(u.ambit("stage", "list", "--json")).stdout)["stages"]].count("kept") == 0:
            assert time.monotonic() < end, "it runs on"
            time.sleep(0.1)
        for verb in ("commit", "discard"):
            result = u.ambit(verb, "last", "--usual")
            assert result.returncode != 0 and "was not held against what is usual yet" in result.stderr and u.made() == "x", told(result)
        expect_ok(u.ambit("commit", "last"))
        assert u.made() == "odd"


def two_agents_have_two_profiles(place):
    """What one has done is not usual for the other; what neither has named is known for whoever runs the program."""
    with Usual(place) as u:
        u.grow(6, agent="one")
        u.grow(6, ODD, agent="two")
        assert u.usual(ODD, agent="one")["asks"] and not u.usual(ODD, agent="two")["asks"]
        assert {(r["agent"], r["program"]) for r in u.rows()} == {("one", "sh"), ("two", "sh"), (None, "sh"), ("one", None), ("two", None), (None, "*")}, u.rows()


def the_ledger_has_each_verdict(place):
    with Usual(place) as u:
        u.ambit("run", "--work", ".", "--", "true")
        assert "verdict" not in expect_ok(u.ambit("ledger", "show", "--type", "verdict")).stdout
        u.grow(6, profile="ask")
        u.run(ODD, profile="ask")
        entries = [json.loads(line) for line in expect_ok(u.ambit("ledger", "show", "--type", "verdict", "--json")).stdout.splitlines()]
        bodies = [e["body"] for e in entries]
        assert len(bodies) == 7 and [b["held"] for b in bodies] == [False] * 6 + [True], bodies
        assert bodies[6]["key"].startswith("coder\trun\tsh\t") and any("first program" in r for r in bodies[6]["reasons"]) and bodies[6]["asks"], bodies[6]
        expect_ok(u.ambit("ledger", "verify"))
        expect_ok(u.ambit("ledger", "replay"))


def what_is_in_the_ledger_teaches_too(place):
    """By the same key as if it had been asked for when it ran; nothing that was held does."""
    with Usual(place) as u:
        events = [json.loads(expect_ok(u.run(WORK, "--json", profile="off")).stdout)["event"] for _ in range(6)]
        odd = json.loads(u.run(ODD, "--json", profile="off").stdout)["event"]
        assert not u.ambit("profile", "show", "--json").stdout.strip().startswith("[{")
        expect_ok(u.ambit("profile", "train", "-", input="\n".join(events) + "\n"), "learned: 6; taught nothing: 0; not read: 0")
        row = u.of()
        assert (row["events"], row["learned"]) == (5, 6), row
        said = [json.loads(line)["usual"] for line in expect_ok(u.ambit("profile", "score", "--json", events[0], odd)).stdout.splitlines()]
        assert not said[0]["asks"] and said[1]["asks"] and said[1]["events"] == 5, said
        assert u.of()["learned"] == 6
        held = json.loads(u.run(ODD, "--json", profile="ask").stdout)["event"]
        refused = u.ambit("profile", "train", held, events[0])
        assert refused.returncode != 0 and "it was held" in refused.stderr and "learned: 1" in refused.stdout, told(refused)
        for words, says in ((("train",), "events of the ledger"), (("score", "e_0000"), "e_0000"), (("score", f"{u.tree}/none"), "cannot open")):
            refused = u.ambit("profile", *words)
            assert refused.returncode == 125 and says in refused.stderr, told(refused)


def the_strictest_policy_counts(place):
    with Usual(place) as u:
        u.grow(6, profile="ask")
        write(f"{u.tree}/p.yaml", "version: 1\nprofile: ask\ngrants:\n- work: .\n")
        result = u.ambit("run", "--policy", "p.yaml", "--profile", "log", "--agent", "coder", "--", "sh", "-c", ODD)
        assert result.returncode == 123, told(result)
        for word, says in (("maybe", "off, log, throttle, ask, hold or kill"), ("[log]", "profile")):
            write(f"{u.tree}/p.yaml", f"version: 1\nprofile: {word}\n")
            result = u.ambit("policy", "check", "p.yaml")
            assert result.returncode != 0 and says in result.stderr + result.stdout, told(result)


def profiles_are_shown_and_moved(place):
    with Usual(place) as u:
        u.grow(12)
        identity = u.of()["id"]
        text = expect_ok(u.ambit("profile", "show", identity), "exec:dash", "how much").stdout
        assert "sh by coder: 10 events" in text, text
        shown = json.loads(expect_ok(u.ambit("profile", "show", identity, "--json")).stdout)
        assert shown["events"] == 10 and any(i["kind"] == "program" for i in shown["items"]), shown
        expect_ok(u.ambit("profile", "diff", identity), "10 events score, 12 were learned")
        exported = expect_ok(u.ambit("profile", "export", identity)).stdout
        assert exported.startswith("ambit-profile 3\nkey coder\trun\tsh\t") and exported.endswith("\nend\n"), exported[:200]
        assert u.tree not in exported and u.home not in exported
        expect_ok(u.ambit("profile", "reset", identity))
        assert not any(r["id"] == identity for r in u.rows()), u.rows()
        write(f"{u.tree}/a.profile", exported)
        expect_ok(u.ambit("profile", "import", "a.profile"), "imported: coder/run/sh/")
        assert u.of()["events"] == 10
        assert expect_ok(u.ambit("profile", "export", identity)).stdout == exported
        expect_ok(u.ambit("profile", "promote", identity))
        assert u.of()["epoch"] == 3, u.of()


def a_long_profile_is_told_whole(place):
    """More than a socket holds, to one that reads slowly. The twin: others are answered meanwhile."""
    with Usual(place) as u:
        u.grow(6)
        identity = u.of()["id"]
        lines = expect_ok(u.ambit("profile", "export", identity)).stdout.splitlines(keepends=True)
        at = max(n for n, line in enumerate(lines) if line.startswith("item ")) + 1
        lines[at:at] = [f"item directory 1 abc 0 0 ./{n:0150}\n" for n in range(5000)]
        write(f"{u.tree}/long", "".join(lines))
        expect_ok(u.ambit("profile", "import", "long"))
        for _ in range(3):
            assert expect_ok(u.ambit("profile", "export", identity)).stdout == "".join(lines)
        expect_ok(u.ambit("profile", "show", identity), "and 49")
        expect_ok(u.ambit("profile", "diff", identity))
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as slow:
            slow.connect(f"{u.dir}/socket")
            slow.recv(100)
            row = u.of()
            key = f"coder\trun\tsh\t{row['shape']}".encode()
            slow.send(struct.pack("<HH", 483, 0) + b"\0" + key.ljust(320, b"\0"))
            u.grow(2)
            told_all, part = b"", b"x" * 60004
            while len(part) == 60004:
                part = slow.recv(1 << 16)
                told_all += part[4:]
            assert told_all == "".join(lines).encode()


def a_profile_that_is_none_is_refused_with_its_line(place):
    with Usual(place) as u:
        u.grow(6)
        good = expect_ok(u.ambit("profile", "export", u.of()["id"])).stdout
        lines = good.splitlines(keepends=True)
        bad = {"": "line", "x\n": "line 1", good[:-4]: "line", good + "more\n": "line", good.replace("support 1", "support 4"): "line 5", good.replace("events 5", "events 05", 1): "line 4",
               good.replace("item", "itme", 1): "line", "".join(lines[:7] + lines[8:]): "line", good.replace("exec:dash", "exec:\x1b[2J", 1): "line", good + good: "line"}
        for text, says in bad.items():
            write(f"{u.tree}/bad", text)
            result = u.ambit("profile", "import", "bad")
            assert result.returncode != 0 and says in result.stderr and "\x1b" not in result.stderr, (text[:80], told(result))
        assert u.of()["events"] == 5


def a_damaged_profile_is_told_and_not_used(place):
    """Where the policy only tells, the event goes on; where it holds, what could not be scored is held. Nothing of the file is lost."""
    with Usual(place) as u:
        u.grow(6)
        u.until_it_ends()
        path = f"{u.dir}/{u.of()['id']}.profile"
        u.until_it_ends()
        with open(path, encoding="utf-8") as file:
            text = file.read()
        write(path, text.replace("epoch", "epohc"))
        result = u.run(WORK)
        assert result.returncode == 0 and "could not be held against what is usual" in result.stderr and "line 3" in result.stderr, told(result)
        result = u.run("echo y > made", profile="ask")
        assert result.returncode == 123 and u.made() == "x", told(result)
        with open(path, encoding="utf-8") as file:
            assert "epohc" in file.read()


def a_pipe_in_place_of_a_profile_holds_up_nobody(place):
    """Reading it would never end. The twin: another agent's events go on."""
    with Usual(place) as u:
        u.grow(1)
        u.grow(1, agent="other")
        path = f"{u.dir}/{u.of()['id']}.profile"
        u.until_it_ends()
        os.remove(path)
        os.mkfifo(path)
        began = time.monotonic()
        result = u.run("echo y > made", profile="ask")
        assert result.returncode == 123 and "could not be held against" in result.stderr, told(result)
        assert u.usual(WORK, agent="other")["error"] is None and time.monotonic() - began < 10 * SLOW


def who_has_died_comes_again(place):
    """The keeper is killed between two events: what was saved is there."""
    with Usual(place) as u:
        u.grow(6)
        assert u.of()["events"] == 5  # listing saves
        os.kill(u.keeper(), signal.SIGKILL)
        u.until_it_ends()
        said = u.usual(WORK)
        assert said["events"] == 5 and said["error"] is None, said


def who_is_quiet_makes_room(place):
    """Gates that wait for their clients: each holds a connection. The twin: who has just come is not sent away."""
    with Usual(place) as u, contextlib.ExitStack() as all_of:
        u.grow(1)
        since = time.monotonic()
        gates = [all_of.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)) for _ in range(128)]
        for gate in gates:
            gate.connect(f"{u.dir}/socket")
            assert gate.recv(100)
        shown = u.ambit("profile", "show")
        if time.monotonic() - since < 10:
            assert shown.returncode != 0 and "128 connections to the profiles are open already" in shown.stderr, told(shown)
        while u.ambit("profile", "show").returncode != 0:
            assert time.monotonic() - since < PATIENCE * SLOW
        assert gates[0].recv(100) == b""
        assert u.usual(WORK)["error"] is None


def a_cell_cannot_reach_the_keeper(place):
    """Nor its files: by its home, which it is granted to read. Outside of a cell the same finds both."""
    source = ("import os, socket, sys\nd = sys.argv[1]\nfor f in ('secret', 'socket'):\n    try:\n"
              "        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.connect(d + '/socket'); print('connected')\n    except OSError as e: print('no', e.errno)\n"
              "    try: print('read', len(open(d + '/secret', 'rb').read()))\n    except OSError as e: print('no', e.errno)\n")
    with Usual(place) as u:
        u.grow(1)
        u.rows()
        outside = expect_ok(place.run("/usr/bin/python3", "-c", source, u.dir, cwd=u.tree)).stdout
        assert "connected" in outside and "read 40" in outside, outside
        for way in (("--read", u.home), ("--write", u.home), ("--write", u.home, "--direct")):
            inside = expect_ok(u.ambit("run", *way, "--", "/usr/bin/python3", "-c", source, u.dir)).stdout
            assert "connected" not in inside and "read" not in inside, (way, inside)


def many_at_once_teach_one_profile(place):
    with Usual(place) as u:
        u.grow(1)
        env = {**place.environment(), "HOME": u.home, "XDG_STATE_HOME": f"{u.home}/.local/state"}
        all_of = [subprocess.Popen([place.ambit, "run", "--profile", "log", "--agent", "coder", "--", "sh", "-c", ":"], cwd=u.tree, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(12)]
        for process in all_of:
            error = process.communicate(timeout=PATIENCE * SLOW)[1]
            assert process.returncode == 0, error
        assert sum(r["learned"] for r in u.rows() if r["agent"] == "coder" and r["program"]) == 13, u.rows()


SCENARIOS = [events_teach_and_a_young_profile_says_so, nothing_is_kept_where_nobody_asks, what_is_new_is_told_with_its_reasons, what_is_unusual_is_held, output_counts, who_is_not_seen_to_act_is_not_believed, what_is_held_is_not_thrown_away, what_has_no_room_hides_nothing, what_is_discarded_teaches_nothing,
             a_person_releases_by_name, hold_freezes_the_session, a_second_hold_ends_the_session, what_does_much_is_throttled, a_throttled_session_waits, what_nobody_could_hold_is_refused, the_directory_of_profiles_is_not_granted, a_program_of_a_new_name_is_held, what_a_sub_agent_does_is_its_callers, an_agent_does_not_release_itself, what_nobody_heard_the_end_of_is_not_released, two_agents_have_two_profiles, the_ledger_has_each_verdict, what_is_in_the_ledger_teaches_too, the_strictest_policy_counts, profiles_are_shown_and_moved, a_long_profile_is_told_whole,
             a_profile_that_is_none_is_refused_with_its_line, a_damaged_profile_is_told_and_not_used, a_pipe_in_place_of_a_profile_holds_up_nobody, who_has_died_comes_again, who_is_quiet_makes_room, a_cell_cannot_reach_the_keeper, many_at_once_teach_one_profile]

if __name__ == "__main__":
    main(SCENARIOS)
