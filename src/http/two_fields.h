/* two_fields - the fields of one block of HTTP/2, as they are read, and as they are made anew.
 *
 * Owns:   struct two_fields: the text of all of them, and where each stands in it.
 * Holds:  names and values have no end but their length. What is more than the bounds marks the whole as over; no part of it is used then.
 * Called: http/two*.c; pure. */
#ifndef HTTP_TWO_FIELDS_H
#define HTTP_TWO_FIELDS_H

#include <nghttp2/nghttp2.h>

#include "base/buf.h"
#include "http/head.h"

#define TWO_FIELDS_MAX (HTTP_FIELDS_MAX + 8)       /* with pseudo-headers, and what we add */
#define TWO_FIELD_COST 32                          /* beside its text, as HTTP/2 counts (RFC 9113, 10.5.1) */
#define TWO_TEXT_MAX (HTTP_HEAD_MAX + (32u << 10)) /* of what is made: a head, and a secret more than once */

struct two_field {
	uint32_t name, name_n, value, value_n; /* places in the text */
	bool hidden;                           /* never to be kept in a table, by nobody on the way (RFC 7541, 6.2.3) */
};

struct two_fields {
	struct buf text; /* owned */
	uint32_t n;
	bool over; /* more than there is room for */
	bool bad;  /* one was there that is no field */
	size_t cost;
	struct two_field at[TWO_FIELDS_MAX];
};

/* memory: of a text with a secret in it; NULL: there is none. */
void two_fields_init(struct two_fields *f, const struct memory *memory);
void two_fields_finish(struct two_fields *f);
void two_fields_reset(struct two_fields *f); /* keeps the room, but where it is short */

void two_fields_put(struct two_fields *f, const struct http_text *name, const struct http_text *value, bool hidden);
/* The value is what is appended to f->text between the two. */
void two_fields_begin(struct two_fields *f, const struct http_text *name);
void two_fields_end(struct two_fields *f, bool hidden);
void two_fields_put_word(struct two_fields *f, const char *name, const char *value);

struct http_text two_fields_name(const struct two_fields *f, uint32_t i);
struct http_text two_fields_value(const struct two_fields *f, uint32_t i);
/* Bytes of memory; f may be NULL. */
size_t two_fields_held(const struct two_fields *f);
/* The first of this name, or f->n. */
uint32_t two_fields_find(const struct two_fields *f, const char *name);
/* As the library takes them; they point into f. False: they are over, or memory was short. */
bool two_fields_list(const struct two_fields *f, nghttp2_nv ret[TWO_FIELDS_MAX]);

#endif
