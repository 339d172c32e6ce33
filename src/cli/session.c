#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "cli/keys.h"
#include "cli/screen.h"
#include "cli/terminal.h"
#include "core/listen.h"
#include "lib/event.h"
#include "lib/launch.h"
#include "lib/public.h"
#include "lib/summary_stage.h"

struct session {
	struct ambit_event *ev;
	int signal_fd; /* owned */
	int master;    /* owned: the cell's private terminal, -1 if none */
	bool alone;    /* the person's terminal is the program's alone, so raw */
	bool stopping; /* we have stopped the program; that it was is still to be told */
	unsigned interrupts;
	struct terminal terminal;
	struct relay_process relay;
	struct keys keys;
};

static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT, SIGUSR1, SIGUSR2 };

static int catch_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++)
		(void)sigaddset(&set, caught[i]);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool is_tty(const struct ambit_event_options *o, int i)
{
	return o->terminal != 0 && o->stream[i] == AMBIT_STREAM_PASS && isatty(o->stream_fd[i]);
}

/* Where the relay reads. The terminal itself if it is the program's alone: if it both reads from it and writes to it. In
 * `ambit run -- x | less` the keys are less's as much as ours. */
static int open_input(struct session *s, int tty, int *ret_fd, struct err *e)
{
	if (tty >= 0 && !s->alone)
		return keys_open(&s->keys, terminal_open_own(tty, O_RDONLY), ret_fd, e);
	*ret_fd = tty >= 0 ? terminal_open_own(tty, O_RDONLY) : open("/dev/null", O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot use the terminal") : 0;
}

static int start_relay(struct session *s, const struct ambit_event_options *o, struct err *e)
{
	const int in = is_tty(o, 0) ? o->stream_fd[0] : -1;
	const int out = is_tty(o, 1) ? o->stream_fd[1] : is_tty(o, 2) ? o->stream_fd[2] : -1;
	auto_fd int own_in = -1, own_out = -1;
	struct relay_start how = { .master = s->master };
	int r;

	s->alone = in >= 0 && is_tty(o, 1);
	r = open_input(s, in, &own_in, e);
	if (r < 0)
		return r;
	own_out = out >= 0 ? terminal_open_own(out, O_WRONLY) : open("/dev/null", O_WRONLY | O_CLOEXEC);
	how.terminal_in = own_in;
	how.terminal_out = own_out;
	how.mute = !s->alone;
	r = terminal_save(&s->terminal, in >= 0 ? in : out, e);
	r = r < 0 ? r : terminal_copy_size(&s->terminal, s->master, e); /* it may have changed since the start */
	/* raw first: a Ctrl-D that is typed to a cooked terminal would be the end of what the relay reads */
	if (r == 0 && s->alone)
		r = terminal_raw(&s->terminal, e);
	return r < 0 ? r : screen_relay(&how, &s->relay, e);
}

/* The program and we stop together and go on together. Its deadline does not stop. */
static void suspend(struct session *s)
{
	struct err e;

	if (s->master >= 0)
		(void)terminal_suspend(&s->terminal, s->master, &s->relay, &e); /* then we are simply not stopped */
	else
		(void)raise(SIGSTOP);
	(void)ambit_event_signal(s->ev, SIGCONT, NULL); /* ended meanwhile: the loop sees it */
}

/* Stopped from outside (Ctrl-Z where the terminal is not ours alone, kill): the program first, which cannot refuse. */
static void on_stop(struct session *s)
{
	s->stopping = ambit_event_signal(s->ev, SIGSTOP, NULL) == 0; /* and not 1: then it never stops */
	suspend(s);
}

/* The program was stopped by its own terminal, or by itself. */
static void on_stopped(struct session *s)
{
	if (s->stopping) /* by us, and it goes on already */
		s->stopping = false;
	else if (s->master >= 0)
		suspend(s);
}

static void on_signal(struct session *s)
{
	struct signalfd_siginfo seen;
	struct err e;

	if (read(s->signal_fd, &seen, sizeof seen) != (ssize_t)sizeof seen)
		return;
	if (seen.ssi_signo == SIGWINCH) {
		if (s->master >= 0)
			(void)terminal_copy_size(&s->terminal, s->master, &e); /* the next change tries again */
	} else if (seen.ssi_signo == SIGTSTP) {
		on_stop(s);
	} else if (seen.ssi_signo == SIGCONT) {
		if (s->alone)
			(void)terminal_continue(&s->terminal, s->master, &s->relay, &e);
		(void)ambit_event_signal(s->ev, SIGCONT, NULL); /* ended meanwhile: the loop sees it */
	} else if (seen.ssi_signo == SIGINT && ++s->interrupts > 2) {
		event_abandon(s->ev); /* asked three times: whoever should have listened does not */
	} else if (seen.ssi_signo == SIGINT && s->interrupts > 1) {
		(void)ambit_event_kill(s->ev, NULL); /* asked twice */
	} else {
		(void)ambit_event_signal(s->ev, (int)seen.ssi_signo, NULL); /* ended meanwhile: the loop sees it */
	}
}

static void end_relay(struct session *s)
{
	struct err e;

	keys_close(&s->keys);
	fd_close(&s->master); /* the last end of it outside: the relay drains and ends */
	if (s->relay.pidfd >= 0)
		(void)relay_wait(&s->relay, s->terminal.fd, &e);
	terminal_restore(&s->terminal);
}

static int wait_for_something(struct session *s, struct err *e)
{
	struct pollfd p[] = {
		{ .fd = ambit_event_fd(s->ev), .events = POLLIN },
		{ .fd = s->signal_fd, .events = POLLIN },
		{ .fd = keys_fd(&s->keys), .events = POLLIN },
	};

	if (poll(p, 3, s->keys.terminal >= 0 && !s->keys.ours ? KEYS_AGAIN_MS : -1) < 0)
		return errno == EINTR ? 0 : err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot wait for the event");
	if (p[1].revents != 0)
		on_signal(s);
	if (p[2].revents != 0)
		keys_read(&s->keys);
	return 0;
}

/* When the program has ended, and the commit has to wait: who sees nothing for long looks for a mistake. */
static void tell_waiting(struct session *s)
{
	const struct stage_answer *a = event_waiting(s->ev);
	char room[256];
	struct buf text;

	if (a == NULL)
		return;
	buf_init_in(&text, room, sizeof room);
	summary_waiting_text(a, &text);
	(void)fwrite(text.data, 1, text.len, stderr); /* nobody is left to be told */
}

/* Before the command says anything: who wants to reach its servers has to know where. */
static void tell_listening(struct session *s)
{
	const struct event_result *r = event_result(s->ev);
	struct listen_ports p;

	if (!event_listens(s->ev))
		return;
	for (uint32_t i = 0; i < r->n_ports; i++)
		if (listen_take(grant_object(r->grants, r->ports[i].grant), &p, NULL) == 0)
			(void)fprintf(stderr, "ambit: listening on 127.0.0.1:%u for port %u of the cell\n",
				      r->ports[i].port, p.cell);
}

static int loop(struct session *s, const struct ambit_event_options *o, struct err *e)
{
	int r = 0;

	while (r == 0) {
		const int ended = ambit_event_step(s->ev, NULL);

		tell_listening(s);
		/* also when it has ended already: what a short program wrote lies in its terminal */
		if (s->master < 0 && (s->master = ambit_event_terminal(s->ev)) >= 0)
			r = start_relay(s, o, e);
		if (r < 0 || ended != 0)
			return r;
		if (ambit_event_stopped(s->ev))
			on_stopped(s);
		tell_waiting(s);
		r = wait_for_something(s, e);
	}
	return r;
}

void session_pass_interrupt(const struct ambit_event *ev)
{
	sigset_t set;

	if (event_result(ev)->cause != CAUSE_EXITED || event_result(ev)->signal != SIGINT || fflush(NULL) != 0)
		return;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)signal(SIGINT, SIG_DFL);
	(void)raise(SIGINT);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* Its turn comes later (lib/throttle.h). False: somebody ends it meanwhile. */
static bool waits(const struct session *s, uint64_t ms)
{
	struct pollfd p = { .fd = s->signal_fd, .events = POLLIN };
	const uint64_t until = clock_ms() + ms;
	struct signalfd_siginfo seen;

	(void)fprintf(
		stderr,
		"ambit: throttled: it begins in %.1f s, since one of its agent's events did much\n"
		"  hint: `ambit doctor` says which; `ambit profile release` and its id let the next ones begin as they come\n",
		(double)ms / 1000);
	for (uint64_t now; (now = clock_ms()) < until;) {
		if (poll(&p, 1, (int)(until - now)) != 1) /* at most THROTTLE_MOST_MS */
			continue;
		if (read(s->signal_fd, &seen, sizeof seen) != (ssize_t)sizeof seen ||
		    (seen.ssi_signo != SIGWINCH && seen.ssi_signo != SIGCONT))
			return false;
	}
	return true;
}

int session_run(const struct ambit_policy *p, const struct ambit_event_options *o, char *const *hide,
		struct ambit_event **ret, struct ambit_error *ret_error)
{
	struct session s = { .master = -1, .terminal = TERMINAL_NONE, .relay = RELAY_NONE, .keys = KEYS_NONE };
	uint64_t wait_ms = 0;
	struct err e;
	int r;

	s.signal_fd = catch_signals();
	do {
		r = launch_event(p, o, hide, &s.ev, &wait_ms, ret_error);
	} while (r < 0 && wait_ms > 0 && waits(&s, wait_ms));
	*ret = s.ev;
	if (r < 0) {
		fd_close(&s.signal_fd);
		return r;
	}
	r = public_error(ret_error, loop(&s, o, &e), &e);
	end_relay(&s);
	fd_close(&s.signal_fd);
	return r;
}

/* Once, when it was made: from here on it lies beside the log only, where whoever changes the log can change it too. */
void session_tell_key(struct ambit_event *ev)
{
	int is_new;
	const char *key = ambit_event_ledger_key(ev, &is_new);

	if (key != NULL && is_new == 2)
		(void)fprintf(
			stderr,
			"ambit: the ledger in %s is signed by another key now, which the one before named:\n"
			"  %s\n"
			"  keep this line elsewhere, too; `ambit ledger verify --key` goes from the one before to it\n",
			ambit_event_ledger(ev), key);
	else if (key != NULL && is_new != 0)
		(void)fprintf(
			stderr,
			"ambit: a new ledger in %s, signed by\n"
			"  %s\n"
			"  keep this line elsewhere: `ambit ledger verify --key` trusts it, and not what lies beside the log\n",
			ambit_event_ledger(ev), key);
}
