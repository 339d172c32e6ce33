#!/usr/bin/python3
"""A client that does harm to a daemon, until it is killed. Started by session_hostile.py.

    session_harm.py KIND native|rpc NATIVE_SOCKET RPC_SOCKET SESSION

It says "under way" when it does what its name says. SESSION is its own: whoever started this ends that afterwards."""

import json
import os
import selectors
import socket
import struct
import sys
import time
import types

from served import CANCEL, DONE, FAILED, LIST, PART, RUN, S_LIST, S_PART, STATUS, TAKEN, Failed, Native, Spoken, run_bytes

CONNECTIONS = 20
LINES = [b'{' * 4000 + b'\n', b'\0' * 4000 + b'\n', b'[' * 100000 + b'\n', b'{"jsonrpc":"2.0","id":1,"method":"session.lisp"}\n', b'"\xff\xfe"\n', b'x' * 300000]
OUTPUT = ['head', '-c', str(10 << 30), '/dev/zero']


def under_way():
    print('under way', flush=True)


def spin(_daemon, _session):
    """No client at all: what any other busy processes do to their neighbours, one for each processor."""
    under_way()
    for _ in range(len(os.sched_getaffinity(0)) - 1):
        if os.fork() == 0:
            break
    parent = os.getppid()
    while os.getppid() == parent:
        pass


def status_line(n):
    return json.dumps({'jsonrpc': '2.0', 'id': n, 'method': 'daemon.status', 'params': {}}).encode() + b'\n'


def pushed(socks, messages):
    """Sends as much as is taken, for ever, and reads nothing."""
    with selectors.DefaultSelector() as waits:
        for sock in socks:
            sock.setblocking(False)
            waits.register(sock, selectors.EVENT_WRITE)
        while True:
            for key, _ in waits.select():
                for message in messages:
                    try:
                        key.fileobj.send(message)
                    except BlockingIOError:
                        pass
                    except OSError:
                        waits.unregister(key.fileobj)
                        break
            if not waits.get_map():
                time.sleep(60)


# ---- by messages of fixed size ----


def native_never_reads(daemon, session):
    channels = [Native(daemon).open(session) for _ in range(CONNECTIONS)]
    under_way()
    pushed([c.opened_by.sock for c in channels], [struct.pack('<HHIQ', STATUS, 0, i + 1, 0) for i in range(10)])


def native_floods(daemon, session):
    """Sixteen requests on the way on each, and their answers read."""
    channels = [Native(daemon).open(session) for _ in range(4)]
    wanted = [(c.opened_by, struct.pack('<HHIQ', STATUS, 0, 1, 0)) for c in channels] + [(c, struct.pack('<HHIIIQ', S_LIST, 0, 1, 0, 0, 1)) for c in channels]
    under_way()
    while True:
        for to, message in wanted:
            for _ in range(16):
                to.sock.send(message)
        for to, _ in wanted:
            for _ in range(16):
                for fd in to.receive()[2]:
                    os.close(fd)


def native_lists(daemon, _session):
    """All sessions, again and again."""
    clients = [Native(daemon) for _ in range(4)]
    under_way()
    while True:
        for client in clients:
            client.send(LIST, struct.pack('<I32s', 1, b''))
        for client in clients:
            while client.receive()[0] not in (FAILED, DONE):
                pass


def native_malformed(daemon, _session):
    under_way()
    n = 0
    while True:
        n += 1
        try:
            client = Native(daemon)
            client.sock.send(os.urandom(n % 300 + 1))
            client.receive()
            client.close()
        except OSError:
            pass


def native_cancels(daemon, session):
    """Many events, all cancelled as soon as they are taken: one of them runs by then."""
    channel = Native(daemon).open(session)
    under_way()
    while True:
        taken = []
        for _ in range(32):
            channel.send(S_PART, run_bytes(['sleep', '60']))
            channel.send(RUN, struct.pack('<IQ', 1, 0))
        while len(taken) < 32:
            number, body, _ = channel.receive()
            taken.append(struct.unpack_from('<Q', body, 8)[0] if number == TAKEN else 0)
        for n in filter(None, taken):
            channel.send(CANCEL, struct.pack('<IIIQ', 2, 0, 0, n))
            channel.receive()


def native_output(daemon, session):
    channel = Native(daemon).open(session)
    under_way()
    while True:
        n = channel.take(OUTPUT, limits='output=12G,disk=20G,wall=10m')
        channel.follow(n)
        channel.until_over(n)


def native_parts(daemon, _session):
    """64 MiB are taken of all clients together; and then nothing comes."""
    kept = []
    while len(kept) < 40:
        client = Native(daemon)
        try:
            for _ in range(31):
                client.send(PART, b'x' * 65000)
        except OSError:
            pass
        kept.append(client)
    under_way()
    time.sleep(3600)


def native_many(daemon, session):
    """Connections that say nothing, nearly as many as one process may have, and to a session, too."""
    kept = [Native(daemon) for _ in range(200)] + [Native(daemon).open(session) for _ in range(50)]
    under_way()
    time.sleep(3600)
    del kept


# ---- in JSON ----


def rpc_never_reads(daemon, session):
    clients = [Spoken(daemon, session) for _ in range(CONNECTIONS)]
    under_way()
    pushed([c.sock for c in clients], [status_line(i + 1) for i in range(10)])


def rpc_floods(daemon, session):
    clients = [Spoken(daemon, session) for _ in range(4)]
    under_way()
    while True:
        for client in clients:
            client.sock.sendall(b''.join(status_line(i + 1) for i in range(16)))
        for client in clients:
            for _ in range(16):
                client.lines.readline()


def rpc_lists(daemon, session):
    clients = [Spoken(daemon, session) for _ in range(4)]
    under_way()
    while True:
        for client in clients:
            client.say('session.list')
        for client in clients:
            client.lines.readline()


def rpc_malformed(daemon, _session):
    """On connections that stay."""
    clients = [Spoken(daemon) for _ in range(4)]
    under_way()
    n = 0
    while True:
        for client in clients:
            n += 1
            client.sock.sendall(LINES[n % len(LINES)] + b'\n')
        for client in clients:
            client.lines.readline()


def rpc_reconnects(daemon, _session):
    """On connections that last for one line."""
    under_way()
    n = 0
    while True:
        n += 1
        with socket.socket(socket.AF_UNIX) as sock:
            try:
                sock.connect(daemon.rpc)
                sock.sendall(LINES[n % len(LINES)] + b'\n')
                sock.recv(100)
            except OSError:
                pass


def rpc_cancels(daemon, session):
    client = Spoken(daemon, session)
    under_way()
    while True:
        n = client.ask('event.run', session=session, argv=['sleep', '60'], follow=False)['n']
        try:
            client.ask('event.cancel', session=session, n=n)
        except Failed:
            pass


def rpc_output(daemon, session):
    """It follows it, too, and never reads."""
    clients = [Spoken(daemon, session) for _ in range(4)]
    under_way()
    clients[0].say('event.run', session=session, argv=OUTPUT, limits={'output': '12G', 'disk': '20G', 'wall': '10m'})
    time.sleep(0.5)
    for client in clients[1:]:
        client.say('event.follow', session=session, n=1)
    time.sleep(3600)


def rpc_parts(daemon, _session):
    """Most of the longest line there may be, of each; and then nothing comes."""
    clients = [Spoken(daemon) for _ in range(16)]
    for client in clients:
        client.sock.sendall(b'{"jsonrpc":"2.0","id":"' + b'x' * ((4 << 20) - 100))
    under_way()
    time.sleep(3600)


def rpc_many(daemon, session):
    """Each has a cell."""
    kept = [Spoken(daemon, session) for _ in range(60)]
    under_way()
    time.sleep(3600)
    del kept


def kinds():
    """{way: [kind]}"""
    found = {'native': [], 'rpc': []}
    for name in globals():
        way, _, kind = name.partition('_')
        if way in found and kind:
            found[way].append(kind)
    return found


def main():
    kind, way, native, rpc, session = sys.argv[1:]
    what = spin if kind == 'spin' else globals()[f'{way}_{kind}']
    what(types.SimpleNamespace(native=native, rpc=rpc), session)


if __name__ == '__main__':
    main()
