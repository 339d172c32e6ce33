#!/usr/bin/env python3
"""The hostile suite, as TAP. Run as root it runs everything once more as an ordinary user.

usage: run.py --ambit AMBIT --probe PROBE --marker SO --dynamic PROGRAM
              [--only REGEX] [--extra 'FLAGS of every cell'] [--part table|life] [--twins] [--ordinary] [--copies PACKAGE]

With --copies (packages/python/src) the attacks run in what copied interpreters become (copied.py), and as an ordinary user alone: root has no copies."""
import argparse
import os
import pwd
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

import host
import life
import table

USER = f'ambit-test-{os.getpid()}'  # the ordinary user that root makes, and takes away again

# What the loader of `ambit` itself, outside, says of a variable that it obeys (a sanitizer's build has a loader).
OUTER_LOADER = re.compile(rb"ERROR: ld\.so: object '[^']*' from LD_PRELOAD cannot be preloaded .*\n")

MAY_SKIP = not os.environ.get('AMBIT_MUST_RUN')


class Tap:
    def __init__(self):
        self.count = self.failed = self.skipped = 0

    def line(self, good, name, note='', skip=None):
        self.count += 1
        self.failed += not good
        self.skipped += bool(good and skip)
        text = f'{"ok" if good else "not ok"} {self.count} - {name}'
        if good and skip:
            text += f' # SKIP {skip}'
        elif skip:
            note = note or skip
        if note:
            text += f'\n# {note}'
        print(text.replace('\0', ''), flush=True)

    def end(self):
        print(f'1..{self.count}')
        print(f'# {self.count - self.failed - self.skipped} passed, {self.failed} failed, {self.skipped} skipped', flush=True)
        return 1 if self.failed else 0


class Suite:
    def __init__(self, options, h, tap):
        self.options, self.h, self.tap = options, h, tap

    # ---- putting a command together ----

    def fill(self, text):
        """Names of things that are made when they are first needed."""
        h = self.h
        if '@VICTIM@' in text or '@ADDRESS@' in text:
            pid, address = h.victim()
            text = text.replace('@VICTIM@', pid).replace('@ADDRESS@', address)
        if re.search('@(KEY|SHM|SEM|MSG)@', text):
            for name, value in zip(('KEY', 'SHM', 'SEM', 'MSG'), h.serve('sysv')):
                text = text.replace(f'@{name}@', value)
        if '@POSIX@' in text:
            h.serve('posix', h.posix_name())
            text = text.replace('@POSIX@', h.posix_name())
        if '@HANDLE@' in text:  # of the file as it is now: a tree that was made anew has other ones
            text = text.replace('@HANDLE@', h.handle(h.at('hidden/file')))
        # what `probe with-key` fills in itself
        return text.replace('@SERIAL@', '@KEY@')

    def bare(self, row):
        return [*row.wrap, *row.prefix, self.h.probe, row.name, *map(self.fill, row.twin_args)]

    def cell(self, row, flags, args):
        if self.options.copies:
            return [shutil.which('python3', path='/usr/bin:/bin') or sys.executable, os.path.join(os.path.dirname(os.path.realpath(__file__)), 'copied.py'), self.options.ambit, self.options.copies, *flags, '--',
                    self.h.probe, row.name, *map(self.fill, args)]
        limits = [] if any('wall=' in f for f in flags) else ['--limit', 'wall=30s']
        return [*row.wrap, self.options.ambit, 'run', *limits, *shlex.split(self.options.extra), *flags, '--',
                self.h.probe, row.name, *map(self.fill, args)]

    # ---- running it ----

    def streams(self, row, stack):
        """Descriptors of the row, as arguments for host.run."""
        how = {'env': {**self.environment(), **({row.how['variable']: self.h.marker} if 'variable' in row.how else {})}}
        for name in ('stdin', 'stderr'):
            given = row.how.get(name)
            if given == 'socket':
                ours, theirs = socket.socketpair()
                stack += [ours.detach(), theirs.detach()]
                how[name] = stack[-1]
            elif given is not None:
                stack.append(os.open(*given))
                how[name] = stack[-1]
        if 'pass' in row.how:
            stack.append(os.open(*row.how['pass']))
            how['pass_fds'] = (stack[-1],)
        if 'terminal' in row.how:
            how['terminal'] = row.how['terminal']
        return how

    def environment(self):
        return {**os.environ, 'AMBIT_HOSTILE_SECRET': self.h.marker}

    def run(self, row, command, phase):
        if row.reset or self.h.dirty:
            self.h.reset()
        self.h.dirty = row.reset
        if row.host:
            self.h.victim()
        command = command()
        before = self.h.guarded() if row.reset and phase == 'attack' else None
        stop = row.during(self.h, phase) if row.during else None
        stack = []
        try:
            result = host.run(command, cwd=self.h.at('rw'), **self.streams(row, stack))
        finally:
            for fd in stack:
                os.close(fd)
            if stop:
                stop()
            if row.host and phase != 'attack':
                self.h.drop_victim()  # whatever was done to it, and even if it has not happened yet
        result.won = row.won(self.h, result) if row.won else result.succeeded()
        result.changed = ''
        if before is not None and row.host is None:
            result.changed = host.first_difference(before, self.h.guarded())
        return result

    # ---- judging it ----

    def wrong_with_attack(self, row, r):
        """What is wrong, or None."""
        if r.won and not row.harmless:
            return f'SUCCEEDED in a cell: {r.tell()}'
        if r.changed:
            return f'changed the host: {r.changed}'
        if self.h.marker.encode() in r.out + OUTER_LOADER.sub(b'', r.err):
            return 'the marker came out of the cell'
        if row.host is not None and row.host(self.h):
            return row.host(self.h)
        if row.status is not None and r.status != row.status:
            return f'should end with {row.status}: {r.tell()}'
        if r.refused() or (row.harmless or row.won is not None) and r.status != 125:
            return None
        if row.limit and (r.status in (1, 124, 125) or r.status > 128) and not r.err.startswith(b'usage'):
            return None
        if row.refusal and r.status == 125:
            return None
        return f'was not tried: {r.tell()}'

    def one(self, topic, row):
        name = f'{topic}: {row.title()}'.replace(self.h.top, 'D').replace('#', '').replace('\n', ' ')
        twin = self.run(row, lambda: self.bare(row), 'twin')
        skip = None
        if not twin.won:
            if row.lacks is None or not row.lacks.explains(twin):
                self.tap.line(False, name, f'the twin did not succeed: {twin.tell()}')
                return
            skip = f'no twin: {row.lacks.text} ({twin.tell()})'
        if self.options.twins:
            self.tap.line(True, name, skip=skip)
            return
        common = ['--read', self.h.at('ro'), '--write', self.h.at('rw')]
        attack = self.run(row, lambda: self.cell(row, common + row.flags, row.args), 'attack')
        wrong = self.wrong_with_attack(row, attack)
        if wrong is None and row.granted is not None:
            granted = self.run(row, lambda: self.cell(row, common + row.granted, row.args), 'granted')
            if not granted.won:
                wrong = f'refused in a cell with {" ".join(row.granted)} too: {granted.tell()}'
        self.tap.line(wrong is None, name, wrong or '', skip)

    def is_for_copies(self, row):
        """What is no matter of how the cell is started. (A variable of the event's own: it is no copy's.)"""
        return not (row.how or row.wrap or row.program or row.status is not None or {'--direct', '--extra', '--env'} & {*row.flags, *(row.granted or [])})

    def table(self):
        names = subprocess.run([self.h.probe, '--list'], check=True, capture_output=True, text=True).stdout.split()
        rows = table.all_rows(self.h, names)
        unused = set(names) - {row.name for _, row in rows}
        if 'exec-other' in unused and not self.h.other_programs:
            unused.remove('exec-other')
            self.tap.line(True, 'exec: exec-other', skip='only root can put a program of another owner there')
        self.tap.line(not unused, 'every probe is in the table', f'not used: {sorted(unused)}' if unused else '')
        seed = int(os.environ.setdefault('AMBIT_SEED', str(random.SystemRandom().randrange(1 << 30))))
        first = (seed + self.options.ordinary) % self.options.every  # the two users take different ones
        if self.options.every > 1:
            print(f'# one row in {self.options.every}: AMBIT_SEED={seed}', flush=True)
        for topic, row in rows[first::self.options.every]:
            if self.options.copies and not (self.options.ordinary and self.is_for_copies(row)):
                continue
            if re.search(self.options.only, f'{topic}: {row.title()}'):
                self.one(topic, row)


# ---- as root: programs that would give privilege, and the run as an ordinary user ----

def make_other_programs(h, directory):
    """Copies of the probe that become somebody else: setuid, setgid, with capabilities."""
    made = []
    os.makedirs(directory, exist_ok=True)
    os.chmod(directory, 0o755)
    for name, mode in (('setuid', 0o4755), ('setgid', 0o2755), ('capable', 0o755)):
        path = os.path.join(directory, name)
        shutil.copy(h.probe, path)
        os.chown(path, 0, 0)
        os.chmod(path, mode)
        if name == 'capable':
            # version 2, effective; CAP_DAC_OVERRIDE and CAP_SYS_PTRACE permitted
            os.setxattr(path, 'security.capability', bytes.fromhex('01000002' '02000800' '00000000' '00000000' '00000000'))
        made.append(path)
    return made


def ordinary_user(tap):
    """The entry of an ordinary user made for this run; None with a line in the report."""
    made = subprocess.run(['useradd', '--create-home', '--shell', '/bin/sh', USER], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        tap.line(MAY_SKIP, 'as an ordinary user', skip=f'cannot make one: {made.stderr.strip()}')
        return None
    return pwd.getpwnam(USER)


def as_user(entry):
    return ['setpriv', '--reuid', str(entry.pw_uid), '--regid', str(entry.pw_gid), '--clear-groups', '--']


def run_as_ordinary(options, h, tap, entry):
    """Everything once more; the lines are taken into our report."""
    here = os.path.dirname(os.path.realpath(__file__))
    code = h.at('code')
    shutil.copytree(here, code, ignore=shutil.ignore_patterns('*.c', '*.h', '__pycache__'))
    subprocess.run(['chmod', '-R', 'a+rX', code], check=True)
    reachable = subprocess.run([*as_user(entry), options.ambit, '--help'], capture_output=True, check=False)
    if reachable.returncode != 0 and not options.twins:
        tap.line(MAY_SKIP, 'as an ordinary user', skip=f'{options.ambit} is out of reach for other users')
        return
    command = [*as_user(entry), sys.executable, os.path.join(code, 'run.py'), '--ambit', options.ambit, '--probe', h.probe,
               '--marker', h.marker_so, '--dynamic', h.dynamic, '--only', options.only, '--part', options.part,
               '--extra=' + options.extra, '--every', str(options.every), '--ordinary', '--others', ':'.join(h.other_programs)]
    if options.twins:
        command.append('--twins')
    if options.copies:
        package = h.at('package')
        shutil.copytree(options.copies, package)
        subprocess.run(['chmod', '-R', 'a+rX', package], check=True)
        command += ['--copies', package]
    env = {'PATH': os.environ['PATH'], 'HOME': entry.pw_dir, 'USER': USER, 'LANG': 'C.UTF-8',
           **{k: v for k, v in os.environ.items() if k.startswith('AMBIT_')}}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env, cwd='/') as child:
        try:
            take_report(child, tap)
        finally:
            child.terminate()
    if child.returncode not in (0, 1):
        tap.line(False, 'as an ordinary user', f'the run ended with {child.returncode}')


def take_report(child, tap):
    for line in child.stdout:
        m = re.match(r'(ok|not ok) \d+ - (.*?)(?: # SKIP (.*))?$', line.rstrip('\n'))
        if m:
            tap.line(m.group(1) == 'ok', f'ordinary user: {m.group(2)}', skip=m.group(3))
        elif not line.startswith('1..'):
            print(line, end='', flush=True)
    child.wait()


def parse():
    p = argparse.ArgumentParser()
    for name in ('ambit', 'probe', 'marker', 'dynamic'):
        p.add_argument('--' + name, required=True, type=os.path.realpath)
    p.add_argument('--only', default='')
    p.add_argument('--every', type=int, default=1, help='one row of so many, as AMBIT_SEED says; all with AMBIT_SOAK')
    p.add_argument('--extra', default=os.environ.get('AMBIT_HOSTILE_EXTRA', ''))
    p.add_argument('--part', choices=('all', 'table', 'life'), default='all')
    p.add_argument('--twins', action='store_true')
    p.add_argument('--ordinary', action='store_true')
    p.add_argument('--others', default='')
    p.add_argument('--copies', default='', type=lambda path: path and os.path.realpath(path))
    options = p.parse_args()
    if os.environ.get('AMBIT_SOAK'):
        options.every = 1
    return options


def tree_place():
    """Away from /tmp where that is possible: there a cell has a writable directory of its own."""
    return '/srv' if os.getuid() == 0 and os.path.isdir('/srv') and os.access('/srv', os.W_OK) else None


def main():
    options, tap = parse(), Tap()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))  # a test that takes too long cleans up, too
    os.umask(0o022)
    state = tempfile.mkdtemp(prefix='ambit-hostile-state-', dir='/var/tmp') if os.getuid() == 0 else None
    runtime = tempfile.mkdtemp(prefix='ambit-hostile-runtime-') if options.copies else None
    if runtime:  # of a daemon for all of them
        os.environ['XDG_RUNTIME_DIR'] = runtime
    if state:  # what is staged is not to lie with a person's; the ordinary user goes with its home
        os.environ['XDG_STATE_HOME'] = state
    h = host.Host(options.probe, options.marker, options.dynamic, tree_place())
    entry = None
    try:
        root = os.getuid() == 0
        if root:
            entry = ordinary_user(tap)
        h.as_ordinary = as_user(entry) if entry else []
        h.other_programs = [p for p in options.others.split(':') if p]
        h.node = None
        if root:
            h.node = h.at('bin', 'null-node')
            os.mknod(h.node, 0o20666, os.makedev(1, 3))
            os.chmod(h.node, 0o666)
            if entry:
                h.other_programs = make_other_programs(h, h.at('other'))
        h.start_network()
        h.start_unix()
        suite = Suite(options, h, tap)
        if options.part in ('all', 'table'):
            suite.table()
        if options.part in ('all', 'life') and not options.twins:
            life.run(options, h, tap)
        if root and entry and not options.ordinary:
            run_as_ordinary(options, h, tap, entry)
    finally:
        h.close()
        if runtime:
            subprocess.run([options.ambit, 'serve', '--stop'], capture_output=True, check=False)
            shutil.rmtree(runtime, ignore_errors=True)
        if state:
            shutil.rmtree(state, ignore_errors=True)
        if entry:
            subprocess.run(['userdel', '--remove', USER], capture_output=True, check=False)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
