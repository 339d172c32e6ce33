#include "bridge/talk.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "witness/channel.h"

#define READS_A_TURN 16
#define REQUEST_MAX (5u << 20) /* a line of four megabytes, and its head */

enum io { IO_DONE, IO_WAITS, IO_END, IO_BROKEN };

void talk_init(struct talk *t)
{
	*t = (struct talk){ .fd = -1 };
	buf_init(&t->out, REQUEST_MAX);
	buf_init(&t->in, HTTP_HEAD_MAX + 16384);
}

/* Of an answer that is not over: a mere end could mean that nothing more is said here, and it is waited for. */
static void reset(const struct talk *t)
{
	const struct linger now = { .l_onoff = 1 };

	if (t->state == TALK_ASKED || t->state == TALK_BODY)
		(void)setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now); /* else it is an end */
}

void talk_close(struct talk *t)
{
	reset(t);
	SSL_free(t->tls);
	fd_close(&t->fd);
	buf_finish(&t->out);
	buf_finish(&t->in);
	talk_init(t);
}

bool talk_open(struct talk *t, const struct talk_net *net)
{
	talk_init(t);
	t->fd = socket(net->to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (t->fd < 0 || (connect(t->fd, &net->to.any, net->to_n) < 0 && errno != EINPROGRESS)) {
		talk_close(t);
		return false;
	}
	t->state = TALK_CONNECTING;
	t->events = POLLOUT;
	return true;
}

void talk_ask(struct talk *t, struct buf *request, bool is_get)
{
	buf_finish(&t->out);
	t->out = *request;
	*request = (struct buf){ .max = 0 };
	t->sent = 0;
	t->is_get = is_get;
	buf_reset(&t->in);
	if (t->state == TALK_IDLE) {
		t->state = TALK_ASKED;
		t->events = POLLIN | POLLOUT;
		t->more = true;
	}
}

/* ---- bytes ---- */

static enum io judge(struct talk *t, int r)
{
	switch (SSL_get_error(t->tls, r)) {
	case SSL_ERROR_WANT_READ: t->events = POLLIN; return IO_WAITS;
	case SSL_ERROR_WANT_WRITE: t->events = POLLOUT; return IO_WAITS;
	case SSL_ERROR_ZERO_RETURN: return IO_END;
	default: ERR_clear_error(); return IO_BROKEN;
	}
}

static enum io plain(struct talk *t, ssize_t n, short events)
{
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		t->events = events;
		return IO_WAITS;
	}
	return n < 0 ? IO_BROKEN : n == 0 ? IO_END : IO_DONE;
}

static enum io put(struct talk *t, const void *bytes, size_t n, size_t *ret_n)
{
	if (t->tls != NULL) {
		const int ok = SSL_write_ex(t->tls, bytes, n, ret_n);

		return ok == 1 ? IO_DONE : judge(t, ok);
	}
	const ssize_t done = write(t->fd, bytes, n);

	*ret_n = done > 0 ? (size_t)done : 0;
	return plain(t, done, POLLOUT);
}

static enum io get(struct talk *t, void *bytes, size_t n, size_t *ret_n)
{
	*ret_n = 0;
	if (t->tls != NULL) {
		const int ok = SSL_read_ex(t->tls, bytes, n, ret_n);

		return ok == 1 ? IO_DONE : judge(t, ok);
	}
	const ssize_t done = read(t->fd, bytes, n);

	*ret_n = done > 0 ? (size_t)done : 0;
	return plain(t, done, POLLIN);
}

/* ---- the answer ---- */

/* Goes on with one that was opened for it, and drops what belongs to no answer. */
static enum talk_result over(struct talk *t)
{
	buf_reset(&t->in);
	buf_finish(&t->out);
	if (!t->keeps) {
		talk_close(t);
		return TALK_WHOLE;
	}
	t->state = TALK_IDLE;
	t->events = POLLIN;
	t->idle_ms = clock_ms();
	return TALK_WHOLE;
}

static enum talk_result ended(struct talk *t, enum talk_result how)
{
	talk_close(t);
	return how;
}

static enum talk_result take_chunks(struct talk *t, const uint8_t *bytes, size_t n, const struct talk_ear *ear)
{
	while (n > 0) {
		size_t taken = 0, data = 0;
		const enum chunk_result r = chunked_take(&t->chunks, bytes, n, &taken, &data);

		if (r == CHUNK_BAD)
			return ended(t, TALK_BROKEN);
		if (r == CHUNK_DATA && !ear->data(ear->arg, bytes + taken - data, data))
			return ended(t, TALK_LEFT);
		bytes += taken;
		n -= taken;
		if (r == CHUNK_END) {
			t->keeps = t->keeps && n == 0;
			return over(t);
		}
	}
	return TALK_GOES;
}

static enum talk_result take_body(struct talk *t, const uint8_t *bytes, size_t n, const struct talk_ear *ear)
{
	const size_t took = t->kind == HTTP_LENGTH && t->left < n ? (size_t)t->left : n;

	if (t->kind == HTTP_CHUNKED)
		return take_chunks(t, bytes, n, ear);
	if (took > 0 && !ear->data(ear->arg, bytes, took))
		return ended(t, TALK_LEFT);
	if (t->kind == HTTP_UNTIL_END)
		return TALK_GOES;
	t->left -= took;
	t->keeps = t->keeps && took == n; /* what stands behind it is nobody's */
	return t->left == 0 ? over(t) : TALK_GOES;
}

/* 1: the head is there. 0: not yet. -1: it is none. */
static int take_head(struct talk *t, struct http_head *head)
{
	const char *why;

	for (;;) {
		const int r = http_head_answer(t->in.data, t->in.len, head, &why);

		if (r != 1 || head->status >= 200)
			return r;
		if (head->status == 101)
			return -1; /* nobody asked for another protocol */
		buf_drop(&t->in, head->length);
	}
}

static enum talk_result on_head(struct talk *t, const struct talk_ear *ear)
{
	static struct http_head head;
	const struct http_text method = { t->is_get ? "GET" : "POST", t->is_get ? 3 : 4 };
	const int r = take_head(t, &head);
	auto_buf in = { .max = 0 }; /* the head's own room, from when the ear has it */

	if (r <= 0)
		return r < 0 || t->in.failed ? ended(t, TALK_BROKEN) : TALK_GOES;
	t->kind = http_head_answer_body(&head, &method);
	t->left = t->kind == HTTP_LENGTH ? head.body_length : 0;
	t->keeps = head.minor == 1 && t->kind != HTTP_UNTIL_END && !http_head_lists(&head, "connection", "close") &&
		   t->sent == t->out.len;
	chunked_init(&t->chunks);
	if (!ear->head(ear->arg, &head))
		return ended(t, TALK_LEFT);
	t->state = TALK_BODY;
	in = t->in;
	buf_init(&t->in, in.max);
	if (t->kind == HTTP_NO_BODY || (t->kind == HTTP_LENGTH && t->left == 0)) {
		t->keeps = t->keeps && in.len == head.length;
		return over(t);
	}
	return in.len == head.length ? TALK_GOES : take_body(t, in.data + head.length, in.len - head.length, ear);
}

static enum talk_result hear(struct talk *t, const struct talk_ear *ear)
{
	for (unsigned i = 0; i < READS_A_TURN; i++) {
		uint8_t piece[16384];
		enum talk_result r;
		size_t n;
		const enum io io = get(t, piece, sizeof piece, &n);

		if (io == IO_WAITS)
			return TALK_GOES;
		if (io !=
		    IO_DONE) /* an end that is not TLS's own may be anybody's: it is an end, and what came may be too short */
			return ended(t, t->state == TALK_BODY && t->kind == HTTP_UNTIL_END ? TALK_WHOLE : TALK_BROKEN);
		if (t->state == TALK_ASKED) {
			buf_put(&t->in, piece, n);
			r = on_head(t, ear);
		} else {
			r = take_body(t, piece, n, ear);
		}
		if (r != TALK_GOES)
			return r;
	}
	t->more = true;
	return TALK_GOES;
}

/* ---- turns ---- */

static bool begin_tls(struct talk *t, const struct talk_net *net)
{
	if (net->context == NULL)
		return true;
	t->tls = SSL_new(net->context);
	return t->tls != NULL && SSL_set_fd(t->tls, t->fd) == 1 && channel_expect(t->tls, net->host);
}

/* WAITS, DONE, or BROKEN. */
static enum io join(struct talk *t, const struct talk_net *net)
{
	int error = 0;
	socklen_t n = sizeof error;

	if (t->state == TALK_CONNECTING) {
		struct pollfd p = { .fd = t->fd, .events = POLLOUT };

		if (poll(&p, 1, 0) == 0)
			return IO_WAITS;
		if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 || error != 0 || !begin_tls(t, net))
			return IO_BROKEN;
		t->state = TALK_SHAKING;
	}
	if (t->tls != NULL) {
		const int ok = SSL_connect(t->tls);

		if (ok != 1)
			return judge(t, ok);
	}
	t->state = TALK_ASKED;
	return IO_DONE;
}

static void send_some(struct talk *t)
{
	enum io io = IO_DONE;

	while (t->sent < t->out.len && io == IO_DONE) {
		size_t n = 0;

		io = put(t, t->out.data + t->sent, t->out.len - t->sent, &n);
		t->sent += io == IO_DONE ? n : 0;
	}
}

enum talk_result talk_turn(struct talk *t, const struct talk_net *net, const struct talk_ear *ear)
{
	enum talk_result r;

	t->more = false;
	if (t->state < TALK_ASKED) {
		const enum io io = join(t, net);

		if (io != IO_DONE)
			return io == IO_WAITS ? TALK_GOES : ended(t, TALK_FAILED);
	}
	send_some(t);
	t->events = POLLIN;
	r = hear(t,
		 ear); /* also before all was sent: it may refuse at once, and what it said before it went is heard */
	if (r == TALK_GOES && t->sent < t->out.len)
		t->events |= POLLOUT;
	return r;
}
