#!/usr/bin/env python3
"""What a server of OpenSSL reads of a hello is what src/net reads of it, or src/net refuses it: check_hello.py HELLO_SAY

Hellos of OpenSSL's own client are changed at random, in their bits and in their structure. Where the server came so far that it has a
name, or knows that it was given none, hello_say must say the same, or that the hello is malformed."""

import os
import random
import ssl
import subprocess
import sys
import warnings

MORE, NOT_TLS, DONE, MALFORMED = range(4)
NAMES = ["api.example.com", "API.Example.COM", "a.example.", "192.0.2.7", "a.example\0", "*.example", "a", "a b", "-a.example", ""]
SEED = int(os.environ.get("AMBIT_SEED", "20250"))
ROUNDS = 1500 * int(os.environ.get("AMBIT_SOAK", "1"))

warnings.simplefilter("ignore", DeprecationWarning)  # of old versions, which are asked for on purpose
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.minimum_version = ssl.TLSVersion.TLSv1
seen = []
server.sni_callback = lambda _connection, name, _context: seen.append(name)
sys.unraisablehook = lambda _: seen.append("what is no ASCII")


def server_reads(data):
    """A list of the names it came to: empty if it refused the hello, or waits for more."""
    seen.clear()
    incoming = ssl.MemoryBIO()
    incoming.write(data)
    try:
        server.wrap_bio(incoming, ssl.MemoryBIO(), server_side=True).do_handshake()
    except ssl.SSLError:
        pass
    return list(seen)


def vector(width, content):
    return len(content).to_bytes(width, "big") + content


def of_client(tls12):
    """The parts of the client's own hello: all before the extensions, and those, each as (type, content)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if tls12:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    out = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="api.example.com").do_handshake()
    except ssl.SSLWantReadError:
        pass
    body = out.read()[9:]
    at = 34
    for width in 1, 2, 1:
        at += width + int.from_bytes(body[at:at + width], "big")
    fields, block, extensions = body[:at], body[at + 2:], []
    while block:
        n = int.from_bytes(block[2:4], "big")
        extensions.append((block[:2], block[4:4 + n]))
        block = block[4 + n:]
    return fields, extensions


def server_name(r):
    """The content of the extension: now and then not what it should be."""
    def entry():
        return bytes([r.choice([0] * 12 + [1])]) + vector(2, r.choice(NAMES[:2] * 10 + NAMES).encode())

    names = b"".join(entry() for _ in range(r.choice([1] * 12 + [0, 2])))
    listed = (len(names) + r.choice([0] * 20 + [-1, 1])).to_bytes(2, "big", signed=True) + names
    return listed + b"\0" * r.choice([0] * 20 + [1])


def records(r, message):
    """The message in one record or more, with something else before it or within, now and then."""
    out = b""
    other = [b"", b"\x15\3\1\0\2\1\0", b"\x16\3\1\0\0", b"\x14\3\3\0\1\1"]
    cuts = sorted(r.randrange(1, len(message)) for _ in range(r.choice([0, 0, 1, 3])))
    for start, end in zip([0, *cuts], [*cuts, len(message)]):
        out += r.choice(other[:1] * 40 + other)
        out += bytes([22, r.choice([3] * 100 + [2, 0, 4]), r.choice([1, 1, 3, 3, 0, 4])]) + vector(2, message[start:end])
    return out


def hello(r):
    fields, extensions = of_client(r.random() < 0.3)
    extensions = [(kind, server_name(r) if kind == b"\0\0" else content) for kind, content in extensions]
    for _ in range(r.choice([0, 0, 0, 0, 0, 1, 2])):
        change = r.randrange(4)
        if change == 0:
            extensions.insert(r.randrange(len(extensions) + 1), r.choice(extensions))
        elif change == 1:
            del extensions[r.randrange(len(extensions))]
        elif change == 2:
            extensions.insert(r.randrange(len(extensions) + 1), (r.choice([b"\0\0", b"\0\x29", b"\xfe\x0d"]), server_name(r)))
        else:
            r.shuffle(extensions)
        if not extensions:
            break
    block = vector(2, b"".join(kind + vector(2, content) for kind, content in extensions))
    body = fields + r.choice([block] * 20 + [b"", block + b"\0", b"\0\0"])
    data = bytearray(records(r, b"\1" + vector(3, body) + r.choice([b""] * 20 + [b"\0"])))
    for _ in range(r.choice([0, 0, 0, 0, 0, 1, 2])):
        data[r.randrange(len(data))] ^= 1 << r.randrange(8)
    return bytes(data)


def of_ssl2(r):
    """A hello as SSL 2 had it, of TLS 1.2."""
    suites = b"\0\x2f\0\x35\0\xff\xc0\x2f\xc0\x30"
    suites = b"".join(b"\0" + suites[i:i + 2] for i in range(0, len(suites), 2))
    body = b"\1\3\3" + len(suites).to_bytes(2, "big") + b"\0\0\0\x20" + suites + r.randbytes(32)
    return (0x8000 | len(body)).to_bytes(2, "big") + body


cases = []
for number in range(ROUNDS):
    r = random.Random(SEED + number)
    cases.append(of_ssl2(r) if number % 100 == 0 else hello(r))
said = subprocess.run([sys.argv[1]], input="".join(data.hex() + "\n" for data in cases), capture_output=True, text=True, check=True)
same = refused = wrong = unread = 0
for number, (data, line) in enumerate(zip(cases, said.stdout.splitlines(), strict=True)):
    state, name = line.split(" ")
    names = [given.lower() if given is not None else "-" for given in server_reads(data)]
    if not names:
        unread += 1
    elif int(state) == MALFORMED:
        refused += 1
    elif int(state) == DONE and all(given == name for given in names):
        same += 1
    else:
        wrong += 1
        print(f"# AMBIT_SEED={SEED + number}: the server has {names}, hello_say '{line}', of {data.hex()}")
print("1..2")
print("not ok" if wrong else "ok", "1 - what the server reads is read, or refused")
# Each kind is there in numbers, or nothing was compared.
print("ok" if min(same, refused, unread) > ROUNDS // 10 else "not ok",
      f"2 - {same} are the same, {refused} are refused here, {unread} there")
