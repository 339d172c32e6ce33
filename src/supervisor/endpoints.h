/* endpoints - what the grants of an event make listen in its cell.
 *
 * Owns:   the decisions that grants alone need: which of them cannot be, or not together.
 * Holds:  an endpoint exists in the cell if and only if a grant says so. Pure: nothing of the host is looked at.
 * Called: supervisor/plan.c, before an event; lib/policy_check.c, for who only asks. */
#ifndef SUPERVISOR_ENDPOINTS_H
#define SUPERVISOR_ENDPOINTS_H

#include "cell/spec.h"
#include "core/grant.h"

/* Of those with terms each has a process, and none a secret for any host. -LIMIT, -DENIED. */
int endpoints_check_judged(const struct grant_set *set, struct err *e);
/* Gives spec an endpoint for each grant `connect`, and what grants `listen` need: data only. -UNAVAILABLE, -MALFORMED, -LIMIT; -CONFLICT: a
 * port of the cell would be the host's and a server's, or one connection would be bounded in two ways. */
int endpoints_plan(const struct grant_set *set, struct cell_spec *spec, struct err *e);

/* Which is the socket of the agent for ssh; CELL_ENDPOINTS_MAX: there is none. */
uint32_t endpoints_agent(const struct cell_spec *spec);
bool endpoints_is_delegate(const struct cell_spec *spec, uint32_t i); /* the last, if there is one */
bool endpoints_is_agent(const struct cell_spec *spec, uint32_t i);

#endif
