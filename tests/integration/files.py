#!/usr/bin/env python3
"""ambit-files: what it reads and changes, that its answers are bounded, and that no tree makes it wait, grow or die.

usage: files.py AMBIT    (TAP on standard output; as root once more as an ordinary user)
"""

import base64
import json
import os
import resource
import signal
import socket
import stat
import subprocess
import tempfile
import time

from harness import PATIENCE, SLOW, expect_ok, main, room_of, sanitized, told, write

KIB, MIB = 1 << 10, 1 << 20
PNG = b"\x89PNG\r\n\x1a\n"
NOT_UTF8 = b"caf\xe9"


def program(place):
    return os.path.join(os.path.dirname(place.ambit), "ambit-files")


def ask(place, top, *words, input=b"", **more):
    """What it answers, and its exit status: always one line of JSON."""
    done = subprocess.run([program(place), *words], cwd=top, input=input, env=place.environment(), capture_output=True, timeout=SLOW * PATIENCE,
                          check=False, **more)
    assert done.stdout.count(b"\n") == 1 and done.stdout.endswith(b"\n"), f"{words}: {done}"
    return json.loads(done.stdout), done.returncode


def given(place, top, *words, **more):
    answer, status = ask(place, top, *words, **more)
    assert status == 0, f"{words}: status {status}, {answer}"
    return answer


def refused(place, top, code, *words, **more):
    answer, status = ask(place, top, *words, **more)
    assert (status, answer.get("code")) == (2 if code == "USAGE" else 1, code), f"{words}: wanted {code}, got status {status}, {answer}"
    assert set(answer) == {"code", "message", "hint"}, f"{words}: {answer}"
    return answer


def equal(what, got, wanted):
    assert got == wanted, f"{what}: got {str(got)[:600]!r}, wanted {str(wanted)[:600]!r}"


def raw(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def content(path):
    with open(path, "rb") as file:
        return file.read()


def names(directory):
    return sorted(os.listdir(directory))


def device(top):
    """One that it could do no harm to if it were wrong: root's is in the test's own directory, since root could replace the system's. Empty: none can be had."""
    if os.geteuid() != 0:
        return ["/dev/zero"]
    try:
        os.mknod(f"{top}/device", stat.S_IFCHR | 0o666, os.makedev(1, 5))
        os.close(os.open(f"{top}/device", os.O_RDONLY))
    except PermissionError:  # of a user namespace, or on a file system without devices
        return []
    return ["device"]


def lines_are_read(place):
    top = place.fresh()
    long = "ä" * (200 * KIB)
    files = {"three": "one\ntwo\nthree\n", "open": "one\ntwo", "empty": "", "returns": "a\r\nb\r\n", "long": long + "\nshort\n", "many": "line\n" * 3000,
             "wide": ("x" * (100 * KIB - 1) + "\n") * 4, "controls": "\x01\x1b[0m\n" * 3, "exact": "y" * (256 * KIB - 1) + "\n"}
    for name, text in files.items():
        raw(f"{top}/{name}", text.encode())
    rows = [  # words; text, from, lines, total_lines, truncated, line_cut
        (["three"], files["three"], 1, 3, 3, False, False),
        (["three", "2"], "two\nthree\n", 2, 2, 3, False, False),
        (["three", "2", "1"], "two\n", 2, 1, 3, True, False),
        (["three", "3", "1"], "three\n", 3, 1, 3, False, False),
        (["three", "4"], "", 4, 0, 3, False, False),
        (["open"], "one\ntwo", 1, 2, 2, False, False),
        (["empty"], "", 1, 0, 0, False, False),
        (["returns"], "a\r\nb\r\n", 1, 2, 2, False, False),
        (["controls"], files["controls"], 1, 3, 3, False, False),
        (["many"], "line\n" * 2000, 1, 2000, 3000, True, False),
        (["many", "2001"], "line\n" * 1000, 2001, 1000, 3000, False, False),
        (["wide"], files["wide"][:200 * KIB], 1, 2, 4, True, False),
        (["wide", "3"], files["wide"][:200 * KIB], 3, 2, 4, False, False),
        (["exact"], files["exact"], 1, 1, 1, False, False),
        (["long"], "ä" * (128 * KIB), 1, 1, 2, True, True),
        (["long", "2"], "short\n", 2, 1, 2, False, False),
        (["--", "three", "3"], "three\n", 3, 1, 3, False, False),
    ]
    raw(f"{top}/odd", b"x" + long.encode())
    equal("a line is cut at a whole character", given(place, top, "read", "odd")["text"], "x" + "ä" * (128 * KIB - 1))
    for words, *wanted in rows:
        answer = given(place, top, "read", *words)
        equal(words, [answer[k] for k in ("text", "from", "lines", "total_lines", "truncated", "line_cut")], wanted)
        name = words[1] if words[0] == "--" else words[0]
        equal(words, (answer["path"], answer["bytes"]), (name, len(files[name].encode())))


def bytes_are_read(place):
    top = place.fresh()
    picture = PNG + bytes(range(256)) * 2048
    files = {"a.png": picture, "jpeg": b"\xff\xd8\xff\xe0" + b"\0" * 20, "gif": b"GIF89a\0", "webp": b"RIFF\x10\0\0\0WEBPVP8 ", "pdf": b"%PDF-1.4\n\xff",
             "other": b"RIFX\x10\0\0\0WEBPVP8 ", "wave": b"RIFF\x10\0\0\0WAVEfmt ", "nul": b"text\0", "latin": NOT_UTF8, "random": bytes(range(256)) * 2048, "huge.png": PNG + b"\0" * (5 * MIB)}
    for name, data in files.items():
        raw(f"{top}/{name}", data)
    raw(f"{top}/text", b"0123456789")
    unknown = "application/octet-stream"
    rows = [  # words; what part, media type, truncated
        (["a.png"], 0, len(picture), "image/png", False),
        (["huge.png"], 0, 704 * KIB, "image/png", True),
        (["jpeg"], 0, 24, "image/jpeg", False),
        (["gif"], 0, 7, "image/gif", False),
        (["webp"], 0, 16, "image/webp", False),
        (["wave"], 0, 16, unknown, False),
        (["other"], 0, 16, unknown, False),
        (["pdf"], 0, 10, "application/pdf", False),
        (["nul"], 0, 5, unknown, False),
        (["latin"], 0, 4, unknown, False),
        (["latin", "2", "1"], 0, 4, unknown, False),
        (["random"], 0, 256 * KIB, unknown, True),
        (["random", "--bytes", "300000", "4194304"], 300000, 512 * KIB, unknown, False),
        (["--bytes", "9", "2", "a.png"], 9, 11, "image/png", True),
        (["text", "--bytes", "8", "2"], 8, 10, unknown, False),
        (["text", "--bytes", "8", "1"], 8, 9, unknown, True),
        (["text", "--bytes", "7", "1"], 7, 8, unknown, True),
        (["text", "--bytes", "11", "5"], 11, 11, unknown, False),
    ]
    for words, first, end, media, truncated in rows:
        answer = given(place, top, "read", *words)
        whole = content(f"{top}/{answer['path']}")
        assert base64.b64decode(answer["base64"]) == whole[first:end], f"{words}: other bytes"
        equal(words, (answer["from_byte"], answer["media_type"], answer["truncated"], answer["bytes"]), (first, media, truncated, len(whole)))
    for words in (["text", "--bytes", "0", str(4 * MIB + 1)], ["text", "--bytes", "0", "0"], ["text", "--bytes", "-1", "1"], ["text", "--bytes", "1"],
                  ["text", "1", "--bytes", "0", "1"], ["text", "0"], ["text", "1", "0"], ["text", "x"], [], ["text", "1", "1", "1"], ["text", "--all"]):
        refused(place, top, "USAGE", "read", *words)


def what_is_not_there_has_its_code(place):
    top = place.fresh()
    write(f"{top}/file", "x\n")
    os.mkdir(f"{top}/dir")
    os.mkfifo(f"{top}/fifo")
    os.symlink("loop", f"{top}/loop")
    os.symlink("nowhere", f"{top}/dangling")
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(f"{top}/socket")
    rows = [("NOT_FOUND", "missing"), ("NOT_FOUND", "dangling"), ("CONFLICT", "dir"), ("CONFLICT", "file/x"), ("CONFLICT", "loop"), ("CONFLICT", "fifo"),
            ("CONFLICT", "socket"), ("LIMIT", "n" * 256), ("LIMIT", "d/" * 2100)]
    rows += [("CONFLICT", path) for path in device(top)]
    if os.geteuid() != 0:
        write(f"{top}/closed", "x")
        os.chmod(f"{top}/closed", 0)
        rows.append(("DENIED", "closed"))
    for code, path in rows:
        said = refused(place, top, code, "read", path)
        assert said["hint"], said
        refused(place, top, "LIMIT" if code == "LIMIT" else "NOT_FOUND" if path == "dangling" else code, "edit", path, "1", "1", input=b"xy")
    for code, path in rows:
        if path not in ("missing",):
            refused(place, top, code, "write", path, input=b"new")
    for code, path in rows:
        if path != "dir":
            refused(place, top, "CONFLICT" if path == "closed" else code, "list", path)
    refused(place, top, "CONFLICT", "search", "x", "fifo")
    refused(place, top, "NOT_FOUND", "search", "x", "missing")
    sock.close()
    kinds = {"file", "dir", "fifo", "loop", "dangling", "socket"}
    equal("nothing was left", set(names(top)) - kinds - {"closed", "device"}, set())
    for words in ([], ["rm", "x"], ["list"], ["list", ".", "17"], ["list", ".", "0"], ["search", "x"], ["search", "x", ".", "--max", "2001"],
                  ["search", "x", ".", "--glob"], ["write"], ["write", "x", "y"], ["edit", "x", "1"], ["edit", "x", "1", "y"]):
        refused(place, top, "USAGE", *words)


def a_tree_is_listed_in_order(place):
    top = place.fresh()
    for name in ("b", "a/two", "a.c", "a/one/deep", "B", ".hidden", ".git/config", ".git/refs/heads", "sub/.git/x"):
        write(f"{top}/{name}", "12345")
    os.utime(f"{top}/b", (1000000000, 1000000000.25))
    os.symlink("a", f"{top}/link")
    os.symlink("..", f"{top}/a/up")
    os.mkfifo(f"{top}/fifo")
    raw(os.path.join(top.encode(), NOT_UTF8), b"1")
    strange = {"b64": base64.b64encode(NOT_UTF8).decode()}

    def paths(*words):
        return [entry["path"] for entry in given(place, top, "list", *words)["entries"]]

    first = [".git", ".hidden", "B", "a", "a.c", "b", strange, "fifo", "link", "sub"]
    equal("one level", paths("."), first)
    equal("two levels", paths(".", "2"), [".git", ".hidden", "B", "a", "a/one", "a/two", "a/up", "a.c", "b", strange, "fifo", "link", "sub", "sub/.git"])
    equal("a directory, with what is beneath", paths("a", "16"), ["a/one", "a/one/deep", "a/two", "a/up"])
    equal("with a slash", paths("./a//"), ["./a/one", "./a/two", "./a/up"])
    equal("through a link that was asked for", paths("link"), ["link/one", "link/two", "link/up"])
    equal("what git keeps, when asked for", paths(".git", "3"), [".git/config", ".git/refs", ".git/refs/heads"])
    rows = {e["path"]: e for e in given(place, top, "list", ".", "2")["entries"] if isinstance(e["path"], str)}
    equal("a file", rows["b"], {"path": "b", "kind": "file", "bytes": 5, "modified": "2001-09-09T01:46:40.250Z"})
    equal("kinds", [rows[n]["kind"] for n in ("a", "link", "fifo")], ["directory", "link", "fifo"])
    equal("targets", [rows[n]["target"] for n in ("link", "a/up")], ["a", ".."])
    equal("a device", [e["kind"] for e in given(place, "/dev", "list", ".")["entries"] if e["path"] == "null"], ["device"])


def lines_are_found(place):
    top = place.fresh()
    write(f"{top}/src/one.c", "int main(void)\n{\n\treturn 0;\n}\n")
    write(f"{top}/src/deep/two.c", "/* Ärger: main */\nint main2(void);")
    write(f"{top}/doc/main.md", "Main\nmain main\n\na.b\n")
    write(f"{top}/.git/config", "main\n")
    raw(f"{top}/binary", b"main\0")
    raw(f"{top}/latin", b"main \xe9\n")
    with open(f"{top}/large", "wb") as file:
        file.write(b"main\n")
        file.truncate(16 * MIB + 1)
    os.symlink("src", f"{top}/link")
    os.symlink("src/one.c", f"{top}/src/to-one")
    os.mkfifo(f"{top}/fifo")
    one, two, md = ("src/one.c", 1, 5), ("src/deep/two.c", 1, 11), ("doc/main.md", 2, 1)
    rows = [  # words; where, in how many files looked, skipped
        (["main", "."], [md, two, ("src/deep/two.c", 2, 5), one], 3, 3),
        (["main", ".", "--ignore-case"], [("doc/main.md", 1, 1), md, two, ("src/deep/two.c", 2, 5), one], 3, 3),
        (["MAIN", ".", "--ignore-case", "--fixed"], [("doc/main.md", 1, 1), md, two, ("src/deep/two.c", 2, 5), one], 3, 3),
        (["^main", "."], [md], 3, 3),
        (["a.b", "."], [("doc/main.md", 4, 1)], 3, 3),
        (["a.b", "doc", "--fixed"], [("doc/main.md", 4, 1)], 1, 0),
        (["n.m", "doc", "--fixed"], [], 1, 0),
        (["N.M", "doc", "--fixed", "--ignore-case"], [], 1, 0),
        (["^.rger|Ä.ger", "."], [("src/deep/two.c", 1, 4)], 3, 3),
        (["ä", ".", "--ignore-case"], [("src/deep/two.c", 1, 4)], 3, 3),
        (["main", ".", "--glob", "*.c"], [two, ("src/deep/two.c", 2, 5), one], 2, 0),
        (["main", ".", "--glob", "src/*.c"], [one], 1, 0),
        (["main", ".", "--glob", "**/*.c"], [two, ("src/deep/two.c", 2, 5), one], 2, 0),
        (["main", ".", "--glob", "src/**/two.*"], [two, ("src/deep/two.c", 2, 5)], 1, 0),
        (["main", "src/one.c"], [one], 1, 0),
        (["main", ".git"], [(".git/config", 1, 1)], 1, 0),
        (["main", "binary"], [], 0, 1),
        (["main", "link/deep"], [("link/deep/two.c", 1, 11), ("link/deep/two.c", 2, 5)], 1, 0),
        (["--", "^}$", "src"], [("src/one.c", 4, 1)], 2, 0),
    ]
    for words, where, files, skipped in rows:
        answer = given(place, top, "search", *words)
        equal(words, [(m["path"], m["line"], m["column"]) for m in answer["matches"]], where)
        equal(words, (answer["files"], answer["skipped"], answer["truncated"]), (files, skipped, False))
    equal("the text", given(place, top, "search", "return", ".")["matches"][0]["text"], "\treturn 0;")
    said = refused(place, top, "MALFORMED", "search", "a(", ".")
    assert "a(: " in said["message"] and len(said["message"]) > 6, said
    refused(place, top, "MALFORMED", "search", "", ".")
    refused(place, top, "MALFORMED", "search", "a\nb", ".", "--fixed")
    refused(place, top, "MALFORMED", "search", "x" * 4097, ".")
    given(place, top, "search", "x" * 4096, ".", "--fixed")


def matches_have_a_limit(place):
    top = place.fresh()
    write(f"{top}/file", "match\n" * 2500)
    write(f"{top}/wide", "x" + "ä" * 600 + " match\n")
    raw(f"{top}/exactly16M", b"z" * (16 * MIB - 6) + b"\nhere\n")
    for more, n, truncated in (([], 200, True), (["--max", "2000"], 2000, True), (["--max", "1"], 1, True)):
        answer = given(place, top, "search", "match", "file", *more)
        equal(more, (len(answer["matches"]), answer["truncated"]), (n, truncated))
    write(f"{top}/few", "match\n" * 200)
    equal("as many as there may be", given(place, top, "search", "match", "few")["truncated"], False)
    match, = given(place, top, "search", "match", "wide")["matches"]
    equal("a long line", (match["text"], match["column"]), ("x" + "ä" * 249, 603))
    equal("as large as may be", given(place, top, "search", "here", "exactly16M", "--fixed")["files"], 1)


def a_file_is_written(place):
    top = place.fresh()
    os.mkdir(f"{top}/dir")
    write(f"{top}/run.sh", "old\n")
    os.chmod(f"{top}/run.sh", 0o750)
    os.symlink("run.sh", f"{top}/link")
    os.symlink("dir", f"{top}/to-dir")
    os.symlink("nowhere", f"{top}/dangling")
    os.symlink("loop", f"{top}/loop")
    rows = [("new", b"text\n", True), ("a/b/c/new", NOT_UTF8 + b"\0", True), ("dir/empty", b"", True), ("run.sh", b"shorter", False),
            ("link", b"by the link\n", False), ("to-dir/x", b"1", True), (os.fsdecode(NOT_UTF8), b"1", True), (f"{top}/absolute", b"2", True)]
    for path, data, created in rows:
        answer = given(place, top, "write", path, input=data)
        told_path = {"b64": base64.b64encode(NOT_UTF8).decode()} if path == os.fsdecode(NOT_UTF8) else path
        equal(path, answer, {"path": told_path, "bytes": len(data), "created": created})
        equal(path, content(os.path.join(top, path)), data)
    equal("its mode stays", stat.S_IMODE(os.stat(f"{top}/run.sh").st_mode), 0o750)
    equal("a new one's", stat.S_IMODE(os.stat(f"{top}/new").st_mode), 0o644)
    assert os.path.islink(f"{top}/link"), "the link was replaced"
    for path, code in (("dir", "CONFLICT"), ("dir/", "CONFLICT"), ("new2/", "CONFLICT"), ("new2/..", "CONFLICT"), ("dangling", "NOT_FOUND"), ("loop", "CONFLICT"),
                       ("run.sh/x", "CONFLICT"), ("run.sh/x/y", "CONFLICT"), ("", "CONFLICT"), *((path, "CONFLICT") for path in device(top))):
        refused(place, top, code, "write", path, input=b"x")
    equal("nothing is left beside", [n for n in names(top) if "ambit" in n or n == "new2"] + names(f"{top}/dir"), ["empty", "x"])
    if os.geteuid() != 0:
        os.chmod(f"{top}/run.sh", 0o444)
        refused(place, top, "DENIED", "write", "run.sh", input=b"x")
        os.chmod(f"{top}/dir", 0o555)
        refused(place, top, "DENIED", "write", "dir/new", input=b"x")
        given(place, top, "write", "dir/x", input=b"in place, since nothing can be made there")
        equal("in place", content(f"{top}/dir/x"), b"in place, since nothing can be made there")
        given(place, top, "write", "dir/x", input=b"less")
        equal("in place", content(f"{top}/dir/x"), b"less")


def what_is_too_large_changes_nothing(place):
    top = place.fresh()
    most = b"m" * (64 * MIB)
    write(f"{top}/kept", "kept")
    refused(place, top, "LIMIT", "write", "kept", input=most + b"m")
    refused(place, top, "LIMIT", "write", "new", input=most + b"m")
    equal("what there was", (names(top), content(f"{top}/kept")), (["kept"], b"kept"))
    equal("as much as may be", given(place, top, "write", "new", input=most)["bytes"], 64 * MIB)
    small = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 * MIB, 1 * MIB))}
    refused(place, top, "LIMIT", "write", "kept", input=b"k" * (2 * MIB), **small)
    equal("a write that fails", (names(top), content(f"{top}/kept")), (["kept", "new"], b"kept"))


def a_text_becomes_another(place):
    top = place.fresh()
    rows = [  # content, old, new, words; what it is then, how many, line
        (b"one\ntwo\nthree\n", b"two", b"2", [], b"one\n2\nthree\n", 1, 2),
        (b"one\ntwo\n", b"one\ntwo\n", b"", [], b"", 1, 1),
        (b"ab ab\nab", b"ab", b"c", ["--all"], b"c c\nc", 3, 1),
        (b"x\naaaa", b"aa", b"a", ["--all"], b"x\naa", 2, 2),
        (b"a\0b\xff", b"\0b", b"\xfe\0", [], b"a\xfe\0\xff", 1, 1),
        (b"tail", b"tail", b"longer tail", [], b"longer tail", 1, 1),
    ]
    for before, old, new, words, after, n, line in rows:
        raw(f"{top}/f", before)
        os.chmod(f"{top}/f", 0o600)
        answer = given(place, top, "edit", "f", str(len(old)), str(len(new)), *words, input=old + new)
        equal(before, (answer, content(f"{top}/f")), ({"path": "f", "replaced": n, "line": line}, after))
        equal("its mode", stat.S_IMODE(os.stat(f"{top}/f").st_mode), 0o600)
    wrong = [  # content, old, new, words; code, what is said
        (b"one\n", b"two", b"2", [], "NOT_FOUND", "is not there"),
        (b"", b"two", b"2", [], "NOT_FOUND", "is not there"),
        (b"one\r\ntwo\r\n", b"one\ntwo", b"2", [], "NOT_FOUND", "\\r\\n"),
        (b"one\n", b"two", b"2", ["--all"], "NOT_FOUND", "is not there"),
        (b"x\nx\n\nx", b"x", b"y", [], "AMBIGUOUS", "3 times, in lines 1, 2, 4"),
        (b"\naaa", b"aa", b"b", [], "AMBIGUOUS", "2 times, in lines 2, 2"),
        (b"x\n" * 5000, b"x", b"y", [], "AMBIGUOUS", "5000 times, in lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ..."),
        (b"one", b"", b"y", [], "MALFORMED", "empty"),
        (b"one", b"one", b"one", [], "MALFORMED", "the same"),
    ]
    for before, old, new, words, code, said in wrong:
        raw(f"{top}/f", before)
        answer = refused(place, top, code, "edit", "f", str(len(old)), str(len(new)), *words, input=old + new)
        assert said in answer["message"] + answer["hint"] and answer["hint"], answer
        equal("what there was", content(f"{top}/f"), before)
    for n_old, n_new, data in ((3, 1, b"one"), (3, 0, b"onex"), (4, 0, b"one")):
        raw(f"{top}/f", b"one")
        refused(place, top, "MALFORMED", "edit", "f", str(n_old), str(n_new), input=data)
    raw(f"{top}/f", b"m" * MIB)
    refused(place, top, "LIMIT", "edit", "f", "1", "65", "--all", input=b"m" + b"n" * 65)
    equal("as long as may be", given(place, top, "edit", "f", "1", "64", "--all", input=b"m" + b"n" * 64)["replaced"], MIB)
    os.symlink("f", f"{top}/link")
    raw(f"{top}/f", b"by the link")
    given(place, top, "edit", "link", "2", "4", input=b"bynear")
    equal("by the link", (content(f"{top}/f"), os.path.islink(f"{top}/link")), (b"near the link", True))
    equal("nothing is left", names(top), ["f", "link"])


def an_edit_loses_nothing_of_others(place):
    """Who puts another file there while it works: that one stays, changed or not."""
    top = place.fresh()
    told_of = 0
    for turn in range(24):
        raw(f"{top}/f", b"A" + b"." * (24 * MIB))
        raw(f"{top}/other", b"A-other")
        process = subprocess.Popen([program(place), "edit", "f", "1", "2"], cwd=top, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdin.write(b"Aaa")
        process.stdin.close()
        time.sleep(turn % 12 * 0.004)
        os.rename(f"{top}/other", f"{top}/f")
        said = json.loads(process.stdout.read())
        process.wait(PATIENCE)
        process.stdout.close()
        told_of += said.get("code") == "CONFLICT"
        equal(f"{turn}: {said}", (content(f"{top}/f")[:9].lstrip(b"Aa"), names(top)), (b"-other", ["f"]))
    assert told_of > 0, "it was never told"


def files_that_have_no_size(place):
    top = place.fresh()
    status = given(place, top, "read", "/proc/self/status", "1", "1")
    equal("of /proc", (status["text"], status["from"], status["lines"]), ("Name:\tambit-files\n", 1, 1))
    assert status["total_lines"] > 20 and status["bytes"] > 500, status
    piece = given(place, top, "read", "/proc/self/status", "--bytes", "6", "5")
    equal("bytes of /proc", base64.b64decode(piece["base64"]), b"ambit")
    assert given(place, top, "search", "^Name:", "/proc/self/status")["matches"][0]["line"] == 1
    with open(f"{top}/sparse", "wb") as file:
        file.truncate(1 << 40)
    sparse = given(place, top, "read", "sparse")
    equal("sparse", (len(sparse["base64"]), sparse["truncated"], sparse["bytes"]), (len(base64.b64encode(bytes(256 * KIB))), True, 1 << 40))
    equal("sparse, searched", given(place, top, "search", "x", ".")["skipped"], 1)
    with open(f"{top}/log", "wb") as file:
        for _ in range(65):
            file.write((b"x" * 1023 + b"\n") * 1024)
    log = given(place, top, "read", "log", "65536", "5")
    equal("the last line that is looked at", (log["lines"], log["total_lines"], log["truncated"], log["bytes"]), (1, None, True, 65 * MIB))
    refused(place, top, "LIMIT", "read", "log", "65537")
    refused(place, top, "LIMIT", "edit", "log", "1", "1", input=b"xy")


def a_file_that_changes_meanwhile(place):
    top = place.fresh()
    script = "import os\nwhile True:\n  open('f', 'wb').write(b'line\\n' * 400000)\n  os.truncate('f', 7)\n"
    other = subprocess.Popen(["python3", "-c", script], cwd=top)
    try:
        for _ in range(60):
            if os.path.exists(f"{top}/f"):
                answer = given(place, top, "read", "f")
                assert "text" not in answer or "lin" in answer["text"] or answer["text"] == "", answer
                given(place, top, "search", "line", ".")
                given(place, top, "list", ".")
            time.sleep(0.01)
    finally:
        other.kill()
        other.wait()


def a_hostile_tree(place):
    top = place.fresh()
    tree = f"{top}/tree"
    os.mkdir(tree)
    for name in ("fifo1", "fifo2"):
        os.mkfifo(f"{tree}/{name}")
    os.symlink(".", f"{tree}/loop")
    os.symlink("/", f"{tree}/root")
    os.symlink("x" * 4000, f"{tree}/far")
    write(f"{tree}/zz/last", "needle\n")
    raw(os.path.join(tree.encode(), b"\x1b[31m\n\xff"), b"needle\n")
    here = os.open(tree, os.O_RDONLY)
    for _ in range(200):  # deeper than any path is long
        os.mkdir("d" * 200, dir_fd=here)
        there = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = there
    os.close(here)
    closed = os.geteuid() != 0
    if closed:
        os.mkdir(f"{tree}/closed", 0o000)
        write(f"{tree}/unreadable", "needle\n")
        os.chmod(f"{tree}/unreadable", 0)
    answer = given(place, top, "list", "tree", "16")
    equal("how deep", max(str(e["path"]).count("/") for e in answer["entries"]), 16)
    equal("closed", (answer["unreadable"], answer["truncated"]), (int(closed), False))
    assert {"path": "tree/loop", "kind": "link"}.items() <= next(e for e in answer["entries"] if e["path"] == "tree/loop").items()
    answer = given(place, top, "search", "needle", "tree")
    equal("found", [m["path"] if isinstance(m["path"], str) else "b64" for m in answer["matches"]], ["b64", "tree/zz/last"])
    equal("skipped: too deep, and what is closed", answer["skipped"], 1 + 2 * closed)
    few = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))}
    equal("few descriptors", given(place, top, "search", "needle", "tree", **few)["skipped"] >= 1, True)
    if closed:
        os.chmod(f"{tree}/closed", 0o700)
    subprocess.run(["rm", "-rf", tree], check=True)


def a_directory_of_very_many(place):
    """More names than a page has room for, made in no order; in little memory, and each once."""
    count = 30000 if sanitized(program(place)) else 250000
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as top:
        os.mkdir(f"{top}/many")
        here = os.open(f"{top}/many", os.O_RDONLY)
        for i in range(count):
            os.mknod(f"{i * 7919 % count:08d}{'n' * 200}", dir_fd=here) if i % 1000 else os.symlink("x", f"{i * 7919 % count:08d}{'n' * 200}", dir_fd=here)
        os.close(here)
        for i in (0, count // 2, count - 1):
            write(f"{top}/many/{i:08d}needle", "needle\n")
        limit = {} if sanitized(program(place)) else {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_AS, (64 * MIB, 64 * MIB))}
        answer = given(place, top, "list", "many", **limit)
        equal("how many", (len(answer["entries"]), answer["truncated"]), (2000, True))
        got = [e["path"] for e in answer["entries"]]
        equal("the first, in order", got, [f"many/{n}" for n in sorted(os.listdir(f"{top}/many"))[:2000]])
        answer = given(place, top, "search", "needle", ".", **limit)
        equal("found", [m["path"][5:13] for m in answer["matches"]], [f"{i:08d}" for i in (0, count // 2, count - 1)])
        equal("each once", (answer["files"], answer["skipped"]), (count - count // 1000 + 3, 0))


def answers_are_bounded(place):
    top = place.fresh()
    deep = top
    for _ in range(14):
        deep = f"{deep}/{'d' * 240}"
    os.makedirs(deep)
    for i in range(2000):
        write(f"{deep}/{i:04d}{'n' * 200}", "match\n")
    for words in (["list", ".", "16"], ["search", "match", ".", "--max", "2000"]):
        answer = given(place, top, *words)
        assert answer["truncated"] and 768 * KIB < len(json.dumps(answer)) < MIB, (words, len(json.dumps(answer)))
    subprocess.run(["rm", "-rf", deep], check=True)


def whoever_asked_is_gone(place):
    top = place.fresh()
    write(f"{top}/f", "x\n" * 100000)
    process = subprocess.Popen([program(place), "read", "f"], cwd=top, stdout=subprocess.PIPE)
    process.stdout.close()
    assert process.wait(PATIENCE) in (0, 1), process.returncode
    process = subprocess.run([program(place), "write", "g"], cwd=top, stdin=None, stdout=subprocess.DEVNULL, input=b"x", check=False)
    equal("written all the same", (process.returncode, content(f"{top}/g")), (0, b"x"))
    process = subprocess.Popen([program(place), "write", "f"], cwd=top, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    process.stdin.write(b"half")
    process.stdin.flush()
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE)
    process.stdin.close()
    equal("what there was", (content(f"{top}/f")[:4], names(top)), (b"x\nx\n", ["f", "g"]))


def cell(place, top, *words, flags=("--work", "."), input=None):
    """In a cell of its own, which must answer as it does outside."""
    done = place.cell(*room_of(place), *flags, "--run", program(place), "--", program(place), *words, cwd=top, input=input)
    lines = done.stdout.splitlines()
    assert len(lines) == 1, told(done)
    return json.loads(lines[0]), done


def in_a_cell(place):
    top = os.path.join(place.fresh(), "tree")
    write(f"{top}/src/x.c", "one\ntwo\n")
    write(f"{place.home}/secret", "needle\n")
    answer, done = cell(place, top, "read", "src/x.c", "2")
    equal("read", (answer["text"], done.returncode, done.stderr), ("two\n", 0, ""))
    answer, done = cell(place, top, "list", ".", "2")
    equal("listed", [e["path"] for e in answer["entries"]], ["src", "src/x.c"])
    answer, done = cell(place, top, "edit", "src/x.c", "3", "4", input="onefour")
    equal("committed", (done.returncode, content(f"{top}/src/x.c")), (0, b"four\ntwo\n"))
    answer, done = cell(place, top, "write", "src/x.c", flags=("--work", ".", "--base", "minimal"), input="minimal\n")
    equal("in a minimal cell", (done.returncode, content(f"{top}/src/x.c")), (0, b"minimal\n"))


def what_a_cell_was_not_granted(place):
    top = os.path.join(place.fresh(), "tree")
    write(f"{top}/x.c", "one\n")
    write(f"{place.home}/secret", "needle\n")
    for words in (["read", f"{place.home}/secret"], ["search", "needle", place.home]):
        answer, done = cell(place, top, *words)
        assert "needle" not in done.stdout.replace('"needle"', "") and (done.returncode == 1 or answer["matches"] == []), told(done)
    answer, done = cell(place, top, "read", f"{place.home}/secret")
    equal("not granted", answer["code"], "NOT_FOUND")
    assert f"denied: read {place.home}/secret" in done.stderr and "ambit explain" in answer["hint"], told(done)
    answer, done = cell(place, top, "write", "x.c", flags=("--read", "."), input="changed\n")
    equal("read only", (answer["code"], content(f"{top}/x.c")), ("DENIED", b"one\n"))
    assert f"denied: write {top}/x.c" in done.stderr and ".ambit-files" not in done.stderr, told(done)
    answer, done = cell(place, top, "write", "new.c", flags=("--read", "."), input="new\n")
    assert answer["code"] == "DENIED" and f"denied: write {top}/new.c" in done.stderr, told(done)
    answer, done = cell(place, top, "write", "x.c", flags=("--write", "./x.c"), input="alone\n")
    equal("granted alone", (done.returncode, done.stderr, content(f"{top}/x.c")), (0, "", b"alone\n"))


def what_is_written_is_staged(place):
    top = os.path.join(place.fresh(), "tree")
    write(f"{top}/x.c", "one\n")
    answer, done = cell(place, top, "write", "new/y.c", flags=("--work", ".", "--stage"), input="staged\n")
    equal("written", (answer, done.returncode), ({"path": "new/y.c", "bytes": 7, "created": True}, 0))
    equal("not here yet", names(top), ["x.c"])
    shown = expect_ok(place.run(place.ambit, "diff", "last", cwd=top), "b/new/y.c", "+staged")
    assert ".ambit-files" not in shown.stdout, told(shown)
    expect_ok(place.run(place.ambit, "commit", "last", cwd=top))
    equal("committed", content(f"{top}/new/y.c"), b"staged\n")
    answer, done = cell(place, top, "edit", "x.c", "1", "1", flags=("--work", ".", "--stage"), input="zy")
    equal("refused", (answer["code"], done.returncode), ("NOT_FOUND", 1))
    assert "kept:" not in done.stderr, told(done)


if __name__ == "__main__":
    main([lines_are_read, bytes_are_read, what_is_not_there_has_its_code, a_tree_is_listed_in_order, lines_are_found, matches_have_a_limit, a_file_is_written,
          what_is_too_large_changes_nothing, a_text_becomes_another, an_edit_loses_nothing_of_others, files_that_have_no_size, a_file_that_changes_meanwhile,
          a_hostile_tree, a_directory_of_very_many, answers_are_bounded, whoever_asked_is_gone, in_a_cell, what_a_cell_was_not_granted,
          what_is_written_is_staged])
