#!/usr/bin/env python3
"""Ledgers that somebody made who means no good: what `replay`, `export` and `report` say of them, of one log and of several.

usage: ledger_forged.py AMBIT WRITE_LOG    (TAP on standard output; as root once more as an ordinary user)
"""

import base64
import datetime
import glob
import json
import os
import re
import shutil

from harness import main, told
from ledger_audit import Ledger

BEGIN = 1790000000000  # milliseconds
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
REQUEST = {"argc": 1, "argv": ["true"], "base": "system", "home": "/h", "limits": {}, "observe": "full", "program": "/usr/bin/true", "staged": True,
           "without": [], "workdir": "/w"}
STOP = {"cause": "exited", "exit": 0}
RESULT = {"digest": "ab" * 32, "media_type": "application/json", "of": "record", "size": 10, "version": 1}
DENIED = {"base": False, "count": 1, "facts": ["there"], "kind": "read", "object": "/etc/shadow", "source": "requested", "verdict": "denied"}


def event(number):
    value, text = (BEGIN << 80) | number, ""
    for _ in range(26):
        text, value = LETTERS[value & 31] + text, value >> 5
    return f"e_{text}"


def whole(number, *more, request=REQUEST, stop=STOP, result=RESULT):
    """The entries of an event: type, body, event."""
    e = event(number)
    return [("request", request, e), ("start", {"wall": {}}, e), *((kind, body, e) for kind, body in more), ("stop", stop, e), ("result", result, e)]


def line(seq, kind, body, of=None, time=None):
    at = time or (datetime.datetime.fromtimestamp((BEGIN + 1000 * seq) / 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z"))
    entry = {"body": body, "boot": "7e9b1c52-0a4d-4f63-9d1e-3c5a8b7f6e21", "event": of, "grant": event(9).replace("e_", "g_") if kind == "grant" else None, "seq": seq, "t_mono": seq * 1000, "t_wall": at,
             "type": kind, "v": 1}
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class Forged(Ledger):
    def log_of(self, name, entries, at="log", left=0):
        """The last `left` are in the journal. Gives the key."""
        to = f"{self.dir}/{at}"
        shutil.rmtree(to, ignore_errors=True)
        os.makedirs(os.path.dirname(to), exist_ok=True)
        path = os.path.join(self.place.fresh(), "entries")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"{line(i, *entry)}\n" for i, entry in enumerate(entries))
        done = self.place.run(self.writer, to, name, str(len(entries)), "50", "1000", f"left={left}", f"from={path}", cwd=self.place.top)
        assert done.returncode == 0, told(done)
        self.key = done.stdout.splitlines()[0]
        self.put("key.pub", (self.key + "\n").encode(), at=to)
        return self.key

    def chain(self, parts, left=0):
        """Of name and entries of each log, the present one last. Gives the keys."""
        keys = [self.log_of(name, [("start", {})]) for name, _ in parts]
        previous = None
        for i, (name, entries) in enumerate(parts):
            last = i == len(parts) - 1
            at = "log" if last else f"past/{i + 1}/log"
            mine = [("key", {"previous": previous})] if previous else []
            mine += [*entries, *([] if last else [("key", {"next": keys[i + 1]})])]
            self.log_of(name, mine, at, left if last else 0)
            with open(f"{self.dir}/{at}/checkpoint", encoding="utf-8") as file:
                lines = file.read().splitlines()
            previous = {"key": keys[i], "root": lines[2], "size": int(lines[1])}
        return keys

    def exported(self, *words, status=0):
        done = self.run("export", "--ocsf", *words)
        assert done.returncode == status, told(done)
        found = [json.loads(text) for text in done.stdout.splitlines()]
        return [(x["metadata"]["log_name"], x["metadata"]["sequence"], x["metadata"].get("correlation_uid"), x["unmapped"]["ambit"]["signed"]) for x in found]

    def page(self, *words, status=0):
        done = self.run("report", "--text", *words)
        assert done.returncode == status, told(done)
        return done.stdout


def figure(page, what):
    return int(re.search(rf"\n *(\d+)  {what}", page)[1])


def row_of(page, number):
    """That of the event in the list of events."""
    rows = [text for text in page.splitlines() if f"; {event(number)}; entries " in text]
    assert len(rows) == 1, rows
    return rows[0]


# ---- one log ----


def what_another_key_signed_is_given_out_by_nothing(place):
    ledger = Forged(place)
    other = ledger.log_of("ambit.test/other", whole(2))
    ledger.log_of("ambit.test/mine", whole(1, ("effect", DENIED)))
    for form in ("--ocsf", "--otlp"):
        done = ledger.run("export", form, "--key", other)
        assert done.returncode == 1 and done.stdout == "" and "not what was signed" in done.stderr, told(done)
        assert ledger.run("export", form).stdout.count("/etc/shadow") >= 1, "the twin"
    page = ledger.page("--key", other, status=1)
    assert figure(page, "events") == 0 and "still are what was signed, 0 of 5" in page and event(1) not in page, page
    done = ledger.run("replay", "--json", "--key", other)
    assert done.returncode == 1 and json.loads(done.stdout)["seen"] == 0, told(done)


def what_nobody_signed_changes_nothing_that_is(place):
    """The journal says that an event went otherwise than its signed entries do."""
    ledger = Forged(place)
    mine = whole(1, ("effect", DENIED), stop={"cause": "limit", "limit": "memory"})
    e = event(1)
    fake = [("grant", {"object": "/", "optional": False, "verb": "write"}, e), ("request", {**REQUEST, "agent": "trusted"}, e), ("effect", DENIED, e), ("stop", STOP, e),
            ("crash", {}, e), ("result", {**RESULT, "digest": "cd" * 32}, e), ("crash", {"signed": 7}), ("prune", {"before": "x\nnext", "bytes": 7, "payloads": 7})]
    ledger.log_of("ambit.test/a", mine)
    was = ledger.page()
    ledger.log_of("ambit.test/a", mine + fake, left=len(fake))
    now = ledger.page()
    assert row_of(was, 1) == row_of(now, 1) and "limit memory" in row_of(now, 1), (was, now)
    for what in ("events", "denied", "events lost", "effects allowed by a grant"):
        assert figure(was, what) == figure(now, what), what
    assert "about events of which signed entries say" in now and "about events of which signed entries say" not in was, now
    assert now.count("(Nobody signed that yet.)") == 2 and "x\\x0anext" in now, now
    ledger.log_of("ambit.test/a", mine + fake)  # the twin: signed, they count
    assert row_of(ledger.page(), 1) != row_of(was, 1)


def what_is_not_signed_yet_goes_on_from_what_is(place):
    """An event at work, half of it in the journal, is told as one."""
    ledger = Forged(place)
    ledger.log_of("ambit.test/a", whole(1, ("effect", DENIED), stop={"cause": "exited", "exit": 3}), left=3)
    page = ledger.page()
    assert "exited 3" in row_of(page, 1) and "not all signed" in row_of(page, 1) and figure(page, "denied") == 1, page


def a_difference_that_nobody_signed_says_so(place):
    ledger = Forged(place)
    lie = ("effect", {**DENIED, "verdict": "allowed"})
    ledger.log_of("ambit.test/a", whole(1, lie), left=3)
    done = ledger.run("replay")
    assert done.returncode == 1 and "entry 2, which nobody signed yet, DIFFERS" in done.stdout, told(done)
    assert json.loads(ledger.run("replay", "--json").stdout)["events"][0]["found"][0]["signed"] is False
    ledger.log_of("ambit.test/a", whole(1, lie))
    done = ledger.run("replay")
    assert done.returncode == 1 and "entry 2 DIFFERS" in done.stdout, told(done)


def no_figure_falls_by_what_there_is_much_of(place):
    """Tables are full, and sums would pass what a number holds."""
    ledger = Forged(place)
    many = [entry for i in range(64) for entry in whole(100 + i, stop={"cause": "exited", "exit": i})]
    lost = [("request", REQUEST, event(999)), ("crash", {}, event(999))]
    ledger.log_of("ambit.test/a", many + lost)
    assert figure(ledger.page(), "events lost") == 1
    walls = [("start", {"wall": {f"p{i:03}": "m" for i in range(256)}}, event(1)), ("start", {"wall": {"network": None}}, event(2))]
    ledger.log_of("ambit.test/a", [("request", REQUEST, event(1)), walls[0], ("request", REQUEST, event(2)), walls[1]])
    assert figure(ledger.page(), "wall properties given up") == 1
    most = 2**53 - 1
    ledger.log_of("ambit.test/a", whole(1, *[("effect", {**DENIED, "count": most})] * 2048, ("effect", {**DENIED, "count": 2048})))
    assert figure(ledger.page(), "denied") == most
    names = [("effect", {**DENIED, "object": f"/{i}/" + "x" * 3000}) for i in range(1500)]  # more than the table has room for
    ledger.log_of("ambit.test/a", whole(1, ("effect", DENIED), *names, *[("effect", DENIED)] * 9))
    assert re.search(r"\n *10 +1 +2  read +/etc/shadow ", ledger.page()), "what stands in a full table counts on"


def odd_words_are_shown_as_what_they_are(place):
    ledger = Forged(place)
    ledger.log_of("ambit.test/a", whole(1, result={**RESULT, "digest": "aa\nas root\nrecord 00"}))
    assert "aa\\x0aas root" in row_of(ledger.page(), 1)
    assert "<br>as root" not in ledger.run("report", "--html").stdout
    ledger.log_of("ambit.test/a", [("request", REQUEST, event(1), "9999-12-31T23:59:59.999Z")])
    found = ledger.believed(notes=None)
    assert found["first"] == found["last"] == "9999-12-31T23:59:59.999Z", found


def an_event_that_is_not_there_is_refused(place):
    ledger = Forged(place)
    ledger.log_of("ambit.test/a", whole(1))
    for words in (("export", "--otlp"), ("report", "--text"), ("replay",)):
        done = ledger.run(*words, "--event", event(2))
        assert done.returncode == 125 and done.stdout == "" and f"has no event {event(2)}" in done.stderr, told(done)
        assert ledger.run(*words, "--event", event(1)).returncode == 0


# ---- several logs ----


def an_event_is_of_the_log_that_has_it_signed(place):
    """Entries in the journal of the present log, or in one that nothing leads to, do not stand for it."""
    ledger = Forged(place)
    fake = whole(7, request={**REQUEST, "program": "/usr/bin/innocent"})
    keys = ledger.chain([("n/1", whole(7, ("effect", DENIED))), ("n/2", whole(8) + fake)], left=len(fake))
    mine = [("n/1", i, event(7), True) for i in range(5)]
    assert ledger.exported("--event", event(7)) == mine
    page = ledger.page("--event", event(7))
    assert "entries 1:0 to 1:4" in row_of(page, 7) and "exited 0" in row_of(page, 7) and figure(page, "denied") == 1, page
    assert json.loads(ledger.run("replay", "--json", "--event", event(7)).stdout)["agree"] == 1
    ledger.chain([("n/1", whole(7, ("effect", DENIED))), ("n/2", whole(8))])
    for key in keys:  # whichever was pinned
        assert ledger.exported("--event", event(7), "--key", key) == mine
        assert [x[:2] for x in ledger.exported("--event", event(8), "--key", key)] == [("n/2", i) for i in range(1, 5)]
    os.remove(f"{ledger.dir}/past/1/log/key.pub")  # the log that follows names it
    assert ledger.exported("--event", event(7)) == mine
    ledger.log_of("n/evil", whole(77), "past/2/log")
    done = ledger.run("export", "--ocsf", "--event", event(77))
    assert done.returncode == 125 and done.stdout == "", told(done)
    assert event(77) not in ledger.run("export", "--ocsf").stdout


def a_beginning_is_looked_for_in_all_logs(place):
    ledger = Forged(place)
    ledger.chain([("n/1", whole(7)), ("n/2", whole(8))])
    done = ledger.run("export", "--ocsf", "--event", event(7)[:20])
    assert done.returncode == 125 and "begins more than one event" in done.stderr and event(7) in done.stderr and event(8) in done.stderr, told(done)
    ledger.chain([("n/1", whole(7)), ("n/2", whole(7))])  # and no event is in two
    done = ledger.run("export", "--ocsf", "--event", event(7))
    assert done.returncode == 125 and "more than one log" in done.stderr, told(done)
    rows = [text for text in ledger.page().splitlines() if f"; {event(7)}; entries " in text]
    assert len(rows) == 2 and "1:0 to 1:3" in rows[0] and "1 to 4" in rows[1], rows


def what_stands_behind_a_closed_log_is_not_of_it(place):
    ledger = Forged(place)
    ledger.chain([("n/1", whole(7)), ("n/2", whole(8))])
    other, more = Forged(place), [*whole(7), ("key", {"next": ledger.key}), ("request", REQUEST, event(9))]
    other.log_of("n/1", more, left=1)
    assert other.get("checkpoint") == ledger.get("../past/1/log/checkpoint")
    shutil.copy(f"{other.log}/journal", f"{ledger.dir}/past/1/log/journal")
    assert event(9) not in [x[2] for x in ledger.exported(status=1)]
    assert event(9) not in ledger.page(status=1)


def each_fault_is_told(place):
    """Of witnesses and logs, wherever they lie; and what was not looked at."""
    name = base64.urlsafe_b64encode(b"\x04" + b"\x01" * 32).decode()
    for where in (["witness"], ["past/1/witness"], ["past/1/witness", "past/2/witness", "witness"]):
        ledger = Forged(place)
        keys = ledger.chain([("n/1", whole(7)), ("n/2", whole(8)), ("n/3", whole(9))])
        for at in where:
            os.makedirs(f"{ledger.dir}/{at}")
            ledger.put(name, b"garbage\n", at=f"{ledger.dir}/{at}")
        page = ledger.page(status=1)
        assert all(re.search(rf"\n +-  {at}/{name[:10]}", page) for at in where) and page.count(name) == len(where), page
        assert figure(page, "events") == 3, page
    with open(f"{ledger.dir}/past/1/log/key.pub", "w", encoding="utf-8") as file:
        file.write(keys[1] + "\n")
    page = ledger.page(status=1)
    assert "past/1/log/key.pub" in page and f"past/2/witness/{name}" in page, page
    tile = glob.glob(f"{ledger.log}/tile/entries/000.p/*")[0]
    with open(tile, "r+b") as file:
        file.seek(-3, os.SEEK_END)
        byte = file.read(1)
        file.seek(-3, os.SEEK_END)
        file.write(bytes([byte[0] ^ 1]))
    page = ledger.page(status=1)
    assert "those that are not in the table could not be read" in page and figure(page, "events") == 1, page
    done = ledger.run("verify")
    assert "nothing leads to the logs that were closed" in done.stdout, told(done)


if __name__ == "__main__":
    main([what_another_key_signed_is_given_out_by_nothing, what_nobody_signed_changes_nothing_that_is, what_is_not_signed_yet_goes_on_from_what_is,
          a_difference_that_nobody_signed_says_so, no_figure_falls_by_what_there_is_much_of, odd_words_are_shown_as_what_they_are,
          an_event_that_is_not_there_is_refused, an_event_is_of_the_log_that_has_it_signed, a_beginning_is_looked_for_in_all_logs,
          what_stands_behind_a_closed_log_is_not_of_it, each_fault_is_told])
