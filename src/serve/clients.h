/* clients - who is connected to the daemon.
 *
 * Owns:   struct clients: a connection for each, and what it was narrowed to; for those who speak JSON-RPC the role ambit-rpc, in a cell, which speaks for
 *         them, and one such role ahead of the next who comes.
 * Holds:  a connection stands for one client, whoever speaks on it. One process has half of the places at most, and is told so. A narrowed one has its session and nothing else. A client that does not read is not heard
 *         before it does; none holds another up.
 * Called: serve. */
#ifndef SERVE_CLIENTS_H
#define SERVE_CLIENTS_H

#include "serve/roles.h"
#include "serve/rows.h"
#include "serve/speaker.h"
#include "session/halts.h"
#include "session/line.h"

#define CLIENTS_MAX 512
#define TRANSLATED_MAX 128 /* each has a cell */
#define COME_RATE 50       /* clients of JSON-RPC a second */
#define LEAVING_MAX 8      /* whose cells are about to end, before others are let in; */
#define LEAVING_ROOM                                                                                                   \
	(LEAVING_MAX + TRANSLATED_MAX + 1) /* with all that are in, who may go at once, and one that nobody got */
#define PARTS_MAX (64u << 20)              /* of all clients together */

struct client {
	struct line line;         /* without a connection: a free place */
	pid_t pid;                /* whose it is, when it came; 0: of another namespace */
	struct buf parts;         /* of a session that is to be made */
	char only[ID_TEXT_MAX];   /* the session to which it was narrowed; "": it is not */
	uint32_t list_request;    /* 0: none is being told */
	char listed[ID_TEXT_MAX]; /* the last that was told */
	unsigned told;
	struct speaker speaker; /* the cell of the role that speaks for it; none: it speaks for itself */
	unsigned polled;        /* where clients_wants asked for it, from 1 on; 0: it came since */
	unsigned n_polled;      /* and how many there */
	uint32_t reload;        /* the request for it that is not answered; 0: none */
	struct halts halts;     /* of everything */
};

struct clients {
	struct roles *roles; /* borrowed */
	struct client client[CLIENTS_MAX];
	struct speaker spare;                 /* a role that waits for a client, */
	int spare_fd;                         /* owned: and the connection to it; -1 */
	struct speaker leaving[LEAVING_ROOM]; /* cells whose clients went */
	struct rate by_rpc;                   /* of clients who get one */
	bool reload;                          /* somebody asks for a hand-over */
	uint64_t generation;                  /* how many there were */
	struct rows rows;
	bool goes_on; /* there is more to be done than somebody wakes us for */
	uint64_t came, refused;
	uint64_t dev, ino; /* of the directory of sessions */
	uint64_t started_ms;
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
};

void clients_init(struct clients *c, struct roles *roles, uint64_t now_ms);
void clients_finish(struct clients *c);
/* The directory of sessions is there: it is told to who comes. */
void clients_place(struct clients *c);

/* Both take sock. */
void clients_come(struct clients *c, int sock);
void clients_come_by_rpc(struct clients *c, int sock);

/* After how many milliseconds one who speaks JSON-RPC can be let in, 0: now. Who connects and leaves without end waits for his own cells, and for a rate: a cell costs
 * as much as an event. */
unsigned clients_rpc_wait(struct clients *c);

#define CLIENTS_POLL_MAX (3 * CLIENTS_MAX + 1 + LEAVING_ROOM)
unsigned clients_wants(struct clients *c, struct pollfd *ret);
int clients_patience(const struct clients *c, int timeout); /* for poll(2), as line_patience */
/* With what came of that. Who has nothing to say costs nothing. */
void clients_step(struct clients *c, const struct pollfd *polled);
/* To who asked for the hand-over: how many there were; why there was none. */
void clients_tell_reload(struct clients *c, const struct err *why);
/* Somebody's everything is being frozen, thawed or killed, and he waits for the answer. */
bool clients_halt(const struct clients *c);
unsigned clients_now(const struct clients *c);

#endif
