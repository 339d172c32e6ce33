#!/usr/bin/env python3
"""`ambit ledger backup`: a copy that is a log at any moment, of a ledger that is being written, and of no other.

usage: ledger_backup.py AMBIT WRITE_LOG LOOK_AROUND    (TAP on standard output; as root once more as an ordinary user)
"""

import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time

import peer
from harness import SLOW, Skip, main, sanitized, told
from ledger_audit import NAME, Ledger
from ledger_payload import Kept

SOAK = int(os.environ.get("AMBIT_SOAK", "1"))


def picture(top):
    """Each file: what is in it, and which it is."""
    found = {}
    for at, _, files in os.walk(top):
        for name in files:
            path = os.path.join(at, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, top)] = (file.read(), os.stat(path).st_ino)
    return found


def back_up(ledger, to, *words, status=0, of=None):
    done = ledger.place.run(ledger.place.ambit, "ledger", "backup", to, "--json", *words, "--ledger", of or ledger.dir, cwd=ledger.place.top)
    assert done.returncode == status, told(done)
    answer = json.loads(done.stdout) if done.stdout else done
    return answer["error"] if status == 125 else answer


def verified(place, to, *words):
    done = place.run(place.ambit, "ledger", "verify", "--json", *words, "--ledger", to, cwd=place.top)
    answer = json.loads(done.stdout)
    assert done.returncode == 0 and answer["verified"] and answer["notes"] == [], told(done)
    return answer


# ---- a copy ----


def a_copy_is_a_log(place):
    ledger, to = Ledger(place).write(70000, "left=20"), f"{place.fresh()}/copy"
    answer = back_up(ledger, to)
    assert answer == {"cosigned": 0, "entries": 69980, "entries_added": 69980, "records": 0, "records_added": 0, "records_bad": 0, "verified": True}, answer
    assert verified(place, to, "--key", ledger.key)["size"] == 69980
    assert os.listdir(to) == ["log"] and sorted(os.listdir(f"{to}/log")) == ["checkpoint", "key.pub", "tile"]
    assert os.stat(to).st_mode & 0o777 == 0o700 and os.stat(f"{to}/log/checkpoint").st_mode & 0o777 == 0o600
    done = place.run(place.ambit, "ledger", "backup", to, "--no-verify", "--ledger", ledger.dir, cwd=place.top)
    assert done.stdout == "69980 entries, 0 of them new; not verified\n", told(done)
    ours, copied = picture(ledger.log), picture(f"{to}/log")
    assert {name: data for name, (data, _) in copied.items()} == {name: ours[name][0] for name in copied}


def what_is_new_is_added(place):
    """And nothing of what was there is written again, but what the edge of the tree wants."""
    ledger, to = Ledger(place).write(1000), f"{place.fresh()}/copy"
    back_up(ledger, to)
    for n in (1, 24, 255, 1, 65000, 300):
        before = picture(f"{to}/log")
        ledger.write(n)
        answer = back_up(ledger, to)
        assert answer["entries_added"] == n and answer["verified"], answer
        after = picture(f"{to}/log")
        full = {name for name in before if ".p/" not in name and name.startswith("tile")}
        assert all(after[name] == before[name] for name in full), n
        assert len([name for name in after if ".p/" in name]) <= 5, sorted(name for name in after if ".p/" in name)  # those of the edge
        assert verified(place, to)["size"] == answer["entries"]


def while_events_run(place):
    """Real ones; each copy is believed, also by the verifier that is not ours, and its records are there."""
    ledger, to = Kept(place), f"{place.fresh()}/copy"
    assert ledger.run("--", "true").returncode == 0
    over, failed = threading.Event(), []

    def runs():
        while not over.is_set():
            if ledger.run("--", "true").returncode != 0:
                failed.append(1)

    threads = [threading.Thread(target=runs) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range((2 if sanitized(place.ambit) else 3) * SOAK):
            time.sleep(random.random())
            answer = back_up(ledger, to)
            told_of = verified(place, to, "--payloads")
            assert told_of["size"] == answer["entries"] and told_of["payloads"]["pruned"] == told_of["payloads"]["lost"] == 0, told_of
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert failed == []
    ledger.entries()
    answer = back_up(ledger, to)
    assert answer["records"] == len(ledger.names()) == verified(place, to, "--payloads")["payloads"]["intact"]
    with open(f"{to}/log/key.pub", encoding="ascii") as file:
        done = place.run(peer.tlog_verify(place), "check", f"{to}/log", file.read().strip(), cwd=place.top)
    assert done.returncode == 0, told(done)
    for path in (os.path.join(at, name) for at, _, names in os.walk(to) for name in names):
        with open(path, "rb") as file:
            assert b"PRIVATE+KEY" not in file.read(), path


def records_are_copied(place):
    ledger, to, bare = Kept(place), f"{place.fresh()}/copy", f"{place.fresh()}/copy"
    for _ in range(3):
        assert ledger.run("--", "true").returncode == 0
    ledger.entries()
    first, second = ledger.names()[:2]
    with open(f"{ledger.payload}/{first}", "ab") as file:
        file.write(b"!")
    os.unlink(f"{ledger.payload}/{second}")
    os.symlink("/etc/passwd", f"{ledger.payload}/{second}")
    os.mkdir(f"{ledger.payload}/{'f' * 64}")
    with open(f"{ledger.payload}/strange", "wb"):
        pass
    answer = back_up(ledger, to)
    assert (answer["records"], answer["records_added"], answer["records_bad"]) == (4, 1, 3), answer
    assert len(os.listdir(f"{to}/payload")) == 1 and answer["verified"]
    assert back_up(ledger, bare, "--no-payloads")["records"] == 0 and os.listdir(bare) == ["log"]
    kept = os.listdir(f"{to}/payload")[0]
    os.truncate(f"{to}/payload/{kept}", 0)  # as a loss of power leaves it
    assert back_up(ledger, to)["records_added"] == 1 and os.path.getsize(f"{to}/payload/{kept}") > 100
    os.unlink(f"{ledger.payload}/{kept}")  # what is pruned in the ledger stays in its copy
    back_up(ledger, to)
    assert os.listdir(f"{to}/payload") == [kept]


# ---- and no other ----


def what_is_no_copy_of_it_is_left_alone(place):
    ledger, other, to = Ledger(place).write(900), Ledger(place).write(300, name=NAME + "2"), f"{place.fresh()}/copy"
    back_up(ledger, to)
    before = picture(to)
    assert "copy of another log" in back_up(other, to, status=125)["message"]
    shutil.rmtree(ledger.log)
    ledger.write(400)
    assert "the copy has 900 entries, and the ledger 400" in back_up(ledger, to, status=125)["message"]  # put back to an older state
    ledger.write(800)
    assert verified(place, ledger.dir)["size"] == 1200
    shutil.rmtree(ledger.log)
    ledger.write(1500, "salt=rewritten")
    answer = back_up(ledger, to, status=125)
    assert "other entries than the ledger begins with" in answer["message"] and "rewritten" in answer["hint"], answer
    assert picture(to) == before
    for make in (lambda at: open(f"{at}/notes", "w").close(), lambda at: (os.mkdir(f"{at}/log"), open(f"{at}/log/journal", "w").close()),
                 lambda at: os.symlink("/tmp", f"{at}/log"), lambda at: (os.mkdir(f"{at}/log"), open(f"{at}/log/mine", "w").close())):
        at = place.fresh()
        make(at)
        names = sorted(os.listdir(at))
        assert "something else than a copy" in back_up(ledger, at, status=125)["message"]
        assert sorted(os.listdir(at)) == names
    for at in (ledger.dir, f"{ledger.dir}/copy", f"{ledger.dir}/log/copy", os.path.dirname(ledger.dir)):
        assert "does not lie in the ledger" in back_up(ledger, at, status=125)["message"], at
    assert sorted(os.listdir(ledger.dir)) == ["log"]
    assert "cannot make" in back_up(ledger, "/nowhere/at/all", status=125)["message"]


def a_damaged_ledger_damages_no_copy(place):
    ledger, to = Ledger(place).write(900), f"{place.fresh()}/copy"
    back_up(ledger, to)
    before = picture(to)
    ledger.write(900)
    keep = ledger.get("tile/entries/005")
    os.unlink(ledger.path("tile/entries/005"))
    assert "cannot read tile/entries/005" in back_up(ledger, to, status=125)["message"]
    assert verified_size(place, to) == 900 and {name: picture(to)[name] for name in before} == before
    ledger.put("tile/entries/005", keep[:-1] + b"?")
    assert "the ledger is not what was signed" in back_up(ledger, to, status=125)["message"]
    assert verified_size(place, to) == 900
    ledger.put("tile/entries/005", keep)
    back_up(ledger, to)
    with open(f"{to}/log/tile/entries/005", "r+b") as file:
        file.write(keep[:-1] + b"?")
    done = place.run(place.ambit, "ledger", "backup", to, "--ledger", ledger.dir, cwd=place.top)
    assert done.returncode == 1 and "the copy is not what was signed" in done.stderr and done.stdout == "", told(done)
    ledger.change("checkpoint", lambda data: data[:-8] + b"AAAAAAA\n")
    assert "is not signed by" in back_up(ledger, f"{place.fresh()}/copy", status=125)["message"]


def a_changed_ledger_spoils_no_copy(place):
    """What is new is looked at before the checkpoint that covers it takes the place of the old one."""
    ways = {"an entry": ("tile/entries/003", 900), "a hash of an entry": ("tile/0/003", 33), "a hash of a tile": ("tile/1/000.p/3", 70),
            "an entry at the edge": ("tile/entries/003.p/132", 900), "the edge": ("tile/0/003.p/132", 33)}
    for what, (file, at) in ways.items():
        ledger, to = Ledger(place).write(700), f"{place.fresh()}/copy"
        back_up(ledger, to)
        ledger.write(900 - 700 if "edge" in what else 1000)
        if not os.path.exists(ledger.path(file)):
            file = max((name for name in picture(ledger.log) if name.startswith(os.path.dirname(file) + "/")), key=lambda name: int(name.split("/")[-1]))
        before, good = picture(f"{to}/log/tile"), verified(place, to)["size"]
        ledger.change(file, lambda data, at=at: data[:at % len(data)] + bytes([data[at % len(data)] ^ 1]) + data[at % len(data) + 1 :])
        done = ledger.run("backup", to)
        assert done.returncode == 125 and "the ledger is not what was signed" in done.stderr, f"{what}: {told(done)}"
        done = place.run(place.ambit, "ledger", "verify", "--json", "--key", ledger.key, "--ledger", to, cwd=place.top)
        assert done.returncode == 0 and json.loads(done.stdout)["size"] == good, f"{what}: {told(done)}"
        after = picture(f"{to}/log/tile")
        assert all(after[name] == before[name] for name in before), what


def what_a_copy_has_is_not_written_again(place):
    """Not at the edge either: whoever is killed while it is written has spoiled what the copy's own checkpoint covers."""
    ledger, to = Ledger(place).write(300), f"{place.fresh()}/copy"
    back_up(ledger, to)
    times = {name: os.stat(f"{to}/log/{name}").st_mtime_ns for name in picture(f"{to}/log") if name.startswith("tile")}
    back_up(ledger, to)
    assert times == {name: os.stat(f"{to}/log/{name}").st_mtime_ns for name in times}, "a copy to which nothing was added was written"
    assert "tile/1/000.p/1" in times
    ledger.write(50)
    back_up(ledger, to)
    assert times["tile/1/000.p/1"] == os.stat(f"{to}/log/tile/1/000.p/1").st_mtime_ns, "a tile of the old state was written"


def verified_size(place, to):
    done = place.run(place.ambit, "ledger", "verify", "--json", "--ledger", to, cwd=place.top)
    answer = json.loads(done.stdout)
    assert done.returncode == 0 and answer["verified"], told(done)  # tiles behind the checkpoint are remarks
    return answer["size"]


# ---- death, and a full disk ----


def killed_at_any_time_it_is_a_log(place):
    """The older state or the newer one; the first time none, or the first."""
    ledger, to = Ledger(place).write(9000), f"{place.fresh()}/copy"
    started = time.monotonic()
    back_up(ledger, f"{place.fresh()}/copy", "--no-verify")
    took, sizes = time.monotonic() - started, {9000}
    for turn in range((4 if sanitized(place.ambit) else 8) * SOAK):
        with subprocess.Popen([place.ambit, "ledger", "backup", to, "--no-verify", "--ledger", ledger.dir], env=place.environment(),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(random.random() * took)
            process.send_signal(signal.SIGKILL)
        deadline = time.monotonic() + 20 * SLOW
        while True:  # the role goes a moment later
            try:
                if os.path.exists(f"{to}/log/checkpoint"):
                    assert verified_size(place, to) in sizes, (turn, sizes)
                break
            except AssertionError:
                assert time.monotonic() < deadline
        if turn % 4 == 3:
            ledger.write(1000)
            sizes.add(max(sizes) + 1000)
    assert back_up(ledger, to)["verified"] and verified(place, to)


def a_full_disk_keeps_what_was_there(place):
    if os.geteuid() != 0:
        raise Skip("only root may mount a small file system")
    ledger, at = Ledger(place).write(500), place.fresh()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k,mode=0700", "small", at], check=True)
    try:
        back_up(ledger, at)
        ledger.write(20000)
        answer = back_up(ledger, at, status=125)
        assert answer["code"] == "LIMIT" and "cannot write the copy" in answer["message"], answer
        assert verified_size(place, at) == 500
    finally:
        subprocess.run(["umount", "-l", at], check=True)


def two_do_not_copy_to_one_place(place):
    ledger, to = Ledger(place).write(120000), f"{place.fresh()}/copy"
    with subprocess.Popen([place.ambit, "ledger", "backup", to, "--ledger", ledger.dir], env=place.environment(), stdout=subprocess.DEVNULL) as first:
        while not os.path.exists(f"{to}/log"):
            time.sleep(0.005)
        answer = back_up(ledger, to, status=125)
        assert answer["code"] == "CONFLICT" and "wait until the other copy is done" in answer["hint"], answer
        assert first.wait(timeout=60 * SLOW) == 0
    assert verified(place, to)


# ---- the cell ----


def the_role_sees_its_places(place):
    if sanitized(place.ambit):
        raise Skip("the roles of a sanitizer's build see the system")
    ledger, to = Ledger(place).write(20), place.fresh()
    bin = os.path.join(place.fresh(), "bin")
    shutil.copytree(os.path.dirname(place.ambit), bin, ignore=lambda at, names: [name for name in names if os.path.isdir(os.path.join(at, name))])
    os.unlink(f"{bin}/ambit-backup")
    shutil.copy(place.given(2), f"{bin}/ambit-backup")
    with open(f"{ledger.dir}/ledger.key", "w", encoding="ascii"):
        pass
    done = place.run(f"{bin}/ambit", "ledger", "backup", to, "--ledger", ledger.dir, cwd=place.top)
    lines = done.stdout.splitlines()
    assert lines[0] == "looks around", told(done)
    seen = [line[5:] for line in lines if line.startswith("sees ")]
    around = {path for path in seen if not any(path == top or path.startswith(top + "/") for top in (ledger.log, to))}
    assert around <= {"/parser"}, sorted(around)
    assert f"{ledger.log}/checkpoint" in seen and {line[7:] for line in lines if line.startswith("writes ")} == {to}, lines
    assert not any(line.startswith(("has", "starts")) for line in lines), lines
    outside = place.run(place.given(2), cwd=place.top, input=f"\0{ledger.log}\0").stdout.splitlines()
    assert f"sees {ledger.dir}/ledger.key" in outside and f"writes {ledger.dir}" in outside and "starts a process" in outside


if __name__ == "__main__":
    main([peer.the_verifier_is_there, a_copy_is_a_log, what_is_new_is_added, while_events_run, records_are_copied, what_is_no_copy_of_it_is_left_alone,
          a_damaged_ledger_damages_no_copy, a_changed_ledger_spoils_no_copy, what_a_copy_has_is_not_written_again, killed_at_any_time_it_is_a_log, a_full_disk_keeps_what_was_there, two_do_not_copy_to_one_place,
          the_role_sees_its_places])
