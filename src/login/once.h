/* once - one request of a login, through the cell's own network.
 *
 * Owns:   struct once: where it goes, which was looked up and made before the role was locked down, and what came of it.
 * Holds:  nothing is followed or asked twice; of a body 256 KiB are read, and all of it ends within 30 seconds.
 * Called: ambit-login. */
#ifndef LOGIN_ONCE_H
#define LOGIN_ONCE_H

#include "bridge/talk.h"
#include "login/read.h"

#define ONCE_BODY_MAX (256u << 10)
#define ONCE_PATIENCE_MS 30000u

struct once {
	struct talk_net net;
	struct url url;
	struct login_answer *answer; /* borrowed */
	struct buf body;             /* owned */
};

/* False: why stands in the answer. */
bool once_open(struct once *o, const struct login_ask *ask, struct login_answer *a);
void once_close(struct once *o);
/* Fills in the answer, but for what the body says. False: why stands there. */
bool once_run(struct once *o, const struct login_ask *ask);

#endif
