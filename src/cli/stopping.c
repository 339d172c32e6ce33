#include "cli/stopping.h"

#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/fd.h"

static void set_of_signals(sigset_t *ret)
{
	(void)sigemptyset(ret);
	(void)sigaddset(ret, SIGINT);
	(void)sigaddset(ret, SIGTERM);
	(void)sigaddset(ret, SIGHUP);
}

void stopping_begin(struct stopping *s)
{
	sigset_t set;

	set_of_signals(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	*s = (struct stopping){ .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK) };
	if (s->fd < 0) /* then they end this process, which the role sees */
		(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void stopping_end(struct stopping *s)
{
	sigset_t set;

	if (s->fd < 0)
		return;
	set_of_signals(&set);
	(void)fflush(NULL);
	fd_close(&s->fd);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL); /* one that came only now has its own effect */
}

int stopping_die(struct stopping *s)
{
	stopping_end(s);
	(void)signal(s->signal, SIG_DFL);
	(void)raise(s->signal);
	return 128 + s->signal; /* it was ignored from the beginning */
}

void stopping_take(struct stopping *s, struct stage_talk *t)
{
	struct signalfd_siginfo seen;

	if (read(s->fd, &seen, sizeof seen) != (ssize_t)sizeof seen)
		return;
	if (s->signal != 0) {
		(void)fputs("ambit: it has begun and goes on by itself: `ambit stage list` shows what becomes of it\n",
			    stderr);
		s->signal = (int)seen.ssi_signo;
		_exit(stopping_die(s));
	}
	s->signal = (int)seen.ssi_signo;
	stage_talk_stop(t);
}
