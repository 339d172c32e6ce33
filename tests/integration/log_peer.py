#!/usr/bin/env python3
"""Logs that the ledger's writer wrote, read by a verifier that is not ours (tests/peers/tlog-verify).

usage: log_peer.py AMBIT WRITE_LOG    (TAP on standard output; as root once more as an ordinary user)
"""

import os
import random
import shutil
import subprocess
import time

from harness import main, told
from peer import the_verifier_is_there, tlog_verify

NAME = "ambit.test/written"


class Written:
    """A log of ours."""

    def __init__(self, place):
        self.place = place
        self.dir = os.path.join(place.fresh(), "log")
        self.command = place.given(1)
        self.key = None

    def write(self, n, group=100, publish=10):
        """(what was found on opening, the last size that was said to be durable)"""
        done = self.place.run(self.command, self.dir, NAME, str(n), str(group), str(publish), cwd=self.place.top)
        assert done.returncode == 0, told(done)
        return self.read(done.stdout)

    def read(self, said):
        lines = said.splitlines()
        self.key = lines[0] if lines else self.key
        found = tuple(int(word) for word in lines[1].split()[1:]) if len(lines) > 1 else None
        return found, int(lines[-1].split()[1]) if len(lines) > 2 and lines[-1].startswith("durable ") else None

    def check(self, *words):
        return self.place.run(tlog_verify(self.place), "check", self.dir, self.key, *words, cwd=self.place.top)

    def believed(self, *words):
        done = self.check(*words)
        assert done.returncode == 0, told(done)

    def size(self):
        with open(f"{self.dir}/checkpoint", encoding="utf-8") as file:
            return int(file.read().splitlines()[1])


def logs_of_all_sizes_are_believed(place):
    for size in (0, 1, 2, 255, 256, 257, 511, 512, 65536, 70000):
        log = Written(place)
        log.write(size, group=257 if size > 1000 else 7, publish=40)
        assert log.size() == size
        log.believed()


def a_log_that_grows_is_believed(place):
    """From each checkpoint that it had, also across restarts."""
    log = Written(place)
    saved = []
    for n in (1, 99, 156, 1, 300, 4000, 65000):
        found, _ = log.write(n, group=64, publish=3)
        assert found == (sum(more for _, more in saved), 0, 0), found
        shutil.copy(f"{log.dir}/checkpoint", f"{log.dir}-{len(saved)}")
        saved.append((f"{log.dir}-{len(saved)}", n))
        for old, _ in saved:
            log.believed("--old", old)


def a_writer_that_is_killed_loses_nothing(place):
    """At any time; what it said is durable is there, and whoever comes next goes on from there."""
    log = Written(place)
    rng = random.Random(5)
    durable = 0
    for turn in range(25 * int(os.environ.get("AMBIT_SOAK", "1"))):
        writer = subprocess.Popen([log.command, log.dir, NAME, "1000000", str(rng.randrange(1, 40)), str(rng.randrange(1, 6))], cwd=place.top,
                                  stdout=subprocess.PIPE, text=True)
        time.sleep(rng.random() * 0.08)  # and not until something is seen: any moment will do
        writer.kill()
        found, last = log.read(writer.communicate()[0].rpartition("\n")[0])
        if found:
            assert found[0] + found[1] >= durable, (turn, found, durable)
        durable = max(durable, last or 0)
    found, _ = log.write(1)
    assert found[0] + found[1] >= durable and log.size() == found[0] + found[1] + 1
    log.believed()


def a_changed_bit_is_found(place):
    """The twin of all that is believed here: of our files, too."""
    log = Written(place)
    log.write(600)
    files = [os.path.join(at, name) for at, _, names in os.walk(f"{log.dir}/tile") for name in names] + [f"{log.dir}/checkpoint"]
    assert len(files) == 8, files
    for path in files:
        with open(path, "r+b") as file:
            data = bytearray(file.read())
            data[len(data) // 2] ^= 1
            file.seek(0)
            file.write(data)
        assert log.check().returncode == 1, path
        data[len(data) // 2] ^= 1
        with open(path, "wb") as file:
            file.write(data)
    log.believed()


if __name__ == "__main__":
    main([the_verifier_is_there, logs_of_all_sizes_are_believed, a_log_that_grows_is_believed, a_writer_that_is_killed_loses_nothing, a_changed_bit_is_found])
