/* match_say - what expressions match, for who asks others too. Each line is in hexadecimal digits: an expression, a blank, and texts with blanks between.
 * Answers with a line: M, it is none; L, it is too much; or for each text y, s (a part of it does) or n, and for one that took more steps than it may, or of which all matches and no part does, !. */
#include <stdio.h>
#include <string.h>

#include "core/match.h"
#include "octets.h"

#define LINE_MAX_BYTES (1u << 16)

static char of_text(const struct match *m, const char *digits)
{
	static uint8_t text[LINE_MAX_BYTES];
	const size_t n = octets(digits, text, sizeof text);
	uint64_t steps;
	const bool is = match_counted(m, (const char *)text, n, &steps);
	const bool is_in = match_is_in(m, (const char *)text, n);

	return steps > (n + 1) * MATCH_STEPS(m) || (is && !is_in) ? '!' : is ? 'y' : is_in ? 's' : 'n';
}

int main(void)
{
	static char line[LINE_MAX_BYTES];
	static uint8_t expression[LINE_MAX_BYTES];
	static struct match m;

	while (fgets(line, sizeof line, stdin) != NULL) {
		char *rest = line;
		const char *word;
		int rc;

		line[strcspn(line, "\n")] = 0;
		word = strsep(&rest, " ");
		rc = match_compile((const char *)expression, octets(word, expression, sizeof expression), &m, NULL);
		if (rc < 0)
			(void)putchar(rc == -AMBIT_LIMIT ? 'L' : 'M');
		while (rc == 0 && (word = strsep(&rest, " ")) != NULL)
			(void)putchar(of_text(&m, word));
		(void)putchar('\n');
	}
	return 0;
}
