/* What events of a session write and read: struct ambit_follow. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "lib/public.h"
#include "lib/quiet.h"
#include "lib/session_handle.h"

#define WRITE_MAX 4096 /* a pipe that has room at all has room for a page, also if it blocks */

/* ---- its input ---- */

/* Before it is closed: of one that a fork has a copy of, epoll would go on to tell. */
static void unwatch(struct ambit_follow *f)
{
	if (f->watched && f->session != NULL && f->owner == getpid())
		(void)epoll_ctl(f->session->epoll_fd, EPOLL_CTL_DEL, f->input_fd, NULL); /* it is there */
	f->watched = false;
}

static void close_input(struct ambit_follow *f)
{
	unwatch(f);
	fd_close(&f->input_fd);
}

/* Until it has room. */
static void watch(struct ambit_follow *f)
{
	struct epoll_event want = { .events = EPOLLOUT };

	if (!f->watched)
		f->watched = epoll_ctl(f->session->epoll_fd, EPOLL_CTL_ADD, f->input_fd, &want) == 0;
}

static bool has_room(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) == 1;
}

/* ---- what is told ---- */

/* What was told was read: from here on more is told. */
static void say_seen(struct ambit_follow *f)
{
	const int r = daemon_say_now(&f->session->channel, WIRE_SESSION_SEEN, f->n);

	f->grew = false;
	f->unsaid = r == -EAGAIN; /* who is gone tells so himself */
	if (f->unsaid)
		session_watch_room(f->session, true);
}

static void take_end(struct ambit_follow *f, const struct event_row *row)
{
	f->over = true;
	f->grew = f->unsaid = false;
	f->row = *row;
	close_input(f);
}

static void take_growth(struct ambit_follow *f, const struct session_grew *grew)
{
	f->grew = true;
	f->told[0] = grew->out;
	f->told[1] = grew->err;
}

void follow_take(struct ambit_session *s, const struct daemon_news *news)
{
	for (struct ambit_follow *f = s->follows; f != NULL; f = f->next) {
		if (f->over)
			continue;
		if (news->what == WIRE_SESSION_GREW && news->grew.n == f->n)
			take_growth(f, &news->grew);
		else if (news->what == WIRE_SESSION_OVER && news->row.n == f->n)
			take_end(f, &news->row);
		else
			continue;
		session_wake(s);
	}
}

bool follow_step(struct ambit_session *s)
{
	bool some = false, waits = false;

	for (struct ambit_follow *f = s->follows; f != NULL; f = f->next) {
		if (f->watched && has_room(f->input_fd)) {
			unwatch(f);
			some = true;
		}
		if (f->unsaid)
			say_seen(f);
		waits = waits || f->unsaid;
	}
	session_watch_room(s, waits);
	return some;
}

/* ---- its handle ---- */

/* A regular file, or the null device where there is nothing: what else there may be could keep us waiting. */
static bool is_output(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)));
}

static bool is_input(int fd)
{
	struct stat st;

	return fd < 0 || (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && fd_set_nonblock(fd, true) == 0);
}

/* fds: owned, -1 where it goes on as the handle's. */
static int take_files(struct ambit_follow *f, int fds[3], struct err *e)
{
	if (!is_output(fds[0]) || !is_output(fds[1]) || !is_input(fds[2])) {
		f->session->channel.broken = true;
		return err_set(e, AMBIT_PROTOCOL, NULL, "what the daemon gave for an event's output is no file");
	}
	f->file_fd[0] = steal_fd(&fds[0]);
	f->file_fd[1] = steal_fd(&fds[1]);
	f->input_fd = steal_fd(&fds[2]);
	return 0;
}

/* What is told while this is asked may be of the event itself, so the handle is among those that are followed before. */
static int ask(struct ambit_session *s, struct ambit_follow *f, struct err *e)
{
	int fds[3] = { -1, -1, -1 };
	int r;

	f->next = s->follows;
	s->follows = f;
	r = daemon_follow(&s->channel, f->n, f->with_input, fds, e);
	r = r < 0 ? r : take_files(f, fds, e);
	for (int i = 0; i < 3; i++)
		fd_close(&fds[i]);
	return r;
}

int ambit_session_follow(struct ambit_session *s, uint64_t n, int input, struct ambit_follow **ret,
			 struct ambit_error *e)
{
	struct ambit_follow *f;
	struct err err;
	int r = session_check(s, e);

	if (r < 0)
		return r;
	f = calloc(1, sizeof *f);
	if (f == NULL)
		return public_error(e, err_set(&err, AMBIT_MEMORY, NULL, "no memory to follow an event"), &err);
	f->session = s;
	f->owner = getpid();
	f->n = n;
	f->file_fd[0] = f->file_fd[1] = f->input_fd = -1;
	f->with_input = input != 0;
	r = ask(s, f, &err);
	if (r < 0)
		ambit_follow_free(f);
	else
		*ret = f;
	return session_told(s, r, &err, e);
}

static int no_session(struct ambit_error *ret)
{
	struct err e;

	return public_error(ret,
			    err_set(&e, AMBIT_USAGE, "free the session's handle last",
				    "the handle of the event's session was freed"),
			    &e);
}

/* All that was told of a stream, or all there is of it. */
static bool was_read(const struct ambit_follow *f, int stream, uint64_t until, bool less)
{
	return f->grew && f->session != NULL && f->session->why.code == AMBIT_OK &&
	       (less || until >= f->told[stream - 1]);
}

int ambit_follow_read(struct ambit_follow *f, int stream, uint64_t offset, void *buffer, size_t n,
		      struct ambit_error *e)
{
	const size_t most = n < INT_MAX ? n : INT_MAX;
	struct err err;
	ssize_t got;

	if (stream < 1 || stream > 2)
		return public_error(e, err_set(&err, AMBIT_USAGE, NULL, "stream %d is no output", stream), &err);
	if (most == 0 || offset > INT64_MAX)
		return 0;
	do
		got = pread(f->file_fd[stream - 1], buffer, most, (off_t)offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return public_error(e, err_sys(&err, AMBIT_SYSTEM, errno, NULL, "cannot read what the event wrote"),
				    &err);
	if (was_read(f, stream, offset + (uint64_t)got, (size_t)got < most))
		say_seen(f);
	return (int)got; /* at most INT_MAX */
}

static int no_input(const struct ambit_follow *f, struct err *e)
{
	return !f->with_input
		       ? err_set(e, AMBIT_USAGE, "follow it with its input", "the event is followed without its input")
		       : err_set(e, AMBIT_GONE, NULL, "the event takes no input");
}

int ambit_follow_write(struct ambit_follow *f, const void *bytes, size_t n, struct ambit_error *e)
{
	struct err err;
	size_t done = 0;

	if (f->session == NULL)
		return no_session(e);
	if (f->input_fd < 0)
		return public_error(e, no_input(f, &err), &err);
	n = n < INT_MAX ? n : INT_MAX;
	while (done < n && has_room(f->input_fd)) {
		const size_t left = n - done;
		const ssize_t r = quiet_write(f->input_fd, (const char *)bytes + done,
					      left < WRITE_MAX ? left : WRITE_MAX);

		if (r < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (r < 0) { /* it reads no more */
			close_input(f);
			return done > 0 ? (int)done : public_error(e, no_input(f, &err), &err);
		}
		done += (size_t)r;
	}
	if (done < n)
		watch(f);
	return (int)done; /* at most INT_MAX */
}

int ambit_follow_end_input(struct ambit_follow *f, struct ambit_error *e)
{
	struct err err;
	int r;

	if (f->session == NULL)
		return no_session(e);
	r = session_check(f->session, e);
	if (r < 0)
		return r;
	close_input(f);
	r = daemon_tell(&f->session->channel, WIRE_SESSION_INPUT_END, f->n, 0, 0, &err);
	return session_told(f->session, r, &err, e);
}

int ambit_follow_is_over(const struct ambit_follow *f)
{
	return f->over;
}

/* Until there is something to do, or the time is over. false: it is. */
static bool wait_until(const struct ambit_session *s, uint64_t until, int wait_ms)
{
	const uint64_t now = clock_ms();
	const uint64_t left = now < until ? until - now : 0;
	struct pollfd p = { .fd = s->epoll_fd, .events = POLLIN };

	if (wait_ms >= 0 && left == 0)
		return false;
	(void)poll(&p, 1, wait_ms < 0 ? -1 : (int)left); /* at most wait_ms */
	return true;
}

int ambit_follow_wait(struct ambit_follow *f, int wait_ms, struct ambit_error *e)
{
	const uint64_t until = clock_ms() + (uint64_t)(wait_ms > 0 ? wait_ms : 0);
	bool some = false;
	int r = 0;

	while (!f->over && r >= 0) {
		if (f->session == NULL)
			return no_session(e);
		r = ambit_session_step(f->session, e);
		some = some || r > 0;
		if (!f->over && r == 0 && !wait_until(f->session, until, wait_ms))
			break;
	}
	if (some) /* it may be of another event, whose follower waits for the descriptor */
		session_wake(f->session);
	return f->over ? 1 : r < 0 ? r : 0;
}

int ambit_follow_result(const struct ambit_follow *f, struct ambit_event_info *ret, struct ambit_error *e)
{
	struct err err;

	if (!f->over)
		return public_error(e, err_set(&err, AMBIT_USAGE, "wait for its end", "the event is not over"), &err);
	return session_event_info(&f->row, ret, e);
}

static void unlink_follow(struct ambit_follow *f)
{
	struct ambit_follow **at = &f->session->follows;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
}

void ambit_follow_free(struct ambit_follow *f)
{
	if (f == NULL)
		return;
	close_input(f);
	if (f->session != NULL)
		unlink_follow(f);
	fd_close(&f->file_fd[0]);
	fd_close(&f->file_fd[1]);
	free(f);
}
