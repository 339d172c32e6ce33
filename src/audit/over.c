#include "audit/over.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/earlier.h"
#include "audit/event.h"
#include "audit/walk.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "ledger/layout.h"

struct over {
	const struct audit_ask *ask;
	over_fn *each;
	void *arg;
	struct chain chain;
	struct report *together;  /* owned */
	struct snapshot *present; /* owned */
};

/* ---- one of several ---- */

/* One that was closed. It is closed, so what lies behind its end is not of it, whoever put it there. */
static int take_past(const struct over *o, unsigned number, struct snapshot **ret, struct err *e)
{
	const struct chain_log *known = &o->chain.logs[number];
	int r = chain_take(o->ask, &o->chain, number, ret, e);

	if (r < 0)
		return r;
	buf_reset(&(*ret)->journal);
	if ((*ret)->size == known->size && hash_is(&(*ret)->root, &known->root))
		return 0;
	snapshot_free(*ret);
	*ret = NULL;
	return err_set(e, AMBIT_CONFLICT, "ask again", LEDGER_PAST "/%u is not the log any more that it was", number);
}

static int give_one(const struct over *o, const struct audit_ask *ask, unsigned number, bool last, struct err *e)
{
	struct audit_ask there = *ask;
	struct over_log log = { .snapshot = o->present, .ask = &there, .last = last, .present = o->present };
	int r;

	log.together = o->together;
	log.chain = o->chain.n > 0 ? &o->chain : NULL;
	if (number > o->chain.n)
		return o->each(o->arg, &log, e);
	earlier_witness(&there, number);
	log.number = number;
	r = take_past(o, number, &log.snapshot, e);
	r = r < 0 ? r : o->each(o->arg, &log, e);
	if (log.snapshot != o->present)
		snapshot_free(log.snapshot);
	return r;
}

static int give_all(const struct over *o, struct err *e)
{
	int r = 0;

	for (unsigned i = o->chain.first; r >= 0 && i <= o->chain.n; i++)
		r = o->chain.logs[i].good ? give_one(o, o->ask, i, false, e) : 0;
	return r < 0 ? r : give_one(o, o->ask, o->chain.n + 1, true, e);
}

/* ---- the one that has an event ---- */

/* fn of each log, the present one first, until it gives something else than 0. Those that are not what was signed are no place to look. */
typedef int in_log_fn(void *arg, const struct snapshot *s, unsigned number, struct err *e);

static int in_each(const struct over *o, in_log_fn *fn, void *arg, struct err *e)
{
	int r = fn(arg, o->present, o->chain.n + 1, e);

	for (unsigned i = o->chain.n; r == 0 && i >= o->chain.first; i--) {
		struct snapshot *s = NULL;

		if (!o->chain.logs[i].good)
			continue;
		r = take_past(o, i, &s, e);
		r = r < 0 ? r : fn(arg, s, i, e);
		snapshot_free(s);
	}
	return r < 0 ? r : 0;
}

struct naming {
	const char *word;
	bool last;
	char event[ID_TEXT_MAX]; /* empty: none yet */
};

static int name_it(void *arg, const struct snapshot *s, unsigned number, struct err *e)
{
	struct naming *n = arg;
	char event[ID_TEXT_MAX];
	struct err none;
	int r = event_find(s, n->word, event, &none);

	(void)number;
	if (r == -AMBIT_NOT_FOUND)
		return 0;
	if (r < 0) {
		*e = none;
		return r;
	}
	if (n->event[0] != 0 && strcmp(n->event, event) != 0)
		return err_set(e, AMBIT_CONFLICT, "give more of it", "%s begins more than one event: %s, %s", n->word,
			       n->event, event);
	memcpy(n->event, event, sizeof n->event);
	return n->last; /* the latest is in the log that was written last */
}

struct finding_it {
	const struct over *over;
	const char *event;
	unsigned in; /* 0: none yet */
};

static int find_it(void *arg, const struct snapshot *s, unsigned number, struct err *e)
{
	struct finding_it *f = arg;
	const int r = f->over->chain.logs[number].good ? event_is_signed(s, f->event, e) : 0;

	if (r == 1 && f->in != 0)
		return err_set(e, AMBIT_CONFLICT,
			       "`ambit ledger show --ledger DIR/" LEDGER_PAST "/N` shows one of them",
			       "more than one log has signed entries of %s", f->event);
	if (r == 1)
		f->in = number;
	return r < 0 ? r : 0;
}

static int give_that_of_event(const struct over *o, struct err *e)
{
	struct naming name = { .word = o->ask->event, .last = strcmp(o->ask->event, "last") == 0 };
	struct finding_it found = { .over = o, .event = name.event };
	struct audit_ask ask = *o->ask;
	int r = in_each(o, name_it, &name, e);

	if (r < 0)
		return r;
	if (name.event[0] == 0)
		return err_set(e, AMBIT_NOT_FOUND, "`ambit ledger show` lists what there is",
			       name.last ? "there is no event in the ledger" : "no event in the ledger begins with %s",
			       o->ask->event);
	r = in_each(o, find_it, &found, e);
	if (r < 0)
		return r;
	memcpy(ask.event, name.event, sizeof ask.event);
	return give_one(o, &ask, found.in != 0 ? found.in : o->chain.n + 1, true, e);
}

/* ---- the whole ---- */

static int verify_and_give(struct over *o, verify_progress_fn *progress, struct err *e)
{
	struct audit_ask links = *o->ask;
	int r;

	o->together = calloc(1, sizeof *o->together);
	if (o->together == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to verify the logs");
	links.given = span_of(""); /* that is no checkpoint here */
	r = chain_verify(&links, progress, &o->chain, o->together, &o->present, e);
	if (r == 0)
		r = o->ask->event[0] != 0 ? give_that_of_event(o, e) : give_all(o, e);
	snapshot_free(o->present);
	chain_finish(&o->chain);
	free(o->together);
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

int over_logs(const struct audit_ask *ask, verify_progress_fn *progress, over_fn *each, void *arg, struct err *e)
{
	struct over o = { .ask = ask, .each = each, .arg = arg };
	struct snapshot *s = NULL;
	int r;

	if (ask->past[0] != 0)
		return verify_and_give(&o, progress, e);
	r = snapshot_take(ask->dir, ask->key, SNAPSHOT_KEY | SNAPSHOT_LIST, &s, e);
	if (r == 0)
		r = goes_on(s)
			    ? verify_and_give(&o, progress, e)
			    : each(arg, &(struct over_log){ .snapshot = s, .ask = ask, .last = true, .present = s }, e);
	snapshot_free(s);
	return r;
}

const struct report *over_found(const struct over_log *log, const struct report *found)
{
	static const struct chain alone;
	const struct chain *c = log->chain != NULL ? log->chain : &alone;

	if (log->together == NULL)
		return found;
	chain_tell(c, log->number != 0 ? log->number : c->n + 1, found, log->together);
	return log->together;
}
