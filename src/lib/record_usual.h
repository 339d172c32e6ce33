/* record_usual - how an event compares with what is usual, in its record and in words.
 *
 * Called: lib/record.c, lib/summary.c; pure. */
#ifndef LIB_RECORD_USUAL_H
#define LIB_RECORD_USUAL_H

#include "base/json.h"
#include "lib/result.h"

/* An object, or null: it was not scored. */
void record_usual_put(struct json *j, const struct result_usual *u);
/* Nothing where it is not flagged, and could be scored. */
void summary_usual(const struct event_result *r, struct buf *out);

/* Of one that holds: what its caller is told. Gives -CONFLICT. */
int usual_held(const struct result_usual *u, struct err *e);

/* A line: which usual event it is most like, and when that was; nothing where none is known. */
void usual_say_nearest(const struct likeness *l, const char *lead, struct buf *out);

#endif
