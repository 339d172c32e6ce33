#!/usr/bin/env python3
"""Attacks on sandboxes of JavaScript, each against a release of vm2, where it must succeed, and against packages/vm2, where nothing must be reached.

usage: vm2_attacks.py AMBIT tests/peers/vm2-releases packages/vm2    (TAP on standard output; as root once more as an ordinary user)

Each attack is run by packages/vm2/test/attacks/run.js in a process of its own. That it succeeds elsewhere shows that the probe would notice. The probes of what a cell sees of the host have another
twin: an implementation without a wall. AMBIT_TEST_ATTACKS names a beginning of names, for a person who looks at a few."""

import json
import os
import subprocess

from harness import SLOW, Skip, main, sanitized, told
from mcp_peers import node

TIMEOUT = 120
NODE = 20  # the major version on which the releases were attacked: with others some attacks end otherwise
ONLY = os.environ.get("AMBIT_TEST_ATTACKS", "")


def ran(place, name, implementation, environment, *more):
    """What that attack reached there."""
    script = os.path.join(place.given(2), "test/attacks/run.js")
    done = subprocess.run([node(), script, name, implementation, *more], cwd=place.top, env=environment, capture_output=True, text=True, timeout=SLOW * TIMEOUT, check=False)
    assert done.returncode == 0 and done.stdout.startswith("{"), f"{name}: {told(done)}"
    return json.loads(done.stdout)


def attacks(place, beginning):
    done = subprocess.run([node(), os.path.join(place.given(2), "test/attacks/run.js"), "--list"], cwd=place.top, env=place.environment(), capture_output=True, text=True, timeout=SLOW * TIMEOUT, check=False)
    assert done.returncode == 0, told(done)
    found = [it for it in json.loads(done.stdout) if it["name"].startswith(beginning)]
    assert found, f"there are no attacks {beginning}"
    found = [it for it in found if it["name"].startswith(ONLY)]
    if ONLY or os.environ.get("AMBIT_SOAK"):
        return found
    seed = int(os.environ.get("AMBIT_SEED", "0"))  # each is tried by one run in three, and all by `make soak`
    return [it for number, it in enumerate(found) if number % 3 == seed // 3 % 3] or found[:1]


def releases(place):
    """Where they are: skips where they are not, or are of another lock file."""
    there = place.given(1)
    if not os.path.exists(f"{there}/node_modules/.package-lock.json"):
        raise Skip("the packages of tests/peers/vm2-releases are not there: ./bootstrap check gets them from npm")
    with open(f"{there}/package.json", encoding="utf-8") as file:
        wanted = json.load(file)["dependencies"]
    for name, version in wanted.items():
        with open(f"{there}/node_modules/{name}/package.json", encoding="utf-8") as file:
            found = json.load(file)["version"]
        if version != f"npm:vm2@{found}":
            raise Skip(f"tests/peers/vm2-releases has {found} as {name}: ./bootstrap check gets it from npm")
    return there


def twin_of(place, attack):
    """Where it must succeed, or None."""
    if attack["against"] == "open":
        return os.path.join(place.given(2), "test/attacks/open.js")
    if attack["against"] in (None, "ours"):
        return None
    version = subprocess.run([node(), "--version"], capture_output=True, text=True, check=True, timeout=SLOW * TIMEOUT).stdout
    if not version.startswith(f"v{NODE}."):
        return None
    return f"{releases(place)}/node_modules/vm2-{attack['against'].replace('.', '-')}"


def each(place, beginning):
    if sanitized(place.ambit):
        raise Skip("cells of a sanitizer's build take longer to begin than these attacks wait")
    # What the code is looked through with, where it must not do anything later, is of those packages.
    ours = {**place.environment(), "AMBIT_PROGRAM": place.ambit, "NODE_PATH": f"{place.given(1)}/node_modules", "TMPDIR": place.fresh(), "AMBIT_TEST_SLOW": str(SLOW)}
    theirs = {key: value for key, value in ours.items() if key != "AMBIT_PROGRAM"}
    wrong = []
    for attack in attacks(place, beginning):
        name = attack["name"]
        if (twin := twin_of(place, attack)) is not None:
            for _ in range(3):  # what looks through memory does not find it each time
                found = ran(place, name, twin, theirs)
                if attack["reaches"] in found["reached"]:
                    break
            if attack["reaches"] not in found["reached"]:
                wrong.append(f"{name}: where it must succeed ({attack['against']}) it did not reach '{attack['reaches']}': {json.dumps(found)}")
        found = ran(place, name, place.given(2), ours, str(SLOW * 60_000))
        allowed = [attack["reaches"]] if attack["against"] == "ours" else []
        if found.get("skipped") or not found["alive"] or found["reached"] != allowed:
            wrong.append(f"{name}: {', '.join(found['reached'])}: {json.dumps(found)}")
    assert not wrong, "\n".join(wrong)


def constructors_and_prototypes(place):
    each(place, "prototypes/")


def errors_of_the_host_and_stacks(place):
    each(place, "errors/")


def promises_and_thenables(place):
    each(place, "promises/")


def proxies_and_what_shows_them(place):
    each(place, "proxies/")


def code_that_is_read_otherwise(place):
    each(place, "transformer/")


def web_assembly(place):
    each(place, "wasm/")


def modules_that_are_required(place):
    each(place, "modules/")


def sandboxes_within_sandboxes(place):
    each(place, "nesting/")


def state_that_is_shared(place):
    each(place, "shared/")


def the_host_lives_and_has_its_time(place):
    each(place, "availability/")


def a_cell_sees_nothing_of_the_host(place):
    each(place, "own/sees-")


def handles_lead_to_what_they_are_of(place):
    each(place, "own/live-")


def a_cell_says_what_it_likes(place):
    each(place, "own/says-")


def one_message_does_not_cost_much(place):
    each(place, "own/costs-")


SCENARIOS = [constructors_and_prototypes, errors_of_the_host_and_stacks, promises_and_thenables, proxies_and_what_shows_them, code_that_is_read_otherwise, web_assembly, modules_that_are_required,
             sandboxes_within_sandboxes, state_that_is_shared, the_host_lives_and_has_its_time, a_cell_sees_nothing_of_the_host, handles_lead_to_what_they_are_of, a_cell_says_what_it_likes,
             one_message_does_not_cost_much]

if __name__ == "__main__":
    main(SCENARIOS)
