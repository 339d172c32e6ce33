/* statement - what an approver signs: the answer to one request for an approval, as text.
 *
 * Owns:   the text: a line that names the form and its version, then `key: value` lines in one order, ASCII, each ended by a newline.
 * Holds:  a statement has one text and a text one statement: what is unknown, repeated, missing, in another order, in another spelling, or left over is refused.
 * Called: lib, ambit-approver, whoever looks at approvals; pure. */
#ifndef APPROVE_STATEMENT_H
#define APPROVE_STATEMENT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/sha256.h"
#include "base/span.h"
#include "core/id.h"

#define STATEMENT_MAX 512 /* the longest has 269 bytes */
#define STATEMENT_REALM_BYTES 16
#define STATEMENT_NONCE_BYTES 16

enum statement_answer {
	STATEMENT_GRANT = 1,
	STATEMENT_DENY,
};

enum statement_scope {
	STATEMENT_ONCE = 1,
	STATEMENT_SESSION,
};

struct statement {
	uint8_t realm
		[STATEMENT_REALM_BYTES]; /* of the person's authority: an answer of one person's counts for nobody else */
	char approval[ID_TEXT_MAX];      /* a_... */
	uint8_t shown[SHA256_BYTES];     /* the digest of what was shown */
	enum statement_answer answer;
	enum statement_scope scope;
	uint64_t until_ms; /* before TIMESTAMP_END_MS */
	uint8_t nonce[STATEMENT_NONCE_BYTES];
};

/* Appends the text. One that could not be taken back fails the buffer. */
void statement_put(struct buf *out, const struct statement *s);
/* All of the text. -MALFORMED, with the line and what is wrong with it. */
int statement_take(struct span text, struct statement *ret, struct err *e);

#endif
