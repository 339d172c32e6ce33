#!/usr/bin/env python3
"""Captures what TLS clients send first: capture_hellos.py > tests/unit/hello_vectors.h

Each client is told to connect to a port of this machine, where nobody answers, in the belief that api.example.com is there. What has no
program of its own here (Go, Java) is compiled for it. A client that is not installed is named on standard error and left out. Keys and
random numbers are the client's own of that moment; nothing else in a hello is of the machine that it was captured on."""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile

NAME = "api.example.com"

GO = """package main
import ("crypto/tls"; "os")
func main() { tls.Dial("tcp", os.Args[1], &tls.Config{ServerName: "%s"}) }
""" % NAME
JAVA = """import javax.net.ssl.*;
import java.util.List;
class Hello { public static void main(String[] a) throws Exception {
  SSLSocket s = (SSLSocket) SSLSocketFactory.getDefault().createSocket("127.0.0.1", Integer.parseInt(a[0]));
  SSLParameters p = s.getSSLParameters();
  p.setServerNames(List.of(new SNIHostName("%s")));
  s.setSSLParameters(p);
  s.startHandshake(); } }
""" % NAME
NODE = "require('tls').connect({host: '127.0.0.1', port: %%d, servername: '%s'}).on('error', () => {})" % NAME

# A name for the table, the name that is asked for, and the command: {} is the port, {d} an empty directory with hello.go and Hello.java.
CLIENTS = [
    ("openssl s_client", NAME, ["openssl", "s_client", "-connect", "127.0.0.1:{}", "-servername", NAME]),
    ("openssl s_client, TLS 1.2", NAME, ["openssl", "s_client", "-tls1_2", "-connect", "127.0.0.1:{}", "-servername", NAME]),
    ("openssl s_client, no name", None, ["openssl", "s_client", "-noservername", "-connect", "127.0.0.1:{}"]),
    ("curl", NAME, ["curl", "-s", "--resolve", NAME + ":{}:127.0.0.1", f"https://{NAME}:{{}}/"]),
    ("gnutls-cli", NAME, ["gnutls-cli", "--insecure", "--sni-hostname", NAME, "-p", "{}", "127.0.0.1"]),
    ("NSS tstclnt", NAME, ["tstclnt", "-D", "-4", "-h", "127.0.0.1", "-p", "{}", "-a", NAME]),
    ("node", NAME, ["node", "-e", NODE.replace("%d", "{}")]),
    ("Go", NAME, ["go", "run", "{d}/hello.go", "127.0.0.1:{}"]),
    ("Java", NAME, ["java", "{d}/Hello.java", "{}"]),
    ("Chromium", NAME, ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir={d}/chromium",
                        f"--host-resolver-rules=MAP {NAME} 127.0.0.1,EXCLUDE localhost", "--disable-background-networking",
                        f"https://{NAME}:{{}}/"]),
]


def whole(data):
    """Whether the handshake message in these records is there to its end."""
    message = b""
    while len(data) >= 5 and len(data) >= 5 + int.from_bytes(data[3:5], "big"):
        end = 5 + int.from_bytes(data[3:5], "big")
        message, data = message + data[5:end], data[end:]
    return len(message) >= 4 and len(message) == 4 + int.from_bytes(message[1:4], "big") and not data


def sent(command, directory):
    """The first bytes of a program that connects."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        words = [w.replace("{d}", directory).replace("{}", str(port)) for w in command]
        client = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  start_new_session=True, cwd=directory)
        try:
            listener.settimeout(60)
            data = b""
            with listener.accept()[0] as connection:
                connection.settimeout(10)
                while not whole(data):
                    more = connection.recv(65536)
                    if not more:
                        sys.exit(f"{command[0]}: ended with {data.hex()}")
                    data += more
            return data
        finally:
            os.killpg(client.pid, signal.SIGKILL)
            client.wait()


def of_python(name, **settings):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    alpn = settings.pop("alpn", None)
    for attribute, value in settings.items():
        setattr(context, attribute, value)
    if alpn:
        context.set_alpn_protocols(alpn)
    context.check_hostname = False
    out = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def hellos():
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        for name, text in ("hello.go", GO), ("Hello.java", JAVA):
            with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
                file.write(text)
        for title, name, command in CLIENTS:
            if shutil.which(command[0]) is None:
                print(f"{title}: not here", file=sys.stderr)
                continue
            yield title, name, sent(command, directory)
    yield "Python", NAME, of_python(NAME, alpn=["h2", "http/1.1"])
    yield "Python, capitals", NAME, of_python("API.Example.COM")
    yield "Python, an address", None, of_python("192.0.2.7")
    yield "Python, TLS 1.2", NAME, of_python(NAME, maximum_version=ssl.TLSVersion.TLSv1_2)


print("""/* hello_vectors - what TLS clients send first, for the tests of src/net. Used by tests alone; made by tests/tools/capture_hellos.py. */
#ifndef UNIT_HELLO_VECTORS_H
#define UNIT_HELLO_VECTORS_H

#include <stdbool.h>

static const struct {
	const char *client;
	const char *name;  /* NULL: it asks for none */
	bool ech;          /* it has that extension */
	const char *bytes; /* as octets.h has them */
} hello_vectors[] = {""")
for title, name, data in hellos():
    print(f'\t{{ "{title}", {chr(34) + name + chr(34) if name else "NULL"}, {"true" if title == "Chromium" else "false"},')
    lines = re.findall(".{1,104}", data.hex())
    print("\n".join(f'\t  "{line}"' for line in lines), "},")
print("""};

#endif""")
