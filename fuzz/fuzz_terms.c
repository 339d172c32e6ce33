/* Any text as terms, and as a value of each of them: what is taken has one way of being written, and is within itself. */
#include <string.h>

#include "base/cleanup.h"
#include "core/terms.h"
#include "fuzz.h"

static bool is_clean(const char *s)
{
	for (; *s != 0; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f)
			return false;
	return true;
}

static void as_value(const char *text, enum term which)
{
	struct terms t = { .credentials = TERMS_REFUSE }, again = t;
	char once[TERMS_TEXT_MAX], twice[TERMS_TEXT_MAX];
	struct err e = { .msg = "" };

	if (terms_set(&t, which, text, &e) < 0) {
		promise(e.msg[0] != 0 && e.hint[0] != 0 && terms_are_none(&t));
		return;
	}
	promise(terms_has(&t, which) && terms_are_within(&t, &t));
	term_format(&t, which, once);
	promise(once[0] != 0 && is_clean(once) && strchr(once, '\'') == NULL);
	promise(terms_set(&again, which, once, &e) == 0);
	term_format(&again, which, twice);
	promise(strcmp(once, twice) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = strndup((const char *)data, size);
	struct terms t = { .credentials = TERMS_REFUSE };
	char again[TERMS_TEXT_MAX];

	promise(text != NULL);
	for (enum term which = 0; which < TERM_COUNT; which++)
		as_value(text, which);
	if (terms_take(text, &t, NULL) < 0) {
		promise(terms_are_none(&t));
		return 0;
	}
	terms_format(&t, again);
	promise(strcmp(text, again) == 0 && terms_check(&t, NULL) == 0 && terms_are_within(&t, &t));
	return 0;
}
