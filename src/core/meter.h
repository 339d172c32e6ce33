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

struct meter {
	uint32_t opened, failed;
	uint32_t refused; /* since a budget was spent */
	uint32_t stopped; /* which: bit set of 1 << enum qualifier; BYTES and UNTIL also where they ended connections */
	uint32_t sys_errno; /* of the last that failed; 0: none did. EPERM: its name led to no public address */
	uint64_t up, down;  /* bytes to the host, and from it */
};

#define METER_STOPPED_ALL                                                                                              \
	((1u << QUALIFIER_USES) | (1u << QUALIFIER_BYTES) | (1u << QUALIFIER_RATE) | (1u << QUALIFIER_UNTIL))
#define METER_BYTES 36 /* of the encoding */

static inline bool meter_is_stopped_by(const struct meter *m, enum qualifier which)
{
	return (m->stopped & 1u << which) != 0;
}

void meter_add(struct meter *sum, const struct meter *m);
/* How often somebody asked for a connection; as much as fits. */
uint32_t meter_asked(const struct meter *m);
/* What the last failure was, for people; "" if there was none. */
const char *meter_failure(const struct meter *m);

void meter_put(struct buf *out, const struct meter *m);
/* Fails the cursor on a budget that there is not. */
void meter_take(struct rbuf *in, struct meter *ret);

/* As an object of JSON with its keys in order; linked only where JSON is written. */
struct json;
void meter_put_json(struct json *j, const struct meter *m);

#endif
