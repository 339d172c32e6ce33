#!/usr/bin/python3
"""What rules cost, beside requests that are sent without them, in turns.

    rules.py AMBIT PEER [ROUNDS [COMMAND...]]

PEER is bench/http_peer: its server is on the host's loopback, and its client asks bare, and by `--connect "127.0.0.1:PORT http='GET /**'"` from a cell. The authority
is this run's, told to Ambit by SSL_CERT_FILE. COMMAND is put before every other, to run it as another user. Time of processors and memory are of the role
that judges, which only root may read."""
import ctypes
import os
import statistics
import subprocess
import sys
import tempfile
import time

from work import PR_SET_CHILD_SUBREAPER, figure, in_turns

REQUESTS, CONNECTIONS, SENDERS, MUCH = 2000, 200, 8, 1 << 30
TARGET_REQUEST_US, TARGET_CONNECTION, TARGET_RATE, TARGET_GROWTH = 400, 1, 1000, 1


def certificates(at):
    openssl = ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    subprocess.run([*openssl, '-out', 'ca.pem', '-keyout', 'ca.key', '-subj', '/CN=Bench', '-addext', 'keyUsage=critical,keyCertSign'], cwd=at, check=True, capture_output=True)
    subprocess.run([*openssl, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-out', 'cert.pem', '-keyout', 'cert.key', '-subj', '/CN=peer', '-addext', 'subjectAltName=IP:127.0.0.1',
                    '-addext', 'basicConstraints=critical,CA:false'], cwd=at, check=True, capture_output=True)
    for name in ('', 'ca.pem', 'cert.pem', 'cert.key'):
        os.chmod(os.path.join(at, name), 0o755)


def ours(name):
    """Those of the roles of this name that are beneath this process."""
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/comm', encoding='utf-8') as file:
                if file.read().strip() != name:
                    continue
            above = int(pid)
            while above > 1 and above != os.getpid():
                with open(f'/proc/{above}/stat', encoding='utf-8', errors='replace') as file:
                    above = int(file.read().rsplit(')', 1)[1].split()[1])
            if above == os.getpid():
                found.append(int(pid))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def pss(pid):
    with open(f'/proc/{pid}/smaps_rollup', encoding='utf-8') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('Pss:')) / 1024


def processor_s(pid):
    with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as file:
        words = file.read().rsplit(')', 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf('SC_CLK_TCK')


class Bench:
    def __init__(self, ambit, peer, port, at, before):
        self.ambit, self.peer, self.port, self.ca, self.before = ambit, peer, port, f'{at}/ca.pem', before
        self.bundle = '/etc/ssl/certs/ca-certificates.crt' if os.path.exists('/etc/ssl/certs/ca-certificates.crt') else self.ca
        with open(self.bundle, encoding='utf-8') as file:
            self.authorities = file.read().count('BEGIN CERTIFICATE')

    def command(self, cell, words, after=''):
        """after: what a shell does when it is done, in the cell."""
        inside = [self.peer, words[0], '/.ambit-trust/ca.crt' if cell else self.ca, self.port, *map(str, words[1:])]
        if after:
            inside = ['sh', '-c', f'"$@"; {after}', 'sh', *inside]
        if not cell:
            return [*self.before, *inside]
        return [*self.before, 'env', f'SSL_CERT_FILE={self.ca}', self.ambit, 'run', '--connect', f"127.0.0.1:{self.port} http='GET /**'", '--run', self.peer, '--', *inside]

    def told(self, cell, *words):
        done = subprocess.run(self.command(cell, words), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f'rules: {words} failed: {done.stderr}')
        return [float(word) for word in done.stdout.split()]

    def in_turns(self, rounds, *words):
        return in_turns(rounds, lambda cell: self.told(cell, *words))

    def held(self, *words):
        """Its figures, and of the role that judges (seconds of a processor, MiB), once it is done and before it ends. None: not ours to read."""
        child = subprocess.Popen(self.command(True, words, 'echo; cat >/dev/null'), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        figures = [float(word) for word in child.stdout.readline().split()]
        role = None
        try:
            role = next(((processor_s(pid), pss(pid)) for pid in ours('ambit-http')), None)
        except PermissionError:
            pass
        child.stdin.close()
        child.wait()
        return figures, role


def median(values):
    return statistics.median(list(values))


def requests(bench, rounds):
    pairs = bench.in_turns(rounds, 'requests', REQUESTS)
    bare, cell = (median(pair[i][0] for pair in pairs) for i in (0, 1))
    print(f'a request on a connection that is used again: bare {bare:.0f} us, judged {cell:.0f} us; 99 of 100 below {median(p[1][1] for p in pairs):.0f} us')
    figure('added to each request, us', median(pair[1][0] - pair[0][0] for pair in pairs), TARGET_REQUEST_US)


def connections(bench, rounds):
    pairs = bench.in_turns(rounds, 'connect', CONNECTIONS)
    bare, cell = (median(pair[i][0] for pair in pairs) for i in (0, 1))
    print(f'a connection with its handshake and one request: bare {bare:.0f} us, judged {cell:.0f} us')
    figure('added to each new connection, of a bare one', median((pair[1][0] - pair[0][0]) / pair[0][0] for pair in pairs), TARGET_CONNECTION)


def rate(bench, rounds):
    taken = [bench.held('rate', REQUESTS, SENDERS) for _ in range(rounds)]
    print(f'{SENDERS} connections at one time: {median(t[0][0] for t in taken):.0f} requests a second on all processors')
    if None in (role for _, role in taken):
        print('time of processors: only root may read it, left out')
        return
    figure('time of the role for 1,000 requests, s of one processor', median(role[0] / (REQUESTS * SENDERS / 1000) for _, role in taken), 1000 / TARGET_RATE)


def memory(bench):
    small, large = bench.held('get', 1 << 20)[1], bench.held('get', MUCH)[1]
    if None not in (small, large):
        print(f'MiB of the role after 1 MiB: {small[1]:.1f}, after {MUCH >> 20} MiB: {large[1]:.1f}')
        figure('grown by an answer of 1 GiB, MiB', large[1] - small[1], TARGET_GROWTH)


def throughput(bench, rounds):
    pairs = bench.in_turns(rounds, 'get', MUCH)
    print(f'an answer of {MUCH >> 20} MiB, of bare: {median(p[0][0] / p[1][0] for p in pairs) * 100:.0f} %')


def starts(bench, rounds):
    """Of an event that connects to nobody: what is there for a grant with rules is a cell more, an authority, and what programs trust."""
    def once(ruled):
        words = [*bench.before, 'env', f'SSL_CERT_FILE={bench.bundle}', bench.ambit, 'run', '--connect', '127.0.0.1:9' + (" http='GET /**'" if ruled else ''), '--', 'true']
        begun = time.monotonic()
        subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        return (time.monotonic() - begun) * 1e3
    pairs = in_turns(rounds * 10, once)
    print(f'start of an event that may connect {median(p[0] for p in pairs):.1f} ms, and by rules {median(p[1] for p in pairs):.1f} ms, with the {bench.authorities} authorities of this system')


def main():
    if len(sys.argv) < 3:
        sys.exit('usage: rules.py AMBIT PEER [ROUNDS [COMMAND...]]')
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.environ['AMBIT_LEDGER'] = 'none'
    sys.stdout.reconfigure(line_buffering=True)
    rounds, before = int(sys.argv[3]) if len(sys.argv) > 3 else 5, sys.argv[4:]
    with tempfile.TemporaryDirectory() as at:
        certificates(at)
        server = subprocess.Popen([*before, sys.argv[2], 'server', f'{at}/cert.pem', f'{at}/cert.key'], stdout=subprocess.PIPE, text=True)
        try:
            bench = Bench(sys.argv[1], sys.argv[2], server.stdout.readline().strip(), at, before)
            requests(bench, rounds)
            connections(bench, rounds)
            rate(bench, rounds)
            throughput(bench, rounds)
            starts(bench, rounds)
            memory(bench)
        finally:
            server.kill()


main()
