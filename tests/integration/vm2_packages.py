#!/usr/bin/env python3
"""Packages of other people that use vm2, with vm2 itself and with packages/vm2 in its place: vm2_packages.py AMBIT tests/peers/vm2-users packages/vm2 (TAP on standard output).

Each workload (NAME.mjs beside the packages) is run twice, by nothing but another directory `node_modules/vm2`, as `npm install vm2@npm:@ambit/vm2` makes it, and one with the program for this platform. The packages are as
they came. All cases pass with vm2, since else they would say nothing; with ours all pass that are not in DIFFERS, and those do not, since else the table would say what is not so."""

import json
import os
import shutil

from harness import SLOW, Skip, main, sanitized, told, write
from mcp_peers import node

TIMEOUT = 180

# Who runs such a program says that objects are handles: packages/vm2 takes that from a variable, too, where the code is somebody else's.
LIVE = {"AMBIT_VM2": '{"live": true}'}

# (workload, case): why it is otherwise here
DIFFERS = {
    ("pitboss", "modules of the host"): "what createHash() gives is a live object, and the package's child has an empty environment, so nobody can say from outside that such are handles",
}


def installed(place):
    """Skips where the packages are not, and where they are of another lock file."""
    there = place.given(1)
    if not os.path.exists(f"{there}/node_modules/.package-lock.json"):
        raise Skip("the packages of tests/peers/vm2-users are not there: ./bootstrap check gets them from npm")
    with open(f"{there}/package.json", encoding="utf-8") as file:
        wanted = json.load(file)["dependencies"]
    for name, version in wanted.items():
        with open(f"{there}/node_modules/{name}/package.json", encoding="utf-8") as file:
            found = json.load(file)["version"]
        if found != version:
            raise Skip(f"tests/peers/vm2-users has {name} {found}, and {version} is wanted: ./bootstrap check gets it from npm")
    return there


def swapped(place):
    """The same packages, and ours by the name of vm2; made once for a user."""
    if (made := getattr(place, "vm2_users", None)) is not None:
        return made
    made = f"{place.fresh()}/users"
    shutil.copytree(installed(place), made, symlinks=True)
    shutil.rmtree(f"{made}/node_modules/vm2")
    shutil.copytree(place.given(2), f"{made}/node_modules/vm2", ignore=shutil.ignore_patterns("node_modules", "test"))
    platform = f"{made}/node_modules/ambit-linux-{'arm64' if os.uname().machine == 'aarch64' else 'x64'}"
    write(f"{platform}/package.json", '{"name": "ambit-platform", "version": "0.1.0"}')
    os.mkdir(f"{platform}/bin")
    os.symlink(place.ambit, f"{platform}/bin/ambit")
    place.vm2_users = made
    return made


def outcomes(place, there, workload, wanted, settings):
    """name -> what was wrong with it, or None."""
    place.settings = settings
    try:
        done = place.run(node(), f"{workload}.mjs", cwd=there, timeout=TIMEOUT)
    finally:
        place.settings = {}
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines, f"it told nothing: {told(done)}"
    assert lines[0]["vm2"] == wanted, f"by the name of vm2 it has {lines[0]}"
    found = {line["name"]: line["problem"] for line in lines[1:]}
    assert len(found) == lines[0]["cases"], f"it ended before its end; {told(done)}"
    return found


def compare(place, workload, settings):
    if sanitized(place.ambit):
        raise Skip("cells of a sanitizer's build take longer to begin than these packages wait")
    wrong = {name: problem for name, problem in outcomes(place, installed(place), workload, "vm2", {}).items() if problem is not None}
    assert not wrong, "with vm2 itself:\n" + "\n".join(f"{name}: {problem}" for name, problem in wrong.items())
    ours = outcomes(place, swapped(place), workload, "@ambit/vm2", settings)
    for name, problem in ours.items():
        reason = DIFFERS.get((workload, name))
        if problem is None:
            assert reason is None, f"{name}: it passes, and stands in the table of differences: {reason}"
        else:
            assert reason is not None, f"{name}: {problem}"
            print(f"# {workload}, {name}: not as with vm2: {reason}", flush=True)


def a_proxy_by_script(place):
    compare(place, "pac", {})


def a_chat_bot(place):
    compare(place, "chat", LIVE)


def schemas_of_types(place):
    compare(place, "schema", {})


def a_process_for_each_piece(place):
    compare(place, "pitboss", {})


def templates_of_users(place):
    compare(place, "nunjucks", LIVE)


def the_table_names_cases_that_there_are(place):
    there = place.given(1)
    for workload, name in DIFFERS:
        with open(f"{there}/{workload}.mjs", encoding="utf-8") as file:
            assert f"'{name}'(" in file.read(), f"{workload}.mjs has no case '{name}'"


main([a_proxy_by_script, a_chat_bot, schemas_of_types, a_process_for_each_piece, templates_of_users, the_table_names_cases_that_there_are])
