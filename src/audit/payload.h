/* payload - which entries have a payload beside the log, and what became of it.
 *
 * Owns:   what a `prune` says of payloads that went, and a `crash` of those that may have been lost.
 * Holds:  a payload that is missing was pruned only if a later `prune` says so, of entries of before a time that is later than its entry's.
 *         It was lost only if a later `crash` of the ledger has its entry among those that were not signed yet, and the machine was started anew
 *         in between: the death of a process loses nothing.
 *         Payloads are read piece by piece, and of them nothing is told but whether they are what was recorded.
 * Called: audit. */
#ifndef AUDIT_PAYLOAD_H
#define AUDIT_PAYLOAD_H

#include "audit/ask.h"
#include "audit/chain.h"
#include "audit/report.h"
#include "audit/row.h"
#include "audit/snapshot.h"
#include "audit/verify.h"
#include "ledger/entry.h"

/* ---- what went ---- */

struct prunes {
	bool only_signed;
	struct buf items;  /* owned; struct prune each, in the order of the log */
	struct buf losses; /* owned; struct loss each */
};

/* Of entries that are signed, or of those that are not yet, too. */
int prunes_take(const struct snapshot *s, bool only_signed, struct prunes *ret, struct err *e);
void prunes_free(struct prunes *p);
bool prunes_cover(const struct prunes *p, uint64_t seq, uint64_t wall_ms);
/* Whether it may have gone with the power. */
bool prunes_lost(const struct prunes *p, const struct entry *entry);

/* ---- what is there ---- */

struct payloads {
	const struct snapshot *s; /* borrowed */
	struct source dir;        /* dir_fd -1: there are none */
	struct prunes prunes;     /* once one is missing: what signed entries say, */
	struct prunes unproved;   /* and the others, too */
	bool has_prunes;
	uint64_t later_ms; /* what is older was pruned by an entry of a log that follows */
};

/* dir: as of audit_ask. */
int payloads_open(const struct snapshot *s, const char *dir, struct payloads *ret, struct err *e);
void payloads_close(struct payloads *p);
/* What to say of an entry and its payload, in words; NULL: nothing. */
const char *payloads_remark(struct payloads *p, const struct entry *entry);
/* Reads each that a signed entry names, into the report. */
int payloads_verify(struct payloads *p, verify_progress_fn *progress, struct report *report, struct err *e);
/* The same of the logs that were closed, which were verified; s is the present one. */
int payloads_verify_past(const struct audit_ask *ask, const struct chain *c, const struct snapshot *s,
			 verify_progress_fn *progress, struct report *report, struct err *e);

/* ---- answers ---- */

/* Appends the row of the last `result` of the event that is asked for; that it is in the log was checked if it is signed. -NOT_FOUND: the event has
 * none; -MALFORMED: the log is not as it was signed. */
int payload_find(struct snapshot *s, const struct audit_ask *ask, struct buf *out, struct err *e);
/* Writes the rows of all to descriptor 1, in their order, those of the logs before first, if all of them are what was signed and none is missing.
 * -MALFORMED: they are not. */
int payload_list(const struct audit_ask *ask, verify_progress_fn *progress, struct err *e);

#endif
