#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/endpoint.h"
#include "core/grant.h"
#include "err_text.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static struct grant_set set_a, set_b; /* large for a stack; each test starts them anew */

/* ---- rows ---- */

static void a_grant_takes_the_object_of_its_verb(void **state)
{
	static const struct {
		enum grant_verb verb;
		const char *object;
		int expected;
	} rows[] = {
		{ VERB_READ, "/", 0 },
		{ VERB_READ, "/srv/data", 0 },
		{ VERB_READ, "/srv/../data", -AMBIT_MALFORMED },
		{ VERB_READ, "/srv//data", -AMBIT_MALFORMED },
		{ VERB_READ, "/srv/", -AMBIT_MALFORMED },
		{ VERB_READ, "srv", -AMBIT_MALFORMED },
		{ VERB_READ, "", -AMBIT_MALFORMED },
		{ VERB_RUN, "node", 0 },
		{ VERB_RUN, "/opt/tool", 0 },
		{ VERB_RUN, "bin/node", -AMBIT_MALFORMED },
		{ VERB_RUN, "..", -AMBIT_MALFORMED },
		{ VERB_RUN, "", -AMBIT_MALFORMED },
		{ VERB_ENV, "TERM", 0 },
		{ VERB_ENV, "GREETING=a=b c", 0 },
		{ VERB_ENV, "_X9=", 0 },
		{ VERB_ENV, "9X", -AMBIT_MALFORMED },
		{ VERB_ENV, "A-B=1", -AMBIT_MALFORMED },
		{ VERB_ENV, "=1", -AMBIT_MALFORMED },
		{ VERB_ENV, "", -AMBIT_MALFORMED },
		{ VERB_JIT, "", 0 },
		{ VERB_JIT, "yes", -AMBIT_MALFORMED },
		{ VERB_CONNECT, "example.com:443", 0 },
		{ VERB_CONNECT, "unix:/run/x", 0 },
		{ VERB_CONNECT, "example.com", -AMBIT_MALFORMED },
		{ VERB_CONNECT, "/run/x", -AMBIT_MALFORMED },
		{ VERB_CONNECT, "", -AMBIT_MALFORMED },
		{ VERB_LISTEN, "example.com:443", -AMBIT_MALFORMED },
		{ VERB_LISTEN, "0:8080", 0 },
		{ VERB_QUERY, "example.com:443", -AMBIT_UNAVAILABLE },
		{ VERB_COUNT, "", -AMBIT_MALFORMED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint32_t id = 77;
		struct err e;
		int rc;

		grant_set_init(&set_a);
		rc = grant_add(&set_a, rows[i].verb, rows[i].object, 0, &id, &e);
		if (rc != rows[i].expected || (rc == 0) != (id == 0) || set_a.count != (rc == 0))
			fail_msg("%s '%s': %d", verb_word(rows[i].verb), rows[i].object, rc);
		if (rc == 0)
			assert_string_equal(grant_object(&set_a, id), rows[i].object);
	}
}

static void an_endpoint_is_kept_in_one_spelling(void **state)
{
	static const struct {
		const char *text, *kept;
	} rows[] = {
		{ "Example.COM.:443", "example.com:443" },
		{ "*.EXAMPLE.com:443", "*.example.com:443" },
		{ "[2001:DB8:0:0::1/128]:443", "[2001:db8::1]:443" },
		{ "192.0.2.1/32:80", "192.0.2.1:80" },
		{ "*:443", "*:443" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint32_t first = 77, second = 78, derived = 79;
		struct err e;

		grant_set_init(&set_a);
		assert_int_equal(grant_add(&set_a, VERB_CONNECT, rows[i].text, 0, &first, &e), 0);
		assert_int_equal(grant_add(&set_a, VERB_CONNECT, rows[i].kept, 0, &second, &e), 0);
		assert_string_equal(grant_object(&set_a, first), rows[i].kept);
		assert_int_equal(first, second);
		assert_int_equal(set_a.count, 1);
		assert_int_equal(set_a.grants[first].rights, 0);
		grant_set_init(&set_b);
		assert_int_equal(
			grant_derive(&set_a, first, &set_b, VERB_CONNECT, rows[i].text, NULL, NULL, NULL, &derived, &e),
			0);
		assert_string_equal(grant_object(&set_b, derived), rows[i].kept);
	}
}

static void a_bad_endpoint_is_told(void **state)
{
	struct err e;

	(void)state;
	grant_set_init(&set_a);
	assert_int_equal(grant_add(&set_a, VERB_CONNECT, "[::ffff:10.0.0.1]:443", 0, NULL, &e), -AMBIT_MALFORMED);
	assert_string_equal(e.msg, "connect: '[::ffff:10.0.0.1]:443' is not an endpoint");
	assert_true(err_says(&e, "as an IPv6 one"));
	assert_string_equal(e.hint, "write 10.0.0.1:443");
	assert_int_equal(set_a.count, 0);
	assert_int_equal(grant_add(&set_a, VERB_CONNECT, "*:443", 0, NULL, &e), 0);
	assert_int_equal(grant_derive(&set_a, 0, &set_b, VERB_CONNECT, "a:0", NULL, NULL, NULL, NULL, &e),
			 -AMBIT_MALFORMED);
	assert_string_equal(e.msg, "connect: 'a:0' is not an endpoint");
	assert_int_equal(grant_add(&set_a, VERB_CONNECT, "a", 0, NULL, NULL), -AMBIT_MALFORMED);
}

static void words_and_verbs_belong_together(void **state)
{
	enum grant_verb found;

	(void)state;
	for (enum grant_verb v = 0; v < VERB_COUNT; v++) {
		assert_true(verb_find(verb_word(v), strlen(verb_word(v)), &found));
		assert_int_equal(found, v);
	}
	assert_false(verb_find("rea", 3, &found));
	assert_false(verb_find("reads", 5, &found));
	assert_false(verb_find("", 0, &found));
	assert_true(verb_available(VERB_WORK));
	assert_true(verb_available(VERB_CONNECT));
	assert_false(verb_available(VERB_QUERY));
	assert_int_equal(verb_rights(VERB_WORK), RIGHT_READ | RIGHT_WRITE | RIGHT_RUN);
	assert_int_equal(verb_rights(VERB_WRITE), RIGHT_READ | RIGHT_WRITE);
	assert_int_equal(verb_rights(VERB_RUN), RIGHT_READ | RIGHT_RUN);
	assert_int_equal(verb_rights(VERB_READ), RIGHT_READ);
	assert_int_equal(verb_rights(VERB_ENV), 0);
}

static void a_full_set_refuses(void **state)
{
	char path[GRANT_OBJECT_MAX + 1];
	struct err e;

	(void)state;
	grant_set_init(&set_a);
	for (unsigned int i = 0; i < GRANTS_MAX; i++) {
		(void)snprintf(path, sizeof path, "/p%u", i);
		assert_int_equal(grant_add(&set_a, VERB_READ, path, 0, NULL, &e), 0);
	}
	assert_int_equal(grant_add(&set_a, VERB_READ, "/p0", 0, NULL, &e), 0); /* there already */
	assert_int_equal(grant_add(&set_a, VERB_READ, "/one/more", 0, NULL, &e), -AMBIT_LIMIT);

	grant_set_init(&set_a); /* the texts are full before the grants are: 16 of 4096 bytes with their NUL */
	memset(path, 'x', sizeof path);
	path[0] = '/';
	path[GRANT_OBJECT_MAX] = 0;
	assert_int_equal(grant_add(&set_a, VERB_READ, path, 0, NULL, &e), -AMBIT_MALFORMED);
	path[GRANT_OBJECT_MAX - 1] = 0;
	for (unsigned int i = 0; i < GRANT_POOL_MAX / GRANT_OBJECT_MAX; i++) {
		path[1] = (char)('a' + i);
		assert_int_equal(grant_add(&set_a, VERB_READ, path, 0, NULL, &e), 0);
	}
	assert_int_equal(grant_add(&set_a, VERB_READ, "/", 0, NULL, &e), -AMBIT_LIMIT);
	assert_int_equal(set_a.count, GRANT_POOL_MAX / GRANT_OBJECT_MAX);

	grant_set_init(&set_a); /* one byte is left */
	for (unsigned int i = 0; i < GRANT_POOL_MAX / GRANT_OBJECT_MAX; i++) {
		path[1] = (char)('a' + i);
		path[GRANT_OBJECT_MAX - (i == 0 ? 2 : 1)] = 0;
		assert_int_equal(grant_add(&set_a, VERB_READ, path, 0, NULL, &e), 0);
		path[GRANT_OBJECT_MAX - 2] = 'x';
	}
	assert_int_equal(grant_add(&set_a, VERB_READ, "/", 0, NULL, &e), -AMBIT_LIMIT);
	assert_int_equal(grant_add(&set_a, VERB_JIT, "", 0, NULL, &e), 0);
	assert_int_equal(set_a.pool_used, GRANT_POOL_MAX);
}

static void the_same_grant_is_one_grant(void **state)
{
	uint32_t first, second;
	struct err e;

	(void)state;
	grant_set_init(&set_a);
	assert_int_equal(grant_add(&set_a, VERB_READ, "/a", GRANT_OPTIONAL, &first, &e), 0);
	assert_int_equal(grant_add(&set_a, VERB_READ, "/b", GRANT_OPTIONAL, NULL, &e), 0);
	assert_int_equal(grant_add(&set_a, VERB_READ, "/a", 0, &second, &e), 0);
	assert_int_equal(first, second);
	assert_int_equal(set_a.count, 2);
	assert_int_equal(set_a.grants[first].flags, 0); /* asked for once without `?` */
}

static void one_name_has_one_value(void **state)
{
	struct err e;

	(void)state;
	grant_set_init(&set_a);
	assert_int_equal(grant_add(&set_a, VERB_ENV, "A=1", 0, NULL, &e), 0);
	assert_int_equal(grant_add(&set_a, VERB_ENV, "A=1", 0, NULL, &e), 0);
	assert_int_equal(grant_add(&set_a, VERB_ENV, "A=2", 0, NULL, &e), -AMBIT_CONFLICT);
	assert_int_equal(grant_add(&set_a, VERB_ENV, "A", 0, NULL, &e), -AMBIT_CONFLICT);
	assert_int_equal(grant_add(&set_a, VERB_ENV, "AB=2", 0, NULL, &e), 0);
}

static void a_request_is_decided_by_the_narrowest_grant(void **state)
{
	static const struct {
		enum grant_verb verb;
		const char *object;
		uint32_t grant;
	} rows[] = {
		{ VERB_READ, "/w", 0 },
		{ VERB_WRITE, "/w/x", 0 },
		{ VERB_RUN, "/w/x", 0 },
		{ VERB_READ, "/w/docs/a", 1 },
		{ VERB_WRITE, "/w/docs/a", 0 },
		{ VERB_READ, "/w/docsa", 0 },
		{ VERB_WRITE, "/out/f", 2 },
		{ VERB_READ, "/out/f", 2 },
		{ VERB_RUN, "/out/f", GRANT_NONE },
		{ VERB_RUN, "/opt/t", 3 },
		{ VERB_READ, "/opt/t/lib", 3 },
		{ VERB_WRITE, "/opt/t", GRANT_NONE },
		{ VERB_READ, "/", GRANT_NONE },
		{ VERB_READ, "/ou", GRANT_NONE },
		{ VERB_READ, "/outer", GRANT_NONE },
		{ VERB_RUN, "node", 4 },
		{ VERB_RUN, "/x/node", GRANT_NONE },
		{ VERB_ENV, "A", 5 },
		{ VERB_ENV, "AB", GRANT_NONE },
		{ VERB_ENV, "A=1", GRANT_NONE },
		{ VERB_JIT, "", GRANT_NONE },
		{ VERB_READ, "/w/../etc", GRANT_NONE },
		{ VERB_READ, "/both", 7 },
		{ VERB_WRITE, "/both", 6 },
		{ VERB_READ, "", GRANT_NONE },
		{ VERB_COUNT, "/w", GRANT_NONE },
	};

	(void)state;
	grant_set_init(&set_a);
	assert_int_equal(grant_add(&set_a, VERB_WORK, "/w", 0, NULL, NULL), 0);
	assert_int_equal(grant_add(&set_a, VERB_READ, "/w/docs", 0, NULL, NULL), 0);
	assert_int_equal(grant_add(&set_a, VERB_WRITE, "/out", 0, NULL, NULL), 0);
	assert_int_equal(grant_add(&set_a, VERB_RUN, "/opt/t", 0, NULL, NULL), 0);
	assert_int_equal(grant_add(&set_a, VERB_RUN, "node", 0, NULL, NULL), 0);
	assert_int_equal(grant_add(&set_a, VERB_ENV, "A=1", 0, NULL, NULL), 0);
	assert_int_equal(grant_add(&set_a, VERB_WRITE, "/both", 0, NULL, NULL), 0);
	assert_int_equal(grant_add(&set_a, VERB_RUN, "/both", 0, NULL, NULL), 0);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct grant_request want = { .verb = rows[i].verb, .object = rows[i].object };
		const struct grant_decision d = grant_check(&set_a, &want);

		if (d.grant != rows[i].grant || d.allowed != (rows[i].grant != GRANT_NONE))
			fail_msg("%s '%s': grant %d", verb_word(rows[i].verb), rows[i].object, (int)d.grant);
	}
}

/* Neither the order of the grants decides nor how long they are written. */
static void an_endpoint_is_decided_by_the_narrowest_grant(void **state)
{
	static const char *const grants[] = {
		"*:443",        "*.example.com:443",    "a.example.com:443", "10.0.0.0/8:443",
		"10.0.0.1:443", "[2001:4860::/32]:443", "[2001:4860::]:443", "8.8.8.0/24:443",
		"unix:/run/x",  "8.0.0.0/6:443"
	};
	static const struct {
		const char *object, *by; /* NULL: denied */
	} rows[] = {
		{ "a.example.com:443", "a.example.com:443" },
		{ "A.EXAMPLE.com.:443", "a.example.com:443" },
		{ "b.example.com:443", "*.example.com:443" },
		{ "*.example.com:443", "*.example.com:443" },
		{ "a.b.example.com:443", "*:443" },
		{ "example.com:443", "*:443" },
		{ "example.com:80", NULL },
		{ "10.0.0.1:443", "10.0.0.1:443" },
		{ "10.0.0.2:443", "10.0.0.0/8:443" },
		{ "10.0.0.0/9:443", "10.0.0.0/8:443" },
		{ "11.0.0.1:443", "8.0.0.0/6:443" },
		{ "10.0.0.0/7:443", "8.0.0.0/6:443" },
		{ "172.16.0.1:443", NULL },
		{ "127.0.0.1:443", NULL },
		{ "169.254.169.254:443", NULL },
		{ "9.9.9.9:443", "8.0.0.0/6:443" }, /* as wide as `*` in its way: the longer one */
		{ "8.8.8.8:443", "8.8.8.0/24:443" },
		{ "1.1.1.1:443", "*:443" },
		{ "[2001:4860::]:443", "[2001:4860::]:443" },
		{ "[2001:4860::1]:443", "[2001:4860::/32]:443" },
		{ "[::ffff:10.0.0.1]:443", NULL }, /* written as nobody may */
		{ "unix:/run/x", "unix:/run/x" },
		{ "unix:/run/x/y", NULL },
		{ "/run/x", NULL },
		{ "", NULL },
		{ "a.example.com", NULL },
	};

	(void)state;
	for (size_t first = 0; first < COUNT_OF(grants); first++) {
		grant_set_init(&set_a);
		for (size_t i = 0; i < COUNT_OF(grants); i++)
			assert_int_equal(
				grant_add(&set_a, VERB_CONNECT, grants[(first + i) % COUNT_OF(grants)], 0, NULL, NULL),
				0);
		for (size_t i = 0; i < COUNT_OF(rows); i++) {
			const struct grant_request want = { .verb = VERB_CONNECT, .object = rows[i].object };
			const struct grant_decision d = grant_check(&set_a, &want);
			const char *by = grant_object(&set_a, d.grant);

			if (d.allowed != (rows[i].by != NULL) || (d.allowed && strcmp(by, rows[i].by) != 0))
				fail_msg("'%s' by '%s', %zu first", rows[i].object, by, first);
		}
	}
}

static void a_derived_grant_is_within_its_parent(void **state)
{
	static const struct {
		enum grant_verb parent;
		const char *parent_object;
		enum grant_verb verb;
		const char *object;
		int expected;
	} rows[] = {
		{ VERB_WORK, "/w", VERB_WORK, "/w", 0 },
		{ VERB_WORK, "/w", VERB_READ, "/w/a", 0 },
		{ VERB_WORK, "/w", VERB_WRITE, "/w/a", 0 },
		{ VERB_WORK, "/w", VERB_RUN, "/w/a", 0 },
		{ VERB_WORK, "/w", VERB_READ, "/", -AMBIT_DENIED },
		{ VERB_WORK, "/w", VERB_READ, "/wa", -AMBIT_DENIED },
		{ VERB_WORK, "/w", VERB_RUN, "node", -AMBIT_DENIED },
		{ VERB_WORK, "/w", VERB_READ, "/w/..", -AMBIT_MALFORMED },
		{ VERB_READ, "/w", VERB_WRITE, "/w/a", -AMBIT_DENIED },
		{ VERB_READ, "/w", VERB_RUN, "/w/a", -AMBIT_DENIED },
		{ VERB_READ, "/w", VERB_WORK, "/w/a", -AMBIT_DENIED },
		{ VERB_WRITE, "/w", VERB_READ, "/w/a", 0 },
		{ VERB_WRITE, "/w", VERB_RUN, "/w/a", -AMBIT_DENIED },
		{ VERB_RUN, "/w", VERB_READ, "/w/a", 0 },
		{ VERB_RUN, "/w", VERB_WRITE, "/w/a", -AMBIT_DENIED },
		{ VERB_RUN, "node", VERB_RUN, "node", 0 },
		{ VERB_RUN, "node", VERB_RUN, "nodejs", -AMBIT_DENIED },
		{ VERB_RUN, "node", VERB_RUN, "/usr/bin/node", -AMBIT_DENIED },
		{ VERB_RUN, "node", VERB_JIT, "", -AMBIT_DENIED },
		{ VERB_ENV, "A", VERB_ENV, "A", 0 },
		{ VERB_ENV, "A=1", VERB_ENV, "A=1", 0 },
		{ VERB_ENV, "A=1", VERB_ENV, "A", -AMBIT_DENIED },
		{ VERB_ENV, "A", VERB_ENV, "A=1", -AMBIT_DENIED },
		{ VERB_JIT, "", VERB_JIT, "", 0 },
		{ VERB_JIT, "", VERB_READ, "/", -AMBIT_DENIED },
		{ VERB_CONNECT, "*:443", VERB_CONNECT, "*:443", 0 },
		{ VERB_CONNECT, "*:443", VERB_CONNECT, "example.com:443", 0 },
		{ VERB_CONNECT, "*:443", VERB_CONNECT, "*.Example.com:443", 0 },
		{ VERB_CONNECT, "*:443", VERB_CONNECT, "8.8.8.8:443", 0 },
		{ VERB_CONNECT, "*:443", VERB_CONNECT, "10.0.0.1:443", -AMBIT_DENIED },
		{ VERB_CONNECT, "*:443", VERB_CONNECT, "example.com:80", -AMBIT_DENIED },
		{ VERB_CONNECT, "*:443", VERB_CONNECT, "0.0.0.0/0:443", -AMBIT_DENIED },
		{ VERB_CONNECT, "*:443", VERB_CONNECT, "unix:/run/x", -AMBIT_DENIED },
		{ VERB_CONNECT, "*:443", VERB_CONNECT, "example.com", -AMBIT_MALFORMED },
		{ VERB_CONNECT, "*.example.com:443", VERB_CONNECT, "a.example.com:443", 0 },
		{ VERB_CONNECT, "*.example.com:443", VERB_CONNECT, "example.com:443", -AMBIT_DENIED },
		{ VERB_CONNECT, "a.example.com:443", VERB_CONNECT, "*.example.com:443", -AMBIT_DENIED },
		{ VERB_CONNECT, "10.0.0.0/8:443", VERB_CONNECT, "10.1.0.0/16:443", 0 },
		{ VERB_CONNECT, "10.1.0.0/16:443", VERB_CONNECT, "10.0.0.0/8:443", -AMBIT_DENIED },
		{ VERB_CONNECT, "unix:/run/x", VERB_CONNECT, "unix:/run/x", 0 },
		{ VERB_CONNECT, "unix:/run/x", VERB_READ, "/run/x", -AMBIT_DENIED },
		{ VERB_CONNECT, "unix:/run/x", VERB_CONNECT, "unix:/run/x/y", -AMBIT_DENIED },
		{ VERB_WORK, "/", VERB_CONNECT, "unix:/run/x", -AMBIT_DENIED },
		{ VERB_RUN, "example.com:443", VERB_CONNECT, "example.com:443",
		  -AMBIT_DENIED }, /* a program of that name */
		{ VERB_WORK, "/", VERB_CONNECT, "example.com:443", -AMBIT_DENIED },
		{ VERB_WORK, "/", VERB_QUERY, "example.com:443", -AMBIT_UNAVAILABLE },
		{ VERB_TOOL, "files/read", VERB_TOOL, "files/read", 0 },
		{ VERB_TOOL, "files/*", VERB_TOOL, "files/read", 0 },
		{ VERB_TOOL, "files/*", VERB_TOOL, "files/*", 0 },
		{ VERB_TOOL, "*", VERB_TOOL, "files/*", 0 },
		{ VERB_TOOL, "files/*", VERB_TOOL, "*", -AMBIT_DENIED },
		{ VERB_TOOL, "files/read", VERB_TOOL, "files/*", -AMBIT_DENIED },
		{ VERB_TOOL, "files/*", VERB_TOOL, "mail/send", -AMBIT_DENIED },
		{ VERB_DELEGATE, "*", VERB_TOOL, "files/read", -AMBIT_DENIED },
		{ VERB_TOOL, "*", VERB_DELEGATE, "coder", -AMBIT_DENIED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint32_t parent, id = 77;
		struct err e;
		int rc;

		grant_set_init(&set_a);
		grant_set_init(&set_b);
		assert_int_equal(grant_add(&set_a, rows[i].parent, rows[i].parent_object, GRANT_OPTIONAL, &parent, &e),
				 0);
		rc = grant_derive(&set_a, parent, &set_b, rows[i].verb, rows[i].object, NULL, NULL, NULL, &id, &e);
		if (rc != rows[i].expected || set_b.count != (rc == 0))
			fail_msg("%s %s -> %s %s: %d", verb_word(rows[i].parent), rows[i].parent_object,
				 verb_word(rows[i].verb), rows[i].object, rc);
		if (rc < 0)
			continue;
		assert_int_equal(set_b.grants[id].parent, GRANT_NONE);
		assert_int_equal(set_b.grants[id].flags, GRANT_OPTIONAL);
		assert_int_equal(
			grant_derive(&set_a, parent, &set_a, rows[i].verb, rows[i].object, NULL, NULL, NULL, &id, &e),
			0);
		assert_int_equal(set_a.grants[id].parent, parent);
		assert_int_equal(set_a.count, 2);
	}
	assert_int_equal(grant_derive(&set_a, set_a.count, &set_b, VERB_JIT, "", NULL, NULL, NULL, NULL, NULL),
			 -AMBIT_MALFORMED);
}

static void paths_have_boundaries(void **state)
{
	static const struct {
		const char *path, *root;
		bool beneath;
	} rows[] = {
		{ "/a", "/", true },    { "/", "/", true },     { "/a/b", "/a", true }, { "/a", "/a", true },
		{ "/ab", "/a", false }, { "/a", "/ab", false }, { "/", "/a", false },   { "/a", "/a/b", false },
		{ "a", "/", false },    { "/a", "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (path_is_beneath(rows[i].path, rows[i].root) != rows[i].beneath)
			fail_msg("%s beneath %s", rows[i].path, rows[i].root);
}

static void paths_are_normalised(void **state)
{
	static const struct {
		const char *base, *path, *expected; /* NULL: refused */
	} rows[] = {
		{ "/w", "x", "/w/x" },
		{ "/w", ".", "/w" },
		{ "/w", "./x//y/", "/w/x/y" },
		{ "/w", "/a/../b", "/b" },
		{ "/w", "..", "/" },
		{ "/w", "../../..", "/" },
		{ "/w", "/..", "/" },
		{ "/", "a", "/a" },
		{ "/w/../v/", "a/./b", "/v/a/b" },
		{ "/w", "...", "/w/..." },
		{ "/w", ".x", "/w/.x" },
		{ "/w", "..x", "/w/..x" },
		{ NULL, "/a", "/a" },
		{ NULL, "a", NULL },
		{ "w", "a", NULL },
		{ "/w", "", NULL },
		{ "/w", "0123456789", NULL },
		{ "/w", "/01234567890", "/01234567890" },
		{ "/w", "/012345678901", NULL },
	};
	char ret[13];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const bool ok = path_normalise(rows[i].base, rows[i].path, ret, sizeof ret);

		if (ok != (rows[i].expected != NULL) || strcmp(ret, ok ? rows[i].expected : "") != 0)
			fail_msg("%s + %s: '%s'", rows[i].base, rows[i].path, ret);
	}
	assert_false(path_normalise("/", "/", ret, 1));
	assert_true(path_normalise("/", "/", ret, 2));
	assert_false(path_normalise("/", "/", ret, 0));
}

static void a_denial_is_answered_with_the_exact_grant(void **state)
{
	static const struct {
		enum grant_verb verb;
		const char *object, *line, *flag;
	} rows[] = {
		{ VERB_READ, "/srv/data/x", "read: /srv/data/x", "--read /srv/data/x" },
		{ VERB_WRITE, "/a b", "write: \"/a b\"", "--write '/a b'" },
		{ VERB_WRITE, "/a b=c", "write: \"/a b=c\"", "--write '\"/a b=c\"'" },
		{ VERB_READ, "/a \"b", "read: \"/a \\\"b\"", "--read '\"/a \"\"b\"'" },
		{ VERB_READ, "/it's", "read: \"/it's\"", "--read '/it'\\''s'" },
		{ VERB_READ, "/a\"b", "read: \"/a\\\"b\"", "--read '/a\"b'" },
		{ VERB_READ, "/a\\b", "read: \"/a\\\\b\"", "--read '/a\\b'" },
		{ VERB_READ, "/what?", "read: \"/what?\?\"", "--read '/what?\?'" },
		{ VERB_READ, "/a\nb", "read: \"/a\\x0ab\"", "--read $'/a\\x0ab'" },
		{ VERB_READ, "/a\nb/c", "read: \"/a\\x0ab/c\"", "--read $'\"/a\\x0ab/c\"'" },
		{ VERB_READ, "/\xff", "", "--read $'/\\xff'" },
		{ VERB_READ, "/caf\xc3\xa9", "read: \"/caf\xc3\xa9\"", "--read '/caf\xc3\xa9'" },
		{ VERB_READ, "/\xe2\x80\xae", "read: \"/\\u202e\"", "--read $'/\\xe2\\x80\\xae'" },
		{ VERB_READ, "/\xf3\xa0\x81\x81", "read: \"/\\U000e0041\"", "--read $'/\\xf3\\xa0\\x81\\x81'" },
		{ VERB_RUN, "true", "run: \"true\"", "--run true" },
		{ VERB_RUN, "node", "run: node", "--run node" },
		{ VERB_ENV, "TERM", "env: TERM", "--env TERM" },
		{ VERB_JIT, "", "jit: true", "--jit" },
		{ VERB_CONNECT, "example.com:443", "connect: example.com:443", "--connect example.com:443" },
		{ VERB_CONNECT, "*:443", "connect: \"*:443\"", "--connect '*:443'" },
		{ VERB_CONNECT, "[::1]:443", "connect: \"[::1]:443\"", "--connect '\"[::1]:443\"'" },
		{ VERB_CONNECT, "unix:/what?", "connect: \"unix:/what?\"", "--connect 'unix:/what?'" },
	};
	char line[64], flag[64];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct grant_request want = { .verb = rows[i].verb, .object = rows[i].object };

		grant_suggest(&want, line, sizeof line, flag, sizeof flag);
		assert_string_equal(line, rows[i].line);
		assert_string_equal(flag, rows[i].flag);
	}
	grant_suggest(&(struct grant_request){ .verb = VERB_READ, .object = "/srv" }, line, 10, flag, 10);
	assert_string_equal(line, ""); /* "read: /srv" and its NUL are 11 bytes: half a grant is another grant */
	assert_string_equal(flag, "");
	grant_suggest(&(struct grant_request){ .verb = VERB_READ, .object = "/srv" }, line, 11, flag, 12);
	assert_string_equal(line, "read: /srv");
	assert_string_equal(flag, "--read /srv");
}

/* ---- properties ---- */

static const enum grant_verb verbs_here[] = { VERB_WORK, VERB_READ, VERB_WRITE,  VERB_RUN,
					      VERB_ENV,  VERB_JIT,  VERB_CONNECT };

/* Few names and few parts, so that paths meet each other. */
static void random_path(struct prop *p, char *ret, size_t size)
{
	static const char *const parts[] = { "a", "b", "ab", "a?", "..a", "c d", "\xff" };
	size_t len = 0;

	ret[0] = 0;
	for (uint32_t n = prop_below(p, 4); n > 0; n--)
		len += (size_t)snprintf(ret + len, size - len, "/%s", parts[prop_below(p, COUNT_OF(parts))]);
	if (len == 0)
		(void)snprintf(ret, size, "/");
}

struct random_grant {
	enum grant_verb verb;
	char object[64];
};

static struct random_grant random_grant(struct prop *p)
{
	static const char *const programs[] = { "node", "python3", "a" };
	static const char *const names[] = { "A", "B=1", "AB", "C=" };
	static const char *const endpoints[] = {
		"*:443",          "*.b.co:443",        "a.b.co:443",           "A.b.co.:443",
		"b.co:443",       "8.8.8.8:443",       "8.0.0.0/8:443",        "10.0.0.1:443",
		"10.0.0.0/8:443", "[2001:4860::]:443", "[2001:4860::/32]:443", "unix:/a",
		"unix:/a?",       "a.b.co:80"
	};
	struct random_grant g = { .verb = verbs_here[prop_below(p, COUNT_OF(verbs_here))] };

	random_path(p, g.object, sizeof g.object);
	if (g.verb == VERB_RUN && prop_below(p, 2) == 0)
		(void)snprintf(g.object, sizeof g.object, "%s", programs[prop_below(p, COUNT_OF(programs))]);
	if (g.verb == VERB_ENV)
		(void)snprintf(g.object, sizeof g.object, "%s", names[prop_below(p, COUNT_OF(names))]);
	if (g.verb == VERB_CONNECT)
		(void)snprintf(g.object, sizeof g.object, "%s", endpoints[prop_below(p, COUNT_OF(endpoints))]);
	if (g.verb == VERB_JIT)
		g.object[0] = 0;
	return g;
}

static struct random_grant random_request(struct prop *p)
{
	struct random_grant g = random_grant(p);

	if (g.verb == VERB_WORK)
		g.verb = VERB_READ;
	if (g.verb == VERB_ENV)
		g.object[strcspn(g.object, "=")] = 0;
	return g;
}

static bool is_allowed(const struct grant_set *set, const struct random_grant *want)
{
	const struct grant_decision d =
		grant_check(set, &(struct grant_request){ .verb = want->verb, .object = want->object });

	return d.allowed;
}

static void nothing_granted_nothing_allowed(void **state)
{
	(void)state;
	grant_set_init(&set_a);
	for (uint64_t round = 0; round < prop_rounds(2000); round++) {
		struct prop p = prop_round(round);
		const struct random_grant want = random_request(&p);

		if (is_allowed(&set_a, &want))
			prop_fail(&p, "%s %s", verb_word(want.verb), want.object);
	}
}

static void deriving_never_widens(void **state)
{
	uint64_t derived = 0;

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(4000); round++) {
		struct prop p = prop_round(round);
		const struct random_grant parent = random_grant(&p);
		uint32_t id;

		grant_set_init(&set_a);
		grant_set_init(&set_b);
		assert_int_equal(grant_add(&set_a, parent.verb, parent.object, 0, &id, NULL), 0);
		for (unsigned int i = 0; i < 8; i++) {
			const struct random_grant child = random_grant(&p);

			derived += grant_derive(&set_a, id, &set_b, child.verb, child.object, NULL, NULL, NULL, NULL,
						NULL) == 0;
		}
		for (unsigned int i = 0; i < 32; i++) {
			const struct random_grant want = random_request(&p);

			if (is_allowed(&set_b, &want) && !is_allowed(&set_a, &want))
				prop_fail(&p, "%s %s beyond %s %s", verb_word(want.verb), want.object,
					  verb_word(parent.verb), parent.object);
		}
	}
	assert_true(derived > 1000); /* the property is not empty */
}

static void order_never_matters(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < prop_rounds(1000); round++) {
		struct prop p = prop_round(round);
		struct random_grant grants[6];

		grant_set_init(&set_a);
		grant_set_init(&set_b);
		for (size_t i = 0; i < COUNT_OF(grants); i++) {
			grants[i] = random_grant(&p);
			assert_int_equal(grant_add(&set_a, grants[i].verb, grants[i].object, i % 2, NULL, NULL), 0);
		}
		for (size_t i = COUNT_OF(grants); i-- > 0;)
			assert_int_equal(grant_add(&set_b, grants[i].verb, grants[i].object, i % 2, NULL, NULL), 0);
		for (unsigned int i = 0; i < 32; i++) {
			const struct random_grant want = random_request(&p);
			const struct grant_request r = { .verb = want.verb, .object = want.object };
			const struct grant_decision a = grant_check(&set_a, &r), b = grant_check(&set_b, &r);

			if (a.allowed != b.allowed)
				prop_fail(&p, "%s %s", verb_word(want.verb), want.object);
			if (a.allowed && (strcmp(grant_object(&set_a, a.grant), grant_object(&set_b, b.grant)) != 0 ||
					  set_a.grants[a.grant].verb != set_b.grants[b.grant].verb ||
					  set_a.grants[a.grant].flags != set_b.grants[b.grant].flags))
				prop_fail(&p, "%s %s: another grant", verb_word(want.verb), want.object);
		}
	}
}

static void qualifiers_belong_to_one_grant(void **state)
{
	const struct qualifiers none = { .uses = 0 }, two = { .uses = 2 }, three = { .uses = 3 };
	const struct qualifiers *const rows[][2] = {
		{ &two, &three }, { &three, &two }, { &none, &two }, { &two, &none }
	};
	uint32_t first = 77, again = 78;
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) { /* in either order */
		grant_set_init(&set_a);
		assert_int_equal(grant_add_qualified(&set_a, VERB_CONNECT, "a:1", 0, rows[i][0], "", NULL, &first, &e),
				 0);
		assert_int_equal(grant_add_qualified(&set_a, VERB_CONNECT, "A.:1", 0, rows[i][0], "", NULL, &again, &e),
				 0);
		assert_int_equal(first, again);
		assert_int_equal(grant_add_qualified(&set_a, VERB_CONNECT, "a:1", 0, rows[i][1], "", NULL, &again, &e),
				 -AMBIT_CONFLICT);
		assert_string_equal(e.msg, "connect: 'a:1' is given with different qualifiers");
		assert_true(qualifiers_are_same(&set_a.grants[first].qualifiers, rows[i][0]));
		assert_int_equal(grant_add_qualified(&set_a, VERB_CONNECT, "a:2", 0, rows[i][1], "", NULL, &again, &e),
				 0);
		assert_int_equal(set_a.count, 2);
	}
	assert_int_equal(grant_add_qualified(&set_a, VERB_READ, "/a", 0, &two, "", NULL, NULL, &e), -AMBIT_MALFORMED);
	assert_int_equal(grant_add_qualified(&set_a, VERB_READ, "/a", 0, &none, "", NULL, NULL, &e), 0);
}

static void terms_belong_to_one_grant(void **state)
{
	static const char get[] = "http='GET /a/**'", other[] = "http='GET /a/*'";
	static const struct qualifiers none;
	uint32_t id = 77, again = 78;
	struct err e;

	(void)state;
	grant_set_init(&set_a);
	assert_int_equal(grant_add_qualified(&set_a, VERB_CONNECT, "a:1", 0, &none, get, NULL, &id, &e), 0);
	assert_string_equal(grant_terms(&set_a, id), get);
	assert_true(grant_has_conditions(&set_a, id));
	assert_int_equal(grant_add_qualified(&set_a, VERB_CONNECT, "a:1", 0, &none, get, NULL, &again, &e), 0);
	assert_int_equal(id, again);
	assert_int_equal(grant_add_qualified(&set_a, VERB_CONNECT, "a:1", 0, &none, other, NULL, &again, &e),
			 -AMBIT_CONFLICT);
	assert_int_equal(grant_add_qualified(&set_a, VERB_CONNECT, "a:1", 0, &none, "", NULL, &again, &e),
			 -AMBIT_CONFLICT);
	assert_int_equal(grant_add_qualified(&set_a, VERB_CONNECT, "a:2", 0, &none, "", NULL, &again, &e), 0);
	assert_string_equal(grant_terms(&set_a, again), "");
	assert_string_equal(grant_object(&set_a, again), "a:2");
	assert_false(grant_has_conditions(&set_a, again));
	assert_int_equal(grant_add_qualified(&set_a, VERB_READ, "/a", 0, &none, get, NULL, NULL, &e), -AMBIT_MALFORMED);
	assert_int_equal(grant_add_qualified(&set_a, VERB_CONNECT, "a:3", 0, &none, "http='get /a'", NULL, NULL, &e),
			 -AMBIT_MALFORMED);
}

static void which_endpoints_have_terms(void **state)
{
	static const struct {
		const char *object;
		bool can;
	} rows[] = {
		{ "a.test:443", true },        { "*.a.test:443", true },         { "*:443", true },
		{ "10.0.0.1:80", true },       { "10.0.0.1/32:80", true },       { "[2001:db8::1]:80", true },
		{ "10.0.0.0/31:80", false },   { "[2001:db8::/127]:80", false }, { "unix:/run/x", false },
		{ "ssh://git@a.test", false },
	};
	static const struct qualifiers none;
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		grant_set_init(&set_a);
		if (grant_add_qualified(&set_a, VERB_CONNECT, rows[i].object, 0, &none, "secret='a as bearer'", NULL,
					NULL, &e) != (rows[i].can ? 0 : -AMBIT_MALFORMED))
			fail_msg("%s", rows[i].object);
		if (!rows[i].can)
			assert_true(e.hint[0] != 0);
		assert_int_equal(grant_add(&set_a, VERB_CONNECT, "b.test:1", 0, NULL, &e), 0);
		assert_int_equal(grant_check_terms(rows[i].object, "", &e), 0);
	}
}

static void deriving_never_widens_terms(void **state)
{
	static const struct {
		const char *parent, *child;
		int rc;
	} rows[] = {
		{ "", "", 0 },
		{ "", "http='GET /a'", 0 },
		{ "", "secret='a as bearer'", -AMBIT_DENIED },
		{ "http='GET /a/**'", "", -AMBIT_DENIED },
		{ "http='GET /a/**'", "http='GET /a/b'", 0 },
		{ "http='GET /a/**'", "http='POST /a/b'", -AMBIT_DENIED },
		{ "http='GET /a/**'", "http='GET /a/b' secret='a as bearer'", -AMBIT_DENIED },
		{ "secret='a as bearer'", "http='GET /a/b' secret='a as bearer'", 0 },
		{ "secret='a as bearer'", "http='get'", -AMBIT_MALFORMED },
	};
	static const struct qualifiers none;
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint32_t parent, id;

		grant_set_init(&set_a);
		assert_int_equal(
			grant_add_qualified(&set_a, VERB_CONNECT, "*:443", 0, &none, rows[i].parent, NULL, &parent, &e),
			0);
		if (grant_derive(&set_a, parent, &set_a, VERB_CONNECT, "a.b:443", NULL, rows[i].child, NULL, &id, &e) !=
		    rows[i].rc)
			fail_msg("%s in %s", rows[i].child, rows[i].parent);
		if (rows[i].rc == 0)
			assert_string_equal(grant_terms(&set_a, id), rows[i].child);
	}
}

static void which_verbs_take_which_labels(void **state)
{
	static const struct {
		enum grant_verb verb;
		const char *object, *flow;
		int rc;
	} rows[] = {
		{ VERB_READ, "/a", "label=private", 0 },
		{ VERB_WORK, "/a", "label=mail+private", 0 },
		{ VERB_WRITE, "/a", "label=private", 0 },
		{ VERB_RUN, "/a", "label=private", 0 },
		{ VERB_RUN, "node", "label=private", -AMBIT_MALFORMED },
		{ VERB_ENV, "TOKEN", "label=private", 0 },
		{ VERB_JIT, "", "label=private", -AMBIT_MALFORMED },
		{ VERB_LISTEN, "8080", "label=private", -AMBIT_MALFORMED },
		{ VERB_DELEGATE, "*", "label=private", -AMBIT_MALFORMED },
		{ VERB_DECLASSIFY, "private", "label=private", -AMBIT_MALFORMED },
		{ VERB_READ, "/a", "unless=a", -AMBIT_MALFORMED },
		{ VERB_READ, "/a", "unless=none", -AMBIT_MALFORMED },
		{ VERB_ENV, "TOKEN", "ask=labelled", -AMBIT_MALFORMED },
		{ VERB_WORK, "/a", "label=private ask=labelled", -AMBIT_MALFORMED },
		{ VERB_CONNECT, "a:1", "label=untrusted unless=a+b,c ask=labelled", 0 },
		{ VERB_CONNECT, "unix:/run/x", "unless=none", 0 },
		{ VERB_TOOL, "a/b", "label=untrusted unless=a+b,c ask=labelled", 0 },
		{ VERB_TOOL, "a/*", "unless=none", 0 },
		{ VERB_CONNECT, "a:1", "unless=none ask=labelled", -AMBIT_MALFORMED },
		{ VERB_CONNECT, "a:1", "label=b+a", -AMBIT_MALFORMED },
		{ VERB_CONNECT, "a:1", "uses=1", -AMBIT_MALFORMED },
	};
	static const struct qualifiers none;
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint32_t id;

		grant_set_init(&set_a);
		if (grant_add_qualified(&set_a, rows[i].verb, rows[i].object, 0, &none, "", rows[i].flow, &id, &e) !=
		    rows[i].rc)
			fail_msg("%s %s %s", verb_word(rows[i].verb), rows[i].object, rows[i].flow);
		if (rows[i].rc < 0)
			continue;
		assert_string_equal(grant_flow(&set_a, id), rows[i].flow);
		assert_string_equal(grant_terms(&set_a, id), "");
		assert_true(grant_has_conditions(&set_a, id));
	}
}

static void labels_belong_to_one_grant(void **state)
{
	static const struct qualifiers none, asks = { .ask = 1 };
	uint32_t id = 77, again = 78;
	struct err e;

	(void)state;
	grant_set_init(&set_a);
	assert_int_equal(
		grant_add_qualified(&set_a, VERB_CONNECT, "a:1", 0, &none, "http='GET /a'", "label=x", &id, &e), 0);
	assert_string_equal(grant_terms(&set_a, id), "http='GET /a'");
	assert_string_equal(grant_flow(&set_a, id), "label=x");
	assert_int_equal(
		grant_add_qualified(&set_a, VERB_CONNECT, "a:1", 0, &none, "http='GET /a'", "label=x", &again, &e), 0);
	assert_int_equal(id, again);
	assert_int_equal(
		grant_add_qualified(&set_a, VERB_CONNECT, "a:1", 0, &none, "http='GET /a'", "label=y", &again, &e),
		-AMBIT_CONFLICT);
	assert_int_equal(grant_add_qualified(&set_a, VERB_CONNECT, "a:1", 0, &none, "http='GET /a'", NULL, &again, &e),
			 -AMBIT_CONFLICT);
	assert_int_equal(grant_add_qualified(&set_a, VERB_CONNECT, "a:2", 0, &none, "", "", &again, &e), 0);
	assert_string_equal(grant_flow(&set_a, again), "");
	assert_false(grant_has_conditions(&set_a, again));
	assert_int_equal(grant_add_qualified(&set_a, VERB_CONNECT, "a:3", 0, &asks, "", "ask=labelled", NULL, &e),
			 -AMBIT_MALFORMED);
	assert_int_equal(grant_add_qualified(&set_a, VERB_CONNECT, "a:3", 0, &asks, "", "label=x", NULL, &e), 0);
}

/* What stands behind a tool, one after the other in a set: the id of the grant, or what is wrong. */
static void a_tool_has_conditions_on_its_arguments(void **state)
{
	static const struct {
		const char *object;
		struct qualifiers q;
		const char *terms, *flow;
		int id; /* below 0: the error */
	} rows[] = {
		{ "a/x", { .uses = 0 }, "", "", 0 },
		{ "a/x", { .uses = 0 }, "where='{\"p\":[\"x*\"]}'", "", 1 }, /* other arguments, another grant */
		{ "a/x", { .uses = 0 }, "where='{\"p\":[\"x*\"]}'", "", 1 },
		{ "a/x",
		  { .uses = 5 },
		  "where='{\"p\":[\"x*\"]}'",
		  "",
		  2 }, /* five times, and then as the one before */
		{ "a/x", { .uses = 0 }, "where='{\"p\":[\"x*\"]}'", "label=b", 3 },
		{ "a/x", { .ask = 1 }, "where='{\"p\":[\"x*\"]}'", "", 1 }, /* it wins */
		{ "a/*",
		  { .uses = 1, .bytes = 7, .rate = 2, .period_s = 60, .until_s = 99, .ask = 1 },
		  "",
		  "unless=none",
		  4 },
		{ "*", { .between = { 540, 1080, "UTC" } }, "", "", 5 },
		{ "a/x", { .bytes = 5, .ech = 1 }, "", "", -AMBIT_MALFORMED },
		{ "a/x", { .ech = 1 }, "", "", -AMBIT_MALFORMED },
		{ "a/x", { .depth = 2 }, "", "", -AMBIT_MALFORMED },
		{ "a/x", { .uses = 0 }, "http='GET /a'", "", -AMBIT_MALFORMED },
		{ "a/x", { .uses = 0 }, "where='{\"p\":\"x\"}'", "", -AMBIT_MALFORMED },
		{ "a/x", { .ask = 1 }, "", "ask=labelled", -AMBIT_MALFORMED },
		{ "a", { .uses = 0 }, "", "", -AMBIT_MALFORMED },
		{ "a/b/c", { .uses = 0 }, "", "", -AMBIT_MALFORMED },
		{ "a/**", { .uses = 0 }, "", "", -AMBIT_MALFORMED },
	};
	struct err e;

	(void)state;
	grant_set_init(&set_a);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint32_t id = 77;
		const int rc = grant_add_qualified(&set_a, VERB_TOOL, rows[i].object, 0, &rows[i].q, rows[i].terms,
						   rows[i].flow, &id, &e);

		if (rows[i].id < 0 ? rc != rows[i].id : rc != 0 || id != (uint32_t)rows[i].id)
			fail_msg("%zu: %s %s: %d, %u", i, rows[i].object, rows[i].terms, rc, id);
	}
	assert_int_equal(set_a.grants[1].qualifiers.ask, 1);
	assert_int_equal(set_a.grants[2].qualifiers.ask, 0);
	assert_int_equal(grant_add_qualified(&set_a, VERB_CONNECT, "a:1", 0, &rows[0].q, rows[1].terms, "", NULL, &e),
			 -AMBIT_MALFORMED);
}

static void deriving_never_widens_a_tool(void **state)
{
	static const struct {
		const char *parent, *child;
		uint32_t uses; /* of the child; the parent has 5 */
		int rc;
	} rows[] = {
		{ "", "", 5, 0 },
		{ "", "", 6, -AMBIT_DENIED },
		{ "", "", 0, -AMBIT_DENIED },
		{ "", "where='{\"p\":[\"x\"]}'", 1, 0 },
		{ "where='{\"p\":[\"x*\"]}'", "where='{\"p\":[\"xy\"]}'", 1, 0 },
		{ "where='{\"p\":[\"x*\"]}'", "where='{\"p\":[\"y\"]}'", 1, -AMBIT_DENIED },
		{ "where='{\"p\":[\"x*\"]}'", "", 1, -AMBIT_DENIED },
	};
	static const struct qualifiers five = { .uses = 5 };
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct qualifiers q = { .uses = rows[i].uses };
		uint32_t parent = 77, id;

		grant_set_init(&set_a);
		assert_int_equal(
			grant_add_qualified(&set_a, VERB_TOOL, "a/*", 0, &five, rows[i].parent, "", &parent, &e), 0);
		if (grant_derive(&set_a, parent, &set_a, VERB_TOOL, "a/x", &q, rows[i].child, NULL, &id, &e) !=
		    rows[i].rc)
			fail_msg("%zu: %s -> %s", i, rows[i].parent, rows[i].child);
	}
}

/* The narrowest is named; several are asked for by nobody. */
static void a_tool_is_asked_for_by_its_name(void **state)
{
	static const struct {
		const char *object;
		uint32_t grant;
	} rows[] = {
		{ "a/x", 2 }, { "a/y", 1 },          { "a/roots/list", GRANT_NONE },
		{ "b/x", 0 }, { "a/*", GRANT_NONE }, { "*", GRANT_NONE },
	};
	struct err e;

	(void)state;
	grant_set_init(&set_a);
	assert_int_equal(grant_add(&set_a, VERB_TOOL, "*", 0, NULL, &e), 0);
	assert_int_equal(grant_add(&set_a, VERB_TOOL, "a/*", 0, NULL, &e), 0);
	assert_int_equal(grant_add(&set_a, VERB_TOOL, "a/x", 0, NULL, &e), 0);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct grant_request want = { .verb = VERB_TOOL, .object = rows[i].object };

		if (grant_check(&set_a, &want).grant != rows[i].grant)
			fail_msg("%s", rows[i].object);
	}
	assert_true(grant_object_is_narrower(VERB_TOOL, "long-server/*", VERB_TOOL, "*"));
	assert_true(grant_object_is_narrower(VERB_TOOL, "a/x", VERB_TOOL, "a/*"));
	assert_false(grant_object_is_narrower(VERB_TOOL, "a/*", VERB_TOOL, "a/x"));
}

static void deriving_never_widens_labels(void **state)
{
	static const struct {
		const char *parent, *child;
		uint32_t ask; /* of the child */
		int rc;
		const char *has; /* NULL: what the child asked for */
	} rows[] = {
		{ "", NULL, 0, 0, "" },
		{ "label=a unless=b", NULL, 0, 0, "label=a unless=b" },
		{ "label=a unless=b", "", 0, 0, "label=a unless=b" },
		{ "unless=none", NULL, 0, 0, "unless=none" },
		{ "unless=none", "unless=private+untrusted", 0, 0, NULL },
		{ "unless=none", "unless=a ask=labelled", 0, 0, NULL },
		{ "", "unless=none", 0, -AMBIT_DENIED, NULL },
		{ "", "ask=labelled", 0, -AMBIT_DENIED, NULL },
		{ "label=a", "unless=private", 0, -AMBIT_DENIED, NULL },
		{ "label=a", "label=a+b unless=private", 0, 0, NULL },
		{ "unless=a", "unless=a,b", 0, 0, NULL },
		{ "unless=a", "unless=b", 0, -AMBIT_DENIED, NULL },
		{ "unless=a ask=labelled", NULL, 0, 0, "unless=a ask=labelled" },
		{ "unless=a ask=labelled", NULL, 1, 0, "unless=a" },
		{ "", "unless=x", 0, -AMBIT_DENIED, NULL },
		{ "", "label=X", 0, -AMBIT_MALFORMED, NULL },
	};
	static const struct qualifiers none;
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct qualifiers asks = { .ask = rows[i].ask };
		uint32_t parent, id;

		grant_set_init(&set_a);
		assert_int_equal(
			grant_add_qualified(&set_a, VERB_CONNECT, "*:443", 0, &none, "", rows[i].parent, &parent, &e),
			0);
		if (grant_derive(&set_a, parent, &set_a, VERB_CONNECT, "a.b:443", &asks, NULL, rows[i].child, &id,
				 &e) != rows[i].rc)
			fail_msg("%s in %s", rows[i].child, rows[i].parent);
		if (rows[i].rc == 0)
			assert_string_equal(grant_flow(&set_a, id), rows[i].has != NULL ? rows[i].has : rows[i].child);
	}
	grant_set_init(&set_a);
	assert_int_equal(grant_add_qualified(&set_a, VERB_WORK, "/a", 0, &none, "", "label=x", NULL, &e), 0);
	assert_int_equal(grant_derive(&set_a, 0, &set_a, VERB_READ, "/a/b", NULL, NULL, NULL, NULL, &e), 0);
	assert_string_equal(grant_flow(&set_a, 1), "label=x");
}

static void a_label_is_taken_off_by_name(void **state)
{
	static const struct {
		const char *object;
		struct qualifiers q;
		const char *terms;
		int rc;
	} rows[] = {
		{ "private", { .uses = 0 }, "", 0 },
		{ "private", { .uses = 3, .ask = 1 }, "", 0 },
		{ "a.b_c-9", { .uses = 0 }, "", 0 },
		{ "Private", { .uses = 0 }, "", -AMBIT_MALFORMED },
		{ "", { .uses = 0 }, "", -AMBIT_MALFORMED },
		{ "none", { .uses = 0 }, "", -AMBIT_MALFORMED },
		{ "*", { .uses = 0 }, "", -AMBIT_MALFORMED },
		{ "private", { .bytes = 1 }, "", -AMBIT_MALFORMED },
		{ "private", { .depth = 1 }, "", -AMBIT_MALFORMED },
		{ "private", { .until_s = 1 }, "", -AMBIT_MALFORMED },
		{ "private", { .uses = 0 }, "http='GET /a'", -AMBIT_MALFORMED },
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		grant_set_init(&set_a);
		if (grant_add_qualified(&set_a, VERB_DECLASSIFY, rows[i].object, 0, &rows[i].q, rows[i].terms, NULL,
					NULL, &e) != rows[i].rc)
			fail_msg("%s, row %zu", rows[i].object, i);
	}
	grant_set_init(&set_a);
	assert_int_equal(grant_add(&set_a, VERB_DECLASSIFY, "private", 0, NULL, &e), 0);
	assert_int_equal(grant_derive(&set_a, 0, &set_a, VERB_DECLASSIFY, "private", NULL, NULL, NULL, NULL, &e), 0);
	assert_int_equal(grant_derive(&set_a, 0, &set_a, VERB_DECLASSIFY, "untrusted", NULL, NULL, NULL, NULL, &e),
			 -AMBIT_DENIED);
}

static struct qualifiers random_qualifiers(struct prop *p)
{
	static const struct window hours[] = { { .from = 0 }, { 540, 1080, "UTC" }, { 600, 1080, "UTC" } };

	return (struct qualifiers){ .uses = prop_below(p, 3),
				    .bytes = prop_below(p, 3),
				    .rate = prop_below(p, 2),
				    .period_s = 0,
				    .ech = prop_below(p, 2),
				    .between = hours[prop_below(p, COUNT_OF(hours))] };
}

/* Handed down twice, as to an agent's agent. */
static void deriving_never_widens_a_budget(void **state)
{
	uint64_t derived = 0;

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(4000); round++) {
		struct prop p = prop_round(round);
		struct qualifiers q[3];
		uint32_t id[3];

		grant_set_init(&set_a);
		for (size_t i = 0; i < COUNT_OF(q); i++) {
			q[i] = random_qualifiers(&p);
			q[i].period_s = q[i].rate != 0 ? (prop_below(&p, 2) != 0 ? 60 : 1) : 0;
		}
		assert_int_equal(grant_add_qualified(&set_a, VERB_CONNECT, "*:443", 0, &q[0], "", NULL, &id[0], NULL),
				 0);
		if (grant_derive(&set_a, id[0], &set_a, VERB_CONNECT, "a.b:443", &q[1], NULL, NULL, &id[1], NULL) < 0) {
			if (qualifiers_are_within(&q[1], &q[0]))
				prop_fail(&p, "refused, and within");
			continue;
		}
		derived++;
		if (grant_derive(&set_a, id[1], &set_a, VERB_CONNECT, "a.b:443", &q[2], NULL, NULL, &id[2], NULL) ==
			    0 &&
		    !qualifiers_are_within(&set_a.grants[id[2]].qualifiers, &q[0]))
			prop_fail(&p, "more than the first");
		if (!qualifiers_are_within(&set_a.grants[id[1]].qualifiers, &q[0]))
			prop_fail(&p, "more than its parent");
	}
	assert_true(derived > 100); /* the property is not empty */
}

static void adding_never_takes_away(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < prop_rounds(1000); round++) {
		struct prop p = prop_round(round);

		grant_set_init(&set_a);
		for (unsigned int i = 0; i < 6; i++) {
			const struct random_grant one = random_grant(&p);

			set_b = set_a;
			assert_int_equal(grant_add(&set_a, one.verb, one.object, 0, NULL, NULL), 0);
			for (unsigned int j = 0; j < 16; j++) {
				const struct random_grant want = random_request(&p);

				if (is_allowed(&set_b, &want) && !is_allowed(&set_a, &want))
					prop_fail(&p, "%s %s", verb_word(want.verb), want.object);
			}
		}
	}
}

/* Reads back what grant_suggest writes for a policy file: a plain word or a double-quoted one with its escapes. */
static void read_line(const char *line, struct random_grant *ret)
{
	const char *at = strchr(line, ':') + 2;
	size_t n = 0;

	assert_true(verb_find(line, (size_t)(at - 2 - line), &ret->verb));
	for (at += *at == '"'; *at != 0 && !(*at == '"' && at[1] == 0); at++) {
		at += *at == '\\';
		ret->object[n++] = *at;
	}
	ret->object[n] = 0;
	if (ret->verb == VERB_JIT)
		ret->object[0] = 0;
	else if (n > 0 && ret->object[n - 1] == '?' && ret->verb != VERB_CONNECT)
		ret->object[n - 1] = 0;
}

static bool within(const struct random_grant *inner, const struct random_grant *outer)
{
	struct endpoint a, b;

	if (inner->verb == VERB_CONNECT && outer->verb == VERB_CONNECT)
		return endpoint_take(inner->object, &a, NULL) == 0 && endpoint_take(outer->object, &b, NULL) == 0 &&
		       endpoint_is_within(&a, &b);
	return inner->object[0] == '/' ? path_is_beneath(inner->object, outer->object)
				       : strcmp(inner->object, outer->object) == 0;
}

static void a_suggestion_allows_the_request_and_nothing_outside(void **state)
{
	uint64_t suggested = 0;

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(2000); round++) {
		struct prop p = prop_round(round);
		const struct random_grant some = random_grant(&p), want = random_request(&p);
		const struct grant_request request = { .verb = want.verb, .object = want.object };
		struct random_grant given;
		char line[256], flag[256];

		grant_set_init(&set_a);
		assert_int_equal(grant_add(&set_a, some.verb, some.object, 0, NULL, NULL), 0);
		if (is_allowed(&set_a, &want))
			continue;
		grant_suggest(&request, line, sizeof line, flag, sizeof flag);
		if (line[0] == 0) { /* not sayable in YAML, and only then */
			assert_non_null(strchr(want.object, '\xff'));
			continue;
		}
		read_line(line, &given);
		set_b = set_a;
		assert_int_equal(grant_add(&set_b, given.verb, given.object, 0, NULL, NULL), 0);
		if (!is_allowed(&set_b, &want))
			prop_fail(&p, "'%s' does not allow %s %s", line, verb_word(want.verb), want.object);
		for (unsigned int i = 0; i < 32; i++) {
			const struct random_grant other = random_request(&p);

			if (is_allowed(&set_b, &other) && !is_allowed(&set_a, &other) && !within(&other, &want))
				prop_fail(&p, "'%s' allows %s %s", line, verb_word(other.verb), other.object);
		}
		suggested++;
	}
	assert_true(suggested > 500);
}

static void normalising_twice_is_normalising_once(void **state)
{
	static const char *const parts[] = { "a", ".", "..", "", "b c", "...", "\xff" };

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(4000); round++) {
		struct prop p = prop_round(round);
		char raw[128] = "", once[64], twice[64];
		const size_t size = 1 + prop_below(&p, sizeof once);
		size_t len = 0;

		for (uint32_t n = 1 + prop_below(&p, 9); n > 0; n--)
			len += (size_t)snprintf(raw + len, sizeof raw - len, "/%s",
						parts[prop_below(&p, COUNT_OF(parts))]);
		if (!path_normalise("/base", raw + prop_below(&p, 2), once, size))
			continue;
		if (!path_is_normal(once))
			prop_fail(&p, "'%s' is not normal", once);
		if (!path_normalise("/other", once, twice, sizeof twice) || strcmp(once, twice) != 0)
			prop_fail(&p, "'%s' became '%s'", once, twice);
	}
}

static void beneath_means_a_prefix_of_parts(void **state)
{
	uint64_t beneath = 0;

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(4000); round++) {
		struct prop p = prop_round(round);
		char path[64], root[64], with_slash[80];
		bool expected;

		random_path(&p, path, sizeof path);
		random_path(&p, root, sizeof root);
		(void)snprintf(with_slash, sizeof with_slash, "%s/", strcmp(root, "/") == 0 ? "" : root);
		expected = strcmp(path, root) == 0 || strncmp(path, with_slash, strlen(with_slash)) == 0;
		if (path_is_beneath(path, root) != expected)
			prop_fail(&p, "%s beneath %s", path, root);
		beneath += expected;
	}
	assert_true(beneath > 100);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_grant_takes_the_object_of_its_verb),
		cmocka_unit_test(an_endpoint_is_kept_in_one_spelling),
		cmocka_unit_test(a_bad_endpoint_is_told),
		cmocka_unit_test(words_and_verbs_belong_together),
		cmocka_unit_test(a_full_set_refuses),
		cmocka_unit_test(the_same_grant_is_one_grant),
		cmocka_unit_test(one_name_has_one_value),
		cmocka_unit_test(a_request_is_decided_by_the_narrowest_grant),
		cmocka_unit_test(an_endpoint_is_decided_by_the_narrowest_grant),
		cmocka_unit_test(a_derived_grant_is_within_its_parent),
		cmocka_unit_test(paths_have_boundaries),
		cmocka_unit_test(paths_are_normalised),
		cmocka_unit_test(a_denial_is_answered_with_the_exact_grant),
		cmocka_unit_test(nothing_granted_nothing_allowed),
		cmocka_unit_test(deriving_never_widens),
		cmocka_unit_test(deriving_never_widens_a_budget),
		cmocka_unit_test(qualifiers_belong_to_one_grant),
		cmocka_unit_test(terms_belong_to_one_grant),
		cmocka_unit_test(which_endpoints_have_terms),
		cmocka_unit_test(deriving_never_widens_terms),
		cmocka_unit_test(which_verbs_take_which_labels),
		cmocka_unit_test(labels_belong_to_one_grant),
		cmocka_unit_test(a_tool_has_conditions_on_its_arguments),
		cmocka_unit_test(deriving_never_widens_a_tool),
		cmocka_unit_test(a_tool_is_asked_for_by_its_name),
		cmocka_unit_test(deriving_never_widens_labels),
		cmocka_unit_test(a_label_is_taken_off_by_name),
		cmocka_unit_test(order_never_matters),
		cmocka_unit_test(adding_never_takes_away),
		cmocka_unit_test(a_suggestion_allows_the_request_and_nothing_outside),
		cmocka_unit_test(normalising_twice_is_normalising_once),
		cmocka_unit_test(beneath_means_a_prefix_of_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
