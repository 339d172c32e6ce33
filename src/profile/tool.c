#include "profile/tool.h"

#include <string.h>

#include "profile/letter.h"

enum verb { VERB_NONE, VERB_READS, VERB_ACTS, VERB_LINKS };

static enum verb verb_of(struct span word)
{
	static const struct {
		const char *word;
		enum verb verb;
	} rows[] = {
#define VERB(word, does) { #word, VERB_##does },
#include "profile/verbs.def"
#undef VERB
		{ "and", VERB_LINKS },
		{ "or", VERB_LINKS },
		{ "then", VERB_LINKS },
	};
	char room[16];

	if (word.len == 0 || word.len >= sizeof room)
		return VERB_NONE;
	for (size_t i = 0; i < word.len; i++)
		room[i] = letter_small(word.at[i]);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strlen(rows[i].word) == word.len && memcmp(rows[i].word, room, word.len) == 0)
			return rows[i].verb;
	return VERB_NONE;
}

bool tool_word(struct span *name, struct span *ret)
{
	size_t from = 0, to;

	while (from < name->len && !letter_is_wordly(name->at[from]))
		from++;
	for (to = from; to < name->len && letter_is_wordly(name->at[to]); to++)
		if (to > from && letter_is_capital(name->at[to]) &&
		    (!letter_is_capital(name->at[to - 1]) ||
		     (to + 1 < name->len && name->at[to + 1] >= 'a' && name->at[to + 1] <= 'z')))
			break;
	*ret = span_bytes(name->at + from, to - from);
	*name = span_bytes(name->at + to, name->len - to);
	return ret->len > 0;
}

static enum verb part_verb(struct span name)
{
	enum verb is = VERB_NONE;
	bool linked = false;

	for (struct span word; tool_word(&name, &word);) {
		const enum verb v = verb_of(word);

		if (is == VERB_NONE && v != VERB_LINKS)
			is = v;
		else if (linked && v == VERB_ACTS)
			is = VERB_ACTS;
		linked = v == VERB_LINKS;
	}
	return is;
}

static bool parts_at(struct span name, size_t i, size_t *ret_len)
{
	*ret_len = name.at[i] == '_' ? 2 : 1;
	return strchr("/.:", name.at[i]) != NULL || (i > 0 && name.at[i] == '_' && name.at[i - 1] == '_');
}

enum tool_told tool_tells(const char *tool, size_t n)
{
	struct span left = span_bytes(tool, n);

	while (left.len > 0) {
		size_t from = left.len, gap = 0;
		enum verb v;

		while (from > 0 && !parts_at(left, from - 1, &gap))
			from--;
		v = part_verb(span_bytes(left.at + from, left.len - from));
		if (v != VERB_NONE)
			return v == VERB_READS ? TOOL_READS : TOOL_ACTS;
		if (from == 0)
			break;
		left.len = from - (gap < from ? gap : from);
	}
	return TOOL_UNTOLD;
}
