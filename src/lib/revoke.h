/* revoke - what a stream of events was given in the person's authority is taken from it, by a rule and not by a person.
 *
 * Holds:  it only takes away. Each grant of the stream's badge is revoked, and so all that is derived from it (doc/AUTHORITY.md, REVOKE); a person gives one back by `ambit grant restore`. Where nobody ever asked the authority for
 *         anything there is none, and nothing is started.
 * Called: lib, when an event has ended. Waits for the keeper, as lib/authority.h has it. */
#ifndef LIB_REVOKE_H
#define LIB_REVOKE_H

#include "lib/result.h"
#include "supervisor/request.h"

/* The stream in which an event was begun: of a sub-agent its session's, or its caller's. */
void revoke_whose(const struct event_request *q, char ret[ID_TEXT_MAX]);
/* Tells by ret how many were revoked, and why not all. */
void revoke_stream(const struct event_request *q, struct event_result *ret);

#endif
