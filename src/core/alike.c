#include "core/alike.h"

#include <string.h>

/* What stands for the next character, or two of them, and goes on behind; 0: there is none. */
static char next(const char **at)
{
	static const char two[][3] = { "rnm", "vvw" };
	const char *s = *at;
	char c = s[0] >= 'A' && s[0] <= 'Z' ? (char)(s[0] - 'A' + 'a') : s[0];

	if (c == 0)
		return 0;
	*at = s + 1;
	for (size_t i = 0; i < sizeof two / sizeof two[0]; i++)
		if (c == two[i][0] && (s[1] | 0x20) == two[i][1]) {
			*at = s + 2;
			return two[i][2];
		}
	if (c == '1' || c == 'i')
		return 'l';
	if (c == '0')
		return 'o';
	return c == '-' || c == '.' ? '_' : c;
}

bool alike_is(const char *a, const char *b)
{
	char one, other;

	do {
		one = next(&a);
		other = next(&b);
	} while (one == other && one != 0);
	return one == other;
}
