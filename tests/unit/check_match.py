#!/usr/bin/env python3
"""An expression of core/match.h is one of Python's, and means the same: check_match.py MATCH_SAY

Expressions are drawn by the grammar, all of which have to be taken, and from tokens in any order, of which those that are taken have to be Python's, too.
Python tries one way after the other, so what it is asked about is short, and what it has not done by then is left out. Of its own it needs re.ASCII, for \\d \\w \\s."""

import os
import random
import re
import signal
import subprocess
import sys
import warnings

SEED = int(os.environ.get("AMBIT_SEED", "20250"))
SOAK = int(os.environ.get("AMBIT_SOAK", "1"))
DRAWN, SHUFFLED = 6000 * SOAK, 20000 * SOAK
TEXTS = 12

warnings.simplefilter("ignore", FutureWarning)  # of `[a--b]` and the like, which may mean something else some day

PLAIN = "aaabbbcz09_ -/@,:'\"\xe4\u20ac\U0001f600\n\t\x7f"
ESCAPED = "\\.[](){}|*+?^$" + "-/@_'\"~"
CLASSES = {"\\d": "0189", "\\w": "azAZ09_", "\\s": " \t\n\v\f\r", "\\D": "a \xe4\n", "\\W": "-\n\xe9\u212a", "\\S": "a9\xa0\x1c"}
TOKENS = [*"aab09-^$.,|||()()[][]*+?{}\\\xe4\n", "\\d", "\\W", "\\s", "\\.", "\\-", "\\]", "[a-c]", "[^a", "{2}", "{1,}", "{0,2}", "{2,1}", "{,2}", "(a|b)", "(?", "\\b", "*?", "[:alpha:]"]


def literal(r):
    return r.choice(PLAIN) if r.random() < 0.7 else "\\" + r.choice(ESCAPED)


def in_class(r):
    """Gives how it is written, and a character of it."""
    sort = r.randrange(4)
    if sort == 0:
        written = r.choice(list(CLASSES))
        return written, r.choice(CLASSES[written])
    one, other = sorted((r.choice(PLAIN + ESCAPED) for _ in range(2)))
    escaped = lambda c: "\\" + c if c in ESCAPED else c  # noqa: E731
    if sort == 1:
        return escaped(one) if one != "-" else "\\-", one
    if "-" in (one, other):
        return "x-z", r.choice("xyz")
    within = chr(r.randint(ord(one), ord(other)))
    return f"{escaped(one)}-{escaped(other)}", within if not "\ud800" <= within < "\ue000" else one


def atom(r, depth):
    sort = r.randrange(9)
    if sort < 4 or depth == 0 and sort > 6:
        written = literal(r)
        return written, lambda: written[-1]
    if sort == 4:
        return ".", lambda: r.choice(PLAIN)
    if sort == 5:
        written = r.choice(list(CLASSES))
        return written, lambda: r.choice(CLASSES[written])
    if sort == 6:
        items = [in_class(r) for _ in range(r.randint(1, 4))]
        written = "".join(item[0] for item in items)
        written = r.choice(["", "", "-"]) + written + r.choice(["", "", "-"])
        negated = r.random() < 0.3
        return ("[^" if negated else "[") + written + "]", lambda: r.choice(PLAIN) if negated else r.choice(items)[1]
    written, sample = expression(r, depth - 1)
    return f"({written})", sample


def piece(r, depth):
    written, sample = atom(r, depth)
    if r.random() < 0.5:
        return written, sample
    low = r.randrange(4)
    high = low + r.randrange(3)
    repeat, low, high = r.choice([("*", 0, 3), ("+", 1, 3), ("?", 0, 1), (f"{{{low}}}", low, low), (f"{{{low},}}", low, low + 2), (f"{{{low},{high}}}", low, high)])
    return written + repeat, lambda: "".join(sample() for _ in range(r.randint(low, high)))


def branch(r, depth):
    pieces = [piece(r, depth) for _ in range(r.choice([1, 1, 2, 3]))]
    return "".join(p[0] for p in pieces), lambda: "".join(p[1]() for p in pieces)


def expression(r, depth):
    """How it is written, and what gives texts that it matches, mostly."""
    branches = [branch(r, depth) for _ in range(r.choice([1, 1, 1, 2, 3]))]
    return "|".join(b[0] for b in branches), lambda: r.choice(branches)[1]()


def changed(r, text):
    at = r.randrange(len(text) + 1)
    return r.choice([text, text, text[:at] + text[at + 1:], text[:at] + r.choice(PLAIN) + text[at:], text[:at] + r.choice(PLAIN) + text[at + 1:]])


def texts(r, sample):
    return ["", *(changed(r, sample())[:10] if r.random() < 0.8 else "".join(r.choice(PLAIN) for _ in range(r.randrange(5))) for _ in range(TEXTS))]


def drawn(r):
    written, sample = expression(r, 2)
    return written, texts(r, sample)


def shuffled(r):
    return "".join(r.choice(TOKENS) for _ in range(r.randrange(1, 9))), texts(r, lambda: "".join(r.choice("ab0-^\n\xe4") for _ in range(r.randrange(5))))


class Late(Exception):
    pass


def is_late(*_):
    raise Late


signal.signal(signal.SIGALRM, is_late)


def of_python(written, asked):
    """As match_say says it; None: it takes too long."""
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        python = re.compile(written, re.ASCII)
        return "".join("y" if python.fullmatch(text) else "s" if python.search(text) else "n" for text in asked)
    except re.error as e:
        return f"none of Python's: {e}"
    except Late:
        return None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def hexadecimal(text):
    return text.encode().hex()


cases = [(SEED + n, n < DRAWN, *(drawn if n < DRAWN else shuffled)(random.Random(SEED + n))) for n in range(DRAWN + SHUFFLED)]
said = subprocess.run([sys.argv[1]], input="".join(" ".join(map(hexadecimal, (written, *asked))) + "\n" for _, _, written, asked in cases), capture_output=True, text=True, check=True)
counts = {"y": 0, "s": 0, "n": 0, "M": 0, "L": 0, "taken": 0, "late": 0}
wrong = 0
for (seed, is_drawn, written, asked), answer in zip(cases, said.stdout.splitlines(), strict=True):
    if answer in ("M", "L"):
        counts[answer] += 1
        meant = answer if answer == "L" or not is_drawn else "to be taken"
    else:
        counts["taken"] += not is_drawn
        meant = of_python(written, asked)
        if meant is None:
            counts["late"] += 1
            continue
        for c in answer:
            counts[c] = counts.get(c, 0) + 1
    if meant != answer:
        wrong += 1
        print(f"# AMBIT_SEED={seed}: {written!r} is {answer}, not {meant}, of {asked!r}")
print("1..2")
print("not ok" if wrong else "ok", "1 - what is taken is an expression of Python's and means the same")
# Each kind is there in numbers, or nothing was compared.
print("ok" if min(counts["y"], counts["s"], counts["n"]) > 2 * DRAWN and counts["taken"] > SHUFFLED // 20 and counts["M"] > SHUFFLED // 4 and max(counts["L"], counts["late"]) < DRAWN // 20 else "not ok", f"2 - {counts}")
