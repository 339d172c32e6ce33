#include "warden/workload.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "warden/ownwall.h"

#define REPORT_FD                                                                                                      \
	(CELL_RESULT_FD + 1) /* where the report socket lies until exec closes it: behind those that the program gets */

/* What lies there is the warden's, which its child has no business with: its connection, its signals and its patience. *ret_n: the first that is not the program's. */
static int arrange_streams(const struct workload *w, int *ret_n, struct cell_failure *f)
{
	const int n = w->code_fd[0] >= 0 ? CELL_RESULT_FD + 1 : 3;
	int from[CELL_RESULT_FD + 1];

	*ret_n = n;
	for (int i = 0; i < n; i++) {
		from[i] = i >= 3 ? w->code_fd[i - 3] : w->stdio_fd[i] >= 0 ? w->stdio_fd[i] : w->made->slave_fd;
		/* above 9, so that none is overwritten before it is used */
		from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 10);
		if (from[i] < 0)
			return build_failed(f, STEP_STDIO, errno);
	}
	for (int i = 0; i < n; i++)
		if (dup2(from[i], i) < 0)
			return build_failed(f, STEP_STDIO, errno);
	return 0;
}

/* No controlling terminal but the private one. There the warden leads the session and the program is a job in front of it, as
 * beneath a shell: a leader cannot be stopped by its terminal (Ctrl-Z), since nobody in its session could continue it. */
static int arrange_session(const struct workload *w, struct cell_failure *f)
{
	if (w->made->slave_fd < 0)
		return setsid() < 0 ? build_failed(f, STEP_STDIO, errno) : 0;
	/* signals are still blocked: a group in the background may do this only with SIGTTOU out of the way */
	if (setpgid(0, 0) < 0 || tcsetpgrp(w->made->slave_fd, getpid()) < 0)
		return build_failed(f, STEP_PTS, errno);
	return 0;
}

static void known_state(const struct cell_spec *spec)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		(void)sigaction(s, &plain, NULL); /* SIGKILL and SIGSTOP refuse, as they should */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)umask((mode_t)spec->umask);
}

/* What it is, when that comes after the wall: the filter allows what is needed for it, as for any program. Its descriptors lie above the report's. */
static int take_program(const struct workload *w, struct cell_program *ret, bool *ret_is_code, struct cell_failure *f)
{
	static char *room[CELL_PROGRAM_ROOM / sizeof(char *)]; /* the limit on memory holds already */
	int fds[FD_PASS_MAX];
	size_t n_fds, next = 1;
	uint32_t present;
	struct stat st;
	struct rbuf r;
	void *bytes;

	if (fd_receive(REPORT_FD, &present, sizeof present, fds, &n_fds) != (ssize_t)sizeof present || n_fds == 0)
		return build_failed(f, STEP_GONE, EPIPE);
	/* first: its number may be one of those that the program gets */
	if (fstat(fds[0], &st) < 0 || st.st_size <= 0 || st.st_size > CELL_PROGRAM_MAX)
		return build_failed(f, STEP_DECODE, EPROTO);
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fds[0], 0);
	if (bytes == MAP_FAILED)
		return build_failed(f, STEP_DECODE, errno);
	for (int i = 0; i < 3; i++) {
		const int from = (present & 1u << i) != 0 && next < n_fds ? fds[next++] : w->made->slave_fd;

		if (dup2(from, i) < 0)
			return build_failed(f, STEP_STDIO, errno);
	}
	*ret_is_code = (present & CELL_HAS_CODE) != 0;
	for (int i = CELL_CODE_FD; i <= CELL_RESULT_FD && *ret_is_code && next < n_fds; i++)
		if (dup2(fds[next++], i) < 0)
			return build_failed(f, STEP_STDIO, errno);
	rbuf_init(&r, bytes, (size_t)st.st_size);
	if (program_decode_in(&r, room, ret, NULL) < 0)
		return build_failed(f, STEP_DECODE, EPROTO);
	return chdir(spec_text(w->spec, w->spec->workdir)) < 0 ? build_failed(f, STEP_WORKDIR, errno) : 0;
}

#define ARGV_OF_CODE 24 /* an interpreter, its driver, and modules */

/* An interpreter of code may have been started long before: where it is to go is its last argument. */
static char *const *argv_of(const struct workload *w, const struct cell_program *p, bool is_code)
{
	static char *argv[ARGV_OF_CODE + 2];
	size_t n = 0;

	if (!is_code)
		return p->argv;
	for (; p->argv[n] != NULL && n < ARGV_OF_CODE; n++)
		argv[n] = p->argv[n];
	argv[n] = (char *)(uintptr_t)spec_text(w->spec, w->spec->workdir); /* exec changes nothing */
	return argv;
}

static int execute(const struct workload *w, const struct cell_program *p, bool is_code, struct cell_failure *f)
{
	char *const *argv = argv_of(w, p, is_code);

	if (w->program_fd >= 0)
		(void)syscall(SYS_execveat, w->program_fd, "", argv, p->envp, AT_EMPTY_PATH);
	else if (p->path != NULL)
		(void)execve(p->path, argv, p->envp);
	return build_failed(f, STEP_EXEC, errno);
}

static void child(const struct workload *w, int report_fd)
{
	struct cell_program later = { .block = NULL };
	struct cell_failure f;
	uint32_t told[2];
	const bool arranged = arrange_session(w, &f) == 0, waits = w->program == NULL;
	bool is_code = w->code_fd[0] >= 0;
	int n = 3;

	known_state(w->spec);
	if (arranged && (waits || arrange_streams(w, &n, &f) == 0)) {
		(void)dup3(report_fd, REPORT_FD, O_CLOEXEC);
		for (int i = n; i < REPORT_FD; i++)
			(void)close(i); /* as above */
		/* the ruleset and the program are needed until exec, so everything is marked and not closed */
		if (syscall(SYS_close_range, n, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */) < 0)
			(void)build_failed(&f, STEP_STDIO, errno);
		else if (ownwall_raise(w->spec, w->made, REPORT_FD, &f) == 0 &&
			 (!waits || take_program(w, &later, &is_code, &f) == 0) &&
			 ownwall_await_release(REPORT_FD, &f) == 0)
			(void)execute(w, waits ? &later : w->program, is_code, &f);
	}
	told[0] = (uint32_t)f.step;
	told[1] = (uint32_t)f.sys_errno;
	(void)fd_send(REPORT_FD, told, sizeof told, NULL, 0); /* nobody else to tell */
	_exit(127);
}

int workload_start(const struct workload *w, pid_t *ret_pid, int *ret_report_fd, struct cell_failure *f)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return build_failed(f, STEP_FORK, errno);
	*ret_pid = fork();
	if (*ret_pid == 0)
		child(w, pair[1]);
	(void)close(pair[1]);
	if (*ret_pid < 0) {
		const int saved = errno;

		(void)close(pair[0]);
		return build_failed(f, STEP_FORK, saved);
	}
	*ret_report_fd = pair[0];
	return 0;
}

int workload_give(int report_fd, uint32_t present, const int *fds, size_t n_fds)
{
	return fd_send(report_fd, &present, sizeof present, fds, n_fds);
}

int workload_release(int report_fd)
{
	return fd_send(report_fd, "", 1, NULL, 0);
}
