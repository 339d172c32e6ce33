#!/usr/bin/env python3
"""The cell of a session's next event, which is made before anybody asks: it is used, and is what another one would be.

usage: session_ready.py AMBIT    (TAP on standard output; as root everything runs a second time as an ordinary user)
"""

import contextlib
import json
import os
import signal
import subprocess
import time

from harness import SLOW, expect_ok, main, told
from sessions import TAKEN, Served, above, channel_to, commands_of, take
from sessions_hostile import held_by

# What a program can see of where it runs, and that no other one may have left there.
SHOWN = ("echo pid $$ of $PPID; id; pwd; umask; env | sort; ls -ln /tmp /dev/shm /proc/self/fd; ls /proc; cat /proc/self/limits /proc/mounts /proc/self/status; "
         "cat /proc/sys/kernel/hostname; ulimit -a; stty -a < /dev/tty; ls -la . | head -40")
# Of that, what differs between any two: counters, addresses and names of places.
DIFFERS = ("VmPeak", "VmSize", "VmHWM", "VmRSS", "RssAnon", "RssFile", "VmData", "VmPTE", "ctxt_switches", "Cpus_allowed", "NSpid", "NStgid", "NSpgid", "NSsid", "upperdir=", "total ", "uid=18", "pipe:", "Mems_allowed")


class Waiting(Served):
    """A session that somebody uses, whose first event is over."""

    def __init__(self, place, *words):
        super().__init__(place)
        self.words, self.at = words, self.tree

    def __enter__(self):
        super().__enter__()
        self.session_id = self.session("--work", self.tree, *self.words, cwd=self.at)
        self.client, self.channel = channel_to(self, self.session_id)
        expect_ok(self.run("true"))
        self.stands()
        return self

    def __exit__(self, *why):
        self.client.close()
        self.channel.close()
        super().__exit__(*why)

    def run(self, *argv, **more):
        return self.ambit("run", "--session", self.session_id, "--", *argv, **more)

    def stands(self):
        """And the session's process had the time to hear of it."""
        warden = self.until(self.cell, "the next one's cell stands")
        time.sleep(0.3 * SLOW)
        return warden

    def supervisors(self):
        return [pid for role in commands_of(self, "ambit-session")[:1] for pid in held_by(role)]

    def cell(self):
        """The warden of the one that waits, behind which the program's process waits already."""
        with contextlib.suppress(ValueError):
            supervisor, = self.supervisors()
            warden, = children(supervisor)
            _, = children(warden)
            return warden
        return None


    def waiting(self):
        """The wardens of all that wait: the process behind each is none of a program's yet."""
        return {warden for supervisor in self.supervisors() for warden in children(supervisor)
                if [cmdline(pid) for pid in children(warden)] == [cmdline(warden)]}


def cmdline(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read()
    return b""


def children(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(n) for n in file.read().split()]
    return []


def warden_of(s, *words):
    """Of the event that runs this, which is ended then."""
    assert take(s.channel, *words)[0] == TAKEN

    def found():
        for supervisor in s.supervisors():
            for warden in children(supervisor):
                for pid in children(warden):
                    with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
                        if file.read() == "".join(f"{w}\0" for w in words).encode():
                            os.kill(pid, signal.SIGKILL)
                            return warden
        return None
    warden = s.until(found, "it runs")
    s.until(lambda: all(row["state"] == "over" for row in s.events(s.session_id)), "it ends")
    return warden


def the_next_event_runs_in_what_waits(place):
    with Waiting(place) as s:
        waits = s.stands()
        assert warden_of(s, "sleep", "71") == waits, "it has a cell of its own"
        again = s.stands()
        assert again != waits
        expect_ok(s.run("sh", "-c", "echo said; echo wrong >&2; echo x > made"), "said\n")
        with open(f"{s.tree}/made", encoding="ascii") as file:
            assert file.read() == "x\n"
        assert s.stands() != again
        result = s.run("/no/such/program")
        assert result.returncode == 127 and "/no/such/program" in result.stderr, told(result)
        s.stands()
        expect_ok(s.run("cat", input="all of it\n"), "all of it\n")
        row = s.events(s.session_id)[-1]
        assert row["command"] == "cat" and row["state"] == "over", row
        said = expect_ok(s.ambit("explain", row["event"])).stdout
        assert "cat" in said, said


def it_is_what_another_would_be(place):
    """Of all that a program can see. The first event of a session has a cell that was made for it."""
    def plain(text):
        lines = [line for line in text.replace(s.home, "HOME").splitlines() if not any(word in line for word in DIFFERS)]
        return [line.split(" upperdir")[0] for line in lines if "drwx" not in line and "-rw" not in line and "lr-x" not in line and "l-wx" not in line]

    with Waiting(place) as s:
        first = s.session("--work", ".")
        cold = s.ambit("run", "--session", first, "--", "sh", "-c", SHOWN)
        waits = s.cell()
        warm = s.run("sh", "-c", SHOWN)
        assert s.cell() != waits
        was, is_ = plain(cold.stdout), plain(warm.stdout)
        differs = [pair for pair in zip(was, is_) if pair[0] != pair[1]]
        assert len(was) == len(is_) and not differs, (differs[:5], len(was), len(is_))


def what_changes_while_it_waits_is_seen(place):
    """Files, hidden names, the workspace itself; and what is changed both there and then by the event is in no conflict."""
    with Waiting(place) as s:
        os.mkdir(f"{s.tree}/sub")
        with open(f"{s.tree}/sub/file", "w", encoding="ascii") as file:
            file.write("old\n")
        expect_ok(s.run("true"))
        waits = s.stands()
        with open(f"{s.tree}/sub/file.new", "w", encoding="ascii") as file:
            file.write("new\n")
        os.rename(f"{s.tree}/sub/file.new", f"{s.tree}/sub/file")
        expect_ok(s.run("sh", "-c", "cat sub/file; echo event >> sub/file"), "new\n")
        with open(f"{s.tree}/sub/file", encoding="ascii") as file:
            assert file.read() == "new\nevent\n"
        s.until(lambda: s.cell() not in (None, waits), "the next one's stands")
        with open(f"{s.tree}/sub/.env", "w", encoding="ascii") as file:
            file.write("TOKEN=secret\n")
        result = s.run("cat", "sub/.env")
        assert result.returncode != 0 and "secret" not in result.stdout, told(result)
        os.unlink(f"{s.tree}/sub/.env")
        s.stands()
        os.mkdir(f"{s.tree}/another")
        expect_ok(s.run("sh", "-c", "ls; echo x > another/x"), "another\nsub\n")
        assert os.path.exists(f"{s.tree}/another/x")
        s.stands()
        os.rename(s.tree, s.tree + ".old")
        os.mkdir(s.tree)
        with open(f"{s.tree}/other", "w", encoding="ascii"):
            pass
        expect_ok(s.run("ls"), "other\n")


def what_a_granted_path_leads_to_is_seen(place):
    """A file that was replaced, beside the workspace."""
    file = os.path.join(place.fresh(), "granted")
    with open(file, "w", encoding="ascii") as to:
        to.write("old\n")
    with Waiting(place, "--read", file) as s:
        expect_ok(s.run("cat", file), "old\n")
        s.stands()
        with open(file + ".new", "w", encoding="ascii") as to:
            to.write("new\n")
        os.rename(file + ".new", file)
        expect_ok(s.run("cat", file), "new\n")


def it_holds_nobody_up(place):
    """No commit waits for it, no list has it, and it goes with who uses the session."""
    with Waiting(place) as s:
        begun = time.monotonic()
        expect_ok(s.ambit("run", "--work", ".", "--", "sh", "-c", "echo x > beside"))
        assert time.monotonic() - begun < 25, "a commit waited for it"
        assert s.cell(), "it is gone"
        listed = json.loads(expect_ok(s.ambit("stage", "list", "--json")).stdout)
        assert [row["state"] for row in listed["stages"]] == ["committed"], listed
        expect_ok(s.run("cat", "beside"), "x\n")
        s.stands()
        supervisor, = s.supervisors()
        s.client.close()
        s.channel.close()
        s.until(lambda: not os.path.exists(f"/proc/{supervisor}"), "it goes")


def state_of(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def who_is_killed_while_he_waits_is_no_loss(place):
    for who in ("supervisor", "warden", "program"):
        with Waiting(place) as s:
            warden = s.cell()
            supervisor = above(warden, "ambit-supervisor")
            pid = {"supervisor": supervisor, "warden": warden, "program": children(warden)[0]}[who]
            os.kill(pid, signal.SIGKILL)
            s.until(lambda pid=pid: state_of(pid) in ("", "Z"), "it goes")
            expect_ok(s.run("echo", "there"), "there\n")


def what_runs_behind_keeps_none_from_waiting(place):
    """An event in the background, a kernel."""
    with Waiting(place) as s:
        expect_ok(s.ambit("run", "--session", s.session_id, "--background", "--", "sleep", "100"))
        expect_ok(s.ambit("run", "--session", s.session_id, "--python", "--kernel", "k", input="x = 1"))
        waits = s.until(s.waiting, "one waits")
        time.sleep(0.3 * SLOW)
        assert waits == s.waiting() and len(waits) == 1
        with s.start("run", "--session", s.session_id, "--", "sh", "-c", "echo up; read x", stdin=subprocess.PIPE) as run:
            assert run.stdout.readline() == "up\n"
            ran = {warden for supervisor in s.supervisors() for warden in children(supervisor) if any(cmdline(pid).startswith(b"sh\0") for pid in children(warden))}
            run.communicate("\n", timeout=30 * SLOW)
        assert ran == waits, (ran, waits)
        s.until(lambda: s.waiting() and s.waiting() != waits, "the next one waits")


SCENARIOS = [the_next_event_runs_in_what_waits, what_runs_behind_keeps_none_from_waiting, it_is_what_another_would_be, what_changes_while_it_waits_is_seen, what_a_granted_path_leads_to_is_seen, it_holds_nobody_up,
             who_is_killed_while_he_waits_is_no_loss]

if __name__ == "__main__":
    main(SCENARIOS)
