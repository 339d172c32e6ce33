#include "audit/over.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/earlier.h"
#include "audit/event.h"
#include "audit/walk.h"
#include "base/cleanup.h"
#include "ledger/layout.h"

struct over {
	const struct audit_ask *ask;
	over_fn *each;
	void *arg;
};

/* ---- one log ---- */

static int give_one(struct snapshot *s, const struct audit_ask *ask, void *arg, struct err *e)
{
	const struct over *o = arg;

	return o->each(o->arg, &(struct over_log){ .snapshot = s, .ask = ask }, e);
}

static int give_that_of_event(struct snapshot *s, const struct audit_ask *ask, void *arg, struct err *e)
{
	const int r = event_is_there(s, ask->event, e);

	return r < 0 ? r : give_one(s, ask, arg, e);
}

/* ---- all of them ---- */

static int give_past(struct over *o, const struct chain *chain, const struct over_log *all, unsigned number,
		     struct err *e)
{
	const struct chain_log *known = &chain->logs[number];
	struct audit_ask there = *o->ask;
	struct over_log log = *all;
	int r = chain_take(o->ask, chain, number, &log.snapshot, e);

	if (r < 0)
		return r;
	earlier_witness(&there, number);
	log.ask = &there;
	log.number = number;
	if (log.snapshot->size != known->size || !hash_is(&log.snapshot->root, &known->root))
		r = err_set(e, AMBIT_CONFLICT, "ask again", LEDGER_PAST "/%u is not the log any more that it was",
			    number);
	else
		r = o->each(o->arg, &log, e);
	snapshot_free(log.snapshot);
	return r;
}

static int give_all(struct over *o, const struct chain *chain, struct report *together, struct snapshot *present,
		    struct err *e)
{
	struct over_log log = { .ask = o->ask, .chain = chain->n > 0 ? chain : NULL, .together = together };
	int r = 0;

	for (unsigned i = chain->first; r >= 0 && i <= chain->n; i++)
		r = chain->logs[i].good ? give_past(o, chain, &log, i, e) : 0;
	log.snapshot = present;
	return r < 0 ? r : o->each(o->arg, &log, e);
}

static int verify_and_give(struct over *o, verify_progress_fn *progress, struct err *e)
{
	auto_free struct report *together = calloc(1, sizeof *together);
	struct audit_ask links = *o->ask;
	struct snapshot *present = NULL;
	struct chain chain;
	int r;

	if (together == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to verify the logs");
	links.given = span_of(""); /* that is no checkpoint here */
	r = chain_verify(&links, progress, &chain, together, &present, e);
	r = r < 0 ? r : give_all(o, &chain, together, present, e);
	snapshot_free(present);
	chain_finish(&chain);
	return r;
}

/* Its first entry names another: whether that may be missing is said with the others. What stands there is verified by whoever reads it. */
static bool goes_on(const struct snapshot *s)
{
	struct walk_room room = { .holds = false };
	struct entry entry;
	struct link link;
	size_t n;
	const uint8_t *bytes = walk_to(s, 0, &room, &n);
	const bool is = bytes != NULL && entry_take(bytes, n, &entry, NULL) == 0 && link_of(&entry, &link) == 1 &&
			link.kind == LINK_PREVIOUS;

	walk_room_finish(&room);
	return is;
}

static int give_alone(struct over *o, verify_progress_fn *progress, struct err *e)
{
	struct snapshot *s = NULL;
	int r = snapshot_take(o->ask->dir, o->ask->key, SNAPSHOT_KEY | SNAPSHOT_LIST, &s, e);

	if (r == 0)
		r = o->ask->event[0] == 0 && goes_on(s) ? verify_and_give(o, progress, e) : give_one(s, o->ask, o, e);
	snapshot_free(s);
	return r;
}

struct report *over_found(const struct over_log *log, struct report *found)
{
	struct report *all = log->together;
	const bool is_known = all != NULL && all->n_faults > 0;

	for (size_t i = 0; all != NULL && !is_known && i < found->n_faults; i++) {
		char file[64 + sizeof found->faults[0].file];

		(void)snprintf(file, sizeof file, LEDGER_PAST "/%u/%s", log->number, found->faults[i].file);
		report_fault(all, log->number != 0 ? file : found->faults[i].file, "%s", found->faults[i].why);
	}
	return all != NULL ? all : found;
}

int over_logs(const struct audit_ask *ask, verify_progress_fn *progress, over_fn *each, void *arg, struct err *e)
{
	struct over o = { .ask = ask, .each = each, .arg = arg };

	if (ask->past[0] == 0)
		return give_alone(&o, progress, e);
	if (ask->event[0] != 0)
		return earlier_find(ask, SNAPSHOT_KEY | SNAPSHOT_LIST, give_that_of_event, &o, e);
	return verify_and_give(&o, progress, e);
}
