/* replay - each decision of a ledger made once more, out of what its logs say that it depended on.
 *
 * Owns:   which entries are decisions, which of them can be made again, and what is counted.
 * Holds:  an entry is used only when it was found to be what was signed, in the same reading (verify.h); those that are not signed yet come last,
 *         and are counted. What cannot be made again is counted as that by its reason, never as agreeing. Memory is bounded: REPLAY_OPEN_MAX
 *         events may be open at once; of more, the one that was silent for longest is given up, and what comes of it later is counted as such.
 * Called: audit. */
#ifndef AUDIT_REPLAY_H
#define AUDIT_REPLAY_H

#include "audit/ask.h"
#include "audit/verify.h"

#define REPLAY_OPEN_MAX 64

/* Writes to descriptor 1. *ret_failed: something differs, or a log is not what was signed; with a policy also: something that an
 * event did would be denied, or be lost. progress may be NULL. */
int replay_logs(const struct audit_ask *ask, verify_progress_fn *progress, bool *ret_failed, struct err *e);

#endif
