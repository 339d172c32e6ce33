/* network - what an event may connect to: its endpoints in the cell, and the two roles outside that answer them.
 *
 * Owns:   struct network: the connections to the roles ambit-net and ambit-dial, which the library started.
 * Holds:  what exists in the cell is endpoints_plan's, and the dialer is told where it leads before anything runs. What the two
 *         roles say decides nothing; how much was used is the dialer's word, who never reads what passes.
 * Called: supervisor. */
#ifndef SUPERVISOR_NETWORK_H
#define SUPERVISOR_NETWORK_H

#include "cell/spec.h"
#include "core/meter.h"
#include "net/link.h"
#include "supervisor/agent.h"
#include "supervisor/http.h"
#include "supervisor/request.h"

/* Who decides on each new connection of the grants that are held, before anything is sent to a host or comes from it. What is asked is answered
 * by network_may(), now or later; without an answer it is refused after ten seconds. A number is one connection's and never another's. It ends by
 * network_may() that refuses what `may` asked, or by `used`, once, in any case but that of a dialer that went: then none is told any more. */
struct network_judge {
	bool (*holds)(void *user, uint32_t grant); /* asked once of each endpoint, by network_begin */
	/* A connection of the grant to what `to` says: the name or the one address that is meant, and the port; or the path
	 * of a Unix socket. */
	void (*may)(void *user, uint32_t grant, uint64_t number, const struct endpoint *to);
	/* Half of what was allowed last has passed, or all of it: then nothing passes before the answer. */
	void (*more)(void *user, uint64_t number, uint64_t up, uint64_t down);
	/* It is over, or came to nothing (not opened): also if the answer was yes and came too late. */
	void (*used)(void *user, uint64_t number, bool opened, uint64_t up, uint64_t down);
};

struct network {
	int relay, dialer;                 /* owned, -1: nothing is granted */
	const struct network_judge *judge; /* borrowed, and set before network_begin; NULL: no grant is held */
	void *judge_user;
	const struct cell_spec *spec; /* borrowed, from network_begin on */
	bool held[LINK_ENDPOINTS_MAX];
	uint32_t n;       /* endpoints, as in the spec, */
	uint32_t n_ports; /* and ports of the host that lead into the cell, whose numbers come after them */
	struct {
		uint32_t grant;
		uint16_t port; /* of the host */
	} ports[LINK_LISTENS_MAX];
	struct agent_roles agent;
	struct http_roles http;
};

void network_init(struct network *n);
void network_finish(struct network *n);

/* Tells the roles what is allowed, listens on the host, and puts into spec, which is that of q, what the signer told. -PROTOCOL: there are grants and
 * no roles. -GONE, -NOT_FOUND; -CONFLICT, -DENIED: a port cannot be had; what agent_begin gives. */
int network_begin(struct network *n, const struct event_request *q, struct cell_spec *spec, struct err *e);
/* What listens in the cell, from socket `first` on (spec_listener), goes to the relay. -PROTOCOL, -GONE. */
int network_listen(struct network *n, const struct cell_spec *spec, uint32_t first, const int *fds, size_t n_fds,
		   struct err *e);
/* What a grant connects to, without the key that may come with it; in room. */
const char *network_connection(const struct grant_set *set, uint32_t grant, char room[ENDPOINT_TEXT_MAX]);
/* Asks the dialer how many connections the endpoints of a grant have, or withdraws them, also for other grants that name the same connection;
 * number comes back with the answers. Gives how many
 * answers are to come. Never waits: -errno, where the dialer is gone or takes nothing. */
int network_ask(struct network *n, const struct cell_spec *spec, const struct grant_set *grants, uint32_t grant,
		uint32_t number, bool withdraw);
/* Hears the dialer, of whom something is there. 1: one of these answers; 0: what the judge was told; -GONE: the dialer is gone. */
int network_hear(struct network *n, struct link_live *ret);
/* Whether the dialer may say something that nobody asked for. */
bool network_is_judged(const struct network *n);
/* What `may` or `more` asked: LINK_YES with so many bytes more (0: without a bound; of a Unix socket that alone), or enum meter_why, with 0. Of
 * what is over by now, or was answered, it says nothing. A piece that passes in less than 20 ms makes a quick connection stop and go. Never waits;
 * an answer that the dialer does not take is a no. */
void network_may(struct network *n, uint64_t number, uint32_t why, uint64_t bytes);
/* The host that is meant by an endpoint: itself, or one of those to which it leads (of link_ask). */
void network_host(const struct cell_spec *spec, uint32_t endpoint, const struct host_name *name,
		  const struct address *address, struct endpoint *ret);
/* Sockets of the cell's network go to the dialer. -PROTOCOL, -GONE. */
int network_pool(struct network *n, const int *fds, size_t n_fds, struct err *e);
/* The ports of the host, as EVENT_LISTENING has them. */
void network_put_ports(const struct network *n, struct buf *out);
/* Nothing passes from now on, or again. Never waits. */
void network_still(struct network *n, bool still);
/* Those who were told have stopped; one that does not say so in time is let go, and ends with what it had. */
void network_stands(struct network *n);
/* The cell is dead: what was used of each endpoint; False: the dialer does not say. */
bool network_used(struct network *n, struct link_report *ret);
/* The same, by the relay's word: the hellos that it refused of each endpoint, and the names that were asked for. */
struct network_told {
	struct link_refused refused[LINK_ENDPOINTS_MAX];
	uint32_t n_unknown, n_given;
	struct host_name unknown[LINK_UNKNOWN_MAX]; /* not granted */
	struct host_name given[LINK_GIVEN_MAX];     /* of link_address_of() */
};
bool network_told(struct network *n, struct network_told *ret);

#endif
