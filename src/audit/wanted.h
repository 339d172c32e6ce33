/* wanted - which entries somebody wants to see.
 *
 * Owns:   the filters, as they are of an entry.
 * Called: audit, index; pure. */
#ifndef AUDIT_WANTED_H
#define AUDIT_WANTED_H

#include "audit/ask.h"
#include "ledger/entry.h"

struct wanted {
	char event[ID_TEXT_MAX]; /* empty: any */
	char grant[ID_TEXT_MAX]; /* the beginning of one; empty: any */
	bool any_type;
	enum entry_type type;
	bool denied;                 /* only what was denied */
	uint64_t since_ms, until_ms; /* until_ms 0: to the end */
};

/* event: the whole id (for the index the beginning of one will do); empty: any. -USAGE: no entry is of that type. */
int wanted_init(struct wanted *w, const struct audit_ask *ask, const char *event, struct err *e);
bool wanted_is(const struct wanted *w, const struct entry *entry);

bool wanted_was_denied(const struct entry *entry);

#endif
