#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "judge/answer.h"
#include "judge/input.h"
#include "judge/judge.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define TREE "/home/u/proj"

struct row {
	const char *old, *now; /* old NULL: there was none */
	const char *why;       /* a part of it; NULL: inert */
};

static void check(uint8_t kind, const char *path, const struct row *row)
{
	const struct judge_case c = { .kind = kind,
				      .had_old = row->old != NULL,
				      .old = row->old,
				      .old_len = row->old != NULL ? strlen(row->old) : 0,
				      .now = row->now,
				      .now_len = strlen(row->now),
				      .tree = TREE,
				      .path = path };
	struct judge_verdict v;

	judge(&c, &v);
	if (v.inert != (row->why == NULL))
		fail_msg("%s, from <%s> to <%s>: %s '%s'", path, row->old != NULL ? row->old : "", row->now,
			 v.inert ? "inert" : "holds", v.why);
	if (row->why != NULL && strstr(v.why, row->why) == NULL)
		fail_msg("%s, <%s>: '%s' has no '%s'", path, row->now, v.why, row->why);
	if (v.inert ? v.offset != 0 || v.why[0] != 0 : v.offset > c.now_len || v.why[0] == 0)
		fail_msg("%s, <%s>: offset %u, '%s'", path, row->now, v.offset, v.why);
}

static void check_all(uint8_t kind, const char *path, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check(kind, path, &rows[i]);
	print_message("%zu rows\n", n);
}

#define CORE "[core]\n\tbare = false\n"
#define ORIGIN "[remote \"origin\"]\n\turl = https://example.org/a.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n"
#define ALIAS "[alias]\n\tst = !sh x\n"

static void git_config(void **state)
{
	static const struct row rows[] = {
		/* what git writes */
		{ NULL, "", NULL },
		{ NULL, "\n\n", NULL },
		{ NULL, CORE, NULL },
		{ NULL, CORE ORIGIN, NULL },
		{ CORE, CORE ORIGIN, NULL },
		{ CORE ORIGIN, CORE ORIGIN "[branch \"main\"]\n\tremote = origin\n\tmerge = refs/heads/main\n", NULL },
		{ NULL,
		  "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tworktreeConfig = true\n\tobjectformat = sha256\n",
		  NULL },
		{ NULL, "[user]\n\tname = A \"B\" C\n\temail = a@b\n", NULL },
		{ NULL,
		  "[remote \"o\"]\n\turl = u@h:p/q.git\n\ttagOpt = --no-tags\n\tpromisor = true\n\tpartialclonefilter = blob:none\n",
		  NULL },
		{ NULL, "[submodule]\n\tactive = .\n[submodule \"a/b\"]\n\tactive = true\n\turl = ../b\n", NULL },
		{ NULL, "[advice]\n\tdetachedHead = false\n", NULL },
		{ NULL, "[branch \"x y\"]\n\tdescription = \"anything; # at all\"\n", NULL },
		{ NULL, "[branch \"\xC3\xBC\"]\n\tmerge = refs/heads/\xC3\xBC\n", NULL },
		{ NULL, "# [alias]\n; st = !x\n[core] # [alias]\nbare = false # x = y\n", NULL },
		{ NULL, "[core]\r\n\tbare = false\r\n", NULL },
		{ NULL, "\xEF\xBB\xBF[core]\n\tbare\n", NULL },
		{ NULL, "[remote.origin]\nurl = /srv/x\n", NULL },
		{ NULL, "[core]bare=false", NULL },
		{ NULL, "[user]\nname = a\\\nb\n", NULL },
		{ CORE ORIGIN, CORE ORIGIN CORE, NULL },
		{ CORE ORIGIN, "[core]\n\tbare = true\n" ORIGIN, NULL },
		/* what stays as it was, whatever it is */
		{ CORE ALIAS, CORE "[user]\n\tname = x\n" ALIAS, NULL },
		{ CORE ALIAS, CORE ALIAS ORIGIN, NULL },
		{ "[core]\n\tpager = x\n", "[core]\n\tbare = false\n\tpager = x\n", NULL },
		/* commands */
		{ NULL, ALIAS, "alias.st" },
		{ CORE, CORE ALIAS, "alias.st" },
		{ CORE ALIAS, CORE "[alias]\n\tst = !sh y\n", "alias.st" },
		{ NULL, "[core]\n\thooksPath = x\n", "core.hookspath" },
		{ NULL, "[CORE]\n\tHOOKSPATH = x\n", "core.hookspath" },
		{ NULL, "[core]\n\tfsmonitor = x\n", "core.fsmonitor" },
		{ NULL, "[core]\n\tfsmonitor\n", "core.fsmonitor" },
		{ NULL, "[core]\n\tsshCommand = x\n", "core.sshcommand" },
		{ NULL, "[core]\n\tpager = x\n", "core.pager" },
		{ NULL, "[core]\n\teditor = x\n", "core.editor" },
		{ NULL, "[core]\n\taskPass = x\n", "core.askpass" },
		{ NULL, "[core]\n\tgitProxy = x\n", "core.gitproxy" },
		{ NULL, "[core]\n\talternateRefsCommand = x\n", "core.alternaterefscommand" },
		{ NULL, "[core]\n\tattributesFile = x\n", "core.attributesfile" },
		{ NULL, "[core]\n\texcludesFile = x\n", "core.excludesfile" },
		{ NULL, "[core]\n\tcommentChar = x\n", "core.commentchar" },
		{ NULL, "[core]\n\tprotectHFS = false\n", "core.protecthfs" },
		{ NULL, "[sequence]\n\teditor = x\n", "sequence.editor" },
		{ NULL, "[pager]\n\tlog = x\n", "pager.log" },
		{ NULL, "[include]\n\tpath = x\n", "include.path" },
		{ NULL, "[INCLUDE]PATH=x", "include.path" },
		{ NULL, "[includeIf \"gitdir:/\"]\n\tpath = x\n", "includeif.gitdir:/.path" },
		{ NULL, "[includeIf \"hasconfig:remote.*.url:**\"]\n\tpath = x\n", "includeif." },
		{ NULL, "[filter \"x\"]\n\tclean = x\n", "filter.x.clean" },
		{ NULL, "[filter \"lfs\"]\n\tprocess = x\n", "filter.lfs.process" },
		{ NULL, "[filter.x]\n\tsmudge = x\n", "filter.x.smudge" },
		{ NULL, "[diff]\n\texternal = x\n", "diff.external" },
		{ NULL, "[diff \"x\"]\n\ttextconv = x\n", "diff.x.textconv" },
		{ NULL, "[diff \"x\"]\n\tcommand = x\n", "diff.x.command" },
		{ NULL, "[merge \"x\"]\n\tdriver = x\n", "merge.x.driver" },
		{ NULL, "[mergetool \"x\"]\n\tcmd = x\n", "mergetool.x.cmd" },
		{ NULL, "[difftool \"x\"]\n\tpath = x\n", "difftool.x.path" },
		{ NULL, "[gpg]\n\tprogram = x\n", "gpg.program" },
		{ NULL, "[gpg \"ssh\"]\n\tprogram = x\n", "gpg.ssh.program" },
		{ NULL, "[gpg \"ssh\"]\n\tdefaultKeyCommand = x\n", "gpg.ssh.defaultkeycommand" },
		{ NULL, "[credential]\n\thelper = x\n", "credential.helper" },
		{ NULL, "[credential \"https://x\"]\n\thelper = !x\n", "credential.https://x.helper" },
		{ NULL, "[url \"ext::sh -c x\"]\n\tinsteadOf = https://\n", "url.ext::sh -c x.insteadof" },
		{ NULL, "[url \"a\"]\n\tpushInsteadOf = https://\n", "url.a.pushinsteadof" },
		{ NULL, "[protocol \"ext\"]\n\tallow = always\n", "protocol.ext.allow" },
		{ NULL, "[protocol]\n\tallow = always\n", "protocol.allow" },
		{ NULL, "[http]\n\tproxy = x\n", "http.proxy" },
		{ NULL, "[http]\n\tsslVerify = false\n", "http.sslverify" },
		{ NULL, "[http \"https://x\"]\n\textraHeader = x\n", "http.https://x.extraheader" },
		{ NULL, "[uploadpack]\n\tpackObjectsHook = x\n", "uploadpack.packobjectshook" },
		{ NULL, "[receive]\n\tdenyCurrentBranch = ignore\n", "receive.denycurrentbranch" },
		{ NULL, "[remote \"x\"]\n\tuploadpack = x\n", "remote.x.uploadpack" },
		{ NULL, "[remote \"x\"]\n\treceivepack = x\n", "remote.x.receivepack" },
		{ NULL, "[remote \"x\"]\n\tvcs = x\n", "remote.x.vcs" },
		{ NULL, "[remote \"x\"]\n\tproxy = x\n", "remote.x.proxy" },
		{ NULL, "[submodule \"x\"]\n\tupdate = !x\n", "submodule.x.update" },
		{ NULL, "[submodule \"x\"]\n\tupdate = \"!x\"\n", "submodule.x.update" },
		{ NULL, "[core]\n\tworktree = /home/u\n", "core.worktree" },
		{ NULL, "[core]\n\tworktree = ../..\n", "core.worktree" },
		{ NULL, "[core]\n\tworktree = hooks\n", "core.worktree" },
		{ NULL, "[core]\n\tworktree = ../../.vscode/../..\n", "core.worktree" },
		{ NULL, "[core]\n\tworktree = ../.g\xE2\x80\x8Cit\n", "core.worktree" },
		{ NULL, "[core]\n\tworktree = ../sub\n", NULL },
		{ NULL, "[man \"x\"]\n\tcmd = x\n", "man.x.cmd" },
		{ NULL, "[browser \"x\"]\n\tcmd = x\n", "browser.x.cmd" },
		{ NULL, "[web]\n\tbrowser = x\n", "web.browser" },
		{ NULL, "[instaweb]\n\thttpd = x\n", "instaweb.httpd" },
		{ NULL, "[sendemail]\n\tsmtpServer = /x\n", "sendemail.smtpserver" },
		{ NULL, "[trailer \"x\"]\n\tcommand = x\n", "trailer.x.command" },
		{ NULL, "[interactive]\n\tdiffFilter = x\n", "interactive.difffilter" },
		{ NULL, "[tar \"x\"]\n\tcommand = x\n", "tar.x.command" },
		{ NULL, "[guitool \"x\"]\n\tcmd = x\n", "guitool.x.cmd" },
		{ NULL, "[init]\n\ttemplateDir = x\n", "init.templatedir" },
		{ NULL, "[commit]\n\ttemplate = x\n", "commit.template" },
		{ NULL, "[user]\n\tsigningKey = x\n", "user.signingkey" },
		{ NULL, "[lfs \"customtransfer.x\"]\n\tpath = x\n", "lfs.customtransfer.x.path" },
		{ NULL, "[lfs]\n\turl = x\n", "lfs.url" },
		{ NULL, "[merge]\n\ttool = x\n", "merge.tool" },
		{ NULL, "[push]\n\tgpgSign = x\n", "push.gpgsign" },
		{ NULL, "[remotes]\n\tx = y\n", "remotes.x" },
		{ NULL, "[bisect]\n\tx = y\n", "bisect.x" },
		{ NULL, "[unknown]\n\tkey = 1\n", "unknown.key" },
		{ NULL, "[core]\n\tunknown = 1\n", "core.unknown" },
		{ NULL, "[core \"x\"]\n\tbare = 1\n", "core.x.bare" },
		{ NULL, "[remote]\n\turl = x\n", "remote.url" },
		/* addresses */
		{ NULL, "[remote \"x\"]\n\turl = ext::sh -c x\n", "remote.x.url" },
		{ NULL, "[remote \"x\"]\n\turl = ext::x\n", "remote.x.url" },
		{ NULL, "[remote \"x\"]\n\turl = fd::17\n", "remote.x.url" },
		{ NULL, "[remote \"x\"]\n\turl = foo://x\n", "remote.x.url" },
		{ NULL, "[remote \"x\"]\n\turl = HTTPS://x\n", "remote.x.url" },
		{ NULL, "[remote \"x\"]\n\turl = -oProxyCommand=x\n", "remote.x.url" },
		{ NULL, "[remote \"x\"]\n\turl = --upload-pack=x\n", "remote.x.url" },
		{ NULL, "[remote \"x\"]\n\turl = ssh://-oProxyCommand=x/y\n", "remote.x.url" },
		{ NULL, "[remote \"x\"]\n\turl = ssh://u@-oProxyCommand=x/y\n", "remote.x.url" },
		{ NULL, "[remote \"x\"]\n\turl = ssh://%2doProxyCommand=x/y\n", "remote.x.url" },
		{ NULL, "[remote \"x\"]\n\turl = -oX:y\n", "remote.x.url" },
		{ NULL, "[remote \"x\"]\n\turl = u@-oX:y\n", "remote.x.url" },
		{ NULL, "[remote \"x\"]\n\turl = h:-x\n", "remote.x.url" },
		{ NULL, "[remote \"x\"]\n\turl = https://h/x%0ay\n", "remote.x.url" },
		{ NULL, "[remote \"x\"]\n\turl = https://h/a b\n", "remote.x.url" },
		{ NULL, "[remote \"x\"]\n\turl = \n", "remote.x.url" },
		{ NULL, "[remote \"x\"]\n\turl\n", "remote.x.url" },
		{ NULL, "[remote \"x\"]\n\turl = \"ext::\"x\n", "remote.x.url" },
		{ NULL, "[remote \"x\"]\n\turl = ext\\\n::x\n", "remote.x.url" },
		{ NULL, "[remote \"x\"]\n\turl = \"/x \"\n", "remote.x.url" },
		{ NULL, "[remote \"x\"]\n\turl = /x \n", NULL },
		{ NULL, "[submodule \"x\"]\n\tupdate = \" none\"\n", "submodule.x.update" },
		{ NULL, "[remote \"-x\"]\n\turl = /x\n", "remote.-x.url" },
		{ NULL, "[remote \"x\"]\n\turl = /srv/x.git\n", NULL },
		{ NULL, "[remote \"x\"]\n\turl = file:///srv/x.git\n", NULL },
		{ NULL, "[remote \"x\"]\n\turl = ssh://u@h.org:22/x.git\n", NULL },
		{ NULL, "[remote \"x\"]\n\turl = git://h.org/x.git\n", NULL },
		{ NULL, "[remote \"x\"]\n\turl = https://user:token@h.org/x.git\n", NULL },
		{ NULL, "[remote \"x\"]\n\turl = https://[2001:db8::1]/x\n",
		  "remote.x.url" }, /* dear, but :: stays out */
		{ CORE ORIGIN,
		  CORE
		  "[remote \"origin\"]\n\turl = https://evil.org/a\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n",
		  "remote.origin.url" },
		{ CORE ORIGIN, CORE ORIGIN "[remote \"origin\"]\n\tpushurl = https://evil.org/a\n",
		  "remote.origin.pushurl" },
		{ CORE ORIGIN, CORE ORIGIN "[remote \"origin\"]\n\turl = https://evil.org/a\n", "remote.origin.url" },
		{ CORE ORIGIN, CORE "[remote \"origin\"]\n\turl = https://evil.org/a\n" ORIGIN, "remote.origin.url" },
		{ CORE ORIGIN, CORE ORIGIN "[remote \"fork\"]\n\turl = https://h.org/a\n", NULL },
		{ CORE ORIGIN, CORE, "remote.origin.url" },
		{ CORE ALIAS, CORE, "no longer says: alias.st" },
		{ CORE "[alias]\na=1\nb=2\n", CORE "[alias]\nb=2\na=1\n", "alias.b" },
		{ NULL, "[branch \"x\"]\n\tremote = https://evil.org\n", "branch.x.remote" },
		{ NULL, "[branch \"x\"]\n\tremote = ../x\n", "branch.x.remote" },
		{ NULL, "[branch \"x\"]\n\tremote = -x\n", "branch.x.remote" },
		{ NULL, "[branch \"x\"]\n\tremote = .\n", NULL },
		{ NULL, "[branch \"x\"]\n\tmerge = --x\n", "branch.x.merge" },
		{ NULL, "[branch \"x\"]\n\tmerge = a..b\n", "branch.x.merge" },
		{ NULL, "[branch \"x\"]\n\tmergeOptions = -s x\n", "branch.x.mergeoptions" },
		{ NULL, "[remote \"x\"]\n\tfetch = --upload-pack=x\n", "remote.x.fetch" },
		{ NULL, "[remote \"x\"]\n\tfetch = ^refs/heads/a\n", NULL },
		{ NULL, "[submodule \"../x\"]\n\turl = /a\n", "submodule.../x.url" },
		{ NULL, "[submodule \"a/../../x\"]\n\tactive = true\n", "submodule.a/../../x.active" },
		{ NULL, "[pull]\n\trebase = sh -c x\n", "pull.rebase" },
		{ NULL, "[core]\n\tbare = !x\n", "core.bare" },
		/* syntax, where a difference would let something through */
		{ NULL, "[core]\n\tbare = false [alias]\n", "core.bare" },
		{ NULL, "[core] bare = false\n[alias] st = !x\n", "alias.st" },
		{ NULL, "[core][alias]st=!x", "alias.st" },
		{ NULL, "[user]\nname = \"a\nst = x\"\n", "quote" },
		{ NULL, "[user]\nname = a \\\n[alias]\nst = !x\n", "user.st" },
		{ NULL, "[user]\nname = a ; \\\n[alias]\nst = !x\n", "alias.st" },
		{ NULL, "# \\\n[alias]\nst = !x\n", "alias.st" },
		{ NULL, "# x\r[alias]\nst = !x\n", "control" },
		{ NULL, "[core]\rbare = false\n", "control" },
		{ NULL, "[user]\nname = a\r\n[alias]\r\nst=!x", "alias.st" },
		{ NULL, "[user]\nname = \"a\r\"\n", "control" },
		{ NULL, "[user]\nname = a\\r\n", "escape" },
		{ NULL, "[user]\nname = a\\n\n", "escape" },
		{ NULL, "[user]\nname = a\\bb\n", "escape" },
		{ NULL, "[alias \"x\"]\n", NULL }, /* a section alone says nothing */
		{ NULL, "[core\nbare = false\n", "section" },
		{ NULL, "[core \"x\nbare = false\n", "section" },
		{ NULL, "[core x]\nbare = false\n", "section" },
		{ NULL, "[core \"x\" ]\nbare = false\n", "section" },
		{ NULL, "[co_re]\nbare = false\n", "section" },
		{ NULL, "[]\nbare = false\n", "section" },
		{ NULL, "[.core]\nbare = false\n", "section" },
		{ NULL, "[core]\n1bare = false\n", "neither" },
		{ NULL, "[core]\nba_re = false\n", "neither" },
		{ NULL, "[core]\nbare false\n", "neither" },
		{ NULL, "bare = false\n", "no section" },
		{ NULL, "\xEF\xBB[core]\nbare = false\n", "neither" },
		{ NULL, "[filter \"a\\\"b\"]\nclean = x\n", "filter.a\"b.clean" },
		{ NULL, "[filter \"a]\"]\nclean = x\n", "filter.a].clean" },
		{ NULL, "[FiLtEr.X]\ncLeAn = x\n", "filter.x.clean" },
		{ NULL, "[remote \"x.url\"]\nvcs = x\n", "remote.x.url.vcs" },
		{ NULL, "[core]\nbare = false\x01\n", "control" },
		{ NULL,
		  "[core]\n\x0B"
		  "bare = false\n",
		  "control" },
	};

	(void)state;
	check_all(JUDGE_GIT_CONFIG, ".git/config", rows, COUNT_OF(rows));
}

static void git_opts(void **state)
{
	static const struct row rows[] = {
		{ NULL, "[options]\n\tno-commit = true\n\trecord-origin = true\n\tmainline = 1\n", NULL },
		{ NULL, "[options]\n\tstrategy = x\n", "options.strategy" },
		{ NULL, "[options]\n\tstrategy-option = x\n", "options.strategy-option" },
		{ NULL, "[options]\n\tgpg-sign = x\n", "options.gpg-sign" },
		{ NULL, "[core]\n\tbare = true\n", "core.bare" },
	};

	(void)state;
	check_all(JUDGE_GIT_OPTS, ".git/sequencer/opts", rows, COUNT_OF(rows));
	check(JUDGE_GIT_CONFIG, ".git/config",
	      &(struct row){ NULL, "[options]\n\tmainline = 1\n", "options.mainline" });
}

static void git_config_of_a_submodule(void **state)
{
	static const struct row rows[] = {
		{ NULL, "[core]\n\tbare = false\n\tworktree = ../../../sub\n", NULL },
		{ NULL, "[core]\n\tworktree = ../../../a/b\n", NULL },
		{ NULL, "[core]\n\tworktree = " TREE "/sub\n", NULL },
		{ NULL, "[core]\n\tworktree = ../../../../sub\n", "core.worktree" },
		{ NULL, "[core]\n\tworktree = ../../hooks\n", "core.worktree" },
		{ NULL, "[core]\n\tworktree = ../../../x.git\n", "core.worktree" },
		{ NULL, "[core]\n\tworktree = ../../../a/../../../b\n", "core.worktree" },
		{ NULL, "[core]\n\tworktree = " TREE "x\n", "core.worktree" },
	};

	(void)state;
	check_all(JUDGE_GIT_CONFIG, ".git/modules/sub/config", rows, COUNT_OF(rows));
}

static void git_modules(void **state)
{
	static const struct row rows[] = {
		{ NULL, "[submodule \"a\"]\n\tpath = a\n\turl = https://h.org/a.git\n", NULL },
		{ NULL,
		  "[submodule \"a\"]\n\tpath = d/a\n\turl = ../a.git\n\tbranch = main\n\tupdate = rebase\n\tshallow = true\n",
		  NULL },
		{ NULL, "[submodule \"a\"]\n\tpath = -a\n", "path" },
		{ NULL, "[submodule \"a\"]\n\tpath = ../a\n", "path" },
		{ NULL, "[submodule \"a\"]\n\tpath = .git/hooks\n", "path" },
		{ NULL, "[submodule \"a\"]\n\tpath = .GIT/hooks\n", "path" },
		{ NULL, "[submodule \"a\"]\n\tpath = /a\n", "path" },
		{ NULL, "[submodule \"a\"]\n\tpath = .vscode\n", "path" },
		{ NULL, "[submodule \"a\"]\n\tpath = d/.claude/skills\n", "path" },
		{ NULL, "[submodule \"a\"]\n\tpath = .config\n", "path" },
		{ NULL, "[submodule \"a\"]\n\tpath = .cargo\n", "path" },
		{ NULL, "[submodule \"a\"]\n\tpath = \"a\r\"\n", "control" },
		{ NULL, "[submodule \"a\"]\n\tupdate = !x\n", "update" },
		{ NULL, "[submodule \"a\"]\n\turl = ext::x\n", "url" },
		{ NULL, "[submodule \"a\"]\n\turl = -x\n", "url" },
		{ NULL, "[submodule \"a\"]\n\turl = https://h/%0a\n", "url" },
		{ NULL, "[submodule \"../a\"]\n\turl = /a\n", "url" },
		{ NULL, "[submodule \"a\"]\n\tignore = all\n", NULL },
		{ NULL, "[core]\n\tbare = false\n", "core.bare" },
		{ NULL, "[alias]\n\ta = !x\n", "alias.a" },
		{ "[submodule \"a\"]\n\turl = /a\n", "[submodule \"a\"]\n\turl = /b\n", "url" },
		{ "[submodule \"a\"]\n\turl = /a\n",
		  "[submodule \"a\"]\n\turl = /a\n[submodule \"b\"]\n\turl = /b\n\tpath = b\n", NULL },
	};

	(void)state;
	check_all(JUDGE_GIT_MODULES, ".gitmodules", rows, COUNT_OF(rows));
}

static void git_file(void **state)
{
	static const struct row rows[] = {
		{ NULL, "gitdir: ../.git/modules/sub\n", NULL },
		{ NULL, "gitdir: ../.git/modules/a/b", NULL },
		{ NULL, "gitdir: ../.git/worktrees/w\n", NULL },
		{ NULL, "gitdir: ../.git\n", NULL },
		{ NULL, "gitdir: " TREE "/.git/worktrees/w\n", NULL },
		{ NULL, "gitdir: ../x.git/worktrees/w\n", NULL },
		{ NULL, "gitdir: x.git\n", NULL },
		{ NULL, "gitdir: ../../other/.git\n", "out of the tree" },
		{ NULL, "gitdir: /home/u/other/.git\n", "out of the tree" },
		{ NULL, "gitdir: /home/u/proj2/.git\n", "out of the tree" },
		{ NULL, "gitdir: /tmp/x.git\n", "out of the tree" },
		{ NULL, "gitdir: evil\n", "no repository" },
		{ NULL, "gitdir: ../.git/evil\n", "no repository" },
		{ NULL, "gitdir: ../.git/modules\n", "no repository" },
		{ NULL, "gitdir: ../.git/worktrees\n", "no repository" },
		{ NULL, "gitdir: ../.git/worktrees/a/b\n", "no repository" },
		{ NULL, "gitdir: ../.git/objects/x\n", "no repository" },
		{ NULL, "gitdir: ../.git/hooks/x.git\n", "no repository" },
		{ NULL, "gitdir: ../.git/modules/../../evil\n", "out of the tree" },
		{ NULL, "gitdir: a/../../.git\n", "out of the tree" },
		{ NULL, "gitdir: ./.git\n", "out of the tree" },
		{ NULL, "gitdir: ../.git/\n", "out of the tree" },
		{ NULL, "gitdir: //home/u/proj/.git\n", "out of the tree" },
		{ NULL, "gitdir: \n", "gitdir" },
		{ NULL, "gitdir:../.git\n", "gitdir" },
		{ NULL, "gitdir: ../.git\n\n", "gitdir" },
		{ NULL, "gitdir: ../.git\r\n", "gitdir" },
		{ NULL, "gitdir: ../.git\nx", "gitdir" },
		{ NULL, " gitdir: ../.git\n", "gitdir" },
		{ NULL, "", "gitdir" },
		{ "gitdir: /elsewhere\n", "gitdir: /elsewhere\n", NULL },
	};

	(void)state;
	check_all(JUDGE_GIT_FILE, "sub/.git", rows, COUNT_OF(rows));
}

static void files_of_worktrees(void **state)
{
	static const struct {
		uint8_t kind;
		const char *path;
		struct row row;
	} rows[] = {
		{ JUDGE_GIT_COMMONDIR, ".git/worktrees/w/commondir", { NULL, "../..\n", NULL } },
		{ JUDGE_GIT_COMMONDIR, "x.git/worktrees/w/commondir", { NULL, "../..", NULL } },
		{ JUDGE_GIT_COMMONDIR, ".git/worktrees/w/commondir", { NULL, "../../..\n", "does not lead" } },
		{ JUDGE_GIT_COMMONDIR, ".git/worktrees/w/commondir", { NULL, "../..\r\n", "does not lead" } },
		{ JUDGE_GIT_COMMONDIR, ".git/worktrees/w/commondir", { NULL, "/tmp\n", "does not lead" } },
		{ JUDGE_GIT_COMMONDIR, ".git/worktrees/w/commondir", { NULL, "", "does not lead" } },
		{ JUDGE_GIT_COMMONDIR, ".git/commondir", { NULL, "../..\n", "no worktree" } },
		{ JUDGE_GIT_COMMONDIR, "commondir", { NULL, "../..\n", "no worktree" } },
		{ JUDGE_GIT_COMMONDIR, "a/worktrees/w/commondir", { NULL, "../..\n", "no worktree" } },
		{ JUDGE_GIT_COMMONDIR, ".git/modules/m/commondir", { NULL, "../..\n", "no worktree" } },
		{ JUDGE_GIT_COMMONDIR, ".git/worktrees/a/b/commondir", { NULL, "../..\n", "no worktree" } },
		{ JUDGE_GIT_DIR, ".git/worktrees/w/gitdir", { NULL, TREE "/w/.git\n", NULL } },
		{ JUDGE_GIT_DIR, ".git/worktrees/w/gitdir", { NULL, "../../../w/.git\n", NULL } },
		{ JUDGE_GIT_DIR, ".git/worktrees/w/gitdir", { NULL, "/home/u/w/.git\n", "out of the tree" } },
		{ JUDGE_GIT_DIR, ".git/worktrees/w/gitdir", { NULL, "../../hooks/.git\n", "repository" } },
		{ JUDGE_GIT_DIR, ".git/worktrees/w/gitdir", { NULL, TREE "/w/x\n", ".git" } },
		{ JUDGE_GIT_DIR, ".git/worktrees/w/gitdir", { NULL, "", ".git" } },
		{ JUDGE_GIT_DIR, ".git/gitdir", { NULL, TREE "/w/.git\n", "no worktree" } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check(rows[i].kind, rows[i].path, &rows[i].row);
	print_message("%zu rows\n", COUNT_OF(rows));
}

static void git_attributes(void **state)
{
	static const struct row rows[] = {
		{ NULL, "", NULL },
		{ NULL, "* text=auto eol=lf\n*.png binary -diff -merge\n", NULL },
		{ NULL, "*.bin filter=lfs diff=lfs merge=lfs -text\n", NULL },
		{ NULL, "*.py diff=python\n*.md diff=markdown linguist-detectable\n", NULL },
		{ NULL, "# filter\n*.c whitespace=tab-in-indent working-tree-encoding=UTF-16\n", NULL },
		{ NULL, "CHANGELOG merge=union\n", NULL },
		{ NULL, "*.x filter\n*.y -filter\n*.z !filter\n", NULL },
		{ NULL, "[attr]b -text\n", NULL },
		{ NULL, "* filter=x\n", "filter=x" },
		{ NULL, "a\n* filter=x", "filter=x" },
		{ NULL, "*\tfilter=x\n", "filter=x" },
		{ NULL, "*.c text\rfilter=x\n", "filter=x" },
		{ NULL, "* text filter=lfs2\n", "filter=lfs2" },
		{ NULL, "* filter=lfs filter=x\n", "filter=x" },
		{ NULL, "* diff=exif\n", "diff=exif" },
		{ NULL, "* merge=ours\n", "merge=ours" },
		{ NULL, "* filter=\n", "filter=" },
		{ NULL, "[attr]b filter=x\n", "filter=x" },
		{ NULL, "\"a b\" filter=x\n", "filter=x" },
		{ NULL, "\xEF\xBB\xBF* filter=x\n", "filter=x" },
		{ NULL, "* filter=Lfs\n", "filter=Lfs" },
		{ "* merge=ours\n", "* merge=ours\n*.c text\n", NULL },
		{ "* merge=ours\n", "*.c text\n* merge=ours", NULL },
		{ "* merge=ours\n", "*.c merge=ours\n", "merge=ours" },
		{ "* merge=ours\n", "", NULL },
	};

	(void)state;
	check_all(JUDGE_GIT_ATTRIBUTES, ".gitattributes", rows, COUNT_OF(rows));
}

static void git_todo(void **state)
{
	static const struct row rows[] = {
		{ NULL, "pick abc x\n# Rebase\n\nfixup -C abc y\n", NULL },
		{ NULL, "p a\nr a\ne a\ns a\nf a\nd a\nl a\nt a\nm -C a b\nu refs/heads/x\nb\nnoop\nrevert a\n", NULL },
		{ NULL, "label onto\nreset onto\nmerge -C abc x # y\nupdate-ref refs/heads/x\nbreak\n", NULL },
		{ NULL, "pick abc exec x\n", NULL },
		{ NULL, "# exec x\n \t# exec x\n", NULL },
		{ NULL, "exec x\n", "exec x" },
		{ NULL, "x x\n", "x x" },
		{ NULL, "pick a\n  exec x\n", "exec x" },
		{ NULL, "\texec\tx\n", "exec" },
		{ NULL, "pick a\nx\n", "x" },
		{ NULL, "pick a\n\nx y", "x y" },
		{ NULL, "EXEC x\n", "EXEC" },
		{ NULL, "exec\r\n", "exec" },
		{ NULL, "pick a\r\nexec x\r\n", "exec x" },
		{ NULL, "pick\rexec x\n", "exec" },
		{ NULL, "; x\n", ";" },
		{ NULL, "unknown a\n", "unknown" },
	};

	(void)state;
	check_all(JUDGE_GIT_TODO, ".git/rebase-merge/git-rebase-todo", rows, COUNT_OF(rows));
}

static void git_author_and_word(void **state)
{
	static const struct row authors[] = {
		{ NULL, "GIT_AUTHOR_NAME='A B'\nGIT_AUTHOR_EMAIL='a@b'\nGIT_AUTHOR_DATE='@1 +0000'\n", NULL },
		{ NULL, "GIT_AUTHOR_NAME='O'\\''Neill'\n", NULL },
		{ NULL, "GIT_AUTHOR_NAME=''\\'''\n", NULL },
		{ NULL, "GIT_AUTHOR_NAME=''\n", NULL },
		{ NULL, "GIT_AUTHOR_NAME='$(x) `x`'\n", NULL },
		{ NULL, "GIT_AUTHOR_NAME='a';x\n", "quoted" },
		{ NULL, "GIT_AUTHOR_NAME='a'x'b'\n", "quoted" },
		{ NULL, "GIT_AUTHOR_NAME='a'$(x)'b'\n", "quoted" },
		{ NULL, "GIT_AUTHOR_NAME='a'\\''\n", "quoted" },
		{ NULL, "GIT_AUTHOR_NAME=a\n", "quoted" },
		{ NULL, "GIT_AUTHOR_NAME='\n", "quoted" },
		{ NULL, "GIT_AUTHOR_NAME='a\nb'\n", "quoted" },
		{ NULL, "PATH='x'\n", "quoted" },
		{ NULL, "\n", "quoted" },
	};
	static const struct row words[] = {
		{ NULL, "ort\n", NULL },   { NULL, "", NULL },        { NULL, "\n", NULL },
		{ NULL, "a/b\n", "word" }, { NULL, "--x\n", "word" }, { NULL, "a\nb\n", "word" },
		{ NULL, "a b\n", "word" }, { NULL, "-S\n", "word" },  { NULL, "$(x)\n", "word" },
	};

	(void)state;
	check_all(JUDGE_GIT_AUTHOR, ".git/rebase-merge/author-script", authors, COUNT_OF(authors));
	check_all(JUDGE_GIT_WORD, ".git/rebase-merge/strategy", words, COUNT_OF(words));
}

static void npmrc(void **state)
{
	static const struct row rows[] = {
		{ NULL, "", NULL },
		{ NULL, "save-exact=true\nfund = false\n# x\n; y\n\nignore-scripts=true\n", NULL },
		{ NULL, "legacy-peer-deps=true\r\nsave-prefix=~\r\n", NULL },
		{ NULL, "  engine-strict = true  \n", NULL },
		{ NULL, "registry=https://registry.npmjs.org/\n", "registry" },
		{ NULL, "@x:registry=https://h.org/\n", "@x:registry" },
		{ NULL, "//h.org/:_authToken=secret\n", "_authToken" },
		{ NULL, "script-shell=/x\n", "script-shell" },
		{ NULL, "node-options=--require x\n", "node-options" },
		{ NULL, "git=/x\n", "git" },
		{ NULL, "shell=/x\n", "shell" },
		{ NULL, "editor=x\n", "editor" },
		{ NULL, "prefix=/x\n", "prefix" },
		{ NULL, "globalconfig=/x\n", "globalconfig" },
		{ NULL, "onload-script=/x\n", "onload-script" },
		{ NULL, "init-module=/x\n", "init-module" },
		{ NULL, "pnpmfile=/x\n", "pnpmfile" },
		{ NULL, "cafile=/x\n", "cafile" },
		{ NULL, "strict-ssl=false\n", "strict-ssl" },
		{ NULL, "ignore-scripts=false\n", "ignore-scripts" },
		{ NULL, "fund=${X}\n", "fund" },
		{ NULL, "[x]\n", "[x]" },
		{ NULL, "fund\n", "fund" },
		{ NULL, "\"script-shell\"=/x\n", "script-shell" },
		{ NULL, "fund=false\rscript-shell=/x\n", "fund" },
		{ NULL, "# x\rscript-shell=/x\n", "# x" },
		{ NULL, "fund=false ; x\n", "fund" },
		{ NULL, "FUND=false\n", "FUND" },
		{ "script-shell=/a\n", "fund=false\nscript-shell=/a\n", NULL },
		{ "script-shell=/a\n", "script-shell=/b\n", "script-shell" },
		{ "script-shell=/a\n", "fund=false\n", "no longer says: script-shell" },
		{ "ignore-scripts=true\n", "fund=false\n", "ignore-scripts" },
		{ "ignore-scripts=true\n", "ignore-scripts=true\nfund=true\n", NULL },
		{ "fund=true\n", "", NULL },
		{ "a=1\nb=2\n", "b=2\na=1\n", "b" },
	};
	struct judge_verdict v;
	static const char token[] = "//h.org/:_authToken=secret\n";

	(void)state;
	check_all(JUDGE_NPMRC, ".npmrc", rows, COUNT_OF(rows));
	judge(
		&(struct judge_case){
			.kind = JUDGE_NPMRC, .now = token, .now_len = strlen(token), .tree = TREE, .path = ".npmrc" },
		&v);
	assert_null(strstr(v.why, "secret"));
}

static void any_content(void **state)
{
	auto_free char *big = malloc(JUDGE_CONTENT_MAX + 1);
	struct judge_case c = {
		.kind = JUDGE_GIT_CONFIG, .now = big, .now_len = JUDGE_CONTENT_MAX, .tree = TREE, .path = ".git/config"
	};
	struct judge_verdict v;

	(void)state;
	assert_non_null(big);
	memset(big, '\n', JUDGE_CONTENT_MAX + 1);
	judge(&c, &v);
	assert_true(v.inert);
	c.now_len++;
	judge(&c, &v);
	assert_false(v.inert);
	assert_non_null(strstr(v.why, "too large"));
	c.had_old = true; /* and the same content is not known to be the same */
	c.old = big;
	c.old_len = c.now_len;
	judge(&c, &v);
	assert_false(v.inert);
	c.now_len = 1;
	judge(&c, &v);
	assert_false(v.inert);
	for (unsigned kind = 0; kind < 256; kind++) {
		if (kind == JUDGE_GIT_INDEX) /* no text: test_judge_index.c */
			continue;
		c = (struct judge_case){
			.kind = (uint8_t)kind, .now = "a\0b", .now_len = 3, .tree = TREE, .path = "x"
		};
		judge(&c, &v);
		assert_false(v.inert);
		c.had_old = true;
		c.old = "a\0b";
		c.old_len = 3;
		judge(&c, &v);
		assert_int_equal(v.inert, judge_kind_is_known((uint8_t)kind));
	}
}

/* Lines at the limit of older git, and names and values at theirs. */
static void long_lines(void **state)
{
	char text[8192];
	static const struct {
		size_t n;
		const char *why;
	} rows[] = { { 990, NULL }, { 993, NULL }, { 994, "line" } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct row row = { NULL, text, rows[i].why };

		(void)snprintf(text, sizeof text, "[user]\nname = %0*d\n", (int)rows[i].n, 0);
		check(JUDGE_GIT_CONFIG, ".git/config", &row);
	}
	(void)snprintf(text, sizeof text, "[branch \"%0600d\"]\nrebase = true\n", 0);
	check(JUDGE_GIT_CONFIG, ".git/config", &(struct row){ NULL, text, "too long" });
}

/* Entries at the limit, and old content in which too many would have to be looked for. */
static void many_entries(void **state)
{
	auto_free char *text = calloc(1, JUDGE_CONTENT_MAX), *old = calloc(1, JUDGE_CONTENT_MAX);
	struct row row = { NULL, text, NULL };
	size_t n;

	(void)state;
	assert_true(text != NULL && old != NULL);
	n = (size_t)snprintf(text, 16, "[core]\n");
	for (size_t i = 0; i < 4096; i++, n += 5)
		memcpy(text + n, "bare\n", 5);
	check(JUDGE_GIT_CONFIG, ".git/config", &row);
	memcpy(text + n, "bare\n", 5);
	row.why = "too many keys";
	check(JUDGE_GIT_CONFIG, ".git/config", &row);
	memset(text, 0, JUDGE_CONTENT_MAX);
	n = 0;
	for (size_t i = 0; i < 4096; i++)
		n += (size_t)snprintf(text + n, 64, "[remote \"%zu\"]\nurl=/x\n", i);
	memset(old, '\n', 200000);
	row.old = old;
	check(JUDGE_GIT_CONFIG, ".git/config", &row);
	old[1000] = 0;
	row.why = NULL;
	check(JUDGE_GIT_CONFIG, ".git/config", &row);
}

static void batch_and_answer(void **state)
{
	struct judge_batch b;
	struct judge_reader r;
	struct judge_case c = { .kind = JUDGE_GIT_FILE, .now = "x", .now_len = 1, .tree = TREE, .path = "a/.git" },
			  back;
	struct judge_verdict said[3] = { { .inert = true },
					 { .inert = false, .offset = 7, .why = "key: \\x1b" },
					 { .inert = true } };
	struct judge_verdict heard[3];
	auto_buf out = { .data = NULL };
	uint32_t n;

	(void)state;
	judge_batch_init(&b, "", 0);
	assert_int_equal(judge_batch_put(&b, &c), 0);
	c.had_old = true;
	c.old = "yz";
	c.old_len = 2;
	assert_int_equal(judge_batch_put(&b, &c), 0);
	c.path = "../x";
	assert_int_equal(judge_batch_put(&b, &c), -AMBIT_INTERNAL);
	c.kind = 99;
	assert_int_equal(judge_batch_put(&b, &c), -AMBIT_INTERNAL);
	assert_int_equal(b.n, 2);
	assert_true(judge_reader_init(&r, b.bytes.data, b.bytes.len, &n));
	assert_int_equal(n, 2);
	assert_true(judge_reader_next(&r, &back));
	assert_false(back.had_old);
	assert_string_equal(back.path, "a/.git");
	assert_string_equal(back.tree, TREE);
	assert_true(judge_reader_next(&r, &back));
	assert_int_equal(back.old_len, 2);
	assert_memory_equal(back.old, "yz", 2);
	assert_true(judge_reader_done(&r));
	for (size_t cut = 0; cut < b.bytes.len; cut++) { /* no part of it is a batch */
		const bool begun = judge_reader_init(&r, b.bytes.data, cut, &n);

		assert_false(begun && judge_reader_next(&r, &back) && judge_reader_next(&r, &back));
	}
	judge_batch_finish(&b);

	buf_init(&out, JUDGE_ANSWER_MAX);
	judge_answer_begin(&out, 3);
	for (size_t i = 0; i < 3; i++)
		judge_answer_put(&out, &said[i]);
	assert_int_equal(judge_answer_decode(out.data, out.len, 3, heard, NULL), 0);
	assert_true(heard[0].inert && !heard[1].inert && heard[2].inert);
	assert_string_equal(heard[1].why, "key: \\x1b");
	assert_int_equal(heard[1].offset, 7);
	assert_int_equal(judge_answer_decode(out.data, out.len, 2, heard, NULL), -AMBIT_PROTOCOL);
	for (size_t cut = 0; cut < out.len; cut++) {
		assert_int_equal(judge_answer_decode(out.data, cut, 3, heard, NULL), -AMBIT_PROTOCOL);
		assert_false(heard[0].inert || heard[1].inert || heard[2].inert);
	}
	out.data[8] = 2; /* neither inert nor not */
	assert_int_equal(judge_answer_decode(out.data, out.len, 3, heard, NULL), -AMBIT_PROTOCOL);
	out.data[8] = 0; /* not inert, and no reason */
	assert_int_equal(judge_answer_decode(out.data, out.len, 3, heard, NULL), -AMBIT_PROTOCOL);
}

static void full_batches(void **state)
{
	struct judge_batch b;
	auto_free char *big = calloc(1, 2 * JUDGE_CONTENT_MAX);
	struct judge_case c = { .kind = JUDGE_NPMRC, .now = "", .tree = TREE, .path = ".npmrc" }, back;
	struct judge_reader r;
	uint32_t n;
	int rc = 0;

	(void)state;
	assert_non_null(big);
	judge_batch_init(&b, "", 0);
	while (rc == 0 && b.n <= JUDGE_CASES_MAX)
		rc = judge_batch_put(&b, &c);
	assert_int_equal(rc, -AMBIT_LIMIT);
	assert_int_equal(b.n, JUDGE_CASES_MAX);
	assert_true(judge_reader_init(&r, b.bytes.data, b.bytes.len, &n));
	judge_batch_finish(&b);

	judge_batch_init(&b, "", 0);
	c.now = big;
	c.now_len = 2 * JUDGE_CONTENT_MAX;
	for (rc = 0; rc == 0;)
		rc = judge_batch_put(&b, &c);
	assert_int_equal(rc, -AMBIT_LIMIT);
	assert_int_equal(b.n, JUDGE_BATCH_MAX / JUDGE_CONTENT_MAX - 1);
	memset(&back, 0, sizeof back);
	assert_true(judge_reader_init(&r, b.bytes.data, b.bytes.len, &n));
	for (uint32_t i = 0; i < n; i++)
		assert_true(judge_reader_next(&r, &back));
	assert_int_equal(back.now_len, JUDGE_CONTENT_MAX + 1);
	assert_true(judge_reader_done(&r));
	judge_batch_finish(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(git_config),   cmocka_unit_test(git_config_of_a_submodule),
		cmocka_unit_test(git_modules),  cmocka_unit_test(git_file),
		cmocka_unit_test(git_todo),     cmocka_unit_test(files_of_worktrees),
		cmocka_unit_test(npmrc),        cmocka_unit_test(git_attributes),
		cmocka_unit_test(any_content),  cmocka_unit_test(git_author_and_word),
		cmocka_unit_test(long_lines),   cmocka_unit_test(batch_and_answer),
		cmocka_unit_test(full_batches), cmocka_unit_test(git_opts),
		cmocka_unit_test(many_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
