#include "rpc/member.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t skip_blank(const char *text, size_t to, size_t at)
{
	while (at < to && is_blank(text[at]))
		at++;
	return at;
}

/* Behind the string that begins there. */
static size_t skip_string(const char *text, size_t to, size_t at)
{
	for (at++; at < to && text[at] != '"'; at++)
		if (text[at] == '\\')
			at++;
	return at < to ? at + 1 : to;
}

/* Behind the value that begins there. */
static size_t skip_value(const char *text, size_t to, size_t at)
{
	size_t depth = 0;

	while (at < to) {
		const char c = text[at];

		if (c == '"') {
			at = skip_string(text, to, at);
			if (depth == 0)
				return at;
			continue;
		}
		if (c == '{' || c == '[')
			depth++;
		if (depth == 0 && (c == ',' || c == '}' || c == ']' || is_blank(c)))
			return at;
		at++;
		if ((c == '}' || c == ']') && --depth == 0)
			return at;
	}
	return to;
}

bool member_find(const char *text, struct member object, const char *name, struct member *ret)
{
	const size_t to = object.to, name_n = strlen(name);
	size_t at = skip_blank(text, to, object.from);

	if (at >= to || text[at] != '{')
		return false;
	for (at = skip_blank(text, to, at + 1); at < to && text[at] == '"';) {
		const size_t begins = at + 1, ends = skip_string(text, to, at) - 1;
		size_t from;

		at = skip_blank(text, to, ends + 1);
		if (at >= to || text[at] != ':')
			return false;
		from = skip_blank(text, to, at + 1);
		at = skip_value(text, to, from);
		if (ends - begins == name_n && memcmp(text + begins, name, name_n) == 0) {
			*ret = (struct member){ .from = from, .to = at };
			return true;
		}
		at = skip_blank(text, to, at);
		if (at < to && text[at] == ',')
			at = skip_blank(text, to, at + 1);
	}
	return false;
}

bool member_find_in(const char *text, size_t n, const char *const *names, struct member *ret)
{
	struct member m = { .from = 0, .to = n };

	for (; *names != NULL; names++)
		if (!member_find(text, m, *names, &m))
			return false;
	*ret = m;
	return true;
}
