#include "index/show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/event.h"
#include "audit/line.h"
#include "audit/payload.h"
#include "audit/walk.h"
#include "base/fd.h"
#include "ledger/entry.h"

#define OUT_STEP (64u << 10) /* written out when there is so much */

struct show {
	const struct audit_ask *ask;     /* borrowed */
	const struct snapshot *snapshot; /* borrowed */
	struct database *database;       /* borrowed; NULL: none */
	struct wanted wanted;
	struct walk_room room;
	struct walk_result walked;
	struct buf out;     /* owned */
	uint64_t skip;      /* of what is wanted, from the first: --limit */
	uint64_t broken;    /* no entries, which were to be */
	uint64_t broken_at; /* the first */
	struct payloads payloads;
};

/* ---- what is shown, in order ---- */

struct indexed {
	struct show *show;
	walk_fn *take;
};

static int take_indexed(void *arg, uint64_t seq)
{
	const struct indexed *x = arg;
	struct show *s = x->show;
	const uint8_t *bytes;
	size_t n;

	if (seq >= database_size(s->database))
		return 0; /* it is read behind the index */
	bytes = walk_to(s->snapshot, seq, &s->room, &n);
	if (bytes != NULL)
		return x->take(s, seq, true, bytes, n);
	if (s->walked.unread++ == 0)
		s->walked.unread_at = seq;
	return 0;
}

/* -EIO: of the index, which is of no use then. */
static int each(struct show *s, walk_fn *take)
{
	struct indexed x = { .show = s, .take = take };
	int r;

	s->walked = (struct walk_result){ .unread = 0 };
	s->broken = 0;
	if (s->database == NULL)
		return walk_log(s->snapshot, take, s, &s->walked);
	r = database_each(s->database, &s->wanted, take_indexed, &x);
	r = r != 0 ? r : walk_from(s->snapshot, database_size(s->database), take, s, &s->walked);
	return r != 0 ? r : walk_unsigned(s->snapshot, take, s, &s->walked);
}

/* ---- how ---- */

static int flush(struct show *s)
{
	const int r = s->out.failed ? -ENOMEM : fd_write_all(STDOUT_FILENO, s->out.data, s->out.len);

	buf_reset(&s->out);
	return r;
}

/* What is of no entry has the time of none, and is told where it lies. */
static size_t begin_line(struct show *s, uint64_t wall_ms)
{
	const size_t at = s->out.len;

	if ((s->ask->flags & AUDIT_FRAMED) != 0) {
		buf_put_u64(&s->out, wall_ms);
		buf_put_u32(&s->out, 0);
	}
	return at;
}

static void end_line(struct show *s, size_t at)
{
	const size_t n = s->out.len - at - AUDIT_FRAME_BYTES;

	if ((s->ask->flags & AUDIT_FRAMED) == 0 || s->out.failed)
		return;
	for (unsigned i = 0; i < 4; i++)
		s->out.data[at + 8 + i] = (uint8_t)(n >> 8 * i);
}

static void put_text(struct show *s, const struct entry *entry, bool is_signed)
{
	const char *kept = payloads_remark(&s->payloads, entry);
	char remark[64];

	(void)snprintf(remark, sizeof remark, "%s%s%s", is_signed ? "" : "not signed yet",
		       is_signed || kept == NULL ? "" : "; ", kept != NULL ? kept : ""); /* it fits */
	line_put(&s->out, entry, remark[0] != 0 ? remark : NULL);
}

static void put_broken(struct show *s, uint64_t index, const char *why)
{
	size_t at;

	if (s->broken++ == 0)
		s->broken_at = index;
	if ((s->ask->flags & AUDIT_JSON) != 0)
		return;
	at = begin_line(s, 0);
	line_put_broken(&s->out, index, why);
	end_line(s, at);
}

static int show_one(void *arg, uint64_t index, bool is_signed, const uint8_t *bytes, size_t n)
{
	struct show *s = arg;
	struct err e = { .code = AMBIT_OK };
	struct entry entry;

	if (entry_take(bytes, n, &entry, &e) < 0 || entry.seq != index) {
		put_broken(s, index, e.code != AMBIT_OK ? e.msg : "it has another number");
	} else if (wanted_is(&s->wanted, &entry) && (s->skip == 0 || s->skip-- == 0)) {
		const size_t at = begin_line(s, entry.wall_ms);

		if ((s->ask->flags & AUDIT_JSON) != 0) {
			buf_put(&s->out, bytes, n);
			buf_put(&s->out, "\n", 1);
		} else {
			put_text(s, &entry, is_signed);
		}
		end_line(s, at);
	}
	return s->out.len >= OUT_STEP || s->out.failed ? flush(s) : 0;
}

/* How many there are, for whoever wants the last of them. */
static int count_one(void *arg, uint64_t index, bool is_signed, const uint8_t *bytes, size_t n)
{
	struct show *s = arg;
	struct entry entry;

	(void)is_signed;
	if (entry_take(bytes, n, &entry, NULL) == 0 && entry.seq == index && wanted_is(&s->wanted, &entry))
		s->skip++;
	return 0;
}

/* ---- the whole ---- */

static int find_event(struct show *s, char ret[ID_TEXT_MAX], struct err *e)
{
	const char *word = s->ask->event;
	struct event_known known;

	ret[0] = 0;
	if (word[0] == 0)
		return 0;
	if (s->database != NULL && database_events(s->database, word, known.ids) < 0)
		s->database = NULL;
	known.from = s->database != NULL ? database_size(s->database) : 0;
	return event_find_behind(s->snapshot, word, s->database != NULL ? &known : NULL, ret, e);
}

static int prepare(struct show *s, struct err *e)
{
	char event[ID_TEXT_MAX];
	int r = find_event(s, event, e);

	return r < 0 ? r : wanted_init(&s->wanted, s->ask, event, e);
}

static int count_indexed(void *arg, uint64_t seq)
{
	struct show *s = arg;

	s->skip += seq < database_size(s->database);
	return 0;
}

static int count_all(struct show *s)
{
	struct walk_result ignored = { .unread = 0 };
	int r;

	if (s->database == NULL)
		return walk_log(s->snapshot, count_one, s, &ignored);
	r = walk_from(s->snapshot, database_size(s->database), count_one, s, &ignored);
	return r != 0 ? r : walk_unsigned(s->snapshot, count_one, s, &ignored);
}

/* An index that cannot be read to its end is as if it were not there: that is seen before anything is shown by it. */
static int choose_first(struct show *s)
{
	int r = 0;

	s->skip = 0;
	if (s->database != NULL && database_each(s->database, &s->wanted, count_indexed, s) < 0) {
		s->database = NULL;
		s->skip = 0;
	}
	if (s->ask->limit > 0)
		r = count_all(s);
	s->skip = s->ask->limit > 0 && s->skip > s->ask->limit ? s->skip - s->ask->limit : 0;
	return r;
}

static void tell_broken(const struct show *s, struct err *e)
{
	static const char hint[] = "`ambit ledger verify` says more";

	if (s->snapshot->signature.code != AMBIT_OK)
		(void)err_set(e, AMBIT_MALFORMED, hint, "what was shown is not what was signed: %s",
			      s->snapshot->checkpoint.len == 0 ? "there is no checkpoint" : s->snapshot->signature.msg);
	else if (s->walked.unread > 0)
		(void)err_set(e, AMBIT_MALFORMED, hint, "%" PRIu64 " entries, from %" PRIu64 " on, could not be read",
			      s->walked.unread, s->walked.unread_at);
	else
		(void)err_set(e, AMBIT_MALFORMED, hint,
			      "%" PRIu64 " of what was read, first at %" PRIu64 ", is no entry", s->broken,
			      s->broken_at);
}

static int show_all(struct show *s, struct err *e)
{
	int r = prepare(s, e);

	r = r < 0 ? r : payloads_open(s->snapshot, s->ask->beside, &s->payloads, e);
	if (r < 0)
		return r;
	r = choose_first(s);
	r = r < 0 ? r : each(s, show_one);
	r = r < 0 ? r : flush(s);
	payloads_close(&s->payloads);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot write what is to be shown") : 0;
}

int show_log(const struct snapshot *snapshot, const struct audit_ask *ask, struct database *d, bool *ret_broken,
	     struct err *e)
{
	struct show s = { .ask = ask, .snapshot = snapshot, .database = d };
	int r;

	buf_init(&s.out, OUT_STEP + ENTRY_MAX + LINE_MAX_BYTES + AUDIT_FRAME_BYTES);
	r = show_all(&s, e);
	buf_finish(&s.out);
	walk_room_finish(&s.room);
	if (r < 0)
		return r;
	*ret_broken = snapshot->signature.code != AMBIT_OK || s.walked.unread > 0 || s.broken > 0;
	if (*ret_broken)
		tell_broken(&s, e);
	return 0;
}
