/* meter - what was used of a grant `connect`, or of one of its endpoints, by the dialer's count.
 *
 * Owns:   struct meter and its encoding.
 * Holds:  bytes are those of the kernel's count (TCP_INFO); nobody who reads what passes has a say in it.
 * Called: the dialer (counts), supervisor, lib (the record), explain; pure. */
#ifndef CORE_METER_H
#define CORE_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/qualifiers.h"

/* Why the authority (core/authority.h) did not let a connection be made, or go on. */
#define METER_WHYS(X)                                                                                                  \
	X(FROZEN, "frozen")                                                                                            \
	X(LABELLED, "labelled")                                                                                        \
	X(SPENT, "spent")                                                                                              \
	X(ASKED, "asked")     /* a person is asked first */                                                            \
	X(REFUSED, "refused") /* by a person */                                                                        \
	X(NOT_NOW, "not-now")                                                                                          \
	X(ENDED, "ended")     /* revoked, or expired */                                                                \
	X(OTHER, "authority") /* for another reason, or nobody said */

enum meter_why {
#define METER_ENUM(name, word) METER_##name,
	METER_WHYS(METER_ENUM)
#undef METER_ENUM
		METER_WHY_COUNT
};

struct meter {
	uint32_t opened, failed;
	uint32_t refused; /* since a budget was spent, or by the authority */
	uint32_t stopped; /* 1 << enum qualifier, METER_BY; these, BYTES and UNTIL also where they ended connections */
	uint32_t
		sys_errno; /* of the last that failed; 0: none did. EPERM: its name led to no public address; EHOSTUNREACH: or to none */
	uint64_t up, down; /* bytes to the host, and from it */
};

#define METER_BY(why) (1u << (16 + (why))) /* of enum meter_why */
#define METER_BY_BUDGET                                                                                                \
	((1u << QUALIFIER_USES) | (1u << QUALIFIER_BYTES) | (1u << QUALIFIER_RATE) | (1u << QUALIFIER_UNTIL))
#define METER_BY_AUTHORITY (METER_BY(METER_WHY_COUNT) - METER_BY(0))
#define METER_STOPPED_ALL (METER_BY_BUDGET | METER_BY_AUTHORITY)
#define METER_BYTES 36 /* of the encoding */

static inline bool meter_is_stopped_by(const struct meter *m, enum qualifier which)
{
	return (m->stopped & 1u << which) != 0;
}

const char *meter_why_word(enum meter_why why);
/* Those of the authority for people, behind "not allowed: "; nothing where there are none. */
void meter_put_whys(const struct meter *m, struct buf *out);
/* What stopped it, by its word in records. False: it is none of these. */
bool meter_stop_is(const char *word, uint32_t *ret_bit);

void meter_add(struct meter *sum, const struct meter *m);
/* How often somebody asked for a connection; as much as fits. */
uint32_t meter_asked(const struct meter *m);
/* What the last failure was, for people; "" if there was none. */
const char *meter_failure(const struct meter *m);

void meter_put(struct buf *out, const struct meter *m);
/* Fails the cursor on what can stop nothing. */
void meter_take(struct rbuf *in, struct meter *ret);

/* As an object of JSON with its keys in order; linked only where JSON is written. */
struct json;
void meter_put_json(struct json *j, const struct meter *m);

#endif
