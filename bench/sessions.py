#!/usr/bin/env python3
"""What an event costs through the daemon: by a channel of libambit's kind, and by JSON-RPC, beside `ambit run` less the start of its process.

usage: sessions.py AMBIT [ROUNDS]    (interleaved, one of each in turn; medians in milliseconds)
"""

import json
import os
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

PART, RUN, FOLLOW, TAKEN, FILES, GREW, OVER = 299, 289, 290, 304, 305, 306, 308
OPEN, CHANNEL = 258, 264
COMMAND = ["/bin/true"]


def text(value):
    return struct.pack("<I", len(value)) + value.encode()


class Channel:
    """As libambit's: messages of fixed size (src/session/link.h)."""

    def __init__(self, path, session):
        self.daemon = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.daemon.connect(path)
        self.daemon.recv(1 << 16)
        self.daemon.send(struct.pack("<HHI32s", OPEN, 0, 1, session.encode()))
        data, fds, _, _ = socket.recv_fds(self.daemon, 1 << 16, 1)
        assert struct.unpack_from("<H", data)[0] == CHANNEL
        self.sock = socket.socket(fileno=fds[0])
        self.sock.recv(1 << 16)
        self.run_bytes = (struct.pack("<I", 1) + text("") + struct.pack("<IIII", 0, 0, 0, 0) + text("") + text("") + struct.pack("<I", len(COMMAND)) +
                          b"".join(map(text, COMMAND)) + struct.pack("<I", 0))

    def event(self):
        self.sock.send(struct.pack("<HH", PART, 0) + self.run_bytes)
        self.sock.send(struct.pack("<HHIQ", RUN, 0, 1, 0))
        while True:
            data, fds, _, _ = socket.recv_fds(self.sock, 1 << 16, 3)
            for fd in fds:
                os.close(fd)
            number = struct.unpack_from("<H", data)[0]
            if number == TAKEN:
                self.sock.send(struct.pack("<HHIIIQ", FOLLOW, 0, 2, 0, 0, struct.unpack_from("<Q", data, 12)[0]))
            elif number == OVER:
                return
            else:
                assert number in (FILES, GREW), number


class Json:
    def __init__(self, path, session):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.lines, self.session, self.number = self.sock.makefile("r"), session, 0
        self.say("hello", protocol=1)
        self.lines.readline()
        self.say("session.open", session=session)
        self.lines.readline()

    def say(self, method, **params):
        self.number += 1
        self.sock.sendall((json.dumps({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params}) + "\n").encode())

    def event(self):
        self.say("event.run", session=self.session, argv=COMMAND)
        while "event.ended" not in (line := self.lines.readline()):
            assert line and '"error"' not in line, line


def timed(what):
    begun = time.perf_counter()
    what()
    return 1000 * (time.perf_counter() - begun)


def main():
    ambit, rounds = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 200
    with tempfile.TemporaryDirectory(prefix="ambit-bench-") as top:
        os.makedirs(f"{top}/run", mode=0o700)
        os.makedirs(f"{top}/tree")
        place = {"cwd": f"{top}/tree", "env": {"PATH": os.environ["PATH"], "HOME": top, "XDG_RUNTIME_DIR": f"{top}/run"}, "stdin": subprocess.DEVNULL, "check": True}
        quiet = {**place, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        session = subprocess.run([ambit, "session", "new", "--work", "."], **place, stdout=subprocess.PIPE, text=True).stdout.strip()
        channel, spoken = Channel(f"{top}/run/ambit/native.sock", session), Json(f"{top}/run/ambit/rpc.sock", session)
        kinds = {"by a channel": channel.event, "by JSON-RPC": spoken.event,
                 "ambit run": lambda: subprocess.run([ambit, "run", "--work", ".", "--", *COMMAND], **quiet),
                 "start of ambit": lambda: subprocess.run([ambit, "version"], **quiet)}
        took = {kind: [] for kind in kinds}
        for _ in range(rounds):
            for kind, what in kinds.items():
                took[kind].append(timed(what))
        middle = {kind: statistics.median(times) for kind, times in took.items()}
        for kind, value in middle.items():
            print(f"{value:8.2f} ms  {kind}")
        own = middle["ambit run"] - middle["start of ambit"]
        for kind in ("by a channel", "by JSON-RPC"):
            print(f"{middle[kind] - own:+8.2f} ms  {kind}, above ambit run without its process's start (1)")
        subprocess.run([ambit, "serve", "--stop"], **place)


if __name__ == "__main__":
    main()
