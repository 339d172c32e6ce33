#!/usr/bin/env python3
"""A server of the Model Context Protocol that is one of several.

usage: many_server.py NAME [MODE]"""

import json
import os
import signal
import sys
import time

NAME, MODE = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "good"
TOOLS = {"alike": ["read_fi1e", "same"], "more": ["read_file"], "paged": [f"t{i:03}" for i in range(50)], "fat": [f"t{i:03}" for i in range(420)]}.get(MODE, ["read_file", "same", "ask", "move", "die", "slow", "where", "remember", "half"])
LATER = {}
memory = []


def say(what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def answer(m, result):
    say({"jsonrpc": "2.0", "id": m["id"], "result": result})


def refuse(m, text):
    say({"jsonrpc": "2.0", "id": m["id"], "error": {"code": -32603, "message": text}})


def note(method, **params):
    say({"jsonrpc": "2.0", "method": method, **({"params": params} if params else {})})


def text(said, **more):
    return {"content": [{"type": "text", "text": said}], **more}


def tool(name):
    return {"name": name, "description": f"{name} of {NAME}" + (2400 * "x" if MODE == "fat" else ""), "inputSchema": {"type": "object"}}


def call(m):
    name, arguments = m["params"]["name"], m["params"].get("arguments") or {}
    memory.append(arguments)
    if name == "ask":  # what the user says is the answer
        LATER["q"] = m
        return say({"jsonrpc": "2.0", "id": "q", "method": "elicitation/create", "params": {"message": "which?", "requestedSchema": {"type": "object", "properties": {}}}})
    if name == "move":
        token = m["params"].get("_meta", {}).get("progressToken")
        note("notifications/progress", progressToken=token, progress=1)
        note("notifications/resources/updated", uri="file:///it")
        TOOLS.append("added")
        note("notifications/tools/list_changed")
    if name == "die":
        os._exit(3)
    if name == "slow":
        time.sleep(600)
    if name == "remember":  # what earlier calls left: in memory, in its own /tmp, in the workspace
        count = {"memory": len(memory)}
        for what, path in (("tmp", "/tmp/left"), ("work", "left")):
            try:
                count[what] = len(open(path, encoding="utf-8").read())
                count[what] += 0
            except OSError:
                count[what] = 0
            with open(path, "a", encoding="utf-8") as file:
                file.write("x")
        return answer(m, text(json.dumps(count), isError=bool(arguments.get("fails"))))
    if name == "half":  # writes the half of it, and dies, or stays
        with open("half", "w", encoding="utf-8") as file:
            file.write("x")
        if arguments.get("then") == "die":
            os._exit(0)
        if arguments.get("then") == "stay":
            answer(m, text("done"))
            os.close(1)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
        time.sleep(600)
    if name == "where":
        return answer(m, {"content": [{"type": "resource_link", "uri": "file:///it", "name": "it"}, {"type": "resource", "resource": {"uri": "file:///it", "text": "x"}}]})
    if name == "same":
        tries = {}
        for path in arguments.get("paths", []):
            try:
                tries[path] = open(path, encoding="utf-8").read()
            except OSError as e:
                tries[path] = type(e).__name__
        return answer(m, text(json.dumps({"of": NAME, "tries": tries, "sum": 1e3})))
    return answer(m, text(f"{name} of {NAME}"))


def take(m):
    method, params = m.get("method"), m.get("params") or {}
    can = {"tools": {}, "prompts": {}, "resources": {"subscribe": True}, "completions": {}, "logging": {}} if NAME != "plain" else {"tools": {}}
    if method is None:
        return answer(LATER.pop("q"), text(f"{NAME} heard {json.dumps(m.get('result'))}"))
    if method == "initialize":
        if MODE == "hangs":
            time.sleep(600)
        return answer(m, {"protocolVersion": "2025-06-18" if NAME == "old" else params["protocolVersion"], "capabilities": can, "serverInfo": {"name": NAME, "version": "1"}, "instructions": f"I am {NAME}."})
    if method == "tools/list":
        if MODE == "unlisted":
            time.sleep(600)
        size, at = (7 if MODE == "paged" else 100), int(params.get("cursor", "0"))
        return answer(m, {"tools": [tool(t) for t in TOOLS[at:at + size]], **({"nextCursor": str(at + size)} if at + size < len(TOOLS) else {})})
    if method == "prompts/list":
        return answer(m, {"prompts": [{"name": "greet"}]})
    if method == "prompts/get":
        return answer(m, {"messages": [{"role": "user", "content": {"type": "text", "text": f"{params['name']} of {NAME}"}}]})
    if method == "resources/list":
        return answer(m, {"resources": [{"uri": "file:///it", "name": "it"}]})
    if method == "resources/templates/list":
        return answer(m, {"resourceTemplates": [{"uriTemplate": "file:///{path}", "name": "any"}]})
    if method == "resources/read":
        return answer(m, {"contents": [{"uri": params["uri"], "text": f"{params['uri']} of {NAME}"}]})
    if method == "completion/complete":
        return answer(m, {"completion": {"values": [f"{NAME}:{json.dumps(params['ref'], sort_keys=True)}"]}})
    if method == "tools/call":
        return call(m)
    if "id" in m:
        return answer(m, {}) if method in ("ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe") else refuse(m, f"no {method}")
    return None


def main():
    for line in sys.stdin:
        take(json.loads(line))


if __name__ == "__main__":
    main()
