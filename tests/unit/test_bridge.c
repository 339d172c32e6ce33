/* Addresses of servers, server-sent events in all pieces, and which arguments stand in fields. */
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fd.h"
#include "bridge/bridge.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* ---- addresses ---- */

static void addresses_are_taken_or_refused(void **state)
{
	static const struct {
		const char *text, *written; /* NULL: refused */
		const char *host, *path;
	} rows[] = {
		{ "https://mcp.example.com/mcp", "https://mcp.example.com/mcp", "mcp.example.com", "/mcp" },
		{ "HTTPS://MCP.Example.com:443/mcp/", "https://mcp.example.com/mcp/", "mcp.example.com", "/mcp/" },
		{ "https://example.com", "https://example.com/", "example.com", "/" },
		{ "https://example.com:8443/a%20b?x=1&y=%2F", "https://example.com:8443/a%20b?x=1&y=%2F", "example.com",
		  "/a b" },
		{ "https://192.0.2.1/m", "https://192.0.2.1/m", "192.0.2.1", "/m" },
		{ "https://[2001:DB8::1]:444/m", "https://[2001:db8::1]:444/m", "2001:db8::1", "/m" },
		{ "http://127.0.0.1:3000/mcp", "http://127.0.0.1:3000/mcp", "127.0.0.1", "/mcp" },
		{ "http://127.8.9.1/mcp", "http://127.8.9.1/mcp", "127.8.9.1", "/mcp" },
		{ "http://[::1]:80/mcp", "http://[::1]/mcp", "::1", "/mcp" },
		{ "http://localhost:3000/mcp", "http://127.0.0.1:3000/mcp", "127.0.0.1", "/mcp" },
		{ "https://localhost/mcp", "https://127.0.0.1/mcp", "127.0.0.1", "/mcp" },
		{ "http://localhost.example.com/mcp", NULL, NULL, NULL },
		{ "http://128.0.0.1/mcp", NULL, NULL, NULL },
		{ "http://[::2]/mcp", NULL, NULL, NULL },
		{ "https://example.com:0/", NULL, NULL, NULL },
		{ "https://example.com:65536/", NULL, NULL, NULL },
		{ "https://me@example.com/", NULL, NULL, NULL },
		{ "https://example.com/#x", NULL, NULL, NULL },
		{ "https://example.com/a?b#x", NULL, NULL, NULL },
		{ "https://example.com/a?\"", NULL, NULL, NULL },
		{ "https://example.com/a/../b", NULL, NULL, NULL },
		{ "https://example.com?x", NULL, NULL, NULL },
		{ "https://*.example.com/", NULL, NULL, NULL },
		{ "https://10.0.0.0/8", "https://10.0.0.0/8", "10.0.0.0", "/8" },
		{ "https://unix:/x", NULL, NULL, NULL },
		{ "ssh://example.com/", NULL, NULL, NULL },
		{ "https//example.com/", NULL, NULL, NULL },
		{ "https://", NULL, NULL, NULL },
		{ "", NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[URL_TEXT_MAX];
		struct err e = { .code = AMBIT_OK };
		struct url u;
		const int r = url_take(rows[i].text, &u, &e);

		if (rows[i].written == NULL) {
			if (r != -AMBIT_USAGE || e.hint[0] == 0)
				fail_msg("taken: %s", rows[i].text);
			continue;
		}
		if (r != 0)
			fail_msg("refused: %s: %s", rows[i].text, e.msg);
		url_put(&u, text);
		assert_string_equal(text, rows[i].written);
		assert_string_equal(u.host, rows[i].host);
		assert_string_equal(u.path, rows[i].path);
		assert_int_equal(url_take(text, &u, &e), 0); /* the same again */
	}
}

static void origins_are_compared(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "https://example.com/a", "https://EXAMPLE.com:443/b?c", true },
		{ "https://example.com/a", "https://example.com:444/a", false },
		{ "https://example.com/a", "https://www.example.com/a", false },
		{ "https://127.0.0.1:80/a", "http://127.0.0.1:80/a", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct url a, b;
		struct err e;

		assert_true(url_take(rows[i].a, &a, &e) == 0 && url_take(rows[i].b, &b, &e) == 0);
		if (url_is_same_origin(&a, &b) != rows[i].same)
			fail_msg("%s, %s", rows[i].a, rows[i].b);
	}
}

/* ---- events ---- */

/* Of all events, each in brackets; then the number, and the time if there is one. */
static void read_events(const char *text, size_t n, size_t piece, char ret[1024])
{
	size_t at = 0, used = 0;
	struct sse s;

	sse_init(&s);
	while (at < n) {
		const size_t most = piece < n - at ? piece : n - at;
		size_t taken = 0;
		const enum sse_result r = sse_take(&s, (const uint8_t *)text + at, most, &taken);

		at += taken;
		assert_true(r != SSE_BAD);
		if (r == SSE_EVENT)
			used += (size_t)snprintf(ret + used, 1024 - used, "[%.*s]", (int)s.data.len,
						 (const char *)s.data.data);
	}
	used += (size_t)snprintf(ret + used, 1024 - used, "%s", s.id);
	if (s.has_retry)
		(void)snprintf(ret + used, 1024 - used, "/%u", s.retry_ms);
	sse_finish(&s);
}

static void events_are_the_same_in_all_pieces(void **state)
{
	static const struct {
		const char *text, *heard;
	} rows[] = {
		{ "data: a\n\n", "[a]" },
		{ "data:a\r\n\r\n", "[a]" },
		{ "data: a\r\r", "[a]" },
		{ "data: a\r\n\r\ndata: b\n\n", "[a][b]" },
		{ "\xef\xbb\xbf"
		  "data: a\n\n",
		  "[a]" },
		{ "data: a\ndata: b\n\n", "[a\nb]" },
		{ "data: a\rdata:  b\r\r", "[a\n b]" },
		{ "data\ndata: x\n\n", "[\nx]" },
		{ ": comment\n\n\n:\n\ndata: a\n\n", "[a]" },
		{ "event: message\ndata: a\n\nevent: ping\ndata: b\n\nevent:\ndata: c\n\n", "[a][c]" },
		{ "event: ping\n\ndata: a\n\n", "[a]" },
		{ "id: 1\ndata: a\n\n", "[a]1" },
		{ "id: 1\ndata: a\n\nid\ndata: b\n\n", "[a][b]" },
		{ "id: 1\ndata:\n\n", "1" },
		{ "id: 1\n\nid: 2\n", "1" },
		{ "id: 1\n\nid: a b\n\n", "" },
		{ "id: 1\n\nid: \x01\n\n", "" },
		{ "retry: 30\n\n", "/30" },
		{ "retry: 99999999999999999999\n\n", "/60000" },
		{ "retry: 3x\nretry:\n\n", "" },
		{ "retry: 0\n\n", "/0" },
		{ "data: not ended", "" },
		{ "data: not ended\n", "" },
		{ "Data: a\nwhat: b\ndata: c\n\n", "[c]" },
		{ " data: a\n\n", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t piece = 1; piece < 40; piece++) {
			char heard[1024] = "";

			read_events(rows[i].text, strlen(rows[i].text), piece, heard);
			if (strcmp(heard, rows[i].heard) != 0)
				fail_msg("row %zu in pieces of %zu: %s", i, piece, heard);
		}
}

static void events_are_bounded(void **state)
{
	static uint8_t page[65536];
	enum sse_result r = SSE_MORE;
	size_t taken = 0, sent = 0;
	struct sse s;

	(void)state;
	memset(page, 'x', sizeof page);
	sse_init(&s);
	(void)sse_take(&s, (const uint8_t *)"data: ", 6, &taken);
	for (; sent + sizeof page <= SSE_DATA_MAX && r == SSE_MORE; sent += sizeof page)
		r = sse_take(&s, page, sizeof page, &taken);
	assert_int_equal(r, SSE_MORE);
	assert_int_equal(sse_take(&s, (const uint8_t *)"\n\n", 2, &taken), SSE_EVENT);
	assert_int_equal(s.data.len, SSE_DATA_MAX);
	sse_finish(&s);
	sse_init(&s);
	(void)sse_take(&s, (const uint8_t *)"data: ", 6, &taken);
	for (sent = 0, r = SSE_MORE; sent <= SSE_DATA_MAX && r == SSE_MORE; sent += sizeof page)
		r = sse_take(&s, page, sizeof page, &taken);
	assert_int_equal(r, SSE_BAD);
	sse_finish(&s);
}

/* ---- fields ---- */

static void values_stand_in_fields_as_they_can(void **state)
{
	static const struct {
		const char *value, *field;
	} rows[] = {
		{ "plain text", "plain text" },
		{ "", "=?base64?\?=" },
		{ " x", "=?base64?IHg=?=" },
		{ "a\nb", "=?base64?YQpi?=" },
		{ "\xc3\xa9", "=?base64?w6k=?=" },
		{ "=?base64?x?=", "=?base64?PT9iYXNlNjQ/eD89?=" },
		{ "a\tb", "a\tb" },
		{ "x\t", "=?base64?eAk=?=" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_buf out = { .max = 1024 };

		param_value(&out, rows[i].value);
		assert_string_equal(buf_cstr(&out), rows[i].field);
	}
}

static void arguments_that_a_tool_wants_there_stand_in_fields(void **state)
{
	static const char tools[] =
		"{\"tools\":[{\"name\":\"t\",\"inputSchema\":{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A\"},\"b\":{\"type\":\"number\",\"x-mcp-header\":\"B\"},"
		"\"c\":{\"type\":\"object\",\"properties\":{\"d\":{\"type\":\"boolean\",\"x-mcp-header\":\"D\"}}},\"e\":{\"type\":\"string\",\"x-mcp-header\":\"E: x\\r\\nF\"},"
		"\"g\":{\"type\":\"integer\",\"x-mcp-header\":\"G\"}}}}]}";
	static const struct {
		const char *params, *fields;
	} rows[] = {
		{ "{\"name\":\"t\",\"arguments\":{\"a\":\"x\",\"b\":1,\"c\":{\"d\":true},\"e\":\"y\",\"g\":-7}}",
		  "Mcp-Param-A: x\r\nMcp-Param-D: true\r\nMcp-Param-G: -7\r\n" },
		{ "{\"name\":\"t\",\"arguments\":{\"a\":null,\"c\":7,\"g\":9007199254740993}}", "" },
		{ "{\"name\":\"t\",\"arguments\":{\"a\":\"x\\r\\nEvil: 1\"}}",
		  "Mcp-Param-A: =?base64?eA0KRXZpbDogMQ==?=\r\n" },
		{ "{\"name\":\"u\",\"arguments\":{\"a\":\"x\"}}", "" },
		{ "{\"name\":\"t\"}", "" },
	};
	json_t *book = json_object(), *result = json_loads(tools, 0, NULL);

	(void)state;
	param_learn(book, result);
	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_buf out = { .max = 1024 };
		json_t *params = json_loads(rows[i].params, 0, NULL);

		param_put(&out, book, params);
		assert_string_equal(buf_cstr(&out), rows[i].fields);
		json_decref(params);
	}
	json_decref(result);
	json_decref(book);
}

/* ---- turns ---- */

#define LONG_ANSWER (400u << 10)

static void say(int fd, const char *text)
{
	if (fd_write_all(fd, text, strlen(text)) < 0)
		_exit(0);
}

static int hear_request(int listener)
{
	static char head[8192];
	const int fd = accept(listener, NULL, NULL);

	if (fd < 0 || read(fd, head, sizeof head) <= 0)
		_exit(0);
	return fd;
}

/* The second is told without end, from before the first is answered. */
__attribute__((noreturn)) static void play_server(int listener)
{
	static char much[LONG_ANSWER + 1], comments[65536];
	const int first = hear_request(listener), second = hear_request(listener);

	memset(much, 'x', LONG_ANSWER);
	memset(comments, '\n', sizeof comments - 1);
	say(second, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
	for (unsigned i = 0; i < 64; i++)
		say(second, comments);
	say(first,
	    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"");
	say(first, much);
	say(first, "\"}");
	(void)close(first);
	for (;;)
		say(second, comments);
}

static struct bridge *begin(const struct url *url, struct talk_net *net, int listener, int ret_pipes[4])
{
	static const char ask[] =
		"{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"x\",\"params\":{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"v\"}}}\n";

	net->to_n = sizeof net->to.four;
	assert_int_equal(getsockname(listener, &net->to.any, &net->to_n), 0);
	net->host = url->host;
	assert_int_equal(pipe(ret_pipes), 0);
	assert_int_equal(pipe(ret_pipes + 2), 0);
	for (unsigned i = 1; i <= 2; i++)
		assert_true(dprintf(ret_pipes[1], ask, i) > 0);
	return bridge_new(url, net, ret_pipes[0], ret_pipes[3]);
}

/* Whoever takes nothing of it has it wait, whatever the server goes on to say. */
static void nothing_turns_while_nobody_listens(void **state)
{
	const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct talk_net net = { .context = NULL };
	unsigned turns = 0;
	int pipes[4];
	struct bridge *b;
	struct url url;
	struct err e;
	uint64_t end;
	pid_t pid;

	(void)state;
	assert_int_equal(url_take("http://127.0.0.1:1/mcp", &url, &e), 0);
	assert_true(bind(listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 8) == 0);
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		play_server(listener);
	}
	b = begin(&url, &net, listener, pipes);
	assert_non_null(b);
	for (end = clock_ms() + 20000; b->bytes.len < BRIDGE_OUT_LOW && clock_ms() < end;)
		assert_true(bridge_turn(b, 100));
	assert_true(b->bytes.len >= BRIDGE_OUT_LOW);
	for (end = clock_ms() + 500; clock_ms() < end; turns++)
		assert_true(bridge_turn(b, 100));
	assert_in_range(turns, 1, 20);
	bridge_free(b);
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)close(listener);
	(void)close(pipes[1]);
	(void)close(pipes[2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_taken_or_refused),
		cmocka_unit_test(origins_are_compared),
		cmocka_unit_test(events_are_the_same_in_all_pieces),
		cmocka_unit_test(events_are_bounded),
		cmocka_unit_test(values_stand_in_fields_as_they_can),
		cmocka_unit_test(arguments_that_a_tool_wants_there_stand_in_fields),
		cmocka_unit_test(nothing_turns_while_nobody_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
