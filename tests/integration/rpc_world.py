"""The world of one ambit-rpc: a client, and a daemon and roles of sessions that are played. The role is run as it is, without its cell."""
import array
import json
import os
import select
import socket
import struct
import subprocess

PATIENCE = 10 * float(os.environ.get("AMBIT_TEST_SLOW", "1"))
SESSION = "s_01HZZZZZZZ" + "0" * 16
OTHER = "s_01HZZZZZZZ" + "0" * 15 + "1"
EVENT = "e_01HZZZZZZZ" + "0" * 16


def numbers(top):
    """Names and numbers of src/wire/messages.def."""
    import re
    with open(os.path.join(top, "src/wire/messages.def"), encoding="utf-8") as file:
        return {name: int(number) for name, number in re.findall(r"^MSG\((\w+), +(\d+),", file.read(), re.M)}


def text(value, room):
    return value.encode().ljust(room, b"\0")


def session_row(request, session=SESSION, state=1, made=1700000000000, events=0, running=0, agent="", workspace="/w"):
    return struct.pack("<IIQQI", request, state, made, events, running) + text(session, 32) + text(agent, 64) + text(workspace, 4096)


def event_row(n, state=2, out=0, err=0, exit_status=0, denied=0, command="true", message="", flags=0, code=0, labels=""):
    outcome = bytearray(96)
    if state == 3:
        outcome[0:4] = struct.pack("<I", 1)
    return (struct.pack("<QIIQQQQQQII", n, state, flags, 1700000000000, 1700000000001, 1700000000002 if state > 2 else 0, out, err, 0, exit_status,
                        denied) + bytes(outcome) + text(EVENT, 32) + text(command, 256) + struct.pack("<I", code) + text(message, 512) + text("", 512) +
            struct.pack("<I", len(labels)) + labels.encode())


def error(code, message, hint=""):
    def put(s):
        return struct.pack("<I", len(s)) + s.encode()
    return struct.pack("<II", code, 0) + put(message) + put("") + put(hint)


class Port:
    """One end of a connection of messages."""

    def __init__(self, sock, names):
        self.sock = sock
        self.names = names
        self.by_number = {number: name for name, number in names.items()}

    def send(self, name, body=b"", fds=()):
        data = [struct.pack("<HH", self.names[name], 0) + body]
        anc = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        self.sock.sendmsg(data, anc)

    def receive(self, timeout=PATIENCE):
        """(name, body), or None if the other side is gone."""
        if not select.select([self.sock], [], [], timeout)[0]:
            raise TimeoutError("no message came")
        data = self.sock.recv(70000)
        if not data:
            return None
        number, zero = struct.unpack("<HH", data[:4])
        assert zero == 0
        return self.by_number[number], data[4:]

    def expect(self, name):
        got = self.receive()
        assert got is not None and got[0] == name, f"wanted {name}, got {got and got[0]}"
        return got[1]

    def is_quiet(self, seconds=0.2):
        return not select.select([self.sock], [], [], seconds)[0]

    def close(self):
        self.sock.close()


class World:
    """Client, daemon, and the role between them."""

    def __init__(self, exe, top, greet=True, narrow=False):
        self.names = numbers(top)
        start, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.client, client = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        daemon, daemon_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if narrow:  # the daemon's end takes little at a time
            daemon_end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.daemon = Port(daemon, self.names)
        self.process = subprocess.Popen([exe], stdin=theirs, stdout=subprocess.DEVNULL)
        theirs.close()
        Port(start, self.names).send("RPC_CLIENT", b"", [client.fileno(), daemon_end.fileno()])
        client.close()
        daemon_end.close()
        start.close()
        self.bytes = b""
        self.channels = []
        if greet:
            self.daemon.send("SERVE_HELLO", struct.pack("<IIQQ", 8, 4242, 8, 9) + text("0.1.0", 32))

    # ---- the client ----

    def say(self, line):
        self.client.sendall(line.encode() + b"\n" if isinstance(line, str) else line)

    def ask(self, method, params=None, request=1):
        message = {"jsonrpc": "2.0", "method": method}
        if request is not None:
            message["id"] = request
        if params is not None:
            message["params"] = params
        self.say(json.dumps(message))

    def hear(self, timeout=PATIENCE):
        """The next line, or None at the end."""
        while b"\n" not in self.bytes:
            if not select.select([self.client], [], [], timeout)[0]:
                raise TimeoutError("no line came")
            try:
                data = self.client.recv(1 << 20)
            except ConnectionResetError:
                data = b""
            if not data:
                assert self.bytes == b"", self.bytes
                return None
            self.bytes += data
        line, self.bytes = self.bytes.split(b"\n", 1)
        return json.loads(line)

    def result(self, request=1):
        got = self.hear()
        assert got["id"] == request and "result" in got, got
        return got["result"]

    def failure(self, request=1):
        got = self.hear()
        assert got["id"] == request and "error" in got, got
        return got["error"]

    def note(self, method):
        got = self.hear()
        assert got.get("method") == method and "id" not in got, got
        return got["params"]

    def is_silent(self, seconds=0.2):
        return b"\n" not in self.bytes and not select.select([self.client], [], [], seconds)[0]

    def meet(self):
        self.ask("hello", {"protocol": 1}, 0)
        return self.result(0)

    # ---- the role of a session ----

    def give_channel(self, request, session=SESSION, ready=True, **row):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.daemon.send("SERVE_CHANNEL", struct.pack("<I", request) + text(session, 32), [theirs.fileno()])
        theirs.close()
        channel = Port(ours, self.names)
        self.channels.append(channel)
        if ready:
            channel.send("SESSION_READY", struct.pack("<QQ", 1, 1) + session_row(0, session, **row))
        return channel

    def open(self, session=SESSION):
        self.ask("session.open", {"session": session}, "open")
        body = self.daemon.expect("SERVE_OPEN")
        channel = self.give_channel(struct.unpack("<I", body[:4])[0], session)
        assert self.result("open")["session"] == session
        return channel

    def end(self):
        """Closes all; the role must end by itself. Its status."""
        for port in self.channels + [self.daemon]:
            port.close()
        self.client.close()
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return "it did not end"


def spool(content=b""):
    fd = os.memfd_create("spool")
    os.write(fd, content)
    return fd


def parse_list(data, at):
    n, = struct.unpack_from("<I", data, at)
    at += 4
    items = []
    for _ in range(n):
        length, = struct.unpack_from("<I", data, at)
        items.append(data[at + 4:at + 4 + length])
        at += 4 + length
    return items, at


def parse_run(data):
    """A struct run (session/link.h)."""
    def string(at):
        length, = struct.unpack_from("<I", data, at)
        return data[at + 4:at + 4 + length], at + 4 + length
    run = {"version": struct.unpack_from("<I", data, 0)[0]}
    run["key"], at = string(4)
    run["flags"], run["changes"], run["rows"], run["columns"] = struct.unpack_from("<IIII", data, at)
    run["idle"], = struct.unpack_from("<Q", data, at + 16)
    run["limits"], at = string(at + 24)
    run["on_conflict"], at = string(at)
    run["labels"], at = string(at)
    run["argv"], at = parse_list(data, at)
    run["env"], at = parse_list(data, at)
    assert at == len(data), "something is left over"
    return run
