/* link - what supervisor, relay and dialer tell each other about connections.
 *
 * Owns:   the bodies of the messages NET_* and DIAL_* (wire/messages.def).
 * Holds:  all of them are of a fixed shape, and what was decoded is checked: an index is below the maximum, a name is one, an address has a
 *         family. The relay sees what a program in the cell sends, so nothing that it says is believed but which of its connections is meant.
 * Called: supervisor, the roles ambit-net and ambit-dial; pure. */
#ifndef NET_LINK_H
#define NET_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/address.h"
#include "core/endpoint.h"
#include "core/host.h"
#include "core/meter.h"

#define LINK_ENDPOINTS_MAX 128    /* as CELL_ENDPOINTS_MAX */
#define LINK_LISTENERS_MAX 256    /* of both families, where one listens for many addresses */
#define LINK_GRANTS_MAX 256       /* as GRANTS_MAX */
#define LINK_CONNECTIONS_MAX 2048 /* at one time */
#define LINK_LISTENS_MAX 16       /* ports of the host that lead into the cell */
#define LINK_ARRIVALS_MAX                                                                                              \
	64 /* at one time who came by them: their connections are numbered after LINK_CONNECTIONS_MAX */
#define LINK_NUMBERS_MAX (LINK_CONNECTIONS_MAX + LINK_ARRIVALS_MAX)
#define LINK_HTTP_MAX 16  /* grants of an event whose requests are judged: each has a process */
#define LINK_ASKED_MAX 64 /* dials that the relay waits for at one time: so many messages fit any socket's buffer */
#define LINK_HELD_MAX 32  /* of them, of grants that are held: the others find room while a word is waited for */

/* Parts of bodies. A name: "", or in its one way of being written; an address: also of family 0, none. */
bool link_take_name(struct rbuf *in, struct host_name *ret);
void link_put_address(struct buf *out, const struct address *a);
bool link_take_address(struct rbuf *in, struct address *ret);

/* Where an endpoint leads. Endpoints of one grant share its budget. */
struct link_endpoint {
	uint32_t index;
	uint32_t grant;
	uint32_t held; /* 1: each connection waits for the supervisor's word (DIAL_MAY) */
	struct qualifiers
		budget; /* of the grant; ech is nothing to the dialer, and there is no ask and no between: it tells neither */
	struct endpoint to;
};
void link_put_endpoint(struct buf *out, const struct link_endpoint *p);
bool link_take_endpoint(struct rbuf *in, struct link_endpoint *ret);

/* What an endpoint of the cell is, and what a client of it may ask for. */
#define LINK_BY_ADDRESS UINT32_MAX /* in place of an index: it is the address that says which */
#define LINK_ECH 1u                /* flag: an encrypted client hello passes, though it may name another host */
#define LINK_HELD 2u               /* flag: the grant is held */
struct link_listener {
	uint32_t index;       /* of the endpoint */
	uint32_t flags;       /* LINK_* */
	struct endpoint what; /* `range` of a name: its address in the cell */
};
void link_put_listener(struct buf *out, const struct link_listener *l);
bool link_take_listener(struct rbuf *in, struct link_listener *ret);

/* Why a hello of TLS was refused. */
enum link_reason {
	LINK_OTHER_NAME, /* it asks for another host, or the second for another than the first */
	LINK_MALFORMED,  /* net/hello.h */
	LINK_HIDDEN,     /* it has encrypted_client_hello, and LINK_ECH is not set */
	LINK_REASONS,
};

/* How often that was of one endpoint. The relay says so, and it reads what programs send: a hint for people, on which nothing rests. */
struct link_refused {
	uint32_t times[LINK_REASONS];
	struct host_name name; /* the first other name that was asked for; "": none */
};
#define LINK_REFUSED_BYTES_MAX (LINK_ENDPOINTS_MAX * (4 * LINK_REASONS + 4 + HOST_NAME_MAX_LEN))
/* Of all endpoints that there may be. */
void link_put_refused(struct buf *out, const struct link_refused refused[LINK_ENDPOINTS_MAX]);
bool link_take_refused(struct rbuf *in, struct link_refused ret[LINK_ENDPOINTS_MAX]);

/* The same for a Unix socket: its name in a directory, which travels with it. */
struct link_socket {
	uint32_t index;
	uint32_t grant;
	uint32_t held;            /* as above */
	struct qualifiers budget; /* of the grant, as above; no bytes, which nobody counts */
	char name[ENDPOINT_UNIX_MAX];
};
void link_put_socket(struct buf *out, const struct link_socket *p);
bool link_take_socket(struct rbuf *in, struct link_socket *ret);

/* A connection is to be made; to an endpoint that leads to more than one host, to which of them. */
struct link_ask {
	uint32_t connection, endpoint;
	struct address address; /* family 0: none is meant */
	struct host_name name;  /* "": none */
};
void link_put_ask(struct buf *out, const struct link_ask *a);
bool link_take_ask(struct rbuf *in, struct link_ask *ret);

/* The dialer asks for a word on a new connection of a grant that is held: to where, as link_ask has it. Nothing was done for it yet. */
struct link_may {
	uint64_t number; /* of the connection: not 0, and no other's ever after */
	uint32_t endpoint;
	struct address address;
	struct host_name name;
};
void link_put_may(struct buf *out, const struct link_may *p);
bool link_take_may(struct rbuf *in, struct link_may *ret);

/* The word: on that, and on a connection whose bytes were used up (DIAL_MORE). */
#define LINK_YES UINT32_MAX
struct link_word {
	uint64_t number;
	uint64_t bytes; /* with yes: how many more may pass, in both directions together; 0: any number */
	uint32_t why;   /* enum meter_why; LINK_YES */
};
void link_put_word(struct buf *out, const struct link_word *w);
bool link_take_word(struct rbuf *in, struct link_word *ret);

/* What a connection has used: of its bytes all (DIAL_MORE), or nothing more comes (DIAL_SPENT). */
struct link_spent {
	uint64_t number;
	uint32_t opened;   /* 0: it came to nothing */
	uint64_t up, down; /* bytes, by the kernel's count; 0 of a Unix socket */
};
void link_put_spent(struct buf *out, const struct link_spent *s);
bool link_take_spent(struct rbuf *in, struct link_spent *ret);

/* A port of the cell, to which what listens on the host leads; its index is one of the endpoints'. */
struct link_listen {
	uint32_t index;
	uint16_t port;
};
void link_put_listen(struct buf *out, const struct link_listen *p);
bool link_take_listen(struct rbuf *in, struct link_listen *ret);

/* Somebody came by one, and two descriptors travel with it: his, and the one that leads to the cell's server. */
void link_put_arrival(struct buf *out, uint32_t connection);
bool link_take_arrival(struct rbuf *in, uint32_t *ret_connection);

/* A connection is over. */
struct link_close {
	uint32_t connection;
	uint32_t broken; /* 1: not to its end; the host is told so */
};
void link_put_close(struct buf *out, const struct link_close *c);
bool link_take_close(struct rbuf *in, struct link_close *ret);

/* A dial came to an end; 0: with the descriptor that travels with it. */
struct link_done {
	uint32_t connection;
	uint32_t sys_errno;
};
void link_put_done(struct buf *out, const struct link_done *d);
bool link_take_done(struct rbuf *in, struct link_done *ret);

/* A question about an endpoint (how many connections are live; withdraw it), by a number of the asker's, and how many there are, or were closed. */
struct link_about {
	uint32_t number;
	uint32_t endpoint;
};
void link_put_about(struct buf *out, const struct link_about *a);
bool link_take_about(struct rbuf *in, struct link_about *ret);

struct link_live {
	uint32_t number;
	uint32_t connections;
};
void link_put_live(struct buf *out, const struct link_live *l);
bool link_take_live(struct rbuf *in, struct link_live *ret);

/* What was used of an endpoint, or of one host to which it led. */
struct link_used {
	struct meter meter;
	uint32_t withdrawn; /* dials that were asked for after that, or under way; of endpoints only */
};
#define LINK_HOSTS_MAX 64 /* hosts that are told apart; the others are counted with their endpoint */
struct link_host {
	uint32_t endpoint;
	struct address address; /* family 0: by name */
	struct host_name name;  /* "": by address */
	struct meter meter;
};
#define LINK_USED_BYTES_MAX                                                                                            \
	(4 + LINK_ENDPOINTS_MAX * (METER_BYTES + 4) + LINK_HOSTS_MAX * (4 + 17 + 4 + HOST_NAME_MAX_LEN + METER_BYTES))
struct link_report {
	struct link_used used[LINK_ENDPOINTS_MAX];
	uint32_t n_hosts;
	struct link_host hosts[LINK_HOSTS_MAX];
};
/* Of n endpoints, exactly. */
void link_put_report(struct buf *out, const struct link_report *r, uint32_t n);
bool link_take_report(struct rbuf *in, struct link_report *ret, uint32_t n);

/* The address in the cell of the name that was the index-th to be asked for; index below LINK_NAMED_MAX. And back: UINT32_MAX of any other address. */
#define LINK_NAMED_MAX 16384
struct address link_address_of(uint32_t index);
uint32_t link_index_of(const struct address *at);

/* Names that were asked for in the cell: those that are not granted, and the first of those that have an address there, in their
 * order. The relay's word, too. */
#define LINK_UNKNOWN_MAX 64
#define LINK_GIVEN_MAX 192 /* so many of any length fit a message */
#define LINK_NAMES_BYTES_MAX (4 + LINK_GIVEN_MAX * (4 + HOST_NAME_MAX_LEN))
void link_put_names(struct buf *out, const struct host_name *names, uint32_t n);
/* No more than max. */
bool link_take_names(struct rbuf *in, uint32_t max, struct host_name *ret, uint32_t *ret_n);

#endif
