/* gen_properties - prints the table of properties as Markdown, for doc/SECURITY.md and the test that compares them.
 * A build tool. */
#include <stdio.h>

#include "cell/property.h"

#define TEXT_MAX 256

/* The Linux versions of the columns: Debian 12's, Ubuntu 24.04's, and the first with Landlock scopes. */
static const struct column {
	const char *title;
	unsigned major, minor;
} columns[] = {
	{ "Linux 6.1", 6, 1 },
	{ "Linux 6.8", 6, 8 },
	{ "Linux 6.12 and later", 6, 12 },
};
#define N_COLUMNS (sizeof columns / sizeof columns[0])

static bool has(const struct column *c, const struct property_set *s)
{
	return s->major < c->major || (s->major == c->major && s->minor <= c->minor);
}

static void print_set(const struct property_set *s)
{
	char text[TEXT_MAX];

	property_describe(s->mechanisms, text, sizeof text);
	(void)fputs(text, stdout);
}

/* The best set that this kernel has; NULL: none. */
static const struct property_set *best_of(enum property p, const struct column *c)
{
	const struct property_set *sets;
	const size_t n = property_sets(p, &sets);

	for (size_t i = 0; i < n; i++)
		if (has(c, &sets[i]))
			return &sets[i];
	return NULL;
}

static void print_best(enum property p, const struct column *c)
{
	const struct property_set *best = best_of(p, c);

	(void)fputs(" | ", stdout);
	if (best != NULL)
		print_set(best);
	else
		(void)fputs("not held", stdout);
}

/* Everything else that suffices, and since when if no column says it. */
static void print_others(enum property p)
{
	const struct column *newest = &columns[N_COLUMNS - 1];
	const struct property_set *sets;
	const size_t n = property_sets(p, &sets);
	const char *between = "";

	(void)fputs(" | ", stdout);
	for (size_t i = 0; i < n; i++) {
		if (&sets[i] == best_of(p, newest))
			continue;
		(void)fputs(between, stdout);
		between = "; or ";
		print_set(&sets[i]);
		if (!has(newest, &sets[i]))
			(void)printf(" (Linux %u.%u)", sets[i].major, sets[i].minor);
	}
}

int main(void)
{
	(void)fputs("| property | what holds", stdout);
	for (size_t c = 0; c < N_COLUMNS; c++)
		(void)printf(" | %s", columns[c].title);
	(void)fputs(" | suffices too |\n| --- | ---", stdout);
	for (size_t c = 0; c < N_COLUMNS; c++)
		(void)fputs(" | ---", stdout);
	(void)fputs(" | --- |\n", stdout);
	for (unsigned p = 0; p < PROPERTY_COUNT; p++) {
		(void)printf("| %s | %s", property_word((enum property)p), property_text((enum property)p));
		for (size_t c = 0; c < N_COLUMNS; c++)
			print_best((enum property)p, &columns[c]);
		print_others((enum property)p);
		(void)fputs(" |\n", stdout);
	}
	return fflush(stdout) != 0 || ferror(stdout);
}
