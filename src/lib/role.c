#include "lib/role.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "lib/event.h"
#include "lib/helper.h"

static int describe(const char *user, const struct role_bounds *bounds, struct event_request **ret, struct err *e)
{
	struct event_request *q = calloc(1, sizeof *q);

	if (q == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to start a role");
	q->base = CELL_BASE_NONE;
	q->observe = CELL_OBSERVE_OFF;
	q->flags = CELL_BY_FD;
	q->own = 1;
	q->umask = 077;
	(void)text_copy(q->user, sizeof q->user, user); /* fits */
	strcpy(q->home, "/");
	strcpy(q->workspace, "/");
	q->limits.value[LIMIT_TASKS] = 1;
	q->limits.value[LIMIT_FILES] = bounds->files;
	q->limits.value[LIMIT_MEMORY] = bounds->memory_bytes;
#ifdef AMBIT_SANITIZED
	q->base = CELL_BASE_SYSTEM; /* a sanitized helper is not static, and its shadow memory has no measure */
	q->limits.value[LIMIT_MEMORY] = 0;
#endif
	grant_set_init(&q->grants);
	*ret = q;
	return 0;
}

int role_pair(int *ret_ours, int *ret_theirs, struct err *e)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make a socket for a role");
	*ret_ours = pair[0];
	*ret_theirs = pair[1];
	return 0;
}

int role_start_in_cell(const char *name, const struct role_bounds *bounds, struct ambit_event **ret, int *ret_fd,
		       struct err *e)
{
	char *const argv[] = { (char *)(uintptr_t)name, NULL }; /* only copied */
	char *const envp[] = { NULL };
	char path[32];
	auto_fd int exe = -1, theirs = -1;
	struct event_plan plan = { .path = path,
				   .argv = argv,
				   .envp = envp,
				   .stream = { STREAM_OURS, AMBIT_STREAM_NULL, AMBIT_STREAM_NULL } };
	int r = role_pair(ret_fd, &theirs, e);

	(void)snprintf(path, sizeof path, "/%s", name); /* fits */
	r = r < 0 ? r : helper_open(name, &exe, e);
	plan.program_fd = exe;
	plan.stream_fd[0] = theirs;
	plan.stream_fd[1] = plan.stream_fd[2] = -1;
	r = r < 0 ? r : describe(strrchr(name, '-') + 1, bounds, &plan.request, e);
	return r < 0 ? r : event_start(&plan, ret, e);
}

int role_start_on_host(const char *name, char *const *envp, int *ret_pidfd, int *ret_fd, struct err *e)
{
	auto_fd int exe = -1, theirs = -1;
	int r = role_pair(ret_fd, &theirs, e);

	r = r < 0 ? r : helper_open(name, &exe, e);
	return r < 0 ? r : helper_start_with(exe, name, theirs, envp, ret_pidfd, e);
}
