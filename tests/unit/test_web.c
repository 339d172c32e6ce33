/* The role that carries MCP over HTTP, whole, between sockets whose other ends are here, with a clock that is here, too; and its parts that are pure. Lines are written here with ' for ", both ways. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "rpc/bounds.h"
#include "web/web.h"
#include "wire/wire.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static uint64_t now_ms = 1000000;
uint64_t __wrap_clock_ms(void);
uint64_t __wrap_clock_ms(void)
{
	return now_ms;
}

/* ---- parts ---- */

static void members_are_found(void **state)
{
	static const struct {
		const char *text, *names[3], *value; /* NULL: it is not there */
	} rows[] = {
		{ "{'id':1}", { "id" }, "1" },
		{ " { 'a' : 'x}' , 'id' : [1,{'id':2}] , 'b':0}", { "id" }, "[1,{'id':2}]" },
		{ "{'a':{'id':3},'id':4}", { "id" }, "4" },
		{ "{'a':{'id':3},'id':4}", { "a", "id" }, "3" },
		{ "{'a':'\\'id\\':5','id':'\\\\'}", { "id" }, "'\\\\'" },
		{ "{'a':{'b':{}}}", { "a", "b" }, "{}" },
		{ "{'id':-1.5e3}", { "id" }, "-1.5e3" },
		{ "{'idx':1,'id':2,'i':3}", { "id" }, "2" },
		{ "{'a':1}", { "id" }, NULL },
		{ "['id',1]", { "id" }, NULL },
		{ "{'a':'id'}", { "id" }, NULL },
		{ "{'a':7}", { "a", "b" }, NULL },
		{ "", { "id" }, NULL },
		{ "{", { "id" }, NULL },
		{ "{'", { "id" }, NULL },
		{ "{'id", { "id" }, NULL },
		{ "{'id'", { "id" }, NULL },
		{ "{'x\\", { "id" }, NULL },
		{ "}", { "id" }, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[128];
		struct member m;
		size_t n = strlen(rows[i].text);
		bool found;

		memcpy(text, rows[i].text, n);
		for (size_t k = 0; k < n; k++)
			text[k] = text[k] == '\'' ? '"' : text[k];
		found = member_find_in(text, n, rows[i].names, &m);
		if (found != (rows[i].value != NULL))
			fail_msg("row %zu: %s", i, rows[i].text);
		for (size_t k = 0; found && k < m.to - m.from; k++)
			text[m.from + k] = text[m.from + k] == '"' ? '\'' : text[m.from + k];
		if (found)
			assert_memory_equal(text + m.from, rows[i].value, strlen(rows[i].value));
		assert_true(!found || m.to - m.from == strlen(rows[i].value));
	}
}

static void what_is_told_is_taken(void **state)
{
	struct web_begin b = { .auth = WEB_AUTH_OAUTH, .depth = 1, .values = 2, .port = 65535 }, got;
	auto_buf body = { .max = 8192 };
	struct rbuf in;
	uint32_t number;

	(void)state;
	memset(b.token, 0x5a, sizeof b.token);
	memset(b.issuer, 'i', sizeof b.issuer - 1);
	memset(b.audience, 'a', sizeof b.audience - 1);
	memset(b.scope, 's', sizeof b.scope - 1);
	memset(b.address, '1', sizeof b.address - 1);
	for (size_t i = 0; i < WEB_ORIGINS_MAX; i++)
		memset(b.origins[i], 'o', sizeof b.origins[i] - 1);
	web_begin_put(&body, &b);
	assert_int_equal(body.len, WEB_BEGIN_BYTES);
	for (size_t n = 0; n <= body.len; n++) {
		rbuf_init(&in, body.data, n);
		assert_int_equal(web_begin_take(&in, &got), n == body.len);
	}
	assert_memory_equal(&got, &b, sizeof b);
	body.data[0] = WEB_AUTH_COUNT;
	rbuf_init(&in, body.data, body.len);
	assert_false(web_begin_take(&in, &got));
	buf_reset(&body);
	web_number_put(&body, 7);
	rbuf_init(&in, body.data, body.len);
	assert_true(web_number_take(&in, &number) && number == 7);
}

/* ---- the role ---- */

struct world {
	struct web *w;
	int owner, client, server; /* client, server: the last that came */
	struct buf heard, lines;   /* of the client, of the server; with ' for " */
	char session[40];
};

static void pair_up(int type, int ret[2])
{
	assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret), 0);
}

static void take_in(int fd, struct buf *to)
{
	static uint8_t room[1u << 16];
	ssize_t n;

	while (fd >= 0 && (n = read(fd, room, sizeof room)) > 0)
		for (ssize_t i = 0; i < n; i++)
			buf_put_u8(to, room[i] == '"' ? '\'' : room[i]);
}

static void hear_owner(struct world *w)
{
	static uint8_t room[256];
	auto_message m = { .n_fds = 0 };
	auto_buf body = { .max = 16 };
	uint32_t number;
	int pair[2];

	if (wire_receive(w->owner, WIRE_WEB, WIRE_RUNNING, room, sizeof room, &m) <= 0)
		return;
	assert_true(web_number_take(&m.body, &number));
	pair_up(SOCK_STREAM, pair);
	fd_close(&w->server);
	w->server = pair[0];
	web_number_put(&body, number);
	assert_int_equal(wire_send(w->owner, WIRE_WEB_SERVER, &body, &pair[1], 1), 0);
	fd_close(&pair[1]);
}

static void run_on(struct world *w)
{
	for (unsigned i = 0; i < 12; i++) {
		assert_true(web_turn(w->w, 0));
		hear_owner(w);
	}
	take_in(w->client, &w->heard);
	take_in(w->server, &w->lines);
}

static int come(struct world *w)
{
	int pair[2], before = w->client;

	pair_up(SOCK_STREAM, pair);
	w->client = pair[0];
	assert_int_equal(wire_send(w->owner, WIRE_WEB_CLIENT, NULL, &pair[1], 1), 0);
	fd_close(&pair[1]);
	buf_reset(&w->heard);
	run_on(w);
	return before;
}

static void say(struct world *w, int fd, const char *text)
{
	char *line = strdup(text);

	for (char *c = line; *c != 0; c++)
		*c = *c == '\'' ? '"' : *c;
	assert_int_equal(write(fd, line, strlen(line)), (ssize_t)strlen(line));
	free(line);
	run_on(w);
}

static void post(struct world *w, const char *fields, const char *body)
{
	char text[4096];

	(void)snprintf(
		text, sizeof text,
		"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: */*\r\n%s%s%s%sContent-Length: %zu\r\n\r\n%s",
		fields, w->session[0] != 0 ? "Mcp-Session-Id: " : "", w->session, w->session[0] != 0 ? "\r\n" : "",
		strlen(body), body);
	buf_reset(&w->heard);
	say(w, w->client, text);
}

static void get(struct world *w, const char *fields)
{
	char text[512];

	(void)snprintf(
		text, sizeof text,
		"GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n%sMcp-Session-Id: %s\r\n\r\n",
		fields, w->session);
	buf_reset(&w->heard);
	say(w, w->client, text);
}

static bool heard(struct world *w, const char *what)
{
	return w->heard.len > 0 && memmem(w->heard.data, w->heard.len, what, strlen(what)) != NULL;
}

static void begin(struct world *w, struct web_begin rules)
{
	int owner[2];

	rules.depth = PARSE_DEPTH_MAX;
	rules.values = PARSE_VALUES_MAX;
	pair_up(SOCK_SEQPACKET, owner);
	*w = (struct world){ .owner = owner[0], .client = -1, .server = -1 };
	buf_init(&w->heard, 64u << 20);
	buf_init(&w->lines, 64u << 20);
	w->w = web_new(owner[1], &rules);
	assert_non_null(w->w);
	fd_close(&(int){ come(w) });
}

static void end(struct world *w)
{
	web_free(w->w);
	fd_close(&w->owner);
	fd_close(&w->client);
	fd_close(&w->server);
	buf_finish(&w->heard);
	buf_finish(&w->lines);
}

/* A session of 2025-11-25. */
static void begin_session(struct world *w)
{
	const uint8_t *at;

	begin(w, (struct web_begin){ .port = 80, .address = "127.0.0.1" });
	post(w, "", "{'jsonrpc':'2.0','id':0,'method':'initialize','params':{'protocolVersion':'2025-11-25'}}");
	say(w, w->server, "{'jsonrpc':'2.0','id':1,'result':{'protocolVersion':'2025-11-25'}}\n");
	at = memmem(w->heard.data, w->heard.len, "Mcp-Session-Id: ", 16);
	assert_non_null(at);
	memcpy(w->session, at + 16, 32);
	buf_reset(&w->lines);
}

static void pass(struct world *w, uint64_t ms)
{
	now_ms += ms;
	run_on(w);
}

static void time_ends_what_does_not_come(void **state)
{
	struct world w;
	char byte;

	(void)state;
	begin(&w, (struct web_begin){ .port = 80, .address = "127.0.0.1" });
	pass(&w, WEB_HEAD_MS);
	assert_int_equal(read(w.client, &byte, 1), -1); /* it may still say something */
	pass(&w, 1);
	assert_int_equal(read(w.client, &byte, 1), 0);
	fd_close(&(int){ come(&w) });
	say(&w, w.client, "GET /mcp HTTP/1.1\r\n");
	pass(&w, WEB_HEAD_MS + 1);
	assert_true(heard(&w, "HTTP/1.1 408 "));
	fd_close(&(int){ come(&w) });
	say(&w, w.client,
	    "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: */*\r\nContent-Length: 9\r\n\r\n{");
	pass(&w, WEB_BODY_MS);
	assert_false(heard(&w, "408"));
	pass(&w, 1);
	assert_true(heard(&w, "HTTP/1.1 408 "));
	fd_close(&(int){ come(&w) });
	post(&w, "", "[]"); /* it had an answer: it is kept for a while */
	assert_true(heard(&w, "HTTP/1.1 400 "));
	pass(&w, WEB_IDLE_MS - 1);
	assert_int_equal(read(w.client, &byte, 1), -1);
	pass(&w, 2);
	assert_int_equal(read(w.client, &byte, 1), 0);
	end(&w);
}

static void what_takes_long_is_answered_by_a_stream(void **state)
{
	struct world w;

	(void)state;
	begin_session(&w);
	post(&w, "Authorization: Bearer SECRET\r\nX-Other: SECRET\r\n", "{'jsonrpc':'2.0','id':'x','method':'ping'}");
	assert_true(memmem(w.lines.data, w.lines.len, "SECRET", 6) == NULL); /* nothing of a head goes on */
	assert_true(memmem(w.lines.data, w.lines.len, "'id':2,", 7) != NULL);
	pass(&w, WEB_STREAM_MS);
	assert_int_equal(w.heard.len, 0);
	pass(&w, 1);
	assert_true(heard(&w, "text/event-stream") && heard(&w, "id: 1-1\ndata: \n\n"));
	buf_reset(&w.heard);
	pass(&w, WEB_BEAT_MS + 1);
	assert_true(heard(&w, "3\r\n:\n\n\r\n"));
	say(&w, w.server, "{'jsonrpc':'2.0','id':2,'result':{}}\n");
	assert_true(heard(&w, "id: 1-2\ndata: {'jsonrpc':'2.0','id':'x','result':{}}\n\n\r\n0\r\n\r\n"));
	end(&w);
}

static void who_does_not_take_it_is_left(void **state)
{
	static char text[1u << 20];
	struct world w;
	char byte;
	ssize_t n = 0;

	(void)state;
	begin_session(&w);
	post(&w, "", "{'jsonrpc':'2.0','id':1,'method':'ping'}");
	(void)snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"x\":\"%0*d\"}}\n",
		       (int)sizeof text - 100, 0);
	for (size_t at = 0; at<strlen(text); at += n> 0 ? (size_t)n : 0) {
		n = write(w.server, text + at, strlen(text) - at);
		for (unsigned i = 0; i < 12; i++)
			assert_true(web_turn(w.w, 0)); /* and nobody reads */
	}
	now_ms += WEB_STALL_MS;
	assert_true(web_turn(w.w, 0));
	assert_true(w.w->conns[0].fd >= 0);
	now_ms += 1;
	assert_true(web_turn(w.w, 0));
	assert_int_equal(w.w->conns[0].fd, -1);
	while (read(w.client, &byte, 1) > 0)
		;
	fd_close(&(int){ come(&w) });
	post(&w, "", "{'jsonrpc':'2.0','id':3,'method':'ping'}");
	say(&w, w.server, "{'jsonrpc':'2.0','id':3,'result':{}}\n");
	assert_true(heard(&w, "HTTP/1.1 200 "));
	end(&w);
}

/* Slowly is not never: a long answer comes whole, however long it takes, and what was sent behind the request is answered then. */
static void who_takes_it_slowly_has_it(void **state)
{
	static char text[1u << 20], room[64u << 10];
	struct world w;
	size_t said = 0, n, took = 0;
	ssize_t r;

	(void)state;
	begin_session(&w);
	post(&w, "", "{'jsonrpc':'2.0','id':1,'method':'ping'}");
	n = (size_t)snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"x\":\"%0*d\"}}\n",
			     (int)sizeof text - 100, 0);
	while (said < n) {
		r = write(w.server, text + said, n - said);
		said += r > 0 ? (size_t)r : 0;
		for (unsigned i = 0; i < 4; i++)
			assert_true(web_turn(w.w, 0));
	}
	while (took < n) { /* a bit, and 12 s without one */
		for (unsigned i = 0; i < 12; i++) {
			now_ms += 1000;
			assert_true(web_turn(w.w, 0));
		}
		r = read(w.client, room, sizeof room);
		assert_true(r > 0);
		took += (size_t)r;
	}
	run_on(&w);
	post(&w, "", "{'jsonrpc':'2.0','id':3,'method':'ping'}");
	say(&w, w.server, "{'jsonrpc':'2.0','id':3,'result':{}}\n");
	assert_true(heard(&w, "HTTP/1.1 200 "));
	end(&w);
}

static void what_is_kept_has_bounds(void **state)
{
	struct world w;
	char line[256];
	int before;

	(void)state;
	begin_session(&w);
	post(&w, "", "{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'_meta':{'progressToken':'t'}}}");
	for (unsigned i = 0; i < 2 * WEB_KEPT_MAX; i++) {
		(void)snprintf(
			line, sizeof line,
			"{'jsonrpc':'2.0','method':'notifications/progress','params':{'progressToken':'t','progress':%u}}\n",
			i);
		say(&w, w.server, line);
	}
	assert_int_equal(w.w->servers[0].n_kept, WEB_KEPT_MAX);
	fd_close(&w.client);
	run_on(&w);
	before = come(&w);
	assert_int_equal(before, -1);
	get(&w, "Last-Event-ID: 1-250\r\n");
	assert_true(heard(&w, "id: 1-251\n") && heard(&w, "id: 1-257\n") && !heard(&w, "id: 1-250\n"));
	say(&w, w.server, "{'jsonrpc':'2.0','id':2,'result':{}}\n"); /* it goes on where it is now */
	assert_true(heard(&w, "id: 1-258\ndata: {'jsonrpc':'2.0','id':1,'result':{}}\n\n\r\n0\r\n\r\n"));
	end(&w);
}

static void a_session_ends_if_nobody_uses_it(void **state)
{
	struct world w;
	char byte;

	(void)state;
	begin_session(&w);
	pass(&w, WEB_LEAVE_MS - 1);
	fd_close(&(int){ come(&w) });
	post(&w, "", "{'jsonrpc':'2.0','id':1,'method':'ping'}");
	say(&w, w.server, "{'jsonrpc':'2.0','id':2,'result':{}}\n");
	assert_true(heard(&w, "HTTP/1.1 200 "));
	pass(&w, WEB_LEAVE_MS + 1);
	assert_int_equal(read(w.server, &byte, 1), 0);
	fd_close(&(int){ come(&w) });
	post(&w, "", "{'jsonrpc':'2.0','id':1,'method':'ping'}");
	assert_true(heard(&w, "HTTP/1.1 404 "));
	end(&w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_found),
		cmocka_unit_test(what_is_told_is_taken),
		cmocka_unit_test(time_ends_what_does_not_come),
		cmocka_unit_test(what_takes_long_is_answered_by_a_stream),
		cmocka_unit_test(who_does_not_take_it_is_left),
		cmocka_unit_test(who_takes_it_slowly_has_it),
		cmocka_unit_test(what_is_kept_has_bounds),
		cmocka_unit_test(a_session_ends_if_nobody_uses_it),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
