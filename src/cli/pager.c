#include "cli/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What nobody asked for is looked for first, or its absence would be complained of. */
#define USUAL_PAGER                                                                                                    \
	"command -v less > /dev/null 2>&1 || exit 127; exec less -FRX" /* ends by itself if it fits, shows colours, leaves the text on the screen */
#define NOT_STARTED 126 /* and 127: what a shell says of a command that cannot be executed, or is not there */

static const char *pager_command(void)
{
	const char *command = getenv("AMBIT_PAGER");

	if (command == NULL)
		command = getenv("PAGER");
	if (command == NULL)
		command = USUAL_PAGER;
	return command[0] == 0 || strcmp(command, "cat") == 0 ? NULL : command;
}

_Noreturn static void become_pager(const char *command, int input)
{
	(void)signal(SIGPIPE, SIG_DFL);
	(void)setenv("LESS", "FRX", 0); /* as above, for a PAGER that is less */
	if (dup2(input, STDIN_FILENO) == STDIN_FILENO)
		(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

void pager_open(struct pager *p, bool wanted)
{
	const char *command = wanted && isatty(STDOUT_FILENO) == 1 ? pager_command() : NULL;
	int ends[2];

	*p = (struct pager){ .fd = STDOUT_FILENO };
	if (command == NULL || pipe2(ends, O_CLOEXEC) < 0)
		return;
	p->pid = fork();
	if (p->pid == 0)
		become_pager(command, ends[0]);
	(void)close(ends[0]);
	if (p->pid < 0) {
		(void)close(ends[1]);
		p->pid = 0;
	} else {
		p->fd = ends[1];
	}
}

bool pager_close(struct pager *p)
{
	int status = 0;

	if (p->pid == 0)
		return true;
	(void)close(p->fd);
	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
	p->pid = 0;
	return !WIFEXITED(status) || (WEXITSTATUS(status) != NOT_STARTED && WEXITSTATUS(status) != NOT_STARTED + 1);
}
