#include "audit/reading.h"

#include <string.h>

#include "audit/event.h"
#include "audit/walk.h"

#define ASIDE_MAX 1024   /* events of which more is remembered than their ids tell */
#define BEGINS_MS 60000u /* then all is there with which an event begins */

/* A moment, and which events began before it. An event's cell, with its id, may be made long before anybody asks for it, so when it began tells only its first entry. That is remembered of those
 * on whose side their id is not, and for a while of whoever began just before: the first entries of one event may be on both sides. */
struct bound {
	uint64_t at_ms;
	size_t n;                   /* how many were remembered; the last of them are */
	uint64_t least_ms, most_ms; /* their ids */
	struct aside {
		char event[ID_TEXT_MAX];
		bool after;
	} aside[ASIDE_MAX];
};

struct reader {
	const struct audit_ask *ask;
	struct reading *reading;
	struct bound since, until;
	char event[ID_TEXT_MAX]; /* empty: any */
	int rc;                  /* the first that `take` refused with */
	bool any;
};

static bool begins(enum entry_type type)
{
	return type == ENTRY_POLICY || type == ENTRY_GRANT || type == ENTRY_REQUEST;
}

static const struct aside *look_aside(const struct bound *b, const char *event, uint64_t made_ms)
{
	if (made_ms < b->least_ms || made_ms > b->most_ms)
		return NULL;
	for (size_t i = 0; i < b->n && i < ASIDE_MAX; i++)
		if (strcmp(b->aside[i].event, event) == 0)
			return &b->aside[i];
	return NULL;
}

static void put_aside(struct bound *b, const char *event, uint64_t made_ms, bool after)
{
	struct aside *a = &b->aside[b->n % ASIDE_MAX];

	memcpy(a->event, event, sizeof a->event);
	a->after = after;
	b->least_ms = b->n == 0 || made_ms < b->least_ms ? made_ms : b->least_ms;
	b->most_ms = made_ms > b->most_ms ? made_ms : b->most_ms;
	b->n++;
}

/* Whether what the entry belongs to began then or later. */
static bool is_after(struct bound *b, const struct entry *entry)
{
	const bool after = entry->wall_ms >= b->at_ms;
	const struct aside *known;
	uint64_t made_ms;

	if (b->at_ms == 0 || entry->event[0] == 0)
		return after;
	made_ms = id_ms(entry->event);
	known = look_aside(b, entry->event, made_ms);
	if (known != NULL)
		return known->after;
	if (!begins(entry->type))
		return made_ms >= b->at_ms;
	if (after != (made_ms >= b->at_ms) || after != (entry->wall_ms + BEGINS_MS >= b->at_ms))
		put_aside(b, entry->event, made_ms, after);
	return after;
}

static bool is_wanted(struct reader *r, const struct entry *entry)
{
	return (r->event[0] == 0 || strcmp(r->event, entry->event) == 0) && is_after(&r->since, entry) &&
	       (r->ask->until_ms == 0 || !is_after(&r->until, entry));
}

static void give(struct reader *r, const struct reading_entry *given)
{
	if (r->rc < 0 || !is_wanted(r, given->entry))
		return;
	r->any = true;
	r->rc = r->reading->take(r->reading->arg, given);
}

static void take_signed(void *arg, const struct entry *entry, const struct hash *leaf)
{
	give(arg, &(struct reading_entry){ .entry = entry, .leaf = leaf, .is_signed = true });
}

/* Not signed yet; but a group stands only behind what its root follows. */
static int take_unsigned(void *arg, uint64_t index, bool is_signed, const uint8_t *bytes, size_t n)
{
	struct reader *r = arg;
	struct entry entry;
	struct hash leaf;

	(void)is_signed;
	if (entry_take(bytes, n, &entry, NULL) < 0 || entry.seq != index)
		return 0;
	r->reading->unsigned_entries++;
	merkle_leaf(bytes, n, &leaf);
	give(r, &(struct reading_entry){ .entry = &entry, .leaf = &leaf });
	return r->rc;
}

int reading_all(struct snapshot *s, const struct audit_ask *ask, struct reading *reading, struct report *report,
		struct err *e)
{
	struct reader r = {
		.ask = ask, .reading = reading, .since = { .at_ms = ask->since_ms }, .until = { .at_ms = ask->until_ms }
	};
	const struct verify_watch watch = { .progress = reading->progress, .entry = take_signed, .arg = &r };
	struct walk_result ignored = { .unread = 0 }; /* the verification tells what is torn */
	int rc = ask->event[0] == 0 ? 0 : event_find(s, ask->event, r.event, e);

	reading->unsigned_entries = 0;
	rc = rc < 0 ? rc : verify_log(s, span_of(""), &watch, report, e);
	if (rc < 0 || r.rc < 0)
		return rc < 0 ? rc : r.rc;
	rc = walk_unsigned(s, take_unsigned, &r, &ignored);
	if (rc < 0 && r.rc >= 0)
		return err_sys(e, AMBIT_MEMORY, -rc, NULL, "cannot read what is not signed yet");
	if (r.rc == 0 && r.event[0] != 0 && !r.any && report->n_faults == 0)
		return err_set(e, AMBIT_NOT_FOUND, "`ambit ledger show` lists what there is", "the log has no event %s",
			       r.event);
	return r.rc < 0 ? r.rc : 0;
}
