/* row - an entry that has a payload, as ambit-audit tells it to the command line.
 *
 * Owns:   its encoding, of one size: whoever opens and removes payloads reads nothing of a log.
 * Holds:  what is decoded has values in range; whether they are true is the log's affair, and the role's.
 * Called: audit (encodes), cli (decodes); pure. */
#ifndef AUDIT_ROW_H
#define AUDIT_ROW_H

#include "base/buf.h"
#include "core/id.h"
#include "ledger/payload.h"

#define AUDIT_ROW_UNSIGNED 1u /* the entry is not signed yet */
#define AUDIT_ROW_PRUNED 2u   /* a later `prune` says that it went */
#define AUDIT_ROW_FLAGS 3u
#define AUDIT_ROW_BYTES (8 + 8 + 4 + 4 + 8 + SHA256_BYTES + ID_TEXT_MAX)

struct audit_row {
	uint64_t seq, wall_ms; /* of the entry */
	uint32_t flags;
	struct payload payload;
	char event[ID_TEXT_MAX];
};

void audit_row_encode(const struct audit_row *row, struct buf *out);
/* False: there is none, or it is none. */
bool audit_row_decode(struct rbuf *r, struct audit_row *ret);

#endif
