/* Which parts of a path are one of many; and what a refused request lacked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/http_shape.h"
#include "core/http_told.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void parts_of_many_are_stars(void **state)
{
	static const struct {
		const char *path, *shape;
	} rows[] = {
		{ "/", "/" },
		{ "/repos/acme/shop/pulls", "/repos/acme/shop/pulls" },
		{ "/repos/acme/shop/issues/17/comments", "/repos/acme/shop/issues/*/comments" },
		{ "/a/7/", "/a/*/" },
		{ "/v1/v2", "/v1/v2" },
		{ "/2024-05-01", "/2024-05-01" },
		{ "/users/550e8400-e29b-41d4-a716-446655440000", "/users/*" },
		{ "/users/550e8400-e29b-41d4-a716-44665544000", "/users/550e8400-e29b-41d4-a716-44665544000" },
		{ "/commit/da39a3ee5e6b4b0d3255bfef95601890afd80709", "/commit/*" },
		{ "/commit/da39a3e", "/commit/*" },
		{ "/commit/da39a3", "/commit/da39a3" },
		{ "/facade/defaced/effaced", "/facade/defaced/effaced" }, /* words are */
		{ "/e/e_01KDVQJZ00000000000000EVEN", "/e/*" },
		{ "/e/01KDVQJZ00000000000000EVEN", "/e/*" },
		{ "/c/cus_NffrFeUfNV2Hib", "/c/*" },
		{ "/x/cjld2cjxh0000qzrmn831i7rn", "/x/*" },
		{ "/my-project-2024-final-report", "/my-project-2024-final-report" },
		{ "/README-second-Version", "/README-second-Version" },
		{ "/internationalization", "/internationalization" },
		{ "/blob/17.tar.gz", "/blob/17.tar.gz" },
		{ "/a%20b/%2A/1", "/a%20b/%2A/*" }, /* a star that was there is no wildcard */
		{ "/a%2F17/1", "/a%2F17/*" },       /* nor is a part that some servers take for two */
		{ "/17;v=1", "/17;v=1" },
		/* what could be a word, with a number in or behind it */
		{ "/a.Sessions/StreamingDetectIntentV2", "/a.Sessions/StreamingDetectIntentV2" },
		{ "/GetObjectAttributesV2/ListBuckets-V2-All", "/GetObjectAttributesV2/ListBuckets-V2-All" },
		{ "/iPhone14ProMaxCase/AWSSimpleQueueServiceV20121105",
		  "/iPhone14ProMaxCase/AWSSimpleQueueServiceV20121105" },
		{ "/releasenotes20241128abc/internationalization2024",
		  "/releasenotes20241128abc/internationalization2024" },
		{ "/ListObjectsV2ByPrefixV1", "/ListObjectsV2ByPrefixV1" },
		{ "/a/Xk7dPqnWbV2mRoTgYcZaLe", "/a/*" }, /* two numbers, a letter behind each */
		/* within a part: tokens and hashes, and nothing beside them */
		{ "/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/getMe", "/bot110201543:*/getMe" },
		{ "/services/T00000000/B00000000/q7Rz2LpX9vKd4WmT8sYb1NcF", "/services/T00000000/*/*" },
		{ "/da39a3ee5e6b4b0d3255bfef95601890afd80709.tar.gz/main.3f2a9c1.js", "/*.tar.gz/main.*.js" },
		{ "/a%2Fq7Rz2LpX9vKd4WmT8sYb1NcF;q7Rz2LpX9vKd4WmT8sYb1NcF", "/a%2F*;*" },
		{ "/20240731.csv/v1.2024073", "/20240731.csv/v1.2024073" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char path[HTTP_PATH_MAX], shape[HTTP_PATTERN_MAX], text[3 * HTTP_PATTERN_MAX];

		assert_null(http_path_take(rows[i].path, strlen(rows[i].path), path, sizeof path));
		if (!http_shape(path, shape) || !http_pattern_put(shape, text, sizeof text) ||
		    strcmp(text, rows[i].shape) != 0 || !http_pattern_matches(shape, path))
			fail_msg("%s: %s", rows[i].path, text);
	}
}

static void what_has_no_room_has_no_shape(void **state)
{
	char path[HTTP_PATTERN_MAX + 8], shape[HTTP_PATTERN_MAX];

	(void)state;
	for (size_t n = HTTP_PATTERN_MAX - 2; n <= HTTP_PATTERN_MAX; n++) {
		memset(path, 'a', n);
		path[0] = '/';
		path[n] = 0;
		assert_int_equal(http_shape(path, shape), n < HTTP_PATTERN_MAX);
	}
}

static void requests_are_read(void **state)
{
	static const struct {
		const char *object, *endpoint, *method, *path, *operation; /* endpoint NULL: it is none */
		uint32_t status;
	} rows[] = {
		{ "inet a.example:443 GET /b/* 200", "a.example:443", "GET", "/b/*", "", 200 },
		{ "inet [::1]:443 POST /g#mutation:volumeDelete 403", "[::1]:443", "POST", "/g",
		  "mutation volumeDelete", 403 },
		{ "inet a.example:443 GET /b 0", "a.example:443", "GET", "/b", "", 0 },
		{ "unix /run/x GET /b 200", NULL, "", "", "", 0 },
		{ "inet a.example:443", NULL, "", "", "", 0 },
		{ "inet a.example:443 GET /b", NULL, "", "", "", 0 },
		{ "inet a.example:443 GET  200", NULL, "", "", "", 0 },
		{ "inet a.example:443 GET /b 200 ", NULL, "", "", "", 0 },
		{ "inet a.example:443 GET /b 200 x", NULL, "", "", "", 0 },
		{ "inet a.example:443 GET /b 2000", NULL, "", "", "", 0 },
		{ "inet a.example:443 GET /b#x 200", NULL, "", "", "", 0 },
		{ "inet a.example:443 AMETHODTHATISTOOLONGFORANY /b 200", NULL, "", "", "", 0 },
		{ "", NULL, "", "", "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_told t;
		const bool is = http_told_take(rows[i].object, &t);

		if (is != (rows[i].endpoint != NULL) ||
		    (is && (strcmp(t.endpoint, rows[i].endpoint) != 0 || strcmp(t.method, rows[i].method) != 0 ||
			    strcmp(t.path, rows[i].path) != 0 || strcmp(t.operation, rows[i].operation) != 0 ||
			    t.status != rows[i].status)))
			fail_msg("%s", rows[i].object);
	}
}

static void what_a_request_lacked_is_said(void **state)
{
	static const char some[] = "http='GET /a/**'", document[] = "http='GRAPHQL /g' graphql='query *'";
	static const struct {
		const char *terms, *method, *path, *exact, *kind; /* NULL: it lacked no rule, or none can be said */
	} rows[] = {
		{ some, "POST", "/a/17", "POST /a/17", "POST /a/*" },
		{ some, "GET", "/b/x%20y", "GET /b/x%20y", "GET /b/x%20y" },
		{ some, "GET", "/b/*", "GET /b/%2A", "GET /b/%2A" },
		{ some, "GET", "/a/b", NULL, NULL }, /* it was refused for something else */
		{ some, "GET", "(a-credential)", NULL, NULL },
		{ some, "GET", "http://a.example/b", NULL, NULL },
		{ some, "GET", "/b/../c", NULL, NULL },
		{ some, "get", "/b", NULL, NULL },
		{ some, "TRACE", "/b", NULL, NULL },
		{ some, "-", "/b", NULL, NULL },
		{ document, "DELETE", "/g", NULL, NULL }, /* no rule means that beside the other */
		{ document, "DELETE", "/h", "DELETE /h", "DELETE /h" },
		{ "secret='x as bearer'", "GET", "/b", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		const bool exact = i < COUNT(rows);
		const char *want = exact ? rows[i].exact : rows[i % COUNT(rows)].kind;
		char text[HTTP_RULE_TEXT_MAX] = "";
		struct http_told t = { .status = 403 };
		struct terms terms;

		assert_int_equal(terms_take(rows[i % COUNT(rows)].terms, &terms, NULL), 0);
		(void)snprintf(t.method, sizeof t.method, "%s", rows[i % COUNT(rows)].method);
		(void)snprintf(t.path, sizeof t.path, "%s", rows[i % COUNT(rows)].path);
		if (http_told_missing(&terms, &t, exact, text) != (want != NULL) ||
		    (want != NULL && strcmp(text, want) != 0))
			fail_msg("%s %s: %s", t.method, t.path, text);
	}
}

/* Half a path would be another one. */
static void what_was_cut_off_makes_no_rule(void **state)
{
	struct http_told t = { .method = "GET" };
	char text[HTTP_RULE_TEXT_MAX];
	struct terms terms;

	(void)state;
	assert_int_equal(terms_take("http='GET /'", &terms, NULL), 0);
	memset(t.path, 'a', sizeof t.path - 2);
	t.path[0] = '/';
	assert_true(http_told_missing(&terms, &t, true, text));
	t.path[sizeof t.path - 2] = 'a';
	assert_false(http_told_missing(&terms, &t, true, text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_of_many_are_stars),
		cmocka_unit_test(what_has_no_room_has_no_shape),
		cmocka_unit_test(requests_are_read),
		cmocka_unit_test(what_a_request_lacked_is_said),
		cmocka_unit_test(what_was_cut_off_makes_no_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
