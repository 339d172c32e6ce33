#!/usr/bin/env python3
"""Where a cell with authorities of its own has them, and that it keeps them. What programs make of it is in http_clients.py.

usage: trust.py AMBIT TRUSTING    (TAP on standard output; as root again as an ordinary user)
"""

import os
import subprocess
import sys

from harness import Skip, main, need

TRUSTING = []
PLACES = {"bundle": "/etc/ssl/certs/ca-certificates.crt", "java": "/etc/ssl/certs/java/cacerts"}


def need_place(path):
    if not os.path.exists(path):
        raise Skip(f"there is no {path}")


def openssl(*words, cwd):
    subprocess.run(["openssl", *words], cwd=cwd, check=True, capture_output=True)


def authority(place):
    """Its certificate: nothing is signed by it."""
    work = place.fresh()
    TRUSTING[:] = [place.given(1)]
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-keyout", "ca.key", "-out", "ca.pem",
            "-subj", "/CN=of the event", "-addext", "keyUsage=critical,keyCertSign", cwd=work)
    return work


def trusting(work, *words, trusted=True):
    own = ("-a", f"{work}/ca.pem") if trusted else ()
    result = subprocess.run([TRUSTING[0], *own, "-r", work, *words], capture_output=True, text=True, timeout=300)
    assert result.returncode != 125, result.stderr
    return result


def the_hosts_are_trusted_as_before(place):
    need("openssl")
    need_place(PLACES["bundle"])
    work = authority(place)
    with open(PLACES["bundle"]) as f:
        host = f.read().count("BEGIN CERTIFICATE")
    count = trusting(work, "sh", "-c", f"grep -c 'BEGIN CERTIFICATE' /.ambit-trust/* {PLACES['bundle']}; cmp {PLACES['bundle']} $SSL_CERT_FILE")
    assert count.returncode == 0, count.stdout + count.stderr
    rows = dict(line.rsplit(":", 1) for line in count.stdout.splitlines())
    assert rows["/.ambit-trust/ca.crt"] == "1", rows
    assert rows[PLACES["bundle"]] == rows["/.ambit-trust/ca-bundle.crt"] == str(host + 1), rows
    # and a cell without authorities is as ever
    plain = trusting(work, "sh", "-c", f"ls -d /.ambit-trust; grep -c 'BEGIN CERTIFICATE' {PLACES['bundle']}; echo \"[$SSL_CERT_FILE]\"", trusted=False)
    assert plain.stdout.split() == [str(host), "[]"], plain.stdout


def java_reads_the_keystore(place):
    need("openssl", "keytool")
    need_place(PLACES["java"])
    work = authority(place)
    got = trusting(work, "keytool", "-list", "-rfc", "-storepass", "changeit", "-keystore", "/.ambit-trust/cacerts")
    assert got.returncode == 0, got.stdout + got.stderr
    with open(f"{work}/ca.pem") as f:
        own = f.read()
    read = lambda text: {"".join(part.split("-----END")[0].split()) for part in text.split("CERTIFICATE-----\n")[1:] if "-----END" in part}
    bundle = trusting(work, "cat", "/.ambit-trust/ca-bundle.crt").stdout
    assert read(own) < read(bundle) or read(own) == read(bundle), "the event's own is not in the bundle"
    assert read(got.stdout) == read(bundle), "the keystore has others than the bundle"


def nothing_in_the_cell_changes_them(place):
    need("openssl")
    work = authority(place)
    for line in ("echo x >>/.ambit-trust/ca.crt", "rm -f /.ambit-trust/ca.crt", "mv /.ambit-trust /.other", "echo x >/.ambit-trust/new",
                 "chmod 777 /.ambit-trust/ca.crt", f"echo x >>{PLACES['bundle']}"):
        got = trusting(work, "sh", "-c", line)
        assert got.returncode != 0, line
    assert trusting(work, "sh", "-c", "test -r /.ambit-trust/ca.crt && echo x >/tmp/twin").returncode == 0


def other_shapes_of_cells_have_them_too(place):
    need("openssl")
    need_place(PLACES["bundle"])
    work = authority(place)
    count = ("sh", "-c", f"grep -c BEGIN /.ambit-trust/ca.crt; grep -q BEGIN {PLACES['bundle']} && cmp {PLACES['bundle']} $SSL_CERT_FILE")
    usr = ("-m", "-r", "/usr")
    for words, same in (((), True), (("-r", "/etc"), True), (("-r", "/run"), True), ((*usr, "-r", PLACES["bundle"]), True), (usr, False),
                        ((*usr, "-r", "/etc/ssl"), True)):
        if any(not os.path.exists(w) for w in words if w.startswith("/")):
            continue
        got = trusting(work, *words, *count)
        assert got.stdout.strip() == "1" and (got.returncode == 0) == same, f"{words}: {got.stdout}{got.stderr}"


if __name__ == "__main__":
    main([the_hosts_are_trusted_as_before, java_reads_the_keystore, nothing_in_the_cell_changes_them, other_shapes_of_cells_have_them_too])
