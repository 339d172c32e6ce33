/* reach - where a host of the cell's network is, and whom programs of the cell trust.
 *
 * Holds:  what is read is the cell's own: /etc/hosts, which Ambit wrote, and the file that SSL_CERT_FILE names. All of it before the role is locked down.
 * Called: ambit-ask, ambit-bridge. */
#ifndef ASK_REACH_H
#define ASK_REACH_H

#include <netinet/in.h>
#include <stdbool.h>

#include "base/buf.h"

#define REACH_AUTHORITIES_MAX (4u << 20) /* those of a distribution are 220 kB */

union reach_address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

/* host: a name that the cell's /etc/hosts has, or an address without brackets. How long the address is; 0: there is none. */
socklen_t reach_find(union reach_address *ret, const char *host, uint16_t port);
/* Appends them, as PEM. False: there are none, or too many. */
bool reach_authorities(struct buf *out);

#endif
