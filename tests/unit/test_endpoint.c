#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/endpoint.h"
#include "err_text.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

#define TEN "abcdefghij"
#define FIFTY TEN TEN TEN TEN TEN
#define LABEL_63 FIFTY TEN "abc"
#define NAME_253 LABEL_63 "." LABEL_63 "." LABEL_63 "." FIFTY TEN "a"

static void an_endpoint_is_written_one_way(void **state)
{
	static const struct {
		const char *text, *expected;
		enum endpoint_kind kind;
	} rows[] = {
		{ "example.com:443", "example.com:443", ENDPOINT_NAME },
		{ "Example.COM.:443", "example.com:443", ENDPOINT_NAME },
		{ "xn--bcher-kva.example:80", "xn--bcher-kva.example:80", ENDPOINT_NAME },
		{ "_a.example:1", "_a.example:1", ENDPOINT_NAME },
		{ "localhost:8080", "localhost:8080", ENDPOINT_NAME },
		{ "10.0.0.1.nip.io:80", "10.0.0.1.nip.io:80", ENDPOINT_NAME },
		{ "unix.example:80", "unix.example:80", ENDPOINT_NAME },
		{ NAME_253 ":65535", NAME_253 ":65535", ENDPOINT_NAME },
		{ NAME_253 ".:65535", NAME_253 ":65535", ENDPOINT_NAME },
		{ "*.example.com:443", "*.example.com:443", ENDPOINT_PATTERN },
		{ "*.EXAMPLE.com.:443", "*.example.com:443", ENDPOINT_PATTERN },
		{ "*:443", "*:443", ENDPOINT_ANY },
		{ "*:65535", "*:65535", ENDPOINT_ANY },
		{ "192.0.2.1:1", "192.0.2.1:1", ENDPOINT_RANGE },
		{ "192.0.2.1/32:1", "192.0.2.1:1", ENDPOINT_RANGE },
		{ "10.0.0.0/8:5432", "10.0.0.0/8:5432", ENDPOINT_RANGE },
		{ "0.0.0.0/0:443", "0.0.0.0/0:443", ENDPOINT_RANGE },
		{ "[::1]:80", "[::1]:80", ENDPOINT_RANGE },
		{ "[2001:DB8:0::1]:443", "[2001:db8::1]:443", ENDPOINT_RANGE },
		{ "[2001:db8::1/128]:443", "[2001:db8::1]:443", ENDPOINT_RANGE },
		{ "[2001:db8::/32]:443", "[2001:db8::/32]:443", ENDPOINT_RANGE },
		{ "[::/0]:443", "[::/0]:443", ENDPOINT_RANGE },
		{ "unix:/run/x.sock", "unix:/run/x.sock", ENDPOINT_UNIX },
		{ "unix:/run/a b:80", "unix:/run/a b:80", ENDPOINT_UNIX },
		{ "unix:/", "unix:/", ENDPOINT_UNIX },
		{ "unix:/" FIFTY FIFTY "abcdef", "unix:/" FIFTY FIFTY "abcdef", ENDPOINT_UNIX }, /* 107 */
		{ "ssh://git@Example.COM", "ssh://git@example.com", ENDPOINT_SSH },
		{ "ssh://git@example.com:22", "ssh://git@example.com", ENDPOINT_SSH },
		{ "ssh://Git_1.x-y@example.com.:2222", "ssh://Git_1.x-y@example.com:2222", ENDPOINT_SSH },
		{ "ssh://git@192.0.2.1", "ssh://git@192.0.2.1", ENDPOINT_SSH },
		{ "ssh://git@[2001:DB8::1]", "ssh://git@[2001:db8::1]", ENDPOINT_SSH },
		{ "ssh://git@[2001:db8::1]:2222", "ssh://git@[2001:db8::1]:2222", ENDPOINT_SSH },
		{ "ssh://" TEN TEN TEN "ab@" NAME_253 ":65535", "ssh://" TEN TEN TEN "ab@" NAME_253 ":65535",
		  ENDPOINT_SSH },
		{ "ssh:22", "ssh:22", ENDPOINT_NAME },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[ENDPOINT_TEXT_MAX];
		struct endpoint p;
		struct err e;

		if (endpoint_take(rows[i].text, &p, &e) != 0)
			fail_msg("'%s': %s", rows[i].text, err_text(&e).s);
		endpoint_put(&p, text);
		if (p.kind != rows[i].kind || strcmp(text, rows[i].expected) != 0)
			fail_msg("'%s': %u '%s'", rows[i].text, p.kind, text);
	}
}

static void what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *text, *why, *hint;
	} rows[] = {
		{ "", "names no host", "*:443" },
		{ ":443", "names no host", "*:443" },
		{ "example.com", "no port", "example.com:443" },
		{ "*", "no port", "example.com:443" },
		{ "192.0.2.1", "no port", "example.com:443" },
		{ "[::1]", "no port", "example.com:443" },
		{ "[::1]443", "no port", "example.com:443" },
		{ "[::1]]:443", "no port", "example.com:443" },
		{ "[::1] :443", "no port", "example.com:443" },
		/* ports */
		{ "example.com:", "its port", "one port" },
		{ "example.com:0", "its port", "one port" },
		{ "example.com:65536", "its port", "one port" },
		{ "example.com:4294967739", "its port", "one port" },
		{ "example.com:18446744073709551616443", "its port", "one port" },
		{ "example.com:080", "its port", "one port" },
		{ "example.com:+80", "its port", "one port" },
		{ "example.com:-80", "its port", "one port" },
		{ "example.com: 80", "its port", "one port" },
		{ "example.com:80 ", "its port", "one port" },
		{ "example.com:80\n", "its port", "one port" },
		{ "example.com:0x50", "its port", "one port" },
		{ "example.com:80-90", "its port", "one port" },
		{ "example.com:80,443", "its port", "one port" },
		{ "example.com:*", "its port", "one port" },
		{ "example.com:https", "its port", "one port" },
		{ "example.com:443/", "its port", "one port" },
		{ "[::1]:", "its port", "one port" },
		{ "[::1]:0", "its port", "one port" },
		{ "[::1]:080", "its port", "one port" },
		{ "*:*", "its port", "one port" },
		{ "10.0.0.0:443/8", "its port", "one port" },
		/* other forms */
		{ "https://example.com", "a URL", "the host and the port alone" },
		{ "https://example.com:443/x", "a URL", "the host and the port alone" },
		{ "a:b:443", "more than one colon", "in brackets" },
		{ "2001:db8::1:443", "more than one colon", "in brackets" },
		{ "::1", "more than one colon", "in brackets" },
		{ "::1]:443", "more than one colon", "in brackets" },
		{ "tcp:example.com:443", "more than one colon", "in brackets" },
		/* brackets */
		{ "[", "not closed", "[2001:db8::1]:443" },
		{ "[::1", "not closed", "[2001:db8::1]:443" },
		{ "[::1:443", "not closed", "[2001:db8::1]:443" },
		{ "[]:443", "not an IPv6 address", "without a zone" },
		{ "[example.com]:443", "not an IPv6 address", "without a zone" },
		{ "[*]:443", "not an IPv6 address", "without a zone" },
		{ "[[::1]:443", "not an IPv6 address", "without a zone" },
		{ "[fe80::1%eth0]:443", "not an IPv6 address", "without a zone" },
		{ "[fe80::1%25eth0]:443", "not an IPv6 address", "without a zone" },
		{ "[2001:db8::1/64]:443", "not an IPv6 address", "beyond the prefix zero" },
		{ "[2001:db8::/129]:443", "not an IPv6 address", "beyond the prefix zero" },
		{ "[ ::1]:443", "not an IPv6 address", "without a zone" },
		{ "[::1 ]:443", "not an IPv6 address", "without a zone" },
		{ "[127.1]:443", "not an IPv6 address", "without a zone" },
		{ "[v1.x]:443", "not an IPv6 address", "without a zone" },
		/* IPv4 in IPv6: the hint is what to write */
		{ "[::ffff:10.0.0.1]:443", "as an IPv6 one", "write 10.0.0.1:443" },
		{ "[::ffff:a00:1]:443", "as an IPv6 one", "write 10.0.0.1:443" },
		{ "[::FFFF:0:0/96]:443", "as an IPv6 one", "write 0.0.0.0/0:443" },
		{ "[::10.0.0.1]:443", "as an IPv6 one", "write 10.0.0.1:443" },
		{ "[::2]:443", "as an IPv6 one", "write 0.0.0.2:443" },
		{ "[64:ff9b::8.8.8.8]:443", "as an IPv6 one", "write [64:ff9b::808:808]:443" },
		{ "[192.0.2.1]:443", "as an IPv6 one", "write 192.0.2.1:443" },
		{ "[10.0.0.0/8]:443", "as an IPv6 one", "write 10.0.0.0/8:443" },
		/* IPv4 */
		{ "127.1:80", "not an IPv4 address", "without leading zeros" },
		{ "010.0.0.1:80", "not an IPv4 address", "without leading zeros" },
		{ "0x7f000001:80", "not an IPv4 address", "without leading zeros" },
		{ "0X7F.1:80", "not an IPv4 address", "without leading zeros" },
		{ "2130706433:80", "not an IPv4 address", "without leading zeros" },
		{ "1.2.3.4.:80", "not an IPv4 address", "without leading zeros" },
		{ "1.2.3.256:80", "not an IPv4 address", "without leading zeros" },
		{ "example.7:80", "not an IPv4 address", "without leading zeros" },
		{ "10.0.0.1/8:80", "its range", "192.0.2.0/24:443" },
		{ "10.0.0.0/33:80", "its range", "192.0.2.0/24:443" },
		{ "10.0.0.0/:80", "its range", "192.0.2.0/24:443" },
		{ "example.com/24:80", "its range", "192.0.2.0/24:443" },
		/* stars */
		{ "*.com:443", "a star", "*.example.com:443" },
		{ "**:443", "a star", "*.example.com:443" },
		{ "*.:443", "a star", "*.example.com:443" },
		{ "a.*.b:443", "a star", "*.example.com:443" },
		{ "*a.example.com:443", "a star", "*.example.com:443" },
		{ "**.example.com:443", "a star", "*.example.com:443" },
		{ "*.1.2.3.4:443", "a star", "*.example.com:443" },
		{ "10.*.0.1:443", "a star", "*.example.com:443" },
		/* names */
		{ "-a.example:443", "not a name", "xn--" },
		{ "a-.example:443", "not a name", "xn--" },
		{ "a..b:443", "not a name", "xn--" },
		{ "a..:443", "not a name", "xn--" },
		{ ".:443", "not a name", "xn--" },
		{ " example.com:443", "not a name", "xn--" },
		{ "example.com :443", "not a name", "xn--" },
		{ "user@example.com:443", "not a name", "xn--" },
		{ "::::", "more than one colon", "in brackets" },
		{ NAME_253 "b:443", "not a name", "253" },
		{ LABEL_63 "d.example:443", "not a name", "63" },
		{ "unix.:443", "called unix", "unix:/run/x" },
		{ "UNIX:443", "called unix", "unix:/run/x" },
		{ "UNIX:/run/x", "its port", "one port" },
		/* sockets */
		{ "unix:", "its path", "unix:/run/x" },
		{ "unix:443", "its path", "unix:/run/x" },
		{ "unix:run/x", "its path", "unix:/run/x" },
		{ "unix:./x", "its path", "unix:/run/x" },
		{ "unix:@abstract", "its path", "unix:/run/x" },
		{ "unix:///run/x", "its path", "unix:/run/x" },
		{ "unix:/run/../x", "its path", "unix:/run/x" },
		{ "unix:/run/x/", "its path", "unix:/run/x" },
		{ "unix:/run//x", "its path", "unix:/run/x" },
		{ "unix: /run/x", "its path", "unix:/run/x" },
		{ "unix:/" FIFTY FIFTY "abcdefg", "longer than", "107 bytes" },
		/* keys */
		{ "ssh://", "names no user", "ssh://git@example.com" },
		{ "ssh://example.com", "names no user", "ssh://git@example.com" },
		{ "ssh://@example.com", "names no user", "ssh://git@example.com" },
		{ "ssh://-l@example.com", "names no user", "ssh://git@example.com" },
		{ "ssh://a b@example.com", "names no user", "ssh://git@example.com" },
		{ "ssh://git:secret@example.com", "names no user", "ssh://git@example.com" },
		{ "ssh://g\xc3\xaft@example.com", "names no user", "ssh://git@example.com" },
		{ "ssh://" TEN TEN TEN "abc@example.com", "names no user", "32 at most" },
		{ "ssh://git@", "names no host", "HOST:PORT" },
		{ "ssh://git@example.com/", "not name one host", "no path" },
		{ "ssh://git@example.com/repo", "not name one host", "no path" },
		{ "ssh://git@10.0.0.0/8", "not name one host", "no path" },
		{ "ssh://git@*", "not name one host", "no path" },
		{ "ssh://git@*.example.com", "not name one host", "no path" },
		{ "ssh://git@[2001:db8::/32]", "not name one host", "no path" },
		{ "ssh://git@" NAME_253 "bcdefghijkl", "not a name", "253" },
		{ "ssh://git@" FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY, "not name one host", "no path" },
		{ "ssh://git@example.com:repo", "its port", "one port" },
		{ "ssh://git@example.com:0", "its port", "one port" },
		{ "ssh://git@a@example.com", "not a name", "xn--" },
		{ "ssh://git@127.1", "not an IPv4 address", "without leading zeros" },
		{ "ssh://git@ssh://git@a", "not name one host", "no path" },
		{ "SSH://git@example.com", "a URL", "the host and the port alone" },
		{ "ssh://git@[::ffff:10.0.0.1]", "as an IPv6 one", "write ssh://git@10.0.0.1" },
		{ "ssh://git@[::ffff:10.0.0.1]:2222", "as an IPv6 one", "write ssh://git@10.0.0.1:2222" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct endpoint p = { .kind = 77 };
		struct err e;

		if (endpoint_take(rows[i].text, &p, &e) != -AMBIT_MALFORMED || p.kind != 77)
			fail_msg("'%s' was taken", rows[i].text);
		if (strstr(e.why, rows[i].why) == NULL || strstr(e.hint, rows[i].hint) == NULL)
			fail_msg("'%s': %s (%s)", rows[i].text, err_text(&e).s, e.hint);
		assert_int_equal(endpoint_take(rows[i].text, &p, NULL), -AMBIT_MALFORMED);
	}
}

/* What a hint offers is taken. */
static void a_hint_is_as_it_is_to_be_written(void **state)
{
	static const char *const texts[] = { "[::ffff:10.0.0.1]:443", "[::ffff:0:0/96]:1", "[64:ff9b::8.8.8.8]:443",
					     "[1:2:3:4:5:6:255.254.253.252]:65535", "[10.0.0.0/8]:443" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct endpoint p;
		struct err e;

		assert_int_equal(endpoint_take(texts[i], &p, &e), -AMBIT_MALFORMED);
		assert_int_equal(strncmp(e.hint, "write ", 6), 0);
		if (endpoint_take(e.hint + 6, &p, NULL) != 0)
			fail_msg("'%s': %s", texts[i], e.hint);
	}
}

static void a_message_holds_no_raw_bytes(void **state)
{
	char text[5000];
	struct endpoint p;
	struct err e;

	(void)state;
	assert_int_equal(endpoint_take("\033[31m\xff.example:443", &p, &e), -AMBIT_MALFORMED);
	assert_string_equal(e.msg, "'\\x1b[31m\\xff.example:443' is not an endpoint");
	assert_int_equal(endpoint_take("unix:\n", &p, &e), -AMBIT_MALFORMED);
	assert_string_equal(e.msg, "'unix:\\x0a' is not an endpoint");
	memset(text, 'a', sizeof text);
	text[sizeof text - 1] = 0;
	assert_int_equal(endpoint_take(text, &p, &e), -AMBIT_MALFORMED);
	assert_true(err_says(&e, "aaa...' is not an endpoint"));
	memcpy(text, "unix:/", 6);
	assert_int_equal(endpoint_take(text, &p, &e), -AMBIT_MALFORMED);
	assert_true(err_says(&e, "longer than"));
}

/* ---- one within another ---- */

static struct endpoint endpoint_of(const char *text)
{
	struct endpoint p;
	struct err e;

	if (endpoint_take(text, &p, &e) != 0)
		fail_msg("a row of this test: %s", err_text(&e).s);
	return p;
}

static void an_endpoint_is_within_a_wider_one(void **state)
{
	static const struct {
		const char *inner, *outer;
		bool within;
	} rows[] = {
		{ "a.example:443", "a.example:443", true },
		{ "A.example.:443", "a.EXAMPLE:443", true },
		{ "a.example:443", "a.example:80", false },
		{ "a.example:443", "b.example:443", false },
		{ "a.example.com:443", "*.example.com:443", true },
		{ "a.example.com:80", "*.example.com:443", false },
		{ "a.b.example.com:443", "*.example.com:443", false },
		{ "example.com:443", "*.example.com:443", false },
		{ "*.example.com:443", "a.example.com:443", false },
		{ "*.example.com:443", "*.example.com:443", true },
		{ "*.b.example.com:443", "*.example.com:443", false },
		{ "*.example.com:443", "*.example.org:443", false },
		{ "a.example:443", "*:443", true },
		{ "localhost:443", "*:443", true }, /* and leads nowhere */
		{ "*.example.com:443", "*:443", true },
		{ "*:443", "*:443", true },
		{ "*:443", "*:80", false },
		{ "*:443", "*.example.com:443", false },
		{ "*:443", "0.0.0.0/0:443", false },
		{ "*:443", "[::/0]:443", false },
		/* names and addresses */
		{ "a.example:443", "0.0.0.0/0:443", false },
		{ "*.a.example:443", "0.0.0.0/0:443", false },
		{ "192.0.2.1:443", "a.example:443", false },
		{ "8.8.8.8:443", "*.example.com:443", false },
		{ "8.8.8.8:443", "*:443", true },
		{ "8.8.8.8:443", "*:80", false },
		{ "10.0.0.1:443", "*:443", false },
		{ "127.0.0.1:443", "*:443", false },
		{ "169.254.169.254:80", "*:80", false },
		{ "168.63.129.16:80", "*:80", false },
		{ "192.0.2.1:443", "*:443", false },
		{ "[2001:4860:4860::8888]:443", "*:443", true },
		{ "[::1]:443", "*:443", false },
		{ "[64:ff9b::808:808]:443", "*:443", true },
		{ "[64:ff9b::a00:1]:443", "*:443", false },
		{ "[2002:a00:1::1]:443", "*:443", false },
		{ "8.8.8.0/31:443", "*:443", false }, /* nobody looks at each of them */
		{ "[2001:4860:4860::8888/127]:443", "*:443", false },
		/* addresses */
		{ "10.1.2.3:443", "10.0.0.0/8:443", true },
		{ "10.1.2.3:443", "10.0.0.0/8:80", false },
		{ "10.1.0.0/16:443", "10.0.0.0/8:443", true },
		{ "10.0.0.0/8:443", "10.1.0.0/16:443", false },
		{ "10.0.0.0/8:443", "10.0.0.0/16:443", false },
		{ "11.0.0.1:443", "10.0.0.0/8:443", false },
		{ "10.1.2.3/32:443", "10.1.2.3:443", true },
		{ "10.1.2.3:443", "[::/0]:443", false },
		{ "[a00:1::]:443", "10.0.0.0/8:443", false },
		{ "[2001:db8::1]:443", "[2001:db8::/32]:443", true },
		{ "[2001:db9::1]:443", "[2001:db8::/32]:443", false },
		{ "0.0.0.0/0:443", "0.0.0.0/0:443", true },
		/* sockets */
		{ "unix:/run/x", "unix:/run/x", true },
		{ "unix:/run/x", "unix:/run/y", false },
		{ "unix:/run/x", "unix:/run", false }, /* a path, and nothing beneath it */
		{ "unix:/run/x", "unix:/", false },
		{ "unix:/run/x", "*:443", false },
		{ "*:443", "unix:/run/x", false },
		{ "a.example:443", "unix:/run/x", false },
		/* keys */
		{ "ssh://git@a.example", "ssh://git@a.example", true },
		{ "ssh://git@a.example", "ssh://git@A.example:22", true },
		{ "ssh://git@a.example", "ssh://alice@a.example", false },
		{ "ssh://git@a.example", "ssh://Git@a.example", false },
		{ "ssh://git@a.example", "ssh://git@b.example", false },
		{ "ssh://git@a.example", "ssh://git@a.example:2222", false },
		{ "ssh://git@a.example", "a.example:22", false },
		{ "ssh://git@a.example", "*:22", false },
		{ "ssh://git@8.8.8.8", "*:22", false },
		{ "ssh://git@8.8.8.8", "8.8.8.8:22", false },
		{ "ssh://git@8.8.8.8", "0.0.0.0/0:22", false },
		{ "ssh://git@8.8.8.8", "ssh://git@8.8.8.8", true },
		{ "ssh://git@8.8.8.8", "ssh://git@8.8.8.9", false },
		{ "ssh://git@8.8.8.8", "ssh://git@[2600::1]", false },
		{ "a.example:22", "ssh://git@a.example", true },
		{ "a.example:2222", "ssh://git@a.example", false },
		{ "b.example:22", "ssh://git@a.example", false },
		{ "8.8.8.8:22", "ssh://git@8.8.8.8", true },
		{ "8.8.8.0/31:22", "ssh://git@8.8.8.0", false },
		{ "8.8.8.8:22", "ssh://git@a.example", false },
		{ "*:22", "ssh://git@a.example", false },
		{ "unix:/run/x", "ssh://git@a.example", false },
	};
	const struct endpoint none = { .kind = 0 }, any = endpoint_of("*:443");
	struct endpoint other = { .kind = 0, .port = 443 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct endpoint inner = endpoint_of(rows[i].inner), outer = endpoint_of(rows[i].outer);

		if (endpoint_is_within(&inner, &outer) != rows[i].within)
			fail_msg("'%s' within '%s'", rows[i].inner, rows[i].outer);
	}
	assert_false(endpoint_is_within(&none, &none));
	assert_false(endpoint_is_within(&other, &any));
	other.kind = 77;
	assert_false(endpoint_is_within(&other, &any));
	assert_false(endpoint_is_within(&any, &other));
}

/* What another kind left in the struct says nothing. */
static void only_the_fields_of_its_kind_count(void **state)
{
	static const struct {
		const char *outer;
		unsigned int kinds; /* of inner, as bits */
	} rows[] = {
		{ "a.example.com:443", 1u << ENDPOINT_NAME },
		{ "*.example.com:443", 1u << ENDPOINT_NAME },
		{ "10.0.0.0/8:443", 1u << ENDPOINT_RANGE },
		{ "*:443", 1u << ENDPOINT_NAME | 1u << ENDPOINT_PATTERN | 1u << ENDPOINT_ANY },
		{ "unix:/run/x", 1u << ENDPOINT_UNIX },
		{ "ssh://git@a.example.com:443", 1u << ENDPOINT_NAME | 1u << ENDPOINT_SSH },
	};
	struct endpoint inner = endpoint_of("unix:/run/x");

	(void)state;
	inner.range = endpoint_of("10.0.0.1:1").range;
	inner.name = endpoint_of("a.example.com:1").name;
	memcpy(inner.user, "git", sizeof "git");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct endpoint outer = endpoint_of(rows[i].outer);

		inner.port = outer.port;
		for (unsigned kind = 0; kind <= ENDPOINT_SSH + 1; kind++) {
			inner.kind = (uint8_t)kind;
			if (endpoint_is_within(&inner, &outer) != ((rows[i].kinds >> kind & 1) != 0))
				fail_msg("kind %u within '%s'", kind, rows[i].outer);
		}
	}
}

/* ---- properties ---- */

/* Few parts, so that endpoints meet. */
static const char *const names[] = { "a.example.com", "b.example.com", "a.b.example.com", "example.com", "a.com" };
static const char *const patterns[] = { "*.example.com", "*.b.example.com", "*.a.com" };
static const char *const v4[] = {
	"8.8.8.8",       "8.8.8.0/24", "8.0.0.0/8", "0.0.0.0/0",  "10.0.0.1",    "10.0.0.0/8",
	"168.63.129.16", "127.0.0.1",  "8.8.8.9",   "8.8.8.8/31", "10.0.0.0/31", "128.0.0.0/1"
};
static const char *const v6[] = { "2600::1",        "2600::/16",        "::/0",       "::1",   "fd00::1", "fd00::/8",
				  "64:ff9b::a00:1", "64:ff9b::808:808", "2600::/127", "2600::" };
static const char *const sockets[] = { "/run/x", "/run/y", "/run", "/x" };

#define ONE_OF(p, list) ((list)[prop_below((p), COUNT_OF(list))])

static struct endpoint random_endpoint(struct prop *p)
{
	const unsigned int port = prop_below(p, 5) == 0 ? 80 : 443;
	char text[ENDPOINT_TEXT_MAX];

	switch (prop_below(p, 6)) {
	case 0: (void)snprintf(text, sizeof text, "%s:%u", ONE_OF(p, names), port); break;
	case 1: (void)snprintf(text, sizeof text, "%s:%u", ONE_OF(p, patterns), port); break;
	case 2: (void)snprintf(text, sizeof text, "%s:%u", ONE_OF(p, v4), port); break;
	case 3: (void)snprintf(text, sizeof text, "[%s]:%u", ONE_OF(p, v6), port); break;
	case 4: (void)snprintf(text, sizeof text, "*:%u", port); break;
	default: (void)snprintf(text, sizeof text, "unix:%s", ONE_OF(p, sockets)); break;
	}
	return endpoint_of(text);
}

/* What a program asks for: a socket; or a port of an address, which it wrote itself or a name led to. */
struct attempt {
	const char *socket, *name; /* NULL: no such */
	struct address address;
	unsigned int port;
};

static struct attempt random_attempt(struct prop *p)
{
	static const char *const addresses[] = { "8.8.8.8",  "8.8.8.9",  "8.8.8.0",        "9.9.9.9",
						 "10.0.0.1", "10.1.1.1", "127.0.0.1",      "168.63.129.16",
						 "2600::1",  "2600::",   "2601::",         "::1",
						 "fd00::1",  "fd01::",   "64:ff9b::a00:1", "64:ff9b::808:808" };
	struct attempt t = { .port = prop_below(p, 4) == 0 ? 80 : 443 };
	const char *address = ONE_OF(p, addresses);

	if (prop_below(p, 5) == 0) {
		t.socket = ONE_OF(p, sockets);
		return t;
	}
	assert_true(address_take(address, strlen(address), &t.address));
	t.name = prop_below(p, 2) == 0 ? ONE_OF(p, names) : NULL;
	return t;
}

/* The rules of the header, from what is written. */
static bool is_allowed(const struct endpoint *p, const struct attempt *t)
{
	char text[ENDPOINT_TEXT_MAX], *colon;
	struct address_range range;

	endpoint_put(p, text);
	if (t->socket != NULL)
		return strncmp(text, "unix:", 5) == 0 && strcmp(text + 5, t->socket) == 0;
	colon = strrchr(text, ':');
	if (strtoul(colon + 1, NULL, 10) != t->port)
		return false;
	*colon = 0;
	if (t->name != NULL && address_kind(&t->address) != ADDRESS_PUBLIC)
		return false;
	if (strcmp(text, "*") == 0)
		return address_kind(&t->address) == ADDRESS_PUBLIC;
	if (text[0] == '*')
		return t->name != NULL && strcmp(strchr(t->name, '.'), text + 1) == 0;
	if (t->name != NULL)
		return strcmp(t->name, text) == 0;
	text[strcspn(text, "]")] = 0;
	return address_range_take(text + (text[0] == '['), strlen(text + (text[0] == '[')), &range) &&
	       address_is_in(&t->address, &range);
}

static void what_is_written_is_taken_again(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < prop_rounds(4000); round++) {
		struct prop p = prop_round(round);
		const struct endpoint a = random_endpoint(&p);
		char text[ENDPOINT_TEXT_MAX], twice[ENDPOINT_TEXT_MAX];
		struct endpoint again;

		endpoint_put(&a, text);
		if (endpoint_take(text, &again, NULL) != 0)
			prop_fail(&p, "'%s' is not taken", text);
		endpoint_put(&again, twice);
		if (strcmp(text, twice) != 0 || again.kind != a.kind || !endpoint_is_within(&a, &again) ||
		    !endpoint_is_within(&again, &a))
			prop_fail(&p, "'%s' became '%s'", text, twice);
	}
}

static void within_is_an_order(void **state)
{
	uint64_t chains = 0;

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(40000); round++) {
		struct prop p = prop_round(round);
		const struct endpoint a = random_endpoint(&p), b = random_endpoint(&p), c = random_endpoint(&p);
		const bool ab = endpoint_is_within(&a, &b), bc = endpoint_is_within(&b, &c);
		char one[ENDPOINT_TEXT_MAX], other[ENDPOINT_TEXT_MAX];

		endpoint_put(&a, one);
		endpoint_put(&b, other);
		if (!endpoint_is_within(&a, &a))
			prop_fail(&p, "'%s' is not within itself", one);
		if (ab && endpoint_is_within(&b, &a) && strcmp(one, other) != 0)
			prop_fail(&p, "'%s' and '%s' are one", one, other);
		if (ab && bc && !endpoint_is_within(&a, &c))
			prop_fail(&p, "'%s' within '%s' ends", one, other);
		chains += ab && bc && strcmp(one, other) != 0;
	}
	assert_true(chains > 100);
}

static void what_is_within_allows_nothing_more(void **state)
{
	uint64_t allowed = 0;

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(20000); round++) {
		struct prop p = prop_round(round);
		const struct endpoint inner = random_endpoint(&p), outer = random_endpoint(&p);
		char one[ENDPOINT_TEXT_MAX], other[ENDPOINT_TEXT_MAX];

		if (!endpoint_is_within(&inner, &outer))
			continue;
		endpoint_put(&inner, one);
		endpoint_put(&outer, other);
		for (unsigned int i = 0; i < 32; i++) {
			const struct attempt t = random_attempt(&p);

			if (is_allowed(&inner, &t) && !is_allowed(&outer, &t))
				prop_fail(&p, "'%s' within '%s': %s", one, other, t.name != NULL ? t.name : "");
			allowed += is_allowed(&inner, &t) && strcmp(one, other) != 0;
		}
	}
	assert_true(allowed > 500);
}

static void a_range_means_what_it_is_of(void **state)
{
	static const struct {
		const char *range, *address;
		bool means;
	} rows[] = {
		{ "10.0.0.0/8", "10.1.2.3", true },
		{ "10.0.0.0/8", "11.0.0.0", false },
		{ "0.0.0.0/0", "8.8.8.8", true },
		{ "0.0.0.0/0", "127.0.0.1", false },
		{ "0.0.0.0/0", "0.0.0.0", false },
		{ "0.0.0.0/0", "224.0.0.1", false },
		{ "0.0.0.0/0", "169.254.169.254", true },
		{ "127.0.0.0/8", "127.0.0.1", true },
		{ "127.0.0.1", "127.0.0.1", true },
		{ "::/0", "2001:db8::1", true },
		{ "::/0", "::1", false },
		{ "::/0", "::", false },
		{ "::/0", "ff02::1", false },
		{ "::1", "::1", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct endpoint p = { .kind = ENDPOINT_RANGE, .port = 80 };
		struct address at;

		assert_true(address_range_take(rows[i].range, strlen(rows[i].range), &p.range));
		assert_true(address_take(rows[i].address, strlen(rows[i].address), &at));
		if (endpoint_means(&p, &at) != rows[i].means)
			fail_msg("%s, %s", rows[i].range, rows[i].address);
	}
}

/* What came in a message. */
static void what_no_text_says_is_not_well_formed(void **state)
{
	static const struct address_range one = { { ADDRESS_IPV4, { 10, 0, 0, 1 } }, 32 };
	const struct {
		const char *name;
		struct endpoint p;
		bool good;
	} rows[] = {
		{ "a name", { .kind = ENDPOINT_NAME, .port = 1, .name = { "a.example" } }, true },
		{ "and its address",
		  { .kind = ENDPOINT_NAME, .port = 1, .name = { "a.example" }, .range = one },
		  true },
		{ "without a name", { .kind = ENDPOINT_NAME, .port = 1 }, false },
		{ "without a port", { .kind = ENDPOINT_NAME, .name = { "a.example" } }, false },
		{ "upper case", { .kind = ENDPOINT_NAME, .port = 1, .name = { "A.example" } }, false },
		{ "a dot at the end", { .kind = ENDPOINT_NAME, .port = 1, .name = { "a.example." } }, false },
		{ "an address as a name", { .kind = ENDPOINT_NAME, .port = 1, .name = { "10.0.0.1" } }, false },
		{ "a pattern as a name", { .kind = ENDPOINT_NAME, .port = 1, .name = { "*.a.example" } }, false },
		{ "a pattern", { .kind = ENDPOINT_PATTERN, .port = 1, .name = { "*.a.example" } }, true },
		{ "a name as a pattern", { .kind = ENDPOINT_PATTERN, .port = 1, .name = { "a.example" } }, false },
		{ "of all below one label", { .kind = ENDPOINT_PATTERN, .port = 1, .name = { "*.com" } }, false },
		{ "with an address",
		  { .kind = ENDPOINT_PATTERN, .port = 1, .name = { "*.a.example" }, .range = one },
		  false },
		{ "without a port", { .kind = ENDPOINT_PATTERN, .name = { "*.a.example" } }, false },
		{ "an address", { .kind = ENDPOINT_RANGE, .port = 1, .range = one }, true },
		{ "a range", { .kind = ENDPOINT_RANGE, .port = 1, .range = { { ADDRESS_IPV4, { 10 } }, 8 } }, true },
		{ "bits beyond it",
		  { .kind = ENDPOINT_RANGE, .port = 1, .range = { { ADDRESS_IPV4, { 10, 1 } }, 8 } },
		  false },
		{ "longer than it is",
		  { .kind = ENDPOINT_RANGE, .port = 1, .range = { { ADDRESS_IPV4, { 10, 0, 0, 1 } }, 33 } },
		  false },
		{ "of no family", { .kind = ENDPOINT_RANGE, .port = 1, .range = { { 5, { 10 } }, 8 } }, false },
		{ "none at all", { .kind = ENDPOINT_RANGE, .port = 1 }, false },
		{ "with a name", { .kind = ENDPOINT_RANGE, .port = 1, .range = one, .name = { "a.example" } }, false },
		{ "without a port", { .kind = ENDPOINT_RANGE, .range = one }, false },
		{ "any host", { .kind = ENDPOINT_ANY, .port = 1 }, true },
		{ "without a port", { .kind = ENDPOINT_ANY }, false },
		{ "with a name", { .kind = ENDPOINT_ANY, .port = 1, .name = { "a.example" } }, false },
		{ "with an address", { .kind = ENDPOINT_ANY, .port = 1, .range = one }, false },
		{ "a socket", { .kind = ENDPOINT_UNIX, .path = "/run/x" }, true },
		{ "without a path", { .kind = ENDPOINT_UNIX }, false },
		{ "one that is not absolute", { .kind = ENDPOINT_UNIX, .path = "run/x" }, false },
		{ "one that is not normal", { .kind = ENDPOINT_UNIX, .path = "/run/../x" }, false },
		{ "with a port", { .kind = ENDPOINT_UNIX, .path = "/run/x", .port = 1 }, false },
		{ "with a name", { .kind = ENDPOINT_UNIX, .path = "/run/x", .name = { "a.example" } }, false },
		{ "with an address", { .kind = ENDPOINT_UNIX, .path = "/run/x", .range = one }, false },
		{ "a key, which goes another way",
		  { .kind = ENDPOINT_SSH, .port = 22, .user = "git", .name = { "a.example" } },
		  false },
		{ "no kind", { .port = 1 }, false },
		{ "another kind", { .kind = ENDPOINT_SSH + 1, .port = 1, .name = { "a.example" } }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (endpoint_is_well_formed(&rows[i].p) != rows[i].good)
			fail_msg("row %zu: %s", i, rows[i].name);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_endpoint_is_written_one_way),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(a_hint_is_as_it_is_to_be_written),
		cmocka_unit_test(a_message_holds_no_raw_bytes),
		cmocka_unit_test(an_endpoint_is_within_a_wider_one),
		cmocka_unit_test(what_no_text_says_is_not_well_formed),
		cmocka_unit_test(a_range_means_what_it_is_of),
		cmocka_unit_test(only_the_fields_of_its_kind_count),
		cmocka_unit_test(what_is_written_is_taken_again),
		cmocka_unit_test(within_is_an_order),
		cmocka_unit_test(what_is_within_allows_nothing_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
