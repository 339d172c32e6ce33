/* What is understood of what servers and browsers say of a login, and of what our own processes tell each other of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "login/read.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static struct login_answer a;
static struct login_tokens t;

static void challenges_are_read(void **state)
{
	static const struct {
		const char *field, *metadata, *scope;
	} rows[] = {
		{ "Bearer resource_metadata=\"https://a/b\"", "https://a/b", "" },
		{ "Bearer realm=\"x, resource_metadata=y\", resource_metadata=\"https://a/\\\"b\", scope=\"c d\"",
		  "https://a/\"b", "c d" },
		{ "Basic realm=\"q\", Bearer error=\"e\" , Resource_Metadata = \"no\",scope=one", "", "one" },
		{ "bearer scope=\"a\",,resource_metadata=https", "https", "a" },
		{ "Bearer resource_metadata=\"not ended", "not ended", "" },
		{ "Bearer resource_metadata=\"a\x01\"", "", "" },
		{ "Bearer", "", "" },
		{ "", "", "" },
		{ "=\"x\"", "", "" },
		{ "Bearer resource_metadata=", "", "" },
		{ "Bearer scope=\"a\\", "", "a\\" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		memset(&a, 0, sizeof a);
		read_challenge(&a, &(struct http_text){ rows[i].field, strlen(rows[i].field) });
		if (strcmp(a.text[LOGIN_METADATA], rows[i].metadata) != 0 ||
		    strcmp(a.text[LOGIN_SCOPE], rows[i].scope) != 0)
			fail_msg("%s: '%s', '%s'", rows[i].field, a.text[LOGIN_METADATA], a.text[LOGIN_SCOPE]);
	}
}

#define GOOD "{\"issuer\":\"https://a\",\"authorization_endpoint\":\"https://a/x\",\"token_endpoint\":\"https://a/t\""

static void bodies_are_read(void **state)
{
	static const struct {
		enum login_step step;
		uint16_t status;
		const char *body;
		enum login_outcome outcome;
		uint8_t flags;
	} rows[] = {
		{ LOGIN_RESOURCE, 200, "{\"resource\":\"https://a\",\"authorization_servers\":[\"https://b\"]}",
		  LOGIN_ANSWERED, 0 },
		{ LOGIN_RESOURCE, 200, "{\"resource\":\"https://a\"}", LOGIN_UNCLEAR, 0 },
		{ LOGIN_RESOURCE, 200, "{\"authorization_servers\":[7]}", LOGIN_UNCLEAR, 0 },
		{ LOGIN_RESOURCE, 200, "[]", LOGIN_UNCLEAR, 0 },
		{ LOGIN_RESOURCE, 200, "", LOGIN_UNCLEAR, 0 },
		{ LOGIN_RESOURCE, 404, "", LOGIN_REFUSED, 0 },
		{ LOGIN_RESOURCE, 302, "", LOGIN_AWAY, 0 },
		{ LOGIN_SERVER, 200, GOOD ",\"code_challenge_methods_supported\":[\"S256\"]}", LOGIN_ANSWERED,
		  LOGIN_S256 },
		{ LOGIN_SERVER, 200, GOOD ",\"code_challenge_methods_supported\":[\"s256\",7]}", LOGIN_ANSWERED, 0 },
		{ LOGIN_SERVER, 200, GOOD ",\"authorization_response_iss_parameter_supported\":true}", LOGIN_ANSWERED,
		  LOGIN_ISS },
		{ LOGIN_SERVER, 200, GOOD ",\"issuer\":\"https://b\"}", LOGIN_UNCLEAR, 0 },
		{ LOGIN_SERVER, 200, "{\"issuer\":\"https://a\"}", LOGIN_UNCLEAR, 0 },
		{ LOGIN_REGISTER, 201, "{\"client_id\":\"c\"}", LOGIN_ANSWERED, 0 },
		{ LOGIN_REGISTER, 201, "{\"client_id\":\"c d\"}", LOGIN_UNCLEAR, 0 },
		{ LOGIN_REGISTER, 201, "{\"client_id\":\"c\",\"client_secret\":\"s\"}", LOGIN_ANSWERED, LOGIN_SECRET },
		{ LOGIN_REGISTER, 201,
		  "{\"client_id\":\"c\",\"client_secret\":\"s\",\"token_endpoint_auth_method\":\"none\"}",
		  LOGIN_ANSWERED, 0 },
		{ LOGIN_TOKEN, 200, "{\"access_token\":\"t\",\"token_type\":\"bearer\"}", LOGIN_ANSWERED, 0 },
		{ LOGIN_TOKEN, 200, "{\"access_token\":\"t\"}", LOGIN_UNCLEAR, 0 },
		{ LOGIN_TOKEN, 200, "{\"access_token\":\"t\\u0000x\",\"token_type\":\"bearer\"}", LOGIN_UNCLEAR, 0 },
		{ LOGIN_TOKEN, 200, "{\"access_token\":\"\",\"token_type\":\"bearer\"}", LOGIN_UNCLEAR, 0 },
		{ LOGIN_TOKEN, 400, "{\"error\":\"invalid_grant\"}", LOGIN_REFUSED, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		memset(&a, 0, sizeof a);
		a.status = rows[i].status;
		read_body(&a, rows[i].step, rows[i].body, strlen(rows[i].body), &t);
		if (a.outcome != rows[i].outcome || a.flags != rows[i].flags)
			fail_msg("row %zu: %u, %u", i, a.outcome, a.flags);
	}
}

static void tokens_are_read(void **state)
{
	static const struct {
		const char *more, *refresh;
		uint64_t expires;
	} rows[] = {
		{ ",\"refresh_token\":\"r\",\"expires_in\":60", "r", 60 },
		{ "", "", 0 },
		{ ",\"refresh_token\":\"******\",\"expires_in\":\"60\"", "", 0 }, /* what went out, covered */
		{ ",\"refresh_token\":\"a b\",\"expires_in\":-1", "", 0 },
		{ ",\"refresh_token\":7,\"expires_in\":9223372036854775807", "", UINT32_MAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char body[512];

		(void)snprintf(body, sizeof body, "{\"access_token\":\"t\",\"token_type\":\"BEARER\"%s}", rows[i].more);
		memset(&a, 0, sizeof a);
		a.status = 200;
		read_body(&a, LOGIN_TOKEN, body, strlen(body), &t);
		assert_int_equal(a.outcome, LOGIN_ANSWERED);
		assert_string_equal(t.access, "t");
		assert_string_equal(t.refresh, rows[i].refresh);
		assert_int_equal(t.expires, rows[i].expires);
	}
}

static void what_comes_back_is_read(void **state)
{
	static const struct {
		const char *line, *code; /* NULL: refused */
	} rows[] = {
		{ "GET /callback?code=a%20b&state=s HTTP/1.1", "a b" },
		{ "GET /callback?state=s&error=denied HTTP/1.1", "" },
		{ "GET /callback?state=s&code=c&code=d HTTP/1.1", NULL },
		{ "GET /callback?state=s&code=%00 HTTP/1.1", NULL },
		{ "GET /callback?state=s&code=%zz HTTP/1.1", NULL },
		{ "GET /callback?code=c HTTP/1.1", NULL },
		{ "GET /callback HTTP/1.1", NULL },
		{ "GET /callbacks?code=c&state=s HTTP/1.1", NULL },
		{ "GET http://127.0.0.1/callback?code=c&state=s HTTP/1.1", NULL },
		{ "POST /callback?code=c&state=s HTTP/1.1", NULL },
		{ "GET /callback?code=c&state=s", NULL },
		{ "GET /callback?code=c&state=s HTTP/2.0", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		memset(&a, 0, sizeof a);
		read_callback(&a, rows[i].line, "/callback");
		if ((a.outcome == LOGIN_ANSWERED) != (rows[i].code != NULL))
			fail_msg("%s", rows[i].line);
		if (rows[i].code != NULL)
			assert_string_equal(a.text[LOGIN_CODE], rows[i].code);
	}
}

static void values_are_words(void **state)
{
	static const struct {
		const char *value;
		bool good;
	} rows[] = {
		{ "https://t https://r c - 7 a r", true },   { "https://t https://r c my.secret 0 a -", true },
		{ "https://t https://r c - 7 a", false },    { "https://t https://r c - 7 a r x", false },
		{ "https://t https://r c - x a r", false },  { "https://t https://r c -x 7 a r", false },
		{ "https://t  https://r c - 7 a r", false }, { "https://t https://r c - 7 a\x01 r", false },
		{ "https://t https://r c - 7 a ", false },   { "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct login_terms terms;

		if (login_value_take(rows[i].value, strlen(rows[i].value), &terms, &t) != rows[i].good)
			fail_msg("%s", rows[i].value);
	}
}

static void limits_are_where_they_are_said_to_be(void **state)
{
	static char text[LOGIN_ACCESS_MAX + 64];

	(void)state;
	for (int over = 0; over < 2; over++) {
		(void)snprintf(text, sizeof text, "0 %0*d -", LOGIN_ACCESS_MAX - 1 + over, 0);
		assert_int_equal(login_tokens_take(text, strlen(text), &t), over == 0);
		memset(&a, 0, sizeof a);
		memset(text, 'x', sizeof text);
		login_set(&a, LOGIN_CODE, text, (size_t)(LOGIN_FIELD_MAX - 1 + over));
		assert_int_equal(strlen(a.text[LOGIN_CODE]), over == 0 ? LOGIN_FIELD_MAX - 1 : 0);
	}
}

static void a_name_can_be_of_what_renews(void **state)
{
	char name[SECRET_NAME_MAX];

	(void)state;
	assert_true(login_is_refresh("a.refresh", name));
	assert_string_equal(name, "a");
	assert_false(login_is_refresh(".refresh", name));
	assert_false(login_is_refresh("a.refreshed", name));
	assert_false(login_is_refresh("refresh", name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(challenges_are_read),
		cmocka_unit_test(bodies_are_read),
		cmocka_unit_test(tokens_are_read),
		cmocka_unit_test(what_comes_back_is_read),
		cmocka_unit_test(values_are_words),
		cmocka_unit_test(limits_are_where_they_are_said_to_be),
		cmocka_unit_test(a_name_can_be_of_what_renews),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
