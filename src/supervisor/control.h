/* control - the socket by which the owner of an event reaches it while it runs.
 *
 * Owns:   struct control: the socket that listens, the few who are connected, and which grants are withdrawn.
 * Holds:  who is neither the supervisor's own user nor root is not heard. Nobody is waited for: who does not take an answer, or sends anything
 *         that is not in the table, is disconnected. A grant is withdrawn once, told once, and answered only when the dialer has ended its
 *         connections; nothing that is said here gives anything. What is frozen is answered
 *         when it stands still.
 * Called: supervisor. */
#ifndef SUPERVISOR_CONTROL_H
#define SUPERVISOR_CONTROL_H

#include <poll.h>

#include "supervisor/freeze.h"
#include "supervisor/network.h"
#include "supervisor/reach.h"
#include "supervisor/request.h"
#include "wire/wire.h"

#define CONTROL_CLIENTS 4 /* at one time; the one that asked for nothing longest makes room for the next */
#define CONTROL_POLLED (2 + CONTROL_CLIENTS)

struct control_client {
	int sock; /* owned, -1: there is none */
	uid_t uid;
	uint32_t number; /* by which the dialer's answers find it; ascending */
	uint32_t waits;  /* answers of the dialer that are to come, before it is answered itself */
	bool revokes, again;
	bool holds; /* it waits for CONTROL_HELD */
	uint32_t grant, connections;
};

/* A grant has been withdrawn: by whom, and how many connections that closed. */
typedef void control_withdrawn_fn(void *user, uint32_t grant, uid_t by, uint32_t connections);

/* Somebody wants that it freezes (with a reason), goes on, or ends. It is answered by control_held, at once or later, or by control_finish. */
enum control_order { CONTROL_FREEZE, CONTROL_THAW, CONTROL_KILL };
typedef void control_order_fn(void *user, enum control_order order, uid_t by, const char *reason);

struct control {
	int listener; /* owned, -1: nobody reaches this event */
	uint32_t number;
	uint64_t begun_ms;             /* the event, since 1970 */
	const struct event_request *q; /* borrowed, like the next two */
	const struct cell_spec *spec;
	struct network *network;
	control_withdrawn_fn *tell;
	control_order_fn *order;
	const struct freeze *freeze; /* borrowed */
	void *user;
	bool withdrawn[GRANTS_MAX];
	uint32_t n_withdrawn;
	/* The dialer's answer to what was withdrawn with the number 0, which is no client's. */
	void (*answered)(void *user);
	struct control_client clients[CONTROL_CLIENTS];
	uint8_t room[WIRE_HEAD + 4144]; /* the longest message */
};

void control_init(struct control *c);
/* Listens; the rest is set by the caller. -CONFLICT: somebody has the name, and the owner would not reach the event. -SYSTEM. */
int control_open(struct control *c, const char *event, struct err *e);
/* Fills CONTROL_POLLED entries, and serves them after poll. */
void control_watch(const struct control *c, struct pollfd *p);
void control_serve(struct control *c, const struct pollfd *p);
/* Answers those who asked it to freeze, or to go on. */
void control_held(struct control *c, const struct reach_held *h);
/* The cell is dead, and with it what was to be withdrawn: told now. Closes everything. */
void control_finish(struct control *c);

#endif
