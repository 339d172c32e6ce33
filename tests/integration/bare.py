"""One script, run bare in a tree and staged in a copy of it: what came of it, and what it said, has to be the same.

A scenario that shows a difference names it: `differs` maps a row of the table in doc/WORKSPACE.md to patterns, and then each
difference has to match one, and each pattern to be met. Times are told as `now` if the script could have made them: everything
that it found is from 2020. Names that match `blur` are compared without size and content, and `look` says how instead;
those that match `untimed` without their times."""

import os
import re
import shutil
import stat
import subprocess
import time

from harness import PATIENCE, SLOW, expect_ok, need, told
from trees import objects, rows

OLD_NS = 1577934245 * 10**9  # 2020-01-02
PREAMBLE = """export HOME="$(mktemp -d)" PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin LC_ALL=C.UTF-8 TZ=UTC PYTHONDONTWRITEBYTECODE=1
unset XDG_STATE_HOME XDG_CACHE_HOME XDG_CONFIG_HOME
"""
FIELDS = ("name", "mode", "owner", "size", "time", "content", "attributes", "same file as", "holes")


def python(code):
    return f"python3 - <<'THE_END'\n{code}\nTHE_END\n"


def holes(path):
    """Where a file has data, as far as its file system tells."""
    st = os.lstat(path)
    if not stat.S_ISREG(st.st_mode) or st.st_size == 0:
        return ()
    found, at = [], 0
    try:
        fd = os.open(path, os.O_RDONLY)
    except PermissionError:
        return ()
    try:
        while at < st.st_size:
            begin = os.lseek(fd, at, os.SEEK_DATA)
            at = os.lseek(fd, begin, os.SEEK_HOLE)
            found.append((begin, at))
    except OSError:
        pass  # ENXIO: no data after it
    finally:
        os.close(fd)
    return tuple(found)


def age(top):
    """Everything is old."""
    for _, path in sorted(objects(top), reverse=True):
        os.utime(path, ns=(OLD_NS, OLD_NS), follow_symlinks=False)


def see(top, begun_ns, blur, untimed):
    """{name: fields}, without what a second run of the same script would make different."""
    seen = {}
    for row in rows(top):
        name, fields = row[0], list(row) + [holes(os.path.join(os.fsencode(top), row[0]))]
        fields[4] = "now" if row[4] >= begun_ns else row[4]
        if any(re.search(pattern, os.fsdecode(name)) for pattern in blur):
            fields[3] = fields[5] = fields[8] = "any"
        if any(re.search(pattern, os.fsdecode(name)) for pattern in untimed):
            fields[4] = "any"
        seen[os.fsdecode(name)] = fields[1:]
    return seen


def compare(bare, staged):
    """Lines, each beginning with the name of what differs."""
    lines = []
    for name in sorted(set(bare) | set(staged)):
        shown = name.encode(errors="surrogateescape").decode(errors="backslashreplace")
        if name not in staged:
            lines.append(f"{shown}: is not there")
        elif name not in bare:
            lines.append(f"{shown}: is there")
        else:
            lines += [f"{shown}: {field} {was!r}, staged {now!r}" for field, was, now in zip(FIELDS[1:], bare[name], staged[name])
                      if was != now]
    return lines


def compare_said(bare, staged):
    was, now = bare.splitlines(), staged.splitlines()
    return [f"said: {a!r}, staged {b!r}" for a, b in zip(was + [""] * len(now), now + [""] * len(was)) if a != b]


class Scenario:
    def __init__(self, name, script, before="", needs=(), flags=(), look="", blur=(), untimed=(), differs=None, preamble="", patience=2 * PATIENCE,
                 check=None):
        self.__name__ = name
        self.script, self.before, self.look = preamble + script, preamble + before, preamble + look
        self.needs, self.flags, self.blur, self.differs, self.patience = needs, list(flags), blur, differs or {}, patience
        self.untimed = untimed
        self.check = check  # called first; raises Skip

    def shell(self, place, script, top, tree):
        environment = {**place.environment(), "TMPDIR": os.path.join(top, "tmp")}
        return subprocess.run(["sh", "-ec", PREAMBLE + script], cwd=tree, env=environment, capture_output=True, text=True,
                              errors="backslashreplace", timeout=SLOW * self.patience, stdin=subprocess.DEVNULL)

    def __call__(self, place):
        need(*self.needs)
        if self.check:
            self.check()
        top = place.fresh()
        place.home = os.path.join(top, "home")
        tree, bare, again = (os.path.join(top, name) for name in ("tree", "bare", "again"))
        for directory in (tree, place.home, os.path.join(top, "tmp")):
            os.mkdir(directory)
        expect_ok(self.shell(place, self.before, top, tree))
        age(tree)
        subprocess.run(["cp", "-a", tree, again], check=True)

        begun_ns = time.time_ns() - 11 * 10**8  # the clock of files is a tick behind, and some tools set whole seconds
        result = expect_ok(self.shell(place, self.script, top, tree))
        expected, said = see(tree, begun_ns, self.blur, self.untimed), result.stdout
        expected_look = expect_ok(self.shell(place, self.look, top, tree)).stdout
        os.rename(tree, bare)
        os.rename(again, tree)

        begun_ns = time.time_ns() - 11 * 10**8
        result = place.cell("--work", ".", *self.flags, "--", "sh", "-ec", PREAMBLE + self.script, cwd=tree, timeout=self.patience,
                            stdin=subprocess.DEVNULL)
        if result.returncode != 0 and "it fails" not in str(self.differs):
            raise AssertionError(told(result))
        found = compare_said(said, result.stdout)
        if result.returncode != 0:
            found.append(f"said: it fails with {result.returncode}")
        found += compare(expected, see(tree, begun_ns, self.blur, self.untimed))
        found += compare_said(expected_look, self.shell(place, self.look, top, tree).stdout)
        shutil.rmtree(bare, ignore_errors=True)
        shutil.rmtree(tree, ignore_errors=True)
        self.judge(found, result)

    def judge(self, found, result):
        patterns = [pattern for row in self.differs.values() for pattern in row]
        more = [line for line in found if not any(re.search(pattern, line) for pattern in patterns)]
        assert not more, "differs from running bare:\n" + "\n".join(more[:20]) + f"\nits errors: {result.stderr[-800:]}"
        for pattern in patterns:
            assert any(re.search(pattern, line) for line in found), f"does not differ any more: {pattern!r}; take it out of the table"
