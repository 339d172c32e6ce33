#include "core/http_shape.h"

#include <stddef.h>
#include <string.h>

#define HASH_MIN 7    /* digits of a hash that is cut short, as git does */
#define RANDOM_MIN 16 /* of those identifiers that have letters of both sizes */
#define PLAIN_MIN 20  /* of those that do not */

/* What a part is made of. */
struct made {
	size_t digits, small, large, marks; /* marks: `-` and `_` */
	size_t hex;                         /* of the digits and letters */
	bool other;
};

static struct made look(const char *part, size_t n)
{
	struct made m = { .other = false };

	for (size_t i = 0; i < n; i++) {
		const char c = part[i];
		const bool digit = c >= '0' && c <= '9', small = c >= 'a' && c <= 'z', large = c >= 'A' && c <= 'Z';

		m.digits += digit;
		m.small += small;
		m.large += large;
		m.marks += c == '-' || c == '_';
		m.hex += digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
		m.other |= !digit && !small && !large && c != '-' && c != '_';
	}
	return m;
}

/* RFC 9562, 4. */
static bool is_uuid(const char *part, size_t n, const struct made *m)
{
	return n == 36 && m->hex == 32 && part[8] == '-' && part[13] == '-' && part[18] == '-' && part[23] == '-';
}

static bool is_random(size_t n, const struct made *m)
{
	if (m->marks == 0 && n >= PLAIN_MIN && m->digits >= 3)
		return true;
	return n >= RANDOM_MIN && m->digits > 0 && m->small > 0 && m->large > 0;
}

static bool is_one_of_many(const char *part, size_t n)
{
	const struct made m = look(part, n);

	if (n == 0 || m.other)
		return false;
	if (m.digits == n || is_uuid(part, n, &m))
		return true;
	return (m.hex == n && n >= HASH_MIN && m.digits > 0) || is_random(n, &m);
}

bool http_shape(const char *path, char ret[HTTP_PATTERN_MAX])
{
	size_t n = 0;

	while (*path != 0) {
		const size_t part = strcspn(path, "/");
		const bool wild = is_one_of_many(path, part);
		const size_t kept = wild ? 1 : part;

		if (n + kept + (path[part] == '/') >= HTTP_PATTERN_MAX)
			return false;
		if (wild)
			ret[n] = HTTP_PATH_WILD;
		else
			memcpy(ret + n, path, part);
		n += kept;
		path += part;
		if (*path == '/')
			ret[n++] = *path++;
	}
	ret[n] = 0;
	return true;
}
