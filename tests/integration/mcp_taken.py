#!/usr/bin/env python3
"""What whoever took over the role ambit-mcp can have the command line do: what was listed for its client, and nothing else.

usage: mcp_taken.py AMBIT TAKEN    (TAP on standard output; as root everything runs a second time as an ordinary user)
"""

import os
import shutil
import subprocess

from harness import PATIENCE, SLOW, copy_executables, expect_ok, main, room_of
from mcp_client import Client, data_of, equal
from sessions import Served


def taken_over(place):
    """The executables, with another in the role's place."""
    directory = os.path.join(place.fresh(), "bin")
    ambit = copy_executables(place.ambit, directory)
    shutil.copy(place.given(1), os.path.join(directory, "ambit-mcp"))
    os.chmod(os.path.join(directory, "ambit-mcp"), 0o755)
    return ambit


def orders(served, ambit, words, *said):
    done = subprocess.run([ambit, "mcp", *room_of(served.place), *words], cwd=served.tree, env=served.environment, input="".join(f"{line}\n" for line in said), capture_output=True, text=True, timeout=SLOW * PATIENCE)
    assert done.returncode != 0 or "gone" not in done.stdout, done
    return [line for line in done.stdout.split("\n")[:-1] if line != "gone"]  # who is ended does not always come to say so


def what_is_not_listed_is_not_done(place):
    ambit = taken_over(place)
    for words, order, wanted in ((("--stage",), "commit", None), ((), "commit", "told 0"), (("--tools", "run,diff"), "discard", None), (("--tools", "run,diff"), "commit", None), (("--stage",), "discard", "told 0"),
                                 (("--stage",), "diff", "told 0"), ((), "nothing", None)):
        with Served(place) as served:
            words = ("--work", ".", "--key", "k", *words)
            with Client(served, *words) as c:
                kept = data_of(c.call("run", argv=["sh", "-c", "echo x > made; exit 1"]))  # what it changed is kept, since it failed
                equal((kept["workspace"], kept["n"]), ("kept", 1))
            heard = orders(served, ambit, words, "open", f"{order} 1")
            equal(heard, ["session", *([wanted] if wanted else [])])
            equal(os.path.exists(os.path.join(served.tree, "made")), (order, wanted) == ("commit", "told 0"))
            expect_ok(served.ambit("session", "list"))


def events_of_others_are_not_reached(place):
    """By its number in the session alone: none of another session has one."""
    ambit = taken_over(place)
    with Served(place) as served:
        with Client(served, "--work", ".", "--key", "other") as c:
            equal(data_of(c.call("run", argv=["sh", "-c", "echo x > made; exit 1"]))["workspace"], "kept")
        heard = orders(served, ambit, ("--work", ".", "--key", "mine"), "open", "commit 1", "commit 18446744073709551615", "commit 0")
        equal(heard, ["session", "told 125", "told 125"])  # and there is no event 0
        assert not os.path.exists(os.path.join(served.tree, "made"))


def nothing_is_done_without_a_session(place):
    ambit = taken_over(place)
    with Served(place) as served:
        equal(orders(served, ambit, ("--work", "."), "commit 1"), [])


if __name__ == "__main__":
    main([what_is_not_listed_is_not_done, events_of_others_are_not_reached, nothing_is_done_without_a_session])
