#!/usr/bin/env python3
"""`ambit mcp` by clients that are not ours: sdk 1.x (2025-11-25) and client 2.x (2026-07-28), and the inspector's command line.

usage: mcp_clients.py AMBIT tests/peers/mcp    (TAP on standard output; as root once more as an ordinary user)"""

import threading
import time

import approvals
from harness import PATIENCE, SLOW, expect_ok, main, room_of, told, write
from mcp_peers import Peer, inspect, installed

WAYS = [(1, None, "2025-11-25"), (2, "legacy", "2025-11-25"), (2, "auto", "2026-07-28")]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def command(place, *words):
    return [place.ambit, "mcp", *room_of(place), *words]


def each_client_calls_each_tool(place):
    there = installed(place.given(1))
    for kind, era, version in WAYS:
        tree, home = place.fresh(), place.fresh()
        write(f"{tree}/a.txt", "one\ntwo\n")
        env = {**place.environment(), "HOME": home}
        with Peer(place, there, kind, env) as peer:
            met = peer.connect(command(place, "--work", "."), env=env, cwd=tree, era=era)
            assert met["version"] == version and met["server"]["name"] == "ambit" and "only the person can give it" in met["instructions"], met
            tools = {t["name"]: t for t in peer.tools()}
            assert list(tools) == ["run", "python", "node", "shell", "read", "write", "edit", "list", "search", "diff", "commit", "discard", "session"], list(tools)
            assert all(t["inputSchema"]["additionalProperties"] is False and t["outputSchema"]["type"] == "object" for t in tools.values())
            text = lambda answer: answer["content"][0]["text"]
            done = peer.call("run", {"argv": ["sh", "-c", "cat; echo $X >&2; exit 3"], "input": "in", "env": {"X": "out"}})
            assert done["isError"] and done["structuredContent"]["stdout"] == "in" and done["structuredContent"]["exit_status"] == 3 and "[exit status 3]" in text(done), done
            assert peer.call("python", {"code": "print(1)\n6*7"})["structuredContent"]["value"]["json"] == 42
            wrong = peer.call("python", {"code": "x = 1\nraise ValueError('no')"})
            assert wrong["isError"] and wrong["structuredContent"]["error"]["line"] == 2, wrong
            assert peer.call("node", {"code": "await 0; [1, 2].length"})["structuredContent"]["value"]["json"] == 2
            assert text(peer.call("shell", {"code": "ls | wc -l"})) == "1\n"
            picture = peer.call("python", {"code": f"import base64\nclass P:\n    def _repr_png_(self): return base64.b64decode('{PIXEL}')\ndisplay(P())"})
            assert [c["data"] for c in picture["content"] if c["type"] == "image"] == [PIXEL], picture
            assert text(peer.call("read", {"path": "a.txt", "from": 2})) == "two\n"
            assert peer.call("write", {"path": "d/b.txt", "text": "three\n"})["structuredContent"]["created"] is True
            assert peer.call("edit", {"path": "a.txt", "old": "two", "new": "2"})["structuredContent"]["replaced"] == 1
            assert [e["path"] for e in peer.call("list", {"depth": 2})["structuredContent"]["entries"]] == ["a.txt", "d", "d/b.txt"]
            assert peer.call("search", {"pattern": "^[23t]"})["structuredContent"]["matches"][0]["line"] == 2
            kept = peer.call("shell", {"code": "echo x > c; exit 1"})["structuredContent"]
            assert kept["workspace"] == "kept" and "+x" in text(peer.call("diff", {"n": kept["n"]})), kept
            assert not peer.call("commit", {"n": kept["n"]})["isError"] and open(f"{tree}/c", encoding="utf-8").read() == "x\n"
            again = peer.call("shell", {"code": "echo y > c; exit 1"})["structuredContent"]["n"]
            assert not peer.call("discard", {"n": again})["isError"] and open(f"{tree}/c", encoding="utf-8").read() == "x\n"
            session = peer.call("session", {})["structuredContent"]
            assert session["grants"] == ["work: ."] and session["limits"]["wall"] == "30s", session
            assert "ambit://event/1/record" in [r["uri"] for r in peer.resources()] and len(peer.templates()) == 5
            assert '"argv"' in peer.read("ambit://event/1/record")[0]["text"] and peer.read("ambit://event/1/stdout")[0]["text"] == "in"
            slow = peer.call("shell", {"code": "for i in 1 2 3 4 5; do echo $i; sleep 0.3; done"}, progress=True)
            assert slow["progress"] and slow["progress"] == sorted(slow["progress"], key=lambda p: p["progress"]), slow
            peer.close()


def an_acceptance_allows_nothing_by_itself(place):
    """What a client says of its user's word has the call tried again; what allows it is the approver's signature."""
    there = installed(place.given(1))
    for kind, era, _ in WAYS:
        p = approvals.Person(place)
        env = {**place.environment(), "HOME": p.home}
        with Peer(place, there, kind, env) as peer:
            words = {"env": env, "cwd": p.top, "era": era}
            peer.connect(command(place, "--read", f"{p.top}/conf ask=true"), answers={"elicitation": [{"result": {"action": "accept", "content": {}}}, {"result": {"action": "decline"}}]}, **words)
            for _ in range(1):
                denied = peer.call("read", {"path": "conf/a"})
                assert denied["isError"] and "ambit approve a_" in denied["content"][0]["text"], denied
            declined = peer.call("read", {"path": "conf/a"})
            assert declined["isError"] and "did not accept" in declined["content"][0]["text"], declined
            asked = peer.seen()["asked"]
            assert len(asked) == 2 and all("accepting alone allows nothing" in a["params"]["message"] for a in asked), asked
            peer.close()
        p = approvals.Person(place)
        env = {**place.environment(), "HOME": p.home}
        with Peer(place, there, kind, env) as peer:  # the twin: they did answer, meanwhile
            peer.connect(command(place, "--read", f"{p.top}/conf ask=true"), env=env, cwd=p.top, era=era, answers={"elicitation": [{"result": {"action": "accept", "content": {}}, "after": 4000 * SLOW}]})

            def sign():
                end = time.monotonic() + PATIENCE * SLOW
                while not (waiting := p.asked()) and time.monotonic() < end:
                    time.sleep(0.05)
                expect_ok(p.signed("approve", waiting[0]["approval"], "--grant", "once", "--digest", p.digest(waiting[0]["approval"])))

            thread = threading.Thread(target=sign)
            thread.start()
            allowed = peer.call("read", {"path": "conf/a"})
            thread.join()
            assert not allowed["isError"] and allowed["content"][0]["text"] == "a\n", allowed
            peer.close()


def calls_become_tasks(place):
    """As a client of 2025-11-25 has them."""
    there = installed(place.given(1))
    env = {**place.environment(), "HOME": place.fresh()}
    with Peer(place, there, 1, env) as peer:
        peer.connect(command(place, "--work", "."), env=env, cwd=place.fresh(), tasks=True)
        assert {t["name"] for t in peer.tools() if (t.get("execution") or {}).get("taskSupport") == "optional"} == {"run", "python", "node", "shell"}
        done = peer.task("shell", {"code": "sleep 1; echo late"})
        assert done["kind"] == "task" and done["status"] == "completed" and done["result"]["structuredContent"]["stdout"] == "late\n", done
        over = peer.task("shell", {"code": "sleep 600"}, cancel=True)
        assert over["status"] == "cancelled", over
        peer.close()


def the_inspector_sees_it(place):
    there = installed(place.given(1))
    tree = place.fresh()
    env = {**place.environment(), "HOME": place.fresh()}
    server = command(place, "--workspace", tree, "--read", tree)
    assert "run" in [t["name"] for t in inspect(place, there, server, "--method", "tools/list", env=env)["tools"]]
    done = inspect(place, there, server, "--method", "tools/call", "--tool-name", "shell", "--tool-arg", "code=echo hi", env=env)
    assert done["structuredContent"]["stdout"] == "hi\n", done


if __name__ == "__main__":
    main([each_client_calls_each_tool, an_acceptance_allows_nothing_by_itself, calls_become_tasks, the_inspector_sees_it])
