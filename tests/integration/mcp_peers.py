"""Clients and servers of MCP from npm (tests/peers/mcp): a client in its driver, the servers with what they can, and what comes of all of it.

A suite has the directory as an argument, `place.given(N)`: harness.py copies it, with node_modules, to where the ordinary user reads it.

    with Peer(place, there, 2) as peer:                    # 1: sdk 1.x (2025-11-25); 2: client 2.x (2026-07-28, and what was before)
        peer.connect(["node", "server.mjs"], era="auto")   # {"version":.., "era":.., "server":.., "capabilities":.., "instructions":.., "pid":..}
        peer.tools()
        peer.call("echo", {"message": "x"})                # its result; Refused when it is an error
    exercise(place, there, 2, "memory", prefix=["ambit", "guard", "--"])   # what the same server says to everything, as texts
"""

import base64
import contextlib
import difflib
import json
import os
import re
import select
import shutil
import subprocess
import time

from harness import PATIENCE, SLOW, Skip, need, write

WANTED = 20  # Node's major version, of client and server 2.x
FROM = "node_modules/@modelcontextprotocol"
ERAS = {1: ("legacy",), 2: ("auto", "legacy")}


class Refused(AssertionError):
    """An error came in place of a result."""

    def __init__(self, what, error):
        super().__init__(f"{what}: {error}")
        self.code, self.message, self.data = error["code"], error["message"], error.get("data")


def node():
    need("node")
    found = shutil.which("node", path="/usr/local/bin:/usr/bin:/bin")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False, timeout=SLOW * PATIENCE).stdout
    if not (match := re.match(r"v(\d+)\.", version)) or int(match.group(1)) < WANTED:
        raise Skip(f"node is {version.strip() or 'broken'}, and {WANTED} or later is wanted")
    return found


def installed(there):
    """Skips where the packages are not, and where they are of another lock file."""
    mark = os.path.join(there, "node_modules/.package-lock.json")
    if not os.path.exists(mark):
        raise Skip("the packages of tests/peers/mcp are not there: ./bootstrap check gets them from npm")
    with open(os.path.join(there, "package.json"), encoding="utf-8") as file:
        wanted = json.load(file)["dependencies"]
    for name, version in wanted.items():
        with open(os.path.join(there, "node_modules", name, "package.json"), encoding="utf-8") as file:
            found = json.load(file)["version"]
        if found != version:
            raise Skip(f"tests/peers/mcp has {name} {found}, and {version} is wanted: ./bootstrap check gets it from npm")
    return there


class Peer:
    """A client of kind 1 or 2. Each method is a command to its driver, and returns what came; `start` and `wait` are for several at a time."""

    def __init__(self, place, there, kind, environment=None):
        self.kind, self.program = kind, node()
        installed(there)
        self.place, self.environment = place, environment or place.environment()
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen([self.program, os.path.join(there, f"client{kind}.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=self.environment)
        self.count, self.answers, self.rest = 0, {}, b""

    # ---- the driver ----

    def start(self, word, **words):
        """Sends it; what `wait` wants is returned."""
        self.count += 1
        line = json.dumps({"id": self.count, "do": word, **{name: value for name, value in words.items() if value is not None}})
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return self.count, word

    def wait(self, sent, seconds=PATIENCE):
        number, word = sent
        end = time.monotonic() + SLOW * seconds
        while number not in self.answers:
            left = end - time.monotonic()
            assert left > 0, f"no answer to {word!r} within {SLOW * seconds} s"
            if not select.select([self.process.stdout], [], [], left)[0]:
                continue
            data = os.read(self.process.stdout.fileno(), 1 << 20)
            assert data, f"the driver ended before it answered {word!r}: {self.process.stderr.read().decode(errors='replace')[-2500:]}"
            *lines, self.rest = (self.rest + data).split(b"\n")
            for line in lines:
                answer = json.loads(line)
                self.answers[answer["id"]] = answer
        answer = self.answers.pop(number)
        if "error" in answer:
            raise Refused(word, answer["error"])
        return answer["ok"]

    def do(self, word, **words):
        return self.wait(self.start(word, **words))

    # ---- what a client does ----

    def connect(self, command, env=None, cwd=None, **words):
        """env: what the server has, and its client gives it no more. Of words: era "legacy", "auto" (its default) or a version that it has to be (kind 2);
        answers {"elicitation"|"sampling"|"roots": [{"result":..} | {"error":..}, ..]}, of which the last is for all that follow; each may have "after" (ms);
        without [what the client cannot]; tasks (it can them); probe (ms, kind 2); rounds, autofulfil (kind 2); listChanged (kind 2)."""
        return self.do("connect", command=command, env=env or self.environment, cwd=cwd, **words)

    def tools(self, **words):
        return self.do("listTools", **words)["tools"]

    def resources(self, **words):
        return self.do("listResources", **words)["resources"]

    def templates(self, **words):
        return self.do("listResourceTemplates", **words)["resourceTemplates"]

    def prompts(self, **words):
        return self.do("listPrompts", **words)["prompts"]

    def call(self, name, arguments=None, **words):
        """Of words: progress=True (then {"result":.., "progress": [..]}), timeout, total, reset, abort (ms), _meta; manual=True (kind 2: what is wanted is
        returned, and more={"inputResponses":.., "requestState":..} goes with the next)."""
        return self.do("callTool", name=name, arguments=arguments, **words)

    def task(self, name, arguments=None, **words):
        """{"kind": "task"|"immediate", "states": [..], "status":.., "result"|"error":..}; cancel=True cancels it at once."""
        return self.do("callTask", name=name, arguments=arguments, **words)

    def read(self, uri, **words):
        return self.do("readResource", uri=uri, **words)["contents"]

    def prompt(self, name, arguments=None, **words):
        return self.do("getPrompt", name=name, arguments=arguments, **words)

    def complete(self, ref, name, value, **words):
        return self.do("complete", ref=ref, argument={"name": name, "value": value}, **words)["completion"]

    def seen(self):
        """{"notifications": [..], "errors": [..], "asked": [..]} since the last time, and "stderr" from the beginning, "closed"."""
        return self.do("seen")

    def gathered(self, found, seconds=PATIENCE):
        """The notifications until one has come that `found` is true of."""
        end, gathered = time.monotonic() + SLOW * seconds, []
        while not any(map(found, gathered)):
            assert time.monotonic() < end, f"no such notification among {gathered}"
            seen = self.seen()
            gathered += seen["notifications"]
            time.sleep(0.02)
        return gathered

    def close(self):
        """Ends the connection, as the client does; what had been seen is returned."""
        return self.do("close")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.process.stdin.close()
            self.process.wait(SLOW * PATIENCE)
        except (subprocess.TimeoutExpired, OSError):
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


# ---- every tool of each server ----

EMAIL = {"name": "Ada", "check": True, "integer": 7}
ANSWERS = {"elicitation": [{"result": {"action": "accept", "content": EMAIL}}],
           "sampling": [{"result": {"role": "assistant", "model": "none", "stopReason": "endTurn", "content": {"type": "text", "text": "roses"}}}],
           "roots": [{"result": {"roots": [{"uri": "file:///usr/share", "name": "share"}]}}]}
CLOCK = (r"created at \d+:\d\d:\d\d [AP]M", "created at TIME")  # everything's resources have the time in them, those in base64 too
CLOCK64 = (r"(UmVzb3VyY2Ug[A-Za-z0-9+/]{48})[A-Za-z0-9+/=]+", r"\1TIME")
LEVEL = (r'\{"data": "[A-Z][a-z]+[- ]level[- ]message", "level": "[a-z]+"\}', '"LEVEL"')  # it takes one by chance
UUID = (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID")
TASK = (r"\b[0-9a-f]{32}\b", "TASK")  # numbers that sdk 1.x gives to tasks
DATES = (r"(created|modified|accessed): .*", r"\1: DATE")
STATE = (r"v1\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", "STATE")  # its end is a time
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


class Server:
    """What it is started with, below the directory, and its calls, in an order in which each does something: (tool, arguments, a text that its result has). A text
    that begins with ! must be in an error. {tree} is a fresh directory, where `files` are."""

    def __init__(self, calls, argv, files=None, env=None, random=(), reads=(), prompts=(), completions=(), missing=(), tasks=(), answers=None, eras=None):
        self.calls, self.argv, self.files, self.env, self.random = calls, argv, files or {}, env or {}, random
        self.reads, self.prompts, self.completions, self.tasks = reads, prompts, completions, tasks
        self.missing = missing  # tools that only a client has who can more than the one of that kind: (kind, era) -> names
        self.answers, self.eras = answers or ANSWERS, eras


SERVERS = {
    "filesystem": Server(argv=[f"{FROM}/server-filesystem/dist/index.js", "{tree}"], random=[DATES],
                         answers={**ANSWERS, "roots": [{"result": {"roots": [{"uri": "file://{tree}"}]}}]},  # they take the place of what it was started with
                         files={"a.txt": "one\ntwo\nthree\n", "sub/b.md": "# b\n", "p.png": None}, calls=[
        ("list_allowed_directories", {}, "{tree}"), ("read_file", {"path": "{tree}/a.txt"}, "three"), ("read_text_file", {"path": "{tree}/a.txt", "head": 2}, "two"),
        ("read_media_file", {"path": "{tree}/p.png"}, PIXEL), ("read_multiple_files", {"paths": ["{tree}/a.txt", "{tree}/sub/b.md", "{tree}/none"]}, "# b"),
        ("write_file", {"path": "{tree}/new.txt", "content": "naïve ☃\n"}, "Successfully"), ("read_text_file", {"path": "{tree}/new.txt"}, "naïve ☃"),
        ("edit_file", {"path": "{tree}/a.txt", "edits": [{"oldText": "two", "newText": "2"}]}, "+2"), ("create_directory", {"path": "{tree}/deep/er"}, "Successfully"),
        ("list_directory", {"path": "{tree}"}, "[DIR] deep"), ("list_directory_with_sizes", {"path": "{tree}", "sortBy": "name"}, "Total"), ("directory_tree", {"path": "{tree}"}, '"er"'),
        ("move_file", {"source": "{tree}/new.txt", "destination": "{tree}/deep/moved.txt"}, "Successfully"), ("search_files", {"path": "{tree}", "pattern": "**/*.txt"}, "moved.txt"),
        ("get_file_info", {"path": "{tree}/a.txt"}, "size: 12"), ("read_text_file", {"path": "/etc/passwd"}, "!Access denied"), ("read_text_file", {}, "!expected string")]),
    "memory": Server(argv=[f"{FROM}/server-memory/dist/index.js"], env={"MEMORY_FILE_PATH": "{tree}/memory.jsonl"}, calls=[
        ("create_entities", {"entities": [{"name": "ada", "entityType": "person", "observations": ["counts"]}, {"name": "engine", "entityType": "machine", "observations": []}]}, "engine"),
        ("create_relations", {"relations": [{"from": "ada", "to": "engine", "relationType": "programs"}]}, "programs"),
        ("add_observations", {"observations": [{"entityName": "ada", "contents": ["writes"]}]}, "writes"), ("add_observations", {"observations": [{"entityName": "no", "contents": ["x"]}]}, "!not found"),
        ("read_graph", {}, "writes"), ("search_nodes", {"query": "machine"}, "engine"), ("open_nodes", {"names": ["ada"]}, "counts"),
        ("delete_observations", {"deletions": [{"entityName": "ada", "observations": ["counts"]}]}, "success"),
        ("delete_relations", {"relations": [{"from": "ada", "to": "engine", "relationType": "programs"}]}, "success"), ("delete_entities", {"entityNames": ["engine"]}, "success"),
        ("read_graph", {}, "writes")]),
    "sequential-thinking": Server(argv=[f"{FROM}/server-sequential-thinking/dist/index.js"], env={"DISABLE_THOUGHT_LOGGING": "true"}, calls=[
        ("sequentialthinking", {"thought": "first", "nextThoughtNeeded": True, "thoughtNumber": 1, "totalThoughts": 2}, '"thoughtNumber": 1'),
        ("sequentialthinking", {"thought": "other", "nextThoughtNeeded": True, "thoughtNumber": 2, "totalThoughts": 2, "branchFromThought": 1, "branchId": "b"}, '"b"'),
        ("sequentialthinking", {"thought": "not so", "nextThoughtNeeded": False, "thoughtNumber": 3, "totalThoughts": 2, "isRevision": True, "revisesThought": 1}, '"totalThoughts": 3'),
        ("sequentialthinking", {"thought": "last"}, "!nextThoughtNeeded")]),
    "everything": Server(argv=[f"{FROM}/server-everything/dist/index.js"], random=[CLOCK, CLOCK64, LEVEL, UUID, TASK], env={"ONLY": "this"}, calls=[
        ("echo", {"message": "hello"}, "Echo: hello"), ("get-annotated-message", {"messageType": "error", "includeImage": True}, "priority"), ("get-env", {}, "ONLY"),
        ("get-resource-links", {"count": 3}, "resource_link"), ("get-resource-reference", {"resourceType": "Blob", "resourceId": 4}, "blob"),
        ("get-structured-content", {"location": "Chicago"}, "structuredContent"), ("get-sum", {"a": 2, "b": 3}, "is 5"), ("get-tiny-image", {}, "image/png"),
        ("gzip-file-as-resource", {"name": "x.gz", "data": "data:text/plain;base64,aGVsbG8=", "outputType": "resource"}, "application/gzip"),
        ("toggle-simulated-logging", {}, "Started"), ("toggle-simulated-logging", {}, "Stopped"), ("toggle-subscriber-updates", {}, "Started"), ("toggle-subscriber-updates", {}, "Stopped"),
        ("trigger-long-running-operation", {"duration": 0.2, "steps": 2}, "Long running operation completed"), ("trigger-sampling-request", {"prompt": "x", "maxTokens": 5}, "roses"),
        ("trigger-elicitation-request", {}, "Name: Ada"), ("get-roots-list", {}, "/usr/share"), ("trigger-url-elicitation", {"url": "https://sign.example.org/"}, "completed"),
        ("trigger-url-elicitation", {"url": "https://sign.example.org/", "elicitationId": "one", "errorPath": True}, "!-32042"), ("get-sum", {"a": "two"}, "!expected number"), ("none", {}, "!not found"),
        ("trigger-sampling-request-async", {"prompt": "x"}, "roses"), ("trigger-elicitation-request-async", {}, "COMPLETED")],
        reads=["demo://resource/static/document/features.md", "demo://resource/dynamic/text/2", "demo://resource/dynamic/blob/3", "!demo://none"],
        prompts=[("simple-prompt", None), ("args-prompt", {"city": "Paris", "state": "Texas"}), ("completable-prompt", {"department": "Sales", "name": "Bob"}), ("resource-prompt", {"resourceType": "Text", "resourceId": "1"})],
        completions=[({"type": "ref/prompt", "name": "completable-prompt"}, "department", "E", None), ({"type": "ref/prompt", "name": "completable-prompt"}, "name", "", {"department": "Sales"}),
                     ({"type": "ref/resource", "uri": "demo://resource/dynamic/text/{resourceId}"}, "resourceId", "5", None)],
        # Who has no tasks of its own is not asked by one; that of research takes four seconds.
        missing={2: ("trigger-sampling-request-async", "trigger-elicitation-request-async", "simulate-research-query"), 1: ("simulate-research-query",)}),
    "server2": Server(argv=["server2.mjs"], random=[STATE], eras={1: ("legacy",), 2: ("2026-07-28", "legacy")}, calls=[
        ("echo", {"message": "h\u00e9\u2028\U0001f600\t\""}, "\U0001f600"), ("sum", {"numbers": [1, 2.5, -1e300]}, "structuredContent"), ("sum", {"numbers": "x"}, "!expected array"), ("kinds", {}, "UklGRg"),
        ("fail", {"how": "result"}, "!did not work"), ("fail", {"how": "throw"}, "!thrown by the tool"), ("steps", {"steps": 3, "ms": 5}, "3 steps"), ("confirm", {"what": "it"}, "done: it"),
        ("confirm", {"what": "that"}, "left alone: that (decline)"), ("confirm", {"what": "this"}, "left alone: this (cancel)"), ("interview", {}, "poem: roses"), ("url", {}, "went: accept"),
        ("again", {"times": 1}, "asked 1 times"), ("log", {}, "logged"), ("stderr", {"line": "to be seen"}, "written"), ("big", {"bytes": 300000}, "xxxx"), ("meta", {}, "example.org/back"), ("grow", {}, "grown 1"),
        ("grown-1", {}, "new"), ("none", {}, "!not found")],
        reads=["note://motd", "note://pixel", "person://grace", "note://grown/1", "!note://none"],
        prompts=[("hello", None), ("about", {"name": "ada", "tone": "kindly"}), ("ask", {})],
        completions=[({"type": "ref/prompt", "name": "about"}, "name", "al", None), ({"type": "ref/resource", "uri": "person://{name}"}, "name", "", None)],
        tasks=[("job", {"kind": "plain"}, "ran"), ("job", {"kind": "asks"}, "went on"), ("job", {"kind": "fails"}, "the job broke")],
        answers={**ANSWERS, "elicitation": [{"result": {"action": "accept", "content": {"yes": True}}}, {"result": {"action": "decline"}}, {"result": {"action": "cancel"}},
                                            {"result": {"action": "accept", "content": {"name": "Ada"}}}, {"result": {"action": "accept"}}, {"result": {"action": "accept", "content": {"topic": "rain", "yes": True}}}]}),
}


def eras_of(kind, name):
    return (SERVERS[name].eras or {1: ("legacy",), 2: ("auto",)})[kind]


class Transcript:
    """Everything that a server said, a line of canonical JSON for each thing; what is chance in it (Server.random) is a word in its place, and the tree is {tree}."""

    def __init__(self, random, tree):
        self.random, self.tree, self.lines = random, tree, []

    def add(self, what, value):
        text = json.dumps(value, ensure_ascii=False, sort_keys=True).replace(self.tree, "{tree}")
        for pattern, word in self.random:
            text = re.sub(pattern.replace(".*", r"[^\\\"]*"), word, text)
        self.lines.append(f"{what}: {text}")
        return text

    def differences(self, other):
        """None where they are the same; else what differs, for a failure."""
        found = difflib.unified_diff(self.lines, other.lines, "this", "other", lineterm="", n=0)
        return "\n".join(line[:700] for line in found) or None


def filled(value, tree):
    return json.loads(json.dumps(value).replace("{tree}", tree))


def prepared(server, tree):
    for name, text in server.files.items():
        if text is None:
            with open(os.path.join(tree, name), "wb") as file:
                file.write(base64.b64decode(PIXEL))
        else:
            write(os.path.join(tree, name), text)


def command_of(there, name, tree, prefix=()):
    """What starts that server, behind what is before it."""
    return [*prefix, node(), *(os.path.join(there, word) if word.endswith("js") else word.replace("{tree}", tree) for word in SERVERS[name].argv)]


def exercise(place, there, kind, name, prefix=(), era=None, tree=None, env=None, reached=None):
    """reached(command, env, cwd): what is to be done with the command that starts the server, and what the client connects to then (a URL), as a context; else it starts it itself. Lists and calls every tool of that server, reads its resources, gets its prompts, completes; the results have to hold what the table says, and nothing that is
    listed may be missing in it. Returns the transcript: that of the same server behind `prefix` must be the same."""
    server, tree, era = SERVERS[name], tree or place.fresh(), era or eras_of(kind, name)[0]
    prepared(server, tree)
    transcript = Transcript(server.random, tree)
    tasks = name == "everything" and kind == 1 or server.tasks and era == "2026-07-28"
    with contextlib.ExitStack() as stack:
        peer = stack.enter_context(Peer(place, there, kind))
        env = {**peer.environment, **filled(server.env, tree), **(env or {})}
        command = command_of(there, name, tree, prefix)
        met = peer.connect(stack.enter_context(reached(command, env, tree)) if reached else command, env=env, cwd=tree, era=era if kind == 2 else None, answers=filled(server.answers, tree), tasks=bool(tasks) or None, probe=20000 if kind == 2 else None)
        del met["pid"]
        transcript.add("connect", met)
        able = met["capabilities"]
        skipped = server.missing.get(kind, ()) if server.missing else ()
        called = set()

        def attempt(what, expected, do):
            """Refusals are results, too; and what is said in one is as much of the transcript."""
            bad = expected is not None and expected.startswith("!")
            wanted = filled(expected.lstrip("!"), tree) if expected else ""
            try:
                value = do()
                failed = isinstance(value, dict) and (value.get("isError") or value.get("result", {}).get("isError"))
            except Refused as refused:
                value, failed = {"code": refused.code, "message": refused.message, "data": refused.data}, True
            transcript.add(what, value)
            text = json.dumps(value, ensure_ascii=False)
            assert bool(failed) == bad, f"{name}, {what}: {text[:1500]}"
            assert json.dumps(wanted, ensure_ascii=False)[1:-1] in text, f"{name}, {what}: no {wanted!r} in {text[:1500]}"

        if name == "everything":
            early = peer.gathered(lambda one: "Roots updated" in str(one))  # it asks for them a third of a second after it is there: else that may come at any call
        else:
            early = []
        listed = peer.tools()
        for tool in listed:
            transcript.add(f"tool {tool['name']}", tool)
        for tool, arguments, expected in server.calls:
            called.add(tool)
            if tool not in skipped:
                words = {"_meta": {"example.org/there": 1}} if tool == "meta" else {}
                attempt(f"call {tool}", expected, lambda tool=tool, arguments=arguments, words=words: peer.call(tool, filled(arguments, tree), **words))
        if tasks:
            for tool, arguments, expected in server.tasks:
                attempt(f"task {tool} {arguments}", expected, lambda tool=tool, arguments=arguments: peer.task(tool, arguments))
        untried = {tool["name"] for tool in listed} - called - set(skipped) - {tool for tool, _, _ in server.tasks}
        assert not untried, f"{name}: nothing in the table for {untried}"
        if "resources" in able:
            transcript.add("resources", peer.resources())
            transcript.add("templates", peer.templates())
        for uri in server.reads:
            attempt(f"read {uri}", "!" if uri.startswith("!") else "", lambda uri=uri: peer.read(uri.lstrip("!")))
        if "prompts" in able:
            transcript.add("prompts", peer.prompts())
        for prompt, arguments in server.prompts:
            attempt(f"prompt {prompt}", "messages", lambda prompt=prompt, arguments=arguments: peer.prompt(prompt, arguments))
        for ref, argument, value, context in server.completions:
            attempt(f"complete {argument} {value}", "values",
                    lambda ref=ref, argument=argument, value=value, context=context: peer.complete(ref, argument, value, context=context and {"arguments": context}))
        seen = peer.seen()
        transcript.add("asked", [(one["kind"], {k: v for k, v in one["params"].items() if k != "_meta"}) for one in seen["asked"]])
        transcript.add("notifications", early + seen["notifications"])
        peer.close()
    return transcript


# ---- the inspector, and the conformance suite ----


def inspect(place, there, command, *words, env=None):
    """The inspector's command line (of its version 1, which has 2025-11-25 and no more) against a server on stdio: --method tools/list; --method tools/call --tool-name NAME
    --tool-arg KEY=VALUE. What it prints, or Refused."""
    build = os.path.join(installed(there), f"{FROM}/inspector-cli/build")  # it looks for ../package.json from where it is started
    done = subprocess.run([node(), "index.js", *command, *words], env=env or place.environment(), cwd=build, capture_output=True, text=True, timeout=SLOW * PATIENCE, check=False)
    if done.returncode != 0:
        raise Refused("inspector", {"code": done.returncode, "message": (done.stderr + done.stdout)[-2500:]})
    return json.loads(done.stdout)


# Scenarios that ask for what HTTP has and stdio has not; `auth/..` for clients are those of OAuth.
OF_HTTP = ("server-sse-polling", "server-sse-multiple-streams", "dns-rebinding-protection", "sse-retry")
FOR_CLIENTS = ("initialize", "tools_call", "elicitation-sep1034-client-defaults")


def conform(there, *words, environment, cwd):
    program = os.path.join(there, f"{FROM}/conformance/dist/index.js")
    return subprocess.run([node(), program, *words], env=environment, cwd=cwd, capture_output=True, text=True, timeout=SLOW * 4 * PATIENCE, check=False)


def conform_server(place, there, prefix=(), command=None):
    """The conformance suite (of its version 0.1.13: 2025-11-25 and no more) against a server on stdio, by way of a bridge: {scenario: (passed, failed)}, without those of HTTP."""
    command = command or [node(), os.path.join(installed(there), "conform.mjs")]
    bridge = [node(), os.path.join(there, "bridge.mjs"), "serve", *prefix, *command]
    cwd = place.fresh()
    with subprocess.Popen(bridge, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=place.environment(), cwd=cwd) as process:
        try:
            found = conform_at(place, there, json.loads(process.stdout.readline())["url"])
        finally:
            process.stdin.close()
    return {name: counted for name, counted in found.items() if name not in OF_HTTP}


def conform_at(place, there, url):
    """The same against whatever is at the URL, with all scenarios."""
    done = conform(there, "server", "--url", url, environment=place.environment(), cwd=place.fresh())
    found = {name: (int(passed), int(failed)) for name, passed, failed in re.findall(r"^[✓✗] (\S+): (\d+) passed, (\d+) failed", done.stdout, re.M)}
    assert found, done.stdout[-1500:] + done.stderr[-1500:]
    return found


def conform_client(place, there, scenario, prefix=()):
    """One scenario for clients, with what is between: the client speaks stdio to it, and it to a bridge. Whether all held, and what the suite said."""
    words = [node(), os.path.join(installed(there), "conform_client.mjs"), *prefix]
    assert not any(" " in word for word in words), words  # it splits them there
    done = conform(there, "client", "--command", " ".join(words), "--scenario", scenario, environment=place.environment(), cwd=place.fresh())
    return done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
