#include "policy/words.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "core/limits.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define WORD_MAX 16 /* longer than any word of the language: not a slip */
#define SLIPS_MAX 2
#define SHOWN_MAX 80

static const char *const qualifiers[] = {
#define QUALIFIER(word, available) word,
#include "policy/qualifiers.def"
#undef QUALIFIER
};

static const char *const verbs[] = {
#define VERB(name, word, object, available) word,
#include "core/verbs.def"
#undef VERB
};

static const char *const limit_names[] = {
#define LIMIT(name, word, unit, least, run, code, text) word,
#include "core/limits.def"
#undef LIMIT
};

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

const char *word_nearest(const char *word, const char *const *words, size_t n)
{
	const char *nearest = NULL;
	size_t best = SLIPS_MAX + 1;

	if (strnlen(word, WORD_MAX) >= WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t d;

		if (strlen(words[i]) >= WORD_MAX)
			continue;
		d = slips(word, words[i]);
		if (d < best) {
			nearest = words[i];
			best = d;
		}
	}
	return nearest;
}

bool qualifier_find(const char *word)
{
	for (size_t i = 0; i < COUNT_OF(qualifiers); i++)
		if (strcmp(qualifiers[i], word) == 0)
			return true;
	return false;
}

static int unknown(struct err *e, const char *what, const char *word, const char *meant, const char *otherwise)
{
	char shown[SHOWN_MAX], hint[SHOWN_MAX];

	text_escape(shown, sizeof shown, word, strlen(word));
	if (meant != NULL)
		(void)snprintf(hint, sizeof hint, "did you mean '%s'?", meant); /* fits: WORD_MAX */
	return err_why(e, err_set(e, AMBIT_UNKNOWN, meant != NULL ? hint : otherwise, "'%s' is not a %s", shown, what),
		       "a word that is not known is never skipped: it could be the one that narrows a grant");
}

int qualifier_refuse(const char *word, struct err *e)
{
	const char *meant = word_nearest(word, verbs, COUNT_OF(verbs));

	if (qualifier_find(word))
		return err_why(e,
			       err_set(e, AMBIT_UNAVAILABLE, "leave the grant out",
				       "the qualifier '%s' is not available in this build", word),
			       "without it the grant would be wider than you wrote");
	if (meant == NULL)
		meant = word_nearest(word, qualifiers, COUNT_OF(qualifiers));
	return unknown(e, "verb or qualifier of a grant", word, meant, "verbs are work, read, write, run, env and jit");
}

int verb_parse(const char *word, enum grant_verb *ret, struct err *e)
{
	enum grant_verb v;

	if (!verb_find(word, strlen(word), &v))
		return unknown(e, "verb", word, word_nearest(word, verbs, COUNT_OF(verbs)),
			       "verbs are work, read, write, run, env and jit");
	if (!verb_available(v))
		return err_set(e, AMBIT_UNAVAILABLE, "leave the grant out; what it would allow stays closed",
			       "the verb '%s' is not available in this build", word);
	*ret = v;
	return 0;
}

int limit_parse(struct limits *l, const char *word, const char *value, struct err *e)
{
	const int rc = limits_set(l, word, value, e);

	if (rc == -AMBIT_UNKNOWN)
		return unknown(e, "limit", word, word_nearest(word, limit_names, COUNT_OF(limit_names)),
			       "limits are wall, cpu, memory, tasks, files, disk and output");
	return rc;
}
