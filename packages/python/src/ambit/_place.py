"""Where the daemon is, and starting it."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess

from .errors import AmbitError, Denied, Gone, Lost, NotFound

START_SECONDS = 60
CONNECT_SECONDS = 30


def program() -> str:
    """The program `ambit`: that of AMBIT_PROGRAM, the one that this package carries, or the one in PATH."""
    carried = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_program", "bin", "ambit")
    named = os.environ.get("AMBIT_PROGRAM")
    found = named or (carried if os.access(carried, os.X_OK) else shutil.which("ambit"))
    if not found:
        raise NotFound("there is no program `ambit`", "NOT_FOUND", "install Ambit, or name the program in AMBIT_PROGRAM")
    return found


def socket_path() -> str:
    """Where the daemon listens: doc/PROTOCOL.md, *Connecting*."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/") and os.path.isdir(runtime) and os.stat(runtime).st_uid == os.geteuid():
        return os.path.join(runtime, "ambit", "rpc.sock")
    return os.path.join(_state(), "run", "rpc.sock")


def _state() -> str:
    state, home = os.environ.get("XDG_STATE_HOME", ""), os.environ.get("HOME", "")
    if state.startswith("/"):
        return os.path.join(state, "ambit")
    return os.path.join(home, ".local", "state", "ambit") if home.startswith("/") and os.path.isdir(home) else f"/var/tmp/.ambit-{os.geteuid()}"


def told_path() -> str:
    """Where the daemon of this person listens that was started with another XDG_RUNTIME_DIR: its lock says it."""
    try:
        with open(os.path.join(_state(), "sessions", "daemon.lock"), encoding="utf-8") as file:
            directory = file.read(8192).split("\n")[1]
    except (OSError, IndexError, UnicodeDecodeError):
        return socket_path()
    return os.path.join(directory, "rpc.sock") if directory.startswith("/") else socket_path()


def start_daemon() -> None:
    """Starts it if it is not there; it is nobody's child, and ends when nobody has used it for ten minutes."""
    try:
        done = subprocess.run([program(), "ps", "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=START_SECONDS,
                              check=False, start_new_session=True)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise Gone("the daemon cannot be started", "GONE", "AMBIT_PROGRAM names the program `ambit`", str(problem)) from problem
    if done.returncode != 0:
        raise Gone("the daemon cannot be started", "GONE", None, done.stderr.decode(errors="replace").strip()[:400])


def _mine(sock: socket.socket, path: str) -> None:
    """Who listens there may be somebody else, where the directory is one that anybody can make."""
    size = struct.calcsize("3i")
    _, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    if uid != os.geteuid():
        raise Denied(f"the daemon at {path} is another user's", "DENIED", "set XDG_RUNTIME_DIR to a directory of your own")


def connect() -> socket.socket:
    """A connection to the daemon, which is started if it is not there."""
    for started in (False, True):
        path = told_path() if started and not os.path.exists(socket_path()) else socket_path()
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(CONNECT_SECONDS)
            sock.connect(path)
            _mine(sock, path)
            sock.setblocking(False)
            return sock
        except OSError as problem:
            sock.close()
            if started:
                raise Lost("the daemon cannot be reached", "GONE", None, f"{path}: {problem}") from problem
            start_daemon()
        except AmbitError:
            sock.close()
            raise
    raise AssertionError
