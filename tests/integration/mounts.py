"""Scenarios that mount something: in a mount namespace of their own, which ends with them."""

import ctypes
import os
import subprocess

from harness import Skip


def private_mounts(*also):
    """Runs the rest of the scenario in a mount namespace of its own, or skips it."""
    if os.geteuid() != 0:
        raise Skip("mounting needs root")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x00020000) != 0 or subprocess.run(["mount", "--make-rprivate", "/"]).returncode != 0:
        raise Skip("no mount namespace of its own")
    for words in also:
        subprocess.run(["mount", *words], check=True)


def in_child(scenario):
    """The scenario in a process of its own, which may change its namespaces."""
    def run(place):
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            text = b""
            place.count += 1000 + (os.getpid() << 12)  # directories that the others will not take
            try:
                scenario(place)
            except Skip as reason:
                text = b"S" + str(reason).encode()
            except BaseException as problem:
                text = b"F" + f"{type(problem).__name__}: {problem}".encode()
            os.write(writing, text[:60000])
            os._exit(0)
        os.close(writing)
        text = b""
        while piece := os.read(reading, 65536):
            text += piece
        os.close(reading)
        os.waitpid(pid, 0)
        if text[:1] == b"S":
            raise Skip(text[1:].decode())
        assert not text, text[1:].decode(errors="replace")
    run.__name__ = scenario.__name__
    return run
