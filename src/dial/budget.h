/* budget - what is left of the budget of one grant: uses, rate, bytes and time.
 *
 * Owns:   struct budget: pure data. Zeroed memory is nobody's.
 * Holds:  no more connections than `uses` are ever open or under way together with those that were; a dial that failed gives its use back, and
 *         not its part of the rate. A budget of bytes that was met stays so,
 *         and so does a moment that has passed, whatever the host's clock is set to.
 * Called: dial.c; pure, told the time. */
#ifndef DIAL_BUDGET_H
#define DIAL_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/qualifiers.h"
#include "core/rate.h"

struct budget {
	bool taken; /* by a grant */
	bool ended; /* the moment of `until` has passed */
	struct qualifiers most;
	uint32_t opened, under_way; /* of connections */
	uint64_t bytes;             /* in both directions, as last looked at */
	struct rate rate;           /* of connections that are begun */
};

/* Endpoints of one grant must say the same: false otherwise. */
bool budget_begin(struct budget *b, const struct qualifiers *most, uint64_t now_ms);
/* Takes what a dial needs. False: *ret_which is spent. */
bool budget_take(struct budget *b, uint64_t now_ms, enum qualifier *ret_which);
/* What the host's clock shows, in seconds since 1970. True: the moment of `until` has passed, and had not before. */
bool budget_tell_time(struct budget *b, uint64_t now_s);
/* A dial has come to its end. */
void budget_settle(struct budget *b, bool opened);
/* Nothing more may be sent: live connections are to be ended. */
bool budget_is_over(const struct budget *b);
/* Bytes are left, or there is no bound. */
bool budget_has_bytes(const struct budget *b);
/* The moment has not passed, and there is one. */
bool budget_will_end(const struct budget *b);

#endif
