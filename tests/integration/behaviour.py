"""The corpus of behaviour (corpus/behaviour): a sample of it is recorded again, and what is kept of it is what it says it is."""

import json
import lzma
import os
import re
import shutil
import sys
from collections import Counter

from harness import Skip, expect_ok, main, need

PARTS = ("learned", "calibrated", "unseen", "attacks")
TOOLS = ("shell", "files", "git", "python", "node", "cc", "npm", "pip", "data", "mcp")
WORD = re.compile(r"(read|write|exec|delete|rename|mkdir|link|mode|connect|unix|opaque):[!-~]{1,42}|\.\.\.|\|")
COUNTED = ("written", "deleted", "changed", "destinations", "held", "exit")  # amounts that are the same wherever the same is done


def lines(directory, tool, part):
    with lzma.open(os.path.join(directory, f"{tool}.{part}.txt.xz"), "rt", encoding="ascii") as file:
        return [line.rstrip("\n").split("\t") for line in file]


def said(directory, tool, part):
    with lzma.open(os.path.join(directory, f"{tool}.{part}.jsonl.xz"), "rt", encoding="ascii") as file:
        return [json.loads(line) for line in file]


def record(place, *words):
    out = place.fresh()
    result = expect_ok(place.run(sys.executable, "-B", os.path.join(place.given(1), "record.py"), "--ambit", place.ambit, "--out", out, "--jobs", "1", *words, cwd=out, timeout=100))
    assert " 0 not recorded" in result.stdout, result.stdout
    return out


def compared(place, out, tool, part):
    """Each event with the one that is kept under the same name: what was done in the workspace, in any order, and how much."""
    kept = {(e["label"], e["task"], e["variant"]): (e, line) for e, line in zip(said(place.given(1), tool, part), lines(place.given(1), tool, part))}
    again = list(zip(said(out, tool, part), lines(out, tool, part)))
    assert again
    for event, line in again:
        before, as_kept = kept[event["label"], event["task"], event["variant"]]
        assert {k: before.get(k) for k in ("part", "kind", "form", "outcome", "host_part")} == {k: event.get(k) for k in ("part", "kind", "form", "outcome", "host_part")}, (before, event)
        assert {k: before["amounts"][k] for k in COUNTED} == {k: event["amounts"][k] for k in COUNTED}, (before, event)
        at_work = [Counter(w for w in text.split() if ":work" in w) for text in (as_kept[3], line[3])]
        assert at_work[0] == at_work[1], (at_work[0] - at_work[1], at_work[1] - at_work[0])


def a_task_is_recorded_again(place):
    need("bash", "sed")
    out = record(place, "--part", "files", "--only", "edit_line", "--variants", "2")
    compared(place, out, "files", next(p for p in PARTS if os.path.exists(os.path.join(out, f"files.{p}.txt.xz"))))


def an_attack_is_recorded_again(place):
    """One that takes effect, with what it sent heard outside; and one that the wall stops."""
    need("bash", "sed")
    for label in ("exfil_granted.mimic", "exfil_denied.mimic", "delete_all.mimic"):
        compared(place, record(place, "--part", "files", "--only", label, "--attacks", "1"), "files", "attacks")


def changed(place, name, old, new):
    """A copy of the recorder in a fresh directory, with that text of one file changed."""
    out = place.fresh()
    shutil.copytree(place.given(1), os.path.join(out, "corpus"), ignore=shutil.ignore_patterns("*.xz", "__pycache__"))
    path = os.path.join(out, "corpus", name)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert old in text
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))
    return out


def what_does_nothing_is_no_attack(place):
    """The twin: with its destination taken away, an attack is told to have done nothing, and is not written."""
    out = changed(place, "attacks.py", "host, port = tcp(w)\n    return f\"exec 9<>/dev/tcp/{host}/{port}", "host, port = tcp(w)\n    return f\"true; exec 9<>/dev/null")
    result = place.run(sys.executable, "-B", os.path.join(out, "corpus", "record.py"), "--ambit", place.ambit, "--out", os.path.join(out, "out"), "--part", "files", "--only",
                       "exfil_granted.mimic", "--attacks", "1", cwd=out, timeout=100)
    assert "did nothing" in result.stdout and "files: 0 events, 1 not recorded" in result.stdout, result.stdout + result.stderr


def a_tool_that_is_missing_is_told(place):
    out = changed(place, "record.py", '"files": ("bash", "sed")', '"files": ("no-such-program",)')
    result = place.run(sys.executable, "-B", os.path.join(out, "corpus", "record.py"), "--ambit", place.ambit, "--out", out, "--part", "files", cwd=out)
    assert "files: not recorded, no-such-program is not installed" in result.stdout and result.returncode == 1, result.stdout


def every_line_has_its_event(place):
    """Both files of a part go together line by line; no task is in two parts; no name of a machine is in a word."""
    words, named = set(), set()
    with open(os.path.join(place.given(1), "README.md"), encoding="utf-8") as file:
        page = [[c.strip() for c in line.split("|")[2:-1]] for line in file if line.startswith("| `")]
    for tool in TOOLS:
        tasks = {}
        for part in PARTS:
            rows, events = lines(place.given(1), tool, part), said(place.given(1), tool, part)
            assert len(rows) == len(events) > 0, (tool, part)
            for number, ((label, key, facts, symbols), event) in enumerate(zip(rows, events), 1):
                assert (label, key, f"{tool}.{part}:{number}") == (event["label"], event["tool"], event["id"]), (label, event)
                assert (part == "attacks") == ("outcome" in event) == (label != "benign"), event
                words.update(symbols.split(" "))
                named.update(fact.split("=")[0] for fact in facts.split(" "))
                assert "corpus-" not in facts and f"calls={event['amounts']['calls']}" in facts.split(" "), facts
            if part != "attacks":
                tasks[part] = {e["task"] for e in events}
        assert not tasks["learned"] & tasks["calibrated"] and not tasks["unseen"] & (tasks["learned"] | tasks["calibrated"]), tasks
        assert sum(map(len, tasks.values())) >= 12, tasks
        assert [tasks[p] for p in PARTS[:3]] in [[set(c.split(", ")) for c in row] for row in page if len(row) == 3], tasks
    assert {"calls", "program", "directory", "destination"} <= named and "session" not in named, named
    assert all(WORD.fullmatch(w) for w in words), [w for w in words if not WORD.fullmatch(w)]
    made_up = re.compile(r"corpus-|127\.|\d{2}|(amber|harbor|lantern|meadow)")
    assert not [w for w in words if made_up.search(w)], [w for w in words if made_up.search(w)]


def every_line_is_taken(place):
    """`ambit profile eval` reads all of it."""
    out = place.fresh()
    if place.run(place.ambit, "profile", "--help", cwd=out).returncode != 0:
        raise Skip("no profiles here")
    counts = {}
    for part in PARTS:
        with open(os.path.join(out, part), "w", encoding="ascii") as file:
            rows = [row for tool in TOOLS for row in lines(place.given(1), tool, part)]
            file.write("".join("\t".join(row) + "\n" for row in rows))
            counts[part] = len(rows)
    with open(os.path.join(out, "unseen"), "a", encoding="ascii") as file, open(os.path.join(out, "attacks"), encoding="ascii") as more:
        shutil.copyfileobj(more, file)
    result = expect_ok(place.run(place.ambit, "profile", "eval", "--json", "--train", "learned", "--calibrate", "calibrated", "--test", "unseen", cwd=out, timeout=200))
    told = json.loads(result.stdout)
    assert len(told["keys"]) == len(TOOLS), result.stdout[:400]
    with open(os.path.join(out, "bad"), "w", encoding="ascii") as file:
        file.write("benign\tshell\n")
    assert place.run(place.ambit, "profile", "eval", "--train", "bad", "--test", "unseen", cwd=out).returncode == 125


if __name__ == "__main__":
    main([a_task_is_recorded_again, an_attack_is_recorded_again, what_does_nothing_is_no_attack, a_tool_that_is_missing_is_told, every_line_has_its_event, every_line_is_taken])
