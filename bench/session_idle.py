#!/usr/bin/python3
"""Many sessions that nobody uses: what making and listing them takes, and the memory of the daemon and of all that it has started.

    session_idle.py AMBIT [SESSIONS]

An event beside them is timed in turns with one in a daemon that has a single session. Memory is proportional where that may be read (served.py), and that of
the daemon's roles and their cells is in it; files of the sessions are on disk."""

import os
import struct
import sys
import time

from served import CHANNEL, FAILED, NEW, PART, Channel, Daemon, Native, memory, middle, reap, timed
from work import figure

TARGET_MEMORY = 256
ROUNDS = 100


def make(daemon, n):
    """So many more, and waits until none has a process."""
    described, client = daemon.description(), Native(daemon)
    begun = time.monotonic()
    for i in range(n):
        while True:
            client.send(PART, described)
            client.send(NEW, struct.pack('<IQ', i + 1, 0))
            number, _, fds = client.receive()
            if number == CHANNEL:
                break
            assert number == FAILED
            time.sleep(0.02)  # as many are in use as may be
        Channel(client, fds[0]).sock.close()
        if i % 500 == 499:
            reap()
    made = time.monotonic() - begun
    while daemon.status()['sessions_now'] > 0:
        time.sleep(0.1)
    client.close()
    return made


def tell_memory(daemon, n):
    found = memory()
    daemons = found.get('ambit-serve', (0, 0))[1]
    print(f'KiB: the daemon {daemons}; beside it ' + (', '.join(f'{count} {name} {kib}' for name, (count, kib) in sorted(found.items()) if name != 'ambit-serve') or 'nothing'))
    figure(f'memory with {n} idle sessions, MiB', sum(kib for _, kib in found.values()) / 1024, TARGET_MEMORY)
    files = sum(len(files) for _, _, files in os.walk(f'{daemon.top}/.local/state/ambit/sessions'))
    print(f'{files} files of sessions')


def beside(many, few):
    kinds = {'beside them': many.channel(), 'alone': few.channel()}
    events, asked = {name: [] for name in kinds}, {name: [] for name in kinds}
    for i in range(ROUNDS):
        for name in sorted(kinds, reverse=i % 2 == 0):
            events[name].append(timed(kinds[name].event))
            asked[name].append(timed(kinds[name].status))
    for what, taken in (('an event', events), ('status', asked)):
        print(f'{what}: ' + ', '.join(f'{name} {middle(values):.3f} ms' for name, values in taken.items()))
    for kind in kinds.values():
        kind.close()


def main():
    if len(sys.argv) < 2:
        sys.exit('usage: session_idle.py AMBIT [SESSIONS]')
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
    with Daemon(sys.argv[1]) as many:
        took = make(many, n - 1)
        print(f'{n} sessions made in {took:.1f} s, {1000 * took / n:.2f} ms each')
        tell_memory(many, n)
        client, listed = Native(many), []
        print(f'listed by hand in {timed(lambda: listed.extend(client.pages())):.0f} ms, by `ambit session list` in {timed(lambda: many.quiet("session", "list")):.0f} ms')
        assert len(set(listed)) == n, len(set(listed))
        client.close()
        with Daemon(sys.argv[1]) as few:
            beside(many, few)


if __name__ == '__main__':
    main()
