#include "cli/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "lib/helper.h"

int screen_relay(struct relay_start *how, struct relay_process *ret, struct err *e)
{
	const char *all = getenv("LC_ALL");
	auto_fd int exe = -1;
	char path[64];
	const int r = helper_open("ambit-relay", &exe, e);
	int started;

	if (r < 0)
		return r;
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", exe);
	how->path = path;
	how->ascii = terminal_is_8bit(all != NULL ? all : getenv("LANG"));
	started = relay_start(how, ret, e);
	how->path = NULL; /* ours, and gone with us */
	return started;
}

/* The number of the terminal itself, also of one that was opened as /dev/tty. */
static bool device_of(int fd, unsigned *ret)
{
	return isatty(fd) == 1 && ioctl(fd, TIOCGDEV, ret) == 0;
}

bool screen_is_there(void)
{
	unsigned in, out, err;

	return device_of(STDIN_FILENO, &in) && device_of(STDOUT_FILENO, &out) && device_of(STDERR_FILENO, &err) &&
	       in == out && out == err;
}

bool screen_size(uint32_t *ret_rows, uint32_t *ret_columns)
{
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
		return false;
	*ret_rows = size.ws_row;
	*ret_columns = size.ws_col;
	return true;
}

int screen_begin(struct screen *s, struct err *e)
{
	auto_fd int in = terminal_open_own(STDIN_FILENO, O_RDONLY), out = terminal_open_own(STDOUT_FILENO, O_WRONLY);
	auto_fd int ours = -1, relays = -1;
	struct relay_start how = { .terminal_in = in, .terminal_out = out };
	int pair[2], r;

	if (in < 0 || out < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot use the terminal");
	ours = pair[0];
	relays = pair[1];
	how.master = relays;
	r = terminal_save(&s->terminal, STDIN_FILENO, e);
	/* raw first: a Ctrl-D that is typed to a cooked terminal would be the end of what the relay reads */
	r = r < 0 ? r : terminal_raw(&s->terminal, e);
	r = r < 0 ? r : screen_relay(&how, &s->relay, e);
	if (r < 0) {
		terminal_restore(&s->terminal);
		return r;
	}
	s->sock = steal_fd(&ours);
	return 0;
}

ssize_t screen_show(const struct screen *s, const void *bytes, size_t n)
{
	const ssize_t done = send(s->sock, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (done >= 0)
		return done;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

void screen_suspend(struct screen *s)
{
	struct err e;

	if (s->sock >= 0)
		(void)terminal_suspend(&s->terminal, -1, &s->relay, &e); /* then we are simply not stopped */
	else
		(void)raise(SIGSTOP);
}

void screen_continue(struct screen *s)
{
	struct err e;

	if (s->sock >= 0)
		(void)terminal_continue(&s->terminal, -1, &s->relay, &e); /* a terminal that went: the relay tells it */
}

int screen_end(struct screen *s)
{
	struct err e;
	int how = 0;

	if (s->sock >= 0)
		/* and not closed: what is typed and not read would be an error to the relay, in front of what it has to show */
		(void)shutdown(s->sock, SHUT_WR); /* it went: then there is nothing to tell */
	if (s->relay.pidfd >= 0)
		how = relay_wait(&s->relay, s->terminal.fd, &e);
	fd_close(&s->sock);
	terminal_restore(&s->terminal);
	return how;
}
