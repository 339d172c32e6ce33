#!/usr/bin/env python3
"""In the virtual machine: runs the tests of a build as root and as an ordinary user, in the control groups that systemd
would give them, as TAP: one line for each test, with the counts of what it said; what failed follows.

usage: inside.py TOP BUILD SCALE [NAME ...]    names of tests, by prefix; default: all; table:REGEX takes rows of the
       table, staged:WORD scenarios
       inside.py --list"""
import json
import os
import re
import shutil
import subprocess
import sys
import time

HIERARCHY = '/sys/fs/cgroup'
USER = 'ambit-vm'

# Those that ask the kernel for something; the others would say here what they say anywhere.
UNITS = 'unit/(cgroup|fence|filter-live|policy-role|proctext|mask|mask-overlay|promise|promise-judge|resolve|stage-.*|terminal|trust)'

# Name, the build's test that it is (None: cgroup.py's part), and where it runs: "top" is the cgroup at the top of the
# hierarchy, which may have processes and limited children at once (so root's limits are exact there); "session" is one
# like a login's, with other processes, not delegated; "delegated" is the same beneath a user's own.
TESTS = [
    ('doctor/root', 'doctor', 'root', 'top'),
    ('doctor/user', 'doctor', 'user', 'session'),
    ('limits/root', 'limits', 'root', 'session'),
    ('limits/user', 'limits', 'user', 'session'),
    ('unit/root', UNITS, 'root', 'session'),
    ('unit/user', UNITS, 'user', 'session'),
    ('bounds/top', 'integration/bounds', 'root', 'top'),
    ('bounds/root', 'integration/bounds', 'root', 'session'),
    ('bounds/user', 'integration/bounds', 'user', 'session'),
    ('bounds/delegated', 'integration/bounds', 'user', 'delegated'),
    ('outside/root', 'integration/outside', 'root', 'top'),
    ('outside/user', 'integration/outside', 'user', 'session'),
    ('relay/user', 'integration/relay-pty', 'user', 'session'),
    ('demo/user', 'integration/demo', 'user', 'session'),
    ('staged', 'integration/staged', 'root', 'top'),  # these run a second time as an ordinary user by themselves
    ('staged-hostile', 'integration/staged-hostile', 'root', 'top'),
    ('filesystems', 'integration/filesystems', 'root', 'top'),
    ('identity', 'integration/identity', 'root', 'top'),
    ('work', 'integration/work', 'root', 'top'),
    ('life', 'hostile/life', 'root', 'top'),
    ('table', 'hostile/table', 'root', 'top'),
]


def write(path, text):
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)


def make_host():
    """An ordinary user, and the cgroups of a host that runs systemd: where services and scopes of root's are, a login's
    session, and the part that a user's manager has, with a session that is not delegated beside it."""
    subprocess.run(['useradd', '--create-home', '--shell', '/bin/bash', USER], check=True)
    write(f'{HIERARCHY}/cgroup.subtree_control', '+memory +pids +cpu')
    for name in ('session', 'system', 'user', 'user/session', 'user/manager', 'user/manager/shell'):
        os.mkdir(f'{HIERARCHY}/{name}')
        if name in ('system', 'user', 'user/manager'):
            write(f'{HIERARCHY}/{name}/cgroup.subtree_control', '+memory +pids')
    # cgroups(7), delegation: these files and no other
    for name in ('manager', 'manager/shell'):
        for file in ('', 'cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads'):
            shutil.chown(f'{HIERARCHY}/user/{name}/{file}', USER)
    shutil.chown(f'{HIERARCHY}/user/session/cgroup.procs', USER)
    # whoever moves a process needs this of the cgroup above both; a login has root to do it
    shutil.chown(f'{HIERARCHY}/user/cgroup.procs', USER)
    for name in ('session', 'user/session', 'user/manager/shell'):  # the shell that a person sits at
        shell = subprocess.Popen(['sleep', 'infinity'])  # pylint: disable=consider-using-with
        write(f'{HIERARCHY}/{name}/cgroup.procs', str(shell.pid))


# "top" may have processes and limited children at once, so root's limits are exact there; a "session" has other processes.
CGROUPS = {('root', 'top'): '', ('user', 'top'): '', ('root', 'session'): '/session', ('user', 'session'): '/user/session',
           ('user', 'delegated'): '/user/manager/shell'}


class Inside:
    def __init__(self, top, build, scale):
        self.top, self.build, self.scale = top, build, int(scale)
        self.number = self.failed = 0
        with open(f'{build}/meson-info/intro-tests.json', encoding='utf-8') as f:
            self.tests = json.load(f)
        for test in self.tests:  # the host's may be from elsewhere
            if re.search(r'/python3?$', test['cmd'][0]):
                test['cmd'][0] = '/usr/bin/python3'

    def command(self, command, user, place):
        def enter():
            write(f'{HIERARCHY}{CGROUPS[user, place]}/cgroup.procs', '0')

        home = f'/home/{USER}' if user == 'user' else '/root'
        as_user = ['setpriv', '--reuid', USER, '--regid', USER, '--init-groups', '--'] if user == 'user' else []
        env = {'PATH': os.environ['PATH'], 'HOME': home, 'USER': USER if user == 'user' else 'root', 'LANG': 'C.UTF-8'}
        return as_user + command, {'preexec_fn': enter, 'env': env}

    def run(self, name, command, user, place, how, timeout):
        """The exit status, and all that was said, also in a file of its own."""
        words, more = self.command(command, user, place)
        log = f'{self.top}/.vm/logs/{name.replace("/", "-")}.txt'
        with open(log, 'ab') as f:
            try:
                status = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=f, stderr=f, check=False,
                                        timeout=timeout * self.scale, start_new_session=True, **how, **more).returncode
            except subprocess.TimeoutExpired:
                status = 'time is over'
        with open(log, encoding='utf-8', errors='replace') as f:
            return status, f.read()

    def tell(self, name, status, said, seconds):
        lines = said.splitlines()
        failed = [i for i, line in enumerate(lines) if re.match(r'not ok(?!.*# TODO)|\[  ERROR   \]', line)]
        passed = sum(bool(re.match(r'ok (?!.*# SKIP)|\[       OK \]', line)) for line in lines)
        skipped = len({line for line in lines if re.match(r'ok .*# SKIP|\[  SKIPPED \] \w+$', line)})  # cmocka lists them again
        known = sum(bool(re.match(r'not ok.*# TODO', line)) for line in lines)
        good = status == 0 and not failed
        self.number += 1
        self.failed += not good
        print(f'{"ok" if good else "not ok"} {self.number} - {name}: {passed} passed, {len(failed)} failed, '
              f'{skipped} skipped, {known} known, {seconds:.0f} s', flush=True)
        if good:
            return
        print(f'# status {status}')
        shown = sorted(failed + [i for i, line in enumerate(lines) if line.startswith('ERROR: ')]) or [max(0, len(lines) - 25)]
        for i in shown[:60]:
            for line in lines[max(0, i - 2):i + 3] if failed else lines[i:]:
                print(f'# {line[:400]}')
        sys.stdout.flush()

    def builds(self, name, pattern, user, place, more, only):
        for test in self.tests:
            if re.fullmatch(pattern, test['name']) and 'soak' not in test['suite'][0]:
                begin = time.monotonic()
                env = {k: v for k, v in test['env'].items() if k.startswith('AMBIT')} | only | {'AMBIT_TEST_SLOW': self.scale}
                command = ['env', *(f'{k}={v}' for k, v in env.items()), *test['cmd'], *more]
                label = name if pattern == test['name'] else f'{name}/{test["name"].split("/")[1]}'
                status, said = self.run(label, command, user, place, {'cwd': test['workdir'] or self.build},
                                        min(test['timeout'], 900))
                self.tell(label, status, said, time.monotonic() - begin)

    def all(self, names):
        for name, what, user, place in TESTS:
            wanted = [n for n in names if (name == n.split(':')[0] if ':' in n else name.startswith(n))]
            if names and not wanted:
                continue
            if what == 'doctor':
                self.doctor(name, user, place)
            elif what == 'limits':
                self.limits(name, user)
            else:
                parts = [n.split(':', 1)[1] for n in wanted if ':' in n] or [None]
                for part in parts:
                    more = ['--only', part] if part and name == 'table' else []
                    only = {'AMBIT_TEST_ONLY': part} if part and name != 'table' else {}
                    self.builds(name, what, user, place, more, only)
        print(f'1..{self.number}', flush=True)
        return 1 if self.failed else 0

    def doctor(self, name, user, place):
        begin = time.monotonic()
        status, said = self.run(name, [f'{self.build}/ambit', 'doctor', '--json'], user, place, {'cwd': '/'}, 30)
        self.tell(name, status, said, time.monotonic() - begin)
        try:
            for line in json.loads(said):
                print(f'#   {line["part"]} {line["found"]:4} {line["name"]}: {line["text"]}')
        except ValueError:
            pass

    def limits(self, name, user):
        begin = time.monotonic()
        command = [sys.executable, f'{self.top}/tests/vm/limits.py', f'{self.build}/ambit',
                   f'{HIERARCHY}/user/manager' if user == 'user' else f'{HIERARCHY}/system', f'{HIERARCHY}/user/session']
        status, said = self.run(name, command, user, 'delegated' if user == 'user' else 'top', {'cwd': '/'}, 120)
        self.tell(name, status, said, time.monotonic() - begin)


def main():
    if sys.argv[1:] == ['--list']:
        print('\n'.join(name for name, *_ in TESTS))
        return 0
    top, build, scale, *names = sys.argv[1:]
    print(f'# Linux {os.uname().release}', flush=True)
    make_host()
    return Inside(top, build, scale).all(names)


if __name__ == '__main__':
    sys.exit(main())
