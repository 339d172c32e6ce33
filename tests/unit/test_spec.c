/* What listens in a cell, of endpoints of each kind beside each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cell/spec.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static struct cell_spec spec;

/* As the supervisor does. */
static void add(const char *text, uint32_t grant)
{
	struct cell_endpoint at = { .grant = grant };
	struct endpoint p;

	assert_int_equal(endpoint_take(text, &p, NULL), 0);
	at.kind = p.kind;
	at.port = p.port;
	at.at = p.range;
	if (p.kind == ENDPOINT_NAME)
		at.at = (struct address_range){ { ADDRESS_IPV4, { 198, 18, 0, (uint8_t)(grant + 1) } }, 32 };
	assert_int_equal(spec_add_endpoint(&spec, &at, p.kind == ENDPOINT_UNIX ? p.path : p.name.text, NULL), 0);
}

static void tell(char *ret, size_t size)
{
	static const char *const words[] = {
		[CELL_LISTENS_AT] = "at",     [CELL_LISTENS_IPV4] = "ipv4", [CELL_LISTENS_IPV6] = "ipv6",
		[CELL_LISTENS_PATH] = "path", [CELL_LISTENS_UDP] = "udp",   [CELL_LISTENS_TCP] = "tcp",
	};
	enum cell_listening how;
	size_t n = 0;
	uint32_t i;

	ret[0] = 0;
	for (uint32_t k = 0; spec_listener(&spec, k, &i, &how); k++) {
		assert_in_range(how, CELL_LISTENS_AT, CELL_LISTENS_TCP);
		assert_true(n < size);
		n += (size_t)snprintf(ret + n, size - n, "%s%u:%s", k == 0 ? "" : " ", i, words[how]);
	}
}

static void each_endpoint_has_what_listens_for_it(void **state)
{
	static const struct {
		const char *endpoints[5];
		const char *expected; /* of each socket in turn its endpoint, and how it listens */
	} rows[] = {
		{ { NULL }, "" },
		{ { "open.test:80" }, "0:at" },
		{ { "open.test:80", "10.0.0.1:80", "[::1]:443" }, "0:at 1:at 2:at" },
		{ { "unix:/run/x" }, "0:path" },
		{ { "unix:/run/x", "open.test:80", "unix:/run/y" }, "0:path 1:at 2:path" },
		/* one at all addresses is for all at its port, and there is one of each family */
		{ { "*:80" }, "0:ipv4 0:ipv6 1:udp 1:tcp" },
		{ { "*.open.test:80" }, "0:ipv4 1:udp 1:tcp" },
		{ { "10.0.0.0/8:80" }, "0:ipv4" },
		{ { "[fd00::/8]:80" }, "0:ipv6" },
		{ { "*.open.test:80", "*.shut.test:80" }, "0:ipv4 2:udp 2:tcp" },
		{ { "*.open.test:80", "*.open.test:443" }, "0:ipv4 1:ipv4 2:udp 2:tcp" },
		{ { "*.open.test:80", "*:80" }, "0:ipv4 1:ipv6 2:udp 2:tcp" },
		{ { "open.test:80", "*:80" }, "1:ipv4 1:ipv6 2:udp 2:tcp" },
		{ { "[::1]:80", "10.0.0.0/8:80", "10.0.0.1:80", "10.0.0.1:81" }, "0:at 1:ipv4 3:at" },
		/* sockets by path stand in nobody's place, and nobody in theirs */
		{ { "*:80", "unix:/run/x", "open.test:80" }, "0:ipv4 0:ipv6 1:path 3:udp 3:tcp" },
		{ { "unix:/run/x", "*.open.test:80", "unix:/run/y", "[fd00::/8]:80", "open.test:80" },
		  "0:path 1:ipv4 2:path 3:ipv6 5:udp 5:tcp" },
		{ { "[fd00::/8]:80", "unix:/a", "10.0.0.0/8:80", "[fd01::/16]:80", "unix:/b" },
		  "0:ipv6 1:path 2:ipv4 4:path" },
	};

	(void)state;
	for (size_t r = 0; r < COUNT_OF(rows); r++) {
		char told[256];

		spec_init(&spec);
		for (uint32_t i = 0; i < COUNT_OF(rows[r].endpoints) && rows[r].endpoints[i] != NULL; i++)
			add(rows[r].endpoints[i], i);
		tell(told, sizeof told);
		if (strcmp(told, rows[r].expected) != 0)
			fail_msg("row %zu: '%s', not '%s'", r, told, rows[r].expected);
	}
}

/* As many as there can be, none of them twice. */
static void all_are_numbered(void **state)
{
	bool seen[CELL_ENDPOINTS_MAX] = { false };
	enum cell_listening how;
	uint32_t i;

	(void)state;
	spec_init(&spec);
	for (uint32_t n = 0; n < CELL_ENDPOINTS_MAX; n++) {
		char text[32];

		(void)snprintf(text, sizeof text, n % 2 != 0 ? "unix:/run/%u" : "10.0.0.1:%u", n + 1);
		add(text, n);
	}
	for (uint32_t k = 0; k < CELL_ENDPOINTS_MAX; k++) {
		assert_true(spec_listener(&spec, k, &i, &how));
		assert_true(i < CELL_ENDPOINTS_MAX && !seen[i]);
		assert_int_equal(how, i % 2 != 0 ? CELL_LISTENS_PATH : CELL_LISTENS_AT);
		seen[i] = true;
	}
	assert_false(spec_listener(&spec, CELL_ENDPOINTS_MAX, &i, &how));
	assert_false(spec_listener(&spec, UINT32_MAX, &i, &how));
}

/* What the warden is told is what the supervisor meant. */
static void an_endpoint_has_its_form(void **state)
{
	static const char *const texts[] = {
		"open.test:80", "*.open.test:443", "10.0.0.0/8:22", "[2001:db8::1]:80", "[::1]:65535", "unix:/run/x",
		"*:1"
	};

	(void)state;
	spec_init(&spec);
	for (uint32_t i = 0; i < COUNT_OF(texts); i++)
		add(texts[i], i);
	for (uint32_t i = 0; i < COUNT_OF(texts); i++) {
		char text[ENDPOINT_TEXT_MAX];
		struct endpoint p;

		spec_endpoint(&spec, &spec.endpoints[i], &p);
		assert_true(endpoint_is_well_formed(&p));
		endpoint_put(&p, text);
		assert_string_equal(text, texts[i]);
		assert_int_equal(spec_endpoint_is_socket(&spec.endpoints[i]), strncmp(text, "unix:", 5) == 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_endpoint_has_what_listens_for_it),
		cmocka_unit_test(all_are_numbered),
		cmocka_unit_test(an_endpoint_has_its_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
