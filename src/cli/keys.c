#include "cli/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"

#define END_OF_INPUT 4 /* Ctrl-D, VEOF where nobody changed it */

int keys_open(struct keys *k, int terminal, int *ret_from, struct err *e)
{
	int ends[2];

	k->terminal = terminal;
	if (terminal < 0 || pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make a pipe for what is typed");
	*ret_from = ends[0];
	k->to = ends[1];
	return 0;
}

void keys_close(struct keys *k)
{
	fd_close(&k->terminal);
	fd_close(&k->to);
}

/* Room for a whole line, or it would be torn. */
static bool has_room(const struct keys *k)
{
	struct pollfd p = { .fd = k->to, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0;
}

static bool is_ours(const struct keys *k)
{
	struct termios t;

	return tcgetpgrp(k->terminal) == getpgrp() && tcgetattr(k->terminal, &t) == 0 && (t.c_lflag & ICANON) != 0 &&
	       has_room(k);
}

int keys_fd(struct keys *k)
{
	k->ours = k->terminal >= 0 && is_ours(k);
	return k->ours ? k->terminal : -1;
}

void keys_read(struct keys *k)
{
	char line[4096]; /* what a terminal gives at most, and what a pipe takes whole (PIPE_BUF) */
	ssize_t n;

	if (!is_ours(k)) /* since it was polled somebody took it */
		return;
	n = read(k->terminal, line, sizeof line);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) { /* hung up, or no longer to be read from here */
		keys_close(k);
		return;
	}
	if (n == 0)
		line[n++] = END_OF_INPUT;
	if (write(k->to, line, (size_t)n) < 0)
		keys_close(k); /* the relay is gone, and with it whoever would read */
}
