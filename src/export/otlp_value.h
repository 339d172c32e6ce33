/* otlp_value - values of an entry as those of OpenTelemetry (AnyValue, in the JSON of OTLP).
 *
 * Owns:   nothing.
 * Holds:  texts are copied as they are in the entry, which is JSON already; names that are no text, {"b64"} and nothing else, become bytesValue; integers are decimal texts,
 *         as that encoding wants for 64 bits.
 * Called: export/otlp.c; pure, but for the memory of the buffer. */
#ifndef EXPORT_OTLP_VALUE_H
#define EXPORT_OTLP_VALUE_H

#include "base/json.h"
#include "ledger/canonical.h"

/* {"key": ..., "value": ...}. What is null is left out. key: of our own. */
void otlp_put(struct json *j, const char *key, struct canonical_value v);
void otlp_put_text(struct json *j, const char *key, const char *text);
void otlp_put_count(struct json *j, const char *key, uint64_t n);
void otlp_put_bool(struct json *j, const char *key, bool value);
/* Opens the value of an array, whose items come next; and closes it. */
void otlp_put_array(struct json *j, const char *key);
void otlp_put_array_end(struct json *j);
/* An integer as a text of JSON. */
void otlp_put_number(struct json *j, uint64_t n);
/* Each key of an object, behind this prefix of our own; but none of these words (the last is NULL), which stand there already, and none that
 * is empty or too long for a word of ours. Gives how many were left out. */
uint64_t otlp_put_all(struct json *j, const char *prefix, struct canonical_value object, const char *const *but);

#endif
