#!/usr/bin/python3
"""What cells that wait take: 64 sessions with a Python interpreter that waits in each, beside 10,000 sessions that rest, shared memory counted once; and what of a Node
interpreter that waits is its own.

    warm_memory.py AMBIT [WARM [IDLE [PACKAGE]]]

PACKAGE is packages/python/src."""

import os
import shutil
import sys
import time

from served import Daemon
from work import figure

HERE = os.path.dirname(os.path.abspath(__file__))


def fields(pid):
    """Of /proc/PID/status, which is told of any process: its name, and bytes of anonymous memory, of mapped files, and of memory files."""
    with open(f'/proc/{pid}/status', encoding='ascii', errors='replace') as f:
        rows = dict(line.rstrip('\n').split(':\t', 1) for line in f if ':\t' in line)
    return rows['Name'], *(int(rows.get(name, '0 kB').split()[0]) << 10 for name in ('RssAnon', 'RssFile', 'RssShmem'))


def told_of(pids):
    found = []
    for pid in pids:
        try:
            found.append(fields(pid))
        except (OSError, KeyError):  # it has gone
            pass
    return found


def beneath(top):
    """Processes that are there because of the daemon: it, and whoever descends from this process."""
    children = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as f:
                children.setdefault(int(f.read().rpartition(')')[2].split()[1]), []).append(int(pid))
        except OSError:
            pass
    found, todo = [], [top]
    while todo:
        more = children.get(todo.pop(), [])
        found += more
        todo += more
    return found


def main():
    if len(sys.argv) < 2:
        sys.exit('usage: warm_memory.py AMBIT [WARM [IDLE [PACKAGE]]]')
    warm, idle = (int(sys.argv[i]) if len(sys.argv) > i else default for i, default in ((2, 64), (3, 10000)))
    package = sys.argv[4] if len(sys.argv) > 4 else os.path.join(HERE, '..', 'packages', 'python', 'src')
    with Daemon(sys.argv[1]) as daemon:
        os.environ.update({**daemon.environment, 'AMBIT_PROGRAM': daemon.ambit})
        sys.path.insert(0, package)
        import ambit  # pylint: disable=import-outside-toplevel

        client = ambit.Client()
        for _ in range(idle):
            rests = client.new(workspace=daemon.tree, grants=['work .'])
            client._ask('session.leave', rests.id)  # pylint: disable=protected-access
        clients = []
        for i in range(warm):  # a connection has 64 sessions at most, and a process as many connections
            clients = clients if i % 2 else [*clients, ambit.Client()]
            os.mkdir(f'{daemon.top}/w{i}')
            session = clients[-1].new(workspace=f'{daemon.top}/w{i}', grants=['work .'])
            assert session.python('6*7', check=True).value == 42
        time.sleep(2)
        rows = told_of(beneath(os.getpid()))
        interpreters = [row for row in rows if row[0] == 'python3']
        names = sorted({row[0] for row in rows})
        # what is mapped of files is shared by all that run the same program, and so are the memory files that are passed on
        total = sum(row[1] for row in rows) + sum(max(row[2] for row in rows if row[0] == name) for name in names) + sum(row[3] for row in rows) // 2
        for name in names:
            those = [row for row in rows if row[0] == name]
            print(f'{sum(row[1] for row in those) >> 10:9} KiB of their own, {max(row[2] for row in those) >> 10:6} KiB of files, {len(those):4} {name}')
        assert len(interpreters) >= warm, f'{len(interpreters)} of them wait'
        figure(f'{warm} warm Python cells, {idle} idle sessions, MiB', total / (1 << 20), 512)
        if shutil.which('node', path='/usr/local/bin:/usr/bin:/bin'):
            assert session.node('6*7', check=True).value == 42
            time.sleep(1)
            own = [row[1] + row[3] for row in told_of(beneath(os.getpid())) if row[0] in ('node', 'MainThread')]
            figure('a warm Node process, MiB of its own', max(own) / (1 << 20), 40)


if __name__ == '__main__':
    main()
