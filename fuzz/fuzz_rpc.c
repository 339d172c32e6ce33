/* The whole of ambit-rpc between a client, a daemon and a role of a session, who all say whatever they like. The input is a list of u8 who, u16 length, bytes: 'c' what the
 * client says, 'd' and 's' a message of the daemon or of the role (u16 number, body), which may take the number of the last request ('D', 'S': in the body's first four
 * bytes), 'h' the client says no more, 'r' it reads all. Messages that need descriptors get some.
 *
 * Promised: it never hangs, what the client hears is lines of JSON, and what the daemon and the role hear are messages that wire.h lets through. */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "fuzz.h"
#include "rpc/rpc.h"

#define TURNS 200 /* after which whatever was said once has been dealt with */

struct world {
	struct rpc *r;
	int client, daemon, session; /* our ends; -1 */
	uint32_t asked;              /* the number of the last request */
	struct buf heard;            /* of the client */
};

static void pair_up(int type, int ret[2])
{
	promise(socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret) == 0);
}

/* What the others are asked must be well-formed: they end the connection of who says anything else. */
static void hear_request(struct world *w, int sock)
{
	static uint8_t room[WIRE_BODY_MAX + WIRE_HEAD];

	while (sock >= 0) {
		auto_message m = { .n_fds = 0 };
		struct rbuf in;
		const int r = wire_receive(sock, WIRE_CLIENT, WIRE_RUNNING, room, sizeof room, &m);

		promise(r != -EPROTO);
		if (r <= 0)
			return;
		in = m.body;
		if (m.number != WIRE_SERVE_PART && m.number != WIRE_SESSION_PART)
			w->asked = rbuf_u32(&in);
	}
}

static void check_lines(struct world *w)
{
	size_t from = 0;

	for (size_t i = 0; i < w->heard.len; i++) {
		json_t *line;

		if (w->heard.data[i] != '\n')
			continue;
		line = json_loadb((const char *)w->heard.data + from, i - from, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
				  NULL);
		promise(line != NULL && strcmp(json_string_value(json_object_get(line, "jsonrpc")), "2.0") == 0);
		json_decref(line);
		from = i + 1;
	}
	buf_drop(&w->heard, from);
}

static void hear_client(struct world *w)
{
	static uint8_t room[1u << 16];
	ssize_t n;

	while (w->client >= 0 && (n = read(w->client, room, sizeof room)) > 0) {
		buf_put(&w->heard, room, (size_t)n);
		check_lines(w);
	}
}

static void run_on(struct world *w)
{
	for (unsigned i = 0; i < TURNS && w->r != NULL; i++) {
		if (!rpc_turn(w->r, 0)) {
			rpc_free(w->r);
			w->r = NULL;
		}
		hear_request(w, w->daemon);
		hear_request(w, w->session);
		if (w->r != NULL && w->r->dry && w->r->out.len == w->r->out_at && i > 8)
			break;
	}
}

static void begin(struct world *w)
{
	const struct serve_hello h = { .revision = SESSION_REVISION, .pid = 1, .version = "1" };
	int client[2], daemon[2];
	auto_buf body = { .max = 64 };

	pair_up(SOCK_STREAM, client);
	pair_up(SOCK_SEQPACKET, daemon);
	*w = (struct world){ .client = client[0], .daemon = daemon[0], .session = -1 };
	buf_init(&w->heard, 64u << 20);
	w->r = rpc_new(client[1], daemon[1]);
	promise(w->r != NULL);
	serve_hello_put(&body, &h);
	promise(wire_send(w->daemon, WIRE_SERVE_HELLO, &body, NULL, 0) == 0);
	run_on(w);
}

/* With as many descriptors as the message may have; of a channel one end is ours. */
static void say_message(struct world *w, int sock, uint16_t number, struct buf *body)
{
	int fds[3] = { -1, -1, -1 };
	size_t n = 0;

	if (number == WIRE_SERVE_CHANNEL) {
		pair_up(SOCK_SEQPACKET, fds);
		fd_close(&w->session);
		w->session = fds[1];
		n = 1;
	} else if (number == WIRE_SESSION_FILES) {
		fds[0] = memfd_create("out", MFD_CLOEXEC);
		fds[1] = memfd_create("err", MFD_CLOEXEC);
		promise(write(fds[0], "out \xc3\xa4\xff", 7) == 7 && write(fds[1], "\xe2\x82", 2) == 2);
		n = 2;
	}
	(void)wire_send(sock, (enum wire_number)number, body, fds, n); /* who is gone hears nothing */
	fd_close(&fds[0]);
	if (number == WIRE_SESSION_FILES)
		fd_close(&fds[1]);
}

static void say(struct world *w, int sock, const uint8_t *bytes, size_t n, bool answers)
{
	auto_buf body = { .max = WIRE_BODY_MAX };
	struct rbuf in;
	uint16_t number;

	rbuf_init(&in, bytes, n);
	number = rbuf_u16(&in);
	if (sock < 0 || in.failed || n - 2 > WIRE_BODY_MAX)
		return;
	buf_put(&body, bytes + 2, n - 2);
	for (size_t i = 0; answers && i < 4 && i < body.len; i++)
		body.data[i] = (uint8_t)(w->asked >> (8 * i));
	say_message(w, sock, number, &body);
}

static void step(struct world *w, uint8_t who, const uint8_t *bytes, size_t n)
{
	switch (who) {
	case 'c':
		if (w->client >= 0)
			(void)!send(w->client, bytes, n, MSG_NOSIGNAL);
		break;
	case 'd':
	case 'D': say(w, w->daemon, bytes, n, who == 'D'); break;
	case 's':
	case 'S': say(w, w->session, bytes, n, who == 'S'); break;
	case 'h': (void)shutdown(w->client, SHUT_WR); break;
	case 'r': hear_client(w); break;
	default: break;
	}
	run_on(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w;
	struct rbuf in;

	(void)signal(SIGPIPE, SIG_IGN);
	begin(&w);
	rbuf_init(&in, data, size);
	while (rbuf_left(&in) > 0 && !in.failed) {
		const uint8_t who = rbuf_u8(&in);
		const uint16_t n = rbuf_u16(&in);
		const uint8_t *bytes = rbuf_bytes(&in, n);

		if (bytes != NULL)
			step(&w, who, bytes, n);
	}
	hear_client(&w);
	fd_close(&w.client);
	fd_close(&w.daemon);
	fd_close(&w.session);
	run_on(&w);
	promise(w.r == NULL); /* nobody is there any more */
	buf_finish(&w.heard);
	return 0;
}
