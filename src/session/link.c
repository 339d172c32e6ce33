#include "session/link.h"

#include <limits.h>
#include <string.h>

#include "base/fnv.h"
#include "wire/wire.h"

_Static_assert(SESSION_AGENT_MAX == 64 && SESSION_PLACE_MAX == 4096 && SESSION_COMMAND_MAX == 256,
	       "the sizes in messages.def are sums of these");

static bool is_session(const char *id)
{
	return id_is('s', id, strlen(id));
}

void role_state_put(struct buf *out, const struct role_state *s)
{
	buf_put_u64(out, s->running);
	buf_put_u64(out, s->taken);
	buf_put_u64(out, s->ended);
	buf_put_u64(out, s->failed);
	buf_put_u64(out, s->interrupted);
	buf_put_u64(out, s->denials);
}

void role_state_take(struct rbuf *in, struct role_state *ret)
{
	ret->running = rbuf_u64(in);
	ret->taken = rbuf_u64(in);
	ret->ended = rbuf_u64(in);
	ret->failed = rbuf_u64(in);
	ret->interrupted = rbuf_u64(in);
	ret->denials = rbuf_u64(in);
}

void serve_hello_put(struct buf *out, const struct serve_hello *h)
{
	buf_put_u32(out, h->revision);
	buf_put_u32(out, h->pid);
	buf_put_u64(out, h->dev);
	buf_put_u64(out, h->ino);
	buf_put_text(out, h->version, sizeof h->version);
}

/* Of a revision that is not ours no more is believed than that. */
bool serve_hello_take(struct rbuf *in, struct serve_hello *ret)
{
	ret->revision = rbuf_u32(in);
	ret->pid = rbuf_u32(in);
	ret->dev = rbuf_u64(in);
	ret->ino = rbuf_u64(in);
	rbuf_text(in, ret->version, sizeof ret->version);
	return rbuf_done(in);
}

void serve_name_put(struct buf *out, const struct serve_name *n)
{
	buf_put_u32(out, n->request);
	buf_put_text(out, n->session, sizeof n->session);
}

bool serve_list_take(struct rbuf *in, struct serve_name *ret)
{
	ret->request = rbuf_u32(in);
	rbuf_text(in, ret->session, sizeof ret->session);
	return rbuf_done(in) && (ret->session[0] == 0 || is_session(ret->session));
}

bool serve_name_take(struct rbuf *in, struct serve_name *ret)
{
	return serve_list_take(in, ret) && ret->session[0] != 0;
}

/* ---- rows of sessions ---- */

void session_row_put(struct buf *out, const struct session_row *r)
{
	buf_put_u32(out, r->request);
	buf_put_u32(out, r->state);
	buf_put_u64(out, r->made_ms);
	buf_put_u64(out, r->events);
	buf_put_u32(out, r->running);
	buf_put_text(out, r->session, sizeof r->session);
	buf_put_text(out, r->agent, sizeof r->agent);
	buf_put_text(out, r->workspace, sizeof r->workspace);
}

static bool row_take(struct rbuf *in, struct session_row *ret)
{
	ret->request = rbuf_u32(in);
	ret->state = rbuf_u32(in);
	ret->made_ms = rbuf_u64(in);
	ret->events = rbuf_u64(in);
	ret->running = rbuf_u32(in);
	rbuf_text(in, ret->session, sizeof ret->session);
	rbuf_text(in, ret->agent, sizeof ret->agent);
	rbuf_text(in, ret->workspace, sizeof ret->workspace);
	return !in->failed && ret->state > 0 && ret->state < SESSION_STATE_COUNT && is_session(ret->session);
}

bool session_row_take(struct rbuf *in, struct session_row *ret)
{
	return row_take(in, ret) && rbuf_done(in);
}

void session_ready_put(struct buf *out, const struct session_ready *r)
{
	buf_put_u64(out, r->next);
	buf_put_u64(out, r->oldest);
	session_row_put(out, &r->row);
}

bool session_ready_take(struct rbuf *in, struct session_ready *ret)
{
	ret->next = rbuf_u64(in);
	ret->oldest = rbuf_u64(in);
	return row_take(in, &ret->row) && rbuf_done(in) && ret->next > 0 && ret->oldest <= ret->next;
}

/* ---- answers and counts ---- */

uint64_t link_key(const char *key)
{
	const uint64_t h = fnv(FNV_BASIS, key, strlen(key));

	return key[0] == 0 ? 0 : h == 0 ? 1 : h;
}

void link_number_put(struct buf *out, const struct link_number *n)
{
	buf_put_u32(out, n->request);
	buf_put_u64(out, n->value);
}

bool link_number_take(struct rbuf *in, struct link_number *ret)
{
	ret->request = rbuf_u32(in);
	ret->value = rbuf_u64(in);
	return rbuf_done(in);
}

/* ---- what stands still ---- */

void link_halt_put(struct buf *out, const struct link_halt *h)
{
	buf_put_u32(out, h->request);
	buf_put_u32(out, h->deed);
	buf_put_u32(out, h->keep);
	buf_put_u64(out, h->n);
	buf_put_text(out, h->what, sizeof h->what);
	buf_put_text(out, h->reason, sizeof h->reason);
}

static bool names_something(const char *what)
{
	return what[0] == 0 || strcmp(what, HALT_ALL) == 0 || is_session(what) || id_is('e', what, strlen(what));
}

bool link_halt_take(struct rbuf *in, struct link_halt *ret)
{
	ret->request = rbuf_u32(in);
	ret->deed = rbuf_u32(in);
	ret->keep = rbuf_u32(in);
	ret->n = rbuf_u64(in);
	rbuf_text(in, ret->what, sizeof ret->what);
	rbuf_text(in, ret->reason, sizeof ret->reason);
	return rbuf_done(in) && ret->deed > 0 && ret->deed < HALT_DEED_COUNT && ret->keep <= 1 &&
	       names_something(ret->what);
}

void link_halted_put(struct buf *out, const struct link_halted *h)
{
	buf_put_u32(out, h->request);
	buf_put_u32(out, h->before);
	buf_put_u32(out, h->events);
	buf_put_u32(out, h->cancelled);
}

bool link_halted_take(struct rbuf *in, struct link_halted *ret)
{
	ret->request = rbuf_u32(in);
	ret->before = rbuf_u32(in);
	ret->events = rbuf_u32(in);
	ret->cancelled = rbuf_u32(in);
	return rbuf_done(in) && ret->before <= 1;
}

void link_failed_put(struct buf *out, uint32_t request, const struct err *e)
{
	buf_put_u32(out, request);
	wire_put_error(out, e);
}

int link_failed_take(struct rbuf *in, uint32_t *ret_request, struct err *ret)
{
	*ret_request = rbuf_u32(in);
	return wire_take_error(in, ret);
}

/* In the order in which they travel. */
#define STATUS_COUNTS(X)                                                                                               \
	X(started_ms)                                                                                                  \
	X(clients)                                                                                                     \
	X(clients_now)                                                                                                 \
	X(sessions_now)                                                                                                \
	X(running_now)                                                                                                 \
	X(sessions_made) X(events_taken) X(events_ended) X(events_failed) X(events_interrupted) X(denials) X(refused)

void serve_status_put(struct buf *out, const struct serve_status *s)
{
	buf_put_u32(out, s->request);
	buf_put_u32(out, s->pid);
#define PUT(field) buf_put_u64(out, s->field);
	STATUS_COUNTS(PUT)
#undef PUT
}

bool serve_status_take(struct rbuf *in, struct serve_status *ret)
{
	ret->request = rbuf_u32(in);
	ret->pid = rbuf_u32(in);
#define TAKE(field) ret->field = rbuf_u64(in);
	STATUS_COUNTS(TAKE)
#undef TAKE
	return rbuf_done(in);
}

/* ---- of one event ---- */

void session_taken_put(struct buf *out, const struct session_taken *t)
{
	buf_put_u32(out, t->request);
	buf_put_u32(out, t->replayed);
	buf_put_u64(out, t->n);
	buf_put_text(out, t->event, sizeof t->event);
}

bool session_taken_take(struct rbuf *in, struct session_taken *ret)
{
	ret->request = rbuf_u32(in);
	ret->replayed = rbuf_u32(in);
	ret->n = rbuf_u64(in);
	rbuf_text(in, ret->event, sizeof ret->event);
	return rbuf_done(in) && ret->replayed <= 1 && ret->n > 0 && id_is('e', ret->event, strlen(ret->event));
}

void session_event_put(struct buf *out, const struct session_event *v)
{
	buf_put_u32(out, v->request);
	buf_put_u32(out, v->a);
	buf_put_u32(out, v->b);
	buf_put_u64(out, v->n);
}

bool session_event_take(struct rbuf *in, struct session_event *ret)
{
	ret->request = rbuf_u32(in);
	ret->a = rbuf_u32(in);
	ret->b = rbuf_u32(in);
	ret->n = rbuf_u64(in);
	return rbuf_done(in);
}

void session_grew_put(struct buf *out, const struct session_grew *g)
{
	buf_put_u64(out, g->n);
	buf_put_u64(out, g->out);
	buf_put_u64(out, g->err);
}

bool session_grew_take(struct rbuf *in, struct session_grew *ret)
{
	ret->n = rbuf_u64(in);
	ret->out = rbuf_u64(in);
	ret->err = rbuf_u64(in);
	return rbuf_done(in);
}

void session_step_put(struct buf *out, const struct session_step *s)
{
	buf_put_u32(out, s->request);
	buf_put_u32(out, s->flags);
	buf_put_u64(out, s->n);
	buf_put_u64(out, s->timeout_ms);
}

bool session_step_take(struct rbuf *in, struct session_step *ret)
{
	ret->request = rbuf_u32(in);
	ret->flags = rbuf_u32(in);
	ret->n = rbuf_u64(in);
	ret->timeout_ms = rbuf_u64(in);
	return rbuf_done(in) && ret->flags <= STEP_SHOWS;
}

/* In the order in which they travel. */
#define STEP_TIMES(X)                                                                                                  \
	X(taken_ms)                                                                                                    \
	X(begun_ms) X(ended_ms) X(out_at) X(out_end) X(err_at) X(err_end) X(result_at) X(result_end) X(bytes)

void step_row_put(struct buf *out, const struct step_row *r)
{
	buf_put_u64(out, r->n);
	buf_put_u64(out, r->step);
	buf_put_u32(out, r->state);
	buf_put_u32(out, r->flags);
#define PUT(field) buf_put_u64(out, r->field);
	STEP_TIMES(PUT)
#undef PUT
	buf_put(out, r->sha256, sizeof r->sha256);
}

bool step_row_take(struct rbuf *in, struct step_row *ret)
{
	const uint8_t *digest;

	ret->n = rbuf_u64(in);
	ret->step = rbuf_u64(in);
	ret->state = rbuf_u32(in);
	ret->flags = rbuf_u32(in);
#define TAKE(field) ret->field = rbuf_u64(in);
	STEP_TIMES(TAKE)
#undef TAKE
	digest = rbuf_bytes(in, sizeof ret->sha256);
	if (!rbuf_done(in) || ret->n == 0 || ret->step == 0 || ret->step > STEPS_MAX || ret->state == 0 ||
	    ret->state >= STEP_STATE_COUNT || ret->flags > STEP_FLAGS || ret->out_at > ret->out_end ||
	    ret->err_at > ret->err_end || ret->result_at > ret->result_end)
		return false;
	memcpy(ret->sha256, digest, sizeof ret->sha256);
	return true;
}

/* One that is over has an outcome; another has the room of one. */
static void put_outcome(struct buf *out, const struct event_row *r)
{
	const size_t before = out->len;

	if (r->state == EVENT_OVER)
		outcome_encode(&r->outcome, out);
	while (!out->failed && out->len < before + OUTCOME_BYTES)
		buf_put_u8(out, 0);
}

static void take_outcome(struct rbuf *in, struct event_row *ret)
{
	struct rbuf own;
	const uint8_t *bytes = rbuf_bytes(in, OUTCOME_BYTES);

	memset(&ret->outcome, 0, sizeof ret->outcome);
	if (bytes == NULL || ret->state != EVENT_OVER)
		return;
	rbuf_init(&own, bytes, OUTCOME_BYTES);
	outcome_decode(&own, &ret->outcome);
	in->failed = own.failed;
}

void event_row_put(struct buf *out, const struct event_row *r)
{
	static const struct labels none;

	buf_put_u64(out, r->n);
	buf_put_u32(out, r->state);
	buf_put_u32(out, r->flags);
	buf_put_u64(out, r->taken_ms);
	buf_put_u64(out, r->begun_ms);
	buf_put_u64(out, r->ended_ms);
	buf_put_u64(out, r->out_bytes);
	buf_put_u64(out, r->err_bytes);
	buf_put_u64(out, r->result_bytes);
	buf_put_u32(out, r->exit_status);
	buf_put_u32(out, r->denied);
	put_outcome(out, r);
	buf_put_text(out, r->event, sizeof r->event);
	buf_put_text(out, r->command, sizeof r->command);
	buf_put_u32(out, r->code);
	buf_put_text(out, r->message, sizeof r->message);
	buf_put_text(out, r->hint, sizeof r->hint);
	labels_put(out, r->state >= EVENT_OVER ? &r->labels : &none);
}

bool event_row_take(struct rbuf *in, struct event_row *ret)
{
	ret->n = rbuf_u64(in);
	ret->state = rbuf_u32(in);
	ret->flags = rbuf_u32(in);
	ret->taken_ms = rbuf_u64(in);
	ret->begun_ms = rbuf_u64(in);
	ret->ended_ms = rbuf_u64(in);
	ret->out_bytes = rbuf_u64(in);
	ret->err_bytes = rbuf_u64(in);
	ret->result_bytes = rbuf_u64(in);
	ret->exit_status = rbuf_u32(in);
	ret->denied = rbuf_u32(in);
	take_outcome(in, ret);
	rbuf_text(in, ret->event, sizeof ret->event);
	rbuf_text(in, ret->command, sizeof ret->command);
	ret->code = rbuf_u32(in);
	rbuf_text(in, ret->message, sizeof ret->message);
	rbuf_text(in, ret->hint, sizeof ret->hint);
	labels_take(in, &ret->labels);
	if (ret->state < EVENT_OVER && ret->labels.text[0] != 0)
		return false;
	return rbuf_done(in) && ret->code <= INT_MAX && ret->n > 0 && ret->state > 0 &&
	       ret->state < EVENT_STATE_COUNT && ret->flags <= EVENT_FLAGS && ret->exit_status <= 255 &&
	       ret->denied <= 1 && id_is('e', ret->event, strlen(ret->event));
}
