#!/usr/bin/env python3
"""Real servers over streamable HTTP behind `ambit guard --url`, by real clients: what they say is what they say by the bridge of their own SDK. And the protocol's own suite, whose server speaks HTTP.

usage: remote_peers.py AMBIT tests/peers/mcp    (TAP on standard output; as root once more as an ordinary user)"""

import contextlib
import copy
import json
import os
import socket
import subprocess
import time

from guard_peers import asked_of_the_client
from harness import PATIENCE, SLOW, main, room_of, write
from mcp_bare import at_once
from mcp_peers import FROM, SERVERS, conform_client, exercise, installed, node

# Over HTTP each request has a server of its own, which remembers nothing.
SERVERS["far"] = copy.copy(SERVERS["server2"])
SERVERS["far"].calls = [call for call in SERVERS["server2"].calls if not call[0].startswith("gr")]
SERVERS["far"].reads = [uri for uri in SERVERS["server2"].reads if "grown" not in uri]
SERVERS["far"].missing, SERVERS["far"].tasks = {2: ("grow", "job")}, ()


@contextlib.contextmanager
def everything(place, there):
    """Of 1.x: it says nothing of when it is there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {**place.environment(), "PORT": str(port), **SERVERS["everything"].env}
    with subprocess.Popen([node(), os.path.join(there, f"{FROM}/server-everything/dist/index.js"), "streamableHttp"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            end = time.monotonic() + SLOW * PATIENCE
            while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
                assert time.monotonic() < end, "it is not there"
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            process.kill()


@contextlib.contextmanager
def server2(place, there):
    with subprocess.Popen([node(), os.path.join(there, "server2.mjs"), "--modern", "--http"], env=place.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        yield json.loads(process.stdout.readline())["url"]
        process.stdin.close()


def command(tree, *words):
    """In place of a server's own command, whatever is behind it."""
    path = f"{tree}/between"
    write(path, "#!/bin/sh\nexec " + " ".join(f"'{word}'" for word in words) + "\n")
    os.chmod(path, 0o755)
    return path


def compared(place, name, running, ways):
    """With what the same server says on its own streams."""
    there = installed(place.given(1))

    def one(kind, era, guarded):
        tree, env = place.fresh(), {"HOME": place.fresh()}
        if not guarded:
            return exercise(place, there, kind, name, era=era, tree=tree, env=env)
        with running(place, there) as url:  # each has its own: what one adds to it, others would see
            gate = [place.ambit, "guard", "--url", url, "--name", name, *room_of(place), "--tool", f"{name}/*", *asked_of_the_client(name)]
            return exercise(place, there, kind, name, era=era, tree=tree, prefix=[command(tree, *gate)], env=env)
    made = at_once(one, [(*way, guarded) for way in ways for guarded in (False, True)])
    for number in range(0, len(made), 2):
        for transcript in made[number:number + 2]:
            transcript.lines = [line.replace("session undefined", "session UUID") for line in transcript.lines if not line.startswith(("call none:", "call get-env:", "notifications:"))]  # as in guard_peers; and notes come by another stream than answers, in no order
        assert (found := made[number].differences(made[number + 1])) is None, f"{ways[number // 2]}: {found}"


def a_server_of_2025_is_the_same_behind_it(place):
    compared(place, "everything", everything, [(1, "legacy"), (2, "legacy")])


def a_server_of_2026_is_the_same_behind_it(place):
    compared(place, "far", server2, [(2, "2026-07-28")])


def the_protocols_own_suite_passes(place):
    there = installed(place.given(1))
    prefix = [place.ambit, "guard", "--url", "{url}", "--name", "conform", *room_of(place), "--tool", "conform/*", *asked_of_the_client("conform")]
    for scenario in ("initialize", "tools_call", "elicitation-sep1034-client-defaults", "sse-retry"):
        place.home = place.fresh()  # each has tools of its own, and pins
        good, said = conform_client(place, there, scenario, prefix=prefix)
        assert good, f"{scenario}: {said}"


main([a_server_of_2025_is_the_same_behind_it, a_server_of_2026_is_the_same_behind_it, the_protocols_own_suite_passes])
