#!/usr/bin/env python3
"""Real servers behind `ambit guard`, by real clients: with a policy that allows everything, what they say is what they say without.

usage: guard_peers.py AMBIT tests/peers/mcp    (TAP on standard output; as root once more as an ordinary user)"""

import contextlib
import os
import subprocess

from harness import expect_ok, main, room_of, told
from mcp_bare import at_once
from mcp_peers import SERVERS, conform_client, conform_server, eras_of, exercise, installed


def asked_of_the_client(name):
    return [word for method in ("roots/list", "elicitation/create", "sampling/createMessage") for word in ("--tool", f"{name}/{method}")]


def gate(place, there, name, tree, home, *more):
    """What is before the server's command: it sees its own code and the tree, and has the variables that it is started with."""
    env = [word for key in SERVERS[name].env or {} for word in ("--env", key)] if name in SERVERS else []
    return [place.ambit, "guard", "--name", name, *room_of(place), "--tool", f"{name}/*", *asked_of_the_client(name), "--workspace", tree, "--write", tree, "--read", there, "--run", "node", *env, *more, "--"]


def transparent(name):
    def scenario(place):
        there = installed(place.given(1))
        ways = [(kind, era, guarded, place.fresh(), place.fresh(), place.fresh()) for kind in (1, 2) for era in eras_of(kind, name) for guarded in (False, True)]

        def one(kind, era, guarded, tree, home, before):
            env = {"HOME": home}
            if guarded and name == "server2":  # it gets another tool when it is called, which waits for a person, and is there from the next start on
                with contextlib.suppress(AssertionError):
                    exercise(place, there, kind, name, era=era, tree=before, env=env, prefix=gate(place, there, name, before, home))
                shown, approved = (subprocess.run([place.ambit, "guard", "--pins", name, *more], cwd=home, env={**place.environment(), **env}, capture_output=True, text=True, check=False) for more in ((), ("--approve",)))
                assert "grown-1" in shown.stdout and expect_ok(approved), told(shown)
            return exercise(place, there, kind, name, era=era, tree=tree, env=env, prefix=gate(place, there, name, tree, home) if guarded else ())

        made = at_once(one, ways)
        for number in range(0, len(ways), 2):
            for transcript in made[number : number + 2]:  # a tool that no list has is not asked of the server at all, so each says it in its own words; variables are the cell's
                transcript.lines = [line for line in transcript.lines if not line.startswith(("call none:", "call get-env:"))]
            assert (found := made[number].differences(made[number + 1])) is None, f"client {ways[number][:2]}: {found}"

    scenario.__name__ = f"{name.replace('-', '_')}_is_the_same_behind_it"
    return scenario


def the_protocols_own_suite_passes(place):
    """In both roles; what fails without the gate may fail with it."""
    there = installed(place.given(1))
    tree, home = place.fresh(), place.fresh()
    os.environ["HOME"] = home
    prefix = gate(place, there, "conform", tree, home)
    assert conform_server(place, there, prefix=prefix) == conform_server(place, there)


if __name__ == "__main__":
    main([*(transparent(name) for name in SERVERS), the_protocols_own_suite_passes])
