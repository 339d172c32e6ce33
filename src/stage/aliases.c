#include "stage/aliases.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "core/grant.h"
#include "judge/protected.h"
#include "stage/listing.h"
#include "stage/mask.h"
#include "stage/place.h"
#include "stage/sys.h"

#define LINKS_MAX 40      /* as the kernel follows */
#define ALIASES_MAX 65536 /* links that stand for something obeyed: none comes from a cell, which would be held */
#define FULL_MAX (STAGE_PATH_MAX + CHANGE_PATH_MAX)

struct alias {
	uint16_t tree;      /* of the target */
	uint16_t link_tree; /* of the link */
	bool road;          /* a link on the way, and nothing beneath it */
	char *target;       /* owned: relative to its tree */
	char *link;         /* owned: relative to its own */
};

/* A directory that may soon be hidden itself. */
struct crowd {
	uint16_t tree;
	char *dir; /* owned */
	uint32_t hidden, added;
};

#define CROWD_NEAR (SCAN_CROWD_MAX / 2) /* an event that is not held adds far less */
#define CROWDS_MAX ((size_t)STAGE_TREES_MAX * (SCAN_NAMES_MAX / CROWD_NEAR)) /* of more no tree has room */

struct aliases {
	struct aliases_ask ask;
	struct alias *list; /* owned; sorted by tree and target */
	size_t n;
	struct crowd crowds[CROWDS_MAX];
	size_t n_crowds;
	uint32_t hidden[STAGE_TREES_MAX];
};

void aliases_destroy(struct aliases *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->n; i++) {
		free(a->list[i].target);
		free(a->list[i].link);
	}
	for (size_t i = 0; i < a->n_crowds; i++)
		free(a->crowds[i].dir);
	free(a->list);
	free(a);
}

uint32_t aliases_hidden(const struct aliases *a, uint16_t tree)
{
	return a->hidden[tree];
}

/* That of the name's directory; NULL if it has not many. */
static struct crowd *crowd_of(struct aliases *a, uint16_t tree, const char *path)
{
	const char *slash = strrchr(path, '/');
	const size_t n = slash != NULL ? (size_t)(slash - path) : 0;

	for (size_t i = 0; i < a->n_crowds; i++) {
		struct crowd *c = &a->crowds[i];

		if (c->tree == tree && strncmp(c->dir, path, n) == 0 && c->dir[n] == 0)
			return c;
	}
	return NULL;
}

void aliases_count_hidden(struct aliases *a, uint16_t tree, const char *path)
{
	struct crowd *c = path != NULL ? crowd_of(a, tree, path) : NULL;

	for (size_t i = 0; i < a->n_crowds && path == NULL; i++)
		a->crowds[i].added = 0;
	if (c != NULL)
		c->added++;
}

bool aliases_would_crowd(struct aliases *a, uint16_t tree, const char *path)
{
	const struct crowd *c = crowd_of(a, tree, path);

	return c != NULL && c->hidden + c->added > SCAN_CROWD_MAX;
}

static int no_memory(struct err *e)
{
	return err_set(e, AMBIT_MEMORY, NULL, "no memory for the links of the tree");
}

/* ---- one link ---- */

/* A link that is being followed. */
struct way {
	struct aliases *a;
	struct err *e;
	uint16_t tree;    /* of the link */
	const char *link; /* relative to that */
	size_t base; /* so much of `done` is of the directory of the last link, without which that is not there either */
	char done[FULL_MAX], rest[2 * FULL_MAX], text[FULL_MAX];
};

static const char *root_of(const struct aliases *a, uint16_t tree)
{
	return tree == ALIASES_HOME ? a->ask.home : a->ask.meta->trees[tree].real;
}

/* The path's part in the tree; NULL if it lies elsewhere, or is the tree. */
static const char *part_in(const char *tree, const char *path)
{
	const size_t n = strcmp(tree, "/") == 0 ? 0 : strlen(tree);

	return strncmp(path, tree, n) == 0 && path[n] == '/' && path[n + 1] != 0 ? path + n + 1 : NULL;
}

static int add(const struct way *w, uint16_t tree, const char *target, bool road)
{
	struct aliases *a = w->a;
	struct alias *grown = a->list;

	if (a->n >= ALIASES_MAX)
		return err_set(w->e, AMBIT_LIMIT, "grant a smaller tree",
			       "more than %d links stand for what programs obey", ALIASES_MAX);
	if ((a->n & (a->n - 1)) == 0) /* grows at powers of two */
		grown = realloc(a->list, (a->n == 0 ? 1 : 2 * a->n) * sizeof *grown);
	if (grown == NULL)
		return no_memory(w->e);
	a->list = grown;
	grown[a->n] = (struct alias){
		.tree = tree, .link_tree = w->tree, .road = road, .target = strdup(target), .link = strdup(w->link)
	};
	a->n++;
	return grown[a->n - 1].target != NULL && grown[a->n - 1].link != NULL ? 0 : no_memory(w->e);
}

/* Where the way has come to, in each tree that holds it. */
static int add_in_trees(const struct way *w, bool road)
{
	int r = 0;

	for (uint32_t i = 0; i < w->a->ask.meta->n_trees && r == 0; i++) {
		const char *part = part_in(w->a->ask.meta->trees[i].real, w->done);

		/* the link itself is protected by its name */
		if (part != NULL && strlen(part) < CHANGE_PATH_MAX && (i != w->tree || strcmp(part, w->link) != 0))
			r = add(w, (uint16_t)i, part, road); /* below STAGE_TREES_MAX */
	}
	return r;
}

/* One part of `rest` behind `done`. False: it is no path. */
static bool step(struct way *w)
{
	const size_t n = strcspn(w->rest, "/"), at = strlen(w->done);
	const char *part = w->rest;

	if (n == 2 && memcmp(part, "..", 2) == 0) {
		char *slash = strrchr(w->done, '/');

		if (slash != NULL)
			*slash = 0;
	} else if (n > 0 && !(n == 1 && part[0] == '.')) {
		if (at + 1 + n >= sizeof w->done)
			return false;
		w->done[at] = '/';
		memcpy(w->done + at + 1, part, n);
		w->done[at + 1 + n] = 0;
	}
	memmove(w->rest, w->rest + n + (w->rest[n] == '/'), strlen(w->rest + n + (w->rest[n] == '/')) + 1);
	return true;
}

/* In place of the link at `done`: what it says, with `rest` behind it. False: too long. */
static bool turn(struct way *w, size_t n)
{
	const size_t left = strlen(w->rest);

	if (n + 1 + left >= sizeof w->rest)
		return false;
	memmove(w->rest + n + 1, w->rest, left + 1);
	memcpy(w->rest, w->text, n);
	w->rest[n] = '/';
	if (w->text[0] == '/')
		w->done[0] = 0;
	else
		*strrchr(w->done, '/') = 0; /* it begins with one */
	w->base = strlen(w->done);
	return true;
}

/* Before a step out of a directory into which the link itself leads: a link in its place leads the way elsewhere. Added is a name
 * beneath it which no change has. */
static int add_way_back(struct way *w)
{
	const size_t n = strlen(w->done);
	int r;

	if (strcspn(w->rest, "/") != 2 || memcmp(w->rest, "..", 2) != 0 || n <= w->base || n + 4 > sizeof w->done)
		return 0;
	memcpy(w->done + n, "/..", 4);
	r = add_in_trees(w, true);
	w->done[n] = 0;
	return r;
}

/* Goes as the kernel would, part by part. Each link on the way is a road to the first one; where it ends is the same as that. What is
 * not there yet is a name like any other: a cell may make it. */
static int follow(struct way *w)
{
	int links = 0;

	w->done[0] = 0;
	w->base = 0;
	if (snprintf(w->rest, sizeof w->rest, "%s/%s", root_of(w->a, w->tree), w->link) >= (int)sizeof w->rest)
		return 0; /* no program gets there by this name */
	while (w->rest[0] != 0) {
		const size_t before = strlen(w->done);
		ssize_t n;
		int r = add_way_back(w);

		if (r < 0 || !step(w))
			return r;
		if (strlen(w->done) < w->base)
			w->base = strlen(w->done);
		n = strlen(w->done) > before ? readlink(w->done, w->text, sizeof w->text) : -1;
		if (n <= 0)
			continue;
		if ((size_t)n == sizeof w->text || ++links > LINKS_MAX)
			return 0;
		r = add_in_trees(w, true);
		if (r < 0 || !turn(w, (size_t)n))
			return r;
	}
	return links > 0 ? add_in_trees(w, false) : 0; /* else it went meanwhile */
}

/* ---- all links of a tree ---- */

struct look_job {
	struct way way;
	const struct scan *scan;
	struct protected_parts parts;
	struct listing listing;
	char path[CHANGE_PATH_MAX];
};

static int take_link(struct look_job *j, const char *dir, const char *name)
{
	const struct aliases_ask *ask = &j->way.a->ask;

	if (snprintf(j->path, sizeof j->path, "%s%s%s", dir, dir[0] != 0 ? "/" : "", name) >= (int)sizeof j->path ||
	    !ask->is_obeyed(ask->user, j->way.tree, j->path))
		return 0; /* no change has such a path */
	j->way.link = j->path;
	return follow(&j->way);
}

/* A directory with so many links that the index leaves them out. */
static int look_through(struct look_job *j, int tree_fd, const char *dir)
{
	auto_fd int fd = scan_open(tree_fd, dir);
	enum listing_kind kind;
	const char *name;
	int r = 0;

	if (fd < 0)
		return 0; /* gone meanwhile */
	listing_begin(&j->listing, fd);
	while (r == 0 && (name = listing_next(&j->listing, &kind)) != NULL)
		if (kind == LISTING_LINK)
			r = take_link(j, dir, name);
	if (r == 0 && j->listing.sys_errno != 0 && j->listing.sys_errno != ENOENT)
		return err_sys(j->way.e, AMBIT_SYSTEM, j->listing.sys_errno, NULL, "links of the tree: list '%s'", dir);
	return r;
}

static int take_directory(struct look_job *j, int tree_fd, uint32_t i)
{
	const struct scan_dir *d = &j->scan->dirs[i];
	char dir[SCAN_PATH_MAX];
	int r = 0;

	if ((d->n_links == 0 && (d->flags & SCAN_LINKS_UNKEPT) == 0) || !scan_path(j->scan, i, dir, sizeof dir))
		return 0;
	if ((d->flags & SCAN_LINKS_UNKEPT) != 0)
		return look_through(j, tree_fd, dir);
	for (uint32_t k = d->first_link; k < d->first_link + d->n_links && r == 0; k++)
		r = take_link(j, dir, scan_text(j->scan, j->scan->links[k]));
	return r;
}

static int take_links(struct aliases *a, uint16_t tree, int tree_fd, const struct scan *s, struct err *e)
{
	auto_free struct look_job *j = calloc(1, sizeof *j);
	int r = 0;

	if (j == NULL)
		return no_memory(e);
	j->way.a = a;
	j->way.e = e;
	j->way.tree = tree;
	j->scan = s;
	for (uint32_t i = 0; i < s->n_dirs && r == 0; i++)
		r = take_directory(j, tree_fd, i);
	return r;
}

/* The tree itself cannot be hidden. */
static int take_crowds(struct aliases *a, uint16_t tree, const struct scan *s, struct err *e)
{
	char dir[SCAN_PATH_MAX];

	for (uint32_t i = 1; i < s->n_dirs && a->n_crowds < CROWDS_MAX; i++) {
		if (s->dirs[i].n_hidden <= CROWD_NEAR || !scan_path(s, i, dir, sizeof dir))
			continue;
		a->crowds[a->n_crowds] =
			(struct crowd){ .tree = tree, .dir = strdup(dir), .hidden = s->dirs[i].n_hidden };
		if (a->crowds[a->n_crowds].dir == NULL)
			return no_memory(e);
		a->n_crowds++;
	}
	return 0;
}

/* Without its index it just takes longer. */
static int open_cache(const struct aliases_ask *ask, uint16_t tree, const char *path, int tree_fd)
{
	const struct place_ask place = {
		.store = ask->store, .tree = path, .store_fd = ask->store_fd, .tree_fd = tree_fd
	};
	char where[STAGE_PATH_MAX];
	auto_fd int above = -1;
	int fd = -1;

	if (tree != ALIASES_HOME && place_open_cache(&place, where, sizeof where, &above, NULL) < 0)
		return -1;
	return mask_cache_open(above >= 0 ? above : ask->store_fd, tree_fd, path, &fd, NULL) < 0 ? -1 : fd;
}

static int look_at(struct aliases *a, uint16_t tree, int tree_fd, struct err *e)
{
	const char *path = root_of(a, tree);
	auto_fd int cache_fd = open_cache(&a->ask, tree, path, tree_fd);
	const struct mask_ask ask = { .tree_fd = tree_fd,
				      .path = path,
				      .cache_fd = cache_fd,
				      .store_fd = a->ask.store_fd,
				      .is_home = tree == ALIASES_HOME };
	struct scan scan;
	int r = mask_scan(&ask, &scan, e);

	if (r == 0 && tree != ALIASES_HOME)
		a->hidden[tree] = scan.n_hidden;
	if (r == 0 && tree != ALIASES_HOME)
		r = take_crowds(a, tree, &scan, e);
	r = r < 0 ? r : take_links(a, tree, tree_fd, &scan, e);
	scan_finish(&scan);
	return r;
}

/* In a tree its links are known anyway. */
static bool home_is_apart(const struct aliases *a)
{
	for (uint32_t i = 0; i < a->ask.meta->n_trees; i++)
		if (a->ask.meta->trees[i].whole && path_is_beneath(a->ask.home, a->ask.meta->trees[i].real))
			return false;
	return a->ask.home[0] != 0;
}

/* A home that is not there, or not the person's to read, has nothing that they obey. */
static int look_at_home(struct aliases *a, struct err *e)
{
	auto_fd int fd = home_is_apart(a) ? place_open(a->ask.home) : -1;

	return fd < 0 ? 0 : look_at(a, ALIASES_HOME, fd, e);
}

static int by_target(const void *a, const void *b)
{
	const struct alias *x = a, *y = b;

	return x->tree != y->tree ? (int)x->tree - (int)y->tree : strcmp(x->target, y->target);
}

int aliases_find(const struct aliases_ask *ask, struct aliases **ret, struct err *e)
{
	struct aliases *a = calloc(1, sizeof *a);
	int r = 0;

	if (a == NULL)
		return no_memory(e);
	a->ask = *ask;
	/* of what was granted file by file all that can change was named */
	for (uint32_t i = 0; i < ask->meta->n_trees && r == 0; i++)
		if (ask->meta->trees[i].whole)
			r = look_at(a, (uint16_t)i, ask->trees->real[i], e); /* below STAGE_TREES_MAX */
	r = r < 0 ? r : look_at_home(a, e);
	if (r < 0) {
		aliases_destroy(a);
		return r;
	}
	if (a->n > 1)
		qsort(a->list, a->n, sizeof *a->list, by_target);
	*ret = a;
	return 0;
}

/* ---- what was found ---- */

struct search {
	const struct aliases *a;
	uint16_t tree;
	const char *path;
	struct alias_match m;
	bool (*fn)(void *user, const struct alias_match *m);
	void *user;
};

/* The first of the tree that is not before the n bytes. */
static size_t lower_bound(const struct search *s, const char *text, size_t n)
{
	size_t low = 0, high = s->a->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct alias *x = &s->a->list[middle];
		int order = (int)x->tree - (int)s->tree;

		if (order == 0)
			order = strncmp(x->target, text, n);
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool tell(struct search *s, const struct alias *x, enum alias_kind kind, size_t len)
{
	s->m.kind = kind;
	s->m.len = len;
	s->m.link_tree = x->link_tree;
	s->m.link = x->link;
	if (snprintf(s->m.name, sizeof s->m.name, "%s%s", x->link, kind == ALIAS_SAME ? s->path + len : "") >=
	    (int)sizeof s->m.name)
		return true; /* no program gets there by this name */
	return s->fn(s->user, &s->m);
}

/* Those that lead to the first n bytes of the path. */
static bool tell_of(struct search *s, size_t n)
{
	for (size_t i = lower_bound(s, s->path, n); i < s->a->n; i++) {
		const struct alias *x = &s->a->list[i];

		if (x->tree != s->tree || strncmp(x->target, s->path, n) != 0)
			break;
		if (x->target[n] != 0) /* longer ones follow */
			break;
		if ((!x->road || s->path[n] == 0) && !tell(s, x, x->road ? ALIAS_ROAD : ALIAS_SAME, n))
			return false;
	}
	return true;
}

/* Those that lead to something beneath it. */
static bool tell_above(struct search *s, size_t n)
{
	for (size_t i = lower_bound(s, s->path, n); i < s->a->n; i++) {
		const struct alias *x = &s->a->list[i];

		if (x->tree != s->tree || strncmp(x->target, s->path, n) != 0)
			break;
		if ((n == 0 || x->target[n] == '/') && !tell(s, x, ALIAS_ABOVE, n))
			return false;
	}
	return true;
}

void aliases_each(const struct aliases *a, uint16_t tree, const char *path,
		  bool (*fn)(void *user, const struct alias_match *m), void *user)
{
	struct search s = { .a = a, .tree = tree, .path = path, .fn = fn, .user = user };
	size_t n = 0;

	while (path[n] != 0) {
		n += strcspn(path + n, "/");
		if (!tell_of(&s, n))
			return;
		n += path[n] == '/';
	}
	(void)tell_above(&s, strlen(path));
}
