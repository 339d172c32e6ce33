/* aliases - other names of what programs obey: links with protected names, and where they lead.
 *
 * Owns:   struct aliases: the links that were found, by what they lead to.
 * Holds:  all links of the trees that were granted whole are known, as they are at the moment of the call, by an index that finds them
 *         again (scan.h); and of the person's home those that programs obey, the first MASK_HOME_DIRECTORIES directories of
 *         them. A link may lead from one tree, or from the home, into another tree, over any number of others. What leads to a whole tree, or to
 *         what holds it, counts for nothing: who granted the tree named it. Links in directories that the person cannot list, or
 *         on other file systems beneath a tree, are not known; nor are those that lie neither in a tree nor in the home.
 * Called: judging.c, before the role shuts out everything but its trees. */
#ifndef STAGE_ALIASES_H
#define STAGE_ALIASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/change.h"
#include "stage/walk.h"

#define ALIASES_HOME UINT16_MAX /* in place of a tree's number */

struct aliases_ask {
	const struct trees *trees;
	const struct stage_meta *meta;
	int store_fd;
	const char *store; /* its path */
	const char *home;  /* the person's, real; "" if there is none */
	/* Whether a link of this name would stand for something that programs obey. */
	bool (*is_obeyed)(void *user, uint16_t tree, const char *path);
	void *user;
};

struct aliases;

/* Looks for them. -MEMORY; -LIMIT, -SYSTEM: a tree cannot be looked through, and nothing is known. */
int aliases_find(const struct aliases_ask *ask, struct aliases **ret, struct err *e);
void aliases_destroy(struct aliases *a);

/* How many names of a tree are hidden now, while it has room for SCAN_NAMES_MAX; 0 if it was not looked through. */
uint32_t aliases_hidden(const struct aliases *a, uint16_t tree);

/* Counts a new hidden name of this path where its directory has many already; NULL: none was counted. */
void aliases_count_hidden(struct aliases *a, uint16_t tree, const char *path);
/* Whether its directory would be hidden itself with all that were counted. */
bool aliases_would_crowd(struct aliases *a, uint16_t tree, const char *path);

enum alias_kind {
	ALIAS_SAME,  /* `name` is the path by way of the link */
	ALIAS_ROAD,  /* the path is a link on the way to what the link leads to */
	ALIAS_ABOVE, /* what the link leads to lies beneath the path */
};

struct alias_match {
	enum alias_kind kind;
	size_t len;                 /* of the path: what the link leads to, as far as it is of it */
	uint16_t link_tree;         /* where the link lies: a tree's number, or ALIASES_HOME */
	const char *link;           /* relative to that */
	char name[CHANGE_PATH_MAX]; /* relative to that: the path's other name, or the link */
};

/* The names under which the path is known besides, until fn returns false. */
void aliases_each(const struct aliases *a, uint16_t tree, const char *path,
		  bool (*fn)(void *user, const struct alias_match *m), void *user);

#endif
