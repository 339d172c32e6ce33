/* Attributes: each word of a line is looked at, whatever git would take it for, so that no quoting of a pattern matters. */
#include <string.h>

#include "judge/kinds.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define BLANKS " \t\r"      /* git's own */
#define LOOKED_FOR_MAX 1000 /* lines that are looked for in the old content, each through all of it */

static const struct {
	const char *attribute, *name;
} drivers[] = {
#define DRIVER(attribute, name) { attribute, name },
#include "judge/drivers.def"
#undef DRIVER
};

/* The name behind "attribute="; NULL if the word is no such. */
static const char *named(const char *word, size_t n, const char *attribute)
{
	const size_t m = strlen(attribute);

	return n > m && memcmp(word, attribute, m) == 0 && word[m] == '=' ? word + m + 1 : NULL;
}

static bool is_built_in(const char *attribute, const char *name, size_t n)
{
	for (size_t i = 0; i < COUNT_OF(drivers); i++)
		if (strcmp(drivers[i].attribute, attribute) == 0 && word_is(name, n, drivers[i].name))
			return true;
	return false;
}

static bool is_inert(const char *word, size_t n)
{
	static const char *const naming[] = { "filter", "diff", "merge" };

	for (size_t i = 0; i < COUNT_OF(naming); i++) {
		const char *name = named(word, n, naming[i]);

		if (name != NULL && !is_built_in(naming[i], name, n - (size_t)(name - word)))
			return false;
	}
	return true;
}

/* A line that was there before says nothing new. */
static bool was_there(const struct judge_case *c, const struct line *l)
{
	struct line o = { .text = NULL };

	while (line_next(c->old, c->old_len, &o))
		if (o.n == l->n && memcmp(o.text, l->text, l->n) == 0)
			return true;
	return false;
}

void judge_git_attributes(const struct judge_case *c, struct judge_verdict *ret)
{
	struct line l = { .text = NULL };
	const char *word;
	size_t n, looked_for = 0;

	while (line_next(c->now, c->now_len, &l)) {
		size_t at = 0;
		bool inert = true;

		while (inert && word_next(&l, BLANKS, &at, &word, &n))
			inert = is_inert(word, n);
		if (!inert && (++looked_for > LOOKED_FOR_MAX || !was_there(c, &l))) {
			hold(ret, l.offset + (size_t)(word - l.text), "names what only a configuration can define",
			     word, n);
			return;
		}
	}
}
