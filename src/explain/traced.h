/* traced - the trace in a record, told.
 *
 * Owns:   the words of `ambit trace`, and its forms for programs (man ambit-trace).
 * Holds:  the form is taken strictly (profile/trace.h), held against its digest and counts in the record, and told with a place where it is wrong. Symbols are
 *         plain text by their form; what else comes from the record is escaped.
 * Called: by the explain role; pure but for the heap. */
#ifndef EXPLAIN_TRACED_H
#define EXPLAIN_TRACED_H

#include "base/buf.h"
#include "explain/reader.h"
#include "profile/trace.h"

enum traced_how { TRACED_TEXT, TRACED_JSON, TRACED_LINE, TRACED_FACTS, TRACED_LINES };

/* -NOT_FOUND: the record has none; -MALFORMED, -UNAVAILABLE, -LIMIT, -MEMORY. The caller finishes *ret. */
int traced_take(const struct told *told, struct trace *ret, struct err *e);
void traced_write(const struct told *told, const struct trace *t, enum traced_how how, struct buf *out);

#endif
