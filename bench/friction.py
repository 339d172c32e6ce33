#!/usr/bin/python3
"""Tasks of coding agents (friction_tasks.py) as they are done bare, by `ambit run` as the hook of a client does it, and by the tools of `ambit mcp`: with what `ambit setup` writes, and with what a task needs
beyond that. What came of each is compared: the status of each step, what the last one printed, the files.

usage: friction.py AMBIT [ROUNDS [WORD...]]    WORD: of the names of tasks, these alone"""

import contextlib
import hashlib
import http.server
import io
import json
import os
import re
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

from friction_tasks import DENIED, DIFFERS, FLAGS, SAME, TASKS, lay, wheel

USUAL = ['--preset', 'agent']  # what `ambit setup` writes


class Registry:
    """Of npm, with one package in two versions."""

    def __init__(self):
        self.tarballs = {version: self.tarball(version) for version in ('1.0.0', '1.1.0')}
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                version = re.fullmatch(r'/tiny/-/tiny-(.*)\.tgz', self.path)
                body = registry.tarballs[version[1]] if version else json.dumps(registry.about()).encode()
                self.send_response(200)
                self.send_header('Content-Type', 'application/octet-stream' if version else 'application/json')
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def tarball(version):
        room = io.BytesIO()
        with tarfile.open(fileobj=room, mode='w:gz') as tar:
            for name, text in (('package.json', json.dumps({'name': 'tiny', 'version': version, 'main': 'index.js'})), ('index.js', 'module.exports = (n) => n + 1;\n')):
                info = tarfile.TarInfo(f'package/{name}')
                info.size = len(text)
                tar.addfile(info, io.BytesIO(text.encode()))
        return room.getvalue()

    def about(self):
        of = lambda v: {'name': 'tiny', 'version': v, 'dist': {'tarball': f'http://127.0.0.1:{self.port}/tiny/-/tiny-{v}.tgz', 'shasum': hashlib.sha1(self.tarballs[v]).hexdigest()}}
        return {'name': 'tiny', 'dist-tags': {'latest': '1.0.0'}, 'versions': {v: of(v) for v in self.tarballs}}


class World:
    """A person's home, what lies around it, and places to work in."""

    def __init__(self, ambit, top, more=()):
        self.ambit, self.count = ambit, 0
        # of limits the smallest counts, so with others the preset is written out
        self.usual = ['--work', '.', '--jit', '--read', '~/.gitconfig?', *more] if more else USUAL
        self.home, self.origin = f'{top}/home', f'{top}/origin.git'
        self.registry = Registry()
        for directory in (f'{self.home}/.ssh', f'{self.home}/wheels', f'{top}/first'):
            os.makedirs(directory)
        self.put(f'{self.home}/.ssh/id_ed25519', 'a key\n')
        self.put(f'{self.home}/.gitconfig', '[user]\n\tname = Ann\n\temail = ann@example.com\n')
        wheel(f'{self.home}/wheels')
        self.environment = {'PATH': '/usr/local/bin:/usr/bin:/bin', 'HOME': self.home, 'LANG': 'C.UTF-8'}
        lay(next(t for t in TASKS if t.name == 'fix a failing test'), f'{top}/first', str)
        if shutil.which('git'):
            self.shell(f'export GIT_CONFIG_GLOBAL=/dev/null; git init -q -b main && git add -A && git -c user.name=a -c user.email=a@b commit -qm first && git clone -q --bare . {self.origin}', f'{top}/first')
        self.shell('ambit run -- true', f'{top}/first')  # its ledger

    @staticmethod
    def put(path, text):
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)

    def shell(self, script, at):
        environment = {**self.environment, 'PATH': f'{os.path.dirname(self.ambit)}:{self.environment["PATH"]}'}
        subprocess.run(['bash', '-c', script], cwd=at, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)

    def place(self, task):
        """Where it is done, and how its words are completed there."""
        self.count += 1
        at = f'{self.home}/projects/{self.count}'
        os.makedirs(at)
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            own = probe.getsockname()[1]
        words = {'home': self.home, 'origin': self.origin, 'port': self.registry.port, 'own': own}
        fill = lambda text: re.sub(r'\{(home|origin|port|own)\}', lambda m: str(words[m[1]]), text)
        lay(task, at, fill)
        return at, fill


class Done:
    """What came of it."""

    def __init__(self):
        self.statuses, self.last, self.denied, self.hints, self.asked, self.notes, self.seconds, self.tree = [], '', [], [], 0, 0, 0.0, ''

    def step(self, status, out, err=''):
        self.statuses.append(status)
        self.last = out
        self.said(err)

    def said(self, err):
        """On standard error, by `ambit run`."""
        lines = err.splitlines()
        for i, line in enumerate(lines):
            if line.startswith(('ambit: denied: ', 'ambit: not committed: ')):
                self.denied.append(line[7:])
            if line.startswith(('ambit: denied: ', 'ambit: not committed: ', 'ambit: named in the command')):
                self.hints += [x[8:] for x in lines[i + 1:i + 3] if x.startswith('  hint: ')]
            self.asked += line.startswith('ambit: asked')

    def look(self, at, uncompared):
        digest = hashlib.sha256()
        for directory, names, files in os.walk(at):
            names[:] = sorted(n for n in names if n not in uncompared)
            for name in sorted(f for f in files if f not in uncompared):
                path = os.path.join(directory, name)
                with open(path, 'rb') as file:
                    digest.update(f'{os.path.relpath(path, at)} {os.stat(path).st_mode:o} '.encode() + hashlib.sha256(file.read()).digest())
        self.tree = digest.hexdigest()
        self.last = self.last.replace(at, '.')

    def is_same(self, other):
        return (self.statuses, self.last, self.tree) == (other.statuses, other.last, other.tree)

    def differs(self, other):
        return ', '.join(name for name, a, b in (('status', self.statuses, other.statuses), ('output', self.last, other.last), ('files', self.tree, other.tree)) if a != b)


def edit(at, path, old, new):
    with open(os.path.join(at, path), encoding='utf-8') as file:
        text = file.read()
    World.put(os.path.join(at, path), text.replace(old, new, 1))


class Commands:
    """Bare, or behind words that put each command into a cell. Files are changed by the client itself, as clients do that have a hook."""

    def __init__(self, world, at, flags=None):
        self.world, self.at, self.flags = world, at, flags

    def words(self, kind, text):
        if self.flags is None:
            return ['bash', '-c', text] if kind == 'sh' else ['python3', '-c', text]
        return [self.world.ambit, 'run', *self.flags, *(['--', 'bash', '-c', text] if kind == 'sh' else ['--python'])]

    def do(self, done, kind, *args):
        if kind == 'edit':
            edit(self.at, *args)
        elif kind == 'write':
            World.put(os.path.join(self.at, args[0]), args[1])
        elif kind != 'read':
            text = f'grep -rn -- {shlex.quote(args[0])} . | sort' if kind == 'search' else args[0]
            result = subprocess.run(self.words('sh' if kind == 'search' else kind, text), cwd=self.at, env=self.world.environment, input=text if kind == 'py' else '', capture_output=True, text=True, errors='replace', timeout=120, check=False)
            done.step(result.returncode if kind != 'search' else 0, result.stdout if kind != 'search' else '', result.stderr)

    def end(self):
        pass


class Kernel(Commands):
    """Code keeps its variables: bare in one process, else in a kernel of a session."""

    def __init__(self, world, at, flags=None):
        super().__init__(world, at, flags)
        self.before, self.session = '', None
        if flags is not None:
            made = subprocess.run([world.ambit, 'session', 'new', *flags], cwd=at, env=world.environment, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
            self.session = made.stdout.strip()

    def words(self, kind, text):
        if self.session is not None:
            return [self.world.ambit, 'run', '--session', self.session, '--python', '--kernel', 'k']
        self.before += text + '\n'
        return ['python3', '-c', self.before]

    def end(self):
        if self.session is not None:
            subprocess.run([self.world.ambit, 'session', 'end', self.session], cwd=self.at, env=self.world.environment, capture_output=True, check=False)


class Server:
    """The tools of `ambit mcp`."""

    def __init__(self, world, at, flags):
        self.process = subprocess.Popen([world.ambit, 'mcp', *flags], cwd=at, env=world.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.last, self.asked, self.notes = 0, 0, 0
        self.ask('initialize', protocolVersion='2025-11-25', capabilities={'elicitation': {}}, clientInfo={'name': 'bench', 'version': '1'})
        self.say({'method': 'notifications/initialized'})

    def say(self, what):
        self.process.stdin.write(json.dumps({'jsonrpc': '2.0', **what}).encode() + b'\n')
        self.process.stdin.flush()

    def ask(self, method, **params):
        self.last += 1
        self.say({'id': self.last, 'method': method, 'params': params})
        while line := self.process.stdout.readline():
            heard = json.loads(line)
            if heard.get('method') == 'elicitation/create':
                self.asked += 1
                self.say({'id': heard['id'], 'result': {'action': 'decline'}})
            elif 'method' in heard:
                self.notes += 1
            elif heard.get('id') == self.last:
                return heard.get('result') or {'isError': True, 'content': [{'type': 'text', 'text': heard['error']['message']}]}
        sys.exit('ambit mcp ended')

    def do(self, done, kind, *args):
        name, arguments = {'sh': ('shell', {'code': args[0]}), 'py': ('python', {'code': args[0]}), 'read': ('read', {'path': args[0]}), 'search': ('search', {'pattern': args[0]}),
                           'write': ('write', dict(zip(('path', 'text'), args))), 'edit': ('edit', dict(zip(('path', 'old', 'new'), args)))}[kind]
        result = self.ask('tools/call', name=name, arguments=arguments, _meta={'progressToken': self.last})
        data = result.get('structuredContent') or {}
        if kind in ('sh', 'py'):
            done.step(data.get('exit_status', 1), data.get('stdout', ''))
        elif kind == 'search':
            done.step(0, '')
        elif result.get('isError'):
            done.step(result['content'][0]['text'], '')
        for denied in data.get('denied') or []:
            done.denied.append(denied if isinstance(denied, str) else json.dumps(denied))
        done.denied += [f'not committed: {line}' for line in str(result['content'][0].get('text', '')).splitlines() if 'not committed' in line or 'held back' in line]
        done.hints += done.denied
        done.asked, done.notes = self.asked, self.notes

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def attempt(world, task, way, flags):
    at, fill = world.place(task)
    done = Done()
    kind = Server if way == 'mcp' else Kernel if 'kernel' in task.ways else Commands
    worker = kind(world, at, None if way == 'bare' else flags)
    began = time.perf_counter()
    for step in task.steps:
        worker.do(done, *(fill(word) for word in step))
    done.seconds = time.perf_counter() - began
    worker.end()
    done.look(at, task.uncompared)
    shutil.rmtree(at, ignore_errors=True)
    return done


class Row:
    """A task, tried by each way with the usual grants, and with what it needs."""

    def __init__(self, world, task, rounds):
        self.task, self.usual, self.full, self.seconds = task, {}, {}, {}
        flags = [world.place(task)[1](word) for word in task.needs]
        self.bare = attempt(world, task, 'bare', [])
        for way in task.ways:
            self.usual[way] = attempt(world, task, way, world.usual)
            self.full[way] = attempt(world, task, way, [*world.usual, *flags]) if flags else self.usual[way]
        for turn in range(rounds):
            for way in (('bare', *task.ways) * 2)[turn % 2:turn % 2 + 1 + len(task.ways)]:
                self.seconds.setdefault(way, []).append(attempt(world, task, way, [*world.usual, *flags]).seconds)
        self.flags = flags

    def verdict(self, way):
        if self.task.expects == DENIED:
            failed = any(self.usual[way].statuses) or self.usual[way].tree != self.bare.tree
            return DENIED if failed and self.usual[way].denied else DIFFERS
        return SAME if self.usual[way].is_same(self.bare) else FLAGS if self.flags and self.full[way].is_same(self.bare) else DIFFERS

    def is_hinted(self, way):
        """Whether each flag that is needed was named in what was said of the denials."""
        return all(flag in ' '.join(self.usual[way].hints) for flag in self.flags[1::2])

    def problems(self):
        """Of a verdict that is not what is expected; where it differs, one way at least has to."""
        found = {way: self.verdict(way) for way in self.task.ways}
        if self.task.expects == DIFFERS:
            return [] if DIFFERS in found.values() else [f'{self.task.name}: it differs nowhere any more']
        return [f'{self.task.name}, {way}: {verdict} ({self.full[way].differs(self.bare)}), {self.full[way].denied}' for way, verdict in found.items() if verdict != self.task.expects]

    def line(self):
        median = {way: statistics.median(took) for way, took in self.seconds.items()}
        cells = [self.task.name]
        for way in self.task.ways:
            usual = self.usual[way]
            cells.append(f'{self.verdict(way)}{"" if not self.flags or self.is_hinted(way) else " (not named)"}, {len(usual.denied)} denied, {usual.asked} asked')
        cells.append(' '.join(self.task.needs) or '-')
        cells.append(f'{1e3 * median["bare"]:.0f}')
        cells += [f'{1e3 * median[way]:.0f} ({median[way] / median["bare"]:.1f})' for way in self.task.ways]
        return '| ' + ' | '.join(cells) + ' |'


def missing(task):
    return [program for program in task.programs if shutil.which(program, path='/usr/local/bin:/usr/bin:/bin') is None]


def let_in(_, path, __):
    """Overlays leave directories that nobody may enter."""
    with contextlib.suppress(OSError):
        if not os.path.islink(path):
            os.chmod(path, 0o700)


def remove(top):
    """What still writes there, a ledger whose last event has just ended, ends soon."""
    for _ in range(50):
        shutil.rmtree(top, onerror=let_in)
        if not os.path.exists(top):
            return
        time.sleep(0.1)


@contextlib.contextmanager
def world_of(ambit, more=()):
    # not in /tmp, where a cell has one of its own
    top = tempfile.mkdtemp(prefix='ambit-friction-', dir=os.environ.get('BENCH_DIR', '/var/tmp'))
    os.chmod(top, 0o755)
    try:
        world = World(ambit, top, more)
        yield world
        # the daemon of that home would wait for ten minutes
        subprocess.run([ambit, 'serve', '--stop'], env=world.environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    finally:
        remove(top)


def main():
    if len(sys.argv) < 2:
        sys.exit('usage: friction.py AMBIT [ROUNDS [WORD...]]')
    rounds, words = int(sys.argv[2]) if len(sys.argv) > 2 else 3, sys.argv[3:]
    tasks = [t for t in TASKS if not words or any(word in t.name for word in words)]
    print(f'{len(tasks)} tasks, medians of {rounds} rounds, load {open("/proc/loadavg").read().rsplit(" ", 2)[0]}; by the second way `ambit run` of each command, by the third the tools of `ambit mcp`\n')
    print('| task | by ambit run | by ambit mcp | flags beyond | bare, ms | run, ms (times) | mcp, ms (times) |\n|---|---|---|---|---|---|---|')
    rows, problems = [], []
    with world_of(os.path.abspath(sys.argv[1])) as world:
        for task in tasks:
            if missing(task):
                print(f'| {task.name} | skipped: no {", ".join(missing(task))} |')
                continue
            rows.append(Row(world, task, rounds))
            problems += rows[-1].problems()
            print(rows[-1].line(), flush=True)
    print('\nwhat was denied without them:')
    for row in rows:
        for way in row.task.ways:
            for denied in dict.fromkeys(row.usual[way].denied):
                print(f'  {row.task.name}, {way}: {denied[:220]}')
    for way in (0, 1):
        ratios = [statistics.median(row.seconds[row.task.ways[way]]) / statistics.median(row.seconds['bare']) for row in rows]
        print(f'figure {("friction_run", "friction_mcp")[way]} {statistics.median(ratios):.2f} times bare, the median of the tasks')
    print(f'figure friction_usual {sum(row.verdict(row.task.ways[0]) == SAME for row in rows)} of {len(rows)} by ambit run without a flag beyond')
    for problem in problems:
        print(f'not as expected: {problem}')
    sys.exit(1 if problems else 0)


if __name__ == '__main__':
    main()
