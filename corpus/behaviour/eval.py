#!/usr/bin/env python3
"""What the corpus is worth: `ambit profile eval` over all tools, and by tool and attack what was flagged of it.

    eval.py --ambit build/ambit [--corpus DIR] [--alpha RATE] [--part TOOL,...] [--calls | --unnamed] [--timeless] [--ranked] [--json]
    eval.py --ambit build/ambit --stream [N]      what is promised against what comes, over N usual events with drift in them"""

import argparse
import collections
import json
import lzma
import os
import random
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FORMS = ("plain", "mimic", "slowed", "padded")
NAMED = ("program", "destination", "request", "directory", "label")  # facts that are no amounts
TIMES = ("cpu_ms", "wall_ms")
SLICE = 20  # events of one session, in a stream


def rows(options, tool, part):
    """(label, facts, symbols, the event) of each line."""
    base = os.path.join(options.corpus, f"{tool}.{part}")
    with lzma.open(base + ".txt.xz", "rt", encoding="ascii") as lines, lzma.open(base + ".jsonl.xz", "rt", encoding="ascii") as events:
        for line, event in zip(lines, events):
            label, _, facts, symbols = line.rstrip("\n").split("\t")
            yield label, facts, symbols, json.loads(event)


def kept(options, fact):
    """Whether it is looked at."""
    name = fact.partition("=")[0]
    if name in NAMED:
        return not options.calls and not options.unnamed
    return not options.calls and (not options.timeless or name not in TIMES)


def facts(options, row, session):
    """What `ambit profile eval` takes beside the calls. Attacks have their task's session: nobody learns from them."""
    return " ".join([f"session={session}", *(fact for fact in row[1].split(" ") if kept(options, fact))])


def line(options, tool, row, session=None):
    label, _, symbols, event = row
    return f"{label if label == 'benign' else f'{tool}/{label}'}\t{tool}\t{facts(options, row, session or event['task'])}\t{symbols}\n"


def asked(options, texts, *more):
    """What `ambit profile eval` says of those three texts."""
    with tempfile.TemporaryDirectory() as out:
        for name, lines in texts.items():
            with open(os.path.join(out, name), "w", encoding="ascii") as file:
                file.writelines(lines)
        result = subprocess.run([os.path.abspath(options.ambit), "profile", "eval", "--json", "--alpha", options.alpha, "--train", "learned", "--calibrate", "calibrated", "--test", "test", *more],
                                cwd=out, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(result.stderr)
    return json.loads(result.stdout)


def parts(options, tools, *names):
    return [line(options, tool, row) for tool in tools for part in names for row in rows(options, tool, part)]


def whole(options, tools):
    by = "unseen" if options.ranked else "calibrated"
    return asked(options, {"learned": parts(options, tools, "learned"), "calibrated": parts(options, tools, by), "test": parts(options, tools, "unseen", "attacks")})


def new_words(options, tool):
    """What the simplest score comes to, for comparison: how many different words a trace has that no learned one had. (AUC, flagged where 1 % of unseen work is)"""
    def words(part):
        return [set(symbols.split()) for _, _, symbols, _ in rows(options, tool, part)]
    known = set().union(*words("learned"))
    usual, unusual = (sorted(len(w - known) for w in words(part)) for part in ("unseen", "attacks"))
    above = sum((a > u) + (a == u) / 2 for a in unusual for u in usual)
    limit = usual[-1 - len(usual) // 100]
    return above / len(usual) / len(unusual), sum(a > limit for a in unusual) / len(unusual)


def outcomes(options, tool):
    return collections.Counter(event["outcome"] for *_, event in rows(options, tool, "attacks"))


def by_form(got, tool):
    """How many of each form there are, and were flagged as was promised."""
    count = collections.defaultdict(lambda: [0, 0])
    for row in got["attacks_by_name"]:
        of, _, name = row["name"].partition("/")
        for form in (name.rsplit(".", 1)[1], "all") if of == tool else ():
            count[form][0] += row["flagged"][0]
            count[form][1] += row["n"]
    return {form: flagged / n for form, (flagged, n) in count.items()}


def tell(options, tools, got):
    keys = {k["key"]: k for k in got["keys"]} if len(tools) > 1 else {tools[0]: got}
    print(f"{'tool':8}{'AUC':>8}{'at 1 %':>8}{'new words':>10}{'at 1 %':>8}{'realised':>10}" + "".join(f"{f:>8}" for f in (*FORMS, "all")) + f"{'effect':>8}{'stopped':>8}")
    means = []
    for tool in tools:
        key, kinds, rate = keys[tool], outcomes(options, tool), by_form(got, tool)
        at = next(a["tpr"] for a in key["at"] if a["fpr"] == 0.01)
        row = [key["auc"], at, *new_words(options, tool), key["promises"][0]["realised"], *(rate.get(f, 0) for f in (*FORMS, "all"))]
        means.append(row)
        print(f"{tool:8}{row[0]:8.3f}{row[1]:8.2f}{row[2]:10.3f}{row[3]:8.2f}{row[4]:10.3f}" + "".join(f"{r:8.2f}" for r in row[5:]) + f"{kinds['effect']:8}{kinds['stopped']:8}")
    mean = [sum(column) / len(means) for column in zip(*means)]
    print(f"{'mean':8}{mean[0]:8.3f}{mean[1]:8.2f}{mean[2]:10.3f}{mean[3]:8.2f}{mean[4]:10.3f}" + "".join(f"{r:8.2f}" for r in mean[5:]))
    missed = collections.defaultdict(list)
    for row in got["attacks_by_name"]:
        of, _, name = row["name"].partition("/")
        if row["flagged"][0] < row["n"]:
            missed[name].append(f"{of} {row['flagged'][0]}/{row['n']}")
    for name, where in sorted(missed.items()):
        print(f"  {name}: {', '.join(where)}")


def drawn(options, tool, n, rng):
    """n usual events of a tool, in sessions of one task each; what is done drifts from the tasks that calibrated to those that are unseen."""
    tasks = collections.defaultdict(list)
    for part in ("calibrated", "unseen"):
        for row in rows(options, tool, part):
            tasks[part, row[3]["task"]].append(row)
    lines = []
    for session in range(-(-n // SLICE)):
        part = "unseen" if rng.random() < session * SLICE / n else "calibrated"
        of = rng.choice(sorted(t for t in tasks if t[0] == part))
        lines += [line(options, tool, rng.choice(tasks[of]), f"s{session}") for _ in range(SLICE)]
    return lines[:n]


def stream(options, tools):
    """Each event is scored, and the thresholds follow before the next is."""
    rng = random.Random(11)
    each = [drawn(options, tool, -(-options.stream // len(tools)), rng) for tool in tools]
    got = asked(options, {"learned": parts(options, tools, "learned"), "calibrated": parts(options, tools, "calibrated"), "test": [t for together in zip(*each) for t in together]}, "--stream")
    for name, of in [(k["key"], k) for k in got["keys"]] + [("all", got)]:
        promise = of["promises"][0]
        print(f"{name:8}{of['usual']:8} events, {promise['flagged_usual']:5} flagged, {promise['ratio']:6.2f} of what was promised")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ambit", required=True)
    parser.add_argument("--corpus", default=HERE)
    parser.add_argument("--alpha", default="0.01")
    parser.add_argument("--part", help="these tools alone, with commas: each then knows nothing of others")
    parser.add_argument("--calls", action="store_true", help="by calls alone, without amounts and names")
    parser.add_argument("--unnamed", action="store_true", help="by calls and amounts, without what is named")
    parser.add_argument("--timeless", action="store_true", help="without times, which say how busy the machine was, too")
    parser.add_argument("--ranked", action="store_true", help="thresholds by the unseen work itself, of which none is flagged: no promise, and which attacks are above it")
    parser.add_argument("--stream", nargs="?", const=10000, type=int, metavar="N", help="events that come one after the other (default: 10000)")
    parser.add_argument("--json", action="store_true", help="what `ambit profile eval` says")
    options = parser.parse_args()
    tools = options.part.split(",") if options.part else sorted({f.split(".")[0] for f in os.listdir(options.corpus) if f.endswith(".attacks.txt.xz")})
    if options.stream:
        stream(options, tools)
        return
    got = whole(options, tools)
    if options.json:
        print(json.dumps(got))
    else:
        tell(options, tools, got)


if __name__ == "__main__":
    main()
