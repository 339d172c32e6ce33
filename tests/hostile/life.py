"""The life of a cell: whoever of its keepers dies or stops, the cell ends; and whatever happened, nothing of it stays."""
import contextlib
import os
import random
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

import host

SOAK = int(os.environ.get('AMBIT_SOAK') or 1)  # so many times as much where that is a number of rounds
IN_A_ROW, AT_ONCE, MOMENTS = (1000, 64, 100) if SOAK > 1 else (60, 16, 6)
PATIENCE_S = 4     # for a cell to be gone after one of its keepers was killed
STOPPED_S = 15     # ... or stopped
KEEPERS = ('ambit', 'ambit-superviso', 'ambit-warden')  # as the kernel cuts names


class Cell:
    """A running `ambit run` whose program, and all that it forks, carries a word of its own in the command line."""

    def __init__(self, options, h, program, *args, **how):
        self.tag = 'tag-' + os.urandom(6).hex()
        command = [options.ambit, 'run', *shlex.split(options.extra), '--quiet', '--write', h.at('rw'), '--', h.probe, program,
                   *args, self.tag]
        how.setdefault('stdout', subprocess.DEVNULL)
        self.cli = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=h.at('rw'),
                                    start_new_session=True, **how)
        self.known = set()

    def inside(self):
        return [p for p in host.processes() if self.tag in p.command and p.program.endswith('/probe')]

    def tree(self):
        """All of it, and remembers it: orphans lose their parent. The supervisor is nobody's child, but the command holds it
        by a descriptor."""
        found = host.descendants({self.cli.pid} | host.held(self.cli.pid))
        self.known |= {p.key() for p in found if p.pid != self.cli.pid}
        return found

    def keeper(self, name):
        if name == 'ambit':
            return self.cli.pid
        return next((p.pid for p in self.tree() if p.name == name and p.state != 'Z'), None)

    def await_program(self, count=1):
        return wait_for(lambda: len(self.inside()) >= count, 10)

    def left(self):
        """A zombie of process 1 is only waiting for that to look."""
        return [p for p in host.processes() if (p.key() in self.known or self.tag in p.command and p.pid != self.cli.pid) and
                not (p.state == 'Z' and p.parent == 1)]

    def finish(self):
        """After a test, however it went."""
        for p in self.left():
            with contextlib.suppress(ProcessLookupError):
                os.kill(p.pid, signal.SIGKILL)
        self.cli.kill()
        self.cli.wait()


def wait_for(what, seconds):
    until = time.monotonic() + seconds
    while True:
        value = what()
        if value or time.monotonic() > until:
            return value
        time.sleep(0.01)


def told(processes):
    return ', '.join(f'{p.pid} {p.name} {p.state}' for p in processes[:8])


def keeper_hit(options, h, tap, name, number):
    """Once while the program runs."""
    cell = Cell(options, h, 'limit-spin-everywhere', '60')
    title = f'life: {signal.Signals(number).name} to {name}: the cell ends'
    try:
        if not cell.await_program(4):
            tap.line(False, title, 'the cell did not start')
            return
        cell.tree()
        time.sleep(random.random() / 30)
        pid = cell.keeper(name)
        if pid is None:
            tap.line(False, title, f'no {name} in {told(cell.tree())}')
            return
        os.kill(pid, number)
        if number == signal.SIGSTOP:
            # who was stopped cannot go by himself, but what he kept goes, and he does once he may
            ended = wait_for(lambda: all(p.pid == pid or p.state == 'Z' or p.name == 'ambit-superviso' for p in cell.left()),
                             STOPPED_S)
            tap.line(bool(ended), title, '' if ended else f'left after {STOPPED_S} s: {told(cell.left())}')
            title += ', and when it goes on nothing stays'
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        gone = wait_for(lambda: not cell.left() and cell.cli.poll() is not None, PATIENCE_S)
        tap.line(bool(gone), title, '' if gone else f'left after {PATIENCE_S} s: {told(cell.left())}')
    finally:
        cell.finish()


def keepers_left_alone(options, h, tap):
    """The twin of keeper_hit: a cell of which nobody is hit goes on, and is seen to."""
    cell = Cell(options, h, 'limit-spin-everywhere', '60')
    try:
        cell.await_program(4)
        cell.tree()
        gone = wait_for(lambda: not cell.left(), 2)
        tap.line(not gone and cell.cli.poll() is None, 'life: a cell that is left alone goes on')
    finally:
        cell.finish()


def random_moments(options, h, tap, name, early):
    """Killed at any moment: while the cell is built (early), or while it runs and ends."""
    title = f'life: {name} killed at {MOMENTS} random moments {"of the start" if early else "of the run"}: nothing stays'
    left = []
    for _ in range(MOMENTS):
        cell = Cell(options, h, 'limit-spin-everywhere', '60')
        try:
            if early:
                time.sleep(random.random() * 0.03)
            else:
                cell.await_program()
                time.sleep(random.random() * 0.02)
            cell.tree()
            pid = cell.keeper(name)
            if pid is None:  # it is not there yet: the one above it is
                pid = cell.cli.pid
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            if not wait_for(lambda: not cell.left() and cell.cli.poll() is not None, PATIENCE_S):
                left.append(told(cell.left()) or 'the command itself')
        finally:
            cell.finish()
    tap.line(not left, title, '' if not left else f'left: {left[:4]}')


def reader_goes(options, h, tap):
    cell = Cell(options, h, 'limit-output', '100000', stdout=subprocess.PIPE)
    try:
        cell.cli.stdout.read(4096)
        cell.tree()
        cell.cli.stdout.close()
        gone = wait_for(lambda: cell.cli.poll() is not None and not cell.left(), PATIENCE_S)
        tap.line(bool(gone), 'life: endless output ends when nobody reads it any more', '' if gone else told(cell.left()))
    finally:
        cell.finish()


def who_they_are(options, h, tap):
    """From outside: ids, capabilities, filters of everything in a cell."""
    cell = Cell(options, h, 'limit-sleep', '30')
    try:
        cell.await_program()
        inside = [p for p in cell.tree() if len(p.status('NSpid')) > 1]
        program = cell.inside()
        own = str(os.getuid())
        root = own == '0'
        tap.line(len(inside) >= 2 and bool(program), 'life: the warden and the program are seen from outside', told(inside))
        wrong = [f'{p.name} {p.status("Uid")}' for p in inside if '0' in p.status('Uid') or '0' in p.status('Gid')]
        tap.line(not wrong, 'life: nothing in a cell is root of the host', ', '.join(wrong))
        if not root:
            wrong = [f'{p.name} {p.status("Uid")}' for p in inside if set(p.status('Uid')) != {own}]
            tap.line(not wrong, 'life: everything in a cell has its caller\'s uid', ', '.join(wrong))
        caps = [p.status(f)[0] for p in program for f in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb')]
        tap.line(bool(caps) and set(caps) == {'0' * 16}, 'life: the program has no capability and can get none', str(caps))
        state = [(p.status('NoNewPrivs'), p.status('Seccomp')) for p in inside]
        tap.line(bool(state) and all(s == (['1'], ['2']) for s in state),
                 'life: everything in a cell has no_new_privs and a filter', str(state))
        me = host.Process(os.getpid())
        tap.line(me.status('CapBnd') != ['0' * 16] and me.status('Seccomp') != ['2'] and (not root or '0' in me.status('Uid')),
                 'life: outside it is otherwise (the twin)')
        groups = [p.status('Groups') for p in program]
        if root:
            tap.line(groups == [[]], 'life: root\'s groups stay outside', str(groups))
    finally:
        cell.finish()


def plain(options, h, *more):
    return [options.ambit, 'run', *shlex.split(options.extra), '--quiet', '--write', h.at('rw'), *more]


def leftovers_are_seen(options, h, tap, libexec):
    """The twin of every comparison: each kind of thing, left behind on purpose, is noticed."""
    before = host.snapshot(libexec)
    directory = tempfile.mkdtemp(prefix='ambit-left-')
    objects = host.Server([h.probe, 'serve-sysv', 'x', '0x4c000000'])
    # a copy, so that it counts as a program of ours
    program = os.path.join(directory, 'probe')
    shutil.copy(h.probe, program)
    process = host.Server([program, 'serve-victim', 'x'])
    wanted = {'file', 'ipc', 'process'}
    cgroup = None
    for parent in ('/sys/fs/cgroup/memory', '/sys/fs/cgroup'):
        cgroup = os.path.join(parent, 'ambit-left')
        try:
            os.mkdir(cgroup)
            break
        except OSError:
            cgroup = None
    seen = host.snapshot(libexec) | host.snapshot(directory)
    kinds = {t[0] for t in seen - before}
    cgroup_seen = cgroup is None or ('file', cgroup) in seen
    process.stop()
    objects.stop()
    shutil.rmtree(directory)
    if cgroup:
        os.rmdir(cgroup)
    left = host.settled(libexec, before, 2)
    tap.line(wanted <= kinds and cgroup_seen, 'life: what is left behind is noticed (the twin)', str(kinds))
    tap.line(not left, 'life: and when it is gone the host is as before', str(sorted(left)[:4]))


def many(options, h, tap, libexec):
    before = host.snapshot(libexec)
    statuses = [subprocess.run(plain(options, h, '--', '/bin/true'), cwd=h.at('rw'), stdin=subprocess.DEVNULL,
                               capture_output=True, check=False).returncode for _ in range(IN_A_ROW)]
    left = host.settled(libexec, before)
    tap.line(set(statuses) == {0} and not left, f'life: {IN_A_ROW} events in a row leave the host as it was',
             f'statuses {set(statuses)}, left {sorted(left)[:4]}')
    kinds = ([['--', '/bin/true'], 0], [['--', h.probe, 'limit-output', '1'], 0],
             [['--limit', 'wall=300ms', '--', h.probe, 'limit-spin', '9'], 124],
             [['--', h.probe, 'limit-processes', '50'], 0],
             [['--', h.probe, 'daemon', h.at('rw/never'), 'x'], 0],
             [['--limit', 'memory=64M', '--', h.probe, 'limit-memory', '400'], None],
             [['--', '/nonexistent/program'], 127], [['--observe', 'off', '--', '/bin/true'], 0])
    running = [(kinds[i % len(kinds)], subprocess.Popen(plain(options, h, *kinds[i % len(kinds)][0]), cwd=h.at('rw'),
                                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                                        stderr=subprocess.DEVNULL)) for i in range(AT_ONCE)]
    wrong = []
    for (args, status), process in running:
        got = process.wait(120)
        if status is not None and got != status or status is None and got == 0:
            wrong.append(f'{" ".join(args)}: {got}')
    left = host.settled(libexec, before)
    tap.line(not wrong, f'life: {AT_ONCE} events at once end as each alone', '; '.join(wrong[:4]))
    tap.line(not left, f'life: {AT_ONCE} events at once leave the host as it was', str(sorted(left)[:4]))


def short_on_terminal(options, h, tap):
    """What a program wrote before it ended is seen, however short it was."""
    lost = sum(b'REFUSED' not in host.run(plain(options, h, '--', h.probe, 'inherit-socket'), terminal='streams',
                                          cwd=h.at('rw')).out for _ in range(2 * IN_A_ROW))
    tap.line(lost == 0, f'life: {2 * IN_A_ROW} short programs on a terminal are heard', f'{lost} were not')


def run(options, h, tap):
    random.seed(os.environ.get('AMBIT_SEED') or None)
    libexec = os.path.dirname(options.ambit)
    before = host.snapshot(libexec)
    leftovers_are_seen(options, h, tap, libexec)
    who_they_are(options, h, tap)
    keepers_left_alone(options, h, tap)
    for name in KEEPERS:
        keeper_hit(options, h, tap, name, signal.SIGKILL)
        random_moments(options, h, tap, name, early=True)
        random_moments(options, h, tap, name, early=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        keeper_hit(options, h, tap, 'ambit', number)
    for name in KEEPERS[1:]:
        keeper_hit(options, h, tap, name, signal.SIGSTOP)
    reader_goes(options, h, tap)
    short_on_terminal(options, h, tap)
    many(options, h, tap, libexec)
    left = host.settled(libexec, before, patience=30)  # the ledger's process ends ten seconds after the last event
    tap.line(not left, 'life: after all of it the host is as it was', str(sorted(left)[:6]))
