/* show - entries of one ledger, or of several in the order of their times.
 *
 * Owns:   which index is used, taking its numbers to whoever reads the entries, and putting the lines of several logs in order: each is read by a role of its own, into a file without a name.
 * Holds:  what is shown was read in the log by a role that sees no index (ambit-audit); what the one that does (ambit-index) answers is numbers, or
 *         nothing. Of one log nothing changes its place. What could not be read of one does not hide the others.
 * Called: cli_ledger. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "audit/ask.h"

#define SHOW_LEDGERS_MAX 64

struct show_how {
	struct audit_ask ask;                  /* what is wanted; where it lies is filled in here */
	const char *ledgers[SHOW_LEDGERS_MAX]; /* as they were named */
	size_t n_ledgers;                      /* 0: the person's own */
	bool json, pager, index, verbose;
};

/* Gives the exit status. */
int show(struct show_how *how);

#endif
