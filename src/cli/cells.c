/* ambit cells: keeps cells for the program that started it, which speaks with what runs in them by pipes of its own. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "cells/keep.h"
#include "cli/cli.h"

#define HELP "ambit cells --help"
#define VERSION 1 /* of what is said; doc/CELLS.md */

static const char help_text[] =
	"ambit cells\n"
	"\n"
	"Keeps cells for the program that runs this, and lends them to it: the package @ambit/vm2 runs its sandboxes so. It prints one line, by which\n"
	"the program finds the pipes, and goes on beside it until the program ends; then all of its cells end, too.\n"
	"\n"
	"  --help   this text\n"
	"\n"
	"What is said by the pipes: doc/CELLS.md.\n";

/* The program goes on when it has read this, so it comes when all is ready. */
static int tell_place(const struct keep *k)
{
	const int n = printf("ambit-cells %d %d %d %d %d\n", VERSION, (int)getpid(), k->program_end[0],
			     k->program_end[1], k->program_end[2]);

	return n < 0 ? EXIT_REFUSED : cli_flush();
}

/* A process of its own, in a session of its own: what a person types at the program's terminal is not for it. Nothing was written before that both would write. */
static int go_beside(void)
{
	const pid_t pid = fork();

	if (pid != 0)
		return pid < 0 ? -errno : 1;
	return setsid() < 0 ? -errno : 0;
}

/* What the program left open for whom it starts is not for one that stays. */
static void let_go_of_others(int kept_fd)
{
	(void)syscall(SYS_close_range, 3U, (unsigned)kept_fd - 1, 0); /* kept_fd is 3 at least: 0, 1 and 2 are there */
	(void)syscall(SYS_close_range, (unsigned)kept_fd + 1, ~0U, 0);
}

static int fail(int error_number, const char *what)
{
	struct ambit_error e = { .size = sizeof e, .code = AMBIT_SYSTEM, .sys_errno = error_number };

	(void)snprintf(e.message, sizeof e.message, "%s", what); /* short, as the next */
	(void)snprintf(e.why, sizeof e.why, "%s", strerror(error_number));
	return cli_error(&e);
}

/* Whoever waits for the end of what we were started with waits no more. */
static void let_go_of_streams(void)
{
	auto_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO); /* 0, 1 and 2 are there: what fails here leaves them */
	(void)dup2(null, STDERR_FILENO);
}

static int serve(struct keep *k, int program_pidfd)
{
	struct err e;
	int r;

	(void)signal(SIGPIPE, SIG_IGN); /* who went away is an error number */
	fd_allow_many();
	if (keep_init(k, program_pidfd, &e) < 0)
		return fail(e.sys_errno, e.msg);
	r = tell_place(k);
	if (r != 0)
		return r;
	let_go_of_streams();
	keep_run(k);
	keep_finish(k);
	return 0;
}

int cli_cells(int argc, char **argv)
{
	auto_free struct keep *k = calloc(1, sizeof *k);
	const pid_t program = getppid();
	auto_fd int pidfd = -1;
	int r;

	for (int i = 1; i < argc; i++) {
		static const char *const names[] = { "help" };

		if (cli_is_help(argv[i])) {
			(void)fputs(help_text, stdout); /* looked at when it is flushed */
			return cli_flush();
		}
		return argv[i][0] == '-' ? cli_no_option(HELP, argv[i], names, 1)
					 : cli_usage(HELP, "cells takes no '%s'", argv[i]);
	}
	if (k == NULL)
		return fail(ENOMEM, "no memory for cells");
	pidfd = (int)syscall(SYS_pidfd_open, program, 0);
	if (pidfd < 0 || getppid() != program) /* else it ended, and its number may be another's */
		return fail(pidfd < 0 ? errno : ESRCH, "the program that wants cells is not to be found");
	r = go_beside();
	if (r != 0)
		return r > 0 ? 0 : fail(-r, "no process of its own");
	let_go_of_others(pidfd);
	return serve(k, steal_fd(&pidfd));
}
