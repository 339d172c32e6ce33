/* judged - the grants of an event that ask, told to its supervisor with a connection to the person's authority.
 *
 * Owns:   nothing.
 * Holds:  the connection is the badge's alone before anybody else has it (keeper_bind). An event whose grants ask, and for which the authority cannot be had, does not begin.
 * Called: lib/event.c. Waits for the keeper, which answers in milliseconds, and 15 s at most. */
#ifndef LIB_JUDGED_H
#define LIB_JUDGED_H

#include "supervisor/request.h"

bool judged_is_needed(const struct event_request *q);
/* Sends EVENT_AUTHORITY. *ret: who acts. */
int judged_tell(int sock, const struct event_request *q, uint64_t keep_ms, uint64_t *ret_badge, struct err *e);

#endif
