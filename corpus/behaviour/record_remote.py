#!/usr/bin/env python3
"""What the corpus has nothing of, and each agent does: git over HTTP and HTTPS, which starts programs of its own. For seeds alone (seeds.py): no attacks, and no part that is unseen.

    record_remote.py --ambit build/ambit --out DIR     as root, since its server has the ports 80 and 443 of an address of loopback"""

import argparse
import functools
import http.server
import json
import lzma
import os
import ssl
import subprocess
import tempfile
import threading
import types

from cells import World, give

EVENTS = 4
ADDRESS = "127.77.0.1"
# A task is a session: what is run, in a shell or by itself; URL is the remote's, `near` a clone of it.
TASKS = {
    "clone": ("bash", "git clone -q URL got && ls got"), "clone_shallow": ("bash", "git clone -q URL got; cd got; git log --oneline | head -3"), "fetch": ("bash", "cd near && git fetch -q && git status -s"),
    "pull": ("bash", "cd near && git pull -q --ff-only; git log -1"), "look": ("bash", "git ls-remote URL"), "clone_itself": ("git", "clone -q URL got"), "look_itself": ("git", "ls-remote URL"), "fetch_itself": ("git", "-C near fetch -q"),
}


def serve(top):
    handler = functools.partial(type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None}), directory=top)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{top}/key", "-out", f"{top}/cert", "-days", "30", "-subj", f"/CN={ADDRESS}", "-addext", f"subjectAltName=IP:{ADDRESS}"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{top}/cert", f"{top}/key")
    for port in 80, 443:
        server = http.server.ThreadingHTTPServer((ADDRESS, port), handler)
        server.daemon_threads = True
        if port == 443:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()


def event(recorder, task, scheme, number):
    w = World(recorder, f"remote/{task}/{scheme}/{number}")
    w.tool = "git"
    name = f"{scheme}{number}{task}.git"
    bare, url = f"{recorder.top}/{name}", f"{scheme}://{ADDRESS}/{name}"
    for i in range(1 + number % 4):
        w.file(f"made/{w.grown.word()}{i}.txt", w.grown.word() * (i + 1))
    for words in (["git", "init", "-q", "made"], ["git", "-C", "made", "add", "-A"], ["git", "-C", "made", "commit", "-qm", "one"], ["git", "clone", "-q", "--bare", "made", "near.git"]):
        w.outside(*words)
    os.rename(f"{w.work}/near.git", bare)
    subprocess.run(["git", "-c", "safe.directory=*", "-C", bare, "update-server-info"], check=True)
    subprocess.run(["chmod", "-R", "a+rX", bare], check=True)
    w.outside("git", "clone", "-q", bare, "near")
    w.outside("git", "-C", "near", "remote", "set-url", "origin", url)
    w.env["GIT_SSL_NO_VERIFY"] = "1"
    w.grant("--connect", f"{ADDRESS}:{443 if scheme == 'https' else 80}")
    for decoy in (".netrc", ".git-credentials", ".bashrc", ".npmrc") if number % 2 == 0 else ():  # few homes have them
        os.remove(os.path.join(w.home, decoy))
    program, words = TASKS[task]
    words = words.replace("URL", url)
    ran = w.run(["bash", "-c", words] if program == "bash" else ["git", *words.split()])
    w.gone()
    subprocess.run(["rm", "-rf", bare], check=True)
    assert ran.record["outcome"]["exit"] == 0, (task, ran.err)
    return ran


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ambit", required=True)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as top:
        os.chmod(top, 0o755)
        recorder = types.SimpleNamespace(ambit=os.path.abspath(options.ambit), top=top, listeners=None)
        serve(top)
        give(top)
        lines, events = [], []
        for task in TASKS:
            for number in range(EVENTS):
                ran = event(recorder, task, ("http", "https")[number // 2 % 2], number)
                lines.append(f"benign\tgit\t{ran.facts}\t{ran.symbols}\n")
                events.append(json.dumps({"id": f"git_remote.learned:{len(lines)}", "tool": "git_remote", "task": task, "variant": number, "part": "learned", "label": "benign", "amounts": ran.amounts()}, separators=(",", ":")) + "\n")
    for ending, text in (("txt", lines), ("jsonl", events)):
        with lzma.open(os.path.join(options.out, f"git_remote.learned.{ending}.xz"), "wt", encoding="ascii") as file:
            file.writelines(text)


if __name__ == "__main__":
    main()
