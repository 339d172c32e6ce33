#!/usr/bin/env python3
"""In the virtual machine: what holds memory and tasks with control groups of version 2, looked at from outside, as TAP.

usage: limits.py AMBIT BASE NOT_DELEGATED
  BASE           a cgroup that is the caller's, with the controllers enabled for what is in it: as a user's manager has it
  NOT_DELEGATED  a cgroup that the caller may enter and nothing else"""
import contextlib
import json
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import time

AMBIT, BASE, NOT_DELEGATED = sys.argv[1:]
PATIENCE_S = 60
EXACT = {'memory': 'cgroup memory', 'tasks': 'cgroup pids'}
SAMPLED = {'memory': 'sampler', 'tasks': 'user namespace + task limit'}
MIB = 1 << 20

# Ten processes that each have less than the limit, which a single one would meet before (RLIMIT_DATA).
TAKE = '''
import os, time
r, w = os.pipe()
for _ in range(10):
    if os.fork() == 0:
        b = b"x" * (40 << 20)
        os.write(w, b"x")
        time.sleep(60)
        os._exit(0)
for _ in range(10):
    os.read(r, 1)
print("had it", flush=True)
'''
FORK = '''
import os, time
n = 0
try:
    while n < 200:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        n += 1
except BlockingIOError:
    pass
print(n, flush=True)
os.kill(-1, 9)
'''

number = failed = 0
scopes = 0


def check(name, got, want):
    global number, failed
    number += 1
    good = want(got) if callable(want) else got == want
    failed += not good
    print(f'{"ok" if good else "not ok"} {number} - {name}', flush=True)
    if not good:
        print(f'# got {got!r}' + ('' if callable(want) else f', want {want!r}'), flush=True)


def read(*path):
    with open(os.path.join(*path), encoding='utf-8') as f:
        return f.read().strip()


def write(path, text):
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)


def own_cgroup(pid):
    return '/sys/fs/cgroup' + read(f'/proc/{pid}/cgroup').split('::', 1)[1]


def below(cgroup):
    return sorted(entry.name for entry in os.scandir(cgroup) if entry.is_dir())


def members(cgroup):
    return sorted(read('/proc', pid, 'comm') for pid in read(cgroup, 'cgroup.procs').split())


def wait_for(what):
    until = time.monotonic() + PATIENCE_S
    while not (value := what()) and time.monotonic() < until:
        time.sleep(0.02)
    return value


@contextlib.contextmanager
def scope():
    """A cgroup of its own for one command, delegated, as `systemd-run --scope -p Delegate=yes` makes it; taken away after
    it with all that is in it."""
    global scopes
    scopes += 1
    path = f'{BASE}/scope-{scopes}'
    os.mkdir(path)
    try:
        yield path
    finally:
        for directory, _, _ in os.walk(path, topdown=False):
            if not wait_for(lambda: not read(directory, 'cgroup.procs')):  # pylint: disable=cell-var-from-loop
                check(f'nothing runs in {directory} any more', read(directory, 'cgroup.procs'), '')
            os.rmdir(directory)


class Event:
    """`ambit run` in a cgroup, or in the leaf that another one has left there, with its record."""

    def __init__(self, cgroup, *words, **how):
        if os.path.isdir(f'{cgroup}/ambit.leaf'):
            cgroup += '/ambit.leaf'
        self.directory = tempfile.mkdtemp(prefix='ambit-vm-')
        self.path = os.path.join(self.directory, 'record')
        self.process = subprocess.Popen(
            [AMBIT, 'run', '--record', self.path, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, cwd='/', preexec_fn=lambda: write(f'{cgroup}/cgroup.procs', '0'), **how)

    def end(self):
        self.out, self.err = self.process.communicate(timeout=PATIENCE_S)
        self.status = self.process.returncode
        try:
            with open(self.path, encoding='utf-8') as f:
                self.record = json.loads(f.read())
        except (OSError, ValueError) as e:
            self.record = {'wall': {}, 'usage': {}, 'outcome': {'error': f'{e}: {self.err}'}}
        return self

    def wall(self):
        return {name: self.record['wall'].get(name, self.record['outcome']) for name in EXACT}

    def how(self):
        return {name: self.record['usage'].get(name, {}).get('how') for name in EXACT}

    def cell(self, cgroup):
        """The event's own cgroup, once its program is there."""
        def there():
            return [n for n in below(cgroup) if n.startswith('ambit-') and
                    len(read(cgroup, n, 'cgroup.procs').split()) > 1]
        found = wait_for(there)
        return os.path.join(cgroup, found[0]) if found else None


def only_the_leaf(cgroup):
    return [n for n in below(cgroup) if n != 'ambit.leaf']


def exact_where_it_is_delegated():
    with scope() as s:
        e = Event(s, '--', '/bin/true').end()
        check('delegated: the command ends well', (e.status, e.err), (0, ''))
        check('delegated: cgroups hold memory and tasks', e.wall(), EXACT)
        check('delegated: memory is told exactly', e.how()['memory'], 'exact')
        check('delegated: no directory of the event stays', only_the_leaf(s), [])
        check('delegated: the leaf is empty', read(s, 'ambit.leaf/cgroup.procs'), '')


def seen_while_it_runs():
    with scope() as s:
        e = Event(s, '--limit', 'memory=96M,tasks=20', '--', '/bin/sleep', '600')
        cell = e.cell(s)
        check('running: the event has a cgroup', cell, bool)
        if cell:
            inside = ['ambit-warden', 'sleep']
            check('running: warden and program are in it', wait_for(lambda: members(cell) == inside) or members(cell), True)
            got = {name: read(cell, name) for name in ('memory.max', 'pids.max', 'memory.oom.group')}
            check('running: its limits are set', got, {'memory.max': str(96 * MIB), 'pids.max': '21', 'memory.oom.group': '1'})
            check('running: the command line is in the leaf', own_cgroup(e.process.pid), f'{s}/ambit.leaf')
            write(f'{cell}/cgroup.kill', '1')
        e.end()
        check('killed by cgroup.kill: the event ends and says so', (e.status, e.record['outcome'].get('cause')),
              lambda got: got[0] in (125, 137) and got[1] in ('lost', 'killed', 'exit', 'exited', 'signal'))
        check('killed by cgroup.kill: nothing stays', only_the_leaf(s), [])


def memory_is_bounded(name, cgroup, wall):
    e = Event(cgroup, '--limit', 'memory=64M', '--', 'python3', '-c', TAKE).end()
    outcome = e.record['outcome']
    check(f'{name}: too much memory ends the event', (outcome.get('cause'), outcome.get('limit'), e.status, e.out + e.err),
          lambda got: got[:3] == ('limit', 'memory', 125) and 'had it' not in got[3])
    check(f'{name}: by what the record says', e.wall(), wall)
    check(f'{name}: the peak is told so', e.how()['memory'], 'exact' if wall is EXACT else 'sampled')
    if wall is EXACT:
        check(f'{name}: the peak is the limit at most', e.record['usage'].get('memory', {}).get('peak_bytes'),
              lambda got: got is not None and 32 * MIB < got <= 64 * MIB)
    e = Event(cgroup, '--limit', 'memory=1G', '--', 'python3', '-c', TAKE).end()
    check(f'{name}: the same with a higher limit goes well (the twin)', (e.status, e.out, e.err), (0, 'had it\n', ''))


def tasks_are_bounded(name, cgroup, wall):
    e = Event(cgroup, '--limit', 'tasks=20', '--', 'python3', '-c', FORK).end()
    check(f'{name}: forks beyond the limit are refused', (e.out, e.err), ('19\n', ''))
    check(f'{name}: by what the record says', e.wall(), wall)
    e = Event(cgroup, '--limit', 'tasks=64', '--', 'python3', '-c', FORK).end()
    check(f'{name}: a higher limit gives more (the twin)', (e.out, e.err), ('63\n', ''))


def policy_file():
    """A policy is read in a cell, so there are two events, one after the other."""
    with scope() as s, tempfile.TemporaryDirectory(prefix='ambit-vm-') as d:
        write(f'{d}/p.yaml', 'version: 1\ngrants: []\n')
        e = Event(s, '--policy', f'{d}/p.yaml', '--', '/bin/true').end()
        check('policy file: cgroups hold memory and tasks', (e.wall(), e.status), (EXACT, 0))
        check('policy file: no directory of an event stays', only_the_leaf(s), [])


def terminal():
    """A relay stands between the cell's terminal and the person's."""
    with scope() as s, tempfile.TemporaryDirectory(prefix='ambit-vm-') as d:
        pid, master = pty.fork()
        if pid == 0:
            write(f'{s}/cgroup.procs', '0')
            os.execv(AMBIT, [AMBIT, 'run', '--record', f'{d}/record', '--', '/bin/sh', '-c', 'test -t 1 && echo terminal'])
        said = b''
        with contextlib.suppress(OSError):
            while select.select([master], [], [], PATIENCE_S)[0] and (more := os.read(master, 4096)):
                said += more
        os.close(master)
        status = os.waitpid(pid, 0)[1]
        record = json.loads(read(d, 'record'))
        check('terminal: it is one, and cgroups hold memory and tasks',
              (status, b'terminal' in said, {n: record['wall'][n] for n in EXACT}), (0, True, EXACT))


def again_and_after_a_death():
    """From the leaf, where a command that was started by another Ambit finds itself."""
    with scope() as s:
        e = Event(s, '--', '/bin/sleep', '600')
        cell = e.cell(s)
        supervisor = int(os.path.basename(cell).split('-')[1]) if cell else None
        check('killed supervisor: it was there', supervisor, bool)
        if supervisor:
            os.kill(supervisor, signal.SIGKILL)
            e.end()
            check('killed supervisor: the cell ends', wait_for(lambda: not read(cell, 'cgroup.procs')), True)
            check('killed supervisor: its cgroup stays (the twin)', only_the_leaf(s), [os.path.basename(cell)])
        e = Event(s, '--', '/bin/true').end()
        check('from the leaf: cgroups hold memory and tasks', e.wall(), EXACT)
        check('from the leaf: what the dead left was swept', only_the_leaf(s), [])
        trace = subprocess.run(['strace', '-f', '-e', 'trace=clone3,openat', AMBIT, 'run', '--', '/bin/true'], cwd='/',
                               text=True, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, check=False,
                               preexec_fn=lambda: write(f'{s}/ambit.leaf/cgroup.procs', '0')).stderr
        check('from the leaf: the cell is born in its cgroup', 'CLONE_INTO_CGROUP' in trace, True)
        check('from the leaf: nothing is moved', 'cgroup.procs' in trace, False)
        two = [Event(s, '--', '/bin/sleep', '1') for _ in range(4)]
        check('from the leaf: four at once are all held so', [e.end().wall() for e in two], [EXACT] * 4)
        check('from the leaf: nothing of them stays', wait_for(lambda: not only_the_leaf(s)), True)


def not_delegated():
    if os.getuid() == 0:
        return
    e = Event(NOT_DELEGATED, '--', '/bin/true').end()
    check('not delegated: the command ends well', (e.status, e.err), (0, ''))
    check('not delegated: the sampler and rlimits stand in', e.wall(), SAMPLED)
    check('not delegated: the record says sampled', e.how()['memory'], 'sampled')
    check('not delegated: nothing was made', below(NOT_DELEGATED), [])
    memory_is_bounded('not delegated', NOT_DELEGATED, SAMPLED)
    tasks_are_bounded('not delegated', NOT_DELEGATED, SAMPLED)


def with_others():
    """Processes that are not Ambit's are not moved, so no controller can be enabled."""
    with scope() as s:
        other = subprocess.Popen(['sleep', '600'], preexec_fn=lambda: write(f'{s}/cgroup.procs', '0'))
        wait_for(lambda: read(s, 'cgroup.procs'))
        e = Event(s, '--', '/bin/true').end()
        check('with another process: the sampler stands in', (e.wall(), e.status), (SAMPLED, 0))
        check('with another process: it was not moved', own_cgroup(other.pid), s)
        check('with another process: nothing was made', below(s), [])
        other.kill()
        other.wait()


def main():
    exact_where_it_is_delegated()
    seen_while_it_runs()
    with scope() as s:
        memory_is_bounded('delegated', s, EXACT)
        check('delegated: nothing stays after a kill', only_the_leaf(s), [])
    with scope() as s:
        tasks_are_bounded('delegated', s, EXACT)
    policy_file()
    terminal()
    again_and_after_a_death()
    with_others()
    not_delegated()
    print(f'1..{number}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
