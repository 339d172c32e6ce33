"""Builds the wheel (PEP 517, and the format of PEP 427). With AMBIT_BUILD naming a build directory of Ambit it carries the programs for this platform, else it is
pure and uses the `ambit` that is installed."""

import base64
import hashlib
import os
import re
import sysconfig
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
NAME, REQUIRES = "ambit", ">=3.9"


def version():
    with open(os.path.join(HERE, "src", "ambit", "__init__.py"), encoding="utf-8") as file:
        return re.search(r'__version__ = "([^"]+)"', file.read()).group(1)


def programs():
    """Path in the wheel of each program, and where it is: `ambit`, and its roles beside it."""
    build = os.environ.get("AMBIT_BUILD")
    if not build:
        return {}
    found = {}
    for name in sorted(os.listdir(build)):
        path = os.path.join(build, name)
        if re.fullmatch(r"ambit(-[a-z]+(\.so)?)?", name) and os.path.isfile(path) and os.access(path, os.X_OK):
            place = "bin" if name == "ambit" else os.path.join("libexec", "ambit")
            found[os.path.join("ambit", "_program", place, name)] = path
    if not any(place.endswith(os.path.join("bin", "ambit")) for place in found):
        raise RuntimeError(f"AMBIT_BUILD: there is no program `ambit` in {build}")
    return found


def sources():
    top = os.path.join(HERE, "src")
    for directory, _, names in sorted(os.walk(top)):
        for name in sorted(names):
            if name.endswith((".py", ".typed")):
                path = os.path.join(directory, name)
                yield os.path.relpath(path, top), path


def metadata():
    with open(os.path.join(HERE, "README.md"), encoding="utf-8") as file:
        return (f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {version()}\nSummary: Run code that nobody has read, with exactly the authority you name\n"
                f"License: Apache-2.0\nRequires-Python: {REQUIRES}\nDescription-Content-Type: text/markdown\n\n{file.read()}")


def tag():
    return "py3-none-" + (re.sub(r"[-.]", "_", sysconfig.get_platform()) if programs() else "any")


def put(wheel, record, place, data, executable=False):
    info = zipfile.ZipInfo(place, date_time=(2020, 1, 1, 0, 0, 0))  # the same bytes each time
    info.external_attr = (0o100755 if executable else 0o100644) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    wheel.writestr(info, data)
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    record.append(f"{place},sha256={digest},{len(data)}")


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = f"{NAME}-{version()}-{tag()}.whl"
    info = f"{NAME}-{version()}.dist-info"
    record = []
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        for place, path in sources():
            with open(path, "rb") as file:
                put(wheel, record, place, file.read())
        for place, path in programs().items():
            with open(path, "rb") as file:
                put(wheel, record, place, file.read(), executable=True)
        put(wheel, record, f"{info}/METADATA", metadata().encode())
        put(wheel, record, f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: ambit\nRoot-Is-Purelib: {'false' if programs() else 'true'}\nTag: {tag()}\n".encode())
        put(wheel, record, f"{info}/RECORD", ("\n".join(record) + f"\n{info}/RECORD,,\n").encode())
    return name


def build_sdist(sdist_directory, config_settings=None):
    raise NotImplementedError("the sources are Ambit's own repository")


if __name__ == "__main__":
    import sys

    where = sys.argv[1] if len(sys.argv) > 1 else "."
    os.makedirs(where, exist_ok=True)  # a front end has made its own
    print(os.path.join(where, build_wheel(where)))
