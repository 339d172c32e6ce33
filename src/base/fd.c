#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/buf.h"

#define MANY 65536

#define READ_STEP 65536
#define LOCK_LOOK_MS 5

void fd_close(int *fd)
{
	const int saved = errno;

	if (*fd >= 0)
		(void)close(*fd); /* once: Linux frees the number even on EINTR */
	*fd = -1;
	errno = saved;
}

int fd_write_all(int fd, const void *bytes, size_t n)
{
	const char *at = bytes;

	while (n > 0) {
		const ssize_t done = write(fd, at, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

ssize_t fd_read_all(int fd, void *bytes, size_t n)
{
	size_t got = 0;

	while (got < n) {
		const ssize_t done = read(fd, (char *)bytes + got, n - got);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		if (done == 0)
			break;
		got += (size_t)done;
	}
	return (ssize_t)got;
}

int fd_read_into(int fd, struct buf *ret)
{
	ROOM_TO_READ uint8_t piece[READ_STEP];
	ssize_t n;

	do {
		n = fd_read_all(fd, piece, sizeof piece);
		if (n < 0)
			return (int)n;
		if ((size_t)n > ret->max - ret->len)
			return -EFBIG;
		buf_put(ret, piece, (size_t)n);
		if (ret->failed)
			return -ENOMEM;
	} while ((size_t)n == sizeof piece);
	return 0;
}

static int lock(int fd, int how, uint32_t wait_ms)
{
	for (uint32_t waited = 0; flock(fd, how | LOCK_NB) < 0; waited += LOCK_LOOK_MS) {
		if (errno != EWOULDBLOCK || waited >= wait_ms)
			return -errno;
		(void)poll(NULL, 0, LOCK_LOOK_MS);
	}
	return 0;
}

int fd_lock(int fd, uint32_t wait_ms)
{
	return lock(fd, LOCK_EX, wait_ms);
}

int fd_lock_shared(int fd, uint32_t wait_ms)
{
	return lock(fd, LOCK_SH, wait_ms);
}

int fd_reserve_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return -errno;
	(void)close(fd);
	return 0;
}

int fd_open_to_read(const char *path)
{
	auto_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? steal_fd(&fd) : -EINVAL;
}

int fd_create(const char *path, int flags, unsigned mode, int *ret_fd)
{
	const bool special = strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0;
	/* not blocking: a pipe that nobody reads would hold us up */
	const struct open_how how = { .flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (unsigned)flags,
				      .mode = mode,
				      .resolve = RESOLVE_NO_SYMLINKS };
	auto_fd int fd = special ? open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | flags)
				 : (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (special) {
		*ret_fd = steal_fd(&fd);
		return 0;
	}
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENXIO;
	*ret_fd = steal_fd(&fd);
	return fd_set_nonblock(*ret_fd, false);
}

int fd_set_cloexec(int fd, bool on)
{
	return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0 ? -errno : 0;
}

int fd_set_nonblock(int fd, bool on)
{
	const int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	return fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) < 0 ? -errno : 0;
}

union pass_control {
	struct cmsghdr align;
	char room[CMSG_SPACE(FD_PASS_MAX * sizeof(int))];
};

int fd_send(int sock, const void *bytes, size_t n, const int *fds, size_t n_fds)
{
	return fd_send_two(sock, bytes, n, NULL, 0, fds, n_fds);
}

int fd_send_two(int sock, const void *first, size_t n_first, const void *second, size_t n_second, const int *fds,
		size_t n_fds)
{
	union pass_control control;
	struct iovec iov[] = { { .iov_base = (void *)(uintptr_t)first, .iov_len = n_first },
			       { .iov_base = (void *)(uintptr_t)second, .iov_len = n_second } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = n_second > 0 ? 2 : 1 };
	struct cmsghdr *c;

	if (n_fds > FD_PASS_MAX)
		return -EINVAL;
	if (n_fds > 0) {
		memset(&control, 0, sizeof control);
		msg.msg_control = control.room;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = &control.align; /* the first, without CMSG_FIRSTHDR's doubt that there is one */
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	for (;;) {
		if (sendmsg(sock, &msg, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

static void close_passed(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fd_close(&fds[i]);
}

/* Moves the passed descriptors out of the control data. False if more came than there is room for. */
static bool take_passed(struct msghdr *msg, int *ret_fds, size_t *ret_n)
{
	bool fits = true;

	*ret_n = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
			if (*ret_n < FD_PASS_MAX) {
				ret_fds[(*ret_n)++] = fd;
			} else {
				fits = false;
				fd_close(&fd);
			}
		}
	}
	return fits;
}

ssize_t fd_receive(int sock, void *bytes, size_t n, int *ret_fds, size_t *ret_n_fds)
{
	union pass_control control;
	struct iovec iov = { .iov_base = bytes, .iov_len = n };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room
	};
	bool fits, was_reset = false;
	ssize_t got;

	for (;;) {
		got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
		/* once, and before what the peer had sent (Linux 6.1, net/unix): it went without having read all that it was sent */
		if (got < 0 && errno == ECONNRESET && !was_reset)
			was_reset = true;
		else if (got >= 0 || errno != EINTR)
			break;
	}
	*ret_n_fds = 0;
	if (got < 0)
		return -errno;
	fits = take_passed(&msg, ret_fds, ret_n_fds);
	if (!fits || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		close_passed(ret_fds, *ret_n_fds);
		*ret_n_fds = 0;
		return -EMSGSIZE;
	}
	return got;
}

bool fd_is_named(int fd, const char *path)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && stat(path, &named) == 0 && held.st_dev == named.st_dev &&
	       held.st_ino == named.st_ino;
}

void fd_allow_many(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_cur >= MANY)
		return;
	l.rlim_cur = l.rlim_max < MANY ? l.rlim_max : MANY;
	(void)setrlimit(RLIMIT_NOFILE, &l); /* else it goes on with those that it has */
}
