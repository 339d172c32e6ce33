#!/usr/bin/env python3
"""Staged and committed, or run bare: the result is the same, or the difference is in the table of doc/WORKSPACE.md.

usage: work.py AMBIT WORKSPACE.md    (TAP on standard output; as root once more as an ordinary user)
"""

import os
import re
import sys

from harness import Skip, main
from work_git import SCENARIOS as GIT
from work_tools import SCENARIOS as TOOLS
from work_files import SCENARIOS as FILES

SCENARIOS = [*GIT, *FILES, *TOOLS]


def the_table_and_the_scenarios_agree(place):
    """Each row names the scenarios that show it, and each scenario that differs is named by its row."""
    if not os.access(sys.argv[2], os.R_OK):
        raise Skip("this user may not read the table; root did")
    with open(sys.argv[2], encoding="utf-8") as file:
        text = file.read()
    table = text.split("## Differences from running bare")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in table.splitlines() if line.startswith("|")][2:]
    assert rows and all(len(row) == 4 and all(row) for row in rows), f"not a table of four columns: {rows}"
    written = {(row[0], name) for row in rows for name in re.findall(r"`([^`]+)`", row[3])}
    shown = {(row, scenario.__name__) for scenario in SCENARIOS for row in scenario.differs}
    assert written == shown, f"only in the table: {sorted(written - shown)}\nonly shown: {sorted(shown - written)}"
    names = [scenario.__name__ for scenario in SCENARIOS]
    assert len(set(names)) == len(names), "two scenarios of one name"


def sample():
    """All with AMBIT_SOAK or AMBIT_TEST_ONLY; else each fourth one, root's others than an ordinary user's: they take minutes."""
    if os.environ.get("AMBIT_SOAK", "1") != "1" or os.environ.get("AMBIT_TEST_ONLY"):
        return SCENARIOS
    return SCENARIOS[0 if os.geteuid() == 0 else 2::4]


if __name__ == "__main__":
    main([*sample(), the_table_and_the_scenarios_agree])
