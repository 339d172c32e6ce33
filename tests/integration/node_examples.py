#!/usr/bin/env python3
"""The examples for packages of npm that agents are made with: installed as their READMEs say, and run with a real daemon.

usage: node_examples.py AMBIT PACKAGE LANGCHAIN AGENTS-SDK
(TAP on standard output; as root everything runs a second time as an ordinary user; AMBIT_TEST_NODE names another node)
"""

import os
import re
import shutil
import subprocess
import sys

from harness import PATIENCE, SLOW, Skip, always, main, need, told
from node_client import node
from sessions import Served

# What npm says where its registry cannot be reached. That a version is not there any more, or has other bytes, is a failure.
UNREACHED = re.compile(r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ENOTCACHED)\b")


def installed(place, top, number):
    """The example in a tree like ours, with its packages: the directory, and what git would have of it."""
    name = os.path.basename(sys.argv[1 + number])
    there = f"{top}/examples/{name}"
    shutil.copytree(place.given(number), there, ignore=shutil.ignore_patterns("node_modules"))
    shutil.copytree(place.given(1), f"{top}/packages/node")
    kept = files(there)
    done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=20000"], cwd=there,
                          env={**place.environment(), "npm_config_cache": f"{top}/.npm"}, capture_output=True, text=True,
                          timeout=SLOW * 8 * PATIENCE, check=False)
    if done.returncode != 0 and UNREACHED.search(done.stderr):
        raise Skip(f"npm cannot fetch the packages of examples/{name} (no network?)")
    assert done.returncode == 0, told(done)
    return there, kept


def files(top):
    """Each file of a directory that git would look at."""
    found = {}
    for name in sorted(set(os.listdir(top)) - {"node_modules"}):
        with open(f"{top}/{name}", "rb") as file:
            found[name] = file.read()
    return found


def runs(place, number):
    need("npm")
    with Served(place) as s:
        there, kept = installed(place, f"{s.home}/copy", number)
        os.mkdir(f"{s.home}/tmp")
        done = subprocess.run([node(), "main.mjs"], cwd=there, capture_output=True, text=True, timeout=SLOW * 4 * PATIENCE, check=False,
                              env={**s.environment, "AMBIT_PROGRAM": place.ambit, "TMPDIR": f"{s.home}/tmp"})
        says = re.search(r"^```\n(.*?)^```$", kept["README.md"].decode(), re.S | re.M).group(1)
        assert done.returncode == 0 and done.stderr == "" and done.stdout == says, f"it says something else than its README; {told(done)}"
        assert files(there) == kept, "installing or running it changes its own files"
        assert os.listdir(f"{s.home}/tmp") == [], "it leaves its data behind"
        sessions = s.ambit("session", "list").stdout.splitlines()
        assert len(sessions) == 1 and "  ended  " in sessions[0], sessions


@always
def langchain_runs_code_in_a_session(place):
    if not os.access("/etc/fstab", os.R_OK):
        raise Skip("there is no /etc/fstab, which the example's model would read")
    runs(place, 2)


@always
def the_agents_sdk_runs_code_in_a_session(place):
    runs(place, 3)


if __name__ == "__main__":
    main([langchain_runs_code_in_a_session, the_agents_sdk_runs_code_in_a_session])
