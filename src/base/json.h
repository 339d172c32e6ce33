/* json - writes JSON into a buffer, value after value.
 *
 * Owns:   the place of commas and the escapes. The buffer is the caller's; when it is full or memory is gone it has failed,
 *         which is looked at once, at the end.
 * Holds:  what is written is well-formed as long as brackets are closed and keys have values, both of which are the caller's.
 *         Bytes that are not UTF-8 are never cut, replaced or guessed at: they are {"b64": ...}.
 *         It is canonical (RFC 8785, ledger/canonical.h) where the caller puts keys in order, each once.
 * Called: from whatever writes JSON; pure, but for the memory of the buffer. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct json {
	struct buf *out; /* borrowed */
	bool comma;      /* a value stands before what comes next */
};

void json_begin(struct json *j, struct buf *out);

void json_put_object(struct json *j);
void json_put_object_end(struct json *j);
void json_put_array(struct json *j);
void json_put_array_end(struct json *j);
/* Of the value that comes next; plain words of our own. Gives j, so that key and value stand in one line. */
struct json *json_put_key(struct json *j, const char *key);

void json_put_null(struct json *j);
void json_put_bool(struct json *j, bool value);
/* A text that comes from Ambit itself; NULL gives null. */
void json_put_word(struct json *j, const char *s);
/* Two small digits for each byte. */
void json_put_hex(struct json *j, const uint8_t *bytes, size_t n);
/* A name that came from somewhere: text, or {"b64"} if it is not UTF-8; NULL gives null. */
void json_put_name(struct json *j, const char *s);
/* The same for n bytes, which may have NULs; {"b64"} also where text would take more room (control bytes). */
void json_put_bytes(struct json *j, const void *bytes, size_t n);
/* A value that is JSON already, which the caller has checked. */
void json_put_made(struct json *j, const void *bytes, size_t n);
/* A count. Above 2^53 - 1, which no reader of JSON can be trusted with, it is that. */
void json_put_count(struct json *j, uint64_t n);
/* RFC 3339 in UTC with milliseconds; 0 gives null. */
void json_put_time(struct json *j, uint64_t ns_since_1970);
void json_put_ms(struct json *j, uint64_t ms_since_1970); /* from TIMESTAMP_END_MS on null, too */

#endif
