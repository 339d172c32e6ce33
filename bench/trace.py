#!/usr/bin/env python3
"""What traces cost: their size, and beside an Ambit without them (OTHER) an open in a cell and whole events, in pairs.

usage: trace.py AMBIT CALLS [OTHER [ROUNDS]]    (CALLS: the program of calls.c)"""

import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

OPEN = 5  # the line of `calls --here` that is of open+close

TASKS = {
    "true": ["true"],
    "shell, ten programs": ["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do cat a.py >/dev/null; done"],
    "python, some imports": ["python3", "-c", "import json, email.mime.text, http.client, xml.dom.minidom"],
    "git": ["sh", "-c", "git init -q . && git add . && git -c user.name=a -c user.email=a@b commit -qm x && git status -s"],
    "compiler": ["sh", "-c", "echo 'int main(void){return 0;}' > a.c && cc -o a.out a.c"],
    "padded: 80,000 opens": ["python3", "-S", "-c", "import os\nfor i in range(80000): os.close(os.open('a.py', 0))"],
    "never twice: 100,000 opens": ["python3", "-S", "-c", "import os\nfor i in range(100000):\n  try: os.open('x%d' % i, 0)\n  except OSError: pass"],
}


def open_ns(ambit, calls):
    done = subprocess.run([ambit, "run", "--no-ledger", "--", calls, "--here"], capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[OPEN])


def event_ms(ambit, tree, words):
    begun = time.monotonic()
    subprocess.run([ambit, "run", "--no-ledger", "--work", ".", "--discard", "--", *words], cwd=tree, capture_output=True, check=False)
    return 1000 * (time.monotonic() - begun)


def pairs(name, rounds, a, b, unit):
    """Each round both, in turns; beside them the same one twice, which is what noise does."""
    ratios, noise, first = [], [], []
    for i in range(rounds):
        order = [a, b, a] if i % 2 else [a, a, b]
        got = [one() for one in order]
        mine = got[0]
        ratios.append(mine / (got[1] if i % 2 else got[2]))
        noise.append(mine / (got[2] if i % 2 else got[1]))
        first.append(mine)
    print(f"{name:28} {statistics.median(first):10.1f} {unit}  of without: {statistics.median(ratios):.4f}  of itself: {statistics.median(noise):.4f}", flush=True)


def size(ambit, tree, name, words):
    record = os.path.join(tree, "..", "record")
    begun = time.monotonic()
    subprocess.run([ambit, "run", "--no-ledger", "--record", record, "--work", ".", "--discard", "--", *words], cwd=tree, capture_output=True, check=False)
    took = time.monotonic() - begun
    with open(record, encoding="utf-8") as file:
        trace = json.load(file)["trace"]
    print(f"{name:28} {trace['calls']:8} calls {trace['threads']:5} threads {trace['dropped']:7} left out {len(base64.b64decode(trace['form']['b64'])):8} bytes "
          f"{1000 * took:8.0f} ms", flush=True)


def main(ambit, calls, other=None, rounds="40"):
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as top:
        tree = os.path.join(top, "tree")
        os.mkdir(tree)
        with open(os.path.join(tree, "a.py"), "w", encoding="utf-8") as file:
            file.write("print(1)\n")
        for name, words in TASKS.items():
            size(ambit, tree, name, words)
        if other is None:
            return
        n = int(rounds)
        pairs("open+close in a cell", n, lambda: open_ns(ambit, calls), lambda: open_ns(other, calls), "ns")
        for name in ("true", "python, some imports", "git"):
            pairs(f"event: {name}", n, lambda w=TASKS[name]: event_ms(ambit, tree, w), lambda w=TASKS[name]: event_ms(other, tree, w), "ms")


if __name__ == "__main__":
    main(*sys.argv[1:])
