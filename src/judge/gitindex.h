/* gitindex - the names that a commit of an index of git would have, one by one.
 *
 * Owns:   the format, read from gitformat-index(5): versions 2, 3 and 4, object ids of 20 or 32 bytes, extensions passed over.
 * Holds:  a name comes out only if it is one that git would take: relative, normal, in order. What cannot be read is a mistake,
 *         and so is a split index, whose names are in another file. The checksum at the end is not compared: git has an
 *         option to leave it out, and who can write the bytes can write their sum. Names that are only intended to be added are passed over.
 * Called: by index.c; pure, no heap. */
#ifndef JUDGE_GITINDEX_H
#define JUDGE_GITINDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/change.h"

struct gitindex {
	const uint8_t *bytes;
	size_t n, at;        /* n: without the sum */
	size_t id_len;       /* of an object id, and of the sum */
	uint32_t version;    /* 2, 3 or 4; 0: there is no index, so no names */
	uint32_t left;       /* entries that are still to come */
	const char *mistake; /* static; NULL while there is none */

	/* The entry. */
	char name[CHANGE_PATH_MAX]; /* of a directory in a sparse index it ends with a slash */
	size_t name_len;
	uint8_t stage; /* 1 to 3 of what is in conflict, which has several entries of one name */
	bool is_directory, is_intended;
	const uint8_t *id;
};

/* Without any name. */
void gitindex_init_empty(struct gitindex *g);
/* Reads all of it once, and begins anew. False: a mistake, and no name comes. */
bool gitindex_init(struct gitindex *g, const void *bytes, size_t n);
/* The next name of a commit. False at the end. */
bool gitindex_next(struct gitindex *g);

#endif
