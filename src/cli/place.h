/* place - where a ledger lies that is read.
 *
 * Called: cli_ledger, cli_explain. */
#ifndef CLI_PLACE_H
#define CLI_PLACE_H

#include "base/err.h"
#include "core/grant.h"

struct place {
	char dir[GRANT_OBJECT_MAX]; /* absolute, without links */
	char log[GRANT_OBJECT_MAX]; /* in it: the log, beside which the key lies, which is nothing that whoever reads may have */
	char payload[GRANT_OBJECT_MAX]; /* likewise; empty: there is none */
	char witness[GRANT_OBJECT_MAX]; /* likewise */
	char past[GRANT_OBJECT_MAX];    /* of the logs before; likewise */
	bool is_written;                /* its key is there, so whatever it had is to be there */
};

/* How many logs were closed; past/N lies as a ledger does. */
unsigned place_past(const struct place *place);

/* The directory of its index, which is made where it is missing, for one who looks something up. */
struct place_index {
	char path[GRANT_OBJECT_MAX]; /* empty: none can be used, and why says why */
	int lock_fd;                 /* owned, -1 if none: the index may be written while we have it */
	struct err why;
};
void place_index(const struct place *place, struct place_index *ret);

/* given: the directory that was named, NULL: the person's own. -NOT_FOUND: there is no ledger. */
int place_find(const char *given, struct place *ret, struct err *e);

/* The directory of a copy, made where it is missing (not those above it), and locked. ret: absolute, without links. -CONFLICT: somebody else copies
 * there; -USAGE: it lies in the ledger, or the ledger in it. */
int place_copy(const struct place *place, const char *given, char ret[GRANT_OBJECT_MAX], int *ret_lock_fd,
	       struct err *e);

/* "last", an event's id, or the beginning of one. */
bool place_is_event(const char *word);
/* An id with that letter before its "_", or the beginning of one. */
bool place_is_id(char letter, const char *word);

#endif
