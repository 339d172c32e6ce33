"""What programs do with files: each system call and each habit of tools that an overlay could do otherwise."""

import os

from bare import Scenario, python
from harness import Skip
from work_rows import *

TREE = """
mkdir -p dir/deep/er other empty; echo one > a; echo two > b; echo three > dir/c; echo four > dir/deep/d; echo five > dir/deep/er/e
ln -s a link; ln -s nowhere dangling; ln -s dir dirlink; chmod 700 empty; chmod 640 b; seq 20000 > big; truncate -s 1M hole; echo x >> hole
"""
LIBC = """
import ctypes, os, stat, sys, errno, fcntl, mmap, struct
libc = ctypes.CDLL(None, use_errno=True)
AT = -100
def call(name, *words):
    r = getattr(libc, name)(*[ctypes.c_long(w) if isinstance(w, int) else w for w in words])
    e = ctypes.get_errno()
    print(name, 'ok' if r >= 0 else errno.errorcode[e])
    return r
def exchange(a, b, how): return call('renameat2', AT, a.encode(), AT, b.encode(), how)
def tried(what, *words):
    try:
        r = what(*words)
        print(what.__name__, words, 'ok')
        return r
    except OSError as e:
        print(what.__name__, words, errno.errorcode[e.errno])
"""


def need_root():
    if os.geteuid() != 0:
        raise Skip("only root can do that bare, too")


def need_ordinary():
    if os.geteuid() == 0:
        raise Skip("root may read everything")


def files(name, script, before=TREE, **more):
    return Scenario(name, script, before=before, **more)


def calls(name, code, **more):
    return files(name, python(LIBC + code), needs=("python3",), **more)


SCENARIOS = [
    # ---- names ----
    files("names: not UTF-8, long, odd", r"""
        touch "$(printf 'latin\351')" "$(printf 'nl\nx')" "$(printf 'tab\tx')" "$(printf '\377\376')" -- '-rf' '*' '.hidden' ' lead' 'trail ' 'q"x' "q'x" '#wh' '\back'
        long=$(printf '%0255d' 0); echo long > $long; mkdir ${long%0}1; echo in > ${long%0}1/$long
        mv a "$(printf 'moved\351')"; rm "$(printf 'b')"; echo x > .wh.b; echo y > .wh..wh..opq"""),
    files("names: odd ones changed and removed", r"""
        echo more >> "$(printf 'latin\351')"; rm "$(printf 'nl\nx')"; mv "$(printf '\377')" "$(printf '\376')"; chmod 600 .wh.x""",
          before=r"""echo 1 > "$(printf 'latin\351')"; echo 2 > "$(printf 'nl\nx')"; echo 3 > "$(printf '\377')"; echo 4 > .wh.x"""),
    files("names: differing in case only", "mv a A; echo B > B; mkdir DIR Other; echo x > DIR/c; mv dir/c dir/C; mv dir/C dir/c; ls"),
    files("deep trees", python("""
import os
fd = os.open('.', os.O_RDONLY)
for level in range(150):
    name = 'level%03d' % level
    os.mkdir(name, dir_fd=fd); fd = os.open(name, os.O_RDONLY, dir_fd=fd)
    os.close(os.open('file', os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=fd))
""") + "find . -name file | wc -l"),
    files("a deep tree is removed", "rm -r l; ls",
          before=python("import os\np = '.'\nfor n in range(150):\n    p += '/l'\n    os.mkdir(p)\n    open(p + '/f', 'w').close()")),
    # ---- renames ----
    files("mv of directories", "mv dir moved; mv moved/deep .; mv empty other/; mkdir new; echo n > new/n; mv new other/new; mv other/new again; ls -R"),
    files("mv of files over others", "mv a b; mv big dir/c; mv -n link b; mv dir/deep/d .; mv -f hole dir/deep/d; mv dangling link"),
    calls("rename(2) of a directory", "tried(os.rename, 'dir', 'moved')\ntried(os.rename, 'empty', 'other')\nos.mkdir('n'); tried(os.rename, 'n', 'm')",
          differs={RENAME: ["said: ", "^(dir|moved|empty|other)"]}),
    calls("rename(2) of files and new directories", """
tried(os.rename, 'a', 'b'); tried(os.rename, 'dir/c', 'c'); tried(os.rename, 'link', 'dangling'); tried(os.rename, 'c', 'dir')
os.makedirs('n/deep'); open('n/deep/f', 'w').close(); tried(os.rename, 'n', 'm'); tried(os.rename, 'm', 'empty'); tried(os.rename, 'empty/deep', 'other/deep')
tried(os.rename, 'other', 'other/in'); tried(os.rename, 'nothing', 'x')"""),
    calls("renameat2: EXCHANGE, NOREPLACE, WHITEOUT", """
exchange('a', 'b', 2); exchange('link', 'big', 2); exchange('a', 'b', 1); exchange('b', 'fresh', 1); exchange('a', 'nothing', 2)
os.mkdir('n'); exchange('n', 'a', 2); exchange('a', 'n', 3)
print(os.path.isdir('a'), open('n').read())"""),
    calls("renameat2: WHITEOUT", "exchange('a', 'c', 4)", differs={WHITEOUT: ["said", "^(a|c|):"]}),
    calls("renameat2: EXCHANGE of directories", "exchange('dir', 'other', 2)", differs={RENAME: ["said", "^(dir|other|): |^(dir|other)/"]}),
    files("python: move, copytree, rmtree", python("""
import shutil, os
shutil.move('dir', 'moved'); shutil.copytree('moved', 'copy', symlinks=True); shutil.rmtree('moved/deep'); shutil.move('a', 'other/a')
shutil.copy2('b', 'b2'); shutil.copyfile('big', 'a'); os.replace('b', 'a'); shutil.copytree('copy', 'other', dirs_exist_ok=True); shutil.rmtree('empty')"""),
          needs=("python3",)),
    files("a directory becomes a file, and a file a directory",
          "rm -r dir; echo now > dir; rm a; mkdir a; echo in > a/x; rm -r other; ln -s b other; rm link; mkdir link; rm dirlink; mkfifo dirlink"),
    files("everything is removed and made again", "rm -rf ./* ; mkdir dir; echo 1 > a; echo 2 > dir/c; mkdir -p dir/deep"),
    files("directories made anew in directories made anew", "rm -r dir; mkdir -p dir/deep/er; echo new > dir/deep/er/new"),
    calls("a directory made anew has nothing of the old one", "import shutil\nshutil.rmtree('dir'); os.mkdir('dir'); shutil.rmtree('other'); os.mkdir('other', 0o700)",
          before=TREE + "chmod 711 dir; python3 -c 'import os; os.setxattr(\"dir\", \"user.was\", b\"x\"); os.setxattr(\"other\", \"user.was\", b\"x\")'\n"),
    files("everything is removed", "rm -rf ./* ./.[!.]*"),
    # ---- links ----
    files("hard links that are new", "ln a a2; ln dir/c other/c; echo n > n; ln n n2; echo more >> n2; ln -f n b; cp -al other other2; mv n2 n3"),
    files("hard links, one name written", "echo more >> h1; chmod 600 k2; ls", before="echo h > h1; ln h1 h2; ln h1 h3; echo k > k1; ln k1 k2; echo s > s1; ln s1 s2",
          differs={LINKS: ["^h[23]: ", "^k[12]: "]}),
    files("hard links, one name removed, moved or replaced", "rm h1; mv k1 k9; echo new > s.tmp; mv s.tmp s1",
          before="echo h > h1; ln h1 h2; ln h1 h3; echo k > k1; ln k1 k2; echo s > s1; ln s1 s2", differs={LINKS: ["^k[29]: "]}),
    calls("hard links: numbers and counts", """
os.link('a', 'n'); x, y = os.stat('a'), os.stat('n'); print(x.st_nlink, y.st_nlink, x.st_dev == y.st_dev); print(x.st_ino == y.st_ino)
open('n', 'a').write('more'); print(open('a').read(), os.stat('a').st_size)
open('m1', 'w').close(); os.link('m1', 'm2'); print(os.path.samefile('m1', 'm2'))""", differs={NUMBER: ["said: 'True', staged 'False'"]}),
    files("cp -al, and tools that link from a store", """
        mkdir -p store node_modules/.pnpm; for i in 1 2 3 4 5; do echo package $i > store/$i; ln store/$i node_modules/.pnpm/$i; ln -s .pnpm/$i node_modules/p$i; done
        cp -al store copy; cp -al dir dir2; rm store/1; echo patched > t; mv t node_modules/.pnpm/2; cat node_modules/p*"""),
    files("symbolic links", "ln -sfn other dirlink; ln -s /etc/passwd out; ln -s ../.. up; rm link; ln -s b link; ln -s \"$(printf '%01000d' 0)\" far; touch -h -d 2003-03-03 dangling; ln -s far near; touch -h -d 2004-04-04 near",
          differs={SYMLINK: ["^dangling: time"]}),
    files("symbolic links made anew", "rm link; ln -s a link; ln -sfn dir dirlink", differs={SYMLINK: ["^(link|dirlink|): time 'now'"]}),
    # ---- kinds ----
    calls("fifos and sockets", """
import socket, threading
os.mkfifo('fifo'); os.mkfifo('dir/fifo2', 0o600); s = socket.socket(socket.AF_UNIX); s.bind('socket'); s.listen()
t = threading.Thread(target=lambda: open('fifo', 'w').write('through')); t.start(); print(open('fifo').read()); t.join()
c = socket.socket(socket.AF_UNIX); c.connect('socket'); s.accept()[0].send(b'hello'); print(c.recv(9))
os.chmod('socket', 0o600); os.rename('fifo', 'fifo3'); os.link('dir/fifo2', 'fifo4')"""),
    files("fifos and sockets that were there before", "rm f1; mv f2 f3; chmod 600 s1; rm s2; (echo x > f4) & cat f4; wait", differs={PIPE: ["^f4: time"]},
          before=python("import os, socket\nfor n in '124': os.mkfifo('f' + n)\nfor n in '12': socket.socket(socket.AF_UNIX).bind('s' + n)")),
    calls("device files", "tried(os.mknod, 'null', stat.S_IFCHR | 0o666, os.makedev(1, 3))\ntried(os.mknod, 'zero', stat.S_IFCHR, 0)",
          check=need_root, differs={DEVICE: ["said: ", "^(null|zero|): "]}),
    calls("mode bits", """
for n, m in (('dir', 0o1777), ('other', 0o500), ('big', 0o400), ('empty', 0o555), ('link', 0o600)): tried(os.chmod, n, m)
os.chmod('a', 0o755); os.chmod('b', 0o711)"""),
    files("setuid and setgid", "chmod u+s a && echo u; chmod 2755 b && echo g; chmod g+s dir && echo d; true",
          differs={SETUID: ["said: '", "^(a|b|dir): mode"]}),
    files("chmod -R", "chmod -R go-rwx .; chmod -R a-w dir; chmod 400 b; chmod 555 other"),
    files("a file that its owner may not read", "echo x > n; chmod 000 n", check=need_ordinary, differs={UNREADABLE: ["it fails with 123", "^(n|): "]}),
    files("a directory that its owner may not read", "chmod 111 other", check=need_ordinary, differs={UNREADABLE: ["it fails with 123", "^other: "]}),
    files("a directory that its owner may not enter", "chmod 600 other", check=need_ordinary, differs={UNREADABLE: ["it fails with 123", "^other: "]}),
    files("umask", "umask 077; echo n > n; mkdir m; umask 002; echo o > o; mkdir p; install -m 751 a q; mkdir -m 1777 s"),
    calls("owners", "os.chown('a', os.getuid(), os.getgid()); tried(os.chown, 'link', -1, -1, )\nos.chmod('b', 0o777); os.chown('b', -1, os.getgid())"),
    files("owners: another", "chown 1:1 a && echo changed; chgrp 2 b && echo changed; true", check=need_root, differs={OWNER: ["said: 'changed'", "^[ab]: owner"]}),
    # ---- times ----
    files("times that are set", """
        touch -d 2001-02-03T04:05:06.123456789 a; cp -p a a2; touch -r a dir/c; touch -d '1970-01-01' b; touch -d 2038-02-01 big; touch -d 1960-01-01 link
        cp -a dir dir2; touch -d 2005-05-05 other dir; mkdir n; touch -d 2006-06-06 n; touch hole"""),
    files("tar", "tar cf a.tar dir a link big; mkdir x y; tar xpf a.tar -C x; tar xf a.tar -C y --no-same-permissions; tar xf a.tar --overwrite; rm a.tar"),
    files("zip and unzip", "zip -qry a.zip dir a link; mkdir x; unzip -q a.zip -d x; rm link; unzip -qo a.zip; rm a.zip", needs=("zip", "unzip"), differs={SYMLINK: ["^link: time"]}),
    files("rsync", "rsync -a dir/ copy/; rsync -a --delete other/ dir/; rsync -aH --inplace big copy/c; rsync -a --link-dest=$PWD/copy copy/ linked/", needs=("rsync",)),
    files("cp in all ways", "mkdir copy; cp -a [!c]* copy; cp -al dir d2; cp -as $PWD/dir d3; cp --sparse=always big s; cp --reflink=auto big r; cp -rT dir other; cp -P dirlink l2; cp --backup=numbered a b"),
    # ---- writing ----
    calls("a descriptor that is held while another writes", """
f = open('a'); w = open('a', 'a'); w.write('more\\n'); w.flush(); print(f.read())
g = open('b', 'r+'); h = open('b'); g.write('TWO'); g.flush(); print(h.read())
os.rename('a', 'z'); w.write('late\\n'); w.flush(); print(open('z').read()); os.unlink('z'); w.write('gone'); w.close(); print(os.fstat(g.fileno()).st_nlink)"""),
    calls("mmap", """
with open('big', 'r+b') as f:
    m = mmap.mmap(f.fileno(), 0); m[0:5] = b'MMAP!'; m[-3:] = b'END'; m.flush(); m.close()
with open('n', 'w+b') as f:
    f.truncate(1 << 20); m = mmap.mmap(f.fileno(), 0); m[5000:5003] = b'abc'; m.close()
with open('b', 'r+b') as f:
    m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_COPY); m[0:3] = b'own'; print(m[:]); m.close()
print(open('big').read(5), open('b').read())"""),
    calls("mmap that is shared with what was there before", """
r = open('a', 'rb'); old = mmap.mmap(r.fileno(), 0, prot=mmap.PROT_READ); f = open('a', 'r+b'); f.write(b'ONE'); f.flush(); print(old[:])""",
          differs={MAPPED: ["said: "]}),
    calls("O_TMPFILE and linkat", """
fd = os.open('.', os.O_TMPFILE | os.O_RDWR, 0o640); os.write(fd, b'tmp'); os.link(f'/proc/self/fd/{fd}', 'n', src_dir_fd=0, follow_symlinks=True)
fd = os.open('dir', os.O_TMPFILE | os.O_RDWR | os.O_EXCL, 0o600); os.write(fd, b'x'); tried(os.link, f'/proc/self/fd/{fd}', 'no')"""),
    calls("fallocate, holes and truncate", """
with open('big', 'r+b') as f:
    call('fallocate', f.fileno(), 3, 8192, 16384)
with open('n', 'w+b') as f:
    f.write(b'n' * 50000); f.flush(); call('fallocate', f.fileno(), 3, 4096, 4096); os.posix_fallocate(f.fileno(), 0, 100000)
os.truncate('b', 2); os.truncate('a', 100000); os.truncate('dir/c', 0)
with open('sparse', 'wb') as f:
    f.seek(10 << 20); f.write(b'x'); f.truncate(20 << 20)"""),
    calls("fallocate: reserving, zeroing, collapsing, inserting", """
with open('n', 'w+b') as f:
    call('fallocate', f.fileno(), 0, 0, 1 << 20); call('fallocate', f.fileno(), 1, 0, 2 << 20); call('fallocate', f.fileno(), 0x10, 0, 4096)
    call('fallocate', f.fileno(), 8, 0, 65536); call('fallocate', f.fileno(), 0x20, 0, 4096)""", differs={RESERVE: ["^said: ", "^n: "]}),
    files("a sparse file that was there before", "echo more >> hole; chmod 600 hole2; mv hole3 dir/; cp --sparse=always hole hole4; fallocate -d big",
          before=TREE + "truncate -s 30M hole2 hole3; echo end >> hole2; echo end >> hole3\n"),
    calls("copy_file_range, sendfile and splice", """
a, b = open('big', 'rb'), open('n', 'wb')
print(os.copy_file_range(a.fileno(), b.fileno(), 5000, 10)); print(os.sendfile(b.fileno(), a.fileno(), 0, 7000))
r, w = os.pipe(); print(os.splice(a.fileno(), w, 4000) > 0 and os.splice(r, b.fileno(), 4000) > 0) if hasattr(os, 'splice') else print(True)
c = open('dir/c', 'r+b'); print(os.copy_file_range(a.fileno(), c.fileno(), 100, 0, 3)); print(call('ioctl', b.fileno(), 0x40049409, a.fileno()) >= 0)"""),
    calls("locks", """
import multiprocessing as mp, subprocess
f = open('a', 'r+'); fcntl.flock(f, fcntl.LOCK_EX)
other = "import fcntl,sys\\nf = open('a', 'r+')\\ntry:\\n    fcntl.%s(f, fcntl.LOCK_EX | fcntl.LOCK_NB); print('had')\\nexcept OSError: print('busy')"
print(subprocess.run([sys.executable, '-c', other % 'flock'], capture_output=True, text=True).stdout)
fcntl.flock(f, fcntl.LOCK_UN); fcntl.lockf(f, fcntl.LOCK_EX, 10); print(subprocess.run([sys.executable, '-c', other % 'lockf'], capture_output=True, text=True).stdout)
f.write('locked'); f.flush(); r = open('b'); fcntl.flock(r, fcntl.LOCK_SH); w = open('b', 'a'); fcntl.flock(w, fcntl.LOCK_SH); w.write('x')
tried(fcntl.fcntl, f.fileno(), 1024, fcntl.F_RDLCK) if False else None"""),
    calls("a lock of a file that was there before is seen by who opens it to write", """
r = open('a'); fcntl.flock(r, fcntl.LOCK_EX); w = open('a', 'r+')
try: fcntl.flock(w, fcntl.LOCK_EX | fcntl.LOCK_NB); print('had')
except OSError: print('busy')"""),
    calls("O_DIRECT, O_SYNC, O_APPEND, O_EXCL", """
b = mmap.mmap(-1, 4096); b[:] = b'd' * 4096; fd = os.open('n', os.O_CREAT | os.O_WRONLY | os.O_DIRECT | os.O_SYNC, 0o644); print(os.write(fd, b)); os.fsync(fd)
tried(os.open, 'a', os.O_CREAT | os.O_EXCL | os.O_WRONLY); tried(os.open, 'link', os.O_NOFOLLOW); fd = os.open('a', os.O_APPEND | os.O_WRONLY); os.pwrite(fd, b'app', 0)
tried(os.open, 'dir', os.O_WRONLY); tried(os.open, 'dirlink/new', os.O_CREAT | os.O_WRONLY, 0o600); os.sync()"""),
    calls("reading a directory while it changes", """
seen = sorted(e.name for e in os.scandir('.')); print(seen, [e.is_dir() for e in sorted(os.scandir('.'), key=lambda e: e.name)])
for i in range(300): open(f'other/f{i:03}', 'w').close()
for e in os.scandir('other'): os.unlink(e.path)
print(os.listdir('other')); os.rmdir('other'); tried(os.rmdir, 'dir'); tried(os.unlink, 'dir'); tried(os.mkdir, 'dir')
print(sorted(os.listdir('.')), os.stat('dir').st_nlink >= 1)"""),
    calls("watching with inotify", """
fd = libc.inotify_init1(0o4000); libc.inotify_add_watch(fd, b'dir', 0x3ce); open('dir/new', 'w').close(); os.rename('dir/new', 'dir/newer'); os.unlink('dir/newer'); os.chmod('dir/c', 0o600)
data = os.read(fd, 4096); masks = []
while data:
    _, mask, _, n = struct.unpack('iIII', data[:16]); masks.append((mask, data[16:16 + n].rstrip(b'\\0'))); data = data[16 + n:]
print(masks)"""),
    files("running what was built", "printf '#!/bin/sh\\necho script\\n' > s; chmod +x s; ./s; cp /bin/true t; ./t; (cp t t2; ./t2); mv t dir/; dir/t; ln dir/t u; ./u"),
    # ---- attributes ----
    calls("extended attributes", """
for n in ('a', 'dir', 'big'): tried(os.setxattr, n, 'user.one', b'1'); tried(os.setxattr, n, 'user.zwei', bytes(range(256)) * 3)
tried(os.setxattr, 'a', 'user.one', b'2', os.XATTR_CREATE); tried(os.setxattr, 'a', 'user.none', b'', os.XATTR_REPLACE)
tried(os.removexattr, 'x', 'user.was'); tried(os.setxattr, 'x2', 'user.was', b'new'); print(os.listxattr('x'), os.listxattr('x3'), sorted(os.listxattr('a')))
open('x3', 'a').write('more'); tried(os.setxattr, 'a', 'user.overlay.origin', b'1') if False else None; tried(os.getxattr, 'b', 'user.none')
os.rename('x4', 'x5'); os.chmod('xd', 0o700)""", before=TREE + python(
        "import os\nfor n in ('x', 'x2', 'x3', 'x4'):\n    open(n, 'w').close(); os.setxattr(n, 'user.was', b'old')\nos.mkdir('xd'); os.setxattr('xd', 'user.was', b'd')")),
    calls("attributes of an overlay", "tried(os.setxattr, 'a', 'user.overlay.opaque', b'y')\ntried(os.setxattr, 'dir', 'user.overlay.whiteout', b'y')\nprint(os.listxattr('dir'))",
          differs={RESERVED: ["^(a|dir): attributes"]}),
    files("access control lists", "setfacl -m u:$(id -u):r a; setfacl -d -m g:$(id -g):rx dir; echo n > dir/n; getfacl -cn a | wc -l", needs=("setfacl",)),
    files("access control lists that were there before", "echo more >> a; chmod 640 b; echo n > dir/n; mv a a2", needs=("setfacl",),
          before=TREE + "setfacl -m u:$(id -u):r a b; setfacl -d -m g:$(id -g):rx dir\n"),
    files("access control lists that name others, as root", "echo more >> a && echo done", needs=("setfacl",), check=need_root,
          before=TREE + "setfacl -m u:daemon:r a\n", differs={ACL: ["it fails with 2", "^a: ", "^said"]}),
    files("access control lists that name others", "echo more >> a && echo done", needs=("setfacl",), check=need_ordinary,
          before=TREE + "setfacl -m u:daemon:r a\n"),
    files("files of another owner or group, as root", "for f in a b other/new; do (echo more >> $f) 2>/dev/null && echo done || echo no; done; cat a b dir/c; echo x > mine", check=need_root,
          before=TREE + "chgrp daemon a; chown daemon b; chgrp daemon other\n", differs={OTHERS: ["^a: ", "^b: ", "^other", "^said"]}),
    files("many new keys", "mkdir keys; for n in $(seq 1001); do : > keys/$n.key; done",
          differs={FLOOD: ["it fails with 123", "^keys", r"^: "]}),
    files("fewer new keys", "mkdir keys; for n in $(seq 1000); do : > keys/$n.key; done"),
    calls("flags of chattr", """
import array
b = array.array('i', [0]); f = os.open('a', os.O_RDONLY); fcntl.ioctl(f, 0x80086601, b)
b[0] |= 0x80; call('ioctl', f, 0x40086602, b.buffer_info()[0])"""),
    # ---- habits of editors ----
    files("sed -i, perl -i, ed", "sed -i s/one/eins/ a link; sed -i.bak s/two/zwei/ b; perl -pi -e 's/three/drei/' dir/c; perl -i.orig -pe 's/4/vier/' big; sed -i --follow-symlinks s/eins/uno/ link",
          needs=("perl",)),
    files("vim with backupcopy=no", "vim -es -u NONE -N -i NONE -c 'set backupcopy=no' -c '%s/one/eins/' -c wq a; vim -es -u NONE -N -i NONE -c 'set backupcopy=no backup' -c '$s/$/!/' -c wq dir/c < /dev/null", needs=("vim",)),
    files("vim with backupcopy=yes", "vim -es -u NONE -N -i NONE -c 'set backupcopy=yes' -c '%s/one/eins/' -c wq a; vim -es -u NONE -N -i NONE -c 'set backupcopy=yes' -c '%s/two/zwei/' -c wq b; vim -es -u NONE -N -i NONE -c 'set backupcopy=auto undofile' -c '%s/three/drei/' -c wq dir/c",
          needs=("vim",), blur=[r"\.un~$"]),
    files("writing beside and renaming over", "for f in a b dir/c link; do echo new > $f.tmp; mv $f.tmp $f; done; echo x > dir/.tmp; mv -T dir/.tmp dir/deep/d; dd if=/dev/zero of=big bs=4k count=2 conv=notrunc,fsync seek=1 2>/dev/null"),
    files("the same content written again", "cat a > t; cat t > a; rm t; cp b b; cp -p dir/c dir/c.tmp; mv dir/c.tmp dir/c; touch big; truncate -s +0 hole || true" .replace("cp b b; ", "")),
    files("small steps: patch, diff, split, sort -o, tee -a", "cp b b2; echo more >> b2; diff b b2 > p || true; patch -s b p; split -b 1000 big part.; sort -r -o big big; echo t | tee -a a dir/c; shuf --random-source=big a > dir/shuf; install -D a new/deep/er/a",
          needs=("patch",)),
]
