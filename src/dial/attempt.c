#include "dial/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/sockaddr.h"

#define UNSENT_MAX (256 << 10)

void attempt_init(struct attempt *a, uint16_t port)
{
	*a = (struct attempt){ .port = port, .sys_errno = EHOSTUNREACH };
	for (uint32_t i = 0; i < RESOLVED_MAX; i++)
		a->fd[i] = -1;
}

void attempt_finish(struct attempt *a)
{
	for (uint32_t i = 0; i < RESOLVED_MAX; i++)
		fd_close(&a->fd[i]);
	a->n = a->next = a->pending = 0;
}

void attempt_add(struct attempt *a, const struct address *address)
{
	if (a->n < RESOLVED_MAX)
		a->address[a->n++] = *address;
}

void attempt_add_socket(struct attempt *a, int dir_fd, const char *name)
{
	a->dir_fd = dir_fd;
	a->name = name;
}

/* The families take turns. */
void attempt_add_public(struct attempt *a, const struct resolved *found)
{
	const uint8_t first = found->n > 0 ? found->address[0].family : 0;
	uint32_t at[2] = { 0, 0 }; /* of the first family, and of the other */

	for (unsigned turn = 0; at[0] < found->n || at[1] < found->n; turn++) {
		uint32_t *i = &at[turn % 2];

		while (*i < found->n && (found->address[*i].family == first) != (turn % 2 == 0))
			++*i;
		if (*i < found->n && address_kind(&found->address[*i]) == ADDRESS_PUBLIC)
			attempt_add(a, &found->address[*i]);
		*i += *i < found->n;
	}
	if (a->n == 0)
		a->sys_errno = found->n > 0 ? EPERM : EHOSTUNREACH;
}

static int connect_to(int sock, const struct address *a, uint16_t port)
{
	struct sockaddr_storage at;
	const socklen_t n = sockaddr_put(a, port, &at);

	return connect(sock, (const struct sockaddr *)&at, n);
}

/* 1. Small pieces are passed on as they came.
 * 2. A host that went without a word is missed.
 * 3. One that takes nothing more holds this much of the kernel's memory, which is the host's and nobody's limit, and not megabytes; what is on
 *    its way does not count, so nothing is slower (tcp(7), TCP_NOTSENT_LOWAT). */
static void prepare(int sock)
{
	const int on = 1, waiting = UNSENT_MAX;

	(void)setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(sock, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	(void)setsockopt(sock, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &waiting, sizeof waiting);
}

/* 1: connected at once. */
static int begin(struct attempt *a, uint32_t i)
{
	auto_fd int sock = socket(a->address[i].family == ADDRESS_IPV4 ? AF_INET : AF_INET6,
				  SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (sock >= 0)
		prepare(sock);
	r = sock < 0 ? -1 : connect_to(sock, &a->address[i], a->port);
	if (r < 0 && errno != EINPROGRESS) {
		a->sys_errno = errno;
		return -1;
	}
	a->fd[i] = steal_fd(&sock);
	a->pending++;
	return r == 0;
}

/* The very file that was looked at is connected to, whatever has its name by then. Owned, or -errno. */
static int connect_to_file(int file)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	auto_fd int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(to.sun_path, sizeof to.sun_path, "/proc/self/fd/%d", file); /* it fits */
	return sock < 0 || connect(sock, (const struct sockaddr *)&to, sizeof to) < 0 ? -errno : steal_fd(&sock);
}

static int connect_to_name(int dir_fd, const char *name)
{
	/* not openat(): a C library may add flags, and these are all that the role may use */
	auto_fd int file = (int)syscall(SYS_openat, dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (file < 0 || fstat(file, &st) < 0)
		return -errno;
	return S_ISSOCK(st.st_mode) ? connect_to_file(file) : -ENOTSOCK;
}

static int step_socket(struct attempt *a, uint64_t now_ms, int *ret_fd)
{
	const int r = connect_to_name(a->dir_fd, a->name);

	if (r == -EAGAIN && now_ms < a->end_ms) {
		a->next_ms = now_ms + ATTEMPT_QUEUE_MS;
		return 0;
	}
	a->sys_errno = r == -EAGAIN ? ETIMEDOUT : -r;
	*ret_fd = r;
	return r < 0 ? -1 : 1;
}

static void fail(struct attempt *a, uint32_t i, int sys_errno)
{
	a->sys_errno = sys_errno;
	fd_close(&a->fd[i]);
	a->pending--;
}

/* True if it is connected. */
static bool look(struct attempt *a, uint32_t i)
{
	struct pollfd p = { .fd = a->fd[i], .events = POLLOUT };
	int why = 0;
	socklen_t size = sizeof why;

	if (a->fd[i] < 0 || poll(&p, 1, 0) != 1)
		return false;
	if (getsockopt(a->fd[i], SOL_SOCKET, SO_ERROR, &why, &size) < 0)
		why = errno;
	if (why == 0)
		return true;
	fail(a, i, why);
	return false;
}

static int take(struct attempt *a, uint32_t i, int *ret_fd)
{
	*ret_fd = steal_fd(&a->fd[i]);
	attempt_finish(a);
	return 1;
}

int attempt_step(struct attempt *a, uint64_t now_ms, int *ret_fd)
{
	if (a->end_ms == 0)
		a->end_ms = now_ms + DIAL_PATIENCE_MS;
	if (a->name != NULL)
		return now_ms < a->next_ms ? 0 : step_socket(a, now_ms, ret_fd);
	for (uint32_t i = 0; i < a->next; i++)
		if (look(a, i))
			return take(a, i, ret_fd);
	while (a->next < a->n && (a->pending == 0 || now_ms >= a->next_ms)) {
		const uint32_t i = a->next++;

		if (begin(a, i) == 1)
			return take(a, i, ret_fd);
		a->next_ms = now_ms + ATTEMPT_DELAY_MS;
	}
	if (a->pending > 0 && now_ms < a->end_ms)
		return 0;
	if (a->pending > 0)
		a->sys_errno = ETIMEDOUT;
	attempt_finish(a);
	return -1;
}

unsigned attempt_watch(const struct attempt *a, struct pollfd *p)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < a->next; i++)
		if (a->fd[i] >= 0)
			p[n++] = (struct pollfd){ .fd = a->fd[i], .events = POLLOUT };
	return n;
}

uint64_t attempt_due(const struct attempt *a)
{
	return (a->next < a->n || a->name != NULL) && a->next_ms < a->end_ms ? a->next_ms : a->end_ms;
}
