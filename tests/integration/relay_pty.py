#!/usr/bin/env python3
"""ambit-relay between two ptys: relay_pty.py RELAY PROBE. Speaks TAP.

The test plays the person's terminal (the master of the first pty) and the cell (the slave of the second)."""

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
import tty

RELAY, PROBE = sys.argv[1], sys.argv[2]
PATIENCE = 20  # seconds after which a thing that should happen counts as not happening


class Session:
    """A relay with its two ptys, and further descriptors as 4, 5, ..."""

    def __init__(self, *words, more=(), open_cell=True):
        self.terminal, terminal_slave = pty.openpty()
        tty.setraw(terminal_slave)
        if open_cell:
            master, self.cell = pty.openpty()
            tty.setraw(self.cell)
        else:
            master = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
            fcntl.ioctl(master, 0x40045431, b"\0\0\0\0")  # TIOCSPTLCK: unlock
            self.cell_name = self.name_of(master)
            self.cell = -1
        fds = [terminal_slave, terminal_slave, os.open("/dev/null", os.O_RDWR), master, *more]
        # Left open beyond its pairs, each by place(): the relay closes what is not its own, and the tests see that.
        self.process = subprocess.Popen([RELAY, *words], close_fds=False, stdin=subprocess.DEVNULL,
                                        preexec_fn=lambda: place(fds))
        self.slave = terminal_slave
        os.close(fds[2])
        os.close(master)
        for fd in more:
            os.close(fd)

    @staticmethod
    def name_of(master):
        number = bytearray(4)
        fcntl.ioctl(master, 0x80045430, number)  # TIOCGPTN
        return "/dev/pts/%d" % int.from_bytes(number, sys.byteorder)

    def type(self, data):
        os.write(self.terminal, data)

    def hang_up(self):
        os.close(self.cell)
        self.cell = -1

    def shown(self, until=None, length=None):
        return collect(self.terminal, until, length)

    def status(self):
        return self.process.wait(PATIENCE)

    def left_unread(self):
        """Bytes in the terminal's input that the person's shell would read."""
        os.set_blocking(self.slave, False)
        try:
            return os.read(self.slave, 4096)
        except BlockingIOError:
            return b""

    def until_read(self):
        """Waits until the relay has read all that was typed."""
        count, end = bytearray(4), time.monotonic() + PATIENCE
        while time.monotonic() < end:
            fcntl.ioctl(self.slave, termios.FIONREAD, count)
            if not any(count) and not select.select([], [], [], 0.02)[0]:
                return
        raise AssertionError("what was typed is not read")

    def until_asleep(self):
        """Waits until the relay waits."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with open(f"/proc/{self.process.pid}/stat") as f:
                if f.read().rsplit(") ", 1)[1][0] == "S":
                    return
        raise AssertionError("it never waits")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for fd in (self.terminal, self.slave, self.cell):
            if fd >= 0:
                os.close(fd)


def place(fds):
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in fds]  # inherited, too
    for number, fd in enumerate(high):
        os.dup2(fd, number, inheritable=True)


def collect(fd, until=None, length=None):
    """Reads until the text was seen, or so many bytes, or the end."""
    got, end = b"", time.monotonic() + PATIENCE
    while (until is None or until not in got) and (length is None or len(got) < length):
        if not select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
            raise AssertionError(f"waited in vain, got {got[-200:]!r}")
        try:
            piece = os.read(fd, 65536)
        except OSError:
            break
        if not piece:
            break
        got += piece
    return got


def equal(got, expected):
    if got != expected:
        raise AssertionError(f"got {got!r:.300}, expected {expected!r:.300}")


def true(what, told):
    if not what:
        raise AssertionError(told)


def fill(fd):
    """Writes until it would block; how many bytes went."""
    os.set_blocking(fd, False)
    total, quiet = 0, time.monotonic()
    while time.monotonic() - quiet < 0.5:
        try:
            total += os.write(fd, b"x" * 4096)
            quiet = time.monotonic()
        except BlockingIOError:
            select.select([], [fd], [], 0.1)
        if total > 4 << 20:
            break
    os.set_blocking(fd, True)
    return total


# ---- cases ----

def bytes_go_both_ways():
    with Session() as s:
        s.type(b"ls\r\x03\x1b[A\xff\x00")
        equal(collect(s.cell, length=9), b"ls\r\x03\x1b[A\xff\x00"[:9])
        os.write(s.cell, "caf\u00e9 \x1b[31mred\x1b[m\r\n".encode())
        equal(s.shown(b"\r\n"), "caf\u00e9 \x1b[31mred\x1b[m\r\n".encode())


def output_is_filtered():
    with Session() as s:
        for piece in (b"a\x1b]52;", b"c;cm0=\x07b\x1b[2", b"1tc\xe2", b"\x9c\x93\x9bd\x05\x1b[5n", b"\x1bPq~\x1b\\."):
            os.write(s.cell, piece)
        equal(s.shown(b"."), "abc\u2713\ufffdd.".encode())


def everything_is_shown_before_the_end():
    with Session() as s:
        text = b"".join(b"line %d\r\n" % i for i in range(60000))
        child = os.fork()
        if child == 0:
            os.close(s.terminal)
            os.write(s.cell, text)
            os._exit(0)
        s.hang_up()
        equal(s.shown(length=len(text)), text)
        os.waitpid(child, 0)
        equal(s.status(), 0)


def nothing_is_added_to_text():
    with Session() as s:
        os.write(s.cell, b"text")
        s.hang_up()
        equal(s.status(), 0)
        os.close(s.slave)
        s.slave = -1
        equal(s.shown(), b"text")


def modes_are_reset():
    with Session() as s:
        os.write(s.cell, b"\x1b[?1049h\x1b[?2004h\x1b[?25l\x1b[31m")
        s.hang_up()
        equal(s.status(), 0)
        os.close(s.slave)
        s.slave = -1
        equal(s.shown(), b"\x1b[?1049h\x1b[?2004h\x1b[?25l\x1b[31m" b"\x1b[?2004l\x1b[?1049l\x1b[?25h\x1b[0;10m")


def half_a_character_is_shown_at_the_end():
    with Session() as s:
        os.write(s.cell, b"a\xe2\x9c")
        s.hang_up()
        equal(s.shown(length=4), "a\ufffd".encode())
        equal(s.status(), 0)


def late_answers_do_not_reach_the_shell():
    with Session() as s:
        os.write(s.cell, b"\x1b[6n")
        equal(s.shown(b"n"), b"\x1b[6n")
        s.hang_up()
        equal(s.shown(b"\x1b[5n"), b"\x1b[5n")
        s.type(b"\x1b[24;80R")  # the answer to the program's question, when nobody reads it any more
        s.until_read()
        equal(s.process.poll(), None)  # it waits for its own
        s.type(b"\x1b[0n")
        equal(s.status(), 0)
        equal(s.left_unread(), b"")


def without_questions_there_is_no_fence():
    with Session() as s:
        os.write(s.cell, b"\x1b[5n\x1b[21t.")
        equal(s.shown(b"."), b".")
        s.hang_up()
        equal(s.status(), 0)
        s.type(b"typed ahead")
        equal(s.left_unread(), b"typed ahead")  # and the twin: the test would see what is left


def a_silent_terminal_is_not_waited_for_forever():
    with Session() as s:
        os.write(s.cell, b"\x1b[c")
        s.shown(b"c")
        start = time.monotonic()
        s.hang_up()
        equal(s.status(), 0)
        true(0.8 < time.monotonic() - start < 5, "about a second")


def a_slow_terminal_stops_the_cell_but_not_the_keys():
    with Session() as s:
        accepted = fill(s.cell)
        true(0 < accepted < 256 << 10, f"{accepted} bytes were taken although nobody reads")
        s.type(b"\x03")
        equal(collect(s.cell, length=1), b"\x03")
        equal(len(s.shown(length=accepted)), accepted)


def a_cell_that_does_not_read_stops_the_keys_only():
    with Session() as s:
        accepted = fill(s.terminal)
        true(0 < accepted < 256 << 10, f"{accepted} bytes were taken although nobody reads")
        os.write(s.cell, b"still here")
        equal(s.shown(b"here"), b"still here")


def ends_with_the_terminal():
    with Session() as s:
        os.close(s.slave)
        s.slave = -1
        os.close(s.terminal)
        s.terminal = -1
        equal(s.status(), 1)


def ends_with_the_terminal_while_output_waits():
    with Session() as s:
        fill(s.cell)
        os.close(s.slave)
        s.slave = -1
        os.close(s.terminal)
        s.terminal = -1
        equal(s.status(), 1)


def signals_are_not_its_business():
    with Session() as s:
        os.write(s.cell, b"1")
        s.shown(b"1")
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP):
            s.process.send_signal(number)
        os.write(s.cell, b"2")
        equal(s.shown(b"2"), b"2")


def goes_on_after_a_stop():
    with Session() as s:
        os.write(s.cell, b"1")
        s.shown(b"1")
        s.until_asleep()
        s.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, s.process.pid, os.WSTOPPED)
        os.write(s.cell, b"2")
        s.process.send_signal(signal.SIGCONT)
        equal(s.shown(b"2"), b"2")


def goes_on_after_a_stop_while_it_waits_for_an_answer():
    with Session() as s:
        os.write(s.cell, b"\x1b[c")
        s.hang_up()
        s.shown(b"\x1b[5n")
        s.process.send_signal(signal.SIGSTOP)  # the wait has a limit: the kernel goes on with restart_syscall
        os.waitid(os.P_PID, s.process.pid, os.WSTOPPED)
        s.process.send_signal(signal.SIGCONT)
        s.type(b"\x1b[0n")
        equal(s.status(), 0)


def waits_for_a_cell_that_has_not_opened_its_side():
    with Session(open_cell=False) as s:
        s.type(b"early")
        s.until_read()
        equal(s.process.poll(), None)
        s.cell = os.open(s.cell_name, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(s.cell)
        os.write(s.cell, b"late")
        true(b"late" in s.shown(b"late"), "shown")
        s.hang_up()
        equal(s.status(), 0)


def further_pairs():
    in_read, in_write = os.pipe()
    to_cell_read, to_cell_write = os.pipe()
    out_read, out_write = os.pipe()
    person_read, person_write = os.pipe()
    plain_read, plain_write = os.pipe()
    seen_read, seen_write = os.pipe()
    mine = (in_write, to_cell_read, out_write, person_read, plain_write, seen_read)
    for fd in mine:
        os.set_inheritable(fd, False)
    with Session("in", "out", "plain",
                 more=(in_read, to_cell_write, out_read, person_write, plain_read, seen_write)) as s:
        os.write(in_write, b"\x00binary\x1b]0;x\x07")
        equal(collect(to_cell_read, length=12), b"\x00binary\x1b]0;x\x07")
        os.close(in_write)
        equal(collect(to_cell_read), b"")  # its end is passed on
        s.hang_up()
        os.write(plain_write, b"\x1b[2Jcaptured\x1b[31m\r\n")
        os.close(plain_write)
        equal(collect(seen_read), b"captured\x1b[31m\n\x1b[0;10m")
        equal(s.process.poll(), None)  # `out` is still open
        os.write(out_write, b"the last \x1b]0;x\x07")
        os.close(out_write)
        equal(collect(person_read), b"the last \x1b]0;x\x07")
        equal(s.status(), 0)


def a_broken_pipe_is_passed_on():
    out_read, out_write = os.pipe()
    person_read, person_write = os.pipe()
    os.set_inheritable(out_write, False)
    os.set_inheritable(person_read, False)
    with Session("out", more=(out_read, person_write)) as s:
        os.close(person_read)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        end = time.monotonic() + PATIENCE
        try:
            while time.monotonic() < end:
                os.write(out_write, b"y\n" * 1000)
            raise AssertionError("the writer was never told")
        except BrokenPipeError:
            pass
        s.hang_up()
        equal(s.status(), 0)


def ascii_terminals():
    with Session("ascii") as s:
        os.write(s.cell, b"caf\xc3\xa9.")
        equal(s.shown(b"."), b"caf?.")


def a_mute_terminal():
    with Session("ascii", "mute") as s:
        os.write(s.cell, b"\x1b[6n\x1b[?1000h\xc3\xa9.")
        equal(s.shown(b"."), b"?.")


def wrong_use_is_refused():
    for words in (("what",), ("out",), ("in", "ascii"), ("out",) * 5):
        with Session(*words) as s:
            equal(s.status(), 2)


def it_is_locked_down():
    with Session() as s:
        os.write(s.cell, b"1")
        s.shown(b"1")
        with open(f"/proc/{s.process.pid}/status") as f:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        equal((status["Seccomp"], status["NoNewPrivs"]), ("2", "1"))
        with open(f"/proc/{s.process.pid}/limits") as f:
            limits = {line[:26].strip(): line[26:].split()[:2] for line in f}
        equal(limits["Max open files"], ["4", "4"])
        equal(limits["Max processes"], ["0", "0"])
        if os.access(f"/proc/{s.process.pid}/fd", os.R_OK):
            equal(sorted(os.listdir(f"/proc/{s.process.pid}/fd")), ["0", "1", "2", "3"])
            equal(os.readlink(f"/proc/{s.process.pid}/fd/2"), os.readlink(f"/proc/{s.process.pid}/fd/0"))


def probe(part):
    master, slave = pty.openpty()
    tty.setraw(slave)
    try:
        done = subprocess.run([PROBE, part], stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              timeout=PATIENCE, check=False)
        equal(done.returncode, 0)
        return dict(line.split() for line in done.stdout.decode().splitlines())
    finally:
        os.close(master)
        os.close(slave)


def the_probe_reaches_the_kernel_without_the_promise():
    got = probe("none")
    for name in ("open", "reopen", "dup", "socket", "winsize", "fork", "mmap", "kill", "fcntl", "dumpable", "setrlimit"):
        equal((name, got[name]), (name, "reached"))
    equal(got["execve"], "ENOENT")
    equal(got["ptrace"], "ESRCH")
    true(got["tiocsti"] in ("reached", "EIO", "EPERM"), got["tiocsti"])  # newer kernels ask for a privilege
    if os.geteuid() == 0:
        equal((got["tiocsti"], got["tiocsti-high-bits"]), ("reached", "reached"))


def refused(got):
    """All of it; what this machine does not have at all is said."""
    none = probe("none")
    for name, result in got.items():
        if name == "32bit" and none.get(name) == "EOPNOTSUPP":
            print("# there are no 32-bit system calls on this machine")
            equal((name, result), (name, "EOPNOTSUPP"))
        else:
            equal((name, result), (name, "ENOSYS" if name == "32bit" else "EPERM"))


def the_filter_alone_refuses_all():
    refused(probe("filter"))


def the_limits_alone_refuse_descriptors_and_memory():
    got = probe("limits")
    for name in ("open", "reopen", "dup", "socket"):
        equal((name, got[name]), (name, "EMFILE"))
    equal(got["mmap"], "ENOMEM")
    if os.geteuid() != 0:
        equal(got["fork"], "EAGAIN")


def both_together():
    refused(probe("both"))


CASES = [bytes_go_both_ways, output_is_filtered, everything_is_shown_before_the_end, nothing_is_added_to_text,
         modes_are_reset, half_a_character_is_shown_at_the_end, late_answers_do_not_reach_the_shell,
         without_questions_there_is_no_fence, a_silent_terminal_is_not_waited_for_forever,
         a_slow_terminal_stops_the_cell_but_not_the_keys, a_cell_that_does_not_read_stops_the_keys_only,
         ends_with_the_terminal, ends_with_the_terminal_while_output_waits, signals_are_not_its_business,
         goes_on_after_a_stop, goes_on_after_a_stop_while_it_waits_for_an_answer,
         waits_for_a_cell_that_has_not_opened_its_side, further_pairs, a_broken_pipe_is_passed_on, ascii_terminals, a_mute_terminal,
         wrong_use_is_refused, it_is_locked_down, the_probe_reaches_the_kernel_without_the_promise,
         the_filter_alone_refuses_all, the_limits_alone_refuse_descriptors_and_memory, both_together]


def main():
    print(f"1..{len(CASES)}")
    failed = 0
    for number, case in enumerate(CASES, 1):
        try:
            case()
            print(f"ok {number} - {case.__name__}", flush=True)
        except Exception as e:  # a case that breaks is a case that failed, the others go on
            failed += 1
            print(f"not ok {number} - {case.__name__}\n# {type(e).__name__}: {e}", flush=True)
    return failed


sys.exit(main())
