#!/usr/bin/env python3
"""Each preset with its obvious use: presets.py AMBIT. Speaks TAP; as root also as an ordinary user.

What is expected works as it is, and nothing that everybody's run does is reported as denied."""

import os
import tempfile

from harness import expect_ok, main, need, told, write
from programs import NODE_TEST, make_project


def quiet(result, *texts):
    assert "ambit:" not in expect_ok(result, *texts).stderr, told(result)


def script(path, text):
    write(path, "#!/bin/sh\n" + text)
    os.chmod(path, 0o755)


def with_path(place, first, preset, *words, cwd):
    """`ambit run --preset PRESET -- WORDS` by somebody whose PATH begins with `first`."""
    return place.run("env", f"PATH={first}:{place.environment()['PATH']}", place.ambit, "run", "--preset", preset, "--", *words, cwd=cwd)


def python(place):
    top = place.fresh()
    write(os.path.join(top, "test_a.py"), "import unittest, ssl\nclass A(unittest.TestCase):\n    def test(self): ssl.create_default_context()\n")
    quiet(place.cell("--preset", "python", "--", "python3", "-m", "unittest", cwd=top))
    quiet(place.cell("--preset", "python", "--", "/usr/bin/python3", "-m", "venv", "--without-pip", "env", cwd=top))


def python_of_an_active_environment(place):
    top = place.fresh()
    expect_ok(place.run("/usr/bin/python3", "-m", "venv", "--without-pip", "env", cwd=top))
    script(os.path.join(top, "env", "bin", "tool"), "echo of the environment\n")
    quiet(with_path(place, f"{top}/env/bin", "python", "tool", cwd=top), "of the environment")
    code = "import sys; print(sys.prefix)"
    quiet(with_path(place, f"{top}/env/bin", "python", "python3", "-c", code, cwd=top), f"{top}/env")


def what_is_not_shown_is_passed_over(place):
    top, shims = place.fresh(), place.fresh()
    script(os.path.join(shims, "python3"), "exec /nothing/here\n")
    quiet(with_path(place, shims, "python", "python3", "-c", "print('of the system')", cwd=top), "of the system")
    script(os.path.join(shims, "only-here"), "echo named\n")
    quiet(with_path(place, shims, "python", "only-here", cwd=top), "named")


def node(place):
    need("npm")
    top = place.fresh()
    write(os.path.join(top, "package.json"), '{"name": "x", "version": "1.0.0", "scripts": {"test": "node --test"}}\n')
    write(os.path.join(top, "a.test.js"), NODE_TEST)
    quiet(place.cell("--preset", "node", "--", "node", "--test", cwd=top), "# fail 0")
    quiet(place.cell("--preset", "node", "--", "npm", "test", cwd=top), "# fail 0")


def node_installed_for_one_person(place):
    bin_dir = os.path.join(place.home, ".nvm", "versions", "node", "v1", "bin")
    script(os.path.join(bin_dir, "npm"), "node of npm\n")
    script(os.path.join(bin_dir, "node"), 'echo "my node $1 $2"\n')
    quiet(with_path(place, bin_dir, "node", "npm", cwd=place.fresh()), "my node of npm")


def claude_code(place):
    need("git")
    top = place.fresh()
    bin_dir, share = (os.path.join(place.home, ".local", x) for x in ("bin", "share/claude/versions"))
    script(os.path.join(share, "1"), "git init -q . && echo here > ~/.claude/x && cat ~/.ssh/key; ls -A\n")
    os.makedirs(bin_dir, exist_ok=True)
    os.symlink(f"{share}/1", f"{bin_dir}/claude")
    write(os.path.join(place.home, ".claude", "settings.json"), "{}")
    write(os.path.join(place.home, ".ssh", "key"), "SECRET\n")
    done = expect_ok(with_path(place, bin_dir, "claude-code", "claude", cwd=top), ".git")
    assert "SECRET" not in done.stdout and ".ssh/key" in done.stderr, told(done)
    with open(os.path.join(place.home, ".claude", "x"), encoding="ascii") as file:
        assert file.read() == "here\n"


def a_link_that_was_granted_keeps_its_name(place):
    top = place.fresh()
    write(os.path.join(place.home, "data", "real", "file"), "behind a link\n")
    os.symlink("data/real", os.path.join(place.home, "link"))
    os.symlink(os.path.join(place.home, "data", "real"), os.path.join(top, "link"))
    for name in (os.path.join(place.home, "link"), os.path.join(top, "link")):
        quiet(place.cell("--read", name, "--", "cat", f"{name}/file", cwd=place.fresh()), "behind a link")


def shell(place):
    quiet(place.cell("--preset", "shell", "--", "bash", "-c", "echo a > b; sort b | tee c; . /etc/bash.bashrc; vim -es -c q", cwd=place.fresh()), "a")


def c(place):
    need("make", "gcc")
    top = place.fresh()
    make_project(top)
    quiet(place.cell("--preset", "c", "--", "make", cwd=top))
    quiet(place.cell("--preset", "c", "--", "sh", "-c", "echo 'int main(void) { return 0; }' > a.c && gcc -fPIE a.c -lm -lpthread && ./a.out", cwd=top))


def agent(place):
    need("git", "make", "gcc", "node", "npm")
    top = place.fresh()
    make_project(top)
    write(os.path.join(place.home, ".gitconfig"), "[user]\n\tname = Ann\n\temail = ann@example.com\n")
    write(os.path.join(top, "package.json"), '{"name": "a", "version": "1.0.0", "scripts": {"test": "node -e \'console.log(6 * 7)\'"}}\n')
    script = "make -s && npm test --silent && python3 -m venv --without-pip .venv && rm -rf .venv && git init -q && git add package.json && git commit -qm first && git log --format=%an"
    quiet(place.cell("--preset", "agent", "--", "bash", "-c", script, cwd=top), "42", "Ann")
    bare = place.cell("--work", ".", "--", "bash", "-c", "npm test --silent", cwd=top)  # the twin: behind a shell nothing says that it is node
    assert bare.returncode != 0 and "--run node" in bare.stderr, told(bare)


if __name__ == "__main__":
    tempfile.tempdir = "/var/tmp"  # a cell has its own /tmp
    main([python, python_of_an_active_environment, what_is_not_shown_is_passed_over, node, node_installed_for_one_person,
          claude_code, a_link_that_was_granted_keeps_its_name, shell, c, agent])
