/* halter - the role ambit-freeze, which freezes, thaws or kills one thing for who must not wait for that, or is a product's process.
 *
 * Owns:   struct halter: the process, and the connection to it.
 * Holds:  what was asked is done also when who asked goes. Nothing that a role says is more than an answer: what is frozen is what lies on disk.
 * Called: the public library; serve and session (session/halts.h). */
#ifndef LIB_HALTER_H
#define LIB_HALTER_H

#include "base/err.h"
#include "session/link.h"

struct halter {
	int sock, pidfd; /* owned, -1 */
};

void halter_init(struct halter *h);
/* Lets it go on. */
void halter_finish(struct halter *h);

/* Starts it, with what was asked and the environment that says where things are kept. -SYSTEM: it cannot be started; -UNTRUSTED. */
int halter_begin(struct halter *h, const struct link_halt *q, char *const *envp, struct err *e);
/* Its answer, for which it waits; readable when it is there. What it answers has no request. */
int halter_hear(struct halter *h, struct link_halted *ret, struct err *e);
/* All of it, and its end is waited for, so that nothing of it is left in a host that adopts orphans. How many events; -code. */
int halter_do(const struct link_halt *q, struct err *e);

#endif
