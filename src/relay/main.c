/* ambit-relay: between the terminal of a person and the pty of a cell. What it may do is in promise.c, what it lets
 * through in termfilter.h, how it is started in relay.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "relay/fence.h"
#include "relay/promise.h"
#include "relay/relay.h"
#include "relay/stream.h"

enum { TO_CELL, TO_TERMINAL, FIRST_PAIR, STREAMS_MAX = FIRST_PAIR + RELAY_PAIRS_MAX };

struct relay {
	struct stream streams[STREAMS_MAX];
	bool waited_for[STREAMS_MAX]; /* drained before the end */
	size_t n;
	unsigned options; /* enum termfilter_option */
};

static int last_fd(const struct relay *r)
{
	return RELAY_MASTER + 2 * (int)(r->n - FIRST_PAIR);
}

static int add_stream(struct relay *r, enum stream_kind kind, int from, int to, bool waited_for)
{
	const bool pair = r->n >= FIRST_PAIR;
	const int code = stream_init(&r->streams[r->n], kind, from, to, pair, r->options);

	r->waited_for[r->n] = waited_for;
	r->n++;
	return code;
}

static int add_pair(struct relay *r, const char *word)
{
	const int from = last_fd(r) + 1;

	if (r->n == STREAMS_MAX)
		return -1;
	if (strcmp(word, "in") == 0)
		return add_stream(r, STREAM_RAW, from, from + 1, false);
	if (strcmp(word, "out") == 0)
		return add_stream(r, STREAM_RAW, from, from + 1, true);
	if (strcmp(word, "plain") == 0)
		return add_stream(r, STREAM_PLAIN, from, from + 1, true);
	return -1;
}

static bool take_option(struct relay *r, const char *word)
{
	if (strcmp(word, "ascii") == 0)
		r->options |= TERMFILTER_ASCII;
	else if (strcmp(word, "mute") == 0)
		r->options |= TERMFILTER_MUTE;
	else
		return false;
	return true;
}

static bool read_arguments(struct relay *r, int argc, char **argv)
{
	int at = 1;

	while (at < argc && take_option(r, argv[at]))
		at++;
	if (add_stream(r, STREAM_RAW, RELAY_TERMINAL_IN, RELAY_MASTER, false) != 0 ||
	    add_stream(r, STREAM_PTY, RELAY_MASTER, RELAY_TERMINAL_OUT, true) != 0)
		return false;
	for (; at < argc; at++)
		if (add_pair(r, argv[at]) != 0)
			return false;
	return true;
}

/* All numbers up to the last are taken, so that the limit on descriptors leaves none free: 2 becomes a copy of 0. */
static bool take_descriptors(int last)
{
	for (int fd = 0; fd <= last; fd++)
		if (fd != STDERR_FILENO && fd_set_nonblock(fd, true) < 0)
			return false;
	return dup2(RELAY_TERMINAL_IN, STDERR_FILENO) == STDERR_FILENO;
}

/* Keys reach the cell as bytes; a signal that somebody sends to the whole job is the command line's to handle. It stops
 * and continues the relay by SIGSTOP and SIGCONT. */
static void ignore_signals(void)
{
	static const int ignored[] = { SIGINT, SIGQUIT, SIGTSTP, SIGPIPE };

	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		(void)signal(ignored[i], SIG_IGN); /* cannot fail for these */
}

static bool all_drained(const struct relay *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->waited_for[i] && !stream_done(&r->streams[i]))
			return false;
	return true;
}

/* Two entries for each stream. Only the terminal is watched for its end while nothing waits to be written: a master
 * whose cell hung up would wake us without pause until a slow terminal has taken the rest. */
static void watch(const struct stream *s, bool is_terminal, struct pollfd *p)
{
	const bool writes = stream_wants_output(s);

	p[0] = (struct pollfd){ .fd = stream_wants_input(s) ? s->from : -1, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = writes || is_terminal ? s->to : -1, .events = writes ? POLLOUT : 0 };
}

static void serve(struct stream *s, const struct pollfd *p)
{
	if (p[1].revents != 0 && stream_wants_output(s))
		stream_write(s);
	if (p[0].revents != 0 && stream_wants_input(s))
		stream_read(s);
}

/* One round. False when the terminal is gone. */
static bool turn(struct relay *r)
{
	struct pollfd p[2 * STREAMS_MAX];

	for (size_t i = 0; i < r->n; i++)
		watch(&r->streams[i], i == TO_TERMINAL, &p[2 * i]);
	if (poll(p, 2 * r->n, -1) < 0)
		return errno == EINTR;
	if ((p[2 * TO_TERMINAL + 1].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
		return false;
	for (size_t i = 0; i < r->n; i++)
		serve(&r->streams[i], &p[2 * i]);
	return !r->streams[TO_TERMINAL].failed;
}

static bool copy_until_drained(struct relay *r)
{
	while (!all_drained(r))
		if (!turn(r))
			return false;
	return true;
}

/* The program is gone. The terminal is made as it was, and what it still has to say is waited for. */
static bool leave_terminal(struct relay *r)
{
	struct stream *shown = &r->streams[TO_TERMINAL];
	const bool asks = shown->filter.answers;

	stream_put_reset(shown);
	if (asks)
		stream_put(shown, FENCE_QUESTION);
	r->streams[TO_CELL].from = -1; /* from here on what is typed, or answered, is not for the cell */
	if (!copy_until_drained(r))
		return false;
	if (asks)
		fence_wait(RELAY_TERMINAL_IN);
	return true;
}

static int run(struct relay *r, int argc, char **argv)
{
	if (!read_arguments(r, argc, argv) || !take_descriptors(last_fd(r)))
		return RELAY_USAGE;
	if (promise_keep(last_fd(r), r->n > FIRST_PAIR) < 0)
		return RELAY_LOCKDOWN;
	return copy_until_drained(r) && leave_terminal(r) ? RELAY_DONE : RELAY_TERMINAL_GONE;
}

int main(int argc, char **argv)
{
	struct relay r = { 0 };

	ignore_signals();
	_exit(run(&r, argc, argv)); /* exit handlers are not in the promise; the memory goes with the process */
}
