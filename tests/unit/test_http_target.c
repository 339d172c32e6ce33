/* Targets of requests taken apart, authorities compared with a grant's host, and parameters of queries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/target.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static struct http_text text_of(const char *s)
{
	return (struct http_text){ s, strlen(s) };
}

static bool is(const struct http_text *t, const char *s)
{
	return t->n == strlen(s) && (t->n == 0 || memcmp(t->at, s, t->n) == 0);
}

static void targets_are_taken_apart(void **state)
{
	static const struct {
		const char *target;
		enum http_target_form form;
		bool is_tls;
		const char *authority, *path, *query; /* query: NULL: none */
	} rows[] = {
		{ "/", HTTP_TARGET_ORIGIN, false, "", "/", NULL },
		{ "/a/b?c=d", HTTP_TARGET_ORIGIN, false, "", "/a/b", "c=d" },
		{ "/?", HTTP_TARGET_ORIGIN, false, "", "/", "" },
		{ "/a?b?c", HTTP_TARGET_ORIGIN, false, "", "/a", "b?c" },
		{ "//b.example/c", HTTP_TARGET_ORIGIN, false, "", "//b.example/c", NULL },
		{ "/http://b.example/", HTTP_TARGET_ORIGIN, false, "", "/http://b.example/", NULL },
		{ "/a@b", HTTP_TARGET_ORIGIN, false, "", "/a@b", NULL },
		{ "http://a.example/b?c", HTTP_TARGET_ABSOLUTE, false, "a.example", "/b", "c" },
		{ "HTTPS://a.example:443/", HTTP_TARGET_ABSOLUTE, true, "a.example:443", "/", NULL },
		{ "http://[::1]:8080/a@b", HTTP_TARGET_ABSOLUTE, false, "[::1]:8080", "/a@b", NULL },
		{ "a.example:443", HTTP_TARGET_AUTHORITY, false, "a.example:443", "", NULL },
		{ "ftp://a.example/", HTTP_TARGET_AUTHORITY, false, "ftp://a.example/", "", NULL }, /* means no host */
		{ "*", HTTP_TARGET_ASTERISK, false, "", "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct http_text target = text_of(rows[i].target);
		struct http_target t;
		const char *why;

		if (!http_target_take(&target, &t, &why))
			fail_msg("%s: %s", rows[i].target, why);
		if (t.form != rows[i].form || t.is_tls != rows[i].is_tls || !is(&t.authority, rows[i].authority) ||
		    !is(&t.path, rows[i].path) || t.has_query != (rows[i].query != NULL) ||
		    (t.has_query && !is(&t.query, rows[i].query)))
			fail_msg("%s: form %d", rows[i].target, t.form);
	}
}

static void targets_that_mean_two_things_are_refused(void **state)
{
	static const char *const rows[] = { "",
					    "/a b",
					    "/a\tb",
					    "/a\r\nb",
					    "/a#b",
					    "#",
					    "/\x7f",
					    "/\x80",
					    "http://a.example",
					    "http://a.example?b",
					    "http:///b",
					    "http://?b/c",
					    "http://user@a.example/",
					    "http://user:word@a.example/",
					    "https://a.example@b.example/",
					    "http://a.example /" };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct http_text target = text_of(rows[i]);
		struct http_target t;
		const char *why = NULL;

		if (http_target_take(&target, &t, &why) || why == NULL)
			fail_msg("%s", rows[i]);
	}
	assert_false(
		http_target_take(&(struct http_text){ "/\0", 2 }, &(struct http_target){ 0 }, &(const char *){ NULL }));
}

static void authorities_mean_one_host(void **state)
{
	static const struct {
		const char *authority, *host; /* host: a name or an address */
		uint16_t port;
		bool is_tls, same;
	} rows[] = {
		{ "a.example", "a.example", 443, true, true },
		{ "A.Example", "a.example", 443, true, true },
		{ "a.example:443", "a.example", 443, true, true },
		{ "a.example", "a.example", 80, false, true },
		{ "a.example:8443", "a.example", 8443, true, true },
		{ "192.0.2.7", "192.0.2.7", 443, true, true },
		{ "192.0.2.7:8080", "192.0.2.7", 8080, false, true },
		{ "[2001:DB8::1]", "2001:db8::1", 443, true, true },
		{ "[2001:db8:0::1]:444", "2001:db8::1", 444, true, true },

		{ "", "a.example", 443, true, false },
		{ ":443", "a.example", 443, true, false },
		{ "a.example:", "a.example", 443, true, false },
		{ "a.example", "a.example", 8443, true, false },
		{ "a.example", "a.example", 80, true, false },
		{ "a.example:80", "a.example", 443, true, false },
		{ "a.example:0443", "a.example", 443, true, false },
		{ "a.example:+443", "a.example", 443, true, false },
		{ "a.example:65979", "a.example", 443, true, false },
		{ "a.example:443:443", "a.example", 443, true, false },
		{ "a.example:443 ", "a.example", 443, true, false },
		{ "a.example.", "a.example", 443, true, false },
		{ "b.a.example", "a.example", 443, true, false },
		{ "a.example@b.example", "b.example", 443, true, false },
		{ "b.example@a.example", "a.example", 443, true, false },
		{ "a.example, b.example", "a.example", 443, true, false },
		{ "a.example/", "a.example", 443, true, false },
		{ "a%2eexample", "a.example", 443, true, false },
		{ "[a.example]", "a.example", 443, true, false },
		{ "192.0.2.7", "a.example", 443, true, false },
		{ "a.example", "192.0.2.7", 443, true, false },
		{ "192.0.2.8", "192.0.2.7", 443, true, false },
		{ "[192.0.2.7]", "192.0.2.7", 443, true, false },
		{ "192.0.2.007", "192.0.2.7", 443, true, false },
		{ "3221225991", "192.0.2.7", 443, true, false },
		{ "2001:db8::1", "2001:db8::1", 443, true, false },
		{ "[2001:db8::1", "2001:db8::1", 443, true, false },
		{ "[2001:db8::1]443", "2001:db8::1", 443, true, false },
		{ "[2001:db8::1%25eth0]", "2001:db8::1", 443, true, false },
		{ "[::ffff:192.0.2.7]", "192.0.2.7", 443, true, false },
		{ "[]", "2001:db8::1", 443, true, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct http_text t = text_of(rows[i].authority);
		struct host_name name = { .text = "" };
		struct address address = { .family = 0 };

		if (!address_take(rows[i].host, strlen(rows[i].host), &address))
			assert_true(host_take(rows[i].host, strlen(rows[i].host), &name));
		if (http_authority_means(&t, &name, &address, rows[i].port, rows[i].is_tls) != rows[i].same)
			fail_msg("%s, %s %u", rows[i].authority, rows[i].host, (unsigned)rows[i].port);
	}
}

static void a_port_has_digits_alone(void **state)
{
	const struct host_name name = { .text = "a.example" };
	const struct address none = { .family = 0 };

	(void)state;
	assert_true(http_authority_means(&(struct http_text){ "a.example:443", 13 }, &name, &none, 443, true));
	assert_false(http_authority_means(&(struct http_text){ "a.example:443\0/", 15 }, &name, &none, 443, true));
}

static void parameters_are_decoded(void **state)
{
	static const struct {
		const char *query;
		size_t which;
		const char *raw, *name, *value;
		bool malformed;
	} rows[] = {
		{ "a=b", 0, "a=b", "a", "b", false },
		{ "a=b&c=d=e", 1, "c=d=e", "c", "d=e", false },
		{ "a", 0, "a", "a", "", false },
		{ "=a", 0, "=a", "", "a", false },
		{ "a=&", 1, "", "", "", false },
		{ "&&a=b", 2, "a=b", "a", "b", false },
		{ "access%5Ftoken=x", 0, "access%5Ftoken=x", "access_token", "x", false },
		{ "%61%3d=%26+%2b", 0, "%61%3d=%26+%2b", "a=", "& +", false },
		{ "a=%2525", 0, "a=%2525", "a", "%25", false },
		{ "a=%", 0, "a=%", "a", "%", true },
		{ "a=%4", 0, "a=%4", "a", "%4", true },
		{ "%4=b", 0, "%4=b", "%4", "b", true },
		{ "a=%4g", 0, "a=%4g", "a", "%4g", true },
		{ "a%=b&c=d", 1, "c=d", "c", "d", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		static struct http_parameters p;
		const struct http_text query = text_of(rows[i].query);
		struct http_parameter one;

		http_parameters_begin(&p, &query);
		for (size_t k = 0; k <= rows[i].which; k++)
			assert_true(http_parameters_next(&p, &one));
		if (!is(&one.raw, rows[i].raw) || !is(&one.name, rows[i].name) || !is(&one.value, rows[i].value) ||
		    one.malformed != rows[i].malformed)
			fail_msg("%s: %.*s=%.*s", rows[i].query, (int)one.name.n, one.name.at, (int)one.value.n,
				 one.value.at);
	}
}

static void parameters_end_and_have_a_limit(void **state)
{
	static char text[8193 + 4];
	static struct http_parameters p;
	struct http_text query = { NULL, 0 };
	struct http_parameter one;

	(void)state;
	http_parameters_begin(&p, &query);
	assert_false(http_parameters_next(&p, &one));
	query = text_of("a&b");
	http_parameters_begin(&p, &query);
	assert_true(http_parameters_next(&p, &one) && http_parameters_next(&p, &one));
	assert_false(http_parameters_next(&p, &one));
	query = (struct http_text){ "a=%41", 4 }; /* the digit behind it is not its */
	http_parameters_begin(&p, &query);
	assert_true(http_parameters_next(&p, &one) && one.malformed && is(&one.value, "%4"));
	memset(text, 'a', sizeof text);
	for (size_t n = 8192; n <= 8193; n++) {
		memcpy(text + n, "&b=c", 4);
		query = (struct http_text){ text, n + 4 };
		http_parameters_begin(&p, &query);
		assert_true(http_parameters_next(&p, &one));
		assert_int_equal(one.malformed, n > 8192);
		assert_int_equal(one.name.n, n > 8192 ? 0 : n);
		assert_true(http_parameters_next(&p, &one) && is(&one.name, "b") && !one.malformed);
		memset(text + n, 'a', 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_taken_apart),   cmocka_unit_test(targets_that_mean_two_things_are_refused),
		cmocka_unit_test(authorities_mean_one_host), cmocka_unit_test(a_port_has_digits_alone),
		cmocka_unit_test(parameters_are_decoded),    cmocka_unit_test(parameters_end_and_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
