#include "base/nearest.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 16 /* longer than any word of ours: not a slip */
#define SLIPS_MAX 2
#define FAR (SLIPS_MAX + 1)
#define BAND (2 * SLIPS_MAX + 1) /* letters of the one that can stand for a letter of the other */

static size_t least(size_t a, size_t b, size_t c)
{
	const size_t d = a < b ? a : b;

	return d < c ? d : c;
}

static size_t up_to_far(size_t a)
{
	return a < FAR ? a : FAR;
}

/* One row of what is counted, and of it only what is near the diagonal: rows[k] is for letter i + k - SLIPS_MAX of b. */
static void next_row(const char *a, size_t i, const char *b, size_t m, const size_t before[BAND],
		     const size_t before_that[BAND], size_t ret[BAND])
{
	for (size_t k = 0; k < BAND; k++) {
		const size_t j = i + k - SLIPS_MAX; /* wraps where there is none */

		ret[k] = FAR;
		if (i + k < SLIPS_MAX || j > m)
			continue;
		if (j == 0) {
			ret[k] = up_to_far(i);
			continue;
		}
		ret[k] = up_to_far(before[k] + (a[i - 1] != b[j - 1]));
		if (k + 1 < BAND)
			ret[k] = least(ret[k], before[k + 1] + 1, FAR);
		if (k > 0)
			ret[k] = least(ret[k], ret[k - 1] + 1, FAR);
		if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
			ret[k] = least(ret[k], before_that[k] + 1, FAR);
	}
}

/* How many letters to put in, take out, replace or swap with a neighbour; FAR: more than SLIPS_MAX. */
static size_t slips(const char *a, const char *b)
{
	const size_t n = strlen(a), m = strlen(b);
	size_t rows[3][BAND];

	if (n > m + SLIPS_MAX || m > n + SLIPS_MAX)
		return FAR;
	for (size_t k = 0; k < BAND; k++) {
		rows[0][k] = k < SLIPS_MAX || k - SLIPS_MAX > m ? FAR : k - SLIPS_MAX;
		rows[2][k] = FAR;
	}
	for (size_t i = 1; i <= n; i++)
		next_row(a, i, b, m, rows[(i - 1) % 3], rows[(i + 1) % 3], rows[i % 3]);
	return rows[n % 3][m + SLIPS_MAX - n];
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

/* ---- texts of any length ---- */

static size_t name_length(const char *text)
{
	const char *slash = strrchr(text, '/');

	return strlen(slash != NULL ? slash + 1 : text);
}

void nearest_begin(struct nearest *n, const char *word)
{
	n->word = word;
	n->slips = FAR;
	n->meant[0] = 0;
}

void nearest_try(struct nearest *n, const char *text)
{
	const size_t a = name_length(n->word), b = name_length(text);
	const size_t count = n->slips == 0 || strlen(text) >= sizeof n->meant ? FAR : slips(n->word, text);

	if (count >= n->slips || 2 * count >= (a > b ? a : b))
		return;
	(void)snprintf(n->meant, sizeof n->meant, "%s", text); /* measured */
	n->slips = count;
}

void nearest_set(struct nearest *n, const char *text)
{
	if (n->slips > 0)
		(void)snprintf(n->meant, sizeof n->meant, "%s",
			       text); /* cut, it would be no name; what is named fits */
	n->slips = 0;
}

const char *nearest_found(const struct nearest *n)
{
	return n->slips < FAR ? n->meant : NULL;
}
