#!/usr/bin/python3
"""Work bare, in place (--direct) and staged, in turns, and what a commit costs.

    staged.py AMBIT SOURCES [ROUNDS [KIND...]]

A KIND is one of those that are printed, or `commit`; without any, all of them.

Every command runs inside of a shell that tells when it began and when it was done, so that of a whole `ambit run` three parts
are known: the start until the program runs, the work, and the end with the commit. The ratio of the work is what staging
slows down inside; start and end are told in milliseconds. A commit is compared with renaming as many files and one sync of
their file system, which is the least that could bring them in durably, and with `cp -a` of the tree.

Trees are made in a directory of TMPDIR, and are the same in every run."""
import ctypes
import functools
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

from work import PR_SET_CHILD_SUBREAPER, c_project, cleaned, figure

LEVELS = [('bare', None), ('direct', ['--direct']), ('staged', [])]
TELL = 'echo $EPOCHREALTIME >&2; "$@"; r=$?; echo $EPOCHREALTIME >&2; exit $r'
REPOSITORY_DIRS, REPOSITORY_FILES = 1000, 20  # files of each directory
COMMITS = (100, 10000)
TARGET_INSIDE, TARGET_COMMIT, TARGET_DELETE = 1.05, 2.0, 4.0
LIBC = ctypes.CDLL(None, use_errno=True)


def syncfs(at):
    fd = os.open(at, os.O_RDONLY)
    try:
        if LIBC.syncfs(fd) != 0:
            raise OSError(ctypes.get_errno(), 'syncfs')
    finally:
        os.close(fd)


def reap():
    """What was left to us ends before the next begins: ({name of the process: its most memory in KiB}, seconds of
    processors)."""
    most, spent = {}, 0.0
    while True:
        try:
            left = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            return most, spent
        name = pathlib.Path(f'/proc/{left.si_pid}/comm').read_text().strip()
        used = os.wait4(left.si_pid, 0)[2]
        most[name] = max(most.get(name, 0), used.ru_maxrss)
        spent += used.ru_utime + used.ru_stime


def run(command, cwd):
    """({start, work, end, whole, cpu} in seconds, {process: KiB})"""
    log = tempfile.TemporaryFile()
    begun = time.time()
    child = subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
    _, status, used = os.wait4(child.pid, 0)
    gone = time.time()
    child.returncode = os.waitstatus_to_exitcode(status)
    log.seek(0)
    said = log.read().decode(errors='replace')
    if child.returncode != 0:
        sys.stderr.write(said[-4000:])
        sys.exit(f'staged: {command} failed with {child.returncode}')
    most, spent = reap()
    most['ambit'] = used.ru_maxrss
    told = [float(line) for line in said.split('\n') if line.replace('.', '', 1).isdigit()]
    took = {'whole': gone - begun, 'cpu': spent + used.ru_utime + used.ru_stime}
    if len(told) >= 2:
        took |= {'start': told[0] - begun, 'work': told[-1] - told[0], 'end': gone - told[-1]}
    return took, most


def timed(ambit, options, tree, command):
    inside = ['/bin/bash', '-c', TELL, 'x', *command]
    if options is not None:
        inside = [ambit, 'run', '--work', str(tree), *options, '--', *inside]
    return run(inside, tree)


# ---- the trees ----

@functools.lru_cache(maxsize=64)
def content(n, version):
    rng = random.Random(n * 31 + version)
    return ''.join(f'{rng.getrandbits(64):x} line {i} of {n}\n' for i in range(rng.randrange(10, 60)))


def git(at, *arguments):
    who = {'GIT_AUTHOR_DATE': '2020-01-01T00:00:00Z', 'GIT_COMMITTER_DATE': '2020-01-01T00:00:00Z'}
    subprocess.run(['git', '-c', 'user.name=b', '-c', 'user.email=b@b', '-c', 'gc.auto=0', *arguments], cwd=at,
                   check=True, env=os.environ | who, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def repository(at):
    """20,000 files; the branch `other` has a tenth of them changed, and a hundredth new and gone."""
    at.mkdir()
    for d in range(REPOSITORY_DIRS):
        where = at / f'group{d // 30}' / f'dir{d}'
        where.mkdir(parents=True)
        for f in range(REPOSITORY_FILES):
            (where / f'file{f}.txt').write_text(content(d * REPOSITORY_FILES + f, 0))
    git(at, 'init', '-q', '-b', 'one')
    git(at, 'add', '-A')
    git(at, 'commit', '-q', '-m', 'one')
    git(at, 'checkout', '-q', '-b', 'other')
    for n in range(0, REPOSITORY_DIRS * REPOSITORY_FILES, 10):
        d, f = divmod(n, REPOSITORY_FILES)
        where = at / f'group{d // 30}' / f'dir{d}'
        (where / f'file{f}.txt').write_text(content(n, 1))
        if n % 100 == 0:
            (where / 'new.txt').write_text(content(n, 2))
            (where / f'file{f + 1}.txt').unlink()
    git(at, 'add', '-A')
    git(at, 'commit', '-q', '-m', 'other')
    git(at, 'checkout', '-q', 'one')


def settled(at):
    """As after a while: what git knows of its files is written down, and so are the files."""
    git(at, 'status')
    syncfs(at)


class Work:
    """One kind of work: its tree, what is run there, and what makes the tree ready for the next run (not timed)."""

    def __init__(self, name, tree, command, ready, target=None):
        self.name, self.tree, self.command, self.ready, self.target = name, tree, command, ready, target
        self.taken = {level: [] for level, _ in LEVELS}

    def once(self, ambit, level, options):
        self.ready(self.tree)
        self.taken[level].append(timed(ambit, options, self.tree, self.command)[0])

    def ratio(self, level, part):
        return statistics.median(a[part] / b[part] for a, b in zip(self.taken[level], self.taken['bare']))

    def tell(self):
        for level, _ in LEVELS:
            at = {part: statistics.median(t[part] for t in self.taken[level]) for part in self.taken[level][0]}
            print(f'{self.name:<14} {level:<7} {at["whole"]:8.3f} s: start {at["start"] * 1e3:6.1f} ms, work'
                  f' {at["work"]:8.3f} s, end {at["end"] * 1e3:7.1f} ms   ratio of work {self.ratio(level, "work"):6.3f},'
                  f' of all {self.ratio(level, "whole"):6.3f}, of processors {self.ratio(level, "cpu"):6.3f}')
        if self.target is not None:
            figure(f'{self.name}, staged, work inside of outside', self.ratio('staged', 'work'), self.target)


def works(at, sources):
    project, repo, rest = at / 'project', at / 'repository', at / 'rest'
    project.mkdir()
    c_project(sources, project)
    repository(repo)
    rest.mkdir()
    with tarfile.open(at / 'archive.tar', 'w') as archive:
        for group in sorted(repo.glob('group[0-9]')):
            archive.add(group, group.name)
    shutil.copy(at / 'archive.tar', rest / 'archive.tar')

    def make_ready(tree):
        cleaned(tree)
        syncfs(tree)

    def checkout_ready(tree):
        git(tree, 'checkout', '-q', '-f', 'one')
        settled(tree)

    def tar_ready(tree):
        shutil.rmtree(tree / 'out', ignore_errors=True)
        (tree / 'out').mkdir()
        syncfs(tree)

    def rm_ready(tree):
        if not any((tree / 'out').iterdir()):
            subprocess.run(['tar', 'xf', 'archive.tar', '-C', 'out'], cwd=tree, check=True)
        syncfs(tree)

    # in place: a file that is opened for writing is copied up by the overlay first
    rewrite = 'for f in group0/dir[0-9]/*.txt; do echo more >>$f; done'
    return [
        Work('make', project, ['make', '-j2'], make_ready, TARGET_INSIDE),
        Work('git status', repo, ['git', 'status'], checkout_ready, TARGET_INSIDE),
        Work('git checkout', repo, ['git', 'checkout', '-q', 'other'], checkout_ready, TARGET_INSIDE),
        Work('grep -r', repo, ['grep', '-r', '--include=*.txt', '-c', 'line 7 ', '.'], syncfs),
        Work('append to 200', repo, ['/bin/sh', '-c', rewrite], checkout_ready),
        Work('tar x', rest, ['tar', 'xf', 'archive.tar', '-C', 'out'], tar_ready),
        Work('rm -rf', rest, ['/bin/sh', '-c', 'rm -rf out/*'], rm_ready),
    ]


# ---- commits ----

def place(tree, kind, n):
    return tree / f'dir{n % 100}' / f'{kind}{n}'


def commit_tree(at, n):
    """n files in 100 directories."""
    shutil.rmtree(at, ignore_errors=True)
    for d in range(100):
        (at / f'dir{d}').mkdir(parents=True)
    for i in range(n):
        place(at, 'old', i).write_text(content(i % 50, 0))
    syncfs(at)


# What a shell does in a cell, so that each of n files is a change of its own.
CHANGES = {
    'new': 'for d in dir*; do i=0; while [ $i -lt {each} ]; do echo $d $i >$d/new$i; i=$((i+1)); done; done',
    'modified': 'for f in dir*/old*; do echo x$f >$f.t; mv $f.t $f; done',
    'deleted': 'rm dir*/old*',
}


def renamed(tree, beside, kind, n):
    """Seconds of renaming n files and one sync; new ones and those that replace others are written just before, as those of a
    stage are."""
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    if kind != 'deleted':
        for i in range(n):
            (beside / f'{i}').write_text(f'dir{i % 100} {i}\n')
    pairs = [(str(beside / f'{i}'), str(place(tree, 'new' if kind == 'new' else 'old', i))) for i in range(n)]
    start = time.monotonic()
    for waiting, real in pairs:
        if kind == 'deleted':
            os.rename(real, waiting)
        else:
            os.rename(waiting, real)
    syncfs(tree)
    return time.monotonic() - start


def copied(tree, to):
    shutil.rmtree(to, ignore_errors=True)
    start = time.monotonic()
    subprocess.run(['cp', '-a', tree, to], check=True)
    return time.monotonic() - start


def commit_once(ambit, at, kind, n):
    """(seconds of the commit, of renaming, of copying, {process: KiB} while the event ran and when it was committed)"""
    tree, beside, copy = at / 'tree', at / 'beside', at / 'copy'
    commit_tree(tree, n)
    by_copying = copied(tree, copy)
    syncfs(copy)
    by_renaming = renamed(copy, beside, kind, n)
    change = ['/bin/sh', '-c', CHANGES[kind].format(each=n // 100)]
    _, most = run([ambit, 'run', '--stage', '--work', str(tree), '--', *change], tree)
    took, of_commit = run([ambit, 'commit', 'last'], tree)
    for name, kib in of_commit.items():
        most[f'{name}, commit'] = kib
    return took['whole'], by_renaming, by_copying, most


def commits(ambit, at, rounds):
    memory = {}
    for n in COMMITS:
        for kind in CHANGES:
            taken = [commit_once(ambit, at, kind, n) for _ in range(rounds)]
            of = [statistics.median(t[i] for t in taken) * 1e3 for i in range(3)]
            ratio = statistics.median(t[0] / t[1] for t in taken)
            print(f'{n:>6} {kind:<9} commit {of[0]:8.1f} ms, renames and a sync {of[1]:8.1f} ms, cp -a {of[2]:8.1f} ms')
            figure(f'commit of {n} {kind}, of renaming and a sync', ratio,
                   TARGET_DELETE if kind == 'deleted' else TARGET_COMMIT)
            for name, kib in taken[-1][3].items():
                memory[name] = max(memory.get(name, 0), kib)
    for name, kib in sorted(memory.items()):
        print(f'memory at {max(COMMITS)} changes, at most: {name:<24} {kib / 1024:8.1f} MiB')


def main():
    if len(sys.argv) < 3:
        sys.exit('usage: staged.py AMBIT SOURCES [ROUNDS [KIND...]]')
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    ambit, sources = sys.argv[1], pathlib.Path(sys.argv[2])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    sys.stdout.reconfigure(line_buffering=True)
    with tempfile.TemporaryDirectory() as kept:
        at = pathlib.Path(kept)
        os.environ |= {'XDG_STATE_HOME': str(at / 'state'), 'GIT_CONFIG_NOSYSTEM': '1'}
        chosen = sys.argv[4:]
        kinds = [kind for kind in works(at, sources) if not chosen or kind.name in chosen]
        for n in range(rounds):
            for kind in kinds:
                for i in range(len(LEVELS)):
                    kind.once(ambit, *LEVELS[(n + i) % len(LEVELS)])
                subprocess.run([ambit, 'discard', '--all'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for kind in kinds:
            kind.tell()
        if not chosen or 'commit' in chosen:
            commits(ambit, at, rounds)


main()
