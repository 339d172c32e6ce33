/* qualifiers - how much of what a grant allows, and on which terms: of `connect` all but `depth`, of `tool` all but that, `bytes` and `ech`,
 * of what is written `ask` alone, of `delegate` `uses` and `depth`, of `declassify` `uses` and `ask`.
 *
 * Owns:   struct qualifiers: pure data, with its words, its text and its encoding. Zeroed memory has none.
 * Holds:  a number that is absent (0) bounds nothing, and so allows more than any other. What was set or decoded is in range.
 * Called: from any process; pure. */
#ifndef CORE_QUALIFIERS_H
#define CORE_QUALIFIERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/window.h"

/* In the order of the normal form. */
#define QUALIFIERS(X)                                                                                                  \
	X(USES, "uses")                                                                                                \
	X(BYTES, "bytes")                                                                                              \
	X(RATE, "rate")                                                                                                \
	X(ECH, "ech")                                                                                                  \
	X(UNTIL, "until")                                                                                              \
	X(BETWEEN, "between")                                                                                          \
	X(ASK, "ask")                                                                                                  \
	X(DEPTH, "depth")

enum qualifier {
#define QUALIFIER_ENUM(name, word) QUALIFIER_##name,
	QUALIFIERS(QUALIFIER_ENUM)
#undef QUALIFIER_ENUM
		QUALIFIER_COUNT
};

struct qualifiers {
	uint64_t bytes;        /* in both directions together, of one event */
	uint64_t until_s;      /* since 1970, by the host's clock: from then on nothing is connected */
	uint32_t uses;         /* connections, calls or sub-agents, of one event */
	uint32_t rate;         /* connections that may be begun at once; as many come back, evenly, in each period */
	uint32_t period_s;     /* 1, 60 or 3600; 0 if there is no rate */
	uint32_t ech;          /* 1: an encrypted client hello passes */
	uint32_t ask;          /* 1: nothing is done with it before a person said yes */
	uint32_t depth;        /* sub-agents below one another; absent: 1, and so no more than any other */
	struct window between; /* when a connection may begin */
};

#define QUALIFIERS_DEPTH_MAX 8
#define QUALIFIER_VALUE_MAX WINDOW_TEXT_MAX /* of qualifier_format, with its NUL */
#define QUALIFIERS_TEXT_MAX 192             /* of qualifiers_format, with its NUL */
#define QUALIFIERS_BYTES 81                 /* of the encoding, at most: 29 without a time of day */
#define QUALIFIER_BIT(name) (1u << QUALIFIER_##name)

const char *qualifier_word(enum qualifier which);
/* False: it is none of these. */
bool qualifier_is(const char *word, enum qualifier *ret);
bool qualifiers_has(const struct qualifiers *q, enum qualifier which);

/* Whether there are none but these: a bit set of QUALIFIER_BIT. */
bool qualifiers_are_only(const struct qualifiers *q, uint32_t set);
/* Of a delegate: how many sub-agents may stand below one another. */
uint32_t qualifiers_depth(const struct qualifiers *q);

/* A value as a person writes it: "50", "10M", "10/s", "true", "2026-12-01T00:00:00Z", "09:00-18:00 Europe/Berlin". -MALFORMED; then *q is as it was. */
int qualifiers_set(struct qualifiers *q, enum qualifier which, const char *value, struct err *e);
/* The value as qualifiers_set reads it; "" if it is absent. QUALIFIER_VALUE_MAX is enough. */
void qualifier_format(const struct qualifiers *q, enum qualifier which, char *ret, size_t size);
/* The one way of writing them: "uses=50 bytes=10M rate=10/s ech=true until=2026-12-01T00:00:00Z between='09:00-18:00 Europe/Berlin'"; "" if there are none. */
void qualifiers_format(const struct qualifiers *q, char ret[QUALIFIERS_TEXT_MAX]);

bool qualifiers_are_none(const struct qualifiers *q);
bool qualifiers_are_same(const struct qualifiers *a, const struct qualifiers *b);
/* Whether inner allows no more than outer in any of them. */
bool qualifiers_are_within(const struct qualifiers *inner, const struct qualifiers *outer);

/* Whether qualifiers_set could have given it. */
bool qualifiers_are_well_formed(const struct qualifiers *q);
void qualifiers_put(struct buf *out, const struct qualifiers *q);
/* Fails the cursor on what qualifiers_set could not have given. */
void qualifiers_take(struct rbuf *in, struct qualifiers *ret);

/* As an object of JSON: those that there are, of the terms (as a grant has them) each as one text, and of the flow its labels as they are; with keys in order; linked only where JSON is written. */
struct json;
struct flow;
void qualifiers_put_members(struct json *j, const struct qualifiers *q, const char *terms, const struct flow *f);
void qualifiers_put_json(struct json *j, const struct qualifiers *q, const char *terms, const struct flow *f);

#endif
