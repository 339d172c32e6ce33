/* aliases - other names of what programs obey: links of the real tree with protected names, and where they lead.
 *
 * Owns:   struct aliases: the links that were found, and which directories were looked through.
 * Holds:  a directory is looked through once, in the real tree, when something in it or beneath it changes; so is the tree itself.
 *         A link that lies elsewhere, in a directory in which nothing changes, is not known.
 * Called: judging.c. */
#ifndef STAGE_ALIASES_H
#define STAGE_ALIASES_H

#include <stddef.h>
#include <stdint.h>

#include "core/change.h"
#include "stage/walk.h"

struct aliases;

struct aliases *aliases_create(const struct trees *trees, const struct stage_meta *meta); /* NULL: no memory */
void aliases_destroy(struct aliases *a);

/* Looks through the directories above the path. False: no memory. */
bool aliases_look(struct aliases *a, uint16_t tree, const char *path);

/* Whether there is any link that leads to what programs obey, as far as was looked. */
bool aliases_any(const struct aliases *a);

/* The names under which the path is known besides, one after the other: 1 with a name, 0 at the end. */
enum alias_kind {
	ALIAS_SAME,  /* ret is the path by way of a link */
	ALIAS_ROAD,  /* the path is a link on the way to what ret says */
	ALIAS_ABOVE, /* what ret leads to lies beneath the path */
};
int aliases_next(const struct aliases *a, uint16_t tree, const char *path, size_t *at, enum alias_kind *ret_kind,
		 size_t *ret_len, char ret[CHANGE_PATH_MAX]);

#endif
