/* halts - what one connection asked to freeze, thaw or kill.
 *
 * Owns:   struct halts: the role that does the first of it (lib/halter.h), and what waits behind it.
 * Holds:  nobody waits for it here: the answer is told when it is there and has room. One at a time, in the order of the requests. Who goes has what was begun done, and
 *         no more.
 * Called: serve, session. */
#ifndef SESSION_HALTS_H
#define SESSION_HALTS_H

#include <poll.h>

#include "lib/halter.h"
#include "session/line.h"

#define HALTS_MAX 8 /* of one connection */

struct halts {
	struct link_halt *asked; /* owned, NULL: HALTS_MAX of them; the first is being done */
	unsigned n;
	struct halter halter;
};

void halts_init(struct halts *h);
void halts_finish(struct halts *h);
/* -LIMIT, or why it cannot be begun. */
int halts_ask(struct halts *h, const struct link_halt *q, char *const *envp, struct err *e);
/* Tells what is done, by one of the two numbers, and begins the next. The line has room: line_flush. */
void halts_tell(struct halts *h, struct line *line, enum wire_number done, enum wire_number failed, char *const *envp);
/* fd -1 if nothing is done. */
struct pollfd halts_wants(const struct halts *h);

#endif
