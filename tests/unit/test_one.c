/* HTTP/1 between two streams without sockets: what an answer comes to, by and by, where a secret is covered in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "http/one.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define SECRET "s3cr3t-of-the-grant"
#define STEPS_MAX 8
#define GET "GET /a HTTP/1.1\r\nHost: h.example\r\n\r\n"
#define UPGRADE "GET /a HTTP/1.1\r\nHost: h.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
#define SWITCHED "HTTP/1.1 101 Fine\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"

struct world {
	struct one one;
	struct stream program, host;
	struct judge judge;
	struct http_host to;
	struct verdict verdict;
	struct one_parts parts;
	struct mask_set *masks;
};

static void count(void *arg, const struct http_host *host, const struct http_asked *asked, unsigned status)
{
	(void)arg;
	(void)host;
	(void)asked;
	(void)status;
}

static void begin(struct world *w)
{
	const struct mask_text text = { (const uint8_t *)SECRET, strlen(SECRET) };
	struct err e = { .code = 0 };

	*w = (struct world){ .to = { .port = 443, .tls = true } };
	strcpy(w->to.name.text, "h.example");
	assert_int_equal(terms_take("http='GET /a' secret='github as bearer'", &w->judge.terms, &e), 0);
	w->judge.object = "h.example:443";
	w->judge.secrets[0] = (struct judge_secret){ SECRET, strlen(SECRET) };
	w->masks = mask_set_create(&text, 1, NULL);
	assert_non_null(w->masks);
	stream_init(&w->program, -1, NULL);
	stream_init(&w->host, -1, NULL);
	one_init(&w->one, NULL);
	w->parts = (struct one_parts){ .judge = &w->judge,
				       .masks = w->masks,
				       .host = &w->to,
				       .client = &w->program,
				       .server = &w->host,
				       .verdict = &w->verdict,
				       .count = count,
				       .now_ms = 5000 };
}

static void finish(struct world *w)
{
	one_finish(&w->one);
	stream_finish(&w->program);
	stream_finish(&w->host);
	mask_set_free(w->masks);
}

static void run(struct world *w)
{
	for (unsigned i = 0; i < 100 && one_step(&w->one, &w->parts); i++)
		buf_reset(&w->host.out); /* the host takes all */
	if (stream_waits(&w->host) > 0)
		buf_reset(&w->host.out);
}

static void say(struct stream *s, const char *text)
{
	buf_put(&s->in, text, strlen(text));
}

/* The program takes what waits for it. */
static void take(struct world *w, struct buf *got)
{
	buf_put(got, w->program.out.data, w->program.out.len);
	buf_reset(&w->program.out);
}

struct step {
	const char *says;  /* the host; NULL: nothing; "": it ends */
	unsigned later_ms; /* after it */
	bool takes;        /* then the program takes what waits */
	const char *has;   /* the end of what it has, then; NULL: whatever */
};

static const struct row {
	const char *name, *asks;
	struct step steps[STEPS_MAX];
} rows[] = {
	{ "in one piece",
	  GET,
	  { { "HTTP/1.1 200 Fine\r\nContent-Length: 23\r\n\r\n<s3cr3t-of-the-grant>\r\n", 0, true,
	      "\r\n\r\n<*******************>\r\n" } } },
	{ "held until it is over",
	  GET,
	  { { "HTTP/1.1 200 Fine\r\nContent-Length: 24\r\n\r\n0123s3cr3t-of-the-gran", 999, true, "\r\n\r\n0123" },
	    { "t.", 0, true, "\r\n\r\n0123*******************." } } },
	{ "in chunks",
	  GET,
	  { { "HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n16\r\n0123s3cr3t-of-the-gran\r\n", 999, true,
	      "\r\n\r\n4\r\n0123\r\n" },
	    { "2\r\nt.\r\n0\r\n\r\n", 0, true, "2\r\n**\r\n12\r\n*****************.\r\n0\r\n\r\n" } } },
	{ "until the end",
	  GET,
	  { { "HTTP/1.1 200 Fine\r\nConnection: close\r\n\r\n0123s3cr3t-of-the-gran", 999, true, "4\r\n0123\r\n" },
	    { "", 0, true, "4\r\n0123\r\n12\r\ns3cr3t-of-the-gran\r\n0\r\n\r\n" } } },
	{ "a pause",
	  GET,
	  { { "HTTP/1.1 200 Fine\r\nContent-Length: 24\r\n\r\n0123456789abcdefghijkl", 500, true, "\r\n\r\n0123" },
	    { NULL, 499, true, "\r\n\r\n0123" },
	    { NULL, 1, true, "\r\n\r\n0123456789abcdefghijkl" } } },
	{ "no pause: something came meanwhile",
	  GET,
	  { { "HTTP/1.1 200 Fine\r\nContent-Length: 24\r\n\r\n0123456789abcdefghijk", 600, true, "\r\n\r\n012" },
	    { "l", 600, true, "\r\n\r\n0123" },
	    { NULL, 400, true, "\r\n\r\n0123456789abcdefghijkl" } } },
	{ "no pause, and all is held",
	  GET,
	  { { "HTTP/1.1 200 Fine\r\nContent-Length: 24\r\n\r\n", 0, true, "\r\n\r\n" },
	    { "abc", 600, true, "\r\n\r\n" },
	    { "def", 600, true, "\r\n\r\n" },
	    { NULL, 400, true, "\r\n\r\nabcdef" } } },
	{ "chunks, and then another protocol",
	  GET UPGRADE,
	  { { "HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 0, true,
	      "\r\n\r\n1\r\na\r\n0\r\n\r\n" },
	    { SWITCHED "\x81\x18"
		       "0123456789",
	      1000, true,
	      "\r\n\r\n\x81\x18"
	      "0123456789" } } },
	{ "no pause: the program took nothing",
	  GET,
	  { { "HTTP/1.1 200 Fine\r\nContent-Length: 24\r\n\r\n0123s3cr3t-of-the-gran", 60000, false, NULL },
	    { NULL, 60000, true, "\r\n\r\n0123" },
	    { NULL, 999, true, "\r\n\r\n0123" },
	    { "t.", 0, true, "\r\n\r\n0123*******************." } } },
	{ "events",
	  GET,
	  { { "HTTP/1.1 200 Fine\r\nContent-Length: 99\r\n\r\ndata: 1\n\n", 0, true, "\r\n\r\ndata: 1\n\n" },
	    { "data: s3cr3t-", 0, true, "\r\n\r\ndata: 1\n\n" },
	    { "of-the-grant\n\n", 0, true, "\r\n\r\ndata: 1\n\ndata: *******************\n\n" } } },
	{ "a frame of WebSocket",
	  UPGRADE,
	  { { SWITCHED "\x81\x16"
		       "0123s3cr3t-of-the-gran",
	      0, true,
	      "\r\n\r\n\x81\x16"
	      "0123s3cr3t-of-the-gran" } } },
	{ "a part of one",
	  UPGRADE,
	  { { SWITCHED "\x81\x18"
		       "0123s3cr3t-of-the-gran",
	      999, true,
	      "\r\n\r\n\x81\x18"
	      "0123" },
	    { "t.", 0, true,
	      "\r\n\r\n\x81\x18"
	      "0123*******************." } } },
	{ "a part, and a pause",
	  UPGRADE,
	  { { SWITCHED "\x81\x18"
		       "0123456789abcdefghijkl",
	      1000, true,
	      "\r\n\r\n\x81\x18"
	      "0123456789abcdefghijkl" } } },
	{ "a part, and the end",
	  UPGRADE,
	  { { SWITCHED "\x81\x18"
		       "0123456789abcdefghijkl",
	      0, true,
	      "\r\n\r\n\x81\x18"
	      "0123" },
	    { "", 0, true,
	      "\r\n\r\n\x81\x18"
	      "0123456789abcdefghijkl" } } },
};

static bool ends_so(const struct buf *got, const char *end)
{
	const size_t n = strlen(end);

	return got->len >= n && memcmp(got->data + got->len - n, end, n) == 0;
}

static void do_step(struct world *w, const struct step *s, struct buf *got, const char *name)
{
	if (s->says != NULL && s->says[0] != 0)
		say(&w->host, s->says);
	w->host.ended |= s->says != NULL && s->says[0] == 0;
	run(w);
	if (s->takes && s->later_ms < 10000)
		take(w, got);
	w->parts.now_ms += s->later_ms;
	run(w);
	if (s->takes)
		take(w, got);
	if (s->has != NULL && !ends_so(got, s->has))
		fail_msg("%s: %.*s", name, (int)got->len, (const char *)got->data);
}

static void answers_come_so(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world w;
		auto_buf got;

		begin(&w);
		buf_init(&got, 1u << 20);
		say(&w.program, rows[i].asks);
		run(&w);
		for (unsigned k = 0; k < STEPS_MAX && (rows[i].steps[k].says != NULL || rows[i].steps[k].has != NULL);
		     k++)
			do_step(&w, &rows[i].steps[k], &got, rows[i].name);
		finish(&w);
	}
}

/* The role sleeps until then, and for good once nothing is held. */
static void it_wakes_for_what_is_held(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	assert_int_equal(one_wakes(&w.one), UINT64_MAX);
	say(&w.program, GET);
	run(&w);
	say(&w.host, "HTTP/1.1 200 Fine\r\nContent-Length: 3\r\n\r\n");
	run(&w);
	buf_reset(&w.program.out);
	assert_int_equal(one_wakes(&w.one), UINT64_MAX);
	say(&w.host, "ab");
	run(&w);
	assert_int_equal(one_wakes(&w.one), w.parts.now_ms + MASK_PAUSE_MS);
	w.parts.now_ms += MASK_PAUSE_MS;
	run(&w);
	assert_int_equal(one_wakes(&w.one), UINT64_MAX);
	say(&w.host, "c");
	run(&w);
	assert_int_equal(one_wakes(&w.one), UINT64_MAX);
	finish(&w);
}

/* The program is told, if nothing was sent yet; a connection that rests between two requests only ends. */
static void a_host_that_went_is_told(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	w.host.broken = true;
	run(&w);
	assert_int_equal(w.program.out.len, 0);
	say(&w.program, GET);
	run(&w);
	assert_non_null(memmem(w.program.out.data, w.program.out.len, "HTTP/1.1 502 ", 13));
	assert_non_null(memmem(w.program.out.data, w.program.out.len, "before it was asked", 19));
	assert_int_equal(w.host.out.len, 0);
	assert_int_equal(w.one.state, ONE_LAST);
	finish(&w);

	begin(&w);
	say(&w.host, "HTTP/1.0 403 Unasked\r\n\r\n");
	say(&w.program, GET);
	run(&w);
	assert_non_null(memmem(w.program.out.data, w.program.out.len, "HTTP/1.1 502 ", 13));
	assert_null(memmem(w.program.out.data, w.program.out.len, "Unasked", 7));
	assert_int_equal(w.host.out.len, 0);
	assert_int_equal(w.one.state, ONE_LAST);
	finish(&w);

	begin(&w);
	say(&w.program, GET);
	run(&w);
	say(&w.host, "HTTP/1.1 200 Fine\r\nContent-Length: 0\r\n\r\n");
	run(&w);
	buf_reset(&w.program.out);
	w.host.ended = true;
	say(&w.program, GET);
	run(&w);
	assert_int_equal(w.program.out.len, 0);
	assert_int_equal(w.one.state, ONE_LAST);
	finish(&w);
}

/* A host that breaks off in a secret has told none of it. */
static void what_is_held_is_lost_with_the_host(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	say(&w.program, GET);
	run(&w);
	say(&w.host, "HTTP/1.1 200 Fine\r\nContent-Length: 30\r\n\r\ns3cr3t-of-the-gran");
	w.host.broken = true;
	run(&w);
	assert_int_equal(w.one.state, ONE_DONE);
	assert_int_equal(one_wakes(&w.one), UINT64_MAX);
	assert_null(memmem(w.program.out.data, w.program.out.len, "s3c", 3));
	finish(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_come_so),
		cmocka_unit_test(it_wakes_for_what_is_held),
		cmocka_unit_test(what_is_held_is_lost_with_the_host),
		cmocka_unit_test(a_host_that_went_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
