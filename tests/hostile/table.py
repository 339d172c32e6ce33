"""The rows of the hostile suite: what is tried in a cell, and what shows that the probe would have noticed success.

A row is tried twice. The twin runs bare (or behind `prefix`, or in a cell with a grant) and must succeed; the attack runs in
a cell and must be refused. `lacks` says why a machine may have no twin, and how the twin then fails: the row is skipped aloud, and
the attack must be refused all the same. A twin that fails otherwise is broken."""
import glob
import os
import re
import socket
import threading
import time


OWN_ROOT = ['unshare', '--user', '--map-root-user']
OWN_MOUNTS = OWN_ROOT + ['--mount']
OWN_PIDS = OWN_ROOT + ['--pid', '--fork', '--kill-child']
OWN_NET = OWN_ROOT + ['--net']


class Lack:
    """Why a twin may fail, and with which answers. `privilege`: never where the user is root and has its capabilities."""

    def __init__(self, text, *answers, privilege=False):
        self.text, self.answers, self.privilege = text, answers, privilege

    def explains(self, result):
        if self.privilege and is_privileged():
            return False
        return any(re.search(rf'\b{a}\b', result.tell()) for a in self.answers)


def is_privileged():
    """Root of the machine, or nearly: a virtual machine's may lack single capabilities."""
    with open('/proc/self/status', encoding='ascii') as f:
        capabilities = int(re.search(r'CapEff:\t([0-9a-f]+)', f.read()).group(1), 16)
    with open('/proc/self/uid_map', encoding='ascii') as f:
        initial = f.read().split() == ['0', '0', '4294967295']
    needed = (1, 2, 12, 17, 21, 25, 27)  # DAC_OVERRIDE, DAC_READ_SEARCH, NET_ADMIN, SYS_RAWIO, SYS_ADMIN, SYS_TIME, MKNOD
    return os.getuid() == 0 and initial and all(capabilities >> n & 1 for n in needed)


NOT_ROOT = Lack('an ordinary user may not do this outside either', 'EPERM', 'EACCES', privilege=True)


NO_ATTRIBUTES = Lack('this file system has no user attributes', 'EOPNOTSUPP')
NO_KEYRINGS = Lack('this kernel or container has no keyrings', 'ENOSYS')
NO_32 = Lack('no 32-bit system calls', 'ENOSYS', 'by signal')
NO_X32 = Lack('no x32 system calls', 'ENOSYS')
NO_NAMESPACE = Lack('no such namespaces here', 'EINVAL', 'ENOSYS')
NO_IPV6 = Lack('no IPv6', 'EAFNOSUPPORT', 'EADDRNOTAVAIL', 'ENETUNREACH', 'ECONNREFUSED')
NO_FAMILY = ('EAFNOSUPPORT', 'EPROTONOSUPPORT', 'ESOCKTNOSUPPORT')
NO_DEVICE = Lack('this user may not open it outside either', 'EPERM', 'EACCES', privilege=True)

# What these try is another wall's to refuse than the one that takes a cell its named sockets.
WITH_SOCKETS = {'oracle-unix-connect', 'oracle-unix-bind', 'write-socket', 'race-path-connect'}


class Row:
    def __init__(self, name, args, flags=(), **more):
        self.name, self.args, self.flags = name, [str(a) for a in args], list(flags)
        self.twin_args = [str(a) for a in more.pop('twin_args', self.args)]
        self.prefix = more.pop('prefix', [])     # in front of the bare probe
        self.granted = more.pop('granted', None)  # flags of one more cell, in which it must succeed
        self.lacks = more.pop('lacks', None)      # why the twin may fail here
        self.limit = more.pop('limit', False)     # ending the cell is as good as refusing
        self.refusal = more.pop('refusal', False)  # not starting the cell is as good as refusing
        self.how = more.pop('how', {})            # how it is run: streams, terminal
        self.won = more.pop('won', None)          # (host, result) -> was the effect had? default: the probe's word
        self.during = more.pop('during', None)    # (host, phase) -> something to stop afterwards
        self.host = more.pop('host', None)        # (host) -> what is wrong with the host after the attack, or None
        self.harmless = more.pop('harmless', False)  # in a cell the probe's success means nothing: the host is looked at
        self.status = more.pop('status', None)    # what the attack must end with
        self.reset = more.pop('reset', False)     # the tree is made anew before each run, and must be as it was after
        self.program = more.pop('program', None)  # instead of the probe
        self.wrap = more.pop('wrap', [])          # in front of both the bare probe and `ambit`
        if name in WITH_SOCKETS:
            self.flags += ['--without', 'sockets']
            self.granted = self.granted and [*self.granted, '--without', 'sockets']
        if more:
            raise TypeError(f'{name}: {sorted(more)}')

    def title(self):
        return ' '.join([self.name, *self.args])


def reading(h):
    s, rw = h.at('hidden/file'), h.at('rw')
    grant = ['--read', s]
    plain = ['read-open', 'read-open-call', 'read-openat', 'read-openat2', 'read-path-fd', 'read-own-root',
             'read-thread-root']
    rows = [Row(name, [s], granted=None if name == 'read-openat2' else grant) for name in plain]  # absent in every cell
    rows += [Row(name, [s, rw], granted=None if name in ('read-hard-link', 'read-fd-link') else grant)
             for name in ('read-symlink', 'read-hard-link', 'read-fd-link')]
    rows += [Row(name, ['../hidden/file', d]) for d in (rw, h.at('ro/sub/..'))
             for name in ('read-dots', 'read-dots-fd', 'read-dots-cwd')]
    rows += [Row('read-dots', [os.path.relpath(s, '/proc/self'), '/proc/self'],
                 twin_args=['../hidden/file', rw])]
    rows += [
        Row('read-rename', [s, rw], reset=True),
        Row('read-chroot', [s], prefix=OWN_ROOT),
        Row('read-handle', ['@HANDLE@', rw], lacks=NOT_ROOT),
        Row('read-cwd-of', ['file', '@VICTIM@']),
        Row('read-cwd-of', ['file', '1'], twin_args=['file', '@VICTIM@']),
        Row('read-root-of', [s, '@VICTIM@']),
        Row('read-root-of', [s, '1'], twin_args=[s, '@VICTIM@']),
        Row('read-fds-of', ['-', 'all'], twin_args=['-', '@VICTIM@']),
        Row('read-fds-of', ['-', '1'], twin_args=['-', '@VICTIM@']),
        Row('read-link-text', [h.at('hidden/link')], granted=['--read', h.at('hidden')]),
        Row('read-attribute', [s], granted=grant, lacks=NO_ATTRIBUTES),
        Row('read-listing', [h.at('hidden/dir')], granted=['--read', h.at('hidden')]),
        Row('read-walk', [4, h.top]),
        Row('read-walk', [5, '/'], twin_args=[4, h.top]),
        Row('read-open', [os.path.join(h.home, 'secret')], granted=['--read', h.home]),
        Row('read-moved', ['../out-of-it', h.at('rw/sub'), 'ready'],
            during=move_away, reset=True, host=lambda h: None),
    ]
    rows += [Row('knob-look', [p], lacks=NOT_ROOT) for p in
             ('/etc/shadow', '/etc/sudoers', '/proc/kcore', '/proc/slabinfo',
              '/var/log/dpkg.log', '/boot/grub/grub.cfg', '/sys/class/dmi/id/product_uuid')
             if os.path.exists(p)]
    # whose process 1 is, not even root may know everywhere
    rows.append(Row('knob-look', ['/proc/1/environ'], twin_args=['/proc/@VICTIM@/environ']))
    rows += [Row('is-there', [p]) for p in
             ('/root', '/home', '/var/log', '/var/lib/dpkg', '/sys/class/net', '/sys/kernel/debug', '/boot', '/opt', '/srv',
              '/run/systemd', '/run/user', '/etc/shadow', '/etc/ssh', '/dev/mem', '/lost+found')
             if os.path.exists(p) and not on_the_way(h, p)]
    return rows


def on_the_way(h, path):
    """What lies on the way to the caller's home or to the suite's tree stands in a cell too, empty."""
    return any((way + '/').startswith(path + '/') for way in (os.path.expanduser('~'), h.top))


def move_away(h, _phase):
    """Moves rw/sub out of the granted tree as soon as the probe stands in it, beside a file with the marker."""
    over = threading.Event()

    def wait():
        while not over.is_set() and not os.path.exists(h.at('rw/sub/ready')):
            time.sleep(0.002)
        if not over.is_set():
            with open(h.at('hidden/out-of-it'), 'w', encoding='utf-8') as f:
                f.write(h.marker)
            os.rename(h.at('rw/sub'), h.at('hidden/sub'))

    thread = threading.Thread(target=wait)
    thread.start()

    def stop():
        over.set()
        thread.join()
    return stop


def oracles(h, names):
    there = [h.at('hidden/file'), '/etc/shadow' if os.path.exists('/etc/shadow') else '/etc/fstab',
             os.path.join(h.home, 'secret')]
    rows = []
    for path in there:
        absent = os.path.join(os.path.dirname(path), 'ambit-absent')
        for name in names:
            # the twin asks about a file of our own: some questions change what they are about
            twin = [h.at('hidden/file'), h.at('hidden/ambit-absent'), h.at('rw')]
            more = {}
            if name in ('oracle-chroot', 'oracle-open-tree'):
                more = {'prefix': OWN_MOUNTS}
            elif name in ('oracle-swapoff',):
                more = {'lacks': NOT_ROOT}
            elif name in ('oracle-getxattr', 'oracle-listxattr', 'oracle-removexattr', 'oracle-fanotify'):
                more = {'lacks': Lack('not on this kernel or file system', 'EOPNOTSUPP', 'ENOSYS', 'EPERM')}
            rows.append(Row(name, [path, absent, h.at('rw')], twin_args=twin, reset=path == there[0], **more))
    return rows


WRITES = ['write-open', 'write-open-both', 'write-append', 'write-creat', 'write-openat2', 'write-truncate',
          'write-open-truncate', 'write-unlink', 'write-create-beside', 'write-tmpfile', 'write-mkdir',
          'write-symlink-beside', 'write-fifo', 'write-socket', 'write-rename-over', 'write-rename-in', 'write-rename-away',
          'write-rename-out', 'write-exchange', 'write-link-in', 'write-chmod', 'write-fchmod', 'write-chmod-fd', 'write-chown',
          'write-utimes', 'write-attribute', 'write-flags', 'write-allocate', 'write-map', 'write-symlink',
          'write-dangling-symlink', 'write-directory-symlink', 'write-hard-link', 'write-dots', 'write-own-root',
          'write-path-fd', 'write-reading-fd', 'write-thread-fd']
BESIDE = {'write-create-beside', 'write-tmpfile', 'write-mkdir', 'write-symlink-beside', 'write-fifo', 'write-socket',
          'write-rename-in', 'write-link-in', 'write-dangling-symlink'}
MAY_LACK = {'write-tmpfile', 'write-attribute', 'write-flags', 'write-allocate'}
# `chown` to oneself and a second name for the same file change nothing that is forbidden where writing is granted;
# attributes and inode flags are not part of `write`. openat2 and fallocate are absent in every cell (syscalls.def).
NOT_IN_GRANT = {'write-openat2', 'write-allocate', 'write-flags', 'write-hard-link', 'write-dots', 'write-chown',
                'write-attribute', 'write-tmpfile', 'write-link-in', 'write-rename-over', 'write-rename-in', 'write-rename-out',
                'write-exchange', 'write-own-root', 'write-thread-fd'}


# What is judged and makes nothing run: an empty directory, a configuration that says no more than before, its mode and times.
INERT = {('pre-commit', 'write-mkdir'), *(('config', name) for name in (
    'write-open-truncate', 'write-chmod', 'write-fchmod', 'write-chmod-fd', 'write-utimes', 'write-attribute'))}


def writing(h):
    rows = []
    for target in (h.at('hidden/file'), h.at('ro/sub/file'), h.at('work/.git/hooks/pre-commit'), h.at('work/.git/config')):
        scratch = h.at('work') if '/work/' in target else h.at('rw')
        for name in WRITES:
            if name == 'write-dots' and '/work/' in target or name in BESIDE and target.endswith('config'):
                continue  # the rest of .git is the program's to write
            lacks = Lack('this file system has no such thing', 'EOPNOTSUPP', 'ENOTTY') if name in MAY_LACK else None
            # `..` from a directory that can be seen, beside the one that holds the file
            base = os.path.dirname(target) if name == 'write-dots' and '/ro/' in target else scratch
            direct = ['--direct'] if '/work/' in target else []
            # staged, the cell may do as it likes with its copy; nothing of it is committed
            if direct and (os.path.basename(target), name) not in INERT:
                rows.append(Row(name, [target, base], ['--work', h.at('work')], reset=True, lacks=lacks, harmless=True))
            rows.append(Row(name, [target, base], direct + ['--work', h.at('work')], reset=True, lacks=lacks,
                            granted=['--write', h.top] if 'ro/sub' in target and name not in NOT_IN_GRANT else None))
        for level in range(3):
            for name in ('write-rename-ancestor', 'write-replace-ancestor'):
                moved = ancestor(target, level)
                if moved != h.top and not moved.startswith(h.top + '/'):
                    continue  # the twin would move what is not ours
                if moved == scratch:
                    continue
                # what lies above a grant is the cell's own, empty directory: moving that is nobody's business
                own = moved == h.top
                if '/work/' in target and not own:
                    rows.append(Row(name, [target, scratch, level], ['--work', h.at('work')], reset=True, harmless=True))
                rows.append(Row(name, [target, scratch, level], ['--direct', '--work', h.at('work')], reset=True,
                                harmless=own,
                                twin_args=[h.at('ro/sub/file'), h.at('rw'), 0] if own else [target, scratch, level]))
    rows += [Row(name, [target, h.at('rw')], twin_args=[h.at('ro/sub/file'), h.at('rw')], reset=True)
             for target in ('/usr/bin/env', '/etc/passwd')
             for name in ('write-open', 'write-append', 'write-truncate', 'write-unlink', 'write-create-beside',
                          'write-rename-over', 'write-rename-away', 'write-reading-fd')]
    rows += [Row('write-root-of', [h.at('hidden/file'), h.at('rw'), pid], reset=True,
                 twin_args=[h.at('hidden/file'), h.at('rw'), '@VICTIM@']) for pid in ('1', '@VICTIM@')]
    return rows


def ancestor(path, level):
    for _ in range(level + 1):
        path = os.path.dirname(path)
    return path


def mounting(h):
    rows = []
    for name in ('mount-bind', 'mount-tmpfs', 'mount-overlay', 'mount-remount', 'mount-propagation', 'mount-open-tree',
                 'mount-fsopen', 'mount-setattr', 'mount-unmount-proc', 'mount-list'):
        more = {}
        prefix = OWN_MOUNTS
        if name in ('mount-remount', 'mount-setattr'):
            prefix = OWN_MOUNTS + ['sh', '-c', f'mount --bind {h.at("rw")} {h.at("rw")} && exec "$@"', 'sh']
        if name == 'mount-unmount-proc':
            prefix = OWN_PIDS + ['--mount-proc']
        if name == 'mount-overlay':
            more = {'twin_args': [h.at('hidden'), h.at('rw')],
                    'lacks': Lack('no overlay in a user namespace here', 'EPERM', 'ENODEV', 'EINVAL')}
        if name == 'mount-list':
            more = {'lacks': Lack('listmount is of Linux 6.8', 'ENOSYS')}
        rows.append(Row(name, [h.at('hidden'), h.at('rw')], prefix=prefix, reset=True, **more))
    bound = OWN_MOUNTS + ['sh', '-c', f'mount --bind {h.at("rw")} {h.at("rw")} && cd {h.at("rw")} && exec "$@"', 'sh']
    rows += [
        Row('mount-unmount', [h.at('hidden'), h.at('ro')], twin_args=[h.at('hidden'), h.at('rw')], prefix=bound),
        Row('mount-setattr', [h.at('hidden'), h.at('ro')], twin_args=[h.at('hidden'), h.at('rw')], prefix=bound),
        Row('mount-remount', [h.at('hidden'), h.at('ro')], twin_args=[h.at('hidden'), h.at('rw')], prefix=bound),
        Row('mount-move', [h.at('hidden'), h.at('rw')], prefix=bound, reset=True),
        Row('mount-fspick', [h.at('hidden'), '/proc'], prefix=OWN_PIDS + ['--mount-proc']),
        Row('mount-pivot', [h.at('hidden'), h.at('rw')], prefix=bound, reset=True),
    ]
    return rows


SEE = ['see-kill', 'see-directory', 'see-stat', 'see-command', 'see-listing', 'see-group', 'see-session', 'see-pidfd',
       'see-priority', 'see-affinity', 'see-scheduler', 'see-limits']
SIGNALS = ['signal-kill', 'signal-group', 'signal-thread', 'signal-tkill', 'signal-queue', 'signal-queue-thread',
           'signal-pidfd', 'signal-proc-directory']
STARVE = ['slow-priority', 'slow-affinity', 'slow-scheduler', 'slow-io', 'lower-limits']


def victim_is_well(h):
    time.sleep(0.01)  # for a signal to arrive
    return None if h.victim_lives() else 'the victim was killed or stopped'


def processes(h):
    rows = [Row(name, ['@VICTIM@']) for name in SEE]
    rows += [Row(name, [os.getpid()]) for name in ('see-kill', 'see-directory', 'see-pidfd')]
    for target in ('@VICTIM@', '1'):
        for name in SIGNALS:
            for number in (15, 19):
                if target == '1' and name == 'signal-group':
                    continue  # group 1 is a group of the cell's, not the warden
                rows.append(Row(name, [target, number], twin_args=['@VICTIM@', number], host=victim_is_well,
                                lacks=Lack('a directory of /proc is no pidfd here', 'EBADF') if name == 'signal-proc-directory' else None))
        rows.append(Row('signal-owner', [target, 15], twin_args=['@VICTIM@', 15], host=victim_is_well,
                        # for the warden the answer is the same in both cases; that the cell goes on shows what happened
                        harmless=target == '1'))
        plain = ['trace-attach', 'trace-seize', 'proc-fds', 'compare', 'robust-list', *STARVE]
        rows += [Row(name, [target], twin_args=['@VICTIM@'], host=victim_is_well) for name in plain]
        rows += [Row(name, [target, '@ADDRESS@'], twin_args=['@VICTIM@', '@ADDRESS@'], host=victim_is_well,
                     lacks=NOT_ROOT if name == 'advise' else None)
                 for name in ('memory-read', 'memory-write', 'memory-file', 'memory-file-write', 'move-pages', 'advise')]
        rows += [Row('proc-file', [target, name], twin_args=['@VICTIM@', name],
                     lacks=Lack('not on this kernel', 'ENOENT') if name != 'stack' else NOT_ROOT)
                 for name in ('environ', 'maps', 'smaps', 'auxv', 'stack', 'syscall', 'pagemap', 'personality', 'io',
                              'mountinfo', 'cgroup')]
        rows += [Row('proc-link', [target, name], twin_args=['@VICTIM@', name])
                 for name in ('cwd', 'root', 'exe', 'ns/mnt', 'ns/user', 'ns/pid')]
        rows += [Row('take-descriptor', [target, n], twin_args=['@VICTIM@', n if n < 3 else 0])
                 for n in ((0, 1, 2) if target == '@VICTIM@' else (0, 3, 4, 5, 6))]
    rows += [Row('signal-all', [number], prefix=OWN_PIDS + ['sh', '-c', 'sleep 9 & "$@"', 'sh'], host=victim_is_well)
             for number in (15, 9)]
    return rows


def starts_with_marker(h):
    with open(h.at('hidden/file'), 'rb') as f:
        return f.read().startswith(h.marker.encode())


def inheriting(h):
    s = h.at('hidden/file')
    rows = [
        Row('inherit-descriptor', [], how={'pass': (s, os.O_RDONLY)}),
        Row('inherit-descriptor', [], how={'pass': (h.at('hidden'), os.O_RDONLY | os.O_DIRECTORY)}),
        Row('inherit-directory', ['file'], how={'stdin': (h.at('hidden'), os.O_RDONLY | os.O_DIRECTORY)}, refusal=True),
        Row('inherit-directory', ['file'], how={'stdin': (h.at('hidden'), os.O_PATH | os.O_DIRECTORY)}, refusal=True),
        Row('inherit-socket', [], how={'stdin': 'socket'}, refusal=True),
        Row('inherit-writable-input', [0], how={'stdin': (s, os.O_RDWR)}, refusal=True, reset=True),
        # what a cell has of a file is a pipe, with which it may do what it likes: the file is looked at
        *(Row(name, [0, *flags], how={'stdin': (s, os.O_RDONLY)}, reset=True, harmless=True, lacks=lacks)
          for name, flags, lacks in (('inherit-reopen', [os.O_WRONLY | os.O_TRUNC], None), ('inherit-mode', [], None),
                                     ('inherit-times', [], None),
                                     ('inherit-attribute', [], NO_ATTRIBUTES))),
        Row('inherit-reopen', [2, os.O_RDONLY], how={'stderr': (s, os.O_WRONLY | os.O_APPEND)}, harmless=True),
        *(Row(name, [2], how={'stderr': (s, flags)}, reset=True, won=lambda h, r: not starts_with_marker(h))
          for name, flags in (('inherit-cut', os.O_WRONLY | os.O_APPEND), ('inherit-overwrite', os.O_WRONLY | os.O_APPEND),
                              ('inherit-overwrite', os.O_RDWR | os.O_APPEND))),
        Row('inherit-environment', [], granted=['--env', 'AMBIT_HOSTILE_SECRET']),
        Row('inherit-environment-file', []),
    ]
    rows += [Row('inherit-variable', [name], how={'variable': name}) for name in
             ('SSH_AUTH_SOCK', 'GPG_AGENT_INFO', 'DBUS_SESSION_BUS_ADDRESS', 'XDG_RUNTIME_DIR', 'DISPLAY', 'WAYLAND_DISPLAY',
              'LD_PRELOAD', 'LD_LIBRARY_PATH', 'AWS_SECRET_ACCESS_KEY', 'ANTHROPIC_API_KEY', 'GITHUB_TOKEN', 'KUBECONFIG',
              'BASH_ENV', 'NODE_OPTIONS', 'PYTHONPATH', 'GLIBC_TUNABLES', 'TMUX')]
    # not TIOCCONS: as root the twin would take the machine's console
    tiocsti, tioclinux, tiocsetd = 0x5412, 0x541c, 0x5423
    for command in (tiocsti, tioclinux, tiocsetd):
        for high in (0, 1 << 32, 0xffffffff << 32):
            number = command | high
            rows.append(Row('terminal-ioctl', [0, hex(number) if number < 1 << 63 else number - (1 << 64)],
                            how={'terminal': 'streams'},
                            lacks=Lack('dev.tty.legacy_tiocsti is 0', 'EIO') if command == tiocsti else None))
    rows += [
        Row('terminal-controlling', [], how={'terminal': 'controlling'}),
        Row('terminal-emit', ['^]52;c;aGVsbG8=~'], how={'terminal': 'streams'},
            won=lambda h, r: b'\x1b]52' in r.out),  # writes the clipboard
        Row('terminal-emit', ['^[21t'], how={'terminal': 'streams'}, won=lambda h, r: b'\x1b[21t' in r.out),
        Row('terminal-emit', ['^P$q"p^\\'], how={'terminal': 'streams'}, won=lambda h, r: b'\x1bP$q' in r.out),
    ]
    return rows


def ipc(h):
    rows = [Row(name, [at]) for name, at in (
        ('shm-id', '@SHM@'), ('shm-key', '@KEY@'), ('shm-status', '@SHM@'), ('sem-id', '@SEM@'), ('sem-key', '@KEY@'),
        ('msg-id', '@MSG@'), ('msg-key', '@KEY@'), ('mq', '@POSIX@'), ('posix-shm', '@POSIX@'), ('posix-sem', '@POSIX@'))]
    rows += [Row('ipc-listed', [at, '/proc/sysvipc/' + name]) for at, name in
             (('@SHM@', 'shm'), ('@SEM@', 'sem'), ('@MSG@', 'msg'))]
    rows += [Row('read-open', ['/dev/shm@POSIX@'])]
    # Hidden; in a tree granted for reading, and for writing. That they are hidden is tried where the cell has sockets.
    for where, flags, granted in (('abstract', ['--without', 'sockets'], None),
                                  ('sb', ['--without', 'sockets'], None),
                                  ('sa', ['--read', h.at('sa')], ['--read', h.at('sa'), '--without', 'sockets']),
                                  ('sw', ['--write', h.at('sw')], ['--direct', '--write', h.at('sw'), '--without', 'sockets'])):
        for kind, names in (('stream', ['unix-stream']), ('packet', ['unix-packet']),
                            ('datagram', ['unix-datagram', 'unix-sendto', 'unix-sendmsg', 'unix-sendmmsg', 'unix-pair'])):
            rows += [Row(name, [h.unix_name(where, kind)], flags, granted=granted) for name in names]
    with_key = [h.probe, 'with-key', h.marker]
    for name, args in (('key-session', []), ('key-user', []), ('key-requested', []), ('key-number', ['@SERIAL@']),
                       ('key-described', ['@SERIAL@'])):
        rows.append(Row(name, args, wrap=with_key, lacks=NO_KEYRINGS))
    rows.append(Row('ipc-listed', ['ambit-marker', '/proc/keys'], wrap=with_key,
                    lacks=NO_KEYRINGS))
    rows.append(Row('key-added', [], lacks=NO_KEYRINGS))
    rows.append(Row('shm-remove', ['@SHM@']))
    return rows


def connect_from_outside(h, _phase):
    over = threading.Event()

    def knock():
        while not over.is_set():
            with socket.socket() as s:
                s.settimeout(0.2)
                try:
                    s.connect(('127.0.0.1', h.ports['listen']))
                except OSError:
                    pass
            time.sleep(0.02)

    thread = threading.Thread(target=knock)
    thread.start()

    def stop():
        over.set()
        thread.join()
    return stop


NETLINK = {'usersock': 2, 'sock_diag': 4, 'xfrm': 6, 'selinux': 7, 'iscsi': 8, 'audit': 9, 'fib_lookup': 10, 'connector': 11,
           'netfilter': 12, 'uevent': 15, 'generic': 16, 'scsi': 18, 'rdma': 20, 'crypto': 21}
FAMILIES = {'ax25': 3, 'ipx': 4, 'appletalk': 5, 'netrom': 6, 'atmpvc': 8, 'x25': 9, 'rose': 11, 'key': 15, 'atmsvc': 20,
            'rds': 21, 'pppox': 24, 'llc': 26, 'ib': 27, 'can': 29, 'tipc': 30, 'bluetooth': 31, 'rxrpc': 33, 'phonet': 35,
            'caif': 37, 'alg': 38, 'nfc': 39, 'vsock': 40, 'kcm': 41, 'qipcrtr': 42, 'smc': 43, 'xdp': 44, 'mctp': 45}
DATAGRAM_FAMILIES = {'qipcrtr', 'rxrpc', 'phonet', 'mctp', 'llc', 'ipx', 'appletalk', 'ax25'}


def network(h):
    p = h.ports
    rows = [Row(name, ['127.0.0.1', p[server]], lacks=lacks) for name, server, lacks in (
        ('tcp', 'tcp4', None), ('tcp-fast-open', 'tcp4', None), ('udp', 'udp4', None), ('udp-sendto', 'udp4', None),
        ('udp-sendmsg', 'udp4', None), ('udp-lite', 'udplite', Lack('no UDP-Lite', *NO_FAMILY)),
        ('mptcp', 'tcp4', Lack('no MPTCP', 'ENOPROTOOPT', *NO_FAMILY)),
        ('sctp', 'sctp', Lack('no SCTP', *NO_FAMILY)), ('dccp', 'dccp', Lack('no DCCP', *NO_FAMILY)))]
    rows += [Row(name, ['::1', p[server]], lacks=NO_IPV6) for name, server in (('tcp', 'tcp6'), ('udp', 'udp6'))]
    rows += [Row(name, ['::ffff:127.0.0.1', p[server]], lacks=NO_IPV6)
             for name, server in (('tcp', 'tcp4'), ('udp', 'udp4'))]
    rows += [Row(name, [address, port], twin_args=['127.0.0.1', p['tcp4' if name == 'tcp' else 'udp4']])
             for name, address, port in (('tcp', '1.1.1.1', 443), ('udp', '1.1.1.1', 53), ('tcp', '169.254.169.254', 80),
                                         ('tcp', '192.0.2.1', 80), ('udp', '224.0.0.251', 5353))]
    up = OWN_NET + ['sh', '-c', 'ip link set lo up && echo "0 0" >/proc/sys/net/ipv4/ping_group_range && exec "$@"', 'sh']
    rows += [
        Row('listen', ['127.0.0.1', p['listen']], during=connect_from_outside),
        Row('listen', ['0.0.0.0', p['listen']], during=connect_from_outside),
        Row('ping', ['127.0.0.1', 0], prefix=up, lacks=Lack('no `ip`, or no ping sockets', 'not found', 'EACCES', *NO_FAMILY)),
        Row('crypto', [], lacks=Lack('no AF_ALG', *NO_FAMILY)),
        Row('socketpair', [30], lacks=Lack('no TIPC', *NO_FAMILY)),
    ]
    for text, args in (('raw', [2, 3, 1]), ('raw6', [10, 3, 58]), ('raw-ip', [2, 3, 255]), ('packet', [17, 3, 0x300]),
                       ('packet-datagram', [17, 2, 0x300]), ('old-packet', [2, 10, 0x300])):
        rows.append(Row('socket', args, prefix=OWN_NET, lacks=Lack(f'no {text} sockets', *NO_FAMILY)))
    rows += [Row('socket', [16, 3, n], lacks=Lack(f'no netlink {name}', *NO_FAMILY)) for name, n in NETLINK.items()]
    for name, number in FAMILIES.items():
        kind = 2 if name in DATAGRAM_FAMILIES else 5 if name in ('alg', 'rds') else 3 if name in (
            'bluetooth', 'xdp', 'can', 'key', 'nfc', 'ib') else 1
        protocol = {'bluetooth': 1, 'key': 2, 'can': 1, 'rxrpc': 2}.get(name, 0)
        rows.append(Row('socket', [number, kind, protocol],
                        lacks=Lack(f'no AF_{name.upper()} in this kernel, or not for this user', 'EPERM', 'EACCES', *NO_FAMILY)))
    links = [n for n in os.listdir('/sys/class/net') if n != 'lo']
    rows.append(Row('netlink-links', [links[0] if links else 'lo'], lacks=Lack('this host has no interface but lo', '.*')))
    rows.append(Row('knob-look', [f'/sys/class/net/{links[0]}/address' if links else '/sys/class/net/lo/address']))
    return rows


NEW = {'user': 0x10000000, 'mnt': 0x20000, 'pid': 0x20000000, 'net': 0x40000000, 'ipc': 0x08000000, 'uts': 0x04000000,
       'cgroup': 0x02000000, 'time': 0x80}


def kernel(h):
    MAYBE_NOT = Lack('not for this user, or not in this kernel', 'EPERM', 'ENOSYS')
    s = h.at('hidden/file')
    rows = [Row(name, [], lacks=lacks) for name, lacks in (
        ('io-uring', Lack('io_uring is off', 'ENOSYS', 'EPERM')), ('io-uring-enter', Lack('io_uring is off', 'ENOSYS', 'EPERM')), ('io-uring-register', Lack('io_uring is off', 'ENOSYS', 'EPERM')),
        ('bpf', NOT_ROOT), ('perf', Lack('no perf events', 'ENOSYS', 'ENOENT', 'EACCES', 'EPERM')),
        ('userfaultfd', Lack('no userfaultfd', 'ENOSYS', 'EPERM')), ('keyctl', NO_KEYRINGS),
        ('listener', Lack('no seccomp listeners', 'EINVAL', 'EBUSY')), ('kernel-log', NOT_ROOT), ('modify-ldt', Lack('no LDT', 'ENOSYS')),
        ('memfd-secret', Lack('no memfd_secret', 'ENOSYS')), ('acct', MAYBE_NOT), ('iopl', MAYBE_NOT), ('clock-settime', NOT_ROOT),
        ('fanotify', Lack('no fanotify for this user', 'EPERM', 'ENOSYS')), ('call-32-pid', NO_32),
        ('call-32-socket', NO_32), ('call-x32-pid', NO_X32),
        ('may-gain', None))]
    rows += [Row('watch-openers', [path]) for path in ('/usr/bin', h.at('ro'), h.at('rw'))]
    rows += [Row('personality', [hex(n)]) for n in (0x0040000, 0x0400000, 0x0008, 0x0100000)]
    rows += [Row('call-32-open', [s], lacks=NO_32), Row('call-x32-open', [s], lacks=NO_X32)]
    for name, flag in NEW.items():
        both = flag | NEW['user']
        for call in ('unshare', 'clone', 'clone3'):
            if name == 'time' and call == 'clone':
                continue  # the bit lies in the number of the exit signal there
            rows.append(Row(call, [hex(both)], lacks=NO_NAMESPACE if name in ('time', 'cgroup') else None))
            if name != 'user':
                rows.append(Row(call, [hex(flag)], prefix=OWN_ROOT,
                                lacks=NO_NAMESPACE if name in ('time', 'cgroup') else None))
    for target in ('self', '1', '@VICTIM@'):
        rows += [Row('setns', [target, name], twin_args=['self', 'uts'], prefix=OWN_ROOT + ['--uts'])
                 for name in ('user', 'mnt', 'net', 'pid', 'uts', 'ipc')]
        rows.append(Row('setns-pidfd', [target, hex(NEW['uts'])], twin_args=['self', hex(NEW['uts'])],
                        prefix=OWN_ROOT + ['--uts']))
    rows += [
        Row('host-name', [], prefix=OWN_ROOT + ['--uts']),
        Row('capabilities', [], prefix=OWN_ROOT),
        Row('drop-groups', [], lacks=NOT_ROOT),
    ]
    rows += [Row('become', [n], twin_args=[0], prefix=OWN_ROOT) for n in (0, 1, 65534) if n != os.getuid()]
    rows += [Row('become-group', [n], twin_args=[0], prefix=OWN_ROOT) for n in (0, 1) if n != os.getgid()]
    return rows


def loader_of(program):
    with open(program, 'rb') as f:
        m = re.search(rb'/lib[0-9a-z/_-]*/ld-[a-z0-9._-]+', f.read(4096))
    return m.group(0).decode() if m else '/lib64/ld-linux-x86-64.so.2'


def execution(h):
    home, rows = os.path.expanduser('~'), []
    loader = loader_of(h.dynamic)
    see_bin = ['--read', h.bin]
    for place in (h.at('rw'), '/tmp', '/var/tmp', home, '/dev/shm'):
        twin = [h.at('rw')]
        rows += [Row(name, [place], twin_args=twin, reset=True,
                     lacks=Lack('no O_TMPFILE', 'EOPNOTSUPP', 'EISDIR') if name == 'exec-nameless' else None)
                 for name in ('exec-file', 'exec-file-fd', 'exec-file-proc', 'exec-nameless', 'exec-script', 'code-file-twice',
                              'code-file')]
        rows.append(Row('exec-loader', [place, h.dynamic, loader], see_bin, twin_args=twin + [h.dynamic, loader], reset=True))
        rows.append(Row('exec-preload', [place, h.marker_so, '/usr/bin/true'], see_bin,
                        twin_args=twin + [h.marker_so, '/usr/bin/true'], reset=True))
    for name in ('exec-file', 'exec-file-fd', 'exec-script'):
        rows.append(Row(name, [h.at('rw')], reset=True, granted=['--work', h.at('rw')]))
    rows += [Row(name, []) for name in ('exec-memfd', 'exec-memfd-proc')]
    jit = ['--jit']
    for name in ('code-both', 'code-private', 'code-shared', 'code-pkey', 'code-heap', 'code-stack', 'code-copied',
                 'code-none-first', 'code-memfd-twice', 'code-sealed-twice', 'code-shm-twice', 'code-remapped',
                 'code-proc-mem', 'code-vm-write', 'code-traced', 'code-persona', 'code-map-files'):
        granted = jit if name in ('code-both', 'code-private', 'code-shared', 'code-heap', 'code-copied') else None
        lacks = {'code-map-files': NOT_ROOT,
                 'code-sealed-twice': Lack('MFD_NOEXEC_SEAL is of Linux 6.3', 'EINVAL'),
                 'code-pkey': Lack('no protection keys', 'ENOSPC', 'EINVAL', 'ENOSYS')}.get(name)
        rows.append(Row(name, [], granted=granted, lacks=lacks))
    for path in h.other_programs:
        # the probe itself as somebody else: bare, an ordinary user becomes that
        rows.append(Row('exec-other', [path], ['--read', os.path.dirname(path), '--run', path], prefix=h.as_ordinary))
    return rows


def devices(h):
    block = sorted(glob.glob('/sys/block/*/dev'))
    major, minor = '7', '0'
    names = ['kvm', 'mem', 'port', 'loop-control', 'loop0', 'fuse', 'net/tun', 'kmsg', 'vsock', 'vhost-net', 'vhost-vsock',
             'userfaultfd', 'tty0', 'tty1', 'console', 'ttyS0', 'hwrng', 'vga_arbiter', 'cpu_dma_latency', 'btrfs-control',
             'autofs', 'snapshot', 'uinput', 'rfkill', 'mapper/control', 'dri/card0', 'snd/timer', 'zram0'] + \
            [os.path.basename(os.path.dirname(b)) for b in block[:4]]
    rows = [Row('device-open', ['/dev/' + n], lacks=NO_DEVICE)
            for n in dict.fromkeys(names) if os.path.exists('/dev/' + n)]
    rows += [Row('device-open-both', ['/dev/' + n], lacks=NO_DEVICE)
             for n in ('kvm', 'fuse', 'net/tun', 'vsock') if os.path.exists('/dev/' + n)]
    for place in (h.at('rw'), '/tmp', '/dev', '/dev/shm'):
        rows += [Row('node-character', [place, 1, 3], twin_args=[h.at('rw'), 1, 3], lacks=NOT_ROOT, reset=True),
                 Row('node-block', [place, major, minor], twin_args=[h.at('rw'), major, minor], lacks=NOT_ROOT, reset=True)]
    if h.node:
        rows.append(Row('device-open', [h.node], ['--read', os.path.dirname(h.node)]))
    rows += [Row('knob-turn', [p], lacks=NOT_ROOT) for p in (
        '/proc/sys/vm/swappiness', '/proc/sys/kernel/core_pattern', '/proc/sys/kernel/hostname', '/proc/sys/kernel/modprobe',
        '/proc/sys/fs/file-max', '/proc/sys/kernel/pid_max', '/proc/sys/kernel/randomize_va_space',
        '/proc/sys/net/ipv4/ip_forward', '/proc/self/oom_score_adj',
        '/proc/self/timerslack_ns', '/proc/self/coredump_filter', '/sys/kernel/uevent_helper',
        '/sys/kernel/mm/ksm/run') if os.path.exists(p)]
    rows += [
        # bare it is the namespace's own, which its owner may turn
        Row('knob-turn', ['/proc/sys/user/max_user_namespaces'], prefix=OWN_ROOT),
        Row('knob-put', ['/proc/sysrq-trigger', 'h'],
            lacks=NOT_ROOT if os.path.exists('/proc/sysrq-trigger') else Lack('no such knob in this kernel', 'ENOENT')),
        Row('knob-put', ['/dev/kmsg', '<7>ambit hostile test\n'], lacks=NOT_ROOT),
        Row('knob-put', ['/proc/self/clear_refs', '1']),
    ]
    return rows


def limits(h):
    rw, rows = h.at('rw'), []
    for name in ('limit-processes', 'limit-orphans', 'limit-threads'):
        rows.append(Row(name, [150], ['--limit', 'tasks=40'], limit=True, granted=['--limit', 'tasks=200']))
        rows.append(Row(name, [1500], limit=True, twin_args=[150]))  # the default is 1024
    for name in ('limit-memory', 'limit-memory-shared', 'limit-memory-memfd', 'limit-memory-sysv', 'limit-memory-heap',
                 'limit-memory-spread', 'limit-memory-pipes'):
        if name == 'limit-memory-pipes':
            # bounded by descriptors and by the user's soft quota of pipe pages
            rows.append(Row(name, [400], ['--limit', 'memory=96M,files=4096'], limit=True, twin_args=[16]))
            continue
        rows.append(Row(name, [320], ['--limit', 'memory=96M'], limit=True,
                        granted=None if name == 'limit-memory-memfd' else ['--limit', 'memory=1G']))
    for place in ('/tmp', os.path.expanduser('~'), '/dev/shm'):
        for name in ('limit-disk', 'limit-disk-many', 'limit-disk-unlinked', 'limit-disk-reserved'):
            rows.append(Row(name, [place, 320], ['--limit', 'memory=96M'], limit=True, twin_args=[rw, 40], reset=True))
    for name in ('limit-disk', 'limit-disk-many', 'limit-disk-unlinked', 'limit-disk-reserved'):
        rows.append(Row(name, [rw, 200], ['--limit', 'disk=32M'], limit=True, reset=True,
                        granted=None if name == 'limit-disk-reserved' else ['--write', rw, '--limit', 'disk=1G']))
    rows += [Row('limit-disk-reserved-command', [rw, 200, command], ['--limit', 'disk=32M'], limit=True, reset=True,
                 lacks=Lack('this file system cannot reserve', 'EOPNOTSUPP', 'ENOTTY'))
             for command in ('0x40305828', '0x4030582a', '0x40305839')]  # FS_IOC_RESVSP, FS_IOC_RESVSP64, FS_IOC_ZERO_RANGE
    rows += [
        Row('limit-disk-hole', [rw, 1024], limit=True, reset=True),
        Row('limit-disk-hole', ['/tmp', 1024], limit=True, twin_args=[rw, 1024], reset=True),
        Row('limit-descriptors', [200], ['--limit', 'files=64'], granted=['--limit', 'files=512']),
        # sampled: what passes until the sampler looks again is bounded by time, not by number
        Row('limit-output', [1024], ['--limit', 'output=1M'], limit=True, twin_args=[16],
            won=lambda h, r: r.succeeded() or len(r.out) > 256 << 20),
        Row('limit-output', [16], ['--limit', 'output=1M'], limit=True, granted=['--limit', 'output=64M'],
            won=lambda h, r: r.succeeded() and r.status == 0),
    ]
    for name in ('limit-spin', 'limit-spin-deaf', 'limit-spin-everywhere', 'limit-sleep', 'limit-stopped'):
        rows.append(Row(name, [3], ['--limit', 'wall=700ms'], limit=True, status=124, twin_args=[1],
                        won=lambda h, r: r.succeeded() or r.seconds > 2.2, granted=['--limit', 'wall=9s']))
    rows.append(Row('limit-spin', [12], ['--limit', 'cpu=1s'], limit=True, twin_args=[1],
                    won=lambda h, r: r.succeeded() or r.seconds > 11))  # of a processor that others use, too
    for which in (1, 4, 6, 7):  # FSIZE, CORE, NPROC, NOFILE; DATA (2) is set only where no control group counts memory
        rows.append(Row('limit-raise', [which], ['--limit', 'memory=1G,tasks=64,files=64,disk=1G'],
                        prefix=['sh', '-c', 'ulimit -S -c 0; exec "$@"', 'sh'],
                        lacks=Lack('a limit stands on this machine already', 'EPERM')))
    rows += [Row('limit-core-of-0', [how], lacks=Lack('no such call here', 'ENOSYS') if how == 'setrlimit' else None)
             for how in ('setrlimit', 'prlimit', 'address')]
    rows += [
        Row('daemon', [h.at('rw/stayed'), 'x'], reset=True, won=lambda h, r: stays(h)),
        Row('core-dump', [rw], reset=True, prefix=['sh', '-c', 'ulimit -c unlimited; exec "$@"', 'sh'],
            lacks=Lack('core dumps are off on this machine', 'EPERM')),
    ]
    return rows


def stays(h):
    time.sleep(1.3)
    return os.path.exists(h.at('rw/stayed'))


def races(h):
    rows = [Row(name, [h.at('ga', file), h.at('gb', file), n], ['--work', h.at('ga')], reset=True) for name, file, n in (
        ('race-path', 'file', 100000), ('race-path-openat2', 'file', 30000), ('race-path-readlink', 'link', 30000),
        ('race-path-execve', 'prog', 1000))]
    rows.append(Row('race-path-connect', [h.at('sc/sock-stream'), h.unix_name('sb', 'stream'), 20000]))
    rows += [
        Row('race-name-read', [h.at('hidden/file'), h.at('rw'), 30000], reset=True),
        Row('race-directory-read', [h.at('hidden'), h.at('rw'), 30000], reset=True),
        Row('race-name-write', [h.at('hidden/file'), h.at('rw'), 30000], reset=True),
        Row('race-name-write', [h.at('ro/sub/file'), h.at('rw'), 30000], reset=True),
        Row('race-name-truncate', [h.at('hidden/file'), h.at('rw'), 30000], reset=True),
        Row('race-name-truncate', [h.at('ro/sub/file'), h.at('rw'), 30000], reset=True),
        Row('race-how', [h.at('ro/sub/file'), '-', 30000], reset=True),
    ]
    return rows


def all_rows(h, names):
    topics = (('read', reading(h)), ('oracle', oracles(h, [n for n in names if n.startswith('oracle-')])),
              ('write', writing(h)), ('mount', mounting(h)), ('process', processes(h)), ('inherit', inheriting(h)),
              ('ipc', ipc(h)), ('net', network(h)), ('kernel', kernel(h)), ('exec', execution(h)), ('device', devices(h)),
              ('limit', limits(h)), ('race', races(h)))
    return [(topic, row) for topic, rows in topics for row in rows]
