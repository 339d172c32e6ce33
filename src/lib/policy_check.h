/* policy_check - whether a policy could be run, as far as it says itself.
 *
 * Holds:  asks the functions that an event asks (policy_resolve's, endpoints_plan); looks at nothing of the host.
 * Called: the command line. */
#ifndef LIB_POLICY_CHECK_H
#define LIB_POLICY_CHECK_H

#include "policy/policy.h"

/* The first line that cannot be, or not with those before it that are of the same: of events, of a guarded server, of its tools; e says where it stands. */
int policy_check(const struct policy *p, struct err *e);

#endif
