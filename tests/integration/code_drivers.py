#!/usr/bin/env python3
"""The drivers of code events, without a cell: interpreters are started with pipes at 3 and 4, and each source is given at once and to one that waits.

usage: code_drivers.py DIRECTORY    (TAP on standard output)
AMBIT_TEST_PYTHONS and AMBIT_TEST_NODES: the interpreters, if not those of the machine; AMBIT_TEST_ONLY=WORD limits it to rows whose name has the word.
"""

import base64
import concurrent.futures
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from harness import SLOW, Tap, write

WAITS = 0.3  # seconds for which the warm one waits for its code
MOST = 16 << 20
P, N, S = "python", "node", "shell"
PNG = b"\x89PNG\r\n\x1a\nrest"
SHAPES = """
class Table:
    def __repr__(self): return "Table"
    def _repr_html_(self): return "<b>1</b>"
class Picture:
    def _repr_png_(self): return b"\\x89PNG\\r\\n\\x1a\\nrest"
    def _repr_svg_(self): return "<svg/>"
class Bundle:
    def _repr_mimebundle_(self, include=None, exclude=None): return {"text/plain": "b", "application/json": {"a": 1}}, {}
class Broken:
    def __repr__(self): raise KeyError("no")
    def _repr_html_(self): raise ValueError("no")
class Deep:
    def __repr__(self): return repr([self])
class Huge:
    def __repr__(self): return "x" * (3 << 20)
class Leaves:
    def __repr__(self): raise SystemExit(9)
class Anything:
    def __getattr__(self, name): return lambda *a, **k: "any"
"""
PYPLOT = """
import os
class Figure:
    def savefig(self, file, **how): file.write(b"\\x89PNG\\r\\n\\x1a\\nrest" + os.environ["MPLBACKEND"].encode())
"""
PLOT = {"matplotlib/__init__.py": "rcParams = {}\n", "matplotlib/figure.py": PYPLOT,
        "matplotlib/pyplot.py": "from .figure import Figure\nmade = {}\ndef figure(n=1): return made.setdefault(n, Figure())\ndef get_fignums(): return list(made)\n"}


def value(text, kind=None, **exactly):
    return {"text": text, **({"type": kind} if kind else {}), **exactly}


def error(kind, message=None, line=None, **more):
    return {"type": kind, **({"message": message} if message is not None else {}), "line": line, **more}


# Language, name, source, what is expected: `value` (members that it must have; None: null), `error` (the same), `displays` (MIME types and beginnings of data),
# `status`, `out` and `err` (all of it; a pattern if it is compiled), `none` (no document), `cut`. And what it is given: `files`, `env`, `show`, `header`.
ROWS = [
    # ---- Python: values ----
    (P, "a number", "x = 6\nx * 7", {"value": value("42", "int", json=42)}),
    (P, "nothing", "", {"value": None}),
    (P, "None", "print('a')\nNone", {"value": None, "out": "a\n"}),
    (P, "no expression", "x = 1", {"value": None}),
    (P, "exact", "[{'a': [1, -0.5, True, None, 'ä\\n']}]", {"value": value("[{'a': [1, -0.5, True, None, 'ä\\n']}]", "list", json=[{"a": [1, -0.5, True, None, "ä\n"]}])}),
    (P, "not exact", "[(1, 2)]", {"value": {"text": "[(1, 2)]", "json": ...}}),
    (P, "a large number", "2 ** 60", {"value": {"text": str(2 ** 60), "json": ...}}),
    (P, "no number", "float('nan')", {"value": {"text": "nan", "json": ...}}),
    (P, "a surrogate", "'a\\ud800'", {"value": {"text": "'a\\ud800'", "json": ...}}),
    (P, "a NUL in a value", "chr(0)", {"value": {"json": "\0"}}),
    (P, "an object in itself", "a = []\na.append(a)\na", {"value": {"text": "[[...]]", "json": ...}}),
    (P, "many objects that are one", "a = []\nfor _ in range(60): a = [a, a]\nlen(a)", {"value": value("2")}),
    (P, "a class", "class C: pass\nC", {"value": value("<class '__main__.C'>", "type")}),
    (P, "its class", "import decimal\ndecimal.Decimal(1)", {"value": value("Decimal('1')", "decimal.Decimal")}),
    (P, "future", "from __future__ import annotations\ndef f(x: nope): pass\nf.__annotations__", {"value": value("{'x': 'nope'}")}),
    (P, "a document string", "'''of it'''\n__doc__", {"value": value("'of it'")}),
    (P, "comprehension in the last expression", "n = 3\n[n for _ in range(n)]", {"value": value("[3, 3, 3]")}),
    (P, "shown", "'ä'", {"show": True, "out": "'ä'\n", "value": value("'ä'")}),
    (P, "shown None", "display(1)\nNone", {"show": True, "out": "1\n", "value": None, "displays": []}),
    # ---- Python: displays ----
    (P, "displays", SHAPES + "display(Table(), 'a'); display(Picture())\nTable()", {
        "displays": [("text/html", "<b>1"), ("text/plain", "Table"), ("text/plain", "'a'"), ("image/svg+xml", "<svg/>"),
                     ("image/png", base64.b64encode(PNG).decode()), ("text/html", "<b>1")], "value": value("Table", "Table")}),
    (P, "a bundle", SHAPES + "display(Bundle()); display({'text/x': 'y'}, raw=True)", {
        "displays": [("text/plain", "b"), ("application/json", '{"a":1}'), ("text/x", "y")]}),
    (P, "objects that break", SHAPES + "display(Broken(), Anything(), Table)\nBroken()", {
        "displays": [("text/plain", "<Broken, whose repr raises KeyError"), ("text/plain", "<__main__.Anything"), ("text/plain", "<class")],
        "value": value("<Broken, whose repr raises KeyError: 'no'>"), "unlike": True}),
    (P, "a repr without end", SHAPES + "Deep()", {"value": value(re.compile("<Deep, whose repr raises RecursionError"))}),
    (P, "a huge repr", SHAPES + "Huge()", {"value": value("x" * (1 << 20)), "cut": True}),
    (P, "a repr that exits", SHAPES + "Leaves()", {"value": value("<Leaves, whose repr raises SystemExit: 9>")}),
    (P, "too much", "for _ in range(20): display({'text/plain': 'é' * (1 << 20)}, raw=True)", {"cut": True}),
    (P, "figures", "import matplotlib.pyplot as p\np.figure(1)\np.figure(2)\ndisplay(p.figure(2))", {
        "files": PLOT, "displays": [("image/png", base64.b64encode(PNG + b"Agg").decode())] * 2, "value": None}),
    (P, "a backend of their own", "import matplotlib.pyplot as p\np.figure()", {
        "files": PLOT, "env": {"MPLBACKEND": "svg"}, "displays": [("image/png", base64.b64encode(PNG + b"svg").decode())]}),
    # ---- Python: errors ----
    (P, "an error", "def f():\n    return 1/0\nf()", {"status": 1, "value": None, "error": error("ZeroDivisionError", "division by zero", 2, source="return 1/0"),
        "err": re.compile(r'Traceback \(most recent call last\):\n  File "<code>", line 3, in <module>\n    f\(\)\n( +[~^]+\n)?  File "<code>", line 2, in f\n    return 1/0\n')}),
    (P, "an error in a library", "import json\njson.loads('ä')", {"status": 1, "error": error("json.decoder.JSONDecodeError", None, 2, source="json.loads('ä')")}),
    (P, "a chain", "try:\n    {}['a']\nexcept KeyError:\n    raise ValueError('b')", {"status": 1, "error": error("ValueError", "b", 4),
        "err": re.compile(r"(?s).*line 2, in <module>\n    \{\}\['a'\].*During handling of the above.*line 4.*ValueError: b\n$")}),
    (P, "a surrogate in a message", "raise ValueError('\\ud800')", {"status": 1, "error": error("ValueError", "?", 1)}),
    (P, "a group", "raise ExceptionGroup('g', [ValueError('v')])" if sys.version_info >= (3, 11) else "raise ValueError('v')",
        {"status": 1, "err": re.compile("(?s).*ValueError: v"), "since": (3, 11)}),
    (P, "syntax", "x = 1\ny = (1,,2)\n", {"status": 1, "error": error("SyntaxError", "invalid syntax", 2, column=8, source="y = (1,,2)", frames=[])}),
    (P, "indentation", "if 1:\nx\n", {"status": 1, "error": error("IndentationError", None, 2)}),
    (P, "return outside", "x = 1\nreturn 5", {"status": 1, "error": error("SyntaxError", "'return' outside function", 2)}),
    (P, "recursion", "def f(): f()\nf()", {"status": 1, "error": error("RecursionError", None, 1)}),
    (P, "memory", "x = 1\nraise MemoryError", {"status": 1, "error": error("MemoryError", "", 2)}),
    (P, "an interrupt", "raise KeyboardInterrupt", {"status": 1, "error": error("KeyboardInterrupt", "", 1)}),
    (P, "a message that breaks", "class E(Exception):\n    def __str__(self): raise self\nraise E", {"status": 1, "error": error("E", "<its text raises>", 3)}),
    (P, "traceback of its own", "import traceback\ntry:\n    1/0\nexcept Exception:\n    traceback.print_exc()", {"err": re.compile("(?s).*line 3, in <module>\n    1/0\n")}),
    (P, "a thread's error", "import threading\ndef f():\n    1/0\nt = threading.Thread(target=f)\nt.start(); t.join()", {
        "value": None, "error": None, "err": re.compile(r"(?s).*line 3, in f\n.*ZeroDivisionError: division by zero\n$")}),
    (P, "its own hook", "import sys\nsys.excepthook = lambda *a: print('mine')\n1/0", {"status": 1, "out": "mine\n", "err": "", "error": error("ZeroDivisionError", None, 3)}),
    (P, "exit", "import sys\nprint('a')\nsys.exit(3)", {"status": 3, "out": "a\n", "error": None}),
    (P, "exit with words", "raise SystemExit('no')", {"status": 1, "err": "no\n", "error": None}),
    (P, "exit at once", "import os, sys\nprint('a')\nsys.stdout.flush()\nos._exit(4)", {"status": 4, "out": "a\n", "none": True}),
    # ---- Python: sources ----
    (P, "a cookie", "# -*- coding: latin-1 -*-\n'ä'", {"value": value("'ä'")}),
    (P, "a byte order mark", b"\xef\xbb\xbf1", {"value": value("1")}),
    (P, "returns", "x = '''a\r\nb'''\r\nx", {"value": value("'a\\nb'")}),
    (P, "a NUL", "x = 1\na\0b", {"status": 1, "error": error("SyntaxError", "the source has a NUL byte", 2, column=2)}),
    (P, "not UTF-8", b"x = 1\n'\xff'", {"status": 1, "error": error("SyntaxError", "the source is not UTF-8", 2, column=2)}),
    (P, "deeply nested", "(" * 3000 + ")" * 3000, {"status": 1, "error": {}}),
    # ---- Python: as -c ----
    (P, "its names", "sorted(n for n in globals() if n != '__annotations__')",
        {"value": value("['__builtins__', '__doc__', '__loader__', '__name__', '__package__', '__spec__']")}),
    (P, "the rest is lost", "print('ran')", {"header": b'{"v":1,"show":false,"bytes":13}\n', "out": "", "none": True}),
    (P, "the rest is there", "print('ran')", {"header": b'{"v":1,"show":false,"bytes":12}\n', "out": "ran\n"}),
    (N, "the rest is lost", "console.log('ran')", {"header": b'{"v":1,"show":false,"bytes":19}\n', "out": "", "none": True}),
    (N, "the rest is there", "console.log('ran')", {"header": b'{"v":1,"show":false,"bytes":18}\n', "out": "ran\n"}),
    (S, "the rest is lost", "echo ran", {"tail": b"", "status": 2, "out": ""}),
    (S, "the end of it is lost", "echo ran", {"tail": b"\0who", "status": 2, "out": ""}),
    (P, "a file that nobody closed", "f = open('made', 'w'); f.write('all of it')\nimport os\nprint(os.path.getsize('made'))", {"out": "0\n", "left": {"made": "all of it"}}),
    (P, "a finalizer", "class A:\n  def __del__(self): print('gone', flush=True)\na = A(); b = A(); b.b = b\nNone", {"out": "gone\ngone\n"}),
    (P, "a file of a module of its own", "import own\nown.f.write('kept')", {"files": {"own.py": "f = open('made', 'w')\n"}, "left": {"made": "kept"}}),
    (P, "arguments", "import sys\nsys.argv, __name__, __doc__, sys.path[0], __builtins__.__name__", {"value": value("(['-c'], '__main__', None, '', 'builtins')")}),
    (P, "modules of the workspace", "import mine, token\nmine.a, token.b", {"files": {"mine.py": "a = 1", "token.py": "b = 2"}, "value": value("(1, 2)")}),
    (P, "modules that are named as ours", "import traceback, linecache, json, binascii, token\n1/0", {
        "files": {f"{n}.py": "" for n in ("traceback", "linecache", "json", "binascii", "token", "tokenize", "asyncio", "re", "select")},
        "status": 1, "error": error("ZeroDivisionError", None, 2), "err": re.compile("(?s).*line 2, in <module>\n    1/0\n")}),
    (P, "the path", "import sys, os\n[os.path.basename(p) for p in sys.path[:3]]", {"env": {"PYTHONPATH": "/nope/a:b"}, "value": value("['', 'a', 'b']")}),
    (P, "pickling", "import pickle\nclass A: pass\ntype(pickle.loads(pickle.dumps(A()))) is A", {"value": value("True")}),
    (P, "processes", "import multiprocessing as m\ndef f(x): return x * x\nif __name__ == '__main__':\n    with m.get_context('fork').Pool(2) as p:\n"
        "        r = p.map(f, [1, 2, 3])\nr",
        {"value": value("[1, 4, 9]")}),
    (P, "await", "import asyncio\nasync def f():\n    await asyncio.sleep(0.01)\n    return 5\nx = await f()\nawait f() + x", {"value": value("10")}),
    (P, "await that fails", "async def f():\n    1/0\nawait f()", {"status": 1, "error": error("ZeroDivisionError", None, 2), "err": re.compile(
        '(?s)Traceback[^\n]*\n  File "<code>", line 3, in <module>\n')}),
    (P, "async for", "async def f():\n    yield 1\n[x async for x in f()]", {"value": value("[1]")}),
    (P, "threads are waited for", "import threading, time\ndef f():\n    time.sleep(0.2)\n    display(1)\n    print('late')\nthreading.Thread(target=f).start()\n5", {
        "value": value("5"), "out": "late\n", "displays": [("text/plain", "1")]}),
    (P, "daemon threads are not", "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n5", {"value": value("5")}),
    (P, "atexit", "import atexit\natexit.register(lambda: (print('bye'), display(2)))\n1/0", {"status": 1, "out": "bye\n", "displays": [("text/plain", "2")]}),
    (P, "random numbers", "import random\nrandom.random() != random.Random(0).random()", {"value": value("True"), "modules": ["random"]}),
    (P, "no descriptors", "import os\n[f for f in range(3, 50) if os.path.exists(f'/proc/self/fd/{f}')]", {"value": value("[]")}),
    (P, "no descriptors in programs", "import subprocess\nsubprocess.run('ls /proc/self/fd', shell=True, close_fds=False, capture_output=True, text=True).stdout.split()", {
        "value": value("['0', '1', '2', '3']")}),
    (P, "no bytecode", "import mine, os\nos.path.exists('__pycache__')", {"files": {"mine.py": ""}, "env": {"PYTHONDONTWRITEBYTECODE": "1"}, "value": value("False")}),
    (P, "no header", b"", {"header": b"", "none": True, "status": 0}),
    (P, "a bad header", b"", {"header": b"nonsense\n", "none": True, "status": 2, "err": re.compile("no code came: ")}),
    # ---- Python: virtual environments ----
    (P, "an environment", "import sys, inside, early\ninside.a, sys.prefix == __import__('os').path.abspath('.venv')", {"files": "venv", "value": value("(7, True)")}),
    (P, "an environment that is named", "import sys, inside\ninside.a", {"files": "venv", "move": "env2", "env": {"VIRTUAL_ENV": "env2"}, "value": value("7")}),
    (P, "none of another version", "1", {"files": {".venv/pyvenv.cfg": "home = /usr/bin\nversion = 3.1.0\n"}, "status": 1, "error": error("VirtualEnvironmentError", re.compile(
        "the virtual environment /.*/.venv is one of Python 3.1.0, and this is"), None)}),
    (P, "none at all", "1", {"files": {".venv/pyvenv.cfg": "version = 3.1.0\n"}, "env": {"VIRTUAL_ENV": ""}, "value": value("1")}),
    # ---- Python: hostile ----
    (P, "garbage to all descriptors", "import os\nfor f in range(3, 21):\n    try: os.write(f, b'{}')\n    except OSError: pass\n5", {"value": value("5")}),
    (P, "all descriptors closed", "import os\nos.closerange(3, 4096)\n5", {"none": True}),
    (P, "another file in its place", "import os\nos.closerange(3, 4096)\nf = os.open('a', os.O_RDWR | os.O_CREAT)\nfor n in range(4, 1024): os.dup2(f, n)\n"
        "print(os.fstat(f).st_size)", {"none": True, "left": {"a": ""}}),
    (P, "killed", "import os\nos.kill(os.getpid(), 9)", {"status": -9, "none": True}),
    (P, "another stdout", "import sys\nsys.stdout = None\nsys.stderr = 5\nsys.__stdout__ = 6\n1/0", {"status": 120, "error": error("ZeroDivisionError", None, 5)}),
    (P, "no builtins", "import builtins\nv = vars(builtins)\nfor n in list(v):\n    if n != '__import__': del v[n]\n1/0",
        {"status": 1, "error": error("ZeroDivisionError", None, 5)}),
    (P, "no builtins, and a value", "import builtins\nvars(builtins).clear()\n5", {"value": value("5", json=5), "err": re.compile("")}),
    (P, "two ends", "import os\npid = os.fork()\nif pid: os.waitpid(pid, 0)\n'parent' if pid else 'child'", {"value": value("'parent'")}),
    (P, "a child that stays", "import os, time\nif os.fork() == 0:\n    os.close(0); os.close(1); os.close(2)\n    time.sleep(5)\n    os._exit(0)\n5",
        {"value": value("5"), "quick": 4}),
    (P, "much output", "print('x' * (1 << 20))\n5", {"out": "x" * (1 << 20) + "\n", "value": value("5")}),
    (P, "no main", "import sys\nsys.modules.clear()\nglobals().clear()\n", {"value": None}),
    (P, "no main, and an error", "import sys\nsys.modules['__main__'] = None\n__builtins__ = None\n1/0", {"status": 1, "error": error("ZeroDivisionError", None, 4)}),
    (P, "traced", "import sys\ndef t(*a): raise ValueError\nsys.settrace(t); sys.setprofile(t)", {"document": True}),
    (P, "little recursion", "import sys\nsys.setrecursionlimit(30)\n1/0", {"status": 1, "error": error("ZeroDivisionError", None, 3)}),
    (P, "an odd error", "class M(type):\n    @property\n    def __module__(c): return 1/0\nclass E(Exception, metaclass=M): pass\nraise E", {"status": 1, "document": True}),
    (P, "a broken path", "import sys\nsys.path = sys.meta_path = sys.path_hooks = 5\n1/0", {"status": 1, "error": error("ZeroDivisionError", None, 3)}),
    (P, "the end is called early", "import atexit\natexit.register(print, 'a')\natexit._run_exitfuncs()\n5", {"out": "a\n", "value": value("5")}),
    # ---- JavaScript: values ----
    (N, "a number", "const x = 6;\nx * 7", {"value": value("42", "number", json=42)}),
    (N, "nothing", "", {"value": None}),
    (N, "undefined", "const x = 1;", {"value": None}),
    (N, "null", "null", {"value": value("null", "null", json=None)}),
    (N, "exact", "({a: [1, -0.5, true, null, 'ä']})", {"value": value("{ a: [ 1, -0.5, true, null, 'ä' ] }", "Object", json={"a": [1, -0.5, True, None, "ä"]})}),
    (N, "not exact", "[undefined]", {"value": {"text": "[ undefined ]", "json": ...}}),
    (N, "holes", "[1,,2]", {"value": {"text": "[ 1, <1 empty item>, 2 ]", "json": ...}}),
    (N, "a BigInt", "2n ** 64n", {"value": {"text": "18446744073709551616n", "type": "bigint", "json": ...}}),
    (N, "itself", "const a = {}; a.a = a; a", {"value": {"text": "<ref *1> { a: [Circular *1] }", "json": ...}}),
    (N, "a map", "new Map([[1, 2]])", {"value": {"text": "Map(1) { 1 => 2 }", "type": "Map", "json": ...}}),
    (N, "a symbol", "Symbol('a')", {"value": {"text": "Symbol(a)", "type": "symbol", "json": ...}}),
    (N, "a function", "(function f() {})", {"value": {"text": "[Function: f]", "type": "function", "json": ...}}),
    (N, "a class of its own", "class A { constructor() { this.a = 1 } }\nnew A()", {"value": {"text": "A { a: 1 }", "type": "A", "json": ...}}),
    (N, "a surrogate", "'a\\ud800'", {"value": {"text": re.compile(r"(?i)'a\\uD800'"), "json": ...}}),
    (N, "toJSON", "({a: 1, toJSON() { throw 1 }})", {"value": {"type": "Object", "json": ...}}),
    (N, "a getter", "({get a() { throw 1 }})", {"value": {"text": "{ a: [Getter] }", "json": ...}}),
    (N, "a proxy", "new Proxy({}, {get() { throw 1 }, ownKeys() { throw 1 }, getPrototypeOf() { throw 1 }})", {"value": {"text": "{}", "type": "Proxy", "json": ...}}),
    (N, "its inspection throws", "({[Symbol.for('nodejs.util.inspect.custom')]() { throw new Error('no') }})",
        {"value": {"text": re.compile("<Object, whose inspection throws"), "json": ...}}),
    (N, "a promise", "(async () => { await null; return 5 })()", {"value": {"text": "Promise { 5 }", "json": ...}}),
    (N, "shown", "display(1); 'ä'", {"show": True, "out": "1\n'ä'\n", "displays": []}),
    (N, "displays", "display({mime: 'text/x', data: 'y'}, Buffer.from('" + base64.b64encode(PNG).decode() + "', 'base64'), ' <svg/>', '<b>x</b>', 'a < b', [1]);'<svg></svg>'", {
        "displays": [("text/x", "y"), ("image/png", base64.b64encode(PNG).decode()), ("image/svg+xml", " <svg/>"), ("text/html", "<b>x"), ("text/plain", "a < b"),
                     ("text/plain", "[ 1 ]"), ("image/svg+xml", "<svg></svg>")]}),
    (N, "a huge value", "'x'.repeat(3 << 20)", {"value": {"json": ...}, "cut": True}),
    (N, "too much", "for (let i = 0; i < 20; i++) display('é'.repeat(1 << 20))", {"cut": True}),
    # ---- JavaScript: the last expression ----
    (N, "await", "const x = await Promise.resolve(4);\nx + 1 // five", {"value": value("5", json=5)}),
    (N, "await at the end", "await 5;;  /* c */ // d", {"value": value("5")}),
    (N, "await that is a call to parsers of scripts", "await (3)", {"value": value("3")}),
    (N, "a name", "var await = 3; await", {"value": value("3")}),
    (N, "await, and many lines", "await 0\n[1,\n 2,\n 3]\n  .map(x => {\n  const y = x;\n  return y + 1;\n})",
        {"status": 1, "error": error("TypeError", None, None, line_any=True)}),
    (N, "await, and lines of an array", "await 0;\n[1,\n 2]\n  .map(x => {\n  const y = x;\n  return y + 1;\n})", {"value": value("[ 2, 3 ]")}),
    (N, "await, and two lines that are one", "const f = (x) => x + 1, a = await 1\nf\n(a)", {"value": value("2")}),
    (N, "await, and a sum in two lines", "const a = await 1;\na\n+ 4", {"value": value("5")}),
    (N, "await, and two lines that are two", "let a = await 1\na\n++a", {"value": value("2")}),
    (N, "await, and a block", "await 1;\n{ 5 }", {"value": None}),
    (N, "await, and an object", "await 1;\n({ a: 5 })", {"value": value("{ a: 5 }", json={"a": 5})}),
    (N, "await, and a function behind", "await 1;\nfunction f() {}", {"value": None}),
    (N, "await, and a condition", "if (await 1) 5", {"value": None}),
    (N, "await, and a template", "const x = await 1;\n`a;\n${x}\n`", {"value": value("'a;\\n1\\n'")}),
    (N, "await, and an expression of patterns", "await 1; /a;b/.test('a;b')", {"value": value("true")}),
    (N, "await, and a comment with an end", "await 1; 7 // ; 8", {"value": value("7")}),
    (N, "static imports", "import {readFileSync as r, existsSync} from 'fs'\nimport path, {join} from \"node:path\"; import * as os from 'os';\nimport 'util'\nconst t = `\n"
        "import x from 'y'\n`;\n"
        "// ; import z from 'z'\n[r, existsSync, path.join, join, os.cpus].map(x => typeof x).join() + t.length",
        {"value": value("'function,function,function,function,function19'")}),
    (N, "an import of the workspace", "import a, {b} from './mine.mjs'; a + b", {"files": {"mine.mjs": "export default 1; export const b = 2"}, "value": value("3")}),
    (N, "import()", "const m = await import('./mine.mjs'); m.b", {"files": {"mine.mjs": "export const b = 2"}, "value": value("2"), "err": ""}),
    (N, "import() in a script", "import('./mine.mjs').then(m => console.log(m.b))\n0", {"files": {"mine.mjs": "export const b = 2"}, "out": "2\n", "err": "", "value": value("0")}),
    (N, "an import that is not there", "\nimport x from './nope.mjs'", {"status": 1, "error": error("Error", re.compile("Cannot find module"), 2, column=1)}),
    (N, "a name that is not there", "import fs from 'fs'; import {nope} from 'fs'",
        {"status": 1, "error": error("SyntaxError", "The requested module 'fs' does not provide an export named 'nope'", 1, column=22)}),
    # ---- JavaScript: errors ----
    (N, "an error", "function f() {\n  throw new TypeError('bad')\n}\nf()",
        {"status": 1, "value": None, "error": error("TypeError", "bad", 2, column=9, source="throw new TypeError('bad')"),
        "err": "<code>:2\n  throw new TypeError('bad')\n        ^\n\nTypeError: bad\n    at f (<code>:2:9)\n    at <code>:4:1\n"}),
    (N, "an error behind await", "await null;\n  boom.x", {"status": 1, "error": error("ReferenceError", "boom is not defined", 2, column=3),
        "err": re.compile(r"(?s).*at <code>:2:3\n$")}),
    (N, "an error in the first line", "const a = await 1; a.b.c", {"status": 1, "error": error("TypeError", None, 1, column=24)}),
    (N, "syntax", "let a\nlet b = (1,,2)", {"status": 1, "error": error("SyntaxError", "Unexpected token ','", 2, column=12, source="let b = (1,,2)", frames=[])}),
    (N, "syntax in the first line, behind await", "let b = await (1,,2)", {"status": 1, "error": error("SyntaxError", "Unexpected token ','", 1, column=18), "err": re.compile(
        r"<code>:1\nlet b = await \(1,,2\)\n                 \^\n\nSyntaxError: Unex")}),
    (N, "syntax behind await", "await 1\nlet b = (1,,2)", {"status": 1, "error": error("SyntaxError", "Unexpected token ','", 2, column=12)}),
    (N, "the end is missing", "f(\n", {"status": 1, "error": error("SyntaxError", "Unexpected end of input", 2, column=1)}),
    (N, "the end is missing behind await", "await (3", {"status": 1, "error": error("SyntaxError", "Unexpected end of input", 1, column=9)}),
    (N, "no error is thrown", "throw {a: 1}", {"status": 1, "error": error("Object", "{ a: 1 }", None), "err": "Uncaught { a: 1 }\n"}),
    (N, "later", "setTimeout(() => {\n  throw new Error('late')\n}, 10); 5", {"status": 1, "error": error("Error", "late", 2)}),
    (N, "a rejection", "\nPromise.reject(new RangeError('r'))", {"status": 1, "error": error("RangeError", "r", 2)}),
    (N, "a cause", "throw new Error('a', {cause: new Error('b')})", {"status": 1, "error": error("Error", "a", 1), "err": re.compile(r"(?s).*\[cause\]: Error: b\n")}),
    (N, "it is caught", "process.on('uncaughtException', e => console.log(e.message)); throw new Error('a')", {"out": "a\n", "status": 0, "error": None}),
    (N, "never", "await new Promise(() => {})", {"status": 1, "error": error("Error", "the code awaits what never comes", None)}),
    (N, "recursion", "function f() { f() }\nf()", {"status": 1, "error": error("RangeError", None, 1)}),
    (N, "exit", "console.log('a'); process.on('exit', () => console.log('bye')); process.exit(3)", {"status": 3, "out": "a\nbye\n", "error": None}),
    (N, "exit later", "setTimeout(() => process.exit(4), 10); display(1); 5", {"status": 4, "value": value("5"), "displays": [("text/plain", "1")]}),
    (N, "its status", "process.exitCode = 6; 5", {"status": 6, "value": value("5")}),
    (N, "the loop is drained", "setTimeout(() => { console.log('late'); display(2) }, 50); 5", {"out": "late\n", "value": value("5"), "displays": [("text/plain", "2")]}),
    (N, "at its end", "process.on('exit', () => display(3)); 5", {"value": value("5"), "displays": [("text/plain", "3")]}),
    # ---- JavaScript: as -e ----
    (N, "its names", "[module.id, __filename, __dirname, process.argv.length, typeof exports, require.main === undefined, this === globalThis].join()", {"value": value(
        "'[eval],[eval],.,1,object,true,true'")}),
    (N, "require", "require('./mine').a", {"files": {"mine.js": "exports.a = 5"}, "value": value("5")}),
    (N, "require of a package", "require('pack')", {"files": {"node_modules/pack/index.js": "module.exports = 6"}, "value": value("6")}),
    (N, "no descriptors in programs", "require('child_process').execSync('ls /proc/self/fd').toString().split('\\n').join()", {"value": value("'0,1,2,3,'")}),
    (N, "a byte order mark", b"\xef\xbb\xbf1", {"value": value("1")}),
    (N, "returns", "let a = 1;\r\na.b.c", {"status": 1, "error": error("TypeError", None, 2)}),
    (N, "a NUL", "1\n\0", {"status": 1, "error": error("SyntaxError", "the source has a NUL byte", 2, column=1)}),
    (N, "not UTF-8", b"1\n'\xff'", {"status": 1, "error": error("SyntaxError", "the source is not UTF-8", 2, column=2)}),
    (N, "a hash bang", "#!/usr/bin/env node\nawait 5", {"value": value("5")}),
    (N, "no header", b"", {"header": b"", "none": True, "status": 0}),
    # ---- JavaScript: hostile ----
    (N, "primordials",
        "JSON.stringify = () => 'x'; Array.prototype.push = Array.prototype.join = Array.prototype[Symbol.iterator] = () => { throw 1 }; Object.prototype.toJSON = () => 'x';\n"
        "String.prototype.slice = String.prototype.split = String.prototype.indexOf = () => { throw 1 }; Object.keys = () => { throw 1 }; Buffer.from = () => { throw 1 };\n"
        "require('fs').writeSync = () => { throw 1 }; process.exit = () => {};\n"
        "Object.defineProperty(Object.prototype, 'get', { value: 1 }); RegExp.prototype.exec = () => { throw 1 };\ndisplay(1); ({a: ['b']})",
        {"displays": [("text/plain", "1")], "value": value(re.compile(r"""\{ ?"?a"?: ?\[ ?['"]b['"] ?\] ?\}"""), json={"a": ["b"]})}),
    (N, "primordials, and an error", "String.prototype.slice = String.prototype.split = String.prototype.indexOf = String.prototype.trim = () => { throw 1 };\n"
        "Array.prototype.push = () => { throw 2 };\n"
        "Error.prepareStackTrace = () => { throw 3 };\nnull.x", {"status": 1, "document": True}),
    (N, "garbage to low descriptors", "const fs = require('fs');\nfor (let f = 3; f < 6; f++) try { fs.writeSync(f, '{}') } catch {}\n5", {"document": True}),
    (N, "its own descriptor closed", "const fs = require('fs');\nfor (let f = 36; f < 300; f++) try { fs.closeSync(f) } catch {}\n5", {"none": True}),
    (N, "killed", "process.kill(process.pid, 9)", {"status": -9, "none": True}),
    (N, "no listeners", "process.removeAllListeners(); setTimeout(() => { throw 1 }); 5", {"status": 1, "document": True}),
    (N, "no process", "globalThis.process = undefined; globalThis.Buffer = undefined; globalThis.String = undefined;\n5", {"value": value("5")}),
    (N, "much output", "console.log('x'.repeat(1 << 20)); 5", {"out": "x" * (1 << 20) + "\n", "value": value("5")}),
    (N, "a stack that breaks", "const e = new Error('a'); Object.defineProperty(e, 'stack', { get() { throw 1 } }); throw e", {"status": 1, "document": True}),
    (N, "a long source", "await 0;\n" + "let a = 1; a = 2;\n{ a }\n".replace("let a = 1; ", "") .replace("a", "globalThis.b") * 20000 + "5", {"value": value("5"), "quick": 15}),
    # ---- the shell ----
    (S, "output", "echo a\necho b >&2", {"out": "a\n", "err": "b\n"}),
    (S, "its own state", "echo $0 $# \"$BASH_EXECUTION_STRING\"; declare -p MAPFILE", {"status": 1, "out": "bash 0 echo $0 $# \"$BASH_EXECUTION_STRING\"; declare -p MAPFILE\n",
        "err": "bash: line 1: declare: MAPFILE: not found\n"}),
    (S, "a status", "echo a; exit 3", {"status": 3, "out": "a\n"}),
    (S, "the last status", "false", {"status": 1}),
    (S, "lines", "echo $LINENO\n\nnope\necho $LINENO", {"out": "1\n4\n", "err": "bash: line 3: nope: command not found\n"}),
    (S, "syntax", "echo a\nif x; then", {"status": 2, "out": "a\n", "err": re.compile("bash: eval: line 3: syntax error")}),
    (S, "a document", "cat <<X\na $((1 + 1))\nX", {"out": "a 2\n"}),
    (S, "a trap", "trap 'echo bye' EXIT; exit 2", {"status": 2, "out": "bye\n"}),
    (S, "nothing", "", {"status": 0, "out": "", "err": ""}),
    (S, "a NUL", "echo a\0b", {"status": 1, "out": "", "err": "bash: a NUL byte\n"}),
    (S, "no descriptors", "for f in /proc/self/fd/3 /proc/$$/fd/3 /proc/$$/fd/4; do [ -e $f ] && echo $f; done; true", {"out": ""}),
    (S, "no UTF-8", b"printf '\xff\\n' | od -An -tx1", {"out": " ff 0a\n"}),
    (S, "a long source", "true\n" * 100000 + "echo a", {"out": "a\n"}),
    (S, "garbage", "for f in 3 4 5 6 7 8 9; do echo x >&$f; done 2>/dev/null; echo a", {"out": "a\n"}),
]


class Row:
    def __init__(self, directory, program, language, name, source, expected):
        self.language, self.name, self.expected = language, f"{os.path.basename(program)}: {name}", expected
        self.source = source if isinstance(source, bytes) else source.encode()
        with open(os.path.join(directory, {P: "python.py", N: "node.js", S: "shell.sh"}[language]), encoding="utf-8") as file:
            driver = file.read()
        self.argv = [program, *{P: ["-I", "-c"], N: ["-e"], S: ["-c"]}[language], driver, *(["bash"] if language == S else []), *expected.get("modules", [])]
        header = b"" if language == S else b'{"v":1,"show":%s}\n' % (b"true" if expected.get("show") else b"false")
        self.header = expected.get("header", header)
        self.tail = expected.get("tail", b"\0whole\0" if language == S else b"")

    def workspace(self, top):
        files = self.expected.get("files", {})
        if files == "venv":
            version = subprocess.run([self.argv[0], "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True, check=True).stdout.strip()
            at = self.expected.get("move", ".venv")
            packages = f"{at}/lib/python{version}/site-packages"
            files = {f"{at}/pyvenv.cfg": f"home = /usr/bin\nversion = {version}.0\n", f"{packages}/inside.py": "a = 7",
        f"{packages}/x.pth": "import sys; sys.modules['early'] = sys\n"}
        for name, text in files.items():
            write(os.path.join(top, name), text)

    def once(self, waits):
        """Its status, output, errors and document (None: nothing was written), and how long it took."""
        with tempfile.TemporaryDirectory(prefix="ambit-code-") as top:
            self.workspace(top)
            low, code_in = os.pipe()
            document_out, low_too = os.pipe()
            code, document = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20) for fd in (low, low_too))
            os.close(low)
            os.close(low_too)
            env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": top, "LANG": "C.UTF-8", **self.expected.get("env", {})}
            # bash puts them where they belong: this has threads, and must do nothing between fork and exec
            start = f'exec "$@" 3<&{code} 4>&{document} {code}<&- {document}>&-'
            process = subprocess.Popen(["/bin/bash", "-c", start, "bash", *self.argv, top], cwd=top if self.language == N else "/", env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       pass_fds=(code, document), start_new_session=True)
            os.close(code)
            os.close(document)
            parts = []
            begun = time.monotonic()

            def feed():
                time.sleep(waits)
                try:
                    with open(code_in, "wb") as file:
                        file.write(self.header + self.source + self.tail)
                except BrokenPipeError:
                    pass

            def read():
                with open(document_out, "rb") as file:
                    parts.append(file.read())

            threads = [threading.Thread(target=work, daemon=True) for work in (feed, read)]
            for thread in threads:
                thread.start()
            try:
                out, err = process.communicate(timeout=30 * SLOW)
                for thread in threads:
                    thread.join(30 * SLOW)
                assert parts, "somebody keeps the document's descriptor"
            except subprocess.TimeoutExpired:
                raise AssertionError("it hangs") from None
            finally:
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                process.wait()
            for name, text in self.expected.get("left", {}).items():
                with open(os.path.join(top, name), encoding="utf-8") as file:
                    assert file.read() == text, f"{name} was written to"
            took = time.monotonic() - begun - waits
            assert took < self.expected.get("quick", 30) * SLOW, f"it took {took:.1f} s"
            clear = lambda text: text.decode(errors="replace").replace(top, "/top")
            return process.returncode, clear(out), clear(err), clear(parts[0]) if parts[0] else None

    def check(self):
        status, out, err, text = at_once = self.once(0)
        expected = self.expected
        for said in (out, err):
            assert "[eval]" not in said.replace("imported from /top/[eval]", "") and 'File "<string>"' not in said and " ambit" not in said, f"the driver is seen: {said[-1500:]}"
        if "document" not in expected:
            assert status == expected.get("status", 0), f"status {status}; {err[-1500:]}"
        for got, name in ((out, "out"), (err, "err")):
            if name in expected:
                matches(got, expected[name], name)
        if "err" not in expected and status == 0 and not expected.get("none"):
            matches(err, "", "err")
        none = expected.get("none", self.language == S)
        assert (text is None) == bool(none), f"document: {text and text[:500]}; {err[-1500:]}"
        if text is not None:
            assert len(text.encode()) <= MOST, "the document is too long"
            document = json.loads(text)
            assert list(document)[:4] == ["v", "value", "displays", "error"] and document["v"] == 1, text[:500]
            assert document.get("cut", False) == expected.get("cut", False), f"cut: {document.get('cut')}"
            if "value" in expected:
                members(document["value"], expected["value"], "value")
            if "document" not in expected:
                members(document["error"], expected.get("error"), "error") if expected.get("error") or status == 0 else None
            if "displays" in expected:
                got = [(each["mime"], each["data"][:len(start)]) for each, (_, start) in zip(document["displays"], expected["displays"])]
                assert got == expected["displays"] and len(document["displays"]) == len(got), f"displays: {str(document['displays'])[:1500]}"
        warm = self.once(WAITS)
        same = [re.sub(r"0x[0-9a-f]+|pid \d+", "", str(each)) for each in at_once] == [re.sub(r"0x[0-9a-f]+|pid \d+", "", str(each)) for each in warm]
        assert same, f"the warm one gives something else: {str(at_once)[:1500]}\n{str(warm)[:1500]}"


def matches(got, expected, name):
    if isinstance(expected, re.Pattern):
        assert isinstance(got, str) and expected.match(got), f"{name}: {str(got)[-1500:]}"
    else:
        assert got == expected, f"{name}: {str(got)[-1500:]}, not {str(expected)[:500]}"


def members(got, expected, name):
    if expected is None or got is None:
        assert got is None and expected is None, f"{name}: {str(got)[:1500]}, not {str(expected)[:500]}"
        return
    for key, each in expected.items():
        if each is ...:
            assert key not in got, f"{name}.{key} is there: {str(got)[:500]}"
        elif key == "line" and expected.get("line_any") or key == "line_any":
            continue
        else:
            assert key in got, f"{name} has no {key}: {str(got)[:500]}"
            matches(got[key], each, f"{name}.{key}")


def interpreters(variable, *names):
    given = os.environ.get(variable, "").split()
    return given or [path for path in map(shutil.which, names) if path]


def main():
    directory, only, tap = sys.argv[1], os.environ.get("AMBIT_TEST_ONLY", ""), Tap("")
    programs = {P: interpreters("AMBIT_TEST_PYTHONS", sys.executable), N: interpreters("AMBIT_TEST_NODES", "node"), S: ["bash"]}
    for language, found in programs.items():
        if not found:
            tap.say(os.environ.get("AMBIT_MUST_RUN") != "1", f"{language} # SKIP not installed")
    rows = []
    for language, name, source, expected in ROWS:
        for program in programs[language]:
            if "since" in expected:
                newer = subprocess.run([program, "-c", f"import sys; sys.exit(sys.version_info < {expected['since']})"], check=False).returncode == 0
                if not newer:
                    continue
            if only in f"{language} {name}":
                rows.append(Row(directory, program, language, name, source, expected))

    def attempt(row):
        try:
            row.check()
            return ()
        except (AssertionError, OSError, ValueError) as problem:
            return (f"{type(problem).__name__}: {problem}",)

    with concurrent.futures.ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        for row, problems in zip(rows, pool.map(attempt, rows)):
            tap.say(not problems, f"{row.language}: {row.name}", problems)
    print(f"1..{tap.number}")
    sys.exit(1 if tap.failures else 0)


if __name__ == "__main__":
    main()
