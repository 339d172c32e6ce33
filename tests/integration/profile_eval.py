#!/usr/bin/env python3
"""`ambit profile eval`: what it learns from a person's own traces, and what it refuses.

usage: profile_eval.py AMBIT    (TAP on standard output; as root once more as an ordinary user)"""

import json
import random
import re
import xml.etree.ElementTree as xml

from harness import expect_ok, main, told, write

KINDS = 30


def trace(rng, step, words=None):
    """What a program does that goes from one thing to one of three others."""
    at, said = rng.randrange(KINDS), []
    for _ in range(words or rng.randrange(40, 200)):
        said.append(f"call{at}")
        at = (at * step + rng.randrange(3)) % KINDS
    return " ".join(said)


def lines(rng, n, step, label=None, key="tool"):
    return "".join((f"{label}\t{key}\t" if label is not None else "") + trace(rng, step) + "\n" for _ in range(n))


def room(place):
    """Three texts, in a directory of the scenario."""
    rng = random.Random(7)
    top = place.fresh()
    write(f"{top}/train", lines(rng, 400, 7))
    write(f"{top}/calibrate", lines(rng, 400, 7))
    write(f"{top}/test", lines(rng, 300, 7, "benign") + lines(rng, 60, 11, "theft") + lines(rng, 40, 13, "mining"))
    return top


def evaluated(place, *words, **more):
    return place.run(place.ambit, "profile", "eval", *words, cwd=place.top, **more)


def all_three(top):
    return ["--train", f"{top}/train", "--calibrate", f"{top}/calibrate", "--test", f"{top}/test"]


def attacks_are_told_from_what_is_usual(place):
    top = room(place)
    said = json.loads(expect_ok(evaluated(place, *all_three(top), "--json", "--alpha", "1%,0.1,0.0001")).stdout)
    assert said["learned"] == 400 and said["calibrated"] == 400 and said["usual"] == 300 and said["attacks"] == 100, said
    assert said["auc"] > 0.99 and [row["fpr"] for row in said["at"]] == [0.001, 0.01, 0.05, 0.1, 0.2], said
    one, ten, none = said["promises"]
    assert one["promised"] and one["realised"] < 0.05 and one["tpr"] > 0.9 and one["incidents"] == 2, one
    assert ten["promised"] and 0.02 < ten["realised"] < 0.25, ten
    assert not none["promised"] and none["flagged_usual"] == none["flagged_attacks"] == 0, none
    assert said["keys"] == [] or all(k["learned"] == said["learned"] for k in said["keys"]), said["keys"]
    assert {a["name"]: a["n"] for a in said["attacks_by_name"]} == {"theft": 60, "mining": 40}, said["attacks_by_name"]
    text = expect_ok(evaluated(place, *all_three(top))).stdout
    assert "learned 400 traces" in text and "AUC" in text and "promised" in text, text


def what_is_no_attack_is_not_told_from_it(place):
    """The twin: of labels that mean nothing nothing can be told."""
    top, rng = room(place), random.Random(9)
    write(f"{top}/same", lines(rng, 300, 7, "benign") + lines(rng, 300, 7, "theft"))
    said = json.loads(expect_ok(evaluated(place, "--train", f"{top}/train", "--calibrate", f"{top}/calibrate", "--test", f"{top}/same", "--json")).stdout)
    assert 0.4 < said["auc"] < 0.6, said["auc"]


def without_calibration_a_part_is_kept_for_it(place):
    top = room(place)
    said = json.loads(expect_ok(evaluated(place, "--train", f"{top}/train", "--test", f"{top}/test", "--json")).stdout)
    assert said["learned"] == 300 and said["calibrated"] == 100 and said["auc"] > 0.99, said


def texts_come_by_a_pipe(place):
    top = room(place)
    with open(f"{top}/test", encoding="utf-8") as file:
        test = file.read()
    said = json.loads(expect_ok(evaluated(place, "--train", f"{top}/train", "--test", "-", "--json", input=test)).stdout)
    assert said["attacks"] == 100, said


def the_curve_is_drawn(place):
    top = room(place)
    expect_ok(evaluated(place, *all_three(top), "--roc", f"{top}/roc.svg"))
    root = xml.parse(f"{top}/roc.svg").getroot()
    line = next(e for e in root.iter() if e.tag.endswith("polyline"))
    assert len(line.get("points").split()) > 10 and not [e for e in root.iter() if e.tag.endswith("script")], line
    again = evaluated(place, *all_three(top), "--roc", f"{top}/roc.svg")
    assert again.returncode == 125 and "cannot write" in again.stderr, told(again)


def what_is_bad_is_refused_with_its_place(place):
    top = room(place)
    for text, says in (("a b\nc \x1b[2J\n", "line 2, column 3"), ("a\tb\n", "line 1 has a label and no key"), ("", "nothing that is usual"), ("theft\tk\ta\n", "nothing that is usual"),
                       ("x" * 129, "column 1"), ("a \0 b", "line 1, column 3"), ("a\r\n", "column 1"), ("\t" * 4, "column"), ("\t\tcals=1\ta", "line 1: 'cals=1' is no fact"), ("a\n\t\tcalls=1 calls=2\ta", "line 2: 'calls=2'")):
        write(f"{top}/bad", text)
        result = evaluated(place, "--train", f"{top}/bad", "--test", f"{top}/test")
        assert result.returncode == 125 and says in result.stderr and "\x1b" not in result.stderr, (text, told(result))
        error = json.loads(evaluated(place, "--train", f"{top}/bad", "--test", f"{top}/test", "--json").stdout)["error"]
        assert error["code"] in ("MALFORMED", "USAGE") and says in error["message"], error
    write(f"{top}/bad", "a\n\nb \x7f")
    for where in ("calibrate", "test"):
        words = all_three(top)
        words[words.index(f"--{where}") + 1] = f"{top}/bad"
        result = evaluated(place, *words)
        assert result.returncode == 125 and f"--{where}: line 3, column 3" in result.stderr, told(result)


def wrong_words_are_told(place):
    top = room(place)
    for words, says in ((["--train", f"{top}/train"], "needs --train and --test"), (["--train", f"{top}/none", "--test", f"{top}/test"], "cannot read"), (["--alpha", "2"], "no rate"), (["--alpha", "0"], "no rate"),
                        (["--alpha", ",".join(["0.1"] * 9)], "8 rates at most"), (["--alpha", "nan"], "no rate"), (["--alpha", "0.1,"], "no rate"), (["--tain", "x"], "--train"), (["thing"], "takes no 'thing'"),
                        (["--train", "a", "--train", "b"], "twice"), (["--train"], "--train")):
        result = evaluated(place, *words)
        assert result.returncode != 0 and says in result.stderr, (words, told(result))
    result = place.run(place.ambit, "profile", "evel", cwd=place.top)
    assert result.returncode != 0 and "eval" in result.stderr, told(result)
    assert place.run(place.ambit, "profile", cwd=place.top).returncode != 0
    assert "--calibrate FILE" in expect_ok(place.run(place.ambit, "profile", "--help", cwd=place.top)).stdout == expect_ok(evaluated(place, "--help")).stdout


def a_name_cannot_move_a_terminal(place):
    """Keys and labels are a file's word."""
    top, rng = room(place), random.Random(5)
    write(f"{top}/odd", lines(rng, 60, 7, "benign", "k\u202ey") + lines(rng, 60, 9, "benign", "\u00e9"))
    write(f"{top}/oddtest", lines(rng, 30, 7, "benign", "k\u202ey") + lines(rng, 30, 9, "th\u202eft", "\u00e9"))
    result = expect_ok(evaluated(place, "--train", f"{top}/odd", "--test", f"{top}/oddtest"))
    assert "\u202e" not in result.stdout, result.stdout
    said = json.loads(expect_ok(evaluated(place, "--train", f"{top}/odd", "--test", f"{top}/oddtest", "--json")).stdout)
    assert [k["key"] for k in said["keys"]] == ["k\u202ey", "\u00e9"] and said["attacks_by_name"][0]["name"] == "th\u202eft", said


def what_drifts_keeps_its_promise(place):
    top, rng = room(place), random.Random(11)
    write(f"{top}/drift", "".join(lines(rng, 1, 17 if rng.random() < i / 4000 else 7) for i in range(4000)))
    fixed, stream = (json.loads(expect_ok(evaluated(place, "--train", f"{top}/train", "--calibrate", f"{top}/calibrate", "--test", f"{top}/drift", "--json", "--alpha", "0.01,0.1", *more)).stdout)
                     for more in ([], ["--stream"]))
    assert all(p["ratio"] > 1.5 for p in fixed["promises"]) and all(p["ratio"] <= 1.1 for p in stream["promises"]), (fixed["promises"], stream["promises"])


def amounts_count_beside_the_calls(place):
    """What does the usual, and a hundred times as much, is told by that alone. The twin: without amounts it is not. Who misspells one is told all names."""
    top, rng = place.fresh(), random.Random(13)
    write(f"{top}/bad", "\t\tcals=1\ta")
    names = re.search("of these: (.*)", evaluated(place, "--train", f"{top}/bad", "--test", f"{top}/bad").stderr).group(1).split()
    assert "calls" in names and "threads" in names, names
    for has_amounts in (True, False):
        def text(n, label, times):
            facts = "".join(f"{name}={times * rng.randrange(50, 100)} " for name in names) if has_amounts else ""
            return "".join(f"{label}\tk\t{facts}session=s{i // 5}\t{trace(rng, 7)}\n" for i in range(n))
        for name, lines_of in (("train", text(200, "-", 1)), ("calibrate", text(200, "-", 1)), ("test", text(100, "-", 1) + text(50, "theft", 100))):
            write(f"{top}/{name}", lines_of)
        said = json.loads(expect_ok(evaluated(place, *all_three(top), "--json")).stdout)
        assert said["auc"] > 0.99 if has_amounts else 0.3 < said["auc"] < 0.7, said["auc"]


def run(pipeline, user, to, inj=None):
    return json.dumps({"suite": "shop", "pipeline": pipeline, "user": user, "inj": inj, "attack": inj and "important", "utility": not inj, "security": bool(inj), "prompt": "Tell them.",
                       "calls": [{"f": "list_orders", "a": {}}, {"f": "send_note", "a": {"to": [to], "body": "ready"}, "src": [["to[]", "T", ["list_orders"]], ["body", "-", []]]}]}) + "\n"


def runs():
    return "".join(run(f"{family}-{n}", f"task{t}", f"person{t}@shop.test") for family in ("a", "b", "c") for n in range(4) for t in range(2))


def recorded_runs_are_judged(place):
    top = place.fresh()
    write(f"{top}/good", runs())
    write(f"{top}/bad", run("a-1", "task0", "eve@bad.test", "goal1") + run("a-2", "task0", "person0@shop.test", "goal2"))
    write(f"{top}/runs", runs() + run("a-1", "task0", "eve@bad.test", "goal1") + run("a-2", "task0", "person0@shop.test", "goal2") + run("b-1", "task1", "zoe@new\x1b.test"))
    for words in (["--test", f"{top}/runs"], ["--train", f"{top}/good", "--test", f"{top}/bad"]):
        said = json.loads(expect_ok(evaluated(place, "--events", *words, "--json")).stdout)
        assert said["attacked"] == said["succeeded"] == 2 and said["not_stopped"] == 1 and said["not_stopped_goals"][0]["injection"] == "goal2", said
        said = json.loads(expect_ok(evaluated(place, "--events", *words, "--without", "shop/*2", "--without", "none", "--json")).stdout)
        assert said["attacked"] == 1 and said["not_stopped"] == 0, said
    text = expect_ok(evaluated(place, "--events", f"{top}/runs")).stdout
    assert "AUC" in text and "first \"zoe@new" not in text and "\x1b" not in text, text
    result = place.run("sh", "-c", f"cat {top}/runs | {place.ambit} profile eval --events --test - --json", cwd=place.top)
    assert json.loads(expect_ok(result).stdout)["good_stopped"] == 1, told(result)


def bad_runs_are_refused_with_their_place(place):
    top = place.fresh()
    write(f"{top}/good", runs())
    for bad, says in (("{", "line 2: byte"), ("[]", "line 2: a line that is no object"), (run("a", "t", "x").replace('"f"', '"g"'), "line 2: a call with a member"), ("[" * 100, "line 2: byte"), ("\x1b", "line 2")):
        write(f"{top}/bad", run("a-1", "task0", "x@y.test") + bad)
        result = evaluated(place, "--events", "--train", f"{top}/good", "--test", f"{top}/bad")
        assert result.returncode == 125 and says in result.stderr and "\x1b" not in result.stderr, told(result)
        result = evaluated(place, "--events", "--train", f"{top}/bad", "--test", f"{top}/good")
        assert result.returncode == 125 and says in result.stderr and "learn from" in result.stderr, told(result)
    write(f"{top}/one", run("a-1", "task0", "x@y.test"))
    for words, says in ((["--test", f"{top}/one"], "one pipeline"), ([], "needs --test"), (["a", "b"], "takes no 'b'"), (["--test", "a", "--roc", "b"], "takes no"), (["--test", "a", "--stream"], "takes no"), (["--test", "a", "--alpha", "0.1,0.2"], "one rate"),
                        (["--test", f"{top}/good", "--alpha", "0.001"], "cannot promise"), (["--test", f"{top}/good", *["--without", "x"] * 17], "more than 16"), (["--test", "a", "--without", "x" * 5000], "too often")):
        result = evaluated(place, "--events", *words)
        assert result.returncode == 125 and says in result.stderr, told(result)
    result = evaluated(place, "--train", "a", "--test", "b", "--without", "x")
    assert result.returncode == 125 and "for --events" in result.stderr, told(result)


SCENARIOS = [recorded_runs_are_judged, bad_runs_are_refused_with_their_place, attacks_are_told_from_what_is_usual, what_is_no_attack_is_not_told_from_it, without_calibration_a_part_is_kept_for_it, texts_come_by_a_pipe, the_curve_is_drawn, what_is_bad_is_refused_with_its_place,
             wrong_words_are_told, a_name_cannot_move_a_terminal, what_drifts_keeps_its_promise, amounts_count_beside_the_calls]

if __name__ == "__main__":
    main(SCENARIOS)
