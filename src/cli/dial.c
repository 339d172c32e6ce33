#include "cli/dial.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

#define PATIENCE_MS 10000 /* for one address */
#define ADDRESSES_MAX 4

/* 0, or why it did not connect: an error number. */
static int finish(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int error = 0, r;
	socklen_t size = sizeof error;

	do
		r = poll(&p, 1, PATIENCE_MS);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return ETIMEDOUT;
	return r < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}

static int connect_one(const struct addrinfo *a, int *ret_fd)
{
	auto_fd int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
	int error;

	if (fd < 0)
		return errno;
	error = connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
	if (error == EINPROGRESS || error == EINTR)
		error = finish(fd);
	if (error == 0)
		*ret_fd = steal_fd(&fd);
	return error;
}

int dial(const struct witness_url *url, int *ret_fd, struct err *e)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	const int r = getaddrinfo(url->host, url->port, &hints, &list);
	int error = EHOSTUNREACH, tried = 0;

	if (r != 0)
		return err_why(e,
			       err_set(e, AMBIT_HOST, "is the name right, and this machine connected?",
				       "there is no address for %s", url->host),
			       "%s", gai_strerror(r));
	for (const struct addrinfo *a = list; a != NULL && error != 0 && tried < ADDRESSES_MAX; a = a->ai_next, tried++)
		error = connect_one(a, ret_fd);
	freeaddrinfo(list);
	return error == 0 ? 0
			  : err_sys(e, AMBIT_SYSTEM, error, "try again later", "cannot connect to %s, port %s",
				    url->host, url->port);
}
