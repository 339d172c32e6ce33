"""Tasks of coding agents, as scripts: what is there before, what is done in which order, what is needed beyond the usual grants, and what is expected of it.

A step is ('sh', SCRIPT), ('py', CODE), ('edit', PATH, OLD, NEW), ('write', PATH, TEXT), ('read', PATH) or ('search', WORD). In braces: {home}, {origin}, {port} of the local registry, {own}, a port that nobody uses."""

import os
import stat
import subprocess
import zipfile
from dataclasses import dataclass

SAME, FLAGS, DENIED, DIFFERS = 'same', 'flags', 'denied', 'differs'


@dataclass
class Task:
    name: str
    files: dict  # path: text; one that begins with #! can be executed
    steps: list
    needs: tuple = ()  # beyond what everything gets
    expects: str = SAME  # SAME: without a flag; FLAGS: with `needs`; DENIED: it is to fail, and be told; DIFFERS: why says it
    why: str = ''
    setup: str = ''  # a script that is run before, outside
    ways: tuple = ('run', 'mcp')
    programs: tuple = ()  # without which it is skipped
    uncompared: tuple = ('.git', '__pycache__', '.venv', 'node_modules', 'build')


CALC = {'calc.py': 'def add(a, b):\n    return a - b\n\n\ndef mul(a, b):\n    return a * b\n',
        'test_calc.py': 'import unittest\nimport calc\n\n\nclass Calc(unittest.TestCase):\n    def test_add(self):\n        self.assertEqual(calc.add(2, 3), 5)\n\n    def test_mul(self):\n        self.assertEqual(calc.mul(2, 3), 6)\n\n\nif __name__ == "__main__":\n    unittest.main()\n'}
TEST = ('sh', 'python3 -m unittest -q 2>/dev/null && echo passed')
GIT = 'export GIT_CONFIG_GLOBAL=/dev/null; git init -q -b main && git add -A && git -c user.name=a -c user.email=a@b commit -qm first'
PACKAGE = {'package.json': '{"name": "app", "version": "1.0.0", "private": true, "scripts": {"test": "node test.js"}, "dependencies": {"tiny": "^1.0.0"}}\n',
           'test.js': 'if (require("tiny")(1) !== 2) process.exit(1);\nconsole.log("passed " + require("tiny/package.json").version);\n'}
NPM = '--no-audit --no-fund --loglevel=error --fetch-retries 0 --registry http://127.0.0.1:{port}'  # it tries again for 70 s where nothing is reached
CONNECT = ('--connect', '127.0.0.1:{port}')
PNG = '''import struct, zlib
w, h = 64, 48
raw = b''.join(b'\\0' + bytes((x * 4, y * 5, 128) for x in range(0)) + b''.join(bytes((x * 4 & 255, y * 5 & 255, 128)) for x in range(w)) for y in range(h))
part = lambda kind, data: struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
image = b'\\x89PNG\\r\\n\\x1a\\n' + part(b'IHDR', struct.pack('>IIBBBBB', w, h, 8, 2, 0, 0, 0)) + part(b'IDAT', zlib.compress(raw)) + part(b'IEND', b'')
open('plot.png', 'wb').write(image)
print(len(image))
'''
BISECT = '\n'.join(['export GIT_CONFIG_GLOBAL=/dev/null', 'git init -q -b main', *(
    f'echo "{i}" > n.txt; echo "print({"1" if i < 5 else "0"})" > t.py; git add -A; git -c user.name=a -c user.email=a@b commit -qm "change {i}"' for i in range(8))])

TASKS = [
    Task('clone, patch, test', {'fix.patch': '--- a/calc.py\n+++ b/calc.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n-    return a - b\n+    return a + b\n'},
         [('sh', 'git clone -q {origin} project'), ('sh', 'cd project && patch -p1 -s < ../fix.patch'), ('sh', 'cd project && python3 -m unittest -q 2>/dev/null && echo passed')],
         needs=('--read', '{origin}'), expects=FLAGS, why='the origin lies outside the workspace', programs=('git', 'patch')),
    Task('npm install, test', PACKAGE, [('sh', f'npm install {NPM} >/dev/null'), ('sh', 'npm test --silent')], needs=CONNECT, expects=FLAGS, why='no network is granted', programs=('npm',)),
    Task('git commit', {'a.txt': 'a\n'}, [('write', 'a.txt', 'b\n'), ('sh', 'git add -A && git commit -qm second && git log --format="%an %s %T"')], setup=GIT, programs=('git',)),
    Task('C build with make', {'Makefile': 'build/app: main.c lib.c\n\tmkdir -p build && $(CC) -O1 -Wall -o $@ $^\ntest: build/app\n\t./build/app\n', 'main.c': '#include <stdio.h>\nint twice(int);\nint main(void) { printf("%d\\n", twice(21)); return 0; }\n',
                               'lib.c': 'int twice(int n) { return 2 * n; }\n'}, [('sh', 'make -s'), ('sh', 'make -s test')], programs=('make', 'cc')),
    Task('refactor by edits', {**CALC, 'use.py': 'from calc import mul\nprint(mul(3, 4))\n'}, [('edit', 'calc.py', 'def mul(a, b)', 'def multiply(a, b)'), ('edit', 'use.py', 'import mul', 'import multiply'), ('edit', 'use.py', 'print(mul', 'print(multiply'),
                                                                                            ('sh', 'python3 use.py')]),
    Task('search', {f'src/m{i}.py': f'def f{i}():\n    return {"needle" if i % 7 == 0 else "hay"!r}\n' for i in range(60)}, [('search', 'needle'), ('sh', 'grep -rl needle src | sort | wc -l')]),
    Task('dev server, one call', {'a.txt': 'served\n'}, [('sh', 'python3 -m http.server {own} --bind 127.0.0.1 >/dev/null 2>&1 & server=$!\nfor i in $(seq 50); do curl -sf http://127.0.0.1:{own}/a.txt && break; sleep 0.1; done; kill $server')], programs=('curl',)),
    Task('dev server, two calls', {'a.txt': 'served\n'}, [('sh', 'python3 -m http.server {own} --bind 127.0.0.1 >/dev/null 2>&1 & echo $! > pid; sleep 0.3'), ('sh', 'curl -sf http://127.0.0.1:{own}/a.txt'), ('sh', 'kill $(cat pid); rm pid')],
         expects=DIFFERS, why='what a call started ends with it', programs=('curl',)),
    Task('report from a CSV', {'sales.csv': 'region,amount\n' + ''.join(f'{"nsew"[i % 4]},{i * 3}\n' for i in range(400))},
         [('py', 'import collections, csv\nsums = collections.Counter()\nfor row in csv.DictReader(open("sales.csv")):\n    sums[row["region"]] += int(row["amount"])\n'
                 'open("report.md", "w").write("".join(f"| {k} | {v} |\\n" for k, v in sorted(sums.items())))\nprint(sum(sums.values()))'), ('read', 'report.md')]),
    Task('SQLite query', {}, [('sh', 'sqlite3 shop.db "select name, sum(n) from sold join thing using (id) group by name order by name"'), ('py', 'import sqlite3\nprint(sqlite3.connect("shop.db").execute("select count(*) from sold").fetchone())')],
         setup='sqlite3 shop.db "create table thing (id, name); create table sold (id, n); insert into thing values (1, \'a\'), (2, \'b\'); insert into sold values (1, 5), (2, 7), (1, 6)"', programs=('sqlite3',)),
    Task('format', {'a.c': 'int  main( void ){return   0;}\n', '.clang-format': 'BasedOnStyle: LLVM\n'}, [('sh', 'clang-format -i a.c && cat a.c')], programs=('clang-format',)),
    Task('lint', {'a.sh': '#!/bin/sh\necho $1\n'}, [('sh', 'shellcheck -f gcc a.sh; echo status $?')], programs=('shellcheck',)),
    Task('update a dependency', {**PACKAGE, 'package.json': PACKAGE['package.json'].replace('^1.0.0', '1.0.0')}, [('sh', f'npm install tiny@1.1.0 --save-exact {NPM} >/dev/null'), ('sh', 'npm test --silent')], setup=f'npm install {NPM} >/dev/null', needs=CONNECT, expects=FLAGS,
         why='no network is granted', programs=('npm',)),
    Task('fix a failing test', CALC, [TEST, ('read', 'calc.py'), ('edit', 'calc.py', 'return a - b', 'return a + b  # the sum'), TEST]),
    Task('rename across files', {f'pkg/m{i}.py': f'import pkg.old\nx{i} = pkg.old.name\n' for i in range(30)} | {'pkg/old.py': 'name = 1\n', 'pkg/__init__.py': ''},
         [('sh', "git mv pkg/old.py pkg/new.py && grep -rl 'pkg\\.old' pkg | xargs sed -i 's/pkg\\.old/pkg.new/g'"), ('sh', 'python3 -c "import pkg.m7; print(pkg.m7.x7)" && git status --short | wc -l')],
         setup=GIT + '; echo __pycache__ > .git/info/exclude', programs=('git',)),
    Task('generate docs', {'mod.py': '"""What it does."""\n\n\ndef f(x):\n    """Twice x."""\n    return 2 * x\n'}, [('sh', 'python3 -m pydoc -w mod >/dev/null && grep -c Twice mod.html')], uncompared=('mod.html', '__pycache__')),
    Task('bisect', {}, [('sh', 'git bisect start HEAD HEAD~7 >/dev/null && git bisect run sh -c \'test "$(python3 t.py)" = 1\' | grep -c "is the first bad commit"; git log -1 --format=%s refs/bisect/bad; git bisect reset 2>/dev/null; git log -1 --format=%s')], setup=BISECT, programs=('git',)),
    Task('archive and unarchive', {f'd/{i}.txt': f'{i}\n' * 50 for i in range(100)}, [('sh', 'tar czf d.tgz d && zip -qr d.zip d'), ('sh', 'mkdir x y && tar xzf d.tgz -C x && unzip -q d.zip -d y && diff -r x y && rm d.tgz d.zip && find x -type f | wc -l')], programs=('zip', 'unzip')),
    Task('notebook with a kernel', {}, [('py', 'import math\nvalues = [math.sqrt(i) for i in range(5)]'), ('py', 'values.append(9.0)'), ('py', 'print(round(sum(values), 3))')], ways=('kernel', 'mcp'), expects=DIFFERS,
         why='no tool of the server keeps variables: `--kernel` of ambit run does'),
    Task('image by Python', {}, [('py', PNG)]),
    Task('long test with progress', {'t.sh': '#!/bin/sh\nfor i in 1 2 3 4 5 6; do echo "test $i ok"; sleep 0.3; done\n'}, [('sh', './t.sh')]),
    Task('virtual environment', {}, [('sh', 'python3 -m venv .venv && .venv/bin/pip install -q --disable-pip-version-check --no-index --find-links {home}/wheels tiny'), ('sh', '.venv/bin/python -c "import tiny; print(tiny.n)"')], needs=('--read', '{home}/wheels'), expects=FLAGS,
         why='the wheels lie outside the workspace'),
    Task('read a key', {}, [('sh', 'cat {home}/.ssh/id_ed25519')], expects=DENIED, why='nothing grants it'),
    Task('push to a host', {'a.txt': 'a\n'}, [('sh', 'git push -q https://192.0.2.1/x.git main')], setup=GIT, expects=DENIED, why='nothing grants it', programs=('git',)),
    Task('plant a hook of git', {'a.txt': 'a\n'}, [('sh', 'echo "#!/bin/sh" > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit; echo done')], setup=GIT, expects=DENIED, why='git would run it', programs=('git',), uncompared=()),
]


def lay(task, at, fill):
    for path, text in task.files.items():
        path = os.path.join(at, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        if text.startswith('#!'):
            os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
    if task.setup:
        subprocess.run(['bash', '-c', fill(task.setup).replace('--fetch-retries 0', '--fetch-retries 3')], cwd=at, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wheel(directory):
    """A package of Python that pip takes from there."""
    with zipfile.ZipFile(os.path.join(directory, 'tiny-1.0-py3-none-any.whl'), 'w') as z:
        z.writestr('tiny.py', 'n = 7\n')
        z.writestr('tiny-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n')
        z.writestr('tiny-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n')
        z.writestr('tiny-1.0.dist-info/RECORD', '')
