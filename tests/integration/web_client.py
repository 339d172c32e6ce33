"""A client of streamable HTTP that is made by hand, over a socket, and what it speaks with: `ambit mcp --http`, `ambit guard --http`."""

import contextlib
import json
import re
import socket
import subprocess
import threading

from harness import PATIENCE, SLOW, room_of

WAIT = PATIENCE * SLOW
LEGACY, MODERN = "2025-11-25", "2026-07-28"
META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
NAMES = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri", "tasks/get": "taskId", "tasks/cancel": "taskId"}


class Site:
    """What listens: `with Site(person, "mcp", "--work", ".") as site`."""

    def __init__(self, p, verb, *words, where="0"):
        self.p, self.said = p, []
        self.process = subprocess.Popen([p.place.ambit, verb, "--http", where, *room_of(p.place), *words], env=p.env, cwd=p.top, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        first = self.process.stderr.readline()
        found = re.match(r"ambit: listens at http://(\[::1\]|[0-9.]+):(\d+)/mcp\n", first)
        if not found:
            rest = self.process.communicate(timeout=WAIT)[1]
            raise AssertionError(f"it does not listen: {self.process.returncode} {first}{rest}")
        self.host, self.port = found.group(1), int(found.group(2))
        self.url = f"http://{self.host}:{self.port}/mcp"
        threading.Thread(target=lambda: self.said.extend(self.process.stderr), daemon=True).start()

    def connect(self):
        return Wire(self)

    def session(self, **more):
        return Session(self, **more)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(timeout=WAIT)
        finally:
            self.process.kill()
        self.process.stdout.close()
        subprocess.run([self.p.place.ambit, "serve", "--stop"], env=self.p.env, cwd=self.p.top, capture_output=True, timeout=WAIT, check=False)  # if it had any session


class Answer:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body

    def json(self):
        return json.loads(self.body)

    def error(self):
        """[status, number]"""
        return [self.status, self.json()["error"]["code"]]

    def __repr__(self):
        return f"{self.status} {self.fields} {self.body[:600]!r}"


class Wire:
    """One connection."""

    def __init__(self, site, room=None):
        self.site = site
        self.sock = socket.socket(socket.AF_INET6 if "[" in site.host else socket.AF_INET)
        self.sock.settimeout(WAIT)
        if room:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        self.sock.connect((site.host.strip("[]"), site.port))
        self.bytes = b""

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode())

    def more(self):
        data = self.sock.recv(1 << 16)
        self.bytes += data
        return data != b""

    def until(self, mark):
        while mark not in self.bytes:
            if not self.more():
                raise EOFError(f"it ended: {self.bytes[:300]!r}")
        found, self.bytes = self.bytes.split(mark, 1)
        return found

    def exactly(self, n):
        while len(self.bytes) < n:
            if not self.more():
                raise EOFError("it ended")
        found, self.bytes = self.bytes[:n], self.bytes[n:]
        return found

    def request(self, method="POST", path="/mcp", fields=None, body=None, usual=True):
        """fields: a None takes one of the usual ones away."""
        all_of_them = {"Host": f"{self.site.host}:{self.site.port}"}
        if usual:
            all_of_them |= {"Accept": "application/json, text/event-stream"}
            if body is not None:
                all_of_them |= {"Content-Type": "application/json"}
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        if body is not None:
            all_of_them["Content-Length"] = str(len(body))
        all_of_them |= fields or {}
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in all_of_them.items() if v is not None) + "\r\n"
        self.send(head.encode() + (body or b""))

    def head(self):
        first, *lines = self.until(b"\r\n\r\n").decode().split("\r\n")
        fields = {}
        for line in lines:
            name, value = line.split(": ", 1)
            assert name.lower() not in fields, line
            fields[name.lower()] = value
        status = int(first.split(" ")[1])
        return status, fields

    def answer(self):
        """Whole, with the events of a stream as a list."""
        status, fields = self.head()
        if "transfer-encoding" in fields:
            return Answer(status, fields, list(self.events()))
        return Answer(status, fields, self.exactly(int(fields.get("content-length", 0))).decode())

    def chunk(self):
        n = int(self.until(b"\r\n"), 16)
        data = self.exactly(n + 2)
        assert data.endswith(b"\r\n")
        return data[:-2].decode()

    def event(self):
        """(id, message) of the next; None: the stream ended. An event without data is (id, None)."""
        while (chunk := self.chunk()) != "":
            if chunk.startswith(":"):
                continue
            fields = dict(line.split(": ", 1) for line in chunk.strip("\n").split("\n"))
            return fields.get("id"), json.loads(fields["data"]) if fields["data"].strip() else None
        return None

    def events(self):
        while (event := self.event()) is not None:
            yield event

    def is_closed(self):
        with contextlib.suppress(ConnectionResetError):
            while self.more():
                pass
        return True

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Session:
    """A client of 2025-11-25, or (modern) of 2026-07-28; each request on a connection of its own, unless one is given."""

    def __init__(self, site, modern=False, fields=None, begin=True, version=LEGACY, capabilities=None):
        self.site, self.modern, self.fields, self.last, self.id = site, modern, dict(fields or {}), 0, None
        if begin and not modern:
            answer = self.ask("initialize", protocolVersion=version, capabilities=capabilities or {}, clientInfo={"name": "t", "version": "1"})
            assert answer.status == 200, answer
            self.id = answer.fields["mcp-session-id"]
            self.fields |= {"Mcp-Session-Id": self.id, "MCP-Protocol-Version": answer.json()["result"]["protocolVersion"]}
            assert self.post({"jsonrpc": "2.0", "method": "notifications/initialized"}).status == 202

    def fields_of(self, message):
        if not self.modern or "id" not in message or "method" not in message:
            return self.fields
        name = message.get("params", {}).get(NAMES.get(message["method"]))
        return {"MCP-Protocol-Version": MODERN, "Mcp-Method": message["method"], **({"Mcp-Name": name} if name else {}), **self.fields}

    def message(self, method, number=None, meta=None, **params):
        if number is None:
            self.last += 1
            number = self.last
        meta = {**(META if self.modern else {}), **(meta or {})}
        if meta:
            params["_meta"] = meta
        return {"jsonrpc": "2.0", "id": number, "method": method, **({"params": params} if params else {})}

    def post(self, message, wire=None, **fields):
        with contextlib.ExitStack() as stack:
            wire = wire or stack.enter_context(self.site.connect())
            wire.request(body=message, fields={**self.fields_of(message), **fields})
            return wire.answer()

    def start(self, method, number=None, meta=None, **params):
        """A connection on which it is asked, and nothing heard yet."""
        wire, message = self.site.connect(), self.message(method, number, meta, **params)
        wire.request(body=message, fields=self.fields_of(message))
        return wire

    def ask(self, method, number=None, meta=None, **params):
        return self.post(self.message(method, number, meta, **params))

    def result(self, method, number=None, meta=None, **params):
        answer = self.ask(method, number, meta, **params)
        said = [m for _, m in answer.body if m and "method" not in m][0] if isinstance(answer.body, list) else answer.json()
        assert "result" in said, answer
        return said["result"]

    def call(self, name, meta=None, **arguments):
        return self.result("tools/call", meta=meta, name=name, arguments=arguments)

    def listen(self, **fields):
        wire = self.site.connect()
        wire.request("GET", fields={**self.fields, **fields})
        return wire
