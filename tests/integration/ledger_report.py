#!/usr/bin/env python3
"""`ambit ledger report`: one page that says what a ledger says, and nothing in it that somebody else meant as markup.

usage: ledger_report.py AMBIT WRITE_LOG GOLDEN_LEDGER    (TAP on standard output; as root once more as an ordinary user)

AMBIT_GOLDEN=write writes tests/golden/report.html and report.txt anew: read the difference before you commit it.
"""

import json
import os
import re
import shutil
import subprocess

import ledger_audit
from harness import AS_USER, Skip, Terminal, main, once, told
from ledger import Ledger
from pages import Page, whole_page

GOLDEN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden")


def report(place, directory, *words, status=0):
    done = place.run(place.ambit, "ledger", "report", *words, "--ledger", directory, cwd=place.top)
    assert done.returncode == status, told(done)
    return done.stdout


def page(place, directory, *words, status=0):
    text = report(place, directory, *words, status=status)
    return whole_page(text)


def golden(place):
    directory = place.fresh()
    shutil.copytree(os.path.join(place.given(2), "log"), f"{directory}/log")
    return directory


def made(place, entries):
    """A ledger whose entries are these, numbered anew."""
    path = os.path.join(place.fresh(), "entries")
    with open(path, "w", encoding="utf-8") as file:
        for seq, entry in enumerate(entries):
            file.write(json.dumps({**entry, "seq": seq}, separators=(",", ":"), ensure_ascii=False, sort_keys=True) + "\n")
    return ledger_audit.Ledger(place).write(len(entries), f"from={path}")


def shown(place, directory, *words):
    done = place.run(place.ambit, "ledger", "show", "--json", "--no-index", *words, "--ledger", directory, cwd=place.top)
    assert done.returncode == 0, told(done)
    return [json.loads(line) for line in done.stdout.splitlines()]


# ---- what it says ----


def the_report_stays_the_same(place):
    for form, words in (("html", ["--html"]), ("txt", ["--text"])):
        is_now = report(place, golden(place), *words).replace("Written by Ambit 0.1.0", "Written by Ambit VERSION")
        path = os.path.join(GOLDEN, f"report.{form}")
        if os.environ.get("AMBIT_GOLDEN") == "write" and AS_USER not in os.environ:
            with open(path, "w", encoding="utf-8") as file:
                file.write(is_now)
        if AS_USER in os.environ:
            continue  # compared as root; the rest of the sources is not copied
        with open(path, encoding="utf-8") as file:
            assert is_now == file.read(), f"another than {path}"


def what_it_counts_is_what_is_there(place):
    directory = golden(place)
    entries, found = shown(place, directory), page(place, directory)
    effects = [e for e in entries if e["type"] == "effect"]
    denied = {}
    for e in effects:
        if e["body"]["verdict"].startswith("denied"):
            key = (e["body"]["kind"], e["body"]["object"], e["body"]["verdict"])
            times, events, first = denied.get(key, (0, set(), e["seq"]))
            denied[key] = (times + e["body"]["count"], events | {e["event"]}, first)
    told_denials = [(row[0], row[1], row[2], row[3], row[4]) for row in found.table("What was denied")]
    assert sorted(told_denials) == sorted((str(t), str(len(v)), str(f), kind, name) for (kind, name, _), (t, v, f) in denied.items())
    grants = {e["grant"]: (e["body"]["verb"], e["body"]["object"]) for e in entries if e["type"] == "grant"}
    rows = {(row[3], row[4]): row for row in found.table("Grants")}
    assert set(rows) == set(grants.values())
    for (verb, name), row in rows.items():
        ids = {g for g, what in grants.items() if what == (verb, name)}
        used = [e for e in effects if e["grant"] in ids]
        events = len({e["event"] for e in used})
        assert (row[0], row[2]) == (str(len(ids)), str(sum(e["body"]["count"] for e in used))), row
        assert row[1] == (str(events) if events else "-" if verb == "env" else "never"), row
    assert len(found.table("Events,")) == 9 and [row[0] for row in found.table("Entries by type")] == ["10", "10", "23", "9", "218", "4", "2"]
    held = [(row[3], row[5]) for row in found.table("Held back")]
    assert sorted(held) == sorted({(e["body"]["object"], e["body"]["why"]) for e in effects if e["body"]["verdict"] == "held"})
    with open(f"{directory}/log/checkpoint", encoding="utf-8") as file:
        assert file.read() in found.text


def real_events_are_told(place):
    ledger = Ledger(place)
    record = json.loads(ledger.run("--work", ".", "--json", "--", "sh", "-c", "echo > made; cat /etc/shadow; exit 3").stdout)
    digest = next(e["body"]["digest"] for e in ledger.of(record["event"]) if e["type"] == "result")
    found = page(place, ledger.dir)
    row, = found.table("Events,")
    assert record["event"] in row[0] and row[1].startswith("sh -c echo > made; cat /etc/shadow; exit 3\nin ") and digest in row[1], row
    assert row[5] == "exited 3", row
    assert {r[1]: r[2] for r in found.table("Properties")} == record["wall"]
    assert ["read", "/etc/shadow"] in [r[3:5] for r in found.table("What was denied")]
    assert "Only the event" in page(place, ledger.dir, "--event", record["event"]).text


def what_was_given_up_is_told(place):
    """Which no machine of ours does: a property of the wall that nothing held."""
    entries = shown(place, golden(place), "--event", "e_01M8E2EHX7")
    start = next(e for e in entries if e["type"] == "start")
    start["body"]["wall"]["memory"] = None
    found = page(place, made(place, entries).dir)
    wall = {r[1]: r for r in found.table("Properties")}
    assert wall["memory"][2].startswith("given up") and wall["memory"][3] == start["event"] and "given up in part" in found.table("Events,")[0][5]
    assert [name for name, r in wall.items() if r[2].startswith("given up")] == ["memory"]
    assert "given up in part" not in page(place, golden(place)).text


def the_trust_in_the_key_is_told(place):
    log = ledger_audit.Ledger(place).write(32, "events")
    beside, given = page(place, log.dir), page(place, log.dir, "--key", log.key)
    assert "Verified, by the key beside the log" in beside.text and "None was given" in beside.text and log.key in beside.text
    assert "by the key beside" not in given.text and "It was given with --key" in given.text
    other = ledger_audit.Ledger(place).write(1, name="ambit.test/other").key
    assert "This log is not what was signed" in page(place, log.dir, "--key", other, status=1).text


def the_form_is_chosen_by_where_it_goes(place):
    log = ledger_audit.Ledger(place).write(16, "events")
    assert report(place, log.dir).startswith("<!DOCTYPE html>") and report(place, log.dir, "--text").startswith("Ledger report: ")
    with Terminal([place.ambit, "ledger", "report", "--ledger", log.dir], place.top, place.environment(), rows=500, columns=200) as terminal:
        assert terminal.end() == 0 and b"== Denied ==" in terminal.seen and b"<html" not in terminal.seen
    for words, said in ((["--html", "--text"], "not both"), (["--json"], "--json"), (["x"], "takes no 'x'")):
        done = log.run("report", *words)
        assert done.returncode == 125 and said in done.stderr and done.stdout == "", told(done)


# ---- a log that is not what was signed ----


def a_changed_log_says_so_at_the_top(place):
    log = ledger_audit.Ledger(place).write(600, "events")
    log.entries("tile/entries/001", lambda e: [x.replace(b"/etc/shadow", b"/etc/shadov") for x in e])
    text = report(place, log.dir, status=1)
    found = page(place, log.dir, status=1)
    assert "This log is not what was signed" in found.text and text.index("not what was signed") < text.index("<section")
    assert "/etc/shadov" not in found.text and found.table("Faults")[0][2] == "it is not what was signed"
    assert "*** This log is not what was signed ***" in report(place, log.dir, "--text", status=1)


def what_is_not_signed_is_told_apart(place):
    log = ledger_audit.Ledger(place).write(100, "events", "left=7", group=1)
    found = page(place, log.dir)
    assert "100, of which 93 are signed" in found.text and "may be anybody's" in found.text
    last = found.table("Events,")[-1]
    assert "not all signed" in last[0] and last[5] == "no end: at work, or lost", last
    assert "not all signed" not in found.table("Events,")[0][0]


# ---- what the ledger says of itself ----


def crashes_gaps_and_prunes_are_told(place):
    def entry(kind, minute, **body):
        return {"body": body, "boot": "7e9b1c52-0a4d-4f63-9d1e-3c5a8b7f6e21", "event": None, "grant": None, "seq": 0, "t_mono": minute,
                "t_wall": f"2026-11-{1 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}:00.000Z", "type": kind, "v": 1}

    log = made(place, [entry("start", 0), entry("stop", 1), entry("start", 3000), entry("crash", 3100, replayed=3, signed=2, torn_bytes=17),
                       entry("prune", 3101, before="2026-01-31T09:15:02.123Z", bytes=8744, payloads=5)])
    found = page(place, log.dir)
    gaps = found.table("Times of an hour")
    assert [(row[0], row[1], "not explained" in row[4]) for row in gaps] == [("2", "2 d 1 h", False), ("3", "1 h 40 min", True)], gaps
    marks = found.table("Crashes")
    assert "17 bytes torn" in marks[0][2] and "before 2026-01-31T09:15:02.123Z" in marks[1][2] and "8744" in marks[1][2], marks


# ---- hostile names ----

NAMES = ["<script>alert(1)</script>", "</td></tr></table><h1>x</h1>", "\"><img src=x onerror=alert(1)>", "'><a href=//x>", "&lt;b&gt;", "<!--", "]]>",
         "</style><script>", "a\nb", "\x1b]0;x\x07", "\u202eevil", "\u200bx", "\\x1b", "javascript:alert(1)", "`x`", "${x}", "%3Cscript%3E", "\u00e9\U0001f600"]


def hostile_entries(place):
    """Every text of an event that a program can choose, and what only who has the key could write."""
    entries = shown(place, golden(place), "--event", "e_01M8E2EHX7")
    effect = next(e for e in entries if e["body"].get("verdict") == "denied")
    held = next(e for e in entries if e["body"].get("verdict") == "held")
    request = next(e for e in entries if e["type"] == "request")
    start = next(e for e in entries if e["type"] == "start")
    stop = next(e for e in entries if e["type"] == "stop")
    grant = next(e for e in entries if e["type"] == "grant")
    result = []
    for name in NAMES:
        def told_as(e, **body):
            return {**e, "body": {**e["body"], **body}}
        result += [told_as(grant, object=name, verb=name), told_as(effect, object=name), told_as(effect, kind=name), told_as(effect, verdict="denied" + name),
                   told_as(held, object=name, why=name, held=name, kind=name), told_as(stop, cause=name, limit=name),
                   told_as(request, agent=name, argv=[name, name], workdir=name), told_as(start, wall={name: name}),
                   {**stop, "type": "commit", "body": {"changes": 1, "state": name, "what": name}},
                   {**stop, "type": "policy", "body": {"name": name, "sha256": name, "size": 1}},
                   {**stop, "type": "result", "body": {"digest": name, "size": 1}}]
    return result


def no_name_becomes_markup(place):
    log = made(place, hostile_entries(place))
    found = page(place, log.dir)  # fails on any element, attribute or comment that is not the report's own
    plain = page(place, golden(place))
    assert found.ids == plain.ids and len(found.links) == len(plain.links)
    objects = [row[4] for row in found.table("What was denied")]
    for name in ("<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "&lt;b&gt;", "</style><script>", "\u00e9\U0001f600"):
        assert name in objects, (name, objects)
    for name, seen in (("a\nb", "a\\x0ab"), ("\x1b]0;x\x07", "\\x1b]0;x\\x07"), ("\u202eevil", "\\u{202e}evil"), ("\u200bx", "\\u{200b}x")):
        assert seen in objects and name not in found.text, (seen, objects)
    assert "\\\\x1b" in objects and "\\x1b" not in objects, "a backslash that somebody wrote is told from ours"
    text = report(place, log.dir, "--text")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]", text), "a control character in the text"
    assert "\\u{202e}evil" in text


def the_probe_sees_what_is_not_escaped(place):
    """The twin: of a page in which one of these names stands as it is, the same look says so."""
    text = report(place, made(place, hostile_entries(place)).dir)
    for escaped, raw in (("&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>"), ("&quot;&gt;&lt;img src=x onerror=alert(1)&gt;", "<img src=x onerror=alert(1)>"),
                         ("&lt;/td&gt;&lt;/tr&gt;&lt;/table&gt;&lt;h1&gt;x&lt;/h1&gt;", "</td></tr></table><h1>x</h1>"), ("&lt;!--", "<!--"),
                         ("&#39;&gt;&lt;a href=//x&gt;", "<a href=//x>")):
        assert escaped in text, escaped
        spoilt = Page(text.replace(escaped, raw, 1))
        assert spoilt.problems or spoilt.links != Page(text).links, raw


def a_browser_finds_nothing_to_run(place):
    """The page in a real browser: a script that came through would change the title, and so would a style be refused that is not ours."""
    browser = shutil.which("chromium", path="/usr/bin")
    if browser is None:
        raise Skip("chromium is not installed")
    hostile = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"><style>body{display:none}</style>"
    entries = hostile_entries(place)
    entries = [{**e, "body": {**e["body"], "object": hostile}} if "object" in e["body"] else e for e in entries]
    text = report(place, made(place, entries).dir)

    def title(name, what):
        directory = place.fresh()
        with open(f"{directory}/{name}.html", "w", encoding="utf-8") as file:
            file.write(what)
        done = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={directory}/profile", "--dump-dom",
                               f"file://{directory}/{name}.html"], env={**place.environment(), "HOME": directory}, cwd=directory, capture_output=True,
                              text=True, timeout=120)
        if done.returncode != 0 or "<html" not in done.stdout:
            raise Skip(f"chromium does not work here: {done.stderr[-200:]}")
        return re.search("<title>(.*?)</title>", done.stdout).group(1)

    assert title("page", text) == "Ledger report: ambit.test/audit"
    escaped = "&lt;script&gt;document.title=&#39;owned&#39;&lt;/script&gt;"
    assert escaped in text
    raw = text.replace(escaped, "<script>document.title='owned'</script>")
    assert title("raw", raw) == "Ledger report: ambit.test/audit", "the policy of the page lets a script run"
    without = re.sub("<meta http-equiv=[^>]*>", "", raw)
    assert title("without", without) == "owned", "the probe would not have noticed"


# ---- much ----


def what_is_cut_says_so(place):
    entries = shown(place, golden(place), "--event", "e_01M8E2EHX7")
    effect = next(e for e in entries if e["body"].get("verdict") == "denied")
    many = [{**effect, "body": {**effect["body"], "object": f"/x/{i}"}} for i in range(5000)]
    found = page(place, made(place, entries + many).dir)
    assert len(found.table("What was denied")) == 200
    assert re.search(r"Shown are the 200 most frequent of 4096 denials", found.text)
    distinct = len({(e["body"]["kind"], e["body"]["object"], e["body"]["verdict"]) for e in entries if str(e["body"].get("verdict")).startswith("denied")})
    assert f"entries about others of them: {5000 + distinct - 4096}." in found.text
    log = ledger_audit.Ledger(place).write(16 * 700, "events")
    found = page(place, log.dir)
    assert len(found.table("Events,")) == 500 and "Shown are the last 500 of 700 events" in found.text
    assert found.table("Grants")[0][:3] == ["700", "700", "2100"], found.table("Grants")


@once
def a_long_log_is_told(place):
    """In the memory that the role has, 192 MiB of addresses; unit/retell counts what it takes."""
    log = ledger_audit.Ledger(place).write(100000, "events", "mixed=50", group=500, publish=50)
    with subprocess.Popen([place.ambit, "ledger", "report", "--ledger", log.dir], env=place.environment(), cwd=place.top, stdout=subprocess.PIPE) as process:
        text = process.stdout.read().decode()
    assert process.returncode == 0 and len(text) < 1 << 20 and "Shown are the last 500 of 6250 events" in text, len(text)


if __name__ == "__main__":
    main([the_report_stays_the_same, what_it_counts_is_what_is_there, real_events_are_told, what_was_given_up_is_told, the_trust_in_the_key_is_told,
          the_form_is_chosen_by_where_it_goes, a_changed_log_says_so_at_the_top, what_is_not_signed_is_told_apart,
          crashes_gaps_and_prunes_are_told, no_name_becomes_markup, the_probe_sees_what_is_not_escaped, a_browser_finds_nothing_to_run,
          what_is_cut_says_so, a_long_log_is_told])
