#!/usr/bin/env python3
"""A schema of core/where_schema.h means what it means to Python's jsonschema: check_schema.py SCHEMA_SAY

Schemas are drawn, with arguments that can be told from one another as they are told (a list is where a schema says so, and nowhere else). Then a table of those that are refused, with their places, and of what is not told."""

import json
import os
import random
import subprocess
import sys

try:
    from jsonschema import Draft202012Validator
except ImportError:
    print("1..0 # SKIP python3-jsonschema is not there")
    sys.exit(0)

SEED = int(os.environ.get("AMBIT_SEED", "20250"))
DRAWN = 4000 * int(os.environ.get("AMBIT_SOAK", "1"))
TEXTS = ["", "a", "ab", "abc", "b", "ä€", "A", "0", "true"]
NUMBERS = [0, 1, -1, 2, 10, 0.5, 1.0, -2.5, 100, 1e2]
SCALARS = [*TEXTS, *NUMBERS, True, False]
NAMES, LISTS = ["p", "q", "x.y"], ["l"]


def scalar_schema(r):
    s = {}
    if r.random() < 0.6:
        s["type"] = r.choice(["string", "number", "integer", "boolean", ["string", "integer"], ["boolean", "number"]])
    for key, values in (("enum", None), ("const", None), ("minimum", NUMBERS), ("maximum", NUMBERS), ("exclusiveMinimum", NUMBERS), ("exclusiveMaximum", NUMBERS),
                        ("minLength", [0, 1, 2]), ("maxLength", [0, 1, 2, 3]), ("pattern", ["^a.*$", "^(a|b)$", "^[a-z]+$", "^\\\\d$"[:-1] + "$"])):
        if r.random() > 0.15 or ("enum" in s and key == "const"):
            continue
        s[key] = r.sample(SCALARS, r.randint(1, 4)) if key == "enum" else r.choice(SCALARS) if key == "const" else bound(r.choice(values))
    return s


def bound(v):
    return int(v) if isinstance(v, float) and v == int(v) else v


def schema(r, depth=3):
    s = scalar_schema(r)
    if depth == 0:
        return s
    if r.random() < 0.4:
        s["properties"] = {name: schema(r, depth - 1) for name in r.sample(NAMES, r.randint(0, 2))}
        if r.random() < 0.4:
            s["properties"]["l"] = array(r)
        if r.random() < 0.4:
            s["additionalProperties"] = False
        if "type" in s and r.random() < 0.7:
            s["type"] = "object"
    if r.random() < 0.2:
        s["required"] = r.sample(NAMES + LISTS, r.randint(1, 2))
    for key in ("anyOf", "allOf"):
        if r.random() < 0.2:
            s[key] = [schema(r, depth - 1) for _ in range(r.randint(1, 3))]
    if r.random() < 0.15:
        s["not"] = schema(r, depth - 1)
    return s


def array(r):
    s = {"type": "array"}
    if r.random() < 0.7:
        s["items"] = scalar_schema(r)
    for key in ("minItems", "maxItems"):
        if r.random() < 0.3:
            s[key] = r.randint(0, 3)
    return s


def value(r, depth=3):
    if depth == 0 or r.random() < 0.6:
        return r.choice(SCALARS)
    v = {name: value(r, depth - 1) for name in r.sample(NAMES + ["z"], r.randint(1, 3))}
    if r.random() < 0.5:
        v["l"] = [r.choice(SCALARS) for _ in range(r.randint(1, 3))]
    return v


def ask(say, rows):
    lines = "".join("\t".join(json.dumps(one, ensure_ascii=False) if not isinstance(one, str) else one for one in row) + "\n" for row in rows)
    return subprocess.run([say], input=lines, capture_output=True, text=True, check=True, timeout=100).stdout.splitlines()


def agrees(say):
    r = random.Random(SEED)
    rows, expected = [], []
    for _ in range(DRAWN):
        s = schema(r) if r.random() < 0.9 else array(r)
        if s.get("type") == "array":
            values = [[r.choice(SCALARS) for _ in range(r.randint(1, 3))] for _ in range(8)]
        else:
            values = [value(r) for _ in range(8)]
        rows.append([{"a": {"schema": s}}, *({"a": v} for v in values)])
        valid = Draft202012Validator(s)
        expected.append("".join("y" if valid.is_valid(v) else "n" for v in values))
    got = ask(say, rows)
    wrong = [(row, is_, told) for row, is_, told in zip(rows, expected, got) if is_ != told and not told.startswith("M")]
    refused = sum(told.startswith("M") for told in got)
    counts = {c: sum(told.count(c) for told in got) for c in "yn"}
    return not wrong and refused < DRAWN / 20 and min(counts.values()) > DRAWN, (wrong[:3], refused, counts)


REFUSED = [  # the JSON, with a mark where it is wrong
    '{"a":{"schema":{@"$ref":"#"}}}', '{"a":{"schema":{"properties":{"b":{@"format":"email"}}}}}', '{"a":{"schema":{"type":@"null"}}}', '{"a":{"schema":{"type":@["array","string"]}}}',
    '{"a":{"schema":{"pattern":@"a"}}}', '{"a":{"schema":{"pattern":@"^a|b$"}}}', '{"a":{"schema":{"pattern":@"^a\\\\$"}}}', '{"a":{"schema":{"pattern":@"^(a$"}}}', '{"a":{"schema":{"enum":[@null]}}}', '{"a":{"schema":{"enum":[@[1]]}}}',
    '{"a":{"schema":{"additionalProperties":@true}}}', '{"a":{"schema":{"additionalProperties":@{}}}}', '{"a":{"schema":{"type":"string",@"type":"string"}}}', '{"a":{"schema":{"const":1,@"enum":[1]}}}', '{"a":{"schema":@true}}',
    '{"a":{"schema":@{"items":{}}}}', '{"a":{"schema":@{"type":"array","minimum":1}}}', '{"a":{"schema":{"anyOf":[@{"type":"array"}]}}}', '{"a":{"schema":{"minimum":@1e3}}}', '{"a":{"schema":{"minLength":@-1}}}',
    '{"a":{"schema":{"required":[@1]}}}', '{"a":{"schema":{"minimum":1@]}}', '{"a":{"schema":{"properties":{"b":{},@"b":{}}}}}', '{"a":{"schema":{},@"schema":{}}}',
]

TABLE = [  # what lists, null and texts that are not told come to
    ({"type": "string"}, {"a": ["x", "y"]}, "y"), ({"type": "string"}, {"a": ["x", 1]}, "n"), ({"type": "array", "items": {"type": "string"}}, {"a": "x"}, "y"),
    ({"type": "array", "items": {"type": "string"}}, {"a": [{"b": 1}]}, "n"), ({"type": "array", "maxItems": 2}, {"a": [1, 2, 3]}, "n"), ({"type": "array", "minItems": 1}, {"a": []}, "y"),
    ({"required": ["b"]}, {"a": {"b": None, "c": 1}}, "n"), ({"type": "string"}, {"a": None}, "y"), ({"type": "string", "pattern": "^a*$"}, {"a": "a" * 5000}, "n"), ({"not": {"pattern": "^b*$"}}, {"a": "a" * 5000}, "n"),
    ({"maxLength": 6000}, {"a": "a" * 5000}, "y"), ({"maxLength": 4999}, {"a": "a" * 5000}, "n"), ({"pattern": "^[./a-z]*$"}, {"a": "./a/../b"}, "n"), ({"not": {"pattern": "^[/a-z]*$"}}, {"a": "./a/../b"}, "n"),
    ({"not": {"const": "./b"}}, {"a": "./a/../b"}, "n"), ({"not": {"const": "./b"}}, {"a": "./a/b"}, "y"), ({"enum": ["./a/../b"]}, {"a": "./a/../b"}, "y"), ({"enum": ["./b"]}, {"a": "./a/../b"}, "n"),
    ({"properties": {"b": {"const": 1}}}, {"a": {"B": 2}}, "n"), ({"properties": {"b": {"const": 1}}}, {"a": {"c": 2}}, "y"), ({"not": {"properties": {"b": {"const": 1}}}}, {"a": {"B": 2}}, "n"),
    ({"const": 1}, {"a": {"b": 1}}, "n"), ({"properties": {"b.c": {"const": 1}}}, {"a": {"b.c": 2}}, "n"), ({"properties": {"b.c": {"const": 1}}}, {"a": {"b": {"c": 2}}}, "y"), ({"type": "integer"}, {"a": 100.0}, "y"), ({"type": "integer"}, {"a": 0.5}, "n"),
]


def main():
    say = sys.argv[1]
    good, told = agrees(say)
    print(f"{'ok' if good else 'not ok'} 1 - schemas mean what they mean to others" + (f"\n# AMBIT_SEED={SEED}: {told}" if not good else ""))
    got = ask(say, [[row.replace("@", "", 1)] for row in REFUSED])
    wrong = [(row, is_) for row, is_ in zip(REFUSED, got) if is_ != f"M{row.index('@')}"]
    print(f"{'ok' if not wrong else 'not ok'} 2 - what cannot be held is refused, with its place" + (f"\n# {wrong}" if wrong else ""))
    got = ask(say, [[{"a": {"schema": s}}, v] for s, v, _ in TABLE])
    wrong = [(row, is_) for row, is_ in zip(TABLE, got) if is_ != row[2]]
    print(f"{'ok' if not wrong else 'not ok'} 3 - what is not told is not taken for what it may be" + (f"\n# {wrong}" if wrong else ""))
    deep = {"a": {"schema": {}}}
    at = deep["a"]["schema"]
    for _ in range(7):
        at["not"] = {}
        at = at["not"]
    fits = ask(say, [[deep], [{"a": {"schema": {"anyOf": [{}] * 62}}}]])
    at["not"] = {}
    too = ask(say, [[deep], [{"a": {"schema": {"anyOf": [{}] * 63}}}], [{"a": {"schema": {"enum": list(range(128))}}}]])
    good = not any("M" in line for line in fits) and all("M" in line for line in too)
    print(f"{'ok' if good else 'not ok'} 4 - there is so much of a schema and no more" + (f"\n# {fits} {too}" if not good else ""))
    print("1..4")


if __name__ == "__main__":
    main()
