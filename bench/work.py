#!/usr/bin/python3
"""Real work bare and in a cell, in turns: `make -j2` of a C project, and a Python test run.

    work.py AMBIT SOURCES [ROUNDS]

SOURCES is this project's own src/: its base and core, 60 translation units in all, are copied out and compiled there with
the warnings and the optimisation that the project uses. Each round does each kind of work at each level; a ratio is the
median of the ratios of its rounds, of the time that passed and of the processor time spent."""
import ctypes
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

UNITS = 60
MAKEFILE = """\
CFLAGS = -std=gnu17 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wconversion -Iinclude -I.
OBJECTS = $(patsubst %.c,%.o,$(wildcard unit*/*.c))
lib.a: $(OBJECTS)
\tar rcs $@ $^
%.o: %.c
\t$(CC) $(CFLAGS) -MMD -c -o $@ $<
"""
# name, arguments of `ambit run`; None: bare
LEVELS = [('bare', None), ('effects', ['--observe', 'effects']), ('full', ['--observe', 'full'])]
TARGETS = {'make': 1.05, 'python': 1.03}


def c_project(sources, at):
    """Units of base and core, again and again in directories of their own until there are enough."""
    files = sorted(sources.glob('base/*.c')) + sorted(sources.glob('core/*.c'))
    for name in ('base', 'core'):
        shutil.copytree(sources / name, at / name)
    shutil.copytree(sources.parent / 'include', at / 'include')
    for n in range(UNITS):
        where = at / f'unit{n // len(files)}'
        where.mkdir(exist_ok=True)
        shutil.copy(files[n % len(files)], where)
        for table in files[n % len(files)].parent.glob('*.def'):
            shutil.copy(table, where)
    (at / 'Makefile').write_text(MAKEFILE)


def cleaned(at):
    for pattern in ('unit*/*.o', 'unit*/*.d', 'lib.a'):
        for path in at.glob(pattern):
            path.unlink()


def timed(command, cwd):
    """(seconds passed, seconds of processors)"""
    log = tempfile.TemporaryFile()
    start = time.monotonic()
    child = subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    _, status, used = os.wait4(child.pid, 0)
    passed = time.monotonic() - start
    spent = used.ru_utime + used.ru_stime
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        log.seek(0)
        sys.stderr.write(log.read().decode(errors='replace')[-4000:])
        sys.exit(f'work: {command} failed')
    while True:  # the supervisor, with all that it has waited for: it is nobody's child and becomes ours
        try:
            used = os.wait3(0)[2]
        except ChildProcessError:
            return passed, spent
        spent += used.ru_utime + used.ru_stime


def in_turns(rounds, take):
    """What take(cell) gives of both: [(bare, cell)]."""
    pairs = []
    for n in range(rounds):
        taken = {cell: take(cell) for cell in ((False, True) if n % 2 == 0 else (True, False))}
        pairs.append((taken[False], taken[True]))
    return pairs


def figure(name, value, target):
    verdict = 'met' if value <= target else 'missed'
    print(f'figure {name:<44} {value:8.3f}  target at most {target:.2f}  {verdict}')


def tell(kind, taken):
    for level, _ in LEVELS:
        passed, used = (statistics.median(t[i] for t in taken[level]) for i in (0, 1))
        of = [statistics.median(a[i] / b[i] for a, b in zip(taken[level], taken['bare'])) for i in (0, 1)]
        print(f'{kind:<8} {level:<8} {passed:8.2f} s {used:8.2f} s of processors   ratios {of[0]:.3f} {of[1]:.3f}')
    of = [statistics.median(a[i] / b[i] for a, b in zip(taken['full'], taken['bare'])) for i in (0, 1)]
    figure(f'{kind}, full, of bare', of[0], TARGETS[kind])
    print(f'       of its processor time: {of[1]:.3f}')


PR_SET_CHILD_SUBREAPER = 36


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit('usage: work.py AMBIT SOURCES [ROUNDS]')
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    ambit, sources = sys.argv[1], pathlib.Path(sys.argv[2])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    suite = pathlib.Path(__file__).resolve().parent / 'suite.py'
    with tempfile.TemporaryDirectory() as kept:
        at = pathlib.Path(kept)
        c_project(sources, at)
        shutil.copy(suite, at / 'suite.py')
        kinds = {'make': ['make', '-j2'], 'python': ['/usr/bin/python3', '-B', 'suite.py']}
        taken = {kind: {level: [] for level, _ in LEVELS} for kind in kinds}
        for n in range(rounds):
            for kind, command in kinds.items():
                for i in range(len(LEVELS)):
                    level, options = LEVELS[(n + i) % len(LEVELS)]
                    cleaned(at)
                    whole = command if options is None else [ambit, 'run', *options, '--work', '.', '--', *command]
                    taken[kind][level].append(timed(whole, at))
        for kind in kinds:
            tell(kind, taken[kind])


if __name__ == '__main__':
    main()
