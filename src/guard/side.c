#include "guard/side.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/fd.h"

#define PIPE_ATOMIC 4096u /* PIPE_BUF: what poll(2) says there is room for */
#define GONE (POLLHUP | POLLERR)

void side_init(struct side *s, int in, int out)
{
	*s = (struct side){ .in = in, .out = out };
	frame_init(&s->lines);
	pace_init(&s->pace);
	buf_init(&s->bytes, GUARD_OUT_MAX);
}

void side_finish(struct side *s)
{
	frame_finish(&s->lines);
	buf_finish(&s->bytes);
	fd_close(&s->in);
	fd_close(&s->out);
}

bool side_is_gone(const struct side *s)
{
	return s->said_all && s->dry;
}

bool side_has_room(const struct side *s)
{
	return s->deaf || s->bytes.len - s->at < GUARD_OUT_LOW;
}

/* The stream may be shared with whoever made it: it is not made to be one that does not block, but asked first. */
void side_give(struct side *s)
{
	while (!s->deaf && s->at < s->bytes.len) {
		struct pollfd p = { .fd = s->out, .events = POLLOUT };
		const size_t left = s->bytes.len - s->at;
		ssize_t n;

		if (poll(&p, 1, 0) <= 0 || (p.revents & (POLLOUT | GONE)) == 0)
			break;
		n = write(s->out, s->bytes.data + s->at, left < PIPE_ATOMIC ? left : PIPE_ATOMIC);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			s->deaf = true;
		else
			s->at += (size_t)n;
	}
	buf_drop(&s->bytes, s->deaf ? s->bytes.len : s->at);
	s->at = 0;
	if (s->bytes.len == 0 && s->bytes.cap > GUARD_OUT_LOW && !s->bytes.failed)
		buf_finish(&s->bytes);
}

void side_read(struct side *s, uint8_t page[FRAME_READ])
{
	const ssize_t n = read(s->in, page, FRAME_READ);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0 || !frame_add(&s->lines, page, (size_t)n))
		s->said_all = true;
	s->dry = false;
}
