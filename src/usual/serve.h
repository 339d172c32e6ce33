/* serve - the keeper of profiles at work: answers whoever is connected, by turns.
 *
 * Owns:   the connections.
 * Holds:  each message has one answer, and one client one message at a time; who does not read its answer is parted with, but for a text, which waits. Nobody is waited for.
 * Called: the role ambit-usual. */
#ifndef USUAL_SERVE_H
#define USUAL_SERVE_H

#include "usual/book.h"
#include "usual/calls.h"

#define SERVE_CLIENTS_MAX 128
#define SERVE_QUIET_MS                                                                                                 \
	10000 /* who has said nothing for so long is parted with where there is no room: a gate that waits for its client comes again */
#define SERVE_IDLE_MS 10000 /* without a connection: what was learned is saved, and the process ends */

/* Until nobody needs it for SERVE_IDLE_MS. -code: what was learned could not be saved. */
int serve_run(int listen_fd, struct book *b, struct calls *c, struct err *e);

#endif
