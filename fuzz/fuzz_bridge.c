/* The whole of ambit-bridge between a gate and a server, who say whatever they like. The input is a list of u8 what, u16 length, bytes: 'g' a line of the gate's, 's' what the server says on the connection that was
 * asked on last ('S': the same, with each # as the id that was asked for there), 'c' it closes that, 'k' it goes back to the one before, 't' time passes, 'h' the gate says no more.
 *
 * Promised: it never hangs; what the gate hears are lines of JSON objects with no member twice and no end of a line within; each request has one answer at most, and what was not asked has none; what the server hears is
 * one head of ours after the other, each for the one address. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "bridge/bridge.h"
#include "fuzz.h"

#define CONNECTIONS 32
#define TURNS 50
#define IDS 64

struct world {
	struct bridge *b;
	struct talk_net net;
	struct url url;
	int listener, said, heard; /* ours */
	int n, now;
	struct connection {
		int fd;
		json_int_t id;
	} at[CONNECTIONS];
	struct buf line;
	unsigned asked[IDS], answered[IDS];
};

/* ---- what is heard ---- */

static void check_line(struct world *w, const char *text, size_t n)
{
	json_t *line = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	const json_t *id = json_object_get(line, "id");
	const json_int_t number = json_integer_value(id);

	promise(json_is_object(line) && memchr(text, '\r', n) == NULL);
	if (json_object_get(line, "method") == NULL && json_is_integer(id) && number >= 0 && number < IDS)
		promise(++w->answered[number] <= w->asked[number]);
	json_decref(line);
}

static void hear_gate(struct world *w)
{
	static uint8_t room[1u << 16];
	size_t from = 0;
	ssize_t n;

	while (w->heard >= 0 && (n = read(w->heard, room, sizeof room)) > 0)
		buf_put(&w->line, room, (size_t)n);
	for (size_t i = 0; i < w->line.len; i++) {
		if (w->line.data[i] != '\n')
			continue;
		check_line(w, (const char *)w->line.data + from, i - from);
		from = i + 1;
	}
	buf_drop(&w->line, from);
}

static json_int_t id_of(const char *body)
{
	json_t *said = json_loads(body, JSON_DISABLE_EOF_CHECK, NULL);
	const json_int_t id = json_integer_value(json_object_get(said, "id"));

	json_decref(said);
	return id;
}

static void hear_server(struct world *w)
{
	static char room[1u << 16];
	int fd = w->n < CONNECTIONS ? accept4(w->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;

	if (fd >= 0) {
		w->now = w->n++;
		w->at[w->now] = (struct connection){ .fd = fd };
	}
	for (int i = 0; i < w->n; i++) {
		const ssize_t n = w->at[i].fd < 0 ? -1 : read(w->at[i].fd, room, sizeof room - 1);
		const char *body;

		if (n <= 0)
			continue;
		room[n] = 0;
		promise(strncmp(room, "POST /m HTTP/1.1\r\nHost: 127.0.0.1:", 34) == 0 ||
			strncmp(room, "GET /m HTTP/1.1\r\nHost: 127.0.0.1:", 33) == 0 ||
			strncmp(room, "DELETE /m HTTP/1.1\r\nHost: 127.0.0.1:", 36) == 0);
		body = strstr(room, "\r\n\r\n");
		w->now = i;
		if (body != NULL && body[4] != 0)
			w->at[i].id = id_of(body + 4);
	}
}

static void run_on(struct world *w)
{
	for (unsigned i = 0; i < TURNS && w->b != NULL; i++) {
		const size_t before = w->line.len;
		const int n = w->n;

		if (!bridge_turn(w->b, 0)) {
			bridge_free(w->b);
			w->b = NULL;
		}
		hear_gate(w);
		hear_server(w);
		if (i > 6 && before == w->line.len && n == w->n)
			break;
	}
}

/* ---- what is said ---- */

static void begin(struct world *w)
{
	int in[2], out[2];
	socklen_t n = sizeof w->net.to.four;
	char text[64];
	struct err e;

	*w = (struct world){ .listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) };
	w->net.to.four.sin_family = AF_INET;
	w->net.to.four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	promise(bind(w->listener, &w->net.to.any, n) == 0 && listen(w->listener, 64) == 0 &&
		getsockname(w->listener, &w->net.to.any, &n) == 0);
	w->net.to_n = n;
	(void)snprintf(text, sizeof text, "http://127.0.0.1:%u/m", ntohs(w->net.to.four.sin_port));
	promise(url_take(text, &w->url, &e) == 0);
	w->net.host = w->url.host;
	promise(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 && fd_set_nonblock(out[0], true) == 0);
	w->said = in[1];
	w->heard = out[0];
	buf_init(&w->line, 128u << 20);
	w->b = bridge_new(&w->url, &w->net, in[0], out[1]);
	promise(w->b != NULL);
}

static void say_line(struct world *w, const uint8_t *bytes, size_t n)
{
	json_t *line = json_loadb((const char *)bytes, n, JSON_REJECT_DUPLICATES, NULL);
	const json_int_t id = json_integer_value(json_object_get(line, "id"));

	if (json_is_integer(json_object_get(line, "id")) && id >= 0 && id < IDS)
		w->asked[id]++;
	json_decref(line);
	if (w->said < 0 || n > 4096 || memchr(bytes, '\n', n) != NULL)
		return;
	(void)!write(w->said, bytes, n);
	(void)!write(w->said, "\n", 1);
}

static void say(struct world *w, const uint8_t *bytes, size_t n, bool with_id)
{
	auto_buf text = { .max = 1u << 20 };

	if (w->n == 0 || w->at[w->now].fd < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (with_id && bytes[i] == '#')
			buf_printf(&text, "%lld", (long long)w->at[w->now].id);
		else
			buf_put_u8(&text, bytes[i]);
	(void)send(w->at[w->now].fd, text.data, text.len, MSG_NOSIGNAL);
}

static void close_one(struct connection *c)
{
	const struct linger now = { .l_onoff = 1 };

	if (c->fd >= 0)
		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now); /* no port waits behind it */
	fd_close(&c->fd);
}

static void step(struct world *w, uint8_t what, const uint8_t *bytes, size_t n)
{
	switch (what) {
	case 'g': say_line(w, bytes, n); break;
	case 's':
	case 'S': say(w, bytes, n, what == 'S'); break;
	case 'c':
		if (w->n > 0 && w->at[w->now].fd >= 0)
			(void)shutdown(w->at[w->now].fd, SHUT_WR);
		break;
	case 'k': w->now = w->now > 0 ? w->now - 1 : 0; break;
	case 't':
		for (size_t i = 0; i < BRIDGE_CALLS_MAX && w->b != NULL; i++)
			w->b->calls[i].again_ms = w->b->calls[i].again_ms != 0 ? 1 : 0;
		break;
	case 'h': fd_close(&w->said); break;
	default: break;
	}
	run_on(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct rbuf in;

	(void)signal(SIGPIPE, SIG_IGN);
	begin(&w);
	rbuf_init(&in, data, size);
	while (rbuf_left(&in) > 0 && !in.failed) {
		const uint8_t what = rbuf_u8(&in);
		const uint16_t n = rbuf_u16(&in);
		const uint8_t *bytes = rbuf_bytes(&in, n);

		if (bytes != NULL)
			step(&w, what, bytes, n);
	}
	fd_close(&w.said);
	fd_close(&w.heard);
	for (int i = 0; i < w.n; i++)
		close_one(&w.at[i]);
	fd_close(&w.listener);
	for (unsigned i = 0; i < TURNS && w.b != NULL; i++)
		if (!bridge_turn(w.b, 0) || w.b->bye_ms != 0) {
			bridge_free(w.b);
			w.b = NULL;
		}
	promise(w.b == NULL); /* nobody is there any more */
	buf_finish(&w.line);
	return 0;
}
