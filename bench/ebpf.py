#!/usr/bin/python3
"""What observing costs, by the kernel's programs and by notifications: `make -j2` and a Python test run (work.py's) in a cell that is not observed, and at each; and a call of a program outside while a cell is watched.

    ebpf.py AMBIT SOURCES [ROUNDS]

As root, where `ambit doctor` says that this host can observe by eBPF. Each round does each kind of work at each level, starting with another one each time; `again` is the cell that is not observed once more, which is what noise does."""
import ctypes
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import work

LEVELS = [('off', 'off'), ('ebpf', 'ebpf'), ('notify', 'full'), ('again', 'off')]
TARGET = 1.03
CALLS = 200_000
# What the work itself took of processors, without what observes it and what is told of it at the end.
INNER = 'import os, resource, subprocess, sys; status = subprocess.run(sys.argv[2:]).returncode; r = resource.getrusage(resource.RUSAGE_CHILDREN); open(sys.argv[1], "w").write(str(r.ru_utime + r.ru_stime)); sys.exit(status)'


def observers_socket():
    state = os.environ.get('XDG_STATE_HOME') or os.path.expanduser('~/.local/state')
    given = os.environ.get('XDG_RUNTIME_DIR')
    return os.path.join(given, 'ambit/ebpf/socket') if given else os.path.join(state, 'ambit/run/ebpf/socket')


def ratio(taken, level, i):
    return statistics.median(a[i] / b[i] for a, b in zip(taken[level], taken['off']))


def tell(kind, taken):
    for level, _ in LEVELS:
        passed, used, inner = (statistics.median(t[i] for t in taken[level]) for i in range(3))
        print(f'{kind:<8} {level:<8} {passed:8.2f} s {used:8.2f} s of processors, {inner:8.2f} s the work   ratios {ratio(taken, level, 0):.3f} {ratio(taken, level, 1):.3f} {ratio(taken, level, 2):.3f}', flush=True)
    figure = ratio(taken, 'ebpf', 2)
    print(f"figure {kind + ', by eBPF, of not observed':<44} {figure:8.3f}  target at most {TARGET:.2f}  {'met' if figure <= TARGET else 'missed'}")


def call_ns():
    """The fastest of some blocks of getppid, by a program that is in no cell."""
    getppid = ctypes.CDLL(None).getppid
    best = float('inf')
    for _ in range(10):
        begun = time.perf_counter_ns()
        for _ in range(CALLS // 10):
            getppid()
        best = min(best, (time.perf_counter_ns() - begun) / (CALLS // 10))
    return best


def outside(ambit, rounds):
    """A call outside, alone and while a cell sleeps that is watched."""
    alone, beside = [], []
    for _ in range(rounds):
        alone.append(call_ns())
        with subprocess.Popen([ambit, 'run', '--no-ledger', '--observe', 'ebpf', '--', 'sh', '-c', 'echo; read x; true'], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as cell:
            cell.stdout.readline()
            beside.append(call_ns())
            cell.communicate(b'\n')
    more = statistics.median(b - a for a, b in zip(alone, beside))
    print(f'a call outside: {statistics.median(alone):.0f} ns alone (with what Python takes), {more:+.0f} ns while a cell is watched', flush=True)


def starts(ambit, rounds):
    """`true` in a cell, when the role has loaded its programs."""
    taken = {level: [] for level, _ in LEVELS}
    for n in range(rounds):
        for i in range(len(LEVELS)):
            level, word = LEVELS[(n + i) % len(LEVELS)]
            begun = time.monotonic()
            subprocess.run([ambit, 'run', '--no-ledger', '--observe', word, '--', 'true'], check=True)
            taken[level].append(1000 * (time.monotonic() - begun))
    print('true, in ms: ' + ', '.join(f'{level} {statistics.median(taken[level]):.1f}' for level, _ in LEVELS), flush=True)


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit('usage: ebpf.py AMBIT SOURCES [ROUNDS]')
    ambit, sources = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    subprocess.run([ambit, 'run', '--no-ledger', '--observe', 'ebpf', '--', 'true'], check=True)  # says why, if it cannot
    kept_awake = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)  # the role, which is nobody's child here: it was started before the next line
    kept_awake.connect(observers_socket())
    ctypes.CDLL(None).prctl(work.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory(dir='/var/tmp') as kept:
        at = pathlib.Path(kept)
        at, told = at / 'tree', at / 'told'
        at.mkdir()
        told.mkdir()
        work.c_project(sources, at)
        shutil.copy(pathlib.Path(__file__).resolve().parent / 'suite.py', at / 'suite.py')
        kinds = {'make': ['make', '-j2'], 'python': ['/usr/bin/python3', '-B', 'suite.py']}
        taken = {kind: {level: [] for level, _ in LEVELS} for kind in kinds}
        print(f'load {os.getloadavg()[0]:.1f}', flush=True)
        for n in range(rounds):
            for kind, command in kinds.items():
                for i in range(len(LEVELS)):
                    level, word = LEVELS[(n + i) % len(LEVELS)]
                    work.cleaned(at)
                    whole = [ambit, 'run', '--no-ledger', '--observe', word, '--work', str(at), '--work', str(told), '--direct', '--', '/usr/bin/python3', '-S', '-E', '-c', INNER, str(told / 'used'), *command]
                    taken[kind][level].append((*work.timed(whole, at), float((told / 'used').read_text())))
        for kind in kinds:
            tell(kind, taken[kind])
    starts(ambit, 10 * rounds)
    outside(ambit, rounds)
    print(f'load {os.getloadavg()[0]:.1f}')


if __name__ == '__main__':
    main()
