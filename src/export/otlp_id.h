/* otlp_id - the ids of traces and spans, which are made of what the ledger has.
 *
 * Owns:   nothing.
 * Holds:  none is all zeros, which OTLP forbids. An event's own span and those of its entries differ, by the entry and by the log.
 * Called: export/otlp.c; pure. */
#ifndef EXPORT_OTLP_ID_H
#define EXPORT_OTLP_ID_H

#include <stdint.h>

#include "ledger/vkey.h"

#define OTLP_TRACE_BYTES 16
#define OTLP_SPAN_BYTES 8

/* The 128 bits of the event's id. */
void otlp_trace_of(const char *event, uint8_t ret[OTLP_TRACE_BYTES]);
/* The last half of that, which is random. */
void otlp_span_of_event(const char *event, uint8_t ret[OTLP_SPAN_BYTES]);
/* The beginning of the hash of the log's key, the event and the number of an entry. */
void otlp_span_of_entry(const struct vkey *key, const char *event, uint64_t seq, uint8_t ret[OTLP_SPAN_BYTES]);

#endif
