"""test_judge_git.py AMBIT_JUDGE JUDGE_NAMES: what real git leaves behind passes, and what is dangerous holds; and whatever the
judge calls inert, real git reads as nothing but inert keys. Speaks TAP. Makes its repositories in a private directory."""
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile

JUDGE, NAMES = sys.argv[1:3]
KINDS = {"config": 1, "modules": 6}
INDEX = 12
MAGIC = 0x32474A41
HELD_NOT, HELD_PROTECTED, HELD_JUDGED = 0, 1, 2
number = 0
root = os.path.realpath(tempfile.mkdtemp())
environment = {"PATH": os.environ["PATH"], "HOME": root, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C",
               "GIT_AUTHOR_NAME": "A 'quoted' person", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "C",
               "GIT_COMMITTER_EMAIL": "c@d", "GIT_EDITOR": "true", "GIT_CONFIG_COUNT": "3",
               "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "always",
               "GIT_CONFIG_KEY_1": "init.defaultBranch", "GIT_CONFIG_VALUE_1": "main",
               "GIT_CONFIG_KEY_2": "core.fsync", "GIT_CONFIG_VALUE_2": "none"}  # nothing of it is to outlive the test


def report(good, name, *details):
    global number
    number += 1
    print(f"{'ok' if good else 'not ok'} {number} - {name}")
    for detail in details if not good else ():
        print(f"# {detail}")


def git(*words, at=None, may_fail=False):
    done = subprocess.run(["git", *words], cwd=at, env=environment, capture_output=True)
    if done.returncode != 0 and not may_fail:
        raise RuntimeError(f"git {words}: {done.stderr.decode()}")
    return done


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())


def snapshot(tree):
    """Each name of the tree: its type, and what is in it."""
    found = {}
    for directory, directories, files in os.walk(tree):
        for name in directories + files:
            path = os.path.join(directory, name)
            relative = os.path.relpath(path, tree)
            if os.path.islink(path):
                found[relative] = ("l", os.readlink(path))
            elif os.path.isdir(path):
                found[relative] = ("d", None)
            else:
                with open(path, "rb") as f:
                    found[relative] = ("f", f.read())
    return found


def judged(tree, cases, beside=(b"", b"", b"")):
    """(kind, path, old or None, new) each to what the judge says: '' is inert. Beside an index: what was hidden, gitdir, config."""
    if not cases:
        return []
    batch = struct.pack("<III", MAGIC, len(cases), len(beside[0])) + beside[0]
    for kind, path, old, new in cases:
        batch += struct.pack("<BB", kind, old is not None)
        for part in (tree.encode(), path.encode(), old or b"", new):
            batch += struct.pack("<I", len(part)) + part
        for part in beside[1:] if kind == INDEX else ():
            batch += struct.pack("<I", len(part)) + part
    done = subprocess.run([JUDGE], input=batch, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"the judge ended with {done.returncode}")
    said, at = [], 8
    for _ in cases:
        inert, _, n = struct.unpack_from("<BII", done.stdout, at)
        said.append("" if inert else done.stdout[at + 9:at + 9 + n].decode())
        at += 9 + n
    return said


def held(tree, before, after):
    """What would be held of the changes between two snapshots: {path: reason}."""
    changes = [(after[p][0], "+", p) for p in after if before.get(p) != after[p]]
    changes += [(before[p][0], "-", p) for p in before if p not in after and os.path.dirname(p) in ("", *after)]
    lines = subprocess.run([NAMES, tree], input=b"".join(f"{t}{s}{p}\0".encode() for t, s, p in changes),
                           capture_output=True, check=True).stdout.decode().splitlines()
    assert len(lines) == len(changes)
    result, cases = {}, []
    for (kind, _, path), line in zip(changes, lines):
        state, judge, _, reason = line.split(" ", 3)
        if int(state) == HELD_PROTECTED:
            result[path] = reason
        elif int(state) == HELD_JUDGED:
            old = before.get(path)
            cases.append((int(judge), path, old[1] if old and old[0] == "f" else None, after[path][1]))
    for (_, path, _, _), why in zip(cases, judged(tree, cases)):
        if why:
            result[path] = why
    return result


class Tree:
    """A tree, and what it was when it was last looked at."""

    def __init__(self, name):
        self.path = os.path.join(root, name)
        os.makedirs(self.path, exist_ok=True)
        self.seen = snapshot(self.path)

    def passes(self, name, *allowed):
        now = snapshot(self.path)
        found = {p: why for p, why in held(self.path, self.seen, now).items() if not any(re.fullmatch(a, p) for a in allowed)}
        changed = sum(1 for p in now if self.seen.get(p) != now[p])
        report(not found and (changed > 0 or now != self.seen), f"{name} ({changed} names)", *found.items())
        self.seen = now

    def holds(self, name, path, change):
        """A dangerous edit, which is taken back."""
        change(os.path.join(self.path, path))
        now = snapshot(self.path)
        found = held(self.path, self.seen, now)
        report(path in found, f"holds: {name}", f"{path} is not among {found}")
        for p in now:
            if self.seen.get(p) != now[p] and now[p][0] != "d":
                os.unlink(os.path.join(self.path, p))
        for p, (kind, content) in self.seen.items():
            if kind == "f" and now.get(p) != self.seen[p]:
                write(os.path.join(self.path, p), content)


def commit(at, name, text):
    write(os.path.join(at, name), text)
    git("add", "-A", at=at)
    git("commit", "-q", "-m", f"change {name}", at=at)


def append(text):
    def change(path):
        with open(path, "ab") as f:
            f.write(text.encode())
    return change


def replace(text):
    return lambda path: write(path, text)


def make_upstream():
    at = os.path.join(root, "upstream")
    git("init", "-q", at)
    commit(at, "a", "one\n")
    commit(at, ".gitattributes", "* text=auto\n*.bin filter=lfs diff=lfs merge=lfs -text\n")
    commit(at, "a", "two\n")
    return at


def what_git_leaves(upstream):
    t = Tree("work")
    git("init", "-q", "new", at=t.path)
    t.passes("git init")
    new = os.path.join(t.path, "new")
    commit(new, "a", "1\n")
    t.passes("git commit")
    git("remote", "add", "origin", "https://example.org/x.git", at=new)
    git("config", "user.name", "Somebody", at=new)
    git("config", "user.email", "some@body", at=new)
    t.passes("git remote add, git config user.*")
    git("clone", "-q", upstream, "clone", at=t.path)
    t.passes("git clone")
    clone = os.path.join(t.path, "clone")
    git("clone", "-q", "--bare", upstream, "bare.git", at=t.path)
    git("clone", "-q", "--bare", upstream, "plain", at=t.path)
    git("clone", "-q", "--mirror", upstream, "mirror", at=t.path)
    t.passes("git clone --bare, --mirror")
    git("clone", "-q", "--depth", "1", "--filter", "blob:none", "file://" + upstream, "thin", at=t.path)
    t.passes("git clone --depth --filter")
    git("worktree", "add", "-q", "../wt", "-b", "side", at=clone)
    t.passes("git worktree add")
    git("worktree", "add", "-q", "../wt2", "-b", "side2", at=os.path.join(t.path, "bare.git"))
    t.passes("git worktree add, of a bare repository")
    commit(os.path.join(t.path, "wt"), "a", "side\n")
    t.passes("git commit in a worktree")
    git("worktree", "remove", "../wt", at=clone)
    t.passes("git worktree remove")
    git("submodule", "add", "-q", upstream, "sub/deep", at=clone)
    git("commit", "-q", "-m", "sub", at=clone)
    t.passes("git submodule add")
    git("clone", "-q", "--recurse-submodules", "clone", "clone2", at=t.path)
    t.passes("git clone --recurse-submodules")
    git("sparse-checkout", "set", "sub", at=os.path.join(t.path, "clone2"))
    t.passes("git sparse-checkout")
    git("checkout", "-q", "-b", "topic", "--track", "origin/main", at=clone)
    commit(clone, "a", "topic\n")
    commit(clone, "b", "topic\n")
    git("checkout", "-q", "main", at=clone)
    commit(clone, "a", "main\n")
    git("tag", "v1", at=clone)
    write(os.path.join(clone, "a"), "dirty\n")
    git("stash", at=clone)
    git("fetch", "-q", at=clone)
    git("gc", "-q", at=clone)
    t.passes("branches, tags, stash, fetch, gc")
    git("rebase", "main", "topic", at=clone, may_fail=True)
    assert os.path.exists(os.path.join(clone, ".git/rebase-merge/git-rebase-todo"))
    t.passes("git rebase, stopped at a conflict")
    t.holds("an exec line", "clone/.git/rebase-merge/git-rebase-todo", append("exec sh x\n"))
    t.holds("a value that is not quoted", "clone/.git/rebase-merge/author-script", replace("GIT_AUTHOR_NAME='a';x\n"))
    git("rebase", "--abort", at=clone)
    t.passes("git rebase --abort")
    git("rebase", "--apply", "main", "topic", at=clone, may_fail=True)
    t.passes("git rebase --apply, stopped at a conflict")
    git("rebase", "--abort", at=clone)
    git("checkout", "-q", "main", at=clone)
    git("cherry-pick", "-x", "topic~1", "topic", at=clone, may_fail=True)
    assert os.path.exists(os.path.join(clone, ".git/sequencer/todo"))
    t.passes("git cherry-pick, stopped at a conflict")
    git("cherry-pick", "--abort", at=clone)
    git("merge", "topic", at=clone, may_fail=True)
    t.passes("git merge, stopped at a conflict")
    git("merge", "--abort", at=clone)
    git("bisect", "start", "HEAD", "HEAD~2", at=clone)
    t.passes("git bisect")
    git("bisect", "reset", at=clone)
    git("branch", "-D", "topic", at=clone)
    t.passes("git bisect reset, git branch -D")
    return t


def dangerous(t):
    for name, path, change in [
        ("a hook", "clone/.git/hooks/pre-commit", replace("#!/bin/sh\n")),
        ("a hook that was a sample", "new/.git/hooks/post-checkout", replace("#!/bin/sh\n")),
        ("a hook of a submodule", "clone/.git/modules/sub/deep/hooks/post-checkout", replace("x")),
        ("a hook of a bare repository", "bare.git/hooks/post-update", replace("x")),
        ("a hook of a bare repository by its looks", "plain/hooks/post-update", replace("x")),
        ("a hook of the same clone", "mirror/hooks/update", replace("x")),
        ("an alias", "clone/.git/config", append("[alias]\n\tst = !x\n")),
        ("fsmonitor", "new/.git/config", append("[core]\n\tfsmonitor = x\n")),
        ("hooksPath of a submodule", "clone/.git/modules/sub/deep/config", append("[core]\n\thooksPath = x\n")),
        ("a worktree of a submodule elsewhere", "clone/.git/modules/sub/deep/config", append("[core]\n\tworktree = /etc\n")),
        ("a command of a bare repository by its looks", "plain/config", append("[core]\n\tpager = x\n")),
        ("a command of a worktree", "bare.git/worktrees/wt2/config.worktree", replace("[core]\n\tpager = x\n")),
        ("commondir elsewhere", "bare.git/worktrees/wt2/commondir", replace("/tmp\n")),
        ("gitdir elsewhere", "bare.git/worktrees/wt2/gitdir", replace("/etc/.git\n")),
        ("a .git file elsewhere", "wt2/.git", replace("gitdir: /tmp/x.git\n")),
        ("a .git file to a directory", "wt2/.git", replace("gitdir: ../clone/a\n")),
        ("a new .git file", "clone/sub/.git", replace("gitdir: ../../x\n")),
        ("a filter", "clone/.gitattributes", append("* filter=x\n")),
        ("a filter of the repository", "clone/.git/info/attributes", replace("* filter=x\n")),
        ("an update command", "clone/.gitmodules", append('[submodule "sub/deep"]\n\tupdate = !x\n')),
        ("another address of a submodule", "clone/.gitmodules", append('[submodule "sub/deep"]\n\turl = /x\n')),
        ("another address of a remote", "clone/.git/config", append('[remote "origin"]\n\turl = https://evil.org/\n')),
        ("an old remote", "clone/.git/remotes/origin", replace("URL: /x\n")),
        ("a .git directory over a link", "clone/sub/deep/x/.git/config", replace("[core]\n\tsshCommand = x\n")),
        ("a new bare repository", "evil/config", lambda p: [write(os.path.join(os.path.dirname(p), n), "x") for n in
                                                           ("HEAD", "objects/x", "refs/x")] and write(p, "[core]\n\tfsmonitor = x\n")),
        ("a repository that borrows", "evil2/commondir", lambda p: [write(p, "../evil3\n"), write(p[:-9] + "HEAD", "ref: refs/heads/x\n")]),
        ("a link for hooks", "plain/info", lambda p: [shutil.rmtree(p), os.symlink("/tmp", p)]),
    ]:
        t.holds(name, path, change)
        if name == "a link for hooks":
            write(os.path.join(t.path, "plain/info/exclude"), t.seen["plain/info/exclude"][1])


def an_npm_package():
    t = Tree("npm")
    for path in ("package.json", "package-lock.json", "node_modules/.package-lock.json", "node_modules/.bin/tool",
                 "node_modules/a/package.json", "node_modules/a/index.js", "node_modules/a/.npmrc", "node_modules/a/.eslintrc",
                 "node_modules/a/.vscode/settings.json", "node_modules/a/.github/workflows/ci.yml", "node_modules/a/.husky/pre-commit",
                 "node_modules/a/.idea/x.xml", "node_modules/@s/b/.travis.yml", "node_modules/@s/b/node_modules/c/.editorconfig",
                 "node_modules/@s/b/.devcontainer/devcontainer.json", "node_modules/a/.claude/settings.json"):
        write(os.path.join(t.path, path), "{}\n")
    t.passes("an installed npm package")
    t.holds("a repository in a package", "node_modules/a/.git/hooks/pre-commit", replace("x"))
    t.holds("settings beside it", ".vscode/settings.json", replace("{}"))
    t.holds("a shell for scripts", ".npmrc", replace("script-shell=/x\n"))


FRAGMENTS = ["[core", "]", "[alias]", "[ALIAS]", "[remote \"a\\\"b\"]", "[user.x]", "[include]", "[submodule \"m\"]", "[branch \"x]\"]",
             "[filter \"lfs\"]", "\"", "\\", "\\\n", "\n", "\r\n", "\r", " ", "\t", "#", ";", "bare", "pager = x", "=", "name = \"a", "url = ext::x",
             "st = !x", "path = x", "clean = x", "x", "-", ".", "\xef\xbb\xbf", "\\\"", "\\n", "\\t", "\v"]
SOUND = ["[core]\nbare = true\n", "[core]\nbare\n", "[user]\nname = a  b # c\n", "[user]\nname = \"a;b\" \\\n c\n", "[remote \"o\"]\nurl = /x\n",
         "[branch \"x\\\"]\"]\nmerge = refs/heads/x\n", "[remote \"o\"]\nfetch = +refs/heads/*:refs/x/*\n", "[remote.P]\nurl=h:x\n", "# x \\\n", "[core] bare = no\n",
         "[user]name=\\\"x\n", "; [alias]\r\n", "[submodule \"m\"]\n\turl = ../m\n"]


def a_text(chosen):
    """A few sound lines, with a disturbance or two in most."""
    parts = ["[core]\n"] + [chosen.choice(SOUND) for _ in range(chosen.randint(0, 5))]
    for _ in range(chosen.choice([0, 1, 1, 1, 2])):
        parts.insert(chosen.randint(0, len(parts)), chosen.choice(FRAGMENTS))
    text = "".join(parts)
    if chosen.random() < 0.2:
        at = chosen.randint(0, len(text))
        text = text[:at] + chosen.choice(FRAGMENTS) + text[at:]
    return text.encode("latin-1")


def agrees_with_git():
    """What git lists of a file that is called inert has no key but these."""
    inert_key = re.compile(r"core\.bare|user\.(name)|remote\.[\s\S]*\.(url|fetch)|branch\.[\s\S]*\.merge|submodule\.[\s\S]*\.url")
    seed = int(os.environ.get("AMBIT_SEED") or random.SystemRandom().randrange(1 << 30))
    print(f"# AMBIT_SEED={seed}")
    chosen = random.Random(seed)
    wrong, n_inert, n_keys, listed_ok = [], 0, 0, 0
    texts = [a_text(chosen) for _ in range(150 * int(os.environ.get("AMBIT_SOAK", "1")))]
    said = judged(root, [(KINDS["config"], ".git/config", None, text) for text in texts])
    path = os.path.join(root, "config")
    for text, why in zip(texts, said):
        if why:
            continue
        n_inert += 1
        write(path, text)
        done = git("config", "--list", "-z", "-f", path, may_fail=True)
        listed_ok += done.returncode == 0
        for entry in done.stdout.split(b"\0")[:-1]:
            key, _, value = entry.partition(b"\n")
            n_keys += 1
            if not inert_key.fullmatch(key.decode("latin-1")) or (key.endswith(b"url") and b"ext::" in value):
                wrong.append((text, entry))
    report(not wrong and listed_ok == n_inert, f"git reads what is inert as inert ({n_inert} of {len(texts)} files, {n_keys} keys)", *wrong)
    report(n_inert > len(texts) // 4 and n_keys > len(texts) // 2, "and there was enough of it", f"{n_inert} files, {n_keys} keys")


def read(path):
    with open(path, "rb") as f:
        return f.read()


def indices():
    """What git writes, in each form that it has: the judge reads all names, and misses each that goes."""
    def lost(at, old, new, hidden, config=b""):
        paths = b"".join(sorted((f"{at}/{name}".encode() + b"\0" for name in hidden), key=lambda path: (path.lower(), path)))
        return judged(at, [(INDEX, ".git/index", old, new)], (paths, b"", config))[0]

    names = [".env", "a b/k.pem", "deep/er/.npmrc", "deep/er/x", "e" * 200 + "/id_rsa", "sub.key", "\xe4.pem"]
    for word, how, version in [("version 2", [], 2), ("version 3", [], 3), ("version 4", [], 4), ("many threads", ["-c", "index.threads=4"], 4),
                               ("SHA-256", ["sha256"], 2), ("SHA-256 in version 4", ["sha256"], 4), ("no sum", ["-c", "index.skipHash=true"], 2)]:
        at = os.path.join(root, "index", word.replace(" ", "-"))
        os.makedirs(at)
        git("init", "-q", *(["--object-format=sha256"] if how == ["sha256"] else []), at=at)
        options = how if how[:1] == ["-c"] else []
        for name in names:
            write(os.path.join(at, name), "x\n")
        git(*options, "add", "-A", at=at)
        if word == "many threads":  # git writes blocks of 10,000 and more, each of which begins with a whole name
            lines = "".join(f"100644 {'1' * 40}\tm/{i}\n" for i in range(21000)).encode()
            subprocess.run(["git", *options, "update-index", "--index-version", "4", "--index-info"], cwd=at, env=environment, input=lines, check=True)
        else:
            git(*options, "commit", "-q", "-m", "one", at=at)
        if version == 3:
            write(os.path.join(at, "added"), "later")
            git(*options, "add", "-N", "added", at=at)
        elif version == 4 and word != "many threads":
            git(*options, "update-index", "--index-version", "4", at=at)
        index = os.path.join(at, ".git/index")
        old = read(index)
        report(old[7] == version and (b"IEOT" in old) == (word == "many threads"), f"{word}: so it was written", old[:12])
        wrong = [(name, lost(at, old, b"", [name])) for name in names if "--read" not in lost(at, old, b"", [name])]
        report(not wrong and lost(at, old, b"", ["none"]) == "", f"{word}: all names are found", *wrong)
        if version == 3:
            report(lost(at, old, b"", ["added"]) == "", f"{word}: what is only intended is no name")
        for name in names:
            git(*options, "rm", "-q", "--cached", name, at=at)
            new = read(index)
            why, others = lost(at, old, new, [name]), lost(at, old, new, [n for n in names if n != name])
            report("--read" in why and others == "", f"{word}: {name!a} is missed, and no other", why, others)
            write(index, old)
        shutil.rmtree(at)
    at = os.path.join(root, "index/split")
    os.makedirs(at)
    git("init", "-q", at=at)
    write(os.path.join(at, ".env"), "x")
    write(os.path.join(at, "dir/x"), "x")
    git("add", "-A", at=at)
    git("commit", "-q", "-m", "one", at=at)
    index = os.path.join(at, ".git/index")
    old = read(index)
    git("update-index", "--split-index", at=at)
    split = read(index)
    write(os.path.join(at, ".env"), "y")
    git("add", ".env", at=at)
    replaced = read(index)
    said = [lost(at, old, split, [".env"]), lost(at, split, old, [".env"]), lost(at, old, replaced, [".env"]), lost(at, old, split, [])]
    report([("split" in why) for why in said] == [True, True, True, False] and said[3] == "" and lost(at, old, split, ["none"]) == "", "a split index is told", *said)
    git("update-index", "--no-split-index", at=at)
    git("sparse-checkout", "init", "--cone", "--sparse-index", at=at)
    sparse = read(index)
    report(b"dir/\0" in sparse and lost(at, sparse, sparse + b"x", ["dir/x"]) != "", "a sparse index has directories")
    write(os.path.join(at, "n"), "n")
    git("add", "n", at=at)
    report(lost(at, sparse, read(index), ["dir/x", ".env"]) == "", "and what stays in them is not missed", lost(at, sparse, read(index), ["dir/x", ".env"]))


def the_role():
    for name, batch in [("nothing", b""), ("noise", os.urandom(4096)), ("no count", struct.pack("<I", MAGIC)),
                        ("no files", struct.pack("<II", MAGIC, 0)), ("fewer files than said", struct.pack("<III", MAGIC, 3, 0)),
                        ("one byte too many", b"\0" * ((144 << 20) + 1))]:
        done = subprocess.run([JUDGE], input=batch, capture_output=True)
        report(done.returncode == 1 and not done.stdout and not done.stderr, f"no answer to {name}", done)


try:
    tree = what_git_leaves(make_upstream())
    dangerous(tree)
    an_npm_package()
    agrees_with_git()
    indices()
    the_role()
    print(f"1..{number}")
finally:
    shutil.rmtree(root)
