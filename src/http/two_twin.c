#include "http/two_twin.h"

#include <stdlib.h>

#define GATHERED_FIRST 16384 /* room that is not given up between two pieces */

/* A stream's window, and what a mask held of it; and no more that is taken already, and not yet dropped. */
#define PIPE_MAX (2 * (TWO_DOWN_STREAM + MASK_TEXT_MAX))

struct twin *twin_create(struct two *o, int32_t client_id)
{
	struct twin *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->client_id = client_id;
	t->client_open = true;
	t->host_cares = true;
	t->asked.rule = -1;
	buf_init(&t->up.bytes, GRAPHQL_BODY_MAX); /* more than a window */
	buf_init(&t->down.bytes, PIPE_MAX);
	t->next = o->twins;
	t->link = &o->twins;
	if (t->next != NULL)
		t->next->link = &t->next;
	o->twins = t;
	o->n_twins++;
	return t;
}

void twin_tell(struct twin *t, const struct one_parts *p, unsigned status)
{
	if (!t->untold)
		return;
	t->untold = false;
	p->count(p->arg, p->host, &t->asked, status);
}

/* The library forgets nothing by itself: what a stream did not give back is still missing from the connection's window. */
static void give_back(nghttp2_session *session, int32_t id, size_t n)
{
	if (session != NULL && id > 0 && n > 0)
		(void)nghttp2_session_consume(session, id, n); /* no memory: the next call of the session says so */
}

void twin_drop_up(struct two *o, struct twin *t)
{
	if (t->up.counts)
		give_back(o->client, t->client_id, two_pipe_waits(&t->up));
	t->up.counts = false;
	t->up.taken = 0;
	buf_reset(&t->up.bytes);
}

void twin_replace_up(struct two *o, struct twin *t, struct buf *bytes)
{
	o->gathered += bytes->len - t->up.bytes.len; /* which was counted as it came: it does not go below 0 */
	t->gathered += bytes->len - t->up.bytes.len;
	buf_finish(&t->up.bytes);
	t->up.bytes = *bytes;
	*bytes = (struct buf){ .max = 0 };
}

static void free_fields(struct two_fields *f)
{
	if (f != NULL)
		two_fields_finish(f);
	free(f);
}

void twin_free(struct two *o, struct twin *t)
{
	if (o->parts != NULL)
		twin_tell(t, o->parts, HTTP_NO_ANSWER);
	twin_drop_up(o, t);
	if (t->down.counts)
		give_back(o->server, t->server_id, two_pipe_waits(&t->down) + mask_held(&t->mask));
	if (o->collects_asked == t)
		o->collects_asked = NULL;
	if (o->collects_answered == t)
		o->collects_answered = NULL;
	*t->link = t->next;
	if (t->next != NULL)
		t->next->link = t->link;
	free_fields(t->kept);
	free_fields(t->trailer);
	buf_finish(&t->up.bytes);
	buf_finish(&t->down.bytes);
	mask_finish(&t->mask);
	o->gathered -= t->gathered;
	o->n_twins--;
	free(t);
}

void twin_settle(struct two *o, struct twin *t)
{
	if (!t->client_open && !t->server_open)
		twin_free(o, t);
}

void twin_reset_client(struct two *o, struct twin *t, uint32_t code)
{
	if (t->client_open && o->client != NULL)
		(void)nghttp2_submit_rst_stream(o->client, NGHTTP2_FLAG_NONE, t->client_id, code);
}

void twin_reset_server(struct two *o, struct twin *t, uint32_t code)
{
	if (t->server_open && o->server != NULL)
		(void)nghttp2_submit_rst_stream(o->server, NGHTTP2_FLAG_NONE, t->server_id, code);
}

/* ---- bytes on their way ---- */

static void wake(struct two_pipe *p, nghttp2_session *session, int32_t id)
{
	if (!p->deferred || session == NULL)
		return;
	p->deferred = false;
	(void)nghttp2_session_resume_data(session, id); /* a stream that is closed has nothing to resume */
}

void twin_put_up(struct two *o, struct twin *t, const uint8_t *bytes, size_t n)
{
	buf_put(&t->up.bytes, bytes, n);
	if (t->up.bytes.failed) { /* memory: the window is less than the room */
		twin_reset_server(o, t, NGHTTP2_INTERNAL_ERROR);
		twin_reset_client(o, t, NGHTTP2_INTERNAL_ERROR);
	}
	wake(&t->up, o->server, t->server_id);
}

void twin_put_down(struct two *o, struct twin *t, const uint8_t *bytes, size_t n)
{
	buf_put(&t->down.bytes, bytes, n);
	if (t->down.bytes.failed) {
		twin_reset_server(o, t, NGHTTP2_INTERNAL_ERROR);
		twin_reset_client(o, t, NGHTTP2_INTERNAL_ERROR);
	}
	wake(&t->down, o->client, t->client_id);
}

void twin_end_up(struct two *o, struct twin *t)
{
	t->up.ended = true;
	wake(&t->up, o->server, t->server_id);
}

void twin_end_down(struct two *o, struct twin *t)
{
	t->down.ended = true;
	wake(&t->down, o->client, t->client_id);
}

/* Gives as many bytes as there are, up to size. */
static size_t take(struct two_pipe *p, uint8_t *room, size_t size)
{
	const size_t has = two_pipe_waits(p), n = has < size ? has : size;
	struct buf to;

	buf_init_in(&to, room, size);
	buf_put(&to, p->bytes.data + p->taken, n);
	p->taken += n;
	if (p->taken == p->bytes.len && (p->bytes.cap > GATHERED_FIRST || p->bytes.memory != NULL)) {
		buf_finish(&p->bytes); /* a stream that rests has no room of its own */
		p->taken = 0;
	} else if (p->taken == p->bytes.len || p->taken > p->bytes.len / 2) {
		buf_drop(&p->bytes, p->taken);
		p->taken = 0;
	}
	return n;
}

/* What the library is told of it. */
static ssize_t read_pipe(struct two_pipe *p, uint8_t *room, size_t size, uint32_t *flags)
{
	size_t n;

	if (two_pipe_waits(p) == 0 && !p->ended) {
		p->deferred = true;
		return NGHTTP2_ERR_DEFERRED;
	}
	n = two_pipe_waits(p) > 0 ? take(p, room, size) : 0;
	if (p->ended && two_pipe_waits(p) == 0)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n; /* no more than size, which is a frame's */
}

static ssize_t read_up(nghttp2_session *session, int32_t id, uint8_t *room, size_t size, uint32_t *flags,
		       nghttp2_data_source *source, void *arg)
{
	struct twin *t = source->ptr;
	struct two *o = arg;
	const ssize_t n = read_pipe(&t->up, room, size, flags);

	(void)session;
	(void)id;
	if (n > 0 && t->up.counts)
		give_back(o->client, t->client_id, (size_t)n);
	return n;
}

static bool has_trailer(const struct twin *t)
{
	return t->trailer != NULL && t->trailer->n > 0;
}

static bool submit_trailer(nghttp2_session *session, const struct twin *t)
{
	nghttp2_nv list[TWO_FIELDS_MAX];

	return two_fields_list(t->trailer, list) &&
	       nghttp2_submit_trailer(session, t->client_id, list, t->trailer->n) == 0;
}

static ssize_t read_down(nghttp2_session *session, int32_t id, uint8_t *room, size_t size, uint32_t *flags,
			 nghttp2_data_source *source, void *arg)
{
	struct twin *t = source->ptr;
	struct two *o = arg;
	const ssize_t n = read_pipe(&t->down, room, size, flags);

	(void)id;
	if (n > 0 && t->down.counts)
		give_back(o->server, t->server_id, (size_t)n);
	if ((*flags & NGHTTP2_DATA_FLAG_EOF) == 0 || !has_trailer(t))
		return n;
	*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM; /* the trailer has it */
	return submit_trailer(session, t) ? n : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

nghttp2_data_provider twin_up(struct twin *t)
{
	return (nghttp2_data_provider){ .source = { .ptr = t }, .read_callback = read_up };
}

nghttp2_data_provider twin_down(struct twin *t)
{
	return (nghttp2_data_provider){ .source = { .ptr = t }, .read_callback = read_down };
}
