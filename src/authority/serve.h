/* serve - the keeper at work: makes the steps of all who are connected, by turns.
 *
 * Owns:   the connections.
 * Holds:  a step is in the ledger, where its connection has one, before it is written; and written before it is answered, and on disk unless it is one of those that
 *         only charge a budget (doc/AUTHORITY.md); one sync serves all that wait. A connection that was bound to a badge is taken for that badge and those below it, and nothing else, until it ends.
 *         What closes is told to each connection that watches it, in the order of the steps, and the answer waits until they have all said that it is
 *         so, SERVE_WATCH_MS at most. Who floods or does not read holds up nobody else. A step that could not be written has not happened; what could not be
 *         synced ends the process.
 * Called: the role ambit-authority. */
#ifndef AUTHORITY_SERVE_H
#define AUTHORITY_SERVE_H

#include "authority/book.h"
#include "authority/labelled.h"
#include "authority/shown.h"
#include "authority/signed.h"
#include "authority/zone.h"

#define SERVE_CLIENTS_MAX 256
#define SERVE_IDLE_MS 10000         /* without a connection: the process ends */
#define SERVE_SYNC_MS 200           /* what was written, and nobody waits for, is on disk after this time */
#define SERVE_WATCH_MS 5000         /* for who watches to say that what was told is true */
#define SERVE_UNREAD_MAX (8u << 20) /* bytes told to who does not read them */
#define SERVE_SHOWN_MAX (16u << 20) /* bytes of parts, of all connections together */

struct serve {
	int listen_fd;                 /* borrowed */
	struct book *book;             /* borrowed; open */
	struct shown *shown;           /* borrowed; open */
	struct labelled *labelled;     /* borrowed; open */
	struct zones *zones;           /* borrowed */
	const struct signers *signers; /* borrowed: whose answers count */
	uint64_t cut_bytes;            /* for who connects */
};

/* Until nobody needs it for SERVE_IDLE_MS. -code: what is on disk is not known, or memory is gone. */
int serve_run(const struct serve *s, struct err *e);
/* What time it is. */
struct book_time serve_time(void);

#endif
