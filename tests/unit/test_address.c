#include <arpa/inet.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/address.h"
#include "core/sockaddr.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* Of any IPv6 text that the C library takes, mapped and with an IPv4 part, too. */
static struct address address_of(const char *text)
{
	struct address a = { .family = strchr(text, ':') != NULL ? ADDRESS_IPV6 : ADDRESS_IPV4 };

	if (inet_pton(a.family == ADDRESS_IPV6 ? AF_INET6 : AF_INET, text, a.bytes) != 1)
		fail_msg("a row of this test: %s", text);
	return a;
}

/* Taken in a block of its very size, so that a sanitizer sees one byte too far. */
static bool take_range(const char *text, size_t n, struct address_range *ret)
{
	char *copy = malloc(n + (n == 0));
	bool ok;

	assert_non_null(copy);
	memcpy(copy, text, n);
	ok = address_range_take(copy, n, ret);
	free(copy);
	return ok;
}

/* ---- rows ---- */

static void an_address_is_written_one_way(void **state)
{
	static const struct {
		const char *text, *expected; /* NULL: refused */
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "256.0.0.1", NULL },
		{ "1.2.3.999", NULL },
		{ "1.2.3.4294967297", NULL },
		{ "127.1", NULL },
		{ "1.2.3", NULL },
		{ "1.2.3.4.5", NULL },
		{ "1.2.3.4.", NULL },
		{ ".1.2.3.4", NULL },
		{ "1..2.3", NULL },
		{ "1.2.3.", NULL },
		{ "1.2.3.4 ", NULL },
		{ " 1.2.3.4", NULL },
		{ "1.2.3.+4", NULL },
		{ "1.2.3.-4", NULL },
		{ "010.0.0.1", NULL },
		{ "10.0.0.01", NULL },
		{ "10.00.0.1", NULL },
		{ "0x7f.0.0.1", NULL },
		{ "0x7f000001", NULL },
		{ "2130706433", NULL },
		{ "0177.0.0.1", NULL },
		{ "1.2.3.a", NULL },
		{ "", NULL },
		{ "1.2.3.4/32", NULL },
		{ "a", NULL },
		/* IPv6 */
		{ "::", "::" },
		{ "::1", "::1" },
		{ "1::", "1::" },
		{ "2001:db8::1", "2001:db8::1" },
		{ "2001:DB8::A", "2001:db8::a" },
		{ "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" }, /* of as long ones the first */
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },       /* the longest */
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1" }, /* one zero is written */
		{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
		{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
		{ "0:0:1::", "0:0:1::" },
		{ "1:0:0:2:3:4:0:0", "1::2:3:4:0:0" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "64:ff9b::808:808", "64:ff9b::808:808" },
		{ "::1:0:0:0", "::1:0:0:0" },
		{ ":", NULL },
		{ ":::", NULL },
		{ "1", NULL },
		{ ":1", NULL },
		{ "1:", NULL },
		{ "1::2::3", NULL },
		{ "1:::2", NULL },
		{ "::1:", NULL },
		{ ":1::", NULL },
		{ "1:2:3:4:5:6:7", NULL },
		{ "1:2:3:4:5:6:7:8:9", NULL },
		{ "1:2:3:4:5:6:7:8::", NULL }, /* a gap of nothing */
		{ "::1:2:3:4:5:6:7:8", NULL },
		{ "1:2:3:4::5:6:7:8", NULL },
		{ "12345::", NULL },
		{ "00001::", NULL },
		{ "g::", NULL },
		{ "0x1::", NULL },
		{ "+1::", NULL },
		{ " ::1", NULL },
		{ "::1 ", NULL },
		{ "[::1]", NULL },
		{ "fe80::1%eth0", NULL },
		{ "fe80::1%1", NULL },
		{ "::1/128", NULL },
		/* IPv4 in it */
		{ "::ffff:1.2.3.4", NULL },
		{ "::ffff:102:304", NULL },
		{ "0:0:0:0:0:FFFF:7f00:1", NULL },
		{ "::1.2.3.4", NULL },
		{ "::102:304", NULL },
		{ "::2", NULL },
		{ "64:ff9b::8.8.8.8", NULL },
		{ "1:2:3:4:5:6:1.2.3.4", NULL },
		{ "1:2:3:4:5:6:7:1.2.3.4", NULL },
		{ "1.2.3.4::", NULL },
		{ "::1.2.3", NULL },
		{ "::1.2.3.4:5", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct address a = { .family = 9 };
		char text[ADDRESS_TEXT_MAX] = "";
		const bool ok = address_take(rows[i].text, strlen(rows[i].text), &a);

		if (ok != (rows[i].expected != NULL) || (!ok && a.family != 9))
			fail_msg("'%s': %d", rows[i].text, ok);
		if (!ok)
			continue;
		address_put(&a, text);
		if (strcmp(text, rows[i].expected) != 0)
			fail_msg("'%s': %s", rows[i].text, text);
	}
}

static void the_length_decides_where_a_text_ends(void **state)
{
	struct address a;

	(void)state;
	assert_true(address_take("1.2.3.45", 7, &a));
	assert_int_equal(a.bytes[3], 4);
	assert_false(address_take("1.2.3.4\0", 8, &a));
	assert_false(address_take("1.2.3.4\0.5", 10, &a));
	assert_false(address_take("1.2.\0.4", 7, &a));
	assert_false(address_take("::1\0", 4, &a));
	assert_false(address_take("::\0001", 4, &a));
	assert_false(address_take("1.2.3.4", 0, &a));
	assert_true(address_take("::1]:443", 3, &a));
}

static void a_range_has_zeros_beyond_its_prefix(void **state)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{ "10.0.0.0/8", "10.0.0.0/8" },
		{ "10.0.0.0/7", "10.0.0.0/7" },
		{ "10.0.0.0/6", NULL },
		{ "10.0.0.1/8", NULL },
		{ "10.128.0.0/8", NULL },
		{ "10.128.0.0/9", "10.128.0.0/9" },
		{ "10.0.0.1/31", NULL },
		{ "10.0.0.2/31", "10.0.0.2/31" },
		{ "10.0.0.1/32", "10.0.0.1" },
		{ "10.0.0.1", "10.0.0.1" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "1.0.0.0/0", NULL },
		{ "10.0.0.0/33", NULL },
		{ "10.0.0.0/", NULL },
		{ "10.0.0.0/08", NULL },
		{ "10.0.0.0/+8", NULL },
		{ "10.0.0.0/8 ", NULL },
		{ "10.0.0.0/8/8", NULL },
		{ "10.0.0.0/255.0.0.0", NULL },
		{ "10.0.0.0//8", NULL },
		{ "10.0.0/24", NULL },
		{ "10/8", NULL },
		{ "/8", NULL },
		{ "/", NULL },
		{ "", NULL },
		{ "2001:DB8::/32", "2001:db8::/32" },
		{ "2001:db8::/31", "2001:db8::/31" },
		{ "2001:db8::/28", NULL },
		{ "2001:db8::1/127", NULL },
		{ "2001:db8::1/128", "2001:db8::1" },
		{ "::/0", "::/0" },
		{ "::/1", "::/1" },
		{ "::/95", "::/95" },
		{ "::/129", NULL },
		{ "::/256", NULL },
		{ "::/1000", NULL },
		{ "::/127", "::/127" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127" },
		{ "::/96", NULL }, /* of IPv4 addresses */
		{ "::/126", NULL },
		{ "::ffff:0:0/96", NULL },
		{ "::ffff:a00:0/104", NULL },
		{ "::ffff:0:0/95", NULL },
		{ "64:ff9b::/96", "64:ff9b::/96" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct address_range r = { .prefix = 200 };
		char text[ADDRESS_RANGE_TEXT_MAX] = "";
		const bool ok = take_range(rows[i].text, strlen(rows[i].text), &r);

		if (ok != (rows[i].expected != NULL) || (!ok && r.prefix != 200))
			fail_msg("'%s': %d", rows[i].text, ok);
		if (!ok)
			continue;
		address_range_put(&r, text);
		if (strcmp(text, rows[i].expected) != 0)
			fail_msg("'%s': %s", rows[i].text, text);
		assert_int_equal(address_range_is_one(&r), strchr(text, '/') == NULL);
	}
}

static void another_spelling_means_what_we_write(void **state)
{
	static const struct {
		const char *text, *expected; /* NULL: means nothing else */
	} rows[] = {
		{ "::ffff:1.2.3.4", "1.2.3.4" },
		{ "::FFFF:102:304", "1.2.3.4" },
		{ "::ffff:10.0.0.0/104", "10.0.0.0/8" },
		{ "::ffff:0:0/96", "0.0.0.0/0" },
		{ "::ffff:1.2.3.4/128", "1.2.3.4" },
		{ "::1.2.3.4", "1.2.3.4" },
		{ "::2", "0.0.0.2" },
		{ "64:ff9b::8.8.8.8", "64:ff9b::808:808" },
		{ "1:2:3:4:5:6:255.254.253.252", "1:2:3:4:5:6:fffe:fdfc" },
		{ "::0.0.0.1", "::1" }, /* which is none of IPv4 */
		{ "1:2:3:4:5:6:7:1.2.3.4", NULL },
		{ "1:2:3:4:5::1.2.3.4", "1:2:3:4:5:0:102:304" },
		{ "1:2:3:4:5:6::1.2.3.4", NULL },
		{ "1.2.3.4::", NULL },
		{ "::1.2.3.4:5", NULL },
		{ "::01.2.3.4", NULL },
		{ "::1.2.3", NULL },
		{ "::ffff:1.2.3.4/96", NULL },
		{ "1.2.3.4", NULL },
		{ "::1", NULL },
		{ "127.1", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct address_range r;
		char text[ADDRESS_RANGE_TEXT_MAX] = "";

		if (address_range_meant(rows[i].text, strlen(rows[i].text), &r) != (rows[i].expected != NULL))
			fail_msg("'%s'", rows[i].text);
		if (rows[i].expected == NULL)
			continue;
		address_range_put(&r, text);
		if (strcmp(text, rows[i].expected) != 0)
			fail_msg("'%s': %s", rows[i].text, text);
		if (!take_range(text, strlen(text), &r))
			fail_msg("'%s': %s is not taken", rows[i].text, text);
	}
}

static void an_address_lies_in_a_range(void **state)
{
	static const struct {
		const char *address, *range;
		bool in;
	} rows[] = {
		{ "10.0.0.0", "10.0.0.0/8", true },
		{ "10.255.255.255", "10.0.0.0/8", true },
		{ "11.0.0.0", "10.0.0.0/8", false },
		{ "9.255.255.255", "10.0.0.0/8", false },
		{ "11.0.0.0", "10.0.0.0/7", true },
		{ "172.31.255.255", "172.16.0.0/12", true },
		{ "172.32.0.0", "172.16.0.0/12", false },
		{ "1.2.3.4", "1.2.3.4", true },
		{ "1.2.3.5", "1.2.3.4", false },
		{ "1.2.3.5", "1.2.3.4/31", true },
		{ "255.255.255.255", "0.0.0.0/0", true },
		{ "2001:db8::1", "2001:db8::/32", true },
		{ "2001:db9::", "2001:db8::/32", false },
		{ "2001:db9::", "2001:db8::/31", true },
		{ "::1", "::/0", true },
		{ "::1", "::1", true },
		{ "::1", "::", false },
		/* families do not meet, whatever is written in the bytes */
		{ "10.0.0.1", "::/0", false },
		{ "a00:1::", "10.0.0.0/8", false },
		{ "::", "0.0.0.0/0", false },
		{ "::ffff:10.0.0.1", "::/0", false },
		{ "::ffff:10.0.0.1", "::/1", false },
		{ "::ffff:10.0.0.1", "10.0.0.0/8", false },
		{ "::fffe:10.0.0.1", "::/1", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct address a = address_of(rows[i].address);
		struct address_range r;

		assert_true(take_range(rows[i].range, strlen(rows[i].range), &r));
		if (address_is_in(&a, &r) != rows[i].in)
			fail_msg("%s in %s", rows[i].address, rows[i].range);
	}
}

static void addresses_of_two_families_are_two(void **state)
{
	const struct address v4 = address_of("1.2.3.4"), v6 = address_of("102:304::");
	const struct address other = address_of("1.2.3.5"), last = address_of("102:304::1");

	(void)state;
	assert_memory_equal(v4.bytes, v6.bytes, sizeof v4.bytes);
	assert_false(address_is_same(&v4, &v6));
	assert_true(address_is_same(&v4, &v4));
	assert_false(address_is_same(&v4, &other));
	assert_false(address_is_same(&v6, &last));
}

static void ranges_lie_in_each_other(void **state)
{
	static const struct {
		const char *inner, *outer;
		bool in;
	} rows[] = {
		{ "10.1.0.0/16", "10.0.0.0/8", true },
		{ "10.0.0.0/8", "10.1.0.0/16", false },
		{ "10.0.0.0/8", "10.0.0.0/16", false },
		{ "10.0.0.0/16", "10.0.0.0/8", true },
		{ "10.0.0.0/8", "10.0.0.0/8", true },
		{ "11.0.0.0/16", "10.0.0.0/8", false },
		{ "1.2.3.4", "0.0.0.0/0", true },
		{ "0.0.0.0/0", "1.2.3.4", false },
		{ "0.0.0.0/0", "::/0", false },
		{ "::/0", "0.0.0.0/0", false },
		{ "2001:db8:1::/48", "2001:db8::/32", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct address_range inner, outer;

		assert_true(take_range(rows[i].inner, strlen(rows[i].inner), &inner));
		assert_true(take_range(rows[i].outer, strlen(rows[i].outer), &outer));
		if (address_range_is_in(&inner, &outer) != rows[i].in)
			fail_msg("%s in %s", rows[i].inner, rows[i].outer);
	}
}

/* The first and the last address of each, and their neighbours. */
static void an_address_is_of_a_kind(void **state)
{
	static const struct {
		const char *text;
		enum address_kind kind;
	} rows[] = {
		{ "0.0.0.0", ADDRESS_UNSPECIFIED },
		{ "0.255.255.255", ADDRESS_UNSPECIFIED },
		{ "1.0.0.0", ADDRESS_PUBLIC },
		{ "8.8.8.8", ADDRESS_PUBLIC },
		{ "9.255.255.255", ADDRESS_PUBLIC },
		{ "10.0.0.0", ADDRESS_PRIVATE },
		{ "10.255.255.255", ADDRESS_PRIVATE },
		{ "11.0.0.0", ADDRESS_PUBLIC },
		{ "100.63.255.255", ADDRESS_PUBLIC },
		{ "100.64.0.0", ADDRESS_PRIVATE },
		{ "100.127.255.255", ADDRESS_PRIVATE },
		{ "100.128.0.0", ADDRESS_PUBLIC },
		{ "126.255.255.255", ADDRESS_PUBLIC },
		{ "127.0.0.0", ADDRESS_LOOPBACK },
		{ "127.0.0.1", ADDRESS_LOOPBACK },
		{ "127.255.255.255", ADDRESS_LOOPBACK },
		{ "128.0.0.0", ADDRESS_PUBLIC },
		{ "169.253.255.255", ADDRESS_PUBLIC },
		{ "169.254.0.0", ADDRESS_LINK_LOCAL },
		{ "169.254.255.255", ADDRESS_LINK_LOCAL },
		{ "169.255.0.0", ADDRESS_PUBLIC },
		{ "172.15.255.255", ADDRESS_PUBLIC },
		{ "172.16.0.0", ADDRESS_PRIVATE },
		{ "172.31.255.255", ADDRESS_PRIVATE },
		{ "172.32.0.0", ADDRESS_PUBLIC },
		{ "191.255.255.255", ADDRESS_PUBLIC },
		{ "192.0.0.0", ADDRESS_RESERVED },
		{ "192.0.0.255", ADDRESS_RESERVED },
		{ "192.0.1.0", ADDRESS_PUBLIC },
		{ "192.0.2.0", ADDRESS_RESERVED },
		{ "192.0.2.255", ADDRESS_RESERVED },
		{ "192.0.3.0", ADDRESS_PUBLIC },
		{ "192.31.196.1", ADDRESS_PUBLIC },
		{ "192.88.98.255", ADDRESS_PUBLIC },
		{ "192.88.99.0", ADDRESS_RESERVED },
		{ "192.88.99.255", ADDRESS_RESERVED },
		{ "192.88.100.0", ADDRESS_PUBLIC },
		{ "192.167.255.255", ADDRESS_PUBLIC },
		{ "192.168.0.0", ADDRESS_PRIVATE },
		{ "192.168.255.255", ADDRESS_PRIVATE },
		{ "192.169.0.0", ADDRESS_PUBLIC },
		{ "198.17.255.255", ADDRESS_PUBLIC },
		{ "198.18.0.0", ADDRESS_RESERVED },
		{ "198.19.255.255", ADDRESS_RESERVED },
		{ "198.20.0.0", ADDRESS_PUBLIC },
		{ "198.51.99.255", ADDRESS_PUBLIC },
		{ "198.51.100.0", ADDRESS_RESERVED },
		{ "198.51.100.255", ADDRESS_RESERVED },
		{ "198.51.101.0", ADDRESS_PUBLIC },
		{ "203.0.112.255", ADDRESS_PUBLIC },
		{ "203.0.113.0", ADDRESS_RESERVED },
		{ "203.0.113.255", ADDRESS_RESERVED },
		{ "203.0.114.0", ADDRESS_PUBLIC },
		{ "223.255.255.255", ADDRESS_PUBLIC },
		{ "224.0.0.0", ADDRESS_MULTICAST },
		{ "239.255.255.255", ADDRESS_MULTICAST },
		{ "240.0.0.0", ADDRESS_RESERVED },
		{ "255.255.255.254", ADDRESS_RESERVED },
		{ "255.255.255.255", ADDRESS_MULTICAST },
		/* IPv6 */
		{ "::", ADDRESS_UNSPECIFIED },
		{ "::1", ADDRESS_LOOPBACK },
		{ "::1:0:0:0", ADDRESS_RESERVED },
		{ "100::1", ADDRESS_RESERVED },
		{ "100:0:0:1::1", ADDRESS_RESERVED },
		{ "1fff:ffff::", ADDRESS_RESERVED },
		{ "2000::", ADDRESS_PUBLIC },
		{ "2001:1::1", ADDRESS_RESERVED },
		{ "2001:2::1", ADDRESS_RESERVED },
		{ "2001:20::1", ADDRESS_RESERVED },
		{ "2001:1ff:ffff::", ADDRESS_RESERVED },
		{ "2001:200::", ADDRESS_PUBLIC },
		{ "2001:4860:4860::8888", ADDRESS_PUBLIC },
		{ "2001:db7:ffff::", ADDRESS_PUBLIC },
		{ "2001:db8::", ADDRESS_RESERVED },
		{ "2001:db8:ffff::", ADDRESS_RESERVED },
		{ "2001:db9::", ADDRESS_PUBLIC },
		{ "2620:4f:8000::1", ADDRESS_PUBLIC },
		{ "3ffe::1", ADDRESS_PUBLIC },
		{ "3fff::", ADDRESS_RESERVED },
		{ "3fff:fff::", ADDRESS_RESERVED },
		{ "3fff:1000::", ADDRESS_PUBLIC },
		{ "4000::", ADDRESS_RESERVED },
		{ "5f00::1", ADDRESS_RESERVED },
		{ "fbff::", ADDRESS_RESERVED },
		{ "fc00::", ADDRESS_PRIVATE },
		{ "fdff:ffff::", ADDRESS_PRIVATE },
		{ "fe00::", ADDRESS_RESERVED },
		{ "fe80::", ADDRESS_LINK_LOCAL },
		{ "febf:ffff::", ADDRESS_LINK_LOCAL },
		{ "fec0::", ADDRESS_PRIVATE },
		{ "feff::", ADDRESS_PRIVATE },
		{ "ff00::", ADDRESS_MULTICAST },
		{ "ff02::1", ADDRESS_MULTICAST },
		{ "ffff:ffff::", ADDRESS_MULTICAST },
		/* where clouds keep secrets */
		{ "169.254.169.254", ADDRESS_METADATA },
		{ "169.254.169.253", ADDRESS_LINK_LOCAL },
		{ "169.254.170.2", ADDRESS_METADATA },
		{ "169.254.170.23", ADDRESS_METADATA },
		{ "169.254.42.42", ADDRESS_METADATA },
		{ "169.254.0.23", ADDRESS_METADATA },
		{ "168.63.129.16", ADDRESS_METADATA },
		{ "168.63.129.17", ADDRESS_PUBLIC },
		{ "100.100.100.200", ADDRESS_METADATA },
		{ "100.100.100.201", ADDRESS_PRIVATE },
		{ "192.0.0.192", ADDRESS_METADATA },
		{ "fd00:ec2::254", ADDRESS_METADATA },
		{ "fd00:ec2::23", ADDRESS_METADATA },
		{ "fd00:ec2::255", ADDRESS_PRIVATE },
		{ "fd20:ce::254", ADDRESS_METADATA },
		{ "fd00:42::42", ADDRESS_METADATA },
		{ "fe80::a9fe:a9fe", ADDRESS_METADATA },
		/* one in another: mapped, translated, compatible */
		{ "::ffff:127.0.0.1", ADDRESS_LOOPBACK },
		{ "::ffff:169.254.169.254", ADDRESS_METADATA },
		{ "::ffff:8.8.8.8", ADDRESS_RESERVED },
		{ "::ffff:0:10.0.0.1", ADDRESS_PRIVATE },
		{ "::127.0.0.1", ADDRESS_LOOPBACK },
		{ "::8.8.8.8", ADDRESS_RESERVED },
		/* NAT64 */
		{ "64:ff9b::8.8.8.8", ADDRESS_PUBLIC },
		{ "64:ff9b::10.0.0.1", ADDRESS_PRIVATE },
		{ "64:ff9b::169.254.169.254", ADDRESS_METADATA },
		{ "64:ff9b:0:0:0:1:808:808", ADDRESS_RESERVED },
		{ "64:ff9b:1::8.8.8.8", ADDRESS_PRIVATE },
		{ "64:ff9b:1::127.0.0.1", ADDRESS_LOOPBACK },
		{ "64:ff9b:1:7f00:0:100::", ADDRESS_LOOPBACK },    /* /48 */
		{ "64:ff9b:1:ff7f:0:1::", ADDRESS_LOOPBACK },      /* /56 */
		{ "64:ff9b:1:ffff:7f:0:100:0", ADDRESS_LOOPBACK }, /* /64 */
		{ "64:ff9b:2::8.8.8.8", ADDRESS_RESERVED },
		/* 6to4 */
		{ "2002:808:808::1", ADDRESS_PUBLIC },
		{ "2002:a00:1::1", ADDRESS_PRIVATE },
		{ "2002:7f00:1::", ADDRESS_LOOPBACK },
		{ "2002:a83f:8110::", ADDRESS_METADATA },
		{ "2003:a00:1::1", ADDRESS_PUBLIC },
		/* Teredo: the server, and the client with all bits inverted */
		{ "2001:0:808:808:0:0:f7f7:f7f7", ADDRESS_PUBLIC },
		{ "2001:0:a00:1:0:0:f7f7:f7f7", ADDRESS_PRIVATE },
		{ "2001:0:808:808:0:0:80ff:fffe", ADDRESS_LOOPBACK },
		{ "2001:0:808:808:0:0:5601:5601", ADDRESS_METADATA },
		{ "2001:0:808:808:0:0:7f00:1", ADDRESS_PUBLIC }, /* 128.255.255.254 */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct address a = address_of(rows[i].text);

		if (address_kind(&a) != rows[i].kind)
			fail_msg("%s: %s", rows[i].text, address_kind_word(address_kind(&a)));
	}
	assert_int_equal(address_kind(&(struct address){ .family = 0, .bytes = { 8, 8, 8, 8 } }), ADDRESS_RESERVED);
}

static void a_kind_has_a_word(void **state)
{
	(void)state;
	assert_string_equal(address_kind_word(ADDRESS_PUBLIC), "public");
	assert_string_equal(address_kind_word(ADDRESS_LINK_LOCAL), "link-local");
	for (enum address_kind k = 0; k < ADDRESS_KINDS; k++)
		for (enum address_kind other = 0; other < k; other++)
			assert_string_not_equal(address_kind_word(k), address_kind_word(other));
	assert_string_equal(address_kind_word(ADDRESS_KINDS), "?");
}

/* ---- properties ---- */

/* Many zeros, so that there are gaps, and few bits, so that prefixes meet. */
static struct address random_address(struct prop *p)
{
	struct address a = { .family = prop_below(p, 3) == 0 ? ADDRESS_IPV4 : ADDRESS_IPV6 };

	for (size_t i = 0; i < (a.family == ADDRESS_IPV4 ? 4u : 16u); i += 2) {
		const uint32_t bits = prop_below(p, 3) == 0 ? prop_below(p, 0x10000) : prop_below(p, 2) * 0x101;

		a.bytes[i] = (uint8_t)(bits >> 8);
		a.bytes[i + 1] = (uint8_t)(bits & 0xff);
	}
	return a;
}

static bool is_embedded(const struct address *a)
{
	static const uint8_t zeros[12] = { 0 }, mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint32_t low;

	memcpy(&low, a->bytes + 12, sizeof low);
	return a->family == ADDRESS_IPV6 &&
	       (memcmp(a->bytes, mapped, 12) == 0 || (memcmp(a->bytes, zeros, 12) == 0 && ntohl(low) > 1));
}

static void what_is_written_is_read_again(void **state)
{
	uint64_t same = 0;

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(20000); round++) {
		struct prop p = prop_round(round);
		const struct address a = random_address(&p);
		char text[ADDRESS_TEXT_MAX], theirs[INET6_ADDRSTRLEN];
		struct address again;

		address_put(&a, text);
		if (address_take(text, strlen(text), &again) == is_embedded(&a))
			prop_fail(&p, "%s", text);
		if (is_embedded(&a))
			continue;
		if (!address_is_same(&a, &again))
			prop_fail(&p, "%s became another", text);
		assert_non_null(
			inet_ntop(a.family == ADDRESS_IPV4 ? AF_INET : AF_INET6, a.bytes, theirs, sizeof theirs));
		if (strcmp(text, theirs) != 0)
			prop_fail(&p, "%s is %s elsewhere", text, theirs);
		same++;
	}
	assert_true(same > 10000);
}

/* The C library's reader has the same grammar, but for the IPv4 parts and the addresses that are refused. */
static void a_text_is_read_as_elsewhere(void **state)
{
	static const char bytes[] = "0123456789abcdefABCDEFgx:::.../%- ";
	uint64_t taken = 0;

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(40000); round++) {
		struct prop p = prop_round(round);
		const struct address some = random_address(&p);
		char text[ADDRESS_TEXT_MAX + 1];
		struct address ours, theirs = { .family = ADDRESS_IPV4 };
		bool expected;

		address_put(&some, text);
		for (uint32_t n = prop_below(&p, 4); n > 0; n--) { /* a byte is changed, taken out or put in */
			const size_t len = strlen(text), at = prop_below(&p, (uint32_t)len + 1);
			const char c = bytes[prop_below(&p, sizeof bytes - 1)];

			switch (prop_below(&p, 3)) {
			case 0:
				if (at < len)
					text[at] = c;
				break;
			case 1:
				if (at < len)
					memmove(text + at, text + at + 1, len - at);
				break;
			default:
				if (len + 1 < sizeof text) {
					memmove(text + at + 1, text + at, len - at + 1);
					text[at] = c;
				}
			}
		}
		if (strchr(text, ':') != NULL)
			theirs.family = ADDRESS_IPV6;
		expected = inet_pton(theirs.family == ADDRESS_IPV4 ? AF_INET : AF_INET6, text, theirs.bytes) == 1;
		if (theirs.family == ADDRESS_IPV6 && (strchr(text, '.') != NULL || is_embedded(&theirs)))
			expected = false;
		if (address_take(text, strlen(text), &ours) != expected)
			prop_fail(&p, "'%s'", text);
		if (expected && !address_is_same(&ours, &theirs))
			prop_fail(&p, "'%s' is another address", text);
		taken += expected;
	}
	assert_true(taken > 10000);
}

static bool bit(const struct address *a, unsigned int i)
{
	return (a->bytes[i / 8] >> (7 - i % 8) & 1) != 0;
}

static void a_range_is_what_its_first_bits_say(void **state)
{
	uint64_t in = 0;

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(20000); round++) {
		struct prop p = prop_round(round);
		const struct address a = random_address(&p);
		struct address_range r = { .base = random_address(&p) };
		const uint32_t longest = r.base.family == ADDRESS_IPV4 ? 32 : 128;
		bool expected = a.family == r.base.family && !(a.family == ADDRESS_IPV6 && is_embedded(&a));

		r.prefix = (uint8_t)prop_below(&p, prop_below(&p, 2) == 0 ? 4 : longest + 1);
		for (unsigned int i = r.prefix; i < longest; i++)
			r.base.bytes[i / 8] &= (uint8_t) ~(1u << (7 - i % 8));
		if (a.family == ADDRESS_IPV6 && is_embedded(&a))
			continue;
		for (unsigned int i = 0; i < r.prefix; i++)
			expected = expected && bit(&a, i) == bit(&r.base, i);
		if (address_is_in(&a, &r) != expected)
			prop_fail(&p, "a range of %u bits", r.prefix);
		in += expected;
	}
	assert_true(in > 1000);
}

static void an_address_is_the_same_for_system_calls(void **state)
{
	static const char *const texts[] = { "192.0.2.7", "0.0.0.0", "255.255.255.255", "2001:db8::7", "::", "::1" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct sockaddr_storage at;
		struct address put, taken;
		char text[ADDRESS_TEXT_MAX], port[8];
		socklen_t n;

		assert_true(address_take(texts[i], strlen(texts[i]), &put));
		n = sockaddr_put(&put, 8080, &at);
		assert_int_equal(getnameinfo((const struct sockaddr *)&at, n, text, sizeof text, port, sizeof port,
					     NI_NUMERICHOST | NI_NUMERICSERV),
				 0);
		assert_string_equal(text, texts[i]);
		assert_string_equal(port, "8080");
		assert_true(sockaddr_take(&at, &taken));
		assert_memory_equal(&put, &taken, sizeof put);
	}
}

static void another_family_is_no_address(void **state)
{
	const struct sockaddr_storage at = { .ss_family = AF_UNIX };
	struct address taken = address_loopback(ADDRESS_IPV6), was = taken;

	(void)state;
	assert_false(sockaddr_take(&at, &taken));
	assert_memory_equal(&taken, &was, sizeof was);
	assert_int_equal(address_kind(&was), ADDRESS_LOOPBACK);
	was = address_loopback(ADDRESS_IPV4);
	assert_int_equal(address_kind(&was), ADDRESS_LOOPBACK);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_written_one_way),
		cmocka_unit_test(the_length_decides_where_a_text_ends),
		cmocka_unit_test(a_range_has_zeros_beyond_its_prefix),
		cmocka_unit_test(another_spelling_means_what_we_write),
		cmocka_unit_test(an_address_lies_in_a_range),
		cmocka_unit_test(addresses_of_two_families_are_two),
		cmocka_unit_test(ranges_lie_in_each_other),
		cmocka_unit_test(an_address_is_of_a_kind),
		cmocka_unit_test(a_kind_has_a_word),
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(a_text_is_read_as_elsewhere),
		cmocka_unit_test(a_range_is_what_its_first_bits_say),
		cmocka_unit_test(an_address_is_the_same_for_system_calls),
		cmocka_unit_test(another_family_is_no_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
