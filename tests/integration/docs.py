#!/usr/bin/env python3
"""What is written says the same everywhere: --help, man pages, completions, the tables in src/, and the documents.

usage: docs.py AMBIT    (TAP on standard output)
"""

import glob
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMMANDS = ["run", "explain", "trace", "learn", "diff", "commit", "discard", "undo", "stage", "ledger", "grant", "freeze", "thaw", "kill", "secret", "approve", "labels", "profile", "canary", "session", "events", "ps", "serve", "mcp", "guard", "cells", "setup", "doctor", "policy"]
SHELLS = {"bash": "ambit.bash", "zsh": "_ambit", "fish": "ambit.fish"}

failures = 0
number = 0


def check(name, problems):
    """One line of TAP; `problems` is a list of texts, empty if all is well."""
    global failures, number
    number += 1
    print(f"{'not ok' if problems else 'ok'} {number} - {name}")
    for problem in problems:
        print(f"# {problem}")
    failures += bool(problems)


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as file:
        return file.read()


def differ(what, a, b):
    """What two sets or mappings do not share, as texts."""
    texts = [f"{what[0]} has {x!r}, {what[1]} has not" for x in sorted(set(a) - set(b))]
    texts += [f"{what[1]} has {x!r}, {what[0]} has not" for x in sorted(set(b) - set(a))]
    if isinstance(a, dict) and isinstance(b, dict):
        texts += [f"{x}: {what[0]} says {a[x]!r}, {what[1]} {b[x]!r}" for x in sorted(set(a) & set(b)) if a[x] != b[x]]
    return texts


# ---- what each place says: {option: default or None} ----


def default_in(text):
    """`Default: X.` or `(default: X)` or `X (default)`."""
    found = re.search(r"[Dd]efault:\s+([^.;,)]+)", text) or re.search(r"(\w+) \(default\)", text)
    return " ".join(found.group(1).split()) if found else None


def described(text, heading):
    """Options with their descriptions, where `heading` matches the start of an entry and names the option."""
    entries = list(re.finditer(heading, text, re.M))
    ends = [entry.start() for entry in entries[1:]] + [len(text)]
    return {e.group(1): default_in(text[e.end() : end].split("\n\n\n")[0]) for e, end in zip(entries, ends)}


def in_help(ambit, command):
    words = [ambit, command, "--help"] if command else [ambit, "--help"]
    done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0 or not done.stdout:
        raise AssertionError(f"{' '.join(words[1:])} exits with {done.returncode}: {done.stderr}")
    return done.stdout


def help_options(ambit, command):
    return described(in_help(ambit, command), r"^\s+(?:-\w,\s+)?(--[a-z][a-z-]*)\b")


def man_source(command):
    return read("man", f"ambit-{command}.1.scd")


def man_options(command):
    """Of the sections that describe options: what stands after EXIT STATUS only mentions them."""
    text = re.split(r"^# (?:LIMITS|EXIT STATUS)", man_source(command), flags=re.M)[0]
    return described(re.sub(r"\n# ", "\n\n\n# ", text), r"^\*(--[a-z][a-z-]*)\*")


def completed(shell, command):
    text = read("src", "cli", "completions", SHELLS[shell])
    if shell == "bash":
        words = re.search(rf"{command}_options='([^']*)'", text).group(1).split()
    elif shell == "zsh":
        body = re.search(rf"^_ambit_{command}\(\) {{(.*?)\n?}}$", text, re.M | re.S).group(1)
        words = re.findall(r"'\*?(--[a-z][a-z-]*)\[", body)
    else:
        words = ["--" + w for w in re.findall(rf"__ambit_in {command}\b[^']*' -l ([a-z-]+)", text)]
    return set(words)


def bash_offers(*words):
    """For the last of them."""
    script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ambit; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", script, "bash", os.path.join(TOP, "src", "cli", "completions", SHELLS["bash"]), *words],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    return {word.strip() for word in done.stdout.splitlines()}


# ---- the tables in src/ ----


def table(path, macro):
    """Rows of an X-macro table: {word: the other arguments as text}."""
    rows = re.findall(rf'^{macro}\(\w+,\s*"([^"]+)",\s*(.*)\)$', read(path), re.M)
    return {word: [part.strip() for part in re.findall(r'"[^"]*"|[^,"]+', rest) if part.strip()] for word, rest in rows}


def size(text):
    """A default of limits.def as ambit prints it."""
    text = text.strip()
    if text == "0":
        return "none"
    shifted = re.fullmatch(r"UINT64_C\((\d+)\) << (\d+)", text)
    return f"{shifted.group(1)}{ {'10': 'K', '20': 'M', '30': 'G'}[shifted.group(2)] }" if shifted else text


def man_limits():
    rows = re.findall(r"^[|\[]+ +\*(\w+)\*\n:- (.*)\n:- (.*)$", man_source("run"), re.M)
    return {word: (value, least) for word, value, least in rows if value != "*Default*"}


def listed(shell, option):
    """The values that a completion offers for an option of run: limits, properties, presets."""
    text = read("src", "cli", "completions", SHELLS[shell])
    if shell == "bash":
        names = {"--limit": "limits", "--without": "properties"}
        if option in names:
            found = re.search(rf"local {names[option]}='([^']*)'", text)
        else:
            found = re.search(rf"run:{option}(?: \| session:{option})?(?: \| mcp:{option})?(?: \| guard:{option})?\)\s+_ambit_words '([^']*)'", text)
    elif shell == "zsh":
        if option == "--limit":
            body = re.search(r"_ambit_limits\(\) {(.*?)\n}", text, re.S).group(1)
            return set(re.findall(r"'(\w+):", body))
        found = re.search(rf"{option}\[[^]]*\]:\w+:\(([^)]*)\)", text)
    else:
        found = re.search(rf"-l {option[2:]} -x -a '([^']*)'", text)
    return {word.rstrip("=") for word in found.group(1).split()}


# ---- documents ----


def documents():
    done = subprocess.run(["git", "-C", TOP, "ls-files", "*.md", "*.scd"], capture_output=True, text=True, check=False)
    names = done.stdout.split()
    if not names:  # a source tree without git
        names = [
            os.path.relpath(os.path.join(folder, name), TOP)
            for folder in (TOP, os.path.join(TOP, "doc"), os.path.join(TOP, "man"))
            if os.path.isdir(folder)
            for name in os.listdir(folder)
            if name.endswith((".md", ".scd"))
        ]
    return sorted(name for name in names if os.path.exists(os.path.join(TOP, name)))


ROOTS = "include src tests fuzz bench man doc examples debian packages eval corpus .ci".split()


def dead_paths(name):
    """Paths of the tree that a document names and that are not there. With `*` at least one must fit."""
    text = read(name)
    found = set(re.findall(r"(?<![\w/.-])((?:%s)/[\w./*-]*[\w*])(?![{<])" % "|".join(map(re.escape, ROOTS)), text))
    found |= {
        os.path.normpath(os.path.join(os.path.dirname(name), link))
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    }
    return [f"{name}: no {path}" for path in sorted(found) if not glob.glob(os.path.join(TOP, path))]


def commands_in(name):
    """Lines of examples that start with `ambit run`, with what continues them."""
    text = read(name).replace("\\\n", " ")
    return re.findall(r"^\s*(?:\$ )?(ambit (?:run|learn) .*)$", text, re.M)


def policies_in(name):
    """Blocks of YAML that are whole policies."""
    blocks = re.findall(r"^```(?:yaml)?\n(.*?)^```", read(name), re.M | re.S)
    return [block for block in blocks if block.lstrip().startswith(("version:", "# ambit.yaml\nversion:"))]


def policy_problems(ambit, name, text):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "ambit.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        done = subprocess.run(
            [ambit, "policy", "check", path], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
        )
    return [] if done.returncode == 0 else [f"{name}: {done.stderr or done.stdout}"]


def main(ambit):
    for command in COMMANDS:
        written = man_options(command)
        try:
            problems = differ(("--help", "man"), help_options(ambit, command), written)
        except AssertionError as error:
            problems = str(error).splitlines()
        check(f"{command}: --help and the man page list the same options and defaults", problems)
        for shell in SHELLS:
            check(f"{command}: the {shell} completion knows the same options",
                  differ((shell, "man"), completed(shell, command), set(written)))

    check("bash reads its completion, and offers each command", [f"lacks {c}" for c in sorted(set(COMMANDS) - bash_offers("ambit", ""))])
    overview = set(re.findall(r"\bambit ([a-z]+)\b", in_help(ambit, None)))
    pages = set(re.findall(r"^\*([a-z]+)", read("man", "ambit.1.scd").split("# COMMANDS")[1].split("\n# ")[0], re.M))
    check("ambit --help names each command of ambit(1)", [f"--help lacks {c}" for c in sorted(pages - overview)])

    limits = table("src/core/limits.def", "LIMIT")
    defaults = {word: (size(rest[2]), size(rest[1]) + ("ms" if rest[0] == "MS" else "")) for word, rest in limits.items()}
    defaults["memory"] = ("half of the machine", defaults["memory"][1])  # put in by whoever knows the machine
    check("the man page has the limits of limits.def, their defaults and the least that they may be",
          differ(("limits.def", "man"), defaults, man_limits()))
    properties = table("src/cell/properties.def", "PROPERTY")
    wall = man_source("run").split("# THE WALL")[1].split("\n# ")[0]
    check("the man page has the properties of properties.def",
          differ(("properties.def", "man"), set(properties), set(re.findall(r"\*([a-z]+)\*", wall))))
    presets = {name[:-5] for name in os.listdir(os.path.join(TOP, "src/policy/presets")) if name.endswith(".yaml")}
    preset_text = re.search(r"^\*--preset\*.*?\n\n", man_source("run"), re.M | re.S).group(0)
    check("the man page has the presets there are",
          differ(("presets", "man"), presets, set(re.findall(r"\*([a-z][a-z-]*)\*", preset_text))))
    languages = set(re.findall(r'\[KIND_\w+\] = "(\w+)"', read("src/core/kind.c"))) - {"run"}
    for shell in SHELLS:
        for option, words in (("--limit", limits), ("--without", properties), ("--preset", presets), ("--warm", languages)):
            check(f"the {shell} completion has the words of {option}",
                  differ((shell, "the table"), listed(shell, option), set(words)))
    verbs = table("src/core/verbs.def", "VERB")
    in_man = set(re.findall(r"\*([a-z]+)\*", read("man", "ambit.yaml.5.scd").split("# VERBS")[1].split("\n# ")[0]))
    check("ambit.yaml(5) has the verbs of verbs.def", [f"no {verb}" for verb in sorted(set(verbs) - in_man)])
    for document, maker in (("doc/SECURITY.md", "src/cell/gen_properties"), ("doc/INTERNAL.md", "src/wire/gen_internal"),
                            ("doc/PROTOCOL.md", "src/rpc/gen_protocol"), ("doc/CELLS.md", "src/cells/gen_cells")):
        made = subprocess.run([os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), maker)], stdout=subprocess.PIPE,
                              text=True, check=True).stdout
        text = read(*document.split("/"))
        check(f"{document} has what {os.path.basename(maker)} makes of the table",
              [f"lacks: {line}" for line in made.splitlines() if line not in text.splitlines()])

    known = set(man_options("run")) | set(man_options("learn"))
    for name in documents():
        problems = dead_paths(name)
        for line in commands_in(name):
            given = line.split(" -- ")[0]
            problems += [f"{name}: {o} is no option: {line}" for o in re.findall(r"--[a-z][a-z-]*", given) if o not in known]
        for policy in policies_in(name):
            problems += policy_problems(ambit, name, policy)
        check(f"{name}: its paths exist, its commands and policies are right", problems)

    for path in sorted(glob.glob(os.path.join(TOP, "examples", "**", "*.yaml"), recursive=True)):
        with open(path, encoding="utf-8") as file:
            name = os.path.relpath(path, TOP)
            check(f"{name} is a policy that is right", policy_problems(ambit, name, file.read()))

    print(f"1..{number}")
    return failures


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except (AssertionError, AttributeError, OSError) as error:
        print(f"Bail out! {type(error).__name__}: {error}")
        raise
