/* dial - connects to what was granted, and to nothing else.
 *
 * Owns:   the list of endpoints, each dial under way, and a copy of each connection that is open.
 * Holds:  who asks (the relay) says which endpoint, and no more: where that leads, the supervisor said before. A name leads to public addresses
 *         only, whatever it resolves to, and the address that was checked is the one that is connected. The copies are what connections are counted
 *         by, with the kernel's own figures.
 * Called: role ambit-dial, from its only thread. */
#ifndef DIAL_DIAL_H
#define DIAL_DIAL_H

#include "base/err.h"

/* Takes what is allowed, then serves until the supervisor is gone: 0. -PROTOCOL, -SYSTEM, -MEMORY. */
int dial_run(int supervisor, struct err *e);

#endif
