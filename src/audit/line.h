/* line - an entry in one line, for people.
 *
 * Owns:   nothing.
 * Holds:  what is foreign is escaped, and cut where it is long: no body moves a terminal, or makes a line of more than LINE_MAX_BYTES.
 * Called: audit; pure, but for the memory of the buffer. */
#ifndef AUDIT_LINE_H
#define AUDIT_LINE_H

#include "base/buf.h"
#include "ledger/entry.h"

#define LINE_MAX_BYTES 1024

/* remark: stands in brackets at the end; NULL: none. */
void line_put(struct buf *out, const struct entry *entry, const char *remark);
/* Of bytes that are no entry. */
void line_put_broken(struct buf *out, uint64_t index, const char *why);

#endif
