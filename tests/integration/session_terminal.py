#!/usr/bin/env python3
"""An event of a session on a person's terminal: `ambit run --session S -- vi`. session_terminal.py AMBIT. Speaks TAP; as root also as an ordinary user.

The test plays the person's terminal (harness.Terminal); what the session keeps is looked at by `ambit events` and by messages of our own making."""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import termios
import time

from harness import PATIENCE, SLOW, Terminal, always, expect_ok, main, need, rooted, told, write
from sessions import FILES, FOLLOW, OVER, Served, channel_to, of_event, processes_in, state_of


def on_terminal(s, session, *words, rows=24, columns=80, env=None):
    return Terminal([s.place.ambit, "run", "--session", session, *words], s.tree, {**s.environment, **(env or {})}, rows, columns)


def outer_shell(s, prompt="ready> "):
    """A shell of the person's, in which `ambit` is one command of many."""
    path = os.path.dirname(s.place.ambit) + ":" + s.environment["PATH"]
    t = Terminal(["bash", "--norc", "--noprofile", "-i"], s.tree, {**s.environment, "PATH": path, "PS1": "\\n" + prompt})
    t.until(prompt)
    return t


def is_cooked(t):
    """The person's terminal echoes and gives lines, as it did."""
    return t.attributes()[3] & (termios.ICANON | termios.ECHO | termios.ISIG) == termios.ICANON | termios.ECHO | termios.ISIG


def kept(s, session, n):
    """What the session has of what the event wrote."""
    client, channel = channel_to(s, session)
    with contextlib.closing(client), contextlib.closing(channel):
        what, _, fds = channel.ask(FOLLOW, of_event(1, n))
        assert what == FILES, what
        out = b""
        while piece := os.pread(fds[0], 1 << 20, len(out)):
            out += piece
        for fd in fds:
            os.close(fd)
    return out


def row_of(s, session, n):
    return next((r for r in s.events(session) if r["n"] == n), {"state": "not there"})


def until_state(s, session, n, state):
    return s.until(lambda: (r := row_of(s, session, n))["state"] == state and r, f"event {n} is {state}")


# ---- what a program has ----


@always
def a_program_has_a_terminal_of_that_size_and_kind(place):
    with Served(place) as s:
        session = s.session()
        with on_terminal(s, session, "--", "sh", "-c", "stty size; echo $TERM; tty; for i in 0 1 2; do test -t $i || echo none $i; done; echo en''d", rows=31, columns=97,
                         env={"TERM": "screen-256color"}) as t:
            shown = t.until("end").string.decode()
            assert re.search(r"31 97\n+screen-256color\n+/dev/pts/\d+\n+end", shown), shown
            assert t.end() == 0 and is_cooked(t), t.status


def what_is_typed_is_the_programs(place):
    with Served(place) as s:
        session = s.session()
        with on_terminal(s, session, "--", "sh", "-c", "stty raw -echo; echo r''eady; dd bs=1 count=4 2>/dev/null | od -An -tx1; stty sane; read x; echo got $x") as t:
            t.until("ready")
            t.type("\x03\x1a\x04\x1c")  # keys, and no signals to anybody
            t.until("03 1a 04 1c")
            t.type("a line\n")
            t.until("got a line")
            assert t.end() == 0 and is_cooked(t), t.status


# A shell's trap loses a signal that comes while it runs.
SHOWS_SIZE = """import os, signal
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH})
print("rea" + "dy", flush=True)
while signal.sigwait({signal.SIGWINCH}):
    print(*reversed(os.get_terminal_size()), flush=True)
"""


def the_window_changes(place):
    with Served(place) as s:
        session = s.session()
        with on_terminal(s, session, "--", "python3", "-c", SHOWS_SIZE) as t:
            t.until("ready")
            t.size(40, 101)
            t.until("40 101")
            for i in range(60):
                t.size(20 + i, 90)
            t.until("79 90")
            t.type("\x03")
            assert t.end() == 130, t.status


def a_window_that_changed_before_its_turn(place):
    """The event waits while another runs: it has the size of when it begins."""
    with Served(place) as s:
        session = s.session()
        first = s.start("run", "--session", session, "--", "sh", "-c", "echo begun; cat", stdin=subprocess.PIPE)
        assert first.stdout.readline() == "begun\n"
        with on_terminal(s, session, "--", "sh", "-c", "until test \"$(stty size)\" = '33 77'; do sleep 0.05; done; echo as i''s") as t:
            until_state(s, session, 2, "waits")
            t.size(33, 77)
            first.stdin.close()
            t.until("as is")
            assert t.end() == 0, t.status
        first.wait()


def ctrl_C_goes_through_the_terminal(place):
    with Served(place) as s:
        session = s.session()
        with on_terminal(s, session, "--", "sh", "-c", "trap 'echo c''aught; exit 9' INT; echo r''eady; while :; do sleep 0.1; done") as t:
            t.until("ready")
            t.type("\x03")
            t.until("caught")
            assert t.end() == 9 and is_cooked(t), t.status


def ctrl_C_before_its_turn_ends_the_waiting(place):
    with Served(place) as s:
        session = s.session()
        first = s.start("run", "--session", session, "--", "sh", "-c", "echo begun; cat", stdin=subprocess.PIPE)
        assert first.stdout.readline() == "begun\n"
        with on_terminal(s, session, "--", "sh", "-c", "echo r''an") as t:
            until_state(s, session, 2, "waits")
            assert is_cooked(t), "it has the keys, and nobody reads them"
            t.type("\x03")
            assert t.end() == 137 and b"ran" not in t.shown(), (t.status, t.shown())
        first.stdin.close()
        first.wait()
        assert row_of(s, session, 2)["cause"] == "killed", s.events(session)


def a_signal_before_its_turn_ends_the_waiting(place):
    """Also where there is no terminal."""
    with Served(place) as s:
        session = s.session()
        first = s.start("run", "--session", session, "--", "sh", "-c", "echo begun; cat", stdin=subprocess.PIPE)
        assert first.stdout.readline() == "begun\n"
        second = s.start("run", "--session", session, "--", "echo", "ran")
        until_state(s, session, 2, "waits")
        second.terminate()
        out, _ = second.communicate(timeout=SLOW * PATIENCE)
        assert (second.returncode, out) == (137, "") and row_of(s, session, 2)["cause"] == "killed", (second.returncode, out)
        first.stdin.close()
        first.wait()


def a_record_is_written(place):
    """Whatever is told of the event besides."""
    with Served(place) as s:
        session = s.session()
        for _ in range(5):
            with on_terminal(s, session, "--record", "record", "--", "echo", "said") as t:
                t.until("said")
                assert t.end() == 0, t.seen
            with open(f"{s.tree}/record", encoding="utf-8") as file:
                assert json.load(file)["outcome"]["exit"] == 0
            os.unlink(f"{s.tree}/record")
            result = s.ambit("run", "--session", session, "--json", "--", "true")
            assert json.loads(result.stdout)["outcome"]["exit"] == 0, told(result)


def a_record_comes_though_something_else_is_answered_first(place):
    """The event is over, and a signal is passed on, before the client looks: that the event cannot have it is answered before the record."""
    with Served(place) as s:
        session = s.session()
        client = s.start("run", "--session", session, "--json", "--", "sh", "-c", "echo begun; sleep 0.5")
        assert client.stderr.readline() == "begun\n"
        os.kill(client.pid, signal.SIGSTOP)
        until_state(s, session, 1, "over")
        os.kill(client.pid, signal.SIGUSR1)
        os.kill(client.pid, signal.SIGCONT)
        record, said = client.stdout.read(), client.stderr.read()
        assert client.wait() == 0 and json.loads(record)["outcome"]["exit"] == 0, (record, said)


def vim_edits_a_file(place):
    need("vim")
    with Served(place) as s:
        session = s.session("--work", ".")
        write(f"{s.tree}/text", "one\ntwo\n")
        with on_terminal(s, session, "--", "vim", "-u", "NONE", "-N", "text") as t:
            t.until("two")
            t.type("Gothree\x1b")
            t.until("three")
            t.type(":wq\r")
            assert t.end() == 0 and is_cooked(t), (t.status, t.shown())
        assert open(f"{s.tree}/text", encoding="utf-8").read() == "one\ntwo\nthree\n"
        assert b"\x1b[?1049l" in t.seen, "the alternate screen stays"


# ---- what reaches the person's terminal ----

HOSTILE = r"printf '\033]0;title\007\033]52;c;aGk=\007\033[31mred\033[0m\033[21t\005\0337\033P+q544e\033\\\033[5n\033[?1003h'; printf 'do''ne\n'"


@always
def control_sequences_pass_the_filter(place):
    with Served(place) as s:
        session = s.session()
        with on_terminal(s, session, "--", "sh", "-c", HOSTILE) as t:
            t.until("done")
            assert t.end() == 0, t.status
        for never in (b"\x1b]", b"title", b"aGk=", b"\x1b[21t", b"\x05", b"\x1bP"):
            assert never not in t.seen, (never, t.seen)
        assert re.search(rb"\x1b\[31mred\x1b\[0?m", t.seen), t.seen
        assert t.seen.count(b"\x1b[5n") == 1, f"not the relay's alone: {t.seen}"
        assert re.search(rb"done\r\n\x1b\[\?[0-9;]*1003[0-9;]*l", t.seen), f"what lasts stays: {t.seen}"
        assert b"\x1b]52;c;aGk=\x07" in kept(s, session, 1), "the twin: it did write them"


def what_came_before_anybody_looked_is_shown_as_it_is(place):
    """Of a program that is over at once."""
    with Served(place) as s:
        session = s.session()
        for _ in range(5):
            with on_terminal(s, session, "--", "printf", "\\033[32mgreen\\033[0m\\n") as t:
                t.until("green")
                assert t.end() == 0 and b"\x1b[32mgreen" in t.seen, t.seen


def much_output_is_shown_whole(place):
    with Served(place) as s:
        session = s.session()
        with on_terminal(s, session, "--", "sh", "-c", "seq 1 200000; echo e''nd") as t:
            assert t.end(seconds=60) == 0, t.status
        assert re.sub(rb"\r+\n", b"\n", t.seen).startswith(b"".join(b"%d\n" % i for i in range(1, 200001))), t.seen[:200]


def without_a_terminal_it_has_none(place):
    """Whatever of the three is no terminal, and with --no-pty or a key: as it was."""
    with Served(place) as s:
        session = s.session()
        other, others = pty.openpty()
        look = ("sh", "-c", "for i in 0 1 2; do test -t $i && echo is; done; printf '\\033[31mred\\n'; echo e''nd")
        for before, after in (("--no-pty ", ""), ("--key k ", ""), ("", " 2>/dev/null"), ("", " </dev/null"), ("", f" 2>{os.ttyname(others)}")):
            command = f"{place.ambit} run --session {session} {before}-- \"$@\"{after}"
            with Terminal(["sh", "-c", command, "sh", *look], s.tree, s.environment) as t:
                t.until("end")
                assert t.end() == 0, (command, t.seen)
            assert b"\x1b[31m" not in t.seen and b"red" in t.seen and b"is\r" not in t.seen, (command, t.seen)
        result = expect_ok(s.ambit("run", "--session", session, "--", *look))
        assert result.stdout == "\x1b[31mred\nend\n", told(result)
        with on_terminal(s, session, "--", *look) as t:
            t.until("end")
            assert t.end() == 0 and t.seen.count(b"is\r\n") == 3, f"the twin has one: {t.seen}"
        os.close(other)
        os.close(others)


def the_same_key_has_its_effect_once_whatever_the_window(place):
    with Served(place) as s:
        session = s.session("--work", ".")
        for rows in (24, 50):
            with on_terminal(s, session, "--key", "k", "--", "sh", "-c", "echo x >> log; echo e''nd", rows=rows) as t:
                t.until("end")
                assert t.end() == 0, t.seen
        assert open(f"{s.tree}/log", encoding="utf-8").read() == "x\n"


# ---- who leaves ----


@always
def a_client_that_is_killed_leaves_the_event(place):
    """By a hangup, as when the window is closed, and by what nobody can catch; each time the event goes on, and can be found, followed and written to."""
    with Served(place) as s:
        session = s.session("--work", ".")
        for n, number in enumerate((signal.SIGHUP, signal.SIGKILL), 1):
            with on_terminal(s, session, "--", "sh", "-c", "echo r''eady; read x; echo got $x; echo $x > said") as t:
                t.until("ready")
                assert not is_cooked(t)
                os.kill(t.pid, number)
                assert t.end() == 128 + number, t.status
                assert number == signal.SIGKILL or is_cooked(t), "the terminal is not as it was"
                t.type("typed to nobody\n")
            assert row_of(s, session, n)["state"] == "runs", s.events(session)
            follower = s.start("events", "--follow", "--json", session)
            while f'"n":{n},' not in (line := follower.stdout.readline()):
                assert line, follower.stderr.read()
            assert '"state":"runs"' in line, line
            client, channel = channel_to(s, session)
            what, _, fds = channel.ask(FOLLOW, of_event(1, n, a=1))
            assert what == FILES and len(fds) == 3, (what, fds)
            os.write(fds[2], b"later\n")
            while channel.receive()[0] != OVER:
                pass
            assert b"got later" in os.pread(fds[0], 1000, 0)
            for fd in fds:
                os.close(fd)
            channel.close()
            client.close()
            while '"state":"over"' not in (line := follower.stdout.readline()):
                assert line, follower.stderr.read()
            follower.kill()
            follower.communicate()
            assert open(f"{s.tree}/said", encoding="utf-8").read() == "later\n"


def a_window_that_is_closed_leaves_the_event(place):
    with Served(place) as s:
        session = s.session()
        with on_terminal(s, session, "--", "sh", "-c", "echo r''eady; exec sleep 1000") as t:
            t.until("ready")
            os.close(t.fd)
            t.fd = os.open("/dev/null", os.O_RDWR)
            end = time.monotonic() + SLOW * PATIENCE
            while os.waitpid(t.pid, os.WNOHANG)[0] == 0:
                assert time.monotonic() < end, "the client stays"
                time.sleep(0.02)
            t.pid = 0
        assert row_of(s, session, 1)["state"] == "runs", s.events(session)


def a_signal_that_ends_the_program_gives_the_terminal_back(place):
    with Served(place) as s:
        session = s.session()
        for number in (signal.SIGTERM, signal.SIGQUIT):
            with on_terminal(s, session, "--", "sh", "-c", "stty raw -echo; echo r''eady; exec sleep 1000") as t:
                t.until("ready")
                os.kill(t.pid, number)
                assert t.end() == 128 + number and is_cooked(t), t.status


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


def a_relay_that_dies_leaves_the_event(place):
    with Served(place) as s:
        session = s.session()
        with on_terminal(s, session, "--", "sh", "-c", "echo r''eady; exec sleep 1000") as t:
            t.until("ready")
            relay, = children_of(t.pid)
            os.kill(relay, signal.SIGKILL)
            t.until("the event goes on")
            assert t.end() == 125 and is_cooked(t), t.status
        assert row_of(s, session, 1)["state"] == "runs", s.events(session)


def a_session_that_goes_lets_go_of_the_terminal(place):
    with Served(place) as s:
        session = s.session()
        with on_terminal(s, session, "--", "sh", "-c", "echo r''eady; exec sleep 1000") as t:
            t.until("ready")
            s.kill()
            t.until("was interrupted")
            assert t.end() == 125 and is_cooked(t), t.status


# ---- job control ----

TICKS = "import time\nwhile True:\n    print('tick', flush=True)\n    time.sleep(0.05)\n"


@always
def ctrl_Z_stops_ambit_and_the_program(place):
    need("bash")
    with Served(place) as s:
        session = s.session("--read", ".")
        write(f"{s.tree}/ticks", TICKS)
        with outer_shell(s) as t:
            t.type(f"ambit run --session {session} -- python3 ticks\n")
            for _ in range(2):
                t.until("tick\ntick\n")
                t.type("\x1a")
                t.until(r"\[1\]\+ +Stopped +ambit run.*ready> ")
                assert "stopped" in s.ambit("ps").stdout and row_of(s, session, 1)["stopped"], "nobody is told that it is stopped"
                t.type("sleep 0.5; stty -a; echo sl''ept\n")
                shown = t.until("slept").string
                assert b"tick" not in shown and b" icanon" in shown and b" echo " in shown, shown
                t.type("fg\n")
            t.until("ambit run.*tick\ntick\n")
            assert not row_of(s, session, 1)["stopped"], s.events(session)
            t.type("\x03")
            t.until("ready> ")
            t.type("exit\n")
            t.end()
        assert row_of(s, session, 1)["exit"] == 130, s.events(session)


def ctrl_Z_before_its_turn_stops_ambit_alone(place):
    need("bash")
    with Served(place) as s:
        session = s.session()
        first = s.start("run", "--session", session, "--", "sh", "-c", "echo begun; cat", stdin=subprocess.PIPE)
        assert first.stdout.readline() == "begun\n"
        with outer_shell(s) as t:
            t.type(f"ambit run --session {session} -- sh -c \"echo r''an\"\n")
            until_state(s, session, 2, "waits")
            t.type("\x1a")
            t.until(r"Stopped +ambit run.*ready> ")
            first.stdin.close()
            first.wait()
            t.type("fg\n")
            t.until("ran.*ready> ")
            t.type("exit\n")
            t.end()


def stopped_from_outside_both_stop(place):
    need("bash")
    with Served(place) as s:
        session = s.session("--read", ".")
        write(f"{s.tree}/ticks", TICKS)
        with outer_shell(s) as t:
            t.type(f"ambit run --session {session} -- python3 ticks\n")
            t.until("tick\ntick\n")
            pid = next(p for p in processes_in(s.run_dir) if session in open(f"/proc/{p}/cmdline", encoding="utf-8").read() and
                       "\0run\0" in open(f"/proc/{p}/cmdline", encoding="utf-8").read())
            os.kill(pid, signal.SIGTSTP)
            t.until(r"Stopped +ambit run.*ready> ")
            assert row_of(s, session, 1)["stopped"], s.events(session)
            t.type("fg\n")
            t.until("ambit run.*tick\ntick\n")
            t.type("\x03")
            t.until("ready> ")
            t.type("exit\n")
            t.end()


def a_shell_in_it_has_job_control_of_its_own(place):
    need("bash")
    with Served(place) as s:
        session = s.session()
        with on_terminal(s, session, "--", "bash", "--norc", "-i", env={"PS1": "x"}) as t:
            t.type("echo be''gun\n")
            t.until("begun")
            t.type("sleep 1000\n")
            t.until("sleep 1000")
            time.sleep(0.3)
            t.type("\x1a")
            t.until("Stopped +sleep 1000")
            t.type("kill %1; exit 5\n")
            t.until("exit")
            with contextlib.suppress(OSError):
                t.type("exit 5\n")  # told of stopped jobs, it asks twice
            assert t.end() == 5, t.status


# ---- what the session holds ----

REOPENS = """import os, time
for fd in (0, 1, 2):
    os.close(fd)
os.closerange(3, 100)
time.sleep(0.5)
for fd in (0, 1, 2):
    os.open("/dev/tty", os.O_RDWR)
print("opened anew", flush=True)
print("read", input(), flush=True)
"""


@always
def a_program_that_closes_its_terminal_for_a_moment_has_it_again(place):
    with Served(place) as s:
        session = s.session("--read", ".")
        write(f"{s.tree}/reopens", REOPENS)
        with on_terminal(s, session, "--", "python3", "reopens") as t:
            t.until("opened anew")
            t.type("what is typed\n")
            t.until("read what is typed")
            assert t.end() == 0, t.status


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def role_of(s):
    """The session's process."""
    return next(p for p in processes_in(s.run_dir) if open(f"/proc/{p}/comm", encoding="utf-8").read().startswith("ambit-session"))


def a_terminal_that_nobody_has_open_costs_nothing(place):
    with Served(place) as s:
        session = s.session("--read", ".")
        write(f"{s.tree}/closes", "import os, time\nprint('ready', flush=True)\ntime.sleep(0.3)\nos.closerange(0, 100)\ntime.sleep(3)\n")
        with on_terminal(s, session, "--", "python3", "closes") as t:
            t.until("ready")
            time.sleep(0.5)
            role, before = role_of(s), processor_seconds(role_of(s))
            time.sleep(2)
            assert state_of(role) != "Z" and processor_seconds(role) - before < 0.5, processor_seconds(role) - before
            assert t.end() == 0, t.status


@rooted
@always
def a_full_disk_ends_the_event_and_is_told(place):
    with Served(place) as s:
        state = os.path.join(s.home, ".local", "state", "ambit", "sessions")
        os.makedirs(state, mode=0o700)
        expect_ok(place.run("mount", "-t", "tmpfs", "-o", "size=1M,mode=0700", "tmpfs", state, cwd=s.home))
        try:
            session = s.session()
            with on_terminal(s, session, "--", "sh", "-c", "while :; do seq 1 10000; done") as t:
                assert t.end(seconds=60) == 125 and is_cooked(t), (t.status, t.seen[-500:])
                assert b"not all kept: No space left on device" in t.seen, t.seen[-500:]
            row = row_of(s, session, 1)
            assert row["cause"] == "limit" and "No space left" in row["message"] and row["stdout"] > 1 << 18, row
            s.until(lambda: not [p for p in processes_in(s.run_dir) if "seq" in open(f"/proc/{p}/comm", encoding="utf-8").read()], "the program goes")
        finally:
            s.__exit__()
            place.run("umount", "-l", state, cwd=s.home)


def a_limit_of_output_ends_it(place):
    with Served(place) as s:
        session = s.session()
        with on_terminal(s, session, "--limit", "output=200K", "--", "sh", "-c", "while :; do seq 1 10000; done") as t:
            assert t.end(seconds=60) == 125 and is_cooked(t), t.status
            assert b"limit output" in t.seen, t.seen[-500:]
        assert row_of(s, session, 1)["cause"] == "limit"


if __name__ == "__main__":
    main([a_program_has_a_terminal_of_that_size_and_kind, what_is_typed_is_the_programs, the_window_changes, a_window_that_changed_before_its_turn,
          ctrl_C_goes_through_the_terminal, ctrl_C_before_its_turn_ends_the_waiting, a_signal_before_its_turn_ends_the_waiting, a_record_is_written,
          a_record_comes_though_something_else_is_answered_first, vim_edits_a_file, control_sequences_pass_the_filter,
          what_came_before_anybody_looked_is_shown_as_it_is, much_output_is_shown_whole, without_a_terminal_it_has_none,
          the_same_key_has_its_effect_once_whatever_the_window, a_client_that_is_killed_leaves_the_event, a_window_that_is_closed_leaves_the_event,
          a_signal_that_ends_the_program_gives_the_terminal_back, a_relay_that_dies_leaves_the_event, a_session_that_goes_lets_go_of_the_terminal, ctrl_Z_stops_ambit_and_the_program, ctrl_Z_before_its_turn_stops_ambit_alone,
          stopped_from_outside_both_stop, a_shell_in_it_has_job_control_of_its_own, a_program_that_closes_its_terminal_for_a_moment_has_it_again,
          a_terminal_that_nobody_has_open_costs_nothing, a_full_disk_ends_the_event_and_is_told, a_limit_of_output_ends_it])
