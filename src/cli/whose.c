#include "cli/whose.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

#define ESTABLISHED 1 /* TCP_ESTABLISHED */

struct end {
	uint16_t port; /* in network order, as all here */
	uint32_t address[4];
};

static bool take_end(const struct sockaddr_storage *at, struct end *ret)
{
	*ret = (struct end){ .port = 0 };
	if (at->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)at;

		ret->port = in->sin_port;
		ret->address[0] = in->sin_addr.s_addr;
		return true;
	}
	if (at->ss_family != AF_INET6)
		return false;
	ret->port = ((const struct sockaddr_in6 *)(const void *)at)->sin6_port;
	memcpy(ret->address, &((const struct sockaddr_in6 *)(const void *)at)->sin6_addr, sizeof ret->address);
	return true;
}

struct question {
	struct nlmsghdr head;
	struct inet_diag_req_v2 body;
};

/* The other end is a socket of this machine, which sees the two addresses the other way round. */
static bool make_question(int sock, struct question *ret)
{
	struct sockaddr_storage ours = { .ss_family = AF_UNSPEC }, theirs = { .ss_family = AF_UNSPEC };
	socklen_t n_ours = sizeof ours, n_theirs = sizeof theirs;
	struct end a, b;

	if (getsockname(sock, (struct sockaddr *)&ours, &n_ours) < 0 ||
	    getpeername(sock, (struct sockaddr *)&theirs, &n_theirs) < 0 || !take_end(&ours, &a) ||
	    !take_end(&theirs, &b))
		return false;
	*ret = (struct question){
		.head = { .nlmsg_len = sizeof *ret, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST },
		.body = { .sdiag_family = (uint8_t)ours.ss_family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0u }
	};
	ret->body.id.idiag_sport = b.port;
	ret->body.id.idiag_dport = a.port;
	memcpy(ret->body.id.idiag_src, b.address, sizeof b.address);
	memcpy(ret->body.id.idiag_dst, a.address, sizeof a.address);
	ret->body.id.idiag_cookie[0] = ret->body.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	return true;
}

/* False: there is no such socket, or not one that is whole. */
static bool ask(int netlink, const struct question *q, uint32_t *ret_uid)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_msg body;
		uint8_t more[512];
	} answer = { .head = { .nlmsg_len = 0 } };
	ssize_t n;

	if (send(netlink, q, sizeof *q, 0) != (ssize_t)sizeof *q)
		return false;
	n = recv(netlink, &answer, sizeof answer, 0);
	if (n < (ssize_t)(sizeof answer.head + sizeof answer.body) || answer.head.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    answer.body.idiag_state != ESTABLISHED || answer.body.id.idiag_sport != q->body.id.idiag_sport ||
	    answer.body.id.idiag_dport != q->body.id.idiag_dport)
		return false;
	*ret_uid = answer.body.idiag_uid;
	return true;
}

/* Twice: between its state and its user a socket may be closed, and is root's then. Who is whole the second time was so when the first answer was written. */
bool whose_is_ours(int sock)
{
	auto_fd int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct question q;
	uint32_t uid, again;

	return netlink >= 0 && make_question(sock, &q) && ask(netlink, &q, &uid) && ask(netlink, &q, &again) &&
	       uid == geteuid();
}
