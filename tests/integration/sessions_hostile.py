#!/usr/bin/env python3
"""Who would hold the daemon or a session up, get more than is his, or spend what is not counted.

usage: sessions_hostile.py AMBIT    (TAP on standard output; as root everything runs a second time as an ordinary user)
"""

import contextlib
import fcntl
import json
import os
import random
import signal
import socket
import struct
import subprocess
import time

from harness import PATIENCE, SLOW, expect_ok, main, rooted, told
from sessions import DONE, FILES, FOLLOW, IS_OVER, LIST, NARROW, ROW, S_DONE, S_LIST, STATUS, TAKEN, TOLD, Native, Served, Spoken, above, channel_to, name, number, of_event, pid_of, state_of, take

CHANGED = 311  # wire/messages.def


def nap():
    """A command that nobody else runs."""
    return ("sleep", f"7{random.randrange(10**8)}")


def who_writes_to_a_program_waits_for_nobody(place):
    """Neither for the program, which does not read, nor for another client, who makes his end one that waits."""
    with Served(place) as s:
        session = s.session()
        _, channel = channel_to(s, session)
        assert take(channel, "sleep", "60", flags=2)[0] == TAKEN
        what, _, fds = channel.ask(FOLLOW, of_event(1, 1, 1))
        assert what == FILES and len(fds) == 3, (what, fds)
        fcntl.fcntl(fds[2], fcntl.F_SETFL, fcntl.fcntl(fds[2], fcntl.F_GETFL) & ~os.O_NONBLOCK)
        spoken = Spoken(s)
        spoken.ask("session.open", session=session)
        spoken.say("event.input", session=session, n=1, data="x" * (1 << 20))
        assert spoken.ask("daemon.status")["running_now"] == 1
        what, _, more = channel.ask(FOLLOW, of_event(2, 1, 1))
        assert what == FILES and fcntl.fcntl(more[2], fcntl.F_GETFL) & os.O_NONBLOCK, "the end of one who comes later waits"
        for fd in [*fds, *more]:
            os.close(fd)


def a_program_that_closed_its_input_is_followed(place):
    with Served(place) as s:
        session = s.session()
        _, channel = channel_to(s, session)
        assert take(channel, "sh", "-c", "exec <&-; echo closed; exec sleep 60", flags=2)[0] == TAKEN
        s.until(lambda: s.events(session)[0]["stdout"] == 7, "it closes")
        what, _, fds = channel.ask(FOLLOW, of_event(1, 1, 1))
        assert what == FILES and len(fds) == 3, (what, fds)
        with contextlib.suppress(BrokenPipeError):
            os.write(fds[2], b"x")
            raise AssertionError("somebody reads it")
        for fd in fds:
            os.close(fd)


def an_event_whose_supervisor_is_killed_counts(place):
    """Else a session's total is no bound for who can have them killed."""
    with Served(place) as s:
        session, words = s.session("--total-wall", "6s"), nap()
        client = s.start("run", "--session", session, "--", *words)
        supervisor = above(s.until(lambda: pid_of(*words), "it sleeps"), "ambit-supervisor")
        time.sleep(3)
        os.kill(supervisor, signal.SIGKILL)
        client.communicate(timeout=SLOW * PATIENCE)
        assert s.events(session)[0]["cause"] == "lost", s.events(session)
        begun = time.monotonic()
        result = s.ambit("run", "--session", session, "--", "sleep", "60")
        assert result.returncode == 124, told(result)
        assert time.monotonic() - begun < 4 * SLOW, "what was lost cost nothing"
        result = s.ambit("run", "--session", session, "--", "true")
        assert result.returncode == 125 and "all of its time" in result.stderr, told(result)
        s.kill()
        result = s.ambit("run", "--session", session, "--", "true")
        assert result.returncode == 125 and "all of its time" in result.stderr, told(result)


def a_list_ends_before_anything_else_is_answered(place):
    """A connection that is narrowed behind it is told no other session's row then."""
    with Served(place) as s:
        ids = [s.session() for _ in range(12)]
        client = Native(s)
        client.send(LIST, name(1, ""))
        client.send(STATUS, number(2))
        client.send(NARROW, name(3, ids[0]))
        client.send(STATUS, number(4))
        answers = [client.receive() for _ in range(16)]
        said = [(what, struct.unpack_from("<I", body)[0]) for what, body, _ in answers]
        assert said[:14] == [(ROW, 1)] * 12 + [(DONE, 1), (TOLD, 2)] and said[14] == (DONE, 3) and said[15][1] == 4, said
        expect_ok(s.ambit("run", "--session", ids[0], "--", "echo", "there"), "there\n")


def cells_that_do_not_end_hold_nobody_up(place):
    """Of clients that speak JSON: somebody stopped their supervisors, and the clients went."""
    with Served(place) as s:
        session = s.session()
        daemon, mine = s.status()["pid"], Native(s)
        spoken = [Spoken(s) for _ in range(12)]
        supervisors = sorted(held_by(daemon))[:len(spoken)]  # one more waits for the next client, and may not stand yet
        assert len(supervisors) >= len(spoken), supervisors
        try:
            for pid in supervisors:
                os.kill(pid, signal.SIGSTOP)
            for client in spoken:
                client.lines.close()
                client.sock.close()
            for i in range(1, 20):
                assert mine.ask(STATUS, number(i))[0] == TOLD
                time.sleep(0.02)
            expect_ok(s.ambit("run", "--session", session, "--", "echo", "there"), "there\n")
            assert Spoken(s).ask("daemon.status")["running_now"] == 0, "who speaks JSON is kept out, too"
            mine.close()
            os.kill(daemon, signal.SIGTERM)
            s.until(lambda: state_of(daemon) == "Z", "the daemon goes")
        finally:
            for pid in supervisors:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)


def in_a_row(ask, n):
    """How long so many requests take that are all answered. A few at a time are on the way."""
    begun = time.monotonic()
    for _ in range(n // 8):
        ask(8)
    return time.monotonic() - begun


def who_says_too_much_is_slowed(place):
    """And is told everything. Bounds are from below, so that no machine is too slow for them: at the pace of session/pace.h nothing is faster."""
    with Served(place) as s:
        session = s.session()
        client, (_, channel), spoken = Native(s), channel_to(s, session), Spoken(s)

        def asked(n):
            for i in range(n):
                client.send(STATUS, number(i + 1))
            assert [client.receive()[0] for _ in range(n)] == [TOLD] * n

        def listed(n):
            for i in range(n):
                channel.send(S_LIST, of_event(i + 1, 1))
                assert channel.receive()[0] == S_DONE

        def said(n):
            numbers = [spoken.say("daemon.status") for _ in range(n)]
            assert [spoken.hear()["id"] for _ in range(n)] == numbers

        assert in_a_row(asked, 2400) > 0.4, "the daemon hears more than 4000 a second"
        assert in_a_row(listed, 2400) > 0.4, "a session's process does"
        assert in_a_row(said, 2400) > 0.4, "the reader of JSON takes more than 4000 lines a second"
        begun = time.monotonic()
        spoken.sock.sendall(b'{"jsonrpc":"2.0","id":"' + b"x" * (3 << 20) + b'"}\n' + b'{"jsonrpc":"2.0","id":"' + b"x" * (3 << 20) + b'"}\n')
        assert "error" in spoken.hear() and "error" in spoken.hear()
        said(8)
        assert time.monotonic() - begun > 0.08, "a long line counts as one"
        spoken.sock.close()


def who_comes_again_and_again_waits(place):
    """For a cell of a reader of JSON each time; others come in meanwhile."""
    with Served(place) as s:
        s.session()
        begun = time.monotonic()
        for _ in range(80):
            spoken = Spoken(s)
            spoken.lines.close()
            spoken.sock.close()
        assert time.monotonic() - begun > 0.5, "more than 50 a second come in"
        assert Native(s).ask(STATUS, number(1))[0] == TOLD


def held_by(daemon):
    """The processes that it has a descriptor of: supervisors of its cells, and nobody else's."""
    found = []
    for fd in os.listdir(f"/proc/{daemon}/fdinfo"):
        with contextlib.suppress(OSError), open(f"/proc/{daemon}/fdinfo/{fd}", encoding="ascii") as file:
            found += [int(line.split()[1]) for line in file if line.startswith("Pid:")]
    return [pid for pid in found if pid > 0 and command_of(pid).startswith("ambit-superviso")]


def command_of(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="ascii", errors="replace") as file:
        return file.read().strip()
    return ""


def what_is_in_the_daemons_place_makes_nobody_wait(place):
    """Who has no home has it in /var/tmp, where another user may have been first: with a pipe that nobody writes to, or a place of his."""
    with Served(place) as s:
        sessions = f"{s.home}/.local/state/ambit/sessions"
        os.makedirs(sessions, mode=0o700)
        os.mkfifo(f"{sessions}/daemon.lock", 0o600)
        result = s.ambit("serve", "--status")
        assert result.returncode != 0 and "no daemon is there" in result.stderr, told(result)
        os.unlink(f"{sessions}/daemon.lock")
        s.session()
        elsewhere = {"XDG_RUNTIME_DIR": place.fresh()}
        os.chmod(elsewhere["XDG_RUNTIME_DIR"], 0o700)
        expect_ok(s.ambit("serve", "--status", env=elsewhere))
        if os.geteuid() == 0:
            os.chown(f"{sessions}/daemon.lock", 64124, 64124)
            result = s.ambit("serve", "--status", env=elsewhere)
            assert result.returncode != 0 and "no daemon is there" in result.stderr, told(result)
            os.chown(f"{sessions}/daemon.lock", 0, 0)


def the_first_process_of_a_container_leaves_no_dead(place):
    if os.geteuid() != 0:
        return  # root tries it
    with Served(place) as s:
        served = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", place.ambit, "serve"], cwd=s.tree, env=s.environment)
        try:
            s.until(lambda: os.path.exists(f"{s.run_dir}/ambit/native.sock"), "it listens")
            session = s.session()
            for _ in range(5):
                expect_ok(s.ambit("run", "--session", session, "--", "true"))
            with open(f"/proc/{served.pid}/task/{served.pid}/children", encoding="ascii") as file:
                first = int(file.read())

            def children():
                with open(f"/proc/{first}/task/{first}/children", encoding="ascii") as file:
                    return [int(pid) for pid in file.read().split()]

            assert children(), "none is the first one's: nothing was tried"
            s.until(lambda: not [pid for pid in children() if state_of(pid) == "Z"], "the dead go")
        finally:
            served.kill()
            served.wait()


def who_is_far_behind_hears_of_each_end(place):
    """Also who asks for those that run alone, beside."""
    with Served(place) as s:
        session = s.session()
        _, behind = channel_to(s, session)
        _, channel = channel_to(s, session)
        assert behind.ask(S_LIST, of_event(1, 1, 1))[0] == S_DONE
        assert behind.ask(S_LIST, of_event(2, 1, 2))[0] == S_DONE
        most = 150  # each changes three times, and 256 changes are kept for him
        for i in range(1, most + 1):
            assert take(channel, "true", request=i, flags=1)[0] == TAKEN
        s.until(lambda: all(r["state"] == "over" for r in s.events(session)), "all end")
        ends = set()  # some may be told twice: what he missed is kept as from where to where
        while len(ends) < most:
            what, body, _ = behind.receive()
            if what == CHANGED:
                n, state = struct.unpack_from("<QI", body)
                ends |= {n} if state == IS_OVER else set()


@rooted
def what_cannot_be_kept_of_output_is_told(place):
    """A full disk: else half of it would be all, and the event a success. Only that of sessions: what it changed needs room, too, and would be told as well."""
    with Served(place) as s:
        sessions = os.path.join(s.home, ".local", "state", "ambit", "sessions")
        os.makedirs(sessions, mode=0o700)
        expect_ok(place.run("mount", "-t", "tmpfs", "-o", "size=2M,mode=0700", "tmpfs", sessions, cwd=s.home))
        try:
            session = s.session("--work", ".")
            result = s.ambit("run", "--session", session, "--", "sh", "-c", "head -c 8000000 /dev/zero; echo x > done; exec sleep 60")
            assert result.returncode == 125 and "not all kept: No space left on device" in result.stderr, told(result)
            row = s.events(session)[0]
            assert row["cause"] == "limit" and row["stdout"] < 8000000 and not os.path.exists(f"{s.tree}/done"), row
            os.truncate(f"{sessions}/{session}/1.out", 0)
            expect_ok(s.ambit("run", "--session", session, "--", "sh", "-c", "echo said; echo x > done"), "said\n")
            assert os.path.exists(f"{s.tree}/done")
        finally:
            s.ambit("serve", "--stop")
            place.run("umount", sessions, cwd=s.home)


def a_stopped_supervisor_keeps_no_session(place):
    """Of an event that runs when the daemon goes: else the session's process would wait for it, with the session's lock, for ever."""
    with Served(place) as s:
        session, words = s.session(), nap()
        expect_ok(s.ambit("run", "--session", session, "--background", "--", *words))
        asleep = s.until(lambda: pid_of(*words), "it sleeps")
        supervisor = above(asleep, "ambit-supervisor")
        os.kill(supervisor, signal.SIGSTOP)
        try:
            s.kill()
            expect_ok(s.ambit("run", "--session", session, "--", "echo", "again"), "again\n")
            s.until(lambda: state_of(asleep) == "Z", "its program goes")
            assert s.events(session)[0]["state"] == "interrupted", s.events(session)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(supervisor, signal.SIGCONT)


def who_ended_while_somebody_came_is_not_there(place):
    """A daemon that was idle may end between a client's connect and its own first word: another one is started."""
    with Served(place) as s:
        at = os.path.join(s.run_dir, "ambit")
        os.mkdir(at, 0o700)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listens:
            listens.bind(os.path.join(at, "native.sock"))
            listens.listen()
            client = s.start("session", "new")
            came, _ = listens.accept()
            os.unlink(os.path.join(at, "native.sock"))
            came.close()
        said, complaint = client.communicate(timeout=SLOW * PATIENCE)
        assert client.returncode == 0 and said.startswith("s_"), complaint
        expect_ok(s.ambit("run", "--session", said.strip(), "--", "echo", "there"), "there\n")


def what_is_no_file_makes_nobody_wait(place):
    """A pipe where a session's description should be, and a name that whoever reads it would cut."""
    with Served(place) as s:
        session = s.session()
        sessions = os.path.join(s.home, ".local/state/ambit/sessions")
        s.kill()
        os.unlink(f"{sessions}/{session}/session")
        os.mkfifo(f"{sessions}/{session}/session")
        listed = json.loads(expect_ok(s.ambit("session", "list", "--json")).stdout)["sessions"]
        assert [(row["session"], row["state"]) for row in listed] == [(session, "broken")], listed
        s.kill()
        cut = os.path.join(s.home, "run\n2")
        os.mkdir(cut, 0o700)
        result = s.ambit("session", "list", env={"XDG_RUNTIME_DIR": cut})
        assert result.returncode == 125 and "line break" in result.stderr, told(result)


SCENARIOS = [who_ended_while_somebody_came_is_not_there, what_is_no_file_makes_nobody_wait, a_stopped_supervisor_keeps_no_session, who_is_far_behind_hears_of_each_end, what_cannot_be_kept_of_output_is_told, who_writes_to_a_program_waits_for_nobody, a_program_that_closed_its_input_is_followed, an_event_whose_supervisor_is_killed_counts,
             a_list_ends_before_anything_else_is_answered, cells_that_do_not_end_hold_nobody_up, who_says_too_much_is_slowed, who_comes_again_and_again_waits, what_is_in_the_daemons_place_makes_nobody_wait,
             the_first_process_of_a_container_leaves_no_dead]

if __name__ == "__main__":
    main(SCENARIOS)
