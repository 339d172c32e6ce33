#!/usr/bin/env python3
"""Clients and servers of MCP from npm with each other, and nothing of ours between them: that they do what later tests take for granted.

usage: mcp_bare.py AMBIT tests/peers/mcp    (TAP on standard output; as root everything runs a second time as an ordinary user)
"""

import concurrent.futures

from harness import main
from mcp_peers import SERVERS, Peer, Refused, command_of, eras_of, exercise, inspect, installed

YES, NO = {"result": {"action": "accept", "content": {"yes": True}}}, {"result": {"action": "decline"}}


WAYS = [(1, "legacy"), (2, "legacy"), (2, "2026-07-28")]


def at_once(do, ways):
    """A client takes half a second to begin, and mostly waits then."""
    with concurrent.futures.ThreadPoolExecutor(len(ways)) as pool:
        return list(pool.map(lambda way: do(*way), ways))


def in_each_way(test):
    """As a scenario: with each client, in each era that it has."""

    def scenario(place):
        installed(place.given(1))
        at_once(lambda kind, era, tree: test(place, tree, kind, era), [(*way, place.fresh()) for way in WAYS])

    scenario.__name__ = test.__name__
    return scenario


def every_tool_of(name):
    def scenario(place):
        """By each client in each era, twice: what differs then is chance that the table does not know."""
        there = installed(place.given(1))
        ways = [(kind, era, place.fresh()) for kind in (1, 2) for era in eras_of(kind, name) for _ in range(2)]
        made = at_once(lambda kind, era, tree: exercise(place, there, kind, name, era=era, tree=tree), ways)
        for number in range(0, len(ways), 2):
            assert (found := made[number].differences(made[number + 1])) is None, f"client {ways[number][:2]}: {found}"

    scenario.__name__ = f"every_tool_of_{name.replace('-', '_')}"
    return scenario


def refused(code, do):
    try:
        value = do()
    except Refused as problem:
        assert problem.code == code, problem
        return problem
    raise AssertionError(f"not refused: {value}")


def connected(place, peer, name="server2", extra=(), tree="/none", **words):
    return peer.connect([*command_of(place.given(1), name, tree), *extra], **words)


@in_each_way
def progress_cancelling_and_time(place, _, kind, era):
    with Peer(place, place.given(1), kind) as peer:
        met = connected(place, peer, era=era)
        assert met["version"] == {"legacy": "2025-11-25"}.get(era, era), met
        done = peer.call("steps", {"steps": 3, "ms": 60}, progress=True)
        steps = [one["progress"] for one in done["progress"]]  # what is read at once with the result is lost, by both clients
        assert steps and steps == [1, 2, 3][:len(steps)] and done["progress"][0]["message"] == "step 1", done
        code = -32001 if kind == 1 else "REQUEST_TIMEOUT"
        refused(code, lambda: peer.call("steps", {"steps": 50, "ms": 1000}, timeout=100))
        peer.call("steps", {"steps": 8, "ms": 150}, timeout=800, reset=True, progress=True)
        refused(code, lambda: peer.call("steps", {"steps": 50, "ms": 1000}, abort=100))
        several = [peer.start("callTool", name="echo", arguments={"message": str(n)}) for n in range(20)]
        assert [peer.wait(one)["content"][0]["text"] for one in reversed(several)] == [str(n) for n in reversed(range(20))]
        assert peer.close()["stderr"].count("cancelled before step") == 2


@in_each_way
def what_is_asked_is_answered_by_the_script(place, _, kind, era):
    with Peer(place, place.given(1), kind) as peer:
        connected(place, peer, era=era, answers={"elicitation": [NO, {"error": {"code": -32603, "message": "no hands"}}, {**YES, "after": 50}]})
        assert "decline" in str(peer.call("confirm", {"what": "it"}))
        if era == "legacy":
            assert "no hands" in str(peer.call("confirm", {"what": "it"})["content"])
        else:
            refused(-32603, lambda: peer.call("confirm", {"what": "it"}))  # it never left the client
        assert "done" in str(peer.call("confirm", {"what": "it"}))
        assert [one["kind"] for one in peer.seen()["asked"]] == ["elicitation"] * 3
    with Peer(place, place.given(1), kind) as peer:
        connected(place, peer, era=era, without=["elicitation"])
        if era == "legacy":
            assert peer.call("confirm", {"what": "it"})["isError"]
        else:
            assert refused(-32021, lambda: peer.call("confirm", {"what": "it"})).data == {"requiredCapabilities": {"elicitation": {"form": {}}}}


def by_hand(place):
    """What a server wants, as it comes, and the retry as it goes."""
    with Peer(place, place.given(1), 2) as peer:
        connected(place, peer, era="2026-07-28")
        wants = peer.call("interview", manual=True)
        assert wants["resultType"] == "input_required" and list(wants["inputRequests"]) == ["name"], wants
        wants = peer.call("interview", manual=True, more={"inputResponses": {"name": {"action": "accept", "content": {"name": "Ada"}}}})
        assert sorted(wants["inputRequests"]) == ["poem", "where"] and wants["requestState"].startswith("v1."), wants
        done = peer.call("interview", manual=True, more={"requestState": wants["requestState"], "inputResponses": {"where": {"roots": []}}})
        assert done["content"][0]["text"] == "name: Ada", done
        assert peer.call("interview", manual=True, more={"requestState": wants["requestState"][:-4] + "AAAA"})["isError"]


@in_each_way
def changes_are_told(place, _, kind, era):
    with Peer(place, place.given(1), kind) as peer:
        connected(place, peer, era=era)
        peer.do("subscribe", uri="note://motd")
        if era != "legacy":
            assert peer.do("subscribe", filter={"toolsListChanged": True})["honored"] == {"toolsListChanged": True}
        peer.call("grow", {})
        told, methods = [], {"notifications/resources/updated", "notifications/tools/list_changed"}
        while not methods <= {one["method"] for one in told}:
            told += peer.gathered(lambda one: one["method"] in methods)
        peer.do("unsubscribe", uri="note://motd")


def tasks(place):
    with Peer(place, place.given(1), 2) as peer:
        connected(place, peer, era="2026-07-28", tasks=True, answers={"elicitation": [YES]})
        assert peer.task("job", {"kind": "asks"})["states"] == ["working", "input_required", "completed"]
        assert peer.task("job", {"kind": "stays"}, cancel=True)["status"] == "cancelled"
        assert peer.task("job", {"kind": "fails"})["error"]["message"] == "the job broke"
        assert peer.task("echo", {"message": "x"})["kind"] == "immediate"
        refused("UNSUPPORTED_RESULT_TYPE", lambda: peer.call("job", {"kind": "plain"}))
    with Peer(place, place.given(1), 1) as peer:
        connected(place, peer, "everything", tasks=True, answers={"roots": [{"result": {"roots": []}}]})
        assert peer.task("simulate-research-query", {"topic": "x"}, cancel=True)["status"] == "cancelled"
        assert len(peer.do("listTasks")["tasks"]) == 1


def versions(place):
    with Peer(place, place.given(1), 2) as peer:
        refused("ERA_NEGOTIATION_FAILED", lambda: connected(place, peer, "memory", era="2026-07-28"))
    with Peer(place, place.given(1), 2) as peer:
        assert connected(place, peer, "memory", era="auto")["version"] == "2025-11-25"
    for kind in (1, 2):
        with Peer(place, place.given(1), kind) as peer:
            assert refused(-32022, lambda: connected(place, peer, extra=["--modern"], era="legacy")).data["supported"] == ["2026-07-28"]


def the_inspector(place):
    command = command_of(place.given(1), "server2", place.fresh())
    assert "confirm" in [tool["name"] for tool in inspect(place, place.given(1), command, "--method", "tools/list")["tools"]]
    said = inspect(place, place.given(1), command, "--method", "tools/call", "--tool-name", "sum", "--tool-arg", "numbers=[1,2]")
    assert said["structuredContent"] == {"sum": 3, "count": 2}, said


if __name__ == "__main__":
    main([*map(every_tool_of, SERVERS), progress_cancelling_and_time, what_is_asked_is_answered_by_the_script, by_hand, changes_are_told, tasks, versions, the_inspector])
