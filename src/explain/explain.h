/* explain - a record, as a person reads it.
 *
 * Owns:   the words of `ambit explain`; doc/parts/explain.md shows them.
 * Holds:  what comes from the record is escaped; flags and policy lines are made anew from what was denied, never copied.
 * Called: by the explain role; pure but for the heap. */
#ifndef EXPLAIN_EXPLAIN_H
#define EXPLAIN_EXPLAIN_H

#include "base/buf.h"
#include "explain/reader.h"

/* Appends the text. */
void explain_write(const struct told *t, struct buf *out);

#endif
