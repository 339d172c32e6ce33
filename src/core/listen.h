/* listen - the object of a grant `listen`: a port of the host's loopback, and the port of the cell to which it leads.
 *
 * Owns:   struct listen_ports and the one way of writing it.
 * Holds:  `PORT`, the same on both sides, or `HOSTPORT:PORT`; HOSTPORT 0 is one that the kernel chooses. A port is a number from 1 to 65535
 *         without leading zeros.
 * Called: core/grant.c, the supervisor, lib; pure. */
#ifndef CORE_LISTEN_H
#define CORE_LISTEN_H

#include <stdint.h>

#include "base/err.h"

#define LISTEN_TEXT_MAX 12 /* 65535:65535 */

struct listen_ports {
	uint16_t host; /* 0: any */
	uint16_t cell;
};

/* A whole text, as a person wrote it. -MALFORMED says how to write it. */
int listen_take(const char *text, struct listen_ports *ret, struct err *e);
/* The one way: `PORT` if both are the same. */
void listen_put(const struct listen_ports *p, char ret[LISTEN_TEXT_MAX]);

#endif
