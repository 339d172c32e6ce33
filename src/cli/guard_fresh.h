/* guard_fresh - a server for each call.
 *
 * Owns:   struct fresh: the role ambit-many, as it gives each call a server of its own, and the events of these.
 * Holds:  the first server is for all but calls, and nothing that it writes stays. What another writes is committed when it has answered well and ended, all of it or nothing; each is an event. Nothing of one is there for the next.
 * Called: guard.c, around the role ambit-guard, which sees one server. */
#ifndef CLI_GUARD_FRESH_H
#define CLI_GUARD_FRESH_H

#include <stdbool.h>

#include "ambit/ambit.h"
#include "base/err.h"

struct gate;
struct fresh;

/* Between the first server, whose streams are taken, and the role ambit-guard, which gets what is in *to, *from afterwards. */
int fresh_begin(struct gate *g, int *to, int *from, struct fresh **ret, struct err *e);
/* Readable when fresh_step has something to do. */
int fresh_fd(const struct fresh *f);
/* -PROTOCOL: the role said what it may not. Gives in *ret_wait_ms how long poll(2) may wait, -1: for ever. True: the role is over, and all events. */
int fresh_step(struct fresh *f, int *ret_wait_ms, bool *ret_over, struct err *e);
/* No more servers: what is there is ended. */
void fresh_end(struct fresh *f);
void fresh_free(struct fresh *f);

#endif
