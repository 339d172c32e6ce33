#include "cli/sockets.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"

/* ---- the path ---- */

/* A socket of ours where nobody listens any more is taken away: who was killed left it. */
static int make_room(const struct sockaddr_un *at, struct err *e)
{
	auto_fd int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	if (lstat(at->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot look at '%s'", at->sun_path);
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
		return err_set(e, AMBIT_CONFLICT, "name another path", "'%s' is there, and is no socket of yours",
			       at->sun_path);
	if (probe < 0 || connect(probe, (const struct sockaddr *)at, sizeof *at) == 0 || errno != ECONNREFUSED)
		return err_set(e, AMBIT_CONFLICT, "end it, or name another path", "somebody listens at '%s'",
			       at->sun_path);
	return unlink(at->sun_path) < 0 ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot take '%s' away", at->sun_path)
					: 0;
}

static int listen_at(const char *path, struct sockaddr_un *at, int *ret_fd, struct err *e)
{
	const mode_t before = umask(0177);
	int r;

	*at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*ret_fd = -1;
	r = text_copy(at->sun_path, sizeof at->sun_path, path)
		    ? make_room(at, e)
		    : err_set(e, AMBIT_USAGE, "name a shorter path", "a path of a socket has less than %zu bytes",
			      sizeof at->sun_path);
	if (r == 0) {
		*ret_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (*ret_fd < 0 || bind(*ret_fd, (const struct sockaddr *)at, sizeof *at) < 0 ||
		    listen(*ret_fd, SOCKETS_CLIENTS_MAX) < 0)
			r = err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot listen at '%s'", path);
	}
	(void)umask(before);
	return r;
}

/* ---- clients ---- */

static bool is_own(int sock)
{
	struct ucred who;
	socklen_t n = sizeof who;

	return getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 && who.uid == geteuid();
}

struct clients {
	pid_t pids[SOCKETS_CLIENTS_MAX]; /* 0: a free place */
};

static void reap(struct clients *c)
{
	pid_t gone;

	while ((gone = waitpid(-1, NULL, WNOHANG)) > 0)
		for (size_t i = 0; i < SOCKETS_CLIENTS_MAX; i++)
			if (c->pids[i] == gone)
				c->pids[i] = 0;
}

static pid_t *free_place(struct clients *c)
{
	for (size_t i = 0; i < SOCKETS_CLIENTS_MAX; i++)
		if (c->pids[i] == 0)
			return &c->pids[i];
	return NULL;
}

/* 1: this is the process of one. */
static int accept_one(struct clients *c, int listener, int signal_fd, const sigset_t *before)
{
	auto_fd int sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	pid_t *place = free_place(c);
	const pid_t parent = getpid();
	pid_t pid;

	if (sock < 0 || place == NULL || !is_own(sock))
		return 0; /* it is closed */
	pid = fork();
	if (pid != 0) {
		*place = pid > 0 ? pid : 0;
		return 0;
	}
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent || dup2(sock, STDIN_FILENO) < 0 ||
	    dup2(sock, STDOUT_FILENO) < 0)
		_exit(1);
	fd_close(&listener);
	fd_close(&signal_fd);
	(void)sigprocmask(SIG_SETMASK, before, NULL);
	return 1;
}

static void end_all(struct clients *c)
{
	for (size_t i = 0; i < SOCKETS_CLIENTS_MAX; i++)
		if (c->pids[i] > 0)
			(void)kill(c->pids[i], SIGTERM);
	for (size_t i = 0; i < SOCKETS_CLIENTS_MAX; i++)
		if (c->pids[i] > 0)
			(void)waitpid(c->pids[i], NULL, 0);
}

int sockets_serve(const char *path, struct err *e)
{
	struct clients c = { .pids = { 0 } };
	struct sockaddr_un at;
	sigset_t set, before;
	int listener, signal_fd, r = listen_at(path, &at, &listener, e);

	if (r < 0) {
		fd_close(&listener);
		return r;
	}
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, &before);
	signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	for (;;) {
		struct signalfd_siginfo seen = { .ssi_signo = 0 };
		struct pollfd p[] = { { .fd = listener, .events = POLLIN }, { .fd = signal_fd, .events = POLLIN } };

		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents != 0 && read(signal_fd, &seen, sizeof seen) == (ssize_t)sizeof seen &&
		    seen.ssi_signo != SIGCHLD)
			break;
		reap(&c);
		if (p[0].revents != 0 && accept_one(&c, listener, signal_fd, &before) == 1)
			return 1;
	}
	(void)unlink(
		at.sun_path); /* whoever took its place meanwhile is nobody of ours: it was refused as long as we listened */
	end_all(&c);
	fd_close(&listener);
	fd_close(&signal_fd);
	return 0;
}
