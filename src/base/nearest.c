#include "base/nearest.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 16 /* longer than any word of ours: not a slip */
#define SLIPS_MAX 2

static size_t least(size_t a, size_t b, size_t c)
{
	const size_t d = a < b ? a : b;

	return d < c ? d : c;
}

/* How many letters to put in, take out, replace or swap with a neighbour. Both words are shorter than WORD_MAX. */
static size_t slips(const char *a, const char *b)
{
	size_t rows[WORD_MAX][WORD_MAX];
	const size_t n = strlen(a), m = strlen(b);

	for (size_t i = 0; i <= n; i++)
		rows[i][0] = i;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n; i++)
		for (size_t j = 1; j <= m; j++) {
			rows[i][j] = least(rows[i - 1][j] + 1, rows[i][j - 1] + 1,
					   rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1, SIZE_MAX);
		}
	return rows[n][m];
}

static const char *only_with_prefix(const char *prefix, const char *const *words, size_t n)
{
	const char *only = NULL;

	for (size_t i = 0; i < n; i++) {
		if (prefix[0] == 0 || strncmp(words[i], prefix, strlen(prefix)) != 0)
			continue;
		if (only != NULL)
			return NULL;
		only = words[i];
	}
	return only;
}

/* Two letters of four could be any word. */
static bool is_near(size_t distance, const char *a, const char *b)
{
	const size_t n = strlen(a), m = strlen(b);

	return distance <= SLIPS_MAX && 2 * distance < (n > m ? n : m);
}

const char *word_nearest(const char *word, const char *const *words, size_t n)
{
	const char *nearest = NULL;
	size_t best = SIZE_MAX;

	if (strnlen(word, WORD_MAX) >= WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t d;

		if (strlen(words[i]) >= WORD_MAX)
			continue;
		d = slips(word, words[i]);
		if (d < best && is_near(d, word, words[i])) {
			nearest = words[i];
			best = d;
		}
	}
	return nearest != NULL ? nearest : only_with_prefix(word, words, n);
}

const char *nearest_hint(char room[NEAREST_HINT_MAX], const char *dashes, const char *meant, const char *otherwise)
{
	if (meant == NULL)
		return otherwise;
	(void)snprintf(room, NEAREST_HINT_MAX, "did you mean '%s%s'?", dashes, meant); /* fits */
	return room;
}
