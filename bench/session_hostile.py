#!/usr/bin/python3
"""How long a quiet client's events and requests take while another client does harm, beside how long they take alone, in turns.

    session_hostile.py AMBIT [ROUNDS [KIND]]

Each round measures for a while alone, as long beside processes that use all processors and are no clients (`busy`), and as long beside each kind of harm
(session_harm.py; a session of its own each time), by a channel and by JSON-RPC: an event (/bin/true, staged), and `status`. The figure is the ratio of the 99th
percentiles to that alone. What is not worse than `busy` is the machine's doing and not the daemon's. The most memory of each role is read while the harm is
done. There are 1,000 sessions, which lists go through."""

import contextlib
import os
import subprocess
import sys
import time

import session_harm
from served import Daemon, memory, middle, percentile, reap, timed
from session_idle import make
from work import figure

SECONDS = 2.0
ASKED = 5  # requests for each event
TARGET_RATIO = 2.0
SESSIONS = 1000
TURNS = ('alone', 'busy', 'harm')


class Harm:
    """One who does it, until the end."""

    def __init__(self, daemon, kind, way):
        self.daemon, self.session = daemon, daemon.session()
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'session_harm.py')
        self.child = subprocess.Popen([sys.executable, '-B', script, kind, way, daemon.native, daemon.rpc, self.session], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        if self.child.stdout.readline() != 'under way\n':
            sys.exit(f'session_hostile: {kind} by {way} failed')

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.daemon.stop(self.child, self.session)
        time.sleep(0.2)


class Quiet:
    """The client that nobody is to disturb: {what: [milliseconds]} of a while."""

    def __init__(self, daemon):
        session = daemon.session()
        self.ways = {'native': daemon.channel(session), 'rpc': daemon.spoken(session)}

    def measure(self):
        taken = {(what, way): [] for way in self.ways for what in ('event', 'status')}
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            for way, client in self.ways.items():
                taken['event', way].append(timed(client.event))
                taken['status', way] += [timed(client.status) for _ in range(ASKED)]
        return taken


def most(peaks, found):
    """Of each role, an average over its processes: those of a kind are alike."""
    for name, (n, kib) in found.items():
        if name.startswith('ambit-'):
            peaks[name] = max(peaks.get(name, 0), kib // n)


def one_kind(daemon, quiet, kind, way, rounds):
    """{'alone', 'busy', 'harm'}: {what: [milliseconds]}, and the memory."""
    taken, peaks, turns = {turn: {} for turn in TURNS}, {}, list(TURNS)
    for _ in range(rounds):
        for turn in turns:
            with contextlib.ExitStack() as beside:
                if turn != 'alone':
                    beside.enter_context(Harm(daemon, 'spin' if turn == 'busy' else kind, way))
                for what, values in quiet.measure().items():
                    taken[turn].setdefault(what, []).extend(values)
                if turn == 'harm':
                    most(peaks, memory())
            reap()
        turns.append(turns.pop(0))
    return taken, peaks


def tell(kind, way, taken, peaks):
    worst = {}
    for what, by in taken['alone']:
        p99 = {turn: percentile(taken[turn][what, by], 99) for turn in TURNS}
        worst[what] = max(worst.get(what, (0, 0)), (p99['harm'] / p99['alone'], p99['busy'] / p99['alone']))
        print(f'  {what:<6} of a quiet client by {by:<6} median, p99 in ms: ' +
              '; '.join(f'{turn} {middle(taken[turn][what, by]):7.3f} {p99[turn]:7.3f}' for turn in TURNS))
    for what, (ratio, busy) in worst.items():
        figure(f'{kind} by {way}: p99 of {what}, of alone', ratio, TARGET_RATIO)
        print(f'       beside busy processors it is {busy:.2f}')
    if peaks:
        print('       KiB: ' + ', '.join(f'{name} {kib}' for name, kib in sorted(peaks.items())))


def main():
    if len(sys.argv) < 2:
        sys.exit('usage: session_hostile.py AMBIT [ROUNDS [KIND]]')
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    only = sys.argv[3] if len(sys.argv) > 3 else ''
    with Daemon(sys.argv[1]) as daemon:
        make(daemon, SESSIONS - 1)
        quiet = Quiet(daemon)
        quiet.measure()  # warming up
        for kind, way in [(kind, way) for way, found in session_harm.kinds().items() for kind in found]:
            if only in f'{kind} by {way}':
                tell(kind, way, *one_kind(daemon, quiet, kind, way, rounds))
                sys.stdout.flush()


if __name__ == '__main__':
    main()
