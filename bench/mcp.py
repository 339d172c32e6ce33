#!/usr/bin/python3
"""What a call of `ambit mcp` costs beside the same in the same daemon without it: a program, a small file, a line of Python whose interpreter waits.

    mcp.py AMBIT [ROUNDS [PACKAGE]]

PACKAGE is packages/python/src. The direct ways are the Python client (JSON-RPC, a session with the same grants and limits), by libambit's channel for the program, and `ambit run`. One of each in turn, beginning with another one
each time, with a pause in which the next cell is made; medians and 99th percentiles in milliseconds, and of the differences in each round. Then what the server's processes have of memory.
With AMBIT_LEDGER=none nothing is recorded, by either way."""

import os
import statistics
import sys
import time

from guard import Client
from served import COMMAND, Daemon, middle, percentile, processes, timed
from work import figure

HERE = os.path.dirname(os.path.abspath(__file__))
PAUSE = 0.06
LIMITS = 'wall=30s,memory=512M,tasks=64,files=256,disk=1G,output=1M'  # what `ambit mcp` gives by itself


def ways(daemon, package, client):
    """{what: {way: what to time}}"""
    os.environ.update({**daemon.environment, 'AMBIT_PROGRAM': daemon.ambit})
    sys.path.insert(0, package)
    import ambit  # pylint: disable=import-outside-toplevel

    limits = dict(pair.split('=') for pair in LIMITS.split(','))
    session = ambit.Client().new(grants=[{'work': '.'}], workspace=daemon.tree, limits=limits)
    channel = daemon.channel()
    path = os.path.join(daemon.tree, 'a.txt')
    with open(path, 'w', encoding='utf-8') as file:
        file.write('small\n' * 20)
    call = lambda name, **arguments: lambda: client.ask('tools/call', name=name, arguments=arguments)
    return {'/bin/true': {'mcp': call('run', argv=COMMAND), 'client': lambda: session.run(COMMAND, check=True), 'channel': channel.event, 'ambit run': lambda: daemon.quiet('run', '--work', '.', '--', *COMMAND)},
            'a small file': {'mcp': call('read', path='a.txt'), 'client': lambda: session.run(['cat', 'a.txt'], check=True), 'ambit run': lambda: daemon.quiet('run', '--work', '.', '--', 'cat', 'a.txt')},
            'print(1)': {'mcp': call('python', code='print(1)'), 'client': lambda: session.python('print(1)'), 'ambit run': lambda: daemon.quiet('run', '--work', '.', '--', 'python3', '-c', 'print(1)')}}


def in_turns(ways, rounds):
    names, took = list(ways), {way: [] for way in ways}
    for n in range(rounds + 3):
        for i in range(len(names)):
            way = names[(n + i) % len(names)]
            time.sleep(PAUSE)
            one = timed(ways[way])
            if n >= 3:  # the first ones are warming up
                took[way].append(one)
    return took


def anonymous(pid):
    """What a process has for itself, in KiB."""
    with open(f'/proc/{pid}/status', encoding='ascii') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('RssAnon:'))


def memory(before):
    """Of what was started since."""
    sizes = {}
    for pid in set(processes()) - before:
        try:
            with open(f'/proc/{pid}/comm', encoding='ascii') as file:
                name = file.read().strip()
            sizes.setdefault(name, []).append(anonymous(pid))
        except (OSError, StopIteration):
            pass
    return sizes


def main():
    if len(sys.argv) < 2:
        sys.exit('usage: mcp.py AMBIT [ROUNDS [PACKAGE]]')
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    package = sys.argv[3] if len(sys.argv) > 3 else os.path.join(HERE, '..', 'packages', 'python', 'src')
    print(f'load {open("/proc/loadavg").read().rsplit(" ", 2)[0]} at the start')
    with Daemon(sys.argv[1]) as daemon:
        before = set(processes())
        began = time.perf_counter()
        client = Client([daemon.ambit, 'mcp', '--work', '.'], daemon.environment, daemon.tree)
        first = 1e3 * (time.perf_counter() - began)
        idle = memory(before)
        client.ask('tools/call', name='python', arguments={'code': 'print(1)'})
        time.sleep(0.5)
        used = memory(before)
        kinds = ways(daemon, package, client)
        took = {what: in_turns(of, rounds) for what, of in kinds.items()}  # one after the other: a cell is made ready for the program that was run last
        client.end()
    print(f'{first:8.1f} ms until the list of tools, the program started')
    for what, of in took.items():
        for way, times in of.items():
            print(f'{middle(times):8.2f} ms  99 of 100 below {percentile(times, 99):8.2f}  {what}, {way}')
        for way in list(of)[1:]:
            added = [a - b for a, b in zip(of['mcp'], of[way])]
            print(f'{statistics.median(added):+8.2f} ms  99th percentile {percentile(added, 99):+8.2f}  {what}, the server above {way}')
    for when, sizes in (('before the first call', idle), ('after it, one interpreter waiting', used)):
        own = {name: sum(of) for name, of in sizes.items()}
        print(f'memory {when}: {", ".join(f"{name} {size}" for name, size in sorted(own.items(), key=lambda x: -x[1]))} KiB; together {sum(own.values())} KiB')
    figure('mcp, /bin/true above the Python client, ms', statistics.median([a - b for a, b in zip(took['/bin/true']['mcp'], took['/bin/true']['client'])]), 1.0)
    print(f'load {open("/proc/loadavg").read().rsplit(" ", 2)[0]} at the end')


if __name__ == '__main__':
    main()
