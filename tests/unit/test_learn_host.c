/* What is learned of a grant that says which requests may pass: those that were sent, and never more than was granted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cell/spec.h"
#include "explain/learn.h"
#include "policy/yaml.h"
#include "prop.h"
#include "sample_results.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define HOST "inet api.example:443 "
#define NOT_TOLD "    # Not all that was sent could be told: here stands what was granted.\n"

static uint32_t add_grant(struct event_result *r, const char *object, const char *terms, const struct qualifiers *q)
{
	struct grant_set *set = (struct grant_set *)(uintptr_t)r->grants; /* made by sample_grant: not constant */
	uint32_t id = 0;

	assert_int_equal(grant_add_qualified(set, VERB_CONNECT, object, 0, q, terms, NULL, &id, NULL), 0);
	return id;
}

static void begin(struct event_result *r)
{
	sample_make(sample_find("output-text"), r);
	r->base = CELL_BASE_HOST;
	(void)sample_grant(r, VERB_ENV, "TERM");
}

/* Lines "METHOD PATH STATUS"; with `!` before it, one that was refused. */
static void add_requests(struct event_result *r, uint32_t grant, const char *host, const char *lines)
{
	while (*lines != 0) {
		const size_t n = strcspn(lines, "\n");
		const bool refused = lines[0] == '!';
		char object[512];

		(void)snprintf(object, sizeof object, "%s%.*s", host, (int)n - refused, lines + refused);
		sample_effect(r, EFFECT_REQUEST, refused ? EFFECT_DENIED_REQUEST : EFFECT_ALLOWED,
			      refused ? GRANT_NONE : grant, 1, object);
		lines += n + (lines[n] != 0);
	}
}

/* The policy, from its first `connect` to its limits. */
static void learned_text(const struct event_result *r, char *ret, size_t size)
{
	struct learned l;
	struct err e;
	const char *from, *to;
	auto_buf out = { .max = 0 };

	buf_init(&out, 1u << 20);
	assert_int_equal(learned_from(r, &l, &e), 0);
	learn_write(&l, r, false, &out);
	assert_non_null(buf_cstr(&out));
	from = strstr((const char *)out.data, "  - connect");
	if (from == NULL)
		from = strstr((const char *)out.data, "# decide");
	to = strstr((const char *)out.data, "# Limits");
	assert_true(to != NULL && (from == NULL || to >= from));
	(void)snprintf(ret, size, "%.*s", from == NULL ? 0 : (int)(to - from), from == NULL ? "" : from);
	learned_finish(&l);
}

static void the_requests_that_were_sent_are_granted(void **state)
{
	static const struct {
		const char *name, *terms, *requests, *text;
	} rows[] = {
		{ "what was used", "http='* /**' secret='github as basic:\"x\\'",
		  "GET /repos/acme/shop 200\nPOST /repos/acme/shop/issues/* 201\nGET /repos/acme/shop 304\n",
		  "    http: [\"GET /repos/acme/shop\", \"POST /repos/acme/shop/issues/*\"]\n"
		  "    secret: 'github as basic:\"x\\'\n" },
		{ "a secret alone meant every path", "secret='x as query:key' credentials=replace", "GET /a 404\n",
		  "    http: [\"GET /a\"]\n    secret: 'x as query:key'\n    credentials: 'replace'\n" },
		{ "what one rule means is one rule", "http='* /**'",
		  "HEAD /a/b 200\nGET /a/* 200\nGET /a/b 200\nPOST /a/b 200\n",
		  "    http: [\"GET /a/*\", \"POST /a/b\"]\n" },
		{ "nothing was sent: it is to be decided", "http='* /b/**, GET /a' secret='x as bearer'",
		  "!GET /c 400\n",
		  "# decide: connect: api.example:443 with http='* /b/**, GET /a' secret='x as bearer'  -- it was connected to, and no request was let pass\n" },
		{ "what was not told: as it was granted", "http='GET /a/**'", "GET /a/b 200\nGET - 200\n",
		  NOT_TOLD "    http: [\"GET /a/**\"]\n" },
		{ "so is what is told by its rule alone", "http='* /**'", "GET /a/b 200\nPOST /** 200\n",
		  NOT_TOLD "    http: [\"GET /a/b\", \"POST /**\"]\n" },
		{ "never more than was granted", "http='GET /a/**'", "GET /a/b 200\nGET /** 200\n",
		  NOT_TOLD "    http: [\"GET /a/**\"]\n" },
		{ "a method that is none, or no rule's", "http='* /**, GRAPHQL /g' graphql='query *'",
		  "GRAPHQL /a 200\nA_B /a 200\nGET /b 200\nGET /g#query:me 200\n",
		  "    # A method that no rule can name was used, and is not granted.\n"
		  "    http: [\"GET /b\", \"GRAPHQL /g\"]\n    graphql: {query: [\"me\"]}\n" },
		{ "nothing but such a method", "http='* /**'", "A_B /a 200\n",
		  "# decide: connect: api.example:443 with http='* /**'  -- it was connected to, and no request was let pass\n" },
		{ "two secrets", "http='* /**' secret='b as basic:me, a as form:token'", "POST /a 200\n",
		  "    http: [\"POST /a\"]\n    secret: 'b as basic:me, a as form:token'\n" },
		{ "a field that was refused for something else", "http='GRAPHQL /g' graphql='query *'",
		  "POST /g#query:me 200\n!POST /g#query:you 403\n",
		  "    http: [\"GRAPHQL /g\"]\n    graphql: {query: [\"me\"]}\n" },
		{ "documents stay documents", "http='* /**, GRAPHQL /g' graphql='query *, mutation *'",
		  "POST /g#query:me 200\nPOST /g#mutation:createIssue 200\nGET /a 200\nPOST /g#query:me 502\n",
		  "    http: [\"GET /a\", \"GRAPHQL /g\"]\n    graphql: {query: [\"me\"], mutation: [\"createIssue\"]}\n" },
		{ "every request was a document",
		  "graphql='query *, persisted "
		  "0000000000000000000000000000000000000000000000000000000000000000'",
		  "POST /g#query:me 200\n",
		  "    http: [\"GRAPHQL /g\"]\n    graphql: {query: [\"me\"], persisted: "
		  "[\"0000000000000000000000000000000000000000000000000000000000000000\"]}\n" },
		{ "no field is told: all that were granted", "http='GRAPHQL /g' graphql='query *'",
		  "POST /g#query:me 200\nPOST /g 200\n",
		  NOT_TOLD "    http: [\"GRAPHQL /g\"]\n    graphql: {query: [\"*\"]}\n" },
		{ "no document was sent", "http='GET /**, GRAPHQL /g' graphql='query *'", "GET /a 200\n",
		  "    http: [\"GET /a\"]\n" },
		{ "what was refused is to be decided", "http='GET /a/**' secret='x as bearer'",
		  "GET /a/b 200\n!DELETE /a/17 403\n!GET /user 403\n!GET /user 429\n!GET /a/b 403\n!GET (a-credential) 403\n!GET /../x 400\n",
		  "    http: [\"GET /a/b\"]\n    secret: 'x as bearer'\n"
		  "# decide: connect: api.example:443 with http: [DELETE /a/*]  -- no rule of its grant means it, so it was not sent\n"
		  "# decide: connect: api.example:443 with http: [GET /user]  -- no rule of its grant means it, so it was not sent\n" },
		{ "so is a field", "http='GRAPHQL /g' graphql='query me'",
		  "POST /g#query:me 200\n!POST /g#mutation:volumeDelete 403\n!POST /g 403\n",
		  "    http: [\"GRAPHQL /g\"]\n    graphql: {query: [\"me\"]}\n"
		  "# decide: connect: api.example:443 with graphql: [mutation volumeDelete]  -- its grant does not allow that field, so it was not sent\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[4096], want[4096];
		struct event_result r;
		uint32_t grant;

		begin(&r);
		grant = add_grant(&r, "api.example:443", rows[i].terms, &(struct qualifiers){ .ech = 0 });
		sample_effect(&r, EFFECT_CONNECT, EFFECT_ALLOWED, grant, 1, "inet api.example:443");
		add_requests(&r, grant, HOST, rows[i].requests);
		learned_text(&r, text, sizeof text);
		(void)snprintf(want, sizeof want, "%s%s",
			       rows[i].text[0] == '#' ? "" : "  - connect: api.example:443\n", rows[i].text);
		if (strcmp(text, want) != 0)
			fail_msg("%s:\n%s--- expected:\n%s", rows[i].name, text, want);
		sample_finish(&r);
	}
}

/* Words behind an object stay; a budget is not given to each of the hosts that shared it. */
static void budgets_stay(void **state)
{
	static const struct {
		const char *object;
		struct qualifiers q;
		const char *text;
	} rows[] = {
		{ "api.example:443",
		  { .uses = 5, .bytes = 10u << 20, .rate = 10, .period_s = 60, .ech = 1, .until_s = 1796083200 },
		  "  - connect: api.example:443\n    uses: 5\n    bytes: 10M\n    rate: 10/m\n    ech: true\n"
		  "    until: \"2026-12-01T00:00:00Z\"\n    http: [\"GET /a\"]\n" },
		{ "*:443",
		  { .until_s = 1796083200 },
		  "  - connect: api.example:443\n    until: \"2026-12-01T00:00:00Z\"\n    http: [\"GET /a\"]\n" },
		{ "api.example:443",
		  { .between = { 540, 1080, "Europe/Berlin" } },
		  "  - connect: api.example:443\n    between: 09:00-18:00 Europe/Berlin\n    http: [\"GET /a\"]\n" },
		{ "*:443", { .uses = 5 }, "  - connect: \"*:443\"\n    uses: 5\n    http: [\"GET /a\"]\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct event_result r;
		char text[4096];
		uint32_t grant;

		begin(&r);
		grant = add_grant(&r, rows[i].object, "http='GET /**'", &rows[i].q);
		sample_effect(&r, EFFECT_CONNECT, EFFECT_ALLOWED, grant, 1, "inet api.example:443");
		add_requests(&r, grant, HOST, "GET /a 200\n");
		learned_text(&r, text, sizeof text);
		if (strcmp(text, rows[i].text) != 0)
			fail_msg("%s:\n%s--- expected:\n%s", rows[i].object, text, rows[i].text);
		sample_finish(&r);
	}
}

static void labels_stay(void **state)
{
	static const char expected[] =
		"  - connect: api.example:443\n    label: [\"untrusted\"]\n    unless: [[\"a\", \"b\"], [\"c\"]]\n"
		"    ask: labelled\n    http: [\"GET /a\"]\n"
		"  - connect: b.example:443\n    unless: none\n";
	static const struct qualifiers none;
	struct event_result r;
	struct grant_set *set;
	struct learned l;
	struct err e;
	uint32_t id, other;
	auto_buf out = { .max = 1u << 16 };

	(void)state;
	begin(&r);
	set = (struct grant_set *)(uintptr_t)r.grants; /* made by sample_grant: not constant */
	assert_int_equal(grant_add_qualified(set, VERB_CONNECT, "api.example:443", 0, &none, "http='GET /**'",
					     "label=untrusted unless=a+b,c ask=labelled", &id, NULL),
			 0);
	assert_int_equal(
		grant_add_qualified(set, VERB_CONNECT, "b.example:443", 0, &none, "", "unless=none", &other, NULL), 0);
	assert_int_equal(
		grant_add_qualified(set, VERB_READ, "/srv/mail", 0, &none, "", "label=mail+private", NULL, NULL), 0);
	assert_int_equal(grant_add_qualified(set, VERB_READ, "/srv/mail/in", 0, &none, "", "label=in", NULL, NULL), 0);
	assert_int_equal(grant_add_qualified(set, VERB_ENV, "TOKEN", 0, &none, "", "label=private", NULL, NULL), 0);
	sample_effect(&r, EFFECT_CONNECT, EFFECT_ALLOWED, id, 1, "inet api.example:443");
	add_requests(&r, id, HOST, "GET /a 200\n");
	sample_effect(&r, EFFECT_CONNECT, EFFECT_ALLOWED, other, 1, "inet b.example:443");
	sample_effect(&r, EFFECT_READ, EFFECT_ALLOWED, id + 2, 1, "/srv/mail/in/x");
	assert_int_equal(learned_from(&r, &l, &e), 0);
	learn_write(&l, &r, false, &out);
	assert_non_null(buf_cstr(&out));
	if (strstr((const char *)out.data, expected) == NULL ||
	    strstr((const char *)out.data, "  - read: /srv/mail/in/x\n    label: [\"in\", \"mail\", \"private\"]\n") ==
		    NULL ||
	    strstr((const char *)out.data, "  - env: [\"TERM\"]\n  - env: \"TOKEN\"\n    label: [\"private\"]\n") ==
		    NULL)
		fail_msg("%s", (const char *)out.data);
	learned_finish(&l);
	sample_finish(&r);
}

/* More than a grant has room for: the rules that were granted. */
static void many_rules_are_as_they_were_granted(void **state)
{
	(void)state;
	for (unsigned n = TERMS_RULES_MAX; n <= TERMS_RULES_MAX + 1; n++) {
		struct event_result r;
		char text[8192], line[64];
		uint32_t grant;

		begin(&r);
		grant = add_grant(&r, "api.example:443", "http='GET /**'", &(struct qualifiers){ .ech = 0 });
		for (unsigned i = 0; i < n; i++) {
			(void)snprintf(line, sizeof line, "GET /a%u 200\n", i);
			add_requests(&r, grant, HOST, line);
		}
		learned_text(&r, text, sizeof text);
		assert_int_equal(strstr(text, "GET /a31") != NULL, n == TERMS_RULES_MAX);
		assert_int_equal(strstr(text, "http: [\"GET /**\"]") != NULL, n > TERMS_RULES_MAX);
		assert_int_equal(strstr(text, NOT_TOLD) != NULL, n > TERMS_RULES_MAX);
		sample_finish(&r);
	}
}

/* ---- property ---- */

static const char *const terms_of[] = {
	"http='* /**'",
	"http='GET /a/**, POST /b'",
	"http='GET /**, GRAPHQL /g' graphql='query *'",
	"http='GRAPHQL /**' graphql='query *, mutation a'",
	"graphql='query *, mutation *'",
	"secret='x as bearer'",
	"http='* /**' secret='b as basic:me, a as form:token' credentials=replace",
	"http='GET /**' secret='x as header:x-key' credentials=replace",
};
static const char *const paths[] = { "/a", "/a/b", "/a/*",   "/b", "/g", "/g#query:me", "/g#mutation:a",
				     "/*", "/**",  "/c/%2A", "-" };
static const char *const methods[] = { "GET", "HEAD", "POST", "DELETE" };

static void shuffle(struct prop *p, struct event_result *r)
{
	for (size_t i = r->n_effects; i > 1; i--) {
		const size_t k = prop_below(p, (uint32_t)i);
		const struct effect f = r->effects[i - 1];

		r->effects[i - 1] = r->effects[k];
		r->effects[k] = f;
	}
}

/* What was learned, read as a policy, is within what was granted, and means what was sent. */
static void check(struct prop *p, const struct terms *granted, const struct event_result *r, const struct terms *got,
		  const char *text)
{
	if (!terms_are_within(got, granted))
		prop_fail(p, "more than was granted:\n%s", text);
	for (size_t i = 0; i < r->n_effects; i++) {
		struct http_told t;
		char path[HTTP_PATH_MAX];

		if (r->effects[i].kind != EFFECT_REQUEST || !http_told_take(r->effects[i].object, &t) ||
		    strchr(t.path, '*') != NULL || http_path_take(t.path, strlen(t.path), path, sizeof path) != NULL ||
		    terms_rule_of(granted, t.method, path) < 0)
			continue;
		if (got->n_rules > 0 && terms_rule_of(got, t.method, path) < 0)
			prop_fail(p, "%s %s was sent, and is not granted:\n%s", t.method, t.path, text);
	}
}

static void take_policy(struct prop *p, const char *text, struct terms *ret)
{
	static struct policy policy;
	struct policy_mistake m = { .line = 0 };
	char whole[8192];

	(void)snprintf(whole, sizeof whole, "version: 1\ngrants:\n%s", text);
	memset(&policy, 0, sizeof policy);
	if (policy_parse_yaml((const uint8_t *)whole, strlen(whole), &policy, &m) != 0 || policy.n_lines != 1 ||
	    terms_take(policy_terms(&policy, &policy.lines[0]), ret, NULL) != 0)
		prop_fail(p, "line %u: %s\n%s", m.line, m.err.msg, whole);
}

static void nothing_is_learned_that_was_not_granted(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < prop_rounds(600); round++) {
		struct prop p = prop_round(round);
		const char *terms = terms_of[prop_below(&p, COUNT(terms_of))];
		char text[4096], other[4096], line[128];
		struct terms granted, got;
		struct event_result r;
		uint32_t grant;

		begin(&r);
		grant = add_grant(&r, "api.example:443", terms, &(struct qualifiers){ .ech = 0 });
		for (uint32_t i = 1 + prop_below(&p, 12); i > 0; i--) {
			(void)snprintf(line, sizeof line, "%s %s 200", methods[prop_below(&p, COUNT(methods))],
				       paths[prop_below(&p, COUNT(paths))]);
			add_requests(&r, grant, HOST, line);
		}
		learned_text(&r, text, sizeof text);
		take_policy(&p, text, &got);
		assert_int_equal(terms_take(terms, &granted, NULL), 0);
		check(&p, &granted, &r, &got, text);
		shuffle(&p, &r);
		learned_text(&r, other, sizeof other);
		if (strcmp(text, other) != 0)
			prop_fail(&p, "another order, another policy\n%s---\n%s", text, other);
		sample_finish(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_requests_that_were_sent_are_granted),
		cmocka_unit_test(budgets_stay),
		cmocka_unit_test(labels_stay),
		cmocka_unit_test(many_rules_are_as_they_were_granted),
		cmocka_unit_test(nothing_is_learned_that_was_not_granted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
