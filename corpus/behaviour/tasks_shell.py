"""Tasks of shells, of an agent's own looks at files, and of data."""

from plan import TASKS, task

LOOK = ("ls", "ls -la", "pwd", "git --version >/dev/null", "wc -l *.txt", "du -s .", "date", "find . -type f | head -20", "head -3 *.txt", "echo $PATH",
        "uname -s", "tail -2 *.txt", "which python3", "env | sort | head -5", "id -un")


def notes(w, low=2, high=5, ending="txt", lines=12):
    """Text files, and their names."""
    return [w.file(f"{n}.{ending}", w.grown.prose(w.rng.randint(3, lines))) for n in w.grown.names(low, high)]


def look(w, steps):
    """As an agent does: a look before, or behind."""
    steps = list(steps)
    for one in w.grown.mixed(LOOK, 0 if len(steps) > 1 else 1, 2):
        steps.insert(w.rng.choice((0, len(steps))), one)
    return steps


# ---- shell ----

@task("shell")
def explore(w):
    notes(w)
    for n in w.grown.names(1, 4):
        w.file(f"{n}/{w.grown.word()}.txt", w.grown.prose(4))
    return w.grown.mixed(LOOK + ("ls */", "find . -name '*.txt' | wc -l", "file=$(ls | head -1); echo $file"), 2, 6)


@task("shell")
def tidy(w):
    names = notes(w, 3, 8)
    folder = w.grown.word() + "_old"
    return look(w, [f"mkdir -p {folder}", *w.grown.some([f"cp {n} {folder}/" for n in names]), *w.grown.some([f"cp {names[0]} {names[0]}.bak", f"ls {folder}",
                    f"mv {names[0]}.bak {folder}/", f"touch {folder}/README"], 0)])


@task("shell")
def rename(w):
    for i in range(w.rng.randint(3, 15)):
        w.file(f"data/{w.grown.word()}{i}.TXT", w.grown.prose(2))
    return look(w, ["for f in data/*.TXT; do [ -e \"$f\" ] && mv \"$f\" \"${f%.TXT}.txt\"; done", "ls data"])


@task("shell")
def logs(w):
    names = [w.file(f"logs/{n}.log", w.grown.log(w.rng.randint(20, 90))) for n in w.grown.names(1, 4)]
    return look(w, w.grown.mixed([f"grep -c ERROR {names[0]}", "cat logs/*.log | grep WARN | cut -d' ' -f2 | sort | uniq -c", f"tail -5 {names[-1]}",
                "awk '{ n[$2]++ } END { for (k in n) print k, n[k] }' logs/*.log", "grep ERROR logs/*.log > errors.txt; wc -l errors.txt",
                f"sed -n 's/.* \\([0-9]*\\) ms/\\1/p' {names[0]} | sort -n | tail -3"], 2, 5))


@task("shell")
def archive(w):
    notes(w, 3, 7)
    return look(w, ["tar czf backup.tar.gz *.txt", *w.grown.some(["tar tzf backup.tar.gz", "mkdir -p restored; tar xzf backup.tar.gz -C restored", "ls -l backup.tar.gz",
                    "sha256sum backup.tar.gz > backup.sum", "sha256sum -c backup.sum"], 1)])


@task("shell")
def script(w):
    w.file("lib/common.sh", "log() { echo \"$(date +%H:%M) $*\"; }\n")
    name = w.file(f"bin/{w.grown.word()}.sh", "#!/bin/bash\n. lib/common.sh\nlog start\nfor f in *.txt; do wc -w \"$f\"; done\nlog done\n", 0o755)
    notes(w)
    return look(w, w.grown.some([f"bash -n {name}", f"chmod +x {name}", f"bash {name}", f"./{name} > out.log", "cat out.log"], 2))


@task("shell")
def download(w):
    url = w.web("data/")
    return look(w, [f"mkdir -p incoming; curl -s -o incoming/{n}.json {url}{n}.json" for n in w.grown.names(1, 4)]
                + w.grown.some(["ls -l incoming", "head -c 200 incoming/*.json", "cat incoming/*.json | wc -c", "grep -c name incoming/*.json"], 1))


@task("shell")
def upload(w):
    url = w.web("reports/")
    name = notes(w)[0]
    return look(w, [f"sort {name} > report.md", f"curl -s -T report.md {url}{w.grown.word()}.md >/dev/null", *w.grown.some([
        f"curl -s -X POST -d @{name} {url}done", "echo sent >> history.log", "rm -f report.tmp"], 0)])


@task("shell")
def replace(w):
    names = notes(w, 3, 6)
    a, b = w.grown.word(), w.grown.word()
    return look(w, [f"grep -rl {a} --include='*.txt' . | xargs -r sed -i 's/{a}/{b}/g'", f"grep -rn {b} --include='*.txt' . | head", *w.grown.some([
        f"diff {names[0]} {names[1]} | head -5", f"sed -i '1i # {a}' {names[0]}"], 0)])


@task("shell")
def compare(w):
    a, b = notes(w, 2, 2)
    return look(w, w.grown.some([f"diff {a} {b} > changes.diff", f"cmp {a} {b}", f"comm -12 <(sort {a}) <(sort {b})", "wc -l changes.diff", f"md5sum {a} {b}"], 2))


@task("shell")
def config(w):
    w.file("settings.conf", "".join(f"{n}={w.rng.randint(1, 99)}\n" for n in w.grown.names(4, 9)))
    return look(w, w.grown.some(["source settings.conf", "cp settings.conf settings.conf.orig", f"echo {w.grown.word()}=1 >> settings.conf", "sort -o settings.conf settings.conf",
                "grep -v '^#' settings.conf | cut -d= -f1", "diff settings.conf settings.conf.orig"], 2))


@task("shell")
def checks(w):
    names = notes(w)
    w.file("check.sh", f"set -e\ntest -s {names[0]}\ngrep -q . {names[0]}\necho good\n")
    return look(w, w.grown.some(["bash check.sh", "for f in *.txt; do [ -s \"$f\" ] || echo empty $f; done", "test -d logs || mkdir logs", "bash check.sh > logs/check.log 2>&1",
                "echo status $?", "stat -c '%n %s' *.txt"], 2))


@task("shell")
def generate(w):
    return look(w, [f"mkdir -p {(d := w.grown.word())}", f"for i in $(seq {w.rng.randint(3, 20)}); do echo \"line $i $RANDOM\" > {d}/part$i.txt; done", *w.grown.some([
        f"cat {d}/part*.txt > {d}/all.txt", f"split -l 2 {d}/all.txt {d}/chunk_", f"ls {d} | wc -l", f"rm -f {d}/part1.txt"], 1)])


@task("shell")
def pipeline(w):
    w.file("people.csv", w.grown.csv(w.rng.randint(10, 60)))
    return look(w, w.grown.some(["cut -d, -f3 people.csv | sort | uniq -c | sort -rn", "tail -n +2 people.csv | awk -F, '{ s += $4 } END { print s }'", "head -1 people.csv | tr , '\\n'",
                "grep north people.csv > north.csv", "paste -d, <(cut -d, -f1 people.csv) <(cut -d, -f4 people.csv) | head -4", "tee copy.csv < people.csv | wc -l"], 2))


@task("shell")
def clean(w):
    for i in range(w.rng.randint(3, 12)):
        w.file(f"build/{w.grown.word()}{i}.{w.rng.choice(('tmp', 'log', 'o', 'bak'))}", "x")
    return look(w, w.grown.some(["find build -name '*.tmp' -delete", "rm -f build/*.log", "rm -rf build/cache", "find . -type d -empty", "ls build", "find build -name '*.bak' -exec rm {} +"], 2))


@task("shell")
def docs(w):
    w.file("README.md", "# " + w.grown.prose(6))
    return look(w, [f"cat >> README.md <<EOT\n## {w.grown.word()}\n{w.grown.prose(2)}EOT", *w.grown.some(["grep -n '^#' README.md", "wc -w README.md", "mkdir -p doc; cp README.md doc/index.md",
                    "sed -n 1,5p README.md", "cat doc/index.md | head -3"], 1)])


@task("shell")
def permissions(w):
    names = notes(w, 3, 6)
    return look(w, w.grown.some([f"chmod 640 {names[0]}", f"chmod u+x {names[-1]}", "stat -c '%a %n' *.txt", "umask; umask 022", "find . -type f -perm -100", f"test -r {names[0]} && echo readable"], 2, 4))


@task("shell")
def links(w):
    names = notes(w, 2, 5)
    return look(w, [f"ln -sf {names[0]} latest", *w.grown.some(["readlink latest", "ls -l latest", "cat latest | head -2", f"ln -f {names[-1]} {w.grown.word()}.second", "find . -type l", "rm -f latest"], 1, 4)])


@task("shell")
def stamps(w):
    names = notes(w)
    return look(w, w.grown.some(["date +%F > stamp", f"touch -d '2 days ago' {names[0]}", f"find . -newer {names[0]} -name '*.txt'", "ls -lt | head -4", f"stat -c %y {names[-1]}", "cat stamp"], 2, 4))


@task("shell")
def word_counts(w):
    notes(w, 2, 6)
    return look(w, w.grown.some(["cat *.txt | tr -cs a-z '\\n' | sort | uniq -c | sort -rn | head -5", "wc -w *.txt > words.log", "tr a-z A-Z < words.log", "awk '{ n += NF } END { print n }' *.txt", "fold -w 40 *.txt | head -5"], 2, 4))


@task("shell")
def fill_in(w):
    w.file("letter.tpl", "Dear NAME,\n" + w.grown.prose(3) + "Yours, WHO\n")
    return look(w, [f"for n in {' '.join(w.grown.names(2, 6))}; do sed \"s/NAME/$n/; s/WHO/me/\" letter.tpl > letter_$n.txt; done", *w.grown.some(["ls letter_*", "head -1 letter_*.txt", "grep -L NAME letter_*.txt | wc -l", "cat letter_*.txt > all.txt"], 1)])


@task("shell")
def rotate(w):
    name = w.file(f"logs/{w.grown.word()}.log", w.grown.log(w.rng.randint(20, 90)))
    return look(w, [f"mv {name} {name}.1; : > {name}", *w.grown.some([f"gzip -f {name}.1", "ls -l logs", "find logs -name '*.gz' -mtime +30 -delete", f"echo rotated >> {name}", "du -sk logs"], 1, 4)])


@task("shell")
def many_at_once(w):
    notes(w, 4, 9)
    return look(w, w.grown.some(["ls *.txt | xargs -n1 -P2 wc -l", "for f in *.txt; do md5sum \"$f\" & done; wait", "(sleep 0.05; echo late) & wait", "find . -name '*.txt' -print0 | xargs -0 sha1sum > sums.sha1", "time cat *.txt > /dev/null"], 2, 4))


@task("shell")
def new_script(w):
    notes(w)
    name = w.grown.word() + ".sh"
    return look(w, [f"cat > {name} <<'EOT'\n#!/bin/sh\nset -eu\nfor f in *.txt; do echo \"$f\"; done\nEOT", f"chmod +x {name}", *w.grown.some([f"./{name}", f"sh -n {name}", f"sh {name} | wc -l", f"cat {name}"], 1)])


@task("shell")
def one_liners(w):
    w.file("app.json", w.grown.json(6))
    w.file("people.csv", w.grown.csv(12))
    return look(w, w.grown.some(["python3 -c 'print(sum(range(100)))'", "python3 -m json.tool app.json > pretty.json", "python3 -c \"import csv; print(len(list(csv.reader(open('people.csv')))))\"", "perl -ne 'print if /north/' people.csv | head -3", "perl -pi -e 's/south/down/' people.csv"], 2, 4))


@task("shell")
def small_repository(w):
    notes(w)
    return look(w, ["git init -q .", *w.grown.some(["git add -A", "git status --short | head", "git -c user.name=A -c user.email=a@example.com commit -qm first", "git log --oneline", "git ls-files | wc -l"], 2, 5)])


@task("shell")
def built(w):
    w.file("hello.c", "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n")
    w.file("Makefile", "hello: hello.c\n\tcc -o hello hello.c\nclean:\n\trm -f hello\n")
    return look(w, ["make -s", *w.grown.some(["./hello", "make -s clean; make -s", "ls -l hello", "make -n", "./hello > out.log; cat out.log"], 1, 4)])


@task("shell")
def server_state(w):
    url = w.web("status/")
    return look(w, w.grown.some([f"curl -sI {url}{w.grown.word()} | head -1", f"curl -s {url}health | head -c 80", f"curl -s -o /dev/null -w '%{{http_code}}\\n' {url}x", f"curl -s {url}all > state.json; wc -c state.json", f"for i in 1 2 3; do curl -s {url}$i | wc -c; done"], 2, 4))


@task("shell")
def interface(w):
    url = w.web("api/")
    w.file("body.json", w.grown.json(2))
    return look(w, w.grown.some([f"curl -s -X POST -H 'Content-Type: application/json' -d @body.json {url}items | head -c 60", f"curl -s {url}items | jq length", f"curl -s -H 'Accept: application/json' {url}items/1 -o one.json", f"curl -s -X PUT -d '{{\"a\":1}}' {url}items/2 > /dev/null", "jq -r '.[0].name' body.json"], 2, 4))


@task("shell")
def machine(w):
    return look(w, w.grown.some(["nproc", "cat /etc/os-release | head -3", "df -h . | tail -1", "free -m | head -2", "uname -a", "ulimit -n", "ps | head -3", "hostname", "locale | head -2", "ls /", "ls /usr/bin | wc -l", "cat /proc/meminfo | head -2", "which gcc node git"], 2, 6))


@task("shell")
def coded(w):
    names = notes(w, 2, 4)
    return look(w, w.grown.some([f"base64 {names[0]} > {names[0]}.b64", f"base64 -d {names[0]}.b64 2>/dev/null | cmp - {names[0]}", f"od -c {names[-1]} | head -3", f"sha256sum {names[0]}", f"gzip -c {names[-1]} | base64 | head -2", f"printf '%s' abc | md5sum"], 2, 4))


@task("shell")
def two_trees(w):
    for top in ("old", "new"):
        for n in ("a", "b", "c"):
            w.file(f"{top}/{n}.txt", w.grown.prose(3))
    return look(w, w.grown.some(["diff -rq old new", "diff -ru old new > all.diff", "cp -r old saved", "comm -3 <(ls old) <(ls new)", "mv new/c.txt old/c2.txt", "rm -rf saved"], 2, 4))


# ---- files: an agent's own tools, one or two of them an event ----

def tree(w):
    """A small project of several kinds of files, and their names."""
    names = []
    for _ in range(w.rng.randint(2, 5)):
        names += [w.file(f"src/{w.grown.name()}.py", w.grown.python(w.rng.randint(1, 4))[0]), w.file(f"web/{w.grown.name()}.js", w.grown.javascript(2)[0])]
    return names + [w.file("README.md", w.grown.prose(5)), w.file("config/app.json", w.grown.json(3)), w.file("doc/guide.md", w.grown.prose(9))]


def files(name, high, low=1, *steps):
    """A task of which an event does a few steps; {f}, {g} are files, {w} a word."""
    def made(w):
        names = tree(w)
        return [s.replace("{f}", w.rng.choice(names)).replace("{g}", w.rng.choice(names)).replace("{w}", w.grown.word()).replace("{n}", str(w.rng.randint(1, 40)))
                for s in w.grown.mixed(steps, low, high)]
    made.__name__ = name
    task("files")(made)


files("read_file", 3, 1, "cat {f}", "cat {g}", "cat README.md", "cat -n {f}")
files("read_part", 3, 1, "sed -n '{n},60p' {f}", "head -{n} {g}", "tail -{n} {f}", "head -c 300 {g}")
files("list_tree", 2, 1, "ls -la", "ls -R", "find . -type f", "ls src web", "find . -name '*.py'")
files("search_word", 3, 1, "grep -rn {w} .", "grep -rn 'def ' src", "grep -rl {w} .", "grep -n {w} {f}", "grep -rnE 'return|import' src | head -20")
files("find_names", 3, 1, "find . -name '*{w}*'", "find src -type f -size +1k", "find . -newer README.md -type f", "ls src/*.py | wc -l")
files("edit_line", 3, 2, "sed -i 's/{w}/{w}/' {f}", "sed -i '1i # {w}' {g}", "grep -n {w} {f}", "cat {f}")
files("write_new", 2, 1, "cat > src/{w}.py <<EOT\ndef {w}(x):\n    return x\nEOT", "mkdir -p src/{w}; echo '# {w}' > src/{w}/notes.md", "ls src")
files("append_text", 3, 1, "echo '- {w}' >> README.md", "cat >> doc/guide.md <<EOT\n## {w}\nEOT", "tail -5 doc/guide.md", "wc -l README.md")
files("move_file", 3, 1, "mkdir -p old; cp {f} old/", "cp {f} {f}.orig", "mv {f}.orig old/ 2>/dev/null", "ls old")
files("drop_file", 2, 1, "rm -f {f}", "ls src", "rm -f doc/guide.md; ls doc", "mkdir -p tmp; rmdir tmp")
files("compare_two", 2, 1, "diff {f} {g}", "cmp {f} {g}", "diff -u {f} {g} | head -30", "wc {f} {g}")
files("measure", 3, 1, "wc -l src/*.py", "du -sk .", "stat -c '%n %s' {f}", "ls -lS src | head -4", "file {f}")
files("patch", 2, 2, "cp {f} a.tmp; echo '# {w}' >> a.tmp; mv a.tmp {f}", "cat {f}", "sed -n '1,10p' {f}")
files("outline", 3, 1, "grep -n '^def ' src/*.py", "grep -n '^function' web/*.js", "grep -n '^#' README.md doc/guide.md", "grep -c . {f}")
files("json_look", 2, 1, "cat config/app.json | head -30", "grep -o '\"name\": \"[a-z_]*\"' config/app.json", "sed -n '1,12p' config/app.json", "cp config/app.json config/app.bak")
files("check_many", 4, 2, "for f in src/*.py; do head -1 $f; done", "for f in web/*.js; do wc -l $f; done", "cat src/*.py | wc -l", "md5sum src/*.py")
files("replace_all", 3, 1, "grep -rl {w} src web | xargs -r sed -i 's/{w}/{w}/g'", "grep -rc {w} src", "sed -i 's/return/return  /' {f}", "git diff --no-index {f} {g} | head -20")
files("insert_lines", 3, 1, "sed -i '2a # {w}' {f}", "sed -i '1i # {w} {n}' {g}", "head -4 {f}", "cat {g} | wc -l")
files("delete_lines", 3, 1, "sed -i '/{w}/d' {f}", "sed -i '${d}' README.md", "tail -3 {f}", "wc -l {f} {g}")
files("recent", 2, 1, "ls -lt src | head -5", "find . -type f -mmin -60 | head", "ls -ltr doc config", "stat -c '%y %n' {f}")
files("copy_tree", 3, 1, "cp -r src backup", "ls -R backup 2>/dev/null | head", "diff -r src backup 2>/dev/null | head -3", "rm -rf backup", "cp -a doc doc2")
files("rename_many", 2, 1, "for f in doc/*.md; do mv $f ${f%.md}.markdown; done", "ls doc web", "for f in web/*.js; do cp $f ${f%.js}.mjs; done", "mv README.md README")
files("new_tests", 3, 1, "mkdir -p tests; cat > tests/test_{w}.py <<EOT\nimport unittest\nclass T(unittest.TestCase):\n    def test_one(self):\n        self.assertTrue(True)\nEOT", "ls tests 2>/dev/null", "grep -c def src/*.py", "touch tests_done")
files("write_config", 3, 1, "echo '{\"{w}\": {n}}' > config/{w}.json", "cat > config/{w}.yaml <<EOT\n{w}: {n}\nEOT", "cat config/app.json | head -5", "ls config", "cp config/app.json config/app.json.bak")
files("sort_file", 3, 1, "sort -o doc/guide.md doc/guide.md", "sort -u {f} | head -3", "uniq -c doc/guide.md | head", "sort README.md > sorted.txt; wc -l sorted.txt")
files("bytes_of", 3, 1, "od -c {f} | head -4", "head -c 64 {g} | base64", "file {f} {g}", "wc -c {f}", "cksum {f}")
files("find_empty", 2, 1, "find . -empty", "find . -type d", "find . -size -1k -type f | wc -l", "mkdir -p a/b/c; find a -type d -empty")
files("change_apply", 3, 2, "cp {f} before.tmp; sed -i 's/return/return 1 +/' {f}; diff -u before.tmp {f} > change.diff", "cat change.diff 2>/dev/null | head -20", "rm -f before.tmp", "grep -c '^+' change.diff 2>/dev/null")
files("long_lines", 3, 1, "awk 'length > 60' {f} | head", "awk '{ print FILENAME\": \"length }' {g} | sort -t: -k2 -n | tail -2", "cut -c1-40 {f} | head -5", "fmt -w 60 README.md | head -5")
files("modes", 3, 1, "chmod 644 {f}", "ls -l {f} {g}", "chmod -R u+w src", "stat -c '%a' {g}", "ln -s README.md INDEX.md; ls -l INDEX.md")
files("join_split", 3, 1, "cat src/*.py > all.txt; wc -l all.txt", "split -l 5 README.md part_; ls part_*", "head -n 2 src/*.py", "paste README.md doc/guide.md | head -2", "tac README.md | head -2")
files("whole_file", 2, 1, "cat > {f} <<EOT\n# {w}\n{w} {n}\nEOT", "cat {f}", "cat > doc/{w}.md <<EOT\n# {w}\n\ntext\nEOT", "wc -l doc/*.md")


# ---- data ----

def table(w, name="sales"):
    w.file(f"{name}.csv", w.grown.csv(w.rng.randint(20, 120)))
    w.file(f"{name}.json", w.grown.json(w.rng.randint(10, 50)))
    w.file(f"{name}.jsonl", w.grown.json_lines(w.rng.randint(10, 50)))


def data(name, steps, low=2, high=4, before=()):
    def made(w):
        table(w)
        table(w, "older")
        region, number = w.rng.choice(("north", "south", "east", "west")), str(w.rng.randint(100, 8000))
        return [s.replace("{r}", region).replace("{n}", number).replace("{w}", w.grown.word()) for s in [*before, *w.grown.some(steps, low, high)]]
    made.__name__ = name
    task("data")(made)


LOAD = ("rm -f shop.db; sqlite3 shop.db <<EOT\n.mode csv\n.import sales.csv sales\n.import older.csv older\nEOT",)
data("sql_load", ["sqlite3 shop.db 'select count(*) from sales'", "sqlite3 shop.db .schema", "ls -l shop.db", "sqlite3 shop.db '.tables'"], before=LOAD, low=1)
data("sql_query", ["sqlite3 shop.db \"select region, sum(amount) from sales group by region\"", "sqlite3 shop.db \"select * from sales where region='{r}' limit 5\"",
                   "sqlite3 -csv shop.db 'select * from sales where amount > {n}' > big.csv", "sqlite3 -json shop.db 'select name from sales limit 3'"], before=LOAD)
data("sql_change", ["sqlite3 shop.db \"update sales set amount = amount + 1 where region = '{r}'\"", "sqlite3 shop.db 'delete from older where amount < {n}'",
                    "sqlite3 shop.db 'create index if not exists by_region on sales(region)'", "sqlite3 shop.db 'vacuum'"], before=LOAD)
data("sql_join", ["sqlite3 shop.db 'select s.id, o.id from sales s join older o on s.name = o.name limit 9'", "sqlite3 shop.db 'create table if not exists {w} as select * from sales'",
                  "sqlite3 shop.db .dump > dump.sql", "wc -l dump.sql"], before=LOAD)
data("json_filter", ["jq '.[].name' sales.json | sort -u > names.txt", "jq '[.[] | select(.region == \"{r}\")]' sales.json > part.json", "jq length sales.json", "jq -r '.[] | [.id, .amount] | @csv' sales.json > flat.csv"])
data("json_lines", ["jq -c 'select(.amount > {n})' sales.jsonl > big.jsonl", "jq -s length sales.jsonl", "jq -r .region sales.jsonl | sort | uniq -c", "head -2 sales.jsonl | jq ."])
data("json_merge", ["jq -s 'add' sales.json older.json > all.json", "jq 'group_by(.region) | map({region: .[0].region, n: length})' sales.json", "jq -S . sales.json > sorted.json", "wc -c all.json"])
data("awk_sums", ["awk -F, 'NR > 1 { s[$3] += $4 } END { for (k in s) print k, s[k] }' sales.csv > sums.txt", "awk -F, '$4 > {n}' sales.csv | wc -l", "awk -F, '{ print $2 }' sales.csv | head -5", "cat sums.txt"])
data("awk_report", ["awk -F, 'NR > 1 { print $1, $4 }' sales.csv | sort -k2 -n > report.txt", "tail -3 report.txt", "awk '{ t += $2 } END { print t / NR }' report.txt", "awk -F, 'BEGIN { OFS=\"\\t\" } { $1 = $1; print }' sales.csv > sales.tsv"])
data("sort_unique", ["sort -t, -k3 sales.csv > sorted.csv", "cut -d, -f2 sales.csv | sort | uniq -d", "sort -u older.csv sales.csv | wc -l", "sort -t, -k4 -n sales.csv | tail -3"])
data("join_two", ["sort -t, -k1,1 sales.csv > a.tmp; sort -t, -k1,1 older.csv > b.tmp", "join -t, a.tmp b.tmp > joined.csv 2>/dev/null", "wc -l joined.csv", "rm -f a.tmp b.tmp"], low=3)
data("compress", ["gzip -kf sales.csv", "xz -kf older.csv", "zcat sales.csv.gz | head -3", "ls -l *.gz", "xz -dc older.csv.xz | wc -l", "gzip -l sales.csv.gz"], high=5)
data("split_parts", ["mkdir -p parts; split -l 10 sales.csv parts/p_", "ls parts | wc -l", "cat parts/p_* | md5sum", "gzip -f parts/p_a*", "wc -l parts/p_*"])
data("convert", ["tr , '\\t' < sales.csv > sales.tsv", "jq -R 'split(\",\")' sales.csv | head -20", "iconv -t utf-16 sales.csv > wide.csv", "cut -f1,3 sales.tsv | head -4", "sed 's/\\r$//' sales.csv > unix.csv"])
data("check_rows", ["awk -F, 'NF != 5' sales.csv | wc -l", "grep -c {r} sales.csv", "head -1 sales.csv", "cut -d, -f1 sales.csv | sort -n | uniq -c | awk '$1 > 1'", "md5sum sales.csv older.csv > sums.md5"])
data("fetch_load", ["rm -f got.db; sqlite3 got.db 'create table t(j)'", "jq -r '.[].name' got.json | sort | head", "jq length got.json", "wc -c got.json"], before=("curl -s -o got.json $URL",))
data("sql_view", ["sqlite3 shop.db 'create view if not exists v as select region, amount from sales'", "sqlite3 shop.db 'select count(*) from v'", "sqlite3 shop.db '.schema v'", "sqlite3 -header shop.db 'select * from v limit 3'"], before=LOAD)
data("sql_window", ["sqlite3 shop.db 'select name, rank() over (order by amount) from sales limit 4'", "sqlite3 shop.db \"select strftime('%m', day), sum(amount) from sales group by 1\"", "sqlite3 -column shop.db 'select avg(amount) from sales'", "sqlite3 shop.db 'pragma table_info(sales)'"], before=LOAD)
data("sql_backup", ["sqlite3 shop.db '.backup saved.db'", "sqlite3 saved.db 'pragma integrity_check'", "sqlite3 shop.db '.dump sales' | gzip > sales.sql.gz", "ls -l *.db", "zcat sales.sql.gz | head -3"], before=LOAD, high=4)
data("sql_insert", ["sqlite3 shop.db \"insert into sales values (9000, '{w}', '{r}', {n}, '2026-01-01')\"", "sqlite3 shop.db \"select * from sales where id = 9000\"", "sqlite3 shop.db \"begin; delete from older; rollback\"", "sqlite3 shop.db \"update older set name = '{w}' where id = 1\""], before=LOAD)
data("json_paths", ["jq -c 'paths' sales.json | head -4", "jq 'map(keys) | add | unique' sales.json", "jq '.[0]' sales.json", "jq 'map(select(.amount < {n})) | length' sales.json"])
data("json_edit", ["jq 'map(.amount += 1)' sales.json > more.json", "jq 'del(.[0])' sales.json > less.json; mv less.json sales.json", "jq --arg r {r} '[.[] | .region = $r]' older.json > same.json", "jq -r 'map(.amount) | max' sales.json"])
data("json_rows", ["jq -r '.[] | \"\\(.name) \\(.amount)\"' sales.json > lines.txt", "sort -k2 -n lines.txt | tail -2", "jq -R . lines.txt | head -3", "jq -c '.[]' sales.json > sales2.jsonl; wc -l sales2.jsonl"], high=4)
data("awk_join", ["awk -F, 'NR == FNR { a[$1] = $2; next } $1 in a { print $1, a[$1], $4 }' older.csv sales.csv > both.txt", "wc -l both.txt", "awk -F, '!s[$3]++' sales.csv", "awk -F, 'NR % 7 == 0' sales.csv | head -3"])
data("awk_bars", ["awk -F, 'NR > 1 { b[int($4 / 1000)]++ } END { for (k in b) print k, b[k] }' sales.csv | sort -n", "awk -F, 'NR > 1 { if ($4 > m) m = $4 } END { print m }' sales.csv", "awk -F, '{ printf \"%-20s %8s\\n\", $2, $4 }' sales.csv > table.txt", "head -5 table.txt"])
data("by_python", ["python3 -c \"import csv, json; json.dump(list(csv.DictReader(open('sales.csv'))), open('rows.json', 'w'))\"", "python3 -m json.tool sales.json | head -5", "python3 -c \"import csv; print(sum(int(r['amount']) for r in csv.DictReader(open('sales.csv'))))\"", "jq length rows.json 2>/dev/null"])
data("packed", ["tar cJf all.tar.xz *.csv *.json", "tar tJf all.tar.xz", "mkdir -p out; tar xf all.tar.xz -C out; ls out", "zcat -f sales.csv | md5sum", "gzip -dc older.csv.gz 2>/dev/null | wc -l"], high=4)
data("samples", ["shuf -n 5 sales.csv > sample.csv", "sort -R older.csv | head -3", "sed -n '1p;10p' sales.csv", "tail -n +2 sales.csv | shuf | head -2", "head -n 6 sales.csv > top.csv"])
data("differences", ["diff sales.csv older.csv > rows.diff", "comm -12 <(sort sales.csv) <(sort older.csv) | wc -l", "cmp sales.json older.json", "grep -c '^<' rows.diff", "diff <(cut -d, -f2 sales.csv) <(cut -d, -f2 older.csv) | head -4"])
data("pretty", ["column -s, -t sales.csv | head -5", "paste -d, <(cut -d, -f1 sales.csv) <(cut -d, -f4 older.csv) > pair.csv", "nl -ba sales.csv | head -3", "rev sales.csv | cut -d, -f1 | rev | sort -u | head -4", "numfmt --to=si 1500 20000"])
data("clean_up", ["sed -i 's/_/ /g' sales.csv", "sed 's/,$//' older.csv | tr -d '\\r' > tidy.csv", "grep -v '^$' sales.csv > kept.csv; mv kept.csv sales.csv", "tr -s ' ' < tidy.csv | head -2", "awk 'NF' older.csv | wc -l"])
data("send_sums", ["jq -c '{rows: length}' sales.json > sums.json", "curl -s -X POST -d @sums.json $URL > answer.txt", "wc -c answer.txt", "awk -F, '{ s += $4 } END { print s }' sales.csv", "curl -s $URL | jq length"], before=())


def with_url(made):
    """It has a server to fetch from, or to send to."""
    def wrapped(w):
        return [s.replace("$URL", w.web(f"data/{w.grown.word()}.json")) for s in made(w)]
    return wrapped


for key in (("data", "fetch_load"), ("data", "send_sums")):
    TASKS[key] = "sh", with_url(TASKS[key][1])
