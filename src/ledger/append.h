/* append - what a client asks to append, taken apart.
 *
 * Owns:   the body of LEDGER_APPEND: u8 append_wants, then entries: u8 type, event, grant ("" is none), body.
 * Holds:  it is taken whole or not at all. A client tells of one event, that of its first entry, and of the next when the one before has its result; or of none: then of what a person's authority did.
 *         Nobody tells what is the ledger's: crashes, pruning, another key, and start and stop of the ledger itself. Entries are as entry.h wants them.
 * Called: serve.c; pure, but for the memory of the buffer. */
#ifndef LEDGER_APPEND_H
#define LEDGER_APPEND_H

#include "base/buf.h"
#include "base/err.h"
#include "ledger/entry.h"
#include "ledger/payload.h"
#include "wire/wire.h"

#define APPEND_ENTRIES_MAX 5000 /* of a message */
#define APPEND_RESULTS_MAX (APPEND_ENTRIES_MAX * (size_t)SHA256_BYTES)
#define APPEND_MADE_MAX (WIRE_BODY_MAX + APPEND_ENTRIES_MAX * ENTRY_FRAME_MAX)

/* Which answers are waited for. What wants none is accepted when a later message of the same client is. */
enum append_wants {
	APPEND_WANTS_ACCEPTED,
	APPEND_WANTS_DURABLE /* as well */,
	APPEND_WANTS_NOTHING,
	APPEND_WANTS_COUNT
};

/* What is known of a client; zero at first. */
struct append_client {
	char event[ID_TEXT_MAX]; /* "" until its first entry */
	bool runs;               /* it began, and did not stop */
	bool is_over;            /* it has its result: another may follow */
	bool is_authority;       /* it tells of what a person's authority did, and of no event */
};

/* It has told something, and so does nothing else. */
static inline bool append_tells(const struct append_client *c)
{
	return c->event[0] != 0 || c->is_authority;
}

/* A message that was taken. */
struct append {
	enum append_wants wants;
	unsigned n;
	struct buf results; /* digests of the payloads that it names; buf_init likewise with APPEND_RESULTS_MAX */
	struct buf made;    /* the entries, one after the other; buf_init with APPEND_MADE_MAX before the first */
	uint32_t ends[APPEND_ENTRIES_MAX];
};

/* stamp has the times, the boot, and the seq that the first entry gets. -PROTOCOL, -MALFORMED, -LIMIT, -MEMORY: then *c is as it was. */
int append_take(struct append *a, struct append_client *c, const struct entry *stamp, struct rbuf *r, struct err *e);

#endif
