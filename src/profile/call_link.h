/* call_link - the items of one call as bytes: of the role that made them, for the keeper that judges them.
 *
 * Owns:   their form, which is bounded.
 * Holds:  what was put is taken again. Its texts are a client's: they may have any byte but NUL.
 *         A gate knows no prompt, and of nothing that it is made up: a role that was taken over cannot say so, which would make anything usual.
 * Called: the role ambit-guard (puts), ambit-usual (takes); pure. */
#ifndef PROFILE_CALL_LINK_H
#define PROFILE_CALL_LINK_H

#include "base/buf.h"
#include "profile/call.h"

#define CALL_BYTES_MAX                                                                                                 \
	(1 + 8 + 4 + CALL_TOOL_MAX + 1 +                                                                               \
	 (CALL_ITEMS_MAX + 1) * (8 + 8 + 1 + 1 + 4 + CALL_PLACE_MAX + 4 + CALL_VALUE_MAX))

void call_put(struct buf *out, const struct call *c);
/* Without a key and a prompt. False: it is none. */
bool call_take(struct rbuf *in, struct call *ret);

#endif
