#!/usr/bin/env python3
"""Tasks of coding agents come to what the bench of them says (bench/friction.py): each once, bare, by `ambit run` and by `ambit mcp`. Of the list each user takes a part, by seed; the slow ones are for AMBIT_SOAK.

usage: friction_short.py AMBIT BENCH    (TAP on standard output; as root once more as an ordinary user)"""

import os
import sys

from harness import Skip, main, room_of

BENCH = next(path for path in (os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), "bench"), sys.argv[2]) if os.access(os.path.join(path, "friction.py"), os.R_OK))
sys.path.insert(0, BENCH)

import friction  # noqa: E402  pylint: disable=wrong-import-position

SLOW = ("virtual environment", "long test with progress", "update a dependency")


def scenario(task):
    def tried(place):
        if missing := friction.missing(task):
            raise Skip(f"no {missing[0]}")
        with friction.world_of(place.ambit, room_of(place)) as world:
            problems = friction.Row(world, task, 0).problems()
        assert problems == [], "\n".join(problems)
    tried.__name__ = task.name.replace(" ", "_").replace(",", "")
    return tried


def what_differs_is_noticed(place):
    """The twin: a task that is expected to be the same, and is not."""
    task = next(t for t in friction.TASKS if t.name == "read a key")
    with friction.world_of(place.ambit, room_of(place)) as world:
        row = friction.Row(world, task, 0)
        task.expects, before = friction.SAME, task.expects
        try:
            assert len(row.problems()) == 2, row.problems()
        finally:
            task.expects = before


if __name__ == "__main__":
    main([*(scenario(t) for t in friction.TASKS if t.name not in SLOW or "AMBIT_SOAK" in os.environ), what_differs_is_noticed])
