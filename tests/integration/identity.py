#!/usr/bin/env python3
"""A tree is identical, byte for byte and in metadata, before and after any failed, killed, alarmed or discarded event; and one whose
commit was cut short is, after recovery, wholly as before or wholly as after.

usage: identity.py AMBIT    (TAP on standard output; as root once more as an ordinary user)

AMBIT_SEED=n repeats a run; AMBIT_SOAK=n does more: 500 kills, 100,000 files, two gigabytes that are really written, all pairs."""

import ctypes
import glob
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time

from harness import SLOW, Skip, expect_ok, main, need, told, write
from trees import expect_same, picture, rows

SOAK = int(os.environ.get("AMBIT_SOAK", "0"))
SEED = int(os.environ.get("AMBIT_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 30)
KILLS = 500 if SOAK else 12
FILES = 100000 if SOAK else 5000
OLD_NS = 1577934245 * 10**9  # 2020
PR_SET_CHILD_SUBREAPER = 36
chance = random.Random(SEED)

# ---- trees, and what wrecks them ----


def tree(place, files=60, home=None):
    """All kinds of things, all of them old; the person's stages are new, too."""
    top = home or place.fresh()
    if home is None and SOAK:  # much is written: not where memory is
        shutil.rmtree(top)
        top = tempfile.mkdtemp(prefix="ambit-identity-", dir="/var/tmp")
    place.home, path = os.path.join(top, "home"), os.path.join(top, "tree")
    os.mkdir(place.home)
    for i in range(files):
        write(f"{path}/d{i % 37}/e{i % 5}/f{i}", f"{i}\n" * (i % 50))
    for i in range(0, min(files, 40), 4):
        os.link(f"{path}/d{i % 37}/e{i % 5}/f{i}", f"{path}/hard{i}")
        os.symlink(f"d{i}/nowhere", f"{path}/soft{i}")
        os.setxattr(f"{path}/hard{i}", "user.number", str(i).encode())
        os.chmod(f"{path}/d{i % 37}", 0o750)
    os.setxattr(f"{path}/d1", "user.dir", b"\0\xff")
    os.mkfifo(f"{path}/fifo")
    os.mkdir(f"{path}/empty", 0o700)
    write(f"{path}/main.c", "int main(void) { return 0; }\n")
    write(f"{path}/Makefile", "all: prog\nprog: main.o\n\tcc -o prog main.o\n")
    with open(os.path.join(os.fsencode(path), b"not-utf8-\xff\n"), "wb") as file:
        file.write(b"x")
    with open(f"{path}/sparse", "wb") as file:
        file.write(b"begin")
        file.truncate(64 << 20)
    for directory, subdirectories, names in os.walk(os.fsencode(path), topdown=False):
        for name in names + subdirectories:
            os.utime(os.path.join(directory, name), ns=(OLD_NS, OLD_NS), follow_symlinks=False)
    os.utime(path, ns=(OLD_NS, OLD_NS))
    return path


def tidy(place, top):
    """Takes away what lies beside the harness's directory."""
    above = os.path.dirname(top)
    if above.startswith("/var/tmp/ambit-identity-"):
        shutil.rmtree(above, ignore_errors=True)


WRECKS = {  # each ends well, so that the ending is the only failure
    "a build": "cc -c -o main.o main.c; cc -o prog main.o; ./prog; mkdir -p build/obj; mv main.o prog build/obj/; touch main.c",
    "rm -rf of everything": "rm -rf ./* ./.[!.]*; test -z \"$(ls -A)\"",
    "rm -rf, and other things in its place": "rm -rf ./*; mkdir d1 d2; echo x > d1/e1; ln -s d1 d3; mkdir -p main.c/deep; mkfifo d4; echo > sparse",
    "mass renames of files": "for f in d*/e*/f*; do mv $f $f.moved; done; for f in d1*/e*/f*.moved; do mv $f d2/; done; mv main.c Makefile",
    "mass renames of directories": "for d in d*; do mv $d renamed-$d; done; mv renamed-d1 renamed-d2/; mv empty renamed-d3/e3/; mkdir d1; mv sparse d1/",
    "chmod -R": "chmod -R 777 .; chmod -R go-rwx d1; chmod 400 main.c; chmod -R a-w d2; chmod 700 .",
    "chown": "chown -R 1:1 . 2>/dev/null || chown -R $(id -u):$(id -g) .; chgrp -h $(id -g) soft*",
    "links": "for f in hard*; do echo more >> $f; ln $f $f.more; done; ln -sf main.c soft0; rm hard4; ln Makefile hard4; cp -al d1 d1.copy; ln -s / soft.root; ln -sf soft0 soft0.2",
    "extended attributes": """python3 -c '
import os
for d, _, names in os.walk("."):
    for n in [d] + [os.path.join(d, n) for n in names]:
        if not os.path.islink(n) and not n.endswith("fifo"): os.setxattr(n, "user.new", b"x" * 100)
os.removexattr("hard0", "user.number"); os.removexattr("d1", "user.dir")'""",
    "sparse files": "truncate -s 200M sparse; echo end >> sparse; dd if=/dev/zero of=sparse bs=4k count=3 seek=7 conv=notrunc 2>/dev/null; cp --sparse=always sparse s2; truncate -s 0 sparse; truncate -s 300M s3",
    "times": "touch -d 1980-01-01 main.c d1 fifo empty .; touch -h -d 1990-01-01 soft*; touch main.c d2",
    "a protected name": "mkdir -p .git/hooks; echo evil > .git/hooks/pre-commit; echo evil > .envrc; echo more >> main.c",
    "appending to everything": "for f in d*/e*/f* main.c sparse not*; do echo more >> \"$f\"; done",
    "many small files": "mkdir new; i=0; while [ $i -lt 2000 ]; do echo $i > new/$i; i=$((i+1)); done; rm -r d1*",
}

FOREVER = "; i=0; while :; do echo $i >> growing; i=$((i+1)); done"
ENDINGS = {  # what follows the wreck, the options, and the statuses that it may end with
    "it fails": ("; exit 3", [], {3}),
    "it fails and is discarded": ("; exit 1", ["--discard"], {1}),
    "it kills itself": ("; kill -9 $$", [], {137}),
    "it crashes": ("; kill -SEGV $$", [], {139}),
    "it cannot execute": ("; exec ./empty", [], {126, 127, 2}),
    "wall limit while it writes": (FOREVER, ["--limit", "wall=1500ms"], {124}),
    "disk limit while it writes": ("; dd if=/dev/zero of=large bs=1M count=200", ["--limit", "disk=100M"], {125, 153, 1}),
    "memory limit while it writes": ("; echo x >> growing; exec python3 -c 'x = []\nwhile True: x.append(bytes(1 << 24)); open(\"growing\", \"a\").write(\"x\")'",
                                     ["--limit", "memory=200M"], {125, 137, 1}),
    "processor limit while it writes": (FOREVER, ["--limit", "cpu=500ms"], {125, 137, 152}),
    "a denial, strictly": ("; cat /root/.ssh/id_rsa /etc/shadow || true", ["--strict"], {125}),
    "it succeeds and is kept": ("", ["--stage"], {0}),
}


def ambit(place, *words, cwd, **more):
    return place.run(place.ambit, *words, cwd=cwd, timeout=more.pop("timeout", 300), **more)


def stages(place, top):
    return json.loads(expect_ok(ambit(place, "stage", "list", "--json", cwd=top)).stdout)["stages"]


STORE = ".local/state/ambit/stages"


def is_unmade(place, stage):
    """Its supervisor was killed while it was making it: nothing is known of it, and nothing is in it. The list calls that damaged."""
    path = os.path.join(place.home, STORE, stage["event"])
    return (stage["state"] == "damaged" and not os.path.exists(f"{path}/meta") and
            not any(os.listdir(upper) for upper in glob.glob(f"{path}/*/upper")))


def in_store(place):
    path = os.path.join(place.home, STORE)
    return sorted(os.listdir(path)) if os.path.isdir(path) else []


def nothing_is_left(place, top):
    """The list shows what is in the store, and `discard --all` leaves nothing but what is committed."""
    listed = {stage["event"]: stage["state"] for stage in stages(place, top)}
    assert sorted(listed) == [name for name in in_store(place) if name.startswith("e_")], (listed, in_store(place))
    expect_ok(ambit(place, "discard", "--all", cwd=top))
    committed = sorted(event for event, state in listed.items() if state == "committed")
    caches = sorted(cache_of(path) for path in (top, place.home) if cache_of(path) in in_store(place))  # of what is still there
    assert in_store(place) == sorted(caches + committed), f"left in the store: {in_store(place)}, committed: {committed}"
    assert sorted(stage["event"] for stage in stages(place, top)) == committed
    assert json.loads(ambit(place, "stage", "list", "--json", cwd=top).stdout)["caches"]["trees"] == len(caches)


def cache_of(path):
    status = os.stat(path)
    return f".mask-{status.st_dev:x}-{status.st_ino:x}"


def wreck(place, top, script, ending, options, statuses, **more):
    result = place.cell("--work", ".", *options, "--", "sh", "-ec", script + ending, cwd=top, timeout=300, **more)
    assert result.returncode in statuses, told(result)
    return result


def pairs():
    every = [(wreck, ending) for wreck in WRECKS for ending in ENDINGS]
    if SOAK:
        return every
    endings = list(ENDINGS)
    chance.shuffle(endings)
    names = list(WRECKS)
    chance.shuffle(names)
    return [(name, endings[i % len(endings)]) for i, name in enumerate(names)][::2]


def what_fails_changes_nothing(place):
    top = tree(place)
    before = picture(top)
    for name, how in pairs():
        wreck(place, top, WRECKS[name], *ENDINGS[how])
        expect_same(before, picture(top), f"the tree after {name!r}, {how!r} (AMBIT_SEED={SEED})")
    nothing_is_left(place, top)
    expect_same(before, picture(top))
    tidy(place, top)


def the_probe_would_see_it(place):
    """Each wreck, if it is committed, does change the tree: so the pictures are no empty words."""
    for name, script in WRECKS.items():
        top = tree(place)
        before = picture(top)
        result = place.cell("--work", ".", "--", "sh", "-ec", script, cwd=top, timeout=300)
        if name == "a protected name":
            assert result.returncode == 123, told(result)
            expect_same(before, picture(top), "what is held")
        elif name != "chown":  # to themselves
            assert result.returncode == 0 and before != picture(top), f"{name}: {told(result)}"
        tidy(place, top)


def many_small_files(place):
    top = tree(place, FILES)
    before = picture(top)
    for script in ("for d in d*; do chmod -R u+x $d; done; rm -rf d1*; exit 1", "rm -rf ./*; exit 1",
                   "find . -type f -name 'f*' | while read f; do echo x >> $f; done; kill -9 $$"):
        wreck(place, top, script, "", ["--limit", "disk=none"], {1, 137})
        expect_same(before, picture(top), script)
    nothing_is_left(place, top)
    tidy(place, top)


def a_file_of_two_gigabytes(place):
    """Sparse; with AMBIT_SOAK of real bytes."""
    top = tree(place)
    with open(f"{top}/huge", "wb") as file:
        if SOAK:
            for i in range(2048):
                file.write(os.urandom(1 << 10) * (1 << 10))
        file.truncate(2 << 30)
    os.utime(f"{top}/huge", ns=(OLD_NS, OLD_NS))
    before = picture(top)
    scripts = ["rm huge; exit 1", "echo end >> huge; exit 1",
               "dd if=/dev/urandom of=huge bs=1M count=3 seek=1000 conv=notrunc 2>/dev/null; kill -9 $$", "mv huge d1/; chmod 600 d1/huge; exit 1"]
    for script in scripts if SOAK else scripts[:2]:  # each kept file is read whole: some ten seconds
        wreck(place, top, script, "", ["--limit", "disk=none"], {1, 137})
        expect_same(before, picture(top), script)
    nothing_is_left(place, top)
    tidy(place, top)


# ---- a full disk ----


class SmallDisk:
    """A file system of its own, for the tree and the store: ext4 in a file, or in memory."""

    def __init__(self, top, megabytes):
        self.path, image = os.path.join(top, "small"), os.path.join(top, "image")
        os.mkdir(self.path)
        with open(image, "wb") as file:
            file.truncate(megabytes << 20)
        made = subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], capture_output=True, check=False).returncode == 0 and \
            subprocess.run(["mount", "-o", "loop", image, self.path], capture_output=True, check=False).returncode == 0
        self.kind = "ext4" if made else "tmpfs"
        if not made and subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", self.path], capture_output=True,
                                       check=False).returncode != 0:
            raise Skip("nothing can be mounted here")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", self.path], check=False)

    def fill(self):
        """To the last block."""
        with open(os.path.join(self.path, "filler"), "wb", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    pass


def no_lock_of_a_tree_stays(place):
    """store.h: whoever lets go last takes the file away."""
    top = tree(place)
    wreck(place, top, "echo x > y; exit 1", "", [], {1})
    expect_ok(ambit(place, "discard", "--all", cwd=top))
    locks = [name for name in in_store(place) if name.startswith(".tree-")]
    assert not locks, f"left in the store: {locks}"
    tidy(place, top)


def unrecorded(place):
    """From here on: what becomes of the ledger on a full disk and by kills is tried in ledger.py."""
    place.settings["AMBIT_LEDGER"] = "none"


def a_full_disk(place):
    if os.geteuid() != 0:
        raise Skip("only root can mount a small file system")
    unrecorded(place)  # it would lie on that disk
    with SmallDisk(place.fresh(), 48) as disk:
        top = tree(place, home=disk.path)
        before = picture(top)
        wreck(place, top, "for f in hard*; do echo more >> $f; done; rm -r d1; dd if=/dev/zero of=large bs=1M; exit 1", "", [], {1})
        expect_same(before, picture(top), "after a disk that filled up")
        expect_ok(ambit(place, "discard", "--all", cwd=top))
        wreck(place, top, "for f in hard*; do echo more >> $f; done; rm -r d1 d2; mkdir n; echo n > n/n; head -c 20000000 /dev/urandom > n/big", "", ["--stage"], {0})
        disk.fill()
        expect_same(before, picture(top))
        result = ambit(place, "commit", cwd=top)
        full = picture(top, times=False)
        ambit(place, "stage", "recover", cwd=top)
        if result.returncode != 0:
            expect_same(before, picture(top), f"after a commit that failed for want of space ({told(result)})")
        else:
            assert not os.path.exists(f"{top}/d1") and os.path.exists(f"{top}/n/big"), full
        result = wreck(place, top, "echo x > y; rm -rf d3; exit 1", "", [], {1, 2, 125})
        os.unlink(f"{disk.path}/filler")
        if os.path.exists(f"{top}/d1"):
            expect_same(before, picture(top), "after an event on a full disk")
            last = [stage["event"] for stage in stages(place, top) if stage["state"] == "kept"]
            expect_ok(ambit(place, "commit", last[0], cwd=top))
            assert not os.path.exists(f"{top}/d1") and os.path.exists(f"{top}/n/big")
        done = [stage["event"] for stage in stages(place, top) if stage["state"] == "committed"]
        expect_ok(ambit(place, "undo", done[-1], cwd=top))
        expect_same(before, picture(top), "after it was undone")
        nothing_is_left(place, top)


# ---- kills ----


def processes():
    """{pid: (parent, name)} of all that live."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                text = file.read()
        except OSError:
            continue
        rest = text[text.rindex(")") + 2:].split()
        if rest[0] not in "ZX":
            found[int(pid)] = (int(rest[1]), text[text.index("(") + 1:text.rindex(")")])
    return found


def family():
    """The processes that descend from this one, which adopts those that lose their parents: nobody else's."""
    every, ours = processes(), {os.getpid()}
    grown = True
    while grown:
        more = {pid for pid, (parent, _) in every.items() if parent in ours} - ours
        grown, ours = bool(more), ours | more
    return {pid: every[pid][1] for pid in ours - {os.getpid()}}


def adopt(place):
    unrecorded(place)  # the ledger's process would be waited for after each kill: it ends ten seconds later
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise Skip("no subreaper")


def start(place, *words, cwd):
    return subprocess.Popen([place.ambit, *words], cwd=cwd, env=place.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)


def kill_one(names, seconds):
    """After that time, one of our processes of one of these names; whether there was any."""
    time.sleep(seconds)
    found = [pid for pid, name in family().items() if name in names]
    for pid in found:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return bool(found)


def all_gone():
    """Waits for the last of them: who is left takes the cell down."""
    end = time.monotonic() + 30
    while family():
        assert time.monotonic() < end, f"still there: {family()}"
        time.sleep(0.01)
    while True:  # what was adopted
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


CHANGES = """
for d in 1 2 3 4 5 6 7 8; do echo more >> d$d/e$((d % 5))/f$d; done; rm -r d10 d11 d12; mkdir -p d11/other new/deep; echo n > new/deep/n; echo o > d11/other/o
for i in $(seq 40); do echo $i > new/$i; done; mv d13 moved; mv d14/e4 d15/; chmod 700 d16; chmod 755 main.c; rm soft0; ln -s other soft0; rm soft4; mkdir soft4
ln new/1 new/hard; rm hard8; echo solid > hard8; touch -d 2002-02-02 Makefile; truncate -s 1M sparse; rm main.c; mkdir main.c; echo in > main.c/x; rmdir empty; echo file > empty
"""


def after_picture(top, begun_ns):
    """Times that the event made are all the same; those of directories are the commit's."""
    return [repr((*row[:4], "now" if row[4] >= begun_ns else row[4], *row[5:])) for row in rows(top, times=False)]


class Torn:
    """A tree, and what it has to be like, wholly before or wholly after."""

    def __init__(self, place):
        adopt(place)
        self.place, self.top, self.begun_ns = place, tree(place), time.time_ns()
        self.before = picture(self.top)
        expect_ok(place.cell("--work", ".", "--", "sh", "-ec", CHANGES, cwd=self.top))
        self.after = after_picture(self.top, self.begun_ns)
        expect_ok(ambit(place, "undo", "last", cwd=self.top))
        expect_same(self.before, picture(self.top), "the tree after undo")

    def judge(self, what):
        """Which of both it is."""
        if self.before == picture(self.top):
            return "before"
        now = after_picture(self.top, self.begun_ns)
        assert self.after == now, (f"{what}: neither before nor after (AMBIT_SEED={SEED}); to after:\n" +
                                   "\n".join(set(self.after) ^ set(now)) + "\nto before:\n" + "\n".join(sorted(set(self.before) ^ set(picture(self.top)))[:12]))
        return "after"

    def state(self):
        listed = stages(self.place, self.top)
        assert len(listed) == 1, listed
        return listed[0]["state"]


def seconds_of(place, *words, cwd):
    begun = time.monotonic()
    expect_ok(ambit(place, *words, cwd=cwd))
    return time.monotonic() - begun


def a_commit_or_undo_that_is_killed(place):
    """One stage, committed and taken back again and again, with SIGKILL at random times; then recovery, by itself or asked for."""
    torn = Torn(place)
    takes = {"commit": seconds_of(place, "commit", cwd=torn.top), "undo": seconds_of(place, "undo", "last", cwd=torn.top)}
    expect_same(torn.before, picture(torn.top))
    seen, hits, wrong = {"before": 0, "after": 0}, 0, []
    for number in range(KILLS):
        deed = "undo" if torn.state() == "committed" else "commit"
        process = start(place, *([deed, "last"] if deed == "undo" else [deed]), cwd=torn.top)
        hits += kill_one({"ambit-stage"} if chance.random() < 0.8 else {"ambit-stage", "ambit"}, chance.uniform(0, 1.1 * takes[deed]))
        process.communicate(timeout=60 * SLOW)
        all_gone()
        what = f"kill {number} of {deed}"
        if chance.random() < 0.5:
            expect_ok(ambit(place, "stage", "recover", cwd=torn.top))
        expect_ok(ambit(place, "diff", "--stat", cwd=torn.top)) if torn.state() == "kept" else None  # whatever command comes next recovers, too
        came, state = torn.judge(what), torn.state()
        seen[came] += 1
        if came != {"kept": "before", "committed": "after"}[state]:
            wrong.append(f"{what}: the tree is as {came}, the stage is said to be {state} (AMBIT_SEED={SEED})")
            torn = Torn(place)
    print(f"# {KILLS} kills, {hits} met the role; {seen}; AMBIT_SEED={SEED}")
    if torn.state() == "committed":
        expect_ok(ambit(place, "undo", "last", cwd=torn.top))
    expect_same(torn.before, picture(torn.top))
    nothing_is_left(place, torn.top)
    tidy(place, torn.top)
    assert not wrong, "\n".join(wrong)


def an_event_that_is_killed(place):
    """At random times, its end with the commit too: the command line, the supervisor, the warden, the role that commits, all."""
    torn = Torn(place)
    expect_ok(ambit(place, "discard", "--all", cwd=torn.top))
    victims = [{"ambit"}, {"ambit-superviso"}, {"ambit-warden"}, {"ambit-stage"}, {"sh"}, {"ambit", "ambit-superviso", "ambit-stage", "ambit-warden"}]
    begun = time.monotonic()
    expect_ok(place.cell("--work", ".", "--", "sh", "-ec", CHANGES, cwd=torn.top))
    takes = time.monotonic() - begun
    expect_ok(ambit(place, "undo", "last", cwd=torn.top))
    expect_ok(ambit(place, "discard", "--all", cwd=torn.top))
    seen, hits = {"before": 0, "after": 0}, 0
    for number in range(KILLS):
        victim = victims[number % len(victims)]
        process = start(place, "run", "--work", ".", "--", "sh", "-ec", CHANGES, cwd=torn.top)
        hits += kill_one(victim, chance.uniform(0, 1.1 * takes))
        process.communicate(timeout=60 * SLOW)
        all_gone()
        what = f"kill {number} of {sorted(victim)}"
        listed = stages(place, torn.top)
        came = torn.judge(what)
        seen[came] += 1
        unmade = [stage for stage in listed if is_unmade(place, stage)]
        assert came == "before" or not unmade, what
        assert {stage["state"] for stage in listed if stage not in unmade} <= ({"committed"} if came == "after" else {"kept", "lost"}), f"{what}: {came}, and {listed}"
        if came == "after":
            expect_ok(ambit(place, "undo", "last", cwd=torn.top))
        expect_same(torn.before, picture(torn.top), what)
        nothing_is_left(place, torn.top)
    print(f"# {KILLS} kills, {hits} met their victim; {seen}; AMBIT_SEED={SEED}")
    tidy(place, torn.top)


SCENARIOS = [what_fails_changes_nothing, the_probe_would_see_it, many_small_files, a_file_of_two_gigabytes, no_lock_of_a_tree_stays, a_full_disk,
             a_commit_or_undo_that_is_killed, an_event_that_is_killed]

if __name__ == "__main__":
    print(f"# AMBIT_SEED={SEED}")
    main(SCENARIOS)
