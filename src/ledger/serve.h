/* serve - the ledger's process at work: appends for all who are connected, by turns.
 *
 * Owns:   the connections.
 * Holds:  what is appended is what append.h takes; that payloads are pruned the ledger says itself, in its own words, when it is asked to by who
 *         is of no event; and likewise goes on in another log (store.h), while nobody else is connected. It is accepted when it is in the journal, and durable when that is synced, and before it the payloads that it names; the answers
 *         come in that order. One sync serves all who wait for it meanwhile. An event that began and whose connection ends without
 *         its stop is told as a crash. After the first failure of the log nothing is accepted: everybody is told why, and the process ends.
 * Called: the role ambit-ledger. */
#ifndef LEDGER_SERVE_H
#define LEDGER_SERVE_H

#include "ledger/store.h"

#define SERVE_CLIENTS_MAX 256 /* one more is told so */
#define SERVE_IDLE_MS 10000   /* without a connection: the process ends */
#define SERVE_PUBLISH_MS 1000 /* what was accepted is under a checkpoint after this time, */
#define SERVE_QUIET_MS 100    /* and earlier when nobody appends for so long */

struct serve {
	int listen_fd; /* borrowed */
	const char *boot;
	struct store *store; /* borrowed; open */
};

/* Until nobody needs it for SERVE_IDLE_MS. The log is published and ends with its stop then. -code: the log failed. */
int serve_run(const struct serve *s, struct err *e);

#endif
