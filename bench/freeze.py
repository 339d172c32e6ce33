#!/usr/bin/python3
"""How long until what runs stands still: from the first message to the answer for the last cell, with one cell and with a hundred, where none computes and where all do; and the
command with all that it does.

    freeze.py AMBIT [CELLS [ROUNDS]]

The supervisor of a cell answers when each of its threads was seen to stand still, twice. Starting the command and finding who runs is in the last line alone."""

import json
import os
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from work import figure

CONTROL_FREEZE, CONTROL_THAW = 163, 164
HELD, LET_GO = 1, 3
TARGET_MS = 10
WORKS = {'waiting': 'echo up; exec sleep 1000', 'computing': 'echo up; while :; do :; done'}


def message(number, body=b''):
    return number.to_bytes(2, 'little') + bytes(2) + body


def all_at_once(socks, packet, wanted):
    """Milliseconds until the last has answered."""
    began = time.perf_counter()
    for s in socks:
        s.send(packet)
    for s in socks:
        answer = s.recv(64)
        assert answer[4:8] == wanted.to_bytes(4, 'little'), answer
    return (time.perf_counter() - began) * 1000


def connect(event):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(f'\0ambit/{event}')
    return s


class Cells:
    def __init__(self, ambit, n, work):
        self.ambit = ambit
        self.processes = [subprocess.Popen([ambit, 'run', '--no-ledger', '--', 'sh', '-c', work], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(n)]
        for p in self.processes:
            assert p.stdout.readline() == b'up\n'
        listed = subprocess.run([ambit, 'grant', 'list', '--json'], capture_output=True, check=True)
        self.events = [e['event'] for e in json.loads(listed.stdout)['events']]
        assert len(self.events) == n, f'{len(self.events)} of {n}: others run, too'

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run([self.ambit, 'kill', '--all'], stdout=subprocess.DEVNULL, check=False)
        for p in self.processes:
            p.kill()
            p.wait()


def measure(cells, rounds):
    socks = [connect(event) for event in cells.events]
    froze, thawed = [], []
    for _ in range(rounds):
        froze.append(all_at_once(socks, message(CONTROL_FREEZE, bytes(204)), HELD))
        select.select([], [], [], 0.02)
        thawed.append(all_at_once(socks, message(CONTROL_THAW), LET_GO))
        select.select([], [], [], 0.05)
    return froze, thawed


def command(cells, rounds):
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        subprocess.run([cells.ambit, 'freeze', '--all'], stdout=subprocess.DEVNULL, check=True)
        took.append((time.perf_counter() - began) * 1000)
        subprocess.run([cells.ambit, 'thaw', '--all'], stdout=subprocess.DEVNULL, check=True)
    return took


def main():
    if len(sys.argv) < 2:
        sys.exit('usage: freeze.py AMBIT [CELLS [ROUNDS]]')
    ambit = os.path.abspath(sys.argv[1])
    many, rounds = (int(sys.argv[i]) if len(sys.argv) > i else default for i, default in ((2, 100), (3, 50)))
    with tempfile.TemporaryDirectory() as top:
        os.environ.update(HOME=top, XDG_STATE_HOME=os.path.join(top, 'state'), XDG_RUNTIME_DIR=top)
        subprocess.run([ambit, 'thaw', '--all'], stdout=subprocess.DEVNULL, check=True)
        for n in (1, many):
            for what, work in WORKS.items():
                with Cells(ambit, n, work) as cells:
                    froze, thawed = measure(cells, rounds)
                    middle, worst = statistics.median(froze), sorted(froze)[int(len(froze) * 0.95) - 1]
                    print(f'{n} {what}: frozen in {middle:.2f} ms, 95 of 100 in {worst:.2f}; thawed in {statistics.median(thawed):.2f}')
                    print(f'  by the command, whole: {statistics.median(command(cells, max(rounds // 5, 3))):.1f} ms')
                    figure(f'freeze-{n}-{what}', middle, TARGET_MS)


if __name__ == '__main__':
    main()
