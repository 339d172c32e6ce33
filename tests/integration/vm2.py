#!/usr/bin/env python3
"""The package @ambit/vm2 with real cells: what vm2 does, and what code does to end the program that runs it.

usage: vm2.py AMBIT PACKAGE packages/node    (TAP on standard output; as root everything runs a second time as an ordinary user; AMBIT_TEST_NODE names another node)
"""

import os
import pty
import re
import subprocess
import tempfile

from harness import SLOW, Skip, main, need, once, sanitized, told, write
from node_client import node

SEED = os.environ.get("AMBIT_SEED", "1")


def acorn(place):
    """What reads code for `allowAsync: false`; ./bootstrap check gets it."""
    if not os.path.exists(os.path.join(place.given(1), "node_modules", "acorn")):
        raise Skip("the package acorn is not installed (npm ci --prefix packages/vm2)")


def without_sanitizer(place):
    if sanitized(place.ambit):
        raise Skip("cells of a sanitizer's build take longer to begin than these cases wait")


def lines_of(place, script, *words, patience, program=None):
    """The lines of TAP that a script of the package says: all are good, but for those that differ for a reason."""
    need("node")
    with tempfile.TemporaryDirectory(prefix="ambit-vm2-", dir="/var/tmp") as tree:  # what lies beneath /tmp no cell sees
        environment = {**place.environment(), "AMBIT_PROGRAM": place.ambit, "AMBIT_TEST_PLACE": tree}
        if program is not None:
            environment["PATH"] = f"{os.path.dirname(program)}:{environment['PATH']}"
        done = subprocess.run([program or node(), os.path.join(place.given(1), "test", script), *words], cwd=tree, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=SLOW * patience, check=False)
    wrong = [line for line in re.findall(r"^not ok .*(?:\n# .*){0,9}", done.stdout, re.M) if "# TODO" not in line.split("\n", 1)[0]]
    assert not wrong, "\n".join(wrong[:20])
    planned = re.search(r"^1\.\.(\d+)", done.stdout, re.M)
    said = re.findall(r"^(?:not )?ok ", done.stdout, re.M)
    assert planned and int(planned.group(1)) == len(said) and said, f"{len(said)} lines; {told(done)}"
    print(f"# {script} {' '.join(words[1:])}: {len(said)} cases", flush=True)


def values_cross_as_they_are_and_what_is_made_up_harms_nothing(place):
    lines_of(place, "values.test.js", "10000" if os.environ.get("AMBIT_SOAK") else "300", SEED, patience=300)


@once
def what_vm2_does_is_done_or_differs_for_a_reason(place):
    acorn(place)
    without_sanitizer(place)
    lines_of(place, "behaviour/run.js", place.given(1), patience=600)


@once
def code_ends_hangs_and_fills_no_program(place):
    without_sanitizer(place)
    lines_of(place, "survive.js", place.given(1), patience=600)


@once
def a_hostile_cell_makes_the_program_do_no_more_than_it_is_for(place):
    without_sanitizer(place)
    lines_of(place, "hostile.js", place.given(1), patience=300)


def each_option_of_ambit_does_what_it_says(place):
    without_sanitizer(place)
    lines_of(place, "ambit.js", place.given(1), patience=300)


@once
def a_console_on_a_terminal_shows_colours_and_obeys_nothing(place):
    """The twin: into a pipe all of it goes as it is."""
    code = r"""const { NodeVM } = require(process.argv[1]), vm = new NodeVM();
      vm.run(String.raw`console.log("\x1b[31mred\x1b[0m \x1b]52;c;YQ==\x07 \x1b[2J\x9b5n\tend"); console.error("\x1bc!"); process.stdout.write("\x1b[?1049h\n")`); process.exit()"""
    arguments = [node(), "-e", code, os.path.abspath(place.given(1))]
    piped = subprocess.run(arguments, env={**place.environment(), "AMBIT_PROGRAM": place.ambit}, stdin=subprocess.DEVNULL, capture_output=True, timeout=SLOW * 60, check=False)
    assert piped.returncode == 0 and b"\x1b]52" in piped.stdout and b"\x1bc!" in piped.stderr, told(piped)
    ours, theirs = pty.openpty()
    done = subprocess.run(arguments, env={**place.environment(), "AMBIT_PROGRAM": place.ambit}, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, timeout=SLOW * 60, check=False)
    os.close(theirs)
    said = os.read(ours, 65536).replace(b"\r\n", b"\n")
    os.close(ours)
    assert done.returncode == 0 and said == b"\x1b[31mred\x1b[0m ]52;c;YQ== [2J5n\tend\nc!\n[?1049h\n", said


def readme_examples(place):
    with open(os.path.join(place.given(1), "README.md"), encoding="utf-8") as file:
        return re.findall(r"```js\n(.*?)```", file.read(), re.S)


def its_packages_are_installed_without_a_network(place):
    """Packed by themselves, into an empty project; there the program is the one that the second package carries, and the examples of the README say what they say that they say."""
    need("npm")
    examples = readme_examples(place)
    assert len(examples) >= 3
    with tempfile.TemporaryDirectory(prefix="ambit-vm2-", dir="/var/tmp") as top:
        os.mkdir(f"{top}/project")
        write(f"{top}/project/package.json", "{}")
        environment = {**place.environment(), "AMBIT_BUILD": os.path.dirname(place.ambit), "HOME": top}
        made = subprocess.run([node(), f"{place.given(2)}/pack.mjs", f"{top}/made", place.given(1)], cwd=top, env=environment, capture_output=True, text=True, timeout=SLOW * 60, check=False)
        assert made.returncode == 0 and len(made.stdout.split()) == 2, told(made)
        done = subprocess.run(["npm", "install", "--offline", "--no-audit", *made.stdout.split()], cwd=f"{top}/project", env=environment, capture_output=True, text=True, timeout=SLOW * 120, check=False)
        assert done.returncode == 0, told(done)
        for number, example in enumerate(examples):
            write(f"{top}/project/example.js", example)
            done = subprocess.run([node(), "example.js"], cwd=f"{top}/project", env={**place.environment(), "PATH": "/nowhere"}, capture_output=True, text=True, timeout=SLOW * 60, check=False)
            says = " ".join(re.findall(r"console\.log\(.*; // (.*)$", example, re.M)).split()
            assert done.returncode == 0 and done.stderr == "" and done.stdout.split() == says, f"example {number + 1} says {done.stdout.split()}, not {says}; {told(done)}"


if __name__ == "__main__":
    main([values_cross_as_they_are_and_what_is_made_up_harms_nothing, what_vm2_does_is_done_or_differs_for_a_reason, code_ends_hangs_and_fills_no_program, a_hostile_cell_makes_the_program_do_no_more_than_it_is_for,
          a_console_on_a_terminal_shows_colours_and_obeys_nothing, each_option_of_ambit_does_what_it_says, its_packages_are_installed_without_a_network])
