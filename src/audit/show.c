#include "audit/show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/event.h"
#include "audit/line.h"
#include "audit/payload.h"
#include "audit/say.h"
#include "audit/session.h"
#include "audit/walk.h"
#include "audit/wanted.h"
#include "base/fd.h"
#include "ledger/entry.h"

#define OUT_STEP (64u << 10) /* written out when there is so much */

struct show {
	const struct audit_ask *ask;     /* borrowed */
	const struct snapshot *snapshot; /* borrowed */
	struct numbers numbers;          /* lies in what was asked */
	struct wanted wanted;
	struct session_events session; /* if one is asked for */
	struct walk_result walked;
	struct buf out;     /* owned */
	uint64_t skip;      /* of what is wanted, from the first: --limit */
	uint64_t broken;    /* no entries, which were to be */
	uint64_t broken_at; /* the first */
	struct payloads payloads;
};

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

static bool is_wanted(const struct show *s, const struct entry *entry)
{
	return wanted_is(&s->wanted, entry) && (s->ask->session[0] == 0 || session_has(&s->session, entry->event));
}

static int show_one(void *arg, uint64_t index, bool is_signed, const uint8_t *bytes, size_t n)
{
	struct show *s = arg;
	struct err e = { .code = AMBIT_OK };
	struct entry entry;

	if (entry_take(bytes, n, &entry, &e) < 0 || entry.seq != index) {
		put_broken(s, index, e.code != AMBIT_OK ? e.msg : "it has another number");
	} else if (is_wanted(s, &entry) && (s->skip == 0 || s->skip-- == 0)) {
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
	if (entry_take(bytes, n, &entry, NULL) == 0 && entry.seq == index && is_wanted(s, &entry))
		s->skip++;
	return 0;
}

/* ---- the whole ---- */

static void go_without(struct show *s, const char *why)
{
	s->numbers = (struct numbers){ .any = false };
	if ((s->ask->flags & AUDIT_VERBOSE) != 0)
		say_aside("the index: not used: %s", why);
}

/* They were looked at when they came in; what they are of is seen here. */
static void take_numbers(struct show *s)
{
	if (s->ask->given.len == 0)
		return;
	if (!numbers_decode(s->ask->given, &s->numbers))
		go_without(s, "its numbers are none");
	else if (s->numbers.any && s->snapshot->signature.code != AMBIT_OK)
		go_without(s, "nobody signed this log");
	else if (s->numbers.size > s->snapshot->size)
		go_without(s, "it speaks of more entries than there are");
}

/* The last event may be another than it was for the index, and where an id is whole only its entries are named. */
static int find_event(struct show *s, char ret[ID_TEXT_MAX], struct err *e)
{
	const char *word = s->ask->event;
	const bool begins = event_is_beginning(word);
	int r;

	ret[0] = 0;
	r = word[0] == 0 || begins ? 0 : event_find(s->snapshot, word, ret, e);
	if (r == 0 && s->numbers.any && strcmp(s->numbers.event, ret) != 0)
		go_without(s, "it speaks of another event");
	return r == 0 && begins ? event_find_by(s->snapshot, word, &s->numbers, ret, e) : r;
}

static int prepare(struct show *s, struct err *e)
{
	char event[ID_TEXT_MAX];
	int r;

	take_numbers(s);
	r = find_event(s, event, e);
	if (r == 0 && s->ask->session[0] != 0)
		r = session_find(s->snapshot, s->ask->session, &s->session, e);
	return r < 0 ? r : wanted_init(&s->wanted, s->ask, event, e);
}

static int each(struct show *s, walk_fn *take)
{
	return walk_numbers(s->snapshot, &s->numbers, take, s, &s->walked);
}

static int choose_first(struct show *s)
{
	const uint64_t limit = s->ask->limit;
	const int r = limit > 0 ? each(s, count_one) : 0;

	s->skip = s->skip > limit ? s->skip - limit : 0;
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

int show_log(const struct snapshot *snapshot, const struct audit_ask *ask, bool *ret_broken, struct err *e)
{
	struct show s = { .ask = ask, .snapshot = snapshot };
	int r;

	buf_init(&s.out, OUT_STEP + ENTRY_MAX + LINE_MAX_BYTES + AUDIT_FRAME_BYTES);
	r = show_all(&s, e);
	buf_finish(&s.out);
	session_finish(&s.session);
	if (r < 0)
		return r;
	*ret_broken = snapshot->signature.code != AMBIT_OK || s.walked.unread > 0 || s.broken > 0;
	if (*ret_broken)
		tell_broken(&s, e);
	return 0;
}
