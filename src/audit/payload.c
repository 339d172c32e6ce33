#include "audit/payload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/event.h"
#include "audit/prove.h"
#include "audit/walk.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/timestamp.h"

#define OUT_STEP (64u << 10)   /* written out when there is so much */
#define PRUNES_MAX (64u << 20) /* bytes: four million of them, which nobody has */

int payload_of(const struct entry *entry, struct payload *ret)
{
	struct payload p = { .size = 0 };
	struct canonical_value digest, size, version;
	char name[PAYLOAD_NAME_MAX];
	uint64_t number = 0;

	if (entry->type != ENTRY_RESULT || !canonical_find(entry->body, "digest", &digest))
		return 0;
	if (!canonical_string(digest, name, sizeof name) || !payload_name_take(name, strlen(name), p.digest) ||
	    !canonical_find(entry->body, "size", &size) || !canonical_count(size, &p.size) || p.size > PAYLOAD_MAX ||
	    !canonical_find(entry->body, "version", &version) || !canonical_count(version, &number) ||
	    number > UINT32_MAX)
		return -AMBIT_MALFORMED;
	p.version = (uint32_t)number;
	*ret = p;
	return 1;
}

/* ---- what went ---- */

struct prune {
	uint64_t seq;
	uint64_t before_ms; /* of this one and all that come later */
};

/* What is no such time prunes nothing. */
static bool prune_of(const struct entry *entry, uint64_t *ret_before_ms)
{
	struct canonical_value before;
	char text[TIMESTAMP_LEN + 1];

	return entry->type == ENTRY_PRUNE && canonical_find(entry->body, "before", &before) &&
	       canonical_string(before, text, sizeof text) && timestamp_read(text, strlen(text), ret_before_ms);
}

static int take_prune(void *arg, uint64_t index, bool is_signed, const uint8_t *bytes, size_t n)
{
	struct prunes *p = arg;
	struct prune one = { .seq = index };
	struct entry entry;

	(void)is_signed;
	if (entry_take(bytes, n, &entry, NULL) == 0 && prune_of(&entry, &one.before_ms))
		buf_put(&p->items, &one, sizeof one);
	return p->items.failed ? -AMBIT_MEMORY : 0;
}

static struct prune *items_of(const struct prunes *p, size_t *ret_n)
{
	*ret_n = p->items.len / sizeof(struct prune);
	return (struct prune *)(void *)p->items.data;
}

int prunes_take(const struct snapshot *s, struct prunes *ret, struct err *e)
{
	struct walk_result ignored;
	struct prune *items;
	size_t n;

	buf_init(&ret->items, PRUNES_MAX);
	if (walk_log(s, take_prune, ret, &ignored) < 0)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for what was pruned");
	items = items_of(ret, &n);
	for (size_t i = n; i-- > 1;)
		if (items[i - 1].before_ms < items[i].before_ms)
			items[i - 1].before_ms = items[i].before_ms;
	return 0;
}

void prunes_free(struct prunes *p)
{
	buf_finish(&p->items);
}

bool prunes_cover(const struct prunes *p, uint64_t seq, uint64_t wall_ms)
{
	size_t n, low = 0;
	const struct prune *items = items_of(p, &n);

	while (low < n) { /* the first that is later */
		const size_t middle = low + (n - low) / 2;

		if (items[middle].seq > seq)
			n = middle;
		else
			low = middle + 1;
	}
	return low < p->items.len / sizeof *items && items[low].before_ms > wall_ms;
}

/* ---- that of one event ---- */

struct search {
	struct audit_row row; /* its event is the one that is looked for */
	struct buf entry;     /* owned */
	uint64_t pruned_ms;   /* what is older was pruned by an entry that was met already */
	bool found, any, ended, lost;
};

static void note_found(struct search *s, const struct entry *entry, bool is_signed)
{
	s->found = true;
	s->row.seq = entry->seq;
	s->row.wall_ms = entry->wall_ms;
	s->row.flags = (is_signed ? 0 : AUDIT_ROW_UNSIGNED) | (entry->wall_ms < s->pruned_ms ? AUDIT_ROW_PRUNED : 0);
}

/* From the end on. */
static int look(void *arg, uint64_t index, bool is_signed, const uint8_t *bytes, size_t n)
{
	struct search *s = arg;
	struct entry entry;
	uint64_t before_ms;

	if (entry_take(bytes, n, &entry, NULL) < 0 || entry.seq != index)
		return 0;
	if (prune_of(&entry, &before_ms) && before_ms > s->pruned_ms)
		s->pruned_ms = before_ms;
	if (strcmp(entry.event, s->row.event) != 0)
		return 0;
	s->any = true;
	s->ended = s->ended || entry.type == ENTRY_STOP || entry.type == ENTRY_DECISION;
	s->lost = s->lost || entry.type == ENTRY_CRASH;
	if (payload_of(&entry, &s->row.payload) == 1) {
		note_found(s, &entry, is_signed);
		buf_put(&s->entry, bytes, n);
	}
	return s->found || entry.type == ENTRY_REQUEST; /* what is before is none */
}

static int not_found(const struct search *s, struct err *e)
{
	static const char hint[] = "`ambit ledger show --event` has what else there is of it";
	const char *event = s->row.event;

	if (!s->any)
		return err_set(e, AMBIT_NOT_FOUND, "`ambit ledger show` lists what there is",
			       "there is no entry of %s in the log", event);
	(void)err_set(e, AMBIT_NOT_FOUND, s->lost || s->ended ? hint : "wait for its end",
		      "there is no record of %s in the log", event);
	return err_why(e, -AMBIT_NOT_FOUND, "%s",
		       s->lost    ? "the event was lost"
		       : s->ended ? "whoever ran it was killed before it was recorded, or an older Ambit ran it"
				  : "it has not ended, as far as the log goes");
}

int payload_find(struct snapshot *s, const struct audit_ask *ask, struct buf *out, struct err *e)
{
	struct search search = { .found = false };
	struct walk_result ignored;
	struct proof proof;
	int r = prove_signature(s, e);

	r = r < 0 ? r : event_find(s, ask->event, search.row.event, e);
	if (r < 0)
		return r;
	buf_init(&search.entry, ENTRY_MAX);
	if (walk_back(s, look, &search, &ignored) < 0 || search.entry.failed)
		r = err_set(e, AMBIT_MEMORY, NULL, "no memory to look for %s", search.row.event);
	else if (!search.found)
		r = not_found(&search, e);
	else if ((search.row.flags & AUDIT_ROW_UNSIGNED) == 0)
		r = prove_inclusion(s, search.row.seq, search.entry.data, search.entry.len, &proof, e);
	buf_finish(&search.entry);
	if (r == 0)
		audit_row_encode(&search.row, out);
	return r;
}

/* ---- those of all ---- */

static int flush(struct buf *out)
{
	const int r = out->failed ? -ENOMEM : fd_write_all(STDOUT_FILENO, out->data, out->len);

	buf_reset(out);
	return r;
}

static int list_one(void *arg, uint64_t index, bool is_signed, const uint8_t *bytes, size_t n)
{
	struct audit_row row = { .seq = index, .flags = is_signed ? 0 : AUDIT_ROW_UNSIGNED };
	struct buf *out = arg;
	struct entry entry;

	if (entry_take(bytes, n, &entry, NULL) < 0 || entry.seq != index || payload_of(&entry, &row.payload) != 1)
		return 0;
	row.wall_ms = entry.wall_ms;
	memcpy(row.event, entry.event, sizeof row.event);
	audit_row_encode(&row, out);
	return out->len >= OUT_STEP || out->failed ? flush(out) : 0;
}

static int must_be_signed(struct snapshot *s, verify_progress_fn *progress, struct err *e)
{
	auto_free struct report *report = calloc(1, sizeof *report);
	int r;

	if (report == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to verify the log");
	r = verify_log(s, span_of(""), progress, NULL, report, e);
	if (r < 0 || report->n_faults == 0)
		return r;
	return err_why(
		e, err_set(e, AMBIT_MALFORMED, "`ambit ledger verify` says where", "the ledger is not what was signed"),
		"%s", report->faults[0].why);
}

int payload_list(struct snapshot *s, verify_progress_fn *progress, struct err *e)
{
	auto_buf out = { .max = OUT_STEP + AUDIT_ROW_BYTES };
	struct walk_result w;
	int r = must_be_signed(s, progress, e);

	if (r < 0)
		return r;
	r = walk_log(s, list_one, &out, &w);
	r = r < 0 ? r : flush(&out);
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot write what was found");
	return w.unread == 0 ? 0 : err_set(e, AMBIT_MALFORMED, NULL, "%" PRIu64 " entries could not be read", w.unread);
}
