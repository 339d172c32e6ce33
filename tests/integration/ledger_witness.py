#!/usr/bin/env python3
"""Witnesses: what one that is not ours cosigns is kept, required and proved; what a hostile one answers does nothing.

usage: ledger_witness.py AMBIT WRITE_LOG WITNESS_PROBE    (TAP on standard output; as root once more as an ordinary user)
"""

import array
import contextlib
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
import types

from harness import PATIENCE, Skip, copy_executables, main, need, once, sanitized, told
from ledger_audit import Ledger
from ledger_rotate import Rotated
from peer import tlog_verify, witness

NAME = "witness.test/w"


# ---- a witness that is not ours ----


class Witness:
    """It keeps what it saw, and can be stopped and started again at another port."""

    def __init__(self, place, log, seed="s", name=NAME, tls=()):
        self.place, self.log, self.words, self.tls = place, log, (name, seed), tls
        self.program = witness(place)
        self.state = os.path.join(place.fresh(), "state")
        self.key = place.run(self.program, "key", name, seed, cwd=place.top).stdout.strip()

    def __enter__(self):
        self.process = subprocess.Popen([self.program, "serve", self.state, self.log.key, *self.words, *self.tls], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.port = int(self.process.stdout.readline())
        self.url = f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}/prefix"
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def line(self, text, at):
        """What it would sign of this text at that time."""
        return self.place.run(self.program, "sign", *self.words, str(at), cwd=self.place.top, input=text).stdout

    def file(self):
        return os.path.join(self.log.dir, "witness", self.key.split("+", 2)[2].replace("+", "-").replace("/", "_"))


def kept(w):
    with open(w.file(), encoding="utf-8") as file:
        return file.read()


def ask(log, *words, **more):
    return log.run("witness", *words, **more)


def cosigned(log, w, *words):
    done = ask(log, *words, "--url", w.url, "--key", w.key)
    assert done.returncode == 0 and f"cosigned by {w.words[0]} at 20" in done.stdout, told(done)
    return done


def refused(done, status, *said):
    assert done.returncode == status and done.stdout == "", told(done)
    for words in said:
        assert words in done.stderr, f"not {words!r}: {told(done)}"


def text_of(log):
    return log.get("checkpoint").decode().split("\n\n")[0] + "\n"


def what_every_user_needs_is_there(place):
    """Root builds and copies it where the other finds it."""
    assert os.access(witness(place), os.X_OK) and os.access(tlog_verify(place), os.X_OK) and os.access(probe(place), os.X_OK)
    assert os.access(Ledger(place).writer, os.X_OK)


what_every_user_needs_is_there.always = True


def probe(place):
    path = os.path.join(os.path.dirname(place.ambit), "witness_probe")
    if not os.path.exists(path):
        shutil.copy(sys.argv[3], path)
    return path


# ---- what is cosigned ----


def a_witness_cosigns_and_goes_on(place):
    log = Ledger(place).write(10)
    with Witness(place, log) as w:
        cosigned(log, w)
        assert kept(w).startswith(log.get("checkpoint").decode()) and kept(w).count(f"— {NAME} ") == 1, kept(w)
        answer = log.believed("--witness", w.key, "--key", log.key)
        assert answer["cosigned"] == [{"name": NAME, "time": answer["cosigned"][0]["time"], "size": 10, "given": True}], answer
        for more in (300, 1, 256):
            log.write(more, publish=2)
            done = ask(log)  # as a timer does
            assert done.returncode == 0 and f": {text_of(log).splitlines()[1]} entries" in done.stdout, told(done)
        assert log.believed("--witness", w.key)["cosigned"][0]["size"] == 567
        done = ask(log, "--json")
        answer = json.loads(done.stdout)
        assert done.returncode == 0 and answer == [{"url": w.url, "key": w.key, "cosigned": True, "size": 567, "time": answer[0]["time"]}], told(done)
        plain = log.run("verify", "--witness", w.key)
        assert re.search(rf"\n  cosigned by {NAME} at 20\S+Z, 567 entries\n", plain.stdout), told(plain)
        report = log.run("report", "--text")
        assert re.search(rf"\n +567  20\S+ \S+Z +{NAME} +found beside the log, so name and key may be anybody.s\n", report.stdout), report.stdout[:4000]


def what_is_cosigned_is_backed_up(place):
    """Of the state that is copied, or of an earlier one; and nothing older takes its place."""
    log, to = Ledger(place).write(10), os.path.join(place.fresh(), "copy")

    def back_up():
        done = log.run("backup", to, "--json")
        assert done.returncode == 0, told(done)
        return json.loads(done.stdout)["cosigned"]

    def of_copy(*words):
        done = place.run(place.ambit, "ledger", "verify", "--json", *words, "--ledger", to, cwd=place.top)
        assert done.returncode == 0, told(done)
        return [one["size"] for one in json.loads(done.stdout)["cosigned"]]

    assert back_up() == 0 and of_copy() == []
    with Witness(place, log) as w, Witness(place, log, seed="t", name="witness.test/v") as v:
        cosigned(log, w)
        first = kept(w)
        assert back_up() == 1 and of_copy("--witness", w.key) == [10]
        log.write(300)
        cosigned(log, w)
        cosigned(log, v)
        assert back_up() == 2 and of_copy("--witness", w.key, "--witness", v.key) == [310, 310]
        log.write(5)
        with open(w.file(), "w", encoding="utf-8") as file:
            file.write(first)  # somebody put an older one back
        with open(v.file(), "w", encoding="utf-8") as file:
            file.write(first)  # or one of another witness
        assert back_up() == 1 and of_copy("--witness", w.key, "--witness", v.key) == [310, 310]


def whose_key_it_is_is_told(place):
    log = Ledger(place).write(10)
    with Witness(place, log) as w:
        cosigned(log, w)
    assert not log.believed()["cosigned"][0]["given"]
    plain = log.run("verify")
    assert "by a key found beside the log" in plain.stdout and "cosign with a key of their own, too" in plain.stdout, told(plain)
    pinned = log.run("verify", "--witness", w.key, "--key", log.key)
    assert "beside the log" not in pinned.stdout, told(pinned)


def witnesses_are_remembered_listed_and_forgotten(place):
    log = Ledger(place).write(10)
    refused(ask(log), 125, "no witness was asked before", "--url")
    with Witness(place, log) as w, Witness(place, log, seed="t", name="witness.test/v") as v:
        refused(ask(log, "--url", w.url), 125, "which key does it cosign with?")
        cosigned(log, w)
        cosigned(log, v)
        assert ask(log, "--list").stdout == f"{w.url} {w.key}\n{v.url} {v.key}\n"
        assert json.loads(ask(log, "--list", "--json").stdout) == [{"url": x.url, "key": x.key} for x in (w, v)]
        log.write(5)
        done = ask(log)
        assert done.returncode == 0 and done.stdout.count(": 15 entries") == 2, told(done)
        assert ask(log, "--url", v.url).returncode == 0  # its key is known
        assert ask(log, "--forget", "--url", w.url).returncode == 0
        assert ask(log, "--list").stdout == f"{v.url} {v.key}\n"
        refused(ask(log, "--forget", "--url", w.url), 125, "no witness is asked at")
        assert len(log.believed("--witness", w.key)["cosigned"]) == 2  # what it cosigned stays
        refused(ask(log, "--url", "http://127.0.0.1:1", "--key", w.key), 125, "cannot connect to 127.0.0.1, port 1")
        assert ask(log, "--list").stdout == f"{v.url} {v.key}\n"  # it never cosigned
    for broken in ("nonsense\n", f"{v.url}  {v.key}\n", f"{v.url} {v.key}", f"{v.url} {v.key}\n" * 2, f"file:///x {v.key}\n", "\n"):
        log.put("witnesses", broken.encode(), at=log.dir)
        refused(ask(log), 125, "witnesses beside the log: line")


def words_that_make_no_sense_are_refused(place):
    log = Ledger(place).write(1)
    key = "w+00000000+BAAA"
    for words, said in (
        (["--key", key], "--url"), (["--forget"], "--url"), (["--list", "--url", "http://x"], "--list"),
        (["--url", "ftp://x", "--key", key], "http:// or https://"), (["--url", "http://a@b", "--key", key], "no path"),
        (["--url", "http://x/?q", "--key", key], "no path"), (["--url", "http://x:0", "--key", key], "port"),
        (["--url", "http://x", "--key", log.key], "no key of a witness"), (["--url", "http://x", "--key", key], "no key of a witness"),
        (["--forget", "--url", "http://x", "--key", key], "--forget"),
    ):
        done = ask(log, *words)
        assert done.returncode == 125 and said in done.stderr, (words, told(done))
    for words, said in ((["--witness", log.key], "none of a witness"), (["--witness", "x"], "the key of a witness: byte"), (["--quorum", "1"], "--quorum 1, and 0"),
                        (["--quorum", "0"], "--quorum takes")):
        done = log.run("verify", *words)
        assert done.returncode == 125 and said in done.stderr, (words, told(done))


# ---- what is found with it ----


def rewritten(place, log, n):
    """Another history by the same key, in the place of this one."""
    other = os.path.join(place.fresh(), "log")
    log.write(n, "salt=other", to=other)
    shutil.rmtree(log.log)
    shutil.copytree(other, log.log)


def a_log_that_was_rewritten_is_found(place):
    for n, why in ((300, "as many entries with another root: the log was rewritten"), (310, "first 300 entries are not those that .* has cosigned: the log was rewritten")):
        log = Ledger(place).write(300)
        with Witness(place, log) as w:
            cosigned(log, w)
            before = kept(w)
            rewritten(place, log, n)
            log.refused("--witness", w.key, file=os.path.relpath(w.file(), log.dir), why=why)
            log.refused(file=os.path.relpath(w.file(), log.dir), why=why)
            refused(ask(log), 1, "does not go on from the 300 entries", NAME)
            assert kept(w) == before
            os.unlink(w.file())  # who can rewrite the log can take that away, too
            log.believed()
            log.refused("--witness", w.key, why=f"nothing is kept here that {NAME} has cosigned")
            refused(ask(log), 1, "another history" if n == 300 else "does not see that this log goes on")


def a_log_that_was_rolled_back_is_found(place):
    log = Ledger(place).write(300)
    saved = os.path.join(place.fresh(), "log")
    shutil.copytree(log.log, saved)
    log.write(10)
    with Witness(place, log) as w:
        cosigned(log, w)
        shutil.rmtree(log.log)
        shutil.copytree(saved, log.log)
        log.refused("--witness", w.key, file=os.path.relpath(w.file(), log.dir), why="has cosigned 310 entries, and the log has 300: it was rolled back")
        refused(ask(log), 1, "has cosigned 310 entries, and this log has 300", "rolled back")
        os.unlink(w.file())
        refused(ask(log), 1, "has cosigned 310 entries, and this log has 300", "rolled back")  # the witness says so itself
        answer = json.loads(ask(log, "--json").stdout)[0]
        assert not answer["cosigned"] and "rolled back" in answer["error"]["message"], answer
        log.believed()  # the twin: without a witness nobody can tell


def what_is_none_of_it_is_a_fault(place):
    log = Ledger(place).write(20)
    other = Ledger(place).write(20, name="ambit.test/other")
    with Witness(place, log) as w, Witness(place, other, seed="o") as v:
        cosigned(log, w)
        cosigned(other, v)
        good, name = kept(w), os.path.relpath(w.file(), log.dir)
        line = good.splitlines(keepends=True)[-1]
        for broken, why in (
            ("", "no checkpoint"), (good.replace(line, ""), "has not cosigned it"), (kept(v), "another log"), ("nonsense\n", "no checkpoint"),
            (good.replace("\n20\n", "\n21\n"), "another log, or the key was changed"),
            (good.replace(line, w.line(text_of(other), 5)), "has not cosigned it"),
            (good.replace(line, line[:-5] + "AAA=\n"), "no checkpoint|has not cosigned it"),
        ):
            log.put(name, broken.encode(), at=log.dir)
            log.refused("--witness", w.key, file=name, why=why)
            log.refused(file=name, why=why)
            assert ask(log).returncode == 1 or broken == ""  # nothing of it is overwritten
        log.put(name, good.encode(), at=log.dir)
        log.believed("--witness", w.key)
        log.put("witness/README", b"x", at=log.dir)
        log.put("witness/.new", b"x", at=log.dir)  # of whoever was killed
        assert "is of no witness" in log.believed("--witness", w.key, notes=1)["notes"][0]["why"]
        os.unlink(w.file())
        os.mkfifo(w.file())
        log.refused(file=name, why="not a regular file")
        refused(ask(log), 125, "no regular file")


def a_quorum_is_enough(place):
    log = Ledger(place).write(20)
    with Witness(place, log) as w, Witness(place, log, seed="v", name="witness.test/v") as v, Witness(place, log, seed="u", name="witness.test/u") as u:
        cosigned(log, w)
        cosigned(log, v)
        three = [x for k in (w, v, u) for x in ("--witness", k.key)]
        log.refused(*three, why="nothing is kept here that witness.test/u has cosigned")
        log.believed(*three, "--quorum", "2")
        log.refused(*three, "--quorum", "3", why="cosigned by 2 of the 3 witnesses")
        proof = log.run("prove", "7").stdout
        check = lambda *words: log.place.run(place.ambit, "ledger", "check", "-", "--key", log.key, *words, cwd=place.top, input=proof)
        done = check("--witness", w.key, "--witness", v.key)
        assert done.returncode == 0 and done.stdout.count("cosigned by witness.test/") == 2, told(done)
        assert check(*three, "--quorum", "2").returncode == 0
        refused(check(*three), 1, "2 of the witnesses that must have cosigned it have, of 3; not witness.test/u")


# ---- proofs ----


def a_proof_carries_the_cosignatures(place):
    log = Ledger(place).write(300)
    with Witness(place, log) as w:
        cosigned(log, w)
        log.write(20)
        stranger = Witness(place, log, seed="x")
        verifier = tlog_verify(place)
        for index, size in ((0, 300), (299, 300), (300, 320), (319, 320)):
            proof = log.run("prove", str(index)).stdout
            assert f"\n{size}\n" in proof and proof.count(f"— {NAME} ") == (size == 300), proof
            check = lambda *words, given=proof: log.place.run(place.ambit, "ledger", "check", "-", "--key", log.key, *words, cwd=place.top, input=given)
            assert check().returncode == 0
            done = check("--witness", w.key)
            entry, path = (os.path.join(place.fresh(), name) for name in ("entry", "p.tlog-proof"))
            with open(entry, "w", encoding="utf-8") as file:
                file.write(check("--json").stdout.rstrip("\n"))
            with open(path, "w", encoding="utf-8") as file:
                file.write(proof)
            peer = place.run(verifier, "proof", path, log.key, entry, w.key, cwd=place.top)  # who is not ours
            assert place.run(verifier, "proof", path, log.key, entry, cwd=place.top).returncode == 0
            if size == 320:
                refused(done, 1, "0 of the witnesses that must have cosigned it have, of 1")
                assert peer.returncode == 1 and "not cosigned by" in peer.stderr, told(peer)
                continue
            assert done.returncode == 0 and re.search(rf"that ambit.test/audit has signed\ncosigned by {NAME} at 20", done.stdout), told(done)
            assert peer.returncode == 0, told(peer)
            refused(check("--witness", stranger.key), 1, "must have cosigned it")
            peer = place.run(verifier, "proof", path, log.key, entry, stranger.key, cwd=place.top)
            assert peer.returncode == 1, told(peer)
            line = proof.splitlines(keepends=True)[-1]
            for forged in (w.line(proof.split("\n\n")[1].replace("300", "301") + "\n", 1700000000), w.line("x", 5)):
                refused(check("--witness", w.key, given=proof.replace(line, forged)), 1, "is none of it")


# ---- a hostile one ----


@contextlib.contextmanager
def hostile(answer):
    """A server that gives to each connection what it likes; answer(connection, request)."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        seen = []

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection = server.accept()[0]
                    threading.Thread(target=talk, args=(connection,), daemon=True).start()

        def talk(connection):
            with contextlib.suppress(OSError), connection:
                connection.settimeout(60)
                request = b""
                while not (b"\r\n\r\n" in request and len(request.split(b"\r\n\r\n", 1)[1]) >= int(re.search(rb"Content-Length: (\d+)", request)[1])):
                    part = connection.recv(65536)
                    if not part:
                        break
                    request += part
                seen.append(request)
                answer(connection, request)

        threading.Thread(target=serve, daemon=True).start()
        yield types.SimpleNamespace(seen=seen, url=f"http://127.0.0.1:{server.getsockname()[1]}")
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)


def says(body, status="200 OK", head=""):
    return lambda c, _: c.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body.encode())}\r\n{head}\r\n{body}".encode())


def raw(data):
    return lambda c, _: c.sendall(data)


def endless(start, piece):
    def send(c, _):
        c.sendall(start)
        while True:
            c.sendall(piece)

    return send


def size(n, kind="text/x.tlog.size"):
    return says(f"{n}\n", "409 Conflict", f"Content-Type: {kind}\r\n")


def what_a_hostile_witness_answers_does_nothing(place):
    log = Ledger(place).write(30)
    w, v = Witness(place, log), Witness(place, log, seed="v", name="witness.test/v")
    text, now = text_of(log), int(time.time())
    good = w.line(text, now)
    cases = [
        (says(""), "lines of signatures"), (says("nonsense\n"), "lines of signatures"), (says(good[:-1]), "lines of signatures"),
        (says("\n" + good), "lines of signatures"),  # the text would be another
        (says("\n" + w.line(log.get("checkpoint").decode(), now)), "lines of signatures"),
        (says(v.line(text, now)), "none of the signatures"), (says(v.line(text, now) * 80), "lines of signatures"),
        (says(w.line(text.replace("\n30\n", "\n31\n"), now)), "not one of this checkpoint"), (says(w.line("x\n", now)), "not one of this checkpoint"),
        (says(good + w.line("x\n", now)), "not one of this checkpoint"), (says(v.line(text, now).replace(v.words[0], NAME)), "none of the signatures"),
        (says(w.line(text, 0)), "names no time"), (says(w.line(text, now + 7200)), "still to come"), (says(w.line(text, 2**63 - 1)), "still to come"),
        (says(w.line(text, 2**63)), "not one of this checkpoint"),
        (says("x" * 40000), "more than a witness has to say"), (endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 4096), "more than a witness has to say"),
        (endless(b"HTTP/1.1 200 OK\r\n", b"X-Y: " + b"z" * 999 + b"\r\n"), "more than a witness has to say"),
        (endless(b"", b"z" * 4096), "not HTTP"), (raw(b""), "broke off"), (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + good.encode()), "broke off"),
        (raw(b"HTTP/1.1 200"), "broke off"), (raw(b"SSH-2.0-OpenSSH\r\n"), "not HTTP"),
        (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "not HTTP"),
        (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\nx"), "not HTTP"),
        (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), "broke off"),
        (says("", "302 Found", "Location: http://127.0.0.1:1/\r\n"), "another address, which is not followed"),
        (says("", "404 Not Found"), "does not know this log"), (says("", "403 Forbidden"), "does not believe the signature"),
        (says("", "400 Bad Request"), "did not understand"), (says("", "500 Oh"), "HTTP status 500"), (says("", "101 Other", "Upgrade: x\r\nConnection: upgrade\r\n"), "HTTP"),
        (says("x", "409 Conflict"), "and not which"), (size(7, "text/html"), "and not which"), (size(-1), "and not which"), (size("07"), "and not which"),
        (size(2**63), "and not which"),
    ]
    for answer, said in cases:
        with hostile(answer) as server:
            refused(ask(log, "--url", server.url, "--key", w.key), 125, server.url, said)
            assert len(server.seen) == 1, server.seen
    for answer, said in ((says("", "422 Unprocessable"), "does not see that this log goes on"), (size(31), "has cosigned 31 entries, and this log has 30")):
        with hostile(answer) as server:
            refused(ask(log, "--url", server.url, "--key", w.key), 1, said)
    with hostile(size(7)) as server:  # it says so again and again
        refused(ask(log, "--url", server.url, "--key", w.key), 125, "shown how")
        assert [s.split(b"\r\n\r\n")[1].split(b"\n")[0] for s in server.seen] == [b"old 0", b"old 7"], server.seen
    assert os.listdir(os.path.join(log.dir, "witness")) == [] and not os.path.exists(os.path.join(log.dir, "witnesses"))
    with hostile(says(v.line(text, now) + good)) as server:  # the twin: all of this would have been seen
        assert ask(log, "--url", server.url, "--key", w.key).returncode == 0
        assert server.seen[0].startswith(b"POST /add-checkpoint HTTP/1.1\r\n") and server.seen[0].endswith(b"\r\n\r\nold 0\n\n" + log.get("checkpoint"))
    assert kept(w) == log.get("checkpoint").decode() + good, kept(w)  # of others nothing


@once
def a_slow_witness_is_not_waited_for(place):
    log = Ledger(place).write(30)
    w = Witness(place, log)
    silent = lambda c, _: time.sleep(40)

    def drops(c, _):
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n":
            c.sendall(bytes([byte]))
            time.sleep(1)

    for answer in (silent, drops):
        with hostile(answer) as server:
            begun = time.monotonic()
            refused(ask(log, "--url", server.url, "--key", w.key, timeout=60), 125, "did not finish its answer in time")
            assert 15 < time.monotonic() - begun < 40


def what_is_kept_is_never_replaced_by_an_older_one(place):
    log = Ledger(place).write(30)
    w = Witness(place, log)
    now = int(time.time())
    times = iter((now, now - 5, now + 1))
    with hostile(lambda c, r: says(w.line(text_of(log), next(times)))(c, r)) as server:
        assert ask(log, "--url", server.url, "--key", w.key).returncode == 0
        first = kept(w)
        refused(ask(log), 125, "older than the one that is kept")
        assert kept(w) == first
        assert ask(log).returncode == 0 and kept(w) != first
    assert sorted(os.listdir(os.path.join(log.dir, "witness"))) == [os.path.basename(w.file())]


def two_who_ask_at_once_wait_for_each_other(place):
    log = Ledger(place).write(30)
    with Witness(place, log) as w:
        cosigned(log, w)
        log.write(10)
        several = [subprocess.Popen([place.ambit, "ledger", "witness", "--ledger", log.dir], env=place.environment(), cwd=place.top, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, text=True) for _ in range(4)]
        for process in several:
            out = process.communicate()[0]
            assert process.returncode == 0 and ": 40 entries" in out, out
        log.believed("--witness", w.key)


def storing_that_fails_or_dies_loses_nothing(place):
    """At its nth call that may change something `ambit` dies, or is refused: kept is the cosignature before or the new one, and the next asking goes on."""
    if sanitized(place.ambit):
        raise Skip("strace stops a program of a build without sanitizers")
    need("strace")
    log, trace, tried = Ledger(place).write(10), os.path.join(place.fresh(), "trace"), {}
    with Witness(place, log) as w:
        cosigned(log, w)
        faults = [(call, "signal=KILL") for call in ("mkdirat", "unlinkat", "openat", "write", "fsync", "renameat")]
        faults += [("write", "error=ENOSPC"), ("fsync", "error=EIO"), ("renameat", "error=EROFS"), ("openat", "error=EMFILE")]
        for call, fault in faults:
            step = 4 if call in ("openat", "write") and "AMBIT_SOAK" not in os.environ else 1
            for n in range(1, 1000, step):
                log.write(1)
                before = kept(w)
                place.run("strace", "-qq", "-o", trace, "-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={n}", place.ambit, "ledger", "witness",
                          "--ledger", log.dir, cwd=place.top)
                with open(trace, encoding="utf-8") as file:
                    hit = re.search(r"INJECTED|killed by SIGKILL", file.read())
                assert kept(w) == before or kept(w).startswith(text_of(log)), (call, fault, n)
                log.believed("--witness", w.key)
                if not hit:
                    break
                tried[call] = tried.get(call, 0) + 1
                again = ask(log)
                assert again.returncode == 0 and kept(w).startswith(text_of(log)), told(again)
                assert os.listdir(os.path.dirname(w.file())) == [os.path.basename(w.file())], (call, fault, n)
    print(f"# tried: {tried}", flush=True)
    assert tried["renameat"] >= 2 and tried["fsync"] >= 4 and tried["write"] > 1, tried


def a_rotation_while_a_witness_is_asked(place):
    """What it cosigned is of the log that it was asked about, and goes with that one."""
    ledger = Rotated(place).begin()
    ledger.entries()
    asked, go = threading.Event(), threading.Event()
    of_log = types.SimpleNamespace(dir=f"{ledger.dir}/past/1", key=ledger.key(), get=None)
    w = Witness(place, of_log)

    def answer(connection, request):
        text = request.split(b"\r\n\r\n", 1)[1].split(b"\n\n", 1)[1].decode().split("\n\n")[0] + "\n"
        asked.set()
        go.wait(PATIENCE)
        says(w.line(text, int(time.time())))(connection, request)

    with hostile(answer) as server:
        words = [place.ambit, "ledger", "witness", "--ledger", ledger.dir]
        asking = subprocess.Popen([*words, "--url", server.url, "--key", w.key], env=place.environment(), cwd=place.top, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
        assert asked.wait(PATIENCE)
        old = ledger.key()
        ledger.rotate()
        go.set()
        out = asking.communicate(timeout=PATIENCE)[0]
        assert asking.returncode == 0, out
        assert kept(w).startswith(old.split("+")[0] + "\n"), kept(w)
        done = place.run(place.ambit, "ledger", "verify", "--json", "--witness", w.key, "--ledger", f"{ledger.dir}/past/1", cwd=place.top)
        assert done.returncode == 0 and [c["name"] for c in json.loads(done.stdout)["cosigned"]] == [NAME], told(done)
        page = ledger.ambit("report", "--text").stdout
        assert re.search(rf"\npast/1 +\d+  20\S+ \S+Z +{NAME} ", page), page
        assert ledger.verified()["cosigned"] == []
        ledger.event()
        ledger.entries()
        done = place.run(*words, cwd=place.top)
        assert done.returncode == 0, told(done)  # the list goes on with the ledger
        assert [c["name"] for c in ledger.verified("--witness", w.key)["cosigned"]] == [NAME]


# ---- TLS ----


def certificates(place):
    """An authority, and what it vouches for: this address, and another name; and one that nobody vouches for."""
    need("openssl")
    top = place.fresh()

    def openssl(*words):
        done = place.run("openssl", *words, cwd=top)
        assert done.returncode == 0, told(done)

    def request(name):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}",
                *(["-addext", "subjectAltName=IP:127.0.0.1"] if name == "self" else []))

    request("authority")
    request("self")
    for name, alt in (("good", "IP:127.0.0.1"), ("other", "DNS:other.test")):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        with open(os.path.join(top, "ext"), "w", encoding="ascii") as file:
            file.write(f"subjectAltName={alt}\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial", "-days", "2", "-extfile", "ext", "-out", f"{name}.pem")
    return lambda name: tuple(os.path.join(top, f"{name}.{kind}") for kind in ("pem", "key"))


def tls_is_verified(place):
    made = certificates(place)
    log = Ledger(place).write(30)
    before = dict(place.settings)
    try:
        place.settings["SSL_CERT_FILE"] = made("authority")[0]
        for name, said in (("other", "certificate is not that of this name"), ("self", "certificate is not that of this name")):
            with Witness(place, log, tls=made(name)) as w:
                refused(ask(log, "--url", w.url, "--key", w.key), 125, said)
        with Witness(place, log, tls=made("good")) as w:
            cosigned(log, w)
            log.believed("--witness", w.key)
            place.settings["SSL_CERT_FILE"] = made("self")[0]
            refused(ask(log), 125, "certificate is not that of this name")
            place.settings["SSL_CERT_FILE"] = "/nowhere"
            refused(ask(log), 125, "cannot read the authorities in /nowhere")
            del place.settings["SSL_CERT_FILE"]
            refused(ask(log), 125)  # the machine's authorities, or none
            refused(ask(log, "--url", w.url.replace("https", "http"), "--key", w.key), 125, "did not understand")
        place.settings["SSL_CERT_FILE"] = made("authority")[0]
        with Witness(place, log) as plain:
            refused(ask(log, "--url", plain.url.replace("http", "https"), "--key", w.key), 125, "not TLS")
    finally:
        place.settings = before


# ---- the role ----


def a_witness_that_takes_over_the_role_has_nothing(place):
    """A program that tries it in the place of the role; and the same outside, where all of it can be done."""
    log = Ledger(place).write(10)
    log.put("ledger.key", b"secret", at=log.dir)
    log.put("witnesses", b"", at=log.dir)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as door:
        path = f"/{door.getsockname()[1]}{log.dir}"
        answers = ["connect", "log", "key", "kept", "passwd", "files", "fork"]

        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        line, end = socket.socketpair()
        with mine, its, line, end:
            text = lambda s: struct.pack("<I", len(s)) + s.encode()
            packet = b"AWI1" + struct.pack("<I", 0) + text("127.0.0.1") + text("80") + text(path) + struct.pack("<QQ", 0, 0) + text("") + struct.pack("<I", 0) + text("x")
            mine.sendmsg([packet], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [end.fileno()]))])
            done = subprocess.run([probe(place)], stdin=its, timeout=30, check=False)
            end.close()
            said = line.makefile().read()
            assert done.returncode == 0 and said == "".join(f"{what} yes\n" for what in answers), said

        top = place.fresh()
        ambit = copy_executables(place.ambit, os.path.join(top, "bin"))
        shutil.copy(probe(place), os.path.join(top, "bin", "ambit-witness"))
        heard = []
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
            listener = threading.Thread(target=lambda: heard.append(server.accept()[0].makefile().read()), daemon=True)
            listener.start()
            done = place.run(ambit, "ledger", "witness", "--ledger", log.dir, "--url", f"http://127.0.0.1:{server.getsockname()[1]}{path}",
                             "--key", Witness(place, log).key, cwd=place.top)
            listener.join(30)
        refused(done, 125, "ambit-witness says has another form")
        shown = {"passwd", "files"} if sanitized(ambit) else set()  # such a build's roles are not static, and have what the system has
        assert heard == ["".join(f"{what} {'yes' if what in shown else 'no'}\n" for what in answers)], heard


if __name__ == "__main__":
    main([
        what_every_user_needs_is_there, a_witness_cosigns_and_goes_on, what_is_cosigned_is_backed_up, whose_key_it_is_is_told, witnesses_are_remembered_listed_and_forgotten, words_that_make_no_sense_are_refused,
        a_log_that_was_rewritten_is_found, a_log_that_was_rolled_back_is_found, what_is_none_of_it_is_a_fault, a_quorum_is_enough,
        a_proof_carries_the_cosignatures, what_a_hostile_witness_answers_does_nothing, a_slow_witness_is_not_waited_for,
        what_is_kept_is_never_replaced_by_an_older_one, two_who_ask_at_once_wait_for_each_other, storing_that_fails_or_dies_loses_nothing,
        a_rotation_while_a_witness_is_asked, tls_is_verified,
        a_witness_that_takes_over_the_role_has_nothing,
    ])
