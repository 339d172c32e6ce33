#!/usr/bin/env python3
"""test_schema.py SCHEMA AMBIT_POLICY POLICIES PRESETS RUNTIMES: the schema that editors use says what the parser says.

Every preset and good policy passes both, every bad one fails both. Speaks TAP."""

import json
import os
import re
import subprocess
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    if os.environ.get("AMBIT_MUST_RUN") == "1":
        sys.exit(f"cannot run: {missing}")
    print(f"1..0 # SKIP {missing} (apt-get install python3-jsonschema python3-yaml)")
    sys.exit(0)

ANSWER_POLICY, ANSWER_MISTAKE = 1, 2


class Reader(yaml.CSafeLoader):
    """YAML as the policy language has it: read by libyaml, and `~` is the home, not nothing."""


Reader.yaml_implicit_resolvers = {
    first: [(tag, pattern if not tag.endswith(":null") else re.compile("^(?:null|Null|NULL|)$"))
            for tag, pattern in resolvers]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def parser_takes(program, path):
    with open(path, "rb") as f:
        done = subprocess.run([program], stdin=f, capture_output=True, timeout=60, check=True)
    length, kind = int.from_bytes(done.stdout[:4], "little"), done.stdout[4]
    if length != len(done.stdout) - 4 or kind not in (ANSWER_POLICY, ANSWER_MISTAKE) or done.stderr:
        sys.exit(f"{path}: not an answer: {done.stdout!r} {done.stderr!r}")
    return kind == ANSWER_POLICY


def schema_takes(validator, path):
    with open(path, encoding="utf-8") as f:
        return validator.is_valid(yaml.load(f, Loader=Reader))


def runtimes_of(schema):
    pattern = schema["definitions"]["program"]["anyOf"][1]["pattern"]
    return pattern[pattern.index("(") + 1:pattern.index(")")].replace("\\", "").split("|")


def files(directory):
    return sorted(os.path.join(directory, name) for name in os.listdir(directory) if name.endswith(".yaml"))


def main():
    schema_path, program, policies, presets, runtimes = sys.argv[1:]
    with open(schema_path, encoding="utf-8") as f:
        schema = json.load(f)
    with open(runtimes, encoding="utf-8") as f:
        table = re.findall(r'^RUNTIME\("([^"]+)"', f.read(), re.M)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)

    results = [("the schema names the runtimes of the table", runtimes_of(schema) == table)]
    rows = [(path, True) for path in files(presets) + files(os.path.join(policies, "good"))]
    rows += [(path, False) for path in files(os.path.join(policies, "bad"))]
    for path, good in rows:
        name = os.path.basename(path)
        results.append((f"the schema {'takes' if good else 'refuses'} {name}", schema_takes(validator, path) == good))
        results.append((f"the parser {'takes' if good else 'refuses'} {name}", parser_takes(program, path) == good))

    print(f"1..{len(results)}")
    for number, (name, ok) in enumerate(results, 1):
        print(f"{'ok' if ok else 'not ok'} {number} - {name}")
    return sum(not ok for _, ok in results)


sys.exit(main())
