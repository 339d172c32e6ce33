"""Trees as tests compare them: everything that a person, or a program, could see of them.

`picture(path)` names each object with its type, mode, owner, size, content, link text, time of change of the content, extended
attributes and which names are the same file. Two pictures are equal if nothing changed. Times of directories are left out
with times=False, since a commit is a change of theirs."""

import errno
import hashlib
import os
import stat


BLOCK = 1 << 20
ZEROS = bytes(BLOCK)


def blocks(fd, size):
    """(offset, bytes) of all that is not zero: gigabytes of holes are not read."""
    at = 0
    while at < size:
        try:
            begin = os.lseek(fd, at, os.SEEK_DATA)
        except OSError as e:
            if e.errno != errno.ENXIO:  # nothing but a hole is left
                raise
            return
        at = begin - begin % BLOCK
        piece = os.pread(fd, BLOCK, at)
        if piece != ZEROS[:len(piece)]:
            yield at, piece
        at += BLOCK


def digest(path):
    """Of the content, whether its zeros are holes or not; its size is not in it."""
    h = hashlib.sha256()
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        for at, piece in blocks(fd, os.fstat(fd).st_size):
            h.update(at.to_bytes(8, "little") + piece)
    finally:
        os.close(fd)
    return h.hexdigest()


def content(path, st):
    if stat.S_ISLNK(st.st_mode):
        return os.readlink(path)
    if stat.S_ISREG(st.st_mode):
        try:
            return digest(path)
        except PermissionError:
            return "unreadable"
    return ""


def attributes(path):
    try:
        return tuple(sorted((name, os.getxattr(path, name, follow_symlinks=False))
                            for name in os.listxattr(path, follow_symlinks=False)))
    except OSError:
        return ()


def objects(top):
    top = os.fsencode(top)
    yield b"", top
    for directory, subdirectories, files in os.walk(top):
        for name in subdirectories + files:
            path = os.path.join(directory, name)
            yield path[len(top) + 1:], path


def rows(top, times=True, owners=True):
    """Of each object, sorted by name: (name, mode, owner, size, time, content, attributes, the first name of the same file)."""
    inodes = {}
    for name, path in sorted(objects(top)):
        st = os.lstat(path)
        same = inodes.setdefault((st.st_dev, st.st_ino), name) if not stat.S_ISDIR(st.st_mode) else name
        time = st.st_mtime_ns if times or not stat.S_ISDIR(st.st_mode) else 0
        owner = (st.st_uid, st.st_gid) if owners else ()
        size = 0 if stat.S_ISDIR(st.st_mode) else st.st_size
        yield name, oct(st.st_mode), owner, size, time, content(path, st), attributes(path), same if same != name else ""


def picture(top, times=True, owners=True):
    """Sorted lines of text, one for each object: easy to compare, and to show where two differ."""
    return [repr(row) for row in rows(top, times, owners)]


def differences(before, after, most=8):
    """For a failure: what is only in one of them."""
    was, now = set(before), set(after)
    lines = [f"- {line}" for line in before if line not in now] + [f"+ {line}" for line in after if line not in was]
    return "\n".join(lines[:most] + ([f"... {len(lines) - most} more"] if len(lines) > most else []))


def expect_same(before, after, what="the tree"):
    assert before == after, f"{what} differs:\n{differences(before, after)}"
