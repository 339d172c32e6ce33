/* policy_asked - the grants of a policy that is tried on what happened, as the command line hands them to ambit-audit.
 *
 * Owns:   their encoding.
 * Holds:  what is decoded are grants in range. What a policy says of the workspace (`.`, `./x`) is kept apart: it is another directory in
 *         each event.
 * Called: cli (encode), audit (decode). */
#ifndef AUDIT_POLICY_ASKED_H
#define AUDIT_POLICY_ASKED_H

#include "base/buf.h"
#include "base/span.h"
#include "core/grant.h"

struct policy_asked {
	struct grant_set fixed;  /* as `ambit run --policy` would grant them */
	struct grant_set within; /* "/x" stands for ./x, "/" for . */
};

void policy_asked_encode(const struct policy_asked *p, struct buf *out);
/* -PROTOCOL. */
int policy_asked_decode(struct span bytes, struct policy_asked *ret, struct err *e);

#endif
