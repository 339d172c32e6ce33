#!/usr/bin/env python3
"""What the corpus is worth: `ambit profile eval` by tool, and by attack what was flagged of it.

    eval.py --ambit build/ambit [--corpus DIR] [--alpha RATE] [--part TOOL,...] [--missed]"""

import argparse
import collections
import json
import lzma
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FORMS = ("plain", "mimic", "slowed", "padded")


def text(corpus, tool, part):
    with lzma.open(os.path.join(corpus, f"{tool}.{part}.txt.xz"), "rt", encoding="ascii") as file:
        return file.read()


def evaluated(options, tool):
    with tempfile.TemporaryDirectory() as out:
        for name, parts in (("learned", ["learned"]), ("calibrated", ["calibrated"]), ("test", ["unseen", "attacks"])):
            with open(os.path.join(out, name), "w", encoding="ascii") as file:
                file.write("".join(text(options.corpus, tool, p) for p in parts))
        result = subprocess.run([os.path.abspath(options.ambit), "profile", "eval", "--json", "--alpha", options.alpha, "--train", "learned", "--calibrate", "calibrated", "--test", "test"],
                                cwd=out, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"{tool}: {result.stderr}")
    return json.loads(result.stdout)


def new_words(options, tool):
    """What the simplest score comes to, for comparison: how many different words a trace has that no learned one had. (AUC, flagged where 1 % of unseen work is)"""
    def words(part):
        return [set(line.split("\t")[2].split()) for line in text(options.corpus, tool, part).splitlines()]
    known = set().union(*words("learned"))
    usual, unusual = (sorted(len(w - known) for w in words(part)) for part in ("unseen", "attacks"))
    above = sum((a > u) + (a == u) / 2 for a in unusual for u in usual)
    limit = usual[-1 - len(usual) // 100]
    return above / len(usual) / len(unusual), sum(a > limit for a in unusual) / len(unusual)


def outcomes(options, tool):
    with lzma.open(os.path.join(options.corpus, f"{tool}.attacks.jsonl.xz"), "rt", encoding="ascii") as file:
        return collections.Counter(json.loads(line)["outcome"] for line in file)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ambit", required=True)
    parser.add_argument("--corpus", default=HERE)
    parser.add_argument("--alpha", default="0.01")
    parser.add_argument("--part")
    parser.add_argument("--json", action="store_true", help="what `ambit profile eval` says, by tool")
    options = parser.parse_args()
    tools = options.part.split(",") if options.part else sorted({f.split(".")[0] for f in os.listdir(options.corpus) if f.endswith(".attacks.txt.xz")})
    told = {tool: evaluated(options, tool) for tool in tools}
    if options.json:
        print(json.dumps(told))
        return
    print(f"{'tool':8}{'AUC':>8}{'at 1 %':>8}{'new words':>10}{'at 1 %':>8}{'realised':>10}" + "".join(f"{f:>8}" for f in FORMS) + f"{'all':>8}{'effect':>8}{'stopped':>8}")
    missed = collections.defaultdict(list)
    for tool, got in told.items():
        by_form, kinds = collections.defaultdict(lambda: [0, 0]), outcomes(options, tool)
        for row in got["attacks_by_name"]:
            (name, form), flagged, n = row["name"].rsplit(".", 1), row["flagged"][0], row["n"]
            for f in (form, "all"):
                by_form[f][0] += flagged
                by_form[f][1] += n
            if flagged < n:
                missed[f"{name}.{form}"].append(f"{tool} {flagged}/{n}")
        rate = {f: by_form[f][0] / max(1, by_form[f][1]) for f in (*FORMS, "all")}
        print(f"{tool:8}{got['auc']:8.3f}{next(a['tpr'] for a in got['at'] if a['fpr'] == 0.01):8.2f}" + "{:10.3f}{:8.2f}".format(*new_words(options, tool)) + f"{got['promises'][0]['realised']:10.3f}" + "".join(f"{rate[f]:8.2f}" for f in (*FORMS, "all")) + f"{kinds['effect']:8}{kinds['stopped']:8}")
    for name, where in sorted(missed.items()):
        print(f"  {name}: {', '.join(where)}")


if __name__ == "__main__":
    main()
