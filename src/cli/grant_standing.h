/* grant_standing - grants of the person's authority, which outlive the event that they were made for: listing, revoking and restoring them.
 *
 * Called: cli/grant.c. Nothing is started where nobody ever asked for authority over time. */
#ifndef CLI_GRANT_STANDING_H
#define CLI_GRANT_STANDING_H

#include <stdbool.h>

#include "base/err.h"

/* The exit status, or -code. */
int grant_standing_list(bool json, struct err *e);
/* word: its id, or the beginning of one. back: it is restored. It returns when it is true, or after five seconds, and says then for how many it is not. */
int grant_standing_revoke(const char *word, bool back, bool json, struct err *e);

#endif
