#!/usr/bin/env python3
"""File systems on which changes can be kept or not, and that can be beneath an overlay or not: what cannot be is refused with the
reason and what to do, and then nothing is left or changed; where only the tree's own cannot, the person's store is used.

usage: filesystems.py AMBIT    (TAP on standard output; mounting needs root, whose scenarios run ambit as root and as another)
"""

import glob
import os
import re
import subprocess
import threading
import time

from harness import ORDINARY, Skip, main, need, told, write
from mounts import in_child, private_mounts

IDS = {"root": 0, "an ordinary user": ORDINARY}
LINUX = tuple(int(part) for part in os.uname().release.split(".")[:2])
CHANGE = "echo more >> a; rm b; mkdir d; echo new > d/n"


class Kind:
    """A file system: how it is made of an image and mounted; what is said of a store and of a tree on it: None if it works."""

    def __init__(self, name, make="", mount="", store=None, tree=None, root=None, needs=(), size="64M", owned=True, seconds=False):
        self.__name__ = name
        self.make, self.mount, self.needs, self.size, self.owned = make, mount, needs, size, owned
        self.store, self.tree, self.root = store, tree, root  # root: what root is told of a tree on it
        self.seconds = seconds  # times have no fraction of a second


KINDS = [
    Kind("ext4", "mkfs.ext4 -q", "-o loop"),
    Kind("ext4 with whole seconds", "mkfs.ext4 -q -I 128", "-o loop", seconds=True),  # nor does it keep births
    Kind("ext4 without kinds", "mkfs.ext4 -q -O ^filetype", "-o loop", store=r"ext4, was made without the kinds of files"),
    Kind("ext4 that may be without case", "mkfs.ext4 -q -O casefold", "-o loop",
         tree=None if LINUX >= (6, 17) else "the kernel refuses an overlay of ext4"),  # of which no directory is so
    Kind("xfs", "mkfs.xfs -q", "-o loop", needs=["mkfs.xfs"], size="400M"),
    Kind("xfs without kinds", "mkfs.xfs -q -m crc=0 -n ftype=0", "-o loop", needs=["mkfs.xfs"], size="400M",
         store="xfs, was made without the kinds of files"),
    Kind("btrfs", "mkfs.btrfs -q", "-o loop", needs=["mkfs.btrfs"], size="256M"),
    Kind("vfat", "mkfs.vfat", "-o loop,umask=077,uid={uid},gid={uid}", needs=["mkfs.vfat"], owned=False,
         store="no overlay can write to its file system, vfat", tree="the kernel refuses an overlay of vfat"),
    Kind("tmpfs", mount="-t tmpfs"),
    Kind("ramfs", mount="-t ramfs", store="ramfs, keeps no attributes of users", root="ramfs, cannot be mounted with other owners"),
    Kind("overlay", mount="-t overlay -o lowerdir={side}/l,upperdir={side}/u,workdir={side}/w",
         store="no overlay can write to its file system, overlay", root="overlay, cannot be mounted with other owners"),
]


class Person:
    """Who runs ambit: with a home, and a tree, each of which may lie on what is tried."""

    def __init__(self, place, uid, home, top):
        self.place, self.uid, self.home, self.top = place, uid, home, top

    def ambit(self, *words):
        who = [] if self.uid == 0 else ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"]
        self.place.home = self.home
        # root's ledger cannot lie in each of these homes, and nothing would run
        return self.place.run(*who, "env", "AMBIT_LEDGER=none", self.place.ambit, *words, cwd=self.top)

    def work(self, *flags, script=CHANGE):
        return self.ambit("run", *flags, "--work", ".", "--", "sh", "-ec", script)


def directory(path, uid, kind=None):
    os.mkdir(path, 0o700)
    if kind is None or kind.owned:
        os.chown(path, uid, uid)
    return path


def person(place, kind, uid, mounted, others, name, home_there, tree_there):
    """A home and a tree, on the mounted file system or beside it."""
    where = {True: (mounted, kind), False: (others, None)}
    home = directory(f"{where[home_there][0]}/home-{name}", uid, where[home_there][1])
    top = directory(f"{where[tree_there][0]}/tree-{name}", uid, where[tree_there][1])
    for file in ("a", "b"):
        write(f"{top}/{file}", f"{file}\n")
        if not tree_there or kind.owned:
            os.chown(f"{top}/{file}", uid, uid)
    if tree_there and kind.seconds:
        time.sleep(1.1)  # what was written in the second in which an event begins counts as written meanwhile
    return Person(place, uid, home, top)


def listed(top):
    return sorted((name, open(f"{top}/{name}").read() if name != "d" else "") for name in os.listdir(top))


BEFORE = [("a", "a\n"), ("b", "b\n")]
AFTER = [("a", "a\nmore\n"), ("d", "")]


def expect_refused(p, result, says, mounted, direct=True):
    assert result.returncode == 125, f"{p.top}: not refused: {told(result)}"
    assert re.search(f"why: .*{says}", result.stderr), f"{p.top}: no {says!r}: {told(result)}"
    assert not direct or re.search("hint: .*--direct", result.stderr), f"{p.top}: --direct is not named: {told(result)}"
    assert listed(p.top) == BEFORE, f"{p.top} was changed: {listed(p.top)}"
    left = glob.glob(f"{mounted}/.ambit-*") + glob.glob(f"{p.home}/.local/state/ambit/stages/e_*")
    assert not left, f"left: {left}"


def expect_committed(p, result, mounted):
    assert result.returncode == 0, f"{p.top}: {told(result)}"
    assert listed(p.top) == AFTER, f"{p.top}: {listed(p.top)}"
    undone = p.ambit("undo", "last")
    assert undone.returncode == 0 and listed(p.top) == BEFORE, f"{p.top}: not taken back: {listed(p.top)}; {told(undone)}"
    thrown = p.ambit("discard", "--all")
    left = glob.glob(f"{mounted}/.ambit-*/e_*")
    assert thrown.returncode == 0 and not left, f"left: {left}; {told(thrown)}"


def keeps_user_attributes(path):
    try:
        os.setxattr(path, "user.trial", b"1")
    except OSError:
        return False
    os.removexattr(path, "user.trial")
    return True


def maps_owners(place, mounted):
    """Whether root's cells can have a tree of it: tried by one that is only read."""
    place.home = os.path.dirname(mounted)
    return place.cell("--read", ".", "--", "ls", cwd=mounted).returncode == 0


def try_as(place, kind, who, uid, mounted, others):
    store, tree = kind.store, kind.tree
    if uid == 0 and not maps_owners(place, mounted):
        tree = kind.root or "cannot be mounted with other owners"
        assert kind.root or kind.__name__ in ("tmpfs", "vfat"), f"{kind.__name__} is not known to do without"  # tmpfs: Linux 6.3
    if kind.__name__ == "tmpfs" and not keeps_user_attributes(mounted):
        store = "tmpfs, keeps no attributes of users before Linux 6.6"

    def place_of(name, home_there, tree_there):
        return person(place, kind, uid, mounted, others, f"{uid}-{name}", home_there, tree_there)

    p = place_of("both", True, True)
    both = store or tree
    result = p.work()
    if both:
        expect_refused(p, result, both, mounted, direct=both in (store, kind.tree))
    else:
        expect_committed(p, result, mounted)
    doctor = p.ambit("doctor")
    seen = re.search(r"(yes|NO)\s+overlays.*", doctor.stdout)
    assert seen and (seen[1] == "NO") == bool(store or kind.tree), f"{who}: doctor says {seen and seen[0]}"

    p = place_of("store", True, False)
    expect_committed(p, p.work(), mounted)  # by a part on the tree's own file system

    p = place_of("tree", False, True)
    result = p.work()
    if tree:
        expect_refused(p, result, tree, mounted, direct=tree == kind.tree)
    else:
        expect_committed(p, result, mounted)

    p = place_of("direct", True, True)
    if uid == 0 and tree and tree != kind.tree:
        expect_refused(p, p.work("--direct"), tree, mounted, direct=False)
        return
    if kind.__name__ == "ramfs":  # of which not even a size is known
        result = p.work("--direct")
        assert result.returncode == 125 and "nobody counts what is written to" in result.stderr and listed(p.top) == BEFORE, told(result)
        result = p.work("--direct", "--limit", "disk=none")
    else:
        result = p.work("--direct")
    assert result.returncode == 0 and listed(p.top) == AFTER, f"{who}, --direct: {listed(p.top)}; {told(result)}"
    if kind.__name__ != "ramfs":
        the_limit_holds(place_of("direct-limit", True, True), "--direct")
    if not both:
        the_limit_holds(place_of("staged-limit", True, True))


def the_limit_holds(p, *flags):
    """Of what is written, many small files that each are far below it."""
    script = "for i in $(seq {}); do head -c 1000000 /dev/zero > f$i; done; sync; sleep 1"
    result = p.work("--limit", "disk=8M", *flags, script=script.format(4))  # the twin
    assert result.returncode == 0, f"{p.top} {flags}: {told(result)}"
    result = p.work("--limit", "disk=8M", *flags, script=script.format(24))
    assert result.returncode == 125 and "ended by its limit: disk=8M" in result.stderr, f"{p.top} {flags}: {told(result)}"


def shell(text):
    return subprocess.run(["sh", "-ec", text], capture_output=True, text=True)


def mount(kind, uid, image, mounted):
    """Mounted, and everybody may make a directory there, as in /tmp."""
    side = f"{image}.side"
    text = f"mkdir {side} {side}/l {side}/u {side}/w\n"
    if kind.make:
        text += f"truncate -s {kind.size} {image}; {kind.make} {image}\n"
    result = shell(text + f"mount {kind.mount.format(side=side, uid=uid)} {image if kind.make else 'none'} {mounted}\n")
    if result.returncode != 0:
        said = " ".join(result.stderr.split())
        raise Skip(f"cannot be made or mounted here: {said[-160:]}")
    if kind.owned:
        os.chmod(mounted, 0o1777)


def volume(path):
    """A mount of its own, where everybody may make a directory: nothing of it lies in /var/tmp then."""
    os.mkdir(path)
    os.chmod(path, 0o1777)
    subprocess.run(["mount", "--bind", path, path], check=True)
    return path


def scenario(kind):
    def run(place):
        private_mounts()
        need("setpriv", "mount", *kind.needs)
        for who, uid in IDS.items():
            fresh = place.fresh()
            mounted, others = f"{fresh}/mounted", volume(f"{fresh}/others")
            os.mkdir(mounted)
            mount(kind, uid, f"{fresh}/image", mounted)
            try_as(place, kind, who, uid, mounted, others)
    run.__name__ = kind.__name__
    return in_child(run)


@in_child
def an_edit_in_the_same_second(place):
    """Of a tree whose times are of whole seconds: an edit right after the start has a time from before it, and is found."""
    private_mounts()
    need("setpriv", "mount")
    kind = next(kind for kind in KINDS if kind.seconds)
    for home_there in True, False:  # with changes on a file system that keeps no births, and on one that does
        fresh = place.fresh()
        mounted, others = f"{fresh}/mounted", volume(f"{fresh}/others")
        os.mkdir(mounted)
        mount(kind, ORDINARY, f"{fresh}/image", mounted)
        if not home_there:
            os.chmod(mounted, 0o755)  # no part beside the tree then
        p = person(place, kind, ORDINARY, mounted, others, "seconds", home_there, True)
        for _ in range(20):
            time.sleep(1 - time.time() % 1)
            began, results = int(time.time()), []
            event = threading.Thread(target=lambda: results.append(p.work(script="sleep 1.5; echo inside > a")))
            event.start()
            stages = f"{p.home}/.local/state/ambit/stages"
            while event.is_alive() and not glob.glob(f"{stages}/e_*/meta"):
                time.sleep(0.002)
            time.sleep(0.05)
            write(f"{p.top}/a", "outside\n")
            same = int(time.time()) == began
            event.join()
            if same:
                break
            p.ambit("discard", "--all")
        else:
            raise Skip("too slow to begin and edit in one second")
        assert glob.glob(f"{stages}/e_*/0") or home_there, "it lies beside the tree"
        assert results[0].returncode == 123 and open(f"{p.top}/a").read() == "outside\n", told(results[0])


@in_child
def an_edit_in_the_second_of_an_undo(place):
    """Of such a tree: an edit right after an undo has the time of change that the undo gave the file, and nothing counts as unchanged for that."""
    private_mounts()
    need("setpriv", "mount")
    kind = next(kind for kind in KINDS if kind.seconds)
    fresh = place.fresh()
    mounted, others = f"{fresh}/mounted", volume(f"{fresh}/others")
    os.mkdir(mounted)
    mount(kind, ORDINARY, f"{fresh}/image", mounted)
    p = person(place, kind, ORDINARY, mounted, others, "seconds", True, True)
    for _ in range(20):
        for script in "echo 1 > a", "echo 2 > a":
            result = p.work(script=script)
            assert result.returncode == 0, told(result)
            time.sleep(1.1)
        time.sleep(1 - time.time() % 1)
        assert p.ambit("undo", "last").returncode == 0 and open(f"{p.top}/a").read() == "1\n"
        was = os.stat(f"{p.top}/a")
        write(f"{p.top}/a", "3\n")
        os.utime(f"{p.top}/a", ns=(was.st_atime_ns, was.st_mtime_ns))
        same = os.stat(f"{p.top}/a").st_ctime_ns == was.st_ctime_ns
        result = p.ambit("undo", "last")
        if same:
            break
        p.ambit("discard", "--all")
        time.sleep(1.1)
    else:
        raise Skip("too slow to undo and edit in one second")
    assert result.returncode == 125 and open(f"{p.top}/a").read() == "3\n", told(result)


@in_child
def a_tree_of_a_lower_layer(place):
    """A commit changes names of an overlay, whose files are copied up by that: they are still the same ones."""
    private_mounts()
    need("setpriv", "mount")
    fresh = place.fresh()
    for name in ("lower", "upper", "work", "mounted", "others"):
        os.mkdir(f"{fresh}/{name}")
    lower = person(place, KINDS[0], ORDINARY, f"{fresh}/lower", f"{fresh}/others", "lower", False, True)
    subprocess.run(["mount", "-t", "overlay", "-o", f"lowerdir={fresh}/lower,upperdir={fresh}/upper,workdir={fresh}/work", "none",
                    f"{fresh}/mounted"], check=True)
    p = Person(place, ORDINARY, lower.home, f"{fresh}/mounted/tree-lower")
    expect_committed(p, p.work(), f"{fresh}/mounted")


def home_on_an_overlay(place, uid):
    """As in a container: the tree lies in a volume."""
    overlay = next(kind for kind in KINDS if kind.__name__ == "overlay")
    fresh = place.fresh()
    mounted = f"{fresh}/mounted"
    os.mkdir(mounted)
    mount(overlay, uid, f"{fresh}/image", mounted)
    return person(place, overlay, uid, mounted, volume(f"{fresh}/others"), str(uid), True, False)


@in_child
def a_ledger_on_an_overlay(place):
    """As in most containers: an ordinary user's lies there as well; root is told where it can."""
    private_mounts()
    need("setpriv", "mount")
    for uid in IDS.values():
        p = home_on_an_overlay(place, uid)
        result = p.ambit("run", "--ledger", f"{p.home}/ledger", "--", "echo", "ran")
        if uid != 0:
            assert result.returncode == 0 and result.stdout == "ran\n" and "a new ledger" in result.stderr, told(result)
            continue
        assert result.returncode == 125 and result.stdout == "" and "a volume) with --ledger" in result.stderr, told(result)
        result = p.ambit("run", "--ledger", f"{p.top}/ledger", "--", "echo", "ran")
        assert result.returncode == 0 and result.stdout == "ran\n", told(result)


@in_child
def secrets_of_a_tree_in_a_volume(place):
    """In a container the home is on an overlay and the tree in a volume: what hides names cannot lie in the home either."""
    private_mounts()
    need("setpriv", "mount")
    for uid in IDS.values():
        p = home_on_an_overlay(place, uid)
        write(f"{p.top}/.env", "SECRET\n")
        os.chown(f"{p.top}/.env", uid, uid)
        result = p.work(script="cat a; ! cat .env; " + CHANGE)
        assert result.returncode == 0 and "SECRET" not in result.stdout and "a\n" in result.stdout, told(result)
        assert sorted(os.listdir(p.top)) == [".env", "a", "d"] and open(f"{p.top}/.env").read() == "SECRET\n"


@in_child
def secrets_of_a_container(place):
    """Home and tree are on the same overlay, as in a container without volumes: there only names in place can be hidden."""
    private_mounts()
    need("setpriv", "mount")
    overlay = next(kind for kind in KINDS if kind.__name__ == "overlay")
    fresh = place.fresh()
    mounted = f"{fresh}/mounted"
    os.mkdir(mounted)
    mount(overlay, ORDINARY, f"{fresh}/image", mounted)
    p = person(place, overlay, ORDINARY, mounted, None, "container", True, True)
    os.mkdir(f"{p.top}/.git")
    write(f"{p.top}/.git/config", "[core]\n")
    write(f"{p.top}/.env", "SECRET\n")
    volume(f"{p.top}/volume")
    write(f"{p.top}/volume/.env", "SECRET\n")
    os.mkfifo(f"{p.top}/pipe")
    subprocess.run(["chown", "-R", f"{ORDINARY}:{ORDINARY}", p.top], check=True)
    for flags, volumes in (["--direct", "--work", "."], "--exclude-dir=volume"), (["--read", "."], ""):
        result = p.ambit("run", *flags, "--", "sh", "-ec", f"cat a; ! cat .env; ! grep -r {volumes} SECRET .")
        assert result.returncode == 0 and "SECRET" not in result.stdout and "a\n" in result.stdout, f"{flags}: {told(result)}"
    heard = os.open(f"{p.top}/pipe", os.O_RDWR | os.O_NONBLOCK)
    for flags, told_it in (["--read", "."], False), (["--direct", "--work", "."], True):
        result = p.ambit("run", *flags, "--", "sh", "-c", "echo told 1<> pipe; echo ended")
        assert "ended" in result.stdout, told(result)
        try:
            assert os.read(heard, 100) and told_it, f"{flags}: {told(result)}"
        except BlockingIOError:
            assert not told_it, f"{flags}: {told(result)}"
    assert not glob.glob(f"{mounted}/.ambit-*")


if __name__ == "__main__":
    main([*(scenario(kind) for kind in KINDS), an_edit_in_the_same_second, an_edit_in_the_second_of_an_undo, a_tree_of_a_lower_layer, a_ledger_on_an_overlay, secrets_of_a_tree_in_a_volume, secrets_of_a_container])
