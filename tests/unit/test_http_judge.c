/* Which requests a grant's terms mean, what of them is left out, and what is told of them afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/brings.h"
#include "http/tally.h"

#define BLANKS "++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++" /* as many as no name has */
#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define TOKEN "ghp_16C7e42F292c6912E7710c838347Ae178B4a"

static struct http_text text_of(const char *s)
{
	return (struct http_text){ s, strlen(s) };
}

/* "name: value" of each line. */
static uint32_t take_fields(const char *lines, struct http_field fields[8])
{
	uint32_t n = 0;

	while (*lines != 0) {
		const char *colon = strchr(lines, ':'), *end = strchrnul(lines, '\n');

		fields[n].name = (struct http_text){ lines, (size_t)(colon - lines) };
		fields[n++].value = (struct http_text){ colon + 2, (size_t)(end - colon - 2) };
		lines = *end == 0 ? end : end + 1;
	}
	return n;
}

static void judged(const char *terms, const char *method, const char *target, const char *fields, bool has_body,
		   struct verdict *ret)
{
	static struct judge j;
	static struct http_field list[8];
	const struct http_host host = { .name = { "api.example" }, .port = 443, .tls = true };
	const char *query = strchr(target, '?');
	struct http_request q = { .method = text_of(method),
				  .path = { target, query == NULL ? strlen(target) : (size_t)(query - target) },
				  .authority = text_of("API.example"),
				  .has_body = has_body };
	struct err e;

	j = (struct judge){ .object = "api.example:443" };
	if (terms_take(terms, &j.terms, &e) < 0)
		fail_msg("%s: %s", terms, e.msg);
	q.has_query = query != NULL;
	q.query = text_of(query == NULL ? "" : query + 1);
	q.n_fields = take_fields(fields, list);
	q.fields = list;
	*ret = (struct verdict){ .rule = -1 };
	judge_request(&j, &host, &q, ret);
}

static void requests_are_judged(void **state)
{
	static const char rules[] = "http='GET /repos/**, POST /pulls'", with[] = "http='* /**' secret='a as bearer'",
			  replaced[] = "http='* /**' secret='a as bearer' credentials=replace",
			  passed[] = "http='* /**' credentials=pass", in_query[] = "secret='a as query:apiKey'",
			  in_query_passed[] = "secret='a as query:apiKey' credentials=pass",
			  graphql[] = "http='GET /r, GRAPHQL /g' graphql='query *'", moves[] = "http='* /a/**'";
	static const struct {
		const char *terms, *method, *target, *fields;
		unsigned status;      /* 0: it passes */
		const char *left_out; /* of each field: x, or - */
		const char *query;    /* that is sent in its place; NULL: its own */
	} rows[] = {
		{ rules, "GET", "/repos/a", "accept: */*", 0, "-", NULL },
		{ rules, "HEAD", "/repos/a", "", 0, "", NULL },
		{ rules, "POST", "/pulls?x=1", "", 0, "", NULL },
		{ rules, "DELETE", "/repos/a", "", 403, "", NULL },
		{ rules, "GET", "/user", "", 403, "", NULL },
		{ rules, "get", "/repos/a", "", 501, "", NULL },
		{ "http='* /**'", "trace", "/", "", 501, "", NULL },
		{ rules, "GET", "/repos/../user", "", 400, "", NULL },
		{ rules, "GET", "/repos/%2e%2e/user", "", 400, "", NULL },
		{ rules, "GET", "/repos/a%2fb", "", 403, "", NULL },
		{ rules, "GET", "/repos/" TOKEN, "", 403, "", NULL },
		{ "http='* /**'", "TRACE", "/", "", 405, "", NULL },
		{ "http='* /**'", "CONNECT", "/", "", 405, "", NULL },
		{ "http='* /**'", "GET", "/", "X-HTTP-Method-Override: DELETE", 400, "", NULL },
		{ "http='* /**'", "GET", "/", "x.http_method.override: DELETE", 400, "", NULL },
		{ "http='* /**'", "GET", "/?_method=DELETE", "", 400, "", NULL },
		{ "http='* /**'", "GET", "/?a=1;_method=DELETE", "", 400, "", NULL },
		{ "http='* /**'", "GET", "/?a=1;b=2;%5Fmethod=DELETE;c", "", 400, "", NULL },
		{ "http='* /**'", "GET", "/?.method=DELETE", "", 400, "", NULL },
		{ "http='* /**'", "GET", "/?%20_method[]=DELETE", "", 400, "", NULL },
		{ "http='* /**'", "GET", "/?[_method]=DELETE", "", 400, "", NULL },
		{ "http='* /**'", "GET", "/?]_method=DELETE", "", 400, "", NULL },
		{ "http='* /**'", "GET", "/?%5D[%5B_method]=DELETE", "", 400, "", NULL },
		{ "http='* /**'", "GET", "/?X.HTTP.Method.Override=DELETE", "", 400, "", NULL },
		{ "http='* /**'", "GET", "/?method=Delete", "", 400, "", NULL },
		{ "http='* /**'", "GET", "/?method=flickr.photos.search&methods=delete&a[_method]=1;2", "", 0, "",
		  NULL },
		{ "secret='a as bearer'", "GET", "/?_method=DELETE", "", 0, "",
		  NULL }, /* no rule that it could get by */
		/* where to */
		{ moves, "MOVE", "/a/x", "destination: https://api.example/a/y?z", 0, "-", NULL },
		{ moves, "MOVE", "/a/x", "Destination: /a/y", 0, "-", NULL },
		{ moves, "MOVE", "/a/x", "destination: https://api.example/b/y", 403, "", NULL },
		{ moves, "MOVE", "/a/x", "destination: /a/y\nDestination: /b/y", 403, "", NULL },
		{ moves, "MOVE", "/a/x", "destination_: /b/y", 0, "-", NULL },
		{ moves, "COPY", "/a/x", "destination: /a/../b", 400, "", NULL },
		{ moves, "COPY", "/a/x", "destination: https://other.example/a/y", 421, "", NULL },
		{ moves, "COPY", "/a/x", "destination: a/y", 400, "", NULL },
		{ moves, "PUT", "/a/x", "destination: wherever", 0, "-", NULL },
		{ "secret='a as bearer'", "MOVE", "/a/x", "destination: /b/y", 0, "-", NULL }, /* no rule */
		/* credentials */
		{ rules, "GET", "/repos/a", "Authorization: Bearer x", 403, "", NULL },
		{ rules, "GET", "/repos/a", "cookie: a=b", 403, "", NULL },
		{ rules, "GET", "/repos/a", "x_api_key: x", 403, "", NULL },
		{ rules, "GET", "/repos/a", "x-note: " TOKEN, 403, "", NULL },
		{ rules, "GET", "/repos/a?access_token=x", "", 403, "", NULL },
		{ rules, "GET", "/repos/a?q=" TOKEN, "", 403, "", NULL },
		{ rules, "GET", "/repos/a", "x.api!key: x", 403, "", NULL },
		{ rules, "GET", "/repos/a?q=1;access_token=x", "", 403, "", NULL },
		{ rules, "GET", "/repos/a?q=1;access%5Ftoken=x", "", 403, "", NULL },
		{ rules, "GET", "/repos/a?access.token=x", "", 403, "", NULL },
		{ rules, "GET", "/repos/a?access%20token[]=x", "", 403, "", NULL },
		{ rules, "GET", "/repos/a?[access_token]=x", "", 403, "", NULL },
		{ rules, "GET", "/repos/a?access_token%00=x", "", 403, "", NULL },
		{ rules, "GET", "/repos/a?]access_token=x", "", 403, "", NULL },
		{ rules, "GET", "/repos/a?access[token=x", "", 403, "", NULL },
		{ rules, "GET", "/repos/a?" BLANKS BLANKS BLANKS "access[token=x", "", 403, "", NULL },
		{ rules, "GET", "/repos/a?a[access_token]=x&access_tokens=y;z", "", 0, "", NULL },
		{ rules, "GET", "/repos/a?q=%zz", "", 400, "", NULL },
		{ with, "GET", "/", "authorization: Bearer ambit:a", 0, "x", NULL },
		{ with, "GET", "/", "authorization: Bearer ambit:b", 403, "", NULL },
		{ with, "GET", "/", "accept: */*\nAuthorization: token ambit:a", 0, "-x", NULL },
		{ "secret='a as basic:u'", "GET", "/", "authorization: Basic dTphbWJpdDph", 0, "x",
		  NULL }, /* u:ambit:a */
		{ "secret='a as basic:u'", "GET", "/", "authorization: Basic dTphbWJpdDpi", 403, "", NULL },
		{ replaced, "GET", "/", "authorization: Bearer x\ncookie: a=b", 0, "xx", NULL },
		{ replaced, "GET", "/?access_token=x&q=1", "", 0, "", "q=1" },
		{ replaced, "GET", "/?q=" TOKEN, "", 403, "", NULL },
		{ passed, "GET", "/?access_token=x", "authorization: Bearer x\ncookie: a=b", 0, "--", NULL },
		{ in_query, "GET", "/?apiKey=ambit:a&q=1", "", 0, "", "q=1" },
		{ in_query, "GET", "/?apiKey=x", "", 403, "", NULL },
		{ in_query_passed, "GET", "/?APIKEY=x&q=1", "authorization: Bearer x", 0, "-", "q=1" },
		{ in_query_passed, "GET", "/?q=1&b=2;apikey=x", "", 0, "", "q=1" },
		{ in_query_passed, "GET", "/?q=1&apiKey[]=x&[apiKey]=y", "", 0, "", "q=1" },
		{ "secret='a as query:api.key'", "GET", "/?api.key=ambit:a&q=1", "", 0, "", "q=1" },
		{ "secret='a as query:api.key'", "GET", "/?api_key=x", "", 403, "", NULL },
		{ "secret='a as header:x_key' credentials=pass", "GET", "/", "X-Key: x", 0, "x", NULL },
		{ in_query, "GET", "/?+apikey[]=x", "", 403, "", NULL },
		{ "secret='b as bearer, a as query:api_key'", "GET", "/?api.key=x", "", 403, "", NULL },
		{ "secret='b as bearer, a as query:k'", "GET", "/?k=ambit:a", "authorization: Bearer ambit:b", 0, "x",
		  "" },
		{ "secret='b as bearer, a as query:k'", "GET", "/?k=ambit:b", "", 403, "", NULL },
		{ "secret='b as bearer, a as query:k'", "GET", "/", "authorization: Bearer ambit:a", 403, "", NULL },
		{ "secret='b as bearer, a as header:x-key'", "GET", "/", "x_key: ambit:a\nauthorization: ambit:b", 0,
		  "xx", NULL },
		{ "secret='a as basic:k'", "GET", "/?k=x", "", 0, "", NULL },
		{ "secret='a as form:k'", "GET", "/?k=x", "", 403, "", NULL },
		{ "secret='a as form:k' credentials=pass", "GET", "/?k=x&q=1", "", 0, "", "q=1" },
		{ "secret='a as form:k'", "GET", "/?k=ambit:a&q=1", "", 0, "", "q=1" },
		/* documents */
		{ graphql, "GET", "/r", "", 0, "", NULL },
		{ graphql, "GET", "/g?query={a}", "", 0, "", NULL },
		{ graphql, "DELETE", "/g", "", 403, "", NULL },
	};
	static struct verdict v;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		judged(rows[i].terms, rows[i].method, rows[i].target, rows[i].fields, false, &v);
		if (v.status != rows[i].status)
			fail_msg("%s, %s %s: %u %s", rows[i].terms, rows[i].method, rows[i].target, v.status,
				 v.why.msg);
		for (size_t k = 0; rows[i].left_out[k] != 0; k++)
			if (v.drops[k] != (rows[i].left_out[k] == 'x'))
				fail_msg("%s, %s: field %zu", rows[i].terms, rows[i].target, k);
		if (v.status == 0 && (v.changes_query != (rows[i].query != NULL) ||
				      (v.changes_query && strcmp(v.query, rows[i].query) != 0)))
			fail_msg("%s, %s: %s", rows[i].terms, rows[i].target, v.query);
	}
}

static void a_document_stands_in_one_place(void **state)
{
	static const char *const targets[] = { "/g?query={a}",  "/g?%71uery={a}",   "/g?QUERY={a}",
					       "/g?+query={a}", "/g?[query]={a}",   "/g?query[]={a}",
					       "/g?a;b",        "/g?b=1;query={a}", "/g?DocumentID=1" };
	static struct verdict v;

	(void)state;
	judged("http='GRAPHQL /g' graphql='query *'", "POST", "/g?queries=1&a[query]=2", "", true, &v);
	assert_int_equal(v.status, 0);
	judged("http='GRAPHQL /g' graphql='query *'", "POST", "/g", "", true, &v);
	assert_int_equal(v.status, 0);
	assert_true(v.wants_document);
	for (size_t i = 0; i < COUNT(targets); i++) {
		judged("http='GRAPHQL /g' graphql='query *'", "POST", targets[i], "", true, &v);
		if (v.status != 400)
			fail_msg("%s: %u", targets[i], v.status);
	}
	judged("http='GET /r'", "GET", "/r?query={a}", "", true, &v);
	assert_int_equal(v.status, 0);
	assert_false(v.wants_document);
}

/* What a body brings, in one piece and in single bytes. */
static void a_body_is_looked_at(void **state)
{
	static const char plain[] = "http='POST /**'", passed[] = "http='POST /**' credentials=pass",
			  in_place[] = "secret='a as query:key' credentials=pass", any[] = "secret='a as bearer'",
			  form[] = "Content-Type: application/X-WWW-form-urlencoded;charset=utf-8",
			  hidden[] = "content-type: text/plain\ncontent_type: application/x-www-form-urlencoded";
	static const struct {
		const char *terms, *fields, *body;
		bool wrong;
	} rows[] = {
		{ plain, form, "a=1&b=access_token&c=2", false },
		{ plain, form, "access_token=x", true },
		{ plain, form, "a=1&Access%5ftoken=x", true },
		{ plain, form, "a=1;client_secret=x", true },
		{ plain, form, "a&+[api.key]=x", true },
		{ plain, form, "a[access_token]=x&access_tokens=x&access_token", false },
		{ plain, form, "xaccess_token=x&a=access_token=x", false },
		{ plain, form, "_method=DELETE", true },
		{ plain, form, "a=b&.method[]=DELETE", true },
		{ plain, form, "]_method=DELETE", true },
		{ plain, form, "%5d%5b_method=DELETE", true },
		{ plain, form, BLANKS "_method=DELETE", true },
		{ plain, form, "a=b&" BLANKS BLANKS "access_token=x", true },
		{ plain, form, "access[token=x", true },
		{ plain, form, "access_token[" BLANKS "]=x", true },
		{ plain, form, BLANKS "_methods=DELETE&access_token" BLANKS "=x", false },
		{ plain, hidden, "access_token=x", true },
		{ plain, "content-type: application/json", "access_token=x", false },
		{ plain, "", "access_token=x", false },
		{ plain, "", "a=" TOKEN "b", true },
		{ plain, form, "a=" TOKEN "b", true },
		{ passed, form, "access_token=x&a=" TOKEN, false },
		{ passed, form, "_method=DELETE", true },
		{ any, form, "_method=DELETE", false },
		{ in_place, form, "access_token=x&keys=1", false },
		{ in_place, form, "KEY=x", true },
		{ plain, form,
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=b&access_token=x",
		  true },
	};
	static struct http_field list[8];
	static struct judge j;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct http_request q = { .fields = list, .n_fields = take_fields(rows[i].fields, list) };
		const uint8_t *body = (const uint8_t *)rows[i].body;
		struct brings whole, single;
		bool wrong = false;

		assert_int_equal(terms_take(rows[i].terms, &j.terms, NULL), 0);
		brings_begin(&whole, &q, false);
		brings_begin(&single, &q, false);
		for (size_t k = 0; k < strlen(rows[i].body); k++)
			wrong |= brings_run(&single, &j, body + k, 1) != NULL;
		if (wrong != rows[i].wrong ||
		    (brings_run(&whole, &j, body, strlen(rows[i].body)) != NULL) != rows[i].wrong)
			fail_msg("%s, %s: %s", rows[i].terms, rows[i].fields, rows[i].body);
	}
}

static void another_host_is_refused(void **state)
{
	static struct judge j = { .object = "api.example:443" };
	static struct verdict v;
	const struct http_host host = { .name = { "api.example" }, .port = 443, .tls = true };
	struct http_request q = { .method = text_of("GET"),
				  .path = text_of("/"),
				  .authority = text_of("api.example:443") };

	(void)state;
	judge_request(&j, &host, &q, &v);
	assert_int_equal(v.status, 0);
	q.authority = text_of("evil.example");
	judge_request(&j, &host, &q, &v);
	assert_int_equal(v.status, 421);
}

static void uses_are_of_requests(void **state)
{
	struct judge j = { .object = "api.example:443", .uses = 2 };
	static struct verdict v;

	(void)state;
	assert_true(judge_charge(&j, 0, &v) && judge_charge(&j, 0, &v));
	assert_false(judge_charge(&j, 0, &v));
	assert_int_equal(v.status, 429);
	assert_int_equal(v.retry_s, 0); /* never again */
}

static void a_rate_is_of_requests(void **state)
{
	static const struct {
		uint64_t now_ms;
		unsigned passes, retry_s; /* how many of five */
	} rows[] = {
		{ 5, 2, 30 }, { 5 + 29999, 0, 1 }, { 5 + 30000, 1, 30 }, { 5 + 45000, 0, 15 }, { 5 + 990000, 2, 30 }
	};
	struct judge j = { .object = "api.example:443", .uses = 6 };
	static struct verdict v;

	(void)state;
	rate_init(&j.rate, 2, 60000, 5);
	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned passed = 0;

		for (unsigned k = 0; k < 5; k++)
			passed += judge_charge(&j, rows[i].now_ms, &v);
		if (passed != rows[i].passes || v.status != 429 || v.retry_s != rows[i].retry_s)
			fail_msg("row %zu: %u passed, %u, %u s", i, passed, v.status, v.retry_s);
	}
	assert_string_equal(v.why.msg, "more requests than rate=2/m of connect: api.example:443");
	assert_string_equal(v.why.hint, "ask again in 30 seconds, or grant a higher rate");
	assert_true(judge_charge(&j, 5 + 1020000, &v)); /* what was refused took no use, */
	assert_false(judge_charge(&j, 5 + 1080000, &v));
	assert_int_equal(v.retry_s, 0);
	assert_int_equal(rate_wait_ms(&j.rate, 5 + 1080000),
			 0); /* nor does what is refused for its use take of the rate */
}

/* ---- what is told ---- */

static void add(struct http_used *u, const struct terms *t, int rule, const char *method, const char *path,
		unsigned status)
{
	const struct http_host host = { .name = { "a.example" }, .port = 443 };
	const struct http_text m = text_of(method), p = text_of(path);
	struct http_asked asked;

	asked_note(&asked, &m, &p);
	asked.rule = rule;
	tally_add(u, t, &host, true, false, &asked, status);
}

static void what_was_asked_for_is_counted(void **state)
{
	static struct http_used u, again;
	static uint8_t room[HTTP_USED_BYTES_MAX];
	static struct terms t;
	struct rbuf in;
	struct buf b;
	char encoded[128];

	(void)state;
	assert_int_equal(terms_take("http='GET /repos/**'", &t, NULL), 0);
	add(&u, &t, 0, "GET", "/repos/a", 200);
	add(&u, &t, 0, "GET", "/repos/b", 200);
	add(&u, &t, 0, "GET", "/repos/b", 404);
	add(&u, &t, -2, "GET", "/user?token=x", 403);
	add(&u, &t, -2, "GET", "/u/" TOKEN, 403);
	(void)snprintf(encoded, sizeof encoded, "/u/%%%02x%s", (unsigned int)TOKEN[0], &TOKEN[1]);
	add(&u, &t, -2, "GET", encoded, 403); /* a rule that is made of it would have the token */
	add(&u, &t, -2, "GET", "http://me:password@a.example/b", 403);
	add(&u, &t, -2, "GET", "/user#query:me", 403);
	add(&u, &t, -2, "A-METHOD-THAT-IS-FAR-TOO-LONG", "", 501);
	add(&u, &t, -1, "GET", "/x", 200);
	add(&u, &t, -2, "GET", "http://a.example/@scope/b?x=me:password@c", 403);
	assert_int_equal(u.n, 7);
	assert_string_equal(u.rows[0].path, "/repos/**");
	assert_int_equal(u.rows[0].count, 2);
	assert_string_equal(u.rows[2].path, "/user");
	assert_int_equal(u.rows[2].count, 2);
	assert_string_equal(u.rows[3].path, "(a-credential)");
	assert_int_equal(u.rows[3].count, 3);
	assert_string_equal(u.rows[4].method, "-");
	assert_string_equal(u.rows[5].path, "/**");
	assert_string_equal(u.rows[6].path, "http://a.example/@scope/b");
	buf_init_in(&b, room, sizeof room);
	http_put_used(&b, &u);
	rbuf_init(&in, b.data, b.len);
	assert_true(http_take_used(&in, &again));
	assert_memory_equal(&u, &again, sizeof u);
}

static void learn(struct http_used *u, const struct terms *t, int rule, const char *path,
		  const struct graphql_verdict *document)
{
	const struct http_host host = { .name = { "a.example" }, .port = 443 };
	const struct http_text m = text_of("POST"), p = text_of(path);
	struct http_asked asked;

	asked_note(&asked, &m, &p);
	asked.rule = rule;
	if (document != NULL)
		asked_note_document(&asked, document);
	tally_add(u, t, &host, true, true, &asked, rule == -2 ? 403 : 200);
}

static void is_told(const struct http_used *u, const char *path, uint32_t count)
{
	for (uint32_t i = 0; i < u->n; i++)
		if (strcmp(u->rows[i].path, path) == 0 && u->rows[i].count == count)
			return;
	fail_msg("%s", path);
}

/* By its kind, and not by its rule; what cannot be told so is told by that. */
static void who_learns_is_told_of_kinds(void **state)
{
	static const struct graphql_verdict two = { .allowed = true,
						    .n_fields = 2,
						    .fields = { { TERMS_QUERY, "me" },
								{ TERMS_MUTATION, "addIssue" } } },
					    many = { .allowed = true, .n_fields = GRAPHQL_NOTED_MAX + 1 },
					    missing = { .type = TERMS_MUTATION, .field = "volumeDelete" },
					    other = { .why = "the document ends" };
	static struct http_used u;
	static struct terms t;
	char path[300];

	(void)state;
	assert_int_equal(terms_take("http='POST /**'", &t, NULL), 0);
	learn(&u, &t, 0, "/repos/a/issues/17?x=1", NULL);
	learn(&u, &t, 0, "/repos/a/issues/18", NULL);
	learn(&u, &t, 0, "/u/" TOKEN, NULL);
	learn(&u, &t, 0, "http://a.example/b", NULL);
	learn(&u, &t, -2, "/c/19", NULL);
	learn(&u, &t, 0, "/g", &two);
	learn(&u, &t, 0, "/h", &many);
	learn(&u, &t, -2, "/g", &missing);
	learn(&u, &t, -2, "/h", &other);
	(void)snprintf(path, sizeof path, "/%0198d", 0); /* as long as one that was cut off */
	learn(&u, &t, 0, path, NULL);
	path[198] = 0;
	learn(&u, &t, -2, path, &missing);
	assert_int_equal(u.n, 9);
	is_told(&u, "/repos/a/issues/*", 2);
	is_told(&u, "/**", 3);
	is_told(&u, "/c/19", 1);
	is_told(&u, "/g#query:me", 1);
	is_told(&u, "/g#mutation:addIssue", 1);
	is_told(&u, "/h", 1);
	is_told(&u, "/g#mutation:volumeDelete", 1);
	is_told(&u, path, 1); /* with the field it would look as if it were cut off */
	assert_int_equal(u.more, 0);
}

/* However many there are, there is room for the rules that mean them. */
static void kinds_leave_room_for_rules(void **state)
{
	static struct http_used u;
	static struct terms t;
	char path[32];

	(void)state;
	assert_int_equal(terms_take("http='POST /**'", &t, NULL), 0);
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(path, sizeof path, "/a%u", i);
		learn(&u, &t, 0, path, NULL);
	}
	assert_int_equal(u.n, HTTP_ROWS_MAX - TERMS_RULES_MAX + 1);
	is_told(&u, "/**", 200 - (HTTP_ROWS_MAX - TERMS_RULES_MAX));
	assert_int_equal(u.more, 0);
}

static void refusals_leave_room(void **state)
{
	static struct http_used u;
	static struct terms t;
	char path[24];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(path, sizeof path, "/%u", i);
		add(&u, &t, -2, "GET", path, 403);
	}
	assert_int_equal(u.n, HTTP_ROWS_MAX / 2);
	assert_int_equal(u.more, 1000 - HTTP_ROWS_MAX / 2);
	add(&u, &t, -1, "GET", "/", 200);
	assert_int_equal(u.n, HTTP_ROWS_MAX / 2 + 1);
}

static uint32_t count_of(const struct http_used *u, const char *method)
{
	for (uint32_t i = 0; i < u->n; i++)
		if (strcmp(u->rows[i].method, method) == 0)
			return u->rows[i].count;
	return 0;
}

/* Under a rule for any method a program can ask for what no host does, without end. */
static void what_was_not_done_leaves_room(void **state)
{
	static struct http_used u;
	static struct terms t;
	char method[8];

	(void)state;
	for (int i = 0; i < HTTP_ROWS_MAX; i++) {
		(void)snprintf(method, sizeof method, "M-%c%c", 'A' + i / 26, 'A' + i % 26);
		add(&u, &t, -1, method, "/", i == 0 ? 200 : 405);
		add(&u, &t, -1, method, "/", i == 0 ? 200 : 405);
	}
	assert_int_equal(u.n, HTTP_ROWS_MAX);
	add(&u, &t, -1, "PUT", "/", 500);
	assert_int_equal(u.more, 1);
	add(&u, &t, -1, "DELETE", "/", 204);
	add(&u, &t, -1, "PATCH", "/", HTTP_NO_ANSWER);
	add(&u, &t, -1, "DELETE", "/", 204);
	assert_int_equal(count_of(&u, "DELETE"), 2);
	assert_int_equal(count_of(&u, "PATCH"), 1);
	assert_int_equal(count_of(&u, "M-AA"), 2);
	assert_int_equal(count_of(&u, "M-AB"), 0);
	assert_int_equal(count_of(&u, "PUT"), 0);
	assert_int_equal(u.more, 5);
	assert_int_equal(u.n, HTTP_ROWS_MAX);
}

static void many_hosts_are_told_together(void **state)
{
	static struct http_used u;
	static struct terms t;
	const struct http_text method = text_of("GET"), path = text_of("/");
	struct http_host host = { .port = 443 };
	struct http_asked asked;

	(void)state;
	asked_note(&asked, &method, &path);
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(host.name.text, sizeof host.name.text, "a%u.example", i);
		tally_add(&u, &t, &host, false, false, &asked, 200);
	}
	assert_int_equal(u.n, HTTP_ROWS_MAX / 4 * 3 + 1);
	assert_string_equal(u.rows[u.n - 1].name.text, "");
	assert_int_equal(u.rows[u.n - 1].count, 200 - HTTP_ROWS_MAX / 4 * 3);
	assert_int_equal(u.more, 0);
	(void)snprintf(host.name.text, sizeof host.name.text, "%s", "a0.example");
	tally_add(&u, &t, &host, false, false, &asked, 200);
	assert_int_equal(u.rows[0].count, 2);
}

/* What would allow a document is said, if anything would. */
static void documents_are_refused_with_a_grant(void **state)
{
	static const struct {
		const char *terms, *query, *message, *hint;
	} rows[] = {
		{ "graphql='query me'", "query={you}", "query you is not granted",
		  "added to the graphql of the grant h.example:443, this allows it: query you" },
		{ "graphql='query me'", "query={me%20you}", "query you is not granted",
		  "added to the graphql of the grant h.example:443, this allows it: query you" },
		{ "graphql='query me'", "", "it asks for nothing of GraphQL",
		  "each request to h.example:443 has to be one of GraphQL, as its grant names no path for that: http='GRAPHQL /graphql' does" },
		{ "http='GRAPHQL /g' graphql='query me'", "", "it asks for nothing of GraphQL", "" },
		{ "http='GRAPHQL /g' graphql='query me'", "query={", "the document ends", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct judge j = { .object = "h.example:443" };
		struct verdict v = { .status = 0 };
		struct graphql_verdict g;
		struct err e;

		assert_int_equal(terms_take(rows[i].terms, &j.terms, &e), 0);
		graphql_judge(&j.terms, GRAPHQL_PARAMETERS, rows[i].query, strlen(rows[i].query), &g);
		assert_false(g.allowed);
		judge_refuse_document(&j, &g, &v);
		assert_int_equal(v.status, 403);
		if (strstr(v.why.msg, rows[i].message) == NULL || strcmp(v.why.hint, rows[i].hint) != 0)
			fail_msg("row %zu: %s | %s", i, v.why.msg, v.why.hint);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_are_refused_with_a_grant),
		cmocka_unit_test(requests_are_judged),
		cmocka_unit_test(a_document_stands_in_one_place),
		cmocka_unit_test(a_body_is_looked_at),
		cmocka_unit_test(another_host_is_refused),
		cmocka_unit_test(uses_are_of_requests),
		cmocka_unit_test(a_rate_is_of_requests),
		cmocka_unit_test(what_was_asked_for_is_counted),
		cmocka_unit_test(refusals_leave_room),
		cmocka_unit_test(who_learns_is_told_of_kinds),
		cmocka_unit_test(kinds_leave_room_for_rules),
		cmocka_unit_test(what_was_not_done_leaves_room),
		cmocka_unit_test(many_hosts_are_told_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
