#include "base/num.h"

#include <string.h>

/* Reads leading digits; gives where they end, or NULL if there are none or they overflow. */
static const char *digits(const char *s, uint64_t *ret)
{
	uint64_t v = 0;

	if (*s < '0' || *s > '9')
		return NULL;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return NULL;
	*ret = v;
	return s;
}

bool parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t v;
	const char *end = digits(s, &v);

	if (end == NULL || *end != 0 || v < min || v > max)
		return false;
	*ret = v;
	return true;
}

bool parse_u32(const char *s, uint32_t min, uint32_t max, uint32_t *ret)
{
	uint64_t v;

	if (!parse_u64(s, min, max, &v))
		return false;
	*ret = (uint32_t)v; /* max is at most UINT32_MAX */
	return true;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static bool parse_with_unit(const char *s, const struct unit *units, size_t n_units, uint64_t *ret)
{
	uint64_t v;
	const char *end = digits(s, &v);

	if (end == NULL)
		return false;
	for (size_t i = 0; i < n_units; i++)
		if (strcmp(end, units[i].name) == 0)
			return !__builtin_mul_overflow(v, units[i].factor, ret);
	return false;
}

bool parse_bytes(const char *s, uint64_t *ret_bytes)
{
	static const struct unit units[] = {
		{ "", 1 }, { "K", 1u << 10 }, { "M", 1u << 20 }, { "G", 1u << 30 }, { "T", UINT64_C(1) << 40 },
	};
	uint64_t v;

	if (!parse_with_unit(s, units, sizeof units / sizeof units[0], &v))
		return false;
	*ret_bytes = v;
	return true;
}

bool parse_duration(const char *s, uint64_t *ret_ms)
{
	static const struct unit units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 }
	};
	uint64_t v;

	if (!parse_with_unit(s, units, sizeof units / sizeof units[0], &v))
		return false;
	*ret_ms = v;
	return true;
}

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void hex_write(const uint8_t *bytes, size_t n, char *ret)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		ret[2 * i] = digits[bytes[i] >> 4];
		ret[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret[2 * n] = 0;
}

bool size_add(size_t a, size_t b, size_t *ret)
{
	return !__builtin_add_overflow(a, b, ret);
}

bool size_mul(size_t a, size_t b, size_t *ret)
{
	return !__builtin_mul_overflow(a, b, ret);
}
