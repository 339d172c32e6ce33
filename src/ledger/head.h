/* head - the signed state of a log: how many entries, and their root.
 *
 * Owns:   nothing. The key is whose it is.
 * Holds:  what is read was signed by that key, for the log of its name. A log's origin is its key's name, as the specification
 *         recommends and some readers require.
 * Called: ledger/log.c (signs), readers. */
#ifndef LEDGER_HEAD_H
#define LEDGER_HEAD_H

#include "base/buf.h"
#include "base/err.h"
#include "ledger/merkle.h"
#include "ledger/note.h"

/* Of who writes the log; readers have the public half alone. */
struct log_key {
	struct vkey public;
	uint8_t secret[NOTE_SECRET_BYTES];
};

/* The checkpoint (C2SP tlog-checkpoint), whole. Nothing is appended on failure. */
int head_put(struct buf *out, const struct log_key *key, uint64_t size, const struct hash *root, struct err *e);
/* -MALFORMED: it is no checkpoint, or not one of this key. */
int head_take(const struct vkey *key, const void *bytes, size_t n, uint64_t *ret_size, struct hash *ret_root,
	      struct err *e);

#endif
