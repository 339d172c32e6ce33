#include "stage/hidden.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/fnv.h"

static const struct hidden_row rows[] = {
#define HIDDEN(pattern, why) { "", pattern, sizeof pattern - 1, why },
#define HIDDEN_IN(parent, pattern, why) { parent, pattern, sizeof pattern - 1, why },
#define SHOWN(pattern) { "", pattern, sizeof pattern - 1, NULL },
#include "stage/hidden.def"
#undef HIDDEN
#undef HIDDEN_IN
#undef SHOWN
};

#define N_ROWS (sizeof rows / sizeof rows[0])

static char small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Where a star could have ended too early, it takes one byte more and the rest is tried again: only the last star is ever
 * moved, so this is no worse than the product of both lengths. */
static bool fits(const char *pattern, const char *name)
{
	const char *star = NULL, *from = NULL;

	while (*name != 0) {
		if (*pattern == '*') {
			star = ++pattern;
			from = name;
		} else if (*pattern == small(*name)) {
			pattern++;
			name++;
		} else if (star != NULL) {
			pattern = star;
			name = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == 0;
}

/* The first byte of a pattern and the last tell most names apart from most rows. */
struct ends {
	char first, last;
};

static struct ends ends_of(const char *text)
{
	const size_t n = strlen(text);

	return (struct ends){ .first = small(text[0]), .last = n > 0 ? small(text[n - 1]) : 0 };
}

static bool starts_as(const struct hidden_row *row, struct ends name)
{
	return row->pattern[0] == name.first || row->pattern[0] == '*';
}

static bool ends_as(const struct hidden_row *row, struct ends name)
{
	const char last = row->pattern[row->length - 1];

	return last == name.last || last == '*';
}

const struct hidden_row *hidden_match(const char *parent, const char *name)
{
	const struct ends ends = ends_of(name);

	for (size_t i = 0; i < N_ROWS; i++) {
		const struct hidden_row *row = &rows[i];

		if (starts_as(row, ends) && ends_as(row, ends) && fits(row->pattern, name) &&
		    (row->parent[0] == 0 || fits(row->parent, parent)))
			return row->why != NULL ? row : NULL;
	}
	return NULL;
}

const struct hidden_row *hidden_path(const char *path)
{
	char parent[256] = "", part[256]; /* NAME_MAX and a NUL: a longer one is no file's name */

	while (*path == '/') {
		const size_t n = strcspn(path + 1, "/");
		const struct hidden_row *row;

		if (n >= sizeof part)
			return NULL;
		memcpy(part, path + 1, n);
		part[n] = 0;
		row = hidden_match(parent, part);
		if (row != NULL)
			return row;
		memcpy(parent, part, n + 1);
		path += n + 1;
	}
	return NULL;
}

/* Told to nobody: only that an old table is not taken for this one. */
uint64_t hidden_version(void)
{
	uint64_t sum = FNV_BASIS;

	for (size_t i = 0; i < N_ROWS; i++) {
		sum = fnv(sum, rows[i].parent, sizeof rows[i].parent);
		sum = fnv(sum, rows[i].pattern, sizeof rows[i].pattern);
		sum = fnv(sum, rows[i].why != NULL ? "-" : "+", 1);
	}
	return sum;
}
