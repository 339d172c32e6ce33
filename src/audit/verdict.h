/* verdict - what became of what an entry tells.
 *
 * Owns:   nothing.
 * Holds:  an effect and a decision always have one: what cannot be read is VERDICT_STRANGE, and never taken for allowed.
 * Called: export, account; pure. */
#ifndef AUDIT_VERDICT_H
#define AUDIT_VERDICT_H

#include "ledger/entry.h"

enum verdict {
	VERDICT_NONE,    /* the entry is neither an effect nor a decision */
	VERDICT_ALLOWED, /* or `absent`, which nobody forbade */
	VERDICT_DENIED,  /* whatever follows that word */
	VERDICT_HELD,    /* a change that did not go to the real files */
	VERDICT_REFUSED, /* an event that did not start */
	VERDICT_STRANGE, /* a word that this program does not know, or none that it can read */
};

enum verdict verdict_of(const struct entry *entry);

#endif
