/* arrive - those outside who connect to a server of the cell.
 *
 * Owns:   what listens on the host's loopback, and the pool: sockets of the cell's network, two for each arrival that there may be, which the
 *         warden made and nobody else can make.
 * Holds:  an arrival is connected to the one port of the cell's loopback that its listener leads to, by IPv4 and then by IPv6. A socket of
 *         the pool is used again when the kernel has sent all that was written to it (tcp(7), connect with AF_UNSPEC: it is then as new, with another
 *         port of its own). While none is free, who comes waits in the kernel's queue.
 * Called: dial.c. */
#ifndef DIAL_ARRIVE_H
#define DIAL_ARRIVE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/link.h"

#define ARRIVALS_POLLED_MAX (2 * LINK_LISTENS_MAX + LINK_ARRIVALS_MAX)

enum arrival_state { ARRIVAL_NONE, ARRIVAL_DIALING, ARRIVAL_OPEN, ARRIVAL_DRAINS };

struct arrival {
	uint8_t state;  /* enum arrival_state */
	uint8_t family; /* index of pool: by which it is connected */
	uint16_t port;  /* of the cell */
	uint32_t endpoint;
	int client;      /* owned: who came; while it is open a copy of what the relay has; -1 */
	int pool[2];     /* owned: of IPv4 and IPv6; -1: there is none */
	int dialed;      /* while it is dialing: as that stands, -EINPROGRESS or why it failed */
	uint64_t end_ms; /* when it is given up */
};

struct arrivals {
	uint32_t n_listeners;
	struct {
		int fd; /* owned */
		uint16_t port;
		uint32_t endpoint;
	} listener[2 * LINK_LISTENS_MAX];
	struct arrival slot[LINK_ARRIVALS_MAX];
	uint32_t next; /* where a free one is looked for, so that each rests for as long as it can */
};

void arrivals_init(struct arrivals *a);
/* Takes the descriptor; false: there are too many. */
bool arrivals_listen(struct arrivals *a, const struct link_listen *to, int fd);
/* The same for one of the pool. */
bool arrivals_add(struct arrivals *a, int fd);

/* Appends what is waited for; gives how many. */
unsigned arrivals_watch(const struct arrivals *a, struct pollfd *p);
/* When arrivals_step is due in any case; UINT64_MAX: not. */
uint64_t arrivals_due(const struct arrivals *a, uint64_t now_ms);
/* Takes who waits, as far as there is room: no more than LINK_ARRIVALS_MAX. */
void arrivals_accept(struct arrivals *a, uint64_t now_ms);
/* Connects, and lets sockets rest. True: *ret is the index of one that is connected (*ret_errno is 0), or was reset because it could not be;
 * call it again until false. */
bool arrivals_step(struct arrivals *a, uint64_t now_ms, uint32_t *ret, int *ret_errno);

/* The relay is done with one that is open. broken: both sides are told so. False: it is not open. */
bool arrivals_close(struct arrivals *a, uint32_t index, bool broken, uint64_t now_ms);
/* Ends all of them, and nobody is accepted any more. */
void arrivals_end(struct arrivals *a, bool broken);

#endif
