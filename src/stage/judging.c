#include "stage/judging.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "core/grant.h"
#include "judge/answer.h"
#include "judge/input.h"
#include "judge/protected.h"
#include "lib/parser.h"
#include "stage/aliases.h"
#include "stage/sys.h"

#define JUDGE_MEMORY (UINT64_C(256) << 20) /* of the role that judges */
#define GIT_DIRS 64                        /* directories that are remembered: the deepest path of a tree, mostly */

struct judged {
	uint16_t tree;
	char *path; /* owned */
	struct judge_verdict verdict;
};

/* What is known of a directory: the paths asked for lie close to each other. */
struct known_dir {
	uint16_t tree;
	enum git_dir is;
	char *path; /* owned */
};

struct judging {
	struct role *role;         /* borrowed */
	const struct trees *trees; /* borrowed */
	struct judged *judged;     /* owned, sorted */
	size_t n_judged;
	struct known_dir known[GIT_DIRS];
	size_t next_known;
	struct aliases *aliases; /* owned */
	uint16_t tree;           /* of the change that is being judged */
	const char *plain;       /* its path, if neither there nor in the real tree there is a directory; else NULL */
};

int judging_create(struct role *role, const struct trees *trees, struct judging **ret, struct err *e)
{
	*ret = calloc(1, sizeof **ret);
	if (*ret == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to judge changes");
	(*ret)->role = role;
	(*ret)->trees = trees;
	(*ret)->aliases = aliases_create(trees, role->meta);
	return (*ret)->aliases == NULL ? err_set(e, AMBIT_MEMORY, NULL, "no memory to judge changes") : 0;
}

void judging_destroy(struct judging *j)
{
	if (j == NULL)
		return;
	for (size_t i = 0; i < j->n_judged; i++)
		free(j->judged[i].path);
	for (size_t i = 0; i < GIT_DIRS; i++)
		free(j->known[i].path);
	free(j->judged);
	aliases_destroy(j->aliases);
	free(j);
}

/* ---- what git takes for a repository ---- */

enum layer { LAYER_NONE, LAYER_REAL, LAYER_UPPER };

/* Where `name` of the directory would come from once all is committed. Best effort: what cannot be looked at is taken to be
 * there, in the upper layer. */
static enum layer layer_of(const struct judging *j, uint16_t tree, const char *dir, const char *name)
{
	char path[CHANGE_PATH_MAX + 16];
	struct look l;
	auto_fd int upper = -1, real = -1;

	if (snprintf(path, sizeof path, "%s%s%s", dir, dir[0] != 0 ? "/" : "", name) >= (int)sizeof path)
		return LAYER_UPPER;
	upper = sys_open_beneath(j->trees->upper[tree], path, O_PATH | O_NOFOLLOW);
	/* what is deleted may stay after all: a person can commit a part */
	if (upper == -EXDEV || (upper >= 0 && (sys_look(upper, "", &l) < 0 || !l.is_whiteout)))
		return LAYER_UPPER;
	real = sys_open_beneath(j->trees->real[tree], path, O_PATH | O_NOFOLLOW);
	return real == -EXDEV || real >= 0 ? LAYER_REAL : LAYER_NONE;
}

static enum git_dir look_at_dir(const struct judging *j, uint16_t tree, const char *dir)
{
	static const char *const names[] = { "HEAD", "objects", "refs" };
	bool some_real = false, some_new = false;

	if (layer_of(j, tree, dir, "HEAD") == LAYER_NONE)
		return GIT_DIR_NOT;
	if (layer_of(j, tree, dir, "commondir") != LAYER_NONE)
		return layer_of(j, tree, dir, "HEAD") == LAYER_REAL ? GIT_DIR_IS : GIT_DIR_MADE_OF_OLD;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const enum layer l = layer_of(j, tree, dir, names[i]);

		if (l == LAYER_NONE)
			return GIT_DIR_NOT;
		some_real |= l == LAYER_REAL;
		some_new |= l == LAYER_UPPER;
	}
	/* one whose HEAD or references changed was one before; so was none of which a part is missing in the real tree */
	if (some_real && some_new) {
		auto_fd int real = sys_open_beneath(j->trees->real[tree], dir, O_PATH | O_DIRECTORY);
		struct look l;

		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
			if (real < 0 || sys_look(real, names[i], &l) < 0)
				return GIT_DIR_MADE_OF_OLD;
	}
	return GIT_DIR_IS;
}

/* arg: the judging; the path is absolute, in the tree of the change at hand or above it. */
static enum git_dir is_git_dir(void *arg, const char *path, size_t n)
{
	struct judging *j = arg;
	const char *tree = j->role->meta->trees[j->tree].real;
	const size_t skip = strcmp(tree, "/") == 0 ? 0 : strlen(tree);
	char dir[CHANGE_PATH_MAX];
	struct known_dir *k;

	if (n < skip || n - skip >= sizeof dir)
		return GIT_DIR_NOT; /* above the tree nothing changes, and names tell */
	if (j->plain != NULL && n - skip == strlen(j->plain) + 1)
		return GIT_DIR_NOT;
	(void)snprintf(dir, sizeof dir, "%.*s", (int)(n > skip ? n - skip - 1 : 0), n > skip ? path + skip + 1 : "");
	for (size_t i = 0; i < GIT_DIRS; i++)
		if (j->known[i].path != NULL && j->known[i].tree == j->tree && strcmp(j->known[i].path, dir) == 0)
			return j->known[i].is;
	k = &j->known[j->next_known++ % GIT_DIRS];
	free(k->path);
	*k = (struct known_dir){ .tree = j->tree, .is = look_at_dir(j, j->tree, dir), .path = strdup(dir) };
	return k->is;
}

/* ---- names ---- */

static void join(const char *tree, const char *path, size_t n, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%s%s%.*s", strcmp(tree, "/") == 0 ? "" : tree, n > 0 ? "/" : "", (int)n, path);
}

/* A grant of the protected name, or of something beneath it. */
static bool is_granted(const struct judging *j, const struct change *c, size_t name_len)
{
	const struct stage_meta *m = j->role->meta;
	char path[STAGE_PATH_MAX + CHANGE_PATH_MAX], name[STAGE_PATH_MAX + CHANGE_PATH_MAX];

	join(m->trees[c->tree].real, c->path, strlen(c->path), path, sizeof path);
	join(m->trees[c->tree].real, c->path, name_len, name, sizeof name);
	for (uint32_t i = 0; i < m->n_names; i++)
		if (path_is_beneath(path, m->names[i]) && path_is_beneath(m->names[i], name))
			return true;
	for (uint32_t i = 0; i < j->role->ask.n_granted; i++)
		if (path_is_beneath(path, j->role->ask.granted[i]) && path_is_beneath(j->role->ask.granted[i], name))
			return true;
	return false;
}

/* A grant of something in the tree that covers it: what a link leads to is named so, too. */
static bool is_granted_apart(const struct judging *j, const struct change *c)
{
	const struct stage_meta *m = j->role->meta;
	char path[STAGE_PATH_MAX + CHANGE_PATH_MAX];

	join(m->trees[c->tree].real, c->path, strlen(c->path), path, sizeof path);
	for (uint32_t i = 0; i < m->n_names; i++)
		if (path_is_beneath(path, m->names[i]) && !path_is_beneath(m->trees[c->tree].real, m->names[i]))
			return true;
	return false;
}

/* A file that has another name can be changed by that, unseen. */
static bool has_other_name(const struct judging *j, const struct change *c)
{
	const char *name;
	auto_fd int dir = -1;
	struct look l;

	if (c->kind == CHANGE_LINK)
		return true;
	if (c->type != CHANGE_FILE || c->path[0] == 0)
		return false;
	dir = sys_open_parent(j->trees->upper[c->tree], c->path, &name);
	return dir >= 0 && sys_look(dir, name, &l) == 0 && l.id.nlink > 1;
}

bool judging_is_hidden(void *user, uint16_t tree, const char *path)
{
	const struct judging *j = user;

	return mask_hides(&j->role->unseen[tree], path);
}

static int by_path(const void *a, const void *b)
{
	const struct judged *ja = a, *jb = b;

	return ja->tree != jb->tree ? (int)ja->tree - (int)jb->tree : strcmp(ja->path, jb->path);
}

static const struct judged *find_judged(const struct judging *j, const struct change *c)
{
	struct judged want = { .tree = c->tree, .path = (char *)(uintptr_t)c->path }; /* only compared */

	return j->n_judged == 0 ? NULL : bsearch(&want, j->judged, j->n_judged, sizeof want, by_path);
}

static void as_judged(const struct judging *j, const struct change *c, const char *reason, struct verdict *ret)
{
	const struct judged *found = find_judged(j, c);

	if (found == NULL)
		return;
	ret->held = found->verdict.inert ? HELD_NOT : HELD_PROTECTED;
	ret->reason[0] = 0;
	if (!found->verdict.inert &&
	    snprintf(ret->reason, sizeof ret->reason, "%s: %s", reason, found->verdict.why) >= (int)sizeof ret->reason)
		(void)text_copy(ret->reason, sizeof ret->reason, found->verdict.why); /* the same size */
}

/* What was there before is of the same kind, or there was nothing. */
static bool is_plain(const struct change *c)
{
	return c->type != CHANGE_DIRECTORY && c->kind != CHANGE_MODIFIED && c->kind != CHANGE_LINK;
}

static void match(struct judging *j, const struct change *c, const char *path, struct name_verdict *ret)
{
	struct name_case name = { .tree = j->role->meta->trees[c->tree].real,
				  .path = path,
				  .type = c->type,
				  .deleted = c->kind == CHANGE_DELETED,
				  .replaced = c->kind == CHANGE_MODIFIED && c->type == CHANGE_DIRECTORY,
				  .is_git_dir = is_git_dir,
				  .arg = j };

	j->tree = c->tree;
	j->plain = path == c->path && is_plain(c) ? path : NULL;
	protected_match(&name, ret);
	if (ret->held == HELD_JUDGED && has_other_name(j, c)) {
		name.linked = true;
		protected_match(&name, ret);
	}
}

/* A link with a protected name leads to it, or over it. */
static void match_aliases(struct judging *j, const struct change *c, struct name_verdict *ret)
{
	static const char road[] = "a link with a protected name leads over it";
	char other[CHANGE_PATH_MAX];
	enum alias_kind kind;
	size_t at = 0, len;

	while (ret->held == HELD_NOT && aliases_next(j->aliases, c->tree, c->path, &at, &kind, &len, other) == 1) {
		const bool goes = c->kind == CHANGE_DELETED ||
				  (c->kind == CHANGE_MODIFIED && c->type == CHANGE_DIRECTORY);
		struct name_verdict v;

		if (kind == ALIAS_SAME) {
			match(j, c, other, &v);
			if (v.held != HELD_NOT)
				*ret = v;
		} else if (kind == ALIAS_ROAD || goes) {
			*ret = (struct name_verdict){ .held = HELD_PROTECTED, .reason = road, .row = "" };
		}
		ret->name_len = len; /* of the path itself, which a grant would have to name */
	}
}

/* The same file under a protected name could be changed by this one. */
static void match_first_name(struct judging *j, const struct change *c, struct name_verdict *ret)
{
	struct name_verdict v;

	match(j, c, c->from, &v);
	if (v.held != HELD_NOT)
		*ret = (struct name_verdict){
			.held = HELD_PROTECTED, .reason = v.reason, .row = v.row, .name_len = strlen(c->path)
		};
}

/* A file that is merely called so is none. */
static bool leads_into_dependencies(const struct judging *j, uint16_t tree, char *path)
{
	const char *real = j->role->meta->trees[tree].real;
	auto_fd int upper = sys_open_beneath(j->trees->upper[tree], path, O_PATH | O_DIRECTORY);
	auto_fd int lower = sys_open_beneath(j->trees->real[tree], path, O_PATH | O_DIRECTORY);
	char *slash;

	if (upper >= 0 || lower >= 0)
		return protected_in_dependencies(real, path);
	slash = strrchr(path, '/');
	if (slash == NULL)
		return false;
	*slash = 0;
	return protected_in_dependencies(real, path);
}

/* In dependencies less is held, since nobody stands there when a program looks: so nothing may lead there from outside of them. */
static void match_target(struct judging *j, const struct change *c, struct name_verdict *ret)
{
	static const char why[] = "a link into dependencies, in which editors and shells are not expected to look";
	const char *real = j->role->meta->trees[c->tree].real, *name;
	char text[CHANGE_PATH_MAX], above[STAGE_PATH_MAX + CHANGE_PATH_MAX], full[GRANT_OBJECT_MAX];
	auto_fd int dir = c->path[0] == 0 ? -1 : sys_open_parent(j->trees->upper[c->tree], c->path, &name);
	const ssize_t n = dir < 0 ? -1 : readlinkat(dir, name, text, sizeof text - 1);

	const size_t skip = strcmp(real, "/") == 0 ? 0 : strlen(real);

	if (n <= 0 || protected_in_dependencies(real, c->path))
		return;
	text[n] = 0;
	join(real, c->path, (size_t)(name - c->path), above, sizeof above);
	if (path_normalise(above, text, full, sizeof full) && path_is_beneath(full, real) && full[skip] != 0 &&
	    leads_into_dependencies(j, c->tree, full + skip + 1))
		*ret = (struct name_verdict){
			.held = HELD_PROTECTED, .reason = why, .row = "", .name_len = strlen(c->path)
		};
}

void judging_name(void *user, const struct change *c, struct verdict *ret)
{
	static const char unknown[] = "there is no memory to judge it";
	struct judging *j = user;
	struct name_verdict v;

	match(j, c, c->path, &v);
	if (c->kind == CHANGE_LINK && v.held == HELD_NOT)
		match_first_name(j, c, &v);
	if (c->type == CHANGE_SYMLINK && c->kind != CHANGE_DELETED && v.held == HELD_NOT)
		match_target(j, c, &v);
	if (!aliases_look(j->aliases, c->tree, c->path) && v.held == HELD_NOT)
		v = (struct name_verdict){
			.held = HELD_PROTECTED, .reason = unknown, .row = "", .name_len = strlen(c->path)
		};
	if (v.held == HELD_NOT && !is_granted_apart(j, c))
		match_aliases(j, c, &v);
	ret->held = v.held;
	ret->judge = v.judge;
	ret->later = v.later;
	(void)snprintf(ret->reason, sizeof ret->reason, "%s", v.reason); /* cut is fine */
	if (v.held != HELD_NOT && is_granted(j, c, v.name_len)) {
		ret->held = HELD_NOT;
		ret->reason[0] = 0;
	} else if (v.held == HELD_JUDGED && j->role->in_use) {
		ret->held = HELD_PROTECTED; /* what was judged could be something else by the time it is copied */
		(void)snprintf(ret->reason, sizeof ret->reason, "%s, and its event still runs",
			       v.reason); /* cut is fine */
	} else if (v.held == HELD_JUDGED) {
		as_judged(j, c, v.reason, ret);
	}
}

/* ---- contents ---- */

/* At most one byte more than a judge takes; false if there is no such regular file. */
static bool read_content(int tree_fd, const char *path, struct buf *ret)
{
	const char *name;
	auto_fd int dir = sys_open_parent(tree_fd, path, &name), fd = -1;
	struct stat st;
	ssize_t n;

	buf_reset(ret);
	fd = dir < 0 ? -1 : sys_open_name(dir, name, O_RDONLY);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	for (uint8_t piece[4096]; ret->len <= JUDGE_CONTENT_MAX && (n = read(fd, piece, sizeof piece)) > 0;)
		buf_put(ret, piece, (size_t)n);
	return !ret->failed;
}

static int put_case(struct judging *j, struct judge_batch *batch, const struct change *c, struct buf *old,
		    struct buf *now)
{
	struct judge_case judge = { .kind = c->judge, .tree = j->role->meta->trees[c->tree].real, .path = c->path };

	judge.had_old = read_content(j->trees->real[c->tree], c->path, old);
	if (!read_content(j->trees->upper[c->tree], c->path, now))
		return -AMBIT_UNKNOWN; /* nothing to be judged: it is held */
	judge.old = old->data;
	judge.old_len = judge.had_old ? old->len : 0;
	judge.now = now->data;
	judge.now_len = now->len;
	return judge_batch_put(batch, &judge);
}

/* The batch as standard input of the role that judges, and its answer. */
static int ask_judge(const struct judge_batch *batch, struct judge_verdict *ret, struct err *e)
{
	auto_fd int fd = memfd_create("ambit-judge", MFD_CLOEXEC);
	struct parser_ask ask = { .role = "ambit-judge", .input_fd = fd, .memory_bytes = JUDGE_MEMORY };
	auto_buf out = { .max = 0 };
	int status, r;

	if (fd < 0 || fd_write_all(fd, batch->bytes.data, batch->bytes.len) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot hand over what is to be judged");
	buf_init(&out, JUDGE_ANSWER_MAX);
	r = parser_run(&ask, &out, &status, e);
	return r < 0 ? r : judge_answer_decode(out.data, out.len, batch->n, ret, e);
}

static int keep_answers(struct judging *j, const struct change *const *asked, const struct judge_verdict *v, size_t n,
			struct err *e)
{
	struct judged *grown = realloc(j->judged, (j->n_judged + n) * sizeof *grown);

	if (grown == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to judge changes");
	j->judged = grown;
	for (size_t i = 0; i < n; i++) {
		char *path = asked[i] != NULL ? strdup(asked[i]->path) : NULL; /* each of a batch has its change */

		if (path == NULL)
			return err_set(e, AMBIT_MEMORY, NULL, "no memory to judge changes");
		j->judged[j->n_judged++] = (struct judged){ .tree = asked[i]->tree, .path = path, .verdict = v[i] };
	}
	return 0;
}

static int judge_some(struct judging *j, const struct change *const *asked, const struct judge_batch *batch,
		      struct err *e)
{
	auto_free struct judge_verdict *v = calloc(batch->n, sizeof *v);
	int r;

	if (batch->n == 0)
		return 0;
	if (v == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to judge changes");
	r = ask_judge(batch, v, e);
	return r < 0 ? r : keep_answers(j, asked, v, batch->n, e);
}

int judging_contents(struct judging *j, struct change *const *changes, size_t n, struct err *e)
{
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
	auto_free const struct change **asked = calloc(JUDGE_CASES_MAX, sizeof *asked);
	auto_buf old = { .max = 0 }, now = { .max = 0 };
	struct judge_batch batch;
	int r = 0;

	if (asked == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to judge changes");
	buf_init(&old, JUDGE_CONTENT_MAX + 8192);
	buf_init(&now, JUDGE_CONTENT_MAX + 8192);
	judge_batch_init(&batch);
	for (size_t i = 0; i < n && r == 0; i++) {
		int put;

		if (changes[i]->held != HELD_JUDGED)
			continue;
		put = put_case(j, &batch, changes[i], &old, &now);
		if (put == -AMBIT_LIMIT) {
			r = judge_some(j, asked, &batch, e);
			judge_batch_finish(&batch);
			judge_batch_init(&batch);
			put = r < 0 ? r : put_case(j, &batch, changes[i], &old, &now);
		}
		if (put == 0)
			asked[batch.n - 1] = changes[i];
	}
	r = r < 0 ? r : judge_some(j, asked, &batch, e);
	judge_batch_finish(&batch);
	if (r == 0 && j->n_judged > 1)
		qsort(j->judged, j->n_judged, sizeof *j->judged, by_path);
	return r;
}

bool judging_knows_more(const struct judging *j)
{
	return j->n_judged > 0 || aliases_any(j->aliases);
}
