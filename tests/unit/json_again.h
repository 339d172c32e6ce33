/* json_again - what another reader of JSON (jansson) makes of bytes, written anew by RFC 8785: the oracle for
 * ledger/canonical.h.
 *
 * Owns:   nothing.
 * Holds:  shares no code with what it judges: numbers, escapes and the order of keys are done once more, plainly.
 * Called: from tests and fuzz targets. Gives up (aborts) when memory is gone. */
#ifndef UNIT_JSON_AGAIN_H
#define UNIT_JSON_AGAIN_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* Below 0, 0 or above 0: two keys by their UTF-16 code units. */
int json_again_order(const char *a, const char *b);

/* Whether the bytes are JSON of the subset, and come out of being written anew as they were. */
bool json_again_same(const void *bytes, size_t n);

/* Whether the readers of canonical.h find in canonical bytes what jansson finds. */
bool json_again_agrees(const void *bytes, size_t n);

#endif
