#!/usr/bin/env python3
"""`ambit mcp` and `ambit guard` by HTTP, and clients that are not ours: sdk 1.x (2025-11-25), client 2.x (2026-07-28), and the protocol's own suite.

usage: mcp_http_peers.py AMBIT tests/peers/mcp    (TAP on standard output; as root once more as an ordinary user)"""

import contextlib
import os

from guard import Person
from guard_peers import gate
from harness import main, write
from mcp_bare import at_once
from mcp_clients import WAYS
from mcp_peers import Peer, Refused, conform_at, conform_server, eras_of, exercise, installed, node
from web_client import Site


def each_client_calls(place):
    there = installed(place.given(1))
    p = Person(place)
    write(f"{p.top}/a.txt", "one\ntwo\n")
    with Site(p, "mcp", "--work", ".") as site:
        for kind, era, version in WAYS:
            with Peer(place, there, kind, p.env) as peer:
                met = peer.connect(site.url, era=era)
                assert met["version"] == version and met["server"]["name"] == "ambit", met
                assert [t["name"] for t in peer.tools()][0] == "run"
                assert peer.call("read", {"path": "a.txt", "from": 2})["content"][0]["text"] == "two\n"
                assert peer.call("python", {"code": "6*7"})["structuredContent"]["value"]["json"] == 42
                slow = peer.call("shell", {"code": "for i in 1 2 3 4 5 6; do echo $i; sleep 0.3; done"}, progress=True)
                assert slow["progress"] and slow["result"]["structuredContent"]["stdout"] == "1\n2\n3\n4\n5\n6\n", slow
                assert "ambit://event/1/record" in [r["uri"] for r in peer.resources()] and '"argv"' in peer.read("ambit://event/1/record")[0]["text"]
                try:
                    peer.call("shell", {"code": "sleep 600"}, timeout=1000)
                    raise AssertionError("it came back")
                except Refused as refused:
                    assert refused.code in (-32001, "REQUEST_TIMEOUT"), refused
                several = [peer.start("callTool", name="shell", arguments={"code": f"sleep 1; echo {n}"}) for n in range(8)]
                assert [peer.wait(one)["structuredContent"]["stdout"] for one in several] == [f"{n}\n" for n in range(8)]
                seen = peer.close()
                # what was given up has no answer, and it looks for one
                assert not [e for e in seen["errors"] if "econnect" not in e and "open SSE stream" not in e], seen


def by_a_token(place):
    there = installed(place.given(1))
    p = Person(place)
    path = f"{p.home}/token"
    with Site(p, "mcp", "--token-file", path) as site:
        token = open(path, encoding="utf-8").read().strip()
        for kind, era, version in WAYS:
            with Peer(place, there, kind, p.env) as peer:
                try:
                    peer.connect(site.url, era=era, headers={"Authorization": "Bearer " + "x" * 64})
                    raise AssertionError("it was let in")
                except Refused:
                    pass
            with Peer(place, there, kind, p.env) as peer:
                assert peer.connect(site.url, era=era, headers={"Authorization": f"Bearer {token}"})["version"] == version
                assert peer.call("session")["isError"] is False
                peer.close()


@contextlib.contextmanager
def reached(place, command, env, cwd):
    """The words of a gate, and the server's command behind them."""
    p = Person.__new__(Person)
    p.place, p.env, p.top = place, env, cwd
    with Site(p, *command[1:]) as site:
        yield site.url


def same_by_http(name):
    def scenario(place):
        there = installed(place.given(1))
        ways = [(kind, era, by_http, place.fresh(), place.fresh()) for kind in (1, 2) for era in eras_of(kind, name) for by_http in (False, True)]

        def one(kind, era, by_http, tree, home):
            env = {**place.environment(), "HOME": home}
            words = {"prefix": gate(place, there, name, tree, home), "reached": lambda command, env, cwd: reached(place, command, env, cwd)} if by_http else {}
            return exercise(place, there, kind, name, era=era, tree=tree, env=env, **words)

        made = at_once(one, ways)
        for number in range(0, len(ways), 2):
            for transcript in made[number : number + 2]:
                transcript.lines = [line for line in transcript.lines if not line.startswith(("call none:", "call get-env:"))]
            assert (found := made[number].differences(made[number + 1])) is None, f"client {ways[number][:2]}: {found}"

    scenario.__name__ = f"{name.replace('-', '_')}_says_the_same_by_http"
    return scenario


def the_protocols_own_suite_passes(place):
    """Over its own transport: what holds by a pipe holds so, and what is HTTP's own."""
    there = installed(place.given(1))
    tree, home = place.fresh(), place.fresh()
    os.environ["HOME"] = home
    command = [*gate(place, there, "conform", tree, home), node(), os.path.join(there, "conform.mjs")]
    with reached(place, command, {**place.environment(), "HOME": home}, tree) as url:
        found = conform_at(place, there, url)
    wanted = conform_server(place, there)
    assert {name: found[name] for name in wanted} == wanted, (found, wanted)
    assert found["dns-rebinding-protection"][1] == 0 and found["server-sse-multiple-streams"][1] == 0, found
    print(f"# {found}")


if __name__ == "__main__":
    main([each_client_calls, by_a_token, *(same_by_http(name) for name in ("filesystem", "everything", "memory")), the_protocols_own_suite_passes])
