#!/usr/bin/python3
"""What the network door costs, beside connections that are made without it, in turns.

    network.py AMBIT SERVER CLIENT [ROUNDS [COMMAND...]]

SERVER and CLIENT are bench/net_server and bench/net_client: the server is on the host's loopback, and the client connects to it bare
and by `--connect 127.0.0.1:PORT` from a cell. COMMAND is put before every other, to run it as another user. Memory is the proportional
one (smaps_rollup) of the roles, which only root may read; the buffers of sockets are the kernel's and in no process."""
import ctypes
import os
import statistics
import subprocess
import sys
import time

from work import PR_SET_CHILD_SUBREAPER, figure, in_turns

GIB = 1 << 30
BULK = 2 * GIB
CONNECTIONS, PINGS, MANY, STUCK = 1000, 4000, 1000, 20
ROLES = ('ambit-net', 'ambit-dial', 'ambit-superviso')  # the kernel cuts names at 15 characters
TARGET_THROUGHPUT, TARGET_CONNECTION_US, TARGET_MEMORY, TARGET_GROWTH, TARGET_P99 = 0.45, 200, 64, 1, 1.5


class Bench:
    def __init__(self, ambit, client, ports, before):
        self.ambit, self.client, self.before = ambit, client, before
        self.port = dict(zip(('echo', 'source', 'sink', 'stuck'), ports))

    def command(self, cell, *words):
        inside = [self.client, *map(str, words)]
        if cell:
            grants = [word for port in self.port.values() for word in ('--connect', f'127.0.0.1:{port}')]
            inside = [self.ambit, 'run', '--limit', 'files=4096', *grants, '--', *inside]
        return [*self.before, *inside]

    def told(self, cell, *words):
        """Its figures."""
        done = subprocess.run(self.command(cell, *words), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f'network: {words} failed: {done.stderr}')
        return [float(word) for word in done.stdout.split()]

    def in_turns(self, rounds, *words):
        """[(bare, cell)]"""
        return in_turns(rounds, lambda cell: self.told(cell, *words))


def median(values):
    return statistics.median(list(values))


# ---- the roles of an event ----

def parent_of(pid):
    with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as file:
        return int(file.read().rsplit(')', 1)[1].split()[1])


def is_ours(pid):
    """Beneath this process; what lost its parent has become its child."""
    while pid > 1:
        if pid == os.getpid():
            return True
        pid = parent_of(pid)
    return False


def roles():
    """{name: KiB} of all the roles that run; None: not ours to read."""
    found = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/comm', encoding='utf-8') as file:
                name = file.read().strip()
            if not name.startswith('ambit-') or not is_ours(int(pid)):
                continue
            with open(f'/proc/{pid}/smaps_rollup', encoding='utf-8') as file:
                pss = next(int(line.split()[1]) for line in file if line.startswith('Pss:'))
        except PermissionError:
            return None
        except (FileNotFoundError, ProcessLookupError, StopIteration):
            continue
        found[name] = found.get(name, 0) + pss
    return found


def counted(memory):
    return sum(memory.get(name, 0) for name in ROLES) / 1024


class Held:
    """An event whose client waits, having said its first line, until it is let go."""

    def __init__(self, bench, *words):
        self.child = subprocess.Popen(bench.command(True, *words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.line = self.child.stdout.readline()
        if not self.line:
            sys.exit(f'network: {words} failed')

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.child.stdin.close()
        self.child.wait()


# ---- what is measured ----

def throughput(bench, rounds):
    for way, port in (('down', 'source'), ('up', 'sink')):
        pairs = bench.in_turns(rounds, way, bench.port[port], BULK)
        bare, cell = (median(BULK / pair[i][0] / GIB for pair in pairs) for i in (0, 1))
        ratio = median(pair[0][0] / pair[1][0] for pair in pairs)
        print(f'{way:<5} bare {bare:6.2f} GiB/s, through the door {cell:6.2f} GiB/s: {ratio * 100:.0f} % (at least {TARGET_THROUGHPUT * 100:.0f})')
        figure(f'time to move {BULK // GIB} GiB {way}, of bare', 1 / ratio, 1 / TARGET_THROUGHPUT)


def connections(bench, rounds):
    pairs = bench.in_turns(rounds, 'connect', bench.port['echo'], CONNECTIONS)
    bare, cell = (median(pair[i][0] for pair in pairs) for i in (0, 1))
    print(f'connect, a byte there and back, close: bare {bare:.0f} us, through the door {cell:.0f} us')
    figure('added to each new connection, us', median(pair[1][0] - pair[0][0] for pair in pairs), TARGET_CONNECTION_US)


def trips(bench, rounds):
    """The round trip of a byte, and of one whose neighbours are stuck, in turns."""
    with_stuck, bare, alone = [], [], []
    for _ in range(rounds):
        bare.append(bench.told(False, 'ping', bench.port['echo'], PINGS))
        alone.append(bench.told(True, 'ping', bench.port['echo'], PINGS))
        with_stuck.append(bench.told(True, 'ping', bench.port['echo'], PINGS, bench.port['stuck'], bench.port['source'], STUCK))
    for name, taken in (('bare', bare), ('through the door', alone), (f'beside {2 * STUCK} that are stuck', with_stuck)):
        print(f'a byte there and back, {name:<27} median {median(t[0] for t in taken):7.1f} us, 99 of 100 below {median(t[1] for t in taken):7.1f} us')
    figure('p99 beside stuck connections, of alone', median(a[1] / b[1] for a, b in zip(with_stuck, alone)), TARGET_P99)


def memory_of_many(bench):
    with Held(bench, 'many', bench.port['echo'], MANY):
        memory = roles()
    if memory is None:
        print('memory: only root may read it, left out')
        return
    print('KiB at', MANY, 'connections:', ', '.join(f'{name} {kib}' for name, kib in sorted(memory.items())))
    figure(f'memory at {MANY} connections, MiB', counted(memory), TARGET_MEMORY)


def memory_of_much(bench):
    taken = []
    for size in (1 << 20, BULK):
        with Held(bench, 'down', bench.port['source'], size):
            taken.append(roles())
    if None not in taken:
        figure(f'memory after {BULK // GIB} GiB, more than after 1 MiB, MiB', counted(taken[1]) - counted(taken[0]), TARGET_GROWTH)


def main():
    if len(sys.argv) < 4:
        sys.exit('usage: network.py AMBIT SERVER CLIENT [ROUNDS [COMMAND...]]')
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.environ['AMBIT_LEDGER'] = 'none'
    sys.stdout.reconfigure(line_buffering=True)
    rounds, before = int(sys.argv[4]) if len(sys.argv) > 4 else 5, sys.argv[5:]
    server = subprocess.Popen([*before, sys.argv[2]], stdout=subprocess.PIPE, text=True)
    try:
        bench = Bench(sys.argv[1], sys.argv[3], server.stdout.readline().split(), before)
        throughput(bench, rounds)
        connections(bench, rounds)
        trips(bench, rounds)
        memory_of_many(bench)
        memory_of_much(bench)
    finally:
        server.kill()


main()
