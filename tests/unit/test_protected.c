#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "judge/judge.h"
#include "judge/protected.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define TREE "/home/u/proj"

/* What is expected of a name: nothing, held, marked, or a judge. */
enum { NO = 0, HELD = 100, LATER = 101 };

static enum git_dir git_at(void *arg, const char *path, size_t n)
{
	const char *is = arg;
	const bool made = is != NULL && is[0] == '+';

	is += made;
	if (arg == NULL || strlen(is) != n || memcmp(is, path, n) != 0)
		return GIT_DIR_NOT;
	return made ? GIT_DIR_MADE_OF_OLD : GIT_DIR_IS;
}

static int verdict_of(const struct name_case *c, struct name_verdict *v)
{
	protected_match(c, v);
	if (v->held == HELD_JUDGED)
		return v->judge;
	if (v->held == HELD_PROTECTED)
		return HELD;
	return v->later ? LATER : NO;
}

static void check(const struct name_case *c, int expected)
{
	struct name_verdict v;
	const int got = verdict_of(c, &v);

	if (got != expected)
		fail_msg("%s in %s (type %d%s%s%s): %d instead of %d, row '%s', '%s'", c->path, c->tree, c->type,
			 c->deleted ? ", deleted" : "", c->replaced ? ", replaced" : "", c->linked ? ", linked" : "",
			 got, expected, v.row, v.reason);
	if ((got != NO) != (v.reason[0] != 0))
		fail_msg("%s: the reason is '%s'", c->path, v.reason);
	if (v.name_len > strlen(c->path))
		fail_msg("%s: %zu bytes of it are the name", c->path, v.name_len);
}

/* A plain file that is new or has another content. */
static void files(void **state)
{
	static const struct {
		const char *path;
		int expected;
	} rows[] = {
#include "protected_rows.h"
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check(&(struct name_case){ .tree = TREE, .path = rows[i].path, .type = CHANGE_FILE }, rows[i].expected);
	print_message("%zu rows\n", COUNT_OF(rows));
}

/* The same names deeper, in another case and in a dependency. */
static void depth_and_case(void **state)
{
	static const struct {
		const char *path;
		int expected;
	} rows[] = {
#include "protected_rows.h"
	};
	char deeper[512], upper[512];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		(void)snprintf(deeper, sizeof deeper, "a/b c/%s", rows[i].path);
		check(&(struct name_case){ .tree = TREE, .path = deeper, .type = CHANGE_FILE }, rows[i].expected);
		(void)snprintf(upper, sizeof upper, "%s", rows[i].path);
		for (char *p = upper; *p != 0; p++)
			if (*p >= 'a' && *p <= 'z' && (unsigned char)p[0] < 0x80)
				*p = (char)(*p & ~0x20);
		check(&(struct name_case){ .tree = TREE, .path = upper, .type = CHANGE_FILE }, rows[i].expected);
	}
}

static void kinds_of_changes(void **state)
{
	static const struct {
		const char *path;
		uint8_t type;
		bool deleted, replaced, linked;
		int expected;
	} rows[] = {
		/* directories that merely come */
		{ ".git", CHANGE_DIRECTORY, 0, 0, 0, NO },
		{ ".git/hooks", CHANGE_DIRECTORY, 0, 0, 0, NO },
		{ ".git/branches", CHANGE_DIRECTORY, 0, 0, 0, NO },
		{ ".git/objects/pack", CHANGE_DIRECTORY, 0, 0, 0, NO },
		{ ".git/modules", CHANGE_DIRECTORY, 0, 0, 0, NO },
		{ ".vscode", CHANGE_DIRECTORY, 0, 0, 0, NO },
		{ ".config", CHANGE_DIRECTORY, 0, 0, 0, NO },
		{ "src", CHANGE_DIRECTORY, 0, 0, 0, NO },
		{ "src", CHANGE_DIRECTORY, 0, 1, 0, NO },
		{ "src", CHANGE_DIRECTORY, 1, 0, 0, NO },
		{ "node_modules", CHANGE_DIRECTORY, 1, 0, 0, NO },
		/* that come whole, or in place of another */
		{ ".git", CHANGE_DIRECTORY, 0, 1, 0, HELD },
		{ ".git/hooks", CHANGE_DIRECTORY, 0, 1, 0, HELD },
		{ ".git/info", CHANGE_DIRECTORY, 0, 1, 0, NO },
		{ ".git/objects", CHANGE_DIRECTORY, 0, 1, 0, NO },
		{ ".git/modules/x", CHANGE_DIRECTORY, 0, 1, 0, HELD },
		{ ".vscode", CHANGE_DIRECTORY, 0, 1, 0, HELD },
		{ ".config", CHANGE_DIRECTORY, 0, 1, 0, HELD },
		{ ".config", CHANGE_FILE, 0, 1, 0, HELD },
		{ ".config/fish", CHANGE_DIRECTORY, 0, 1, 0, HELD },
		{ ".cargo", CHANGE_DIRECTORY, 0, 1, 0, HELD },
		{ ".cargo", CHANGE_FILE, 0, 1, 0, HELD },
		{ ".yarn", CHANGE_DIRECTORY, 0, 1, 0, HELD },
		{ "x.git", CHANGE_DIRECTORY, 0, 1, 0, HELD },
		/* links, and what is no file */
		{ ".git", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ ".git/hooks", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ ".git/hooks/pre-commit.sample", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ ".git/config", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ ".git/info", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ ".git/objects", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ ".git/modules", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ ".git/modules/a", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ ".git/worktrees", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ ".git/rebase-merge", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ ".gitmodules", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ ".gitattributes", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ ".npmrc", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ ".npmrc", CHANGE_FIFO, 0, 0, 0, HELD },
		{ ".vscode", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ ".vscode/tasks.json", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ ".config", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ ".local", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ ".cargo", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ ".bundle", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ ".hg", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ ".jj", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ ".m2", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ "x.git", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ "commondir", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ "src", CHANGE_SYMLINK, 0, 0, 0, NO },
		{ "node_modules/.bin/tsc", CHANGE_SYMLINK, 0, 0, 0, LATER },
		{ "node_modules/x/.config", CHANGE_SYMLINK, 0, 0, 0, NO },
		{ "node_modules/x/.git", CHANGE_SYMLINK, 0, 0, 0, HELD },
		{ "makefile", CHANGE_SYMLINK, 0, 0, 0, LATER },
		/* plain files with leading names hold nothing */
		{ ".config", CHANGE_FILE, 0, 0, 0, NO },
		{ ".cargo", CHANGE_FILE, 0, 0, 0, NO },
		{ "x.git", CHANGE_FILE, 0, 0, 0, NO },
		/* deletions */
		{ ".git", CHANGE_DIRECTORY, 1, 0, 0, HELD },
		{ ".git", CHANGE_FILE, 1, 0, 0, HELD },
		{ ".git", CHANGE_SYMLINK, 1, 0, 0, HELD },
		{ ".git/hooks", CHANGE_DIRECTORY, 1, 0, 0, HELD },
		{ ".git/hooks/pre-commit", CHANGE_FILE, 1, 0, 0, HELD },
		{ ".git/hooks/pre-commit.sample", CHANGE_FILE, 1, 0, 0, NO },
		{ ".git/config", CHANGE_FILE, 1, 0, 0, HELD },
		{ ".git/config.lock", CHANGE_FILE, 1, 0, 0, NO },
		{ ".git/index.lock", CHANGE_FILE, 1, 0, 0, NO },
		{ ".git/objects/ab/cdef", CHANGE_FILE, 1, 0, 0, NO },
		{ ".git/refs/heads/x", CHANGE_FILE, 1, 0, 0, NO },
		{ ".git/rebase-merge", CHANGE_DIRECTORY, 1, 0, 0, NO },
		{ ".git/rebase-merge/git-rebase-todo", CHANGE_FILE, 1, 0, 0, NO },
		{ ".git/rebase-merge/author-script", CHANGE_FILE, 1, 0, 0, NO },
		{ ".git/sequencer", CHANGE_DIRECTORY, 1, 0, 0, NO },
		{ ".git/worktrees", CHANGE_DIRECTORY, 1, 0, 0, NO },
		{ ".git/modules", CHANGE_DIRECTORY, 1, 0, 0, NO },
		{ ".git/modules/x", CHANGE_DIRECTORY, 1, 0, 0, HELD },
		{ ".git/modules/x/config", CHANGE_FILE, 1, 0, 0, HELD },
		{ ".git/info/attributes", CHANGE_FILE, 1, 0, 0, NO },
		{ ".gitmodules", CHANGE_FILE, 1, 0, 0, NO },
		{ ".gitattributes", CHANGE_FILE, 1, 0, 0, NO },
		{ ".npmrc", CHANGE_FILE, 1, 0, 0, HELD },
		{ ".envrc", CHANGE_FILE, 1, 0, 0, HELD },
		{ ".vscode", CHANGE_DIRECTORY, 1, 0, 0, HELD },
		{ ".vscode/settings.json", CHANGE_FILE, 1, 0, 0, HELD },
		{ ".config", CHANGE_DIRECTORY, 1, 0, 0, HELD },
		{ ".config", CHANGE_FILE, 1, 0, 0, NO },
		{ ".cargo", CHANGE_DIRECTORY, 1, 0, 0, HELD },
		{ "package.json", CHANGE_FILE, 1, 0, 0, NO },
		{ "x.git", CHANGE_DIRECTORY, 1, 0, 0, HELD },
		{ "node_modules/x/.vscode", CHANGE_DIRECTORY, 1, 0, 0, NO },
		/* another name of the same file */
		{ ".git/config", CHANGE_FILE, 0, 0, 1, HELD },
		{ ".gitattributes", CHANGE_FILE, 0, 0, 1, HELD },
		{ ".git", CHANGE_FILE, 0, 0, 1, HELD },
		{ ".git/objects/pack/x.pack", CHANGE_FILE, 0, 0, 1, NO },
		{ "src/a", CHANGE_FILE, 0, 0, 1, NO },
		/* a directory with a judged file's name */
		{ ".npmrc", CHANGE_DIRECTORY, 0, 0, 0, NO },
		{ ".gitattributes", CHANGE_DIRECTORY, 0, 0, 0, NO },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check(&(struct name_case){ .tree = TREE,
					   .path = rows[i].path,
					   .type = rows[i].type,
					   .deleted = rows[i].deleted,
					   .replaced = rows[i].replaced,
					   .linked = rows[i].linked },
		      rows[i].expected);
	print_message("%zu rows\n", COUNT_OF(rows));
}

/* The tree's own name, and directories that git takes for repositories. */
static void trees_and_repositories(void **state)
{
	static const struct {
		const char *tree, *git, *path;
		int expected;
	} rows[] = {
		{ "/srv/repo.git", NULL, "config", JUDGE_GIT_CONFIG },
		{ "/srv/repo.git", NULL, "hooks/post-update", HELD },
		{ "/srv/repo.git", NULL, "hooks/post-update.sample", NO },
		{ "/srv/repo.git", NULL, "objects/ab/cd", NO },
		{ "/srv/repo.git", NULL, "worktrees/w/commondir", JUDGE_GIT_COMMONDIR },
		{ "/srv/p/.git", NULL, "config", JUDGE_GIT_CONFIG },
		{ "/srv/p/.git", NULL, "hooks/pre-commit", HELD },
		{ "/srv/p/.git/hooks", NULL, "pre-commit", HELD },
		{ "/srv/p/.git/hooks", NULL, "pre-commit.sample", NO },
		{ "/srv/p/.git/modules/m", NULL, "config", JUDGE_GIT_CONFIG },
		{ "/srv/p/.git/refs", NULL, "heads/x", NO },
		{ "/srv/p/.vscode", NULL, "a", HELD },
		{ "/srv/p/.vscode/x", NULL, "a/b", HELD },
		{ "/home/u", NULL, ".config/git/config", HELD },
		{ "/home/u/.config", NULL, "git/config", HELD },
		{ "/home/u/.config/nvim", NULL, "init.lua", HELD },
		{ "/home/u/.ssh", NULL, "authorized_keys", HELD },
		{ "/home/u/.cargo", NULL, "config.toml", HELD },
		{ "/home/u/.cargo/registry", NULL, "x", NO },
		{ "/", NULL, ".bashrc", HELD },
		{ "/", NULL, "home/u/.bashrc", HELD },
		{ "/", NULL, "home/u/src/a.c", NO },
		{ "/srv/p/node_modules/x", NULL, ".vscode/tasks.json",
		  HELD }, /* where a person works is no dependency */
		{ "/srv/p/vendor", NULL, ".envrc", HELD },
		{ "/srv/p/vendor", NULL, "package.json", LATER },
		{ "/home/u/p/.claude/worktrees/w", NULL, "src/a.c", NO },
		{ "/home/u/p/.claude/worktrees/w", NULL, ".claude/settings.json", HELD },
		{ "/home/u/p/.claude/worktrees/w", NULL, ".git", JUDGE_GIT_FILE },
		{ "/home/u/.codex/worktrees/w/p", NULL, "Makefile", LATER },
		{ "/home/u/.claude", NULL, "worktrees", NO },
		{ TREE, TREE "/bare", "bare/config", JUDGE_GIT_CONFIG },
		{ TREE, TREE "/bare", "bare/config.worktree", JUDGE_GIT_CONFIG },
		{ TREE, TREE "/bare", "bare/hooks/pre-push", HELD },
		{ TREE, TREE "/bare", "bare/hooks/pre-push.sample", NO },
		{ TREE, TREE "/bare", "bare/info/attributes", JUDGE_GIT_ATTRIBUTES },
		{ TREE, TREE "/bare", "bare/HEAD", NO },
		{ TREE, TREE "/bare", "bare/.vscode/tasks.json", HELD }, /* a repository by its looks hides nothing */
		{ TREE, TREE "/bare", "bare/x/config", NO },
		{ TREE, TREE "/a/b", "a/b/modules/c/d/config", JUDGE_GIT_CONFIG },
		{ TREE, TREE "/.git/modules/m/refs", ".git/modules/m/refs/config", JUDGE_GIT_CONFIG },
		{ TREE, TREE "/a/b", "a/b/worktrees/c/config.worktree", JUDGE_GIT_CONFIG },
		{ TREE, TREE, "config", JUDGE_GIT_CONFIG },
		{ TREE, TREE, "hooks/x", HELD },
		{ TREE, "/home/u", "hooks/x", NO },
		{ "/home/u/hooks", "/home/u", "x", HELD },
		{ TREE, NULL, "bare/config", NO },
		{ TREE, "+" TREE "/old", "old/HEAD", HELD },
		{ TREE, "+" TREE "/old", "old/objects/ab/cd", HELD },
		{ TREE, "+" TREE "/old", "old/config", HELD },
		{ TREE, "+" TREE "/old", "other", NO },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char git[256];

		(void)snprintf(git, sizeof git, "%s", rows[i].git != NULL ? rows[i].git : "");
		check(&(struct name_case){ .tree = rows[i].tree,
					   .path = rows[i].path,
					   .type = CHANGE_FILE,
					   .is_git_dir = rows[i].git != NULL ? git_at : NULL,
					   .arg = git },
		      rows[i].expected);
	}
	print_message("%zu rows\n", COUNT_OF(rows));
}

/* Names that only some file systems read as protected ones. */
static void folded(void **state)
{
	static const struct {
		const char *path;
		int expected;
	} rows[] = {
		{ ".g\u200Cit/config", HELD },
		{ ".g\u200Cit/objects/ab", HELD },
		{ ".g\u200Cit/hooks/x.sample", HELD },
		{ ".git/ho\u2060oks/x", HELD },
		{ ".git/hooks/pre\u200Bcommit.sample", HELD },
		{ "\uFEFF.git/config", HELD },
		{ ".git\u00AD", HELD },
		{ ".g\u034Fit/HEAD", HELD },
		{ ".gi\uFE0Ft", HELD },
		{ ".g\U000E0001it/config", HELD },
		{ ".g\u206Fit/config", HELD },
		{ ".g\u206Eit", HELD },
		{ ".b\u202Aashrc", HELD },
		{ ".ba\u017Fhrc", HELD },
		{ ".\u017Fsh/config", HELD },
		{ ".\u00DFh/config", HELD },
		{ ".\u1E9Eh/config", HELD },
		{ ".con\uFB01g/fish/config.fish", HELD },
		{ ".hu\u017Fky/pre-commit", HELD },
		{ ".hus\u212Ay/pre-commit", HELD },
		{ ".Hus\u212AY/pre-commit", HELD },
		{ ".git./config", HELD },
		{ ".git /config", HELD },
		{ ".git . ./hooks/x", HELD },
		{ ".git::$INDEX_ALLOCATION/config", HELD },
		{ ".git:x", HELD },
		{ "git~1/config", HELD },
		{ "GIT~2", HELD },
		{ "git~1x/config", NO },
		{ "git~/config", NO },
		{ ".vscode./tasks.json", HELD },
		{ ".vscode:tasks.json", HELD },
		{ ".npmrc.", HELD },
		{ ".gitattribute\u017F", HELD },
		{ ".git/con\uFB01g", HELD },
		{ ".npmrc ", HELD },
		{ ".npm\u200Drc", HELD },
		{ ".envrc:$DATA", HELD },
		{ ".git\xCC", NO }, /* half a letter is a letter of its own */
		{ ".g\xE2\x80it/config", NO },
		{ "\xFF\xFE", NO },
		{ "a\u200Cb", NO },
		{ "\u00E9t\u00E9/\u65E5\u672C", NO },
		{ "stra\u00DFe/a.c", NO },
		{ "...", NO },
		{ " ", NO },
		{ ":", NO },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check(&(struct name_case){ .tree = TREE, .path = rows[i].path, .type = CHANGE_FILE }, rows[i].expected);
	check(&(struct name_case){ .tree = TREE, .path = ".g\u200Cit", .type = CHANGE_DIRECTORY }, HELD);
	check(&(struct name_case){ .tree = TREE, .path = ".vs\u200Ccode", .type = CHANGE_DIRECTORY }, HELD);
	print_message("%zu rows\n", COUNT_OF(rows));
}

/* What a grant would have to name. */
static void names_of_grants(void **state)
{
	static const struct {
		const char *tree, *path, *name;
	} rows[] = {
		{ TREE, ".vscode/tasks.json", ".vscode" },
		{ TREE, "a/b/.vscode/x/y", "a/b/.vscode" },
		{ TREE, ".git/hooks/pre-commit", ".git/hooks" },
		{ TREE, ".config/fish/config.fish", ".config" },
		{ TREE, "sub/.npmrc", "sub/.npmrc" },
		{ TREE, ".cargo/config.toml", ".cargo/config.toml" },
		{ "/home/u/.vscode", "a/b", "" },
		{ "/home/u/.cargo", "bin/x", "bin" },
		{ "/", ".bashrc", ".bashrc" },
		{ TREE, "a/Makefile", "a/Makefile" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct name_case c = { .tree = rows[i].tree, .path = rows[i].path, .type = CHANGE_FILE };
		struct name_verdict v;

		protected_match(&c, &v);
		if (v.name_len != strlen(rows[i].name) ||
		    memcmp(v.name_len > 0 ? rows[i].path : "", rows[i].name, v.name_len) != 0)
			fail_msg("%s: '%.*s' instead of '%s'", rows[i].path, (int)v.name_len, rows[i].path,
				 rows[i].name);
	}
}

/* At a limit and one over it. */
static void limits(void **state)
{
	char path[CHANGE_PATH_MAX + 8];

	(void)state;
	memset(path, 'a', sizeof path);
	path[255] = 0;
	check(&(struct name_case){ .tree = TREE, .path = path, .type = CHANGE_FILE }, NO);
	path[255] = 'a';
	path[256] = 0;
	check(&(struct name_case){ .tree = TREE, .path = path, .type = CHANGE_FILE }, HELD);
	for (size_t i = 0; i < 253; i++) /* with the three parts of the tree, 256 */
		memcpy(path + 2 * i, "a/", 2);
	path[2 * 253 - 1] = 0;
	check(&(struct name_case){ .tree = TREE, .path = path, .type = CHANGE_FILE }, NO);
	memcpy(path + 2 * 253 - 1, "/a", 3);
	check(&(struct name_case){ .tree = TREE, .path = path, .type = CHANGE_FILE }, HELD);
	check(&(struct name_case){ .tree = TREE, .path = "a/../b", .type = CHANGE_FILE }, HELD);
	check(&(struct name_case){ .tree = "proj", .path = "a", .type = CHANGE_FILE }, HELD);
	check(&(struct name_case){ .tree = TREE, .path = "", .type = CHANGE_DIRECTORY }, NO);
}

/* Every row of the tables, by a name that is of it: no row is hidden by one above it, and each says where it holds. */
static void every_row(void **state)
{
	enum { OUTSIDE, ANYWHERE };
	enum { PASS = 254, HOLD = 255 };
	static const struct {
		const char *pattern;
		int how, where;
		const char *why;
	} rows[] = {
#define PROTECTED(pattern, how, where, why) { pattern, how, where, why },
#include "judge/protected.def"
#undef PROTECTED
#define LATER(pattern, where, why) { pattern, LATER, where, why },
#include "judge/later.def"
#undef LATER
	};

	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *pattern = rows[i].pattern;
		char path[256], deeper[300];
		size_t n = 0;
		struct name_verdict v;
		struct name_case c = { .tree = TREE, .path = path, .type = CHANGE_FILE };

		for (; pattern[n] != 0; n++) {
			path[n] = pattern[n] == '*' ? 'x' : pattern[n];
			assert_false(pattern[n] >= 'A' && pattern[n] <= 'Z');
		}
		(void)snprintf(path + n, sizeof path - n, "%s", pattern[n - 1] == '/' ? "x" : "");
		assert_in_range(strlen(rows[i].why), 5, CHANGE_REASON_MAX - 1);
		protected_match(&c, &v);
		if (rows[i].how != PASS && (strcmp(v.row, pattern) != 0 || v.later != (rows[i].how == LATER))) {
			print_error("%s: '%s' answers for '%s'\n", path, v.row, pattern);
			wrong++;
		}
		(void)snprintf(deeper, sizeof deeper, "node_modules/p/%s", path);
		c.path = deeper;
		protected_match(&c, &v);
		if (rows[i].how != PASS && (strcmp(v.row, pattern) == 0) != (rows[i].where == ANYWHERE)) {
			print_error("%s: '%s' answers for '%s'\n", deeper, v.row, pattern);
			wrong++;
		}
	}
	print_message("%zu rows\n", COUNT_OF(rows));
	assert_int_equal(wrong, 0);
}

/* Whether an index that keeps what protected_part_role says of each part would keep the link. */
static bool is_kept(const struct protected_parts *parts, const char *path)
{
	char part[256];
	unsigned role = 0;
	bool whole = false;

	for (const char *p = path; *p != 0; p += strcspn(p, "/")) {
		size_t n;

		p += *p == '/';
		n = strcspn(p, "/");
		assert_true(n < sizeof part);
		memcpy(part, p, n);
		part[n] = 0;
		whole = whole || (role & PROTECTED_WHOLE) != 0;
		role = protected_part_role(parts, part);
	}
	return whole || role != 0;
}

/* Each name, and each beginning of it, as a link: what would be held is kept, at any depth and however it is written. */
static void links_by_parts(void **state)
{
	static const struct {
		const char *path;
		int said;
	} rows[] = {
#include "protected_rows.h"
	};
	static const char *const plain[] = { "src",       "main.c",     "a/b/c", "node_modules/x", "lib/python3.11",
					     "x.githubx", "docs/x/y.md" };
	static const char *const above[] = { "", "a/b/", "node_modules/p/", "x.git/modules/" };
	struct protected_parts parts;
	size_t held = 0;

	(void)state;
	protected_parts_make(&parts);
	assert_in_range(parts.first[256], COUNT_OF(rows) / 4, PROTECTED_PARTS_MAX - 50);
	for (size_t i = 0; i < COUNT_OF(plain); i++)
		if (is_kept(&parts, plain[i]))
			fail_msg("%s: kept", plain[i]);
	for (size_t i = 0; i < COUNT_OF(rows) * COUNT_OF(above) * 2; i++) {
		char path[512];
		const size_t prefix = strlen(above[i % COUNT_OF(above)]);

		(void)snprintf(path, sizeof path, "%s%s", above[i % COUNT_OF(above)],
			       rows[i / COUNT_OF(above) % COUNT_OF(rows)].path);
		for (size_t k = 0; i >= COUNT_OF(rows) * COUNT_OF(above) && path[k] != 0; k++)
			path[k] = path[k] >= 'a' && path[k] <= 'z' ? (char)(path[k] - 'a' + 'A') : path[k];
		for (size_t n = strlen(path); n > prefix; path[--n] = 0) { /* from the whole path up, part by part */
			const struct name_case c = { .tree = "/srv/proj", .path = path, .type = CHANGE_SYMLINK };
			struct name_verdict v;

			protected_match(&c, &v);
			held += v.held != HELD_NOT;
			if (v.held != HELD_NOT && !is_kept(&parts, path))
				fail_msg("%s: held as a link, and not kept", path);
			while (n > prefix && path[n - 1] != '/')
				n--;
			if (n <= prefix)
				break;
		}
	}
	assert_in_range(held, 1000, 100000);
	assert_int_not_equal(protected_version(), 0);
}

/* Each name as a file: what is held itself, and not with a directory, is kept. */
static void files_by_parts(void **state)
{
	static const struct {
		const char *path;
		int said;
	} rows[] = {
#include "protected_rows.h"
	};
	static const struct {
		const char *parent, *name;
		unsigned role;
	} said[] = {
		{ "", ".exrc", PROTECTED_FILE },
		{ "src", ".EXRC", PROTECTED_FILE },
		{ "src", "x-gdb.py", PROTECTED_FILE },
		{ "src", "x.py", 0 },
		{ "mise", "a.toml", PROTECTED_FILE },
		{ "MISE", "a.toml", PROTECTED_FILE },
		{ "src", "a.toml", 0 },
		{ "src", "config", PROTECTED_GIT_FILE },
		{ ".sl", "config", PROTECTED_FILE | PROTECTED_GIT_FILE },
		{ "info", "attributes", PROTECTED_FILE },
		{ "src", "attributes", 0 },
		{ "src", ".config", 0 }, /* a row of directories */
		{ "src", "x.git", 0 },
		{ "src", ".git", PROTECTED_FILE },
		{ "src", "", 0 },
	};
	struct protected_parts parts;
	size_t held = 0;

	(void)state;
	protected_parts_make(&parts);
	for (size_t i = 0; i < COUNT_OF(said); i++)
		if (protected_file_role(&parts, said[i].parent, said[i].name) != said[i].role)
			fail_msg("%s/%s", said[i].parent, said[i].name);
	for (size_t i = 0; i < COUNT_OF(rows) * 2; i++) {
		char path[512], parent[512] = "proj";
		const struct name_case c = { .tree = "/srv/proj", .path = path, .type = CHANGE_FILE };
		struct name_verdict v;
		char *slash;

		(void)snprintf(path, sizeof path, "%s", rows[i % COUNT_OF(rows)].path);
		for (size_t k = 0; i >= COUNT_OF(rows) && path[k] != 0; k++)
			path[k] = path[k] >= 'a' && path[k] <= 'z' ? (char)(path[k] - 'a' + 'A') : path[k];
		protected_match(&c, &v);
		if (v.held == HELD_NOT || v.name_len != strlen(path) || strcmp(v.row, "") == 0)
			continue;
		held++;
		slash = strrchr(path, '/');
		if (slash != NULL) {
			const char *from = slash;

			while (from > path && from[-1] != '/')
				from--;
			(void)snprintf(parent, sizeof parent, "%.*s", (int)(slash - from), from);
		}
		if (protected_file_role(&parts, parent, slash != NULL ? slash + 1 : path) == 0)
			fail_msg("%s: held as a file, and not kept", path);
	}
	assert_in_range(held, 200, 2000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(files),           cmocka_unit_test(depth_and_case),
		cmocka_unit_test(folded),          cmocka_unit_test(kinds_of_changes),
		cmocka_unit_test(limits),          cmocka_unit_test(trees_and_repositories),
		cmocka_unit_test(names_of_grants), cmocka_unit_test(every_row),
		cmocka_unit_test(links_by_parts),  cmocka_unit_test(files_by_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
