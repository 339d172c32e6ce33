/* derive - which grants a sub-agent gets out of those of its caller.
 *
 * Owns:   the rules of a grant `delegate`.
 * Holds:  each grant that is given was derived from one of the caller's that is not withdrawn (grant_derive), and so allows no more. What is
 *         counted (uses, bytes, rate) is not given on: two who count apart would use it twice; but where the authority counts for both,
 *         just as it is. Sub-agents of sub-agents are charged when
 *         their grant is given, so that however they are nested there are never more than `uses`.
 * Called: supervisor/delegate.c; pure. */
#ifndef SUPERVISOR_DERIVE_H
#define SUPERVISOR_DERIVE_H

#include "supervisor/sibling.h"

struct derive_from {
	const struct grant_set *grants;
	const bool *withdrawn; /* by grant */
	bool together;         /* numbers count for all of a session, whoever uses them */
	uint32_t *used;        /* by grant: what was charged to it so far; only raised where a set was given */
};

struct derived {
	char agent[AGENT_NAME_MAX];
	struct grant_set grants;
	bool from[GRANTS_MAX]; /* which of the caller's it depends on */
	struct sibling_from of;
};

/* -DENIED: nothing of the caller's covers it, or its number or depth is used up. -UNAVAILABLE: of what is counted. */
int derive(const struct derive_from *caller, const struct sibling_ask *ask, struct derived *ret, struct err *e);

#endif
