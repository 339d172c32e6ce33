#include "audit/show.h"

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
	const struct audit_ask *ask; /* borrowed */
	char event[ID_TEXT_MAX];     /* empty: any */
	bool any_type;
	enum entry_type type;
	struct buf out;     /* owned */
	uint64_t broken;    /* no entries, which were to be */
	uint64_t broken_at; /* the first */
	struct payloads payloads;
};

static bool was_denied(const struct entry *entry)
{
	static const char denied[] = "\"denied"; /* "denied-hidden" as well */
	struct canonical_value verdict;

	return (entry->type == ENTRY_EFFECT || entry->type == ENTRY_DECISION) &&
	       canonical_find(entry->body, "verdict", &verdict) && verdict.n > strlen(denied) &&
	       memcmp(verdict.at, denied, strlen(denied)) == 0;
}

static bool is_wanted(const struct show *s, const struct entry *entry)
{
	return (s->event[0] == 0 || strcmp(s->event, entry->event) == 0) && (s->any_type || s->type == entry->type) &&
	       entry->wall_ms >= s->ask->since_ms && ((s->ask->flags & AUDIT_DENIED) == 0 || was_denied(entry));
}

static int flush(struct show *s)
{
	const int r = s->out.failed ? -ENOMEM : fd_write_all(STDOUT_FILENO, s->out.data, s->out.len);

	buf_reset(&s->out);
	return r;
}

static void put_line(struct show *s, const struct entry *entry, bool is_signed)
{
	const char *kept = payloads_remark(&s->payloads, entry);
	char remark[64];

	(void)snprintf(remark, sizeof remark, "%s%s%s", is_signed ? "" : "not signed yet",
		       is_signed || kept == NULL ? "" : "; ", kept != NULL ? kept : ""); /* it fits */
	line_put(&s->out, entry, remark[0] != 0 ? remark : NULL);
}

static int take(void *arg, uint64_t index, bool is_signed, const uint8_t *bytes, size_t n)
{
	struct show *s = arg;
	struct err e = { .code = AMBIT_OK };
	struct entry entry;

	if (entry_take(bytes, n, &entry, &e) < 0 || entry.seq != index) {
		if (s->broken++ == 0)
			s->broken_at = index;
		if ((s->ask->flags & AUDIT_JSON) == 0)
			line_put_broken(&s->out, index, e.code != AMBIT_OK ? e.msg : "it has another number");
	} else if (is_wanted(s, &entry)) {
		if ((s->ask->flags & AUDIT_JSON) != 0) {
			buf_put(&s->out, bytes, n);
			buf_put(&s->out, "\n", 1);
		} else {
			put_line(s, &entry, is_signed);
		}
	}
	return s->out.len >= OUT_STEP || s->out.failed ? flush(s) : 0;
}

static int prepare(struct show *s, const struct snapshot *snapshot, struct err *e)
{
	const char *type = s->ask->type;

	s->any_type = type[0] == 0;
	if (!s->any_type && !entry_type_of(type, strlen(type), &s->type))
		return err_set(e, AMBIT_USAGE, NULL, "no entry is of the type %s", type);
	return s->ask->event[0] == 0 ? 0 : event_find(snapshot, s->ask->event, s->event, e);
}

static void tell_broken(const struct show *s, const struct walk_result *w, const struct snapshot *snapshot,
			struct err *e)
{
	static const char hint[] = "`ambit ledger verify` says more";

	if (snapshot->signature.code != AMBIT_OK)
		(void)err_set(e, AMBIT_MALFORMED, hint, "what was shown is not what was signed: %s",
			      snapshot->checkpoint.len == 0 ? "there is no checkpoint" : snapshot->signature.msg);
	else if (w->unread > 0)
		(void)err_set(e, AMBIT_MALFORMED, hint, "%" PRIu64 " entries, from %" PRIu64 " on, could not be read",
			      w->unread, w->unread_at);
	else
		(void)err_set(e, AMBIT_MALFORMED, hint,
			      "%" PRIu64 " of what was read, first at %" PRIu64 ", is no entry", s->broken,
			      s->broken_at);
}

int show_log(const struct snapshot *snapshot, const struct audit_ask *ask, bool *ret_broken, struct err *e)
{
	struct show s = { .ask = ask };
	struct walk_result w;
	int r;

	buf_init(&s.out, OUT_STEP + ENTRY_MAX + LINE_MAX_BYTES);
	r = prepare(&s, snapshot, e);
	r = r < 0 ? r : payloads_open(snapshot, ask->beside, &s.payloads, e);
	if (r < 0)
		return r;
	r = walk_log(snapshot, take, &s, &w);
	payloads_close(&s.payloads);
	r = r < 0 ? r : flush(&s);
	buf_finish(&s.out);
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot write what is to be shown");
	*ret_broken = snapshot->signature.code != AMBIT_OK || w.unread > 0 || s.broken > 0;
	if (*ret_broken)
		tell_broken(&s, &w, snapshot, e);
	return 0;
}
