#!/usr/bin/env python3
"""Runs a program in a cell as `ambit run` does, but as what a copied interpreter of a session has become: so with the wall that a copy has put up around itself.

usage: copied.py AMBIT PACKAGE [--VERB OBJECT | --limit NAME=VALUE | --without PROPERTY]... -- PROGRAM [ARG]...

Its output and status are the program's; 96: a flag is none of these; 97: no copy came."""
import os
import sys
import time

VERBS = ('read', 'write', 'work', 'run')
NOT_FOR_COPIES, NO_COPY = 96, 97
BECOMES = 'import os, sys\nif os.getppid() != 0:\n    os._exit(97)\nos.execv({program!r}, {argv!r})\n'


def parse(words):
    grants, limits, more = [], {}, {}
    while words[0] != '--':
        flag = words.pop(0)
        if flag == '--jit':
            grants.append('jit')
        elif flag[2:] in VERBS:
            grants.append(f'{flag[2:]} {words.pop(0)}')
        elif flag == '--limit':
            limits.update(word.split('=', 1) for word in words.pop(0).split(','))
        elif flag == '--without':
            more.setdefault('without', []).append(words.pop(0))
        else:
            sys.exit(NOT_FOR_COPIES)
    return grants, limits, more, words[1:]


def as_copy(session, source):
    """What becomes of it in a copy. There are some when events have followed each other; one that waits may have been started before."""
    until = time.monotonic() + 30
    while (result := session.python(source)).exit_status == NO_COPY and time.monotonic() < until:
        time.sleep(0.05)
    return result


def main():
    os.environ['AMBIT_PROGRAM'] = sys.argv[1]
    sys.path.insert(0, sys.argv[2])
    import ambit
    grants, limits, more, argv = parse(sys.argv[3:])
    grants.append(f'run {argv[0]}')  # as the program behind `--` has it
    try:
        with ambit.Session(os.getcwd(), grants, limits=limits, **more) as session:
            result = as_copy(session, BECOMES.format(program=argv[0], argv=argv))
        sys.stdout.buffer.write(result.stdout)
        sys.stderr.buffer.write(result.stderr)
        return result.exit_status
    except ambit.AmbitError as problem:
        print(f'ambit: {problem}', file=sys.stderr)
        return 125


if __name__ == '__main__':
    sys.exit(main())
