/* What listens in the cell's network for somebody outside. Whoever connects to it reaches the role that holds the socket, in whatever
 * network that is; there is no route, no interface but the loopback, and nobody else. Addresses are given to the loopback, so that
 * programs see a network of the family that they are about to use (AI_ADDRCONFIG of getaddrinfo(3)). rtnetlink(7). */
#include "cell/build.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/endpoint.h"
#include "core/sockaddr.h"

#define BACKLOG 1024
#define LOOPBACK 1 /* its index: the first interface of each network (drivers/net/loopback.c) */

struct address_request {
	struct nlmsghdr head;
	struct ifaddrmsg what;
	struct rtattr attribute;
	uint8_t bytes[16];
};

struct route_request {
	struct nlmsghdr head;
	struct rtmsg what;
	struct rtattr device_head;
	uint32_t device;
	struct rtattr to_head;
	uint8_t to[16];
};

/* CELL_RESPONDER, as bytes. */
static const struct address responder = { .family = ADDRESS_IPV4, .bytes = { 192, 0, 2, 53 } };
#define RESPONDER_PORT 53

static unsigned length_of(const struct address *a)
{
	return a->family == ADDRESS_IPV4 ? 4 : 16;
}

static struct address_request new_address(const struct address *a)
{
	const unsigned n = length_of(a);
	struct address_request r = {
		.head = { .nlmsg_len = NLMSG_LENGTH(sizeof r.what) + RTA_LENGTH(n),
			  .nlmsg_type = RTM_NEWADDR,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE },
		.what = { .ifa_family = a->family == ADDRESS_IPV4 ? AF_INET : AF_INET6,
			  .ifa_prefixlen = (uint8_t)(8 * n),
			  .ifa_flags = IFA_F_NODAD, /* nobody else is there who could have it */
			  .ifa_scope = RT_SCOPE_UNIVERSE,
			  .ifa_index = LOOPBACK },
		.attribute = { .rta_len = (unsigned short)RTA_LENGTH(n), .rta_type = IFA_LOCAL },
	};

	memcpy(r.bytes, a->bytes, n);
	return r;
}

/* 0, also if it is so already. */
static int tell(int netlink, const void *request, size_t size)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		uint8_t rest[sizeof(struct route_request)];
	} answer;
	ssize_t n;

	if (send(netlink, request, size, 0) < 0)
		return -errno;
	n = recv(netlink, &answer, sizeof answer, 0);
	if (n < (ssize_t)(sizeof answer.head + sizeof answer.error) || answer.head.nlmsg_type != NLMSG_ERROR)
		return n < 0 ? -errno : -EPROTO;
	return answer.error.error == -EEXIST ? 0 : answer.error.error;
}

static bool is_loopback(const struct address *a)
{
	static const struct address ipv6_loopback = { .family = ADDRESS_IPV6, .bytes = { [15] = 1 } };

	return a->family == ADDRESS_IPV4 ? a->bytes[0] == 127 : address_is_same(a, &ipv6_loopback);
}

static int give_address(int netlink, const struct address *a)
{
	const struct address_request request = new_address(a);

	return is_loopback(a) ? 0 : tell(netlink, &request, request.head.nlmsg_len);
}

/* Whatever is sent to one of these addresses stays here, as if each were the loopback's. */
static struct route_request new_route(const struct address_range *to)
{
	const unsigned n = length_of(&to->base);
	struct route_request r = {
		.head = { .nlmsg_len = sizeof r.head + sizeof r.what + RTA_LENGTH(sizeof r.device) + RTA_LENGTH(n),
			  .nlmsg_type = RTM_NEWROUTE,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE },
		.what = { .rtm_family = to->base.family == ADDRESS_IPV4 ? AF_INET : AF_INET6,
			  .rtm_dst_len = to->prefix,
			  .rtm_table = RT_TABLE_LOCAL,
			  .rtm_protocol = RTPROT_BOOT,
			  .rtm_scope = RT_SCOPE_HOST,
			  .rtm_type = RTN_LOCAL },
		.device_head = { .rta_len = RTA_LENGTH(sizeof r.device), .rta_type = RTA_OIF },
		.device = LOOPBACK,
		.to_head = { .rta_len = (unsigned short)RTA_LENGTH(n), .rta_type = RTA_DST },
	};

	memcpy(r.to, to->base.bytes, n);
	return r;
}

static int give_route(int netlink, const struct address_range *to)
{
	const struct route_request request = new_route(to);

	return tell(netlink, &request, request.head.nlmsg_len);
}

static int give_any(int netlink, bool six)
{
	static const struct address_range all = { .base.family = ADDRESS_IPV4 }, all6 = { .base.family = ADDRESS_IPV6 };
	const int r = give_route(netlink, &all);

	return r < 0 || !six ? r : give_route(netlink, &all6);
}

static int give(int netlink, const struct cell_spec *spec, const struct cell_endpoint *p)
{
	static const struct address_range names = { .base = { ADDRESS_IPV4, { 198, 19 } }, .prefix = 16 };

	switch ((enum endpoint_kind)p->kind) {
	case ENDPOINT_NAME: return give_address(netlink, &p->at.base);
	case ENDPOINT_PATTERN: return give_route(netlink, &names); /* net/targets.h */
	case ENDPOINT_RANGE:
		return address_range_is_one(&p->at) ? give_address(netlink, &p->at.base) : give_route(netlink, &p->at);
	case ENDPOINT_ANY: return give_any(netlink, (spec->flags & CELL_NO_IPV6) == 0);
	case ENDPOINT_UNIX:
	case ENDPOINT_SSH: break;
	}
	return 0;
}

static int give_addresses(const struct cell_spec *spec)
{
	auto_fd int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int r = netlink < 0 ? -errno : 0;

	for (uint32_t i = 0; i < spec->n_endpoints && r == 0; i++)
		r = give(netlink, spec, &spec->endpoints[i]);
	return r < 0 || !spec_has_responder(spec) ? r : give_address(netlink, &responder);
}

static int bind_to(int sock, const struct address *a, uint16_t port)
{
	struct sockaddr_storage at;
	const socklen_t n = sockaddr_put(a, port, &at);

	return bind(sock, (const struct sockaddr *)&at, n);
}

/* Not to be bound over: neither SO_REUSEADDR nor SO_REUSEPORT. Of IPv6 alone, so that both families have their own. */
static int open_at(const struct address *a, uint16_t port, int type, int *ret_fd)
{
	auto_fd int sock = socket(a->family == ADDRESS_IPV4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK,
				  0);
	const int on = 1;

	if (sock < 0 ||
	    (a->family == ADDRESS_IPV6 && setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0) ||
	    bind_to(sock, a, port) < 0 || (type == SOCK_STREAM && listen(sock, BACKLOG) < 0))
		return -errno;
	*ret_fd = steal_fd(&sock);
	return 0;
}

static int open_one(const struct cell_spec *spec, uint32_t i, enum cell_listening how, int *ret_fd)
{
	static const struct address all = { .family = ADDRESS_IPV4 }, all6 = { .family = ADDRESS_IPV6 };
	const struct cell_endpoint *p = &spec->endpoints[i];

	switch (how) {
	case CELL_LISTENS_AT: return open_at(&p->at.base, p->port, SOCK_STREAM, ret_fd);
	case CELL_LISTENS_IPV4: return open_at(&all, p->port, SOCK_STREAM, ret_fd);
	case CELL_LISTENS_IPV6: return open_at(&all6, p->port, SOCK_STREAM, ret_fd);
	case CELL_LISTENS_UDP: return open_at(&responder, RESPONDER_PORT, SOCK_DGRAM, ret_fd);
	case CELL_LISTENS_TCP: return open_at(&responder, RESPONDER_PORT, SOCK_STREAM, ret_fd);
	case CELL_LISTENS_PATH: break; /* sockets_listen() */
	}
	return -EINVAL;
}

/* By these somebody outside connects to servers in here: from within, for there is no other way. A kernel without IPv6 has half of them. */
static int fill_pool(struct cell_made *made)
{
	static const int families[] = { AF_INET, AF_INET6 };

	for (size_t f = 0; f < sizeof families / sizeof families[0]; f++)
		for (uint32_t i = 0; i < CELL_POOL_SOCKETS; i++) {
			const int sock = socket(families[f], SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

			if (sock < 0 && families[f] == AF_INET6 && errno == EAFNOSUPPORT)
				return 0;
			if (sock < 0)
				return -errno;
			made->pool_fd[made->n_pool++] = sock;
		}
	return 0;
}

int endpoints_open(const struct cell_spec *spec, struct cell_made *made, struct cell_failure *f)
{
	int r = spec->n_endpoints == 0 ? 0 : give_addresses(spec);
	enum cell_listening how;
	uint32_t i;

	if (r < 0)
		return build_failed(f, STEP_ENDPOINT, -r);
	while (spec_listener(spec, made->n_sockets, &i, &how)) {
		int *const fd = &made->endpoint_fd[made->n_sockets];

		if (how == CELL_LISTENS_PATH)
			r = sockets_listen(spec, i, made, fd, f);
		else if ((r = open_one(spec, i, how, fd)) < 0)
			(void)build_failed(f, STEP_ENDPOINT, -r);
		if (r < 0)
			return -1;
		made->n_sockets++;
	}
	r = (spec->flags & CELL_SERVES) != 0 ? fill_pool(made) : 0;
	return r < 0 ? build_failed(f, STEP_ENDPOINT, -r) : 0;
}
