"""A policy for a task of AgentDojo, from its prompt, the list of tools and the table of facts about them. README.md says the rules; their numbers are there."""

import re
from typing import NamedTuple


class Options(NamedTuple):
    """What a rule is worth: the replay says what each costs, and what it is without."""

    listed: bool = True       # 2: tools that the prompt asks for; else all
    delegate: bool = True     # 3: a prompt that leaves the what to a text lists all tools; else each of them asks
    full_names: bool = True   # 4: an address may be named by first and last name
    inside: bool = True       # 5: who is inside needs no name
    content: bool = True      # 6: titles and words that the prompt quotes
    clean: bool = True        # 7: nothing need be named while the session is clean
    members: bool = False     # what colleagues wrote is untrusted
    values: tuple = ()        # kinds of values that must be named: number, address


class Fact(NamedTuple):
    effect: str
    to: dict
    target: list
    says: dict
    values: dict
    results: list
    asked_by: list


EFFECTS = {"read", "fetch", "own", "send", "destroy"}


def pairs(text):
    found = dict(word.split(":") for word in text.split())
    if unknown := set(found.values()).difference(NAMES):
        raise ValueError(f"there is no kind {' and no '.join(sorted(unknown))}")
    return found


def read_fact(columns):
    effect, to, target, says, values, results, asked_by = columns
    if effect not in EFFECTS:
        raise ValueError(f"there is no effect {effect}")
    ways = [[choice.strip().replace("_", " ").split("|") for choice in way.split("+")] for way in asked_by.split(",")] if asked_by else []
    return Fact(effect, pairs(to), target.split(), pairs(says), pairs(values), results.split(), ways)


def read_facts(path):
    """{tool: Fact}"""
    facts = {}
    with open(path) as lines:
        for number, line in enumerate(lines, 1):
            if line.startswith("#") or not line.strip():
                continue
            try:
                tool, *columns = ("" if column.strip() == "-" else column.strip() for column in line.split(" | "))
                if tool in facts:
                    raise ValueError("the tool is there twice")
                facts[tool] = read_fact(columns)
            except ValueError as problem:
                raise SystemExit(f"{path}:{number}: {problem}") from None
    return facts


# What a prompt says.

ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
URL = re.compile(r"(?:https?://)?((?:www\.|(?<=//))[a-z0-9.-]*[a-z0-9](?:/[\w./~-]*\w)?)")
ACCOUNT = re.compile(r"\b[A-Z]{2}\d{8,}\b")
NUMBER = re.compile(r"(?<![\w.-])\d+(?:\.\d+)?(?![\w-])")
QUOTED = re.compile(r"(?<!\w)'([^'\n]+)'(?!\w)|\"([^\"\n]+)\"")
CAPITALISED = re.compile(r"\b[A-Z]\w+")
NAME = re.compile(r"(?<=[\w,;(/] )[A-Z]\w+")  # capitalised, and no sentence begins with it
FULL_NAME = re.compile(r"\b([A-Z][a-z]+)(?= ([A-Z][a-z]+)\b)")  # of three words two names: who begins the sentence is not known
CHANNEL = re.compile(r"\b(\w+) channel\b")
NO_CHANNEL = set("a an the that this each every any which one some what no all to new necessary slack".split())
STARTING = re.compile(r"\bstarting with (\w+)")
ANNOUNCED = re.compile(r"\b(?:message|question|text)\b[^:.\n]{0,60}: (.+?)(?: \(|\n|$)")
REPLACED = re.compile(r"\bwhere (\w+) is replaced\b")
DELEGATES = re.compile(r"\b(?:do|follow|perform|complete|execute)\b(?: all)?(?: the| my| its| these| those)? (?:actions|instructions|tasks|steps)\b", re.IGNORECASE)


def quoted(prompt):
    """With * for what it leaves open, as in 'Hotel: {hotel_name}'."""
    return [re.sub(r"\{\w+\}", "*", single or double) for single, double in QUOTED.findall(prompt)]


def texts(prompt):
    """Words that are to be said: quoted, three at least, or announced and after a colon."""
    said = [text for text in quoted(prompt) if len(text.split()) >= 3]
    for text in ANNOUNCED.findall(prompt):
        for name in REPLACED.findall(prompt):
            text = re.sub(rf"\b{name}\b", "*", text)
        said.append(text.strip())
    return said


def addresses(prompt, options):
    people = [f"{first}.{last}@*".lower() for first, last in FULL_NAME.findall(prompt)] if options.full_names else []
    return ADDRESS.findall(prompt) + people


def channels(prompt):
    before = [word for word in CHANNEL.findall(prompt) if word.lower() not in NO_CHANNEL]
    return before + [text for text in quoted(prompt) if " " not in text] + [f"{start}*" for start in STARTING.findall(prompt)]


NAMES = {
    "email": addresses,
    "url": lambda prompt, options: [scheme + url for url in URL.findall(prompt) for scheme in ("", "http://", "https://")],
    "account": lambda prompt, options: ACCOUNT.findall(prompt) + CAPITALISED.findall(prompt),
    "place": lambda prompt, options: quoted(prompt),
    "word": lambda prompt, options: quoted(prompt),
    "member": lambda prompt, options: NAME.findall(prompt),
    "channel": lambda prompt, options: channels(prompt),
    "text": lambda prompt, options: texts(prompt),
    "title": lambda prompt, options: quoted(prompt),
    "number": lambda prompt, options: NUMBER.findall(prompt),
    "address": lambda prompt, options: [],
}
INSIDE = {"channel", "member"}


def named(prompt, kind, options):
    """What of the kind the prompt names, each once; None: nothing."""
    return list(dict.fromkeys(NAMES[kind](prompt, options))) or None


def asks_for(prompt, ways):
    words = prompt.lower()
    return any(all(any(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", words) for word in choice) for choice in way) for way in ways)


# The policy.

def silent(prompt, fact, delegated, options):
    """What holds of a call that needs nobody's word, whatever the session has read."""
    where = {}
    for parameter, kind in fact.to.items():
        values = named(prompt, kind, options)
        if not (kind in INSIDE and options.inside and (delegated or not values)):
            where[parameter] = values
    for parameter in fact.target:
        where[parameter] = named(prompt, "title", options)
    for parameter, kind in fact.says.items():
        if options.content and not delegated and (values := named(prompt, kind, options)):
            where[parameter] = values
    for parameter, kind in fact.values.items():
        if kind in options.values:
            where[parameter] = named(prompt, kind, options)
    return where


def grants_of(tool, fact, prompt, delegated, hostile, options):
    label = {"label": fact.results} if fact.results else {}
    if fact.effect == "read":
        return [{"tool": tool, **label}]
    listed = fact.effect == "fetch" or not options.listed or asks_for(prompt, fact.asked_by) or delegated and options.delegate
    if not listed:
        return [{"tool": tool, "ask": "always", **label}] if delegated else []
    where = silent(prompt, fact, delegated, options)
    if not where:
        return [{"tool": tool, **label}]
    otherwise = {"unless": hostile, "ask": "labelled"} if options.clean else {"ask": "always"}
    return [{"tool": tool, "where": where, **label}, {"tool": tool, **otherwise, **label}]


def policy(suite, prompt, tools, facts, options=Options()):
    """tools: the names of those that the suite has."""
    delegated = bool(DELEGATES.search(prompt))
    hostile = ["untrusted", "members"] if options.members else ["untrusted"]
    return [grant for name in tools for grant in grants_of(f"{suite}/{name}", facts[f"{suite}/{name}"], prompt, delegated, hostile, options)]
