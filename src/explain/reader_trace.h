/* reader_trace - the trace in a record: its bytes, which are those of its digest. What they say is taken elsewhere (traced.h).
 *
 * Called: from reader.c. */
#ifndef EXPLAIN_READER_TRACE_H
#define EXPLAIN_READER_TRACE_H

#include "explain/json_take.h"
#include "lib/result.h"

/* Nothing, of a record that has none. r->trace is the caller's to finish in any case; and by whom it was seen. */
void trace_take(struct take *t, const json_t *record, struct event_result *r);

#endif
