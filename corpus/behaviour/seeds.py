#!/usr/bin/env python3
"""Seed profiles out of the corpus: what each is made of, and what it is worth.

    seeds.py make --gen build/src/profile/gen_seed --out FILE [NAME...]   of the parts `learned` and `calibrated`, one behind the other; the build does this
    seeds.py try --gen build/src/profile/gen_seed [NAME...]                what each says of unseen work and of attacks: a table
    seeds.py servers --gen build/src/profile/gen_seed                      what those of Node say of a server that none was made of, and of one that does what none does"""

import argparse
import collections
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import eval as corpus  # pylint: disable=wrong-import-position

# Which tools of the corpus each is made of. What is run by a shell may be any tool.
SEEDS = {"shell": ("shell", "files", "data", "git", "git_remote", "cc", "npm", "pip"), "files": ("files", "shell"), "data": ("data", "shell"), "git": ("git", "git_remote"), "cc": ("cc",), "npm": ("npm",), "pip": ("pip",),
         "python": ("python", "mcp"), "node": ("node",), "server": ("mcp_node",)}
# What of a machine's amounts is the same on another: src/profile/seed.c.
AMOUNTS = ("calls", "left_out", "denied", "programs", "writes", "destinations", "up_bytes", "down_bytes", "written_bytes", "tasks", "threads")


def lines(options, name, part, use):
    for tool in SEEDS[name]:
        if not os.path.exists(os.path.join(options.corpus, f"{tool}.{part}.txt.xz")):
            continue  # of git_remote all is learned
        for label, facts, symbols, event in corpus.rows(options, tool, part):
            told = " ".join([f"session={tool}.{event['task']}"] + [fact for fact in facts.split(" ") if fact.partition("=")[0] in AMOUNTS])
            yield f"{label if label == 'benign' else f'{tool}/{label}'}\t{use}\t{told}\t{symbols}\n"


def learned(options, name):
    return [line for part in ("learned", "calibrated") for line in lines(options, name, part, "learned")]


def run(options, words, text):
    return subprocess.run([options.gen, *words], input="".join(text).encode("ascii"), stdout=subprocess.PIPE, check=True).stdout


def make(options, names):
    text = b"".join(run(options, [name], learned(options, name)) for name in names)
    with open(options.out, "wb") as file:
        file.write(text)


def tried(options, name):
    """Of unseen work and each form of attack: how many there are, how many are above all, how many connect, how many are told."""
    text = learned(options, name) + [line for part in ("unseen", "attacks") for line in lines(options, name, part, "test")]
    found = collections.defaultdict(collections.Counter)
    for line in run(options, ["--try", name], text).decode("ascii").splitlines():
        label, told, above, connects, _ = line.split("\t", 4)
        kind, _, form = label.partition("/")[2].partition(".")
        for of in ("usual",) if label == "benign" else ("attacks", form, f"{kind}.{form}"):
            found[of].update(n=1, told=int(told), held=int(above == "1" or connects == "1"), connects=int(connects))
    return found


def tell(options, names):
    columns = ("attacks", "plain", "mimic", "slowed", "padded", "reverse_shell.plain")
    print("| seed | told: false alarms | " + " | ".join(columns) + " | held: false alarms | " + " | ".join(columns) + " |\n|" + "---|" * (2 * len(columns) + 3))
    for name in names:
        found = tried(options, name)
        print(f"| `{name}` | " + " | ".join(f"{found['usual'][what]} of {found['usual']['n']} | " + " | ".join(f"{found[c][what] / max(found[c]['n'], 1):.2f}" for c in columns) for what in ("told", "held")) + " |")


# What a server that was changed does besides: words of a trace, and how many programs. The line is else one of its own.
CHANGED = {"a shell": (" | exec:sh read:/etc/ld.so.cache read:/usr/lib exec:id read:/etc/ld.so.cache read:/usr/lib", 2), "a connection that is denied": (" connect:net.high!", 0), "one that is granted": (" connect:granted.web", 0)}


def changed(line, words, programs):
    label, _, told, symbols = line.rstrip("\n").split("\t")
    return f"{label}\ttest\t{told.replace('programs=1 ', f'programs={1 + programs} ')}\t{symbols}{words}\n"


def by_both(options, taught, tests):
    """Node has two seeds, and what either knows is usual. How many there are, are told, are held."""
    said = [[line.split("\t")[1:4] for line in run(options, ["--try", "node"], text + tests).decode("ascii").splitlines()] for text in (learned(options, "node"), taught)]
    return f"{len(tests)} sessions: {sum(all(one[0] == '1' for one in two) for two in zip(*said))} told, {sum(all('1' in one[1:] for one in two) for two in zip(*said))} held"


def servers(options):
    text = learned(options, "server")
    for server in sorted({line.partition("=mcp_node.")[2].partition(" ")[0] for line in text}):
        of = f"=mcp_node.{server} "
        print(f"{server}, which it was not made of: {by_both(options, [line for line in text if of not in line], [changed(line, '', 0) for line in text if of in line])}")
    for what, how in CHANGED.items():
        print(f"with {what}: {by_both(options, text, [changed(line, *how) for line in text])}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("make", "try", "servers"))
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--gen", required=True)
    parser.add_argument("--out")
    parser.add_argument("--corpus", default=HERE)
    options = parser.parse_intermixed_args()
    if options.what == "make":
        make(options, options.names or SEEDS)
    elif options.what == "servers":
        servers(options)
    else:
        tell(options, options.names or [name for name in SEEDS if name != "server"])  # of that no work is unseen


if __name__ == "__main__":
    main()
