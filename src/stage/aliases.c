#include "stage/aliases.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/grant.h"
#include "judge/protected.h"
#include "stage/listing.h"
#include "stage/sys.h"

#define LINKS_MAX 40      /* as the kernel follows */
#define ALIASES_MAX 65536 /* in a tree with more the rest is held (see look_through) */
#define BUCKETS 4096

struct alias {
	uint16_t tree;
	bool road;    /* a link on the way, and nothing beneath it */
	char *target; /* owned: relative to the tree */
	char *name;   /* owned: of the link */
};

struct seen {
	struct seen *next;
	uint16_t tree;
	char path[];
};

struct aliases {
	const struct trees *trees; /* borrowed */
	const struct stage_meta *meta;
	struct alias *list; /* owned */
	size_t n;
	struct seen *buckets[BUCKETS]; /* owned */
	struct listing listing;
};

struct aliases *aliases_create(const struct trees *trees, const struct stage_meta *meta)
{
	struct aliases *a = calloc(1, sizeof *a);

	if (a != NULL) {
		a->trees = trees;
		a->meta = meta;
	}
	return a;
}

void aliases_destroy(struct aliases *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->n; i++) {
		free(a->list[i].target);
		free(a->list[i].name);
	}
	for (size_t i = 0; i < BUCKETS; i++)
		while (a->buckets[i] != NULL) {
			struct seen *next = a->buckets[i]->next;

			free(a->buckets[i]);
			a->buckets[i] = next;
		}
	free(a->list);
	free(a);
}

/* 1: new; 0: seen before; -1: no memory. */
static int see(struct aliases *a, uint16_t tree, const char *path, size_t n)
{
	uint32_t hash = 2166136261u ^ tree;
	struct seen **bucket, *s;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (uint8_t)path[i]) * 16777619u;
	bucket = &a->buckets[hash % BUCKETS];
	for (s = *bucket; s != NULL; s = s->next)
		if (s->tree == tree && strncmp(s->path, path, n) == 0 && s->path[n] == 0)
			return 0;
	s = malloc(sizeof *s + n + 1);
	if (s == NULL)
		return -1;
	s->next = *bucket;
	s->tree = tree;
	memcpy(s->path, path, n);
	s->path[n] = 0;
	*bucket = s;
	return 1;
}

static bool add(struct aliases *a, uint16_t tree, const char *target, const char *name, bool road)
{
	struct alias *grown = a->list;

	if (a->n >= ALIASES_MAX)
		return false;
	if ((a->n & (a->n - 1)) == 0) /* grows at powers of two */
		grown = realloc(a->list, (a->n == 0 ? 1 : 2 * a->n) * sizeof *grown);
	if (grown == NULL)
		return false;
	a->list = grown;
	grown[a->n] = (struct alias){ .tree = tree, .road = road, .target = strdup(target), .name = strdup(name) };
	a->n++;
	return grown[a->n - 1].target != NULL && grown[a->n - 1].name != NULL;
}

/* The link at path, read; what it leads to, relative to the tree, with `rest` behind it. False: out of the tree, or too long. */
static bool read_link(const struct aliases *a, uint16_t tree, int dir_fd, const char *path, const char *name,
		      const char *rest, char ret[CHANGE_PATH_MAX])
{
	const char *real = a->meta->trees[tree].real;
	const size_t skip = strcmp(real, "/") == 0 ? 0 : strlen(real);
	char text[2 * CHANGE_PATH_MAX], above[STAGE_PATH_MAX + CHANGE_PATH_MAX], full[GRANT_OBJECT_MAX];
	const ssize_t n = readlinkat(dir_fd, name, text, CHANGE_PATH_MAX);

	if (n <= 0 || n == CHANGE_PATH_MAX || (size_t)n + strlen(rest) >= sizeof text)
		return false;
	memcpy(text + n, rest, strlen(rest) + 1); /* just measured */
	(void)snprintf(above, sizeof above, "%s/%.*s", strcmp(real, "/") == 0 ? "" : real, (int)(name - path), path);
	if (!path_normalise(above, text, full, sizeof full) || !path_is_beneath(full, real))
		return false;
	(void)snprintf(ret, CHANGE_PATH_MAX, "%s", full[skip] != 0 ? full + skip + 1 : "");
	return true;
}

/* Goes from `path` on as the kernel would. Each link on the way is a road to `name`; where it ends is the same as `name`. */
static bool follow(struct aliases *a, uint16_t tree, const char *path, const char *name)
{
	char at[CHANGE_PATH_MAX], part[CHANGE_PATH_MAX];
	int links = 0;

	(void)snprintf(at, sizeof at, "%s", path);
	for (size_t n = 0; at[0] != 0;) {
		const char *last;
		auto_fd int dir = -1;
		struct look l;
		bool is_link;

		n += strcspn(at + n, "/");
		(void)snprintf(part, sizeof part, "%.*s", (int)n, at); /* no longer than at */
		dir = sys_open_parent(a->trees->real[tree], part, &last);
		is_link = dir >= 0 && sys_look(dir, last, &l) == 0 && S_ISLNK(l.id.mode);
		if (is_link) {
			char next[CHANGE_PATH_MAX];

			if (strcmp(part, name) != 0 && !add(a, tree, part, name, true))
				return false;
			if (++links > LINKS_MAX || !read_link(a, tree, dir, part, last, at + n, next))
				return true;
			memcpy(at, next, sizeof at);
			n = 0;
			continue;
		}
		if (at[n] == 0)
			break;
		n++;
	}
	/* to the tree itself: all of it would be held, and nobody means that */
	return at[0] == 0 || strcmp(at, name) == 0 || add(a, tree, at, name, false);
}

/* Whether a link of this name stands for something that programs obey. */
static bool is_obeyed(const struct aliases *a, uint16_t tree, const char *path)
{
	const struct name_case c = { .tree = a->meta->trees[tree].real, .path = path, .type = CHANGE_SYMLINK };
	struct name_verdict v;

	protected_match(&c, &v);
	return v.held != HELD_NOT;
}

static bool look_at(struct aliases *a, uint16_t tree, const char *dir, const char *name)
{
	char path[CHANGE_PATH_MAX];

	if (snprintf(path, sizeof path, "%s%s%s", dir, dir[0] != 0 ? "/" : "", name) >= (int)sizeof path)
		return true; /* no change has such a path */
	return !is_obeyed(a, tree, path) || follow(a, tree, path, path);
}

static bool look_through(struct aliases *a, uint16_t tree, const char *dir)
{
	auto_fd int fd = sys_open_beneath(a->trees->real[tree], dir, O_RDONLY | O_DIRECTORY);
	const char *name;
	enum listing_kind kind;
	bool ok = true;

	if (fd < 0)
		return true; /* not there yet, or not to be read: no link of it is known to anybody */
	listing_begin(&a->listing, fd);
	while (ok && (name = listing_next(&a->listing, &kind)) != NULL)
		ok = kind != LISTING_LINK || look_at(a, tree, dir, name);
	return ok;
}

bool aliases_look(struct aliases *a, uint16_t tree, const char *path)
{
	char dir[CHANGE_PATH_MAX];

	for (size_t n = 0;; n++) {
		const int new = see(a, tree, path, n);

		if (new < 0)
			return false;
		(void)snprintf(dir, sizeof dir, "%.*s", (int)n, path); /* no longer than the path */
		if (new > 0 && !look_through(a, tree, dir))
			return false;
		n += n == 0 ? 0 : 1;
		n += strcspn(path + n, "/");
		if (path[n] == 0)
			return true;
		n--; /* of the loop */
	}
}

static bool fits(const struct alias *x, const char *path, enum alias_kind *ret_kind, size_t *ret_len,
		 char ret[CHANGE_PATH_MAX])
{
	const size_t target = strlen(x->target), n = strlen(path);
	const bool beneath = target == 0 ||
			     (strncmp(path, x->target, target) == 0 && (path[target] == '/' || path[target] == 0));
	const bool above = n < target && strncmp(path, x->target, n) == 0 && (n == 0 || x->target[n] == '/');

	if (x->road ? strcmp(path, x->target) != 0 && !above : !beneath && !above)
		return false;
	*ret_kind = above ? ALIAS_ABOVE : x->road ? ALIAS_ROAD : ALIAS_SAME;
	*ret_len = above ? n : target;
	if (*ret_kind != ALIAS_SAME) {
		(void)snprintf(ret, CHANGE_PATH_MAX, "%s", x->name);
		return true;
	}
	return snprintf(ret, CHANGE_PATH_MAX, "%s%s%s", x->name, path[target] != 0 && target == 0 ? "/" : "",
			path + target) < CHANGE_PATH_MAX;
}

bool aliases_any(const struct aliases *a)
{
	return a->n > 0;
}

int aliases_next(const struct aliases *a, uint16_t tree, const char *path, size_t *at, enum alias_kind *ret_kind,
		 size_t *ret_len, char ret[CHANGE_PATH_MAX])
{
	while (*at < a->n) {
		const struct alias *x = &a->list[(*at)++];

		if (x->tree == tree && fits(x, path, ret_kind, ret_len, ret))
			return 1;
	}
	return 0;
}
