"""The part of a record that a person looks at first.

usage: record.py RECORD
"""

import json
import sys


def text(value):
    """A name of the record: text, or bytes that are not UTF-8."""
    return value if isinstance(value, str) else repr(value)


def main(path):
    with open(path, encoding="utf-8") as file:
        record = json.load(file)
    print("event   ", record["event"], "of", record["session"])
    print("asked   ", " ".join(text(word) for word in record["asked"].get("argv", [])))
    for grant in record["grants"]:
        print("grant   ", grant.get("verb"), text(grant.get("object", "")))
    for name, held in record["wall"].items():
        print("wall    ", f"{name:<10}", held)
    for effect in record["effects"]:
        if effect.get("verdict") != "absent":
            print("effect  ", f"{effect['kind']:<7} {effect['verdict']:<7}", text(effect["object"]))
    print("usage   ", json.dumps(record["usage"]))
    print("outcome ", json.dumps(record["outcome"]))


main(*sys.argv[1:])
