/* signed - a person's answer to a question, and whether it is theirs.
 *
 * Owns:   the realm: sixteen random bytes in the file `realm`, by which an answer given to one authority counts for no other; and what is looked at before a
 *         signed statement (approve/statement.h) becomes a step.
 * Holds:  an answer is one to this authority, to a question that waits, about just what was shown with it, and signed by a key that the person has enrolled as an approver
 *         and has not taken away since. Without such a signature nobody answers, whoever asks.
 * Called: the role ambit-authority. */
#ifndef AUTHORITY_SIGNED_H
#define AUTHORITY_SIGNED_H

#include <sys/types.h>

#include "approve/statement.h"
#include "authority/link.h"

struct signers {
	uint8_t realm[STATEMENT_REALM_BYTES];
	int keys_fd; /* borrowed: the directory of the person's keys; -1: there is none */
	uid_t uid;   /* whose these are */
};

/* The realm of the directory, which is made with the first. Before files are shut out. */
int signed_open(struct signers *s, int dir_fd, struct err *e);
/* What a signed answer asks for, as a step, and the key that signed it. -MALFORMED, -NOT_FOUND (no such question, no such key), -DENIED (signed by nobody who may, or about something else). */
int signed_take(const struct signers *s, const struct keeper_signed *signed_by, const struct authority *a,
		struct authority_request *ret, uint8_t ret_key[APPROVE_KEY_BYTES], struct err *e);

#endif
