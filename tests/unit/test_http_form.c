/* Which bodies are forms, what of them passes, and how they are written with the secrets that go into them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/attach.h"
#include "http/form.h"

#define BLANKS "++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++"
#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define TOKEN "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
#define PLACED "s%2Bcret" /* as a vault has it for this place */
#define END "token=" PLACED

static void types_are_told(void **state)
{
	static const struct {
		const char *type, *other; /* other: a second field; NULL: none */
		bool good;
	} rows[] = {
		{ "application/x-www-form-urlencoded", NULL, true },
		{ "Application/X-WWW-Form-URLencoded", NULL, true },
		{ "application/x-www-form-urlencoded;charset=UTF-8", NULL, true },
		{ "application/x-www-form-urlencoded ; charset=\"utf-8\"", NULL, true },
		{ "application/x-www-form-urlencoded;", NULL, true },
		{ "application/x-www-form-urlencoded", "accept", true },
		{ "application/x-www-form-urlencoded", "content-type", false },
		{ "application/x-www-form-urlencoded", "content_type", false },
		{ "application/x-www-form-urlencoded", "content-encoding", false },
		{ "application/x-www-form-urlencoded; charset=utf-16", NULL, false },
		{ "application/x-www-form-urlencoded; charset=utf-7", NULL, false },
		{ "application/x-www-form-urlencoded; charset=ibm037", NULL, false },
		{ "application/x-www-form-urlencoded; charset=utf-8; charset=utf-16", NULL, false },
		{ "application/x-www-form-urlencoded; boundary=x", NULL, false },
		{ "application/x-www-form-urlencoded, text/plain", NULL, false },
		{ "application/x-www-form-urlencodedx", NULL, false },
		{ "application/x-www-form", NULL, false },
		{ "multipart/form-data; boundary=x", NULL, false },
		{ "application/json", NULL, false },
		{ "", NULL, false },
	};
	static struct verdict v;
	enum graphql_form form;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *other = rows[i].other != NULL ? rows[i].other : "";
		const struct http_field fields[] = { { { "content-type", 12 }, { rows[i].type, strlen(rows[i].type) } },
						     { { other, strlen(other) },
						       { rows[i].type, strlen(rows[i].type) } } };
		const struct http_request q = { .fields = fields, .n_fields = rows[i].other != NULL ? 2 : 1 };

		v = (struct verdict){ .wants_form = true };
		if (attach_takes_body(&q, &v, &form) != rows[i].good || (v.status == 415) == rows[i].good)
			fail_msg("%s, %s", rows[i].type, other);
	}
}

static void prepare(struct judge *j, const char *terms)
{
	struct err e;

	*j = (struct judge){ .object = "a.example:443" };
	if (terms_take(terms, &j->terms, &e) < 0)
		fail_msg("%s: %s", terms, e.msg);
	for (uint32_t i = 0; i < j->terms.n_secrets; i++)
		j->secrets[i] = (struct judge_secret){ PLACED, strlen(PLACED) };
}

#define REFUSE "secret='a as form:token'"
#define REPLACE "secret='a as form:token' credentials=replace"
#define PASS "secret='a as form:token' credentials=pass"
#define RULES "http='POST /x' secret='a as form:token'"
#define TWO "secret='b as bearer, a as form:token'"
#define BOTH "secret='b as form:client_secret, a as form:token'"

static void forms_are_written_anew(void **state)
{
	static const struct {
		const char *terms, *form;
		unsigned status;
		const char *written; /* or what the refusal says */
	} rows[] = {
		{ REFUSE, "", 0, END },
		{ REFUSE, "a=b", 0, "a=b&" END },
		{ REFUSE, "a=b&a=c&d", 0, "a=b&a=c&d=&" END },
		{ REFUSE, "&a=b&&", 0, "a=b&" END },
		{ REFUSE, "=b&a==", 0, "=b&a=%3D&" END },
		{ REFUSE, "a+b=c%20d&e=%2b", 0, "a%20b=c%20d&e=%2B&" END },
		{ REFUSE, "a=b;c=d", 0, "a=b%3Bc%3Dd&" END },
		{ REFUSE, "%61=%62&~=*", 0, "a=b&~=%2A&" END },
		{ REFUSE, "a=%00%0D%0A%FF", 0, "a=%00%0D%0A%FF&" END },
		{ REFUSE, "%C3%A9=%26token%3Dx", 0, "%C3%A9=%26token%3Dx&" END },
		{ TWO, "a=b", 0, "a=b&" END },
		{ BOTH, "client_id=me", 0, "client_id=me&client_secret=" PLACED "&" END },
		/* in the secret's place */
		{ REFUSE, "token=ambit:a&x=1", 0, "x=1&" END },
		{ REFUSE, "token=ambit%3Aa", 0, END },
		{ REFUSE, "x=ambit:a", 0, "x=ambit%3Aa&" END },
		{ REFUSE, "token=ambit:b", 403, "token is a credential" },
		{ REFUSE, "token=x", 403, "token is a credential" },
		{ REFUSE, "%74oken=x", 403, "token is a credential" },
		{ REFUSE, "TOKEN=x", 403, "TOKEN is a credential" },
		{ REFUSE, "+token=x", 403, " token is a credential" },
		{ REFUSE, "token[]=x", 403, "token[] is a credential" },
		{ REFUSE, "token%5B1%5D%5Ba%5D=x", 403, "is a credential" },
		{ REFUSE, "token", 403, "is a credential" },
		{ REFUSE, "tokens=x&to.ken=y&token1[a]=z", 0, "tokens=x&to.ken=y&token1%5Ba%5D=z&" END },
		{ "secret='a as form:api_key'", "api.key=x", 403, "is a credential" },
		{ "secret='a as form:api_key'", "api[key=x", 403, "is a credential" },
		{ "secret='a as form:api_key'", "api+key=x", 403, "is a credential" },
		{ "secret='a as form:to_ken'", BLANKS BLANKS BLANKS "to[ken=x", 403, "is a credential" },
		{ REFUSE, "]token=x", 403, "is a credential" },
		{ PASS, "]token=x&[%5Dtoken=y", 400, "is there twice" },
		{ RULES, "]_method=DELETE", 400, "_method" },
		{ REPLACE, "token=x&y=z", 0, "y=z&" END },
		{ PASS, "token=x&y=z", 0, "y=z&" END },
		{ PASS, "Token[0]=x", 0, END },
		{ REFUSE, "token=ambit:a&token=ambit:a", 400, "is there twice" },
		{ PASS, "token=x&Token=y", 400, "is there twice" },
		{ PASS, "token=x&token[]=y", 400, "is there twice" },
		{ "secret='b as query:key, a as form:token'", "key=x", 403, "key is a credential" },
		{ "secret='b as query:key, a as form:token'", "key=ambit:b&c=d", 0, "c=d&" END },
		/* credentials of its own */
		{ REFUSE, "client_secret=x", 403, "client_secret is a credential" },
		{ REFUSE, "a=" TOKEN, 403, "is a credential" },
		{ REFUSE, TOKEN "=a", 403, "is a credential" },
		{ REFUSE, "a=%67hp_16C7e42F292c6912E7710c838347Ae178B4a", 403, "is a credential" },
		{ REPLACE, "client_secret=x&b=c", 0, "b=c&" END },
		{ PASS, "client_secret=x&b=" TOKEN, 0, "client_secret=x&b=" TOKEN "&" END },
		/* what could be read in two ways */
		{ REFUSE, "a=b c", 400, "not encoded" },
		{ REFUSE, "a=b\n", 400, "not encoded" },
		{ REFUSE, "a=\xc3\xa9", 400, "not encoded" },
		{ REFUSE, "a=%4", 400, "two ways" },
		{ REFUSE, "a=%zz", 400, "two ways" },
		{ REFUSE, "a%=b", 400, "two ways" },
		{ PASS, "token%00x=y", 400, "no text" },
		{ PASS, "a%0Ab=c", 400, "no text" },
		{ PASS, "%C1%B4oken=x", 400, "no text" },
		{ PASS, "%FF=x", 400, "no text" },
		{ PASS, "_charset_=utf-16&a=b", 400, "_charset_" },
		{ PASS, "%5fCharset%5f=utf-16", 400, "_charset_" },
		{ RULES, "_method=DELETE", 400, "_method" },
		{ REFUSE, "_method=DELETE", 0, "_method=DELETE&" END },
	};
	static struct judge j;
	static struct verdict v;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf out;
		bool good;

		prepare(&j, rows[i].terms);
		v = (struct verdict){ .status = 0 };
		good = form_write(&j, rows[i].form, strlen(rows[i].form), NULL, &out, &v);
		if (v.status != rows[i].status || good != (v.status == 0))
			fail_msg("%s, %s: %u %s", rows[i].terms, rows[i].form, v.status, v.why.msg);
		if (good && (out.len != strlen(rows[i].written) || memcmp(out.data, rows[i].written, out.len) != 0))
			fail_msg("%s, %s: %.*s", rows[i].terms, rows[i].form, (int)out.len, (const char *)out.data);
		if (!good && strstr(v.why.msg, rows[i].written) == NULL)
			fail_msg("%s, %s: %s", rows[i].terms, rows[i].form, v.why.msg);
		buf_wipe(&out);
	}
}

/* Whatever has to be encoded, the room was there from the start. */
static void what_is_written_never_moves(void **state)
{
	static const char *const pieces[] = { ";", "a&", "=", "%3B", "&;", "a=;&" };
	static char form[FORM_BODY_MAX];
	static struct judge j;
	static struct verdict v;

	(void)state;
	prepare(&j, BOTH);
	for (size_t i = 0; i < COUNT(pieces); i++) {
		struct buf out;
		size_t n = 0;

		for (; n + strlen(pieces[i]) <= 8000; n += strlen(pieces[i]))
			memcpy(form + n, pieces[i], strlen(pieces[i]));
		v = (struct verdict){ .status = 0 };
		if (!form_write(&j, form, n, NULL, &out, &v))
			fail_msg("%s: %s", pieces[i], v.why.msg);
		assert_true(out.cap == out.max && out.len <= out.cap);
		buf_wipe(&out);
	}
}

/* One byte more than there is room for is said to be too long, and not to be badly encoded. */
static void a_parameter_is_bounded(void **state)
{
	static char form[HTTP_PARAMETER_MAX + 1];
	static struct judge j;
	static struct verdict v;

	(void)state;
	prepare(&j, REFUSE);
	memset(form, 'a', sizeof form);
	form[1] = '=';
	for (size_t n = HTTP_PARAMETER_MAX; n <= sizeof form; n++) {
		struct buf out;
		bool good;

		v = (struct verdict){ .status = 0 };
		good = form_write(&j, form, n, NULL, &out, &v);
		assert_true(good == (n == HTTP_PARAMETER_MAX));
		assert_int_equal(v.status, good ? 0 : 413);
		assert_true(good || strstr(v.why.msg, "a parameter has no more than 8192 bytes") != NULL);
		buf_wipe(&out);
	}
}

static void which_requests_want_one(void **state)
{
	static const struct {
		const char *terms, *method;
		bool has_body, wants;
	} rows[] = {
		{ REFUSE, "POST", true, true },
		{ REFUSE, "POST", false, true },
		{ REFUSE, "PUT", true, true },
		{ REFUSE, "GET", false, false },
		{ REFUSE, "GET", true, true },
		{ REFUSE, "HEAD", false, false },
		{ REFUSE, "DELETE", false, true },
		{ REFUSE, "OPTIONS", false, false },
		{ "secret='a as query:token'", "POST", true, false },
	};
	const struct http_host host = { .name = { "a.example" }, .port = 443, .tls = true };
	static struct judge j;
	static struct verdict v;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct http_request q = { .method = { rows[i].method, strlen(rows[i].method) },
						.path = { "/", 1 },
						.authority = { "a.example", 9 },
						.has_body = rows[i].has_body };

		prepare(&j, rows[i].terms);
		v = (struct verdict){ .status = 0 };
		judge_request(&j, &host, &q, &v);
		if (v.status != 0 || v.wants_form != rows[i].wants)
			fail_msg("%s %s", rows[i].terms, rows[i].method);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_are_told),
		cmocka_unit_test(forms_are_written_anew),
		cmocka_unit_test(what_is_written_never_moves),
		cmocka_unit_test(a_parameter_is_bounded),
		cmocka_unit_test(which_requests_want_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
