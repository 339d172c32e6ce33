/* client - one connection to the keeper: what is on its way to it, and what it waits for.
 *
 * Owns:   struct client: its socket, what it has not read yet, and what is shown with its next question.
 * Holds:  messages reach it in order, each whole. What was put since the last client_commit goes only then, and not at all after client_forget: it tells of what
 *         has not happened. One who does not read what it is told is parted with.
 * Called: serve.c. */
#ifndef AUTHORITY_CLIENT_H
#define AUTHORITY_CLIENT_H

#include "authority/link.h"
#include "wire/wire.h"

struct client {
	int sock;        /* owned; -1: a free place */
	uint32_t number; /* of its connection, never given out again by this process */
	bool is_bound, watches;
	authority_ref bound;
	authority_ref about; /* the badge of its last step: it is busy with that, also before it is bound */
	struct buf out;      /* messages: u32 length, u16 number, body */
	size_t committed;
	struct buf shown;
	int ledger;           /* owned: a connection to the ledger for its steps; -1: none just now */
	uint64_t ledger_ms;   /* when that was used last, since boot */
	bool is_not_recorded; /* its steps are not in a ledger: so it said before it was bound */
	/* What it asked in this turn, or waits for. */
	bool asks;       /* there is an answer for it, */
	bool wants_sync; /* which is given when all is on disk, */
	uint64_t
		until_ms; /* and when who watches has said so, or at this time (since boot); 0: it does not wait for them */
	struct keeper_answer answer;
	uint8_t waits_for[32]; /* bits: places of connections */
	/* Of one that watches. */
	uint64_t told, done; /* steps: the last that it was told of, and has said is true */
	bool late;           /* it was waited for in vain, and has not caught up */
};

void client_init(struct client *c, int sock, uint32_t number);
void client_finish(struct client *c);
void client_put(struct client *c, enum wire_number number, const struct buf *body);
void client_commit(struct client *c);
void client_forget(struct client *c);
/* Sends what it can. False: it is gone, or reads nothing. */
bool client_flush(struct client *c);
bool client_has_unread(const struct client *c);

#endif
