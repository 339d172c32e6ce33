"""Tasks of git, compilers, and the package managers of Node and Python."""

import base64
import hashlib
import io
import json
import tarfile
import zipfile

from plan import TASKS, task

def first_and(w, steps, low, high):
    """The first, which makes what the others look at, and so many in all."""
    return [steps[0], *w.grown.some(steps[1:], max(0, low - 1), max(0, high - 1))] if high > 1 else w.grown.some(steps, 1, 1)


WHO = ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL")


def filled(w, steps):
    """{w} is a word, {n} a number."""
    return [s.replace("{w}", w.grown.word()).replace("{n}", str(w.rng.randint(1, 99))) for s in steps]


# ---- git ----

def repository(w):
    """With a few commits, a branch and a remote beside it that may be written."""
    for variable in WHO:
        w.env[variable] = "ann@example.com" if "EMAIL" in variable else "Ann"
    w.names = [w.file(f"src/{w.grown.name()}.py", w.grown.python(2)[0]) for _ in range(w.rng.randint(2, 5))]
    w.file("README.md", w.grown.prose(4))
    w.file(".gitignore", "*.tmp\n.env\ndeploy.conf\n")
    w.remote = w.home + "/remotes/origin.git"
    w.outside("mkdir", "-p", w.remote, cwd=w.home)
    lines = ["git init -q -b main .", f"git init -q --bare -b main {w.remote}", f"git remote add origin {w.remote}", "git add -A", "git commit -qm first"]
    for _ in range(w.rng.randint(0, 3)):
        lines += [f"echo '# {w.grown.word()}' >> README.md", f"git commit -qam '{w.grown.word()}'"]
    lines += ["git push -q -u origin main", f"git branch {w.grown.word()}_topic", "git branch topic", "git tag v1"]
    w.outside("bash", "-c", "\n".join(lines))
    w.grant("--work", w.remote)


def git(name, steps, low=2, high=4, before=()):
    def made(w):
        repository(w)
        chosen = (w.grown.some(before) if before else []) + w.grown.some(steps, low, high)
        return filled(w, [s.replace("{f}", w.rng.choice(w.names)) for s in chosen])
    made.__name__ = name
    task("git")(made)


EDIT = ("echo '# {w}' >> {f}", "echo '{w} {n}' >> README.md", "cat >> {f} <<EOT\ndef {w}_{n}(x):\n    return x\nEOT")
git("status", ["git status", "git status --short", "git diff --stat", "git branch -vv", "git log --oneline -3"], before=EDIT)
git("commit", ["git add -A", "git commit -qm '{w}'", "git log -1 --stat", "git status -s"], 3, before=EDIT)
git("commit_part", ["git add {f}", "git diff --cached", "git commit -qm '{w} {n}' {f}", "git status -s", "git stash -q; git stash pop -q"], before=EDIT)
git("history", ["git log --oneline", "git log --graph --all --oneline", "git show HEAD", "git show --stat HEAD~0", "git log -p -2 -- {f}", "git shortlog -sn HEAD"])
git("differences", ["git diff", "git diff HEAD -- {f}", "git diff --word-diff", "git diff main topic --stat"], before=EDIT)
git("branch_new", ["git checkout -q -B {w}", "echo '# {w}' >> {f}", "git commit -qam '{w}'", "git checkout -q main", "git branch"], 3, 5)
git("merge", ["git checkout -q topic", "echo {w} >> {w}.txt; git add -A; git commit -qm '{w}'", "git checkout -q main", "git merge -q topic", "git log --oneline -2"], 4, 5)
git("rebase", ["git checkout -q topic", "echo {w} >> {w}.txt; git add -A; git commit -qm '{w}'", "git rebase -q main", "git log --oneline -3", "git checkout -q main"], 4, 5)
git("blame", ["git blame {f} | head", "git log --follow --oneline -- {f}", "git grep -n def", "git grep -c import", "git ls-files"])
git("undo", ["git checkout -- {f}", "git restore README.md", "git reset -q --hard HEAD", "git revert --no-edit HEAD -q", "git clean -fdq"], before=EDIT)
git("tags", ["git tag -f v{n}", "git tag -l", "git describe --tags", "git show v1 --stat", "git tag -a -f -m {w} r{n}"])
git("push", ["git commit -qam '{w}'", "git push -q origin HEAD", "git fetch -q", "git branch -r", "git log origin/main --oneline -2"], 3, 5, before=EDIT)
git("pull", ["git fetch -q origin", "git pull -q --ff-only", "git log origin/main..HEAD --oneline", "git remote -v", "git ls-remote origin"])
git("clone", ["rm -rf copy; git clone -q $(git remote get-url origin) copy", "git -C copy log --oneline", "ls copy", "git -C copy checkout -q -B {w}", "git -C copy status -s"], 3, 5)
git("stash", ["git stash -q", "git stash list", "git stash show -p | head -20", "git stash pop -q", "git diff --stat"], 3, 5, before=EDIT)
git("patches", ["git format-patch -q -1 -o out", "git diff > change.patch", "git apply --check -R change.patch", "git archive -o out.tar HEAD", "git bundle create -q all.bundle main"], before=EDIT)
git("move", ["git mv -k {f} src/{w}_{n}.py", "git rm -q --ignore-unmatch README.md", "git status -s", "git commit -qm '{w}'", "git ls-files | wc -l"], 3, 5)
git("care", ["git fsck", "git gc -q", "git count-objects -v", "git reflog -3", "git rev-parse HEAD", "git cherry -v main topic"])
git("worktree", ["git worktree add -q ../{w}_tree topic 2>/dev/null || git worktree add -q copy topic", "git worktree list", "git worktree prune", "ls"], before=EDIT)
git("cherry_pick", ["git checkout -q topic", "echo {w} >> {w}.txt; git add -A; git commit -qm '{w}'", "git checkout -q main; git cherry-pick topic", "git log --oneline -2", "git show --stat HEAD"], 3, 5)
git("amend", ["git commit -qam '{w}'", "git commit -q --amend -m '{w} {n}'", "git log -1", "git reset -q --soft HEAD~1; git commit -qm '{w}'", "git status -s"], 3, 5, before=EDIT)
git("plumbing", ["git ls-tree -r HEAD", "git cat-file -p HEAD", "git rev-list --count HEAD", "git hash-object {f}", "git rev-parse --show-toplevel", "git merge-base main topic"])
git("search_history", ["git log -S def --oneline", "git log -G return --oneline -- {f}", "git log --author=Ann --oneline", "git grep -n return HEAD", "git log --since=2020-01-01 --oneline | wc -l"])
git("ignored", ["echo '*.log' >> .gitignore", "touch {w}.log; git status -s", "git check-ignore {w}.log deploy.conf", "git clean -n", "git add .gitignore; git commit -qm '{w}'"], 2, 5)
git("settled", ["git config user.name '{w}'", "git config --list | head -5", "git config --get remote.origin.url", "git config core.autocrlf false", "git var GIT_EDITOR"], 2, 4)
git("remotes", ["git remote -v", "git remote show -n origin", "git remote add other ../other.git", "git remote rename other third 2>/dev/null", "git branch -a"])
git("conflict", ["git checkout -q topic; echo a{n} > README.md; git commit -qam '{w}'", "git checkout -q main; echo b{n} > README.md; git commit -qam '{w}'", "git merge topic", "git diff --name-only --diff-filter=U", "git checkout --ours README.md; git add README.md; git commit -qm merged", "git merge --abort 2>/dev/null"], 4, 6)
git("restore_deleted", ["rm -f {f}", "git status -s", "git checkout HEAD -- {f}", "git ls-files --deleted", "git log --diff-filter=D --oneline"], 3, 5)
git("branches", ["git branch {w}", "git branch -m {w} {w}{n} 2>/dev/null", "git branch -d topic 2>/dev/null", "git branch --merged", "git for-each-ref --count=3", "git show-branch --list | head -4"], 2, 5)
git("notes", ["git notes add -m '{w}' HEAD", "git notes list", "git log -1 --show-notes", "git show HEAD --quiet", "git tag -n1"])
git("shallow", ["rm -rf copy; git clone -q --depth 1 file://$(git remote get-url origin) copy", "git -C copy log --oneline", "git -C copy fetch -q --unshallow", "git -C copy status -s", "du -sk copy"], 2, 4)
git("push_branch", ["git checkout -q -B {w}", "git commit -qam '{w}'", "git push -q -u origin HEAD", "git branch -vv", "git push -q origin --tags"], 3, 5, before=EDIT)


# ---- cc ----

def sources(w):
    """A program of a few files, a header and a Makefile. The Makefile's first goal is the program."""
    units = w.rng.randint(1, 4)
    w.units = []
    header, calls = [], []
    for _ in range(units):
        body, names = w.grown.c(w.rng.randint(1, 4))
        w.units.append(w.grown.name())
        w.file(f"{w.units[-1]}.c", f'#include "all.h"\n\n{body}'.replace("_of(", f"_{len(w.units)}("))
        names = [n.replace("_of", f"_{len(w.units)}") for n in names]
        header += [f"int {n}(int x);" for n in names]
        calls += [f"{n}({w.rng.randint(0, 9)})" for n in names]
    w.file("all.h", "#include <stdio.h>\n#include <stdlib.h>\n" + "\n".join(header) + "\n")
    w.file("main.c", '#include "all.h"\n\nint main(void)\n{\n\tprintf("%d\\n", ' + " + ".join(calls) + ");\n\treturn 0;\n}\n")
    objects = " ".join(f"{u}.o" for u in [*w.units, "main"])
    w.file("Makefile", f"CFLAGS = -O{w.rng.randint(0, 2)} -Wall\nprogram: {objects}\n\t$(CC) -o $@ {objects}\n%.o: %.c all.h\n\t$(CC) $(CFLAGS) -c -o $@ $<\n"
           "test: program\n\t./program > out.txt\n\ttest -s out.txt\nclean:\n\trm -f *.o program out.txt\ninstall: program\n\tmkdir -p root/bin\n\tcp program root/bin/\n")


def cc(name, steps, low=2, high=3, before=()):
    def made(w):
        sources(w)
        return filled(w, [s.replace("{u}", w.rng.choice(w.units)) for s in [*before, *first_and(w, steps, low, high)]])
    made.__name__ = name
    task("cc")(made)


cc("build", ["make -s clean", "make", "./program", "ls -l program"], 2, 4)
cc("build_test", ["make -s", "make test", "cat out.txt", "touch {u}.c; make -s"])
cc("build_parallel", ["make -s clean; make -j2", "make -n", "make -q; echo $?", "./program"])
cc("one_unit", ["gcc -Wall -c {u}.c", "gcc -O2 -c -o {u}.o {u}.c", "nm {u}.o", "size {u}.o", "rm -f {u}.o"])
cc("check_only", ["gcc -fsyntax-only -Wall -Wextra {u}.c", "gcc -fsyntax-only main.c", "grep -n int all.h", "wc -l *.c"])
cc("assembly", ["gcc -S -O1 {u}.c", "head -20 {u}.s", "gcc -E {u}.c | wc -l", "grep -c ret {u}.s", "rm -f {u}.s"])
cc("library", ["gcc -c {u}.c -o {u}.o", "ar rcs libone.a {u}.o", "ranlib libone.a", "nm -g libone.a", "ls -l libone.a"], 3, 4)
cc("shared", ["gcc -fPIC -shared -o libone.so {u}.c", "nm -D libone.so", "ldd libone.so", "objdump -p libone.so | head", "rm -f libone.so"])
cc("debug", ["make -s clean; make -s CFLAGS='-g -O0'", "readelf -h program | head -5", "strip -o small program", "ls -l program small", "./program"])
cc("edit_build", ["sed -i 's/return x/return 1 + x/' {u}.c", "make -s", "./program", "grep -n return {u}.c | head -3"], 3, 4)
cc("warnings", ["gcc -Wall -Wextra -Wconversion -c {u}.c -o /dev/null", "gcc -Wall -Werror -c main.c -o main.o", "echo 'int unused_{n};' >> {u}.c", "make -s 2>&1 | head -5"])
cc("install", ["make -s install", "ls root/bin", "root/bin/program", "rm -rf root"], 2, 4)
cc("depend", ["gcc -MM *.c > depend.mk", "cat depend.mk", "make -s -W all.h", "make -pn | head -40", "make -s clean"])
cc("preprocess", ["gcc -E -P main.c -o main.i", "wc -l main.i", "gcc -dM -E - < /dev/null | head", "gcc -DMORE={n} -c {u}.c -o {u}.o", "rm -f main.i"])
cc("single", ["gcc -o all *.c", "./all", "gcc -O3 -o fast *.c && ./fast", "cmp all fast"], 2, 4)
cc("look", ["gcc --version | head -1", "make --version | head -1", "cat Makefile", "grep -rn include .", "gcc -print-search-dirs | head -1", "ls *.c"])
cc("new_unit", ["printf '#include \"all.h\"\\nint {w}_{n}(void) { return {n}; }\\n' > extra.c", "gcc -Wall -c extra.c", "gcc -o more extra.o *.c 2>&1 | head -3", "nm extra.o"], 3, 4)
cc("coverage", ["gcc --coverage -o covered *.c && ./covered", "ls *.gcno *.gcda 2>/dev/null | head", "gcov -n *.gcda 2>/dev/null | head -4", "rm -f *.gcno *.gcda"], 2, 4)
cc("checked", ["gcc -fsanitize=undefined -g -o checked *.c && ./checked", "gcc -D_FORTIFY_SOURCE=2 -O2 -c {u}.c -o {u}.o", "ls -l checked", "rm -f checked"], 2, 3)
cc("whole_program", ["gcc -flto -O2 -o lto *.c", "./lto", "ls -l lto", "gcc -O2 -o plain *.c; cmp plain lto"], 2, 3)
cc("analyzed", ["gcc -fanalyzer -Wall -c {u}.c -o /dev/null", "gcc -fanalyzer -c main.c -o /dev/null 2>&1 | head -5", "grep -c return {u}.c", "gcc -Wpedantic -std=c99 -fsyntax-only {u}.c"], 2, 3)
cc("cxx", ["sed 's/stdio.h/cstdio/' main.c > main.cpp; g++ -fpermissive -c main.cpp -o main.opp 2>&1 | head -3", "printf '#include <vector>\\nint main() { std::vector<int> v(3); return v.size() - 3; }\\n' > v.cpp; g++ -o v v.cpp && ./v", "g++ --version | head -1", "ls *.cpp"], 2, 3)
cc("from_input", ["printf 'int main(void) { return {n}; }\\n' | gcc -x c - -o tried; ./tried; echo $?", "echo | gcc -E -x c - | tail -1", "printf '#include <math.h>\\nint main(void) { return (int)floor(0.5); }\\n' | gcc -x c - -lm -o floor", "rm -f tried floor"], 2, 4)
cc("symbols", ["make -s", "nm program | grep ' T '", "objdump -d program | head -20", "strings program | head -5", "readelf -S program | head -8", "size *.o"], 2, 4)
cc("stripped", ["make -s", "objcopy --only-keep-debug program program.debug", "strip program", "ls -l program program.debug", "./program"], 2, 4)
cc("again", ["make -s", "touch all.h; make", "make -B -s", "make -q; echo $?", "make -s clean; make -s -k"], 2, 4)
cc("rules_added", ["printf 'size: program\\n\\tsize program\\n' >> Makefile; make -s size", "make -n size 2>/dev/null", "grep -n size Makefile", "make -s"], 2, 3)
cc("out_of_tree", ["mkdir -p out; gcc -c {u}.c -o out/{u}.o", "gcc -I. -c main.c -o out/main.o", "ls -l out", "rm -rf out"], 2, 4)
cc("linked_library", ["for u in *.c; do [ $u = main.c ] || gcc -c $u; done; rm -f main.o; ar rcs libmore.a *.o", "gcc -o linked main.c -L. -lmore", "./linked", "ar t libmore.a", "rm -f libmore.a linked"], 3, 5)
cc("timed", ["gcc -O2 -pg -o profiled *.c && ./profiled", "gprof profiled gmon.out 2>/dev/null | head -4", "time make -s", "rm -f gmon.out profiled"], 2, 3)
cc("headers", ["gcc -H -fsyntax-only main.c 2>&1 | head -5", "printf '#pragma once\\n#define MORE {n}\\n' > more.h", "sed -i '1i #include \"more.h\"' all.h; make -s", "gcc -M main.c | head -3"], 2, 4)
cc("released", ["make -s; tar czf program-{n}.tar.gz program *.c *.h Makefile", "tar tzf program-*.tar.gz", "sha256sum program-*.tar.gz > sums", "mkdir -p dist; mv program-*.tar.gz dist/; ls dist"], 2, 4)


# ---- npm ----

def package(w):
    """A package with two dependencies that lie beside it, and scripts."""
    w.grant("--preset", "node")
    w.deps = w.grown.names(2, 3)
    for d in w.deps:
        w.file(f"packages/{d}/package.json", json.dumps({"name": d, "version": "1.0.0", "main": "index.js", "license": "MIT"}))
        w.file(f"packages/{d}/index.js", w.grown.javascript(2)[0])
    w.file("package.json", json.dumps({"name": w.grown.word() + "-app", "version": "1.2.0", "license": "MIT", "main": "index.js", "files": ["index.js", "lib"], "scripts": {
        "test": "node test.js", "build": "node build.js", "lint": "node --check index.js", "start": "node index.js", "clean": "rm -rf dist"},
        "dependencies": {d: f"file:packages/{d}" for d in w.deps}}, indent=1))
    body, names = w.grown.javascript(3)
    w.file("index.js", body)
    w.file("lib/more.js", w.grown.javascript(2)[0])
    w.file("test.js", f"const m = require('./index.js');\nif (typeof m.{names[0]}(1) !== 'number') process.exit(1);\nconsole.log('good');\n")
    w.file("build.js", "const fs = require('fs');\nfs.mkdirSync('dist', {recursive: true});\nfs.writeFileSync('dist/all.js', fs.readFileSync('index.js') + '\\n' + fs.readFileSync('lib/more.js'));\n")
    w.env.update({f"npm_config_{n}": v for n, v in (("offline", "true"), ("audit", "false"), ("fund", "false"), ("update_notifier", "false"))})


def npm(name, steps, low=1, high=2):
    def made(w):
        package(w)
        return filled(w, [s.replace("{d}", w.rng.choice(w.deps)) for s in first_and(w, steps, low, high)])
    made.__name__ = name
    task("npm")(made)


npm("install_all", ["npm install", "npm ls", "ls node_modules"])
npm("install_one", ["npm install ./packages/{d}", "npm ls {d}", "cat package.json"])
npm("install_links", ["npm install --install-links", "ls node_modules/{d}", "cat node_modules/{d}/package.json"], 2, 3)
npm("run_tests", ["npm test", "npm run lint", "cat test.js"])
npm("run_build", ["npm run build", "ls -l dist", "npm run -s clean"])
npm("run_start", ["npm start", "npm run lint --silent", "node --check lib/more.js"])
npm("list_scripts", ["npm run", "npm pkg get scripts", "grep -n '\"' package.json | head -20"])
npm("pack", ["npm pack", "npm pack --dry-run", "tar tzf *.tgz"])
npm("version", ["npm version patch --no-git-tag-version", "npm pkg get version", "npm pkg set description={w}"])
npm("remove", ["npm uninstall {d}", "npm ls --depth=0", "npm prune"])
npm("init", ["mkdir -p new; cd new; npm init -y >/dev/null; cd ..", "cat new/package.json", "cd new; npm pkg set scripts.test='node -e 0'; cd .."])
npm("settings", ["npm config list", "npm config get registry", "npm root", "npm prefix"])
npm("lock", ["npm install --package-lock-only", "npm shrinkwrap", "cat package-lock.json | head -30"])
npm("clean_install", ["npm install --package-lock-only -s; npm ci", "ls node_modules", "npm ls -p"], 1, 3)
npm("explain", ["npm install -s; npm explain {d}", "npm query '*' | head -5", "npm pkg get dependencies"])
npm("exec", ["npm install -s; npm exec -c 'node --version'", "npm exec -c 'ls node_modules'", "npm explain {d} | head -3"])
npm("reinstall", ["rm -rf node_modules package-lock.json; npm install", "npm rebuild", "npm dedupe"])
npm("scripts_edit", ["npm pkg set scripts.hello='node --version'", "npm run -s hello", "npm pkg get scripts", "npm pkg delete scripts.hello"], 2, 3)
npm("pre_and_post", ["npm pkg set scripts.pretest='node --check index.js' scripts.posttest='node --version'; npm test", "npm run", "cat package.json | head -12"], 1, 3)
npm("list_deep", ["npm install -s; npm ls --all", "npm ls --json | head -20", "npm ls --parseable", "npm ls --depth=1"], 1, 3)
npm("workspaces", ["npm pkg set workspaces[0]=packages/*; npm install -s", "npm ls -ws 2>/dev/null | head", "npm pkg get name -ws", "ls -l node_modules | head -5"], 1, 3)
npm("dependency_changed", ["npm install -s; echo '// {w}' >> packages/{d}/index.js", "npm update -s", "node -e \"require('{d}')\"", "npm ls {d}"], 2, 3)
npm("dev_dependency", ["npm install -s -D ./packages/{d}", "npm pkg get devDependencies", "npm ls --omit=dev", "npm prune -s --omit=dev"], 1, 3)
npm("one_off", ["npm exec -c 'node -e 0'", "node -e \"console.log(require('./package.json').version)\"", "npm run env | head -5", "npm --version"], 1, 3)
npm("own_command", ["npm pkg set bin.{w}=index.js; npm pkg get bin", "npm install -s", "npm exec -s -- {w} 2>/dev/null", "ls node_modules/.bin 2>/dev/null"], 1, 3)
npm("linked", ["npm link -s ./packages/{d} --prefix . 2>/dev/null || npm install -s ./packages/{d}", "ls -l node_modules", "npm unlink -s {d} 2>/dev/null", "npm ls --link"], 1, 3)
npm("ignored_files", ["echo test.js > .npmignore; npm pack --dry-run", "npm pkg set files[0]=index.js", "npm pack -s; ls *.tgz", "tar tzf *.tgz 2>/dev/null"], 1, 3)
npm("clean_all", ["npm install -s; npm run -s build; npm run -s clean; rm -rf node_modules", "ls", "npm cache verify", "npm ls --depth=0 2>/dev/null"], 1, 3)
npm("major", ["npm version minor --no-git-tag-version", "npm version prerelease --preid=rc --no-git-tag-version", "npm pkg get version", "node -p \"require('./package.json').version\""], 1, 3)
npm("failing", ["npm run missing", "npm test -- --verbose", "npm run lint -- --help 2>/dev/null | head -3", "npm run build --if-present"], 1, 3)


def published(w):
    """A package that the server of the index has, as a registry answers for it."""
    name, version = w.grown.word() + "-kit", "1.0.0"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for path, text in (("package/package.json", json.dumps({"name": name, "version": version, "main": "index.js"})), ("package/index.js", w.grown.javascript(2)[0])):
            entry = tarfile.TarInfo(path)
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    url, sum_of = w.web(), base64.b64encode(hashlib.sha512(out.getvalue()).digest()).decode()
    w.listeners.pages[f"/{name}/-/{name}-{version}.tgz"] = out.getvalue()
    w.listeners.pages[f"/{name}"] = json.dumps({"name": name, "dist-tags": {"latest": version}, "versions": {version: {
        "name": name, "version": version, "dist": {"tarball": f"{url}{name}/-/{name}-{version}.tgz", "integrity": f"sha512-{sum_of}"}}}}).encode()
    return name, f"--registry {url} --offline=false --fetch-retries=0"


def from_registry(name, steps, low=1, high=2):
    def made(w):
        package(w)
        kit, how = published(w)
        return [s.replace("{k}", kit).replace("HOW", how) for s in first_and(w, steps, low, high)]
    made.__name__ = name
    task("npm")(made)


from_registry("install_published", ["npm install -s {k} HOW", "npm ls {k}", "node -e \"require('{k}')\"", "cat package.json | tail -8"], 1, 3)
from_registry("view_published", ["npm view {k} version HOW", "npm view {k} HOW", "npm view {k} dist.tarball HOW", "npm outdated HOW"], 1, 3)


# ---- pip ----

def wheel(name, version, code, more=()):
    """A wheel's bytes."""
    made = {f"{name}/__init__.py": code, f"{name}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + "".join(
            f"Requires-Dist: {m}\n" for m in more), f"{name}-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: recorder\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    record = "".join(f"{p},sha256={base64.urlsafe_b64encode(hashlib.sha256(t.encode()).digest()).rstrip(b'=').decode()},{len(t)}\n" for p, t in made.items())
    made[f"{name}-{version}.dist-info/RECORD"] = record + f"{name}-{version}.dist-info/RECORD,,\n"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for path, text in made.items():
            file.writestr(zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0)), text)
    return out.getvalue()


def project(w):
    """Wheels beside a project that has a setup.py and wants them; some tasks get them from an index, which is granted."""
    w.wheels = w.grown.names(3, 4)
    for i, n in enumerate(w.wheels):
        w.file(f"wheels/{n}-1.{i}-py3-none-any.whl", wheel(n, f"1.{i}", w.grown.python(3)[0], w.wheels[:1] if i == 2 else ()))
    w.file("requirements.txt", "".join(f"{n}\n" for n in w.wheels[1:]))
    w.file("setup.py", f"from setuptools import setup\nsetup(name='{w.grown.word()}-app', version='0.1', packages=['app'])\n")
    w.file("app/__init__.py", w.grown.python(3)[0])
    w.file("app/tool.py", w.grown.python(2)[0])
    w.env["PIP_DISABLE_PIP_VERSION_CHECK"] = w.env["PIP_NO_INPUT"] = "1"


def index(w):
    """An index of one wheel at the server that is granted."""
    name = w.grown.word() + "x"
    made = wheel(name, "2.0", w.grown.python(2)[0])
    w.listeners.pages[f"/simple/{name}/"] = f'<a href="/files/{name}-2.0-py3-none-any.whl">{name}-2.0-py3-none-any.whl</a>'.encode()
    w.listeners.pages[f"/files/{name}-2.0-py3-none-any.whl"] = made
    return name, w.web("simple/"), w.listeners.address


def pip(name, steps, low=1, high=2):
    def made(w):
        project(w)
        return [s.replace("PIP", "python3 -m pip").replace("FROM", "--no-index --find-links wheels").replace("{p}", w.rng.choice(w.wheels)) for s in filled(w, first_and(w, steps, low, high))]
    made.__name__ = name
    task("pip")(made)


pip("install_target", ["PIP install -q FROM --target lib {p}", "ls lib", "PYTHONPATH=lib python3 -c 'import {p}' || true"], 1, 3)
pip("install_required", ["PIP install -q FROM --target lib -r requirements.txt", "ls lib", "cat requirements.txt"])
pip("install_prefix", ["PIP install -q FROM --prefix root {p}", "find root -name '*.py' | head -3", "ls root"])
pip("install_user", ["PIP install -q FROM --user --break-system-packages {p}", "PIP show {p}", "python3 -m site --user-site"])
pip("upgrade", ["PIP install -q FROM --target lib {p}", "PIP install -q FROM --target lib --upgrade {p}", "PIP list --path lib"], 2, 3)
pip("list_all", ["PIP list", "PIP list --format json | head -c 300", "PIP freeze | head -4"])
pip("show", ["PIP show pip", "PIP show -f setuptools | head -20", "PIP check"])
pip("download", ["PIP download -q FROM -d got {p}", "ls -l got", "unzip -l got/*.whl | head -20"], 1, 3)
pip("hashes", ["PIP hash wheels/*.whl", "sha256sum wheels/*.whl", "ls wheels"])
pip("settings", ["PIP config list", "PIP config debug | head -30", "PIP --version", "PIP cache dir"])
pip("build_wheel", ["PIP wheel -q --no-build-isolation --no-deps --no-index -w out .", "ls out", "unzip -l out/*.whl"], 1, 3)
pip("install_project", ["PIP install -q --no-build-isolation --no-deps --no-index --target lib .", "ls lib", "PYTHONPATH=lib python3 -c 'import app'"], 1, 3)
pip("setup_build", ["python3 setup.py -q build", "find build -name '*.py'", "python3 setup.py --version", "python3 setup.py -q sdist"])
pip("environment", ["python3 -m venv --without-pip env", "env/bin/python3 -c 'import sys; print(sys.prefix)'", "ls env/bin", "python3 -m venv --without-pip --clear env"], 2, 3)
pip("inspect", ["PIP inspect | head -c 400", "PIP debug | head -5", "python3 -c 'import importlib.metadata as m; print(len(list(m.distributions())))'"])
pip("dry_run", ["PIP install -q FROM --dry-run --target lib {p}", "PIP install FROM --dry-run -r requirements.txt --break-system-packages | tail -1", "cat requirements.txt"])


@task("pip")
def from_index(w):
    project(w)
    name, url, host = index(w)
    return first_and(w, [f"python3 -m pip install -q --index-url {url} --trusted-host {host} --target lib {name}", "ls lib", f"python3 -m pip download -q --index-url {url} --trusted-host {host} -d got {name}"], 1, 3)


pip("environment_install", ["python3 -m venv --without-pip env; PIP --python env/bin/python3 install -q FROM {p}", "PIP --python env/bin/python3 list", "env/bin/python3 -c 'import {p}'", "PIP --python env/bin/python3 uninstall -q -y {p}"], 2, 4)
pip("editable", ["PIP install -q --no-build-isolation --no-deps --no-index --target lib -e . 2>/dev/null || PIP install -q --no-build-isolation --no-deps --no-index --target lib .", "ls lib", "python3 setup.py --name"], 1, 3)
pip("constrained", ["echo '{p}' > constraints.txt; PIP install -q FROM --target lib -c constraints.txt {p}", "cat constraints.txt", "ls lib", "PIP freeze --path lib"], 1, 3)
pip("freeze_path", ["PIP install -q FROM --target lib {p}; PIP freeze --path lib > frozen.txt", "cat frozen.txt", "PIP list --path lib --format=json", "PIP list --path lib --format=freeze"], 1, 3)
pip("compiled", ["PIP install -q FROM --target lib --no-compile {p}", "python3 -m compileall -q lib", "find lib -name '*.pyc' | wc -l", "python3 -m compileall -q app"], 2, 4)
pip("report", ["PIP install -q FROM --dry-run --report report.json --target lib {p}", "head -c 200 report.json", "python3 -m json.tool report.json | head -5", "wc -c report.json"], 1, 3)
pip("download_all", ["PIP download -q FROM -d got -r requirements.txt", "ls got | wc -l", "PIP install -q --no-index --find-links got --target lib {p}", "sha256sum got/*"], 1, 3)
pip("unpacked", ["unzip -q -o wheels/{p}-*.whl -d open", "cat open/*/METADATA | head -5", "find open -type f", "python3 -m zipfile -l wheels/{p}-*.whl"], 2, 4)
pip("zipped_app", ["mkdir -p z; cp -r app z/; printf 'import app\\n' > z/__main__.py; python3 -m zipapp z -o app.pyz", "python3 app.pyz", "ls -l app.pyz", "unzip -l app.pyz"], 2, 4)
pip("user_site", ["python3 -m site", "PIP list --user", "PIP install -q FROM --user --break-system-packages {p}; PIP list --user", "python3 -m site --user-base"], 1, 3)
pip("requirements_edit", ["echo '# {w}' >> requirements.txt", "sort -u -o requirements.txt requirements.txt", "PIP install -q FROM --dry-run --target lib -r requirements.txt", "grep -c . requirements.txt"], 2, 3)
pip("replaced", ["PIP install -q FROM --target lib {p}; rm -rf lib; PIP install -q FROM --target lib {p}", "ls lib", "PIP install -q FROM --target lib --force-reinstall --upgrade {p}"], 1, 2)
pip("sources", ["python3 setup.py -q sdist", "tar tzf dist/*.tar.gz", "PIP install -q --no-build-isolation --no-deps --no-index --target lib dist/*.tar.gz", "ls lib"], 2, 4)


def by_index(name, steps, low=1, high=3):
    def made(w):
        project(w)
        kit, url, host = index(w)
        return [s.replace("{k}", kit).replace("INDEX", f"--index-url {url} --trusted-host {host}").replace("PIP", "python3 -m pip") for s in first_and(w, steps, low, high)]
    made.__name__ = name
    task("pip")(made)


by_index("index_versions", ["PIP index versions INDEX {k}", "PIP download -q INDEX -d got {k}", "ls got 2>/dev/null"])
by_index("index_required", ["echo {k} > more.txt; PIP install -q INDEX --target lib -r more.txt", "ls lib", "PIP list --path lib", "PIP list --path lib --outdated INDEX"])


def network(made):
    """As it is, and now and then something fetched by a tool that has a server to talk to."""
    def wrapped(w):
        steps = made(w)
        if w.rng.random() < 0.5:
            w.web()
        return steps
    return wrapped


for key in [k for k in TASKS if k[0] in ("npm", "pip", "git")]:  # so that what is granted does not say which task it is
    TASKS[key] = TASKS[key][0], network(TASKS[key][1])
