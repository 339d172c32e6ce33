/* What a host is told about its event without reading the record. */
#include <string.h>

#include "core/outcome.h"
#include "lib/event.h"
#include "lib/public.h"
#include "lib/record_usual.h"
#include "policy/policy.h"

const char *ambit_event_id(const struct ambit_event *ev)
{
	return ev->result.event;
}

/* Of the end it is the result's; before, what has come so far. */
static const struct buf *captured(const struct ambit_event *ev, int stream)
{
	if (!ev->result.ended)
		return &ev->streams.relay[stream].kept;
	return stream == 1 ? &ev->result.out : &ev->result.err;
}

int ambit_event_output(const struct ambit_event *ev, int stream, const void **ret, size_t *ret_len, uint64_t *ret_total,
		       struct ambit_error *ret_error)
{
	const struct buf *kept;
	struct err e;

	if (stream < 1 || stream > 2 || !ev->streams.relay[stream].capture)
		return public_error(ret_error,
				    err_set(&e, AMBIT_USAGE, "start it with AMBIT_STREAM_CAPTURE for stream 1 or 2",
					    "stream %d is not captured", stream),
				    &e);
	kept = captured(ev, stream);
	*ret = kept->len > 0 ? (const void *)kept->data : "";
	*ret_len = kept->len;
	if (ret_total != NULL)
		*ret_total = ev->streams.relay[stream].total;
	return 0;
}

/* Its changes were to be committed and are not. */
static int held(const struct event_result *r, struct err *e)
{
	if (r->stage_error.code != AMBIT_OK) {
		*e = r->stage_error;
		return -(int)e->code;
	}
	if (r->usual.holds)
		return usual_held(&r->usual, e);
	if (r->stage.end.approval[0] != 0)
		return err_why(e,
			       err_set(e, AMBIT_CONFLICT,
				       "`ambit approve` lists what waits, and commits it after a yes",
				       "the command succeeded, and its changes wait for a person"),
			       "the question is %s", r->stage.end.approval);
	return err_why(e,
		       err_set(e, AMBIT_CONFLICT, "`ambit diff` and its id show them; `ambit commit` takes them over",
			       "the command succeeded, and its changes are not committed"),
		       "%llu of them are held back, or another event has their tree",
		       (unsigned long long)r->stage.end.held);
}

static int failure_of(const struct event_result *r, struct err *e)
{
	if (!r->ended)
		return err_set(e, AMBIT_USAGE, "wait for its end", "the event still runs");
	if (r->unrecorded.code != AMBIT_OK)
		*e = r->unrecorded;
	else if (r->error.code != AMBIT_OK) /* refused, or it is strict */
		*e = r->error;
	else if (r->cause == CAUSE_LIMIT)
		return err_set(e, AMBIT_LIMIT, "grant more of it, if it should have that", "it met the limit %s",
			       limit_word(r->limit));
	else if (r->cause == CAUSE_KILLED || r->cause == CAUSE_LOST)
		return err_set(e, AMBIT_GONE, NULL, "it was %s", cause_word(r->cause));
	else
		return result_is_held(r) ? held(r, e) : 0;
	return -(int)e->code;
}

int ambit_event_failure(const struct ambit_event *ev, struct ambit_error *ret_error)
{
	struct err e;
	int r;

	err_clear(&e);
	r = failure_of(&ev->result, &e);
	return public_error(ret_error, r, &e);
}

static void fill_usual(const struct result_usual *u, struct ambit_usual *ret)
{
	const struct usual_found *f = &u->found;

	ret->unusual = usual_is_unusual(u);
	ret->young = f->f.young;
	ret->ended = u->kills;
	ret->events = f->f.events;
	ret->throttled_ms = u->pause_ms;
	ret->p = f->f.p;
	for (size_t i = 0; i < f->f.n_reasons && ret->unusual != 0; i++) /* else they are of nothing */
		ret->reasons[ret->n_reasons++] = f->f.reasons[i].text;
	if (f->nearest.event[0] != 0) {
		ret->nearest = f->nearest.event;
		ret->differs = f->nearest.text;
	}
}

_Static_assert(REASONS_MAX == 3, "as the header has it");

int ambit_event_usual(const struct ambit_event *ev, struct ambit_usual *ret, struct ambit_error *ret_error)
{
	const struct result_usual *u = &ev->result.usual;
	struct ambit_usual own = { .size = ret->size, .held = u->holds, .p = 1 };
	struct err e;
	int r = 0;

	if (ret->size < sizeof ret->size || ret->size > sizeof own)
		return public_error(
			ret_error,
			err_set(&e, AMBIT_USAGE, "set size to sizeof(struct ambit_usual)", "a verdict of another ABI"),
			&e);
	if (!ev->result.ended)
		return public_error(ret_error, err_set(&e, AMBIT_USAGE, "wait for its end", "the event still runs"),
				    &e);
	if (!u->judged || u->profile <= PROFILE_OFF)
		r = err_set(&e, AMBIT_NOT_FOUND, "`profile: log` in its policy does",
			    "it was not held against what is usual");
	else if (u->error.code != AMBIT_OK)
		r = err_set(&e, AMBIT_NOT_FOUND, u->error.hint, "%s", u->error.msg);
	else
		fill_usual(u, &own);
	memcpy(ret, &own, ret->size);
	return public_error(ret_error, r, &e);
}
