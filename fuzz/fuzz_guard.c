/* The whole of ambit-guard between a client, a server and the command line, who all say whatever they like. The input is a list of u8 who, u16 length, bytes: 'c' what the client says, 's' what
 * the server says ('C', 'S': a line, with each # as the id by which they heard the last request), 'w' the command line's word on the last that it was asked (u8 verdict), 'o' a
 * message of its (u16 number, body), 'p' a definition that was pinned (a name, a NUL, what its digest is of), 'n' some were pinned, so that none is for the first time, 'h' and 'H' the client, or the server, says no more, 'F' the server says a middle so often
 * between head and tail (u16 times, and these with a NUL between).
 *
 * Promised: it never hangs; what either hears is lines of JSON with no member twice; the server hears no more calls than there were a yes to, and each by an id that it did not hear before; the
 * client hears no more that the server asked than there were a word to; what the command line hears are messages that wire.h lets through and whose bodies can be read, and a definition is the text that
 * its digest is of. */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "fuzz.h"
#include "guard/guard.h"
#include "profile/call_link.h"
#include "wire/wire.h"

#define TURNS 200 /* after which whatever was said once has been dealt with */

struct end {
	int said, heard; /* ours; -1 */
	struct buf line;
	json_int_t last; /* id of the last request that it heard */
};

struct world {
	struct guard *g;
	struct end client, server;
	int owner;
	uint32_t asked; /* the number of the last */
	unsigned yes, words, done, put;
	struct buf part;
};

static void pair_up(int type, int ret[2])
{
	promise(socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret) == 0);
}

/* ---- what each hears ---- */

static bool is_judged(const char *method)
{
	static const char *const judged[] = { "tools/call",  "resources/read",      "resources/subscribe",
					      "prompts/get", "completion/complete", "logging/setLevel" };

	for (size_t i = 0; i < sizeof judged / sizeof judged[0]; i++)
		if (strcmp(judged[i], method) == 0)
			return true;
	return false;
}

static bool is_granted(const char *method)
{
	return strcmp(method, "sampling/createMessage") == 0 || strcmp(method, "elicitation/create") == 0 ||
	       strcmp(method, "roots/list") == 0;
}

static void check_line(struct world *w, struct end *of, const char *text, size_t n)
{
	json_t *line = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	const char *method = json_string_value(json_object_get(line, "method"));
	const json_t *id = json_object_get(line, "id");

	promise(line != NULL && strcmp(json_string_value(json_object_get(line, "jsonrpc")), "2.0") == 0);
	if (method != NULL && id != NULL) {
		promise(json_is_integer(id) && json_integer_value(id) > 0);
		promise(of == &w->client || json_integer_value(id) != of->last);
		of->last = json_integer_value(id);
		w->done += of == &w->server && is_judged(method);
		w->put += of == &w->client && is_granted(method);
		promise(w->done <= w->yes && w->put <= w->words);
	}
	json_decref(line);
}

static void hear_lines(struct world *w, struct end *of)
{
	static uint8_t room[1u << 16];
	size_t from = 0;
	ssize_t n;

	while (of->heard >= 0 && (n = read(of->heard, room, sizeof room)) > 0)
		buf_put(&of->line, room, (size_t)n);
	for (size_t i = 0; i < of->line.len; i++) {
		if (of->line.data[i] != '\n')
			continue;
		check_line(w, of, (const char *)of->line.data + from, i - from);
		from = i + 1;
	}
	buf_drop(&of->line, from);
}

static void check_tool(struct world *w, struct rbuf *body)
{
	uint8_t digest[SHA256_BYTES] = { 0 };
	struct guard_tool t;
	struct sha256 s;

	promise(guard_tool_take(body, &t) && t.bytes == w->part.len);
	if (t.odd == GUARD_ODD_ABSENT) { /* it is not listed, so there is nothing to show */
		promise(t.bytes == 0);
	} else {
		sha256_init(&s);
		sha256_add(&s, w->part.data, w->part.len);
		sha256_end(&s, digest);
	}
	promise(memcmp(digest, t.pin.sha256, sizeof digest) == 0);
	buf_reset(&w->part);
}

/* None are there of what the server asks. */
static bool are_items(const struct guard_items *items)
{
	static struct call c;
	struct rbuf in;

	rbuf_init(&in, items->bytes, items->n);
	return items->n == 0 || call_take(&in, &c);
}

static void hear_owner(struct world *w)
{
	static uint8_t room[WIRE_BODY_MAX + WIRE_HEAD];

	while (w->owner >= 0) {
		auto_message m = { .n_fds = 0 };
		const int r = wire_receive(w->owner, WIRE_GUARD, WIRE_RUNNING, room, sizeof room, &m);
		const size_t n = rbuf_left(&m.body);
		struct guard_ask ask;
		struct guard_lacks l;
		struct guard_over over;
		uint32_t canary;

		promise(r != -EPROTO);
		if (r <= 0)
			return;
		switch ((int)m.number) {
		case WIRE_GUARD_ASK:
			promise(guard_ask_take(&m.body, &ask) && (ask.canary == 0 || ask.canary == 4) &&
				are_items(&ask.items));
			w->asked = ask.number;
			break;
		case WIRE_GUARD_TOUCHED: promise(guard_touched_take(&m.body, &canary) && canary == 3); break;
		case WIRE_GUARD_OVER: promise(guard_over_take(&m.body, &over)); break;
		case WIRE_GUARD_PART: buf_put(&w->part, rbuf_bytes(&m.body, n), n); break;
		case WIRE_GUARD_TOOL: check_tool(w, &m.body); break;
		case WIRE_GUARD_LACKS: promise(guard_lacks_take(&m.body, &l) && l.grant == 0 && l.condition < 2); break;
		default: promise(false);
		}
	}
}

static void run_on(struct world *w)
{
	for (unsigned i = 0; i < TURNS && w->g != NULL; i++) {
		const size_t before = w->client.line.len + w->server.line.len;

		if (!guard_turn(w->g, 0)) {
			guard_free(w->g);
			w->g = NULL;
		}
		hear_lines(w, &w->client);
		hear_lines(w, &w->server);
		hear_owner(w);
		if (w->g != NULL && w->g->client.dry && w->g->server.dry && i > 8 &&
		    before == w->client.line.len + w->server.line.len)
			break;
	}
}

/* ---- what each says ---- */

static void begin(struct world *w)
{
	const struct guard_begin b = { .is_first = 1, .answer_bytes = 2500, .wants_items = 1 };
	struct guard_grant_of of = { .name = "echo" };
	struct where conditions = { .used = 0 };
	int client_said[2], client_heard[2], server_said[2], server_heard[2], owner[2];

	pair_up(SOCK_STREAM, client_said);
	pair_up(SOCK_STREAM, client_heard);
	pair_up(SOCK_STREAM, server_said);
	pair_up(SOCK_STREAM, server_heard);
	pair_up(SOCK_SEQPACKET, owner);
	*w = (struct world){ .client = { .said = client_said[0], .heard = client_heard[0] },
			     .server = { .said = server_said[0], .heard = server_heard[0] },
			     .owner = owner[0] };
	buf_init(&w->client.line, 64u << 20);
	buf_init(&w->server.line, 64u << 20);
	buf_init(&w->part, 1u << 20);
	w->g = guard_new((int[]){ client_said[1], client_heard[1], server_heard[1], server_said[1] }, owner[1], &b);
	promise(where_set(&conditions, "{\"a.b\":\"x\",\"say\":\"y\"}", NULL) == 0);
	where_format(&conditions, of.terms);
	promise(w->g != NULL && guard_granted(w->g, &of) && guard_secret(w->g, GUARD_TOKENS) &&
		guard_secret(w->g, "SECRET[0-9]+") &&
		guard_canary(w->g, &(struct guard_canary){ .canary = 3, .text = "CANARY0123456789" }));
	run_on(w);
}

static void say(struct world *w, const struct end *by, const uint8_t *bytes, size_t n)
{
	for (size_t at = 0, tries = 0; at < n && by->said >= 0 && tries < TURNS; tries++) {
		const ssize_t sent = send(by->said, bytes + at, n - at, MSG_NOSIGNAL);

		at += sent > 0 ? (size_t)sent : 0;
		run_on(w);
	}
}

static void say_with_id(struct world *w, const struct end *by, const uint8_t *bytes, size_t n)
{
	auto_buf line = { .max = 1u << 20 };

	for (size_t i = 0; i < n; i++)
		if (bytes[i] == '#')
			buf_printf(&line, "%lld", (long long)by->last);
		else
			buf_put_u8(&line, bytes[i]);
	buf_put_u8(&line, '\n');
	say(w, by, line.data, line.len);
}

static void say_often(struct world *w, const struct end *by, const uint8_t *bytes, size_t n)
{
	const uint8_t *middle = n > 2 ? memchr(bytes + 2, 0, n - 2) : NULL;
	const uint8_t *tail = middle == NULL ? NULL : memchr(middle + 1, 0, (size_t)(bytes + n - middle - 1));
	auto_buf line = { .max = FRAME_LINE_MAX + FRAME_READ };
	unsigned times;

	if (tail == NULL)
		return;
	times = (unsigned)(bytes[0] | bytes[1] << 8);
	buf_put(&line, bytes + 2, (size_t)(middle - bytes - 2));
	while (times-- > 0 && line.len < FRAME_LINE_MAX)
		buf_put(&line, middle + 1, (size_t)(tail - middle - 1));
	buf_put(&line, tail + 1, (size_t)(bytes + n - tail - 1));
	say(w, by, line.data, line.len);
}

static void say_word(struct world *w, uint32_t verdict)
{
	auto_buf body = { .max = WIRE_BODY_MAX };
	struct guard_word v = { .number = w->asked,
				.verdict = verdict,
				.event = "e_1",
				.question = "a_1",
				.why = { .code = AMBIT_DENIED, .msg = "it is denied", .hint = "or not" } };

	w->yes += verdict == GUARD_YES;
	w->words++;
	guard_word_put(&body, &v);
	(void)wire_send(w->owner, WIRE_GUARD_WORD, &body, NULL, 0); /* who is gone hears nothing */
}

static void say_message(struct world *w, const uint8_t *bytes, size_t n)
{
	auto_buf body = { .max = WIRE_BODY_MAX };
	struct guard_word v;
	struct rbuf in;
	uint16_t number;

	rbuf_init(&in, bytes, n);
	number = rbuf_u16(&in);
	if (in.failed || n - 2 > WIRE_BODY_MAX)
		return;
	w->words += number == WIRE_GUARD_WORD;
	w->yes += number == WIRE_GUARD_WORD && guard_word_take(&in, &v) && v.verdict == GUARD_YES;
	buf_put(&body, bytes + 2, n - 2);
	(void)wire_send(w->owner, (enum wire_number)number, &body, NULL, 0); /* likewise */
}

static void pin(struct world *w, const uint8_t *bytes, size_t n)
{
	const uint8_t *of = n > 0 ? memchr(bytes, 0, n) : NULL;
	struct guard_pin p = { .name = "" };
	struct sha256 s;

	if (of == NULL || of == bytes || (size_t)(of - bytes) >= sizeof p.name || w->g == NULL)
		return;
	memcpy(p.name, bytes, (size_t)(of - bytes));
	sha256_init(&s);
	sha256_add(&s, of + 1, (size_t)(bytes + n - of - 1));
	sha256_end(&s, p.sha256);
	(void)guard_pinned(w->g, &p); /* as many as there may be */
}

static void step(struct world *w, uint8_t who, const uint8_t *bytes, size_t n)
{
	switch (who) {
	case 'c': say(w, &w->client, bytes, n); break;
	case 's': say(w, &w->server, bytes, n); break;
	case 'C': say_with_id(w, &w->client, bytes, n); break;
	case 'S': say_with_id(w, &w->server, bytes, n); break;
	case 'F': say_often(w, &w->server, bytes, n); break;
	case 'w': say_word(w, n > 0 ? bytes[0] : 0); break;
	case 'o': say_message(w, bytes, n); break;
	case 'p': pin(w, bytes, n); return;
	case 'n':
		if (w->g != NULL)
			w->g->is_first = false;
		return;
	case 'h': (void)shutdown(w->client.said, SHUT_WR); break;
	case 'H': (void)shutdown(w->server.said, SHUT_WR); break;
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
	fd_close(&w.client.said);
	fd_close(&w.client.heard);
	fd_close(&w.server.said);
	fd_close(&w.server.heard);
	fd_close(&w.owner);
	run_on(&w);
	promise(w.g == NULL); /* nobody is there any more */
	buf_finish(&w.client.line);
	buf_finish(&w.server.line);
	buf_finish(&w.part);
	return 0;
}
