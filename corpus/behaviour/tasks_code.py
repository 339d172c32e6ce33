"""Tasks of interpreters, whose steps are statements of a program, and of a server of tools."""

from plan import task

SERVER = '''"""A small server of the Model Context Protocol over standard input and output."""
import csv, datetime, hashlib, json, os, pathlib, re, shutil, sqlite3, statistics, subprocess, sys, time, urllib.request

TOOLS = {}


def tool(f):
    TOOLS[f.__name__] = f
    return f


#TOOLS#

def answer(m):
    method, params = m.get("method"), m.get("params") or {}
    if method == "initialize":
        return {"protocolVersion": params.get("protocolVersion"), "capabilities": {"tools": {}}, "serverInfo": {"name": "small", "version": "1"}}
    if method == "tools/list":
        return {"tools": [{"name": n, "description": f.__doc__ or n, "inputSchema": {"type": "object"}} for n, f in TOOLS.items()]}
    if method == "tools/call":
        try:
            text, failed = str(TOOLS[params["name"]](**params.get("arguments") or {})), False
        except Exception as e:
            text, failed = repr(e), True
        return {"content": [{"type": "text", "text": text}], "isError": failed}
    return {}


for line in sys.stdin:
    m = json.loads(line)
    if "id" in m:
        print(json.dumps({"jsonrpc": "2.0", "id": m["id"], "result": answer(m)}), flush=True)
'''

HANDLERS = {
    "read_note": "def read_note(name):\n    return open(os.path.join('notes', name)).read()",
    "write_note": "def write_note(name, text):\n    os.makedirs('notes', exist_ok=True)\n    return open(os.path.join('notes', name), 'w').write(text)",
    "list_notes": "def list_notes():\n    return sorted(os.listdir('notes'))",
    "drop_note": "def drop_note(name):\n    os.remove(os.path.join('notes', name))\n    return 'gone'",
    "search": "def search(word):\n    return [str(p) for p in pathlib.Path('.').rglob('*.md') if word in p.read_text()]",
    "query": "def query(sql):\n    with sqlite3.connect('shop.db') as db:\n        return db.execute(sql).fetchall()",
    "load": "def load(path):\n    with sqlite3.connect('shop.db') as db, open(path) as f:\n        db.execute('create table if not exists sales(id, name, region, amount, day)')\n"
            "        db.executemany('insert into sales values (?,?,?,?,?)', list(csv.reader(f))[1:])\n    return 'loaded'",
    "fetch": "def fetch(url):\n    return urllib.request.urlopen(url, timeout=5).read()[:500]",
    "count_lines": "def count_lines(path):\n    return len(open(path).readlines())",
    "digest": "def digest(path):\n    return hashlib.sha256(open(path, 'rb').read()).hexdigest()",
    "run_git": "def run_git(words):\n    return subprocess.run(['git', *words], capture_output=True, text=True).stdout",
    "shell": "def shell(command):\n    return subprocess.run(['sh', '-c', command], capture_output=True, text=True).stdout",
    "copy": "def copy(source, target):\n    os.makedirs(os.path.dirname(target) or '.', exist_ok=True)\n    return shutil.copy(source, target)",
    "stats": "def stats(path):\n    return statistics.mean(int(r['amount']) for r in csv.DictReader(open(path)))",
    "read_file": "def read_file(path):\n    return open(path).read()[:2000]",
    "edit_file": "def edit_file(path, old, new):\n    text = open(path).read()\n    open(path, 'w').write(text.replace(old, new))\n    return 'done'",
    "append_note": "def append_note(name, text):\n    with open(os.path.join('notes', name), 'a') as f:\n        return f.write(text)",
    "move_note": "def move_note(name, to):\n    os.makedirs('archive', exist_ok=True)\n    os.replace(os.path.join('notes', name), os.path.join('archive', to))\n    return 'moved'",
    "tree": "def tree(path):\n    return [(top, len(names)) for top, _, names in os.walk(path)]",
    "grep": "def grep(word, path):\n    return subprocess.run(['grep', '-rn', word, path], capture_output=True, text=True).stdout[:2000]",
    "rows": "def rows(path, region):\n    return [r for r in csv.DictReader(open(path)) if r['region'] == region][:5]",
    "save_json": "def save_json(path, value):\n    return open(path, 'w').write(json.dumps(value, indent=1))",
    "change": "def change(sql):\n    with sqlite3.connect('shop.db') as db:\n        return db.execute(sql).rowcount",
    "post": "def post(url, text):\n    return urllib.request.urlopen(urllib.request.Request(url, data=text.encode(), method='POST'), timeout=5).status",
    "keep_page": "def keep_page(url, path):\n    return open(path, 'wb').write(urllib.request.urlopen(url, timeout=5).read())",
    "clock": "def clock():\n    return datetime.datetime.now().isoformat()",
    "run_python": "def run_python(code):\n    return subprocess.run([sys.executable, '-c', code], capture_output=True, text=True).stdout",
    "pack": "def pack(name):\n    return shutil.make_archive(name, 'zip', 'notes')",
    "outline": "def outline(path):\n    return re.findall(r'^def (\\w+)', open(path).read(), re.M)",
    "check": "def check(path):\n    compile(open(path).read(), path, 'exec')\n    return 'good'",
    "wait": "def wait(seconds):\n    time.sleep(min(seconds, 1))\n    return 'waited'",
}


def server(w, *handlers):
    """Writes the server. A handler `attack` is put in its place by an attack."""
    body = "\n\n\n".join(f"@tool\n{h if h.startswith('def ') else HANDLERS[h]}" for h in (*handlers, "wait"))
    w.file("server.py", SERVER.replace("#TOOLS#", body + "\n"))
    w.handlers = handlers


def call(handler, /, **arguments):
    return {"name": handler, "arguments": arguments}


def mcp(name, handlers, calls, low=3, high=10):
    def made(w):
        notes = [w.file(f"notes/{n}.md", w.grown.prose(w.rng.randint(2, 9))).split("/")[1] for n in w.grown.names(3, 6)]
        w.file("sales.csv", w.grown.csv(w.rng.randint(10, 60)))
        w.file("src/app.py", w.grown.python(3)[0])
        if "run_git" in handlers:
            w.file(".gitignore", ".env\ndeploy.conf\n")
            w.outside("bash", "-c", "git init -q -b main . && git add -A && git commit -qm first")
        server(w, *handlers)
        return [w.rng.choice(calls)(w, w.rng.choice(notes)) for _ in range(w.rng.randint(low, high))]
    made.__name__ = name
    task("mcp", "mcp")(made)


NOTE = [lambda w, n: call("read_note", name=n), lambda w, n: call("list_notes")]
WRITE = [lambda w, n: call("write_note", name=w.grown.word() + ".md", text=w.grown.prose(3))]
SQL = [lambda w, n: call("load", path="sales.csv"), lambda w, n: call("query", sql="select region, sum(amount) from sales group by region"),
       lambda w, n: call("query", sql=f"select * from sales where amount > {w.rng.randint(1, 9000)}")]
FETCH = [lambda w, n: call("fetch", url=w.web("data/" + w.grown.word()))]
GIT = [lambda w, n: call("run_git", words=w.rng.choice((["status", "-s"], ["log", "--oneline"], ["diff"], ["show", "--stat"], ["ls-files"])))]
READ = [lambda w, n: call("read_file", path=w.rng.choice(("src/app.py", "sales.csv", "notes/" + n)))]
EDIT = [lambda w, n: call("edit_file", path="src/app.py", old="return", new=f"return {w.rng.randint(1, 9)} +")]
LINES = [lambda w, n: call("count_lines", path="notes/" + n), lambda w, n: call("digest", path="notes/" + n)]
SHELL = [lambda w, n: call("shell", command=w.rng.choice(("ls", "wc -l sales.csv", "grep -c . notes/*.md", "cat src/app.py | head -5", "sort sales.csv | head -3")))]
mcp("notes_read", ("read_note", "list_notes"), NOTE)
mcp("notes_write", ("read_note", "list_notes", "write_note"), NOTE + WRITE)
mcp("notes_tidy", ("write_note", "drop_note", "list_notes"), WRITE + [lambda w, n: call("drop_note", name=n), lambda w, n: call("list_notes")])
mcp("notes_search", ("search", "read_note", "list_notes"), [lambda w, n: call("search", word=w.grown.word())] + NOTE)
mcp("database", ("load", "query"), SQL)
mcp("database_notes", ("load", "query", "write_note"), SQL + WRITE)
mcp("web", ("fetch",), FETCH)
mcp("web_notes", ("fetch", "write_note", "list_notes"), FETCH + WRITE)
mcp("git_look", ("run_git", "read_file"), GIT + READ)
mcp("git_edit", ("run_git", "edit_file", "read_file"), GIT + EDIT + READ)
mcp("files_read", ("read_file", "count_lines", "digest"), READ + LINES)
mcp("files_edit", ("read_file", "edit_file"), READ + EDIT)
mcp("copies", ("copy", "digest", "read_file"), [lambda w, n: call("copy", source="notes/" + n, target=f"copies/{n}")] + READ + LINES[1:])
mcp("commands", ("shell", "read_file"), SHELL + READ)
mcp("figures", ("stats", "count_lines", "load", "query"), [lambda w, n: call("stats", path="sales.csv")] + LINES[:1] + SQL)
mcp("mixed", ("read_note", "list_notes", "load", "query", "fetch", "read_file"), NOTE + SQL + FETCH + READ)
APPEND = [lambda w, n: call("append_note", name=n, text="- " + w.grown.prose(1))]
CHANGE = [lambda w, n: call("load", path="sales.csv"), lambda w, n: call("change", sql=f"update sales set amount = amount + {w.rng.randint(1, 9)}"), lambda w, n: call("query", sql="select count(*) from sales")]
ROWS = [lambda w, n: call("rows", path="sales.csv", region=w.rng.choice(("north", "south", "east", "west"))), lambda w, n: call("stats", path="sales.csv")]
POST = [lambda w, n: call("post", url=w.web("data/up"), text=w.grown.prose(1)), lambda w, n: call("keep_page", url=w.web(f"data/{w.grown.word()}.json"), path=f"{w.grown.word()}.json")]
CODE = [lambda w, n: call("outline", path="src/app.py"), lambda w, n: call("check", path="src/app.py"), lambda w, n: call("grep", word="def", path="src")]
PYTHON = [lambda w, n: call("run_python", code=f"print(sum(range({w.rng.randint(2, 99)})))"), lambda w, n: call("run_python", code="import json; print(json.dumps([1]))")]
mcp("notes_append", ("append_note", "read_note", "list_notes"), APPEND + NOTE)
mcp("notes_archive", ("move_note", "list_notes"), [lambda w, n: call("move_note", name=n, to=w.grown.word() + ".md"), lambda w, n: call("list_notes")])
mcp("notes_packed", ("pack", "digest", "read_note"), [lambda w, n: call("pack", name=w.grown.word())] + NOTE[:1] + LINES[1:])
mcp("trees", ("tree", "grep", "read_file"), [lambda w, n: call("tree", path=w.rng.choice((".", "src", "notes"))), lambda w, n: call("grep", word=w.grown.word(), path="notes")] + READ)
mcp("table_rows", ("rows", "stats", "count_lines"), ROWS + LINES[:1])
mcp("table_report", ("rows", "stats", "save_json"), ROWS + [lambda w, n: call("save_json", path="report.json", value={w.grown.word(): 1})])
mcp("database_change", ("load", "change", "query"), CHANGE)
mcp("database_report", ("load", "query", "save_json"), SQL + [lambda w, n: call("save_json", path=w.grown.word() + ".json", value=[1, 2])])
mcp("web_send", ("post", "fetch"), POST[:1] + FETCH)
mcp("web_keep", ("keep_page", "read_file", "digest"), POST[1:] + READ + LINES[1:])
mcp("code_look", ("outline", "check", "grep", "read_file"), CODE + READ)
mcp("code_change", ("outline", "check", "edit_file", "grep"), CODE + EDIT)
mcp("code_run", ("run_python", "read_file"), PYTHON + READ)
mcp("day", ("clock", "append_note", "list_notes"), [lambda w, n: call("clock")] + APPEND)
mcp("git_commands", ("run_git", "shell"), GIT + SHELL)
mcp("everything", ("read_note", "shell", "load", "query", "grep", "fetch"), NOTE[:1] + SHELL + SQL + CODE[2:] + FETCH)


# ---- python ----

def code(tool, language, name, before, steps, low=1, high=4):
    """A program of `before` and a few of the steps. What a step uses is imported by `before`."""
    def made(w):
        w.file("data/sales.csv", w.grown.csv(w.rng.randint(10, 80)))
        w.file("data/sales.json", w.grown.json(w.rng.randint(5, 40)))
        w.file("data/app.log", w.grown.log(w.rng.randint(10, 80)))
        for n in w.grown.names(2, 6):
            w.file(f"docs/{n}.md", w.grown.prose(w.rng.randint(2, 12)))
            w.file(f"src/{n}.{language}", (w.grown.python if language == "py" else w.grown.javascript)(2)[0])
        if language == "js":
            w.grant("--preset", "node")
        url = w.web("data/") if any("{url}" in s for s in steps) else ""
        return [s.replace("{w}", w.grown.word()).replace("{n}", str(w.rng.randint(2, 60))).replace("{url}", url) for s in [*before, *w.grown.some(steps, low, high)]]
    made.__name__ = name
    task(tool, language)(made)


def py(name, before, *steps, low=1, high=4):
    code("python", "py", name, [before] if before else [], steps, low, high)


def js(name, before, *steps, low=1, high=4):
    code("node", "js", name, [before] if before else [], steps, low, high)


py("csv_sums", "import csv, collections", "rows = list(csv.DictReader(open('data/sales.csv')))\nprint(len(rows))", "sums = collections.Counter()\nfor r in csv.DictReader(open('data/sales.csv')):\n    sums[r['region']] += int(r['amount'])\nprint(sums)",
   "with open('sums.csv', 'w') as f:\n    csv.writer(f).writerows([['{w}', {n}]] * {n})", "print(open('data/sales.csv').readline())")
py("json_report", "import json", "rows = json.load(open('data/sales.json'))\nprint(len(rows))", "json.dump({'{w}': {n}}, open('report.json', 'w'), indent=1)", "print(max(r['amount'] for r in json.load(open('data/sales.json'))))", "open('rows.jsonl', 'w').writelines(json.dumps(r) + '\\n' for r in json.load(open('data/sales.json')))")
py("log_counts", "import re, collections", "text = open('data/app.log').read()\nprint(collections.Counter(re.findall('INFO|WARN|ERROR', text)))", "open('errors.log', 'w').write('\\n'.join(l for l in open('data/app.log') if 'ERROR' in l))", "print(sum(int(m) for m in re.findall(r'(\\d+) ms', open('data/app.log').read())))")
py("walk_tree", "import os, pathlib", "for top, folders, names in os.walk('.'):\n    print(top, len(names))", "print(sum(p.stat().st_size for p in pathlib.Path('.').rglob('*') if p.is_file()))", "print(sorted(os.listdir('src')))", "print([p.name for p in pathlib.Path('docs').glob('*.md')])")
py("rewrite", "import pathlib", "for p in pathlib.Path('docs').glob('*.md'):\n    p.write_text(p.read_text().replace('{w}', '{w}'))", "p = pathlib.Path('docs/{w}.md')\np.write_text('# {w}\\n')", "for p in pathlib.Path('src').glob('*.py'):\n    p.write_text('# {w}\\n' + p.read_text())", "print(len(list(pathlib.Path('docs').iterdir())))")
py("copy_files", "import os, shutil", "os.makedirs('backup', exist_ok=True)\nfor n in os.listdir('docs'):\n    shutil.copy('docs/' + n, 'backup/')", "shutil.copytree('src', 'backup/src', dirs_exist_ok=True)", "shutil.rmtree('backup', ignore_errors=True)", "shutil.make_archive('all', 'gztar', 'docs')")
py("database", "import sqlite3, csv", "with sqlite3.connect('shop.db') as db:\n    db.execute('create table if not exists t(a, b)')\n    db.executemany('insert into t values (?, ?)', [(i, '{w}') for i in range({n})])", "db = sqlite3.connect('shop.db')\nprint(db.execute('select count(*) from sqlite_master').fetchone())\ndb.close()",
   "with sqlite3.connect('shop.db') as db:\n    db.execute('create table if not exists s(id, name, region, amount, day)')\n    db.executemany('insert into s values (?,?,?,?,?)', list(csv.reader(open('data/sales.csv')))[1:])")
py("unit_tests", "import unittest, sys, os\nsys.path.insert(0, 'src')", "class A(unittest.TestCase):\n    def test_{w}(self):\n        self.assertTrue(os.path.exists('data/sales.csv'))\nunittest.TextTestRunner(verbosity=0).run(unittest.defaultTestLoader.loadTestsFromTestCase(A))", "import importlib\nfor n in sorted(os.listdir('src')):\n    n.endswith('.py') and importlib.import_module(n[:-3])", "print(len(unittest.defaultTestLoader.discover('src')._tests))")
py("commands", "import subprocess", "print(subprocess.run(['ls', '-l', 'docs'], capture_output=True, text=True).stdout)", "print(subprocess.run('wc -l data/*', shell=True, capture_output=True).stdout)", "subprocess.run(['git', 'init', '-q', 'repo'])", "print(subprocess.check_output(['sort', 'data/sales.csv'])[:80])", "print(subprocess.run(['python3', '-m', 'py_compile', __file__]).returncode)")
py("web_get", "import urllib.request, json", "print(len(urllib.request.urlopen('{url}{w}.json', timeout=5).read()))", "open('{w}.json', 'wb').write(urllib.request.urlopen('{url}{w}', timeout=5).read())", "print(json.loads(urllib.request.urlopen('{url}x', timeout=5).read())[0])")
py("web_post", "import urllib.request, json", "r = urllib.request.Request('{url}{w}', data=json.dumps({'{w}': {n}}).encode(), method='POST')\nprint(urllib.request.urlopen(r, timeout=5).status)", "body = open('data/sales.csv', 'rb').read()\nprint(urllib.request.urlopen('{url}up', data=body, timeout=5).status)", "open('sent.log', 'a').write('{w}\\n')")
py("compress", "import gzip, lzma, zipfile, os", "gzip.open('sales.gz', 'wb').write(open('data/sales.csv', 'rb').read())", "with zipfile.ZipFile('docs.zip', 'w') as z:\n    for n in os.listdir('docs'):\n        z.write('docs/' + n)", "lzma.open('log.xz', 'wb').write(open('data/app.log', 'rb').read())", "print(os.path.getsize('data/app.log'))")
py("text_tools", "import difflib, textwrap, os", "a, b = sorted(os.listdir('docs'))[:2]\nprint(len(list(difflib.unified_diff(open('docs/' + a).readlines(), open('docs/' + b).readlines()))))", "print(textwrap.fill(open('data/app.log').read()[:300], 40))", "open('{w}.txt', 'w').write('\\n'.join(sorted(open('data/app.log'))))")
py("threads", "import concurrent.futures as cf, os, hashlib", "with cf.ThreadPoolExecutor(3) as pool:\n    print(list(pool.map(lambda n: len(open('docs/' + n).read()), os.listdir('docs'))))", "for n in os.listdir('src'):\n    os.path.isfile('src/' + n) and print(hashlib.sha256(open('src/' + n, 'rb').read()).hexdigest()[:8])", "print(os.cpu_count())")
py("syntax", "import ast, tokenize, os", "for n in sorted(os.listdir('src')):\n    if n.endswith('.py'):\n        print(n, len(ast.parse(open('src/' + n).read()).body))", "print(sum(1 for n in os.listdir('src') if n.endswith('.py') for _ in tokenize.generate_tokens(open('src/' + n).readline)))", "open('names.txt', 'w').write('\\n'.join(sorted(os.listdir('src'))))")
py("settings", "import configparser, tomllib, argparse, os", "c = configparser.ConfigParser()\nc['{w}'] = {'a': '{n}'}\nc.write(open('app.ini', 'w'))", "open('app.toml', 'w').write('[{w}]\\na = {n}\\n')\nprint(tomllib.load(open('app.toml', 'rb')))", "print(os.environ.get('HOME'), sorted(os.environ)[:3])")
py("temporary", "import tempfile, os, random, statistics", "with tempfile.NamedTemporaryFile('w') as f:\n    f.write('{w}' * {n})\n    f.flush()\n    print(os.path.getsize(f.name))", "with tempfile.TemporaryDirectory() as d:\n    open(d + '/a', 'w').write('x')\n    print(os.listdir(d))", "print(statistics.mean(random.random() for _ in range({n}00)))", "open('{w}.tmp', 'w').write('x')\nos.replace('{w}.tmp', 'kept.txt') if os.path.exists('{w}.tmp') else None")
py("mail_text", "import email.message, html, string", "m = email.message.EmailMessage()\nm['Subject'] = '{w}'\nm.set_content(open('data/app.log').read()[:400])\nopen('{w}.eml', 'w').write(str(m))", "open('page.html', 'w').write('<p>' + html.escape(open('data/app.log').read()) + '</p>')", "print(string.Template('$a').substitute(a='{w}'))")
py("command_line", "import argparse, sys", "p = argparse.ArgumentParser()\np.add_argument('--n', type=int, default={n})\nprint(p.parse_args([]).n)", "print(len(sys.argv), sys.version_info[:2])", "sys.stderr.write('{w}\\n')", "print(open(__file__).read()[:40])")
py("xml_tree", "import xml.etree.ElementTree as et", "t = et.Element('{w}')\nfor i in range({n}):\n    et.SubElement(t, 'row', n=str(i))\net.ElementTree(t).write('rows.xml')", "print(len(et.fromstring('<a><b/></a>')))", "open('page.xml', 'w').write('<{w}/>')\nprint(et.parse('page.xml').getroot().tag)")
py("pickled", "import pickle, dataclasses", "@dataclasses.dataclass\nclass Row:\n    n: int\npickle.dump([Row(i).n for i in range({n})], open('rows.pkl', 'wb'))", "pickle.dump({'{w}': {n}}, open('{w}.pkl', 'wb'))\nprint(pickle.load(open('{w}.pkl', 'rb')))", "print(len(pickle.dumps(list(range({n})))))")
py("logged", "import logging", "logging.basicConfig(filename='run.log', level=logging.INFO)\nlogging.info('{w}')", "logging.getLogger('{w}').warning('{n}')", "h = logging.FileHandler('{w}.log')\nlogging.getLogger().addHandler(h)\nlogging.error('x')", "print(len(open('data/app.log').readlines()))")
py("processes", "import multiprocessing, os, hashlib", "with multiprocessing.Pool(2) as pool:\n    print(sum(pool.map(len, ['{w}'] * {n})))", "p = multiprocessing.Process(target=print, args=('{w}',))\np.start()\np.join()", "print(multiprocessing.cpu_count(), os.getpid() > 0)", "print(hashlib.sha256(open('data/sales.csv', 'rb').read()).hexdigest()[:8])")
py("asynchronous", "import asyncio", "async def one(n):\n    await asyncio.sleep(0)\n    return n\nasync def all_of():\n    return await asyncio.gather(*(one(i) for i in range({n})))\nprint(len(asyncio.run(all_of())))", "async def run():\n    p = await asyncio.create_subprocess_exec('wc', '-l', 'data/sales.csv', stdout=asyncio.subprocess.PIPE)\n    return (await p.communicate())[0]\nprint(asyncio.run(run()))", "async def read():\n    return await asyncio.to_thread(lambda: open('data/app.log').read())\nprint(len(asyncio.run(read())))")
py("archives", "import tarfile, zipfile, os", "with tarfile.open('docs.tgz', 'w:gz') as t:\n    t.add('docs')", "with tarfile.open('src.tar', 'w') as t:\n    t.add('src')\nwith tarfile.open('src.tar') as t:\n    t.extractall('out')", "with zipfile.ZipFile('data.zip', 'w') as z:\n    z.write('data/sales.csv')\nprint(zipfile.ZipFile('data.zip').namelist())", "print(sorted(os.listdir('.'))[:4])")
py("pages", "import csv, html, os, string", "os.makedirs('site', exist_ok=True)\nopen('site/index.html', 'w').write('<ul>' + ''.join('<li>' + html.escape(r['name']) for r in csv.DictReader(open('data/sales.csv'))) + '</ul>')", "for n in os.listdir('docs'):\n    os.makedirs('site', exist_ok=True)\n    open('site/' + n.replace('.md', '.html'), 'w').write(html.escape(open('docs/' + n).read()))", "print(string.Template('$x').substitute(x={n}))")
py("numbers", "import random, statistics, decimal, fractions, math", "print(statistics.stdev(random.random() for _ in range({n}00)))", "print(decimal.Decimal('1.{n}') * 3, fractions.Fraction({n}, 7))", "open('numbers.txt', 'w').write('\\n'.join(str(math.sqrt(i)) for i in range({n})))", "print(math.comb({n}, 2))")
py("compared", "import filecmp, glob, fnmatch, os", "print(filecmp.dircmp('docs', 'src').left_only)", "print(sorted(glob.glob('**/*.md', recursive=True)))", "a, b = sorted(glob.glob('docs/*'))[:2]\nprint(filecmp.cmp(a, b, shallow=False))", "print(fnmatch.filter(os.listdir('src'), '*.py'))")
py("own_modules", "import importlib.util, inspect, sys, os", "n = sorted(x for x in os.listdir('src') if x.endswith('.py'))[0]\ns = importlib.util.spec_from_file_location('m', 'src/' + n)\nm = importlib.util.module_from_spec(s)\ns.loader.exec_module(m)\nprint(inspect.getmembers(m, inspect.isfunction)[0][0])", "open('src/{w}.py', 'w').write('N = {n}\\n')\nsys.path.insert(0, 'src')\nimport {w}\nprint({w}.N)", "import pkgutil\nprint([m.name for m in pkgutil.iter_modules(['src'])])")
py("doc_tests", "import doctest, timeit, unittest", "def twice(x):\n    \"\"\"\n    >>> twice(2)\n    4\n    \"\"\"\n    return 2 * x\nprint(doctest.testmod())", "print(timeit.timeit('sum(range(9))', number={n}))", "class T(unittest.TestCase):\n    def test_a(self):\n        self.assertIn('id', open('data/sales.csv').read())\nunittest.main(argv=['x'], exit=False, verbosity=0)")
py("addresses", "import urllib.parse, urllib.request, json", "print(urllib.parse.urlencode({'q': '{w}', 'n': {n}}))", "u = urllib.parse.urlsplit('{url}{w}')\nprint(u.port)", "with urllib.request.urlopen('{url}{w}.json', timeout=5) as r:\n    print(r.status, r.headers['Content-Length'])", "json.dump(json.load(urllib.request.urlopen('{url}{w}', timeout=5)), open('kept.json', 'w'))")
py("shelved", "import shelve, dbm, os", "with shelve.open('kept') as s:\n    s['{w}'] = {n}", "with dbm.open('words', 'c') as d:\n    d['{w}'] = '{n}'", "print([n for n in os.listdir('.') if n.startswith(('kept', 'words'))])", "os.replace('data/app.log', 'data/old.log') if os.path.exists('data/app.log') else None")

js("json_report", "", "const rows = JSON.parse(fs.readFileSync('data/sales.json'));\nconsole.log(rows.length);", "fs.writeFileSync('report.json', JSON.stringify({'{w}': {n}}, null, 1));", "fs.writeFileSync('rows.jsonl', JSON.parse(fs.readFileSync('data/sales.json')).map(r => JSON.stringify(r)).join('\\n'));")
js("csv_sums", "", "const lines = fs.readFileSync('data/sales.csv', 'utf8').split('\\n');\nconsole.log(lines.length);", "const s = {}; for (const l of fs.readFileSync('data/sales.csv', 'utf8').split('\\n')) s[l.split(',')[2]] = 1;\nconsole.log(s);", "fs.writeFileSync('sums.csv', '{w},{n}\\n'.repeat({n}));")
js("walk_tree", "", "for (const d of fs.readdirSync('.', {withFileTypes: true})) console.log(d.name, d.isDirectory());", "const walk = d => fs.readdirSync(d, {withFileTypes: true}).flatMap(e => e.isDirectory() ? walk(path.join(d, e.name)) : [path.join(d, e.name)]);\nconsole.log(walk('.').length);", "console.log(fs.statSync('data/sales.csv').size);", "console.log(fs.readdirSync('docs'));")
js("rewrite", "", "for (const n of fs.readdirSync('docs')) fs.writeFileSync('docs/' + n, fs.readFileSync('docs/' + n, 'utf8').replace('{w}', '{w}'));", "fs.writeFileSync('docs/{w}.md', '# {w}\\n');", "fs.appendFileSync('data/app.log', '{w}\\n');")
js("copy_files", "", "fs.mkdirSync('backup', {recursive: true}); for (const n of fs.readdirSync('docs')) fs.copyFileSync('docs/' + n, 'backup/' + n);", "fs.cpSync('src', 'backup/src', {recursive: true});", "fs.rmSync('backup', {recursive: true, force: true});")
js("promises", "var fsp = require('fs/promises');", "console.log((await fsp.readFile('data/app.log', 'utf8')).length);", "await fsp.writeFile('{w}.txt', 'x'.repeat({n}));", "await Promise.all((await fsp.readdir('docs')).map(n => fsp.readFile('docs/' + n)));", "await fsp.mkdir('out', {recursive: true});")
js("streams", "var { pipeline } = require('stream/promises'), zlib = require('zlib');", "await pipeline(fs.createReadStream('data/sales.csv'), zlib.createGzip(), fs.createWriteStream('sales.gz'));", "await pipeline(fs.createReadStream('data/app.log'), fs.createWriteStream('copy.log'));", "console.log(zlib.gzipSync(fs.readFileSync('data/app.log')).length);")
js("lines", "var readline = require('readline');", "let n = 0; for await (const l of readline.createInterface({input: fs.createReadStream('data/app.log')})) n += l.includes('ERROR');\nconsole.log(n);", "let m = 0; for await (const l of readline.createInterface({input: fs.createReadStream('data/sales.csv')})) m++;\nfs.writeFileSync('lines.txt', String(m));")
js("modules", "", "for (const n of fs.readdirSync('src')) console.log(Object.keys(require(path.resolve('src', n))).length);", "fs.writeFileSync('src/{w}.js', 'module.exports = {n};\\n');", "console.log(Object.keys(require.cache).length);")
js("own_tests", "var assert = require('assert');", "for (const n of fs.readdirSync('src')) { const m = require(path.resolve('src', n)); for (const f of Object.values(m)) assert(typeof f === 'function' || true); }", "assert.ok(fs.existsSync('data/sales.csv'));", "fs.writeFileSync('results.xml', '<tests n=\"{n}\"/>');")
js("commands", "", "console.log(cp.execSync('ls -l docs').toString());", "console.log(cp.execFileSync('wc', ['-l', 'data/app.log']).toString());", "console.log(cp.spawnSync('sort', ['data/sales.csv']).stdout.length);", "cp.execFileSync('git', ['init', '-q', 'repo']);")
js("web_get", "", "console.log((await (await fetch('{url}{w}.json')).text()).length);", "fs.writeFileSync('{w}.json', await (await fetch('{url}{w}')).text());", "console.log((await (await fetch('{url}x')).json())[0]);")
js("web_post", "var http = require('http');", "await (await fetch('{url}{w}', {method: 'POST', body: JSON.stringify({a: {n}})})).text();", "await (await fetch('{url}up', {method: 'POST', body: fs.readFileSync('data/sales.csv')})).text();", "fs.appendFileSync('sent.log', '{w}\\n');")
js("digests", "var crypto = require('crypto');", "for (const n of fs.readdirSync('src')) console.log(crypto.createHash('sha256').update(fs.readFileSync('src/' + n)).digest('hex').slice(0, 8));", "fs.writeFileSync('sums.txt', crypto.createHash('md5').update(fs.readFileSync('data/sales.csv')).digest('hex'));", "console.log(crypto.randomBytes(4).toString('hex'));")
js("text_tools", "var util = require('util'), os = require('os');", "console.log(util.inspect(JSON.parse(fs.readFileSync('data/sales.json')), {depth: 0}).length);", "fs.writeFileSync('sorted.txt', fs.readFileSync('data/app.log', 'utf8').split('\\n').sort().join('\\n'));", "console.log(os.cpus().length, os.tmpdir());")
js("settings", "var url = require('url'), events = require('events');", "fs.writeFileSync('app.json', JSON.stringify({name: '{w}', n: {n}}));", "console.log(new url.URL('http://a/{w}').pathname, process.env.HOME);", "if (fs.existsSync('app.json')) fs.renameSync('app.json', 'old.json');")
js("template", "", "fs.mkdirSync('site', {recursive: true}); for (const n of fs.readdirSync('docs')) fs.writeFileSync('site/' + n.replace('.md', '.html'), '<p>' + fs.readFileSync('docs/' + n, 'utf8') + '</p>');", "console.log(fs.readdirSync('.').length);", "fs.writeFileSync('index.html', '<a>{w}</a>');")
js("workers", "var { Worker } = require('worker_threads');", "await new Promise(r => new Worker('require(\"fs\").readFileSync(\"data/app.log\")', {eval: true}).on('exit', r));", "console.log(fs.readFileSync('data/sales.csv').length);", "fs.writeFileSync('{w}.txt', 'done');")
js("xml_text", "", "fs.writeFileSync('rows.xml', '<r>' + '<x/>'.repeat({n}) + '</r>');", "console.log(fs.readFileSync('data/sales.csv', 'utf8').replace(/,/g, '</td><td>').length);", "fs.writeFileSync('page.html', '<p>{w}</p>');")
js("archived", "var zlib = require('zlib');", "fs.writeFileSync('sales.br', zlib.brotliCompressSync(fs.readFileSync('data/sales.csv')));", "fs.writeFileSync('log.gz', zlib.gzipSync(fs.readFileSync('data/app.log')));\nconsole.log(zlib.gunzipSync(fs.readFileSync('log.gz')).length);", "console.log(zlib.deflateSync(Buffer.alloc({n})).length);")
js("logged", "", "fs.appendFileSync('run.log', '{w} {n}\\n');", "const out = fs.createWriteStream('{w}.log', {flags: 'a'}); out.write('x'); await new Promise(r => out.end(r));", "console.error('{w}'); console.table([{a: {n}}]);", "console.log(fs.readFileSync('data/app.log', 'utf8').split('\\n').filter(l => l.includes('WARN')).length);")
js("spawned", "", "await new Promise(r => cp.spawn('wc', ['-l', 'data/sales.csv'], {stdio: 'inherit'}).on('exit', r));", "await new Promise(r => cp.exec('sort data/sales.csv | head -2', (e, out) => { console.log(out.length); r(); }));", "fs.writeFileSync('{w}.js', 'process.exit(0);'); await new Promise(r => cp.fork(path.resolve('{w}.js')).on('exit', r));", "console.log(cp.execFileSync(process.execPath, ['--version']).toString());")
js("own_modules", "", "fs.writeFileSync('{w}.mjs', 'export const n = {n};'); console.log((await import(path.resolve('{w}.mjs'))).n);", "console.log(require('module').builtinModules.length);", "delete require.cache[require.resolve(path.resolve('src', fs.readdirSync('src')[0]))]; require(path.resolve('src', fs.readdirSync('src')[0]));")
js("tested", "var test = require('node:test'), assert = require('assert');", "test('{w}', () => assert.ok(fs.existsSync('data/sales.csv')));", "test('n', async () => assert.equal(await Promise.resolve({n}), {n}));", "assert.deepEqual([1], [1]);", "fs.writeFileSync('out.tap', 'ok 1\\n');")
js("sorted", "", "const l = fs.readFileSync('data/sales.csv', 'utf8').split('\\n').sort(); fs.writeFileSync('sorted.csv', l.join('\\n'));", "const u = new Set(fs.readFileSync('data/app.log', 'utf8').split(' ')); console.log(u.size);", "console.log(fs.readdirSync('docs').sort().reverse()[0]);", "fs.copyFileSync('data/sales.csv', 'sales.bak');")
js("grouped", "", "const g = {}; for (const r of JSON.parse(fs.readFileSync('data/sales.json'))) (g[r.region] ??= []).push(r); fs.writeFileSync('groups.json', JSON.stringify(g));", "console.log(JSON.parse(fs.readFileSync('data/sales.json')).map(r => r.amount).reduce((a, b) => a + b, 0));", "fs.mkdirSync('out', {recursive: true}); fs.writeFileSync('out/{w}.json', '[]');")
js("watched", "", "const w = fs.watch('docs'); fs.writeFileSync('docs/{w}.md', 'x'); await new Promise(r => { w.once('change', r); setTimeout(r, 50); }); w.close();", "console.log(fs.statSync('docs').mtimeMs > 0);", "fs.utimesSync('data/app.log', new Date(), new Date());")
js("renamed", "", "for (const n of fs.readdirSync('docs')) fs.renameSync('docs/' + n, 'docs/' + n.replace('.md', '.txt'));", "fs.symlinkSync('data/sales.csv', '{w}.link'); console.log(fs.readlinkSync('{w}.link'));", "fs.truncateSync('data/app.log', {n});", "fs.chmodSync('data/sales.csv', 0o640);")
js("temporary", "var os = require('os');", "const d = fs.mkdtempSync(path.join(os.tmpdir(), 'x-')); fs.writeFileSync(d + '/a', '{w}'); fs.rmSync(d, {recursive: true});", "console.log(os.cpus().length, os.hostname().length);", "fs.writeFileSync('{w}.tmp', 'x'); fs.renameSync('{w}.tmp', 'kept.txt');")
js("timed", "var { performance } = require('perf_hooks');", "const t = performance.now(); for (let i = 0; i < {n}000; i++) Math.sqrt(i); console.log(performance.now() - t > 0);", "await new Promise(r => setTimeout(r, 5));", "setImmediate(() => console.log('{w}'));", "fs.writeFileSync('times.json', JSON.stringify(process.memoryUsage()));")
js("interface", "", "const r = await fetch('{url}{w}', {headers: {accept: 'application/json'}}); fs.writeFileSync('rows.json', JSON.stringify(await r.json()));", "console.log((await fetch('{url}up', {method: 'PUT', body: '{w}'})).status);", "const all = await Promise.all([1, 2].map(n => fetch('{url}' + n).then(r => r.text()))); console.log(all.length);", "console.log(new URL('{url}').port);")
js("server", "var http = require('http');", "await new Promise(r => { const s = http.createServer((q, a) => a.end('{w}')).listen(0, '127.0.0.1', async () => { console.log(await (await fetch('http://127.0.0.1:' + s.address().port)).text()); s.close(r); s.closeAllConnections(); }); });", "console.log(http.STATUS_CODES[404]);", "fs.writeFileSync('served.log', '{n}\\n');")
