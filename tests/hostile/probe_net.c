/* Networks. The server of run.py answers MARKER to whoever says anything. */
#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <linux/if_alg.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "probe.h"

union any_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* args[0]: address of either family, args[1]: port. */
static socklen_t address(struct attempt *a, union any_address *ret)
{
	const in_port_t port = htons((in_port_t)number(a->args[1]));

	memset(ret, 0, sizeof *ret);
	if (inet_pton(AF_INET, a->args[0], &ret->v4.sin_addr) == 1) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = port;
		return sizeof ret->v4;
	}
	if (inet_pton(AF_INET6, a->args[0], &ret->v6.sin6_addr) != 1)
		return 0;
	ret->v6.sin6_family = AF_INET6;
	ret->v6.sin6_port = port;
	return sizeof ret->v6;
}

static int patient_socket(int family, int type, int protocol)
{
	const struct timeval patience = { .tv_sec = 2 };
	const int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	if (fd >= 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	}
	return fd;
}

static int talk(struct attempt *a, int type, int protocol)
{
	union any_address to;
	const socklen_t n = address(a, &to);
	const int fd = n == 0 ? -1 : patient_socket(to.any.sa_family, type, protocol);

	if (fd < 0 || connect(fd, &to.any, n) < 0 || send(fd, "?\n", 2, MSG_NOSIGNAL) < 0)
		return -errno;
	return find_marker(fd, a);
}

static int tcp(struct attempt *a)
{
	return talk(a, SOCK_STREAM, 0);
}

static int udp(struct attempt *a)
{
	return talk(a, SOCK_DGRAM, 0);
}

static int udp_lite(struct attempt *a)
{
	return talk(a, SOCK_DGRAM, IPPROTO_UDPLITE);
}

static int mptcp(struct attempt *a)
{
	return talk(a, SOCK_STREAM, 262 /* IPPROTO_MPTCP */);
}

static int sctp(struct attempt *a)
{
	return talk(a, SOCK_STREAM, IPPROTO_SCTP);
}

static int dccp(struct attempt *a)
{
	return talk(a, SOCK_DCCP, IPPROTO_DCCP);
}

static int udp_sendto(struct attempt *a)
{
	union any_address to;
	const socklen_t n = address(a, &to);
	const int fd = n == 0 ? -1 : patient_socket(to.any.sa_family, SOCK_DGRAM, 0);

	if (fd < 0 || sendto(fd, "?\n", 2, MSG_NOSIGNAL, &to.any, n) < 0)
		return -errno;
	return find_marker(fd, a);
}

static int udp_sendmsg(struct attempt *a)
{
	union any_address to;
	struct iovec text = { (char[]){ "?\n" }, 2 };
	struct msghdr m = { .msg_name = &to, .msg_namelen = address(a, &to), .msg_iov = &text, .msg_iovlen = 1 };
	const int fd = m.msg_namelen == 0 ? -1 : patient_socket(to.any.sa_family, SOCK_DGRAM, 0);

	if (fd < 0 || sendmsg(fd, &m, MSG_NOSIGNAL) < 0)
		return -errno;
	return find_marker(fd, a);
}

static int tcp_fast_open(struct attempt *a)
{
	union any_address to;
	const socklen_t n = address(a, &to);
	const int fd = n == 0 ? -1 : patient_socket(to.any.sa_family, SOCK_STREAM, 0);

	if (fd < 0 || sendto(fd, "?\n", 2, MSG_FASTOPEN | MSG_NOSIGNAL, &to.any, n) < 0)
		return -errno;
	return find_marker(fd, a);
}

/* Somebody outside connects to args[1] on args[0] all the time. */
static int is_reached(struct attempt *a)
{
	union any_address at;
	const socklen_t n = address(a, &at);
	const int on = 1, fd = patient_socket(at.any.sa_family, SOCK_STREAM, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0 || n == 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, &at.any, n) < 0 || listen(fd, 4) < 0)
		return -errno;
	return poll(&p, 1, 1000) == 1 ? said(a, "connected to from outside") : -ETIMEDOUT;
}

/* args: family, type, protocol. There is nothing of the cell's own behind these: to have one is to reach outside. */
static int any_socket(struct attempt *a)
{
	const int fd = socket((int)number(a->args[0]), (int)number(a->args[1]) | SOCK_CLOEXEC, (int)number(a->args[2]));

	return fd < 0 ? -errno : said(a, "a socket");
}

static int any_pair(struct attempt *a)
{
	int pair[2];

	return got(socketpair((int)number(a->args[0]), SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
}

static int crypto(struct attempt *a)
{
	struct sockaddr_alg at = { .salg_family = AF_ALG, .salg_type = "hash", .salg_name = "sha256" };
	const int fd = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0)
		return -errno;
	return said(a, "a hash from the kernel");
}

static int ping(struct attempt *a)
{
	union any_address to;
	const struct icmphdr echo = { .type = ICMP_ECHO };
	char answer[64];
	const socklen_t n = address(a, &to);
	const int fd = n == 0 ? -1 : patient_socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);

	if (fd < 0 || sendto(fd, &echo, sizeof echo, 0, &to.any, n) < 0)
		return -errno;
	return got(recv(fd, answer, sizeof answer, 0));
}

static int look_for_link(const char *bytes, size_t n, const char *name)
{
	const struct nlmsghdr *h = (const void *)bytes;

	for (size_t left = n; NLMSG_OK(h, (unsigned)left);
	     left -= NLMSG_ALIGN(h->nlmsg_len), h = (const void *)(bytes + (n - left))) {
		if (h->nlmsg_type == NLMSG_DONE)
			return -ENODATA;
		if (memmem(h, h->nlmsg_len, name, strlen(name) + 1) != NULL)
			return 0;
	}
	return 1;
}

/* args[0]: an interface of the host. */
static int host_links(struct attempt *a)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg body;
	} request = { .head = { .nlmsg_len = sizeof request,
				.nlmsg_type = RTM_GETLINK,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };
	static char bytes[65536] __attribute__((aligned(8)));
	const int fd = patient_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	int r = 1;

	if (fd < 0 || send(fd, &request, sizeof request, 0) < 0)
		return -errno;
	while (r > 0) {
		const ssize_t n = recv(fd, bytes, sizeof bytes, 0);

		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
		r = look_for_link(bytes, (size_t)n, a->args[0]);
	}
	return r == 0 ? said(a, "%s is there", a->args[0]) : r;
}

const struct probe probes_net[] = {
	{ "tcp", 2, .tries = tcp },
	{ "tcp-fast-open", 2, .tries = tcp_fast_open },
	{ "udp", 2, .tries = udp },
	{ "udp-sendto", 2, .tries = udp_sendto },
	{ "udp-sendmsg", 2, .tries = udp_sendmsg },
	{ "udp-lite", 2, .tries = udp_lite },
	{ "mptcp", 2, .tries = mptcp },
	{ "sctp", 2, .tries = sctp },
	{ "dccp", 2, .tries = dccp },
	{ "listen", 2, .tries = is_reached },
	{ "ping", 2, .tries = ping },
	{ "socket", 3, .tries = any_socket },
	{ "socketpair", 1, .tries = any_pair },
	{ "crypto", 0, .tries = crypto },
	{ "netlink-links", 1, .tries = host_links },
	{ .name = NULL },
};
