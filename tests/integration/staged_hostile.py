#!/usr/bin/env python3
"""Staged workspaces under attack: by the program in the cell, by another user, by what the person does meanwhile.

usage: staged_hostile.py AMBIT    (TAP on standard output; as root once more as an ordinary user)

Each scenario tries what must not happen, and has a twin beside it that shows that the probe would notice."""

import glob
import json
import os
import re
import shutil
import stat
import subprocess
import time

from harness import SLOW, Skip, expect_ok, lock_holders, main, need, once, sanitized, told, write
from mounts import in_child, private_mounts
from trees import expect_same, picture

PYTHON = "/usr/bin/python3"
SOAK = os.environ.get("AMBIT_SOAK")
EVIL_CONFIG = "[core]\\n\\tbare = true\\n\\tfsmonitor = touch pwned\\n"  # for printf


def tree(place):
    fresh = place.fresh()
    place.home = os.path.join(fresh, "home")
    os.mkdir(place.home)
    top = os.path.join(fresh, "tree")
    os.mkdir(top)
    return top


def ambit(place, *words, cwd, **more):
    return place.run(place.ambit, *words, cwd=cwd, **more)


def work(place, top, script, *flags, **more):
    return place.cell("--work", ".", *flags, "--", "sh", "-ec", script, cwd=top, **more)


def python(place, top, script, *flags, **more):
    return place.cell("--work", ".", *flags, "--", PYTHON, "-c", script, cwd=top, **more)


def latest(place, top):
    return stages(place, top)[-1]["event"]


def store(place):
    return os.path.join(place.home, ".local/state/ambit/stages")


def stages(place, top):
    return json.loads(expect_ok(ambit(place, "stage", "list", "--json", cwd=top)).stdout)["stages"]


def begin(place, top, script, *flags, ready="ready"):
    """An event that waits for a line once it has made `ready`."""
    process = subprocess.Popen([place.ambit, "run", "--work", ".", *flags, "--", "sh", "-ec", f"{script}; touch {ready}; read go"],
                               cwd=top, env=place.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    for _ in range(400):
        if glob.glob(f"{store(place)}/e_*/0/upper/{ready}"):
            return process
        time.sleep(0.025)
    process.kill()
    raise AssertionError("it never began")


def begin_in_place(place, where, script):
    """An event that writes in place, and does the script when it gets a line; its id."""
    known = set(claims(place))
    process = subprocess.Popen([place.ambit, "run", "--work", ".", "--direct", "--", "sh", "-ec", f"touch on; read go; {script}"], cwd=where,
                               env=place.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(400):
        if os.path.exists(f"{where}/on"):
            return process, (set(claims(place)) - known).pop()
        time.sleep(0.025)
    process.kill()
    raise AssertionError("it never began")


def claims(place):
    return [name[len(".direct-"):] for name in os.listdir(store(place)) if name.startswith(".direct-")] if os.path.isdir(store(place)) else []


def end(process):
    out, err = process.communicate("go\n", timeout=60 * SLOW)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def git_tree(place):
    need("git")
    top = tree(place)
    subprocess.run(["git", "init", "-q", "."], cwd=top, check=True, env=place.environment())
    return top


# ---- hidden names ----


def what_is_hidden_outlives_ours(place):
    """`--on-conflict ours` is about what changed outside, and not about what the cell could not see."""
    def directory(top):
        write(f"{top}/dir/.env", "SECRET\n")
        write(f"{top}/dir/sub/a", "a\n")

    top = tree(place)
    directory(top)
    assert work(place, top, "rm -r dir", "--on-conflict", "ours").returncode == 123
    assert os.path.exists(f"{top}/dir/.env")
    lost = []
    for what, outside in (("a name in the directory", "dir/new"), ("a file deeper in it", "dir/sub/a")):
        for how in ("rm -r dir", "rm -r dir; echo > dir", "rm -r dir; ln -s /tmp dir"):
            top = tree(place)
            directory(top)
            process = begin(place, top, how, "--on-conflict", "ours")
            write(f"{top}/{outside}", "outside\n")
            end(process)
            if not os.path.isfile(f"{top}/dir/.env"):
                lost.append(f"{what} changed, then {how}")
    assert not lost, lost


def a_narrower_grant_hides_as_much(place):
    """Naming a directory shows no more of what is hidden in it than a grant of that directory alone does."""
    top = tree(place)
    write(f"{top}/conf/.env", "SECRET\n")
    assert "SECRET" in place.cell("--read", "./conf/.env", "--", "cat", "conf/.env", cwd=top).stdout
    assert "SECRET" not in place.cell("--read", "./conf", "--", "cat", "conf/.env", cwd=top).stdout
    assert "SECRET" not in place.cell("--read", ".", "--", "cat", "conf/.env", cwd=top).stdout
    shown = [flags for flags in (["--read", ".", "--read", "./conf"], ["--work", ".", "--read", "./conf"],
                                 ["--work", ".", "--write", "./conf"], ["--work", ".", "--run", "./conf"])
             if "SECRET" in place.cell(*flags, "--", "cat", "conf/.env", cwd=top).stdout]
    assert not shown, f"shown by {shown}"


def no_way_to_what_is_hidden(place):
    top = tree(place)
    write(f"{top}/dir/.env", "SECRET\n")
    write(f"{top}/plain", "plain\n")
    script = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *words):
    if libc.syscall(number, *words) < 0:
        raise OSError(ctypes.get_errno(), 'refused')
def tries(name):
    fd = os.open('.', os.O_RDONLY)
    handle = ctypes.create_string_buffer(b'\\x78' + b'\\0' * 200)
    mount = ctypes.c_int()
    yield 'open', lambda: open(name).read()
    yield 'other case', lambda: open(os.path.join(os.path.dirname(name), os.path.basename(name).upper() + '')).read() if '.' in name else 1/0
    yield 'link', lambda: os.link(name, 'l')
    yield 'link by descriptor', lambda: os.link(name, 'l2', src_dir_fd=fd, dst_dir_fd=fd)
    yield 'rename', lambda: os.rename(name, 'r')
    yield 'exchange', lambda: call(316, -100, name.encode(), -100, b'plain2', 2)
    yield 'whiteout', lambda: call(316, -100, name.encode(), -100, b'w', 4)
    yield 'stat', lambda: os.lstat(name)
    yield 'handle', lambda: call(303, fd, name.encode(), handle, ctypes.byref(mount), 0)
    yield 'attributes', lambda: os.listxattr(name)
    yield 'by descriptor', lambda: open(f'/proc/self/fd/{fd}/{name}').read()
open('plain2', 'w').write('x')
for name in ('dir/.env', 'plain'):
    done = []
    for what, do in tries(name):
        try:
            do()
            done.append(what)
        except (OSError, ZeroDivisionError):
            pass
    print(name, done)
os.rename('dir', 'dir2') if False else None
try:
    os.rename('dir', 'moved')
    print('moved', os.listdir('moved'))
except OSError:
    pass
print('listed', os.listdir('dir'))
os.rmdir('dir'); os.mkdir('dir')
print('again', os.listdir('dir'))
"""
    result = expect_ok_or_held(python(place, top, script))
    assert "dir/.env []" in result.stdout and "listed []" in result.stdout and "again []" in result.stdout, told(result)
    assert "'open'" in result.stdout and "'link'" in result.stdout and "SECRET" not in result.stdout, told(result)
    assert open(f"{top}/dir/.env").read() == "SECRET\n"


def expect_ok_or_held(result):
    assert result.returncode in (0, 123), told(result)
    return result


# ---- protected names ----


def a_protected_file_gets_no_second_name(place):
    """What has another name can be changed by it, unseen: in place by the person's programs, and by a cell with --direct."""
    planted = []
    for name, other in ((".git/hooks/pre-commit", "notes"), (".git/config", "cfg"), (".vscode/tasks.json", "vendor/e")):
        top = git_tree(place)
        for path in (".git/hooks/pre-commit", ".vscode/tasks.json"):
            write(f"{top}/{path}", "#!/bin/sh\n")
        os.mkdir(f"{top}/vendor")
        inode = os.stat(f"{top}/{name}").st_ino
        assert work(place, top, f"echo 'echo x' >> {name}; printf '{EVIL_CONFIG}' >> {name}").returncode == 123  # the twin
        expect_ok(ambit(place, "discard", cwd=top))
        work(place, top, f"ln {name} {other}")
        if os.path.exists(f"{top}/{other}") and os.path.samefile(f"{top}/{name}", f"{top}/{other}"):
            work(place, top, f"echo pwned >> {other}", "--direct")
            planted.append((name, "changed by a cell" if "pwned" in open(f"{top}/{name}").read() else "linked"))
    assert not planted, planted


# ---- protected names in place ----

# Everything that is tried with a name; what fails is no matter, what stands there afterwards is.
ATTEMPTS = """
import ctypes, os, shutil, sys
libc = ctypes.CDLL(None, use_errno=True)

def tried(what, *args):
    try:
        what(*args)
    except OSError:
        pass

def append(path):
    with open(path, 'a') as f:
        f.write('evil')

def swap(a, b):
    libc.renameat2(-100, os.fsencode(a), -100, os.fsencode(b), 2)

def aside(path):
    os.rename(path, path + '-aside')
    os.makedirs(path)

for path in sys.argv[1:]:
    open('evil', 'w').close()
    tried(append, path)
    tried(os.chmod, path, 0o777)
    tried(os.truncate, path, 0)
    tried(os.rename, 'evil', path)
    tried(os.link, path, 'second')
    tried(append, 'second')
    swap('evil', path)
    tried(os.rename, path, path + '-aside')
    tried(os.remove, path)
    above = os.path.dirname(path)
    while above:
        os.makedirs('evil-directory/x', exist_ok=True)
        swap('evil-directory', above)
        tried(aside, above)
        tried(os.rename, 'evil-directory', above)
        above = os.path.dirname(above)
for path in sys.argv[1:]:
    shutil.rmtree(path.split('/')[0], ignore_errors=True)
"""

HELD_DEEP = ["sub/.git/hooks/pre-commit", "sub/.git/config", "sub/.git/info/attributes", "sub/.git/modules/m/config", "sub/.git/modules/m/HEAD", "a/b/.envrc",
             "sub/.git/worktrees/w/commondir", "sub/.git/worktrees/w/config.worktree", "linked/.git", "a/.vscode/tasks.json",
             "a/b/x.code-workspace", "a/b/c/.bashrc_mine", "bare/hooks/update", "bare/config", "a/.npmrc", "a/.gitmodules",
             "node_modules/p/.git/hooks/post-checkout", "a/b/.idea/x", "d/.jj/repo/config.toml", ".envrc", ".exrc", "a/b/c/.exrc", "a/mise/x.toml"]
FREE_DEEP = ["sub/.git/description", "sub/.git/rebase-merge/git-rebase-todo", "a/b/notes", "node_modules/p/.exrc", "config", "z/hooks/update",
             "node_modules/q/.vscode/tasks.json", "a/.gitattributes", "z/commondir-x", "z/x.toml"]


def deep_tree(place):
    top = tree(place)
    for path in HELD_DEEP + FREE_DEEP + ["bare/HEAD", "bare/refs/x", "bare/objects/x", "sub/.git/HEAD", "sub/.git/worktrees/w/HEAD"]:
        write(f"{top}/{path}", "as it was\n")
    return top


def attempt(place, top, paths, *flags):
    return place.cell("--work", ".", "--direct", *flags, "--", PYTHON, "-c", ATTEMPTS, *paths, cwd=top)


def is_as_it_was(path):
    return os.path.isfile(path) and not os.path.islink(path) and open(path).read() == "as it was\n" and os.stat(path).st_mode & 0o111 == 0


def protected_names_in_place_at_any_depth(place):
    """With --direct what others obey stays where it is and as it is, by its own name and by those above it; one at a time, and all together."""
    top = deep_tree(place)
    expect_ok(attempt(place, top, HELD_DEEP))
    changed = [path for path in HELD_DEEP if not is_as_it_was(f"{top}/{path}")]
    assert not changed, changed
    for path in FREE_DEEP:  # the twins
        top = deep_tree(place)
        expect_ok(attempt(place, top, [path]))
        assert not is_as_it_was(f"{top}/{path}"), path


def protected_names_in_place_by_grant(place):
    """Granted by name they are free, and no others with them."""
    granted = {"a/b/.envrc": ["a/b/.envrc"], "a/b/c/.exrc": ["a/b/c/.exrc"], "sub/.git/hooks": ["sub/.git/hooks/pre-commit"],
               "a/.vscode": ["a/.vscode/tasks.json"], "sub/.git/hooks/pre-commit": ["sub/.git/hooks/pre-commit"],
               "sub": [], "sub/.git": [], "a": []}  # a directory around them is not their name
    for name, paths in granted.items():
        top = deep_tree(place)
        place.cell("--work", ".", "--direct", "--write", f"./{name}", "--", "sh", "-c", f"for f in {' '.join(HELD_DEEP)}; do echo x >> $f; done", cwd=top)
        assert [p for p in HELD_DEEP if not is_as_it_was(f"{top}/{p}")] == paths, name
    for name, path in (("a/.vscode", "a/.vscode/sub/.exrc"), ("sub/.git", "sub/.git/modules/m/config")):
        top = deep_tree(place)
        write(f"{top}/a/.vscode/sub/.exrc", "as it was\n")
        place.cell("--direct", "--write", f"./{name}", "--", "sh", "-c", f"echo x >> {path}; echo x > {name}/free", cwd=top)  # a tree of its own
        assert is_as_it_was(f"{top}/{path}") and os.path.exists(f"{top}/{name}/free"), path


def what_is_held_is_named(place):
    """Its removal is denied for its own sake, not for that of its directory: a grant of its name allows it, as the hint says."""
    top = deep_tree(place)
    result = work(place, top, "! rm linked/.git; ! rm sub/.git/hooks/pre-commit", "--direct", "--record", "../r.json")
    explained = expect_ok(ambit(place, "explain", "../r.json", cwd=top)).stdout
    for path, granted in (("linked/.git", "linked/.git"), ("sub/.git/hooks/pre-commit", "sub/.git/hooks")):
        assert f"denied: delete {top}/{path}\n" in result.stderr and f"--write {top}/{granted} allows it" in result.stderr, told(result)
        assert f"--write {top}/{granted}\n" in explained, explained
        expect_ok(place.cell("--work", ".", "--direct", "--write", f"./{granted}", "--", "rm", path, cwd=top))
        assert not os.path.exists(f"{top}/{path}")


def protected_names_in_place_by_links(place):
    """A link with such a name, on the way to one, or in a directory of that name is held with what it leads to."""
    links = {"a/.exrc": ("../env/rc", "env/rc"), "sub/.git/hooks/pre-commit": ("../../../tools/hook", "tools/hook"),
             "d/.jj": ("../jj-data", "jj-data/repo/config.toml"), "w/.git": ("../git-data", "git-data/hooks/update"),
             "b/.bashrc_x": ("../rc/d/file", "rc/d/file"), "c/.vscode": ("../settings", "settings/tasks.json"),
             "a/.gdbinit": ("../e/f/g/rc", "e/f/g/rc"), "z/.vscode": ("../e", "e/f/other"), "v/.vscode/link": ("sub/file", "v/.vscode/sub/file")}
    top = tree(place)
    for path, (text, target) in links.items():
        write(f"{top}/{target}", "as it was\n")
        os.makedirs(os.path.dirname(f"{top}/{path}"), exist_ok=True)
        os.symlink(text, f"{top}/{path}")
    for path in ("git-data/HEAD", "git-data/objects/x", "git-data/refs/x", "v/.vscode/sub/other", "tools/other"):
        write(f"{top}/{path}", "as it was\n")
    expect_ok(attempt(place, top, [target for text, target in links.values()] + ["v/.vscode/sub/other"] + list(links)))
    assert is_as_it_was(f"{top}/v/.vscode/sub/other")  # read-only as its directory is, which a way to it would undo
    for path, (text, target) in links.items():
        assert os.path.islink(f"{top}/{path}") and os.readlink(f"{top}/{path}") == text, path
        assert is_as_it_was(f"{top}/{target}"), target
    expect_ok(attempt(place, top, ["tools/other"]))  # the twin
    assert not is_as_it_was(f"{top}/tools/other")


def protected_names_in_place_are_many(place):
    """All are held, or the event is refused; what only looks alike costs nothing."""
    top = tree(place)
    touch(f"{top}/rebase-merge", [f"git-rebase-todo{i}" for i in range(1500)])  # more than the index keeps of one directory
    write(f"{top}/rebase-merge/.exrc", "as it was\n")
    for i in range(40):
        write(f"{top}/r{i}/.git/config", "as it was\n")
        write(f"{top}/r{i}/.git/hooks/x", "as it was\n")
    expect_ok(work(place, top, "for f in rebase-merge/.exrc r0/.git/config r39/.git/hooks/x; do ! echo x >> $f; done; echo x > rebase-merge/git-rebase-todo7", "--direct"))
    assert is_as_it_was(f"{top}/rebase-merge/.exrc") and is_as_it_was(f"{top}/r0/.git/config") and os.path.getsize(f"{top}/rebase-merge/git-rebase-todo7") == 2
    for i in range(40, 80):
        write(f"{top}/r{i}/.git/config", "as it was\n")
        write(f"{top}/r{i}/.git/hooks/x", "as it was\n")
    result = work(place, top, "echo x > ran", "--direct")
    assert result.returncode == 125 and "run it without --direct" in result.stderr and not os.path.exists(f"{top}/ran"), told(result)
    expect_ok(work(place, top, "echo x > ran"))  # the twin


def changed_in_place(place, top, paths, *flags, before="", cwd=None):
    """Which of the files a program could write, each by appending to it."""
    for path in paths:
        write(f"{top}/{path}", "as it was\n")
    script = f"{before}\nfor f in {' '.join(paths)}; do echo x >> \"$f\"; done; exit 0"
    expect_ok(place.cell("--direct", *flags, "--", "sh", "-c", script, cwd=cwd or top))
    return [path for path in paths if not is_as_it_was(f"{top}/{path}")]


def protected_names_in_place_by_winding_links(place):
    """What a link leads to is found as the kernel finds it: through other links, out of the tree and in again, into another tree."""
    top = tree(place)
    os.makedirs(f"{top}/w/sub/deep")
    os.symlink("w", f"{top}/alias")
    os.symlink("w/back", f"{top}/out")
    for text, link in (("d/../evil", "w/.exrc"), ("sub/deep", "w/d"), (f"{top}/alias/absolute", "w/.envrc"), ("../out", "w/.mcp.json"),
                       ("../other/far", "w/.gdbinit"), ("conf", "w/.vscode"), ("../real.json", "w/conf/tasks.json"),
                       ("../conf2", "w/conf/more"), ("../deeper.json", "w/conf2/x")):
        os.makedirs(os.path.dirname(f"{top}/{link}"), exist_ok=True)
        os.symlink(text, f"{top}/{link}")
    held = ["w/sub/evil", "w/absolute", "w/back", "other/far", "w/real.json", "w/conf/settings.json", "w/conf2/y", "w/deeper.json"]
    free = ["w/evil", "w/sub/free", "other/free"]  # the twins
    swap = "mv w/d w/d2; ln -s ../other w/d; rm -f w/conf/tasks.json"
    assert changed_in_place(place, top, held + free, "--write", "./w", "--write", "./other", before=swap) == free
    assert os.readlink(f"{top}/w/d") == "sub/deep" and os.path.islink(f"{top}/w/conf/tasks.json")


def protected_names_in_place_by_links_in_a_repository(place):
    """What git finds by links in a repository, and what it finds beside the tree that leads back into it."""
    top = tree(place)
    for text, link in (("../../mods", "w/s/.git/modules"), ("../../info", "w/s/.git/info"), ("../hk", "w/r/hooks"), ("../i", "w/bare.git/info"), ("../shared", "w/.claude"), ("../w/back.json", "shared/settings.json")):
        os.makedirs(os.path.dirname(f"{top}/{link}"), exist_ok=True)
        os.symlink(text, f"{top}/{link}")
    for path in ("s/.git/HEAD", "r/objects/x", "r/refs/x"):
        write(f"{top}/w/{path}", "")
    held = ["w/mods/m/config", "w/info/attributes", "w/hk/update", "w/i/attributes", "w/back.json"]
    free = ["w/free", "free"]  # the twins
    assert changed_in_place(place, top, held + free, "--write", "./w", "--write", "./free") == free


def a_granted_directory_that_cannot_be_listed(place):
    """Its owner could list it in the cell, and who may enter it opens names that are known: it is refused, however it is granted."""
    if os.geteuid() == 0:
        raise Skip("root lists any directory")
    script = "chmod 700 s; cat s/prod.key; for f in s/.exrc s/q/.git/hooks/h; do echo evil >> $f; done; echo x > s/ran"
    for mode in (0o300, 0o100, 0o000):
        for flags in (["--direct", "--write", "./s"], ["--direct", "--work", ".", "--write", "./s"], ["--direct", "--read", ".", "--write", "./s"],
                      ["--write", "./s", "--discard"], ["--direct", "--work", "."]):
            top = tree(place)
            for path in ("s/.exrc", "s/q/.git/hooks/h"):
                write(f"{top}/{path}", "as it was\n")
            write(f"{top}/s/prod.key", "SECRET")
            os.chmod(f"{top}/s", mode)
            result = place.cell(*flags, "--", "sh", "-c", script, cwd=top)
            os.chmod(f"{top}/s", 0o700)
            assert "SECRET" not in result.stdout and not os.path.exists(f"{top}/s/ran"), (mode, flags, told(result))
            assert is_as_it_was(f"{top}/s/.exrc") and is_as_it_was(f"{top}/s/q/.git/hooks/h"), (mode, flags, told(result))
    os.chmod(f"{top}/s", 0o300)
    result = place.cell("--read", "./s", "--", "cat", "s/prod.key", cwd=top)
    assert result.returncode == 125 and "cannot be looked into" in result.stderr, told(result)
    os.chmod(f"{top}/s", 0o700)
    expect_ok(place.cell("--direct", "--write", "./s", "--", "sh", "-c", "echo x > s/ran", cwd=top))  # the twin


def root_works_on_tmpfs():
    """Root's trees are idmapped, which a tmpfs can be since Linux 6.3; Ambit refuses it before (filesystems.py)."""
    return tuple(int(n) for n in re.match(r"(\d+)\.(\d+)", os.uname().release).groups()) >= (6, 3)


def a_name_held_on_another_mount(place):
    """Root's cell is shown no mount in a tree, be it for a name that is held there."""
    if os.geteuid() != 0:
        raise Skip("only root mounts")
    if not root_works_on_tmpfs():
        raise Skip("root's trees on a tmpfs: from Linux 6.3")
    top = tree(place)
    os.makedirs(f"{top}/m")
    os.symlink("m/hooks", f"{top}/.githooks")
    expect_ok(subprocess.run(["mount", "-t", "tmpfs", "none", f"{top}/m"], capture_output=True, text=True))
    try:
        for path in ("m/hooks/pre-commit", "m/.vscode/t", "m/q/.vscode/t"):
            write(f"{top}/{path}", "as it was\n")
        write(f"{top}/m/prod.key", "SECRET")
        for flags in ([], ["--write", "./m/q"]):
            result = place.cell("--work", ".", "--direct", *flags, "--", "sh", "-c", "cat m/prod.key; for f in m/.vscode/t m/hooks/pre-commit m/q/.vscode/t; do echo x >> $f; done", cwd=top)
            assert "SECRET" not in result.stdout, told(result)
            assert all(is_as_it_was(f"{top}/{path}") for path in ("m/hooks/pre-commit", "m/.vscode/t", "m/q/.vscode/t")), told(result)
        result = place.cell("--write", "./m", "--direct", "--", "sh", "-c", "echo x > m/free; echo x >> m/.vscode/t", cwd=top)  # the twin
        assert os.path.exists(f"{top}/m/free") and is_as_it_was(f"{top}/m/.vscode/t"), told(result)
    finally:
        subprocess.run(["umount", f"{top}/m"], check=True)


def a_part_of_a_repository_granted_in_place(place):
    """What is held in it is known by what lies around the grant; among dependencies nothing more is held for being granted."""
    top = tree(place)
    for path in ("r/HEAD", "r/objects/x", "r/refs/x"):
        write(f"{top}/{path}", "")
    assert changed_in_place(place, top, ["r/info/attributes", "r/info/f"], "--work", ".", "--write", "./r/info") == ["r/info/f"]
    paths = ["node_modules/q/.vscode/t", "node_modules/q/.exrc", "node_modules/q/.git/hooks/h"]
    free = paths[:2]
    for flags in (["--work", "."], ["--work", ".", "--write", "./node_modules"], ["--work", ".", "--write", "./node_modules/q"]):
        assert changed_in_place(place, tree(place), paths, *flags) == free, flags


def a_protected_link_to_all_that_is_granted(place):
    """What would hold the whole tree is refused."""
    top = tree(place)
    os.symlink(".", f"{top}/.vscode")
    result = work(place, top, "echo x > ran", "--direct")
    assert result.returncode == 125 and "leads to a directory in which it lies" in result.stderr and not os.path.exists(f"{top}/ran"), told(result)
    os.rename(f"{top}/.vscode", f"{top}/vscode")  # the twin
    expect_ok(work(place, top, "echo x > ran", "--direct"))


def names_held_in_place_take_no_other_rights(place):
    """On the way to a name that is held a program is not written where it could be run only."""
    top = tree(place)
    for directory in ("tools", "tools/sub", "free"):
        os.makedirs(f"{top}/{directory}", exist_ok=True)
    write(f"{top}/tools/sub/.git/config", "")
    result = place.cell("--write", ".", "--run", "./tools", "--direct", "--", "sh", "-c", "cp /bin/true free/t; ! cp /bin/true tools/sub/t", cwd=top)
    assert result.returncode == 0 and os.path.exists(f"{top}/free/t") and not os.path.exists(f"{top}/tools/sub/t"), told(result)  # with the twin


def protected_names_in_place_in_what_a_grant_frees(place):
    """A grant in a directory that is held frees what it names, and no protected name in it."""
    top = tree(place)
    paths = [".config/app/notes", ".config/app/.git/hooks/h", ".config/app/sub/.git/config", ".config/app/.exrc", ".config/other"]
    assert changed_in_place(place, top, paths, "--work", ".", "--write", "./.config/app") == [".config/app/notes"]
    # the way to what a link leads to passes the granted directory before the one around it is held
    top = tree(place)
    os.symlink(".config/app/rc", f"{top}/.tigrc")
    assert changed_in_place(place, top, [*paths, ".config/app/rc"], "--work", ".", "--write", "./.config/app") == [".config/app/notes"]
    paths = ["s/.vscode/o", "s/.vscode/app/f", "s/.vscode/app/.exrc", "s/.vscode/app/.idea/x/f", "s/.vscode/app/.idea/x/.exrc", "s/.vscode/app/.idea/x/q/.git/hooks/h"]
    for order in ((".", "./s/.vscode/app", "./s/.vscode/app/.idea/x"), ("./s/.vscode/app/.idea/x", "./s/.vscode/app", "."), (".", "./s/.vscode/app/.idea/x", "./s/.vscode/app")):
        flags = [word for path in order for word in ("--write", path)]
        assert changed_in_place(place, tree(place), paths, *flags) == ["s/.vscode/app/f", "s/.vscode/app/.idea/x/f"], order
    paths = [".claude/f", ".claude/plugins/p/.git/config", ".claude/w/.exrc"]
    assert changed_in_place(place, tree(place), paths, "--work", ".", "--write", "./.claude") == [".claude/f"]


def protected_names_in_place_in_secrets(place):
    """A grant shows what looks like a secret, and frees no protected name in it."""
    top = tree(place)
    paths = ["prod.key/f", "prod.key/repo/.git/hooks/h", "prod.key/.exrc", "prod.key/a/.vscode/t"]
    write(f"{top}/prod.key/f", "")
    assert changed_in_place(place, top, paths, "--work", ".", "--read", "./prod.key") == ["prod.key/f"]
    top = tree(place)
    os.makedirs(f"{top}/x.key/shut")
    paths = ["x.key/f", "x.key/a.key/f", "x.key/a.key/.exrc", "x.key/a.key/r/.git/hooks/h", "x.key/.ambit-z/.exrc", "x.key/full/.exrc", "x.key/shut/.exrc"]
    write(f"{top}/x.key/shut/.exrc", "as it was\n")
    touch(f"{top}/x.key/full", [f"{i}.key" for i in range(4200)])
    assert changed_in_place(place, top, paths, "--write", "./x.key") == ["x.key/f", "x.key/a.key/f"]
    if os.geteuid() != 0:  # root lists any directory
        os.chmod(f"{top}/x.key/shut", 0o300)
        result = place.cell("--direct", "--write", "./x.key", "--", "sh", "-c", "echo x > x.key/ran", cwd=top)
        os.chmod(f"{top}/x.key/shut", 0o700)
        assert result.returncode == 125 and "x.key/shut cannot be looked into" in result.stderr, told(result)
        assert not os.path.exists(f"{top}/x.key/ran")


def protected_names_in_place_too_deep(place):
    """Where the table says nothing any more, the event is refused."""
    top = tree(place)
    deep = "/".join(["d"] * 260)
    write(f"{top}/{deep}/free", "")
    expect_ok(work(place, top, "true", "--direct"))  # the twin
    write(f"{top}/{deep}/.exrc", "")
    result = work(place, top, "echo x > ran", "--direct")
    assert result.returncode == 125 and "lies too deep" in result.stderr and not os.path.exists(f"{top}/ran"), told(result)


def a_repository_in_place_stays_one(place):
    """What is held only since it lies in a repository stays in one: else an event would free it for the next."""
    top = tree(place)
    for path in ("r/HEAD", "r/refs/x", "r/objects/x", "r/config", "r/hooks/h"):
        write(f"{top}/{path}", "as it was\n")
    work(place, top, "mv r/HEAD H; mv r/refs r/refs2; mv r/objects r/objects2; mv r r2", "--direct")
    assert not os.path.exists(f"{top}/r/HEAD") and os.path.isdir(f"{top}/r/refs") and os.path.isdir(f"{top}/r/objects")  # the first is the twin
    assert changed_in_place(place, top, ["r/config", "r/hooks/h", "r/f"], "--work", ".") == ["r/f"]


def names_held_in_place_show_nobody_elses_files(place):
    """Of a directory that belongs to somebody else a cell sees as much with a protected name in it as without."""
    if os.geteuid() != 0:
        raise Skip("only root has such a tree to grant")
    top = tree(place)
    for directory in ("sub", "twin", "granted", ".vscode"):
        write(f"{top}/{directory}/secret", "SECRET")
    write(f"{top}/sub/.exrc", "")
    write(f"{top}/.vscode/a.key", "")  # a held directory with something to hide
    for directory in ("sub", "twin", "granted", ".vscode"):
        os.chmod(f"{top}/{directory}/secret", 0o600)
        for path in (f"{top}/{directory}/secret", f"{top}/{directory}"):
            os.chown(path, 65534, 65534)
    result = place.cell("--work", ".", "--direct", "--", "sh", "-c", "cat sub/secret twin/secret .vscode/secret; echo x > sub/new; echo x > sub/secret", cwd=top)
    assert "SECRET" not in result.stdout and sorted(os.listdir(f"{top}/sub")) == [".exrc", "secret"], told(result)
    assert open(f"{top}/sub/secret").read() == "SECRET"
    result = place.cell("--write", "./granted", "--direct", "--", "cat", "granted/secret", cwd=top)  # the twin
    assert "SECRET" in result.stdout, told(result)


def a_held_link_into_what_is_hidden(place):
    """It neither shows what is hidden nor keeps events from starting."""
    top = tree(place)
    write(f"{top}/x.key/rc", "SECRET")
    os.symlink("x.key/rc", f"{top}/.exrc")
    result = work(place, top, "! cat .exrc; ! cat x.key/rc; ! rm -f .exrc; ! mv x.key y; echo x > ran", "--direct")
    assert "SECRET" not in result.stdout and os.path.exists(f"{top}/ran"), told(result)
    assert os.path.islink(f"{top}/.exrc") and os.path.exists(f"{top}/x.key/rc"), told(result)


def repository(place, top):
    subprocess.run(["git", "init", "-q", top], check=True, env=place.environment())


def section(place, where, config, *flags):
    """An event that adds something harmless to a protected file, in a stage; granted, so that it can be committed."""
    return place.cell("--work", ".", "--write", f"./{config}", *flags, "--", "sh", "-ec", f"cp {config} new; echo '[a]' >> new; mv new {config}", cwd=where)


def no_commit_beneath_an_event_in_place(place):
    """What a commit renames over a name that is held in a cell would detach what holds it there: the commit waits, to any tree around or in that one."""
    need("git")
    plant = "! echo evil >> .git/config"
    for direct, staged in ((".", "."), ("sub", "."), (".", "sub"), ("sub", "sub")):
        top = tree(place)
        repository(place, top)
        repository(place, f"{top}/sub")
        where, config = f"{top}/{direct}", f"{top}/{direct}/.git/config"
        relative = os.path.relpath(config, f"{top}/{staged}") if staged == "." or direct == "sub" else ".git/config"
        expect_ok(work(place, f"{top}/{staged}", "echo x > before"))
        before = latest(place, top)
        living = begin(place, f"{top}/{staged}", "echo y > living")
        alive = latest(place, top)
        process, event = begin_in_place(place, where, plant)
        was = open(config).read()
        kept = section(place, f"{top}/{staged}", relative, "--wait", "0s")
        assert kept.returncode == 123 and f"why: {event} works on that tree" in kept.stderr, told(kept)
        mine = latest(place, top)
        kept = ambit(place, "commit", mine, "--wait", "1s", cwd=top)
        assert kept.returncode == 123 and f"waiting for {event}" in kept.stderr and f"why: {event} works" in kept.stderr, told(kept)
        kept = ambit(place, "commit", alive, "--wait", "0s", cwd=top)  # of an event that lives itself
        assert kept.returncode == 123 and f"why: {event} works" in kept.stderr and not os.path.exists(f"{top}/{staged}/living"), told(kept)
        if direct == staged == ".":  # it takes its time
            kept = ambit(place, "undo", before, cwd=top, timeout=60)
            assert kept.returncode == 125 and "another event works on it" in kept.stderr, told(kept)
        assert os.path.exists(f"{top}/{staged}/before") and open(config).read() == was and not os.path.exists(f"{top}/{staged}/new")
        expect_ok(end(process))
        assert open(config).read() == was and claims(place) == []
        expect_ok(end(living))
        expect_ok(ambit(place, "commit", mine, cwd=top))  # the twin
        assert "[a]" in open(f"{top}/{staged}/{relative}").read()
        expect_ok(ambit(place, "undo", before, cwd=top))
    top = git_tree(place)  # and the probe would have noticed
    process, event = begin_in_place(place, top, plant)
    write(f"{top}/new", "[core]\n")
    os.rename(f"{top}/new", f"{top}/.git/config")
    assert end(process).returncode != 0 and "evil" in open(f"{top}/.git/config").read()


def a_commit_that_waits_stops_no_other_tree(place):
    """Of two trees that do not overlap neither waits for the other, whoever else waits."""
    top = tree(place)
    other = os.path.join(os.path.dirname(top), "tree2")  # the name goes on, the tree does not
    write(f"{other}/a", "a\n")
    process, event = begin_in_place(place, top, "true")
    waiting = subprocess.Popen([place.ambit, "run", "--work", ".", "--wait", "1m", "--", "sh", "-c", "echo x > x"], cwd=top, env=place.environment(),
                               stderr=subprocess.PIPE, text=True)
    assert waiting.stderr.readline() == f"ambit: waiting for {event}, which works on the same tree\n"
    result = expect_ok(work(place, other, "echo x > x", "--wait", "10s"))
    assert "waiting for" not in result.stderr and os.path.exists(f"{other}/x"), told(result)
    started = time.monotonic()
    second, unused = begin_in_place(place, other, "true")
    assert time.monotonic() - started < 8 * SLOW
    expect_ok(end(second))
    assert not os.path.exists(f"{top}/x") and waiting.poll() is None
    expect_ok(end(process))
    assert waiting.wait(60 * SLOW) == 0 and os.path.exists(f"{top}/x")  # the twin
    waiting.stderr.close()


def an_event_that_writes_nothing_in_place_claims_nothing(place):
    top = tree(place)
    write(f"{top}/a", "a\n")
    for flags, n in ((["--read", ".", "--direct"], 0), (["--write", "./a", "--direct"], 0), (["--work", "."], 0), (["--work", ".", "--direct"], 1)):
        process = subprocess.Popen([place.ambit, "run", *flags, "--", "sh", "-c", "echo on; read go"], cwd=top, env=place.environment(),
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "on\n"
        assert len(claims(place)) == n, flags
        process.communicate("go\n", timeout=60 * SLOW)
        assert process.returncode == 0 and claims(place) == [], flags


def a_claim_ends_with_its_supervisor(place):
    """Killed, it leaves a claim that nobody holds: the next commit goes through, and removes it."""
    top = tree(place)
    process, event = begin_in_place(place, top, "true")
    holders = lock_holders(f"{store(place)}/.direct-{event}")
    assert len(holders) == 1, holders
    os.kill(holders[0], 9)
    process.communicate(timeout=60 * SLOW)
    assert claims(place) == [event]
    expect_ok(work(place, top, "echo x > x", "--wait", "0s"))
    assert claims(place) == [] and os.path.exists(f"{top}/x")


def a_tree_in_place_in_one_that_is_read(place):
    """What is only read is seen through an overlay where something in it is hidden; what is written in it is not."""
    top = tree(place)
    for path in ("sub/x/.git/hooks/h", "sub/.exrc", "sub/f", "other/f"):
        write(f"{top}/{path}", "as it was\n")
    for path in ("other/.env", "sub/.env"):
        write(f"{top}/{path}", "secret\n")
    script = "cat other/.env sub/.env; for f in sub/x/.git/hooks/h sub/.exrc other/f sub/f; do echo x >> $f; done; mv sub/x sub/y; true"
    result = place.cell("--direct", "--read", ".", "--write", "./sub", "--", "sh", "-c", script, cwd=top)
    assert "secret" not in result.stdout, told(result)
    changed = [p for p in ("sub/x/.git/hooks/h", "sub/.exrc", "other/f", "sub/f") if not is_as_it_was(f"{top}/{p}")]
    assert changed == ["sub/f"], (changed, told(result))  # with the twin


WRITE_PIPES = """
import os
for path in {}:
    try:
        os.write(os.open(path, os.O_RDWR | os.O_NONBLOCK), b"told")
        print("written", path)
    except OSError as e:
        print("refused", path, e.strerror)
"""


def came(paths):
    """What a cell that runs meanwhile writes to the host's pipes: (paths, what to call when it ended)."""
    fds = {path: os.open(path, os.O_RDWR | os.O_NONBLOCK) for path in paths}

    def heard():
        found = []
        for path, fd in fds.items():
            try:
                if os.read(fd, 100):
                    found.append(path)
            except BlockingIOError:
                pass
            os.close(fd)
        return found
    return heard


def no_pipe_of_a_tree_that_is_read_is_written(place):
    """Neither a mount nor Landlock's rule for the home or /tmp keeps a cell from it, so it must be another pipe. The twin may write."""
    for name, secret in (("plain", None), ("hides", ".env"), ("named", ".ssh/id_rsa")):
        top = tree(place)
        os.makedirs(f"{top}/dir/deep")
        write(f"{top}/plain", "")
        if secret:
            write(f"{top}/{secret}", "SECRET\n")
        paths = [f"{top}/pipe", f"{top}/dir/deep/pipe"] + ([f"{top}/.ssh/pipe"] if name == "named" else [])
        for path in paths:
            os.mkfifo(path)
            os.chmod(path, 0o666)
        script = WRITE_PIPES.format(paths)
        more = ["--read", "./.ssh"] if name == "named" else []
        for flags in (["--read", "."], ["--read", ".", "--direct"], ["--read", "./dir", "--read", "."], ["--work", "."], ["--read", "./dir", "--write", "./plain"]):
            heard = came(paths)
            result = place.cell(*flags, *more, "--", PYTHON, "-c", script, cwd=top)
            assert result.returncode == 0 and heard() == [], f"{name}, {flags}: {told(result)}"
        heard = came(paths)
        result = place.cell("--direct", "--work", ".", *more, "--", PYTHON, "-c", script, cwd=top)
        assert heard()[:2] == paths[:2], f"{name}: {told(result)}"


def a_pipe_that_came_and_went(place):
    """The tree is looked at for each event, and an index of it knows of pipes."""
    top = tree(place)
    os.makedirs(f"{top}/a/b")
    script = WRITE_PIPES.format([f"{top}/a/b/pipe"])
    for there in (False, True, True, False, True):
        if there and not os.path.exists(f"{top}/a/b/pipe"):
            os.mkfifo(f"{top}/a/b/pipe")
        elif not there and os.path.exists(f"{top}/a/b/pipe"):
            os.unlink(f"{top}/a/b/pipe")
        time.sleep(0.2)  # so that what was seen is not recent any more
        heard = came([f"{top}/a/b/pipe"] if there else [])
        result = place.cell("--read", ".", "--", PYTHON, "-c", script, cwd=top)
        assert heard() == [] and ("written" in result.stdout) == there, told(result)


def a_pipe_alone_is_not_granted_to_be_read(place):
    """Where the cell has a place of its own around it, it could be written as well. Elsewhere Landlock's rules tell the two apart."""
    top = tree(place)
    os.mkfifo(f"{top}/pipe")
    result = place.cell("--read", "./pipe", "--", "true", cwd=top)
    assert result.returncode == 125 and "a pipe (FIFO)" in result.stderr and f"{top}/pipe" in result.stderr and "for writing as well" in result.stderr, told(result)
    heard = came([f"{top}/pipe"])
    expect_ok(place.cell("--write", "./pipe", "--", "sh", "-c", "echo > pipe", cwd=top))  # the twin
    assert heard() == [f"{top}/pipe"]


def no_repository_in_parts(place):
    """A part of the changes makes a repository that all of them together would not."""
    halves = f"mkdir -p d/objects d/refs d/hooks; printf '{EVIL_CONFIG}' > d/config; echo x > d/refs/x"
    head = "echo 'ref: refs/heads/main' > d/HEAD"

    def is_planted(top):
        return os.path.exists(f"{top}/d/HEAD") and os.path.exists(f"{top}/d/refs")

    top = tree(place)
    expect_ok(work(place, top, halves))
    assert work(place, top, head).returncode == 123 and not is_planted(top)  # the twin
    expect_ok(ambit(place, "discard", cwd=top))
    work(place, top, f"{head}; rm -r d/refs; echo fine > readme", "--stage")
    ambit(place, "commit", "d/HEAD", cwd=top)
    chosen = is_planted(top)
    top = tree(place)
    expect_ok(work(place, top, halves))
    process = begin(place, top, f"{head}; rm -r d/refs", "--on-conflict", "theirs")
    write(f"{top}/d/refs/outside", "x\n")
    end(process)
    theirs = is_planted(top)
    assert not chosen and not theirs, f"planted by naming a part: {chosen}; by --on-conflict theirs: {theirs}"


def no_link_into_dependencies(place):
    """Editor tasks are not held among dependencies, where nobody works; so no link may lead people there."""
    plant = "mkdir -p {0}/x/.vscode; echo '{{}}' > {0}/x/.vscode/tasks.json; echo evil > {0}/x/.envrc"
    top = tree(place)
    write(f"{top}/app/code", "x\n")
    assert work(place, top, plant.format("app")).returncode == 123  # the twin
    expect_ok(ambit(place, "discard", cwd=top))
    at_once = work(place, top, plant.format("vendor") + "; rm -r app; ln -s vendor/x app")
    planted = [] if not os.path.exists(f"{top}/app/.envrc") else ["at once"]
    top = tree(place)
    expect_ok(work(place, top, plant.format("node_modules")))
    work(place, top, "ln -s node_modules/x frontend")
    if os.path.exists(f"{top}/frontend/.vscode/tasks.json"):
        planted.append("in two events")
    assert not planted, (planted, told(at_once))


def protected_names_do_not_go_with_a_parent(place):
    """Their removal is held. A directory may go with all it holds, but nothing comes in its place that has such names."""
    top = tree(place)
    sub = f"{top}/sub"
    os.mkdir(sub)
    need("git")
    subprocess.run(["git", "init", "-q", "."], cwd=sub, check=True, env=place.environment())
    write(f"{sub}/.git/hooks/pre-commit", "#!/bin/sh\nguard\n")
    write(f"{top}/other/.vscode/tasks.json", "guard\n")
    for script in ("rm -r sub/.git/hooks", "rm -r sub/.git", "rm other/.vscode/tasks.json"):  # the twins
        assert work(place, top, script).returncode == 123, script
        expect_ok(ambit(place, "discard", cwd=top))
    gone = []
    for script in ("rm -rf sub; mkdir -p sub/.git/hooks; echo evil > sub/.git/hooks/post-checkout",
                   "rm -r other; mkdir -p x/.vscode; echo evil > x/.vscode/tasks.json; ln -s x other"):
        result = work(place, top, script)
        if result.returncode != 123:
            gone.append(script)
        ambit(place, "discard", cwd=top)
    assert not gone, gone


def protected_names_by_other_ways(place):
    """Two events, moves, links, odd names: held."""
    two = [
        ("mkdir -p x/hooks x/objects x/refs; echo evil > x/hooks/post-checkout; echo '[core]' > x/config",
         ["cp -r x .git; echo ref: refs/heads/m > .git/HEAD", "ln -s x .git", "echo 'gitdir: x' > .git", "echo ref: refs/heads/m > x/HEAD",
          "ln -s x y.git", "mv x z.git", "echo . > x/commondir; echo ref: refs/heads/m > x/HEAD"]),
        ("mkdir -p t/v; echo '{}' > t/v/tasks.json; echo x > t/envrc",
         ["mv t/v .vscode", "ln -s t/v .vscode", "mv t/envrc .envrc", "ln t/envrc .envrc", "ln -s t/envrc .envrc",
          "mkdir .VSCode; cp t/v/tasks.json .VSCode", "mkdir -p deep/er/.vscode; mv t/v/tasks.json deep/er/.vscode/",
          "mkdir a; echo '{}' > a/tasks.json; mv a .vscode", "cp -r t/v \"$(printf '.vscode\\342\\200\\213')\""]),
    ]
    for first, seconds in two:
        for second in seconds:
            top = tree(place)
            expect_ok(work(place, top, first))
            before = picture(top)
            result = work(place, top, second)
            assert result.returncode == 123, f"{second}: {told(result)}"
            expect_same(before, picture(top))
    top = tree(place)
    expect_ok(work(place, top, two[0][0] + "; mv x y; cp -r y/hooks z"))  # the twin: moves of unprotected names are committed
    assert os.path.exists(f"{top}/y/hooks/post-checkout") and os.path.exists(f"{top}/z/post-checkout")


@once
def one_bad_among_many(place):
    """More files than one batch of the judge holds."""
    top = tree(place)
    script = "import os\nfor i in range(4200): os.mkdir(f'd{i:05}'); open(f'd{i:05}/.gitattributes', 'w').write('*.c text\\n')\n"
    expect_ok(python(place, top, script, timeout=120))
    top = tree(place)
    result = python(place, top, script + "open('d04199/.gitattributes', 'w').write('*.c filter=evil diff=evil\\n')", timeout=120)
    assert result.returncode == 123 and "d04199" in result.stderr and os.listdir(top) == [], told(result)


FLIP = """
import os, time
good = open('.git/config').read() + '[user]\\n\\tname = x\\n'
evil = '[core]\\n\\trepositoryformatversion = 0\\n\\tfsmonitor = touch pwned\\n'
for i in range(400):
    open(f'n{i:04}', 'w').write('x' * 100000)
os.mkdir('w')
open('ready', 'w').close()
end = time.time() + 40
while time.time() < end and not os.path.exists('/tmp/stop'):
    for text in (good, evil):
        open('.git/c', 'w').write(text)
        os.rename('.git/c', '.git/config')
        time.sleep(0.03)
"""


def what_was_judged_is_what_is_committed(place):
    """A living event is committed while it changes what was judged."""
    top = git_tree(place)
    assert work(place, top, f"printf '{EVIL_CONFIG}' > .git/config").returncode == 123  # the twin
    expect_ok(ambit(place, "discard", cwd=top))
    process = subprocess.Popen([place.ambit, "run", "--work", ".", "--", PYTHON, "-c", FLIP], cwd=top, env=place.environment(),
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(400):
            if glob.glob(f"{store(place)}/e_*/0/upper/ready"):
                break
            time.sleep(0.05)
        codes = []
        for _ in range(25):
            codes.append(ambit(place, "commit", "last", cwd=top).returncode)
            assert "fsmonitor" not in open(f"{top}/.git/config").read(), f"planted after {codes}"
    finally:
        process.kill()
        process.wait(timeout=30 * SLOW)


# ---- links with protected names, wherever they lie ----


LINKS = [  # where the link lies, what it says, and what an event then writes, elsewhere
    (".git/hooks", "../shared/hooks", "shared/hooks/pre-commit"),
    ("deep/a/b/.git/hooks", "../../../../tools/h", "tools/h/post-checkout"),
    ("deep/mod.git/config", "../../conf/x", "conf/x"),
    ("deep/er/.vscode", "../../cfg", "cfg/tasks.json"),
    ("deep/er/.bashrc", "../../x/rc", "x/rc"),
    ("deep/.config/fish", "../../dots/fish", "dots/fish/config.fish"),
    ("deep/.config/fish/functions", "../../../dots/functions", "dots/functions/ls.fish"),
    ("deep/.config", "../dots", "dots/git/config"),
    ("deep/.claude/a/b/settings.json", "../../../../real/s.json", "real/s.json"),
    ("deep/.ssh/config", "../../ssh-conf", "ssh-conf"),  # in a hidden directory
    ("deep/.VSCode", "../cfg", "cfg/settings.json"),
    ("deep/mise/x.toml", "../../m/x", "m/x"),
    ("deep/.envrc", "../way", "x/rc"),  # way -> x/rc
    ("deep/.zshrc", "dir/rc", "x/rc"),  # deep/dir -> ../x
    ("deep/.profile", "../new/rc", "new/rc"),  # which is not there yet
    (".password-store/of/.zshrc", "../../x/rc", "x/rc"),  # in what is hidden
    ("crowd/of/keys/.zshrc", "../../../x/rc", "x/rc"),
]


def no_way_through_a_link_elsewhere(place):
    """The link lies in a directory in which, and above which, nothing changes."""
    passed = []
    for link, text, path in LINKS:
        for planted in (False, True):  # the twin: without the link it is committed
            top = tree(place)
            for other in ("deep/er/f", "x/rc", "cfg/f", "dots/fish/f", "tools/h/f", "conf/f", "shared/hooks/f"):
                write(f"{top}/{other}", "ours\n")
            os.makedirs(os.path.dirname(f"{top}/{link}"), exist_ok=True)
            os.symlink("x/rc", f"{top}/way")
            os.symlink("../x", f"{top}/deep/dir")
            if "crowd" in link:
                touch(f"{top}/crowd", (f"{n}.key" for n in range(4097)))
            if planted:
                os.symlink(text, f"{top}/{link}")
            for again in range(2):  # by the index too
                result = work(place, top, f"mkdir -p {os.path.dirname(path) or '.'}; echo evil >> {path}")
                if (result.returncode == 123) != planted:
                    passed.append((link, path, planted, again, told(result)))
                ambit(place, "discard", "--all", cwd=top)
            if planted and result.returncode == 123 and link not in result.stderr:
                passed.append((link, "is not named", told(result)))
    assert not passed, passed


def no_way_over_a_link_elsewhere(place):
    """What a link leads over, or to what lies beneath, is exchanged."""
    top = tree(place)
    write(f"{top}/a/b/rc", "ours\n")
    write(f"{top}/evil/b/rc", "evil\n")
    os.makedirs(f"{top}/far/away")
    os.symlink("a", f"{top}/way")
    for script in ("rm way; ln -s evil way", "rm -r a; mkdir -p a/b; echo evil > a/b/rc", "rm -r a", "rm -r a; ln -s evil a", "mv a/b/rc c"):
        expect_ok(work(place, top, script, "--stage"))
        expect_ok(ambit(place, "commit", cwd=top))  # the twin
        expect_ok(ambit(place, "undo", "last", cwd=top))
        ambit(place, "discard", "--all", cwd=top)
        os.symlink("../../way/b/rc", f"{top}/far/away/.zshrc")
        before = picture(top)
        result = work(place, top, script)
        assert result.returncode == 123, f"{script}: {told(result)}"
        expect_same(before, picture(top))
        ambit(place, "discard", "--all", cwd=top)
        os.unlink(f"{top}/far/away/.zshrc")


def no_way_back_over_a_link(place):
    """A link leads through a directory and out of it again, which a link in the place of that directory makes the way to elsewhere."""
    for text, script in (("a/b/../../c/rc", "rm -r a; ln -s evil/deep a"), ("a/b/../../c/rc", "rm -r a/b; ln -s ../evil/deep a/b"),
                         ("new/../c/rc", "ln -s evil/deep new"), ("way/../c/rc", "rm -r a/b; ln -s ../evil/deep a/b")):
        top = tree(place)
        write(f"{top}/a/b/f", "ours\n")
        write(f"{top}/evil/deep/f", "ours\n")
        os.symlink("a/b", f"{top}/way")
        os.symlink(text, f"{top}/.bashrc")
        for harmless in ("echo more > a/b/g", "rm a/b/f", "chmod 700 a a/b"):
            expect_ok(work(place, top, harmless))  # the twin
        result = work(place, top, script + "; mkdir -p evil/c; echo evil > evil/c/rc")
        assert result.returncode == 123 and ".bashrc" in result.stderr, f"{text}, {script}: {told(result)}"
        ambit(place, "discard", "--all", cwd=top)


def a_directory_is_not_shut_before_its_links(place):
    """One event takes the person's right to enter from what holds a link, the next writes what it leads to."""
    if os.geteuid() == 0:
        raise Skip("root enters any directory")
    for mode in ("600", "400", "300", "0"):
        top = tree(place)
        os.makedirs(f"{top}/sub/in")
        os.makedirs(f"{top}/conf")
        os.symlink("../../conf", f"{top}/sub/in/.vscode")
        before = picture(top)
        expect_ok(work(place, top, "chmod 500 sub", "--stage"))  # the twin
        expect_ok(ambit(place, "commit", cwd=top))
        expect_ok(ambit(place, "undo", "last", cwd=top))
        result = work(place, top, f"chmod {mode} sub")
        assert result.returncode == 123, f"{mode}: {told(result)}"
        expect_same(before, picture(top))
        assert work(place, top, "echo evil > conf/tasks.json").returncode == 123, mode
        ambit(place, "discard", "--all", cwd=top)


def links_made_while_an_event_runs(place):
    top = tree(place)
    write(f"{top}/x/rc", "ours\n")
    os.makedirs(f"{top}/far/away")
    assert end(begin(place, top, "echo more >> x/rc")).returncode == 0  # the twin
    process = begin(place, top, "echo evil >> x/rc")
    os.symlink("../../x/rc", f"{top}/far/away/.bashrc")
    result = end(process)
    assert result.returncode == 123, told(result)
    os.unlink(f"{top}/far/away/.bashrc")
    expect_ok(ambit(place, "commit", cwd=top))  # it is gone, and so is the reason
    assert "evil" in open(f"{top}/x/rc").read()


def links_that_no_index_holds(place):
    """More of them in one directory than are kept, and more than that in all: they are looked at all the same."""
    top = tree(place)
    write(f"{top}/x/rc", "ours\n")
    write(f"{top}/x/plain", "ours\n")
    os.makedirs(f"{top}/far/away")
    for i in range(1500):
        os.symlink("nowhere", f"{top}/far/away/mise-{i}.toml.config.toml" if i % 2 else f"{top}/far/away/lefthook-{i}.yml")
    expect_ok(work(place, top, "echo more >> x/plain; echo more >> x/rc"))  # the twin
    os.symlink("../../x/rc", f"{top}/far/away/.bashrc")
    expect_ok(work(place, top, "echo more >> x/plain"))
    for _ in range(2):
        assert work(place, top, "echo evil >> x/rc").returncode == 123


def links_from_one_tree_into_another(place):
    top = tree(place)
    other = os.path.join(os.path.dirname(top), "other")
    write(f"{other}/cfg/tasks.json", "{}\n")
    write(f"{top}/deep/f", "x\n")
    script = f"echo evil >> {other}/cfg/tasks.json"
    expect_ok(work(place, top, script, "--work", other))  # the twin
    os.symlink(f"{other}/cfg", f"{top}/deep/.vscode")
    for flags in (["--work", other], ["--write", other]):
        result = work(place, top, script, *flags)
        assert result.returncode == 123 and "deep/.vscode" in result.stderr, told(result)
        ambit(place, "discard", "--all", cwd=top)
    expect_ok(work(place, top, script, "--work", other, "--write", f"{other}/cfg"))  # which names it


HOME_LINKS = [  # in the home, and what an event writes in ~/dotfiles
    (".bashrc", "dotfiles/bashrc", "bashrc"),
    (".config/nvim", "../dotfiles/nvim", "nvim/init.lua"),
    (".config/fish/config.fish", "../../dotfiles/fish/config.fish", "fish/config.fish"),
    (".config/systemd/user/x.service", "../../../dotfiles/units/x.service", "units/x.service"),
    (".local/bin/tool", "../../dotfiles/bin/tool", "bin/tool"),
    (".ssh/config", "../dotfiles/ssh", "ssh"),
    (".gitconfig", ".dots/gitconfig", "gitconfig"),  # ~/.dots -> dotfiles
    (".vim", "dotfiles/vim", "vim/vimrc"),
    (".git/hooks", "../dotfiles/hooks", "hooks/pre-commit"),
]


def links_from_the_home_into_a_tree(place):
    """~/.bashrc -> ~/dotfiles/bashrc, with --work ~/dotfiles: a layout that many have."""
    passed = []
    for link, text, path in HOME_LINKS:
        for planted in (False, True):
            tree(place)
            top = f"{place.home}/dotfiles"
            write(f"{top}/plain", "x\n")
            write(f"{top}/{path}", "ours\n")
            os.symlink("dotfiles", f"{place.home}/.dots")
            os.makedirs(os.path.dirname(f"{place.home}/{link}"), exist_ok=True)
            if planted:
                os.symlink(text, f"{place.home}/{link}")
            for again in range(2):
                result = work(place, top, f"echo evil >> {path}")
                if (result.returncode == 123) != planted or (planted and link not in result.stderr):
                    passed.append((link, planted, again, told(result)))
                ambit(place, "discard", "--all", cwd=top)
                expect_ok(work(place, top, "echo more >> plain"))
            if planted:
                expect_ok(work(place, top, f"echo meant >> {path}", "--write", f"./{path}"))
    assert not passed, passed


def a_home_is_reached_by_other_names(place):
    """HOME is a link."""
    tree(place)
    top = f"{place.home}/dotfiles"
    write(f"{top}/bashrc", "ours\n")
    os.symlink(place.home, place.home + "-link")
    words = ["env", f"HOME={place.home}-link", f"XDG_STATE_HOME={place.home}/state", place.ambit, "run", "--work", ".", "--", "sh", "-c"]
    expect_ok(place.run(*words, "echo more >> bashrc", cwd=top))  # the twin
    os.symlink("dotfiles/bashrc", f"{place.home}/.bashrc")
    result = place.run(*words, "echo evil >> bashrc", cwd=top)
    assert result.returncode == 123 and "~/.bashrc" in result.stderr, told(result)


# ---- what git could not see ----

IDENTITY = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b", "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "always"}
AS = "export " + " ".join(f"{key}={value}" for key, value in IDENTITY.items()) + "; "  # in the cell
SECRETS = (".npmrc", "t/server.pem")
SHOW = [word for name in SECRETS for word in ("--read", f"./{name}")]
AGAIN = ["--write", "./.git/index"]


def git(place, at, *words):
    return expect_ok(subprocess.run(["git", *words], cwd=at, env={**place.environment(), **IDENTITY}, capture_output=True, text=True)).stdout


def make_repository(place, top, *words, secrets=SECRETS):
    """With secrets that are committed."""
    git(place, os.path.dirname(top), "init", "-q", *words, top)
    for name in ("a", "b", "t/c", *secrets):
        write(f"{top}/{name}", f"{name}\n")
    git(place, top, "add", "-A")
    git(place, top, "commit", "-q", "-m", "one")


def tracked_tree(place, *words, **more):
    need("git")
    top = tree(place)
    make_repository(place, top, *words, **more)
    return top


def index_of(top, where=".git"):
    with open(f"{top}/{where}/index", "rb") as file:
        return file.read()


def expect_index_held(place, result, top, *texts, where=".git"):
    assert result.returncode == 123, told(result)
    assert f"{top}/{where}/index\n" in result.stderr and f"--write {top}/{where}/index" in result.stderr, told(result)
    for text in texts or ["names that git could not see are gone from it; --read ./.npmrc --read ./t/server.pem shows them"]:
        assert text in result.stderr, told(result)
    expect_ok(ambit(place, "discard", cwd=top))


def no_tracked_secret_is_lost(place):
    """Git takes for deleted what it cannot see: no commit and no index without it comes out."""
    one = ["names that git could not see are gone from it; --read ./t/server.pem shows them"]
    top = tracked_tree(place)
    git(place, top, "branch", "other")
    git(place, top, "checkout", "-q", "other")
    git(place, top, "rm", "-q", "--cached", "t/server.pem")
    git(place, top, "commit", "-q", "-m", "without")
    git(place, top, "checkout", "-q", "-f", "-")
    shutil.copy(f"{top}/.git/index", f"{top}/.git/INDEX")
    was, index, files = git(place, top, "rev-parse", "HEAD"), index_of(top), {name: open(f"{top}/{name}").read() for name in SECRETS}
    for script, texts in [("echo more >> a; git commit -qam two", []), ("git add -A", []), ("git add -u", []), ("git add -A; git commit -qm two; git mv a d", []),
                          ("git rm -q t/server.pem", one), ("git rm -q --cached t/server.pem", one), ("git rm -qr --cached t", one),
                          ("git checkout -q other", one), ("git reset -qN other; git commit -q --allow-empty -m two", one), ("git read-tree --empty", []), ("rm .git/index", []), ("mv .git/index .git/x", None),
                          ("git commit -qam two; rm .git/index; git reset -q", []),
                          (": > .git/index", []), ("echo x > .git/index", ["it cannot be read (it ends in the middle)"]),
                          ("head -c 150 .git/index > x; mv x .git/index", ["it cannot be read"]),
                          ("git update-index --split-index", ["it cannot be read (a split index"]),
                          ("git commit -qam two; cp -p .git/index x; rm .git/index; ln x .git/index", []),
                          ("rm .git/index; mkdir .git/index", []), ("GIT_INDEX_FILE=.git/INDEX git read-tree --empty", None)]:
        result = work(place, top, AS + script)
        if texts is None:  # it has another name then, or one that is the same where case is not told apart
            assert result.returncode == 123 and "could not see" in result.stderr, told(result)
            expect_ok(ambit(place, "discard", cwd=top))
        else:
            expect_index_held(place, result, top, *texts)
        assert git(place, top, "rev-parse", "HEAD") == was and index_of(top) == index, script
        assert {name: open(f"{top}/{name}").read() for name in SECRETS} == files, script
    result = work(place, top, AS + "git commit -qam two", "--direct")
    assert result.returncode == 128 and "Permission denied" in result.stderr and index_of(top) == index, told(result)
    result = work(place, top, AS + "echo more >> a; git add a; git commit -qm two")  # what names no secret loses none
    assert "not committed" not in expect_ok(result).stderr and git(place, top, "show", "--stat", "--format=").split() == "a | 1 + 1 file changed, 1 insertion(+)".split()
    expect_ok(work(place, top, AS + "echo more >> b; git commit -qam three", *SHOW))  # nor what sees them all
    assert git(place, top, "show", "--stat", "--format=").split()[0] == "b" and "1 file" in git(place, top, "show", "--stat", "--format=")
    assert git(place, top, "status", "--short") == ""


def a_tracked_secret_is_lost_if_that_is_said(place):
    """By naming the index, with the event or with the commit; and nothing less names it."""
    script = AS + "echo more >> a; git commit -qam two"
    for words, status in [(AGAIN, 0), (["--write", "./.git"], 123), (["--write", "./.git/config"], 123)]:
        top = tracked_tree(place)
        result = work(place, top, script, *words)
        assert result.returncode == status, told(result)
        assert ("t/server.pem" in git(place, top, "ls-files")) == (status != 0)
    expect_ok(ambit(place, "commit", "last", *AGAIN, cwd=top))
    assert git(place, top, "ls-files").split() == ["a", "b", "t/c"] and os.path.exists(f"{top}/.npmrc")
    assert "t/server.pem | 1 -" in git(place, top, "show", "--stat", "--format=")
    git(place, top, "add", "-A")
    git(place, top, "commit", "-qm", "again")
    process = begin(place, top, script)  # of an event that still runs
    result = ambit(place, "commit", "last", cwd=top)
    assert result.returncode == 123 and "shows them" in result.stderr, told(result)
    end(process)
    assert "t/server.pem" in git(place, top, "ls-files")


def no_tracked_secret_is_lost_by_halves(place):
    """One event makes the index into what cannot be read, or takes the name away; the next one would have nothing to lose."""
    top = tracked_tree(place)
    expect_ok(work(place, top, AS + "git update-index --index-version 4; echo more >> a; git add a"))  # the twin: it loses nothing
    for half in ["git update-index --split-index", "git rm -q --cached .npmrc t/server.pem", "rm .git/index", "echo x > .git/index"]:
        assert work(place, top, AS + half).returncode == 123, half
        expect_index_held(place, work(place, top, AS + "git add -A"), top)
    expect_ok(work(place, top, AS + "git rm -q --cached .npmrc", *AGAIN))
    expect_index_held(place, work(place, top, AS + "git add -A"), top, "gone from it; --read ./t/server.pem shows them")
    expect_ok(work(place, top, AS + "cp .git/index .git/other; export GIT_INDEX_FILE=.git/other; git add -A; git commit -qm around"))
    assert "t/server.pem" in git(place, top, "ls-files") and "t/server.pem" not in git(place, top, "ls-tree", "-r", "HEAD"), "that way is seen by now"


def no_tracked_secret_is_lost_in_any_form_of_an_index(place):
    for words, prepare, texts in [
            ([], ["update-index", "--index-version", "4"], []),
            (["--object-format=sha256"], ["status"], []),
            (["--object-format=sha256"], ["update-index", "--index-version", "4"], []),
            ([], ["update-index", "--split-index"], ["what was there cannot be read (a split index"]),
            ([], ["sparse-checkout", "init", "--cone", "--sparse-index"], ["--read ./.npmrc shows them"]),
            ([], ["config", "core.untrackedCache", "true"], [])]:
        top = tracked_tree(place, *words)
        git(place, top, *prepare)
        write(f"{top}/b", "other\n")
        expect_index_held(place, work(place, top, AS + "echo more >> a; git commit -qam two"), top, *texts)
        os.unlink(f"{top}/.npmrc")
        shutil.rmtree(f"{top}/t", ignore_errors=True)  # the twin: nothing was hidden
        assert "could not see" not in expect_ok(work(place, top, AS + "echo more >> a; git commit -qam two")).stderr


def no_tracked_secret_is_lost_in_worktrees_and_submodules(place):
    script = "cd {}; echo more >> a; git commit -qam two"
    top = tracked_tree(place)
    git(place, top, "worktree", "add", "-q", "w", "-b", "w")
    git(place, top, "worktree", "add", "-q", "../else", "-b", "else")
    other = os.path.join(os.path.dirname(top), "else")
    git(place, top, "clone", "-q", "--bare", ".", "../sub.git")
    git(place, top, "submodule", "--quiet", "add", os.path.join(os.path.dirname(top), "sub.git"), "m")
    os.makedirs(f"{top}/inner")
    make_repository(place, f"{top}/inner")
    git(place, top, "init", "-q", "--separate-git-dir", "apart.git", "apart")
    make_repository(place, f"{top}/apart")
    for where, of in [("w", ".git/worktrees/w"), ("m", ".git/modules/m"), ("inner", "inner/.git"), ("apart", "apart.git")]:
        expect_index_held(place, work(place, top, AS + script.format(where)), top, "--read .../.npmrc --read .../t/server.pem" if where == "apart" else f"--read ./{where}/.npmrc", where=of)
    expect_index_held(place, work(place, top, AS + script.format(other), "--write", other), top, f"--read {other}/.npmrc", where=".git/worktrees/else")
    os.rename(f"{top}/w", f"{top}/w2")  # git goes on there, and what is written down says otherwise
    expect_index_held(place, work(place, top, AS + script.format("w2")), top, "--read .../.npmrc", where=".git/worktrees/w")
    for name in SECRETS:  # the twin: what is hidden lies in others
        os.unlink(f"{top}/inner/{name}")
    expect_ok(work(place, top, AS + script.format("inner")))
    assert "t/server.pem" not in git(place, f"{top}/inner", "ls-files")
    inner = tracked_tree(place)
    os.makedirs(f"{inner}-else")
    git(place, inner, "config", "core.worktree", f"{inner}-else")
    for name in ("a", "b", "t", ".npmrc"):
        os.rename(f"{inner}/{name}", f"{inner}-else/{name}")
    git(place, inner, "sparse-checkout", "init")
    git(place, inner, "sparse-checkout", "disable")  # moves the setting to config.worktree
    write(f"{inner}-else/a", "other\n")
    expect_index_held(place, work(place, inner, AS + "git commit -qam two", "--work", f"{inner}-else"), inner, f"--read {inner}-else/.npmrc")


def no_tracked_secret_is_lost_in_what_is_granted(place):
    """A repository in what is protected, and granted: that names no index."""
    top = tree(place)
    os.makedirs(f"{top}/.vscode/ext")
    make_repository(place, f"{top}/.vscode/ext")
    script = AS + "cd .vscode/ext; echo more >> a; git {}; git commit -qm two"
    expect_index_held(place, work(place, top, script.format("add -A"), "--write", "./.vscode"), top, "--read ./.vscode/ext/.npmrc", where=".vscode/ext/.git")
    expect_ok(work(place, top, script.format("add a"), "--write", "./.vscode"))  # the twin


def no_tracked_secret_is_lost_behind_a_link(place):
    """Of an index, or of the configuration that says where the work tree is."""
    top = tracked_tree(place)
    os.rename(f"{top}/.git/index", f"{top}/.git/real")
    os.symlink("real", f"{top}/.git/index")
    expect_index_held(place, work(place, top, AS + "cp .git/index x; mv x .git/index; git commit -qam two"), top, "is not known")
    for name, config in [("config", None), ("config.worktree", None), ("config", "[a]\n\tb = c \\")]:  # whose last line goes on
        top = tracked_tree(place)
        git(place, top, "config", "extensions.worktreeConfig", "true")
        os.makedirs(f"{top}-else")
        git(place, top, "config", f"--file=.git/{'config.worktree' if config else name}", "core.worktree", f"{top}-else")
        for moved in ("a", "b", "t", ".npmrc"):
            os.rename(f"{top}/{moved}", f"{top}-else/{moved}")
        if config:
            with open(f"{top}/.git/config", "a") as file:
                file.write(config)
        else:
            os.rename(f"{top}/.git/{name}", f"{top}/.git/real")
            os.symlink("real", f"{top}/.git/{name}")
        result = work(place, top, AS + f"echo more >> {top}-else/a; git commit -qam two", "--work", f"{top}-else")
        expect_index_held(place, result, top, f"--read {top}-else/.npmrc" if config else "--read .../.npmrc --read .../t/server.pem")


def no_tracked_secret_is_lost_out_of_sight(place):
    """What nobody can look at any more lies there all the same."""
    for flags in (["--work", "."], ["--read", ".", "--write", "./.git"]):
        for gone in (False, True):
            top = tracked_tree(place, secrets=("t/server.pem",))
            write(f"{top}/a", "other\n")
            place.cell(*flags, "--stage", "--", "sh", "-ec", AS + "git commit -qam two", cwd=top)
            if gone:  # the twin
                os.unlink(f"{top}/t/server.pem")
            else:
                os.chmod(f"{top}/t", 0)
            result = ambit(place, "commit", "last", cwd=top)
            os.chmod(f"{top}/t", 0o755)
            if gone:
                expect_ok(result)
            else:
                assert result.returncode == 123 and "t/server.pem shows them" in result.stderr, told(result)


def ways_around_the_index(place):
    """What SECURITY.md says goes around it: whoever shuts such a way finds it here."""
    top = tracked_tree(place)
    os.mkdir(f"{top}/w")
    for name in ("a", "b", "t", ".npmrc"):
        os.rename(f"{top}/{name}", f"{top}/w/{name}")
    expect_ok(work(place, top, AS + "export GIT_DIR=$PWD/.git GIT_WORK_TREE=$PWD/w; git commit -qam two"))
    assert "t/server.pem" not in git(place, top, "ls-files"), "that way is seen by now"
    for script, lost in [("git commit -qam two", True), ("git add t/c; git commit -qm two", False)]:
        top = tracked_tree(place, secrets=(".npmrc",))
        expect_ok(place.cell("--work", "./t", "--write", "./.git", "--", "sh", "-ec", AS + f"echo more >> t/c; {script}", cwd=top))
        assert git(place, top, "ls-files").split() == (["t/c"] if lost else [".npmrc", "a", "b", "t/c"]), "that way is seen by now"


def a_judge_that_dies_lets_nothing_pass(place):
    """Nor does one that says nothing, or what is no answer: here it is another program."""
    good, script = place.ambit, AS + "echo more >> a; git add a; git commit -qm two"
    for other, text in [("ambit-diff", "it could not be judged"), ("ambit-policy", "what is no answer"), ("ambit-judge", "")]:  # the twin
        top = tracked_tree(place)
        bin = os.path.join(os.path.dirname(top), "bin")
        shutil.copytree(os.path.dirname(good), bin, ignore=lambda at, names: [name for name in names if os.path.isdir(os.path.join(at, name))])
        shutil.copy(os.path.join(bin, other), os.path.join(bin, "ambit-judge.new"))
        os.rename(os.path.join(bin, "ambit-judge.new"), os.path.join(bin, "ambit-judge"))
        was = git(place, top, "rev-parse", "HEAD")
        place.ambit = os.path.join(bin, "ambit")
        result = work(place, top, script)
        place.ambit = good
        passed = git(place, top, "rev-parse", "HEAD") != was
        assert result.returncode == (123 if text else 0) and passed == (text == "") and text in result.stderr, told(result)


def refreshed(place, top):
    """As an editor does all day: the index is another one."""
    os.utime(f"{top}/b")
    git(place, top, "status")


def an_index_in_conflict_is_judged(place):
    """What was lost is lost whichever index is taken, since git's other files have it; and what lost nothing has a way out."""
    script = AS + "echo more >> a; git commit -qam two"
    for how in ("theirs", "ours", "fail"):
        top = tracked_tree(place)
        was = git(place, top, "rev-parse", "HEAD")
        assert work(place, top, script).returncode == 123
        refreshed(place, top)
        result = ambit(place, "commit", "last", "--on-conflict", how, cwd=top)
        assert result.returncode == 123 and "--read ./.npmrc --read ./t/server.pem shows them" in result.stderr, told(result)
        assert git(place, top, "rev-parse", "HEAD") == was
    top = tracked_tree(place, secrets=())
    write(f"{top}/.npmrc", "SECRET\n")
    expect_ok(work(place, top, AS + "echo more >> a; git add a; git commit -qm two", "--stage"))
    refreshed(place, top)
    assert ambit(place, "commit", "last", cwd=top).returncode == 123
    expect_ok(ambit(place, "commit", "last", "--on-conflict", "ours", cwd=top))
    assert git(place, top, "show", "--stat", "--format=").split()[:2] == ["a", "|"]


def no_tracked_secret_of_a_read_tree_is_lost(place):
    """Only the repository is written, or that and a part: what git could not see lies in what is read."""
    script = AS + "git commit -qam two"
    for flags in (["--read", ".", "--write", "./.git"], ["--read", ".", "--work", "./t", "--write", "./.git"]):
        top = tracked_tree(place)
        write(f"{top}/a", "other\n")
        was = git(place, top, "rev-parse", "HEAD")
        result = place.cell(*flags, "--", "sh", "-ec", script, cwd=top)
        assert result.returncode == 123 and "shows them" in result.stderr and git(place, top, "rev-parse", "HEAD") == was, told(result)
        result = place.cell(*flags, *SHOW, "--", "sh", "-ec", script, cwd=top)  # the twin
        assert expect_ok(result).stderr == "" and git(place, top, "show", "--stat", "--format=").split()[:2] == ["a", "|"], told(result)


@once
def an_index_behind_many_changes_is_judged(place):
    """However many there are before it in the alphabet."""
    top = tree(place)
    write(f"{top}/z/.npmrc", "SECRET\n")
    make_repository(place, f"{top}/z", secrets=())
    many = "import os; os.mkdir('n'); [open(f'n/{i}', 'w').close() for i in range(70000)]"
    expect_ok(work(place, top, AS + f"{PYTHON} -c \"{many}\"; cd z; echo more >> a; git add a; git commit -qm two"))


def a_sparse_index_loses_nothing_by_its_directories(place):
    top = tracked_tree(place, secrets=())
    write(f"{top}/u/x", "x\n")
    git(place, top, "add", "-A")
    git(place, top, "commit", "-qm", "u")
    git(place, top, "checkout", "-qb", "other")
    write(f"{top}/t/new", "new\n")
    git(place, top, "add", "-A")
    git(place, top, "commit", "-qm", "new")
    git(place, top, "checkout", "-q", "-")
    git(place, top, "sparse-checkout", "init", "--cone", "--sparse-index")
    git(place, top, "sparse-checkout", "set", "u")
    write(f"{top}/t/server.pem", "SECRET\n")
    for script in ("git merge -q other", "git sparse-checkout add t", "echo more >> u/x; git commit -qam three"):
        expect_ok(work(place, top, AS + script))
    assert "t/new" in git(place, top, "ls-files").split()


def untracked_secrets_hold_no_index(place):
    """What git does not know it does not lose: nothing is held, and nothing is said."""
    top = tracked_tree(place, secrets=())
    place.make_ledger()
    write(f"{top}/.env", "SECRET\n")
    write(f"{top}/t/.env", "SECRET\n")
    write(f"{top}/.gitignore", ".env\n")
    for script in ["git add -A; git commit -qm two", "echo more >> a; git commit -qam three", "git rm -q b; git commit -qm four", "git checkout -qb other",
                   "rm .git/index; git reset -q", "git gc -q", "git update-index --split-index", "git init -q inner; cd inner; echo x > x; git add x; git commit -qm x"]:
        result = expect_ok(work(place, top, AS + script))
        if "split" in script:
            git(place, top, "update-index", "--no-split-index")
        assert result.stderr == "", told(result)
    assert git(place, top, "ls-files").split() == [".gitignore", "a", "t/c"] and len(git(place, top, "log", "--oneline").splitlines()) == 4


# ---- floods of hidden names ----


def touch(directory, names):
    os.makedirs(directory, exist_ok=True)
    for name in names:
        os.close(os.open(f"{directory}/{name}", os.O_CREAT | os.O_WRONLY, 0o600))


@once
def a_directory_full_of_hidden_names(place):
    """With more of them than 4,096 it is hidden itself, unless a grant names it; and nothing else suffers."""
    top = tree(place)
    write(f"{top}/keys/plain", "PLAIN\n")
    write(f"{top}/keys/deep/plain", "DEEP\n")
    touch(f"{top}/keys", (f"{n}.key" for n in range(1, 4097)))
    write(f"{top}/keys/7.key", "SECRET\n")
    look = "cat keys/plain keys/deep/plain keys/7.key 2> /dev/null || ls keys 2> /dev/null | wc -l"
    shown = expect_ok(work(place, top, look)).stdout
    assert shown == "PLAIN\nDEEP\n2\n", shown  # the twin
    touch(f"{top}/keys", ["0.key"])
    before = picture(top)
    for _ in range(2):  # by the index, too
        shown = expect_ok(work(place, top, "test ! -e keys; " + look)).stdout
        assert shown == "0\n", shown
    result = work(place, top, "mkdir keys; echo ours > keys/plain")
    assert result.returncode == 123 and "hidden" not in result.stdout, told(result)
    ambit(place, "discard", "--all", cwd=top)
    assert "SECRET" in work(place, top, look, "--read", "./keys/7.key").stdout
    for flags in (["--read", "./keys"], ["--read", "./keys/deep"], ["--write", "./keys"]):
        shown = expect_ok(work(place, top, look, *flags)).stdout
        assert shown == "PLAIN\nDEEP\n2\n", (flags, shown)
    expect_same(before, picture(top))
    expect_ok(work(place, top, "echo more > keys/new; echo more > other", "--write", "./keys"))
    assert os.path.exists(f"{top}/keys/new") and os.path.exists(f"{top}/other")


@once
def no_flood_of_hidden_names(place):
    """An event that would make later ones slow, or blind, is held: with more than 1,000 new names of secrets, wherever they lie."""
    beside = "import os\nos.mkdir('many')\nfor n in range(%d): open(f'many/{n}.key', 'w').close()"
    spread = "import os\nfor n in range(%d):\n os.makedirs(f'many/{n}')\n open(f'many/{n}/.npmrc', 'w').write('%s\\n')"
    within = "import os\nos.makedirs('many/.password-store')\nfor n in range(1001): open(f'many/.password-store/{n}.key', 'w').close()"
    top = tree(place)
    expect_ok(python(place, top, beside % 1000))  # the twins
    for script in (beside % 1001, spread % (1001, "save-exact=true"), spread % (1001, "script-shell=/tmp/x")):
        top = tree(place)
        before = picture(top)
        result = python(place, top, script)
        assert result.returncode == 123 and "more than 1000 new names" in result.stderr, told(result)
        assert re.search(rf"and 1000 more there\n.*\n  hint: if they are meant: `ambit commit e_\w+ --write {top}/many`\n", result.stderr), told(result)
        expect_same(before, picture(top))
        result = ambit(place, "commit", "--write", "many", cwd=top)
        if "shell" in script:  # its content counts all the same
            assert result.returncode == 123 and "1000" not in result.stderr, told(result)
            expect_same(before, picture(top))
        else:
            expect_ok(result)
            assert len(os.listdir(f"{top}/many")) == 1001
    top = tree(place)
    write(f"{top}/src/main.c", "code\n")
    touch(f"{top}/src", (f"{n}.key" for n in range(4000)))
    expect_ok(work(place, top, "cd src; touch $(seq -f x%g.key 96)"))  # the twin
    before = picture(top)
    result = work(place, top, "echo x > src/x.key; echo x > other.key")  # in small steps
    assert result.returncode == 123 and "see nothing of it" in result.stderr and "other.key" not in result.stderr, told(result)
    expect_same(before, picture(top))
    expect_ok(ambit(place, "commit", "--write", "src", cwd=top))
    top = tree(place)
    expect_ok(python(place, top, within))  # what lies in what is hidden is hidden by that: one name


def no_secret_too_many(place):
    """In small steps, or from outside: as many as there is room for, and no event adds one."""
    if not SOAK:
        raise Skip("65,536 files, each hidden by another: with AMBIT_SOAK")
    top = tree(place)
    for i in range(16):
        touch(f"{top}/d{i}", (f"{n}.key" for n in range(4096)))
    expect_ok(work(place, top, "echo x > plain"))
    before = picture(top)
    result = work(place, top, "echo x > .env")
    assert result.returncode == 123 and "more of those than" in result.stderr, told(result)
    expect_same(before, picture(top))
    ambit(place, "discard", "--all", cwd=top)
    os.unlink(f"{top}/d3/7.key")
    expect_ok(work(place, top, "echo x > .env"))  # the twin
    os.mkdir(f"{top}/d16")
    touch(f"{top}/d16", ["1.key"])
    result = work(place, top, "true")
    assert result.returncode == 125 and "hidden" in result.stderr, told(result)


# ---- what is left in the store ----


def what_is_left_goes_and_what_is_used_stays(place):
    """Locks of trees, and claims, that nobody holds, and what is remembered of trees that are gone: after each event, and with each list."""
    def caches():
        told = json.loads(expect_ok(ambit(place, "stage", "list", "--json", cwd=place.home)).stdout)["caches"]
        left = [name for name in os.listdir(store(place)) if name.startswith(".mask-")]
        assert told["trees"] == len(left) and (told["bytes"] > 0) == bool(left), (told, left)
        return left

    def locks():
        return [name for name in os.listdir(store(place)) if name.startswith((".tree-", ".direct-"))]

    top = tree(place)
    other = os.path.join(os.path.dirname(top), "other")
    write(f"{top}/.env", "SECRET\n")
    write(f"{other}/.env", "SECRET\n")
    expect_ok(work(place, top, "true"))
    expect_ok(work(place, other, "true"))
    assert len(caches()) == 2, caches()  # the twin: both trees are there
    assert "remembered of 2 directories" in expect_ok(ambit(place, "stage", "list", cwd=top)).stdout
    write(f"{store(place)}/.tree-1-1", "")  # as a supervisor leaves it that was killed
    write(f"{store(place)}/.direct-e_1", f"{other}\0")  # likewise
    process = begin(place, other, "test ! -e .env")
    assert len(locks()) == 3, locks()
    os.rename(other, other + "-moved")
    assert len(caches()) == 2, "of an event that runs"
    assert len(locks()) == 1 and locks()[0] not in (".tree-1-1", ".direct-e_1"), locks()
    os.rename(other + "-moved", other)
    assert end(process).returncode == 0
    shutil.rmtree(other)
    write(f"{store(place)}/.tree-1-1", "")
    expect_ok(work(place, top, "echo x > plain"))
    for _ in range(200):  # nobody waits for it
        if locks() == [] and len(os.listdir(store(place))) == 3:
            break
        time.sleep(0.01)
    assert locks() == [], locks()
    left = caches()
    assert len(left) == 2 and left == caches(), left  # of the tree, and of the home, in which links were looked for
    shutil.rmtree(top)
    assert len(caches()) == 1, caches()


# ---- other stages ----


def sparse_files_push_nothing_out(place):
    """What a stage takes is what it takes on disk: holes must not make earlier stages too old."""
    top = tree(place)
    assert work(place, top, "echo work > precious; exit 1").returncode == 1
    expect_ok(work(place, top, "echo ok > committed"))
    assert work(place, top, "head -c 3000000 /dev/zero > a; exit 1").returncode == 1  # the twin: what is small pushes nothing out
    assert [s["state"] for s in stages(place, top)] == ["kept", "committed", "kept"], stages(place, top)
    less = ["env", "AMBIT_KEEP_SPACE=100M", place.ambit, "run", "--work", ".", "--", "sh", "-c"]  # for 10G, which take long to read
    result = place.run(*less, "for i in a b c; do truncate -s 90M $i; done; exit 1", cwd=top)
    assert result.returncode == 1 and "kept" in result.stderr, told(result)
    assert [s["state"] for s in stages(place, top)] == ["kept", "committed", "kept", "kept"], stages(place, top)


def holes_take_no_time(place):
    """What a cell makes in a moment must not take minutes to settle, for digests of what is not there."""
    top = tree(place)
    took = []
    for size in ("1M", "6G"):
        began = time.monotonic()
        try:
            work(place, top, f"for i in a b; do truncate -s {size} $i; done; exit 1")
        except subprocess.TimeoutExpired:
            pass
        took.append(time.monotonic() - began)
    assert took[1] < took[0] + 5, took


@once
def all_bytes_count(place):
    """What lies behind the 65,536 changes that are listed takes room on disk as well."""
    top = tree(place)
    for n, expected in ((10, "the twin"), (66000, "many")):
        result = python(place, top, f"""
for i in range({n}): open(f'a{{i}}', 'w').close()
open('z', 'w').write('x' * 30000000)
raise SystemExit(1)""", timeout=120)
        assert result.returncode == 1, told(result)
        size = stages(place, top)[-1]["bytes"]
        assert size >= 30000000, f"{expected}: {size} bytes"
        expect_ok(ambit(place, "discard", cwd=top))


@once
def many_changes_take_little_memory(place):
    """As many as npm makes any day; what is listed is bounded, and so is this."""
    if sanitized(place.ambit):
        raise Skip("a sanitizer's memory is much larger")
    top = tree(place)
    peaks = []
    for n in (1000, 65000):
        peak = 0
        process = subprocess.Popen([place.ambit, "run", "--work", ".", "--", PYTHON, "-c",
                                    f"for i in range({n}): open(f'{n}-{{i}}', 'w').close()"],
                                   cwd=top, env=place.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None:
            for status in glob.glob("/proc/[0-9]*/status"):
                try:
                    text = open(status).read()
                except OSError:
                    continue
                if "Name:\tambit-stage\n" in text and f"Uid:\t{os.geteuid()}\t" in text and "VmHWM" in text:
                    peak = max(peak, int(text.split("VmHWM:")[1].split()[0]))
            time.sleep(0.02)
        assert process.returncode == 0, f"{n}: {process.returncode}"
        peaks.append(peak // 1024)
    assert peaks[1] < 640, f"ambit-stage took {peaks} MB"  # 65,536 changes are listed, 8 KB each


def disk(place):
    """A tree in a mount of its own, where stages lie beside it: top is <disk>/proj."""
    top = tree(place)
    data = os.path.join(os.path.dirname(top), "data")
    os.makedirs(f"{data}/proj")
    private_mounts(["--bind", data, data])
    return data, f"{data}/proj"


@in_child
def the_stages_of_others_are_not_shown(place):
    """They lie beside a tree in .ambit-UID, which a grant of the disk contains."""
    data, top = disk(place)
    assert work(place, top, "echo private-of-A > made; exit 1").returncode == 1
    assert glob.glob(f"{data}/.ambit-*/e_*/0/upper/made"), "stages lie elsewhere: nothing is tried"  # the twin
    seen = []
    for verb in ("--read", "--work"):
        result = place.cell(verb, ".", "--", "sh", "-c", "cat .ambit-*/e_*/0/upper/made; true", cwd=data)
        if "private-of-A" in result.stdout:
            seen.append(verb)
    assert not seen, f"another event's stage was read by {seen}"


def no_place_for_stages_is_planted(place):
    """One event makes what a later one, of a tree beneath or of the home, would take for Ambit's own, with an index of what is hidden."""
    top = tree(place)
    name = f".ambit-{os.geteuid()}"
    for script in (f"mkdir -p {name}/.mask-1-2; echo evil > {name}/.mask-1-2/index", f"mkdir a; echo evil > a/f; mv a {name}",
                   f"ln -s . {name}"):
        result = work(place, top, "umask 077; " + script)
        assert result.returncode == 123 and not os.path.lexists(f"{top}/{name}"), told(result)
        ambit(place, "discard", "--all", cwd=top)


@in_child
def the_stages_of_others_are_not_changed(place):
    data, top = disk(place)
    write(f"{top}/.env", "SECRET\n")
    write(f"{top}/p", "precious\n")
    assert work(place, top, "echo mine > .env").returncode == 123
    assert ambit(place, "commit", cwd=top).returncode != 0 and open(f"{top}/.env").read() == "SECRET\n"  # the twin
    work(place, data, "for f in .ambit-*/e_*/0; do rm -f $f/unseen; echo evil > $f/upper/evil; done")
    ambit(place, "commit", cwd=top)
    assert open(f"{top}/.env").read() == "SECRET\n", "a hidden name was overwritten"
    assert not os.path.exists(f"{top}/evil"), "another event's changes were committed as this one's"


@in_child
def an_undo_that_finds_another_file(place):
    """It must not say that it put back what it did not."""
    data, top = disk(place)
    write(f"{top}/p", "precious\n")
    expect_ok(work(place, top, "rm p"))
    expect_ok(ambit(place, "undo", "last", cwd=top))
    assert open(f"{top}/p").read() == "precious\n"  # the twin
    expect_ok(ambit(place, "discard", cwd=top))
    expect_ok(work(place, top, "rm p"))
    kept, = glob.glob(f"{data}/.ambit-*/e_*/0/upper/p")
    os.rename(kept, kept + "-elsewhere")
    write(kept, "other\n")
    result = ambit(place, "undo", "last", cwd=top)
    assert result.returncode != 0 or os.path.exists(f"{top}/p"), told(result)


@in_child
def another_user_takes_the_place_of_a_stage(place):
    """In a directory that others may write to (a group's, without the sticky bit) they can put theirs where a stage was."""
    data, top = disk(place)
    os.chmod(top, 0o700)
    os.chmod(data, 0o777)
    expect_ok(work(place, top, "echo mine > a", "--stage"))
    own = glob.glob(f"{data}/.ambit-*")
    if not own:
        return  # nothing lies where others can get at it
    event, = os.listdir(own[0])
    script = f"""
import os
import re
os.umask(0)
os.rename({own[0]!r}, {own[0]!r} + 'x')
os.makedirs({own[0]!r} + '/{event}/0/upper'); os.mkdir({own[0]!r} + '/{event}/0/work')
open({own[0]!r} + '/{event}/0/upper/theirs', 'w').write('theirs')
"""
    done = subprocess.run(["setpriv", "--reuid=64200", "--regid=64200", "--clear-groups", PYTHON, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = ambit(place, "commit", cwd=top)
    assert not os.path.exists(f"{top}/theirs"), f"committed what another user put there; {told(result)}"


@in_child
def root_leaves_owners_as_they_are(place):
    """By copying too: a living event, a file system out of reach."""
    top = tree(place)
    data = os.path.join(os.path.dirname(top), "far")
    os.mkdir(data)
    private_mounts(["-t", "tmpfs", "tmpfs", data])
    changed = []
    for path, living in ((top + "-near", False), (top + "-living", True)) + (((data, False),) if root_works_on_tmpfs() else ()):
        os.makedirs(path, exist_ok=True)
        write(f"{path}/a", "a\n")
        write(f"{path}/b", "b\n")
        for name in ("", "/a", "/b"):
            os.chown(path + name, 64300, 64300)
        if living:
            process = begin(place, path, "echo more >> a; echo new > n")
            expect_ok(ambit(place, "commit", "last", cwd=path))
            if os.lstat(f"{path}/a").st_uid != 64300:
                changed.append("committed while it lived: a")
            end(process)
        else:
            expect_ok(work(place, path, "echo more >> a; echo new > n; rm b"))
        for what in ("committed", "undone"):
            others = [n for n in os.listdir(path) if not n.startswith(".") and os.lstat(f"{path}/{n}").st_uid != 64300]
            if others:
                changed.append(f"{os.path.basename(path)}, {what}: {others}")
            if what == "committed":
                ambit(place, "undo", "last", cwd=path)
        ambit(place, "discard", "--all", cwd=path)
    assert not changed, changed


# ---- what holds ----


def attributes_and_modes(place):
    top = tree(place)
    write(f"{top}/a", "a\n")
    write(f"{top}/d/x", "x\n")
    script = """
import os
import re
done = []
def attempt(what, do):
    try:
        do(); done.append(what)
    except OSError:
        pass
open('f', 'w').close()
for mode in (0o4755, 0o2755):
    attempt(f'chmod {mode:o}', lambda: os.chmod('f', mode))
    attempt(f'create {mode:o}', lambda: os.close(os.open(f's{mode}', os.O_CREAT | os.O_WRONLY, mode)))
    attempt(f'mknod {mode:o}', lambda: os.mknod(f'k{mode}', 0o100000 | mode))
attempt('device', lambda: os.mknod('dev', 0o060666, os.makedev(254, 0)))
attempt('whiteout', lambda: os.mknod('white', 0o020000, 0))
attempt('capability', lambda: os.setxattr('f', 'security.capability', bytes.fromhex('0100000200000000000000000000000000000000')))
attempt('trusted', lambda: os.setxattr('f', 'trusted.overlay.opaque', b'y'))
attempt('acl of another', lambda: os.setxattr('f', 'system.posix_acl_access', bytes.fromhex(
    '0200000001000600ffffffff02000600e903000004000400ffffffff10000600ffffffff20000400ffffffff')))
os.mkdir('nd'); open('nd/f', 'w').close()
for path in ('nd', 'nd/f', 'd', 'a'):
    os.setxattr(path, 'user.mine', b'1')
    for name in ('opaque', 'redirect', 'metacopy', 'origin', 'whiteout', 'overlay.opaque'):
        attempt(f'overlay {name}', lambda: os.setxattr(path, f'user.overlay.{name}', b'y'))
print('done:', sorted(set(done)))
"""
    result = expect_ok(python(place, top, script))
    assert all("overlay" in word or not word for word in result.stdout.split("[")[1].rstrip("]\n").replace("'", "").split(", ")), told(result)
    for path in ("nd", "nd/f", "d", "a"):
        names = os.listxattr(f"{top}/{path}")
        assert "user.mine" in names and not [n for n in names if n.startswith("user.overlay")], (path, names)
    for directory, names, files in os.walk(top):
        for name in names + files:
            mode = os.lstat(os.path.join(directory, name)).st_mode
            assert not mode & 0o6000 and stat.S_IFMT(mode) in (stat.S_IFREG, stat.S_IFDIR), (name, oct(mode))


def no_way_out_of_the_tree(place):
    """Directories that become links while the event runs, or before a kept stage is committed."""
    top = tree(place)
    out = os.path.join(os.path.dirname(top), "out")
    os.mkdir(out)
    for flags in ([], ["--on-conflict", "ours"], ["--on-conflict", "theirs"]):
        write(f"{top}/d/x", "x\n")
        process = begin(place, top, "echo y > d/y; echo z > d/x", *flags)
        os.rename(f"{top}/d", f"{top}/d2")
        os.symlink(out, f"{top}/d")
        end(process)
        assert os.listdir(out) == [], os.listdir(out)
        ambit(place, "discard", cwd=top)
        shutil.rmtree(top)
        os.mkdir(top)
    expect_ok(work(place, top, "mkdir d; echo y > d/y"))  # the twin
    expect_ok(work(place, top, "echo z > d/z", "--stage"))
    os.rename(top, top + "2")
    os.symlink(top + "2", top)
    result = ambit(place, "commit", cwd=out)
    assert result.returncode != 0 and not os.path.exists(f"{top}2/d/z"), told(result)


def a_granted_name_is_no_link(place):
    """One event leaves a link, the next is granted its name."""
    top = tree(place)
    victim = os.path.join(place.home, ".bashrc")
    write(victim, "mine\n")
    expect_ok(work(place, top, f"ln -s {victim} out"))
    result = place.cell("--write", "./out", "--", "sh", "-c", "echo evil >> out", cwd=top)
    assert result.returncode != 0 and open(victim).read() == "mine\n", told(result)
    write(f"{top}/plain", "x\n")
    expect_ok(place.cell("--write", "./plain", "--", "sh", "-c", "echo more >> plain", cwd=top))  # the twin


def no_socket_through_an_overlay(place):
    top = tree(place)
    server = subprocess.Popen([PYTHON, "-c", "import socket; s = socket.socket(socket.AF_UNIX); s.bind('s'); s.listen(4); print('on', flush=True)\n"
                               "while True: s.accept()"], cwd=top, stdout=subprocess.PIPE, text=True)
    connect = "import socket; socket.socket(socket.AF_UNIX).connect('s'); print('reached')"
    try:
        server.stdout.readline()
        assert "reached" in place.run(PYTHON, "-c", connect, cwd=top).stdout  # the twin
        assert "reached" not in python(place, top, connect).stdout
    finally:
        server.kill()
        server.wait()


def odd_names_and_depth(place):
    top = tree(place)
    result = python(place, top, r"""
import os
import re
for name in (b'a\nb', b'\xff\xfe', b'esc\x1b[31mred', b'\xe2\x80\xae', b' ', b'-rf'):
    open(name, 'w').close()
""")
    expect_ok(result)
    assert len(os.listdir(os.fsencode(top))) == 6
    shown = ambit(place, "diff", "--name-only", cwd=top).stdout + result.stderr
    assert "\x1b" not in shown and "\u202e" not in shown
    for depth in (30, 3000):
        top = tree(place)
        result = python(place, top, f"""
import os
import re
for i in range({depth}):
    os.mkdir('d' * 40); os.chdir('d' * 40)
open('f', 'w').close()
""", timeout=60)
        assert result.returncode == (0 if depth == 30 else 123), told(result)
        assert len(os.listdir(top)) == (1 if depth == 30 else 0)
    expect_ok(ambit(place, "discard", cwd=top, timeout=60))
    assert not glob.glob(f"{store(place)}/e_*"), os.listdir(store(place))


def the_disk_is_bounded(place):
    top = tree(place)
    small = "for i in 1 2 3; do head -c 1000000 /dev/zero > f$i; done"
    expect_ok(work(place, top, small, "--limit", "disk=50M"))  # the twin
    result = work(place, top, "for i in $(seq 60); do head -c 10000000 /dev/zero > g$i; done; sleep 5", "--limit", "disk=50M", "--discard")
    assert result.returncode != 0 and "disk" in result.stderr and not os.path.exists(f"{top}/g1"), told(result)


SCENARIOS = [what_is_hidden_outlives_ours, a_narrower_grant_hides_as_much, no_way_to_what_is_hidden,
             a_protected_file_gets_no_second_name, what_is_held_is_named, protected_names_in_place_at_any_depth, protected_names_in_place_by_grant,
             a_granted_directory_that_cannot_be_listed, a_name_held_on_another_mount, a_part_of_a_repository_granted_in_place,
             protected_names_in_place_by_links_in_a_repository, a_protected_link_to_all_that_is_granted, names_held_in_place_take_no_other_rights,
             protected_names_in_place_by_winding_links, protected_names_in_place_in_what_a_grant_frees,
             protected_names_in_place_in_secrets, protected_names_in_place_too_deep, a_repository_in_place_stays_one,
             names_held_in_place_show_nobody_elses_files, a_held_link_into_what_is_hidden,
             protected_names_in_place_by_links, protected_names_in_place_are_many, no_commit_beneath_an_event_in_place,
             a_commit_that_waits_stops_no_other_tree, an_event_that_writes_nothing_in_place_claims_nothing, a_claim_ends_with_its_supervisor,
             a_tree_in_place_in_one_that_is_read, no_pipe_of_a_tree_that_is_read_is_written, a_pipe_that_came_and_went, a_pipe_alone_is_not_granted_to_be_read, no_repository_in_parts, no_link_into_dependencies,
             protected_names_do_not_go_with_a_parent, protected_names_by_other_ways, one_bad_among_many,
             what_was_judged_is_what_is_committed, no_way_through_a_link_elsewhere, no_way_over_a_link_elsewhere,
             no_way_back_over_a_link, a_directory_is_not_shut_before_its_links, links_made_while_an_event_runs, links_that_no_index_holds, links_from_one_tree_into_another,
             links_from_the_home_into_a_tree, a_home_is_reached_by_other_names, no_tracked_secret_is_lost, a_tracked_secret_is_lost_if_that_is_said,
             no_tracked_secret_is_lost_by_halves, no_tracked_secret_is_lost_in_any_form_of_an_index,
             no_tracked_secret_is_lost_in_worktrees_and_submodules, no_tracked_secret_is_lost_in_what_is_granted, no_tracked_secret_is_lost_behind_a_link, no_tracked_secret_is_lost_out_of_sight, ways_around_the_index, a_judge_that_dies_lets_nothing_pass, an_index_in_conflict_is_judged, no_tracked_secret_of_a_read_tree_is_lost, an_index_behind_many_changes_is_judged, a_sparse_index_loses_nothing_by_its_directories, untracked_secrets_hold_no_index, a_directory_full_of_hidden_names,
             no_flood_of_hidden_names, no_secret_too_many, what_is_left_goes_and_what_is_used_stays,
             sparse_files_push_nothing_out, holes_take_no_time, all_bytes_count,
             many_changes_take_little_memory, the_stages_of_others_are_not_shown, no_place_for_stages_is_planted,
             the_stages_of_others_are_not_changed,
             an_undo_that_finds_another_file, another_user_takes_the_place_of_a_stage, root_leaves_owners_as_they_are,
             attributes_and_modes, no_way_out_of_the_tree, a_granted_name_is_no_link, no_socket_through_an_overlay,
             odd_names_and_depth, the_disk_is_bounded]

if __name__ == "__main__":
    main(SCENARIOS)
