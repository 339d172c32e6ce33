#include "dial/own.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct request {
	struct nlmsghdr head;
	struct rtmsg route;
	struct rtattr to_head;
	uint8_t to[16];
};

/* As the kernel has it: what answers is a route, or an error. */
union answer {
	struct nlmsghdr head;
	struct {
		struct nlmsghdr head;
		struct rtmsg route;
	} found;
	uint8_t room[4096];
};

int own_open(void)
{
	const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return fd < 0 ? -errno : fd;
}

static bool ask(int netlink, const struct address *a)
{
	const bool four = a->family == ADDRESS_IPV4;
	const size_t n = four ? 4 : 16;
	struct request q = { .head = { .nlmsg_len = (uint32_t)(sizeof q.head + sizeof q.route + RTA_LENGTH(n)),
				       .nlmsg_type = RTM_GETROUTE,
				       .nlmsg_flags = NLM_F_REQUEST },
			     .route = { .rtm_family = four ? AF_INET : AF_INET6, .rtm_dst_len = four ? 32 : 128 },
			     .to_head = { .rta_len = (unsigned short)RTA_LENGTH(n), .rta_type = RTA_DST } };
	struct iovec all = { &q, q.head.nlmsg_len };
	const struct msghdr m = { .msg_iov = &all, .msg_iovlen = 1 };

	memcpy(q.to, a->bytes, n);
	return sendmsg(netlink, &m, MSG_NOSIGNAL) == (ssize_t)q.head.nlmsg_len;
}

/* It is there when ask() comes back. */
static size_t hear(int netlink, union answer *ret)
{
	struct iovec all = { ret, sizeof *ret };
	struct msghdr m = { .msg_iov = &all, .msg_iovlen = 1 };
	const ssize_t n = recvmsg(netlink, &m, MSG_DONTWAIT);

	return n < 0 ? 0 : (size_t)n;
}

bool own_has(int netlink, const struct address *a)
{
	union answer answer;
	size_t n;

	if (!ask(netlink, a))
		return true;
	n = hear(netlink, &answer);
	if (n >= sizeof answer.found && answer.head.nlmsg_type == RTM_NEWROUTE)
		return answer.found.route.rtm_type == RTN_LOCAL;
	return n < sizeof answer.head || answer.head.nlmsg_type != NLMSG_ERROR; /* an error: nothing leads there */
}
