#!/usr/bin/env python3
"""Commits that cannot be: what may not be written, what is full, what is stopped. Nothing is changed, or all of it, and the person hears which.

usage: staged_broken.py AMBIT    (TAP on standard output; as root once more as an ordinary user)
"""

import array
import fcntl
import json
import os
import signal
import struct
import subprocess
import time

from harness import ORDINARY, Skip, expect_ok, main, need, once, told, write
from trees import expect_same, picture

FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, APPEND, IMMUTABLE = 0x80086601, 0x40086602, 0x20, 0x10


def home(place):
    """The person's stages are new in each scenario."""
    fresh = place.fresh()
    place.home = os.path.join(fresh, "home")
    os.mkdir(place.home)
    return fresh


def ambit(place, *words, cwd, **more):
    return place.run(place.ambit, *words, cwd=cwd, **more)


def work(place, top, script, *flags, **more):
    return place.cell("--work", ".", *flags, "--", "sh", "-ec", script, cwd=top, **more)


def stages(place, top):
    return json.loads(expect_ok(ambit(place, "stage", "list", "--json", cwd=top)).stdout)["stages"]


class Ordinary:
    """An ordinary user at work in directories that root makes for them."""

    def __init__(self, place):
        if os.geteuid() != 0:
            raise Skip("only root can make directories of somebody else")
        need("setpriv")
        self.place, self.top = place, place.fresh()
        self.home = os.path.join(self.top, "their-home")
        os.chmod(self.top, 0o755)
        os.mkdir(self.home)
        os.chown(self.home, ORDINARY, ORDINARY)

    def directory(self, name, mode):
        path = os.path.join(self.top, name)
        os.mkdir(path)
        os.chmod(path, mode)
        return path

    def own(self, path, text):
        write(path, text)
        os.chown(path, ORDINARY, ORDINARY)

    def ambit(self, *words, cwd, **more):
        return subprocess.run(["setpriv", f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups", self.place.ambit, *words], cwd=cwd,
                              env={**self.place.environment(), "HOME": self.home}, capture_output=True, text=True, errors="replace", timeout=60,
                              **more)

    def work(self, top, script, *flags):
        return self.ambit("run", "--work", ".", *flags, "--", "sh", "-ec", script, cwd=top)

    def stages(self, top):
        return json.loads(expect_ok(self.ambit("stage", "list", "--json", cwd=top)).stdout)["stages"]


def directories_of_another(place):
    """In a directory where all may write, whose times only its owner may set."""
    for mode in (0o777, 0o1777):
        me = Ordinary(place)
        top = me.directory("shared", mode)
        me.own(f"{top}/mine", "old\n")
        write(f"{top}/theirs", "root's\n")
        expect_ok(me.work(top, "echo x > new; echo y >> mine; mkdir sub; echo z > sub/z"))
        assert open(f"{top}/mine").read() == "old\ny\n" and open(f"{top}/sub/z").read() == "z\n", os.listdir(top)
        event = me.stages(top)[-1]
        assert event["state"] == "committed", event
        expect_ok(me.ambit("undo", event["event"], cwd=top))
        assert sorted(os.listdir(top)) == ["mine", "theirs"] and open(f"{top}/mine").read() == "old\n", os.listdir(top)
        expect_ok(me.ambit("commit", event["event"], cwd=top))
        assert open(f"{top}/new").read() == "x\n"
        assert oct(os.stat(top).st_mode & 0o7777) == oct(mode)


def what_may_not_be_written(place):
    """Refused before the first move, in words, and kept."""
    me = Ordinary(place)
    closed = me.directory("closed", 0o755)
    sticky = me.directory("sticky", 0o1777)
    write(f"{closed}/file", "root's\n")
    write(f"{sticky}/theirs", "root's\n")
    os.chmod(f"{sticky}/theirs", 0o666)
    mixed = me.directory("mixed", 0o777)
    me.own(f"{mixed}/mine", "old\n")
    cases = [(closed, "echo x > new", f"you may not write in {closed}"),
             (sticky, "echo x > new; rm theirs", f"you may not change {sticky}/theirs"),
             (mixed, "chmod 755 .; echo x > mine", f"you may not change {mixed}")]
    for top, script, words in cases:
        before = picture(top)
        result = me.work(top, script)
        assert result.returncode == 123, told(result)
        assert f"not committed: {words}\n" in result.stderr, told(result)
        assert "kept:" in result.stderr and "ambit discard e_" in result.stderr, told(result)
        expect_same(before, picture(top))
        kept = me.stages(top)[-1]
        assert kept["state"] == "kept" and kept["kept_until"] is not None, kept
        result = me.ambit("commit", kept["event"], cwd=top)
        assert result.returncode == 123 and words in result.stderr, told(result)
        expect_same(before, picture(top))
        shown = expect_ok(me.ambit("diff", kept["event"], cwd=top))
        assert shown.stdout, told(shown)
        expect_same(before, picture(top))
        expect_ok(me.ambit("discard", kept["event"], cwd=top))
    expect_ok(me.work(me.directory("open", 0o777), "echo x > new"))


def flag(path, bit, on):
    """As chattr does."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        now = array.array("l", [0])
        fcntl.ioctl(fd, FS_IOC_GETFLAGS, now, True)
        fcntl.ioctl(fd, FS_IOC_SETFLAGS, struct.pack("l", now[0] | bit if on else now[0] & ~bit))
    except OSError as e:
        raise Skip(f"{path}: the file system has no such flags, or they are root's: {e}") from None
    finally:
        os.close(fd)


def append_only_and_immutable(place):
    """What not even root may take back is not begun."""
    fresh = home(place)
    cases = [("dd", APPEND, "echo 1 > a; echo 1 > dd/y; rm dd/x; echo n > new", "write in"),
             ("dd", IMMUTABLE, "echo 1 > a; echo 1 > dd/y; echo n > new", "write in"),
             ("f", IMMUTABLE, "echo 1 > a; rm f; echo f > f; echo n > new", "change")]
    for number, (name, bit, script, verb) in enumerate(cases):
        top = f"{fresh}/tree{number}"
        write(f"{top}/dd/x", "x\n")
        write(f"{top}/f", "f\n")
        staged = work(place, top, script, "--stage")
        assert staged.returncode == 0, told(staged)
        flag(f"{top}/{name}", bit, True)
        try:
            before = picture(top)
            result = ambit(place, "commit", "--on-conflict", "ours", cwd=top)  # chattr is a change of the file, too
            assert result.returncode == 123 and f"you may not {verb} {top}/{name}" in result.stderr and "chattr" in result.stderr, told(result)
            expect_same(before, picture(top))
            expect_ok(place.cell("--read", ".", "--", "true", cwd=top))
        finally:
            flag(f"{top}/{name}", bit, False)
        expect_ok(ambit(place, "commit", "--on-conflict", "ours", cwd=top))
        assert open(f"{top}/new").read() == "n\n"
        if name == "f":
            continue
        flag(f"{top}/{name}", bit, True)  # and an undo is refused as a whole, too
        try:
            before = picture(top)
            result = ambit(place, "undo", "last", cwd=top)
            assert result.returncode == 125 and "you may not" in result.stderr, told(result)
            expect_same(before, picture(top))
        finally:
            flag(f"{top}/{name}", bit, False)
        expect_ok(ambit(place, "undo", "last", cwd=top))
        assert not os.path.exists(f"{top}/new")


def roles(place):
    """The processes that work on this person's stages."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if open(f"/proc/{pid}/comm").read() == "ambit-stage\n" and any(
                    os.readlink(f"/proc/{pid}/fd/{fd}").startswith(place.home) for fd in os.listdir(f"/proc/{pid}/fd")):
                found.append(int(pid))
        except OSError:
            pass
    return found


def none_works_on(place, patience=20):
    """Until no role is left."""
    end = time.monotonic() + patience
    while roles(place) and time.monotonic() < end:
        time.sleep(0.01)
    assert not roles(place), "it waits on"


def journal(place, event):
    return os.path.join(place.home, ".local/state/ambit/stages", event, "journal")


def has_begun(place, event):
    """Whether the journal is sealed: from there on the commit goes on, whoever asked for it."""
    try:
        with open(journal(place, event), "rb") as file:
            return file.read(4) == b"DEED"
    except FileNotFoundError:
        return False


def broken_off(place, top):
    """A commit whose process was killed after it had begun; its event."""
    for _ in range(20):
        expect_ok(work(place, top, "for i in $(seq 3000); do echo $i > new$i; done", "--stage"))
        event = stages(place, top)[-1]["event"]
        committing = subprocess.Popen([place.ambit, "commit", event], cwd=top, env=place.environment(), stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
        while committing.poll() is None and not has_begun(place, event):
            time.sleep(0.0002)
        for pid in roles(place):
            os.kill(pid, signal.SIGKILL)
        committing.wait()
        if os.path.exists(journal(place, event)):
            return event
        ambit(place, "undo", event, cwd=top)  # it was faster
        ambit(place, "discard", "--all", cwd=top)
    raise AssertionError("no commit could be broken off")


def one_that_was_broken_off_stops_no_other_tree(place):
    fresh = home(place)
    top, other, away = f"{fresh}/tree", f"{fresh}/other", f"{fresh}/away"
    write(f"{top}/a", "a\n")
    write(f"{other}/b", "b\n")
    event = broken_off(place, top)
    half = picture(top)
    looked = ambit(place, "diff", event, cwd=top)
    assert looked.returncode == 125 and "was broken off" in looked.stderr and "ambit stage recover" in looked.stderr, told(looked)
    expect_same(half, picture(top))  # looking changes nothing
    os.rename(top, away)  # now it can neither go on nor be turned back
    os.mkdir(top)
    expect_ok(work(place, other, "echo more >> b"))
    expect_ok(place.cell("--read", f"{other}/b", "--direct", "--", "true", cwd=other))
    for refused in (work(place, top, "true"), place.cell("--read", ".", "--", "true", cwd=fresh), ambit(place, "commit", event, cwd=top),
                    ambit(place, "undo", event, cwd=top), ambit(place, "discard", event, cwd=top)):
        assert refused.returncode == 125 and event in refused.stderr and f"ambit discard --force {event}" in refused.stderr, told(refused)
    ambit(place, "discard", "--all", cwd=top)
    assert event in [entry["event"] for entry in stages(place, top)], "the way out was thrown away"
    os.rmdir(top)
    os.rename(away, top)
    expect_same(half, picture(top))
    expect_ok(work(place, top, "test -e new1 && test -e new3000"))  # finished first
    expect_ok(ambit(place, "undo", event, cwd=top))
    assert os.listdir(top) == ["a"], os.listdir(top)
    expect_ok(ambit(place, "discard", event, cwd=top))

    event = broken_off(place, top)
    os.rename(top, away)
    expect_ok(ambit(place, "discard", "--force", event, cwd=fresh))
    assert event not in [entry["event"] for entry in stages(place, fresh)]
    os.rename(away, top)
    expect_ok(work(place, top, "echo on > on"))


@once
def one_that_was_broken_off_waits_for_an_event_in_place(place):
    """Finishing it moves files as a commit does, whether it is asked for or done before an event: it waits, is refused then, and nothing is lost."""
    top = f"{home(place)}/tree"
    write(f"{top}/a", "a\n")
    event = broken_off(place, top)
    half = picture(top)
    os.rename(journal(place, event), journal(place, event) + "-aside")  # else it would be finished before the next begins
    process = subprocess.Popen([place.ambit, "run", "--work", ".", "--direct", "--", "sh", "-c", "echo on; read go"], cwd=top,
                               env=place.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "on\n"
        os.rename(journal(place, event) + "-aside", journal(place, event))
        expect_ok(place.cell("--read", place.home, "--direct", "--", "true", cwd=place.home))  # of another tree
        recovery = subprocess.Popen([place.ambit, "stage", "recover"], cwd=top, env=place.environment(), stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + 20
        while not roles(place) and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.3)
        meanwhile = work(place, top, "echo no", timeout=60)  # who only waits to finish it keeps others out as well
        assert meanwhile.returncode == 125 and "no\n" not in meanwhile.stdout, told(meanwhile)
        at_once = ambit(place, "commit", event, "--wait", "0s", cwd=top)
        for status, said in ((at_once.returncode, at_once.stderr), (recovery.wait(60), recovery.stderr.read())):
            assert status != 0 and "was broken off" in said and f"another event works on {top}" in said, (status, said)
            assert "wait until it has ended" in said, said
        expect_same(half, picture(top))
    finally:
        process.communicate("go\n", timeout=60)
    expect_ok(ambit(place, "stage", "recover", cwd=top))  # the twin
    assert not os.path.exists(journal(place, event)) and len(os.listdir(top)) in (1, 3001)
    if len(os.listdir(top)) == 3001:
        expect_ok(ambit(place, "undo", event, cwd=top))
    assert os.listdir(top) == ["a"]


def stopped_while_it_waits(place):
    """A signal before anything was changed: nothing will be."""
    top = f"{home(place)}/tree"
    write(f"{top}/a", "a\n")
    expect_ok(work(place, top, "echo b > b"))
    undone = stages(place, top)[-1]["event"]
    expect_ok(work(place, top, "echo c > c", "--stage"))
    event = stages(place, top)[-1]["event"]
    before = picture(top)
    for words, number in ((["commit", event], signal.SIGINT), (["commit", event], signal.SIGTERM), (["undo", undone], signal.SIGINT),
                          (["commit", event, "--json"], signal.SIGINT), (["commit", event], signal.SIGKILL)):
        lock = os.open(os.path.join(place.home, ".local/state/ambit/stages"), os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)  # as another commit of this person would
        asking = subprocess.Popen([place.ambit, *words], cwd=top, env=place.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + 20
        while not roles(place) and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.3)
        asking.send_signal(number)
        out, err = asking.communicate(timeout=5)
        assert asking.returncode == -number, (asking.returncode, out, err)
        assert number == signal.SIGKILL or "stopped before anything was changed" in out + err, (out, err)
        none_works_on(place)
        os.close(lock)
        time.sleep(0.2)
        expect_same(before, picture(top))
    assert {entry["event"]: entry["state"] for entry in stages(place, top)} == {undone: "committed", event: "kept"}
    expect_ok(ambit(place, "commit", event, cwd=top))


def stopped_at_any_time(place):
    """All of it or nothing, and what is said is so."""
    top = f"{home(place)}/tree"
    write(f"{top}/a", "a\n")
    stopped = done = 0
    for attempt in range(12 if "AMBIT_SOAK" in os.environ else 6):
        expect_ok(work(place, top, "for i in $(seq 2000); do echo $i > new$i; done", "--stage"))
        event = stages(place, top)[-1]["event"]
        asking = subprocess.Popen([place.ambit, "commit", event], cwd=top, env=place.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True)
        if attempt % 3 == 2:
            while asking.poll() is None and not has_begun(place, event):
                time.sleep(0.0002)
        else:
            time.sleep(0.01 * attempt)
        begun = has_begun(place, event)
        asking.send_signal(signal.SIGINT)
        out, err = asking.communicate(timeout=60)
        there = len(os.listdir(top))
        if asking.returncode == 0 or "committed" in out:  # it may come when all is done and told
            assert there == 2001 and "committed: 2000 changes" in out, (there, out, err)
            assert not begun or "went on to its end" in err, err
            done += 1
            expect_ok(ambit(place, "undo", event, cwd=top))
        else:
            none_works_on(place)  # one whose asker was killed before it could say anything ends by itself
            assert asking.returncode == -signal.SIGINT and there == 1 and len(os.listdir(top)) == 1 and not begun, (asking.returncode, there, begun, err)
            stopped += 1
        expect_ok(ambit(place, "discard", event, cwd=top))
    assert stopped > 0 and done > 0, (stopped, done)


def read_only(place):
    """A tree whose file system is read-only by now: a sentence says where, also where its changes lie elsewhere (the top of its mount)."""
    if os.geteuid() != 0:
        raise Skip("only root can mount")
    mounted_on = f"{home(place)}/mounted"
    os.mkdir(mounted_on)
    mounted = place.run("mount", "-t", "tmpfs", "none", mounted_on, cwd="/")
    if mounted.returncode != 0:
        raise Skip(f"cannot mount: {mounted.stderr}")
    try:
        for top in (f"{mounted_on}/tree", mounted_on):
            os.makedirs(top, exist_ok=True)
            write(f"{top}/x", "1\n")
            write(f"{top}/y", "1\n")
            expect_ok(work(place, top, "echo 2 >> y; rm x; mkdir n", "--stage"))
            expect_ok(place.run("mount", "-o", "remount,ro", mounted_on, cwd="/"))
            before = picture(top)
            result = ambit(place, "commit", "last", "y", "x", cwd=top)
            assert result.returncode == 123, told(result)
            assert f"not committed: cannot write in {top}\n  why: Read-only file system\n" in result.stderr, told(result)
            expect_same(before, picture(top))
            expect_ok(place.run("mount", "-o", "remount,rw", mounted_on, cwd="/"))
            expect_ok(ambit(place, "commit", cwd=top))
            expect_ok(place.run("mount", "-o", "remount,ro", mounted_on, cwd="/"))
            result = ambit(place, "undo", "last", cwd=top)
            assert result.returncode == 125 and "its file system is read-only\n  hint: mount it for writing, then try again\n" in result.stderr, told(result)
            expect_ok(place.run("mount", "-o", "remount,rw", mounted_on, cwd="/"))
    finally:
        place.run("umount", mounted_on, cwd="/")


def full(place):
    """The file system that is full is named, be it that of a tree or what lies far from it."""
    if os.geteuid() != 0:
        raise Skip("only root can mount")
    top = f"{home(place)}/small"
    os.mkdir(top)
    mounted = place.run("mount", "-t", "tmpfs", "-o", "size=2m", "small", top, cwd="/")
    if mounted.returncode != 0:
        raise Skip(f"cannot mount: {mounted.stderr}")
    try:
        with open(f"{top}/big", "wb") as file:
            file.write(b"x" * (1 << 20))
        before = picture(top)
        result = work(place, top, "dd if=/dev/zero of=big2 bs=100k count=20 2>/dev/null; echo n > new")
        assert result.returncode == 123, told(result)
        assert f"no room for {top}/big2 on the file system of {top}" in result.stderr and "No space left" in result.stderr, told(result)
        assert "kept: 2 changes" in result.stderr, told(result)
        expect_same(before, picture(top))
        os.unlink(f"{top}/big")
        expect_ok(ambit(place, "commit", cwd=top))
        assert os.path.getsize(f"{top}/big2") == 2048000
    finally:
        place.run("umount", top, cwd="/")


def committed_while_it_ran(place):
    """What was committed of an event that still ran can be taken back, whatever becomes of the event."""
    cases = [("--discard", "echo B > b; exit 3", "kept"), ("--discard", "exit 3", "committed"), ("--quiet", "exit 0", "committed"),
             ("--quiet", "echo B > b; exit 3", "kept"), ("--quiet", "exit 3", "committed")]
    fresh = home(place)
    for number, (flag, end, state) in enumerate(cases):
        top = f"{fresh}/tree{number}"
        write(f"{top}/a", "old\n")
        running = subprocess.Popen([place.ambit, "run", "--work", ".", flag, "--", "sh", "-ec", f"echo new > a; echo ready; read go; {end}"], cwd=top,
                                   env=place.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert running.stdout.readline() == "ready\n"
        event = stages(place, top)[-1]["event"]
        expect_ok(ambit(place, "commit", event, cwd=top), "ambit undo")
        _, err = running.communicate("go\n", timeout=30)
        assert running.returncode == int(end[-1]), err
        assert open(f"{top}/a").read() == "new\n" and not os.path.exists(f"{top}/b")
        assert "your files are as they were" not in err, err
        assert state != "kept" or "what you committed" in err, err
        assert stages(place, top)[-1]["state"] == state, (number, stages(place, top)[-1])
        expect_ok(ambit(place, "undo", event, cwd=top))
        assert open(f"{top}/a").read() == "old\n"
        expect_ok(ambit(place, "discard", event, cwd=top))


def undone_past_what_changed(place):
    """What stands in the way of an undo is listed, all of it, and a way past it is named."""
    top = f"{home(place)}/tree"
    for name in "abc":
        write(f"{top}/{name}", f"{name}\n")
    expect_ok(work(place, top, "for i in a b c d; do echo new > $i; done; mkdir e; echo x > e/x"))
    event = stages(place, top)[-1]["event"]
    write(f"{top}/a", "mine\n")
    os.unlink(f"{top}/b")
    write(f"{top}/e/mine", "mine\n")
    changed = picture(top)
    result = ambit(place, "undo", event, cwd=top)
    assert result.returncode == 125, told(result)
    for line in (f"{top}/a: it has changed", f"{top}/b: it is gone", f"{top}/e: something in it has changed", "--on-conflict theirs"):
        assert line in result.stderr, told(result)
    result = ambit(place, "undo", event, "--json", cwd=top)
    assert result.returncode == 125, told(result)
    answer = json.loads(result.stdout)
    assert answer["workspace"] == "committed" and answer["held"] == 3 and [c["path"] for c in answer["changes"]] == [
        f"{top}/a", f"{top}/b", f"{top}/e"], answer
    expect_same(changed, picture(top))
    expect_ok(ambit(place, "undo", event, "--on-conflict", "theirs", cwd=top), f"left as it is: {top}/a: it has changed")
    assert open(f"{top}/a").read() == "mine\n" and not os.path.exists(f"{top}/b") and open(f"{top}/c").read() == "c\n"
    assert sorted(os.listdir(f"{top}/e")) == ["mine", "x"] and not os.path.exists(f"{top}/d")
    expect_ok(ambit(place, "commit", event, cwd=top))  # c and d
    assert open(f"{top}/c").read() == "new\n" and open(f"{top}/a").read() == "mine\n"
    write(f"{top}/c", "mine\n")
    expect_ok(ambit(place, "undo", event, "--on-conflict", "ours", cwd=top))
    assert open(f"{top}/c").read() == "c\n" and not os.path.exists(f"{top}/d")
    bad = ambit(place, "undo", event, "--on-conflict", "mine", cwd=top)
    assert bad.returncode == 125 and "takes fail, theirs or ours" in bad.stderr, told(bad)


def outdated_by_git_status(place):
    """git outside writes its index anew: what git committed in the stage conflicts there, and the text says what to do."""
    need("git")
    top = f"{home(place)}/tree"
    write(f"{top}/a", "a\n")
    git = ["git", "-c", "user.name=n", "-c", "user.email=e@example"]
    for words in (["init", "-q"], ["add", "a"], ["commit", "-qm", "first"]):
        expect_ok(place.run(*git, *words, cwd=top))
    expect_ok(work(place, top, "echo b >> a; git -c user.name=n -c user.email=e@example commit -qam second", "--stage"))
    os.utime(f"{top}/a", (1, 1))
    expect_ok(place.run("git", "status", cwd=top))
    result = ambit(place, "commit", cwd=top)
    assert result.returncode == 123 and ".git/index" in result.stderr, told(result)
    expect_ok(ambit(place, "commit", "--on-conflict", "ours", cwd=top))
    expect_ok(place.run("git", "fsck", "--no-progress", cwd=top))
    assert "second" in expect_ok(place.run("git", "log", "--oneline", cwd=top)).stdout
    assert expect_ok(place.run("git", "status", "--porcelain", cwd=top)).stdout == ""


def an_undo_outdated_by_git_status(place):
    """The same of what git committed and is to be undone: `ours` is the tree as it was, and `theirs` what the text says."""
    need("git")
    for way in ("ours", "theirs"):
        top = f"{home(place)}/tree"
        write(f"{top}/a", "a\n")
        git = ["git", "-c", "user.name=n", "-c", "user.email=e@example"]
        for words in (["init", "-q"], ["add", "a"], ["commit", "-qm", "first"]):
            expect_ok(place.run(*git, *words, cwd=top))
        expect_ok(work(place, top, "echo b >> a; git -c user.name=n -c user.email=e@example commit -qam second; touch -d @1 .git/index"))
        os.utime(f"{top}/.git/index", (1, 1))  # so that git looks at the file, finds it as it was, and writes that down
        expect_ok(place.run("git", "update-index", "--really-refresh", cwd=top))
        expect_ok(place.run("git", "status", cwd=top))
        result = ambit(place, "undo", "last", cwd=top)
        assert result.returncode == 125 and "1 name is not" in result.stderr and "/.git/index: it has changed" in result.stderr, told(result)
        assert "--on-conflict ours` is right if only `git status` wrote it" in result.stderr, told(result)
        expect_ok(ambit(place, "undo", "last", "--on-conflict", way, cwd=top))
        assert open(f"{top}/a").read() == "a\n"
        assert "second" not in expect_ok(place.run("git", "log", "--oneline", cwd=top)).stdout
        if way == "theirs":
            assert place.run("git", "reset", "-q", cwd=top).returncode != 0  # its index names objects that are gone again
            os.unlink(f"{top}/.git/index")
            expect_ok(place.run("git", "reset", "-q", cwd=top))
        assert expect_ok(place.run("git", "status", "--porcelain", cwd=top)).stdout == ""


SCENARIOS = [undone_past_what_changed, outdated_by_git_status, an_undo_outdated_by_git_status, committed_while_it_ran, directories_of_another, what_may_not_be_written, append_only_and_immutable, read_only, full, stopped_while_it_waits,
             stopped_at_any_time, one_that_was_broken_off_stops_no_other_tree, one_that_was_broken_off_waits_for_an_event_in_place]

if __name__ == "__main__":
    main(SCENARIOS)
