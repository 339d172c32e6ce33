#!/usr/bin/env python3
"""The package @ambit/vm2 with each version of Node that it is promised for, beside the machine's own (vm2.py).

usage: vm2_nodes.py AMBIT PACKAGE tests/peers/nodes    (TAP on standard output; AMBIT_SOAK=1 runs all scripts with each)
"""

import glob
import os

from harness import Skip, main, once
from vm2 import acorn, lines_of, without_sanitizer

SCRIPTS = {"values.test.js": ["300"], "ambit.js": None}
ALL = {**SCRIPTS, "hostile.js": None, "survive.js": None, "behaviour/run.js": None}  # None: the module is told


def versions(place):
    found = sorted(glob.glob(os.path.join(place.given(2), "node_modules", "node*", "bin", "node")))
    if not found:
        raise Skip("no other versions of Node are installed (npm ci --prefix tests/peers/nodes)")
    return found


@once
def it_does_the_same_with_each_node(place):
    without_sanitizer(place)
    acorn(place)
    for program in versions(place):
        print(f"# {program.split(os.sep)[-3]}", flush=True)
        for script, words in (ALL if os.environ.get("AMBIT_SOAK") else SCRIPTS).items():
            lines_of(place, script, *(words or [os.path.abspath(place.given(1))]), patience=900, program=program)


if __name__ == "__main__":
    main([it_does_the_same_with_each_node])
