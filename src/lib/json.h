/* json - the few ways in which the record says a value.
 *
 * Owns:   nothing; every function gives a new reference, or NULL when memory is gone.
 * Holds:  a NULL anywhere makes the whole NULL: whoever builds checks once, at the end. Keys keep the order in which
 *         they were put. Bytes that are not UTF-8 are never cut, replaced or guessed at: they are {"b64": ...}.
 * Called: lib (record.c). */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* Puts value (taken) under key; frees the object and makes it NULL if that fails. */
void json_put(json_t **object, const char *key, json_t *value);
/* Appends value (taken); likewise. */
void json_add(json_t **array, json_t *value);

/* A text that comes from Ambit itself; NULL gives null. */
json_t *json_word(const char *s);
/* A name that came from somewhere: text, or {"b64"} if it is not UTF-8; NULL gives null. */
json_t *json_name(const char *s);
/* The same for n bytes, which may have NULs; {"b64"} also where text would take more room (control bytes). */
json_t *json_bytes(const void *bytes, size_t n);
/* A count. Above 2^53 - 1, which no reader of JSON can be trusted with, it is that. */
json_t *json_count(uint64_t n);
/* RFC 3339 in UTC with milliseconds; 0 gives null. */
json_t *json_time(uint64_t ns_since_1970);

#endif
