"""Readers of what Ambit writes that are not ours; tests/peers has them. They are built by the test that first wants one."""

import os
import subprocess
import sys

from harness import AS_USER, Skip, need, told

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = os.path.join(os.path.dirname(HERE), "peers")
LIBRARY = "/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog"


def absent(reason):
    """What .ci/run starts must not go without: it would say that all holds, and nobody but ourselves would have looked."""
    assert os.environ.get("CI") != "true", f"must run in CI: {reason}"
    raise Skip(reason)


def tlog_verify(place):
    """The verifier of logs (tests/peers/tlog-verify)."""
    return peer(place, "tlog-verify")


def the_verifier_is_there(place):
    """A scenario of each suite whose runs may be sampled: root builds it where the other user finds it."""
    assert os.access(tlog_verify(place), os.X_OK)


the_verifier_is_there.always = True


def witness(place):
    """The witness (tests/peers/witness)."""
    return peer(place, "witness")


def peer(place, name):
    """A program beside `ambit`: where an ordinary user finds it too, once root has built it."""
    program = os.path.join(os.path.dirname(place.ambit), name)
    if AS_USER in os.environ:
        if not os.path.exists(program):
            absent("root has not built it, and this user cannot read the sources")
        return program
    if program not in built:
        try:
            need("go")
        except Skip as reason:
            absent(str(reason))
        if not os.path.isdir(LIBRARY):
            absent("golang-golang-x-mod-dev is not installed")
        built.add(program)
        fresh = f"{program}.{os.getpid()}"  # two tests may build it at once
        cache = os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), "go-cache")
        done = subprocess.run([f"{PEERS}/go", "build", "-o", fresh, f"{PEERS}/{name}/main.go"], capture_output=True, text=True,
                              env={**place.environment(), "GOCACHE": cache}, check=False)
        assert done.returncode == 0, told(done)
        os.replace(fresh, program)
    return program


built = set()
