#!/usr/bin/env python3
"""test_schema.py SCHEMA AMBIT_POLICY POLICIES PRESETS RUNTIMES: the schema that editors use says what the parser says.

Every preset and good policy passes both, every bad one fails both, and so do the objects of the tables. Speaks TAP."""

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


# Grants, each in a policy of its own.
LABEL = 63 * "a"
TAKEN = [
    *({"connect": text} for text in (
        "example.com:443", "Example.COM.:443", "xn--bcher-kva.example:80", "_a.example:1", "a:65535", "10.0.0.1.nip.io:80", "unix.example:80", "ssh:22",
        f"{LABEL}.{LABEL}:443", "*.example.com:443", "*.a.EXAMPLE.com.:443", "*:443", "192.0.2.1:1", "192.0.2.1/32:1", "10.0.0.0/8:5432",
        "0.0.0.0/0:443", "127.0.0.1:8080", "[::1]:80", "[2001:DB8:0::1]:443", "[1:2:3:4:5:6:7::]:1", "[2001:db8::/32]:443", "[::/0]:443", "unix:/run/x.sock",
        "unix:/run/a b:80", "unix:/run/...", "ssh://git@example.com", "ssh://git@Example.com.:2222", "ssh://a.b_c-d@192.0.2.1", "ssh://git@192.0.2.1:65535",
        "ssh://git@[2001:db8::1]", "ssh://git@[2001:db8::1]:2222", ["a:1", "unix:/x"])),
    *({"listen": ports} for ports in (1, 65535, "8080", "0:8080", "9000:8080", "65535:65535", [8080, "0:8081"])),
    {"connect": "*.example.com:443", "uses": 50, "bytes": "10M", "rate": "10/s", "ech": True},
    {"connect": ["unix:/run/x", "a:1"], "uses": 50, "rate": "10/m"},
    {"connect": "ssh://git@example.com", "bytes": 1048576},
    *({"connect": "a:1", **more} for more in (
        {"until": "2026-12-01T00:00:00Z"}, {"between": "09:00-18:00 Europe/Berlin"}, {"between": "22:30-00:00 Etc/GMT+1"}, {"between": "00:00-23:59 " + 47 * "a"}, {"http": "GET /a"}, {"http": ["GET /repos/**", "* /x", "GRAPHQL /graphql"], "graphql": "query a"}, {"http": "GET /a, POST /b"},
        {"graphql": {"query": "*", "mutation": ["a", "b"], "persisted": ["0" * 64]}}, {"secret": "github"}, {"secret": "a.b-c as header:X-Api-Key:token"},
        {"secret": "a as basic:me@example.com"}, {"secret": "a as query:key", "credentials": "replace"}, {"http": "GET /a", "credentials": "pass"}, {"secret": "a as bearer"},
        {"secret": "a as form:token"}, {"secret": "a as form:token, b as basic:me"}, {"secret": ["a"]}, {"secret": ["a", "a as query:key"]}, {"graphql": "query a", "secret": "a as query:form"})),
    *({"connect": "a:1", **more} for more in (
        {"label": "untrusted"}, {"label": ["private", "a.b_c-1"]}, {"label": " private, mail+a "}, {"label": 31 * "a"}, {"unless": "none"}, {"unless": ["private", "untrusted"]},
        {"unless": [["private", "untrusted"], "secret"]}, {"unless": [["a"], ["b"], ["c"], ["d"]]}, {"unless": [*"abcdefgh"]}, {"unless": "a+b, c"}, {"ask": "labelled"}, {"ask": True},
        {"label": "nonesuch", "unless": "a", "ask": "labelled"}, {"unless": "none", "ask": True}, {"uses": 5, "http": "GET /a", "unless": "none"})),
    {"connect": "ssh://git@a.test", "ask": "labelled"},
    *({verb: "/a", "label": label} for verb in ("work", "read", "write", "run") for label in ("private", ["private", "mail"])),
    {"work": ".", "ask": True}, {"write": ["/a", "/b?"], "ask": True, "label": "a"}, {"run": ["/a", "./b"], "label": "a"}, {"env": ["A", "B=c"], "label": "private"},
    *({"declassify": name} for name in ("private", ["private", "a.b"])),
    {"declassify": "private", "uses": 3, "ask": True}, {"delegate": "*", "uses": 3, "depth": 2, "ask": True}, {"read": ["/a", "/b"], "ask": True}, {"env": "A", "ask": True, "label": "a"}, {"listen": 8000, "ask": True}, {"run": "/a", "ask": True},
    *({"tool": to} for to in ("files/read_file", "*", "a/*", "A-z.0_9/x.y-z_", "a/resources/read", "a/elicitation/create", f"{64 * 'a'}/{128 * 'b'}", ["a/b", "c/*", "*"])),
    *({"tool": "a/b", **more} for more in (
        {"uses": 50, "rate": "10/m", "until": "2026-12-01T00:00:00Z", "between": "09:00-18:00 Europe/Berlin", "ask": True}, {"ask": "labelled", "unless": ["a", "b"], "label": "untrusted"},
        {"unless": "none"}, {"bytes": 5}, {"bytes": "10M"}, {"where": {}}, {"where": {"path": "./docs/**", "mode": ["r", "rb"], "size": {"max": 100}, "cc": None, "*": None}},
        {"where": {"a.b": [1, -0.5, True, "x"], "c": {"of": "x", "given": True, "length": 5, "min": -1, "max": 2.5}, "d": {}, "e\\*": "a\\*b\\\\"}},
        *({"where": {"a": {"match": text, "of": "x", "length": 5}}} for text in ("x", "[a-z]+\\.\\d{2,}", 255 * "a", "\u00e4|\\/'", "a{255}b{255}cd")), {"where": "{\"a\": [\"x\"]}"},
        {"where": {"a": list(range(128))}}, {"where": {f"a{i}": None for i in range(32)}})),
    *({"connect": to, "secret": "a"} for to in ("*.b.test:1", "*:443", "10.0.0.1:1", "10.0.0.1/32:1", "[2001:db8::1]:1", ["a:1", "b:2"])),
]
REFUSED = [
    *({"connect": text} for text in (
        "", ":443", "example.com", "*", "[::1]", "[::1]443", "example.com:", "example.com:0", "example.com:65536", "example.com:99999", "example.com:080",
        "example.com:+80", "example.com: 80", "example.com:80-90", "example.com:80,443", "example.com:https", "https://example.com:443", "a:b:443",
        "2001:db8::1:443", "[::1:443", "[]:443", "[example.com]:443", "[fe80::1%eth0]:443", "[2001:db8::/129]:443", "[127.1]:443", "[::ffff:10.0.0.1]:443",
        "[1:2]:443", "127.1:80", "010.0.0.1:80", "0x7f000001:80", "a.0xb:80", "1.2.3.4.:80", "1.2.3.256:80", "example.7:80", "10.0.0.0/33:80", "10.0.0.0/:80",
        "example.com/24:80", "*.com:443", "**:443", "*.:443", "a.*.b:443", "*a.example.com:443", "*.1.2.3.4:443", "10.*.0.1:443", "-a.example:443",
        "a-.example:443", "a..b:443", ".:443", "user@example.com:443", f"{LABEL}a.example:443", f"{4 * (LABEL + '.')}example:443", "b\u00fccher.example:443",
        "unix:443", "UNIX:443", "unix.:443", "unix:run/x", "unix:@abstract", "unix:///run/x", "unix:/run/../x", "unix:/run/./x", "unix:/run/x/",
        "unix:/" + 107 * "a", "ssh://", "ssh://example.com", "ssh://@example.com", "ssh://-l@example.com", "ssh://a b@example.com",
        "ssh://git:secret@example.com", f"ssh://{33 * 'a'}@example.com", "ssh://git@", "ssh://git@example.com/repo", "ssh://git@10.0.0.0/8", "ssh://git@*",
        "ssh://git@*.example.com", "ssh://git@[2001:db8::/32]", "ssh://git@example.com:repo", "ssh://git@example.com:0", "ssh://git@example.com:65536",
        "ssh://git@a@example.com", "ssh://git@127.1", "ssh://git@unix", "SSH://git@example.com", ["a:1", "a"], [])),
    *({"listen": ports} for ports in (0, 65536, "0", "65536", "08080", "8080:", ":8080", "127.0.0.1:8080", "65536:1", "1:0", "1:65536", "1:2:3", "http", [])),
    {"connect": "unix:/run/x", "bytes": 1},
    {"connect": ["a:1", "unix:/run/x"], "bytes": "10M"},
    {"listen": 8080, "uses": 1},
    *({"connect": "a:1", **more} for more in (
        *({"between": text} for text in ("", "09:00-18:00", "9:00-18:00 UTC", "09:00-24:00 UTC", "09:00-18:60 UTC", "09:00-09:00 UTC", "09:00 - 18:00 UTC", "09:00-18:00  UTC", "09:00-18:00 /UTC",
                                         "09:00-18:00 UTC/", "09:00-18:00 a//b", "09:00-18:00 a.b", "09:00-18:00 " + 48 * "a", ["09:00-18:00 UTC"], 900)),
        {"until": "2026-12-01"}, {"until": "2026-13-01T00:00:00Z"}, {"until": "2026-12-01T00:00:00+01:00"}, {"http": []}, {"http": "get /a"}, {"http": "GET a"},
        {"http": ["GET /a?b"]}, {"http": {"GET": "/a"}}, {"graphql": {}}, {"graphql": {"fragment": "a"}}, {"graphql": {"query": "a-b"}}, {"graphql": "query"},
        {"graphql": {"persisted": "*"}}, {"graphql": ["query a"]}, {"secret": ".a"}, {"secret": "a as"}, {"secret": "a as header:Host"}, {"secret": "a as header:proxy-x:y"}, {"secret": "a as header:Content-Type"}, {"secret": "a as header:content-encoding:x"},
        {"secret": "a as basic:b:c"}, {"secret": []}, {"secret": "a, b as query:c, d as query:e"}, {"secret": ["a", "b as query:c", "d as query:e"]}, {"secret": "a,"},
        {"secret": "a as query:b, c as header:Host"}, {"secret": [["a"]]}, {"secret": "a as form:"}, {"secret": "a as form:b c"}, {"graphql": "query a", "secret": "a as form:b"},
        {"graphql": "query a", "secret": ["a", "b as form:c"]}, {"credentials": "pass"}, {"http": "GET /a", "credentials": "replace"}, {"secret": "a", "credentials": "refuse"})),
    *({"connect": to, "secret": "a"} for to in ("unix:/run/x", "ssh://git@a.test", "10.0.0.0/8:1", "[2001:db8::/64]:1", ["a:1", "unix:/run/x"])),
    {"read": "/a", "http": "GET /a"}, {"delegate": "*", "between": "09:00-18:00 UTC"},
    *({"connect": "a:1", **more} for more in (
        {"label": ""}, {"label": []}, {"label": "none"}, {"label": ["a", "labelled"]}, {"label": "Private"}, {"label": ".a"}, {"label": 32 * "a"}, {"label": "a b"}, {"label": "a,"},
        {"label": ["a,b"]}, {"label": [["a"]]}, {"label": {"a": "b"}}, {"unless": []}, {"unless": [[]]}, {"unless": ["none"]}, {"unless": "none, a"}, {"unless": [["a"], "b", "c", "d", "e"]},
        {"unless": ["a", ["b", ["c"]]]}, {"unless": ["a+b"]}, {"unless": "a+"}, {"ask": False}, {"ask": "labeled"}, {"unless": "none", "ask": "labelled"}, {"depth": 2})),
    {"connect": "ssh://git@a.test", "ask": True}, {"connect": ["a:1", "ssh://git@a.test"], "ask": True},
    {"read": "/a", "unless": "a"}, {"read": "/a", "ask": False}, {"jit": True, "ask": True}, {"work": "/a", "ask": "labelled"}, {"work": "/a", "ask": True, "uses": 3}, {"env": "A", "ask": "labelled"},
    {"run": "node", "label": "a"}, {"run": ["/a", "node"], "label": "a"}, {"jit": True, "label": "a"}, {"listen": 8080, "label": "a"}, {"delegate": "*", "label": "a"},
    {"read": "/a", "work": "/b"}, {"label": "a"},
    *({"tool": to} for to in ("", "a", "a/", "/b", "**", "a/**", "*/b", "a/b*", "a/b/c", "a/resources/write", "a/resources/*", "a b/c", "a/\u00e9", f"{65 * 'a'}/b", f"a/{129 * 'b'}", [], ["a/b", "c"], None)),
    *({"tool": "a/b", **more} for more in (
        {"bytes": 0}, {"rows": 5}, {"http": "GET /"}, {"depth": 2}, {"ech": True}, {"secret": "a"}, {"ask": False}, {"ask": "labelled", "unless": "none"}, {"where": "x"}, {"where": None}, {"where": ["a"]},
        *({"where": {"a": value}} for value in ([], [[]], [None], {"b": 1}, {"max": "1"}, {"length": 0}, {"length": 1.5}, {"given": False}, {"of": None}, {"of": []}, "a\\b", ["a\\"])),
        *({"where": {"a": {"match": text}}} for text in ("", 5, ["x"], None, 256 * "a", "\\b", "x\\", "\\\u00e4", "\\1")),
        *({"where": {name: None}} for name in ("a*", "a\\", "a\\b")), {"where": {"*": "x"}}, {"where": {"a": list(range(129))}})),
    {"connect": "a:1", "where": {}}, {"read": "/a", "where": {"a": "b"}}, {"tool": "a/b", "read": "/x"},
    *({"declassify": name} for name in ("", "Private", "none", "*", [], ["a", "B"])),
    *({"declassify": "a", **more} for more in ({"label": "a"}, {"unless": "a"}, {"ask": "labelled"}, {"bytes": 5}, {"depth": 2})),
]


def parser_takes_text(program, text):
    done = subprocess.run([program], input=text, capture_output=True, timeout=60, check=True)
    length, kind = int.from_bytes(done.stdout[:4], "little"), done.stdout[4]
    if length != len(done.stdout) - 4 or kind not in (ANSWER_POLICY, ANSWER_MISTAKE) or done.stderr:
        sys.exit(f"{text!r}: not an answer: {done.stdout!r} {done.stderr!r}")
    return kind == ANSWER_POLICY


def parser_takes(program, path):
    with open(path, "rb") as f:
        return parser_takes_text(program, f.read())


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

    for row, good in [(row, True) for row in TAKEN] + [(row, False) for row in REFUSED]:
        policy = {"version": 1, "grants": [row]}
        under_guard = {"version": 1, "guard": [row]}
        as_guard = good and "tool" not in row
        text = json.dumps(policy)  # is YAML as well
        results.append((f"the schema {'takes' if good else 'refuses'} {json.dumps(row)}", validator.is_valid(policy) == good))
        results.append((f"the parser {'takes' if good else 'refuses'} {json.dumps(row)}", parser_takes_text(program, text.encode()) == good))
        results.append((f"so does the schema under guard: {json.dumps(row)}", validator.is_valid(under_guard) == as_guard))
        results.append((f"so does the parser under guard: {json.dumps(row)}", parser_takes_text(program, json.dumps(under_guard).encode()) == as_guard))

    print(f"1..{len(results)}")
    for number, (name, ok) in enumerate(results, 1):
        print(f"{'ok' if ok else 'not ok'} {number} - {name}")
    return sum(not ok for _, ok in results)


sys.exit(main())
