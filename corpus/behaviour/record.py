#!/usr/bin/env python3
"""Records a corpus of behaviour: tasks and attacks in cells, a line an event. README.md says what is in it.

    record.py --ambit build/ambit --out DIR [--seed N] [--part TOOL,...] [--only WORD] [--variants N] [--attacks N] [--jobs N]"""

import argparse
import collections
import concurrent.futures
import hashlib
import json
import lzma
import os
import shutil
import sys
import tempfile
import traceback

import attacks
import cells
import plan
import tasks_build  # noqa: F401
import tasks_code  # noqa: F401
import tasks_shell  # noqa: F401

TOOLS = ("shell", "files", "git", "python", "node", "cc", "npm", "pip", "data", "mcp")
NEEDS = {"git": ("git",), "node": ("node",), "cc": ("gcc", "make"), "npm": ("npm", "node"), "data": ("sqlite3", "jq", "awk", "xz"), "python": ("python3",),
         "pip": ("pip3",), "mcp": ("python3", "git"), "shell": ("curl",), "files": ("bash", "sed")}
PARTS = ("learned", "calibrated", "unseen")
FORMS = ("plain", "mimic", "slowed", "padded")
PADDING = {"npm": 8, "pip": 8, "cc": 30, "git": 50}  # times, where a task is slow and has thousands of calls; else plan.REPEATED
VARIANTS = {"learned": 10, "calibrated": 13, "unseen": 13}  # events of each task: eight tasks that calibrate have more than the 99 that a promise of 1 % takes


def wanted(event, word):
    return word is None or word in (event.get("task"), event.get("attack"), event.get("form"), event["label"])


def part_of(tool, name):
    """By task: of four in the order of a digest two are learned, one calibrates, one is unseen."""
    names = sorted((n for t, n in plan.TASKS if t == tool), key=lambda n: hashlib.sha256(f"{tool}/{n}".encode()).digest())
    return PARTS[(0, 1, 0, 2)[names.index(name) % 4]]


def benign(tool, name, variant):
    return {"tool": tool, "task": name, "variant": variant, "part": part_of(tool, name), "label": "benign"}


def plan_of(tool, options):
    """All events of a tool in their order, each with what makes it."""
    events = [benign(tool, n, v) for t, n in plan.TASKS if t == tool for v in range(VARIANTS[part_of(tool, n)] if options.variants is None else options.variants)]
    for name, (kind, _, only) in attacks.ATTACKS.items():
        for form in FORMS if not only or tool in only else ():
            times = options.attacks if form != "padded" else max(1, options.attacks // 4)
            events += [{"tool": tool, "variant": v, "part": "attacks", "label": f"{name}.{form}", "attack": name, "kind": kind, "form": form} for v in range(times)]
    return events


class Recorder:
    def __init__(self, options):
        self.ambit, self.seed = os.path.abspath(options.ambit), options.seed
        self.top = tempfile.mkdtemp(prefix="corpus-")
        os.chmod(self.top, 0o755)
        self.listeners = cells.Listeners()

    def host(self, world, event):
        """The task in which an attack lies: any of the tool's."""
        names = sorted(n for t, n in plan.TASKS if t == event["tool"])
        event["task"] = world.rng.choice(names)
        event["host_part"] = part_of(event["tool"], event["task"])

    def event(self, event):
        """Runs it. Returns (its facts and symbols, what the second file says of it); or a text: why there is none. What is padded by a task that asks nothing of the
        kernel when it is done again is put into another one."""
        name = event.get("attack") and event["label"] or event["task"]
        for again in ("", "/1", "/2", "/3"):
            world = cells.World(self, f"{self.seed}/{event['tool']}/{name}/{event['variant']}{again}")
            try:
                got = self.run(world, dict(event))
            finally:
                world.gone()
            if event.get("form") != "padded" or isinstance(got, str) or got[1]["amounts"]["calls"] >= 1000:
                break
        return got

    def run(self, world, event):
        world.tool, world.padding = event["tool"], PADDING.get(event["tool"], plan.REPEATED)
        if "attack" in event:
            self.host(world, event)
        language, made = plan.TASKS[event["tool"], event["task"]]
        steps = made(world)
        if "attack" in event:
            steps = attacks.assemble(world, steps, language, event["form"], attacks.ATTACKS[event["attack"]][1])
            steps += ["true"] if language == "sh" else []
        ran = world.run(plan.argv(world, event["tool"], language, steps))
        if "attack" in event:
            event["outcome"] = world.verify(ran)
            if event["outcome"] is None:
                return f"{event['tool']}/{event['label']}.{event['variant']} did nothing in {event['task']}: {ran.err.strip()[-300:]!r} {ran.record['outcome']['cause']} {ran.record['outcome']['exit']}"
            if event["form"] == "padded":
                event["times"] = world.padding
        event["amounts"] = ran.amounts()
        return f"{ran.facts}\t{ran.symbols}", event

    def close(self):
        self.listeners.close()
        shutil.rmtree(self.top, ignore_errors=True)


def mixed(events):
    """In the order of a digest, so that the hour in which something was recorded says nothing of what it is."""
    return sorted(events, key=lambda e: hashlib.sha256(repr(named(e)).encode()).digest())


def missing(tool):
    return [p for p in NEEDS[tool] if shutil.which(p, path=cells.PROGRAMS) is None]


def attempt(recorder, event):
    try:
        return recorder.event(event)
    except Exception as problem:  # one that breaks is told, and the others go on
        return f"{event['tool']}/{event['label']}/{event.get('task')}.{event['variant']}: {problem!r} {traceback.format_exc(limit=-1).splitlines()[-2].strip()}"


def kept_before(base):
    """What stands in both files of a part, each by its name; nothing where there are none."""
    if not os.path.exists(base + ".txt.xz"):
        return {}
    with lzma.open(base + ".txt.xz", "rt", encoding="ascii") as lines, lzma.open(base + ".jsonl.xz", "rt", encoding="ascii") as more:
        rows = [(line.rstrip("\n").split("\t", 2)[2], json.loads(event)) for line, event in zip(lines, more)]
    return {named(event): (symbols, event) for symbols, event in rows}


def named(event):
    return event["label"], event["label"] == "benign" and event["task"], event["variant"]


def write(out, kept, order, adds):
    """A file of lines and a file of JSON for each part and tool, so that a tool can be recorded by itself; an id is of both. adds: what else
    stands there stays."""
    os.makedirs(out, exist_ok=True)
    groups = collections.defaultdict(list)
    for symbols, event in kept:
        groups[event["part"], event["tool"]].append((symbols, event))
    for (part, tool), rows in groups.items():
        base = f"{out}/{tool}.{part}"
        known = kept_before(base) if adds else {}
        known.update((named(event), (symbols, event)) for symbols, event in rows)
        ordered = sorted(known.values(), key=lambda row: order.get(named(row[1]), len(order)))
        with lzma.open(base + ".txt.xz", "wt", preset=9, encoding="ascii") as lines, lzma.open(base + ".jsonl.xz", "wt", preset=9, encoding="ascii") as more:
            for number, (symbols, event) in enumerate(ordered, 1):
                lines.write(f"{event['label']}\t{tool}\t{symbols}\n")
                more.write(json.dumps({"id": f"{tool}.{part}:{number}", **{k: v for k, v in event.items() if k != "id"}}, separators=(",", ":")) + "\n")


def parsed(words):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ambit", required=True, help="the command")
    parser.add_argument("--out", required=True, help="the directory to write to")
    parser.add_argument("--seed", type=int, default=11, help="the same seed, the same tasks (default: 11)")
    parser.add_argument("--part", help="these tools alone, with commas: " + ", ".join(TOOLS))
    parser.add_argument("--only", help="this task, attack or form of an attack alone; what else is in DIR stays")
    parser.add_argument("--variants", type=int, help="events of each task (default: 10 of those that are learned, else 13)")
    parser.add_argument("--attacks", type=int, default=3, help="events of each attack and form; of padded ones a quarter as many (default: 3)")
    parser.add_argument("--jobs", type=int, default=2, help="events at one time (default: 2)")
    return parser.parse_args(words)


def record(recorder, tool, options):
    """All of one tool. Returns how many events there are; what was not recorded is told."""
    if missing(tool):
        print(f"{tool}: not recorded, {', '.join(missing(tool))} is not installed", flush=True)
        return 0
    kept, lost, events = [], 0, plan_of(tool, options)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for got in pool.map(lambda e: attempt(recorder, e), mixed(e for e in events if wanted(e, options.only))):
            if isinstance(got, str):
                print(got, flush=True)
                lost += 1
            else:
                kept.append(got)
    write(options.out, kept, {named(e): i for i, e in enumerate(events)}, options.only is not None)
    print(f"{tool}: {len(kept)} events, {lost} not recorded", flush=True)
    return len(kept)


def main(words):
    options = parsed(words)
    recorder = Recorder(options)
    try:
        return 0 if sum([record(recorder, tool, options) for tool in (options.part.split(",") if options.part else TOOLS)]) else 1
    finally:
        recorder.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
