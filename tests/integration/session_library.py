#!/usr/bin/env python3
"""Products that have sessions by the library: with the daemon, without it, and with one that lies.

usage: session_library.py AMBIT HOST LIBRARY [TRACED]    (as host.py; tests/integration/host_session*.c are the product)
"""

import contextlib
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from harness import PATIENCE, SLOW, Skip, expect_ok, main, told
from host import variables
from sessions import (CHANNEL, DONE, FAILED, FILES, FOLLOW, GREW, HELLO, LIST, NEW, OPEN, OVER, PART, READY, ROW, RUN, RUNNING, S_DONE, S_LIST, S_PART, S_ROW, SEEN, SIGNAL,
                      TAKEN, Served, number)

RECORD, CLOSE = 292, 298  # wire/messages.def
GONE, PROTOCOL, CONFLICT = 14, 11, 13  # ambit/codes.h


def around(served):
    return {**variables(served.place, served.place.given(2)), **served.environment}


def host(served, *words, program=None, timeout=120):
    return subprocess.run([*(program or [served.place.given(1)]), "session", *words], cwd=served.tree, env=around(served), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, errors="replace", timeout=SLOW * timeout)


class Started:
    """The product while it runs."""

    def __init__(self, served, *words):
        self.process = subprocess.Popen([served.place.given(1), "session", *words], cwd=served.tree, env=around(served), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def line(self):
        return self.process.stdout.readline().strip()

    def ends_well(self, said=""):
        out, _ = self.process.communicate(said, timeout=SLOW * 120)
        assert self.process.returncode == 0 and out == "", f"status {self.process.returncode}: {out}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.communicate()


def done(name, promise):
    """A scenario of host_session.c, which says what is wrong."""
    def scenario(place):
        with Served(place) as s:
            result = host(s, name)
            assert (result.returncode, result.stdout) == (0, ""), told(result)
    scenario.__name__ = promise
    return scenario


# ---- killed ----


def a_product_that_was_killed_goes_on_from_a_byte(place):
    with Served(place) as s, Started(s, "begin") as first:
        session = first.line()
        s.until(lambda: s.events(session)[0]["stdout"] == 11, "it writes")
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait()
        assert s.events(session)[0]["state"] == "runs"
        expect_ok(host(s, "resume", session))
        assert len(s.events(session)) == 1


def a_daemon_that_was_killed_is_told_and_what_ran_is_interrupted(place):
    with Served(place) as s, Started(s, "interrupted") as product:
        assert product.line() == "up"
        s.kill()
        product.ends_well()


def a_daemon_that_becomes_another_program_is_not_noticed(place):
    with Served(place) as s, Started(s, "reloaded") as product:
        assert product.line() == "up"
        expect_ok(s.ambit("serve", "--reload"))
        product.ends_well("\n")


def nobody_is_started_who_is_not_asked_for(place):
    with Served(place) as s:
        expect_ok(host(s, "alone"))
        assert not os.path.exists(f"{s.run_dir}/ambit/native.sock")


def a_fork_holds_no_connection(place):
    with Served(place) as s, Started(s, "forked") as product:
        assert product.line() == "freed"
        s.until(lambda: s.status()["clients_now"] == 1, "the product's connection goes")  # the one left asks
        product.ends_well("\n")


# ---- threads ----


def threads_with_handles_of_their_own_share_nothing(place):
    """As ThreadSanitizer sees it, which ends with 66 where it saw a race."""
    if len(sys.argv) < 5:
        raise Skip("no ThreadSanitizer, or another one")
    with Served(place) as s:
        s.session()  # by helpers that are built as usual
        result = host(s, "threads", program=[place.given(3)], timeout=400)
        if "unexpected memory mapping" in result.stderr:  # it wants certain addresses free
            result = host(s, "threads", program=["/usr/bin/setarch", "-R", place.given(3)], timeout=400)
        assert (result.returncode, result.stdout) == (0, ""), told(result)


# ---- liars ----

SESSION = "s_01ARZ3NDEKTSV4RRFFQ69G5FAV"
EVENT = "e_01ARZ3NDEKTSV4RRFFQ69G5FAV"


def session_row(request, session=SESSION):
    return struct.pack("<IIQQI32s64s4096s", request, 1, 1, 0, 0, session.encode(), b"", b"/")


def ready(session=SESSION):
    return struct.pack("<QQ", 1, 1) + session_row(0, session)


def event_row(n):
    return struct.pack("<QIIQQQQQQII96x32s256sI512s512sI", n, 4, 0, 1, 1, 1, 0, 0, 0, 0, 0, EVENT.encode(), b"true", 0, b"", b"", 0)


REVISION = 8  # SESSION_REVISION


def hello(revision=REVISION, device=0):
    return struct.pack("<IIQQ32s", revision, os.getpid(), device, 0, b"0.1.0")


def message(what, body=b""):
    return struct.pack("<HH", what, 0) + body


def send(sock, what, body=b"", fds=()):
    socket.send_fds(sock, [message(what, body)], list(fds))


class Liar:
    """A daemon, and the process of a session, in the place of the real ones. `lies`: what it does instead, by the number of the message, or the word, that it answers."""

    def __init__(self, served, lies):
        self.lies, self.socks, self.stopping = lies, selectors.DefaultSelector(), False
        os.mkdir(f"{served.run_dir}/ambit", 0o700)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(f"{served.run_dir}/ambit/native.sock")
        self.listener.listen(1)
        self.path, self.waiting = f"{served.run_dir}/ambit/native.sock", []
        if "accept" in lies:
            self.fill()
        else:
            self.socks.register(self.listener, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def fill(self):
        """As many as may wait."""
        with contextlib.suppress(BlockingIOError):
            while True:
                sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
                self.waiting.append(sock)
                sock.connect(self.path)

    def run(self):
        while not self.stopping:
            for key, _ in self.socks.select(0.02):
                with contextlib.suppress(OSError):
                    self.hear(key.fileobj)

    def hear(self, sock):
        if sock is self.listener:
            sock, _ = self.listener.accept()
            sock.settimeout(5)
            self.socks.register(sock, selectors.EVENT_READ)
            self.answer("hello", sock, 0)
            return
        data = sock.recv(1 << 17)
        if not data:
            self.leave(sock)
        elif (what := struct.unpack_from("<H", data)[0]) not in (PART, S_PART, SEEN):
            self.answer(what, sock, struct.unpack_from("<I", data, 4)[0])

    def leave(self, sock):
        self.socks.unregister(sock)
        sock.close()

    def answer(self, what, sock, request):
        (self.lies.get(what) or TRUTH[what])(self, sock, request)

    def channel(self, sock, request):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(5)
        self.socks.register(ours, selectors.EVENT_READ)
        send(sock, CHANNEL, struct.pack("<I32s", request, SESSION.encode()), [theirs.fileno()])
        theirs.close()
        self.answer("ready", ours, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join()
        for key in list(self.socks.get_map().values()):
            key.fileobj.close()
        for sock in (*self.waiting, self.listener):
            sock.close()


def says(what, body=b"", fds=None):
    """body: bytes, or made of the request; fds: opens what goes along."""
    def answer(_, sock, request):
        with contextlib.ExitStack() as opened:
            send(sock, what, body(request) if callable(body) else body, [opened.enter_context(f).fileno() for f in (fds() if fds else ())])
    return answer


def silent(*_):
    """It never answers."""


def leaves(liar, sock, _):
    liar.leave(sock)


def too_long(what):
    def answer(_, sock, __):
        sock.send(message(what) + b"\0" * 70000)
    return answer


def without_end(what, body):
    """Until nobody takes it, which is long after the time for an answer."""
    def answer(_, sock, request):
        end = time.monotonic() + SLOW * 3
        while time.monotonic() < end:
            sock.send(message(what, body(request)))
    return answer


def several(*answers):
    def answer(liar, sock, request):
        for one in answers:
            one(liar, sock, request)
    return answer


def a_file():
    return tempfile.TemporaryFile()


def a_pipe(end):
    ends = os.pipe()
    os.close(ends[1 - end])
    return os.fdopen(ends[end], "wb" if end else "rb", 0)


def files():
    return a_file(), a_file(), a_pipe(1)


def signalled(liar, sock, request):
    """Then the event is over."""
    says(S_DONE, number(request))(liar, sock, request)
    liar.answer("over", sock, request)


TRUTH = {"hello": says(HELLO, hello()), LIST: says(DONE, number), NEW: Liar.channel, OPEN: Liar.channel, "ready": says(READY, ready()),
         RUN: says(TAKEN, lambda r: struct.pack("<IIQ32s", r, 0, 1, EVENT.encode())), S_LIST: says(S_DONE, number), FOLLOW: says(FILES, lambda r: number(r, 1), files),
         RECORD: says(FILES, lambda r: number(r, 1), lambda: (a_file(),)), SIGNAL: signalled, "over": says(OVER, event_row(1)), CLOSE: says(S_DONE, number)}


def taken(request, n=1, event=EVENT):
    return struct.pack("<IIQ32s", request, 0, n, event.encode())


def grew(_):
    return struct.pack("<QQQ", 1, 1, 1)


LIES = [
    ("the truth", {}, "all"),
    ("a place without room", {"accept": silent}, ("connect", GONE)),
    ("no word", {"hello": silent}, ("connect", GONE)),
    ("an end at once", {"hello": leaves}, ("connect", GONE)),
    ("half a word", {"hello": says(HELLO, hello()[:-1])}, ("connect", PROTOCOL)),
    ("a word without end", {"hello": too_long(HELLO)}, ("connect", PROTOCOL)),
    ("another revision", {"hello": says(HELLO, hello(revision=REVISION + 1))}, ("connect", PROTOCOL)),
    ("other sessions", {"hello": says(HELLO, hello(device=1))}, ("connect", CONFLICT)),
    ("what no daemon says", {"hello": says(NEW, number(1))}, ("connect", PROTOCOL)),
    ("no list", {LIST: silent}, ("list", GONE)),
    ("an end in a list", {LIST: leaves}, ("list", GONE)),
    ("another's answer", {LIST: says(DONE, lambda r: number(r + 1))}, ("list", PROTOCOL)),
    ("an answer again", {LIST: says(DONE, lambda r: number(r - 1))}, ("list", PROTOCOL)),
    ("a failure that says nothing", {LIST: says(FAILED, lambda r: struct.pack("<I", r))}, ("list", PROTOCOL)),
    ("a list without end", {LIST: without_end(ROW, session_row)}, ("list", PROTOCOL)),
    ("a row of nothing", {LIST: says(ROW, lambda r: session_row(r, "s_none"))}, ("list", PROTOCOL)),
    ("no session", {NEW: silent}, ("new", GONE)),
    ("a channel that is none", {NEW: says(CHANNEL, lambda r: struct.pack("<I32s", r, SESSION.encode()))}, ("new", PROTOCOL)),
    ("a channel that is a file", {NEW: says(CHANNEL, lambda r: struct.pack("<I32s", r, SESSION.encode()), lambda: (a_file(),))}, ("new", PROTOCOL)),
    ("a session that is silent", {"ready": silent}, ("new", GONE)),
    ("a session that goes", {"ready": leaves}, ("new", GONE)),
    ("a session that is another", {OPEN: several(Liar.channel), "ready": says(READY, ready(SESSION[:-1] + "W"))}, ("open", PROTOCOL)),
    ("no run", {RUN: silent}, ("run", GONE)),
    ("the session's end", {RUN: leaves}, ("run", GONE)),
    ("news without end", {RUN: without_end(GREW, grew)}, ("run", GONE)),
    ("rows for an answer", {RUN: says(S_ROW, event_row(1))}, ("run", PROTOCOL)),
    ("an event without a number", {RUN: says(TAKEN, lambda r: taken(r, n=0))}, ("run", PROTOCOL)),
    ("an event that is none", {RUN: says(TAKEN, lambda r: taken(r, event=SESSION))}, ("run", PROTOCOL)),
    ("another event", {RUN: says(TAKEN, lambda r: taken(r + 1))}, ("run", PROTOCOL)),
    ("events in disorder", {S_LIST: several(says(S_ROW, event_row(5)), says(S_ROW, event_row(3)))}, ("events", PROTOCOL)),
    ("events without end", {S_LIST: several(*(says(S_ROW, event_row(n)) for n in range(1, 67)))}, ("events", PROTOCOL)),
    ("no files", {FOLLOW: silent}, ("follow", GONE)),
    ("one file", {FOLLOW: says(FILES, lambda r: number(r, 1), lambda: (a_file(),))}, ("follow", PROTOCOL)),
    ("pipes for files", {FOLLOW: says(FILES, lambda r: number(r, 1), lambda: (a_pipe(0), a_pipe(0), a_pipe(1)))}, ("follow", PROTOCOL)),
    ("a file to write to", {FOLLOW: says(FILES, lambda r: number(r, 1), lambda: (a_file(), a_file(), a_file()))}, ("follow", PROTOCOL)),
    ("a record that has no end", {RECORD: says(FILES, lambda r: number(r, 1), lambda: (a_pipe(0),))}, ("record", PROTOCOL)),
    ("files for a signal", {SIGNAL: says(FILES, lambda r: number(r, 1), lambda: (a_file(),))}, ("signal", PROTOCOL)),
    ("half of news", {"over": says(GREW, grew(0)[:-1])}, ("wait", PROTOCOL)),
    ("news that are too long", {"over": too_long(GREW)}, ("wait", PROTOCOL)),
    ("an end of nothing", {"over": says(OVER, event_row(1)[:16] + b"\xff" * (1488 - 16))}, ("wait", PROTOCOL)),
    ("the session's end while it is waited for", {"over": leaves}, ("wait", GONE)),
    ("no end", {CLOSE: silent}, ("end", GONE)),
]


def a_daemon_that_lies_is_told_and_holds_nobody_up(place):
    wrong = []
    for name, lies, wanted in LIES:
        served = Served(place)
        with Liar(served, lies):
            result = host(served, "lied")
        said = "all" if wanted == "all" else f"{wanted[0]} {wanted[1]}"
        if (result.returncode, result.stdout.strip()) != (0, said):
            wrong.append(f"{name}: {said} was to be, and is {told(result)}")
    assert not wrong, "\n".join(wrong)


def a_daemon_that_stopped_holds_nobody_up(place):
    with Served(place) as s:
        s.session()
        pid = s.status()["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            assert host(s, "lied").stdout.strip() == f"connect {GONE}"
        finally:
            os.kill(pid, signal.SIGCONT)
        s.session()


def another_users_daemon_is_not_believed(place):
    if os.geteuid() != 0:
        raise Skip("it takes somebody else")
    code = ("import os, socket, sys, time\ns = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\ns.bind(sys.argv[1])\nos.setgid(64124); os.setuid(64124)\n"
            "s.listen(5)\nprint('listens', flush=True)\ntime.sleep(60)\n")
    served = Served(place)
    os.mkdir(f"{served.run_dir}/ambit", 0o700)
    with subprocess.Popen([sys.executable, "-c", code, f"{served.run_dir}/ambit/native.sock"], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "listens\n"
        result = host(served, "lied")
        other.kill()
    assert result.stdout.strip() == "connect 5", told(result)


SCENARIOS = [
    done("whole", "what_a_product_asks_is_done"), done("labels", "labels_of_what_is_given_come_out"), done("words", "words_and_sizes_that_cannot_be_are_told"), done("loop", "a_loop_copies_both_ways_and_never_waits"),
    done("asked", "what_is_told_while_something_is_asked_is_not_lost"), done("room", "room_for_input_is_told_once"),
    done("halted", "what_a_product_freezes_stands_until_it_thaws_or_kills_it"), done("large", "output_is_never_held_in_memory"), done("stack", "a_small_stack_is_enough"),
    done("broken-pipe", "a_reader_that_is_gone_raises_no_signal"), done("threads", "sixteen_threads_have_handles_of_their_own"),
    threads_with_handles_of_their_own_share_nothing, a_product_that_was_killed_goes_on_from_a_byte, a_daemon_that_was_killed_is_told_and_what_ran_is_interrupted,
    a_daemon_that_becomes_another_program_is_not_noticed, nobody_is_started_who_is_not_asked_for, a_fork_holds_no_connection, a_daemon_that_lies_is_told_and_holds_nobody_up, a_daemon_that_stopped_holds_nobody_up,
    another_users_daemon_is_not_believed,
]

if __name__ == "__main__":
    main(SCENARIOS)
