#include "policy/words.h"

#include <string.h>

#include "base/nearest.h"
#include "base/text.h"
#include "core/limits.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define SHOWN_MAX 80

static const char *const qualifiers[] = {
/* available or not */
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

bool qualifier_find(const char *word)
{
	for (size_t i = 0; i < COUNT_OF(qualifiers); i++)
		if (strcmp(qualifiers[i], word) == 0)
			return true;
	return false;
}

static int unknown(struct err *e, const char *what, const char *word, const char *meant, const char *otherwise)
{
	char shown[SHOWN_MAX], hint[NEAREST_HINT_MAX];

	text_escape(shown, sizeof shown, word, strlen(word));
	return err_why(
		e, err_set(e, AMBIT_UNKNOWN, nearest_hint(hint, "", meant, otherwise), "'%s' is not a %s", shown, what),
		"a word that is not known is never skipped: it could be the one that narrows a grant");
}

int qualifier_parse(const char *word, struct err *e)
{
	const char *meant = word_nearest(word, verbs, COUNT_OF(verbs));

	if (condition_is(word))
		return 0;
	if (qualifier_find(word))
		return err_why(e,
			       err_set(e, AMBIT_UNAVAILABLE, "leave the grant out",
				       "the qualifier '%s' is not available in this build", word),
			       "without it the grant would be wider than you wrote");
	if (meant == NULL)
		meant = word_nearest(word, qualifiers, COUNT_OF(qualifiers));
	return unknown(e, "verb or qualifier of a grant", word, meant,
		       "verbs are work, read, write, run, env, jit, connect, listen, tool, delegate and declassify");
}

/* Who takes it; what has no row belongs to connect alone. */
static const struct {
	const char *word;
	uint32_t takers, later; /* bit sets of verbs: that take it; that may take it in another build */
	const char *belongs_to;
	const char *hint;
} owners[] = {
#define BIT(verb) (1u << VERB_##verb)
#define EVERY ((1u << VERB_COUNT) - 1)
#define BESIDE_CONNECT "leave it out, or put it beside the connect that is meant"
#define BESIDE_BOTH "leave it out, or put it beside the connect or tool that is meant"
	{ "uses", BIT(CONNECT) | BIT(TOOL) | BIT(DELEGATE) | BIT(DECLASSIFY), 0, "connect and tool", BESIDE_BOTH },
	{ "rate", BIT(CONNECT) | BIT(TOOL), 0, "connect and tool", BESIDE_BOTH },
	{ "until", BIT(CONNECT) | BIT(TOOL), 0, "connect and tool", BESIDE_BOTH },
	{ "between", BIT(CONNECT) | BIT(TOOL), 0, "connect and tool", BESIDE_BOTH },
	{ "unless", BIT(CONNECT) | BIT(TOOL), 0, "connect and tool", BESIDE_BOTH },
	{ "bytes", BIT(CONNECT) | BIT(TOOL), 0, "connect and tool", BESIDE_BOTH },
	{ "where", BIT(TOOL), 0, "tool", "leave it out, or put it beside the tool that is meant" },
	{ "depth", BIT(DELEGATE), 0, "delegate", "leave it out, or put it beside the delegate that is meant" },
	{ "ask", EVERY & ~BIT(JIT), BIT(JIT), NULL, NULL },
	{ "label", BIT(WORK) | BIT(READ) | BIT(WRITE) | BIT(RUN) | BIT(ENV) | BIT(CONNECT) | BIT(TOOL), 0,
	  "work, read, write, run, env, connect and tool", "leave it out, or put it beside what brings the label" },
	{ "", BIT(CONNECT), 0, "connect", BESIDE_CONNECT },
#undef BESIDE_BOTH
#undef BESIDE_CONNECT
#undef EVERY
#undef BIT
};

int qualifier_check_verb(const char *word, enum grant_verb verb, struct err *e)
{
	size_t i = 0;

	while (owners[i].word[0] != 0 && strcmp(owners[i].word, word) != 0)
		i++;
	if ((owners[i].takers >> verb & 1u) != 0)
		return 0;
	if ((owners[i].later >> verb & 1u) != 0)
		return err_set(e, AMBIT_UNAVAILABLE, "leave the grant out",
			       "'%s' is not available beside %s in this build", word, verb_word(verb));
	return err_set(e, AMBIT_MALFORMED, owners[i].hint, "'%s' belongs to %s, and %s takes no such qualifier", word,
		       owners[i].belongs_to, verb_word(verb));
}

static const char *const budgets[BUDGET_COUNT] = {
#define BUDGET_WORD(name, word) [BUDGET_##name] = (word),
	POLICY_BUDGETS(BUDGET_WORD)
#undef BUDGET_WORD
};

const char *budget_word(enum policy_budget which)
{
	return which < BUDGET_COUNT ? budgets[which] : "?";
}

int budget_parse(const char *word, enum policy_budget *ret, struct err *e)
{
	for (enum policy_budget i = 0; i < BUDGET_COUNT; i++) {
		if (strcmp(budgets[i], word) != 0)
			continue;
		*ret = i;
		return 0;
	}
	return unknown(e, "budget", word, word_nearest(word, budgets, BUDGET_COUNT), "budgets are session and agent");
}

int budget_check_word(const char *word, enum qualifier *ret, struct err *e)
{
	static const char *const numbers[] = { "uses", "bytes", "rate" };

	if (qualifier_is(word, ret) && (BUDGET_QUALIFIERS >> *ret & 1u) != 0)
		return 0;
	if (!qualifier_find(word))
		return unknown(e, "number of a budget", word, word_nearest(word, numbers, COUNT_OF(numbers)),
			       "budgets have uses, bytes and rate");
	return err_set(e, AMBIT_MALFORMED, "write uses, bytes and rate, one of them or more",
		       "'%s' belongs to grants, and budgets have no such number", word);
}

int verb_parse(const char *word, enum grant_verb *ret, struct err *e)
{
	enum grant_verb v;

	if (!verb_find(word, strlen(word), &v))
		return unknown(
			e, "verb", word, word_nearest(word, verbs, COUNT_OF(verbs)),
			"verbs are work, read, write, run, env, jit, connect, listen, tool, delegate and declassify");
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
