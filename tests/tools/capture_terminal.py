#!/usr/bin/env python3
"""Captures what full-screen programs write to a terminal: capture_terminal.py DIRECTORY (corpus/termfilter).

Each program runs in a pty of 80x24, in an empty directory, a private pid namespace and an empty environment, so that
nothing of the machine is in the capture. A small part of a terminal answers what programs wait for. Needs root, or
user namespaces, and the programs. Run it again when a new version of a program says something new, and look at the
difference before it is committed."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time

SOURCE = """#include <stdio.h>

/* a comment, to have colours */
int main(void)
{
\tfor (int i = 0; i < 3; i++)
\t\tprintf("caf\u00e9 %d\\n", i);
\treturn 0;
}
"""

# What is typed, and after how many seconds of silence; the program must end after the last.
PROGRAMS = {
    "vim": (["vim", "-N", "-u", "NONE", "-i", "NONE", "-c", "syntax on", "-c", "set mouse=a ruler", "hello.c"],
            ["jjjx", "u", "ihello \u00e9\u2713\x1b", ":set hlsearch\r", "/printf\r", ":q!\r"]),
    "top": (["top", "-d", "1"], ["1", "c", "q"]),
    "htop": (["htop", "-d", "5"], ["\x1b[B", "\x1bOQ\x1b", "q"]),
    "less": (["less", "-R", "hello.c"], ["j", "/printf\r", "q"]),
    "bash": (["bash", "--norc", "--noprofile", "-i"],
             ["PS1='\\[\\e[1;32m\\]cell\\[\\e[0m\\]:\\[\\e[34m\\]\\W\\[\\e[0m\\]\\$ '\r", "ls --color=always -la\r",
              "grep --color=always -n printf hello.c\r", "echo wrong\x08\x08\x1b[D\x01x\x05\r", "exit\r"]),
    "tmux": (["tmux", "-L", "cell", "-f", "/dev/null", "new-session", "bash --norc --noprofile"],
             ["printf '\\e[31mred\\e[0m\\n'\r", "\x02%", "exit\r", "exit\r"]),
    "dialog": (["whiptail", "--title", "A question", "--yesno", "Go on?", "10", "40"], ["\t", "\r"]),
}

ANSWERS = [(b"\x1b[c", b"\x1b[?62;22c"), (b"\x1b[>c", b"\x1b[>41;366;0c"), (b"\x1b[6n", b"\x1b[1;1R"),
           (b"\x1b[>q", b"\x1bP>|xterm(366)\x1b\\"), (b"\x1b]11;?\x07", b"\x1b]11;rgb:0000/0000/0000\x07")]


def answer(master, seen, done):
    for question, text in ANSWERS:
        while seen.count(question) > done.get(question, 0):
            done[question] = done.get(question, 0) + 1
            os.write(master, text)


def capture(argv, keys):
    with tempfile.TemporaryDirectory() as work:
        with open(os.path.join(work, "hello.c"), "w") as f:
            f.write(SOURCE)
        os.utime(os.path.join(work, "hello.c"), (0, 0))
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        inside = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--uts", "--",
                  "sh", "-c", 'hostname cell && exec "$@"', "sh"] + argv
        env = {"TERM": "xterm-256color", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": work, "TZ": "UTC",
               "TMUX_TMPDIR": work}
        child = subprocess.Popen(inside, stdin=slave, stdout=slave, stderr=slave, cwd=work, env=env,
                                 start_new_session=True,
                                 preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        seen, done, keys, quiet = b"", {}, list(keys), time.monotonic()
        while True:
            if select.select([master], [], [], 0.1)[0]:
                try:
                    got = os.read(master, 65536)
                except OSError:
                    break
                seen += got
                answer(master, seen, done)
                quiet = time.monotonic()
            elif keys and time.monotonic() - quiet > 0.6:
                os.write(master, keys.pop(0).encode())
                quiet = time.monotonic()
            elif not keys and time.monotonic() - quiet > 5:
                child.kill()
                raise SystemExit(f"{argv[0]} does not end")
        child.wait()
        return seen.replace(work.encode(), b"/work")


def main():
    for name, (argv, keys) in PROGRAMS.items():
        with open(os.path.join(sys.argv[1], name + ".raw"), "wb") as f:
            f.write(capture(argv, keys))


main()
