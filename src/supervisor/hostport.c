#include "supervisor/hostport.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/sockaddr.h"

#define BACKLOG 128
#define TRIES 16 /* a port that the kernel chose for one family may be another's of the other */

/* A server that ended a moment ago leaves its port behind (TIME_WAIT), and nobody who listens there. */
static int listen_at(int family, uint16_t port)
{
	const struct address loopback = address_loopback(family == AF_INET ? ADDRESS_IPV4 : ADDRESS_IPV6);
	struct sockaddr_storage at;
	const socklen_t n = sockaddr_put(&loopback, port, &at);
	const int on = 1;
	auto_fd int sock = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    bind(sock, (const struct sockaddr *)&at, n) < 0 || listen(sock, BACKLOG) < 0)
		return -errno;
	return steal_fd(&sock);
}

static int port_of(int sock, uint16_t *ret)
{
	struct sockaddr_in at = { .sin_port = 0 };
	socklen_t size = sizeof at;

	if (getsockname(sock, (struct sockaddr *)&at, &size) < 0)
		return -errno;
	*ret = ntohs(at.sin_port);
	return 0;
}

/* No IPv6 on this machine, or none on its loopback. */
static bool is_without(int r)
{
	return r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL;
}

/* How many, or -errno. */
static int listen_at_both(uint16_t port, int ret_fd[2], uint16_t *ret_port)
{
	auto_fd int four = listen_at(AF_INET, port);
	int r = four < 0 ? four : port_of(four, ret_port), six;

	six = r < 0 ? r : listen_at(AF_INET6, *ret_port);
	if (six < 0 && !is_without(six))
		return six;
	ret_fd[0] = steal_fd(&four);
	ret_fd[1] = six;
	return six < 0 ? 1 : 2;
}

int hostport_listen(uint16_t port, int ret_fd[2], uint16_t *ret_port, struct err *e)
{
	int r = -EADDRINUSE;

	for (unsigned i = 0; r == -EADDRINUSE && i < (port == 0 ? TRIES : 1); i++)
		r = listen_at_both(port, ret_fd, ret_port);
	if (r > 0)
		return r;
	if (r == -EADDRINUSE)
		return err_sys(e, AMBIT_CONFLICT, -r,
			       "end what listens there; or choose another port, as in 0:8080: 0 lets the kernel choose",
			       "listen: port %u of the host", port);
	if (r == -EACCES)
		return err_sys(e, AMBIT_DENIED, -r, "choose one from 1024 on for the host, as in 8080:80",
			       "listen: port %u of the host", port);
	return err_sys(e, AMBIT_SYSTEM, -r, NULL, "listen: port %u of the host", port);
}
