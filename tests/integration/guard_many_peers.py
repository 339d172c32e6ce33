#!/usr/bin/env python3
"""Several real servers behind one `ambit guard`, by real clients: what each has is there under its name, and does what it does alone.

usage: guard_many_peers.py AMBIT tests/peers/mcp    (TAP on standard output; as root once more as an ordinary user)"""

import json

from harness import main, room_of
from mcp_peers import SERVERS, Peer, command_of, eras_of, filled, installed, prepared

ASKED = ("roots/list", "elicitation/create", "sampling/createMessage")
LISTS = (("tools", "name", "__"), ("prompts", "name", "__"), ("resources", "uri", "+"), ("templates", "uriTemplate", "+"))


def listed(peer, prefixes=("",)):
    """What is there, without what differs from start to start; of several servers in their order."""
    found = {}
    for what, key, mark in LISTS:
        can = what if what != "templates" else "resources"
        found[what] = [one[key] for one in getattr(peer, what)()] if can in peer.can else []
        assert all(any(name.startswith(prefix and prefix + mark) for prefix in prefixes) for name in found[what]), found
    return found


def connect(place, there, kind, era, command, tree):
    peer = Peer(place, there, kind)
    peer.can = peer.connect(command, env={**place.environment(), "HOME": tree, "MEMORY_FILE_PATH": f"{tree}/memory.jsonl"}, cwd=tree, era=era if kind == 2 else None, answers=SERVERS["everything"].answers)["capabilities"]
    return peer


def policy(place, there, tree, names):
    path = f"{tree}/many.yaml"
    servers = {name.rstrip("-"): {"command": command_of(there, which, tree)} for name, which in names.items()}
    grants = [{"tool": [f"{name}/*", *(f"{name}/{method}" for method in ASKED)]} for name in servers]
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"version": 1, "guard": [{"read": there}, {"write": tree}, {"run": "node"}, {"env": "MEMORY_FILE_PATH"}], "servers": servers, "grants": grants}, file)
    return [place.ambit, "guard", *room_of(place), "--workspace", tree, "--policy", path]


def are_there(place, kind, era, names):
    there, tree = installed(place.given(1)), place.fresh()
    alone = {}
    for which in names.values():
        prepared(SERVERS[which], tree)
        with connect(place, there, kind, era, command_of(there, which, tree), tree) as peer:
            alone[which] = listed(peer)
    with connect(place, there, kind, era, policy(place, there, tree, names), tree) as peer:
        found = listed(peer, names)
        for what, _, mark in LISTS:
            wanted = [f"{name}{mark}{one}" for name, which in names.items() for one in alone[which][what]]
            assert sorted(found[what]) == sorted(wanted), (what, found[what], wanted)
        for name, which in names.items():
            for tool, arguments, text in SERVERS[which].calls:
                if text.startswith("!") or f"{name}__{tool}" not in found["tools"] or tool in ("get-env", "again", "grow", "confirm", "interview"):  # as others have it, or as it was answered
                    continue
                result = peer.call(f"{name}__{tool}", filled(arguments, tree))
                assert filled(text, tree) in json.dumps(result, ensure_ascii=False), (name, tool, result)
            for uri in SERVERS[which].reads:
                if not uri.startswith("!") and not uri.startswith("note://grown"):
                    assert peer.read(f"{name}+{uri}")[0]["uri"] == f"{name}+{uri}"
            for prompt, arguments in SERVERS[which].prompts:
                if prompt != "ask":
                    assert peer.prompt(f"{name}__{prompt}", arguments)["messages"]
            for ref, argument, value, context in SERVERS[which].completions:
                ours = {**ref, **({"name": f"{name}__{ref['name']}"} if "name" in ref else {"uri": f"{name}+{ref['uri']}"})}
                assert peer.complete(ours, argument, value, context=context and {"arguments": context})["values"] is not None


def scenario(kind, era, names):
    def one(place):
        are_there(place, kind, era, names)

    one.__name__ = f"client_{kind}_finds_them_as_{era.replace('-', '_')}"
    return one


OLD = {"everything": "everything", "memory": "memory", "thinking": "sequential-thinking"}
assert all("legacy" in eras_of(1, which) for which in OLD.values())

if __name__ == "__main__":
    main([scenario(1, "legacy", {**OLD, "two": "server2"}), scenario(2, "auto", OLD), scenario(2, "2026-07-28", {"one": "server2", "two": "server2"})])
