#include <string.h>

#include "http/attach.h"
#include "http/two_twin.h"

/* ":status" is three digits, as the library has seen. */
static unsigned status_of(const struct two_fields *f)
{
	const uint32_t i = two_fields_find(f, ":status");
	unsigned status = 0;

	if (i == f->n || f->at[i].value_n != 3)
		return 0;
	for (uint32_t k = 0; k < 3; k++)
		status = status * 10 + (unsigned)(f->text.data[f->at[i].value + k] - '0');
	return status;
}

/* A host may make a field's name of what it was sent, too. */
static void begin_masked(struct two_fields *to, const struct mask_set *masks, const struct http_text *name)
{
	uint8_t room[HTTP_HEAD_MAX];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	attach_put_masked(&b, masks, name);
	two_fields_begin(to, &(struct http_text){ .at = (const char *)b.data, .n = b.len });
}

void two_put_masked(struct two_fields *to, const struct two_fields *from, uint32_t i, const struct mask_set *masks)
{
	const struct http_text name = two_fields_name(from, i), value = two_fields_value(from, i);

	begin_masked(to, masks, &name);
	attach_put_masked(&to->text, masks, &value);
	two_fields_end(to, from->at[i].hidden);
}

static void put_answer(struct two *o)
{
	const struct two_fields *from = &o->answered;

	two_fields_reset(&o->made);
	for (uint32_t i = 0; i < from->n; i++) {
		const struct http_text name = two_fields_name(from, i);

		if (!attach_is_ours(&name) || http_text_is(&name, "content-length"))
			two_put_masked(&o->made, from, i, o->parts->masks);
	}
}

static enum framed_kind framed_of(const struct two_fields *f)
{
	const uint32_t i = two_fields_find(f, "content-type");
	const struct http_text type = i < f->n ? two_fields_value(f, i) : (struct http_text){ .n = 0 };

	return framed_of_type(i < f->n ? &type : NULL);
}

static void pass(struct two *o, struct twin *t, unsigned status, bool ended)
{
	const nghttp2_data_provider body = twin_down(t);
	nghttp2_nv list[TWO_FIELDS_MAX];

	put_answer(o);
	if (!two_fields_list(&o->made, list)) {
		two_fail(o, t, "its head is too long");
		return;
	}
	t->answered = true;
	t->framed.kind = (uint8_t)framed_of(&o->answered);
	t->down.ended = ended;
	if (nghttp2_submit_response(o->client, t->client_id, list, o->made.n, ended ? NULL : &body) != 0) {
		twin_reset_client(o, t, NGHTTP2_INTERNAL_ERROR);
		twin_reset_server(o, t, NGHTTP2_INTERNAL_ERROR);
		return;
	}
	twin_tell(t, o->parts, status);
}

void two_take_answer(struct two *o, struct twin *t, bool ended)
{
	const unsigned status = status_of(&o->answered);

	if (o->answered.over || o->answered.cost > HTTP_HEAD_MAX)
		two_fail(o, t, "its head is too long");
	else if (status < 100)
		two_fail(o, t, "it has no status");
	else if (status >= 200)
		pass(o, t, status, ended);
	/* Others are hints, which nobody needs, or a word that was said already. */
}

void two_take_answer_body(struct two *o, struct twin *t, const uint8_t *bytes, size_t n)
{
	uint8_t room[TWO_PIECE + MASK_TEXT_MAX];

	if (!t->client_open || t->state != TWIN_PASSES || !t->answered) {
		(void)nghttp2_session_consume(o->server, t->server_id, n);
		return;
	}
	for (size_t at = 0; at < n; at += TWO_PIECE) {
		const size_t piece = n - at < TWO_PIECE ? n - at : TWO_PIECE;

		twin_put_down(o, t, room, mask_run(&t->mask, bytes + at, piece, room));
	}
	if (framed_run(&t->framed, bytes, n))
		twin_put_down(o, t, room, mask_let_go(&t->mask, room));
}

void two_end_answer(struct two *o, struct twin *t)
{
	uint8_t room[MASK_TEXT_MAX];

	if (t->state != TWIN_PASSES || !t->answered)
		return;
	twin_put_down(o, t, room, mask_let_go(&t->mask, room));
	twin_end_down(o, t);
}

/* ---- what is held, and nothing more comes ---- */

static bool holds(const struct twin *t)
{
	return t->client_open && mask_held(&t->mask) > 0;
}

uint64_t two_wakes(const struct two *o)
{
	for (const struct twin *t = o->server != NULL ? o->twins : NULL; t != NULL; t = t->next)
		if (holds(t))
			return o->flows_ms + MASK_PAUSE_MS;
	return UINT64_MAX;
}

/* Of any stream: all share the connection's window. */
static bool something_waits(const struct two *o)
{
	for (const struct twin *t = o->twins; t != NULL; t = t->next)
		if (two_pipe_waits(&t->down) > 0)
			return true;
	return stream_waits(o->parts->client) > 0;
}

bool two_let_go_late(struct two *o, bool came)
{
	uint8_t room[MASK_TEXT_MAX];
	bool any = false;

	if (o->parts->masks == NULL)
		return false;
	if (came || something_waits(o))
		o->flows_ms = o->parts->now_ms;
	if (o->parts->now_ms < o->flows_ms + MASK_PAUSE_MS)
		return false;
	for (struct twin *t = o->twins; t != NULL; t = t->next)
		if (holds(t)) {
			twin_put_down(o, t, room, mask_let_go(&t->mask, room));
			any = true;
		}
	return any;
}
