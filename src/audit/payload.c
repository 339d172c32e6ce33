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
#include "ledger/layout.h"
#include "ledger/result.h"

#define OUT_STEP (64u << 10)   /* written out when there is so much */
#define PRUNES_MAX (64u << 20) /* bytes: four million of them, which nobody has */

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

struct loss {
	uint64_t first, end;           /* entries that were not signed when the ledger was opened again, */
	char boot[ENTRY_BOOT_LEN + 1]; /* in this boot */
};

static bool loss_of(const struct entry *entry, struct loss *ret)
{
	struct canonical_value first, n;
	uint64_t count;

	if (entry->type != ENTRY_CRASH || entry->event[0] != 0 || !canonical_find(entry->body, "signed", &first) ||
	    !canonical_find(entry->body, "replayed", &n) || !canonical_count(first, &ret->first) ||
	    !canonical_count(n, &count) || ret->first > entry->seq || count > entry->seq - ret->first)
		return false;
	ret->end = ret->first + count;
	memcpy(ret->boot, entry->boot, sizeof ret->boot);
	return true;
}

static int take_prune(void *arg, uint64_t index, bool is_signed, const uint8_t *bytes, size_t n)
{
	struct prunes *p = arg;
	struct prune one = { .seq = index };
	struct loss loss = { .end = 0 };
	struct entry entry;

	if (!is_signed && p->only_signed)
		return 1; /* and none that follows is */
	if (entry_take(bytes, n, &entry, NULL) < 0)
		return 0;
	if (prune_of(&entry, &one.before_ms))
		buf_put(&p->items, &one, sizeof one);
	else if (loss_of(&entry, &loss))
		buf_put(&p->losses, &loss, sizeof loss);
	return p->items.failed || p->losses.failed ? -AMBIT_MEMORY : 0;
}

static struct prune *items_of(const struct prunes *p, size_t *ret_n)
{
	*ret_n = p->items.len / sizeof(struct prune);
	return (struct prune *)(void *)p->items.data;
}

int prunes_take(const struct snapshot *s, bool only_signed, struct prunes *ret, struct err *e)
{
	struct walk_result ignored;
	struct prune *items;
	size_t n;

	ret->only_signed = only_signed;
	buf_init(&ret->items, PRUNES_MAX);
	buf_init(&ret->losses, PRUNES_MAX);
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
	buf_finish(&p->losses);
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

bool prunes_lost(const struct prunes *p, const struct entry *entry)
{
	const struct loss *losses = (const struct loss *)(const void *)p->losses.data;

	for (size_t i = 0; i < p->losses.len / sizeof *losses; i++)
		if (entry->seq >= losses[i].first && entry->seq < losses[i].end &&
		    strcmp(entry->boot, losses[i].boot) != 0)
			return true;
	return false;
}

/* ---- what is there ---- */

int payloads_open(const struct snapshot *s, const char *dir, struct payloads *ret, struct err *e)
{
	*ret = (struct payloads){ .s = s, .dir = { .dir_fd = -1 } };
	return dir[0] == 0 ? 0 : source_open(dir, &ret->dir, e);
}

void payloads_close(struct payloads *p)
{
	source_close(&p->dir);
	prunes_free(&p->prunes);
	prunes_free(&p->unproved);
}

/* -ENOENT, also where there are none at all. */
static int open_one(const struct payloads *p, const struct payload *payload)
{
	char name[PAYLOAD_NAME_MAX];

	payload_name(payload->digest, name);
	return p->dir.dir_fd < 0 ? -ENOENT : source_open_file(&p->dir, name);
}

enum fate { FATE_UNKNOWN, FATE_PRUNED, FATE_PRUNED_UNPROVED /* as an entry says that is not signed yet */, FATE_LOST };

/* enum fate of a payload that is not there, or not whole; or -code. */
static int find_fate(struct payloads *p, const struct entry *entry, bool is_there, struct err *e)
{
	int r = 0;

	if (!p->has_prunes) {
		r = prunes_take(p->s, true, &p->prunes, e);
		r = r < 0 ? r : prunes_take(p->s, false, &p->unproved, e);
	}
	p->has_prunes = true;
	if (r < 0)
		return r;
	if (!is_there && (entry->wall_ms < p->later_ms || prunes_cover(&p->prunes, entry->seq, entry->wall_ms)))
		return FATE_PRUNED;
	if (!is_there && prunes_cover(&p->unproved, entry->seq, entry->wall_ms))
		return FATE_PRUNED_UNPROVED;
	return prunes_lost(&p->prunes, entry) ? FATE_LOST : FATE_UNKNOWN;
}

const char *payloads_remark(struct payloads *p, const struct entry *entry)
{
	struct payload payload;
	auto_fd int fd = -1;
	int fate;

	if (payload_of(entry, &payload) != 1)
		return NULL;
	fd = open_one(p, &payload);
	if (fd >= 0)
		return "its record is there";
	fate = fd == -ENOENT ? find_fate(p, entry, false, NULL) : FATE_UNKNOWN;
	return fate == FATE_LOST ? "its record went with the power"
	       : fate > 0        ? "its record was pruned"
	       : fd == -ENOENT   ? "its record is missing"
				 : "its record cannot be read";
}

/* 0, or -errno as source_why has words for. */
static int check_one(const struct payloads *p, const struct payload *want)
{
	static uint8_t piece[1u << 16];
	uint8_t got[SHA256_BYTES];
	uint64_t left = want->size + PAYLOAD_SALT + 1; /* one more shows that it is longer */
	auto_fd int fd = open_one(p, want);
	struct sha256 s;
	ssize_t n;

	if (fd < 0)
		return fd;
	sha256_init(&s);
	do {
		n = fd_read_all(fd, piece, left < sizeof piece ? left : sizeof piece);
		if (n < 0)
			return (int)n;
		sha256_add(&s, piece, (size_t)n);
		left -= (uint64_t)n;
	} while (n > 0);
	if (left != 1)
		return -EBADMSG;
	sha256_end(&s, got);
	return memcmp(got, want->digest, sizeof got) == 0 ? 0 : -EKEYREJECTED;
}

struct verifying {
	struct payloads *p;
	struct report *report;
	verify_progress_fn *progress;
	uint64_t unproved;
	struct err *e;
};

static int tell_one(struct verifying *v, const struct entry *entry, const struct payload *payload, int r)
{
	char file[sizeof LEDGER_PAYLOAD + PAYLOAD_NAME_MAX] = LEDGER_PAYLOAD "/";
	const bool not_whole = r == -EKEYREJECTED || r == -EBADMSG;
	const int fate = r == -ENOENT || not_whole ? find_fate(v->p, entry, not_whole, v->e) : 0;

	payload_name(payload->digest, file + strlen(file));
	if (fate < 0)
		return fate;
	v->unproved += fate == FATE_PRUNED_UNPROVED;
	if (fate == FATE_LOST)
		v->report->lost++;
	else if (fate > 0)
		v->report->pruned++;
	else if (r == 0)
		v->report->payloads++;
	else
		report_entry(v->report, entry->seq, file, "%s",
			     r == -ENOENT         ? "it is missing, and nothing says that it was pruned"
			     : r == -EKEYREJECTED ? "it is not what was recorded"
						  : source_why(r));
	return 0;
}

static int verify_one(void *arg, uint64_t index, bool is_signed, const uint8_t *bytes, size_t n)
{
	struct verifying *v = arg;
	struct payload payload;
	struct entry entry;
	int r;

	if (v->report->given_up)
		return 1;
	if (v->progress != NULL && index % TILE_WIDTH == 0)
		v->progress(NULL, index, v->p->s->size);
	if (!is_signed || entry_take(bytes, n, &entry, NULL) < 0 || entry.seq != index)
		return 0; /* which was told */
	r = payload_of(&entry, &payload);
	if (r < 0)
		report_entry(v->report, index, NULL, "it is signed, and does not say which record it is of");
	return r == 1 ? tell_one(v, &entry, &payload, check_one(v->p, &payload)) : 0;
}

int payloads_verify(struct payloads *p, verify_progress_fn *progress, struct report *report, struct err *e)
{
	struct verifying v = { .p = p, .report = report, .progress = progress, .e = e };
	struct walk_result ignored; /* what cannot be read was told */
	const int r = walk_log(p->s, verify_one, &v, &ignored);

	report->has_payloads = true;
	if (v.unproved > 0)
		report_remark(report, NULL,
			      "that %" PRIu64 " of the records were pruned says an entry that is not signed yet",
			      v.unproved);
	return r < 0 ? r : 0;
}

/* Of what is older all was pruned by one of its signed entries. */
static int pruned_by(const struct snapshot *s, uint64_t *ret_ms, struct err *e)
{
	struct prunes p = { .only_signed = true };
	const int r = prunes_take(s, true, &p, e);
	const struct prune *items = items_of(&p, &(size_t){ 0 });

	if (r == 0 && p.items.len > 0 && items[0].before_ms > *ret_ms) /* the first has the latest of all */
		*ret_ms = items[0].before_ms;
	prunes_free(&p);
	return r;
}

int payloads_verify_past(const struct audit_ask *ask, const struct chain *c, const struct snapshot *s,
			 verify_progress_fn *progress, struct report *report, struct err *e)
{
	uint64_t later_ms = 0;
	int r = c->first <= c->n ? pruned_by(s, &later_ms, e) : 0;

	for (unsigned i = c->n; i >= c->first && i > 0 && r == 0; i--) {
		struct payloads p = { .dir = { .dir_fd = -1 } };
		struct snapshot *past = NULL;

		r = chain_take(ask, c, i, &past, e);
		r = r < 0 ? r : payloads_open(past, ask->beside, &p, e);
		p.later_ms = later_ms;
		r = r < 0 ? r : payloads_verify(&p, progress, report, e);
		r = r < 0 ? r : pruned_by(past, &later_ms, e);
		payloads_close(&p);
		snapshot_free(past);
	}
	return r;
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

static int list_log(const struct snapshot *s, struct err *e)
{
	auto_buf out = { .max = OUT_STEP + AUDIT_ROW_BYTES };
	struct walk_result w;
	int r = walk_log(s, list_one, &out, &w);

	r = r < 0 ? r : flush(&out);
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot write what was found");
	return w.unread == 0 ? 0 : err_set(e, AMBIT_MALFORMED, NULL, "%" PRIu64 " entries could not be read", w.unread);
}

/* A log that is not there may name what would then be named by none. */
static int must_be_signed(const struct audit_ask *ask, verify_progress_fn *progress, struct chain *chain,
			  struct snapshot **ret, struct err *e)
{
	auto_free struct report *report = calloc(1, sizeof *report);
	struct audit_ask whole = *ask;
	int r;

	if (report == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to verify the log");
	whole.flags |= AUDIT_WHOLE;
	r = chain_verify(&whole, progress, chain, report, ret, e);
	if (r < 0 || report->n_faults == 0)
		return r;
	return err_why(
		e, err_set(e, AMBIT_MALFORMED, "`ambit ledger verify` says where", "the ledger is not what was signed"),
		"%s%s%s", report->faults[0].file, report->faults[0].file[0] != 0 ? ": " : "", report->faults[0].why);
}

int payload_list(const struct audit_ask *ask, verify_progress_fn *progress, struct err *e)
{
	struct chain chain = { .n = 0 };
	struct snapshot *s = NULL;
	int r = must_be_signed(ask, progress, &chain, &s, e);

	for (unsigned i = 1; i <= chain.n && r == 0; i++) {
		struct snapshot *past = NULL;

		r = chain_take(ask, &chain, i, &past, e);
		r = r < 0 ? r : list_log(past, e);
		snapshot_free(past);
	}
	r = r < 0 ? r : list_log(s, e);
	snapshot_free(s);
	chain_finish(&chain);
	return r;
}
