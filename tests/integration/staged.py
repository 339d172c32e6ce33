#!/usr/bin/env python3
"""Events as transactions: what is committed, what is kept, what a person can do with it, and that a tree is never half changed.

usage: staged.py AMBIT DENY    (TAP on standard output; as root once more as an ordinary user)
"""

import glob
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import time
import uuid

from harness import SLOW, Skip, expect_ok, lock_holders, main, need, sanitized, told, write
from trees import expect_same, picture

EVENT = re.compile(r"e_[0-9A-HJKMNP-TV-Z]{26}")


def tree(place):
    """A small tree of all kinds of things; the person's stages are new, too."""
    fresh = place.fresh()
    place.home = os.path.join(fresh, "home")
    os.mkdir(place.home)
    top = os.path.join(fresh, "tree")
    write(f"{top}/a.txt", "one\ntwo\nthree\n")
    write(f"{top}/b.txt", "bee\n")
    write(f"{top}/dir/c.txt", "all the sea\n")  # a length of its own: by time and length a renamed file is known
    write(f"{top}/dir/deep/d.txt", "dee\n")
    write(f"{top}/run.sh", "#!/bin/sh\necho ran\n")
    os.chmod(f"{top}/run.sh", 0o755)
    os.symlink("a.txt", f"{top}/link")
    os.symlink("/nowhere", f"{top}/dangling")
    os.link(f"{top}/b.txt", f"{top}/b2.txt")
    os.mkdir(f"{top}/empty")
    os.chmod(f"{top}/empty", 0o700)
    return top


def ambit(place, *words, cwd, **more):
    return place.run(place.ambit, *words, cwd=cwd, **more)


def work(place, top, script, *flags, **more):
    """The script, in a cell that works on the tree."""
    return place.cell("--work", ".", *flags, "--", "sh", "-ec", script, cwd=top, **more)


def stages(place, top):
    listed = expect_ok(ambit(place, "stage", "list", "--json", cwd=top))
    return json.loads(listed.stdout)["stages"]


def store(place):
    return os.path.join(place.home, ".local/state/ambit/stages")


def nothing_is_left(place, top):
    ambit(place, "discard", "--all", cwd=top)
    for entry in stages(place, top):
        assert entry["state"] == "committed", f"left: {entry}"


EVERYTHING = """
echo four >> a.txt; rm b.txt; mkdir new; echo x > new/x; mv dir/c.txt dir/moved.txt; chmod 600 run.sh
ln -sf b2.txt link; rm -r empty; mkdir -p deep/er/still; echo d > deep/er/still/d; ln new/x new/y
rm -r dir/deep; mkdir dir/deep; echo other > dir/deep/other; touch -d '2001-02-03 04:05:06' b2.txt
"""


def without_times(path):
    return [re.sub(r", 1[67]\d{17}, ", ", now, ", line) for line in picture(path, times=False)]


def a_success_is_committed(place):
    top = tree(place)
    bare = top + "-bare"
    subprocess.run(["cp", "-a", top, bare], check=True)
    expect_ok(work(place, top, EVERYTHING))
    subprocess.run(["sh", "-ec", EVERYTHING], cwd=bare, check=True)
    # hard links are taken apart where one name is written, as the table of differences says: here none is
    expect_same(without_times(bare), without_times(top), "the committed tree")
    assert stages(place, top)[-1]["state"] == "committed"


def a_failure_changes_nothing(place):
    top = tree(place)
    before = picture(top)
    result = work(place, top, EVERYTHING + "exit 3")
    assert result.returncode == 3, told(result)
    assert "kept:" in result.stderr and "ambit diff" in result.stderr, told(result)
    expect_same(before, picture(top))
    assert stages(place, top)[-1]["state"] == "kept"
    expect_ok(ambit(place, "discard", cwd=top))
    expect_same(before, picture(top))


def a_killed_one_changes_nothing(place):
    top = tree(place)
    before = picture(top)
    for ending, said in (("kill -9 $$", "9 (SIGKILL)"), ("kill -SEGV $$", "11 (SIGSEGV)"), ("sh -c 'kill -TERM $$'", "15 (SIGTERM)"),
                         ("kill -34 $$", "34")):
        result = work(place, top, EVERYTHING + ending)
        assert result.returncode >= 128, told(result)
        assert f"why: signal {said} ended it; your files are as they were" in result.stderr, told(result)
        expect_same(before, picture(top))
    process = subprocess.Popen([place.ambit, "run", "--work", ".", "--", "sh", "-ec", EVERYTHING + "touch ready; sleep 60"], cwd=top,
                               env=place.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for _ in range(200):
        if glob.glob(f"{store(place)}/e_*/0/upper/ready"):
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT and "why: signal 2 (SIGINT) ended it" in said, (process.returncode, said)
    result = work(place, top, EVERYTHING + "sleep 60", "--limit", "wall=1s")
    assert result.returncode == 124, told(result)
    expect_same(before, picture(top))
    for script, counted in (("dd if=/dev/zero of=big bs=3M count=1", False), ("python3 -c 'open(\"big\", \"w\").write(\"x\" * 3000000)'", True)):
        if counted and subprocess.run(["stat", "-fc%T", top], capture_output=True, text=True).stdout == "tmpfs\n":
            continue  # what is written there is not counted, and python ignores the signal
        result = work(place, top, script, "--limit", "disk=1M")
        assert result.returncode == 125 and "ended by its limit: disk=1M" in result.stderr, told(result)
        expect_same(before, picture(top))
    nothing_is_left(place, top)


def an_interrupt_is_never_lost(place):
    """At whatever moment of the start it comes; and it ends Ambit itself, so that a shell's loop around it ends too."""
    top = tree(place)
    before = picture(top)
    for turn in range(40):
        process = subprocess.Popen([place.ambit, "run", "--work", ".", "--discard", "--", "sh", "-c", "echo x > f; sleep 0.5; echo y > g"], cwd=top,
                                   env=place.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(turn * 0.0004)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == -signal.SIGINT, (turn, process.returncode, said)
        expect_same(before, picture(top))
    result = work(place, top, "exit 130", "--discard")  # the twin: a status is a status
    assert result.returncode == 130, told(result)


def supervisor_of(directory):
    """The process that holds the lock of a stage of this store."""
    for path in glob.glob(f"{directory}/e_*/lock"):
        for pid in lock_holders(path):
            return pid
    raise AssertionError("no supervisor holds a stage")


def a_lost_one_changes_nothing(place):
    """Its supervisor is killed, or the command line: the stage is listed, and the tree as it was."""
    for victim in ("ambit-supervisor", "ambit"):
        top = tree(place)
        before = picture(top)
        process = subprocess.Popen([place.ambit, "run", "--work", ".", "--", "sh", "-ec", EVERYTHING + "touch ready; sleep 60"],
                                   cwd=top, env=place.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for _ in range(200):
            if glob.glob(f"{store(place)}/e_*/0/upper/ready"):
                break
            time.sleep(0.05)
        else:
            raise AssertionError("it never began")
        if victim == "ambit":
            process.kill()
        else:
            os.kill(supervisor_of(store(place)), signal.SIGKILL)
        process.communicate(timeout=30 * SLOW)
        for _ in range(100):
            if not any(s["state"] == "running" for s in stages(place, top)):
                break
            time.sleep(0.05)
        expect_same(before, picture(top))
        assert stages(place, top)[-1]["state"] in ("lost", "kept"), stages(place, top)
        nothing_is_left(place, top)


def no_change_leaves_nothing(place):
    top = tree(place)
    before = picture(top)
    known = len(stages(place, top))
    expect_ok(work(place, top, "cat a.txt; ls -R; echo x > t; rm t"))
    assert [line for line in before if not line.startswith("(b'',")] == [
        line for line in picture(top) if not line.startswith("(b'',")]
    assert len(stages(place, top)) == known, stages(place, top)


def kept_for_review(place):
    top = tree(place)
    before = picture(top)
    expect_ok(work(place, top, EVERYTHING, "--stage"))
    expect_same(before, picture(top))
    shown = expect_ok(ambit(place, "diff", cwd=top)).stdout
    for text in ("+four", "rename from dir/c.txt", "new file mode", "deleted file mode", "old mode 100755"):
        assert text in shown, f"no {text!r} in:\n{shown}"
    listed = json.loads(expect_ok(ambit(place, "diff", "--json", cwd=top)).stdout)
    assert {c["kind"] for c in listed["changes"]} >= {"added", "modified", "deleted", "renamed", "mode"}, listed
    expect_ok(ambit(place, "diff", "--stat", cwd=top), "changed")
    expect_ok(ambit(place, "diff", "--name-only", cwd=top), "a.txt\n")
    expect_ok(ambit(place, "commit", cwd=top), "committed:")
    assert open(f"{top}/a.txt").read() == "one\ntwo\nthree\nfour\n"


WRITES = """
import os
for name in (b'tab\\there', b'quo"te', b'back\\\\slash', b'latin\\351', b'\\377', b'ctl\\033[2J', b'new\\nline', b'a b', b'caf\\303\\251', b'dir \\t/in'):
    os.makedirs(os.path.dirname(name) or b'.', exist_ok=True)
    open(name, 'w').write('new\\n')
    open(name + b'.bin', 'wb').write(b'\\0' + name)
open('a.txt', 'a').write('four, without its newline')
open('b.txt', 'wb').write(b'bee\\x1b[m\\r\\n')
open('old.bin', 'wb').write(bytes(range(256)) * 700)
open('same.bin', 'ab').write(b'more')
open('void', 'w').close(); open('void.bin', 'wb').write(b'')
os.unlink('gone.bin'); os.unlink('dir/c.txt'); os.unlink('none')
os.rename('od\\td.bin', 'odd"er.bin'); os.rename('dir/deep/d.txt', 'moved')
os.chmod('run.sh', 0o644); os.chmod('exec.bin', 0o755)
os.unlink('link'); os.symlink('b.txt', 'link'); os.symlink('to\\there', 'made'); os.unlink('dangling')
"""


def a_patch_is_applied(place):
    """git makes of the old tree what the commit makes of it, from a patch of names and contents of any kind."""
    need("git")
    top = tree(place)
    for name, content in (("old.bin", b"\0old"), ("same.bin", b"\0" * 100), ("gone.bin", b"\0x"), ("od\td.bin", b"\0moved"),
                          ("exec.bin", b"\0run"), ("none", b"")):
        with open(f"{top}/{name}", "wb") as file:
            file.write(content)
    os.unlink(f"{top}/b2.txt")
    copy = top + "-copy"
    subprocess.run(["cp", "-a", top, copy], check=True)
    expect_ok(place.cell("--work", ".", "--stage", "--", "python3", "-c", WRITES, cwd=top))
    def patch(*words):
        return subprocess.run([place.ambit, "diff", *words], cwd=top, env=place.environment(), check=True, capture_output=True).stdout
    def apply(what):
        return subprocess.run(["git", "apply", "-"], cwd=copy, env={**place.environment(), "GIT_CEILING_DIRECTORIES": os.path.dirname(copy)},
                              input=what, capture_output=True)
    before = picture(copy)
    refused = apply(patch())
    assert refused.returncode != 0 and before == picture(copy), refused  # without the contents nothing is applied by halves
    applied = apply(patch("--binary"))
    assert applied.returncode == 0, applied
    expect_ok(ambit(place, "commit", cwd=top))
    for root in (top, copy):  # git knows no empty directories
        for name in ("empty", "dir/deep", "dir"):
            if os.path.isdir(f"{root}/{name}") and not os.listdir(f"{root}/{name}"):
                os.rmdir(f"{root}/{name}")
    expect_same(without_times(top), without_times(copy), "the tree that was patched")


def thrown_away(place):
    top = tree(place)
    before = picture(top)
    result = work(place, top, EVERYTHING + "exit 1", "--discard")
    assert result.returncode == 1 and "kept" not in result.stderr, told(result)
    expect_same(before, picture(top))
    assert not [s for s in stages(place, top) if s["state"] != "committed"], stages(place, top)


def a_part_is_committed(place):
    top = tree(place)
    expect_ok(work(place, top, "echo A > a.txt; echo B > b.txt; mkdir n; echo 1 > n/one; echo 2 > n/two; rm dir/c.txt", "--stage"))
    expect_ok(ambit(place, "commit", "a.txt", "n/o*", cwd=top))
    assert open(f"{top}/a.txt").read() == "A\n" and open(f"{top}/b.txt").read() == "bee\n"
    assert os.listdir(f"{top}/n") == ["one"] and os.path.exists(f"{top}/dir/c.txt")
    names = expect_ok(ambit(place, "diff", "--name-only", cwd=top)).stdout.split()
    assert sorted(names) == ["b.txt", "dir/c.txt", "n/two"], names
    expect_ok(ambit(place, "commit", cwd=f"{top}/dir"))
    assert open(f"{top}/b.txt").read() == "B\n" and not os.path.exists(f"{top}/dir/c.txt")


def a_commit_is_undone(place):
    top = tree(place)
    before = picture(top)
    expect_ok(work(place, top, EVERYTHING))
    event = stages(place, top)[-1]["event"]
    committed = picture(top)
    for words in (("commit", event), ("commit", "--on-conflict", "ours", event), ("diff", event), ("diff", "--json", event)):
        result = ambit(place, *words, cwd=top)
        assert result.returncode == 125 and "they are committed" in result.stderr, told(result)
        expect_same(committed, picture(top))
    expect_ok(ambit(place, "undo", event, cwd=top), "undone")
    expect_same(before, picture(top))
    assert "nothing that could be undone" in ambit(place, "undo", "last", cwd=top).stderr
    expect_ok(ambit(place, "commit", cwd=top), "committed")
    write(f"{top}/a.txt", "mine now\n")
    result = ambit(place, "undo", "last", cwd=top)
    assert result.returncode != 0 and "a.txt" in result.stderr, told(result)
    assert open(f"{top}/a.txt").read() == "mine now\n"


STORIES = (  # what comes one after the other; each on what the one before left
    ("echo 1 > a.txt", "echo 2 > a.txt", "echo 3 > a.txt"),
    ("echo 1 > n; mkdir -p k/sub; echo 1 > k/sub/f; ln n n2; ln -s n l; mkfifo p", "echo 22 > n; rm k/sub/f l; echo y > k/sub/g; chmod 700 k/sub",
     "rm n2; ln -s k l; mv k/sub/g k/h; rmdir k/sub; touch -d '2001-02-03 04:05:06' n"),
    ("mv dir/c.txt moved; chmod 600 run.sh; chmod 711 empty", "mv moved dir/deep/c; echo x >> run.sh; rmdir empty", "rm -r dir; echo d > dir; mkdir empty"),
    (EVERYTHING, "rm -r dir new deep; echo 5 >> a.txt; chmod 755 run.sh", "mkdir dir; echo d > dir/c.txt; ln -sf run.sh link"),
)


def one_after_the_other(place):
    """Undone from the last to the first, brought back, and undone once more: what Ambit itself moves has not changed."""
    for story in STORIES:
        top = tree(place)
        pictures, events = [picture(top)], []
        for script in story:
            expect_ok(work(place, top, script))
            pictures.append(picture(top))
            events.append(stages(place, top)[-1]["event"])
        for back in (False, True):
            for i in (2, 1, 0):
                # `last` was committed last, also when all were brought back in their order
                expect_ok(ambit(place, "undo", events[i] if back else "last", cwd=top), "undone: " + events[i])
                expect_same(pictures[i], picture(top), f"{story[i]!r} undone")
            for i in () if back else (0, 1, 2):
                expect_ok(ambit(place, "commit", events[i], cwd=top), "committed")
        assert os.stat(f"{store(place)}/.moved").st_size > 0
        nothing_is_left(place, top)
        ambit(place, "stage", "list", cwd=top)
        assert not os.path.exists(f"{store(place)}/.moved"), "what was recorded outlives all stages"


def between_two_undos(place):
    """Whatever somebody else does is found, though times and length are set back, and stays."""
    def written(path):
        with open(path, "r+b") as file:
            file.write(b"X")
    for name, does in (("a.txt", written), ("a.txt", lambda path: os.chmod(path, 0o600)), ("k/sub/f", written),
                       ("k/sub/f", lambda path: os.replace(shutil.copy2(path, path + "~"), path)), ("k/sub", lambda path: os.mkdir(path + "/theirs"))):
        top = tree(place)
        expect_ok(work(place, top, "echo 1 > a.txt; mkdir -p k/sub; echo 1 > k/sub/f"))
        expect_ok(work(place, top, "echo 2 > a.txt; echo 2 > k/sub/f"))
        expect_ok(ambit(place, "undo", "last", cwd=top))
        was = os.stat(f"{top}/{name}")
        does(f"{top}/{name}")
        os.utime(f"{top}/{name}", ns=(was.st_atime_ns, was.st_mtime_ns))
        before = picture(top)
        result = ambit(place, "undo", "last", cwd=top)
        assert result.returncode == 125 and "changed" in result.stderr, told(result)
        assert "--on-conflict theirs`" in result.stderr and "ours undoes all" in result.stderr, told(result)
        expect_same(before, picture(top))
        nothing_is_left(place, top)


def a_kept_one_around(place):
    """What it saw is there again when another event was committed and undone; but not if it began in between, or somebody wrote since."""
    for name, waits, other, also in (("a.txt", "echo kept > a.txt", "echo other > a.txt", ""), ("dir", "rm -r dir", "echo x > dir/deep/new; rm dir/c.txt", ""),
                                     ("dir", "chmod 700 dir", "echo x > dir/new", ""), ("a.txt", "echo kept > a.txt", "echo other > a.txt", "between"),
                                     ("a.txt", "echo kept > a.txt", "echo other > a.txt", "written")):
        top = tree(place)
        if also != "between":
            expect_ok(work(place, top, waits, "--stage"))
            kept = stages(place, top)[-1]["event"]
        expect_ok(work(place, top, other))
        event = stages(place, top)[-1]["event"]
        if also == "between":
            expect_ok(work(place, top, waits, "--stage"))
            kept = stages(place, top)[-1]["event"]
        expect_ok(ambit(place, "undo", event, cwd=top))
        was = os.stat(f"{top}/a.txt")
        if also == "written":
            write(f"{top}/a.txt", "ONE\nTWO\nTHREE\n")
            os.utime(f"{top}/a.txt", ns=(was.st_atime_ns, was.st_mtime_ns))
        result = ambit(place, "commit", kept, cwd=top)
        assert result.returncode == (123 if also else 0), told(result)
        assert not also or "it changed in the real tree" in result.stderr, told(result)
        nothing_is_left(place, top)


def a_conflict_stays_one(place):
    """What was overruled once is in the way of the next commit again, when that was taken back."""
    for script, name in (("echo kept > a.txt", "a.txt"), ("rm a.txt", "a.txt"), ("rm -r dir", "dir/mine")):
        top = tree(place)
        expect_ok(work(place, top, script, "--stage"))
        event = stages(place, top)[-1]["event"]
        write(f"{top}/{name}", "mine\n")
        before = picture(top)
        assert ambit(place, "commit", event, cwd=top).returncode == 123
        expect_ok(ambit(place, "commit", event, "--on-conflict", "ours", cwd=top), "committed")
        expect_ok(ambit(place, "undo", event, cwd=top), "undone")
        expect_same(before, picture(top), f"{script} undone")
        result = ambit(place, "commit", event, cwd=top)
        assert result.returncode == 123 and "changed in the real tree" in result.stderr, told(result)
        expect_same(before, picture(top))
        nothing_is_left(place, top)


def written_in_the_stage(place):
    """By who had it open before a commit took it away: the undo brings that back, and the next commit finds it, though its time is set back."""
    top = tree(place)
    expect_ok(work(place, top, "echo new > a.txt", "--stage"))
    event = stages(place, top)[-1]["event"]
    with open(f"{top}/a.txt", "r+b") as file:
        was = os.fstat(file.fileno())
        expect_ok(ambit(place, "commit", event, cwd=top), "committed")
        file.write(b"X")
        file.flush()
        os.utime(file.fileno(), ns=(was.st_atime_ns, was.st_mtime_ns))
    expect_ok(ambit(place, "undo", event, cwd=top), "undone")
    assert open(f"{top}/a.txt").read().startswith("X")
    before = picture(top)
    result = ambit(place, "commit", event, cwd=top)
    assert result.returncode == 123 and "changed in the real tree" in result.stderr, told(result)
    expect_same(before, picture(top))
    nothing_is_left(place, top)


def by_another_name(place):
    """A file that a commit left with two names is written by one of them, and its time is set back: the undo finds it."""
    top = tree(place)
    expect_ok(work(place, top, "echo 1 > n; ln n n2; echo 2 > a.txt"))
    was = os.stat(f"{top}/n2")
    write(f"{top}/n2", "3\n")
    os.utime(f"{top}/n2", ns=(was.st_atime_ns, was.st_mtime_ns))
    before = picture(top)
    result = ambit(place, "undo", "last", cwd=top)
    assert result.returncode == 125 and "it has changed" in result.stderr, told(result)
    expect_same(before, picture(top))
    expect_ok(ambit(place, "undo", "last", "--on-conflict", "ours", cwd=top))
    assert not os.path.exists(f"{top}/n") and not os.path.exists(f"{top}/n2")
    nothing_is_left(place, top)


def a_closed_directory_is_undone(place):
    """What the event made, and shut to its own owner's writing, is opened for as long as it takes."""
    top = tree(place)
    before = picture(top)
    expect_ok(work(place, top, "mkdir -p r/s; echo 1 > r/f; echo 1 > r/s/f; chmod 555 r/s r"))
    event = stages(place, top)[-1]["event"]
    for _ in range(2):
        assert os.stat(f"{top}/r").st_mode & 0o777 == 0o555
        expect_ok(ambit(place, "undo", event, cwd=top))
        expect_same(before, picture(top))
        expect_ok(ambit(place, "commit", event, cwd=top))
    if os.geteuid() == 0:
        return  # nothing is shut to it
    expect_ok(ambit(place, "undo", event, cwd=top))
    expect_ok(work(place, top, "mkdir r; echo 1 > r/f"))
    os.chmod(f"{top}/r", 0o555)  # by somebody else, who did not tell
    before = picture(top)
    result = ambit(place, "undo", "last", cwd=top)
    assert result.returncode == 125 and f"hint: if it is yours, `chmod u+w {top}/r`\n" in result.stderr, told(result)
    expect_same(before, picture(top))
    os.chmod(f"{top}/r", 0o755)
    expect_ok(ambit(place, "undo", "last", cwd=top))
    assert not os.path.exists(f"{top}/r")


def hints_of_undo(place):
    """None is the command that was just given."""
    top = tree(place)
    expect_ok(work(place, top, "echo 1 > a.txt; echo 1 > dir/deep/d.txt"))
    event = stages(place, top)[-1]["event"]
    write(f"{top}/a.txt", "mine\n")
    shutil.rmtree(f"{top}/dir")
    before = picture(top)
    for given, hinted in (("fail", "theirs"), ("theirs", "ours"), ("ours", "theirs")):
        result = ambit(place, "undo", event, "--on-conflict", given, cwd=top)
        assert result.returncode == 125, told(result)
        assert f"hint: `ambit undo {event} --on-conflict {hinted}`" in result.stderr, told(result)
        assert f"--on-conflict {given}`" not in result.stderr, told(result)
        expect_same(before, picture(top))


def at_work(place, top, script, *flags):
    """An event that has made `new`, and goes on when a line comes."""
    process = subprocess.Popen([place.ambit, "run", "--work", ".", *flags, "--", "sh", "-ec", script], cwd=top, env=place.environment(),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(200):
        if glob.glob(f"{store(place)}/e_*/0/upper/new"):
            break
        time.sleep(0.05)
    return process


def a_conflict_is_not_overwritten(place):
    for way, text in ((None, "outside\n"), ("theirs", "outside\n"), ("ours", "inside\n")):
        top = tree(place)
        flags = ["--on-conflict", way] if way else []
        process = at_work(place, top, "echo inside > a.txt; echo new > new; read go", *flags)
        write(f"{top}/a.txt", "outside\n")
        out, err = process.communicate("go\n", timeout=30 * SLOW)
        assert process.returncode == (0 if way else 123), f"{way}: {process.returncode} {err}"
        assert open(f"{top}/a.txt").read() == text, f"{way}: {open(f'{top}/a.txt').read()}"
        assert os.path.exists(f"{top}/new") == bool(way)
        if not way:
            assert "a.txt" in err and "--on-conflict" in err, err
    nothing_is_left(place, top)


def edits_from_outside(place):
    """What was written in place before the event changed the file is in it; a file that took another's name is a conflict."""
    for replaced in (False, True):
        top = tree(place)
        time.sleep(0.02)  # a tick of the file system's clock
        process = at_work(place, top, "cat a.txt > /dev/null; echo x > new; read go; echo inside >> a.txt")
        if replaced:
            write(f"{os.path.dirname(top)}/other", "outside\n")
            os.replace(f"{os.path.dirname(top)}/other", f"{top}/a.txt")
        else:
            write(f"{top}/a.txt", "outside\n")
        time.sleep(0.02)
        out, err = process.communicate("go\n", timeout=30 * SLOW)
        assert process.returncode == (123 if replaced else 0), f"{replaced}: {process.returncode} {err}"
        assert open(f"{top}/a.txt").read() == ("outside\n" if replaced else "outside\ninside\n")


def a_directory_that_took_a_name(place):
    """What the event changed in the one is not put into the other; a name more in the same one is none of its business."""
    for way in ("another", "another, of a tree seen before", "the same"):
        if way != "another, of a tree seen before":
            top = tree(place)
        write(f"{top}/other/c.txt", "older than the event\n")
        time.sleep(0.02)  # a tick of the file system's clock
        process = at_work(place, top, "cat dir/c.txt > /dev/null; echo x > new; read go; echo inside >> dir/c.txt; echo y > dir/n")
        assert len(glob.glob(f"{store(place)}/e_*/before.0")) == 1
        if way == "the same":
            write(f"{top}/dir/m", "outside\n")
        else:
            os.rename(f"{top}/dir", f"{top}/away")
            os.rename(f"{top}/other", f"{top}/dir")
        before = picture(top)
        out, err = process.communicate("go\n", timeout=30 * SLOW)
        if way == "the same":
            assert process.returncode == 0 and open(f"{top}/dir/c.txt").read() == "all the sea\ninside\n", f"{process.returncode} {err}"
            continue
        assert process.returncode == 123 and "dir/n" in err and "not the one that was there" in err and "not the directory that was there" in err, f"{process.returncode} {err}"
        expect_same(before, picture(top))
        expect_ok(ambit(place, "commit", "new", cwd=top))
        refused = ambit(place, "commit", cwd=top)
        assert refused.returncode == 123 and "dir/c.txt" in refused.stderr, told(refused)
        expect_ok(ambit(place, "discard", "last", cwd=top))
        os.rename(f"{top}/dir", f"{top}/other")
        os.rename(f"{top}/away", f"{top}/dir")
        os.unlink(f"{top}/new")
    nothing_is_left(place, top)


def a_hook_is_not_planted(place):
    need("git")
    top = tree(place)
    subprocess.run(["git", "init", "-q", "."], cwd=top, check=True, env=place.environment())
    before = picture(top)
    hook = "printf '#!/bin/sh\\necho pwned\\n' > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit; echo ok > fine.txt"
    result = work(place, top, hook)
    assert result.returncode == 123 and ".git/hooks/pre-commit" in result.stderr and "--write" in result.stderr, told(result)
    expect_same(before, picture(top))
    expect_ok(ambit(place, "commit", "fine.txt", cwd=top))
    assert os.path.exists(f"{top}/fine.txt") and not os.path.exists(f"{top}/.git/hooks/pre-commit")
    expect_ok(ambit(place, "commit", "--write", ".git/hooks/pre-commit", cwd=top))
    assert os.path.exists(f"{top}/.git/hooks/pre-commit")
    expect_ok(work(place, top, "echo again >> .git/hooks/pre-commit", "--write", "./.git/hooks/pre-commit"))


def git_works(place):
    need("git")
    top = tree(place)
    expect_ok(work(place, top, """
        git init -q .; git config user.email a@example.com; git config user.name A
        git add -A; git commit -qm one; git checkout -qb other; echo more >> a.txt; git commit -qam two
        git checkout -q -; git merge -q other; git tag t; git gc -q; git status --short; git clone -q . ../tree/clone
        """))
    expect_ok(place.run("git", "fsck", "--strict", cwd=top))
    assert place.run("git", "status", "--short", cwd=top).stdout.strip() == "?? clone/", place.run("git", "status", "--short", cwd=top)
    assert "two" in place.run("git", "log", "--oneline", cwd=top).stdout


def a_file_granted_alone(place):
    top = tree(place)
    result = place.cell("--write", "./a.txt", "--", "sh", "-c", "echo more >> a.txt; echo x > other; ls", cwd=top)
    expect_ok(result)
    assert open(f"{top}/a.txt").read().endswith("more\n") and not os.path.exists(f"{top}/other")
    for flags in ((), ("--direct",)):
        result = place.cell("--write", "./a.txt", *flags, "--", "sh", "-c", "sed -i s/one/two/ a.txt; echo x > g; mv g a.txt; rm a.txt", cwd=top)
        assert result.stderr.count("Device or resource busy") == 3, told(result)
    assert open(f"{top}/a.txt").read().startswith("one\n")
    result = place.cell("--write", "./a.txt", "--", "sh", "-c", "echo again >> a.txt; false", cwd=top)
    assert result.returncode == 1
    assert not open(f"{top}/a.txt").read().endswith("again\n")


def several_trees(place):
    """Each tree has a stage of its own; a failure undoes none and a success all."""
    top = tree(place)
    other, third = os.path.join(place.home, "other"), os.path.join(place.home, "third")
    write(f"{other}/o.txt", "other\n")
    write(f"{third}/deep/t.txt", "third\n")
    script = f"""
        test ! -e o.txt; test ! -e {other}/a.txt; test ! -e {third}/deep/a.txt; test -e {third}/deep/t.txt
        echo 1 > one; echo 2 > {other}/two; echo 3 > {third}/deep/three; rm {other}/o.txt
    """
    flags = ["--write", other, "--write", f"{third}/deep", "--read", third]
    before = [picture(path) for path in (top, other, third)]
    assert work(place, top, script + "false", *flags).returncode == 1
    for path, was in zip((top, other, third), before):
        expect_same(was, picture(path))
    expect_ok(work(place, top, script, *flags))
    assert sorted(os.listdir(other)) == ["two"] and sorted(os.listdir(f"{third}/deep")) == ["t.txt", "three"]
    assert "one" in os.listdir(top) and "two" not in os.listdir(top)
    expect_ok(ambit(place, "undo", "last", cwd=top))
    for path, was in zip((top, other, third), before):
        expect_same(was, picture(path))


def home_is_a_tree(place):
    """The store lies in what is staged: the cell does not see it, and its changes lie elsewhere."""
    tree(place)
    result = place.cell("--work", ".", "--", "sh", "-c", "echo x > f; ls .local/state/ambit/stages; ls -A", cwd=place.home)
    assert result.returncode == 0 and "e_" not in result.stdout, told(result)
    assert open(f"{place.home}/f").read() == "x\n"
    expect_ok(ambit(place, "undo", "last", cwd=place.home))
    assert not os.path.exists(f"{place.home}/f")
    events = [stage["event"] for stage in stages(place, place.home)]
    expect_ok(ambit(place, "discard", cwd=place.home))
    parts = (f"{top}.ambit-{os.geteuid()}/{event}" for top in ("/", "/var/tmp/", "/tmp/") for event in events)
    left = [path for path in parts if os.path.exists(path)]
    assert events and not left, (events, left)


def secrets_are_hidden(place):
    """Names that are likely secrets are not there for a cell, are named to the person who sought them, and survive."""
    top = tree(place)
    write(f"{top}/.env", "SECRET\n")
    write(f"{top}/.env.example", "example\n")
    write(f"{top}/dir/deep/id_ed25519", "SECRET\n")
    before = picture(top)
    for verb in ("--read", "--work"):
        result = place.cell(verb, ".", "--", "sh", "-c", "ls -A . dir/deep; cat .env.example; cat .env dir/deep/id_ed25519; true",
                            cwd=top)
        expect_ok(result, "example")
        assert "SECRET" not in result.stdout and "ed25519" not in result.stdout and "\n.env\n" not in result.stdout, told(result)
        assert f"--read {top}/.env allows it" in result.stderr, told(result)
    expect_ok(place.cell("--read", ".", "--read", "./.env", "--", "cat", ".env", cwd=top), "SECRET")
    for script in ("echo mine > .env", "rm -r dir", "rm -rf dir/deep; mkdir dir/deep", "rm -rf dir; echo > dir"):
        assert work(place, top, script).returncode == 123, script
        assert [line for line in before if "b''" not in line] == [line for line in picture(top) if "b''" not in line]
    expect_ok(work(place, top, "echo y > dir/deep/y; chmod 700 dir/deep; mv dir/c.txt dir/e.txt"))
    assert open(f"{top}/dir/deep/id_ed25519").read() == "SECRET\n" and os.path.exists(f"{top}/dir/deep/y")
    expect_ok(work(place, top, "echo more >> .env; cat .env", "--write", "./.env"), "SECRET")
    assert open(f"{top}/.env").read() == "SECRET\nmore\n"
    hidden_names_have_reasons(place, top)


def hidden_names_have_reasons(place, top):
    """What is said leads on: the name itself, whatever was asked for, and a way to commit over it."""
    result = work(place, top, "rm -f .env; mv dir/deep/id_ed25519 x || true")
    for name in (".env", "dir/deep/id_ed25519"):
        assert re.search(rf"delete {top}/{name}\n  why: it is likely a secret.*\n  hint: --write {top}/{name} allows it", result.stderr), told(result)
    expect_ok(work(place, top, "rm .env", "--write", "./.env"))
    assert not os.path.exists(f"{top}/.env")
    write(f"{top}/.env", "SECRET\n")
    result = work(place, top, "cat .env || echo mine > .env; cat .env")  # not there yet when it was sought first
    assert result.returncode == 123 and result.stdout == "mine\n" and f"--read {top}/.env allows it" in result.stderr, told(result)
    way = re.search(r"`ambit (commit e_\w+ --write \S+)`", result.stderr).group(1)
    assert "executes later" not in expect_ok(ambit(place, "diff", cwd=top)).stdout
    assert ambit(place, "commit", "last", "--write", ".", cwd=top).returncode in (123, 125)  # not its name
    expect_ok(ambit(place, *way.split(), cwd=top), "committed: 1")
    assert open(f"{top}/.env").read() == "mine\n"
    expect_ok(ambit(place, "undo", "last", cwd=top))
    assert open(f"{top}/.env").read() == "SECRET\n"
    result = work(place, top, "echo x > .env; cat .env", "--strict")
    assert result.returncode == 123 and "denied" not in result.stderr, told(result)  # what it made itself it may read
    result = work(place, top, "rm -r dir")
    assert result.returncode == 123 and "could not see is in it" in result.stderr, told(result)
    way = re.search(r"`ambit (commit e_\w+ --write \S+)`", result.stderr).group(1)
    expect_ok(ambit(place, *way.split(), cwd=top), "committed: 1")
    assert not os.path.exists(f"{top}/dir")
    record = os.path.join(os.path.dirname(top), "record.json")
    home = place.cell("--work", place.home, "--record", record, "--", "sh", "-c", "ls .local/state/ambit/stages; rm .local/state/ambit/stages/x; true", cwd=place.home)
    assert "changes of events wait there" in home.stderr and "stages allows it" not in home.stderr, told(home)
    denied = {(e["kind"], e["why"], e["would"]) for e in json.load(open(record))["effects"] if e["verdict"] == "denied"}
    assert denied == {("read", "store", None), ("delete", "store", None)}, denied
    expect_ok(ambit(place, "explain", record, cwd=top), "changes of events wait there")


def var_tmp(place):
    """It is the cell's own /tmp; with a grant in it only a way to that, where a denial is one and is told."""
    top = tree(place)
    expect_ok(work(place, top, "echo x > /var/tmp/y; cat /tmp/y"), "x")
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="ambit-test-") as there:
        os.mkdir(f"{there}/out")
        record = f"{place.home}/record.json"
        result = place.cell("--strict", "--work", "./out", "--record", record, "--", "sh", "-c",
                            "echo x > out/r; echo y > report.txt; echo z > /var/tmp/z; true", cwd=there)
        assert result.returncode == 125 and not os.path.exists(f"{there}/out/r"), told(result)
        assert f"denied: write {there}/report.txt\n" in result.stderr and f"--write {there} allows it" in result.stderr, told(result)
        denied = [e["path"] for e in json.load(open(record))["effects"] if e["verdict"] == "denied"]
        assert denied == [f"{there}/report.txt", "/var/tmp/z"], denied
        nothing_is_left(place, top)


def gone_with_the_cell(place):
    """What is written beside what is granted, in home or /tmp, and what is not told: a program's own files, and what it took away."""
    top = tree(place)
    granted = f"{place.home}/pr/out"
    os.makedirs(granted)
    record = f"{place.home}/record.json"
    place.make_ledger()

    def said(script, where, *flags):
        result = place.cell("--work", granted, "--record", record, *flags, "--", "sh", "-ec", script, cwd=where)
        assert result.returncode == 0, told(result)
        return re.sub(r"\n  .*", "", result.stderr)
    pr = os.path.dirname(granted)
    assert said("echo y > report.txt; echo x > out/x", pr) == f"ambit: gone with the cell: {pr}/report.txt\n"
    gone = [e["path"] for e in json.load(open(record))["effects"] if e.get("gone")]
    assert gone == [f"{pr}/report.txt"], gone
    assert not os.path.exists(f"{pr}/report.txt") and os.path.exists(f"{granted}/x")
    assert said("echo x > ../up; mkdir ../d", granted) == f"ambit: gone with the cell: {pr}/up and 1 more\n"
    assert said("echo x > ~/up; echo > ~/.dot", pr) == f"ambit: gone with the cell: {place.home}/up\n"
    assert said("echo x > t; rm t; mkdir -p ~/.cache; echo > ~/.cache/f; echo > /tmp/f; echo z > out/z", pr) == ""
    assert said("echo y > report.txt", pr, "--quiet") == ""
    assert said("echo y > report.txt", pr, "--write", pr) == ""


def the_umask_is_the_callers(place):
    top = tree(place)
    for mask, flags in ((0o077, ()), (0o002, ()), (0o027, ("--direct",)), (0o022, ())):
        name = f"n{mask:o}"
        result = place.cell("--work", ".", *flags, "--", "sh", "-ec", f"echo x > {name}; mkdir {name}.d; umask", cwd=top, umask=mask)
        assert expect_ok(result).stdout == f"{mask:04o}\n", told(result)
        modes = [os.stat(f"{top}/{n}").st_mode & 0o7777 for n in (name, f"{name}.d")]
        assert modes == [0o666 & ~mask, 0o777 & ~mask], [oct(m) for m in modes]


def a_workspace_is_a_directory(place):
    top = tree(place)
    for name in ("a.txt", "nowhere"):
        result = place.cell("--workspace", f"{top}/{name}", "--", "true", cwd=top)
        assert result.returncode == 125 and f"the workspace {top}/{name}" in result.stderr and "hint: name a directory" in result.stderr, told(result)
    expect_ok(place.cell("--workspace", f"{top}/dir", "--read", ".", "--", "cat", "c.txt", cwd=top), "sea")


def strict_says_why(place):
    top = tree(place)
    record = f"{place.home}/record.json"
    def strict(script, *flags):
        result = place.cell("--work", ".", "--strict", "--record", record, *flags, "--", "sh", "-c", script, cwd=top, timeout=120)
        return result, json.load(open(record))["outcome"]
    denied = "cat /etc/shadow 2>/dev/null; echo x > n; true"
    result, outcome = strict(denied)
    assert result.returncode == 125 and "something was denied, and it is strict; your files are as they were" in result.stderr, told(result)
    assert outcome["exit"] == 0 and outcome["error"]["code"] == "DENIED" and outcome["workspace"] == "kept", outcome
    expect_ok(ambit(place, "explain", record, cwd=top), "something was denied, and it is strict")
    result, outcome = strict(denied, "--direct")
    assert result.returncode == 125 and "ambit: failed: something was denied" in result.stderr and "stays" in result.stderr, told(result)
    assert outcome["error"]["code"] == "DENIED" and outcome["workspace"] == "direct" and os.path.exists(f"{top}/n"), outcome
    result, outcome = strict("for i in $(seq 5000); do echo > many.$i; done")
    assert result.returncode == 125 and "denied, and it is strict" not in result.stderr, told(result)
    assert "more effects than a record takes, and it is strict" in result.stderr and "--observe effects" not in result.stderr, told(result)
    assert outcome["error"]["code"] == "DENIED" and "split" in outcome["error"]["hint"], outcome
    result, outcome = strict("echo x > m")
    assert result.returncode == 0 and result.stderr == "" and outcome["error"] is None, told(result)


def reading_needs_no_store(place):
    """Neither a home that cannot be made nor a mount in the tree keeps an event from reading; secrets are hidden all the same."""
    top = tree(place)
    write(f"{top}/.env", "SECRET\n")
    for home in ("/proc/nowhere", None):
        environment = {**place.environment(), "HOME": home, "AMBIT_LEDGER": "none"}
        if home is None:
            del environment["HOME"]
        result = subprocess.run([place.ambit, "run", "--read", ".", "--", "sh", "-c", "cat b.txt .env; true"], cwd=top, env=environment,
                                capture_output=True, text=True, timeout=60)
        assert result.returncode == 0 and result.stdout == "bee\n" and "likely a secret" in result.stderr, told(result)
    nobody = f"{place.home}/nobody"  # a home that is not there is not made
    expect_ok(subprocess.run([place.ambit, "run", "--no-ledger", "--work", ".", "--", "true"], cwd=top,
                             env={**place.environment(), "HOME": nobody}, capture_output=True, text=True, timeout=60))
    assert not os.path.exists(nobody)
    result = subprocess.run([place.ambit, "run", "--no-ledger", "--work", ".", "--", "true"], cwd=top,
                            env={**place.environment(), "XDG_STATE_HOME": "/proc/nowhere"}, capture_output=True, text=True, timeout=60)
    assert result.returncode == 125 and "cannot keep changes in /proc/nowhere" in result.stderr, told(result)


def a_mount_in_the_tree(place):
    """For an ordinary user: it is read without what is mounted, and not staged."""
    if os.geteuid() != 0:
        raise Skip("only root can mount something there")
    top = tree(place)
    write(f"{top}/.env", "SECRET\n")
    os.makedirs(f"{top}/at/mount")
    subprocess.run(["chown", "-R", "64124:64124", top, place.home], check=True)
    subprocess.run(["chmod", "755", os.path.dirname(top)], check=True)
    if subprocess.run(["mount", "-t", "tmpfs", "none", f"{top}/at/mount"], capture_output=True).returncode != 0:
        raise Skip("nothing can be mounted here")
    try:
        write(f"{top}/at/mount/.env", "SECRET\n")
        write(f"{top}/at/mount/file", "mounted\n")
        os.chmod(f"{top}/at/mount", 0o777)
        def user(*words):
            return subprocess.run(["setpriv", "--reuid=64124", "--regid=64124", "--clear-groups", place.ambit, "run", *words], cwd=top,
                                  env=place.environment(), capture_output=True, text=True, timeout=60)
        result = user("--read", ".", "--", "sh", "-c", "cat a.txt .env at/mount/.env at/mount/file; echo -; ls at/mount; ls -A; true")
        assert result.returncode == 0 and result.stdout.startswith("one\ntwo\nthree\n-\n"), told(result)
        assert "SECRET" not in result.stdout and "mounted" not in result.stdout, told(result)
        result = user("--work", ".", "--", "sh", "-c", "echo x > n")
        assert result.returncode == 125 and "why: something is mounted in it: at/mount" in result.stderr, told(result)
        result = user("--work", "./dir", "--", "sh", "-c", "echo x > dir/n")
        assert result.returncode == 0 and os.path.exists(f"{top}/dir/n"), told(result)
    finally:
        subprocess.run(["umount", f"{top}/at/mount"], check=True)


def a_tree_of_somebody_else(place):
    """Root's cell is the owner of the tree's highest directory there, and nobody else."""
    if os.geteuid() != 0:
        raise Skip("only root can have the tree of another")
    top = tree(place)
    subprocess.run(["chown", "-R", "64124:64125", top], check=True)
    write(f"{top}/roots", "root\n")
    for way in ([], ["--direct"]):
        result = place.cell(*way, "--work", ".", "--", "sh", "-c", "echo x >> a.txt; echo n > new; ! echo y >> roots", cwd=top)
        assert result.returncode == 0 and "Permission denied" in result.stderr, told(result)
        for name in ("a.txt", "new"):
            found = os.stat(f"{top}/{name}")
            assert (found.st_uid, found.st_gid) == (64124, 64125), (way, name, found)
        with open(f"{top}/roots", encoding="utf-8") as file:
            assert file.read() == "root\n" and os.stat(f"{top}/roots").st_uid == 0
        os.unlink(f"{top}/new")


def the_highest_directory_of_a_mount(place):
    """There is nothing beside it: its changes are in the store. Those of a directory in it are beside that."""
    if os.geteuid() != 0:
        raise Skip("only root can mount something there")
    top = os.path.join(os.path.dirname(tree(place)), "mount")  # with a home of its own
    os.mkdir(top)
    if subprocess.run(["mount", "-t", "tmpfs", "none", top], capture_output=True).returncode != 0:
        raise Skip("nothing can be mounted here")
    try:
        os.mkdir(f"{top}/sub")
        for where, beside in ((top, False), (f"{top}/sub", True)):
            result = place.cell("--work", ".", "--stage", "--", "sh", "-c", "echo x > file", cwd=where)
            if result.returncode != 0 and "overlay" in result.stderr:
                raise Skip("no overlay over a tmpfs here")
            expect_ok(result)
            assert bool(glob.glob(f"{top}/.ambit-*/e_*")) == beside, os.listdir(top)
            expect_ok(ambit(place, "commit", cwd=where))
            assert os.path.exists(f"{where}/file")
    finally:
        subprocess.run(["umount", top], check=True)


def hints_can_be_followed(place):
    top = tree(place)
    script = "printf '#!/bin/sh\\necho it ran\\n' > dir/t; chmod +x dir/t; ./dir/t"
    result = place.cell("--write", "./dir", "--", "sh", "-ec", script, cwd=top)
    assert result.returncode == 126 and f"--work {top}/dir allows it" in result.stderr, told(result)
    expect_ok(place.cell("--write", "./dir", "--work", f"{top}/dir", "--", "sh", "-ec", script, cwd=top), "it ran")
    os.makedirs(f"{top}/.git/hooks")
    hook = "echo id > .git/hooks/pre-commit"
    result = work(place, top, hook, "--write", "./.git/hooks/pre-commit")
    assert result.returncode == 125 and "the directory in which it will be" in result.stderr, told(result)
    assert "only leaves the grant out" in result.stderr, told(result)
    assert work(place, top, hook, "--write", "./.git/hooks/pre-commit?").returncode == 123
    expect_ok(work(place, top, hook, "--write", "./.git/hooks"))
    assert os.path.exists(f"{top}/.git/hooks/pre-commit")


def in_place(place):
    top = tree(place)
    result = work(place, top, "echo direct >> a.txt; false", "--direct")
    assert result.returncode == 1 and open(f"{top}/a.txt").read().endswith("direct\n"), told(result)
    assert place.cell("--direct", "--stage", "--work", ".", "--", "true", cwd=top).returncode == 125


def secrets_are_hidden_in_place(place):
    """With --direct: nothing of them is read, changed, moved or removed, and the file system has nothing more than before."""
    top = tree(place)
    secrets = [".env", "dir/deep/id_ed25519", ".npmrc", "dir/.ssh/id_rsa", "dir/.ssh/rc", "dir/.git-credentials", "plain/deep/id_rsa"]
    for path in secrets:
        write(f"{top}/{path}", "SECRET\n")
    write(f"{top}/.env.example", "example\n")
    before = picture(top)
    result = work(place, top, "set +e; cat .env.example; cat %s; for f in %s dir/.ssh; do echo x 2>&1 >> $f; mv $f y; rm -rf $f; ln $f z; done; rmdir y; true"
                  % ((" ".join(secrets),) * 2), "--direct")
    expect_ok(result, "example")
    assert "SECRET" not in result.stdout, told(result)
    assert f"--read {top}/.env allows it" in result.stderr, told(result)
    for path in secrets:
        assert open(f"{top}/{path}").read() == "SECRET\n", path
    expect_same([line for line in before if "b''" not in line], [line for line in picture(top) if "b''" not in line])
    expect_ok(work(place, top, "cat .env", "--direct", "--read", "./.env"), "SECRET")
    result = work(place, top, "mv plain moved; cat moved/deep/id_rsa; mv dir gone; cat gone/.ssh/rc; true", "--direct")
    assert "SECRET" not in result.stdout and os.path.exists(f"{top}/moved/deep/id_rsa"), told(result)
    assert os.path.exists(f"{top}/dir/.ssh/rc"), told(result)  # what ssh obeys is held where it is
    for n in range(201):
        write(f"{top}/many/{n}.env", "SECRET\n")
    result = work(place, top, "true", "--direct")
    assert result.returncode == 125 and "names to hide" in result.stderr and "--direct" in result.stderr, told(result)


def the_record_lists_changes(place):
    top = tree(place)
    record = os.path.join(os.path.dirname(top), "record.json")
    expect_ok(work(place, top, "echo four >> a.txt; rm b.txt", "--record", record))
    data = json.load(open(record))
    assert data["outcome"]["workspace"] == "committed", data["outcome"]
    proved = {e["path"]: e for e in data["effects"] if e["source"] == "proved"}
    a = proved[f"{top}/a.txt"]
    assert (a["kind"], a["size_before"], a["size"]) == ("modified", 14, 19), a
    assert a["sha256"] == subprocess.run(["sha256sum", f"{top}/a.txt"], capture_output=True, text=True).stdout.split()[0]
    assert proved[f"{top}/b.txt"]["kind"] == "deleted"
    expect_ok(ambit(place, "explain", record, cwd=top))


def while_it_runs(place):
    """A long event is committed from outside, goes on, and is committed once more at its end."""
    top = tree(place)
    process = subprocess.Popen([place.ambit, "run", "--work", ".", "--", "sh", "-ec",
                                "echo first > n1; echo A > a.txt; touch ready; read go; "
                                "echo second > n2; echo B >> a.txt; rm n1"],
                               cwd=top, env=place.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(200):
        if glob.glob(f"{store(place)}/e_*/0/upper/ready"):
            break
        time.sleep(0.05)
    expect_ok(ambit(place, "commit", cwd=top), "committed")
    assert open(f"{top}/n1").read() == "first\n" and open(f"{top}/a.txt").read() == "A\n"
    out, err = process.communicate("go\n", timeout=30 * SLOW)
    assert process.returncode == 0, err
    assert open(f"{top}/a.txt").read() == "A\nB\n" and os.path.exists(f"{top}/n2") and not os.path.exists(f"{top}/n1")


def two_at_once(place):
    """Events on one tree commit one after the other; what both changed is a conflict."""
    top = tree(place)
    def run(script):
        return subprocess.Popen([place.ambit, "run", "--work", ".", "--", "sh", "-ec", script], cwd=top, env=place.environment(),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    one, two = run("sleep 0.5; echo 1 > one; echo one > a.txt"), run("sleep 0.5; echo 2 > two")
    for process in (one, two):
        out, err = process.communicate(timeout=60 * SLOW)
        assert process.returncode == 0, err
    assert open(f"{top}/one").read() == "1\n" and open(f"{top}/two").read() == "2\n"
    many = [run(f"sleep 0.2; echo {i} > f{i}; echo {i} > same") for i in range(6)]
    codes = []
    for process in many:
        out, err = process.communicate(timeout=60 * SLOW)
        codes.append(process.returncode)
    assert codes.count(0) >= 1 and set(codes) <= {0, 123}, codes
    same = open(f"{top}/same").read().strip()
    assert codes[int(same)] == 0, (codes, same)
    nothing_is_left(place, top)


COMPLETIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/cli/completions")
IN_BASH = """source /dev/stdin; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ambit; printf '%s\\n' "${COMPREPLY[@]}" """
IN_FISH = 'source; complete -C (string join " " -- $argv)'


def a_wait_speaks(place):
    """Of an event that still works on the tree: its id, by who waits for it, and by who has waited in vain."""
    top = tree(place)
    def begin(seconds):
        process = subprocess.Popen([place.ambit, "run", "--work", ".", "--", "sh", "-c", f"echo 1 > one; sleep {seconds}"], cwd=top,
                                   env=place.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for _ in range(200):
            running = [s["event"] for s in stages(place, top) if s["state"] == "running"]
            if running and glob.glob(f"{store(place)}/{running[0]}/0/upper/one"):
                return process, running[0]
            time.sleep(0.05)
        raise AssertionError("it never began")
    process, event = begin(3)
    waited = work(place, top, "echo 2 > two", "--wait", "1m")
    assert waited.returncode == 0 and waited.stderr == f"ambit: waiting for {event}, which works on the same tree\n", told(waited)
    assert process.wait() == 0 and os.path.exists(f"{top}/two")
    process, event = begin(60)
    for wait in ("0s", "10ms", "1s"):
        waited = work(place, top, "echo 3 > three", "--wait", wait)
        assert waited.returncode == 123 and not os.path.exists(f"{top}/three"), told(waited)
        assert f"why: {event} works on that tree, and did not end in time" in waited.stderr, told(waited)
        assert waited.stderr.startswith("ambit: waiting for") == (wait == "1s"), told(waited)
    mine = [s["event"] for s in stages(place, top) if s["state"] == "kept"][-1]
    waited = ambit(place, "commit", mine, "--wait", "1s", cwd=top)
    assert waited.returncode == 123 and f"waiting for {event}" in waited.stderr and f"why: {event} works" in waited.stderr, told(waited)
    process.terminate()
    process.wait()
    expect_ok(ambit(place, "commit", mine, cwd=top))
    for words in (("--wait", "x"), ("--wait", "1s", "--direct"), ("--on-conflict", "--work", ".")):
        refused = work(place, top, "true", *words)
        assert refused.returncode == 125 and words[0] in refused.stderr, told(refused)
    assert "--on-conflict takes fail, theirs or ours, and not '--work'" in refused.stderr, told(refused)


def words_are_completed(place):
    """Ids, files of code, values: in bash, and in fish if it is there."""
    if not os.path.isdir(COMPLETIONS):
        raise Skip("the completions lie in the tree of the sources, which this user cannot read")
    top = tree(place)
    expect_ok(work(place, top, "echo x > kept", "--stage"))
    expect_ok(work(place, top, "echo x > committed"))
    expect_ok(work(place, top, "echo x > one; echo x > two", "--stage"))
    expect_ok(ambit(place, "commit", "one", cwd=top))
    known = stages(place, top)
    partly = known.pop()["event"]
    ids = {stage["state"]: stage["event"] for stage in known}
    os.symlink(place.ambit, f"{top}/ambit")

    def offered(shell, *words):
        with open(f"{COMPLETIONS}/ambit.{shell}", encoding="utf-8") as file:
            text = file.read()
        how = ["bash", "-c", IN_BASH, "bash"] if shell == "bash" else ["fish", "-N", "-c", IN_FISH]
        env = dict(place.environment(), PATH=f"{top}:/usr/bin:/bin")
        said = subprocess.run([*how, *words], cwd=top, input=text, env=env, capture_output=True, text=True, timeout=30 * SLOW)
        return said.stdout.split()

    shells = ["bash"] + (["fish"] if shutil.which("fish", path="/usr/bin:/bin") else [])
    for shell in shells:
        for command, state, other in (("undo", "committed", "kept"), ("discard", "kept", "committed"),
                                      ("diff", "kept", "committed"), ("commit", "kept", "committed")):
            found = offered(shell, "ambit", command, "e_")
            assert ids[state] in found and ids[other] not in found, f"{shell}: ambit {command} e_: {found}, {ids}"
            assert partly in found, f"{shell}: {command}"  # it can be undone, and the rest committed
        assert "a.txt" in offered(shell, "ambit", "diff", "a"), shell
        assert "last" in offered(shell, "ambit", "undo", ""), shell
        for language in ("--python", "--node", "--shell"):
            assert "a.txt" in offered(shell, "ambit", "run", language, "a"), f"{shell}: {language}"
            assert "--kernel" in offered(shell, "ambit", "run", language, "--k"), f"{shell}: {language}"
        assert "a.txt" not in offered(shell, "ambit", "run", "--kernel", "a"), shell
        for command in ("run", "session"):
            assert {"python=", "node=", "shell="} <= {word.split("\t")[0] for word in offered(shell, "ambit", command, "--warm", "")}, f"{shell}: {command}"


# ---- when the machine goes down ----

RUNNING, KEPT, COMMITTED = 1, 2, 3  # `state`
NOT_YET, ALL, FAILED, GOING = 0, 1, 2, 3  # `disk` of a stage's description: the byte behind the boot's name


class Meta:
    """The description of the latest stage, to be read and forged."""

    def __init__(self, place):
        self.path = sorted(glob.glob(f"{store(place)}/e_*/meta"))[-1]
        self.bytes = open(self.path, "rb").read()
        self.boot = open("/proc/sys/kernel/random/boot_id", "rb").read().strip()
        self.at = re.search(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", self.bytes).start()
        self.disk = self.bytes[self.at + len(self.boot)]

    def forge(self, disk, other_boot, state=None, older_s=0):
        """As if the stage were so, and of another boot; as if it had been in that state; as if it had begun earlier."""
        boot = str(uuid.uuid4()).encode() if other_boot else self.boot
        head = bytearray(self.bytes[:self.at])
        started = self.at - 4 - 8 - 4 - 3 * 8  # before it: when it ended, until when it is kept, commits, bytes, a length
        if state is not None:
            struct.pack_into("<I", head, started - 8, state)
        ns = struct.unpack_from("<Q", head, started)[0]
        struct.pack_into("<Q", head, started, ns - older_s * 10**9)
        with open(self.path, "wb") as file:
            file.write(bytes(head) + boot + bytes([disk]) + self.bytes[self.at + len(boot) + 1:])


def expect_incomplete(place, top, why, *words):
    before = picture(top)
    result = ambit(place, "commit", *words, cwd=top)
    assert result.returncode == 125 and "its changes may be incomplete" in result.stderr and why in result.stderr, told(result)
    assert "  hint: run it again" in result.stderr, told(result)
    expect_same(before, picture(top))


DOWN = "the machine went down before they were on disk"
UNWRITTEN = "not all of them could be written to disk"


def it_is_volatile(place):
    """The kernel was asked for it by the right name, and leaves nothing behind that would be in the way."""
    top = tree(place)
    expect_ok(work(place, top, "cat /proc/self/mountinfo > mounts; sync -f mounts; sync mounts"))
    mounts = [line for line in open(f"{top}/mounts") if " - overlay " in line and "upperdir=" in line]
    assert mounts and all(re.search(r"[,=]volatile\b", line) for line in mounts), open(f"{top}/mounts").read()
    before = glob.glob(f"{store(place)}/e_*")
    expect_ok(work(place, top, "true"))
    assert glob.glob(f"{store(place)}/e_*") == before, "a stage without changes was not removed"


def the_machine_went_down(place):
    """What was kept is on disk, and is committed on a later boot; what was not synced when the machine went down is not."""
    for disk, other_boot, lost in ((ALL, True, False), (NOT_YET, False, False), (NOT_YET, True, True), (FAILED, False, True)):
        top = tree(place)
        expect_ok(work(place, top, "echo four >> a.txt; echo new > new", "--stage"))
        meta = Meta(place)
        assert meta.disk == ALL, f"kept, but not as synced: {meta.disk}"
        meta.forge(disk, other_boot)
        assert stages(place, top)[-1]["state"] == ("incomplete" if lost else "kept"), stages(place, top)
        if not lost:
            expect_ok(ambit(place, "commit", cwd=top), "committed: 2 changes")
            assert open(f"{top}/a.txt").read().endswith("four\n")
            expect_ok(ambit(place, "undo", "last", cwd=top))
            expect_ok(ambit(place, "commit", cwd=top), "committed: 2 changes")
            continue
        why = DOWN if disk == NOT_YET else UNWRITTEN
        expect_incomplete(place, top, why)
        expect_incomplete(place, top, why, "--on-conflict", "ours")
        expect_incomplete(place, top, why, "last", "new")
        assert "incomplete" in expect_ok(ambit(place, "stage", "list", cwd=top)).stdout
        expect_ok(ambit(place, "diff", cwd=top), "+four")
        expect_incomplete(place, top, why)  # looking at it makes it no better
        expect_ok(ambit(place, "discard", cwd=top))
        nothing_is_left(place, top)


def its_word_was_not_on_disk(place):
    """A commit or undo is done, and when the machine comes up again the description is the one from before."""
    for state in (RUNNING, KEPT):
        top = tree(place)
        was = picture(top)
        expect_ok(work(place, top, "echo four >> a.txt"))
        now = picture(top)
        event = stages(place, top)[-1]["event"]
        for again in ("stage list", "undo " + event):
            Meta(place).forge(NOT_YET, True, state)
            expect_ok(ambit(place, *again.split(), cwd=top))
            expect_same(now if again == "stage list" else was, picture(top))
        assert Meta(place).disk == ALL and stages(place, top)[-1]["state"] == "kept"
        Meta(place).forge(NOT_YET, True, COMMITTED)
        assert stages(place, top)[-1]["state"] == "kept"
        expect_ok(ambit(place, "commit", event, cwd=top), "committed: 1 change")
        expect_same(now, picture(top))


def begun(place, top):
    """An event that waits when all that it writes is written; its stage is there."""
    process = subprocess.Popen([place.ambit, "run", "--work", ".", "--", "sh", "-ec", "echo four >> a.txt; touch ready; sleep 60"],
                               cwd=top, env=place.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        if glob.glob(f"{store(place)}/e_*/0/upper/ready"):
            return process
        time.sleep(0.05)
    raise AssertionError("it never began")


def nobody_settled_it(place):
    """The command line is killed: the supervisor syncs. The supervisor is: whoever looks at the changes does."""
    for victim, then in (("command line", None), ("supervisor", "diff"), ("supervisor", "stage list"), ("supervisor", "commit a.txt")):
        top = tree(place)
        process = begun(place, top)
        assert Meta(place).disk == NOT_YET
        if victim == "supervisor":
            os.kill(supervisor_of(store(place)), signal.SIGKILL)
            process.wait(timeout=30)
        else:
            process.kill()
            process.wait(timeout=30)
        for _ in range(200):
            if stages(place, top)[-1]["state"] in ("kept", "lost"):
                break
            time.sleep(0.05)
        if victim == "supervisor":
            meta = Meta(place)
            assert meta.disk == NOT_YET
            meta.forge(NOT_YET, True)
            expect_incomplete(place, top, DOWN)
            assert Meta(place).disk == NOT_YET
            meta.forge(NOT_YET, False, older_s=61)  # by then nobody comes any more
            expect_ok(ambit(place, *then.split(), cwd=top))
        meta = Meta(place)
        assert meta.disk == ALL, f"{victim}, {then}: {meta.disk}"
        meta.forge(ALL, True)
        expect_ok(ambit(place, "commit", cwd=top), "committed")
        assert open(f"{top}/a.txt").read().endswith("four\n")


def a_rest_is_no_change(place):
    """A removal that was cut short: what is left is neither committed nor taken back, and goes with the next attempt."""
    for flags, verb in ((["--stage"], "commit"), ([], "undo")):
        top = tree(place)
        work(place, top, "echo four >> a.txt; echo new > new", *flags)
        event = stages(place, top)[-1]["event"]
        before = picture(top)
        result = place.run(place.given(1), "unlinkat=EACCES", "--", place.ambit, "discard", event, cwd=top)
        assert result.returncode == 125, told(result)
        assert Meta(place).disk == GOING and stages(place, top)[-1]["state"] == "incomplete", stages(place, top)
        for path in glob.glob(f"{store(place)}/{event}/committed.*"):
            os.unlink(path)  # as it may be half removed
        expect_ok(ambit(place, "stage", "recover", cwd=top), "recovered: 0")
        assert stages(place, top)[-1]["state"] == "incomplete", stages(place, top)
        result = ambit(place, verb, event, cwd=top)
        assert result.returncode == 125 and "cannot " + verb in result.stderr and "their removal began" in result.stderr, told(result)
        expect_same(before, picture(top))
        expect_ok(ambit(place, "discard", event, cwd=top))
        assert event not in [stage["event"] for stage in stages(place, top)]
        expect_same(before, picture(top))


def what_cannot_be_synced(place):
    """A failing sync is told at once, and remembered: the kernel says it only once, and what reads well now may be gone tomorrow."""
    deny = place.given(1)

    def run(fails, script, *flags):
        top = tree(place)
        words = [deny, "syncfs=EIO", "--"] if fails else []
        return top, picture(top), place.run(*words, place.ambit, "run", "--work", ".", *flags, "--", "sh", "-ec", script, cwd=top)
    for flags, script, status in (((), "echo four >> a.txt", 123), (("--stage",), "echo four >> a.txt", 123), ((), "echo four >> a.txt; exit 3", 3)):
        top, before, result = run(True, script, *flags)
        assert result.returncode == status and "not committed" in result.stderr and "Input/output error" in result.stderr, told(result)
        expect_same(before, picture(top))
        assert Meta(place).disk == FAILED and stages(place, top)[-1]["state"] == "incomplete"
        expect_incomplete(place, top, UNWRITTEN)
        nothing_is_left(place, top)
        assert run(False, script, *flags)[2].returncode == (status if status == 3 else 0)
        assert Meta(place).disk == ALL


SCENARIOS = [a_success_is_committed, a_failure_changes_nothing, a_killed_one_changes_nothing, an_interrupt_is_never_lost, a_lost_one_changes_nothing,
             no_change_leaves_nothing, kept_for_review, a_patch_is_applied, thrown_away, a_part_is_committed, a_commit_is_undone,
             one_after_the_other, between_two_undos, a_kept_one_around, a_conflict_stays_one, written_in_the_stage, by_another_name, a_closed_directory_is_undone, hints_of_undo,
             a_conflict_is_not_overwritten, edits_from_outside, a_directory_that_took_a_name, a_hook_is_not_planted, git_works, a_file_granted_alone, several_trees,
             home_is_a_tree, secrets_are_hidden, var_tmp, the_umask_is_the_callers, a_workspace_is_a_directory, strict_says_why,
             reading_needs_no_store, a_mount_in_the_tree, a_tree_of_somebody_else, the_highest_directory_of_a_mount, hints_can_be_followed, gone_with_the_cell, in_place, secrets_are_hidden_in_place,
             the_record_lists_changes, while_it_runs, two_at_once, a_wait_speaks, words_are_completed, it_is_volatile, the_machine_went_down,
             its_word_was_not_on_disk, nobody_settled_it, what_cannot_be_synced, a_rest_is_no_change]

if __name__ == "__main__":
    main(SCENARIOS)
