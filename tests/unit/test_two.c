#include "two_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/form.h"
#include "two_says.h"

#define PLAIN "http='GET /a, POST /a'"
#define WITH_SECRET "http='GET /a, POST /a' secret='github as bearer'"
#define END_BOTH (F_END | F_HEADERS)

static unsigned times(struct side *s, const char *what)
{
	unsigned n = 0;

	for (const char *at = world_log(s); (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

static struct world *begin(const char *terms)
{
	struct world *w = world_create(terms, "");

	world_run(w);
	return w;
}

/* ---- requests ---- */

struct asks {
	const char *name, *terms, *fields;
	const char *host;    /* what it gets; NULL: no request */
	const char *program; /* NULL: no answer, no reset */
};

#define PSEUDO " :method=GET :scheme=https :authority=h.example :path=/a"

static const struct asks asks[] = {
	{ "as it is", PLAIN, GET, "HEADERS 1" PSEUDO " end\n", NULL },
	{ "a field", PLAIN, GET "|x-a=b", PSEUDO " x-a=b end", NULL },
	{ "its host once more", PLAIN, GET "|host=h.example", PSEUDO " end", NULL },
	{ "te: trailers", PLAIN, GET "|te=trailers|x-a=b", PSEUDO " x-a=b te=trailers end", NULL },
	{ "te: trailers, twice", PLAIN, GET "|te=trailers|te=Trailers", PSEUDO " te=trailers end", NULL },
	{ "a coding of gRPC's", PLAIN, GET "|grpc-accept-encoding=gzip", PSEUDO " grpc-accept-encoding=gzip end",
	  NULL },
	{ "a coding of gRPC's, and a secret", WITH_SECRET, GET "|grpc-accept-encoding=gzip|grpc-timeout=2S",
	  PSEUDO " grpc-timeout=2S accept-encoding=identity !authorization=Bearer " WORLD_SECRET " end", NULL },
	{ "with a query", "http='GET /a'", ":method=GET|:scheme=https|:path=/a?x=1|:authority=h.example",
	  ":path=/a?x=1 end", NULL },
	{ "in another order", PLAIN, ":authority=h.example|:path=/a|:method=GET|:scheme=https", PSEUDO " end", NULL },
	{ "a coding, without a secret", PLAIN, GET "|accept-encoding=gzip", PSEUDO " accept-encoding=gzip end", NULL },
	{ "a secret", WITH_SECRET, GET, PSEUDO " accept-encoding=identity !authorization=Bearer " WORLD_SECRET " end",
	  NULL },
	{ "a secret, and a coding", WITH_SECRET, GET "|accept-encoding=gzip",
	  PSEUDO " accept-encoding=identity !authorization=Bearer " WORLD_SECRET " end", NULL },
	{ "what stands for it", WITH_SECRET, GET "|authorization=Bearer ambit:github",
	  "!authorization=Bearer " WORLD_SECRET " end", NULL },
	{ "a secret as a parameter", "http='GET /a' secret='github as query:key'", GET, " !:path=/a?key=" WORLD_SECRET,
	  NULL },
	{ "a secret in a field of its own", "http='GET /a' secret='github as header:x-key'", GET,
	  " !x-key=" WORLD_SECRET " end", NULL },
	{ "its own credential", WITH_SECRET, GET "|authorization=Bearer x", NULL,
	  "HEADERS 1 :status=403 content-type=application/json" },
	{ "its own credential, without a secret", PLAIN, GET "|authorization=Bearer x", NULL, ":status=403" },
	{ "its own credential, replaced", "http='GET /a' secret='github as bearer' credentials=replace",
	  GET "|authorization=Bearer x", PSEUDO " accept-encoding=identity !authorization=Bearer " WORLD_SECRET " end",
	  NULL },
	{ "another path", PLAIN, ":method=GET|:scheme=https|:path=/b|:authority=h.example", NULL, ":status=403" },
	{ "a path that is read in two ways", PLAIN, ":method=GET|:scheme=https|:path=/x/../a|:authority=h.example",
	  NULL, ":status=400" },
	{ "another method", PLAIN, ":method=PUT|:scheme=https|:path=/a|:authority=h.example", NULL, ":status=403" },
	{ "another host", PLAIN, ":method=GET|:scheme=https|:path=/a|:authority=other.example", NULL, ":status=421" },
	{ "another port", PLAIN, ":method=GET|:scheme=https|:path=/a|:authority=h.example:8443", NULL, ":status=421" },
	{ "two hosts", PLAIN, GET "|host=other.example", NULL, ":status=400" },
	{ "a host and no authority", PLAIN, ":method=GET|:scheme=https|:path=/a|host=h.example", NULL, ":status=400" },
	{ "plain", PLAIN, ":method=GET|:scheme=http|:path=/a|:authority=h.example", NULL, ":status=400" },
	{ "a whole address", PLAIN, ":method=GET|:scheme=https|:path=https://h.example/a|:authority=h.example", NULL,
	  "RST 1 1" },
	{ "a star", PLAIN, ":method=OPTIONS|:scheme=https|:path=*|:authority=h.example", NULL, ":status=400" },
	{ "no method", PLAIN, ":scheme=https|:path=/a|:authority=h.example", NULL, "RST 1 1" },
	{ "no path", PLAIN, ":method=GET|:scheme=https|:authority=h.example", NULL, "RST 1 1" },
	{ "an empty path", PLAIN, ":method=GET|:scheme=https|:path=|:authority=h.example", NULL, "RST 1 1" },
	{ "no scheme", PLAIN, ":method=GET|:path=/a|:authority=h.example", NULL, "RST 1 1" },
	{ "two paths", PLAIN, GET "|:path=/a", NULL, "RST 1 1" },
	{ "a pseudo-field after a field", PLAIN, ":method=GET|x=y|:scheme=https|:path=/a|:authority=h.example", NULL,
	  "RST 1 1" },
	{ "an unknown pseudo-field", PLAIN, GET "|:other=x", NULL, "RST 1 1" },
	{ "one of an answer", PLAIN, GET "|:status=200", NULL, "RST 1 1" },
	{ "capitals", PLAIN, GET "|X-A=b", NULL, "RST 1 1" },
	{ "a name with a blank", PLAIN, GET "|x a=b", NULL, ":status=400" },
	{ "a name with a colon", PLAIN, GET "|x:a=b", NULL, ":status=400" },
	{ "a value with a line's end", PLAIN, GET "|x=a\r\ny: b", NULL, ":status=400" },
	{ "connection", PLAIN, GET "|connection=close", NULL, "RST 1 1" },
	{ "keep-alive", PLAIN, GET "|keep-alive=1", NULL, "RST 1 1" },
	{ "proxy-connection", PLAIN, GET "|proxy-connection=close", NULL, "RST 1 1" },
	{ "transfer-encoding", PLAIN, GET "|transfer-encoding=chunked", NULL, "RST 1 1" },
	{ "upgrade", PLAIN, GET "|upgrade=websocket", NULL, "RST 1 1" },
	{ "te", PLAIN, GET "|te=gzip", NULL, "RST 1 1" },
	{ "a length of what is not there", PLAIN, POST "|content-length=5", NULL, "RST 1 1" },
	{ "two lengths", PLAIN, GET "|content-length=0|content-length=0", NULL, "RST 1 1" },
	{ "a length that is none", PLAIN, GET "|content-length=+0", NULL, "RST 1 1" },
	{ "CONNECT", PLAIN, ":method=CONNECT|:authority=h.example", NULL, ":status=400" },
	{ "CONNECT of a protocol", PLAIN,
	  ":method=CONNECT|:scheme=https|:path=/a|:authority=h.example|:protocol=websocket", NULL, "RST 1 1" },
	{ "TRACE", PLAIN, ":method=TRACE|:scheme=https|:path=/a|:authority=h.example", NULL, ":status=4" },
};

static void is_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++) {
		const struct asks *a = &asks[i];
		struct world *w = begin(a->terms);

		say_headers(&w->program, END_BOTH, 1, a->fields);
		world_run(w);
		if (a->host != NULL)
			has(&w->host, a->host, a->name);
		else
			has_not(&w->host, "HEADERS", a->name);
		if (a->program != NULL)
			has(&w->program, a->program, a->name);
		else
			has_not(&w->program, "HEADERS", a->name);
		if (a->host == NULL)
			has_not(&w->host, WORLD_SECRET, a->name);
		/* The connection goes on. */
		say_headers(&w->program, END_BOTH, 3, GET "|x-after=1");
		world_run(w);
		has(&w->host, "x-after=1", a->name);
		world_destroy(w);
	}
}

static void refusal_has_its_words(void **state)
{
	struct world *w = begin(PLAIN);

	(void)state;
	say_headers(&w->program, END_BOTH, 1, ":method=GET|:scheme=https|:path=/b|:authority=h.example");
	world_run(w);
	has(&w->program, "DATA 1 {\"error\":{\"code\":", "body");
	has(&w->program, "GET /b is not granted", "body");
	has(&w->program, "}\n end", "its end");
	assert_int_equal(w->counted, 1);
	assert_int_equal(w->counted_rule, -2);
	assert_int_equal(w->counted_status, 403);
	/* Of HEAD there is none. */
	say_headers(&w->program, END_BOTH, 3, ":method=HEAD|:scheme=https|:path=/b|:authority=h.example");
	world_run(w);
	has(&w->program, "HEADERS 3 :status=403", "head");
	has_not(&w->program, "DATA 3", "head");
	world_destroy(w);
}

/* And the next stream of another program is told as that understands it. */
static void git_is_told_as_it_reads(void **state)
{
	static const char push[] =
		":method=POST|:scheme=https|:path=/b/git-receive-pack|:authority=h.example|user-agent=git/2.39.5"
		"|content-type=application/x-git-receive-pack-request";
	struct world *w = begin(PLAIN);

	(void)state;
	say_headers(&w->program, END_BOTH, 1, push);
	world_run(w);
	has(&w->program, "HEADERS 1 :status=200 content-type=application/x-git-receive-pack-result", "head");
	has(&w->program, "ERR POST /b/git-receive-pack is not granted", "body");
	has_not(&w->host, "HEADERS", "host");
	assert_int_equal(w->counted_rule, -2);
	assert_int_equal(w->counted_status, 403);
	say_headers(&w->program, END_BOTH, 3, ":method=GET|:scheme=https|:path=/b|:authority=other.example");
	world_run(w);
	has(&w->program, "HEADERS 3 :status=421 content-type=application/json", "another");
	world_destroy(w);
}

/* One verdict serves all streams, and all connections: who reads the answer is each one's own. */
static void what_fails_later_is_told_to_who_asked(void **state)
{
	struct world *w = begin(PLAIN);

	(void)state;
	say_headers(&w->program, F_HEADERS, 1, POST);
	world_run(w);
	say_headers(&w->program, END_BOTH, 3,
		    ":method=POST|:scheme=https|:path=/b/git-upload-pack|:authority=h.example|user-agent=git/2.39.5"
		    "|content-type=application/x-git-upload-pack-request");
	world_run(w);
	has(&w->program, "HEADERS 3 :status=200 content-type=application/x-git-upload-pack-result", "git");
	say_data(&w->program, 0, 1, "ghp_0123456789abcdefghijklmnopqrstuvwxyz");
	world_run(w);
	has(&w->program, "HEADERS 1 :status=403 content-type=application/json", "the other");
	world_destroy(w);
}

static void uses_are_spent(void **state)
{
	struct world *w = begin(PLAIN);

	(void)state;
	w->judge.uses = 1;
	say_headers(&w->program, END_BOTH, 1, GET);
	say_headers(&w->program, END_BOTH, 3, GET);
	world_run(w);
	has(&w->host, "HEADERS 1", "the first");
	has_not(&w->host, "HEADERS 3", "the second");
	has(&w->program, "HEADERS 3 :status=429", "the second");
	world_destroy(w);
}

static void a_rate_is_of_requests(void **state)
{
	struct world *w = begin(PLAIN);

	(void)state;
	rate_init(&w->judge.rate, 1, 60000, 0);
	say_headers(&w->program, END_BOTH, 1, GET);
	say_headers(&w->program, END_BOTH, 3, GET);
	world_run(w);
	has(&w->host, "HEADERS 1", "the first");
	has_not(&w->host, "HEADERS 3", "the second");
	has(&w->program, "HEADERS 3 :status=429", "the second");
	has(&w->program, "retry-after=60", "the second");
	world_destroy(w);
}

static void large_head(void **state)
{
	static char fields[96 << 10];
	struct world *w = begin(PLAIN);

	(void)state;
	strcpy(fields, GET);
	for (int i = 0; i < 2; i++) /* below */
		strcat(strcat(fields, "|x="), "y");
	say_headers(&w->program, END_BOTH, 1, fields);
	world_run(w);
	has(&w->host, "x=y x=y end", "small");
	for (int i = 0; i < 124; i++)
		strcat(fields, "|x=y");
	say_headers(&w->program, END_BOTH, 3, fields);
	strcat(fields, "|x=y|x=y|x=y");
	say_headers(&w->program, END_BOTH, 5, fields);
	world_run(w);
	has(&w->host, "HEADERS 3", "126 fields");
	has_not(&w->host, "HEADERS 5", "129 fields");
	has(&w->program, "HEADERS 5 :status=4", "129 fields");
	world_destroy(w);
}

/* In pieces, as a frame has 16 KiB at most. */
static void say_long(struct world *w, uint32_t id, size_t n)
{
	static const char name[] = "\0\1x";
	uint8_t block[4 + 3];
	static char much[16000];

	memset(much, 'y', sizeof much);
	say_headers(&w->program, F_END, id, GET);
	for (; n > 0; n -= sizeof much) {
		const size_t rest = sizeof much - 127;

		memcpy(block, name, 3);
		block[3] = 127;
		block[4] = (uint8_t)(rest % 128 + 128);
		block[5] = (uint8_t)(rest / 128);
		auto_buf b;
		buf_init(&b, 20000);
		buf_put(&b, block, 6);
		buf_put(&b, much, sizeof much);
		say_frame(&w->program, NGHTTP2_CONTINUATION, n == sizeof much ? F_HEADERS : 0, id, b.data, b.len);
	}
}

static void long_head(void **state)
{
	struct world *w = begin(PLAIN);

	(void)state;
	say_long(w, 1, 16000 * 4);
	say_long(w, 3, 16000);
	world_run(w);
	has(&w->host, "HEADERS 1", "below 64 KiB");
	say_long(w, 5, 16000 * 5);
	say_headers(&w->program, END_BOTH, 7, GET);
	world_run(w);
	has(&w->program, "HEADERS 5 :status=431", "above");
	assert_int_equal(times(&w->host, "HEADERS"), 3);
	world_destroy(w);
}

/* ---- answers ---- */

struct answers {
	const char *name, *fields, *body, *program;
};

static const struct answers answers[] = {
	{ "plain", ":status=200|x=y", "hello", "HEADERS 1 :status=200 x=y\nDATA 1 hello end\n" },
	{ "a length", ":status=200|content-length=5", "hello",
	  "HEADERS 1 :status=200 content-length=5\nDATA 1 hello end\n" },
	{ "none", ":status=204", NULL, "HEADERS 1 :status=204 end\n" },
	{ "the secret in a field", ":status=302|location=/?t=" WORLD_SECRET "&u", NULL,
	  "HEADERS 1 :status=302 location=/?t=*******************&u end\n" },
	{ "the secret in the body", ":status=200", "a " WORLD_SECRET " b", "DATA 1 a ******************* b end\n" },
	{ "its beginning at the end", ":status=200", "a s3cr3t-of", "a s3cr3t-of" },
	{ "a field of the hop", ":status=200|upgrade=h2c|x=y", "z", "RST 1 1" },
	{ "no status", "x=y", "z", "RST 1 1" },
	{ "a status of another form", ":status=2x0", "z", "RST 1 1" },
	{ "101", ":status=101", "z", "RST 1 1" },
	{ "a length that is not its", ":status=200|content-length=4", "hello", "RST 1 1" },
	{ "capitals", ":status=200|X=y", "z", "RST 1 1" },
};

static void is_passed_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		const struct answers *a = &answers[i];
		struct world *w = begin(WITH_SECRET);

		say_headers(&w->program, END_BOTH, 1, GET);
		world_run(w);
		say_headers(&w->host, a->body == NULL ? END_BOTH : F_HEADERS, 1, a->fields);
		if (a->body != NULL)
			say_data(&w->host, F_END, 1, a->body);
		world_run(w);
		has(&w->program, a->program, a->name);
		has_not(&w->program, WORLD_SECRET, a->name);
		if (strstr(a->program, "RST") == NULL)
			assert_int_equal(w->counted_rule, 0);
		say_headers(&w->program, END_BOTH, 3, GET);
		world_run(w);
		has(&w->host, "HEADERS 3", a->name);
		world_destroy(w);
	}
}

static void masks_across_frames(void **state)
{
	struct world *w = begin(WITH_SECRET);

	(void)state;
	say_headers(&w->program, END_BOTH, 1, GET);
	say_headers(&w->program, END_BOTH, 3, GET);
	world_run(w);
	say_headers(&w->host, F_HEADERS, 1, ":status=200");
	say_headers(&w->host, F_HEADERS, 3, ":status=200");
	for (const char *at = WORLD_SECRET; *at != 0;
	     at++) { /* two bodies by turns, so that each has a mask of its own */
		say_data(&w->host, 0, 1, (char[]){ *at, 0 });
		say_data(&w->host, 0, 3, "s");
	}
	say_data(&w->host, F_END, 1, "");
	say_data(&w->host, F_END, 3, "");
	world_run(w);
	assert_int_equal(times(&w->program, "*"), strlen(WORLD_SECRET));
	assert_int_equal(w->program.data, 2 * strlen(WORLD_SECRET));
	world_destroy(w);
}

/* A host says `first` on stream 1; WAITS ms later the program has as much, and all once the rest came, covered or not. */
static void mask_waits(void **state)
{
	static const struct {
		const char *name, *type, *first;
		unsigned waits_ms;
		size_t has; /* the program, then */
		const char *rest;
		unsigned covered;
	} rows[] = {
		{ "text", "text/plain", "0123456789 0123456789 ", 999, 4, "0", 0 },
		{ "as much of the secret", "text/plain", "012s3cr3t-of-the-grant", 999, 4, "0", 19 },
		{ "and of its beginning", "text/plain", "0123s3cr3t-of-the-gran", 999, 4, "t", 19 },
		{ "it pauses", "text/plain", "0123s3cr3t-of-the-gran", 1000, 22, "t", 1 },
		{ "text, and it pauses", "text/plain", "0123456789 0123456789 ", 1000, 22, "t", 0 },
		{ "lines", "text/event-stream", "data: s3cr3t-of\n\n", 0, 17, "-the-grant", 0 },
		{ "a line that is not over", "text/event-stream", "data: 1\n\ns3cr3t-", 0, 9, "of-the-grant", 19 },
		{ "a message", "application/grpc", "\1\1\1\1\x0bs3cr3t-of-t", 0, 5, "he-grant", 19 }, /* 16 MiB */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct world *w = begin(WITH_SECRET);
		char head[64] = ":status=200|content-type=";

		w->parts.now_ms = 5000;
		say_headers(&w->program, END_BOTH, 1, GET);
		world_run(w);
		say_headers(&w->host, F_HEADERS, 1, strcat(head, rows[i].type));
		say_data(&w->host, 0, 1, rows[i].first);
		world_run(w);
		w->parts.now_ms += rows[i].waits_ms;
		world_run(w);
		if (w->program.data != rows[i].has)
			fail_msg("%s: %zu", rows[i].name, w->program.data);
		say_data(&w->host, F_END, 1, rows[i].rest);
		world_run(w);
		assert_int_equal(w->program.data, strlen(rows[i].first) + strlen(rows[i].rest));
		if (times(&w->program, "*") != rows[i].covered)
			fail_msg("%s: %s", rows[i].name, world_log(&w->program));
		assert_int_equal(two_wakes(&w->two), UINT64_MAX);
		world_destroy(w);
	}
}

/* A message that is whole is there, without its end or a pause. */
static void a_message_is_not_waited_for(void **state)
{
	static const uint8_t message[] = { 0, 0, 0, 0, 5, 'h', 'e', 'l', 'l', 'o', 0, 0 };
	struct world *w = begin(WITH_SECRET);

	(void)state;
	say_headers(&w->program, END_BOTH, 1, GET);
	world_run(w);
	say_headers(&w->host, F_HEADERS, 1, ":status=200|content-type=application/grpc+proto");
	say_frame(&w->host, NGHTTP2_DATA, 0, 1, message, 10);
	world_run(w);
	assert_int_equal(w->program.data, 10);
	assert_int_equal(two_wakes(&w->two), UINT64_MAX);
	say_frame(&w->host, NGHTTP2_DATA, 0, 1, message, 9); /* one less */
	world_run(w);
	assert_int_equal(w->program.data, 15); /* its head has breaks */
	assert_int_equal(two_wakes(&w->two), MASK_PAUSE_MS);
	world_destroy(w);
}

static void a_pause_is_since_the_last_byte(void **state)
{
	struct world *w = begin(WITH_SECRET);

	(void)state;
	say_headers(&w->program, END_BOTH, 1, GET);
	world_run(w);
	say_headers(&w->host, F_HEADERS, 1, ":status=200");
	for (unsigned i = 0; i < 5; i++) {
		say_data(&w->host, 0, 1, "abc");
		world_run(w);
		w->parts.now_ms += MASK_PAUSE_MS - 1;
		world_run(w);
		assert_int_equal(w->program.data, 0);
	}
	w->parts.now_ms++;
	world_run(w);
	assert_int_equal(w->program.data, 15);
	world_destroy(w);
}

/* Nobody wakes for what is held of a host that is gone. */
static void a_host_that_goes_is_not_waited_for(void **state)
{
	struct world *w = begin(WITH_SECRET);

	(void)state;
	say_headers(&w->program, END_BOTH, 1, GET);
	world_run(w);
	say_headers(&w->host, F_HEADERS, 1, ":status=200");
	say_data(&w->host, 0, 1, "s3cr3t-");
	world_run(w);
	assert_int_equal(two_wakes(&w->two), MASK_PAUSE_MS);
	w->host.stream.ended = true;
	world_run(w);
	assert_int_equal(two_wakes(&w->two), UINT64_MAX);
	assert_int_equal(w->program.data, 0);
	world_destroy(w);
}

/* A program that takes no more of one stream makes no pause in another: the host may have had no window. */
static void who_stops_reading_makes_no_pause(void **state)
{
	struct world *w = begin(WITH_SECRET);

	(void)state;
	w->parts.now_ms = 5000;
	say_headers(&w->program, END_BOTH, 1, GET);
	say_headers(&w->program, END_BOTH, 3, GET);
	world_run(w);
	say_headers(&w->host, F_HEADERS, 1, ":status=200");
	say_headers(&w->host, F_HEADERS, 3, ":status=200");
	for (unsigned i = 0; i < 5; i++) /* more than the program's window of a stream */
		say_much(&w->host, 0, 3, 16384);
	say_data(&w->host, 0, 1, "s3cr3t-of-");
	world_run(w);
	assert_int_equal(w->program.data, 65535);
	for (unsigned i = 0; i < 5; i++) {
		w->parts.now_ms += 10 * MASK_PAUSE_MS;
		world_run(w);
	}
	assert_int_equal(w->program.data, 65535);
	assert_int_equal(two_wakes(&w->two), w->parts.now_ms + MASK_PAUSE_MS);
	say_u32(&w->program, NGHTTP2_WINDOW_UPDATE, 0, 1u << 20);
	say_u32(&w->program, NGHTTP2_WINDOW_UPDATE, 3, 1u << 20);
	world_run(w);
	assert_int_equal(w->program.data, 5 * 16384 - (strlen(WORLD_SECRET) - 1));
	w->parts.now_ms += MASK_PAUSE_MS - 1;
	world_run(w);
	assert_int_equal(w->program.data, 5 * 16384 - (strlen(WORLD_SECRET) - 1));
	say_data(&w->host, F_END, 1, "the-grant");
	world_run(w);
	assert_int_equal(times(&w->program, "*"), strlen(WORLD_SECRET));
	world_destroy(w);
}

static void hints_are_dropped(void **state)
{
	struct world *w = begin(PLAIN);

	(void)state;
	say_headers(&w->program, END_BOTH, 1, GET);
	world_run(w);
	say_headers(&w->host, F_HEADERS, 1, ":status=100");
	say_headers(&w->host, F_HEADERS, 1, ":status=103|link=x");
	say_headers(&w->host, F_HEADERS, 1, ":status=200");
	say_data(&w->host, F_END, 1, "down");
	world_run(w);
	has(&w->program, "HEADERS 1 :status=200\nDATA 1 down end\n", "answer");
	assert_int_equal(times(&w->program, "HEADERS"), 1);
	world_destroy(w);
}

static void continue_is_ours(void **state)
{
	struct world *w = begin(PLAIN);

	(void)state;
	say_headers(&w->program, F_HEADERS, 1, POST "|expect=100-continue");
	world_run(w);
	has(&w->program, "HEADERS 1 :status=100\n", "word");
	has_not(&w->host, "expect", "word");
	say_data(&w->program, F_END, 1, "x");
	say_headers(&w->host, END_BOTH, 1, ":status=200");
	world_run(w);
	has(&w->program, "HEADERS 1 :status=200 end", "answer");
	world_destroy(w);
}

/* ---- bodies ---- */

static void body_with_a_length(void **state)
{
	struct world *w = begin(PLAIN);

	(void)state;
	say_headers(&w->program, F_HEADERS, 1, POST "|content-length=4");
	say_data(&w->program, 0, 1, "ab");
	say_data(&w->program, F_END, 1, "cd");
	say_headers(&w->program, F_HEADERS, 3, POST "|content-length=4");
	world_run(w);
	say_data(&w->program, F_END, 3, "abc");
	say_headers(&w->program, F_HEADERS, 5, POST "|content-length=4");
	world_run(w);
	say_data(&w->program, 0, 5, "abcde");
	world_run(w);
	has(&w->host, "content-length=4", "length");
	has(&w->host, "DATA 1 abcd end", "whole");
	has_not(&w->host, "abc end", "too short");
	has_not(&w->host, "abcde end", "too long");
	has(&w->program, "RST 3 1", "too short");
	has(&w->program, "RST 5 1", "too long");
	has(&w->host, "RST 3", "too short");
	has(&w->host, "RST 5", "too long");
	assert_int_equal(w->two.n_twins, 1);
	say_headers(&w->program, F_HEADERS, 7, POST "|content-length=4"); /* at once: the host sees nothing of it */
	say_data(&w->program, F_END, 7, "abc");
	world_run(w);
	assert_int_equal(w->two.n_twins, 1);
	world_destroy(w);
}

static void credential_in_a_body(void **state)
{
	struct world *w = begin(PLAIN);
	static const char token[] = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";

	(void)state;
	say_headers(&w->program, F_HEADERS, 1, POST);
	say_data(&w->program, 0, 1, "ghp_01234567");
	world_run(w);
	say_data(&w->program, 0, 1, token + 12);
	world_run(w);
	has(&w->host, "RST 1 8", "host");
	has(&w->program, "HEADERS 1 :status=403", "program");
	has(&w->program, "RST 1 0", "program");
	has_not(&w->host, token + 12, "host");
	/* Once it is answered, it can only be broken off. */
	say_headers(&w->program, F_HEADERS, 3, POST);
	world_run(w);
	say_headers(&w->host, F_HEADERS, 3, ":status=200");
	world_run(w);
	say_data(&w->program, F_END, 3, token);
	world_run(w);
	has(&w->program, "RST 3 8", "program");
	has(&w->host, "RST 3 8", "host");
	has_not(&w->host, token, "host");
	world_destroy(w);
	/* It passes where credentials do. */
	w = begin("http='POST /a' credentials=pass");
	say_headers(&w->program, F_HEADERS, 1, POST);
	say_data(&w->program, F_END, 1, token);
	world_run(w);
	has(&w->host, token, "passes");
	world_destroy(w);
}

static void document_is_judged(void **state)
{
	static const struct {
		const char *name, *fields, *body, *host, *program;
	} rows[] = {
		{ "granted", POST "|content-type=application/json", "{\"query\":\"{ viewer }\"}",
		  "DATA 1 {\"query\":\"{ viewer }\"} end", NULL },
		{ "another field", POST "|content-type=application/json", "{\"query\":\"{ other }\"}", NULL,
		  ":status=403" },
		{ "another type", POST "|content-type=text/plain", "{ viewer }", NULL, ":status=415" },
		{ "two types", POST "|content-type=application/json|content-type=application/graphql", "{ viewer }",
		  NULL, ":status=415" },
		{ "encoded", POST "|content-type=application/json|content-encoding=gzip", "x", NULL, ":status=415" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct world *w = begin("graphql='query viewer' secret='github as bearer'");

		say_headers(&w->program, F_HEADERS, 1, rows[i].fields);
		world_run(w);
		has_not(&w->host, "HEADERS", rows[i].name);
		say_data(&w->program, F_END, 1, rows[i].body);
		world_run(w);
		if (rows[i].host != NULL)
			has(&w->host, rows[i].host, rows[i].name);
		else
			has_not(&w->host, "HEADERS", rows[i].name);
		if (rows[i].host != NULL)
			has(&w->host, "!authorization=Bearer " WORLD_SECRET " content-length=22", rows[i].name);
		if (rows[i].program != NULL)
			has(&w->program, rows[i].program, rows[i].name);
		world_destroy(w);
	}
}

#define WITH_FORM "http='GET /a, POST /a' secret='github as form:token'"
#define FORM POST "|content-type=application/x-www-form-urlencoded"
#define WRITTEN "token=" WORLD_SECRET

static void form_has_the_secret(void **state)
{
	static const struct {
		const char *name, *fields, *body, *host, *program;
	} rows[] = {
		{ "a form", FORM, "a=b", " content-length=29\nDATA 1 a=b&" WRITTEN " end", NULL },
		{ "its type", FORM "; charset=utf-8|x=y", "",
		  ":path=/a x=y content-type=application/x-www-form-urlencoded accept-encoding=identity content-length=25\nDATA 1 " WRITTEN
		  " end",
		  NULL },
		{ "no body", FORM, NULL, "DATA 1 " WRITTEN " end", NULL },
		{ "what stands for it", FORM "|content-length=21", "token=ambit:github&a=", "DATA 1 a=&" WRITTEN " end",
		  NULL },
		{ "a question", GET, NULL, ":path=/a accept-encoding=identity end", NULL },
		{ "a question with a body", GET, "x", NULL, ":status=415" },
		{ "no type", POST, "a=b", NULL, ":status=415" },
		{ "another type", POST "|content-type=application/json", "{}", NULL, ":status=415" },
		{ "another charset", FORM "; charset=utf-16", "a=b", NULL, ":status=415" },
		{ "two types", FORM "|content-type=text/plain", "a=b", NULL, ":status=415" },
		{ "two types for some", FORM "|content_type=text/plain", "a=b", NULL, ":status=415" },
		{ "encoded", FORM "|content-encoding=gzip", "x", NULL, ":status=415" },
		{ "its own", FORM, "token=x", NULL, ":status=403" },
		{ "no form", FORM, "a b", NULL, ":status=400" },
		{ "a token", FORM, "a=ghp_0123456789abcdefghijklmnopqrstuvwxyz", NULL, ":status=403" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct world *w = begin(WITH_FORM);

		say_headers(&w->program, rows[i].body == NULL ? END_BOTH : F_HEADERS, 1, rows[i].fields);
		if (rows[i].body != NULL)
			say_data(&w->program, F_END, 1, rows[i].body);
		world_run(w);
		if (rows[i].host != NULL)
			has(&w->host, rows[i].host, rows[i].name);
		else
			has_not(&w->host, "HEADERS", rows[i].name);
		if (rows[i].program != NULL)
			has(&w->program, rows[i].program, rows[i].name);
		else
			has_not(&w->program, "HEADERS", rows[i].name);
		has_not(&w->program, WORLD_SECRET, rows[i].name);
		world_destroy(w);
	}
}

/* Parameters are judged as the form is written, and not before. */
static void form_is_judged_by_its_writer(void **state)
{
	struct world *w = begin(WITH_FORM " credentials=replace");

	(void)state;
	say_headers(&w->program, F_HEADERS, 1, FORM);
	say_data(&w->program, F_END, 1, "client_secret=x&token=y&a=b");
	world_run(w);
	has(&w->host, "DATA 1 a=b&" WRITTEN " end", "left out");
	world_destroy(w);
}

static void forms_are_bounded(void **state)
{
	struct world *w = begin(WITH_FORM);
	size_t n = 0;

	(void)state;
	say_headers(&w->program, F_HEADERS, 1, FORM);
	say_much(&w->program, 0, 1, FORM_BODY_MAX);
	world_run(w);
	has_not(&w->program, ":status", "at the bound");
	say_much(&w->program, 0, 1, 1);
	world_run(w);
	has(&w->program, "HEADERS 1 :status=413", "beyond");
	has_not(&w->host, "HEADERS", "beyond");
	for (uint32_t id = 3; id <= 2 * TWO_STREAMS_MAX; id += 2) {
		say_headers(&w->program, F_HEADERS, id, FORM);
		say_much(&w->program, 0, id, FORM_BODY_MAX - 1);
		world_run(w);
		assert_true(w->two.gathered <= TWO_GATHERED_MAX + FORM_BODY_MAX);
		n++;
	}
	assert_true(n > TWO_GATHERED_MAX / FORM_BODY_MAX);
	has(&w->program, ":status=413", "all together");
	world_destroy(w);
}

/* What is written is longer than what was sent, and waits as long as the host takes nothing. */
static void written_forms_are_bounded_together(void **state)
{
	struct world *w = begin(WITH_FORM);
	static char parameter[8001];

	(void)state;
	memset(parameter, ';', sizeof parameter - 1);
	parameter[sizeof parameter - 2] = '&';
	for (uint32_t id = 1; id < 80; id += 2) {
		say_headers(&w->program, F_HEADERS, id, FORM);
		for (int i = 0; i < 8; i++)
			say_data(&w->program, i == 7 ? F_END : 0, id, parameter);
		world_run(w);
		assert_true(w->two.gathered <= TWO_GATHERED_MAX);
	}
	has(&w->host, "HEADERS 1 ", "one");
	has(&w->program, ":status=413", "and one too many");
	world_destroy(w);
}

/* What is not yet sent when its stream ends counts no more. */
static void form_that_waits_is_given_up(void **state)
{
	struct world *w = begin(WITH_FORM);
	const size_t none = w->two.gathered;
	static char parameters[15001];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof parameters; i += 3)
		memcpy(parameters + i, ";=&", 4);
	say_headers(&w->program, F_HEADERS, 1, FORM);
	for (int i = 0; i < 4; i++)
		say_data(&w->program, i == 3 ? F_END : 0, 1, parameters);
	world_run(w);
	assert_int_equal(w->host.data, 65535); /* its window: of 100,000 bytes that are written */
	assert_true(w->two.gathered > none + 100000);
	say_u32(&w->program, NGHTTP2_RST_STREAM, 1, NGHTTP2_CANCEL);
	world_run(w);
	has(&w->host, "RST 1", "given up");
	assert_int_equal(w->two.gathered, none);
	assert_int_equal(w->two.n_twins, 0);
	world_destroy(w);
}

static void document_is_bounded(void **state)
{
	struct world *w = begin("graphql='query viewer'");

	(void)state;
	for (uint32_t id = 1; id <= 9; id += 2)
		say_headers(&w->program, F_HEADERS, id, POST "|content-type=application/json");
	for (size_t n = 0; n < GRAPHQL_BODY_MAX; n += 64 << 10) {
		say_much(&w->program, 0, 1, 64 << 10);
		world_run(w);
	}
	has_not(&w->program, ":status=413", "at the bound");
	say_much(&w->program, 0, 1, 1);
	world_run(w);
	has(&w->program, "HEADERS 1 :status=413", "beyond");
	has(&w->program, "RST 1 0", "beyond");
	assert_true(w->two.gathered < TWO_GATHERED_MAX);
	world_destroy(w);
}

static void documents_are_bounded_together(void **state)
{
	struct world *w = begin("graphql='query viewer'");

	(void)state;
	for (uint32_t id = 1; id <= 9; id += 2) {
		say_headers(&w->program, F_HEADERS, id, POST "|content-type=application/json");
		for (size_t n = 0; n < 15; n++) {
			say_much(&w->program, 0, id, 64 << 10);
			world_run(w);
			assert_true(w->two.gathered <= TWO_GATHERED_MAX + (64 << 10));
		}
	}
	has_not(&w->program, "HEADERS 7", "four");
	has(&w->program, "HEADERS 9 :status=413", "and a fifth");
	world_destroy(w);
}

/* ---- windows ---- */

static void window_is_given_back_when_bytes_leave(void **state)
{
	struct world *w = begin(PLAIN);

	(void)state;
	world_forget(w);
	say_headers(&w->program, F_HEADERS, 1, POST);
	say_much(&w->program, 0, 1, 65535);
	world_run(w);
	assert_int_equal(w->host.data, 65535); /* as the host's window has it */
	has(&w->program, "WINDOW 1 ", "they left");
	world_forget(w);
	say_much(&w->program, 0, 1, 32768); /* so much was given back */
	world_run(w);
	assert_int_equal(w->host.data, 0);
	has_not(&w->program, "WINDOW 1 ", "they wait");
	assert_true(two_held(&w->two) > 32768 + sizeof w->two);
	say_u32(&w->host, NGHTTP2_WINDOW_UPDATE, 0, 65535);
	say_u32(&w->host, NGHTTP2_WINDOW_UPDATE, 1, 65535);
	world_run(w);
	assert_int_equal(w->host.data, 32768);
	has(&w->program, "WINDOW 1 ", "they left, too");
	world_destroy(w);
}

static void more_than_a_window_ends_it(void **state)
{
	struct world *w = begin(PLAIN);

	(void)state;
	say_headers(&w->program, F_HEADERS, 1, POST);
	say_much(&w->program, 0, 1, 65535);
	world_run(w);
	say_much(&w->program, 0, 1, 65535);
	world_run(w);
	say_much(&w->program, 0, 1, 16384);
	world_run(w);
	has(&w->program, "1 3", "flow control"); /* of the stream, or of all */
	world_destroy(w);
}

static void slow_stream_stops_no_other(void **state)
{
	struct world *w = begin(PLAIN);

	(void)state;
	say_u32(&w->program, NGHTTP2_WINDOW_UPDATE, 0, 1 << 20);
	say_headers(&w->program, END_BOTH, 1, GET);
	say_headers(&w->program, END_BOTH, 3, GET);
	world_run(w);
	say_headers(&w->host, F_HEADERS, 1, ":status=200");
	say_headers(&w->host, F_HEADERS, 3, ":status=200");
	world_run(w);
	say_frame(&w->host, NGHTTP2_SETTINGS, 1, 0, NULL, 0);
	for (int i = 0; i < 8; i++) {
		say_much(&w->host, 0, 1, 64 << 10);
		world_run(w);
	}
	assert_int_equal(w->program.data, 65535); /* its window */
	has_not(&w->host, "WINDOW 1 ", "they wait");
	say_data(&w->host, F_END, 3, "quick");
	world_run(w);
	has(&w->program, "DATA 3 quick end", "the other");
	say_u32(&w->program, NGHTTP2_WINDOW_UPDATE, 1, 512 << 10);
	world_run(w);
	assert_int_equal(w->program.data, (512 << 10) + 5);
	has(&w->host, "WINDOW 1 ", "they left");
	world_destroy(w);
}

/* To the sender, for its first stream. */
static size_t given_back(struct side *s)
{
	size_t all = 0;

	for (const char *at = world_log(s); (at = strstr(at, "WINDOW 1 ")) != NULL; at++)
		all += strtoul(at + strlen("WINDOW 1 "), NULL, 10);
	return all;
}

static void whole_window_waits_again_and_again(void **state)
{
	struct world *w = begin(PLAIN);
	size_t sent = 0, taken = 65535;

	(void)state;
	say_u32(&w->program, NGHTTP2_WINDOW_UPDATE, 0, 1 << 30);
	say_headers(&w->program, END_BOTH, 1, GET);
	world_run(w);
	say_headers(&w->host, F_HEADERS, 1, ":status=200");
	say_frame(&w->host, NGHTTP2_SETTINGS, 1, 0, NULL, 0);
	for (int i = 0; i < 200; i++) {
		const size_t may = (512 << 10) + given_back(&w->host);

		for (; sent + (32 << 10) <= may; sent += 32 << 10) {
			say_much(&w->host, 0, 1, 32 << 10);
			world_run(w);
		}
		say_u32(&w->program, NGHTTP2_WINDOW_UPDATE, 1, 30000);
		taken += 30000;
		world_run(w);
		assert_int_equal(w->program.data, taken < sent ? taken : sent);
	}
	has_not(&w->program, "RST", "it goes on");
	assert_int_equal(w->two.state, TWO_RUNS);
	world_destroy(w);
}

static void window_comes_back_from_what_was_reset(void **state)
{
	struct world *w = begin(PLAIN);

	(void)state;
	for (uint32_t id = 1; id < 200; id += 2) { /* in all, many times the connection's window */
		say_headers(&w->program, F_HEADERS, id, POST);
		say_much(&w->program, 0, id, 60000);
		world_run(w);
		say_u32(&w->program, NGHTTP2_RST_STREAM, id, 8);
		world_run(w);
		assert_int_equal(w->two.n_twins, 0);
	}
	has_not(&w->program, "GOAWAY", "all came");
	assert_int_equal(nghttp2_session_get_effective_local_window_size(w->two.client), TWO_UP_ALL);
	assert_true(nghttp2_session_get_effective_recv_data_length(w->two.client) < TWO_UP_ALL / 2);
	world_destroy(w);
}

/* ---- ends ---- */

static void reset_is_passed_on(void **state)
{
	struct world *w = begin(PLAIN);

	(void)state;
	say_headers(&w->program, END_BOTH, 1, GET);
	say_headers(&w->program, END_BOTH, 3, GET);
	say_headers(&w->program, END_BOTH, 5, GET);
	world_run(w);
	say_u32(&w->program, NGHTTP2_RST_STREAM, 1, 8);
	say_u32(&w->host, NGHTTP2_RST_STREAM, 3, 7);
	world_run(w);
	has(&w->host, "RST 1 8", "of the program");
	has(&w->program, "RST 3 7", "of the host");
	say_headers(&w->host, END_BOTH, 5, ":status=200");
	world_run(w);
	has(&w->program, "HEADERS 5 :status=200 end", "the third");
	assert_int_equal(w->two.n_twins, 0);
	world_destroy(w);
}

static void host_wants_no_more(void **state)
{
	struct world *w = begin(PLAIN);

	(void)state;
	say_headers(&w->program, F_HEADERS, 1, POST);
	say_data(&w->program, 0, 1, "x");
	world_run(w);
	say_headers(&w->host, F_HEADERS, 1, ":status=413");
	say_data(&w->host, F_END, 1, "too much");
	say_u32(&w->host, NGHTTP2_RST_STREAM, 1, 0);
	world_run(w);
	has(&w->program, "HEADERS 1 :status=413\nDATA 1 too much end\nRST 1 0\n", "the whole answer, and then");
	assert_int_equal(w->two.n_twins, 0);
	world_destroy(w);
}

static void host_goes_away(void **state)
{
	struct world *w = begin(PLAIN);
	static const uint8_t away[] = { 0, 0, 0, 1, 0, 0, 0, 0 };

	(void)state;
	say_headers(&w->program, END_BOTH, 1, GET);
	say_headers(&w->program, END_BOTH, 3, GET);
	world_run(w);
	say_frame(&w->host, NGHTTP2_GOAWAY, 0, 0, away, sizeof away);
	world_run(w);
	has(&w->program, "GOAWAY 3 0", "told");
	has(&w->program, "RST 3 7", "what it did not take");
	assert_int_equal(w->two.state, TWO_RUNS);
	say_headers(&w->host, F_HEADERS, 1, ":status=200");
	say_data(&w->host, F_END, 1, "last");
	world_run(w);
	has(&w->program, "DATA 1 last end", "what it took");
	assert_int_equal(w->two.state, TWO_LAST);
	world_destroy(w);
}

/* All at once: what the program sent last is still to leave when both its answer and the connection are over. */
static void host_goes_away_and_takes_the_rest(void **state)
{
	struct world *w = begin(PLAIN);
	static const uint8_t away[] = { 0, 0, 0, 1, 0, 0, 0, 0 };

	(void)state;
	say_headers(&w->program, F_HEADERS, 1, POST);
	world_run(w);
	say_frame(&w->host, NGHTTP2_GOAWAY, 0, 0, away, sizeof away);
	say_headers(&w->host, END_BOTH, 1, ":status=200");
	say_data(&w->program, F_END, 1, "rest");
	world_run(w);
	has(&w->program, "HEADERS 1 :status=200 end", "answer");
	has(&w->host, "DATA 1 rest end", "rest");
	assert_int_equal(w->two.state, TWO_LAST);
	world_destroy(w);
}

static void host_ends(void **state)
{
	struct world *w = begin(PLAIN);

	(void)state;
	say_headers(&w->program, END_BOTH, 1, GET);
	say_headers(&w->program, END_BOTH, 3, GET);
	say_headers(&w->program, END_BOTH, 5, GET);
	world_run(w);
	say_headers(&w->host, F_HEADERS, 3, ":status=200");
	say_data(&w->host, 0, 3, "half");
	say_headers(&w->host, F_HEADERS, 5, ":status=200");
	say_data(&w->host, F_END, 5, "whole");
	w->host.stream.ended = true;
	world_run(w);
	has(&w->program, "HEADERS 1 :status=502", "not answered");
	has(&w->program, "RST 3 2", "half");
	has(&w->program, "DATA 5 whole end", "whole");
	has(&w->program, "GOAWAY", "all");
	assert_int_equal(w->two.state, TWO_LAST);
	w->program.stream.ended = true;
	world_run(w);
	assert_int_equal(w->two.state, TWO_DONE);
	world_destroy(w);
}

static void program_goes(void **state)
{
	struct world *w = begin(PLAIN);

	(void)state;
	say_headers(&w->program, END_BOTH, 1, GET);
	world_run(w);
	assert_int_equal(w->two.state, TWO_RUNS);
	w->program.stream.ended = true;
	world_run(w);
	assert_int_equal(w->two.state, TWO_DONE);
	world_destroy(w);
}

/* ---- who may begin, and how many ---- */

static void waits_for_the_host(void **state)
{
	struct world *w = world_create(PLAIN, NULL);

	(void)state;
	say_headers(&w->program, END_BOTH, 1, GET);
	world_run(w);
	has_not(&w->program, "SETTINGS", "before");
	has_not(&w->host, "HEADERS", "before");
	assert_true(two_unfinished(&w->two) != 0);
	say_frame(&w->host, NGHTTP2_SETTINGS, 0, 0, "\0\3\0\0\0\2", 6);
	world_run(w);
	has(&w->program, "SETTINGS 3=2 4=65535", "after: as many as it takes");
	has(&w->host, "SETTINGS 2=0 ", "no push");
	has(&w->host, "HEADERS 1", "after");
	assert_true(two_unfinished(&w->two) == 0);
	world_destroy(w);
}

static void no_more_than_the_host_takes(void **state)
{
	struct world *w = world_create(PLAIN, NULL);

	(void)state;
	say_frame(&w->host, NGHTTP2_SETTINGS, 0, 0, "\0\3\0\0\0\2", 6);
	for (uint32_t id = 1; id <= 5; id += 2)
		say_headers(&w->program, END_BOTH, id, GET);
	world_run(w);
	assert_int_equal(times(&w->host, "HEADERS"), 2);
	has(&w->program, "RST 5 7", "the third may be tried again");
	assert_int_equal(w->judge.used, 2);
	say_headers(&w->host, END_BOTH, 1, ":status=200");
	world_run(w);
	say_headers(&w->program, END_BOTH, 7, GET);
	world_run(w);
	assert_int_equal(times(&w->host, "HEADERS"), 3);
	/* It may say another number later. */
	say_frame(&w->host, NGHTTP2_SETTINGS, 0, 0, "\0\3\0\0\0\4", 6);
	world_run(w);
	has(&w->program, "SETTINGS 3=4\n", "told");
	world_destroy(w);
}

/* Nor while one is over for the program alone. */
static void place_is_the_hosts(void **state)
{
	struct world *w = world_create(PLAIN, NULL);

	(void)state;
	say_frame(&w->host, NGHTTP2_SETTINGS, 0, 0, "\0\3\0\0\0\1", 6);
	say_headers(&w->program, F_HEADERS, 1, POST);
	say_much(&w->program, 0, 1, 65535);
	world_run(w);
	say_data(&w->program, F_END, 1, "more than its window");
	world_run(w);
	say_headers(&w->host, END_BOTH, 1, ":status=200");
	world_run(w);
	say_headers(&w->program, END_BOTH, 3, GET);
	world_run(w);
	has(&w->program, "RST 3 7", "it may be tried again");
	assert_int_equal(w->judge.used, 1);
	say_u32(&w->host, NGHTTP2_WINDOW_UPDATE, 0, 65535);
	say_u32(&w->host, NGHTTP2_WINDOW_UPDATE, 1, 65535);
	world_run(w);
	has(&w->host, "DATA 1 more than its window end", "the rest");
	say_headers(&w->program, END_BOTH, 5, GET);
	world_run(w);
	has(&w->host, "HEADERS 3", "there is a place");
	world_destroy(w);
}

static void no_more_than_a_hundred(void **state)
{
	struct world *w = begin(PLAIN);

	(void)state;
	for (uint32_t id = 1; id <= 201; id += 2)
		say_headers(&w->program, END_BOTH, id, GET);
	world_run(w);
	assert_int_equal(times(&w->host, "HEADERS"), 100);
	has(&w->program, "RST 201 7", "one more");
	world_destroy(w);
}

/* ---- frames of hostile peers ---- */

enum who { PROGRAM, HOST };

struct frames {
	const char *name;
	enum who who;
	unsigned type, flags;
	uint32_t id;
	const char *body;
	unsigned n, times;
	const char *program; /* what it is told; the connection ends */
};

static const struct frames frames[] = {
	{ "DATA of no stream", PROGRAM, NGHTTP2_DATA, 0, 0, "x", 1, 1, "GOAWAY 1 1" },
	{ "DATA of an idle stream", PROGRAM, NGHTTP2_DATA, 0, 9, "x", 1, 1, "GOAWAY 1 1" },
	{ "HEADERS of an even stream", PROGRAM, NGHTTP2_HEADERS, F_HEADERS, 2, "\x82", 1, 1, "GOAWAY 1 1" },
	{ "a block that is none", PROGRAM, NGHTTP2_HEADERS, F_HEADERS, 3, "\xff\xff\xff\xff\xff\xff\xff", 7, 1,
	  "GOAWAY" },
	{ "an index of nothing", PROGRAM, NGHTTP2_HEADERS, F_HEADERS, 3, "\xfe", 1, 1, "GOAWAY" },
	{ "padding that is too long", PROGRAM, NGHTTP2_HEADERS, F_HEADERS | 8, 3, "\x09\x82", 2, 1, "GOAWAY 1 1" },
	{ "CONTINUATION of nothing", PROGRAM, NGHTTP2_CONTINUATION, F_HEADERS, 1, "\x82", 1, 1, "GOAWAY 1 1" },
	{ "a short SETTINGS", PROGRAM, NGHTTP2_SETTINGS, 0, 0, "x", 1, 1, "GOAWAY 1 6" },
	{ "SETTINGS of a stream", PROGRAM, NGHTTP2_SETTINGS, 0, 1, "", 0, 1, "GOAWAY 1 1" },
	{ "an answer to SETTINGS with a body", PROGRAM, NGHTTP2_SETTINGS, 1, 0, "\0\3\0\0\0\2", 6, 1, "GOAWAY 1 6" },
	{ "a window over all", PROGRAM, NGHTTP2_SETTINGS, 0, 0, "\0\4\x80\0\0\0", 6, 1, "GOAWAY 1 3" },
	{ "a frame size that is none", PROGRAM, NGHTTP2_SETTINGS, 0, 0, "\0\5\0\0\0\1", 6, 1, "GOAWAY 1 1" },
	{ "a short PING", PROGRAM, NGHTTP2_PING, 0, 0, "x", 1, 1, "GOAWAY 1 6" },
	{ "an update by nothing", PROGRAM, NGHTTP2_WINDOW_UPDATE, 0, 0, "\0\0\0\0", 4, 1, "GOAWAY 1 1" },
	{ "updates over all", PROGRAM, NGHTTP2_WINDOW_UPDATE, 0, 0, "\x7f\xff\xff\xff", 4, 2, "GOAWAY 1 3" },
	{ "a push of the program", PROGRAM, NGHTTP2_PUSH_PROMISE, F_HEADERS, 1, "\0\0\0\2\x82", 5, 1, "GOAWAY 1 1" },
	{ "a reset of an idle stream", PROGRAM, NGHTTP2_RST_STREAM, 0, 9, "\0\0\0\0", 4, 1, "GOAWAY 1 1" },
	{ "many PINGs", PROGRAM, NGHTTP2_PING, 0, 0, "12345678", 8, TWO_NOISE_MAX + 1, "GOAWAY 1 11" },
	{ "many SETTINGS", PROGRAM, NGHTTP2_SETTINGS, 0, 0, "", 0, TWO_NOISE_MAX + 1, "GOAWAY 1 11" },
	{ "many PRIORITYs", PROGRAM, NGHTTP2_PRIORITY, 0, 1, "\0\0\0\0\1", 5, TWO_NOISE_MAX + 1, "GOAWAY 1 11" },
	{ "many of no known type", PROGRAM, 99, 0, 0, "", 0, TWO_NOISE_MAX + 1, "GOAWAY 1 11" },
	{ "many empty DATA", PROGRAM, NGHTTP2_DATA, 0, 1, "", 0, TWO_NOISE_MAX + 1, "GOAWAY 1 11" },
	{ "many updates", PROGRAM, NGHTTP2_WINDOW_UPDATE, 0, 1, "\0\0\0\1", 4, TWO_NOISE_MAX + 1, "GOAWAY 1 11" },
	{ "a push of the host", HOST, NGHTTP2_PUSH_PROMISE, F_HEADERS, 1, "\0\0\0\2\x82", 5, 1,
	  "HEADERS 1 :status=502" },
	{ "HEADERS of an idle stream", HOST, NGHTTP2_HEADERS, F_HEADERS, 9, "\x88", 1, 1, "HEADERS 1 :status=502" },
	{ "a block of the host that is none", HOST, NGHTTP2_HEADERS, F_HEADERS, 1, "\xfe", 1, 1,
	  "HEADERS 1 :status=502" },
	{ "many SETTINGS of the host", HOST, NGHTTP2_SETTINGS, 0, 0, "", 0, TWO_SETTINGS_MAX, "HEADERS 1 :status=502" },
	{ "many PINGs of the host", HOST, NGHTTP2_PING, 0, 0, "12345678", 8, TWO_NOISE_MAX + 1,
	  "HEADERS 1 :status=502" },
	{ "many empty DATA of the host", HOST, NGHTTP2_DATA, 0, 1, "", 0, TWO_NOISE_MAX + 1, "RST 1 2\n" },
};

/* A connection with one request under way. */
static struct world *begin_post(void)
{
	struct world *w = begin(PLAIN);

	say_headers(&w->program, F_HEADERS, 1, POST);
	world_run(w);
	return w;
}

static void say_row(struct world *w, const struct frames *f, unsigned n)
{
	if (f->who == HOST && f->type == NGHTTP2_DATA)
		say_headers(&w->host, F_HEADERS, 1, ":status=200");
	for (unsigned i = 0; i < n; i++) {
		say_frame(f->who == PROGRAM ? &w->program : &w->host, f->type, f->flags, f->id, f->body, f->n);
		if (i % 100 == 0)
			world_run(w);
	}
	world_run(w);
}

static void frames_end_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
		const struct frames *f = &frames[i];
		struct world *w = begin_post();

		say_row(w, f, f->times);
		has(&w->program, f->program, f->name);
		if (w->two.state != TWO_LAST && f->who == PROGRAM)
			fail_msg("%s: it goes on", f->name);
		world_destroy(w);
		if (f->times < TWO_SETTINGS_MAX)
			continue;
		w = begin_post(); /* some fewer are nothing */
		say_row(w, f, f->times - 2 - (f->who == PROGRAM));
		has_not(&w->program, "GOAWAY", f->name);
		has_not(&w->program, ":status=502", f->name);
		world_destroy(w);
	}
}

static void resets_one_after_another(void **state)
{
	struct world *w = begin(PLAIN);
	uint32_t id = 1;

	(void)state;
	for (; id < 2 * 2000 && w->two.state == TWO_RUNS; id += 2) {
		say_headers(&w->program, END_BOTH, id, GET);
		say_u32(&w->program, NGHTTP2_RST_STREAM, id, 8);
		world_run(w);
	}
	assert_in_range(id, 2 * 900, 2 * 1100);
	has(&w->program, "GOAWAY", "ended");
	world_destroy(w);
}

static void noise_is_forgotten(void **state)
{
	struct world *w = begin(PLAIN);

	(void)state;
	for (unsigned i = 0; i < 5 * TWO_NOISE_MAX; i++) {
		w->parts.now_ms += 1000 / TWO_NOISE_EACH_S;
		say_frame(&w->program, NGHTTP2_PING, 0, 0, "12345678", 8);
		world_run(w);
	}
	assert_int_equal(w->two.state, TWO_RUNS);
	assert_int_equal(times(&w->program, "PING ack"), 5 * TWO_NOISE_MAX);
	world_destroy(w);
}

static void continuations_without_end(void **state)
{
	struct world *w = begin(PLAIN);

	(void)state;
	say_frame(&w->program, NGHTTP2_HEADERS, F_END, 1, "\x82", 1);
	for (unsigned i = 0; i < TWO_CONTINUATIONS_MAX - 2; i++)
		say_frame(&w->program, NGHTTP2_CONTINUATION, 0, 1, "\x87", 1);
	world_run(w);
	assert_int_equal(w->two.state, TWO_RUNS);
	for (unsigned i = 0; i < 4; i++)
		say_frame(&w->program, NGHTTP2_CONTINUATION, 0, 1, "\x87", 1);
	world_run(w);
	assert_int_equal(w->two.state, TWO_LAST);
	world_destroy(w);
}

static void what_does_not_end_is_seen(void **state)
{
	struct world *w = begin(PLAIN);
	uint64_t first;

	(void)state;
	assert_int_equal(two_unfinished(&w->two), 0);
	say_frame(&w->program, NGHTTP2_HEADERS, F_END, 1, "\x82", 1);
	world_run(w);
	first = two_unfinished(&w->two);
	assert_true(first != 0);
	say_bytes(&w->program, "\0\0", 2); /* of a CONTINUATION */
	world_run(w);
	assert_int_equal(two_unfinished(&w->two), first);
	world_destroy(w);

	w = begin_post();
	say_bytes(&w->program, "\0\0\4\0\0\0\0\0\1a", 10); /* a body may take its time */
	world_run(w);
	assert_int_equal(two_unfinished(&w->two), 0);
	say_bytes(&w->program, "bcd\0\0\10\6", 7); /* a PING may not */
	world_run(w);
	first = two_unfinished(&w->two);
	assert_true(first != 0);
	say_bytes(&w->program,
		  "\0\0\0\0\0"
		  "12345678"
		  "\0",
		  14);
	world_run(w);
	assert_true(two_unfinished(&w->two) != 0 && two_unfinished(&w->two) != first);
	world_destroy(w);
}

static void no_preface(void **state)
{
	struct world *w = begin(PLAIN);

	(void)state;
	world_destroy(w);
	w = world_create(PLAIN, "");
	buf_reset(&w->program.stream.in);
	say_bytes(&w->program, "GET / HTTP/1.1\r\nhost: h.example\r\n\r\n", 35);
	world_run(w);
	assert_int_equal(w->two.state, TWO_LAST);
	has_not(&w->host, "HEADERS", "nothing");
	world_destroy(w);
}

/* ---- what is counted ---- */

static void counted(const struct world *w, unsigned n, int rule, unsigned status, const char *name)
{
	if (w->counted != n || w->counted_rule != rule || w->counted_status != status)
		fail_msg("%s: %u, the last by %d with %u", name, w->counted, w->counted_rule, w->counted_status);
}

/* The host may have done what it was asked, whatever became of the answer. */
static void what_was_sent_is_counted(void **state)
{
	struct world *w = begin(PLAIN);

	(void)state;
	say_headers(&w->program, F_HEADERS, 1, POST);
	world_run(w);
	say_u32(&w->program, NGHTTP2_RST_STREAM, 1, 8);
	world_run(w);
	counted(w, 1, 1, HTTP_NO_ANSWER, "the program wants no answer");
	say_headers(&w->program, END_BOTH, 3, GET);
	world_run(w);
	say_u32(&w->host, NGHTTP2_RST_STREAM, 3, 8);
	world_run(w);
	counted(w, 2, 0, HTTP_NO_ANSWER, "the host gives none");
	say_headers(&w->program, F_HEADERS, 5, POST);
	say_data(&w->program, 0, 5, "ghp_0123456789abcdefghijklmnopqrstuvwxyz");
	world_run(w);
	counted(w, 4, -2, 403, "its body is refused");
	say_headers(&w->program, END_BOTH, 7, GET);
	world_run(w);
	say_headers(&w->host, END_BOTH, 7, "x=y");
	world_run(w);
	counted(w, 5, 0, HTTP_NO_ANSWER, "an answer that is none");
	say_headers(&w->program, END_BOTH, 9, GET);
	world_run(w);
	two_tell(&w->two, &w->parts);
	two_tell(&w->two, &w->parts);
	counted(w, 6, 0, HTTP_NO_ANSWER, "it is told meanwhile");
	say_headers(&w->host, END_BOTH, 9, ":status=200");
	say_headers(&w->program, END_BOTH, 11, GET);
	world_run(w);
	w->host.stream.ended = true;
	world_run(w);
	has(&w->program, "HEADERS 9 :status=200", "an answer after that");
	has(&w->program, "HEADERS 11 :status=502", "the host has gone");
	counted(w, 7, 0, HTTP_NO_ANSWER, "the host has gone");
	world_destroy(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_judged),
		cmocka_unit_test(refusal_has_its_words),
		cmocka_unit_test(git_is_told_as_it_reads),
		cmocka_unit_test(what_fails_later_is_told_to_who_asked),
		cmocka_unit_test(uses_are_spent),
		cmocka_unit_test(a_rate_is_of_requests),
		cmocka_unit_test(large_head),
		cmocka_unit_test(long_head),
		cmocka_unit_test(is_passed_down),
		cmocka_unit_test(masks_across_frames),
		cmocka_unit_test(mask_waits),
		cmocka_unit_test(a_message_is_not_waited_for),
		cmocka_unit_test(who_stops_reading_makes_no_pause),
		cmocka_unit_test(a_pause_is_since_the_last_byte),
		cmocka_unit_test(a_host_that_goes_is_not_waited_for),
		cmocka_unit_test(hints_are_dropped),
		cmocka_unit_test(continue_is_ours),
		cmocka_unit_test(body_with_a_length),
		cmocka_unit_test(credential_in_a_body),
		cmocka_unit_test(document_is_judged),
		cmocka_unit_test(form_has_the_secret),
		cmocka_unit_test(form_is_judged_by_its_writer),
		cmocka_unit_test(forms_are_bounded),
		cmocka_unit_test(written_forms_are_bounded_together),
		cmocka_unit_test(form_that_waits_is_given_up),
		cmocka_unit_test(document_is_bounded),
		cmocka_unit_test(documents_are_bounded_together),
		cmocka_unit_test(window_is_given_back_when_bytes_leave),
		cmocka_unit_test(more_than_a_window_ends_it),
		cmocka_unit_test(slow_stream_stops_no_other),
		cmocka_unit_test(whole_window_waits_again_and_again),
		cmocka_unit_test(window_comes_back_from_what_was_reset),
		cmocka_unit_test(reset_is_passed_on),
		cmocka_unit_test(host_wants_no_more),
		cmocka_unit_test(host_goes_away),
		cmocka_unit_test(host_goes_away_and_takes_the_rest),
		cmocka_unit_test(host_ends),
		cmocka_unit_test(program_goes),
		cmocka_unit_test(waits_for_the_host),
		cmocka_unit_test(no_more_than_the_host_takes),
		cmocka_unit_test(place_is_the_hosts),
		cmocka_unit_test(no_more_than_a_hundred),
		cmocka_unit_test(frames_end_it),
		cmocka_unit_test(resets_one_after_another),
		cmocka_unit_test(noise_is_forgotten),
		cmocka_unit_test(continuations_without_end),
		cmocka_unit_test(what_does_not_end_is_seen),
		cmocka_unit_test(no_preface),
		cmocka_unit_test(what_was_sent_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
