#!/usr/bin/env python3
"""What a person says about staged changes, and is told: which event `last` is, what is refused as a slip, and that no sentence is untrue.

usage: staged_words.py AMBIT    (TAP on standard output; as root once more as an ordinary user)
"""

import contextlib
import glob
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time

from harness import Skip, Terminal, expect_ok, main, need, told, write
from staged import ambit, stages, store, tree, work
from trees import expect_same, picture


def refused(result, *texts, status=125):
    """With a reason, and nothing on standard output."""
    assert result.returncode == status and result.stdout == "", told(result)
    for text in texts:
        assert text in result.stderr, f"no {text!r}: {told(result)}"
    return result


def another(top, name):
    path = os.path.join(os.path.dirname(top), name)
    write(f"{path}/a.txt", "one\n")
    return path


def latest(place, top):
    return stages(place, top)[-1]["event"]


@contextlib.contextmanager
def running(place, top, script, *flags):
    """An event that has done the script, and waits for the end of the block. Gives its id."""
    known = set(glob.glob(f"{store(place)}/e_*"))
    process = subprocess.Popen([place.ambit, "run", "--work", ".", *flags, "--", "sh", "-ec", f"{script}; touch ready; read go"], cwd=top,
                               env=place.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(400):
            own = set(glob.glob(f"{store(place)}/e_*")) - known
            if own and glob.glob(f"{next(iter(own))}/0/upper/ready"):
                break
            time.sleep(0.05)
        else:
            raise AssertionError("it never began")
        yield os.path.basename(next(iter(own)))
    finally:
        process.communicate("go\n", timeout=30)
    assert process.returncode == 0


# ---- which event ----


def last_is_of_where_you_are(place):
    """What is latest in another tree is never taken, in whatever way it is asked for."""
    one = tree(place)
    two, gone = another(one, "two"), another(one, "gone")
    expect_ok(work(place, one, "echo x > kept", "--stage"))
    first = latest(place, one)
    expect_ok(work(place, two, "echo x > committed"))
    committed = latest(place, one)
    expect_ok(work(place, two, "echo x > kept", "--stage"))
    second = latest(place, one)
    expect_ok(work(place, gone, "echo x > kept", "--stage"))
    third = latest(place, one)
    shutil.rmtree(gone)
    outside = os.path.join(os.path.dirname(one), "outside")
    os.mkdir(outside)
    for where in (one, f"{one}/dir/deep"):
        assert json.loads(expect_ok(ambit(place, "diff", "--json", cwd=where)).stdout)["event"] == first, where
    for words in (("diff",), ("commit",), ("discard",), ("diff", "last"), ("commit", "last"), ("discard", "last")):
        refused(ambit(place, *words, cwd=outside), f"no changes are kept of {outside}", third, second, "and 1 more", f"in {two})")
    refused(ambit(place, "undo", "last", cwd=one), f"nothing that could be undone is kept of {one}", committed)
    assert len(stages(place, one)) == 4, stages(place, one)
    refused(ambit(place, "commit", cwd=os.path.dirname(one)), third)  # all of them lie here; the latest is gone, and is named
    expect_ok(ambit(place, "undo", "last", cwd=two), f"undone: {committed} (sh -ec echo x > committed, in {two})")
    expect_ok(ambit(place, "commit", cwd=two), f"committed: 1 change of {second} (sh -ec echo x > kept, in {two})")
    expect_ok(ambit(place, "discard", cwd=f"{one}/empty"), f"discarded: {first} (sh -ec echo x > kept, in {one})")
    assert sorted(os.listdir(two)) == ["a.txt", "kept"] and not os.path.exists(f"{one}/kept")
    expect_ok(ambit(place, "commit", committed, cwd=outside), "committed")  # an id is good everywhere
    expect_ok(ambit(place, "discard", third, cwd=outside), f"discarded: {third}")


def last_of_a_place_that_is_gone(place):
    top = tree(place)
    expect_ok(work(place, top, "echo x > kept", "--stage"))
    done = place.run("sh", "-c", 'mkdir here && cd here && rmdir ../here && exec "$0" commit', place.ambit, cwd=top)
    refused(done, "the current directory, which is gone")
    assert not os.path.exists(f"{top}/kept")


def one_that_runs_is_named(place):
    """A running event is last only where it is the only one, and nothing is kept."""
    one = tree(place)
    two = another(one, "two")
    with running(place, two, "echo half > half") as event:
        for words in (("commit",), ("diff",), ("discard",)):
            refused(ambit(place, *words, cwd=one), "no changes are kept of", event)
        refused(ambit(place, "discard", cwd=two), f"{event} is in use")
        assert not os.path.exists(f"{two}/half")
        expect_ok(ambit(place, "commit", cwd=two), f"committed: 2 changes of {event}")
        assert os.path.exists(f"{two}/half")
        with running(place, two, "echo more > more", "--stage") as other:
            refused(ambit(place, "commit", cwd=two), "2 events still run", event, other)
            expect_ok(work(place, one, "echo x > kept", "--stage"))
            kept = latest(place, one)
            expect_ok(ambit(place, "commit", cwd=os.path.dirname(one)), f"of {kept}")
            assert not os.path.exists(f"{two}/more") and os.path.exists(f"{one}/kept")


# ---- slips ----


def a_mistyped_path_is_refused(place):
    """All or nothing: one that names no change holds the others, and nothing is remembered of it."""
    top = tree(place)
    expect_ok(work(place, top, "echo A > a.txt; echo D > dir/deep/d.txt; mkdir new; echo N > new/report.txt; mv run.sh walk.sh", "--stage"))
    event = latest(place, top)
    before = picture(top)
    for words, meant in (
        (("nosuch",), f"`ambit diff --name-only {event}` shows"),
        (("last", "nosuch"), "there is nothing of that name"),
        (("a.tx",), f"did you mean '{top}/a.txt'?"),
        (("last", "a.txt", "dir/deep/d.tx"), f"did you mean '{top}/dir/deep/d.txt'?"),
        ((event, "a.txt", "dri"), f"did you mean '{top}/dir'?"),
        (("report.txt",), f"did you mean '{top}/new/report.txt'?"),
        (("a.txt", "b.txt"), "it is as it was before the event"),
        (("a.txt", "*.nosuch"), "no change fits the pattern; `*` stops at a slash"),
        (("a.txt", "../elsewhere"), "there is nothing of that name"),
        (("--write", ".git/hooks/pre-comit", "a.txt"), "--write: no change of"),
        (("--write", "a.tx"), f"did you mean '{top}/a.txt'?"),
    ):
        refused(ambit(place, "commit", *words, cwd=top), meant)
        expect_same(before, picture(top))
    assert "nosuch" in json.loads(ambit(place, "commit", "--json", "nosuch", cwd=top).stdout)["error"]["message"]
    for words in (("nosuch",), ("a.txt", "nosuch"), ("*.nosuch",)):
        refused(ambit(place, "diff", *words, cwd=top), "no change of")
        refused(ambit(place, "diff", "--stat", *words, cwd=top), "no change of")
        assert "error" in json.loads(ambit(place, "diff", "--json", *words, cwd=top).stdout)
    assert expect_ok(ambit(place, "diff", "b.txt", cwd=top)).stdout == ""  # there, and unchanged
    assert stages(place, top)[-1]["state"] == "kept" and "undone" not in ambit(place, "undo", event, cwd=top).stdout
    refused(ambit(place, "undo", "last", cwd=top), "nothing that could be undone is kept")
    expect_ok(ambit(place, "commit", "run.sh", cwd=top), "committed: 1 change of", "still kept: 4 changes")  # by its old name
    assert os.path.exists(f"{top}/walk.sh") and not os.path.exists(f"{top}/run.sh")
    for word in ("run.sh", "walk.sh", "*.sh"):
        refused(ambit(place, "commit", event, word, cwd=top), "it was committed already", f"`ambit diff --name-only {event}` shows what is left")
    expect_ok(ambit(place, "commit", event, "new", cwd=top))
    refused(ambit(place, "commit", event, "new/report.txt", cwd=top), "it was committed already")
    refused(ambit(place, "commit", event, "b.txt", cwd=top), "it is as it was before the event")
    refused(ambit(place, "commit", event, "nosuch", cwd=top), "there is nothing of that name")
    expect_ok(ambit(place, "commit", "last", "a.txt", "dir/*", cwd=top))
    assert stages(place, top)[-1]["state"] == "committed"


def a_pattern_takes_what_it_says(place):
    """`*` stops at a slash; `**` crosses directories, none among them."""
    top = place.fresh()
    expect_ok(work(place, top, "mkdir -p src/a/b; for f in top src/top src/a/m src/a/b/d; do echo x > $f.c; echo x > $f.h; done", "--stage"))
    for word, names in (("*.c", ["top.c"]), ("src/*.c", ["src/top.c"]), ("src/**/*.c", ["src/a/b/d.c", "src/a/m.c", "src/top.c"]),
                        ("**/*.c", ["src/a/b/d.c", "src/a/m.c", "src/top.c", "top.c"])):
        assert sorted(expect_ok(ambit(place, "diff", "--name-only", "last", word, cwd=top)).stdout.split()) == names, word
    expect_ok(ambit(place, "commit", "last", "**/*.c", cwd=top))
    found = subprocess.run(["find", top, "-type", "f", "-printf", "%P\n"], capture_output=True, text=True, check=True).stdout.split()
    assert sorted(found) == ["src/a/b/d.c", "src/a/m.c", "src/top.c", "top.c"], found


def what_executes_later_is_told(place):
    """In the table of a diff, and once more by the commit that brings it in; in JSON as well."""
    top = place.fresh()
    expect_ok(work(place, top, "echo all: > Makefile; echo {} > package.json; echo x > plain; mkdir -p .git/hooks; echo x > .git/hooks/pre-commit", "--stage"))
    text = expect_ok(ambit(place, "diff", "--stat", cwd=top)).stdout
    assert " executes later: Makefile: " in text and " executes later: package.json: " in text and "later: plain" not in text, text
    assert " held: .git/hooks/pre-commit: " in text and "later: .git" not in text, text
    assert json.loads(expect_ok(ambit(place, "diff", "--json", cwd=top)).stdout)["executes_later"] == 2
    expect_ok(ambit(place, "commit", "last", "plain", cwd=top))
    done = expect_ok(ambit(place, "commit", "last", "Makefile", "package.json", cwd=top), "committed: 2 changes")
    assert f"\n  executes later: 2 of them, {top}/Makefile the first\n" in done.stdout, told(done)
    expect_ok(ambit(place, "undo", "last", cwd=top))
    done = expect_ok(ambit(place, "commit", "last", "plain", cwd=top), "committed: 1 change of")
    assert "executes later" not in done.stdout, told(done)
    assert json.loads(expect_ok(ambit(place, "commit", "--json", "last", "package.json", cwd=top)).stdout)["executes_later"] == 1
    done = expect_ok(ambit(place, "commit", "last", "Makefile", cwd=top))
    assert f"  executes later: 1 of them, {top}/Makefile\n" in done.stdout, told(done)


def a_mistyped_id_is_refused(place):
    top = tree(place)
    expect_ok(work(place, top, "echo A > a.txt", "--stage"))
    event = latest(place, top)
    before = picture(top)
    slip = event[:-3] + event[-2] + event[-3] + event[-1]
    for command in ("diff", "commit", "discard", "undo"):
        for word in (event[2:], event.lower(), event[2:].lower(), event[:-1].lower(), slip if slip != event else event + "0", event[:-1] + "-"):
            if word.endswith("-") and command in ("diff", "commit"):
                continue  # a path, and refused as that
            done = refused(ambit(place, command, word, cwd=top))
            assert f"did you mean '{event}'?" in done.stderr or word.endswith("-"), f"{command} {word}: {told(done)}"
    refused(ambit(place, "undo", "lats", cwd=top), "did you mean 'last'?")
    refused(ambit(place, "commit", "e_0000000000", cwd=top), "no stage e_0000000000")
    refused(ambit(place, "commit", event, event, cwd=top), "one event at a time")
    refused(ambit(place, "discard", event, event, cwd=top), f"discard takes no '{event}'")
    refused(ambit(place, "discard", "--all", "last", cwd=top), "--all is every event that is kept, and not 'last'")
    refused(ambit(place, "discard", "--all", event, cwd=top), "--all is every event")
    expect_same(before, picture(top))
    assert [s["state"] for s in stages(place, top)] == ["kept"]
    for name in ("e_name", "abcdefghijklmnopqrstuvwxyz"):  # no id begins so
        refused(ambit(place, "commit", name, cwd=top), f"no change of {event} lies at {top}/{name}")
    write(f"{top}/{event[2:]}", "a file\n")  # one that is there is a path
    refused(ambit(place, "commit", event[2:], cwd=top), "it is as it was before the event")
    expect_ok(ambit(place, "commit", event[:-2], cwd=top), "committed")


# ---- what gave way ----


def changed_outside(place, top, script, *flags, end="true"):
    """Runs a script that is done before a.txt and b.txt change outside."""
    process = subprocess.Popen([place.ambit, "run", "--work", ".", *flags, "--", "sh", "-ec", f"{script}; mkdir ready; rmdir ready; read go; {end}"],
                               cwd=top, env=place.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    known = time.monotonic() + 20
    while not glob.glob(f"{store(place)}/e_*/0/upper/b.txt"):
        assert time.monotonic() < known, "it never began"
        time.sleep(0.05)
    time.sleep(0.1)
    for name in ("a.txt", "b.txt"):
        write(f"{top}/{name}", "outside\n")
    out, err = process.communicate("go\n", timeout=30)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


BOTH = "echo inside > a.txt; echo inside > b.txt"


def nothing_is_never_committed(place):
    """Where every change gives way to the real tree's, nothing was committed, and that is said."""
    top = tree(place)
    done = changed_outside(place, top, BOTH, "--on-conflict", "theirs")
    event = latest(place, top)
    assert done.returncode == 123 and "ambit: kept: 2 changes" in done.stderr and f"ambit discard {event}" in done.stderr, told(done)
    assert "not committed: modified" not in done.stderr, told(done)
    done = ambit(place, "commit", "--on-conflict", "theirs", cwd=top)
    assert done.returncode == 123 and done.stdout == "" and "kept: 2 changes" in done.stderr, told(done)
    data = json.loads(ambit(place, "commit", "--on-conflict", "theirs", "--json", cwd=top).stdout)
    assert (data["workspace"], data["count"], data["held"], data["left"]) == ("kept", 2, 2, 2), data
    assert open(f"{top}/a.txt").read() == "outside\n"
    assert [s["state"] for s in stages(place, top)] == ["kept"]
    refused(ambit(place, "undo", event, cwd=top), "nothing of it was committed", "`ambit stage list`")
    refused(ambit(place, "undo", "last", cwd=top), "nothing that could be undone")
    assert json.loads(expect_ok(ambit(place, "diff", "--json", cwd=top)).stdout)["event"] == event
    discarded = expect_ok(ambit(place, "discard", cwd=top), f"discarded: {event}").stdout
    assert "taken back" not in discarded, discarded


def what_gave_way_is_said_and_kept(place):
    top = tree(place)
    record = os.path.join(os.path.dirname(top), "record.json")
    done = changed_outside(place, top, BOTH + "; echo n > new", "--on-conflict", "theirs", "--record", record)
    event = latest(place, top)
    assert done.returncode == 0 and "left out: 2 changes" in done.stderr and f"ambit diff {event}" in done.stderr, told(done)
    assert os.path.exists(f"{top}/new") and open(f"{top}/a.txt").read() == "outside\n"
    data = json.load(open(record))
    verdicts = {os.path.basename(e["path"]): e["verdict"] for e in data["effects"] if e["source"] == "proved"}
    assert data["outcome"]["workspace"] == "committed" and verdicts == {"a.txt": "held", "b.txt": "held", "new": "allowed"}, verdicts
    assert [s["state"] for s in stages(place, top)] == ["kept"]
    assert sorted(expect_ok(ambit(place, "diff", "--name-only", cwd=top)).stdout.split()) == ["a.txt", "b.txt"]
    expect_ok(ambit(place, "commit", "--on-conflict", "ours", "a.txt", cwd=top), "committed: 1 change", "still kept: 1 change")
    assert open(f"{top}/a.txt").read() == "inside\n"
    expect_ok(ambit(place, "undo", "last", cwd=top), f"undone: {event}")
    assert open(f"{top}/a.txt").read() == "outside\n" and not os.path.exists(f"{top}/new")
    data = json.loads(expect_ok(ambit(place, "commit", "--on-conflict", "theirs", "--json", cwd=top)).stdout)
    assert (data["workspace"], data["count"], data["held"], data["left"]) == ("committed", 1, 2, 2), data
    assert open(f"{top}/a.txt").read() == "outside\n", "it was overruled once, and the undo brought it back"
    expect_ok(ambit(place, "discard", cwd=top), "what was committed of it cannot be taken back any more")


# ---- what is held ----


def hinted(result, words):
    """The command of that kind that its hint names, in words."""
    for command in re.findall(r"`(ambit [^`]*)`", result.stderr.splitlines()[-1]):
        if command.split()[: len(words)] == words and "..." not in command:
            return shlex.split(command)[1:]
    raise AssertionError(f"no {words}: {told(result)}")


def what_is_held_has_a_way_out(place):
    """The last hint names one command for all of it, and it does what it says; only what was chosen is listed."""
    need("git")
    for conflict in (False, True):
        top = tree(place)
        subprocess.run(["git", "init", "-q", "."], cwd=top, check=True, env=place.environment())
        script = "echo 'make x' > .envrc; echo '#!/bin/sh' > '.git/hooks/pre-commit'; echo all: > Makefile; echo f > fine"
        if conflict:
            done = changed_outside(place, top, f"{script}; {BOTH}")
        else:
            done = work(place, top, script)
        event = latest(place, top)
        assert done.returncode == 123 and done.stderr.count("not committed:") == (4 if conflict else 2), told(done)
        assert f"`ambit commit {event} PATH...` commits the rest" in done.stderr, told(done)
        done = ambit(place, "commit", "last", ".envrc", "Makefile", cwd=top)
        assert done.returncode == 123 and done.stderr.count("not committed:") == 1 and "hooks" not in done.stderr, told(done)
        data = json.loads(ambit(place, "commit", "last", ".envrc", "Makefile", "--json", cwd=top).stdout)
        assert [os.path.basename(c["path"]) for c in data["changes"]] == [".envrc", "Makefile"] and data["held"] == 1, data
        expect_ok(ambit(place, "commit", "last", "fine", "Makefile", cwd=top), "committed: 2 changes")
        done = ambit(place, "commit", cwd=top)
        assert "commits the rest" not in done.stderr, told(done)
        way = hinted(done, ["ambit", "commit"])
        assert way.count("--write") == 2 and ("--on-conflict" in way) == conflict, way
        expect_ok(ambit(place, *way, cwd="/"), "committed: " + ("4" if conflict else "2"))
        assert os.path.exists(f"{top}/.envrc") and os.path.exists(f"{top}/.git/hooks/pre-commit")
        assert not conflict or open(f"{top}/a.txt").read() == "inside\n"
        assert stages(place, top)[-1]["state"] == "committed"


# ---- what is broken ----


def a_damaged_one_is_discarded(place):
    top = tree(place)
    for damage in (b"garbage\n", b"", None):
        expect_ok(work(place, top, "echo x > kept", "--stage"))
        event = latest(place, top)
        meta = f"{store(place)}/{event}/meta"
        whole = open(meta, "rb").read()
        if damage is None:
            os.unlink(meta)
        else:
            with open(meta, "wb") as file:
                file.write(damage)
        assert stages(place, top)[-1]["state"] == "damaged"
        for command in ("diff", "commit", "undo"):
            refused(ambit(place, command, event, cwd=top), f"stage {event} is damaged", f"`ambit discard {event}` removes it")
        refused(ambit(place, "discard", cwd=top), "no changes are kept")
        if damage:
            expect_ok(ambit(place, "discard", event, cwd=top), f"discarded: {event}\n")
        else:
            expect_ok(ambit(place, "discard", "--all", cwd=top), f"discarded: {event}\n", "discarded: 1 stage\n")
        assert not os.path.exists(f"{store(place)}/{event}") and stages(place, top) == []
    expect_ok(work(place, top, "echo x > kept", "--stage"))  # of another event, which cannot be taken for this one
    with open(f"{store(place)}/{latest(place, top)}/meta", "wb") as file:
        file.write(whole)
    assert stages(place, top)[-1]["state"] == "damaged"
    expect_ok(ambit(place, "discard", latest(place, top), cwd=top))


def one_out_of_reach_is_discarded(place):
    """Its part on another file system than the store is gone, or another has its name: it can be forgotten, and what is another's stays."""
    top = tree(place)
    if not os.access("/dev/shm", os.W_OK) or os.stat("/dev/shm").st_dev == os.stat(top).st_dev:
        raise Skip("/dev/shm is no other file system")
    place.home = tempfile.mkdtemp(dir="/dev/shm")
    parts = []
    try:
        for replaced in (False, True):
            for words in (["EVENT"], ["--all"]):
                if work(place, top, "echo x > kept", "--stage").returncode == 125:
                    raise Skip("/dev/shm cannot hold a store")
                event = latest(place, top)
                parts += [p for d in {"/", "/tmp/", "/var/tmp/", f"{place.top}/"} for p in glob.glob(f"{d}.ambit-{os.geteuid()}/{event}")]
                assert parts and os.path.basename(parts[-1]) == event, "where is its part?"
                part = parts[-1]
                os.rename(f"{part}/0", f"{part}/away")
                if replaced:
                    write(f"{part}/0/other", "another's\n")
                for command in ("diff", "commit"):
                    refused(ambit(place, command, event, cwd=top), part, f"`ambit discard {event}` forgets what lay there",
                            "somebody put another in its place" if replaced else "mount its file system")
                expect_ok(ambit(place, "discard", *[event if w == "EVENT" else w for w in words], cwd=top), f"discarded: {event} (sh")
                assert stages(place, top) == [] and os.path.isdir(f"{part}/away")
                assert not replaced or os.path.exists(f"{part}/0/other")
    finally:
        shutil.rmtree(place.home)
        for part in parts:
            subprocess.run(["chmod", "-R", "u+rwx", part], check=True)  # an overlay leaves what nobody may enter
            shutil.rmtree(part)
            with contextlib.suppress(OSError):
                os.rmdir(os.path.dirname(part))


# ---- what is shown ----


def a_diff_says_whose_it_is(place):
    """And what is held by name; git reads it all the same. As JSON only what was asked for."""
    need("git")
    top = tree(place)
    expect_ok(work(place, top, "echo A >> a.txt; echo D >> dir/c.txt; echo n > new", "--stage"))
    event = latest(place, top)
    patch = expect_ok(ambit(place, "diff", cwd=top)).stdout
    assert patch.startswith(f"# {event} (sh -ec echo A >> a.txt; "), patch
    assert patch.splitlines()[0].endswith(f", in {top})"), patch
    copy = top + "-copy"
    shutil.copytree(top, copy, symlinks=True)
    expect_ok(place.run("git", "apply", "-", cwd=copy, input=patch))
    assert open(f"{copy}/a.txt").read().endswith("A\n") and os.path.exists(f"{copy}/new")
    for words in (("--stat",), ("--name-only",), ("--json",), ("b.txt",)):
        assert "# e_" not in expect_ok(ambit(place, "diff", *words, cwd=top)).stdout, words
    data = json.loads(expect_ok(ambit(place, "diff", "--json", "last", "dir", "ne*", cwd=top)).stdout)
    assert [os.path.basename(c["path"]) for c in data["changes"]] == ["c.txt", "new"], data
    assert (data["count"], data["held"], data["why"]) == (2, 0, "asked"), data
    done = work(place, top, "echo 'make x' > .envrc", "--strict")
    held = expect_ok(ambit(place, "diff", cwd=top)).stdout
    assert "\n# held: .envrc: protected: " in held, held
    data = json.loads(expect_ok(ambit(place, "diff", "--json", ".envrc", cwd=top)).stdout)
    assert (data["count"], data["held"], data["why"]) == (1, 1, "held"), data
    write(f"{top}/.env", "SECRET\n")
    done = place.cell("--work", ".", "--strict", "--", "sh", "-c", "cat .env; echo x > strict", cwd=top)
    assert done.returncode == 125, told(done)
    assert json.loads(expect_ok(ambit(place, "diff", "--json", cwd=top)).stdout)["why"] == "denied"
    with running(place, top, "echo r > r", "--stage") as event:
        assert json.loads(expect_ok(ambit(place, "diff", "--json", event, cwd=top)).stdout)["why"] is None


def what_cannot_be_written_is_told(place):
    """A list that is not all there must not pass for one; what was done is done."""
    top = tree(place)
    expect_ok(work(place, top, "echo A > a.txt", "--stage"))
    event = latest(place, top)

    def full(*words):
        with open("/dev/full", "w") as nowhere:
            return subprocess.run([place.ambit, *words], cwd=top, env=place.environment(), stdout=nowhere, stderr=subprocess.PIPE, text=True)

    for words in (("diff",), ("diff", "--stat"), ("diff", "--name-only"), ("diff", "--json"), ("stage", "list"),
                  ("stage", "list", "--json"), ("help",), ("diff", "--help"), ("run", "--help"), ("version",), ("doctor",)):
        done = full(*words)
        assert done.returncode == 125 and "cannot write" in done.stderr and "No space left on device" in done.stderr, \
            f"{words}: {done.returncode} {done.stderr}"
        assert done.stderr.count("ambit:") == 1, f"{words}: {done.stderr}"
    for words in (("commit",), ("undo", event), ("commit", "--json"), ("undo", "--json", event), ("discard",)):
        done = full(*words)
        assert done.returncode == 0 and "cannot write on standard output" in done.stderr, f"{words}: {done.returncode} {done.stderr}"
    assert stages(place, top) == []
    expect_ok(work(place, top, "seq 100000 > a.txt", "--stage"))
    for words in (("diff",), ("diff", "--json"), ("stage", "list"), ("help",)):  # who has seen enough and went
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run([place.ambit, *words], cwd=top, env=place.environment(), stdout=writing, stderr=subprocess.PIPE, text=True)
        os.close(writing)
        assert done.returncode == 0 and done.stderr == "", f"{words}: {done.returncode} {done.stderr}"


def the_list_is_for_people(place):
    top = tree(place)
    assert expect_ok(ambit(place, "stage", "list", cwd=top)).stdout == "nothing is kept\n"
    expect_ok(work(place, top, "echo A > a.txt", "--stage"))
    expect_ok(work(place, top, "echo B > b.txt"))
    expect_ok(work(place, top, "echo C > one; echo D > two", "--stage"))
    expect_ok(ambit(place, "commit", "one", cwd=top))
    known = stages(place, top)
    assert [(s["state"], s["commits"]) for s in known] == [("kept", 0), ("committed", 1), ("kept", 1)], known
    lines = [line for line in expect_ok(ambit(place, "stage", "list", cwd=top)).stdout.splitlines() if not line.startswith("what is remembered")]
    assert lines[0].split() == ["EVENT", "STATE", "SIZE", "SINCE", "KEPT", "FOR", "TREE", "AND", "COMMAND"], lines
    assert [line.split()[:2] for line in lines[1:]] == [[known[2]["event"], "partly"], [known[1]["event"], "committed"], [known[0]["event"], "kept"]]
    for line in lines[1:]:
        assert re.search(time.strftime(r" KB  %Y-%m-%d \d\d:\d\d  7 days      ") + re.escape(f"{top}  sh -ec"), line), line


def a_wrong_option_is_named(place):
    top = place.fresh()
    for words, what, hint in (
        ("commit -dash", "no option '-dash'", "see `ambit commit --help`"),
        ("commit last -dash", "no option '-dash'", "see `ambit commit --help`"),
        ("commit last a -j b", "no option '-j'", "did you mean '--json'?"),
        ("diff -nope", "no option '-nope'", "see `ambit diff --help`"),
        ("diff -stat", "no option '-stat'", "did you mean '--stat'?"),
        ("diff a -hx", "no option '-hx'", "see `ambit diff --help`"),
        ("diff --stat=3", "--stat takes no value", "see `ambit diff --help`"),
        ("diff last --json=", "--json takes no value", "see `ambit diff --help`"),
        ("diff a b --stta", "no option '--stta'", "did you mean '--stat'?"),
        ("diff --col=auto", "no option '--col'", "did you mean '--color'?"),
        ("stage list -l", "no option '-l'", "see `ambit stage --help`"),
        ("commit x --on-conflict", "--on-conflict needs a value", "see `ambit commit --help`"),
        ("commit --on-conflict --write x", "--on-conflict takes fail, theirs or ours, and not '--write'", "see `ambit commit --help`"),
    ):
        done = refused(place.run(place.ambit, *words.split(), cwd=top))
        assert done.stderr == f"ambit: {what}\n  hint: {hint}\n", f"{words}: {told(done)}"
    for words in ("diff a -h", "commit --help x", "stage diff -h"):
        expect_ok(place.run(place.ambit, *words.split(), cwd=top), "EVENT")
    refused(place.run(place.ambit, "commit", "--", "-dash", cwd=top), "no changes are kept")


def a_pager_that_is_not_there_hides_nothing(place):
    top = tree(place)
    expect_ok(work(place, top, "echo A > a.txt", "--stage"))

    def shown(**more):
        with Terminal([place.ambit, "diff"], cwd=top, env=dict(place.environment(), **more)) as terminal:
            terminal.until(r"\+A")
            return terminal.end(), terminal.seen.decode()

    for pager in ("nosuch", "nosuch --option", "/etc/passwd"):
        status, text = shown(PAGER=pager)
        assert status == 0 and text.count("+A") == 1, f"{pager}: {status} {text!r}"
        assert "not found" in text or "ermission denied" in text, text
    empty = place.fresh()
    for program in ("sh",):
        os.symlink(shutil.which(program), f"{empty}/{program}")
    status, text = shown(PATH=empty)
    assert status == 0 and text.count("+A") == 1 and "not found" not in text, text
    if shutil.which("less", path="/usr/bin:/bin"):
        for more in ({}, {"LESS": "-R"}):  # what fits is not held
            assert shown(**more)[0] == 0


def what_is_said_to_be_kept_is_kept(place):
    """Also where it is larger than all that may be kept; what was kept before goes then."""
    top = tree(place)
    place.environment = lambda: dict(type(place).environment(place), AMBIT_KEEP_SPACE="10K")
    try:
        assert "kept: 1 change, for 7 days" in expect_ok(work(place, top, "seq 10000 > k", "--stage")).stderr
        first = latest(place, top)
        expect_ok(ambit(place, "diff", "--stat", cwd=top), "10000 +")
        assert [s["event"] for s in stages(place, top)] == [first]  # listing it looks for what is too much
        with running(place, top, "seq 20000 > m", "--stage") as long:
            expect_ok(work(place, top, "seq 20000 > l", "--stage"))
            second = latest(place, top)
            assert [s["event"] for s in stages(place, top)] == [long, second]
        assert [s["event"] for s in stages(place, top)] == [long], "what was kept last, though it began first"
        expect_ok(ambit(place, "diff", "--stat", cwd=top), "20000 +")
        place.environment = lambda: dict(type(place).environment(place), AMBIT_KEEP_SPACE="10K", AMBIT_KEEP="1h")
        expect_ok(work(place, top, "seq 30000 > n", "--stage"))  # for less time than what was kept before
        assert [s["event"] for s in stages(place, top)] == [latest(place, top)] != [long]
    finally:
        del place.environment


def what_is_there_already_is_no_denial(place):
    """`mkdir -p` of an absolute path asks for each part of it; the kernel says that it is there, whatever may be written."""
    top = tree(place)
    result = place.cell("--work", ".", "--strict", "--", "sh", "-ec", f"mkdir -p {top}/deep/er; ! mkdir {os.path.dirname(top)}; ! ln -s x /etc/passwd; ! mkdir /usr/lib", cwd=top)
    expect_ok(result)
    assert "denied" not in result.stderr, told(result)
    for twin in ("/etc/other", "/usr/other"):
        result = place.cell("--work", ".", "--strict", "--", "sh", "-c", f"mkdir {twin}; true", cwd=top)
        assert result.returncode == 125 and f"denied: mkdir {twin}\n" in result.stderr, told(result)


def an_undo_counts_as_a_diff(place):
    top = tree(place)
    expect_ok(work(place, top, "mkdir -p d/e; echo x > d/e/x; mv run.sh walk.sh"))
    done = expect_ok(ambit(place, "undo", "last", cwd=top), "still kept: 4 changes")
    assert len(expect_ok(ambit(place, "diff", "--name-only", cwd=top)).stdout.splitlines()) == 4, told(done)
    expect_ok(ambit(place, "commit", cwd=top), "committed: 4 changes")
    assert json.loads(expect_ok(ambit(place, "undo", "--json", "last", cwd=top)).stdout)["count"] == 4


def what_was_not_looked_at_is_not_told(place):
    """Of a name that stands in the way of an undo, size and mode are nobody's to tell: they are not made up."""
    top = tree(place)
    expect_ok(work(place, top, "echo mine > a.txt; mkdir d2; echo x > d2/x"))
    write(f"{top}/a.txt", "theirs, and longer\n")
    told_of = json.loads(ambit(place, "undo", "--json", "last", cwd=top).stdout)
    assert [c["path"] for c in told_of["changes"]] == [f"{top}/a.txt"], told_of
    assert not {"size", "size_before", "mode", "mode_before", "sha256"} & set(told_of["changes"][0]), told_of


def how_long_it_is_kept_is_of_the_event(place):
    """AMBIT_KEEP counts when an event ends or is decided about: a list does not change what was written down."""
    top = tree(place)
    try:
        place.environment = lambda: dict(type(place).environment(place), AMBIT_KEEP="1h")
        kept = work(place, top, "echo mine > a.txt", "--stage")
        place.environment = lambda: dict(type(place).environment(place), AMBIT_KEEP="1m")
        listed = expect_ok(ambit(place, "stage", "list", cwd=top)).stdout
    finally:
        del place.environment
    assert "kept: 1 change, for 1 hour\n" in kept.stderr and re.search(r"  1 hour +" + re.escape(top), listed), (told(kept), listed)


def a_list_is_of_what_was_asked_for(place):
    """Of trees at hand of a directory, as `last` is; and only what waits."""
    one, two = tree(place), tree(place)
    expect_ok(work(place, one, "echo x > mine"))
    expect_ok(work(place, one, "echo y > mine", "--stage"))
    expect_ok(work(place, two, "echo x > mine", "--stage"))
    os.symlink(one, f"{two}/to-one")

    def listed(*words, cwd="/"):
        found = json.loads(expect_ok(ambit(place, "stage", "list", "--json", *words, cwd=cwd)).stdout)["stages"]
        text = expect_ok(ambit(place, "stage", "list", *words, cwd=cwd)).stdout
        assert all(s["event"] in text for s in found) and ("what is remembered" in text) == (not words), text
        return [(s["tree"], s["state"]) for s in found if s["tree"] in (one, two)]

    all_of_one = [(one, "committed"), (one, "kept")]
    assert listed() == [*all_of_one, (two, "kept")]
    assert listed("--kept") == [(one, "kept"), (two, "kept")]
    for words, cwd in (((one,), "/"), ((".",), one), (("dir",), one), ((f"{two}/to-one",), "/"), ((os.path.relpath(one, two),), two)):
        assert listed(*words, cwd=cwd) == all_of_one, words
    assert listed("--kept", one) == [(one, "kept")]
    assert listed(os.path.dirname(os.path.dirname(one))) == [*all_of_one, (two, "kept")]  # they lie in it
    with running(place, two, "echo z > other", "--stage"):
        assert listed("--kept", two) == [(two, "kept")] and len(listed(two)) == 2
    nothing = place.fresh()
    assert expect_ok(ambit(place, "stage", "list", nothing, cwd="/")).stdout == f"nothing is kept of {nothing}\n"
    shutil.rmtree(one)
    assert listed(one) == all_of_one  # what is gone may still be asked for
    refused(ambit(place, "stage", "list", one, two, cwd="/"), "list takes no")
    refused(ambit(place, "stage", "recover", one, cwd="/"), "recover takes no")


SCENARIOS = [last_is_of_where_you_are, last_of_a_place_that_is_gone, one_that_runs_is_named, a_mistyped_path_is_refused,
             a_pattern_takes_what_it_says, what_executes_later_is_told, a_mistyped_id_is_refused, nothing_is_never_committed, what_gave_way_is_said_and_kept,
             what_is_held_has_a_way_out, a_damaged_one_is_discarded, one_out_of_reach_is_discarded,
             a_diff_says_whose_it_is, what_cannot_be_written_is_told,
             the_list_is_for_people, a_wrong_option_is_named, a_pager_that_is_not_there_hides_nothing, what_is_said_to_be_kept_is_kept,
             what_is_there_already_is_no_denial, an_undo_counts_as_a_diff, what_was_not_looked_at_is_not_told, how_long_it_is_kept_is_of_the_event, a_list_is_of_what_was_asked_for]

if __name__ == "__main__":
    main(SCENARIOS)
