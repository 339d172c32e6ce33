#include "core/host.h"

#include <string.h>

#define LABEL_MAX 63

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_label(const char *s, size_t n)
{
	if (n == 0 || n > LABEL_MAX || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!(lower(s[i]) >= 'a' && lower(s[i]) <= 'z') && !is_digit(s[i]) && s[i] != '-' && s[i] != '_')
			return false;
	return true;
}

/* A name whose last label is one may be read as an address by whoever looks it up: inet_aton takes `1`, `0x7f.1` and `0177.0.0.1`. */
static bool is_number(const char *label, size_t n)
{
	size_t digits = 0;

	while (digits < n && is_digit(label[digits]))
		digits++;
	return (n > 0 && digits == n) || (n >= 2 && label[0] == '0' && lower(label[1]) == 'x');
}

/* The number of labels; 0: no name. */
static size_t count_labels(const char *s, size_t n)
{
	size_t count = 0;

	for (;;) {
		const char *dot = memchr(s, '.', n);
		const size_t len = dot != NULL ? (size_t)(dot - s) : n;

		if (!is_label(s, len))
			return 0;
		count++;
		if (dot == NULL)
			return is_number(s, len) ? 0 : count;
		s += len + 1;
		n -= len + 1;
	}
}

static size_t without_final_dot(const char *text, size_t n)
{
	return n > 0 && text[n - 1] == '.' ? n - 1 : n;
}

static void put(const char *text, size_t n, struct host_name *ret)
{
	for (size_t i = 0; i < n; i++)
		ret->text[i] = lower(text[i]);
	ret->text[n] = 0;
}

bool host_take(const char *text, size_t n, struct host_name *ret)
{
	const size_t len = without_final_dot(text, n);

	if (len > HOST_NAME_MAX_LEN || count_labels(text, len) == 0)
		return false;
	put(text, len, ret);
	return true;
}

bool host_is_number(const char *text, size_t n)
{
	const size_t len = without_final_dot(text, n);
	const char *dot = memrchr(text, '.', len);
	const char *last = dot != NULL ? dot + 1 : text;

	return is_number(last, (size_t)(text + len - last));
}

bool host_pattern_take(const char *text, size_t n, struct host_name *ret)
{
	const size_t len = without_final_dot(text, n);

	if (len < 2 || len > HOST_NAME_MAX_LEN || text[0] != '*' || text[1] != '.' ||
	    count_labels(text + 2, len - 2) < 2)
		return false;
	put(text, len, ret);
	return true;
}

bool host_matches(const struct host_name *pattern, const char *name)
{
	const char *dot = strchr(name, '.');

	return dot != NULL && dot != name && strcmp(dot, pattern->text + 1) == 0;
}

bool host_is_local(const char *name)
{
	static const char own[] = "localhost", below[] = ".localhost";
	const size_t n = strlen(name), m = sizeof below - 1;

	return strcmp(name, own) == 0 || (n > m && strcmp(name + n - m, below) == 0);
}
