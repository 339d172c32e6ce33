#!/usr/bin/env python3
"""A file system that stops answering: /sub/file, which whoever looks into a cell for a supervisor is told nothing of once somebody has looked for /arm. What waits for it is ended by nothing, as with a server that is gone.

usage: hanging.py DIRECTORY COMMAND...    (as root, in a mount namespace of its own; ends as the command does)"""

import ctypes
import errno
import os
import struct
import subprocess
import sys
import threading

FORGET, BATCH_FORGET, INTERRUPT = 2, 42, 36  # are not answered (linux/fuse.h)
LOOKUP, GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR = 1, 3, 14, 15, 17, 18, 25, 26, 27, 28, 29
NAMES = {(1, b"sub"): 2, (2, b"file"): 3}
TEXT = b"text\n"


def name_of(pid):
    """And its parent."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return "", 0
    return text[text.index("(") + 1:text.rindex(")")], int(text.rsplit(")", 1)[1].split()[1])


def looks_for_a_supervisor(pid):
    name, parent = name_of(pid)
    return name == name_of(parent)[0] == "ambit-superviso"


def attributes(node):
    mode, size = (0o100644, len(TEXT)) if node == 3 else (0o040755, 0)
    return struct.pack("<6Q10I", node, size, 0, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def answer(opcode, node, body):
    if opcode == INIT:
        return struct.pack("<4I2H2I2H8I", 7, 31, 65536, 0, 12, 9, 65536, 1, 16, 0, *[0] * 8)
    if opcode == LOOKUP:
        found = NAMES.get((node, body.rstrip(b"\0")))
        return -errno.ENOENT if found is None else struct.pack("<4Q2I", found, 0, 0, 0, 0, 0) + attributes(found)
    if opcode == GETATTR:
        return struct.pack("<Q2I", 0, 0, 0) + attributes(node)
    if opcode in (OPEN, OPENDIR):
        return struct.pack("<Q2I", 0, 0, 0)
    if opcode == READ:
        return TEXT[struct.unpack_from("<2Q", body)[1]:]
    if opcode == STATFS:
        return struct.pack("<5Q4I6I", *[0] * 5, 4096, 255, 4096, 0, *[0] * 6)
    return b"" if opcode in (READDIR, RELEASE, RELEASEDIR, FLUSH) else -errno.ENOSYS


def serve(fd):
    armed = False
    while True:
        try:
            request = os.read(fd, 1 << 20)
        except OSError:
            return
        _, opcode, unique, node, _, _, pid, _ = struct.unpack_from("<2I2Q4I", request)
        body = request[40:]
        armed = armed or (opcode == LOOKUP and body == b"arm\0")
        if opcode in (FORGET, BATCH_FORGET, INTERRUPT) or (armed and looks_for_a_supervisor(pid)):
            continue
        said = answer(opcode, node, body)
        error, data = (said, b"") if isinstance(said, int) else (0, said)
        try:
            os.write(fd, struct.pack("<IiQ", 16 + len(data), error, unique) + data)
        except OSError:
            pass  # who asked was interrupted


def main():
    directory, *command = sys.argv[1:]
    fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={fd},rootmode=40755,user_id=0,group_id=0,allow_other"
    if libc.mount(b"hanging", directory.encode(), b"fuse", 0, options.encode()) < 0:
        sys.exit(f"cannot mount: {os.strerror(ctypes.get_errno())}")
    threading.Thread(target=serve, args=(fd,), daemon=True).start()
    sys.exit(subprocess.run(command, check=False).returncode)


main()
