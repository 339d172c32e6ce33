#include "http/stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

void stream_init(struct stream *s, int fd, const struct memory *memory)
{
	*s = (struct stream){ .fd = fd };
	buf_init(&s->in, STREAM_IN_MAX);
	buf_init_of(&s->first, STREAM_OUT_MAX, memory);
	buf_init(&s->out, STREAM_OUT_MAX);
}

void stream_finish(struct stream *s)
{
	if (s->tls != NULL)
		SSL_set_shutdown(s->tls, SSL_SENT_SHUTDOWN); /* or the library would not resume its session */
	SSL_free(s->tls);
	s->tls = NULL;
	fd_close(&s->fd);
	if (s->first.memory != NULL)
		buf_wipe(&s->in); /* a host may have told the secret back */
	buf_finish(&s->in);
	buf_finish(&s->first);
	buf_finish(&s->out);
}

/* What a call that gave nothing means. */
static void judge(struct stream *s, int result)
{
	const int saved = errno;

	switch (SSL_get_error(s->tls, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
	case SSL_ERROR_WANT_CLIENT_HELLO_CB: return;
	case SSL_ERROR_ZERO_RETURN: s->ended = true; return;
	case SSL_ERROR_SYSCALL:
		if (saved == EINTR || saved == EAGAIN)
			return;
		break;
	default: break;
	}
	s->broken = true;
}

/* Bytes, 0: none just now. */
static size_t read_some(struct stream *s, uint8_t *room, size_t size)
{
	size_t n = 0;
	ssize_t got;

	if (s->tls != NULL) {
		int r;

		ERR_clear_error();
		r = SSL_read_ex(s->tls, room, size, &n);
		if (r != 1)
			judge(s, r);
		return r == 1 ? n : 0;
	}
	got = read(s->fd, room, size);
	s->ended |= got == 0;
	s->broken |= got < 0 && errno != EAGAIN && errno != EINTR;
	return got > 0 ? (size_t)got : 0;
}

/* What was used goes, once that is half of it: so nothing is moved twice. */
static void compact(struct buf *b, size_t *from)
{
	if (*from == 0 || *from < b->len / 2)
		return;
	buf_drop(b, *from);
	*from = 0;
}

bool stream_fill(struct stream *s, size_t most)
{
	bool any = false;

	while (!s->ended && !s->broken && stream_has(s) < most) {
		uint8_t *room;
		size_t n;

		compact(&s->in, &s->taken);
		room = buf_room(&s->in, STREAM_READ);
		if (room == NULL) {
			s->broken = true;
			return true;
		}
		n = read_some(s, room, STREAM_READ);
		any |= n > 0 || s->ended || s->broken;
		if (n == 0)
			break;
		s->in.len += n;
	}
	return any;
}

void stream_take(struct stream *s, size_t n)
{
	s->taken += n;
	if (s->taken < s->in.len)
		return;
	s->in.len = 0;
	s->taken = 0;
}

static size_t write_some(struct stream *s, const struct buf *b)
{
	const uint8_t *from = b->data + s->written;
	const size_t left = b->len - s->written;
	size_t n = 0;
	ssize_t done;

	if (s->tls != NULL) {
		int r;

		ERR_clear_error();
		r = SSL_write_ex(s->tls, from, left, &n);
		if (r != 1)
			judge(s, r);
		return r == 1 ? n : 0;
	}
	done = write(s->fd, from, left);
	s->broken |= done < 0 && errno != EAGAIN && errno != EINTR;
	return done > 0 ? (size_t)done : 0;
}

static bool flush(struct stream *s, struct buf *b)
{
	bool any = false;

	while (!s->broken && b->len > s->written) {
		const size_t n = write_some(s, b);

		if (n == 0)
			break;
		any = true;
		s->written += n;
	}
	return any;
}

bool stream_flush(struct stream *s)
{
	bool any = false;

	s->broken |= s->first.failed || s->out.failed;
	if (s->first.len > 0) {
		any = flush(s, &s->first);
		if (s->written < s->first.len)
			return any;
		buf_finish(&s->first); /* its memory is short */
		s->written = 0;
	}
	any |= flush(s, &s->out);
	compact(&s->out, &s->written);
	return any;
}

bool stream_close(struct stream *s)
{
	if (s->closed || s->broken || stream_waits(s) > 0)
		return false;
	s->closed = true;
	if (s->tls != NULL)
		(void)SSL_shutdown(s->tls); /* the alert goes out, or the socket is full of what nobody reads */
	(void)shutdown(s->fd, SHUT_WR);
	return true;
}

enum stream_shake stream_shake(struct stream *s)
{
	int r;

	if (s->broken)
		return STREAM_FAILED;
	ERR_clear_error();
	r = SSL_do_handshake(s->tls);
	if (r == 1)
		return STREAM_SHOOK;
	if (SSL_get_error(s->tls, r) == SSL_ERROR_WANT_CLIENT_HELLO_CB)
		return STREAM_PAUSED;
	judge(s, r);
	return s->broken || s->ended ? STREAM_FAILED : STREAM_SHAKING;
}
