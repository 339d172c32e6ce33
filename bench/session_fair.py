#!/usr/bin/python3
"""Many events at once: all complete, none waits for much longer than the others.

    session_fair.py AMBIT [EVENTS [ROUNDS]]

First over 20 sessions, each event on a connection of its own; then all in one session, where they run in the order of their numbers; then beside a session
that asks for twenty times as many as each other one. The waiting of an event is from when it was asked for to when its end is told, as its client sees it."""

import os
import selectors
import struct
import sys
import time

from served import COMMAND, FOLLOW, OVER, RUN, S_FAILED, S_PART, TAKEN, Daemon, middle, percentile, reap, run_bytes
from work import figure

SESSIONS = 20
PER_CHANNEL = 10    # events at one time on a connection; a session has at most 64 of those, and 64 events followed on each
TARGET_SPREAD = 2.0  # of sessions that ask for the same: the last is done no later than in twice the median's time
PATIENCE = 300


class Asked:
    """Events of one session, on as many connections as they need: when each was over, since the start of all."""

    def __init__(self, daemon, session, n):
        self.n, self.ends, self.begun = n, [], {}
        self.channels = []
        left = n
        while left > 0:
            channel = daemon.channel(session)
            channel.share = min(left, PER_CHANNEL)
            left -= channel.share
            self.channels.append(channel)

    def ask(self):
        for channel in self.channels:
            for i in range(channel.share):
                channel.send(S_PART, run_bytes(COMMAND))
                channel.send(RUN, struct.pack('<IQ', i + 1, 0))

    def hear(self, channel, begun):
        number, body, fds = channel.receive()
        for fd in fds:
            os.close(fd)
        assert number != S_FAILED, body[16:]
        if number == TAKEN:
            channel.follow(struct.unpack_from('<Q', body, 8)[0])
        elif number == OVER:
            self.ends.append(time.monotonic() - begun)
            n, _, _, _, begun_ms = struct.unpack_from('<QIIQQ', body)
            self.begun[n] = begun_ms

    def close(self):
        for channel in self.channels:
            channel.close()


def at_once(daemon, shares):
    """[Asked], all done; of that many events each."""
    asked = [Asked(daemon, daemon.session(), n) for n in shares]
    with selectors.DefaultSelector() as waits:
        for one in asked:
            for channel in one.channels:
                waits.register(channel.sock, selectors.EVENT_READ, (one, channel))
        begun = time.monotonic()
        for one in asked:
            one.ask()
        while any(len(one.ends) < one.n for one in asked):
            assert time.monotonic() - begun < PATIENCE, f'not complete: {[len(one.ends) for one in asked]} of {shares}'
            for key, _ in waits.select(1):
                key.data[0].hear(key.data[1], begun)
    for one in asked:
        one.close()
    reap()
    return asked


def tell(name, rounds):
    """rounds: [[Asked]]. Of each session the median of the waiting of its events, and when its last was over."""
    waits = [[middle(one.ends) for one in asked] for asked in rounds]
    lasts = [[one.ends[-1] for one in asked] for asked in rounds]
    every = [1000 * end for asked in rounds for one in asked for end in one.ends]
    print(f'{name}: all {len(every) // len(rounds)} complete, the last after {middle(max(l) for l in lasts):.2f} s; an event waits {middle(every):.0f} ms, '
          f'99 of 100 below {percentile(every, 99):.0f} ms')
    return middle(max(w) / middle(w) for w in waits), middle(max(l) / middle(l) for l in lasts)


def in_order(begun):
    """When they began, by their numbers."""
    return [begun[n] for n in sorted(begun)]


def main():
    if len(sys.argv) < 2:
        sys.exit('usage: session_fair.py AMBIT [EVENTS [ROUNDS]]')
    events = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    each = events // SESSIONS
    with Daemon(sys.argv[1]) as daemon:
        several, one, greedy = [], [], []
        for _ in range(rounds):
            several.append(at_once(daemon, [each] * SESSIONS))
            one.append(at_once(daemon, [events]))
            greedy.append(at_once(daemon, [events] + [each] * (SESSIONS - 1)))
    waits, lasts = tell(f'{events} events over {SESSIONS} sessions', several)
    figure('sessions: longest waiting, of the median', waits, TARGET_SPREAD)
    figure('sessions: last end, of the median', lasts, TARGET_SPREAD)
    tell(f'{events} events in one session', one)
    late = sum(in_order(asked[0].begun) != sorted(asked[0].begun.values()) for asked in one)
    figure('rounds in which one session mixed up its order', late, 0)
    tell(f'one session with {events} events beside {SESSIONS - 1} with {each}', greedy)
    modest = [[1000 * o.ends[-1] for o in asked[1:]] for asked in greedy]
    equal = [[1000 * o.ends[-1] for o in asked] for asked in several]
    figure('beside a greedy one: last end of the others, of before', middle(max(m) / max(e) for m, e in zip(modest, equal)), TARGET_SPREAD)


if __name__ == '__main__':
    main()
