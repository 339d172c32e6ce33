/* serve - the connections of one grant whose requests are judged.
 *
 * Owns:   the grant's terms and secrets, the authority, all sessions.
 * Holds:  one that waits holds up no other; of more than SERVE_SESSIONS_MAX at one time the next is turned away. What was asked for is counted by rule, method and status, and told at the end.
 * Called: role ambit-http, from its only thread. */
#ifndef HTTP_SERVE_H
#define HTTP_SERVE_H

#include "base/err.h"
#include "http/vault.h"

#define SERVE_SESSIONS_MAX 256
/* Of all connections, what waits: beyond it the one is closed that holds most. A role that were ended for its memory (lib/network.c) could not
 * tell any more what was asked for; what TLS and the reading of a document take has room beside it. */
#define SERVE_HELD_MAX (96u << 20)
#define SERVE_TURN_MS 20 /* then it is looked who else wants something */

/* Serves until the supervisor is gone: 0. -PROTOCOL: it said what it may not; -SYSTEM, -MEMORY. vaults: one for each secret that there may be. Both are borrowed. */
int serve_run(int supervisor, struct vault *vaults, struct err *e);

#endif
