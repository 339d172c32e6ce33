/* targets - what a connection that was made in the cell is meant for.
 *
 * Owns:   struct targets: the endpoints, and the address that each name has in the cell.
 * Holds:  an address stands for one name for as long as the cell lives, and is given to it when it is first asked for; nobody outside is asked. Which
 *         endpoint a connection is for follows from the address and port that the program connected to; the dialer checks it again, and
 *         believes nothing of it. More than TARGET_NAMES_MAX names are not there.
 * Called: role ambit-net, of what programs in the cell ask for; pure. */
#ifndef NET_TARGETS_H
#define NET_TARGETS_H

#include "net/dns.h"
#include "net/link.h"

#define TARGET_NAMES_MAX LINK_NAMED_MAX /* four megabytes, touched as far as they are used */

struct targets {
	uint32_t n;                                  /* endpoints; `of` has one more than the highest index */
	struct link_listener of[LINK_ENDPOINTS_MAX]; /* what.kind 0: none */
	uint32_t n_names, n_unknown;
	uint16_t bucket[2 * TARGET_NAMES_MAX];      /* index of a name, and one; 0: free */
	struct host_name unknown[LINK_UNKNOWN_MAX]; /* that were asked for and are not granted, each once */
	struct host_name names[TARGET_NAMES_MAX];
};

struct target {
	uint32_t endpoint;
	struct address address;       /* family 0: by name */
	const struct host_name *name; /* in the table; NULL: by address */
};

/* Endpoints have indices of their own; each once. */
void targets_add(struct targets *t, const struct link_listener *l);
/* Of dns_hosts: whether the name leads anywhere, and by which address. arg is a struct targets. */
bool targets_find(void *arg, const struct host_name *name, struct dns_host *ret);
/* Of an endpoint that leads to one host; gives ret. */
const struct target *targets_of(const struct targets *t, uint32_t endpoint, struct target *ret);
/* What listens at the port was connected to by this address. False: that was not granted. */
bool targets_meant(const struct targets *t, uint16_t port, const struct address *at, struct target *ret);

#endif
