#!/usr/bin/env python3
"""`ambit profile show`, drawn: as a page that runs nothing and fetches nothing, and in a terminal that can show it.

usage: profile_page.py AMBIT    (TAP on standard output; as root once more as an ordinary user)"""

import os
import re
import shutil
import stat
import subprocess
import xml.etree.ElementTree

from harness import AS_USER, Skip, Terminal, expect_ok, main, told
from pages import Page, whole_page
from profile import Usual

GOLDEN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden", "profile.html")
NAMES = ["<script>document.title='owned'</script>", "\"><img src=x onerror=alert(1)>", "' onload='alert(1)", "&lt;b&gt;", "a\x1b]0;x\x07", "l\nm", "\u202egpj.exe", "é\U0001f600"]
SHOWN = {"a\x1b]0;x\x07": "a\\x1b]0;x\\x07", "l\nm": "l\\x0am", "\u202egpj.exe": "\\u{202e}gpj.exe"}


def drawn(text):
    """Its drawings: well-formed by themselves, of numbers and a few words."""
    drawings = re.findall(r"<svg.*?</svg>", text, re.S)
    for drawing in drawings:
        root = xml.etree.ElementTree.fromstring(drawing)
        assert {element.tag for element in root.iter()} <= {"svg", "path", "rect", "text"}, drawing[:200]
        assert not re.search("nan|inf", drawing), drawing[:200]
    return drawings


def hostile_names(place, u):
    """A profile of events that made directories of such names."""
    for n, name in enumerate(NAMES):
        os.makedirs(f"{u.tree}/{n}")
        with open(f"{u.tree}/{n}/name", "w", encoding="utf-8") as file:
            file.write(name)
    u.grow(6, 'for n in [0-9]; do d=$(cat $n/name); mkdir -p "./$d"; echo x > "./$d/f"; done')
    return u.of()["id"]


def a_page_is_written(place):
    with Usual(place) as u:
        u.grow(12)
        identity = u.of()["id"]
        assert expect_ok(u.ambit("profile", "show", identity, "--html", "a.html")).stdout == ""
        with open(f"{u.tree}/a.html", encoding="utf-8") as file:
            text = file.read()
        assert text == expect_ok(u.ambit("profile", "show", identity, "--html", "-")).stdout
        found = whole_page(text)
        assert "sh by coder" in found.text and "It is young" in found.text and "No event was held against it yet" in found.text, found.text
        assert found.table("Each promise")[0][-1] == "not made yet: takes 99 events" and found.table("So much had"), found.tables
        assert any(row[0] == "/usr/bin/cat" for rows in found.tables.values() for row in rows), found.tables.keys()
        assert len(drawn(text)) > 10
        learned = whole_page(expect_ok(u.ambit("profile", "show", identity, "--shadow", "--html", "-")).stdout)
        assert "12 events are known" in learned.text and "10 events are known" in found.text, learned.text


def what_is_there_is_replaced_or_refused(place):
    """Whole, or not at all; nothing that is no file. The twin: a file is."""
    with Usual(place) as u:
        u.grow(1)
        os.mkfifo(f"{u.tree}/pipe")
        os.mkdir(f"{u.tree}/dir")
        os.symlink("precious", f"{u.tree}/link")
        for name in ("precious", "old"):
            with open(f"{u.tree}/{name}", "w", encoding="utf-8") as file:
                file.write("mine")
        before = sorted(os.listdir(u.tree))
        for path, says in (("pipe", "no regular file"), ("dir", "no regular file"), ("link", "no regular file"), ("dir/", "names no file"), ("none/x", "No such file"), ("/dev/null", "no regular file"), ("", "names no file")):
            result = u.ambit("profile", "show", "sh", "--html", path)
            assert result.returncode == 125 and says in result.stderr and "hint:" in result.stderr, (path, told(result))
        assert sorted(os.listdir(u.tree)) == before and stat.S_ISFIFO(os.stat(f"{u.tree}/pipe").st_mode)
        with open(f"{u.tree}/precious", encoding="utf-8") as file:
            assert file.read() == "mine"
        expect_ok(u.ambit("profile", "show", "sh", "--html", "old"))
        with open(f"{u.tree}/old", encoding="utf-8") as file:
            whole_page(file.read())
        assert sorted(os.listdir(u.tree)) == before
        for words, says in ((["sh", "--html", "x", "--json"], "not both"), (["--html", "x"], "which"), (["none", "--html", "x"], "no profile"), (["sh", "--html"], "which")):
            result = u.ambit("profile", "show", *words)
            assert result.returncode == 125 and says in result.stderr + result.stdout and not os.path.exists(f"{u.tree}/x"), (words, told(result))
        result = u.ambit("profile", "diff", "sh", "--html", "x")
        assert result.returncode == 125 and "no option" in result.stderr and "--html'?" not in result.stderr, told(result)


def no_name_becomes_markup(place):
    with Usual(place) as u:
        text = expect_ok(u.ambit("profile", "show", hostile_names(place, u), "--html", "-")).stdout
        found = whole_page(text)
        names = [row[0] for rows in found.tables.values() for row in rows]
        for name in NAMES:
            told_as = SHOWN.get(name, name)[:20]
            assert any(told_as in there for there in names), (name, names)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", text), "what moves a terminal or turns a line"
        drawn(text)


def the_golden_page_is_whole(place):
    """The one that unit/page makes. And the twin: if a name of it stood there as it is, the same look would say so."""
    if AS_USER in os.environ:
        raise Skip("the sources are not there")
    with open(GOLDEN, encoding="utf-8") as file:
        text = file.read()
    found = whole_page(text)
    assert not re.search(r"(?i)<script|javascript:|(?:src|href)=\"?(?:https?:)?//|url\(|@import", text.replace("&lt;script", "")), "something that runs or is fetched"
    assert len(drawn(text)) > 20 and len(text) < 1 << 20
    assert [row[0] for row in found.table("Each promise")] == ["1 in 100", "1 in 1,000"]
    for escaped, raw in (("&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>"), ("&quot;&gt;&lt;img src=x onerror=alert(1)&gt;", "\"><img src=x onerror=alert(1)>"),
                         ("]]&gt;&lt;!--", "]]><!--")):
        assert escaped in text
        spoilt = Page(text.replace(escaped, raw, 1))
        assert spoilt.problems, raw


def a_browser_runs_nothing(place):
    """A script that came through would change the title; and one that stands there as it is does not run, by the page's own policy. The twin: without that it does."""
    browser = shutil.which("chromium", path="/usr/bin")
    if browser is None or AS_USER in os.environ:
        raise Skip("chromium is not installed, or the sources are not there")
    with open(GOLDEN, encoding="utf-8") as file:
        text = file.read()

    def title(what):
        directory = place.fresh()
        with open(f"{directory}/a.html", "w", encoding="utf-8") as file:
            file.write(what)
        done = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={directory}/profile", "--dump-dom", f"file://{directory}/a.html"],
                              env={**place.environment(), "HOME": directory}, cwd=directory, capture_output=True, text=True, timeout=120)
        if done.returncode != 0 or "<html" not in done.stdout:
            raise Skip(f"chromium does not work here: {done.stderr[-200:]}")
        return re.search("<title>(.*?)</title>", done.stdout).group(1)

    assert title(text) == "Profile: git by coder"
    raw = text.replace("&lt;script&gt;alert(1)&lt;/script&gt;", "<script>document.title='owned'</script>")
    assert raw != text and title(raw) == "Profile: git by coder", "the policy of the page lets a script run"
    assert title(re.sub("<meta http-equiv=[^>]*>", "", raw)) == "owned", "the probe would not have noticed"


def a_terminal_gets_what_it_can_show(place):
    with Usual(place) as u:
        u.grow(12)
        identity = u.of()["id"]
        base = {**place.environment(), "HOME": u.home, "XDG_STATE_HOME": f"{u.home}/.local/state", "TERM": "xterm"}
        base = {name: value for name, value in base.items() if name not in ("LC_ALL", "LC_CTYPE", "LANG", "NO_COLOR")}
        for locale, columns, blocks in (("C.UTF-8", 120, True), ("en_US.utf8", 80, True), ("C", 120, False), ("de_DE.ISO-8859-1", 120, False), (None, 120, False), ("C.UTF-8", 30, False)):
            env = {**base, **({"LC_ALL": locale} if locale else {})}
            terminal = Terminal([place.ambit, "profile", "show", identity], u.tree, env, columns=columns)
            assert terminal.end() == 0
            text = terminal.seen.decode()
            assert ("█" in text) == blocks, (locale, columns, text)
            assert blocks or text.isascii(), text
            amounts = text[text.index("how much"):].splitlines()
            if columns >= 80:
                assert max(map(len, amounts)) <= columns, amounts
                assert blocks or any("#" in line for line in amounts), amounts
            plain = subprocess.run([place.ambit, "profile", "show", identity], cwd=u.tree, env=env, capture_output=True, text=True, check=True, encoding="utf-8").stdout
            assert "\x1b" not in plain and plain.isascii() == (locale in ("C", None, "de_DE.ISO-8859-1")), plain


def colours_are_for_terminals(place):
    """What is above the threshold is red there: 900 scores, of which the last is the highest by far."""
    with Usual(place) as u:
        u.grow(12)
        exported = expect_ok(u.ambit("profile", "export", u.of()["id"])).stdout
        with open(f"{u.tree}/a.profile", "w", encoding="utf-8") as file:
            file.write(re.sub(r"(?m)^ring (\w+)$", r"ring \1" + " 1" * 899 + " 30", exported))
        expect_ok(u.ambit("profile", "import", "a.profile"))
        env = {**place.environment(), "HOME": u.home, "XDG_STATE_HOME": f"{u.home}/.local/state", "TERM": "xterm"}
        for more, red in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
            terminal = Terminal([place.ambit, "profile", "show", u.of()["id"]], u.tree, {**env, **more}, columns=120)
            assert terminal.end() == 0
            assert (b"\x1b[31m" in terminal.seen) == red and (b"\x1b" in terminal.seen) == red, (more, terminal.seen)
        page = whole_page(expect_ok(u.ambit("profile", "show", u.of()["id"], "--html", "-")).stdout)
        assert "Above 1 an event is flagged at 1 in 100. Nothing is promised at 1 in 1,000 yet: that takes 999 events." in page.text, page.text


def calls_have_a_page(place):
    """What is usual of the calls of a gate: who called, and what was learned; of hostile names, too, it is whole, and the same each time."""
    if AS_USER in os.environ:
        raise Skip("the sources are not there")
    with Usual(place) as u:
        with open(os.path.join(os.path.dirname(GOLDEN), "..", "..", "corpus", "usual_calls", "profile"), "rb") as seed, open(f"{u.tree}/calls", "wb") as file:
            file.write(seed.read()[1:])  # what it is for stands before it
        expect_ok(u.ambit("profile", "import", "calls"))
        expect_ok(u.ambit("profile", "show", "c_mail", "--html", "a.html"))
        with open(f"{u.tree}/a.html", encoding="utf-8") as file:
            text = file.read()
        found = whole_page(text)
        assert "calls of mail" in found.text and "Who called" in found.text and "What was learned" in found.text, found.text
        assert text == expect_ok(u.ambit("profile", "show", "c_mail", "--html", "-")).stdout


if __name__ == "__main__":
    main([a_page_is_written, what_is_there_is_replaced_or_refused, no_name_becomes_markup, the_golden_page_is_whole, a_browser_runs_nothing, a_terminal_gets_what_it_can_show,
          colours_are_for_terminals, calls_have_a_page])
