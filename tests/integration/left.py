"""What a daemon and its events may leave behind on the host: counted, for the tests that say that nothing grows and nothing stays."""

import contextlib
import ctypes
import glob
import os
import re

PR_SET_CHILD_SUBREAPER = 36
GROUP = re.compile(r"^ambit-(\d+)-(\d+)-(e_[0-9A-Z]{26})$")


def become_parent():
    """What loses its parent becomes this process's child: supervisors and the daemon, which so are found however they are called."""
    assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def stat_of(pid):
    """(name, state, parent, start); None: it is gone."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        name, _, rest = file.read().partition("(")[2].rpartition(")")
        return name, rest.split()[0], int(rest.split()[1]), rest.split()[19]
    return None


def reap():
    """Those of ours that have ended; a child that somebody here waits for is no `ambit-...`."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        stat = stat_of(pid)
        if stat is not None and stat[1] == "Z" and stat[2] == os.getpid() and stat[0].startswith("ambit-"):
            with contextlib.suppress(ChildProcessError):
                os.waitpid(int(pid), os.WNOHANG)


def descendants():
    """{pid: name} of all beneath this process that live."""
    stats = {int(pid): stat for pid in filter(str.isdigit, os.listdir("/proc")) if (stat := stat_of(pid)) is not None}
    found = {}
    for pid, stat in stats.items():
        above = stat[2]
        while above > 1 and above != os.getpid():
            above = stats[above][2] if above in stats else 0
        if above == os.getpid() and stat[1] != "Z":
            found[pid] = stat[0]
    return found


def others():
    """{pid: name} of those, without the ledger's own process and those above it, which stay for a while on purpose."""
    found = descendants()
    for pid in [pid for pid, name in found.items() if name == "ambit-ledger"]:
        while pid in found:
            del found[pid]
            pid = (stat_of(pid) or (None, None, 0))[2]
    return found


def resident_kib(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return next((int(line.split()[1]) for line in file if line.startswith("VmRSS")), 0)
    return 0


def descriptors(pid):
    """None: not ours to count."""
    with contextlib.suppress(OSError):
        return len(os.listdir(f"/proc/{pid}/fd"))
    return None


def mounts(pid="self"):
    """The mount points of a process's namespace; None: it is gone, or not ours to read."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        return sorted(line.split()[4] for line in file)
    return None


def groups():
    """[(pid, start, event, path)] of the control groups of events, of whichever version they are."""
    found = []
    for root in glob.glob("/sys/fs/cgroup/*") + ["/sys/fs/cgroup"]:
        if os.path.islink(root) or not os.path.exists(os.path.join(root, "cgroup.procs")):
            continue
        for path, names, _ in os.walk(root):
            found += [(*match.groups(), os.path.join(path, name)) for name in names if (match := GROUP.match(name))]
    return found


def groups_of_nobody(before=()):
    """Those whose supervisor is dead, and that were not there before."""
    known = {path for *_, path in before}
    dead = [path for pid, start, _, path in groups() if path not in known and ((stat := stat_of(pid)) is None or stat[1] == "Z" or stat[3] != start)]
    return [path for path in dead if os.path.exists(path)]  # its supervisor may have taken it away while this looked


def files_beneath(top):
    return sum(len(names) for _, _, names in os.walk(top))


def strays(before=()):
    """Files in the directories that all share, of this user, that have our name and are no test's; without those that were there before."""
    found = []
    for top in ("/tmp", "/var/tmp", "/dev/shm"):
        with contextlib.suppress(OSError):
            for entry in os.scandir(top):
                with contextlib.suppress(OSError):
                    if "ambit" in entry.name and not entry.name.startswith(("ambit-test-", "ambit-bench")) and entry.stat(follow_symlinks=False).st_uid == os.getuid():
                        found.append(entry.path)
    return sorted(set(found) - set(before))
