/* over - the logs of a ledger one after the other, the earliest first, for what reads each of them to its end.
 *
 * Owns:   which logs those are: all that hang together (chain.h), and of one event the log that has it.
 * Holds:  where there is more than one, all were verified before the first is given out, each with the key that its neighbour names; one that was
 *         closed is given out only as it was then. What is wrong with them is in the report, and a log that is not what was signed is left out,
 *         but for the present one.
 * Called: audit/main.c. */
#ifndef AUDIT_OVER_H
#define AUDIT_OVER_H

#include "audit/chain.h"

struct over_log {
	struct snapshot *snapshot;
	const struct audit_ask *ask; /* whose witnesses are those of this log */
	unsigned number;             /* as in past/N; 0: the present one, or the only one that is looked at */
	const struct chain *chain;   /* NULL: it is looked at alone */
	struct report *together;     /* what was found in all of them; NULL: likewise */
};

/* 0 or -code. Of an event, before anything else is done: -NOT_FOUND, and another log is tried. */
typedef int over_fn(void *arg, const struct over_log *log, struct err *e);

/* What was found when it was read once more, and was not before, is told among what was found in all. Gives that report, or `found` itself. */
struct report *over_found(const struct over_log *log, struct report *found);

int over_logs(const struct audit_ask *ask, verify_progress_fn *progress, over_fn *each, void *arg, struct err *e);

#endif
