/* tried - a policy file that is tried on what happened, made ready for the role that reads logs.
 *
 * Owns:   nothing.
 * Holds:  the file is read by ambit-policy, and what it grants is what `ambit run --policy` would grant here and now, links resolved; but for what it
 *         says of the workspace, which is another directory in each event, and is resolved there, by name alone.
 * Called: cli_ledger. */
#ifndef CLI_TRIED_H
#define CLI_TRIED_H

#include "ambit/ambit.h"
#include "base/buf.h"

/* Appends what audit/policy_asked.h encodes. */
int tried_policy(const char *path, struct buf *out, struct ambit_error *e);

#endif
