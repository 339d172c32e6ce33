/* over - the logs of a ledger one after the other, the earliest first, for what reads each of them to its end.
 *
 * Owns:   which logs those are: all that hang together (chain.h), and of one event the log that has it.
 * Holds:  where there is more than one, all were verified before the first is given out, each with the key that its neighbour names; one that was
 *         closed is given out only as it was then. An event is of the log that has it signed, and of no other; what nobody signed yet is asked
 *         only for an event that no log has so. What is wrong is in the report, and a log that is not what was signed is left out, but for the
 *         present one.
 * Called: account, audit, export. */
#ifndef AUDIT_OVER_H
#define AUDIT_OVER_H

#include "audit/chain.h"

struct over_log {
	struct snapshot *snapshot;
	const struct audit_ask
		*ask;    /* of this log: its witnesses; and the event, if one is asked for, by its whole id */
	unsigned number; /* as in past/N; 0: the present one, or the only one */
	bool last;       /* of those that are given out */
	const struct snapshot *present; /* of what `together` says first */
	const struct chain *chain;      /* NULL: there is one log */
	struct report *together;        /* what was found in all of them; NULL: likewise */
};

/* 0 or -code. */
typedef int over_fn(void *arg, const struct over_log *log, struct err *e);

/* -NOT_FOUND, -CONFLICT: there is no such event, or more than one. */
int over_logs(const struct audit_ask *ask, verify_progress_fn *progress, over_fn *each, void *arg, struct err *e);

/* What was found when this one was read, among what was found in all. Gives that report, or `found` itself. */
const struct report *over_found(const struct over_log *log, const struct report *found);

#endif
