#!/usr/bin/python3
"""How long until a grant that is revoked is closed: from the start of `ambit grant revoke` to the moment at which the last program that had a connection by it sees that end, and to the
end of the command. With a number of cells, of which one has a connection by that grant, and in which all have.

    revoke.py AMBIT [CELLS [ROUNDS]]

All are of one person and wait for a byte from a server outside; the clock is the machine's, which a cell sees as well."""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from work import figure

TARGET_MS = 10
BOUND = "between='00:00-23:59 UTC'"  # so that the authority has a word in it, without any labels
WAITS = """import socket, sys, time
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
s.recv(1)
print('up', flush=True)
try: s.recv(1)
except OSError: pass
print(time.clock_gettime(time.CLOCK_MONOTONIC), flush=True)
"""


class Server:
    def __init__(self):
        self.sock = socket.socket()
        self.sock.bind(('127.0.0.1', 0))
        self.sock.listen(256)
        self.port, self.held = self.sock.getsockname()[1], []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client = self.sock.accept()[0]
            client.send(b'x')
            self.held.append(client)


class Cells:
    def __init__(self, ambit, top, agents, port):
        self.processes = []
        for agent in agents:
            words = [ambit, 'run', '--no-ledger', '--agent', agent, '--connect', f'127.0.0.1:{port} {BOUND}', '--', 'python3', '-c', WAITS, str(port)]
            self.processes.append((agent, subprocess.Popen(words, cwd=top, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)))
        for _, process in self.processes:
            assert process.stdout.readline() == 'up\n'

    def ends(self, agent):
        """When the last of that agent's saw its connection end."""
        return max(float(process.stdout.readline()) for a, process in self.processes if a == agent)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for _, process in self.processes:
            process.kill()
            process.wait()


def standing(ambit, agent):
    told = subprocess.run([ambit, 'grant', 'list', '--standing', '--json'], capture_output=True, check=True)
    return next(g['grant'] for g in json.loads(told.stdout)['grants'] if (g['agent'], g['verb']) == (agent, 'connect'))


def revoke(ambit, top, agents, port):
    """Milliseconds until the last saw it, and until the command had ended."""
    with Cells(ambit, top, agents, port) as cells:
        grant = standing(ambit, agents[0])
        time.sleep(1)
        began = time.clock_gettime(time.CLOCK_MONOTONIC)
        subprocess.run([ambit, 'grant', 'revoke', grant], stdout=subprocess.DEVNULL, check=True)
        ended = time.clock_gettime(time.CLOCK_MONOTONIC)
        seen = cells.ends(agents[0])
        subprocess.run([ambit, 'grant', 'restore', grant], stdout=subprocess.DEVNULL, check=True)
    return (seen - began) * 1000, (ended - began) * 1000


def main():
    if len(sys.argv) < 2:
        sys.exit('usage: revoke.py AMBIT [CELLS [ROUNDS]]')
    n, rounds = (int(word) if word is not None else usual for word, usual in zip([*sys.argv[2:], None, None], (100, 5)))
    server = Server()
    with tempfile.TemporaryDirectory() as top:
        ambit = os.path.abspath(sys.argv[1])
        os.environ['HOME'], os.environ['XDG_STATE_HOME'], os.environ['AMBIT_LEDGER'] = top, f'{top}/state', 'none'
        for name, agents in (('one has it', ['it', *('other' for _ in range(n - 1))]), ('all have it', ['it'] * n)):
            figures = [revoke(ambit, top, agents, server.port) for _ in range(rounds)]
            seen, ended = (statistics.median(f) for f in zip(*figures))
            figure(f'of {n}, {name}: the last saw it, ms', seen, TARGET_MS)
            print(f'       of {n}, {name}: the command {ended:.3f} ms')


if __name__ == '__main__':
    main()
