/* record - what there is to say about one event, as JSON.
 *
 * Owns:   the form of the record; doc/RECORD.md is its normative text, doc/record.schema.json its schema.
 * Holds:  one object on one line, keys in the order of RECORD.md; the same result gives the same bytes. A record is
 *         at most RECORD_MAX long: what makes it longer is cut and counted.
 * Called: lib, when an event has ended; pure. */
#ifndef LIB_RECORD_H
#define LIB_RECORD_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "lib/result.h"

#define RECORD_VERSION 1
#define RECORD_MAX (128u << 20) /* what a reader takes; see record.c for how a writer stays below it */
/* Bytes of names, flags and policy lines of all effects together; effects beyond it are counted as dropped. */
#define RECORD_EFFECTS_MAX (24u << 20)
/* Bytes of captured output, both streams together; more is cut, and the whole counted. */
#define RECORD_OUTPUT_MAX (64u << 20)

/* Appends the record and a newline to out. -MALFORMED: the result is not of an event (it has no cause). -MEMORY: memory is
 * gone, or out's maximum reached; then out is as it was. */
int record_write(const struct event_result *r, struct buf *out, struct err *e);

/* The same of a sub-agent, for who asked for it in its cell: `event`, `outcome` and `output`. The record itself is where the caller's is. */
int record_write_beside(const struct event_result *r, struct buf *out, struct err *e);

/* Where there is no event to write a record of: {"error": {code, message, hint}} and a newline. */
int record_write_error(const struct err *error, struct buf *out, struct err *e);

/* For whoever writes another form of record: {code, message, why, hint}; and the end of the line that was begun at `before`: 0, or -MEMORY, and it is taken back. */
void record_put_error(struct json *j, const struct err *e);
int record_end_line(struct buf *out, size_t before);

#endif
