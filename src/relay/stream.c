#include "relay/stream.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ambit/codes.h"
#include "base/fd.h"

/* Makes the buffer as large as it may become, so that no memory is asked for later. */
static int reserve_all(struct buf *b)
{
	static const uint8_t zeroes[256];

	while (b->len + sizeof zeroes <= b->max && !b->failed)
		buf_put(b, zeroes, sizeof zeroes);
	if (b->failed)
		return -AMBIT_MEMORY;
	buf_reset(b);
	return 0;
}

int stream_init(struct stream *s, enum stream_kind kind, int from, int to, bool closes, unsigned options)
{
	*s = (struct stream){ .kind = kind, .closes = closes, .from = from, .to = to };
	termfilter_init(&s->filter, kind == STREAM_PLAIN ? TERMFILTER_PLAIN : TERMFILTER_PTY, options);
	buf_init(&s->out, STREAM_OUT);
	return reserve_all(&s->out);
}

static bool has_input(const struct stream *s)
{
	return s->in_at < s->in_len;
}

bool stream_wants_input(const struct stream *s)
{
	return s->from >= 0 && !has_input(s);
}

bool stream_wants_output(const struct stream *s)
{
	return s->to >= 0 && s->sent < s->out.len;
}

bool stream_done(const struct stream *s)
{
	return s->failed || (s->from < 0 && !has_input(s) && s->sent == s->out.len);
}

static void end_from(struct stream *s)
{
	if (s->closes)
		fd_close(&s->from);
	s->from = -1;
}

/* Moves what was read into the waiting output, as much as fits. */
static void take_in(struct stream *s)
{
	const uint8_t *at = s->in + s->in_at;
	const size_t left = s->in_len - s->in_at, room = s->out.max - s->out.len;

	if (s->kind != STREAM_RAW) {
		s->in_at += termfilter_run(&s->filter, at, left, &s->out);
	} else {
		const size_t n = left < room ? left : room;

		buf_put(&s->out, at, n);
		s->in_at += n;
	}
}

/* When all of the input is filtered, half a character may be left in the filter, and on a plain stream a colour. */
static void end_input(struct stream *s)
{
	if (s->from >= 0 || has_input(s) || s->kind == STREAM_RAW || s->out.max - s->out.len < 2 * TERMFILTER_PIECE_MAX)
		return;
	termfilter_end(&s->filter, &s->out);
	if (s->kind == STREAM_PLAIN)
		termfilter_reset(&s->filter, &s->out);
}

/* After bytes came or went. */
static void settle(struct stream *s)
{
	take_in(s);
	end_input(s);
	if (stream_done(s) && s->closes) /* the terminal stays: the reset follows */
		fd_close(&s->to);
}

void stream_read(struct stream *s)
{
	const ssize_t got = read(s->from, s->in, sizeof s->in);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	s->in_at = 0;
	s->in_len = got > 0 ? (size_t)got : 0;
	if (got <= 0) /* EIO is how a pty says that the other side hung up */
		end_from(s);
	settle(s);
}

static void fail(struct stream *s)
{
	s->failed = true;
	end_from(s);
	if (s->closes)
		fd_close(&s->to);
	s->to = -1;
}

void stream_write(struct stream *s)
{
	const ssize_t done = write(s->to, s->out.data + s->sent, s->out.len - s->sent);

	if (done < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (done < 0) {
		fail(s);
		return;
	}
	s->sent += (size_t)done;
	if (s->sent < s->out.len)
		return;
	buf_reset(&s->out);
	s->sent = 0;
	settle(s);
}

void stream_put(struct stream *s, const char *text)
{
	buf_put(&s->out, text, strlen(text));
}

void stream_put_reset(struct stream *s)
{
	termfilter_reset(&s->filter, &s->out);
}
