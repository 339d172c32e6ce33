/* growth - what a witness is to be shown of a log: its checkpoint, and how that goes on from what it saw.
 *
 * Owns:   the message from ambit-audit to the command line, which passes the proof on and looks at nothing in the checkpoint.
 * Holds:  a proof that is given out is of a log whose checkpoint is signed by the log's key. Where a cosigned checkpoint was given, the log
 *         goes on from it, or is told to be shorter.
 * Called: audit (growth_prove), cli (growth_decode). */
#ifndef AUDIT_GROWTH_H
#define AUDIT_GROWTH_H

#include "audit/ask.h"
#include "ledger/merkle.h"
#include "ledger/note.h"

#define GROWTH_HASHES_MAX 63
#define GROWTH_MAX (NOTE_MAX + GROWTH_HASHES_MAX * HASH_BYTES + 64u)

struct audit_growth {
	uint64_t size;   /* of the log */
	uint64_t old;    /* from where the proof is; more than size: there is none, since the log is shorter */
	uint64_t time_s; /* what the cosignature that was given names; 0: none was */
	uint32_t n_hashes;
	struct hash hashes[GROWTH_HASHES_MAX];
	struct span checkpoint; /* borrowed */
};

void growth_encode(const struct audit_growth *g, struct buf *out);
/* -PROTOCOL. */
int growth_decode(const void *bytes, size_t n, struct audit_growth *ret, struct err *e);

#endif
