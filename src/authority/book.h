/* book - the state of a person's authority, and how it is kept.
 *
 * Owns:   the state (core/authority.h), the journal, and the names of labels; the form of what is in groups and snapshots.
 * Holds:  what is on disk gives exactly the state: steps are kept that changed anything, and what passed before them with them. A step counts from book_write
 *         on; if that fails, all since the last one have not happened. The clocks are told, and the passing of time is counted from
 *         step to step within one boot of the machine, over the end of the process too.
 * Called: serve.c, with the directory's lock; tests, bench. */
#ifndef AUTHORITY_BOOK_H
#define AUTHORITY_BOOK_H

#include <stdbool.h>

#include "authority/journal.h"
#include "core/authority.h"

#define BOOK_BOOT_LEN 36
#define BOOK_LABELS_MAX AUTHORITY_LABELS_MAX
#define BOOK_OWED_MAX 16384

struct book {
	struct journal journal;
	struct authority *a; /* in room, which is owned */
	void *room;
	size_t room_bytes;
	uint64_t steps; /* that were kept, so far */
	char boot[BOOK_BOOT_LEN + 1];
	uint64_t boot_ms;   /* since that boot: when the last step was, */
	uint32_t passed_ms; /* and what passed before it since one was kept */
	unsigned n_labels;
	char labels[BOOK_LABELS_MAX][AUTHORITY_NAME_MAX]; /* by bit */
	struct buf group;                                 /* since the last book_write */
	/* Steps that nobody asked for (TIME, RESTART) since the last one that somebody did, for book_owed: u64 step, u32 length, request, u8 closed, ids. */
	struct buf owed;
	uint64_t folded; /* where the journal ended when a snapshot could not be written */
};

/* What time it is, for a step. */
struct book_time {
	uint64_t now_ms;  /* since 1970 */
	uint64_t boot_ms; /* since the machine's boot, asleep or not */
};

/* boot: its id. The first step of the process, RESTART, is made and on disk. *ret has what was cut off. */
int book_open(struct book *b, int dir_fd, const struct authority_size *size, const char *boot,
	      const struct book_time *t, struct journal_found *ret, struct err *e);
void book_close(struct book *b);

/* now_ms and passed_ms are filled in. True: it is kept, as number b->steps, and counts from the next book_write on. */
bool book_step(struct book *b, struct authority_request *q, const struct book_time *t, struct authority_answer *ret);
/* The label's bit; -NOT_FOUND: it has none, and is not to get one; -LIMIT; -MALFORMED. */
int book_label(struct book *b, const char *name, bool may_make);

/* The next one that is owed to the ledger; texts are "". False: there is none more. */
bool book_owed(struct rbuf *in, uint64_t *ret_step, struct authority_request *ret, struct authority_closed *ret_closed);

/* What was done since the last one is written, and outlives the process. 0; -errno: it has not happened, and book_again is next. */
int book_write(struct book *b);
/* All of that is on disk. 0 or -errno: then nobody knows. */
int book_sync(struct book *b);
/* Back to what was written: after book_write failed. */
int book_again(struct book *b, struct err *e);
/* A new snapshot, if it is time for one. 0, also if there is no room for it; -errno: what is on disk is to be opened again. */
int book_fold(struct book *b);

#endif
