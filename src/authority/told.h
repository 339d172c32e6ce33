/* told - a step of the authority, as the ledger has it.
 *
 * Owns:   the body of such an entry (doc/LEDGER.md), which type of entry tells of what, and the message to the ledger.
 * Holds:  in words whatever a person has to know, by names that do not go away with what they name; and the request itself, byte for byte, so that whoever has
 *         the entries makes the steps again. No text that is not in the request.
 * Called: serve.c; audit, which makes the steps again and compares. Pure, but for the memory of the buffer. */
#ifndef AUTHORITY_TOLD_H
#define AUTHORITY_TOLD_H

#include "authority/link.h"
#include "ledger/entry.h"

/* What a request refers to, by its ids; "": nothing. Some of it is gone after the step. */
struct told_names {
	char badge[ID_TEXT_MAX], to[ID_TEXT_MAX], grant[ID_TEXT_MAX], ask[ID_TEXT_MAX];
	char agent[AUTHORITY_NAME_MAX];
	uint8_t event[AUTHORITY_ID];
	uint8_t verb; /* of the grant; VERB_COUNT: there is none */
};
void told_find(const struct authority *a, const struct authority_request *q, struct told_names *ret);

struct told {
	uint64_t step;
	const struct authority_request *q;
	const struct authority_answer *answer;
	const struct told_names *names;
	const struct authority_closed *closed;
	const struct authority *a; /* after the step */
	unsigned n_labels;
	char (*labels)[AUTHORITY_NAME_MAX]; /* by bit */
	const uint8_t *realm;               /* STATEMENT_REALM_BYTES */
	const struct keeper_signed *by;     /* of a person's answer, whose key it names; else NULL */
	const uint8_t *key;                 /* APPROVE_KEY_BYTES: that key */
};
/* The entry: its type, its grant ("": none) and its body. Out fails: it is more than an entry holds. */
void told_entry(struct buf *out, const struct told *t, enum entry_type *ret, char ret_grant[ID_TEXT_MAX]);
/* LEDGER_APPEND with this one entry. A buffer that fails: it is more than an entry holds. */
void told_put(struct buf *out, const struct told *t);

/* The step that a person's statement asks for, of the question that it names. */
void told_answer(const struct statement *said, authority_ref ask, struct authority_request *ret);

#endif
