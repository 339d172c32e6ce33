/* serve - the connections of one grant whose requests are judged.
 *
 * Owns:   the grant's terms and secret, the authority, all sessions.
 * Holds:  one that waits holds up no other; of more than SERVE_SESSIONS_MAX at one time the next is turned away. What was asked for is counted by rule, method and status, and told at the end.
 * Called: role ambit-http, from its only thread. */
#ifndef HTTP_SERVE_H
#define HTTP_SERVE_H

#include "base/err.h"
#include "http/vault.h"

#define SERVE_SESSIONS_MAX 256

/* Serves until the supervisor is gone: 0. -PROTOCOL: it said what it may not; -SYSTEM, -MEMORY. Both are borrowed. */
int serve_run(int supervisor, struct vault *vault, struct err *e);

#endif
