#include "explain/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/grant.h"

/* How much of a directory must have been used before it stands for what lies in it: `children` different names directly in
 * it, or `paths` anywhere beneath by at least two of its names. A record does not say how large a directory is; a program
 * that opened this many names of one takes it as a whole. The workspace is the person's own and in view: less is needed. */
static const struct threshold {
	enum zone { ZONE_WORKSPACE, ZONE_HOME, ZONE_ELSEWHERE, ZONE_COUNT } zone;
	size_t children, paths;
} thresholds[ZONE_COUNT] = {
	[ZONE_WORKSPACE] = { ZONE_WORKSPACE, 3, 6 },
	[ZONE_HOME] = { ZONE_HOME, 8, 24 },
	[ZONE_ELSEWHERE] = { ZONE_ELSEWHERE, 8, 24 },
};

#define EASIEST 2 /* below two names there is nothing to group */

void path_list_finish(struct path_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->paths[i]);
	free(l->paths);
	*l = (struct path_list){ .n = 0 };
}

/* By parts, so that "/a/b" stands before "/a-b". */
static int compare(const char *a, const char *b)
{
	while (*a != 0 && *a == *b) {
		a++;
		b++;
	}
	if (*a == *b)
		return 0;
	if (*a == 0 || *b == 0)
		return *a == 0 ? -1 : 1;
	if (*a == '/' || *b == '/')
		return *a == '/' ? -1 : 1;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

/* Where path is, or would be. */
static size_t place_of(const struct path_list *l, const char *path)
{
	size_t low = 0, high = l->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (compare(l->paths[middle], path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool make_room(struct path_list *l)
{
	const size_t cap = l->cap == 0 ? 16 : l->cap * 2; /* bounded by the effects of a record */
	char **grown;

	if (l->n < l->cap)
		return true;
	grown = realloc(l->paths, cap * sizeof *grown);
	if (grown == NULL)
		return false;
	l->paths = grown;
	l->cap = cap;
	return true;
}

void path_list_add(struct path_list *l, const char *path)
{
	const size_t at = place_of(l, path);
	char *copy;

	if (l->failed || (at < l->n && strcmp(l->paths[at], path) == 0))
		return;
	copy = strdup(path);
	if (copy == NULL || !make_room(l)) {
		free(copy);
		l->failed = true;
		return;
	}
	memmove(l->paths + at + 1, l->paths + at, (l->n - at) * sizeof *l->paths);
	l->paths[at] = copy;
	l->n++;
}

bool path_list_has(const struct path_list *l, const char *path)
{
	const size_t at = place_of(l, path);

	return at < l->n && strcmp(l->paths[at], path) == 0;
}

bool path_list_covers(const struct path_list *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (path_is_beneath(path, l->paths[i]))
			return true;
	return false;
}

/* Takes out what lies beneath another: it stands behind it in the order. */
static void drop_covered(struct path_list *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (kept > 0 && path_is_beneath(l->paths[i], l->paths[kept - 1]))
			free(l->paths[i]);
		else
			l->paths[kept++] = l->paths[i];
	}
	l->n = kept;
}

/* ---- directories ---- */

struct used {              /* of a directory */
	size_t first, end; /* of the list: what lies beneath it */
	size_t children;
};

static bool is_child_of(const char *path, const char *directory)
{
	return strcmp(path, directory) != 0 && path_is_beneath(path, directory);
}

/* The part of path that lies directly in directory: where it starts and how long it is. */
static size_t child_part(const char *path, const char *directory, const char **ret)
{
	*ret = path + (directory[1] == 0 ? 1 : strlen(directory) + 1);
	return strcspn(*ret, "/");
}

static struct used used_of(const struct path_list *l, const char *directory)
{
	struct used u = { .first = place_of(l, directory) };
	const char *last = NULL;
	size_t last_len = 0;

	for (u.end = u.first; u.end < l->n && is_child_of(l->paths[u.end], directory); u.end++) {
		const char *part;
		const size_t len = child_part(l->paths[u.end], directory, &part);

		if (last == NULL || len != last_len || memcmp(part, last, len) != 0)
			u.children++;
		last = part;
		last_len = len;
	}
	return u;
}

static enum zone zone_of(const struct group_rules *rules, const char *directory)
{
	if (rules->workspace != NULL && path_is_beneath(directory, rules->workspace))
		return ZONE_WORKSPACE;
	return rules->home != NULL && path_is_beneath(directory, rules->home) ? ZONE_HOME : ZONE_ELSEWHERE;
}

/* A threshold made `ease` times easier. */
static size_t eased(size_t threshold, size_t ease)
{
	return threshold / ease > EASIEST ? threshold / ease : EASIEST;
}

static bool enough(const struct group_rules *rules, const char *directory, const struct used *u, size_t ease)
{
	const struct threshold *t = &thresholds[zone_of(rules, directory)];

	return u->children >= eased(t->children, ease) ||
	       (u->children >= EASIEST && u->end - u->first >= eased(t->paths, ease));
}

/* Puts the directory in place of what lies in it. False: memory is gone, and nothing changed. */
static bool stand_for(struct path_list *l, const char *directory, const struct used *u)
{
	char *copy = strdup(directory);

	if (copy == NULL)
		return false;
	for (size_t i = u->first; i < u->end; i++)
		free(l->paths[i]);
	l->paths[u->first] = copy;
	memmove(l->paths + u->first + 1, l->paths + u->end, (l->n - u->end) * sizeof *l->paths);
	l->n -= u->end - u->first - 1;
	return true;
}

static bool cut_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (path[1] == 0)
		return false;
	slash[slash == path ? 1 : 0] = 0;
	return true;
}

static size_t depth_of(const char *path)
{
	size_t n = 0;

	for (; *path != 0; path++)
		n += *path == '/';
	return n;
}

/* Every directory of this depth that holds something of the list, once. */
static void group_at(struct path_list *l, const struct group_rules *rules, size_t depth, size_t ease)
{
	for (size_t i = 0; i < l->n; i++) {
		char directory[GRANT_OBJECT_MAX];
		struct used u;

		if (depth_of(l->paths[i]) <= depth)
			continue;
		(void)snprintf(directory, sizeof directory, "%s", l->paths[i]); /* paths are shorter */
		while (depth_of(directory) > depth)
			(void)cut_last(directory);
		u = used_of(l, directory);
		if (!enough(rules, directory, &u, ease) || !rules->may_stand(rules->user, directory) ||
		    !stand_for(l, directory, &u))
			i = u.end - 1; /* past what lies in it */
	}
}

static size_t deepest(const struct path_list *l)
{
	size_t most = 0;

	for (size_t i = 0; i < l->n; i++)
		if (depth_of(l->paths[i]) > most)
			most = depth_of(l->paths[i]);
	return most;
}

/* Deep directories first: what is narrow is tried before what is wide. */
void path_list_group(struct path_list *l, const struct group_rules *rules)
{
	drop_covered(l);
	for (size_t ease = 1; ease == 1 || (l->n > rules->most && ease <= 16); ease *= 2)
		for (size_t depth = deepest(l); depth > 0; depth--)
			group_at(l, rules, depth, ease);
}
