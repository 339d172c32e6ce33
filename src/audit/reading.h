/* reading - the entries of a log for somebody who retells them: each verified, then those that nobody signed yet.
 *
 * Owns:   which entries belong to a time: those of an event all or none, by when it began, which the time of its first entry tells; others by their own time.
 * Holds:  an entry that is given out as signed was found in its place under the checkpoint. Those that are not signed come last, and are told
 *         apart. Whether the whole log is what was signed stands in the report at the end.
 * Called: replay, export, account. */
#ifndef AUDIT_READING_H
#define AUDIT_READING_H

#include "audit/ask.h"
#include "audit/verify.h"

struct reading_entry {
	const struct entry *entry; /* borrowed */
	const struct hash *leaf;   /* borrowed */
	bool is_signed;
};

/* Negative: no more of them; reading_all gives it back. */
typedef int reading_fn(void *arg, const struct reading_entry *r);

struct reading {
	reading_fn *take;
	void *arg;
	verify_progress_fn *progress; /* NULL: none */
	uint64_t unsigned_entries;    /* set: how many there were, of any event */
};

/* By ask: event, since_ms, until_ms. -NOT_FOUND and -CONFLICT: there is no such event, or more than one; -MEMORY; or what take gave, and then
 * e is not filled. */
int reading_all(struct snapshot *s, const struct audit_ask *ask, struct reading *reading, struct report *report,
		struct err *e);

#endif
