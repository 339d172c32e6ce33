/* Terms: each value as it is written and read, what makes no sense, which allow no more than others, and which rule means a request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/terms.h"
#include "err_text.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST_2 "f123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void a_value_has_one_way_of_being_written(void **state)
{
	static const struct {
		enum term which;
		const char *value, *again;
	} rows[] = {
		{ TERM_HTTP, "GET /repos/**", "GET /repos/**" },
		{ TERM_HTTP, "  GET   /repos/**  ", "GET /repos/**" },
		{ TERM_HTTP, "POST /x,GET /repos/**", "GET /repos/**, POST /x" },
		{ TERM_HTTP, "GET /b, GET /a, GET /b", "GET /a, GET /b" },
		{ TERM_HTTP, "GET /%61/**/**", "GET /a/**" },
		{ TERM_HTTP, "* /", "* /" },
		{ TERM_HTTP, "GRAPHQL /graphql", "GRAPHQL /graphql" },
		{ TERM_HTTP, "VERSION-CONTROL /x", "VERSION-CONTROL /x" },
		{ TERM_HTTP, "M-SEARCH /a%2Cb%27", "M-SEARCH /a%2Cb%27" },
		{ TERM_GRAPHQL, "query *", "query *" },
		{ TERM_GRAPHQL, "mutation createIssue,query   viewer", "query viewer, mutation createIssue" },
		{ TERM_GRAPHQL, "subscription _a1, mutation b, mutation a, query z",
		  "query z, mutation a, mutation b, subscription _a1" },
		{ TERM_GRAPHQL, "query a, query a", "query a" },
		{ TERM_GRAPHQL, "persisted " DIGEST_2 ", persisted " DIGEST ",persisted " DIGEST,
		  "persisted " DIGEST ", persisted " DIGEST_2 },
		{ TERM_GRAPHQL, "persisted F123456789ABCDEF0123456789ABCDEF0123456789abcdef0123456789abcdef, query x",
		  "query x, persisted " DIGEST_2 },
		{ TERM_SECRET, "github", "github as bearer" },
		{ TERM_SECRET, " github ", "github as bearer" },
		{ TERM_SECRET, "github as bearer", "github as bearer" },
		{ TERM_SECRET, "github  as   bearer", "github as bearer" },
		{ TERM_SECRET, "github as header:Authorization:Bearer", "github as bearer" },
		{ TERM_SECRET, "github as header:authorization:token", "github as header:authorization:token" },
		{ TERM_SECRET, "a.b_c-1 as header:X-Api-Key", "a.b_c-1 as header:x-api-key" },
		{ TERM_SECRET, "a as header:cookie", "a as header:cookie" },
		{ TERM_SECRET, "-a as basic:x-access-token", "-a as basic:x-access-token" },
		{ TERM_SECRET, "_a as basic:me@example.com", "_a as basic:me@example.com" },
		{ TERM_SECRET, "a as query:api_key", "a as query:api_key" },
		{ TERM_SECRET, "a as form:Token", "a as form:Token" },
		{ TERM_SECRET, "a as form:token,b as basic:me", "b as basic:me, a as form:token" },
		{ TERM_SECRET, "b , a as query:k", "b as bearer, a as query:k" },
		{ TERM_SECRET, "a as header:z, a as header:y", "a as header:y, a as header:z" },
		{ TERM_SECRET, "a as form:k, b as query:k", "b as query:k, a as form:k" },
		{ TERM_CREDENTIALS, "replace", "replace" },
		{ TERM_CREDENTIALS, "pass", "pass" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct terms t = { .credentials = TERMS_REFUSE };
		char text[TERMS_TEXT_MAX];
		struct err e;

		if (terms_set(&t, rows[i].which, rows[i].value, &e) != 0)
			fail_msg("%s: %s", rows[i].value, err_text(&e).s);
		term_format(&t, rows[i].which, text);
		assert_string_equal(text, rows[i].again);
		for (enum term w = 0; w < TERM_COUNT; w++) {
			assert_int_equal(terms_has(&t, w), w == rows[i].which);
			term_format(&t, w, text);
			assert_int_equal(text[0] != 0, w == rows[i].which);
		}
		assert_false(terms_are_none(&t));
	}
}

static void what_is_no_value_is_refused(void **state)
{
	static const struct {
		enum term which;
		const char *value, *in_message;
	} rows[] = {
		{ TERM_HTTP, "", "is not a method and a path" },
		{ TERM_HTTP, "GET", "is not a method and a path" },
		{ TERM_HTTP, "GET ", "is not a method and a path" },
		{ TERM_HTTP, "/repos", "is not a method and a path" },
		{ TERM_HTTP, "GET /a,", "is not a method and a path" },
		{ TERM_HTTP, ",GET /a", "is not a method and a path" },
		{ TERM_HTTP, "GET /a,,GET /b", "is not a method and a path" },
		{ TERM_HTTP, "get /a", "is not a method" },
		{ TERM_HTTP, "CONNECT /a", "is not a method" },
		{ TERM_HTTP, "TRACE /a", "is not a method" },
		{ TERM_HTTP, "-A /a", "is not a method" },
		{ TERM_HTTP, "G*T /a", "is not a method" },
		{ TERM_HTTP, "GET\t/a", "is not a method" },
		{ TERM_HTTP, "ABCDEFGHIJKLMNOPQRSTUVWX /a", "is not a method" },
		{ TERM_HTTP, "GET a", "does not begin with a slash" },
		{ TERM_HTTP, "GET /a b", "must be percent-encoded" },
		{ TERM_HTTP, "GET /a?b", "has a query" },
		{ TERM_HTTP, "GET /../a", "has a part of dots alone" },
		{ TERM_HTTP, "GET /a**", "has ** beside" },
		{ TERM_HTTP, "GET https://x/a", "does not begin with a slash" },
		{ TERM_GRAPHQL, "", "is not an operation and a field" },
		{ TERM_GRAPHQL, "query", "is not an operation and a field" },
		{ TERM_GRAPHQL, "query 1a", "is not an operation and a field" },
		{ TERM_GRAPHQL, "query a-b", "is not an operation and a field" },
		{ TERM_GRAPHQL, "query a b", "is not an operation and a field" },
		{ TERM_GRAPHQL, "query a*", "is not an operation and a field" },
		{ TERM_GRAPHQL, "Query a", "is not an operation and a field" },
		{ TERM_GRAPHQL, "fragment a", "is not an operation and a field" },
		{ TERM_GRAPHQL, "query a,", "is not an operation and a field" },
		{ TERM_GRAPHQL, "persisted", "is not the digest" },
		{ TERM_GRAPHQL, "persisted *", "is not the digest" },
		{ TERM_GRAPHQL, "persisted 0123", "is not the digest" },
		{ TERM_GRAPHQL, "persisted g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		  "is not the digest" },
		{ TERM_GRAPHQL, "persisted " DIGEST "0", "is not the digest" },
		{ TERM_SECRET, "", "is not the name" },
		{ TERM_SECRET, ".a", "is not the name" },
		{ TERM_SECRET, "../a", "is not the name" },
		{ TERM_SECRET, "a/b", "is not the name" },
		{ TERM_SECRET, "a'b", "is not the name" },
		{ TERM_SECRET, "a as", "where the secret goes" },
		{ TERM_SECRET, "a in bearer", "where the secret goes" },
		{ TERM_SECRET, "a bearer", "where the secret goes" },
		{ TERM_SECRET, "a as bearer:x", "where the secret goes" },
		{ TERM_SECRET, "a as bearer x", "where the secret goes" },
		{ TERM_SECRET, "a as basic", "where the secret goes" },
		{ TERM_SECRET, "a as basic:", "where the secret goes" },
		{ TERM_SECRET, "a as basic:b:c", "where the secret goes" },
		{ TERM_SECRET, "a as basic:b'c", "where the secret goes" },
		{ TERM_SECRET, "a as header", "where the secret goes" },
		{ TERM_SECRET, "a as header:", "where the secret goes" },
		{ TERM_SECRET, "a as header:x:", "where the secret goes" },
		{ TERM_SECRET, "a as header::x", "where the secret goes" },
		{ TERM_SECRET, "a as header:x:y:z", "where the secret goes" },
		{ TERM_SECRET, "a as header:x y", "where the secret goes" },
		{ TERM_SECRET, "a as header:(x)", "where the secret goes" },
		{ TERM_SECRET, "a as header:x\r\nb", "where the secret goes" },
		{ TERM_SECRET, "a as header:x:y\x01", "where the secret goes" },
		{ TERM_SECRET, "a as header:Host", "where the secret goes" },
		{ TERM_SECRET, "a as header:content-length", "where the secret goes" },
		{ TERM_SECRET, "a as header:Transfer-Encoding", "where the secret goes" },
		{ TERM_SECRET, "a as header:connection", "where the secret goes" },
		{ TERM_SECRET, "a as header:te", "where the secret goes" },
		{ TERM_SECRET, "a as header:trailer", "where the secret goes" },
		{ TERM_SECRET, "a as header:upgrade", "where the secret goes" },
		{ TERM_SECRET, "a as header:expect", "where the secret goes" },
		{ TERM_SECRET, "a as header:keep-alive", "where the secret goes" },
		{ TERM_SECRET, "a as header:Content-Type", "where the secret goes" },
		{ TERM_SECRET, "a as header:content-encoding", "where the secret goes" },
		{ TERM_SECRET, "a as header:Proxy-Authorization", "where the secret goes" },
		{ TERM_SECRET, "a as header:Proxy_Authorization", "where the secret goes" },
		{ TERM_SECRET, "a as header:Content_Type", "where the secret goes" },
		{ TERM_SECRET, "a as header:transfer.encoding", "where the secret goes" },
		{ TERM_SECRET, "a as query:", "where the secret goes" },
		{ TERM_SECRET, "a as query:a&b", "where the secret goes" },
		{ TERM_SECRET, "a as query:a=b", "where the secret goes" },
		{ TERM_SECRET, "a as cookie:x", "where the secret goes" },
		{ TERM_SECRET, "a as x:y", "where the secret goes" },
		{ TERM_SECRET, "a as form", "where the secret goes" },
		{ TERM_SECRET, "a as form:", "where the secret goes" },
		{ TERM_SECRET, "a as form:a&b", "where the secret goes" },
		{ TERM_SECRET, "a as form:a[b]", "where the secret goes" },
		{ TERM_SECRET, "a,", "is not the name" },
		{ TERM_SECRET, "a, b as cookie:x", "'b as cookie:x' does not say" },
		{ TERM_SECRET, "a, b", "'b' goes where another" },
		{ TERM_SECRET, "a, a", "'a' goes where another" },
		{ TERM_SECRET, "a, b as basic:me", "goes where another" },
		{ TERM_SECRET, "a as basic:me, b as basic:you", "goes where another" },
		{ TERM_SECRET, "a as header:authorization:token, b as bearer", "goes where another" },
		{ TERM_SECRET, "a as header:x-api-key, b as header:X_Api_Key", "goes where another" },
		{ TERM_SECRET, "a as query:api_key, b as query:API-key", "goes where another" },
		{ TERM_SECRET, "a as form:api.key, b as form:api_key", "goes where another" },
		{ TERM_CREDENTIALS, "", "is not a value" },
		{ TERM_CREDENTIALS, "refuse", "is not a value" },
		{ TERM_CREDENTIALS, "Pass", "is not a value" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct terms t = { .credentials = TERMS_REFUSE };
		char text[TERMS_TEXT_MAX];
		struct err e;

		assert_int_equal(terms_set(&t, TERM_HTTP, "GET /kept", &e), 0);
		if (terms_set(&t, rows[i].which, rows[i].value, &e) != -AMBIT_MALFORMED || e.hint[0] == 0 ||
		    strncmp(e.msg, term_word(rows[i].which), strlen(term_word(rows[i].which))) != 0 ||
		    strstr(e.msg, rows[i].in_message) == NULL)
			fail_msg("%s '%s'", term_word(rows[i].which), rows[i].value);
		terms_format(&t, text);
		assert_string_equal(text, "http='GET /kept'");
	}
}

static void names_are_as_long_as_there_is_room(void **state)
{
	char value[3 * TERMS_NAME_MAX];
	struct terms t = { .credentials = TERMS_REFUSE };

	(void)state;
	(void)snprintf(value, sizeof value, "%0*d", TERMS_NAME_MAX - 1, 1);
	assert_int_equal(terms_set(&t, TERM_SECRET, value, NULL), 0);
	(void)snprintf(value, sizeof value, "%0*d", TERMS_NAME_MAX, 1);
	assert_int_equal(terms_set(&t, TERM_SECRET, value, NULL), -AMBIT_MALFORMED);
	(void)snprintf(value, sizeof value, "query a%0*d", TERMS_NAME_MAX - 2, 1);
	assert_int_equal(terms_set(&t, TERM_GRAPHQL, value, NULL), 0);
	(void)snprintf(value, sizeof value, "query a%0*d", TERMS_NAME_MAX - 1, 1);
	assert_int_equal(terms_set(&t, TERM_GRAPHQL, value, NULL), -AMBIT_MALFORMED);
}

/* n times a text with a number in it, and commas between. */
static int set_many(struct terms *t, enum term which, const char *before, int digits, int n)
{
	static char value[1 << 16];
	size_t at = 0;

	for (int i = 0; i < n; i++)
		at += (size_t)snprintf(value + at, sizeof value - at, "%s%s%0*d", i > 0 ? "," : "", before, digits, i);
	return terms_set(t, which, value, NULL);
}

static void there_are_as_many_as_there_is_room(void **state)
{
	static const struct {
		enum term which;
		const char *before;
		int digits, n, rc;
	} rows[] = {
		{ TERM_HTTP, "GET /", 3, TERMS_RULES_MAX, 0 },
		{ TERM_HTTP, "GET /", 3, TERMS_RULES_MAX + 1, -AMBIT_LIMIT },
		{ TERM_HTTP, "GET /", 200, TERMS_RULES_MAX, -AMBIT_LIMIT }, /* the text of all */
		{ TERM_HTTP, "GET /", 254, 1, 0 },
		{ TERM_HTTP, "GET /", 255, 1, -AMBIT_MALFORMED },
		{ TERM_GRAPHQL, "query f", 3, TERMS_OPERATIONS_MAX, 0 },
		{ TERM_GRAPHQL, "query f", 3, TERMS_OPERATIONS_MAX + 1, -AMBIT_LIMIT },
		{ TERM_GRAPHQL, "query f", 60, TERMS_OPERATIONS_MAX, -AMBIT_LIMIT },
		{ TERM_GRAPHQL, "persisted ", 64, TERMS_LISTED_MAX, 0 },
		{ TERM_GRAPHQL, "persisted ", 64, TERMS_LISTED_MAX + 1, -AMBIT_LIMIT },
		{ TERM_SECRET, "a as query:k", 1, TERMS_SECRETS_MAX, 0 },
		{ TERM_SECRET, "a as query:k", 1, TERMS_SECRETS_MAX + 1, -AMBIT_LIMIT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct terms t = { .credentials = TERMS_REFUSE };

		if (set_many(&t, rows[i].which, rows[i].before, rows[i].digits, rows[i].n) != rows[i].rc)
			fail_msg("%d times %s", rows[i].n, rows[i].before);
		assert_int_equal(terms_are_none(&t), rows[i].rc != 0);
	}
}

/* What a text is, which is terms as they are written, or fails. "": none. */
static struct terms terms_of(const char *text)
{
	struct terms t = { .credentials = TERMS_REFUSE };
	struct err e;

	if (terms_take(text, &t, &e) != 0)
		fail_msg("%s: %s", text, err_text(&e).s);
	return t;
}

static void what_was_written_is_taken_and_nothing_else(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "", true },
		{ "http='GET /a/**'", true },
		{ "http='GET /a/**, POST /b'", true },
		{ "graphql='query *'", true },
		{ "secret='github as bearer'", true },
		{ "http='GET /a/**' secret='github as bearer' credentials=replace", true },
		{ "http='GET /a' graphql='mutation b' secret='a as query:k' credentials=pass", true },
		{ "http='GET /a'", true },
		{ "http=GET", false },
		{ "http=''", false },
		{ "http='GET /a' ", false },
		{ " http='GET /a'", false },
		{ "http='GET /a'secret='github as bearer'", false },
		{ "http='GET /a'  secret='github as bearer'", false },
		{ "secret='github as bearer' http='GET /a'", false },
		{ "http='GET /a' http='GET /a'", false },
		{ "http='GET /b, GET /a'", false },
		{ "http='GET  /a'", false },
		{ "http='GET /a", false },
		{ "http=\"GET /a\"", false },
		{ "secret='github'", false },
		{ "secret=github", false },
		{ "credentials='pass' secret='github as bearer'", false },
		{ "secret='github as bearer' credentials='pass'", false },
		{ "secret='github as bearer' credentials=refuse", false },
		{ "secret='github as bearer' credentials=pass", true },
		{ "credentials=pass", false },
		{ "uses=5", false },
		{ "other='x'", false },
		{ "http", false },
		{ "=", false },
		{ "'", false },
		{ "http='GRAPHQL /graphql'", false },
		{ "http='GRAPHQL /graphql' graphql='query a'", true },
		{ "secret='b as basic:me, a as form:token'", true },
		{ "secret='a as form:token, b as basic:me'", false },
		{ "secret='a as bearer,b as query:k'", false },
		{ "secret='a as bearer, b as bearer'", false },
		{ "graphql='query a' secret='a as query:k'", true },
		{ "graphql='query a' secret='a as form:k'", false },
		{ "graphql='query a' secret='b as bearer, a as form:k'", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct terms t = { .credentials = TERMS_PASS };
		char again[TERMS_TEXT_MAX];
		const int rc = terms_take(rows[i].text, &t, NULL);

		if (rc != (rows[i].good ? 0 : -AMBIT_MALFORMED))
			fail_msg("%s", rows[i].text);
		if (!rows[i].good)
			assert_int_equal(t.credentials, TERMS_PASS);
		terms_format(&t, again);
		if (rows[i].good)
			assert_string_equal(again, rows[i].text);
	}
}

static void what_makes_no_sense_is_refused(void **state)
{
	static const struct {
		const char *http, *graphql, *secret, *credentials;
		const char *message; /* NULL: it does */
	} rows[] = {
		{ NULL, NULL, NULL, NULL, NULL },
		{ "GET /a", NULL, NULL, NULL, NULL },
		{ NULL, "query a", NULL, NULL, NULL },
		{ NULL, NULL, "a", NULL, NULL },
		{ NULL, NULL, NULL, "pass", "credentials: neither http, graphql nor secret is given" },
		{ NULL, NULL, NULL, "replace", "credentials: replace without a secret" },
		{ "GET /a", NULL, NULL, "replace", "credentials: replace without a secret" },
		{ "GET /a", NULL, NULL, "pass", NULL },
		{ NULL, "query a", NULL, "pass", NULL },
		{ NULL, NULL, "a", "replace", NULL },
		{ "GRAPHQL /a", NULL, NULL, NULL, "http: a rule says GRAPHQL, and graphql is not given" },
		{ "GRAPHQL /a", "persisted " DIGEST, NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *const values[] = { rows[i].http, rows[i].graphql, rows[i].secret, rows[i].credentials };
		struct terms t = { .credentials = TERMS_REFUSE };
		struct err e = { .msg = "" };

		for (enum term w = 0; w < TERM_COUNT; w++)
			if (values[w] != NULL)
				assert_int_equal(terms_set(&t, w, values[w], NULL), 0);
		assert_int_equal(terms_check(&t, &e), rows[i].message == NULL ? 0 : -AMBIT_MALFORMED);
		assert_string_equal(e.msg, rows[i].message == NULL ? "" : rows[i].message);
		assert_int_equal(e.hint[0] != 0, rows[i].message != NULL);
	}
}

static void which_rule_means_a_request(void **state)
{
	static const char many[] = "http='* /any/**, GET /a, GRAPHQL /any/graphql, POST /a' graphql='query x'",
			  beneath[] = "http='* /**, * /GraphQL, * /graphql/**, GRAPHQL /graphql' graphql='query x'",
			  slash[] = "http='* /**, GRAPHQL /graphql/' graphql='query x'",
			  wild[] = "http='* /**, GRAPHQL /api/*/graphql' graphql='query x'";
	static const struct {
		const char *text, *method, *path;
		int rule;
	} rows[] = {
		{ "http='GET /a'", "GET", "/a", 0 },
		{ "http='GET /a'", "HEAD", "/a", 0 },
		{ "http='GET /a'", "POST", "/a", -1 },
		{ "http='GET /a'", "get", "/a", -1 },
		{ "http='GET /a'", "GET", "/b", -1 },
		{ "http='HEAD /a'", "GET", "/a", -1 },
		{ "http='* /a'", "DELETE", "/a", 0 },
		{ "http='* /a'", "HEAD", "/a", 0 },
		{ "http='* /a'", "CONNECT", "/a", -1 },
		{ "http='* /a'", "TRACE", "/a", -1 },
		{ "http='* /a'", "*", "/a", 0 },
		{ "graphql='query x'", "POST", "/graphql", -1 },
		{ many, "GET", "/a", 1 },
		{ many, "POST", "/a", 3 },
		{ many, "PUT", "/any/x", 0 },
		{ many, "POST", "/any/graphql", 2 },
		{ many, "GET", "/any/graphql", 2 },
		{ many, "HEAD", "/any/graphql", 2 },
		{ many, "PUT", "/any/graphql", -1 },
		{ many, "GRAPHQL", "/any/graphql", -1 },
		{ many, "POST", "/any/graphql;x", -1 },
		{ many, "POST", "/any\x01graphql", -1 },
		{ many, "POST", "/any/GraphQL", -1 }, /* as servers take it for that path, too */
		{ many, "POST", "/any/graphql/", -1 },
		{ many, "POST", "/any/graphql.json", -1 },
		{ many, "GET", "/ANY/graphql/x", -1 },
		{ many, "POST", "/any/graphql-admin", 0 },
		{ many, "POST", "/any/graphqlx", 0 },
		{ beneath, "POST", "/graphql/x", 2 },
		{ beneath, "POST", "/GRAPHQL/x", -1 },
		{ beneath, "POST", "/GraphQL", 1 },
		{ beneath, "PUT", "/x", 0 },
		{ slash, "POST", "/graphql", -1 },
		{ slash, "POST", "/x", 0 },
		{ wild, "POST", "/api/7/graphql", 1 },
		{ wild, "POST", "/API/7/graphql/", -1 },
		{ wild, "POST", "/api/7/x", 0 },
		{ "http='* /**, GRAPHQL /' graphql='query x'", "POST", "/x", 0 },
		{ "http='* /**, GRAPHQL /' graphql='query x'", "POST", "/.x/y", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct terms t = terms_of(rows[i].text);

		if (terms_rule_of(&t, rows[i].method, rows[i].path) != rows[i].rule)
			fail_msg("%s: %s %s", rows[i].text, rows[i].method, rows[i].path);
	}
}

static void when_all_has_to_be_graphql(void **state)
{
	static const struct {
		const char *text;
		bool all;
	} rows[] = {
		{ "", false },
		{ "http='GET /a'", false },
		{ "graphql='query x'", true },
		{ "graphql='persisted " DIGEST "'", true },
		{ "http='POST /graphql' graphql='query x'", true },
		{ "http='GRAPHQL /graphql' graphql='query x'", false },
		{ "http='GET /a, GRAPHQL /graphql' graphql='query x'", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct terms t = terms_of(rows[i].text);

		if (terms_are_graphql(&t) != rows[i].all)
			fail_msg("%s", rows[i].text);
	}
}

static void which_allow_no_more(void **state)
{
	static const struct {
		const char *inner, *outer;
		bool within;
	} rows[] = {
		{ "", "", true },
		{ "", "http='GET /a'", false },
		{ "", "graphql='query a'", false },
		{ "", "secret='a as bearer'", false },
		{ "http='GET /a'", "", true },
		{ "graphql='query a'", "", true },
		{ "secret='a as bearer'", "", false },
		{ "http='GET /a' credentials=pass", "", true },
		/* requests */
		{ "http='GET /a'", "http='GET /a'", true },
		{ "http='GET /a'", "http='GET /a, POST /b'", true },
		{ "http='GET /a, POST /b'", "http='GET /a'", false },
		{ "http='GET /a/x'", "http='GET /a/**'", true },
		{ "http='GET /a/**'", "http='GET /a/*'", false },
		{ "http='HEAD /a'", "http='GET /a'", true },
		{ "http='GET /a'", "http='HEAD /a'", false },
		{ "http='DELETE /a'", "http='* /**'", true },
		{ "http='* /a'", "http='DELETE /a'", false },
		{ "http='* /a'", "http='* /**'", true },
		{ "http='GET /a'", "secret='a as bearer'", true },
		{ "secret='a as bearer'", "http='GET /a' secret='a as bearer'", false },
		/* GraphQL */
		{ "graphql='query a'", "graphql='query *'", true },
		{ "graphql='query *'", "graphql='query a'", false },
		{ "graphql='query a'", "graphql='query a, mutation b'", true },
		{ "graphql='mutation a'", "graphql='query *'", false },
		{ "graphql='persisted " DIGEST "'", "graphql='query *'", false },
		{ "graphql='persisted " DIGEST "'", "graphql='persisted " DIGEST ", persisted " DIGEST_2 "'", true },
		{ "graphql='persisted " DIGEST_2 "'", "graphql='persisted " DIGEST "'", false },
		{ "http='POST /a'", "graphql='query *'", false },
		{ "http='POST /a' graphql='query a'", "graphql='query *'", true },
		{ "http='GRAPHQL /a' graphql='query a'", "graphql='query *'", true },
		{ "http='GRAPHQL /a, POST /b' graphql='query a'", "graphql='query *'", false },
		{ "graphql='query a'", "http='GRAPHQL /a' graphql='query a'", false },
		{ "http='GRAPHQL /a' graphql='query a'", "http='GRAPHQL /a, POST /b' graphql='query *'", true },
		{ "http='POST /b'", "http='GRAPHQL /a, POST /b' graphql='query *'", true },
		{ "http='POST /a'", "http='GRAPHQL /a, POST /**' graphql='query *'", false },
		{ "http='POST /**'", "http='GRAPHQL /a, POST /**' graphql='query *'", false },
		{ "http='POST /b'", "http='GRAPHQL /a, POST /**' graphql='query *'", true },
		{ "http='POST /A'", "http='GRAPHQL /a, POST /**' graphql='query *'", false },
		{ "http='POST /A'", "http='GRAPHQL /a, POST /**, POST /A' graphql='query *'", true },
		{ "http='GRAPHQL /A' graphql='query x'", "http='* /**, GRAPHQL /a' graphql='query *'", false },
		{ "http='GRAPHQL /a, POST /A' graphql='query x'", "http='GRAPHQL /a, POST /**' graphql='query *'",
		  false },
		{ "http='GRAPHQL /a, POST /**' graphql='query x'", "http='GRAPHQL /a, POST /**' graphql='query *'",
		  true },
		{ "http='GRAPHQL /a, POST /**' graphql='mutation x'", "http='GRAPHQL /a, POST /**' graphql='query *'",
		  false },
		{ "http='GRAPHQL /a' graphql='query x'", "http='* /**'", true },
		{ "http='GRAPHQL /a' graphql='query x'", "http='POST /**'", false },
		{ "http='POST /a' graphql='query x'", "http='POST /**'", true },
		/* secrets */
		{ "secret='a as bearer'", "secret='a as bearer'", true },
		{ "secret='b as bearer'", "secret='a as bearer'", false },
		{ "secret='a as query:k'", "secret='a as bearer'", false },
		{ "secret='a as header:authorization'", "secret='a as bearer'", false },
		{ "secret='a as basic:u'", "secret='a as basic:v'", false },
		{ "http='GET /a' secret='a as bearer'", "secret='a as bearer'", true },
		{ "http='GET /a'", "http='GET /a' secret='a as bearer'", true },
		{ "http='GET /a' secret='a as bearer'", "http='GET /a'", false },
		/* several */
		{ "secret='a as bearer'", "secret='a as bearer, b as query:k'", true },
		{ "secret='b as query:k'", "secret='a as bearer, b as query:k'", true },
		{ "secret='a as bearer, b as query:k'", "secret='a as bearer, b as query:k'", true },
		{ "secret='a as bearer, b as query:k'", "secret='a as bearer'", false },
		{ "secret='a as bearer, c as query:k'", "secret='a as bearer, b as query:k'", false },
		{ "secret='b as bearer, a as query:k'", "secret='a as bearer, b as query:k'", false },
		{ "secret='a as bearer' credentials=pass", "secret='a as bearer, b as query:k' credentials=pass",
		  false },
		{ "secret='a as bearer, b as query:k' credentials=pass",
		  "secret='a as bearer, b as query:k' credentials=pass", true },
		/* what is no form would pass */
		{ "http='GET /a'", "secret='a as form:k'", false },
		{ "secret='b as bearer'", "secret='b as bearer, a as form:k'", false },
		{ "http='POST /a' secret='a as form:k'", "secret='a as form:k'", true },
		{ "http='POST /a' secret='a as form:k'", "secret='a as query:k'", false },
		/* credentials */
		{ "http='GET /a'", "http='GET /a' credentials=pass", true },
		{ "http='GET /a' credentials=pass", "http='GET /a'", false },
		{ "secret='a as bearer' credentials=replace", "secret='a as bearer' credentials=replace", true },
		{ "secret='a as bearer' credentials=replace", "secret='a as bearer' credentials=pass", true },
		{ "secret='a as bearer' credentials=replace", "secret='a as bearer'", false },
		{ "secret='a as bearer' credentials=pass", "secret='a as bearer' credentials=replace", false },
		{ "http='GET /a' credentials=pass", "secret='a as bearer' credentials=pass", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct terms inner = terms_of(rows[i].inner), outer = terms_of(rows[i].outer);

		if (terms_are_within(&inner, &outer) != rows[i].within)
			fail_msg("'%s' in '%s'", rows[i].inner, rows[i].outer);
		assert_true(terms_are_within(&inner, &inner) && terms_are_within(&outer, &outer));
	}
}

/* ---- properties ---- */

static void random_list(struct prop *p, const char *const *pieces, uint32_t n, char *ret, size_t size)
{
	ret[0] = 0;
	for (uint32_t left = 1 + prop_below(p, 3); left > 0; left--) {
		const size_t at = strlen(ret);

		(void)snprintf(ret + at, size - at, "%s%s", at > 0 ? "," : "", pieces[prop_below(p, n)]);
	}
}

static struct terms random_terms(struct prop *p)
{
	static const char *const rules[] = { "GET /a",     "POST /a",    "* /a",       "GET /**",
					     "POST /*",    "* /b/**",    "HEAD /a",    "* /**",
					     "GRAPHQL /a", "DELETE /b",  "GRAPHQL /*", "POST /**",
					     "POST /A",    "GRAPHQL /B", "* /a/**",    "GRAPHQL /a/" };
	static const char listed[] = "persisted " DIGEST;
	static const char *const operations[] = { "query *", "query a", "mutation a", "mutation *", listed };
	static const char *const secrets[] = { "a",           "a as query:k", "b as basic:u", "a as query:k, b",
					       "a as form:k", "b as form:k,a" };
	static const char *const credentials[] = { "pass", "replace" };
	struct terms t = { .credentials = TERMS_REFUSE };
	char value[512];

	if (prop_below(p, 4) > 0) {
		random_list(p, rules, COUNT_OF(rules), value, sizeof value);
		assert_int_equal(terms_set(&t, TERM_HTTP, value, NULL), 0);
	}
	if (prop_below(p, 2) > 0) {
		random_list(p, operations, COUNT_OF(operations), value, sizeof value);
		assert_int_equal(terms_set(&t, TERM_GRAPHQL, value, NULL), 0);
	}
	if (prop_below(p, 4) == 0)
		assert_int_equal(
			terms_set(&t, TERM_SECRET, secrets[prop_below(p, terms_has(&t, TERM_GRAPHQL) ? 4 : 6)], NULL),
			0);
	if (prop_below(p, 4) == 0)
		assert_int_equal(terms_set(&t, TERM_CREDENTIALS, credentials[prop_below(p, 2)], NULL), 0);
	return t;
}

static void a_text_gives_the_same_terms(void **state)
{
	uint64_t taken = 0;

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(4000); round++) {
		struct prop p = prop_round(round);
		const struct terms t = random_terms(&p);
		struct terms again = { .credentials = TERMS_REFUSE };
		char once[TERMS_TEXT_MAX], twice[TERMS_TEXT_MAX];
		const bool is_good = terms_check(&t, NULL) == 0;

		terms_format(&t, once);
		if ((terms_take(once, &again, NULL) == 0) != is_good)
			prop_fail(&p, "not the same terms");
		if (!is_good)
			continue;
		terms_format(&again, twice);
		if (strcmp(once, twice) != 0)
			prop_fail(&p, "not the same terms");
		taken++;
	}
	assert_true(taken > 1000);
}

/* Said anew, from what the header says: whether a request passes that asks for one operation, or is not of GraphQL. */
static bool passes(const struct terms *t, const char *method, const char *path, const struct terms_operation *op)
{
	const int rule = terms_rule_of(t, method, path);
	bool has = false;

	if (t->n_rules > 0 && rule < 0)
		return false;
	for (uint32_t i = 0; op != NULL && i < t->n_operations; i++)
		has = has || (t->operations[i].type == op->type && (strcmp(t->operations[i].field, "*") == 0 ||
								    strcmp(t->operations[i].field, op->field) == 0));
	if (terms_are_graphql(t) || (rule >= 0 && strcmp(t->rules[rule].method, "GRAPHQL") == 0))
		return has;
	return true;
}

static void what_is_within_lets_no_other_request_pass(void **state)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "DELETE" };
	static const char *const paths[] = { "/", "/a", "/a/b", "/b", "/b/c", "/c", "/A", "/a/", "/a.x", "/B/C" };
	static const struct terms_operation operations[] = {
		{ TERMS_QUERY, "a" },
		{ TERMS_QUERY, "z" },
		{ TERMS_MUTATION, "a" },
		{ TERMS_MUTATION, "z" },
	};
	uint64_t within = 0;

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(40000); round++) {
		struct prop p = prop_round(round);
		const struct terms inner = random_terms(&p), outer = random_terms(&p);

		if (terms_check(&inner, NULL) < 0 || terms_check(&outer, NULL) < 0 || !terms_are_within(&inner, &outer))
			continue;
		within++;
		for (size_t i = 0; i < COUNT_OF(methods) * COUNT_OF(paths) * (COUNT_OF(operations) + 1); i++) {
			const char *method = methods[i % COUNT_OF(methods)];
			const char *path = paths[i / COUNT_OF(methods) % COUNT_OF(paths)];
			const size_t op = i / COUNT_OF(methods) / COUNT_OF(paths);
			const struct terms_operation *asked = op < COUNT_OF(operations) ? &operations[op] : NULL;

			if (passes(&inner, method, path, asked) && !passes(&outer, method, path, asked))
				prop_fail(&p, "passes where the outer refuses");
		}
	}
	assert_true(within > 200);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_has_one_way_of_being_written),
		cmocka_unit_test(what_is_no_value_is_refused),
		cmocka_unit_test(names_are_as_long_as_there_is_room),
		cmocka_unit_test(there_are_as_many_as_there_is_room),
		cmocka_unit_test(what_was_written_is_taken_and_nothing_else),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(which_rule_means_a_request),
		cmocka_unit_test(when_all_has_to_be_graphql),
		cmocka_unit_test(which_allow_no_more),
		cmocka_unit_test(a_text_gives_the_same_terms),
		cmocka_unit_test(what_is_within_lets_no_other_request_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
