"""The core that decides (src/core/authority.h, by eval/decide.c), and what a gate before it does: it finds the grants whose arguments a call has.

A grant is {"tool": NAME} with, as far as it has them,
  where   {parameter: values}: the argument, or each one of its list, is one of the values, in which * stands for any text; one that is not given is all right.
          {parameter: None}: the argument is not given
  unless  labels with which it does not hold
  ask     "always": a person approves each use; "labelled": each where `unless` would refuse it
  label   labels that what the tool answers carries
`where` is looked at here: it is the one part that the core does not have yet. All else is the core's."""

import json
import re
import subprocess

ALLOW, ASK, DENY = VERDICTS = ("allowed", "asks", "denied")
ASKING = (None, "labelled", "always")


def easiest(verdicts):
    return min(verdicts, key=VERDICTS.index)


def hardest(verdicts):
    return max(verdicts, key=VERDICTS.index)


def is_one_of(text, values):
    return any(re.fullmatch(".*".join(map(re.escape, value.split("*"))), text, re.DOTALL) for value in values)


def is_given(argument):
    return argument is not None and argument != []


def is_as_granted(where, args):
    for name, values in where.items():
        argument = args.get(name)
        parts = argument if isinstance(argument, list) else [argument]
        if is_given(argument) and not (values and all(is_one_of(str(part), values) for part in parts)):
            return False
    return True


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
        self.given = {}
        core.sessions += 1
        self.number = core.sessions
        core.say("open", written(labels))

    def number_of(self, place):
        """Grants are given when their tool is first used."""
        grant = self.grants[place]
        if place not in self.given:
            self.given[place], = self.core.say("grant", grant["tool"], written(grant.get("label", ())), written(grant.get("unless", ())), grant.get("ask") or "never")
        return self.given[place]

    def use(self, tool, args):
        """The verdict; who is asked says yes. The grants whose arguments these are: one that does not ask is enough."""
        assert self.number == self.core.sessions, "the session has ended"
        fitting = [place for place, grant in enumerate(self.grants) if grant["tool"] == tool and is_as_granted(grant.get("where", {}), args)]
        for place in sorted(fitting, key=lambda place: ASKING.index(self.grants[place].get("ask"))):
            verdict, _, labels = self.core.say("use", self.number_of(place), tool, json.dumps(args, sort_keys=True))
            self.labels = set(labels.split(",")) - {"-"}
            if verdict != DENY:
                return verdict
        return DENY
