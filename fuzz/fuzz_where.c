/* What a person wrote, or terms of a tool, a line feed, and arguments: what is taken has one way of being written and is within itself, and whatever the arguments
 * are, what is within allows no more. */
#include <string.h>

#include "base/cleanup.h"
#include "core/where.h"
#include "fuzz.h"

static bool is_clean(const char *s)
{
	for (; *s != 0; s++)
		if (*s < 0x20 || *s >= 0x7f)
			return false;
	return true;
}

static void is_one(const struct where *w)
{
	struct where again;
	char once[TERMS_TEXT_MAX], twice[TERMS_TEXT_MAX];

	where_format(w, once);
	promise((once[0] == 0) == where_is_none(w) && is_clean(once));
	promise(once[0] == 0 || strchr(strchr(once, '\'') + 1, '\'') == once + strlen(once) - 1);
	promise(where_take(once, &again, NULL) == 0);
	where_format(&again, twice);
	promise(strcmp(once, twice) == 0);
	promise(where_is_within(w, &again) && where_is_within(&again, w));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
	const size_t n = end != NULL ? (size_t)(end - data) : size;
	auto_free char *text = strndup((const char *)data, n);
	const struct where_arguments args = { .bytes = end != NULL ? end + 1 : data,
					      .n = end != NULL ? size - n - 1 : 0 };
	static const struct where_arguments nothing;
	static const struct where none;
	struct where set = none, taken = none;
	struct err e = { .msg = "" };
	const bool is_set = text != NULL && where_set(&set, text, &e) == 0;

	promise(text != NULL && (is_set || (e.msg[0] != 0 && e.hint[0] != 0 && where_is_none(&set))));
	is_one(&set);
	if (where_take(text, &taken, &e) == 0) {
		char again[TERMS_TEXT_MAX];

		is_one(&taken);
		where_format(&taken, again);
		promise(strcmp(text, again) == 0);
	}
	promise(where_allows(&none, &nothing));
	if (!where_are_arguments(&args))
		return 0;
	promise(where_allows(&none, &args));
	if (is_set && where_is_within(&taken, &set))
		promise(!where_allows(&taken, &args) || where_allows(&set, &args));
	if (is_set && where_is_within(&set, &taken))
		promise(!where_allows(&set, &args) || where_allows(&taken, &args));
	return 0;
}
