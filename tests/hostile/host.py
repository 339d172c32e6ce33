"""The host's side of the hostile suite: a private tree with secrets, servers that answer, victims, and what a host looks
like, so that it can be compared before and after."""
import contextlib
import hashlib
import os
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time

MARKER = 'AMBIT-MARK-'
SUITE_KEYS = 0x414d0000


def write(path, text, mode=0o600):
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
    os.chmod(path, mode)


def fingerprint(top):
    """Everything that can be seen of a tree but access times."""
    seen = []
    for directory, names, files in os.walk(top):
        names.sort()
        for name in sorted(names + files) + ['.']:
            path = os.path.join(directory, name)
            st = os.lstat(path)
            content = ''
            if stat.S_ISREG(st.st_mode):
                with open(path, 'rb') as f:
                    content = hashlib.sha256(f.read()).hexdigest()
            elif stat.S_ISLNK(st.st_mode):
                content = os.readlink(path)
            attributes = [] if stat.S_ISLNK(st.st_mode) else os.listxattr(path)
            seen.append((path, oct(st.st_mode), st.st_uid, st.st_gid, st.st_nlink, st.st_size, st.st_mtime_ns, content,
                         tuple(attributes)))
    return seen


def first_difference(before, after):
    gone = [e for e in before if e not in after]
    new = [e for e in after if e not in before]
    return ', '.join(['-' + str(e[0]) for e in gone[:3]] + ['+' + str(e[0]) for e in new[:3]])


class Server:
    """A program of the host's side that prints one line when it is ready and lives until its input ends."""

    def __init__(self, command, **how):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **how)
        self.line = self.process.stdout.readline().strip()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def alive(self):
        return self.process.poll() is None

    def stop(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Host:
    """The tree:
        ro/ rw/ work/   what cells are granted (work/ looks like a git repository)
        ga/             granted in races; gb/ differs from it in one byte and is not
        hidden/         never granted
        sa/ sb/         sockets, likewise
        bin/            the probe and its kin, readable for everybody
    """

    def __init__(self, probe, marker_so, dynamic, directory=None):
        self.marker = MARKER + os.urandom(8).hex()
        self.top = os.path.realpath(tempfile.mkdtemp(prefix='ambit-hostile-', dir=directory))
        os.chmod(self.top, 0o755)
        self.home = tempfile.mkdtemp(prefix='.ambit-hostile-', dir=os.path.expanduser('~'))
        self.bin = self.at('bin')
        os.mkdir(self.bin)
        for name in ('sa', 'sb', 'sw'):
            os.mkdir(self.at(name))
        for source in (probe, marker_so, dynamic):
            shutil.copy(source, self.bin)
        self.probe = os.path.join(self.bin, 'probe')
        self.marker_so = os.path.join(self.bin, os.path.basename(marker_so))
        self.dynamic = os.path.join(self.bin, os.path.basename(dynamic))
        write(os.path.join(self.home, 'secret'), self.marker + '\n')
        self.servers = {}
        self.sockets = []
        self.ports = {}
        self.datagrams = 0
        self.reset()

    def at(self, *names):
        return os.path.join(self.top, *names)

    def reset(self):
        """Puts the tree back as it should be."""
        self.dirty = False
        self.drop_victim()
        for name in ('ro', 'rw', 'work', 'ga', 'gb', 'hidden'):
            shutil.rmtree(self.at(name), ignore_errors=True)
            with contextlib.suppress(FileNotFoundError, IsADirectoryError, NotADirectoryError):
                os.unlink(self.at(name))
            os.makedirs(self.at(name))
        for name in os.listdir(self.top):
            if name.endswith(('.moved', '.planted')):
                shutil.rmtree(self.at(name), ignore_errors=True)
        for name in ('ro/sub', 'rw/sub', 'rw/mount', 'hidden/dir', 'work/.git/hooks'):
            os.makedirs(self.at(name))
        write(self.at('hidden/file'), self.marker + '\n')
        write(self.at('hidden/dir', self.marker), '')
        os.symlink(self.marker, self.at('hidden/link'))
        with contextlib.suppress(OSError):  # a file system without attributes
            os.setxattr(self.at('hidden/file'), 'user.ambit', self.marker.encode())
        write(self.at('ro/sub/file'), 'content\n', 0o644)
        write(self.at('rw/file'), 'content\n', 0o644)
        write(self.at('work/file'), 'content\n', 0o644)
        write(self.at('work/.git/config'), '[core]\n', 0o644)
        write(self.at('work/.git/hooks/pre-commit'), '#!/bin/sh\n', 0o755)
        write(self.at('ga/file'), 'content\n', 0o644)
        write(self.at('gb/file'), self.marker + '\n', 0o644)
        os.symlink('plain', self.at('ga/link'))
        os.symlink(self.marker, self.at('gb/link'))
        shutil.copy('/bin/true', self.at('ga/prog'))
        shutil.copy(self.probe, self.at('gb/prog'))

    def guarded(self):
        """What no cell may change."""
        return [e for name in ('ro', 'hidden', 'gb', 'bin') for e in fingerprint(self.at(name))] + \
            fingerprint(self.at('work/.git')) + sorted((n,) for n in os.listdir(self.top))

    def handle(self, path):
        return subprocess.run([self.probe, 'serve-handle', path], capture_output=True, text=True, check=True).stdout.strip()

    # ---- servers ----

    def serve(self, name, *args, **how):
        server = self.servers.get(name)
        if server is not None and not server.alive():
            server.stop()
        if server is None or not server.alive():
            server = Server([self.probe, 'serve-' + name, self.marker, *args], **how)
            self.servers[name] = server
        return server.line.split()

    def victim(self):
        if 'victim' in self.servers and not self.victim_lives():
            self.servers['victim'].kill()
        secret = os.open(self.at('hidden/file'), os.O_RDONLY)
        try:
            return self.serve('victim', cwd=self.at('hidden'), pass_fds=(secret,), env={'SECRET': self.marker})
        finally:
            os.close(secret)

    def drop_victim(self):
        if 'victim' in self.servers:
            self.servers['victim'].kill()
            self.servers.pop('victim').stop()

    def victim_lives(self):
        server = self.servers['victim']
        if not server.alive():
            return False
        with open(f'/proc/{server.process.pid}/stat', encoding='utf-8') as f:
            return f.read().rsplit(')', 1)[1].split()[0] not in 'TtZ'

    def posix_name(self):
        return '/' + os.path.basename(self.top)

    def answer_streams(self, listener):
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer, contextlib.suppress(OSError):
                peer.sendall(self.marker.encode() + b'\n')
                if peer.family == socket.AF_UNIX and peer.type != socket.SOCK_STREAM:
                    continue
                peer.shutdown(socket.SHUT_WR)
                peer.settimeout(0.2)
                peer.recv(16)

    def answer_datagrams(self, sock):
        while True:
            try:
                _, peer = sock.recvfrom(256)
            except OSError:
                return
            self.datagrams += 1
            if peer:
                with contextlib.suppress(OSError):
                    sock.sendto(self.marker.encode() + b'\n', peer)

    def start(self, name, family, kind, protocol, address):
        """Starts a server; a kind of socket that this kernel lacks stays without one."""
        try:
            sock = socket.socket(family, kind, protocol)
            sock.bind(address)
        except OSError as e:
            self.ports[name] = 9
            return str(e)
        if kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
            sock.listen(64)
        if family in (socket.AF_INET, socket.AF_INET6):
            self.ports[name] = sock.getsockname()[1]
        self.sockets.append(sock)
        target = self.answer_datagrams if kind == socket.SOCK_DGRAM else self.answer_streams
        threading.Thread(target=target, args=(sock,), daemon=True).start()
        return None

    def start_network(self):
        v4, v6 = ('127.0.0.1', 0), ('::1', 0)
        self.start('tcp4', socket.AF_INET, socket.SOCK_STREAM, 0, v4)
        self.start('tcp6', socket.AF_INET6, socket.SOCK_STREAM, 0, v6)
        self.start('udp4', socket.AF_INET, socket.SOCK_DGRAM, 0, v4)
        self.start('udp6', socket.AF_INET6, socket.SOCK_DGRAM, 0, v6)
        self.start('udplite', socket.AF_INET, socket.SOCK_DGRAM, 136, v4)
        self.start('sctp', socket.AF_INET, socket.SOCK_STREAM, 132, v4)
        self.start('dccp', socket.AF_INET, 6, 33, v4)
        with socket.socket() as free:
            free.bind(v4)
            self.ports['listen'] = free.getsockname()[1]

    def unix_kinds(self):
        return (('stream', socket.SOCK_STREAM), ('packet', socket.SOCK_SEQPACKET), ('datagram', socket.SOCK_DGRAM))

    def unix_name(self, where, kind):
        if where == 'abstract':
            return f'@{os.path.basename(self.top)}-{kind}'
        return self.at(where, 'sock-' + kind)

    def start_unix(self):
        for kind, number in self.unix_kinds():
            self.start('abstract', socket.AF_UNIX, number, 0, '\0' + self.unix_name('abstract', kind)[1:])
            for where in ('sa', 'sb', 'sw'):
                self.start('path', socket.AF_UNIX, number, 0, self.unix_name(where, kind))

    def close(self):
        for server in self.servers.values():
            server.stop()
        for sock in self.sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.rmtree(self.top, ignore_errors=True)


# ---- running ----

class Result:
    def __init__(self, status, out, err, seconds):
        self.status, self.out, self.err, self.seconds = status, out, err, seconds

    def verdict(self):
        m = re.search(rb'(?:^|x)(SUCCEEDED|REFUSED|CANNOT)\b[^\r\n]*', self.out + b'\n' + self.err, re.M)
        return m.group(0).lstrip(b'x').decode('utf-8', 'replace') if m else ''

    def succeeded(self):
        return self.verdict().startswith('SUCCEEDED')

    def refused(self):
        return self.verdict().startswith('REFUSED')

    def tell(self):
        text = self.verdict() or (self.err or self.out).decode('utf-8', 'replace').strip()[-300:].replace('\n', ' | ')
        return f'status {self.status}: {text}'


def run(command, timeout=60, terminal=None, **how):
    """Runs a command to its end. terminal: 'streams' puts a terminal on 0 to 2, 'controlling' only owns one."""
    started = time.monotonic()
    if terminal is not None:
        return run_on_terminal(command, timeout, terminal, started, **how)
    how.setdefault('stdin', subprocess.DEVNULL)
    how.setdefault('stdout', subprocess.PIPE)
    how.setdefault('stderr', subprocess.PIPE)
    process = subprocess.Popen(command, start_new_session=True, **how)
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        try:
            out, err = process.communicate(timeout=5)
        except subprocess.TimeoutExpired:  # somebody who left the group still holds the pipes
            out, err = b'', b''
        err = (err or b'') + b'\nTIMEOUT of the test\n'
    return Result(shell_status(process.returncode), out or b'', err or b'', time.monotonic() - started)


def shell_status(code):
    return 128 - code if code < 0 else code


def run_on_terminal(command, timeout, kind, started, cwd=None, env=None):
    out_r, out_w = os.pipe()
    pid, master = os.forkpty()
    if pid == 0:
        try:
            if cwd:
                os.chdir(cwd)
            if kind == 'controlling':
                null = os.open('/dev/null', os.O_RDONLY)
                os.dup2(null, 0)
                os.dup2(out_w, 1)
                os.dup2(out_w, 2)
            os.execvpe(command[0], command, env if env is not None else os.environ)
        finally:
            os._exit(126)
    os.close(out_w)
    out, status, ends = b'', None, [master, out_r]
    while ends and time.monotonic() - started < timeout:
        for fd in select.select(ends, [], [], 0.2)[0]:
            try:
                data = os.read(fd, 65536)
            except OSError:  # a terminal without anybody on the other side
                data = b''
            if not data:
                ends.remove(fd)
            out += data
    if ends:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(master)
    os.close(out_r)
    return Result(shell_status(os.waitstatus_to_exitcode(status)), out, b'', time.monotonic() - started)


# ---- what a host looks like ----

class Process:
    def __init__(self, pid):
        with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as f:
            head, tail = f.read().rsplit(')', 1)
        fields = tail.split()
        self.pid, self.name = pid, head.split('(', 1)[1]
        self.state, self.parent, self.started = fields[0], int(fields[1]), fields[19]
        with open(f'/proc/{pid}/cmdline', 'rb') as f:
            self.command = f.read().replace(b'\0', b' ').decode('utf-8', 'replace')
        try:
            self.program = os.readlink(f'/proc/{pid}/exe')
        except OSError:
            self.program = ''

    def key(self):
        """One process, and not another one with the same number."""
        return self.pid, self.started

    def status(self, field):
        with open(f'/proc/{self.pid}/status', encoding='utf-8', errors='replace') as f:
            for line in f:
                if line.startswith(field + ':'):
                    return line.split(':', 1)[1].split()
        return []


def processes():
    found = []
    for name in os.listdir('/proc'):
        if name.isdigit():
            with contextlib.suppress(OSError):
                found.append(Process(int(name)))
    return found


def held(pid):
    """The processes that a process holds by descriptor."""
    found = set()
    with contextlib.suppress(OSError):
        for fd in os.listdir(f'/proc/{pid}/fdinfo'):
            with open(f'/proc/{pid}/fdinfo/{fd}', encoding='utf-8') as f:
                m = re.search(r'^Pid:\s*(\d+)$', f.read(), re.M)
            if m and m.group(1) != '0':
                found.add(int(m.group(1)))
    return found


def descendants(pids):
    """The processes themselves and all beneath them."""
    table, found, new = processes(), set(), set(pids)
    while new:
        found |= new
        new = {p.pid for p in table if p.parent in found} - found
    return [p for p in table if p.pid in found]


def of_the_living(name):
    """A control group that its maker, ambit-PID-START-EVENT, still has: an event of somebody else's, for ours are over."""
    m = re.match(r'ambit-(\d+)-(\d+)-', name)
    with contextlib.suppress(OSError):
        return m is not None and Process(int(m.group(1))).started == m.group(2)
    return False


def listing(top, pattern):
    found = set()
    for directory, names, files in os.walk(top):
        for name in names + files:
            if re.search(pattern, name) and not re.match(r'(sem\.)?ambit-(test|hostile|deb)', name) and not of_the_living(name):
                found.add(os.path.join(directory, name))
        if top != '/sys/fs/cgroup':
            names.clear()
    return found


def snapshot(libexec):
    """What must be the same before and after: what is there by our doing, whatever else the machine does meanwhile."""
    with open('/proc/self/mountinfo', encoding='utf-8') as f:
        mounts = {line.split(' ', 2)[2] for line in f}
    things = {('mount', m) for m in mounts}
    for p in processes():
        if p.program.startswith(libexec) or libexec in p.command.split(' ', 1)[0]:
            things.add(('process', p.name, *p.key()))
    for top in ('/sys/fs/cgroup', '/tmp', '/dev/shm', '/run', '/var/tmp', os.path.expanduser('~'),
                os.environ.get('XDG_RUNTIME_DIR', '/run')):
        things |= {('file', p) for p in listing(top, r'ambit')}
    for kind in ('shm', 'sem', 'msg'):
        with open(f'/proc/sysvipc/{kind}', encoding='utf-8') as f:
            lines = [line.split() for line in f.readlines()[1:]]
        # those with the suite's own keys (serve.c) belong to this run or to another one beside it
        things |= {('ipc', kind, line[1]) for line in lines if int(line[0]) & 0xffff0000 != SUITE_KEYS}
    return things


def settled(libexec, before, patience=5):
    """What is there that was not, once nothing more goes away."""
    until = time.monotonic() + patience
    while True:
        left = snapshot(libexec) - before
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.05)
