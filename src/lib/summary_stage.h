/* summary_stage - what a person needs to know of changes that are not committed.
 *
 * Holds:  nothing at all if nothing was kept, and after a commit only what gave way. Three lines for what is held back, each: what, why, what to do; every foreign text
 *         escaped.
 * Called: summary, cli; pure. */
#ifndef LIB_SUMMARY_STAGE_H
#define LIB_SUMMARY_STAGE_H

#include "base/buf.h"
#include "base/err.h"
#include "lib/stage_answer.h"

#define SUMMARY_HELD 4 /* of three lines each; more are counted */
#define SUMMARY_STAGE_LINES (3 * SUMMARY_HELD + 2 + 3)

/* error: why it could not even be tried, or NULL. */
void summary_stage_text(const struct stage_answer *a, const struct err *error, struct buf *out);
/* The same at the end of an event: how is why its changes are kept, where that is known better; NULL if not. */
void summary_stage_ended(const struct stage_answer *a, const struct err *error, const char *how, struct buf *out);
/* What is waited for, in a line; a->waits. */
void summary_waiting_text(const struct stage_answer *a, struct buf *out);
/* Why a change is held back, where nothing more exact is known; "" if it is not. */
const char *summary_held_why(uint8_t held);
/* "3 days": a time to come, from now on. */
void summary_time_left(uint64_t ns, char *ret, size_t size);

#endif
