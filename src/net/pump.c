#include "net/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

#define CHUNK (1u << 20)   /* a pipe holds less */
#define SMALL (64u << 10)  /* what one holds as it is made (pipe(7)) */
#define LARGE (512u << 10) /* what the filter lets it hold (arguments.def) */
#define TURN 16            /* small pipes full, before others have theirs */

/* ---- pipes ---- */

static bool take_pipe(struct pipes *p, int ret[2])
{
	if (p->n == 0)
		return pipe2(ret, O_CLOEXEC | O_NONBLOCK) == 0;
	p->n--;
	ret[0] = p->fd[p->n][0];
	ret[1] = p->fd[p->n][1];
	return true;
}

/* An empty one. */
static void give_pipe(struct pipes *p, int pipe[2])
{
	if (p->n < PIPES_SPARE) {
		p->fd[p->n][0] = pipe[0];
		p->fd[p->n][1] = pipe[1];
		p->n++;
	} else {
		(void)close(pipe[0]);
		(void)close(pipe[1]);
	}
	pipe[0] = pipe[1] = -1;
}

void pipes_finish(struct pipes *p)
{
	while (p->n > 0) {
		p->n--;
		fd_close(&p->fd[p->n][0]);
		fd_close(&p->fd[p->n][1]);
	}
}

/* ---- a direction ---- */

void pump_init(struct pump *p)
{
	*p = (struct pump){ .pipe = { -1, -1 } };
}

void pump_finish(struct pump *p)
{
	if (p->large != NULL)
		p->large->n_large--;
	p->large = NULL;
	fd_close(&p->pipe[0]);
	fd_close(&p->pipe[1]);
	p->held = 0;
}

static ssize_t move(int from, int to)
{
	ssize_t n;

	do
		n = splice(from, NULL, to, NULL, CHUNK, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	while (n < 0 && errno == EINTR);
	return n;
}

/* 1: something is held, or the end was met; 0: nothing is there; -1: broken. */
static int fill(struct pump *p, int from)
{
	const ssize_t n = move(from, p->pipe[1]);

	if (n > 0)
		p->held = (size_t)n;
	p->ended = n == 0;
	if (n >= 0)
		return 1;
	return errno == EAGAIN ? 0 : -1;
}

/* The same for what is held. */
static int drain(struct pump *p, int to)
{
	while (p->held > 0) {
		const ssize_t n = move(p->pipe[0], to);

		if (n <= 0)
			return n < 0 && errno == EAGAIN ? 0 : -1;
		p->held -= (size_t)n;
	}
	return 1;
}

/* Who has more to move than a pipe holds is woken less often with a larger one, and so are both ends: on two processors that is half as fast
 * again. Refused where a user has too many; then it goes on with what it has. */
static void grow(struct pump *p, struct pipes *pipes)
{
	if (p->held < SMALL || p->large != NULL || pipes->n_large >= PIPES_LARGE ||
	    fcntl(p->pipe[1], F_SETPIPE_SZ, LARGE) < 0)
		return;
	p->large = pipes;
	pipes->n_large++;
}

static enum pump_state stop(struct pump *p, struct pipes *pipes, enum pump_state state)
{
	if (p->held == 0 && p->large != NULL)
		pump_finish(p);
	else if (p->held == 0 && p->pipe[0] >= 0)
		give_pipe(pipes, p->pipe);
	return state;
}

static enum pump_state pass_end(struct pump *p, int to)
{
	if (!p->passed && shutdown(to, SHUT_WR) < 0 && errno != ENOTCONN)
		return PUMP_BROKEN;
	p->passed = true;
	return PUMP_DONE;
}

bool pump_put(struct pump *p, struct pipes *pipes, const void *bytes, size_t n)
{
	if ((p->pipe[0] < 0 && !take_pipe(pipes, p->pipe)) || write(p->pipe[1], bytes, n) != (ssize_t)n)
		return false;
	p->held = n;
	return true;
}

enum pump_state pump_flush(struct pump *p, struct pipes *pipes, int to)
{
	const int r = drain(p, to);

	return stop(p, pipes, r == 1 ? PUMP_MORE : r == 0 ? PUMP_WAITS : PUMP_BROKEN);
}

enum pump_state pump_run(struct pump *p, struct pipes *pipes, int from, int to)
{
	for (unsigned turn = 0; turn < TURN; turn += p->large != NULL ? LARGE / SMALL : 1) {
		int r;

		if (p->pipe[0] < 0 && !p->ended && !take_pipe(pipes, p->pipe))
			return PUMP_BROKEN; /* no descriptors, or no memory for one */
		r = p->held > 0 || p->ended ? 1 : fill(p, from);
		grow(p, pipes);
		r = r == 1 ? drain(p, to) : r;
		if (r <= 0)
			return stop(p, pipes, r == 0 ? PUMP_WAITS : PUMP_BROKEN);
		if (p->ended)
			return stop(p, pipes, pass_end(p, to));
	}
	return PUMP_MORE;
}
