#!/usr/bin/env python3
"""`ambit ledger export`: what happened, in the forms of others; each line leads back to an entry and its proof.

usage: ledger_export.py AMBIT WRITE_LOG SCHEMAS GOLDEN_LEDGER    (TAP on standard output; as root once more as an ordinary user)

AMBIT_GOLDEN=write writes tests/golden/export-*.jsonl anew: read the difference before you commit it.
"""

import copy
import hashlib
import json
import os
import re
import shutil
import subprocess

import ledger_audit
from harness import AS_USER, Skip, main, once, told
from ledger import Ledger, types

GOLDEN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden")
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SHORT = "e_01M8E2EK7H"  # an event of the golden ledger: denied something, discarded
SCHEMAS = {"otlp": "otlp-traces.schema.json", "ocsf": "ocsf-1.8.0.schema.json"}


def export(place, form, directory, *words, status=0):
    done = place.run(place.ambit, "ledger", "export", f"--{form}", *words, "--ledger", directory, cwd=place.top)
    assert done.returncode == status, told(done)
    return [json.loads(line) for line in done.stdout.split("\n")[:-1]]


def checker(place, form):
    try:
        import jsonschema
    except ImportError:
        raise Skip("python3-jsonschema is not installed") from None
    with open(os.path.join(place.given(2), SCHEMAS[form]), encoding="utf-8") as file:
        return jsonschema.Draft7Validator(json.load(file))


def flaws(check, thing):
    return [f"{list(error.absolute_path)}: {error.message[:300]}" for error in check.iter_errors(thing)]


def expect_form(place, form, lines):
    check = checker(place, form)
    for line in lines:
        assert flaws(check, line) == [], (flaws(check, line), line)


def value(v):
    """An AnyValue as Python has it."""
    (kind, inner), = v.items() if v else [("none", None)]
    return {"intValue": lambda: int(inner), "arrayValue": lambda: [value(x) for x in inner["values"]],
            "kvlistValue": lambda: {x["key"]: value(x["value"]) for x in inner["values"]}}.get(kind, lambda: inner)()


def attributes(thing):
    found = {a["key"]: value(a["value"]) for a in thing["attributes"]}
    assert len(found) == len(thing["attributes"]), "an attribute stands there twice"
    return found


def spans(lines):
    return [span for line in lines for r in line["resourceSpans"] for scope in r["scopeSpans"] for span in scope["spans"]]


def trace_id(event):
    number = 0
    for digit in event[2:]:
        number = number * 32 + DIGITS.index(digit)
    return f"{number:032x}"


def leaves(log, size):
    """The hash of each entry, from its bytes."""
    found = []
    while len(found) < size:
        width = min(size - len(found), 256)
        name = f"{log}/tile/entries/{len(found) // 256:03}" + ("" if width == 256 else f".p/{width}")
        with open(name, "rb") as file:
            found += [hashlib.sha256(b"\0" + entry).hexdigest() for entry in ledger_audit.unbundle(file.read())]
    return found


def golden(place):
    """A ledger of real events: a copy, with an index of its own and nobody else's."""
    directory = place.fresh()
    shutil.copytree(os.path.join(place.given(3), "log"), f"{directory}/log")
    return directory


# ---- logs that are made here ----

EVENT = "e_01KDVQJZ00000000000000EVEN"
REQUEST = {"argv": ["true"], "program": "/usr/bin/true"}
STOP = {"cause": "exited", "exit": 0}
NAME = "ambit.test/made"


def event_of(program="/usr/bin/true", *more):
    """What is written of an event: kind and body of each entry."""
    return [("request", {**REQUEST, "program": program}), *more, ("stop", STOP), ("result", {"digest": "ab" * 32})]


def write_made(place, log, entries, *words, to=None, left=0):
    """A log of these, the last of them not signed."""
    path = os.path.join(place.fresh(), "entries")
    with open(path, "w", encoding="utf-8") as file:
        for seq, (kind, body) in enumerate(entries):
            of = {"event": None if kind == "key" else EVENT, "grant": None, "t_mono": seq, "v": 1}
            at = f"2026-01-31T09:15:{seq // 1000:02}.{seq % 1000:03}Z"
            file.write(json.dumps({"body": body, "boot": "7e9b1c52-0a4d-4f63-9d1e-3c5a8b7f6e21", "seq": seq, "t_wall": at, "type": kind, **of},
                                  sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n")
    return log.write(len(entries), f"from={path}", *words, *([f"left={left}"] if left else []), to=to, name=NAME)


def chained(place, earlier, present, left=0):
    """A ledger of two logs of one name, each of which names the other's key."""
    log = ledger_audit.Ledger(place)
    keys = [ledger_audit.Ledger(place).write(1, f"key={key}", name=NAME).key for key in "12"]
    os.makedirs(f"{log.dir}/past/1", 0o700)
    past = f"{log.dir}/past/1/log"
    write_made(place, log, earlier + [("key", {"next": keys[1]})], "key=1", to=past)
    with open(f"{past}/checkpoint", encoding="utf-8") as file:
        _, size, root = file.read().splitlines()[:3]
    return write_made(place, log, [("key", {"previous": {"key": keys[0], "root": root, "size": int(size)}})] + present, "key=2", left=left)


# ---- the forms ----


def what_is_exported_stays_the_same(place):
    for form in SCHEMAS:
        done = place.run(place.ambit, "ledger", "export", f"--{form}", "--event", SHORT, "--ledger", golden(place), cwd=place.top)
        assert done.returncode == 0, told(done)
        is_now = re.sub(r'("(?:service\.)?version","value":\{"stringValue":"|"version":")0\.[0-9.]+"', r'\1VERSION"', done.stdout)
        path = os.path.join(GOLDEN, f"export-{form}.jsonl")
        if os.environ.get("AMBIT_GOLDEN") == "write" and AS_USER not in os.environ:
            with open(path, "w", encoding="utf-8") as file:
                file.write(is_now)
        if not os.path.exists(path):
            path = os.path.join(place.given(2), f"export-{form}.jsonl")
        if AS_USER in os.environ and not os.path.exists(path):
            continue  # compared as root; the rest of the sources is not copied
        with open(path, encoding="utf-8") as file:
            assert is_now == file.read(), f"{form}: another than {path}"


def all_of_a_real_ledger_has_the_form(place):
    directory = golden(place)
    for form in SCHEMAS:
        expect_form(place, form, export(place, form, directory))


def the_schemas_refuse_what_is_wrong(place):
    """Each is worth what it refuses: one thing is spoilt at a time."""
    otlp, ocsf = export(place, "otlp", golden(place))[0], export(place, "ocsf", golden(place))
    file = next(x for x in ocsf if x["class_uid"] == 1001)
    spoilt = [("otlp", otlp, ["resourceSpans", 0, "scopeSpans", 0, "spans", 0, key], bad) for key, bad in (
        ("traceId", "0" * 32), ("traceId", "AB" * 16), ("spanId", "1" * 15), ("startTimeUnixNano", 17), ("kind", "SPAN_KIND_INTERNAL"),
        ("name", ""), ("status", {"code": 1}), ("parent", "x"), ("attributes", [{"key": "x", "value": {"intValue": 7}}]),
        ("attributes", [{"key": "x", "value": {"stringValue": "a", "intValue": "7"}}]), ("attributes", [{"value": {}}]))]
    spoilt += [("ocsf", file, [key], bad) for key, bad in (
        ("type_uid", 100199), ("class_uid", 1002), ("class_uid", 1007), ("severity_id", 7), ("time", "2026"), ("file", {"name": "x"}), ("extra", 1),
        ("device", {}), ("actor", {}), ("unmapped", {}), ("activity_id", 99))]
    for form, whole, path, bad in spoilt:
        thing = copy.deepcopy(whole)
        at = thing
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = bad
        check = checker(place, form)
        assert flaws(check, whole) == [] and flaws(check, thing) != [], (form, path, bad)


# ---- what leads back ----


def each_entry_is_one_event_of_ocsf(place):
    directory = golden(place)
    lines, hashes = export(place, "ocsf", directory), leaves(f"{directory}/log", 276)
    assert [line["unmapped"]["ambit"]["entry"] for line in lines] == list(range(276))
    assert [line["unmapped"]["ambit"]["leaf"] for line in lines] == hashes
    shown = place.run(place.ambit, "ledger", "show", "--json", "--no-index", "--ledger", directory, cwd=place.top).stdout.splitlines()
    for line, entry in zip(lines, map(json.loads, shown)):
        assert line["unmapped"]["ambit"]["body"] == entry["body"] and line["metadata"]["event_code"] == entry["type"], (line, entry)
        assert line["metadata"].get("correlation_uid") == entry["event"] and line["metadata"]["original_time"] == entry["t_wall"]
    denied = [line for line in lines if line.get("disposition_id") == 2]
    assert {line["unmapped"]["ambit"]["entry"] for line in denied} == {e["seq"] for e in map(json.loads, shown)
                                                                      if str(e["body"].get("verdict")).startswith("denied")}
    assert all(line["action_id"] == 2 and line["status_id"] == 2 and line["is_alert"] for line in denied)
    held = [line for line in lines if line.get("disposition_id") == 3]
    assert held and all(line["unmapped"]["ambit"]["body"]["verdict"] == "held" for line in held)


def a_line_leads_back_to_a_proof(place):
    """As doc/EXPORT.md says: the number gives the proof, the proof the entry, and the entry the hash of the line."""
    directory = golden(place)
    with open(f"{directory}/log/key.pub", encoding="utf-8") as file:
        key = file.read().strip()
    line = next(x for x in export(place, "ocsf", directory) if x.get("disposition_id") == 2)["unmapped"]["ambit"]
    proof = place.run(place.ambit, "ledger", "prove", str(line["entry"]), "--ledger", directory, cwd=place.top)
    checked = place.run(place.ambit, "ledger", "check", "-", "--key", key, "--json", cwd=place.top, input=proof.stdout)
    assert checked.returncode == 0, told(checked)
    assert hashlib.sha256(b"\0" + checked.stdout.replace("\n", "").encode()).hexdigest() == line["leaf"]


def each_event_is_one_span(place):
    directory = golden(place)
    shown = place.run(place.ambit, "ledger", "show", "--json", "--no-index", "--ledger", directory, cwd=place.top).stdout.splitlines()
    entries, hashes = [json.loads(line) for line in shown], leaves(f"{directory}/log", 276)
    found = spans(export(place, "otlp", directory))
    events = sorted({entry["event"] for entry in entries if entry["event"]})
    assert sorted(attributes(span)["ambit.event"] for span in found if "parentSpanId" not in span) == events
    for span in found:
        said = attributes(span)
        of = [e for e in entries if e["event"] == said["ambit.event"] and said["ambit.entry.first"] <= e["seq"] <= said["ambit.entry.last"]]
        assert span["traceId"] == trace_id(said["ambit.event"]) and span["traceId"].endswith(span["spanId"])
        assert said["ambit.entry.last.leaf"] == hashes[said["ambit.entry.last"]] and said["ambit.entry.signed"] is True
        denied = [e for e in of if e["type"] == "effect" and e["body"]["verdict"].startswith("denied")]
        assert said["ambit.effects.denied"] == sum(e["body"]["count"] for e in denied)
        noted = [attributes(x) for x in span["events"] if x["name"] == "ambit.denied"]
        assert [x["ambit.entry"] for x in noted] == [e["seq"] for e in denied] and [x["ambit.object"] for x in noted] == [e["body"]["object"] for e in denied]
        assert [x["ambit.entry.leaf"] for x in noted] == [hashes[e["seq"]] for e in denied]
        assert [grant["id"] for grant in said.get("ambit.grants", [])] == [e["grant"] for e in of if e["type"] == "grant"]
        request = next(e["body"] for e in of if e["type"] == "request")
        assert said["process.command_args"] == request["argv"] and said["gen_ai.operation.name"] == "execute_tool"
        stop = next((e["body"] for e in of if e["type"] == "stop"), None)
        assert said.get("process.exit.code") == (stop or {}).get("exit")
        assert span["status"] == ({} if stop and stop.get("exit") == 0 else {"code": 2, "message": said["error.type"]}), span["status"]


# ---- real events ----


def events_as_they_are_recorded(place):
    ledger = Ledger(place)
    hostile = b"\xff\xfe\x1b]0;x\x07"
    record = json.loads(ledger.run("--work", ".", "--json", "--", "sh", "-c", "echo > made; cat /etc/shadow; exit 3", hostile).stdout)
    ledger.run("--work", ".", "--discard", "--", "sh", "-c", "echo > gone")
    undone = place.run(place.ambit, "undo", record["event"], cwd=ledger.tree)
    ledger.entries()
    lines = export(place, "otlp", ledger.dir)
    expect_form(place, "otlp", lines)
    expect_form(place, "ocsf", export(place, "ocsf", ledger.dir))
    first = next(span for span in spans(lines) if span["traceId"] == trace_id(record["event"]) and "parentSpanId" not in span)
    said = attributes(first)
    assert said["process.exit.code"] == 3 and said["error.type"] == "3" and said["gen_ai.tool.name"] == "sh", said
    assert len(said["ambit.record.digest"]) == 64 and said["ambit.ended"] is True
    last = next(a["value"]["arrayValue"]["values"][-1] for a in first["attributes"] if a["key"] == "process.command_args")
    assert last == {"bytesValue": "//4bXTA7eAc="}, last
    assert "/etc/shadow" in [attributes(x)["ambit.object"] for x in first["events"]]
    assert undone.returncode in (0, 125), told(undone)


def what_a_person_does_afterwards_is_a_span_of_the_same_trace(place):
    ledger = Ledger(place)
    record = json.loads(ledger.run("--work", ".", "--stage", "--json", "--", "sh", "-c", "echo > made").stdout)
    done = place.run(place.ambit, "commit", record["event"], cwd=ledger.tree)
    assert done.returncode == 0, told(done)
    ledger.entries()
    found = [s for s in spans(export(place, "otlp", ledger.dir)) if s["traceId"] == trace_id(record["event"])]
    assert len(found) == 2 and found[1]["parentSpanId"] == found[0]["spanId"] != found[1]["spanId"], found
    assert found[1]["name"] == "ambit changes" and [x["name"] for x in found[1]["events"]] == ["ambit.commit", "ambit.commit"], found[1]
    alone = spans(export(place, "otlp", ledger.dir, "--event", record["event"]))
    assert alone == found


def an_event_without_an_end_is_told_as_that(place):
    """It is at work, or its supervisor was killed; the first may not be signed."""
    log = ledger_audit.Ledger(place).write(100, "events", "left=7", group=1)
    found = spans(export(place, "otlp", log.dir))
    said = [attributes(span) for span in found]
    open_ones = [s for s in said if not s["ambit.ended"]]
    assert len({s["ambit.event"] for s in said}) == 7 and {s["ambit.event"] for s in open_ones} <= {s["ambit.event"] for s in said}
    assert not next(s for s in said if s["ambit.entry.last"] == 99)["ambit.ended"], said[-1]
    assert [s["ambit.entry.signed"] for s in said] == [s["ambit.entry.last"] < 93 for s in said]
    half = [s for s in said if s["ambit.entry.last"] in (92, 95)]  # of the event that is signed in part, each part by itself
    assert len(found) == 8 and half[0]["ambit.event"] == half[1]["ambit.event"] and half[1]["ambit.entry.first"] == 93, half
    assert [(s["traceId"] + ":" + s["spanId"]) for s in found if "parentSpanId" in s] == [
        (s["traceId"] + ":" + s["spanId"]) for s in found if not attributes(s)["ambit.entry.signed"]]
    ocsf = export(place, "ocsf", log.dir)
    assert [x["unmapped"]["ambit"]["signed"] for x in ocsf] == [True] * 93 + [False] * 7


def no_span_takes_the_place_of_another(place):
    """Whoever writes the same event once more, in the journal or in another log, gets spans beside the real one."""
    refused = event_of("/usr/bin/real", ("effect", {"count": 2, "object": "/etc/shadow", "verdict": "denied"}))
    forged = event_of("/usr/bin/innocent")
    ledgers = ((write_made(place, ledger_audit.Ledger(place), refused + forged, left=len(forged)), [True, False]),
               (write_made(place, ledger_audit.Ledger(place), refused + forged), [True, True]),
               (chained(place, refused, forged), [True, True]),
               (chained(place, refused, forged, left=len(forged)), [True, False]))
    for log, is_signed in ledgers:
        lines = export(place, "otlp", log.dir)
        expect_form(place, "otlp", lines)
        found = spans(lines)
        assert len(found) == 2 and len({span["spanId"] for span in found}) == 2, found
        assert {span["traceId"] for span in found} == {trace_id(EVENT)} and found[1]["parentSpanId"] == found[0]["spanId"] == trace_id(EVENT)[16:]
        assert found[0]["name"] == "execute_tool real" and "parentSpanId" not in found[0], found[0]
        assert [attributes(span)["ambit.effects.denied"] for span in found] == [2, 0]
        assert [attributes(span)["ambit.entry.signed"] for span in found] == is_signed


def odd_entries_keep_the_form(place):
    """What nobody of ours would write, signed all the same: the form is kept, nothing is shadowed, no sum wraps around."""
    most = {"count": 2**53 - 1, "kind": "read", "object": "/etc/shadow", "verdict": "denied"}
    odd = [("request", {"argv": ["a", {"b64": "!!! no base64", "x": "hidden"}, {"b64": "!!!"}, {"b64": "/w=="}], "program": "/usr/bin/a", "workdir": ""}),
           ("request", REQUEST), ("start", {"wall": {"": None}}), ("start", {"wall": {}}),
           ("effect", {**most, "entry": 999, "entry.leaf": "00", "k" * 96: "hidden"}), *[("effect", most)] * 1100,
           ("effect", {"kind": "read", "object": "", "verdict": "denied" + "x" * 60}), ("effect", {"kind": "added", "object": "/x", "sha256": "no hash"}),
           ("effect", {"kind": "connect", "object": "tcp not an ip:443", "verdict": "allowed"}), ("effect", {"kind": "connect", "object": "tcp []:443"}),
           ("policy", {"name": "", "sha256": ""}), ("stop", {"exit": 3}), ("stop", STOP), ("result", {})]
    log = write_made(place, ledger_audit.Ledger(place), odd)
    lines = export(place, "otlp", log.dir)
    expect_form(place, "otlp", lines)
    span, = spans(lines)
    said = attributes(span)
    assert said["ambit.effects.denied"] == 2**63 - 1 and said["process.exit.code"] == 3 and said["gen_ai.tool.name"] == "a", said
    assert said["process.command_args"] == ["a", {"b64": "!!! no base64", "x": "hidden"}, {"b64": "!!!"}, "/w=="], said
    told = [(event["name"], attributes(event), event.get("droppedAttributesCount")) for event in span["events"]]
    assert [(name, event["ambit.entry"], dropped) for name, event, dropped in told[:3]] == [
        ("ambit.request", 1, None), ("ambit.start", 3, None), ("ambit.denied", 4, 3)], told[:3]
    lines = export(place, "ocsf", log.dir)
    expect_form(place, "ocsf", lines)
    assert [line["unmapped"]["ambit"]["entry"] for line in lines] == list(range(len(odd)))


def no_line_has_the_uid_of_another(place):
    """Of any log of the ledger, though they have one name."""
    log = chained(place, event_of(), event_of())
    metadata = [line["metadata"] for line in export(place, "ocsf", log.dir)]
    assert len(metadata) == 8 and len({m["uid"] for m in metadata}) == 8 and {m["log_name"] for m in metadata} == {NAME}, metadata
    assert [m["uid"] for m in metadata[4:]] == [f"{NAME}+{log.key.split('+')[1]}#{number}" for number in range(4)]


# ---- choosing ----


def an_event_belongs_to_the_time_when_it_began(place):
    """By its first entry, all of it, or nothing: sixteen entries in 1.6 s, and ids a second apart."""
    log = ledger_audit.Ledger(place).write(160, "events")
    whole = export(place, "ocsf", log.dir)
    begins = 1790000000000
    for words, first, end in ((("--since", "2026-09-21T14:13:24Z"), 3, 10), (("--until", "2026-09-21T14:13:24Z"), 0, 3),
                              (("--since", "2026-09-21T14:13:22Z", "--until", "2026-09-21T14:13:25Z"), 2, 4)):
        assert begins // 1000 == 1790000000
        assert export(place, "ocsf", log.dir, *words) == whole[16 * first:16 * end], words
        assert len(spans(export(place, "otlp", log.dir, *words))) == end - first
    event = whole[20]["metadata"]["correlation_uid"]
    assert export(place, "ocsf", log.dir, "--event", event) == whole[16:32]
    assert export(place, "ocsf", log.dir, "--event", "last") == whole[144:]


def what_an_event_begins_with_is_not_torn(place):
    """Its entries are a millisecond apart, its id is of another time."""
    log = write_made(place, ledger_audit.Ledger(place), [("policy", {"name": "p", "sha256": "ab" * 32, "size": 1}), *event_of()])
    whole = export(place, "ocsf", log.dir)
    assert len(whole) == 4
    for ms in range(5):
        at = f"2026-01-31T09:15:00.{ms:03}Z"
        for words, begun in ((("--since", at), ms == 0), (("--until", at), ms > 0), (("--since", "2026-01-31T09:15:00.000Z", "--until", at), ms > 0)):
            assert export(place, "ocsf", log.dir, *words) == (whole if begun else []), words


def odd_words_are_refused(place):
    log = ledger_audit.Ledger(place).write(3)
    for words, said in (([], "--otlp or --ocsf"), (["--otlp", "--ocsf"], "--otlp or --ocsf"), (["--ocsf", "--limit", "3"], "--limit"),
                        (["--otlp", "x"], "takes no 'x'"), (["--otlp", "--since", "soon"], "soon"), (["--otlp", "--event", "e_7"], "no event")):
        done = log.run("export", *words)
        assert done.returncode == 125 and said in done.stderr and done.stdout == "", (words, told(done))
    done = place.run(place.ambit, "ledger", "export", "--otlp", "--ledger", place.fresh(), cwd=place.top)
    assert done.returncode == 125 and "no ledger" in done.stderr, told(done)


# ---- a log that is not what was signed ----


def what_was_not_signed_is_not_exported(place):
    log = ledger_audit.Ledger(place).write(600, "events")
    before = export(place, "ocsf", log.dir)
    log.entries("tile/entries/001", lambda e: [x.replace(b"/etc/shadow", b"/etc/shadov") for x in e])
    done = log.run("export", "--ocsf")
    assert done.returncode == 1 and "not what was signed" in done.stderr, told(done)
    changed = [x for x in before if 256 <= x["unmapped"]["ambit"]["entry"] < 512 and x.get("file", {}).get("path") == "/etc/shadow"]
    assert changed and [json.loads(line) for line in done.stdout.splitlines()] == [x for x in before if x not in changed]
    done = log.run("export", "--otlp", "--key", ledger_audit.Ledger(place).write(1, name="ambit.test/other").key)
    assert done.returncode == 1 and done.stdout == "", told(done)


# ---- much ----


def few_open_events_are_enough(place):
    """More at once than are followed: each comes out, some in two parts, and what was counted is all of it."""
    log = ledger_audit.Ledger(place).write(16 * 200, "events", "mixed=200")
    found = spans(export(place, "otlp", log.dir))
    assert len({span["traceId"] for span in found}) == 200
    assert sum(attributes(span)["ambit.effects.denied"] for span in found) == 200 * 5
    assert len({(span["traceId"], span["spanId"]) for span in found}) == len(found)


def a_span_says_what_it_had_no_room_for(place):
    lines = [json.loads(line) for line in place.run(place.ambit, "ledger", "show", "--json", "--no-index", "--event", SHORT, "--ledger",
                                                    golden(place), cwd=place.top).stdout.splitlines()]
    denied = next(e for e in lines if e["body"].get("verdict") == "denied")
    entries = lines[:lines.index(denied)] + [denied] * 300 + lines[lines.index(denied) + 1:]
    path = os.path.join(place.fresh(), "entries")
    with open(path, "w", encoding="utf-8") as file:
        for seq, entry in enumerate(entries):
            file.write(json.dumps({**entry, "seq": seq}, separators=(",", ":"), ensure_ascii=False) + "\n")
    log = ledger_audit.Ledger(place).write(len(entries), f"from={path}")
    span, = spans(export(place, "otlp", log.dir))
    assert span["droppedEventsCount"] + len(span["events"]) == 300 + 2 and len(span["events"]) == 128, span.get("droppedEventsCount")
    assert attributes(span)["ambit.effects.denied"] == 300


@once
def a_long_log_is_exported(place):
    """In the memory that the role has, 192 MiB of addresses; unit/retell counts what it takes."""
    log = ledger_audit.Ledger(place).write(100000, "events", group=500, publish=50)
    for form, n in (("otlp", 6250), ("ocsf", 100000)):
        with subprocess.Popen([place.ambit, "ledger", "export", f"--{form}", "--ledger", log.dir], env=place.environment(), cwd=place.top,
                              stdout=subprocess.PIPE) as process:
            count = sum(1 for _ in process.stdout)
        assert process.returncode == 0 and count == n, (form, count)


if __name__ == "__main__":
    main([what_is_exported_stays_the_same, all_of_a_real_ledger_has_the_form, the_schemas_refuse_what_is_wrong,
          each_entry_is_one_event_of_ocsf, a_line_leads_back_to_a_proof, each_event_is_one_span, events_as_they_are_recorded,
          what_a_person_does_afterwards_is_a_span_of_the_same_trace, no_span_takes_the_place_of_another, odd_entries_keep_the_form,
          no_line_has_the_uid_of_another, an_event_without_an_end_is_told_as_that, an_event_belongs_to_the_time_when_it_began, what_an_event_begins_with_is_not_torn,
          odd_words_are_refused, what_was_not_signed_is_not_exported, few_open_events_are_enough, a_span_says_what_it_had_no_room_for,
          a_long_log_is_exported])
