# The driver of code events in Python (3.9 and later): started as `python3 -I -c DRIVER [MODULE...] DIRECTORY`, it waits for source text on descriptor 3, runs it as
# `python3 -c SOURCE` would, and writes what came of it to descriptor 4.
#
# Where the first line says so it is a kernel: it reads one piece of source after the other, each of which finds what those before it left in `__main__`.
#
# It has globals and builtins of its own: what the code does to `__main__` or to `builtins` does not reach it, and `__main__` has nothing of it. It is in
# parts, all but the first of which are compiled when they are needed; little is imported, since each start pays for it, and from the
# standard library alone, also where the workspace has modules of the same names.


def ambit(first, **parts):
    own = {"__name__": "ambit", "__builtins__": dict(vars(__builtins__)), "parts": parts}
    exec(first, own)
    return own["start"](own["sys"].argv[1:])


# With this its name is gone.
raise SystemExit(globals().pop("ambit")(r'''
import _locale
import _thread
import atexit
import builtins
import fcntl
import gc
import os
import posix
import sys
from _json import encode_basestring, make_scanner

NAME = "<code>"  # of the source, in tracebacks
MOST = 16 << 20  # bytes of the document
TEXT = 1 << 20  # bytes of one text in it
SHORT = 64 << 10  # bytes of a message, or of a line of source
TREE, AWAIT, COROUTINE, FUTURES = 0x400, 0x2000, 0x80, 0x1FE0000  # two flags of compile (ast.PyCF_ONLY_AST, PyCF_ALLOW_TOP_LEVEL_AWAIT; _ast is dear to import), and two of co_flags
KERNEL = b'{"v":1,"kernel":true}\n'
LIBRARY = os.path.dirname(os.__file__)

own, namespace = globals(), vars(sys.modules["__main__"])
goes = None  # the directory where the code is to be
result, same, owner = None, None, 0  # the descriptor; what it is open on; the process that may write to it
started_modules = set(sys.modules)
started_path, started_locale, limit = list(sys.path), None, sys.getrecursionlimit()
hook = sys.excepthook
Stream = sys.modules["io"].IOBase
lines, libraries = [], {}  # of the source; that we have imported
displays, shown, room, show, cut = [], [], MOST, False, False


# ---- before the code comes ----


def start(words):
    global goes
    goes = words[-1] if words else None
    load(words[:-1])
    if posix.fstat(3).st_mode & 0o170000 == 0o140000:  # a socket: this is a template
        get_ready()
        if not copied():
            return 2
        prepare()
    else:
        prepare()
        try:
            if fcntl.ioctl(3, 0x541B, bytes(4)) == bytes(4):  # FIONREAD: nothing has come yet, and so there is time
                get_ready()
        except OSError:
            pass
    gc.freeze()  # what the code leaves is looked through at the end, and nothing of this
    try:
        came = wait()
    except (OSError, ValueError, StopIteration) as problem:
        say("no code came: %s\n" % (problem if isinstance(problem, OSError) else "the header is not JSON"))
        return 2
    if came is None:
        return 0
    if came[0].get("kernel"):
        need("KERNEL")
        return leave(serve())
    return leave(run(*came))


def need(part):
    """The rest of this driver is compiled when it is used, which takes longer than all else that is done for a short source."""
    if part in parts:
        exec(parts[part], own)
        parts.pop(part, None)


def load(modules):
    """Nothing here may look at the working directory, the clock or random numbers in a way that shows later."""
    global started_locale
    started_locale = _locale.setlocale(_locale.LC_ALL, None)
    for name in modules:
        try:
            __import__(name)
        except Exception:  # the code that needs it is told so
            pass


def get_ready():
    for part in list(parts):
        need(part)
    parsed("0", "exec")


def copied():
    """Of a template: true in each copy of it, in the cell of that; false when nobody wants one, or none can be made."""
    before = set(sys.modules)
    try:
        import ctypes
        ambit_template = ctypes.PyDLL("/proc/self/fd/4").ambit_template
        if not alone():
            return False
    except (ImportError, OSError, AttributeError):
        return False
    for name in set(sys.modules) - before:
        del sys.modules[name]
    del ctypes
    gc.collect()
    gc.freeze()
    if ambit_template(3) != 0:
        return False
    if "multiprocessing.process" in sys.modules:
        sys.modules["multiprocessing.process"].current_process().authkey = posix.urandom(32)
    streams()
    execute("f'{0}'", {})  # what any source writes to is this process's own before one comes
    return True


def alone():
    """Whether copies have all of this, and nothing in common with it: threads would be missing in them, and descriptors but 0 to 4 (one more looks); what they may write of memory that is shared,
    whoever comes later would read."""
    if len(posix.listdir("/proc/self/task")) != 1 or len(posix.listdir("/proc/self/fd")) != 6:
        return False
    descriptor, parts = posix.open("/proc/self/smaps", posix.O_RDONLY), []
    while part := posix.read(descriptor, 1 << 16):
        parts.append(part)
    posix.close(descriptor)
    flags = [line.split() for line in b"".join(parts).splitlines() if line.startswith(b"VmFlags:")]
    return len(flags) > 0 and not any(b"sh" in line for line in flags)


def streams():
    """Those of a copy are not the template's: whether one can be sought in was asked when they were made."""
    for name, descriptor in ("stdin", 0), ("stdout", 1), ("stderr", 2):
        old = getattr(sys, name)
        try:
            posix.lseek(descriptor, 0, 1)
            can = True
        except OSError:
            can = False
        if old is None or old.seekable() == can:
            continue
        new = sys.modules["io"].open(descriptor, old.mode, encoding=old.encoding, errors=old.errors, newline="\n", closefd=False)
        new.reconfigure(line_buffering=old.line_buffering)
        new.buffer.raw.name, new.mode = old.name, old.mode
        setattr(sys, name, new)
        setattr(sys, "__%s__" % name, new)


def prepare():
    global result, same
    # 4 goes where no program looks for it; the code finds 3 and 4 closed, and what it starts inherits neither.
    for least in (1000, 200, 10):
        try:
            result = fcntl.fcntl(4, fcntl.F_DUPFD_CLOEXEC, least)
            same = identity(result)
            posix.close(4)
            break
        except OSError:  # nobody wants a result; or the limit of descriptors is low
            pass
    posix.register_at_fork(after_in_child=forget)


def identity(descriptor):
    at = posix.fstat(descriptor)
    return at.st_dev, at.st_ino


def forget():
    """In a process that the code forks: its end is no result, and whoever waits for the result does not wait for it."""
    global result
    kept, result = result, None
    try:
        if kept is not None and identity(kept) == same:
            posix.close(kept)
    except OSError:
        pass
    if "stop_reading" in own:
        own["stop_reading"]()


def wait():
    """All of descriptor 3; None: no code comes. Of a kernel the first line."""
    parts = []
    while part := posix.read(3, 1 << 16 if parts else len(KERNEL)):  # of a kernel no more than that: what breaks its first step off is told when that was read
        parts.append(part)
        if part == KERNEL and len(parts) == 1:
            return {"kernel": True}, None
    posix.close(3)
    header, newline, source = b"".join(parts).partition(b"\n")
    if not newline:
        return None

    before, known, size = header.rpartition(b',"bytes":')
    if known and before in (b'{"v":1,"show":false', b'{"v":1,"show":true') and size[:-1].isdigit():
        told = {"show": before[-4:] == b"true", "bytes": int(size[:-1])}
    else:
        need("SETUP")
        told = header_of(header)
    return (told, source) if told.get("bytes", len(source)) == len(source) else None  # else the rest was lost with whoever sent it


# ---- when it comes ----


def run(header, source):
    global owner, show
    show, owner = header.get("show") is True, posix.getpid()
    value, forms, error, status, _ = attempt(source, begin)
    finish()
    try:
        result_is(value, forms, error)
    except BaseException:  # the code has broken what Python itself needs, or there is no memory: no result
        pass
    return status


def begin():
    surroundings()
    builtins.display = display
    if "linecache" in sys.modules:
        enter(sys.modules["linecache"])
    else:
        sys.meta_path.insert(0, Finder())


def attempt(source, prepared):
    """Runs it: its value, the forms that this has, the exception that nobody caught, the exit status, and whether it asked for the end."""
    value, forms, error, status, ends = None, [], None, 0, False
    try:
        text = decoded(source)
        prepared()
        got = execute(text)
        if got is not None:
            need("TELL")
            value = named(type(got)), told(got), exact(got)
            if show:
                say_value(value[1])
            else:
                keep(rich(got), forms)
        del got
    except SystemExit as stop:
        need("FAIL")
        status, ends = status_of(stop), True
    except VirtualEnvironmentError as problem:
        problem.__traceback__ = None
        error, status = failed(problem), 1
    except BaseException as problem:
        error, status = failed(problem), 1
    sys.settrace(None)
    sys.setprofile(None)
    if "matplotlib.pyplot" in sys.modules and not show:
        try:
            need("TELL")
            figures()
        except BaseException as problem:
            need("FAIL")
            say("a figure could not be drawn: %s: %s\n" % (type(problem).__name__, message_of(problem)))
    return value, forms, error, status, ends


def result_is(value, forms, error):
    write(document_of(value, forms, error))


def document_of(value, forms, error):
    if value is None and error is None and not displays and not forms:
        return b'{"v":1,"value":null,"displays":[],"error":null%s}' % (b',"cut":true' if cut else b"")
    need("TELL")
    return document(value, forms, error)


def decoded(source):
    """The text, and its lines. Like that of -c it is UTF-8 whatever a comment in it says."""
    source = source[3:] if source.startswith(b"\xef\xbb\xbf") else source
    if b"\0" not in source:
        try:
            text = source.decode().replace("\r\n", "\n").replace("\r", "\n")
            lines.extend(line + "\n" for line in text.split("\n"))
            return text
        except UnicodeDecodeError:
            pass
    need("SETUP")
    return undecoded(source)


def surroundings():
    """Makes up for -I and for the time that has passed: what `python3 -c` would find now."""
    environ = os.environ
    if goes is not None:
        posix.chdir(goes)  # not before: what had that name then may be another directory by now
    if _locale.setlocale(_locale.LC_ALL, None) != started_locale:
        _locale.setlocale(_locale.LC_ALL, "C")
        _locale.setlocale(_locale.LC_CTYPE, "")
    if "time" in sys.modules:
        sys.modules["time"].tzset()
    for name in ("random", "numpy.random"):
        if name in sys.modules:
            sys.modules[name].seed()
    sys.argv[:] = ["-c"]
    if hasattr(sys, "orig_argv"):
        sys.orig_argv[:] = [sys.orig_argv[0], "-c"]
    if "MPLBACKEND" not in environ:
        environ["MPLBACKEND"] = "Agg"
        if "matplotlib" in sys.modules:  # which has looked for it already
            sys.modules["matplotlib"].rcParams["backend"] = "Agg"
    if (any(name.startswith("PYTHON") or name == "VIRTUAL_ENV" for name in environ) or os.path.exists(".venv/pyvenv.cfg") or sys.prefix != sys.base_prefix or
            os.path.isdir(sys.modules["site"].getusersitepackages())):
        need("SETUP")
        settings(environ)
        paths(environ)
    else:
        sys.path.insert(0, "")


class VirtualEnvironmentError(Exception):
    __module__, __qualname__ = "builtins", "VirtualEnvironmentError"


class Finder:
    """Gives the source to linecache as soon as anybody imports it, so that tracebacks have its lines; it takes itself away then."""

    def find_spec(self, name, path=None, target=None):
        if name != "linecache":
            return None
        need("SETUP")
        return find_linecache(self, path, target)


def enter(linecache, of=lines):
    cache = getattr(linecache, "cache", None)
    if type(cache) is dict:
        cache[NAME] = (sum(map(len, of)), None, of, NAME)


def parsed(text, how):
    return compile(text, NAME, how, TREE | AWAIT, True)


def execute(text, namespace=namespace):
    """Runs the source; the value of its last statement, if that is an expression."""
    if not text.strip():
        return None
    tree, last = parsed(text, "exec"), None
    if tree.body and type(tree.body[-1]).__name__ == "Expr":
        last = parsed("0", "eval")
        last.body = tree.body.pop().value
    codes = [compile(tree, NAME, "exec", AWAIT, True)]
    if last is not None:
        codes.append(compile(last, NAME, "eval", AWAIT | codes[0].co_flags & FUTURES, True))
    del tree, last
    if not any(code.co_flags & COROUTINE for code in codes):
        exec(codes[0], namespace)
        return eval(codes[1], namespace) if len(codes) == 2 else None

    async def steps():
        for code in codes:
            value = eval(code, namespace)
            if code.co_flags & COROUTINE:
                value = await value
        return value if len(codes) == 2 else None

    need("SETUP")
    return library("asyncio").run(steps())


def display(*objects, raw=False):
    """Puts objects into the result of this code, each in the forms it has. raw: they are dictionaries of MIME types and data."""
    need("TELL")
    put(objects, raw)


def say(text):
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except BaseException:  # closed, or replaced by something else
        pass


def line_at(number):
    return lines[number - 1].rstrip("\n") if isinstance(number, int) and 0 < number <= len(lines) else ""


def failed(problem):
    try:
        sys.setrecursionlimit(max(limit, sys.getrecursionlimit()))
        for part in ("SETUP", "TELL", "FAIL"):
            need(part)
        return fail(problem)
    except BaseException:
        return {"type": type(problem).__name__, "message": "", "line": None, "column": None, "source": None, "frames": [], "traceback": None}


# ---- the end ----


def finish():
    """As the interpreter does at its end: threads are waited for, then come the functions of atexit. What they say is in the result."""
    for step in (lambda: sys.modules["threading"]._shutdown() if "threading" in sys.modules else None, atexit._run_exitfuncs,
                 lambda: sys.stdout.flush(), lambda: sys.__stdout__.flush(), lambda: sys.stderr.flush()):
        try:
            step()
        except BaseException:  # the interpreter's own end says what there is to say
            pass


def leave(status):
    """The interpreter's own end takes longer than a short source. Of what it does, that which others see is done here: objects of the code end, and what they did not
    write yet is written. Where threads still run, in a process that the code forked, and where output cannot be written, it is left to the interpreter."""
    if posix.getpid() != owner or _thread._count() > 0:
        return status
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None) or LIBRARY
            if name not in started_modules and not file.startswith(LIBRARY) and "-packages/" not in file:
                vars(module).clear()
        namespace.clear()
        gc.collect()
        for one in gc.get_objects():
            if isinstance(one, Stream) and not one.closed and one.writable():
                one.flush()
    except BaseException:
        return status
    posix._exit(status & 0xff)


def write(data):
    """The document, of which there is one."""
    global result
    if put_all(data):
        posix.close(result)
        result = None


def put_all(data):
    """Only to what the descriptor was open on at first, and only by the process that was started: the code may have closed it, or forked."""
    try:
        if result is None or posix.getpid() != owner or identity(result) != same:
            return False
        left = memoryview(data)
        while left:
            try:
                left = left[posix.write(result, left):]
            except BlockingIOError:
                need("SETUP")
                library("select").select([], [result], [])
        return True
    except OSError:  # nobody reads it
        return False
''', SETUP=r'''
# ---- what is done for some sources ----

def header_of(text):
    class Read:  # what the scanner of the json module is made from; that module itself takes longer to load than all the rest
        strict, object_hook, object_pairs_hook, parse_float, parse_int, parse_constant, memo = True, None, None, float, int, float, {}

    return make_scanner(Read)(text.decode(), 0)[0]


def undecoded(source):
    bad, why = source.find(b"\0"), "the source has a NUL byte"
    if bad < 0:
        try:
            source.decode()
        except UnicodeDecodeError as problem:
            bad, why = problem.start, "the source is not UTF-8"
    text = source.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    lines.extend(line + "\n" for line in text.split("\n"))
    before = source[:bad].decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    raise SyntaxError(why, (NAME, len(before), len(before[-1]) + 1, line_at(len(before))))


def settings(environ):
    if environ.get("PYTHONDONTWRITEBYTECODE"):
        sys.dont_write_bytecode = True
    if environ.get("PYTHONPYCACHEPREFIX"):
        sys.pycache_prefix = environ["PYTHONPYCACHEPREFIX"]
    if environ.get("PYTHONIOENCODING"):
        encoding, _, errors = environ["PYTHONIOENCODING"].partition(":")
        for stream in (sys.stdin, sys.stdout, sys.stderr):
            stream and stream.reconfigure(encoding=encoding or None, errors="backslashreplace" if stream is sys.stderr else errors or None)
    if environ.get("PYTHONUNBUFFERED"):
        sys.stdout and sys.stdout.reconfigure(write_through=True)
    if environ.get("PYTHONWARNINGS"):
        sys.warnoptions[:0] = environ["PYTHONWARNINGS"].split(",")
        library("warnings")._processoptions(sys.warnoptions)


def paths(environ):
    import site
    path = [] if environ.get("PYTHONSAFEPATH") and sys.version_info >= (3, 11) else [""]
    path += [os.path.abspath(entry) for entry in environ["PYTHONPATH"].split(os.pathsep)] if environ.get("PYTHONPATH") else []
    path += started_path
    venv = environment(environ)
    if venv is None:
        user = site.getusersitepackages()
        if own_site(environ, user):
            site.ENABLE_USER_SITE = True
            at = next((i for i, entry in enumerate(path) if of_site(entry)), len(path))
            sys.path[:] = path[:at]
            site.addsitedir(user)
            path = sys.path + path[at:]
        sys.path[:] = dict.fromkeys(path)
        return
    top, system = venv
    sys.prefix = sys.exec_prefix = top
    program = os.path.join(top, "bin", "python")
    if os.path.exists(program):
        sys.executable = program
    site.PREFIXES[:] = [top, *site.PREFIXES] if system else [top]
    sys.path[:] = [entry for entry in path if not of_site(entry)]
    for lib in dict.fromkeys(("lib", getattr(sys, "platlibdir", "lib"))):
        folder = os.path.join(top, lib, "python%d.%d" % sys.version_info[:2], "site-packages")
        if os.path.isdir(folder) and folder not in sys.path:
            site.addsitedir(folder)
    sys.path[:] = dict.fromkeys(sys.path + [entry for entry in path if of_site(entry) and system])


def of_site(entry):
    return entry in started_path and os.path.basename(entry) in ("site-packages", "dist-packages")


def own_site(environ, folder):
    """Whether Python would take the packages that the user has installed for herself; -I has left them out."""
    return (not environ.get("PYTHONNOUSERSITE") and sys.prefix == sys.base_prefix and posix.getuid() == posix.geteuid() and
            posix.getgid() == posix.getegid() and os.path.isdir(folder))


def environment(environ):
    """The virtual environment, and whether it has the system's packages, too. VIRTUAL_ENV that is set to nothing: none."""
    if sys.prefix != sys.base_prefix or environ.get("VIRTUAL_ENV") == "":
        return None
    for top in (environ.get("VIRTUAL_ENV"), os.path.abspath(".venv")):
        try:
            with open(os.path.join(top, "pyvenv.cfg"), encoding="utf-8", errors="replace") as file:
                pairs = [line.partition("=")[::2] for line in file]
        except (OSError, TypeError, ValueError):
            continue
        said = {key.strip().lower(): value.strip() for key, value in pairs}
        version = said.get("version") or said.get("version_info") or ""
        own = "%d.%d" % sys.version_info[:2]
        if version and version.split(".")[:2] != own.split("."):
            raise VirtualEnvironmentError("the virtual environment %s is one of Python %s, and this is Python %s: make it anew (python3 -m venv --clear %s), "
                                    "or set VIRTUAL_ENV to nothing so that none is used" % (top, version, own, top))
        return top, said.get("include-system-site-packages", "").lower() == "true"
    return None


def library(name):
    """A module of the standard library, also where the workspace has one of this name, and the code has imported that."""
    if name in libraries:
        return libraries[name]
    path, aside = sys.path, {}
    for key, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        top = os.path.join(LIBRARY, key.partition(".")[0])
        if type(file) is str and key != "__main__" and not file.startswith(LIBRARY + os.sep) and (os.path.exists(top + ".py") or os.path.isdir(top)):
            aside[key] = module
    try:
        for key in aside:
            del sys.modules[key]
        sys.path = list(started_path)
        __import__(name)
        libraries[name] = sys.modules[name]
        return libraries[name]
    finally:
        sys.path = path
        sys.modules.update(aside)


def find_linecache(ours, path, target):
    name = "linecache"
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not ours]
    for finder in sys.meta_path:
        spec = finder.find_spec(name, path, target)
        if spec is not None:
            break
    else:
        return None
    execute = spec.loader.exec_module

    def exec_module(module):
        execute(module)
        enter(module)

    try:
        spec.loader.exec_module = exec_module
    except AttributeError:  # tracebacks that we print have the lines all the same
        pass
    return spec
''', TELL=r'''
# ---- what is told of values ----

# text/plain is told besides where no form is a picture: whoever reads a table as text need not take HTML apart.
FORMS = (("text/html", "_repr_html_"), ("text/markdown", "_repr_markdown_"), ("text/latex", "_repr_latex_"),
         ("image/svg+xml", "_repr_svg_"), ("image/png", "_repr_png_"), ("image/jpeg", "_repr_jpeg_"))


def told(value):
    """Its repr, whatever that does."""
    try:
        return repr(value)
    except BaseException as problem:
        try:
            return "<%s, whose repr raises %s: %s>" % (type(value).__name__, type(problem).__name__, problem)
        except BaseException:
            return "<%s, whose repr raises>" % type(value).__name__


def short(text, most=TEXT):
    """An exact str of at most so many bytes, which UTF-8 can have."""
    global cut
    data = str.encode(str.__getitem__(text, slice(most + 1)), "utf-8", "replace")
    if len(data) > most:
        cut = True
    return data[:most].decode("utf-8", "ignore")


def named(kind):
    module, name = kind.__module__, kind.__qualname__
    return name if module in ("builtins", "__main__") or type(module) is not str else module + "." + name


def say_value(text):
    text = short(text) + "\n"
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:
        sys.stdout.write(text.encode(sys.stdout.encoding, "backslashreplace").decode(sys.stdout.encoding))


class Lossy(Exception):
    pass


def exact(value):
    """As JSON, if that says all of it: numbers as every reader keeps them."""
    parts, left = [], TEXT

    def put(part):
        nonlocal left
        left -= len(part)
        if left < 0:
            raise Lossy
        parts.append(part)

    def walk(value, depth):
        kind = type(value)
        if value is None:
            put("null")
        elif kind is bool:
            put("true" if value else "false")
        elif kind is int and -1 << 53 < value < 1 << 53 or kind is float and value - value == 0:
            put(repr(value))
        elif kind is str:
            value.encode()  # raises for a lone surrogate
            put(encode_basestring(value))
        elif kind is list and depth:
            for i, each in enumerate(value):
                put("," if i else "[")
                walk(each, depth - 1)
            put("]" if value else "[]")
        elif kind is dict and depth:
            for i, (key, each) in enumerate(value.items()):
                if type(key) is not str:
                    raise Lossy
                put("," if i else "{")
                walk(key, 0)
                put(":")
                walk(each, depth - 1)
            put("}" if value else "{}")
        else:
            raise Lossy

    try:
        walk(value, 100)
        return "".join(parts)
    except Exception:  # also where other threads change it meanwhile
        return None


def base64(data):
    need("SETUP")
    return library("binascii").b2a_base64(data, newline=False).decode()


def drawn(figure):
    from io import BytesIO
    file = BytesIO()
    figure.savefig(file, format="png", bbox_inches="tight")
    shown.append(figure)
    return file.getvalue()


def entry(mime, data):
    """One form for the document; None if it is of no use."""
    if type(data) is tuple and data:  # with metadata
        data = data[0]
    if isinstance(data, (bytes, bytearray, memoryview)):
        data = base64(data) if not mime.startswith("text/") and mime != "image/svg+xml" else bytes(data).decode("utf-8", "replace")
    if isinstance(data, (dict, list)):
        data = exact(data)
    if not isinstance(data, str) or not isinstance(mime, str):
        return None
    return str.encode(mime, "utf-8", "replace").decode(), str.encode(data, "utf-8", "replace").decode()


def rich(value):
    """The forms that it has besides its repr. They are looked up in its class: some objects have each attribute that they are asked for."""
    found, kind = {}, type(value)
    if isinstance(value, type):
        return []
    figures = getattr(sys.modules.get("matplotlib.figure"), "Figure", None)
    if isinstance(figures, type) and issubclass(kind, figures):
        return [entry("image/png", drawn(value))]
    try:
        bundle = kind._repr_mimebundle_(value, include=None, exclude=None) if hasattr(kind, "_repr_mimebundle_") else None
        bundle = bundle[0] if type(bundle) is tuple and bundle else bundle
        found.update(bundle if isinstance(bundle, dict) else ())
    except BaseException:
        pass
    for mime, method in FORMS:
        try:
            if mime not in found and callable(getattr(kind, method, None)):
                found[mime] = getattr(kind, method)(value)
        except BaseException:
            pass
    entries = []
    for mime, data in found.items():
        try:
            entries.append(entry(mime, data))
        except BaseException:
            pass
    return [each for each in entries if each is not None]


def keep(entries, to):
    global room, cut
    for mime, data in entries:
        room -= len(data)
        if room < 0:
            cut = True
        else:
            to.append((mime, data))


def put(objects, raw):
    for value in objects:
        if raw:
            entries = [each for each in (entry(mime, data) for mime, data in dict(value).items()) if each is not None]
        else:
            try:
                entries = [] if show else rich(value)
            except Exception:
                entries = []
            if not any(mime.startswith("image/") or mime == "text/plain" for mime, _ in entries):
                entries.append(("text/plain", short(told(value))))
        if show:
            print(dict(entries).get("text/plain", told(value)))
        else:
            keep(entries, displays)


def figures():
    """Those that pyplot has open at the end and nobody has displayed."""
    pyplot = sys.modules["matplotlib.pyplot"]
    for number in pyplot.get_fignums():
        figure = pyplot.figure(number)
        if not any(each is figure for each in shown):
            keep([entry("image/png", drawn(figure))], displays)


# ---- the document ----


def quote(text, most=TEXT):
    return "null" if text is None else encode_basestring(short(text, most))


def number(value):
    return "null" if value is None else repr(int(value))


def write_error(error):
    if error is None:
        return "null"
    frames = ",".join('{"file":%s,"line":%s,"function":%s,"source":%s}' % (quote(file, 4096), number(line), quote(function, 4096), quote(source, 4096))
                      for file, line, function, source in error["frames"])
    return '{"type":%s,"message":%s,"line":%s,"column":%s,"source":%s,"frames":[%s],"traceback":%s}' % (
        quote(error["type"], 4096), quote(error["message"], SHORT), number(error["line"]), number(error["column"]), quote(error["source"], SHORT),
        frames, quote(error["traceback"], 4 * SHORT))


def document(value, forms, error):
    global cut
    left = MOST - 256
    error = write_error(error).encode()
    left -= len(error)
    value_part = b"null"
    if value is not None:
        kind, text, exactly = value
        head = '{"text":%s,"type":%s' % (quote(text), quote(kind, 4096))
        value_part = (head + (',"json":' + exactly if exactly is not None else "") + "}").encode()
        if len(value_part) > left:
            value_part, cut = (head + "}").encode(), True
        left -= len(value_part)
    parts = []
    for mime, data in displays + forms:
        part = ('{"mime":%s,"data":%s}' % (quote(mime, 4096), encode_basestring(data))).encode()
        if len(part) + 1 > left:
            cut = True
            continue
        left -= len(part) + 1
        parts.append(part)
    return b'{"v":1,"value":%s,"displays":[%s],"error":%s%s}' % (value_part, b",".join(parts), error, b',"cut":true' if cut else b"")
''', FAIL=r'''
# ---- errors ----

def trim(problem):
    """Takes our frames out of its traceback, and out of those of the exceptions that it came from."""
    left, seen = [problem], set()
    while left and len(seen) < 1000:
        each = left.pop()
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        tb = each.__traceback__
        if tb is not None and ours(tb):  # then come those of asyncio, if the code has await
            while tb is not None and not of_code(tb):
                tb = tb.tb_next
            each.__traceback__ = tb
        while tb is not None:
            while tb.tb_next is not None and ours(tb.tb_next):
                tb.tb_next = tb.tb_next.tb_next
            tb = tb.tb_next
        left += [each.__cause__, each.__context__, *(getattr(each, "exceptions", None) or ())]


def ours(tb):
    return tb.tb_frame.f_globals is own


def of_code(tb):
    return tb.tb_frame.f_code.co_filename == NAME


def column_of(tb):
    """Of the expression, counted in characters from 1; None before Python 3.11."""
    code = tb.tb_frame.f_code
    if not hasattr(code, "co_positions"):
        return None
    for i, (line, _, column, _) in enumerate(code.co_positions()):
        if i == tb.tb_lasti // 2:
            return len(line_at(line).encode()[:column].decode("utf-8", "ignore")) + 1 if column is not None else None
    return None


def frames_of(problem, getline):
    found, tb = [], problem.__traceback__
    while tb is not None:
        code = tb.tb_frame.f_code
        try:
            source = line_at(tb.tb_lineno) if of_code(tb) else getline(code.co_filename, tb.tb_lineno, tb.tb_frame.f_globals)
        except Exception:
            source = ""
        found.append((code.co_filename, tb.tb_lineno, getattr(code, "co_qualname", code.co_name), source.strip()))
        tb = tb.tb_next
    return found if len(found) <= 100 else found[:50] + found[-50:]


def message_of(problem):
    tb = problem.__traceback__
    try:
        return short(problem.msg if isinstance(problem, SyntaxError) and problem.filename == NAME else str(problem), SHORT)
    except BaseException:
        return "<its text raises>"
    finally:
        problem.__traceback__ = tb  # it may have raised itself


def describe(problem):
    """What the document says of an exception. The modules that do it may be broken, as all else that the code can reach."""
    at, each, tb = None, problem.__traceback__, problem.__traceback__
    while each is not None:
        at = each if of_code(each) else at
        each = each.tb_next
    line, column = (at.tb_lineno, column_of(at)) if at is not None else (None, None)
    if at is None and isinstance(problem, SyntaxError) and problem.filename == NAME:
        line, column = problem.lineno, problem.offset
    line, column = (number if isinstance(number, int) and number > 0 else None for number in (line, column))
    error = {"type": named(type(problem)), "message": message_of(problem), "line": line, "column": column,
             "source": line_at(line).strip() if line else None, "frames": [], "traceback": None}
    getline = lambda *_: ""
    try:
        traceback = library("traceback")
        enter(traceback.linecache)
        getline = traceback.linecache.getline
        error["traceback"] = "".join(traceback.TracebackException(type(problem), problem, tb).format())
    except BaseException:
        pass
    problem.__traceback__ = tb
    error["frames"] = frames_of(problem, getline)
    if error["traceback"] is None:
        error["traceback"] = "Traceback (most recent call last):\n" + "".join(
            '  File "%s", line %s, in %s\n    %s\n' % frame for frame in error["frames"]) + error["type"] + ": " + error["message"] + "\n"
    return error


def fail(problem):
    """Says it on standard error, as the interpreter would, and returns it for the document."""
    try:
        trim(problem)
        error = describe(problem)
    except BaseException:
        error = {"type": type(problem).__name__, "message": message_of(problem), "line": None, "column": None, "source": None, "frames": [],
                 "traceback": type(problem).__name__ + "\n"}
    try:
        if sys.excepthook is not hook:
            sys.excepthook(type(problem), problem, problem.__traceback__)
            return error
    except BaseException:
        pass
    say(error["traceback"])
    return error


def status_of(stop):
    """What the interpreter makes of SystemExit."""
    try:
        code = stop.code
        if code is None or isinstance(code, int):
            return int(code or 0)
        say(str(code) + "\n")
    except BaseException:
        pass
    return 1
''', KERNEL=r'''
# ---- a kernel ----

import _signal

# How a step ended, for whoever counts them; its document is behind the head: four bytes that say what this is, and three numbers.
OK, ERROR, EXIT = 0, 1, 2
steps_fd, steps_are, came, begun, interrupted = None, None, b"", False, False


def pass_over(*_):
    """A handler, and not SIG_IGN, which programs would inherit that a thread starts meanwhile."""
    global interrupted
    interrupted = True


def serve():
    """Runs one step after the other, until no more come or one of them asks for the end. What interrupts between two steps interrupts nothing, and what comes behind the first byte of one is that one's."""
    global owner
    need("SETUP")
    owner, status = posix.getpid(), 0
    handler = _signal.signal(_signal.SIGINT, pass_over)
    while True:
        try:
            step = next_step()
        except (OSError, ValueError):  # the code has closed what they come from
            status, step = 2, None
        if step is None:
            break
        number, source = step
        begin_step(number)
        try:
            _signal.signal(_signal.SIGINT, handler)
            value, forms, error, status, ends = attempt(source, enter_step)
        except KeyboardInterrupt:  # between the code's last word and ours
            value, forms, error, status, ends = None, [], None, 1, False
        while True:
            try:
                was = _signal.signal(_signal.SIGINT, pass_over)
                handler = handler if was is None else was  # None: not from Python, and cannot be set again
                break
            except KeyboardInterrupt:
                status = 1
        if posix.getpid() != owner:  # the code forked, and this is the child: its end is its own
            return status
        end_step(number, EXIT if ends else ERROR if status else OK, value, forms, error)
        if ends:
            break
        status = 0
    finish()
    return status


def move_reading():
    """3 goes where no program looks for it."""
    global steps_fd, steps_are
    for least in (1000, 200, 10):
        try:
            steps_fd = fcntl.fcntl(3, fcntl.F_DUPFD_CLOEXEC, least)
            break
        except OSError:
            pass
    steps_are = identity(steps_fd)
    posix.close(3)


def stop_reading():
    try:
        if steps_fd is not None and identity(steps_fd) == steps_are:
            posix.close(steps_fd)
    except OSError:
        pass


def next_step():
    """The number and the source of the next; None: there is none."""
    global came, show
    if steps_fd is None:
        move_reading()
    while b"\n" not in came:
        if not more():
            return None
    header, _, came = came.partition(b"\n")
    told = header_of(header)
    while len(came) < told["bytes"]:
        if not more():
            return None
    source, came = came[:told["bytes"]], came[told["bytes"]:]
    show = told["show"] is True
    return told["step"], source


def more():
    global came, interrupted
    if identity(steps_fd) != steps_are:
        return False
    idle = not came
    part = posix.read(steps_fd, 1 if idle else 1 << 16)
    came += part
    if idle:
        interrupted = False
    return bool(part)


def begin_step(number):
    global NAME, room, cut
    NAME, room, cut = "<step-%d>" % number, MOST, False
    lines.clear()
    displays.clear()
    shown.clear()


def enter_step():
    """The lines of a step stay for tracebacks through what it defined."""
    global begun
    if not begun:
        begun = True
        begin()
    kept = list(lines)
    for module in {id(each): each for each in (library("linecache"), sys.modules.get("linecache")) if each is not None}.values():
        enter(module, kept)
    if interrupted:
        _signal.raise_signal(_signal.SIGINT)


def end_step(number, how, value, forms, error):
    for stream in (sys.stdout, sys.__stdout__, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            pass
    try:
        if "matplotlib.pyplot" in sys.modules and not show:
            sys.modules["matplotlib.pyplot"].close("all")
        said = document_of(value, forms, error)
    except BaseException:
        said = b""
    put_all(b"STEP" + number.to_bytes(4, "little") + how.to_bytes(4, "little") + len(said).to_bytes(4, "little") + said)
'''))
