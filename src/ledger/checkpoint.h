/* checkpoint - the head of a log, as the text of a note (C2SP tlog-checkpoint).
 *
 * Owns:   nothing; the origin is a span of the caller's bytes.
 * Holds:  three lines: the origin, how many entries the log has, and the root hash of its Merkle tree in base64. What is
 *         written has these alone; lines of others behind them are counted and mean nothing here.
 * Called: from src/ledger; pure. Who signed it is the note's to say (ledger/note.h). */
#ifndef LEDGER_CHECKPOINT_H
#define LEDGER_CHECKPOINT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

#define CHECKPOINT_ROOT_BYTES 32 /* SHA-256 */
#define CHECKPOINT_SIZE_MAX                                                                                            \
	((uint64_t)INT64_MAX) /* entries; others count them in a signed number, and so does a proof's length */

struct checkpoint {
	struct span origin; /* the name of the log */
	uint64_t size;
	uint8_t root[CHECKPOINT_ROOT_BYTES];
	size_t n_extensions; /* lines behind the root */
};

/* The text of a note that was parsed. -MALFORMED names the line (the first is 1). On failure *ret is untouched. */
int checkpoint_parse(struct span text, struct checkpoint *ret, struct err *e);

/* Appends the text. Nothing is appended on failure: -MALFORMED: an origin that is no name for a key (the log's key has it,
 * ledger/vkey.h), or a size over the maximum; -MEMORY: out is full (it is failed then). */
int checkpoint_put(struct buf *out, struct span origin, uint64_t size, const uint8_t root[CHECKPOINT_ROOT_BYTES],
		   struct err *e);

#endif
