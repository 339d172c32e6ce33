/* written - the traces that have their event's own span, so that none gets a second one with the same name.
 *
 * Owns:   up to WRITTEN_SETS * SEEN_MAX of them, as hashes.
 * Holds:  what was taken once is never taken again, however much comes between; where there is no room to remember one, it is not taken at all.
 * Called: export/otlp.c; pure. Zeroed memory has none. */
#ifndef EXPORT_WRITTEN_H
#define EXPORT_WRITTEN_H

#include "audit/seen.h"

#define WRITTEN_SETS 64u /* of 64 KiB each, for 262144 events */

struct written {
	struct seen sets[WRITTEN_SETS];
};

/* False: it was taken before, or nobody can know that it was not. */
bool written_take(struct written *w, const void *trace, size_t n);

#endif
