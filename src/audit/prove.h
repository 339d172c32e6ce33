/* prove - that an entry is in a log, and the check of such a proof where there is no log (C2SP tlog-proof).
 *
 * Owns:   which entry stands for an event: the last `result` of it, else the last of its entries.
 * Holds:  a proof that is given out was checked against the signed checkpoint that is in it. The entry itself is its extra data, where it has
 *         room: without it a proof says nothing to a person.
 * Called: audit. */
#ifndef AUDIT_PROVE_H
#define AUDIT_PROVE_H

#include "audit/ask.h"
#include "audit/snapshot.h"
#include "ledger/proof.h"

/* -MALFORMED: the checkpoint is not signed by the key. */
int prove_signature(const struct snapshot *s, struct err *e);
/* The proof of the entry with this index, checked; it borrows the checkpoint. -MALFORMED: the log is not as it was signed. */
int prove_inclusion(struct snapshot *s, uint64_t index, const uint8_t *entry, size_t n, struct proof *ret,
		    struct err *e);

/* Appends the proof. -NOT_FOUND: no such entry; -CONFLICT: it is not signed yet; -MALFORMED: the log is not as it was signed. */
int prove_entry(struct snapshot *s, const struct audit_ask *ask, struct buf *out, struct err *e);

/* Appends what the proof shows: the entry itself with AUDIT_JSON. -USAGE: it cannot be checked by this program; -MALFORMED: it is
 * wrong, or none. */
int prove_check(const struct audit_ask *ask, struct buf *out, struct err *e);

#endif
