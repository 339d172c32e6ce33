#!/usr/bin/python3
"""A sub-agent of a cell beside a warm event of the same program, and beside one that nothing waits for; each with the whole command.

    delegate.py AMBIT [ROUNDS]

In turns: a program that stays in its cell starts the command there, with /bin/true, and times it; then the same command is started outside, with a daemon, whose cells wait, and without one.
The tree is the same. A cell for the next warm event is made in the pause."""

import os
import statistics
import subprocess
import sys
import time

from served import COMMAND, Daemon
from work import figure

PAUSE = 0.1
TARGET_MS = 1  # above a warm event
INSIDE = """import os, subprocess, sys, time
for line in sys.stdin:
    began = time.perf_counter()
    subprocess.run([sys.argv[1], 'run', '--', '/bin/true'], stdin=subprocess.DEVNULL, check=True)
    print((time.perf_counter() - began) * 1000, flush=True)
"""


def outside(daemon, environment):
    began = time.perf_counter()
    subprocess.run([daemon.ambit, 'run', '--work', '.', '--', *COMMAND], cwd=daemon.tree, env=environment, stdin=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - began) * 1000


def main():
    if len(sys.argv) < 2:
        sys.exit('usage: delegate.py AMBIT [ROUNDS]')
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    with Daemon(sys.argv[1]) as daemon:
        alone = {**daemon.environment, 'XDG_RUNTIME_DIR': os.path.join(daemon.top, 'nobody')}
        granted = ['--work', '.', '--run', daemon.ambit, '--delegate', '*']
        took = {'sub-agent': [], 'warm': [], 'nothing ready': []}
        with subprocess.Popen([daemon.ambit, 'run', *granted, '--', '/usr/bin/python3', '-c', INSIDE, daemon.ambit], cwd=daemon.tree, env=daemon.environment,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as caller:
            def inside():
                caller.stdin.write('go\n')
                caller.stdin.flush()
                return float(caller.stdout.readline())

            ways = {'sub-agent': inside, 'warm': lambda: outside(daemon, daemon.environment), 'nothing ready': lambda: outside(daemon, alone)}
            for i in range(rounds + 3):
                for name in (list(ways) * 2)[i % 3:i % 3 + 3]:
                    time.sleep(PAUSE)
                    ms = ways[name]()
                    if i >= 3:  # cells wait, files are in memory
                        took[name].append(ms)
            caller.stdin.close()
        for name, all_of in took.items():
            print(f'{name:<14} median {statistics.median(all_of):6.2f} ms, least {min(all_of):6.2f}')
        figure('delegate, above a warm event (ms)', statistics.median(a - b for a, b in zip(took['sub-agent'], took['warm'])), TARGET_MS)
        print(f'       above one that nothing waits for: {statistics.median(a - b for a, b in zip(took["sub-agent"], took["nothing ready"])):.2f} ms')


if __name__ == '__main__':
    main()
