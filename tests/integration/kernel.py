#!/usr/bin/env python3
"""Kernels: events whose interpreter takes one piece of code after the other, in one memory (doc/CODE.md).

usage: kernel.py AMBIT PACKAGE    (TAP on standard output; as root everything runs a second time as an ordinary user)
"""

import json
import os
import shutil
import time

from harness import SLOW, expect_ok, main, told
from rpc_served import Client, serving

NODE = shutil.which("node", path="/usr/local/bin:/usr/bin:/bin")  # as a cell has it
KINDS = ["python", *(["node"] if NODE else [])]


class Kernel:
    def __init__(self, client, session, language="python", **more):
        self.client, self.session = client, session
        self.taken = client.call("kernel.start", session=session, language=language, **more)
        self.n = self.taken["n"]

    def send(self, source, **more):
        return self.client.send("kernel.run", session=self.session, n=self.n, source=source, **more)

    def run(self, source, **more):
        return self.of(self.client.answer(self.send(source, **more)))

    @staticmethod
    def of(line):
        assert "result" in line, line
        step = line["result"]
        step["document"] = json.loads(step["result"]) if step["result"] else None
        return step

    def value(self, source, **more):
        step = self.run(source, **more)
        assert step["end"] == "ok" and step["document"]["value"] is not None, step
        return step["document"]["value"]["text"]

    def stop(self, **more):
        return self.client.call("kernel.stop", session=self.session, n=self.n, **more)

    def end(self):
        return self.client.call("kernel.end", session=self.session, n=self.n, wait=True)["row"]

    def row(self):
        return self.client.call("event.show", session=self.session, n=self.n)


def over(s, kernel):
    return s.until(lambda: (row := kernel.row())["state"] == "over" and row, "the kernel is over")


def variables_stay(place):
    with serving(place) as s:
        c = Client(s)
        session = c.new(s)
        k = Kernel(c, session)
        assert k.run("x = 1\ndef f():\n    return x / 0")["end"] == "ok"
        assert k.value("x + 1") == "2"
        step = k.run("\nprint('said')\nimport sys\nprint('oops', file=sys.stderr)\nf()")
        assert (step["end"], step["stdout"]) == ("error", "said\n") and step["stderr"].startswith("oops\nTraceback"), step
        error = step["document"]["error"]
        assert (error["type"], error["line"], error["source"]) == ("ZeroDivisionError", 5, "f()"), error
        assert [(f["file"], f["line"]) for f in error["frames"]] == [("<step-3>", 5), ("<step-1>", 3)], error
        assert k.run("x", show=True)["stdout"] == "1\n"
        step = k.run("open('made', 'w').write('x')\ndisplay('d')")
        assert step["document"]["displays"] and not os.path.exists(f"{s.tree}/made"), step
        assert k.value("open('made').read()") == "'x'"
        row = k.end()
        assert (row["kernel"], row["exit_status"], row["outcome"]["workspace"], row["kind"], row["command"]) == (True, 0, "committed", "python", "python kernel"), row
        assert os.path.exists(f"{s.tree}/made")
        c.close()


if __name__ == "__main__":
    main([variables_stay])
