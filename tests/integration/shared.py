#!/usr/bin/env python3
"""What the libraries show: the header's functions, the version script and the symbols are the same, and nothing in it is a surprise to a host.

usage: shared.py HEADER MAP SHARED STATIC    (TAP on standard output)
"""

import re
import subprocess
import sys

from harness import sanitized

COMMENT = re.compile(r"/\*.*?\*/", re.S)

# What changes a process as a whole, or ends it, or waits for children that may be the host's. fork copies a host with all of its threads; a thread would be a
# host's to know of. The rest of the header's promises have their tests in host.py.
FORBIDDEN = set("""
    signal sigaction sigset sigprocmask sigsuspend raise kill abort exit _exit _Exit quick_exit atexit on_exit wait waitpid wait3 wait4 waitid
    fork vfork posix_spawn posix_spawnp system popen execve execv execvp execl execlp fexecve pthread_create pthread_atfork fchdir umask
    setenv putenv unsetenv clearenv setlocale setrlimit setuid setgid seteuid setegid setresuid setresgid prctl unshare setns
    close_range closefrom alarm setitimer timer_create sleep usleep nanosleep printf puts putchar perror syslog openlog fwrite vfprintf fprintf
    stdout stderr strtok rand srand getpwuid getpwnam getaddrinfo dlopen dlsym
""".split())


def tool(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def declared(header):
    """The functions of the header, with the comment that stands right above each, or above the ones that it stands with."""
    with open(header, encoding="utf-8") as file:
        text = file.read()
    found = {}
    for match in re.finditer(r"^[a-z][\w *]*?\b(ambit_\w+)\([^;{]*\);", COMMENT.sub(lambda m: " " * len(m[0]), text), re.M):
        above = text[:match.start()].rstrip(" ")
        found[match[1]] = above.endswith("*/\n")
    return found


def versions(path):
    """Of each version its names."""
    with open(path, encoding="utf-8") as file:
        text = COMMENT.sub("", file.read())
    nodes = re.findall(r"(\w+) \{\s*global:(.*?)(?:local:\s*\*;\s*)?\}", text, re.S)
    return {node: re.findall(r"(\w+);", names) for node, names in nodes}


def shown(path):
    """name@@VERSION of what others can refer to."""
    words = [line.split() for line in tool("nm", "-D", "--defined-only", path).splitlines()]
    return {w[2] for w in words if w[1] != "A"}, {w[2].split("@")[0] for w in words if w[1] == "A"}


def of_archive(path):
    return {line.split()[2] for line in tool("nm", "-g", "--defined-only", path).splitlines() if len(line.split()) == 3}


def wanted_by(path):
    return {line.split()[-1].split("@")[0] for line in tool("nm", "-D", "--undefined-only", path).splitlines()}


def plain(name):
    """As it is called in a source: without what fortifying and large files make of it."""
    name = re.sub(r"^__(\w+)_chk$", r"\1", name)
    return re.sub(r"64(_2)?$", "", name).lstrip("_") if name.startswith("__") or name.endswith(("64", "64_2")) else name


def room(path, section):
    found = re.search(rf"\s\{section}\s+\w+\s+\w+\s+\w+\s+(\w+)", tool("readelf", "-SW", path))
    return int(found[1], 16) if found else 0


def differ(a, b, what):
    return [f"{x}: in {what[0]}, not in {what[1]}" for x in sorted(a - b)] + [f"{x}: in {what[1]}, not in {what[0]}" for x in sorted(b - a)]


def abi_of(header):
    with open(header, encoding="utf-8") as file:
        return re.search(r"^#define AMBIT_ABI (\d+)$", file.read(), re.M)[1]


def checks(header, script, shared, static):
    functions, nodes = declared(header), versions(script)
    listed = {f"{name}@@{node}" for node, names in nodes.items() for name in names}
    names, symbols = {entry.split("@")[0] for entry in listed}, shown(shared)
    yield "the header has functions", [] if len(functions) > 20 else [f"it has {len(functions)}: this shows nothing"]
    yield "each function of the header is documented where it stands", [name for name, told in functions.items() if not told]
    yield "the version script has the functions of the header, no more and no less", differ(set(functions), names, ("the header", "the script"))
    yield "no name is in two versions", [] if len(names) == len(listed) else sorted(listed)
    yield "the shared library shows what the version script has, with its version", differ(listed, symbols[0], ("the script", "the library"))
    yield "its versions are those of the script", differ(set(nodes), symbols[1], ("the script", "the library"))
    yield "the static library shows the same functions, and no variable", differ(set(functions), of_archive(static), ("the header", "the archive"))
    yield "the number of the shared library is AMBIT_ABI", [] if f"[libambit.so.{abi_of(header)}]" in tool("readelf", "-dW", shared) else ["it is not"]
    if sanitized(shared):
        yield "it refers to nothing that changes a host # SKIP a sanitizer is in it", []
        return
    yield "it refers to nothing that changes a host", sorted(FORBIDDEN & {plain(name) for name in wanted_by(shared)})
    yield "it needs the C library alone", [n for n in re.findall(r"\(NEEDED\).*\[(.*)\]", tool("readelf", "-dW", shared)) if not n.startswith("libc.so.")]
    # what the compiler's own start-up files have: __dso_handle, and whether the end was run
    yield "it has no variables", [f"{s} has {room(shared, s)} bytes" for s in (".data", ".bss") if room(shared, s) > 8]
    yield "none for each thread either", [s for s in (".tdata", ".tbss") if room(shared, s) > 0]


def main():
    failures = number = 0
    for number, (name, problems) in enumerate(checks(*sys.argv[1:]), 1):
        failures += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {number} - {name}")
        for problem in problems:
            print(f"# {problem}")
    print(f"1..{number}")
    return failures


if __name__ == "__main__":
    sys.exit(main())
