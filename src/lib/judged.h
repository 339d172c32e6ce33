/* judged - an event that is bound by the person's authority: by labels, and by grants that ask.
 *
 * Owns:   struct judged: a connection to the keeper, from judged_begin until it was told to a supervisor, or finished.
 * Holds:  where nothing was ever labelled, and no grant of the event says a word of it, there is nothing to ask, which one system call tells. Else the stream
 *         has each label that the event's grants bring, and those of files that lie there, before its program runs; and what is labelled later, and lies where it may
 *         look, is labelled for it, too. A connection is the badge's alone before anybody else has it (keeper_bind). An event that has to be judged, and for
 *         which the authority cannot be had, does not begin.
 * Called: lib/event.c. Waits for the keeper, which answers in milliseconds, and 15 s at most. */
#ifndef LIB_JUDGED_H
#define LIB_JUDGED_H

#include "lib/standing.h"
#include "supervisor/judge_told.h"
#include "supervisor/request.h"

/* Who acts in an event, and its grants there: what those of its sub-agents are derived from. 0: it was not needed yet. */
struct judged_grants {
	struct standing who;
	authority_ref base; /* of what is seen without a grant */
	struct {
		authority_ref asks, holds; /* by which a person is asked before it begins; and all else */
	} of[GRANTS_MAX];
};

/* Who asked for a sub-agent. */
struct judged_caller {
	const struct event_request *q;
	struct judged_grants **grants; /* owned there; NULL: nothing of the caller was judged yet */
	int *held;            /* owned there: likewise -1; a connection that is the caller's, by which it stays */
	uint32_t delegate;    /* by which of its grants */
	const uint32_t *from; /* by the sub-agent's grants: the caller's of which each was derived */
};

struct judged {
	struct keeper *k; /* owned; NULL: nothing is judged */
	struct keeper_labels names;
	struct judge_told told;
	struct judged_grants *grants; /* owned; NULL: likewise */
};

/* Fills in q->labels and q->labels_most of an event that is about to begin. argv: what is asked for, as it is recorded. caller: NULL, if it is no sub-agent. -DENIED: labels close what would be open from its start on; or
 * a grant asks, and nobody said yes to its use by just this command: what waits is named. */
int judged_begin(struct judged *j, struct event_request *q, char *const *argv, const struct judged_caller *caller,
		 struct err *e);
/* Sends EVENT_AUTHORITY, if there is something to judge while it runs. keep_ms: how long a question waits. */
int judged_tell(struct judged *j, int sock, const struct event_request *q, uint64_t keep_ms, struct err *e);
/* Of one that the supervisor is not told of: the connection, bound, for as long as the event goes on. What comes into its files meanwhile labels its stream, which
 * has to be there (authority/room.h). -1: there is none. */
int judged_hold(struct judged *j, int *ret_fd, struct err *e);
void judged_finish(struct judged *j);
/* It is over: what it wrote in place has the labels that came while it ran, too. */
int judged_over(struct event_request *q, struct err *e);

#endif
