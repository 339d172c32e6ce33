"""The core that decides (src/core/authority.h, by eval/decide.c), and what a gate before it does: it writes arguments as the core has them.

A grant is {"tool": NAME} with, as far as it has them,
  where   {parameter: values}: the argument, or each one of its list, is one of the values, in which * stands for any text; one that is not given is all right.
          {parameter: None}: the argument is not given
  unless  labels with which it does not hold
  ask     "always": a person approves each use; "labelled": each where `unless` would refuse it
  label   labels that what the tool answers carries"""

import json
import struct
import subprocess

ALLOW, ASK, DENY = VERDICTS = ("allowed", "asks", "denied")
TEXT, NUMBER, BOOL, LONG = range(4)  # enum where_kind
IN_NAMES, IN_VALUES = "\\.*", "\\"  # what has a \ before it (core/where.h)
TOLD = 4000  # characters of an argument that are told; of a longer one only how many there are


def easiest(verdicts):
    return min(verdicts, key=VERDICTS.index)


def hardest(verdicts):
    return max(verdicts, key=VERDICTS.index)


def is_given(argument):
    return argument is not None and argument != []


def escaped(text, special):
    return "".join("\\" + c if c in special else c for c in text)


def conditions(where):
    """As the core has them: there a backslash is not itself, and a name may be a path."""
    return json.dumps({escaped(name, IN_NAMES): values and [escaped(value, IN_VALUES) for value in values] for name, values in where.items()})


def flat(path, argument):
    """Each scalar of an argument, as where_put writes it."""
    if isinstance(argument, list):
        return b"".join(flat(path, part) for part in argument)
    if isinstance(argument, dict):
        return b"".join(flat(f"{path}.{escaped(name, IN_NAMES)}", part) for name, part in argument.items())
    if argument is None:
        return b""
    kind, value = TEXT, argument
    if not isinstance(argument, str):
        kind, value = BOOL if isinstance(argument, bool) else NUMBER, json.dumps(argument)
    elif len(argument) > TOLD:
        kind, value = LONG, str(len(argument))
    name, value = path.encode(), value.encode()
    return struct.pack("<BI", kind, len(name)) + name + struct.pack("<I", len(value)) + value


class Core:
    """A process that has one session at a time."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.sessions = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def say(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        assert answer, f"the core does not answer: {words}"
        return answer


def written(labels):
    return ",".join(sorted(labels)) or "-"


class Session:
    """Of grants, and labels that it has from the start. It ends when the next one begins."""

    def __init__(self, core, grants, labels=()):
        self.core, self.grants, self.labels = core, grants, set(labels)
        self.given = set()
        core.sessions += 1
        self.number = core.sessions
        core.say("open", written(labels))

    def give(self, tool):
        """Grants are given when their tool is first used."""
        for grant in self.grants:
            if grant["tool"] == tool and tool not in self.given:
                self.core.say("grant", tool, written(grant.get("label", ())), written(grant.get("unless", ())), grant.get("ask") or "never",
                              conditions(grant.get("where", {})))
        self.given.add(tool)

    def use(self, tool, args):
        """The verdict; who is asked says yes."""
        assert self.number == self.core.sessions, "the session has ended"
        self.give(tool)
        arguments = b"".join(flat(escaped(name, IN_NAMES), argument) for name, argument in args.items())
        verdict, _, labels = self.core.say("use", tool, arguments.hex() or "-")
        self.labels = set(labels.split(",")) - {"-"}
        return verdict
