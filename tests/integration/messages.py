#!/usr/bin/env python3
"""What a person reads when something goes wrong is what doc/MESSAGES.md shows: messages.py AMBIT DENY DOCUMENT. Speaks TAP; as
root also as an ordinary user. Each example of the document is run, and its standard error and exit status must be as they stand there."""

import json
import os
import re
import shutil
import sys

from harness import Skip, expect_ok, main, sanitized, told, write

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


def need_ambit_in_a_cell(place):
    if sanitized(place.ambit):
        raise Skip("a sanitizer's build of ambit does not run in a cell")


def without_ids(text):
    """Each event has an id of its own."""
    return re.sub(r"\be_[0-9A-HJKMNP-TV-Z]{26}\b", "e_ID", text)


def example(heading, command, shown):
    def scenario(place):
        if "-- ./ambit " in command:
            need_ambit_in_a_cell(place)
        project = os.path.join(place.home, "project")
        write(os.path.join(place.home, ".ssh", "id_ed25519"), "SECRET\n")
        write(os.path.join(project, "hog.sh"), HOG)
        write(os.path.join(project, "notes"), "before\n")
        write(os.path.join(project, ".env"), "SECRET\n")
        os.makedirs(os.path.join(project, ".git", "hooks"), exist_ok=True)
        shutil.copy(place.ambit, project)
        write(os.path.join(project, "unknown.yaml"), "version: 1\ngrants:\n  - raed: .\n")
        write(os.path.join(project, "tab.yaml"), "version: 1\ngrants:\n\t- read: .\n")
        write(os.path.join(project, "proc.yaml"), "version: 1\ngrants:\n  - read: [/etc/fonts, /proc/self]\n")
        write(os.path.join(project, "range.yaml"), "version: 1\nlimits: {tasks: 99999999999}\n")
        script = f'ambit() {{ {"$DENY $RULE -- " if heading in WITHOUT else ""}$THE_AMBIT "$@"; }}; {command}'
        done = place.run("env", f"THE_AMBIT={place.ambit}", f"DENY={beside(place.ambit, sys.argv[2])}", f"RULE={WITHOUT.get(heading)}", "sh", "-c",
                         script.replace("/home/ann", place.home), cwd=project)
        got = f"{done.stderr}exit status {done.returncode}\n".replace(place.home, "/home/ann")
        for i, line in enumerate(shown.splitlines()):
            if line.startswith("ambit: "):
                heads = [follows.split(":")[0] for follows in shown.splitlines()[i : i + 3]]
                misused = heads[:2] == ["ambit", "  hint"] and "see `ambit" in shown.splitlines()[i + 1]
                assert misused or heads == ["ambit", "  why", "  hint"], f"not what, why and what to do: {shown}"
        assert without_ids(got) == without_ids(shown), f"$ {command}\n{got}--- but the document says:\n{shown}"

    scenario.__name__ = re.sub(r"[^\w]+", "_", f"{heading}: {command}")
    return scenario


def a_cell_is_known_by_itself(place):
    """And not by a variable, which anybody may set, and a program in a cell unset."""
    need_ambit_in_a_cell(place)
    top = place.fresh()
    shutil.copy(place.ambit, top)
    for without in ([], ["env", "-u", "AMBIT"], ["env", "-i"]):
        done = place.cell("--read", "/run", "--run", "./ambit", "--", *without, "./ambit", "run", "--", "true", cwd=top)
        assert done.returncode == 125 and "this is a cell already" in done.stderr, f"{without}: {told(done)}"
    expect_ok(place.run("env", "AMBIT=cell", place.ambit, "run", "--", "true", cwd=top))


def a_wrong_word_is_answered_with_the_right_ones(place):
    for words, hint in (
        ("--base x", "one of system, minimal"),
        ("--base host", "one of system, minimal"),
        ("--observe all", "one of off, effects, full, ebpf, auto"),
        ("--without code,wal", "one of files, processes, ipc, sockets, network, written, code, privilege, kernel, keys, warden, lifetime, "
         "memory, tasks, disk, time"),
    ):
        done = place.cell(*words.split(), "--", "true", cwd=place.fresh())
        assert done.returncode == 125 and f"\n  hint: {hint}\n" in done.stderr, f"{words}: {told(done)}"


def refused_words(place, words, what, hint):
    done = place.run(place.ambit, *words.split(), cwd=place.fresh())
    assert done.returncode == 125 and done.stdout == "", f"{words}: {told(done)}"
    assert done.stderr.splitlines()[0] == f"ambit: {what}" and done.stderr.splitlines()[-1] == f"  hint: {hint}", f"{words}: {told(done)}"


def a_slip_is_answered_with_the_word_meant(place):
    for words, what, meant in (
        ("run --raed . -- true", "no option '--raed'", "--read"),
        ("run --raed=. -- true", "no option '--raed'", "--read"),
        ("run -read . -- true", "no option '-read'", "--read"),
        ("run --wrkspace . -- true", "no option '--wrkspace'", "--workspace"),
        ("learn --outptu x -- true", "no option '--outptu'", "--output"),
        ("explain --hepl x", "no option '--hepl'", "--help"),
        ("doctor --jsn", "no option '--jsn'", "--json"),
        ("policy check --jsno x", "no option '--jsno'", "--json"),
        ("--verison", "no option '--verison'", "--version"),
        ("rum", "no command 'rum'", "run"),
        ("help lern", "no command 'lern'", "learn"),
        ("policy chek x", "no command 'policy chek'", "check"),
        ("policy trsut x", "no command 'policy trsut'", "trust"),
        ("run --preset pyton -- true", "no preset 'pyton'", "python"),
        ("run --without fils -- true", "no property 'fils'", "files"),
        ("run --without code,memroy -- true", "no property 'memroy'", "memory"),
        ("run --base sytem -- true", "base 'sytem' is not known", "system"),
        ("run --observe efects -- true", "observe 'efects' is not known", "effects"),
        ("run --limit wal=1s -- true", "'wal' is not a limit", "wall"),
    ):
        refused_words(place, words, what, f"did you mean '{meant}'?")


def what_no_word_is_near_is_answered_with_the_help(place):
    for words, what, hint in (
        ("run --zebra -- true", "no option '--zebra'", "see `ambit run --help`"),
        ("run -x -- true", "no option '-x'", "see `ambit run --help`"),
        ("run --json=x -- true", "--json takes no value", "see `ambit run --help`"),
        ("run --tool a/b -- true", "--tool is for `ambit guard`, and is not taken here", "see `ambit run --help`"),
        ("run --tool=a/b -- true", "--tool is for `ambit guard`, and is not taken here", "see `ambit run --help`"),
        ("learn --tool a/b -- true", "--tool is for `ambit guard`, and is not taken here", "see `ambit learn --help`"),
        ("session new --tool a/b", "--tool is for `ambit guard`, and is not taken here", "see `ambit session --help`"),
        ("mcp --tool a/b", "--tool is for `ambit guard`, and is not taken here", "see `ambit mcp --help`"),
        ("run --read", "--read needs a value", "see `ambit run --help`"),
        ("learn --output", "--output needs a value", "see `ambit learn --help`"),
        ("zebra", "no command 'zebra'", "see `ambit help`"),
        ("help zebra", "no command 'zebra'", "see `ambit help`"),
        ("help run learn", "help takes one command, and not 'learn' too", "see `ambit help`"),
        ("version x", "version takes no 'x'", "see `ambit help`"),
        ("--version x", "version takes no 'x'", "see `ambit help`"),
        ("explain --json x", "no option '--json'", "see `ambit explain --help`"),
        ("explain x --json", "no option '--json'", "see `ambit explain --help`"),
        ("explain", "name one record or event", "see `ambit explain --help`"),
        ("policy", "say check or trust, and a file", "see `ambit policy --help`"),
        ("policy zebra", "no command 'policy zebra'", "see `ambit policy --help`"),
        ("policy check", "no file: name one after policy check", "see `ambit policy --help`"),
        ("policy check a b", "policy check takes one file, and not 'b' too", "see `ambit policy --help`"),
        ("policy trust --json a", "no option '--json'", "see `ambit policy --help`"),
        ("run --preset zebra -- true", "no preset 'zebra'", "there are: agent, c, claude-code, node, python, shell"),
    ):
        refused_words(place, words, what, hint)


def terms_that_are_a_word_of_their_own_are_said_to_belong_to_their_endpoint(place):
    """The outer quotes were forgotten: the shell made two words of it, and the second was taken for the program."""
    belongs = "it belongs into the word of its endpoint: --connect "
    for word, hint in (
        ("http=GET /", belongs + "\"HOST:443 http='GET /'\""),
        ("between=09:00-18:00 UTC", belongs + "\"HOST:443 between='09:00-18:00 UTC'\""),
        ("between=09:00-18:00 Europe/Berlin", belongs + "\"HOST:443 between='09:00-18:00 Europe/Berlin'\""),
        ("graphql=query viewer", belongs + "\"HOST:443 graphql='query viewer'\""),
        *((word, belongs + f'"HOST:443 {word}"') for word in ("secret=x", "credentials=pass", "until=2030-01-01T00:00:00Z", "uses=2", "bytes=1M", "rate=10/s", "ech=true")),
        ("http=GET /it's \x1b", belongs + "\"HOST:443 http='...'\""),
        ("htp=GET /", "check the path, or name another --workspace"),  # the twins: no such word, or not at its beginning
        ("secret", "install it, or name it with its path"),
        ("xhttp=y", "install it, or name it with its path"),
    ):
        done = place.cell("--no-ledger", "--connect", "a.test:443", word, "--", "true", cwd=place.fresh())
        assert done.returncode == 127 and done.stderr.splitlines()[-1] == f"  hint: {hint}", f"{word}: {told(done)}"


def a_budget_says_whose_it_is(place):
    """Of a session that ends with its command, or of an agent whom nobody names, there is none."""
    one, of_agent = ("--budget", "session uses=5"), ("--budget", "agent uses=5")
    for words, what, hint in (
        (one, "a budget of a session needs one", "`ambit session new`; or bound this event alone: uses= beside its grant"),
        (of_agent, "a budget of an agent, and nobody says which", "agent: NAME in the policy, or `ambit run --agent NAME`"),
        (("--budget", "sesion uses=5"), "'sesion' is not a budget", "did you mean 'session'?"),
        (("--budget", "session user=5"), "'user' is not a number of a budget", "did you mean 'uses'?"),
        (("--budget", "agent rate=5/s", "--budget", "agent rate=5/m"), "budgets: the rate of agent is 5/m, but it is 5/s already", "keep one of the two, or write both for the same period"),
        (("--session", "last", *one), "budgets for an event of a session, which has its own", "they are given to `ambit session new`"),
        (("--session", "last", "--profile", "hold"), "a word on what is unusual, or on canaries, for an event of a session, which has its own", "they are given to `ambit session new`"),
        (("--session", "last", "--canary", "freeze"), "a word on what is unusual, or on canaries, for an event of a session, which has its own", "they are given to `ambit session new`"),
    ):
        done = place.cell("--no-ledger", *words, "--", "true", cwd=place.fresh())
        lines = done.stderr.splitlines()
        assert done.returncode == 125 and lines[0] == f"ambit: {what}" and lines[-1] == f"  hint: {hint}", f"{words}: {told(done)}"
    expect_ok(place.cell("--no-ledger", "--agent", "coder", *of_agent, "--", "true", cwd=place.fresh()))


def an_abbreviation_is_no_option(place):
    """What gives authority is written out, so that no later option changes what it means."""
    top = place.fresh()
    for words, meant in (("--rea", "--read"), ("--rea=.", "--read"), ("--qui", "--quiet"), ("--jso", "--json"), ("--nop", None),
                         ("--no-p", "--no-pty"), ("--pres", "--preset"), ("--obs", "--observe"), ("--w", None), ("--he", "--help")):
        for tail in (["--", "true"], [".", "--", "true"], []):
            done = place.cell(words, *tail, cwd=top)
            assert done.returncode == 125 and done.stdout == "", f"{words}: {told(done)}"
            hint = f"did you mean '{meant}'?" if meant else "see `ambit run --help`"
            assert done.stderr == f"ambit: no option '{words.split('=')[0]}'\n  hint: {hint}\n", f"{words}: {told(done)}"
    done = place.cell("--nosuch", "--jso", "--", "true", cwd=top)
    assert done.returncode == 125 and done.stdout == "", f"an abbreviated --json is obeyed: {told(done)}"
    expect_ok(place.cell("--read=.", "--quiet", "--limit=wall=9s", "--", "true", cwd=top))  # what it must not take along


def help_and_version_are_where_they_are_looked_for(place):
    top = place.fresh()

    def say(*words):
        return expect_ok(place.run(place.ambit, *words, cwd=top)).stdout

    for words in ("policy check --help", "policy trust --help", "policy check -h", "policy check x --help", "policy -h", "help policy"):
        assert say(*words.split()) == say("policy", "--help"), words
    for words in ("help", "-h", "help --help", "help version", "help help", "version --help"):
        assert say(*words.split()) == say("--help"), words
    for words in ("-V", "version"):
        assert say(words) == say("--version") and say(words).startswith("ambit "), words
    assert "help [COMMAND]" in say("help")


def a_policy_on_standard_input_is_checked(place):
    top = place.fresh()
    for words, text, stdout, stderr in (
        ("-", "version: 1\ngrants: []\n", "standard input: good\n", ""),
        ("--json -", "version: 1\ngrants: []\n", '{"good":true}\n', ""),
        ("-", "version: 1\ngrants:\n  - raed: .\n", "", "ambit: standard input:3:5: 'raed' is not a verb"),
        ("-", "", "", "ambit: standard input:1:1: the policy is empty"),
        ("-", "#" * (256 << 10) + "\n", "", "ambit: standard input: the policy has more than"),
        ("-", 'version: "1"\n', "", "ambit: standard input:1:10: the version is a text in quotes, not a number\n"),
    ):
        done = place.run(place.ambit, "policy", "check", *words.split(), cwd=top, input=text)
        assert done.returncode == (125 if stderr else 0) and done.stdout == stdout and done.stderr.startswith(stderr), \
            f"{text[:80]}: {told(done)}"
    write(os.path.join(top, "-"), "no policy\n")
    assert place.run(place.ambit, "policy", "check", "./-", cwd=top, input="version: 1\n").returncode == 125, "./- is a file"
    done = place.run("sh", "-c", '"$0" policy check - <&-', place.ambit, cwd=top)
    assert done.returncode == 125 and "standard input:1:1: the policy is empty" in done.stderr, told(done)


def row(verb, what, **conditions):
    return f"  - {verb}: '{what}'\n" + "".join(f"    {key}: {value}\n" for key, value in conditions.items())


def a_policy_is_checked_as_it_would_be_run(place):
    """What run refuses for what the file alone says, check refuses, and says where; what depends on the host it does not judge."""
    top = place.fresh()
    for grants, at, message in (
        ((("connect", "a.test:443", {}), ("connect", "b.test:443", {"uses": 2}), ("connect", "b.test:443", {"uses": 3})), "6:14",
         "connect: 'b.test:443' is given with different qualifiers"),
        ((("connect", "b.test:443", {"http": "GET /a"}), ("connect", "b.test:443", {"http": "GET /b"})), "5:14", "connect: 'b.test:443' is given with different qualifiers"),
        ((("connect", "b.test:443", {"http": "GET /a"}), ("connect", "B.test:443", {})), "5:14", "connect: 'b.test:443' is given with different qualifiers"),
        ((("connect", "*:443", {"secret": "x"}),), "3:14", "connect: *:443: the secret 'x' would go to any host"),
        ((("connect", "a.test:1", {}), ("connect", "localhost:443", {})), "4:14", "connect: localhost is the cell itself"),
        ((("connect", "a.localhost:443", {}),), "3:14", "connect: a.localhost is the cell itself"),
        ((("connect", "0.0.0.0:80", {}),), "3:14", "connect: 0.0.0.0:80 is nobody's address"),
        ((("connect", "198.18.7.0/24:80", {}),), "3:14", "connect: 198.18.7.0/24:80 lies where names have their addresses in a cell"),
        ((("connect", "*:53", {}),), "3:14", "connect: *:53 beside names of a pattern, which need that port in the cell"),
        ((("connect", "unix:/run/ambit/ssh-agent", {}),), "3:14", "connect: /run/ambit/ssh-agent is the cell's own"),
        ((("connect", "127.0.0.1:8080", {}), ("listen", "8080", {})), "4:13", "listen: port 8080 of the cell is taken by connect: 127.0.0.1:8080"),
        ((("env", "A=1", {}), ("env", "A=2", {})), "4:10", "env: 'A' is given two different values"),
        (tuple(("connect", f"h{i}.test:443", {"http": "GET /"}) for i in range(17)), "35:14", "more than 16 grants whose requests are judged"),
    ):
        policy = os.path.join(top, "policy.yaml")
        write(policy, "version: 1\ngrants:\n" + "".join(row(verb, what, **conditions) for verb, what, conditions in grants))
        checked = place.run(place.ambit, "policy", "check", policy, cwd=top)
        ran = place.cell("--no-ledger", "--policy", policy, "--", "true", cwd=top)
        assert checked.returncode == ran.returncode == 125, f"{grants}: {told(checked)} {told(ran)}"
        assert message in ran.stderr and f"policy.yaml:{at}: {message}\n" in checked.stderr, f"{grants}: {told(checked)} {told(ran)}"
        hints = [[line for line in done.stderr.splitlines() if line.startswith("  hint: ")] for done in (checked, ran)]
        assert hints[0] == hints[1] != [], f"{grants}: {hints}"
    write(policy, "version: 1\ngrants:\n" + "".join((  # the twins; a path and a secret that are not there are nothing that the file says
        row("connect", "b.test:443", uses=2), row("connect", "B.test:443", uses=2), row("connect", "localhost.test:443"), row("connect", "*.b.test:443", secret="x"),
        row("connect", "*:443", uses=3), row("connect", "ssh://a@c.test"), row("connect", "c.test:22"), row("connect", "127.0.0.1:8080"), row("listen", "8081"),
        row("env", "A=1"), row("read", "/nowhere/at/all"))))
    expect_ok(place.run(place.ambit, "policy", "check", policy, cwd=top))


def what_is_of_a_guarded_server_is_of_no_event(place):
    """Lines of guard, and those of tools, are checked with each other; an event has none of them."""
    top = place.fresh()
    policy, record = os.path.join(top, "policy.yaml"), os.path.join(top, "record.json")
    write(policy, """version: 1
grants:
  - connect: a.test:443
  - env: A=1
  - tool: a/b
    where: {path: "./x/**"}
  - tool: a/b
    ask: true
guard:
  - connect: a.test:443
    uses: 5
  - env: A=2
  - read: /nowhere/at/all
""")
    expect_ok(place.run(place.ambit, "policy", "check", policy, cwd=top))
    expect_ok(place.cell("--policy", policy, "--record", record, "--", "sh", "-c", "test $A = 1", cwd=top))
    with open(record, encoding="utf-8") as f:
        granted = [(g["verb"], g["object"], g["qualifiers"]) for g in json.load(f)["grants"] if g["verb"] not in ("run", "read")]
    assert granted == [("connect", "a.test:443", None), ("env", "A", None)], granted
    for line, at, message in (("  - env: A=3", "14:10", "env: 'A' is given two different values"), ("  - connect: localhost:1", "14:14", "connect: localhost is the cell itself")):
        with open(policy, encoding="utf-8") as f:
            text = f.read()
        write(os.path.join(top, "more.yaml"), text + line + "\n")
        done = place.run(place.ambit, "policy", "check", "more.yaml", cwd=top)
        assert done.returncode == 125 and f"more.yaml:{at}: {message}\n" in done.stderr, told(done)


def what_was_not_run_is_explained_as_that(place):
    top = place.fresh()
    json_of = place.cell("--json", "--", "./nothing", cwd=top).stdout
    done = place.run(place.ambit, "explain", "-", cwd=top, input=json_of)
    assert done.returncode == 125 and done.stderr.startswith("ambit: nothing was run: ./nothing: no such program\n"), told(done)
    done = place.run(place.ambit, "explain", "-", cwd=top, input='{"error":{}}')
    assert done.returncode == 125 and done.stderr.startswith("ambit: record: error.message: "), told(done)


def an_option_of_another_command_is_refused(place):
    for words in ("run --output x -- true", "learn --json -- true", "learn --record x -- true", "learn --observe off -- true"):
        done = place.run(place.ambit, *words.split(), cwd=place.fresh())
        assert done.returncode == 125 and f"no option '{words.split()[1]}'" in done.stderr, f"{words}: {told(done)}"


def quiet_is_only_of_denials(place):
    """What was refused, and what a limit ended, is said in any case."""
    top = place.fresh()
    write(os.path.join(top, "bad"), "#!/no/interpreter\n")
    os.chmod(os.path.join(top, "bad"), 0o755)
    for words, status, said in (
        ("--run ./bad -- ./bad", 127, "cannot execute"),
        ("--limit wall=200ms -- sleep 9", 124, "ended by its limit: wall=200ms"),
    ):
        done = place.run(place.ambit, "run", "--quiet", *words.split(), cwd=top)
        assert done.returncode == status and said in done.stderr, f"{words}: {told(done)}"
    assert place.run(place.ambit, "run", "--quiet", "--", "cat", "/etc/shadow", cwd=top).stderr.count("\n") == 1


def refused_as_JSON(place):
    """With --json standard output has one object, whatever came of it; standard error says the same to a person."""
    top = place.fresh()
    write(os.path.join(top, "bad.yaml"), "version: 1\ngrants:\n  - raed: .\n")
    write(os.path.join(top, "good.yaml"), "version: 1\ngrants:\n  - read: .\n")
    for words, code, status in (
        ("run --json -- nosuch", "NO_PROGRAM", 127),
        ("run --json --read /nope -- true", "NOT_FOUND", 125),
        ("run --json --read . -- ./bad.yaml", "NOT_RUNNABLE", 126),
        ("run --json --nosuch -- true", "USAGE", 125),
        ("run --nosuch --json -- true", "USAGE", 125),
        ("run --limit tasks=x --json -- true", "MALFORMED", 125),
        ("run --json --read", "USAGE", 125),
        ("run --json", "USAGE", 125),
        ("run --json --record /nope/r --", "USAGE", 125),
        ("run --json --record /nope/r -- true", "SYSTEM", 125),
        ("run --json --policy bad.yaml -- true", "UNKNOWN", 125),
        ("policy check --json bad.yaml", "UNKNOWN", 125),
        ("policy check --json nope.yaml", "USAGE", 125),
        ("policy check --json", "USAGE", 125),
        ("policy check --nosuch --json good.yaml", "USAGE", 125),
    ):
        done = place.run(place.ambit, *words.split(), cwd=top)
        assert done.stdout.count("\n") == 1, f"{words}: {told(done)}"
        error = json.loads(done.stdout)["error"]
        assert list(error) == ["code", "message", "why", "hint"] and error["code"] == code, f"{words}: {error}"
        assert done.returncode == status, f"{words}: {told(done)}"
        lines = [f"ambit: {error['message']}"] + [f"  {key}: {error[key]}" for key in ("why", "hint") if error[key] is not None]
        assert done.stderr.splitlines() == lines, f"{words}: {told(done)}"
    assert expect_ok(place.run(place.ambit, "policy", "check", "--json", "good.yaml", cwd=top)).stdout == '{"good":true}\n'
    assert place.run(place.ambit, "run", "--", "nosuch", cwd=top).stdout == "", "without --json only standard error says so"


def no_flag_is_named_that_cannot_be_given(place):
    """What the person may not do themselves no grant gives, and nobody is told to try."""
    top = os.path.join(place.home, "things")
    write(os.path.join(top, "closed", "x"), "x\n")
    write(os.path.join(top, "own"), "x\n")
    os.chmod(os.path.join(top, "closed"), 0)
    record = os.path.join(top, "record.json")
    script = f"cat {top}/own; cat /etc/shadow; mkdir /usr/of-a-test; cat {top}/closed/x"
    done = place.run(place.ambit, "run", "--record", record, "--", "sh", "-c", script, cwd="/")
    os.chmod(os.path.join(top, "closed"), 0o700)
    with open(record, encoding="utf-8") as file:
        denied = {e["path"]: e for e in json.load(file)["effects"] if e.get("verdict") == "denied"}
    explained = expect_ok(place.run(place.ambit, "explain", record, cwd=top)).stdout
    for path, flag, user_may in ((f"{top}/own", f"--read {top}/own", True), ("/etc/shadow", "--read /etc/shadow", False),
                                 ("/usr/of-a-test", "--write /usr", False), (f"{top}/closed/x", f"--read {top}/closed/x", False)):
        may = user_may or os.geteuid() == 0
        found = denied[path]
        assert (found["why"] != "beyond") == may and (found["would"] is not None) == may, (path, found)
        assert (f"hint: {flag} allows it" in done.stderr) == may and (f"flag:   {flag}\n" in explained) == may, (flag, told(done), explained)
    if "beyond" in [e["why"] for e in denied.values()]:
        assert "you may not do it yourself" in done.stderr and "you may not do it yourself" in explained, (told(done), explained)


def a_hint_says_what_its_grant_adds_up_to(place):
    """A file that is shown by name in a tree that can be written can be written as well: so it is said, and so it is."""
    top = place.fresh()
    for grant, writes in (("--work", True), ("--read", False)):
        write(os.path.join(top, ".env"), "SECRET\n")
        record = os.path.join(place.fresh(), "record.json")
        done = place.run(place.ambit, "run", "--record", record, grant, ".", "--", "cat", ".env", cwd=top)
        explained = expect_ok(place.run(place.ambit, "explain", record, cwd=top)).stdout
        assert f"--read {top}/.env allows it" in done.stderr, told(done)
        for text in (done.stderr, explained):
            assert ("can then be written, too" in text) == writes, (text, explained)
        place.run(place.ambit, "run", grant, ".", "--read", f"{top}/.env", "--", "sh", "-c", "cat .env; echo x >> .env", cwd=top)
        with open(os.path.join(top, ".env"), encoding="utf-8") as file:
            assert (file.read() == "SECRET\nx\n") == writes


def doctor_tries_an_overlay(place):
    """Where stages would lie; and leaves nothing there."""
    def overlays(*before):
        done = place.run(*before, place.ambit, "doctor", "--json", cwd=place.fresh())
        return next(line for line in json.loads(done.stdout) if line["name"] == "overlays")

    before = os.listdir(place.home)
    denied = overlays(beside(place.ambit, sys.argv[2]), "fsopen=EPERM", "--")
    assert denied["found"] == "no" and "--direct" in denied["advice"], denied
    found = overlays()
    assert os.listdir(place.home) == before, os.listdir(place.home)
    if found["found"] != "yes":
        raise Skip(f"no overlays here: {found['text']}")
    assert found["advice"] is None, found


def doctor_says_why_limits_are_sampled(place):
    """What is mounted is not said to be missing, and no way is named that is none here."""
    found = json.loads(place.run(place.ambit, "doctor", "--json", cwd=place.fresh()).stdout)
    with open("/proc/mounts", encoding="utf-8") as file:
        mounts = [line.split() for line in file]
    v2 = any(m[1] == "/sys/fs/cgroup" and m[2] == "cgroup2" for m in mounts)
    for name, controller in (("cgroup memory", "memory"), ("cgroup tasks", "pids")):
        line = next(line for line in found if line["name"] == name)
        mounted = v2 or any(m[2] == "cgroup" and controller in m[3].split(",") for m in mounts)
        if line["found"] == "yes":
            assert line["text"] == "exact limits" and line["advice"] is None, line
            continue
        assert line["text"].startswith("sampled limits: ") and ("no such controller is mounted" in line["text"]) != mounted, line
        manager = os.path.join(place.environment().get("XDG_RUNTIME_DIR", "/nowhere"), "systemd/private")
        assert (line["advice"] is not None) == (v2 and os.path.exists(manager)), line


if __name__ == "__main__":
    with open(beside(sys.argv[1], sys.argv[3]), encoding="utf-8") as document:
        shown_examples = [example(*e) for e in examples(document.read())]
    main([*shown_examples, a_cell_is_known_by_itself, a_wrong_word_is_answered_with_the_right_ones, a_slip_is_answered_with_the_word_meant,
          what_no_word_is_near_is_answered_with_the_help, terms_that_are_a_word_of_their_own_are_said_to_belong_to_their_endpoint, a_budget_says_whose_it_is, an_abbreviation_is_no_option, help_and_version_are_where_they_are_looked_for,
          a_policy_on_standard_input_is_checked, a_policy_is_checked_as_it_would_be_run, what_is_of_a_guarded_server_is_of_no_event, what_was_not_run_is_explained_as_that, an_option_of_another_command_is_refused,
          quiet_is_only_of_denials, refused_as_JSON, no_flag_is_named_that_cannot_be_given, a_hint_says_what_its_grant_adds_up_to, doctor_tries_an_overlay, doctor_says_why_limits_are_sampled], whole=True)
