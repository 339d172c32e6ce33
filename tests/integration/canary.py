#!/usr/bin/env python3
"""Canaries: what touches one is ended, by whatever name it comes there; a look is none; nobody in a cell knows which they are.

usage: canary.py AMBIT    (TAP on standard output; as root once more as an ordinary user)"""

import itertools
import json
import os
import re
import shutil
import subprocess

from harness import PATIENCE, SLOW, expect_ok, main, room_of, told, write
from mcp_client import data_of, serving, text_of

KINDS = ("aws", "ssh", "env", "token", "file")


class Decoys:
    """A home of its own, and a tree with a decoy and a file like it that is none."""

    def __init__(self, place, kind="file"):
        self.place, top = place, place.fresh()
        os.chmod(top, 0o755)
        self.home, self.tree = f"{top}/home", f"{top}/tree"
        os.makedirs(f"{self.tree}/sub")
        os.mkdir(self.home)
        self.state = f"{self.home}/.local/state/ambit"
        self.list = f"{self.state}/canaries/list"
        expect_ok(self.ambit("run", "--", "true"))  # tells the ledger's key
        self.decoy, self.real = f"{self.tree}/sub/notes.txt", f"{self.tree}/sub/other.txt"
        expect_ok(self.ambit("canary", "add", "sub/notes.txt", "--kind", kind), f"placed: {kind}  {self.decoy}")
        with open(self.decoy, encoding="utf-8") as file:
            self.secret = file.read()
        write(self.real, self.secret[::-1])
        os.chmod(self.real, 0o600)

    def ambit(self, *words, cwd=None, **more):
        env = {**self.place.environment(), "HOME": self.home, "XDG_STATE_HOME": f"{self.home}/.local/state"}
        return subprocess.run([self.place.ambit, *words], cwd=cwd or self.tree, env=env, capture_output=True, text=True, errors="replace", timeout=PATIENCE * SLOW, **more)

    def run(self, source, *words, grants=("--work", ".")):
        return self.ambit("run", *room_of(self.place), *grants, *words, "--", "sh", "-c", source)

    def outcome(self, source, *words, **more):
        """What its record says."""
        record = json.loads(self.run(source, "--json", *words, **more).stdout)
        return {**record["outcome"], "stdout": record["output"]["stdout"]["data"]}

    def listed(self):
        return json.loads(expect_ok(self.ambit("canary", "list", "--json")).stdout)["canaries"]


WAYS = (
    "cat sub/notes.txt",
    "cat $PWD/sub/../sub/./notes.txt",
    "cd sub && cat notes.txt",
    "cd sub && cat < notes.txt",
    "ln -s sub/notes.txt short; cat short",
    "ln -s sub deep; cat deep/notes.txt",
    "ln sub/notes.txt second; cat second",
    "mv sub/notes.txt moved; cat moved",
    "cp sub/notes.txt copied",
    "echo x >> sub/notes.txt",
    "rm sub/notes.txt",
    "chmod 644 sub/notes.txt; cat sub/notes.txt",
    "grep -r . sub",
    "cat /proc/self/cwd/sub/notes.txt",
    "cat /proc/self/root$PWD/sub/notes.txt",
    "sub/notes.txt; true",
    "python3 -c 'import os; os.open(\"sub/notes.txt\", os.O_PATH)'",
    "python3 -c 'import os; print(os.read(os.open(\"notes.txt\", 0, dir_fd=os.open(\"sub\", 0)), 99))'",
)


def what_opens_one_is_ended_by_whatever_name(place):
    """And what it had written is not in the tree. The twin: the same with a file that is none."""
    d = Decoys(place)
    for way in WAYS:
        said = d.outcome(f"touch made; {way}; sleep 20")
        assert (said["cause"], said["exit"], said["canaries"], said["workspace"]) == ("canary", None, [d.decoy], "kept"), (way, said)
        assert said["stdout"] == "" and said["error"]["code"] == "DENIED" and "notes" not in json.dumps(said["error"]), (way, said)
        assert sorted(os.listdir(d.tree)) == ["sub"] and os.listdir(f"{d.tree}/sub") != [], way
        with open(d.decoy, encoding="utf-8") as file:
            assert file.read() == d.secret
        os.rename(d.decoy, f"{d.home}/aside")
        twin = d.outcome(f"touch made; {way.replace('notes', 'other')}", "--stage")
        assert twin["cause"] == "exited" and "canaries" not in twin, (way, twin)
        write(d.decoy, d.secret)  # the same content in another file: it is the canary still


def it_is_told(place):
    d = Decoys(place)
    result = d.run("cat sub/notes.txt")
    assert result.returncode == 125 and f"ambit: canary: touched {d.decoy}" in result.stderr and "ambit explain e_" in result.stderr, told(result)
    assert d.secret.split()[-1] not in result.stdout + result.stderr and "denied" not in result.stderr, told(result)
    expect_ok(d.ambit("explain", "last"), "ended since it touched a canary", f"canary: {d.decoy}")
    shown = expect_ok(d.ambit("ledger", "show", "--json")).stdout
    stops = [json.loads(line) for line in shown.splitlines() if '"stop"' in line and d.decoy in line]
    assert len(stops) == 1 and '"cause":"canary"' in re.sub(r"\s", "", json.dumps(stops[0])), shown[-2000:]
    expect_ok(d.ambit("ledger", "verify"))
    listed = expect_ok(d.ambit("stage", "list"))
    assert "canary" not in listed.stdout, told(listed)  # it changed nothing


def a_look_is_none(place):
    d = Decoys(place)
    for way in ("ls -lR", "stat sub/notes.txt", "find . -name 'n*' -size -9", "test -r sub/notes.txt", "du -a sub", "cat sub/other.txt"):
        assert "canaries" not in d.outcome(way), way


def one_that_is_not_granted_counts(place):
    """By its name alone. The twin: another name is denied, and no more."""
    d = Decoys(place)
    said = d.outcome(f"cat {d.decoy}; sleep 20", grants=("--read", f"{d.home}/.config?"))
    assert (said["cause"], said["canaries"]) == ("canary", [d.decoy]), said
    said = d.outcome(f"cat {d.real}", grants=("--read", f"{d.home}/.config?"))
    assert (said["cause"], said["exit"]) == ("exited", 1), said


def other_names_and_trees_that_are_not_staged(place):
    d = Decoys(place)
    os.link(d.decoy, f"{d.tree}/second")
    os.mkdir(f"{d.home}/beside")
    os.link(d.decoy, f"{d.home}/beside/third")
    os.symlink(d.decoy, f"{d.tree}/link")
    for words, grants in ((("cat second",), ("--read", ".")), (("cat link",), ("--read", ".")), (("cat second",), ("--direct", "--work", ".")), (("mv sub deep; cat deep/notes.txt",), ("--direct", "--work", ".")),
                          (("cat link",), ("--work", ".")), (("cat ~/beside/third",), ("--read", ".", "--read", f"{d.home}/beside"))):
        said = d.outcome(f"{words[0]}; sleep 20", grants=grants)
        assert (said["cause"], said["canaries"], said["stdout"]) == ("canary", [d.decoy], ""), (words, grants, said)
        if os.path.exists(f"{d.tree}/deep"):
            os.rename(f"{d.tree}/deep", f"{d.tree}/sub")
        assert "canaries" not in d.outcome("cat sub/other.txt", grants=grants), grants


def what_moves_with_its_directory_is_touched(place):
    """Else the next event had it by a name that nobody knows. The twin: another directory goes where it is sent."""
    d = Decoys(place)
    os.makedirs(f"{d.tree}/up")
    expect_ok(d.ambit("canary", "remove", d.decoy))
    os.rename(f"{d.tree}/sub", f"{d.tree}/up/sub")
    expect_ok(d.ambit("canary", "add", "up/sub/notes.txt"))
    decoy = f"{d.tree}/up/sub/notes.txt"
    exchange = "python3 -c 'import ctypes; print(ctypes.CDLL(None).renameat2(-100, b\"other\", -100, b\"up\", 2))'"
    for way in ("mv up deep", "mv up/sub deep", "mv up/sub/ deep", "cd up && mv sub deep", "ln -s up x; mv x/sub deep", exchange):
        os.makedirs(f"{d.tree}/other/sub", exist_ok=True)
        said = d.outcome(f"{way}; sleep 20", grants=("--direct", "--work", "."))
        assert (said["cause"], said["canaries"]) == ("canary", [decoy]) and os.path.exists(decoy), (way, said)
        for name in ("x", "deep"):
            if os.path.lexists(f"{d.tree}/{name}"):
                os.remove(f"{d.tree}/{name}")
    said = d.outcome("mv other deep; mkdir up/beside; mv up/beside up/aside; rmdir up/aside up/sub; rm -d up; ls -R", grants=("--direct", "--work", "."))
    assert said["cause"] == "exited" and "deep" in said["stdout"] and "canaries" not in said, said


def what_nobody_may_look_at_is_one_still(place):
    """An event takes away the right to look where it lies; the next gives it back, if it can. The twin: the same with a file that is none."""
    d = Decoys(place)
    for name, cause in (("notes", "canary"), ("other", "exited")):
        for mode, way in itertools.product(("000", "600"), ("cat sub/%s.txt", "ln -s sub x; cat x/%s.txt")):
            said = d.outcome(f"chmod {mode} sub", grants=("--direct", "--work", "."))
            assert said["cause"] == "exited", said
            said = d.outcome(f"chmod 700 sub; {way % name}", grants=("--direct", "--work", "."))
            assert d.secret not in said["stdout"], (mode, way, said)
            if os.getuid() == 0:  # else nobody in a cell gives it back
                assert said["cause"] == cause and (d.secret[::-1] in said["stdout"]) == (cause == "exited"), (mode, way, said)
            os.chmod(f"{d.tree}/sub", 0o700)
            if os.path.lexists(f"{d.tree}/x"):
                os.remove(f"{d.tree}/x")


def the_policy_has_the_word(place):
    d = Decoys(place)
    said = d.outcome("cat sub/notes.txt; cat sub/notes.txt >/dev/null; echo x > made", "--canary", "tell")
    assert (said["cause"], said["exit"], said["canaries"], said["stdout"], said["workspace"]) == ("exited", 0, [d.decoy], d.secret, "committed"), said
    result = d.run("cat sub/notes.txt", "--canary=tell")
    assert result.returncode == 0 and f"ambit: canary: touched {d.decoy}" in result.stderr, told(result)
    for name, words, cause in (("tell", (), "exited"), ("kill", ("--canary", "tell"), "canary"), ("tell", ("--canary", "kill"), "canary")):
        write(f"{d.home}/policy.yaml", f"version: 1\ncanary: {name}\ngrants:\n  - work: {d.tree}\n")
        said = d.outcome("cat sub/notes.txt; true", "--policy", f"{d.home}/policy.yaml", *words, grants=())
        assert said["cause"] == cause, (name, words, said)
    write(f"{d.home}/policy.yaml", "version: 1\ncanary: maybe\n")
    result = d.ambit("policy", "check", f"{d.home}/policy.yaml")
    assert result.returncode != 0 and "tell, kill or freeze" in result.stderr and ":2:9" in result.stderr.replace("line 2, column 9", ":2:9"), told(result)


def what_touched_one_teaches_nothing(place):
    """Also where it is only told. The twin: what did not is learned."""
    d = Decoys(place)
    record = json.loads(d.run("cat sub/notes.txt", "--json", "--canary", "tell", "--profile", "log").stdout)
    assert record["usual"] is None and record["outcome"]["canaries"] == [d.decoy], record["outcome"]
    record = json.loads(d.run("cat sub/other.txt", "--json", "--canary", "tell", "--profile", "log").stdout)
    assert record["usual"]["events"] == 0 and record["usual"]["error"] is None, record["usual"]


def what_touched_one_is_asked_about(place):
    """Where it is only told: it is not compared, and that is no way around who is to be asked. Nor does the ledger teach it later."""
    with_ask = ("--canary", "tell", "--profile", "ask")
    d = Decoys(place)
    result = d.run("cat sub/notes.txt; echo x > made", *with_ask)
    assert result.returncode == 123 and "it touched a canary" in result.stderr and not os.path.exists(f"{d.tree}/made"), told(result)
    result = d.run("cat sub/other.txt; echo x > made", *with_ask)
    assert result.returncode == 0 and os.path.exists(f"{d.tree}/made"), told(result)
    os.mkdir(f"{d.tree}/work")
    call = f"{place.ambit} run -- cat sub/%s.txt; echo x > work/%s"
    for name, status in (("notes", 123), ("other", 0)):  # nor is a sub-agent one, also where its own eye alone sees it
        result = d.run(call % (name, name), *with_ask, grants=("--work", "./work", "--read", "./sub/notes.txt", "--read", "./sub/other.txt", "--delegate", "*", "--run", place.ambit))
        assert result.returncode == status and os.path.exists(f"{d.tree}/work/{name}") == (status == 0), told(result)
    touched, other = (json.loads(d.run(f"cat sub/{name}.txt", "--json", "--canary", "tell").stdout)["event"] for name in ("notes", "other"))
    refused = d.ambit("profile", "train", touched, other)
    assert refused.returncode == 125 and "it touched a canary" in refused.stderr and "learned: 1; taught nothing: 0; not read: 1" in refused.stdout, told(refused)


def what_was_granted_over_time_is_revoked(place):
    """What its agent stands to have in that workspace goes with the event that touched one. The twins: where it is only told, and another agent's."""
    d = Decoys(place)
    write(f"{d.home}/asks.yaml", f"version: 1\ngrants:\n- work: {d.tree}\n- {{connect: 'none.test:443', ask: true}}\n")
    grants = ("--policy", f"{d.home}/asks.yaml")
    run = lambda agent, way, source: d.ambit("run", *room_of(place), *grants, "--agent", agent, "--canary", way, "--json", "--", "sh", "-c", source)
    standing = lambda agent: [g["revoked"] for g in json.loads(expect_ok(d.ambit("grant", "list", "--standing", "--json")).stdout)["grants"] if g["agent"] == agent]
    for agent, way, revoked in (("other", "kill", False), ("told", "tell", False), ("gone", "kill", True), ("cold", "freeze", True)):
        source = "cat sub/notes.txt; sleep 5" if revoked else "cat sub/notes.txt" if way == "tell" else "true"
        outcome = json.loads(run(agent, way, source).stdout)["outcome"]
        assert standing(agent) == [revoked] and outcome.get("revoked", 0) == revoked, (agent, standing(agent), outcome)
        result = d.ambit("run", *room_of(place), *grants, "--agent", agent, "--", "true")
        assert (result.returncode == 125 and "was revoked" in result.stderr) == revoked, (agent, told(result))


def a_session_goes_on_or_stands_still(place):
    d = Decoys(place)
    for way, status in (("kill", 0), ("freeze", 125)):
        session = expect_ok(d.ambit("session", "new", "--work", ".", "--canary", way)).stdout.strip()
        try:
            assert d.ambit("run", "--session", session, "--", "sh", "-c", "echo a > made; cat made").returncode == 0
            result = d.ambit("run", "--session", session, "--", "sh", "-c", "cat sub/notes.txt; sleep 20")
            assert result.returncode == 125 and "touched a canary" in result.stderr and result.stdout == "", told(result)
            rows = [json.loads(line) for line in expect_ok(d.ambit("events", session, "--json")).stdout.splitlines()]
            assert rows[-1]["cause"] == "canary" and d.decoy not in json.dumps(rows), rows[-1]
            result = d.ambit("run", "--session", session, "--", "true")
            assert (result.returncode != 0) == (status != 0) and (status == 0 or "frozen" in result.stderr), (way, told(result))
        finally:
            d.ambit("thaw", session)
            d.ambit("session", "end", session)


def code_in_an_interpreter_that_waited(place):
    """It stood before anybody said what it is to run, and knows the canaries of now."""
    d = Decoys(place)
    session = expect_ok(d.ambit("session", "new", "--work", ".")).stdout.strip()
    try:
        for name, status in (("other", 0), ("notes", 125), ("other", 0), ("late", 125)):
            if name == "late":
                expect_ok(d.ambit("canary", "add", "sub/late.txt"))
            result = d.ambit("run", "--session", session, "--python", input=f"open('sub/{name}.txt').read()\nopen('done-{name}', 'w')")
            assert result.returncode == status and os.path.exists(f"{d.tree}/done-{name}") == (status == 0), (name, told(result))
    finally:
        d.ambit("session", "end", session)


def a_sub_agent_ends_its_caller(place):
    """Nobody learns by one what is a decoy. The twin: one that touches none leaves its caller alone."""
    d = Decoys(place)
    call = f"{place.ambit} run -- cat sub/%s.txt; echo went on; sleep %d"
    grants = ("--work", ".", "--delegate", "*", "--run", place.ambit)
    said = d.outcome(call % ("other", 0), grants=grants)
    assert said["cause"] == "exited" and "went on" in said["stdout"] and d.secret[::-1] in said["stdout"], said
    said = d.outcome(call % ("notes", 20), grants=grants)
    assert said["cause"] == "canary" and "went on" not in said["stdout"], said


def no_cell_sees_the_list(place):
    """Not beneath a grant of all that is around it. The twin: what lies beside it is seen."""
    d = Decoys(place)
    os.mkdir(f"{d.state}/beside")
    write(f"{d.state}/beside/file", "seen")
    for grants in (("--read", d.home), ("--work", d.home), ("--direct", "--work", d.home)):
        said = d.outcome(f"cat {d.state}/beside/file; ls {d.state}/canaries; cat {d.list}", grants=grants)
        assert said["exit"] != 0 and "seen" in said["stdout"] and "list" not in said["stdout"] and d.decoy not in said["stdout"], (grants, said)
        said = d.outcome(f"{place.ambit} canary list", grants=(*grants, "--run", place.ambit))
        assert d.decoy not in said["stdout"], said
    with open(d.list, encoding="utf-8") as file:
        assert d.decoy in file.read()
    for verb, object in (("read", f"{d.state}/canaries"), ("write", d.list), ("work", f"{d.state}/canaries")):
        result = d.run("true", grants=(f"--{verb}", object))
        assert result.returncode != 0 and "says which files are canaries" in result.stderr, (verb, told(result))
    expect_ok(d.run("true", grants=("--read", f"{d.state}/beside")))


def no_cell_makes_a_list(place):
    """Where there is none, and all around it may be written. The twin: what lies beside it is made."""
    d = Decoys(place)
    shutil.rmtree(f"{d.state}/canaries")
    for grants in (("--work", d.home), ("--direct", "--work", d.home)):
        d.run(f"mkdir -p {d.state}/canaries; echo x > {d.list}; mv {d.state}/canaries {d.state}/aside; mkdir {d.state}/canaries; echo x > {d.list}; echo > {d.home}/beside", grants=grants)
        assert not os.path.exists(d.list) and os.path.exists(f"{d.home}/beside"), grants
        os.remove(f"{d.home}/beside")
        expect_ok(d.run("true"))


MEMORY = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
class iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
def read(pid):
    here = ctypes.create_string_buffer(8); there = ctypes.create_string_buffer(b"twin", 8)
    n = libc.process_vm_readv(pid, ctypes.byref(iovec(ctypes.addressof(here), 8)), 1, ctypes.byref(iovec(ctypes.addressof(there), 8)), 1, 0)
    return here.raw[:4] if n > 0 else None
def mem(pid):
    try:
        return os.open(f"/proc/{pid}/mem", os.O_RDONLY) >= 0
    except OSError:
        return None
print(read(os.getpid()), mem(os.getpid()), read(1), mem(1))
"""


def nobody_reads_what_the_warden_knows(place):
    """The twin: a program's own memory is read by the same calls."""
    d = Decoys(place)
    said = json.loads(d.ambit("run", "--work", ".", "--json", "--", "python3", "-c", MEMORY).stdout)["output"]["stdout"]["data"]
    assert said.split() in (["b'twin'", "True", "None", "None"], ["None", "True", "None", "None"]), said


def a_decoy_is_a_file_like_others(place):
    """Nothing that a cell can see without touching it differs from a file that is none: what is mounted, whose it is, its attributes, its file system."""
    d = Decoys(place)
    source = "import os, stat\n" \
             "def told(p):\n s = os.lstat(p); return (s.st_mode, s.st_uid, s.st_gid, s.st_nlink, s.st_size, s.st_dev, sorted(os.listxattr(p)), os.access(p, 4))\n" \
             "print(told('sub/notes.txt') == told('sub/other.txt'), told('sub/notes.txt') == told('sub'))\n" \
             "print(*sorted(l.split()[4] for l in open('/proc/self/mountinfo')), os.environ)"
    words = ("run", "--json", "--work", ".", "--", "python3", "-c", source)
    before = json.loads(d.ambit(*words).stdout)["output"]["stdout"]["data"]
    assert before.startswith("True False"), before
    shutil.move(d.list, f"{d.home}/aside")
    after = json.loads(d.ambit(*words).stdout)["output"]["stdout"]["data"]
    assert re.sub(r"e_\w+", "", before) == re.sub(r"e_\w+", "", after), (before, after)


def nothing_is_written_over(place):
    d = Decoys(place)
    os.symlink(f"{d.tree}/nowhere", f"{d.tree}/dangling")
    for path, code in (("sub/other.txt", "sub/other.txt"), ("dangling", "dangling"), ("missing/x", "missing"), ("sub/notes.txt", "a canary lies at")):
        result = d.ambit("canary", "add", path)
        assert result.returncode != 0 and code in result.stderr and "hint" in result.stderr, (path, told(result))
    assert not os.path.lexists(f"{d.tree}/nowhere") and len(d.listed()) == 1
    with open(d.real, encoding="utf-8") as file:
        assert file.read() == d.secret[::-1]


def each_kind_has_its_form_and_place(place):
    d = Decoys(place)
    seen = set()
    for kind in KINDS:
        path = re.match(r"placed: \w+  (.*)\n", expect_ok(d.ambit("canary", "add", "--kind", kind)).stdout)[1]
        with open(path, encoding="utf-8") as file:
            text = file.read()
        assert os.stat(path).st_mode & 0o777 == 0o600 and text not in seen, path
        seen.add(text)
        expect_ok(d.run(f"ls {path}", grants=("--read", d.tree, "--read", d.home)), path)  # a cell is shown it
        want = {"aws": r"\[prod\]\naws_access_key_id = AKIA[A-Z2-7]{16}\naws_secret_access_key = [\w+/]{40}\n", "ssh": r"-----BEGIN OPENSSH PRIVATE KEY-----\n(.{1,70}\n)+-----END OPENSSH PRIVATE KEY-----\n$",
                "env": r"NODE_ENV=production\nDATABASE_URL=postgres://", "token": r"ghp_\w{36}\n$", "file": "admin panel"}[kind]
        assert re.match(want, text), (kind, text)
        if kind == "ssh" and shutil.which("ssh-keygen") and os.geteuid() == 0:  # which wants a name for its user
            expect_ok(subprocess.run(["ssh-keygen", "-y", "-f", path], capture_output=True, text=True, stdin=subprocess.DEVNULL), "ssh-ed25519 ")
    assert {row["kind"] for row in d.listed()} == set(KINDS)


def what_became_of_it_is_listed_and_what_is_no_decoy_stays(place):
    d = Decoys(place)
    expect_ok(d.ambit("canary", "add", "sub/gone"))
    os.remove(f"{d.tree}/sub/gone")
    expect_ok(d.ambit("canary", "add", "sub/mine"))
    os.remove(f"{d.tree}/sub/mine")
    write(f"{d.tree}/sub/mine", "a real file")
    assert [row["state"] for row in d.listed()] == ["there", "gone", "replaced"], d.listed()
    assert "canaries" not in d.outcome("cat sub/mine")  # it is somebody else's by now
    assert d.outcome("cat sub/gone; sleep 20")["canaries"] == [f"{d.tree}/sub/gone"]
    result = d.ambit("canary", "remove", "sub/never")
    assert result.returncode != 0 and "no canary lies at" in result.stderr, told(result)
    expect_ok(d.ambit("canary", "remove", "sub/mine"), "stays")
    expect_ok(d.ambit("canary", "remove", "--all"), "its file was gone")
    assert d.listed() == [] and not os.path.exists(d.decoy) and os.path.exists(f"{d.tree}/sub/mine")
    write(d.decoy, d.secret)
    assert "canaries" not in d.outcome("cat sub/notes.txt")


def a_list_is_bounded_and_a_bad_one_is_refused(place):
    """With its line, and nothing runs. The twin: as it was, all goes on."""
    d = Decoys(place)
    with open(d.list, encoding="utf-8") as file:
        good = file.read()
    line = good.splitlines()[1]
    rows = "".join(line.replace(d.decoy, f"/x/{i}") + "\n" for i in range(63))
    write(d.list, f"{good}{rows}")
    assert len(d.listed()) == 64
    result = d.ambit("canary", "add", "sub/more")
    assert result.returncode != 0 and "there are 64 canaries already" in result.stderr and not os.path.exists(f"{d.tree}/sub/more"), told(result)
    for text, says in ((f"{good}{rows}{line}2\n", "line 66"), ("", "line 1"), ("another\n", "line 1"), (good[:-1], "line 2"), (good + line + "\n", "line 3"), (good.replace(d.decoy, "relative"), "line 2"),
                       (good.replace(d.decoy, "/a/../b"), "line 2"), (good.replace("file ", "file 0"), "line 2"), (good.replace("\nfile", "\nfiles"), "line 2"), (good.replace(d.decoy, "/" + "x" * 1000), "line 2"), (good + "x" * 90000, "longer")):
        write(d.list, text)
        result = d.run("true")
        assert result.returncode == 125 and says in result.stderr, (text[:300], told(result))
        assert d.ambit("canary", "list").returncode != 0 and d.ambit("canary", "add", "sub/more").returncode != 0 and not os.path.exists(f"{d.tree}/sub/more")
    write(d.list, good)
    os.chmod(d.list, 0o644)
    assert d.run("true").returncode != 0
    os.chmod(d.list, 0o600)
    expect_ok(d.run("true"))
    os.rename(d.list, f"{d.list}.aside")
    os.symlink(f"{d.list}.aside", d.list)
    assert d.run("true").returncode != 0


RACE = """
import ctypes, os, threading, time
name = ctypes.create_string_buffer(b"sub/other.txt")
def flip():
    while True:
        name[4:9] = b"notes"
        name[4:9] = b"other"
threading.Thread(target=flip, daemon=True).start()
libc, end = ctypes.CDLL(None), time.time() + 15
while time.time() < end:
    fd = libc.open(name, 0)
    if fd >= 0 and os.read(fd, 9) == SECRET:
        time.sleep(20)
    fd < 0 or os.close(fd)
"""


def in_a_staged_tree_the_kernel_tells(place):
    """Where the eye does not look, or was told another name than the kernel took. The twin: what is none is opened by the same."""
    d = Decoys(place)
    for way in WAYS[:12]:
        said = d.outcome(f"{way}; sleep 20", "--observe", "off")
        assert (said["cause"], said["canaries"], said["workspace"] in ("kept", "untouched")) == ("canary", [d.decoy], True), (way, said)
        assert "canaries" not in d.outcome(f"{way.replace('notes', 'other')}; ls -l sub/notes.txt", "--observe", "off", "--stage"), way
    for secret, cause in ((d.secret[:9], "canary"), (d.secret[::-1][:9], "limit")):
        source = RACE.replace("SECRET", repr(secret.encode()))
        if cause == "limit":
            source = source.replace('b"notes"', 'b"other"')
        record = json.loads(d.ambit("run", "--work", ".", "--json", "--limit", "wall=18s" if cause == "canary" else "wall=2s", "--", "python3", "-c", source).stdout)
        assert record["outcome"]["cause"] == cause, record["outcome"]


def what_is_shown_as_it_is_and_not_observed_is_not_seen(place):
    """As doc/PROFILES.md says: others open that file, too. The twin: what is observed is."""
    d = Decoys(place)
    for level, cause in (("off", "exited"), ("full", "canary")):
        said = d.outcome("cat sub/notes.txt; true", "--observe", level, grants=("--read", "./sub"))
        assert said["cause"] == cause, (level, said)


def an_agent_does_not_take_over_what_touched_one(place):
    """Whatever becomes of what is not usual: the changes of an event that was ended wait for a person. The twin: of one that failed they are the agent's to take over."""
    with serving(place, "--work", ".") as (s, c):
        write(f"{s.tree}/sub/other.txt", "x")
        expect_ok(s.ambit("canary", "add", f"{s.tree}/sub/notes.txt"))
        for name in ("other", "notes"):
            n = data_of(c.call("run", argv=["sh", "-c", f"echo {name} > made; cat sub/{name}.txt; exit 3"]))["n"]
            for tool in ("commit", "discard") if name == "notes" else ("commit",):
                said = text_of(c.call(tool, n=n))
                assert ("touched a canary" in said and "a person" in said) == (name == "notes"), (name, tool, said)
        with open(f"{s.tree}/made", encoding="utf-8") as file:
            assert file.read() == "other\n"
        kept = json.loads(expect_ok(s.ambit("stage", "list", "--kept", "--json")).stdout)
        assert '"canary"' in json.dumps(kept), kept


def who_is_outside_ends_nothing(place):
    """The person opens their own decoy while an event works in the tree."""
    d = Decoys(place)
    for grants in (("--work", "."), ("--direct", "--work", "."), ("--read", ".")):
        run = subprocess.Popen([place.ambit, "run", *room_of(place), *grants, "--", "sh", "-c", "echo there; read x; echo $x"], cwd=d.tree, env={**place.environment(), "HOME": d.home, "XDG_STATE_HOME": f"{d.home}/.local/state"},
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert run.stdout.readline() == "there\n"
        with open(d.decoy, "r+", encoding="utf-8") as file:
            assert file.read() == d.secret
        os.utime(d.decoy)
        out, err = run.communicate("went on\n", timeout=PATIENCE * SLOW)
        assert run.returncode == 0 and out == "went on\n" and "canary" not in err, (grants, out, err)


main([what_opens_one_is_ended_by_whatever_name, it_is_told, a_look_is_none, one_that_is_not_granted_counts, other_names_and_trees_that_are_not_staged, what_moves_with_its_directory_is_touched, what_nobody_may_look_at_is_one_still, the_policy_has_the_word,
      what_touched_one_teaches_nothing, what_touched_one_is_asked_about, what_was_granted_over_time_is_revoked, a_session_goes_on_or_stands_still, code_in_an_interpreter_that_waited, a_sub_agent_ends_its_caller, no_cell_sees_the_list, no_cell_makes_a_list, nobody_reads_what_the_warden_knows,
      a_decoy_is_a_file_like_others, nothing_is_written_over, each_kind_has_its_form_and_place, what_became_of_it_is_listed_and_what_is_no_decoy_stays, a_list_is_bounded_and_a_bad_one_is_refused,
      in_a_staged_tree_the_kernel_tells, what_is_shown_as_it_is_and_not_observed_is_not_seen, an_agent_does_not_take_over_what_touched_one, who_is_outside_ends_nothing])
