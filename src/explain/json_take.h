/* json_take - values out of foreign JSON, checked.
 *
 * Owns:   struct take: where in the document the reader is, and the first mistake.
 * Holds:  after a mistake every later call gives a harmless value and changes nothing: callers check once at the end.
 * Called: from reader.c. */
#ifndef EXPLAIN_JSON_TAKE_H
#define EXPLAIN_JSON_TAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"

struct take {
	struct err *e;
	int rc;         /* 0, or the code of the first mistake */
	const char *in; /* for messages: "effects", "" at the top */
	size_t index;   /* in that list; SIZE_MAX outside lists */
};

/* Says that key is wrong, unless something was before. */
void take_fail(struct take *t, enum ambit_code code, const char *key, const char *what);

/* The member, of that type; NULL with a mistake if it is missing or another. */
const json_t *take_object(struct take *t, const json_t *from, const char *key);
const json_t *take_array(struct take *t, const json_t *from, const char *key, size_t most);

uint64_t take_count(struct take *t, const json_t *from, const char *key, uint64_t most);
/* null is -1. */
int take_small(struct take *t, const json_t *from, const char *key, int most);
/* null is 0, and so is what stands for "no limit". */
uint64_t take_limit(struct take *t, const json_t *from, const char *key);
bool take_bool(struct take *t, const json_t *from, const char *key);
/* A text without NUL, in the document; null gives NULL if that is allowed. */
const char *take_text(struct take *t, const json_t *from, const char *key, bool may_be_null);
/* The index of the word in the list; a mistake if it is none of them. Empty slots of the list may be NULL. */
size_t take_word(struct take *t, const json_t *from, const char *key, const char *const *words, size_t n);
/* A name: text or {"b64"}. A copy without NUL inside that the caller frees; null gives NULL if that is allowed. */
char *take_name(struct take *t, const json_t *name, const char *key, bool may_be_null, size_t most);
/* So many bytes, in hexadecimal digits. false: a mistake. */
bool take_hex(struct take *t, const json_t *from, const char *key, uint8_t *ret, size_t n);
/* "2026-01-01T00:00:00.000Z"; null is 0. */
uint64_t take_time(struct take *t, const json_t *from, const char *key);
/* The member `error` of it, as records have one: null changes nothing. in: where that is, for messages. */
void take_error(struct take *t, const json_t *holder, const char *in, struct err *ret);

#endif
