/* call - the record of a call that a gate was asked for, as a person reads it.
 *
 * Owns:   the words of `ambit explain` for records of kind `tool` (lib/record_call.h).
 * Holds:  strict as reader.h; what comes from the record is escaped, and the policy line that would allow a call is made anew.
 * Called: by the explain role; pure but for the heap. */
#ifndef EXPLAIN_CALL_H
#define EXPLAIN_CALL_H

#include "base/buf.h"
#include "explain/reader.h"

bool call_is(const json_t *record);
/* Appends the text. As reader_read. */
int call_write(const json_t *record, struct buf *out, struct err *e);

#endif
