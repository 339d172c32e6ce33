#!/usr/bin/env python3
"""What `ambit learn` writes suffices and is narrow: learned.py AMBIT. Speaks TAP; as root also as an ordinary user.

Each scenario runs a real program with `ambit learn`, then the same again with nothing but the policy that came of it."""

import os
import re
import tempfile

from harness import expect_ok, main, need, told, write
from programs import NODE_TEST, make_project, make_repository

BROAD = r"^\s+- \w+: (?:/|~|\"/\?\"|\"~\?\"|/home|/usr|/etc|/var)$"


def learn(place, *command, cwd, again=lambda: None, want=()):
    policy = os.path.join(place.fresh(), "learned.yaml")
    expect_ok(place.run(place.ambit, "learn", "--output", policy, "--", *command, cwd=cwd))
    with open(policy, encoding="utf-8") as file:
        text = file.read()
    expect_ok(place.run(place.ambit, "policy", "check", policy, cwd=cwd))
    assert not re.search(BROAD, text, re.M), f"broad:\n{text}"
    assert len(re.findall(r"^  - ", text, re.M)) <= 12, f"not grouped:\n{text}"
    for line in want:
        assert re.search(rf"^  - {re.escape(line)}$", text, re.M), f"no {line!r}:\n{text}"
    again()
    done = place.cell("--policy", policy, "--", *command, cwd=cwd)
    lacking = [line for line in done.stderr.splitlines() if line.startswith("ambit: ") and not line.startswith("ambit: denied: connect ")]
    assert done.returncode == 0 and not lacking, f"{told(done)}\nwith\n{text}"


def python_tests(place):
    top = place.fresh()
    write(os.path.join(top, "tests", "__init__.py"), "")
    write(os.path.join(top, "tests", "test_a.py"), "import unittest\nclass A(unittest.TestCase):\n    def test(self): pass\n")
    learn(place, "/usr/bin/python3", "-m", "unittest", cwd=top, want=["read: ."])


def make_of_a_C_project(place):
    need("make", "gcc")
    top = place.fresh()
    make_project(top)
    learn(place, "make", cwd=top, again=lambda: place.run("make", "clean", cwd=top), want=["work: ."])


def npm_test(place):
    need("npm")
    top = place.fresh()
    write(os.path.join(top, "package.json"), '{"name": "x", "version": "1.0.0", "scripts": {"test": "node --test"}}\n')
    write(os.path.join(top, "a.test.js"), NODE_TEST)
    learn(place, "npm", "test", cwd=top, want=['run: ["node"]'])


def git_commit(place):
    need("git")
    top = place.fresh()
    write(os.path.join(place.home, ".gitconfig"), "[user]\n\tname = A\n\temail = a@b.c\n")
    make_repository(place, os.path.join(top, "here"))
    learn(place, "git", "commit", "--allow-empty", "-qm", "x", cwd=os.path.join(top, "here"), want=["write: ./.git"])


def git_clone(place):
    need("git")
    top = place.fresh()
    make_repository(place, os.path.join(top, "origin"))
    os.mkdir(os.path.join(top, "mine"))
    learn(place, "git", "clone", "-q", os.path.join(top, "origin"), "clone", cwd=os.path.join(top, "mine"),
          again=lambda: place.run("rm", "-rf", "clone", cwd=os.path.join(top, "mine")), want=["write: ."])


def many_files_are_a_directory(place):
    top = place.fresh()
    for number in range(400):
        write(os.path.join(top, "data", str(number)), "x\n")
    work = place.fresh()
    learn(place, "sh", "-c", f"cat {top}/data/*", cwd=work, want=[f"read: {top}/data"])


def keys_are_left_to_decide(place):
    top = place.fresh()
    write(os.path.join(place.home, ".ssh", "id_test"), "SECRET\n")
    write(os.path.join(place.home, "notes", "a"), "a\n")
    policy = os.path.join(top, "learned.yaml")
    done = place.run(place.ambit, "learn", "--output", policy, "--", "sh", "-c", "cat ~/.ssh/id_test ~/notes/a; ls ~; true", cwd=top)
    with open(policy, encoding="utf-8") as file:
        text = file.read()
    assert "SECRET" not in done.stdout and '# decide: read: "~/.ssh/id_test?"' in text, f"{told(done)}\n{text}"
    assert '\n  - read: "~/notes/a?"\n' in text and '# decide: read: "~?"' in text, text


def hidden_names_are_left_to_decide(place):
    """What a grant of the whole tree hides is not granted by name unasked, with and without `work: .`."""
    hidden = [".env", ".npmrc", "id_rsa", "server.pem", ".aws/credentials"]
    for extra in ("true", "echo x > a; cp /usr/bin/true t; ./t"):
        top = place.fresh()
        for name in hidden:
            write(os.path.join(top, name), "SECRET\n")
        policy = os.path.join(place.fresh(), "learned.yaml")
        command = ["sh", "-c", f"cat {' '.join(hidden)}; {extra}"]
        expect_ok(place.run(place.ambit, "learn", "--output", policy, "--", *command, cwd=top))
        with open(policy, encoding="utf-8") as file:
            text = file.read()
        for name in hidden:
            assert f"# decide: read: ./{name}  -- " in text and not re.search(rf"^  - .*{re.escape(name)}", text, re.M), text
        assert ("work: ." in text) == (extra != "true"), text
        done = place.run(place.ambit, "run", "--policy", policy, "--", *command, cwd=top)
        assert "SECRET" not in done.stdout and (extra == "true" or f"--read {top}/.npmrc" in done.stderr), told(done)


def what_is_seen_is_not_written(place):
    """Of the home, too: neither files nor pipes."""
    top = os.path.join(place.home, "there")
    os.makedirs(f"{top}/ws", exist_ok=True)
    write(f"{top}/file", "as it was\n")
    os.mkfifo(f"{top}/pipe")
    heard = os.open(f"{top}/pipe", os.O_RDWR | os.O_NONBLOCK)
    script = f"cat {top}/file; for f in file pipe new; do echo told 1<>{top}/$f; done; echo ended"
    done = place.run(place.ambit, "learn", "--output", os.path.join(place.fresh(), "p.yaml"), "--", "sh", "-c", script, cwd=f"{top}/ws")
    assert "as it was" in done.stdout and "ended" in done.stdout and not os.path.exists(f"{top}/new"), told(done)
    try:
        assert not os.read(heard, 100), told(done)
    except BlockingIOError:
        pass
    with open(f"{top}/file", encoding="utf-8") as file:
        assert file.read() == "as it was\n"
    os.close(heard)


if __name__ == "__main__":
    tempfile.tempdir = "/var/tmp"  # while learning as in a run, /tmp is the cell's own
    main([python_tests, make_of_a_C_project, npm_test, git_commit, git_clone, many_files_are_a_directory,
          keys_are_left_to_decide, hidden_names_are_left_to_decide, what_is_seen_is_not_written])
