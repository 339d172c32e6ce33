#include "profile/prompt.h"

#include <string.h>

#include "profile/letter.h"

size_t prompt_form(const char *text, size_t n, char *ret)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		if (!letter_is_blank(text[i]))
			ret[len++] = letter_small(text[i]);
		else if (len > 0 && ret[len - 1] != ' ')
			ret[len++] = ' ';
	return len > 0 && ret[len - 1] == ' ' ? len - 1 : len;
}

bool prompt_names(const struct prompt *p, const char *value, size_t n)
{
	if (p == NULL || p->text == NULL || n == 0)
		return false;
	for (size_t at = 0; at + n <= p->n;) {
		const char *hit = memmem(p->text + at, p->n - at, value, n);
		const size_t i = hit != NULL ? (size_t)(hit - p->text) : 0;

		if (hit == NULL)
			return false;
		if ((i == 0 || !letter_is_wordly(hit[-1]) || !letter_is_wordly(value[0])) &&
		    (i + n == p->n || !letter_is_wordly(hit[n]) || !letter_is_wordly(value[n - 1])))
			return true;
		at = i + 1;
	}
	return false;
}
