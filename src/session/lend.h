/* lend - ports of a session, which one of its events has at a time.
 *
 * Owns:   nothing.
 * Holds:  the first event that begins has the session's `listen` grants until it is over. Those that begin meanwhile get instead, of each, a connection to the port of the host's
 *         loopback that leads to it: no more than any program of the person's has.
 * Called: keep.c, job.c. */
#ifndef SESSION_LEND_H
#define SESSION_LEND_H

#include "policy/policy.h"

struct ambit_event;

bool lend_is_needed(const struct policy *p);
/* Whether it is known at which ports of the host the holder is reached. */
bool lend_is_known(const struct policy *p, struct ambit_event *holder);

/* What was changed of a policy; lend_back makes it as it was. */
struct lent {
	struct policy_line *lines; /* owned, NULL: none */
	uint32_t *at;              /* owned */
	uint32_t n;
};
/* -MEMORY. */
int lend(struct policy *p, struct ambit_event *holder, struct lent *ret, struct err *e);
void lend_back(struct policy *p, struct lent *l);

#endif
