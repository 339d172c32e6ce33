#include "cells/said.h"

#include <string.h>

#include "base/num.h"

#define NUMBER_MAX 11 /* digits of 32 bits, and NUL */

static const struct {
	const char *word;
	uint8_t numbers, text;
} words[SAID_WORDS] = {
#define SAID(name, w, n, t, what) [SAID_##name] = { .word = (w), .numbers = (n), .text = (t) },
#include "cells/said.def"
#undef SAID
};

static enum said_word find(const char *word, size_t n)
{
	unsigned i = 0;

	while (i < SAID_WORDS && (strlen(words[i].word) != n || memcmp(words[i].word, word, n) != 0))
		i++;
	return (enum said_word)i;
}

/* Of the word at *at, which ends with a blank or the message; *at goes behind it. */
static bool take_number(const char **at, uint32_t *ret)
{
	const size_t n = strcspn(*at, " ");
	char digits[NUMBER_MAX];

	if (n == 0 || n >= sizeof digits)
		return false;
	memcpy(digits, *at, n);
	digits[n] = 0;
	*at += n;
	return parse_u32(digits, 0, UINT32_MAX, ret);
}

int said_take(const char *message, struct said *ret, struct err *e)
{
	const size_t n = strcspn(message, " ");
	struct said s = { .word = find(message, n), .text = "" };
	const char *at = message + n;

	if (s.word == SAID_WORDS)
		return err_set(e, AMBIT_UNKNOWN, "doc/CELLS.md lists them", "there is no word '%.*s'",
			       (int)(n < 32 ? n : 32), message);
	for (unsigned i = 0; i < words[s.word].numbers; i++)
		if (*at != ' ' || (at++, !take_number(&at, &s.number[i])))
			return err_set(e, AMBIT_MALFORMED, NULL, "'%s' takes %u numbers", words[s.word].word,
				       words[s.word].numbers);
	if (words[s.word].text != 0) {
		if (*at != ' ')
			return err_set(e, AMBIT_MALFORMED, NULL, "'%s' takes a text", words[s.word].word);
		s.text = at + 1;
	} else if (*at != 0) {
		return err_set(e, AMBIT_MALFORMED, NULL, "something follows '%s'", words[s.word].word);
	}
	*ret = s;
	return 0;
}
