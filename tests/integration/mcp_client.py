"""A client of the Model Context Protocol that is made by hand, and the `ambit mcp` that it speaks with."""

import contextlib
import json
import os
import select
import subprocess
import time

from harness import PATIENCE, SLOW, room_of
from sessions import Served, processes_in

LEGACY, MODERN = "2025-11-25", "2026-07-28"
META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
PERSONS = "sk-of-the-person-0123456789"  # a secret in the environment of whoever starts the server


class Client:
    """One `ambit mcp`, which speaks the modern revision unless it was initialized."""

    def __init__(self, served, *words, legacy=False, env=None, **pipes):
        self.served, self.last, self.bytes, self.notes, self.others = served, 0, b"", [], {}
        self.legacy = False
        self.process = subprocess.Popen([served.place.ambit, "mcp", *room_of(served.place), *words], cwd=served.tree,
                                        env={**served.environment, "OPENAI_API_KEY": PERSONS, **(env or {})},
                                        stdin=pipes.get("stdin", subprocess.PIPE), stdout=pipes.get("stdout", subprocess.PIPE), stderr=subprocess.PIPE)
        if legacy:
            self.initialize()

    def initialize(self, version=LEGACY, **capabilities):
        self.legacy = True
        got = self.ask("initialize", protocolVersion=version, capabilities=capabilities, clientInfo={"name": "test", "version": "1"})
        self.say({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return got["result"]

    # ---- lines ----

    def say(self, line):
        """An object, a text without its end, or bytes as they are."""
        if not isinstance(line, (str, bytes)):
            line = json.dumps(line)
        self.process.stdin.write(line if isinstance(line, bytes) else line.encode() + b"\n")
        self.process.stdin.flush()

    def hear(self, seconds=PATIENCE):
        """The next line; None: that was all."""
        end = time.monotonic() + SLOW * seconds
        while b"\n" not in self.bytes:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise TimeoutError(f"no line came within {seconds} s")
            data = os.read(self.process.stdout.fileno(), 1 << 20)
            if not data:
                assert self.bytes == b"", f"half a line: {self.bytes[-300:]!r}"
                return None
            self.bytes += data
        line, self.bytes = self.bytes.split(b"\n", 1)
        return json.loads(line.decode("utf-8", "strict"), object_pairs_hook=once_each, parse_constant=no_number)

    def is_silent(self, seconds=0.3):
        return b"\n" not in self.bytes and not select.select([self.process.stdout], [], [], SLOW * seconds)[0]

    # ---- requests ----

    def start(self, method, request=None, meta=None, **params):
        if request is None:
            self.last += 1
            request = self.last
        meta = {**({} if self.legacy else META), **(meta or {})}
        if meta:
            params["_meta"] = meta
        self.say({"jsonrpc": "2.0", "id": request, "method": method, **({"params": params} if params else {})})
        return request

    def answer(self, request):
        """Of what comes before it notes and other answers are kept."""
        while request not in self.others:
            line = self.hear()
            assert line is not None, f"it ended, and {request!r} has no answer"
            assert line["jsonrpc"] == "2.0", line
            if "method" in line:
                self.notes.append(line)
            else:
                assert line["id"] not in self.others, f"a second answer: {line}"
                self.others[line["id"]] = line
        return self.others.pop(request)

    def ask(self, method, meta=None, **params):
        return self.answer(self.start(method, meta=meta, **params))

    def result(self, method, meta=None, **params):
        got = self.ask(method, meta, **params)
        assert "result" in got, got
        return got["result"]

    def refusal(self, method, meta=None, **params):
        got = self.ask(method, meta, **params)
        assert "error" in got and "result" not in got, got
        return got["error"]

    # ---- tools ----

    def begin(self, tool, request=None, meta=None, **arguments):
        return self.start("tools/call", request, meta, name=tool, arguments=arguments)

    def ended(self, request):
        got = self.answer(request)
        assert "result" in got, got
        return got["result"]

    def call(self, tool, meta=None, **arguments):
        """What came of it, well or not."""
        return self.ended(self.begin(tool, meta=meta, **arguments))

    def good(self, tool, meta=None, **arguments):
        got = self.call(tool, meta, **arguments)
        assert got["isError"] is False, text_of(got)
        return got

    def bad(self, tool, meta=None, **arguments):
        got = self.call(tool, meta, **arguments)
        assert got["isError"] is True, text_of(got)
        return got

    def tools(self):
        return {tool["name"]: tool for tool in self.result("tools/list")["tools"]}

    # ---- its end ----

    def close(self, seconds=PATIENCE):
        """As clients do: no more is said. Exit status."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        return self.process.wait(SLOW * seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(Exception):
            self.close(5)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(BrokenPipeError):
                if pipe is not None:
                    pipe.close()


@contextlib.contextmanager
def serving(place, *words, **more):
    """A daemon of its own, and a client; after the client's end nothing of it is there."""
    with Served(place) as served, Client(served, *words, **more) as client:
        yield served, client


def once_each(pairs):
    assert len(dict(pairs)) == len(pairs), f"a member twice: {[key for key, _ in pairs]}"
    return dict(pairs)


def no_number(word):
    raise AssertionError(f"{word} is no JSON")


def text_of(result):
    return "\n".join(block["text"] for block in result["content"] if block["type"] == "text")


def data_of(result):
    return result["structuredContent"]


def equal(got, wanted):
    assert got == wanted, f"got {got!r}, wanted {wanted!r}"


def among(part, text):
    assert part in text, f"no {part!r} in {text[-1500:]!r}"


def not_among(part, text):
    assert part not in text, f"{part!r} in {text[-1500:]!r}"


def roles_of(served):
    """The server's own processes, beside the daemon's."""
    found = {}
    for pid in processes_in(served.run_dir):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="ascii", errors="replace") as file:
            found.setdefault(file.read().strip(), []).append(pid)
    return found
