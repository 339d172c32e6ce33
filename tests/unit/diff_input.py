"""The input of ambit-diff as src/diff/input.h says it, for tests and the corpus."""
import os, struct

FILE, DIRECTORY, SYMLINK, FIFO, SOCKET, OTHER = range(1, 7)
KINDS = {'added': 1, 'modified': 2, 'deleted': 3, 'renamed': 4, 'mode': 5, 'link': 6}
HELD = {'no': 0, 'protected': 1, 'judged': 2, 'conflict': 3, 'hidden': 4, 'refused': 5}
FORMS = {'patch': 1, 'stat': 2, 'name-only': 3, 'binary': 4}
TOO_LARGE, NOT_REGULAR, UNREADABLE = range(1, 4)
PIECE = 64 << 10
DIFF_CONTENT_MAX = 32 << 20  # one byte more is refused: the tests are of the longest
END = b'\0'


def text(s):
    s = s if isinstance(s, bytes) else os.fsencode(s)
    return struct.pack('<I', len(s)) + s


def options(form='patch', colour=False, context=3, width=80, output_max=0, trees=('',)):
    return (struct.pack('<IHBBIHQH', 0x66666964, 1, FORMS[form], colour, context, width, output_max, len(trees)) +
            b''.join(map(text, trees)))


def side(content, kind=FILE):
    """bytes: the content; None: nothing there; 'same': not given; a number: why it is omitted"""
    if content is None:
        return bytes([0, 0, 0])
    if content == 'same':
        return bytes([3, kind, 0])
    if isinstance(content, int):
        return bytes([2, kind, content])
    pieces = [content[i:i + PIECE] for i in range(0, len(content), PIECE)] + [b'']
    return bytes([1, kind, 0]) + b''.join(map(text, pieces))


def change(kind, path, old=None, new=None, type=FILE, old_type=None, modes=(0o644, 0o644), sizes=None, held='no', later=0,
           tree=0, source='', reason=''):
    size = lambda content: len(content) if isinstance(content, bytes) else 0
    sizes = sizes or (size(old), size(new))
    modes = (0 if old is None else modes[0], 0 if new is None else modes[1])
    body = struct.pack('<BBBBBBHIIQQ', KINDS[kind], type, HELD[held], later, 0, 0, tree, *modes, *sizes)
    body += text(path) + text(source) + text(reason)
    return b'\1' + text(body) + side(old, old_type or type) + side(new, type)
