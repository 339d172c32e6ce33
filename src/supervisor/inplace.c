#include "supervisor/inplace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "judge/judge.h"
#include "judge/protected.h"
#include "stage/listing.h"
#include "supervisor/plan.h"

#define LINKS_MAX 40 /* as the kernel follows */

/* A grant of a directory around it names none of the protected names in it. */
static bool is_granted_by_name(const struct grant_set *set, const char *path)
{
	for (uint32_t i = 0; i < set->count; i++)
		if ((set->grants[i].rights & RIGHT_WRITE) != 0 && strcmp(grant_object(set, i), path) == 0)
			return true;
	return false;
}

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
 * something is for git to change. */
static bool is_held_in_place(const char *pattern, int how)
{
	if (strncmp(pattern, ".git/rebase", 11) == 0 || strncmp(pattern, ".git/sequencer", 14) == 0)
		return false;
	switch (how) {
	case HOLD:
	case JUDGE_GIT_CONFIG:
	case JUDGE_GIT_FILE:
	case JUDGE_GIT_COMMONDIR:
	case JUDGE_GIT_MODULES:
	case JUDGE_NPMRC: return true;
	case JUDGE_GIT_ATTRIBUTES: return strncmp(pattern, IN_GIT, sizeof IN_GIT - 1) == 0;
	default: return false;
	}
}

/* ---- one name ---- */

/* A writable tree in which names are held. */
struct holding {
	const struct grant_set *set;
	struct cell_spec *spec;
	const char *tree;
	uint32_t grant;
	bool file_only; /* of the name at hand */
	unsigned links; /* followed on the way to it */
};

static int too_many(const struct holding *h, struct err *e)
{
	return err_set(e, AMBIT_LIMIT, "run it without --direct; grant less, or grant the names",
		       "%s: to hold what other programs obey there takes more than %d paths", h->tree,
		       INPLACE_PATHS_MAX);
}

/* What a read-only directory holds is read-only with it, and what a link made writable there before is so no more. */
static void hold_beneath(struct cell_spec *spec, const char *path)
{
	for (uint32_t i = 0; i < spec->n_paths; i++)
		if ((spec->paths[i].flags & CELL_PATH_PIN) != 0 &&
		    path_is_beneath(spec_text(spec, spec->paths[i].path), path))
			spec->paths[i].rights &= (uint16_t)~RIGHT_WRITE;
}

/* What a grant names in a directory that is held is shown as granted, and not as the directory. */
static int free_beneath(const struct holding *h, const char *path, struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; i < h->set->count && r == 0; i++) {
		const char *object = grant_object(h->set, i);
		uint32_t grant = i, rights;

		if ((h->set->grants[i].rights & RIGHT_WRITE) == 0 || object[0] != '/' || strcmp(object, path) == 0 ||
		    !path_is_beneath(object, path))
			continue;
		rights = plan_rights(h->set, object, &grant);
		r = spec_add_path(h->spec, object, rights, CELL_PATH_OPTIONAL, grant, e);
	}
	return r;
}

/* Mounted on itself a name cannot be renamed away. What was held read-only once stays so, whoever leads there again: links are
 * a program's to make. What goes before the cell starts needs no holding. */
static int pin(const struct holding *h, const char *path, bool read_only, struct err *e)
{
	uint32_t grant = h->grant, rights = plan_rights(h->set, path, &grant), pins = 0;
	int r;

	for (uint32_t i = 0; i < h->spec->n_paths; i++) {
		struct cell_path *p = &h->spec->paths[i];
		const char *there = spec_text(h->spec, p->path);

		if (strcmp(there, path) == 0) {
			p->rights &= (uint16_t) ~(read_only ? RIGHT_WRITE : 0u);
			if (!read_only)
				return 0;
			hold_beneath(h->spec, path);
			return free_beneath(h, path, e);
		}
		if ((p->flags & CELL_PATH_PIN) == 0)
			continue;
		if ((p->rights & RIGHT_WRITE) == 0 && path_is_beneath(path, there))
			return 0;
		pins++;
	}
	if (pins == INPLACE_PATHS_MAX)
		return too_many(h, e);
	if (read_only)
		rights &= ~(uint32_t)RIGHT_WRITE;
	r = spec_add_path(h->spec, path, rights, CELL_PATH_PIN | CELL_PATH_OPTIONAL, grant, e);
	if (r == 0 && read_only) {
		hold_beneath(h->spec, path);
		r = free_beneath(h, path, e);
	}
	return r == -AMBIT_LIMIT ? too_many(h, e) : r;
}

static int hold(struct holding *h, const char *name, size_t done, struct err *e);

/* A link is held itself, and what it leads to if that can be written as well. 1: it leads to something. */
static int hold_link(struct holding *h, const char *path, const char *rest, struct err *e)
{
	char text[GRANT_OBJECT_MAX], above[GRANT_OBJECT_MAX], target[GRANT_OBJECT_MAX];
	const ssize_t n = readlink(path, text, sizeof text - 1);
	const size_t tree_len = strcmp(h->tree, "/") == 0 ? 0 : strlen(h->tree);
	struct stat st;

	if (n <= 0 || ++h->links > LINKS_MAX || (size_t)n + strlen(rest) >= sizeof text)
		return 0;
	memcpy(text + n, rest, strlen(rest) + 1); /* just measured */
	(void)snprintf(above, sizeof above, "%.*s", (int)(strrchr(path, '/') - path), path);
	if (!path_normalise(above[0] != 0 ? above : "/", text, target, sizeof target))
		return 0;
	if (target[1] != 0 && path_is_beneath(target, h->tree) && target[tree_len] != 0)
		return hold(h, target + tree_len + 1, 0, e);
	return stat(target, &st) == 0 ? 1 : 0;
}

/* Holds what stands at name, from its part behind `done` on: 1 if there is something, and everything on the way to it. */
static int hold(struct holding *h, const char *name, size_t done, struct err *e)
{
	const size_t end = done + strcspn(name + done, "/");
	const bool last = name[end] == 0;
	char path[GRANT_OBJECT_MAX];
	struct stat st;
	int r;

	if (snprintf(path, sizeof path, "%s/%.*s", strcmp(h->tree, "/") == 0 ? "" : h->tree, (int)end, name) >=
		    (int)sizeof path ||
	    lstat(path, &st) < 0)
		return 0; /* longer than any path, or not there */
	if (last && !S_ISLNK(st.st_mode) && !S_ISREG(st.st_mode) && (h->file_only || !S_ISDIR(st.st_mode)))
		return 0;
	if (last && is_granted_by_name(h->set, path))
		return 0;
	if (S_ISLNK(st.st_mode))
		r = hold_link(h, path, name + end, e);
	else
		r = last ? 1 : hold(h, name, end + 1, e);
	if (r < 0 || (r == 0 && !last))
		return r;
	r = pin(h, path, last || S_ISLNK(st.st_mode), e);
	return r < 0 ? r : 1;
}

/* ---- by the table alone ---- */

/* The row's name in this directory of the tree, "" for the tree. */
static int hold_row(struct holding *h, const char *dir, const struct protected_name *row, struct err *e)
{
	const bool inside = dir[0] == 0 && is_repository(h->tree) && strncmp(row->name, IN_GIT, sizeof IN_GIT - 1) == 0;
	char name[GRANT_OBJECT_MAX];
	size_t n;
	int r;

	if (snprintf(name, sizeof name, "%s%s%s", dir, dir[0] != 0 ? "/" : "",
		     row->name + (inside ? sizeof IN_GIT - 1 : 0)) >= (int)sizeof name)
		return 0; /* longer than any path */
	n = strlen(name);
	if (name[n - 1] == '/') /* only of a directory */
		name[n - 1] = 0;
	h->file_only = row->how == JUDGE_GIT_FILE;
	h->links = 0;
	r = hold(h, name, 0, e);
	return r < 0 ? r : 0;
}

/* A pattern would have to be looked for. */
static int hold_rows(struct holding *h, const char *dir, bool in_dependencies, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < N_NAMES && r == 0; i++)
		if (strchr(names[i].name, '*') == NULL && is_held_in_place(names[i].name, names[i].how) &&
		    (names[i].anywhere || !in_dependencies))
			r = hold_row(h, dir, &names[i], e);
	return r;
}

static struct holding holding_of(const struct inplace_tree *tree, struct cell_spec *spec)
{
	return (struct holding){ .set = tree->set, .spec = spec, .tree = tree->path, .grant = tree->grant };
}

int inplace_hold_top(const struct inplace_tree *tree, struct cell_spec *spec, struct err *e)
{
	struct holding h = holding_of(tree, spec);

	return hold_rows(&h, "", false, e);
}

/* ---- by the index ---- */

enum known { IS_HELD = 1, GIT_ASKED = 2, IS_GIT = 4 };

struct look {
	struct holding hold;
	const struct scan *scan;
	int tree_fd;    /* borrowed */
	uint8_t *known; /* owned: of each directory, enum known */
	uint32_t at;    /* the directory at hand */
	size_t depth;   /* its parts, beginning with the tree's */
	bool has_rows;  /* the table was gone through there */
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

static bool has_entry(const struct look *l, const char *dir, const char *name)
{
	char path[SCAN_PATH_MAX + 16];
	struct stat st;

	(void)snprintf(path, sizeof path, "%s%s%s", dir, dir[0] != 0 ? "/" : "", name); /* our names are short */
	return scan_stat(l->tree_fd, path, &st) == 0;
}

/* See enum git_dir. */
static bool looks_like_git(const struct look *l, uint32_t i)
{
	char dir[SCAN_PATH_MAX];

	return scan_path(l->scan, i, dir, sizeof dir) && has_entry(l, dir, "HEAD") &&
	       (has_entry(l, dir, "commondir") || (has_entry(l, dir, "objects") && has_entry(l, dir, "refs")));
}

static bool is_git(struct look *l, uint32_t i)
{
	const char *name = scan_text(l->scan, l->scan->dirs[i].name);
	const size_t n = strlen(name);

	if ((l->known[i] & GIT_ASKED) == 0) {
		l->known[i] |= GIT_ASKED;
		if ((n >= 4 && strcmp(name + n - 4, ".git") == 0) || looks_like_git(l, i))
			l->known[i] |= IS_GIT;
	}
	return (l->known[i] & IS_GIT) != 0;
}

/* What is asked of the directory at hand, beneath a tree that may be given another path. */
struct question {
	struct look *look;
	size_t above; /* parts of the tree's path */
};

static enum git_dir is_git_dir(void *arg, const char *path, size_t n)
{
	const struct question *q = arg;
	const size_t parts = parts_of(path, n);
	uint32_t i = q->look->at;

	if (parts < q->above || parts > q->above + q->look->depth)
		return GIT_DIR_NOT; /* above the tree names tell; the name itself is no directory's */
	for (size_t up = q->above + q->look->depth - parts; up > 0; up--)
		i = q->look->scan->dirs[i].parent;
	return is_git(q->look, i) ? GIT_DIR_IS : GIT_DIR_NOT;
}

/* Whether the first n bytes of path are a name that is held. A tree that is a protected name itself, or lies in one, was granted by name:
 * what its path says does not count then, nor at last what it is called. */
static bool is_name(struct look *l, const char *path, size_t n, struct name_verdict *ret)
{
	const char *trees[] = { l->hold.tree, strrchr(l->hold.tree, '/'), "/" };

	for (size_t i = 0; i < sizeof trees / sizeof trees[0]; i++) {
		struct question q = { .look = l, .above = parts_of(trees[i], strlen(trees[i])) };
		const struct name_case c = {
			.tree = trees[i], .path = path, .type = CHANGE_FILE, .is_git_dir = is_git_dir, .arg = &q
		};

		protected_match(&c, ret);
		if (ret->held == HELD_NOT)
			return false;
		if (ret->name_len > 0)
			return ret->name_len == n &&
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

static int hold_path(struct look *l, bool file_only)
{
	if (strlen(l->hold.tree) + 1 + strlen(l->path) >= GRANT_OBJECT_MAX)
		return err_set(l->e, AMBIT_LIMIT, "move the tree to where its path is shorter",
			       "%s: too long a path for what other programs obey", l->hold.tree);
	l->hold.file_only = file_only;
	l->hold.links = 0;
	return hold(&l->hold, l->path, 0, l->e);
}

static int take_file(struct look *l, const char *name)
{
	struct name_verdict v;
	int r;

	unsigned role;

	if ((l->known[l->at] & IS_HELD) != 0)
		return 0;
	role = protected_file_role(&l->parts, scan_text(l->scan, l->scan->dirs[l->at].name), name);
	if (role == 0 || (role == PROTECTED_GIT_FILE && !is_git(l, l->at)))
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
	set_path(l, name);
	if (inside || is_name(l, l->path, strlen(l->path), &v) || is_directory_name(l))
		r = hold_path(l, v.judge == JUDGE_GIT_FILE);
	if (r < 0 || inside || l->has_rows)
		return r < 0 ? r : 0;
	l->has_rows = true;
	return hold_rows(&l->hold, l->dir, protected_in_dependencies(l->hold.tree, l->path), l->e);
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

/* What lies in the directory at hand. */
static int take_entries(struct look *l)
{
	const struct scan *s = l->scan;
	const struct scan_dir *d = &s->dirs[l->at];
	const bool files = (d->flags & SCAN_FILES_UNKEPT) != 0, links = (d->flags & SCAN_LINKS_UNKEPT) != 0;
	int r = files || links ? look_through(l, files, links) : 0;

	for (uint32_t k = d->first_file; k < d->first_file + d->n_files && r == 0; k++)
		r = take_file(l, scan_text(s, s->files[k]));
	for (uint32_t k = d->first_link; k < d->first_link + d->n_links && r == 0; k++)
		r = take_link(l, scan_text(s, s->links[k]));
	return r;
}

/* Whether the directory itself may be one that is held: rows of all that lies beneath are known to the index. */
static bool may_be_held(struct look *l)
{
	const struct scan_dir *d = &l->scan->dirs[l->at];
	const char *name = scan_text(l->scan, d->name);

	if (l->at == 0)
		return false;
	return strcmp(name, "modules") == 0 ||
	       ((d->flags & SCAN_ALL_LINKS) != 0 && protected_part_role(&l->parts, name) != 0);
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

/* In what is hidden nothing can be reached; the hidden directory itself can be moved. */
static int take_directory(struct look *l, uint32_t i)
{
	const struct scan *s = l->scan;
	const struct scan_dir *d = &s->dirs[i], *parent = &s->dirs[d->parent];
	const bool listed = d->n_files + d->n_links > 0 || (d->flags & (SCAN_FILES_UNKEPT | SCAN_LINKS_UNKEPT)) != 0;
	int r = 0;

	l->at = i;
	if (i != 0)
		l->known[i] |= l->known[d->parent] & IS_HELD;
	if ((i != 0 && (parent->flags & (SCAN_IN_HIDDEN | SCAN_CROWDED)) != 0) || (!listed && !may_be_held(l)) ||
	    !scan_path(s, i, l->dir, sizeof l->dir))
		return 0;
	l->depth = depth_of(s, i);
	l->has_rows = false;
	if (may_be_held(l) && (l->known[i] & IS_HELD) == 0)
		r = take_itself(l);
	return r < 0 || (d->flags & (SCAN_IN_HIDDEN | SCAN_CROWDED)) != 0 ? r : take_entries(l);
}

int inplace_hold(const struct inplace_tree *tree, int tree_fd, const struct scan *s, struct cell_spec *spec,
		 struct err *e)
{
	auto_free struct look *l = calloc(1, sizeof *l);
	auto_free uint8_t *known = calloc(s->n_dirs, 1);
	int r = 0;

	if (l == NULL || known == NULL)
		return err_sys(e, AMBIT_MEMORY, ENOMEM, NULL, "protected names: begin");
	l->hold = holding_of(tree, spec);
	l->scan = s;
	l->tree_fd = tree_fd;
	l->known = known;
	l->e = e;
	protected_parts_make(&l->parts);
	for (uint32_t i = 0; i < s->n_dirs && r == 0; i++)
		r = take_directory(l, i);
	return r;
}
