"""What the measurements of sessions share: a daemon with places of its own, clients that speak to it by hand, figures."""

import ctypes
import json
import os
import signal
import socket
import statistics
import struct
import subprocess
import tempfile
import time

PR_SET_CHILD_SUBREAPER = 36

# wire/messages.def
NEW, OPEN, LIST, STATUS, PART, CHANNEL, ROW, DONE, TOLD, FAILED = 257, 258, 259, 261, 262, 264, 265, 266, 267, 268
RUN, FOLLOW, SEEN, CANCEL, S_LIST, S_PART, TAKEN, FILES, GREW, OVER, S_DONE, S_FAILED = 289, 290, 291, 295, 297, 299, 304, 305, 306, 308, 309, 310
BACKGROUND = 1
COMMAND = ['/bin/true']


def text(value):
    return struct.pack('<I', len(value)) + value.encode()


def run_bytes(argv, flags=0, limits=''):
    """A struct run (session/link.h), as run_put writes it."""
    return (struct.pack('<I', 3) + text('') + struct.pack('<IIIIQ', flags, 0, 0, 0, 0) + text(limits) + text('') + text('') + struct.pack('<I', len(argv)) +
            b''.join(map(text, argv)) + struct.pack('<I', 0))


class Failed(Exception):
    """What was asked was refused: the code, and what was said."""


class Native:
    """As libambit speaks: messages of fixed size (src/session/link.h)."""

    def __init__(self, daemon):
        self.sock, self.requests = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET), 0
        self.sock.connect(daemon.native)
        self.receive()

    def send(self, number, body=b''):
        self.sock.send(struct.pack('<HH', number, 0) + body)

    def receive(self):
        data, fds, _, _ = socket.recv_fds(self.sock, 1 << 17, 3)
        if not data:
            raise ConnectionError('sent away')
        return struct.unpack_from('<H', data)[0], data[4:], fds

    def status(self):
        self.send(STATUS, struct.pack('<IQ', 1, 0))
        assert self.receive()[0] == TOLD

    def pages(self):
        """Ids of all sessions, by pages."""
        last, found = '', []
        while True:
            self.send(LIST, struct.pack('<I32s', 1, last.encode()))
            page = 0
            while (answer := self.receive())[0] == ROW:
                last = answer[1][28:60].rstrip(b'\0').decode()
                found.append(last)
                page += 1
            if page < 64:
                return found

    def open(self, session):
        """A channel to it."""
        self.send(OPEN, struct.pack('<I32s', 1, session.encode()))
        number, body, fds = self.receive()
        if number != CHANNEL:
            raise Failed(body[16:].decode(errors='replace'))
        return Channel(self, fds[0])

    def close(self):
        self.sock.close()


class Channel:
    """To one session. `opened_by` is the connection that it came from, which stays open as long."""

    def __init__(self, opened_by, fd):
        self.opened_by, self.sock = opened_by, socket.socket(fileno=fd)
        self.sock.recv(1 << 16)

    send, receive = Native.send, Native.receive

    def take(self, argv, flags=0, limits=''):
        """Begins an event; its number."""
        self.send(S_PART, run_bytes(argv, flags, limits))
        self.send(RUN, struct.pack('<IQ', 1, 0))
        while True:
            number, body, fds = self.receive()
            for fd in fds:
                os.close(fd)
            if number == S_FAILED:
                raise Failed(body[16:].decode(errors='replace'))
            if number == TAKEN:
                return struct.unpack_from('<Q', body, 8)[0]

    def follow(self, n):
        self.send(FOLLOW, struct.pack('<IIIQ', 2, 0, 0, n))

    def until_over(self, n):
        """Its row: whether of this event, that is over."""
        while True:
            number, body, fds = self.receive()
            for fd in fds:
                os.close(fd)
            if number == OVER and struct.unpack_from('<Q', body)[0] == n:
                return body

    def event(self, argv=COMMAND):
        n = self.take(argv)
        self.follow(n)
        return self.until_over(n)

    def status(self):
        self.opened_by.status()

    def close(self):
        self.sock.close()
        self.opened_by.close()


class Spoken:
    """JSON-RPC by hand (doc/PROTOCOL.md)."""

    def __init__(self, daemon, session=None):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(daemon.rpc)
        self.lines, self.session, self.number = self.sock.makefile('r'), session, 0
        self.ask('hello', protocol=1)
        if session is not None:
            self.ask('session.open', session=session)

    def say(self, method, **params):
        self.number += 1
        self.sock.sendall((json.dumps({'jsonrpc': '2.0', 'id': self.number, 'method': method, 'params': params}) + '\n').encode())
        return self.number

    def hear(self):
        line = self.lines.readline()
        if not line:
            raise ConnectionError('the connection ended')
        return json.loads(line)

    def ask(self, method, **params):
        number = self.say(method, **params)
        while (message := self.hear()).get('id') != number:
            pass
        if 'error' in message:
            raise Failed(message['error'])
        return message['result']

    def event(self, argv=COMMAND):
        self.say('event.run', session=self.session, argv=argv)
        while (message := self.hear()).get('method') != 'event.ended':
            if 'error' in message:
                raise Failed(message['error'])
        if argv is COMMAND and message['params']['exit_status'] != 0:  # what was refused costs less
            raise Failed(message['params'])

    def status(self):
        self.ask('daemon.status')

    def close(self):
        self.lines.close()
        self.sock.close()


class Daemon:
    """One in a directory of its own, with a session; ended behind."""

    def __init__(self, ambit):
        # the supervisors of events, which are nobody's children, and the daemon become ours: found, and waited for
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.ambit = os.path.abspath(ambit)
        self.made = tempfile.TemporaryDirectory(prefix='ambit-bench-')
        self.top = self.made.name
        self.tree, self.runtime = f'{self.top}/tree', f'{self.top}/run'
        os.mkdir(self.tree)
        os.mkdir(self.runtime, 0o700)
        self.native, self.rpc = f'{self.runtime}/ambit/native.sock', f'{self.runtime}/ambit/rpc.sock'
        self.environment = {'PATH': os.environ['PATH'], 'HOME': self.top, 'XDG_RUNTIME_DIR': self.runtime, 'AMBIT_LEDGER': os.environ.get('AMBIT_LEDGER', 'none')}

    def __enter__(self):
        self.session_id = self.session()
        return self

    def __exit__(self, *ignored):
        pid = self.status()['pid']
        for _ in range(2):  # told twice, it waits for nothing
            os.kill(pid, signal.SIGTERM)
            time.sleep(0.05)
        os.waitpid(pid, 0)
        try:
            while os.waitpid(-1, os.WNOHANG)[0] != 0:
                pass
        except ChildProcessError:
            pass
        self.made.cleanup()

    def run(self, *words, **more):
        return subprocess.run([self.ambit, *words], cwd=self.tree, env=self.environment, stdin=subprocess.DEVNULL, check=True, **more)

    def stop(self, child, session):
        """Who used that session, and all that runs in it."""
        child.kill()
        child.wait()
        child.stdout.close()
        self.quiet('session', 'end', session)
        while self.status()['running_now'] > 0:
            time.sleep(0.05)

    def quiet(self, *words):
        self.run(*words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def told(self, *words):
        return self.run(*words, stdout=subprocess.PIPE, text=True).stdout

    def session(self, *words):
        return self.told('session', 'new', *(words or ('--work', '.'))).strip()

    def status(self):
        return json.loads(self.told('serve', '--status', '--json'))

    def description(self):
        """The bytes that describe its session, for more of the same by SERVE_NEW (session/shelf.c)."""
        with open(f'{self.top}/.local/state/ambit/sessions/{self.session_id}/session', 'rb') as file:
            return file.read()[8 + 4220 + 16:]

    def channel(self, session=None):
        return Native(self).open(session or self.session_id)

    def spoken(self, session=None):
        return Spoken(self, session or self.session_id)


# ---- the processes of the daemon ----


def parents():
    found = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as file:
                found[int(pid)] = int(file.read().rsplit(')', 1)[1].split()[1])
        except OSError:
            pass
    return found


def processes():
    """All beneath this one, as {pid: name}: what lost its parent has become its child."""
    of, found = parents(), {}
    for pid in of:
        above = pid
        while above > 1 and above != os.getpid():
            above = of.get(above, 0)
        if above == os.getpid() and pid != above:
            try:
                with open(f'/proc/{pid}/comm', encoding='utf-8', errors='replace') as file:
                    found[pid] = file.read().strip()
            except OSError:
                pass
    return found


def reap():
    """Supervisors and roles that have ended and are ours. Children that somebody here waits for have other names."""
    for pid, name in processes().items():
        if name.startswith('ambit-'):
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass


def memory_of(pid):
    """KiB: proportional where this may be read, else all that is resident, shared pages too. None: it is gone."""
    for name, word in (('smaps_rollup', 'Pss:'), ('status', 'VmRSS:')):
        try:
            with open(f'/proc/{pid}/{name}', encoding='utf-8', errors='replace') as file:
                return next(int(line.split()[1]) for line in file if line.startswith(word))
        except (OSError, StopIteration):
            pass
    return None


def memory():
    """{name: (processes, KiB)} of all beneath this one."""
    found = {}
    for pid, name in processes().items():
        kib = memory_of(pid)
        if kib is not None:
            n, sum_ = found.get(name, (0, 0))
            found[name] = n + 1, sum_ + kib
    return found


# ---- figures ----


def timed(what):
    """Milliseconds."""
    begun = time.perf_counter()
    what()
    return 1000 * (time.perf_counter() - begun)


def percentile(values, of_hundred):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * of_hundred / 100))]


def middle(values):
    return statistics.median(list(values))
