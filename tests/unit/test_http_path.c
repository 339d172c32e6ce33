/* Paths of requests: one form for each, none for what can be read in two ways; and which patterns mean them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/http_path.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void a_path_has_one_form(void **state)
{
	static const struct {
		const char *path, *normal;
	} rows[] = {
		{ "/", "/" },
		{ "/a", "/a" },
		{ "/a/", "/a/" },
		{ "/repos/acme/shop/pulls", "/repos/acme/shop/pulls" },
		{ "/%61", "/a" },
		{ "/%41%7a", "/Az" },
		{ "/%7Euser", "/~user" },
		{ "/a%20b", "/a b" },
		{ "/a+b", "/a+b" },
		{ "/caf%C3%A9", "/caf\xc3\xa9" },
		{ "/@scope%2Fname", "/@scope\x01name" },
		{ "/@scope%2fname", "/@scope\x01name" },
		{ "/a.b", "/a.b" },
		{ "/.well-known/x", "/.well-known/x" },
		{ "/a..b", "/a..b" },
		{ "/a..", "/a.." },
		{ "/..a", "/..a" },
		{ "/a;v=1", "/a;v=1" },
		{ "/a%3Bv=1", "/a;v=1" },
		{ "/a%3Fb", "/a?b" },
		{ "/a%23b", "/a#b" },
		{ "/a*b", "/a*b" },
		{ "/a%2Ab", "/a*b" },
		{ "/100%25", "/100%" },
		{ "/100%25/x", "/100%/x" },
		{ "/%25zz", "/%zz" },
		{ "/%25a", "/%a" },
		{ "/a%5B0%5D", "/a[0]" },
		{ "/a!$&'()*+,=:@-._~", "/a!$&'()*+,=:@-._~" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char normal[HTTP_PATH_MAX];
		const char *wrong = http_path_take(rows[i].path, strlen(rows[i].path), normal, sizeof normal);

		if (wrong != NULL || strcmp(normal, rows[i].normal) != 0)
			fail_msg("%s: %s", rows[i].path, wrong != NULL ? wrong : normal);
	}
}

static void what_can_be_read_in_two_ways_has_none(void **state)
{
	static const struct {
		const char *path, *wrong;
	} rows[] = {
		{ "", "does not begin with a slash" },
		{ "*", "does not begin with a slash" },
		{ "a", "does not begin with a slash" },
		{ "%2Fa", "does not begin with a slash" },
		{ "http://a/", "does not begin with a slash" },
		{ "//", "has an empty part" },
		{ "//a", "has an empty part" },
		{ "/a//b", "has an empty part" },
		{ "/a//", "has an empty part" },
		{ "/%2Fa", "has an empty part" },
		{ "/a%2F/b", "has an empty part" },
		{ "/a%2F%2Fb", "has an empty part" },
		{ "/a%2F", "has an empty part" },
		{ "/.", "has a part of dots alone" },
		{ "/..", "has a part of dots alone" },
		{ "/a/./b", "has a part of dots alone" },
		{ "/a/../b", "has a part of dots alone" },
		{ "/a/..", "has a part of dots alone" },
		{ "/a/...", "has a part of dots alone" },
		{ "/a/..%20/b", "has a part of dots alone" },
		{ "/a/%20./b", "has a part of dots alone" },
		{ "/a/..;/b", "has a part of dots alone" },
		{ "/a/.;x=1/b", "has a part of dots alone" },
		{ "/a/..%3B/b", "has a part of dots alone" },
		{ "/a/..%3Fb", "has a part of dots alone" },
		{ "/a/..%23b", "has a part of dots alone" },
		{ "/a/..%2Fb", "has a part of dots alone" },
		{ "/a%2F../b", "has a part of dots alone" },
		{ "/a%2F..", "has a part of dots alone" },
		{ "/a/%2e%2e/b", "has an encoded dot" },
		{ "/a/.%2E/b", "has an encoded dot" },
		{ "/a%2ejson", "has an encoded dot" },
		{ "/a\\b", "has a backslash" },
		{ "/a%5Cb", "has a backslash" },
		{ "/a%5c..%5cb", "has a backslash" },
		{ "/a%", "has a percent sign without two hexadecimal digits after it" },
		{ "/a%2", "has a percent sign without two hexadecimal digits after it" },
		{ "/a%2g", "has a percent sign without two hexadecimal digits after it" },
		{ "/a%g2", "has a percent sign without two hexadecimal digits after it" },
		{ "/a%u002e", "has a percent sign without two hexadecimal digits after it" },
		{ "/a%-1b", "has a percent sign without two hexadecimal digits after it" },
		{ "/a%%41", "has a percent sign without two hexadecimal digits after it" },
		{ "/a%252e", "has an encoded percent sign where it would be decoded twice" },
		{ "/a%252E%252e/b", "has an encoded percent sign where it would be decoded twice" },
		{ "/a%25%32%65", "has an encoded percent sign where it would be decoded twice" },
		{ "/a%25u002e", "has an encoded percent sign where it would be decoded twice" },
		{ "/a%2541", "has an encoded percent sign where it would be decoded twice" },
		{ "/a%00", "has a control character" },
		{ "/a%0d%0aHost:%20b", "has a control character" },
		{ "/a%01b", "has a control character" },
		{ "/a%02", "has a control character" },
		{ "/a%7F", "has a control character" },
		{ "/a\x01", "has a control character" },
		{ "/a\x02", "has a control character" },
		{ "/a\tb", "has a control character" },
		{ "/a\nb", "has a control character" },
		{ "/a\x7f", "has a control character" },
		{ "/a?b", "has a query" },
		{ "/a#b", "has a fragment" },
		{ "/a b", "has a character that must be percent-encoded" },
		{ "/a\"b", "has a character that must be percent-encoded" },
		{ "/a<b", "has a character that must be percent-encoded" },
		{ "/a[0]", "has a character that must be percent-encoded" },
		{ "/a|b", "has a character that must be percent-encoded" },
		{ "/a^b", "has a character that must be percent-encoded" },
		{ "/a{b}", "has a character that must be percent-encoded" },
		{ "/caf\xc3\xa9", "has a character that must be percent-encoded" },
		{ "/%C0%AE%C0%AE/", "is not UTF-8" },
		{ "/%C0%AF", "is not UTF-8" },
		{ "/%E9", "is not UTF-8" },
		{ "/%ED%A0%80", "is not UTF-8" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char normal[HTTP_PATH_MAX];
		const char *wrong = http_path_take(rows[i].path, strlen(rows[i].path), normal, sizeof normal);

		if (wrong == NULL || strcmp(wrong, rows[i].wrong) != 0)
			fail_msg("%s: %s", rows[i].path, wrong != NULL ? wrong : "taken");
		assert_string_equal(normal, "");
	}
}

static void a_nul_ends_nothing(void **state)
{
	static const char path[] = "/a\0/../b";
	char normal[HTTP_PATH_MAX];

	(void)state;
	assert_string_equal(http_path_take(path, sizeof path - 1, normal, sizeof normal), "has a control character");
	assert_null(http_path_take(path, 2, normal, sizeof normal));
}

static void as_long_as_there_is_room(void **state)
{
	char path[64], normal[32];

	(void)state;
	memset(path, 'a', sizeof path);
	path[0] = '/';
	assert_null(http_path_take(path, sizeof normal - 1, normal, sizeof normal));
	assert_int_equal(strlen(normal), sizeof normal - 1);
	assert_string_equal(http_path_take(path, sizeof normal, normal, sizeof normal), "is too long");
}

/* Both as they are written. */
static bool means(const char *pattern, const char *path)
{
	char p[HTTP_PATTERN_MAX], t[HTTP_PATH_MAX];
	const char *wrong = http_pattern_take(pattern, strlen(pattern), p);

	if (wrong != NULL)
		fail_msg("%s: %s", pattern, wrong);
	wrong = http_path_take(path, strlen(path), t, sizeof t);
	if (wrong != NULL)
		fail_msg("%s: %s", path, wrong);
	return http_pattern_matches(p, t);
}

static void which_paths_a_pattern_means(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool means;
	} rows[] = {
		{ "/", "/", true },
		{ "/", "/a", false },
		{ "/a", "/a", true },
		{ "/a", "/%61", true },
		{ "/%61", "/a", true },
		{ "/a", "/A", false },
		{ "/a", "/a/", false },
		{ "/a/", "/a", false },
		{ "/a/", "/a/", true },
		{ "/a", "/ab", false },
		{ "/a/b", "/a", false },
		{ "/*", "/a", true },
		{ "/*", "/", false },
		{ "/*", "/a/b", false },
		{ "/*", "/a/", false },
		{ "/*/", "/a/", true },
		{ "/a*", "/a", true },
		{ "/a*", "/abc", true },
		{ "/a*", "/ba", false },
		{ "/*a", "/a", true },
		{ "/*a", "/ba", true },
		{ "/*a", "/ab", false },
		{ "/*.json", "/x.json", true },
		{ "/*.json", "/x.json.exe", false },
		{ "/a*b*c", "/abc", true },
		{ "/a*b*c", "/aXbYbZc", true },
		{ "/a*b*c", "/acb", false },
		{ "/*ab", "/aab", true },
		{ "/*/pulls/*", "/shop/pulls/7", true },
		{ "/*/pulls/*", "/shop/pulls", false },
		{ "/*/pulls/*", "/shop/pulls/", false },
		{ "/*/pulls/*", "/shop/pulls/7/files", false },
		{ "/**", "/", true },
		{ "/**", "/a", true },
		{ "/**", "/a/b/c", true },
		{ "/**", "/a/", true },
		{ "/a/**", "/a", true },
		{ "/a/**", "/a/", true },
		{ "/a/**", "/a/b/c", true },
		{ "/a/**", "/ab", false },
		{ "/a/**", "/b/a", false },
		{ "/a/**/z", "/a/z", true },
		{ "/a/**/z", "/a/b/z", true },
		{ "/a/**/z", "/a/b/c/z", true },
		{ "/a/**/z", "/a/z/y", false },
		{ "/a/**/z", "/a/z/", false },
		{ "/**/z", "/z", true },
		{ "/**/z", "/a/z/b/z", true },
		{ "/**/m/**/z", "/a/m/b/z", true },
		{ "/**/m/**/z", "/m/z", true },
		{ "/**/m/**/z", "/z/m", false },
		{ "/**/m/*/z", "/m/m/m/z", true },
		{ "/**/**", "/a", true },
		{ "/a/**/**/b", "/a/b", true },
		{ "/**/*", "/a/b", true },
		{ "/**/*", "/", false },
		{ "/%2A", "/*", true },
		{ "/%2A", "/a", false },
		{ "/*", "/%2A", true },
		/* what some servers read as an end */
		{ "/@scope%2Fname", "/@scope%2fname", true },
		{ "/@scope%2F*", "/@scope%2Fname", true },
		{ "/@scope/name", "/@scope%2Fname", false },
		{ "/@scope%2Fname", "/@scope/name", false },
		{ "/*", "/@scope%2Fname", false },
		{ "/**", "/@scope%2Fname", false },
		{ "/**", "/a/b%2Fc/d", false },
		{ "/**/*%2F*/**", "/a/b%2Fc/d", true },
		{ "/**/*%2F*/**", "/a/b%2Fc/d/e%2Ff", false },
		{ "/*.json", "/secret;.json", false },
		{ "/*;*.json", "/secret;.json", true },
		{ "/*.json", "/secret%3F.json", false },
		{ "/*.json", "/secret%23.json", false },
		{ "/**", "/a;b", false },
		{ "/a;b", "/a%3Bb", true },
		{ "/*;*", "/a;b;c", false },
		{ "/*;*;*", "/a;b;c", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (means(rows[i].pattern, rows[i].path) != rows[i].means)
			fail_msg("%s %s", rows[i].pattern, rows[i].path);
}

static void what_is_no_pattern_is_refused(void **state)
{
	static const struct {
		const char *pattern, *wrong;
	} rows[] = {
		{ "", "does not begin with a slash" },
		{ "**", "does not begin with a slash" },
		{ "/a**", "has ** beside something else in a part" },
		{ "/**a", "has ** beside something else in a part" },
		{ "/a/***/b", "has ** beside something else in a part" },
		{ "/a/****", "has ** beside something else in a part" },
		{ "/a/../*", "has a part of dots alone" },
		{ "/a//*", "has an empty part" },
		{ "/a?b=*", "has a query" },
		{ "/%2e/*", "has an encoded dot" },
		{ "/a%*", "has a percent sign without two hexadecimal digits after it" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char p[HTTP_PATTERN_MAX];
		const char *wrong = http_pattern_take(rows[i].pattern, strlen(rows[i].pattern), p);

		if (wrong == NULL || strcmp(wrong, rows[i].wrong) != 0)
			fail_msg("%s: %s", rows[i].pattern, wrong != NULL ? wrong : "taken");
	}
}

static void a_pattern_is_written_in_one_way(void **state)
{
	static const struct {
		const char *pattern, *again;
	} rows[] = {
		{ "/", "/" },
		{ "/repos/**", "/repos/**" },
		{ "/**/**/a", "/**/a" },
		{ "/%61%2a%2A*", "/a%2A%2A*" },
		{ "/a,b", "/a%2Cb" },
		{ "/a'b", "/a%27b" },
		{ "/caf%c3%a9", "/caf%C3%A9" },
		{ "/@scope%2f*", "/@scope%2F*" },
		{ "/a%20b%25", "/a%20b%25" },
		{ "/a%3fb%23%3b", "/a%3Fb%23;" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char p[HTTP_PATTERN_MAX], again[3 * HTTP_PATTERN_MAX];

		assert_null(http_pattern_take(rows[i].pattern, strlen(rows[i].pattern), p));
		assert_true(http_pattern_put(p, again, sizeof again));
		assert_string_equal(again, rows[i].again);
		assert_true(http_pattern_put(p, again, strlen(rows[i].again) + 1));
		assert_false(http_pattern_put(p, again, strlen(rows[i].again)));
	}
}

static void which_patterns_are_within_others(void **state)
{
	static const struct {
		const char *inner, *outer;
		bool within;
	} rows[] = {
		{ "/a", "/a", true },
		{ "/a", "/b", false },
		{ "/a", "/*", true },
		{ "/*", "/a", false },
		{ "/*", "/*", true },
		{ "/*", "/a*", false },
		{ "/a*", "/*", true },
		{ "/a*b*", "/a*", true },
		{ "/a*", "/a*b*", false },
		{ "/*a", "/*", true },
		{ "/**", "/*", false },
		{ "/*", "/**", true },
		{ "/**", "/**", true },
		{ "/a/**", "/**", true },
		{ "/a/**", "/a/*", false },
		{ "/a/*", "/a/**", true },
		{ "/a/**", "/a/b/**", false },
		{ "/a/b/**", "/a/**", true },
		{ "/a/*/c", "/a/**/c", true },
		{ "/a/**/b/**/c", "/a/**/c", true },
		{ "/a/**/c", "/a/**/b/**/c", false },
		{ "/a/", "/a/*", false },
		{ "/%2A", "/*", true },
		{ "/*", "/%2A", false },
		{ "/%2A%2A", "/*", true },
		{ "/a%2F*", "/*", false },
		{ "/a%2F*", "/**", false },
		{ "/a%2Fb", "/a%2F*", true },
		{ "/a;*", "/*", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char inner[HTTP_PATTERN_MAX], outer[HTTP_PATTERN_MAX];

		assert_null(http_pattern_take(rows[i].inner, strlen(rows[i].inner), inner));
		assert_null(http_pattern_take(rows[i].outer, strlen(rows[i].outer), outer));
		if (http_pattern_is_within(inner, outer) != rows[i].within)
			fail_msg("%s in %s", rows[i].inner, rows[i].outer);
		if (rows[i].within && !http_patterns_may_meet(inner, outer))
			fail_msg("%s never meets %s", rows[i].inner, rows[i].outer);
	}
}

static void which_patterns_never_meet(void **state)
{
	char a[HTTP_PATTERN_MAX], b[HTTP_PATTERN_MAX];

	(void)state;
	assert_null(http_pattern_take("/graphql", 8, a));
	assert_null(http_pattern_take("/repos/**", 9, b));
	assert_false(http_patterns_may_meet(a, b));
	assert_null(http_pattern_take("/*", 2, b));
	assert_true(http_patterns_may_meet(a, b));
	assert_null(http_pattern_take("/graphql/**", 11, b)); /* also no part at all */
	assert_true(http_patterns_may_meet(a, b));
}

/* A few letters, so that patterns and paths meet. */
static void random_text(struct prop *p, const char *const *pieces, uint32_t n, char *ret, size_t size)
{
	ret[0] = 0;
	for (uint32_t left = 1 + prop_below(p, 7); left > 0; left--) {
		const char *piece = pieces[prop_below(p, n)];

		if (strlen(ret) + strlen(piece) < size)
			strcat(ret, piece);
	}
}

/* By another way: letter by letter, each wildcard tried at each length. Slow, and right. */
static bool slow_chars(const char *p, const char *t)
{
	if (*p == HTTP_PATH_WILD)
		return slow_chars(p + 1, t) ||
		       (*t != 0 && *t != '/' && strchr("\x01;?#", *t) == NULL && slow_chars(p, t + 1));
	if (*p == 0 || *p == '/')
		return *t == 0 || *t == '/';
	return *p == *t && slow_chars(p + 1, t + 1);
}

static const char *after_part(const char *at)
{
	return at + 1 + strcspn(at + 1, "/");
}

static bool slow(const char *p, const char *t)
{
	if (*p == 0)
		return *t == 0;
	if (strncmp(p, "/\x02\x02", 3) == 0)
		return slow(p + 3, t) ||
		       (*t != 0 && strcspn(t + 1, "/") <= strcspn(t + 1, "\x01;?#") && slow(p, after_part(t)));
	if (*t == 0 || (strcspn(p + 1, "/") == 1 && p[1] == HTTP_PATH_WILD && strcspn(t + 1, "/") == 0))
		return false;
	return slow_chars(p + 1, t + 1) && slow(after_part(p), after_part(t));
}

static void it_matches_as_trying_everything_does(void **state)
{
	static const char *const of_patterns[] = { "/a", "/b", "/*", "/**", "/*a", "/a*b",
						   "*",  "a",  "b",  "/",   "%2F", "/b*" };
	static const char *const of_paths[] = { "/a", "/b", "/ab", "/aab", "a", "b", "/", "%2F", ";", "/ba" };
	uint64_t matched = 0, within = 0;

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(60000); round++) {
		struct prop p = prop_round(round);
		char text[64], pattern[HTTP_PATTERN_MAX], outer[HTTP_PATTERN_MAX], path[64];
		bool both;

		random_text(&p, of_patterns, COUNT_OF(of_patterns), text, sizeof text);
		if (http_pattern_take(text, strlen(text), pattern) != NULL)
			continue;
		random_text(&p, of_patterns, COUNT_OF(of_patterns), text, sizeof text);
		if (http_pattern_take(text, strlen(text), outer) != NULL)
			continue;
		random_text(&p, of_paths, COUNT_OF(of_paths), text, sizeof text);
		if (http_path_take(text, strlen(text), path, sizeof path) != NULL)
			continue;
		if (http_pattern_matches(pattern, path) != slow(pattern, path))
			prop_fail(&p, "matched otherwise");
		both = http_pattern_matches(pattern, path) && http_pattern_matches(outer, path);
		if (http_pattern_is_within(pattern, outer) && http_pattern_matches(pattern, path) && !both)
			prop_fail(&p, "within, and does not match");
		if (both && !http_patterns_may_meet(pattern, outer))
			prop_fail(&p, "they meet");
		matched += http_pattern_matches(pattern, path);
		within += http_pattern_is_within(pattern, outer);
	}
	assert_true(matched > 100 && within > 100);
}

/* What would take longer than anybody waits, were each wildcard tried at each length. */
static void it_takes_no_longer_for_many_wildcards(void **state)
{
	char pattern[HTTP_PATTERN_MAX], path[HTTP_PATH_MAX], written[HTTP_PATTERN_MAX] = "/";

	(void)state;
	memset(path, 'a', sizeof path - 1);
	path[0] = '/';
	path[sizeof path - 1] = 0;
	for (size_t i = 0; i < 120; i++)
		strcat(written, "a*");
	strcat(written, "b");
	assert_null(http_pattern_take(written, strlen(written), pattern));
	assert_false(http_pattern_matches(pattern, path));
	for (size_t i = 0; i + 1 < sizeof path; i += 2)
		path[i] = '/';
	(void)strcpy(written, "");
	for (size_t i = 0; i < 48; i++)
		strcat(written, "/**/a");
	strcat(written, "/b");
	assert_null(http_pattern_take(written, strlen(written), pattern));
	assert_false(http_pattern_matches(pattern, path));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_has_one_form),
		cmocka_unit_test(what_can_be_read_in_two_ways_has_none),
		cmocka_unit_test(a_nul_ends_nothing),
		cmocka_unit_test(as_long_as_there_is_room),
		cmocka_unit_test(which_paths_a_pattern_means),
		cmocka_unit_test(what_is_no_pattern_is_refused),
		cmocka_unit_test(a_pattern_is_written_in_one_way),
		cmocka_unit_test(which_patterns_are_within_others),
		cmocka_unit_test(which_patterns_never_meet),
		cmocka_unit_test(it_matches_as_trying_everything_does),
		cmocka_unit_test(it_takes_no_longer_for_many_wildcards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
