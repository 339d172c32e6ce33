/* look - one change, looked at: what is to be shown of it.
 *
 * Owns:   struct look: the texts (borrowed from the change) and their script.
 * Holds:  a change that is of two types is looked at as two, a deletion and an addition, as git does.
 * Called: patch.c, stat.c; pure but for memory. */
#ifndef DIFF_LOOK_H
#define DIFF_LOOK_H

#include "diff/input.h"
#include "diff/script.h"

/* What stands where lines would. */
enum look_body {
	LOOK_NOTHING, /* both have the same content, or what it is has none */
	LOOK_LINES,
	LOOK_ESCAPED, /* lines, of which some need escapes */
	LOOK_BINARY,
	LOOK_OMITTED,
};

struct look {
	const struct change *change;
	const struct diff_side *old, *new; /* borrowed; absent ones included */
	enum look_body body;
	uint8_t why;          /* enum diff_why, of OMITTED */
	struct text texts[2]; /* of LINES, ESCAPED and BINARY */
	struct script script; /* owned, of LINES and ESCAPED; empty until look_compare */
};

/* Whether a regular file or a symbolic link: what patches know. */
bool look_is_patchable(const struct diff_side *s);
/* Whether the two sides are shown apart. */
bool look_is_split(const struct diff_change *c);

/* old and new: the change's own sides, or one of them and an absent one. */
void look_at(const struct change *c, const struct diff_side *old, const struct diff_side *new, struct look *ret);
/* The script of LINES and ESCAPED. -AMBIT_MEMORY. */
int look_compare(struct look *l, uint64_t *work);
void look_finish(struct look *l);

/* The bytes of a side, given or only counted. */
uint64_t look_size(const struct change *c, const struct diff_side *s, bool is_new);

extern const struct diff_side look_absent;

#endif
