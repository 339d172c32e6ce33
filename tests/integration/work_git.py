"""What git does, bare and staged. Its object ids depend on names and dates alone, and these are fixed."""

from bare import Scenario
from work_rows import HELD, NUMBER, RENAME, SYMLINK, TRACKED

SETTINGS = {"init.defaultBranch": "main", "pack.threads": "1", "protocol.file.allow": "always", "gc.auto": "0", "safe.directory": "*",
            "advice.detachedHead": "false", "core.abbrev": "12"}
PREAMBLE = "\n".join(
    ["export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_EDITOR=true GIT_PAGER=cat",
     "export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.com GIT_AUTHOR_DATE='2021-01-02T03:04:05Z'",
     "export GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@example.com GIT_COMMITTER_DATE='2021-01-02T03:04:06Z'",
     f"export GIT_CONFIG_COUNT={len(SETTINGS)}"] +
    [f"export GIT_CONFIG_KEY_{i}='{key}' GIT_CONFIG_VALUE_{i}='{value}'" for i, (key, value) in enumerate(SETTINGS.items())]) + "\n"

INDEX = [r"\.git(/.*)?/index$"]  # holds times and inode numbers
OBJECTS = [r"objects/[0-9a-f]{2}/[0-9a-f]{38}$"]  # git renews the time of one that is there already, or not, as its index is racy
LOOK = """
for r in $(find . -name .git | sort); do
    ( cd $(dirname $r); echo "== $r"; git status --porcelain=v2 --branch; git ls-files -s; git for-each-ref
      git log --all --format='%H %T %P %s'; git stash list; git fsck --strict 2>&1 || true; git count-objects -v | grep -v size )
done
"""

BASE = """
git init -q; mkdir src doc
for i in 1 2 3 4 5 6 7 8; do seq $i 60 > src/f$i; done; echo read > README; ln -s README link; echo '*.o' > .gitignore
printf '#!/bin/sh\\necho hi\\n' > run; chmod +x run; git add -A; git commit -qm one
git checkout -qb side; seq 1 70 > src/f1; echo side > doc/side; git add -A; git commit -qm 'side one'
sed -i 's/^5$/five/' src/f2; git commit -qam 'side two'; git checkout -q main
sed -i 's/^50$/fifty/' src/f2; mkdir -p doc; echo main > doc/main; git add -A; git commit -qm two
"""
CONFLICT = BASE + "git checkout -q side; sed -i 's/^50$/a half/' src/f2; git commit -qam 'side three'; git checkout -q main\n"
SECRETS = BASE + "echo registry=x > .npmrc; mkdir t; echo PEM > t/server.pem; git add -A; git commit -qm secrets; git checkout -qb topic; git commit -q --allow-empty -m topic\n"
SHOWN = ["--read", "./.npmrc", "--read", "./t/server.pem"]


def git(name, script, before=BASE, **more):
    more.setdefault("look", LOOK)
    return Scenario(f"git {name}", script, before=before, needs=("git",), preamble=PREAMBLE, blur=INDEX + list(more.pop("blur", [])),
                    untimed=OBJECTS, **more)


SCENARIOS = [
    git("init, add and commit", BASE, before=""),
    git("init --bare and push", "git init -q --bare bare.git; git remote add o ./bare.git; git push -q o main side; git fetch -q o"),
    git("init of a template", "mkdir t; git init -q --template=/usr/share/git-core/templates t; git init -q --separate-git-dir=sep.git s",
        blur=[r"sep\.git/index$"]),
    git("clone of what was there before", "git clone -q . clone", differs={NUMBER: [r"it fails with 128", "^(clone.*|): ", "^(said|==)"]}),
    git("clone", "git clone -q --no-hardlinks . ../tree/clone; git clone -q --no-local . clone2; git clone -q --bare --no-hardlinks . clone3.git"),
    git("clone --local with hard links", BASE + "git clone -q --local . clone; git -C clone gc -q; git -C clone checkout -q -b more", before=""),
    git("clone --shared and --depth", "git clone -q --shared . clone; git clone -q --depth 1 file://$PWD shallow; git -C shallow fetch -q --unshallow"),
    git("add and commit", "echo more >> src/f1; rm src/f3; echo n > new; git add -A; git commit -qm three; git commit -q --amend -m again"),
    git("add by parts", "seq 3 90 > src/f1; printf 'y\\n' | git add -p > /dev/null; git commit -qm part"),
    git("branch", "git branch b1; git branch -m b1 b2; git branch -D side -q; git branch -c b2 b3; git switch -qc deep/er/name"),
    git("checkout", "git checkout -q side; git checkout -q -; git checkout -q side -- doc; git checkout -q HEAD~1; git checkout -qf main"),
    git("merge", "git merge -q side -m merged; git merge -q --ff-only side"),
    git("merge with a conflict", "git merge side || true; git status --short; git diff", before=CONFLICT),
    git("merge with a conflict that is solved", "git merge -q side || true; git checkout -q --ours src/f2; git add -A; git commit -qm merged",
        before=CONFLICT),
    git("merge that is given up", "git merge -q side || true; git merge --abort; git merge --squash side || true; git reset -q --hard", before=CONFLICT),
    git("rebase", "git rebase -q main side"),
    git("rebase with a conflict", "git rebase main side || true; git checkout -q --theirs src/f2; git add -A; git rebase --continue", before=CONFLICT),
    git("rebase that is stopped", "git rebase main side || true; git status --short", before=CONFLICT),
    git("rebase --interactive --autosquash",
        "echo x >> README; git commit -qam 'fixup! two'; git rebase -q -i --autosquash --root; git rebase -q --onto side HEAD~1",
        differs={SYMLINK: ["^link: time 'now'"]}),
    git("rebase --apply", "git rebase -q --apply main side"),
    git("stash", "echo x >> README; echo n > new; git stash -qu; git stash list; git stash pop -q; git stash; git stash apply -q; git stash drop -q"),
    git("cherry-pick", "git cherry-pick side~1; git cherry-pick -n side; git commit -qm picked; git revert --no-edit HEAD"),
    git("cherry-pick of several with a conflict", "git cherry-pick side~2 side || true; git status --short", before=CONFLICT),
    git("tag", "git tag t1; git tag -a t2 -m two; git tag -d t1; git describe"),
    git("gc", "git gc -q; git repack -qadf; git prune; git pack-refs --all; git commit-graph write; git multi-pack-index write"),
    git("reflog, reset and replace", "git reset -q --hard HEAD~1; git reflog expire --expire=now --all; git replace main side; git notes add -m n side",
        differs={SYMLINK: ["^link: time 'now'"]}),
    git("worktree add", "git worktree add -q ../tree/wt side; echo x > wt/new; git -C wt add new; git -C wt commit -qm 'in the worktree'; git worktree list",
        blur=[r"\.git/worktrees/wt/index$"]),
    git("worktree remove and move", "git worktree add -q wt3 -b three; git worktree move wt3 wt4; git worktree add -q wt5 -b five; git worktree remove wt5; git worktree prune",
        blur=[r"\.git/worktrees/wt3/index$"]),
    git("worktree remove of one that was there before", "git worktree remove wt", before=BASE + "git worktree add -q wt side; git worktree add -q wt2 -b two\n",
        blur=[r"\.git/worktrees/wt2?/index$"], differs={HELD: ["it fails with 123", "^(wt.*|): ", "^(said|==)", r"^\.git(/worktrees.*)?: "]}),
    git("hooks", "printf '#!/bin/sh\\ntrue\\n' > .git/hooks/pre-commit", differs={HELD: ["it fails with 123", r"^\.git/hooks"]}),
    git("worktree move of one that was there before", "git worktree move wt wt2", before=BASE + "git worktree add -q wt side\n",
        differs={RENAME: ["it fails with 128", "^(wt.*|): ", "^said", r"^\.git/worktrees"]}),
    git("submodule add", "git submodule add -q ./sub.git sub; git commit -qm sub; git submodule update -q --init; git submodule foreach -q pwd | wc -l",
        before=BASE + "git clone -q --bare . sub.git; git -C sub.git repack -adq\n",
        differs={NUMBER: [r"it fails with 128", r"^(sub.*|\.gitmodules|\.git|\.git/.*|): ", "^said"]}),
    git("submodule add in one go with its repository", "git clone -q --no-hardlinks --bare . sub.git; git submodule add -q ./sub.git sub; git commit -qm sub"),
    git("submodule update and deinit", "git submodule update -q --init; git -C sub checkout -q side; git submodule status; git submodule deinit -q -f sub",
        before=BASE + "git clone -q --bare . ../tree/sub.git; git submodule add -q ./sub.git sub; git commit -qm sub; git submodule deinit -q -f sub\n"),
    git("clean", "git clean -qfdx; git clean -qffdx", before=BASE + "mkdir -p out/deep; touch out/deep/a.o x.o src/y.o; mkdir nested; git init -q nested\n"),
    git("mv and rm", "git mv src/f1 src/g1; git mv README doc/; git rm -q src/f2; git rm -rq --cached src/f3; git commit -qm moved"),
    git("mv of a directory", "git mv src lib", differs={RENAME: ["it fails with 128", r"^(src.*|lib.*|\.git|\.git/index|): ", "^said"]}),
    git("mv of a directory by its files", "mkdir lib; git mv src/* lib/; git commit -qm moved"),
    git("apply", "git diff main side > ../tree/p; git apply p; git apply -R p; git update-index -q --refresh; git apply --index p; git apply --3way p || true"),
    git("am", "git format-patch -q -o patches main..side; git am -q patches/*; git format-patch -q -1 --stdout > one; git am -q --skip 2>/dev/null || true"),
    git("am with a conflict", "git am -q -3 ../tree/patches/* || true; git status --short; git am --show-current-patch=diff | head -5",
        before=CONFLICT + "git format-patch -q -o patches main..side\n"),
    git("bisect", "git bisect start side main~1; git bisect run sh -c '! grep -q five src/f2' | tail -1; git bisect log; git bisect reset"),
    git("bisect that is not ended", "git bisect start; git bisect bad side; git bisect good main~1; git bisect log"),
    git("sparse-checkout", "git sparse-checkout set doc; ls; git sparse-checkout disable"),
    git("archive and bundle", "git archive --format=tar main > a.tar; git bundle create -q b.bundle main side; git clone -q b.bundle unbundled"),
    git("config and hooks", "git config alias.x status; printf '#!/bin/sh\\ntouch hooked\\n' > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit; git commit -q --allow-empty -m h",
        flags=["--write", "./.git/hooks", "--write", "./.git/config"]),
    git("commit -a with tracked secrets", "echo x >> README; git commit -qam x; git show --stat --format=%s", before=SECRETS,
        differs={TRACKED: ["it fails with 123", r"^(\.git.*|README|): ", "^said"]}),
    git("add -A with tracked secrets", "echo x > new; git add -A", before=SECRETS, differs={TRACKED: ["it fails with 123", r"^(\.git.*|new|): ", "^said"]}),
    git("rm of a tracked secret", "git rm -q t/server.pem; git commit -qm removed", before=SECRETS,
        differs={TRACKED: ["it fails with 123", r"^(\.git.*|t.*|): ", "^said"]}),
    git("status, checkout and diff with tracked secrets", "git status --short; git diff --stat; git checkout -q main; git checkout topic", before=SECRETS,
        differs={TRACKED: [r"^said: '', staged '( D |D\\t| )(\.npmrc|t/server\.pem)( +\| 1 -)?'$", "^said: '', staged ' 2 files changed, 2 deletions"]}),
    git("rebase with tracked secrets", "git rebase -q --force-rebase HEAD~1", before=SECRETS, differs={TRACKED: ["it fails with 1$", r"^(\.git.*|): ", "^said"]}),
    git("stash with tracked secrets", "echo x >> README; git stash -q; git stash pop -q", before=SECRETS, differs={TRACKED: ["it fails with 123", r"^(\.git.*|README|): ", "^said"]}),
    git("commit of what is named with tracked secrets", "echo x >> README; git add README; git commit -qm x; git show --stat --format=%s", before=SECRETS),
    git("commit -a with tracked secrets that are shown", "echo x >> README; git commit -qam x; git add -A; git rebase -q --force-rebase HEAD~1; git checkout -q main; git stash -q || true",
        before=SECRETS, flags=SHOWN),
    git("filter-branch and fast-import", "git filter-branch -f --msg-filter 'sed s/one/eins/' main > /dev/null 2>&1; mkdir f; git init -q f; git fast-export side | git -C f fast-import --quiet"),
]
