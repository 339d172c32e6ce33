/* group - many paths as few, without granting what nobody used.
 *
 * Owns:   struct path_list: paths in order, each once; and the table of thresholds (group.c).
 * Holds:  after grouping every path that was in the list is in it or beneath one that is; no path of the list lies beneath
 *         another. A directory stands for what lies in it only if enough of it was used, and never if `may_stand` says no.
 * Called: by learn; pure but for the heap. */
#ifndef EXPLAIN_GROUP_H
#define EXPLAIN_GROUP_H

#include <stdbool.h>
#include <stddef.h>

struct path_list {
	char **paths; /* owned, sorted by parts: a directory directly before what lies beneath it */
	size_t n, cap;
	bool failed; /* memory is gone */
};

void path_list_finish(struct path_list *l);
/* Adds a copy; a path that is there stays once. */
void path_list_add(struct path_list *l, const char *path);
bool path_list_has(const struct path_list *l, const char *path);
/* Whether the path is in the list or beneath one that is. */
bool path_list_covers(const struct path_list *l, const char *path);

struct group_rules {
	const char *workspace, *home; /* NULL if none */
	/* Whether a grant of this directory is thinkable at all. */
	bool (*may_stand)(const void *user, const char *directory);
	const void *user;
	size_t most; /* paths at the end, as far as grouping can bring it: the thresholds are lowered until they are */
};

void path_list_group(struct path_list *l, const struct group_rules *rules);

#endif
