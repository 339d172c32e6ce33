/* learn - the policy that would have sufficed, as a person reads it.
 *
 * Owns:   the words of the policy file that `ambit learn` writes.
 * Holds:  the text reads back as exactly the grants of struct learned; every foreign name in a comment is escaped, so
 *         that no name ends a comment.
 * Called: by the explain role; pure but for the heap. */
#ifndef EXPLAIN_LEARN_H
#define EXPLAIN_LEARN_H

#include "base/buf.h"
#include "explain/learned.h"

/* Appends the text of a policy file. of_server: of one that a gate stands around, whose grants stand under `guard`. */
void learn_write(const struct learned *l, const struct event_result *r, bool of_server, struct buf *out);

#endif
