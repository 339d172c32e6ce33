#include "cli/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *pager_command(void)
{
	const char *command = getenv("AMBIT_PAGER");

	if (command == NULL)
		command = getenv("PAGER");
	if (command == NULL)
		command = "less";
	return command[0] == 0 || strcmp(command, "cat") == 0 ? NULL : command;
}

_Noreturn static void become_pager(const char *command, int input)
{
	(void)signal(SIGPIPE, SIG_DFL);
	(void)setenv("LESS", "FRX", 0); /* ends by itself if it fits, shows colours, leaves the text on the screen */
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

void pager_close(struct pager *p)
{
	if (p->pid == 0)
		return;
	(void)close(p->fd);
	while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
		;
	p->pid = 0;
}
