/* The whole of ambit-mcp between a client, the command line and a role of a session, who all say whatever they like. The input is a list of u8 who, u16 length, bytes: 'c' what the
 * client says, 'o' and 's' a message of the command line or of the role of the session (u16 number, body), which may take the number of the last request ('O', 'S': in the body's
 * first four bytes), 'f' what files have that are given from there on, 'F' the same from a u16, how often, and head, middle and tail with a NUL between them: the middle so often, 'h' the client says no more, 'r' it reads all. Messages that need descriptors get some. All that an event wrote, its result and its record, is a
 * program's word, and so are its files here.
 *
 * Promised: it never hangs, what the client hears is lines of JSON with no member twice, and what the others hear are messages that wire.h lets through and whose bodies can be read. */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "fuzz.h"
#include "mcp/mcp.h"
#include "wire/wire.h"

#define READS 400 /* of what there is room for between two */
#define TURNS 200 /* after which whatever was said once has been dealt with */

struct world {
	struct mcp *m;
	int said, heard_fd, owner, session; /* our ends; -1 */
	uint32_t asked;                     /* the number of the last request */
	struct buf heard;                   /* of the client */
	bool has_file;
	struct buf file; /* what they have */
};

static void pair_up(int type, int ret[2])
{
	promise(socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret) == 0);
}

/* What the others are asked must be well-formed: they end the connection of who says anything else. */
static void hear_request(struct world *w, int sock, enum wire_side from)
{
	static uint8_t room[WIRE_BODY_MAX + WIRE_HEAD];

	while (sock >= 0) {
		auto_message m = { .n_fds = 0 };
		struct rbuf in;
		const int r = wire_receive(sock, from, WIRE_RUNNING, room, sizeof room, &m);

		promise(r != -EPROTO);
		if (r <= 0)
			return;
		in = m.body;
		if (m.number == WIRE_MCP_ASK) {
			struct mcp_ask ask;

			promise(mcp_ask_take(&m.body, &ask));
		}
		if (m.number != WIRE_SESSION_PART && m.number != WIRE_MCP_OPEN)
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

	while (w->heard_fd >= 0 && (n = read(w->heard_fd, room, sizeof room)) > 0) {
		buf_put(&w->heard, room, (size_t)n);
		check_lines(w);
	}
}

static void run_on(struct world *w)
{
	for (unsigned i = 0; i < TURNS && w->m != NULL; i++) {
		if (!mcp_turn(w->m, 0)) {
			mcp_free(w->m);
			w->m = NULL;
		}
		hear_request(w, w->owner, WIRE_MCP);
		hear_request(w, w->session, WIRE_CLIENT);
		if (w->m != NULL && w->m->dry && w->m->out.len == w->m->out_at && i > 8)
			break;
	}
}

static void read_all(struct world *w)
{
	for (size_t i = 0; i < READS && w->m != NULL; i++) {
		hear_client(w);
		run_on(w);
		if (w->m != NULL && w->m->out.len == w->m->out_at)
			break;
	}
	hear_client(w);
}

static void begin(struct world *w)
{
	const struct mcp_begin b = { .tools = (uint32_t)(TOOL_BIT(TOOL_COUNT) - 1),
				     .files = "/usr/lib/ambit/ambit-files" };
	int said[2], heard[2], owner[2];

	pair_up(SOCK_STREAM, said);
	pair_up(SOCK_STREAM, heard);
	pair_up(SOCK_SEQPACKET, owner);
	*w = (struct world){ .said = said[0], .heard_fd = heard[0], .owner = owner[0], .session = -1 };
	buf_init(&w->heard, 64u << 20);
	buf_init(&w->file, 2 * MCP_RESULT_MAX);
	w->m = mcp_new(said[1], heard[1], owner[1], &b);
	promise(w->m != NULL);
	run_on(w);
}

static int file_of(const struct world *w, const void *bytes, size_t n)
{
	const int fd = memfd_create("file", MFD_CLOEXEC);

	if (w->has_file) {
		bytes = w->file.data;
		n = w->file.len;
	}
	promise(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
	return fd;
}

/* With as many descriptors as the message may have; of a channel one end is ours. */
static size_t give_files(struct world *w, uint16_t number, int fds[3])
{
	static const char about[] = "{\"session\":\"s\"}";

	if (number == WIRE_MCP_SESSION) {
		pair_up(SOCK_SEQPACKET, fds);
		fd_close(&w->session);
		w->session = fds[1];
		fds[1] = memfd_create("about", MFD_CLOEXEC);
		promise(write(fds[1], about, sizeof about - 1) == (ssize_t)sizeof about - 1);
		return 2;
	}
	if (number == WIRE_MCP_TOLD) {
		fds[0] = file_of(w, "said\xff", 5);
		return 1;
	}
	if (number != WIRE_SESSION_FILES)
		return 0;
	fds[0] = file_of(w, "out \xc3\xa4\xff", 7);
	fds[1] = file_of(w, "\xe2\x82", 2);
	fds[2] = file_of(w, "{\"v\":1}", 7);
	return 3;
}

static void say_message(struct world *w, int sock, uint16_t number, struct buf *body)
{
	int fds[3] = { -1, -1, -1 };
	const size_t n = give_files(w, number, fds);

	(void)wire_send(sock, (enum wire_number)number, body, fds, n); /* who is gone hears nothing */
	for (size_t i = 0; i < 3; i++)
		fd_close(&fds[i]);
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

/* As long as a result may be, and a little longer. */
static void set_long_file(struct world *w, const uint8_t *bytes, size_t n)
{
	const uint8_t *middle = n > 2 ? memchr(bytes + 2, 0, n - 2) : NULL;
	const uint8_t *tail = middle == NULL ? NULL : memchr(middle + 1, 0, (size_t)(bytes + n - middle - 1));
	unsigned times;

	buf_reset(&w->file);
	w->has_file = tail != NULL;
	if (tail == NULL)
		return;
	times = (unsigned)(bytes[0] | bytes[1] << 8);
	buf_put(&w->file, bytes + 2, (size_t)(middle - bytes - 2));
	while (times-- > 0 && w->file.len < MCP_RESULT_MAX)
		buf_put(&w->file, middle + 1, (size_t)(tail - middle - 1));
	buf_put(&w->file, tail + 1, (size_t)(bytes + n - tail - 1));
}

static void step(struct world *w, uint8_t who, const uint8_t *bytes, size_t n)
{
	switch (who) {
	case 'c':
		if (w->said >= 0)
			(void)!send(w->said, bytes, n, MSG_NOSIGNAL);
		break;
	case 'o':
	case 'O': say(w, w->owner, bytes, n, who == 'O'); break;
	case 's':
	case 'S': say(w, w->session, bytes, n, who == 'S'); break;
	case 'f':
		buf_reset(&w->file);
		buf_put(&w->file, bytes, n);
		w->has_file = true;
		return;
	case 'F': set_long_file(w, bytes, n); return;
	case 'h': (void)shutdown(w->said, SHUT_WR); break;
	case 'r': read_all(w); break;
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
	fd_close(&w.said);
	fd_close(&w.heard_fd);
	fd_close(&w.owner);
	fd_close(&w.session);
	run_on(&w);
	promise(w.m == NULL); /* nobody is there any more */
	buf_finish(&w.heard);
	buf_finish(&w.file);
	return 0;
}
