#include "authority/scribe.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "wire/wire.h"

#define ANSWER_MAX (WIRE_HEAD + 2048) /* an error */

bool scribe_is_there(int sock)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };

	return sock >= 0 && poll(&p, 1, 0) == 0;
}

/* 1; 0: not in time; -errno. */
static int await(int sock, short what, uint64_t until_ms)
{
	const uint64_t now = clock_boot_ms();
	struct pollfd p = { .fd = sock, .events = what };
	const int n = now >= until_ms ? 0 : poll(&p, 1, (int)(until_ms - now));

	return n < 0 && errno == EINTR ? 1 : n < 0 ? -errno : n;
}

/* One packet, out or in: not by the socket's own patience, which is anybody's who has it. Its length; 0: it is gone; -errno. */
static ssize_t move(int sock, struct iovec *iov, size_t n, bool in, uint64_t until_ms)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = n };

	for (;;) {
		const int r = await(sock, in ? POLLIN : POLLOUT, until_ms);
		const ssize_t moved = r <= 0 ? -1
				      : in   ? recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)
					     : sendmsg(sock, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (r <= 0)
			return r == 0 ? -ETIMEDOUT : r;
		if (moved >= 0)
			return (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ? -EPROTO : moved;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
}

static int unheard(ssize_t r, struct err *e)
{
	return err_set(e, AMBIT_GONE, "try again; `ambit ledger verify` says what is there", "%s",
		       r == -ETIMEDOUT ? "the ledger does not answer" : "the ledger has gone");
}

static int take_answer(struct rbuf *in, struct err *e)
{
	const uint16_t number = rbuf_u16(in);
	const uint16_t zero = rbuf_u16(in);

	if (zero == 0 && number == WIRE_LEDGER_ACCEPTED && rbuf_left(in) == 16)
		return 0;
	return zero == 0 && number == WIRE_LEDGER_FAILED
		       ? wire_take_error(in, e)
		       : err_set(e, AMBIT_PROTOCOL, NULL, "the ledger said what it may not");
}

int scribe_write(int sock, const struct buf *message, struct err *e)
{
	uint8_t head[WIRE_HEAD] = { (uint8_t)(WIRE_LEDGER_APPEND & 0xff), WIRE_LEDGER_APPEND >> 8 };
	struct iovec out[] = { { .iov_base = head, .iov_len = sizeof head },
			       { .iov_base = message->data, .iov_len = message->len } };
	uint8_t room[ANSWER_MAX];
	struct iovec answer = { .iov_base = room, .iov_len = sizeof room };
	const uint64_t until = clock_boot_ms() + SCRIBE_MS;
	struct rbuf in;
	ssize_t r;

	if (message->failed || message->len > WIRE_BODY_MAX)
		return err_set(e, AMBIT_LIMIT, "shorten what it is about", "a step is too long for the ledger");
	r = move(sock, out, 2, false, until);
	if (r >= 0 || r == -EPIPE || r == -ECONNRESET) /* what it said before it went */
		r = move(sock, &answer, 1, true, until);
	if (r == -ECONNRESET)
		r = move(sock, &answer, 1, true, until);
	if (r <= 0)
		return unheard(r, e);
	rbuf_init(&in, room, (size_t)r);
	return take_answer(&in, e);
}
