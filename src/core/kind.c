#include "core/kind.h"

#include <stdio.h>
#include <string.h>

static const char *const words[KIND_COUNT] = {
	[KIND_RUN] = "run", [KIND_PYTHON] = "python", [KIND_NODE] = "node", [KIND_SHELL] = "shell"
};

const char *kind_word(unsigned kind)
{
	return kind < KIND_COUNT ? words[kind] : NULL;
}

enum event_kind kind_of_word(const char *word)
{
	for (unsigned k = 0; k < KIND_COUNT; k++)
		if (strcmp(words[k], word) == 0)
			return (enum event_kind)k;
	return KIND_COUNT;
}

void kind_describe(enum event_kind kind, char *const *argv, char *ret, size_t n)
{
	size_t at = 0;

	ret[0] = 0;
	for (; *argv != NULL && at + 1 < n; argv++)
		at += (size_t)snprintf(ret + at, n - at, "%s%s", at > 0 ? " " : "", *argv); /* cut is fine */
	for (char *c = ret; kind != KIND_RUN && *c != 0; c++)
		*c = *c == '\n' || *c == '\t' ? ' ' : *c;
}

bool kernel_name_is(const char *name)
{
	const size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return name[n] == 0 && n <= KERNEL_NAME_MAX;
}

void kernel_describe(enum event_kind kind, const char *name, char *ret, size_t n)
{
	(void)snprintf(ret, n, "%s kernel%s%s", words[kind], name[0] != 0 ? " " : "", name); /* cut is fine */
}
