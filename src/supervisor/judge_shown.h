/* judge_shown - what a person is shown of an event that wants to begin with a grant that asks, or to connect by one.
 *
 * Owns:   the form: a line for each thing, which is escaped, and all arguments of what runs, cut with their digest beside them.
 * Holds:  the same text for the same thing of the same command, in this event and in the next: an answer is bound to its digest.
 * Called: lib (before an event begins), supervisor/judge.c; pure. */
#ifndef SUPERVISOR_JUDGE_SHOWN_H
#define SUPERVISOR_JUDGE_SHOWN_H

#include "supervisor/request.h"

#define JUDGE_SHOWN_MAX (40u << 10)
#define JUDGE_ARGUMENTS_MAX (8u << 10) /* bytes that are shown, written out; of more there is the digest */

/* what: "connect", "begin"; to: where to, or with what. argv ends with NULL. */
void judge_shown_put(struct buf *out, const char *what, const char *to, const struct event_request *q,
		     char *const *argv, uint32_t grant);

#endif
