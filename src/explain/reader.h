/* reader - the text of a record, read.
 *
 * Owns:   struct told: what a record says, in the types that it was made from; finish it with told_finish.
 * Holds:  strict where meaning is: JSON without duplicate keys or trailing bytes, known words, numbers in range, paths
 *         normal, no NUL in a name. Keys that it does not know are ignored, as doc/RECORD.md promises. What a record
 *         suggests (`would`, `why`) is not read: it is worked out again from what was denied.
 * Called: by the explain role, which has no authority, and by tests. Links jansson; the supervisor does not. */
#ifndef EXPLAIN_READER_H
#define EXPLAIN_READER_H

#include <stddef.h>

#include <jansson.h>

#include "base/err.h"
#include "explain/reader_change.h"
#include "lib/result.h"

#define READER_BYTES_MAX (128u << 20) /* as RECORD_MAX of a writer */

struct told {
	bool is_call;                /* of a gate, and in json alone: explain/call.h */
	struct event_result result;  /* all but `achieved`, the stage and the output; what it borrows is in here */
	struct told_change *changes; /* owned: the effects that are proved */
	size_t n_changes;
	struct grant_set *grants;         /* owned */
	char **argv;                      /* owned, as are its texts */
	char *workdir, *home;             /* owned, NULL if none */
	const char *wall[PROPERTY_COUNT]; /* in json; NULL: not held */
	json_t *json;                     /* owned */
};

/* 0; -MALFORMED with the offset or the key that is wrong; -UNAVAILABLE: another version; -LIMIT; -MEMORY. The caller
 * finishes *ret in any case. */
int reader_read(const void *bytes, size_t n, struct told *ret, struct err *e);
void told_finish(struct told *t);

#endif
