/* The role that stands between a client of MCP and a server, whole, between sockets whose other ends are here: client, server and command line say what they like, in any order.
 * Lines are written here with ' for ", both ways. */
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

#include "base/cleanup.h"
#include "base/fd.h"
#include "guard/guard.h"
#include "wire/wire.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static time_t now_s = 1800000000;
time_t __wrap_time(time_t *ret);
time_t __wrap_time(time_t *ret)
{
	if (ret != NULL)
		*ret = now_s;
	return now_s;
}

/* As `PATH=KINDvalue;`, in their order. */
static void write_out(const struct buf *flat, struct buf *out)
{
	struct where_argument a;
	struct rbuf in;

	rbuf_init(&in, flat->data, flat->len);
	while (where_next(&in, &a)) {
		buf_put(out, a.path, a.path_n);
		buf_printf(out, "=%c", "tnbl"[a.kind]);
		buf_put(out, a.value, a.n);
		buf_printf(out, ";");
	}
	assert_true(rbuf_done(&in));
	assert_true(where_are_arguments(&(struct where_arguments){ .bytes = flat->data, .n = flat->len }));
}

static struct guard_begin begin_of(void)
{
	struct guard_begin b = { .n_pins = GUARD_PINS_MAX, .n_granted = GUARD_GRANTS_MAX, .is_first = 1 };

	memset(b.key, 0x5a, sizeof b.key);
	return b;
}

static struct guard_pin pin_of(const char *name)
{
	struct guard_pin p = { .name = "" };

	(void)snprintf(p.name, sizeof p.name, "%s", name);
	memset(p.sha256, 0xa5, sizeof p.sha256);
	return p;
}

/* ---- the ends ---- */

#define TURNS 60 /* after which whatever was said has been dealt with */

struct world {
	struct guard *g; /* owned; NULL: it is over */
	int client_said, client_heard, server_said, server_heard, owner;
	struct buf to_client, to_server;
	char *line, *raw; /* owned: the last that was heard, as it is written here, and as it was */
	uint32_t number;  /* of the last that the command line was asked */
	struct buf asked; /* its arguments, as write_out has them */
	struct buf part;
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
		buf_put(to, room, (size_t)n);
}

static bool rests(const struct world *w)
{
	return w->g != NULL && (pace_rests(&w->g->client.pace) || pace_rests(&w->g->server.pace));
}

/* Who said a great deal is heard later: that is waited for. */
static void run_on(struct world *w)
{
	for (unsigned i = 0; i < TURNS; i += !rests(w)) {
		if (w->g != NULL && !guard_turn(w->g, rests(w) ? 10 : 0)) {
			guard_free(w->g);
			w->g = NULL;
		}
		take_in(w->client_heard, &w->to_client);
		take_in(w->server_heard, &w->to_server);
	}
}

static void begin(struct world *w, bool is_first)
{
	int client_said[2], client_heard[2], server_said[2], server_heard[2], owner[2];
	struct guard_begin b = begin_of();

	b.is_first = is_first;
	pair_up(SOCK_STREAM, client_said);
	pair_up(SOCK_STREAM, client_heard);
	pair_up(SOCK_STREAM, server_said);
	pair_up(SOCK_STREAM, server_heard);
	pair_up(SOCK_SEQPACKET, owner);
	*w = (struct world){ .client_said = client_said[0],
			     .client_heard = client_heard[0],
			     .server_said = server_said[0],
			     .server_heard = server_heard[0],
			     .owner = owner[0] };
	buf_init(&w->to_client, 64u << 20);
	buf_init(&w->to_server, 64u << 20);
	buf_init(&w->asked, 1u << 20);
	buf_init(&w->part, 1u << 20);
	w->g = guard_new((int[]){ client_said[1], client_heard[1], server_heard[1], server_said[1] }, owner[1], &b);
	assert_non_null(w->g);
	assert_true(guard_granted(w->g, &(struct guard_grant_of){ .name = "*" }));
}

/* A broken assertion leaves it: the process is about to end. */
static void end(struct world *w)
{
	guard_free(w->g);
	fd_close(&w->client_said);
	fd_close(&w->client_heard);
	fd_close(&w->server_said);
	fd_close(&w->server_heard);
	fd_close(&w->owner);
	buf_finish(&w->to_client);
	buf_finish(&w->to_server);
	buf_finish(&w->asked);
	buf_finish(&w->part);
	free(w->line);
	free(w->raw);
}

static void swap(char *line, char from, char to)
{
	for (; *line != 0; line++)
		*line = *line == from ? to : *line;
}

static void say(struct world *w, int fd, char *line)
{
	swap(line, '\'', '"');
	assert_int_equal(send(fd, line, strlen(line), MSG_NOSIGNAL), strlen(line));
	assert_int_equal(send(fd, "\n", 1, MSG_NOSIGNAL), 1);
	run_on(w);
}

#define client_says(w, ...) say_as(w, (w)->client_said, __VA_ARGS__)
#define server_says(w, ...) say_as(w, (w)->server_said, __VA_ARGS__)
static void __attribute__((format(printf, 3, 4))) say_as(struct world *w, int fd, const char *fmt, ...)
{
	char line[8192];
	va_list args;

	va_start(args, fmt);
	assert_true(vsnprintf(line, sizeof line, fmt, args) < (int)sizeof line);
	va_end(args);
	say(w, fd, line);
}

/* The next line; "": there is none. */
static const char *hears(struct world *w, struct buf *from)
{
	const uint8_t *at = from->len > 0 ? memchr(from->data, '\n', from->len) : NULL;
	const size_t n = at != NULL ? (size_t)(at - from->data) : 0;

	free(w->line);
	free(w->raw);
	w->raw = strndup(n > 0 ? (const char *)from->data : "", n);
	assert_non_null(w->raw);
	w->line = strdup(w->raw);
	assert_non_null(w->line);
	swap(w->line, '"', '\'');
	buf_drop(from, at != NULL ? n + 1 : 0);
	return w->line;
}

static const char *client_hears(struct world *w)
{
	return hears(w, &w->to_client);
}

static const char *server_hears(struct world *w)
{
	return hears(w, &w->to_server);
}

#define assert_nothing_is_heard(w)                                                                                     \
	do {                                                                                                           \
		assert_string_equal(client_hears(w), "");                                                              \
		assert_string_equal(server_hears(w), "");                                                              \
	} while (0)
#define assert_says(text, ...)                                                                                         \
	do {                                                                                                           \
		const char *const words_[] = { __VA_ARGS__ };                                                          \
		const char *const text_ = (text);                                                                      \
		for (size_t i_ = 0; i_ < COUNT_OF(words_); i_++)                                                       \
			if (strstr(text_, words_[i_]) == NULL)                                                         \
				fail_msg("no %s in: %s", words_[i_], text_);                                           \
	} while (0)

/* The id by which the server knows what it just heard. */
static long long own_of(const struct world *w)
{
	json_t *v = json_loads(w->raw, JSON_REJECT_DUPLICATES, NULL);
	const long long own = json_integer_value(json_object_get(v, "id"));

	if (own <= 0)
		fail_msg("no id: %s", w->raw);
	json_decref(v);
	return own;
}

static long long own_heard(struct world *w, const char *(*hears_it)(struct world *w))
{
	(void)hears_it(w);
	return own_of(w);
}

/* What the command line is told next: its number, 0: nothing. */
static int told(struct world *w, void *room, size_t n, struct wire_message *ret)
{
	const int r = wire_receive(w->owner, WIRE_GUARD, WIRE_RUNNING, room, n, ret);

	if (r == -EAGAIN || r == 0)
		return 0;
	assert_true(r > 0);
	return (int)ret->number;
}

static void assert_asked(struct world *w, const char *name, const char *arguments)
{
	static uint8_t room[WIRE_BODY_MAX + WIRE_HEAD];
	auto_message m = { .n_fds = 0 };
	struct guard_ask ask;
	struct buf flat;

	assert_int_equal(told(w, room, sizeof room, &m), WIRE_GUARD_ASK);
	assert_true(guard_ask_take(&m.body, &ask));
	assert_string_equal(ask.name, name);
	w->number = ask.number;
	flat = (struct buf){ .data = (uint8_t *)(uintptr_t)ask.arguments.bytes, .len = ask.arguments.n };
	buf_reset(&w->asked);
	write_out(&flat, &w->asked);
	if (arguments != NULL)
		assert_string_equal(buf_cstr(&w->asked), arguments);
}

static void assert_over(struct world *w, uint32_t number, enum guard_end how)
{
	static uint8_t room[WIRE_BODY_MAX + WIRE_HEAD];
	auto_message m = { .n_fds = 0 };
	struct guard_over o;

	assert_int_equal(told(w, room, sizeof room, &m), WIRE_GUARD_OVER);
	assert_true(guard_over_take(&m.body, &o));
	assert_int_equal(o.number, number);
	assert_int_equal(o.end, how);
}

static void assert_tool(struct world *w, const char *name, enum guard_odd odd)
{
	static uint8_t room[WIRE_BODY_MAX + WIRE_HEAD];
	uint8_t digest[SHA256_BYTES];
	struct guard_tool t;
	struct sha256 s;

	buf_reset(&w->part);
	for (;;) {
		auto_message m = { .n_fds = 0 };
		const int number = told(w, room, sizeof room, &m);
		const size_t n = rbuf_left(&m.body);

		if (number == WIRE_GUARD_PART) {
			buf_put(&w->part, rbuf_bytes(&m.body, n), n);
			continue;
		}
		assert_int_equal(number, WIRE_GUARD_TOOL);
		assert_true(guard_tool_take(&m.body, &t));
		break;
	}
	assert_string_equal(t.pin.name, name);
	assert_int_equal(t.odd, odd);
	assert_int_equal(t.bytes, w->part.len);
	sha256_init(&s);
	sha256_add(&s, w->part.data, w->part.len);
	sha256_end(&s, digest);
	assert_memory_equal(digest, t.pin.sha256, sizeof digest); /* it is of the text that a person sees */
}

static void assert_told_nothing(struct world *w)
{
	static uint8_t room[WIRE_BODY_MAX + WIRE_HEAD];
	auto_message m = { .n_fds = 0 };

	assert_int_equal(told(w, room, sizeof room, &m), 0);
}

static void word(struct world *w, uint32_t number, enum guard_verdict verdict)
{
	auto_buf body = { .max = 4096 };
	struct guard_word v = { .number = number,
				.verdict = verdict,
				.event = "e_1",
				.why = { .code = AMBIT_DENIED, .msg = "it is denied", .hint = "or not" } };

	if (verdict == GUARD_PERSON)
		(void)strcpy(v.question, "a_1");
	guard_word_put(&body, &v);
	assert_int_equal(wire_send(w->owner, WIRE_GUARD_WORD, &body, NULL, 0), 0);
	run_on(w);
}

#define LEGACY                                                                                                         \
	"'params':{'protocolVersion':'2025-11-25','capabilities':{'elicitation':{}},'clientInfo':{'name':'t','version':'1'}}"
#define MODERN                                                                                                         \
	"'_meta':{'io.modelcontextprotocol/protocolVersion':'2026-07-28','io.modelcontextprotocol/clientCapabilities':{'elicitation':{}}}"
#define TOOL(name, text) "{'name':'" name "','description':'" text "','inputSchema':{'type':'object'}}"

static void initialize(struct world *w)
{
	client_says(w, "{'jsonrpc':'2.0','id':'init','method':'initialize'," LEGACY "}");
	server_says(w, "{'jsonrpc':'2.0','id':%lld,'result':{}}", own_heard(w, server_hears));
	assert_string_equal(client_hears(w), "{'jsonrpc':'2.0','id':'init','result':{}}");
}

/* The client lists, and the server has these: gives what the client hears. */
static const char *list(struct world *w, const char *tools)
{
	client_says(w, "{'jsonrpc':'2.0','id':'list','method':'tools/list'}");
	server_says(w, "{'jsonrpc':'2.0','id':%lld,'result':{'tools':[%s]}}", own_heard(w, server_hears), tools);
	return client_hears(w);
}

/* With a tool `t` that may be used. */
static void begin_used(struct world *w)
{
	begin(w, true);
	initialize(w);
	assert_says(list(w, TOOL("t", "x")), "'name':'t'");
	assert_tool(w, "t", GUARD_ODD_NEW);
}

#define CALL(id) "{'jsonrpc':'2.0','id':" id ",'method':'tools/call','params':{'name':'t','arguments':{'a':1}}}"

/* ---- what passes ---- */

static void what_passes_is_the_same_but_for_its_id(void **state)
{
	struct world w;
	long long own;

	(void)state;
	begin_used(&w);
	client_says(
		&w,
		"{ 'params' : {'name':'t','arguments':{ 'a': [1, 2.50] ,'b':'\\u0041'},'_meta':{'id':9}} ,'id': 'it\\u0073' ,'method':'tools/call','jsonrpc':'2.0'}");
	assert_nothing_is_heard(&w);
	assert_asked(&w, "t", "a=n1;a=n2.5;b=tA;");
	word(&w, w.number, GUARD_YES);
	own = own_heard(&w, server_hears);
	{
		char want[512];

		(void)snprintf(
			want, sizeof want,
			"{ 'params' : {'name':'t','arguments':{ 'a': [1, 2.50] ,'b':'\\u0041'},'_meta':{'id':9}} ,'id': %lld ,'method':'tools/call','jsonrpc':'2.0'}",
			own);
		assert_string_equal(w.line, want);
	}
	server_says(&w, "{'result' : {'content':[ ], 'id':1},'id':%lld, 'jsonrpc':'2.0' }", own);
	assert_string_equal(client_hears(&w), "{'result' : {'content':[ ], 'id':1},'id':'its', 'jsonrpc':'2.0' }");
	assert_over(&w, w.number, GUARD_DONE);
	assert_nothing_is_heard(&w);
	end(&w);
}

static void answers_are_told_apart(void **state)
{
	static const struct {
		const char *answer;
		enum guard_end how;
	} rows[] = {
		{ "'result':{'content':[]}", GUARD_DONE },
		{ "'result':{'content':[],'isError':false}", GUARD_DONE },
		{ "'result':{'content':[],'isError':true}", GUARD_FAILED },
		{ "'error':{'code':-1,'message':'no'}", GUARD_ERROR },
	};
	struct world w;

	(void)state;
	begin_used(&w);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		client_says(&w, CALL("5"));
		assert_asked(&w, "t", "a=n1;");
		word(&w, w.number, GUARD_YES);
		server_says(&w, "{'jsonrpc':'2.0','id':%lld,%s}", own_heard(&w, server_hears), rows[i].answer);
		assert_says(client_hears(&w), "'id':5", rows[i].answer);
		assert_over(&w, w.number, rows[i].how);
	}
	end(&w);
}

/* Each has one of ours, whatever the client's; and the answers find their way in any order. */
static void answers_come_in_any_order(void **state)
{
	long long own[3];
	struct world w;

	(void)state;
	begin(&w, true);
	client_says(&w, "{'jsonrpc':'2.0','id':1,'method':'ping'}");
	client_says(&w, "{'jsonrpc':'2.0','id':'1','method':'ping'}");
	client_says(&w, "{'jsonrpc':'2.0','id':-1,'method':'prompts/list'}");
	for (size_t i = 0; i < 3; i++)
		own[i] = own_heard(&w, server_hears);
	assert_true(own[0] != own[1] && own[1] != own[2] && own[0] != own[2]);
	client_says(&w, "{'jsonrpc':'2.0','id':1,'method':'ping'}");
	assert_says(client_hears(&w), "'id':null", "not answered yet");
	for (size_t i = 3; i-- > 0;)
		server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'n':%zu}}", own[i], i);
	assert_string_equal(client_hears(&w), "{'jsonrpc':'2.0','id':-1,'result':{'n':2}}");
	assert_string_equal(client_hears(&w), "{'jsonrpc':'2.0','id':'1','result':{'n':1}}");
	assert_string_equal(client_hears(&w), "{'jsonrpc':'2.0','id':1,'result':{'n':0}}");
	assert_nothing_is_heard(&w);
	end(&w);
}

static void what_is_no_message_is_refused(void **state)
{
	static const struct {
		const char *line, *words[2];
	} rows[] = {
		{ "[]", { "'id':null", "batches" } },
		{ "{}", { "'id':null", "JSON-RPC 2.0" } },
		{ "x", { "'code':-32700", "not JSON" } },
		{ "{'jsonrpc':'2.0','id':1}", { "'id':1,'error':{'code':-32600", "no method" } },
		{ "{'jsonrpc':'2.0','id':1,'method':'ping','result':{}}", { "'code':-32600", "one of these" } },
		{ "{'jsonrpc':'2.0','id':1,'result':{},'error':{}}", { "'code':-32600", "no answer" } },
		{ "{'jsonrpc':'2.0','id':1.5,'method':'ping'}", { "'id':null", "an id that is none" } },
		{ "{'jsonrpc':'2.0','id':null,'method':'ping'}", { "'id':null", "an id that is none" } },
		{ "{'jsonrpc':'2.0','id':1,'Id':2,'method':'ping'}", { "'id':1", "a member 'Id'" } },
		{ "{'jsonrpc':'2.0','id':1,'id':2,'method':'ping'}", { "'code':-32700", "'id':null" } },
		{ "{'jsonrpc':'2.0','id':1,'i\\u0064':2,'method':'ping'}", { "'code':-32700", "'id':null" } },
		{ "{'jsonrpc':'2.0','i\\u0064':2,'method':'ping'}", { "'id':2", "without escapes" } },
		{ "{'jsonrpc':'2.0','id':1,'method':'a\\u0000b'}", { "'code':-32700", "'id':null" } },
		{ "{'jsonrpc':'2.0','id':1,'method':'Ping'}", { "'code':-32601", "no method 'Ping' passes" } },
		{ "{'jsonrpc':'2.0','id':1,'method':'tools/call '}", { "'code':-32601", "passes" } },
		{ "{'jsonrpc':'2.0','id':1,'method':'tools/list','params':[]}", { "'code':-32602", "not an object" } },
		{ "{'jsonrpc':'2.0','id':1,'method':'tools/list','params':{'Cursor':1}}",
		  { "'code':-32602", "'Cursor'" } },
		{ "{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'t','Name':'u'}}",
		  { "'code':-32602", "'Name'" } },
		{ "{'jsonrpc':'2.0','id':1,'method':'tools/call'}", { "'code':-32602", "no tool" } },
		{ "{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':''}}",
		  { "'code':-32602", "no tool" } },
		{ "{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':1}}",
		  { "'code':-32602", "no tool" } },
		{ "{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'t','arguments':[]}}",
		  { "'code':-32602", "not an object" } },
		{ "{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'t','arguments':{'p':1,'P':2}}}",
		  { "'code':-32602", "case alone" } },
		{ "{'jsonrpc':'2.0','id':1,'method':'ping','params':{'_meta':{'progressToken':1.5}}}",
		  { "'code':-32602", "progressToken" } },
	};
	struct world w;

	(void)state;
	begin_used(&w);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		client_says(&w, "%s", rows[i].line);
		(void)client_hears(&w);
		for (size_t k = 0; k < COUNT_OF(rows[i].words); k++)
			if (strstr(w.line, rows[i].words[k]) == NULL)
				fail_msg("row %zu: no %s in %s", i, rows[i].words[k], w.line);
		assert_nothing_is_heard(&w);
		assert_told_nothing(&w);
	}
	client_says(&w, "%s", " \t\r"); /* as if it was not said */
	assert_nothing_is_heard(&w);
	for (size_t i = 0; i < GUARD_PENDING_MAX; i++)
		assert_int_equal(w.g->asked[i].state, PENDING_FREE);
	assert_int_equal(w.g->held, 0);
	end(&w);
}

static void blanks_at_the_end_are_nothing(void **state)
{
	struct world w;

	(void)state;
	begin(&w, true);
	assert_int_equal(send(w.client_said, "  ", 2, 0), 2);
	run_on(&w);
	(void)shutdown(w.client_said, SHUT_WR);
	run_on(&w);
	assert_null(w.g);
	assert_nothing_is_heard(&w);
	end(&w);
}

static void what_was_never_asked_is_not_answered(void **state)
{
	struct world w;

	(void)state;
	begin(&w, true);
	client_says(&w, "{'jsonrpc':'2.0','id':1,'method':'ping'}");
	(void)server_hears(&w);
	for (unsigned i = 0; i < GUARD_STRAY_MAX - 1; i++)
		server_says(&w, i % 2 == 0 ? "{'jsonrpc':'2.0','id':9,'result':{}}"
					   : "{'jsonrpc':'2.0','id':null,'error':{'code':1,'message':''}}");
	assert_nothing_is_heard(&w);
	assert_non_null(w.g);
	server_says(&w, "{'jsonrpc':'2.0','id':-1,'result':{}}");
	assert_says(client_hears(&w), "'id':1", "the server ended");
	assert_null(w.g);
	end(&w);

	begin(&w, true);
	for (unsigned i = 0; i < GUARD_STRAY_MAX - 1; i++)
		client_says(&w, "{'jsonrpc':'2.0','id':9,'result':{}}");
	assert_nothing_is_heard(&w);
	assert_non_null(w.g);
	client_says(&w, "{'jsonrpc':'2.0','id':9,'result':{}}");
	assert_null(w.g);
	end(&w);
}

/* Who guesses the id of what it has not got yet answers nothing. */
static void what_was_not_sent_is_not_answered(void **state)
{
	struct world w;

	(void)state;
	begin_used(&w);
	client_says(&w, CALL("5"));
	assert_asked(&w, "t", NULL);
	for (long long i = 0; i < 20; i++)
		server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'content':[]}}", i);
	assert_nothing_is_heard(&w);
	server_says(&w, "{'jsonrpc':'2.0','id':'s','method':'roots/list'}");
	assert_asked(&w, "roots/list", "");
	for (long long i = 0; i < 20; i++)
		client_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'roots':[]}}", i);
	assert_nothing_is_heard(&w);
	assert_told_nothing(&w);
	end(&w);
}

/* Nobody is left waiting by a line whose id is written in a way that we do not look for. */
static void an_answer_that_cannot_pass_is_one_all_the_same(void **state)
{
	struct world w;
	long long own;

	(void)state;
	begin_used(&w);
	client_says(&w, CALL("5"));
	assert_asked(&w, "t", NULL);
	word(&w, w.number, GUARD_YES);
	own = own_heard(&w, server_hears);
	server_says(&w, "{'jsonrpc':'2.0','\\u0069d':%lld,'result':{'content':[]}}", own);
	assert_says(client_hears(&w), "'id':5", "'error'");
	assert_over(&w, w.number, GUARD_ERROR);
	server_says(&w, "{'jsonrpc':'2.0','id':'s','method':'tasks/list'}");
	own = own_heard(&w, client_hears);
	client_says(&w, "{'jsonrpc':'2.0','i\\u0064':%lld,'result':{}}", own);
	assert_says(server_hears(&w), "'id':'s'", "'error'");
	assert_nothing_is_heard(&w);
	end(&w);
}

/* ---- words ---- */

static void a_no_is_an_answer_of_the_tool(void **state)
{
	struct world w;

	(void)state;
	begin_used(&w);
	client_says(&w, CALL("5"));
	assert_asked(&w, "t", NULL);
	word(&w, w.number, GUARD_NO);
	assert_string_equal(
		client_hears(&w),
		"{'jsonrpc':'2.0','id':5,'result':{'content':[{'type':'text','text':'it is denied\\nhint: or not'}],'isError':true}}");
	client_says(&w, "{'jsonrpc':'2.0','id':6,'method':'tools/call','params':{'name':'t'," MODERN "}}");
	assert_asked(&w, "t", "");
	word(&w, w.number, GUARD_NO);
	assert_says(client_hears(&w), "'id':6,'result':{'resultType':'complete'", "'isError':true");
	client_says(&w, "{'jsonrpc':'2.0','id':7,'method':'resources/read','params':{'uri':'x'}}");
	assert_asked(&w, "resources/read", "uri=tx;");
	word(&w, w.number, GUARD_NO);
	assert_says(client_hears(&w), "'id':7,'error':{'code':-32001", "it is denied", "'hint':'or not'");
	assert_nothing_is_heard(&w);
	assert_told_nothing(&w); /* nothing came of it */
	end(&w);
}

/* The question is put to the client's user; accepting has it asked again, and declining is the end of it. */
static void a_person_is_asked_by_an_old_client(void **state)
{
	struct world w;
	long long ours;

	(void)state;
	for (int accepts = 0; accepts < 3; accepts++) {
		begin_used(&w);
		client_says(&w, CALL("5"));
		assert_asked(&w, "t", "a=n1;");
		word(&w, w.number, GUARD_PERSON);
		ours = own_heard(&w, client_hears);
		assert_says(w.line, "'method':'elicitation/create'", "ambit approve a_1");
		if (accepts == 2) {
			client_says(&w, "{'jsonrpc':'2.0','id':%lld,'error':{'code':-1,'message':'no'}}", ours);
			assert_says(client_hears(&w), "'id':5", "did not accept");
		} else if (accepts == 0) {
			client_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'action':'decline'}}", ours);
			assert_says(client_hears(&w), "'id':5", "did not accept");
		} else {
			const uint32_t before = w.number;

			client_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'action':'accept'}}", ours);
			assert_nothing_is_heard(&w);
			assert_asked(&w, "t", "a=n1;");
			assert_true(w.number != before);
			word(&w, w.number, GUARD_PERSON); /* accepting alone allows nothing */
			assert_says(client_hears(&w), "'id':5", "'isError':true", "A person is asked");
		}
		assert_nothing_is_heard(&w);
		assert_told_nothing(&w);
		assert_int_equal(w.g->held, 0);
		end(&w);
	}
}

static void state_of(const struct world *w, char ret[SEAL_MAX])
{
	json_t *v = json_loads(w->raw, JSON_REJECT_DUPLICATES, NULL);
	const json_t *result = json_object_get(v, "result");

	assert_string_equal(json_string_value(json_object_get(result, "resultType")), "input_required");
	(void)snprintf(ret, SEAL_MAX, "%s", json_string_value(json_object_get(result, "requestState")));
	json_decref(v);
}

#define BACK(id, a, answers)                                                                                           \
	"{'jsonrpc':'2.0','id':" id ",'method':'tools/call','params':{'name':'t','arguments':{'a':" a                  \
	"},'requestState':'%s','inputResponses':" answers "," MODERN "}}"
#define ACCEPTED "{'approval':{'action':'accept','content':{}}}"

static void a_person_is_asked_by_a_new_client(void **state)
{
	char sealed[SEAL_MAX];
	struct world w;

	(void)state;
	begin_used(&w);
	client_says(&w, "{'jsonrpc':'2.0','id':5,'method':'tools/call','params':{'name':'t','arguments':{'a':1}," MODERN
			"}}");
	assert_asked(&w, "t", "a=n1;");
	word(&w, w.number, GUARD_PERSON);
	(void)client_hears(&w);
	state_of(&w, sealed);
	assert_says(w.line, "ambit approve a_1", "'approval':{'method':'elicitation/create'");
	client_says(&w, BACK("6", "2", ACCEPTED), sealed);
	assert_says(client_hears(&w), "'id':6", "was not given for this request");
	client_says(&w, BACK("7", "1", "{'approval':{'action':'decline'}}"), sealed);
	assert_says(client_hears(&w), "'id':7", "did not accept");
	client_says(&w, BACK("8", "1", "{'approval':{'action':'accept'},'more':{}}"), sealed);
	assert_says(client_hears(&w), "'id':8", "nothing else");
	client_says(&w, BACK("9", "1", "{}"), sealed);
	assert_says(client_hears(&w), "'id':9", "nothing else");
	client_says(&w, BACK("10", "1", ACCEPTED), sealed + 1); /* the server's: it has none of ours */
	assert_asked(&w, "t", "a=n1;");
	word(&w, w.number, GUARD_PERSON); /* both cannot be carried */
	assert_says(client_hears(&w), "'id':10", "'isError':true");
	now_s += 3601;
	client_says(&w, BACK("11", "1", ACCEPTED), sealed);
	assert_says(client_hears(&w), "'id':11", "too old");
	now_s -= 3601;
	assert_told_nothing(&w);
	client_says(&w, BACK("12", "1", ACCEPTED), sealed);
	assert_asked(&w, "t", "a=n1;");
	word(&w, w.number, GUARD_YES);
	(void)own_heard(&w, server_hears);
	assert_says(w.line, "'arguments':{'a':1}", "'name':'t'");
	assert_null(strstr(w.line, "requestState"));
	assert_null(strstr(w.line, "inputResponses"));
	assert_nothing_is_heard(&w);
	end(&w);
}

static void who_cannot_ask_its_user_is_told(void **state)
{
	struct world w;

	(void)state;
	begin(&w, true);
	assert_says(list(&w, TOOL("t", "x")), "'t'");
	assert_tool(&w, "t", GUARD_ODD_NEW);
	client_says(&w, CALL("5"));
	assert_asked(&w, "t", NULL);
	word(&w, w.number, GUARD_PERSON);
	assert_says(client_hears(&w), "'id':5", "'isError':true", "A person is asked");
	assert_nothing_is_heard(&w);
	end(&w);
}

static void a_word_on_nothing_ends_it(void **state)
{
	struct world w;

	(void)state;
	begin_used(&w);
	client_says(&w, CALL("5"));
	assert_asked(&w, "t", NULL);
	word(&w, w.number + 1, GUARD_YES);
	assert_null(w.g);
	assert_nothing_is_heard(&w);
	end(&w);

	begin_used(&w);
	client_says(&w, CALL("5"));
	assert_asked(&w, "t", NULL);
	word(&w, w.number, GUARD_YES);
	(void)own_heard(&w, server_hears);
	word(&w, w.number, GUARD_YES); /* twice */
	assert_null(w.g);
	assert_nothing_is_heard(&w);
	end(&w);
}

/* ---- cancelling ---- */

#define CANCEL(id) "{'jsonrpc':'2.0','method':'notifications/cancelled','params':{'requestId':" id ",'reason':'x'}}"

static void what_was_sent_is_cancelled_there(void **state)
{
	struct world w;
	char want[160];
	long long own;

	(void)state;
	begin_used(&w);
	client_says(&w, CALL("5"));
	assert_asked(&w, "t", NULL);
	word(&w, w.number, GUARD_YES);
	own = own_heard(&w, server_hears);
	client_says(&w, CANCEL("6")); /* none of its own */
	client_says(&w, CANCEL("'5'"));
	assert_nothing_is_heard(&w);
	client_says(&w, CANCEL("5"));
	(void)snprintf(want, sizeof want,
		       "{'jsonrpc':'2.0','method':'notifications/cancelled','params':{'requestId':%lld}}", own);
	assert_string_equal(server_hears(&w), want);
	client_says(&w, CANCEL("5"));
	assert_nothing_is_heard(&w);
	server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'content':[]}}", own);
	assert_nothing_is_heard(&w);
	assert_over(&w, w.number, GUARD_CANCELLED);
	assert_int_equal(w.g->server.stray, 0);
	end(&w);
}

/* What was not sent when it was cancelled is never done. */
static void what_was_not_sent_is_not_done(void **state)
{
	struct world w;
	long long own;

	(void)state;
	begin_used(&w); /* judged */
	client_says(&w, CALL("5"));
	assert_asked(&w, "t", NULL);
	client_says(&w, CANCEL("5"));
	word(&w, w.number, GUARD_YES);
	assert_nothing_is_heard(&w);
	assert_over(&w, w.number, GUARD_CANCELLED);
	client_says(&w, CALL("6"));
	assert_asked(&w, "t", NULL);
	client_says(&w, CANCEL("6"));
	word(&w, w.number, GUARD_NO);
	assert_nothing_is_heard(&w);
	assert_told_nothing(&w);
	client_says(&w, CALL("7")); /* a person is not asked for nothing */
	assert_asked(&w, "t", NULL);
	client_says(&w, CANCEL("7"));
	word(&w, w.number, GUARD_PERSON);
	assert_nothing_is_heard(&w);
	assert_int_equal(w.g->held, 0);
	end(&w);

	begin(&w, true); /* held until the tools were listed */
	client_says(&w, CALL("5"));
	own = own_heard(&w, server_hears);
	client_says(&w, CANCEL("5"));
	server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'tools':[" TOOL("t", "x") "]}}", own);
	assert_tool(&w, "t", GUARD_ODD_NEW);
	assert_told_nothing(&w); /* nobody is asked, and nothing is charged */
	assert_nothing_is_heard(&w);
	assert_int_equal(w.g->held, 0);
	end(&w);
}

/* Its question to the user goes with it, and the answer that crosses it does nothing, also not to who took its place. */
static void a_question_goes_with_its_request(void **state)
{
	struct world w;
	long long first, second;

	(void)state;
	begin_used(&w);
	client_says(&w, CALL("5"));
	assert_asked(&w, "t", NULL);
	word(&w, w.number, GUARD_PERSON);
	first = own_heard(&w, client_hears);
	client_says(&w, CANCEL("5"));
	assert_says(client_hears(&w), "notifications/cancelled", "requestId");
	client_says(&w, CALL("6"));
	assert_asked(&w, "t", NULL);
	word(&w, w.number, GUARD_PERSON);
	second = own_heard(&w, client_hears);
	client_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'action':'decline'}}", first);
	assert_nothing_is_heard(&w);
	client_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'action':'accept'}}", second);
	assert_asked(&w, "t", NULL);
	word(&w, w.number, GUARD_YES);
	(void)own_heard(&w, server_hears);
	assert_nothing_is_heard(&w);
	end(&w);
}

/* Who is told that nobody waits does not answer: those do not add up. */
static void cancelled_ones_make_room(void **state)
{
	struct world w;

	(void)state;
	begin_used(&w);
	for (unsigned i = 0; i < 3 * GUARD_PENDING_MAX; i++) {
		client_says(&w, "{'jsonrpc':'2.0','id':%u,'method':'tools/call','params':{'name':'t'}}", i);
		assert_asked(&w, "t", "");
		word(&w, w.number, GUARD_YES);
		(void)own_heard(&w, server_hears);
		client_says(&w, "{'jsonrpc':'2.0','method':'notifications/cancelled','params':{'requestId':%u}}", i);
		assert_says(server_hears(&w), "cancelled");
		assert_over(&w, w.number, GUARD_CANCELLED);
	}
	for (unsigned i = 0; i < 3 * GUARD_PENDING_MAX; i++) {
		server_says(&w, "{'jsonrpc':'2.0','id':%u,'method':'tasks/list'}", i);
		(void)own_heard(&w, client_hears);
		server_says(&w, "{'jsonrpc':'2.0','method':'notifications/cancelled','params':{'requestId':%u}}", i);
		assert_says(client_hears(&w), "cancelled");
	}
	end(&w);
}

static void so_many_wait_and_no_more(void **state)
{
	struct world w;

	(void)state;
	begin(&w, true);
	for (unsigned i = 0; i <= GUARD_PENDING_MAX; i++)
		client_says(&w, "{'jsonrpc':'2.0','id':%u,'method':'ping'}", i);
	assert_says(client_hears(&w), "'id':128", "128 requests are not answered yet");
	end(&w);

	begin(&w, true); /* a call whose tool was not listed wants one for the list */
	for (unsigned i = 1; i < GUARD_PENDING_MAX; i++)
		client_says(&w, "{'jsonrpc':'2.0','id':%u,'method':'ping'}", i);
	client_says(&w, CALL("500"));
	assert_says(client_hears(&w), "'id':500", "128 requests are not answered yet");
	assert_int_equal(w.g->held, 0);
	end(&w);
}

/* ---- progress ---- */

static void progress_is_told_to_who_waits(void **state)
{
	struct world w;
	long long own;

	(void)state;
	begin_used(&w);
	client_says(&w, "{'jsonrpc':'2.0','id':1,'method':'tools/list','params':{'_meta':{'progressToken':'p'}}}");
	own = own_heard(&w, server_hears);
	client_says(&w, "{'jsonrpc':'2.0','id':2,'method':'ping','params':{'_meta':{'progressToken':'p'}}}");
	assert_says(client_hears(&w), "'id':2", "not answered yet");
	server_says(&w,
		    "{'jsonrpc':'2.0','method':'notifications/progress','params':{'progressToken':'p','progress':1}}");
	assert_says(client_hears(&w), "'progress':1");
	server_says(&w,
		    "{'jsonrpc':'2.0','method':'notifications/progress','params':{'progressToken':'q','progress':1}}");
	server_says(&w,
		    "{'jsonrpc':'2.0','method':'notifications/progress','params':{'progressToken':1,'progress':1}}");
	server_says(&w, "{'jsonrpc':'2.0','method':'notifications/progress'}");
	server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'tools':[]}}", own);
	assert_says(client_hears(&w), "'id':1");
	server_says(&w,
		    "{'jsonrpc':'2.0','method':'notifications/progress','params':{'progressToken':'p','progress':2}}");
	assert_nothing_is_heard(&w);
	server_says(&w, "{'jsonrpc':'2.0','id':7,'method':'tasks/list','params':{'_meta':{'progressToken':'q'}}}");
	own = own_heard(&w, client_hears);
	client_says(&w,
		    "{'jsonrpc':'2.0','method':'notifications/progress','params':{'progressToken':'p','progress':3}}");
	assert_nothing_is_heard(&w);
	client_says(&w,
		    "{'jsonrpc':'2.0','method':'notifications/progress','params':{'progressToken':'q','progress':4}}");
	assert_says(server_hears(&w), "'progress':4");
	client_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{}}", own);
	assert_says(server_hears(&w), "'id':7");
	client_says(&w,
		    "{'jsonrpc':'2.0','method':'notifications/progress','params':{'progressToken':'q','progress':5}}");
	client_says(&w, "{'jsonrpc':'2.0','method':'notifications/other'}");
	assert_nothing_is_heard(&w);
	end(&w);
}

static void what_is_listened_for_is_told_by_the_clients_id(void **state)
{
#define ID "'_meta':{'io.modelcontextprotocol/subscriptionId':%lld}"
	struct world w;
	long long own;

	(void)state;
	begin_used(&w);
	client_says(&w,
		    "{'jsonrpc':'2.0','id':'listen:0','method':'subscriptions/listen','params':{'notifications':{}}}");
	own = own_heard(&w, server_hears);
	server_says(&w, "{'jsonrpc':'2.0','method':'notifications/subscriptions/acknowledged','params':{" ID "}}", own);
	assert_says(client_hears(&w), "'io.modelcontextprotocol/subscriptionId':'listen:0'", "acknowledged");
	server_says(&w, "{'jsonrpc':'2.0','method':'notifications/resources/updated','params':{'uri':'x'," ID "}}",
		    own + 1);
	assert_nothing_is_heard(&w); /* nobody listens so */
	server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{" ID "}}", own, own);
	assert_says(client_hears(&w), "'id':'listen:0'", "'io.modelcontextprotocol/subscriptionId':'listen:0'");
	server_says(&w, "{'jsonrpc':'2.0','method':'notifications/resources/updated','params':{'uri':'x'," ID "}}",
		    own);
	assert_nothing_is_heard(&w);
	end(&w);
#undef ID
}

/* ---- what the server asks ---- */

static void what_the_server_asks_is_judged(void **state)
{
	static const char *const methods[] = { "sampling/createMessage", "elicitation/create", "roots/list" };
	struct world w;
	char want[256];

	(void)state;
	begin(&w, true);
	for (size_t i = 0; i < COUNT_OF(methods); i++) {
		long long own;

		server_says(&w, "{'jsonrpc':'2.0', 'id':'s', 'method':'%s','params':{'x':['y']}}", methods[i]);
		assert_nothing_is_heard(&w);
		assert_asked(&w, methods[i], "x=ty;");
		word(&w, w.number, GUARD_NO);
		assert_says(server_hears(&w), "'id':'s','error':{'code':-32001", "it is denied");
		server_says(&w, "{'jsonrpc':'2.0', 'id':'s', 'method':'%s'}", methods[i]);
		assert_asked(&w, methods[i], "");
		word(&w, w.number, GUARD_PERSON); /* nobody can be asked for that */
		assert_says(server_hears(&w), "'id':'s','error':{'code':-32001");
		server_says(&w, "{'jsonrpc':'2.0', 'id':'s', 'method':'%s','params':{}}", methods[i]);
		assert_asked(&w, methods[i], "");
		word(&w, w.number, GUARD_YES);
		own = own_heard(&w, client_hears);
		(void)snprintf(want, sizeof want, "{'jsonrpc':'2.0', 'id':%lld, 'method':'%s','params':{}}", own,
			       methods[i]);
		assert_string_equal(w.line, want);
		client_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{ 'a':1}}", own);
		assert_string_equal(server_hears(&w), "{'jsonrpc':'2.0','id':'s','result':{ 'a':1}}");
		assert_over(&w, w.number, GUARD_DONE);
		client_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{ 'a':1}}", own); /* it was answered */
		assert_nothing_is_heard(&w);
	}
	assert_int_equal(w.g->client.stray, COUNT_OF(methods));
	assert_int_equal(w.g->held, 0);
	end(&w);
}

static void other_requests_of_a_server_do_not_pass(void **state)
{
	struct world w;

	(void)state;
	begin(&w, true);
	server_says(&w, "{'jsonrpc':'2.0','id':1,'method':'ping'}");
	assert_string_equal(server_hears(&w), "{'jsonrpc':'2.0','id':1,'result':{}}");
	server_says(&w, "{'jsonrpc':'2.0','id':2,'method':'tools/call','params':{'name':'t'}}");
	assert_says(server_hears(&w), "'id':2", "-32601", "no method 'tools/call' passes");
	server_says(&w, "{'jsonrpc':'2.0','id':3,'method':'elicitation/create','params':{'a':1,'A':2}}");
	assert_says(server_hears(&w), "'id':3", "case alone");
	server_says(&w, "{'jsonrpc':'2.0','id':1.5,'method':'ping'}"); /* nobody can be answered */
	server_says(&w, "{'jsonrpc':'2.0','id':1,'method':'ping','more':1}");
	server_says(&w, "[]");
	server_says(&w, "x");
	server_says(&w, "{'jsonrpc':'2.0','method':'notifications/other'}");
	assert_nothing_is_heard(&w);
	server_says(&w, "{'jsonrpc':'2.0','method':'notifications/message','params':{'data': 1}}");
	assert_string_equal(client_hears(&w),
			    "{'jsonrpc':'2.0','method':'notifications/message','params':{'data': 1}}");
	assert_told_nothing(&w);
	assert_int_equal(w.g->held, 0);
	end(&w);
}

static void what_the_server_cancels_is_not_asked(void **state)
{
	struct world w;
	long long own;

	(void)state;
	begin(&w, true);
	server_says(&w, "{'jsonrpc':'2.0','id':1,'method':'elicitation/create','params':{}}");
	assert_asked(&w, "elicitation/create", "");
	server_says(&w, CANCEL("1"));
	word(&w, w.number, GUARD_YES);
	assert_nothing_is_heard(&w);
	assert_over(&w, w.number, GUARD_CANCELLED);
	server_says(&w, "{'jsonrpc':'2.0','id':2,'method':'elicitation/create','params':{}}");
	assert_asked(&w, "elicitation/create", "");
	word(&w, w.number, GUARD_YES);
	own = own_heard(&w, client_hears);
	server_says(&w, CANCEL("2"));
	assert_says(client_hears(&w), "notifications/cancelled");
	client_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{}}", own);
	assert_nothing_is_heard(&w);
	assert_int_equal(w.g->client.stray, 0);
	end(&w);
}

#define INPUTS(...) "'result':{'resultType':'input_required','inputRequests':{" __VA_ARGS__ "}}"
#define URLS "'error':{'code':-32042,'message':'','data':{'elicitations':[{'mode':'url','url':'https://x.test/'}]}}"

/* To where the call of id 5 was sent, and so answered. */
static void answer(struct world *w, const char *how)
{
	client_says(w, CALL("5"));
	assert_asked(w, "t", NULL);
	word(w, w->number, GUARD_YES);
	server_says(w, "{'jsonrpc':'2.0','id':%lld,%s}", own_heard(w, server_hears), how);
}

static void what_the_server_asks_in_an_answer_is_judged(void **state)
{
	static const struct {
		const char *how, *asked[3];
	} rows[] = {
		{ INPUTS("'a':{'method':'elicitation/create','params':{'x':1}}"), { "elicitation/create" } },
		{ INPUTS("'a':{'method':'roots/list'},'b':{'method':'sampling/createMessage','params':{}}"),
		  { "roots/list", "sampling/createMessage" } },
		{ URLS, { "elicitation/create" } },
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		size_t n = 0;
		uint32_t numbers[3], call;

		begin_used(&w); /* all of it may be asked */
		answer(&w, rows[i].how);
		call = w.number;
		for (; rows[i].asked[n] != NULL; n++) {
			assert_asked(&w, rows[i].asked[n], NULL);
			numbers[n] = w.number;
		}
		for (size_t k = 0; k < n; k++) {
			assert_nothing_is_heard(&w);
			word(&w, numbers[k], GUARD_YES);
			assert_over(&w, numbers[k], GUARD_DONE);
		}
		assert_says(client_hears(&w), "'id':5", rows[i].how);
		assert_over(&w, call, strncmp(rows[i].how, "'error'", 7) == 0 ? GUARD_ERROR : GUARD_DONE);
		assert_int_equal(w.g->held, 0);
		end(&w);

		begin_used(&w); /* the last of it may not */
		answer(&w, rows[i].how);
		call = w.number;
		for (n = 0; rows[i].asked[n] != NULL; n++) {
			assert_asked(&w, rows[i].asked[n], NULL);
			numbers[n] = w.number;
		}
		for (size_t k = 0; k < n; k++)
			word(&w, numbers[k], k + 1 < n ? GUARD_YES : GUARD_NO);
		assert_says(client_hears(&w), "'id':5", "'isError':true", "it is denied");
		assert_nothing_is_heard(&w);
		assert_int_equal(w.g->held, 0);
		end(&w);
	}
}

/* What has no form is not passed on: somebody may find a question in it. */
static void questions_in_other_forms_do_not_pass(void **state)
{
	static const char *const rows[] = {
		INPUTS("'a':{'method':'tools/call','params':{}}"),
		INPUTS("'a':{'method':'roots/list','Method':'sampling/createMessage'}"),
		INPUTS("'a':{'method':'roots/list','params':{},'Params':{}}"),
		INPUTS("'a':{'Method':'sampling/createMessage'}"),
		INPUTS("'a':{}"),
		INPUTS("'a':'roots/list'"),
		"'result':{'inputRequests':[{'method':'sampling/createMessage'}]}",
		"'result':{'InputRequests':{'a':{'method':'sampling/createMessage'}}}",
		"'result':{'inputRequests':{},'inputrequests':{'a':{'method':'sampling/createMessage'}}}",
		"'error':{'Code':-32042,'message':'','data':{'elicitations':[{'mode':'url','url':'https://x.test/'}]}}",
		"'error':{'code':-32042,'message':'','Data':{'elicitations':[{'mode':'url','url':'https://x.test/'}]}}",
		"'error':{'code':-32042,'message':'','data':{'Elicitations':[{'mode':'url','url':'https://x.test/'}]}}",
		"'error':{'code':-32042,'message':'','data':{'elicitations':{'a':{'mode':'url','url':'https://x.test/'}}}}",
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		begin_used(&w);
		answer(&w, rows[i]);
		assert_says(client_hears(&w), "'id':5");
		if (strstr(w.line, "sampling") != NULL || strstr(w.line, "x.test") != NULL ||
		    strstr(w.line, "'inputRequests'") != NULL)
			fail_msg("row %zu: %s", i, w.line);
		assert_nothing_is_heard(&w);
		assert_int_equal(w.g->held, 0);
		end(&w);
	}
	begin_used(&w);
	server_says(&w, "{'jsonrpc':'2.0','method':'notifications/tasks','params':{'inputRequests':{}}}");
	server_says(&w, "{'jsonrpc':'2.0','method':'notifications/tasks','params':{'inputrequests':{}}}");
	assert_nothing_is_heard(&w);
	end(&w);
}

static void an_answer_that_waits_is_cancelled_and_lost(void **state)
{
	struct world w;
	uint32_t call, old;

	(void)state;
	begin_used(&w);
	answer(&w, URLS);
	call = w.number;
	assert_asked(&w, "elicitation/create", NULL);
	client_says(&w, CANCEL("5"));
	assert_nothing_is_heard(&w);
	assert_over(&w, call, GUARD_CANCELLED);
	old = w.number;
	answer(&w, URLS); /* has its place, and nothing of it */
	call = w.number;
	assert_asked(&w, "elicitation/create", NULL);
	word(&w, old, GUARD_NO);
	assert_nothing_is_heard(&w);
	word(&w, w.number, GUARD_YES);
	assert_over(&w, w.number, GUARD_DONE);
	assert_says(client_hears(&w), "'id':5", "x.test");
	assert_over(&w, call, GUARD_ERROR);
	assert_int_equal(w.g->held, 0);
	end(&w);

	begin_used(&w);
	answer(&w, URLS);
	call = w.number;
	assert_asked(&w, "elicitation/create", NULL);
	fd_close(&w.server_said);
	run_on(&w);
	assert_says(client_hears(&w), "'id':5", "the server ended");
	assert_over(&w, call, GUARD_LOST);
	assert_null(w.g);
	end(&w);

	begin_used(&w); /* what is in it was said before */
	answer(&w, URLS);
	assert_asked(&w, "elicitation/create", NULL);
	(void)shutdown(w.client_said, SHUT_WR);
	word(&w, w.number, GUARD_YES);
	assert_says(client_hears(&w), "'id':5", "x.test");
	assert_null(w.g);
	end(&w);
}

/* ---- definitions ---- */

static struct guard_pin pin_for(const char *name, const char *tool)
{
	struct guard_pin p = pin_of(name);
	char *line = strdup(tool), *text;
	json_t *v;
	struct sha256 s;

	swap(line, '\'', '"');
	v = json_loads(line, 0, NULL);
	text = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);
	assert_non_null(text);
	sha256_init(&s);
	sha256_add(&s, text, strlen(text));
	sha256_end(&s, p.sha256);
	free(text);
	free(line);
	json_decref(v);
	return p;
}

#define PINNED                                                                                                         \
	"{'name':'t','title':'T','description':'d','inputSchema':{'type':'object','properties':{'a':{'type':'string'}},'required':['a','b']},'annotations':{'readOnlyHint':true}}"

static void a_definition_is_the_same_or_it_is_not(void **state)
{
	static const struct {
		const char *name, *tool;
		bool same;
	} rows[] = {
		{ "the same", PINNED, true },
		{ "in another order",
		  "{ 'annotations':{'readOnlyHint':true}, 'inputSchema':{'required':['a','b'],'properties':{'a':{'type':'string'}},'type':'object'},'description':'d','title':'T','name':'t'}",
		  true },
		{ "with escapes",
		  "{'n\\u0061me':'t','title':'T','description':'\\u0064','inputSchema':{'type':'object','properties':{'a':{'type':'string'}},'required':['a','b']},'annotations':{'readOnlyHint':true}}",
		  true },
		{ "another description",
		  "{'name':'t','title':'T','description':'D','inputSchema':{'type':'object','properties':{'a':{'type':'string'}},'required':['a','b']},'annotations':{'readOnlyHint':true}}",
		  false },
		{ "no title",
		  "{'name':'t','description':'d','inputSchema':{'type':'object','properties':{'a':{'type':'string'}},'required':['a','b']},'annotations':{'readOnlyHint':true}}",
		  false },
		{ "deep in the schema",
		  "{'name':'t','title':'T','description':'d','inputSchema':{'type':'object','properties':{'a':{'type':'string','description':'!'}},'required':['a','b']},'annotations':{'readOnlyHint':true}}",
		  false },
		{ "a list in another order",
		  "{'name':'t','title':'T','description':'d','inputSchema':{'type':'object','properties':{'a':{'type':'string'}},'required':['b','a']},'annotations':{'readOnlyHint':true}}",
		  false },
		{ "another annotation",
		  "{'name':'t','title':'T','description':'d','inputSchema':{'type':'object','properties':{'a':{'type':'string'}},'required':['a','b']},'annotations':{'readOnlyHint':false}}",
		  false },
		{ "one member more",
		  "{'x':null,'name':'t','title':'T','description':'d','inputSchema':{'type':'object','properties':{'a':{'type':'string'}},'required':['a','b']},'annotations':{'readOnlyHint':true}}",
		  false },
		{ "a name beside the name",
		  "{'Name':'u','name':'t','title':'T','description':'d','inputSchema':{'type':'object','properties':{'a':{'type':'string'}},'required':['a','b']},'annotations':{'readOnlyHint':true}}",
		  false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct guard_pin pin = pin_for("t", PINNED);
		struct world w;

		begin(&w, false);
		assert_true(guard_pinned(w.g, &pin));
		if ((strstr(list(&w, rows[i].tool), "'description'") != NULL) != rows[i].same)
			fail_msg("%s: %s", rows[i].name, w.line);
		if (rows[i].same)
			assert_told_nothing(&w);
		else
			assert_tool(&w, "t", GUARD_ODD_CHANGED);
		client_says(&w, CALL("5"));
		if (rows[i].same)
			assert_asked(&w, "t", "a=n1;");
		else
			assert_says(client_hears(&w), "'id':5", "'isError':true", "not the one that was approved");
		assert_nothing_is_heard(&w);
		assert_told_nothing(&w);
		end(&w);
	}
}

static void what_nobody_sees_is_not_shown(void **state)
{
	static const struct {
		const char *tool; /* named t, or by no name */
		bool shown, told;
	} rows[] = {
		{ TOOL("t", "plain, with \\n and \\t, \\u00e4 and \xe2\x82\xac"), true, true },
		{ TOOL("t", "\\u001b[2J"), false, true },
		{ TOOL("t", "\\u0000"), false, false }, /* no line of JSON as it is taken here */
		{ TOOL("t", "\\u0008"), false, true },
		{ TOOL("t", "\\r"), false, true },
		{ TOOL("t", "\\u007f"), false, true },
		{ TOOL("t", "\\u009b31m"), false, true },
		{ TOOL("t", "\\u00ad"), false, true },
		{ TOOL("t", "a\\u200bb"), false, true },
		{ TOOL("t", "\\u202e"), false, true },
		{ TOOL("t", "\\u2066"), false, true },
		{ TOOL("t", "\\u2764\\ufe0f 1\\ufe0f"), true, true }, /* as a picture */
		{ TOOL("t", "\\u2764\\ufe0f\\ufe01"), false, true },
		{ TOOL("t", "a\\ufe0f"), false, true },
		{ TOOL("t", "\\ufeff"), false, true },
		{ TOOL("t", "\\udb40\\udc41"), false, true }, /* a tag: U+E0041 */
		{ TOOL("t", "\xf3\xa0\x81\x81"), false, true },
		{ "{'name':'t','inputSchema':{'properties':{'a\\u200b':{}}}}", false, true },
		{ "{'name':'t','inputSchema':{'enum':['a','\\u202d']}}", false, true },
		{ TOOL("", "x"), false, false },
		{ TOOL(".t", "x"), false, false },
		{ TOOL("t/u", "x"), false, false },
		{ TOOL("t t", "x"), false, false },
		{ TOOL("\xc3\xa4", "x"), false, false },
		{ TOOL("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		       "x"),
		  false, false },
		{ "{'name':1,'description':'x'}", false, false },
		{ "{'description':'x'}", false, false },
		{ "'t'", false, false },
		{ "null", false, false },
		{ TOOL("t", "x") "," TOOL("t", "x"), false, false },
		{ TOOL("t", "x") "," TOOL("t", "y"), false, false },
		{ TOOL("t", "x") "," TOOL("\\u0074", "x"), false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct world w;

		begin(&w, true);
		if ((strstr(list(&w, rows[i].tool), "'description'") != NULL) != rows[i].shown)
			fail_msg("row %zu: %s", i, w.line);
		if (rows[i].told)
			assert_tool(&w, "t", rows[i].shown ? GUARD_ODD_NEW : GUARD_ODD_BAD);
		assert_told_nothing(&w);
		end(&w);
	}
}

/* Whatever else has definitions: some read names without regard to case, and some take an object for a list. */
static void what_was_not_looked_at_is_not_shown(void **state)
{
	static const char *const results[] = {
		"{'tools':{'0':" TOOL("u", "hidden") "}}",
		"{'tools':'hidden'}",
		"{'tools':[" TOOL("t", "x") "],'Tools':[" TOOL("u", "hidden") "]}",
		"{'tools':[" TOOL("t", "x") "],'TOOLS':[" TOOL("u", "hidden") "],'toolS':'hidden'}",
		"[" TOOL("u", "hidden") "]",
		"'hidden'",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(results); i++) {
		struct world w;

		begin(&w, true);
		client_says(&w, "{'jsonrpc':'2.0','id':1,'method':'tools/list'}");
		server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':%s}", own_heard(&w, server_hears), results[i]);
		assert_says(client_hears(&w), "'id':1");
		if (strstr(w.line, "hidden") != NULL)
			fail_msg("%s", w.line);
		end(&w);
	}
}

static void first_changed_and_changed_back(void **state)
{
	struct world w;

	(void)state;
	begin(&w, true);
	assert_says(list(&w, TOOL("t", "x") "," TOOL("u", "x")), "'t'", "'u'");
	assert_tool(&w, "t", GUARD_ODD_NEW);
	assert_tool(&w, "u", GUARD_ODD_NEW);
	assert_says(list(&w, TOOL("t", "y") "," TOOL("u", "x")), "'u'");
	assert_null(strstr(w.line, "'t'"));
	assert_tool(&w, "t", GUARD_ODD_CHANGED);
	client_says(&w, CALL("5"));
	assert_says(client_hears(&w), "not the one that was approved");
	assert_null(strstr(list(&w, TOOL("t", "y") "," TOOL("u", "x")), "'t'")); /* it is told once */
	assert_told_nothing(&w);
	assert_says(list(&w, TOOL("t", "x") "," TOOL("u", "x")), "'t'", "'u'");
	assert_told_nothing(&w);
	client_says(&w, CALL("6"));
	assert_asked(&w, "t", NULL);
	end(&w);
}

static void what_is_new_later_waits(void **state)
{
	const struct guard_pin pin = pin_for("t", TOOL("t", "x"));
	struct world w;

	(void)state;
	begin(&w, false);
	assert_true(guard_pinned(w.g, &pin));
	assert_says(list(&w, TOOL("t", "x") "," TOOL("u", "x")), "'t'");
	assert_null(strstr(w.line, "'u'"));
	assert_tool(&w, "u", GUARD_ODD_NEW);
	client_says(&w, "{'jsonrpc':'2.0','id':5,'method':'tools/call','params':{'name':'u'}}");
	assert_says(client_hears(&w), "'id':5", "'isError':true", "not the one that was approved");
	end(&w);
}

static struct guard_grant_of grant_of(const char *name, const char *where)
{
	struct guard_grant_of of = { .terms = "" };
	struct where w = { .used = 0 };
	char text[TERMS_TEXT_MAX];

	(void)snprintf(of.name, sizeof of.name, "%s", name);
	(void)snprintf(text, sizeof text, "%s", where);
	for (char *at = text; *at != 0; at++)
		*at = *at == '\'' ? '"' : *at;
	assert_int_equal(where_set(&w, text, NULL), 0);
	where_format(&w, of.terms);
	return of;
}

static void assert_lacks(struct world *w, uint32_t grant, uint32_t condition)
{
	static uint8_t room[WIRE_BODY_MAX + WIRE_HEAD];
	auto_message m = { .n_fds = 0 };
	struct guard_lacks l;

	assert_int_equal(told(w, room, sizeof room, &m), WIRE_GUARD_LACKS);
	assert_true(guard_lacks_take(&m.body, &l));
	assert_int_equal(l.grant, grant);
	assert_int_equal(l.condition, condition);
}

/* Grants: 0 is the star that each world has; 1 is of t. */
static void a_condition_on_what_no_tool_has_is_told(void **state)
{
	static const struct {
		const char *where, *schema;
		bool lacks;
	} rows[] = {
		{ "{'path':'x'}", "{'properties':{'path':{}}}", false },
		{ "{'pth':'x'}", "{'properties':{'path':{}}}", true },
		{ "{'Path':'x'}", "{'properties':{'path':{}}}", true },
		{ "{'pth':null}", "{'properties':{'path':{}}}", true },
		{ "{'pth':{'schema':{}}}", "{'properties':{'path':{}}}", true },
		/* what refuses by itself, or wants nothing */
		{ "{'pth':{}}", "{'properties':{'path':{}}}", false },
		{ "{'pth':{'given':true,'of':'x'}}", "{'properties':{'path':{}}}", false },
		{ "{'pth':'x','*':null}", "{'properties':{'path':{}}}", false },
		/* what is left open */
		{ "{'pth':'x'}", "{'type':'object'}", false },
		{ "{'pth':'x'}", "true", false },
		{ "{'pth':'x'}", "{'additionalProperties':false}", true },
		{ "{'pth':'x'}", "{'properties':{'path':{}},'additionalProperties':false}", true },
		{ "{'pth':'x'}", "{'properties':{'path':{}},'additionalProperties':true}", false },
		{ "{'pth':'x'}", "{'properties':{'path':{}},'additionalProperties':{'type':'string'}}", false },
		{ "{'pth':'x'}", "{'properties':{'path':{}},'unevaluatedProperties':true}", false },
		{ "{'pth':'x'}", "{'properties':{'path':{}},'patternProperties':{'^p':{}}}", false },
		{ "{'pth':'x'}", "{'$ref':'#/$defs/a','properties':{'path':{}}}", false },
		/* elsewhere in it */
		{ "{'pth':'x'}", "{'anyOf':[{'properties':{'path':{}}},{'properties':{'pth':{}}}]}", false },
		{ "{'pth':'x'}", "{'anyOf':[{'properties':{'path':{}}},{'type':'null'}]}", true },
		{ "{'pth':'x'}", "{'properties':{'path':{}},'then':{'properties':{'pth':{}}}}", false },
		{ "{'pth':'x'}", "{'properties':{'path':{}},'dependentSchemas':{'path':{'properties':{'pth':{}}}}}",
		  false },
		/* beneath */
		{ "{'o.path':'x'}", "{'properties':{'o':{'properties':{'path':{}}}}}", false },
		{ "{'o.pth':'x'}", "{'properties':{'o':{'properties':{'path':{}}}}}", true },
		{ "{'o.pth':'x'}", "{'properties':{'o':{}}}", false },
		{ "{'q.path':'x'}", "{'properties':{'o':{'properties':{'path':{}}}}}", true },
		{ "{'o.path':'x'}", "{'properties':{'o':{'items':{'properties':{'path':{}}}}}}", false },
		{ "{'o.pth':'x'}", "{'properties':{'o':{'items':{'properties':{'path':{}}}}}}", true },
		{ "{'o.pth':'x'}", "{'properties':{'o':{'prefixItems':[{'properties':{'path':{}}}]}}}", true },
		/* names with a point in them */
		{ "{'a\\\\.b':'x'}", "{'properties':{'a.b':{}}}", false },
		{ "{'a\\\\.b':'x'}", "{'properties':{'a':{'properties':{'b':{}}}}}", true },
		{ "{'a.b':'x'}", "{'properties':{'a.b':{}}}", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct guard_grant_of of = grant_of("t", rows[i].where);
		char tool[512];
		struct world w;

		print_message("# %s of %s\n", rows[i].where, rows[i].schema);
		(void)snprintf(tool, sizeof tool, "{'name':'t','inputSchema':%s}", rows[i].schema);
		begin(&w, true);
		assert_true(guard_granted(w.g, &of));
		initialize(&w);
		assert_says(list(&w, tool), "'name':'t'");
		assert_tool(&w, "t", GUARD_ODD_NEW);
		if (rows[i].lacks)
			assert_lacks(&w, 1, 0);
		assert_told_nothing(&w);
		client_says(&w, CALL("5"));
		assert_asked(&w, "t", NULL);
		end(&w);
	}
}

/* Of all tools, one may have it; all of them are known when they were listed. What is no tool has the parameters of its method. */
static void a_condition_on_all_is_of_one_of_them(void **state)
{
	static const char t[] = "{'name':'t','inputSchema':{'properties':{'path':{}}}}",
			  u[] = "{'name':'u','inputSchema':{'properties':{'pth':{}}}}";
	const struct guard_grant_of star = grant_of("*", "{'pth':'x','uri':'y'}"),
				    read = grant_of("resources/read", "{'url':'x'}"),
				    well = grant_of("resources/read", "{'uri':'x'}"),
				    other = grant_of("resources/read", "{'uri\\\\.x':'x'}"),
				    theirs = grant_of("sampling/createMessage", "{'whatever':'x'}");
	struct world w;

	(void)state;
	for (unsigned both = 0; both < 2; both++) {
		char tools[256];

		begin(&w, true);
		assert_true(guard_granted(w.g, &star) && guard_granted(w.g, &read) && guard_granted(w.g, &well) &&
			    guard_granted(w.g, &theirs) && guard_granted(w.g, &other));
		assert_lacks(&w, 2, 0);
		assert_lacks(&w, 5, 0); /* a name with a point in it is another */
		assert_told_nothing(&w);
		initialize(&w);
		(void)snprintf(tools, sizeof tools, "%s%s%s", t, both ? "," : "", both ? u : "");
		assert_says(list(&w, tools), "'name':'t'");
		assert_tool(&w, "t", GUARD_ODD_NEW);
		if (both)
			assert_tool(&w, "u", GUARD_ODD_NEW);
		else
			assert_lacks(&w, 1, 0);
		assert_told_nothing(&w);
		assert_says(list(&w, tools), "'name':'t'"); /* once */
		assert_told_nothing(&w);
		end(&w);
	}
}

/* The command line takes nothing, and there is no room for what waits: who can say enough to it can bring that about. */
static void fill_up(struct world *w)
{
	static const uint8_t junk[1000];

	while (send(w->g->owner.fd, junk, sizeof junk, MSG_NOSIGNAL) > 0)
		;
	w->g->owner.queue.max = 4;
}

static void empty_out(struct world *w)
{
	uint8_t junk[1000];

	w->g->owner.queue.max = PORT_QUEUE_MAX;
	while (read(w->owner, junk, sizeof junk) > 0)
		;
}

/* What is granted of it is not known: it is not called. */
static void a_grant_waits_until_its_conditions_are_known(void **state)
{
	static const char t[] = "{'name':'t','inputSchema':{'properties':{'path':{}}}}",
			  u[] = "{'name':'u','inputSchema':{'properties':{'pth':{}}}}";
	const struct guard_grant_of star = grant_of("*", "{'pth':'x'}"), of = grant_of("t", "{'pth':'x'}"),
				    uri = grant_of("*", "{'uri':'x'}");
	const struct guard_pin pin = pin_for("t", t);
	static char blank[5000];
	struct world w;
	long long own;

	(void)state;
	for (unsigned both = 0; both < 2; both++) { /* the client goes by pages, and calls in between */
		begin(&w, true);
		assert_true(guard_granted(w.g, &star));
		initialize(&w);
		client_says(&w, "{'jsonrpc':'2.0','id':2,'method':'tools/list'}");
		server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'tools':[%s],'nextCursor':'2'}}",
			    own_heard(&w, server_hears), t);
		assert_says(client_hears(&w), "'name':'t'");
		assert_tool(&w, "t", GUARD_ODD_NEW);
		client_says(&w, CALL("5"));
		own = own_heard(&w, server_hears);
		assert_says(w.line, "tools/list");
		assert_told_nothing(&w);
		server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'tools':[%s%s%s]}}", own, t, both ? "," : "",
			    both ? u : "");
		if (both)
			assert_tool(&w, "u", GUARD_ODD_NEW);
		else
			assert_lacks(&w, 1, 0);
		assert_asked(&w, "t", NULL);
		assert_nothing_is_heard(&w);
		end(&w);
	}

	begin(&w, true); /* a list without an end has no more than was seen */
	assert_true(guard_granted(w.g, &star));
	initialize(&w);
	client_says(&w, CALL("5"));
	for (unsigned i = 0; i < GUARD_PAGES_MAX; i++)
		server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'tools':[%s],'nextCursor':'on'}}",
			    own_heard(&w, server_hears), t);
	assert_tool(&w, "t", GUARD_ODD_NEW);
	assert_lacks(&w, 1, 0);
	assert_asked(&w, "t", NULL);
	end(&w);

	begin(&w, true); /* a list that fails says nothing */
	assert_true(guard_granted(w.g, &star));
	initialize(&w);
	client_says(&w, "{'jsonrpc':'2.0','id':2,'method':'tools/list'}");
	server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'tools':[%s],'nextCursor':'2'}}",
		    own_heard(&w, server_hears), t);
	assert_says(client_hears(&w), "'name':'t'");
	assert_tool(&w, "t", GUARD_ODD_NEW);
	client_says(&w, CALL("5"));
	for (unsigned i = 0; i < 2; i++)
		server_says(&w, "{'jsonrpc':'2.0','id':%lld,'error':{'code':-1,'message':'no'}}",
			    own_heard(&w, server_hears));
	assert_says(client_hears(&w), "'id':5", "did not say which tools it has");
	assert_told_nothing(&w);
	assert_nothing_is_heard(&w);
	end(&w);

	for (unsigned failed = 0; failed < 2; failed++) { /* what is no tool is granted by it, too */
		begin(&w, true);
		assert_true(guard_granted(w.g, &star));
		initialize(&w);
		client_says(&w, "{'jsonrpc':'2.0','id':5,'method':'resources/read','params':{'uri':'file:///x'}}");
		for (unsigned i = 0; i < 1 + failed; i++) {
			own = own_heard(&w, server_hears);
			assert_says(w.line, "tools/list");
			assert_told_nothing(&w);
			server_says(&w, "{'jsonrpc':'2.0','id':%lld,%s}", own,
				    failed ? "'error':{'code':-32601,'message':'no'}" : "'result':{'tools':[]}");
		}
		if (failed) {
			assert_says(client_hears(&w), "'id':5", "did not say which tools it has");
		} else {
			assert_lacks(&w, 1, 0);
			assert_asked(&w, "resources/read", "uri=tfile:///x;");
		}
		assert_told_nothing(&w);
		assert_nothing_is_heard(&w);
		end(&w);
	}

	begin(&w, true); /* one that all can have is known */
	assert_true(guard_granted(w.g, &uri));
	initialize(&w);
	client_says(&w, "{'jsonrpc':'2.0','id':5,'method':'resources/read','params':{'uri':'file:///x'}}");
	assert_asked(&w, "resources/read", "uri=tfile:///x;");
	end(&w);

	begin(&w, true); /* a list without tools says nothing of those that come */
	assert_true(guard_granted(w.g, &star));
	initialize(&w);
	assert_says(list(&w, ""), "'tools':[]");
	assert_told_nothing(&w);
	end(&w);

	begin(&w, false); /* it could not be told */
	assert_true(guard_pinned(w.g, &pin) && guard_granted(w.g, &of));
	initialize(&w);
	client_says(&w, "{'jsonrpc':'2.0','id':2,'method':'tools/list'}");
	own = own_heard(&w, server_hears);
	fill_up(&w);
	memset(blank, '\n', sizeof blank - 1); /* it is not gone before that was read */
	server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'tools':[%s]}}%s", own, t, blank);
	assert_says(client_hears(&w), "'name':'t'");
	empty_out(&w);
	client_says(&w, CALL("5"));
	assert_told_nothing(&w);
	end(&w);
}

/* What is not approved is not called; but that there is such an argument it says all the same. */
static void a_tool_that_waits_may_have_it(void **state)
{
	static const char t[] = "{'name':'t','inputSchema':{'properties':{'path':{}}}}",
			  u[] = "{'name':'u','inputSchema':{'properties':{'pth':{}}}}";
	const struct guard_grant_of star = grant_of("*", "{'pth':'x'}"), of = grant_of("u", "{'path':'x'}");
	const struct guard_pin pin = pin_for("t", t), other = pin_for("u", "{'name':'u'}");
	struct world w;

	(void)state;
	begin(&w, false);
	assert_true(guard_pinned(w.g, &pin) && guard_pinned(w.g, &other) && guard_granted(w.g, &star) &&
		    guard_granted(w.g, &of));
	initialize(&w);
	client_says(&w, "{'jsonrpc':'2.0','id':2,'method':'tools/list'}");
	server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'tools':[%s,%s,{'name':7},3]}}",
		    own_heard(&w, server_hears), t, u);
	assert_says(client_hears(&w), "'name':'t'");
	assert_null(strstr(w.line, "'name':'u'"));
	assert_tool(&w, "u", GUARD_ODD_CHANGED);
	assert_told_nothing(&w); /* also not of the grant of u: nothing can be called by it */
	client_says(&w, CALL("5"));
	assert_asked(&w, "t", NULL);
	end(&w);
}

static void a_schema_that_is_deep_is_left_open(void **state)
{
	const struct guard_grant_of of = grant_of("t", "{'pth':'x'}");
	auto_buf tool = { .max = 1u << 16 };
	struct world w;

	(void)state;
	buf_printf(&tool, "{'name':'t','inputSchema':");
	for (unsigned i = 0; i < 20; i++)
		buf_printf(&tool, "{'allOf':[");
	buf_printf(&tool, "{'properties':{'path':{}}}");
	for (unsigned i = 0; i < 20; i++)
		buf_printf(&tool, "]}");
	buf_printf(&tool, "}");
	begin(&w, true);
	assert_true(guard_granted(w.g, &of));
	initialize(&w);
	assert_says(list(&w, buf_cstr(&tool)), "'name':'t'");
	assert_tool(&w, "t", GUARD_ODD_NEW);
	assert_told_nothing(&w);
	end(&w);
}

static void conditions_are_bounded(void **state)
{
	auto_buf where = { .max = 1u << 12 }, line = { .max = 4u << 20 };
	struct guard_grant_of of;
	clock_t begun;
	struct world w;

	(void)state;
	buf_printf(&where, "{");
	for (unsigned i = 0; i < WHERE_CONDITIONS_MAX; i++)
		buf_printf(&where, "%s'z%u':'x'", i > 0 ? "," : "", i);
	buf_printf(&where, "}");
	of = grant_of("t", buf_cstr(&where));
	begin(&w, true);
	for (unsigned i = 1; i < GUARD_GRANTS_MAX; i++)
		assert_true(guard_granted(w.g, &of));
	assert_false(guard_granted(w.g, &of));
	client_says(&w, "{'jsonrpc':'2.0','id':1,'method':'tools/list'}");
	buf_printf(
		&line,
		"{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"tools\":[{\"name\":\"t\",\"inputSchema\":{\"anyOf\":[",
		own_heard(&w, server_hears));
	for (unsigned i = 0; i < 10000; i++)
		buf_printf(&line, "{\"properties\":{\"a\":{}}},");
	buf_printf(&line, "{}]}}]}}\n");
	begun = clock();
	for (size_t at = 0; at < line.len;) {
		const ssize_t n = send(w.server_said, line.data + at, line.len - at, MSG_NOSIGNAL);

		if (n > 0)
			at += (size_t)n;
		run_on(&w);
	}
	run_on(&w);
	assert_true(clock() - begun < 5 * CLOCKS_PER_SEC); /* each with each would take minutes */
	assert_says(client_hears(&w), "'name':'t'");
	end(&w);
}

static void definitions_are_bounded(void **state)
{
	struct world w;
	auto_buf line = { .max = 4u << 20 };
	const clock_t begun = clock();
	json_t *v;

	(void)state;
	begin(&w, true);
	for (unsigned i = 0; i < 2 * GUARD_PINS_MAX; i++) {
		struct guard_pin p = pin_of("");

		(void)snprintf(p.name, sizeof p.name, "n%u", i);
		assert_true(guard_pinned(w.g, &p));
	}
	assert_false(guard_pinned(w.g, &(struct guard_pin){ .name = "more" }));
	end(&w);

	begin(&w, true); /* as many as a line has room for: each with each would take minutes */
	client_says(&w, "{'jsonrpc':'2.0','id':1,'method':'tools/list'}");
	buf_printf(&line, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"tools\":[", own_heard(&w, server_hears));
	for (unsigned i = 0; i < 60000; i++)
		buf_printf(&line, "%s{\"name\":\"n%u\"}", i > 0 ? "," : "", i);
	buf_printf(&line, "]}}\n");
	assert_false(line.failed);
	for (size_t at = 0; at < line.len;) {
		const ssize_t n = send(w.server_said, line.data + at, line.len - at, MSG_NOSIGNAL);

		if (n > 0)
			at += (size_t)n;
		run_on(&w);
	}
	run_on(&w);
	(void)client_hears(&w);
	v = json_loads(w.raw, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(json_object_get(v, "result"), "tools")),
			 GUARD_PINS_MAX); /* no more than can be said at the next start */
	json_decref(v);
	assert_true(clock() - begun < 20 * CLOCKS_PER_SEC);
	end(&w);
}

/* ---- calls that are held until tools were listed ---- */

static void a_call_waits_for_the_list(void **state)
{
	struct world w;
	long long own;

	(void)state;
	begin(&w, true);
	client_says(&w, CALL("5"));
	own = own_heard(&w, server_hears);
	assert_says(w.line, "'method':'tools/list','params':{}");
	client_says(&w, "{'jsonrpc':'2.0','id':6,'method':'tools/call','params':{'name':'u'}}"); /* by the same */
	client_says(&w, "{'jsonrpc':'2.0','id':7,'method':'tools/call','params':{'name':'none'}}");
	assert_nothing_is_heard(&w);
	assert_told_nothing(&w);
	server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'tools':[" TOOL("t", "x") "],'nextCursor':'c\\'2'}}",
		    own);
	own = own_heard(&w, server_hears);
	assert_says(w.line, "'cursor':'c\\'2'");
	assert_nothing_is_heard(&w);
	server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'tools':[" TOOL("u", "x") "]}}", own);
	assert_tool(&w, "t", GUARD_ODD_NEW);
	assert_tool(&w, "u", GUARD_ODD_NEW);
	assert_asked(&w, "t", "a=n1;");
	assert_asked(&w, "u", "");
	assert_says(client_hears(&w), "'id':7", "'code':-32602", "was not found");
	assert_nothing_is_heard(&w);
	client_says(&w, "{'jsonrpc':'2.0','id':8,'method':'tools/call','params':{'name':'none'}}");
	assert_says(client_hears(&w), "'id':8", "was not found"); /* it has all */
	assert_nothing_is_heard(&w);
	end(&w);
}

static void a_list_of_ours_that_fails_is_none(void **state)
{
	static const char *const odd[] = { "'error':{'code':-1,'message':'no \\u001b[2J'}", "'result':[]",
					   "'error':{'code':1}" };
	struct world w;

	(void)state;
	begin(&w, true); /* it is asked for twice, and again with the next call */
	for (unsigned call = 0; call < 3; call++) {
		client_says(&w, CALL("5"));
		for (unsigned i = 0; i < 2; i++) {
			const long long own = own_heard(&w, server_hears);

			assert_says(w.line, "tools/list");
			assert_nothing_is_heard(&w);
			server_says(&w, "{'jsonrpc':'2.0','id':%lld,%s}", own, odd[(call + i) % 3]);
		}
		assert_says(client_hears(&w), "'id':5", "did not say which tools it has");
		assert_null(strchr(w.line, 033));
		assert_nothing_is_heard(&w);
		assert_told_nothing(&w);
	}
	client_says(&w, CALL("6"));
	server_says(&w, "{'jsonrpc':'2.0','id':%lld,%s}", own_heard(&w, server_hears), odd[0]);
	server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'tools':[" TOOL("t", "x") "]}}",
		    own_heard(&w, server_hears));
	assert_tool(&w, "t", GUARD_ODD_NEW);
	assert_asked(&w, "t", "a=n1;");
	assert_nothing_is_heard(&w);
	end(&w);

	begin(&w, true); /* what its first page had is called all the same */
	client_says(&w, CALL("5"));
	client_says(&w, "{'jsonrpc':'2.0','id':6,'method':'tools/call','params':{'name':'u'}}");
	for (unsigned i = 0; i < 2; i++) {
		server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'tools':[" TOOL("t", "x") "],'nextCursor':'2'}}",
			    own_heard(&w, server_hears));
		server_says(&w, "{'jsonrpc':'2.0','id':%lld,%s}", own_heard(&w, server_hears), odd[0]);
	}
	assert_tool(&w, "t", GUARD_ODD_NEW);
	assert_asked(&w, "t", "a=n1;");
	assert_says(client_hears(&w), "'id':6", "did not say which tools it has");
	assert_nothing_is_heard(&w);
	end(&w);

	begin(&w, true); /* without an end: so many pages, and no more */
	client_says(&w, CALL("5"));
	for (unsigned i = 0; i < GUARD_PAGES_MAX; i++)
		server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'tools':[],'nextCursor':'on'}}",
			    own_heard(&w, server_hears));
	assert_says(client_hears(&w), "'id':5", "was not found");
	assert_nothing_is_heard(&w);
	end(&w);
}

/* What the client says with each request, the server gets with ours. */
static void a_list_of_ours_has_the_clients_envelope(void **state)
{
	struct world w;

	(void)state;
	begin(&w, true);
	client_says(
		&w,
		"{'jsonrpc':'2.0','id':5,'method':'tools/call','params':{'name':'t','_meta':{'progressToken':7,'io.modelcontextprotocol/protocolVersion':'2026-07-28'}}}");
	assert_says(server_hears(&w), "'method':'tools/list'",
		    "'io.modelcontextprotocol/protocolVersion':'2026-07-28'");
	assert_null(strstr(w.line, "progressToken"));
	end(&w);
}

#define CHANGED "{'jsonrpc':'2.0','method':'notifications/tools/list_changed'}"

/* What was seen is looked at again before it is called. */
static void a_list_that_changed_is_asked_for_again(void **state)
{
	struct world w;
	long long own;

	(void)state;
	begin_used(&w);
	server_says(&w, CHANGED);
	assert_string_equal(client_hears(&w), CHANGED);
	client_says(&w, CALL("5"));
	own = own_heard(&w, server_hears);
	assert_says(w.line, "tools/list");
	assert_told_nothing(&w);
	server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'tools':[" TOOL("t", "other") "]}}", own);
	assert_tool(&w, "t", GUARD_ODD_CHANGED);
	assert_says(client_hears(&w), "'id':5", "not the one that was approved");
	assert_nothing_is_heard(&w);
	end(&w);

	begin(&w, true); /* between two pages of ours */
	client_says(&w, CALL("5"));
	own = own_heard(&w, server_hears);
	server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'tools':[" TOOL("t", "x") "],'nextCursor':'2'}}", own);
	own = own_heard(&w, server_hears);
	server_says(&w, CHANGED);
	assert_string_equal(client_hears(&w), CHANGED);
	server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'tools':[" TOOL("u", "x") "]}}", own);
	own = own_heard(&w, server_hears); /* from the first page on */
	assert_says(w.line, "tools/list");
	assert_null(strstr(w.line, "cursor"));
	assert_nothing_is_heard(&w);
	server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'tools':[" TOOL("t", "x") "," TOOL("u", "x") "]}}", own);
	assert_tool(&w, "t", GUARD_ODD_NEW);
	assert_tool(&w, "u", GUARD_ODD_NEW);
	assert_asked(&w, "t", "a=n1;");
	assert_nothing_is_heard(&w);
	end(&w);

	begin(&w, true); /* who says so with each of them is not asked for ever */
	client_says(&w, CALL("5"));
	for (unsigned i = 0; i < GUARD_PAGES_MAX; i++) {
		own = own_heard(&w, server_hears);
		server_says(&w, CHANGED);
		server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'tools':[" TOOL("t", "x") "]}}", own);
		assert_string_equal(client_hears(&w), CHANGED);
	}
	assert_tool(&w, "t", GUARD_ODD_NEW);
	assert_asked(&w, "t", "a=n1;");
	assert_nothing_is_heard(&w);
	end(&w);
}

/* ---- one side goes ---- */

enum at { AT_NOTHING, AT_JUDGED, AT_LISTED, AT_PERSON, AT_SENT, AT_COUNT };

static long long bring_to(struct world *w, enum at where)
{
	begin(w, true);
	initialize(w);
	if (where != AT_LISTED) {
		assert_says(list(w, TOOL("t", "x")), "'t'");
		assert_tool(w, "t", GUARD_ODD_NEW);
	}
	if (where == AT_NOTHING)
		return 0;
	client_says(w, CALL("5"));
	if (where == AT_LISTED)
		return own_heard(w, server_hears);
	assert_asked(w, "t", NULL);
	if (where == AT_JUDGED)
		return 0;
	word(w, w->number, where == AT_PERSON ? GUARD_PERSON : GUARD_YES);
	return own_heard(w, where == AT_PERSON ? client_hears : server_hears);
}

/* What the client asked it still gets, but for what its user is asked: then it is over. */
static void the_client_goes(void **state)
{
	struct world w;

	(void)state;
	for (unsigned where = 0; where < AT_COUNT; where++) {
		long long own = bring_to(&w, (enum at)where);

		(void)shutdown(w.client_said, SHUT_WR);
		run_on(&w);
		if (where == AT_NOTHING || where == AT_PERSON) {
			assert_null(w.g);
			end(&w);
			continue;
		}
		assert_non_null(w.g);
		if (where == AT_LISTED) {
			server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'tools':[" TOOL("t", "x") "]}}", own);
			assert_tool(&w, "t", GUARD_ODD_NEW);
			assert_asked(&w, "t", NULL);
		}
		if (where != AT_SENT) {
			word(&w, w.number, GUARD_YES);
			own = own_heard(&w, server_hears);
		}
		server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'content':[]}}", own);
		assert_says(client_hears(&w), "'id':5", "'content':[]");
		assert_over(&w, w.number, GUARD_DONE);
		assert_null(w.g);
		end(&w);
	}
}

/* Who waits is told so, whatever it waits for. */
static void the_server_goes(void **state)
{
	struct world w;

	(void)state;
	for (unsigned where = 0; where < AT_COUNT; where++) {
		(void)bring_to(&w, (enum at)where);
		fd_close(&w.server_said);
		fd_close(&w.server_heard);
		run_on(&w);
		if (where != AT_NOTHING)
			assert_says(client_hears(&w), "'id':5", "'error'", "the server ended");
		if (where == AT_PERSON)
			assert_says(client_hears(&w), "notifications/cancelled");
		assert_string_equal(client_hears(&w), "");
		if (where == AT_SENT)
			assert_over(&w, w.number, GUARD_LOST);
		assert_told_nothing(&w);
		assert_null(w.g);
		end(&w);
	}
}

/* Who said its last may have said it before: it is all heard. */
static void the_server_answers_and_goes(void **state)
{
	struct world w;
	long long own;
	char line[160];

	(void)state;
	own = bring_to(&w, AT_SENT);
	(void)snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"content\":[]}}",
		       own); /* without its end */
	assert_int_equal(send(w.server_said, line, strlen(line), 0), strlen(line));
	fd_close(&w.server_said);
	run_on(&w);
	assert_says(client_hears(&w), "'id':5", "'content':[]");
	assert_over(&w, w.number, GUARD_DONE);
	assert_null(w.g);
	end(&w);
}

/* It closed what it hears by, and stays: nobody waits for it. */
static void a_server_that_hears_nothing_is_gone(void **state)
{
	struct world w;

	(void)state;
	(void)bring_to(&w, AT_SENT);
	fd_close(&w.server_heard);
	client_says(&w, "{'jsonrpc':'2.0','id':6,'method':'ping'}");
	run_on(&w);
	assert_says(client_hears(&w), "'id':5", "the server ended");
	assert_says(client_hears(&w), "'id':6", "the server ended");
	assert_over(&w, w.number, GUARD_LOST);
	assert_null(w.g);
	end(&w);
}

/* The first call may be why a server has more. */
static void what_is_added_after_a_call_waits(void **state)
{
	struct world w;
	long long own;

	(void)state;
	begin_used(&w);
	client_says(&w, "{'jsonrpc':'2.0','id':5,'method':'tools/call','params':{'name':'t'}}");
	assert_asked(&w, "t", "");
	word(&w, w.number, GUARD_YES);
	own = own_heard(&w, server_hears);
	server_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'content':[]}}", own);
	assert_says(client_hears(&w), "'id':5");
	assert_over(&w, w.number, GUARD_DONE);
	assert_says(list(&w, TOOL("t", "x") "," TOOL("u", "x")), "'t'");
	assert_null(strstr(w.line, "'u'"));
	assert_tool(&w, "u", GUARD_ODD_ADDED);
	end(&w);
}

/* A server knows who listens by an id of ours, and the client by its own. */
static void who_listens_is_told_by_its_own_id(void **state)
{
	struct world w;
	long long own;

	(void)state;
	begin_used(&w);
	client_says(&w,
		    "{'jsonrpc':'2.0','id':'listen:0','method':'subscriptions/listen','params':{'notifications':{}}}");
	own = own_heard(&w, server_hears);
	server_says(
		&w,
		"{'jsonrpc':'2.0','method':'notifications/resources/updated','params':{'uri':'x','_meta':{'io.modelcontextprotocol/subscriptionId':%lld}}}",
		own);
	assert_says(client_hears(&w), "'io.modelcontextprotocol/subscriptionId':'listen:0'}", "'uri':'x'");
	server_says(
		&w,
		"{'jsonrpc':'2.0','method':'notifications/resources/updated','params':{'uri':'x','_meta':{'io.modelcontextprotocol/subscriptionId':%lld}}}",
		own + 1);
	assert_string_equal(client_hears(&w), "");
	end(&w);
}

/* Without a word nothing goes on. */
static void the_command_line_goes(void **state)
{
	struct world w;

	(void)state;
	for (unsigned where = 0; where < AT_COUNT; where++) {
		(void)bring_to(&w, (enum at)where);
		fd_close(&w.owner);
		run_on(&w);
		assert_null(w.g);
		assert_string_equal(server_hears(&w), "");
		end(&w);
	}
}

/* ---- lines that are too long ---- */

static void say_long(struct world *w, int fd)
{
	static char piece[32768];

	memset(piece, ' ', sizeof piece);
	for (size_t sent = 0; sent <= FRAME_LINE_MAX;) {
		const ssize_t n = send(fd, piece, sizeof piece, MSG_NOSIGNAL);

		sent += n > 0 ? (size_t)n : 0;
		for (unsigned i = 0; i < 4; i++)
			assert_true(guard_turn(w->g, 0));
	}
	assert_int_equal(send(fd, "\n", 1, MSG_NOSIGNAL), 1);
	run_on(w);
}

static void a_long_line_is_of_nobody(void **state)
{
	struct world w;
	long long own;

	(void)state;
	for (unsigned where = 0; where < AT_COUNT; where++) {
		own = bring_to(&w, (enum at)where);
		say_long(&w, w.server_said);
		if (where == AT_SENT || where == AT_LISTED)
			assert_says(client_hears(&w), "'id':5", "a line of more than");
		else if (where == AT_PERSON) { /* it was never the server's to answer */
			client_says(&w, "{'jsonrpc':'2.0','id':%lld,'result':{'action':'accept'}}", own);
			assert_asked(&w, "t", NULL);
		}
		if (where == AT_JUDGED || where == AT_PERSON) {
			word(&w, w.number, GUARD_YES);
			(void)own_heard(&w, server_hears);
		}
		assert_nothing_is_heard(&w);
		assert_non_null(w.g);
		end(&w);
	}
	begin_used(&w);
	say_long(&w, w.client_said);
	assert_says(client_hears(&w), "'id':null", "a line of more than");
	client_says(&w, CALL("5")); /* and it goes on */
	assert_asked(&w, "t", NULL);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_passes_is_the_same_but_for_its_id),
		cmocka_unit_test(answers_are_told_apart),
		cmocka_unit_test(answers_come_in_any_order),
		cmocka_unit_test(what_is_no_message_is_refused),
		cmocka_unit_test(blanks_at_the_end_are_nothing),
		cmocka_unit_test(what_was_never_asked_is_not_answered),
		cmocka_unit_test(what_was_not_sent_is_not_answered),
		cmocka_unit_test(an_answer_that_cannot_pass_is_one_all_the_same),
		cmocka_unit_test(a_no_is_an_answer_of_the_tool),
		cmocka_unit_test(a_person_is_asked_by_an_old_client),
		cmocka_unit_test(a_person_is_asked_by_a_new_client),
		cmocka_unit_test(who_cannot_ask_its_user_is_told),
		cmocka_unit_test(a_word_on_nothing_ends_it),
		cmocka_unit_test(what_was_sent_is_cancelled_there),
		cmocka_unit_test(what_was_not_sent_is_not_done),
		cmocka_unit_test(a_question_goes_with_its_request),
		cmocka_unit_test(cancelled_ones_make_room),
		cmocka_unit_test(so_many_wait_and_no_more),
		cmocka_unit_test(progress_is_told_to_who_waits),
		cmocka_unit_test(what_is_listened_for_is_told_by_the_clients_id),
		cmocka_unit_test(what_the_server_asks_is_judged),
		cmocka_unit_test(other_requests_of_a_server_do_not_pass),
		cmocka_unit_test(what_the_server_cancels_is_not_asked),
		cmocka_unit_test(what_the_server_asks_in_an_answer_is_judged),
		cmocka_unit_test(questions_in_other_forms_do_not_pass),
		cmocka_unit_test(an_answer_that_waits_is_cancelled_and_lost),
		cmocka_unit_test(a_definition_is_the_same_or_it_is_not),
		cmocka_unit_test(what_nobody_sees_is_not_shown),
		cmocka_unit_test(what_was_not_looked_at_is_not_shown),
		cmocka_unit_test(first_changed_and_changed_back),
		cmocka_unit_test(what_is_new_later_waits),
		cmocka_unit_test(a_condition_on_what_no_tool_has_is_told),
		cmocka_unit_test(a_condition_on_all_is_of_one_of_them),
		cmocka_unit_test(a_grant_waits_until_its_conditions_are_known),
		cmocka_unit_test(a_tool_that_waits_may_have_it),
		cmocka_unit_test(a_schema_that_is_deep_is_left_open),
		cmocka_unit_test(conditions_are_bounded),
		cmocka_unit_test(definitions_are_bounded),
		cmocka_unit_test(a_call_waits_for_the_list),
		cmocka_unit_test(a_list_of_ours_that_fails_is_none),
		cmocka_unit_test(a_list_of_ours_has_the_clients_envelope),
		cmocka_unit_test(a_list_that_changed_is_asked_for_again),
		cmocka_unit_test(the_client_goes),
		cmocka_unit_test(the_server_goes),
		cmocka_unit_test(the_server_answers_and_goes),
		cmocka_unit_test(a_server_that_hears_nothing_is_gone),
		cmocka_unit_test(what_is_added_after_a_call_waits),
		cmocka_unit_test(who_listens_is_told_by_its_own_id),
		cmocka_unit_test(the_command_line_goes),
		cmocka_unit_test(a_long_line_is_of_nobody),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
