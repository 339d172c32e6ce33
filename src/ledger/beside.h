/* beside - what entries name beside the log is on disk before the entries are.
 *
 * Owns:   the digests of payloads that were named since they were last settled.
 * Holds:  nothing there is read or believed. What is missing, is no file or cannot be opened is passed over: whoever named it lied, or
 *         somebody took it away, and neither is to hold up the entries of others.
 * Called: ledger/serve.c. Results are 0 or -errno. */
#ifndef LEDGER_BESIDE_H
#define LEDGER_BESIDE_H

#include "base/buf.h"
#include "ledger/payload.h"

struct beside {
	int dir_fd;       /* the ledger's directory; borrowed */
	struct buf named; /* owned; digests */
};

void beside_init(struct beside *b, int dir_fd);
void beside_finish(struct beside *b);
/* Where too many wait they are settled first. */
int beside_note(struct beside *b, const uint8_t digest[SHA256_BYTES]);
/* Files and names of all that were noted are on disk. */
int beside_settle(struct beside *b);

#endif
