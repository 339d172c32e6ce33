/* hidden - which names a grant of a whole tree does not show.
 *
 * Owns:   the table hidden.def.
 * Holds:  a name is judged by itself and by the name of the directory that holds it, never by what is in the file. ASCII
 *         letters fit in both cases; other bytes stand for themselves.
 * Called: from anywhere; pure. */
#ifndef STAGE_HIDDEN_H
#define STAGE_HIDDEN_H

#include <stdint.h>

struct hidden_row {
	char parent[16];  /* what the holding directory is called, "" for any */
	char pattern[28]; /* of the name, in small letters; `*` is its only wildcard */
	uint8_t length;   /* of the pattern */
	const char *why;  /* NULL: an exception, which is shown */
};

/* The row that hides `name` in a directory called `parent` ("" where that is not known); NULL if it is shown. */
const struct hidden_row *hidden_match(const char *parent, const char *name);
/* Of a path that begins with `/`, or is "": the row that hides it, or what it lies beneath; NULL if it is shown. */
const struct hidden_row *hidden_path(const char *path);

/* Differs between tables that differ: what was found by another one has to be looked for again. */
uint64_t hidden_version(void);

#endif
