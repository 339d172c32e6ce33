/* relay - the connections of a cell to what it was granted.
 *
 * Owns:   what listens in the cell, each connection that was accepted there and its other side, which the dialer connected.
 * Holds:  nothing that passes is looked at but the first bytes (net/hello.h), and nothing of it decides where a connection leads: what it was made
 *         to does. A connection that fails is reset. One that waits holds up no other.
 * Called: role ambit-net, from its only thread. */
#ifndef NET_RELAY_H
#define NET_RELAY_H

#include <stdint.h>

#include "base/err.h"

/* Serves until the supervisor is gone: 0. -PROTOCOL: it, or the dialer, said what it may not. -SYSTEM, -MEMORY. Both sockets are borrowed.
 * files: how many descriptors it may have; of connections, as many as they do for. */
int relay_run(int supervisor, uint32_t files, struct err *e);

#endif
