#include "session/line.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"

#define LINE_UNREAD (16 << 10)

void line_init(struct line *l)
{
	*l = (struct line){ .sock = -1 };
}

static void drop_answer(struct line *l)
{
	for (unsigned i = 0; i < l->n_fds; i++)
		fd_close(&l->fds[i]);
	l->n_fds = 0;
	l->answer = (enum wire_number)0;
}

void line_open(struct line *l, int sock)
{
	const int size = LINE_UNREAD;

	(void)setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &size, sizeof size); /* else it is as it is */
	(void)fd_set_nonblock(sock, true);
	l->sock = sock;
	pace_init(&l->pace);
}

void line_finish(struct line *l)
{
	drop_answer(l);
	fd_close(&l->sock);
	l->blocked = false;
}

bool line_tell(struct line *l, enum wire_number number, const struct buf *body, const int *fds, unsigned n_fds)
{
	const int r = l->sock < 0 ? -EPIPE : wire_send(l->sock, number, body, fds, n_fds);

	l->blocked = r == -EAGAIN;
	if (r < 0 && r != -EAGAIN)
		line_finish(l);
	return r == 0;
}

void line_answer(struct line *l, enum wire_number number, const struct buf *body, int *fds, unsigned n_fds)
{
	const bool told = line_tell(l, number, body, fds, n_fds);

	if (!told && l->sock >= 0) {
		l->answer = number;
		l->n = body->len <= sizeof l->room ? body->len : 0; /* none is longer */
		memcpy(l->room, body->data, l->n);
		for (unsigned i = 0; i < n_fds; i++)
			l->fds[i] = steal_fd(&fds[i]);
		l->n_fds = n_fds;
	}
	for (unsigned i = 0; i < n_fds; i++)
		fd_close(&fds[i]);
}

bool line_flush(struct line *l)
{
	const struct buf body = { .data = l->room, .len = l->n, .cap = l->n, .max = l->n, .lent = true };

	if (l->answer != 0 && line_tell(l, l->answer, &body, l->fds, l->n_fds))
		drop_answer(l);
	return l->sock >= 0 && l->answer == 0;
}

bool line_has_room(struct line *l)
{
	struct pollfd p = { .fd = l->sock, .events = POLLOUT };

	if (l->blocked && poll(&p, 1, 0) == 1)
		l->blocked = false;
	return !l->blocked;
}

void line_heard(struct line *l, unsigned n)
{
	pace_take(&l->pace, n);
}

bool line_may_hear(struct line *l)
{
	return !pace_rests(&l->pace);
}

int line_patience(const struct line *l, int timeout)
{
	return l->sock < 0 ? timeout : pace_timeout(&l->pace, timeout);
}

short line_wants(struct line *l)
{
	return (short)((l->answer == 0 && line_may_hear(l) ? POLLIN : 0) |
		       (l->answer != 0 || l->blocked ? POLLOUT : 0));
}
