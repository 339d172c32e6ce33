/* numbers - which entries of a log an index names: what ambit-index answers, and ambit-audit shows.
 *
 * Owns:   the message from the one through the command line to the other: a head, and 8 bytes for each number.
 * Holds:  what is decoded is whole, strictly ascending, and of the entries of which the index speaks. Whether it is true is nobody's word:
 *         the index may be anybody's, and so the role that read it, so that whoever shows an entry looks at it in the log.
 * Called: index (encodes), cli and audit (decode); pure. */
#ifndef AUDIT_NUMBERS_H
#define AUDIT_NUMBERS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/span.h"
#include "core/id.h"

#define NUMBERS_MAX 16384u /* more are as quickly read one by one */
#define NUMBERS_HEAD_BYTES (4 + 4 + 4 + 8 + ID_TEXT_MAX)
#define NUMBERS_BYTES_MAX (NUMBERS_HEAD_BYTES + 8 * NUMBERS_MAX)

struct numbers {
	bool any;                /* there is an index; else all is to be read, and the rest is zero */
	uint64_t size;           /* of the log, as far as it is spoken of: what is behind is to be read */
	char event[ID_TEXT_MAX]; /* of which they are; empty: of any, or of each whose id begins as was asked */
	size_t n;
	const uint8_t *at; /* borrowed; numbers_at */
};

void numbers_encode(const struct numbers *head, const uint64_t *numbers, struct buf *out);
/* False, and *ret is that there is no index: it is none. */
bool numbers_decode(struct span bytes, struct numbers *ret);
/* i < n */
uint64_t numbers_at(const struct numbers *numbers, size_t i);

#endif
