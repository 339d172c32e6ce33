#!/usr/bin/python3
"""What `ambit guard` adds to a call of a server of the Model Context Protocol that answers at once.

    guard.py AMBIT [ROUNDS]

In turns: the server bare, guarded with a ledger, guarded without one (AMBIT_LEDGER=none), and with a ledger and a profile (--profile log): the same call each time, and each time another (which the keeper of profiles is asked about). One call after the other, ROUNDS of each; and blocks of calls, 16 of them on their way at a time. Client and server are
the same programs of Python on all sides; what is added is the difference within each turn. A use is on disk before it goes on (the authority's journal, in groups; a ledger is written, too), so it waits for the disk that TMPDIR
is on, as all else that is written there does."""

import ctypes
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from served import PR_SET_CHILD_SUBREAPER, percentile, processes

AT_ONCE = 16
BLOCK = 320
WARM_UP = 20
SERVER = """import sys
TOOLS = '{"tools":[{"name":"echo","description":"says it","inputSchema":{"type":"object"}}]}'
for line in sys.stdin:
    at = line.find('"id":')
    if at < 0:
        continue
    number = line[at + 5:line.index(',', at)]
    result = '{"content":[{"type":"text","text":"it"}]}' if '"tools/call"' in line else TOOLS if '"tools/list"' in line else '{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"b","version":"1"}}'
    sys.stdout.write('{"jsonrpc":"2.0","id":%s,"result":%s}\\n' % (number, result))
    sys.stdout.flush()
"""


def used():
    """Processor time in microseconds of all that was started here."""
    sum_ = 0
    for pid in processes():
        try:
            for task in os.listdir(f'/proc/{pid}/task'):
                with open(f'/proc/{pid}/task/{task}/schedstat', encoding='ascii') as file:
                    sum_ += int(file.read().split()[0])
        except OSError:
            pass
    return sum_ / 1000


class Client:
    def __init__(self, argv, environment, tree, varies=False):
        self.varies = varies
        self.process = subprocess.Popen(argv, cwd=tree, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.heard = os.fdopen(os.dup(self.process.stdout.fileno()), 'rb')
        self.last = 0
        self.ask('initialize', protocolVersion='2025-11-25', capabilities={}, clientInfo={'name': 'bench', 'version': '1'})
        self.process.stdin.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
        self.ask('tools/list')

    def say(self, method, **params):
        self.last += 1
        self.process.stdin.write(json.dumps({'id': self.last, 'jsonrpc': '2.0', 'method': method, 'params': params}, separators=(',', ':')).encode() + b'\n')

    def hear(self):
        line = self.heard.readline()
        if b'"result"' not in line or b'"isError":true' in line:
            sys.exit(f'guard: {line.decode()}')

    def ask(self, method, **params):
        self.say(method, **params)
        self.hear()

    def arguments(self):
        return {'path': './docs/a.txt', 'n': self.last if self.varies else 7}

    def call(self):
        began = time.perf_counter()
        self.ask('tools/call', name='echo', arguments=self.arguments())
        return 1e6 * (time.perf_counter() - began)

    def block(self):
        """Calls a second, and the processor time of each without this client's."""
        before, began = used(), time.perf_counter()
        for i in range(BLOCK + AT_ONCE):
            if i >= AT_ONCE:
                self.hear()
            if i < BLOCK:
                self.say('tools/call', name='echo', arguments=self.arguments())
        took = time.perf_counter() - began
        return BLOCK / took, (used() - before) / BLOCK

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def in_turns(clients, rounds, what):
    took = {name: [] for name in clients}
    for i in range(rounds):
        for name in (list(clients) * 2)[i % len(clients):i % len(clients) + len(clients)]:
            took[name].append(what(clients[name]))
    return took


def main():
    if len(sys.argv) < 2:
        sys.exit('usage: guard.py AMBIT [ROUNDS]')
    ambit, rounds = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # what the command lines start in passing becomes ours, and is found
    print(f'load {open("/proc/loadavg").read().rsplit(" ", 2)[0]} at the start')
    with tempfile.TemporaryDirectory(prefix='ambit-bench-') as top:
        server = ['/usr/bin/python3', '-c', SERVER]
        clients = {}
        for name in ('bare', 'guarded', 'no ledger', 'profile', 'other calls'):
            home = f'{top}/{name}'
            os.mkdir(home, 0o700)
            environment = {'PATH': os.environ['PATH'], 'HOME': home}
            if name == 'no ledger':
                environment['AMBIT_LEDGER'] = 'none'
            clients[name] = Client(server if name == 'bare' else [ambit, 'guard', '--name', 'b', '--tool', 'b/echo where=\'{"path":"./docs/**"}\'', *(('--profile', 'log') if name in ('profile', 'other calls') else ()), '--', *server], environment, home, name == 'other calls')
        in_turns(clients, WARM_UP, Client.call)
        took = in_turns(clients, rounds, Client.call)
        for name, all_of in took.items():
            print(f'{name:<11} one after the other: median {statistics.median(all_of):7.0f} us, mean {statistics.mean(all_of):7.0f}, 99th percentile {percentile(all_of, 99):7.0f}')
        for name, than in (('guarded', 'bare'), ('no ledger', 'bare'), ('profile', 'bare'), ('profile', 'guarded'), ('other calls', 'guarded')):
            added = [a - b for a, b in zip(took[name], took[than])]
            print(f'{name:<11} above {than}: median {statistics.median(added):7.0f} us, mean {statistics.mean(added):7.0f}, 99th percentile {percentile(added, 99):7.0f}')
        for name, all_of in in_turns(clients, max(rounds // 100, 3), Client.block).items():
            rates, times = zip(*all_of)
            print(f'{name:<11} {AT_ONCE} at once: median {statistics.median(rates):7.0f} calls a second, least {min(rates):7.0f}; processor time of a call {statistics.median(times):5.0f} us')
        for client in clients.values():
            client.end()
    print(f'load {open("/proc/loadavg").read().rsplit(" ", 2)[0]} at the end')


if __name__ == '__main__':
    main()
