#!/usr/bin/env python3
"""Products with the library inside: what it does to them, which is nothing, and where it finds its helpers.

usage: host.py AMBIT HOST LIBRARY [TRACED]    (tests/integration/host_*.c are the product; the library is libambit.so.1; TRACED is both in one with ThreadSanitizer)
"""

import os
import shutil
import signal
import subprocess
import sys
import textwrap

from harness import ORDINARY, SLOW, Skip, expect_ok, main, sanitized, told, write

CELL = "cell\n"  # what `host run` prints
NO_HELPER = "/bin/true"  # a program that is none: an event that starts it has no supervisor


def variables(place, library):
    return {**place.environment(), "LD_LIBRARY_PATH": os.path.dirname(library), "AMBIT_LEDGER": "none"}


def host(place, *words, cwd=None, program=None, library=None, more=None, timeout=120):
    """The product with these words, and a library that lies apart from it."""
    env = {**variables(place, library or place.given(2)), **(more or {})}
    return subprocess.run([program or place.given(1), *words], cwd=cwd or place.fresh(), env=env, capture_output=True, text=True,
                          errors="replace", timeout=SLOW * timeout)


def alone(name, promise):
    """A scenario of host_alone.c, which says what is wrong."""
    def scenario(place):
        expect_ok(host(place, name))
    scenario.__name__ = promise
    return scenario


def threads_children_and_signals_of_a_host_stay_its_own(place):
    expect_ok(host(place, "threads", "6", "10" if "AMBIT_SOAK" not in os.environ else "200", timeout=400), " children, ")


def threads_with_handles_of_their_own_share_nothing(place):
    """As ThreadSanitizer sees it, which ends with 66 where it saw a race."""
    if len(sys.argv) < 5:
        raise Skip("no ThreadSanitizer, or another one")
    words = "threads", "6", "10"
    done = host(place, *words, program=place.given(3), timeout=400)
    if "unexpected memory mapping" in done.stderr:  # it wants certain addresses free
        done = host(place, "-R", place.given(3), *words, program="/usr/bin/setarch", timeout=400)
    expect_ok(done, " children, ")


def an_event_that_is_freed_keeps_what_it_changed(place):
    work = place.fresh()
    done = expect_ok(host(place, "dropped", work))
    shown = expect_ok(place.run(place.ambit, "diff", done.stdout.strip(), cwd=work), "half")
    assert not os.path.exists(os.path.join(work, "half")), told(shown)


# ---- where helpers are ----


def apart(place, helpers=True):
    """A directory with the library, and with its helpers."""
    directory = os.path.join(place.fresh(), "lib")
    os.mkdir(directory)
    shutil.copy(place.given(2), directory)
    for name in os.listdir(os.path.dirname(place.ambit)) if helpers else ():
        if name.startswith("ambit-") and os.path.isfile(os.path.join(os.path.dirname(place.ambit), name)):
            shutil.copy(os.path.join(os.path.dirname(place.ambit), name), directory)
    return os.path.join(directory, os.path.basename(place.given(2)))


def plant(directory, name="ambit-supervisor"):
    """Somebody's program by the name of a helper."""
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, name)
    shutil.copy(NO_HELPER, path)
    os.chmod(path, 0o755)
    return path


def refused(done, code, *texts):
    assert done.returncode == 1 and f"code {code}:" in done.stdout, told(done)
    for text in texts:
        assert text in done.stdout, f"no {text!r}: {told(done)}"


def helpers_are_found_beside_the_library(place):
    library = apart(place)
    expect_ok(host(place, "run", library=library), CELL)
    plant(os.path.dirname(library))  # what is started there is what lies there
    assert host(place, "run", library=library).returncode == 1


def helpers_are_found_in_the_installation(place):
    if sanitized(place.given(2)):
        raise Skip("a sanitized library is not installed")
    library = apart(place)
    there = os.path.dirname(library)
    prefix = os.path.dirname(there)
    for depth in ("lib/x86_64-linux-gnu", "lib64", "lib"):
        os.makedirs(os.path.join(prefix, "to", depth), exist_ok=True)
        shutil.copy(library, os.path.join(prefix, "to", depth))
    os.makedirs(os.path.join(prefix, "to/libexec"))
    shutil.move(there, os.path.join(prefix, "to/libexec/ambit"))
    found = [host(place, "run", library=os.path.join(prefix, "to", depth, "libambit.so.1")).stdout == CELL
             for depth in ("lib/x86_64-linux-gnu", "lib64", "lib")]
    assert any(found), "in no layout"  # which of them is the build's own, --libdir


def no_helper_beside_a_host_is_started(place):
    """Nor by a variable, in the current directory, or on PATH."""
    directory = os.path.join(place.fresh(), "bin")
    os.mkdir(directory)
    program = shutil.copy(place.given(1), directory)
    plant(directory)
    plant(os.path.join(directory, "..", "libexec", "ambit"))
    plant(os.path.join(directory, "libexec", "ambit"))
    said = {"AMBIT_LIBEXECDIR": directory, "AMBIT_LIBEXEC": directory, "PATH": f"{directory}:{place.environment()['PATH']}"}
    expect_ok(host(place, "run", program=program, cwd=directory, more=said), CELL)


def no_helper_in_the_current_directory_is_started(place):
    """Whose library was named from there: it is not known where that was."""
    library = apart(place)
    directory = os.path.dirname(library)
    expect_ok(host(place, "run", cwd=directory, more={"LD_LIBRARY_PATH": directory}), CELL)
    if os.path.exists("/usr/local/libexec/ambit/ambit-supervisor"):
        raise Skip("Ambit is installed: that is found")
    refused(host(place, "run", cwd=directory, more={"LD_LIBRARY_PATH": "."}), 10, "cannot open ambit-supervisor")


def a_helper_that_others_may_change_is_not_started(place):
    library = apart(place)
    helper = os.path.join(os.path.dirname(library), "ambit-supervisor")
    for mode in (0o775, 0o757):
        os.chmod(helper, mode)
        refused(host(place, "run", library=library), 12, "ambit-supervisor is not started", "others may change it")
    os.chmod(helper, 0o755)
    if os.geteuid() == 0:
        os.chown(helper, ORDINARY, ORDINARY)
        refused(host(place, "run", library=library), 12, "ambit-supervisor is not started")
        os.chown(helper, 0, 0)
    expect_ok(host(place, "run", library=library), CELL)


def what_is_missing_is_told(place):
    if os.path.exists("/usr/local/libexec/ambit/ambit-supervisor"):
        raise Skip("Ambit is installed: that is found")
    library = apart(place, helpers=False)
    refused(host(place, "run", library=library), 10, "cannot open ambit-supervisor", os.path.dirname(library))


# ---- in another language, with a loop ----

PYTHON = textwrap.dedent('''
    import asyncio, ctypes, os, signal, sys

    class Error(ctypes.Structure):
        _fields_ = [("size", ctypes.c_size_t), ("code", ctypes.c_int), ("sys_errno", ctypes.c_int),
                    ("message", ctypes.c_char * 512), ("hint", ctypes.c_char * 512), ("why", ctypes.c_char * 512)]

    class Options(ctypes.Structure):
        _fields_ = [("size", ctypes.c_size_t), ("argv", ctypes.POINTER(ctypes.c_char_p)), ("workspace", ctypes.c_char_p),
                    ("base", ctypes.c_char_p), ("observe", ctypes.c_char_p), ("without", ctypes.c_char_p), ("stream", ctypes.c_int * 3),
                    ("stream_fd", ctypes.c_int * 3), ("terminal", ctypes.c_int), ("changes", ctypes.c_uint), ("on_conflict", ctypes.c_char_p),
                    ("wait_ms", ctypes.c_uint), ("ledger", ctypes.c_char_p), ("unrecorded", ctypes.c_int)]  # of an older header

    lib = ctypes.CDLL(sys.argv[1])
    policy, error = ctypes.c_void_p(), Error(size=ctypes.sizeof(Error))
    for function in (lib.ambit_event_fd, lib.ambit_event_step, lib.ambit_event_exit_status, lib.ambit_event_free, lib.ambit_event_failure):
        function.argtypes = [ctypes.c_void_p] + [ctypes.c_void_p] * (function in (lib.ambit_event_step, lib.ambit_event_failure))

    def check(result):
        if result < 0:
            raise RuntimeError(error.message.decode())

    def start(command, **more):
        argv, ev = (ctypes.c_char_p * 4)(b"/bin/sh", b"-c", command.encode(), None), ctypes.c_void_p()
        options = Options(**{"size": ctypes.sizeof(Options), "argv": argv, "stream": (1, 2, 2), "unrecorded": 1, **more})
        check(lib.ambit_event_start(policy, ctypes.byref(options), ctypes.byref(ev), ctypes.byref(error)))
        return ev

    check(lib.ambit_policy_new(ctypes.byref(policy), ctypes.byref(error)))
''')

LOOP = textwrap.dedent('''
    async def event(command):
        ev, text, length = start(command), ctypes.c_void_p(), ctypes.c_size_t()
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        fd = lib.ambit_event_fd(ev)
        loop.add_reader(fd, lambda: lib.ambit_event_step(ev, None) and (loop.remove_reader(fd), over.set()))
        await over.wait()
        check(lib.ambit_event_failure(ev, ctypes.byref(error)))
        check(lib.ambit_event_output(ev, 1, ctypes.byref(text), ctypes.byref(length), None, ctypes.byref(error)))
        answer = ctypes.string_at(text, length.value).decode(), lib.ambit_event_exit_status(ev)
        lib.ambit_event_free(ev)
        return answer

    async def child(number):
        process = await asyncio.create_subprocess_exec("/bin/sh", "-c", f"sleep 0.{number}; echo child {number}; exit {number}",
                                                       stdout=asyncio.subprocess.PIPE)
        out = await process.stdout.read()
        return out.decode(), await process.wait()

    async def main():
        return await asyncio.gather(*(event(f"hostname; sleep 0.{n}; exit {n}") for n in range(4)), *(child(n) for n in range(4)))

    before = sorted(os.listdir("/proc/self/fd")), signal.getsignal(signal.SIGCHLD)
    print(asyncio.run(main()))
    lib.ambit_policy_free(policy)
    assert (sorted(os.listdir("/proc/self/fd")), signal.getsignal(signal.SIGCHLD)) == before
''')

PASS = textwrap.dedent('''
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    ends = os.pipe()
    os.close(ends[0])
    flags = os.get_blocking(ends[1])
    ev = start("yes", stream=(1, 0, 1), stream_fd=(-1, ends[1], -1))
    check(lib.ambit_event_wait(ev, None))
    print(lib.ambit_event_exit_status(ev), os.get_blocking(ends[1]) == flags)
    lib.ambit_event_free(ev)
    if sys.argv[2:]:
        os.write(ends[1], b"x")
''')

FAILURES = textwrap.dedent('''
    STAGE, STRICT = 1, 8
    private = os.environ["HOME"] + "/private"
    open(private, "w").close()
    check(lib.ambit_policy_grant(policy, b"work", b".", ctypes.byref(error)))
    for command, changes in (("echo all is well >well", 0), ("echo kept >kept", STAGE), ("mkdir -p .git/hooks; echo x >.git/hooks/post-commit", 0),
                             (f"cat {private}; true", 0), (f"cat {private}; true", STRICT),
                             ("exit 9", 0)):
        ev = start(command, changes=changes, observe=b"full")
        check(lib.ambit_event_wait(ev, None))
        print(lib.ambit_event_exit_status(ev), lib.ambit_event_failure(ev, ctypes.byref(error)))
        lib.ambit_event_free(ev)
    print(*sorted(os.listdir(".")))
''')


def python(place, body, *words):
    if sanitized(place.given(2)):
        raise Skip("a sanitizer wants to be loaded first")
    script = os.path.join(place.fresh(), "script.py")
    write(script, PYTHON + body)
    return host(place, "-B", script, place.given(2), *words, cwd=os.path.dirname(script), program=shutil.which("python3", path="/usr/bin:/usr/local/bin"))


def a_reader_that_is_gone_raises_no_signal(place):
    expect_ok(python(place, PASS), f"{128 + signal.SIGPIPE} True")  # the command's own
    assert python(place, PASS, "write").returncode == -signal.SIGPIPE  # where it is raised it ends the host


def a_failure_is_told_apart_from_a_status(place):
    done = expect_ok(python(place, FAILURES))
    conflict, denied = -13, -5
    expected = [(0, 0), (0, 0), (123, conflict), (0, 0), (125, denied), (9, 0)]
    *told_of, files = done.stdout.splitlines()
    assert told_of == [f"{status} {code}" for status, code in expected] and files == "script.py well", told(done)


def python_with_a_loop_of_events_and_children(place):
    """Its loop waits for children of its own, with whatever it has for that."""
    done = expect_ok(python(place, LOOP))
    expected = [("cell\n", n) for n in range(4)] + [(f"child {n}\n", n) for n in range(4)]
    assert done.stdout.strip() == str(expected), told(done)


SCENARIOS = [
    threads_children_and_signals_of_a_host_stay_its_own, threads_with_handles_of_their_own_share_nothing,
    alone("told", "output_and_failure_are_told_without_the_record"), alone("sizes", "structs_of_older_headers_are_taken"),
    alone("environment", "env_grants_pass_on_what_the_host_says"), alone("inherited", "no_descriptor_of_the_host_goes_to_a_cell_or_helper"),
    alone("adopts", "a_host_that_adopts_orphans_is_left_none"), alone("forked", "a_fork_keeps_no_event_and_ends_none"),
    alone("stack", "a_small_stack_is_enough"), alone("labels", "labels_of_what_is_given_come_out"), alone("usual", "how_it_compares_with_what_is_usual_is_a_value"),
    an_event_that_is_freed_keeps_what_it_changed, helpers_are_found_beside_the_library, helpers_are_found_in_the_installation,
    no_helper_beside_a_host_is_started, no_helper_in_the_current_directory_is_started, a_helper_that_others_may_change_is_not_started,
    what_is_missing_is_told, a_reader_that_is_gone_raises_no_signal, a_failure_is_told_apart_from_a_status,
    python_with_a_loop_of_events_and_children,
]

if __name__ == "__main__":
    main(SCENARIOS)
