#include "dns_again.h"

#include <string.h>

static unsigned two(const uint8_t *at)
{
	return at[0] * 256u + at[1];
}

/* Name, type and class; 0: not whole. */
static size_t question_length(const uint8_t *at, size_t left)
{
	size_t n = 0;

	while (n < left && at[n] != 0) {
		if (at[n] > 63)
			return 0;
		n += at[n] + 1u;
	}
	return n + 5 <= left && n + 1 <= 255 ? n + 5 : 0;
}

/* A record of the question's name; gives its length. */
static size_t record_length(const uint8_t *at, size_t left, unsigned type, struct dns_again *ret)
{
	if (left < 12 || two(at) != 0xc00c || two(at + 2) != type || two(at + 4) != 1 || left - 12 < two(at + 10))
		return 0;
	ret->ttl = two(at + 6) * 65536u + two(at + 8);
	ret->data = at + 12;
	ret->data_n = two(at + 10);
	return 12 + ret->data_n;
}

/* Two names that are the root, five numbers, of which the last is the time. */
static bool is_soa(const struct dns_again *r)
{
	return r->data_n == 22 && two(r->data) == 0 && two(r->data + 18) * 65536u + two(r->data + 20) == r->ttl;
}

static bool read_records(const uint8_t *at, size_t left, unsigned type, struct dns_again *ret)
{
	size_t n = 0;

	if (ret->has_record) {
		n = record_length(at, left, type, ret);
		if (n == 0 || ret->data_n != (type == 1 ? 4 : 16))
			return false;
	} else if (ret->has_authority) {
		n = record_length(at, left, 6, ret);
		if (n == 0 || !is_soa(ret))
			return false;
	}
	if (!ret->has_edns)
		return n == left;
	if (left - n != 11 || memcmp(at + n, "\0\0\51\4\320", 5) != 0 || memcmp(at + n + 6, "\0\0\0\0", 5) != 0)
		return false;
	ret->code += 16u * at[n + 5];
	return true;
}

bool dns_again_read(const uint8_t *bytes, size_t n, struct dns_again *ret)
{
	struct dns_again r = { .code = 0 };
	size_t at = 12;

	if (n < 12 || (bytes[2] & 0x86) != 0x80 || (bytes[3] & 0x60) != 0 || (bytes[3] & 0x80) == 0)
		return false;
	if (two(bytes + 4) > 1 || two(bytes + 6) + two(bytes + 8) > 1 || two(bytes + 10) > 1)
		return false;
	r.code = bytes[3] & 15;
	r.has_record = bytes[7];
	r.has_authority = bytes[9];
	r.has_edns = bytes[11];
	if (bytes[5] == 1) {
		r.question_n = question_length(bytes + 12, n - 12);
		if (r.question_n == 0)
			return false;
		at += r.question_n;
	}
	if ((r.has_record || r.has_authority) && r.question_n == 0)
		return false;
	if (!read_records(bytes + at, n - at, r.question_n > 0 ? two(bytes + at - 4) : 0, &r))
		return false;
	*ret = r;
	return true;
}
