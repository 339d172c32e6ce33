#include "supervisor/inplace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "judge/judge.h"
#include "judge/protected.h"
#include "stage/listing.h"
#include "supervisor/holding.h"

#define IN_GIT ".git/"

/* A repository granted by itself: a bare one, or the `.git` of a tree elsewhere. */
static bool is_repository(const char *tree)
{
	const size_t n = strlen(tree);

	return n >= 5 && strcmp(tree + n - 4, ".git") == 0;
}

/* A row of the table of protected names, as far as it says something of a name that is there already. */
struct protected_name {
	const char *name;
	int how; /* enum judge_kind, or one of these */
	bool anywhere;
};
enum { PASS = -1, HOLD = -2 };
enum { OUTSIDE, ANYWHERE };

static const struct protected_name names[] = {
#define PROTECTED(name, how, where, why) { name, how, where == ANYWHERE },
#include "judge/protected.def"
#undef PROTECTED
	/* submodules' configuration and hooks, which staged are looked for one by one */
	{ ".git/modules", HOLD, true },
};
#define N_NAMES (sizeof names / sizeof names[0])

/* In place nothing is judged: what is obeyed all the time cannot be changed at all. What git keeps while it is in the middle of
 * something is for git to change, and so are attributes of the tree, which are content like any other. */
static bool is_held_in_place(const char *pattern, int how)
{
	if (how == PASS || how == JUDGE_GIT_WORD || strncmp(pattern, ".git/rebase", 11) == 0 ||
	    strncmp(pattern, ".git/sequencer", 14) == 0)
		return false;
	return how != JUDGE_GIT_ATTRIBUTES || strncmp(pattern, IN_GIT, sizeof IN_GIT - 1) == 0;
}

/* ---- by the table alone ---- */

/* The row's name in this directory of the tree, "" for the tree. */
static int hold_row(struct holding *h, const char *dir, const char *row, bool file_only, struct err *e)
{
	char name[GRANT_OBJECT_MAX];
	size_t n;
	int r;

	if (snprintf(name, sizeof name, "%s%s%s/%s", strcmp(h->tree, "/") == 0 ? "" : h->tree, dir[0] != 0 ? "/" : "",
		     dir, row) >= (int)sizeof name)
		return holding_too_long(h, e);
	n = strlen(name);
	if (name[n - 1] == '/') /* only of a directory */
		name[n - 1] = 0;
	h->file_only = file_only;
	r = holding_take(h, name, e);
	return r < 0 ? r : 0;
}

/* All rows; or those of a repository, in one. A pattern would have to be looked for. */
static int hold_rows(struct holding *h, const char *dir, bool in_git, bool in_dependencies, struct err *e)
{
	const size_t skip = in_git ? sizeof IN_GIT - 1 : 0;
	int r = 0;

	for (size_t i = 0; i < N_NAMES && r == 0; i++)
		if (strchr(names[i].name, '*') == NULL && is_held_in_place(names[i].name, names[i].how) &&
		    (names[i].anywhere || !in_dependencies) && strncmp(names[i].name, IN_GIT, skip) == 0)
			r = hold_row(h, dir, names[i].name + skip, names[i].how == JUDGE_GIT_FILE, e);
	return r;
}

/* What a tree is called in the one around it, "" for that itself; the slash before it is not counted. */
static const char *name_in_outer(const struct inplace_tree *t)
{
	const size_t n = strcmp(t->outer, "/") == 0 ? 0 : strlen(t->outer);

	return strcmp(t->path, t->outer) == 0 ? "" : t->path + n + 1;
}

/* Whether the path in the tree lies among dependencies, or the tree itself does in the one around it. */
static bool in_dependencies(const struct inplace_tree *t, const char *path)
{
	const char *name = name_in_outer(t);
	char both[GRANT_OBJECT_MAX + SCAN_PATH_MAX];

	(void)snprintf(both, sizeof both, "%s%s%s", name, name[0] != 0 && path[0] != 0 ? "/" : "", path); /* it fits */
	return protected_in_dependencies(t->outer, both);
}

int inplace_hold_top(const struct inplace_tree *tree, struct cell_spec *spec, struct err *e)
{
	struct holding h;
	int r;

	holding_begin(&h, tree->set, tree->path, spec);
	r = hold_rows(&h, "", false, in_dependencies(tree, ""), e);
	if (r == 0 && is_repository(tree->path))
		r = hold_rows(&h, "", true, false, e);
	return holding_finish(&h, r, e);
}

/* ---- by the index ---- */

enum known {
	IS_HELD = 1,
	IS_FREED = 2, /* a grant names it, or what it lies in: it is looked at as a tree of its own */
	GIT_ASKED = 4,
	IS_GIT = 8,
	GIT_BY_LOOK = 16, /* and not by its name */
};

struct look {
	struct holding hold;
	const struct inplace_tree *tree;
	const struct scan *scan;
	const struct mask *mask;     /* what of the tree cannot be seen */
	int tree_fd;                 /* borrowed */
	uint8_t *known;              /* owned: of each directory, enum known */
	uint32_t at;                 /* the directory at hand */
	size_t depth;                /* its parts, beginning with the tree's */
	bool has_rows, has_git_rows; /* the table was gone through there */
	bool too_deep;               /* for the table */
	struct protected_parts parts;
	struct listing listing;
	char dir[SCAN_PATH_MAX];
	char path[SCAN_PATH_MAX + 257];
	struct err *e;
};

static size_t parts_of(const char *path, size_t n)
{
	size_t parts = 0;

	for (size_t i = 0; i + 1 < n; i++)
		parts += path[i] == '/';
	return parts;
}

static size_t depth_of(const struct scan *s, uint32_t i)
{
	size_t depth = 0;

	for (; i != 0; i = s->dirs[i].parent)
		depth++;
	return depth;
}

static bool has_part(const char *dir, size_t n, const char *name)
{
	char path[GRANT_OBJECT_MAX + 16];
	struct stat st;

	return snprintf(path, sizeof path, "%.*s/%s", (int)n, dir, name) < (int)sizeof path && lstat(path, &st) == 0;
}

static bool has_entry(const struct look *l, const char *dir, const char *name)
{
	char path[SCAN_PATH_MAX + 16];
	struct stat st;

	(void)snprintf(path, sizeof path, "%s%s%s", dir, dir[0] != 0 ? "/" : "", name); /* our names are short */
	return scan_stat(l->tree_fd, path, &st) == 0;
}

/* As enum git_dir, but without HEAD, which git replaces by renaming, so that nothing keeps it in place: a program could take it away, and
 * bring it back when the event that follows has held nothing. The rest is held (hold_git). */
static bool looks_like_git(const struct look *l, uint32_t i)
{
	char dir[SCAN_PATH_MAX];

	return scan_path(l->scan, i, dir, sizeof dir) &&
	       (has_entry(l, dir, "commondir") || (has_entry(l, dir, "objects") && has_entry(l, dir, "refs")));
}

static bool is_git(struct look *l, uint32_t i)
{
	const char *name = scan_text(l->scan, l->scan->dirs[i].name);
	const size_t n = strlen(name);

	if ((l->known[i] & GIT_ASKED) == 0) {
		l->known[i] |= GIT_ASKED;
		if (n >= 4 && strcmp(name + n - 4, ".git") == 0)
			l->known[i] |= IS_GIT;
		else if (looks_like_git(l, i))
			l->known[i] |= IS_GIT | GIT_BY_LOOK;
	}
	return (l->known[i] & IS_GIT) != 0;
}

/* What is asked of the directory at hand, beneath a tree that may be given another path. */
struct question {
	struct look *look;
	size_t above; /* parts of the tree's path */
	bool real;    /* it is the tree's own */
};

static enum git_dir is_git_dir(void *arg, const char *path, size_t n)
{
	const struct question *q = arg;
	const size_t parts = parts_of(path, n);
	uint32_t i = q->look->at;

	if (parts > q->above + q->look->depth)
		return GIT_DIR_NOT; /* the name itself is no directory's */
	if (parts < q->above)       /* the names there tell, and what lies there */
		return q->real && (has_part(path, n, "commondir") ||
				   (has_part(path, n, "objects") && has_part(path, n, "refs")))
			       ? GIT_DIR_IS
			       : GIT_DIR_NOT;
	for (size_t up = q->above + q->look->depth - parts; up > 0; up--)
		i = q->look->scan->dirs[i].parent;
	return is_git(q->look, i) ? GIT_DIR_IS : GIT_DIR_NOT;
}

/* Whether the first n bytes of path are a name that is held. A tree that is a protected name itself, or lies in one, was granted by name:
 * what its path says does not count then, nor at last what it is called. */
static bool is_name(struct look *l, const char *path, size_t n, struct name_verdict *ret)
{
	const char *tree = l->hold.tree, *trees[] = { l->tree->outer, tree, strrchr(tree, '/'), "/" };
	const char *name = name_in_outer(l->tree);
	const bool in_git = strcasestr(tree, ".git/") != NULL; /* of a repository's own files the table says little */
	char both[GRANT_OBJECT_MAX + sizeof l->path];

	(void)snprintf(both, sizeof both, "%s%s%s", name, name[0] != 0 ? "/" : "", path); /* it fits */
	for (size_t i = 0; i < sizeof trees / sizeof trees[0]; i++) {
		const size_t before = i == 0 ? strlen(both) - strlen(path) : 0;
		struct question q = { .look = l, .real = i < 2 };
		const struct name_case c = { .tree = trees[i],
					     .path = i == 0 ? both : path,
					     .type = CHANGE_FILE,
					     .is_git_dir = is_git_dir,
					     .arg = &q };

		q.above = i == 0 ? parts_of(tree, strlen(tree)) : parts_of(trees[i], strlen(trees[i]));
		protected_match(&c, ret);
		if (ret->held != HELD_NOT && ret->row[0] == 0) {
			l->too_deep = true;
			return false;
		}
		if (ret->held == HELD_NOT && !in_git)
			return false;
		if (ret->held != HELD_NOT && ret->name_len > before)
			return ret->name_len == before + n &&
			       is_held_in_place(ret->row, ret->held == HELD_PROTECTED ? HOLD : ret->judge);
	}
	return false;
}

static void set_path(struct look *l, const char *name)
{
	(void)snprintf(l->path, sizeof l->path, "%s%s%s", l->dir, l->dir[0] != 0 ? "/" : "", name); /* it fits */
}

/* Whether l->path is held as a directory: by what would be said of a file in it. */
static bool is_directory_name(struct look *l)
{
	char inside[sizeof l->path + 2];
	struct name_verdict v;

	(void)snprintf(inside, sizeof inside, "%s/x", l->path); /* it fits */
	return is_name(l, inside, strlen(l->path), &v);
}

static int hold_at(struct look *l, const char *name)
{
	char path[GRANT_OBJECT_MAX];

	if (snprintf(path, sizeof path, "%s/%s", strcmp(l->hold.tree, "/") == 0 ? "" : l->hold.tree, name) >=
	    (int)sizeof path)
		return holding_too_long(&l->hold, l->e);
	return holding_take(&l->hold, path, l->e);
}

/* l->path, which was there when the tree was looked through. */
static int hold_path(struct look *l, bool file_only)
{
	struct stat st;
	int r;

	l->hold.file_only = file_only;
	r = hold_at(l, l->path);
	if (r == 0 && scan_stat(l->tree_fd, l->path, &st) < 0)
		return err_set(l->e, AMBIT_CONFLICT, "run it again; or run it without --direct",
			       "%s/%s went while it was looked at: another program changes the tree", l->hold.tree,
			       l->path);
	return r;
}

static int take_file(struct look *l, const char *name)
{
	const unsigned role = protected_file_role(&l->parts, scan_text(l->scan, l->scan->dirs[l->at].name), name);
	struct name_verdict v;
	int r;

	if ((l->known[l->at] & IS_HELD) != 0 || role == 0 || (role == PROTECTED_GIT_FILE && !is_git(l, l->at)))
		return 0;
	set_path(l, name);
	if (!is_name(l, l->path, strlen(l->path), &v))
		return 0;
	r = hold_path(l, false);
	return r < 0 ? r : 0;
}

/* Of a link in what is held what it leads to is left to hold. One that may be a part of a longer name is followed by all of them. */
static int take_link(struct look *l, const char *name)
{
	const bool inside = (l->known[l->at] & IS_HELD) != 0;
	struct name_verdict v = { .judge = JUDGE_NONE };
	int r = 0;

	if (!inside && protected_part_role(&l->parts, name) == 0)
		return 0;
	if (!inside && !l->has_git_rows && is_git(l, l->at)) {
		l->has_git_rows = true;
		r = hold_rows(&l->hold, l->dir, true, false, l->e);
		if (r < 0)
			return r;
	}
	set_path(l, name);
	if (inside || is_name(l, l->path, strlen(l->path), &v) || is_directory_name(l))
		r = hold_path(l, v.judge == JUDGE_GIT_FILE);
	if (r < 0 || inside || l->has_rows)
		return r < 0 ? r : 0;
	l->has_rows = true;
	return hold_rows(&l->hold, l->dir, false, in_dependencies(l->tree, l->path), l->e);
}

static int look_through(struct look *l, bool files, bool links)
{
	auto_fd int fd = scan_open(l->tree_fd, l->dir);
	enum listing_kind kind;
	const char *name;
	int r = 0;

	if (fd < 0)
		return 0; /* gone meanwhile */
	listing_begin(&l->listing, fd);
	while (r == 0 && (name = listing_next(&l->listing, &kind)) != NULL) {
		if (kind == LISTING_OTHER && files)
			r = take_file(l, name);
		else if (kind == LISTING_LINK && links)
			r = take_link(l, name);
	}
	if (r == 0 && l->listing.sys_errno != 0 && l->listing.sys_errno != ENOENT)
		return err_sys(l->e, AMBIT_SYSTEM, l->listing.sys_errno, NULL, "protected names: list '%s'", l->dir);
	return r;
}

/* What lies in the directory at hand. The index keeps no files of what is mostly hidden. */
static int take_entries(struct look *l)
{
	const struct scan *s = l->scan;
	const struct scan_dir *d = &s->dirs[l->at];
	const bool files = (d->flags & (SCAN_FILES_UNKEPT | SCAN_IN_HIDDEN | SCAN_CROWDED)) != 0;
	const bool links = (d->flags & SCAN_LINKS_UNKEPT) != 0;
	int r = files || links ? look_through(l, files, links) : 0;

	for (uint32_t k = d->first_file; k < d->first_file + d->n_files && r == 0 && !files; k++)
		r = take_file(l, scan_text(s, s->files[k]));
	for (uint32_t k = d->first_link; k < d->first_link + d->n_links && r == 0 && !links; k++)
		r = take_link(l, scan_text(s, s->links[k]));
	return r;
}

/* Whether the directory itself may be one that is held: rows of all that lies beneath are known to the index. */
static bool may_be_held(struct look *l)
{
	const struct scan_dir *d = &l->scan->dirs[l->at];
	const char *name = scan_text(l->scan, d->name);

	return l->at != 0 && (d->flags & SCAN_ALL_LINKS) != 0 && protected_part_role(&l->parts, name) != 0;
}

static int take_itself(struct look *l)
{
	const struct scan_dir *d = &l->scan->dirs[l->at];
	int r;

	(void)snprintf(l->path, sizeof l->path, "%s", l->dir); /* it fits */
	if (!is_directory_name(l) && (strcmp(scan_text(l->scan, d->name), "modules") != 0 || !is_git(l, d->parent)))
		return 0;
	r = hold_path(l, false);
	if (r > 0)
		l->known[l->at] |= IS_HELD;
	return r < 0 ? r : 0;
}

/* Whether the directory at hand cannot be seen: itself, or only since it lies in what is hidden. */
enum seen { SEEN, HIDDEN, IN_HIDDEN };

static enum seen is_seen(const struct look *l)
{
	char above[SCAN_PATH_MAX];
	char *slash;

	if (!mask_hides(l->mask, l->dir))
		return SEEN;
	(void)snprintf(above, sizeof above, "%s", l->dir); /* of the same size */
	slash = strrchr(above, '/');
	if (slash == NULL)
		return HIDDEN;
	*slash = 0;
	return mask_hides(l->mask, above) ? IN_HIDDEN : HIDDEN;
}

static int not_looked_into(const struct look *l)
{
	return err_set(l->e, AMBIT_DENIED, "let its owner list it (chmod u+rx); or run it without --direct",
		       "%s/%s cannot be looked into for what other programs obey", l->hold.tree, l->dir);
}

/* In what is hidden nothing can be reached; the hidden directory itself can be moved. */
static int take_seen(struct look *l)
{
	const struct scan_dir *d = &l->scan->dirs[l->at];
	const enum seen seen = is_seen(l);
	int r = 0;

	if (seen == IN_HIDDEN)
		return 0;
	if (d->state == SCAN_UNLISTED && mask_list_find(&l->mask->list, l->dir) == MASK_NOTHING)
		return not_looked_into(l);
	l->depth = depth_of(l->scan, l->at);
	l->has_rows = l->has_git_rows = false;
	if (may_be_held(l) && (l->known[l->at] & IS_HELD) == 0)
		r = take_itself(l);
	return r < 0 || seen == HIDDEN ? r : take_entries(l);
}

static int take_directory(struct look *l, uint32_t i)
{
	const unsigned unusual = SCAN_FILES_UNKEPT | SCAN_LINKS_UNKEPT | SCAN_IN_HIDDEN | SCAN_CROWDED;
	const struct scan_dir *d = &l->scan->dirs[i];
	const bool listed = d->n_files + d->n_links > 0 || (d->flags & unusual) != 0 || d->state == SCAN_UNLISTED;
	int r;

	l->at = i;
	if (i != 0)
		l->known[i] |= l->known[d->parent] & (IS_HELD | IS_FREED);
	if ((l->known[i] & IS_FREED) != 0 || (!listed && !may_be_held(l)) ||
	    !scan_path(l->scan, i, l->dir, sizeof l->dir))
		return 0;
	r = take_seen(l);
	if (r >= 0 && l->too_deep)
		return err_set(l->e, AMBIT_LIMIT, "run it without --direct",
			       "%s: a directory that lies too deep to say what other programs obey in it",
			       l->hold.tree);
	return r < 0 ? r : 0;
}

/* What makes a directory a repository stays where it is. */
static int hold_git(struct look *l, uint32_t i)
{
	static const char *const parts[] = { "objects", "refs" };
	int r = 0;

	if (!scan_path(l->scan, i, l->dir, sizeof l->dir))
		return 0;
	for (size_t k = 0; k < sizeof parts / sizeof parts[0] && r >= 0; k++) {
		char name[GRANT_OBJECT_MAX];
		struct stat st;

		if (snprintf(name, sizeof name, "%s%s%s/%s", strcmp(l->hold.tree, "/") == 0 ? "" : l->hold.tree,
			     l->dir[0] != 0 ? "/" : "", l->dir, parts[k]) >= (int)sizeof name)
			return holding_too_long(&l->hold, l->e);
		if (lstat(name, &st) == 0)
			r = holding_pin(&l->hold, name, S_ISLNK(st.st_mode), l->e);
	}
	return r < 0 ? r : 0;
}

/* The directory of the tree that path names, 0 if it knows none. */
static uint32_t find_directory(const struct scan *s, const char *path)
{
	uint32_t i = 0;

	while (*path != 0) {
		const size_t n = strcspn(path, "/");
		const struct scan_dir *d = &s->dirs[i];
		uint32_t k = d->first_dir;

		while (k < d->first_dir + d->n_dirs &&
		       (strncmp(scan_text(s, s->dirs[k].name), path, n) != 0 || scan_text(s, s->dirs[k].name)[n] != 0))
			k++;
		if (k == d->first_dir + d->n_dirs)
			return 0;
		i = k;
		path += n + (path[n] == '/');
	}
	return i;
}

static void mark_freed(struct look *l)
{
	const size_t skip = strcmp(l->hold.tree, "/") == 0 ? 1 : strlen(l->hold.tree) + 1;

	for (size_t i = 0; i < l->tree->n_all; i++) {
		const char *path = l->tree->all[i];
		uint32_t at;

		if (strcmp(path, l->hold.tree) == 0 || !path_is_beneath(path, l->hold.tree))
			continue;
		at = find_directory(l->scan, path + skip);
		if (at != 0)
			l->known[at] |= IS_FREED;
	}
}

static int look(struct look *l)
{
	int r = 0;

	protected_parts_make(&l->parts);
	mark_freed(l);
	for (uint32_t i = 0; i < l->scan->n_dirs && r == 0; i++)
		r = take_directory(l, i);
	for (uint32_t i = 0; i < l->scan->n_dirs && r == 0; i++)
		if ((l->known[i] & GIT_BY_LOOK) != 0)
			r = hold_git(l, i);
	return r;
}

int inplace_hold(const struct inplace_tree *tree, int tree_fd, const struct scan *s, const struct mask *m,
		 struct cell_spec *spec, struct err *e)
{
	auto_free struct look *l = calloc(1, sizeof *l);
	auto_free uint8_t *known = calloc(s->n_dirs, 1);

	if (l == NULL || known == NULL)
		return err_sys(e, AMBIT_MEMORY, ENOMEM, NULL, "protected names: begin");
	holding_begin(&l->hold, tree->set, tree->path, spec);
	l->tree = tree;
	l->scan = s;
	l->mask = m;
	l->tree_fd = tree_fd;
	l->known = known;
	l->e = e;
	return holding_finish(&l->hold, look(l), e);
}
