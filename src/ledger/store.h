/* store - a ledger's directory: its key, the log that is written, and those that were closed before.
 *
 * Owns:   the log while it is open, and its key; the names `ledger.key`, `ledger-next.key`, `log`, `log.next` and `past`.
 * Holds:  a log goes on in another by these steps, each on disk before the next:
 *           1. the new key is in `ledger-next.key`
 *           2. the log ends with an entry that names it (link.h), under its checkpoint: it is closed
 *           3. `log.next` is signed by the new key, and its first entry names key, root and size of the one before
 *           4. `log` is `past/N/log`, and before it what was cosigned of it is `past/N/witness`
 *           5. `log.next` is `log`
 *           6. `ledger-next.key` is `ledger.key`: what signed before is gone
 *         Where `ledger-next.key` is, one was broken off: whoever opens the ledger goes on with it if the log was closed for that key, by
 *         what is signed and not by names, and else takes it back. A log that was closed takes no entry more. Nothing that is in the way is
 *         removed or written over.
 * Called: the role ambit-ledger, which has the lock; nothing here but regular files and directories, and through no link. */
#ifndef LEDGER_STORE_H
#define LEDGER_STORE_H

#include "ledger/log.h"

/* A log, and the directory in which it is. */
struct store_log {
	int fd;            /* owned; -1: none */
	struct disk *disk; /* owned */
	struct log *log;   /* owned */
	struct log_found found;
};

struct store {
	int dir_fd;                 /* borrowed */
	const char *boot;           /* borrowed */
	struct log_key *key, *next; /* borrowed: where secrets may lie */
	struct disk *dir;           /* owned */
	struct store_log current;
};

/* The log is open for appending, made where there was none. On failure, too, it is finished with store_close. */
int store_open(struct store *s, struct err *e);
void store_close(struct store *s);

/* Step 1, and before it whether anything is in the way. On failure all is as it was. */
int store_rotate_begin(struct store *s, struct err *e);
/* Steps 3 to 6, when the log was closed for s->next. Then the log is the new one, with its first entry. */
int store_rotate_finish(struct store *s, unsigned *ret_number, struct err *e);

#endif
