#!/usr/bin/python3
"""A cell at its limits beside another session: how long that session's events take, beside how long they take alone, in turns.

    session_limits.py AMBIT [ROUNDS [KIND]]

The neighbour is an event of the background in a session of its own: as many tasks as its limit lets it have that all compute (`processor`), one that takes memory
until it is ended for it, again and again (`memory`), one whose files do not fit in its memory (`reclaim`), a fork bomb (`tasks`), files written without end
(`disk`), and output (`output`). The figure is the ratio of the 99th
percentiles of /bin/true, staged, by a channel. `busy` in the middle is one computing process for each processor that is in no cell: what any program does here.
Whether cells get control groups on this host is told; where not, ratios are told and no target is compared with.

As root the cells' groups lie in that of who started this. Where nothing is delegated, root can make a group and start this in it, with
version 2 beneath a parent whose cgroup.subtree_control has memory and pids:

    mkdir /sys/fs/cgroup/bench && sh -c 'echo $$ >/sys/fs/cgroup/bench/cgroup.procs && exec bench/session_limits.py AMBIT'"""

import contextlib
import os
import subprocess
import sys
import time
import types

from served import BACKGROUND, Daemon, Native, middle, percentile, reap, timed
from work import figure

SECONDS = 3.0
TARGET_RATIO = 2.0
TURNS = ('alone', 'busy', 'limits')
COMPUTES = 'while :; do :; done'
KINDS = {  # what runs, and its limits
    'processor': (f'for i in $(seq 60); do sh -c "{COMPUTES}" & done; wait', 'tasks=64'),
    'memory': ('exec python3 -c "x = []\nwhile True: x.append(bytearray(1 << 20))"', 'tasks=64,memory=128M'),
    'reclaim': ('while :; do head -c 500M /dev/zero >big; cat big >/dev/null; done', 'tasks=64,memory=64M,disk=100G'),
    'tasks': ('exec python3 -c "import os\nwhile True:\n try: os.fork()\n except OSError: pass"', 'tasks=64'),
    'disk': ('while :; do head -c 900M /dev/zero >big; rm big; done', 'tasks=64,disk=100G'),
    'output': ('exec cat /dev/zero', 'tasks=64,output=20G'),
}


class Neighbour:
    """Events of that kind, one after the other: some are ended by their limit at once."""

    def __init__(self, daemon, kind):
        self.daemon, self.session = daemon, daemon.session()
        self.child = subprocess.Popen([sys.executable, '-B', os.path.abspath(__file__), 'feed', daemon.native, self.session, kind], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, text=True)
        if self.child.stdout.readline() != 'begun\n':
            sys.exit(f'session_limits: {kind} does not begin')
        time.sleep(0.5)  # until it is at them

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        if self.child.poll() is not None:
            sys.exit(f'session_limits: who feeds {self.session} ended')
        self.daemon.stop(self.child, self.session)


def feed(native, session, kind):
    command, limits = KINDS[kind]
    channel, begun = Native(types.SimpleNamespace(native=native)).open(session), time.monotonic()
    for count in range(1, 1 << 30):
        n = channel.take(['sh', '-c', command], BACKGROUND, limits)
        if count == 1:
            print('begun', flush=True)
        channel.follow(n)
        row = channel.until_over(n)
        if count == 20 and time.monotonic() - begun < 0.2:
            sys.exit(f'session_limits: {kind} does not run: {row[64:]!r}')


class Busy:
    def __enter__(self):
        self.children = [subprocess.Popen(['sh', '-c', COMPUTES]) for _ in os.sched_getaffinity(0)]

    def __exit__(self, *ignored):
        for child in self.children:
            child.kill()
            child.wait()


def measure(channel):
    taken, until = [], time.monotonic() + SECONDS
    while time.monotonic() < until:
        taken.append(timed(channel.event))
    return taken


def one_kind(daemon, channel, kind, rounds):
    taken, turns = {turn: [] for turn in TURNS}, list(TURNS)
    for _ in range(rounds):
        for turn in turns:
            with contextlib.ExitStack() as beside:
                if turn == 'busy':
                    beside.enter_context(Busy())
                elif turn == 'limits':
                    beside.enter_context(Neighbour(daemon, kind))
                taken[turn] += measure(channel)
            reap()
        turns.append(turns.pop(0))
    return taken


def has_groups(daemon):
    found = [line.split() for line in daemon.told('doctor').splitlines() if 'cgroup memory  ' in line or 'cgroup tasks  ' in line]
    return len(found) >= 2 and all(words[0] == 'yes' for words in found[:2])


def main():
    if sys.argv[1:2] == ['feed']:
        feed(*sys.argv[2:])
    if len(sys.argv) < 2:
        sys.exit('usage: session_limits.py AMBIT [ROUNDS [KIND]]')
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with Daemon(sys.argv[1]) as daemon:
        delegated = has_groups(daemon)
        print('cells get control groups of memory and tasks here' if delegated else 'cells get no control groups here: told, and compared with no target')
        channel = daemon.channel()
        measure(channel)  # warming up
        for kind in sys.argv[3:] or KINDS:
            taken = one_kind(daemon, channel, kind, rounds)
            p99 = {turn: percentile(taken[turn], 99) for turn in TURNS}
            print(f'  an event beside {kind:<9} median, p99 in ms: ' + '; '.join(f'{turn} {middle(taken[turn]):7.2f} {p99[turn]:7.2f}' for turn in TURNS))
            if delegated:
                figure(f'p99 beside a cell at its limit: {kind}, of alone', p99['limits'] / p99['alone'], TARGET_RATIO)
            print(f'       ratio {p99["limits"] / p99["alone"]:.2f}; beside busy processors {p99["busy"] / p99["alone"]:.2f}', flush=True)


if __name__ == '__main__':
    main()
