#include "net/responder.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

#define DATAGRAMS 32 /* before others have their turn */

void responder_init(struct responder *r)
{
	r->udp = r->tcp = -1;
	r->turns = 0;
	for (uint32_t i = 0; i < RESPONDER_CLIENTS; i++)
		r->client[i].fd = -1;
}

void responder_finish(struct responder *r)
{
	fd_close(&r->udp);
	fd_close(&r->tcp);
	for (uint32_t i = 0; i < RESPONDER_CLIENTS; i++)
		fd_close(&r->client[i].fd);
}

void responder_serve_udp(struct responder *r, const struct dns_hosts *hosts)
{
	for (unsigned i = 0; i < DATAGRAMS; i++) {
		uint8_t query[DNS_QUERY_MAX + 1], answer[DNS_ANSWER_MAX]; /* one more byte tells of more */
		struct sockaddr_in from;
		struct iovec iov = { .iov_base = query, .iov_len = sizeof query };
		struct msghdr msg = { .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov, .msg_iovlen = 1 };
		const ssize_t n = recvmsg(r->udp, &msg, MSG_DONTWAIT);
		const size_t size = n < 0 ? 0 : dns_answer(hosts, query, (size_t)n, answer);

		if (n < 0)
			return;
		if (size > 0)
			(void)sendto(r->udp, answer, size, MSG_DONTWAIT, (const struct sockaddr *)&from,
				     msg.msg_namelen);
	}
}

int responder_accept(struct responder *r)
{
	const int fd = accept4(r->tcp, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	uint32_t at = 0;

	if (fd < 0)
		return -1;
	for (uint32_t i = 0; i < RESPONDER_CLIENTS && r->client[at].fd >= 0; i++)
		if (r->client[i].fd < 0 || r->client[i].used < r->client[at].used)
			at = i;
	fd_close(&r->client[at].fd);
	r->client[at].fd = fd;
	r->client[at].have = 0;
	r->client[at].used = ++r->turns;
	return (int)at;
}

/* The question is whole: n bytes behind the length. False: it cannot be answered now. */
static bool answer(struct responder_client *c, size_t n, const struct dns_hosts *hosts)
{
	uint8_t out[2 + DNS_ANSWER_MAX];
	const size_t size = dns_answer(hosts, c->bytes + 2, n, out + 2);

	out[0] = (uint8_t)(size >> 8);
	out[1] = (uint8_t)size;
	return size > 0 && write(c->fd, out, 2 + size) == (ssize_t)(2 + size);
}

/* False: the connection is over. */
static bool take(struct responder_client *c, const struct dns_hosts *hosts)
{
	const size_t left = sizeof c->bytes - c->have;
	const ssize_t n = read(c->fd, c->bytes + c->have, left);

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	c->have += (size_t)n;
	while (c->have >= 2) {
		const size_t asked = (size_t)c->bytes[0] << 8 | c->bytes[1];

		if (asked > DNS_QUERY_MAX)
			return false;
		if (c->have < 2 + asked)
			return true;
		if (!answer(c, asked, hosts))
			return false;
		c->have -= 2 + asked;
		memmove(c->bytes, c->bytes + 2 + asked, c->have);
	}
	return true;
}

void responder_serve(struct responder *r, uint32_t i, const struct dns_hosts *hosts)
{
	struct responder_client *c = &r->client[i];

	c->used = ++r->turns;
	if (c->fd >= 0 && !take(c, hosts))
		fd_close(&c->fd);
}
