#!/usr/bin/python3
"""Events of a session whose cell, and whose interpreter, wait for them, beside bare processes and what else puts code into a box.

    warm.py AMBIT [ROUNDS [SECONDS [PACKAGE]]]

Run it as an ordinary user, with TMPDIR on a tmpfs where the disk is slow at removing files. PACKAGE is packages/python/src. First one of each in turn, with a pause in
which the next cell is made: medians in milliseconds, from the request to the result through the Python client. Then as many as go in SECONDS by two at once, each
with a session of its own: events a second, and how their times lie. Then the same with nothing ready, and what a cell that waits costs the processors.

Peers are tried where they are found in PATH: bwrap, runc, runsc, srt; and where WARM_PEERS names a directory in which npm installed them: srt, isolated-vm. Which are missing,
or do not run here, is said."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
import time

from served import Daemon, middle, percentile, timed
from work import figure

HERE = os.path.dirname(os.path.abspath(__file__))
CLEAN = {'PATH': '/usr/local/bin:/usr/bin:/bin', 'LANG': 'C.UTF-8'}
PYTHON = shutil.which('python3', path='/usr/bin:/bin') or 'python3'
NODE = shutil.which('node', path=CLEAN['PATH'])
PAUSE = 0.06
BARE = {'python': [PYTHON, '-c', 'print(1)'], 'node': [NODE, '-e', '1'], 'command': ['/bin/true']}
CODE = {'python': 'print(1)', 'node': '1', 'shell': 'echo 1'}


def bare(argv):
    """As cheap as a process can be had from here, and what it wrote is read."""
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=CLEAN) as process:
        process.stdout.read()


def bundle(top, argv):
    """One for runc by an ordinary user: namespaces as bubblewrap makes them, the system read only, no terminal."""
    root = os.path.join(top, 'rootfs')
    os.makedirs(os.path.join(root, 'usr'))
    mounts = [{'destination': '/proc', 'type': 'proc', 'source': 'proc'}, {'destination': '/dev', 'type': 'tmpfs', 'source': 'tmpfs', 'options': ['nosuid', 'mode=755']},
              {'destination': '/tmp', 'type': 'tmpfs', 'source': 'tmpfs', 'options': ['nosuid', 'nodev']}]
    for name in ('usr', 'etc', 'bin', 'sbin', 'lib', 'lib64'):
        if os.path.islink(f'/{name}'):
            os.symlink(os.readlink(f'/{name}'), os.path.join(root, name))
        elif os.path.isdir(f'/{name}'):
            mounts.append({'destination': f'/{name}', 'type': 'none', 'source': f'/{name}', 'options': ['rbind', 'ro']})
    mapped = lambda number: [{'containerID': 0, 'hostID': number, 'size': 1}]  # it wants a root
    config = {'ociVersion': '1.0.2', 'root': {'path': 'rootfs', 'readonly': True}, 'mounts': mounts,
              'process': {'terminal': False, 'user': {'uid': 0, 'gid': 0}, 'args': argv, 'env': [f'{k}={v}' for k, v in CLEAN.items()], 'cwd': '/',
                          'noNewPrivileges': True},
              'linux': {'uidMappings': mapped(os.getuid()), 'gidMappings': mapped(os.getgid()),
                        'namespaces': [{'type': kind} for kind in ('pid', 'ipc', 'uts', 'mount', 'user', 'network')]}}
    with open(os.path.join(top, 'config.json'), 'w', encoding='utf-8') as f:
        json.dump(config, f)
    return ['runc', '--root', os.path.join(top, 'state'), 'run', '--bundle', top, f'warm-{os.getpid()}-{os.path.basename(top)}']


def works(name, argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors='replace', env=CLEAN, check=False)
    if done.returncode != 0:
        print(f'{name}: does not run here: {" ".join(done.stderr.split())[-200:]}')
    return done.returncode == 0


def peers(top):
    """{name: argv}"""
    found, near = {}, os.environ.get('WARM_PEERS') and os.path.abspath(os.environ['WARM_PEERS'])
    srt = shutil.which('srt') or shutil.which('srt', path=os.path.join(near or '', 'node_modules', '.bin'))
    for program in ('bwrap', 'runc', 'runsc'):
        if not shutil.which(program):
            print(f'{program}: not installed')
    if not srt:
        print('srt: not installed')
    for kind in ('python', 'node', 'command'):
        if BARE[kind][0] is None:
            continue
        if shutil.which('bwrap'):
            found[f'{kind}, bubblewrap'] = ['bwrap', '--unshare-all', '--die-with-parent', '--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp',
                                            *BARE[kind]]
        if shutil.which('runc'):
            found[f'{kind}, runc'] = bundle(os.path.join(top, f'bundle-{kind}'), BARE[kind])
        if shutil.which('runsc'):
            found[f'{kind}, gVisor do'] = ['runsc', '--rootless', '--network=none', 'do', *BARE[kind]]
        if srt:
            found[f'{kind}, srt'] = [srt, '-c', shlex.join(BARE[kind])]
    vm = os.path.join(near, 'node_modules', 'isolated-vm') if near else 'isolated-vm'
    if NODE and subprocess.run([NODE, '-e', f'require({json.dumps(vm)})'], capture_output=True, check=False).returncode == 0:
        found['node, isolated-vm in a new process'] = [NODE, '-e', f'const i = require({json.dumps(vm)}); new i.Isolate().createContextSync().evalSync("1")']
    else:
        print('isolated-vm: not installed, or not for this Node')
    return {name: argv for name, argv in found.items() if works(name, argv)}


def busy():
    """Seconds that processors were busy since the machine started."""
    with open('/proc/stat', encoding='ascii') as f:
        user, nice, system, _, _, irq, soft = map(int, f.readline().split()[1:8])
    return (user + nice + system + irq + soft) / os.sysconf('SC_CLK_TCK')


def one_by_one(contestants, rounds):
    names, took = list(contestants), {name: [] for name in contestants}
    for n in range(rounds + 1):
        for i in range(len(names)):
            name = names[(n + i) % len(names)]
            time.sleep(PAUSE)
            one = timed(contestants[name])
            if n > 0:  # the first of each is warming up
                took[name].append(one)
    return took


def at_once(jobs, seconds):
    """Times in milliseconds of all, and how many a second."""
    times, ends = [[] for _ in jobs], time.monotonic() + seconds

    def work(job, into):
        while time.monotonic() < ends:
            into.append(timed(job))

    threads = [threading.Thread(target=work, args=(job, into)) for job, into in zip(jobs, times)]
    began, used = time.monotonic(), busy()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lasted = time.monotonic() - began
    every = [one for into in times for one in into]
    return every, len(every) / lasted, (busy() - used) / max(1, len(every))


def tell_rate(name, found):
    every, rate, cost = found
    print(f'{rate:8.1f}/s  median {middle(every):7.2f}, 99 of 100 below {percentile(every, 99):7.2f} ms ({percentile(every, 99) / middle(every):.1f}x), '
          f'{cost * 1000:6.2f} ms of a processor each  {name}')
    return rate


def main():
    if len(sys.argv) < 2:
        sys.exit('usage: warm.py AMBIT [ROUNDS [SECONDS [PACKAGE]]]')
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 5
    package = os.path.abspath(sys.argv[4]) if len(sys.argv) > 4 else os.path.join(HERE, '..', 'packages', 'python', 'src')
    with Daemon(sys.argv[1]) as daemon:
        os.environ.update({**daemon.environment, 'AMBIT_PROGRAM': daemon.ambit})
        sys.path.insert(0, package)
        import ambit  # pylint: disable=import-outside-toplevel

        def session(**more):
            work = os.path.join(daemon.top, f'tree-{session.n}')
            session.n += 1
            os.mkdir(work)
            return ambit.Client().new(workspace=work, grants=['work .'], **more)

        session.n = 0
        kinds = [kind for kind in ('python', 'node', 'shell') if kind != 'node' or NODE]
        # one session for each kind: what has a bound over the session gets nothing ready
        warm = {kind: session() for kind in [*kinds, 'command']}
        cold = {kind: session(max_wall='1h') for kind in [*kinds, 'command']}

        def job(where, kind):
            return (lambda: where.code(kind, CODE[kind], check=True)) if kind in CODE else (lambda: where.run(['/bin/true'], check=True))

        contestants = {f'{kind}, bare': (lambda argv=argv: bare(argv)) for kind, argv in BARE.items() if argv[0]}
        for kind in [*kinds, 'command']:
            contestants[f'{kind}, warm'] = job(warm[kind], kind)
            contestants[f'{kind}, nothing ready'] = job(cold[kind], kind)
        found = peers(daemon.top)
        os.mkdir(os.path.join(daemon.top, 'empty'))
        os.chdir(os.path.join(daemon.top, 'empty'))  # srt looks through the working directory each time
        for name, argv in found.items():
            contestants[name] = lambda argv=argv: bare(argv)
        took = one_by_one(contestants, rounds)
        for name in sorted(took):
            print(f'{middle(took[name]):8.2f} ms  99 of 100 below {percentile(took[name], 99):8.2f}  {name}')
        for kind in [k for k in ('python', 'node') if k in kinds]:
            figure(f'warm {kind} event, of a bare process', middle(took[f'{kind}, warm']) / middle(took[f'{kind}, bare']), 0.2)
        figure('warm command event, above a bare process, ms', middle(took['command, warm']) - middle(took['command, bare']), 0.3)
        print(f'\nby two at once, {seconds:.0f} s each:')
        for kind in [k for k in ('python', 'node', 'command') if k in [*kinds, 'command']]:
            rates = [tell_rate(f'{kind}, bare', at_once([lambda kind=kind: bare(BARE[kind])] * 2, seconds)),
                     tell_rate(f'{kind}, warm', at_once([job(warm[kind], kind), job(session(), kind)], seconds)),
                     tell_rate(f'{kind}, nothing ready', at_once([job(cold[kind], kind), job(session(max_wall="1h"), kind)], seconds))]
            if kind == 'python':
                figure('bare Python processes a second, of warm events', rates[0] / rates[1], 1.0)


if __name__ == '__main__':
    main()
