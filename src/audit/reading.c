#include "audit/reading.h"

#include <string.h>

#include "audit/event.h"
#include "audit/walk.h"

struct reader {
	const struct audit_ask *ask;
	struct reading *reading;
	char event[ID_TEXT_MAX]; /* empty: any */
	int rc;                  /* the first that `take` refused with */
	bool any;
};

static bool is_wanted(const struct reader *r, const struct entry *entry)
{
	const uint64_t ms = entry->event[0] != 0 ? id_ms(entry->event) : entry->wall_ms;

	return (r->event[0] == 0 || strcmp(r->event, entry->event) == 0) && ms >= r->ask->since_ms &&
	       (r->ask->until_ms == 0 || ms < r->ask->until_ms);
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
	struct reader r = { .ask = ask, .reading = reading };
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
