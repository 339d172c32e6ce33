/* sockets - a server of standard input and output for whoever connects to a Unix socket.
 *
 * Owns:   the socket at its path, and a process for each client, whose standard input and output are the connection.
 * Holds:  only processes of the same user are let in, by the kernel's word. A path where somebody listens, or that is no socket of ours, is left as it is. Each
 *         client is served by itself: what happens to one is no other's. They end with us.
 * Called: mcp.c, guard.c. */
#ifndef CLI_SOCKETS_H
#define CLI_SOCKETS_H

#include "base/err.h"

#define SOCKETS_CLIENTS_MAX 16

/* Until a signal ends it: 0. In the process of each client it gives 1 at once, and that process serves descriptors 0 and 1. -CONFLICT, -SYSTEM. */
int sockets_serve(const char *path, struct err *e);

#endif
