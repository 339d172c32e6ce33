/* What comes behind a body by HTTP/2, from either side; and what gRPC makes of that: answers that are a trailer alone, streams in both directions, refusals that it understands. */
#include "two_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "two_says.h"

#define COUNT_OF(a) (sizeof(a) / sizeof(a)[0])
#define PLAIN "http='GET /a, POST /a'"
#define WITH_SECRET "http='GET /a, POST /a' secret='github as bearer'"
#define END_BOTH (F_END | F_HEADERS)
#define CALL POST "|content-type=application/grpc|te=trailers"
#define OTHER_CALL ":method=POST|:scheme=https|:path=/p.S/Drop|:authority=h.example|content-type=application/grpc"
#define TRAILER_MOST (16u << 10)
static const char token[] = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";

/* A request was sent, and is over or not; its answer has begun. */
static struct world *begin_answer(const char *terms, const char *request, unsigned flags)
{
	struct world *w = world_create(terms, "");

	world_run(w);
	say_headers(&w->program, F_HEADERS | flags, 1, request);
	world_run(w);
	say_headers(&w->host, F_HEADERS, 1, ":status=200");
	world_run(w);
	world_forget(w);
	return w;
}

/* ---- of answers ---- */

struct trails {
	const char *name, *fields, *program; /* what the program gets, behind the head and four bytes */
};

#define OVER "DATA 1 body end\n"
#define BEHIND(fields) "DATA 1 body\nHEADERS 1 " fields " end\n"
#define GONE "RST 1 1\n"

static const struct trails trails[] = {
	{ "a field", "x-a=b", BEHIND("x-a=b") },
	{ "of gRPC", "grpc-status=0|grpc-message=fine|x-bin=AAE", BEHIND("grpc-status=0 grpc-message=fine x-bin=AAE") },
	{ "one twice", "x-a=b|x-a=c", BEHIND("x-a=b x-a=c") },
	{ "an empty value", "x-a=", BEHIND("x-a=") },
	{ "those that may", "etag=\"x\"|server-timing=a|content-digest=b|authentication-info=c",
	  BEHIND("etag=\"x\" server-timing=a content-digest=b authentication-info=c") },
	{ "the secret", "x-a=a " WORLD_SECRET " b", BEHIND("x-a=a ******************* b") },
	{ "the secret as a name", WORLD_SECRET "=a", BEHIND("*******************=a") },
	{ "its beginning", "x-a=s3cr3t-of", BEHIND("x-a=s3cr3t-of") },

	{ "nothing that may", "set-cookie=a|content-type=text/html", OVER },
	{ "nothing", "", OVER },

	{ "a pseudo-field", ":status=200|x-a=b", GONE },
	{ "one behind a field", "x-a=b|:status=200", GONE },
	{ "one of a request", ":path=/a", GONE },
	{ "an unknown one", ":x=y", GONE },
	{ "capitals", "X-A=b", GONE },
	{ "connection", "connection=close", GONE },
	{ "keep-alive", "keep-alive=1", GONE },
	{ "proxy-connection", "proxy-connection=close", GONE },
	{ "transfer-encoding", "transfer-encoding=chunked", GONE },
	{ "upgrade", "upgrade=h2c", GONE },
	{ "te", "te=gzip", GONE },
	{ "another length", "content-length=5", GONE },
	{ "no length", "content-length=-4", GONE },
	{ "a name with a line's end", "x-a\r\ny=b|x-b=c", GONE },
	{ "a value with a line's end", "x-a=b\r\ny: z|x-b=c", GONE },
};

static void is_passed_behind_the_body(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(trails); i++) {
		const struct trails *r = &trails[i];
		struct world *w = begin_answer(WITH_SECRET, GET, F_END);

		say_data(&w->host, 0, 1, "body");
		say_headers(&w->host, END_BOTH, 1, r->fields);
		world_run(w);
		has(&w->program, r->program, r->name);
		has_not(&w->program, "end\nHEADERS", r->name);
		has_not(&w->program, WORLD_SECRET, r->name);
		if (strcmp(r->program, GONE) == 0)
			has_not(&w->program, " end", r->name);
		assert_int_equal(w->two.n_twins, 0);
		say_headers(&w->program, END_BOTH, 3, GET); /* the connection goes on */
		world_run(w);
		has(&w->host, "HEADERS 3", r->name);
		world_destroy(w);
	}
}

/* Each beside one that may. */
static void what_has_no_place_there_is_dropped(void **state)
{
	static const char *const names[] = {
		"content-length=4",
		"trailer=x-a",
		"host=h.example",
		"te=trailers",
		"expect=100-continue",
		"http2-settings=AA",
		"authorization=x",
		"cookie=a=b",
		"set-cookie=a=b",
		"www-authenticate=Basic",
		"location=/",
		"alt-svc=h3=\":1\"",
		"content-encoding=br",
		"content-type=a",
		"content-range=bytes 0-1/2",
		"cache-control=none",
		"age=1",
		"expires=0",
		"date=x",
		"proxy-authenticate=a",
		"set_cookie=a=b",
		"content_length=9",
		"retry-after=1",
		"vary=a",
		"proxy-authorization=a",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct world *w = begin_answer(PLAIN, GET, F_END);
		char fields[128];

		strcat(strcat(strcpy(fields, "x-a=b|"), names[i]), "|x-c=d");
		say_data(&w->host, 0, 1, "body");
		say_headers(&w->host, END_BOTH, 1, fields);
		world_run(w);
		has(&w->program, BEHIND("x-a=b x-c=d"), names[i]);
		world_destroy(w);
	}
}

static void without_a_body(void **state)
{
	struct world *w = begin_answer(PLAIN, GET, F_END);

	(void)state;
	say_headers(&w->host, END_BOTH, 1, "x-a=b");
	world_run(w);
	has(&w->program, "HEADERS 1 x-a=b end\n", "trailer");
	assert_int_equal(w->two.n_twins, 0);
	world_destroy(w);
}

/* RFC 7541, 6.2.3. */
static void what_must_not_be_kept_in_tables_stays_so(void **state)
{
	static const char block[] = "\x10\3x-a\1b";
	struct world *w = begin_answer(PLAIN, GET, F_END);

	(void)state;
	say_frame(&w->host, NGHTTP2_HEADERS, END_BOTH, 1, block, sizeof block - 1);
	world_run(w);
	has(&w->program, "HEADERS 1 !x-a=b end\n", "trailer");
	world_destroy(w);
}

static void a_block_that_does_not_end_it_is_none(void **state)
{
	struct world *w = begin_answer(PLAIN, GET, F_END);

	(void)state;
	say_data(&w->host, 0, 1, "body");
	say_headers(&w->host, F_HEADERS, 1, "x-a=b");
	world_run(w);
	has(&w->host, "RST 1 1\n", "not the end");
	has(&w->program, "RST 1 1\n", "not the end");
	has_not(&w->program, "x-a", "not the end");
	world_destroy(w);
	w = begin_answer(PLAIN, GET, F_END);
	say_headers(&w->host, END_BOTH, 1, "x-a=b");
	say_headers(&w->host, END_BOTH, 1, "x-c=d");
	world_run(w);
	has(&w->program, "HEADERS 1 x-a=b end\n", "the first");
	has_not(&w->program, "x-c", "a second");
	world_destroy(w);
}

static void say_long_trailer(struct world *w, const char *name, size_t n)
{
	static char fields[TRAILER_MOST + 16];
	const size_t at = (size_t)sprintf(fields, "%s=", name);

	memset(fields + at, 'y', n);
	fields[at + n] = 0;
	say_data(&w->host, 0, 1, "body");
	say_headers(&w->host, END_BOTH, 1, fields);
	world_run(w);
}

static void it_is_bounded(void **state)
{
	const size_t most = TRAILER_MOST - TWO_FIELD_COST - 1; /* of the value of a field `x` */
	struct world *w = begin_answer(PLAIN, GET, F_END);

	(void)state;
	say_long_trailer(w, "x", most);
	has(&w->program, "yyyy end\n", "at the bound");
	world_destroy(w);
	w = begin_answer(PLAIN, GET, F_END);
	say_long_trailer(w, "x", most + 1);
	has(&w->program, "RST 1 2\n", "beyond");
	has_not(&w->program, "end", "beyond");
	has_not(&w->program, "yyyy", "beyond");
	assert_int_equal(w->two.n_twins, 0);
	world_destroy(w);
}

static void its_fields_are_bounded(void **state)
{
	(void)state;
	for (size_t n = TWO_FIELDS_MAX; n <= TWO_FIELDS_MAX + 1; n++) {
		static char fields[8 * TWO_FIELDS_MAX];
		struct world *w = begin_answer(PLAIN, GET, F_END);

		strcpy(fields, "x=y");
		for (size_t i = 1; i < n; i++)
			strcat(fields, "|x=y");
		say_headers(&w->host, END_BOTH, 1, fields);
		world_run(w);
		has(&w->program, n == TWO_FIELDS_MAX ? "x=y end\n" : "RST 1 2\n", "fields");
		world_destroy(w);
	}
}

static void it_waits_behind_what_waits(void **state)
{
	struct world *w = begin_answer(WITH_SECRET, GET, F_END);

	(void)state;
	say_much(&w->host, 0, 1, 65530);
	say_data(&w->host, 0, 1, "and s3cr3t-of"); /* the last of it is held: it may become the secret */
	say_headers(&w->host, END_BOTH, 1, "x-a=b");
	world_run(w);
	assert_int_equal(w->program.data, 65535); /* as its window has it */
	has_not(&w->program, "x-a", "it waits");
	w->host.stream.ended = true; /* who has said all may go */
	world_run(w);
	has_not(&w->program, "x-a", "it waits");
	say_u32(&w->program, NGHTTP2_WINDOW_UPDATE, 0, 100);
	say_u32(&w->program, NGHTTP2_WINDOW_UPDATE, 1, 100);
	world_run(w);
	assert_int_equal(w->program.data, 65530 + strlen("and s3cr3t-of"));
	has(&w->program, "cr3t-of\nHEADERS 1 x-a=b end\n", "behind all");
	world_destroy(w);
}

static size_t held_with(const char *name)
{
	struct world *w = begin_answer(PLAIN, GET, F_END);
	size_t held;

	say_much(&w->host, 0, 1, 100000); /* more than the program's window, so that it waits */
	say_long_trailer(w, name, TRAILER_MOST / 2);
	held = two_held(&w->two);
	world_destroy(w);
	return held;
}

static void it_counts_as_what_is_held(void **state)
{
	(void)state;
	assert_true(held_with("x") >= held_with("date") + TRAILER_MOST / 2); /* which is dropped */
}

static void it_goes_with_its_stream(void **state)
{
	struct world *w = begin_answer(PLAIN, GET, F_END);

	(void)state;
	say_much(&w->host, 0, 1, 100000);
	say_headers(&w->host, END_BOTH, 1, "x-a=b");
	world_run(w);
	assert_int_equal(w->two.n_twins, 1);
	say_u32(&w->program, NGHTTP2_RST_STREAM, 1, 8);
	world_run(w);
	assert_int_equal(w->two.n_twins, 0);
	has_not(&w->program, "x-a", "reset");
	world_destroy(w);
}

/* ---- of requests ---- */

static void of_requests_nothing_arrives(void **state)
{
	static const char *const rows[] = { "x-up=1", "authorization=Bearer x", "grpc-status=0", "content-length=2",
					    "host=other.example" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct world *w = world_create(WITH_SECRET, "");

		world_run(w);
		say_headers(&w->program, F_HEADERS, 1, POST);
		say_data(&w->program, 0, 1, "up");
		say_headers(&w->program, END_BOTH, 1, rows[i]);
		world_run(w);
		has(&w->host, "DATA 1 up end\n", rows[i]);
		has_not(&w->host, "\nHEADERS 1 x", rows[i]);
		has_not(&w->host, "end\nHEADERS", rows[i]);
		has_not(&w->host, "Bearer x", rows[i]);
		has_not(&w->program, "RST", rows[i]);
		world_destroy(w);
	}
}

static void what_is_no_trailer_of_a_request_resets_it(void **state)
{
	static const struct {
		const char *fields;
		unsigned flags;
	} rows[] = {
		{ ":path=/b", END_BOTH }, { ":method=GET", END_BOTH },      { "X-A=b", END_BOTH },
		{ "x-up=1", F_HEADERS },  { "connection=close", END_BOTH }, { "transfer-encoding=chunked", END_BOTH },
		{ "te=gzip", END_BOTH },  { "content-length=3", END_BOTH },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct world *w = world_create(PLAIN, "");

		world_run(w);
		say_headers(&w->program, F_HEADERS, 1, POST);
		say_data(&w->program, 0, 1, "up");
		world_run(w);
		say_headers(&w->program, rows[i].flags, 1, rows[i].fields);
		world_run(w);
		has(&w->program, "RST 1 1\n", rows[i].fields);
		has(&w->host, "RST 1 1\n", rows[i].fields);
		has_not(&w->host, " end\n", rows[i].fields);
		assert_int_equal(w->two.n_twins, 0);
		world_destroy(w);
	}
}

static void a_document_ends_with_one_too(void **state)
{
	struct world *w = world_create("graphql='query viewer'", "");

	(void)state;
	world_run(w);
	say_headers(&w->program, F_HEADERS, 1, POST "|content-type=application/graphql");
	say_data(&w->program, 0, 1, "{ viewer }");
	say_headers(&w->program, END_BOTH, 1, "x-up=1");
	world_run(w);
	has(&w->host, "DATA 1 { viewer } end\n", "document");
	has_not(&w->host, "x-up", "trailer");
	world_destroy(w);
}

/* ---- streams in both directions ---- */

static void each_speaks_while_the_other_does(void **state)
{
	struct world *w = begin_answer(PLAIN, CALL, 0);

	(void)state;
	for (int i = 0; i < 5; i++) {
		const char c = "abcde"[i];
		const char text[] = { c, c, 0 };
		const char line[] = { 'D', 'A', 'T', 'A', ' ', '1', ' ', c, c, '\n', 0 };

		say_data(&w->program, 0, 1, text);
		world_run(w);
		has(&w->host, line, "up");
		say_data(&w->host, 0, 1, text);
		world_run(w);
		has(&w->program, line, "down");
	}
	say_frame(&w->program, NGHTTP2_DATA, F_END, 1, "", 0);
	world_run(w);
	has(&w->host, "DATA 1  end\n", "up");
	say_headers(&w->host, END_BOTH, 1, "grpc-status=0");
	world_run(w);
	has(&w->program, "HEADERS 1 grpc-status=0 end\n", "down");
	assert_int_equal(w->two.n_twins, 0);
	world_destroy(w);
}

/* As gRPC's servers end a call: a trailer, and that they want no more. */
static void a_host_ends_before_the_request_does(void **state)
{
	struct world *w = begin_answer(PLAIN, CALL, 0);

	(void)state;
	say_data(&w->program, 0, 1, "up");
	say_data(&w->host, 0, 1, "down");
	say_headers(&w->host, END_BOTH, 1, "grpc-status=9");
	world_run(w);
	has(&w->program, "DATA 1 down\nHEADERS 1 grpc-status=9 end\n", "answer");
	say_data(&w->program, 0, 1, "more"); /* it did not say that it wants none */
	world_run(w);
	has(&w->host, "DATA 1 more\n", "up");
	say_u32(&w->host, NGHTTP2_RST_STREAM, 1, 0);
	world_run(w);
	has(&w->program, "HEADERS 1 grpc-status=9 end\n", "answer");
	has(&w->program, "RST 1 0\n", "and then");
	say_data(&w->program, F_END, 1, "late");
	say_headers(&w->program, END_BOTH, 3, GET);
	world_run(w);
	has_not(&w->host, "late", "up");
	has(&w->host, "HEADERS 3", "the connection goes on");
	world_destroy(w);
}

static void an_answer_of_a_trailer_alone(void **state)
{
	struct world *w = world_create(PLAIN, "");

	(void)state;
	world_run(w);
	say_headers(&w->program, F_HEADERS, 1, CALL "|grpc-timeout=99m");
	say_data(&w->program, 0, 1, "up");
	world_run(w);
	has(&w->host, " content-type=application/grpc grpc-timeout=99m te=trailers\nDATA 1 up\n", "request");
	say_headers(&w->host, END_BOTH, 1,
		    ":status=200|content-type=application/grpc|grpc-status=5|grpc-message=no%20x");
	say_u32(&w->host, NGHTTP2_RST_STREAM, 1, 0);
	world_run(w);
	has(&w->program,
	    "HEADERS 1 :status=200 content-type=application/grpc grpc-status=5 grpc-message=no%20x end\nRST 1 0\n",
	    "answer");
	assert_int_equal(w->two.n_twins, 0);
	world_destroy(w);
}

static void codes_of_resets_pass(void **state)
{
	(void)state;
	for (uint32_t code = 1; code <= 13; code++) {
		struct world *w = begin_answer(PLAIN, CALL, 0);
		char line[32];

		(void)snprintf(line, sizeof line, "RST 1 %u\n", code);
		say_data(&w->host, 0, 1, "down");
		say_u32(&w->host, NGHTTP2_RST_STREAM, 1, code);
		world_run(w);
		has(&w->program, line, "of the host");
		world_destroy(w);
		w = begin_answer(PLAIN, CALL, 0);
		say_u32(&w->program, NGHTTP2_RST_STREAM, 1, code);
		world_run(w);
		has(&w->host, line, "of the program");
		world_destroy(w);
	}
}

/* A server that ends in good order lets what it took go on. */
static void calls_outlive_that_a_host_goes_away(void **state)
{
	static const uint8_t away[] = { 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0 };
	struct world *w = begin_answer(PLAIN, CALL, 0);

	(void)state;
	say_frame(&w->host, NGHTTP2_GOAWAY, 0, 0, away, sizeof away);
	world_run(w);
	has(&w->program, "GOAWAY 1 0\n", "told");
	say_data(&w->program, F_END, 1, "up");
	say_data(&w->host, 0, 1, "down");
	say_headers(&w->host, END_BOTH, 1, "grpc-status=0");
	world_run(w);
	has(&w->host, "DATA 1 up end\n", "up");
	has(&w->program, "DATA 1 down\nHEADERS 1 grpc-status=0 end\n", "down");
	world_destroy(w);
}

/* ---- refusing ---- */

struct refusals {
	const char *name, *terms, *fields, *body, *program;
};

#define STATUS(n) "HEADERS 1 :status=200 content-type=application/grpc grpc-status=" n " grpc-message="

static const struct refusals refusals[] = {
	{ "another method", PLAIN, OTHER_CALL, NULL,
	  STATUS("7") "POST /p.S/Drop is not granted%0Ahint: added to the http rules of the grant h.example:443, this one allows it: POST "
		      "/p.S/Drop end\n" },
	{ "of messages of protobuf", PLAIN, OTHER_CALL "+proto", NULL, STATUS("7") },
	{ "with a parameter", PLAIN, OTHER_CALL ";x=y", NULL, STATUS("7") },
	{ "in capitals", PLAIN,
	  ":method=POST|:scheme=https|:path=/b|:authority=h.example|content-type=Application/GRPC", NULL, STATUS("7") },
	{ "its path is encoded", PLAIN,
	  ":method=POST|:scheme=https|:path=/a%3Fb|:authority=h.example|content-type=application/grpc", NULL,
	  STATUS("7") "POST /a%253Fb is not granted%0A" },
	{ "gRPC's other protocol", PLAIN, OTHER_CALL "-web", NULL,
	  "HEADERS 1 :status=403 content-type=application/json" },
	{ "of another name", PLAIN, OTHER_CALL "x", NULL, "HEADERS 1 :status=403 content-type=application/json" },
	{ "its own credential", PLAIN, CALL "|authorization=Bearer x", NULL, STATUS("7") },
	{ "a path in two ways", PLAIN,
	  ":method=POST|:scheme=https|:path=/x/../a|:authority=h.example|content-type=application/grpc", NULL,
	  STATUS("3") },
	{ "another host", PLAIN,
	  ":method=POST|:scheme=https|:path=/a|:authority=o.example|content-type=application/grpc", NULL, STATUS("7") },
	{ "a document that cannot be judged", "graphql='query viewer'", CALL, NULL, STATUS("3") },
	{ "a credential in its body", PLAIN, CALL, token, STATUS("7") "its body has a credential in it" },
};

static void is_told_as_grpc_has_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		const struct refusals *r = &refusals[i];
		struct world *w = world_create(r->terms, "");

		world_run(w);
		say_headers(&w->program, F_HEADERS, 1, r->fields);
		world_run(w);
		if (r->body != NULL)
			say_data(&w->program, 0, 1, r->body);
		else
			has_not(&w->host, "HEADERS", r->name);
		world_run(w);
		has(&w->program, r->program, r->name);
		if (strstr(r->program, "grpc-status") != NULL)
			has_not(&w->program, "DATA", r->name);
		has(&w->program, "RST 1 0\n", r->name); /* the body is wanted no more */
		has_not(&w->host, token, r->name);
		assert_int_equal(w->counted_rule, -2);
		assert_int_not_equal(w->counted_status, 200); /* the record has why */
		world_destroy(w);
	}
}

static void spent_uses_and_lost_hosts_are_told_so_too(void **state)
{
	struct world *w = world_create(PLAIN, "");

	(void)state;
	world_run(w);
	w->judge.uses = 1;
	say_headers(&w->program, END_BOTH, 1, CALL);
	say_headers(&w->program, END_BOTH, 3, CALL);
	world_run(w);
	has(&w->program, "HEADERS 3 :status=200 content-type=application/grpc grpc-status=8 ", "uses");
	w->host.stream.ended = true;
	world_run(w);
	has(&w->program, STATUS("14"), "host");
	world_destroy(w);
}

/* What is passed already cannot be taken back: the rest is a status. */
static void a_credential_in_a_later_message(void **state)
{
	struct world *w = begin_answer(PLAIN, CALL, 0);

	(void)state;
	say_data(&w->program, 0, 1, "up ");
	say_data(&w->host, 0, 1, "down");
	world_run(w);
	say_data(&w->program, 0, 1, token);
	world_run(w);
	has(&w->host, "RST 1 8\n", "host");
	has_not(&w->host, token, "host");
	has(&w->program, "DATA 1 down\n", "what came before");
	has(&w->program, "HEADERS 1 grpc-status=7 grpc-message=its body has a credential in it", "status");
	has(&w->program, "RST 1 0\n", "and then");
	assert_int_equal(w->two.n_twins, 0);
	world_destroy(w);
	/* It has its status already. */
	w = begin_answer(PLAIN, CALL, 0);
	say_headers(&w->host, END_BOTH, 1, "grpc-status=0");
	world_run(w);
	say_data(&w->program, 0, 1, token);
	world_run(w);
	has(&w->host, "RST 1 8\n", "host");
	has_not(&w->program, "grpc-status=7", "a second status");
	has(&w->program, "RST 1 8\n", "program");
	world_destroy(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_passed_behind_the_body),
		cmocka_unit_test(what_has_no_place_there_is_dropped),
		cmocka_unit_test(without_a_body),
		cmocka_unit_test(what_must_not_be_kept_in_tables_stays_so),
		cmocka_unit_test(a_block_that_does_not_end_it_is_none),
		cmocka_unit_test(it_is_bounded),
		cmocka_unit_test(its_fields_are_bounded),
		cmocka_unit_test(it_waits_behind_what_waits),
		cmocka_unit_test(it_counts_as_what_is_held),
		cmocka_unit_test(it_goes_with_its_stream),
		cmocka_unit_test(of_requests_nothing_arrives),
		cmocka_unit_test(what_is_no_trailer_of_a_request_resets_it),
		cmocka_unit_test(a_document_ends_with_one_too),
		cmocka_unit_test(each_speaks_while_the_other_does),
		cmocka_unit_test(a_host_ends_before_the_request_does),
		cmocka_unit_test(an_answer_of_a_trailer_alone),
		cmocka_unit_test(codes_of_resets_pass),
		cmocka_unit_test(calls_outlive_that_a_host_goes_away),
		cmocka_unit_test(is_told_as_grpc_has_it),
		cmocka_unit_test(spent_uses_and_lost_hosts_are_told_so_too),
		cmocka_unit_test(a_credential_in_a_later_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
