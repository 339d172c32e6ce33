#include "http/one.h"

#include <stdio.h>
#include <string.h>

#include "http/attach.h"
#include "http/compose.h"
#include "http/form.h"
#include "http/refusal.h"
#include "http/target.h"

#define WAITS_MAX (64u << 10)  /* in a stream to be written, before more is put there */
#define PIECE_MAX 16384        /* of a body, in one turn */
#define DROPPED_MAX (8u << 20) /* of what a program still sends when it was refused; then it is cut off */

void one_init(struct one *o, const struct memory *memory)
{
	*o = (struct one){ .state = ONE_HEAD };
	buf_init_of(&o->head, STREAM_OUT_MAX, memory);
	buf_init(&o->gathered, GRAPHQL_BODY_MAX);
}

void one_finish(struct one *o)
{
	buf_finish(&o->head);
	buf_finish(&o->gathered);
	mask_finish(&o->mask);
}

/* ---- the end ---- */

static void tell(struct one *o, const struct one_parts *p, unsigned status)
{
	o->untold = false;
	p->count(p->arg, p->host, &o->asked, status);
}

void one_tell(struct one *o, const struct one_parts *p)
{
	if (o->untold)
		tell(o, p, HTTP_NO_ANSWER);
}

static bool finish(struct one *o)
{
	o->state = ONE_LAST;
	return true;
}

/* With what is in the verdict, in place of the host. */
static bool answer(struct one *o, struct one_parts *p, bool closes)
{
	o->closes |= closes || o->old;
	refusal_put(&p->client->out, p->verdict, o->reader, o->is_head, o->closes);
	if (o->closes)
		return finish(o);
	o->state = ONE_HEAD;
	return true;
}

/* The host may have acted on the part that it has. */
static bool refuse(struct one *o, struct one_parts *p, bool closes)
{
	one_tell(o, p);
	o->asked.rule = -2;
	tell(o, p, p->verdict->status);
	return answer(o, p, closes);
}

/* The host does what cannot be followed: what was begun ends as broken, not as whole. */
static bool fail(struct one *o, struct one_parts *p, const char *why)
{
	judge_refuse(p->verdict, 502, AMBIT_GONE, NULL, "the host's answer cannot be passed on: %s", why);
	one_tell(o, p);
	if (!o->answered)
		return answer(o, p, true);
	p->client->broken = true;
	o->state = ONE_DONE;
	return true;
}

/* ---- the request ---- */

static void begin_body(struct body *b, enum http_body kind, uint64_t length)
{
	*b = (struct body){ .kind = (uint8_t)kind, .left = kind == HTTP_LENGTH ? length : 0 };
	b->done = kind == HTTP_NO_BODY || (kind == HTTP_LENGTH && length == 0);
	chunked_init(&b->chunked);
}

/* Whoever names a field there has the next server drop it: none of those that mean something. */
static bool is_plain_connection(const struct http_head *h)
{
	static const char *const words[] = { "close", "keep-alive", "upgrade", "te", "http2-settings", NULL };

	return http_head_lists_only(h, "connection", words);
}

static void put_secrets(struct buf *out, const struct judge *j)
{
	for (uint32_t i = 0; i < j->terms.n_secrets; i++) {
		const char *field = terms_field_of(&j->terms.secrets[i]);

		if (field == NULL)
			continue;
		buf_printf(out, "%s: ", field);
		attach_put_value(out, j, i);
		buf_put(out, "\r\n", 2);
	}
}

static void put_framing(struct buf *out, const struct body *b)
{
	if (b->kind == HTTP_LENGTH)
		buf_printf(out, "content-length: %llu\r\n", (unsigned long long)b->left);
	if (b->kind == HTTP_CHUNKED)
		buf_printf(out, "transfer-encoding: chunked\r\n");
}

/* What the host gets in place of what the program said. */
static void put_request(struct buf *out, const struct one *o, const struct one_parts *p, const struct http_head *h,
			const struct http_request *q)
{
	const struct judge *j = p->judge;

	buf_put(out, q->method.at, q->method.n);
	buf_put_u8(out, ' ');
	attach_put_target(out, j, q, p->verdict);
	buf_printf(out, " HTTP/1.1\r\nhost: ");
	buf_put(out, q->authority.at, q->authority.n);
	buf_put(out, "\r\n", 2);
	for (uint32_t i = 0; i < h->n_fields; i++) {
		const struct http_field *f = &h->fields[i];

		if (!p->verdict->drops[i] && !attach_is_ours(&f->name) &&
		    !attach_describes_form(p->verdict, &f->name) && (p->masks == NULL || !attach_compresses(&f->name)))
			compose_field(out, &f->name, &f->value);
	}
	if (p->verdict->wants_form)
		buf_printf(out, "content-type: " FORM_TYPE "\r\n");
	if (p->masks != NULL)
		buf_printf(out, "accept-encoding: identity\r\n"); /* what is compressed is not literal */
	if (http_head_lists(h, "expect", "100-continue") && o->state != ONE_GATHER)
		buf_printf(out, "expect: 100-continue\r\n");
	if (o->wants_upgrade)
		buf_printf(out, "connection: upgrade\r\nupgrade: websocket\r\n");
	put_secrets(out, j);
}

static bool refuse_malformed(struct one *o, struct one_parts *p, const char *why)
{
	judge_refuse(p->verdict, 400, AMBIT_MALFORMED, NULL, "servers could read this request in two ways: %s", why);
	return refuse(o, p, true);
}

/* What is charged for is sent. */
static bool may_send(struct one *o, struct one_parts *p)
{
	return attach_begin_mask(&o->mask, p->masks, p->verdict) && judge_charge(p->judge, p->now_ms, p->verdict);
}

/* It is sent; answers to it come. */
static bool begin_exchange(struct one *o)
{
	o->answered = false;
	o->begun = o->untold = true;
	o->state = ONE_EXCHANGE;
	begin_body(&o->down, HTTP_NO_BODY, 0);
	o->down.done = false;
	o->framed = (struct framed){ .kind = FRAMED_NOT };
	return true;
}

static bool send_request(struct one *o, struct one_parts *p, const struct http_head *h, const struct http_request *q)
{
	struct buf *out = stream_head(p->server);

	if (!may_send(o, p))
		return refuse(o, p, !o->up.done);
	put_request(out, o, p, h, q);
	put_framing(out, &o->up);
	buf_put(out, "\r\n", 2);
	return begin_exchange(o);
}

/* The body is judged first: only the head is made now, without its end. */
static bool gather(struct one *o, struct one_parts *p, const struct http_head *h, const struct http_request *q)
{
	if (!attach_takes_body(q, p->verdict, &o->form))
		return refuse(o, p, !o->up.done);
	o->state = ONE_GATHER;
	o->gathers_form = p->verdict->wants_form;
	buf_reset(&o->head);
	put_request(&o->head, o, p, h, q);
	if (http_head_lists(h, "expect", "100-continue"))
		buf_printf(&p->client->out, "HTTP/1.1 100 Continue\r\n\r\n");
	return true;
}

static void note(struct one *o, const struct http_head *h)
{
	o->old = h->minor == 0;
	o->closes = http_head_lists(h, "connection", "close") ||
		    (o->old && !http_head_lists(h, "connection", "keep-alive"));
	o->closes |= o->old; /* its answers are not in chunks, and may so last to the end */
	o->wants_upgrade = !o->old && http_head_lists(h, "connection", "upgrade") &&
			   http_head_lists(h, "upgrade", "websocket");
	o->answered = false;
	asked_note(&o->asked, &h->method, &h->target);
	o->is_head = strcmp(o->asked.method, "HEAD") == 0;
	begin_body(&o->up, (enum http_body)h->body, h->body_length);
	buf_finish(&o->gathered);
	buf_init(&o->gathered, GRAPHQL_BODY_MAX); /* a form was of other memory */
	o->sent = 0;
}

static bool describe(const struct http_head *h, struct http_request *ret, const char **ret_why)
{
	const struct http_field *host = http_head_find(h, "host");
	struct http_target t;

	if (!http_target_take(&h->target, &t, ret_why))
		return false;
	*ret_why = "its target is neither a path nor a whole address of this host";
	if (t.form == HTTP_TARGET_AUTHORITY || t.form == HTTP_TARGET_ASTERISK)
		return false;
	*ret_why = "it names no host";
	if (host == NULL)
		return false;
	*ret_why = "its target and its field Host are different";
	if (t.form == HTTP_TARGET_ABSOLUTE && !http_text_is_same(&t.authority, &host->value))
		return false;
	*ret = (struct http_request){ .method = h->method,
				      .path = t.path,
				      .query = t.query,
				      .has_query = t.has_query,
				      .authority = host->value,
				      .n_fields = h->n_fields,
				      .fields = h->fields,
				      .has_body = h->body != HTTP_NO_BODY };
	return true;
}

static bool judge_parameters(struct one *o, struct one_parts *p, const struct http_request *q)
{
	const struct http_text query = judge_sent_query(q, p->verdict);
	struct graphql_verdict g;

	graphql_judge(&p->judge->terms, GRAPHQL_PARAMETERS, query.at, query.n, &g);
	asked_note_document(&o->asked, &g);
	if (g.allowed)
		return true;
	judge_refuse_document(p->judge, &g, p->verdict);
	return !refuse(o, p, !o->up.done);
}

/* What a host says unasked would be taken for the next answer. */
static bool is_gone(const struct one_parts *p)
{
	return p->broken == NULL && (p->server->ended || p->server->broken || stream_has(p->server) > 0);
}

/* NULL: there is a host. */
static const char *why_gone(const struct one_parts *p)
{
	return is_gone(p) ? "the host spoke, or ended the connection, before it was asked" : p->broken;
}

static bool take_request(struct one *o, struct one_parts *p, const struct http_head *h)
{
	struct http_request q;
	const char *why;

	note(o, h);
	if (!describe(h, &q, &why))
		return refuse_malformed(o, p, why);
	if (!is_plain_connection(h))
		return refuse_malformed(o, p, "its field Connection has the next server drop others");
	*p->verdict = (struct verdict){ .rule = -1 };
	judge_request(p->judge, p->host, &q, p->verdict);
	o->reader = (uint8_t)refusal_reader(&q);
	o->asked.rule = p->verdict->rule;
	if (p->verdict->status == 0 && !p->host->tls && p->judge->terms.n_secrets > 0)
		judge_refuse(p->verdict, 403, AMBIT_DENIED, "ask by https://: no setting is needed for that in here",
			     "a secret is sent under TLS only, and this connection is plain");
	if (p->verdict->status == 0 && why_gone(p) != NULL)
		judge_refuse(p->verdict, 502, AMBIT_GONE, NULL, "%s", why_gone(p));
	if (p->verdict->status != 0)
		return refuse(o, p, !o->up.done || is_gone(p));
	brings_begin(&o->brings, &q, p->verdict->wants_form);
	o->wants_upgrade &= !p->verdict->wants_document &&
			    !p->verdict->wants_form; /* what comes then is judged by nobody */
	if (p->verdict->wants_form || (p->verdict->wants_document && q.has_body))
		return gather(o, p, h, &q);
	if (p->verdict->wants_document && !judge_parameters(o, p, &q))
		return true;
	return send_request(o, p, h, &q);
}

static bool read_request(struct one *o, struct one_parts *p)
{
	static struct http_head h; /* two kilobytes of places in what was read */
	const char *why = NULL;
	int r;

	if (stream_waits(p->client) > WAITS_MAX)
		return false;
	if (o->begun && is_gone(p))
		return finish(o);
	if (stream_has(p->client) == 0)
		return (p->client->ended || p->client->broken) && finish(o);
	if (stream_waits(p->server) > 0)
		return false; /* of a body, before which the next head would go */
	r = http_head_request(stream_at(p->client), stream_has(p->client), &h, &why);
	if (r == 0)
		return p->client->ended && finish(o);
	o->old = false;
	o->is_head = false;
	o->reader = REFUSAL_TO_PROGRAM;
	if (r < 0)
		return refuse_malformed(o, p, why);
	if (!take_request(o, p, &h))
		return false;
	stream_take(p->client, h.length);
	return true;
}

/* ---- bodies ---- */

/* Takes a piece of a body out of a stream: *ret is what it is. BAD: it is none. */
static enum chunk_result take_piece(struct body *b, struct stream *from, size_t most, struct http_text *ret)
{
	const size_t has = stream_has(from) < most ? stream_has(from) : most;
	size_t taken = has, data = has;
	enum chunk_result r = CHUNK_DATA;

	if (b->kind == HTTP_LENGTH)
		taken = data = has < b->left ? has : (size_t)b->left;
	if (b->kind == HTTP_CHUNKED)
		r = chunked_take(&b->chunked, stream_at(from), has, &taken, &data);
	*ret = (struct http_text){ .at = (const char *)stream_at(from) + taken - data,
				   .n = r == CHUNK_DATA ? data : 0 };
	if (b->kind == HTTP_LENGTH)
		b->left -= data;
	b->done = r == CHUNK_END || (b->kind == HTTP_LENGTH && b->left == 0);
	stream_take(from, taken);
	return r;
}

static bool cut_off(struct one *o, struct one_parts *p, const char *why)
{
	judge_refuse(p->verdict, 403, AMBIT_DENIED, NULL, "%s", why);
	p->server->broken = true; /* the host must not take what it has for a whole request */
	if (!o->answered)
		return refuse(o, p, true);
	p->client->broken = true;
	o->state = ONE_DONE;
	return true;
}

static const char *wrong_in(struct one *o, const struct one_parts *p, const struct http_text *piece)
{
	return brings_run(&o->brings, p->judge, (const uint8_t *)piece->at, piece->n);
}

/* What has a secret in it goes where heads go, and so alone. */
static bool pass_gathered(struct one *o, struct one_parts *p)
{
	const size_t left = o->gathered.len - o->sent, n = left < PIECE_MAX ? left : PIECE_MAX;

	if (o->gathers_form && stream_waits(p->server) > 0)
		return false;
	buf_put(o->gathers_form ? stream_head(p->server) : &p->server->out, o->gathered.data + o->sent, n);
	o->sent += n;
	if (o->gathers_form && n == left)
		buf_finish(&o->gathered); /* its memory is short */
	return true;
}

static bool pass_up(struct one *o, struct one_parts *p)
{
	struct buf *out = &p->server->out;
	struct http_text piece;
	const char *wrong;
	enum chunk_result r;

	if (stream_waits(p->server) > WAITS_MAX)
		return false;
	if (o->sent < o->gathered.len)
		return pass_gathered(o, p);
	if (o->up.done)
		return false;
	if (stream_has(p->client) == 0) {
		if (!p->client->ended && !p->client->broken)
			return false;
		p->server->broken = true;
		o->state = ONE_DONE;
		return true;
	}
	r = take_piece(&o->up, p->client, PIECE_MAX, &piece);
	if (r == CHUNK_BAD)
		return cut_off(o, p, "its chunks are not well-formed");
	wrong = wrong_in(o, p, &piece);
	if (wrong != NULL)
		return cut_off(o, p, wrong);
	if (o->up.kind == HTTP_CHUNKED && piece.n > 0)
		compose_chunk(out, piece.n);
	buf_put(out, piece.at, piece.n);
	if (o->up.kind == HTTP_CHUNKED && piece.n > 0)
		buf_put(out, "\r\n", 2);
	if (o->up.kind == HTTP_CHUNKED && o->up.done)
		buf_put(out, "0\r\n\r\n", 5);
	return true;
}

/* ---- the answer ---- */

static void put_answer(struct one *o, const struct one_parts *p, const struct http_head *h)
{
	struct buf *out = &p->client->out;

	buf_printf(out, "HTTP/1.1 %u ", h->status);
	attach_put_masked(out, p->masks, &h->reason);
	buf_put(out, "\r\n", 2);
	for (uint32_t i = 0; i < h->n_fields; i++) {
		const struct http_field *f = &h->fields[i];

		if (attach_is_ours(&f->name) && !(o->is_head && http_text_is(&f->name, "content-length")))
			continue;
		attach_put_masked(out, p->masks, &f->name);
		buf_put(out, ": ", 2);
		attach_put_masked(out, p->masks, &f->value);
		buf_put(out, "\r\n", 2);
	}
}

static bool switch_protocol(struct one *o, struct one_parts *p, const struct http_head *h)
{
	if (!o->wants_upgrade || !http_head_lists(h, "upgrade", "websocket"))
		return fail(o, p, "it changes the protocol, and nobody asked for that");
	put_answer(o, p, h);
	buf_printf(&p->client->out, "connection: upgrade\r\nupgrade: websocket\r\n\r\n");
	o->answered = true;
	o->framed.kind = FRAMED_WEBSOCKET;
	o->chunks_down = false;
	o->state = ONE_RAW;
	tell(o, p, 101);
	return true;
}

static void end_head(struct one *o, struct one_parts *p)
{
	struct buf *out = &p->client->out;
	struct body *b = &o->down;

	o->chunks_down = !o->old && (b->kind == HTTP_CHUNKED || b->kind == HTTP_UNTIL_END);
	if (b->kind == HTTP_LENGTH)
		buf_printf(out, "content-length: %llu\r\n", (unsigned long long)b->left);
	if (o->chunks_down)
		buf_printf(out, "transfer-encoding: chunked\r\n");
	if (o->closes)
		buf_printf(out, "connection: close\r\n");
	buf_put(out, "\r\n", 2);
}

static bool take_answer(struct one *o, struct one_parts *p, const struct http_head *h)
{
	const struct http_text method = { .at = o->asked.method, .n = strlen(o->asked.method) };
	const struct http_field *type = http_head_find(h, "content-type");

	if (h->status == 101)
		return switch_protocol(o, p, h);
	if (h->status < 200) {
		if (h->status == 100 && !o->old)
			buf_printf(&p->client->out, "HTTP/1.1 100 Continue\r\n\r\n");
		return true; /* others are hints, which nobody needs */
	}
	o->closes |= http_head_lists(h, "connection", "close") || h->minor == 0 || !o->up.done;
	begin_body(&o->down, http_head_answer_body(h, &method), h->body_length);
	o->closes |= o->down.kind == HTTP_UNTIL_END;
	o->framed.kind = (uint8_t)framed_of_type(type != NULL ? &type->value : NULL);
	put_answer(o, p, h);
	end_head(o, p);
	o->answered = true;
	tell(o, p, h->status);
	return true;
}

static bool read_answer(struct one *o, struct one_parts *p)
{
	static struct http_head h;
	const char *why = NULL;
	int r;

	if (stream_waits(p->client) > WAITS_MAX)
		return false;
	r = http_head_answer(stream_at(p->server), stream_has(p->server), &h, &why);
	if (r < 0)
		return fail(o, p, why);
	if (r == 0)
		return (p->server->ended || p->server->broken) && fail(o, p, "it ends before it has begun");
	if (take_answer(o, p, &h))
		stream_take(p->server, h.length);
	return true;
}

static void put_down(struct one *o, struct one_parts *p, const uint8_t *bytes, size_t n)
{
	struct buf *out = &p->client->out;

	if (n == 0)
		return;
	if (o->chunks_down)
		compose_chunk(out, n);
	buf_put(out, bytes, n);
	if (o->chunks_down)
		buf_put(out, "\r\n", 2);
}

static void end_down(struct one *o, struct one_parts *p)
{
	uint8_t room[MASK_TEXT_MAX];

	put_down(o, p, room, mask_let_go(&o->mask, room));
	if (o->chunks_down)
		buf_put(&p->client->out, "0\r\n\r\n", 5);
	o->down.done = true;
}

/* So many bytes that the host said, without a secret: less what is held of them. */
static size_t cover(struct one *o, const struct one_parts *p, const uint8_t *bytes, size_t n, uint8_t *room)
{
	size_t given = mask_run(&o->mask, bytes, n, room);

	if (framed_run(&o->framed, bytes, n))
		given += mask_let_go(&o->mask, room + given);
	o->flows_ms = p->now_ms;
	return given;
}

/* That the host says nothing is a pause only while it could, since nothing that it said waits: whoever stops reading would else make one where he wants it. */
static void look_at_flow(struct one *o, const struct one_parts *p)
{
	if (stream_waits(p->client) > 0)
		o->flows_ms = p->now_ms;
}

static bool let_go_late(struct one *o, struct one_parts *p)
{
	uint8_t room[MASK_TEXT_MAX];

	if (p->now_ms < one_wakes(o))
		return false;
	put_down(o, p, room, mask_let_go(&o->mask, room));
	return true;
}

static bool pass_down(struct one *o, struct one_parts *p)
{
	uint8_t room[PIECE_MAX + MASK_TEXT_MAX];
	size_t taken = 0, n = 0;

	look_at_flow(o, p);
	if (stream_has(p->server) == 0) {
		if (!p->server->ended && !p->server->broken)
			return let_go_late(o, p);
		if (o->down.kind != HTTP_UNTIL_END || p->server->broken)
			return fail(o, p, "it ends too early");
		end_down(o, p);
		return true;
	}
	if (stream_waits(p->client) > WAITS_MAX)
		return false;
	while (!o->down.done && taken < PIECE_MAX && stream_has(p->server) > 0) {
		struct http_text piece;

		if (take_piece(&o->down, p->server, PIECE_MAX - taken, &piece) == CHUNK_BAD)
			return fail(o, p, "its chunks are not well-formed");
		n += cover(o, p, (const uint8_t *)piece.at, piece.n, room + n);
		taken += piece.n;
	}
	put_down(o, p, room, n);
	if (o->down.done)
		end_down(o, p);
	return true;
}

static bool exchange(struct one *o, struct one_parts *p)
{
	bool any = pass_up(o, p);

	if (o->state != ONE_EXCHANGE)
		return any;
	any |= o->answered ? !o->down.done && pass_down(o, p) : read_answer(o, p);
	if (o->state != ONE_EXCHANGE || !o->answered || !o->down.done)
		return any;
	o->closes |= !o->up.done || o->sent < o->gathered.len;
	o->state = o->closes ? ONE_LAST : ONE_HEAD;
	return true;
}

/* ---- a body that is judged whole ---- */

static bool judge_document(struct one *o, struct one_parts *p)
{
	struct graphql_verdict g;

	graphql_judge(&p->judge->terms, o->form, o->gathered.len > 0 ? (const char *)o->gathered.data : "",
		      o->gathered.len, &g);
	asked_note_document(&o->asked, &g);
	if (!g.allowed)
		judge_refuse_document(p->judge, &g, p->verdict);
	return g.allowed;
}

/* What is sent takes the place of what was gathered. */
static bool write_form(struct one *o, struct one_parts *p)
{
	struct buf form;
	const bool good = form_write(p->judge, o->gathered.data, o->gathered.len, o->head.memory, &form, p->verdict);

	buf_finish(&o->gathered);
	if (good)
		o->gathered = form;
	else
		buf_finish(&form);
	return good;
}

static bool judge_gathered(struct one *o, struct one_parts *p)
{
	struct buf *out = stream_head(p->server);

	*p->verdict = (struct verdict){ .rule = o->asked.rule }; /* others had the room since */
	if (!(o->gathers_form ? write_form(o, p) : judge_document(o, p)) || !may_send(o, p))
		return refuse(o, p, false);
	buf_put(out, o->head.data, o->head.len);
	buf_finish(&o->head);
	buf_printf(out, "content-length: %zu\r\n\r\n", o->gathered.len);
	return begin_exchange(o);
}

static bool gather_more(struct one *o, struct one_parts *p)
{
	struct http_text piece;
	const char *wrong;

	if (o->up.done)
		return judge_gathered(o, p);
	if (stream_has(p->client) == 0)
		return (p->client->ended || p->client->broken) && finish(o);
	if (take_piece(&o->up, p->client, PIECE_MAX, &piece) == CHUNK_BAD)
		return refuse_malformed(o, p, "its chunks are not well-formed");
	wrong = wrong_in(o, p, &piece);
	if (wrong != NULL) {
		judge_refuse(p->verdict, 403, AMBIT_DENIED, NULL, "%s", wrong);
		return refuse(o, p, true);
	}
	buf_put(&o->gathered, piece.at, piece.n);
	if (!o->gathered.failed && o->gathered.len <= attach_body_max(o->gathers_form))
		return true;
	judge_refuse(p->verdict, 413, AMBIT_LIMIT, NULL, "a %s has no more than %u bytes",
		     o->gathers_form ? "form" : "document", attach_body_max(o->gathers_form));
	return refuse(o, p, true);
}

/* ---- another protocol, and the end ---- */

static bool pass_raw(struct one *o, struct one_parts *p)
{
	uint8_t room[PIECE_MAX + MASK_TEXT_MAX];
	size_t up = stream_has(p->client), down = stream_has(p->server);

	look_at_flow(o, p);
	up = stream_waits(p->server) > WAITS_MAX ? 0 : up;
	down = stream_waits(p->client) > WAITS_MAX ? 0 : down < PIECE_MAX ? down : PIECE_MAX;
	buf_put(&p->server->out, stream_at(p->client), up);
	stream_take(p->client, up);
	if (down > 0)
		buf_put(&p->client->out, room, cover(o, p, stream_at(p->server), down, room));
	stream_take(p->server, down);
	if (up > 0 || down > 0)
		return true;
	o->cut = p->server->broken;
	if (p->client->broken || o->cut || (p->server->ended && stream_has(p->server) == 0)) {
		buf_put(&p->client->out, room, o->cut ? 0 : mask_let_go(&o->mask, room));
		return finish(o);
	}
	if (stream_has(p->server) == 0 && let_go_late(o, p))
		return true;
	return p->client->ended && stream_has(p->client) == 0 && stream_close(p->server);
}

/* Whoever closes with something unread resets: the answer would be lost. */
static bool end(struct one *o, struct one_parts *p)
{
	const size_t has = stream_has(p->client);
	bool any = has > 0 || (!o->cut && stream_close(p->client));

	o->dropped += has;
	stream_take(p->client, has);
	p->client->broken |= o->cut && stream_waits(p->client) == 0;
	if (p->client->broken || (p->client->closed && p->client->ended) || o->dropped > DROPPED_MAX) {
		o->state = ONE_DONE;
		any = true;
	}
	return any;
}

uint64_t one_wakes(const struct one *o)
{
	const bool passes = o->state == ONE_EXCHANGE || o->state == ONE_RAW;

	return passes && mask_held(&o->mask) > 0 ? o->flows_ms + MASK_PAUSE_MS : UINT64_MAX;
}

bool one_step(struct one *o, struct one_parts *p)
{
	switch (o->state) {
	case ONE_HEAD: return read_request(o, p);
	case ONE_GATHER: return gather_more(o, p);
	case ONE_EXCHANGE: return exchange(o, p);
	case ONE_RAW: return pass_raw(o, p);
	case ONE_LAST: return end(o, p);
	default: return false;
	}
}
