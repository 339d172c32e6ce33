#!/usr/bin/env python3
"""Several servers of the Model Context Protocol behind one gate: each in a cell of its own, and one to whoever uses them.

usage: guard_many.py AMBIT    (TAP on standard output; as root once more as an ordinary user)"""

import json
import os
import shutil

from guard import HERE, PYTHON, Client, Person, is_denied, text_of
from harness import expect_ok, main, room_of


class Several(Person):
    def __init__(self, place):
        super().__init__(place)
        shutil.copy(os.path.join(HERE, "many_server.py"), self.top)

    def policy(self, servers, grants, name="many.yaml", **more):
        """servers: name -> (mode, what its process may do)."""
        path = f"{self.top}/{name}"
        program = f"{self.top}/many_server.py"
        rows = {server: {"command": [PYTHON, program, server, mode], "guard": guard} for server, (mode, guard) in servers.items()}
        with open(path, "w", encoding="utf-8") as file:  # JSON is YAML
            json.dump({"version": 1, "guard": [{"read": program}], "servers": rows, "grants": grants, **more}, file)
        return path

    def many(self, servers, tools, *words, **more):
        path = self.policy(servers, [{"tool": t} if isinstance(t, str) else t for t in tools], **more)
        return Client([self.place.ambit, "guard", *room_of(self.place), "--policy", path, *words], self.env, self.top)


TWO = {"fs": ("good", []), "mail": ("good", [])}
ALL = ("fs/*", "mail/*")


def names(client, method="tools/list", key="tools", of="name"):
    got, cursor = [], {}
    while True:
        result = client.ask(method, **cursor)["result"]
        got += [one[of] for one in result[key]]
        if "nextCursor" not in result:
            return got
        cursor = {"cursor": result["nextCursor"]}


def they_are_one(place):
    p = Several(place)
    with p.many({**TWO, "plain": ("good", [])}, (*ALL, "plain/*")) as c:
        begun = c.begin()["result"]
        assert begun["protocolVersion"] == "2025-11-25" and begun["serverInfo"]["name"] == "ambit-guard", begun
        assert begun["capabilities"] == {"tools": {"listChanged": True}, "prompts": {}, "resources": {"subscribe": True}, "completions": {}, "logging": {}}, begun
        assert "Of fs, whose tools are fs__NAME:\nI am fs." in begun["instructions"] and "I am mail." in begun["instructions"], begun
        assert names(c) == [f"{s}__{t}" for s in ("fs", "mail", "plain") for t in ("read_file", "same", "ask", "move", "die", "slow", "where", "remember", "half")]
        assert names(c, "prompts/list", "prompts") == ["fs__greet", "mail__greet"]
        assert names(c, "resources/list", "resources", "uri") == ["fs+file:///it", "mail+file:///it"]
        assert names(c, "resources/templates/list", "resourceTemplates", "uriTemplate") == ["fs+file:///{path}", "mail+file:///{path}"]
        for server in ("fs", "mail"):
            assert text_of(c.call(f"{server}__read_file")) == f"read_file of {server}"
            assert c.ask("prompts/get", name=f"{server}__greet")["result"]["messages"][0]["content"]["text"] == f"greet of {server}"
            assert c.ask("resources/read", uri=f"{server}+file:///it")["result"]["contents"] == [{"uri": f"{server}+file:///it", "text": f"file:///it of {server}"}]
            assert c.ask("completion/complete", ref={"type": "ref/prompt", "name": f"{server}__greet"}, argument={"name": "a", "value": ""})["result"]["completion"]["values"] == [f'{server}:{{"name": "greet", "type": "ref/prompt"}}']
            assert c.ask("completion/complete", ref={"type": "ref/resource", "uri": f"{server}+file:///{{path}}"}, argument={"name": "path", "value": ""})["result"]["completion"]["values"] == [f'{server}:{{"type": "ref/resource", "uri": "file:///{{path}}"}}']
            content = c.call(f"{server}__where")["result"]["content"]
            assert content[0]["uri"] == content[1]["resource"]["uri"] == f"{server}+file:///it", content
            assert c.ask("resources/subscribe", uri=f"{server}+file:///it")["result"] == {}
        assert c.ask("logging/setLevel", level="info")["result"] == {} and c.ask("ping")["result"] == {}
        for name in ("read_file", "nobody__read_file", "fs", "fs__", "__read_file", "fs_read_file"):
            answer = c.call(name)
            assert answer["error"]["code"] == -32602, answer
        assert c.ask("no/method")["error"]["code"] == -32601
        assert c.end() == 0
    steps = [json.loads(line) for line in expect_ok(p.ambit("ledger", "show", "--json")).stdout.splitlines()]
    used = {s["body"]["object"] for s in steps if s["body"].get("op") == "use"}
    assert {"fs/read_file", "mail/read_file", "fs/prompts/get", "mail/resources/read"} <= used, used
    expect_ok(p.ambit("ledger", "replay"))


def each_has_grants_of_its_own(place):
    p = Several(place)
    for name in ("ours", "theirs", "both"):
        os.mkdir(f"{p.top}/{name}")
        with open(f"{p.top}/{name}/x", "w", encoding="utf-8") as file:
            file.write(name)
    paths = [f"{p.top}/{name}/x" for name in ("ours", "theirs", "both")]
    path = p.policy({"fs": ("good", [{"read": f"{p.top}/ours"}]), "mail": ("good", [{"read": f"{p.top}/theirs"}])}, [{"tool": "fs/same"}, {"tool": "mail/same", "where": {"paths": f"{p.top}/**"}}])
    with open(path, encoding="utf-8") as file:
        policy = json.load(file)
    policy["guard"].append({"read": f"{p.top}/both"})
    with open(path, "w", encoding="utf-8") as file:
        json.dump(policy, file)
    with Client([place.ambit, "guard", *room_of(place), "--policy", path], p.env, p.top) as c:
        c.begin()
        assert names(c) == ["fs__same", "mail__same"]
        fs, mail = (json.loads(text_of(c.call(f"{server}__same", paths=paths)))["tries"] for server in ("fs", "mail"))
        assert [fs[one] == name for one, name in zip(paths, ("ours", "theirs", "both"))] == [True, False, True], fs
        assert [mail[one] == name for one, name in zip(paths, ("ours", "theirs", "both"))] == [False, True, True], mail
        is_denied(c.call("fs__read_file"), "'fs/read_file' is not granted", "`tool: fs/read_file`")
        is_denied(c.call("mail__same", paths=["/etc/passwd"]), "'mail/same' is granted, but not with this 'paths'")


def what_they_say_goes_to_who_asked(place):
    p = Several(place)
    with p.many(TWO, (*ALL, "mail/elicitation/create")) as c:
        c.ask("initialize", protocolVersion="2025-11-25", capabilities={"elicitation": {}}, clientInfo={"name": "t", "version": "1"})
        c.say({"jsonrpc": "2.0", "method": "notifications/initialized"})
        c.say({"jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": {"name": "mail__ask"}}, {"jsonrpc": "2.0", "id": "b", "method": "tools/call", "params": {"name": "fs__ask"}})
        got = {}
        while len(got) < 2:
            m = c.line()
            if m.get("method") == "elicitation/create":
                assert m["params"]["message"] == "mail: which?", m  # whose question it is
                c.say({"jsonrpc": "2.0", "id": m["id"], "result": {"action": "accept", "content": {"x": 1}}})
            elif "method" not in m:
                got[m["id"]] = m
        assert text_of(got["a"]) == 'mail heard {"action": "accept", "content": {"x": 1}}', got
        assert text_of(got["b"]) == "fs heard null", got  # it may ask nobody
        answer = c.call("mail__move", _meta={"progressToken": "mine"})
        assert text_of(answer) == "move of mail"
        notes = {m["method"]: m.get("params") for m in c.stray}
        while not {"notifications/progress", "notifications/resources/updated", "notifications/tools/list_changed"} <= set(notes):
            m = c.line()
            notes[m["method"]] = m.get("params")
        assert notes["notifications/progress"]["progressToken"] == "mine" and notes["notifications/resources/updated"]["uri"] == "mail+file:///it", notes
        assert "mail__added" not in names(c) and "fs__read_file" in names(c)  # new, and so it waits for a person


def one_that_ends_leaves_the_others(place):
    p = Several(place)
    with p.many({**TWO, "broken": ("good", [])}, (*ALL, "broken/*")) as c:
        c.begin()
        names(c)
        c.say({"jsonrpc": "2.0", "id": "slow", "method": "tools/call", "params": {"name": "fs__slow"}})
        answer = c.call("broken__die")
        assert "the server" in answer["error"]["message"] and "ended" in answer["error"]["message"], answer
        assert text_of(c.call("mail__same"))  # beside one that died and one that hangs
        assert not [n for n in names(c) if n.startswith("broken")]
        assert "the server 'broken' ended" in c.call("broken__same")["error"]["message"]
        c.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "slow"}})
        assert c.end() == 0
    path = p.policy(TWO, [{"tool": "*"}])
    with open(path, encoding="utf-8") as file:
        policy = json.load(file)
    policy["servers"]["none"] = {"command": ["/nowhere/at-all"]}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(policy, file)
    with Client([place.ambit, "guard", *room_of(place), "--policy", path], p.env, p.top) as c:
        c.begin()
        assert text_of(c.call("mail__read_file")) == "read_file of mail"
        assert b"the server none does not start" in b"".join(c.err), c.err


def many_lists_that_end_at_once_end_nothing(place):
    """Each of a megabyte, all when the one that hangs has had its time: there is no room for them together."""
    p = Several(place)
    with p.many({"fat": ("fat", []), "unlisted": ("unlisted", [])}, ("fat/*", "unlisted/*")) as c:
        c.begin()
        first = c.last + 1
        c.say(*({"jsonrpc": "2.0", "id": i, "method": "tools/list"} for i in range(first, first + 60)))
        sizes = [len(json.dumps(c.wait_for(i)["result"])) for i in range(first, first + 60)]
        assert min(sizes) > 100000 and sum(sizes) > 10_000_000, sizes  # on a busy machine not all of its pages have come by then
        c.last = first + 60
        assert c.ask("ping")["result"] == {}


def one_that_hangs_leaves_the_others(place):
    p = Several(place)
    with p.many({**TWO, "unlisted": ("unlisted", []), "hangs": ("hangs", [])}, (*ALL, "unlisted/*", "hangs/*")) as c:
        c.begin()  # that waits for one
        assert text_of(c.call("mail__read_file")) == "read_file of mail"
        assert {n.split("__")[0] for n in names(c)} == {"fs", "mail"}


def names_that_look_alike_are_refused(place):
    p = Several(place)
    servers = {"fs": ("good", []), "evil": ("alike", [])}
    with p.many(servers, ("fs/*", "evil/*")) as c:
        c.begin()
        answer = c.call("evil__read_fi1e")  # also before it is listed
        is_denied(answer, "the tool 'read_fi1e' of evil looks like 'read_file' of fs")
        assert "evil__read_fi1e" not in names(c) and "evil__same" in names(c) and "fs__read_file" in names(c)
        assert c.end() == 0
        assert b"the tool read_fi1e of evil looks like read_file of fs" in b"".join(c.err), c.err
    refused = p.ambit("guard", "--pins", "evil", "--approve")
    assert refused.returncode != 0 and "was not shown" in refused.stderr, refused
    shown = expect_ok(p.ambit("guard", "--pins", "evil"))
    assert "read_fi1e: looks like another server's\n  + fs/read_file\n" in shown.stdout, shown
    assert "approved: read_fi1e, beside fs/read_file" in expect_ok(p.ambit("guard", "--pins", "evil", "--approve", "read_fi1e")).stdout
    with p.many(servers, ("fs/*", "evil/*")) as c:  # the twin
        c.begin()
        assert "evil__read_fi1e" in names(c)
        assert text_of(c.call("evil__read_fi1e")) == "read_fi1e of evil"
    one, other = p.policy({"files": ("good", [])}, [], "a.yaml"), p.policy({"fi1es": ("good", [])}, [], "b.yaml")
    told = p.ambit("guard", "--policy", one, "--policy", other)
    assert told.returncode == 125 and "the servers 'files' and 'fi1es' have names that look alike" in told.stderr, told


def long_lists_have_pages(place):
    p = Several(place)
    with p.many({"fs": ("paged", []), "mail": ("paged", [])}, ALL) as c:
        c.begin()
        assert names(c) == [f"{s}__t{i:03}" for s in ("fs", "mail") for i in range(50)]
        for cursor in ("7", "1.9999", "99.0", "1.0x", ""):
            assert c.ask("tools/list", cursor=cursor)["error"]["code"] == -32602


def the_oldest_version_is_spoken(place):
    p = Several(place)
    with p.many({"fs": ("good", []), "old": ("good", [])}, ("fs/*", "old/*")) as c:
        assert c.begin()["result"]["protocolVersion"] == "2025-06-18"


def a_policy_or_a_command(place):
    p = Several(place)
    path = p.policy(TWO, [])
    for words, told in ((("--policy", path, "--", "true"), "neither a command nor --name"), (("--policy", path, "--name", "x"), "neither a command nor --name"), ((), "no command")):
        refused = p.ambit("guard", *words)
        assert refused.returncode == 125 and told in refused.stderr, refused


SCENARIOS = [
    they_are_one,
    each_has_grants_of_its_own,
    what_they_say_goes_to_who_asked,
    one_that_ends_leaves_the_others,
    one_that_hangs_leaves_the_others,
    many_lists_that_end_at_once_end_nothing,
    names_that_look_alike_are_refused,
    long_lists_have_pages,
    the_oldest_version_is_spoken,
    a_policy_or_a_command,
]

if __name__ == "__main__":
    main(SCENARIOS)
