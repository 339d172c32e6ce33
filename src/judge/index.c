/* The index of git: whether it loses names that git in the cell could not see, and so took for deleted. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "core/grant.h"
#include "judge/gitconfig.h"
#include "judge/gitindex.h"
#include "judge/kinds.h"

#define PATH_MAX_ (2 * CHANGE_PATH_MAX) /* of a tree, and of what is in it */
#define FLAGS_MAX 84                    /* of a reason's bytes */
#define COMPARED_MAX (50u << 20)        /* names with names, where no order helps: about a second */

/* What the cell did not see: absolute paths, each with its NUL, sorted. Compared without case: where the file system knows none, git takes
 * what lies there by another case for the name that it has. */
struct unseen {
	const char *bytes;
	size_t n;
};

struct loss {
	const struct judge_case *c;
	struct unseen unseen;
	bool root_is_known;
	bool root_is_told; /* by a file, which may be out of date (a worktree that was moved) or say it by a link */
	bool by_end;       /* what was found last: the work tree is another than the one that is told, or not known */
	char root[PATH_MAX_]; /* of the work tree, absolute */
	const char *last;     /* the path that was told last */
	size_t n;             /* how many there are */
	size_t n_shown, at;
	char flags[FLAGS_MAX];
	size_t compared;
	bool too_much;
};

/* ---- the work tree ---- */

/* The directory of the index. */
static bool git_dir(const struct judge_case *c, char ret[PATH_MAX_])
{
	const char *slash = strrchr(c->path, '/');
	const int n = snprintf(ret, PATH_MAX_, "%s%s%.*s", strcmp(c->tree, "/") == 0 ? "" : c->tree,
			       slash != NULL ? "/" : "", slash != NULL ? (int)(slash - c->path) : 0, c->path);

	if (n == 0)
		(void)snprintf(ret, PATH_MAX_, "/"); /* it fits */
	return n < PATH_MAX_;
}

static bool go_to(const char *from, const char *text, size_t n, char ret[PATH_MAX_])
{
	char copy[CHANGE_PATH_MAX];

	if (n == 0 || n >= sizeof copy || memchr(text, 0, n) != NULL)
		return false;
	memcpy(copy, text, n);
	copy[n] = 0;
	return path_normalise(from, copy, ret, PATH_MAX_);
}

/* core.worktree. 1: found, 0: there is none, -1: it cannot be told. */
static int find_setting(const struct judge_case *c, const char *from, char ret[PATH_MAX_])
{
	struct gitconfig_entry e;
	struct gitconfig g;
	int found = 0, rc;

	if (c->config_len > JUDGE_CONTENT_MAX)
		return -1;
	gitconfig_init(&g, c->config, c->config_len);
	while ((rc = gitconfig_next(&g, &e)) == 1)
		if (strcmp(e.name, "core.worktree") == 0)
			found = e.has_value && go_to(from, e.value, strlen(e.value), ret) ? 1 : -1;
	return rc < 0 ? -1 : found;
}

/* As git finds it, by where the index lies and what is said beside it. False: another file would say it. */
static bool find_root(const struct judge_case *c, char ret[PATH_MAX_], bool *ret_told)
{
	static const char end[] = "/.git";
	char from[PATH_MAX_];
	const char *text = c->gitdir;
	size_t n = c->gitdir_len, m;
	int found;

	*ret_told = true;
	if (!git_dir(c, from))
		return false;
	if (n > 0) { /* of a worktree */
		n -= text[n - 1] == '\n';
		return n > sizeof end - 1 && memcmp(text + n - (sizeof end - 1), end, sizeof end - 1) == 0 &&
		       go_to(from, text, n - (sizeof end - 1), ret);
	}
	found = find_setting(c, from, ret);
	if (found != 0)
		return found > 0;
	*ret_told = false;
	m = strlen(from);
	if (m < sizeof end - 1 || strcmp(from + m - (sizeof end - 1), end) != 0)
		return false;
	return path_normalise(from, "..", ret, PATH_MAX_);
}

/* ---- what was not seen ---- */

static size_t start_of(const struct unseen *u, size_t at)
{
	while (at > 0 && u->bytes[at - 1] != 0)
		at--;
	return at;
}

/* Where the first one is that does not come before the text; u->n if there is none. */
static size_t lower_bound(const struct unseen *u, const char *text)
{
	size_t low = 0, high = u->n;

	while (low < high) {
		const size_t middle = start_of(u, low + (high - low) / 2);

		if (strcasecmp(u->bytes + middle, text) < 0)
			low = middle + strlen(u->bytes + middle) + 1;
		else
			high = middle;
	}
	return low;
}

/* The first one beneath the directory, whose path ends with a slash. */
static const char *first_beneath(const struct unseen *u, const char *directory)
{
	const size_t at = lower_bound(u, directory);

	return at < u->n && strncasecmp(u->bytes + at, directory, strlen(directory)) == 0 ? u->bytes + at : NULL;
}

/* The path itself, or what lies above it. */
static const char *find_around(const struct unseen *u, char *path)
{
	const size_t len = strlen(path);

	for (size_t n = 1; n <= len; n++) {
		const char end = path[n];
		size_t at;

		if (end != 0 && end != '/')
			continue;
		path[n] = 0;
		at = lower_bound(u, path);
		path[n] = end;
		if (at < u->n && strncasecmp(u->bytes + at, path, n) == 0 && u->bytes[at + n] == 0)
			return u->bytes + at;
	}
	return NULL;
}

/* Whether anything in the work tree was not seen: else the index may say what it likes. */
static bool is_concerned(const struct loss *l)
{
	char path[PATH_MAX_ + 1];

	if (l->unseen.n == 0 || !l->root_is_known || l->root_is_told)
		return l->unseen.n > 0;
	(void)snprintf(path, sizeof path, "%s", l->root); /* it fits */
	if (find_around(&l->unseen, path) != NULL)
		return true;
	(void)snprintf(path, sizeof path, "%s/", strcmp(l->root, "/") == 0 ? "" : l->root);
	return first_beneath(&l->unseen, path) != NULL;
}

static bool is_beneath_any(const char *path, const char *directory, size_t len)
{
	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
		if (strncasecmp(slash + 1, directory, len) == 0)
			return true;
	return false;
}

/* By its end, as if any directory could be the work tree. */
static const char *find_by_end(struct loss *l, const struct gitindex *g)
{
	const struct unseen *u = &l->unseen;
	const size_t len = g->name_len;
	const char *path = u->bytes;

	for (size_t n; path < u->bytes + u->n; path += n + 1) {
		n = strlen(path);
		if (l->compared++ > COMPARED_MAX) {
			l->too_much = true;
			return NULL;
		}
		for (size_t k = 1; k <= len && k < n; k++)
			if ((k == len || g->name[k] == '/') && path[n - k - 1] == '/' &&
			    strncasecmp(path + n - k, g->name, k) == 0)
				return path;
		if (g->is_directory && is_beneath_any(path, g->name, len))
			return path;
	}
	return NULL;
}

/* What of it is concerned by the loss of an entry. */
static const char *find_unseen(struct loss *l, const struct gitindex *g)
{
	char path[PATH_MAX_ + CHANGE_PATH_MAX];
	const char *found = NULL;

	if (l->root_is_known) {
		(void)snprintf(path, sizeof path, "%s/%s", strcmp(l->root, "/") == 0 ? "" : l->root,
			       g->name); /* it fits */
		found = find_around(&l->unseen, path);
		if (found == NULL && g->is_directory)
			found = first_beneath(&l->unseen, path);
	}
	l->by_end = found == NULL && (l->root_is_told || !l->root_is_known);
	return l->by_end ? find_by_end(l, g) : found;
}

/* ---- what is said ---- */

/* So that it can be typed as it stands. */
static bool is_plain(const char *s)
{
	return s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+@%,:=")] == 0;
}

/* Beneath the tree, absolute, or where nobody knows of what the name is a part: as it is in the index. NULL: it does not fit. */
static const char *write_flag(const struct loss *l, const char *path, const char *name, struct buf *room)
{
	const size_t skip = strcmp(l->c->tree, "/") == 0 ? 0 : strlen(l->c->tree);

	if (l->by_end)
		buf_printf(room, " --read .../%s", name);
	else if (skip > 0 && strncmp(path, l->c->tree, skip) == 0 && path[skip] == '/')
		buf_printf(room, " --read .%s", path + skip);
	else
		buf_printf(room, " --read %s", path);
	return buf_cstr(room);
}

static void add(struct loss *l, const char *path, const char *name)
{
	char room[FLAGS_MAX];
	struct buf b;
	const char *flag;

	if (path == l->last)
		return; /* another one in the same directory */
	l->last = path;
	l->n++;
	if (l->n_shown + 1 < l->n)
		return; /* counted */
	buf_init_in(&b, room, sizeof room);
	flag = write_flag(l, path, name, &b);
	if (flag == NULL || !is_plain(flag + sizeof " --read " - 1) || strlen(flag) >= sizeof l->flags - l->at)
		return;
	l->at += (size_t)snprintf(l->flags + l->at, sizeof l->flags - l->at, "%s", flag); /* it fits */
	l->n_shown++;
}

static void tell(const struct loss *l, struct judge_verdict *ret)
{
	char more[48] = "";

	if (l->n_shown == 0)
		(void)snprintf(more, sizeof more, " --read of %zu names", l->n);
	else if (l->n_shown < l->n)
		(void)snprintf(more, sizeof more, " and %zu more", l->n - l->n_shown);
	ret->inert = false;
	(void)snprintf(ret->why, sizeof ret->why, "names that git could not see are gone from it;%s%s shows them",
		       l->flags, more); /* cut is fine */
}

static void hold_unread(struct judge_verdict *ret, const char *which, const char *mistake)
{
	ret->inert = false;
	(void)snprintf(ret->why, sizeof ret->why,
		       "%s cannot be read (%s): whether hidden names are lost cannot be told", which,
		       mistake); /* it fits */
}

/* ---- the two of them ---- */

static int by_name(const struct gitindex *a, const struct gitindex *b)
{
	const int order = memcmp(a->name, b->name, a->name_len < b->name_len ? a->name_len : b->name_len);

	return order != 0 ? order : (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

/* The first entry that is left may be what a directory of a sparse index was taken apart into. What else is in that directory by now is data, as what
 * commits hold. */
static bool stands_for(const struct gitindex *old, const struct gitindex *now)
{
	return old->is_directory && now->name_len >= old->name_len && memcmp(now->name, old->name, old->name_len) == 0;
}

/* A name that a sparse index has no more, since one of its directories holds it, counts as lost: it does not say. */
static void compare(struct loss *l, struct gitindex *old, struct gitindex *now)
{
	bool more = gitindex_next(now);

	while (!l->too_much && gitindex_next(old)) {
		const char *path;
		int order = 1;

		while (more && (order = by_name(now, old)) < 0)
			more = gitindex_next(now);
		if (more && (order == 0 || stands_for(old, now)))
			continue;
		path = find_unseen(l, old);
		if (path != NULL)
			add(l, path, old->name);
	}
}

void judge_git_index(const struct judge_case *c, struct judge_verdict *ret)
{
	struct loss l = { .c = c, .unseen = { .bytes = c->hidden, .n = c->hidden_len } };
	const char *mistake = NULL;
	struct gitindex old, now;

	if (!c->had_old || c->old_len == 0)
		return;
	l.root_is_known = c->hidden_len > 0 && find_root(c, l.root, &l.root_is_told);
	if (!is_concerned(&l))
		return;
	if (c->old_len > JUDGE_INDEX_MAX || !gitindex_init(&old, c->old, c->old_len)) {
		hold_unread(ret, "what was there", c->old_len > JUDGE_INDEX_MAX ? "too large" : old.mistake);
		return;
	}
	if (c->now_len > JUDGE_INDEX_MAX)
		mistake = "too large";
	else if (c->now_len > 0 && !gitindex_init(&now, c->now, c->now_len))
		mistake = now.mistake;
	if (c->now_len == 0 || mistake != NULL)
		gitindex_init_empty(&now); /* of what was there all may be lost */
	compare(&l, &old, &now);
	if (l.too_much)
		hold_unread(ret, "it", "too many names are gone");
	else if (l.n > 0 && mistake != NULL)
		hold_unread(ret, "it", mistake);
	else if (l.n > 0)
		tell(&l, ret);
}
