#include <stdio.h>

#include "profile/symbol.h"

void symbol_unkept(uint8_t kind, char ret[SYMBOL_MAX])
{
	const char *word = effect_word(kind);

	(void)snprintf(ret, SYMBOL_MAX, "%s:unkept", word != NULL ? word : "unknown");
}

bool symbol_is(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return n > 0 && n < SYMBOL_MAX;
}
