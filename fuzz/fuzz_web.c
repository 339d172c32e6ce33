/* The whole of ambit-web between clients, servers and the command line, who all say whatever they like. The input is a list of u8 what, u16 length, bytes: 'n' a client comes, '0' to '3' what client so says ($: the name of
 * the session that was begun last), 'h' and 'x' the client of the first byte says nothing more, or goes; 'a' to 'd' a line that server so says (#: the id of the last request that it heard), 'r' bytes of the first one, 'e' the
 * server of the first byte ends; 'o' the command line: u16 number, body.
 *
 * Promised: it never hangs; what a server hears are lines of JSON with no member twice, and each request has an id that it did not hear before; what a client hears are answers of HTTP that end where they say, whose
 * bodies are JSON, or events of which each is one message; what the command line hears are messages that wire.h lets through. */
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "fuzz.h"
#include "rpc/bounds.h"
#include "web/web.h"
#include "wire/wire.h"

#define TURNS 60
#define SIDES 4

struct side {
	int fd; /* ours; -1 */
	struct buf heard;
	json_int_t last; /* of a server: id of the last request */
};

struct world {
	struct web *w;
	int owner;
	struct side clients[SIDES], servers[SIDES];
	unsigned n_clients, n_servers;
	char session[40];
};

static void pair_up(int type, int ret[2])
{
	promise(socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret) == 0);
}

static void side_end(struct side *s)
{
	fd_close(&s->fd);
	buf_finish(&s->heard);
}

static void side_begin(struct side *s, int fd)
{
	side_end(s);
	*s = (struct side){ .fd = fd };
	buf_init(&s->heard, 64u << 20);
}

/* ---- what a server hears ---- */

static void check_line(struct side *s, const char *text, size_t n)
{
	json_t *line = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	const json_t *id = json_object_get(line, "id");

	promise(json_is_object(line) && strcmp(json_string_value(json_object_get(line, "jsonrpc")), "2.0") == 0);
	if (json_object_get(line, "method") != NULL && id != NULL) {
		promise(json_is_integer(id) && json_integer_value(id) > s->last);
		s->last = json_integer_value(id);
	}
	json_decref(line);
}

static void check_lines(struct side *s)
{
	size_t from = 0;

	for (size_t i = 0; i < s->heard.len; i++) {
		if (s->heard.data[i] != '\n')
			continue;
		check_line(s, (const char *)s->heard.data + from, i - from);
		from = i + 1;
	}
	buf_drop(&s->heard, from);
}

/* ---- what a client hears ---- */

static void check_json(const char *text, size_t n)
{
	json_t *said = json_loadb(text, n, 0, NULL);

	promise(json_is_object(said));
	json_decref(said);
}

/* Lines "id: ", "data: ", or one that begins with a colon; an empty one at the end. */
static void check_event(const char *text, size_t n)
{
	static const char data[] = "data: ";
	const char *end;

	promise(n > 1 && text[n - 1] == '\n' && text[n - 2] == '\n');
	if (n >= 4 && memcmp(text, "id: ", 4) == 0) {
		end = memchr(text, '\n', n);
		n -= (size_t)(end + 1 - text);
		text = end + 1;
	} else if (text[0] == ':') {
		return;
	}
	promise(n >= sizeof data - 1 && memcmp(text, data, sizeof data - 1) == 0);
	promise((const char *)memchr(text, '\n', n) == text + n - 2 && memchr(text, '\r', n) == NULL);
	text += sizeof data - 1;
	n -= sizeof data - 1 + 2;
	if (n > 0)
		check_json(text, n);
}

/* How much of it is whole; 0: it is not. */
static size_t check_chunks(const char *text, size_t n)
{
	size_t at = 0;

	for (;;) {
		const char *end = memmem(text + at, n - at, "\r\n", 2);
		size_t size = 0;

		if (end == NULL)
			return 0;
		for (const char *p = text + at; p < end; p++) {
			promise(isxdigit((unsigned char)*p));
			size = size * 16 + (size_t)(*p <= '9' ? *p - '0' : (*p | 32) - 'a' + 10);
		}
		at = (size_t)(end + 2 - text);
		if (n - at < size + 2)
			return 0;
		promise(memcmp(text + at + size, "\r\n", 2) == 0);
		if (size > 0)
			check_event(text + at, size);
		at += size + 2;
		if (size == 0)
			return at;
	}
}

static size_t check_answer(struct world *w, const char *text, size_t n)
{
	static const char session[] = "Mcp-Session-Id: ", length[] = "Content-Length: ";
	const char *end = memmem(text, n, "\r\n\r\n", 4), *found;
	size_t head, body = 0;

	if (end == NULL)
		return 0;
	head = (size_t)(end + 4 - text);
	promise(n > 12 && memcmp(text, "HTTP/1.1 ", 9) == 0 && text[9] >= '1' && text[9] <= '5');
	found = memmem(text, head, session, sizeof session - 1);
	if (found != NULL)
		memcpy(w->session, found + sizeof session - 1, 32);
	if (memmem(text, head, "Transfer-Encoding: chunked", 26) != NULL) {
		body = check_chunks(text + head, n - head);
		return body == 0 ? 0 : head + body;
	}
	found = memmem(text, head, length, sizeof length - 1);
	for (found = found == NULL ? "" : found + sizeof length - 1; *found >= '0' && *found <= '9'; found++)
		body = body * 10 + (size_t)(*found - '0');
	if (n - head < body)
		return 0;
	if (body > 0)
		check_json(text + head, body);
	return head + body;
}

static void check_answers(struct world *w, struct side *s)
{
	size_t n;

	while (s->heard.len > 0 && (n = check_answer(w, (const char *)s->heard.data, s->heard.len)) > 0)
		buf_drop(&s->heard, n);
}

/* ---- turns ---- */

static void hear(struct side *s)
{
	static uint8_t room[1u << 16];
	ssize_t n;

	while (s->fd >= 0 && (n = read(s->fd, room, sizeof room)) > 0)
		buf_put(&s->heard, room, (size_t)n);
}

static void send_number(struct world *w, uint32_t number, int fd)
{
	auto_buf body = { .max = 16 };

	web_number_put(&body, number);
	(void)wire_send(w->owner, WIRE_WEB_SERVER, &body, &fd, fd >= 0); /* who is gone hears nothing */
}

static void hear_owner(struct world *w)
{
	static uint8_t room[256];

	for (;;) {
		auto_message m = { .n_fds = 0 };
		const int r = wire_receive(w->owner, WIRE_WEB, WIRE_RUNNING, room, sizeof room, &m);
		uint32_t number;
		int pair[2];

		promise(r != -EPROTO);
		if (r <= 0)
			return;
		promise(m.number == WIRE_WEB_OPEN && web_number_take(&m.body, &number));
		pair_up(SOCK_STREAM, pair);
		side_begin(&w->servers[w->n_servers++ % SIDES], pair[0]);
		send_number(w, number, pair[1]);
		fd_close(&pair[1]);
	}
}

static size_t all_heard(const struct world *w)
{
	size_t n = 0;

	for (unsigned i = 0; i < SIDES; i++)
		n += w->clients[i].heard.len + w->servers[i].heard.len;
	return n;
}

static void run_on(struct world *w)
{
	unsigned quiet = 0;

	for (unsigned i = 0; i < TURNS && w->w != NULL && quiet < 4; i++) {
		const size_t before = all_heard(w);

		if (!web_turn(w->w, 0)) {
			web_free(w->w);
			w->w = NULL;
		}
		hear_owner(w);
		for (unsigned k = 0; k < SIDES; k++) {
			hear(&w->clients[k]);
			hear(&w->servers[k]);
		}
		quiet = all_heard(w) == before ? quiet + 1 : 0;
		for (unsigned k = 0; k < SIDES; k++) {
			check_answers(w, &w->clients[k]);
			check_lines(&w->servers[k]);
		}
	}
}

/* ---- what each says ---- */

static void say(struct world *w, const struct side *by, const uint8_t *bytes, size_t n)
{
	for (size_t at = 0, tries = 0; at < n && by->fd >= 0 && tries < TURNS; tries++) {
		const ssize_t sent = send(by->fd, bytes + at, n - at, MSG_NOSIGNAL);

		at += sent > 0 ? (size_t)sent : 0;
		run_on(w);
	}
}

static void say_as_client(struct world *w, const struct side *by, const uint8_t *bytes, size_t n)
{
	auto_buf all = { .max = 1u << 20 };

	for (size_t i = 0; i < n; i++)
		if (bytes[i] == '$')
			buf_put(&all, w->session, strlen(w->session));
		else
			buf_put_u8(&all, bytes[i]);
	say(w, by, all.data, all.len);
}

/* One line of JSON, whatever stands in it. */
static bool is_message(const struct buf *line)
{
	json_t *said = line->len > 0 ? json_loadb((const char *)line->data, line->len, JSON_REJECT_DUPLICATES, NULL)
				     : NULL;
	const bool is = said != NULL && memchr(line->data, '\n', line->len) == NULL &&
			memchr(line->data, '\r', line->len) == NULL;

	json_decref(said);
	return is;
}

static void say_as_server(struct world *w, const struct side *by, const uint8_t *bytes, size_t n)
{
	auto_buf line = { .max = 1u << 20 };

	for (size_t i = 0; i < n; i++)
		if (bytes[i] == '#')
			buf_printf(&line, "%lld", (long long)by->last);
		else
			buf_put_u8(&line, bytes[i]);
	if (!is_message(&line)) /* a server of ours says nothing else */
		return;
	buf_put_u8(&line, '\n');
	say(w, by, line.data, line.len);
}

static void come(struct world *w)
{
	int pair[2];

	pair_up(SOCK_STREAM, pair);
	side_begin(&w->clients[w->n_clients++ % SIDES], pair[0]);
	(void)wire_send(w->owner, WIRE_WEB_CLIENT, NULL, &pair[1], 1); /* likewise */
	fd_close(&pair[1]);
}

static void say_message(struct world *w, const uint8_t *bytes, size_t n)
{
	auto_buf body = { .max = WIRE_BODY_MAX };

	if (n < 2 || n - 2 > WIRE_BODY_MAX)
		return;
	buf_put(&body, bytes + 2, n - 2);
	(void)wire_send(w->owner, (enum wire_number)(bytes[0] | bytes[1] << 8), &body, NULL, 0); /* likewise */
}

static void step(struct world *w, uint8_t what, const uint8_t *bytes, size_t n)
{
	const unsigned which = n > 0 ? bytes[0] % SIDES : 0;

	switch (what) {
	case 'n': come(w); break;
	case '0':
	case '1':
	case '2':
	case '3': say_as_client(w, &w->clients[what - '0'], bytes, n); break;
	case 'a':
	case 'b':
	case 'c':
	case 'd': say_as_server(w, &w->servers[what - 'a'], bytes, n); break;
	case 'h': (void)shutdown(w->clients[which].fd, SHUT_WR); break;
	case 'x': fd_close(&w->clients[which].fd); break;
	case 'e': fd_close(&w->servers[which].fd); break;
	case 'o': say_message(w, bytes, n); break;
	default: break;
	}
	run_on(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct web_begin rules = { .depth = PARSE_DEPTH_MAX,
						.values = PARSE_VALUES_MAX,
						.port = 8080,
						.address = "127.0.0.1",
						.origins = { "https://app.example.com" } };
	struct world w = { .session = "" };
	struct rbuf in;
	int owner[2];

	(void)signal(SIGPIPE, SIG_IGN);
	for (unsigned i = 0; i < SIDES; i++)
		w.clients[i].fd = w.servers[i].fd = -1;
	pair_up(SOCK_SEQPACKET, owner);
	w.owner = owner[0];
	w.w = web_new(owner[1], &rules);
	promise(w.w != NULL);
	rbuf_init(&in, data, size);
	while (rbuf_left(&in) > 0 && !in.failed) {
		const uint8_t what = rbuf_u8(&in);
		const uint16_t n = rbuf_u16(&in);
		const uint8_t *bytes = rbuf_bytes(&in, n);

		if (bytes != NULL)
			step(&w, what, bytes, n);
	}
	fd_close(&w.owner);
	for (unsigned i = 0; i < SIDES; i++) {
		side_end(&w.clients[i]);
		side_end(&w.servers[i]);
	}
	if (w.w != NULL && web_turn(w.w, 0))
		promise(!web_turn(w.w, 0)); /* the command line is gone */
	web_free(w.w);
	return 0;
}
