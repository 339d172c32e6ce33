#!/usr/bin/env python3
"""What the corpus has nothing of: servers of the Model Context Protocol that other people wrote, in the cell of a gate (`ambit guard`), run by `node`. For seeds alone (seeds.py): no attacks, and no part that is unseen.

    record_servers.py --ambit build/ambit --peers tests/peers/mcp --out DIR     the packages of the tests' peers: ./bootstrap check gets them"""

import argparse
import contextlib
import json
import lzma
import os
import subprocess
import sys
import tempfile
import time
import types

from cells import ORDINARY, PATIENCE, PROGRAMS, World, give

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/integration"))
from mcp_peers import FROM, SERVERS, Peer, Refused, filled, prepared  # pylint: disable=wrong-import-position,import-error

NAMES = ("filesystem", "memory", "sequential-thinking", "everything")  # whose calls mcp_peers.py has, each tool's
SESSIONS = 8  # of each: another home, tree, place of the packages, and choice of calls; the first has all
AMOUNTS = ("calls", "threads", "dropped")


def start(recorder, w, name, number):
    """The packages lie in the home, in the workspace, or elsewhere."""
    server = SERVERS[name]
    near = (f"{w.home}/.local/lib", w.work, recorder.peers)[number % 3]
    if near != recorder.peers:
        os.makedirs(near, exist_ok=True)
        subprocess.run(["cp", "-al", f"{recorder.peers}/node_modules", near], check=True)
    words = [word.replace("{tree}", w.work) for word in server.argv[1:]]
    env = [word for key in server.env or {} for word in ("--env", key)]
    return [recorder.ambit, "guard", "--name", name, "--tool", f"{name}/*", "--read", near, "--write", ".", "--run", "node", *env, "--", "node", os.path.join(near, server.argv[0]), *words]


def line_of(ambit):
    """Of the server's event, whose grants are the first in its ledger: calls are events, too. It may end a little after its gate."""
    event = json.loads(ambit("ledger", "show", "--type", "grant", "--json").stdout.splitlines()[0])["event"]
    end = time.monotonic() + PATIENCE
    while (traced := ambit("trace", event, "--line", "--facts", "--label", "-", "--key", "node")).returncode != 0:
        assert time.monotonic() < end, traced.stderr
        time.sleep(0.1)
    return traced.stdout


def session(recorder, name, number):
    w = World(recorder, f"servers/{name}/node/{number}")
    server = SERVERS[name]
    prepared(server, w.work)
    for i in range(number):
        w.file(f"{w.grown.word()}/{w.grown.word()}{i}.txt", w.grown.word() * (i + 1))
    env = {"PATH": PROGRAMS, "HOME": w.home, "LANG": "C.UTF-8", **filled(server.env, w.work)}
    with Peer(recorder, recorder.peers, 1, env) as peer:
        peer.connect(start(recorder, w, name, number), cwd=w.work, answers=filled(server.answers, w.work))
        peer.tools()
        for tool, arguments, _ in server.calls:
            if tool not in (server.missing or {}).get(1, ()) and (number == 0 or w.rng.random() < 0.6):
                with contextlib.suppress(Refused):  # some are wrong ones
                    peer.call(tool, filled(arguments, w.work))
        for uri in server.reads if number % 2 == 0 else ():
            with contextlib.suppress(Refused):
                peer.read(uri.lstrip("!"))
        peer.close()

    line = line_of(lambda *words: subprocess.run([recorder.ambit, *words], cwd=w.work, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False))
    facts, symbols = line.rstrip("\n").split("\t")[2:]
    w.gone()
    return " ".join(fact for fact in facts.split(" ") if not fact.startswith("session=")), symbols


def ordinary():
    """From here on; whoever records as root."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(ORDINARY)
        os.setuid(ORDINARY)


def recorded(options, top):
    recorder = types.SimpleNamespace(ambit=os.path.abspath(options.ambit), top=top, listeners=None, peers=f"{top}/peers")
    subprocess.run(["cp", "-a", options.peers, recorder.peers], check=True)
    os.chmod(top, 0o755)
    give(top)
    ordinary()
    for name in NAMES:
        for number in range(SESSIONS):
            yield name, number, *session(recorder, name, number)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ambit", required=True)
    parser.add_argument("--peers", required=True)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:  # opened before it is an ordinary user
        txt, jsonl = (stack.enter_context(lzma.open(os.path.join(options.out, f"mcp_node.learned.{ending}.xz"), "wt", encoding="ascii")) for ending in ("txt", "jsonl"))
        top = stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp"))
        for count, (name, number, facts, symbols) in enumerate(recorded(options, top), 1):
            txt.write(f"benign\tnode\t{facts}\t{symbols}\n")
            counts = {key: int(value) for key, _, value in (fact.partition("=") for fact in facts.split(" ")) if key in AMOUNTS}
            jsonl.write(json.dumps({"id": f"mcp_node.learned:{count}", "tool": "mcp_node", "task": name, "variant": number, "part": "learned", "label": "benign", "amounts": counts}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
