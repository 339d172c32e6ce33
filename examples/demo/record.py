"""The part of a record that a person looks at first (doc/RECORD.md has all of it).

usage: record.py RECORD
"""

import base64
import json
import sys


def text(name):
    """A name: text, or bytes that are not UTF-8; harmless on a terminal either way."""
    raw = name if isinstance(name, str) else base64.b64decode(name["b64"]).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in raw)


def amount(usage):
    parts = [f"{usage['wall']['ms']} ms"]
    parts.append(f"{usage['memory']['peak_bytes'] / 2**20:.0f} MiB of memory ({usage['memory']['how']})")
    parts.append(f"{usage['tasks']['peak']} tasks ({usage['tasks']['how']})")
    return ", ".join(parts)


def main(path):
    with open(path, encoding="utf-8") as file:
        record = json.load(file)
    print("event   ", record["event"])
    print("asked   ", " ".join(text(word) for word in record["asked"]["argv"]))
    for grant in record["grants"]:
        print("grant   ", f"{grant['verb']:<10}", text(grant["object"]))
    for name, held in record["wall"].items():
        print("wall    ", f"{name:<10}", held or "not held")
    for effect in record["effects"]:
        name = effect.get("path") or effect.get("address") or effect.get("call")
        print(f"{effect['verdict']:<8} ", f"{effect['kind']:<10}", text(name))
    print("used    ", amount(record["usage"]))
    print("ended   ", record["outcome"]["cause"], "with", record["outcome"]["exit"])


main(*sys.argv[1:])
