#!/usr/bin/env python3
"""What a person reads when something goes wrong is what doc/MESSAGES.md shows: messages.py AMBIT DENY DOCUMENT. Speaks TAP; as
root also as an ordinary user. Each example of the document is run, and its standard error and exit status must be as they stand there."""

import os
import re
import shutil
import sys

from harness import main, write

WITHOUT = {"The host has no user namespaces": "clone:0&0x10000000=EPERM"}

HOG = """for n in 1 2 3 4 5 6 7 8; do
	python3 -c 'import time; x = bytearray(30 << 20); time.sleep(30)' &
done
wait
"""


def beside(ambit, path):
    """The same file where an ordinary user can read it, if it is there."""
    near = os.path.join(os.path.dirname(ambit), os.path.basename(path))
    return near if os.path.exists(near) else os.path.abspath(path)


def examples(text):
    """(heading, command, what follows) of each block."""
    for part in re.split(r"^## ", text, flags=re.M)[1:]:
        for block in re.findall(r"^```text\n\$ (.*?)^```$", part, re.M | re.S):
            command, _, shown = block.partition("\n")
            yield part.split("\n")[0], command, shown


def example(heading, command, shown):
    def scenario(place):
        for path in sys.argv[2:4] if os.geteuid() == 0 else []:
            shutil.copy(beside(place.ambit, path), os.path.join(place.top, "copy"))
            os.replace(os.path.join(place.top, "copy"), os.path.join(os.path.dirname(place.ambit), os.path.basename(path)))
        project = os.path.join(place.home, "project")
        write(os.path.join(place.home, ".ssh", "id_ed25519"), "SECRET\n")
        write(os.path.join(project, "hog.sh"), HOG)
        write(os.path.join(project, "unknown.yaml"), "version: 1\ngrants:\n  - raed: .\n")
        write(os.path.join(project, "tab.yaml"), "version: 1\ngrants:\n\t- read: .\n")
        write(os.path.join(project, "range.yaml"), "version: 1\nlimits: {tasks: 99999999999}\n")
        script = f'ambit() {{ {"$DENY $RULE -- " if heading in WITHOUT else ""}$THE_AMBIT "$@"; }}; {command}'
        done = place.run("env", f"THE_AMBIT={place.ambit}", f"DENY={beside(place.ambit, sys.argv[2])}", f"RULE={WITHOUT.get(heading)}", "sh", "-c",
                         script.replace("/home/ann", place.home), cwd=project)
        got = f"{done.stderr}exit status {done.returncode}\n".replace(place.home, "/home/ann")
        assert got == shown, f"$ {command}\n{got}--- but the document says:\n{shown}"

    scenario.__name__ = re.sub(r"[^\w]+", "_", f"{heading}: {command}")
    return scenario


if __name__ == "__main__":
    with open(beside(sys.argv[1], sys.argv[3]), encoding="utf-8") as document:
        shown_examples = [example(*e) for e in examples(document.read())]
    main(shown_examples)
