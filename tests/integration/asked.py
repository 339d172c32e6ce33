#!/usr/bin/env python3
"""What a policy asks for: it is held until a person says yes, whichever way it is changed, and nothing else of the event is committed before.

usage: asked.py AMBIT    (TAP on standard output; as root once more as an ordinary user)"""

import json
import os

from harness import expect_ok, main, told, write

ASK = ("--work", ".", "--write", "./conf ask=true")


def tree(place):
    fresh = place.fresh()
    place.home = f"{fresh}/home"
    os.mkdir(place.home)
    top = f"{fresh}/tree"
    os.makedirs(f"{top}/conf/deep")
    write(f"{top}/conf/a", "a\n")
    write(f"{top}/conf/deep/b", "b\n")
    write(f"{top}/beside", "beside\n")
    return top


def picture(top):
    seen = []
    for at, _, files in os.walk(top):
        for name in files:
            path = os.path.join(at, name)
            text = os.readlink(path) if os.path.islink(path) else open(path).read()
            seen.append((os.path.relpath(path, top), os.lstat(path).st_mode & 0o777, text))
    return sorted(seen)


def work(place, top, script, *flags, ask=ASK):
    return place.cell(*ask, *flags, "--", "sh", "-ec", script, cwd=top)


def changes(place, top):
    """Of the latest event, as its stage has them: each path, and why it is held."""
    told_json = json.loads(expect_ok(place.run(place.ambit, "diff", "last", "--json", cwd=top)).stdout)
    return {c["path"]: c.get("held") for c in told_json["changes"]}


CHANGES = {
    "a file is written": "echo x > conf/a",
    "a file is made": "echo x > conf/new",
    "a file is made deep below": "mkdir -p conf/x/y; echo x > conf/x/y/z",
    "a file is deleted": "rm conf/a",
    "a file is moved away": "mv conf/a elsewhere",
    "a file is moved there": "mv beside conf/beside",
    "another takes its name": "mv beside conf/a",
    "the directory is moved away": "mv conf other",
    "the directory is deleted": "rm -r conf",
    "the directory is another": "mv conf other; mkdir conf; echo x > conf/a",
    "the directory is a link": "mv conf other; ln -s other conf",
    "the directory is a file": "rm -r conf; echo x > conf",
    "a mode is set": "chmod 600 conf/a",
    "a name in another case": "mkdir Conf; echo x > Conf/a",
    "a name of its file is made there": "ln beside conf/second",
    "by another name of the file": "ln conf/a second; echo x > second",
    "by another name of it that takes its place": "ln conf/a second; echo x > second; rm conf/a; mv second conf/a",
    "another name of its file is made elsewhere": "ln conf/a second",
    "a link is made there": "ln -s ../beside conf/link",
    "by a link that leads there": "ln -s conf way; echo x > way/a; rm way",
}


def each_way_to_change_it_waits(place):
    for name, script in CHANGES.items():
        top = tree(place)
        before = picture(top)
        result = work(place, top, f"{script}; echo more >> beside 2>/dev/null || true")
        assert result.returncode == 123 and "a grant says ask" in result.stderr, f"{name}: {told(result)}"
        assert "the policy asks a person first" in result.stderr, f"{name}: {told(result)}"
        assert picture(top) == before, f"{name}: the tree was changed"
        held = changes(place, top)
        assert "asked" in held.values(), f"{name}: {held}"
        # by a person's hand neither, unless it is approved
        for words in (), ("--on-conflict", "ours"), ("--write", "./conf"):
            again = place.run(place.ambit, "commit", "last", *words, cwd=top)
            assert again.returncode in (123, 125) and picture(top) == before, f"{name}, commit {words}: {told(again)}"
        # and the twin: without ask it goes through
        assert work(place, top, script, ask=("--work", ".", "--write", "./conf")).returncode == 0, name
        assert picture(top) != before or "link" in name, f"{name}: the probe changes nothing"


# How the tree is first, what of it is asked for, and how a program would get something else there.
ROADS = {
    "a link is another directory": ("mv conf real; ln -s real conf", "./conf", "rm conf; mkdir conf; echo x > conf/a"),
    "a link leads elsewhere": ("mv conf real; ln -s real conf; mkdir other", "./conf", "ln -sfn other conf; echo x > other/a"),
    "a link on the way": ("mkdir real; mv conf real; ln -s real sub", "./sub/conf", "rm sub; mkdir -p sub/conf; echo x > sub/conf/a"),
    "the second of two links": ("mv conf real; ln -s real second; ln -s second conf", "./conf", "rm second; mkdir second; echo x > second/a"),
    "a link to a file": ("ln -s conf/a file", "./file", "rm file; echo x > file"),
    "what is missing is made": ("true", "./new?", "echo x > new"),
    "what is missing is made deep": ("true", "./sub/new?", "mkdir -p sub/new/deep; echo x > sub/new/deep/file"),
    "what is missing is a link": ("true", "./sub/new?", "mkdir -p evil/new; ln -s evil sub"),
    "a link to what is missing": ("ln -s absent link", "./link?", "echo x > link"),
}


def each_road_there_waits(place):
    for name, (first, asked, script) in ROADS.items():
        top = tree(place)
        expect_ok(place.run("sh", "-ec", first, cwd=top))
        before = picture(top)
        result = work(place, top, script, ask=("--work", ".", "--write", f"{asked} ask=true"))
        assert result.returncode == 123 and "a grant says ask" in result.stderr, f"{name}: {told(result)}"
        assert picture(top) == before, f"{name}: the tree was changed"
        assert work(place, top, "echo more >> beside", ask=("--work", ".", "--write", f"{asked} ask=true")).returncode == 0, name
        assert work(place, top, script, ask=("--work", ".", "--write", asked)).returncode == 0, name  # the twin


def what_is_beside_is_not_asked_for(place):
    for script in "echo x >> beside", "mkdir confx; echo x > confx/a", "echo x > conf.bak", "mkdir -p sub/conf; echo x > sub/conf/a":
        top = tree(place)
        result = work(place, top, script)
        assert result.returncode == 0, f"{script}: {told(result)}"


def the_rest_can_be_committed(place):
    top = tree(place)
    assert work(place, top, "echo x > conf/a; echo y > beside").returncode == 123
    result = place.run(place.ambit, "commit", "last", "beside", cwd=top)
    assert result.returncode == 0 and open(f"{top}/beside").read() == "y\n", told(result)
    assert open(f"{top}/conf/a").read() == "a\n"
    result = place.run(place.ambit, "commit", "last", "conf/a", cwd=top)
    assert result.returncode == 123 and open(f"{top}/conf/a").read() == "a\n", told(result)


def asking_wins_whatever_else_is_granted(place):
    for ask in (("--write", "./conf ask=true", "--work", ".", "--write", "./conf/a"),
                ("--work", ". ask=true", "--write", "./conf/a"),
                ("--write", "./conf", "--write", "./conf ask=true", "--work", ".")):
        top = tree(place)
        result = work(place, top, "echo x > conf/a", ask=ask)
        assert result.returncode == 123 and open(f"{top}/conf/a").read() == "a\n", f"{ask}: {told(result)}"


def a_whole_tree_can_be_asked_for(place):
    top = tree(place)
    result = work(place, top, "echo x > anything", ask=("--work", ". ask=true"))
    assert result.returncode == 123 and not os.path.exists(f"{top}/anything"), told(result)
    result = work(place, top, "cat beside", ask=("--work", ". ask=true"))
    assert result.returncode == 0 and result.stdout == "beside\n", told(result)  # what only reads asks for nothing


def nothing_asks_in_place(place):
    top = tree(place)
    result = work(place, top, "echo x > conf/a", "--direct")
    assert result.returncode == 125 and "leave out --direct" in result.stderr and open(f"{top}/conf/a").read() == "a\n", told(result)
    result = work(place, top, "echo x > new", "--direct", ask=("--work", ".", "--write", "./new? ask=true"))
    assert result.returncode == 125 and "leave out --direct" in result.stderr and not os.path.exists(f"{top}/new"), told(result)
    assert work(place, top, "echo x > conf/a", "--direct", ask=("--work", ".")).returncode == 0  # the twin


def a_policy_says_it_too(place):
    top = tree(place)
    policy = f"{os.path.dirname(top)}/policy.yaml"
    write(policy, "version: 1\ngrants:\n  - work: .\n  - write: [./conf/a]\n    ask: true\n")
    result = place.run(place.ambit, "run", "--policy", policy, "--record", f"{top}.json", "--", "sh", "-c", "echo x > conf/a", cwd=top)
    assert result.returncode == 123 and "a grant says ask" in result.stderr, told(result)
    record = json.load(open(f"{top}.json"))
    asks = [g["object"] for g in record["grants"] if (g["qualifiers"] or {}).get("ask")]
    assert asks == [f"{top}/conf/a"], record["grants"]


if __name__ == "__main__":
    main([each_way_to_change_it_waits, each_road_there_waits, what_is_beside_is_not_asked_for, the_rest_can_be_committed, asking_wins_whatever_else_is_granted,
          a_whole_tree_can_be_asked_for, nothing_asks_in_place, a_policy_says_it_too])
