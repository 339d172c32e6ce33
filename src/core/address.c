#include "core/address.h"

#include <stdio.h>
#include <string.h>

#include "base/num.h"

#define GROUPS 8

static uint8_t longest_prefix(const struct address *a)
{
	return a->family == ADDRESS_IPV4 ? 32 : 128;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned int n)
{
	const unsigned int whole = n / 8, rest = n % 8;

	return memcmp(a, b, whole) == 0 && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

static bool begins_as(const struct address *a, const struct address_range *r)
{
	return a->family == r->base.family && same_bits(a->bytes, r->base.bytes, r->prefix);
}

bool address_is_same(const struct address *a, const struct address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool address_range_is_one(const struct address_range *r)
{
	return r->prefix == longest_prefix(&r->base);
}

bool address_range_is_in(const struct address_range *inner, const struct address_range *outer)
{
	return inner->prefix >= outer->prefix && begins_as(&inner->base, outer);
}

/* ---- IPv4 in the clothes of IPv6 ---- */

static const struct address_range mapped = { { ADDRESS_IPV6, { [10] = 0xff, [11] = 0xff } }, 96 };
static const struct address_range compatible = { { ADDRESS_IPV6, { 0 } }, 96 };
static const struct address_range nobody_and_loopback = { { ADDRESS_IPV6, { 0 } }, 127 }; /* of IPv6 itself */

static bool stands_for_ipv4(const struct address_range *r)
{
	if (address_range_is_in(r, &nobody_and_loopback))
		return false;
	return address_range_is_in(r, &mapped) || address_range_is_in(r, &compatible);
}

bool address_is_in(const struct address *a, const struct address_range *r)
{
	return begins_as(a, r) && !begins_as(a, &mapped);
}

/* ---- reading ---- */

/* All n bytes: decimal, without leading zeros, at most max. */
static bool take_number(const char *s, size_t n, uint8_t max, uint8_t *ret)
{
	unsigned int v = 0;

	if (n == 0 || n > 3 || (s[0] == '0' && n > 1))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = 10 * v + (unsigned int)(s[i] - '0');
	}
	if (v > max)
		return false;
	*ret = (uint8_t)v;
	return true;
}

static bool read_ipv4(const char *s, size_t n, uint8_t *ret)
{
	for (size_t i = 0; i < 4; i++) {
		const char *dot = i < 3 ? memchr(s, '.', n) : s + n;
		const size_t len = dot != NULL ? (size_t)(dot - s) : 0;

		if (!take_number(s, len, UINT8_MAX, &ret[i]))
			return false;
		if (i < 3) {
			s += len + 1;
			n -= len + 1;
		}
	}
	return true;
}

struct groups {
	uint16_t value[GROUPS];
	size_t count;
	size_t gap; /* `::` stands before this one; GROUPS + 1: nowhere */
};

/* Gives how many bytes the group has, 0: there is none. */
static size_t read_group(const char *s, size_t n, uint16_t *ret)
{
	unsigned int v = 0;
	size_t i = 0;

	for (; i < n && hex_digit(s[i]) >= 0; i++) {
		if (i == 4)
			return 0;
		v = v << 4 | (unsigned int)hex_digit(s[i]);
	}
	*ret = (uint16_t)v; /* of four digits at most */
	return i;
}

/* What is left is one group and what follows it, or at the end an IPv4 address in place of two. */
static size_t read_some(const char *s, size_t n, struct groups *g)
{
	uint8_t ipv4[4];
	size_t len = 0;

	if (g->count < GROUPS)
		len = read_group(s, n, &g->value[g->count]);
	if (len > 0 && len < n && s[len] == '.') {
		if (g->count > GROUPS - 2 || !read_ipv4(s, n, ipv4))
			return 0;
		g->value[g->count++] = (uint16_t)(ipv4[0] << 8 | ipv4[1]);
		g->value[g->count] = (uint16_t)(ipv4[2] << 8 | ipv4[3]);
		len = n;
	}
	g->count += len > 0;
	return len;
}

/* Behind a group: a colon and one more group, or the gap. */
static bool read_colon(const char *s, size_t n, size_t *at, struct groups *g)
{
	if (s[(*at)++] != ':' || *at == n)
		return false;
	if (s[*at] != ':')
		return true;
	if (g->gap <= GROUPS)
		return false;
	g->gap = g->count;
	(*at)++;
	return true;
}

static bool read_groups(const char *s, size_t n, struct groups *g)
{
	size_t at = 0;

	*g = (struct groups){ .gap = GROUPS + 1 };
	if (n >= 2 && s[0] == ':' && s[1] == ':') {
		g->gap = 0;
		at = 2;
	}
	while (at < n) {
		const size_t len = read_some(s + at, n - at, g);

		at += len;
		if (len == 0 || (at < n && !read_colon(s, n, &at, g)))
			return false;
	}
	return g->gap <= GROUPS ? g->count < GROUPS : g->count == GROUPS; /* a gap is one group at least */
}

static bool read_ipv6(const char *s, size_t n, uint8_t ret[16])
{
	struct groups g;

	if (!read_groups(s, n, &g))
		return false;
	for (size_t i = 0; i < g.count; i++) {
		const size_t to = i < g.gap ? i : GROUPS - g.count + i;

		ret[2 * to] = (uint8_t)(g.value[i] >> 8);
		ret[2 * to + 1] = (uint8_t)(g.value[i] & 0xff);
	}
	return true;
}

static bool read_address(const char *s, size_t n, struct address *ret)
{
	*ret = (struct address){ .family = memchr(s, ':', n) != NULL ? ADDRESS_IPV6 : ADDRESS_IPV4 };
	return ret->family == ADDRESS_IPV4 ? read_ipv4(s, n, ret->bytes) : read_ipv6(s, n, ret->bytes);
}

static bool is_zero_beyond_prefix(const struct address_range *r)
{
	for (unsigned int bit = r->prefix; bit < longest_prefix(&r->base); bit++)
		if ((r->base.bytes[bit / 8] >> (7 - bit % 8) & 1) != 0)
			return false;
	return true;
}

/* All that RFC 4291 has: with an IPv4 part, too. */
static bool read_range(const char *s, size_t n, struct address_range *ret)
{
	const char *slash = memchr(s, '/', n);
	const size_t len = slash != NULL ? (size_t)(slash - s) : n;

	if (!read_address(s, len, &ret->base))
		return false;
	ret->prefix = longest_prefix(&ret->base);
	return (slash == NULL || take_number(slash + 1, n - len - 1, ret->prefix, &ret->prefix)) &&
	       is_zero_beyond_prefix(ret);
}

static bool is_as_we_write(const char *s, size_t n, const struct address_range *r)
{
	return r->base.family == ADDRESS_IPV4 || (memchr(s, '.', n) == NULL && !stands_for_ipv4(r));
}

bool address_range_take(const char *text, size_t n, struct address_range *ret)
{
	struct address_range r;

	if (!read_range(text, n, &r) || !is_as_we_write(text, n, &r))
		return false;
	*ret = r;
	return true;
}

bool address_take(const char *text, size_t n, struct address *ret)
{
	struct address_range r;

	if (memchr(text, '/', n) != NULL || !address_range_take(text, n, &r))
		return false;
	*ret = r.base;
	return true;
}

bool address_range_meant(const char *text, size_t n, struct address_range *ret)
{
	struct address_range r;

	if (!read_range(text, n, &r) || is_as_we_write(text, n, &r))
		return false;
	*ret = r;
	if (!stands_for_ipv4(&r))
		return true;
	*ret = (struct address_range){ .base.family = ADDRESS_IPV4, .prefix = (uint8_t)(r.prefix - 96) };
	memcpy(ret->base.bytes, r.base.bytes + 12, 4);
	return true;
}

/* ---- as another process has it ---- */

bool address_is_well_formed(const struct address *a)
{
	static const uint8_t zeros[12];

	return a->family == ADDRESS_IPV6 ||
	       (a->family == ADDRESS_IPV4 && memcmp(a->bytes + 4, zeros, sizeof zeros) == 0);
}

bool address_range_is_well_formed(const struct address_range *r)
{
	return address_is_well_formed(&r->base) && r->prefix <= longest_prefix(&r->base) && is_zero_beyond_prefix(r);
}

struct address address_loopback(enum address_family family)
{
	return family == ADDRESS_IPV4 ? (struct address){ .family = ADDRESS_IPV4, .bytes = { 127, [3] = 1 } }
				      : (struct address){ .family = ADDRESS_IPV6, .bytes = { [15] = 1 } };
}

void address_unmap(struct address *a)
{
	struct address plain = { .family = ADDRESS_IPV4 };

	if (!begins_as(a, &mapped))
		return;
	memcpy(plain.bytes, a->bytes + 12, 4);
	*a = plain;
}

/* ---- writing ---- */

static unsigned int group_of(const struct address *a, size_t i)
{
	return (unsigned int)a->bytes[2 * i] << 8 | a->bytes[2 * i + 1];
}

static size_t zeros_from(const struct address *a, size_t i)
{
	size_t n = 0;

	while (i + n < GROUPS && group_of(a, i + n) == 0)
		n++;
	return n;
}

/* The longest run of zeros, of as long ones the first; a single zero is written (RFC 5952, 4.2). Gives where; GROUPS: nowhere. */
static size_t find_gap(const struct address *a)
{
	size_t best = GROUPS, best_len = 1;

	for (size_t i = 0; i < GROUPS; i++) {
		if (zeros_from(a, i) <= best_len)
			continue;
		best = i;
		best_len = zeros_from(a, i);
	}
	return best;
}

static void put_ipv6(const struct address *a, char ret[ADDRESS_TEXT_MAX])
{
	const size_t gap = find_gap(a);
	size_t n = 0;

	for (size_t i = 0; i < GROUPS;) {
		const bool separate = i > 0 && ret[n - 1] != ':';

		if (i == gap) {
			n += (size_t)snprintf(ret + n, ADDRESS_TEXT_MAX - n, "::");
			i += zeros_from(a, i);
		} else {
			n += (size_t)snprintf(ret + n, ADDRESS_TEXT_MAX - n, "%s%x", separate ? ":" : "",
					      group_of(a, i));
			i++;
		}
	}
}

void address_put(const struct address *a, char ret[ADDRESS_TEXT_MAX])
{
	const uint8_t *b = a->bytes;

	if (a->family == ADDRESS_IPV4)
		(void)snprintf(ret, ADDRESS_TEXT_MAX, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]); /* it fits */
	else
		put_ipv6(a, ret);
}

void address_range_put(const struct address_range *r, char ret[ADDRESS_RANGE_TEXT_MAX])
{
	char base[ADDRESS_TEXT_MAX];

	address_put(&r->base, base);
	if (address_range_is_one(r))
		(void)snprintf(ret, ADDRESS_RANGE_TEXT_MAX, "%s", base); /* both fit */
	else
		(void)snprintf(ret, ADDRESS_RANGE_TEXT_MAX, "%s/%u", base, r->prefix);
}
