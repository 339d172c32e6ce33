"""What a command is made of: the steps of a task, the parts of an attack between them, and the loop around both.

A tool speaks one language: `sh` (the steps are lines of bash), `py`, `js` (statements of a program), `mcp` (calls of a server's tools)."""

import json
import textwrap

TASKS = {}  # (tool, name): (language, function)
REPEATED = 100  # how often a padded attack's task is done
PAUSE = 0.15  # seconds between two parts of one that is slowed


def task(tool, language="sh"):
    def put(function):
        TASKS[tool, function.__name__] = language, function
        return function
    return put


def pause(language):
    return {"sh": f"read -rt {PAUSE} _", "py": f"import time; time.sleep({PAUSE})", "js": f"await new Promise(r => setTimeout(r, {PAUSE * 1000}));",
            "mcp": {"name": "wait", "arguments": {"seconds": PAUSE}}}[language]


def loop(language, steps, times, at, parts):
    """`steps` so many times, and `parts` once, in the turn `at` behind a half of them."""
    half = max(1, len(steps) // 2)
    if language == "mcp":
        turns = [list(steps) for _ in range(times)]
        turns[at][half:half] = parts
        return [s for turn in turns for s in turn]
    if language == "sh":
        inside = [*steps[:half], f"if [ $turn = {at} ]; then", *parts, "fi", *steps[half:]]
        return [f"for ((turn = 0; turn < {times}; turn++)); do", *inside, "done"]
    if language == "py":
        inside = [*steps[:half], f"if turn == {at}:\n" + textwrap.indent("\n".join(parts), "    "), *steps[half:]]
        body = textwrap.indent("\n".join(inside), "        ")
        return [f"for turn in range({times}):\n    try:\n{body}\n    except Exception:\n        pass  # what is not there any more"]
    inside = [*(f"{{ {s} }}" for s in steps[:half]), f"if (turn === {at}) {{", *parts, "}", *(f"{{ {s} }}" for s in steps[half:])]
    return [f"for (let turn = 0; turn < {times}; turn++) try {{", *inside, "} catch (e) { /* what is not there any more */ }"]


def spread(language, rng, steps, parts):
    """Each part somewhere behind the one before, and a pause before each."""
    places = sorted(rng.randint(0, len(steps)) for _ in parts)
    out = []
    for i in range(len(steps) + 1):
        for place, part in zip(places, parts):
            if place == i:
                out += [pause(language), part]
        out += steps[i:i + 1]
    return out


def argv(world, tool, language, steps):
    """The command, and the files that it needs."""
    if language == "sh":
        return ["bash", "-c", "\n".join(steps)]
    if language == "py":
        name = world.file(f"{world.grown.name()}.py", "\n".join(steps) + "\n")
        return ["python3", name]
    if language == "js":
        body = "\n".join(steps)
        name = world.file(f"{world.grown.name()}.js", "const fs = require('fs'), path = require('path'), cp = require('child_process');\n"
                          f"(async () => {{\n{body}\n}})().catch(e => {{ console.error(e); process.exit(0); }});\n")
        return ["node", name]
    calls = [{"jsonrpc": "2.0", "id": i + 2, "method": "tools/call", "params": step} for i, step in enumerate(steps)]
    start = [{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": {},
              "clientInfo": {"name": "client", "version": "1"}}}, {"jsonrpc": "2.0", "method": "notifications/initialized"},
             {"jsonrpc": "2.0", "id": "l", "method": "tools/list"}]
    world.input = "".join(json.dumps(m) + "\n" for m in start + calls)
    return ["python3", "server.py"]
