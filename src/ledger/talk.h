/* talk - telling the ledger of one event.
 *
 * Owns:   the connection, and the entries that are not sent yet.
 * Holds:  entries reach the ledger in the order in which they were put. What is accepted or durable is known only after talk_settle. JSON is
 *         written here, and what is read are messages of fixed size. Without a connection every function does nothing and succeeds.
 * Called: supervisor/logbook.c, stage/account.c, lib/event_record.c, cli/prune.c, cli/rotate.c. */
#ifndef LEDGER_TALK_H
#define LEDGER_TALK_H

#include <stdbool.h>

#include "base/json.h"
#include "ledger/entry.h"
#include "ledger/vkey.h"
#include "wire/wire.h"

struct talk {
	int sock;            /* owned; -1: the event is not recorded */
	const char *event;   /* borrowed */
	unsigned unanswered; /* answers that are to come */
	struct json json;    /* of body */
	struct buf message, body;
	uint8_t message_room[WIRE_BODY_MAX];
	uint8_t body_room[WIRE_BODY_MAX];
	uint8_t answer_room[WIRE_HEAD + WIRE_BODY_MAX];
};

/* Takes the socket; -1: there is none. */
void talk_init(struct talk *t, int sock, const char *event);
void talk_finish(struct talk *t);
/* Begins an entry: an object into which the caller puts keys, in the order that canonical JSON wants. */
struct json *talk_body(struct talk *t);
/* Ends the object. grant "": none. -LIMIT: it does not fit an entry. */
int talk_put(struct talk *t, enum entry_type type, const char *grant, struct err *e);
/* What was put is on its way; nobody waits for it. */
int talk_flush(struct talk *t, struct err *e);
/* All that was put so far is accepted, or durable; something must have been put since the last flush. The ledger's own error, or -GONE. */
int talk_settle(struct talk *t, bool durable, struct err *e);

/* That payloads are about to be removed: those of entries of before this time, so many of so many bytes. Durable when it returns. */
int talk_prune(struct talk *t, uint64_t before_ms, uint64_t payloads, uint64_t bytes, struct err *e);

/* What the ledger answers to a rotation. */
struct talk_rotated {
	uint32_t number;             /* of the log that was closed, among those that were */
	uint64_t entries;            /* that it has */
	char key[VKEY_TEXT_MAX + 1]; /* of the log that follows on it */
};
/* That the ledger goes on in another log, under another key. It has when this returns. -CONFLICT: others are connected. */
int talk_rotate(struct talk *t, struct talk_rotated *ret, struct err *e);

/* A name in a body: four thirds of its length at most, whatever it holds. */
void talk_put_text(struct json *j, const char *s);

#endif
