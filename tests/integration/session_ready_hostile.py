#!/usr/bin/env python3
"""Who changes, stops, kills or waits for what a session's next cell was made from, while it waits. Each scenario is of a hole that was there once.

usage: session_ready_hostile.py AMBIT    (TAP on standard output; as root everything runs a second time as an ordinary user)
"""

import codecs
import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import time

from harness import ORDINARY, PATIENCE, SLOW, Place, expect_ok, main, rooted, told, write
from mounts import in_child, private_mounts
from session_ready import Waiting, children, state_of
from sessions import RUN, S_PART, above, commands_of, number, run_bytes


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def replace(path, text, mode=0o644):
    """As an editor does: another file of the same name."""
    write(path + ".new", text)
    os.chmod(path + ".new", mode)
    os.rename(path + ".new", path)


class Beneath(Waiting):
    """One that works in a directory beneath the workspace's own, which is there with a file in it when the cell is made."""

    def __init__(self, place, *words, at="sub/build", old="older\n"):
        super().__init__(place, *words)
        self.at = os.path.join(self.tree, at)
        write(f"{self.at}/conf", old)

    def run(self, *argv, **more):
        return super().run(*argv, cwd=self.at, **more)


# ---- the way to a path ----


def a_working_directory_that_is_made_again_is_the_new_one(place):
    with Beneath(place) as s:
        shutil.rmtree(s.at)
        write(f"{s.at}/new", "new\n")
        expect_ok(s.run("sh", "-c", "ls; cat new; echo x > made"), "new\nnew\n")
        assert sorted(os.listdir(s.at)) == ["made", "new"] and sorted(os.listdir(os.path.dirname(s.at))) == ["build"], os.listdir(s.at)


def a_working_directory_that_was_renamed_is_not_followed(place):
    with Beneath(place) as s:
        os.rename(s.at, s.at + ".old")
        write(f"{s.at}/conf", "outside edit\n")
        result = expect_ok(s.run("sh", "-c", "cat conf; echo event >> conf"))
        assert result.stdout == "outside edit\n", told(result)
        assert read(f"{s.at}/conf") == "outside edit\nevent\n" and read(f"{s.at}.old/conf") == "older\n"


def a_working_directory_that_left_the_grant_shows_nothing(place):
    with Beneath(place) as s:
        away = os.path.join(s.home, "away")
        os.mkdir(away)
        os.rename(s.at, f"{away}/build")
        write(f"{s.at}/new", "new\n")
        write(f"{away}/build/.env", "TOKEN=secret\n")
        write(f"{away}/build/private", "not granted\n")
        result = s.run("sh", "-c", "ls -A; cat .env private conf; echo x > made")
        assert result.stdout == "new\n", told(result)
        assert not os.path.exists(f"{away}/build/made") and os.path.exists(f"{s.at}/made")


def a_granted_program_by_another_way_is_looked_up_again(place):
    """The directory was made anew, and the program in it is a link to the same file: as package managers do it."""
    s = Waiting(place)
    module, store = f"{s.tree}/pkg/mod", f"{s.home}/store"
    write(f"{store}/tool", "#!/bin/sh\necho tool\n")
    os.chmod(f"{store}/tool", 0o755)

    def install(version):
        shutil.rmtree(module, ignore_errors=True)
        write(f"{module}/version", version)
        os.link(f"{store}/tool", f"{module}/tool")
    install("1\n")
    s.words = ("--run", f"{module}/tool")
    with s:
        install("2\n")
        result = expect_ok(s.run("sh", "-c", "cat pkg/mod/version; pkg/mod/tool; echo x > pkg/mod/made"))
        assert result.stdout == "2\ntool\n", told(result)
        assert os.path.exists(f"{module}/made")


# ---- between the looks and the start ----


def lock_of(s):
    st = os.stat(s.tree)
    return f"{s.home}/.local/state/ambit/stages/.tree-{st.st_dev:x}-{st.st_ino:x}"


@contextlib.contextmanager
def committing(s):
    """As somebody who commits to the tree does: whoever wants to begin waits."""
    fd = os.open(lock_of(s), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def begun_meanwhile(s, change, *argv):
    """What it says that was asked for while somebody commits, who changes something before he is done."""
    with committing(s):
        client = s.start("run", "--session", s.session_id, "--", *argv)
        s.until(lambda: len(s.events(s.session_id)) == 2, "it is taken")
        time.sleep(0.3 * SLOW)
        assert client.poll() is None, "it waits for nobody"
        change()
    out, err = client.communicate(timeout=SLOW * PATIENCE)
    assert client.returncode == 0, (out, err)
    return out


def what_changes_while_somebody_commits_is_seen(place):
    """A granted file of the tree, and one beside it, are looked at when nobody commits any more; what was changed is not committed over."""
    s = Waiting(place)
    tool, beside = f"{s.tree}/bin/tool", f"{s.home}/beside"
    write(tool, "old\n")
    os.chmod(tool, 0o755)
    write(beside, "old\n")
    s.words = ("--run", tool, "--read", beside)
    with s:
        def change():
            replace(tool, "outside\n", 0o755)
            replace(beside, "outside, too\n")
        out = begun_meanwhile(s, change, "sh", "-c", f"cat bin/tool {beside}; echo event >> bin/tool")
        assert out == "outside\noutside, too\n", out
        row = s.events(s.session_id)[-1]
        assert row["workspace"] == "committed" and read(tool) == "outside\nevent\n", (row, read(tool))


def a_file_that_is_changed_while_somebody_commits_is_no_conflict(place):
    """The change came before the event's time zero, and the event saw it."""
    s = Waiting(place)
    write(f"{s.tree}/sub/file", "old\n")
    with s:
        out = begun_meanwhile(s, lambda: replace(f"{s.tree}/sub/file", "outside\n"), "sh", "-c", "cat sub/file; echo event >> sub/file")
        assert out == "outside\n" and read(f"{s.tree}/sub/file") == "outside\nevent\n", (out, read(f"{s.tree}/sub/file"))


# ---- who is stopped, and who dies ----


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def is_gone(pid):
    return state_of(pid) in ("", "Z")


def unfit(s):
    return s.ambit("run", "--session", s.session_id, "--limit", "wall=50s", "--", "echo", "there")


def a_stopped_supervisor_that_waits_holds_no_session_up(place):
    """Neither those who want another cell, which is not the one that waits, nor who comes after them."""
    with Waiting(place) as s:
        supervisor = above(s.cell(), "ambit-supervisor")
        with stopped(supervisor):
            begun = time.monotonic()
            unfit(s)
            assert time.monotonic() - begun < 5 * SLOW, "it waited for who is stopped"
            s.until(lambda: is_gone(supervisor), "it is ended")
            expect_ok(s.run("echo", "there"), "there\n")
        s.until(s.cell, "the next one's cell stands")


def who_wants_another_cell_runs_though_a_supervisor_is_stopped(place):
    """The one that waits had its name already; what it leaves is in nobody's way, and is told to nobody."""
    with Waiting(place) as s, stopped(above(s.cell(), "ambit-supervisor")):
        expect_ok(unfit(s), "there\n")
        assert "lost" not in stages(s), stages(s)


def a_stopped_supervisor_does_not_keep_a_session(place):
    with Waiting(place) as s:
        supervisor, role = above(s.cell(), "ambit-supervisor"), commands_of(s, "ambit-session")[0]
        with stopped(supervisor):
            s.client.close()
            s.channel.close()
            s.until(lambda: is_gone(role) and is_gone(supervisor), "the session's process goes")


def stages(s):
    return [row["state"] for row in json.loads(expect_ok(s.ambit("stage", "list", "--json")).stdout)["stages"]]


WAITING = {"supervisor": lambda warden: above(warden, "ambit-supervisor"), "warden": lambda warden: warden, "program": lambda warden: children(warden)[0]}


def runs_all_the_same(s, asleep, killed):
    """One dies while whoever would hear of it sleeps, who learns of the next event at the same time."""
    with stopped(asleep):
        os.kill(killed, signal.SIGKILL)
        s.until(lambda: is_gone(killed), "it goes")
        s.channel.send(S_PART, run_bytes("sh", "-c", "echo there; echo x > made"))
        s.channel.send(RUN, number(1))
        time.sleep(0.3 * SLOW)
    row = s.until(lambda: (rows := s.events(s.session_id))[1:] and rows[1]["state"] == "over" and rows[1], "the event ends")
    assert (row["exit"], row["stdout"], row["workspace"]) == (0, 6, "committed"), row
    s.stands()
    return stages(s)


def who_dies_just_before_the_event_comes_is_no_loss(place):
    """The session's process is told of both at once."""
    for who, find in WAITING.items():
        with Waiting(place) as s:
            print(f"# {who}", flush=True)
            left = runs_all_the_same(s, commands_of(s, "ambit-session")[0], find(s.cell()))
            assert who == "supervisor" or left == ["committed"], left


def who_dies_while_its_supervisor_sleeps_is_no_loss(place):
    for who in ("warden", "program"):
        with Waiting(place) as s:
            print(f"# {who}", flush=True)
            left = runs_all_the_same(s, above(s.cell(), "ambit-supervisor"), WAITING[who](s.cell()))
            assert left == ["committed"], left


def a_supervisor_that_is_killed_while_it_waits_leaves_no_stage(place):
    """No event ran in it: nobody has lost anything."""
    with Waiting(place) as s:
        supervisor = above(s.cell(), "ambit-supervisor")
        os.kill(supervisor, signal.SIGKILL)
        s.until(lambda: is_gone(supervisor), "it goes")
        write(f"{s.tree}/another", "the tree is not as it was")
        expect_ok(s.run("echo", "there"), "there\n")
        ends = time.monotonic() + 2 * SLOW
        while "lost" in stages(s):
            assert time.monotonic() < ends, stages(s)
            time.sleep(0.1)


# ---- what changes besides ----


@rooted
@in_child
def what_others_wrote_while_it_waited_counts_for_nobody(place):
    """A tree, and what is staged of it, on a file system in memory: of an ordinary user, for whom nothing else counts it, that is counted as a whole."""
    top = place.fresh()
    private_mounts(["-t", "tmpfs", "-o", "mode=755", "tmpfs", top])
    codecs.lookup("ascii")  # now: the interpreter may lie where the other one cannot look
    os.chown(top, ORDINARY, ORDINARY)
    os.setgroups([])
    os.setresgid(ORDINARY, ORDINARY, ORDINARY)
    os.setresuid(ORDINARY, ORDINARY, ORDINARY)
    own = Place(top, place.ambit)
    own.make_ledger()
    with Waiting(own, "--limit", "disk=20M") as s:
        warden = s.cell()
        with open(f"{s.home}/others", "wb") as file:
            file.write(bytes(40 << 20))
        expect_ok(s.run("sh", "-c", "sleep 0.5; echo x > made; echo done"), "done\n")
        s.until(lambda: s.cell() not in (None, warden), "the next one's stands")
        result = s.run("sh", "-c", "for i in 1 2 3; do head -c 10M /dev/zero > much$i; done; sleep 1; echo done")
        assert result.returncode != 0 and s.events(s.session_id)[-1]["cause"] == "limit", told(result)


@rooted
def who_owns_the_tree_meanwhile_is_seen(place):
    """The owner of the tree decides who the cell's user is outside: of who owned it before nothing is left."""
    def owners(s, *words):
        result = expect_ok(s.ambit("run", *words, "--", "sh", "-c", "stat -c '%u:%g' .; mkdir -p d; touch d/a"))
        return result.stdout.split(), [os.stat(f"{s.tree}/{name}").st_uid for name in ("d", "d/a")]

    with Waiting(place) as s, Waiting(place) as twin:
        for tree in (s.tree, twin.tree):
            os.chown(tree, ORDINARY, ORDINARY)
        was, is_ = owners(twin, "--work", "."), owners(s, "--session", s.session_id)
        assert was == is_, (was, is_)


def a_port_is_held_by_an_event_alone(place):
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def is_open():
        with contextlib.closing(socket.socket()) as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    class Listening(Waiting):
        def stands(self):
            """None does."""
    with Listening(place, "--listen", str(port)) as s:
        server = s.start("run", "--session", s.session_id, "--", "sleep", "0.4")
        s.until(is_open, "the port is open while an event runs")
        server.communicate(timeout=SLOW * PATIENCE)
        s.until(lambda: not is_open(), "it is closed")
        for _ in range(20):
            assert not is_open() and not s.supervisors(), "somebody holds it while nothing runs"
            time.sleep(0.05)
        with contextlib.closing(socket.socket()) as another:
            another.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            another.bind(("127.0.0.1", port))
        expect_ok(s.run("echo", "there"), "there\n")


def what_is_refused_when_it_comes_was_asked_for(place):
    """The lock of the tree cannot be had: somebody made a directory of its name."""
    with Waiting(place) as s:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(lock_of(s))
        os.mkdir(lock_of(s))
        result = s.run("echo", "there")
        row = s.events(s.session_id)[-1]
        assert result.returncode == 125 and "lock of the tree" in result.stderr and row["cause"] == "refused", (told(result), row)
        os.rmdir(lock_of(s))
        shown = expect_ok(s.ambit("ledger", "show", "--event", row["event"])).stdout
        assert "echo" in shown, shown
        said = expect_ok(s.ambit("explain", row["event"])).stdout
        assert "lock of the tree" in said, said
        expect_ok(s.run("echo", "there"), "there\n")


def a_cell_that_cannot_wait_is_tried_once_for_each_event(place):
    """Not again and again as long as somebody uses the session: of a directory that is read, nothing is kept to compare."""
    class Never(Waiting):
        def stands(self):
            """None does."""
    s = Never(place)
    os.mkdir(f"{s.home}/docs")
    s.words = ("--read", f"{s.home}/docs")
    with s:
        role = commands_of(s, "ambit-session")[0]
        time.sleep(0.7 * SLOW)
        tried, ends = set(), time.monotonic() + 5.5
        while time.monotonic() < ends:
            tried |= {pid for pid in children(role) if not is_gone(pid)}
            time.sleep(0.001)
        assert not tried, f"{len(tried)} of them"
        expect_ok(s.run("echo", "there"), "there\n")


SCENARIOS = [a_working_directory_that_is_made_again_is_the_new_one, a_working_directory_that_was_renamed_is_not_followed,
             a_working_directory_that_left_the_grant_shows_nothing, a_granted_program_by_another_way_is_looked_up_again,
             what_changes_while_somebody_commits_is_seen, a_file_that_is_changed_while_somebody_commits_is_no_conflict,
             a_stopped_supervisor_that_waits_holds_no_session_up, a_stopped_supervisor_does_not_keep_a_session,
             who_wants_another_cell_runs_though_a_supervisor_is_stopped, a_supervisor_that_is_killed_while_it_waits_leaves_no_stage,
             who_dies_just_before_the_event_comes_is_no_loss, who_dies_while_its_supervisor_sleeps_is_no_loss,
             what_others_wrote_while_it_waited_counts_for_nobody, who_owns_the_tree_meanwhile_is_seen, a_port_is_held_by_an_event_alone,
             what_is_refused_when_it_comes_was_asked_for, a_cell_that_cannot_wait_is_tried_once_for_each_event]

if __name__ == "__main__":
    main(SCENARIOS)
