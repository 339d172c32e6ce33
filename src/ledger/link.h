/* link - the entries of the type `key`, by which one log of a ledger goes on in another.
 *
 * Owns:   the bodies: {"next":KEY}, the last entry of a log that was closed, and {"previous":{"key":KEY,"root":BASE64,"size":N}}, the
 *         first of the one that goes on: key, root and number of entries of the log before.
 * Holds:  what is written is taken again; a body that is neither, or has more than that, is refused. Whether what it says is true is for
 *         whoever has both logs to see.
 * Called: ledger/store.c, ledger/serve.c, audit; pure. */
#ifndef LEDGER_LINK_H
#define LEDGER_LINK_H

#include "ledger/entry.h"
#include "ledger/merkle.h"
#include "ledger/vkey.h"

enum link_kind { LINK_NEXT, LINK_PREVIOUS };

struct link {
	enum link_kind kind;
	struct vkey key;
	struct hash root; /* of LINK_PREVIOUS, and so is size */
	uint64_t size;
};

#define LINK_BODY_MAX (VKEY_TEXT_MAX * 2 + 256) /* a name may have characters that JSON escapes */

void link_put(struct buf *out, const struct link *link);
/* 1; 0: it is no entry of this type; -MALFORMED: it is one, and names nothing. */
int link_of(const struct entry *entry, struct link *ret);
bool link_is_key(const struct vkey *a, const struct vkey *b);

#endif
