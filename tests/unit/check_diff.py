"""The diff role as it is run: git and patch take what it writes, git's own --stat says the same, golden files, and input that means
no good.

usage: check_diff.py AMBIT_DIFF GOLDEN_DIRECTORY bounded|sanitized     AMBIT_GOLDEN=write writes the golden files"""
import os, random, re, resource, subprocess, sys, tempfile

from diff_input import *

MB = 1 << 20
GIT = {'GIT_CONFIG_NOSYSTEM': '1', 'GIT_CONFIG_GLOBAL': '/dev/null', 'HOME': '/nonexistent', 'PATH': os.environ['PATH'],
       'LC_ALL': 'C.UTF-8', 'GIT_CEILING_DIRECTORIES': tempfile.gettempdir()}
WILD = re.compile('[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]')
SEED = int(os.environ.get('AMBIT_SEED') or random.randrange(1, 1 << 20))  # others in each run
SECONDS = 12  # of the processor, for hostile input; it takes 1 to 4


def numbered(n, **changed):
    """n lines; l7='x' replaces line 7, l7=None takes it away"""
    lines = [changed.get(f'l{i}', f'line {i}') for i in range(1, n + 1)]
    return ''.join(line + '\n' for line in lines if line is not None).encode()


def golden_changes():
    """name, options, changes"""
    source = b'#include <x.h>\n\nint one(void)\n{\n\treturn 1;\n}\n\nint two(void)\n{\n\treturn 2;\n}\n'
    text = [change('modified', 'src/one.c', source, source.replace(b'2;', b'3; /* \x1b[2J\xe2\x80\xae */')),
            change('modified', 'list', numbered(40), numbered(40, l3='three', l20=None, l39='x\ny')),
            change('added', 'new file', None, b'first\nlast without newline'),
            change('deleted', 'old', b'gone\n'), change('added', 'empty', None, b'')]
    modes = [change('mode', 'run.sh', 'same', 'same', modes=(0o644, 0o755)),
             change('modified', 'both', b'a\n', b'b\n', modes=(0o600, 0o4755)),
             change('mode', 'touched', 'same', 'same'),
             change('mode', 'dir', 'same', 'same', type=DIRECTORY, modes=(0o755, 0o700)),
             change('mode', '', 'same', 'same', type=DIRECTORY, modes=(0o755, 0o700))]
    renames = [change('renamed', 'lib/new/name.c', 'same', 'same', source='lib/old/name.c'),
               change('renamed', 'other', numbered(9), numbered(9, l5='five'), source='some'),
               change('renamed', 'to', 'same', 'same', source='from', type=DIRECTORY, modes=(0o755, 0o755)),
               change('link', 'second', None, 'same', source='other'),
               change('renamed', '\x1b', b'1\n', b'2\n', source='"'),
               change('renamed', 'as-link', b'text\n', b'to', type=SYMLINK, old_type=FILE, source='as-file')]
    links = [change('added', 'link', None, b'../target', type=SYMLINK), change('deleted', 'gone', b'x', type=SYMLINK),
             change('modified', 'moved', b'here', b'there\x1b', type=SYMLINK),
             change('modified', 'was-file', b'text\n', b'to', type=SYMLINK, old_type=FILE),
             change('modified', 'was-dir', NOT_REGULAR, b'text\n', old_type=DIRECTORY),
             change('added', 'pipe', None, NOT_REGULAR, type=FIFO),
             change('deleted', 'tree', NOT_REGULAR, None, type=DIRECTORY)]
    binary = [change('modified', 'image.png', b'\x89PNG\0\1', b'\x89PNG\0\2\3'), change('added', 'a.out', None, b'\x7fELF\0'),
              change('deleted', 'core', b'\0' * 9), change('modified', 'dump', b'1\n', TOO_LARGE, sizes=(2, 10**10)),
              change('modified', 'secret', UNREADABLE, b'1\n', sizes=(5, 2)),
              change('modified', 'late', b'x' * 7999 + b'\0\n', b'\n'), change('modified', 'later', b'\n' * 8000 + b'\0\n', b'\n' * 8001)]
    held = [change('added', '.git/hooks/post-commit', None, b'#!/bin/sh\nid\n', modes=(0, 0o755), held='protected',
                   reason='git executes it'),
            change('modified', 'Makefile', b'all:\n', b'all:\n\tid\n', later=1, reason='make executes it'),
            change('modified', 'package.json', b'{}\n', b'{"scripts":{}}\n', held='judged', later=1, reason='bad \x1b[m\nreason'),
            change('modified', 'x', b'1\n', b'2\n', held='conflict', tree=1),
            change('added', 'dev', None, NOT_REGULAR, type=OTHER, held='refused', reason='a device')]
    trees = dict(trees=('', 'srv/other tree'))
    yield 'text', dict(), text
    ends = [change('modified', 'dos.txt', b'one\r\ntwo\r\n', b'one\r\ntwo\n')]
    yield 'ends', {}, ends
    yield 'colour', dict(colour=True, **trees), ends + text + modes[:2] + renames[:2] + links[:1] + binary[:1] + held
    yield 'modes', dict(), modes
    yield 'renames', dict(), renames
    yield 'links', dict(), links
    yield 'binary', dict(), binary
    yield 'whole', dict(form='binary'), text[:1] + renames[4:5] + links[2:3] + binary[:5]
    yield 'held', trees, held
    later = [change('added', 'conftest.py', None, b'1\n', later=1, reason='bad \x1b[m reason')]
    yield 'stat', dict(form='stat', **trees), text + modes + renames + links + binary + held + later
    yield 'stat-colour', dict(form='stat', colour=True, width=40, **trees), text + binary + held + later
    yield 'names', dict(form='name-only', **trees), text + renames + held
    yield 'context', dict(context=0), text[:2]


def spent():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def is_tame(output, colour):
    """Whether a terminal can have it."""
    rest = re.sub(rb'\x1b\[[0-9;]*m', b'', output) if colour else output
    return not WILD.search(rest.replace(b'\r\n', b'\n').decode())


# A tree is a dictionary: path -> (mode, content); a link's mode is 'link'.

def random_content(rng):
    lines = [rng.choice(['', '}', 'return;', 'x = 1;', '  deep', f'unlike {rng.random()}']) for _ in range(rng.randrange(40))]
    end = rng.choice(['\n', '\n', '\n', ''])
    eol = rng.choice(['\n'] * 5 + ['\r\n'])
    return (eol.join(lines) + (end if lines else '')).encode()


def edited(rng, content):
    lines = content.splitlines(True)
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(lines) + 1)
        if rng.randrange(2) and at < len(lines):
            del lines[at]
        else:
            lines.insert(at, rng.choice([b'new\n', b'}\n', b'\n', b'\ttab\n', 'käse\n'.encode(), b'-- \n', b'++ x\n', b'@@ -1 +1 @@\n']))
    joined = b''.join(line if line.endswith(b'\n') else line + b'\n' for line in lines)
    return joined[:-1] if rng.randrange(5) == 0 else joined


# Names that need quotes, or look as if they did; git shows what is not in ASCII as it is, and Ambit what a terminal can have.
ASCII = ['\t', '\n', '\r', '"', '\\', '\x01', '\x1b', '\x7f', ' ', "'", '\\303', 'n', '%s', '{', '=>']
ODD = ASCII + ['\udcff', '\udc80', 'ä', '\u202e', '\u0085', '€']  # the first two are bytes that are no UTF-8


def odd_name(rng, odd):
    return ''.join(rng.choice(odd) for _ in range(rng.randrange(1, 6))) + 'x'


def random_bytes(rng):
    """What is not shown as it is: binary, or lines with what a terminal must not have."""
    size = rng.choice([0, 1, 2, 3, 4, 5, 25, 26, 27, 52, 53, 300, 8192, 65534, 65535, 65536, 140000])
    return rng.choice([rng.randbytes(size), bytes(size), b'a\0' + random_content(rng), b'\x1b[m\n' + random_content(rng), b'caf\xe9',
                       b'a\rb\r\n', 'ä\u202e\n'.encode(), b''])


def random_trees(rng, for_patch, binary=False, odd=ODD):
    """old tree, new tree, changes; binary: with any contents, else those that are shown as they are; for_patch: without what GNU patch 2.7 cannot do (a file that becomes a link, empty files that
    go, names with blanks where nothing but `diff --git` has them)"""
    old, new, changes = {}, {}, []
    for i in range(rng.randrange(1, 6)):
        name = rng.choice(['f', 'dir/f', 'a b', 'dir with/b c', 'ä', 'x.c', '-n', 'a/b/c/d', 'a/deep/directory/with a/long-name-in-it/and/a/file', 'a-name-that-is-longer-than-most-and-has-no-directory']) + str(i)
        name = rng.choice(['', '', odd_name(rng, odd) + '/', odd_name(rng, odd)]) + name
        kind = rng.choice(['modified', 'modified', 'modified', 'added', 'deleted', 'mode', 'renamed', 'link', 'type'])
        if for_patch and kind in ('mode', 'renamed'):
            name = name.replace(' ', '_')
        modes = tuple(rng.choice([0o644, 0o755]) for _ in range(2))
        a = random_content(rng) or b'x\n' * for_patch
        b = edited(rng, a)
        b = b + b'x\n' if a == b and modes[0] == modes[1] else b  # git knows of no change that leaves all as it was
        if for_patch and a == b:  # its mode alone differs
            name = name.replace(' ', '_')
        if binary and rng.randrange(3):
            a, b = random_bytes(rng), random_bytes(rng)
            b = b + b'\n' if a == b else b
        if kind == 'added':
            new[name] = (modes[1], a)
            changes.append(change('added', name, None, a, modes=modes))
        elif kind == 'deleted':
            old[name] = (modes[0], a)
            changes.append(change('deleted', name, a, None, modes=modes))
        elif kind == 'mode':
            old[name], new[name] = (0o644, a), (0o755, a)
            changes.append(change('mode', name, 'same', 'same', modes=(0o644, 0o755)))
        elif kind == 'renamed':
            old[name], new['to/' + name] = (modes[0], a), (modes[1], a)
            b = rng.choice([a, a + b'more\n' if a.endswith(b'\n') else a])
            new['to/' + name] = (modes[1], b)
            changes.append(change('renamed', 'to/' + name, a, b, modes=modes, source=name))
        elif kind == 'link':
            old[name], new[name] = ('link', b'here'), ('link', b'there/x')
            changes.append(change('modified', name, b'here', b'there/x', type=SYMLINK, modes=(0o777, 0o777)))
        elif kind == 'type' and not for_patch:
            old[name], new[name] = (modes[0], a + b'x'), ('link', b'target')
            changes.append(change('modified', name, a + b'x', b'target', type=SYMLINK, old_type=FILE, modes=(modes[0], 0o777)))
        else:
            old[name], new[name] = (modes[0], a), (modes[1], b)
            changes.append(change('modified', name, a, b, modes=modes, held=rng.choice(['no', 'protected']),
                                  later=rng.randrange(2), reason='because'))
    return old, new, changes


def lay(root, tree):
    for name, (mode, content) in tree.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if mode == 'link':
            os.symlink(content, path)
            continue
        with open(path, 'wb') as f:
            f.write(content)
        os.chmod(path, mode)


def seen(root):
    tree = {}
    for base, dirs, names in os.walk(root):
        dirs[:] = [d for d in dirs if d != '.git']
        for name in names:
            path = os.path.join(base, name)
            key = os.path.relpath(path, root)
            if os.path.islink(path):
                tree[key] = ('link', os.readlink(os.fsencode(path)))
            else:
                with open(path, 'rb') as f:
                    tree[key] = (0o755 if os.stat(path).st_mode & 0o100 else 0o644, f.read())
    return tree


def hostile():
    """name, options, changes, what must be in the output"""
    n = DIFF_CONTENT_MAX
    yield 'alternating lines', {}, change('modified', 'x', b'a\nb\n' * (n // 4), b'x\n' + b'b\na\n' * (n // 4 - 1) + b'y\n'), b'@@'
    yield 'alternating lines, counted', dict(form='stat'), change('modified', 'x', b'a\nb\n' * (n // 4), b'b\na\n' * (n // 4)), b'| '
    rng = random.Random(1)
    few = [b''.join(rng.choice((b'a\n', b'b\n')) for _ in range(2 * MB)) for _ in range(2)]
    yield 'two million lines of two kinds', {}, change('modified', 'x', *few), b'@@'
    lines = [b'%d\n' % i for i in range(MB)]
    shuffled = lines[:]
    rng.shuffle(shuffled)
    lines, shuffled = b''.join(lines), b''.join(shuffled)
    yield 'a million lines shuffled', {}, change('modified', 'x', lines, shuffled), b'@@'
    yield 'the same twelve times', dict(form='stat'), change('modified', 'x', lines, shuffled) * 12, b' 12 files'
    yield 'one line of megabytes', {}, change('modified', 'x', b'x' * n, b'y' * n), b'\\ No newline'
    yield 'escapes of megabytes', dict(colour=True, output_max=MB), change(
        'modified', 'x', b'x' * 8000 + b'\0' * (n - 8000), b'y' * 8000 + b'\xc2\x9b' * (n // 2 - 4000)), b'too long'
    yield 'NULs', {}, change('modified', 'x', b'\0' * n, b'\0' * (n - 1)), b'Binary files'
    yield 'no UTF-8', {}, change('added', 'x', None, bytes(range(1, 256)) * 100), b'\\xff'
    yield 'what looks like headers', {}, change('added', 'x', None, b'--- a/y\n+++ b/y\ndiff --git a/z b/z\n'), b'+diff --git'
    yield 'a reason with lines', {}, change('added', 'x', None, b'1\n', held='refused', reason='x\ndiff --git a/z b/z'), b'x\\x0adiff'
    yield 'names of control characters', {}, change('added', '\x01' * 4095, None, b'1\n'), b'\\001'
    yield 'the deepest indent', {}, change('modified', 'x', b' ' * (n // 2) + b'\n', (b' ' * (n // 4) + b'\n') * 2), b'@@'
    yield 'a hundred thousand changes', dict(form='stat'), change('added', 'd/' * 50 + 'f', None, b'1\n') * 100000, b'100000 files'


def broken():
    """name, input, what the last line says"""
    whole = options() + change('modified', 'x', b'a\n', b'b\n')
    yield 'nothing', b'', 'byte 0: the changes end too early'
    yield 'no changes', b'hello, this is something else', 'no changes, or of another version'
    yield 'another version', options()[:4] + b'\2' + options()[5:] + END, 'another version'
    yield 'half', whole, 'the changes end too early'
    yield 'more behind the end', whole + END + b'x', 'something follows'
    yield 'a change of another tree', options() + change('added', 'x', None, b'', tree=1) + END, 'a change is none'
    yield 'a path that climbs', options() + change('added', '../x', None, b'') + END, 'a change is none'
    yield 'a kind that its sides do not fit', options() + change('deleted', 'x', b'', b'') + END, 'do not fit'
    yield 'a long piece', options() + change('added', 'x', None, b'1')[:-9] + b'\xfe\xff\xff\xff', 'a piece is too long'
    yield 'a long change', options() + b'\1\xff\xff\xff\xff', 'a change is too long'


def main(role, golden, build='bounded'):
    failed = 0

    def say(good, what, more=''):
        nonlocal failed
        failed += not good
        print('ok' if good else 'not ok', '-', what + ('' if good else '\n# ' + str(more).replace('\n', '\n# ')), flush=True)

    def run(data, *args):
        return subprocess.run([role, *args], input=data, capture_output=True, timeout=300)

    def show(changes, **kw):
        return run(options(**kw) + b''.join(changes) + END)

    def check_golden():
        for name, kw, changes in golden_changes():
            r = show(changes, **kw)
            path = os.path.join(golden, f'diff-{name}.txt')
            if os.environ.get('AMBIT_GOLDEN') == 'write':
                with open(path, 'wb') as f:
                    f.write(r.stdout)
            with open(path, 'rb') as f:
                expected = f.read()
            say(r.returncode == 0 and r.stdout == expected and r.stderr == b'', f'as in {os.path.basename(path)}', r.stdout.decode())
            say(is_tame(r.stdout, kw.get('colour')), f'{name}: text that a terminal can have')

    def applied(command, old, new, patch, git):
        """What is wrong when command applies the patch to the old tree."""
        with tempfile.TemporaryDirectory() as root:
            lay(root, old)
            if git:
                subprocess.run(['git', 'init', '-q'], cwd=root, env=GIT, check=True)
            if all(line.startswith(b'#') or not line for line in patch.splitlines()):
                return '' if old == new else f'nothing but remarks:\n{patch.decode(errors="replace")}'  # which no program takes for a patch
            r = subprocess.run(command, cwd=root, env=GIT, input=patch, capture_output=True)
            got = seen(root)
            return '' if r.returncode == 0 and got == new else f'{r}\n{patch.decode(errors="replace")}\nold {old}\nnew {new}\ngot {got}'

    def check_applied():
        for number, (name, command, git, form) in enumerate([
                ('git apply in a repository', ['git', 'apply', '-'], True, 'patch'),
                ('git apply outside of one', ['git', 'apply', '-'], False, 'patch'),
                ('patch', ['patch', '-p1', '-s', '--no-backup-if-mismatch', '--fuzz=0', '--binary'], False, 'patch'),
                ('git apply of binary files', ['git', 'apply', '-'], True, 'binary'),
                ('git apply of binary files outside of a repository', ['git', 'apply', '-'], False, 'binary')]):
            wrong = ''
            rounds = (1 if 'sanitized' in sys.argv else 6) * int(os.environ.get('AMBIT_SOAK') or 1)
            for seed in range(rounds):
                rng = random.Random(SEED * 1000003 + number * 100003 + seed)
                old, new, changes = random_trees(rng, name == 'patch', form == 'binary')
                patch = show(changes, context=rng.choice([1, 3, 3, 10]), form=form).stdout
                wrong = applied(command, old, new, patch, git) or ('' if is_tame(patch, False) else f'not tame: {patch}')
                if wrong:
                    wrong = f'AMBIT_SEED={SEED}, {seed}: {wrong}'
                    break
            say(not wrong, f'{name}: {rounds} random trees become the new ones', wrong)

    def check_refused():
        for name, c in [('binary', change('modified', 'f', b'\0a', b'\0b')), ('too large', change('modified', 'f', b'\0a', TOO_LARGE))]:
            patch = show([change('modified', 'g', b'1\n', b'2\n'), c]).stdout
            old = {'f': (0o644, b'\0a'), 'g': (0o644, b'1\n')}
            with tempfile.TemporaryDirectory() as root:
                lay(root, old)
                r = subprocess.run(['git', 'apply', '-'], cwd=root, env=GIT, input=patch, capture_output=True)
                say(r.returncode != 0 and seen(root) == old, f'git applies nothing of a patch where one content is {name}', r)

    def check_cut():
        """However long the output may be, git applies all of it or nothing."""
        a, b = numbered(60), numbered(60, l2='two', l20=None, l40='x\ny', l59='last')
        old = {'f': (0o644, a), 'g': (0o644, b'1\n'), 'h': (0o644, b'\0a'), 'i': (0o644, b'\x01\n')}
        new = {'f': (0o644, b), 'g': (0o644, b'2' * 40), 'h': (0o644, b'\0b'), 'i': (0o644, b'\x02\n')}
        for form, names in (('patch', 'fg'), ('binary', 'fghi'), ('binary', 'hgfi')):
            changes = [change('modified', name, old[name][1], new[name][1]) for name in names]
            all_of, wrong, refused = show(changes, form=form).stdout, '', 0
            step = 1 if os.environ.get('AMBIT_SOAK') else 29 if 'sanitized' in sys.argv else 11
            for most in range(1 + SEED % step, len(all_of) + 2, step):
                patch = show(changes, form=form, output_max=most).stdout
                with tempfile.TemporaryDirectory() as root:
                    lay(root, old)
                    r = subprocess.run(['git', 'apply', '-'], cwd=root, env=GIT, input=patch, capture_output=True)
                    refused += r.returncode != 0
                    expected = old if r.returncode else {**old, **{name: new[name] for name in names}}
                    if seen(root) != expected or (r.returncode == 0) != (patch == all_of):
                        wrong = f'at {most}: {r}\n{patch.decode()}'
                        break
            say(not wrong and refused > 10, f'{form} of {names}, cut anywhere: applied as a whole or not at all', wrong)

    def git_stat(old, new, width):
        with tempfile.TemporaryDirectory() as root:
            git = ['git', '-c', 'core.quotepath=false', '--git-dir', os.path.join(root, 'g')]
            subprocess.run(git + ['init', '-q'], env=GIT, check=True)
            trees = []
            for name, tree in ('a', old), ('b', new):
                os.mkdir(os.path.join(root, name))
                lay(os.path.join(root, name), tree)
                work = git + ['--work-tree', os.path.join(root, name)]
                subprocess.run(work + ['read-tree', '--empty'], env=GIT, check=True)  # or the index may take a file for the other tree's
                subprocess.run(work + ['add', '-A', '.'], cwd=os.path.join(root, name), env=GIT, check=True, capture_output=True)
                trees.append(subprocess.run(work + ['write-tree'], env=GIT, check=True, capture_output=True, text=True).stdout.strip())
            return subprocess.run(git + ['diff', '-M100%', f'--stat={width}', *trees], env=GIT, check=True, capture_output=True).stdout

    def check_like_git():
        wrong, first = '', SEED * 1000
        for seed in range(first, first + (2 if 'sanitized' in sys.argv else 6) * int(os.environ.get('AMBIT_SOAK') or 1)):
            rng = random.Random(seed)
            old, new, changes = random_trees(rng, False, odd=ASCII)
            if any(name.startswith('to/') for name in new):
                continue  # git finds renames by likeness
            width = rng.choice([40, 50, 60, 80, 200])
            theirs, ours = git_stat(old, new, width), show(changes, form='stat', width=width).stdout
            ours = [line for line in ours.splitlines() if not line.startswith((b' held:', b' executes later:'))]
            if sorted(theirs.splitlines()) != sorted(ours):
                wrong = f'AMBIT_SEED={SEED}, {seed}, width {width}; git:\n{theirs.decode()}ours:\n' + b'\n'.join(ours).decode()
                break
        say(not wrong, 'the rows and the total of git diff --stat', wrong)

    def check_hostile():
        for name, kw, changes, text in hostile():
            begun = spent()
            r = run(options(**kw) + changes + END)
            took = spent() - begun
            good = r.returncode == 0 and r.stderr == b'' and text in r.stdout and (build != 'bounded' or took < SECONDS)
            say(good and is_tame(r.stdout, kw.get('colour')), f'{name}: shown', f'{r.returncode} {took:.1f} s {r.stdout[-200:]}')

    def check_broken():
        for name, data, text in broken():
            r = run(data)
            last = (r.stdout.decode().splitlines() or [''])[-1]
            say(r.returncode == 1 and text in last and r.stderr == b'' and is_tame(r.stdout, False), f'{name}: refused', r)
        say(b'\n-a\n+b\n' in run(options() + change('modified', 'x', b'a\n', b'b\n')).stdout, 'what came before is shown')
        say(run(options() + END, 'x').returncode == 2, 'an argument is wrong usage')

    for check in check_golden, check_applied, check_refused, check_cut, check_like_git, check_hostile, check_broken:
        check()
    return failed


if __name__ == '__main__':
    sys.exit(min(main(*sys.argv[1:]), 76))
