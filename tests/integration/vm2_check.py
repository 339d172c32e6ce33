#!/usr/bin/env python3
"""What @ambit/vm2 says of itself to compilers and to who comes from vm2: its types, the table of its guide, and the program that looks over a project.

usage: vm2_check.py AMBIT packages/vm2 tests/peers/vm2-users    (TAP on standard output)
"""

import json
import os
import re
import shutil
import subprocess

from harness import PATIENCE, SLOW, Skip, main, need, once, told, write
from mcp_peers import node

COMPILER = ["--strict", "--noEmit", "--exactOptionalPropertyTypes", "--module", "nodenext", "--moduleResolution", "nodenext", "--types", "node", "--pretty", "false"]
TARGETS = [["--target", "es2022"], ["--target", "es2022", "--lib", "es2022,esnext.disposable"]]


def compiled(place, top, name, *words):
    return subprocess.run([node(), "node_modules/typescript/bin/tsc", *COMPILER, *words, name], cwd=top, env=place.environment(), capture_output=True, text=True, timeout=SLOW * 120, check=False)


@once
def its_types_hold(place):
    """With the compiler and Node's own types, from npm, where its registry can be reached; with a library that knows Symbol.dispose, and without."""
    need("npm")
    top, package = place.fresh(), place.given(1)
    write(f"{top}/package.json", "{}")
    done = subprocess.run(["npm", "install", "--silent", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "typescript@5.9", "@types/node@18"], cwd=top, capture_output=True,
                          env={**place.environment(), "npm_config_cache": f"{top}/.npm"}, timeout=SLOW * 4 * PATIENCE, check=False)
    if done.returncode != 0:
        raise Skip("npm cannot fetch typescript and @types/node (no network?)")
    os.makedirs(f"{top}/node_modules/@ambit/vm2")
    for name in ("package.json", "index.d.ts"):
        shutil.copy(f"{package}/{name}", f"{top}/node_modules/@ambit/vm2/{name}")
    for name in ("right.ts", "wrong.ts"):
        shutil.copy(f"{package}/test/types/{name}", f"{top}/{name}")
    for target in TARGETS:
        done = compiled(place, top, "right.ts", *target)
        assert done.returncode == 0, told(done)
        done = compiled(place, top, "wrong.ts", *target)
        said = {int(line) for line in re.findall(r"^wrong\.ts\((\d+),", done.stdout, re.M)}
        with open(f"{top}/wrong.ts", encoding="utf-8") as file:
            wanted = {number for number, line in enumerate(file, 1) if line.rstrip().endswith("// wrong")}
        assert said == wanted, f"mistakes in lines {sorted(said)}, and they are in {sorted(wanted)}: {told(done)}"


def rows(place):
    """id -> the cells of its row, of the tables in the guide."""
    with open(f"{place.given(1)}/MIGRATING.md", encoding="utf-8") as file:
        found = re.findall(r"^\| `([\w-]+)` \| (.*) \|$", file.read(), re.M)
    assert len(dict(found)) == len(found), "an id of MIGRATING.md stands twice"
    return {name: text.split(" | ") for name, text in found}


@once
def each_reason_to_differ_stands_in_the_guide(place):
    script = ("const fs=require('fs'),path=require('path'),d=process.argv[1],all=new Set();"
              "for(const f of fs.readdirSync(d))if(f.endsWith('.js')&&f!=='run.js'&&f!=='support.js'){const it=require(path.join(d,f));if(!Array.isArray(it))throw new Error(f);for(const c of it)if(c.differs)all.add(c.differs)}"
              "console.log(JSON.stringify([...all]))")
    done = subprocess.run([node(), "-e", script, os.path.abspath(f"{place.given(1)}/test/behaviour")], cwd=place.top, env=place.environment(), capture_output=True, text=True, timeout=SLOW * 60, check=False)
    assert done.returncode == 0, told(done)
    reasons = json.loads(done.stdout)
    assert len(reasons) > 10, reasons
    stated = {cell for cells in rows(place).values() for cell in cells}
    missing = [text for text in reasons if text not in stated]
    assert not missing, f"no row of MIGRATING.md says: {missing}"
    with open(f"{place.given(1)}/MIGRATING.md", encoding="utf-8") as file:
        told_of = re.findall(r"^\| `[\w-]+` \| \w+ \| (.*?) \| ", file.read().split("\n## Where a process", 1)[1], re.M)
    assert set(told_of) <= set(reasons), f"no case says: {set(told_of) - set(reasons)}"
    assert all({"same", "stronger", "different", "refused"} & set(cells[:2]) for cells in rows(place).values()), "a row that says none of the four"


def scanner(place):
    """The package with its parsers, which ./bootstrap check gets."""
    need("node")
    if not os.path.exists(os.path.join(place.given(1), "node_modules", "@sveltejs/acorn-typescript")):
        raise Skip("the packages that read code are not installed (npm ci --prefix packages/vm2)")


def checked(place, *words, cwd=None):
    return subprocess.run([node(), os.path.abspath(f"{place.given(1)}/bin/ambit-vm2.js"), *words], cwd=cwd or place.top, env=place.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=SLOW * 60, check=False)


@once
def each_use_is_told_as_its_row_says(place):
    scanner(place)
    done = subprocess.run([node(), os.path.abspath(f"{place.given(1)}/test/check/run.js")], cwd=place.top, env=place.environment(), capture_output=True, text=True, timeout=SLOW * 60, check=False)
    assert done.returncode == 0 and "\nok " in done.stdout and "\nnot ok" not in done.stdout, told(done)


SEEN, DIFFERS, USAGE, INCOMPLETE = range(4)  # its exit status

USE = "const { NodeVM } = require('vm2');\nnew NodeVM({ timeout: 5, require: { %s } });\n"


@once
def a_project_is_looked_over(place):
    """With what must be left out beside it: node_modules, links out of the project, what is too large, what is no file."""
    scanner(place)
    top = place.fresh()
    outside = f"{place.fresh()}/outside"
    project = f"{top}/project"
    host, fs = USE % "context: 'host'", USE % "builtin: ['fs']"
    write(f"{outside}/a.js", host)
    write(f"{project}/package.json", '{"dependencies": {"vm2": "^3", "old": "npm:vm2@3.9.0"}}')
    write(f"{project}/src/a.js", fs)
    write(f"{project}/src/b.mjs", "import * as old from 'old';\nnew old.VM({ eval: false });\n")
    write(f"{project}/src/odd\x1b[2J.js", fs)
    write(f"{project}/src/broken.js", "require('vm2') =\n")
    write(f"{project}/src/large.js", host + "//" + "x" * (2 << 20))
    write(f"{project}/src/other.js", "//" + "x" * (2 << 20))
    write(f"{project}/node_modules/dep/index.js", host)
    write(f"{project}/node_modules/dep/package.json", '{"name": "dep", "version": "1.2.3", "dependencies": {"vm2": "^3.9.0"}}')
    write(f"{project}/node_modules/@scope/deep/package.json", '{"name": "@scope/deep", "version": "1.0.0", "dependencies": {"vm2": "*"}}')
    write(f"{project}/package-lock.json", json.dumps({"packages": {"": {}, "node_modules/locked": {"version": "4.5.6", "dependencies": {"vm2": "3"}}}}))
    os.symlink(outside, f"{project}/src/linked")
    os.symlink(f"{outside}/a.js", f"{project}/src/link.js")
    os.mkfifo(f"{project}/src/pipe.js")
    done = checked(place, "check", cwd=project)
    assert done.returncode == INCOMPLETE, told(done)
    assert re.search(r"^different \[builtin-fs\] .*\n  src/a\.js:2:47: fs$", done.stdout, re.M) and re.search(r"^same \[eval\] .*\n  src/b\.mjs:2:14: eval$", done.stdout, re.M), told(done)
    assert "\x1b" not in done.stdout and "refused [" not in done.stdout, told(done)
    assert "src/broken.js:1: not read: " in done.stdout and "src/large.js: not read: " in done.stdout and "other.js" not in done.stdout, told(done)
    for name in ("dep 1.2.3", "@scope/deep 1.0.0", "locked 4.5.6"):
        assert f": {name} uses vm2 " in done.stdout, told(done)
    write(f"{project}/src/host.js", host)
    done = checked(place, "check", "--json", project)
    found = json.loads(done.stdout)
    refused = [it for it in found["uses"] if it["how"] == "refused"]
    assert done.returncode == INCOMPLETE and [(os.path.basename(it["file"]), it["line"], it["id"]) for it in refused] == [("host.js", 2, "context-host")], told(done)
    assert sorted(found["direct"]) == ["old", "vm2"], told(done)
    assert ["broken.js", 1] in [[os.path.basename(it["file"]), it.get("line")] for it in found["unread"]], told(done)


STATUS = [  # the files of a project, and what the program ends with
    ("nothing of vm2", {"a.js": "print();\n"}, SEEN),
    ("what is the same or stronger", {"a.js": "new (require('vm2').VM)({ eval: false }).run('1');\n"}, SEEN),
    ("what is different", {"a.js": USE % "builtin: ['fs']"}, DIFFERS),
    ("what is refused", {"a.js": USE % "context: 'host'"}, DIFFERS),
    ("options that are made elsewhere", {"a.js": "exports.make = (o) => new (require('vm2').VM)(o);\n"}, INCOMPLETE),
    ("what cannot be parsed", {"a.js": "require('vm2') =\n"}, INCOMPLETE),
    ("what cannot be parsed, and is not of vm2", {"a.js": "require('other') =\n"}, SEEN),
    ("what cannot be parsed, beside what is refused", {"a.js": "require('vm2') =\n", "b.js": USE % "context: 'host'"}, INCOMPLETE),
    ("types that cannot be parsed", {"a.ts": "import { VM } from 'vm2';\nlet a: = 1;\n"}, INCOMPLETE),
    ("types", {"a.ts": "import { type VMOptions, VM } from 'vm2';\nconst o: VMOptions = { eval: false };\nnew VM(o as VMOptions);\n"}, SEEN),
    ("a list of packages that cannot be read", {"package-lock.json": "{"}, INCOMPLETE),
    ("the program of vm2", {"package.json": '{"scripts": {"start": "npx vm2 a.js"}}'}, DIFFERS),
    ("another program", {"package.json": '{"scripts": {"start": "npm update vm2 && a vm2"}}'}, SEEN),
    ("directories too deep in each other", {"/".join(["a"] * 70) + "/a.js": ""}, INCOMPLETE),
]


@once
def its_status_says_whether_all_was_seen(place):
    scanner(place)
    for name, files, wanted in STATUS:
        top = place.fresh()
        for file, text in files.items():
            write(f"{top}/{file}", text)
        done = checked(place, "check", top)
        assert done.returncode == wanted and not done.stderr, f"{name}: {told(done)}"
    with open(f"{place.given(1)}/README.md", encoding="utf-8") as file:
        readme = file.read()
    told_of = re.search(r"Exit status: (0 .*)\.\n", checked(place, "--help").stdout, re.S).group(1).replace("\n", " ")
    assert told_of in readme, f"README.md does not say: {told_of}"


@once
def without_the_parsers_it_says_what_is_missing(place):
    need("node")
    top, package = place.fresh(), os.path.abspath(place.given(1))
    shutil.copytree(f"{package}/bin", f"{top}/bin")
    for name in ("package.json", "MIGRATING.md"):
        shutil.copy(f"{package}/{name}", f"{top}/{name}")
    done = subprocess.run([node(), f"{top}/bin/ambit-vm2.js", "check", top], cwd=top, env=place.environment(), capture_output=True, text=True, timeout=SLOW * 60, check=False)
    assert done.returncode == INCOMPLETE and not done.stdout, told(done)
    with open(f"{package}/package.json", encoding="utf-8") as file:
        assert all(name in done.stderr.split("npm install", 1)[1] for name in json.load(file)["optionalDependencies"]), told(done)
    assert len(done.stderr.splitlines()) == 1, told(done)


@once
def what_it_cannot_do_is_no_difference(place):
    """Its table is away, which stands for a mistake of its own."""
    scanner(place)
    top, package = place.fresh(), os.path.abspath(place.given(1))
    shutil.copytree(f"{package}/bin", f"{top}/bin")
    shutil.copy(f"{package}/package.json", f"{top}/package.json")
    os.symlink(f"{package}/node_modules", f"{top}/node_modules")
    done = subprocess.run([node(), f"{top}/bin/ambit-vm2.js", "check", top], cwd=top, env=place.environment(), capture_output=True, text=True, timeout=SLOW * 60, check=False)
    assert done.returncode == INCOMPLETE and not done.stdout and "MIGRATING.md" in done.stderr and "npm install" not in done.stderr and len(done.stderr.splitlines()) == 1, told(done)


@once
def what_it_is_asked_wrongly_is_told(place):
    scanner(place)
    for words in ([], ["chek"], ["check", "--jsn"], ["check", "/nonexistent"]):
        done = checked(place, *words)
        assert done.returncode == USAGE and "--help" in done.stderr and not done.stdout, told(done)
    done = checked(place, "check", "--help")
    assert done.returncode == 0 and "--json" in done.stdout, told(done)


# package: ids that its code must show, of the files that can be read
USERS = {"juicy-chat-bot": {"vm", "no-timeout", "hostClass", "write-back"}, "pitboss-ng": {"vm", "timeout", "elsewhere", "sandbox-module"}, "vm-nunjucks": {"vm", "builtin-fs", "context", "result-method"},
         "degenerator": {"vm", "script", "elsewhere"}, "typescript-json-schema": {"vm"}}


@once
def the_uses_of_real_packages_are_found(place):
    scanner(place)
    there = os.path.abspath(place.given(2))
    if not os.path.exists(f"{there}/node_modules/.package-lock.json"):
        raise Skip("the packages of tests/peers/vm2-users are not there: ./bootstrap check gets them from npm")
    for name, wanted in USERS.items():
        done = checked(place, "check", "--json", f"{there}/node_modules/{name}")
        assert done.returncode in (SEEN, DIFFERS, INCOMPLETE), told(done)
        assert not json.loads(done.stdout)["unread"], told(done)
        found = {it["id"] for it in json.loads(done.stdout)["uses"]}
        assert wanted <= found, f"{name}: {sorted(wanted - found)} is not found, but {sorted(found)}"
    done = checked(place, "check", "--json", there)
    assert done.returncode == 0, told(done)
    assert set(USERS) <= {it["name"] for it in json.loads(done.stdout)["packages"]}, told(done)


if __name__ == "__main__":
    main([its_types_hold, each_reason_to_differ_stands_in_the_guide, each_use_is_told_as_its_row_says, a_project_is_looked_over, its_status_says_whether_all_was_seen,
          without_the_parsers_it_says_what_is_missing, what_it_cannot_do_is_no_difference, what_it_is_asked_wrongly_is_told, the_uses_of_real_packages_are_found])
