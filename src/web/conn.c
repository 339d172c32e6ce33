/* A connection: where its requests begin and end, and what time does to it. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "web/web.h"

#define GONE (POLLHUP | POLLERR | POLLRDHUP)

/* ---- it comes and goes ---- */

/* Who has asked nothing yet that may be asked makes room: the one that has taken longest. */
static struct conn *make_room(struct web *w)
{
	struct conn *oldest = NULL;

	for (size_t i = 0; i < WEB_CONNS_MAX; i++) {
		struct conn *c = &w->conns[i];

		if (c->fd < 0)
			return c;
		if ((c->state == CONN_HEAD || c->state == CONN_ENDS) &&
		    (oldest == NULL || c->since_ms < oldest->since_ms))
			oldest = c;
	}
	if (oldest != NULL)
		conn_free(w, oldest);
	return oldest;
}

void conn_new(struct web *w, int fd)
{
	struct conn *c = make_room(w);

	if (c == NULL || fd_set_nonblock(fd, true) < 0) {
		fd_close(&fd);
		return;
	}
	*c = (struct conn){ .fd = fd, .since_ms = w->now_ms, .moved_ms = w->now_ms };
	buf_init(&c->in, WEB_BODY_MAX + HTTP_HEAD_MAX + WEB_READ);
	buf_init(&c->body, WEB_BODY_MAX + 1);
	buf_init(&c->out, 2 * (size_t)WEB_LINE_MAX);
}

/* Of 2026-07-28 who goes does not want it any more; of the revisions before they may come back for it. */
static void leave(struct server *s, struct asked *a)
{
	a->conn = NULL;
	if (!s->modern)
		return;
	buf_printf(&s->out,
		   "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":%llu}}\n",
		   (unsigned long long)a->own);
	asked_free(a);
}

void conn_free(struct web *w, struct conn *c)
{
	struct server *s = c->server;

	if (s != NULL && c->asked != NULL)
		leave(s, c->asked);
	if (s != NULL && s->listens == c)
		s->listens = NULL;
	c->server = NULL;
	c->asked = NULL;
	if (s != NULL && s->id[0] != 0 && s->version[0] == 0)
		session_end(w, s, NULL); /* nobody knows its name */
	buf_finish(&c->in);
	buf_finish(&c->body);
	buf_finish(&c->out);
	fd_close(&c->fd);
}

/* ---- a request ---- */

static void refuse(struct web *w, struct conn *c, const struct no *no)
{
	if (c->state == CONN_HEAD || c->state == CONN_BODY)
		c->closes = true; /* what follows is not read, and where the next begins not known */
	answer_no(w, c, no, NULL);
	if (c->state == CONN_ENDS) { /* its room is another's */
		buf_finish(&c->in);
		buf_finish(&c->body);
	}
}

/* Whose it is was said, and it is not answered. */
static bool has_asked(const struct conn *c)
{
	return c->state == CONN_BODY || c->state == CONN_WAITS || c->state == CONN_STREAMS;
}

static bool is_one_more(const struct web *w, const struct conn *of, struct no *no)
{
	unsigned n = 0;

	for (size_t i = 0; i < WEB_CONNS_MAX; i++) {
		const struct conn *c = &w->conns[i];

		n += c->fd >= 0 && has_asked(c) && who_is_same(&c->who, &of->who);
	}
	if (w->rules.auth != WEB_AUTH_OAUTH || n < WEB_CONNS_EACH)
		return true;
	(void)no_set(no, 429, NO_HTTP, "wait for some of the answers", "%d of your requests are not answered yet",
		     WEB_CONNS_EACH);
	no->retry_s = 1;
	return false;
}

/* What needs no body, and nobody's word. */
static bool is_answered(struct web *w, struct conn *c)
{
	if (c->want.method == WANTED_OPTIONS && c->want.body == HTTP_NO_BODY)
		answer_options(w, c);
	else if (c->want.path == WANTED_METADATA && c->want.method == WANTED_GET && c->want.body == HTTP_NO_BODY)
		answer_metadata(w, c);
	else
		return false;
	return true;
}

/* True: a head was there, and is dealt with. */
static bool take_head(struct web *w, struct conn *c)
{
	struct http_head h;
	const char *why;
	struct no no;
	int r;

	if (c->in.len == 0 || c->out.len > c->out_at)
		return false;
	r = http_head_request(c->in.data, c->in.len, &h, &why);
	if (r == 0)
		return false;
	c->want = (struct wanted){ .origin = "" };
	if (r < 0) {
		(void)no_set(&no, c->in.len >= HTTP_HEAD_MAX ? 431 : 400, NO_HTTP, "HTTP/1.1, as RFC 9112 has it",
			     "the head of the request is refused: %s", why);
		refuse(w, c, &no);
		return true;
	}
	if (!wanted_begin(&h, &w->rules, &c->want, &no)) {
		refuse(w, c, &no);
		return true;
	}
	c->closes = c->want.closes;
	if (!is_answered(w, c)) {
		if (!who_is(w, &h, &c->who, &no) || !is_one_more(w, c, &no) || !wanted_take(&h, &c->want, &no)) {
			refuse(w, c, &no);
			return true;
		}
		c->state = CONN_BODY;
		c->since_ms = w->now_ms;
		chunked_init(&c->chunks);
		if (c->want.continues && c->in.len == h.length)
			buf_printf(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
	}
	buf_drop(&c->in, h.length);
	return true;
}

/* 1: all of it is there, in body. */
static int take_chunks(struct conn *c)
{
	size_t at = 0, taken, data;

	for (;;) {
		const enum chunk_result r = chunked_take(&c->chunks, c->in.data + at, c->in.len - at, &taken, &data);

		if (r == CHUNK_BAD)
			return -1;
		if (r == CHUNK_DATA)
			buf_put(&c->body, c->in.data + at + taken - data, data);
		at += taken;
		if (r == CHUNK_DATA && !c->body.failed)
			continue;
		buf_drop(&c->in, at);
		return c->body.failed ? -2 : r == CHUNK_END;
	}
}

static bool is_whole(struct web *w, struct conn *c)
{
	struct no no;
	int r;

	if (c->want.body != HTTP_CHUNKED) {
		const size_t n = c->want.body == HTTP_LENGTH ? (size_t)c->want.length : 0; /* bounded in wanted.c */

		if (c->in.len < n)
			return false;
		buf_put(&c->body, c->in.data, n);
		buf_drop(&c->in, n);
		return true;
	}
	r = c->in.len > 0 ? take_chunks(c) : 0;
	if (r == -1) {
		(void)no_set(&no, 400, NO_HTTP, NULL, "the chunks of the request are not well-formed");
		refuse(w, c, &no);
	} else if (r == -2 || c->body.len > WEB_BODY_MAX) {
		(void)no_set(&no, 413, NO_HTTP, "write long texts to a file in parts",
			     "the request is longer than %u bytes", WEB_BODY_MAX);
		refuse(w, c, &no);
	}
	return r == 1 && c->state == CONN_BODY;
}

static bool take_body(struct web *w, struct conn *c)
{
	struct buf body;

	if (!is_whole(w, c))
		return false;
	body = c->body; /* the connection may be told something, or go, while it is read */
	buf_init(&c->body, WEB_BODY_MAX + 1);
	c->state = CONN_WAITS;
	if (c->in.len == 0 && c->in.cap > HTTP_HEAD_MAX)
		buf_finish(&c->in);
	request_take(w, c, &body);
	buf_finish(&body);
	return true;
}

static bool take_next(struct web *w, struct conn *c)
{
	return c->state == CONN_HEAD ? take_head(w, c) : c->state == CONN_BODY && take_body(w, c);
}

/* ---- bytes ---- */

/* who NULL: of all. */
static size_t held(const struct web *w, const struct who *who)
{
	size_t n = 0;

	for (size_t i = 0; i < WEB_CONNS_MAX; i++) {
		const struct conn *c = &w->conns[i];

		if (c->fd >= 0 && (who == NULL || (has_asked(c) && who_is_same(&c->who, who))))
			n += c->in.len + c->body.len;
	}
	return n;
}

static bool has_room(const struct web *w, const struct conn *c, size_t n)
{
	return held(w, NULL) + n <= WEB_BODIES_MAX &&
	       (w->rules.auth != WEB_AUTH_OAUTH || c->state != CONN_BODY || held(w, &c->who) + n <= WEB_BODIES_EACH);
}

/* False: it is gone. */
static bool hear(struct web *w, struct conn *c)
{
	const ssize_t n = read(c->fd, w->page, sizeof w->page);
	struct no no;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0)
		return false;
	if (c->state == CONN_ENDS)
		return true;
	if (!has_room(w, c, (size_t)n)) {
		(void)no_set(&no, 503, NO_HTTP, "send it again", "more is sent at one time than there is room for");
		no.retry_s = 1;
		refuse(w, c, &no);
		return true;
	}
	if (c->state == CONN_HEAD && c->in.len == 0)
		c->since_ms = w->now_ms;
	buf_put(&c->in, w->page, (size_t)n);
	return !c->in.failed;
}

static bool tell(struct web *w, struct conn *c)
{
	while (c->out_at < c->out.len) {
		const ssize_t n = write(c->fd, c->out.data + c->out_at, c->out.len - c->out_at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			c->stalled_ms = c->stalled_ms != 0 ? c->stalled_ms : w->now_ms;
			return errno == EAGAIN;
		}
		c->out_at += (size_t)n;
		c->moved_ms = w->now_ms;
		c->stalled_ms = 0;
	}
	if (c->state == CONN_HEAD && c->out.len > 0)
		c->since_ms = w->now_ms; /* the answer is taken: from here on the next request is waited for */
	buf_drop(&c->out, c->out_at);
	c->out_at = 0;
	c->from = c->server;
	if (c->out.cap > WEB_OUT_LOW)
		buf_finish(&c->out);
	if (c->state == CONN_ENDS && !c->said_all) {
		c->said_all = true;
		c->since_ms = w->now_ms;
		(void)shutdown(c->fd,
			       SHUT_WR); /* what it still says is read for a while: else what it was told may be lost */
	}
	return true;
}

short conn_wants(const struct conn *c)
{
	const bool tells = c->out.len > c->out_at;
	int events = tells ? POLLOUT : 0;

	if (c->state == CONN_BODY || (!tells && (c->state == CONN_HEAD || c->state == CONN_ENDS)))
		events |= POLLIN;
	else
		events |= POLLRDHUP; /* without reading what else it says */
	return (short)events;
}

/* What was sent at once is taken one by one, each when the one before it was answered and that is taken. */
static bool go_on(struct web *w, struct conn *c)
{
	bool good = tell(w, c);

	while (good && c->out.len == 0 && take_next(w, c))
		good = tell(w, c);
	return good && !c->out.failed && !c->in.failed;
}

void conn_turn(struct web *w, struct conn *c, short events)
{
	bool good = true;

	if ((events & POLLIN) != 0)
		good = hear(w, c);
	else if ((events & GONE) != 0)
		good = false;
	if (!good || !go_on(w, c))
		conn_free(w, c);
}

/* ---- time ---- */

static bool is_late(const struct web *w, const struct conn *c)
{
	const uint64_t since = w->now_ms - c->since_ms;

	if (c->stalled_ms != 0 && w->now_ms - c->stalled_ms > WEB_STALL_MS)
		return true;
	switch (c->state) {
	case CONN_HEAD:
		return c->out.len == c->out_at && since > (c->in.len == 0 && c->used ? WEB_IDLE_MS : WEB_HEAD_MS);
	case CONN_BODY: return since > WEB_BODY_MS;
	case CONN_ENDS: return c->out.len == c->out_at && since > WEB_END_MS;
	case CONN_WAITS:
	case CONN_STREAMS: return c->who.until_s != 0 && (uint64_t)time(NULL) >= c->who.until_s;
	}
	return false;
}

void conn_tick(struct web *w, struct conn *c)
{
	struct no no;

	if (is_late(w, c) && (c->state == CONN_BODY || (c->state == CONN_HEAD && c->in.len > 0)) &&
	    c->out.len == c->out_at) {
		(void)no_set(&no, 408, NO_HTTP, NULL, "the request did not come whole in time");
		c->want.origin[0] = 0;
		refuse(w, c, &no);
	} else if (is_late(w, c)) {
		conn_free(w, c);
		return;
	}
	if (c->state == CONN_WAITS && c->asked != NULL && w->now_ms - c->asked->since_ms > WEB_STREAM_MS)
		route_stream(w, c->server, c->asked);
	if (c->state == CONN_STREAMS && c->out.len == c->out_at && w->now_ms - c->moved_ms > WEB_BEAT_MS)
		stream_beat(c);
	if (!go_on(w, c))
		conn_free(w, c);
}
