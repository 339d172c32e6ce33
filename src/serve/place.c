#include "serve/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/directory.h"
#include "base/fd.h"
#include "base/num.h"
#include "lib/daemon.h"
#include "lib/state.h"

#define BACKLOG 512
#define PASSED_FIRST 3 /* sd_listen_fds(3) */
#define LOCK "daemon.lock"

void place_init(struct place *p)
{
	*p = (struct place){ .sessions_fd = -1, .native_fd = -1, .rpc_fd = -1, .run_fd = -1 };
}

static int open_place(const char *path, const char *what, int *ret_fd, struct err *e)
{
	const int r = directory_open_own(path, ret_fd);

	if (r == -EPERM)
		return err_set(e, AMBIT_DENIED, "chmod 700 it, if it is yours", "%s is not yours alone", path);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, "set XDG_STATE_HOME and XDG_RUNTIME_DIR to directories of your own",
			       "cannot open %s, for %s", path, what)
		     : 0;
}

/* Two daemons would each take the other's sessions for those of a dead one. */
static int lock(int dir_fd, struct err *e)
{
	auto_fd int fd = openat(dir_fd, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	char text[16];
	int n, r = fd < 0 ? -errno : fd_lock(fd, 0);

	if (r == -EWOULDBLOCK)
		return err_set(e, AMBIT_CONFLICT, "`ambit serve --status` asks it how it is; --stop ends it",
			       "there is a daemon already");
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot lock the directory of sessions");
	n = snprintf(text, sizeof text, "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n)
		return err_sys(e, AMBIT_SYSTEM, errno, "make room", "cannot write in the directory of sessions");
	(void)steal_fd(&fd); /* the lock is held as long as this process is there */
	return 0;
}

static int listen_at(int dir_fd, const char *name, int type, int *ret_fd, struct err *e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	auto_fd int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", dir_fd, name); /* fits */
	(void)unlinkat(dir_fd, name, 0); /* nobody is behind it: we have the lock */
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
	    fchmodat(dir_fd, name, 0600, 0) < 0 || listen(fd, BACKLOG) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, "see who may write there",
			       "cannot listen at the daemon's socket");
	*ret_fd = steal_fd(&fd);
	return 0;
}

/* How many the service manager passed to this very process. */
static uint32_t passed(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	uint32_t n = 0, who;

	if (pid == NULL || count == NULL || !parse_u32(pid, 1, INT_MAX, &who) || who != (uint32_t)getpid() ||
	    !parse_u32(count, 1, 16, &n))
		return 0;
	return n;
}

static int type_of(int fd)
{
	int type = 0;
	socklen_t size = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ? -1 : type;
}

/* By their kind, which is all that tells them apart. */
static int take_passed(struct place *p, uint32_t n, struct err *e)
{
	for (uint32_t i = 0; i < n; i++) {
		const int fd = PASSED_FIRST + (int)i, type = type_of(fd);
		int *place = type == SOCK_SEQPACKET ? &p->native_fd : type == SOCK_STREAM ? &p->rpc_fd : NULL;

		if (place == NULL || *place >= 0)
			return err_set(e, AMBIT_USAGE, "ListenSequentialPacket= and ListenStream=, one of each",
				       "the service manager passed a socket that is none of the daemon's");
		if (fd_set_cloexec(fd, true) < 0 || fd_set_nonblock(fd, true) < 0)
			return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot use a socket of the service manager");
		*place = fd;
	}
	return 0;
}

int place_take(struct place *p, struct err *e)
{
	const uint32_t n = passed();
	char sessions[PATH_MAX], run[PATH_MAX];
	int r;

	if (state_path("sessions", sessions, sizeof sessions) < 0 || runtime_path("", run, sizeof run) < 0)
		return err_set(e, AMBIT_HOST, "set HOME, or XDG_STATE_HOME, to an absolute path",
			       "there is no place for sessions");
	r = n > 0 ? take_passed(p, n, e) : 0;
	r = r < 0 ? r : open_place(sessions, "sessions", &p->sessions_fd, e);
	r = r < 0 ? r : lock(p->sessions_fd, e);
	if (r < 0 || (p->native_fd >= 0 && p->rpc_fd >= 0))
		return r;
	r = open_place(run, "the daemon's sockets", &p->run_fd, e);
	if (r == 0 && p->native_fd < 0)
		r = listen_at(p->run_fd, DAEMON_NATIVE, SOCK_SEQPACKET, &p->native_fd, e);
	if (r == 0 && p->rpc_fd < 0)
		r = listen_at(p->run_fd, DAEMON_RPC, SOCK_STREAM, &p->rpc_fd, e);
	return r;
}

void place_shut(struct place *p)
{
	if (p->run_fd >= 0) {
		(void)unlinkat(p->run_fd, DAEMON_NATIVE, 0); /* whoever comes next finds nobody, and starts another */
		(void)unlinkat(p->run_fd, DAEMON_RPC, 0);
	}
	fd_close(&p->native_fd);
	fd_close(&p->rpc_fd);
	fd_close(&p->run_fd);
}

void place_leave(struct place *p)
{
	place_shut(p);
	fd_close(&p->sessions_fd);
}

int place_accept(int listen_fd)
{
	auto_fd int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer;
	socklen_t size = sizeof peer;

	if (fd < 0)
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != geteuid())
		return -EAGAIN;
	return steal_fd(&fd);
}
