#!/usr/bin/python3
"""What an event costs through the daemon, beside `ambit run` less the start of its process: by a channel of libambit's kind, by JSON-RPC, and
by the Python client, both of its ways.

    sessions.py AMBIT [ROUNDS [PACKAGE]]

PACKAGE is packages/python/src. One of each in turn, beginning with another one each time; medians in milliseconds, and of the differences in each round."""

import asyncio
import os
import sys

from served import COMMAND, Daemon, middle, percentile, timed
from work import figure

TARGET_ABOVE = 1.0
HERE = os.path.dirname(os.path.abspath(__file__))
KINDS = ('by a channel', 'by JSON-RPC', 'Python client', 'Python client, asyncio')


def contestants(daemon, package, loop, closing):
    """{name: what to time}"""
    os.environ.update({**daemon.environment, 'AMBIT_PROGRAM': daemon.ambit})
    sys.path.insert(0, package)
    import ambit  # pylint: disable=import-outside-toplevel
    import ambit.aio  # pylint: disable=import-outside-toplevel

    session = ambit.Client().open(daemon.session_id)
    client = ambit.aio.Client()
    apart = loop.run_until_complete(client.open(daemon.session_id))
    closing.append(client.close)
    channel, spoken = daemon.channel(), daemon.spoken()
    return {'by a channel': channel.event,
            'by JSON-RPC': spoken.event,
            'Python client': lambda: session.run(COMMAND, check=True),
            'Python client, asyncio': lambda: loop.run_until_complete(apart.run(COMMAND, check=True)),
            'ambit run': lambda: daemon.quiet('run', '--work', '.', '--', *COMMAND),
            'start of ambit': lambda: daemon.quiet('version')}


def main():
    if len(sys.argv) < 2:
        sys.exit('usage: sessions.py AMBIT [ROUNDS [PACKAGE]]')
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    package = sys.argv[3] if len(sys.argv) > 3 else os.path.join(HERE, '..', 'packages', 'python', 'src')
    loop, closing = asyncio.new_event_loop(), []
    with Daemon(sys.argv[1]) as daemon:
        kinds = contestants(daemon, package, loop, closing)
        names = list(kinds)
        took = {name: [] for name in names}
        for n in range(rounds + 1):
            for i in range(len(names)):
                name = names[(n + i) % len(names)]
                one = timed(kinds[name])
                if n > 0:  # the first of each is warming up
                    took[name].append(one)
        loop.call_soon(closing[0])
        loop.run_until_complete(asyncio.sleep(0.1))
        loop.close()
    for name, times in took.items():
        print(f'{middle(times):8.2f} ms  99 of 100 below {percentile(times, 99):8.2f}  {name}')
    own = [run - start for run, start in zip(took['ambit run'], took['start of ambit'])]
    for name in KINDS:
        figure(f'event {name}, above ambit run\'s own, ms', middle(took[name]) - middle(own), TARGET_ABOVE)
        print(f'       of the differences in each round: {middle(a - b for a, b in zip(took[name], own)):+.3f}')


if __name__ == '__main__':
    main()
