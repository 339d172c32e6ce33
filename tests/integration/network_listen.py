#!/usr/bin/env python3
"""What `--listen` opens on the host, and what it does not: servers in a cell, and clients outside, in a network of the test's own.

usage: network_listen.py AMBIT    (TAP on standard output; as root, whose scenarios run ambit as root and as another)
"""

import contextlib
import json
import os
import re
import socket
import subprocess
import threading

from harness import PATIENCE, SLOW, main, need, told, write
from network import PUBLIC, Dialer, Network, both_users

# Echoes each connection to its end; "quit" ends it all. Arguments: addresses and ports.
SERVER = """
import os, socket, sys, threading
def serve(address, port, handle):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    s.bind((address, port))
    s.listen(64)
    def accept():
        while True:
            threading.Thread(target=handle, args=(s.accept()[0],), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
def echo(peer):
    while piece := peer.recv(65536):
        if piece == b"quit":
            os._exit(0)
        peer.sendall(piece)
    peer.close()
def ready():
    print("ready", flush=True)
    threading.Event().wait()
"""


class Event:
    """`ambit run` beside the test; it has said where it listens, and its command that it is ready."""

    def __init__(self, network, uid, script, *words):
        home = network.home(uid)
        self.record = f"{network.top}/record-{uid}.json"
        write(self.record, "")
        os.chown(self.record, uid, uid)
        who = [] if uid == 0 else ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
        network.place.home = home
        self.errors = open(f"{network.top}/errors-{uid}", "w+", encoding="utf-8")
        self.process = subprocess.Popen([*who, "env", "AMBIT_LEDGER=none", network.place.ambit, "run", "--record", self.record, *words, "--", "python3", "-c", SERVER + script],
                                        stdout=subprocess.PIPE, stderr=self.errors, stdin=subprocess.DEVNULL, cwd="/", env=network.place.environment(), text=True)
        said = self.process.stdout.readline()
        self.told = open(self.errors.name, encoding="utf-8").read()
        assert said == "ready\n", f"uid {uid}: {said!r} {self.told}"
        self.ports = {int(cell): int(port) for port, cell in re.findall(r"^ambit: listening on 127\.0\.0\.1:(\d+) for port (\d+) of the cell$", self.told, re.M)}

    def end(self):
        """Its record, when it has ended."""
        self.process.wait(timeout=SLOW * PATIENCE)
        with open(self.record, encoding="utf-8") as file:
            return json.load(file)


@contextlib.contextmanager
def event(*words):
    e = Event(*words)
    try:
        yield e
    finally:
        e.process.kill()
        e.process.wait()


def client(port, address="127.0.0.1"):
    return socket.create_connection((address, port), SLOW * PATIENCE)


def echoed(port, data, address="127.0.0.1"):
    with client(port, address) as s:
        sender = threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)))
        sender.start()
        got = b"".join(iter(lambda: s.recv(1 << 20), b""))
        sender.join()
        return got == data


def is_reset(port, address="127.0.0.1"):
    try:
        with client(port, address) as s:
            return s.recv(1) == b"never"
    except ConnectionResetError:
        return True


def listening():
    """Ports of this network at which somebody listens."""
    found = set()
    for name in ("tcp", "tcp6"):
        with open(f"/proc/net/{name}", encoding="ascii") as file:
            rows = [line.split() for line in file][1:]
        found |= {(row[1].split(":")[0], int(row[1].split(":")[1], 16)) for row in rows if row[3] == "0A"}
    return found


LOOPBACKS = {"0100007F", "00000000000000000000000001000000"}


@both_users
def a_server_in_the_cell_is_reached(network, who, uid):
    """On whatever address of its loopback; both directions at once; many short ones, more than there are sockets, and more at one time."""
    need("curl")
    with event(network, uid, """
def page(peer):
    peer.recv(4096)
    peer.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 6\\r\\nConnection: close\\r\\n\\r\\nhello\\n")
    peer.close()
serve("127.0.0.1", 8001, echo)
serve("::1", 8002, echo)
serve("0.0.0.0", 8003, echo)
serve("::", 8004, page)
ready()
""", "--listen", "0:8001", "--listen", "0:8002", "--listen", "0:8003", "--listen", "8004", "--listen", "18005:8005") as e:
        assert set(e.ports) == {8001, 8002, 8003, 8004, 8005} and (e.ports[8004], e.ports[8005]) == (8004, 18005), f"{who}: {e.told}"
        for port in (8001, 8002, 8003):
            for address in ("127.0.0.1", "::1"):
                assert echoed(e.ports[port], os.urandom(1000), address), f"{who}: {port} by {address}"
        assert echoed(e.ports[8001], os.urandom(1 << 20) * 8), who
        assert all(echoed(e.ports[8001], b"%d" % i) for i in range(100)), who
        many = [client(e.ports[8002]) for _ in range(100)]
        for s in many:
            s.sendall(b"x" * 1000)
            s.shutdown(socket.SHUT_WR)
        for s in many:
            assert s.recv(2000, socket.MSG_WAITALL) == b"x" * 1000, who
            s.close()
        page = subprocess.run(["curl", "-sS", "-m", "10", "http://localhost:8004/"], capture_output=True, text=True)
        assert page.stdout == "hello\n", f"{who}: {told(page)}"
        # nobody listens there, and then somebody does
        assert is_reset(18005) and is_reset(18005, "::1") and echoed(e.ports[8003], b"on"), who
        client(e.ports[8001]).sendall(b"quit")
        grants = {g["object"]: g.get("port") for g in e.end()["grants"]}
        assert grants == {"0:8001": e.ports[8001], "0:8002": e.ports[8002], "0:8003": e.ports[8003], "8004": 8004, "18005:8005": 18005}, f"{who}: {grants}"
    for port in e.ports.values():
        try:
            client(port).close()
            raise AssertionError(f"{who}: {port} is open still")
        except ConnectionRefusedError:
            pass


@both_users
def nothing_else_of_the_cell_is_reached(network, who, uid):
    """Its other port is no port of the host, whose own port of that number stays its own."""
    port = 8100 if uid == 0 else 8102  # the other's may be closing still
    own = socket.create_server(("127.0.0.1", 9100))
    before = listening()
    with event(network, uid, f"""
serve("127.0.0.1", {port}, echo)
serve("127.0.0.1", 9100, echo)
serve("0.0.0.0", 9101, echo)
s = socket.create_connection(("127.0.0.1", 9101))
s.sendall(b"within")
assert s.recv(10) == b"within"
ready()
""", "--listen", str(port)) as e:
        assert listening() - before == {(a, port) for a in LOOPBACKS}, f"{who}: {listening() - before}"
        assert echoed(port, b"granted"), who
        with client(9100) as s:
            assert own.accept()[0].send(b"host") == 4 and s.recv(10) == b"host", who
        for address in ("127.0.0.1", "::1"):
            try:
                client(9101, address).close()
                raise AssertionError(f"{who}: {address}")
            except ConnectionRefusedError:
                pass
    own.close()


@both_users
def nothing_listens_that_was_not_granted(network, who, uid):
    before = listening()
    with event(network, uid, """
serve("0.0.0.0", 8200, echo)
serve("::1", 8201, echo)
ready()
"""):
        assert listening() == before, f"{who}: {listening() - before}"


@both_users
def what_was_written_is_read(network, who, uid):
    """The server ends its own direction first, and reads when the client has long gone: nothing is cut off, though its socket is to be used again."""
    with event(network, uid, """
go = threading.Event()
def slow(peer):
    peer.shutdown(socket.SHUT_WR)
    go.wait()
    n = 0
    try:
        while piece := peer.recv(65536):
            n += len(piece)
    except OSError:
        n = -n
    print(n, flush=True)
def start(peer):
    peer.sendall(b"on")
    peer.close()
    go.set()
serve("127.0.0.1", 8300, slow)
serve("127.0.0.1", 8301, start)
ready()
""", "--listen", "0:8300", "--listen", "0:8301") as e:
        for _ in range(10):
            with client(e.ports[8300]) as s:
                assert s.recv(1) == b"", who
                s.sendall(b"x" * 1000000)
        with client(e.ports[8301]) as s:
            assert s.recv(2) == b"on", who
        said = [int(e.process.stdout.readline()) for _ in range(10)]
        assert said == [1000000] * 10, f"{who}: {said}"


@both_users
def ports_that_cannot_be_had_are_told(network, who, uid):
    taken = [socket.create_server((address, 8400), family=family) for address, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6))]
    taken.pop(0).close()  # of one family alone
    rows = [(("8400",), "choose another port"), (("8401", "8401:80"), "choose another port"), (("0",), "write PORT"), (("65536",), "write PORT"), (("08080",), "write PORT"),
            (("8402:",), "write PORT"), ((":8402",), "write PORT"), (("127.0.0.1:8402",), "write PORT"), (("1:2:3",), "write PORT")]
    if uid != 0:
        rows.append((("80",), "from 1024 on"))
    for ports, says in rows:
        result = network.run(uid, *(word for port in ports for word in ("--listen", port)), "--", "true")
        assert result.returncode == 125 and "hint:" in result.stderr and says in result.stderr, f"{who}, {ports}: {told(result)}"
    # a port of the cell where a connect stands: at its loopback, or at each of its addresses
    for i, connect in enumerate(("127.0.0.1:8403", "127.9.9.9:8403", "[::1]:8403", "*:8403", "*.open.test:8403", "10.0.0.0/8:8403", "[fd00::/8]:8403")):
        words = ("--listen", "0:8403", "--connect", connect) if i % 2 else ("--connect", connect, "--listen", "18403:8403")
        result = network.run(uid, *words, "--", "true")
        assert result.returncode == 125 and f"listen: port 8403 of the cell is taken by connect: {connect}\n" in result.stderr and \
            "hint: let the server in the cell listen at another port, as in 8080:9090" in result.stderr, f"{who}, {words}: {told(result)}"
    result = network.run(uid, "--listen", "8403:8404", *(word for connect in ("127.0.0.1:8403", "*:8405", f"{PUBLIC}:8404", "open.test:8404") for word in ("--connect", connect)),
                         "--", "true")
    assert result.returncode == 0, f"{who}: {told(result)}"
    taken.pop().close()


FLOOD = """
import socket, sys
came = []
while True:
    came.append(socket.socket())
    came[-1].setblocking(False)
    came[-1].connect_ex(("127.0.0.1", int(sys.argv[1])))
    if len(came) == 1000:
        print("on", flush=True)
    if len(came) > 1000:
        came.pop(0).close()
"""


def who_comes_without_end_holds_nothing_up(place):
    """The dialer answers meanwhile; and when the relay says what it may not, nobody is accepted any more."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener, socket.create_server(("127.0.0.1", 0)) as none:
        port, closed = listener.getsockname()[1], none.getsockname()[1]
        none.close()
        listener.setblocking(False)
        dialer = Dialer(place, arrives=(listener, closed))
    assert is_reset(port)
    floods = [subprocess.Popen(["python3", "-c", FLOOD, str(port)], stdout=subprocess.PIPE) for _ in range(3)]
    try:
        for flood in floods:
            assert flood.stdout.readline() == b"on\n"
        assert dialer.withdraw() == 0
    finally:
        for flood in floods:
            flood.kill()
            flood.communicate()
    dialer.relay.send(b"nonsense")
    assert dialer.relay.recv(1) == b""
    try:
        client(port).close()
        raise AssertionError("it is accepted by a dialer that has nobody to hand it to")
    except ConnectionRefusedError:
        pass
    assert dialer.end() == (0, 0, 0)


SCENARIOS = [a_server_in_the_cell_is_reached, nothing_else_of_the_cell_is_reached, nothing_listens_that_was_not_granted, what_was_written_is_read,
             ports_that_cannot_be_had_are_told, who_comes_without_end_holds_nothing_up]

if __name__ == "__main__":
    main(SCENARIOS)
