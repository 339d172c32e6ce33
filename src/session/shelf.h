/* shelf - what is kept of a session: a directory.
 *
 * Owns:   the directory s_... and what lies in it (doc/SESSIONS.md): `session`, which says what it is; `events`, a slot of 1,024 bytes for each number that
 *         was given, in its two halves what was asked and how it ended; `labels`, the names of those that its events ended with, by the bits in slots; `N.run`, `N.out`, `N.err`, `N.json`, `N.result`, `N.steps` of those whose results are kept; `ended`.
 * Holds:  a half of a slot is written once, with a checksum: half a write is none. An event exists when its first half is there, and is over when its second is.
 *         Whoever has the directory locked is the only one that writes it.
 * Called: the role ambit-session; serve/rows.c reads `session`. */
#ifndef SESSION_SHELF_H
#define SESSION_SHELF_H

#include "session/link.h"
#include "session/retain.h"

#define SHELF_SLOT 1024
#define SHELF_SESSION "session"
#define SHELF_EVENTS "events"
#define SHELF_ENDED "ended"
#define SHELF_LABELS "labels"
#define SHELF_LABELS_MAX 63     /* by their bits; the last bit: not all of them are known */
#define SHELF_PATIENCE_MS 15000 /* for the role before us, which is about to end */

enum shelf_kind { SHELF_RUN, SHELF_OUT, SHELF_ERR, SHELF_RECORD, SHELF_RESULT, SHELF_STEPS, SHELF_KINDS };

/* What was asked: the first half. */
struct shelf_asked {
	uint64_t n, taken_ms;
	uint32_t flags; /* EVENT_* */
	char event[ID_TEXT_MAX];
	char key[SESSION_KEY_MAX + 1];
	uint8_t digest[32]; /* of what is to be run, but the key */
	char command[SESSION_COMMAND_MAX];
};

struct shelf {
	int dir_fd, events_fd;    /* owned */
	uint64_t next;            /* the number that the next event gets */
	uint64_t oldest;          /* the first that runs, or whose results are there */
	uint64_t unended;         /* the first that had no end when it was opened; next: none */
	uint64_t wall_ms, cpu_ms; /* of all that ended */
	struct retain retain;     /* whose results are there */
	uint64_t *keys;           /* owned: of each number, from 1 on, the checksum of its key; 0: it had none */
	bool *kept;               /* owned: of each number, that its results were not taken away */
	size_t room;              /* for both */
	unsigned n_labels;
	char labels[SHELF_LABELS_MAX][FLOW_LABEL_MAX];
};

void shelf_init(struct shelf *s);
void shelf_finish(struct shelf *s);

/* Makes the directory `id` in the one of sessions, with its lock. */
int shelf_make(struct shelf *s, int sessions_fd, const struct session_row *row, const struct buf *description,
	       struct err *e);
/* Locks one that is there. ret_description is to be initialised with DESCRIPTION_BYTES_MAX. -NOT_FOUND; -CONFLICT: it is in use; -MALFORMED. */
int shelf_open(struct shelf *s, int sessions_fd, const char *id, struct session_row *ret_row,
	       struct buf *ret_description, struct err *e);
/* The row alone, without a lock: for lists. -MALFORMED, -NOT_FOUND. */
int shelf_row(int sessions_fd, const char *id, struct session_row *ret);

/* Gives the number of the last event with that key; 0: there is none. */
uint64_t shelf_find(const struct shelf *s, const char *key, struct shelf_asked *ret);
/* Writes down the next event. asked->n is set. The bytes are kept until it is over. One that has a key is on disk when this is done: after a loss of power, too,
 * it is not begun again. */
int shelf_take(struct shelf *s, struct shelf_asked *asked, const void *run, size_t n, struct err *e);
/* How it ended: row->state is EVENT_OVER or EVENT_INTERRUPTED. */
int shelf_end(struct shelf *s, const struct event_row *row, struct err *e);
/* As far as it is written: taken, over or interrupted. false: there is none of that number, or it cannot be read. */
bool shelf_read(const struct shelf *s, uint64_t n, struct event_row *ret);
/* Owned, or -errno. flags as open(2) takes them. */
int shelf_file(const struct shelf *s, uint64_t n, enum shelf_kind kind, int flags);
void shelf_remove(const struct shelf *s, uint64_t n, enum shelf_kind kind);
/* Results of those that ended first go until what is kept is in bounds. */
void shelf_prune(struct shelf *s, uint64_t keep_bytes, uint64_t keep_ms, uint64_t now_ms);
/* Of an event that has no end: what it wrote so far, and when that was written last. */
void shelf_last_word(const struct shelf *s, struct event_row *row);
/* It takes no more events. */
int shelf_close(struct shelf *s, struct err *e);

#endif
