/* ambit-witness: receives over descriptor 0 what is to be asked (ask.h), a connected socket, and for TLS a file of authorities; gives up
 * all else; asks, judges the answer, writes a verdict to descriptor 1, ends. It is run in a cell with an empty root and without a
 * network, since whoever answers may be anybody.
 * Exit status: 0 there is a verdict; 1 there is none; 2 wrong usage. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "witness/answer.h"
#include "witness/channel.h"
#include "witness/promise.h"

#define AUTHORITIES_MAX (4u << 20) /* those of a distribution are 220 kB */

static uint8_t asked[WITNESS_ASK_MAX];

static int read_ask(struct witness_ask *ask, int *ret_socket, int *ret_authorities, struct err *e)
{
	int fds[FD_PASS_MAX] = { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 };
	size_t n_fds = 0;
	const ssize_t n = fd_receive(STDIN_FILENO, asked, sizeof asked, fds, &n_fds);

	if (n <= 0 || n_fds < 1 || n_fds > 2)
		return err_set(e, AMBIT_PROTOCOL, NULL, "nothing was asked");
	*ret_socket = fds[0];
	*ret_authorities = n_fds == 2 ? fds[1] : -1;
	return witness_ask_decode(asked, (size_t)n, ask, e);
}

static enum witness_outcome listen_to(struct channel *c, struct answer *a)
{
	enum witness_outcome r;
	uint8_t bytes[4096];
	size_t n;

	do
		r = channel_read(c, bytes, sizeof bytes, &n);
	while (r == WITNESS_COSIGNED && answer_take(a, bytes, n) && n > 0);
	return r;
}

static enum witness_outcome talk(struct channel *c, const struct witness_ask *ask, struct answer *a)
{
	auto_buf request = { .max = 2 * WITNESS_ASK_MAX };
	enum witness_outcome r;

	answer_request(ask, &request);
	if (request.failed)
		return WITNESS_NOT_ASKED;
	r = channel_write(c, request.data, request.len);
	/* Who refuses may do so before it has read all: what it says is still there to be read. */
	return r == WITNESS_COSIGNED || r == WITNESS_CLOSED ? listen_to(c, a) : r;
}

static enum witness_outcome exchange(const struct witness_ask *ask, int fd, struct span authorities, struct answer *a)
{
	struct channel c;
	enum witness_outcome r = channel_open(&c, fd, &ask->url, authorities);

	r = r == WITNESS_COSIGNED ? talk(&c, ask, a) : r;
	channel_close(&c);
	return r;
}

static int answer(const struct witness_ask *ask, int fd, int authorities_fd, struct err *e)
{
	auto_buf authorities = { .max = AUTHORITIES_MAX }, note = { .max = NOTE_MAX },
		 out = { .max = WITNESS_VERDICT_MAX };
	struct witness_verdict v;
	struct answer a;
	int r = authorities_fd >= 0 ? fd_read_into(authorities_fd, &authorities) : 0;

	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot read the certificates of authorities");
	answer_init(&a);
	v = (struct witness_verdict){ .outcome = exchange(ask, fd, span_bytes(authorities.data, authorities.len), &a) };
	if (v.outcome == WITNESS_COSIGNED)
		answer_judge(&a, ask, &note, &v);
	witness_verdict_encode(&v, &out);
	r = out.failed ? -1 : fd_write_all(STDOUT_FILENO, out.data, out.len);
	answer_finish(&a);
	return r < 0 ? err_set(e, AMBIT_SYSTEM, NULL, "cannot write a verdict") : 0;
}

int main(int argc, char **argv)
{
	auto_fd int fd = -1;
	auto_fd int authorities = -1;
	struct witness_ask ask;
	struct err e;
	int r;

	(void)argv;
	if (argc != 1)
		return 2;
	(void)signal(SIGPIPE, SIG_IGN); /* who is gone is told by an error */
	channel_prepare();
	r = read_ask(&ask, &fd, &authorities, &e);
	r = r < 0 ? r : promise_keep(&e);
	r = r < 0 ? r : answer(&ask, fd, authorities, &e);
	if (r < 0)
		(void)fprintf(stderr, "%s\n", e.msg);
	return r < 0 ? 1 : 0;
}
