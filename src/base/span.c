#include "base/span.h"

#include <string.h>

#include "base/base64.h"

struct span span_of(const char *s)
{
	return (struct span){ .at = s, .len = strlen(s) };
}

struct span span_bytes(const void *bytes, size_t n)
{
	return (struct span){ .at = bytes, .len = n };
}

bool span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static void drop(struct span *s, size_t n)
{
	s->at += n;
	s->len -= n;
}

bool span_skip(struct span *s, const char *prefix)
{
	const size_t n = strlen(prefix);

	if (n == 0 || n > s->len || memcmp(s->at, prefix, n) != 0)
		return n == 0;
	drop(s, n);
	return true;
}

bool span_until(struct span *s, char end, struct span *ret)
{
	const char *found = s->len > 0 ? memchr(s->at, end, s->len) : NULL;

	if (found == NULL)
		return false;
	*ret = span_bytes(s->at, (size_t)(found - s->at));
	drop(s, ret->len + 1);
	return true;
}

bool span_decimal(struct span s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.len == 0 || (s.len > 1 && s.at[0] == '0'))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] < '0' || s.at[i] > '9' || __builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.at[i] - '0'), &v))
			return false;
	if (v > max)
		return false;
	*ret = v;
	return true;
}

bool span_base64(struct span s, void *ret, size_t n)
{
	struct buf room;
	size_t is;

	if (!base64_is(s.at, s.len, &is) || is != n)
		return false;
	buf_init_in(&room, ret, n);
	return base64_take(&room, s.at, s.len);
}

bool lines_next(struct lines *l, struct span *ret)
{
	if (!span_until(&l->left, '\n', ret))
		return false;
	l->number++;
	return true;
}
