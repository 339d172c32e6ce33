/* chain - the logs of a ledger that was rotated, each verified, and whether each leads to the next.
 *
 * Owns:   the order of what is believed over several logs: the key that was given, of whichever log it is; in each log what was signed
 *         (verify.h); and of a log that was verified the keys that it names: that of the one that follows in its last entry, key, size and
 *         root of the one before in its first.
 * Holds:  every log that is looked at was verified with a key that one believed before named, and both ends of each link were compared. What
 *         is wrong is a fault that names the log, beneath the ledger's directory. Entries are taken as they were verified, not read again.
 * Called: audit. */
#ifndef AUDIT_CHAIN_H
#define AUDIT_CHAIN_H

#include "audit/ask.h"
#include "audit/verify.h"
#include "base/json.h"
#include "ledger/link.h"

struct chain_log {
	bool good; /* it was looked at, and is what was signed */
	struct vkey key;
	uint64_t size;
	struct hash root;
	bool has_previous, has_next; /* its first entry names another log, its last one a key */
	struct link previous, next;
};

struct chain {
	unsigned n;             /* logs that were closed, 1 to n */
	unsigned anchor;        /* the one whose key was given; 0: it was the present log's, or found beside it */
	unsigned first;         /* the earliest that is linked; n + 1: the present one alone */
	struct chain_log *logs; /* owned; [n + 1] is the present one */
};

/* Everything that was found is in *report, and of the present log in *ret_s, too, which is the caller's. ret is finished by chain_finish
 * in any case. -NOT_FOUND and others: there is no log, or no key. */
int chain_verify(const struct audit_ask *ask, verify_progress_fn *progress, struct chain *ret, struct report *report,
		 struct snapshot **ret_s, struct err *e);
void chain_finish(struct chain *c);
/* One of those that were closed, again. */
int chain_take(const struct audit_ask *ask, const struct chain *c, unsigned number, struct snapshot **ret,
	       struct err *e);

/* What was found in one of them (n + 1: the present one), among what was found in all: under its name, and once. */
void chain_tell(const struct chain *c, unsigned number, const struct report *one, struct report *all);

void chain_text(const struct chain *c, struct buf *out);
void chain_json(const struct chain *c, struct json *j);

#endif
