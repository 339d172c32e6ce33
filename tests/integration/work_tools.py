"""Builds, package managers and databases, bare and staged."""

import os
import shutil

from bare import Scenario, python
from harness import Skip
from programs import make_wheel
from work_rows import *

# npm's own packages, which are real ones and are there wherever npm is: no registry is asked. They are packed by `npm pack`.
PACKAGES = "nopt abbrev semver minimatch brace-expansion balanced-match which isexe ssri minipass lru-cache"
NPM = """
export npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false npm_config_offline=true npm_config_loglevel=error
npm_packages() { dirname "$(dirname "$(readlink -f "$(command -v npm)")")"; }
"""
PACK = f"""
mkdir tar; for p in {PACKAGES}; do npm pack --silent --ignore-scripts --pack-destination tar "$(npm_packages)/node_modules/$p" > /dev/null; done
echo '{{"name": "top", "version": "1.0.0", "private": true}}' > package.json
"""
INSTALLED = PACK + "npm install --silent ./tar/*.tgz\n"
RUNS = """
node -e 'const s = require("semver"), m = require("minimatch"), w = require("which"); console.log(s.inc("1.2.3", "minor"), m.minimatch("a/b.js", "a/*.js"))'
node_modules/.bin/semver 1.2.3 -i major; npm ls --all --parseable | wc -l
"""


def need_packages_of_npm():
    """What is packed and installed is what npm is made of; Debian's has that elsewhere, with dependencies that are not packages."""
    npm = os.path.realpath(shutil.which("npm", path="/usr/bin:/usr/local/bin") or shutil.which("npm") or "/")
    if not os.path.isdir(os.path.join(os.path.dirname(os.path.dirname(npm)), "node_modules", "semver")):
        raise Skip("this npm has no packages of its own to install")


def node(name, script, **more):
    return Scenario(f"npm {name}", script, before=more.pop("before", INSTALLED), needs=("node", "npm"), preamble=NPM, look=RUNS, flags=["--run", "node"],
                    patience=240, check=need_packages_of_npm, **more)


C_PROJECT = r"""
mkdir -p src include t; for i in $(seq 12); do printf '#include "p.h"\nint part%d(int x) { return x + %d; }\n' $i $i > src/p$i.c; echo "int part$i(int x);" >> include/p.h; done
{ echo '#include <stdio.h>'; echo '#include "p.h"'; echo 'int main(void) { int x = 0;'; for i in $(seq 12); do echo "x = part$i(x);"; done; printf 'printf("%%d\\n", x); return 0; }\n'; } > src/main.c
printf 'CFLAGS = -O1 -Iinclude -MMD\nO = $(patsubst src/%%.c,out/%%.o,$(wildcard src/*.c))\nsum: $(O)\n\t$(CC) -o $@ $^\nout/%%.o: src/%%.c | out\n\t$(CC) $(CFLAGS) -c -o $@ $<\nout:\n\tmkdir $@\ntest: sum\n\t./sum > t/result\nclean:\n\trm -rf out sum t/result\n-include out/*.d\n' > Makefile
printf 'cmake_minimum_required(VERSION 3.18)\nproject(sum C)\nfile(GLOB parts src/p*.c)\nadd_library(parts STATIC ${parts})\ntarget_include_directories(parts PUBLIC include)\nadd_executable(sum src/main.c)\ntarget_link_libraries(sum parts)\nenable_testing()\nadd_test(NAME runs COMMAND sum)\ninstall(TARGETS sum DESTINATION bin)\n' > CMakeLists.txt
"""
CMAKE_BLUR = [r"/Testing/", r"/CMakeFiles/.*(log|yaml|\.make|\.txt|\.json|cmake)$", r"/\.ninja_(log|deps)$", r"LastTest", r"CompilerIdC/", r"/CMakeFiles/.*/TryCompile", r"CMakeConfigureLog"]


def build(name, script, **more):
    return Scenario(name, script, before=more.pop("before", C_PROJECT), needs=more.pop("needs", ("make", "gcc")), patience=240, **more)


SQL = """
import sqlite3
def connect():
    c = sqlite3.connect('data.db', isolation_level=None, timeout=10); c.execute('pragma journal_mode=wal'); return c
"""
TABLE = SQL + "c = connect(); c.execute('create table t (k integer primary key, v text)')\nfor i in range(500): c.execute('insert into t values (?, ?)', (i, 'v' * i))\n"
DUMP = python("import sqlite3, os\nif os.path.exists('data.db'):\n    c = sqlite3.connect('data.db'); print(*c.iterdump(), c.execute('pragma integrity_check').fetchall(), sep='\\n')")


def need_debian():
    if not os.path.exists("/etc/debian_version"):
        raise Skip("cmake asks for /etc/debian_version, and this is no Debian")


def sqlite(name, code, before=python(TABLE + "c.close()"), **more):
    return Scenario(f"SQLite: {name}", python(code), before=before, look=DUMP, needs=("python3",), blur=[r"-(wal|shm)$"] + list(more.pop("blur", [])), **more)


def need_venv():
    if not shutil.which("python3", path="/usr/bin") or os.system("/usr/bin/python3 -c 'import venv, ensurepip' 2>/dev/null") != 0:
        raise Skip("python3-venv is not installed")


PIP_BLUR = [r"\.pyc$"]


def wheel(directory):
    """The text of a script that lays the wheel down, since a scenario is a script."""
    import base64
    import tempfile
    with tempfile.TemporaryDirectory() as made:
        path = make_wheel(made)
        with open(path, "rb") as file:
            text = base64.b64encode(file.read()).decode()
        return f"mkdir -p {directory}; echo {text} | base64 -d > {directory}/{os.path.basename(path)}\n"


SCENARIOS = [
    node("install of a set of packages", "npm install --silent ./tar/*.tgz" + RUNS, before=PACK),
    node("uninstall, and install of one more", "npm uninstall --silent nopt; npm install --silent ./tar/abbrev*.tgz; npm dedupe --silent; npm prune --silent"),
    node("ci", "npm ci --silent", differs={SYMLINK: [r"^node_modules/\.bin/.*: time"]}),
    node("install in place of another version", "npm install --silent ./other-1.0.0.tgz",
         before=INSTALLED + "mkdir o; echo '{\"name\": \"semver\", \"version\": \"9.9.9\", \"bin\": {\"semver\": \"x.js\"}}' > o/package.json; printf '#!/usr/bin/env node\\nconsole.log(9)\\n' > o/x.js; "
         "echo 'module.exports.inc = () => 9' > o/index.js; (cd o; npm pack --silent --pack-destination ..); mv semver-9.9.9.tgz other-1.0.0.tgz; rm -r o\n"),
    node("run, exec, version, pkg", "npm pkg set scripts.hello='echo hello > said'; npm run --silent hello; npm version --silent --no-git-tag-version minor; npm exec --silent -- semver 1.0.0 -i patch; npm init -y --silent > /dev/null"),
    build("make of a C project", "make -s -j2 test; make -q; cat t/result"),
    build("make once more after a change", "make -q && echo nothing to do; sed -i 's/+ 12/+ 13/' src/p12.c; touch include/p.h; make -s test; cat t/result; make -s clean; make -s sum", before=C_PROJECT + "make -s test\n"),
    build("cmake with make", "cmake -S . -B build > /dev/null; make -s -C build > /dev/null; build/sum; cmake --install build --prefix inst > /dev/null; inst/bin/sum; (cd build; ctest > /dev/null)",
          needs=("cmake", "make", "gcc"), blur=CMAKE_BLUR, flags=["--read", "/etc/debian_version?"]),
    build("cmake with ninja, and once more", "cmake -S . -B build -G Ninja > /dev/null; ninja -C build > /dev/null; build/sum; echo '/* */' >> src/p1.c; ninja -C build > /dev/null; ninja -C build -t clean > /dev/null; ninja -C build sum > /dev/null",
          needs=("cmake", "ninja", "gcc"), blur=CMAKE_BLUR, check=need_debian,
          differs={ETC: [r"^build/(CMakeCache\.txt|cmake_install\.cmake): content"]}),  # whether libraries are to be executable
    build("ar, strip, ld and objcopy", "cd src; gcc -g -I../include -c *.c; ar Drc lib.a p?.o p1?.o; ranlib -D lib.a; gcc -o prog main.o lib.a; ./prog; strip prog; objcopy --only-keep-debug main.o main.dbg; ar Dd lib.a p1.o; rm p*.o"),
    sqlite("made in WAL mode", TABLE + "c.execute('pragma wal_checkpoint(truncate)'); c.execute('vacuum'); c.close()", before=""),
    sqlite("several connections, and a checkpoint", SQL + """
a, b, r = connect(), connect(), connect()
r.execute('begin'); print(r.execute('select count(*) from t').fetchone())
for i in range(1000, 1200): (a, b)[i % 2].execute('insert into t values (?, ?)', (i, str(i)))
print(r.execute('select count(*) from t').fetchone(), a.execute('select count(*) from t').fetchone()); r.execute('commit')
print(r.execute('select count(*) from t').fetchone(), a.execute('pragma wal_checkpoint(passive)').fetchone()[0])
a.execute('begin immediate')
b.execute('pragma busy_timeout=50')
try: b.execute('begin immediate')
except sqlite3.OperationalError as e: print(e)
a.execute('rollback'); b.execute('delete from t where k % 3 = 0'); b.execute('pragma wal_checkpoint(truncate)')
for c in (a, b, r): c.close()"""),
    sqlite("processes", SQL + """
import subprocess, sys
code = "import sqlite3\\nc = sqlite3.connect('data.db', timeout=30, isolation_level=None)\\nfor i in range(50): c.execute('update t set v = v + 1 where k = 0')"
c = connect(); c.execute("update t set v = 0 where k = 0")
p = [subprocess.Popen([sys.executable, '-c', code]) for _ in range(3)]
print([q.wait() for q in p], c.execute('select v from t where k = 0').fetchone()); c.close()""", blur=[r"^data\.db$"]),
    sqlite("a WAL that is left", SQL + "import os\nc = connect(); c.execute('insert into t values (9999, 9999)'); os._exit(0)"),
    sqlite("a WAL that was left before", SQL + "c = connect(); print(c.execute('select count(*) from t').fetchone()); c.execute('insert into t values (10000, 1)'); c.close()",
           before=python(TABLE + "c.close()\nimport os\nc = connect(); c.execute('insert into t values (9999, 9999)'); os._exit(0)")),
    sqlite("rollback journals, and back from WAL", "import sqlite3\nc = sqlite3.connect('data.db', isolation_level=None); print(c.execute('pragma journal_mode=delete').fetchone())\n"
           "c.execute('begin'); c.execute('delete from t'); c.execute('rollback'); c.execute('pragma journal_mode=persist'); c.execute('delete from t where k > 100'); c.execute('pragma journal_mode=truncate'); c.execute('insert into t values (7777, 1)'); c.close()"),
    Scenario("sqlite3, the command", "sqlite3 data.db 'pragma journal_mode=wal; insert into t values (700, 1); select count(*) from t'; sqlite3 data.db .dump > dump.sql; sqlite3 new.db < dump.sql; sqlite3 data.db 'vacuum into \"copy.db\"'",
             before=python(TABLE + "c.close()"), needs=("sqlite3", "python3"), look=DUMP),
    Scenario("python -m venv, and pip install of a wheel", "python3 -m venv env; env/bin/pip install -q --no-index wheels/*.whl; env/bin/greet; env/bin/pip list --format=freeze; env/bin/pip uninstall -qy greeter; env/bin/pip install -q --no-index --no-deps wheels/*.whl",
             before=wheel("wheels"), check=need_venv, blur=PIP_BLUR, patience=300),
    Scenario("pip install in a venv that was there before", "env/bin/pip install -q --no-index --force-reinstall wheels/*.whl; env/bin/greet; python3 -m venv --upgrade env",
             before=wheel("wheels") + "python3 -m venv env; env/bin/pip install -q --no-index wheels/*.whl\n", check=need_venv, blur=PIP_BLUR, patience=300),
    Scenario("python compiles what it imports", "unset PYTHONDONTWRITEBYTECODE; python3 -c 'import pkg.m'; python3 -m compileall -q pkg; ls pkg/__pycache__ | wc -l",
             before="mkdir pkg; echo > pkg/__init__.py; echo 'x = 1' > pkg/m.py\n", needs=("python3",), look="python3 -c 'import pkg.m; print(pkg.m.x)'"),
]
