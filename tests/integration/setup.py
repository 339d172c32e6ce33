#!/usr/bin/env python3
"""`ambit setup`: what becomes of a client's configuration, that it is taken back to the byte, and that what was written there runs.

Real clients (claude, codex, gemini) are asked whether they read it so where they are found: in AMBIT_TEST_CLIENTS, a directory, or in PATH.

usage: setup.py AMBIT    (TAP on standard output; as root once more as an ordinary user)"""

import json
import os
import re
import shlex
import shutil
import stat
import subprocess

from harness import PATIENCE, SLOW, Skip, Terminal, main, room_of, rooted, told, write
from setup_model import Model

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"
WAIT = PATIENCE * SLOW

# client: where its own file is beneath home, that of a project, the member with the servers
CLIENTS = {
    "claude-code": (".claude.json", ".mcp.json", "mcpServers"),
    "codex": (".codex/config.toml", ".codex/config.toml", "mcp_servers"),
    "cursor": (".cursor/mcp.json", ".cursor/mcp.json", "mcpServers"),
    "vscode": (".config/Code/User/mcp.json", ".vscode/mcp.json", "servers"),
    "claude-desktop": (".config/Claude/claude_desktop_config.json", None, "mcpServers"),
    "gemini": (".gemini/settings.json", ".gemini/settings.json", "mcpServers"),
}


class Client:
    """Speaks with a server as the configuration starts it."""

    def __init__(self, server, env, cwd):
        self.process = subprocess.Popen([server["command"], *server["args"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, cwd=cwd, text=True)
        self.last = 0
        self.ask("initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "t", "version": "1"})
        self.say({"method": "notifications/initialized"})

    def say(self, what):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **what}) + "\n")
        self.process.stdin.flush()

    def ask(self, method, **params):
        self.last += 1
        self.say({"id": self.last, "method": method, "params": params})
        while line := self.process.stdout.readline():
            if json.loads(line).get("id") == self.last:
                return json.loads(line)["result"]
        raise AssertionError(f"it ended: {self.process.stderr.read()}")

    def call(self, name, **arguments):
        return self.ask("tools/call", name=name, arguments=arguments)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for file in (self.process.stdin, self.process.stdout, self.process.stderr):
            file.close()
        try:
            self.process.wait(timeout=WAIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Person:
    def __init__(self, place):
        self.place, fresh = place, place.fresh()
        self.home, self.tree = f"{fresh}/home", f"{fresh}/tree"
        os.mkdir(self.home)
        os.mkdir(self.tree)
        shutil.copy(os.path.join(HERE, "guard_server.py"), self.tree)
        self.env = {**place.environment(), "HOME": self.home}
        self.env["PATH"] = f"{os.path.dirname(place.ambit)}:{self.env['PATH']}"

    def setup(self, *words, input=None, env=None):
        return subprocess.run(["ambit", "setup", *words], cwd=self.tree, input=input, env={**self.env, **(env or {})}, capture_output=True, text=True, errors="replace",
                              timeout=WAIT, **({} if input is not None else {"stdin": subprocess.DEVNULL}))

    def made(self, *words, **more):
        result = self.setup(*words, "--yes", **more)
        assert result.returncode == 0, told(result)
        return result

    def refused(self, *words, says, status=125, **more):
        result = self.setup(*words, **more)
        assert result.returncode == status and says in result.stderr, told(result)
        return result

    def path(self, name):
        return os.path.join(self.home, name)

    def kept(self):
        return [os.path.join(d, f) for d, _, files in os.walk(self.path(".local/state/ambit/setup")) for f in files]


def content(path):
    with open(path, "rb") as file:
        return file.read()


def servers_of(client, path):
    """The servers, as the client would start them."""
    text = content(path).decode()
    if client == "codex":
        found, at = {}, None
        for line in text.splitlines():
            if line.startswith("[mcp_servers."):
                at = found.setdefault(line[13:-1], {})
            elif line.startswith("["):
                at = None
            elif " = " in line and at is not None:
                key, value = line.split(" = ", 1)
                at[key] = json.loads(value)
        return found
    return json.loads(text)[CLIENTS[client][2]]


def server_text(client, command, args):
    if client == "codex":
        return f"# mine\nmodel = \"x\"\n\n[mcp_servers.echo]\ncommand = {json.dumps(command)}\nargs = {json.dumps(args)}\nenv = {{}}\n"
    return json.dumps({"first": [1, {}], CLIENTS[client][2]: {"echo": {"command": command, "args": args}}, "last": None}, indent=3) + "\n"


def a_server_of_each_client_runs_behind_the_gate(place):
    for client, (own, _, _) in CLIENTS.items():
        p = Person(place)
        path = p.path(own)
        before = server_text(client, PYTHON, [f"{p.tree}/guard_server.py", "good"])
        write(path, before)
        os.chmod(path, 0o640)
        room = shlex.join(room_of(place))
        result = p.made(client, "--guard", f"--tool echo/echo --read {p.tree} {room}", "--mcp", f"--work . {room}")
        assert "runs behind the gate" in result.stdout and "+++ b/" in result.stdout, told(result)
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o640
        servers = servers_of(client, path)
        assert list(servers) == ["echo", "ambit"] and servers["echo"]["command"] == place.ambit, servers
        with Client(servers["echo"], p.env, p.tree) as c:
            assert not c.call("echo", text="hi").get("isError"), client
            refused = c.call("drop")
            assert refused["isError"] and "tool: echo/drop" in refused["content"][0]["text"], refused
        again = p.made(client)
        assert "nothing is to be changed" in again.stdout and len(p.kept()) == 2, told(again)
        p.made(client, "--undo")
        assert content(path) == before.encode() and stat.S_IMODE(os.stat(path).st_mode) == 0o640 and p.kept() == [], p.kept()
        p.refused(client, "--undo", "--yes", says="nothing is kept of it")


def the_server_of_ours_runs(place):
    p = Person(place)
    p.made("cursor", "--mcp", shlex.join(["--work", ".", *room_of(place)]))
    server = servers_of("cursor", p.path(".cursor/mcp.json"))["ambit"]
    with Client(server, p.env, p.tree) as c:
        answer = c.call("run", argv=["sh", "-c", "echo made > made.txt; hostname"])
        assert not answer.get("isError"), answer
    assert content(f"{p.tree}/made.txt") == b"made\n"


def variables_arrive_and_no_others(place):
    p = Person(place)
    write(p.path(".cursor/mcp.json"), json.dumps({"mcpServers": {"v": {"command": "/usr/bin/env", "env": {"GIVEN": "yes"}}}}))
    p.made("cursor", "--guard", shlex.join(room_of(place)))
    server = servers_of("cursor", p.path(".cursor/mcp.json"))["v"]
    assert server["env"] == {"GIVEN": "yes"} and server["args"][-4:] == ["--env", "GIVEN", "--", "/usr/bin/env"], server
    server["args"][-1:] = [PYTHON, "-c", "import os, sys; sys.stderr.write(repr([os.environ.get('GIVEN'), os.environ.get('OTHER')]))"]
    result = subprocess.run([server["command"], *server["args"]], env={**p.env, **server["env"], "OTHER": "no"}, cwd=p.tree, capture_output=True, text=True, timeout=WAIT, stdin=subprocess.DEVNULL)
    assert "['yes', None]" in result.stderr, told(result)


def each_file_is_found_where_its_client_looks(place):
    for client, (own, project, _) in CLIENTS.items():
        p = Person(place)
        p.made(client)
        assert os.path.exists(p.path(own)) and stat.S_IMODE(os.stat(p.path(own)).st_mode) == 0o600, client
        p.made(client, "--undo")
        assert not os.path.exists(p.path(own)), client
        if project is None:
            p.refused(client, "--project", says="no file in a project")
        else:
            p.made(client, "--project")
            assert os.path.exists(f"{p.tree}/{project}") and not os.path.exists(p.path(own)), client
            p.made(client, "--project", "--undo")
        p.made(client, "--config", "named.conf", "--policy", "guard_server.py")
        assert b"ambit" in content(f"{p.tree}/named.conf")
    p = Person(place)
    for client, name, where in (("codex", "CODEX_HOME", "config.toml"), ("claude-code", "CLAUDE_CONFIG_DIR", ".claude.json"), ("vscode", "XDG_CONFIG_HOME", "Code/User/mcp.json")):
        p.made(client, env={name: f"{p.tree}/else"})
        assert os.path.exists(f"{p.tree}/else/{where}"), client


def a_person_is_asked(place):
    p = Person(place)
    write(p.path(".cursor/mcp.json"), "{}\n")
    for answer, changed in (("n\r", False), ("\r", False), ("y\r", True)):
        with Terminal(["ambit", "setup", "cursor"], p.tree, p.env) as t:
            t.until(r'\+      "command": ".*ambit"')
            t.until(r"Change it\? \[y/N\] ")
            assert content(p.path(".cursor/mcp.json")) == b"{}\n"
            t.type(answer)
            assert t.end() == (0 if changed else 125), t.shown()
        assert (content(p.path(".cursor/mcp.json")) != b"{}\n") == changed
    p.made("cursor", "--undo")
    with Terminal(["ambit", "setup", "cursor"], p.tree, p.env) as t:
        t.until(r"Change it\? \[y/N\] ")
        write(p.path(".cursor/mcp.json"), '{"other": 1}\n')
        t.type("y\r")
        t.until("was changed meanwhile, and is left as it is")
        assert t.end() == 125 and content(p.path(".cursor/mcp.json")) == b'{"other": 1}\n' and os.listdir(p.path(".cursor")) == ["mcp.json"]
    write(p.path(".cursor/mcp.json"), "{}\n")
    p.refused("cursor", says="there is nobody to ask")
    assert p.setup("cursor", "--dry-run").returncode == 0 and content(p.path(".cursor/mcp.json")) == b"{}\n" and p.kept() == []


def what_is_malformed_is_told_with_its_place_and_kept(place):
    for client, text, says in (("cursor", '{\n  "a": 1,\n  "a": 2}', "line 3, column 3: 'a' is there twice"), ("claude-code", '{"a": 1, // b\n}', "line 1, column 10: a comment"),
                               ("codex", "a = 1\n[x\n", "line 2, column 3: here a ']'"), ("gemini", "{", "it ends too early"), ("vscode", '{"a": "\xff"}', "not UTF-8"),
                               ("cursor", "[" * 100000, "it is deeper than")):
        p = Person(place)
        path = p.path(CLIENTS[client][0])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(text.encode("latin-1"))
        result = p.refused(client, "--yes", says=says)
        assert "Traceback" not in result.stderr and content(path) == text.encode("latin-1") and p.kept() == []


def a_file_that_others_write_is_refused(place):
    p = Person(place)
    path = p.path(".cursor/mcp.json")
    write(path, "{}\n")
    os.chmod(path, 0o646)
    p.refused("cursor", "--yes", says="can be written by others")
    os.chmod(path, 0o644)
    os.chmod(os.path.dirname(path), 0o777)
    p.refused("cursor", "--yes", says="can be written by others")
    os.chmod(os.path.dirname(path), 0o755)
    os.link(path, f"{p.home}/second")
    p.refused("cursor", "--yes", says="hard links")
    os.unlink(f"{p.home}/second")
    os.unlink(path)
    os.mkdir(path)
    p.refused("cursor", "--yes", says="no regular file")
    os.rmdir(path)
    os.symlink("nowhere", path)
    p.refused("cursor", "--yes", says="cannot find")
    os.unlink(path)
    os.mkfifo(path)
    p.refused("cursor", "--yes", says="no regular file")
    assert not os.path.exists(f"{p.home}/nowhere") and p.kept() == []


@rooted
def a_file_of_another_user_is_refused(place):
    p = Person(place)
    path = p.path(".cursor/mcp.json")
    write(path, "{}\n")
    os.chown(path, 64123, 64123)
    p.refused("cursor", "--yes", says="belongs to another user")
    assert content(path) == b"{}\n"


def what_cannot_be_written_stays(place):
    p = Person(place)
    path = p.path(".cursor/mcp.json")
    write(path, "{}\n")
    if os.geteuid() != 0:  # root may anyway
        os.chmod(os.path.dirname(path), 0o555)
        p.refused("cursor", "--yes", says="cannot write beside")
        os.chmod(os.path.dirname(path), 0o755)
    write(p.path("state"), "")
    p.refused("cursor", "--yes", says="ambit: ", env={"XDG_STATE_HOME": p.path("state")})  # no place for what is there now
    assert content(path) == b"{}\n" and os.listdir(os.path.dirname(path)) == ["mcp.json"] and p.kept() == []


def a_link_is_followed(place):
    p = Person(place)
    write(f"{p.home}/dotfiles/mcp.json", "{}\n")
    os.mkdir(p.path(".cursor"))
    os.symlink("../dotfiles/mcp.json", p.path(".cursor/mcp.json"))
    p.made("cursor")
    assert os.readlink(p.path(".cursor/mcp.json")) == "../dotfiles/mcp.json" and b"ambit" in content(f"{p.home}/dotfiles/mcp.json")
    assert os.listdir(f"{p.home}/dotfiles") == ["mcp.json"]
    p.made("cursor", "--undo")
    assert content(f"{p.home}/dotfiles/mcp.json") == b"{}\n"


def what_came_since_stays(place):
    p = Person(place)
    path = p.path(".cursor/mcp.json")
    write(path, '{"mcpServers": {"x": {"command": "npx", "args": ["s"]}}} // mine\n')
    p.made("cursor")
    text = content(path).decode().replace("// mine", "// mine, and later").replace('"s"', '"s", "more"')
    write(path, text)
    result = p.made("cursor", "--undo")
    assert "it was changed since" in result.stdout, told(result)
    assert content(path) == b'{"mcpServers": {"x": {"command": "npx", "args": ["s", "more"]}}} // mine, and later\n', content(path)
    p.made("cursor")
    write(path, "{\n")
    p.refused("cursor", "--undo", "--yes", says="line 2, column 1")
    assert content(path) == b"{\n" and len(p.kept()) == 2
    write(path, '{"mcpServers": {}}')
    assert "nothing of Ambit's" in p.made("cursor", "--undo").stdout and p.kept() == []


def what_is_granted_nothing_is_told(place):
    p = Person(place)
    write(p.path(".cursor/mcp.json"), '{"mcpServers": {"x": {"command": "npx"}}}')
    assert "nothing is granted" in p.setup("cursor", "--dry-run").stdout
    for words in (["--guard", "--tool x/*"], ["--policy", "guard_server.py"], ["--no-guard"]):
        assert "nothing is granted" not in p.setup("cursor", "--dry-run", *words).stdout, words


def what_is_fetched_at_each_start_is_told(place):
    p = Person(place)
    for command, told_so in (("npx", True), ("/usr/bin/uvx", True), ("node", False)):
        write(p.path(".cursor/mcp.json"), json.dumps({"mcpServers": {"x": {"command": command, "args": ["-y", "s"]}}}))
        assert ("x: its command fetches it at each start" in p.setup("cursor", "--dry-run").stdout) == told_so, command


def several_changes_are_undone_one_by_one(place):
    p = Person(place)
    path = p.path(".codex/config.toml")
    texts = [b'[mcp_servers.a]\ncommand = "a"\n']
    write(path, texts[0].decode())
    p.made("codex", "--no-mcp")
    texts.append(content(path))
    p.made("codex")
    assert len(p.kept()) == 4
    p.made("codex", "--undo")
    assert content(path) == texts[1]
    p.made("codex", "--undo")
    assert content(path) == texts[0]


def what_was_kept_is_believed_by_its_digest(place):
    p = Person(place)
    write(p.path(".cursor/mcp.json"), "{}\n")
    p.made("cursor")
    before = content(p.path(".cursor/mcp.json"))
    write(next(f for f in p.kept() if not f.endswith(".is")), '{"mcpServers": {"evil": {"command": "evil"}}}')
    p.refused("cursor", "--undo", "--yes", says="is not what was written")
    assert content(p.path(".cursor/mcp.json")) == before


def a_difference_moves_no_terminal(place):
    p = Person(place)
    write(p.path(".vscode/x"), "")
    write(f"{p.tree}/.vscode/mcp.json", '{\n  // \x1b]0;title\x07 \u202e \x1b[2J\n  "servers": {"\\u001b[31m": {"command": "npx"}}\n}\n')
    result = p.setup("vscode", "--project", "--dry-run")
    assert result.returncode == 0 and not any(c in result.stdout for c in "\x1b\x07\u202e") and "\\x1b" in result.stdout, told(result)


def wrong_words_are_told(place):
    p = Person(place)
    for words, says in ((["nobody"], "no client 'nobody'"), ([], "which client?"), (["gemini", "--hooks"], "--hooks is for"), (["cursor", "codex"], "one client"), (["cursor", "--project", "--config", "x"], "not both"),
                        (["cursor", "--sandbox", "on"], "--sandbox takes off"), (["cursor", "--policy", "none"], "there is no 'none'"), (["cursor", "--mcp", "'a"], "a quote has no end"), (["cursor", "--guard", "--read . -- x"], "no '--'"),
                        (["claude-code", "--hooks", "--config", "x"], "settings.json"), (["cursor", "--hooks", "--config", "x"], "hooks.json"), (["cursor", "--undoo"], "no option '--undoo'"), (["cursor", "--run", "x"], "--run is for --hooks"), (["gemini", "--measure"], "--measure is for"), (["codex", "--measure", "--undo"], "--measure is for"), (["cursor", "--config"], "which?")):
        p.refused(*words, says=says)
    assert os.listdir(p.home) == []


def two_at_once_lose_nothing(place):
    for turn in range(4):
        p = Person(place)
        path = p.path(".cursor/mcp.json")
        write(path, '{"mcpServers": {"x": {"command": "npx"}}}\n')
        both = [subprocess.Popen(["ambit", "setup", "cursor", "--yes", word], cwd=p.tree, env=p.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                for word in (["--no-mcp", "--no-guard"] if turn % 2 else ["--no-guard", "--no-mcp"])]
        for process in both:
            out, err = process.communicate(timeout=WAIT)
            assert process.returncode == 0, out + err
        servers = servers_of("cursor", path)
        assert servers["x"]["command"] == place.ambit and "ambit" in servers and len(p.kept()) == 4, servers
        p.made("cursor", "--undo")
        p.made("cursor", "--undo")
        assert content(path) == b'{"mcpServers": {"x": {"command": "npx"}}}\n'


def one_waits_for_the_other(place):
    p = Person(place)
    write(p.path(".cursor/mcp.json"), "{}\n")
    with Terminal(["ambit", "setup", "cursor"], p.tree, p.env) as t:
        t.until(r"Change it\? \[y/N\] ")
        assert p.setup("cursor", "--dry-run").returncode == 0  # which changes nothing
        with subprocess.Popen(["ambit", "setup", "cursor", "--yes"], cwd=p.tree, env=p.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as other:
            assert "another `ambit setup` is at work" in other.stderr.readline()
            t.type("y\r")
            assert t.end() == 0, t.shown()
            out, err = other.communicate(timeout=WAIT)
            assert other.returncode == 0 and "nothing is to be changed" in out, out + err


# ---- hooks ----


def said(command, **more):
    return json.dumps({"session_id": "s-1", "hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": command, **more}})


def said_by_cursor(command, **more):
    return json.dumps({"conversation_id": "c-1", "generation_id": "g", "hook_event_name": "preToolUse", "tool_name": "Shell", "tool_input": {"command": command, **more}, "tool_use_id": "t", "cwd": ""})


def a_command_comes_back_in_a_cell(place):
    p = Person(place)
    odd = "printf '%s|' \"$0\" 'it'\\''s' \"a  b\" $'\\t' 'ä\u2028' \\\\ '`id`' > out.txt\nhostname >> out.txt"
    words = ["--", "--work", ".", *room_of(place)]
    result = p.setup("hook", "claude-code", *words, input=said(odd, description="d\n", timeout=6000, run_in_background=True, other={"x": 1}))
    assert result.returncode == 0, told(result)
    answer = json.loads(result.stdout)["hookSpecificOutput"]
    assert answer["hookEventName"] == "PreToolUse" and "permissionDecision" not in answer, answer
    made = answer["updatedInput"]
    assert {k: v for k, v in made.items() if k != "command"} == {"description": "d\n", "timeout": 6000, "run_in_background": True}, made
    assert shlex.split(made["command"])[-3:] == ["bash", "-c", odd] and " run --agent claude-code.s-1 --work . " in made["command"], made
    ran = subprocess.run(["sh", "-c", made["command"]], cwd=p.tree, env=p.env, capture_output=True, text=True, timeout=WAIT, stdin=subprocess.DEVNULL)
    assert ran.returncode == 0, told(ran)
    assert content(f"{p.tree}/out.txt").decode() == "bash|it's|a  b|\t|ä\u2028|\\|`id`|cell\n", content(f"{p.tree}/out.txt")
    shown = subprocess.run(["ambit", "ledger", "show", "--json"], cwd=p.tree, env=p.env, capture_output=True, text=True, timeout=WAIT)
    assert '"claude-code.s-1"' in shown.stdout, told(shown)  # which conversation it was
    codex = json.loads(p.setup("hook", "codex", input=said("true")).stdout)["hookSpecificOutput"]
    assert codex["permissionDecision"] == "allow" and list(codex["updatedInput"]) == ["command"], codex


def a_command_of_cursor_comes_back_in_a_cell(place):
    p = Person(place)
    p.made("cursor", "--no-mcp", "--no-guard", "--hooks", "--run", shlex.join(["--work", ".", *room_of(place)]))
    hooks = json.loads(content(p.path(".cursor/hooks.json")))
    hook, = hooks["hooks"]["preToolUse"]
    assert hooks["version"] == 1 and hook["matcher"] == "Shell" and hook["failClosed"] is True and not os.path.exists(p.path(".cursor/mcp.json")), hooks
    by_hook = lambda text, env=p.env: subprocess.run(["sh", "-c", hook["command"]], cwd=p.tree, env=env, input=text, capture_output=True, text=True, timeout=WAIT)
    answer = json.loads(by_hook(said_by_cursor("hostname > told.txt", cwd=p.tree, timeout=9000)).stdout)
    made = answer["updated_input"]
    assert answer["permission"] == "allow" and made["cwd"] == p.tree and made["timeout"] == 9000 and "--agent cursor.c-1 " in made["command"], answer
    ran = subprocess.run(["sh", "-c", made["command"]], cwd=p.tree, env=p.env, capture_output=True, text=True, timeout=WAIT, stdin=subprocess.DEVNULL)
    assert ran.returncode == 0 and content(f"{p.tree}/told.txt") == b"cell\n", told(ran)
    refused = by_hook(said("x"))  # no tool of Cursor's
    assert refused.returncode == 2 and json.loads(refused.stdout)["permission"] == "deny" and "no call of the client's shell" in refused.stdout, told(refused)
    assert by_hook(said_by_cursor("x"), {**p.env, "PATH": "/usr/bin:/bin"}).returncode == 0  # whatever the client's PATH is
    gone = hook["command"].replace("ambit setup", "ambit-is-gone setup")
    assert subprocess.run(["sh", "-c", gone], input=said_by_cursor("x"), env=p.env, cwd=p.tree, capture_output=True, text=True, timeout=WAIT).returncode == 2  # no Ambit, and nothing runs
    p.made("cursor", "--undo")
    assert not os.path.exists(p.path(".cursor/hooks.json"))


def the_person_names_the_agent(place):
    p = Person(place)
    for words in (["--agent", "mine"], ["--agent=mine"]):
        answer = json.loads(p.setup("hook", "codex", "--", *words, input=said("true")).stdout)
        assert answer["hookSpecificOutput"]["updatedInput"]["command"].count("--agent") == 1, answer
    write(f"{p.tree}/named.yaml", "version: 1\nagent: mine\ngrants:\n  - work: .\n")
    for words in (["--policy", "named.yaml"], ["--session", "s"], ["--preset", "claude-code"]):  # an event has one agent, and these may name it
        assert "--agent" not in p.setup("hook", "codex", "--", *words, input=said("true")).stdout, words
    assert "--agent codex.s-1" in p.setup("hook", "codex", "--", "--preset", "agent", input=said("true")).stdout
    odd = said("true").replace("s-1", "a b; --work /")  # which is no name
    assert "--agent" not in p.setup("hook", "codex", input=odd).stdout


def a_client_that(p, does):
    """A codex whose sandbox is that."""
    write(f"{p.home}/bin/codex", f"#!/bin/sh\nshift 2\n{does}\n")
    os.chmod(f"{p.home}/bin/codex", 0o755)
    return {"PATH": f"{p.home}/bin:{p.env['PATH']}"}


def ways_are_measured_and_tried(place):
    p = Person(place)
    run = ("--run", shlex.join(["--work", ".", *room_of(place)]))
    words = ("codex", "--project", "--no-mcp", "--dry-run", "--measure", *run)
    result = p.setup(*words, env=a_client_that(p, 'exec "$@"'))
    lines = result.stdout.splitlines()
    assert result.returncode == 0 and lines[-5].startswith("measured: `true`") and lines[-4].endswith(" ms: nothing") and lines[-3].endswith(" ms: nothing"), told(result)
    assert lines[-2].endswith("starts: both stand, one in the other"), told(result)
    for layer in ("files", "processes", "network", "seccomp", "Landlock"):
        assert layer in lines[-1], told(result)
    assert "it does not start here (codex)" in p.setup(*words, env=a_client_that(p, "exit 1")).stdout
    inside = p.setup(*words, env=a_client_that(p, 'case $1 in bash) exec "$@"; esac; exit 1')).stdout
    assert "does not start: with the hook" in inside and "it does not start here" not in inside, inside
    cursor = p.setup("cursor", "--project", "--no-mcp", "--dry-run", "--measure", *run).stdout
    assert "not tried: nothing but Cursor starts it" in cursor and " of it the hook: " in cursor, cursor
    without = p.setup("cursor", "--project", "--no-mcp", "--dry-run", "--measure", "--run", "--read /no/such/file").stdout
    assert "with the hook                it does not start here" in without, without
    assert os.listdir(p.tree) == ["guard_server.py"]  # nothing was changed


def what_is_not_understood_does_not_run(place):
    p = Person(place)
    for text in ("", "{", "[]", "{}", '{"tool_name": "Bash"}', '{"tool_name": "Bash", "tool_input": {"command": 1}}', said("x")[:-1], said("x" * (2 << 20)), said("x").replace("{", '{"tool_name": "Read", ', 1), '{"tool_name": "Bash", "tool_input": {"command": "a\\u0000b"}}'):
        result = p.setup("hook", "claude-code", input=text)
        assert result.returncode == 2 and result.stdout == "" and result.stderr.startswith("ambit: "), told(result)
    for words in (["claude-code", "--work", "."], ["gemini"], ["nobody"], []):
        p.refused("hook", *words, says="ambit setup hook CLIENT", status=2, input=said("x"))
    other = p.setup("hook", "claude-code", input='{"tool_name": "Read", "tool_input": {"file_path": "/x"}}')  # its matcher lets none through
    assert other.returncode == 2 and other.stdout == "" and "no call of the client's shell" in other.stderr, told(other)


def rules_that_a_hook_passes_by_are_told(place):
    p = Person(place)
    write(p.path(".claude/settings.json"), '{\n  "permissions": {\n    "deny": ["Bash(rm:*)"]\n  },\n  "sandbox": {"enabled": true}\n}\n')
    result = p.setup("claude-code", "--hooks", "--dry-run")
    assert "line 3: permissions.deny: rules of yours" in result.stdout and "line 5: sandbox.enabled is on" in result.stdout, told(result)
    p.made("claude-code", "--hooks", "--sandbox", "off")
    settings = json.loads(content(p.path(".claude/settings.json")))
    assert settings["sandbox"] == {"enabled": False} and settings["hooks"]["PreToolUse"][0]["hooks"][0]["command"] == f"{place.ambit} setup hook claude-code || exit 2", settings
    p.made("claude-code", "--undo")
    assert b'"enabled": true' in content(p.path(".claude/settings.json"))
    assert "/hooks" in p.setup("codex", "--hooks", "--dry-run").stdout
    assert "GEMINI_SANDBOX is set" in p.setup("gemini", "--dry-run", env={"GEMINI_SANDBOX": "docker"}).stdout


# ---- real clients ----


def found(p, name):
    """The client, as this user can run it; its directory comes into PATH."""
    path = shutil.which(name, path=f"{os.environ.get('AMBIT_TEST_CLIENTS', '')}:{os.environ.get('PATH', '')}")
    if path is None:
        raise Skip(f"{name} is not installed (AMBIT_TEST_CLIENTS names a directory)")
    p.env["PATH"] += f":{os.path.dirname(path)}"
    version = subprocess.run([path, "--version"], env=p.env, cwd=p.tree, capture_output=True, text=True, timeout=2 * WAIT, stdin=subprocess.DEVNULL)
    if version.returncode != 0:
        raise Skip(f"{name} does not run: {version.stderr[-200:]}")
    print(f"# {name}: {version.stdout.strip()}")
    return path


def client_says(p, *words, **env):
    return subprocess.run(words, env={**p.env, **env}, cwd=p.tree, capture_output=True, text=True, timeout=4 * WAIT, stdin=subprocess.DEVNULL)


def gate_options(p):
    return shlex.join(["--tool", "echo/*", "--read", p.tree, *room_of(p.place)])


def without_ambit(place, path):
    write(path, content(path).decode().replace(place.ambit, "/nowhere/ambit"))


def agents_of(p, prefix):
    shown = subprocess.run(["ambit", "ledger", "show", "--json"], cwd=p.tree, env=p.env, capture_output=True, text=True, timeout=WAIT)
    return re.findall(f'"{re.escape(prefix)}[0-9a-f-]{{36}}"', shown.stdout)


def claude_reads_it(place):
    p = Person(place)
    claude = found(p, "claude")
    quiet = {"DISABLE_TELEMETRY": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
    added = client_says(p, claude, "mcp", "add", "--scope", "user", "echo", "-e", "A=b", "--", PYTHON, f"{p.tree}/guard_server.py", **quiet)
    assert added.returncode == 0, told(added)
    p.made("claude-code", "--guard", gate_options(p))
    listed = client_says(p, claude, "mcp", "list", **quiet)
    for name in (f"echo: {place.ambit} guard --name echo", f"ambit: {place.ambit} mcp --preset agent"):
        line = next((x for x in listed.stdout.splitlines() if x.startswith(name)), "")
        assert "Connected" in line, told(listed)
    p.made("claude-code", "--undo")
    listed = client_says(p, claude, "mcp", "list", **quiet).stdout  # it wrote the file itself meanwhile
    assert f"echo: {PYTHON} {p.tree}/guard_server.py" in listed and "mcp --preset" not in listed, listed


def codex_reads_it(place):
    p = Person(place)
    codex = found(p, "codex")
    os.mkdir(p.path(".codex"))
    added = client_says(p, codex, "mcp", "add", "echo", "--env", "A=b", "--", PYTHON, f"{p.tree}/guard_server.py")
    assert added.returncode == 0, told(added)
    p.made("codex", "--guard", gate_options(p))
    listed = {s["name"]: s["transport"] for s in json.loads(client_says(p, codex, "mcp", "list", "--json").stdout)}
    assert listed["ambit"]["command"] == place.ambit and listed["ambit"]["args"] == ["mcp", "--preset", "agent"], listed
    assert listed["echo"]["args"][:3] == ["guard", "--name", "echo"] and listed["echo"]["args"][-5:] == ["--env", "A", "--", PYTHON, f"{p.tree}/guard_server.py"], listed


def gemini_reads_it(place):
    p = Person(place)
    gemini = found(p, "gemini")
    added = client_says(p, gemini, "mcp", "add", "-s", "user", "-e", "A=b", "echo", PYTHON, f"{p.tree}/guard_server.py")
    assert added.returncode == 0, told(added)
    p.made("gemini", "--guard", gate_options(p))
    listed = client_says(p, gemini, "mcp", "list", GEMINI_CLI_TRUST_WORKSPACE="true")
    text = listed.stdout + listed.stderr
    assert f"echo: {place.ambit} guard --name echo" in text, told(listed)
    assert "Connected" in next((x for x in text.splitlines() if f"ambit: {place.ambit} mcp --preset agent" in x), ""), told(listed)


def codex_is_measured(place):
    p = Person(place)
    found(p, "codex")
    result = p.setup("codex", "--project", "--no-mcp", "--dry-run", "--measure", "--run", shlex.join(["--work", ".", *room_of(place)]))
    inside = [line for line in result.stdout.splitlines() if "in its own sandbox" in line]
    assert result.returncode == 0 and inside, told(result)
    if "does not start here" not in inside[0]:  # it starts none of its helpers where its home lies in /tmp
        assert "seccomp" in inside[0] and "does not start: with the hook" in result.stdout, told(result)


def a_command_of_claude_runs_in_a_cell(place):
    p = Person(place)
    claude = found(p, "claude")
    p.made("claude-code", "--no-mcp", "--hooks", "--run", shlex.join(["--work", ".", *room_of(place)]))
    with Model("hostname > told.txt; cat told.txt") as model:
        env = {"ANTHROPIC_BASE_URL": model.url, "ANTHROPIC_API_KEY": "none", "DISABLE_TELEMETRY": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
        result = client_says(p, claude, "-p", "go", "--allowedTools", "Bash", **env)
        assert content(f"{p.tree}/told.txt") == b"cell\n" and '"content": "cell' in model.heard(), f"{told(result)}\n{model.heard()[-500:]}"
        assert agents_of(p, "claude-code."), "no event says which conversation it was"
        os.unlink(f"{p.tree}/told.txt")
        model.begin()
        without_ambit(place, p.path(".claude/settings.json"))
        client_says(p, claude, "-p", "go", "--allowedTools", "Bash", **env)
        assert "hook error" in model.heard() and not os.path.exists(f"{p.tree}/told.txt"), model.heard()[-500:]  # where Ambit is not, nothing runs


def a_command_of_codex_runs_in_a_cell(place):
    p = Person(place)
    codex = found(p, "codex")
    p.made("codex", "--no-mcp", "--hooks", "--sandbox", "off", "--run", shlex.join(["--work", ".", *room_of(place)]))
    with Model("hostname > told.txt; cat told.txt") as model:
        provider = f'model_providers.fake={{name="fake",base_url="{model.url}/v1",wire_api="responses",env_key="NONE"}}'
        words = [codex, "exec", "--skip-git-repo-check", "-c", "model_provider=fake", "-c", provider, "-c", "model=none"]
        result = client_says(p, *words, "--dangerously-bypass-hook-trust", "go", NONE="none")
        assert content(f"{p.tree}/told.txt") == b"cell\n", f"{told(result)}\n{model.heard()[-500:]}"
        assert agents_of(p, "codex."), "no event says which conversation it was"
        os.unlink(f"{p.tree}/told.txt")
        model.begin()
        without_ambit(place, p.path(".codex/config.toml"))
        client_says(p, *words, "--dangerously-bypass-hook-trust", "go", NONE="none")
        assert "blocked by PreToolUse hook" in model.heard() and not os.path.exists(f"{p.tree}/told.txt"), model.heard()[-500:]


if __name__ == "__main__":
    main([a_server_of_each_client_runs_behind_the_gate, the_server_of_ours_runs, variables_arrive_and_no_others, each_file_is_found_where_its_client_looks, a_person_is_asked,
          what_is_malformed_is_told_with_its_place_and_kept, a_file_that_others_write_is_refused, a_file_of_another_user_is_refused, what_cannot_be_written_stays, a_link_is_followed, what_came_since_stays, what_is_granted_nothing_is_told, what_is_fetched_at_each_start_is_told,
          several_changes_are_undone_one_by_one, two_at_once_lose_nothing, one_waits_for_the_other, what_was_kept_is_believed_by_its_digest, a_difference_moves_no_terminal, wrong_words_are_told, a_command_comes_back_in_a_cell, a_command_of_cursor_comes_back_in_a_cell, the_person_names_the_agent, ways_are_measured_and_tried,
          what_is_not_understood_does_not_run, rules_that_a_hook_passes_by_are_told, claude_reads_it, codex_reads_it, gemini_reads_it, codex_is_measured, a_command_of_claude_runs_in_a_cell,
          a_command_of_codex_runs_in_a_cell])
