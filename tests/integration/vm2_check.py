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
    assert all({"same", "stronger", "different", "refused"} & set(cells[:2]) for cells in rows(place).values()), "a row that says none of the four"


if __name__ == "__main__":
    main([its_types_hold, each_reason_to_differ_stands_in_the_guide])
