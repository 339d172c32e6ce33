/* The record of an event: for those who hold its handle, and for the ledger. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ledger/layout.h"
#include "ledger/talk.h"
#include "lib/event.h"
#include "lib/payload.h"
#include "lib/public.h"
#include "lib/record.h"
#include "policy/policy.h"

static int make_record(struct ambit_event *ev, struct err *e)
{
	auto_buf out = { .max = 0 };
	int r;

	if (!ev->result.ended)
		return err_set(e, AMBIT_USAGE, "wait for its end", "there is no record of an event that still runs");
	buf_init(&out, RECORD_MAX);
	r = (ev->is_beside ? record_write_beside : record_write)(&ev->result, &out, e);
	if (r == 0 && buf_cstr(&out) == NULL)
		r = err_set(e, AMBIT_MEMORY, NULL, "the record of the event");
	if (r < 0)
		return r;
	ev->record = (char *)out.data; /* handed over, storage and all */
	buf_init(&out, 0);
	return 0;
}

int ambit_event_record(struct ambit_event *ev, const char **ret_json, size_t *ret_len, struct ambit_error *ret_error)
{
	struct err e;
	const int r = ev->record != NULL ? 0 : make_record(ev, &e);

	if (r < 0)
		return public_error(ret_error, r, &e);
	*ret_json = ev->record;
	/* just made; JSON has no NUL inside */
	*ret_len = strlen(ev->record); /* NOLINT(clang-analyzer-core.NonNullParamChecker) */
	return 0;
}

/* ---- for the ledger ---- */

_Static_assert(RECORD_MAX <= PAYLOAD_MAX, "a record that is not kept");

/* What the command wrote is its own affair, however long or secret: that is not kept. */
static int write_record(const struct ambit_event *ev, struct buf *out, struct err *e)
{
	struct event_result told = ev->result;

	told.captured = false;
	return record_write(&told, out, e);
}

#define PPM 1000000 /* no fraction is in a ledger */

/* How it compared with what is usual, also for who has the record no more. */
static int tell_verdict(struct talk *t, const struct result_usual *u, struct err *e)
{
	const struct unusual *f = &u->found.f;
	struct json *j;

	if (u->profile <= PROFILE_OFF)
		return 0;
	j = talk_body(t);
	json_put_bool(json_put_key(j, "asks"), u->found.asks);
	json_put_bool(json_put_key(j, "ended"), u->kills);
	json_put_key(j, "error");
	if (u->error.code == AMBIT_OK)
		json_put_null(j);
	else
		talk_put_text(j, u->error.msg);
	json_put_count(json_put_key(j, "events"), f->events);
	json_put_bool(json_put_key(j, "flagged"), f->flagged[PROMISED_LOG]);
	json_put_bool(json_put_key(j, "held"), u->holds);
	talk_put_text(json_put_key(j, "key"), u->found.key);
	json_put_count(json_put_key(j, "p_ppm"), (uint64_t)(f->p * PPM));
	json_put_word(json_put_key(j, "profile"), policy_profile_word(u->profile));
	json_put_array(json_put_key(j, "reasons"));
	for (size_t i = 0; i < f->n_reasons; i++)
		talk_put_text(j, f->reasons[i].text);
	json_put_array_end(j);
	json_put_count(json_put_key(j, "throttled_ms"), u->pause_ms);
	return talk_put(t, ENTRY_VERDICT, "", e);
}

/* Takes the socket. */
static int send_result(int sock, const struct event_result *of, const struct payload *p, struct err *e)
{
	auto_free struct talk *t = malloc(sizeof *t);
	int r;

	if (t == NULL) {
		fd_close(&sock);
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to tell the ledger");
	}
	talk_init(t, sock, of->event);
	r = tell_verdict(t, &of->usual, e);
	r = r < 0 ? r : payload_tell(t, p, 0, e);
	r = r < 0 ? r : talk_settle(t, false, e);
	talk_finish(t);
	return r;
}

/* The ledger has died meanwhile, after it had accepted all the rest: it is started again, and never made anew. */
static int reach_again(const struct ambit_event *ev, int *ret_fd, struct err *e)
{
	struct ledger_hello ignored;

	if (faccessat(ev->ledger_dir_fd, LEDGER_KEY, F_OK, 0) < 0)
		return err_sys(e, AMBIT_NOT_FOUND, errno, "restore it from a backup", "the ledger's key is gone");
	return ledger_join(ev->ledger_dir_fd, ev->request->ledger, ret_fd, &ignored, e);
}

/* First the payload, then the entry that names it, so that none names what is not there. */
static int keep_record(struct ambit_event *ev, struct err *e)
{
	auto_buf record = { .max = RECORD_MAX };
	struct payload p;
	auto_fd int dir_fd = -1;
	int sock = -1, r = write_record(ev, &record, e);

	r = r < 0 ? r : payload_write(ev->ledger_dir_fd, record.data, record.len, &dir_fd, &p, e);
	if (r < 0)
		return r;
	p.version = RECORD_VERSION;
	r = send_result(steal_fd(&ev->ledger_fd), &ev->result, &p, e);
	if (r != -AMBIT_GONE || e->sys_errno == EAGAIN /* who does not answer is waited for once */)
		return r;
	r = reach_again(ev, &sock, e);
	return r < 0 ? r : send_result(sock, &ev->result, &p, e);
}

void event_keep_record(struct ambit_event *ev)
{
	const enum event_cause cause = ev->result.cause;
	struct err e;
	int r;

	if (ev->ledger_fd < 0)
		return;
	r = keep_record(ev, &e);
	if (r < 0 && cause != CAUSE_REFUSED && cause != CAUSE_LOST) { /* which failed in any case */
		(void)err_context(&e, r, "the event ended, but its record is not in the ledger");
		ev->result.unrecorded = e;
	}
}
