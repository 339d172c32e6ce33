#include "wire/wire.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct message_row {
	uint16_t number;
	const char *name;
	enum wire_side from;
	size_t size_min, size_max;
	size_t fds_min, fds_max;
	unsigned states;
};

#define ERROR_MAX 2048 /* of struct err: its texts are 1,536 at most, with what stands before them */

#define EXACTLY(n) (n), (n)
#define UP_TO(n) 0, (n)
#define FDS(a, b) (a), (b)
#define LIBRARY WIRE_LIBRARY
#define SUPERVISOR WIRE_SUPERVISOR
#define WARDEN WIRE_WARDEN
#define STAGE WIRE_STAGE
#define APPENDER WIRE_APPENDER
#define LEDGER WIRE_LEDGER
#define RELAY WIRE_RELAY
#define DIALER WIRE_DIALER
#define OWNER WIRE_OWNER
#define SIGNER WIRE_SIGNER
#define SSH WIRE_SSH
#define HTTP WIRE_HTTP
#define SECRET WIRE_SECRET
#define CLIENT WIRE_CLIENT
#define DAEMON WIRE_DAEMON
#define SESSION WIRE_SESSION
#define TEMPLATE WIRE_TEMPLATE
#define POOL WIRE_POOL
#define KEEPER WIRE_KEEPER
#define APPROVER WIRE_APPROVER
#define FREEZER WIRE_FREEZER
#define MCP WIRE_MCP
#define GUARD WIRE_GUARD
#define MANY WIRE_MANY
#define WEB WIRE_WEB
#define WATCHER WIRE_WATCHER
#define NEW WIRE_NEW
#define BUILDING WIRE_BUILDING
#define RUNNING WIRE_RUNNING
#define ROW(number_, name_, from_, smin, smax, fmin, fmax, states_)                                                    \
	{ .number = (number_),                                                                                         \
	  .name = (name_),                                                                                             \
	  .from = (from_),                                                                                             \
	  .size_min = (smin),                                                                                          \
	  .size_max = (smax),                                                                                          \
	  .fds_min = (fmin),                                                                                           \
	  .fds_max = (fmax),                                                                                           \
	  .states = (states_) },
#define ROW_EXPANDED(...) ROW(__VA_ARGS__)

static const struct message_row rows[] = {
#define MSG(name, number, from, size, fds, states) ROW_EXPANDED(number, #name, from, size, fds, states)
#include "wire/messages.def"
#undef MSG
};

static const struct message_row *row_of(uint16_t number)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].number == number)
			return &rows[i];
	return NULL;
}

void wire_await(int sock)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };

	(void)poll(&p, 1, -1); /* interrupted: whoever receives finds nothing, and comes again */
}

const char *wire_name(enum wire_number number)
{
	const struct message_row *row = row_of((uint16_t)number);

	return row != NULL ? row->name : "unknown message";
}

void wire_message_finish(struct wire_message *m)
{
	for (size_t i = 0; i < m->n_fds; i++)
		fd_close(&m->fds[i]);
	m->n_fds = 0;
}

int wire_send(int sock, enum wire_number number, const struct buf *body, const int *fds, size_t n_fds)
{
	const uint8_t head[WIRE_HEAD] = { (uint8_t)((unsigned)number & 0xff), (uint8_t)((unsigned)number >> 8), 0, 0 };

	if (body == NULL)
		return fd_send(sock, head, sizeof head, fds, n_fds);
	if (body->failed || body->len > WIRE_BODY_MAX)
		return -EMSGSIZE;
	return fd_send_two(sock, head, sizeof head, body->data, body->len, fds, n_fds);
}

int wire_write(int sock, enum wire_number number, const struct buf *body)
{
	uint8_t head[WIRE_HEAD] = { (uint8_t)((unsigned)number & 0xff), (uint8_t)((unsigned)number >> 8), 0, 0 };
	const struct iovec iov[] = { { .iov_base = head, .iov_len = sizeof head },
				     { .iov_base = body != NULL ? body->data : NULL,
				       .iov_len = body != NULL ? body->len : 0 } };

	if (body != NULL && (body->failed || body->len > WIRE_BODY_MAX))
		return -EMSGSIZE;
	for (;;) {
		if (writev(sock, iov, 2) >= 0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

int wire_introduce(int one, enum wire_number to_one, int other, enum wire_number to_other)
{
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	r = wire_send(one, to_one, NULL, &pair[0], 1);
	r = r < 0 ? r : wire_send(other, to_other, NULL, &pair[1], 1);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
	return r;
}

void wire_put_error(struct buf *out, const struct err *e)
{
	buf_put_u32(out, (uint32_t)e->code);
	buf_put_u32(out, (uint32_t)e->sys_errno);
	buf_put_str(out, e->msg);
	buf_put_str(out, e->why);
	buf_put_str(out, e->hint);
}

int wire_tell_error(int sock, enum wire_number number, const struct err *e)
{
	uint8_t room[ERROR_MAX];
	struct buf body;

	buf_init_in(&body, room, sizeof room);
	wire_put_error(&body, e);
	return wire_send(sock, number, &body, NULL, 0);
}

void wire_refuse_all(int listen_fd, enum wire_number number, const struct err *why)
{
	struct pollfd p = { .fd = listen_fd, .events = POLLIN };

	(void)shutdown(listen_fd, SHUT_RD); /* who comes now finds nobody; who waits can still be told */
	while (poll(&p, 1, 0) == 1) {
		auto_fd int sock = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);

		if (sock < 0)
			return;
		(void)wire_tell_error(sock, number, why); /* or it went */
	}
}

int wire_take_error(struct rbuf *in, struct err *ret)
{
	struct err e = { .code = AMBIT_PROTOCOL };
	const uint32_t code = rbuf_u32(in);

	e.sys_errno = (int)rbuf_u32(in);
	rbuf_str(in, e.msg, sizeof e.msg);
	rbuf_str(in, e.why, sizeof e.why);
	rbuf_str(in, e.hint, sizeof e.hint);
	if (in->failed || code == 0 || code > INT_MAX)
		return err_set(ret, AMBIT_PROTOCOL, NULL, "the other side failed and did not say why");
	e.code = (enum ambit_code)code; /* a number that is none is "internal" wherever it is shown */
	if (ret != NULL)
		*ret = e;
	return -(int)code;
}

static bool is_allowed(const struct message_row *row, enum wire_side from, enum wire_state state, size_t size,
		       size_t n_fds)
{
	return row != NULL && row->from == from && (row->states & (unsigned)state) != 0 && size >= row->size_min &&
	       size <= row->size_max && n_fds >= row->fds_min && n_fds <= row->fds_max;
}

int wire_receive(int sock, enum wire_side from, enum wire_state state, void *room, size_t room_size,
		 struct wire_message *ret)
{
	const struct message_row *row;
	struct rbuf r;
	uint16_t number, zero;
	ssize_t n;

	*ret = (struct wire_message){ .n_fds = 0 };
	n = fd_receive(sock, room, room_size, ret->fds, &ret->n_fds);
	if (n == -EMSGSIZE)
		return -EPROTO;
	if (n <= 0)
		return (int)n;
	rbuf_init(&r, room, (size_t)n);
	number = rbuf_u16(&r);
	zero = rbuf_u16(&r);
	row = row_of(number);
	if (r.failed || zero != 0 || !is_allowed(row, from, state, rbuf_left(&r), ret->n_fds)) {
		wire_message_finish(ret);
		return -EPROTO;
	}
	ret->number = (enum wire_number)number; /* in the table: just found there */
	ret->body = r;
	return 1;
}
