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
#include "lib/daemon_place.h"
#include "lib/state.h"

#define BACKLOG 512
#define PASSED_FIRST 3 /* sd_listen_fds(3) */

void place_init(struct place *p)
{
	*p = (struct place){ .sessions_fd = -1,
			     .lock_fd = -1,
			     .native_fd = -1,
			     .rpc_fd = -1,
			     .pool_fd = -1,
			     .run_fd = -1,
			     .run_lock_fd = -1 };
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

/* The lock is held as long as this process is there. Two daemons of one directory of sessions would each take the other's for those of a dead one; of one
 * directory of sockets, each the other's place. */
static int lock(int dir_fd, const char *busy, int *ret_fd, struct err *e)
{
	auto_fd int fd = openat(dir_fd, DAEMON_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	const int r = fd < 0 ? -errno : fd_lock(fd, 0);

	if (r == -EWOULDBLOCK)
		return err_set(e, AMBIT_CONFLICT, "`ambit serve --status` asks it how it is; --stop ends it", "%s",
			       busy);
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot lock the daemon's place");
	*ret_fd = steal_fd(&fd);
	return 0;
}

/* Who it is, and where it is met. */
static int write_down(int lock_fd, const char *run, struct err *e)
{
	char text[PATH_MAX + 32];
	const int n = snprintf(text, sizeof text, "%d\n%s\n", (int)getpid(), run); /* fits */

	if (strchr(run, '\n') != NULL) /* who reads it would look elsewhere */
		return err_set(e, AMBIT_USAGE, "choose another XDG_RUNTIME_DIR",
			       "the directory of sockets has a line break in its name");
	return ftruncate(lock_fd, 0) < 0 || pwrite(lock_fd, text, (size_t)n, 0) != n
		       ? err_sys(e, AMBIT_SYSTEM, errno, "make room", "cannot write in the directory of sessions")
		       : 0;
}

/* Of a socket that was passed: where whoever made it put it. */
static void directory_of(int listen_fd, char ret[PATH_MAX])
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	socklen_t size = sizeof at;
	char *slash;

	if (getsockname(listen_fd, (struct sockaddr *)&at, &size) < 0 || at.sun_path[0] != '/')
		return; /* where this environment has it, as far as anybody knows */
	(void)snprintf(ret, PATH_MAX, "%.*s", (int)sizeof at.sun_path, at.sun_path); /* fits */
	slash = strrchr(ret, '/');
	if (slash != NULL)
		*slash = 0;
}

static int listen_at(int dir_fd, const char *name, int type, int *ret_fd, struct err *e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	auto_fd int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", dir_fd, name); /* fits */
	(void)unlinkat(dir_fd, name, 0); /* nobody is behind it: we have the lock of this directory */
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
	r = r < 0 ? r : lock(p->sessions_fd, "there is a daemon already", &p->lock_fd, e);
	if (r == 0 && n > 0)
		directory_of(p->native_fd >= 0 ? p->native_fd : p->rpc_fd, run);
	r = r < 0 ? r : write_down(p->lock_fd, run, e);
	if (r < 0 || (p->native_fd >= 0 && p->rpc_fd >= 0))
		return r;
	r = open_place(run, "the daemon's sockets", &p->run_fd, e);
	r = r < 0 ? r
		  : lock(p->run_fd, "a daemon with another XDG_STATE_HOME listens in this XDG_RUNTIME_DIR already",
			 &p->run_lock_fd, e);
	if (r == 0 && p->native_fd < 0)
		r = listen_at(p->run_fd, DAEMON_NATIVE, SOCK_SEQPACKET, &p->native_fd, e);
	if (r == 0 && p->rpc_fd < 0)
		r = listen_at(p->run_fd, DAEMON_RPC, SOCK_STREAM, &p->rpc_fd, e);
	return r < 0 ? r : place_listen_for_pool(p, e);
}

int place_listen_for_pool(struct place *p, struct err *e)
{
	return p->run_fd < 0 ? 0 : listen_at(p->run_fd, DAEMON_POOL, SOCK_SEQPACKET, &p->pool_fd, e);
}

void place_shut(struct place *p)
{
	if (p->run_fd >= 0) {
		(void)unlinkat(p->run_fd, DAEMON_NATIVE, 0); /* whoever comes next finds nobody, and starts another */
		(void)unlinkat(p->run_fd, DAEMON_RPC, 0);
		(void)unlinkat(p->run_fd, DAEMON_POOL, 0);
	}
	fd_close(&p->native_fd);
	fd_close(&p->rpc_fd);
	fd_close(&p->pool_fd);
	fd_close(&p->run_fd);
}

void place_leave(struct place *p)
{
	place_shut(p);
	fd_close(&p->run_lock_fd);
	fd_close(&p->lock_fd);
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
