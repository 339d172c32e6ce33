/* signed - who signed the checkpoint of a log, and whether it goes on from one that was saved.
 *
 * Owns:   nothing.
 * Holds:  what is wrong is a fault of the report.
 * Called: audit/verify.c, cosigned.c, growth.c. */
#ifndef AUDIT_SIGNED_H
#define AUDIT_SIGNED_H

#include "audit/report.h"
#include "audit/snapshot.h"
#include "base/span.h"

/* The signature; and, where the key was given, that the one beside the log is the same. */
void signed_check(const struct snapshot *s, struct report *report);
enum growth {
	GROWTH_GOOD,
	GROWTH_CUT, /* it has fewer entries */
	GROWTH_OTHER_ROOT,
	GROWTH_OTHER,  /* its first entries are others, or the tiles are not what was signed */
	GROWTH_UNKNOWN /* a tile is missing; the error says which */
};
/* Whether the log goes on from such a state. */
enum growth signed_growth(struct snapshot *s, uint64_t old, const struct hash *old_root, struct err *e);

/* saved: a checkpoint, empty: none. To be called when all else was looked at: of a log that was changed it cannot be told. */
void signed_check_growth(struct snapshot *s, struct span saved, struct report *report);

#endif
