#include "policy/policy.h"

#include <stdio.h>
#include <string.h>

static const struct program_traits runtimes[] = {
#define RUNTIME(n, j, r) { .name = (n), .jit = (j) != 0, .reason = (r) },
#include "policy/runtimes.def"
#undef RUNTIME
};

static const struct program_traits *find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof runtimes / sizeof runtimes[0]; i++)
		if (strlen(runtimes[i].name) == len && memcmp(runtimes[i].name, name, len) == 0)
			return &runtimes[i];
	return NULL;
}

/* Names of versions end in digits, dots and dashes: "python3.11", "node-20". */
static size_t cut_version(const char *name, size_t len)
{
	while (len > 0 && strchr("0123456789.-", name[len - 1]) != NULL)
		len--;
	return len;
}

const struct program_traits *policy_program_traits(const char *program_basename)
{
	const size_t len = strlen(program_basename);
	const struct program_traits *t = find(program_basename, len);

	return t != NULL ? t : find(program_basename, cut_version(program_basename, len));
}
