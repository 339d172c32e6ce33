/* otlp - events as spans of OpenTelemetry, in the JSON of OTLP: one ExportTraceServiceRequest in a line.
 *
 * Owns:   the events that are open, OTLP_OPEN_MAX of them; of one more, the one that was silent for longest is written as it is.
 * Holds:  the trace of an event is its id's 128 bits, so that both lead to each other. No two spans have the same ids, whatever the logs have:
 *         those of an event are for the first span of what is signed of it. A span is of signed entries or of others, and never of both.
 *         What there is no room for in a span is counted in it.
 * Called: export/export.c. */
#ifndef EXPORT_OTLP_H
#define EXPORT_OTLP_H

#include "audit/reading.h"

#define OTLP_OPEN_MAX 64
#define OTLP_EVENTS_MAX 128 /* in a span: what was denied or held, policies, ends of commits */
#define OTLP_SEMCONV "1.41.0"
#define OTLP_SCHEMA "https://opentelemetry.io/schemas/" OTLP_SEMCONV

struct otlp;

/* One for all the logs of a ledger. NULL: no memory. */
struct otlp *otlp_create(void);
void otlp_destroy(struct otlp *o);
/* What is taken from here on is of this log. s: for its key and name; borrowed until the end. */
void otlp_begin(struct otlp *o, const struct snapshot *s);
/* Appends the spans that are complete now. -ENOMEM. */
int otlp_take(struct otlp *o, const struct reading_entry *r, struct buf *out);
/* The rest of the log: no span goes on in the next. */
int otlp_end(struct otlp *o, struct buf *out);

#endif
